from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auzolan.core.record.authority import (
    SUPERSEDES,
    Chain,
    SuccessionError,
    Version,
    check_signers,
    shortfall,
    verify_authority,
)
from auzolan.core.record.envelope import Envelope, Signature
from auzolan.core.record.errors import MalformedError, NotCheckedError, VerificationError
from auzolan.core.record.governance import GOVERNANCE_KIND, read_governance
from auzolan.core.record.keys import SigningKey
from auzolan.core.record.record import Record
from tests import strategies
from tests.town import CLINIC, LIBRARY, LOG, SCHOOL, document, key, next_rules, root_record, rules, sign

Change = dict[str, Any]
LAPTOP = key("library-laptop")
STRANGER = key("stranger")


def person(*keys: SigningKey) -> Change:
    return {"name": "Somebody (synthetic)", "keys": [str(each.public) for each in keys]}


def version(at: int = 0, **changes: Any) -> Version:
    """Return a governance in force, as if it had been accepted at `at`."""
    record = root_record(**changes)
    return Version(at, record.id, read_governance(record.body))


def begun(**changes: Any) -> tuple[Chain, Record]:
    """Return a chain with its root accepted."""
    root = root_record(**changes)
    chain = Chain()
    chain.verify(sign(root), 0)
    return chain, root


THREE: Change = {
    "principals": {"library": person(LIBRARY), "school": person(SCHOOL), "clinic": person(CLINIC)},
    "roles": {"steward": ["library", "school"], "auditor": ["clinic"]},
}
TWO_KEYS: Change = {"principals": {"library": person(LIBRARY, LAPTOP), "school": person(SCHOOL)}}


# --- thresholds ------------------------------------------------------------------------------------------------------


def test_a_record_signed_by_enough_principals_is_authorised() -> None:
    authorised = verify_authority(sign(document()), version())

    assert (document(), ("library", "school"), None) == (
        authorised.record,
        authorised.signers,
        authorised.governance,
    )


def test_the_default_threshold_counts_for_kinds_without_their_own() -> None:
    record = Record("answer/v1", {})

    assert verify_authority(sign(record, SCHOOL), version()).signers == ("school",)


def test_a_record_without_signatures_is_refused() -> None:
    with pytest.raises(VerificationError, match=r"needs 2 principals of role steward, got 0; any of these may"):
        verify_authority(Envelope(document()), version())


def test_one_signature_of_two_is_refused_and_says_who_may_sign() -> None:
    with pytest.raises(VerificationError, match=r"got 1 \(library\); any of these may still sign: school"):
        verify_authority(sign(document(), LIBRARY), version())


def test_two_keys_of_one_person_count_once() -> None:
    with pytest.raises(VerificationError, match=r"needs 2 principals of role steward, got 1 \(library\)"):
        verify_authority(sign(document(), LIBRARY, LAPTOP), version(**TWO_KEYS))


def test_one_key_under_two_ids_counts_once() -> None:
    """The id is the hash of the key alone: under another name it is the same signature."""
    alias = SigningKey("school-office-2", LIBRARY.seed)

    with pytest.raises(VerificationError, match=r"got 1 \(library\)"):
        verify_authority(sign(document(), LIBRARY, alias), version())


def test_one_key_under_another_key_id_is_unknown() -> None:
    envelope = sign(document(), LIBRARY)
    copied = Signature("0" * 64, envelope.signatures[0].sig)

    with pytest.raises(VerificationError, match="signature by unknown key 0000000000000000"):
        verify_authority(envelope.with_signatures([copied]), version())


def test_one_key_shared_by_two_persons_is_refused_as_a_governance() -> None:
    shared = {"library": person(LIBRARY), "school": person(LIBRARY)}

    with pytest.raises(MalformedError, match="one key, one hand"):
        verify_authority(sign(root_record(principals=shared), LIBRARY), None)


def test_a_principal_outside_the_role_does_not_count() -> None:
    with pytest.raises(VerificationError, match=r"got 1 \(library\)"):
        verify_authority(sign(document(), LIBRARY, CLINIC), version(**THREE))


def test_a_principal_outside_the_role_does_not_harm() -> None:
    assert verify_authority(sign(document(), LIBRARY, SCHOOL, CLINIC), version(**THREE)).signers == (
        "clinic",
        "library",
        "school",
    )


