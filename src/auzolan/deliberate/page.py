"""A deliberation as one HTML page that stands alone: no scripts, nothing loaded, the same bytes every time.

Whatever comes from outside (texts, titles, strata) is escaped, and characters
that hide or turn text are made visible (`plain`). Not here: deciding what is
true of the votes; the page says what `Overview` holds, with its limits beside it.

Strata with fewer than five votes on a statement are left out, so that a page does
not tell how the one person of a small district voted.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence

from auzolan.core.record.findings import plain
from auzolan.deliberate.grouping import group_name
from auzolan.deliberate.opinion import FORMULAS, Kind, Tally
from auzolan.deliberate.overview import Overview, StatementView, of_100, percent
from auzolan.deliberate.page_map import key, map_svg, map_table
from auzolan.deliberate.page_style import STYLE

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_OPEN = 50  # statements shown at once; the others wait behind a click, so that long pages stay light
_FOLD = 100
_LONGEST = 2_000
_FEWEST = 5
_IN_SHORT = 3


def page(overview: Overview) -> str:
    """Return the page as HTML text, to be written as UTF-8."""
    title = _text(overview.title) or "A deliberation"
    body = "".join(
        (
            _header(overview, title),
            "<main>",
            _in_short(overview),
            _map(overview),
            _groups(overview),
            _consensus(overview),
            _statements(overview),
            "</main>",
            _footer(overview),
        )
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _text(outside: str) -> str:
    """Return text from outside, safe to stand between tags and in quoted attributes."""
    return html.escape(plain(" ".join(outside.split()), _LONGEST))


def _many(count: int, noun: str) -> str:
    """Return a count and its noun: "1 person", "1,204 people"."""
    plurals = {"person": "people"}
    return f"{count:,} {noun if count == 1 else plurals.get(noun, noun + 's')}"


def _header(overview: Overview, title: str) -> str:
    demo = '<p class="demo" role="note">Demonstration: throw-away keys, signatures prove nothing.</p>'
    facts = [
        ("participants", f"{overview.n_participants:,}"),
        ("votes", f"{overview.n_votes:,}"),
        ("statements", f"{len(overview.statements):,}"),
        ("groups", f"{len(overview.sizes):,}"),
    ]
    listed = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts)
    links = [("short", "In short")]
    links += [("map", "Opinion map")] if overview.dots else []
    links += [("groups", "Groups")] if overview.sizes else []
    links += [("consensus", "All together"), ("statements", "All statements")]
    items = "".join(f'<li><a href="#{anchor}">{name}</a></li>' for anchor, name in links)
    return (
        f'<header>{demo if overview.demo else ""}<h1 lang="" dir="auto">{title}</h1>'
        f"<p>{_text(overview.evidence)}</p>"
        "<p>Everything here speaks of the people who took part: the participants, not the city.</p>"
        f'<dl class="facts">{listed}</dl>{_left_out(overview)}'
        f'<nav aria-label="On this page"><ul>{items}</ul></nav></header>'
    )


def _left_out(overview: Overview) -> str:
    out = overview.n_moderated_out
    return f'<p class="quiet">{_many(out, "statement")} moderated out and not shown.</p>' if out else ""


def _in_short(overview: Overview) -> str:
    shared = [view for view in overview.statements if view.is_shared]
    every = _every(overview)
    if not shared:
        found = f"<p>On none of the statements do at least half of {every} agree.</p>"
    else:
        best = "".join(_short_item(view, overview) for view in shared[:_IN_SHORT])
        found = (
            f"<p>On {len(shared):,} of {_many(len(overview.statements), 'statement')}, at least half of {every} agree. "
            f'{"The first of them" if len(shared) > 1 else "It is"}:</p><ul class="said">{best}</ul>'
        )
    return (
        f'<section><h2 id="short">In short</h2>{found}<p class="quiet">A share counts everyone who saw a statement: '
        "those who passed count as having seen it, not as agreeing.</p></section>"
    )


def _every(overview: Overview) -> str:
    return "every group" if overview.sizes else "those who saw them"


def _short_item(view: StatementView, overview: Overview) -> str:
    agree, _, seen = view.total
    share = f"{percent(agree, seen)} of all who saw it agree ({agree:,} of {seen:,})"
    if overview.sizes:
        lowest = min(range(len(view.groups)), key=lambda n: view.groups[n].agree / view.groups[n].seen)
        cell = view.groups[lowest]
        share += f"; lowest in group {group_name(lowest)}, {cell.agree:,} of {cell.seen:,}"
    return f'<li>{_quote(view.id, view.text, linked=True)}<br><span class="quiet">{share}</span></li>'


def _quote(number: int, text: str, linked: bool) -> str:
    """Return a statement's words, or what stands for them, with its number."""
    words = _text(text)
    shown = (
        f'<q class="q" lang="" dir="auto">{words}</q>' if words else '<span class="q">(no text in the source)</span>'
    )
    label = f"#{number}"
    return (
        f'{shown} <a class="id" href="#s{number}">{label}</a>' if linked else f'{shown} <span class="id">{label}</span>'
    )


