"""Shares of resamples, against counting all resamples of few people and against drawing many of more."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import product
from math import comb
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from auzolan.deliberate.bounds import jeffreys_lower_ppm, outweighs_ppm
from auzolan.deliberate.ratify import resampling as module
from auzolan.deliberate.ratify.eligibility import GroupCounts, Support
from auzolan.deliberate.ratify.parameters import Parameters
from auzolan.deliberate.ratify.resampling import holds_of_100, share_of_resamples, unopposed_of_100
from tests import strategies

assert strategies, "property tests are deterministic only with its profile"

Counts = NDArray[np.int64]
Holds = Callable[[Counts], NDArray[np.bool_]]
SMALL = {"roll": 20, "roll_percent": 20}


def _by(**changes: Any) -> Parameters:
    return Parameters(seats=3, **changes)


def _resamples(size: int) -> Counts:
    """Return every (agree, disagree, pass) that `size` people can have."""
    return np.array([each for each in product(range(size + 1), repeat=3) if sum(each) <= size], dtype=np.int64)


def _share(counts: tuple[int, int, int], size: int, holds: Holds) -> Fraction:
    """Sum the multinomial distribution over all resamples for which a condition holds."""
    drawn = _resamples(size)
    total = 0
    for a, d, p in drawn[holds(drawn)].tolist():
        ways = comb(size, a) * comb(size - a, d) * comb(size - a - d, p)
        total += ways * counts[0] ** a * counts[1] ** d * counts[2] ** p * (size - sum(counts)) ** (size - a - d - p)
    return Fraction(total, size**size)


def _of_100(share: Fraction | float) -> int:
    return int(share * 100 + Fraction(1, 2)) if isinstance(share, Fraction) else round(share * 100)


def _not_against(by: Parameters) -> Holds:
    """Say of what was drawn of a group when the group is not against it."""

    def holds(counts: Counts) -> NDArray[np.bool_]:
        votes = counts.sum(axis=1)
        against = (outweighs_ppm(counts[:, 1], counts[:, 0]) >= by.contest_ppm) & (votes >= by.contest_votes)
        if by.group_rule == "half":
            against |= (jeffreys_lower_ppm(counts[:, 0], votes) < 500_000) & (votes > 0)
        found: NDArray[np.bool_] = ~against
        return found

    return holds


def _group(size: int, counts: Counts, may_block: bool = False) -> GroupCounts:
    return GroupCounts("A", size, may_block, counts)


# Against counting all resamples

RULES = [
    ("A", _by(quorum_least=4, quorum_most=4)),
    ("A", _by(quorum_least=0, quorum_percent=0, support_ppm=0)),
    ("A", _by(quorum_least=1, quorum_most=1, support_ppm=333_333)),
    ("A", _by(support_ppm=1_000_000)),
    ("A", _by(**SMALL)),
    ("A", _by(**SMALL, supermajority=Fraction(3, 4))),
    ("A", _by(**SMALL, small_rule="consent")),
    ("B", _by(quorum_least=3, quorum_most=3)),
    ("B", _by(**SMALL)),
]


@pytest.mark.parametrize(("grade", "by"), RULES)
@pytest.mark.parametrize("size", [1, 2, 5, 8])
def test_support_of_few_people_is_as_counting_all_resamples_says(grade: str, by: Parameters, size: int) -> None:
    totals = _resamples(size)[:: 1 if size < 6 else 7]
    if grade == "B":
        totals = totals[totals[:, 1:].sum(axis=1) == 0]
    support = Support(by.quorum(size), by, grade)
    expected = [_of_100(_share(tuple(each), size, support.holds)) for each in totals.tolist()]

    assert expected == holds_of_100(totals, size, by, grade).tolist()


@pytest.mark.parametrize(
    "by",
    [
        _by(contest_votes=3),
        _by(contest_votes=0, contest_ppm=500_000),
        _by(contest_votes=2, contest_ppm=0),
        _by(contest_ppm=1_000_000),
        _by(group_rule="half"),
        _by(group_rule="half", contest_ppm=500_000, contest_votes=1),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 5, 8])
def test_what_few_people_of_a_group_are_against_is_too(by: Parameters, size: int) -> None:
    counts = _resamples(size)[:: 1 if size < 6 else 7]
    expected = [_of_100(_share(tuple(each), size, _not_against(by))) for each in counts.tolist()]

    assert expected == unopposed_of_100([_group(size, counts)], len(counts), by).tolist()


def test_groups_are_drawn_apart() -> None:
    by = _by(contest_votes=3)
    one, other = np.array([[2, 3, 1]]), np.array([[1, 2, 2]])
    expected = _share((2, 3, 1), 7, _not_against(by)) * _share((1, 2, 2), 6, _not_against(by))

    assert [_of_100(expected)] == unopposed_of_100([_group(7, one), _group(6, other)], 1, by).tolist()


# Against drawing many

MORE = [
    (60, (20, 10, 5)),
    (200, (60, 35, 15)),
    (2_000, (230, 200, 30)),
    (20_000, (5_200, 4_900, 0)),
    (50_000, (20, 9, 2)),
]


@pytest.mark.parametrize(("size", "counts"), MORE)
@pytest.mark.parametrize("changes", [{}, {"support_ppm": 666_667}, {"support_ppm": 450_000}])
def test_support_is_as_drawing_many_resamples_says(
    size: int, counts: tuple[int, int, int], changes: dict[str, int]
) -> None:
    by = _by(**changes)
    rng = np.random.default_rng(7)
    drawn = rng.multinomial(size, np.array([*counts, size - sum(counts)]) / size, 20_000)[:, :3]
    simulated = float(Support(by.quorum(size), by, "A").holds(drawn).mean()) * 100

    assert pytest.approx(simulated, abs=1.7) == holds_of_100(np.array([counts]), size, by)[0]


@pytest.mark.parametrize(("size", "counts"), [(60, (20, 24, 5)), (900, (200, 215, 60)), (20_000, (4_950, 5_050, 99))])
@pytest.mark.parametrize("rule", ["disagreement", "half"])
def test_what_groups_are_against_is_too(size: int, counts: tuple[int, int, int], rule: str) -> None:
    by = _by(group_rule=rule)
    agree, disagree, aside = counts
    if rule == "half":
        counts = (disagree + aside, agree, 0)
    rng = np.random.default_rng(8)
    drawn = rng.multinomial(size, np.array([*counts, size - sum(counts)]) / size, 20_000)[:, :3]
    simulated = float(_not_against(by)(drawn).mean()) * 100

    assert pytest.approx(simulated, abs=1.7) == unopposed_of_100([_group(size, np.array([counts]))], 1, by)[0]


# However many there are


def _by_tens(size: int) -> Counts:
    agree = np.arange(0, size + 1, max(size // 50, 1))
    return np.stack([agree, size - agree, np.zeros_like(agree)], axis=1)


@given(st.integers(1, 3_000), st.data())
def test_more_who_agree_never_make_support_less_firm(size: int, data: st.DataObject) -> None:
    voted = data.draw(st.integers(0, size))
    held = holds_of_100(_by_tens(voted), size, _by())

    assert sorted(held.tolist()) == held.tolist()


@given(st.integers(1, 3_000), st.sampled_from(["disagreement", "half"]), st.data())
def test_more_who_agree_never_make_a_group_more_opposed(size: int, rule: str, data: st.DataObject) -> None:
    counts = _by_tens(data.draw(st.integers(0, size)))
    unopposed = unopposed_of_100([_group(size, counts)], len(counts), _by(group_rule=rule))

    assert sorted(unopposed.tolist()) == unopposed.tolist()


def test_more_people_make_what_is_clear_clearer() -> None:
    held = [int(holds_of_100(np.array([[6 * n, 4 * n, 0]]), 20 * n, _by())[0]) for n in (10, 10**3, 10**5, 10**8)]
    opposed = [
        int(unopposed_of_100([_group(20 * n, np.array([[4 * n, 6 * n, 0]]))], 1, _by())[0]) for n in (10, 10**3, 10**8)
    ]

    assert sorted(held) == held
    assert held[-1] == 100
    assert opposed[-1] == 0 < opposed[0]


def test_a_great_many_people_on_the_edge_of_support_are_half_of_the_time_supported() -> None:
    size, voted = 10**8, 4 * 10**7
    agree = voted // 2 + round(1.6449 * (voted / 4) ** 0.5)

    assert [50] == holds_of_100(np.array([[agree, voted - agree, 0]]), size, _by()).tolist()


def test_a_quorum_in_the_middle_of_very_many_is_reached_half_of_the_time() -> None:
    by = _by(quorum_most=10**6)

    assert [50] == holds_of_100(np.array([[90_000, 10_000, 0]]), 10**6, by).tolist()


def test_taking_every_few_terms_changes_a_share_by_less_than_one_in_100(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(9)
    size, n = 30_000, 400
    voted = rng.integers(200, size, n)
    agree = np.minimum((voted / 2 + rng.normal(0.8, 0.8, n) * np.sqrt(voted)).astype(np.int64), voted)
    arguments = size, voted, agree, np.zeros_like(agree), 30
    for least in (lambda k: k // 2 + 1, lambda k: k // 2 + np.sqrt(k).astype(np.int64)):
        with monkeypatch.context() as patched:
            patched.setattr(module, "_TERMS", 10**6)
            whole = share_of_resamples(*arguments, least)

        assert 0 < float(np.abs(whole - share_of_resamples(*arguments, least)).max()) < 0.01


# Edges


def test_what_nobody_voted_on_is_never_supported_and_never_opposed() -> None:
    nobody = np.zeros((1, 3), dtype=np.int64)

    assert [0] == holds_of_100(nobody, 50, _by()).tolist()
    assert [0] == holds_of_100(nobody, 50, _by(**SMALL)).tolist()
    assert [0] == holds_of_100(nobody, 50, _by(), "B").tolist()
    for rule in ("disagreement", "half", "none"):
        assert [100] == unopposed_of_100([_group(50, nobody)], 1, _by(group_rule=rule)).tolist()


def test_what_everybody_agrees_with_stands_in_every_resample() -> None:
    everybody = np.array([[40, 0, 0]])

    assert [100] == holds_of_100(everybody, 40, _by()).tolist()
    assert [100] == holds_of_100(everybody, 40, _by(**SMALL, small_rule="consent")).tolist()
    assert [100] == unopposed_of_100([_group(40, everybody)], 1, _by(group_rule="half")).tolist()


def test_what_everybody_disagrees_with_stands_in_none() -> None:
    nobody = np.array([[0, 40, 0]])

    assert [0] == holds_of_100(nobody, 40, _by()).tolist()
    assert [0] == unopposed_of_100([_group(40, nobody)], 1, _by()).tolist()


def test_one_person_is_drawn_again_for_certain() -> None:
    alone = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]])
    by, sure_of_less = _by(roll=1, roll_percent=100), _by(contest_votes=1, contest_ppm=800_000)

    assert [100, 0, 0, 0] == holds_of_100(alone, 1, by).tolist()
    assert [100, 0, 100, 100] == unopposed_of_100([_group(1, alone)], 4, sure_of_less).tolist()


def test_those_who_pass_count_for_the_quorum_of_a_small_community_and_for_nothing_else() -> None:
    by = _by(roll=10, roll_percent=100)

    assert [100] == holds_of_100(np.array([[9, 0, 1]]), 10, by).tolist()
    assert [65] == holds_of_100(np.array([[1, 0, 9]]), 10, by).tolist()  # that somebody who agrees is drawn


def test_without_groups_nothing_is_opposed() -> None:
    assert [100, 100] == unopposed_of_100([], 2, _by()).tolist()
    assert [] == unopposed_of_100([_group(9, np.zeros((0, 3), dtype=np.int64))], 0, _by()).tolist()


def test_groups_that_may_block_are_asked_whatever_contests() -> None:
    counts = np.array([[2, 30, 0]])
    by = _by(group_rule="none")

    assert [100] == unopposed_of_100([_group(40, counts)], 1, by).tolist()
    assert [0] == unopposed_of_100([_group(40, counts, may_block=True)], 1, by).tolist()


def test_any_other_condition_can_be_asked_about() -> None:
    at_least_two = share_of_resamples(4, np.array([3]), np.array([2]), np.array([0]), 1, lambda n: np.full_like(n, 2))

    assert pytest.approx(1 - 5 / 16) == float(at_least_two[0])


@pytest.mark.parametrize(("agreeing", "counted", "aside"), [(4, 3, 0), (-1, 3, 0), (1, 8, 3), (1, 3, -1)])
def test_counts_that_cannot_be_are_refused(agreeing: int, counted: int, aside: int) -> None:
    with pytest.raises(ValueError, match="at most as many who agree"):
        share_of_resamples(10, np.array([counted]), np.array([agreeing]), np.array([aside]), 1, lambda n: n)