def test_a_signature_by_nobody_known_rejects_the_record() -> None:
    with pytest.raises(VerificationError, match=r"signature by unknown key .*: no principal holds it"):
        verify_authority(sign(document(), LIBRARY, SCHOOL, STRANGER), version())


def test_a_signature_that_does_not_fit_rejects_the_record() -> None:
    """Also where enough others fit: what was tampered with is not to be trusted by halves."""
    envelope = sign(document(), LIBRARY, SCHOOL)
    spoilt = envelope.with_signatures([Signature(CLINIC.public.keyid, bytes(64))])

    with pytest.raises(VerificationError, match="the signature by clinic-desk does not fit the content"):
        verify_authority(spoilt, version(**THREE))


def test_signatures_of_another_record_do_not_fit() -> None:
    other = sign(document("Other"))

    with pytest.raises(VerificationError, match="does not fit the content"):
        verify_authority(Envelope(document(), other.signatures), version())


def test_signatures_of_the_statement_without_the_dsse_encoding_do_not_fit() -> None:
    record = document()
    signatures = tuple(sorted(Signature(each.public.keyid, each.sign(record.canonical)) for each in (LIBRARY, SCHOOL)))

    with pytest.raises(VerificationError, match="does not fit the content"):
        verify_authority(Envelope(record, signatures), version())


def test_a_shortfall_counts_only_keys_of_the_rules_that_judge() -> None:
    lacking = shortfall(document(), read_governance(rules()), {LIBRARY.public.keyid: "library", "f" * 64: "school"})

    assert lacking is not None
    assert (lacking.needed, lacking.signed, lacking.missing) == (2, ("library",), ("school",))
    assert (
        shortfall(
            document(), read_governance(rules()), {LIBRARY.public.keyid: "library", SCHOOL.public.keyid: "school"}
        )
        is None
    )


def test_signers_can_be_checked_before_there_are_enough() -> None:
    assert {LIBRARY.public.keyid: "library"} == check_signers(sign(document(), LIBRARY), version())
    assert check_signers(Envelope(document()), version()) == {}
    with pytest.raises(VerificationError, match="unknown key"):
        check_signers(sign(document(), STRANGER), version())
    with pytest.raises(MalformedError, match="the first record must be governance/v1, got document/v1"):
        check_signers(sign(document()), None)


# --- the same as an oracle: principals are counted, whatever signs ---------------------------------------------------

PEOPLE = {f"p{number}": [key(f"p{number}-{copy}") for copy in range(2)] for number in range(4)}
EVERY_KEY = [each for keys in PEOPLE.values() for each in keys]


def world(members: list[str], count: int) -> Version:
    return version(
        principals={name: person(*keys) for name, keys in PEOPLE.items()},
        roles={"steward": list(PEOPLE), "judge": members},
        thresholds={
            "default": {"role": "judge", "count": count},
            "governance/v1": {"role": "steward", "count": 1},
        },
    )


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[str], int, list[SigningKey]]:
    members = draw(st.lists(st.sampled_from(sorted(PEOPLE)), min_size=1, unique=True))
    count = draw(st.integers(1, len(members)))
    return members, count, draw(st.lists(st.sampled_from(EVERY_KEY), unique=True))


def accepted(current: Version, signers: list[SigningKey]) -> bool:
    envelope = Envelope(Record("answer/v1", {}))
    for each in signers:
        envelope = envelope.signed_by(each)
    try:
        verify_authority(envelope, current)
    except VerificationError:
        return False
    return True


@settings(max_examples=150)
@given(worlds())
def test_a_threshold_is_met_exactly_when_enough_different_members_signed(
    case: tuple[list[str], int, list[SigningKey]],
) -> None:
    members, count, signers = case
    signed = {name for name, keys in PEOPLE.items() for each in keys if each in signers}

    assert (len(signed & set(members)) >= count) == accepted(world(members, count), signers)


@given(worlds(), st.data())
def test_more_signatures_by_the_same_people_or_by_others_never_open_the_door(
    case: tuple[list[str], int, list[SigningKey]], data: st.DataObject
) -> None:
    members, count, signers = case
    current = world(members, count)
    if accepted(current, signers):
        return
    signed = {name for name, keys in PEOPLE.items() for each in keys if each in signers}
    useless = [each for name, keys in PEOPLE.items() for each in keys if name in signed or name not in members]
    more = data.draw(st.lists(st.sampled_from([*useless, STRANGER]), unique=True))

    assert not accepted(current, [*signers, *more])


