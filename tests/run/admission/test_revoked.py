"""A record is revoked once as many principals said so as its own kind asks for, under the rules of that moment."""

from __future__ import annotations

import pytest

from auzolan.core.kinds.govern import Document
from auzolan.core.kinds.oversee import Endorsement
from auzolan.core.record.authority import Version
from auzolan.core.record.errors import MissingError
from auzolan.core.record.governance import read_governance
from auzolan.core.record.keys import SigningKey
from auzolan.run.admission.revoked import Said, Standing, revoked_by, standing_of, standings_of
from tests.run.admission.made import adapter, digest_of, made_base, service
from tests.town import CLINIC, LIBRARY, SCHOOL, Town, document, next_rules, root_record, rules, sign

BOTH = ("library", "school")
PAIR = Document.KIND  # two must sign it
ONE = "adapter/v1"  # one is enough
ANY = {kind: {"role": "steward", "count": 1} for kind in ("default", "governance/v1")}


def version(at: int = 0, count: int = 2, members: tuple[str, ...] = BOTH) -> Version:
    body = rules(
        roles={"steward": list(members)},
        thresholds=ANY | {PAIR: {"role": "steward", "count": count}},
    )
    return Version(at, digest_of(f"governance at {at}"), read_governance(body))


def said(position: int, *signers: str) -> Said:
    return Said(position, signers)


@pytest.mark.parametrize(
    ("kind", "told", "expected"),
    [
        (PAIR, [], ((), False)),
        (PAIR, [said(1, "library")], (("library",), False)),
        (PAIR, [said(1, "library"), said(2, "library")], (("library",), False)),
        (PAIR, [said(1, "library"), said(2, "school")], (BOTH, True)),
        (PAIR, [said(1, "school", "library")], (BOTH, True)),
        (PAIR, [said(1, "library"), said(2, "clinic")], (("library",), False)),
        (ONE, [said(1, "library")], (("library",), True)),
        (ONE, [said(1, "clinic")], ((), False)),
    ],
)
def test_as_many_of_the_role_as_the_kind_asks_for(
    kind: str, told: list[Said], expected: tuple[tuple[str, ...], bool]
) -> None:
    assert expected == revoked_by(kind, told, [version()])


def test_whoever_left_since_counted_then() -> None:
    left = [version(), version(at=5, count=1, members=("school",))]

    assert (BOTH, True) == revoked_by(PAIR, [said(1, "library"), said(2, "school")], left)


def test_whoever_left_before_enough_had_said_so_does_not_count() -> None:
    left = [version(), version(at=5, count=1, members=("school",))]

    assert ((), False) == revoked_by(PAIR, [said(1, "library")], left)


def test_a_revocation_stands_though_more_are_asked_for_later() -> None:
    stricter = [version(count=1), version(at=5, count=2)]

    assert (("library",), True) == revoked_by(PAIR, [said(1, "library")], stricter)
    assert (("library",), False) == revoked_by(PAIR, [said(6, "library")], stricter)


def test_what_was_said_counts_when_fewer_are_asked_for_later() -> None:
    assert (("library",), True) == revoked_by(PAIR, [said(1, "library")], [version(), version(at=5, count=1)])


def revoke(town: Town, record_id: str, *keys: SigningKey, claim: str = Endorsement.REVOKED) -> None:
    note = " and ".join(each.name for each in keys)
    town.commit(sign(Endorsement(record_id, claim, "2026-11-20", note).to_record(), *keys))


@pytest.fixture
def town() -> Town:
    town = Town()
    town.commit(sign(document()))
    return town


DOCUMENT = document().id


def test_a_record_nobody_spoke_of_stands(town: Town) -> None:
    assert Standing(DOCUMENT) == standing_of(town.ledger, DOCUMENT)


def test_two_endorsements_in_the_log_revoke_what_two_must_sign(town: Town) -> None:
    revoke(town, DOCUMENT, LIBRARY)

    assert Standing(DOCUMENT, asked_by=("library",)) == standing_of(town.ledger, DOCUMENT)
    revoke(town, DOCUMENT, SCHOOL)

    assert standing_of(town.ledger, DOCUMENT).is_revoked
    assert BOTH == standing_of(town.open(), DOCUMENT).revoked_by


@pytest.mark.parametrize("claim", [each for each in Endorsement.CLAIMS if each != Endorsement.REVOKED])
def test_other_claims_revoke_nothing(claim: str, town: Town) -> None:
    revoke(town, DOCUMENT, LIBRARY, SCHOOL, claim=claim)

    assert Standing(DOCUMENT) == standing_of(town.ledger, DOCUMENT)


def test_a_principal_of_another_role_revokes_nothing() -> None:
    clinic = {"name": "Town clinic", "keys": [str(CLINIC.public)]}
    body = rules(
        principals={**rules()["principals"], "clinic": clinic},  # type: ignore[dict-item]
        roles={"steward": list(BOTH), "guest": ["clinic"]},
        thresholds={**rules()["thresholds"], Endorsement.KIND: {"role": "guest", "count": 1}},  # type: ignore[dict-item]
    )
    town = Town(root_record(**body))
    record = document(commons=town.root.id)
    town.commit(sign(record))
    revoke(town, record.id, CLINIC)

    assert Standing(record.id) == standing_of(town.ledger, record.id)


def test_a_successor_of_the_same_kind_is_reported(town: Town) -> None:
    newer = document("Later minutes", supersedes=DOCUMENT)
    town.commit(sign(newer), sign(document("A remark", about=DOCUMENT)))

    assert Standing(DOCUMENT, superseded_by=(newer.id,)) == standing_of(town.ledger, DOCUMENT)
    assert not standing_of(town.ledger, DOCUMENT).is_revoked


def test_a_governance_that_left_a_principal_out_does_not_undo(town: Town) -> None:
    revoke(town, DOCUMENT, LIBRARY, SCHOOL)
    changed = next_rules(
        town.root.id,
        roles={"steward": ["library"]},
        thresholds=ANY,
    )
    town.commit(sign(changed))

    assert BOTH == standing_of(town.ledger, DOCUMENT).revoked_by


def test_an_unknown_record_is_told(town: Town) -> None:
    with pytest.raises(MissingError, match="no record"):
        standing_of(town.ledger, "0" * 64)


def test_all_that_a_service_rests_on_is_looked_at(town: Town) -> None:
    names = {name: document(name) for name in ("service", "constitution", "rules", "adapter", "dataset", "other")}
    for each in names.values():
        town.commit(sign(each))
    ids = {name: each.id for name, each in names.items()}
    base = made_base()
    record = service(base, [ids["adapter"]], constitution=ids["constitution"], rules=ids["rules"])
    taught = adapter(base, dataset=ids["dataset"], constitution=ids["other"])
    found = standings_of(town.ledger, ids["service"], record, {ids["adapter"]: taught})

    assert {
        "service": ids["service"], "constitution": ids["constitution"], "rules": ids["rules"],
        "adapter.1": ids["adapter"], "adapter.1.dataset": ids["dataset"], "adapter.1.constitution": ids["other"],
    } == {name: each.record for name, each in found.items()}  # fmt: skip


def test_a_missing_record_of_an_adapter_is_told(town: Town) -> None:
    with pytest.raises(MissingError, match="record of adapter"):
        standings_of(town.ledger, DOCUMENT, service(made_base(), [DOCUMENT]), {})
