from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.record.canonical import JsonValue, canonical_bytes, read_json
from auzolan.core.record.envelope import MAX_SIGNATURES
from auzolan.core.record.errors import MalformedError
from auzolan.core.record.governance import (
    BALLOT_PRIVACY,
    Threshold,
    read_governance,
)
from auzolan.core.record.keys import SigningKey
from tests.strategies import json_values
from tests.town import CLINIC, LIBRARY, LOG, ORIGIN, SCHOOL, WITNESS, key, rules

Change = dict[str, Any]
DAY = 86_400


def with_principals(**principals: Any) -> Change:
    """Return a governance body whose roles name exactly these principals."""
    return rules(principals=principals, roles={"steward": list(principals)}, thresholds=thresholds(1))


def with_id(name: str) -> Change:
    """Return a governance body with one principal of this id."""
    people = {name: person(LIBRARY)}
    return rules(principals=people, roles={"steward": [name]}, thresholds=thresholds(1))


def thresholds(count: Any, role: Any = "steward", **more: Any) -> Change:
    return {"default": {"role": role, "count": count}, "governance/v1": {"role": "steward", "count": 1}, **more}


def person(*keys: SigningKey, name: Any = "Somebody (synthetic)") -> Change:
    return {"name": name, "keys": [str(each.public) for each in keys]}


def test_the_town_is_read() -> None:
    governance = read_governance(rules())

    assert (governance.name, governance.origin, governance.demo) == ("Town (synthetic)", ORIGIN, False)
    assert LOG.public == governance.log_key
    assert list(governance.principals) == ["library", "school"]
    assert governance.roles == {"steward": ("library", "school")}
    assert (governance.seats, governance.rule, governance.ballots) == (7, "equal-shares", "auditors")
    assert (governance.witness_keys, governance.witness_quorum, governance.witness_max_age) == ((), 0, None)
    assert {LIBRARY.public.keyid, SCHOOL.public.keyid} == set(governance.keys)
    assert governance.principal_of_key[LIBRARY.public.keyid].id == "library"


def test_a_kind_without_its_own_threshold_has_the_default_one() -> None:
    governance = read_governance(rules())

    assert Threshold("steward", 2) == governance.threshold_for("document/v1")
    assert Threshold("steward", 1) == governance.threshold_for("answer/v1")


def test_another_version_of_a_kind_has_the_threshold_of_the_newest_known_one() -> None:
    """Versions are numbers: v10 is newer than v9, though "10" comes before "9" as text."""
    more = {f"document/v{number}": {"role": "steward", "count": 1 + (number == 10)} for number in (9, 10)}
    governance = read_governance(rules(thresholds=thresholds(1, **more)))

    assert governance.threshold_for("document/v9").count == 1
    assert governance.threshold_for("document/v10").count == 2
    assert governance.threshold_for("document/v11").count == 2
    assert governance.threshold_for("documents/v11").count == 1


def test_witnesses_are_read_with_their_age_in_seconds() -> None:
    table = {"keys": [str(WITNESS.witness_public)], "quorum": 1, "max_age_days": 7}
    governance = read_governance(rules(witnesses=table))

    assert ((WITNESS.witness_public,), 1, 7 * DAY) == (
        governance.witness_keys,
        governance.witness_quorum,
        governance.witness_max_age,
    )


def test_tables_of_other_stages_are_kept() -> None:
    body = rules(deliberation={"days": 14})

    assert body == read_governance(body).body


@pytest.mark.parametrize("privacy", BALLOT_PRIVACY)
def test_every_word_for_the_privacy_of_ballots_is_read(privacy: str) -> None:
    assert privacy == read_governance(rules(ballots={"privacy": privacy})).ballots


def test_several_keys_of_one_principal_are_one_principal() -> None:
    governance = read_governance(with_principals(library=person(LIBRARY, key("library-laptop"))))

    assert {"library"} == {who.id for who in governance.principal_of_key.values()}
    assert len(governance.keys) == 2


def test_demo_keys_are_read_in_a_commons_marked_as_demo() -> None:
    assert read_governance({**with_principals(library=person(key("demo/library"))), "demo": True}).demo


