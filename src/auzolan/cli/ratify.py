"""`auzolan deliberate ratify`: from a tally to a certified selection of articles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auzolan.cli.ballots import Evidence, rules_known
from auzolan.cli.commons import find_commons, read_user_file
from auzolan.cli.govern import CommonsOption, KeyOption, choose_key, propose_within
from auzolan.cli.output import JsonDict, JsonOption, handled, hint, print_json, progress_bar, short
from auzolan.cli.records import linked, named, rules_of
from auzolan.cli.selection_table import print_selection
from auzolan.core.kinds.deliberate import Snapshot, Tally
from auzolan.core.kinds.selection import NotIncluded, Selection
from auzolan.core.record.canonical import as_int, as_list, as_object, read_json
from auzolan.core.record.errors import MalformedError, UsageError
from auzolan.core.record.record import Record
from auzolan.core.record.view import LedgerView

if TYPE_CHECKING:
    from auzolan.deliberate.conversation import Statement
    from auzolan.deliberate.tally import Cell, Counts


@handled
def ratify(
    record_id: Annotated[
        str | None, typer.Argument(metavar="[TALLY]", help="Or 8 or more of its first digits; default: the newest.")
    ] = None,
    seats: Annotated[
        int | None, typer.Option("--seats", min=1, max=1_000, help="For a trial: another number than the rules say.")
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
        snapshot = linked(ledger, tally, Tally.SNAPSHOT)
        evidence = Evidence(place.public, place.private)
        with progress_bar("selecting"):
            selection, overview = _select(ledger, evidence, tally, snapshot, seats, pairs)
        record = selection.to_record()
        if not as_json:
            print_selection(overview)
        if ledger.index.find(record.id):
            hint(f"selected and committed already: {short(record.id)}")
        else:
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
    from auzolan.deliberate.parameters import read_parameters

    counts = evidence.recount(
        tally, snapshot, *rules_of(ledger, tally, snapshot)
    )  # nothing is selected from a tally that does not hold
    current, taken = ledger.chain.current, Snapshot.from_record(snapshot)
    by = read_parameters(as_object(current.rules.body.get("constitution"), "constitution"), seats)
    snapshots = [(row.position, ledger.envelope(row).claimed) for row in ledger.index.rows(Snapshot.KIND)]
    selection = evidence.select(
        tally,
        snapshot,
        by,
        1 if taken.privacy == "public" else current.rules.min_cell,
        rules=current.id,
        selected_at=datetime.now(UTC).date().isoformat(),
        trial=by.seats != current.rules.seats,
        rules_known=rules_known(ledger.chain, snapshots, snapshot, ledger.head.size),
        conflicts=conflicts,
    )
    return selection, overview_of_selection(selection, counts, taken, evidence.statements(snapshot))


def overview_of_selection(
    selection: Selection, counts: Counts, taken: Snapshot, statements: Sequence[Statement]
) -> JsonDict:
    """Return what is shown of a selection, as JSON with floats: votes only as far as the tally publishes them."""
    from auzolan.deliberate.opinion import smoothed_share

    texts, rows = {each.id: each.text for each in statements}, {each.id: each for each in counts.statements}
    names, sizes = counts.divisions[0].values, counts.divisions[0].sizes or ()

    def numbers(statement: int) -> JsonDict:
        row = rows[statement]
        cells = row.by[0]
        shares = [smoothed_share(cell.agree, cell.agree + cell.disagree + cell.passed) for cell in cells or ()]
        return {
            "statement_ids": [statement],
            "text": texts.get(statement, ""),
            "all": None if row.all is None else _votes(row.all),
            "gac": math.prod(shares) if shares else None,
            "groups": None if cells is None else [{"id": n, **_cell(c)} for n, c in zip(names, cells, strict=True)],
        }

    shown = [each.all for each in counts.statements if each.all]
    return {
        "participants": taken.n_participants,
        "statements": len(counts.statements),
        "votes": {
            "agree": sum(cell.agree for cell in shown),
            "disagree": sum(cell.disagree for cell in shown),
            "pass": sum(cell.passed for cell in shown),
        },
        "grade": selection.grade,
        "rules_known": selection.rules_known,
        "trial": selection.trial,
        "groups": [{"id": name, "size": size} for name, size in zip(names, sizes, strict=True)],
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


def _votes(cell: Cell) -> JsonDict:
    return {"agree": cell.agree, "disagree": cell.disagree, "pass": cell.passed}


def _cell(cell: Cell) -> JsonDict:
    return {**_votes(cell), "seen": cell.agree + cell.disagree + cell.passed, "lower": cell.lower_ppm / 1e6}


def reason(other: NotIncluded) -> str:
    """Return in words why a statement is no article."""
    named = " and ".join(f"group {name}" for name in other.against)
    lacks = "" if not other.admit_margin else f"; {other.admit_margin:,} more who agree would do"
    said = {
        "eligible": "enough people agree, but the seats went to statements whose supporters had fewer articles",
        "contested": f"{named} against it: for the people's vote" if named else "for the people's vote",
        "blocked": f"{named} against it, and the rules let declared groups block",
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