def _quote_of(number: int, overview: Overview) -> str:
    """Return the words of a statement by its number; it may be one that is not on the page."""
    for view in overview.statements:
        if view.id == number:
            return _quote(number, view.text, linked=True)
    return f'<span class="q">(not shown)</span> <span class="id">#{number}</span>'


def _map(overview: Overview) -> str:
    if not overview.dots:
        return ""
    fewest = min(dot.people for dot in overview.dots)
    return (
        f'<section><h2 id="map">Opinion map</h2><p>Each dot stands for {_many(fewest, "person")} or more who vote '
        "alike; dots near each other voted alike. Larger dots are more people. Right, left, up and down mean "
        f"nothing by themselves.</p><figure>{map_svg(overview)}</figure>{map_table(overview)}"
        '<p class="quiet">The map flattens many votes onto two directions (principal components), '
        "so people who look close may still differ on single statements.</p></section>"
    )


def _groups(overview: Overview) -> str:
    if not overview.sizes:
        return (
            '<section><h2 id="groups">Groups</h2><p>No groups: there were too few people, or they vote too much alike '
            "to be told apart. What follows is about all participants together.</p></section>"
        )
    cards = "".join(_group(number, overview) for number in range(len(overview.sizes)))
    unassigned = overview.n_unassigned
    rest = f" {_many(unassigned, 'person')} with too few votes stand in no group." if unassigned else ""
    how = _text(f"{overview.grouping[:1].upper()}{overview.grouping[1:]}".removesuffix("."))
    return (
        f'<section><h2 id="groups">Groups</h2><p>People who vote alike, side by side. {how}.'
        f"{rest}</p><p>Groups are a help for reading. A computer finds them from the votes, and may find them a little "
        "different when it looks again; nobody joined one, and none has a name of its own.</p>"
        '<p class="quiet">Below: the statements that set each group apart from the others '
        f"(representative statements, computed as Polis does).</p>{cards}</section>"
    )


def _group(number: int, overview: Overview) -> str:
    size = overview.sizes[number]
    found = overview.statistics.repness[number] if number < len(overview.statistics.repness) else []
    items = "".join(_apart(number, item.statement, item.kind, overview) for item in found)
    listed = f'<ul class="said">{items}</ul>' if items else "<p>No statement sets this group apart.</p>"
    share = percent(size, overview.n_participants)
    head = f"{key(number)}Group {group_name(number)}: {_many(size, 'person')}, {share} of the participants"
    return f"<h3>{head}</h3>{_FEW if size < _FEWEST else ''}{listed}"


_FEW = '<p class="quiet">A very small group: one person more or less would change the picture.</p>'


def _apart(number: int, statement: int, kind: Kind, overview: Overview) -> str:
    groups = overview.statistics.groups
    others = [_share(group.votes[statement], kind) for group in groups if group.number != number]
    mine = _share(groups[number].votes[statement], kind)
    theirs = (sum(part for part, _ in others), sum(whole for _, whole in others))
    elsewhere = f"; elsewhere {percent(*theirs)} of {theirs[1]:,} do" if others else ""
    return (
        f'<li><span class="side">{_stance(mine, theirs, kind)}:</span> {_quote_of(statement, overview)}<br>'
        f'<span class="quiet">{percent(*mine)} of {mine[1]:,} here {kind}{elsewhere}</span></li>'
    )


