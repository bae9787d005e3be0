"""Damaging valid bytes and values in the ways that parsers get wrong."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from random import Random
from typing import Any

from auzolan.core.record.canonical import MAX_INTEGER

NUMBERS = (0, 1, -1, 2, 255, 256, 257, 65_535, 65_536, 2**31, 2**32, MAX_INTEGER, MAX_INTEGER + 1, 2**63, 2**64)
TEXTS = (
    "",
    " ",
    "\n",
    "\n\n",
    "\r\n",
    "\x00",
    "\x1b[31m",
    "\x7f",
    "\x85",
    "\u00a0",
    "\u2028",
    "\u200b",
    "\u202e",
    "\ufeff",
    "\u2014 ",
    "\u2014",
    "+",
    "=",
    "==",
    "AAAA",
    "0",
    "00",
    "-1",
    "+1",
    "1e9",
    "0x10",
    "1_0",
    "٣",
    "１",
    "²",
    "9" * 20,
    "9" * 5000,
    "NaN",
    "null",
    "true",
    "x" * 200,
    "a/b",
    "../../etc/passwd",
    "c2sp.org/tlog-proof@v1",
    "old 0",
    "index 0",
    "extra ",
    "demo/x",
    "governance/v1",
    "document/v1",
    "é",
    "e\u0301",
    "0" * 64,
    "f" * 64,
    "F" * 64,
)
BYTES = (
    *(text.encode() for text in TEXTS),
    b"\xff",
    b"\xed\xa0\x80",
    b"\xc0\x80",
    b"\x80",
    b"\\ud800",
    b"\\u0000",
    b"[" * 3000,
    b'{"a":' * 3000,
)
# Values that JSON or TOML may hold where another type is meant.
SCALARS: tuple[Any, ...] = (None, True, False, *NUMBERS, *(-number for number in NUMBERS), *TEXTS)
ODD_SCALARS: tuple[Any, ...] = (
    1.0,
    -0.0,
    float("nan"),
    float("inf"),
    10**400,
    -(10**400),
    16**5000,
    -(16**5000),
    "\ud800",
    datetime.date(2026, 11, 20),
    datetime.datetime(2026, 11, 20, 12, 0, tzinfo=datetime.UTC),
    datetime.time(12, 0),
)


def mutated(random: Random, data: bytes, others: Sequence[bytes] = ()) -> bytes:
    """Return `data` after one to four damages; `others` are valid bytes to mix in."""
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        data = _damaged(random, data, others)
    return data


def _damaged(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    start = random.randrange(len(data) + 1)
    end = min(len(data), start + random.choice((1, 1, 2, 4, 32, 200)))
    way = random.randrange(11)
    if way == 0 and data:
        bit = random.randrange(8 * len(data))
        return data[: bit // 8] + bytes([data[bit // 8] ^ 1 << bit % 8]) + data[bit // 8 + 1 :]
    if way == 1:
        return data[:start] + data[end:]
    if way == 2:
        return data[:start] + random.choice(BYTES) + data[start:]
    if way == 3:
        return data[:start] + random.choice(BYTES) + data[end:]
    if way == 4:
        return data[:start]
    if way == 5:
        return data[:end] + data[start:end] * random.choice((1, 2, 64)) + data[end:]
    if way == 6:
        return data + random.choice(BYTES)
    if way == 7 and others:
        other = random.choice(others)
        cut = random.randrange(len(other) + 1)
        return data[:start] + other[cut:]
    if way == 8 and others:
        return random.choice(others)
    return _lines_damaged(random, data)


def _lines_damaged(random: Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    one, other = random.randrange(len(lines)), random.randrange(len(lines))
    way = random.randrange(5)
    if way == 0:
        lines[one], lines[other] = lines[other], lines[one]
    elif way == 1:
        lines.insert(other, lines[one])
    elif way == 2:
        del lines[one]
    elif way == 3:
        lines[one] = random.choice(BYTES)
    else:
        words = lines[one].split(b" ")
        words[random.randrange(len(words))] = random.choice(BYTES)
        lines[one] = b" ".join(words)
    return b"\n".join(lines)


def mutated_value(random: Random, value: Any, scalars: Sequence[Any] = SCALARS) -> Any:
    """Return a copy of a JSON-like value with one to three nodes replaced, added, renamed or dropped."""
    for _ in range(random.choice((1, 1, 2, 3))):
        value = _node_changed(random, value, scalars)
    return value


def _node_changed(random: Random, value: Any, scalars: Sequence[Any]) -> Any:
    if not isinstance(value, (dict, list)) or not value or random.random() < 0.15:
        return _made(random, value, scalars)
    if isinstance(value, list):
        place = random.randrange(len(value))
        changed = _node_changed(random, value[place], scalars)
        return random.choice(
            (
                [*value[:place], changed, *value[place + 1 :]],
                [*value[:place], changed, *value[place:]],
                [*value[:place], *value[place + 1 :]],
                [*value, value[place]],
            )
        )
    key = random.choice(list(value))
    rest = {name: item for name, item in value.items() if name != key}
    way = random.randrange(6)
    if way == 0:
        return rest
    if way == 1:
        return {**rest, str(random.choice(TEXTS)): value[key]}
    if way == 2:
        return {**value, str(random.choice(TEXTS)): _made(random, value[key], scalars)}
    return {**value, key: _node_changed(random, value[key], scalars)}


def _made(random: Random, value: Any, scalars: Sequence[Any]) -> Any:
    way = random.randrange(8)
    if way == 0:
        return [value]
    if way == 1:
        return {"inner": value}
    if way == 2:
        return []
    if way == 3:
        return {}
    if way == 4 and isinstance(value, str):
        place = random.randrange(len(value) + 1)
        return value[:place] + str(random.choice(TEXTS)) + value[place + random.randrange(3) :]
    if way == 5:
        deep: Any = value
        for _ in range(random.choice((3, 62, 70, 300))):
            deep = [deep]
        return deep
    return random.choice(scalars)