@given(st.binary(min_size=64, max_size=64), strategies.hex_digests())
def test_a_made_up_signature_never_opens_the_door(sig: bytes, keyid: str) -> None:
    envelope = sign(document(), LIBRARY)
    for forged in (Signature(SCHOOL.public.keyid, sig), Signature(keyid, sig)):
        with pytest.raises(VerificationError):
            verify_authority(envelope.with_signatures([forged]), version())


# --- succession ------------------------------------------------------------------------------------------------------


def test_the_first_record_must_be_a_governance() -> None:
    with pytest.raises(SuccessionError, match="the first record must be governance/v1, got document/v1"):
        verify_authority(sign(document()), None)


def test_the_first_governance_is_judged_by_itself() -> None:
    authorised = verify_authority(sign(root_record()), None)

    assert authorised.governance == read_governance(rules())
    with pytest.raises(VerificationError, match=r"governance/v1 needs 2 principals of role steward, got 1 \(school\)"):
        verify_authority(sign(root_record(), SCHOOL), None)


def test_the_first_governance_supersedes_nothing() -> None:
    with pytest.raises(SuccessionError, match=f"says that it supersedes {'0' * 64}, but it is the first"):
        verify_authority(sign(next_rules("0" * 64)), None)


def test_a_governance_that_supersedes_nothing_is_refused_later() -> None:
    current = version()

    with pytest.raises(SuccessionError, match=f"supersedes nothing, but {current.id} is in force"):
        verify_authority(sign(root_record(name="Another")), current)


def test_a_governance_that_supersedes_another_version_is_refused() -> None:
    chain, root = begun()
    second = next_rules(root.id, name="Second")
    chain.verify(sign(second), 1)

    with pytest.raises(SuccessionError, match=f"supersedes {root.id}, but {second.id} is in force"):
        chain.verify(sign(next_rules(root.id, name="Third")), 2)
    assert [root.id, second.id] == [each.id for each in chain.versions]


def test_a_governance_that_supersedes_itself_cannot_be_made() -> None:
    """Its id would have to stand in what the id is taken over."""
    record = next_rules(version().id)

    assert record.links[SUPERSEDES] != record.id


def test_a_new_governance_needs_the_threshold_of_the_old_one() -> None:
    """The old rules demand two of two; the new ones would be content with the library alone."""
    current = version()
    easier = {"default": {"role": "steward", "count": 1}, GOVERNANCE_KIND: {"role": "steward", "count": 1}}

    with pytest.raises(VerificationError, match=r"principals of role steward under the old rules, got 1 \(library\)"):
        verify_authority(sign(next_rules(current.id, thresholds=easier), LIBRARY), current)


def test_a_new_governance_needs_its_own_threshold() -> None:
    current = version()
    harder = {"default": {"role": "steward", "count": 1}, GOVERNANCE_KIND: {"role": "all", "count": 3}}
    people = THREE["principals"]
    roles = {"steward": ["library", "school"], "all": ["library", "school", "clinic"]}
    record = next_rules(current.id, thresholds=harder, principals=people, roles=roles)

    with pytest.raises(VerificationError, match="needs 3 principals of role all under the new rules, got 2"):
        verify_authority(sign(record), current)
    assert verify_authority(sign(record, LIBRARY, SCHOOL, CLINIC), current).signers == ("clinic", "library", "school")


def test_the_new_people_alone_cannot_take_over() -> None:
    current = version()
    people = {"stranger": person(STRANGER), "laptop": person(LAPTOP)}
    thresholds = {"default": {"role": "steward", "count": 1}, GOVERNANCE_KIND: {"role": "steward", "count": 2}}
    record = next_rules(current.id, principals=people, roles={"steward": list(people)}, thresholds=thresholds)

    with pytest.raises(VerificationError, match="under the old rules, got 0"):
        verify_authority(sign(record, STRANGER, LAPTOP), current)
    with pytest.raises(VerificationError, match="under the new rules, got 0"):
        verify_authority(sign(record, LIBRARY, SCHOOL), current)


