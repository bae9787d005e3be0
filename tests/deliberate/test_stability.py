"""Stability of majorities, against counting all resamples and against drawing many."""

from __future__ import annotations

from itertools import product
from math import comb, prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.deliberate import stability as module
from auzolan.deliberate.stability import majority_stability
from tests import strategies

assert strategies, "property tests are deterministic only with its profile"


def _enumerated(successes: int, seen: int, size: int) -> float:
    """Sum the multinomial distribution of (agree, other votes, unseen) over all resamples with a majority."""
    total = 0
    for agree in range(size + 1):
        for other in range(size - agree + 1):
            if agree + other and agree >= other:
                ways = comb(size, agree) * comb(size - agree, other)
                unseen = size - agree - other
                total += ways * successes**agree * (seen - successes) ** other * (size - seen) ** unseen
    return float(total / size**size)


SMALL = [(k, s, n) for n in (1, 2, 5, 9) for s in range(n + 1) for k in range(s + 1)]


def test_a_small_group_is_as_stable_as_counting_all_resamples_says() -> None:
    expected = [_enumerated(*each) for each in SMALL]
    got = [majority_stability([k], [s], [n]) for k, s, n in SMALL]

    assert got == pytest.approx(expected, abs=1e-12)


@given(st.integers(10, 60), st.data())
def test_a_larger_group_too(size: int, data: st.DataObject) -> None:
    seen = data.draw(st.integers(0, size))
    successes = data.draw(st.integers(0, seen))

    assert pytest.approx(_enumerated(successes, seen, size), abs=1e-8) == majority_stability(
        [successes], [seen], [size]
    )


def test_a_skew_distribution_is_summed_to_its_end() -> None:
    assert pytest.approx(_enumerated(15, 39, 40), abs=1e-13) == majority_stability([15], [39], [40])


def test_groups_are_drawn_independently() -> None:
    one, other = (3, 5, 7), (4, 4, 9)

    assert pytest.approx(_enumerated(*one) * _enumerated(*other), abs=1e-12) == majority_stability(
        [3, 4], [5, 4], [7, 9]
    )
    assert 1 == majority_stability([], [], [])


@pytest.mark.parametrize(("successes", "seen", "size"), [(55, 100, 200), (100, 205, 220), (9, 20, 400)])
def test_drawing_many_resamples_says_the_same(successes: int, seen: int, size: int) -> None:
    rng = np.random.default_rng(5)
    shares = np.array([successes, seen - successes, size - seen]) / size
    agree, other, _ = rng.multinomial(size, shares, 40_000).T
    simulated = float(((agree >= other) & (agree + other > 0)).mean())

    assert pytest.approx(simulated, abs=0.01) == majority_stability([successes], [seen], [size])


def test_a_statement_that_nobody_of_a_group_saw_has_no_majority() -> None:
    assert 0 == majority_stability([9, 0], [9, 0], [9, 5])


def test_unanimity_stands_as_long_as_somebody_comes() -> None:
    assert 1 == majority_stability([9], [9], [9])
    assert pytest.approx(1 - (8 / 9) ** 9) == majority_stability([1], [1], [9])
    assert 0 == majority_stability([0], [9], [9])


def test_more_who_agree_never_make_it_less_stable() -> None:
    values = [majority_stability([k], [40], [70]) for k in range(41)]

    assert sorted(values) == pytest.approx(values)


@pytest.mark.parametrize("share", [0.499, 0.5, 0.501])
def test_very_many_people_are_summed_over_a_few_thousand_terms(share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    size, seen = 10**7, 4 * 10**6
    arguments = [int(seen * share)], [seen], [size]
    quick = majority_stability(*arguments)
    monkeypatch.setattr(module, "_SPREAD", 0.9)  # few enough terms to take all of them, out of the middle
    middle = majority_stability(*arguments)

    assert 0 <= quick <= 1
    assert pytest.approx(middle, abs=5e-3) == quick


def test_a_thousand_million_people_take_no_time_and_stay_a_share() -> None:
    values = [majority_stability([k], [10**9], [s]) for k, s in product((0, 5 * 10**8, 10**9), (10**9, 10**10))]

    assert all(0 <= value <= 1 for value in values)
    assert [0, 1] == [values[0], values[-1]]
    assert prod(values[2:4]) == pytest.approx(0.25, abs=1e-3)
