"""How far an outcome is from leaving a group without what it is entitled to.

EJR+ (Brill & Peters, EC 2023, arXiv:2302.01989, definition 4): if a group of
ℓ/k of the voters all approve of a candidate that was not elected, one of them
approves of at least ℓ of those that were.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from auzolan.core.rules.approvals import Approvals


@dataclass(frozen=True)
class Entitlement:
    """The unelected candidate whose supporters come closest to being entitled to more.

    Attributes:
        candidate: number, or None where everybody was elected.
        level: ℓ, how many winners each of them would be entitled to.
        ratio: how many of its supporters have fewer than ℓ winners, as a part of ℓ/k of the voters.
            Below 1 for all candidates, EJR+ holds.
    """

    candidate: int | None
    level: int
    ratio: Fraction


def ejr_plus(profile: Approvals, winners: Sequence[int], seats: int, aside: Collection[int] = ()) -> Entitlement:
    """Return the strongest claim against an outcome; EJR+ holds if its ratio is below 1.

    Args:
        profile: who approves whom.
        winners: candidates elected.
        seats: k, how many there could be.
        aside: candidates that may make no claim.

    Raises:
        ValueError: no seats or no voters.
    """
    if seats < 1 or profile.n_voters < 1:
        raise ValueError("expected at least one seat and one voter")
    has = profile.approved_among(winners)
    worst = Entitlement(None, 1, Fraction(0))
    passed = frozenset(winners) | frozenset(aside)
    for candidate in range(profile.n_candidates):
        if candidate in passed:
            continue
        below = np.cumsum(np.bincount(has[profile.supporters(candidate)], minlength=seats)[:seats]).tolist()
        for level, poor in enumerate(below, 1):
            ratio = Fraction(poor * seats, level * profile.n_voters)
            if ratio > worst.ratio or worst.candidate is None:
                worst = Entitlement(candidate, level, ratio)
    return worst
