"""A judge and some labels: what interval they support, and that nothing else passes for adherence."""

from __future__ import annotations

import numpy as np
import pytest

from auzolan.core.evals.calibration import (
    BY_JUDGE,
    BY_PEOPLE,
    BY_PROGRAM,
    FEW_LABELS,
    Adherence,
    Labels,
    calibrated,
    checked,
    judge_quality,
)
from auzolan.core.evals.clusters import Outcome
from auzolan.core.evals.intervals import JudgePassRate, wilson

JUDGED = 1000


def _drawn(
    bits: np.random.Generator, truth: float, sensitivity: float, specificity: float, m: int, by_verdict: bool = False
) -> tuple[JudgePassRate, Labels]:
    met = bits.random(JUDGED) < truth
    passed = np.where(met, bits.random(JUDGED) < sensitivity, bits.random(JUDGED) >= specificity)
    if by_verdict:
        parts = [bits.permutation(np.flatnonzero(passed == side))[: m // 2] for side in (True, False)]
        chosen = np.concatenate(parts)
    else:
        chosen = bits.permutation(JUDGED)[:m]
    counts = [int(((passed[chosen] == p) & (met[chosen] == h)).sum()) for p in (True, False) for h in (True, False)]
    return JudgePassRate(int(passed.sum()), JUDGED), Labels(counts[0], counts[1], counts[2], counts[3], by_verdict)


@pytest.mark.parametrize(
    ("truth", "sensitivity", "specificity", "m", "mean_width"),
    [
        (0.90, 0.90, 0.80, 60, 0.123),
        (0.97, 0.95, 0.80, 60, 0.077),
        (0.70, 0.90, 0.80, 60, 0.170),
        (0.90, 0.90, 0.80, 200, 0.071),
        (0.90, 0.60, 0.50, 60, 0.150),  # a useless judge
    ],
)
def test_the_calibrated_interval_holds_the_truth_where_the_raw_rate_does_not(
    truth: float, sensitivity: float, specificity: float, m: int, mean_width: float
) -> None:
    bits = np.random.Generator(np.random.PCG64(7))
    found = [calibrated(*_drawn(bits, truth, sensitivity, specificity, m)).interval for _ in range(100)]
    held = np.mean([each.low <= truth <= each.high for each in found])

    assert held >= 0.90  # three standard errors below 0.95
    assert mean_width == pytest.approx(np.mean([each.high - each.low for each in found]), rel=0.1)


def test_the_raw_rate_misses_the_truth() -> None:
    bits = np.random.Generator(np.random.PCG64(7))
    rates = [_drawn(bits, 0.9, 0.9, 0.8, 60)[0] for _ in range(100)]
    raw = [wilson(rate.passes, rate.n) for rate in rates]

    assert 0.02 >= np.mean([each.low <= 0.9 <= each.high for each in raw])


def test_labels_drawn_by_verdict_hold_the_truth_too() -> None:
    bits = np.random.Generator(np.random.PCG64(7))
    found = [calibrated(*_drawn(bits, 0.9, 0.9, 0.8, 60, by_verdict=True)).interval for _ in range(100)]

    assert 0.90 <= np.mean([each.low <= 0.9 <= each.high for each in found])


def test_a_good_judge_narrows_what_people_alone_know() -> None:
    adherence = calibrated(JudgePassRate(900, 1000), Labels(54, 0, 0, 6))
    alone = wilson(54, 60)

    assert BY_JUDGE == adherence.basis
    assert 0.7 * (alone.high - alone.low) > adherence.interval.high - adherence.interval.low


def test_the_same_counts_give_the_same_interval() -> None:
    rate, labels = JudgePassRate(830, 1000), Labels(47, 3, 6, 4)

    assert calibrated(rate, labels) == calibrated(rate, labels)
    # Pinned: the draws are numpy's promised bits, put through the inverse distribution function.
    interval = calibrated(rate, labels).interval
    assert (0.8762, 0.7931, 0.9393) == pytest.approx((interval.estimate, interval.low, interval.high), abs=5e-4)


def test_where_people_saw_no_failure_none_is_excluded() -> None:
    assert 1.0 == calibrated(JudgePassRate(990, 1000), Labels(59, 0, 1, 0)).interval.high
    assert 0.0 == calibrated(JudgePassRate(10, 1000), Labels(0, 1, 0, 59)).interval.low


def test_few_labels_count_alone() -> None:
    labels = Labels(10, 2, 1, FEW_LABELS - 14)
    adherence = calibrated(JudgePassRate(700, 1000), labels)

    assert FEW_LABELS - 1 == labels.n
    assert BY_PEOPLE == adherence.basis
    assert wilson(11, labels.n) == adherence.interval


def test_few_labels_drawn_by_verdict_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 20"):
        calibrated(JudgePassRate(700, 1000), Labels(5, 1, 1, 3, by_verdict=True))


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        (Labels(0, 0, 0, 0), "without any human label"),
        (Labels(900, 0, 0, 0), "more labels than verdicts"),
        (Labels(0, 0, 0, 301), "more labels than verdicts"),
        (Labels(30, 5, 0, 0, by_verdict=True), "both of the judge's verdicts"),
    ],
)
def test_labels_that_cannot_be_are_refused(labels: Labels, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        calibrated(JudgePassRate(700, 1000), labels)


def test_negative_labels_are_refused() -> None:
    with pytest.raises(ValueError):
        Labels(3, -1, 0, 0)


def test_a_judges_quality_has_exact_bounds() -> None:
    quality = judge_quality(Labels(45, 1, 5, 9))

    assert quality.sensitivity is not None
    assert quality.specificity is not None
    assert (45 / 50, 50) == (quality.sensitivity.estimate, quality.sensitivity.n)
    assert (9 / 10, 10) == (quality.specificity.estimate, quality.specificity.n)
    assert quality.is_at_least(0.75, 0.5)
    assert not quality.is_at_least(0.75, 0.6)  # nine of ten do not show 0.6


def test_a_judge_that_never_saw_a_failure_is_not_trusted_to_find_one() -> None:
    quality = judge_quality(Labels(40, 0, 2, 0))

    assert quality.specificity is None
    assert not quality.is_at_least(0.0, 0.0)


def test_quality_needs_labels_drawn_at_random() -> None:
    with pytest.raises(ValueError, match="at random"):
        judge_quality(Labels(45, 1, 5, 9, by_verdict=True))


def test_adherence_says_what_it_rests_on() -> None:
    outcomes = [Outcome(str(i), i < 27) for i in range(30)]

    assert "adherence 0.900 [0.744, 0.965] (n 30, 95% Wilson) (checked by a program)" == str(checked(outcomes))
    assert str(calibrated(JudgePassRate(830, 1000), Labels(47, 3, 6, 4))).endswith(
        "(judge, calibrated by people, 60 labels)"
    )


def test_adherence_cannot_rest_on_a_judge_alone() -> None:
    for basis, labelled in ((BY_JUDGE, 0), (BY_PEOPLE, 0), (BY_PROGRAM, 5), ("a judge", 5)):
        with pytest.raises(ValueError):
            Adherence(wilson(83, 100), basis, labelled)


def test_an_interval_across_the_threshold_is_inconclusive() -> None:
    adherence = checked([Outcome(str(i), i < 27) for i in range(30)])

    assert ["meets", "inconclusive", "fails"] == [adherence.verdict(each) for each in (0.7, 0.9, 0.97)]
