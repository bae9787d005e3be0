"""Whether a source of Polis data writes agree as +1 or as -1, told from what else it says.

Exports write agree as +1, Polis' own database as -1; files of both kinds are
in circulation and look alike. A wrong guess turns every result around, so the
sign is taken from counts that the source gives in words (agree, disagree), and
all of them must fit. Where a source gives none, +1 is taken and that is said.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from auzolan.core.record.errors import MalformedError

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
    """Return the sign that fits all comparisons, or None where both do.

    Args:
        comparisons: one for each participant, statement, or group and statement.
        unit: what there is one of for each, in the plural.
        columns: where the source states agree and disagree.

    Raises:
        MalformedError: neither sign fits all.
    """
    n = plus = minus = 0
    for item in comparisons:
        n += 1
        plus += (item.plus, item.minus) == (item.agree, item.disagree)
        minus += (item.minus, item.plus) == (item.agree, item.disagree)
    if plus == minus == n:
        return None
    if n in (plus, minus):
        agree = 1 if plus == n else -1
        return Sign(agree, f"{agree:+d} = agree: so counted, the votes equal {columns} for all {n:,} {unit}")
    raise MalformedError(
        f"it cannot be told whether agree is +1 or -1: of {n:,} {unit}, the votes equal {columns} for {plus:,} "
        f"with +1 as agree and for {minus:,} with -1 as agree, expected all of them with one of the two"
    )
