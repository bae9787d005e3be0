"""Differences on the same items: against published figures, and by simulation."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.evals.clusters import Outcome, share_of
from auzolan.core.evals.intervals import Interval, wilson
from auzolan.core.evals.paired import Pair, clustered_difference, difference_of, mcnemar, paired_difference


def _table(both: int, lost: int, gained: int, neither: int) -> list[Pair]:
    cells = [(True, True)] * both + [(True, False)] * lost + [(False, True)] * gained + [(False, False)] * neither
    return [Pair(str(i), *cell) for i, cell in enumerate(cells)]


def _scenarios(bits: np.random.Generator, n: int, items: int, before: float, after: float, tied: float) -> list[Pair]:
    """Scenarios with rates of their own around `before` and `after`; the smaller `tied`, the more items agree."""
    rates = bits.beta(before * tied, (1 - before) * tied, n), bits.beta(after * tied, (1 - after) * tied, n)
    return [
        Pair(str(i), bool(bits.random() < rates[0][i]), bool(bits.random() < rates[1][i]))
        for i in range(n)
        for _ in range(items)
    ]


def _held(found: Sequence[Interval], truth: float) -> float:
    return float(np.mean([each.low <= truth <= each.high for each in found]))


def test_newcombe_gives_the_published_interval() -> None:
    # Fagerland, Lydersen & Laake 2014 (Stat Med 33:2850-2875), airway hyper-responsiveness before and after a
    # transplantation, n 21: -0.286 (-0.507 to -0.026).
    found = paired_difference(_table(both=1, lost=7, gained=1, neither=12))
    interval = found.interval

    assert (-0.286, -0.507, -0.026) == pytest.approx((interval.estimate, interval.low, interval.high), abs=5e-4)
    assert (8, 2, 1, 7) == (found.before, found.after, found.gained, found.lost)


@given(st.integers(0, 40), st.integers(0, 40))
def test_mcnemar_is_the_binomial_test(gained: int, lost: int) -> None:
    expected = scipy.stats.binomtest(gained, gained + lost).pvalue if gained + lost else 1.0

    assert expected == pytest.approx(float(mcnemar(gained, lost)))


def test_mcnemar_is_exact() -> None:
    assert Fraction(1) == mcnemar(3, 3) == mcnemar(0, 0)
    assert Fraction(2, 2**400) == mcnemar(400, 0)
    with pytest.raises(ValueError):
        mcnemar(-1, 3)


@pytest.mark.parametrize(
    ("n", "before", "after", "kept"),
    [(30, 0.1, 0.9, 0.0), (60, 0.15, 0.95, 0.0), (60, 0.5, 0.6, 0.5), (100, 0.02, 0.03, 0)],
)
def test_newcombe_holds_the_truth(n: int, before: float, after: float, kept: float) -> None:
    bits = np.random.Generator(np.random.PCG64(3))
    truth, found = (1 - kept) * (after - before), []
    for _ in range(400):
        first = bits.random(n) < before
        second = np.where(bits.random(n) < kept, first, bits.random(n) < after)
        found.append(paired_difference([Pair(str(i), bool(first[i]), bool(second[i])) for i in range(n)]).interval)

    assert _held(found, truth) >= 0.92


@pytest.mark.parametrize(
    ("n", "items", "before", "after", "tied"),
    [(20, 5, 0.15, 0.9, 1.0), (20, 5, 0.5, 0.6, 2.0), (40, 4, 0.1, 0.97, 3.0), (20, 10, 0.02, 0.03, 0.5)],
)
def test_the_cluster_interval_holds_the_truth(n: int, items: int, before: float, after: float, tied: float) -> None:
    bits = np.random.Generator(np.random.PCG64(3))
    found = [
        clustered_difference(_scenarios(bits, n, items, before, after, tied), draws=200).interval for _ in range(150)
    ]

    assert _held(found, after - before) >= 0.90


def test_items_taken_for_independent_miss_the_truth() -> None:
    bits = np.random.Generator(np.random.PCG64(3))
    found = []
    for _ in range(150):
        pairs = _scenarios(bits, 20, 5, 0.15, 0.9, 1.0)
        found.append(paired_difference([pair._replace(scenario=str(i)) for i, pair in enumerate(pairs)]).interval)

    assert _held(found, 0.75) <= 0.85


@pytest.mark.parametrize(("n", "items", "rate", "tied"), [(20, 5, 0.9, 1.0), (15, 4, 0.5, 2.0), (30, 6, 0.97, 1.0)])
def test_the_share_of_scenarios_holds_the_truth(n: int, items: int, rate: float, tied: float) -> None:
    bits = np.random.Generator(np.random.PCG64(3))
    found = []
    for _ in range(150):
        rates = bits.beta(rate * tied, (1 - rate) * tied, n)
        outcomes = [Outcome(str(i), bool(bits.random() < rates[i])) for i in range(n) for _ in range(items)]
        found.append(share_of(outcomes, draws=200))

    assert _held(found, rate) >= 0.90


def test_scenarios_that_all_agree_leave_doubt() -> None:
    pairs = [Pair(str(i), False, True) for i in range(12) for _ in range(5)]
    interval = clustered_difference(pairs).interval

    assert (1.0, 1.0, 12) == (interval.estimate, interval.high, interval.n)
    assert 0.5 < interval.low < 0.8  # as twelve items would, not sixty


def test_the_order_of_items_does_not_matter() -> None:
    pairs = _scenarios(np.random.Generator(np.random.PCG64(3)), 10, 4, 0.3, 0.6, 1.0)

    assert clustered_difference(pairs) == clustered_difference(pairs[::-1])


def test_another_seed_moves_the_bounds_a_little() -> None:
    pairs = _scenarios(np.random.Generator(np.random.PCG64(3)), 30, 4, 0.3, 0.6, 1.0)
    one, other = (clustered_difference(pairs, seed=seed).interval for seed in (1, 2))

    assert one.low == pytest.approx(other.low, abs=0.03)
    assert one.estimate == other.estimate


def test_items_that_share_a_scenario_are_not_taken_for_independent() -> None:
    shared = [Pair("a", False, True), Pair("a", False, True), Pair("b", True, True)]
    with pytest.raises(ValueError, match="share a scenario"):
        paired_difference(shared)

    assert difference_of(shared) == clustered_difference(shared)
    assert difference_of(_table(3, 1, 5, 2)) == paired_difference(_table(3, 1, 5, 2))


def test_one_scenario_shows_nothing() -> None:
    with pytest.raises(ValueError, match="at least two scenarios"):
        clustered_difference([Pair("a", False, True)] * 9)
    with pytest.raises(ValueError):
        share_of([Outcome("a", True)] * 9)


def test_no_items_are_refused() -> None:
    for difference in (paired_difference, clustered_difference, difference_of):
        with pytest.raises(ValueError):
            difference([])
    with pytest.raises(ValueError):
        share_of([])


def test_single_items_are_the_plain_interval() -> None:
    assert wilson(2, 3) == share_of([Outcome("a", True), Outcome("b", True), Outcome("c", False)])


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.booleans()), min_size=1, max_size=30))
def test_every_difference_holds_its_estimate(cells: list[tuple[int, bool, bool]]) -> None:
    pairs = [Pair(str(scenario), before, after) for scenario, before, after in cells]
    alone = paired_difference([pair._replace(scenario=str(i)) for i, pair in enumerate(pairs)])
    found = [alone]
    if len({pair.scenario for pair in pairs}) > 1:
        found.append(clustered_difference(pairs, draws=100))
    expected = Fraction(sum(p.after for p in pairs) - sum(p.before for p in pairs), len(pairs))
    for each in found:
        assert float(expected) == pytest.approx(each.interval.estimate)
        assert -1 <= each.interval.low <= each.interval.estimate <= each.interval.high <= 1
        assert each.after - each.before == each.gained - each.lost


def test_a_difference_prints_both_shares() -> None:
    text = str(paired_difference(_table(both=9, lost=1, gained=70, neither=20)))

    assert text.startswith("0.100 -> 0.790, difference 0.690 [0.")
    assert "(n 100, 95% Newcombe paired, method 10), McNemar p " in text
