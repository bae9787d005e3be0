"""Values of a request's fields, read strictly: text, numbers, flags, and JSON of bounded size.

`parameters` and `tool_fields` are made of these. Messages name the field and
never show a value, which may be a person's text.
"""

from __future__ import annotations

from math import isfinite
from typing import TypeAlias

from auzolan.core.record.errors import UsageError

Wire: TypeAlias = "str | int | float | bool | list[Wire] | dict[str, Wire] | None"
"""JSON for an engine, which unlike what is signed may hold fractions."""
WireObject: TypeAlias = "dict[str, Wire]"

MAX_DEPTH = 16
MAX_NODES = 4096
MAX_JSON_CHARACTERS = 65_536


class ParameterError(UsageError):
    """A field of a request cannot be served as it is: the client must ask for something else.

    Attributes:
        parameter: the field's name, as OpenAI's errors have it under "param".
    """

    def __init__(self, parameter: str, why: str) -> None:
        super().__init__(f"{parameter}: {why}")
        self.parameter = parameter


def show(name: object) -> str:
    """Return a client's name for something so that it can stand in a message."""
    text = name if isinstance(name, str) else type(name).__name__
    return "".join(each if each.isascii() and each.isprintable() else "?" for each in text[:40]) or "an empty name"


def read_text(value: object, where: str, most: int) -> str:
    """Read text that can be written as UTF-8 and that C programs read to its end.

    Raises:
        ParameterError: it is none, or longer than `most` characters.
    """
    if not isinstance(value, str):
        raise ParameterError(where, f"expected text, got {type(value).__name__}")
    if len(value) > most:
        raise ParameterError(where, f"{len(value):,} characters, at most {most:,} are read")
    if "\0" in value:
        raise ParameterError(where, "holds a NUL character")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ParameterError(where, "holds half of a surrogate pair, which is no text") from None
    return value


def read_flag(value: object, where: str) -> bool:
    """Read true or false; null is false.

    Raises:
        ParameterError: something else.
    """
    if value is None or value is False or value is True:
        return bool(value)
    raise ParameterError(where, f"expected true or false, got {type(value).__name__}")


def read_number(value: object, where: str, least: float, most: float) -> float:
    """Read a number in a range, both ends included.

    Raises:
        ParameterError: it is none, or outside.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ParameterError(where, f"expected a number, got {type(value).__name__}")
    if not least <= value <= most or not isfinite(value):  # integers of any size compare; NaN never does
        raise ParameterError(where, f"expected a number from {least:g} to {most:g}")
    return value


def read_integer(value: object, where: str, least: int, most: int) -> int:
    """Read a whole number in a range, both ends included.

    Raises:
        ParameterError: it is none, or outside.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise ParameterError(where, f"expected a whole number, got {type(value).__name__}")
    if not least <= value <= most:
        raise ParameterError(where, f"expected a whole number from {least:,} to {most:,}")
    return value


def read_list(value: object, where: str, most: int) -> list[object]:
    """Read a list of at most `most` items.

    Raises:
        ParameterError: it is none, or longer.
    """
    if not isinstance(value, list):
        raise ParameterError(where, f"expected a list, got {type(value).__name__}")
    if len(value) > most:
        raise ParameterError(where, f"{len(value):,} items, at most {most:,} are read")
    return value


def read_fields(value: object, where: str, known: frozenset[str]) -> dict[str, object]:
    """Read an object whose fields are all known; those that are null count as not there.

    Raises:
        ParameterError: it is none, or has another field.
    """
    if not isinstance(value, dict):
        raise ParameterError(where, f"expected an object, got {type(value).__name__}")
    found = {}
    for name, item in value.items():
        if item is None:
            continue
        if name not in known:
            raise ParameterError(f"{where}.{show(name)}", "is not served here")
        found[name] = item
    return found


def read_bounded(value: object, where: str) -> WireObject:
    """Return a copy of a JSON object of bounded depth and size, such as a JSON schema.

    References in it must point into it: no engine is to fetch anything.

    Raises:
        ParameterError: it is none, too large, or points elsewhere.
    """
    if not isinstance(value, dict):
        raise ParameterError(where, f"expected an object, got {type(value).__name__}")
    left = [MAX_NODES, MAX_JSON_CHARACTERS]
    copied = _copied(value, where, left, 0)
    assert isinstance(copied, dict), "a copy of an object is one"
    return copied


def _copied(value: object, where: str, left: list[int], depth: int) -> Wire:
    left[0] -= 1
    if depth > MAX_DEPTH or left[0] < 0:
        raise ParameterError(where, f"is nested deeper than {MAX_DEPTH} levels or has more than {MAX_NODES:,} values")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        left[1] -= len(value)
        return read_text(value, where, max(left[1] + len(value), 0))
    if isinstance(value, int | float):
        return read_number(value, where, -(2**53), 2**53)
    if isinstance(value, list):
        return [_copied(each, where, left, depth + 1) for each in value]
    if isinstance(value, dict):
        return {_key(name, item, where, left): _copied(item, where, left, depth + 1) for name, item in value.items()}
    raise ParameterError(where, f"expected JSON, got {type(value).__name__}")


def _key(name: object, item: object, where: str, left: list[int]) -> str:
    text = read_text(name, where, 256)
    left[1] -= len(text)
    if text in ("$ref", "$dynamicRef", "$schema") and isinstance(item, str):
        inside = item.startswith("#") or text == "$schema"
        if not inside:
            raise ParameterError(where, "refers to something outside of itself")
    return text
