"""A deliberation in the terminal: what all groups agree on, and what sets them apart.

Not here: the page (`deliberate.page`) and what is computed. Shares, counts and
letters carry everything; bold and dim type only help the eye.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from auzolan.cli.output import hint, out, plain
from auzolan.deliberate.grouping import group_name
from auzolan.deliberate.opinion import Kind, Representative, VoteCount
from auzolan.deliberate.overview import FLATTERING, Overview, StatementView, apartness, of_100, percent

_MOST_GROUPS = 6  # more would leave no room for words at 80 columns; then the lowest share stands for them
_LINES = 3
_CLOSEST = 3
_MOST_APART = 12
_MOST_BRIDGING = 5
_NARROWEST = 14  # cells for words
_GAP = 2
_LEAST_WIDTH = 60  # on a narrower terminal lines break, and no digit is lost
_MOST_WIDTH = 110  # longer lines are hard to read
_WIDE = (
    "\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\U0001f300-\U0003fffd"
)
_CLOSING = "、。〉》」』】〕〗！），．：；？｝"
_PIECES = re.compile(f"[{_WIDE}][{_CLOSING}]* *|[^{_WIDE} ]+[{_CLOSING}]* *| +")  # what a line is not broken inside of


def print_overview(overview: Overview, most: int = 20) -> None:
    """Print a deliberation as a table one can read at 80 columns.

    Args:
        overview: what to print; texts in it may come from anybody.
        most: statements that all groups agree on, at most.
    """
    console = out()
    console.width = min(max(console.width, _LEAST_WIDTH), _MOST_WIDTH)
    _print_head(console, overview)
    _print_shared(console, overview, most)
    _print_groups(console, overview)
    _print_consensus(console, overview)
    _print_bridging(console, overview)
    if overview.withheld:
        hint(f"--html FILE or --json shows what is published of the {_statements(len(overview.withheld))} withheld")
    hint(
        "the participants, not the city; --json prints all statements and numbers, --html FILE writes a page with a map"
    )


def _clean(text: str) -> str:
    """Return text from outside on one line, safe to show."""
    return plain(" ".join(text.split()))


def _statements(count: int) -> str:
    return "1 statement" if count == 1 else f"{count:,} statements"


def _print_not_considered(console: Console, overview: Overview, count: int, by_group: bool = True) -> None:
    """Say beside a list how many statements could not come into it."""
    if count:
        whose = "counts by group" if by_group and overview.sizes else "counts"
        console.print(Text(f"{_statements(count)} could not be considered here: {whose} withheld", style="dim"))


def _print_head(console: Console, overview: Overview) -> None:
    console.print(Text(_clean(overview.title) or "A deliberation", style="bold"))
    console.print(Text(_clean(overview.evidence)))
    if overview.demo:
        console.print(Text("demonstration: throw-away keys, signatures prove nothing", style="bold yellow"))
    statements = f"{len(overview.with_withheld):,}"
    if overview.n_moderated_out:
        statements += f", and {overview.n_moderated_out:,} moderated out"
    withheld = ""
    if overview.withheld:
        what = "counts by group" if overview.sizes else "counts"
        withheld = (
            f"{what} on {_statements(len(overview.withheld))}: could tell of fewer than {overview.min_cell:,} people"
        )
    groups = ", ".join(f"{group_name(n)} {size:,}" for n, size in enumerate(overview.sizes[:26])) or "none"
    if len(overview.sizes) > 26:
        groups += f", … {len(overview.sizes):,} in all"
    if overview.n_unassigned and overview.sizes:
        groups += f"; in none {overview.n_unassigned:,}"
    table = Table.grid(padding=(0, 2))
    for name, value in (
        ("participants", f"{overview.n_participants:,}"),
        ("votes", f"{overview.n_votes:,}"),
        ("statements", statements),
        ("withheld", withheld),
        ("groups", groups),
        ("", _clean(overview.grouping)),
    ):
        if value:
            table.add_row(Text(name, style="dim"), Text(value, style="" if name else "dim"))
    console.print(Padding(table, (1, 0, 0, 0)))


def _heading(console: Console, text: str, below: str = "") -> None:
    console.print()
    console.print(Text(text, style="bold underline"))
    if below:
        console.print(Text(below, style="dim"))


def _print_shared(console: Console, overview: Overview, most: int) -> None:
    """Print the statements that at least half of every group agree with, or those that come closest."""
    shared = tuple(view for view in overview.statements if view.is_shared)
    every = "every group" if overview.sizes else "those who saw it"
    title = "What all groups agree on" if overview.sizes else "What most agree on"
    if not overview.statements:
        all_withheld = "there are no statements whose counts are published by group"
        _heading(console, title, all_withheld if overview.withheld else "there are no statements")
        return
    if shared:
        shown, below = (
            shared[:most],
            f"at least half of {every}: {len(shared):,} of {len(overview.statements):,} statements",
        )
    else:
        shown, below = overview.statements[:_CLOSEST], f"at least half of {every}: none; these come closest"
    _heading(console, title, below)
    if shown:
        console.print(_shared_table(console, overview, shown))
    left = len(shared) - len(shown)
    if left > 0:
        console.print(Text(f"… and {left:,} more", style="dim"))
    _print_not_considered(console, overview, len(overview.withheld))
    console.print(
        Text(
            "Below each share: how many voted, passes among them; below 'all' its plausible range (Jeffreys, 5 % to "
            f"95 %). Firm: of 100 re-draws of the same people, in how many at least half of {every} agree.",
            style="dim",
        )
    )


def _shared_table(console: Console, overview: Overview, views: Sequence[StatementView]) -> Table:
    ids, words = [f"#{view.id}" for view in views], [view.text for view in views]
    heads, rows = _shares(overview, views, len(overview.sizes) <= _MOST_GROUPS)
    if _room(console, ids, heads, rows) < _NARROWEST:
        heads, rows = _shares(overview, views, by_group=False)
    return _table(console, ids, words, heads, rows, lines=_LINES, gap=1)


def _shares(overview: Overview, views: Sequence[StatementView], by_group: bool) -> tuple[list[str], list[list[str]]]:
    """Return the heads and the cells beside the words, a column per group or one for the lowest of them."""
    names = [group_name(number) for number in range(len(overview.sizes))]
    rows = []
    for view in views:
        cells = [_cell(cell) for cell in view.groups] if by_group else [_lowest(view)] if view.groups else []
        span = f"{round(view.lower * 100)}–{round(view.upper * 100)}" if view.total.seen else ""
        rows.append([f"{_cell(view.total)}\n{span}", *cells, _firm(view.holds)])
    return ["all", *(names if by_group else ["lowest"] if names else []), "firm"], rows


def _widths(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    columns = zip(heads, *rows, strict=True)
    return [max(cell_len(line) for text in column for line in text.split("\n")) for column in columns]


def _room(console: Console, ids: Sequence[str], heads: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """Return how many cells are left for words."""
    widths = _widths(heads, rows)
    return console.width - max(map(cell_len, ids)) - sum(widths) - _GAP * (len(widths) + 1)


def _table(
    console: Console,
    ids: Sequence[str],
    texts: Sequence[str],
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    lines: int,
    gap: int = 0,
) -> Table:
    """Return a table of statements: number, words, and shares aligned to the right."""
    room = max(_room(console, ids, heads, rows), _NARROWEST)
    table = Table(box=None, show_edge=False, pad_edge=False, padding=(0, _GAP, gap, 0), header_style="dim")
    table.show_header = any(heads)
    table.add_column("", no_wrap=True, style="dim")
    table.add_column("", width=room, no_wrap=True)
    for head, width in zip(heads, _widths(heads, rows), strict=True):
        table.add_column(head, justify="right", width=width, no_wrap=True)
    for number, text, row in zip(ids, texts, rows, strict=True):
        table.add_row(number, _words(text, room, lines), *map(_numbers, row))
    return table


def _cell(cell: VoteCount) -> str:
    return _side(cell, "agree")


def _lowest(view: StatementView) -> str:
    """Return the group in which the fewest agree, where there are too many groups for a column each."""
    seen = [n for n, cell in enumerate(view.groups) if cell.seen]
    if not seen:
        return "–"
    number = min(seen, key=lambda n: (view.groups[n].agree / view.groups[n].seen, n))
    share, people = _cell(view.groups[number]).split("\n")
    return f"{group_name(number)} {share}\n{people}"


def _firm(share: float) -> str:
    return of_100(share).replace("more than ", ">").replace("fewer than ", "<")


def _compact(count: int) -> str:
    """Return a count in at most six characters."""
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if count >= 100 * size or (size > 1000 and count >= size):
            return f"{count / size:.1f}{unit}" if count < 100 * size else f"{count // size:,}{unit}"
    return f"{count:,}"


def _numbers(text: str) -> Text:
    first, _, rest = text.partition("\n")
    return Text.assemble(first, (f"\n{rest}" if rest else "", "dim"))


def _words(outside: str, width: int, lines: int = _LINES) -> Text:
    """Return a statement's words on a few lines, cut at a word with an ellipsis."""
    wrapped = _wrap(_clean(outside) or "(no text in the source)", width)
    if len(wrapped) > lines:
        last = _wrap(wrapped[lines - 1], width - 1)[0].rstrip(" ,;:.，。、；：")
        wrapped = [*wrapped[: lines - 1], f"{last}…"]
    return Text("\n".join(wrapped))


