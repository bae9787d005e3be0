"""When to ask again: pure arithmetic, no waiting.

Exponential back-off with full jitter (Brooker, "Exponential Backoff And
Jitter", AWS Architecture Blog, 2015), and the server's own `Retry-After`
(RFC 9110, section 10.2.3).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from auzolan.core.record.errors import UsageError

_RETRIED = frozenset({408, 425, 429})


@dataclass(frozen=True)
class Backoff:
    """How often something is tried, and how long is waited in between.

    Attributes:
        tries: in all, the first included.
        first_s: longest wait after the first failure; it doubles with each.
        most_s: no wait is longer.
        patience_s: where the server asks for a longer wait, it is given up instead.
    """

    tries: int = 8
    first_s: float = 0.5
    most_s: float = 60.0
    patience_s: float = 600.0

    def __post_init__(self) -> None:
        if self.tries < 1 or not 0 <= self.first_s <= self.most_s < math.inf:
            raise UsageError("back-off: expected at least one try, and waits that do not shrink")

    def delay_s(self, n_failures: int, draw: Callable[[], float]) -> float:
        """Return how long to wait after so many failures; `draw` gives a number in [0, 1)."""
        longest = min(self.most_s, self.first_s * 2.0 ** min(n_failures - 1, 60))
        return draw() * longest


def is_retried(status: int) -> bool:
    """Say whether a later try may do better than this status."""
    return status in _RETRIED or 500 <= status <= 599


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return how long the server asks to wait, None where it does not say.

    A date is counted from the server's own `Date`, so that our clock does not matter.

    Args:
        headers: their names in lower case.
    """
    wanted = headers.get("retry-after", "").strip()
    try:
        seconds = float(wanted)
    except ValueError:
        seconds = _until(wanted, headers.get("date", ""))
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _until(then: str, now: str) -> float:
    try:
        return (parsedate_to_datetime(then) - parsedate_to_datetime(now)).total_seconds()
    except (ValueError, TypeError, OverflowError):  # no date, or one with and one without a zone
        return math.nan
