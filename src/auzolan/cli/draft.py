"""`auzolan deliberate draft` and `put-to-vote`: from a selection to the wording that people vote on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from auzolan.cli.ballots import Evidence
from auzolan.cli.commons import find_commons, find_ledger, read_user_file, write_file
from auzolan.cli.counting import today
from auzolan.cli.govern import CommonsOption, KeyOption, LedgerOption, choose_key, propose_within
from auzolan.cli.output import JsonDict, JsonOption, handled, hint, out, plain, print_json, short, talk
from auzolan.cli.records import linked, named
from auzolan.cli.shelf import pending_envelopes
from auzolan.core.kinds.constitution import Draft, check_language
from auzolan.core.kinds.deliberate import Snapshot, Tally
from auzolan.core.kinds.proposals import Shortlist
from auzolan.core.kinds.selection import Selection
from auzolan.core.record.errors import MalformedError, MissingError, UsageError, VerificationError
from auzolan.core.record.ledger import Ledger
from auzolan.core.record.record import Record
from auzolan.core.record.view import LedgerView

if TYPE_CHECKING:
    from auzolan.deliberate.wording.draft_writing import Material

Translations = Mapping[int, Mapping[str, str]]


@handled
def draft(
    record_id: Annotated[
        str | None, typer.Argument(metavar="[SELECTION]", help="Or 8 or more of its first digits; default: the newest.")
    ] = None,
    output: Annotated[Path, typer.Option("--output", metavar="FILE", help="The file to write.")] = Path(
        "constitution-draft.md"
    ),
    title: Annotated[str | None, typer.Option("--title", help="Of the constitution.")] = None,
    language: Annotated[
        str | None,
        typer.Option("--language", metavar="TAG", help="Of the statements; default: the shortlist's, or en."),
    ] = None,
    translations: Annotated[
        Path | None,
        typer.Option("--translations", metavar="FILE", help="CSV with the columns statement, language and text."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    commons: LedgerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write what was selected into a file, for people to edit the wording before it is voted on."""
    from auzolan.deliberate.wording.draft_writing import possible_duplicates, standings, write_draft
    from auzolan.deliberate.wording.instructions import suspicious

    if language is not None:
        _check_language(language)
    if output.exists() and not force:
        raise UsageError(f"{output} is there already; take another --output, or add --force to write over it")
    place = find_ledger(commons)
    with place.reading() as ledger:
        record = _selection_named(ledger, record_id)
        material = _material(ledger, Evidence(place.public, place.private), record)
        name, asked_in = ledger.chain.current.rules.name, _language_of(ledger, record)
    if translations:
        material = replace(material, translations=_read_translations(translations, material))
    outcome = Selection.from_record(record).outcome
    of, likes = standings(outcome), possible_duplicates(outcome, material.statements)
    if not of:
        raise UsageError("nothing was selected, so there is nothing to word")
    text = write_draft(outcome, record.id, title or f"Constitution of {name}", language or asked_in, material)
    write_file(output, text.encode())
    warnings = [
        f"#{statement} has {what}: read it before it goes further, as these words will teach one"
        for statement in of
        if (what := suspicious(material.statements[statement].text))
    ]
    warnings += [f"#{each} has no text here: write its words" for each in of if not material.statements[each].text]
    _warn(warnings)
    if as_json:
        standing = list(of.values())
        counted: JsonDict = {each: standing.count(each) for each in sorted(set(standing))}
        counts = {"principles": len(of), "by_standing": counted, "with_possible_duplicates": len(likes)}
        print_json({"file": str(output), "selection": record.id, **counts, "warnings": warnings})
        return
    out().print(plain(str(output)), soft_wrap=True)
    alike = f"; {len(likes):,} have statements alike, which only a person can merge" if likes else ""
    hint(f"{len(of):,} principles from selection {short(record.id)}{alike}")
    hint(f"edit the file, which says how; then fix the wording with: auzolan deliberate put-to-vote {output}")


