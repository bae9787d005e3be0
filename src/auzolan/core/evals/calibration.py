"""Adherence from a judge and a few people: the judge's verdicts, corrected by human labels on some of them.

With pi the share that the judge passes, PPV the share of those that people pass too, and FOR the share that people
pass of those that the judge fails: adherence = pi * PPV + (1 - pi) * FOR (post-stratification by the judge's verdict;
Cochran 1977, "Sampling Techniques", section 5A.9). Each of the three gets a Jeffreys posterior; `DRAWS` draws with a
fixed seed give the interval. A useless judge makes it as wide as the labels alone would; a good one narrows it.

The labelled items must be drawn at random, either from all that were judged, or from each of the judge's verdicts
apart (which needs fewer labels). Whoever labels must not see the judge's verdict. Neither can be checked here.

Not covered: doubt about the labels themselves, items that share a scenario, and a judge that knows the model.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.special
from numpy.typing import NDArray

from auzolan.core.evals.clusters import Outcome, share_of
from auzolan.core.evals.intervals import CONFIDENCE, Interval, JudgePassRate, clopper_pearson, wilson

DRAWS = 2_000
SEED = 20_261_120
BY_PROGRAM, BY_JUDGE, BY_PEOPLE = "checked by a program", "judge, calibrated by people", "people alone"
FEW_LABELS = 20  # below: people alone. With fewer, pi and PPV lean on the prior more than on anybody's word.


@dataclass(frozen=True)
class Labels:
    """What people said of judged items.

    Attributes:
        passed_met, passed_failed: items that the judge passed, as people see them.
        failed_met, failed_failed: items that the judge failed, as people see them.
        by_verdict: whether a number was drawn from each of the judge's verdicts apart, and not from all at random.
    """

    passed_met: int
    passed_failed: int
    failed_met: int
    failed_failed: int
    by_verdict: bool = False

    def __post_init__(self) -> None:
        if any(isinstance(c, bool) or not isinstance(c, int) or c < 0 for c in self._counts):
            raise ValueError("labels are counts, 0 or more")

    @property
    def _counts(self) -> tuple[int, int, int, int]:
        return self.passed_met, self.passed_failed, self.failed_met, self.failed_failed

    @property
    def n(self) -> int:
        """How many items people labelled."""
        return sum(self._counts)

    @property
    def met(self) -> int:
        """How many of them people passed."""
        return self.passed_met + self.failed_met

    @property
    def agreed(self) -> int:
        """How many of them people and the judge saw alike. High by chance alone where nearly all are met."""
        return self.passed_met + self.failed_failed


@dataclass(frozen=True)
class JudgeQuality:
    """How far a judge can be trusted, on labels drawn at random.

    Attributes:
        sensitivity: of what people pass, the share that it passes; None where people passed nothing.
        specificity: of what people fail, the share that it fails; None where people failed nothing.
    """

    sensitivity: Interval | None
    specificity: Interval | None

    def is_at_least(self, sensitivity: float, specificity: float) -> bool:
        """Say whether even the lower bounds reach this. Not known counts as no."""
        if self.sensitivity is None or self.specificity is None:
            return False
        return self.sensitivity.low >= sensitivity and self.specificity.low >= specificity


def judge_quality(labels: Labels, confidence: float = CONFIDENCE) -> JudgeQuality:
    """Return the judge's sensitivity and specificity with exact bounds (Clopper-Pearson).

    Raises:
        ValueError: the labels were drawn by verdict: then their shares are the sampler's choice, not the judge's.
    """
    if labels.by_verdict:
        raise ValueError("sensitivity and specificity need labels that were drawn at random from all judged items")
    met, failed = labels.met, labels.n - labels.met
    return JudgeQuality(
        clopper_pearson(labels.passed_met, met, confidence) if met else None,
        clopper_pearson(labels.failed_failed, failed, confidence) if failed else None,
    )


@dataclass(frozen=True)
class Adherence:
    """A share of answers that follow an article, and what says so.

    Made by `checked` or `calibrated`; neither makes one from a judge's verdicts alone.

    Attributes:
        interval: the estimate and its bounds.
        basis: `BY_PROGRAM`, `BY_JUDGE` or `BY_PEOPLE`.
        n_labelled: how many labels of people it rests on; 0 where a program checked.
    """

    interval: Interval
    basis: str
    n_labelled: int

    def __post_init__(self) -> None:
        if self.basis not in (BY_PROGRAM, BY_JUDGE, BY_PEOPLE) or (self.n_labelled > 0) == (self.basis == BY_PROGRAM):
            raise ValueError("adherence rests on a program, or on labels of people")

    def __str__(self) -> str:
        labels = f", {self.n_labelled} labels" if self.n_labelled else ""
        return f"adherence {self.interval} ({self.basis}{labels})"

    def verdict(self, threshold: float) -> str:
        """Return "meets", "fails" or "inconclusive"; an interval across the threshold never counts as met."""
        if self.interval.low >= threshold:
            return "meets"
        return "fails" if self.interval.high < threshold else "inconclusive"


def checked(outcomes: Sequence[Outcome], confidence: float = CONFIDENCE) -> Adherence:
    """Return the adherence of answers that a program checked one by one."""
    return Adherence(share_of(outcomes, confidence), BY_PROGRAM, 0)


def calibrated(rate: JudgePassRate, labels: Labels, confidence: float = CONFIDENCE) -> Adherence:
    """Return the adherence that a judge's verdicts and some human labels support.

    With fewer than `FEW_LABELS` labels, people alone count (Wilson).

    Raises:
        ValueError: more labels than verdicts; no labels; or too few, drawn by verdict, so that people alone say
            nothing about all items.
    """
    passed = labels.passed_met + labels.passed_failed
    failed = labels.n - passed
    if passed > rate.passes or failed > rate.n - rate.passes:
        raise ValueError("more labels than verdicts of the judge")
    if not labels.n:
        raise ValueError("without any human label, a judge's verdicts say nothing about adherence")
    unseen = (rate.passes and not passed) or (rate.n - rate.passes and not failed)
    if labels.by_verdict and unseen:
        raise ValueError("labels drawn by verdict must include both of the judge's verdicts")
    if labels.n < FEW_LABELS:
        if labels.by_verdict:
            raise ValueError(f"labels drawn by verdict need at least {FEW_LABELS}, got {labels.n}")
        return Adherence(wilson(labels.met, labels.n, confidence), BY_PEOPLE, labels.n)
    draws = _draws(rate, labels)
    tail = (1 - confidence) / 2
    low, middle, high = (float(value) for value in np.quantile(draws, [tail, 0.5, 1 - tail]))
    # As Jeffreys' own interval does: where people saw no failure, none is excluded; where they saw nothing met, none.
    low, high = (0.0 if labels.met == 0 else low), (1.0 if labels.met == labels.n else high)
    method = "post-stratified Jeffreys"
    return Adherence(Interval(rate.n, middle, low, high, confidence, method), BY_JUDGE, labels.n)


def _draws(rate: JudgePassRate, labels: Labels) -> NDArray[np.float64]:
    """Return draws from the posterior of adherence.

    By inverting the distribution function at fixed uniform numbers: numpy promises the bits of a generator for ever,
    but not the way in which it makes beta variates of them.
    """
    uniform = _uniform()
    share = _beta(rate.passes, rate.n, uniform[0])
    right = _beta(labels.passed_met, labels.passed_met + labels.passed_failed, uniform[1])
    missed = _beta(labels.failed_met, labels.failed_met + labels.failed_failed, uniform[2])
    return share * right + (1 - share) * missed


@functools.cache
def _uniform() -> NDArray[np.float64]:
    return np.random.Generator(np.random.PCG64(SEED)).random((3, DRAWS))


def _beta(k: int, n: int, uniform: NDArray[np.float64]) -> NDArray[np.float64]:
    values: NDArray[np.float64] = scipy.special.betaincinv(k + 0.5, n - k + 0.5, uniform)
    return values
