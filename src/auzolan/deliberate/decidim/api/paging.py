"""Whole lists out of pages, while others add to them and delete from them.

A cursor of Decidim is a place in the list, so what is deleted on earlier pages
moves what follows towards the front, past a reader. Therefore each page begins with the last entity of the page before:
where that is not so, the list has changed, and the reader goes back to a page that begins with one that it knows.

Promised: what is in the list during the whole reading comes exactly once;
what is added at the end while it is read comes too.
Not promised: what is added in the middle, or is hidden from the public for a while.
Where a whole page is hidden, the next one follows without the overlap.

Checks: that a list ends: no cursor comes twice, pages bring something new, and what is not shown has an end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from auzolan.core.record.canonical import JsonObject
from auzolan.core.record.errors import MalformedError, StorageError

MAX_STEPS_BACK = 10_000
MAX_PASSES = 20
MAX_IDLE = 3  # pages in a row without anything new
MAX_HIDDEN = 200  # pages in a row of which nothing is shown
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


class _Path:
    """The pages that lead to where a reader is; it stops one that would be led on for ever."""

    def __init__(self, what: str) -> None:
        self._what, self._cursors, self._idle, self._hidden = what, set[str | None]((None,)), 0, 0

    def look(self, page: Page, is_new: bool) -> None:
        """Take a page; `is_new` says whether it shows anything that no page before it on the path showed.

        Raises:
            MalformedError: pages without anything new do not end.
        """
        if is_new:
            self._idle = self._hidden = 0
        elif page.ids:
            self._idle += 1
        else:
            self._hidden += 1
        if page.has_more and self._idle > MAX_IDLE:
            raise MalformedError(
                f"{self._what}: more than {MAX_IDLE} pages in a row brought nothing new, and the API claims that "
                "others follow"
            )
        if page.has_more and self._hidden > MAX_HIDDEN:
            raise MalformedError(
                f"{self._what}: more than {MAX_HIDDEN} pages in a row showed nothing, and the API claims that others "
                "follow"
            )

    def go(self, cursor: str) -> None:
        """Go on to the page after a cursor.

        Raises:
            MalformedError: the path leads there already.
        """
        if cursor in self._cursors:
            raise MalformedError(f"{self._what}: the API gives the same cursor twice, so that the list would not end")
        self._cursors.add(cursor)

    def go_back(self, cursor: str | None) -> None:
        """Leave the page after a cursor."""
        self._cursors.discard(cursor)


def walk_sorted(ask: AskPage, size: int, what: str) -> Iterator[Fresh]:
    """Yield the pages of a list in the order of its numbers.

    Args:
        ask: for the page after a cursor, None for the first; returns None where so large a page is refused.
        size: of a page, at most.
        what: is listed, for errors.

    Raises:
        MalformedError: the numbers do not ascend, or the list does not end.
        StorageError: even a page of two is refused, or the list changes faster than it can be read.
    """
    pages, path = _Sized(ask, size, what), _Path(what)
    starts: list[tuple[str | None, int]] = [(None, 0)]  # cursor of each page, and the last number before it
    last, overlaps, back, turns, is_forward = 0, True, 0, 0, True
    while True:
        after, before = starts[-1]
        page = pages.page(after)
        ids = page.ids
        if ids != sorted(set(ids)):
            raise MalformedError(f"{what}: the Decidim does not list them in the order of their numbers")
        if after is not None and overlaps and (not ids or ids[0] > last):
            starts.pop()
            path.go_back(after)
            back, turns, is_forward = back + 1, turns + is_forward, False
            if back > MAX_STEPS_BACK or turns > MAX_PASSES:
                raise StorageError(f"{what}: the list changes faster than it can be read")
            continue
        is_forward = True
        path.look(page, bool(ids) and ids[-1] > before)
        fresh = frozenset(number for number in ids if number > last)
        turns = 0 if fresh else turns
        last = max(last, *ids) if ids else last
        if not page.has_more:
            yield Fresh(page, fresh, page.n_hidden(False))
            return
        cursor, overlaps = page.next_after()
        path.go(cursor)
        yield Fresh(page, fresh, page.n_hidden(overlaps))
        starts.append((cursor, max(before, *ids) if ids else before))


def walk_unsorted(ask: AskPage, size: int, what: str) -> Iterator[Fresh]:
    """Yield the pages of a list whose order is not told, from the start again whenever it changed.

    Args and raises: as for `walk_sorted`, but no order is expected.
    """
    pages = _Sized(ask, size, what)
    seen: set[int] = set()
    for _ in range(MAX_PASSES):
        path, passed = _Path(what), set[int]()
        after, last, overlaps = None, 0, False
        while True:
            page = pages.page(after)
            ids = page.ids
            if overlaps and (not ids or ids[0] != last):
                break
            path.look(page, not passed.issuperset(ids))
            passed.update(ids)
            fresh = frozenset(ids) - seen
            seen |= fresh
            if not page.has_more:
                yield Fresh(page, fresh, page.n_hidden(False))
                return
            after, overlaps = page.next_after()
            path.go(after)
            last = ids[-1] if ids else last
            yield Fresh(page, fresh, page.n_hidden(overlaps))
    raise StorageError(f"{what}: the list changes faster than it can be read")
