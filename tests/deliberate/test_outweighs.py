"""How sure it is that one side outweighs the other, against the incomplete beta function at high precision."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.deliberate import bounds as module
from auzolan.deliberate.bounds import PPM, outweighs_ppm
from tests import strategies

assert strategies, "property tests are deterministic only with its profile"


def _sure(these: int, those: int) -> int:
    return int(outweighs_ppm(np.array([these]), np.array([those]))[0])


def _is_floor(found: int, these: int, those: int) -> bool:
    with mpmath.workdps(40):
        half = mpmath.mpf(1) / 2
        exact = PPM * mpmath.betainc(these + half, those + half, half, 1, regularized=True)
        return bool(min(mpmath.floor(exact), PPM - 1) == found)


def test_small_counts_are_floored_exactly() -> None:
    these, those = (each.ravel() for each in np.meshgrid(np.arange(25), np.arange(25)))
    found = outweighs_ppm(these, those)

    assert all(_is_floor(*cell) for cell in zip(found.tolist(), these.tolist(), those.tolist(), strict=True))


def test_counts_up_to_thousands_are_floored_exactly() -> None:
    source = np.random.default_rng(1)
    these = np.exp(source.uniform(0, np.log(8_000), 40)).astype(np.int64)
    those = np.maximum(these + (source.normal(0, 1.5, 40) * np.sqrt(2.0 * these)).astype(np.int64), 0)
    found = outweighs_ppm(these, those)

    assert all(_is_floor(*cell) for cell in zip(found.tolist(), these.tolist(), those.tolist(), strict=True))


def test_where_doubles_are_not_trusted_the_series_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    these, those = (each.ravel() for each in np.meshgrid(np.arange(0, 40, 3), np.arange(0, 40, 3)))
    trusted = outweighs_ppm(these, those)
    monkeypatch.setattr(module, "_DOUBTFUL", 1.0)

    assert trusted.tolist() == outweighs_ppm(these, those).tolist()


def test_one_vote_against_none() -> None:
    """P(p > 1/2) for Beta(3/2, 1/2) is 1/2 + 1/pi."""
    assert 818_309 == _sure(1, 0)
    assert 181_690 == _sure(0, 1)


@given(st.integers(0, 10**9))
def test_as_many_of_both_are_at_one_half(n: int) -> None:
    assert PPM // 2 == _sure(n, n)


@given(st.integers(0, 3_000), st.integers(0, 3_000))
def test_both_sides_together_are_certain(these: int, those: int) -> None:
    assert _sure(these, those) + _sure(those, these) in {PPM - 1, PPM}


@given(st.integers(0, 3_000), st.integers(0, 3_000))
def test_one_more_never_makes_it_less_sure(these: int, those: int) -> None:
    sure = _sure(these, those)

    assert _sure(these + 1, those) >= sure >= _sure(these, those + 1)


def test_it_is_never_quite_certain() -> None:
    assert (PPM - 1, 0) == (_sure(10**6, 0), _sure(0, 10**6))


def test_any_shape_comes_back() -> None:
    assert (2, 3) == outweighs_ppm(np.zeros((2, 3), np.int64), np.ones((2, 3), np.int64)).shape
    assert (0,) == outweighs_ppm(np.zeros(0, np.int64), np.zeros(0, np.int64)).shape