def _wrap(text: str, width: int) -> list[str]:
    """Break text into lines of at most `width` cells, at spaces and between wide characters.

    Chinese, Japanese and Korean characters are two cells wide and break anywhere, but not before closing punctuation.
    """
    lines = [""]
    for piece in _PIECES.findall(text):
        while cell_len(lines[-1] + piece.rstrip()) > width:
            if lines[-1]:
                lines.append("")
                continue
            fitting = next(n for n in range(min(len(piece), width), 0, -1) if cell_len(piece[:n]) <= width or n == 1)
            lines[-1], piece = piece[:fitting], piece[fitting:]
            lines.append("")
        lines[-1] += piece
    return [line.rstrip() for line in lines if line.strip()] or [""]


def _print_groups(console: Console, overview: Overview) -> None:
    if not overview.sizes:
        _heading(console, "Groups", "none: too few people, or they vote too much alike to be told apart")
        return
    _heading(
        console,
        "What sets the groups apart",
        "groups are found by a computer, as a help for reading; found again they may differ a little",
    )
    if overview.silhouette is not None:
        console.print(Text(apartness(overview.silhouette, sum(overview.sizes), overview.chance)))
    console.print(Text(FLATTERING, style="dim"))
    _print_not_considered(console, overview, len(overview.withheld))
    for number, size in enumerate(overview.sizes[:_MOST_APART]):
        people = "1 person" if size == 1 else f"{size:,} people"
        console.print(Text(f"\nGroup {group_name(number)}, {people}", style="bold"))
        found = overview.statistics.repness[number] if number < len(overview.statistics.repness) else []
        if not found:
            which = "that could be considered " if overview.withheld else ""
            console.print(Text(f"no statement {which}sets it apart", style="dim"))
            continue
        rows = [(item.statement, _here_and_elsewhere(overview, number, item)) for item in found]
        console.print(_quoted_table(console, overview, ("here", "elsewhere"), rows))
    if len(overview.sizes) > _MOST_APART:
        console.print(Text(f"\n… and {len(overview.sizes) - _MOST_APART:,} more groups", style="dim"))


