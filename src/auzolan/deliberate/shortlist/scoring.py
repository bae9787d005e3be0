"""What counts can say of a proposal, and the order in which the proposals of a group take its places.

The order, each rule only where those before it are equal:

1. those for and against: the lower 5 % quantile of the posterior under the Beta prior that all candidates together
   suggest (`counts_only`), in whole millionths; a proposal that nobody was asked about stands where the prior puts it;
2. supports: with one number of participants for all, Wilson's lower bound has the same order, so that it is told and
   not needed;
3. comments;
4. a lot drawn in the open: SHA-256 of the seed, a line feed and the key. Nobody picks, and anybody can draw it again:
   `printf '%s\\n%s' SEED KEY | sha256sum`, the smallest first.

Hidden supports are no supports: `choosing` never compares them with others'.
Does not say: who is behind the counts, or whether anybody was counted once.
"""

from __future__ import annotations

from array import array
from hashlib import sha256

import numpy as np
import scipy.special

from auzolan.core.record.errors import UsageError
from auzolan.deliberate.bounds import PPM
from auzolan.deliberate.counts_only import JEFFREYS, TAIL, Prior, beta_prior, wilson
from auzolan.deliberate.decidim.entities import Key
from auzolan.deliberate.shortlist.candidates import Candidate

# Stands in signed shortlists, which `trace` compares with what comes out again: never reworded.
ORDER = (
    "votes for and against, then supports, then comments, then the lot: SHA-256 of the seed, a line feed and the key"
)


class Evidence:
    """Collects the counts of all candidates, then says what those of one can say.

    Attributes:
        n: how many candidates.
        n_hidden: of how many neither supports nor votes are told.
        most: supports of one.
    """

    def __init__(self) -> None:
        self.n = 0
        self.n_hidden = 0
        self.most = 0
        self._for, self._asked = array("q"), array("q")
        self._lower: dict[tuple[int, int], int] | None = None

    def add(self, candidate: Candidate) -> None:
        """Count a candidate in."""
        self.n += 1
        self.n_hidden += candidate.is_hidden
        self.most = max(self.most, candidate.supports or 0)
        if candidate.votes and candidate.votes.agree + candidate.votes.disagree:
            self._for.append(candidate.votes.agree)
            self._asked.append(candidate.votes.agree + candidate.votes.disagree)

    @property
    def has_votes(self) -> bool:
        """Whether anybody was for or against any."""
        return len(self._for) > 0

    @property
    def prior(self) -> Prior:
        """What all candidates together suggest; Jeffreys' where nobody was for or against any."""
        k, n = (np.array(each, dtype=np.int64) for each in (self._for, self._asked))
        return beta_prior(k, n) if len(n) else JEFFREYS

    def lower_ppm(self, candidate: Candidate) -> int:
        """Return the lower quantile of the share that is for it, in millionths."""
        if self._lower is None:
            self._lower = self._quantiles()
        votes = candidate.votes
        return self._lower[(votes.agree, votes.agree + votes.disagree) if votes else (0, 0)]

    def _quantiles(self) -> dict[tuple[int, int], int]:
        pairs = sorted({(0, 0), *zip(self._for, self._asked, strict=True)})
        k, n = (np.array(each, dtype=np.int64) for each in zip(*pairs, strict=True))
        prior = self.prior
        found = scipy.special.betaincinv(prior.alpha + k, prior.beta + (n - k), TAIL)
        return {pair: round(float(each) * PPM) for pair, each in zip(pairs, found, strict=True)}


def rank_of(candidate: Candidate, evidence: Evidence) -> tuple[int, int, int]:
    """Return where a candidate stands before any lot; the smallest is first."""
    supports = -1 if candidate.supports is None else candidate.supports
    comments = -1 if candidate.n_comments is None else candidate.n_comments
    return -evidence.lower_ppm(candidate), -supports, -comments


def lot(key: Key, seed: str) -> str:
    """Return the lot of a proposal; the smallest is first."""
    return sha256(f"{seed}\n{key}".encode()).hexdigest()


def share_of_participants(supports: int, participants: int) -> tuple[float, float]:
    """Return Wilson's 90 % interval of the share that supports.

    Raises:
        UsageError: there are no participants, or fewer than supports.
    """
    if not max(supports, 1) <= participants:
        raise UsageError(f"a proposal has {supports:,} supports, more than the {participants:,} participants")
    low, high = wilson(np.array([supports], dtype=np.int64), np.array([participants], dtype=np.int64))
    return float(low[0]), float(high[0])
