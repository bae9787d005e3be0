"""Sequential Phragmén: literature examples, the exact rule, and filling seats after equal shares."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given

from auzolan.core.rules.approvals import Approvals, approvals_of
from auzolan.core.rules.equal_shares import BY_PHRAGMEN, UNIT, equal_shares
from auzolan.core.rules.phragmen import sequential_phragmen
from tests.core.rules.exact import Ballots, elections, exact_phragmen, profile_of, random_ballots, same_up_to_ties
from tests.core.rules.test_equal_shares import LACKNER_SKOWRON, RUNNING


def _elected(ballots: Ballots, n_candidates: int, seats: int) -> tuple[list[int], list[Fraction]]:
    found = sequential_phragmen(profile_of(ballots, n_candidates), seats)
    return [each.candidate for each in found], [each.share / len(ballots) for each in found]


def test_lackner_and_skowron_example_2_9() -> None:
    winners, loads = _elected(RUNNING, 8, 4)
    expected = [Fraction(1, 8), Fraction(11, 32), Fraction(55, 128), Fraction(5, 8)]

    assert [0, 1, 2, 3] == winners
    assert all(abs(a - b) < Fraction(1, UNIT) for a, b in zip(expected, loads, strict=True))


def test_lackner_and_skowron_example_2_12_by_phragmen_alone() -> None:
    assert {1, 2, 3} == set(_elected(LACKNER_SKOWRON, 4, 3)[0])


def test_lackner_and_skowron_example_2_12_completes_equal_shares() -> None:
    profile = profile_of(LACKNER_SKOWRON, 4)
    before = equal_shares(profile, 3)
    added = sequential_phragmen(profile, 3, before.winners, before.left)

    assert [2, 0] == before.winners
    assert [(3, BY_PHRAGMEN)] == [(each.candidate, each.how) for each in added]
    assert abs(added[0].share / 8 - Fraction(1, 40)) < Fraction(1, UNIT)


def test_the_running_example_completes_equal_shares_to_four() -> None:
    profile = profile_of(RUNNING, 8)
    before = equal_shares(profile, 4)

    assert {0, 1, 2, 3} == {0, *(each.candidate for each in sequential_phragmen(profile, 4, [0], before.left))}


def test_winners_are_those_of_the_exact_rule() -> None:
    source = np.random.default_rng(1)
    for _ in range(300):
        ballots, m = random_ballots(source)
        seats = int(source.integers(1, m + 2))

        assert same_up_to_ties(exact_phragmen(ballots, m, seats), *_elected(ballots, m, seats))


def test_seats_are_filled_from_the_money_left_as_by_the_exact_rule() -> None:
    source = np.random.default_rng(2)
    for _ in range(300):
        ballots, m = random_ballots(source)
        seats = int(source.integers(1, m + 2))
        profile = profile_of(ballots, m)
        before = equal_shares(profile, seats)
        found = sequential_phragmen(profile, seats, before.winners, before.left)
        spare = [Fraction(int(each), UNIT * len(ballots)) for each in before.left]
        expected = exact_phragmen(ballots, m, seats, before.winners, spare)

        assert same_up_to_ties(
            expected, [each.candidate for each in found], [each.share / len(ballots) for each in found]
        )


@given(elections())
def test_all_seats_are_filled_while_somebody_approves_of_somebody(election: tuple[Ballots, int, int]) -> None:
    ballots, m, seats = election
    winners, _ = _elected(ballots, m, seats)

    assert min(seats, len(frozenset().union(*ballots))) == len(winners)
    assert len(set(winners)) == len(winners)


@given(elections())
def test_time_never_runs_backwards(election: tuple[Ballots, int, int]) -> None:
    ballots, m, seats = election
    profile = profile_of(ballots, m)
    before = equal_shares(profile, seats)
    times = [each.share for each in sequential_phragmen(profile, seats, before.winners, before.left)]

    assert sorted(times) == times
    assert all(time >= 0 for time in times)


@given(elections())
def test_the_order_of_voters_does_not_matter(election: tuple[Ballots, int, int]) -> None:
    ballots, m, seats = election

    assert _elected(ballots, m, seats) == _elected(ballots[::-1], m, seats)


@given(elections())
def test_money_that_voters_had_is_left_as_it_was(election: tuple[Ballots, int, int]) -> None:
    ballots, m, seats = election
    money = np.arange(len(ballots), dtype=np.int64)
    sequential_phragmen(profile_of(ballots, m), seats, (), money)

    assert list(range(len(ballots))) == money.tolist()


def test_a_tie_goes_to_the_lower_number() -> None:
    assert [0, 1] == _elected((frozenset({0}), frozenset({1}), frozenset({2})), 3, 2)[0]


def test_those_who_own_a_seats_price_from_the_start_are_elected_at_once_by_number() -> None:
    profile = profile_of((frozenset({0}), frozenset({1})), 2)
    found = sequential_phragmen(profile, 2, (), np.array([3 * UNIT, 5 * UNIT]))

    assert [(0, Fraction(0)), (1, Fraction(0))] == [(each.candidate, each.share) for each in found]


def test_nobody_is_elected_twice_and_full_seats_stay_full() -> None:
    profile = profile_of((frozenset({0, 1}),), 2)

    assert [1] == [each.candidate for each in sequential_phragmen(profile, 2, [0])]
    assert [] == sequential_phragmen(profile, 1, [0])


@pytest.mark.parametrize(("voters", "seats"), [(0, 1), (1, 0)])
def test_no_seats_or_no_voters_are_refused(voters: int, seats: int) -> None:
    with pytest.raises(ValueError, match="at least one seat and one voter"):
        sequential_phragmen(approvals_of(voters, [], 1), seats)


def test_a_million_voters_and_late_seats_stay_within_64_bits() -> None:
    """One voter pays for 49 candidates alone, at times up to 49 times the money of all."""
    n, seats = 2**20, 50
    starts = np.append(0, n + np.arange(50)).astype(np.int64)
    voters = np.append(np.arange(n), np.zeros(49)).astype(np.int32)
    found = sequential_phragmen(Approvals(n, starts, voters), seats)

    assert list(range(50)) == [each.candidate for each in found]
    assert 1 == found[0].share
    assert [1 + n * number for number in range(1, 50)] == [each.share for each in found[1:]]
