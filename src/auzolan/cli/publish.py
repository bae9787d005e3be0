"""`auzolan deliberate publish`: a constitution, or a selection, as files that people read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auzolan.cli.ballots import Evidence
from auzolan.cli.check_steps import WRONG, check_record, linked_as
from auzolan.cli.commons import Commons, find_ledger, write_file
from auzolan.cli.decidim import writing_back
from auzolan.cli.govern import LedgerOption
from auzolan.cli.output import JsonDict, JsonOption, handled, hint, out, plain, print_json, progress_bar, short
from auzolan.cli.propose import resolve
from auzolan.cli.records import newest, rules_of
from auzolan.core.kinds.constitution import Constitution, Draft
from auzolan.core.kinds.deliberate import Snapshot, Tally
from auzolan.core.kinds.selection import Selection
from auzolan.core.record.errors import MissingError, UsageError, VerificationError
from auzolan.core.record.record import Record
from auzolan.core.record.view import LedgerView

if TYPE_CHECKING:  # numpy and scipy are loaded only by the commands that count
    from auzolan.deliberate.charter.gather import Poll
    from auzolan.deliberate.charter.view import Charter
    from auzolan.deliberate.overview import Dot

PAGES = "pages"
_TARGETS = (PAGES, writing_back.FILES, writing_back.API)
_NAMES = {Constitution.KIND: "constitution", Selection.KIND: "selection"}


_TargetArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[DIR|URL]",
        help="Where the files go, by default the folder of the commons; or the address of a Decidim's API.",
    ),
]
_RecordOption = Annotated[
    str | None,
    typer.Option("--record", metavar="ID", help="A constitution or a selection; default: the newest constitution."),
]
_LangOption = Annotated[
    str | None,
    typer.Option(
        "--lang",
        metavar="en,es,ca,eu",
        help="Languages, the main one first; default: en, and for a Decidim those of its proposals.",
    ),
]
_ToOption = Annotated[
    str,
    typer.Option("--to", metavar="|".join(_TARGETS), help="Pages for people, or what goes back to a Decidim."),
]


@handled
def publish(
    target: _TargetArgument = None,
    record_id: _RecordOption = None,
    lang: _LangOption = None,
    to: _ToOption = PAGES,
    replace_answers: writing_back.ReplaceOption = False,
    outcome: writing_back.OutcomeOption = None,
    state: writing_back.StateOption = None,
    mended_importer: writing_back.MendedOption = False,
    record_url: writing_back.RecordUrlOption = None,
    yes_notify_participants: writing_back.NotifyOption = False,
    credentials: writing_back.CredentialsOption = None,
    token_file: writing_back.TokenOption = None,
    client_id: writing_back.ClientOption = None,
    resend: writing_back.ResendOption = False,
    commons: LedgerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the constitution as pages, or as what goes back to a Decidim.

    Pages say who supports each article, what did not get in and why, and how to check it.

    Without a constitution, the newest selection, marked as not ratified. Counts are those that the tally publishes,
    counted again where the ballots are at hand; the pages say which.
    """
    if to not in _TARGETS:
        raise UsageError(f"--to: expected {' or '.join(_TARGETS)}, got {to[:40]!r}")
    decidim = writing_back.Asked(
        replace_answers, outcome, state, mended_importer, record_url, yes_notify_participants, credentials,
        token_file, client_id, resend,
    )  # fmt: skip
    decidim.refuse_unfit(to)
    place = find_ledger(commons)
    if to != PAGES:
        with place.reading() as ledger:
            writing_back.write_back(place, ledger, _record(ledger, record_id), to, target, lang, decidim, as_json)
        return
    languages = _languages(lang or "en")
    with place.reading() as ledger:
        record = _record(ledger, record_id)
        with progress_bar("counting"):
            charter = charter_of(ledger, Evidence(place.public, place.private), record)
    folder = Path(target) if target else place.root if isinstance(place, Commons) else Path()
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; expected a folder to write pages into")
    files = _write(charter, languages, folder, _NAMES[record.kind])
    said: JsonDict = {
        "record": record.id,
        "kind": record.kind,
        "title": charter.title,
        "recounted": charter.recounted,
        "languages": languages,
        "files": [str(path) for path in files],
    }
    if as_json:
        print_json(said)
        return
    for path in files:
        out().print(plain(str(path)), soft_wrap=True)
    counted = "counted again from the ballots" if charter.recounted else "as published; no ballots here to count again"
    hint(f"{_NAMES[record.kind]} {short(record.id)}; figures {counted}")


