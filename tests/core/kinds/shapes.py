"""Ways to spoil a record: every field of its body missing, or of another form."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from copy import deepcopy
from typing import Any

from auzolan.core.record.canonical import JsonValue, canonical_bytes, read_canonical
from auzolan.core.record.record import Record

ANYTHING: dict[str, JsonValue] = {
    "null": None, "bool": True, "number": 7, "negative": -1, "zero": 0, "empty text": "", "some text": "x", "list": [],
    "object": {},
}  # fmt: skip
TAKEN = {  # what of this a field of that form is
    "words": {"some text"}, "text": {"empty text", "some text"}, "digest": set(), "digest or empty": {"empty text"},
    "count": {"number", "zero"}, "from 1": {"number"}, "whole": {"number", "negative", "zero"},
    "round": {"zero"}, "round or null": {"zero", "null"}, "list": {"list"}, "object": {"object"}, "bool": {"bool"},
    "one of": set(),
}  # fmt: skip
OF_BASE = {
    "base/name": "words", "base/architecture": "words", "base/weights": "digest", "base/tokenizer": "digest",
    "base/chat_template": "digest or empty", "base/config": "digest", "base/licence": "text", "base/duties": "list",
    "base/duties/0": "words",
}  # fmt: skip


def changed(record: Record, path: str, value: Any) -> Record:
    """Return a record with another value at a path in its body, in which numbers are places; without it for `...`."""
    *way, last = [int(part) if part.isdigit() else part for part in path.split("/")]
    body: Any = deepcopy(record.body)
    inside = body
    for key in way:
        inside = inside[key]
    if value is ...:
        del inside[last]
    else:
        inside[last] = value
    return Record(record.kind, body, dict(record.links), dict(record.blobs))


def read_again(record: Record) -> Record:
    """Return a record as it is read from its bytes."""
    body = read_canonical(canonical_bytes(record.body))
    assert isinstance(body, dict)
    return Record(record.kind, body, record.links, record.blobs)


def malformed(fields: Mapping[str, str], optional: Collection[str] = ()) -> list[tuple[str, Any]]:
    """Return every field with each value that it cannot have, and without any.

    Args:
        fields: path -> form; "words" may not be empty, "text" may.
        optional: paths of what an object may do without; a list may always do without an item.
    """
    cases: list[tuple[str, Any]] = []
    for path, form in fields.items():
        if path not in optional and path.rpartition("/")[2] != "0":
            cases.append((path, ...))
        cases += [(path, value) for name, value in ANYTHING.items() if name not in TAKEN[form]]
    return cases


def named(path: str) -> str:
    """Return how a message names a field: by its names, without places."""
    return ": ".join(part for part in path.split("/") if not part.isdigit())
