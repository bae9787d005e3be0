"""EJR+: literature examples, and the ratio against a check of the definition by brute force."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given

from auzolan.core.rules.equal_shares import equal_shares
from auzolan.core.rules.proportional import Entitlement, ejr_plus
from tests.core.rules.exact import Ballots, ballots_of, ejr_plus_violation, elections, profile_of, random_ballots

# Two parties, six voters to three, and three candidates each.
PARTIES = ballots_of((6, "abc"), (3, "def"))


def test_approval_voting_leaves_a_single_voter_without_a_seat() -> None:
    """Aziz et al. 2017, "Justified Representation in Approval-Based Committee Voting", theorem 3."""
    ballots = ballots_of((1, "a"), (2, "bcd"))

    assert Entitlement(0, 1, Fraction(1)) == ejr_plus(profile_of(ballots, 4), [1, 2, 3], 3)


def test_a_group_that_shares_one_candidate_only_is_entitled_by_what_it_has_elsewhere() -> None:
    """EJR asks for as many shared candidates as seats; EJR+ does not (Brill & Peters 2023)."""
    ballots = ballots_of((1, "ab"), (1, "ac"), (2, ""))
    claim = ejr_plus(profile_of(ballots, 4), [1, 2], 4)

    assert Entitlement(0, 2, Fraction(1)) == claim


def test_the_best_that_a_group_can_still_claim_is_named() -> None:
    claim = ejr_plus(profile_of(PARTIES, 6), [0, 1, 3], 3)

    assert Entitlement(2, 3, Fraction(2, 3)) == claim


@pytest.mark.parametrize(("weaker", "seats"), [(6, 3), (6, 9)])
def test_swapping_a_winner_for_one_that_nobody_wants_is_refused(weaker: int, seats: int) -> None:
    profile = profile_of(PARTIES, 7)
    winners = equal_shares(profile, seats).winners

    assert ejr_plus(profile, winners, seats).ratio < 1
    for position in range(len(winners)):
        swapped = [*winners[:position], *winners[position + 1 :], weaker]

        assert ejr_plus(profile, swapped, seats).ratio >= 1


def _agrees(ballots: Ballots, m: int, winners: list[int], seats: int) -> bool:
    claim = ejr_plus(profile_of(ballots, m), winners, seats)
    return (claim.ratio >= 1) == (ejr_plus_violation(ballots, m, winners, seats) is not None)


@given(elections())
def test_the_ratio_reaches_one_where_the_definition_is_violated(election: tuple[Ballots, int, int]) -> None:
    ballots, m, seats = election

    assert _agrees(ballots, m, list(range(min(m, seats))), seats)


def test_the_ratio_reaches_one_where_random_outcomes_violate_the_definition() -> None:
    source = np.random.default_rng(1)
    for _ in range(400):
        ballots, m = random_ballots(source)
        seats = int(source.integers(1, m + 1))
        winners = source.choice(m, size=int(source.integers(0, seats + 1)), replace=False).tolist()

        assert _agrees(ballots, m, winners, seats)


def test_the_claim_is_the_largest_of_all() -> None:
    source = np.random.default_rng(2)
    for _ in range(200):
        ballots, m = random_ballots(source)
        seats = int(source.integers(1, m + 1))
        winners = source.choice(m, size=seats, replace=False).tolist()
        claim = ejr_plus(profile_of(ballots, m), winners, seats)
        ratios = [
            Fraction(
                sum(c in ballot and len(ballot & set(winners)) < level for ballot in ballots) * seats,
                level * len(ballots),
            )
            for c in set(range(m)) - set(winners)
            for level in range(1, seats + 1)
        ]

        assert max(ratios, default=0) == claim.ratio


@given(elections())
def test_the_order_of_voters_does_not_matter(election: tuple[Ballots, int, int]) -> None:
    ballots, m, seats = election
    winners = list(range(min(m, seats) // 2))
    claims = [ejr_plus(profile_of(each, m), winners, seats) for each in (ballots, ballots[::-1])]

    assert claims[0] == claims[1]


def test_of_equal_claims_the_lower_number_is_named() -> None:
    assert 1 == ejr_plus(profile_of(PARTIES, 6), [0, 3], 2).candidate


def test_candidates_set_aside_make_no_claim() -> None:
    profile = profile_of(ballots_of((1, "a"), (1, "b")), 2)

    assert Entitlement(1, 1, Fraction(1)) == ejr_plus(profile, [0], 2)
    assert Entitlement(None, 1, Fraction(0)) == ejr_plus(profile, [0], 2, aside=[1])


def test_nobody_has_a_claim_where_everybody_was_elected() -> None:
    assert Entitlement(None, 1, Fraction(0)) == ejr_plus(profile_of(PARTIES, 6), range(6), 6)
