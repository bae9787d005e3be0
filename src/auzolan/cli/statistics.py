"""`auzolan deliberate stats`: what a deliberation amounts to, as a table, a page or JSON."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auzolan.cli import reading
from auzolan.cli.ballots import Evidence
from auzolan.cli.commons import find_ledger, read_user_file, write_file
from auzolan.cli.counting import NOT_GROUPED
from auzolan.cli.govern import LedgerOption
from auzolan.cli.output import JsonDict, JsonOption, handled, hint, print_json, progress_bar, short
from auzolan.cli.records import linked, newest, rules_of
from auzolan.core.kinds.deliberate import Snapshot, Tally
from auzolan.core.record.canonical import as_list, read_json
from auzolan.core.record.errors import MalformedError, MissingError, UsageError
from auzolan.core.record.record import Record

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from auzolan.deliberate.conversation import Conversation, Pseudonym, Statement
    from auzolan.deliberate.opinion import Statistics, VoteCount
    from auzolan.deliberate.overview import Dot, Overview, WithheldStatement
    from auzolan.deliberate.tally import Counts
    from auzolan.deliberate.votes import VoteTable

_MOST_SHUFFLED = 1_000_000
_NO_KEY = bytes(32)  # of pseudonyms that never leave this process


@handled
def stats(
    path: Annotated[
        Path | None, typer.Argument(metavar="[PATH]", help="A folder, zip or file; default: the newest tally here.")
    ] = None,
    tool: reading.FromOption = "polis",
    groups: Annotated[
        Path | None,
        typer.Option(
            "--groups", metavar="FILE", help="JSON: a list of lists of participant ids, instead of finding groups."
        ),
    ] = None,
    k: Annotated[int | None, typer.Option("--group-count", metavar="2-5", help="How many to find.")] = None,
    page: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page that needs no network.")
    ] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="How many statements to show.")] = 20,
    diagnostics: Annotated[
        bool, typer.Option("--diagnostics", help="Also the bridging intercept: easily gamed, no basis for decisions.")
    ] = False,
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
    commons: LedgerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what all agree on, what sets groups apart, and how sure that is.

    Of a source that was not imported, or of the newest tally of a commons.
    """
    from auzolan.cli.deliberation_table import print_overview
    from auzolan.deliberate.page import page as page_of

    if path is None:
        if groups or k is not None:
            raise UsageError("the groups of a signed tally are fixed; --groups needs a PATH")
        overview = _of_commons(commons, diagnostics)
    else:
        words = reading.words_of(agree, disagree, passed)
        options = reading.SourceOptions(
            tool, agree_is, strata, id_column, statement or [], stratum or [], delimiter, words, skip or []
        )
        overview = _of_source(path, options, groups, k, diagnostics)
    if page is not None:
        write_file(page, page_of(overview).encode())
        hint(f"wrote {page}")
    if as_json:
        print_json(overview_json(overview))
    elif page is None:
        print_overview(overview, most)


def _of_source(
    path: Path, options: reading.SourceOptions, groups: Path | None, k: int | None, diagnostics: bool
) -> Overview:
    from auzolan.deliberate.grouping import group_opinions
    from auzolan.deliberate.opinion import statistics
    from auzolan.deliberate.overview import opinion_map, overview_of
    from auzolan.deliberate.pseudonyms import pseudonyms

    pseudonym = pseudonyms(_NO_KEY, "stats")
    conversation = reading.read_source(path, options, pseudonym)
    table, aside = conversation.table, conversation.left_out_of_statistics
    dots: tuple[Dot, ...] = ()
    silhouette: float | None = None
    chance: tuple[float, ...] = ()
    with progress_bar("grouping and counting"):
        if groups is not None:
            listed = _read_groups(groups, pseudonym)
            labels, n_groups = table.labels(listed), len(listed)
            grouping = "listed in a file"
        else:
            found = group_opinions(table, aside, k=k)
            labels, n_groups = found.labels, found.n_groups
            dots = opinion_map(found.places, found.labels, least=1)
            silhouette = found.silhouettes[n_groups] / 1e6 if n_groups else None
            chance = _chance(table, aside, n_groups)
            grouping = _how_grouped(k, n_groups)
        numbers = statistics(table, labels, n_groups, aside)
    return overview_of(
        title=conversation.topic or path.resolve().name,
        evidence=f"Counted from the votes in the source; nothing is signed. Its signs: {conversation.sign_evidence}.",
        licence="",
        grouping=grouping,
        statements=conversation.statements,
        found=numbers,
        n_participants=len(table.participants),
        n_votes=table.n_votes,
        dots=dots,
        silhouette=silhouette,
        chance=chance,
        strata=_strata_votes(conversation),
        bridging=_bridging(table) if diagnostics else None,
    )


