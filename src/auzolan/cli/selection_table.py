"""How an outcome, a selection's or a constitution's, looks in a terminal."""

from __future__ import annotations

from collections import Counter
from typing import Any

from rich.table import Table
from rich.text import Text

from auzolan.cli.outcome_view import grade_words, groups_words
from auzolan.cli.output import JsonDict, hint, out, plain

_MOST_TEXT = 400


def print_selection(view: JsonDict) -> None:
    """Print what was selected: articles with who supports them, what did not get in and why, the certificate."""
    print_evidence(view)
    if view["trial"]:
        out().print("A trial: another number of articles than the rules say.", style="yellow")
    if view["alike"]["people"]:
        _print_alike(view["alike"])
    out().print()
    out().print("Selected, not yet worded and not yet ratified by the people", style="bold")
    if not view["articles"]:
        out().print("nothing: no statement is eligible")
    for article in view["articles"]:
        _print_article({**article, "text": f"#{article['statement_ids'][0]}  {article['text']}"}, view["grade"])
    _print_waiting(view)
    print_clauses(view)
    _print_others(view)
    print_certificate(view["certificate"])


def print_evidence(view: JsonDict) -> None:
    """Print how many took part, what kind of evidence their votes are, and when the rules were fixed."""
    people, statements = counted(view["participants"], "participant"), counted(view["statements"], "statement")
    out().print(f"{people}, {statements}; evidence grade {view['grade']} ({grade_words(view['grade'])})")
    if view["small_community"]:
        out().print("A small community: its votes are counted exactly, nobody is grouped.")
    if view["rules_known"] == "after":
        out().print("Rules fixed after votes were seen: read the outcome with that in mind.", style="yellow")


def counted(number: int, noun: str) -> str:
    """Return a count and its noun: "1 participant", "1,204 participants"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _print_alike(alike: JsonDict) -> None:
    out().print(
        f"{alike['people']:,} people cast ballots that are exactly alike, up to {alike['most']:,} of one kind: one "
        "person with many accounts, or people who agreed to. They are counted; the margins say what they can move.",
        style="yellow",
    )


def _print_article(article: JsonDict, grade: str) -> None:
    """Print an article with who supports it and how much that hangs on."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(justify="right", width=4)
    grid.add_column(ratio=1, overflow="fold")
    grid.add_row(str(article["number"]), Text(plain(article["text"], _MOST_TEXT)))
    grid.add_row("", Text(support(article, grade), style="dim"))
    if article["against"]:
        grid.add_row("", Text(f"clearly against it: {plain(groups_words(article['against']), 200)}", style="yellow"))
    grid.add_row("", Text(f"by {plain(article['how'], 40)}; {_firmness(article, grade)}", style="dim"))
    out().print(grid)


def support(article: JsonDict, grade: str = "A") -> str:
    """Return who agrees with a statement, in words: "9 in 10 of group A; 8 in 10 of all 214 who voted on it"."""
    if article["all"] is None:
        return "counts are withheld: few people stand behind one"
    seen, agree = sum(article["all"].values()), article["all"]["agree"]
    if grade == "B":
        return f"{agree:,} approve of it"
    shares = [f"{tenths(cell)} of group {cell['id']}{_passing(cell)}" for cell in article["groups"] or ()]
    if article["groups"] is None:
        shares = ["counts by group are withheld"]
    share = "all" if agree == seen else f"{tenths({**article['all'], 'seen': seen})} of all"
    return "; ".join([*shares, f"{share} {seen:,} who voted on it"])


def _passing(cell: dict[str, Any]) -> str:
    """Say where most of those who saw a statement took no side, so that few who agree does not read as many against."""
    return " (most pass)" if 2 * cell["pass"] > cell["seen"] else ""


def _firmness(article: JsonDict, grade: str) -> str:
    if article["all"] is None or article["groups"] is None:
        return "its margin is withheld too"
    margin = article["block_margin"]
    firm = "no number of ballots would end its standing"
    if grade == "B":
        firm = "who is against it cannot be seen"
    elif margin is not None:
        firm = f"{margin:,} more who disagree would end its standing"
    return f"{firm}; it would keep its support in {article['holds']} of 100 draws"


