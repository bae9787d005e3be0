"""Ballots that are exactly the same: a hint at one person with many accounts, never a proof.

Counts participants who voted on the same statements in the same way. Those who
voted on everything are left out: where all answer the same short list, equal
answers are common. Nothing is removed for it; people who agreed to vote alike
look the same.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import NamedTuple

from auzolan.deliberate.votes import VoteTable

LEAST_VOTES = 3
LEAST_PEOPLE = 5


class Alike(NamedTuple):
    """How many people cast how many ballots that others cast too, and how many cast the most common one."""

    people: int
    ballots: int
    most: int


def alike_ballots(table: VoteTable, min_cell: int = 1) -> Alike:
    """Count ballots of `LEAST_VOTES` votes or more that `LEAST_PEOPLE` people or more cast alike.

    Args:
        table: the votes.
        min_cell: fewest people that may be told of.
    """
    packed, width = memoryview(table.packed.tobytes()), table.packed.itemsize
    bounds = (table.starts * width).tolist()
    least, most = LEAST_VOTES * width, len(table.statements) * width
    ballots = Counter(bytes(packed[start:end]) for start, end in pairwise(bounds) if least <= end - start < most)
    shared = [people for people in ballots.values() if people >= max(LEAST_PEOPLE, min_cell)]
    return Alike(sum(shared), len(shared), max(shared, default=0))
