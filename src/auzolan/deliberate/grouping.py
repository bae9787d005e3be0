"""Opinion groups: people who vote alike, found the same way on every machine.

Follows the plan of Polis (Small et al. 2021, "Polis: Scaling Deliberation by
Mapping High Dimensional Opinion Spaces", section 3): principal components,
k-means for several k, the k with the best silhouette. Different from Polis, on
purpose: nothing depends on the order of votes, on what the groups were
yesterday or on chance. Participants stand on an integer plane (`plane`), ties
are decided by coordinates, starts are drawn from the counts themselves (not
from a record's id, which holds random salts and could be made again until the
groups suit), everybody with enough votes is in, and with very many people the search for k and for starts
runs on up to 1,024 cells of neighbours.

Labels are stored and signed; a verifier reads them and counts. That somebody
who groups again may find slightly different groups is a limit of all such
methods, so what a community decides by must not hang on one grouping.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256, shake_256
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from auzolan.core.record.errors import UsageError
from auzolan.deliberate.plane import opinion_plane
from auzolan.deliberate.votes import NO_GROUP, Labels, VoteTable

METHOD = "auzolan-groups-1"
MAX_GROUPS = 5
_ENOUGH_VOTES = 7  # as Polis; fewer where there are fewer statements
_FEWEST = 15  # people who are grouped where only few have enough votes, as Polis
_CELLS = 1024
_STARTS = 32
_ROUNDS = 100

Points = NDArray[np.int64]  # (points, 2)
Weights = NDArray[np.int64]  # (points,)


@dataclass(frozen=True, eq=False)
class Grouping:
    """A grouping derived from votes.

    Attributes:
        labels: (participants,) int16, group of each from 0, largest group first; `NO_GROUP` for those with few votes.
        n_groups: how many; 0 when there are too few people or all vote alike.
        silhouettes: k -> mean silhouette in millionths, for every k that was tried and had no group of one.
        places: (participants, 2) int64 on the opinion plane; zero for those with few votes.
    """

    labels: Labels
    n_groups: int
    silhouettes: dict[int, int]
    places: Points

    @property
    def sizes(self) -> list[int]:
        """Participants per group."""
        sizes: list[int] = np.bincount(self.labels[self.labels >= 0], minlength=self.n_groups).tolist()
        return sizes


def seed_of(table: VoteTable) -> bytes:
    """Return 32 bytes that follow from what was voted alone: SHA-256 of the statements' ids and their counts."""
    ids = ",".join(map(str, table.statements)).encode()
    return sha256(ids + b"\n" + table.totals().astype("<i8").tobytes()).digest()


