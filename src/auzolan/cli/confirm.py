"""`auzolan deliberate confirm`: the people's vote on the wording, by which alone anything is ratified."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auzolan.cli import reading
from auzolan.cli.commons import Commons, find_commons
from auzolan.cli.counting import refuse_name_in_use, take_snapshot, take_tally, today
from auzolan.cli.govern import CommonsOption, KeyOption, choose_key, propose_within
from auzolan.cli.outcome_view import view_of_outcome
from auzolan.cli.output import JsonDict, JsonOption, handled, hint, print_json, progress_bar, short
from auzolan.cli.records import linked, named, newest
from auzolan.cli.selecting import conflicts_of, outcome_from, parameters_in, rules_known, smallest_cell
from auzolan.cli.selection_table import print_constitution
from auzolan.cli.shelf import Shelf, pending_envelopes
from auzolan.core.kinds.constitution import Constitution, Draft
from auzolan.core.kinds.deliberate import Snapshot, Tally
from auzolan.core.kinds.selection import Selection
from auzolan.core.record.errors import MissingError, UsageError
from auzolan.core.record.ledger import Ledger
from auzolan.core.record.record import Record
from auzolan.core.record.view import LedgerView

if TYPE_CHECKING:
    from auzolan.deliberate.conversation import Conversation
    from auzolan.deliberate.tally import Counts


@dataclass(frozen=True)
class Vote:
    """What the people's vote is called and how it was held."""

    name: str
    licence: str
    identity: str


