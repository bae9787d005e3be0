"""Ballots that are exactly the same: counted, and never taken for proof."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.deliberate.ratify.alike import LEAST_PEOPLE, LEAST_VOTES, Alike, alike_ballots
from auzolan.deliberate.votes import AGREE, DISAGREE, PASS, VoteTable
from tests.deliberate.ratify.checked import people, says
from tests.deliberate.tables import planted, table

SOME = (10, says(1, 2, 3, no=[4]))
OTHERS = [(1, says(each, 5, no=[6, 7])) for each in range(8, 20)]


def test_ballots_that_several_cast_alike_are_counted() -> None:
    assert Alike(10, 1, 10) == alike_ballots(people([SOME, *OTHERS]))


def test_the_most_common_ballot_is_told_apart_from_the_others() -> None:
    assert Alike(16, 2, 10) == alike_ballots(people([SOME, (6, says(1, 2, no=[3, 4])), *OTHERS]))


def test_ballots_of_fewer_than_three_votes_are_not_counted() -> None:
    assert Alike(0, 0, 0) == alike_ballots(people([(50, says(1, 2)), *OTHERS]))
    assert Alike(50, 1, 50) == alike_ballots(people([(50, says(1, 2, 5)), *OTHERS]))


def test_ballots_that_fewer_than_five_cast_are_not_counted() -> None:
    assert Alike(0, 0, 0) == alike_ballots(people([(4, says(1, 2, 3)), *OTHERS]))
    assert Alike(5, 1, 5) == alike_ballots(people([(5, says(1, 2, 3)), *OTHERS]))


def test_who_voted_on_everything_is_left_out() -> None:
    whole, part = people([(50, says(1, 2, 3, 4))]), people([(50, says(1, 2, 3, 4))], [5])

    assert Alike(0, 0, 0) == alike_ballots(whole)
    assert Alike(50, 1, 50) == alike_ballots(part)


def test_another_vote_on_one_statement_makes_another_ballot() -> None:
    ballots = [(4, says(1, 2, 3, neither=[4])), (4, says(1, 2, 3, no=[4])), (4, says(1, 2, 3, 4)), (4, says(1, 2, 3))]

    assert Alike(0, 0, 0) == alike_ballots(people([*ballots, *OTHERS]))


@pytest.mark.parametrize(
    ("min_cell", "expected"), [(1, (16, 2, 10)), (6, (16, 2, 10)), (7, (10, 1, 10)), (11, (0, 0, 0))]
)
def test_ballots_of_fewer_people_than_may_be_told_of_are_not_counted(
    min_cell: int, expected: tuple[int, int, int]
) -> None:
    votes = people([SOME, (6, says(1, 2, no=[3, 4])), *OTHERS])

    assert expected == alike_ballots(votes, min_cell)


def test_where_nobody_voted_nothing_is_alike() -> None:
    assert Alike(0, 0, 0) == alike_ballots(table({}))
    assert Alike(0, 0, 0) == alike_ballots(table({}, [1, 2, 3, 4, 5]))


def test_many_statements_are_packed_wider_and_counted_the_same() -> None:
    votes = people([SOME, *OTHERS], range(20_000))

    assert np.uint32 == votes.packed.dtype
    assert Alike(10, 1, 10) == alike_ballots(votes)


def test_people_who_vote_by_themselves_are_hardly_ever_alike() -> None:
    assert Alike(0, 0, 0) == alike_ballots(planted([200, 100], 30, chance=1).table)


def _expected(votes: VoteTable, min_cell: int) -> Alike:
    ballots = Counter(frozenset(row.items()) for row in votes.to_ballots().values())
    least = max(LEAST_PEOPLE, min_cell)
    shared = [n for each, n in ballots.items() if LEAST_VOTES <= len(each) < len(votes.statements) and n >= least]
    return Alike(sum(shared), len(shared), max(shared, default=0))


@given(
    st.lists(st.dictionaries(st.integers(0, 5), st.sampled_from([AGREE, PASS, DISAGREE]), min_size=1), max_size=6),
    st.lists(st.integers(0, 5), max_size=60),
    st.integers(1, 8),
)
def test_it_is_what_counting_ballots_as_sets_finds(kinds: list[dict[int, int]], cast: list[int], min_cell: int) -> None:
    votes = table({who: kinds[number % len(kinds)] for who, number in enumerate(cast)} if kinds else {}, range(6))

    assert _expected(votes, min_cell) == alike_ballots(votes, min_cell)
