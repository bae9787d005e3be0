"""The core certificate: no false one, each true in exact numbers, and refused where an outcome is not proportional."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given

from auzolan.core.rules.approvals import Approvals, approvals_of
from auzolan.core.rules.core_certificate import ONE, CoreCertificate, Entitled, find_core_certificate
from auzolan.core.rules.equal_shares import equal_shares
from auzolan.core.rules.phragmen import sequential_phragmen
from tests.core.rules.exact import (
    Ballots,
    ballots_of,
    blocking,
    certificate_holds,
    elections,
    profile_of,
    random_ballots,
)
from tests.core.rules.test_equal_shares import WELFARE
from tests.core.rules.test_proportional import PARTIES

INSTANCES = 1_000
ALL_INSTANCES = 10_000


def _outcomes(profile: Approvals, seats: int, source: np.random.Generator) -> Iterator[tuple[str, list[int]]]:
    """Yield outcomes of rules and others."""
    shares = equal_shares(profile, seats)
    more = sequential_phragmen(profile, seats, shares.winners, shares.left)
    yield "equal shares", shares.winners
    yield "completed", shares.winners + [each.candidate for each in more]
    yield "most approved", np.argsort(-profile.support, kind="stable")[:seats].tolist()
    yield "random", source.permutation(profile.n_candidates)[: source.integers(0, seats + 1)].tolist()
    yield "one swapped", [*shares.winners[1:], int(np.argmin(profile.support))] if shares.winners else []


def check_instances(n: int, chance: int) -> dict[str, list[int]]:
    """Check certificates against brute force; return per outcome how many are in the core, and how many certified."""
    source = np.random.default_rng(chance)
    found: dict[str, list[int]] = {}
    for _ in range(n):
        ballots, m = random_ballots(source)
        seats = int(source.integers(1, m + 1))
        profile = profile_of(ballots, m)
        for kind, outcome in _outcomes(profile, seats, source):
            winners = list(dict.fromkeys(outcome))
            certificate = find_core_certificate(profile, winners, seats)
            is_in_core = blocking(ballots, m, winners, seats) is None
            is_certified = isinstance(certificate, CoreCertificate)
            counts = found.setdefault(kind, [0, 0, 0])
            counts[0], counts[1], counts[2] = counts[0] + 1, counts[1] + is_in_core, counts[2] + is_certified
            if isinstance(certificate, CoreCertificate):
                multipliers = [Fraction(each, ONE) for each in certificate.multipliers]

                assert is_in_core, (ballots, winners, seats)
                assert certificate_holds(ballots, m, winners, seats, multipliers), (ballots, winners, seats)
    return found


def test_no_certificate_is_false_and_each_is_true_in_exact_numbers() -> None:
    counts = check_instances(INSTANCES, chance=1)

    assert all(certified > 0 for _, _, certified in counts.values())


@pytest.mark.slow
def test_no_certificate_is_false_in_thousands_of_instances() -> None:
    counts = check_instances(ALL_INSTANCES, chance=2)

    assert 5 * [ALL_INSTANCES] == [all_of for all_of, _, _ in counts.values()]


@given(elections())
def test_no_certificate_is_false_for_the_first_candidates(election: tuple[Ballots, int, int]) -> None:
    ballots, m, seats = election
    winners = list(range(min(m, seats)))
    found = find_core_certificate(profile_of(ballots, m), winners, seats)

    assert isinstance(found, Entitled) or blocking(ballots, m, winners, seats) is None


# Literature


def test_the_welfare_outcome_of_peters_and_skowron_gets_no_certificate() -> None:
    """Their figure 1: PAV gives each of the six three seats, though half of them are due six of twelve."""
    found = find_core_certificate(profile_of(WELFARE, 15), [0, 1, 2, *range(6, 15)], 12)

    assert isinstance(found, Entitled)
    assert found.candidate in {3, 4, 5}
    assert found.reach >= 1


def test_equal_shares_gets_a_certificate_where_welfare_does_not() -> None:
    profile = profile_of(WELFARE, 15)
    found = find_core_certificate(profile, equal_shares(profile, 12).winners, 12)

    assert isinstance(found, CoreCertificate)
    assert 0 < found.margin <= 1


# Swaps


@pytest.mark.parametrize("seats", [3, 9])
def test_swapping_a_winner_for_one_that_nobody_wants_is_refused(seats: int) -> None:
    profile = profile_of(PARTIES, 7)
    winners = equal_shares(profile, seats).winners

    assert isinstance(find_core_certificate(profile, winners, seats), CoreCertificate)
    for position in range(len(winners)):
        swapped = [*winners[:position], *winners[position + 1 :], 6]
        found = find_core_certificate(profile, swapped, seats)

        assert isinstance(found, Entitled)
        assert found.candidate != 6


def test_a_large_party_that_takes_all_seats_is_refused_and_the_small_one_named() -> None:
    found = find_core_certificate(profile_of(PARTIES, 6), [0, 1, 2], 3)

    assert Entitled(3, Fraction(1)) == found


# What a certificate says


def test_the_strongest_excluded_candidate_is_named_with_its_reach() -> None:
    found = find_core_certificate(profile_of(PARTIES, 6), [0, 1, 3], 3)

    assert isinstance(found, CoreCertificate)
    assert 2 == found.strongest
    # Six voters approve of two winners each: with q = 3, λ * 6 / (1 + 2 λ) <= 3 allows λ = 1, and r is 1/3.
    assert (ONE, ONE, ONE) == found.multipliers
    assert Fraction(2, 3) <= found.reach < Fraction(2, 3) + Fraction(1, 2**20)
    assert 1 - found.reach == found.margin


def test_each_condition_holds_tightly_or_the_multiplier_is_one() -> None:
    """Two winners of four voters each, and q = 1: λ * 4 / (1 + λ) = 1 at λ = 1/3."""
    ballots = ballots_of((4, "a"), (4, "b"))
    found = find_core_certificate(profile_of(ballots, 2), [0, 1], 8)

    assert isinstance(found, CoreCertificate)
    assert all(abs(Fraction(each, ONE) - Fraction(1, 3)) <= Fraction(2, ONE) for each in found.multipliers)


def test_nobody_is_strongest_where_everybody_was_elected() -> None:
    found = find_core_certificate(profile_of(PARTIES, 6), range(6), 6)

    assert isinstance(found, CoreCertificate)
    assert (None, Fraction(0), Fraction(1)) == (found.strongest, found.reach, found.margin)


def test_no_winners_are_certified_only_if_nobody_reaches_a_seat() -> None:
    small = find_core_certificate(profile_of(ballots_of((1, "a"), (2, "")), 1), [], 2)
    large = find_core_certificate(profile_of(ballots_of((2, "a"), (2, "")), 1), [], 2)

    assert CoreCertificate((), 0, Fraction(2, 3)) == small
    assert Entitled(0, Fraction(1)) == large


def test_a_winner_that_nobody_approves_of_does_no_harm() -> None:
    found = find_core_certificate(profile_of(ballots_of((1, "a")), 2), [0, 1], 2)

    assert isinstance(found, CoreCertificate)
    assert ONE == found.multipliers[1]


def test_candidates_set_aside_make_no_claim() -> None:
    profile = profile_of(PARTIES, 6)
    found = find_core_certificate(profile, [0, 1, 2], 3, aside=[3, 4, 5])

    assert isinstance(found, CoreCertificate)
    assert found.strongest is None


@given(elections())
def test_the_order_of_voters_does_not_matter(election: tuple[Ballots, int, int]) -> None:
    ballots, m, seats = election
    winners = list(range(min(m, seats) // 2))

    assert find_core_certificate(profile_of(ballots, m), winners, seats) == find_core_certificate(
        profile_of(ballots[::-1], m), winners, seats
    )


@given(elections())
def test_the_order_of_winners_only_orders_the_multipliers(election: tuple[Ballots, int, int]) -> None:
    ballots, m, seats = election
    winners = list(range(min(m, seats)))
    profile = profile_of(ballots, m)
    one, other = (find_core_certificate(profile, each, seats) for each in (winners, winners[::-1]))

    if isinstance(one, CoreCertificate):
        assert isinstance(other, CoreCertificate)
        assert one.multipliers == other.multipliers[::-1]
        assert (one.strongest, one.reach) == (other.strongest, other.reach)
    else:
        assert one == other


@pytest.mark.parametrize(("voters", "seats"), [(0, 1), (1, 0)])
def test_no_seats_or_no_voters_are_refused(voters: int, seats: int) -> None:
    with pytest.raises(ValueError, match="at least one seat and one voter"):
        find_core_certificate(approvals_of(voters, [], 1), [], seats)


def test_a_million_voters_and_fifty_seats_stay_within_64_bits() -> None:
    """All approve of one winner and of one that was not elected; 49 winners have a block of voters each."""
    n, seats = 2**20, 50
    everybody, block = np.arange(n, dtype=np.int32), n // 64
    sizes = [n, *[block] * 49, n]
    starts = np.append(0, np.cumsum(sizes)).astype(np.int64)
    profile = Approvals(n, starts, np.concatenate([everybody, everybody[: 49 * block], everybody]))
    found = find_core_certificate(profile, range(seats), seats)

    assert isinstance(found, Entitled)
    assert 50 == found.candidate
    # The common winner's multiplier is about 1/49; 15 of 64 voters have no other winner, and the rest one more.
    assert 30 < found.reach < 50
