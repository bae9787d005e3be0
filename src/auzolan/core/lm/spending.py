"""What was used and what it cost, counted as answers come in.

Counts are the backend's own words: where it does not say how many tokens it
used, that is counted too, and the cost is then a lower bound. Attempts that
failed may have cost something as well; nobody tells us how much.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from auzolan.core.lm.generate import Completion
from auzolan.core.record.errors import UsageError

_MILLION = 1_000_000


@dataclass(frozen=True)
class Usage:
    """What a run used.

    Attributes:
        n_answers: answers, those from an earlier run included.
        n_cached: answers from an earlier run; their tokens are not counted here.
        n_uncounted: answers of this run whose backend did not say how many tokens they took.
        prompt_tokens: tokens read in this run.
        completion_tokens: tokens written in this run.
    """

    n_answers: int = 0
    n_cached: int = 0
    n_uncounted: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def plus(self, completion: Completion) -> Usage:
        """Return the usage with one more answer."""
        if completion.cached:
            return replace(self, n_answers=self.n_answers + 1, n_cached=self.n_cached + 1)
        counts = (completion.prompt_tokens, completion.completion_tokens)
        return Usage(
            n_answers=self.n_answers + 1,
            n_cached=self.n_cached,
            n_uncounted=self.n_uncounted + (None in counts),
            prompt_tokens=self.prompt_tokens + (completion.prompt_tokens or 0),
            completion_tokens=self.completion_tokens + (completion.completion_tokens or 0),
        )


@dataclass(frozen=True)
class Prices:
    """What a server's owner charges.

    Attributes:
        currency: such as "EUR".
        prompt_micros: millionths of the currency for a million tokens read.
        completion_micros: millionths of the currency for a million tokens written.
    """

    currency: str
    prompt_micros: int
    completion_micros: int

    def __post_init__(self) -> None:
        if min(self.prompt_micros, self.completion_micros) < 0:
            raise UsageError("prices: expected none below 0")

    def cost_micros(self, usage: Usage) -> int:
        """Return the cost in millionths of the currency, rounded up."""
        exact = usage.prompt_tokens * self.prompt_micros + usage.completion_tokens * self.completion_micros
        return -(-exact // _MILLION)


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        n_requests: different requests that this run asks.
        usage: so far.
        n_retries: times that something was asked again.
        cost_micros: so far, in millionths of the prices' currency; None without prices.
        notice: what went wrong just now and is tried again; "" where an answer came in.
    """

    n_requests: int
    usage: Usage
    n_retries: int
    cost_micros: int | None
    notice: str = ""


Report: TypeAlias = Callable[[Progress], None]


def keep_quiet(_progress: Progress) -> None:
    """Report nothing."""
