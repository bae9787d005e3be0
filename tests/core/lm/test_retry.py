"""When to ask again."""

from __future__ import annotations

import pytest

from auzolan.core.lm.retry import Backoff, is_retried, retry_after_s
from auzolan.core.record.errors import UsageError


def test_the_longest_wait_doubles_up_to_a_limit() -> None:
    backoff = Backoff(first_s=0.5, most_s=3)

    assert [0.5, 1.0, 2.0, 3.0, 3.0] == [backoff.delay_s(n, lambda: 1.0) for n in (1, 2, 3, 4, 2000)]


def test_the_wait_is_anything_up_to_the_longest() -> None:
    assert 0.0 == Backoff().delay_s(5, lambda: 0.0)
    assert 2.0 == Backoff().delay_s(4, lambda: 0.5)


@pytest.mark.parametrize("wrong", [{"tries": 0}, {"first_s": -1}, {"first_s": 2, "most_s": 1}])
def test_a_backoff_that_makes_no_sense_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        Backoff(**wrong)


def test_what_may_go_better_later_is_tried_again() -> None:
    assert all(map(is_retried, (408, 425, 429, 500, 502, 503, 504, 529)))
    assert not any(map(is_retried, (301, 307, 400, 401, 403, 404, 413, 422)))


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry-after": "20"}, 20.0),
        ({"retry-after": " 0.5 "}, 0.5),
        ({"retry-after": "-3"}, 0.0),
        (
            {"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"},
            30.0,
        ),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 -0000", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({}, None),
    ],
)
def test_the_server_may_say_how_long(headers: dict[str, str], expected: float | None) -> None:
    assert expected == retry_after_s(headers)
