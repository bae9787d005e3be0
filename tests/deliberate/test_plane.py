"""The opinion plane, against a dense singular value decomposition."""

from __future__ import annotations

import ast
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from numpy.typing import NDArray

from auzolan.deliberate import plane as module
from auzolan.deliberate.plane import opinion_plane
from auzolan.deliberate.votes import VoteTable
from tests.deliberate.tables import name, planted, table, tables

SEEDS = [bytes(32), b"\x01" * 32, b"\xa5" * 32]


def _all_of(made: VoteTable) -> NDArray[np.bool_]:
    return np.ones(len(made.participants), dtype=bool)


def _dense(made: VoteTable) -> NDArray[np.float64]:
    """Return votes less the mean of their statement, nothing where there is none."""
    matrix = np.full((len(made.participants), len(made.statements)), np.nan)
    for position in range(len(made.participants)):
        for statement, vote in made.row(position).items():
            matrix[position, made.statements.index(statement)] = vote
    seen = ~np.isnan(matrix)
    means = np.where(seen, matrix, 0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    return np.where(seen, matrix - means, 0.0)


def _directions(made: VoteTable, seed: bytes = bytes(32)) -> NDArray[np.float64]:
    centred, _ = module._centred(made, _all_of(made), np.zeros(len(made.statements), dtype=bool))
    return module._leading_two(centred, seed)


def _cosine(a: NDArray[Any], b: NDArray[Any]) -> float:
    return float(abs((a * b).sum()) / np.sqrt((a * a).sum() * (b * b).sum()))


# Against numpy's decomposition


@pytest.mark.parametrize("seed", SEEDS, ids=["a", "b", "c"])
@pytest.mark.parametrize(("seen", "chance"), list(product([1.0, 0.5, 0.1], range(3))))
def test_directions_are_the_leading_singular_vectors(seen: float, chance: int, seed: bytes) -> None:
    made = planted([60, 40, 20], 30, chance, seen).table
    singular = np.linalg.svd(_dense(made), full_matrices=False).Vh[:2]
    got = _directions(made, seed)

    assert _cosine(got[:, 0], singular[0]) > 1 - 1e-5
    assert _cosine(got[:, 1], singular[1]) > 1 - 1e-5


@pytest.mark.parametrize("seen", [1.0, 0.3])
def test_where_nothing_is_planted_the_plane_still_holds_as_much_as_the_best(seen: float) -> None:
    made = planted([150], 25, 4, seen, firmness=0.0).table
    centred = _dense(made)
    values = np.linalg.svd(centred, compute_uv=False)
    got = _directions(made)
    held = [np.linalg.norm(centred @ (got[:, j] / np.linalg.norm(got[:, j]))) for j in range(2)]

    assert held == pytest.approx(values[:2].tolist(), rel=2e-3)


def test_places_are_projections_stretched_for_those_who_voted_little() -> None:
    made = planted([60, 40, 20], 30, 1, 0.4).table
    centred = _dense(made)
    vectors = np.linalg.svd(centred, full_matrices=False).Vh[:2]
    expected = (centred @ vectors.T) * np.sqrt(30 / made.votes_per_participant)[:, None]
    got = opinion_plane(made, _all_of(made), (), bytes(32))

    assert [_cosine(got[:, j], expected[:, j]) for j in range(2)] == pytest.approx([1, 1], abs=1e-4)


def test_a_statement_moderated_out_counts_as_voted_on_by_everybody() -> None:
    made = planted([30, 20], 20, 1).table
    out = (0, 5, 7)
    left = {who: {s: v for s, v in row.items() if s not in out} for who, row in enumerate(made.to_ballots().values())}
    rest = table({who: row for who, row in left.items() if row}, [s for s in made.statements if s not in out])
    mean, again = (opinion_plane(t, _all_of(t), o, bytes(32)).astype(float) for t, o in ((made, out), (rest, ())))
    mean /= np.sqrt(20 / (rest.votes_per_participant + 3))[:, None]
    again /= np.sqrt(17 / rest.votes_per_participant)[:, None]

    assert len(left) == len(rest.participants)
    assert [_cosine(mean[:, j], again[:, j]) for j in range(2)] == pytest.approx([1, 1], abs=1e-4)


def test_only_those_placed_count() -> None:
    made = planted([30, 20], 20, 1).table
    placed = _all_of(made)
    placed[::3] = False
    alone = table(
        {who: row for who, (row, stays) in enumerate(zip(made.to_ballots().values(), placed, strict=True)) if stays},
        made.statements,
    )

    assert np.array_equal(
        opinion_plane(made, placed, (), bytes(32)), opinion_plane(alone, _all_of(alone), (), bytes(32))
    )


# The form of what comes out


@given(tables(max_people=12, max_statements=6))
def test_places_are_integers_within_bounds(made: VoteTable) -> None:
    got = opinion_plane(made, _all_of(made), (), bytes(32))

    assert np.int64 == got.dtype
    assert (len(made.participants), 2) == got.shape
    assert int(np.abs(got).max()) in {0, 2**14}


@pytest.mark.parametrize(
    "ballots",
    [
        {},
        {0: {0: 1}},
        {0: {0: 1, 1: -1}},
        {who: {0: (-1) ** who} for who in range(9)},
        {who: {0: 1, 1: 0} for who in range(9)},
        {who: {0: 0, 1: 0} for who in range(9)},
    ],
    ids=["nobody", "one vote", "one person", "one statement", "all alike", "all pass"],
)
def test_where_nothing_can_be_told_apart_all_stand_in_the_middle(ballots: dict[int, dict[int, int]]) -> None:
    made = table(ballots, [] if ballots else [3, 4])

    assert 0 == np.abs(opinion_plane(made, _all_of(made), (), bytes(32))).sum()


def test_one_line_of_disagreement_leaves_the_second_direction_empty() -> None:
    made = table({who: {s: (-1) ** (who + s) for s in range(6)} for who in range(10)})
    got = opinion_plane(made, _all_of(made), (), bytes(32))

    assert {2**14, -(2**14)} == set(got[:, 0].tolist())
    assert {0} == set(got[:, 1].tolist())


def test_the_order_of_participants_changes_no_bit() -> None:
    ballots = dict(enumerate(planted([30, 20], 20, 1).table.to_ballots().values()))
    made, turned = table(ballots), table({-who + 100: row for who, row in ballots.items()})
    straight = opinion_plane(made, _all_of(made), (), bytes(32))
    backwards = opinion_plane(turned, _all_of(turned), (), bytes(32))

    assert [name(0), name(51)] == [made.participants[0], turned.participants[0]]
    assert np.array_equal(straight, backwards[::-1])


def test_the_largest_entry_of_a_direction_is_positive() -> None:
    got = _directions(planted([60, 40, 20], 30, 1).table)

    assert all(got[int(np.abs(got[:, j]).argmax()), j] > 0 for j in range(2))


# Every large sum is exact


def test_products_are_sums_of_integers_below_2_to_the_53(monkeypatch: pytest.MonkeyPatch) -> None:
    made = planted([300, 100], 40, 2).table
    seen: list[bool] = []
    plain = module._small_product

    def spying(a: NDArray[Any], b: NDArray[Any]) -> list[list[float]]:
        seen.append(bool((b == np.floor(b)).all() and np.abs(b).max() < 2**53))
        return plain(a, b)

    monkeypatch.setattr(module, "_small_product", spying)
    _directions(made)

    assert seen
    assert all(seen)


def test_the_centred_matrix_holds_integers() -> None:
    made = planted([30, 10], 12, 2).table
    centred, counted = module._centred(made, _all_of(made), np.zeros(12, dtype=bool))

    assert isinstance(centred, scipy.sparse.csr_array)
    assert bool((centred.data == np.floor(centred.data)).all())
    assert 2**11 >= float(np.abs(centred.data).max())
    assert made.votes_per_participant.tolist() == counted.tolist()
    assert np.abs(centred.toarray() / 2**10 - _dense(made)).max() <= 1e-3


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_small_eigenproblems_are_solved(size: int) -> None:
    rng = np.random.default_rng(size)
    half = rng.normal(size=(size, size)) * 10.0 ** rng.integers(-3, 9, size)[:, None]
    matrix = half @ half.T
    values, vectors = module._symmetric_eigen(matrix.tolist())
    turned = np.array(vectors)

    assert np.sort(np.linalg.eigvalsh(matrix))[::-1].tolist() == pytest.approx(values, rel=1e-9, abs=values[0] * 1e-12)
    assert (turned.T @ turned).tolist() == [pytest.approx(row, abs=1e-12) for row in np.eye(size).tolist()]


# No BLAS, no LAPACK

_SOURCE = Path(module.__file__).parent
_BODIES = ["ballots", "bounds", "grouping", "plane", "snapshot", "tally", "votes"]  # what signed bytes come from
_LINEAR_ALGEBRA = {
    "dot", "vdot", "inner", "outer", "matmul", "einsum", "tensordot", "linalg", "kron", "convolve", "correlate", "cov",
    "corrcoef", "polyfit", "lstsq", "svd", "eigh", "eig", "qr", "vecdot", "matvec", "vecmat", "matrix_power", "blas",
    "lapack",
}  # fmt: skip


@pytest.mark.parametrize("stem", _BODIES)
def test_what_is_signed_comes_from_no_linear_algebra_library(stem: str) -> None:
    tree = ast.parse((_SOURCE / f"{stem}.py").read_text())
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names |= {alias.name.split(".")[-1] for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) for alias in n.names}
    names |= {part for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names for part in a.name.split(".")}

    assert set() == names & _LINEAR_ALGEBRA


@pytest.mark.parametrize("stem", _BODIES)
def test_only_a_sparse_matrix_is_multiplied(stem: str) -> None:
    tree = ast.parse((_SOURCE / f"{stem}.py").read_text())
    left = [
        ast.unparse(node.left if isinstance(node, ast.BinOp) else node.target)
        for node in ast.walk(tree)
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.MatMult)
    ]

    # Both are made from a csr_array; scipy multiplies those itself, row by row and column by column.
    assert ({"centred", "back"} if stem == "plane" else set()) == set(left)