def _chance(table: VoteTable, aside: Collection[int], n_groups: int) -> tuple[float, ...]:
    """Return how clear groups are in shuffled votes, or nothing where that would take long."""
    from auzolan.deliberate.chance import shuffled_silhouettes

    if not n_groups or table.n_votes > _MOST_SHUFFLED:
        return ()
    return shuffled_silhouettes(table, aside, n_groups)


def _how_grouped(k: int | None, n_groups: int) -> str:
    if not n_groups:
        return "none found: too few people, or they vote too much alike"
    how = "their number was asked for" if k else "as many as fit best (silhouette)"
    return f"found from the votes alone, {how}"


def _how_tallied(tally: Tally) -> str:
    if tally.chosen == NOT_GROUPED:
        return NOT_GROUPED
    return _how_grouped(None if tally.chosen == "silhouette" else len(tally.groups), len(tally.groups))


def _read_groups(path: Path, pseudonym: Pseudonym) -> list[list[str]]:
    """Return the participants of each group in a JSON list of lists of ids."""
    listed = as_list(read_json(read_user_file(path), str(path)), str(path))
    groups = []
    for number, members in enumerate(listed):
        where = f"{path}: group {number}"
        ids = as_list(members, where)
        if any(isinstance(each, bool) or not isinstance(each, int | str) for each in ids):
            raise MalformedError(f"{where}: expected ids of participants")
        groups.append([pseudonym(str(each)) for each in ids])
    return groups


def _strata_votes(conversation: Conversation) -> dict[str, dict[str, dict[int, VoteCount]]]:
    from auzolan.deliberate.opinion import statistics

    table = conversation.table
    found: dict[str, dict[str, dict[int, VoteCount]]] = {}
    for name, of_each in sorted(conversation.strata.items()):
        values = sorted(set(of_each.values()))
        labels = table.labels([[who for who in table.participants if of_each.get(who) == value] for value in values])
        groups = statistics(table, labels, len(values)).groups
        found[name] = {value: group.votes for value, group in zip(values, groups, strict=True)}
    return found


def _bridging(table: VoteTable) -> dict[int, float]:
    from auzolan.deliberate.bridging import bridging

    return bridging(table).intercepts


def _of_commons(commons: str | None, diagnostics: bool) -> Overview:
    """Return what the newest tally publishes, counted again where its ballots are at hand."""
    place = find_ledger(commons)
    with place.reading() as ledger:
        record = newest(ledger, Tally.KIND)
        snapshot = linked(ledger, record, Tally.SNAPSHOT)
        rules = rules_of(ledger, record, snapshot)
        demo = ledger.chain.current.rules.demo
    evidence, tally = Evidence(place.public, place.private), Tally.from_record(record)
    source = f"signed tally {short(record.id)} of {tally.tallied_at}"
    try:
        counts = evidence.recount(record, snapshot, *rules)
    except MissingError:
        if diagnostics:
            raise
        said = f"As in {source}; its ballots are not here, so nothing was counted again"
        return _of_counts(evidence.counts(record), snapshot, tally, evidence.statements(snapshot), said, demo)
    said = f"Counted again just now from the ballots, the same as in {source}"
    overview = _of_counts(counts, snapshot, tally, evidence.statements(snapshot), said, demo)
    return _with_ballots(overview, evidence, record, snapshot, diagnostics)


def _of_counts(
    counts: Counts, snapshot: Record, tally: Tally, statements: Sequence[Statement], said: str, demo: bool
) -> Overview:
    """Build an overview from published counts; statements whose counts by group are withheld stand apart."""
    import numpy as np

    from auzolan.deliberate.conversation import left_out
    from auzolan.deliberate.opinion import statistics_of_counts
    from auzolan.deliberate.overview import overview_of
    from auzolan.deliberate.tally import verify_counts

    taken = Snapshot.from_record(snapshot)
    verify_counts(counts, tally, [each.id for each in statements])
    shown = [(each.id, each.all, each.by[0]) for each in counts.statements if each.all and each.by[0] is not None]
    cells = np.array([[cell[:3] for cell in by or ()] for _, _, by in shown], dtype=np.int64)
    totals = np.array([every[:3] for _, every, _ in shown], dtype=np.int64).reshape(-1, 3)
    by_group = cells.reshape(len(shown), len(tally.groups), 3).transpose(1, 0, 2)
    ids = [statement for statement, _, _ in shown]
    silhouette = tally.silhouettes_ppm.get(str(len(tally.groups)))
    overview = overview_of(
        title=taken.source["topic"] or taken.source["name"],
        evidence=said,
        licence=taken.licence,
        grouping=_how_tallied(tally),
        statements=statements,
        found=statistics_of_counts(ids, by_group, totals, tally.groups, left_out(statements)),
        n_participants=taken.n_participants,
        n_votes=taken.counts["votes"],
        strata=_published_strata(counts),
        withheld=_withheld(counts, statements),
        min_cell=tally.min_cell,
        silhouette=None if silhouette is None else silhouette / 1e6,
    )
    return replace(overview, demo=demo)


