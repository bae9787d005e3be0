"""Strict JSON of files that came out of a Decidim, and the values in it.

Checks: at most `source.MAX_WHOLE` bytes; UTF-8, a byte-order mark apart; no key
twice in one object, no NaN or Infinity, no numbers without end, no nesting
without end.
Does not check: what the values mean. JSON has no lines to speak of: errors
name the file and the entry.
"""

from __future__ import annotations

import json
import re
from typing import NoReturn

from auzolan.core.record.errors import MalformedError
from auzolan.deliberate.sources.cells import MAX_ID, shown
from auzolan.deliberate.sources.source import Source

_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,18}", re.ASCII)


class _JsonError(ValueError):
    """JSON that Python's reader would let pass."""


def read_json(source: Source, member: str) -> object:
    """Return what a file holds.

    Raises:
        MalformedError: it is no strict JSON.
    """
    try:
        text = source.whole(member).decode("utf-8-sig")
        return json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise MalformedError(f"{member}: not UTF-8 (byte {error.start + 1:,} of the file)") from None
    except json.JSONDecodeError as error:
        raise MalformedError(
            f"{member}, line {error.lineno:,}, column {error.colno:,}: not JSON: {error.msg}"
        ) from None
    except RecursionError:
        raise MalformedError(f"{member}: nested too deep") from None
    except ValueError as error:
        what = str(error) if isinstance(error, _JsonError) else "a number is too long"
        raise MalformedError(f"{member}: {what}") from None


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise _JsonError("a key is there twice in one object")
    return result


def _refuse_constant(text: str) -> NoReturn:
    raise _JsonError(f"{text} is no JSON number")


def as_object(value: object, where: str) -> dict[str, object]:
    """Return a value that is an object.

    Raises:
        MalformedError: it is none.
    """
    if not isinstance(value, dict):
        raise MalformedError(f"{where}: expected an object, got {_kind(value)}")
    return value


def as_list(value: object, where: str) -> list[object]:
    """Return a value that is a list.

    Raises:
        MalformedError: it is none.
    """
    if not isinstance(value, list):
        raise MalformedError(f"{where}: expected a list, got {_kind(value)}")
    return value


def as_whole(value: object, where: str, least: int = 0, most: int = MAX_ID) -> int:
    """Return a whole number, written as a number or as text.

    Raises:
        MalformedError: it is none, or outside the bounds.
    """
    number = value if isinstance(value, int) and not isinstance(value, bool) else None
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        number = int(value)
    if number is None or not least <= number <= most:
        got = (
            shown(value) if isinstance(value, str) else "a number out of bounds" if number is not None else _kind(value)
        )
        raise MalformedError(f"{where}: expected a whole number from {least:,} to {most:,}, got {got}")
    return number


def _kind(value: object) -> str:
    """Return what kind of value this is, without the value."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    kinds = {dict: "an object", list: "a list", str: "a text", int: "a number", float: "a number"}
    return kinds.get(type(value), "something else")
