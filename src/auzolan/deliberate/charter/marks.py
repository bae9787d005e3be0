"""What of a published constitution is drawn: support as tables with bars, and the opinion map.

The numbers stand beside every bar, so that bars are hidden from screen readers; the map has a table that
says the same. Names of groups are letters, and colour and shape only repeat them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from auzolan.deliberate.charter import sentences as the
from auzolan.deliberate.charter.speaker import Said, Speaker
from auzolan.deliberate.charter.view import APPROVALS, Charter, Entry, Share
from auzolan.deliberate.page_map import centres, drawn, group_class, group_mark, nearest_group


def key(number: int) -> str:
    """Return a small mark in the colour and shape of a group; the letter beside it says the same."""
    mark = group_mark(0, 0, 4.2, number, ' fill="currentColor"')
    return f'<svg class="key {group_class(number)}" viewBox="-5 -5 10 10" aria-hidden="true">{mark}</svg>'


def votes_table(entry: Entry, speaker: Speaker) -> str:
    """Return the votes on a text, by group and of all, as far as they are published."""
    total, say = entry.support.all, speaker.say
    if total is None or not total.whole:
        return ""
    approvals = entry.support.approvals
    names = ("th_approve", "th_of") if approvals else ("th_agree", "th_pass", "th_disagree", "th_votes")
    heads = "".join(f'<th scope="col" class="n">{say(name)}</th>' for name in names)
    rows = [_row(say("th_all"), total, approvals, speaker)]
    for number, (name, share) in enumerate(entry.support.groups or ()):
        rows.append(_row(f"{key(number)}{speaker.safe(name)}", share, approvals, speaker))
    return (
        f'<table class="votes"><thead><tr><td></td><td class="b"></td>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _row(name: str, share: Share, approvals: bool, speaker: Speaker) -> str:
    small, whisker, bounds = "", "", the.interval(share)
    if bounds:
        low, high = bounds
        small = f"<small>{low}–{high}</small>"
        whisker = f'<b style="left:{low}%;width:{high - low}%"></b>'
    parts = [("a", share.agree), ("p", share.passed), ("d", share.disagree)]
    if approvals:
        parts = [("a", share.agree), ("p", share.whole - share.agree)]
    bar = "".join(f'<i class="{part}" style="flex:{count}"></i>' for part, count in parts if count > 0)
    drawn = f"{bar}{whisker}" if share.whole else ""
    empty = "" if share.whole else " empty"
    told = parts[:1] if approvals else parts
    shares = "".join(
        f"<td>{speaker.percent(count, share.whole) if share.whole else '–'}{small if part == 'a' else ''}</td>"
        for part, count in told
    )
    return (
        f'<tr><th scope="row">{name}</th><td class="b"><div class="bar{empty}" aria-hidden="true">{drawn}</div></td>'
        f"{shares}<td>{speaker.shown(share.whole)}</td></tr>"
    )


def legend(charter: Charter, speaker: Speaker) -> str:
    """Return what the parts of a bar stand for."""
    say = speaker.say
    items = [("a", say("th_approve"))]
    if charter.grade != APPROVALS:
        items = [("a", say("th_agree")), ("p", say("th_pass")), ("d", say("legend_disagree"))]
        items += [] if charter.rules.is_small else [("c", say("legend_range"))]
    listed = "".join(f'<li><span class="swatch {part}" aria-hidden="true"></span>{name}</li>' for part, name in items)
    return f'<ul class="legend">{listed}</ul>'


def opinion_map(charter: Charter, speaker: Speaker) -> str:
    """Draw the map with the names and sizes of groups."""
    names = {number: _name(number, charter, speaker) for number in range(len(charter.groups))}
    description = speaker.say("map_desc", list=Said(", ".join(names.values())))
    return drawn(charter.dots, names, speaker.say("h_map"), description)


def _name(number: int, charter: Charter, speaker: Speaker) -> str:
    name, people = charter.groups[number]
    return f"{speaker.safe(name)} · {speaker.shown(people)}"


def map_table(charter: Charter, speaker: Speaker) -> str:
    """Return what the map shows, as a table."""
    say, found, people = speaker.say, centres(charter.dots), charter.turnout.participants
    rows = []
    for number, (name, size) in enumerate(charter.groups):
        nearest = nearest_group(number, found)
        cells = (speaker.shown(size), speaker.percent(size, people), nearest)
        rows.append((f"{key(number)}{speaker.safe(name)}", cells))
    if charter.n_unassigned:
        share = speaker.percent(charter.n_unassigned, people)
        rows.append((say("no_group"), (speaker.shown(charter.n_unassigned), share, "–")))
    heads = (say("th_group"), say("th_people"), say("th_of_all"), say("th_nearest"))
    return table(say("map_caption"), heads, rows)


def table(caption: str, heads: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]], named_by: str = "") -> str:
    """Return a table whose first column names its rows; everything given is markup already.

    Args:
        caption: its name, or "" where the heading `named_by` is name enough.
        heads: of the columns; the first may be "".
        rows: name and cells of each.
        named_by: id of the heading that names it.
    """
    first, *others = heads
    columns = f'<th scope="col">{first}</th>' if first else "<td></td>"
    columns += "".join(f'<th scope="col" class="n">{head}</th>' for head in others)
    body = "".join(
        f'<tr><th scope="row">{name}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>' for name, cells in rows
    )
    opened = f'<table class="plain" aria-labelledby="{named_by}">' if named_by else '<table class="plain">'
    named = f"<caption>{caption}</caption>" if caption else ""
    return f"{opened}{named}<thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table>"