def _withheld(counts: Counts, statements: Sequence[Statement]) -> list[WithheldStatement]:
    from auzolan.deliberate.opinion import VoteCount
    from auzolan.deliberate.overview import WithheldStatement

    texts = {each.id: each.text for each in statements}
    found = []
    for each in counts.statements:
        if each.all and each.by[0] is not None:
            continue
        cell = each.all
        if cell is None:
            found.append(WithheldStatement(each.id, texts.get(each.id, "")))
            continue
        votes = VoteCount(cell.agree, cell.disagree, cell.agree + cell.disagree + cell.passed)
        bounds = cell.lower_ppm / 1e6, cell.upper_ppm / 1e6
        found.append(WithheldStatement(each.id, texts.get(each.id, ""), votes, *bounds))
    return found


def _published_strata(counts: Counts) -> dict[str, dict[str, dict[int, VoteCount]]]:
    from auzolan.deliberate.opinion import VoteCount

    found: dict[str, dict[str, dict[int, VoteCount]]] = {}
    for place, division in enumerate(counts.divisions[1:], 1):
        found[division.name] = {value: {} for value in division.values}
        for each in counts.statements:
            for value, cell in zip(division.values, each.by[place] or (), strict=False):
                seen = cell.agree + cell.disagree + cell.passed
                found[division.name][value][each.id] = VoteCount(cell.agree, cell.disagree, seen)
    return found


def _with_ballots(
    overview: Overview, evidence: Evidence, record: Record, snapshot: Record, diagnostics: bool
) -> Overview:
    """Add what only ballots show: the map, whose dots stand for several people each, and the diagnostic."""
    from auzolan.deliberate.conversation import left_out
    from auzolan.deliberate.grouping import seed_of
    from auzolan.deliberate.overview import opinion_map
    from auzolan.deliberate.plane import opinion_plane

    table = evidence.ballots(snapshot).table
    labels = evidence.labels(record, len(table.participants))
    placed = labels >= 0
    if placed.any():
        aside = left_out(evidence.statements(snapshot))
        places = opinion_plane(table, placed, aside, seed_of(table))
        dots = opinion_map(places, labels[placed], least=overview.min_cell)
        overview = replace(overview, dots=dots, chance=_chance(table, aside, len(overview.sizes)))
    if not diagnostics:
        return overview
    shown = {view.id for view in overview.statements}
    return replace(overview, bridging={s: value for s, value in _bridging(table).items() if s in shown})


def overview_json(overview: Overview) -> JsonDict:
    """Return an overview as JSON; floats, a view of counts."""
    found = overview.statistics
    return {
        "title": overview.title,
        "evidence": overview.evidence,
        "licence": overview.licence,
        "formulas": _formulas(),
        "participants": overview.n_participants,
        "votes": overview.n_votes,
        "grouping": overview.grouping,
        "gac": {str(statement): value for statement, value in found.gac.items()},
        "group_votes": [_group_json(group.number, group.size, group.votes) for group in found.groups],
        "consensus": {"agree": found.consensus.agree, "disagree": found.consensus.disagree},
        "repness": _repness_json(found),
        "statements": [
            {
                "id": view.id,
                "text": view.text,
                "agree": view.total.agree,
                "disagree": view.total.disagree,
                "seen": view.total.seen,
                "lower": view.lower,
                "upper": view.upper,
                "common": view.common,
                "holds": view.holds,
                "holds_against": view.holds_against,
            }
            for view in overview.statements
        ],
        "strata": {
            name: [_group_json(value, None, votes) for value, votes in values.items()]
            for name, values in (overview.strata or {}).items()
        },
        "withheld": [
            {
                "id": each.id,
                "text": each.text,
                "all": None if each.total is None else each.total._asdict(),
                "lower": each.lower,
                "upper": each.upper,
            }
            for each in overview.withheld
        ],
        "min_cell": overview.min_cell,
        "silhouette": overview.silhouette,
        "silhouettes_of_shuffled_votes": list(overview.chance),
        **({} if overview.bridging is None else {"bridging": {str(k): v for k, v in overview.bridging.items()}}),
    }


def _formulas() -> JsonDict:
    from auzolan.deliberate.tally import METHODS

    return dict(METHODS)


def _group_json(name: int | str, size: int | None, votes: Mapping[int, VoteCount]) -> JsonDict:
    cells = {str(s): {"agree": t.agree, "disagree": t.disagree, "seen": t.seen} for s, t in votes.items()}
    return {"id": name, **({} if size is None else {"size": size}), "votes": cells}


def _repness_json(found: Statistics) -> list[list[JsonDict]]:
    return [
        [{"statement_id": r.statement, "kind": r.kind, "p": r.p, "z": r.z, "ratio": r.ratio} for r in group]
        for group in found.repness
    ]