def tenths(cell: dict[str, Any]) -> str:
    """Return a share in words that people use: "9 in 10"; all and nobody only where it is so."""
    agree, seen = cell["agree"], cell["seen"]
    if not seen:
        return "nobody asked"
    if agree in (0, seen):
        return "nobody" if not agree else "all"
    whole = (20 * agree + seen) // (2 * seen)
    return "hardly anybody" if whole == 0 else "nearly all" if whole == 10 else f"{whole} in 10"


def _print_waiting(view: JsonDict) -> None:
    """Print contested statements that go to the people's vote."""
    others = {each["statement_id"]: each for each in view["not_included"]}
    waiting = [others[statement] for statement in view["put_to_vote"]]
    if not waiting:
        return
    out().print()
    out().print("Contested: the people's vote decides", style="bold")
    for each in waiting:
        _print_one("", f"#{each['statement_id']}  {each['text']}", each["reason"])


def print_clauses(view: JsonDict) -> None:
    """Print views that are acknowledged, because those who hold them are entitled to be heard."""
    if not view["clauses"]:
        return
    out().print()
    out().print("To be acknowledged: not all agree, but so many do that they are entitled to be heard", style="bold")
    for each in view["clauses"]:
        reached = f"its supporters reach {each['reach']:.2f} of a seat of their own; {support(each)}"
        numbers = ", ".join(f"#{number}" for number in each["statement_ids"])
        _print_one(each.get("principle", ""), f"{each['text']} ({numbers})", reached)


def _print_one(number: str, text: str, said: str) -> None:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(justify="right", width=4)
    grid.add_column(ratio=1, overflow="fold")
    grid.add_row(number, Text(plain(text, _MOST_TEXT)))
    grid.add_row("", Text(plain(said, _MOST_TEXT), style="dim"))
    out().print(grid)


def _print_others(view: JsonDict) -> None:
    others = view["not_included"]
    if not others:
        return
    counts = Counter(each["status"] for each in others)
    out().print()
    out().print("Not included", style="bold")
    for status, number in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        out().print(f"{number:>5,}  {'eligible, no seat left' if status == 'eligible' else plain(status, 40)}")
    hint("`auzolan deliberate why NUMBER` says of each why, and what it lacks")


def print_certificate(certificate: JsonDict | None) -> None:
    """Print what is proved about the outcome, and about whom."""
    if certificate is None:
        return
    out().print()
    out().print("Certificate", style="bold")
    ratio = certificate["ejr_plus_ratio"]
    verdict = "holds" if ratio < 1 else "is violated"
    claim = f"the strongest claim of a group reaches {ratio:.0%} of what it would need"
    if not ratio:
        claim = "no group has a claim to a further article"
    out().print(f"Proportionality (EJR+) {verdict}: {claim}.")
    if certificate["core"] is None:
        out().print(
            f"No core certificate was found: the supporters of {certificate['entitled']} may be entitled to more.",
            style="yellow",
        )
    else:
        margin, rival = certificate["core"]["margin"], certificate["core"]["strongest_excluded"]
        said = "no other statement could be selected"
        if rival is not None:
            said = f"the supporters of {rival} come closest and reach {1 - margin:.0%} of a seat of their own"
        out().print(f"No group could do better with its share of the seats (core): {said}.")
    hint("among the statements that could be selected and the votes that were cast; groups are a help, not a fact")


def print_constitution(view: JsonDict) -> None:
    """Print what the people ratified, what is acknowledged, and what was not ratified and why."""
    print_evidence(view)
    out().print()
    out().print(f"Ratified by the people: {plain(view['title'], 200)}", style="bold")
    if not view["articles"]:
        out().print("nothing: no principle has the support that the rules ask for")
    for article in sorted(view["articles"], key=lambda each: [int(part) for part in each["principle"].split(".")]):
        numbers = ", ".join(f"#{number}" for number in article["statement_ids"])
        text = f"{article['text']} ({numbers})"
        _print_article({**article, "number": article["principle"], "text": text}, view["grade"])
    print_clauses(view)
    if view["not_included"]:
        out().print()
        out().print("Not ratified", style="bold")
    for each in view["not_included"]:
        _print_one(each["principle"], each["text"], each["reason"])
    print_certificate(view["certificate"])
