"""Tallies: counted again to the last number, and nobody found in their counts."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.kinds.deliberate import Snapshot, Tally
from auzolan.core.record.canonical import JsonValue, canonical_bytes, read_json
from auzolan.core.record.errors import AuzolanError, MalformedError, NotCheckedError, VerificationError
from auzolan.deliberate.ballots import Ballots
from auzolan.deliberate.bounds import jeffreys_ppm
from auzolan.deliberate.grouping import Grouping, group_opinions
from auzolan.deliberate.tally import (
    METHODS,
    OPINION,
    Counts,
    count,
    labels_bytes,
    read_counts,
    read_labels,
    tally_of,
    verify_tally,
)
from auzolan.deliberate.votes import Labels, VoteTable
from tests.deliberate.tables import name, planted, sealed, table, tables

BLOBS = {"counts": "a" * 64, "private.labels": "b" * 64}
SNAPSHOT = "d" * 64


def _labels(*numbers: int) -> Labels:
    return np.array(numbers, dtype=np.int16)


def _grouping(labels: Labels, n_groups: int) -> Grouping:
    return Grouping(labels, n_groups, {2: 500_000}, np.zeros((len(labels), 2), dtype=np.int64))


class Case:
    """Ballots of twelve people in two groups, one of them in none, counted."""

    def __init__(self, min_cell: int = 3) -> None:
        ballots = {who: {0: 1 if who < 6 else -1, 1: (who % 3) - 1} for who in range(12)}
        ballots[0] |= {2: 1}
        self.ballots = sealed(table(ballots, [7]), {"district": {name(who): "ab"[who % 2] for who in range(10)}})
        self.labels = _labels(*[0] * 6, *[1] * 5, -1)
        self.counts = count(self.ballots, self.labels, 2, min_cell)
        self.data, self.labelled = self.counts.to_bytes(), labels_bytes(self.labels)
        self.tally = tally_of(SNAPSHOT, self.counts, _grouping(self.labels, 2), "silhouette", "2026-11-20", BLOBS)

    def verify(self, tally: Tally | None = None, data: bytes | None = None, labelled: bytes | None = None) -> Counts:
        return verify_tally(tally or self.tally, data or self.data, labelled or self.labelled, self.ballots)


# Counting


def test_counts_are_by_division_and_group_with_bounds() -> None:
    case = Case(min_cell=1)
    opinion, district = case.counts.divisions
    first = case.counts.statements[0]
    lower, upper = jeffreys_ppm(np.array([6]), np.array([12]))

    assert ("opinion", "derived", ("A", "B"), (6, 5), 1) == tuple(vars(opinion).values())
    assert ("district", "declared", ("a", "b"), (5, 5), 2) == tuple(vars(district).values())
    assert (6, 6, 0, int(lower[0]), int(upper[0])) == first.all
    assert [[6, 0, 0], [0, 5, 0]] == [list(cell[:3]) for cell in first.by[0] or ()]
    assert [[3, 2, 0], [3, 2, 0]] == [list(cell[:3]) for cell in first.by[1] or ()]


def test_a_statement_nobody_saw_is_shown_as_that() -> None:
    unseen = Case(min_cell=5).counts.statements[-1]

    assert (7, (0, 0, 0, 0, 1_000_000)) == (unseen.id, unseen.all)
    assert None not in unseen.by


def test_few_people_are_not_shown_at_all() -> None:
    case = Case()
    rare = case.counts.statements[2]

    assert (2, None, (None, None)) == (rare.id, rare.all, rare.by)
    assert 3 == case.counts.n_withheld == case.tally.n_withheld


def test_one_person_in_no_group_withholds_the_counts_by_group() -> None:
    case = Case(min_cell=2)

    assert case.counts.statements[0].all
    assert case.counts.statements[0].by[0] is None
    assert case.counts.statements[0].by[1] is not None


@given(tables(max_people=20, max_statements=4), st.integers(1, 6), st.data())
def test_no_difference_of_published_counts_is_about_few_people(
    made: VoteTable, min_cell: int, data: st.DataObject
) -> None:
    n = len(made.participants)
    labels = _labels(*data.draw(st.lists(st.integers(-1, 2), min_size=n, max_size=n)))
    counts = count(sealed(made), labels, 3, min_cell)

    for each in counts.statements:
        if each.all is None:
            assert {None} == set(each.by)
            continue
        every = sum(each.all[:3])
        for cells in filter(None, each.by):
            seen = [sum(cell[:3]) for cell in cells]
            parts = [sum(some) for size in range(4) for some in combinations(seen, size)]
            people = {*parts, *(every - part for part in parts)}
            assert not {about for about in people if 0 < about < min_cell}


def test_what_is_withheld_does_not_follow_from_the_snapshot_s_totals() -> None:
    # Totals over all statements, less the counts that are published, would be the votes that are withheld.
    assert {"participants", "rows_read", "statements", "votes"} == set(Snapshot.COUNTS)


@given(tables(max_people=20, max_statements=4), st.data())
def test_with_a_smallest_cell_of_one_everything_is_published(made: VoteTable, data: st.DataObject) -> None:
    n = len(made.participants)
    labels = _labels(*data.draw(st.lists(st.integers(-1, 2), min_size=n, max_size=n)))
    counts = count(sealed(made), labels, 3, 1)

    assert 0 == counts.n_withheld
    assert made.totals().tolist() == [list((each.all or ())[:3]) for each in counts.statements]
    assert made.counts(labels, 3).transpose(1, 0, 2).tolist() == [
        [list(cell[:3]) for cell in each.by[0] or ()] for each in counts.statements
    ]


def test_without_groups_there_are_totals() -> None:
    counts = count(sealed(table({who: {0: 1} for who in range(9)})), _labels(*[-1] * 9), 0, 5)

    assert ((), (), 9) == (counts.divisions[0].values, counts.divisions[0].sizes, counts.divisions[0].unassigned)
    assert 9 == (counts.statements[0].all or (0,))[0]
    assert ((),) == counts.statements[0].by


def test_nobody_can_be_counted() -> None:
    ballots = sealed(table({}, [4]))
    counts = count(ballots, _labels(), 0, 5)

    assert counts == read_counts(counts.to_bytes())
    assert verify_tally(
        tally_of(SNAPSHOT, counts, _grouping(_labels(), 0), "silhouette", "x", BLOBS),
        counts.to_bytes(), labels_bytes(_labels()), ballots,
    )  # fmt: skip


def test_a_stratum_of_very_many_values_is_counted_or_refused() -> None:
    n = 2**15 + 2
    made = table({who: {0: 1} for who in range(n)})
    try:
        ballots = sealed(made, {"household": {name(who): str(who) for who in range(n)}})
    except AuzolanError:
        return
    assert 0 == count(ballots, np.full(n, -1, dtype=np.int16), 0, 1).divisions[1].unassigned


# Blobs


def _counted(made: VoteTable, labels: Labels, min_cell: int) -> Counts:
    return count(sealed(made, {"d": {who: who[-1] for who in made.participants}}), labels, 2, min_cell)


@given(tables(), st.integers(1, 4))
def test_counts_survive_their_blob(made: VoteTable, min_cell: int) -> None:
    counts = _counted(made, _labels(*(position % 3 - 1 for position in range(len(made.participants)))), min_cell)

    assert counts == read_counts(counts.to_bytes())


@given(st.lists(st.integers(-1, 4), max_size=20))
def test_labels_survive_their_blob(numbers: list[int]) -> None:
    data = labels_bytes(_labels(*numbers))
    again = read_labels(data, len(numbers), 5)

    assert numbers == again.tolist()
    assert np.int16 == again.dtype
    assert len(b"auzolan-labels/v1\n") + len(numbers) == len(data)


@pytest.mark.parametrize(
    ("data", "n", "groups"),
    [
        (labels_bytes(_labels(0, 1)), 3, 2),
        (labels_bytes(_labels(0, 1)), 1, 2),
        (labels_bytes(_labels(0, 1)), 2, 1),
        (labels_bytes(_labels(0)), 1, 0),
        (b"auzolan-labels/v2\n\x00", 1, 1),
        (b"", 0, 0),
    ],
)
def test_labels_about_others_are_refused(data: bytes, n: int, groups: int) -> None:
    with pytest.raises(MalformedError, match="labels: expected"):
        read_labels(data, n, groups)


def _edits(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths to all values within JSON."""
    if isinstance(value, dict | list):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        return [path, *(found for key, each in inner for found in _edits(each, (*path, key)))]
    return [path]


