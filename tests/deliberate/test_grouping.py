"""Opinion groups: published ones are reached, and nothing but the votes decides."""

from __future__ import annotations

from collections.abc import Callable
from math import comb
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from auzolan.core.record.errors import UsageError
from auzolan.deliberate import grouping as module
from auzolan.deliberate.grouping import MAX_GROUPS, Grouping, group_opinions
from auzolan.deliberate.sources.polis import read_polis
from auzolan.deliberate.votes import NO_GROUP, Labels, VoteTable
from tests.deliberate.tables import Vote, name, planted, table, table_of, tables
from tests.shared_data import shared_folder

# Folders whose published groups an independent recomputation reached, and the number of groups to ask for.
REACHABLE = [
    ("canadian-electoral-reform", None),
    ("scoop-hivemind.taxes", None),
    ("austria-climate.5twd2jsnkf.2022-08-08", None),
    ("austria-climate.2vkxcncppn.2022-07-07", None),
    ("ssis.land-bank-farmland.2rumnecbeh.2021-08-01", 2),
]
SEEDS = [bytes(32), b"\x01" * 32, b"\xa5" * 32]


def adjusted_rand_index(one: Labels, other: Labels) -> float:
    """Compare two groupings of those who are in a group in both (Hubert & Arabie 1985)."""
    both = (one >= 0) & (other >= 0)
    cells = np.zeros((int(one.max()) + 1, int(other.max()) + 1), dtype=np.int64)
    np.add.at(cells, (one[both], other[both]), 1)

    def pairs(sizes: NDArray[Any]) -> int:
        return sum(comb(int(size), 2) for size in sizes.ravel())

    same, rows, columns = pairs(cells), pairs(cells.sum(axis=1)), pairs(cells.sum(axis=0))
    by_chance = rows * columns / comb(int(both.sum()), 2)
    return (same - by_chance) / ((rows + columns) / 2 - by_chance)


def _groups(made: VoteTable, found: Grouping) -> dict[str, int]:
    return dict(zip(made.participants, found.labels.tolist(), strict=True))


# What was published


@pytest.mark.parametrize(("folder", "k"), REACHABLE)
def test_published_groups_are_reached(folder: str, k: int | None) -> None:
    read = read_polis(shared_folder(f"polis/{folder}"), lambda raw: f"p-{raw}")
    published = read.table.labels(read.published_groups)
    found = group_opinions(read.table, read.left_out_of_statistics, k=k)

    assert len(read.published_groups) == found.n_groups
    assert 0.9 <= adjusted_rand_index(published, found.labels)


# What is planted


@pytest.mark.parametrize("seed", SEEDS, ids=["a", "b", "c"])
@pytest.mark.parametrize("sizes", [[40, 20], [60, 30, 20], [300, 200, 100]])
def test_planted_groups_are_found(sizes: list[int], seed: bytes) -> None:
    made = planted(sizes, 60, chance=3)
    found = group_opinions(made.table, seed=seed)

    assert len(sizes) == found.n_groups
    assert 0.95 <= adjusted_rand_index(made.labels, found.labels)


def test_with_more_people_than_cells_groups_are_those_of_the_people_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    made = planted([300, 200], 40, chance=1)
    exactly = group_opinions(made.table)
    monkeypatch.setattr(module, "_CELLS", 20)
    roughly = group_opinions(made.table)

    assert 0.99 <= adjusted_rand_index(exactly.labels, roughly.labels)


# Only the votes decide


def _case() -> dict[int, dict[int, int]]:
    made = planted([25, 15], 20, chance=5).table
    return dict(enumerate(made.to_ballots().values()))


@given(st.permutations(range(40)))
def test_names_decide_nothing(names: list[int]) -> None:
    ballots = _case()
    made = table(ballots)
    renamed = table({names[who]: of for who, of in ballots.items()})
    plain, other = group_opinions(made), group_opinions(renamed)

    assert plain.silhouettes == other.silhouettes
    assert [_groups(made, plain)[name(who)] for who in ballots] == [
        _groups(renamed, other)[name(names[who])] for who in ballots
    ]


def test_the_order_of_rows_decides_nothing() -> None:
    cast = [Vote(who, s, vote) for who, of in _case().items() for s, vote in of.items()]
    one, other = group_opinions(table_of(cast)), group_opinions(table_of(cast[::-1]))

    assert one.labels.tolist() == other.labels.tolist()
    assert one.places.tolist() == other.places.tolist()


