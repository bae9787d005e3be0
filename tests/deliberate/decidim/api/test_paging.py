"""Lists that change between pages: whoever was there all the time comes exactly once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.record.errors import MalformedError, StorageError
from auzolan.deliberate.decidim.api.paging import Page, walk_sorted, walk_unsorted

Change = Callable[[list[int], set[int]], None]


class _List:
    """A list that the server shows by place, and that changes before each request."""

    def __init__(self, ids: list[int], changes: list[Change], most: int = 50, hidden: set[int] | None = None) -> None:
        self.ids, self.hidden, self._changes, self._most = ids, hidden or set(), list(changes), most
        self.always = set(ids)
        self.asked = 0

    def page(self, after: str | None, size: int) -> Page | None:
        self.asked += 1
        if self._changes:
            self._changes.pop(0)(self.ids, self.hidden)
        self.always &= set(self.ids) - self.hidden
        if size > self._most:
            return None
        begin = int(after or 0)
        shown = self.ids[begin : begin + size]
        edges = tuple((str(begin + n + 1), None if each in self.hidden else each) for n, each in enumerate(shown))
        return Page(edges, begin + size < len(self.ids), {})


def _delete(places: list[int]) -> Change:
    def change(ids: list[int], _hidden: set[int]) -> None:
        for place in places:
            if ids:
                del ids[place % len(ids)]

    return change


def _append(count: int) -> Change:
    def change(ids: list[int], _hidden: set[int]) -> None:
        for _ in range(count):
            ids.append(max([*ids, 1000]) + 1)

    return change


def _move(place: int) -> Change:
    def change(ids: list[int], _hidden: set[int]) -> None:
        if ids:
            ids.append(ids.pop(place % len(ids)))

    return change


_changes = st.lists(
    st.one_of(st.lists(st.integers(0, 200), max_size=6).map(_delete), st.integers(0, 4).map(_append)), max_size=12
)
_ids = st.sets(st.integers(1, 900), max_size=60).map(sorted)


@given(_ids, _changes, st.integers(2, 9))
def test_who_is_there_all_the_time_comes_exactly_once(ids: list[int], changes: list[Change], size: int) -> None:
    source = _List(ids, changes)
    got = [number for fresh in walk_sorted(source.page, size, "x") for number in sorted(fresh.ids)]

    assert sorted(set(got)) == got
    assert source.always <= set(got)


@given(_ids, _changes, st.integers(2, 9))
def test_unsorted_lists_too(ids: list[int], changes: list[Change], size: int) -> None:
    source = _List(list(reversed(ids)), changes)
    got = [number for fresh in walk_unsorted(source.page, size, "x") for number in fresh.ids]

    assert len(set(got)) == len(got)
    assert source.always <= set(got)


@given(_ids, st.lists(st.integers(0, 200).map(_move), max_size=8), st.integers(2, 9))
def test_unsorted_lists_whose_rows_move_to_the_end(ids: list[int], changes: list[Change], size: int) -> None:
    source = _List(ids, changes)
    got = [number for fresh in walk_unsorted(source.page, size, "x") for number in fresh.ids]

    assert len(set(got)) == len(got)
    assert source.always <= set(got)


@given(_ids, st.sets(st.integers(1, 900)), st.integers(2, 9))
def test_hidden_ones_are_passed_over_and_counted_once(ids: list[int], hidden: set[int], size: int) -> None:
    source = _List(ids, [], hidden=hidden & set(ids))
    shown = set(ids) - hidden
    pages = list(walk_sorted(source.page, size, "x"))

    assert shown == {number for fresh in pages for number in fresh.ids}
    assert len(set(ids) & hidden) == sum(fresh.n_hidden for fresh in pages)


@pytest.mark.parametrize("walk", [walk_sorted, walk_unsorted])
def test_pages_shrink_until_the_server_takes_them(walk: Callable[..., object]) -> None:
    source = _List(list(range(1, 31)), [], most=7)
    got = [number for fresh in walk_sorted(source.page, 50, "x") for number in fresh.ids]

    assert list(range(1, 31)) == sorted(got)


@pytest.mark.parametrize("walk", [walk_sorted, walk_unsorted])
def test_a_server_that_takes_no_page_at_all_is_named(walk: Callable[..., object]) -> None:
    source = _List([1, 2, 3], [], most=1)

    with pytest.raises(StorageError, match="proposals of component 6: the Decidim refuses even a page of 2"):
        list(walk(source.page, 50, "proposals of component 6"))  # type: ignore[call-overload]


def test_a_list_that_is_not_in_order_is_refused() -> None:
    with pytest.raises(MalformedError, match="not list them in the order of their numbers"):
        list(walk_sorted(_List([3, 1, 2], []).page, 9, "x"))


@pytest.mark.parametrize("walk", [walk_sorted, walk_unsorted])
def test_an_empty_list_is_one_page(walk: Callable[..., object]) -> None:
    source = _List([], [])
    list(walk(source.page, 9, "x"))  # type: ignore[call-overload]

    assert 1 == source.asked


@pytest.mark.parametrize("walk", [walk_sorted, walk_unsorted])
def test_a_page_that_leads_nowhere_is_refused(walk: Callable[..., object]) -> None:
    with pytest.raises(MalformedError, match="more follow an empty page"):
        list(walk(lambda _after, _size: Page((), True, {}), 9, "x"))  # type: ignore[call-overload]


def test_a_list_that_never_stands_still_is_given_up() -> None:
    source = _List(list(range(1, 400)), [_move(0)] * 2_000)

    with pytest.raises(StorageError, match="changes faster than it can be read"):
        list(walk_unsorted(source.page, 5, "x"))
