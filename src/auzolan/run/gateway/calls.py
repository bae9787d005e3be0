"""The arguments of calls of tools: read as a tool would read them, and written so that nothing hides in escapes.

They are JSON inside of JSON, so a word can stand there that no letter of shows
(`\\u0076`), and templates and tools undo that. What passes is written anew without
such escapes; what is looked at has those of further levels undone too.
Not here: what may stand there, which the rules decide.
"""

from __future__ import annotations

import re
from collections.abc import Collection

import orjson

from auzolan.run.checks.personal import find, redact
from auzolan.run.engine.field_values import Wire, WireObject

_ESCAPE = re.compile(r"""\\+(?:u\{?([0-9A-Fa-f]{4,6})\}?|x([0-9A-Fa-f]{2})|([nrtbfv])|(["'/]))""")
_MAX_DEPTH = 64


def unescaped(text: str) -> str:
    """Return a text with its escapes undone, those inside of others too; to look at, for it may be no JSON."""
    if "\\" not in text:
        return text
    found = _ESCAPE.sub(_character, text)
    # Halves of a pair that stand side by side are one character.
    return found.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _character(found: re.Match[str]) -> str:
    code = found[1] or found[2]
    if code:
        number = int(code, 16)
        return chr(number) if number < 0x110000 else "\ufffd"
    return " " if found[3] else found[4]


def plain_arguments(text: str) -> str:
    """Return arguments that say the same without escapes of letters; what is no JSON, with all escapes undone."""
    if "\\" not in text:
        return text
    try:
        return orjson.dumps(orjson.loads(text)).decode()
    except (orjson.JSONDecodeError, TypeError):  # TypeError: nested too deep to be written
        return unescaped(text)


def with_plain_arguments(call: WireObject) -> WireObject:
    """Return a call, as a request has it, with arguments that were written anew."""
    function = call["function"]
    assert isinstance(function, dict), "requests are read so"
    return {**call, "function": {**function, "arguments": plain_arguments(str(function["arguments"]))}}


def searched(arguments: Collection[str]) -> str:
    """Return what is searched in arguments: as they stand, and with all escapes undone where there are any."""
    escaped = [unescaped(each) for each in arguments if "\\" in each]
    return "\n".join([*arguments, *escaped])


def blotted(text: str, kinds: Collection[str]) -> str:
    """Return arguments with marks for personal data of some kinds; numbers among it become texts."""
    if not _holds(text, kinds):
        return text
    try:
        written = orjson.dumps(_blotted(orjson.loads(text), kinds, _MAX_DEPTH)).decode()
    except (orjson.JSONDecodeError, ValueError):
        return _blotted_text(unescaped(text), kinds)
    # What only shows across values, such as a number cut in two, is blotted out at the price of the JSON.
    return _blotted_text(unescaped(written), kinds) if _holds(written, kinds) else written


def _holds(text: str, kinds: Collection[str]) -> bool:
    return any(hit.kind in kinds for hit in find(searched([text])))


def _blotted(value: Wire, kinds: Collection[str], depth: int) -> Wire:
    if not depth:
        raise ValueError("nested too deep")
    if isinstance(value, str):
        return _blotted_text(unescaped(value), kinds) if _holds(value, kinds) else value
    if isinstance(value, list):
        return [_blotted(each, kinds, depth - 1) for each in value]
    if isinstance(value, dict):
        return {_blotted_text(name, kinds): _blotted(each, kinds, depth - 1) for name, each in value.items()}
    if isinstance(value, int | float) and not isinstance(value, bool) and _holds(str(value), kinds):
        return _blotted_text(str(value), kinds)
    return value


def _blotted_text(text: str, kinds: Collection[str]) -> str:
    return redact(text, kinds, find(text))
