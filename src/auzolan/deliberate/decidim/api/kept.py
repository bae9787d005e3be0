"""The form in which answers are kept: entities as lines (`lines`), with pseudonyms, and what was left out of each.

No names, and no text that was not masked: what is kept is what the reader yields.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from auzolan.core.record.canonical import JsonObject, JsonValue, as_int, as_list, as_object
from auzolan.core.record.errors import MalformedError
from auzolan.deliberate.decidim.api.paging import Page
from auzolan.deliberate.decidim.entities import Comment, Entity, Left, Proposal
from auzolan.deliberate.decidim.lines import read_lines, to_line

TOO_MUCH: Mapping[str, JsonValue] = {"too_much": True}
UNTOLD: Mapping[str, JsonValue] = {"untold": True}
_WHERE = "what is kept of a reading"


class Kept(NamedTuple):
    """An entity, and what was left out of it: rule -> how often."""

    entity: Entity
    left: Mapping[str, int]


class Thread(NamedTuple):
    """Comments of a discussion.

    Attributes:
        comments: those that came.
        deeper: numbers of comments that others answer which did not come, with the depth of these.
    """

    comments: tuple[Kept, ...]
    deeper: tuple[tuple[int, int], ...]


def keep(entity: Entity, left: Iterable[Left]) -> JsonObject:
    """Return an entity as it is kept."""
    kept: JsonObject = {"line": json.loads(to_line(entity)), "people": _people(entity)}
    if rules := {each.rule: each.times for each in left if each.times}:
        kept["left"] = dict(rules)
    return kept


def _people(entity: Entity) -> JsonValue:
    if isinstance(entity, Proposal):
        return None if entity.authors is None else list(entity.authors)
    return entity.author if isinstance(entity, Comment) else None


def read_kept(value: JsonValue, host: str) -> Kept:
    """Return an entity out of what was kept."""
    kept = as_object(value, _WHERE)
    (entity,) = read_lines(json.dumps(kept.get("line")).encode() + b"\n", host, _WHERE)
    who = kept.get("people")
    if isinstance(entity, Proposal):
        entity = replace(entity, authors=None if who is None else tuple(map(str, as_list(who, _WHERE))))
    elif isinstance(entity, Comment) and isinstance(who, str):
        entity = replace(entity, author=who)
    left = as_object(kept.get("left") or {}, _WHERE)
    return Kept(entity, {rule: as_int(times, _WHERE) for rule, times in left.items()})


def read_thread(value: JsonValue, host: str) -> Thread | None:
    """Return a thread out of what was kept, None where it was not told."""
    kept = as_object(value, _WHERE)
    if "untold" in kept:
        return None
    deeper = []
    for each in as_list(kept.get("deeper"), _WHERE):
        match each:
            case [int(number), int(depth)]:
                deeper.append((number, depth))
    return Thread(tuple(read_kept(each, host) for each in as_list(kept.get("comments"), _WHERE)), tuple(deeper))


def read_page(value: JsonObject) -> Page | None:
    """Return a page for `paging` out of what was kept of it, None where it was too much."""
    if "too_much" in value:
        return None
    edges: list[tuple[str, int | None]] = []
    for each in as_list(value.get("edges"), _WHERE):
        match each:
            case [str(cursor), None]:
                edges.append((cursor, None))
            case [str(cursor), int(number)]:
                edges.append((cursor, number))
            case _:
                raise MalformedError(f"{_WHERE}: a page has another form than expected")
    return Page(tuple(edges), value.get("more") is True, value)