@handled
def confirm(
    path: Annotated[
        Path, typer.Argument(metavar="BALLOTS", help="The vote on the wording: a folder, a zip or a file.")
    ],
    tool: reading.FromOption = "polis",
    draft: Annotated[
        str | None, typer.Option("--draft", metavar="ID", help="The wording voted on; default: the newest.")
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", help="What this commons calls the vote; default: as the folder or file."),
    ] = None,
    licence: Annotated[str, typer.Option("--licence", help="Of the votes, such as 'CC BY 4.0'.")] = "not stated",
    identity: Annotated[
        str, typer.Option("--identity", help="How participants were told apart: 'none', 'e-mail', 'census' ...")
    ] = "not stated",
    agree_is: reading.SignOption = None,
    strata: reading.StrataOption = None,
    id_column: reading.IdOption = None,
    statement: reading.StatementOption = None,
    stratum: reading.StratumOption = None,
    skip: reading.SkipOption = None,
    delimiter: reading.DelimiterOption = None,
    agree: reading.AgreeOption = None,
    disagree: reading.DisagreeOption = None,
    passed: reading.PassOption = None,
    key: KeyOption = None,
    commons: CommonsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Apply the rules to the people's vote on the wording, and propose a snapshot, a tally and the constitution."""
    from auzolan.deliberate.pseudonyms import pseudonyms

    place = find_commons(commons)
    words = reading.words_of(agree, disagree, passed)
    options = reading.SourceOptions(
        tool, agree_is, strata, id_column, statement or [], stratum or [], delimiter, words, skip or []
    )
    vote = Vote(name or (path.resolve().name if path.is_dir() else path.resolve().stem), licence, identity)
    with place.writing() as ledger:
        choose_key(key, ledger)
        _refuse_second_vote(place, ledger, vote, named(ledger, draft, Draft.KIND))
        secret = Shelf(place, ledger).make_pseudonym_key()
    conversation = reading.read_source(path, options, pseudonyms(secret, vote.name))
    with place.writing() as ledger:
        shelf = Shelf(place, ledger)
        wording = named(ledger, draft, Draft.KIND)
        _refuse_second_vote(place, ledger, vote, wording)  # somebody else may have confirmed it in the meantime
        shelf.sweep()
        with progress_bar("counting the vote"):
            records, view = _ratify_or_sweep(shelf, wording, conversation, vote)
        if not as_json:
            print_constitution(view)
        propose_within(place, ledger, records, [choose_key(key, ledger)], as_json, commit_at_once=True, quiet=as_json)
        shelf.mark_proposed([digest for record in records for digest in record.private_blobs.values()])
        committed = ledger.index.find(records[-1].id) is not None
        if as_json:
            print_json({**view, "record": records[-1].id, "committed": committed})
        elif committed:
            hint("next: `auzolan deliberate publish` writes the constitution for people to read")


def _refuse_second_vote(place: Commons, ledger: Ledger, vote: Vote, draft: Record) -> None:
    """Refuse a vote that is on record under its name, or whose constitution waits for signatures.

    Raises:
        UsageError: so it is.
    """
    refuse_name_in_use(ledger, vote.name, "a vote is held once: give it another --name")
    for envelope in pending_envelopes(place):
        waiting = envelope.claimed
        if waiting.kind == Constitution.KIND and waiting.links.get(Constitution.DRAFT) == draft.id:
            raise UsageError(
                f"a constitution of this wording waits for signatures, {short(waiting.id)}: see `auzolan pending`"
            )


def _ratify_or_sweep(
    shelf: Shelf, draft: Record, conversation: Conversation, vote: Vote
) -> tuple[list[Record], JsonDict]:
    """Ratify, and keep no ballots of a vote that is refused."""
    try:
        return _ratify(shelf, draft, conversation, vote)
    except UsageError:
        shelf.sweep()
        raise


def _ratify(shelf: Shelf, draft: Record, conversation: Conversation, vote: Vote) -> tuple[list[Record], JsonDict]:
    """Return the records to sign, the constitution last, and what is shown of it."""
    from auzolan.deliberate.wording.voting import statements_in_vote, voted_as

    ledger, drafted = shelf.ledger, Draft.from_record(draft)
    voted = voted_as(drafted.principles, conversation.statements)
    selection = Selection.from_record(linked(ledger, draft, Draft.SELECTION))
    snapshot, ballots = take_snapshot(shelf, conversation, vote.name, vote.licence, vote.identity)
    current, taken = ledger.chain.current, Snapshot.from_record(snapshot)
    least = smallest_cell(snapshot, current.rules)
    counted = take_tally(shelf, snapshot, ballots, conversation.statements, [], least)
    _refuse_same_votes(ledger, draft, counted.record)
    known = rules_known(ledger.chain, ledger.find(draft.id).position, ledger.head.size)
    outcome = outcome_from(
        ballots,
        counted.labels,
        Tally.from_record(counted.record).groups,
        counted.counts,
        conversation.statements,
        identity=vote.identity,
        by=parameters_in(current.rules),
        min_cell=least,
        conflicts=conflicts_of(statements_in_vote(drafted.principles, voted), selection.outcome.conflicts),
        rules_known=known,
        final=True,
    )
    constitution = Constitution(
        draft=draft.id,
        tally=counted.record.id,
        rules=current.id,
        title=drafted.title,
        ratified_at=today(),
        principles=drafted.principles,
        voted_as=voted,
        outcome=outcome,
        supersedes=_in_force(ledger),
    )
    records = [snapshot, counted.record, constitution.to_record()]
    return records, view_of_constitution(constitution, counted.counts, taken)


def _refuse_same_votes(ledger: LedgerView, draft: Record, tally: Record) -> None:
    """Refuse votes that count up to what an earlier vote on the same wording counted up to.

    Raises:
        UsageError: they are the same ones.
    """
    for row in ledger.index.rows(Constitution.KIND):
        earlier = ledger.envelope(row).claimed
        same = linked(ledger, earlier, Constitution.TALLY).blobs.get(Tally.COUNTS) == tally.blobs[Tally.COUNTS]
        if earlier.links[Constitution.DRAFT] == draft.id and same:
            raise UsageError(f"these votes were confirmed already: {short(earlier.id)}")


def view_of_constitution(constitution: Constitution, counts: Counts, taken: Snapshot) -> JsonDict:
    """Return what is shown of a constitution: statements are those of the conversation that principles rest on.

    Args:
        constitution: with the outcome of the vote.
        counts, taken: of the vote's tally and snapshot.
    """
    principle_of = {constitution.voted_as[each.number]: each for each in constitution.principles}
    texts = {statement: each.text for statement, each in principle_of.items()}
    view = view_of_outcome(
        constitution.outcome, counts, taken, texts, {s: each.number for s, each in principle_of.items()}
    )
    for each in (*view["articles"], *view["clauses"]):
        principle = principle_of[each["statement_ids"][0]]
        each |= {"principle": principle.number, "statement_ids": list(principle.statements)}
    shown, heard = [], {each["principle"] for each in view["clauses"]}
    for each in view["not_included"]:
        left = principle_of.get(each["statement_id"])
        if left and left.number not in heard:  # what was moderated out of the vote is no principle
            shown.append({**each, "principle": left.number, "statement_ids": list(left.statements)})
    view["not_included"] = shown
    return {**view, "title": constitution.title, "supersedes": constitution.supersedes}


def _in_force(ledger: Ledger) -> str | None:
    """Return the id of the constitution that a new one replaces, or None."""
    try:
        return newest(ledger, Constitution.KIND).id
    except MissingError:
        return None
