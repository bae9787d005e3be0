"""Jeffreys bounds of a share, in millionths, the same on every machine.

The 5 % and 95 % quantiles of Beta(k + 1/2, n - k + 1/2) (Brown, Cai & DasGupta
2001, "Interval Estimation for a Binomial Proportion", section 3.1.3; there both
tails are cut for an interval, here each bound is one-sided). Floored to ppm
before anything is compared, because only integers are signed.

`scipy` finds the quantile to about 1e-12. Where that leaves open on which side
of a millionth it lies, the incomplete beta function is summed at that millionth
to 60 digits (`mpmath` for its leading factor), so that the floor does not
depend on a machine's last bit.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import scipy.special
from numpy.typing import NDArray

METHOD = "jeffreys-5-percent"
PPM = 1_000_000
_TAIL = Fraction(1, 20)
_DOUBTFUL = 1e-4  # of a millionth: far more than the error of scipy's quantile
_UNIT = 2**200


def jeffreys_ppm(successes: NDArray[np.int64], trials: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
    """Return the lower and the upper bound of each share.

    Args:
        successes: k >= 0, any shape.
        trials: n >= k, the same shape.

    Returns:
        (lower, upper), int64 in millionths, floored. By convention 0 and 1,000,000 where n is 0;
        a lower bound of k = 0 and an upper bound of k = n are 0 and 1,000,000 (Brown et al., same section).
    """
    return _bound(successes, trials, 0), _bound(successes, trials, 1)


def jeffreys_lower_ppm(successes: NDArray[np.int64], trials: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the lower bound of each share alone; see `jeffreys_ppm`."""
    return _bound(successes, trials, 0)


def _bound(successes: NDArray[np.int64], trials: NDArray[np.int64], side: int) -> NDArray[np.int64]:
    k, n = np.broadcast_arrays(np.asarray(successes, dtype=np.int64), np.asarray(trials, dtype=np.int64))
    if k.size and (int(k.min()) < 0 or bool((k > n).any())):
        raise ValueError("expected 0 <= successes <= trials")
    flat = np.stack([k.ravel(), n.ravel()], axis=1)
    cells, back = np.unique(flat, axis=0, return_inverse=True)
    found: NDArray[np.int64] = _quantiles(cells, side)[back.ravel()].reshape(k.shape)
    return found


def outweighs_ppm(these: NDArray[np.int64], those: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how sure it is that more people are of one side than of the other, in millionths, floored.

    The posterior probability, under Jeffreys' prior, that a member of either side is rather of `these`:
    P(p > 1/2) for p ~ Beta(these + 1/2, those + 1/2).

    Args:
        these, those: how many were asked and said so, >= 0, of one shape.
    """
    cells, back = np.unique(np.stack([these.ravel(), those.ravel()], axis=1), axis=0, return_inverse=True)
    k, rest = cells[:, 1], cells[:, 0]  # P(p > 1/2) of these is P(p < 1/2) of those
    scaled = scipy.special.betainc(k + 0.5, rest + 0.5, 0.5) * PPM
    # Never quite certain, whatever doubles say.
    floors = np.minimum(np.floor(scaled).astype(np.int64), PPM - 1)
    nearest = np.round(scaled)
    for position in np.flatnonzero((np.abs(scaled - nearest) < _DOUBTFUL) & (nearest > 0) & (nearest < PPM)):
        a, b = int(k[position]) + Fraction(1, 2), int(rest[position]) + Fraction(1, 2)
        exact = Fraction(1, 2) if a == b else _series(Fraction(1, 2), a, b)
        floors[position] = exact.numerator * PPM // exact.denominator
    found: NDArray[np.int64] = floors[back.ravel()].reshape(these.shape)
    return found


def _quantiles(cells: NDArray[np.int64], side: int) -> NDArray[np.int64]:
    k, n = cells[:, 0], cells[:, 1]
    tail = float(_TAIL) if side == 0 else 1 - float(_TAIL)
    scaled = scipy.special.betaincinv(k + 0.5, n - k + 0.5, tail) * PPM
    floors = np.floor(scaled).astype(np.int64)
    near = np.abs(scaled - np.round(scaled)) < _DOUBTFUL
    for position in np.flatnonzero(near & (n > 0)):
        millionth = round(float(scaled[position]))
        wanted = _TAIL if side == 0 else 1 - _TAIL
        below = _is_cdf_at_most(millionth, int(k[position]), int(n[position]), wanted)
        floors[position] = millionth if below else millionth - 1
    if side == 0:
        return np.where(k == 0, 0, floors)
    return np.where(k == n, PPM, floors)


def _is_cdf_at_most(millionth: int, k: int, n: int, wanted: Fraction) -> bool:
    """Say whether the distribution function at `millionth` is at most `wanted`, so whether the quantile is not below.

    Sums DLMF 8.17.8, I_x(a, b) = x^a (1-x)^b / (a B(a, b)) * (1 + x (a+b)/(a+1) + ...), for a = k + 1/2 and
    b = n - k + 1/2, from the side on which x is at most one half: there the terms soon fall fast.
    """
    if millionth <= 0 or millionth >= PPM:
        return millionth <= 0
    a, b, x = k + Fraction(1, 2), n - k + Fraction(1, 2), Fraction(millionth, PPM)
    if 2 * x > 1:
        return 1 - _series(1 - x, b, a) <= wanted
    return _series(x, a, b) <= wanted


def _series(x: Fraction, a: Fraction, b: Fraction) -> Fraction:
    import mpmath  # slow to load, and hardly ever needed

    term, total, i = _UNIT, _UNIT, 0
    while term:
        factor = x * (a + b + i) / (a + 1 + i)
        term = term * factor.numerator // factor.denominator
        total += term
        i += 1
    with mpmath.workprec(300):
        p, q, z = (mpmath.mpf(f.numerator) / f.denominator for f in (a, b, x))
        beta = mpmath.loggamma(p) + mpmath.loggamma(q) - mpmath.loggamma(p + q)
        front = mpmath.exp(p * mpmath.log(z) + q * mpmath.log1p(-z) - beta) / p
        return Fraction(int(front * _UNIT * total), _UNIT * _UNIT)
