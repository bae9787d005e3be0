"""Canonical JSON: one value, one sequence of bytes (RFC 8785).

The bytes come from the `rfc8785` library. Ours are the two checks around it:
what may be signed at all (`check_signable`), and a strict reader for bytes
from outside (`read_json`, `read_canonical`).

Stricter than RFC 8785, on purpose: no floats (a signed number is an integer
with |x| < 2**53 in a named scale, or a string "num/den"), no duplicate keys,
no lone surrogates, at most `MAX_DEPTH` levels. Strings are not normalised:
two spellings of one letter are two strings.
"""

from __future__ import annotations

import json
from typing import NoReturn, TypeAlias

import rfc8785

from auzolan.core.record.errors import MalformedError

JsonValue: TypeAlias = "str | int | bool | list[JsonValue] | dict[str, JsonValue] | None"
JsonObject: TypeAlias = "dict[str, JsonValue]"

MAX_INTEGER = 2**53 - 1
MAX_DEPTH = 64
MAX_BYTES = 16 * 1024 * 1024


def canonical_bytes(value: JsonValue) -> bytes:
    """Return the RFC 8785 bytes of `value`.

    Raises:
        MalformedError: `value` holds something that may not be signed.
    """
    check_signable(value)
    return rfc8785.dumps(value)


class _UnsignableError(Exception):
    """Why a value may not be signed; the path is put together on the way out, so that it costs nothing otherwise."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.path: list[str] = []


def check_signable(value: object, where: str = "$", depth: int = 0) -> None:
    """Raise MalformedError unless `value` is JSON without floats.

    Args:
        value: anything; only str, int, bool, None, list and dict with str keys pass.
        where: start of the path shown in the error, in the style `$.body.seats[2]`.
        depth: nesting of `value` in what will be signed, at most `MAX_DEPTH`.
    """
    try:
        _check_signable(value, depth)
    except _UnsignableError as error:
        path = where + "".join(reversed(error.path))
        raise MalformedError(f"{path[:200]}: {error}") from None


def _check_signable(value: object, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise _UnsignableError(f"nested deeper than {MAX_DEPTH} levels")
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            # Not the number itself: Python spells neither very large ones nor those of more than 4,300 digits.
            size = f"integer of {value.bit_length()} bits"
            raise _UnsignableError(f"{size} is outside ±(2^53 - 1); write it as a string")
        return
    if isinstance(value, str):
        _check_text(value)
        return
    if isinstance(value, list):
        for position, item in enumerate(value):
            try:
                _check_signable(item, depth + 1)
            except _UnsignableError as error:
                error.path.append(f"[{position}]")
                raise
        return
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise _UnsignableError(f"keys must be text, got {type(key).__name__}")
            _check_text(key)
            try:
                _check_signable(item, depth + 1)
            except _UnsignableError as error:
                error.path.append(f".{key[:60]}")
                raise
        return
    hint = "; write an integer in a named scale" if isinstance(value, float) else ""
    raise _UnsignableError(f"{type(value).__name__} may not be signed{hint}")


def _check_text(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise _UnsignableError("text holds a lone surrogate, which is not valid UTF-8") from None


def read_json(data: bytes, what: str = "JSON") -> JsonValue:
    """Parse strict JSON from outside.

    Raises:
        MalformedError: not UTF-8, not JSON, a float, a duplicate key, an
            integer outside ±(2**53 - 1), or more than `MAX_BYTES`.
    """
    if len(data) > MAX_BYTES:
        raise MalformedError(f"{what}: {len(data):,} bytes, at most {MAX_BYTES:,} are read")
    try:
        value: JsonValue = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_object_without_duplicates,
            parse_float=_refuse_float,
            parse_int=_bounded_int,
            parse_constant=_refuse_float,
        )
        check_signable(value)
    except UnicodeDecodeError as error:
        raise MalformedError(f"{what}: not UTF-8 (byte {error.start})") from None
    except json.JSONDecodeError as error:
        raise MalformedError(f"{what}: not JSON (line {error.lineno}, column {error.colno}: {error.msg})") from None
    except RecursionError:
        raise MalformedError(f"{what}: nested deeper than {MAX_DEPTH} levels") from None
    except MalformedError as error:
        raise MalformedError(f"{what}: {error}") from None
    return value


def read_canonical(data: bytes, what: str = "JSON") -> JsonValue:
    """Parse JSON whose bytes must already be canonical.

    Raises:
        MalformedError: as `read_json`, or other bytes than RFC 8785 gives.
    """
    value = read_json(data, what)
    if canonical_bytes(value) != data:
        raise MalformedError(f"{what}: valid JSON, but not in canonical form (RFC 8785)")
    return value


def _object_without_duplicates(pairs: list[tuple[str, JsonValue]]) -> JsonObject:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise MalformedError(f"key {key[:80]!r} appears twice in one object")
            seen.add(key)
    return result


def _refuse_float(text: str) -> NoReturn:
    raise MalformedError(f"number {text[:40]} is not an integer; write it in a named integer scale")


def _bounded_int(text: str) -> int:
    if len(text) > 17:
        raise MalformedError(f"integer of {len(text)} digits is outside ±(2^53 - 1)")
    return int(text)


def as_object(value: JsonValue, where: str) -> JsonObject:
    """Return `value` if it is an object, else raise MalformedError."""
    if not isinstance(value, dict):
        raise MalformedError(f"{where}: expected an object, got {_name(value)}")
    return value


def as_list(value: JsonValue, where: str) -> list[JsonValue]:
    """Return `value` if it is a list, else raise MalformedError."""
    if not isinstance(value, list):
        raise MalformedError(f"{where}: expected a list, got {_name(value)}")
    return value


def as_text(value: JsonValue, where: str) -> str:
    """Return `value` if it is non-empty text, else raise MalformedError."""
    if not isinstance(value, str) or not value:
        raise MalformedError(f"{where}: expected non-empty text, got {_name(value)}")
    return value


def as_int(value: JsonValue, where: str, at_least: int = 0) -> int:
    """Return `value` if it is an integer (a bool is not), else raise MalformedError."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise MalformedError(f"{where}: expected an integer, got {_name(value)}")
    if abs(value) > MAX_INTEGER:
        raise MalformedError(f"{where}: integer of {value.bit_length()} bits is outside ±(2^53 - 1)")
    if value < at_least:
        raise MalformedError(f"{where}: expected at least {at_least}, got {value}")
    return value


def only_keys(value: JsonObject, allowed: frozenset[str], where: str) -> None:
    """Raise MalformedError when `value` has keys outside `allowed`."""
    extra = sorted(set(value) - allowed)
    if extra:
        raise MalformedError(f"{where}: unknown key {extra[0]!r}; known keys: {', '.join(sorted(allowed))}")


def _name(value: JsonValue) -> str:
    if value == "":
        return "empty text"
    names = {"bool": "true or false", "NoneType": "null", "str": "text", "int": "a number", "list": "a list"}
    return names.get(type(value).__name__, "an object")