def _language_of(ledger: LedgerView, selection: Record) -> str:
    """Return the language in which people were asked, where a shortlist says it; else English."""
    snapshot = linked(ledger, linked(ledger, selection, Selection.TALLY), Tally.SNAPSHOT)
    if Snapshot.SHORTLIST not in snapshot.links:
        return "en"
    return Shortlist.from_record(linked(ledger, snapshot, Snapshot.SHORTLIST)).method["language"]


def _check_language(tag: str) -> None:
    try:
        check_language(tag, "--language")
    except MalformedError as error:
        raise UsageError(str(error)) from None


def _selection_named(ledger: LedgerView, record_id: str | None) -> Record:
    """Return a selection that can be worded.

    Raises:
        UsageError: it is a trial.
    """
    if record_id is None:
        return _newest_that_counts(ledger)
    record = named(ledger, record_id, Selection.KIND)
    if Selection.from_record(record).trial:
        raise UsageError(
            f"selection {short(record.id)} is a trial, with another number of seats than the rules say; only what "
            "follows from the rules goes before the people: name another one, or run `auzolan deliberate ratify`"
        )
    return record


def _newest_that_counts(ledger: LedgerView) -> Record:
    """Return the newest selection that is no trial.

    Raises:
        MissingError: there is none.
    """
    for row in reversed(list(ledger.index.rows(Selection.KIND))):
        record = ledger.envelope(row).claimed
        if not Selection.from_record(record).trial:
            return record
    raise MissingError("there is no selection that follows from the rules yet; `auzolan deliberate ratify` makes one")


def _material(ledger: LedgerView, evidence: Evidence, selection: Record) -> Material:
    """Return the statements behind a selection, and their support as far as it is published."""
    from auzolan.deliberate.wording.draft_writing import Material

    tally = linked(ledger, selection, Selection.TALLY)
    snapshot = linked(ledger, tally, Tally.SNAPSHOT) if tally.kind == Tally.KIND else tally
    if snapshot.kind != Snapshot.KIND:
        raise VerificationError("the selection does not rest on a tally of votes")
    statements = {each.id: each for each in evidence.statements(snapshot)}
    outcome = Selection.from_record(selection).outcome
    named_there = {each.statement for each in outcome.articles} | {each.statement for each in outcome.clauses}
    if unknown := sorted((named_there | set(outcome.put_to_vote)) - statements.keys()):
        raise VerificationError(f"the selection names statement {unknown[0]}, which is not in the conversation")
    support = {each.id: each.all.lower_ppm for each in evidence.counts(tally).statements if each.all}
    return Material(statements, support)


def _read_translations(path: Path, material: Material) -> Translations:
    """Return statement -> language -> text."""
    from auzolan.deliberate.sources import cells
    from auzolan.deliberate.sources.texts import Texts

    table = cells.Table(str(path), read_user_file(path).splitlines(keepends=True))
    statement, language, text = (table.column(name) for name in ("statement", "language", "text"))
    found: dict[int, dict[str, str]] = {}
    for row in table:
        number = table.whole(statement)
        if number not in material.statements:
            raise table.wrong(statement, f"there is no statement {number} in this conversation")
        tag = check_language(row[language], table.where(language))
        if tag in found.setdefault(number, {}):
            raise table.wrong(language, f"statement {number} has two translations into {tag}")
        if not row[text].strip():
            raise table.wrong(text, "the translation is empty")
        found[number][tag] = Texts().clean(row[text], lambda why: table.wrong(text, why))
    return found