def test_the_seed_decides_hardly_anything() -> None:
    made = planted([120, 60, 50], 30, chance=2, firmness=0.7).table
    found = [group_opinions(made, seed=seed) for seed in SEEDS]

    assert len({each.n_groups for each in found}) == 1
    assert all(0.95 <= adjusted_rand_index(found[0].labels, each.labels) for each in found)


def test_agreeing_and_disagreeing_are_mirror_images() -> None:
    ballots = _case()
    made = table(ballots)
    turned = table({who: {s: -vote for s, vote in of.items()} for who, of in ballots.items()})

    assert 0.95 <= adjusted_rand_index(group_opinions(made).labels, group_opinions(turned).labels)


def test_statements_moderated_out_do_not_count() -> None:
    made = planted([25, 15], 20, chance=5)
    noisy = {who: of | {100: 1 if who % 2 else -1, 101: 1 if who % 2 else -1} for who, of in _case().items()}

    assert 0.95 <= adjusted_rand_index(made.labels, group_opinions(table(noisy), {100, 101}).labels)


# What holds of every grouping


def _checked(made: VoteTable, found: Grouping) -> None:
    sizes = np.bincount(found.labels[found.labels >= 0], minlength=found.n_groups).tolist()

    assert (len(made.participants),) == found.labels.shape
    assert (len(made.participants), 2) == found.places.shape
    assert np.int16 == found.labels.dtype
    assert sizes == found.sizes == sorted(sizes, reverse=True)
    assert found.n_groups == len(sizes)
    assert found.n_groups == 0 or (2 <= found.n_groups <= MAX_GROUPS and found.n_groups in found.silhouettes)
    assert all(size >= 2 for size in sizes)
    assert 2**14 >= np.abs(found.places).max(initial=0)
    assert all(-1_000_000 <= value <= 1_000_000 for value in found.silhouettes.values())


@given(tables(max_people=30, max_statements=8))
def test_every_group_has_two_people_or_more_and_the_largest_is_first(made: VoteTable) -> None:
    _checked(made, group_opinions(made))


@given(tables(max_people=30, max_statements=8), st.integers(2, MAX_GROUPS))
def test_as_many_groups_as_are_asked_for_or_an_error(made: VoteTable, k: int) -> None:
    try:
        found = group_opinions(made, k=k)
    except UsageError as error:
        assert f"cannot be divided into {k} groups of at least two people" in str(error)  # noqa: PT017
        return

    _checked(made, found)
    assert k == found.n_groups
    assert [k] == list(found.silhouettes)


@pytest.mark.parametrize("k", [-1, 0, 1, 6, 10**9])
def test_a_number_of_groups_out_of_bounds_is_refused(k: int) -> None:
    with pytest.raises(UsageError, match="expected 2 to 5 groups"):
        group_opinions(planted([20, 20], 10).table, k=k)


def test_people_with_few_votes_are_in_no_group() -> None:
    ballots = {who: {s: (1 if who < 15 else -1) * (-1) ** (s % 3) for s in range(10)} for who in range(30)}
    ballots[30], ballots[31] = {0: 1}, dict.fromkeys(range(6), 1)
    found = group_opinions(table(ballots))

    assert [NO_GROUP, NO_GROUP] == found.labels[30:].tolist()
    assert [[0, 0], [0, 0]] == found.places[30:].tolist()
    assert bool((found.labels[:30] >= 0).all())


def test_where_few_have_enough_votes_the_most_active_are_grouped_and_their_equals() -> None:
    lengths = [9] * 5 + [5] * 8 + [4] * 4 + [2] * 4
    ballots = {who: {s: (-1) ** (who + s) for s in range(n)} for who, n in enumerate(lengths)}
    found = group_opinions(table(ballots))

    assert [True] * 17 + [False] * 4 == (found.labels >= 0).tolist()


@pytest.mark.parametrize(
    "ballots",
    [
        {},
        {0: {0: 1}},
        {0: {0: 1, 1: -1, 2: 0}},
        {who: {0: (-1) ** who} for who in range(40)},
        {0: dict.fromkeys(range(9), 1)},
        {who: dict.fromkeys(range(9), 1) for who in range(40)},
        {who: dict.fromkeys(range(9), 0) for who in range(40)},
        {0: {0: 1, 1: 1}, 1: {0: -1, 1: 1}},
    ],
    ids=["nobody", "one vote", "one person", "one statement", "one of many", "all alike", "all pass", "two people"],
)
def test_where_there_is_nothing_to_divide_there_are_no_groups(ballots: dict[int, dict[int, int]]) -> None:
    made = table(ballots, [50, 51] if not ballots else ())
    found = group_opinions(made)

    _checked(made, found)
    assert (0, [], {}) == (found.n_groups, found.sizes, found.silhouettes)
    assert {NO_GROUP} >= set(found.labels.tolist())
    with pytest.raises(UsageError, match="cannot be divided into 2 groups"):
        group_opinions(made, k=2)


