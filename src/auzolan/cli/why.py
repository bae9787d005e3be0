"""`auzolan deliberate why`: one statement or proposal, as its sceptical author would ask about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from auzolan.cli.ballots import Evidence
from auzolan.cli.commons import Commons, PublishedCopy, find_ledger
from auzolan.cli.govern import LedgerOption
from auzolan.cli.outcome_view import reason
from auzolan.cli.output import JsonDict, JsonOption, handled, hint, out, plain, print_json, short
from auzolan.cli.records import linked, named
from auzolan.core.kinds.constitution import Constitution, Draft
from auzolan.core.kinds.deliberate import Snapshot, Tally
from auzolan.core.kinds.proposals import Proposals
from auzolan.core.kinds.selection import Selection
from auzolan.core.record.errors import MissingError, UsageError, VerificationError
from auzolan.core.record.record import Record
from auzolan.core.record.view import LedgerView

if TYPE_CHECKING:
    from auzolan.cli.decidim.why import Named
    from auzolan.deliberate.tally import Cell, Counts

Place = Commons | PublishedCopy


@handled
def why(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="STATEMENT|PROPOSAL",
            help="A statement by its number in the source; a proposal by its number, address, reference or key.",
        ),
    ] = None,
    record_id: Annotated[
        str | None, typer.Option("--selection", metavar="ID", help="Which selection; default: the newest.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Count the dispositions of all imported proposals.")] = False,
    commons: LedgerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say why a statement or a proposal became an article or not, and what it lacks.

    A number that both have means the statement with 'statement:' before it, the proposal with 'proposal:'.
    """
    from auzolan.cli.decidim.why import read_name, why_all, why_proposal

    if every is (what is not None):
        raise UsageError("expected one statement or proposal, or --all")
    place = find_ledger(commons)
    with place.reading() as ledger:
        evidence = Evidence(place.public, place.private)
        if what is None:
            why_all(ledger, evidence, as_json)
            return
        named_so = read_name(what)
        is_statement = named_so.number is not None and _is_statement(ledger, evidence, named_so, record_id)
        if not is_statement:
            why_proposal(ledger, evidence, named_so.proposal, as_json)
    if is_statement and named_so.number is not None:
        _why_statement(place, named_so.number, record_id, as_json)


def _is_statement(ledger: LedgerView, evidence: Evidence, name: Named, record_id: str | None) -> bool:
    """Whether a number means a statement.

    Raises:
        UsageError: it could as well mean a proposal.
    """
    from auzolan.cli.decidim.why import knows_proposal

    if not name.proposal or record_id is not None or not list(ledger.index.rows(Proposals.KIND)):
        return True
    selections = [Selection.from_record(ledger.envelope(row).claimed) for row in ledger.index.rows(Selection.KIND)]
    outcome = selections[-1].outcome if selections else None
    statements: set[int] = set()
    if outcome is not None:
        statements = {each.statement for each in outcome.articles} | {each.statement for each in outcome.not_included}
    if name.number in statements and knows_proposal(ledger, evidence, name.proposal):
        raise UsageError(
            f"{name.number} is the number of a statement and of a proposal; say statement:{name.number} or "
            f"proposal:{name.number}"
        )
    return name.number in statements


def _why_statement(place: Place, statement: int, record_id: str | None, as_json: bool) -> None:
    with place.reading() as ledger:
        record = named(ledger, record_id, Selection.KIND)
        tally = linked(ledger, record, Selection.TALLY)
        snapshot = linked(ledger, tally, Tally.SNAPSHOT) if tally.kind == Tally.KIND else tally
        vote = _in_the_vote(ledger, record, statement)
    if snapshot.kind != Snapshot.KIND:
        raise VerificationError("the selection does not rest on a tally of votes")
    evidence, selection = Evidence(place.public, place.private), Selection.from_record(record)
    texts = {each.id: " ".join(each.text.split()) for each in evidence.statements(snapshot)}
    if statement not in texts:
        raise MissingError(f"there is no statement {statement} in this conversation")
    said: JsonDict = {"statement_id": statement, "text": texts[statement], "selection": record.id}
    said |= _standing(selection, statement) | _votes(evidence.counts(tally), statement) | {"vote": vote}
    if as_json:
        print_json(said)
    else:
        _print(said, texts)


def _in_the_vote(ledger: LedgerView, selection: Record, statement: int) -> JsonDict | None:
    """Return what the people's newest vote on this selection made of a statement, None where it was not voted on."""
    for row in reversed(list(ledger.index.rows(Constitution.KIND))):
        constitution = Constitution.from_record(ledger.envelope(row).claimed)
        draft = ledger.envelope(ledger.find(constitution.draft)).claimed
        if draft.links.get(Draft.SELECTION) != selection.id:
            continue
        for principle in constitution.principles:
            if statement in principle.statements:
                ratified, heard = principle in constitution.ratified, principle in constitution.acknowledged
                became = "ratified" if ratified else "acknowledged" if heard else "not ratified"
                return {"principle": principle.number, "text": principle.text, "became": became}
        return None
    return None


