"""From eligible statements to articles: selected in proportion to those who agree, with a certificate.

    1  judge        every statement's standing (`eligibility`)
    2  conflicts    of two that cannot both hold, one stays or both go to the people's vote (`conflicts`)
    3  select       the Method of Equal Shares on cast agreements; a statement that was not seen is not agreed with
    4  certify      EJR+ and the core, among the statements that could be selected
    5  put to vote  contested statements that would be articles if nobody contested them
    6  acknowledge  views of minorities that are entitled to be heard, though not all agree

In the people's vote on the wording (`final`) contested statements can be selected: groups that a computer found
never block alone. Not here: the wording of articles.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from auzolan.core.rules.approvals import Approvals
from auzolan.core.rules.core_certificate import ONE, CoreCertificate, Entitled, find_core_certificate
from auzolan.core.rules.entitled import Claim, entitled
from auzolan.core.rules.equal_shares import Elected, equal_shares
from auzolan.core.rules.phragmen import sequential_phragmen
from auzolan.core.rules.proportional import Entitlement, ejr_plus
from auzolan.deliberate.bounds import PPM, jeffreys_lower_ppm
from auzolan.deliberate.ratify.conflicts import Conflict, settle, settle_for_good
from auzolan.deliberate.ratify.eligibility import Array, GroupCounts, Judged, Standing, grade_of, judge, large_groups
from auzolan.deliberate.ratify.parameters import Parameters
from auzolan.deliberate.ratify.resampling import holds_of_100, unopposed_of_100
from auzolan.deliberate.votes import AGREE, VoteTable


@dataclass(frozen=True)
class Selected:
    """What was selected and why; statements by id.

    Attributes:
        grade: of the evidence, "A" or "B".
        judged: statement -> standing and margins.
        resampled: statement -> in how many of 100 resamples it keeps its support, and in how many no group is
            against it (None where nobody can be seen to be against).
        elected: in the order of election, candidates replaced by statement ids.
        excluded: statement -> the one that it is in conflict with and that was preferred.
        undecided: statement -> the one that it is in conflict with, where no preference is clear.
        candidates: ids of the statements that could be selected, ascending.
        proportional: the strongest claim against the selection by EJR+.
        core: the certificate, or who stands in its way; None where nothing could be selected.
        put_to_vote: contested statements that would be articles otherwise, in the order of election.
        clauses: views to be acknowledged, strongest first.
    """

    grade: str
    judged: dict[int, Judged]
    resampled: dict[int, tuple[int, int | None]]
    elected: tuple[Elected, ...]
    excluded: dict[int, int]
    undecided: dict[int, int]
    candidates: tuple[int, ...]
    proportional: Entitlement | None
    core: CoreCertificate | Entitled | None
    put_to_vote: tuple[int, ...]
    clauses: tuple[Claim, ...]


def select(
    table: VoteTable,
    groups: Sequence[GroupCounts],
    moderated_out: frozenset[int],
    conflicts: Sequence[Conflict],
    by: Parameters,
    final: bool = False,
) -> Selected:
    """Select articles.

    Args:
        table: the ballots.
        groups: opinion groups, and declared strata that may block.
        moderated_out: ids of statements that cannot become articles.
        conflicts: pairs of statements that cannot both hold.
        by: the community's parameters.
        final: whether this is the people's vote on the wording.
    """
    totals, n_voters = table.totals(), len(table.participants)
    grade = grade_of(totals)
    is_out = np.array([statement in moderated_out for statement in table.statements], dtype=bool)
    large = large_groups(groups, n_voters, by, grade)
    found = judge(totals, large, is_out, n_voters, by, grade, final)
    judged = dict(zip(table.statements, found, strict=True))
    good = (Standing.ELIGIBLE, Standing.CONTESTED) if final else (Standing.ELIGIBLE,)
    standing = [s for s in table.statements if judged[s].standing in good]
    agreeing = dict(zip(table.statements, totals[:, 0].tolist(), strict=True))
    deciding = agreeing if final else None
    excluded, open_pairs = settle(table, set(standing), conflicts, deciding, by.quorum(n_voters), by.is_small)
    undecided: dict[int, int] = {}
    if final:
        excluded |= settle_for_good(open_pairs, agreeing)
    else:
        for one, other in open_pairs:
            undecided |= {one: other, other: one}
        judged |= {s: replace(judged[s], standing=Standing.CONTESTED) for s in undecided}
    candidates = tuple(s for s in standing if s not in excluded and s not in undecided)
    elected, proportional, core = _elect(table, candidates, by)
    chosen = {each.candidate for each in elected}
    waiting = () if final else _put_to_vote(table, candidates, judged, open_pairs, by)
    few = {s for s, people in agreeing.items() if people < by.least_group(n_voters)}
    aside = chosen | set(waiting) | set(excluded) | set(undecided) | few
    may_be_heard = _may_be_heard(totals, large, table, judged, aside)
    heard = grade == "A" and not by.is_small
    return Selected(
        grade=grade,
        judged=judged,
        resampled=_resampled(totals, large, table, by, grade),
        elected=elected,
        excluded=excluded,
        undecided=undecided,
        candidates=candidates,
        proportional=proportional,
        core=core,
        put_to_vote=waiting,
        clauses=_clauses(table, elected, core, may_be_heard, by) if heard else (),
    )


def _elect(
    table: VoteTable, candidates: Sequence[int], by: Parameters
) -> tuple[tuple[Elected, ...], Entitlement | None, CoreCertificate | Entitled | None]:
    """Return who is elected, the strongest claim by EJR+, and the core certificate or who stands in its way."""
    if not candidates:
        return (), None, None
    profile = approvals_in(table, candidates)
    elected = _count(profile, by)
    winners = [each.candidate for each in elected]
    return (
        tuple(replace(each, candidate=candidates[each.candidate]) for each in elected),
        _named(ejr_plus(profile, winners, by.seats), candidates),
        _named_core(find_core_certificate(profile, winners, by.seats), candidates),
    )


def _count(profile: Approvals, by: Parameters) -> list[Elected]:
    outcome = equal_shares(profile, by.seats)
    elected = list(outcome.elected)
    if by.completion == "phragmen" and len(elected) < by.seats:
        elected += sequential_phragmen(profile, by.seats, outcome.winners, outcome.left)
    return elected


def _put_to_vote(
    table: VoteTable,
    candidates: Sequence[int],
    judged: dict[int, Judged],
    open_pairs: Sequence[Conflict],
    by: Parameters,
) -> tuple[int, ...]:
    """Return the contested statements that would be articles if nobody contested them, and all rivals of such."""
    contested = [s for s in table.statements if judged[s].standing is Standing.CONTESTED]
    if not contested:
        return ()
    all_of_them = sorted([*candidates, *contested])
    would = [all_of_them[each.candidate] for each in _count(approvals_in(table, all_of_them), by)]
    waiting = [s for s in would if s not in set(candidates)]
    waiting += [a if b == s else b for s in waiting for a, b in open_pairs if s in (a, b)]
    return tuple(dict.fromkeys(waiting))


def _may_be_heard(
    totals: Array, large: Sequence[GroupCounts], table: VoteTable, judged: dict[int, Judged], aside: Collection[int]
) -> list[int]:
    """Return the statements with votes enough that are no articles and that neither all nor a group clearly reject."""
    rejected = np.zeros(len(totals), dtype=bool)
    for counts in (totals, *(group.counts for group in large)):
        rejected |= jeffreys_lower_ppm(counts[:, 1], counts.sum(axis=1)) > PPM // 2
    kinds = (Standing.UNSUPPORTED, Standing.CONTESTED)
    return [
        s
        for s, is_rejected in zip(table.statements, rejected.tolist(), strict=True)
        if not is_rejected and s not in aside and judged[s].standing in kinds
    ]


def _clauses(
    table: VoteTable,
    elected: Sequence[Elected],
    core: CoreCertificate | Entitled | None,
    may_be_heard: Sequence[int],
    by: Parameters,
) -> tuple[Claim, ...]:
    """Return the views that are entitled to be heard, given the articles."""
    if not may_be_heard:
        return ()
    named = [*(each.candidate for each in elected), *may_be_heard]
    profile, n_elected = approvals_in(table, named), len(elected)
    # Without a certificate every article counts in full, so that nobody claims as if they had none.
    multipliers = core.multipliers if isinstance(core, CoreCertificate) else (ONE,) * n_elected
    found = entitled(profile, range(n_elected), multipliers, by.seats, range(n_elected, len(named)))
    return tuple(Claim(named[each.candidate], each.reach) for each in found)


def _resampled(
    totals: Array, large: Sequence[GroupCounts], table: VoteTable, by: Parameters, grade: str
) -> dict[int, tuple[int, int | None]]:
    holds = holds_of_100(totals, len(table.participants), by, grade).tolist()
    unopposed: list[int | None] = [None] * len(holds)
    if grade == "A":
        unopposed = unopposed_of_100(large, len(holds), by).tolist()
    return dict(zip(table.statements, zip(holds, unopposed, strict=True), strict=True))


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


def _named(claim: Entitlement, candidates: Sequence[int]) -> Entitlement:
    return claim if claim.candidate is None else replace(claim, candidate=candidates[claim.candidate])


def _named_core(found: CoreCertificate | Entitled, candidates: Sequence[int]) -> CoreCertificate | Entitled:
    if isinstance(found, Entitled):
        return replace(found, candidate=candidates[found.candidate])
    return found if found.strongest is None else replace(found, strongest=candidates[found.strongest])
