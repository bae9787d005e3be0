"""A deliberation as one HTML page that stands alone: no scripts, nothing loaded, the same bytes every time.

Whatever comes from outside (texts, titles, strata) is escaped, and characters
that hide or turn text are made visible (`plain`). Not here: deciding what is
true of the votes; the page says what `Overview` holds, with its limits beside it.

A stratum with fewer than five votes in one of its values is left out of a statement
as a whole (`Overview.strata_on`), so that a page does not tell how the one person of
a small district voted.
"""

from __future__ import annotations

import html
from collections.abc import Sequence

from auzolan.core.record.findings import plain
from auzolan.deliberate.grouping import group_name
from auzolan.deliberate.opinion import FORMULAS, Kind, VoteCount
from auzolan.deliberate.overview import (
    FEWEST,
    Overview,
    StatementView,
    WithheldStatement,
    of_100,
    percent,
)
from auzolan.deliberate.page_map import key, map_svg, map_table
from auzolan.deliberate.page_style import LEGEND, STYLE, apartness_paragraphs, votes_row, votes_table

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_OPEN = 50  # statements shown at once; the others wait behind a click, so that long pages stay light
_FOLD = 100
_OPEN_WITHHELD = 20
_LONGEST = 2_000
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
            _withheld(overview),
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
        ("statements", f"{len(overview.statements) + len(overview.withheld):,}"),
        ("groups", f"{len(overview.sizes):,}"),
    ]
    out = overview.n_moderated_out
    left = f'<p class="quiet">{_many(out, "statement")} moderated out and not shown.</p>' if out else ""
    listed = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts)
    links = [("short", "In short")]
    links += [("map", "Opinion map")] if overview.dots else []
    links += [("groups", "Groups")] if overview.sizes else []
    links += [("consensus", "All together"), ("statements", "Statements" if overview.withheld else "All statements")]
    links += [("withheld", "Withheld")] if overview.withheld else []
    items = "".join(f'<li><a href="#{anchor}">{name}</a></li>' for anchor, name in links)
    return (
        f'<header>{demo if overview.demo else ""}<h1 lang="" dir="auto">{title}</h1>'
        f"<p>{_text(overview.evidence)}</p>"
        "<p>Everything here speaks of the people who took part: the participants, not the city.</p>"
        f'<dl class="facts">{listed}</dl>{left}'
        f'<nav aria-label="On this page"><ul>{items}</ul></nav></header>'
    )


def _in_short(overview: Overview) -> str:
    shared = [view for view in overview.statements if view.is_shared]
    every = _every(overview)
    if not shared:
        which = " whose counts are published" if overview.withheld else ""
        found = f"<p>On none of the statements{which} do at least half of {every} agree.</p>"
    else:
        best = "".join(_short_item(view, overview) for view in shared[:_IN_SHORT])
        found = (
            f"<p>On {len(shared):,} of {_many(len(overview.statements), 'statement')}, at least half of {every} agree. "
            f'{"The first of them" if len(shared) > 1 else "It is"}:</p><ul class="said">{best}</ul>'
        )
    unknown = _not_considered(len(overview.withheld), "here", overview)
    return (
        f'<section><h2 id="short">In short</h2>{found}{unknown}<p class="quiet">A share counts everyone who saw a '
        "statement: those who passed count as having seen it, not as agreeing.</p></section>"
    )


def _not_considered(count: int, where: str, overview: Overview) -> str:
    """Say beside a list how many statements could not come into it."""
    if not count:
        return ""
    what = "counts by group" if overview.sizes and where != "for consensus" else "counts"
    link = f'<a href="#withheld">{_many(count, "statement")}</a>'
    return f'<p class="quiet">{link} could not be considered {where}, because their {what} are withheld.</p>'


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
    href = f'a class="id" href="#s{number}"' if linked else 'span class="id"'
    return f"{shown} <{href}>#{number}</{href.split()[0]}>"


