"""`auzolan deliberate ratify`: from a tally to a certified selection of articles."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from auzolan.cli.ballots import Evidence
from auzolan.cli.commons import Commons, find_commons, read_user_file
from auzolan.cli.counting import today
from auzolan.cli.counts_only import ratify_counts
from auzolan.cli.decidim.counts import ratify_proposals
from auzolan.cli.decidim.store import import_with_proposals
from auzolan.cli.govern import CommonsOption, KeyOption, choose_key, propose_within
from auzolan.cli.outcome_view import view_of_outcome
from auzolan.cli.output import JsonDict, JsonOption, handled, hint, print_json, progress_bar, short
from auzolan.cli.propose import resolve
from auzolan.cli.records import erased_since, linked, named, newest_deliberation, rules_of
from auzolan.cli.selecting import first_import, outcome_of_tally, parameters_in, rules_known, smallest_cell
from auzolan.cli.selection_table import print_selection
from auzolan.core.kinds.deliberate import Snapshot, Tally
from auzolan.core.kinds.proposals import Proposals
from auzolan.core.kinds.selection import MAX_CONFLICTS, Selection
from auzolan.core.record.canonical import as_int, as_list, read_json
from auzolan.core.record.errors import MalformedError, MissingError, UsageError
from auzolan.core.record.record import Record
from auzolan.core.record.view import LedgerView


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
    counts: Annotated[
        Path | None,
        typer.Option("--counts", metavar="FILE", help="CSV of counts without ballots: a shortlist, nothing is signed."),
    ] = None,
    participants: Annotated[
        int | None, typer.Option("--participants", min=1, help="With counts alone: how many people could support.")
    ] = None,
    key: KeyOption = None,
    commons: CommonsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Select articles from a tally in proportion to those who agree, with a certificate that anyone can check.

    What is selected is not ratified: people still have to vote on the wording.
    """
    if counts is not None:
        if record_id or seats or conflicts or key or commons:
            raise UsageError("--counts reads counts without ballots: nothing is selected from them, nothing signed")
        ratify_counts(counts, participants, as_json)
        return
    place = find_commons(commons)
    imported = _counts_alone(place, record_id)
    if imported is not None:
        if seats or conflicts or key:
            raise UsageError("proposals with counts have no ballots: nothing is selected from them, nothing signed")
        ratify_proposals(Evidence(place.public, place.private), imported, participants, as_json)
        return
    if participants is not None:
        raise UsageError("--participants is for counts alone; a tally knows how many took part")
    pairs = _read_conflicts(conflicts) if conflicts else []
    with place.writing() as ledger:
        signing = choose_key(key, ledger)
        tally = named(ledger, record_id, Tally.KIND) if record_id else newest_deliberation(ledger)
        evidence = Evidence(place.public, place.private)
        with progress_bar("selecting"):
            record, view = _select(ledger, evidence, tally, seats, pairs)
        if not as_json:
            print_selection(view)
        if ledger.index.find(record.id):
            hint(f"selected and committed already: {short(record.id)}")
        else:
            propose_within(place, ledger, [record], [signing], as_json, commit_at_once=True, quiet=as_json)
        if as_json:
            print_json({**view, "record": record.id, "committed": ledger.index.find(record.id) is not None})
        elif not view["trial"]:
            hint("next: `auzolan deliberate draft` writes a file in which they are worded for the people's vote")


def _counts_alone(place: Commons, record_id: str | None) -> Record | None:
    """Return the import that is meant, where there are proposals with counts and no ballots of anybody yet."""
    with place.reading() as ledger:
        if record_id is not None:
            record = ledger.envelope(ledger.find(resolve(ledger, record_id))).claimed
            return record if record.kind == Proposals.KIND else None
        has_ballots = any(list(ledger.index.rows(kind)) for kind in (Snapshot.KIND, Tally.KIND))
        return (
            None if has_ballots or not list(ledger.index.rows(Proposals.KIND)) else import_with_proposals(ledger, None)
        )


def _read_conflicts(path: Path) -> list[tuple[int, int]]:
    """Return the pairs in a JSON list of pairs of statement ids."""
    pairs = []
    listed = as_list(read_json(read_user_file(path), str(path)), str(path))
    if len(listed) > MAX_CONFLICTS:
        raise UsageError(f"{path}: {len(listed):,} pairs, at most {MAX_CONFLICTS:,} can be declared")
    for number, item in enumerate(listed):
        pair = as_list(item, f"{path}: pair {number}")
        if len(pair) != 2:
            raise MalformedError(f"{path}: pair {number}: expected two statements")
        one, other = (as_int(each, f"{path}: pair {number}") for each in pair)
        if one == other:
            raise UsageError(f"{path}: pair {number}: a statement is not in conflict with itself")
        pairs.append((one, other))
    return pairs


def _select(
    ledger: LedgerView, evidence: Evidence, tally: Record, seats: int | None, conflicts: list[tuple[int, int]]
) -> tuple[Record, JsonDict]:
    """Select from a tally; return the record to sign, and what is shown of it."""
    from auzolan.deliberate.ratify.alike import alike_ballots

    snapshot = linked(ledger, tally, Tally.SNAPSHOT)
    try:
        # Nothing is selected from a tally that does not hold.
        counts = evidence.recount(tally, snapshot, *rules_of(ledger, tally, snapshot))
    except MissingError as error:
        raise MissingError(f"{error}{erased_since(ledger, snapshot)}") from None
    current, taken = ledger.chain.current, Snapshot.from_record(snapshot)
    by = parameters_in(current.rules, seats)
    snapshots = [(row.position, ledger.envelope(row).claimed) for row in ledger.index.rows(Snapshot.KIND)]
    known = rules_known(ledger.chain, first_import(snapshots, snapshot), ledger.head.size)
    least = smallest_cell(snapshot, current.rules)
    outcome = outcome_of_tally(evidence, tally, snapshot, by, least, conflicts, known)
    trial = by.seats != current.rules.seats
    record = Selection(tally.id, current.id, today(), trial, outcome).to_record()
    texts = {each.id: each.text for each in evidence.statements(snapshot)}
    alike = alike_ballots(evidence.ballots(snapshot).table, least)
    view = view_of_outcome(outcome, counts, taken, texts)
    return record, {**view, "trial": trial, "alike": alike._asdict()}
