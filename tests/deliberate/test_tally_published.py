"""What a tally publishes: nothing impossible is believed, and subtracting earlier ones shows nobody."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from auzolan.core.record.errors import VerificationError
from auzolan.deliberate.grouping import group_opinions, seed_of
from auzolan.deliberate.tally import Cell, Counts, StatementCounts, count, telling_differences, verify_counts
from tests.deliberate.tables import name, planted, sealed, table
from tests.deliberate.test_tally import Case


def _with(counts: Counts, statement: int, **changes: Any) -> Counts:
    rows = tuple(replace(each, **changes) if each.id == statement else each for each in counts.statements)
    return replace(counts, statements=rows)


def _verified(case: Case, counts: Counts) -> Counts:
    return verify_counts(counts, case.tally, case.ballots.table.statements)


def test_honest_counts_are_possible() -> None:
    for min_cell in (1, 3, 5):
        case = Case(min_cell)

        assert case.counts == _verified(case, case.counts)


def _impossible() -> list[tuple[str, Counts]]:
    counts = Case(1).counts
    first = counts.statements[0]
    assert first.all, "everybody voted on it"
    assert first.by[0], "and it is counted by group"
    large, small = first.by[0]
    swollen = Cell(7, 0, 0, *count_bounds(7, 7))
    ghost = StatementCounts(99, first.all, first.by)
    division = counts.divisions[0]
    return [
        ("known twice", replace(counts, statements=(first, *counts.statements))),
        ("unknown", replace(counts, statements=(*counts.statements, ghost))),
        ("division twice", replace(counts, divisions=(division, division))),
        ("other groups", replace(counts, divisions=(replace(division, sizes=(9, 2)), *counts.divisions[1:]))),
        ("no divisions", replace(counts, divisions=())),
        ("more than the group", _with(counts, 0, by=((swollen, small), *first.by[1:]))),
        ("more than all", _with(counts, 0, by=((large, small._replace(agree=5)), *first.by[1:]))),
        ("other bounds", _with(counts, 0, all=first.all._replace(lower_ppm=1))),
        ("groups without all", _with(counts, 0, all=None)),
    ]


def count_bounds(agree: int, seen: int) -> tuple[int, int]:
    from auzolan.deliberate.bounds import jeffreys_ppm

    lower, upper = jeffreys_ppm(np.array(agree), np.array(seen))
    return int(lower), int(upper)


@pytest.mark.parametrize(("what", "counts"), _impossible(), ids=[what for what, _ in _impossible()])
def test_impossible_counts_are_not_believed(what: str, counts: Counts) -> None:
    with pytest.raises(VerificationError, match="counts"):
        _verified(Case(1), counts)


def test_a_count_about_too_few_people_is_not_believed() -> None:
    case, open_ = Case(3), Case(1)
    leaking = replace(open_.counts, min_cell=3)
    tally = replace(case.tally, n_withheld=leaking.n_withheld)

    with pytest.raises(VerificationError, match="a count about"):
        verify_counts(leaking, tally, case.ballots.table.statements)


def test_values_that_few_people_have_are_not_named() -> None:
    ballots = sealed(
        table({who: {0: 1, 1: -1} for who in range(12)}),
        {"district": {name(who): "The mayor" if who == 0 else "Centre" for who in range(12)}},
    )
    counts = count(ballots, np.zeros(12, dtype=np.int16), 1, 3)

    assert b"mayor" not in counts.to_bytes()
    assert ("Centre",) == counts.divisions[1].values


def test_a_later_tally_withholds_what_would_show_a_few_by_subtraction() -> None:
    everybody = sealed(table({who: {0: 1, 1: -1} if who < 3 else {0: 1} for who in range(20)} | {30: {2: 1}}))
    labels = np.zeros(21, dtype=np.int16)
    before = count(everybody, labels, 1, 3)
    after = count(everybody.without([name(0), name(4), name(5)]), labels[:18], 1, 3)

    # Three are gone from statement 0, one of them from statement 1, nobody from statement 2.
    assert {0: 20, 1: 3} == {each.id: sum(each.all[:3]) for each in before.statements if each.all}
    assert frozenset() == telling_differences([before], after)
    assert frozenset() == telling_differences([], after)

    one_less = count(everybody.without([name(4)]), labels[:20], 1, 3)

    assert frozenset({0}) == telling_differences([before], one_less)
    hidden = count(everybody.without([name(4)]), labels[:20], 1, 3, frozenset({0}))
    assert (None, (None,)) == (hidden.statements[0].all, hidden.statements[0].by)


def test_starts_follow_from_votes_and_from_nothing_else() -> None:
    made = planted([40, 30], 12).table
    renamed = replace(made, participants=[f"{number:032x}" for number in range(len(made.participants))])

    assert seed_of(made) == seed_of(renamed)
    assert seed_of(made) != seed_of(planted([40, 31], 12).table)
    assert group_opinions(made).labels.tolist() == group_opinions(renamed).labels.tolist()
