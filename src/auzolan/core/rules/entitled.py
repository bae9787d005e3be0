"""Views that are entitled to be heard: groups of voters whom an outcome gives too little.

With q = voters / seats and, as in `core_certificate`, r = 1 / (1 + the sum of
the multipliers of the winners whom a voter approves of): a candidate whose
supporters' r add up to q or more has a claim to a seat that the outcome does
not meet. Such candidates may be kept out for other reasons, such as that most
people do not agree; this says who should be heard all the same.

Strongest first; being heard uses up one seat of what its supporters have left,
in proportion, so that a group is heard as often as it has seats' worth of r: a
group of l/k of the voters without any winner l times, however much it agrees
on. This greedy order is our own.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from auzolan.core.rules.approvals import Approvals
from auzolan.core.rules.core_certificate import FINE, ONE, rests


class Claim(NamedTuple):
    """A candidate, and what part of a seat its supporters reach, 1 or more (rounded up)."""

    candidate: int
    reach: Fraction


def entitled(
    profile: Approvals, winners: Sequence[int], multipliers: Sequence[int], seats: int, candidates: Sequence[int]
) -> list[Claim]:
    """Return the candidates that are entitled to be heard, strongest first, at most as many as there are seats.

    Args:
        profile: who approves whom.
        winners: candidates that were elected.
        multipliers: of the winners' certificate, in 2**-20; zeros where there is none.
        seats: how many there could be.
        candidates: those that may be heard; ties go to the lower number.

    Raises:
        ValueError: no seats or no voters.
    """
    if seats < 1 or profile.n_voters < 1:
        raise ValueError("expected at least one seat and one voter")
    rest, waiting, found = rests(profile, winners, multipliers), sorted(candidates), list[Claim]()
    while waiting and len(found) < seats:
        totals = {each: int(rest[profile.supporters(each)].sum()) for each in waiting}
        best = max(waiting, key=lambda each: (totals[each], -each))
        if totals[best] * seats < profile.n_voters * FINE:
            break
        found.append(Claim(best, Fraction(totals[best] * seats, profile.n_voters * FINE)))
        waiting.remove(best)
        used = profile.n_voters * FINE * ONE // (seats * totals[best])  # the part of it that is a seat, in 2**-20
        supporters = profile.supporters(best)
        rest[supporters] -= rest[supporters] * used // ONE
    return found
