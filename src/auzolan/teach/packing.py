"""Rows of tokens side by side in sequences of one length, so that no step computes padding.

Best-fit decreasing (Johnson 1974): the longest row first, each into the
sequence that it leaves least room in. A row never sees its neighbours: every
row has positions of its own from 0 and a number, which the attention mask is
made of. Pure, in numpy; the same rows give the same sequences.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from auzolan.core.record.errors import UsageError


@dataclass(frozen=True)
class Row:
    """One exchange as token ids; only the answer is learnt.

    Attributes:
        prompt: everything before the answer, the template's marks included.
        answer: what the model should say, with the token that ends it.
    """

    prompt: tuple[int, ...]
    answer: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.prompt) + len(self.answer)


@dataclass(frozen=True, eq=False)
class Packed:
    """Some rows in one sequence; all arrays (tokens,) int64.

    Attributes:
        ids: token ids.
        positions: of each token in its row.
        row: number of the row in the sequence.
        learnt: positions in the sequence of the tokens that are learnt; each is predicted from the one before it.
    """

    ids: NDArray[np.int64]
    positions: NDArray[np.int64]
    row: NDArray[np.int64]
    learnt: NDArray[np.int64]


def pack(rows: Sequence[Row], length: int) -> list[Packed]:
    """Pack rows into sequences of at most `length` tokens.

    Raises:
        UsageError: a row is longer than that, or has nothing to learn or nothing before it.
    """
    for number, row in enumerate(rows):
        if not row.prompt or not row.answer:
            raise UsageError(f"row {number}: expected a prompt and an answer")
        if len(row) > length:
            raise UsageError(f"row {number} has {len(row):,} tokens, and a sequence takes {length:,}")
    sequences: list[list[Row]] = []
    room: list[tuple[int, int]] = []  # (tokens left, sequence), ascending
    for row in sorted(rows, key=lambda each: -len(each)):  # stable, so that equal lengths keep their order
        place = bisect_left(room, (len(row), -1))
        if place == len(room):
            sequences.append([row])
            insort(room, (length - len(row), len(sequences) - 1))
        else:
            left, number = room.pop(place)
            sequences[number].append(row)
            insort(room, (left - len(row), number))
    return [_laid_out(each) for each in sequences]


def _laid_out(rows: Sequence[Row]) -> Packed:
    lengths = [len(row) for row in rows]
    starts = np.cumsum([0, *lengths])[:-1]
    learnt = [np.arange(start + len(row.prompt), start + len(row)) for start, row in zip(starts, rows, strict=True)]
    return Packed(
        ids=np.concatenate([np.array([*row.prompt, *row.answer], dtype=np.int64) for row in rows]),
        positions=np.concatenate([np.arange(length, dtype=np.int64) for length in lengths]),
        row=np.repeat(np.arange(len(rows), dtype=np.int64), lengths),
        learnt=np.concatenate(learnt).astype(np.int64),
    )
