"""Synthetic conversations with three known groups, for bench/opinion.py. Needs numpy, imports nothing of auzolan.

Run as `.venv/bin/python -m bench.conversations SIZE FILE`: writes the packed
votes and the group that each participant was drawn from. Both sides read this
file, so both are given the same votes and neither is timed while making them.

Participation is heavy-tailed (log-normal), some statements are seen more than
others, 12 % of the votes are passes, and on three statements of five the
groups differ. Nothing here is taken from real people.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SEED = 20261120
GROUP_SHARES = (0.5, 0.3, 0.2)
PASS_SHARE = 0.12
DIVISIVE_SHARE = 0.6
PARTICIPATION_SIGMA = 1.1  # of the logarithm of how many votes a participant casts
EXPOSURE_SIGMA = 0.4  # of the logarithm of how often a statement is shown
_WHOLE = 2**16  # probabilities are thresholds for a uint16
_CELLS = 2**24  # participants times statements drawn at a time; 2 bytes each


class Size(NamedTuple):
    """How large a conversation is; `votes` is the mean that is drawn for, per participant."""

    participants: int
    statements: int
    votes: float


SIZES = {
    "30": Size(30, 12, 14),  # more than there are: most people vote on most statements
    "tiny": Size(600, 60, 20),
    "10k": Size(10_000, 500, 68),
    "100k": Size(100_000, 1_000, 48),
    "1M": Size(1_000_000, 2_000, 39),
}


class Conversation(NamedTuple):
    """Packed votes and the truth behind them.

    Attributes:
        n_statements: statements are numbered from 0.
        starts: (participants + 1,) int64; participant i's votes are packed[starts[i]:starts[i + 1]].
        packed: (votes,) uint16, statement * 4 + vote + 1, with agree 1, pass 0, disagree -1.
        latent: (participants,) int16, the group each was drawn from.
    """

    n_statements: int
    starts: NDArray[np.int64]
    packed: NDArray[np.uint16]
    latent: NDArray[np.int16]


def generate(size: Size, seed: int = SEED) -> Conversation:
    """Draw a conversation; the same size and seed give the same one."""
    source = np.random.default_rng([seed, *map(int, size)])
    n, m = size.participants, size.statements
    latent = source.choice(len(GROUP_SHARES), size=n, p=GROUP_SHARES).astype(np.int16)
    sees, opinion = _exposure(source, size), _opinion(source, m)
    starts, parts = np.zeros(n + 1, dtype=np.int64), []
    step = max(_CELLS // m, 1)
    for first in range(0, n, step):
        chunk = slice(first, min(first + step, n))
        draws = source.integers(0, _WHOLE, size=(chunk.stop - first, m), dtype=np.uint16)
        seen = draws < np.minimum(sees[chunk, None] * opinion.exposure, _WHOLE - 1).astype(np.uint16)
        seen[~seen.any(axis=1), first % m] = True  # everybody here has cast a vote
        who, statement = np.nonzero(seen)
        starts[first + 1 : chunk.stop + 1] = np.bincount(who, minlength=chunk.stop - first)
        draw = source.integers(0, _WHOLE, size=who.size, dtype=np.uint16)
        likely = opinion.below[latent[chunk][who], statement]
        code = np.where(draw < opinion.passes, 1, np.where(draw < likely, 2, 0))
        parts.append((statement * 4 + code).astype(np.uint16))
    return Conversation(m, np.cumsum(starts), np.concatenate(parts), latent)


class _Opinion(NamedTuple):
    passes: int
    below: NDArray[np.uint16]  # (groups, statements); a draw below it and not below `passes` agrees
    exposure: NDArray[np.float32]  # (statements,) mean 1


def _opinion(source: np.random.Generator, m: int) -> _Opinion:
    """Draw how often each group agrees with each statement, and how often it is shown."""
    groups = len(GROUP_SHARES)
    common = np.repeat(source.beta(2.5, 1.5, size=(1, m)), groups, axis=0)
    apart = source.beta(0.9, 0.9, size=(groups, m))
    share = np.where(source.random(m) < DIVISIVE_SHARE, apart, common)
    passes = round(PASS_SHARE * _WHOLE)
    exposure = source.lognormal(0, EXPOSURE_SIGMA, size=m)
    below = np.round(passes + (_WHOLE - 1 - passes) * share).astype(np.uint16)
    return _Opinion(passes, below, (exposure / exposure.mean()).astype(np.float32))


def _exposure(source: np.random.Generator, size: Size) -> NDArray[np.float32]:
    """Draw each participant's chance to see a statement of mean exposure, in parts of 2**16."""
    activity = source.lognormal(0, PARTICIPATION_SIGMA, size=size.participants)
    votes = np.clip(activity / activity.mean() * size.votes, 3, size.statements)
    chances: NDArray[np.float32] = (votes / size.statements * _WHOLE).astype(np.float32)
    return chances


def save(conversation: Conversation, place: Path) -> None:
    """Write a conversation."""
    with place.open("wb") as file:
        np.savez(file, **conversation._asdict())


def load(place: Path) -> Conversation:
    """Read what `save` wrote."""
    with np.load(place) as file:
        arrays = {name: file[name] for name in Conversation._fields}
    return Conversation(int(arrays.pop("n_statements")), **arrays)


def adjusted_rand_index(one: NDArray[np.integer], other: NDArray[np.integer]) -> float:
    """Return how far two groupings of the same participants agree: 1 the same, 0 as by chance.

    Hubert & Arabie 1985. Labels are numbers from 0; whoever has none is left out by the caller.
    """
    table = np.bincount(one.astype(np.int64) * (int(other.max()) + 1) + other)
    width = int(other.max()) + 1
    cells = np.pad(table, (0, -table.size % width)).reshape(-1, width).astype(np.float64)

    def pairs(counts: NDArray[np.float64]) -> float:
        return float((counts * (counts - 1) / 2).sum())

    together, rows, columns = pairs(cells), pairs(cells.sum(axis=1)), pairs(cells.sum(axis=0))
    expected = rows * columns / pairs(cells.sum(keepdims=True))
    return (together - expected) / ((rows + columns) / 2 - expected)


def main() -> None:
    """Write one conversation and say how large it is."""
    name, place = sys.argv[1:]
    conversation = generate(SIZES[name])
    save(conversation, Path(place))
    votes = np.diff(conversation.starts)
    passes = np.count_nonzero((conversation.packed & 3) == 1) / conversation.packed.size
    print(
        f'{{"votes": {conversation.packed.size}, "median": {int(np.median(votes))}, "most": {int(votes.max())}, '
        f'"seven": {int(np.count_nonzero(votes >= 7))}, "passes": {passes:.4f}}}'
    )


if __name__ == "__main__":
    main()
