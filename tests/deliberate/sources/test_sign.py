"""The sign of agree: told from all counts or nearly all, and never guessed."""

from __future__ import annotations

import pytest

from auzolan.core.record.errors import MalformedError
from auzolan.deliberate.sources.sign import Comparison, Sign, sign_from

_PLUS, _MINUS, _BOTH = Comparison(3, 1, 3, 1), Comparison(1, 3, 3, 1), Comparison(2, 2, 2, 2)
_NEITHER = Comparison(3, 1, 4, 1)


def _sign(*comparisons: Comparison) -> Sign | None:
    return sign_from(comparisons, "statements", "agrees and disagrees")


@pytest.mark.parametrize(("row", "sign"), [(_PLUS, 1), (_MINUS, -1)])
def test_a_sign_that_fits_all_is_taken(row: Comparison, sign: int) -> None:
    evidence = f"{sign:+d} = agree: so counted, the votes equal agrees and disagrees for all 3 statements"

    assert Sign(sign, evidence) == _sign(row, _BOTH, row)


def test_where_both_signs_fit_all_nothing_is_told() -> None:
    assert None is _sign(_BOTH, _BOTH)
    assert None is _sign()


@pytest.mark.parametrize(("row", "sign"), [(_PLUS, 1), (_MINUS, -1)])
def test_a_sign_that_fits_nearly_all_is_taken_and_that_is_said(row: Comparison, sign: int) -> None:
    evidence = (
        f"{sign:+d} = agree: so counted, the votes equal agrees and disagrees for 19 of the 20 statements "
        "that tell the signs apart, the others differ"
    )

    assert Sign(sign, evidence) == _sign(*[row] * 19, *[_BOTH] * 5, _NEITHER)


@pytest.mark.parametrize(
    "rows",
    [
        [_NEITHER],
        [_PLUS, _MINUS],
        [*[_PLUS] * 18, _NEITHER],
        [*[_PLUS] * 18, *[_BOTH] * 50, _NEITHER],
        [*[_PLUS] * 999, _MINUS],
    ],
)
def test_a_sign_that_fits_too_few_or_where_the_other_fits_any_is_refused_with_a_way_out(rows: list[Comparison]) -> None:
    with pytest.raises(MalformedError, match=r"cannot be told whether agree is \+1 or -1.* can say it with --agree-is"):
        _sign(*rows)
