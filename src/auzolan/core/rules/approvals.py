"""Who approves what, laid out for counting: by candidate and by voter.

Candidates are numbered in the order in which ties are decided. What a voter has
not seen counts as not approved; nothing is ever filled in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Approvals:
    """A profile of approvals.

    Attributes:
        n_voters: how many voters there are, those who approve of nothing too.
        starts: (candidates + 1,) int64; the voters of candidate c are voters[starts[c]:starts[c + 1]].
        voters: (approvals,) int32, ascending within a candidate.
    """

    n_voters: int
    starts: NDArray[np.int64]
    voters: NDArray[np.int32]

    @property
    def n_candidates(self) -> int:
        """How many candidates there are."""
        return len(self.starts) - 1

    def supporters(self, candidate: int) -> NDArray[np.int32]:
        """Return the voters who approve of a candidate, ascending."""
        return self.voters[self.starts[candidate] : self.starts[candidate + 1]]

    @cached_property
    def support(self) -> NDArray[np.int64]:
        """(candidates,) int64, how many approve of each."""
        return np.diff(self.starts)

    def approved_among(self, winners: Sequence[int]) -> NDArray[np.int64]:
        """Return how many of `winners` each voter approves of: (voters,) int64."""
        counts = np.zeros(self.n_voters, dtype=np.int64)
        for winner in winners:
            counts[self.supporters(winner)] += 1
        return counts


def approvals_of(n_voters: int, ballots: Sequence[Sequence[int]], n_candidates: int) -> Approvals:
    """Lay out ballots given as lists of candidates; for small profiles.

    Raises:
        ValueError: a ballot names a candidate that is not there, or more ballots than voters.
    """
    if len(ballots) > n_voters or any(not 0 <= c < n_candidates for ballot in ballots for c in ballot):
        raise ValueError("expected at most one ballot per voter, of known candidates")
    sets: list[list[int]] = [[] for _ in range(n_candidates)]
    for voter, ballot in enumerate(ballots):
        for candidate in sorted(set(ballot)):
            sets[candidate].append(voter)
    starts = np.append(0, np.cumsum([len(each) for each in sets])).astype(np.int64)
    return Approvals(n_voters, starts, np.array([voter for each in sets for voter in each], dtype=np.int32))
