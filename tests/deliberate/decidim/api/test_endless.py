"""Whatever an API claims, a reading ends, in one sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from auzolan.core.record.errors import AuzolanError, MalformedError, StorageError
from auzolan.deliberate.decidim.api.paging import Fresh, Page, walk_sorted, walk_unsorted
from auzolan.deliberate.decidim.entities import Comment
from tests.decidim_server import DecidimServer, Instance, a_comment, a_proposal
from tests.deliberate.decidim.api.reading import live

Walk = Callable[[Any, int, str], Iterator[Fresh]]
Shown = list[int | None]
_MANY = 500
both = pytest.mark.parametrize("walk", [walk_sorted, walk_unsorted])


def _pages(pages: Callable[[int], Shown], cursor: Callable[[int], str]) -> tuple[Callable[..., Page], list[int]]:
    """Return what asks an endless list, and a list of the requests that came."""
    asked: list[int] = []

    def ask(after: str | None, _size: int) -> Page:
        asked.append(len(asked))
        assert len(asked) < _MANY
        shown = pages(asked[-1])
        edges = tuple((f"{cursor(asked[-1])}{place}", number) for place, number in enumerate(shown))
        return Page(edges, True, {})

    return ask, asked


@both
def test_the_same_page_again_and_again_is_refused(walk: Walk) -> None:
    ask, asked = _pages(lambda _: [1, 2, 3], lambda _: "c")

    with pytest.raises(AuzolanError):
        list(walk(ask, 9, "proposals of component 6"))
    assert len(asked) < 60


@both
def test_a_cursor_that_came_before_is_refused(walk: Walk) -> None:
    ask, asked = _pages(lambda n: [2 * n, 2 * n + 1, 2 * n + 2], lambda n: f"c{n % 3}-")

    with pytest.raises(MalformedError, match="proposals of component 6: the API gives the same cursor twice"):
        list(walk(ask, 9, "proposals of component 6"))
    assert 4 >= len(asked)


@both
def test_pages_that_bring_nothing_new_are_refused(walk: Walk) -> None:
    back_and_forth: list[Shown] = [[1, 2, 3, None], [3, 2, 1]]
    ask, asked = _pages(lambda n: back_and_forth[walk is walk_unsorted and n % 2], lambda n: f"c{n}-")

    with pytest.raises(MalformedError, match="more than 3 pages in a row brought nothing new"):
        list(walk(ask, 9, "x"))
    assert 6 >= len(asked)


@both
def test_hidden_ones_without_an_end_are_refused(walk: Walk) -> None:
    ask, asked = _pages(lambda _: [None, None], lambda n: f"c{n}-")

    with pytest.raises(MalformedError, match="more than 200 pages in a row showed nothing"):
        list(walk(ask, 9, "x"))
    assert 201 == len(asked)


def test_pages_that_show_nothing_in_between_are_given_up_soon() -> None:
    ask, asked = _pages(lambda n: [None, None] if n % 2 else [1, 2], lambda n: f"c{n}-")

    with pytest.raises(StorageError, match="changes faster than it can be read"):
        list(walk_sorted(ask, 9, "x"))
    assert len(asked) < 60


@both
def test_hidden_ones_that_end_are_passed_over(walk: Walk) -> None:
    counter = count()

    def ask(_after: str | None, _size: int) -> Page:
        n = next(counter)
        return Page(((f"{n}", 7 if n == 150 else None),), n < 150, {})

    pages = list(walk(ask, 9, "x"))

    assert [7] == [number for fresh in pages for number in fresh.ids]
    assert 150 == sum(fresh.n_hidden for fresh in pages)


def test_a_list_that_leads_back_and_forth_is_given_up() -> None:
    asked = count()

    def ask(after: str | None, _size: int) -> Page:
        assert next(asked) < _MANY
        return Page((("a", 5), ("b", 6)), True, {}) if after else Page((("x", 1), ("y", 2)), True, {})

    with pytest.raises(StorageError, match="changes faster than it can be read"):
        list(walk_sorted(ask, 9, "x"))


class _Endless(Instance):
    """An instance in which every comment is answered by others, under new numbers."""

    def __init__(self, n_comments: int, width: int) -> None:
        super().__init__()
        self._numbers, self._width = count(10), width
        self.add(6, "Proposals", [a_proposal(1, comments=self._more(2), n_comments=n_comments)])

    def _more(self, levels: int) -> list[dict[str, Any]]:
        return [
            a_comment(next(self._numbers), "x", *(self._more(levels - 1) if levels else ())) for _ in range(self._width)
        ]

    def find(self, typename: str, number: str) -> dict[str, Any] | None:
        return {"__typename": "Comment", **a_comment(int(number), "x", *self._more(2))}


def _comments(instance: Instance) -> list[Comment]:
    with DecidimServer("0.32", instance) as server:
        try:
            return [each for each in live(server, components=[6]) if isinstance(each, Comment)]
        finally:
            assert server.requests < _MANY


def test_answers_to_answers_without_an_end_are_refused() -> None:
    with pytest.raises(MalformedError, match=r"proposal 1: comments are answered more than 8 deep"):
        _comments(_Endless(n_comments=5, width=1))


def test_many_more_comments_than_are_counted_are_refused() -> None:
    with pytest.raises(MalformedError, match=r"proposal 1: more than 115 comments came, and the API counts 5"):
        _comments(_Endless(n_comments=5, width=8))


def test_many_more_comments_in_one_answer_are_refused_too() -> None:
    comments = [a_comment(number, "x") for number in range(1, 200)]
    instance = Instance()
    instance.add(6, "Proposals", [a_proposal(1, comments=comments, n_comments=2)])

    with pytest.raises(MalformedError, match=r"proposal 1: more than 106 comments came, and the API counts 2"):
        _comments(instance)


def test_a_comment_that_comes_many_times_is_asked_about_once() -> None:
    twice = [a_comment(1, "x", *[a_comment(2, "y", a_comment(3, "z"))] * 40)]
    instance = Instance()
    instance.add(6, "Proposals", [a_proposal(1, comments=twice, n_comments=3)])
    with DecidimServer("0.32", instance) as server:
        found = [each.key.id for each in live(server, components=[6]) if isinstance(each, Comment)]
        threads = [each for each in server.asked if each.query.startswith("query Thread")]

    assert [1, 2, 3] == sorted(found)
    assert 1 == len(threads)


def test_a_few_more_comments_than_are_counted_are_read() -> None:
    comments = [a_comment(number, "x") for number in range(1, 60)]
    instance = Instance()
    instance.add(6, "Proposals", [a_proposal(1, comments=comments, n_comments=2)])

    assert 59 == len(_comments(instance))