def _standing(selection: Selection, statement: int) -> JsonDict:
    """Return what became of a statement, and how many ballots that hangs on."""
    for number, article in enumerate(selection.outcome.articles, 1):
        if article.statement == statement:
            return {
                "status": "selected",
                "article": number,
                "how": article.how,
                "admit_margin": 0,
                "block_margin": article.block_margin,
                "holds": article.holds,
                "unopposed": article.unopposed,
            }
    other = next((each for each in selection.outcome.not_included if each.statement == statement), None)
    if other is None:
        raise MissingError(f"the selection does not account for statement {statement}")
    return {
        "status": other.standing,
        "reason": reason(other, selection.outcome),
        "against": list(other.against),
        "rival": other.rival,
        "admit_margin": other.admit_margin,
        "holds": other.holds,
        "unopposed": other.unopposed,
        "put_to_vote": statement in selection.outcome.put_to_vote,
        "acknowledged": any(each.statement == statement for each in selection.outcome.clauses),
    }


def _votes(counts: Counts, statement: int) -> JsonDict:
    """Return the published votes on a statement, None where they are withheld."""
    row = next((each for each in counts.statements if each.id == statement), None)
    every = None if row is None or row.all is None else _cell(row.all)
    divisions: JsonDict = {}
    for place, division in enumerate(counts.divisions):
        cells = None if row is None else row.by[place]
        divisions[division.name] = (
            None if cells is None else {v: _cell(cell) for v, cell in zip(division.values, cells, strict=True)}
        )
    return {"all": every, "by": divisions, "min_cell": counts.min_cell}


def _cell(cell: Cell) -> JsonDict:
    return {
        "agree": cell.agree,
        "disagree": cell.disagree,
        "pass": cell.passed,
        "lower": cell.lower_ppm / 1e6,
        "upper": cell.upper_ppm / 1e6,
    }


def _print(said: JsonDict, texts: dict[int, str]) -> None:
    out().print(f"#{said['statement_id']}  {plain(said['text'], 2_000) or '(its text was taken out)'}", style="bold")
    if said["status"] == "selected":
        out().print(f"It was selected as article {said['article']}, by {plain(said['how'], 40)}.")
        if said["block_margin"] is not None:
            out().print(f"{said['block_margin']:,} more people who disagree would end its standing.")
        if said["vote"] is None:
            out().print("Selected is not ratified: a vote on its wording decides that.")
    else:
        status = "eligible, but no seat was left" if said["status"] == "eligible" else plain(said["status"], 40)
        out().print(f"It is no article: {status}.")
        out().print(plain(f"{said['reason'][:1].upper()}{said['reason'][1:]}.", 400))
        if said["rival"] is not None:
            out().print(f"  #{said['rival']}  {plain(texts.get(said['rival'], ''), 200)}")
        if said["admit_margin"] is None and None in (said["all"], *said["by"].values()):
            out().print("What it lacks is withheld with its counts: it would tell how few people voted.")
        elif said["admit_margin"] is None:
            out().print("No number of further votes would change that.")
    if said["vote"] is not None:
        vote = said["vote"]
        out().print(f"The people voted on it as {vote['principle']}: {vote['became']}.")
        if " ".join(vote["text"].split()) != said["text"]:
            out().print(f"  in the words: {plain(vote['text'], 400)}")
    out().print()
    out().print(_line("all who voted on it", said["all"]))
    for name, cells in said["by"].items():
        if cells is None:
            out().print(f"by {plain(name, 40)}: withheld, fewer than {said['min_cell']} people stand behind a count")
            continue
        for value, cell in cells.items():
            label = f"group {value}" if name == "opinion" else f"{name} {value}"
            out().print(_line(plain(label, 60), cell))
    hint(f"from selection {short(said['selection'])}; `auzolan trace` checks it against the votes")


def _line(label: str, cell: JsonDict | None) -> str:
    if cell is None:
        return f"{label}: withheld"
    seen = cell["agree"] + cell["disagree"] + cell["pass"]
    if not seen:
        return f"{label}: nobody"
    share = f"{cell['agree'] / seen:.0%} agree, plausibly {cell['lower']:.0%} to {cell['upper']:.0%}"
    return f"{label}: {share} ({cell['agree']:,} agree, {cell['disagree']:,} disagree, {cell['pass']:,} pass)"
