"""What a text holds: topics, by words and patterns, and kinds of personal data. Decides nothing.

Words are compared as they look (`forms.skeleton_of`): case, width, accents,
look-alike letters and hidden characters make no difference, and neither do the
white space, hyphens or underscores between the words of a phrase. A word is
found where no letter or digit stands beside it. Patterns are tried on the text
as it looks and on its plain form (NFKC), so that one that asks for a script or a
sign finds it too; `\\b` in them is RE2's, which knows only ASCII letters.

Checks: everything above, in linear time, failing closed (`nets`).
Does not check: meaning. Synonyms, misspellings and other languages are other words.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import re2

from auzolan.core.record.errors import MalformedError
from auzolan.run.checks.forms import skeleton_of
from auzolan.run.checks.nets import MAX_MEMORY, Net, Pattern, options
from auzolan.run.checks.personal import KINDS, find_in, kinds_in
from auzolan.run.checks.plain_text import even_forms, read_whole, skeleton_text
from auzolan.run.rules.facts import ANSWER, REQUEST, Topic
from auzolan.run.rules.lengths import length_of
from auzolan.run.rules.release import MAX_HELD

_EDGE = r"[\x01-/:-@\[-`{-\x7f]"  # beside a word, as it looks: what is no letter and no digit; "_" is markup
_ANY = "(?s:.)"
_GAP = re.compile(r"[\s_-]+")
_GAP_SOURCE, _LONGEST_GAP = r"[\s_-]{1,3}", 3
_RANGE_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]-|-[^\x00-\x7f]")
_SOURCE_BYTES = 1 << 20
_MOST_REMEMBERED = 64


@dataclass(frozen=True, slots=True)
class Found:
    """What a text holds.

    Attributes:
        topics: ids.
        personal: kinds of personal data.
    """

    topics: frozenset[str] = frozenset()
    personal: frozenset[str] = frozenset()


NOTHING = Found()


class Span(NamedTuple):
    """Where something was found.

    Attributes:
        name: id of a topic, or kind of personal data.
        start, end: positions in the text.
    """

    name: str
    start: int
    end: int


class Nets(NamedTuple):
    """What is looked for in one kind of text: in its skeleton, and in its plain form where that differs."""

    skeleton: Net
    plain: Net


class Scanner:
    """Looks for a community's topics and for personal data.

    Attributes:
        personal: kinds of personal data that it looks for.
        topics: those that it looks for in answers.
        bounded, boundless: what is looked for in answers, by whether it can be held back.
    """

    def __init__(self, topics: Sequence[Topic], personal: Collection[str], max_memory: int = MAX_MEMORY) -> None:
        """Compile what is to be looked for; never changed afterwards, so threads may share it.

        Raises:
            MalformedError: a word is empty, a pattern does not compile, or all of them need too much memory.
        """
        if unknown := sorted(set(personal) - set(KINDS)):
            raise MalformedError(f"personal data: expected kinds of {', '.join(KINDS)}, got {', '.join(unknown)}")
        self.personal = frozenset(personal)
        asked = [topic for topic in topics if REQUEST in topic.sides]
        answered = [topic for topic in topics if ANSWER in topic.sides]
        skeleton, plain = _patterns(answered, framed=True)
        self._longest: dict[str, int] = {}
        self._longest_of: dict[frozenset[str], int] = {}  # asked for with every answer; nothing in it ever changes
        for pattern in (*skeleton, *plain):
            if _can_be_held(pattern):
                self._longest[pattern.topic] = max(self._longest.get(pattern.topic, 0), pattern.longest or 0)
        self.bounded = Nets(*(Net([p for p in each if _can_be_held(p)], max_memory) for each in (skeleton, plain)))
        self.boundless = Nets(
            *(Net([p for p in each if not _can_be_held(p)], max_memory) for each in (skeleton, plain))
        )
        self.topics = frozenset(topic.id for topic in answered)
        self._asked = Nets(*(Net(each, max_memory) for each in _patterns(asked, framed=False)))

    def longest(self, topics: Iterable[str]) -> int:
        """Return how many characters matches of these topics in answers can have, of those that can be held back."""
        asked = frozenset(topics)
        known = self._longest_of.get(asked)
        if known is None:
            known = max((self._longest.get(topic, 0) for topic in asked), default=0)
            if len(self._longest_of) < _MOST_REMEMBERED:
                self._longest_of[asked] = known
        return known

    def scan(self, text: str, side: str) -> Found:
        """Return what a whole text holds.

        Raises:
            NotCheckedError: the search failed.
        """
        skeleton, plain = _lanes(text)
        topics: frozenset[str] = frozenset()
        nets, frame = ((self._asked,), "") if side == REQUEST else ((self.bounded, self.boundless), "\n")
        for net in nets:
            if net.skeleton:
                topics |= net.skeleton.topics_in(f"{frame}{skeleton}{frame}") or frozenset()
            if net.plain and plain is not skeleton:
                topics |= net.plain.topics_in(f"{frame}{plain}{frame}") or frozenset()
        personal = kinds_in(skeleton, self.personal) if self.personal else frozenset()
        return Found(topics, personal) if topics or personal else NOTHING

    def spans(self, text: str, side: str) -> tuple[Span, ...]:
        """Return where in a whole text everything stands, in order; slower than `scan`."""
        reader = read_whole(text)
        nets = (self._asked,) if side == REQUEST else (self.bounded, self.boundless)
        frame = 1 if side == REQUEST else 0
        found = set()
        for net, lane in [
            (n, w) for each in nets for n, w in ((each.skeleton, reader.skeleton), (each.plain, reader.plain))
        ]:
            searched = lane.text[frame : len(lane.text) - frame]
            for topic in (net.topics_in(searched) or ()) if net else ():
                for place in net.places(topic, searched):
                    start, end = lane.raw_of(place.start + frame), lane.raw_after(place.end + frame)
                    found.add(Span(topic, start, end))
        skeleton = reader.skeleton
        for hit in find_in(skeleton.text, self.personal):
            found.add(Span(hit.kind, skeleton.raw_of(hit.start), skeleton.raw_after(hit.end)))
        return tuple(sorted(found, key=lambda span: (span.start, span.end, span.name)))


def _lanes(text: str) -> tuple[str, str]:
    forms = even_forms(text)
    if forms is not None:
        return forms.skeleton, forms.plain
    reader = read_whole(text)
    return reader.skeleton.text[1:-1], reader.plain.text[1:-1]


def _can_be_held(pattern: Pattern) -> bool:
    return pattern.longest is not None and pattern.longest <= MAX_HELD


def _patterns(topics: Iterable[Topic], framed: bool) -> tuple[list[Pattern], list[Pattern]]:
    """Return what to look for in skeletons and in plain forms."""
    skeleton, plain = [], []
    for topic in topics:
        skeleton += _word_patterns(topic, framed)
        for source in topic.patterns:
            made = _pattern(topic.id, source, framed)
            plain.append(made)
            skeleton.append(made)
            if (look := _as_it_looks(source)) != source:
                skeleton.append(_pattern(topic.id, look, framed))
    return skeleton, plain


def _word_patterns(topic: Topic, framed: bool) -> list[Pattern]:
    """Return the words of a topic in one pattern each for the kinds of their ends: fewer are faster."""
    by_ends: dict[tuple[bool, bool], list[str]] = {}
    longest: dict[tuple[bool, bool], int] = {}
    for word in topic.words:
        look = skeleton_text(word).strip()
        parts = [part for part in _GAP.split(look) if part]
        if not parts:
            raise MalformedError(f"topic '{topic.id}': expected words with a letter or a digit, got one without")
        ends = _is_letter(parts[0][0]), _is_letter(parts[-1][-1])
        by_ends.setdefault(ends, []).append(_GAP_SOURCE.join(re2.escape(part) for part in parts))
        length = sum(map(len, parts)) + _LONGEST_GAP * (len(parts) - 1)
        longest[ends] = max(longest.get(ends, 0), length)
    found = []
    for ends, sources in by_ends.items():
        before, after = (_EDGE if end else _ANY for end in ends)
        words = "|".join(sources)
        source = f"{before}({words}){after}" if framed else f"(?:\\A|{before})({words})(?:\\z|{after})"
        found.append(Pattern(topic.id, source, longest[ends]))
    return found


def _is_letter(char: str) -> bool:
    return char.isalnum() or not char.isascii()


def _pattern(topic: str, source: str, framed: bool) -> Pattern:
    where = f"topic '{topic}'"
    try:
        re2.compile(source, options=options(_SOURCE_BYTES))
    except re2.error:
        raise MalformedError(f"{where}: RE2 does not compile one of its patterns") from None
    length = length_of(source)
    if length.shortest == 0:
        raise MalformedError(f"{where}: one of its patterns is found in every text")
    if framed and length.at_ends:
        raise MalformedError(
            f"{where}: a pattern for answers asks for the ends of the text; leave out ^, $, \\A and \\z"
        )
    return Pattern(topic, f"{_ANY}({source}){_ANY}" if framed else f"({source})", length.longest)


def _as_it_looks(source: str) -> str:
    """Return a pattern whose letters are those of skeletons, or as it is where letters beyond ASCII span a range."""
    if source.isascii() or _RANGE_BEYOND_ASCII.search(source):
        return source
    looks = ((char, skeleton_of(char)) for char in source)
    return "".join(look if char.isalpha() and len(look) == 1 else char for char, look in looks)
