"""Intervals of one share: how sure a count of passes makes us. Views for reports, never signed.

    wilson            the default for counts of single items (Wilson 1927; Brown, Cai & DasGupta 2001, section 3.1.1)
    jeffreys          Beta(k + 1/2, n - k + 1/2), both tails (Brown et al., section 3.1.3)
    clopper_pearson   never narrower than it says; for a judge's sensitivity and specificity (Clopper & Pearson 1934)
    no_failures       what is still possible when nothing failed: an upper bound, one-sided

All of them take the items as independent. Items of one scenario are not: see `paired.clustered_difference`.
A judge's raw rate is no adherence, whatever interval is put around it (see `JudgePassRate`): `calibration` makes one.
What is signed are the counts; whoever reads a record computes these anew.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import scipy.special

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """An estimate and the interval around it.

    Attributes:
        n: how many independent items it rests on.
        estimate: between `low` and `high`.
        low, high: bounds; of a share between 0 and 1, of a difference between -1 and 1.
        confidence: such as 0.95.
        method: how the bounds were found, in words for a report.
    """

    n: int
    estimate: float
    low: float
    high: float
    confidence: float
    method: str

    def __post_init__(self) -> None:
        if self.n < 1 or not 0 < self.confidence < 1:
            raise ValueError("an interval needs at least one item and a confidence between 0 and 1")
        if not -1 <= self.low <= self.estimate <= self.high <= 1:  # NaN fails it too
            raise ValueError(f"expected -1 <= low <= estimate <= high <= 1 from {self.method}")

    def __str__(self) -> str:
        return (
            f"{self.estimate:.3f} [{self.low:.3f}, {self.high:.3f}] (n {self.n}, {self.confidence:.0%} {self.method})"
        )


@dataclass(frozen=True)
class JudgePassRate:
    """How often a judge said "met". It is not adherence, and cannot be printed as if it were.

    A judge of sensitivity 0.9 and specificity 0.8 says "met" of 83 % where 90 % is true, and a 95 % interval around
    that contains the truth in none of 3,000 trials. So this is no `Interval`, gives no number, and says in every
    form what it is. `calibration.calibrated` turns it and some human labels into an adherence.

    Attributes:
        passes: how many the judge passed.
        n: how many it judged.
    """

    passes: int
    n: int

    def __post_init__(self) -> None:
        _check_counts(self.passes, self.n)

    def __str__(self) -> str:
        return f"judge pass rate (uncalibrated, not adherence): {self.passes} of {self.n}"

    def __format__(self, spec: str) -> str:
        if spec:
            raise TypeError("a judge's pass rate has no number format: it is not adherence")
        return str(self)


def wilson(k: int, n: int, confidence: float = CONFIDENCE) -> Interval:
    """Return the score interval of k among n, both tails equal.

    Raises:
        ValueError: not 0 <= k <= n, n < 1, or a confidence outside (0, 1); so do all functions here.
    """
    _check_counts(k, n)
    low, high = wilson_bounds(k / n, n, quantile(confidence))
    return Interval(n, k / n, 0.0 if k == 0 else low, 1.0 if k == n else high, confidence, "Wilson")


def wilson_bounds(share: float, n: float, z: float) -> tuple[float, float]:
    """Return the bounds of a share of n, which need not be whole: for effective numbers of items."""
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # Rounding must not push a bound past the share itself.
    return min(max(0.0, centre - half), share), max(min(1.0, centre + half), share)


def jeffreys(k: int, n: int, confidence: float = CONFIDENCE) -> Interval:
    """Return the equal-tailed interval of Jeffreys' prior; its bound is 0 where k is 0, and 1 where k is n."""
    _check_counts(k, n)
    tail = _tail(confidence)
    low = 0.0 if k == 0 else float(scipy.special.betaincinv(k + 0.5, n - k + 0.5, tail))
    high = 1.0 if k == n else float(scipy.special.betaincinv(k + 0.5, n - k + 0.5, 1 - tail))
    return Interval(n, k / n, low, high, confidence, "Jeffreys")


def clopper_pearson(k: int, n: int, confidence: float = CONFIDENCE) -> Interval:
    """Return the exact interval: it contains the truth at least as often as it says, and is wider for that."""
    _check_counts(k, n)
    tail = _tail(confidence)
    low = 0.0 if k == 0 else float(scipy.special.betaincinv(k, n - k + 1, tail))
    high = 1.0 if k == n else float(scipy.special.betaincinv(k + 1, n - k, 1 - tail))
    return Interval(n, k / n, low, high, confidence, "Clopper-Pearson")


def no_failures(n: int, confidence: float = CONFIDENCE) -> Interval:
    """Return how large the share of failures may still be when none was seen in n: 1 - (1 - confidence)^(1/n)."""
    _check_counts(0, n)
    _tail(confidence)
    high = -math.expm1(math.log1p(-confidence) / n)
    return Interval(n, 0.0, 0.0, high, confidence, "one-sided exact, no failure seen")


def quantile(confidence: float) -> float:
    """Return the normal quantile z with both tails cut, 1.96 for 0.95."""
    return float(scipy.special.ndtri(1 - _tail(confidence)))


def _tail(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise ValueError("expected a confidence between 0 and 1, such as 0.95")
    return (1 - confidence) / 2


def _check_counts(k: int, n: int) -> None:
    if isinstance(k, bool) or isinstance(n, bool) or not isinstance(k, int) or not isinstance(n, int):
        raise ValueError("counts are whole numbers")
    if n < 1 or not 0 <= k <= n:
        raise ValueError("expected 0 <= passes <= items, and at least one item")