def test_a_new_key_of_an_old_principal_does_not_count_under_the_old_rules() -> None:
    """Who writes the new rules can put a key into them; the old rules must not know it."""
    current = version()
    grabbed = {"library": person(LIBRARY), "school": person(STRANGER)}
    record = next_rules(current.id, principals=grabbed)

    with pytest.raises(VerificationError, match=r"under the old rules, got 1 \(library\)"):
        verify_authority(sign(record, LIBRARY, STRANGER), current)


def test_a_removed_key_does_not_count_under_the_new_rules() -> None:
    current = version(**TWO_KEYS)
    record = next_rules(current.id, principals={"library": person(LIBRARY), "school": person(CLINIC)})

    with pytest.raises(VerificationError, match=r"under the new rules, got 1 \(library\)"):
        verify_authority(sign(record, LIBRARY, LAPTOP, SCHOOL), current)


def test_a_key_handed_over_is_refused() -> None:
    current = version(**THREE)
    swapped = {"library": person(SCHOOL), "school": person(LIBRARY)}
    record = next_rules(current.id, principals=swapped)

    with pytest.raises(SuccessionError, match="key school-office is held by school and cannot pass to library"):
        verify_authority(sign(record), current)


def test_a_key_handed_over_after_a_rest_is_refused() -> None:
    """The school gives up a key in one version; two versions later the clinic holds it."""
    chain, root = begun(principals={"library": person(LIBRARY), "school": person(SCHOOL, LAPTOP)})
    second = next_rules(root.id)
    chain.verify(sign(second), 1)
    clinic = {"library": person(LIBRARY), "school": person(SCHOOL), "clinic": person(CLINIC, LAPTOP)}

    with pytest.raises(SuccessionError, match="key library-laptop was held by school and cannot pass to clinic"):
        chain.verify(sign(next_rules(second.id, principals=clinic)), 2)
    assert [root.id, second.id] == [each.id for each in chain.versions]


def test_a_key_may_come_back_to_its_holder() -> None:
    chain, root = begun(**TWO_KEYS)
    second = next_rules(root.id)
    third = next_rules(second.id, **TWO_KEYS)
    chain.verify(sign(second), 1)
    chain.verify(sign(third), 2)

    assert third.id == chain.current.id


def test_a_refused_version_leaves_no_trace_of_its_keys() -> None:
    """A version that is refused half-way must not claim keys for those it names."""
    chain, root = begun(principals={"library": person(LIBRARY), "school": person(SCHOOL, LAPTOP)})
    second = next_rules(root.id)
    chain.verify(sign(second), 1)
    grabbing = {
        "annex": person(STRANGER),
        "clinic": person(LAPTOP),
        "library": person(LIBRARY),
        "school": person(SCHOOL),
    }
    with pytest.raises(SuccessionError, match="cannot pass to clinic"):
        chain.verify(sign(next_rules(second.id, principals=grabbing)), 2)
    third = next_rules(
        second.id, principals={"library": person(LIBRARY), "school": person(SCHOOL), "other": person(STRANGER)}
    )
    chain.verify(sign(third), 2)

    assert third.id == chain.current.id


FLOOR = [{"id": "hear", "text": "Everybody is heard."}, {"id": "see", "text": "Everybody may see."}]


@pytest.mark.parametrize(
    ("lowered", "gone"),
    [
        ([], "hear"),
        (FLOOR[:1], "see"),
        ([FLOOR[0], {"id": "see", "text": "Everybody may see. "}], "see"),
        ([FLOOR[0], {"id": "see", "text": "Members may see."}], "see"),
        ([FLOOR[0], {"id": "see2", "text": "Everybody may see."}], "see"),
        ([{"id": "hear", "text": FLOOR[1]["text"]}, {"id": "see", "text": FLOOR[0]["text"]}], "hear"),
        ([FLOOR[0], {"id": "s\u0435e", "text": "Everybody may see."}], "see"),
    ],
)
def test_a_rights_floor_is_neither_lowered_nor_reworded(lowered: list[Change], gone: str) -> None:
    current = version(rights_floor=FLOOR)

    with pytest.raises(SuccessionError, match=f"the rights floor may only grow, but article {gone} is gone"):
        verify_authority(sign(next_rules(current.id, rights_floor=lowered)), current)


