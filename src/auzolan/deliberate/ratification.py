"""From what was selected to the body of `selection/v1`, and checking such a record against the votes."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from auzolan.core.kinds.selection import Certificate, NotIncluded, SelectedArticle, Selection
from auzolan.core.record.errors import VerificationError
from auzolan.core.rules.core_certificate import CoreCertificate
from auzolan.deliberate import selection_check
from auzolan.deliberate.eligibility import Standing
from auzolan.deliberate.parameters import Parameters, read_parameters
from auzolan.deliberate.selection import Conflict
from auzolan.deliberate.selection import Selection as Found
from auzolan.deliberate.votes import Labels, VoteTable

GRADE = "A"  # ballots say agree, disagree or pass
EXCLUDED = "excluded by conflict"


def selection_of(
    found: Found,
    *,
    tally: str,
    rules: str,
    selected_at: str,
    trial: bool,
    rules_known: str,
    by: Parameters,
    conflicts: Sequence[Conflict],
    withheld: frozenset[int] = frozenset(),
) -> Selection:
    """Return the selection to sign.

    Args:
        found: what was selected.
        tally, rules: ids of the tally, and of the governance whose parameters were used.
        selected_at: ISO 8601 date.
        trial: whether the number of seats is another than the rules'.
        rules_known: "before" or "after" the votes came in.
        by: the parameters.
        conflicts: pairs declared to exclude each other.
        withheld: statements some of whose counts the tally withholds: margins and groups would tell them.
    """
    articles = tuple(
        SelectedArticle(
            each.candidate,
            each.how,
            None if each.candidate in withheld else found.judged[each.candidate].block_margin,
        )
        for each in found.elected
    )
    chosen = {each.statement for each in articles}
    others = []
    for statement, judged in found.judged.items():
        if statement in chosen:
            continue
        excluded = statement in found.excluded
        rival = found.excluded.get(statement, found.undecided.get(statement))
        standing = EXCLUDED if excluded else str(judged.standing)
        told = statement not in withheld
        others.append(
            NotIncluded(
                statement, standing, judged.against if told else (), rival, judged.admit_margin if told else None
            )
        )
    return Selection(
        tally=tally,
        rules=rules,
        selected_at=selected_at,
        grade=GRADE,
        trial=trial,
        rules_known=rules_known,
        parameters=by.as_json(),
        conflicts=tuple(sorted({(min(pair), max(pair)) for pair in conflicts})),
        articles=articles,
        not_included=tuple(others),
        certificate=_certificate(found),
    )


def _certificate(found: Found) -> Certificate | None:
    if found.proportional is None or found.core is None:
        return None
    return Certificate(
        ejr_statement=found.proportional.candidate,
        ejr_level=found.proportional.level,
        ejr_ratio=found.proportional.ratio,
        multipliers=found.core.multipliers if isinstance(found.core, CoreCertificate) else (),
        strongest=found.core.strongest if isinstance(found.core, CoreCertificate) else found.core.candidate,
        reach=found.core.reach,
    )


def verify_selection(
    selection: Selection, table: VoteTable, labels: Labels, moderated_out: frozenset[int], min_cell: int = 1
) -> Selection:
    """Return `selection` if it follows from the votes, by the check that shares no code with selecting.

    Checks: `selection_check`, steps 1 to 5; strata with a veto, and other rules about groups than "disagreement",
    are not looked at. Whoever has the ballots selects again as well and compares.

    Raises:
        VerificationError: a step fails.
    """
    by = read_parameters(selection.parameters)
    claim = _claim(selection, by.seats)
    out = moderated_out | {each.statement for each in selection.not_included if each.standing == EXCLUDED}
    out |= {each.statement for each in selection.not_included if each.standing == Standing.BLOCKED}
    listed = [*(each.statement for each in selection.articles), *(each.statement for each in selection.not_included)]
    if sorted(listed) != list(table.statements):
        raise VerificationError("the selection does not account for every statement once")
    n_voters = len(table.participants)
    votes = selection_check.lay_out(table, labels, max(by.least_group(n_voters), min_cell))
    if by.group_rule == "disagreement":
        limits = {
            "quorum": by.quorum(n_voters),
            "support_ppm": by.support_ppm,
            "contest_ppm": by.contest_ppm,
            "contest_votes": by.contest_votes,
        }
        selection_check.verify_standing(votes, table.statements, claim, out, limits)
    selection_check.verify_articles(claim)
    if selection.certificate is not None:
        selection_check.verify_ejr_plus(votes, table.statements, n_voters, claim)
        if selection.certificate.multipliers:
            selection_check.verify_core(votes, table.statements, n_voters, claim)
    return selection


def _claim(selection: Selection, seats: int) -> selection_check.Claim:
    certificate = selection.certificate
    articles = [each.statement for each in selection.articles]
    waiting = [each.statement for each in selection.not_included if each.standing == Standing.ELIGIBLE]
    return selection_check.Claim(
        seats=seats,
        articles=articles,
        eligible=sorted([*articles, *waiting]),
        contested=[each.statement for each in selection.not_included if each.standing == Standing.CONTESTED],
        conflicts=selection.conflicts,
        ratio=certificate.ejr_ratio if certificate else Fraction(0),
        multipliers=certificate.multipliers if certificate else (),
        reach=certificate.reach if certificate else Fraction(0),
    )
