"""The Method of Equal Shares, in integer money (Peters & Skowron 2020, arXiv:1911.11747).

Each voter starts with an equal share of the money for all seats. A candidate
costs one seat's money, paid by its supporters in equal parts as far as they
can; the one that asks least of those who pay most is elected, and so on until
nobody left can be paid for. A group of ℓ/k of the voters who agree gets ℓ seats.

Different from the paper: money is whole units, a seat costs voters * 2**20 and a
voter starts with seats * 2**20; each payer pays the share rounded down, so a
seat may cost up to a unit per payer too little. (Rounded up, a group of exactly
ℓ/k of the voters could be some units short of its last seat.) Shares are compared
as exact fractions, but of rounded money, so that a tie between shares that were
equal in the paper's exact numbers may be decided by a unit instead of the number.
The rule may leave seats empty; `sequential_phragmen` can complete it.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from auzolan.core.rules.approvals import Approvals

UNIT = 2**20
BY_SHARES, BY_PHRAGMEN = "equal-shares", "phragmen"


@dataclass(frozen=True)
class Elected:
    """One winner.

    Attributes:
        candidate: number.
        how: `BY_SHARES`, or `BY_PHRAGMEN` for one that fills a seat left empty.
        share: what the best-off payer pays, as a fraction of one seat's equal share; for Phragmén the time.
    """

    candidate: int
    how: str
    share: Fraction


@dataclass(frozen=True, eq=False)
class Outcome:
    """Who was elected, in order, and what money is left: (voters,) int64 in units."""

    elected: tuple[Elected, ...]
    left: NDArray[np.int64]

    @property
    def winners(self) -> list[int]:
        """Candidates in the order of their election."""
        return [each.candidate for each in self.elected]


def equal_shares(profile: Approvals, seats: int) -> Outcome:
    """Elect at most `seats` candidates; ties go to the lower number.

    Raises:
        ValueError: no seats or no voters.
    """
    if seats < 1 or profile.n_voters < 1:
        raise ValueError("expected at least one seat and one voter")
    price = profile.n_voters * UNIT
    left = np.full(profile.n_voters, seats * UNIT, dtype=np.int64)
    # A share never falls while money is spent, so an old one is a lower bound (lazy evaluation).
    waiting = [
        (Fraction(price, int(support)), candidate)
        for candidate, support in enumerate(profile.support.tolist())
        if support
    ]
    heapq.heapify(waiting)
    elected: list[Elected] = []
    while waiting and len(elected) < seats:
        _, candidate = heapq.heappop(waiting)
        share = _share(left[profile.supporters(candidate)], price)
        if share is None:
            continue
        if waiting and (share, candidate) > waiting[0]:
            heapq.heappush(waiting, (share, candidate))
            continue
        payers = profile.supporters(candidate)
        left[payers] = np.maximum(left[payers] - share.numerator // share.denominator, 0)
        elected.append(Elected(candidate, BY_SHARES, share / UNIT))
    return Outcome(tuple(elected), left)


def _share(money: NDArray[np.int64], price: int) -> Fraction | None:
    """Return the least share at which these voters can pay together, or None if they cannot."""
    if int(money.sum()) < price:
        return None
    poor, owed, payers = 0, price, len(money)
    while True:
        share = Fraction(owed, payers)
        # Whoever has less than the share pays all they have; the others share what then remains.
        is_poor = money < -(-share.numerator // share.denominator)
        count = int(is_poor.sum())
        if count == poor:
            return share
        poor = count
        owed, payers = price - int(money[is_poor].sum()), len(money) - count
