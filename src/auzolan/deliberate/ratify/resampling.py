"""How firmly a statement stands: in how many of 100 resamples it would keep its support, and nobody be against it.

The bootstrap over participants (Efron 1979, "Bootstrap methods: another look at
the jackknife"), without its noise: drawing people again, with replacement,
gives a statement's (agree, other votes, unseen) counts an exact multinomial
distribution, so shares of resamples are computed and not simulated. How many
of the resampled voted is binomial; given that, how many of them agree is too,
and every condition here comes down to a least number of them. For support all
participants are drawn; for what groups say, the members of each, apart, with
groups held fixed, so that their shares multiply.

What differs: where very many people voted, every few terms of the sum are taken,
which changes it by less than one in 100. Groups that share people, as a
district and an opinion group do, are drawn apart all the same.

What it does not show: doubt about the groups themselves, who did not come at
all, votes that were not meant or not one person's, and other wording. People
are drawn as if they had come independently of each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import scipy.special
from numpy.typing import NDArray

from auzolan.deliberate.ratify.eligibility import GroupCounts
from auzolan.deliberate.ratify.parameters import Parameters

Array = NDArray[np.int64]
Shares = NDArray[np.float64]
Least = Callable[[Array], Array]  # of so many who count -> the fewest who make the condition hold; more never undo it

_JEFFREYS = 0.05  # the tail that the lower bound of support cuts
_HALF_PPM, _PPM = 500_000, 1_000_000
_SPREAD, _SKEW = 4.5, 8  # standard deviations, and people beside them, beyond which tails are left out
_TERMS = 64  # of a sum that is not taken whole
_ROWS = 2**12  # statements of groups worked on at a time, so that memory stays small
_TIE = 1e-12  # far more than the error of the incomplete beta function, far less than any difference that is none


def holds_of_100(totals: Array, n_participants: int, by: Parameters, grade: str = "A") -> Array:
    """Return in how many of 100 resamples of all participants each statement is supported.

    Args:
        totals: (statements, 3) agree, disagree, pass.
        n_participants: how many took part, so how many are drawn.
        by: the community's parameters.
        grade: of the evidence; "B" where people only approve.

    Returns:
        (statements,) int64, 0 to 100.
    """
    agree, disagree, aside = np.asarray(totals, dtype=np.int64).T
    none = np.zeros_like(agree)
    rule: Least = _everybody
    if grade == "B":
        counted, beside = agree, none
    elif by.is_small:
        counted, beside = agree + disagree, aside
        rule = _everybody if by.small_rule == "consent" else _supermajority(by)
    else:
        counted, beside, rule = agree + disagree + aside, none, _least_supported(by.support_ppm)
    quorum = by.quorum(n_participants)
    return _of_100(share_of_resamples(n_participants, counted, agree, beside, quorum, _somebody_and(rule)))


def unopposed_of_100(groups: Sequence[GroupCounts], n_statements: int, by: Parameters) -> Array:
    """Return in how many of 100 resamples no group is against each statement.

    Args:
        groups: those that are large enough for what they say to count.
        n_statements: how many statements there are.
        by: the community's parameters.

    Returns:
        (statements,) int64, 0 to 100.
    """
    together = np.ones(n_statements)
    asked = [each for each in groups if n_statements and (by.group_rule != "none" or each.may_block)]
    if not asked:
        return _of_100(together)
    counts = np.concatenate([np.asarray(each.counts, dtype=np.int64) for each in asked])
    sizes = np.repeat(np.array([each.size for each in asked], dtype=np.int64), n_statements)
    apart = np.empty(len(counts))
    for first in range(0, len(counts), _ROWS):
        part = slice(first, first + _ROWS)
        apart[part] = _not_against(counts[part], sizes[part], by)
    for of_group in apart.reshape(len(asked), n_statements):
        together *= of_group
    return _of_100(together)


def share_of_resamples(
    size: int | Array, counted: Array, agreeing: Array, aside: Array, quorum: int, least: Least
) -> Shares:
    """Return the share of resamples in which enough people voted and enough of those who count agree.

    Args:
        size: how many are drawn, with replacement, from as many: of all, or (statements,).
        counted: (statements,) how many of them have a vote that counts for the condition.
        agreeing: (statements,) how many of these agree.
        aside: (statements,) how many more voted, which counts for the quorum alone.
        quorum: how many must have voted.
        least: the condition.

    Returns:
        (statements,) float64, 0 to 1.
    """
    sizes = np.broadcast_to(np.asarray(size, dtype=np.int64), counted.shape)
    if bool(((agreeing < 0) | (aside < 0) | (agreeing > counted) | (counted + aside > sizes)).any()):
        raise ValueError("expected at most as many who agree as count, and at most all of the people with a vote")
    low, high, step = _terms(sizes, counted, aside, quorum)
    lengths = np.maximum((high - low) // step + 1, 0)
    row = np.repeat(np.arange(len(counted)), lengths)
    n = low[row] + step[row] * (np.arange(len(row)) - (np.cumsum(lengths) - lengths)[row])
    weights = _chance_of(n, sizes[row], (counted / np.maximum(sizes, 1))[row])
    distinct, back = np.unique(n, return_inverse=True)
    holds = _reaches(least(distinct)[back], n, (agreeing / np.maximum(counted, 1))[row])
    rest = sizes - counted
    if bool(aside.any()):
        holds *= _reaches(quorum - n, sizes[row] - n, (aside / np.maximum(rest, 1))[row])
    summed = np.bincount(row, weights * holds, len(counted))
    total = np.bincount(row, weights, len(counted))
    # Without anybody aside the sum begins at the quorum, and is of the resamples that reach it.
    among = np.where(aside > 0, 1.0, _reaches(np.full_like(sizes, quorum), sizes, counted / np.maximum(sizes, 1)))
    share: Shares = np.clip(among * summed / np.where(total > 0, total, 1.0), 0.0, 1.0)
    return share


def _terms(sizes: Array, counted: Array, aside: Array, quorum: int) -> tuple[Array, Array, Array]:
    """Return the first and the last term of each sum over how many count, and the step between terms."""
    spread = np.sqrt(counted * np.maximum(1 - counted / np.maximum(sizes, 1), 0.0)) * _SPREAD + _SKEW
    low = np.maximum(np.floor(counted - spread).astype(np.int64), 0)
    high = np.minimum(np.ceil(counted + spread).astype(np.int64), sizes)
    # An odd step, because only an even number of people can be divided in halves.
    step = (high - low) // _TERMS | 1
    return np.where(aside > 0, low, np.maximum(low, quorum)), high, step


def _chance_of(n: Array, sizes: Array, share: Shares) -> Shares:
    """Return how likely it is that `n` of `sizes` are drawn of those who have this share."""
    ways = scipy.special.gammaln(sizes + 1) - scipy.special.gammaln(n + 1) - scipy.special.gammaln(sizes - n + 1)
    chance: Shares = np.exp(ways + scipy.special.xlogy(n, share) + scipy.special.xlog1py(sizes - n, -share))
    return chance


def _reaches(least: Array, n: Array, share: Shares) -> Shares:
    """Return how likely it is that at least `least` of `n` are drawn of those who have this share."""
    k = np.clip(least, 1, np.maximum(n, 1))
    within = scipy.special.betainc(k, n - k + 1, share)
    chance: Shares = np.where(least <= 0, 1.0, np.where(least > n, 0.0, within))
    return chance


def _not_against(counts: Array, sizes: Array, by: Parameters) -> Shares:
    """Return the share of resamples of each group in which it is not against each statement."""
    agree, disagree, aside = counts.T
    held: Shares = np.ones(len(counts))
    if by.group_rule == "half":
        votes, none = agree + disagree + aside, np.zeros_like(agree)
        half = share_of_resamples(sizes, votes, agree, none, 1, _least_supported(_HALF_PPM))
        held = np.minimum(half + (1 - votes / np.maximum(sizes, 1)) ** sizes, 1.0)
        if by.contest_ppm > _JEFFREYS * _PPM:
            return held  # where half agree, allowing for chance, disagreement outweighs less surely than that
    contests = _least_sure_in(0.5, 1 - by.contest_ppm / _PPM)
    # Of two conditions, the lesser share is at least that of both together; only for a `contest_ppm` so small.
    return np.minimum(
        held, 1 - share_of_resamples(sizes, agree + disagree, disagree, aside, by.contest_votes, contests)
    )


def _everybody(n: Array) -> Array:
    return n


def _supermajority(by: Parameters) -> Least:
    share = by.supermajority
    return lambda n: -(-n * share.numerator // share.denominator)


def _least_supported(support_ppm: int) -> Least:
    """Return the condition that the Jeffreys lower bound of the share that agrees is at least so much."""
    if support_ppm <= 0:
        return np.zeros_like
    return _somebody_and(_least_sure_in(support_ppm / _PPM, _JEFFREYS))  # of nobody the bound is 0


def _somebody_and(least: Least) -> Least:
    return lambda n: np.maximum(least(n), 1)


def _least_sure_in(share: float, tail: float) -> Least:
    return lambda n: _least_sure(n, share, tail)


def _least_sure(n: Array, share: float, tail: float) -> Array:
    """Return the fewest k of n with P(p < share) <= tail for p ~ Beta(k + 1/2, n - k + 1/2); n + 1 where none is.

    Cornish & Fisher's expansion (1938) of a quantile is nearly always right, or next to it; the incomplete beta
    function decides.
    """
    if tail <= 0 or share >= 1:
        return n + 1
    if tail >= 1:
        return np.zeros_like(n)

    def is_sure(k: Array, at: NDArray[np.intp]) -> NDArray[np.bool_]:
        among = n[at]
        asked = np.clip(k, 0, among)
        sure = scipy.special.betainc(asked + 0.5, among - asked + 0.5, share) <= tail + _TIE
        found: NDArray[np.bool_] = (k > among) | ((k >= 0) & sure)
        return found

    z = -float(scipy.special.ndtri(tail))
    guess = n * share + z * np.sqrt(n * share * (1 - share)) + (1 - 2 * share) * (z * z - 1) / 6
    return _first(np.clip(np.ceil(guess), 0, n + 1).astype(np.int64), n + 1, is_sure)


def _first(guess: Array, top: Array, holds: Callable[[Array, NDArray[np.intp]], NDArray[np.bool_]]) -> Array:
    """Return the least numbers for which a condition holds that larger ones never undo.

    Args:
        guess: 0 to `top`, the closer, the quicker.
        top: for which it holds; it does not for -1.
        holds: of numbers, and of the positions that they are for.
    """
    high, low = guess.copy(), guess - 1
    open_, step = np.arange(len(guess)), 1
    while (open_ := open_[holds(low[open_], open_)]).size:  # the guess was too high
        high[open_], low[open_] = low[open_], np.maximum(low[open_] - step, -1)
        step *= 2
    open_, step = np.flatnonzero(high == guess), 1
    while (open_ := open_[~holds(high[open_], open_)]).size:  # it was too low
        low[open_], high[open_] = high[open_], np.minimum(high[open_] + step, top[open_])
        step *= 2
    while (open_ := np.flatnonzero(high - low > 1)).size:
        middle = (low[open_] + high[open_]) // 2
        yes = holds(middle, open_)
        high[open_[yes]], low[open_[~yes]] = middle[yes], middle[~yes]
    return high


def _of_100(shares: Shares) -> Array:
    """Round to whole hundredths; the nudge keeps shares such as 1/8 off the edge, on every machine."""
    found: Array = np.floor(shares * 100 + 0.5 + 1e-9).astype(np.int64)
    return found
