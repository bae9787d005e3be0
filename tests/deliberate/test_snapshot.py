"""Snapshots: made from a conversation, checked against ballots, replaced when somebody is forgotten."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.kinds.deliberate import CleaningRule, Snapshot
from auzolan.core.record.canonical import JsonValue, canonical_bytes, read_json
from auzolan.core.record.errors import MalformedError, VerificationError
from auzolan.deliberate.ballots import Ballots, read_ballots
from auzolan.deliberate.conversation import Cleaning, Conversation, Statement
from auzolan.deliberate.snapshot import (
    read_statements,
    snapshot_of,
    statements_bytes,
    successor,
    verify_ballots,
    verify_successor,
)
from auzolan.deliberate.votes import VoteTable
from tests.deliberate.tables import conversation, name, sealed, table, tables
from tests.strategies import texts

COMMONS, OLD = "c" * 64, "d" * 64
BLOBS = {"statements": "a" * 64, "private.ballots": "b" * 64}


def _taken(of: Conversation, ballots: Ballots | None = None, **other: Any) -> Snapshot:
    fields: dict[str, Any] = {
        "name": "trams", "licence": "CC BY 4.0", "identity": "by account", "imported_at": "2026-11-20",
        "privacy": "auditors", "commons": COMMONS, "blobs": BLOBS,
    }  # fmt: skip
    return snapshot_of(of, ballots or sealed(of.table), **(fields | other))


def _case() -> tuple[Snapshot, Ballots, tuple[Statement, ...]]:
    of = conversation(table({0: {3: 1, 5: -1}, 1: {5: 0}, 2: {3: 1}, 4: {3: -1, 5: 1}}, [9]))
    of = replace(of, rows_read=9, cleaning=(Cleaning("e-mail addresses masked in texts", 0, 2), Cleaning("later", 3)))
    return _taken(of), sealed(of.table), of.statements


def _next(old: Snapshot, ballots: Ballots, at: str = "2026-12-01") -> Snapshot:
    return successor(old, OLD, ballots, BLOBS, at)


# Making


def test_a_snapshot_says_what_was_read() -> None:
    taken, ballots, _ = _case()
    expected = {"participants": 4, "statements": 3, "votes": 6, "rows_read": 9}

    assert expected == taken.counts
    assert ballots.root().hex() == taken.commitment
    assert ("polis", "votes.csv", "trams") == tuple(taken.source[key] for key in ("tool", "layout", "name"))
    assert CleaningRule("e-mail addresses masked in texts", 0, 2) == taken.cleaning[0]
    assert (0, 0, None, 4) == (taken.generation, taken.n_forgotten, taken.supersedes, taken.n_participants)


@given(tables())
def test_a_snapshot_survives_its_record(made: VoteTable) -> None:
    taken = _taken(conversation(made))

    assert taken == Snapshot.from_record(taken.to_record())


@given(tables())
def test_a_snapshot_s_ballots_are_verified(made: VoteTable) -> None:
    of, ballots = conversation(made), sealed(made)

    assert ballots is verify_ballots(_taken(of), ballots, of.statements)


def test_people_who_passed_only_are_counted() -> None:
    of = conversation(table({who: {0: 0} for who in range(3)}))
    taken = _taken(of)

    assert (3, 3) == (taken.counts["participants"], taken.counts["votes"])
    assert verify_ballots(taken, sealed(of.table), of.statements)


# Checking


@pytest.mark.parametrize("count", ["participants", "statements", "votes"])
@pytest.mark.parametrize("by", [-1, 1, 10**9])
def test_a_changed_count_is_noticed(count: str, by: int) -> None:
    taken, ballots, statements = _case()
    changed = replace(taken, counts={**taken.counts, count: taken.counts[count] + by})

    with pytest.raises(VerificationError, match=rf"the snapshot says [-\d,]+ {count}"):
        verify_ballots(changed, ballots, statements)


def test_other_ballots_are_noticed() -> None:
    taken, ballots, statements = _case()
    flipped = table({0: {3: -1, 5: -1}, 1: {5: 0}, 2: {3: 1}, 4: {3: 1, 5: 1}}, [9])
    other = [sealed(flipped), replace(ballots, salts=ballots.salts[::-1]), ballots.without([name(0)])]

    for changed in other:
        with pytest.raises(VerificationError, match="not the ones that the snapshot commits to"):
            verify_ballots(taken, changed, statements)


@pytest.mark.parametrize(
    "change",
    [lambda of: of[:-1], lambda of: (*of, Statement(10)), lambda of: (Statement(2), *of[1:]), lambda of: of[::-1]],
    ids=["fewer", "more", "another", "other order"],
)
def test_other_statements_are_noticed(change: Callable[[tuple[Statement, ...]], tuple[Statement, ...]]) -> None:
    taken, ballots, statements = _case()

    with pytest.raises(VerificationError, match="statements are not the ones that were voted on"):
        verify_ballots(taken, ballots, change(statements))


# Forgetting


def test_after_forgetting_the_new_snapshot_is_verified_and_its_counts_are_those_of_the_import() -> None:
    old, ballots, statements = _case()
    left = ballots.without([name(1)])
    new = _next(old, left)
    again = _next(new, left.without([name(0), name(4)]))

    assert left is verify_ballots(new, left, statements)
    assert new is verify_successor(new, old, left)
    assert (old.counts, 1, 3, 1) == (new.counts, new.n_forgotten, new.n_participants, new.generation)
    assert (old.counts, 3, 1, 2) == (again.counts, again.n_forgotten, again.n_participants, again.generation)
    assert OLD == new.supersedes == new.to_record().links["supersedes"]
    assert again == verify_successor(again, old, left.without([name(0), name(4)]))
    assert old.cleaning == new.cleaning[:-1] == again.cleaning[:-1]
    assert new == Snapshot.from_record(new.to_record())


@given(tables(max_people=6), st.data())
def test_any_round_of_forgetting_is_verified(made: VoteTable, data: st.DataObject) -> None:
    of, ballots = conversation(made), sealed(made)
    taken = _taken(of)
    while len(ballots.table.participants) > 1:
        everyone = list(ballots.table.participants)
        gone = data.draw(st.sets(st.sampled_from(everyone), min_size=1, max_size=len(everyone) - 1))
        ballots = read_ballots(ballots.without(gone).to_bytes())
        new = _next(taken, ballots)

        assert ballots is verify_ballots(new, ballots, of.statements)
        assert new is verify_successor(new, taken, ballots)
        taken = new


@pytest.mark.parametrize(
    "change",
    [
        {"licence": "none"},
        {"privacy": "public"},
        {"agree_sign": -1},
        {"source": {"tool": "survey", "layout": "", "topic": "", "url": "", "name": "x"}},
        {"counts": {"participants": 4}},
        {"generation": 0},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_successor_that_changes_more_is_refused(change: dict[str, Any]) -> None:
    old, ballots, _ = _case()
    left = ballots.without([name(1)])

    with pytest.raises(VerificationError, match=r"changes more|not the ballots of the earlier"):
        verify_successor(replace(_next(old, left), **change), old, left)


@pytest.mark.parametrize(
    "change",
    [
        {"identity": "by passport"},
        {"sign_evidence": "guessed"},
        {"commons": "e" * 64},
        {"cleaning": (CleaningRule(Snapshot.FORGOTTEN, 0, 1),)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_successor_that_changes_anything_is_refused(change: dict[str, Any]) -> None:
    old, ballots, _ = _case()
    left = ballots.without([name(1)])

    with pytest.raises(VerificationError, match="changes more"):
        verify_successor(replace(_next(old, left), **change), old, left)


def test_more_forgotten_than_there_are_entries_of_is_noticed() -> None:
    taken, ballots, statements = _case()
    invented = replace(
        taken,
        counts={**taken.counts, "participants": 1_000_004},
        cleaning=(CleaningRule(Snapshot.FORGOTTEN, 0, 1_000_000),),
    )

    with pytest.raises(VerificationError):
        verify_ballots(invented, ballots, statements)


def test_a_successor_whose_ballots_differ_is_refused() -> None:
    old, _, _ = _case()
    other = sealed(table({0: {3: -1, 5: -1}, 1: {5: 0}, 2: {3: 1}, 4: {3: -1, 5: 1}}, [9])).without([name(1)])

    with pytest.raises(VerificationError, match="not the ballots of the earlier snapshot"):
        verify_successor(_next(old, other), old, other)


def test_a_snapshot_does_not_succeed_itself() -> None:
    old, ballots, _ = _case()

    with pytest.raises(VerificationError, match="not the ballots of the earlier snapshot"):
        verify_successor(old, old, ballots)


# Statements


def _statements() -> st.SearchStrategy[tuple[Statement, ...]]:
    moderation = st.sampled_from(["in", "out", "open"])
    one = st.builds(Statement, st.integers(0, 2**53 - 1), texts(), moderation, st.booleans(), st.booleans())
    return st.lists(one, max_size=5, unique_by=lambda each: each.id).map(
        lambda some: tuple(sorted(some, key=lambda each: each.id))
    )


@given(_statements())
def test_statements_survive_their_blob_in_any_order(statements: tuple[Statement, ...]) -> None:
    data = statements_bytes(statements)

    assert statements == read_statements(data)
    assert data == statements_bytes(statements[::-1])


def _changed(**fields: JsonValue) -> bytes:
    one: dict[str, JsonValue] = {"id": 3, "text": "x", "moderation": "in", "meta": False, "seed": True}
    listed: list[JsonValue] = [{key: value for key, value in (one | fields).items() if value != "absent"}]
    return canonical_bytes({"format": "auzolan-statements/v1", "statements": listed})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (_changed(id=-1), "expected at least 0"),
        (_changed(id="3"), "expected an integer"),
        (_changed(text=None), "expected text"),
        (_changed(text="absent"), "expected text"),
        (_changed(meta=0), "true or false"),
        (_changed(seed=1), "true or false"),
        (_changed(moderation="yes"), "must be in, out or open"),
        (_changed(moderation=None), "must be in, out or open"),
        (_changed(author="x"), "unknown key 'author'"),
        (statements_bytes((Statement(1), Statement(1))), "expected ascending ids"),
        (canonical_bytes({"format": "other/v1", "statements": []}), "expected format auzolan-statements/v1"),
        (canonical_bytes({"format": "auzolan-statements/v1"}), "expected a list"),
        (canonical_bytes([]), "expected an object"),
        (b" " + statements_bytes(()), "not in canonical form"),
        (b"", "not JSON"),
    ],
)
def test_statements_of_another_form_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        read_statements(data)


def test_more_than_statements_is_refused() -> None:
    data = canonical_bytes({"format": "auzolan-statements/v1", "statements": [], "more": 1})

    assert read_json(data)
    with pytest.raises(MalformedError):
        read_statements(data)
