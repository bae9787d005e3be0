"""Chooses the proposals that are put to everybody: places by quota, and in each group the first by the order.

Deterministic whatever the order in which candidates come. They are read twice (to count the groups, then to choose),
so that a million fit in the memory of a few: only as many are kept as there are places.

Groups inside groups (by "origin,taxonomy"): places are first shared out to the outer groups, then those of each to
its inner ones. So meetings have what is due to them whatever the topics. The least goes for the outer groups only:
one place for every topic of every origin would be most of the list, whatever their size. What the topics have over all
origins together is near their due and not held to it (Balinski & Demange 1989 would hold both).
Where a group holds proposals with supports and others whose supports are hidden, these two share its places by their
number, so that a hidden count is compared with none.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from auzolan.core.kinds.proposals import Quota, Shortlist
from auzolan.core.record.errors import UsageError, VerificationError
from auzolan.deliberate.shortlist.candidates import BETWEEN as BETWEEN
from auzolan.deliberate.shortlist.candidates import HIDDEN as HIDDEN
from auzolan.deliberate.shortlist.candidates import By, Candidate
from auzolan.deliberate.shortlist.quotas import Places, check_places, share_out
from auzolan.deliberate.shortlist.scoring import ORDER, Evidence, lot, rank_of, share_of_participants

# Stands in signed shortlists, as `scoring.ORDER`: never reworded.
SHARES = "Webster/Sainte-Laguë by number of proposals, at least {least} each while places suffice"
Path = tuple[str, ...]


class Chosen(NamedTuple):
    """A proposal that has a place.

    Attributes:
        candidate: the proposal.
        quota: name of the group whose place it has.
        share: Wilson's 90 % interval of its supports among all participants; None where one of the two is not known.
    """

    candidate: Candidate
    quota: str
    share: tuple[float, float] | None


class Shared(NamedTuple):
    """How places were shared out once: to the outer groups, or within one of them.

    Attributes:
        within: the group whose places these are; empty for all.
        sizes: group -> its number of proposals.
        places: how many there were.
        found: what each group got, and the certificate.
    """

    within: Path
    sizes: Mapping[str, int]
    places: int
    found: Places


@dataclass(frozen=True)
class Choice:
    """Which proposals are put to everybody.

    Attributes:
        by: what quotas are by.
        seed: of the lots.
        least: places for each group, while they suffice.
        quotas: every group, also those without a place, by name.
        chosen: in the order in which places were given, so that the first 30 of 40 are the 30 of 30.
        n_candidates: how many there were.
        n_hidden: of how many the source tells neither supports nor votes.
        has_votes: whether anybody was asked who is for and who against.
        shared: how places were shared out, the outer groups first; `check_choice` checks it.
    """

    by: By
    seed: str
    least: int
    quotas: tuple[Quota, ...]
    chosen: tuple[Chosen, ...]
    n_candidates: int
    n_hidden: int
    has_votes: bool
    shared: tuple[Shared, ...]

    @property
    def method(self) -> dict[str, str]:
        """How they were chosen, as `Shortlist.method` has it, but for the language in which groups are named."""
        shares = SHARES.format(least=self.least)
        return {"by": self.by, "least": str(self.least), "order": ORDER, "seed": self.seed, "shares": shares}

    def quota_of(self, candidate: Candidate) -> Quota:
        """Return the group in which a candidate competed."""
        hidden = _name((*candidate.groups, HIDDEN))
        is_apart = candidate.is_hidden and hidden in self._named
        return self._named[hidden if is_apart else _name(candidate.groups)]

    @cached_property
    def _named(self) -> dict[str, Quota]:
        return {each.name: each for each in self.quotas}


def choose(
    candidates: Iterable[Candidate],
    places: int,
    by: By,
    seed: str,
    least: int = 1,
    participants: int | None = None,
) -> Choice:
    """Choose the proposals that are put to everybody.

    Args:
        candidates: all of them, in any order; something that can be read twice, such as a list.
        places: how many statements, 1 to 500.
        by: what their groups are.
        seed: a text for the lots, told to everybody before; never empty.
        least: places for each group, while they suffice.
        participants: how many could support, if that is known.

    Raises:
        UsageError: there are no candidates; a number is out of bounds; or there are more supports than participants.
    """
    assert not isinstance(candidates, Iterator), "candidates are read twice"
    if not 1 <= places <= Shortlist.MAX_STATEMENTS or not seed.strip():
        raise UsageError(f"expected 1 to {Shortlist.MAX_STATEMENTS} statements and a seed, got {places:,} and {seed!r}")
    evidence, counts = _counted(candidates)
    if not evidence.n:
        raise UsageError("there is no proposal to choose from; withdrawn ones and amendments do not count")
    if participants is not None:
        share_of_participants(evidence.most, participants)
    sizes, is_split = _split(counts)
    shared: list[Shared] = []
    sequence = _sequence((), sizes, places, least, shared)
    places_of = Counter(sequence)
    best = _best(candidates, places_of, is_split, evidence, seed)
    taken = {path: iter(best[path]) for path in best}
    chosen = []
    for path in sequence:
        candidate = next(taken[path])
        known = participants is not None and candidate.supports is not None
        share = share_of_participants(candidate.supports or 0, participants or 0) if known else None
        chosen.append(Chosen(candidate, _name(path), share))
    quotas = tuple(sorted((Quota(_name(path), sizes[path], places_of[path]) for path in sizes), key=lambda q: q.name))
    return Choice(
        by, seed, least, quotas, tuple(chosen), evidence.n, evidence.n_hidden, evidence.has_votes, tuple(shared)
    )


def check_choice(choice: Choice) -> None:
    """Check that places are shared out as the rule says, at every level, and that each is taken once.

    Checks: `check_places` for each level; that each level shares what the one above gave it, by the number of its
    proposals, and with the least that was told; that the quotas say the same; that as many are chosen, none twice.
    Does not check: which proposals of a group were chosen; for that, choose again.

    Raises:
        VerificationError: a check failed.
    """
    given: dict[Path, tuple[int, int]] = {(): (choice.n_candidates, len(choice.chosen))}
    for within, sizes, places, found in choice.shared:
        check_places(sizes, places, found)
        if found.least != (0 if within else choice.least):
            raise VerificationError(f"the least within “{_name(within)}” is not what was told")
        if given.pop(within, None) != (sum(sizes.values()), sum(found.of.values())):
            raise VerificationError(f"the places within “{_name(within)}” are not those that it was given")
        given |= {(*within, name): (size, found.of[name]) for name, size in sizes.items()}
    told = sorted((each.name, each.proposals, each.places) for each in choice.quotas)
    taken = Counter(each.quota for each in choice.chosen)
    if told != sorted((_name(path), *of) for path, of in given.items()) or any(
        taken[each.name] != each.places for each in choice.quotas
    ):
        raise VerificationError("the quotas do not say how places were shared out and taken")
    if len({each.candidate.key for each in choice.chosen}) < len(choice.chosen):
        raise VerificationError("a proposal was chosen twice")


def _name(path: Path) -> str:
    return BETWEEN.join(filter(None, path))


def _counted(candidates: Iterable[Candidate]) -> tuple[Evidence, Counter[tuple[Path, bool]]]:
    evidence, counts = Evidence(), Counter[tuple[Path, bool]]()
    for each in candidates:
        evidence.add(each)
        counts[each.groups, each.is_hidden] += 1
    return evidence, counts


def _split(counts: Mapping[tuple[Path, bool], int]) -> tuple[dict[Path, int], frozenset[Path]]:
    """Return the size of each group, those whose supports are hidden apart where a group has both; and which have."""
    both = frozenset(path for path, hidden in counts if hidden and (path, False) in counts)
    sizes = {_path(path, hidden, both): count for (path, hidden), count in counts.items()}
    return sizes, both


def _path(path: Path, is_hidden: bool, both: frozenset[Path]) -> Path:
    return (*path, HIDDEN if is_hidden else "") if path in both else path


def _sequence(within: Path, sizes: Mapping[Path, int], places: int, least: int, shared: list[Shared]) -> list[Path]:
    """Return the group of each place, as they are given: first to the outer groups, then within each."""
    inner: dict[str, dict[Path, int]] = {}
    for path, size in sizes.items():
        inner.setdefault(path[0], {})[path[1:]] = size
    sums = {name: sum(parts.values()) for name, parts in inner.items()}
    found = share_out(sums, places, least)
    shared.append(Shared(within, sums, places, found))
    turns: dict[str, Iterator[Path]] = {}
    for name in sorted(inner):
        parts, has = inner[name], found.of[name]
        own = [()] * has if list(parts) == [()] else _sequence((*within, name), parts, has, 0, shared)
        turns[name] = iter(own)
    return [(name, *next(turns[name])) for name in found.sequence]


@dataclass(frozen=True, slots=True, eq=False)
class _Last:
    """A candidate in a heap in which the last by the order is on top."""

    at: tuple[tuple[int, int, int], str, str]
    candidate: Candidate

    def __lt__(self, other: _Last) -> bool:
        return self.at > other.at  # heapq puts the smallest on top


def _best(
    candidates: Iterable[Candidate],
    places: Mapping[Path, int],
    both: frozenset[Path],
    evidence: Evidence,
    seed: str,
) -> dict[Path, list[Candidate]]:
    """Return the first candidates of each group that has places, in order."""
    heaps: dict[Path, list[_Last]] = {path: [] for path in places}
    for each in candidates:
        path = _path(each.groups, each.is_hidden, both)
        heap = heaps.get(path)
        if heap is None:
            continue
        rank = rank_of(each, evidence)
        if len(heap) == places[path] and rank > heap[0].at[0]:
            continue
        found = _Last((rank, lot(each.key, seed), str(each.key)), each)
        if len(heap) < places[path]:
            heapq.heappush(heap, found)
        else:
            heapq.heappushpop(heap, found)
    return {path: [each.candidate for each in sorted(heap, reverse=True)] for path, heap in heaps.items()}
