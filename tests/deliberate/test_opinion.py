"""Polis' statistics: by hand on tiny tables, and against what Polis servers published."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given

from auzolan.deliberate.conversation import Conversation
from auzolan.deliberate.opinion import (
    Consensus,
    Representative,
    Statistics,
    VoteCount,
    _prop_test,
    _two_prop_test,
    statistics,
    statistics_of_counts,
)
from auzolan.deliberate.sources.polis import read_polis
from auzolan.deliberate.votes import VoteTable
from tests.deliberate.tables import table, tables
from tests.shared_data import copied_folder, shared_folder

COPIED = "mathblob-below-100-ptpts"
MATH = [COPIED, "mathblob-150ptpt-3gp-no-strict-no-meta", "mathblob-25ptpt-3gp-no-strict-with-meta"]


class Blob(NamedTuple):
    """What a Polis server published, and what is computed here of the same votes and groups."""

    conversation: Conversation
    got: Statistics
    math: dict[str, Any]


@pytest.fixture(scope="module", params=MATH)
def blob(request: pytest.FixtureRequest) -> Blob:
    where = f"polis/{request.param}"
    folder: Path = copied_folder(where) if request.param == COPIED else shared_folder(where)
    read = read_polis(folder, lambda raw: f"p-{raw}")
    labels = read.table.labels(read.published_groups)
    got = statistics(read.table, labels, len(read.published_groups), read.left_out_of_statistics)
    return Blob(read, got, json.loads((folder / "math-pca2.json").read_text()))


def _by_group(of: dict[str, Any]) -> list[Any]:
    return [of[key] for key in sorted(of, key=int)]


# What Polis published


def test_the_votes_of_each_group_are_those_that_polis_published(blob: Blob) -> None:
    published = _by_group(blob.math["group-votes"])
    expected = [
        {int(tid): (cell["A"], cell["D"], cell["S"]) for tid, cell in group["votes"].items()} for group in published
    ]

    assert [group["n-members"] for group in published] == [group.size for group in blob.got.groups]
    assert expected == [
        {tid: tuple(group.votes[tid]) for tid in votes} for group, votes in zip(blob.got.groups, expected, strict=True)
    ]
    assert all(set(votes) == set(blob.conversation.table.statements) for votes in expected)


def test_group_aware_consensus_is_what_polis_published(blob: Blob) -> None:
    expected = {int(tid): value for tid, value in blob.math["group-aware-consensus"].items()}

    assert set(expected) == set(blob.got.gac)
    assert 1e-12 > max(abs(value - blob.got.gac[tid]) for tid, value in expected.items())


def test_consensus_lists_are_those_that_polis_published(blob: Blob) -> None:
    expected = {kind: [item["tid"] for item in items] for kind, items in blob.math["consensus"].items()}

    assert Consensus(expected["agree"], expected["disagree"]) == blob.got.consensus


def test_representative_statements_are_those_that_polis_published(blob: Blob) -> None:
    published = _by_group(blob.math["repness"])

    assert [[(item["tid"], item["repful-for"]) for item in items] for items in published] == [
        [(item.statement, item.kind) for item in items] for items in blob.got.repness
    ]
    for items, ours in zip(published, blob.got.repness, strict=True):
        for item, own in zip(items, ours, strict=True):
            names = ("p-success", "p-test", "repness", "repness-test")
            expected = pytest.approx([item[name] for name in names], rel=0, abs=1e-6)

            assert expected == [own.p, own.z, own.ratio, own.ratio_z]


# By hand


def _counts(*groups: list[tuple[int, int, int]], moderated_out: tuple[int, ...] = ()) -> Statistics:
    cells = np.array(groups, dtype=np.int64)
    return statistics_of_counts(
        range(cells.shape[1]), cells, cells.sum(axis=0), [10] * len(groups), frozenset(moderated_out)
    )


def test_group_aware_consensus_is_the_product_of_smoothed_shares_where_passes_count_as_seen() -> None:
    got = _counts([(3, 1, 0)], [(1, 0, 2)])

    assert (3 + 1) / (4 + 2) * (1 + 1) / (3 + 2) == pytest.approx(got.gac[0], abs=1e-15)
    assert VoteCount(4, 1, 7) == got.total[0]


def test_a_group_that_has_not_seen_a_statement_counts_as_half() -> None:
    assert 0.5 * 0.75 == _counts([(0, 0, 0)], [(2, 0, 0)]).gac[0]


def test_one_group_is_its_own_consensus() -> None:
    assert 0.75 == _counts([(2, 0, 0)]).gac[0]


def test_the_test_of_a_share_is_that_of_polis() -> None:
    # 2 sqrt(n + 1) ((k + 1) / (n + 1) - 1/2): for 6 of 6, 2 * sqrt(7) / 2
    assert math.sqrt(7) == pytest.approx(_prop_test(6, 6))
    assert 1 == _prop_test(0, 0)
    assert pytest.approx(2 * 2 * (1 / 4 - 1 / 2)) == _prop_test(0, 3)


def test_the_test_of_two_shares_is_that_of_polis() -> None:
    # One is added to all four: 4/5 inside, 2/5 outside, pooled 6/10.
    expected = (4 / 5 - 2 / 5) / math.sqrt(0.6 * 0.4 * (1 / 5 + 1 / 5))

    assert pytest.approx(expected) == _two_prop_test(3, 1, 4, 4)
    assert -_two_prop_test(1, 3, 4, 4) == pytest.approx(expected)


def test_where_all_agree_inside_and_outside_there_is_no_difference() -> None:
    assert 0 == _two_prop_test(3, 5, 3, 5)


def test_consensus_is_at_most_five_strongest_first_and_ties_by_id() -> None:
    rows = [(8, 0, 0), (9, 0, 0), (8, 0, 0), (9, 1, 0), (8, 1, 0), (8, 0, 0), (0, 9, 0), (2, 2, 9)]

    assert Consensus([1, 0, 2, 5, 3], [6]) == _counts(rows).consensus


def test_what_is_left_out_is_neither_consensus_nor_representative() -> None:
    apart, against = [(9, 0, 0), (9, 0, 0)], [(0, 9, 0), (0, 9, 0)]
    got = _counts(apart, against, moderated_out=(0,))

    assert [[1], [1]] == [[item.statement for item in items] for items in got.repness]
    assert {0, 1} == set(got.gac)
    assert Consensus([1], []) == _counts(apart, moderated_out=(0,)).consensus


def test_a_statement_that_sets_a_group_apart_is_representative_with_its_numbers() -> None:
    (first,), (second,) = _counts([(9, 1, 0)], [(2, 8, 0)]).repness
    inside, outside = 10 / 12, 3 / 12

    assert ("agree", "disagree") == (first.kind, second.kind)
    assert pytest.approx([inside, inside / outside]) == [first.p, first.ratio]
    assert pytest.approx([_prop_test(9, 10), _two_prop_test(9, 2, 10, 10)]) == [first.z, first.ratio_z]
    assert pytest.approx(first.ratio * first.ratio_z * first.p * first.z) == first.rank


def test_agreements_come_before_disagreements() -> None:
    (items, _) = _counts([(0, 9, 0), (9, 0, 0), (0, 9, 0)], [(9, 0, 0), (0, 9, 0), (9, 0, 0)]).repness

    assert ["agree", "disagree", "disagree"] == [item.kind for item in items]


def test_a_group_of_no_opinion_gets_the_statement_that_comes_closest() -> None:
    (items, _) = _counts([(1, 1, 2), (1, 2, 1)], [(2, 2, 2), (9, 0, 0)]).repness

    assert [(1, "disagree")] == [(item.statement, item.kind) for item in items]


@pytest.mark.parametrize(
    "ballots",
    [
        {},
        {0: {0: 1}},
        {who: {0: 1, 1: 1} for who in range(9)},
        {who: {0: 0, 1: 0} for who in range(9)},
    ],
    ids=["nobody", "one person", "all alike", "all pass"],
)
def test_degenerate_conversations_have_statistics(ballots: dict[int, dict[int, int]]) -> None:
    made = table(ballots, [0, 1])
    n = len(made.participants)
    alone = statistics(made, np.full(n, -1, dtype=np.int16), 0)
    together = statistics(made, np.zeros(n, dtype=np.int16), 1)

    assert ([], []) == (alone.groups, alone.repness)
    assert [n] == [group.size for group in together.groups]
    assert (set(), {0, 1}) == (set(alone.gac), set(together.gac))
    assert all(math.isfinite(value) for items in together.repness for item in items for value in item[2:])


def test_huge_counts_stay_exact_and_finite() -> None:
    got = _counts([(2**52, 0, 0)], [(0, 2**52, 0)])

    assert VoteCount(2**52, 2**52, 2**53) == got.total[0]
    assert all(math.isfinite(item.rank) for items in got.repness for item in items)


@given(tables())
def test_statistics_follow_from_counts_alone(made: VoteTable) -> None:
    labels = np.array([position % 3 - 1 for position in range(len(made.participants))], dtype=np.int16)
    sizes = [int((labels == group).sum()) for group in range(2)]
    of_counts = statistics_of_counts(made.statements, made.counts(labels, 2), made.totals(), sizes)

    assert of_counts == statistics(made, labels, 2)


def test_a_representative_has_the_rank_that_polis_sorts_by() -> None:
    assert 2 * 3 * 0.5 * 4 == Representative(1, "agree", p=0.5, z=4, ratio=2, ratio_z=3).rank


def test_without_groups_consensus_is_not_claimed() -> None:
    made = table({who: {0: -1} for who in range(9)})

    assert {} == statistics(made, np.full(9, -1, dtype=np.int16), 0).gac