def _quote_of(number: int, overview: Overview) -> str:
    """Return the words of a statement by its number; it may be one that is not on the page."""
    texts = [each.text for each in overview.with_withheld if each.id == number]
    if texts:
        return _quote(number, texts[0], linked=True)
    return f'<span class="q">(not shown)</span> <span class="id">#{number}</span>'


def _map(overview: Overview) -> str:
    if not overview.dots:
        return ""
    fewest = min(dot.people for dot in overview.dots)
    return (
        f'<section><h2 id="map">Opinion map</h2><p>Each dot stands for {_many(fewest, "person")} or more who vote '
        "alike; dots near each other voted alike. Larger dots are more people. Right, left, up and down mean "
        f"nothing by themselves.{_no_dot(overview)}</p><figure>{map_svg(overview)}</figure>{map_table(overview)}"
        '<p class="quiet">The map flattens many votes onto two directions (principal components), '
        "so people who look close may still differ on single statements.</p></section>"
    )


def _no_dot(overview: Overview) -> str:
    missing = [f"{group_name(n)} ({_many(overview.sizes[n], 'person')})" for n in overview.without_dots]
    if not missing:
        return ""
    said = f"Group {missing[0]} has no dot" if len(missing) == 1 else f"Groups {', '.join(missing)} have no dots"
    return f" {said}: so few people could be found by where they stand."


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
        f"different when it looks again; nobody joined one, and none has a name of its own.</p>"
        f"{apartness_paragraphs(overview)}"
        '<p class="quiet">Below: the statements that set each group apart from the others '
        f"(representative statements, computed as Polis does).</p>"
        f"{_not_considered(len(overview.withheld), 'as representative', overview)}{cards}</section>"
    )


def _group(number: int, overview: Overview) -> str:
    size = overview.sizes[number]
    found = overview.statistics.repness[number] if number < len(overview.statistics.repness) else []
    items = "".join(_apart(number, item.statement, item.kind, overview) for item in found)
    which = "that could be considered " if overview.withheld else ""
    listed = f'<ul class="said">{items}</ul>' if items else f"<p>No statement {which}sets this group apart.</p>"
    share = percent(size, overview.n_participants)
    head = f"{key(number)}Group {group_name(number)}: {_many(size, 'person')}, {share} of the participants"
    return f"<h3>{head}</h3>{_FEW if size < FEWEST else ''}{listed}"


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


def _share(cell: VoteCount, kind: Kind) -> tuple[int, int]:
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
        "in this, so a large group can carry a statement against a small one.</p>"
        f"{_not_considered(overview.n_not_in_consensus, 'for consensus', overview)}{''.join(parts)}</section>"
    )


def _statements(overview: Overview) -> str:
    views = [_statement(view, overview) for view in overview.statements]
    if overview.sizes:
        order = (
            "Sorted by agreement between groups: first come statements that every group agrees with, "
            "however large or small it is (the geometric mean of the groups' shares, smoothed; the order is that of "
            "Polis' group-aware consensus, whose value is given in parentheses)."
        )
    else:
        order = "Sorted by the share of participants who agree, smoothed."
    shown = _folded(views, _OPEN) if views else "<p>There are none.</p>"
    which = "by group " if overview.sizes else ""
    head = f"Statements whose counts {which}are published" if overview.withheld else "All statements"
    return (
        f'<section><h2 id="statements">{head}</h2><p>{order}</p>{_strata_shown(overview)}{LEGEND}'
        '<p class="quiet">Small numbers behind a share give the range in which it plausibly lies, were these people a '
        "chance draw from more like them (Jeffreys interval, 5 % to 95 %). They are no margin of error for the city: "
        "who took part was not drawn by lot. Re-draws ask how much hangs on single people: the members of "
        "each group are drawn again by chance, some twice, some not at all (bootstrap), the groups staying as they "
        f"are.</p>{shown}</section>"
    )


