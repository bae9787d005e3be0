"""What is shown of a deliberation: sorted statements, and a map on which nobody is found."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.deliberate.conversation import Statement
from auzolan.deliberate.grouping import group_opinions
from auzolan.deliberate.opinion import VoteCount, statistics_of_counts
from auzolan.deliberate.overview import (
    Overview,
    StatementView,
    WithheldStatement,
    apartness,
    opinion_map,
    overview_of,
    statement_views,
)
from tests import strategies
from tests.deliberate.tables import table

assert strategies, "property tests are deterministic only with its profile"

Counts = list[list[tuple[int, int, int]]]


def _views(groups: Counts, out: tuple[int, ...] = (), sizes: list[int] | None = None) -> tuple[StatementView, ...]:
    cells = np.array(groups, dtype=np.int64)
    n = cells.shape[1]
    sizes = sizes or [int(group.sum(axis=1).max()) for group in cells]
    found = statistics_of_counts(range(n), cells, cells.sum(axis=0), sizes)
    statements = [Statement(s, f"{s}", "out" if s in out else "open") for s in range(n)]
    return statement_views(statements, found, sum(sizes))


def _alone(totals: list[tuple[int, int, int]], people: int) -> tuple[StatementView, ...]:
    n = len(totals)
    cells = np.array(totals, dtype=np.int64).reshape(n, 3)
    found = statistics_of_counts(range(n), np.zeros((0, n, 3), dtype=np.int64), cells, [])
    return statement_views([Statement(s) for s in range(n)], found, people)


# Statements


def test_statements_are_sorted_by_what_all_groups_agree_on() -> None:
    views = _views([[(1, 9, 0), (9, 1, 0), (9, 1, 0)], [(9, 1, 0), (9, 1, 0), (8, 2, 0)]])

    assert [1, 2, 0] == [view.id for view in views]
    assert [True, True, False] == [view.is_shared for view in views]


def test_equal_statements_stand_in_the_order_of_their_ids() -> None:
    assert [0, 1, 2] == [view.id for view in _views([[(5, 1, 0)] * 3, [(2, 1, 0)] * 3])]


def test_the_common_share_is_the_geometric_mean_and_gac_the_product() -> None:
    (view,) = _views([[(3, 1, 0)], [(1, 0, 2)], [(0, 0, 5)]])
    shares = [4 / 6, 2 / 5, 1 / 7]

    assert pytest.approx(prod(shares) ** (1 / 3)) == view.common
    assert pytest.approx(prod(shares)) == view.gac


@given(st.lists(st.tuples(*[st.tuples(*[st.integers(0, 9)] * 3)] * 3), min_size=1, max_size=6))
def test_the_order_is_that_of_group_aware_consensus(rows: list[tuple[tuple[int, int, int], ...]]) -> None:
    views = _views([list(group) for group in zip(*rows, strict=True)], sizes=[27, 27, 27])
    gacs = [view.gac for view in views]

    assert sorted(gacs, reverse=True) == pytest.approx(gacs)


def test_bounds_are_about_agreement_among_those_who_saw_it() -> None:
    (view,) = _views([[(30, 5, 5)], [(0, 20, 0)]])

    assert view.lower < 30 / 60 < view.upper
    assert view.group_bounds[0][0] < 30 / 40 < view.group_bounds[0][1]
    assert 0 == view.group_bounds[1][0]
    assert (VoteCount(30, 25, 60), (VoteCount(30, 5, 40), VoteCount(0, 20, 20))) == (view.total, view.groups)


def test_a_majority_holds_only_if_it_does_in_every_group() -> None:
    firm, split, against = _views([[(40, 0, 0), (40, 0, 0), (0, 40, 0)], [(30, 2, 0), (2, 30, 0), (1, 30, 0)]])

    assert [0, 2, 1] == sorted((view.id for view in (firm, split, against)), key=lambda s: (s == 1, s))
    assert firm.holds > 0.999
    assert firm.holds_against == pytest.approx(0)
    by_id = {view.id: view for view in (firm, split, against)}
    assert by_id[1].holds == pytest.approx(0, abs=1e-6)
    assert by_id[2].holds_against > 0.999


def test_without_groups_all_participants_are_judged_together() -> None:
    first, second = _alone([(8, 2, 0), (2, 8, 0)], people=12)

    assert ((), ()) == (first.groups, first.group_bounds)
    assert 9 / 12 == pytest.approx(first.common)
    assert (True, False) == (first.is_shared, second.is_shared)
    assert first.holds > 0.9 > second.holds


def test_statements_moderated_out_and_those_without_counts_are_left_out() -> None:
    assert [0, 2] == sorted(view.id for view in _views([[(5, 1, 0)] * 3], out=(1,)))
    found = statistics_of_counts([1], np.zeros((1, 1, 3), dtype=np.int64), np.zeros((1, 3), dtype=np.int64), [3])
    assert [1] == [view.id for view in statement_views([Statement(0), Statement(1), Statement(2)], found, 3)]


def test_no_statement_is_no_view() -> None:
    assert () == _alone([], people=0)
    assert () == _views([[(5, 1, 0)]], out=(0,))


def test_a_statement_nobody_saw_is_not_shared() -> None:
    (view,) = _views([[(0, 0, 0)], [(9, 0, 0)]], sizes=[4, 9])

    assert not view.is_shared
    assert (0, 0) == (view.holds, view.holds_against)


def test_many_groups_of_very_many_people_still_have_an_order() -> None:
    n = 10**9
    views = _views([[(0, n, 0), (1000, n - 1000, 0)]] * 60)

    assert [1, 0] == [view.id for view in views]
    assert all(view.common > 0 for view in views)


# Statements withheld


def _with_withheld(*withheld: WithheldStatement) -> Overview:
    cells = np.array([[(9, 1, 0), (4, 4, 2)], [(8, 2, 0), (1, 8, 1)]], dtype=np.int64)
    statements = [Statement(0, "a"), Statement(1, "b", is_meta=True), *(Statement(s, f"{s}") for s in (2, 3, 4))]
    return overview_of(
        title="",
        evidence="",
        licence="",
        grouping="",
        statements=[*statements, Statement(9, "9", "out")],
        found=statistics_of_counts([0, 1], cells, cells.sum(axis=0), [10, 10], {1}),
        n_participants=20,
        n_votes=40,
        withheld=withheld,
        min_cell=5,
    )


def test_withheld_statements_stand_in_the_order_of_their_ids_without_those_moderated_out() -> None:
    of = _with_withheld(*(WithheldStatement(s, f"{s}") for s in (9, 3, 2)))

    assert [2, 3] == [each.id for each in of.withheld]
    assert [0, 1] == [view.id for view in of.statements]
    assert 1 == of.n_moderated_out


def test_consensus_considers_withheld_statements_whose_totals_are_known() -> None:
    of = _with_withheld(WithheldStatement(2, "2", VoteCount(20, 0, 20)), WithheldStatement(3, "3"))

    assert [0] == _with_withheld().statistics.consensus.agree
    assert [2, 0] == of.statistics.consensus.agree
    assert 1 == of.n_not_in_consensus
    assert _with_withheld().statistics.repness == of.statistics.repness


# Groups


@pytest.mark.parametrize(
    ("silhouette", "people", "named", "is_doubtful"),
    [
        (-0.02, 900, "Silhouette −0.02, ", True),
        (0.24, 900, "hardly apart", True),
        (0.25, 900, "weakly apart", True),
        (0.45, 900, "weakly apart", False),
        (0.45, 40, "weakly apart", True),
        (0.5, 900, "fairly apart", False),
        (0.7, 40, "clearly apart", False),
    ],
)
def test_how_far_apart_groups_are_is_told_in_words(
    silhouette: float, people: int, named: str, is_doubtful: bool
) -> None:
    said = apartness(silhouette, people)

    assert named in said
    assert is_doubtful == ("does not show that there are groups" in said)


@pytest.mark.parametrize(
    ("people", "n", "share"),
    [(16, 20, 0.9), (26, 36, 0.7), (40, 10, 1.0), (60, 12, 1.0), (200, 30, 1.0), (200, 30, 0.4), (600, 60, 0.3)],
)
def test_chance_votes_have_groups_and_these_are_called_doubtful(people: int, n: int, share: float) -> None:
    for chance in range(3):
        rng = np.random.default_rng(chance)
        cast = rng.choice([-1, 0, 1], (people, n), p=[0.3, 0.2, 0.5])
        seen = rng.random((people, n)) < share
        found = group_opinions(
            table({who: {s: int(cast[who, s]) for s in range(n) if seen[who, s]} for who in range(people)})
        )
        silhouette = found.silhouettes[found.n_groups] / 1_000_000

        assert 0.3 < silhouette < (0.42 if people >= 60 else 0.55)
        assert "does not show that there are groups" in apartness(silhouette, people)


# The map


@given(st.lists(st.integers(-1, 2), max_size=120), st.integers(0, 2**16))
def test_every_grouped_person_is_in_one_dot_of_five_or_more(numbers: list[int], chance: int) -> None:
    labels = np.array(numbers, dtype=np.int16)
    places = np.random.default_rng(chance).integers(-(2**14), 2**14 + 1, (len(numbers), 2))
    dots = opinion_map(places, labels, least=1)

    for group in range(3):
        size = int((labels == group).sum())
        people = [dot.people for dot in dots if dot.group == group]
        assert size == sum(people)
        assert all(each >= min(5, size) for each in people)
    assert all(-1 <= dot.x <= 1 and -1 <= dot.y <= 1 for dot in dots)
    assert {dot.group for dot in dots} <= {0, 1, 2}


@given(st.lists(st.integers(-1, 2), max_size=120), st.integers(2, 30))
def test_where_ballots_are_withheld_no_dot_is_about_fewer_than_the_least(numbers: list[int], least: int) -> None:
    labels = np.array(numbers, dtype=np.int16)
    dots = opinion_map(np.zeros((len(numbers), 2), dtype=np.int64), labels, least)
    fewest = max(5, least)

    assert all(dot.people >= fewest for dot in dots)
    assert {group for group in range(3) if (labels == group).sum() >= fewest} == {dot.group for dot in dots}


def test_a_map_of_very_many_people_has_few_dots_that_keep_the_middle() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.array([0, 1], dtype=np.int16), [20_000, 10_000])
    places = rng.integers(-4000, 4000, (30_000, 2)) + np.where(labels[:, None] == 0, 8000, -8000)
    dots = opinion_map(places, labels)
    largest = np.abs(places).max()

    assert 300 >= len(dots) > 250
    for group in (0, 1):
        middle = places[labels == group].mean(axis=0) / largest
        of = [dot for dot in dots if dot.group == group]
        total = sum(dot.people for dot in of)
        mean = [sum(dot.x * dot.people for dot in of) / total, sum(dot.y * dot.people for dot in of) / total]
        assert mean == pytest.approx(middle.tolist())


def test_neighbours_stand_in_one_dot() -> None:
    places = np.array([[-9000, -9000]] * 5 + [[9000, 9000]] * 5 + [[-9000, 9000]] * 5)
    dots = opinion_map(places, np.zeros(15, dtype=np.int16))

    assert {(-1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)} == {(dot.x, dot.y) for dot in dots}


def test_the_order_of_people_changes_no_dot_where_they_stand_apart() -> None:
    rng = np.random.default_rng(1)
    places, labels = rng.integers(-(2**14), 2**14, (50, 2)), rng.integers(0, 2, 50).astype(np.int16)
    order = rng.permutation(50)
    one, other = opinion_map(places, labels), opinion_map(places[order], labels[order])

    assert [(dot.group, dot.people) for dot in one] == [(dot.group, dot.people) for dot in other]
    assert [dot.x for dot in one] == pytest.approx([dot.x for dot in other])


def test_nobody_on_the_map_is_no_dot() -> None:
    assert () == opinion_map(np.zeros((0, 2), dtype=np.int64), np.zeros(0, dtype=np.int16))
    assert () == opinion_map(np.zeros((4, 2), dtype=np.int64), np.full(4, -1, dtype=np.int16))


def test_all_in_the_middle_are_shown_there() -> None:
    dots = opinion_map(np.zeros((7, 2), dtype=np.int64), np.zeros(7, dtype=np.int16))

    assert [(0.0, 0.0, 7)] == [(dot.x, dot.y, dot.people) for dot in dots]
