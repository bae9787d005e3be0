"""Standings by quorum, bounds and groups, and both margins against adding ballots one by one."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from auzolan.deliberate.bounds import jeffreys_ppm, outweighs_ppm
from auzolan.deliberate.ratify.eligibility import GroupCounts, Judged, Standing, judge
from auzolan.deliberate.ratify.parameters import Parameters
from auzolan.deliberate.sources.polis import read_polis
from tests.shared_data import copied_folder

Counts = NDArray[np.int64]
MOST = 24  # ballots that brute force adds at most


def _one(
    total: tuple[int, int, int],
    *groups: tuple[int, tuple[int, int, int]],
    vetoes: frozenset[int] = frozenset(),
    participants: int = 100,
    out: bool = False,
    **by: Any,
) -> Judged:
    """Judge one statement; groups are their sizes and votes, named A, B and so on."""
    parts = [
        GroupCounts(chr(65 + place), size, place in vetoes, np.array([votes]))
        for place, (size, votes) in enumerate(groups)
    ]
    return judge(np.array([total]), parts, np.array([out]), participants, Parameters(seats=3, **by))[0]


# Standings


def test_agreement_of_most_is_eligible() -> None:
    assert Standing.ELIGIBLE is _one((16, 4, 0)).standing


def test_too_few_votes_are_never_called_rejection() -> None:
    assert Standing.FEW_VOTES is _one((9, 0, 0)).standing
    assert Standing.FEW_VOTES is _one((0, 9, 0)).standing
    assert Standing.ELIGIBLE is _one((10, 0, 0)).standing


def test_passes_count_for_the_quorum_and_against_support() -> None:
    assert Standing.ELIGIBLE is _one((15, 0, 0)).standing
    assert Standing.UNSUPPORTED is _one((15, 0, 15)).standing


def test_the_quorum_grows_with_the_participants() -> None:
    assert Standing.FEW_VOTES is _one((29, 0, 0), participants=300).standing
    assert Standing.ELIGIBLE is _one((30, 0, 0), participants=300).standing


def test_support_is_the_lower_bound_and_not_the_share() -> None:
    """6 of 10 agree, but the 5 % quantile of Beta(6.5, 4.5) is 0.36; 8 of 10 give 0.53."""
    assert Standing.UNSUPPORTED is _one((6, 4, 0)).standing
    assert Standing.ELIGIBLE is _one((8, 2, 0)).standing


def test_a_group_against_contests_and_is_named() -> None:
    found = _one((90, 10, 0), (60, (60, 0, 0)), (20, (2, 10, 0)))

    assert (Standing.CONTESTED, ("B",)) == (found.standing, found.against)


def test_all_groups_against_are_named() -> None:
    found = _one((90, 30, 0), (20, (2, 15, 0)), (20, (2, 15, 0)))

    assert (Standing.CONTESTED, ("A", "B")) == (found.standing, found.against)


def test_passes_of_a_group_contest_nothing() -> None:
    assert Standing.ELIGIBLE is _one((90, 1, 30), (40, (2, 1, 30))).standing


def test_one_half_in_every_group_may_be_asked_for() -> None:
    groups = (40, (12, 10, 0))

    assert Standing.ELIGIBLE is _one((90, 10, 0), groups).standing
    assert Standing.CONTESTED is _one((90, 10, 0), groups, group_rule="half").standing


def test_groups_may_be_left_out_of_it() -> None:
    assert Standing.ELIGIBLE is _one((90, 10, 0), (20, (0, 10, 0)), group_rule="none").standing


def test_a_group_that_nobody_of_voted_contests_nothing() -> None:
    for rule in ("disagreement", "half"):
        assert Standing.ELIGIBLE is _one((90, 10, 0), (20, (0, 0, 0)), group_rule=rule).standing


def test_small_groups_contest_nothing() -> None:
    """10 people and 5 % of 1,000 participants."""
    assert Standing.ELIGIBLE is _one((90, 9, 0), (9, (0, 9, 0))).standing
    assert Standing.CONTESTED is _one((90, 10, 0), (10, (0, 10, 0))).standing
    assert Standing.ELIGIBLE is _one((90, 10, 0), (49, (0, 10, 0)), participants=1_000).standing


def test_only_a_group_that_may_block_blocks() -> None:
    groups = ((20, (2, 15, 0)), (20, (2, 15, 0)))

    assert Standing.CONTESTED is _one((90, 30, 0), *groups).standing
    assert Standing.BLOCKED is _one((90, 30, 0), *groups, vetoes=frozenset({1})).standing


def test_a_group_that_may_block_and_is_for_it_does_not() -> None:
    groups = ((20, (2, 15, 0)), (20, (15, 2, 0)))
    found = _one((90, 30, 0), *groups, vetoes=frozenset({1}))

    assert (Standing.CONTESTED, ("A",)) == (found.standing, found.against)


def test_a_veto_counts_where_groups_contest_nothing() -> None:
    groups = ((20, (2, 15, 0)), (20, (2, 15, 0)))
    found = _one((90, 30, 0), *groups, vetoes=frozenset({1}), group_rule="none")

    assert (Standing.BLOCKED, ("B",)) == (found.standing, found.against)


def test_what_was_moderated_out_has_no_margins() -> None:
    assert Judged(Standing.MODERATED_OUT, (), None, 0) == _one((90, 10, 0), out=True)


def test_no_statements_are_judged_to_nothing() -> None:
    assert [] == judge(np.zeros((0, 3), np.int64), [], np.zeros(0, bool), 0, Parameters(seats=1))


def test_a_statement_nobody_voted_on_lacks_the_quorum() -> None:
    assert Judged(Standing.FEW_VOTES, (), 10, 0) == _one((0, 0, 0))


# Margins


def test_the_margins_of_a_plain_statement() -> None:
    assert Judged(Standing.ELIGIBLE, (), 0, 1) == _one((8, 2, 0))
    assert Judged(Standing.UNSUPPORTED, (), 2, 0) == _one((7, 2, 1))


def test_support_that_no_bound_reaches_has_no_admit_margin() -> None:
    found = _one((90, 10, 0), support_ppm=1_000_000)

    assert (Standing.UNSUPPORTED, None, 0) == (found.standing, found.admit_margin, found.block_margin)


def test_a_ballot_of_a_group_and_a_stratum_counts_for_both() -> None:
    """The same twenty people are an opinion group and a stratum with a veto; each alone lacks the same ballots."""
    counts = np.array([[4, 10, 0]])
    group = GroupCounts("A", 20, False, counts)
    stratum = GroupCounts("district: port", 20, True, counts, division="district")
    total, none_out, by = np.array([[90, 10, 0]]), np.array([False]), Parameters(seats=1)
    alone = judge(total, [group], none_out, 100, by)[0]
    both = judge(total, [group, stratum], none_out, 100, by)[0]

    assert Standing.CONTESTED is alone.standing
    assert Standing.BLOCKED is both.standing
    assert alone.admit_margin == both.admit_margin


def _is_eligible(totals: Counts, groups: list[Counts], quorum: int, by: Parameters) -> NDArray[np.bool_]:
    """Say of each row whether it is eligible, from the definition."""
    eligible: NDArray[np.bool_] = totals.sum(axis=1) >= quorum
    eligible &= jeffreys_ppm(totals[:, 0], totals.sum(axis=1))[0] >= by.support_ppm
    for counts in groups if by.group_rule != "none" else []:
        eligible &= outweighs_ppm(counts[:, 1], counts[:, 0]) < by.contest_ppm
        if by.group_rule == "half":
            eligible &= (counts.sum(axis=1) == 0) | (jeffreys_ppm(counts[:, 0], counts.sum(axis=1))[0] >= 500_000)
    return eligible


def _fewest(total: Counts, groups: list[Counts], kind: int, quorum: int, by: Parameters, wanted: bool) -> int | None:
    """Add up to `MOST` ballots of one kind, in all ways to share them among groups and those in none."""
    ways = np.array([way for way in product(range(MOST + 1), repeat=len(groups) + 1) if sum(way) <= MOST])
    more = np.zeros((len(ways), 3), dtype=np.int64)
    more[:, kind] = ways.sum(axis=1)
    parts = []
    for place, counts in enumerate(groups):
        extra = np.zeros((len(ways), 3), dtype=np.int64)
        extra[:, kind] = ways[:, place]
        parts.append(counts + extra)
    reached = _is_eligible(total + more, parts, quorum, by) == wanted
    return int(ways[reached].sum(axis=1).min()) if reached.any() else None


@pytest.mark.parametrize("rule", ["disagreement", "half", "none"])
@pytest.mark.parametrize("n_groups", [0, 1, 2])
def test_margins_are_the_fewest_ballots_that_flip_a_standing(rule: str, n_groups: int) -> None:
    source = np.random.default_rng([n_groups, len(rule)])
    flipped = 0
    for _ in range(25):
        groups = [source.integers(0, [9, 7, 3]) for _ in range(n_groups)]
        total = source.integers(0, [14, 6, 3]) + sum(groups, np.zeros(3, np.int64))
        by = Parameters(seats=1, group_rule=rule, group_least=1, contest_ppm=int(source.choice([700_000, 900_000])))
        parts = [GroupCounts(str(place), 30, False, counts[None]) for place, counts in enumerate(groups)]
        found = judge(total[None], parts, np.array([False]), 60, by)[0]
        eligible = bool(_is_eligible(total[None], [g[None] for g in groups], by.quorum(60), by)[0])
        admit = _fewest(total, groups, 0, by.quorum(60), by, wanted=True)
        block = _fewest(total, groups, 1, by.quorum(60), by, wanted=False)

        assert eligible == (found.standing is Standing.ELIGIBLE)
        assert admit == found.admit_margin or (admit is None and (found.admit_margin or MOST + 1) > MOST)
        assert block == found.block_margin or (block is None and (found.block_margin or MOST + 1) > MOST)
        flipped += (admit or 0) > 0 or (block or 0) > 0

    assert flipped > 10


def test_margins_flip_the_standings_of_a_real_conversation() -> None:
    """One ballot fewer leaves each standing as it is, however it is placed."""
    read = read_polis(copied_folder("polis/london.youth.policing"), lambda raw: f"{raw:0>32}")
    labels = (np.arange(len(read.table.participants)) % 2).astype(np.int16)
    counts, totals, by = read.table.counts(labels, 2), read.table.totals(), Parameters(seats=5, group_least=1)
    n, margins = len(labels), set()
    parts = [GroupCounts(str(group), n // 2, False, counts[group]) for group in range(2)]
    for place, found in enumerate(judge(totals, parts, np.zeros(len(totals), bool), n, by)):
        of_groups = [counts[group][place] for group in range(2)]
        for kind, margin in ((0, found.admit_margin), (1, found.block_margin)):
            if margin and margin <= MOST:
                margins.add(margin)

                assert margin == _fewest(totals[place], of_groups, kind, by.quorum(n), by, wanted=kind == 0)

    assert len(margins) > 5


def test_large_margins_are_exact() -> None:
    found = _one((1_000, 100_000, 0), participants=200_000)
    margin = found.admit_margin or 0

    assert Standing.ELIGIBLE is _one((1_000 + margin, 100_000, 0), participants=200_000).standing
    assert Standing.UNSUPPORTED is _one((1_000 + margin - 1, 100_000, 0), participants=200_000).standing
    assert margin > 99_000


def test_many_statements_are_judged_as_each_alone() -> None:
    source = np.random.default_rng(1)
    totals = source.integers(0, [40, 30, 10], size=(60, 3))
    counts = totals // 2
    group = [GroupCounts("A", 20, False, counts)]
    by, out = Parameters(seats=1), source.random(60) < 0.1
    together = judge(totals, group, out, 100, by)
    alone = [
        judge(totals[i : i + 1], [GroupCounts("A", 20, False, counts[i : i + 1])], out[i : i + 1], 100, by)[0]
        for i in range(60)
    ]

    assert alone == together
    assert {Standing.ELIGIBLE, Standing.UNSUPPORTED, Standing.MODERATED_OUT} <= {each.standing for each in together}
