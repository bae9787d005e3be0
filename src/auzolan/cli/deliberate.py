"""`auzolan deliberate`: votes in, counted, and counted again by others."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from auzolan.cli import check, confirm, diff, draft, importing, publish, ratify, statistics, why
from auzolan.cli.ballots import Evidence
from auzolan.cli.commons import Commons, find_commons, find_ledger
from auzolan.cli.counting import take_tally, today
from auzolan.cli.decidim import kit
from auzolan.cli.govern import CommonsOption, KeyOption, LedgerOption, choose_key, propose_within
from auzolan.cli.output import JsonDict, JsonOption, handled, hint, out, plain, print_json, progress_bar, short
from auzolan.cli.records import linked, named, newest, rules_of
from auzolan.cli.shelf import Shelf, pending_envelopes
from auzolan.core.kinds.constitution import Constitution, Draft
from auzolan.core.kinds.deliberate import SUPERSEDES, Snapshot, Tally
from auzolan.core.kinds.oversee import Endorsement
from auzolan.core.kinds.selection import Selection
from auzolan.core.record.disk import DiskFiles
from auzolan.core.record.errors import UsageError
from auzolan.core.record.governance import Governance
from auzolan.core.record.published import blob_path
from auzolan.core.record.record import Record
from auzolan.core.record.tombstone import TOMBSTONE_KIND
from auzolan.core.record.view import BLOB_LIMIT, LedgerView

app = typer.Typer(help="Votes come in, are counted by anyone, and become articles.", no_args_is_help=True)
app.command("stats")(statistics.stats)
app.command("import")(importing.import_)

RecordArgument = Annotated[
    str | None, typer.Argument(metavar="[ID]", help="Or 8 or more of its first digits; default: the newest.")
]


def _rules(ledger: LedgerView) -> Governance:
    if not ledger.chain.versions:
        raise UsageError("the rules of this commons are not committed yet; see `auzolan pending`")
    return ledger.chain.current.rules


def _propose(shelf: Shelf, record: Record, key: str | None, as_json: bool) -> None:
    """Sign and, if nothing is lacking, commit; under the lock under which the blobs were kept."""
    signing = choose_key(key, shelf.ledger)
    propose_within(shelf.place, shelf.ledger, [record], [signing], as_json, commit_at_once=True)
    shelf.mark_proposed(record.private_blobs.values())


@app.command("tally")
@handled
def tally(
    record_id: RecordArgument = None,
    k: Annotated[int | None, typer.Option("--group-count", metavar="2-5", help="How many to find.")] = None,
    key: KeyOption = None,
    commons: CommonsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find opinion groups in a snapshot, count its votes, and propose the signed tally."""
    place = find_commons(commons)
    with place.writing() as ledger:
        shelf = Shelf(place, ledger)
        shelf.sweep()
        snapshot = named(ledger, record_id, Snapshot.KIND)
        smallest = 1 if Snapshot.from_record(snapshot).privacy == "public" else _rules(ledger).min_cell
        _refuse_replaced(place, ledger, snapshot)
        earlier = _earlier_tallies(ledger, snapshot, smallest)
        with progress_bar("grouping and counting"):
            record = _tally(shelf, snapshot, earlier, smallest, k)
        if not as_json:
            _say_what_was_counted(Tally.from_record(record))
        _propose(shelf, record, key, as_json)


def _tally(shelf: Shelf, snapshot: Record, earlier: list[Record], smallest: int, k: int | None) -> Record:
    """Count a committed snapshot and return the tally to sign; see `counting.take_tally`."""
    evidence = Evidence(shelf.place.public, shelf.place.private)
    ballots, statements = evidence.ballots(snapshot), evidence.statements(snapshot)
    published = [evidence.counts(each) for each in earlier]
    return take_tally(shelf, snapshot, ballots, statements, published, smallest, k).record


def _say_what_was_counted(tally: Tally) -> None:
    sizes = ", ".join(f"{size:,}" for size in tally.groups) or "none"
    hint(f"opinion groups: {sizes}; in none: {tally.n_unassigned:,}")
    if tally.n_withheld:
        n = tally.n_withheld
        hint(f"counts by group withheld on {n:,} statements: fewer than {tally.min_cell} people stand behind one")
    hint("next: `auzolan deliberate stats` shows what people agree on, `ratify` selects articles")


def _refuse_replaced(place: Commons, ledger: LedgerView, snapshot: Record) -> None:
    """Refuse to tally ballots that were replaced, or will be once a pending tombstone is committed.

    Raises:
        UsageError: so it is.
    """
    committed = (ledger.envelope(row).claimed for row in ledger.index.rows(Snapshot.KIND))
    waiting = [envelope.claimed for envelope in pending_envelopes(place)]
    for record in (*committed, *waiting):
        if record.kind in (Snapshot.KIND, TOMBSTONE_KIND) and snapshot.id in record.links.values():
            raise UsageError(f"somebody in this snapshot asked to be forgotten: see {short(record.id)}")


