"""Polis' statistics of a conversation, given its opinion groups, exactly as Polis computes them.

`polis-2024-10` (its `math/` of 2024-10-23): group-aware consensus, consensus,
representative statements. Re-implemented from the formulas and checked against
results that Polis servers published (tests/deliberate). Passes count as seen.

These are views: floats, printed and never signed; they follow from counts that are.
Not here: how groups are found. Different from other tools: "group-aware
consensus" has at least five formulas in use; values of one cannot be compared
with another's, nor across numbers of groups.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from auzolan.deliberate.votes import Labels, VoteTable

FORMULAS = "polis-2024-10"
SIGNIFICANT_90 = 1.2816
_MOST = 5

Kind = Literal["agree", "disagree"]


class VoteCount(NamedTuple):
    """Votes on one statement: how many agree, how many disagree, how many have seen it."""

    agree: int
    disagree: int
    seen: int


@dataclass(frozen=True)
class GroupVotes:
    """One group: its number, its size, its votes by statement."""

    number: int
    size: int
    votes: dict[int, VoteCount]


class Representative(NamedTuple):
    """A statement that sets a group apart.

    Attributes:
        statement: id.
        kind: whether the group agrees or disagrees with it more than others do.
        p: smoothed share of the group that does, (k + 1) / (seen + 2).
        z: test that this share is above one half.
        ratio: p over the same share among all other groups together.
        ratio_z: test that it is above theirs.
    """

    statement: int
    kind: Kind
    p: float
    z: float
    ratio: float
    ratio_z: float

    @property
    def rank(self) -> float:
        """What Polis sorts by."""
        return self.ratio * self.ratio_z * self.p * self.z


class Consensus(NamedTuple):
    """Statements that most of all participants agree with, or disagree with; up to five each."""

    agree: list[int]
    disagree: list[int]


@dataclass(frozen=True)
class Statistics:
    """What Polis would say of a conversation with these groups; without groups it has no group-aware consensus."""

    groups: list[GroupVotes]
    total: dict[int, VoteCount]
    gac: dict[int, float]
    consensus: Consensus
    repness: list[list[Representative]]


def statistics(
    table: VoteTable, labels: Labels, n_groups: int, moderated_out: Collection[int] = frozenset()
) -> Statistics:
    """Count the votes and compute Polis' statistics.

    Args:
        table: the votes.
        labels: (participants,) group of each, `NO_GROUP` for none.
        n_groups: how many groups there are.
        moderated_out: statements that may be neither consensus nor representative.
    """
    sizes = np.bincount(labels[labels >= 0], minlength=n_groups).tolist()
    return statistics_of_counts(table.statements, table.counts(labels, n_groups), table.totals(), sizes, moderated_out)


def statistics_of_counts(
    statements: Sequence[int],
    counts: NDArray[np.int64],
    totals: NDArray[np.int64],
    sizes: Sequence[int],
    moderated_out: Collection[int] = frozenset(),
) -> Statistics:
    """Compute Polis' statistics from counts alone.

    Args:
        statements: ids.
        counts: (groups, statements, 3) agree, disagree, pass.
        totals: (statements, 3) the same over all participants, those in no group too.
        sizes: participants per group.
        moderated_out: as for `statistics`.
    """
    rows = [GroupVotes(n, size, _counted(statements, counts[n])) for n, size in enumerate(sizes)]
    total = _counted(statements, totals)
    out = frozenset(moderated_out)
    eligible = [statement for statement in statements if statement not in out]
    return Statistics(
        groups=rows,
        total=total,
        gac={s: math.prod(smoothed_share(g.votes[s].agree, g.votes[s].seen) for g in rows) for s in statements if rows},
        consensus=Consensus(_consensus(total, eligible, "agree"), _consensus(total, eligible, "disagree")),
        repness=[_representatives(rows, number, eligible) for number in range(len(rows))],
    )


def _counted(statements: Sequence[int], counts: NDArray[np.int64]) -> dict[int, VoteCount]:
    return {s: VoteCount(a, d, a + d + p) for s, (a, d, p) in zip(statements, counts.tolist(), strict=True)}


def smoothed_share(successes: int, trials: int) -> float:
    """Return Polis' share, as if one more had said so and one more not: (successes + 1) / (trials + 2)."""
    return (successes + 1) / (trials + 2)


