"""Jeffreys bounds, against the incomplete beta function at high precision."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from auzolan.deliberate import bounds as module
from auzolan.deliberate.bounds import PPM, jeffreys_ppm
from tests import strategies

assert strategies, "property tests are deterministic only with its profile"

TAILS = (Fraction(1, 20), Fraction(19, 20))


def _bounds(k: int, n: int) -> tuple[int, int]:
    lower, upper = jeffreys_ppm(np.array([k]), np.array([n]))
    return int(lower[0]), int(upper[0])


def _continued_fraction(a: Any, b: Any, x: Any) -> Any:
    """Return I_x(a, b) for x below the mean, by the continued fraction DLMF 8.17.22, evaluated after Lentz."""
    c, d = mpmath.mpf(1), 1 / (1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 200_000):
        for factor in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d, c = 1 / (1 + factor * d), 1 + factor / c
            value *= c * d
        if abs(c * d - 1) < mpmath.mpf(10) ** -35:
            break
    beta = mpmath.loggamma(a) + mpmath.loggamma(b) - mpmath.loggamma(a + b)
    return mpmath.exp(a * mpmath.log(x) + b * mpmath.log1p(-x) - beta) / a * value


def _distribution(millionth: int, k: int, n: int) -> Any:
    """Return the distribution function of Beta(k + 1/2, n - k + 1/2), to 30 digits or more."""
    if not 0 < millionth < PPM:
        return mpmath.mpf(millionth > 0)
    with mpmath.workdps(50):
        a, b, x = mpmath.mpf(2 * k + 1) / 2, mpmath.mpf(2 * (n - k) + 1) / 2, mpmath.mpf(millionth) / PPM
        return 1 - _continued_fraction(b, a, 1 - x) if x > a / (a + b) else _continued_fraction(a, b, x)


def _is_floor(bound: int, tail: Fraction, k: int, n: int) -> bool:
    wanted = mpmath.mpf(tail.numerator) / tail.denominator
    return bool(_distribution(bound, k, n) <= wanted < _distribution(bound + 1, k, n))


def _cases(n_cases: int, largest: int, chance: int) -> list[tuple[int, int]]:
    rng = np.random.default_rng(chance)
    sizes = np.exp(rng.uniform(0, np.log(largest), n_cases)).astype(np.int64)
    return [(int(rng.integers(0, n + 1)), int(n)) for n in sizes]


def _checked(cases: list[tuple[int, int]]) -> None:
    for k, n in cases:
        lower, upper = _bounds(k, n)
        assert k == 0 or _is_floor(lower, TAILS[0], k, n), (k, n)
        assert k == n or _is_floor(upper, TAILS[1], k, n), (k, n)


def test_bounds_are_the_floored_quantiles() -> None:
    _checked([(k, n) for n in range(1, 9) for k in range(n + 1)] + _cases(40, 3000, 1))


@pytest.mark.slow
def test_bounds_are_the_floored_quantiles_up_to_a_million_votes() -> None:
    _checked([*_cases(12, 10**6, 2), (1, 10**6), (10**6 - 1, 10**6), (500_000, 10**6)])


def test_summed_exactly_every_bound_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = np.array([(k, n) for n in range(1, 13) for k in range(n + 1)] + _cases(30, 3000, 3), dtype=np.int64)
    quick = jeffreys_ppm(cases[:, 0], cases[:, 1])
    monkeypatch.setattr(module, "_DOUBTFUL", 1.0)
    exact = jeffreys_ppm(cases[:, 0], cases[:, 1])

    assert quick[0].tolist() == exact[0].tolist()
    assert quick[1].tolist() == exact[1].tolist()


@pytest.mark.slow
def test_summed_exactly_every_bound_of_a_million_votes_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = np.array([*_cases(8, 10**6, 4), (333_333, 10**6), (1, 10**6)], dtype=np.int64)
    quick = jeffreys_ppm(cases[:, 0], cases[:, 1])
    monkeypatch.setattr(module, "_DOUBTFUL", 1.0)

    assert [side.tolist() for side in quick] == [side.tolist() for side in jeffreys_ppm(cases[:, 0], cases[:, 1])]


@pytest.mark.parametrize("error", [-3e-11, 3e-11])
def test_an_error_in_the_last_digits_of_the_quantile_changes_no_bound(
    error: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    k, n = (part.ravel() for part in np.meshgrid(np.arange(60), np.arange(60), indexing="ij"))
    k, n = k[k <= n], n[k <= n]
    right = jeffreys_ppm(k, n)
    plain = scipy.special.betaincinv

    def off(*arguments: Any) -> NDArray[np.float64]:
        return np.asarray(plain(*arguments)) + error

    monkeypatch.setattr(scipy.special, "betaincinv", off)
    wrong = jeffreys_ppm(k, n)

    assert [side.tolist() for side in right] == [side.tolist() for side in wrong]


def test_a_quantile_near_a_millionth_falls_on_the_side_on_which_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    lower, upper = _bounds(7, 19)
    for millionth, tail, bound in ((lower, 0.05, lower), (lower + 1, 0.05, lower), (upper, 0.95, upper)):

        def said(_a: object, _b: object, _tail: object, millionth: int = millionth) -> NDArray[np.float64]:
            return np.array([millionth / PPM])

        monkeypatch.setattr(scipy.special, "betaincinv", said)

        assert bound == _bounds(7, 19)[tail > 0.5]


# What holds of all


@pytest.mark.parametrize("n", [1, 2, 3, 10, 97, 1000])
def test_more_who_agree_never_lower_a_bound(n: int) -> None:
    k = np.arange(n + 1)
    lower, upper = jeffreys_ppm(k, np.full(n + 1, n))

    assert bool((np.diff(lower) >= 0).all())
    assert bool((np.diff(upper) >= 0).all())


@settings(max_examples=200)
@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_bounds_enclose_the_share(one: int, other: int) -> None:
    k, n = sorted((one, other))
    lower, upper = _bounds(k, n)

    assert 0 <= lower <= upper <= PPM
    assert lower * n <= k * PPM
    assert (upper + 1) * n >= k * PPM


@given(st.integers(1, 2000), st.data())
def test_those_who_agree_and_those_who_do_not_mirror_each_other(n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, n))
    (lower, upper), (other_lower, other_upper) = _bounds(k, n), _bounds(n - k, n)

    # Floored on both sides, so that they add up to a millionth less; by convention not at the ends.
    assert {lower + other_upper, upper + other_lower} <= {PPM - 1, PPM}


def test_the_conventions_at_the_ends() -> None:
    assert (0, PPM) == _bounds(0, 0)
    assert (0, PPM) == (_bounds(0, 9)[0], _bounds(9, 9)[1])
    assert 0 < _bounds(0, 9)[1] < PPM
    assert 0 < _bounds(9, 9)[0] < PPM


def test_what_the_sum_takes_does_not_grow_with_the_number_of_votes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_DOUBTFUL", 1.0)
    for k in (0, 1, 2_500, 4_999, 5_000):
        lower, upper = _bounds(k, 5_000)

        assert k == 0 or _is_floor(lower, TAILS[0], k, 5_000)
        assert k == 5_000 or _is_floor(upper, TAILS[1], k, 5_000)


def test_any_shape_is_kept() -> None:
    k = np.arange(12).reshape(2, 3, 2)
    lower, upper = jeffreys_ppm(k, np.full((2, 3, 2), 12))

    assert (2, 3, 2) == lower.shape == upper.shape
    assert np.int64 == lower.dtype == upper.dtype
    assert _bounds(7, 12) == (int(lower[1, 0, 1]), int(upper[1, 0, 1]))


@pytest.mark.parametrize("shape", [(0,), (0, 5), (3, 0)])
def test_nothing_has_no_bounds(shape: tuple[int, ...]) -> None:
    lower, upper = jeffreys_ppm(np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64))

    assert shape == lower.shape == upper.shape


@pytest.mark.parametrize(("k", "n"), [(-1, 3), (4, 3), (1, 0), (0, -1)])
def test_more_successes_than_trials_are_our_own_mistake(k: int, n: int) -> None:
    with pytest.raises(ValueError, match="expected 0 <= successes <= trials"):
        _bounds(k, n)