def test_all_statements_moderated_out_leave_no_groups() -> None:
    made = planted([20, 20], 10).table

    assert 0 == group_opinions(made, frozenset(made.statements)).n_groups


def test_more_than_16384_statements_are_grouped() -> None:
    ballots = {who: {s * 1000: (-1) ** (who + s) for s in range(20)} for who in range(30)}
    found = group_opinions(table(ballots, range(20_000)))

    assert [15, 15] == found.sizes


def test_two_camps_are_two_groups_however_lopsided() -> None:
    ballots = {who: {s: (1 if who < 90 else -1) * (-1) ** s for s in range(10)} for who in range(92)}
    found = group_opinions(table(ballots))

    assert [90, 2] == found.sizes
    assert 1_000_000 == found.silhouettes[2]


# The parts, against the plainest way


def _plain_silhouette(distances: NDArray[Any], labels: NDArray[Any], k: int) -> float:
    scores = []
    for i in range(len(labels)):
        own = [j for j in range(len(labels)) if labels[j] == labels[i] and j != i]
        if not own:
            scores.append(0.0)
            continue
        a = np.mean(distances[i, own])
        b = min(np.mean(distances[i, labels == c]) for c in range(k) if c != labels[i])
        scores.append((b - a) / max(a, b) if max(a, b) else 0.0)
    return float(np.mean(scores))


@pytest.mark.parametrize("chance", range(5))
def test_silhouettes_are_those_of_rousseeuw(chance: int) -> None:
    rng = np.random.default_rng(chance)
    points = rng.integers(-(2**14), 2**14, (30, 2))
    labels = np.append([0, 1, 2], rng.integers(0, 3, 27))
    euclid = np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=2))
    got = module._silhouette(module._distances(points), np.ones(30, dtype=np.int64), labels, 3)

    assert pytest.approx(_plain_silhouette(euclid, labels, 3), abs=2e-5) == got / 1_000_000


def test_a_point_of_several_people_weighs_as_they_do() -> None:
    points, weights = np.array([[0, 0], [30, 40], [6000, 8000]]), np.array([3, 1, 2])
    labels = np.array([0, 0, 1])
    people = np.repeat(np.arange(3), weights)
    distances = module._distances(points[people])
    expected = _plain_silhouette(distances / 16, labels[people], 2)
    got = module._silhouette(module._distances(points), weights, labels, 2)

    assert pytest.approx(expected, abs=2e-5) == got / 1_000_000


def test_k_means_ends_where_every_centre_is_the_mean_of_its_points() -> None:
    rng = np.random.default_rng(7)
    points = rng.integers(-(2**14), 2**14, (200, 2))
    weights = rng.integers(1, 5, 200)
    starts = points[rng.choice(200, (4, 3))]
    inertia, centres, labels = module._k_means(points, weights, starts)

    for start in range(4):
        squares = ((points[:, None] - centres[start][None]) ** 2).sum(axis=2)
        assert squares.argmin(axis=1).tolist() == labels[start].tolist()
        assert int((squares.min(axis=1) * weights).sum()) == int(inertia[start])
        for cluster in range(3):
            members = labels[start] == cluster
            mean = np.average(points[members], axis=0, weights=weights[members])
            assert np.abs(mean - centres[start][cluster]).max() <= 0.5


Step = Callable[[NDArray[np.int64]], NDArray[np.int64]]


@pytest.mark.parametrize("turn", [lambda p: p, lambda p: p[::-1]], ids=["as is", "reversed"])
def test_neighbours_are_gathered_without_losing_anybody(turn: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CELLS", 10)
    places = turn(np.random.default_rng(0).integers(-(2**14), 2**14 + 1, (500, 2)))
    points, weights, cell_of = module._cells(places)

    assert len(points) <= 10
    assert 500 == int(weights.sum())
    for cell in range(len(points)):
        mean = places[cell_of == cell].mean(axis=0)
        assert np.abs(points[cell] - mean).max() <= 0.5
