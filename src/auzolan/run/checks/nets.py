"""Many patterns looked for in one pass: RE2 sets, which take linear time whatever a community writes.

A `Net` finds which topics a text holds. It never says "none" for want of
memory: every net has a pattern that matches everything, and where that is not
found the search itself failed.

Answers are searched through windows, so their patterns match one character
more on either side ("framed"): a match that touches the edge of a window is
none until what stands beyond the edge is known, and `\\b` at the edge of a window
means nothing. What is found in a window is therefore in the text, and what is
in the text is found in every window that holds it with one character around.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import re2

from auzolan.core.record.errors import MalformedError, NotCheckedError

MAX_MEMORY = 16 << 20
"""Bytes that a net may take, the states that it remembers included."""


class Pattern(NamedTuple):
    """Something to look for.

    Attributes:
        topic: id of the topic that it is of.
        source: in RE2's syntax; its first group is the match.
        longest: most characters that the match can have, None where there is no bound.
    """

    topic: str
    source: str
    longest: int | None


class Place(NamedTuple):
    """Where a match stands in a lane."""

    start: int
    end: int


def options(max_memory: int = MAX_MEMORY) -> re2.Options:
    """Return how patterns are compiled: upper and lower case alike, nothing printed."""
    found = re2.Options()
    found.case_sensitive, found.log_errors, found.max_mem = False, False, max_memory
    return found


class Net:
    """Finds which of its topics a text holds."""

    def __init__(self, patterns: Sequence[Pattern], max_memory: int = MAX_MEMORY) -> None:
        """Compile them.

        Raises:
            MalformedError: one of them does not compile, or together they need more memory than they may have.
        """
        self._patterns = tuple(patterns)
        self._set = re2.Set.SearchSet(options(max_memory))
        self._set.Add("")  # matches everything, and so shows that the search worked
        for pattern in self._patterns:
            try:
                self._set.Add(pattern.source)
            except re2.error:
                raise MalformedError(f"topic '{pattern.topic}': RE2 does not compile one of its patterns") from None
        try:
            self._set.Compile()
        except re2.error:
            raise MalformedError(
                f"the {len(self._patterns)} patterns need more than {max_memory >> 10} KiB together; use fewer, or "
                "smaller bounds in them"
            ) from None
        self._by_topic: dict[str, list[Pattern]] = {}
        for pattern in self._patterns:
            self._by_topic.setdefault(pattern.topic, []).append(pattern)
        self.topics_in("")

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def topics_in(self, text: str) -> frozenset[str] | None:
        """Return ids of the topics of which `text` holds a match, None for none.

        Raises:
            NotCheckedError: the search failed.
        """
        found = self._set.Match(text)
        if not found:
            raise NotCheckedError("the text could not be searched: RE2 ran out of the memory that it may use")
        if len(found) == 1:
            return None
        return frozenset([self._patterns[place - 1].topic for place in found if place])

    def first(self, topic: str, text: str) -> Place:
        """Return the match of a topic that ends first, and of those the longest.

        Args:
            topic: one that `topics_in(text)` named; the patterns are framed.
            text: a window.

        Raises:
            NotCheckedError: it is not there after all.
        """
        places = []
        for pattern in self._by_topic[topic]:
            regexp = re2.compile(pattern.source, options=options())
            match = regexp.search(text)
            if match is None:
                continue
            # Whether the text up to a character holds a match can only turn from no to yes: halve.
            no, yes = 0, match.end()
            while yes - no > 1:
                middle = (no + yes) // 2
                if regexp.search(text[:middle]) is None:
                    no = middle
                else:
                    yes = middle
            places.append(Place(regexp.search(text[:yes]).start(1), yes - 1))
        if not places:
            raise NotCheckedError(f"topic '{topic}': RE2 found a match and could not say where it stands")
        return min(places, key=lambda place: (place.end, place.start))

    def first_start(self, topic: str, text: str) -> int | None:
        """Return where the match of a topic begins that begins first, None where there is none."""
        # A search finds the leftmost match, and that there is one more character before each changes no order.
        found = [
            match.start(1)
            for pattern in self._by_topic.get(topic, ())
            if (match := re2.compile(pattern.source, options=options()).search(text)) is not None
        ]
        return min(found, default=None)

    def places(self, topic: str, text: str) -> list[Place]:
        """Return where matches of a topic stand, of each pattern those that do not overlap."""
        found = []
        for pattern in self._by_topic.get(topic, ()):
            regexp = re2.compile(pattern.source, options=options())
            at = 0
            while (match := regexp.search(text, at)) is not None:
                found.append(Place(*match.span(1)))
                at = max(match.end(1), at + 1)
        return sorted(set(found))
