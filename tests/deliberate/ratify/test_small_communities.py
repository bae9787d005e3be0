"""Communities of fewer than 60 people: exact counts, a supermajority or consent, and no groups found by a computer."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.deliberate.ratify.eligibility import GroupCounts, Judged, Standing, judge
from auzolan.deliberate.ratify.parameters import SMALL, SMALL_RULES, Parameters
from auzolan.deliberate.ratify.selection import select
from tests.deliberate.ratify.checked import people, says

MOST = 130  # ballots that are added one by one at most
Counts = tuple[int, int, int]


def _by(**other: Any) -> Parameters:
    return Parameters(**{"seats": 3, "roll": 30} | other)


def _one(total: Counts, *groups: GroupCounts, **by: Any) -> Judged:
    return judge(np.array([total]), groups, np.array([False]), sum(total), _by(**by))[0]


def _group(size: int, votes: Counts, may_block: bool = False) -> GroupCounts:
    return GroupCounts("district: north" if may_block else "A", size, may_block, np.array([votes]), "district")


# How many must agree


@pytest.mark.parametrize(
    ("total", "standing"),
    [
        ((10, 5, 0), Standing.ELIGIBLE),
        ((20, 10, 0), Standing.ELIGIBLE),
        ((19, 10, 0), Standing.UNSUPPORTED),
        ((10, 6, 0), Standing.UNSUPPORTED),
        ((13, 7, 0), Standing.UNSUPPORTED),
        ((14, 7, 0), Standing.ELIGIBLE),
        ((30, 0, 0), Standing.ELIGIBLE),
        ((0, 0, 30), Standing.UNSUPPORTED),
        ((0, 30, 0), Standing.UNSUPPORTED),
    ],
)
def test_two_thirds_exactly_are_enough(total: Counts, standing: Standing) -> None:
    assert standing is _one(total).standing


def test_passes_count_for_the_quorum_only() -> None:
    assert Standing.ELIGIBLE is _one((2, 1, 12)).standing
    assert Standing.FEW_VOTES is _one((2, 1, 11)).standing
    assert Standing.ELIGIBLE is _one((1, 0, 14)).standing


@pytest.mark.parametrize(
    ("share", "least"), [("1/2", 8), ("2/3", 10), ("3/4", 12), ("4/5", 12), ("1/1", 15), ("2001/3000", 11)]
)
def test_the_share_is_compared_without_rounding(share: str, least: int) -> None:
    by = {"supermajority": Fraction(share)}
    enough, short = (_one((yes, 15 - yes, 0), **by).standing for yes in (least, least - 1))

    assert (Standing.ELIGIBLE, Standing.UNSUPPORTED) == (enough, short)


def test_a_hundred_percent_is_everybody_who_agrees_or_disagrees() -> None:
    assert Standing.ELIGIBLE is _one((29, 0, 1), supermajority=Fraction(1)).standing
    assert Standing.UNSUPPORTED is _one((29, 1, 0), supermajority=Fraction(1)).standing


def test_consent_is_that_nobody_disagrees_and_somebody_agrees() -> None:
    assert Standing.ELIGIBLE is _one((1, 0, 14), small_rule="consent").standing
    assert Standing.UNSUPPORTED is _one((29, 1, 0), small_rule="consent").standing
    assert Standing.UNSUPPORTED is _one((0, 0, 30), small_rule="consent").standing
    assert Standing.FEW_VOTES is _one((14, 0, 0), small_rule="consent").standing


@pytest.mark.parametrize(
    ("roll", "percent", "quorum"),
    [(1, 50, 1), (2, 50, 1), (3, 50, 2), (59, 50, 30), (59, 100, 59), (59, 0, 1), (59, 1, 1), (40, 33, 14), (1, 0, 1)],
)
def test_the_quorum_is_a_share_of_the_roll_rounded_up(roll: int, percent: int, quorum: int) -> None:
    by = _by(roll=roll, roll_percent=percent)

    assert quorum == by.quorum(0) == by.quorum(roll) == by.quorum(1_000)


@pytest.mark.parametrize(
    ("roll", "is_small"), [(0, False), (1, True), (2, True), (59, True), (60, False), (10**9, False)]
)
def test_a_community_is_small_below_sixty_people_on_its_roll(roll: int, is_small: bool) -> None:
    assert 60 == SMALL
    assert is_small is _by(roll=roll).is_small


def test_with_sixty_people_on_the_roll_bounds_count_and_exact_shares_do_not() -> None:
    """20 of 30 are two thirds, and the lower bound of 16 of 24 is below one half; 8 of 10 are too few of 59."""
    assert Standing.ELIGIBLE is _one((20, 10, 0), roll=59).standing
    assert Standing.UNSUPPORTED is _one((16, 8, 0), roll=60, supermajority=Fraction(1, 2)).standing
    assert Standing.FEW_VOTES is _one((8, 2, 0), roll=59).standing
    assert Standing.ELIGIBLE is _one((8, 2, 0), roll=60).standing
    assert 10 == _by(roll=60).quorum(60)


# Very small


@pytest.mark.parametrize("rule", SMALL_RULES)
@pytest.mark.parametrize(("vote", "standing"), [((1, 0, 0), "eligible"), ((0, 1, 0), "not enough support")])
def test_one_person_decides_alone(rule: str, vote: Counts, standing: str) -> None:
    assert standing == _one(vote, roll=1, small_rule=rule).standing


def test_of_two_people_one_against_one_is_not_enough() -> None:
    assert Standing.UNSUPPORTED is _one((1, 1, 0), roll=2).standing
    assert Standing.ELIGIBLE is _one((1, 0, 1), roll=2).standing
    assert Standing.ELIGIBLE is _one((1, 1, 0), roll=2, supermajority=Fraction(1, 2)).standing


@pytest.mark.parametrize("n", [1, 2, 59])
def test_all_who_agree_with_everything_get_all_of_it(n: int) -> None:
    votes = people([(n, says(1, 2, no=[3]))])
    found = select(votes, [], frozenset(), [], _by(roll=n))

    assert "A" == found.grade
    assert [1, 2] == [each.candidate for each in found.elected]
    assert Standing.UNSUPPORTED is found.judged[3].standing
    assert ((), ()) == (found.put_to_vote, found.clauses)


# Groups


def test_groups_found_by_a_computer_contest_nothing() -> None:
    against = _group(20, (0, 20, 0))

    assert (Standing.ELIGIBLE, ()) == (_one((40, 20, 0), against, roll=59).standing, _one((40, 20, 0), against).against)
    assert Standing.CONTESTED is _one((70, 20, 0), against, roll=60).standing
    for rule in ("half", "disagreement"):
        assert Standing.ELIGIBLE is _one((40, 20, 0), against, group_rule=rule).standing


def test_declared_strata_may_block_where_ten_of_them_are_there() -> None:
    blocked = _one((40, 10, 0), _group(10, (0, 10, 0), may_block=True), roll=59)

    assert (Standing.BLOCKED, ("district: north",)) == (blocked.standing, blocked.against)
    assert Standing.ELIGIBLE is _one((40, 9, 0), _group(9, (0, 9, 0), may_block=True), roll=59).standing
    assert Standing.BLOCKED is _one((40, 9, 0), _group(9, (0, 9, 0), may_block=True), roll=59, group_least=5).standing


def test_the_margins_of_what_strata_block_are_about_them() -> None:
    found = _one((40, 10, 0), _group(10, (0, 10, 0), may_block=True), roll=59)

    assert found.admit_margin is not None
    for more in range(found.admit_margin + 3):
        again = _one((40 + more, 10, 0), _group(10 + more, (more, 10, 0), may_block=True), roll=59)

        assert (again.standing is Standing.ELIGIBLE) is (more >= found.admit_margin)


def test_no_resample_finds_a_group_against_it() -> None:
    votes = people([(20, says(1, 2)), (10, says(2, no=[1]))])
    counts = votes.counts(np.repeat(np.array([0, 1], np.int16), [20, 10]), 2)
    groups = [GroupCounts("A", 20, False, counts[0]), GroupCounts("B", 10, False, counts[1])]
    found = select(votes, groups, frozenset(), [], _by())

    assert {100} == {unopposed for _, unopposed in found.resampled.values()}
    assert {()} == {each.against for each in found.judged.values()}


# Margins, one ballot at a time


def _steps(total: Counts, kind: int, wanted: bool, by: Parameters) -> int | None:
    """Add ballots of a kind one by one until the statement is as eligible as wanted."""
    for more in range(MOST):
        changed = list(total)
        changed[kind] += more
        found = judge(np.array([changed]), [], np.array([False]), 0, by)[0]
        if (found.standing is Standing.ELIGIBLE) is wanted:
            return more
    return None


@given(
    st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(0, 20)),
    st.integers(1, 59),
    st.integers(0, 100),
    st.sampled_from(SMALL_RULES),
    st.sampled_from(["1/2", "2/3", "3/4", "5/6", "1/1"]),
)
def test_margins_are_what_adding_ballots_one_by_one_finds(
    total: Counts, roll: int, percent: int, rule: str, share: str
) -> None:
    by = _by(roll=roll, roll_percent=percent, small_rule=rule, supermajority=Fraction(share))
    found = judge(np.array([total]), [], np.array([False]), 0, by)[0]
    is_in = found.standing is Standing.ELIGIBLE

    assert _steps(total, 0, True, by) == found.admit_margin
    assert (_steps(total, 1, False, by) if is_in else 0) == found.block_margin


@given(st.integers(0, 59), st.integers(0, 59), st.fractions(Fraction(1, 2), 1, max_denominator=99))
def test_a_supermajority_is_a_share_of_those_who_agree_or_disagree(yes: int, no: int, share: Fraction) -> None:
    found = _one((yes, no, 0), roll=1, supermajority=share)

    assert (yes > 0 and Fraction(yes, yes + no) >= share) is (found.standing is Standing.ELIGIBLE)


def test_where_nobody_may_disagree_no_ballots_can_undo_that_somebody_does() -> None:
    rejected = _one((29, 1, 0), small_rule="consent")

    assert (None, 0) == (rejected.admit_margin, rejected.block_margin)
    assert 1 == _one((29, 0, 0), small_rule="consent").block_margin
