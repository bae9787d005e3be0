"""Rows side by side: nothing is lost, nothing is seen twice, and rows keep to themselves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.record.errors import UsageError
from auzolan.teach.packing import Packed, Row, pack
from tests import strategies  # loads the profile for hypothesis

assert strategies, "property tests are deterministic only with that profile"

ids = st.lists(st.integers(0, 99), min_size=1, max_size=9).map(tuple)
some_rows = st.lists(st.builds(Row, ids, ids), min_size=1, max_size=30)


def _unpacked(sequences: list[Packed]) -> list[Row]:
    found = []
    for each in sequences:
        for number in range(int(each.row.max()) + 1):
            places = [place for place, row in enumerate(each.row.tolist()) if row == number]
            answer = set(each.learnt.tolist()) & set(places)
            tokens = each.ids[places].tolist()
            found.append(Row(tuple(tokens[: len(places) - len(answer)]), tuple(tokens[len(places) - len(answer) :])))
    return found


@given(some_rows, st.integers(18, 40))
def test_every_row_stands_in_one_sequence_with_its_answer_learnt(rows: list[Row], length: int) -> None:
    sequences = pack(rows, length)

    assert sorted(rows, key=repr) == sorted(_unpacked(sequences), key=repr)
    assert all(len(each.ids) <= length for each in sequences)


@given(some_rows, st.integers(18, 40))
def test_positions_begin_anew_with_each_row(rows: list[Row], length: int) -> None:
    for each in pack(rows, length):
        starts = [place for place, position in enumerate(each.positions.tolist()) if position == 0]

        assert [0, *(p + 1 for p in range(len(each.ids) - 1) if each.row[p] != each.row[p + 1])] == starts
        assert not set(starts) & set(each.learnt.tolist())


@given(some_rows, st.integers(18, 40))
def test_no_two_sequences_would_fit_into_one(rows: list[Row], length: int) -> None:
    lengths = sorted(len(each.ids) for each in pack(rows, length))

    assert len(lengths) < 2 or lengths[0] + lengths[1] > length


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (Row((), (1,)), "row 1: expected a prompt and an answer"),
        (Row((1,), ()), "row 1: expected a prompt and an answer"),
        (Row((1,) * 6, (2,) * 5), "row 1 has 11 tokens, and a sequence takes 10"),
    ],
)
def test_a_row_that_cannot_be_learnt_is_refused(row: Row, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        pack([Row((1,), (2,)), row], 10)
