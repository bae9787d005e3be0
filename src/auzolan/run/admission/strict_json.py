"""Settings of a model as strict JSON: an object, no key twice, no NaN, and nothing in it that names code to run.

Not `core.record.canonical.read_json`, which refuses the fractions that settings are full of.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import NoReturn

from auzolan.core.record.errors import MalformedError

MAX_SETTINGS = 4 * 1024 * 1024
# Keys by which transformers or PEFT import code of the model's maker, or that ask for it.
_CODE = ("auto_map", "auto_mapping", "custom_pipelines", "megatron_config", "trust_remote_code")
_KERNELS = "attn_implementation"  # "owner/name" fetches a compiled kernel
_OFF: tuple[object, ...] = (None, False, {}, [], "")


def read_object(data: bytes, what: str, limit: int = MAX_SETTINGS) -> dict[str, object]:
    """Return a JSON object.

    Raises:
        MalformedError: larger than `limit` bytes, not UTF-8, not JSON, no object, or with a key twice.
    """
    if len(data) > limit:
        raise MalformedError(f"{what}: {len(data):,} bytes of JSON, at most {limit:,} are read")

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) != len(pairs):
            seen: set[str] = set()
            twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
            raise MalformedError(f"{what}: key {twice[:80]!r} stands twice in one object")
        return found

    def no_number(text: str) -> NoReturn:
        raise MalformedError(f"{what}: {text} is no number")

    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=once, parse_constant=no_number)
    except (ValueError, RecursionError):  # of JSON, of UTF-8, or a number of too many digits
        raise MalformedError(f"{what}: expected JSON in UTF-8") from None
    if not isinstance(value, dict):
        raise MalformedError(f"{what}: expected a JSON object")
    return value


def refuse_code(settings: Mapping[str, object], what: str) -> None:
    """Refuse settings that name code of the model's maker, at any depth.

    Raises:
        MalformedError: there is one.
    """
    for key, value in _entries(settings):
        if key in _CODE and value not in _OFF:
            raise MalformedError(f"{what}: {key} names code that would run when the model is loaded; it is refused")
        if key.endswith(_KERNELS) and isinstance(value, str) and "/" in value:
            raise MalformedError(f"{what}: {key[:60]} names a compiled kernel from elsewhere; it is refused")


def _entries(value: object) -> Iterator[tuple[str, object]]:
    """Yield every key and value of nested objects; a stack, as JSON may be nested nearly as deep as Python's calls."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            yield from each.items()
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)
