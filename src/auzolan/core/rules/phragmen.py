"""Sequential Phragmén, to fill seats that equal shares left empty (Phragmén 1894; Janson 2016, arXiv:1611.08826).

Money flows to all voters at the same speed; as soon as the supporters of a
candidate own the price of a seat together, it is elected and they pay. Starts
from the money that voters have left, as in the completion of Peters & Skowron
(2020, section 3.3).

Different from the literature: money is whole units, as in `equal_shares`; when
its supporters pay, a candidate takes all they have, which is its price but for
less than a unit per supporter, so that an exact tie may be decided by a unit
instead of the number.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from auzolan.core.rules.approvals import Approvals
from auzolan.core.rules.equal_shares import BY_PHRAGMEN, UNIT, Elected


def sequential_phragmen(
    profile: Approvals, seats: int, taken: Collection[int] = (), money: NDArray[np.int64] | None = None
) -> list[Elected]:
    """Elect candidates for the seats that are still empty; ties go to the lower number.

    Args:
        profile: who approves whom.
        seats: in all, those taken included.
        taken: candidates that have a seat.
        money: (voters,) int64, what each owns at the start, in units; none by default.

    Raises:
        ValueError: no seats or no voters.
    """
    if seats < 1 or profile.n_voters < 1:
        raise ValueError("expected at least one seat and one voter")
    price = profile.n_voters * UNIT
    # What a voter owns at time t is t + owned: only the difference to the common flow is kept.
    owned = np.zeros(profile.n_voters, dtype=np.int64) if money is None else money.copy()
    gone, now = frozenset(taken), Fraction(0)
    elected: list[Elected] = []
    waiting = [
        (_when(owned[profile.supporters(candidate)], price, now), candidate)
        for candidate, support in enumerate(profile.support.tolist())
        if support and candidate not in gone
    ]
    heapq.heapify(waiting)
    while waiting and len(gone) + len(elected) < seats:
        _, candidate = heapq.heappop(waiting)
        supporters = profile.supporters(candidate)
        when = _when(owned[supporters], price, now)
        if waiting and (when, candidate) > waiting[0]:
            heapq.heappush(waiting, (when, candidate))
            continue
        now = when
        owned[supporters] = -(now.numerator // now.denominator)
        elected.append(Elected(candidate, BY_PHRAGMEN, now / UNIT))
    return elected


def _when(owned: NDArray[np.int64], price: int, now: Fraction) -> Fraction:
    """Return when these voters own the price together, not before now."""
    return max(Fraction(price - int(owned.sum()), len(owned)), now)
