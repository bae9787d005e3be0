"""What changed between two models on the same items: differences of paired shares.

mcnemar                exact test that as many items were gained as lost (McNemar 1947; binomial, two-sided)
paired_difference      of independent items: Newcombe 1998, "Improved confidence intervals for the difference
                       between binomial proportions based on paired data", Stat Med 17:2635-2650, method 10
clustered_difference   of items that share scenarios: whole scenarios are drawn again (`clusters`)
difference_of          whichever of the two the items allow
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from auzolan.core.evals.clusters import DRAWS, SEED, by_scenario, effective_items, percentiles
from auzolan.core.evals.intervals import CONFIDENCE, Interval, quantile, wilson_bounds


class Pair(NamedTuple):
    """One item, answered by both: did each answer follow?"""

    scenario: str
    before: bool
    after: bool


@dataclass(frozen=True)
class Difference:
    """The share after minus the share before, on the same items.

    Attributes:
        interval: of the difference; its `n` are items, or scenarios where those were the unit.
        n_items: how many items were compared.
        before, after: how many of them followed.
        gained, lost: how many changed, in each direction.
        p_value: that as many are gained as lost, if items are independent; None where scenarios were the unit.
    """

    interval: Interval
    n_items: int
    before: int
    after: int
    gained: int
    lost: int
    p_value: float | None

    def __str__(self) -> str:
        chance = "" if self.p_value is None else f", McNemar p {self.p_value:.2g}"
        shares = f"{self.before / self.n_items:.3f} -> {self.after / self.n_items:.3f}"
        return f"{shares}, difference {self.interval}{chance}"


class _Cells(NamedTuple):
    """How many items followed in both, before only, after only, neither; need not be whole."""

    both: float
    lost: float
    gained: float
    neither: float


def mcnemar(gained: int, lost: int) -> Fraction:
    """Return the exact two-sided p-value of `gained` against `lost` changes, under one half each.

    Raises:
        ValueError: a negative count.
    """
    if gained < 0 or lost < 0:
        raise ValueError("counts are 0 or more")
    n, fewer = gained + lost, min(gained, lost)
    tail, term = 0, 1
    for i in range(fewer + 1):
        tail += term
        term = term * (n - i) // (i + 1)
    return min(Fraction(1), Fraction(2 * tail, 2**n))


def paired_difference(pairs: Sequence[Pair], confidence: float = CONFIDENCE) -> Difference:
    """Return the difference of independent items with Newcombe's interval (method 10).

    Raises:
        ValueError: no items, or two of one scenario: those are not independent.
    """
    if len({pair.scenario for pair in pairs}) != len(pairs):
        raise ValueError("several items share a scenario: use clustered_difference")
    cells = _cells(pairs)
    low, high = _newcombe(cells, quantile(confidence))
    n, gained, lost = len(pairs), int(cells.gained), int(cells.lost)
    interval = _around((gained - lost) / n, low, high, n, confidence, "Newcombe paired, method 10")
    return _difference(pairs, interval, float(mcnemar(gained, lost)))


def clustered_difference(
    pairs: Sequence[Pair], confidence: float = CONFIDENCE, draws: int = DRAWS, seed: int = SEED
) -> Difference:
    """Return the difference of items that share scenarios, which are drawn again, whole (`clusters`).

    The bounds reach at least as far as Newcombe's for the number of independent items that these are worth.
    The same pairs give the same bounds, in whatever order they come.

    Raises:
        ValueError: no items, one scenario only, or fewer than 100 draws.
    """
    clusters = by_scenario([(pair.scenario, int(pair.after) - int(pair.before)) for pair in pairs])
    z = quantile(confidence)
    low, high = percentiles(clusters, confidence, draws, seed)
    changed = sum(pair.before != pair.after for pair in pairs) / len(pairs)
    worth = effective_items(clusters, changed - clusters.mean**2)
    floor, ceiling = _newcombe(_scaled(_cells(pairs), worth), z)
    method = "cluster bootstrap, at least Newcombe with the design effect"
    n = len(clusters.sizes)
    interval = _around(clusters.mean, min(low, floor), max(high, ceiling), n, confidence, method)
    return _difference(pairs, interval, None)


def difference_of(pairs: Sequence[Pair], confidence: float = CONFIDENCE) -> Difference:
    """Return the difference as these items allow: `paired_difference` where each has its own scenario."""
    if len({pair.scenario for pair in pairs}) == len(pairs):
        return paired_difference(pairs, confidence)
    return clustered_difference(pairs, confidence)


def _difference(pairs: Sequence[Pair], interval: Interval, p_value: float | None) -> Difference:
    gained = sum(pair.after and not pair.before for pair in pairs)
    lost = sum(pair.before and not pair.after for pair in pairs)
    before, after = sum(pair.before for pair in pairs), sum(pair.after for pair in pairs)
    return Difference(interval, len(pairs), before, after, gained, lost, p_value)


def _around(estimate: float, low: float, high: float, n: int, confidence: float, method: str) -> Interval:
    return Interval(n, estimate, max(-1.0, min(low, estimate)), min(1.0, max(high, estimate)), confidence, method)


def _cells(pairs: Sequence[Pair]) -> _Cells:
    if not pairs:
        raise ValueError("expected at least one item")
    counts = {(True, True): 0, (True, False): 0, (False, True): 0, (False, False): 0}
    for pair in pairs:
        counts[pair.before, pair.after] += 1
    return _Cells(*counts.values())


def _scaled(cells: _Cells, n: float) -> _Cells:
    total = sum(cells)
    return _Cells(*(cell * n / total for cell in cells))


def _newcombe(cells: _Cells, z: float) -> tuple[float, float]:
    """Return Newcombe's bounds of (after - before): Wilson's bounds, joined with their correlation phi."""
    n = sum(cells)
    after, before = (cells.both + cells.gained) / n, (cells.both + cells.lost) / n
    (low_a, high_a), (low_b, high_b) = wilson_bounds(after, n, z), wilson_bounds(before, n, z)
    product = after * (1 - after) * before * (1 - before) * n**4
    cross = cells.both * cells.neither - cells.gained * cells.lost
    # Method 10: where the correlation is positive it is taken a little smaller, which keeps the interval wide enough.
    corrected = max(0.0, cross - n / 2) if cross > 0 else cross
    phi = corrected / math.sqrt(product) if product > 0 else 0.0
    down_a, up_a, down_b, up_b = after - low_a, high_a - after, before - low_b, high_b - before
    below = math.sqrt(max(0.0, down_a**2 - 2 * phi * down_a * up_b + up_b**2))
    above = math.sqrt(max(0.0, up_a**2 - 2 * phi * up_a * down_b + down_b**2))
    return after - before - below, after - before + above
