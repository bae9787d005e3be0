"""Entities as lines of JSON, as the blobs of `proposals/v1` hold them, and back.

One object per line with ascending keys, without spaces, absent where a value is
not told: the canonical form of RFC 8785, as all names are ASCII but the labels of
cards, which are sorted by code point. The host stands in the record, and people stand nowhere.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields
from typing import get_args

from auzolan.core.record.canonical import (
    JsonObject,
    JsonValue,
    as_int,
    as_list,
    as_object,
    as_text,
    only_keys,
    read_json,
)
from auzolan.core.record.errors import MalformedError
from auzolan.deliberate.decidim.entities import (
    Comment,
    Debate,
    Entity,
    EntityClass,
    Fingerprint,
    Key,
    Origin,
    Proposal,
    Result,
    Taxonomy,
    Text,
)

_CLASSES: tuple[EntityClass, ...] = get_args(EntityClass)
_ORIGINS: tuple[Origin, ...] = get_args(Origin)
_NOT_KEPT = frozenset({"key", "author", "authors"})
_OF_CLASS: Mapping[str, type[Entity]] = {"proposal": Proposal, "comment": Comment, "debate": Debate, "result": Result}


# Of each class the names of its fields, with the types that they are declared with.
_FIELDS: Mapping[type[Entity], Mapping[str, str]] = {
    made: {each.name: str(each.type) for each in fields(made) if each.name not in _NOT_KEPT}
    for made in (Proposal, Comment, Debate, Result)
}
_EMPTY: Mapping[str, object] = {"Text": {}, "str": ""}  # absent from a line; None for the other types
_REQUIRED: Mapping[type[Entity], Mapping[str, object]] = {
    made: {
        each.name: _EMPTY.get(str(each.type))
        for each in fields(made)
        if each.name in _FIELDS[made] and each.default is MISSING and each.default_factory is MISSING
    }
    for made in _FIELDS
}


def to_line(entity: Entity) -> bytes:
    """Return an entity as a line, with its end."""
    said: JsonObject = {"class": entity.key.kind, "component": entity.key.component, "id": entity.key.id}
    for name in _FIELDS[type(entity)]:
        value = getattr(entity, name)
        if value not in (None, (), {}, ""):
            said[name] = _plain(value)
    text = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace") + b"\n"


def _plain(value: object) -> JsonValue:
    """Return a value of a field as JSON has it."""
    if isinstance(value, str | int):
        return value
    if isinstance(value, Fingerprint):
        return {"value": value.value, "from_decidim": value.is_from_decidim}
    if isinstance(value, Taxonomy):
        name: JsonObject = {"name": dict(value.name)}
        return name if value.id is None else {"id": value.id, **name}
    if isinstance(value, Mapping):
        return dict(value)
    assert isinstance(value, tuple), f"no form for {type(value).__name__}"
    return [_plain(each) for each in value]


def read_lines(data: bytes, host: str, where: str) -> Iterator[Entity]:
    """Yield the entities of a blob.

    Args:
        data: the blob.
        host: of the Decidim, from the record.
        where: name of the blob, for errors.

    Raises:
        MalformedError: a line has not the form that `to_line` gives.
    """
    for number, line in enumerate(data.removesuffix(b"\n").split(b"\n") if data else (), start=1):
        at = f"{where}, line {number:,}"
        yield _read_line(as_object(_parsed(line, at), at), host, at)


def _parsed(line: bytes, at: str) -> JsonValue:
    """Return a line as JSON; with fewer looks than `read_json` takes, as every value is read by its type afterwards."""
    if b"\\ud" in line.lower():  # half a character, perhaps
        return read_json(line, at)
    try:
        value: JsonValue = json.loads(line, object_pairs_hook=_pairs, parse_float=_refuse, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return read_json(line, at)  # which says what is wrong
    return value


def _pairs(pairs: list[tuple[str, JsonValue]]) -> JsonObject:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _refuse(_number: str) -> JsonValue:
    raise ValueError


def _read_line(said: JsonObject, host: str, at: str) -> Entity:
    kind = said.get("class")
    if not isinstance(kind, str) or kind not in _OF_CLASS:
        raise MalformedError(f"{at}: class: expected one of {', '.join(_CLASSES)}")
    made = _OF_CLASS[kind]
    only_keys(said, frozenset({"class", "component", "id", *_FIELDS[made]}), at)
    key = Key(
        host, as_int(said.get("component"), f"{at}: component"), _class(kind), as_int(said.get("id"), f"{at}: id")
    )
    if made is Proposal and "state" not in said:
        raise MalformedError(f"{at}: state: expected text")
    found = {name: _value(kind, said[name], f"{at}: {name}") for name, kind in _FIELDS[made].items() if name in said}
    return made(key, **{**_REQUIRED[made], **found})  # type: ignore[arg-type]


def _class(kind: str) -> EntityClass:
    return next(each for each in _CLASSES if each == kind)


def _value(kind: str, value: JsonValue, at: str) -> object:
    """Read a value of a field by the type that it is declared with."""
    return _READ[kind.removesuffix(" | None")](value, at)


def _origin(value: JsonValue, at: str) -> Origin:
    found = next((each for each in _ORIGINS if each == value), None)
    if found is None:
        raise MalformedError(f"{at}: expected one of {', '.join(_ORIGINS)}")
    return found


def _text(value: JsonValue, at: str) -> Text:
    found = as_object(value, at)
    if not all(isinstance(said, str) for said in found.values()):
        raise MalformedError(f"{at}: expected texts by language")
    return {locale: said for locale, said in found.items() if isinstance(said, str)}


def _cards(value: JsonValue, at: str) -> Mapping[str, int]:
    return {label: as_int(number, at) for label, number in as_object(value, at).items()}


def _fingerprint(value: JsonValue, at: str) -> Fingerprint:
    said = as_object(value, at)
    only_keys(said, frozenset({"value", "from_decidim"}), at)
    told = said.get("from_decidim")
    if not isinstance(told, bool):
        raise MalformedError(f"{at}: from_decidim must be true or false")
    return Fingerprint(as_text(said.get("value"), at), told)


def _taxonomies(value: JsonValue, at: str) -> tuple[Taxonomy, ...]:
    found = []
    for item in as_list(value, at):
        said = as_object(item, at)
        only_keys(said, frozenset({"id", "name"}), at)
        found.append(Taxonomy(as_int(said["id"], at) if "id" in said else None, _text(said.get("name"), at)))
    return tuple(found)


def _about(value: JsonValue, at: str) -> tuple[EntityClass, int]:
    match as_list(value, at):
        case [str(kind), number] if kind in _CLASSES:
            return _class(kind), as_int(number, at)
    raise MalformedError(f"{at}: expected a class and a number")


def _aligned(value: JsonValue, at: str) -> tuple[int, int]:
    match as_list(value, at):
        case [people_for, against]:
            return as_int(people_for, at), as_int(against, at)
    raise MalformedError(f"{at}: expected two numbers")


def _alignment(value: JsonValue, at: str) -> int:
    number = as_int(value, at, -1)
    if number > 1:
        raise MalformedError(f"{at}: expected -1, 0 or 1")
    return number


def _numbers(value: JsonValue, at: str) -> tuple[int, ...]:
    return tuple(as_int(each, at) for each in as_list(value, at))


_READ: Mapping[str, Callable[[JsonValue, str], object]] = {
    "str": as_text,
    "int": as_int,
    "Text": _text,
    "Mapping[str, int]": _cards,
    "Fingerprint": _fingerprint,
    "Origin": _origin,
    "Alignment": _alignment,
    "tuple[Taxonomy, ...]": _taxonomies,
    "tuple[EntityClass, int]": _about,
    "tuple[int, int]": _aligned,
    "tuple[int, ...]": _numbers,
}
