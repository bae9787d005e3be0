"""Where votes and groups put each statement, computed anew for `check`.

Shares no code with what judges statements when articles are selected: only the nouns, as data. A group is against a
statement, and a statement is supported, by the chance that a share lies below a number (Jeffreys' prior), which is
asked of the distribution function here and of its quantiles there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import scipy.special
from numpy.typing import NDArray

from auzolan.core.kinds.selection import Article, NotIncluded, Outcome
from auzolan.deliberate.ratify.parameters import Parameters
from auzolan.deliberate.votes import Labels, VoteTable

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]

ELIGIBLE, CONTESTED, BLOCKED, EXCLUDED = "eligible", "contested", "blocked", "excluded by conflict"
UNSUPPORTED, FEW_VOTES, OUT = "not enough support", "not enough votes", "moderated out"
DISAGREE, PASS, AGREE = 0, 1, 2  # as they stand in the packed votes and in the columns of counts
PPM, TAIL_PPM = 1_000_000, 50_000
NEVER = 2**31  # more ballots than any margin is looked for
_NEAR, _PEOPLE = 1e-9, 2**16


class Group(NamedTuple):
    """A group that is large enough to be heard: (statements, 3) disagree, pass, agree."""

    name: str
    division: str
    may_block: bool
    counts: Numbers


@dataclass(frozen=True, eq=False)
class Case:
    """What is said, and what it is checked against.

    Attributes:
        outcome, by: what is said, and its parameters.
        final: whether this is the people's vote, in which contested statements may be articles.
        statements: ids of all.
        moderated_out: ids of those that were taken out.
        told: ids of those whose counts by group are published; margins and groups are said of no others.
        n_voters: how many people voted.
        ids: of the statements that are counted here: all, or those whose counts are published.
        totals: (ids, 3) disagree, pass, agree.
        groups: large enough ones.
        table: the ballots, None where they are withheld.
    """

    outcome: Outcome
    by: Parameters
    final: bool
    statements: Sequence[int]
    moderated_out: Collection[int]
    told: Collection[int]
    n_voters: int
    ids: Sequence[int]
    totals: Numbers
    groups: Sequence[Group]
    table: VoteTable | None = None

    @cached_property
    def articles(self) -> dict[int, Article]:
        """Articles by statement."""
        return {each.statement: each for each in self.outcome.articles}

    @cached_property
    def others(self) -> dict[int, NotIncluded]:
        """The other statements."""
        return {each.statement: each for each in self.outcome.not_included}

    @property
    def may_win(self) -> tuple[str, ...]:
        """Standings with which a statement can be selected."""
        return (ELIGIBLE, CONTESTED) if self.final else (ELIGIBLE,)

    @property
    def rivals(self) -> list[int]:
        """Statements that could be selected and were not."""
        return sorted(s for s, each in self.others.items() if each.standing in self.may_win and each.rival is None)

    @property
    def quorum(self) -> int:
        """How many must have voted on a statement."""
        if is_small(self.by):
            return max(1, -(-self.by.roll * self.by.roll_percent // 100))
        share = -(-self.n_voters * self.by.quorum_percent // 100)
        return max(self.by.quorum_least, min(self.by.quorum_most, share))

    @cached_property
    def standing(self) -> dict[int, tuple[str, set[str]]]:
        """Statement -> where votes and groups put it, conflicts aside, and which groups are against it."""
        against = [is_against(self, group, group.counts) for group in self.groups]
        seen, supported, found = self.totals.sum(axis=1), is_supported(self, self.totals), {}
        for i, statement in enumerate(self.ids):
            named = [group for group, is_against in zip(self.groups, against, strict=True) if is_against[i]]
            if statement in self.moderated_out:
                said = OUT
            elif not supported[i]:
                said = FEW_VOTES if seen[i] < self.quorum else UNSUPPORTED
            else:
                said = BLOCKED if any(each.may_block for each in named) else CONTESTED if named else ELIGIBLE
            found[statement] = said, {each.name for each in named}
        return found

    @cached_property
    def supporters(self) -> dict[int, NDArray[np.int32]]:
        """Statement -> the people who agree with it, by position."""
        assert self.table is not None, "steps that need ballots are not run without them"
        agrees = self.table.packed % 4 == AGREE
        voter = np.repeat(np.arange(self.n_voters, dtype=np.int32), np.diff(self.table.starts))[agrees]
        statement = self.table.packed[agrees] // 4
        ends = np.cumsum(np.bincount(statement, minlength=len(self.ids)))[:-1]
        return dict(zip(self.ids, np.split(voter[np.argsort(statement, kind="stable")], ends), strict=True))


def is_small(by: Parameters) -> bool:
    """Say whether a community is counted exactly: one with a roll of fewer than 60 people."""
    return 0 < by.roll < 60


def count(table: VoteTable, labels: Labels, n_groups: int) -> Numbers:
    """Count votes: (groups + 1, statements, 3) disagree, pass, agree; first those of people in no group."""
    width, per_person = 4 * len(table.statements), np.diff(table.starts)
    found = np.zeros((n_groups + 1) * width, dtype=np.int64)
    for first in range(0, len(labels), _PEOPLE):
        last = min(first + _PEOPLE, len(labels))
        group = np.repeat((labels[first:last] + 1).astype(np.int64) * width, per_person[first:last])
        found += np.bincount(group + table.packed[table.starts[first] : table.starts[last]], minlength=found.size)
    return found.reshape(n_groups + 1, -1, 4)[:, :, :3]


def is_seldom_below(share_ppm: int, yes: Numbers, no: Numbers, limit_ppm: int) -> Flags:
    """Say where Beta(yes + 1/2, no + 1/2) lies below a share with a chance of at most the limit, in millionths."""
    if not 0 < limit_ppm < PPM:  # the chance itself is never quite 0 or 1
        return np.full(len(yes), limit_ppm > 0)
    chance = scipy.special.betainc(yes + 0.5, no + 0.5, share_ppm / PPM)
    found: Flags = chance <= limit_ppm / PPM
    for i in np.flatnonzero(np.abs(chance - limit_ppm / PPM) < _NEAR):  # doubles cannot tell there
        import mpmath  # slow to load, and hardly ever needed

        with mpmath.workdps(50):
            a, b, x = mpmath.mpf(int(yes[i])) + 0.5, mpmath.mpf(int(no[i])) + 0.5, mpmath.mpf(share_ppm) / PPM
            exact = x if a == b and 2 * x == 1 else mpmath.betainc(a, b, 0, x, regularized=True)
            found[i] = exact <= mpmath.mpf(limit_ppm) / PPM
    return found


def is_supported(case: Case, counts: Numbers) -> Flags:
    """Say per statement whether enough people voted on it, and enough of them agree."""
    (disagree, _, agree), seen, by = counts.T, counts.sum(axis=1), case.by
    enough: Flags = (seen >= case.quorum) & (agree > 0)
    if case.outcome.grade == "B":
        return enough
    if not is_small(by):
        # The lower bound reaches a share exactly when the chance to lie below that share is at most 5 %.
        enough &= is_seldom_below(by.support_ppm, agree, seen - agree, TAIL_PPM)
    elif by.small_rule == "consent":
        enough &= disagree == 0
    else:
        enough &= agree * by.supermajority.denominator >= (agree + disagree) * by.supermajority.numerator
    return enough


def is_against(case: Case, group: Group, counts: Numbers) -> Flags:
    """Say per statement whether a group with such counts contests or blocks it."""
    (disagree, _, agree), seen, by = counts.T, counts.sum(axis=1), case.by
    if by.group_rule == "none" and not group.may_block:
        return np.zeros(len(counts), dtype=bool)
    against: Flags = seen >= by.contest_votes
    against &= is_seldom_below(PPM // 2, disagree, agree, PPM - by.contest_ppm)
    if by.group_rule == "half":
        against |= (seen > 0) & ~is_seldom_below(PPM // 2, agree, seen - agree, TAIL_PPM)
    return against


def fewest(condition: Callable[[Numbers], Flags], wanted: bool, counts: Numbers, kind: int) -> Numbers:
    """Return per statement with how many more votes of a kind a condition is as wanted, `NEVER` where with none."""

    def holds(more: Numbers) -> Flags:
        changed = counts.copy()
        changed[:, kind] += more
        found: Flags = condition(changed) == wanted
        return found

    low = np.zeros(len(counts), dtype=np.int64)
    high = np.where(holds(low), 0, NEVER)
    while (high - low > 1).any():
        middle = (low + high) // 2
        yes = holds(middle)
        low, high = np.where(yes, low, middle), np.where(yes, np.minimum(high, middle), high)
    return high
