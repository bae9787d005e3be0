"""How firmly a majority stands in every group: would it, had other people of the same groups come?

The bootstrap over participants with groups held fixed (Efron 1979), without its
noise: drawing a group's members again, with replacement, gives a statement's
(agree, other votes, unseen) counts an exact multinomial distribution, so the
share of resamples in which at least half of those who saw the statement agree
is computed and not simulated (in very large groups every few terms of the sum,
which changes it by less than 0.001). Groups are drawn independently, so their shares
multiply.

Not here: doubt about the groups themselves (they are held fixed), and who did
not come at all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import scipy.special

_SPREAD, _SKEW = 9, 40  # standard deviations, and people beside them, beyond which tails are left out


def majority_stability(successes: Sequence[int], seen: Sequence[int], sizes: Sequence[int]) -> float:
    """Return the share of resamples in which, in every group, at least half of those who saw a statement agree.

    Args:
        successes: per group, how many agree (or disagree, to ask about that).
        seen: per group, how many have seen the statement; passes count.
        sizes: per group, how many people it has; positive.

    Returns:
        0 to 1; resamples in which nobody of a group has seen it do not count as a majority.
    """
    return math.prod(_of_group(*each) for each in zip(successes, seen, sizes, strict=True))


def _of_group(successes: int, seen: int, size: int) -> float:
    """Sum over how many of the resampled have seen it: S ~ Bin(size, seen/size), agreeing ~ Bin(S, successes/seen)."""
    if not 0 <= successes <= seen <= size:
        raise ValueError("expected at most as many who agree as have seen it, and these at most all of the group")
    if not seen:
        return 0.0
    mean = float(seen)
    spread = math.sqrt(mean * max(1 - seen / size, 0.0)) * _SPREAD + _SKEW
    low, high = max(1, math.floor(mean - spread)), min(size, math.ceil(mean + spread))
    # A smooth sum: where it is long, every few hundredth of a standard deviation is enough. By an odd step, because
    # only an even number of people can be divided in halves.
    n = np.arange(low, high + 1, (high - low) // 4000 | 1)
    share = seen / size
    logarithm = scipy.special.gammaln(size + 1) - scipy.special.gammaln(n + 1) - scipy.special.gammaln(size - n + 1)
    weights = np.exp(logarithm + scipy.special.xlogy(n, share) + scipy.special.xlog1py(size - n, -share))
    least = (n + 1) // 2
    majority = scipy.special.betainc(least, n - least + 1, successes / seen)  # Bin(n, p) reaches `least`
    total = float(weights.sum()) or 1.0
    absent = (1 - seen / size) ** size
    return float((weights * majority).sum()) / total * (1 - absent)