def _earlier_tallies(ledger: LedgerView, snapshot: Record, smallest: int) -> list[Record]:
    """Return the tallies of the snapshots that this one continues.

    Raises:
        UsageError: so few people were forgotten since one of them that subtracting would show how they voted.
    """
    tallies = [ledger.envelope(row).claimed for row in ledger.index.rows(Tally.KIND)]
    here, earlier, found = Snapshot.from_record(snapshot), snapshot, []
    while SUPERSEDES in earlier.links:
        earlier = ledger.envelope(ledger.find(earlier.links[SUPERSEDES])).claimed
        of_it = [record for record in tallies if record.links[Tally.SNAPSHOT] == earlier.id]
        fewer = here.n_forgotten - Snapshot.from_record(earlier).n_forgotten
        if of_it and fewer < smallest:
            raise UsageError(
                f"since the last tally {fewer} participant(s) were forgotten, and the difference of two tallies would "
                f"show how they voted; a new one can be made once {smallest} are (min_cell under [ballots])"
            )
        found += of_it
    return found


@app.command("recount")
@handled
def recount(
    record_id: RecordArgument = None,
    ballots: Annotated[
        Path | None, typer.Option("--ballots", metavar="DIR", help="What `hand-over` wrote; default: this commons.")
    ] = None,
    key: Annotated[
        str | None, typer.Option("--key", metavar="NAME", help="If all is right, say so on record with this key.")
    ] = None,
    commons: LedgerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Count a tally's ballots again. Exit code 0: the same in every count, 1: not, 3: the ballots are not here."""
    place = find_ledger(commons)
    with place.reading() as ledger:
        record = named(ledger, record_id, Tally.KIND)
        snapshot = linked(ledger, record, Tally.SNAPSHOT)
        rules = rules_of(ledger, record, snapshot)
    evidence = Evidence(place.public, DiskFiles(ballots) if ballots else place.private)
    counts = evidence.recount(record, snapshot, *rules)
    said: JsonDict = {
        "tally": record.id,
        "snapshot": snapshot.id,
        "verdict": "recomputed",
        "statements": len(counts.statements),
        "participants": Snapshot.from_record(snapshot).n_participants,
    }
    if as_json and key is None:
        print_json(said)
    elif not as_json:
        out().print(f"recomputed: tally {short(record.id)}, {said['statements']:,} statements, the same in every count")
        hint("groups were read and not found again; `auzolan trace` walks on from here")
    if key is not None:
        if not isinstance(place, Commons):
            raise UsageError("an endorsement needs your own copy of the commons, not a published one")
        endorsement = Endorsement(record.id, "recomputed", today(), "").to_record()
        with place.writing() as ledger:
            if ledger.index.find(endorsement.id):
                hint("you said so on record today already")
                return
            _propose(Shelf(place, ledger), endorsement, key, as_json)


@app.command("hand-over")
@handled
def hand_over(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder to give to an auditor.")],
    record_id: Annotated[
        str | None,
        typer.Option(
            "--tally", metavar="ID", help="Default: both tallies behind the newest constitution, or the newest tally."
        ),
    ] = None,
    commons: CommonsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy the ballots behind a tally into a folder for an auditor; they are about single people, so take care."""
    place = find_commons(commons)
    with ExitStack() as stack:
        ledger = stack.enter_context(place.reading())
        tallies = [named(ledger, record_id, Tally.KIND)] if record_id else _tallies_to_check(ledger)
        snapshots = [linked(ledger, each, Tally.SNAPSHOT) for each in tallies]
        if "private" in (_rules(ledger).ballots, *(Snapshot.from_record(each).privacy for each in snapshots)):
            raise UsageError("these ballots are private by the rules; nobody outside may have them")
        digests = [digest for each in (*snapshots, *tallies) for digest in each.private_blobs.values()]
        if not digests:
            raise UsageError("the ballots are public; an auditor needs nothing more")
        if place.root.resolve() in (folder.resolve(), *folder.resolve().parents):
            raise UsageError(f"{folder} is inside the commons; take a folder elsewhere")
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(f"{folder} is no empty folder")
        private = place.private
        DiskFiles(folder, private=True).write_all(
            {blob_path(d): private.read(blob_path(d), BLOB_LIMIT) for d in digests}
        )
    if as_json:
        print_json({"folder": str(folder), "tallies": [each.id for each in tallies], "blobs": digests})
        return
    out().print(plain(str(folder)), soft_wrap=True)
    for each in tallies:
        hint(f"they count with: auzolan deliberate recount {each.id[:16]} --commons COPY --ballots {folder}")
    hint(f"and check what was made of it with: auzolan deliberate check --commons COPY --ballots {folder}")
    hint("it says how each pseudonym voted: hand it to nobody else, and ask for it to be erased afterwards")


def _tallies_to_check(ledger: LedgerView) -> list[Record]:
    """Return the tallies of the newest constitution and of its selection, or the newest tally."""
    if not list(ledger.index.rows(Constitution.KIND)):
        return [newest(ledger, Tally.KIND)]
    constitution = newest(ledger, Constitution.KIND)
    selection = linked(ledger, linked(ledger, constitution, Constitution.DRAFT), Draft.SELECTION)
    return [linked(ledger, constitution, Constitution.TALLY), linked(ledger, selection, Selection.TALLY)]


app.command("kit")(kit.kit)
app.command("ratify")(ratify.ratify)
app.command("why")(why.why)
app.command("confirm")(confirm.confirm)
app.command("diff")(diff.diff)
app.command("draft")(draft.draft)
app.command("put-to-vote")(draft.put_to_vote)
app.command("check")(check.check)
app.command("publish")(publish.publish)
