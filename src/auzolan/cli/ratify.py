"""`auzolan deliberate ratify`: from a tally to a certified selection of articles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auzolan.cli.ballots import Evidence
from auzolan.cli.commons import find_commons, read_user_file
from auzolan.cli.govern import CommonsOption, KeyOption, choose_key, propose_within
from auzolan.cli.output import JsonDict, JsonOption, handled, print_json, progress_bar
from auzolan.cli.records import named
from auzolan.cli.selection_table import print_selection
from auzolan.core.kinds.deliberate import Snapshot, Tally
from auzolan.core.kinds.selection import NotIncluded, Selection
from auzolan.core.record.canonical import as_int, as_list, as_object, read_json
from auzolan.core.record.errors import MalformedError, UsageError
from auzolan.core.record.record import Record
from auzolan.core.record.view import LedgerView

if TYPE_CHECKING:
    from auzolan.deliberate.ballots import Ballots
    from auzolan.deliberate.conversation import Statement
    from auzolan.deliberate.eligibility import GroupCounts
    from auzolan.deliberate.parameters import Parameters
    from auzolan.deliberate.votes import Labels, VoteTable


@handled
def ratify(
    record_id: Annotated[
        str | None, typer.Argument(metavar="[TALLY]", help="Or 8 or more of its first digits; default: the newest.")
    ] = None,
    seats: Annotated[
        int | None, typer.Option("--seats", min=1, help="For a trial: another number than the rules say.")
    ] = None,
    conflicts: Annotated[
        Path | None,
        typer.Option("--conflicts", metavar="FILE", help="JSON: pairs of statements that cannot both hold."),
    ] = None,
    key: KeyOption = None,
    commons: CommonsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Select articles from a tally in proportion to those who agree, with a certificate that anyone can check.

    What is selected is not ratified: people still have to vote on the wording.
    """
    place = find_commons(commons)
    pairs = _read_conflicts(conflicts) if conflicts else []
    with place.writing() as ledger:
        signing = choose_key(key, ledger)
        tally = named(ledger, record_id, Tally.KIND)
        snapshot = ledger.envelope(ledger.find(tally.links[Tally.SNAPSHOT])).claimed
        evidence = Evidence(place.public, place.private)
        with progress_bar("selecting"):
            selection, overview = _select(ledger, evidence, tally, snapshot, seats, pairs)
        record = selection.to_record()
        if not as_json:
            print_selection(overview)
        propose_within(place, ledger, [record], [signing], as_json, commit_at_once=True, quiet=as_json)
        if as_json:
            print_json({**overview, "record": record.id, "committed": ledger.index.find(record.id) is not None})


def _read_conflicts(path: Path) -> list[tuple[int, int]]:
    """Return the pairs in a JSON list of pairs of statement ids."""
    pairs = []
    for number, item in enumerate(as_list(read_json(read_user_file(path), str(path)), str(path))):
        pair = as_list(item, f"{path}: pair {number}")
        if len(pair) != 2:
            raise MalformedError(f"{path}: pair {number}: expected two statements")
        one, other = (as_int(each, f"{path}: pair {number}") for each in pair)
        if one == other:
            raise UsageError(f"{path}: pair {number}: a statement is not in conflict with itself")
        pairs.append((one, other))
    return pairs


def _select(
    ledger: LedgerView,
    evidence: Evidence,
    tally: Record,
    snapshot: Record,
    seats: int | None,
    conflicts: list[tuple[int, int]],
) -> tuple[Selection, JsonDict]:
    """Select from a tally, and gather what is shown of it."""
    from auzolan.deliberate.conversation import left_out
    from auzolan.deliberate.parameters import read_parameters
    from auzolan.deliberate.ratification import selection_of
    from auzolan.deliberate.selection import select

    both = [ledger.chain.at(ledger.find(each.id).position).rules for each in (tally, snapshot)]
    evidence.recount(tally, snapshot, *both)  # nothing is selected from a tally that does not hold
    current = ledger.chain.current
    by = read_parameters(as_object(current.rules.body.get("constitution"), "constitution"), seats)
    ballots, statements = evidence.ballots(snapshot), evidence.statements(snapshot)
    unknown = sorted({each for pair in conflicts for each in pair} - {each.id for each in statements})
    if unknown:
        raise UsageError(f"--conflicts: there is no statement {unknown[0]} in this conversation")
    labels = evidence.labels(tally, len(ballots.table.participants))
    groups = [*_opinion_groups(ballots, labels, tally), *_strata_that_veto(ballots, snapshot, by)]
    found = select(ballots.table, groups, left_out(statements), conflicts, by)
    selection = selection_of(
        found,
        tally=tally.id,
        rules=current.id,
        selected_at=datetime.now(UTC).date().isoformat(),
        trial=seats is not None and seats != current.rules.seats,
        rules_known=_rules_known(ledger, snapshot),
        by=by,
        conflicts=conflicts,
    )
    return selection, overview_of_selection(selection, ballots.table, statements, groups)


