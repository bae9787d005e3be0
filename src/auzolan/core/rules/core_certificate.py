"""A certificate that no group of voters could do better on its own with its share of the seats (the core).

One multiplier λ in [0, 1] per winner. Let q = voters / seats, let Λ be the sum
of the multipliers of the winners whom a voter approves of, and r = 1 / (1 + Λ).
If (a) for each winner, λ times the sum of r over its supporters is at most q,
and (b) for each other candidate the sum of r over its supporters is below q,
then the outcome is in the core.

Proof. Suppose that a group S with |S| >= q |T| prefers the set T: each of them
approves of at least one more in T than among the winners W. Charge each voter
in S, for each candidate of T that they approve of, λ r if it is a winner and r
if not. Of the u winners that a voter approves of let a be in T; then at least
1 + u - a of those approved of in T are not winners, each charged r >= λ r. So
the voter is charged at least the sum of λ r over their winners, plus r, which
is (Λ + 1) r = 1. All of S are charged at least |S| >= q |T|. But by (a) and (b)
the charges are below q |T|, as T has a candidate that is not a winner. ∎

It holds for any outcome, however it was found, among the candidates and the
votes that it was made for. It is sufficient and not necessary: that none was
found says little. That one always exists for some outcome was shown by Becker,
Greger & Peters (2026, arXiv:2609.11912).

Multipliers are integers in 2**-20. r is rounded up, to 2**-30, so that what
passes in integers holds in exact numbers as well.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from auzolan.core.rules.approvals import Approvals

ONE = 2**20
FINE = 2**30
_ROUNDS = 200


@dataclass(frozen=True)
class CoreCertificate:
    """Multipliers that prove an outcome to be in the core.

    Attributes:
        multipliers: per winner, in their order, integers in 2**-20.
        strongest: the excluded candidate whose supporters come closest to a seat of their own, or None.
        reach: what part of a seat they reach, below 1 (rounded up).
    """

    multipliers: tuple[int, ...]
    strongest: int | None
    reach: Fraction

    @property
    def margin(self) -> Fraction:
        """How much a seat the strongest excluded candidate is short of."""
        return 1 - self.reach


@dataclass(frozen=True)
class Entitled:
    """A candidate whose supporters may be entitled to a seat that they did not get: no certificate was found."""

    candidate: int
    reach: Fraction


def find_core_certificate(
    profile: Approvals, winners: Sequence[int], seats: int, aside: Collection[int] = ()
) -> CoreCertificate | Entitled:
    """Look for multipliers by fixed point from below.

    Larger multipliers make r smaller, which allows larger ones by (a): each round's stay within (a), and (b) only
    gets better. Ends when nothing grows any more, or after `_ROUNDS`.

    Args:
        profile: who approves whom.
        winners: candidates elected, in order.
        seats: how many there could be.
        aside: candidates that may make no claim, such as those in conflict with a winner.

    Returns:
        A certificate, or who stands in the way of one.

    Raises:
        ValueError: no seats or no voters.
    """
    if seats < 1 or profile.n_voters < 1:
        raise ValueError("expected at least one seat and one voter")
    multipliers = [0] * len(winners)
    for _ in range(_ROUNDS):
        rest = rests(profile, winners, multipliers)
        totals = [int(rest[profile.supporters(winner)].sum()) for winner in winners]
        grown = [min(ONE, profile.n_voters * FINE * ONE // (seats * total)) if total else ONE for total in totals]
        if grown == multipliers:
            break
        multipliers = grown
    return _judged(profile, winners, multipliers, seats, frozenset(aside))


def _judged(
    profile: Approvals, winners: Sequence[int], multipliers: list[int], seats: int, aside: frozenset[int]
) -> CoreCertificate | Entitled:
    """Return the certificate if (b) holds, else the candidate for which it does not."""
    rest = rests(profile, winners, multipliers)
    passed = frozenset(winners) | aside
    strongest, most = None, 0
    for candidate in range(profile.n_candidates):
        total = 0 if candidate in passed else int(rest[profile.supporters(candidate)].sum())
        if total > most:
            strongest, most = candidate, total
    reach = Fraction(most * seats, profile.n_voters * FINE)
    if reach < 1:
        return CoreCertificate(tuple(multipliers), strongest, reach)
    assert strongest is not None, "nobody reaches a seat with a sum of zero"
    return Entitled(strongest, reach)


def rests(profile: Approvals, winners: Sequence[int], multipliers: Sequence[int]) -> NDArray[np.int64]:
    """Return r of each voter in 2**-30, rounded up."""
    weight = np.full(profile.n_voters, ONE, dtype=np.int64)
    for winner, multiplier in zip(winners, multipliers, strict=True):
        weight[profile.supporters(winner)] += multiplier
    rests: NDArray[np.int64] = -(-(ONE * FINE) // weight)
    return rests