def _languages(lang: str) -> list[str]:
    """Return the languages of `--lang`, each once."""
    from auzolan.deliberate.charter.words import words_of

    found = list(dict.fromkeys(part.strip().lower() for part in lang.split(",") if part.strip()))
    if not found:
        raise UsageError("--lang: expected languages such as en,es")
    for language in found:
        words_of(language)
    return found


def _record(ledger: LedgerView, record_id: str | None) -> Record:
    """Return the record that a user named, else the newest constitution, else the newest selection."""
    if record_id is not None:
        record = ledger.envelope(ledger.find(resolve(ledger, record_id))).claimed
        if record.kind not in _NAMES:
            raise UsageError(f"{record_id[:16]} is of the kind {record.kind}, expected a constitution or a selection")
        return record
    for kind in _NAMES:
        if any(True for _ in ledger.index.rows(kind)):
            return newest(ledger, kind)
    raise MissingError("there is no constitution and no selection in this commons yet")


def charter_of(ledger: LedgerView, evidence: Evidence, record: Record) -> Charter:
    """Return what is shown of a constitution or a selection.

    Raises:
        VerificationError: it does not hold.
    """
    from auzolan.deliberate.charter.gather import charter_of_constitution, charter_of_selection

    wrong = [row for row in check_record(ledger, evidence, record).rows if row.result == WRONG]
    if wrong:
        raise VerificationError(f"nothing is published of what does not hold: {wrong[0].remark}")
    governance = ledger.chain.current.rules
    poll = _poll(ledger, evidence, linked_as(ledger, record, Constitution.TALLY, Tally.KIND))
    if record.kind == Selection.KIND:
        return charter_of_selection(record.id, Selection.from_record(record), poll, governance)
    draft = linked_as(ledger, record, Constitution.DRAFT, Draft.KIND)
    selection = linked_as(ledger, draft, Draft.SELECTION, Selection.KIND)
    earlier = _poll(ledger, evidence, linked_as(ledger, selection, Selection.TALLY, Tally.KIND))
    behind = Draft.from_record(draft), Selection.from_record(selection), earlier
    charter = charter_of_constitution(record.id, Constitution.from_record(record), poll, behind, governance)
    return replace(charter, recounted=poll.recounted and earlier.recounted)


def _poll(ledger: LedgerView, evidence: Evidence, record: Record) -> Poll:
    """Return a vote as it is published, counted again and with its map where the ballots are at hand.

    Raises:
        VerificationError: the published counts are not possible, or not what the ballots amount to.
    """
    from auzolan.deliberate.charter.gather import Poll
    from auzolan.deliberate.tally import verify_counts

    snapshot, tally = linked_as(ledger, record, Tally.SNAPSHOT, Snapshot.KIND), Tally.from_record(record)
    statements, recounted = evidence.statements(snapshot), True
    dots: tuple[Dot, ...] = ()
    try:
        counts = evidence.recount(record, snapshot, *rules_of(ledger, record, snapshot))
        dots = _dots(evidence, record, snapshot, tally.min_cell)
    except MissingError:
        counts, recounted = evidence.counts(record), False
    verify_counts(counts, tally, [each.id for each in statements])
    taken = Snapshot.from_record(snapshot)
    return Poll(snapshot.id, record.id, taken, tally, counts, statements, recounted, dots)


def _dots(evidence: Evidence, record: Record, snapshot: Record, min_cell: int) -> tuple[Dot, ...]:
    """Return the opinion map, whose dots stand for several people each."""
    from auzolan.deliberate.conversation import left_out
    from auzolan.deliberate.grouping import seed_of
    from auzolan.deliberate.overview import opinion_map
    from auzolan.deliberate.plane import opinion_plane

    table = evidence.ballots(snapshot).table
    labels = evidence.labels(record, len(table.participants))
    placed = labels >= 0
    if not placed.any():
        return ()
    places = opinion_plane(table, placed, left_out(evidence.statements(snapshot)), seed_of(table))
    return opinion_map(places, labels[placed], least=min_cell)


def _write(charter: Charter, languages: list[str], folder: Path, name: str) -> list[Path]:
    """Write both faces in every language; the first one has the plain names."""
    from auzolan.deliberate.charter.html import html_page
    from auzolan.deliberate.charter.markdown import markdown
    from auzolan.deliberate.charter.words import words_of

    files = []
    for face, suffix in ((markdown, "md"), (html_page, "html")):
        named = [
            (each, f"{name}.{suffix}" if n == 0 else f"{name}.{each}.{suffix}") for n, each in enumerate(languages)
        ]
        for language, file in named:
            path = folder / file
            write_file(path, face(charter, words_of(language), named).encode())
            files.append(path)
    return files
