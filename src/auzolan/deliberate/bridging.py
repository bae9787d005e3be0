"""A diagnostic: which statements are liked across the divide, by matrix factorisation.

The model of Community Notes (Wojcik et al. 2022, "Birdwatch", arXiv 2210.15723,
section 4): rating = mean + participant + statement + their product along one
line of disagreement; the statement's intercept is what remains once the divide
is taken out. Different from it: agree is 1 and disagree 0, passes are left out,
and the parameters are found by alternating least squares in closed form, so
that nothing is random.

Never a gate and never signed: a few coordinated ratings can move an intercept,
even one against it can raise it (arXiv 2607.01824).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from auzolan.deliberate.votes import VoteTable

_SWEEPS = 60
_INTERCEPT_PENALTY, _FACTOR_PENALTY = 0.15, 0.03
_FEWEST_VOTES, _FEWEST_VOTERS = 10, 5

Vector = NDArray[np.float64]


class Bridging(NamedTuple):
    """Statement id -> intercept, and statement id -> place on the line of disagreement; only for those rated enough."""

    intercepts: dict[int, float]
    factors: dict[int, float]


def bridging(table: VoteTable) -> Bridging:
    """Return how well each statement does once the main divide is taken out.

    Args:
        table: the votes. Participants with fewer than 10 sided votes and statements with fewer than 5 are left out.
    """
    who = np.repeat(np.arange(len(table.participants)), table.votes_per_participant)
    statement, vote = (table.packed >> 2).astype(np.int64), (table.packed & 3).astype(np.int64) - 1
    sided = vote != 0
    active = np.bincount(who[sided], minlength=len(table.participants)) >= _FEWEST_VOTES
    sided &= active[who]
    rated = np.bincount(statement[sided], minlength=len(table.statements)) >= _FEWEST_VOTERS
    sided &= rated[statement]
    who, statement, rating = who[sided], statement[sided], (vote[sided] > 0).astype(np.float64)
    if not rating.size:
        return Bridging({}, {})
    mean = float(rating.mean())
    people = np.zeros((2, len(table.participants)))
    things = np.zeros((2, len(table.statements)))
    things[1] = _first_guess(statement, rating - mean, len(table.statements))
    for _ in range(_SWEEPS):
        people = _solve(who, rating - mean - things[0][statement], things[1][statement], people.shape[1])
        things = _solve(statement, rating - mean - people[0][who], people[1][who], things.shape[1])
    shown = np.flatnonzero(rated)
    ids = [table.statements[position] for position in shown]
    return Bridging(
        dict(zip(ids, things[0][shown].tolist(), strict=True)), dict(zip(ids, things[1][shown].tolist(), strict=True))
    )


def _first_guess(statement: NDArray[np.int64], rest: Vector, n: int) -> Vector:
    """Start from how far each statement is from the mean, centred, with alternate signs where they are equal."""
    share = np.bincount(statement, rest, n) / np.maximum(np.bincount(statement, minlength=n), 1)
    guess: Vector = share - share.mean() + np.where(np.arange(n) % 2, 0.1, -0.1)
    return guess


def _solve(row: NDArray[np.int64], rest: Vector, other: Vector, n: int) -> Vector:
    """Fit rest = intercept + factor * other within each row, with ridge penalties: (2, rows)."""
    counts = np.bincount(row, minlength=n).astype(np.float64)
    s_x, s_xx = np.bincount(row, other, n), np.bincount(row, other * other, n)
    s_y, s_xy = np.bincount(row, rest, n), np.bincount(row, rest * other, n)
    # Community Notes' loss is a mean over ratings: its penalties weigh as much as they do for a typical row.
    a, b = counts + _INTERCEPT_PENALTY * np.maximum(counts, 1), s_xx + _FACTOR_PENALTY * np.maximum(counts, 1)
    determinant = a * b - s_x * s_x
    return np.stack([(b * s_y - s_x * s_xy) / determinant, (a * s_xy - s_x * s_y) / determinant])