def _stance(mine: tuple[int, int], theirs: tuple[int, int], kind: Kind) -> str:
    """Say what a group thinks compared with the others.

    Polis multiplies two tests when it chooses, so that two negative ones can put forward a statement that a group
    agrees with less than others do; the words must not turn that round.
    """
    verb = f"{kind.capitalize()}s"
    majority, more = 2 * mine[0] > mine[1], mine[0] * theirs[1] > theirs[0] * mine[1] or not theirs[1]
    if more:
        return verb if majority else f"{verb} more than others"
    return f"{verb}, as others do" if majority else f"{verb} less than others"


def _share(cell: Tally, kind: Kind) -> tuple[int, int]:
    return (cell.agree if kind == "agree" else cell.disagree, cell.seen)


def _consensus(overview: Overview) -> str:
    parts = []
    kinds: tuple[tuple[Kind, str, Sequence[int]], ...] = (
        ("agree", "Most agree", overview.statistics.consensus.agree),
        ("disagree", "Most disagree", overview.statistics.consensus.disagree),
    )
    for kind, head, found in kinds:
        items = []
        for statement in found:
            part, whole = _share(overview.statistics.total[statement], kind)
            items.append(
                f'<li>{_quote_of(statement, overview)}<br><span class="quiet">{percent(part, whole)} {kind} '
                f"({part:,} of {whole:,} who saw it)</span></li>"
            )
        none = f"<p>There is no statement on which clearly more than half {kind}.</p>"
        parts.append(f"<h3>{head}</h3>" + (f'<ul class="said">{"".join(items)}</ul>' if items else none))
    return (
        '<section><h2 id="consensus">All participants together</h2><p>Up to five statements each on which clearly '
        "more than half of all participants are of one mind (consensus, computed as Polis does). Groups play no part "
        f"in this, so a large group can carry a statement against a small one.</p>{''.join(parts)}</section>"
    )


def _statements(overview: Overview) -> str:
    views = overview.statements
    folds = []
    for first in range(_OPEN, len(views), _FOLD):
        last = min(first + _FOLD, len(views))
        summary = f"Statements {first + 1:,} to {last:,}" if last > first + 1 else f"Statement {last:,}"
        inner = _list(views[first:last], first + 1, overview)
        folds.append(f"<details><summary>{summary}</summary>{inner}</details>")
    if overview.sizes:
        order = (
            "Sorted by agreement between groups: first come statements that every group agrees with, "
            "however large or small it is (the geometric mean of the groups' shares, smoothed; the order is that of "
            "Polis' group-aware consensus, whose value is given in parentheses)."
        )
    else:
        order = "Sorted by the share of participants who agree, smoothed."
    shown = _list(views[:_OPEN], 1, overview) if views else "<p>There are no statements to show.</p>"
    return (
        f'<section><h2 id="statements">All statements</h2><p>{order}</p>{_LEGEND}'
        '<p class="quiet">Small numbers behind a share give the range in which it plausibly lies, were these people a '
        "chance draw from more like them (Jeffreys interval, 5 % to 95 %). They are no margin of error for the city: "
        "who took part was not drawn by lot. Re-draws ask how much hangs on single people: the members of "
        "each group are drawn again by chance, some twice, some not at all (bootstrap), the groups staying as they "
        f"are.</p>{shown}{''.join(folds)}</section>"
    )


_LEGEND = (
    '<ul class="legend"><li><span class="swatch a"></span>agree</li><li><span class="swatch p"></span>pass</li>'
    '<li><span class="swatch d"></span>disagree (striped)</li>'
    '<li><span class="swatch c"></span>plausible range of “agree”</li></ul>'
)


def _list(views: Sequence[StatementView], start: int, overview: Overview) -> str:
    items = "".join(_statement(view, overview) for view in views)
    return f'<ol class="all" role="list" start="{start}">{items}</ol>'


