"""Checks a selection of articles from the votes, sharing no code with what selected it.

Numbered as in the text of each finding:

    1  standing      quorum, support and contests of every statement, recomputed
    2  articles      no more than there are seats, each eligible, none twice
    3  conflicts     no two articles that were declared to exclude each other
    4  EJR+          no group of l/k of the voters who agree on a further statement has fewer than l articles each
    5  core          (a) and (b) of the certificate (core.rules.core_certificate has the proof), in whole numbers

Does not check: statements whose bound is within 1e-9 of the threshold, where only exact arithmetic can tell; that
another rule would not have selected other articles; how groups were found; whether those who voted are those who
are concerned. Where no core certificate is claimed, step 5 only checks the rival named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import scipy.special
from numpy.typing import NDArray

from auzolan.core.record.errors import VerificationError
from auzolan.deliberate.votes import VoteTable


@dataclass(frozen=True)
class Claim:
    """What a selection claims; statements by id.

    Attributes:
        seats: how many articles there could be.
        articles: statements that were selected.
        eligible: statements that could be selected, articles among them.
        contested: statements that a group contests.
        conflicts: pairs that exclude each other.
        ratio: the strongest claim by EJR+.
        multipliers: per article, in 2**-20; empty where no certificate was found.
        reach: what part of a seat the strongest excluded statement reaches.
    """

    seats: int
    articles: Sequence[int]
    eligible: Sequence[int]
    contested: Sequence[int]
    conflicts: Sequence[tuple[int, int]]
    ratio: Fraction
    multipliers: Sequence[int]
    reach: Fraction


@dataclass(frozen=True, eq=False)
class Votes:
    """Votes laid out anew: one row per vote that agrees, and counts per statement and group.

    Attributes:
        voter, statement: (agreements,) positions.
        totals: (statements, 3) disagree, pass, agree.
        groups: per group that may contest, (statements, 3) in the same order.
    """

    voter: NDArray[np.int64]
    statement: NDArray[np.int64]
    totals: NDArray[np.int64]
    groups: Sequence[NDArray[np.int64]]


def lay_out(table: VoteTable, labels: NDArray[np.int16], least_group: int) -> Votes:
    """Read the votes into arrays; groups with fewer than `least_group` people contest nothing."""
    voter = np.repeat(np.arange(len(table.participants)), np.diff(table.starts))
    statement, side = (table.packed // 4).astype(np.int64), (table.packed % 4).astype(np.int64)
    width = len(table.statements) * 3

    def counts(chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(statement[chosen] * 3 + side[chosen], minlength=width).reshape(-1, 3)

    numbers = [number for number in range(int(labels.max(initial=-1)) + 1) if (labels == number).sum() >= least_group]
    groups = [counts((labels == number)[voter]) for number in numbers]
    agrees = side == 2
    return Votes(voter[agrees], statement[agrees], counts(np.ones(len(side), dtype=bool)), groups)


def verify_standing(votes: Votes, ids: Sequence[int], claim: Claim, out: frozenset[int], by: Mapping[str, int]) -> None:
    """Check that exactly the eligible statements are eligible (step 1).

    Args:
        votes, ids: the votes, and the id of each statement.
        claim: the selection.
        out: statements that were moderated out, and those excluded by conflict.
        by: `quorum`, `support_ppm`, `contest_ppm` and `contest_votes`.

    Raises:
        VerificationError: it says otherwise of some statement.
    """
    disagree, passed, agree = votes.totals.T
    seen = disagree + passed + agree
    # The lower bound reaches a share exactly when the distribution function there is at most 5 %.
    below = scipy.special.betainc(agree + 0.5, seen - agree + 0.5, by["support_ppm"] / 1e6)
    supported = (below <= 0.05) & (seen >= by["quorum"]) & (agree > 0)
    contested = np.zeros(len(ids), dtype=bool)
    for group in votes.groups:
        sure = scipy.special.betainc(group[:, 2] + 0.5, group[:, 0] + 0.5, 0.5)
        contested |= (sure >= by["contest_ppm"] / 1e6) & (group.sum(axis=1) >= by["contest_votes"])
    near = np.abs(below - 0.05) < 1e-9
    eligible, doubted = set(claim.eligible), set(claim.contested)
    for position, statement in enumerate(ids):
        if statement in out or near[position]:
            continue
        wanted = bool(supported[position]) and statement not in doubted
        if wanted is not (statement in eligible) or (wanted and contested[position]):
            raise VerificationError(f"1 standing: statement {statement} is not what the selection says it is")
        if supported[position] and contested[position] and statement not in doubted:
            raise VerificationError(f"1 standing: a group contests statement {statement}, which is not said")


def verify_articles(claim: Claim) -> None:
    """Check the list of articles by itself (steps 2 and 3).

    Raises:
        VerificationError: it does not hold.
    """
    if len(claim.articles) > claim.seats or len(set(claim.articles)) != len(claim.articles):
        raise VerificationError("2 articles: more than there are seats, or one of them twice")
    if not set(claim.articles) <= set(claim.eligible):
        raise VerificationError("2 articles: one of them was not eligible")
    for one, other in claim.conflicts:
        if {one, other} <= set(claim.articles):
            raise VerificationError(f"3 conflicts: statements {one} and {other} exclude each other")


def verify_ejr_plus(votes: Votes, ids: Sequence[int], n_voters: int, claim: Claim) -> None:
    """Check that no group is left without its due, and that the strongest claim is the stated one (step 4).

    Raises:
        VerificationError: it is not so.
    """
    place = {statement: position for position, statement in enumerate(ids)}
    is_article = np.zeros(len(ids), dtype=bool)
    is_article[[place[article] for article in claim.articles]] = True
    has = np.bincount(votes.voter[is_article[votes.statement]], minlength=n_voters)
    rivals = sorted(set(claim.eligible) - set(claim.articles))
    number = np.full(len(ids), -1)
    number[[place[rival] for rival in rivals]] = np.arange(len(rivals))
    of_rival = number[votes.statement]
    asks = of_rival >= 0
    levels = np.minimum(has[votes.voter[asks]], claim.seats)
    table = np.bincount(of_rival[asks] * (claim.seats + 1) + levels, minlength=len(rivals) * (claim.seats + 1))
    poor = np.cumsum(table.reshape(len(rivals), claim.seats + 1)[:, : claim.seats], axis=1)
    worst = Fraction(0)
    for level in range(1, claim.seats + 1):
        most = int(poor[:, level - 1].max(initial=0))
        worst = max(worst, Fraction(most * claim.seats, level * n_voters))
    if worst != claim.ratio:
        raise VerificationError(f"4 EJR+: the strongest claim is {float(worst):.4f}, not {float(claim.ratio):.4f}")
    if worst >= 1:
        raise VerificationError("4 EJR+: a group of voters has fewer articles than it is entitled to")


def verify_core(votes: Votes, ids: Sequence[int], n_voters: int, claim: Claim) -> None:
    """Check the certificate (step 5): with q = voters / seats and r = 1 / (1 + sum of a voter's multipliers).

    Raises:
        VerificationError: (a) or (b) does not hold, or the reach stated is smaller than it is.
    """
    one, fine = 2**20, 2**30
    if len(claim.multipliers) != len(claim.articles) or not all(0 <= each <= one for each in claim.multipliers):
        raise VerificationError("5 core: expected a multiplier between 0 and 1 per article")
    weight = np.zeros(len(ids))
    place = {statement: position for position, statement in enumerate(ids)}
    for article, multiplier in zip(claim.articles, claim.multipliers, strict=True):
        weight[place[article]] = multiplier
    # Whole numbers below 2**53 throughout, so doubles are exact; r is rounded up, against the claim.
    burden = np.bincount(votes.voter, weight[votes.statement], n_voters).astype(np.int64) + one
    rest = -((-one * fine) // burden)
    total = np.bincount(votes.statement, rest[votes.voter].astype(np.float64), len(ids))
    for article, multiplier in zip(claim.articles, claim.multipliers, strict=True):
        if multiplier * int(total[place[article]]) * claim.seats > n_voters * one * fine:
            raise VerificationError(f"5 core (a): the supporters of statement {article} pay more than a seat")
    for rival in sorted(set(claim.eligible) - set(claim.articles)):
        reach = Fraction(int(total[place[rival]]) * claim.seats, n_voters * fine)
        if reach >= 1 or reach > claim.reach:
            raise VerificationError(
                f"5 core (b): the supporters of statement {rival} reach {float(reach):.4f} of a seat"
            )
