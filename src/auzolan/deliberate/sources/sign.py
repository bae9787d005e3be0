"""Whether a source of Polis data writes agree as +1 or as -1, told from what else it says.

Exports write agree as +1, Polis' own database as -1; files of both kinds are
in circulation and look alike. A wrong guess turns every result around, so the
sign is taken from counts that the source gives in words (agree, disagree).
All of them must fit one sign; or, as in an export taken while people vote, at
least `LEAST_FIT` percent of those that tell the signs apart, and none of them the
other sign; how many is said. Where a source gives none, +1 is taken and that is said.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from auzolan.core.record.errors import MalformedError

LEAST_FIT = 95  # percent
ASSUMED = "not stated by the source; taken as +1 = agree"


class Comparison(NamedTuple):
    """Votes that were counted, and what the source says they are.

    Attributes:
        plus: how many votes are +1.
        minus: how many are -1.
        agree: how many the source calls agree.
        disagree: how many it calls disagree.
    """

    plus: int
    minus: int
    agree: int
    disagree: int


@dataclass(frozen=True)
class Sign:
    """How agree is written, and how that is known.

    Attributes:
        agree: +1 or -1.
        evidence: in plain words.
    """

    agree: int
    evidence: str


def as_told(agree: int) -> Sign:
    """Return the sign that whoever imports has stated."""
    return Sign(agree, f"stated by whoever imported it: {agree:+d} = agree")


def sign_from(comparisons: Iterable[Comparison], unit: str, columns: str) -> Sign | None:
    """Return the sign that fits the comparisons, or None where both do.

    Args:
        comparisons: one for each participant, statement, or group and statement.
        unit: what there is one of for each, in the plural.
        columns: where the source states agree and disagree.

    Raises:
        MalformedError: neither sign fits well enough.
    """
    n = both = plus = minus = 0
    for item in comparisons:
        fits_plus = (item.plus, item.minus) == (item.agree, item.disagree)
        fits_minus = (item.minus, item.plus) == (item.agree, item.disagree)
        n += 1
        both += fits_plus and fits_minus
        plus += fits_plus and not fits_minus
        minus += fits_minus and not fits_plus
    telling, fitting, agree = n - both, max(plus, minus), 1 if plus > minus else -1
    if not telling:
        return None
    counted = f"{agree:+d} = agree: so counted, the votes equal {columns} for"
    if fitting == telling:
        return Sign(agree, f"{counted} all {n:,} {unit}")
    if not min(plus, minus) and fitting * 100 >= telling * LEAST_FIT:
        told = f"{fitting:,} of the {telling:,} {unit} that tell the signs apart, the others differ"
        return Sign(agree, f"{counted} {told}")
    raise MalformedError(
        f"it cannot be told whether agree is +1 or -1: of {n:,} {unit}, the votes equal {columns} for {plus + both:,} "
        f"with +1 as agree and for {minus + both:,} with -1 as agree, expected all or nearly all with one of the two "
        "and none with the other; whoever knows can say it with --agree-is"
    )
