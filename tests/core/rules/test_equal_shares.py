"""Equal shares: literature examples, the exact rule, and what it guarantees."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from auzolan.core.rules.approvals import Approvals, approvals_of
from auzolan.core.rules.equal_shares import BY_SHARES, UNIT, equal_shares
from tests.core.rules.exact import (
    Ballots,
    ballots_of,
    ejr_plus_violation,
    elections,
    exact_equal_shares,
    profile_of,
    random_ballots,
    same_up_to_ties,
)

# Lackner & Skowron 2023, "Multi-Winner Voting with Approval Preferences" (arXiv:2007.01795), example 2.1.
RUNNING = ballots_of((3, "ab"), (3, "ac"), (2, "ad"), (1, "bcf"), (1, "e"), (1, "f"), (1, "g"))
# The same, example 2.12.
LACKNER_SKOWRON = ballots_of((3, "cd"), (2, "ab"), (2, "ac"), (1, "bd"))
# Peters & Skowron 2020 (arXiv:1911.11747), figure 1.
WELFARE = ballots_of((1, "abcd"), (1, "abce"), (1, "abcf"), (1, "ghi"), (1, "jkl"), (1, "mno"))
TIGHT = ballots_of((3, "abc"), (1, ""))  # three of four voters, entitled to exactly three seats of four


def _shares(ballots: Ballots, n_candidates: int, seats: int) -> tuple[list[int], list[Fraction]]:
    outcome = equal_shares(profile_of(ballots, n_candidates), seats)
    return outcome.winners, [each.share / len(ballots) for each in outcome.elected]


# Literature


def test_the_running_example_elects_a_and_then_runs_out_of_money() -> None:
    assert ([0], [Fraction(1, 8)]) == _shares(RUNNING, 8, 4)


def test_lackner_and_skowron_example_2_12() -> None:
    winners, shares = _shares(LACKNER_SKOWRON, 4, 3)

    assert [2, 0] == winners
    assert Fraction(1, 5) == shares[0]
    assert abs(shares[1] - Fraction(13, 40)) < Fraction(1, UNIT)


def test_lackner_and_skowron_example_2_12_leaves_the_budgets_of_the_book() -> None:
    left = equal_shares(profile_of(LACKNER_SKOWRON, 4), 3).left / (8 * UNIT)

    assert [7 / 40] * 3 + [1 / 20] * 2 + [0] * 2 + [3 / 8] == pytest.approx(left.tolist(), abs=1 / UNIT)


def test_peters_and_skowron_figure_1_gives_each_voter_a_sixth_of_the_seats_worth() -> None:
    winners, _ = _shares(WELFARE, 15, 12)

    assert {0, 1, 2, 3, 4, 5} <= set(winners)
    assert [2, 2, 2] == [len({*range(first, first + 3)} & set(winners)) for first in (6, 9, 12)]


# Guarantees


@pytest.mark.parametrize(("voters", "of", "seats"), [(3, 4, 4), (3, 5, 5), (5, 6, 6), (3, 7, 7), (3, 4, 8), (5, 9, 9)])
def test_a_group_of_exactly_its_quota_gets_all_its_seats(voters: int, of: int, seats: int) -> None:
    due = voters * seats // of
    profile = approvals_of(of, [list(range(due))] * voters, due)

    assert list(range(due)) == equal_shares(profile, seats).winners


@given(elections())
@example((TIGHT, 3, 4))
@settings(max_examples=400)
def test_nobody_is_left_without_what_ejr_plus_promises(election: tuple[Ballots, int, int]) -> None:
    ballots, m, seats = election
    winners = equal_shares(profile_of(ballots, m), seats).winners

    assert ejr_plus_violation(ballots, m, winners, seats) is None


def test_ejr_plus_holds_for_random_ballots_as_well() -> None:
    source = np.random.default_rng(1)
    for _ in range(400):
        ballots, m = random_ballots(source)
        seats = int(source.integers(1, m + 2))
        winners = equal_shares(profile_of(ballots, m), seats).winners

        assert ejr_plus_violation(ballots, m, winners, seats) is None


@given(elections())
def test_budgets_are_never_negative_and_seats_never_too_many(election: tuple[Ballots, int, int]) -> None:
    ballots, m, seats = election
    outcome = equal_shares(profile_of(ballots, m), seats)

    assert int(outcome.left.min()) >= 0
    assert len(outcome.winners) <= seats
    assert len(set(outcome.winners)) == len(outcome.winners)
    assert {BY_SHARES} >= {each.how for each in outcome.elected}


@given(elections())
def test_a_seat_costs_its_price_to_less_than_a_unit_per_voter(election: tuple[Ballots, int, int]) -> None:
    ballots, m, seats = election
    outcome = equal_shares(profile_of(ballots, m), seats)
    paid = len(ballots) * seats * UNIT - int(outcome.left.sum())
    price = len(ballots) * UNIT

    assert abs(paid - len(outcome.winners) * price) <= len(outcome.winners) * len(ballots)


@given(elections(), st.data())
def test_the_order_of_voters_does_not_matter(election: tuple[Ballots, int, int], data: st.DataObject) -> None:
    ballots, m, seats = election
    order = data.draw(st.permutations(range(len(ballots))))
    plain = equal_shares(profile_of(ballots, m), seats)
    mixed = equal_shares(profile_of(tuple(ballots[i] for i in order), m), seats)

    assert plain.elected == mixed.elected
    assert [int(plain.left[i]) for i in order] == mixed.left.tolist()


@given(elections())
def test_shares_never_fall(election: tuple[Ballots, int, int]) -> None:
    ballots, m, seats = election
    shares = [each.share for each in equal_shares(profile_of(ballots, m), seats).elected]

    assert sorted(shares) == shares


def test_a_tie_goes_to_the_lower_number() -> None:
    assert [0, 2] == equal_shares(profile_of(ballots_of((2, "ab"), (2, "cd")), 4), 2).winners
    assert [1, 2] == equal_shares(profile_of(ballots_of((2, "bc"), (2, "bca")), 3), 2).winners


def test_winners_are_those_of_the_exact_rule() -> None:
    source = np.random.default_rng(2)
    for _ in range(300):
        ballots, m = random_ballots(source)
        seats = int(source.integers(1, m + 2))

        assert same_up_to_ties(exact_equal_shares(ballots, m, seats), *_shares(ballots, m, seats))


# Edges


def test_more_seats_than_candidates_elects_all_that_anybody_approves_of() -> None:
    assert [0, 1] == equal_shares(profile_of(ballots_of((2, "ab"), (1, "a")), 3), 9).winners


def test_no_approvals_elect_nobody() -> None:
    outcome = equal_shares(approvals_of(3, [], 2), 2)

    assert [] == outcome.winners
    assert [2 * UNIT] * 3 == outcome.left.tolist()


@pytest.mark.parametrize(("voters", "seats"), [(0, 1), (1, 0), (1, -1)])
def test_no_seats_or_no_voters_are_refused(voters: int, seats: int) -> None:
    with pytest.raises(ValueError, match="at least one seat and one voter"):
        equal_shares(approvals_of(voters, [], 1), seats)


def test_a_million_voters_and_fifty_seats_stay_within_64_bits() -> None:
    n, seats = 2**20, 50
    everybody = np.arange(n, dtype=np.int32)
    starts = np.arange(61, dtype=np.int64) * n
    outcome = equal_shares(Approvals(n, starts, np.tile(everybody, 60)), seats)

    assert list(range(50)) == outcome.winners
    assert {1} == {each.share for each in outcome.elected}
    assert not outcome.left.any()


@pytest.mark.parametrize("ballot", [[2], [-1]])
def test_ballots_for_unknown_candidates_are_refused(ballot: list[int]) -> None:
    with pytest.raises(ValueError, match="known candidates"):
        approvals_of(1, [ballot], 2)


def test_more_ballots_than_voters_are_refused() -> None:
    with pytest.raises(ValueError, match="at most one ballot per voter"):
        approvals_of(1, [[0], [0]], 1)


def test_a_candidate_named_twice_on_a_ballot_counts_once() -> None:
    assert [1, 1] == approvals_of(2, [[0, 0], [1]], 2).support.tolist()
