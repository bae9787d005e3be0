"""How many characters a pattern of RE2 can match: at least, at most, and whether it looks at the ends of the text.

Whoever sends an answer piece by piece must hold back as many characters as the
longest forbidden match has, or some of it is out before it is seen. RE2 itself
does not tell; this reads its syntax (github.com/google/re2/wiki/Syntax). It is
no checker of that syntax: what RE2 does not compile must be refused first.
Never too small: a form that it does not know counts as unbounded.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_REPEAT = re.compile(r"\{(0|[1-9][0-9]{0,7})(,(0|[1-9][0-9]{0,7})?)?\}")
_FLAGS = re.compile(r"\(\?[imsU]*(?:-[imsU]+)?\)")
_OPEN = re.compile(r"\((?:\?P?<[^>]*>|\?[imsU]*(?:-[imsU]+)?:)?")
_ESCAPED = re.compile(r"\\(?:x\{[0-9A-Fa-f]+\}|x[0-9A-Fa-f]{2}|[pP]\{[^}]*\}|[pP].|[0-7]{1,3}|.)", re.DOTALL)


class Length(NamedTuple):
    """Of the matches of a pattern, in characters.

    Attributes:
        shortest: of the matches; 0 for a pattern that is found in every text.
        longest: or None where there is no bound.
        at_ends: whether it asks for the start or the end of the text or of a line.
    """

    shortest: int
    longest: int | None
    at_ends: bool


_EMPTY = Length(0, 0, False)
_ONE = Length(1, 1, False)
_END = Length(0, 0, True)
_BYTE = Length(0, 1, False)  # of a character, so one may match several of them, or nothing that can be shown
_UNKNOWN = Length(0, None, True)


def longest_match(pattern: str) -> int | None:
    """Return the most characters that a match of a pattern can have, or None where there is no bound."""
    return length_of(pattern).longest


def length_of(pattern: str) -> Length:
    """Return the lengths of the matches of a pattern that RE2 compiles.

    Args:
        pattern: which of its letters stand for both cases makes no difference.
    """
    # One entry per open group: what its finished alternatives match, and the parts of the one being read.
    groups: list[tuple[list[Length], list[Length]]] = [([], [])]
    at = 0
    while at < len(pattern):
        alternatives, parts = groups[-1]
        char = pattern[at]
        if char == "|":
            alternatives.append(_in_a_row(parts))
            groups[-1] = (alternatives, [])
            at += 1
        elif flags := _FLAGS.match(pattern, at):
            at = flags.end()
        elif opened := _OPEN.match(pattern, at):
            groups.append(([], []))
            at = opened.end()
        elif char == ")":
            if len(groups) == 1:
                return _UNKNOWN
            groups.pop()
            groups[-1][1].append(_either([*alternatives, _in_a_row(parts)]))
            at += 1
        elif times := _times(pattern, at):
            if not parts:
                return _UNKNOWN
            parts[-1] = _repeated(parts[-1], times)
            at = times.end
        else:
            at = _read_one(pattern, at, parts)
    if len(groups) != 1:
        return _UNKNOWN
    alternatives, parts = groups[0]
    return _either([*alternatives, _in_a_row(parts)])


class _Times(NamedTuple):
    least: int
    most: int | None
    end: int


def _times(pattern: str, at: int) -> _Times | None:
    """Return the repetition that stands here, with the `?` that makes it lazy."""
    simple = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(pattern[at])
    if simple:
        least, most, end = *simple, at + 1
    elif found := _REPEAT.match(pattern, at):
        least = int(found[1])
        most = least if not found[2] else int(found[3]) if found[3] else None
        end = found.end()
        if max(least, most or 0) >= 100_000_000:  # RE2 takes it for letters
            return None
    else:
        return None
    return _Times(least, most, end + pattern.startswith("?", end))


def _read_one(pattern: str, at: int, parts: list[Length]) -> int:
    """Add what stands here, a character, a class or a place between characters, and return where the next stands."""
    char = pattern[at]
    if char in "^$":
        parts.append(_END)
        return at + 1
    if char == "[":
        parts.append(_ONE)
        return _end_of_class(pattern, at)
    if char != "\\":
        parts.append(_ONE)
        return at + 1
    if pattern.startswith("\\Q", at):
        end = pattern.find("\\E", at + 2)
        quoted = pattern[at + 2 : end if end >= 0 else None]
        parts.extend([_ONE] * len(quoted))
        return end + 2 if end >= 0 else len(pattern)
    if pattern.startswith("\\E", at):
        return at + 2
    parts.append({"A": _END, "z": _END, "b": _EMPTY, "B": _EMPTY, "C": _BYTE}.get(pattern[at + 1 : at + 2], _ONE))
    found = _ESCAPED.match(pattern, at)
    return found.end() if found else len(pattern)


def _end_of_class(pattern: str, at: int) -> int:
    """Return where the class that opens here has ended."""
    at += 2 if pattern.startswith("[^", at) else 1
    first = True
    while at < len(pattern):
        if pattern[at] == "]" and not first:
            return at + 1
        first = False
        named = pattern.find(":]", at + 2) if pattern.startswith("[:", at) else -1
        at = named + 2 if named >= 0 else at + (2 if pattern[at] == "\\" else 1)
    return at


def _in_a_row(parts: list[Length]) -> Length:
    longest: int | None = 0
    for each in parts:
        longest = None if longest is None or each.longest is None else longest + each.longest
    return Length(sum(each.shortest for each in parts), longest, any(each.at_ends for each in parts))


def _either(parts: list[Length]) -> Length:
    longest: int | None = 0
    for each in parts:
        longest = None if longest is None or each.longest is None else max(longest, each.longest)
    return Length(min(each.shortest for each in parts), longest, any(each.at_ends for each in parts))


def _repeated(part: Length, times: _Times) -> Length:
    if part.longest == 0:
        return part
    if times.most == 0:
        return _EMPTY
    longest = None if part.longest is None or times.most is None else part.longest * times.most
    return Length(part.shortest * times.least, longest, part.at_ends)