LIBRARY_ALIAS = SigningKey("library-laptop", LIBRARY.seed)
UNREADABLE = str(LIBRARY.public)[:-1]

REFUSALS: list[tuple[str, Change, str]] = [
    ("format missing", rules(format=None), "governance: expected format"),
    ("format of another version", rules(format="governance/v2"), "governance: expected format"),
    # principals
    ("principals missing", rules(principals=None), "principals: expected an object, got null"),
    ("principals a list", rules(principals=[]), "principals: expected an object, got a list"),
    ("no principal", rules(principals={}), "principals: needs at least one"),
    ("id with a capital", with_id("Library"), "principals.Library: expected an id"),
    ("id with a blank", with_id("the library"), "expected an id"),
    ("id with a newline", with_id("library\n"), "expected an id"),
    ("id too long", with_id("l" * 49), "expected an id"),
    ("id with a Cyrillic letter", with_id("libr\u0430ry"), "expected an id"),
    ("id with a zero-width joiner", with_id("lib\u200drary"), "expected an id"),
    ("empty id", with_id(""), "expected an id"),
    ("principal no object", with_principals(library="me"), "principals.library: expected an object, got text"),
    ("principal with unknown key", with_principals(library={**person(LIBRARY), "weight": 2}), "unknown key 'weight'"),
    ("principal without name", with_principals(library=person(LIBRARY, name=None)), "library.name: expected non-empty"),
    (
        "principal with empty name",
        with_principals(library=person(LIBRARY, name="")),
        "library.name: expected non-empty",
    ),
    ("keys missing", with_principals(library={"name": "x"}), "library.keys: expected a list, got null"),
    ("keys one text", with_principals(library={"name": "x", "keys": str(LIBRARY.public)}), "keys: expected a list"),
    ("no key", with_principals(library=person()), "principals.library: needs at least one key"),
    ("key no text", with_principals(library={"name": "x", "keys": [1]}), "library.keys: expected non-empty text"),
    ("key unreadable", with_principals(library={"name": "x", "keys": [UNREADABLE]}), "library.keys: public key"),
    (
        "key of a witness",
        with_principals(library={"name": "x", "keys": [str(LIBRARY.witness_public)]}),
        "expected a key of type 0x01, got 0x04",
    ),
    (
        "one key shared by two persons",
        with_principals(library=person(LIBRARY), school=person(SCHOOL, LIBRARY)),
        "principals.school: key library-desk is also held by library; one key, one hand",
    ),
    (
        "one key under two names in two hands",
        with_principals(library=person(LIBRARY), school=person(LIBRARY_ALIAS)),
        "key library-laptop is also held by library",
    ),
    (
        "one key under two names in one hand",
        with_principals(library=person(LIBRARY, LIBRARY_ALIAS)),
        "key library-laptop is also held by library",
    ),
    ("one key twice", with_principals(library=person(LIBRARY, LIBRARY)), "is also held by library"),
    # roles
    ("roles missing", rules(roles=None), "roles: expected an object, got null"),
    ("role with a capital", rules(roles={"Steward": ["library"]}), "roles.Steward: expected a name"),
    ("role no list", rules(roles={"steward": "library"}), "roles.steward: expected a list, got text"),
    ("member no text", rules(roles={"steward": ["library", 1]}), "roles.steward: expected non-empty text"),
    ("unknown member", rules(roles={"steward": ["library", "church"]}), "roles.steward: 'church' is not a principal"),
    ("member twice", rules(roles={"steward": ["library", "library"]}), "roles.steward: a principal is listed twice"),
    (
        "role that names nobody",
        rules(roles={"steward": ["library", "school"], "auditor": []}),
        "roles.auditor",
    ),
    # thresholds
    ("thresholds missing", rules(thresholds=None), "thresholds: expected an object"),
    ("no default", rules(thresholds={"governance/v1": {"role": "steward", "count": 1}}), "'default' is missing"),
    (
        "none for governance",
        rules(thresholds={"default": {"role": "steward", "count": 1}}),
        "'governance/v1' is missing",
    ),
    ("threshold no object", rules(thresholds=thresholds(1, **{"x/v1": 2})), "thresholds.x/v1: expected an object"),
    (
        "undefined role",
        rules(thresholds=thresholds(1, role="mayor")),
        "thresholds.default: role 'mayor' is not defined",
    ),
    ("role no text", rules(thresholds=thresholds(1, role=None)), "thresholds.default.role: expected non-empty text"),
    ("unknown key", rules(thresholds={**thresholds(1), "default": {"role": "steward", "count": 1, "or": 0}}), "'or'"),
    (
        "count missing",
        rules(thresholds={**thresholds(1), "default": {"role": "steward"}}),
        "count: expected an integer",
    ),
    ("count zero", rules(thresholds=thresholds(0)), "thresholds.default.count: expected at least 1, got 0"),
    ("count negative", rules(thresholds=thresholds(-1)), "expected at least 1, got -1"),
    ("count true", rules(thresholds=thresholds(True)), "count: expected an integer, got true or false"),
    ("count text", rules(thresholds=thresholds("1")), "count: expected an integer, got text"),
    ("count a float", rules(thresholds=thresholds(1.0)), "count: expected an integer"),
    (
        "count that can never be met",
        rules(thresholds=thresholds(3)),
        "asks for 3 of role steward, which has 2 principals",
    ),
    ("count huge", rules(thresholds=thresholds(16**5000)), "thresholds.default"),
    ("count hugely negative", rules(thresholds=thresholds(-(16**5000))), "thresholds.default"),
    (
        "kind misspelt, so that the default would count",
        rules(thresholds=thresholds(1, **{"document/1": {"role": "steward", "count": 2}})),
        "thresholds.*document/1",
    ),
    (
        "kind with a blank, so that the default would count",
        rules(thresholds=thresholds(1, **{"document/v1 ": {"role": "steward", "count": 2}})),
        "thresholds.*document/v1 ",
    ),
    # log
    ("log missing", rules(log=None), "log: expected an object"),
    ("log with unknown key", rules(log={"origin": ORIGIN, "key": str(LOG.public), "url": "x"}), "unknown key 'url'"),
    ("log without key", rules(log={"origin": ORIGIN}), "log.key: expected non-empty text"),
    (
        "log key of a witness",
        rules(log={"origin": ORIGIN, "key": str(LOG.witness_public)}),
        "expected a key of type 0x01",
    ),
    ("log without origin", rules(log={"key": str(LOG.public)}), "log.origin: expected non-empty text"),
    ("origin with a blank", rules(log={"origin": "a b", "key": str(LOG.public)}), "log.origin: expected up to 200"),
    ("origin with a plus", rules(log={"origin": "a+b", "key": str(LOG.public)}), "log.origin"),
    ("origin with a newline", rules(log={"origin": "a\n9", "key": str(LOG.public)}), "log.origin"),
    ("origin with U+2028", rules(log={"origin": "a\u20289", "key": str(LOG.public)}), "log.origin"),
    ("origin with a control character", rules(log={"origin": "a\x01", "key": str(LOG.public)}), "log.origin"),
    ("origin with DEL", rules(log={"origin": "a\x7f", "key": str(LOG.public)}), "log.origin"),
    ("origin with a bidirectional override", rules(log={"origin": "a\u202eb", "key": str(LOG.public)}), "log.origin"),
    ("origin with a zero-width space", rules(log={"origin": "a\u200bb", "key": str(LOG.public)}), "log.origin"),
    ("origin too long", rules(log={"origin": "a" * 201, "key": str(LOG.public)}), "log.origin"),
    # witnesses
    ("witnesses missing", rules(witnesses=None), "witnesses: expected an object"),
    ("witnesses with unknown key", rules(witnesses={"keys": [], "quorum": 0, "any": 1}), "unknown key 'any'"),
    ("witness keys missing", rules(witnesses={"quorum": 0}), "witnesses.keys: expected a list"),
    (
        "witness with a key for records",
        rules(witnesses={"keys": [str(WITNESS.public)], "quorum": 0}),
        "type 0x04, got 0x01",
    ),
    (
        "log key among the witnesses",
        rules(witnesses={"keys": [str(LOG.witness_public)], "quorum": 0}),
        "the log's own key cannot witness the log",
    ),
    (
        "log key among the witnesses under another name",
        rules(witnesses={"keys": [str(SigningKey("a-neighbour", LOG.seed).witness_public)], "quorum": 0}),
        "the log's own key cannot witness the log",
    ),
    (
        "one witness twice",
        rules(witnesses={"keys": [str(WITNESS.witness_public)] * 2, "quorum": 2}),
        "witnesses.keys: one key is listed twice",
    ),
    (
        "one witness under two names",
        rules(
            witnesses={
                "keys": [str(WITNESS.witness_public), str(SigningKey("other", WITNESS.seed).witness_public)],
                "quorum": 2,
            }
        ),
        "witnesses.keys: one key is listed twice",
    ),
    (
        "two witnesses of one name",
        rules(
            witnesses={
                "keys": [
                    str(WITNESS.witness_public),
                    str(SigningKey(WITNESS.name, SCHOOL.seed).witness_public),
                ],
                "quorum": 2,
            }
        ),
        "witnesses.keys: two keys are named",
    ),
    (
        "a witness of the log's name",
        rules(witnesses={"keys": [str(SigningKey(LOG.name, SCHOOL.seed).witness_public)], "quorum": 1}),
        "witnesses.keys: two keys are named",
    ),
    ("quorum missing", rules(witnesses={"keys": []}), "witnesses.quorum: expected an integer"),
    (
        "quorum true",
        rules(witnesses={"keys": [str(WITNESS.witness_public)], "quorum": True}),
        "quorum: expected an integer",
    ),
    ("quorum negative", rules(witnesses={"keys": [], "quorum": -1}), "expected at least 0, got -1"),
    ("quorum that can never be met", rules(witnesses={"keys": [], "quorum": 1}), "asks for 1 of 0 witnesses"),
    ("quorum huge", rules(witnesses={"keys": [], "quorum": 16**5000}), "witnesses.quorum"),
    ("age zero", rules(witnesses={"keys": [], "quorum": 0, "max_age_days": 0}), "expected at least 1, got 0"),
    ("age true", rules(witnesses={"keys": [], "quorum": 0, "max_age_days": True}), "max_age_days: expected an integer"),
    (
        "age a float",
        rules(witnesses={"keys": [], "quorum": 0, "max_age_days": 0.5}),
        "max_age_days: expected an integer",
    ),
    ("age huge", rules(witnesses={"keys": [], "quorum": 0, "max_age_days": 16**5000}), "max_age_days"),
    # the rest
    ("name missing", rules(name=None), "name: expected non-empty text"),
    ("name empty", rules(name=""), "name: expected non-empty text, got empty text"),
    ("ballots missing", rules(ballots=None), "ballots: expected an object"),
    ("ballots without privacy", rules(ballots={}), "ballots.privacy: expected non-empty text"),
    ("ballots of another privacy", rules(ballots={"privacy": "secret"}), "ballots.privacy: expected one of public"),
    ("ballots with a bool", rules(ballots={"privacy": True}), "ballots.privacy: expected non-empty text"),
    ("constitution missing", rules(constitution=None), "constitution: expected an object"),
    ("no seats", rules(constitution={"rule": "x"}), "constitution.seats: expected an integer"),
    ("seats zero", rules(constitution={"seats": 0, "rule": "x"}), "expected at least 1, got 0"),
    ("seats true", rules(constitution={"seats": True, "rule": "x"}), "seats: expected an integer, got true or false"),
    ("seats huge", rules(constitution={"seats": 16**5000, "rule": "x"}), "constitution.seats"),
    ("no rule", rules(constitution={"seats": 1}), "constitution.rule: expected non-empty text"),
    ("demo a number", rules(demo=1), "demo: expected true or false"),
    ("demo a text", rules(demo="true"), "demo: expected true or false"),
    ("demo null", rules(demo=None), "demo: expected true or false"),
    ("floor missing", rules(rights_floor=None), "rights_floor .*: expected a list, got null"),
    ("floor an object", rules(rights_floor={}), "rights_floor .*: expected a list"),
    ("floor of texts", rules(rights_floor=["x"]), r"rights_floor\[0\]: expected an object, got text"),
    ("floor article without id", rules(rights_floor=[{"text": "x"}]), r"rights_floor\[0\].id: expected non-empty text"),
    ("floor article without text", rules(rights_floor=[{"id": "a"}]), r"rights_floor\[0\]: expected non-empty text"),
    ("floor article with more", rules(rights_floor=[{"id": "a", "text": "x", "until": "2030"}]), "unknown key 'until'"),
    ("floor id twice", rules(rights_floor=[{"id": "a", "text": "x"}, {"id": "a", "text": "y"}]), "an id appears twice"),
    # throw-away keys
    ("demo key of a person", with_principals(library=person(key("demo/library"))), "throw-away demo key"),
    ("demo log key", rules(log={"origin": ORIGIN, "key": str(key("demo/log").public)}), "throw-away demo key"),
    (
        "demo witness",
        rules(witnesses={"keys": [str(key("demo/witness").witness_public)], "quorum": 0}),
        "throw-away demo key",
    ),
    (
        "demo key beside a real one",
        with_principals(library=person(LIBRARY, key("demo/x"))),
        "key demo/x is a throw-away",
    ),
]


