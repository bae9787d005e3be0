"""`auzolan deliberate ratify --counts FILE.csv`: what counts alone can say (evidence grade C), and what they cannot.

Needs no commons, signs nothing and selects nothing. What is printed begins with
what the counts cannot show, as an order is easily taken for an outcome.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from auzolan.cli.output import JsonDict, hint, out, plain, print_json
from auzolan.cli.selection_table import counted

if TYPE_CHECKING:
    from auzolan.deliberate.counts_only import Counted, CountTable, Ranked

GRADE = "C"
COUNTED = "counted only"
_SHOWN = 20
_MOST_TEXT = 200
CANNOT: tuple[str, ...] = (
    "Who is behind what. So there are no groups, and a statement that two camps meet on looks like one camp's own.",
    "Who is for several. The same people may be behind all of the first ten: nothing is proportional or certified.",
    "A consensus. That takes ballots of people who were asked about the same statements.",
)
SUPPORTS_CANNOT: tuple[str, ...] = (
    "Who is against. A support has no opposite: a statement that many oppose looks the same.",
    "How many saw it. What stands first on a page, or was there for longer, is supported more.",
)
_NOT_SEEN = "How many saw it. Those who saw it and took no side are not in the table."
NO_SHARE = "A share. How many people could have supported is not known; --participants N says it."
_NOT_ONCE = "Each person once. There are more votes on a statement than participants."
_POLIS_NOT_ONCE = (
    "Each person once. In a comments.csv of Polis, whoever changed a vote is counted again. The ballots stand beside "
    "it: `auzolan deliberate import` reads the whole export as grade A."
)


def ratify_counts(path: Path, participants: int | None, as_json: bool) -> None:
    """Print what a table of counts can say and what it cannot; nothing is signed or kept.

    Args:
        path: a CSV with a statement per row.
        participants: how many people could support, if that is known.
        as_json: print JSON instead.

    Raises:
        UsageError: the file cannot be read, or there are more supports than participants.
        MalformedError: it has not the form of such a table.
    """
    from auzolan.deliberate.counts_only import rank, read_counts

    table = read_counts(path)
    ranked, prior = rank(table, participants)
    said = _overview(table, ranked, participants)
    said["prior"] = None if prior is None else prior._asdict()
    if as_json:
        print_json(said)
    else:
        _print(said, table)


def _overview(table: CountTable, ranked: list[Ranked], participants: int | None) -> JsonDict:
    """Return what is shown, under the names that the other grades have."""
    kept = [item for item in table.items if not item.is_out]
    sides = table.has_against
    passed = [item.passed for item in kept if item.passed is not None]
    return {
        "participants": participants,
        "statements": len(table.items),
        "votes": {
            "agree": sum(item.for_it for item in kept) if sides else None,
            "disagree": sum(item.against or 0 for item in kept) if sides else None,
            "pass": sum(passed) if passed else None,
            "supports": None if sides else sum(item.for_it for item in kept),
        },
        "grade": GRADE,
        "groups": [],
        "articles": [],
        "not_included": [_not_included(item) for item in sorted(table.items, key=lambda item: item.statement)],
        "certificate": None,
        "record": None,
        "cannot_show": cannot_show(table, participants),
        "shortlist": [_listed(place, each) for place, each in enumerate(ranked, 1)],
    }


def cannot_show(table: CountTable, participants: int | None) -> list[str]:
    """Return what a table of counts does not say, a sentence or two for each point."""
    more = () if table.has_against else SUPPORTS_CANNOT
    if table.has_against and any(item.passed is None for item in table.items):
        more += (_NOT_SEEN,)
    if not table.has_against and participants is None:
        more += (NO_SHARE,)
    said = [item.for_it + (item.against or 0) + (item.passed or 0) for item in table.items]
    if table.is_polis:
        more += (_POLIS_NOT_ONCE,)
    elif participants is not None and max(said) > participants:
        more += (_NOT_ONCE,)
    return [*CANNOT, *more]


def _not_included(item: Counted) -> JsonDict:
    out_of_it = "it was taken out by the moderators"
    because = "counts do not say who is for it, so nothing can be selected from them"
    return {
        "statement_id": item.statement,
        "text": item.text,
        "status": "moderated out" if item.is_out else COUNTED,
        "reason": out_of_it if item.is_out else because,
        "lacking": None,
    }


def _listed(place: int, each: Ranked) -> JsonDict:
    item, sides = each.item, each.item.against is not None
    return {
        "place": place,
        "statement_id": item.statement,
        "text": item.text,
        "supports": None if sides else item.for_it,
        "agree": item.for_it if sides else None,
        "disagree": item.against,
        "pass": item.passed,
        "share": each.share,
        "share_of": each.asked,
        "lower": each.lower,
        "upper": each.upper,
        "interval": None if each.share is None else "jeffreys 90 %" if sides else "wilson 90 %",
        "ordered_by": each.ordered_by,
        "contested": each.contested,
    }


def _print(said: JsonDict, table: CountTable) -> None:
    people = "" if said["participants"] is None else f"{counted(said['participants'], 'participant')}, "
    out().print(f"{people}{counted(said['statements'], 'statement')}")
    out().print("Evidence grade C: counts only", style="bold")
    out().print()
    out().print("What these counts cannot show", style="bold")
    points = Table.grid(padding=(0, 1))
    for point in said["cannot_show"]:
        points.add_row("-", Text(point))
    out().print(points)
    out().print()
    out().print("A shortlist to ask people about; nothing is selected", style="bold")
    _print_shortlist(said["shortlist"])
    _print_how(said, table)
    _print_next(said["shortlist"])


def _print_shortlist(listed: list[JsonDict]) -> None:
    if not listed:
        out().print("nothing: nobody took a side on any statement")
    grid = Table.grid(padding=(0, 1))
    grid.add_column(justify="right", width=3)
    grid.add_column(ratio=1, overflow="fold")
    for each in listed[:_SHOWN]:
        text = plain(" ".join(each["text"].split()), _MOST_TEXT) or "(no text)"
        grid.add_row(str(each["place"]), Text(f"#{each['statement_id']}  {text}"))
        grid.add_row("", Text(_line(each), style="dim"))
    out().print(grid)
    if len(listed) > _SHOWN:
        out().print(f"… and {len(listed) - _SHOWN:,} more; --json has all of them")
    out().print()


def _line(each: JsonDict) -> str:
    """Return the counts of a statement in words."""
    plausibly = "" if each["share"] is None else f", plausibly {each['lower']:.0%} to {each['upper']:.0%}"
    if each["supports"] is not None:
        share = "" if each["share"] is None else f", {each['share']:.0%} of {each['share_of']:,}"
        return f"{each['supports']:,} supports{share}{plausibly}"
    passed = "" if each["pass"] is None else f", {each['pass']:,} passed"
    line = f"{each['agree']:,} for, {each['disagree']:,} against{passed}: {each['share']:.0%}{plausibly}"
    return line + ("; contested: more than a third may be against" if each["contested"] else "")


def _print_how(said: JsonDict, table: CountTable) -> None:
    if said["prior"] is None:
        hint("in the order of the counts; without the number of people who could support there are no shares")
        return
    if table.has_against:
        hint("shares are of those who took a side; contested: more likely than not, over a third of them is against")
    else:
        hint("shares are of all who could support, whether they saw the statement or not")
    hint(
        "in the order of what the share surely reaches (5 % quantile), few votes drawn towards what is usual in this "
        "table (empirical Bayes)"
    )


def _print_next(listed: list[JsonDict]) -> None:
    if not listed:
        return
    out().print("Next: ask the people, with agree, disagree and pass", style="bold")
    out().print("Put these statements into a Polis conversation, or into a survey with a column for each.")
    out().print("Show everybody the same ones, in a random order, and let each person answer once.")
    out().print("Then, in a commons:")
    for command in ("import EXPORT", "tally", "ratify"):
        out().print(f"  auzolan deliberate {command}")