def _prop_test(successes: int, trials: int) -> float:
    """One-sample test that a share is above one half, with one success added."""
    return 2 * math.sqrt(trials + 1) * ((successes + 1) / (trials + 1) - 0.5)


def _two_prop_test(inside: int, outside: int, n_inside: int, n_outside: int) -> float:
    """Pooled two-sample test that the share inside is above that outside, one added to all four counts."""
    inside, outside, n_inside, n_outside = inside + 1, outside + 1, n_inside + 1, n_outside + 1
    pooled = (inside + outside) / (n_inside + n_outside)
    if pooled == 1:
        return 0.0
    spread = math.sqrt(pooled * (1 - pooled) * (1 / n_inside + 1 / n_outside))
    return (inside / n_inside - outside / n_outside) / spread


def _consensus(total: dict[int, VoteCount], eligible: Sequence[int], kind: Kind) -> list[int]:
    ranked = []
    for statement in eligible:
        successes, seen = getattr(total[statement], kind), total[statement].seen
        share, z = smoothed_share(successes, seen), _prop_test(successes, seen)
        if share > 0.5 and z > SIGNIFICANT_90:
            ranked.append((share * z, statement))
    ranked.sort(key=lambda item: -item[0])
    return [statement for _, statement in ranked[:_MOST]]


def _compare(statement: int, own: VoteCount, other: VoteCount, kind: Kind) -> Representative:
    successes, theirs = getattr(own, kind), getattr(other, kind)
    share = smoothed_share(successes, own.seen)
    return Representative(
        statement=statement,
        kind=kind,
        p=share,
        z=_prop_test(successes, own.seen),
        ratio=share / smoothed_share(theirs, other.seen),
        ratio_z=_two_prop_test(successes, theirs, own.seen, other.seen),
    )


def _comparisons(
    rows: Sequence[GroupVotes], number: int, eligible: Sequence[int]
) -> Iterator[tuple[Representative, Representative, bool]]:
    """Yield (agreeing, disagreeing, whether anyone took a side) for each statement, one group against the others."""
    for statement in eligible:
        own = rows[number].votes[statement]
        cells = [row.votes[statement] for row in rows if row.number != number]
        other = VoteCount(*(sum(cell[part] for cell in cells) for part in range(3)))
        agree, disagree = (_compare(statement, own, other, kind) for kind in ("agree", "disagree"))
        yield agree, disagree, bool(own.agree or own.disagree)


def _representatives(rows: Sequence[GroupVotes], number: int, eligible: Sequence[int]) -> list[Representative]:
    """Choose up to five statements for one group, agreements first.

    Those that pass both tests, by rank, after the statement that the group
    agrees with most; failing any, the one that comes closest.
    """
    passing: list[Representative] = []
    most_agreed: Representative | None = None
    closest: Representative | None = None
    for agree, disagree, taken in _comparisons(rows, number, eligible):
        stronger = agree if agree.ratio_z > disagree.ratio_z else disagree
        if any(side.ratio_z > SIGNIFICANT_90 and side.z > SIGNIFICANT_90 for side in (agree, disagree)):
            passing.append(stronger)
        if closest is None or stronger.ratio_z > closest.ratio_z:
            closest = stronger
        if taken and _is_more_agreed(agree, most_agreed):
            most_agreed = agree
    passing.sort(key=lambda item: -item.rank)
    if most_agreed:
        chosen = [most_agreed, *(item for item in passing if item.statement != most_agreed.statement)]
    else:
        chosen = passing or ([closest] if closest else [])
    return sorted(chosen[:_MOST], key=lambda item: item.kind != "agree")


def _is_more_agreed(agree: Representative, best: Representative | None) -> bool:
    """Polis' rule for the statement that stands first: by rank where the best so far sets the group apart."""
    if best is None:
        return agree.z > SIGNIFICANT_90 or (agree.ratio > 1 and agree.p > 0.5)
    if best.ratio > 1:
        return agree.rank > best.rank
    return agree.p * agree.z > best.p * best.z
