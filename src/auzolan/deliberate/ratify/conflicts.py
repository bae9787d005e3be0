"""Statements that were declared to exclude each other: which of two stays.

Those who voted on both decide, by a paired comparison (McNemar 1947): how many
agree with one and not with the other, and the posterior probability that one
outweighs the other. Where that is not clear, both go to the people's vote; in
that vote itself the one that more people agree with is preferred. What lost to
a statement that lost itself stays; where statements beat each other in a circle,
the people's vote keeps those that more agree with.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from auzolan.deliberate.bounds import outweighs_ppm
from auzolan.deliberate.votes import AGREE, VoteTable

CLEAR_PPM = 900_000

Conflict = tuple[int, int]  # ids of two statements that cannot both hold


def settle(
    table: VoteTable,
    standing: Collection[int],
    conflicts: Sequence[Conflict],
    agreeing: Mapping[int, int] | None = None,
    quorum: int = 1,
    is_exact: bool = False,
) -> tuple[dict[int, int], list[Conflict]]:
    """Return statement -> rival for those excluded, and the pairs that are left open.

    A statement stays if all that are preferred to it are out, and is out if one that stays is preferred to it; where
    no preference is clear, each of the two counts as preferred to the other. What this leaves open (what is not
    clear, circles, and what lost only to such) goes to the people's vote. These are the labels in, out and undecided
    of grounded semantics (Dung 1995, "On the Acceptability of Arguments", Artificial Intelligence 77, section 2.3).

    Args:
        table: the ballots.
        standing: ids of the statements that could become articles; pairs with others decide nothing.
        conflicts: pairs declared to exclude each other.
        agreeing: statement -> how many agree with it, in a vote that must decide: where no preference is clear, the
            one that more agree with is preferred, ties to the lower id, so that only circles are left open.
        quorum: how many must have voted on both for their preference to be clear; else two people could remove
            what hundreds agree with.
        is_exact: whether the plain majority of those who voted on both is clear, as in a small community.
    """
    preferred: dict[int, set[int]] = {}  # statement -> the rivals that are preferred to it
    pairs = {(min(pair), max(pair)) for pair in conflicts if len({*pair} & {*standing}) == 2}
    for one, other in pairs:
        losers = _losers(_paired(table, one, other), quorum, is_exact)
        if len(losers) == 2 and agreeing is not None:
            losers = {0} if agreeing[other] > agreeing[one] else {1}
        for place in losers:
            preferred.setdefault((one, other)[place], set()).add((other, one)[place])
            preferred.setdefault((other, one)[place], set())
    out: set[int] = set()
    while True:
        stays = {statement for statement, rivals in preferred.items() if rivals <= out}
        more = {statement for statement, rivals in preferred.items() if rivals & stays}
        if more <= out:
            break
        out |= more
    excluded = {statement: min(preferred[statement] & stays) for statement in sorted(out)}
    return excluded, sorted(pair for pair in pairs if not out & set(pair))


def _losers(paired: tuple[int, int, int], quorum: int, is_exact: bool) -> set[int]:
    """Return which of two statements, 0 or 1, another is preferred to: both where no preference is clear."""
    rather_one, rather_other, both = paired
    sure = outweighs_ppm(np.array([rather_one, rather_other]), np.array([rather_other, rather_one]))
    is_clear = rather_one != rather_other if is_exact else int(sure.max()) >= CLEAR_PPM
    if not is_clear or both < quorum:
        return {0, 1}
    return {1} if rather_one > rather_other else {0}


def settle_for_good(open_pairs: Sequence[Conflict], agreeing: Mapping[int, int]) -> dict[int, int]:
    """Return statement -> rival for those that lose a vote which must decide: the one that more agree with stays.

    Args:
        open_pairs: pairs that are not clear.
        agreeing: statement -> how many agree with it; ties go to the lower id.
    """
    involved = sorted({s for pair in open_pairs for s in pair}, key=lambda s: (-agreeing[s], s))
    excluded: dict[int, int] = {}
    for statement in involved:
        rivals = {a if b == statement else b for a, b in open_pairs if statement in (a, b)}
        kept = [each for each in involved[: involved.index(statement)] if each in rivals and each not in excluded]
        if kept:
            excluded[statement] = kept[0]
    return excluded


def _paired(table: VoteTable, one: int, other: int) -> tuple[int, int, int]:
    """Among those who voted on both, return how many agree only with the first, only with the second, and are there."""
    votes = [_votes_on(table, table.statements.index(statement)) for statement in (one, other)]
    both = (votes[0] >= 0) & (votes[1] >= 0)
    agrees = [(each == AGREE + 1) & both for each in votes]
    return int((agrees[0] & ~agrees[1]).sum()), int((agrees[1] & ~agrees[0]).sum()), int(both.sum())


def _votes_on(table: VoteTable, position: int) -> NDArray[np.int8]:
    """Return each participant's vote + 1 on one statement, -1 where there is none: (participants,) int8."""
    found = np.flatnonzero((table.packed >> 2) == position)
    votes = np.full(len(table.participants), -1, dtype=np.int8)
    votes[np.searchsorted(table.starts, found, side="right") - 1] = (table.packed[found] & 3).astype(np.int8)
    return votes