def _edited(value: Any, path: tuple[Any, ...]) -> JsonValue:
    if path:
        items: Any = dict(value) if isinstance(value, dict) else list(value)
        items[path[0]] = _edited(value[path[0]], path[1:])
        return items  # type: ignore[no-any-return]
    if isinstance(value, int):
        return value + 1
    return None if value is not None else [[0, 0, 0, 0, 1_000_000]] * 2


def test_every_single_change_of_the_counts_is_noticed() -> None:
    case = Case()
    value: Any = read_json(case.data)
    for path in _edits(value):
        if path[-1:] == ("all",) and not any(value["statements"][path[1]]["by"]):
            continue  # more may be withheld than must be
        with pytest.raises(VerificationError, match="not what the ballots amount to"):
            case.verify(data=canonical_bytes(_edited(value, path)))


def test_every_single_flipped_bit_of_the_counts_is_noticed() -> None:
    case = Case()
    for bit in range(0, len(case.data) * 8, 7):
        flipped = bytearray(case.data)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(VerificationError, match="not what the ballots amount to"):
            case.verify(data=bytes(flipped))


@pytest.mark.parametrize("position", range(12))
@pytest.mark.parametrize("to", [-1, 0, 1])
def test_every_single_changed_label_is_noticed(position: int, to: int) -> None:
    case = Case()
    labels = case.labels.copy()
    if labels[position] == to:
        return
    labels[position] = to

    with pytest.raises(VerificationError):
        case.verify(labelled=labels_bytes(labels))


