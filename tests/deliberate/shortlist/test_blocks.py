"""Surveys of a bearable length: every statement equally often, every pair together where that can be."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auzolan.core.record.errors import UsageError, VerificationError
from auzolan.deliberate.shortlist.blocks import Balance, check_balance, lay_out


def test_statements_that_fit_are_one_survey_in_their_order() -> None:
    assert (tuple(range(1, 16)),) == lay_out(15, 15)


@pytest.mark.parametrize(
    ("n", "most", "surveys"),
    [(16, 15, 6), (25, 15, 6), (26, 15, 12), (40, 15, 12), (45, 15, 12), (34, 20, 6), (40, 20, 12)],
)
def test_surveys_are_full_and_every_pair_is_together_up_to_three_times_what_one_is_asked(
    n: int, most: int, surveys: int
) -> None:
    found = lay_out(n, most)
    balance = check_balance(found, n, most)

    assert (surveys, 0) == (len(found), balance.pairs_never_together)
    assert (most, most) == balance.per_survey


def test_positions_are_balanced() -> None:
    assert (48, 51) == check_balance(lay_out(40, 15), 40, 15).mean_positions


def test_beyond_that_the_balance_says_how_many_pairs_are_missing() -> None:
    expected = Balance((15, 15), (3, 3), (0, 3), 1_770, 633, (47, 52))

    assert expected == check_balance(lay_out(60, 15), 60, 15)


@pytest.mark.parametrize(("surveys", "missing"), [(6, 229), (8, 101), (10, 19), (11, 0), (12, 0)])
def test_the_number_of_surveys_can_be_chosen(surveys: int, missing: int) -> None:
    found = lay_out(40, 15, surveys)

    assert (surveys, missing) == (len(found), check_balance(found, 40, 15).pairs_never_together)


def test_two_surveys_of_the_same_statements_run_in_opposite_orders() -> None:
    one, other = lay_out(10, 15, 2)

    assert one == other[::-1]


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 130), st.integers(2, 25))
def test_every_statement_is_equally_often_asked(n: int, most: int) -> None:
    balance = check_balance(lay_out(n, most), n, most)

    assert balance.times[1] - balance.times[0] <= 1
    assert balance.per_survey[1] <= most
    assert n > 9 * (most // 3) or not balance.pairs_never_together


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 60), st.integers(2, 20), st.integers(1, 40))
def test_any_number_of_surveys_that_can_hold_them(n: int, most: int, surveys: int) -> None:
    if surveys * most < n:
        with pytest.raises(UsageError, match=f"cannot ask about {n} statements"):
            lay_out(n, most, surveys)
        return

    assert surveys == len(lay_out(n, most, surveys))
    check_balance(lay_out(n, most, surveys), n, most)


def test_the_most_that_a_shortlist_holds() -> None:
    assert (2, 3) == check_balance(lay_out(500, 15), 500, 15).times


@pytest.mark.parametrize(
    "surveys",
    [
        ((1, 2), (3, 3)),
        ((1, 2), (3,), ()),
        ((1, 2), (3, 4)),
        ((1, 2),),
        ((1, 2, 3),),
        ((1, 2), (1, 3), (1,)),
    ],
)
def test_surveys_that_are_not_balanced_are_refused(surveys: tuple[tuple[int, ...], ...]) -> None:
    with pytest.raises(VerificationError):
        check_balance(surveys, 3, 2)


@pytest.mark.parametrize(("n", "most"), [(0, 15), (5, 1)])
def test_numbers_that_are_too_small_are_refused(n: int, most: int) -> None:
    with pytest.raises(UsageError):
        lay_out(n, most)
