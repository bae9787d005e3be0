"""Intervals of one share, against published figures and by simulation."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.evals.intervals import (
    Interval,
    JudgePassRate,
    clopper_pearson,
    jeffreys,
    no_failures,
    wilson,
)


@st.composite
def _counts(draw: st.DrawFn) -> tuple[int, int]:
    n = draw(st.integers(1, 5_000))
    return draw(st.integers(0, n)), n


@given(_counts(), st.sampled_from([0.5, 0.9, 0.95, 0.999]))
def test_every_interval_holds_its_estimate_and_stays_a_share(counts: tuple[int, int], confidence: float) -> None:
    for method in (wilson, jeffreys, clopper_pearson):
        found = method(*counts, confidence)

        assert 0 <= found.low <= found.estimate <= found.high <= 1
        assert (counts[1], counts[0] / counts[1]) == (found.n, found.estimate)


@given(_counts())
def test_failures_and_passes_mirror_each_other(counts: tuple[int, int]) -> None:
    k, n = counts
    for method in (wilson, jeffreys, clopper_pearson):
        one, other = method(k, n), method(n - k, n)

        assert one.low == pytest.approx(1 - other.high, abs=1e-9)


def test_wilson_gives_the_figures_of_newcombe_1998() -> None:
    # Newcombe 1998, Stat Med 17:857-872, Table I, method 3: 81/263, 15/148, 0/20, 1/29.
    cases = {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0.0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }
    for (k, n), bounds in cases.items():
        found = wilson(k, n)

        assert bounds == pytest.approx((found.low, found.high), abs=5e-5)


def test_clopper_pearson_gives_the_figures_of_newcombe_1998() -> None:
    cases = {
        (81, 263): (0.2527, 0.3676),
        (15, 148): (0.0578, 0.1617),
        (0, 20): (0.0, 0.1684),
        (1, 29): (0.0009, 0.1776),
    }
    for (k, n), bounds in cases.items():
        found = clopper_pearson(k, n)

        assert bounds == pytest.approx((found.low, found.high), abs=5e-5)


@pytest.mark.parametrize(("n", "expected"), [(50, 0.058), (100, 0.030), (300, 0.010), (1000, 0.0030)])
def test_no_failures_bounds_what_may_still_fail(n: int, expected: float) -> None:
    found = no_failures(n)

    assert expected == pytest.approx(found.high, abs=6e-4)
    assert (0.0, 0.0) == (found.low, found.estimate)
    # By definition: as many failures would have shown in 95 % of trials.
    assert 0.05 == pytest.approx((1 - found.high) ** n)


def _coverage(method: object, n: int, p: Fraction) -> float:
    """The exact probability that the interval holds p."""
    total = 0.0
    for k in range(n + 1):
        found = method(k, n)  # type: ignore[operator]
        if found.low <= float(p) <= found.high:
            total += comb(n, k) * float(p) ** k * float(1 - p) ** (n - k)
    return total


def test_coverage_is_what_is_promised() -> None:
    shares = [Fraction(i, 40) for i in range(1, 40)]
    exact = [_coverage(clopper_pearson, 60, p) for p in shares]
    close = {method: np.mean([_coverage(method, 60, p) for p in shares]) for method in (wilson, jeffreys)}

    assert min(exact) >= 0.95
    assert all(0.94 <= mean <= 0.965 for mean in close.values())


@pytest.mark.parametrize("counts", [(-1, 5), (6, 5), (0, 0), (1, -1), (True, 5), (1.0, 5)])
def test_impossible_counts_are_refused(counts: tuple[int, int]) -> None:
    for method in (wilson, jeffreys, clopper_pearson):
        with pytest.raises(ValueError):
            method(*counts)
    with pytest.raises(ValueError):
        JudgePassRate(*counts)


@pytest.mark.parametrize("confidence", [0.0, 1.0, -0.5, 95, float("nan")])
def test_impossible_confidences_are_refused(confidence: float) -> None:
    for method in (wilson, jeffreys, clopper_pearson):
        with pytest.raises(ValueError):
            method(3, 5, confidence)
    with pytest.raises(ValueError):
        no_failures(5, confidence)


def test_an_interval_that_does_not_hold_its_estimate_is_refused() -> None:
    for low, estimate, high in ((0.5, 0.4, 0.6), (0.1, 0.7, 0.6), (float("nan"), 0.5, 0.6), (-2.0, 0.5, 0.6)):
        with pytest.raises(ValueError):
            Interval(10, estimate, low, high, 0.95, "by hand")


def test_an_interval_says_its_n_and_its_method() -> None:
    assert "0.900 [0.744, 0.965] (n 30, 95% Wilson)" == str(wilson(27, 30))


def test_a_judges_pass_rate_cannot_be_printed_as_adherence() -> None:
    rate = JudgePassRate(830, 1000)

    assert "judge pass rate (uncalibrated, not adherence): 830 of 1000" == str(rate) == f"{rate}"
    assert not isinstance(rate, Interval)
    assert not {"estimate", "low", "high"} & set(dir(rate))
    with pytest.raises(TypeError):
        f"{rate:.2f}"
    with pytest.raises(TypeError):
        float(rate)  # type: ignore[arg-type]