@pytest.mark.parametrize(("body", "message"), [case[1:] for case in REFUSALS], ids=[case[0] for case in REFUSALS])
def test_a_governance_with_a_defect_is_refused(body: Change, message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        read_governance(body)


@pytest.mark.parametrize("body", [None, [], "text", 1, True])
def test_a_governance_that_is_no_object_is_refused(body: JsonValue) -> None:
    with pytest.raises(MalformedError, match="governance: expected an object"):
        read_governance(body)


def test_the_empty_governance_is_refused() -> None:
    with pytest.raises(MalformedError, match="governance: expected format"):
        read_governance({})


def test_the_refusals_have_names_of_their_own() -> None:
    names = [case[0] for case in REFUSALS]

    assert len(set(names)) == len(names)


def test_a_threshold_above_what_an_envelope_can_carry_can_never_be_met() -> None:
    """An envelope with more signatures is not read; a threshold that needs them would close the commons for ever."""
    people = {f"p{number}": person(key(f"person {number}".replace(" ", "-"))) for number in range(MAX_SIGNATURES + 1)}
    body = {**with_principals(**people), "thresholds": thresholds(MAX_SIGNATURES + 1)}

    with pytest.raises(MalformedError, match=r"thresholds\.default"):
        read_governance(body)


@given(st.sampled_from(sorted(rules())), json_values())
def test_any_other_value_in_a_table_is_read_or_refused_in_words(table: str, value: JsonValue) -> None:
    body = rules(**{table: value})
    try:
        governance = read_governance(body)
    except MalformedError:
        return

    assert body == governance.body


def test_the_body_of_a_record_and_a_toml_file_are_read_alike() -> None:
    toml = f"""
name = "Town (synthetic)"
rights_floor = []
[log]
origin = "{ORIGIN}"
key = "{LOG.public}"
[witnesses]
keys = []
quorum = 0
[principals.library]
name = "Town library"
keys = ["{LIBRARY.public}"]
[principals.school]
name = "Town school"
keys = ["{SCHOOL.public}"]
[roles]
steward = ["library", "school"]
[thresholds]
default = {{ role = "steward", count = 1 }}
"governance/v1" = {{ role = "steward", count = 2 }}
"document/v1" = {{ role = "steward", count = 2 }}
[constitution]
seats = 7
rule = "equal-shares"
[ballots]
privacy = "auditors"
"""
    body: Change = {**tomllib.loads(toml), "format": "governance/v1"}

    assert read_governance(read_json(canonical_bytes(rules()))) == read_governance(body)


@pytest.mark.parametrize("value", ["0x" + "f" * 5000, "9" * 400, "2026-11-20", "1.5", "nan", "07:32:00", "-0x1"])
def test_values_that_only_toml_has_are_refused_in_words(value: str) -> None:
    try:
        seats = tomllib.loads(f"seats = {value}")["seats"]
    except tomllib.TOMLDecodeError:
        seats = -1

    with pytest.raises(MalformedError, match=r"constitution\.seats"):
        read_governance(rules(constitution={"seats": seats, "rule": "x"}))


def test_the_clinic_is_not_in_this_town() -> None:
    assert CLINIC.public.keyid not in read_governance(rules()).keys
