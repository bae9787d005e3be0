"""The forms that texts, names and lists have in a table of rules, each read with its place in the message."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

from auzolan.core.record.canonical import JsonValue, as_list, as_text
from auzolan.core.record.errors import MalformedError

OPERATOR = "operator"
"""What `article` says of a rule on which nobody voted."""
MAX_SHOWN = 500
"""Characters of a text that is shown to whoever asked."""
_ID = re.compile(r"[a-z][a-z0-9-]{0,47}")
_UNFIT = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def read_id(value: JsonValue, where: str) -> str:
    """Return the name of a topic, a rule or a judge."""
    name = as_text(value, where)
    if not _ID.fullmatch(name):
        raise MalformedError(
            f"{where}: expected up to 48 lower-case letters (a to z), digits and hyphens, a letter first, "
            f"got {name[:60]!r}"
        )
    return name


def read_article(value: JsonValue, where: str) -> str:
    """Return the article that a rule is of, or "" for the operator's own."""
    if value is None:
        raise MalformedError(
            f"{where}: expected the number of an article ('2.1'), an id of the rights floor, or '{OPERATOR}' for a "
            "rule on which nobody voted"
        )
    text = as_text(value, where)
    if len(text) > 100 or not text.isprintable() or text != text.strip():
        raise MalformedError(f"{where}: expected an article in up to 100 visible characters, got {text[:60]!r}")
    return "" if text == OPERATOR else text


def read_line(value: JsonValue, where: str, at_most: int = MAX_SHOWN) -> str:
    """Return text in one line that can be shown as it is: nothing in it is invisible or turns the line round."""
    text = as_text(value, where)
    if len(text) > at_most:
        raise MalformedError(f"{where}: {len(text)} characters, at most {at_most} are shown")
    if not text.strip() or any(unicodedata.category(char) in _UNFIT for char in text):
        raise MalformedError(f"{where}: expected one line of text without invisible characters")
    return text


def read_prose(value: JsonValue, where: str, at_most: int) -> str:
    """Return text of several lines."""
    text = as_text(value, where)
    if len(text) > at_most:
        raise MalformedError(f"{where}: {len(text)} characters, at most {at_most} are allowed")
    if not text.strip() or any(unicodedata.category(char) in _UNFIT for char in text if char not in "\n\t"):
        raise MalformedError(f"{where}: expected text without invisible characters")
    return text


def read_texts(
    value: JsonValue, where: str, longest: int, at_most: int, known: Collection[str] | None = None
) -> tuple[str, ...]:
    """Return a list of different texts, none of them empty.

    Args:
        value: the list.
        where: stands before the message.
        longest: in characters, of one text.
        at_most: how many.
        known: the only ones that are allowed, if not all are.
    """
    items = as_list(value, where)
    if len(items) > at_most:
        raise MalformedError(f"{where}: {len(items)} of them, at most {at_most} are allowed")
    texts: dict[str, None] = {}
    for place, item in enumerate(items, 1):
        text = as_text(item, f"{where}, number {place}")
        if known is not None and text not in known:
            raise MalformedError(f"{where}: {text[:60]!r} is unknown; known are {', '.join(sorted(known)) or 'none'}")
        if text in texts:
            raise MalformedError(f"{where}: {text[:60]!r} stands in it twice")
        if len(text) > longest:
            raise MalformedError(f"{where}, number {place}: {len(text)} characters, at most {longest} are allowed")
        if any("\ud800" <= char <= "\udfff" for char in text):
            raise MalformedError(f"{where}, number {place}: half a character")
        texts[text] = None
    return tuple(texts)


def read_choice(value: JsonValue, where: str, known: Collection[str]) -> str:
    """Return one of the words that are allowed here."""
    text = as_text(value, where)
    if text not in known:
        raise MalformedError(f"{where}: expected one of {', '.join(known)}, got {text[:60]!r}")
    return text


def read_yes_no(value: JsonValue, where: str) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise MalformedError(f"{where}: expected true or false")
    return value