def _statement(view: StatementView, overview: Overview) -> str:
    rows = [_row("All", view.total, (view.lower, view.upper))]
    bounds = view.group_bounds or (None,) * len(view.groups)
    rows += [
        _row(f"{key(number)}{group_name(number)}", cell, bound)
        for number, (cell, bound) in enumerate(zip(view.groups, bounds, strict=True))
    ]
    bridging = (overview.bridging or {}).get(view.id)
    diagnostic = "" if bridging is None else f'<p class="quiet">Bridging intercept (a diagnostic): {bridging:+.3f}</p>'
    return (
        f'<li id="s{view.id}"><p class="q">{_quote(view.id, view.text, linked=False)}</p>{_table(rows)}'
        f'<p class="quiet">{_firmness(view)}</p>{diagnostic}{_strata(view.id, overview.strata)}</li>'
    )


def _firmness(view: StatementView) -> str:
    """Say how firmly the groups stand, in words."""
    whose = "of every group" if view.groups else "of all"
    between = (
        f"Agreement between groups {round(view.common * 100)} of 100 (group-aware consensus {view.gac:.3f}). "
        if view.groups
        else ""
    )
    unseen = [group_name(number) for number, cell in enumerate(view.groups) if not cell.seen]
    if unseen:
        who = f"group {unseen[0]} has" if len(unseen) == 1 else f"{len(unseen):,} groups have"
        return f"{between}Nobody can say what every group thinks: {who} not seen it."
    against = view.holds_against > view.holds
    firm, verb = (view.holds_against, "disagree") if against else (view.holds, "agree")
    return f"{between}In {of_100(firm)} of 100 re-draws at least half {whose} {verb}."


def _table(rows: Iterable[str]) -> str:
    heads = "".join(f'<th scope="col" class="n">{head}</th>' for head in ("agree", "pass", "disagree", "votes"))
    return (
        f'<table class="votes"><thead><tr><td></td><td class="b"></td>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _row(name: str, cell: Tally, bounds: tuple[float, float] | None) -> str:
    """Return one row of votes; the bar repeats the numbers beside it, so it is hidden from screen readers."""
    passes = cell.seen - cell.agree - cell.disagree
    interval, whisker = "", ""
    if cell.seen and bounds:
        low, high = (round(bound * 100) for bound in bounds)
        interval = f"<small>{low}–{high}</small>"
        whisker = f'<b style="left:{low}%;width:{high - low}%"></b>'
    parts = (("a", cell.agree), ("p", passes), ("d", cell.disagree))
    bar = "".join(f'<i class="{part}" style="flex:{count}"></i>' for part, count in parts if count)
    filled = f'<div class="bar" aria-hidden="true">{bar}{whisker}</div>'
    shares = "".join(f"<td>{percent(count, cell.seen)}{interval if part == 'a' else ''}</td>" for part, count in parts)
    return (
        f'<tr><th scope="row">{name}</th><td class="b">'
        f"{filled if cell.seen else _EMPTY_BAR}</td>{shares}<td>{cell.seen:,}</td></tr>"
    )


_EMPTY_BAR = '<div class="bar empty" aria-hidden="true"></div>'


def _strata(statement: int, strata: Mapping[str, Mapping[str, Mapping[int, Tally]]] | None) -> str:
    """Return the votes by what participants declared, such as their district, behind a click."""
    folds = []
    for name, values in (strata or {}).items():
        cells = {value: votes[statement] for value, votes in values.items() if statement in votes}
        shown = [
            _row(f'<span class="s">{_text(value)}</span>', cell, None)
            for value, cell in cells.items()
            if cell.seen >= _FEWEST
        ]
        hidden = len(cells) - len(shown)
        note = f'<p class="quiet">{hidden:,} with fewer than {_FEWEST} votes not shown.</p>' if hidden else ""
        folds.append(f"<details><summary>By {_text(name)}</summary>{_table(shown) if shown else ''}{note}</details>")
    return "".join(folds)


def _footer(overview: Overview) -> str:
    licence = f"<p>Licence of the votes: {_text(overview.licence)}</p>" if overview.licence else ""
    return (
        f"<footer>{licence}<p>Statistics: formulas {FORMULAS}. Figures are rounded for reading and follow from the "
        "counts; the counts are what can be checked. They do not show whether those who took part speak for those who "
        "did not.</p></footer>"
    )