def group_name(number: int) -> str:
    """Return the letter of a group, A for the largest; after Z come AA, AB and so on."""
    letter = chr(ord("A") + number % 26)
    return letter if number < 26 else group_name(number // 26 - 1) + letter


def group_opinions(
    table: VoteTable, moderated_out: Collection[int] = frozenset(), seed: bytes | None = None, k: int | None = None
) -> Grouping:
    """Find opinion groups.

    Args:
        table: the votes.
        moderated_out: statements that do not count.
        seed: 32 bytes to draw starts from; by default those of `seed_of`, so that nobody chooses them.
        k: number of groups, or None to take the one with the best silhouette (ties: the fewest groups).

    Raises:
        UsageError: `k` is not between 2 and `MAX_GROUPS`, or cannot be had.
    """
    if k is not None and not 2 <= k <= MAX_GROUPS:
        raise UsageError(f"expected 2 to {MAX_GROUPS} groups, got {k}")
    seed = seed_of(table) if seed is None else seed
    enough = _has_enough_votes(table)
    grouped = np.flatnonzero(enough)
    placed = opinion_plane(table, enough, moderated_out, seed)
    places = np.zeros((len(table.participants), 2), dtype=np.int64)
    places[grouped] = placed
    points, weights, cell_of = _cells(placed)
    found: dict[int, _Clusters] = {}
    for each in range(2, min(MAX_GROUPS, 2 + grouped.size // 12) + 1) if k is None else (k,):
        if len(points) >= each and (best := _best_clusters(points, weights, each, seed)):
            found[each] = best
    distances = _distances(points) if found else np.zeros((0, 0), dtype=np.int64)
    silhouettes = {each: _silhouette(distances, weights, best.labels, each) for each, best in found.items()}
    labels = np.full(len(table.participants), NO_GROUP, dtype=np.int16)
    if not found:
        if k is not None:
            raise UsageError(f"these votes cannot be divided into {k} groups of at least two people")
        return Grouping(labels, 0, {}, places)
    chosen = max(found, key=lambda each: (silhouettes[each], -each))
    labels[grouped] = _settled(placed, found[chosen], cell_of)
    return Grouping(labels, chosen, silhouettes, places)


def _has_enough_votes(table: VoteTable) -> NDArray[np.bool_]:
    """Return who is grouped: all with enough votes; where they are few, the most active too, and their equals."""
    votes = table.votes_per_participant
    enough: NDArray[np.bool_] = votes >= min(_ENOUGH_VOTES, len(table.statements))
    if int(enough.sum()) < _FEWEST and len(votes):
        least = np.sort(votes)[::-1][min(_FEWEST, len(votes)) - 1]
        enough = votes >= least
    return enough


def _cells(places: Points) -> tuple[Points, Weights, NDArray[np.int64]]:
    """Gather neighbours: (points, how many people each stands for, point of each person), at most `_CELLS` points."""
    step = 0
    while True:
        keys = (places[:, 0] >> step) * 2**20 + (places[:, 1] >> step)
        _, cell_of, weights = np.unique(keys, return_inverse=True, return_counts=True)
        if weights.size <= _CELLS:
            break
        step += 1
    sums = np.stack([np.bincount(cell_of, places[:, axis], weights.size) for axis in (0, 1)], axis=1)
    return _rounded_mean(sums.astype(np.int64), weights), weights.astype(np.int64), cell_of


def _rounded_mean(sums: Points, counts: Weights) -> Points:
    """Divide, halves up."""
    means: Points = (2 * sums + counts[:, None]) // (2 * counts[:, None])
    return means


class _Clusters(NamedTuple):
    """Result of one k-means: centres in the order of their coordinates, and the label of each point."""

    centres: Points
    labels: NDArray[np.int64]


def _best_clusters(points: Points, weights: Weights, k: int, seed: bytes) -> _Clusters | None:
    """Return the tightest of `_STARTS` k-means, ties by coordinates; None if each leaves somebody alone."""
    starts = [
        _first_centres(points, weights, k, shake_256(seed + bytes([k, start])).digest(8 * k))
        for start in range(_STARTS)
    ]
    inertias, centres, labels = _k_means(points, weights, np.array(starts))
    order = sorted(range(_STARTS), key=lambda start: (int(inertias[start]), centres[start].tolist()))
    for start in order:
        if np.bincount(labels[start], weights, k).min() >= 2:
            return _Clusters(centres[start], labels[start])
    return None


def _first_centres(points: Points, weights: Weights, k: int, chance: bytes) -> Points:
    """Choose k points, each likelier the farther it is from those before (k-means++, Arthur & Vassilvitskii 2007)."""
    mass = weights
    centres: list[Points] = []
    nearest = np.full(len(points), 2**62, dtype=np.int64)
    for number in range(k):
        mass_below = np.cumsum(mass)
        draw = int.from_bytes(chance[8 * number : 8 * number + 8], "big") % max(int(mass_below[-1]), 1)
        centre = points[min(int(np.searchsorted(mass_below, draw, side="right")), len(points) - 1)]
        centres.append(centre)
        nearest = np.minimum(nearest, ((points - centre) ** 2).sum(axis=1))
        mass = nearest * weights
    return np.array(centres)


def _k_means(
    points: Points, weights: Weights, centres: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Run Lloyd's algorithm in integers from several starts at once; a cluster that runs empty keeps its centre.

    Args:
        points, weights: what is to be clustered.
        centres: (starts, k, 2) int64.

    Returns:
        Per start the weighted sum of squared distances, the centres in the order
        of their coordinates, and labels: (starts,), (starts, k, 2), (starts, points).
    """
    n_starts, k, _ = centres.shape
    cell = np.arange(n_starts)[:, None] * k
    weighted = [np.broadcast_to(part, (n_starts, len(points))).ravel() for part in (weights, *(points.T * weights))]
    labels = np.full((n_starts, len(points)), -1, dtype=np.int64)
    for _ in range(_ROUNDS):
        centres = _in_order(centres)
        before, (labels, _) = labels, _nearest(points, centres)
        if np.array_equal(before, labels):
            break
        # Sums of integers below 2**53, so exact in doubles.
        counts, *sums = (np.bincount((cell + labels).ravel(), part, n_starts * k).astype(np.int64) for part in weighted)
        means = _rounded_mean(np.stack(sums, axis=1), np.maximum(counts, 1)).reshape(n_starts, k, 2)
        centres = np.where(counts.reshape(n_starts, k, 1) > 0, means, centres)
    centres = _in_order(centres)
    labels, smallest = _nearest(points, centres)
    return (smallest * weights).sum(axis=1), centres, labels


def _in_order(centres: NDArray[np.int64]) -> NDArray[np.int64]:
    order = np.argsort(centres[:, :, 0] * 2**20 + centres[:, :, 1], axis=1, kind="stable")
    ordered: NDArray[np.int64] = np.take_along_axis(centres, order[:, :, None], axis=1)
    return ordered


def _nearest(points: Points, centres: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return per start the nearest centre of each point, the first of equals, and its squared distance."""
    labels = np.zeros((len(centres), len(points)), dtype=np.int64)
    smallest = np.full(labels.shape, 2**62, dtype=np.int64)
    for number in range(centres.shape[1]):
        x = points[None, :, 0] - centres[:, number, 0, None]
        y = points[None, :, 1] - centres[:, number, 1, None]
        squares = x * x + y * y
        closer = squares < smallest
        labels[closer] = number
        np.minimum(smallest, squares, out=smallest)
    return labels, smallest


def _distances(points: Points) -> NDArray[np.int64]:
    """Return all distances between points, floored to a sixteenth: (points, points)."""
    squares = _squared_all(points[:, 0]) + _squared_all(points[:, 1])
    sixteenths: NDArray[np.int64] = np.floor(np.sqrt(squares * 256.0)).astype(np.int64)
    return sixteenths


def _squared_all(values: NDArray[np.int64]) -> NDArray[np.int64]:
    difference = values[:, None] - values[None, :]
    squares: NDArray[np.int64] = difference * difference
    return squares


def _silhouette(distances: NDArray[np.int64], weights: Weights, labels: NDArray[np.int64], k: int) -> int:
    """Return the mean silhouette over people (Rousseeuw 1987), in millionths, floored.

    People of one cell count as standing on one spot.
    """
    order = np.argsort(labels, kind="stable")
    first = np.searchsorted(labels[order], np.arange(k))
    sums = np.add.reduceat((distances * weights[None, :])[:, order], first, axis=1)  # (points, k)
    sizes = np.add.reduceat(weights[order], first)
    rows = np.arange(len(labels))
    own = sums[rows, labels] * 1000 // np.maximum(sizes[labels] - 1, 1)
    others = sums * 1000 // sizes[None, :]
    others[rows, labels] = 2**62
    nearest = others.min(axis=1)
    larger = np.maximum(np.maximum(own, nearest), 1)
    scores = np.where(sizes[labels] > 1, (nearest - own) * 1_000_000 // larger, 0)
    return int((scores * weights).sum()) // int(weights.sum())


def _settled(places: Points, clusters: _Clusters, cell_of: NDArray[np.int64]) -> Labels:
    """Return each person's group, the largest first: k-means goes on from the cells to the people themselves."""
    k = len(clusters.centres)
    labels = _k_means(places, np.ones(len(places), dtype=np.int64), clusters.centres[None])[2][0]
    if np.bincount(labels, minlength=k).min() < 2:
        labels = clusters.labels[cell_of]
    sizes = np.bincount(labels, minlength=k)
    rank = np.empty(k, dtype=np.int16)
    rank[sorted(range(k), key=lambda number: (-sizes[number], number))] = np.arange(k)
    ranked: Labels = rank[labels]
    return ranked
