"""Are the groups clearer than chance? The same votes, dealt again among those who cast them.

Within each statement the votes are shuffled among its voters: who voted on
what, and how many agreed, stay as they are; only what ties a person's votes
together is gone. Whatever groups are still found are what the method finds
where there are none (a permutation test in the sense of Fisher 1935, with few
draws: a hint, not a p-value).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from hashlib import shake_256

import numpy as np

from auzolan.deliberate.grouping import group_opinions, seed_of
from auzolan.deliberate.votes import Packed, VoteTable

DRAWS = 5


def shuffled_silhouettes(table: VoteTable, moderated_out: Collection[int], k: int) -> tuple[float, ...]:
    """Return the silhouettes that `k` groups have in shuffled votes, ascending; draws without such groups are left out.

    Args:
        table: the votes.
        moderated_out: statements that do not count.
        k: how many groups were found in the votes themselves.
    """
    found = []
    for draw in range(DRAWS):
        silhouettes = group_opinions(_shuffled(table, draw), moderated_out).silhouettes
        if k in silhouettes:
            found.append(silhouettes[k] / 1e6)
    return tuple(sorted(found))


def _shuffled(table: VoteTable, draw: int) -> VoteTable:
    """Deal each statement's votes again among its voters; the same way in every run."""
    keys = np.frombuffer(shake_256(seed_of(table) + bytes([draw])).digest(8 * table.n_votes), dtype="<u8")
    statement = table.packed >> 2
    dealt: Packed = np.empty_like(table.packed)
    dealt[np.argsort(statement, kind="stable")] = table.packed[np.lexsort((keys, statement))]
    return replace(table, packed=dealt)