@pytest.mark.parametrize("grown", [FLOOR, FLOOR[::-1], [*FLOOR, {"id": "leave", "text": "Everybody may leave."}]])
def test_a_rights_floor_may_stay_grow_and_be_reordered(grown: list[Change]) -> None:
    current = version(rights_floor=FLOOR)
    record = next_rules(current.id, rights_floor=grown)

    assert verify_authority(sign(record), current).governance == read_governance(record.body)


def test_a_floor_is_not_lowered_by_way_of_two_versions() -> None:
    chain, root = begun(rights_floor=FLOOR)
    second = next_rules(root.id, rights_floor=FLOOR, name="Second")
    chain.verify(sign(second), 1)

    with pytest.raises(SuccessionError, match="the rights floor may only grow"):
        chain.verify(sign(next_rules(second.id, rights_floor=[])), 2)


def test_a_demo_key_in_a_real_commons_is_refused() -> None:
    demo = key("demo/library")
    people = {"library": person(demo), "school": person(SCHOOL)}

    with pytest.raises(MalformedError, match="demo/library is a throw-away demo key"):
        verify_authority(sign(root_record(principals=people), demo, SCHOOL), None)
    assert verify_authority(sign(root_record(principals=people, demo=True), demo, SCHOOL), None).governance


def test_a_demo_stays_one_also_with_other_keys() -> None:
    """Its history was signed with keys whose passphrase everybody knows."""
    demo = key("demo/library")
    people = {"library": person(demo, LIBRARY), "school": person(SCHOOL)}
    current = version(principals=people, demo=True)

    with pytest.raises(SuccessionError, match="must stay marked `demo = true`"):
        verify_authority(sign(next_rules(current.id)), current)


def test_the_log_keeps_its_name() -> None:
    current = version()
    renamed = next_rules(current.id, log={"origin": "another.example/log", "key": str(LOG.public)})

    with pytest.raises(SuccessionError, match="the log is 'auzolan/town-00000001' for ever"):
        verify_authority(sign(renamed), current)


def test_a_governance_of_a_newer_kind_cannot_be_judged() -> None:
    """To pass over it would judge what follows by rules that are no longer in force."""
    newer = Record("governance/v2", rules(), {SUPERSEDES: version().id})

    for check in (verify_authority, check_signers):
        with pytest.raises(NotCheckedError, match="governance/v2 is newer than this program"):
            check(sign(newer), version())


def test_a_demo_becomes_real_only_without_its_demo_keys() -> None:
    demo = key("demo/library")
    people = {"library": person(demo), "school": person(SCHOOL)}
    current = version(principals=people, demo=True)

    with pytest.raises(MalformedError, match="throw-away demo key"):
        verify_authority(sign(next_rules(current.id, principals=people), demo, SCHOOL), current)


# --- the version in force at a record's own place --------------------------------------------------------------------


def test_each_record_is_judged_by_the_version_in_force_then() -> None:
    chain, root = begun()
    people = {"library": person(LIBRARY), "school": person(SCHOOL), "clinic": person(CLINIC)}
    second = next_rules(root.id, principals=people, roles={"steward": ["library", "clinic"]})
    with pytest.raises(VerificationError, match="unknown key"):
        chain.verify(sign(document("Before"), LIBRARY, CLINIC), 1)
    chain.verify(sign(document("Before")), 1)
    chain.verify(sign(second, LIBRARY, SCHOOL, CLINIC), 2)
    chain.verify(sign(document("After"), LIBRARY, CLINIC), 3)

    with pytest.raises(VerificationError, match=r"got 1 \(library\)"):
        chain.verify(sign(document("After"), LIBRARY, SCHOOL), 4)
    assert [0, 2] == [each.at for each in chain.versions]
    assert [root.id, root.id, root.id, second.id, second.id] == [chain.at(index).id for index in range(5)]


def test_a_body_that_is_no_governance_is_malformed() -> None:
    with pytest.raises(MalformedError, match="governance: expected"):
        verify_authority(sign(Record(GOVERNANCE_KIND, {})), None)
    with pytest.raises(MalformedError, match="governance: expected"):
        check_signers(sign(Record(GOVERNANCE_KIND, {})), version())
