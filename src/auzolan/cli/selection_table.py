"""How a selection of articles looks in a terminal."""

from __future__ import annotations

from collections import Counter
from typing import Any

from rich.table import Table
from rich.text import Text

from auzolan.cli.output import JsonDict, hint, out, plain

_MOST_TEXT = 400


def print_selection(overview: JsonDict) -> None:
    """Print articles with who supports them, then how many did not get in and why, then the certificate."""
    out().print(
        f"{overview['participants']:,} participants, {overview['statements']:,} statements; evidence grade "
        f"{overview['grade']} (ballots say agree, disagree or pass)"
    )
    if overview["rules_known"] == "after":
        out().print("Rules fixed after votes were seen: read the outcome with that in mind.", style="yellow")
    if overview["trial"]:
        out().print("A trial: another number of articles than the rules say.", style="yellow")
    out().print()
    out().print("Selected, not yet worded and not yet ratified by the people", style="bold")
    if not overview["articles"]:
        out().print("nothing: no statement is eligible")
    for article in overview["articles"]:
        _print_article(article)
    _print_others(overview["not_included"])
    _print_certificate(overview["certificate"])


def _print_article(article: JsonDict) -> None:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(justify="right", width=3)
    grid.add_column(ratio=1, overflow="fold")
    text = plain(article["text"], _MOST_TEXT) or f"statement {article['statement_ids'][0]}"
    grid.add_row(str(article["number"]), Text(f"#{article['statement_ids'][0]}  {text}"))
    if article["groups"] is None or article["all"] is None:
        support, firm = "counts by group are withheld: few people stand behind one", ""
    else:
        seen = sum(article["all"].values())
        shares = [f"{_tenths(cell)} of group {cell['id']}" for cell in article["groups"]]
        support = "; ".join([*shares, f"{_tenths({**article['all'], 'seen': seen})} of all {seen:,} who voted on it"])
        margin = article["block_margin"]
        firm = "; no number of ballots" if margin is None else f"; {margin:,} more who disagree"
        firm += " would end its standing"
    grid.add_row("", Text(support, style="dim"))
    grid.add_row("", Text(f"by {plain(article['how'], 40)}{firm}", style="dim"))
    out().print(grid)


def _tenths(cell: dict[str, Any]) -> str:
    """Return a share in words that people use: "9 in 10"."""
    return "nobody asked" if not cell["seen"] else f"{round(10 * cell['agree'] / cell['seen'])} in 10"


def _print_others(others: list[JsonDict]) -> None:
    counted = Counter(each["status"] for each in others)
    out().print()
    out().print("Not included", style="bold")
    for status, number in sorted(counted.items(), key=lambda item: -item[1]):
        out().print(f"{number:>5,}  {'eligible, no seat left' if status == 'eligible' else plain(status, 40)}")
    contested = [each for each in others if each["status"] == "contested"][:3]
    for each in contested:
        out().print(Text(f"       #{each['statement_id']}  {plain(each['text'], 120)}", style="dim"))
        out().print(Text(f"           {plain(each['reason'], 400)}", style="dim"))


def _print_certificate(certificate: JsonDict | None) -> None:
    out().print()
    if certificate is None:
        return
    out().print("Certificate", style="bold")
    ratio = certificate["ejr_plus_ratio"]
    verdict = "holds" if ratio < 1 else "is violated"
    out().print(
        f"Proportionality (EJR+) {verdict}: the strongest claim of a group reaches {ratio:.0%} of what it would need."
    )
    if certificate["core"] is None:
        out().print(
            f"No core certificate was found: the supporters of #{certificate['entitled']} may be entitled to more.",
            style="yellow",
        )
    else:
        margin, rival = certificate["core"]["margin"], certificate["core"]["strongest_excluded"]
        said = "no other statement was eligible" if rival is None else f"the closest is #{rival}, {margin:.0%} short"
        out().print(f"No group could do better with its share of the seats (core): {said}.")
    hint("among the statements that were eligible and the votes that were cast; groups are a help, not a fact")
