"""From eligible statements to articles: selected in proportion to those who agree, with a certificate.

    1  judge        every statement's standing (`eligibility`)
    2  conflicts    of two that cannot both hold, the one that those who voted on both clearly prefer stays;
                    without a clear preference both go to the people's vote
    3  select       the Method of Equal Shares on cast agreements; a statement that was not seen is not agreed with
    4  certify      EJR+ and the core, among the statements that could be selected

Not here: the wording of articles and the people's vote on it, without which nothing is ratified.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from auzolan.core.rules.approvals import Approvals
from auzolan.core.rules.core_certificate import CoreCertificate, Entitled, find_core_certificate
from auzolan.core.rules.equal_shares import Elected, equal_shares
from auzolan.core.rules.phragmen import sequential_phragmen
from auzolan.core.rules.proportional import Entitlement, ejr_plus
from auzolan.deliberate.bounds import outweighs_ppm
from auzolan.deliberate.eligibility import GroupCounts, Judged, Standing, judge
from auzolan.deliberate.parameters import Parameters
from auzolan.deliberate.votes import AGREE, VoteTable

_CLEAR_PPM = 900_000

Conflict = tuple[int, int]  # ids of two statements that cannot both hold


@dataclass(frozen=True)
class Selection:
    """What was selected and why; statements by id.

    Attributes:
        judged: statement -> standing and margins.
        elected: in the order of election, candidates replaced by statement ids.
        excluded: statement -> the one that it is in conflict with and that was preferred.
        undecided: statement -> the one that it is in conflict with, where no preference is clear.
        candidates: ids of the statements that could be selected, ascending.
        proportional: the strongest claim against the selection by EJR+.
        core: the certificate, or who stands in its way; None where nothing could be selected.
    """

    judged: dict[int, Judged]
    elected: tuple[Elected, ...]
    excluded: dict[int, int]
    undecided: dict[int, int]
    candidates: tuple[int, ...]
    proportional: Entitlement | None
    core: CoreCertificate | Entitled | None


def select(
    table: VoteTable,
    groups: Sequence[GroupCounts],
    moderated_out: frozenset[int],
    conflicts: Sequence[Conflict],
    by: Parameters,
) -> Selection:
    """Select articles.

    Args:
        table: the ballots.
        groups: opinion groups, and declared strata that may block.
        moderated_out: ids of statements that cannot become articles.
        conflicts: pairs of statements that cannot both hold.
        by: the community's parameters.
    """
    is_out = np.array([statement in moderated_out for statement in table.statements], dtype=bool)
    found = judge(table.totals(), groups, is_out, len(table.participants), by)
    judged = dict(zip(table.statements, found, strict=True))
    excluded, undecided = _settle_conflicts(table, judged, conflicts)
    for statement in undecided:
        judged[statement] = replace(judged[statement], standing=Standing.CONTESTED)
    candidates = tuple(
        statement
        for statement in table.statements
        if judged[statement].standing is Standing.ELIGIBLE and statement not in excluded
    )
    if not candidates:
        return Selection(judged, (), excluded, undecided, (), None, None)
    profile = approvals_in(table, candidates)
    outcome = equal_shares(profile, by.seats)
    elected = list(outcome.elected)
    if by.completion == "phragmen" and len(elected) < by.seats:
        elected += sequential_phragmen(profile, by.seats, outcome.winners, outcome.left)
    winners = [each.candidate for each in elected]
    return Selection(
        judged=judged,
        elected=tuple(replace(each, candidate=candidates[each.candidate]) for each in elected),
        excluded=excluded,
        undecided=undecided,
        candidates=candidates,
        proportional=_named(ejr_plus(profile, winners, by.seats), candidates),
        core=_named_core(find_core_certificate(profile, winners, by.seats), candidates),
    )


def approvals_in(table: VoteTable, statements: Sequence[int]) -> Approvals:
    """Return who agrees with which of `statements`, numbered in their order."""
    number = np.full(len(table.statements), -1, dtype=np.int32)
    place = {statement: position for position, statement in enumerate(table.statements)}
    number[[place[statement] for statement in statements]] = np.arange(len(statements))
    of_vote = number[table.packed >> 2]
    approves = (of_vote >= 0) & ((table.packed & 3) == AGREE + 1)
    voters = np.repeat(np.arange(len(table.participants), dtype=np.int32), table.votes_per_participant)[approves]
    candidates = of_vote[approves]
    # Small numbers sort in linear time (radix sort), and a stable sort keeps voters ascending.
    narrow = candidates.astype(np.uint16) if len(statements) < 2**16 else candidates
    order = np.argsort(narrow, kind="stable")
    starts = np.append(0, np.cumsum(np.bincount(candidates, minlength=len(statements)))).astype(np.int64)
    return Approvals(len(table.participants), starts, voters[order])


def _settle_conflicts(
    table: VoteTable, judged: dict[int, Judged], conflicts: Sequence[Conflict]
) -> tuple[dict[int, int], dict[int, int]]:
    """Return statement -> rival for those excluded, and for those about which nobody's preference is clear.

    A paired comparison among those who voted on both (McNemar 1947): how many agree with one and not with the
    other, and the posterior probability that one outweighs the other.
    """
    preferred: dict[int, set[int]] = {}  # statement -> the rivals that are clearly preferred to it
    open_pairs: set[Conflict] = set()
    for one, other in sorted({(min(pair), max(pair)) for pair in conflicts}):
        if any(s not in judged or judged[s].standing is not Standing.ELIGIBLE for s in (one, other)):
            continue
        rather_one, rather_other = _paired(table, one, other)
        sure = outweighs_ppm(np.array([rather_one, rather_other]), np.array([rather_other, rather_one])).tolist()
        if max(sure) < _CLEAR_PPM:
            open_pairs.add((one, other))
        else:
            loser, rival = (other, one) if sure[0] >= _CLEAR_PPM else (one, other)
            preferred.setdefault(loser, set()).add(rival)
    excluded: dict[int, int] = {}
    while True:
        # Only what nothing that is still in is preferred to excludes others, whatever the numbers of statements.
        unbeaten = {s for rivals in preferred.values() for s in rivals if not preferred.get(s, set()) - excluded.keys()}
        lost = {s: min(rivals & unbeaten) for s, rivals in preferred.items() if s not in excluded and rivals & unbeaten}
        if not lost:
            break
        excluded |= lost
    # What is left are circles, which settle nothing either.
    open_pairs |= {(loser, rival) for loser, rivals in preferred.items() for rival in rivals}
    undecided: dict[int, int] = {}
    for one, other in sorted(open_pairs):
        if one not in excluded and other not in excluded:
            undecided |= {one: other, other: one}
    return excluded, undecided


def _paired(table: VoteTable, one: int, other: int) -> tuple[int, int]:
    """Among those who voted on both, return how many agree only with the first, and only with the second."""
    votes = [_votes_on(table, table.statements.index(statement)) for statement in (one, other)]
    both = (votes[0] >= 0) & (votes[1] >= 0)
    agrees = [(each == AGREE + 1) & both for each in votes]
    return int((agrees[0] & ~agrees[1]).sum()), int((agrees[1] & ~agrees[0]).sum())


def _votes_on(table: VoteTable, position: int) -> NDArray[np.int8]:
    """Return each participant's vote + 1 on one statement, -1 where there is none: (participants,) int8."""
    found = np.flatnonzero((table.packed >> 2) == position)
    votes = np.full(len(table.participants), -1, dtype=np.int8)
    votes[np.searchsorted(table.starts, found, side="right") - 1] = (table.packed[found] & 3).astype(np.int8)
    return votes


def _named(claim: Entitlement, candidates: Sequence[int]) -> Entitlement:
    return claim if claim.candidate is None else replace(claim, candidate=candidates[claim.candidate])


def _named_core(found: CoreCertificate | Entitled, candidates: Sequence[int]) -> CoreCertificate | Entitled:
    if isinstance(found, Entitled):
        return replace(found, candidate=candidates[found.candidate])
    return found if found.strongest is None else replace(found, strongest=candidates[found.strongest])
