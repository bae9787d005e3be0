"""Whole lists out of pages, while others add to them and delete from them.

A cursor of Decidim is a place in the list, so what is deleted on earlier pages
moves what follows towards the front, past a reader. Therefore each page begins with the last entity of the page before:
where that is not so, the list has changed, and the reader goes back to a page that begins with one that it knows.

Promised: what is in the list during the whole reading comes exactly once;
what is added at the end while it is read comes too.
Not promised: what is added in the middle, or is hidden from the public for a while.
Where a whole page is hidden, the next one follows without the overlap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from auzolan.core.record.canonical import JsonObject
from auzolan.core.record.errors import MalformedError, StorageError

MAX_STEPS_BACK = 10_000
MAX_PASSES = 20
_LEAST = 2  # one entity that is known, and one that is new


class Page(NamedTuple):
    """One page.

    Attributes:
        edges: cursor and number of each entity, None for one that is not shown.
        has_more: whether others follow.
        value: what else came with it.
    """

    edges: tuple[tuple[str, int | None], ...]
    has_more: bool
    value: JsonObject

    @property
    def ids(self) -> list[int]:
        """Numbers of the entities that are shown."""
        return [number for _, number in self.edges if number is not None]

    def next_after(self) -> tuple[str, bool]:
        """Return the cursor of the next page, and whether that one begins with the last entity shown on this one."""
        last = self._last_shown
        return (self.edges[last - 1][0], True) if last else (self.edges[-1][0], False)

    def n_hidden(self, overlaps: bool) -> int:
        """Return how many entities are not shown, without those that come again on the next page if that overlaps."""
        edges = self.edges[: self._last_shown] if overlaps else self.edges
        return sum(number is None for _, number in edges)

    @property
    def _last_shown(self) -> int:
        return max((place for place, (_, number) in enumerate(self.edges) if number is not None), default=0)


class Fresh(NamedTuple):
    """A page, which of its entities did not come before, and how many are not shown and will not come again."""

    page: Page
    ids: frozenset[int]
    n_hidden: int


AskPage = Callable[[str | None, int], Page | None]


class _Sized:
    """Asks for pages, smaller ones from when the server first finds one too large."""

    def __init__(self, ask: AskPage, size: int, what: str) -> None:
        self._ask, self._size, self._what = ask, size, what

    def page(self, after: str | None) -> Page:
        while (page := self._ask(after, self._size)) is None:
            if self._size == _LEAST:
                raise StorageError(f"{self._what}: the Decidim refuses even a page of {_LEAST} as too much")
            self._size = max(_LEAST, self._size // 2)
        if page.has_more and not page.edges:
            raise MalformedError(f"{self._what}: the Decidim says that more follow an empty page")
        return page


def walk_sorted(ask: AskPage, size: int, what: str) -> Iterator[Fresh]:
    """Yield the pages of a list in the order of its numbers.

    Args:
        ask: for the page after a cursor, None for the first; returns None where so large a page is refused.
        size: of a page, at most.
        what: is listed, for errors.

    Raises:
        MalformedError: the numbers do not ascend.
        StorageError: even a page of two is refused, or the list changes faster than it can be read.
    """
    pages = _Sized(ask, size, what)
    starts: list[str | None] = [None]
    last, overlaps, back = 0, True, 0
    while True:
        page = pages.page(starts[-1])
        ids = page.ids
        if ids != sorted(set(ids)):
            raise MalformedError(f"{what}: the Decidim does not list them in the order of their numbers")
        if starts[-1] is not None and overlaps and (not ids or ids[0] > last):
            starts.pop()
            back += 1
            if back > MAX_STEPS_BACK:
                raise StorageError(f"{what}: the list changes faster than it can be read")
            continue
        fresh = frozenset(number for number in ids if number > last)
        last = max(last, *ids) if ids else last
        after, overlaps = page.next_after() if page.has_more else (None, False)
        yield Fresh(page, fresh, page.n_hidden(overlaps))
        if not page.has_more:
            return
        starts.append(after)


def walk_unsorted(ask: AskPage, size: int, what: str) -> Iterator[Fresh]:
    """Yield the pages of a list whose order is not told, from the start again whenever it changed.

    Args and raises: as for `walk_sorted`, but no order is expected.
    """
    pages = _Sized(ask, size, what)
    seen: set[int] = set()
    for _ in range(MAX_PASSES):
        after, last, overlaps = None, 0, False
        while True:
            page = pages.page(after)
            ids = page.ids
            if overlaps and (not ids or ids[0] != last):
                break
            fresh = frozenset(ids) - seen
            seen |= fresh
            after, overlaps = page.next_after() if page.has_more else (None, False)
            last = ids[-1] if ids else last
            yield Fresh(page, fresh, page.n_hidden(overlaps))
            if not page.has_more:
                return
    raise StorageError(f"{what}: the list changes faster than it can be read")
