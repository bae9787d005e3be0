"""The two directions in which opinions differ most (principal components), the same bytes on every machine.

The vote matrix is centred (a statement that somebody has not seen counts as its
mean, so as nothing), its two leading right singular vectors are found by block
power iteration with Rayleigh-Ritz (Halko, Martinsson & Tropp 2011, section 4.4),
and every participant is projected on them, scaled by
sqrt(statements / votes cast) so that those who voted little do not all stand in
the middle. As in Polis, a statement that was moderated out counts there as
voted on by everybody.

Reproducible by construction: no BLAS, no LAPACK. What is large is summed
exactly, as integers held in doubles below 2**52, so that neither the order of
sums nor a fused multiply-add can change a bit; what is small is summed by
`math.fsum`, which rounds once. All else is element by element in IEEE 754.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from hashlib import shake_256

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from auzolan.deliberate.votes import VoteTable

Matrix = NDArray[np.float64]
_SCALE = 2**10  # one vote, in the centred matrix
_UNIT = 2**20  # length of a direction
_EXACT = 2**52  # below it even a half is exact
_BLOCK = 4  # directions iterated at once; two are wanted
_STEPS = 60
_TOLERANCE = 1e-4  # of the residual, relative to the eigenvalue


def opinion_plane(
    table: VoteTable, placed: NDArray[np.bool_], moderated_out: Collection[int], seed: bytes
) -> NDArray[np.int64]:
    """Place participants on the plane.

    Args:
        table: the votes.
        placed: (participants,) whose votes count and who are placed.
        moderated_out: statements that do not count.
        seed: 32 bytes that fix the first guess; with a clear first and second direction it does not matter.

    Returns:
        (placed participants, 2) int64 within ±2**14; zero where votes do not differ or there is a single statement.
    """
    out = frozenset(moderated_out)
    is_out = np.array([statement in out for statement in table.statements], dtype=bool)
    centred, n_counted = _centred(table, placed, is_out)
    if not centred.nnz or min(centred.shape) < 2:
        return np.zeros((centred.shape[0], 2), dtype=np.int64)
    directions = _leading_two(centred, seed)
    stretch = np.sqrt(len(table.statements) / np.maximum(n_counted + int(is_out.sum()), 1))
    places = (centred @ directions) * stretch[:, None]
    largest = float(np.abs(places).max())
    if not largest:
        return np.zeros(places.shape, dtype=np.int64)
    rounded: NDArray[np.int64] = np.floor(places / largest * 2**14 + 0.5).astype(np.int64)
    return rounded


def _centred(
    table: VoteTable, placed: NDArray[np.bool_], is_out: NDArray[np.bool_]
) -> tuple[scipy.sparse.csr_array, NDArray[np.int64]]:
    """Return the votes less the statement's mean, times `_SCALE`, and how many votes of each participant are in it.

    The matrix is (placed participants, statements), in integers.
    """
    counts = table.counts(np.where(placed, 0, -1).astype(np.int16), 1)[0]
    seen = np.maximum(counts.sum(axis=1), 1)
    mean = (2 * _SCALE * (counts[:, 0] - counts[:, 1]) + seen) // (2 * seen)
    value_of = (_SCALE * np.array([-1, 0, 1, 0], dtype=np.int64)[None, :] - mean[:, None]).astype(np.float64)
    packed, lengths = table.packed, table.votes_per_participant
    if is_out.any() or not placed.all():
        kept = np.repeat(placed, lengths)
        kept &= ~is_out[packed >> 2]
        before = np.append(0, np.cumsum(kept))
        lengths = before[table.starts[1:]] - before[table.starts[:-1]]
        packed, lengths = packed[kept], lengths[placed]
    starts = np.append(0, np.cumsum(lengths)).astype(np.int32 if packed.size < 2**31 else np.int64)
    columns = (packed >> 2).astype(starts.dtype)
    shape = (len(lengths), len(table.statements))
    return scipy.sparse.csr_array((value_of.ravel()[packed], columns, starts), shape=shape), lengths


def _leading_two(centred: scipy.sparse.csr_array, seed: bytes) -> Matrix:
    """Return the two leading right singular vectors, integers of length about `_UNIT`: (statements, 2)."""
    width = centred.shape[1]
    block = min(_BLOCK, width)
    bits = np.unpackbits(np.frombuffer(shake_256(seed + b"plane").digest(width * block), dtype=np.uint8))
    basis = _orthonormal((2 * bits[: width * block].astype(np.float64) - 1).reshape(width, block))
    heaviest = int(abs(centred).sum(axis=0).max())
    back = centred.T
    ritz = basis
    for _ in range(_STEPS):
        along = centred @ _whole(basis)
        # Rounded, so that every sum of the way back stays exact.
        excess = max(0, math.frexp(float(np.abs(along).max()) * heaviest / _EXACT)[1])
        if excess:
            along = np.floor(along * 2.0**-excess + 0.5)
        image = back @ along
        values, turn = _symmetric_eigen(_small_product(basis, image))
        ritz, turned = _turned(basis, turn), _turned(image, turn)
        if all(_residual(ritz[:, j], turned[:, j], values[j]) <= _TOLERANCE for j in range(2)):
            break
        basis = _orthonormal(turned)
    return _whole(_facing_forward(ritz[:, :2]))


def _whole(directions: Matrix) -> Matrix:
    return np.floor(directions * _UNIT + 0.5)


def _dot(a: Matrix, b: Matrix) -> float:
    return math.fsum((a * b).tolist())


def _orthonormal(columns: Matrix) -> Matrix:
    """Gram-Schmidt, twice; a column that depends on those before it becomes zero."""
    result = np.zeros_like(columns)
    for j in range(columns.shape[1]):
        column = columns[:, j].copy()
        before = math.sqrt(_dot(column, column))
        for _ in range(2):
            for i in range(j):
                column = column - _dot(result[:, i], column) * result[:, i]
        length = math.sqrt(_dot(column, column))
        if length > 1e-9 * before:
            result[:, j] = column / length
    return result


def _small_product(a: Matrix, b: Matrix) -> list[list[float]]:
    """Return aᵀb made symmetric."""
    size = a.shape[1]
    product = [[_dot(a[:, i], b[:, j]) for j in range(size)] for i in range(size)]
    return [[(product[i][j] + product[j][i]) / 2 for j in range(size)] for i in range(size)]


def _symmetric_eigen(matrix: list[list[float]]) -> tuple[list[float], list[list[float]]]:
    """Return eigenvalues, largest first, and eigenvectors as columns (cyclic Jacobi; Golub & Van Loan, 8.5)."""
    size = len(matrix)
    a = [row[:] for row in matrix]
    vectors = [[float(i == j) for j in range(size)] for i in range(size)]
    for _ in range(30):
        if not any(a[i][j] for i in range(size) for j in range(i)):
            break
        for p in range(size):
            for q in range(p + 1, size):
                if abs(a[p][q]) <= 1e-18 * math.sqrt(abs(a[p][p] * a[q][q])):
                    a[p][q] = a[q][p] = 0.0
                    continue
                theta = (a[q][q] - a[p][p]) / (2 * a[p][q])
                t = math.copysign(1.0, theta) / (abs(theta) + math.sqrt(theta * theta + 1))
                c = 1 / math.sqrt(t * t + 1)
                _rotate(a, vectors, p, q, c, t * c)
    order = sorted(range(size), key=lambda j: -a[j][j])
    return [a[j][j] for j in order], [[vectors[i][j] for j in order] for i in range(size)]


def _rotate(a: list[list[float]], vectors: list[list[float]], p: int, q: int, c: float, s: float) -> None:
    for row in (*a, *vectors):
        row[p], row[q] = c * row[p] - s * row[q], s * row[p] + c * row[q]
    a[p], a[q] = (
        [c * x - s * y for x, y in zip(a[p], a[q], strict=True)],
        [s * x + c * y for x, y in zip(a[p], a[q], strict=True)],
    )


def _turned(columns: Matrix, turn: list[list[float]]) -> Matrix:
    result = np.zeros_like(columns)
    for j in range(columns.shape[1]):
        for i in range(columns.shape[1]):
            result[:, j] = result[:, j] + columns[:, i] * turn[i][j]
    return result


def _residual(vector: Matrix, image: Matrix, value: float) -> float:
    """Return how far a vector is from being its own image, relative to its eigenvalue."""
    if value <= 0:
        return 0.0
    difference = image - vector * value
    return math.sqrt(_dot(difference, difference)) / value


def _facing_forward(directions: Matrix) -> Matrix:
    """Give each direction the sign that makes its largest entry positive, the first of equal ones."""
    for j in range(directions.shape[1]):
        largest = int(np.argmax(np.abs(directions[:, j])))
        if directions[largest, j] < 0:
            directions[:, j] = -directions[:, j]
    return directions