def _here_and_elsewhere(overview: Overview, number: int, item: Representative) -> Sequence[str]:
    groups = overview.statistics.groups
    others = [group.votes[item.statement] for group in groups if group.number != number]
    elsewhere = VoteCount(*(sum(cell[part] for cell in others) for part in range(3)))
    return _side(groups[number].votes[item.statement], item.kind, named=True), _side(elsewhere, item.kind)


def _side(cell: VoteCount, kind: Kind, named: bool = False) -> str:
    """Return the share that agrees, or disagrees, and below it how many voted."""
    share = percent(cell.agree if kind == "agree" else cell.disagree, cell.seen).replace("\N{NO-BREAK SPACE}", " ")
    return f"{share}{f' {kind}' if named else ''}\n{_compact(cell.seen)}"


def _print_consensus(console: Console, overview: Overview) -> None:
    _heading(
        console, "All participants together", "what clearly more than half agree or disagree with (consensus, as Polis)"
    )
    _print_not_considered(console, overview, overview.n_not_in_consensus, by_group=False)
    kinds: tuple[tuple[Kind, Sequence[int]], ...] = (
        ("agree", overview.statistics.consensus.agree),
        ("disagree", overview.statistics.consensus.disagree),
    )
    rows = [
        (statement, [_side(overview.statistics.total[statement], kind, named=True)])
        for kind, found in kinds
        for statement in found
    ]
    console.print()
    console.print(_quoted_table(console, overview, ("",), rows) if rows else Text("nothing", style="dim"))


def _print_bridging(console: Console, overview: Overview) -> None:
    """Print the statements with the highest bridging intercepts, where these were asked for."""
    if overview.bridging is None:
        return
    _heading(console, "Bridging intercepts, a diagnostic", "easily gamed, no basis for decisions")
    shown = {view.id for view in overview.statements}
    found = sorted((-value, number) for number, value in overview.bridging.items() if number in shown)
    if not found:
        console.print(Text("none: too few people voted on enough statements", style="dim"))
        return
    console.print()
    rows = [(number, [f"{-value:+.3f}"]) for value, number in found[:_MOST_BRIDGING]]
    console.print(_quoted_table(console, overview, ("",), rows))


def _quoted_table(
    console: Console, overview: Overview, heads: Sequence[str], rows: Sequence[tuple[int, Sequence[str]]]
) -> Table:
    """Return a table of statements named by their numbers."""
    texts = {view.id: view.text for view in overview.with_withheld}
    ids, words = [f"#{number}" for number, _ in rows], [texts.get(number, "(not shown)") for number, _ in rows]
    return _table(console, ids, words, heads, [cells for _, cells in rows], lines=2)