def test_a_reader_of_counts_refuses_other_forms_with_our_errors_only() -> None:
    case = Case()
    value: Any = read_json(case.data)
    for path in _edits(value):
        for data in (canonical_bytes(_edited(value, path)), case.data[: len(path) * 9]):
            try:
                read_counts(data)
            except AuzolanError as error:
                assert str(error)  # noqa: PT017


@pytest.mark.parametrize("extra", [(), ("divisions", 0), ("statements", 0)])
def test_more_than_counts_is_refused(extra: tuple[Any, ...]) -> None:
    value: Any = read_json(Case().data)
    inside = value
    for key in extra:
        inside = inside[key]
    inside["more"] = 1

    with pytest.raises(MalformedError, match="has more than a tally's counts"):
        read_counts(canonical_bytes(value))


# Verifying


def test_a_tally_is_verified_and_survives_its_record() -> None:
    case = Case()

    assert case.counts == case.verify()
    assert case.tally == Tally.from_record(case.tally.to_record())
    assert ((6, 5), 1, 4, {"2": 500_000}) == (
        case.tally.groups, case.tally.n_unassigned, case.tally.n_statements, case.tally.silhouettes_ppm,
    )  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"groups": (5, 6)}, {"groups": (7, 4)}, {"n_unassigned": 0}, {"n_statements": 3}, {"n_withheld": 0},
        {"min_cell": 1}, {"min_cell": 4}, {"groups": (6, 5, 1)}, {"groups": (6,)},
    ],
    ids=str,
)  # fmt: skip
def test_a_changed_summary_is_noticed(change: dict[str, Any]) -> None:
    case = Case()

    with pytest.raises((VerificationError, MalformedError)):
        case.verify(replace(case.tally, **change))


@pytest.mark.parametrize("methods", [{}, METHODS | {"groups": "other"}, METHODS | {"more": "x"}])
def test_by_methods_not_known_here_nothing_is_checked(methods: dict[str, str]) -> None:
    case = Case()

    with pytest.raises(NotCheckedError, match="methods that this version of auzolan does not know"):
        case.verify(replace(case.tally, methods=methods))


def test_other_ballots_are_noticed() -> None:
    case = Case()
    votes = dict(enumerate(case.ballots.table.to_ballots().values()))
    votes[3] = votes[3] | {0: 0}
    other: Ballots = replace(case.ballots, table=table(votes, [7]))

    with pytest.raises(VerificationError):
        verify_tally(case.tally, case.data, case.labelled, other)
    with pytest.raises(MalformedError):
        verify_tally(case.tally, case.data, case.labelled, case.ballots.without([name(1)]))


def test_found_groups_are_tallied_and_verified() -> None:
    made = planted([30, 20], 20, 1, seen=1).table
    found, ballots = group_opinions(made), sealed(made)
    counts = count(ballots, found.labels, found.n_groups, 5)
    tally = tally_of(SNAPSHOT, counts, found, "silhouette", "2026-11-20", BLOBS)

    assert counts == verify_tally(tally, counts.to_bytes(), labels_bytes(found.labels), ballots)
    assert ((30, 20), OPINION) == (tally.groups, counts.divisions[0].name)
