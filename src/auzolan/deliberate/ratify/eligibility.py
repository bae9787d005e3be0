"""Which statements may become articles, and how many ballots that hangs on.

Eligible is what enough people voted on and what, allowing for chance, at least
half of those who saw it agree with. A group that is clearly against it does not
block it: it makes it contested, a matter for the people's vote, with the group
named. Only strata that were declared before may block.

The bound is Jeffreys' (`bounds`). A group derived from votes is against a
statement if its disagreement outweighs its agreement with probability
`contest_ppm` or more: the posterior, under Jeffreys' prior, that more of its
members disagree than agree, passes aside.

A small community is counted exactly: no bounds and no groups, but a
supermajority of those who agree or disagree, or nobody who disagrees (consent).
Where ballots only approve (grade B), nobody can be seen to be against: a
statement needs its quorum of approvals, and nothing more can be asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

import numpy as np
from numpy.typing import NDArray

from auzolan.deliberate.ballots import Ballots
from auzolan.deliberate.bounds import jeffreys_lower_ppm, outweighs_ppm
from auzolan.deliberate.grouping import group_name
from auzolan.deliberate.ratify.parameters import Parameters
from auzolan.deliberate.votes import Labels, VoteTable

Array = NDArray[np.int64]
_NEVER = 2**31  # more ballots than any margin is looked for


class Standing(StrEnum):
    """What became of a statement before articles are selected."""

    ELIGIBLE = "eligible"
    CONTESTED = "contested"
    BLOCKED = "blocked"
    UNSUPPORTED = "not enough support"
    FEW_VOTES = "not enough votes"
    MODERATED_OUT = "moderated out"


@dataclass(frozen=True)
class Judged:
    """One statement's standing.

    Attributes:
        standing: what became of it.
        against: names of the groups that contest or block it.
        admit_margin: fewest further ballots that agree, all of one kind, with which it would be eligible; 0 if it is,
            None where no number of them would do.
        block_margin: fewest further ballots that disagree with which it would no longer be; 0 if it is not.
    """

    standing: Standing
    against: tuple[str, ...]
    admit_margin: int | None
    block_margin: int | None


@dataclass(frozen=True, eq=False)
class GroupCounts:
    """Votes of one group.

    Attributes:
        name: as it is shown.
        size: how many people.
        may_block: whether its disagreement blocks rather than contests.
        counts: (statements, 3) agree, disagree, pass.
        division: what it is a part of; nobody is in two groups of one division, but perhaps in two of different ones.
    """

    name: str
    size: int
    may_block: bool
    counts: Array
    division: str = ""


def opinion_groups(table: VoteTable, labels: Labels, sizes: Sequence[int]) -> list[GroupCounts]:
    """Count the votes of groups derived from votes; they may contest and never block."""
    counts = table.counts(labels, len(sizes))
    return [GroupCounts(group_name(number), size, False, counts[number]) for number, size in enumerate(sizes)]


def declared_groups(ballots: Ballots, identity: str, by: Parameters) -> list[GroupCounts]:
    """Count the votes of declared strata that may block: those that the rules name.

    Args:
        ballots: with their strata.
        identity: how participants were told apart; unless the rules accept it, nobody may block.
        by: the community's parameters.
    """
    groups = []
    for column, stratum in enumerate(ballots.strata):
        if stratum.name not in by.vetoing(identity):
            continue
        of_each = ballots.codes[:, column].astype(np.int16) - 1
        counts = ballots.table.counts(of_each, len(stratum.values))
        for number, value in enumerate(stratum.values):
            size = int((of_each == number).sum())
            groups.append(GroupCounts(f"{stratum.name}: {value}", size, True, counts[number], stratum.name))
    return groups


@dataclass(frozen=True)
class Support:
    """When enough people are for a statement.

    Attributes:
        quorum: how many must have voted on it.
        by: the community's parameters.
        grade: of the evidence.
    """

    quorum: int
    by: Parameters
    grade: str

    def holds(self, counts: Array) -> NDArray[np.bool_]:
        """Say per statement, from (statements, 3) counts of all participants; more who agree never undo it."""
        agree, disagree = counts[:, 0], counts[:, 1]
        enough: NDArray[np.bool_] = (counts.sum(axis=1) >= self.quorum) & (agree > 0)
        if self.grade == "B":
            return enough
        if not self.by.is_small:
            enough &= _lower(counts) >= self.by.support_ppm
            return enough
        if self.by.small_rule == "consent":
            enough &= disagree == 0
            return enough
        share = self.by.supermajority
        enough &= agree * share.denominator >= (agree + disagree) * share.numerator
        return enough


def grade_of(totals: Array) -> str:
    """Return "A" where somebody disagrees or passes, "B" where ballots do nothing but approve."""
    return "A" if totals[:, 1:].any() else "B"


def large_groups(
    groups: Sequence[GroupCounts], n_participants: int, by: Parameters, grade: str = "A"
) -> list[GroupCounts]:
    """Return the groups whose disagreement counts; in a small community only declared strata that may block.

    Where ballots only approve (grade B) there are none: few who approve are no disagreement.
    """
    if grade == "B":
        return []
    least = by.least_group(n_participants)
    return [group for group in groups if group.size >= least and (group.may_block or not by.is_small)]


def judge(
    totals: Array,
    groups: Sequence[GroupCounts],
    moderated_out: NDArray[np.bool_],
    n_participants: int,
    by: Parameters,
    grade: str = "A",
    final: bool = False,
) -> list[Judged]:
    """Judge every statement.

    Args:
        totals: (statements, 3) votes of all participants.
        groups: opinion groups, and declared strata that may block.
        moderated_out: (statements,) which ones were.
        n_participants: how many took part.
        by: the community's parameters.
        grade: of the evidence.
        final: whether this is the people's vote, in which what groups contest ends no standing, so that margins are
            about support and about those who may block.
    """
    large = large_groups(groups, n_participants, by, grade)
    against = (
        np.stack([_is_against(group.counts, _rule(group, by), by) for group in large])
        if large
        else np.zeros((0, len(totals)), bool)
    )
    blocks = np.array([group.may_block for group in large], dtype=bool)
    support = Support(by.quorum(n_participants), by, grade)
    votes, supported = totals.sum(axis=1), support.holds(totals)
    deciding = [group for group in large if group.may_block or not final]
    admit = _admit_margins(totals, deciding, support)
    block = _block_margins(totals, deciding, support)
    stands = (Standing.ELIGIBLE, Standing.CONTESTED) if final else (Standing.ELIGIBLE,)
    judged = []
    for position in range(len(totals)):
        names = tuple(group.name for group, is_against in zip(large, against[:, position], strict=True) if is_against)
        if moderated_out[position]:
            standing = Standing.MODERATED_OUT
        elif votes[position] < support.quorum:
            standing = Standing.FEW_VOTES
        elif not supported[position]:
            standing = Standing.UNSUPPORTED
        elif (against[:, position] & blocks).any():
            standing = Standing.BLOCKED
        else:
            standing = Standing.CONTESTED if names else Standing.ELIGIBLE
        judged.append(
            Judged(
                standing,
                names,
                None if moderated_out[position] else _margin(admit[position]),
                _margin(block[position]) if standing in stands else 0,
            )
        )
    return judged


def _margin(ballots: np.int64) -> int | None:
    return None if ballots >= _NEVER else int(ballots)


def _lower(counts: Array) -> Array:
    return jeffreys_lower_ppm(counts[:, 0], counts.sum(axis=1))


def _rule(group: GroupCounts, by: Parameters) -> str:
    """Return when a group is against: one that may block always can be, whatever contests a statement."""
    return "disagreement" if group.may_block and by.group_rule == "none" else by.group_rule


def _is_against(counts: Array, rule: str, by: Parameters) -> NDArray[np.bool_]:
    """Say per statement whether a group contests or blocks it."""
    if rule == "none":
        return np.zeros(len(counts), dtype=bool)
    votes = counts.sum(axis=1)
    against = (outweighs_ppm(counts[:, 1], counts[:, 0]) >= by.contest_ppm) & (votes >= by.contest_votes)
    if rule == "half":
        against |= (_lower(counts) < 500_000) & (votes > 0)
    found: NDArray[np.bool_] = against
    return found


def _admit_margins(totals: Array, large: Sequence[GroupCounts], support: Support) -> Array:
    """Return the fewest further agreeing ballots that make each statement eligible.

    They count for all; where a group contests it, for that group first, as that is the fewest that can do. Groups of
    one division need their own each; a ballot can be of a group of every division.
    """

    by = support.by
    overall = _fewest(lambda more: support.holds(_with(totals, 0, more)), len(totals))
    in_groups: dict[str, Array] = {}
    for group in large:
        fewest = _fewest(partial(_is_not_against, group.counts, _rule(group, by), by), len(totals))
        in_groups[group.division] = in_groups.get(group.division, 0) + fewest
    margins: Array = np.maximum.reduce([overall, *in_groups.values()])
    return margins


def _block_margins(totals: Array, large: Sequence[GroupCounts], support: Support) -> Array:
    """Return the fewest further disagreeing ballots, all of one group or of nobody's, that end each one's standing."""

    if support.grade == "B":
        return np.full(len(totals), _NEVER, dtype=np.int64)  # ballots that disagree are not known there
    by = support.by
    fewest = _fewest(lambda more: ~support.holds(_with(totals, 1, more)), len(totals))
    for group in large:
        fewest = np.minimum(fewest, _fewest(partial(_is_against_with, group.counts, _rule(group, by), by), len(totals)))
    return fewest


def _is_not_against(counts: Array, rule: str, by: Parameters, agreeing: Array) -> NDArray[np.bool_]:
    return ~_is_against(_with(counts, 0, agreeing), rule, by)


def _is_against_with(counts: Array, rule: str, by: Parameters, disagreeing: Array) -> NDArray[np.bool_]:
    return _is_against(_with(counts, 1, disagreeing), rule, by)


def _with(counts: Array, kind: int, more: Array) -> Array:
    changed = counts.copy()
    changed[:, kind] += more
    return changed


def _fewest(holds: Callable[[Array], NDArray[np.bool_]], n: int) -> Array:
    """Return per statement the least number of further ballots for which a condition holds that more never undo."""
    high = np.zeros(n, dtype=np.int64)
    done = holds(high)
    step = 1
    while not done.all() and step < _NEVER:
        high = np.where(done, high, step)
        done |= holds(high)
        step *= 2
    low = np.where(high > 0, high // 2, 0)
    high = np.where(done, high, _NEVER)
    found = done & (high > 0)
    while True:
        middle = (low + high) // 2
        open_ = found & (high - low > 1)
        if not open_.any():
            return high
        yes = holds(np.where(open_, middle, high.clip(max=_NEVER)))
        high, low = np.where(open_ & yes, middle, high), np.where(open_ & ~yes, middle, low)
