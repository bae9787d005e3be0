"""From records to what `check` looks at: an outcome, the votes behind it, and how far each step can be taken.

Where ballots are withheld, what the tally publishes takes their place: the
statements whose counts are all published can be checked, the others cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from auzolan.core.kinds.selection import Outcome
from auzolan.core.record.errors import VerificationError
from auzolan.deliberate.ballots import Ballots
from auzolan.deliberate.grouping import group_name
from auzolan.deliberate.ratify import check, standing
from auzolan.deliberate.ratify.parameters import Parameters, read_parameters
from auzolan.deliberate.tally import OPINION, Cell, Counts
from auzolan.deliberate.votes import Labels

RECOMPUTED, IN_PART, NOT_CHECKED, WRONG = "recomputed", "in part", "not checked", "wrong"


class Step(NamedTuple):
    """One step of `check`.

    Attributes:
        number, name, question: as they are shown.
        verify: raises if it does not hold.
        without_ballots: what is left of it where only counts are published: "all", the "counts", a "part" or "".
    """

    number: int
    name: str
    question: str
    verify: Callable[[standing.Case], None]
    without_ballots: str


class Finding(NamedTuple):
    """What came of a step: one of `RECOMPUTED`, `IN_PART`, `NOT_CHECKED`, `WRONG`, and a remark."""

    step: Step
    result: str
    remark: str


STEPS = (
    Step(1, "standing", "Is each statement where votes put it?", check.verify_standing, "counts"),
    Step(2, "articles", "No more articles than seats, none twice?", check.verify_articles, "all"),
    Step(3, "conflicts", "Was each conflict settled as preferred?", check.verify_conflicts, "part"),
    Step(4, "EJR+", "Has each group the articles it is due?", check.verify_ejr_plus, ""),
    Step(5, "core", "Could no group do better on its own?", check.verify_core, ""),
    Step(6, "clauses", "Are entitled views acknowledged?", check.verify_clauses, "part"),
    Step(7, "margins", "Are the margins as is said?", check.verify_margins, "counts"),
)


def case_of_ballots(
    outcome: Outcome,
    ballots: Ballots,
    labels: Labels,
    *,
    identity: str,
    moderated_out: frozenset[int],
    min_cell: int,
    withheld: frozenset[int],
    final: bool = False,
) -> standing.Case:
    """Return what to check, from the ballots.

    Args:
        outcome: what the rules are said to have made of the votes.
        ballots: of the snapshot.
        labels: opinion group of each participant, as the tally stored them.
        identity: how participants were told apart, as the snapshot says.
        moderated_out: statements that were taken out.
        min_cell: smaller groups are not told of.
        withheld: statements some of whose counts the tally withholds: their margins and groups are so too.
        final: whether this is the people's vote on a wording, in which contested statements may be articles.

    Raises:
        MalformedError: the parameters are not understood.
    """
    table, by = ballots.table, read_parameters(outcome.parameters)
    n = len(table.participants)
    n_groups = int(labels.max(initial=-1)) + 1
    voted = standing.count(table, labels, n_groups)
    names = [group_name(number) for number in range(n_groups)]
    sizes = np.bincount(labels + 1, minlength=n_groups + 1)[1:].tolist()
    groups = [standing.Group(*each) for each in zip(names, [""] * n_groups, [False] * n_groups, voted[1:], strict=True)]
    for column, stratum in enumerate(ballots.strata):
        if stratum.name in by.veto and identity in by.veto_identity:
            of_each = ballots.codes[:, column].astype(np.int16) - 1
            counted = standing.count(table, of_each, len(stratum.values))[1:]
            named = [f"{stratum.name}: {value}" for value in stratum.values]
            groups += [
                standing.Group(name, stratum.name, True, each) for name, each in zip(named, counted, strict=True)
            ]
            sizes += np.bincount(of_each + 1, minlength=len(named) + 1)[1:].tolist()
    return standing.Case(
        outcome=outcome,
        by=by,
        final=final,
        statements=table.statements,
        moderated_out=moderated_out,
        told=frozenset(table.statements) - withheld,
        n_voters=n,
        ids=table.statements,
        totals=voted.sum(axis=0),
        groups=_large(groups, sizes, n, by, min_cell) if outcome.grade == "A" else (),
        table=table,
    )


def case_of_counts(
    outcome: Outcome,
    counts: Counts,
    n_participants: int,
    *,
    identity: str,
    moderated_out: frozenset[int],
    min_cell: int,
    final: bool = False,
) -> standing.Case:
    """Return what can be checked without ballots, from the counts that a tally publishes; see `case_of_ballots`.

    Raises:
        MalformedError: the parameters are not understood.
    """
    by = read_parameters(outcome.parameters)
    blocks = by.veto if identity in by.veto_identity else ()
    heard = [n for n, each in enumerate(counts.divisions) if each.name == OPINION or each.name in blocks]
    rows = [each for each in counts.statements if each.all and all(each.by[n] is not None for n in heard)]
    if any(counts.divisions[n].sizes is None for n in heard):
        rows, heard = [], []  # it is withheld whose votes may count
    groups, sizes = [], list[int]()
    for n in heard:
        division = counts.divisions[n]
        opinion = division.name == OPINION
        sizes += division.sizes or ()
        for place, value in enumerate(division.values):
            column = [cells[place] for row in rows if (cells := row.by[n])]
            name, of = (value, "") if opinion else (f"{division.name}: {value}", division.name)
            groups.append(standing.Group(name, of, not opinion, _numbers(column)))
    return standing.Case(
        outcome=outcome,
        by=by,
        final=final,
        statements=[each.id for each in counts.statements],
        moderated_out=moderated_out,
        told=frozenset(each.id for each in rows),
        n_voters=n_participants,
        ids=[each.id for each in rows],
        totals=_numbers([each.all for each in rows if each.all]),
        groups=_large(groups, sizes, n_participants, by, min_cell) if outcome.grade == "A" else (),
    )


def _numbers(cells: Sequence[Cell]) -> standing.Numbers:
    listed = [[cell.disagree, cell.passed, cell.agree] for cell in cells]
    return np.array(listed, dtype=np.int64).reshape(-1, 3)


def _large(
    groups: Sequence[standing.Group], sizes: Sequence[int], n_voters: int, by: Parameters, min_cell: int
) -> list[standing.Group]:
    """Leave out the groups that are too small to be heard, and in small communities those found in votes."""
    least = max(by.group_least, -(-n_voters * by.group_percent // 100), min_cell)
    return [
        group
        for group, size in zip(groups, sizes, strict=True)
        if size >= least and (group.may_block or not standing.is_small(by))
    ]


def check_outcome(case: standing.Case) -> tuple[Finding, ...]:
    """Take every step as far as it can be taken; after one that fails, the others are not looked at."""
    found: list[Finding] = []
    for step in STEPS:
        if any(each.result == WRONG for each in found):
            found.append(Finding(step, NOT_CHECKED, "not looked at"))
        elif case.table is None and not step.without_ballots:
            found.append(Finding(step, NOT_CHECKED, "ballots are not here"))
        else:
            try:
                step.verify(case)
            except VerificationError as error:
                found.append(Finding(step, WRONG, str(error)))
            else:
                found.append(Finding(step, *_how_far(case, step)))
    return tuple(found)


def _how_far(case: standing.Case, step: Step) -> tuple[str, str]:
    certificate = case.outcome.certificate
    if case.table is not None and step.verify is check.verify_core and certificate and case.articles:
        # No certificate is nothing wrong, but no proof either.
        none = f"no certificate was found: statement {certificate.strongest} may be entitled to a seat"
        return RECOMPUTED, "" if certificate.multipliers else none
    if case.table is not None or step.without_ballots == "all":
        return RECOMPUTED, ""
    if step.without_ballots == "part":
        return IN_PART, "in part: what shows without ballots"
    return IN_PART, f"from published counts: {len(case.ids):,} of {len(case.statements):,} statements"


def verify_outcome(
    outcome: Outcome,
    ballots: Ballots,
    labels: Labels,
    *,
    identity: str,
    moderated_out: frozenset[int],
    min_cell: int,
    withheld: frozenset[int],
    final: bool = False,
) -> Outcome:
    """Return `outcome` if every step holds; see `case_of_ballots`.

    Raises:
        VerificationError: a step fails.
        MalformedError: the parameters are not understood.
    """
    case = case_of_ballots(
        outcome,
        ballots,
        labels,
        identity=identity,
        moderated_out=moderated_out,
        min_cell=min_cell,
        withheld=withheld,
        final=final,
    )
    for step in STEPS:
        step.verify(case)
    return outcome
