"""The packed table of votes, against the plainest way to keep votes."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.record.errors import MalformedError, UsageError
from auzolan.deliberate import votes as module
from auzolan.deliberate.votes import NO_GROUP, VoteTable, pack
from tests.deliberate.tables import Vote, name, rows_of, table, table_of, tables, votes


def _plainly(cast: list[Vote]) -> tuple[dict[str, dict[int, int]], int, int]:
    """Return (ballots, replaced, ambiguous) with dictionaries."""
    of: dict[tuple[int, int], list[Vote]] = defaultdict(list)
    for vote in cast:
        of[vote.who, vote.statement].append(vote)
    ballots: dict[str, dict[int, int]] = defaultdict(dict)
    replaced = ambiguous = 0
    for (who, statement), all_of_them in of.items():
        last = max(vote.at for vote in all_of_them)
        at_last = [vote.vote for vote in all_of_them if vote.at == last]
        if len(set(at_last)) == 1:
            ballots[name(who)][statement] = at_last[0]
            replaced += len(all_of_them) - 1
        else:
            ambiguous += len(at_last)
            replaced += len(all_of_them) - len(at_last)
    return dict(ballots), replaced, ambiguous


def _same(one: VoteTable, other: VoteTable) -> bool:
    return (
        list(one.participants) == list(other.participants)
        and one.statements == other.statements
        and np.array_equal(one.starts, other.starts)
        and one.packed.dtype == other.packed.dtype
        and np.array_equal(one.packed, other.packed)
    )


# Packing


@given(votes())
def test_the_last_vote_of_a_participant_on_a_statement_counts(cast: list[Vote]) -> None:
    packing = pack(rows_of(cast))

    assert _plainly(cast) == (packing.table.to_ballots(), packing.replaced, packing.ambiguous)


@given(votes(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(cast: list[Vote], chance: object) -> None:
    shuffled = sorted(cast, key=lambda _: chance.random())  # type: ignore[attr-defined]
    one, other = pack(rows_of(cast)), pack(rows_of(shuffled))

    assert _same(one.table, other.table)
    assert (one.replaced, one.ambiguous) == (other.replaced, other.ambiguous)


@given(votes())
def test_no_row_is_lost_without_being_counted(cast: list[Vote]) -> None:
    packing = pack(rows_of(cast))

    assert len(cast) == packing.table.n_votes + packing.replaced + packing.ambiguous


@given(votes())
def test_rows_stand_in_the_order_of_pseudonyms_and_of_statements(cast: list[Vote]) -> None:
    made = table_of(cast)

    assert sorted(made.participants) == list(made.participants)
    assert sorted(set(made.statements)) == list(made.statements)
    assert bool((made.votes_per_participant > 0).all())
    for position in range(len(made.participants)):
        row = made.packed[made.starts[position] : made.starts[position + 1]]
        assert bool((np.diff(row.astype(np.int64) >> 2) > 0).all())


def test_two_votes_at_one_moment_that_differ_are_left_out_with_their_participant() -> None:
    packing = pack(rows_of([Vote(0, 1, 1, at=5), Vote(0, 1, -1, at=5), Vote(0, 1, 1, at=5), Vote(1, 1, 1)]))

    assert {name(1): {1: 1}} == packing.table.to_ballots()
    assert (0, 3) == (packing.replaced, packing.ambiguous)


def test_votes_that_differed_earlier_are_only_replaced() -> None:
    packing = pack(rows_of([Vote(0, 1, 1, at=5), Vote(0, 1, -1, at=5), Vote(0, 1, 0, at=6)]))

    assert {name(0): {1: 0}} == packing.table.to_ballots()
    assert (2, 0) == (packing.replaced, packing.ambiguous)


def test_a_statement_on_which_nobody_voted_is_kept() -> None:
    made = table({0: {7: 1}}, [3, 9])

    assert (3, 7, 9) == made.statements
    assert [[0, 0, 0], [1, 0, 0], [0, 0, 0]] == made.totals().tolist()


@pytest.mark.parametrize(("n", "dtype"), [(2**14, np.uint16), (2**14 + 1, np.uint32)])
def test_two_bytes_a_vote_up_to_16384_statements(n: int, dtype: type) -> None:
    last = n - 1
    made = table({0: {0: -1, last: 1}, 1: {last: 0}}, range(n))

    assert dtype == made.packed.dtype
    assert {name(0): {0: -1, last: 1}, name(1): {last: 0}} == made.to_ballots()
    assert [1, 0, 1] == made.totals()[last].tolist()
    assert [1, 0, 1] == made.counts(np.zeros(2, dtype=np.int16), 1)[0, last].tolist()


def test_ids_may_be_as_large_as_signed_numbers_may_be() -> None:
    made = table({0: {2**53 - 1: 1, 0: -1}})

    assert {0: -1, 2**53 - 1: 1} == made.row(0)


def test_too_many_statements_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_STATEMENTS", 3)

    assert 3 == len(table({0: {0: 1}}, [1, 2]).statements)
    with pytest.raises(MalformedError, match="4 statements, at most 3 fit"):
        table({0: {0: 1}}, [1, 2, 3])


@pytest.mark.parametrize("statements", [(), (4, 9)])
def test_a_table_without_votes_can_be_counted(statements: tuple[int, ...]) -> None:
    made = table({}, statements)

    assert (0, [], statements) == (made.n_votes, list(made.participants), made.statements)
    assert (len(statements), 3) == made.totals().shape
    assert (2, len(statements), 3) == made.counts(np.zeros(0, dtype=np.int16), 2).shape
    assert 0 == made.labels([]).size


# Counting


@given(tables(), st.data(), st.integers(1, 3))
def test_counts_are_those_of_counting_by_hand(made: VoteTable, data: st.DataObject, n_groups: int) -> None:
    n = len(made.participants)
    labels = np.array(data.draw(st.lists(st.integers(-1, n_groups - 1), min_size=n, max_size=n)), dtype=np.int16)
    expected = np.zeros((n_groups, len(made.statements), 3), dtype=np.int64)
    every = np.zeros((len(made.statements), 3), dtype=np.int64)
    for group, row in zip(labels.tolist(), made.to_ballots().values(), strict=True):
        for statement, vote in row.items():
            place = made.statements.index(statement), {1: 0, -1: 1, 0: 2}[vote]
            every[place] += 1
            if group >= 0:
                expected[group][place] += 1

    assert expected.tolist() == made.counts(labels, n_groups).tolist()
    assert every.tolist() == made.totals().tolist()


@pytest.mark.parametrize("block", [1, 2, 3, 7])
def test_counting_in_blocks_changes_nothing(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made = table({who: {s: (who * s) % 3 - 1 for s in range(1 + who % 5)} for who in range(11)})
    labels = np.array([who % 3 - 1 for who in range(11)], dtype=np.int16)
    whole = made.counts(labels, 2)
    monkeypatch.setattr(module, "_BLOCK", block)

    assert whole.tolist() == made.counts(labels, 2).tolist()


def test_people_in_no_group_are_in_the_totals_only() -> None:
    made = table({0: {0: 1}, 1: {0: -1}, 2: {0: 0}})

    assert [[[1, 0, 0]]] == made.counts(np.array([0, NO_GROUP, NO_GROUP], dtype=np.int16), 1).tolist()
    assert [[1, 1, 1]] == made.totals().tolist()


# Labels


def test_groups_become_labels() -> None:
    made = table({0: {0: 1}, 1: {0: 1}, 2: {0: 1}})

    assert [1, NO_GROUP, 0] == made.labels([[name(2)], [name(0)]]).tolist()


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([[name(0)], [name(9)]], "group 1: one of its participants has not voted"),
        ([[name(0)], [name(1), name(0)]], "group 1: one of its participants is in two groups"),
        ([[name(0), name(0)]], "group 0: one of its participants is in two groups, or twice in one"),
        ([[]] * 32_768, "32,768 groups, at most 32,767"),
    ],
)
def test_groups_that_cannot_be_are_refused_without_naming_anybody(groups: list[list[str]], message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        table({0: {0: 1}, 1: {0: 1}}).labels(groups)

    assert name(0) not in str(caught.value)
    assert name(9) not in str(caught.value)
