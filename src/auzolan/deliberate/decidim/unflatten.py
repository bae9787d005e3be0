"""What Decidim's CSV flattens, taken apart again: Ruby's inspect text, lists, addresses of pages.

Ruby inspect text (`{"en"=>"Housing"}, {"en" => "Roads"}`) is read by a small
strict parser of strings, nil, numbers, booleans and hashes, both as Ruby 3.4
writes it and as earlier ones do. Nothing is evaluated.

A list is joined by ", ", which cannot be undone where its elements hold that
themselves: numbers and addresses of pages can be split, names of people or of categories cannot.
"""

from __future__ import annotations

import re
from typing import NamedTuple, cast

from auzolan.core.record.errors import UsageError
from auzolan.deliberate.decidim.entities import EntityClass
from auzolan.deliberate.sources.cells import shown_name

MAX_DEPTH = 8
LOCALE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,2}", re.ASCII)
MACHINE = "machine_translations"
_PAGE = re.compile(
    r"((?i:https?))://(?:[^/?#\s@\\]*@)?([\w.-]{1,253})(?::([0-9]{1,5}))?((?:/[^?#\s\x00-\x1f\x7f-\x9f\ud800-\udfff\"<>\\]*)?)(?:[?#]\S*)?"
)
_PLACE = re.compile(r"/f/(\d{1,15})(?:/(proposals|debates|results)/(\d{1,15}))?(?![^/])", re.ASCII)
_PORTS, _MOST_PORT = {"http": 80, "https": 443}, 2**16 - 1
_LANGUAGE = re.compile(r"/[a-z]{2}(?:-[A-Za-z]{2,4})?(?=/|$)", re.ASCII)
_CLASS_OF: dict[str, EntityClass] = {"proposals": "proposal", "debates": "debate", "results": "result"}
_STRING = re.compile(r'"((?:[^"\\]++|\\.)*+)"', re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u\{([0-9A-Fa-f]{1,6})\}|u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{1,2})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "e": "\x1b", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
_WORD = re.compile(r"nil|true|false|-?\d{1,18}(?:\.\d{1,18})?", re.ASCII)
_SYMBOL = re.compile(r':("?)([A-Za-z_]\w*(?:-\w+)*)\1|([A-Za-z_]\w*): |"((?:[^"\\])*)": ', re.ASCII)
_ARROW = re.compile(r" ?=> ?")

RubyValue = str | None | dict[str, "RubyValue"]  # numbers and booleans come as they are written


class Page(NamedTuple):
    """What the address of a page tells.

    Attributes:
        host: in lower case and ASCII, with its port where that is unusual.
        url: without language, query and fragment.
        path: of the url.
        component: its number, 0 where the page is of none.
        about: class and number of the entity, None where it is of another class.
    """

    host: str
    url: str
    path: str
    component: int
    about: tuple[EntityClass, int] | None


def page_of(url: str) -> Page | None:
    """Return what the address of a page tells, None where it is none."""
    found = _PAGE.fullmatch(url)
    if found is None:
        return None
    scheme, host, path = found[1].lower(), _ascii(found[2]), found[4]
    port = int(found[3] or _PORTS[scheme])
    if host is None or not 0 < port <= _MOST_PORT:
        return None
    host += "" if port == _PORTS[scheme] else f":{port}"
    path = _LANGUAGE.sub("", path, count=1) if _LANGUAGE.match(path) else path
    place = _PLACE.search(path)
    about = None
    if place and place[2]:
        about = (_CLASS_OF[place[2]], int(place[3]))
    return Page(host, f"{scheme}://{host}{path}", path, int(place[1]) if place else 0, about)


def _ascii(host: str) -> str | None:
    """Return a host as browsers ask for it (RFC 3490), None where none is of this name."""
    try:
        told = host.encode("idna").decode("ascii").lower().removesuffix(".")
    except UnicodeError:  # an empty label, one that is too long, or letters that no host may have
        return None
    return told or None


def host_of(text: str) -> str:
    """Return a host out of what a person typed: the name alone, or the address of a page.

    Raises:
        UsageError: it is none.
    """
    page = page_of(text) or page_of(f"https://{text}")
    if page is None:
        raise UsageError(f"expected a host such as decidim.example.org, got “{shown_name(text)}”")
    return page.host


def items(text: str) -> tuple[str, ...]:
    """Return the elements of a joined list of numbers or addresses of pages."""
    return tuple(item.strip() for item in text.split(",")) if text.strip() else ()


def inspected(text: str) -> tuple[dict[str, RubyValue], ...] | None:
    """Return the hashes of a joined list of hashes in Ruby's inspect text, None where it is none."""
    found: list[dict[str, RubyValue]] = []
    at, end = 0, len(text)
    while at < end:
        step = _hash(text, at, 0)
        if step is None:
            return None
        value, at = step
        found.append(value)
        if at < end:
            if not text.startswith(", ", at) or at + 2 == end:
                return None
            at += 2
    return tuple(found)


def by_locale(value: dict[str, RubyValue]) -> dict[str, str]:
    """Return the texts of a hash by locale, without machine translations and what is empty."""
    return {name: text for name, text in value.items() if isinstance(text, str) and text and LOCALE.fullmatch(name)}


def _hash(text: str, at: int, depth: int) -> tuple[dict[str, RubyValue], int] | None:
    """Return the hash that begins here and where it ends, None where none does."""
    if depth > MAX_DEPTH or not text.startswith("{", at):
        return None
    found: dict[str, RubyValue] = {}
    at += 1
    while not (text.startswith("}", at) and not found):
        key = _key(text, at)
        if key is None or key[0] in found:
            return None
        value = _value(text, key[1], depth)
        if value is None:
            return None
        found[key[0]], at = value
        if text.startswith("}", at):
            break
        if not text.startswith(", ", at):
            return None
        at += 2
    return found, at + 1


def _key(text: str, at: int) -> tuple[str, int] | None:
    """Return a key, a string or a symbol, and where its value begins."""
    if (string := _STRING.match(text, at)) and (arrow := _ARROW.match(text, string.end())):
        name = _unescaped(string[1])
        return None if name is None else (name, arrow.end())
    if symbol := _SYMBOL.match(text, at):
        if symbol[2] is None:
            return symbol[3] or symbol[4], symbol.end()
        arrow = _ARROW.match(text, symbol.end())
        return (symbol[2], arrow.end()) if arrow else None
    return None


def _value(text: str, at: int, depth: int) -> tuple[RubyValue, int] | None:
    if string := _STRING.match(text, at):
        said = _unescaped(string[1])
        return None if said is None else (said, string.end())
    if word := _WORD.match(text, at):
        return (None if word[0] == "nil" else word[0]), word.end()
    return cast("tuple[RubyValue, int] | None", _hash(text, at, depth + 1))


def _unescaped(text: str) -> str | None:
    """Return a string without Ruby's escapes; single bytes, which are no text, become U+FFFD."""
    if "\\" not in text:
        return text
    try:
        return _ESCAPE.sub(_unescape, text)
    except (ValueError, OverflowError):  # a code point beyond Unicode
        return None


def _unescape(found: re.Match[str]) -> str:
    if point := found[1] or found[2]:
        return chr(int(point, 16))
    if found[3]:
        return chr(int(found[3], 16)) if int(found[3], 16) < 0x80 else "\ufffd"
    return _ESCAPED.get(found[4], found[4])