def _opinion_groups(ballots: Ballots, labels: Labels, tally: Record) -> list[GroupCounts]:
    from auzolan.deliberate.eligibility import GroupCounts
    from auzolan.deliberate.grouping import group_name

    sizes = Tally.from_record(tally).groups
    counts = ballots.table.counts(labels, len(sizes))
    return [GroupCounts(group_name(n), size, False, counts[n]) for n, size in enumerate(sizes)]


def _strata_that_veto(ballots: Ballots, snapshot: Record, by: Parameters) -> list[GroupCounts]:
    """Return the declared groups that may block: those that the rules name, if people were told apart well enough."""
    import numpy as np

    from auzolan.deliberate.eligibility import GroupCounts

    if Snapshot.from_record(snapshot).identity not in by.veto_identity:
        return []
    groups = []
    for column, stratum in enumerate(ballots.strata):
        if stratum.name not in by.veto:
            continue
        of_each = ballots.codes[:, column].astype(np.int16) - 1
        counts = ballots.table.counts(of_each, len(stratum.values))
        for number, value in enumerate(stratum.values):
            size = int((of_each == number).sum())
            groups.append(GroupCounts(f"{stratum.name}: {value}", size, True, counts[number], stratum.name))
    return groups


def _rules_known(ledger: LedgerView, snapshot: Record) -> str:
    """Return "before" if the parameters in force stood in the log before the votes came in, else "after"."""
    position = ledger.find(snapshot.id).position
    current = ledger.chain.current.rules.body.get("constitution")
    at_import = ledger.chain.at(position).rules.body.get("constitution")
    return "before" if current == at_import else "after"


def overview_of_selection(
    selection: Selection, table: VoteTable, statements: Sequence[Statement], groups: Sequence[GroupCounts]
) -> JsonDict:
    """Return what is shown of a selection, as JSON with floats; it follows from the record and the votes."""
    from auzolan.deliberate.bounds import jeffreys_ppm
    from auzolan.deliberate.opinion import smoothed_share

    texts, place = {each.id: each.text for each in statements}, {s: n for n, s in enumerate(table.statements)}
    shown = [group for group in groups if not group.may_block]
    lower = [jeffreys_ppm(group.counts[:, 0], group.counts.sum(axis=1))[0].tolist() for group in shown]
    totals = table.totals().tolist()

    def numbers(statement: int) -> JsonDict:
        at = place[statement]
        cells = [group.counts[at].tolist() for group in shown]
        gac = math.prod(smoothed_share(cell[0], sum(cell)) for cell in cells) if cells else None
        return {
            "statement_ids": [statement],
            "text": texts.get(statement, ""),
            "all": dict(zip(("agree", "disagree", "pass"), totals[at], strict=True)),
            "gac": gac,
            "groups": [
                {"id": group.name, "agree": a, "disagree": d, "pass": p, "seen": a + d + p, "lower": low[at] / 1e6}
                for group, (a, d, p), low in zip(shown, cells, lower, strict=True)
            ],
        }

    agree, disagree, passed = table.totals().sum(axis=0).tolist()
    return {
        "participants": len(table.participants),
        "statements": len(table.statements),
        "votes": {"agree": agree, "disagree": disagree, "pass": passed},
        "grade": selection.grade,
        "rules_known": selection.rules_known,
        "trial": selection.trial,
        "groups": [{"id": group.name, "size": group.size} for group in shown],
        "articles": [
            {
                "number": number,
                **numbers(each.statement),
                "status": "selected",
                "how": each.how,
                "admit_margin": 0,
                "block_margin": each.block_margin,
            }
            for number, each in enumerate(selection.articles, 1)
        ],
        "not_included": [
            {
                "statement_id": each.statement,
                "text": texts.get(each.statement, ""),
                "status": each.standing,
                "reason": reason(each),
                "lacking": each.admit_margin,
            }
            for each in selection.not_included
        ],
        "certificate": _certificate_json(selection),
    }


def reason(other: NotIncluded) -> str:
    """Return in words why a statement is no article."""
    named = " and ".join(f"group {name}" for name in other.against)
    lacks = "" if not other.admit_margin else f"; {other.admit_margin:,} more who agree would do"
    said = {
        "eligible": "enough people agree, but the seats went to statements whose supporters had fewer articles",
        "contested": f"{named} disagree(s): for the people's vote" if named else "for the people's vote",
        "blocked": f"{named} disagree(s), and the rules let it block",
        "not enough support": "of those who saw it, less than half agree, allowing for chance",
        "not enough votes": "too few people voted on it to say",
        "moderated out": "it was taken out by the moderators",
        "excluded by conflict": "it excludes a statement that those who voted on both prefer",
    }.get(other.standing, other.standing)
    rival = "" if other.rival is None else f" (#{other.rival})"
    return said + rival + lacks


def _certificate_json(selection: Selection) -> JsonDict | None:
    certificate = selection.certificate
    if certificate is None:
        return None
    core = {
        "multipliers": [each / 2**20 for each in certificate.multipliers],
        "margin": float(1 - certificate.reach),
        "strongest_excluded": certificate.strongest,
    }
    return {
        "seats": selection.parameters["seats"],
        "ejr_plus_ratio": float(certificate.ejr_ratio),
        "core": core if certificate.multipliers else None,
        "entitled": None if certificate.multipliers else certificate.strongest,
    }
