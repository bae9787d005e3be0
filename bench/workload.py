"""What both sides are given: the same synthetic entries, leaves and sizes. Standard library only."""

from __future__ import annotations

import random
from typing import NamedTuple

SEED = 20261120
BATCH = 256
CHECKED_SIZES = (1, 2, 3, 7, 255, 256, 257, 1000, 4096)


class Size(NamedTuple):
    """How much is done in one round."""

    entries: int
    proofs: int
    cold_proofs: int
    tile_entries: int
    durable_batches: int
    durable_singles: int


FULL = Size(100_000, 20_000, 300, 20_000, 40, 300)
TINY = Size(2_000, 200, 20, 600, 2, 10)


def entries(n: int, width: int) -> list[bytes]:
    """Return `n` pseudo-random entries of `width` bytes, the same ones every time."""
    source = random.Random(f"{SEED} entries {width}")
    return [source.randbytes(width) for _ in range(n)]


def indexes(n: int, below: int) -> list[int]:
    """Return `n` pseudo-random leaf indexes in [0, below)."""
    source = random.Random(f"{SEED} indexes")
    return [source.randrange(below) for _ in range(n)]


def batches(items: list[bytes], width: int = BATCH) -> list[list[bytes]]:
    """Return `items` in runs of `width`."""
    return [items[start : start + width] for start in range(0, len(items), width)]
