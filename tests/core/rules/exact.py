"""The counting rules and what they promise, from their definitions: sets, fractions and brute force.

Shares no code with `auzolan.core.rules`; slow, and meant for a handful of voters.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from fractions import Fraction
from itertools import combinations
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from auzolan.core.rules.approvals import Approvals, approvals_of
from tests import strategies

assert strategies, "property tests are deterministic only with its profile"

Ballots = tuple[frozenset[int], ...]


def ballots_of(*groups: tuple[int, str]) -> Ballots:
    """Return so many ballots of each kind; candidates are letters, "a" is number 0."""
    return tuple(
        frozenset(ord(letter) - ord("a") for letter in approved) for many, approved in groups for _ in range(many)
    )


def profile_of(ballots: Ballots, n_candidates: int) -> Approvals:
    """Lay ballots out for the rules."""
    return approvals_of(len(ballots), [sorted(ballot) for ballot in ballots], n_candidates)


def random_ballots(source: np.random.Generator, most_voters: int = 9, most_candidates: int = 7) -> tuple[Ballots, int]:
    """Draw ballots, of a few parties or without any order, and how many candidates there are."""
    n, m = int(source.integers(1, most_voters + 1)), int(source.integers(1, most_candidates + 1))
    chance = source.choice([0.25, 0.5, 0.75])
    rows = source.random((n, m)) < chance
    if source.random() < 0.5:
        parties = source.random((int(source.integers(1, 4)), m)) < 0.5
        rows = parties[source.integers(0, len(parties), n)] ^ (source.random((n, m)) < 0.1)
    return tuple(frozenset(np.flatnonzero(row).tolist()) for row in rows), m


@st.composite
def elections(draw: st.DrawFn, most_voters: int = 9, most_candidates: int = 6) -> tuple[Ballots, int, int]:
    """Return ballots, how many candidates there are, and how many seats."""
    m = draw(st.integers(1, most_candidates))
    kinds = draw(st.lists(st.frozensets(st.integers(0, m - 1)), min_size=1, max_size=4))
    ballots = draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=most_voters))
    return tuple(ballots), m, draw(st.integers(1, most_candidates + 2))


class Step(NamedTuple):
    """One election: who, at which share or load, and who else asked as little."""

    winner: int
    value: Fraction
    tied: frozenset[int]


def _step(offers: Sequence[tuple[Fraction, int]]) -> Step:
    value, winner = min(offers)
    return Step(winner, value, frozenset(candidate for other, candidate in offers if other == value))


def same_up_to_ties(expected: Sequence[Step], winners: Sequence[int], values: Sequence[Fraction]) -> bool:
    """Say whether winners and their values are as expected, as far as an exact tie was not decided otherwise.

    Whole units of money split an exact tie now and then.
    """
    for step, winner, value in zip(expected, winners, values, strict=False):
        if abs(step.value - value) > Fraction(1, 10_000) or winner not in step.tied:
            return False
        if winner != step.winner:
            return True
    return len(expected) == len(winners)


def exact_equal_shares(ballots: Ballots, n_candidates: int, seats: int) -> list[Step]:
    """Elect, where a seat costs 1; the value is what the best-off payer pays (Peters & Skowron 2020)."""
    money = [Fraction(seats, len(ballots))] * len(ballots)
    steps: list[Step] = []
    while len(steps) < seats:
        offers = []
        for candidate in set(range(n_candidates)) - {step.winner for step in steps}:
            purses = sorted(money[i] for i, ballot in enumerate(ballots) if candidate in ballot)
            if sum(purses) >= 1:
                offers.append((_share(purses), candidate))
        if not offers:
            break
        step = _step(offers)
        money = [
            purse - min(purse, step.value) if step.winner in ballot else purse
            for purse, ballot in zip(money, ballots, strict=True)
        ]
        steps.append(step)
    return steps


def _share(purses: Sequence[Fraction]) -> Fraction:
    """Return the share at which ascending purses pay 1 together."""
    owed = Fraction(1)
    for position, purse in enumerate(purses):
        if purse * (len(purses) - position) >= owed:
            return owed / (len(purses) - position)
        owed -= purse
    raise AssertionError("they cannot pay")


def exact_phragmen(
    ballots: Ballots, n_candidates: int, seats: int, taken: Collection[int] = (), spare: Sequence[Fraction] = ()
) -> list[Step]:
    """Elect; the value is the largest load (Lackner & Skowron 2023), which starts below zero by what is spare."""
    loads = [-each for each in spare] if spare else [Fraction(0)] * len(ballots)
    steps: list[Step] = []
    while len(taken) + len(steps) < seats:
        offers = []
        for candidate in set(range(n_candidates)) - {step.winner for step in steps} - set(taken):
            carried = [loads[i] for i, ballot in enumerate(ballots) if candidate in ballot]
            if carried:
                offers.append((sum(carried, Fraction(1)) / len(carried), candidate))
        if not offers:
            break
        step = _step(offers)
        loads = [step.value if step.winner in ballot else load for load, ballot in zip(loads, ballots, strict=True)]
        steps.append(step)
    return steps


def ejr_plus_violation(
    ballots: Ballots, n_candidates: int, winners: Collection[int], seats: int
) -> tuple[int, int, tuple[int, ...]] | None:
    """Look for a candidate, a level and a group that EJR+ does not allow, by trying all groups just large enough."""
    chosen = frozenset(winners)
    for candidate in set(range(n_candidates)) - chosen:
        supporters = [i for i, ballot in enumerate(ballots) if candidate in ballot]
        for level in range(1, seats + 1):
            least = -(-level * len(ballots) // seats)
            for group in combinations(supporters, least):
                if all(len(ballots[i] & chosen) < level for i in group):
                    return candidate, level, group
    return None


def blocking(ballots: Ballots, n_candidates: int, winners: Collection[int], seats: int) -> frozenset[int] | None:
    """Look for a set of candidates with which a large enough group would leave, by trying all sets (the core)."""
    chosen = frozenset(winners)
    for size in range(1, min(seats, n_candidates) + 1):
        for members in combinations(range(n_candidates), size):
            wanted = frozenset(members)
            leavers = sum(len(ballot & wanted) > len(ballot & chosen) for ballot in ballots)
            if leavers * seats >= size * len(ballots):
                return wanted
    return None


def certificate_holds(
    ballots: Ballots, n_candidates: int, winners: Sequence[int], seats: int, multipliers: Sequence[Fraction]
) -> bool:
    """Check both conditions of a core certificate in exact fractions."""
    quota = Fraction(len(ballots), seats)
    of = dict(zip(winners, multipliers, strict=True))
    rest = [1 / (1 + sum((of[c] for c in ballot if c in of), Fraction(0))) for ballot in ballots]
    reach = [
        sum((r for r, ballot in zip(rest, ballots, strict=True) if c in ballot), Fraction(0))
        for c in range(n_candidates)
    ]
    within = all(0 <= value <= 1 and value * reach[winner] <= quota for winner, value in of.items())
    return within and all(reach[c] < quota for c in range(n_candidates) if c not in of)