@handled
def put_to_vote(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The edited draft.")],
    poll: Annotated[Path, typer.Option("--poll", metavar="FILE", help="Where the statements to vote on go.")] = Path(
        "constitution-vote.csv"
    ),
    key: KeyOption = None,
    commons: CommonsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fix the wording in a signed record, and write the statements for people to vote on."""
    from auzolan.deliberate.wording.draft_file import read_draft
    from auzolan.deliberate.wording.drafting import draft_of, poll_csv, to_look_at

    edited = read_draft(_read_text(file), str(file))
    place = find_commons(commons)
    with place.writing() as ledger:
        try:
            selected = _selection_named(ledger, edited.selection)
        except MissingError:
            raise MissingError(f"{file}: selection {edited.selection[:16]}… is not in this commons") from None
        material = _material(ledger, Evidence(place.public, place.private), selected)
        made = draft_of(edited, selected.id, Selection.from_record(selected).outcome, material, today(), str(file))
        statements = poll_csv(made).encode()
        _refuse_other_poll(poll, statements)
        made, record = _known(ledger, made, [each.claimed for each in pending_envelopes(place)])
        warnings = list(to_look_at(made, {each.id: each.text for each in material.statements.values()}))
        _warn(warnings)
        if not as_json:
            _print_draft(made)
        is_known = ledger.index.find(record.id) is not None
        if is_known:
            hint(f"this wording is committed already: {short(record.id)}")
        else:
            signing = choose_key(key, ledger)
            propose_within(place, ledger, [record], [signing], as_json, commit_at_once=True, quiet=as_json)
        committed = ledger.index.find(record.id) is not None
    if committed:
        # Only wording that nobody can change any more is handed out for the vote.
        write_file(poll, statements)
    if as_json:
        view = {**record.body, "record": record.id, "committed": committed, "was_committed": is_known}
        print_json({**view, "poll": str(poll) if committed else None, "warnings": warnings})
    elif committed:
        out().print(plain(str(poll)), soft_wrap=True)
        _say_how_to_vote(poll)
    else:
        hint("once it is committed, run this again: it then writes the statements to vote on")


def _read_text(path: Path) -> str:
    try:
        return read_user_file(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError(f"{path}: not UTF-8 (byte {error.start + 1:,}); save it as UTF-8") from None


def _refuse_other_poll(path: Path, statements: bytes) -> None:
    if path.exists() and read_user_file(path) != statements:
        raise UsageError(f"{path} is there already and says something else; take another --poll, or move it away")


def _known(ledger: Ledger, made: Draft, pending: list[Record]) -> tuple[Draft, Record]:
    """Return a draft and its record: of another day where the same wording is committed or waits for signatures."""
    committed = [ledger.envelope(row).claimed for row in ledger.index.rows(Draft.KIND)]
    for record in (*committed, *(each for each in pending if each.kind == Draft.KIND)):
        other = Draft.from_record(record)
        if replace(made, drafted_at=other.drafted_at) == other and other.to_record().id == record.id:
            return other, record
    return made, made.to_record()


def _warn(warnings: list[str]) -> None:
    for each in warnings:
        talk().print(plain(f"look at this: {each}", 400), style="yellow")


def _print_draft(made: Draft) -> None:
    """Print every principle with what became of its words: what people will vote on must not surprise the editors."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(justify="right")
    grid.add_column(ratio=1, overflow="fold")
    for each in made.principles:
        rests = ", ".join(f"#{statement}" for statement in each.statements)
        by = f" by {plain(each.editor, 60)}" if each.editor else ""
        grid.add_row(each.number, Text(plain(each.text, 2_000)))
        grid.add_row("", Text(f"{each.standing}; {each.transformation}{by}, from {rests}", style="dim"))
    for left in made.left_out:
        said = f"left out: #{left.statement} by {plain(left.editor, 60)}: {plain(left.reason, 400)}"
        grid.add_row("", Text(said))
    out().print(grid)


def _say_how_to_vote(poll: Path) -> None:
    hint(f"Polis: start a new conversation, upload {poll} as seed statements, and let nobody add others")
    hint(
        "Decidim: a survey with a matrix (single option), rows '[1] first words', '[2] second words' ..., "
        "and agree, disagree, pass"
    )
    hint("a survey: ask about each statement, agree, disagree or pass, with its words as the name of the column")
    hint("when people have voted: auzolan deliberate confirm BALLOTS")
