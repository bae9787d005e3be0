"""Edge: `auzolan deliberate ratify` where there are proposals with counts and no ballots (evidence grade C).

Signs nothing and selects nothing: it says what counts cannot show, what they can, and how to get ballots.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from auzolan.cli.ballots import Evidence
from auzolan.cli.counts_only import CANNOT, GRADE, NO_SHARE, SUPPORTS_CANNOT
from auzolan.cli.decidim.planning import Candidates, Plan, choose_by, new_plan
from auzolan.cli.output import JsonDict, hint, out, plain, print_json, progress_bar
from auzolan.core.kinds.proposals import Proposals
from auzolan.core.record.record import Record
from auzolan.deliberate.shortlist.candidates import BETWEEN, in_language

if TYPE_CHECKING:
    from auzolan.deliberate.shortlist.choosing import Choice, Chosen

_SHOWN = 10
_HIDDEN = "Whose supports are hidden: they are not counted as none, and compete for places of their own."


def ratify_proposals(evidence: Evidence, imported: Record, participants: int | None, as_json: bool) -> None:
    """Print what the counts of an import can say and what they cannot.

    Raises:
        UsageError: there are no proposals to choose from, or more supports than participants.
        MissingError, VerificationError, MalformedError: as `read_proposals` says.
    """
    plan = new_plan(imported, ("und",), participants=participants)
    with progress_bar("counting"):
        choice = choose_by(plan, evidence, imported)
        alone = _by_supports_alone(plan, evidence, imported)
    said = _view(imported, choice, alone, participants)
    if as_json:
        print_json(said)
    else:
        _print(said)


def _by_supports_alone(plan: Plan, evidence: Evidence, imported: Record) -> Counter[str]:
    """Return how many of each group would be listed if nothing but the order decided."""
    chosen = {each.candidate.key for each in choose_by(replace(plan, by="none"), evidence, imported).chosen}
    candidates = Candidates(evidence, imported, plan.by, plan.languages[0])
    return Counter(BETWEEN.join(each.groups) for each in candidates if each.key in chosen)


def _view(imported: Record, choice: Choice, alone: Counter[str], participants: int | None) -> JsonDict:
    """Return what is shown, under the names that the other grades have."""
    supports = Proposals.from_record(imported).supports
    return {
        "participants": participants,
        "statements": choice.n_candidates,
        "votes": {"agree": None, "disagree": None, "pass": None, "supports": supports.get("total")},
        "grade": GRADE,
        "groups": [],
        "articles": [],
        "certificate": None,
        "record": None,
        "import": imported.id,
        "cannot_show": list(_cannot_show(choice, participants)),
        "quotas": [
            {
                "name": each.name,
                "proposals": each.proposals,
                "places": each.places,
                "by_counts_alone": alone[each.name],
            }
            for each in choice.quotas
        ],
        "shortlist": [_listed(place, each) for place, each in enumerate(choice.chosen, 1)],
        "next": "auzolan deliberate kit DIR --lang LANGUAGES",
    }


def _cannot_show(choice: Choice, participants: int | None) -> Iterator[str]:
    yield from CANNOT
    yield from SUPPORTS_CANNOT
    if participants is None:
        yield NO_SHARE
    if choice.n_hidden:
        yield f"{choice.n_hidden:,} proposals: {_HIDDEN}"


def _listed(place: int, each: Chosen) -> JsonDict:
    candidate, share = each.candidate, each.share
    return {
        "place": place,
        "proposal": str(candidate.key),
        "text": in_language(candidate.title, ""),
        "supports": candidate.supports,
        "votes": None if candidate.votes is None else candidate.votes._asdict(),
        "quota": each.quota,
        "lower": None if share is None else share[0],
        "upper": None if share is None else share[1],
        "interval": None if share is None else "wilson 90 %",
    }


def _print(said: JsonDict) -> None:
    out().print(f"{said['statements']:,} proposals that can be put to everybody")
    out().print("Evidence grade C: counts only", style="bold")
    out().print()
    out().print("What these counts cannot show, so that nothing is ratified", style="bold")
    points = Table.grid(padding=(0, 1))
    for point in said["cannot_show"]:
        points.add_row("-", Text(point))
    out().print(points)
    out().print()
    _print_quotas(said["quotas"], len(said["shortlist"]))
    _print_shortlist(said["shortlist"])
    out().print("Next: ask everybody about a shortlist, inside your Decidim", style="bold")
    out().print("  auzolan deliberate kit DIR --lang LANGUAGES")
    hint("signed by nobody and selected by nothing; the kit begins with this list, and people edit it")


def _print_quotas(quotas: list[JsonDict], places: int) -> None:
    out().print(f"Who would be heard, if {places:,} were listed", style="bold")
    table = Table(box=None, pad_edge=False)
    for name, justify in (("", "left"), ("proposals", "right"), ("by counts alone", "right"), ("by quota", "right")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    for each in quotas[:_SHOWN]:
        row = (plain(each["name"], 40), *(f"{each[n]:,}" for n in ("proposals", "by_counts_alone", "places")))
        table.add_row(*row)
    out().print(table)
    if len(quotas) > _SHOWN:
        out().print(f"… and {len(quotas) - _SHOWN:,} more groups; --json has all of them")
    out().print()


def _print_shortlist(listed: list[JsonDict]) -> None:
    out().print("The first of each, in the order in which places are given", style="bold")
    grid = Table.grid(padding=(0, 1))
    grid.add_column(justify="right", width=3)
    grid.add_column(ratio=1, overflow="fold")
    for each in listed[:_SHOWN]:
        number = each["proposal"].rsplit("/", 1)[1]
        grid.add_row(str(each["place"]), Text(f"#{number}  {plain(each['text'], 200)}"))
        grid.add_row("", Text(_line(each), style="dim"))
    out().print(grid)
    if len(listed) > _SHOWN:
        out().print(f"… and {len(listed) - _SHOWN:,} more; --json has all of them")
    out().print()


def _line(each: JsonDict) -> str:
    told = "supports hidden" if each["supports"] is None else f"{each['supports']:,} supports"
    if each["lower"] is not None:
        told += f", plausibly {each['lower']:.1%} to {each['upper']:.1%} of all who could give one"
    if each["votes"] is not None:
        told += f", cards: {each['votes']['agree']:,} for, {each['votes']['disagree']:,} against"
    return f"{told}; {plain(each['quota'], 60)}"