def _folded(items: Sequence[str], n_open: int) -> str:
    """Return statements as a list, those after the first few behind clicks."""
    parts = [_list(items[:n_open], 1)]
    for first in range(n_open, len(items), _FOLD):
        last = min(first + _FOLD, len(items))
        summary = f"Statements {first + 1:,} to {last:,}" if last > first + 1 else f"Statement {last:,}"
        parts.append(f"<details><summary>{summary}</summary>{_list(items[first:last], first + 1)}</details>")
    return "".join(parts)


def _list(items: Sequence[str], start: int) -> str:
    return f'<ol class="all" role="list" start="{start}">{"".join(items)}</ol>'


def _statement(view: StatementView, overview: Overview) -> str:
    rows = [votes_row("All", view.total, (view.lower, view.upper))]
    bounds = view.group_bounds or (None,) * len(view.groups)
    rows += [
        votes_row(f"{key(number)}{group_name(number)}", cell, bound)
        for number, (cell, bound) in enumerate(zip(view.groups, bounds, strict=True))
    ]
    bridging = (overview.bridging or {}).get(view.id)
    diagnostic = "" if bridging is None else f"{_BRIDGING} {bridging:+.3f}</p>"
    return (
        f'<li id="s{view.id}"><p class="q">{_quote(view.id, view.text, linked=False)}</p>{votes_table(rows)}'
        f'<p class="quiet">{_firmness(view)}</p>{diagnostic}{_strata(view, overview)}</li>'
    )


def _withheld(overview: Overview) -> str:
    """Return the statements of which only the votes of all are published, or not even these."""
    if not overview.withheld:
        return ""
    what = "counts by group" if overview.sizes else "counts"
    items = [_withheld_statement(each, overview) for each in overview.withheld]
    return (
        f'<section><h2 id="withheld">Statements whose {what} are withheld</h2><p>On each of them fewer than '
        f"{_many(overview.min_cell, 'person')} stand behind one of the counts (those in no group count too), or behind "
        "its change since an earlier tally, and publishing it might tell how they voted.</p>"
        f"{_folded(items, _OPEN_WITHHELD)}</section>"
    )


def _withheld_statement(each: WithheldStatement, overview: Overview) -> str:
    bounds = None if each.lower is None or each.upper is None else (each.lower, each.upper)
    of_all = '<p class="quiet">The votes of all are withheld too.</p>'
    if each.total is not None:
        of_all = votes_table([votes_row("All", each.total, bounds)]) + _strata(each, overview)
    return f'<li id="s{each.id}"><p class="q">{_quote(each.id, each.text, linked=False)}</p>{of_all}</li>'


_BRIDGING = '<p class="quiet">Bridging intercept (a diagnostic, easily gamed, no basis for decisions):'


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


def _strata(view: StatementView | WithheldStatement, overview: Overview) -> str:
    """Return the votes by what participants declared, such as their district, behind a click."""
    folds = []
    for name, cells in (overview.strata_on(view.id, view.total) if view.total else {}).items():
        rows = [votes_row(f'<span class="s">{_text(value)}</span>', cell, None) for value, cell in cells.items()]
        folds.append(f"<details><summary>By {_text(name)}</summary>{votes_table(rows)}</details>")
    return "".join(folds)


def _strata_shown(overview: Overview) -> str:
    """Say on how many statements each stratum is shown."""
    views = overview.with_withheld
    shown = [name for view in views if view.total for name in overview.strata_on(view.id, view.total)]
    fewest = max(FEWEST, overview.min_cell)
    return "".join(
        f'<p class="quiet">Votes by {_text(name)} are shown on {shown.count(name):,} of '
        f"{_many(len(views), 'statement')}; on the others fewer than {fewest} people stand behind one of the counts "
        "(those who declared nothing count too), or none are published.</p>"
        for name in overview.strata or ()
        if shown.count(name) < len(views)
    )


def _footer(overview: Overview) -> str:
    licence = f"<p>Licence of the votes: {_text(overview.licence)}</p>" if overview.licence else ""
    return (
        f"<footer>{licence}<p>Statistics: formulas {FORMULAS}. Figures are rounded for reading and follow from the "
        "counts; the counts are what can be checked. They do not show whether those who took part speak for those who "
        "did not.</p></footer>"
    )
