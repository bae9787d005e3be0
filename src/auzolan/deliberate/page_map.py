"""The opinion map of a deliberation as inline SVG, and the same in a table for those who do not see it.

Pure text from dots; nothing here can tell one person from another, because dots
stand for several people each (`overview.opinion_map`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from auzolan.deliberate.grouping import group_name
from auzolan.deliberate.overview import Dot, Overview, percent
from auzolan.deliberate.page_style import COLOURED_GROUPS

_WIDTH = 320.0
_TALLEST, _FLATTEST = 250.0, 110.0
_MARGIN = 26.0
_INKED = 0.05  # share of the map that all dots together cover
_LARGEST = 9.0
_LABEL_HEIGHT, _LABEL_WIDTH = 18.0, 56.0
_CORNERS = (0, 4, 3, 40, 5, 6)  # of the shapes of groups in turn; 0 is a circle, 40 a square on its tip
_SHAPES = ("circle", "square", "triangle", "diamond", "pentagon", "hexagon")


class Centre(NamedTuple):
    """Where a group stands on the plane, how far its people are from there on average, and how many dots it has."""

    x: float
    y: float
    spread: float
    dots: int


def group_class(number: int) -> str:
    """Return the CSS class that gives a group its colour, or "" for people in no group and for late letters."""
    return f"g{number}" if 0 <= number < COLOURED_GROUPS else ""


def key(number: int) -> str:
    """Return a small mark in the colour and shape of a group; letters beside it say the same."""
    mark = group_mark(0, 0, 4.2, number, ' fill="currentColor"')
    return (
        f'<svg class="key {group_class(number)}" viewBox="-5 -5 10 10" role="img" aria-label="{_shape_name(number)}">'
        f"<title>{_shape_name(number)}</title>{mark}</svg>"
    )


def centres(dots: Sequence[Dot]) -> dict[int, Centre]:
    """Return the centre of each group that is on the map, by number."""
    found = {}
    for group in sorted({dot.group for dot in dots if dot.group >= 0}):
        own = [dot for dot in dots if dot.group == group]
        people = sum(dot.people for dot in own) or 1
        x = sum(dot.x * dot.people for dot in own) / people
        y = sum(dot.y * dot.people for dot in own) / people
        spread = sum(math.hypot(dot.x - x, dot.y - y) * dot.people for dot in own) / people
        found[group] = Centre(x, y, spread, len(own))
    return found


def map_svg(overview: Overview) -> str:
    """Draw the map of an overview."""
    names = {n: f"{group_name(n)} · {_size(overview, n):,}" for n in centres(overview.dots)}
    return drawn(overview.dots, names, "Opinion map", _description(overview))


def drawn(dots: Sequence[Dot], names: Mapping[int, str], title: str, description: str) -> str:
    """Draw dots; x and y have the same scale, and directions have no meaning of their own.

    Args:
        dots: at least one.
        names: group -> what stands beside it; a group without one has no label.
        title, description: for those who do not see it. All texts are markup already.
    """
    left, right = min(dot.x for dot in dots), max(dot.x for dot in dots)
    low, high = min(dot.y for dot in dots), max(dot.y for dot in dots)
    inner = _WIDTH - 2 * _MARGIN
    scale = min(inner / max(right - left, 1e-9), (_TALLEST - 2 * _MARGIN) / max(high - low, 1e-9), inner)
    height = max((high - low) * scale + 2 * _MARGIN, _FLATTEST)
    x0, y0 = _WIDTH / 2 - scale * (left + right) / 2, height / 2 + scale * (low + high) / 2
    area = _WIDTH * height * _INKED / max(sum(dot.people for dot in dots), 1)
    parts = []
    for group in sorted({dot.group for dot in dots}):
        marks = "".join(
            group_mark(x0 + scale * dot.x, y0 - scale * dot.y, _radius_of(dot.people * area), group, "")
            for dot in dots
            if dot.group == group
        )
        hollow = " none" if group < 0 else ""
        parts.append(f'<g class="dots {group_class(group)}{hollow}">{marks}</g>')
    places = {
        n: (x0 + scale * c.x, y0 - scale * c.y + (_LABEL_HEIGHT if c.dots == 1 else 0))  # below a dot that is alone
        for n, c in centres(dots).items()
        if n in names
    }
    parts += [_label_mark(x, y, names[n]) for n, (x, y) in _labels_apart(places, height).items()]
    return (
        f'<svg class="map" viewBox="0 0 {_WIDTH:.0f} {height:.0f}" role="img" aria-labelledby="map-title map-desc">'
        f'<title id="map-title">{title}</title><desc id="map-desc">{description}</desc>'
        f"{''.join(parts)}</svg>"
    )


def _label_mark(x: float, y: float, text: str) -> str:
    """Return a name on a veil, so that it can be read among dots."""
    width = 0.64 * len(text) + 0.4
    return (
        f'<g class="label" transform="translate({x:.1f} {y:.1f})"><rect x="{-width / 2:.2f}em" y="-.75em" '
        f'width="{width:.2f}em" height="1.5em" rx=".4em"/><text y=".35em">{text}</text></g>'
    )


def map_table(overview: Overview) -> str:
    """Return what the map shows, as a table."""
    found = centres(overview.dots)
    rows = []
    for number, size in enumerate(overview.sizes):
        centre = found.get(number)
        place = f"{_hundredths(centre.x)}, {_hundredths(centre.y)}" if centre else "–"
        cells = (f"{size:,}", percent(size, overview.n_participants), place, nearest_group(number, found))
        rows.append(
            f'<tr><th scope="row">{key(number)}{group_name(number)}</th>'
            f"{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
        )
    if overview.n_unassigned:
        share = percent(overview.n_unassigned, overview.n_participants)
        rows.append(
            f'<tr><th scope="row">none</th><td>{overview.n_unassigned:,}</td><td>{share}</td><td>–</td><td>–</td></tr>'
        )
    names = ("people", "of all", "centre: right, up", "nearest group")
    heads = "".join(f'<th scope="col" class="n">{name}</th>' for name in names)
    return (
        '<table class="plain"><caption>The map as a table; positions run from −100 to 100.</caption>'
        f'<thead><tr><th scope="col">group</th>{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
    )


def _size(overview: Overview, number: int) -> int:
    return overview.sizes[number] if number < len(overview.sizes) else 0


def _description(overview: Overview) -> str:
    found = centres(overview.dots)
    groups = "; ".join(
        f"group {group_name(n)}, {_size(overview, n):,} people, {_shape_name(n)}s, {_where(centre)}"
        for n, centre in found.items()
    )
    return f"{len(overview.dots):,} dots, each for several people who vote alike. {groups or 'No groups'}."


def _where(centre: Centre) -> str:
    side = "right" if centre.x > 0.05 else "left" if centre.x < -0.05 else "middle"
    level = "upper" if centre.y > 0.05 else "lower" if centre.y < -0.05 else "middle"
    return "in the middle" if side == level else f"{level} {side}"


def _hundredths(place: float) -> str:
    return f"{round(place * 100)}".replace("-", "−")


def nearest_group(number: int, found: dict[int, Centre]) -> str:
    """Return the letter of the group whose centre is nearest to that of another one, or "–"."""
    own = found.get(number)
    others = [n for n in found if n != number]
    if own is None or not others:
        return "–"
    return group_name(min(others, key=lambda n: (math.hypot(found[n].x - own.x, found[n].y - own.y), n)))


def _radius_of(area: float) -> float:
    """Return the radius of a circle of this area, within bounds."""
    return min(math.sqrt(area / math.pi), _LARGEST)


def _shape_name(number: int) -> str:
    return _SHAPES[number % len(_SHAPES)] if number >= 0 else "circle"


def group_mark(x: float, y: float, radius: float, number: int, attributes: str) -> str:
    """Draw the shape of a group with the area of a circle of this radius."""
    corners = _CORNERS[number % len(_CORNERS)] if number >= 0 else 0
    if not corners:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.2f}"{attributes}/>'
    turn = math.pi / 4 if corners == 4 else 0.0
    corners = 4 if corners == 40 else corners
    reach = radius * math.sqrt(2 * math.pi / (corners * math.sin(2 * math.pi / corners)))
    angles = [turn + 2 * math.pi * corner / corners for corner in range(corners)]
    points = " ".join(f"{x + reach * math.sin(a):.1f},{y - reach * math.cos(a):.1f}" for a in angles)
    return f'<polygon points="{points}"{attributes}/>'


def _labels_apart(places: dict[int, tuple[float, float]], height: float) -> dict[int, tuple[float, float]]:
    """Move labels down where they would lie on one another; one that would leave the map stays in the table only."""
    settled: dict[int, tuple[float, float]] = {}
    for number, (x, y) in sorted(places.items(), key=lambda item: (item[1][1], item[0])):
        x = min(max(x, _LABEL_WIDTH / 2), _WIDTH - _LABEL_WIDTH / 2)
        for near_x, near_y in sorted(settled.values(), key=lambda place: place[1]):
            if abs(near_x - x) < _LABEL_WIDTH and abs(near_y - y) < _LABEL_HEIGHT:
                y = near_y + _LABEL_HEIGHT
        if y <= height - _LABEL_HEIGHT / 3:
            settled[number] = (x, y)
    return dict(sorted(settled.items()))
