"""What counts can say: the same as the table of counts says, and no more."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auzolan.core.record.errors import UsageError
from auzolan.deliberate.counts_only import JEFFREYS, Counted, CountTable, rank
from auzolan.deliberate.decidim.entities import Key
from auzolan.deliberate.shortlist.candidates import Candidate, Votes
from auzolan.deliberate.shortlist.scoring import Evidence, rank_of, share_of_participants


def _candidate(number: int, votes: Votes | None, supports: int | None = None) -> Candidate:
    return Candidate(Key("d.example", 1, "proposal", number), {"ca": "x"}, "", supports, votes, None, ("all",))


def _evidence(candidates: list[Candidate]) -> Evidence:
    evidence = Evidence()
    for each in candidates:
        evidence.add(each)
    return evidence


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)).filter(any), min_size=1, max_size=20))
def test_votes_for_and_against_say_what_they_say_in_a_table_of_counts(many: list[tuple[int, int]]) -> None:
    candidates = [_candidate(at, Votes(*each, 0)) for at, each in enumerate(many)]
    table = CountTable("t", tuple(Counted(at, "", *each) for at, each in enumerate(many)), has_against=True)
    ranked, prior = rank(table)
    evidence = _evidence(candidates)

    assert prior == evidence.prior
    for each in ranked:
        assert abs((each.ordered_by or 0) * 1e6 - evidence.lower_ppm(candidates[each.item.statement])) <= 1


def test_without_votes_the_prior_is_that_of_jeffreys_and_says_nothing() -> None:
    candidates = [_candidate(1, None, 3), _candidate(2, None, 9)]
    evidence = _evidence(candidates)

    assert JEFFREYS == evidence.prior
    assert not evidence.has_votes
    assert evidence.lower_ppm(candidates[0]) == evidence.lower_ppm(candidates[1])
    assert rank_of(candidates[1], evidence) < rank_of(candidates[0], evidence)


def test_who_was_not_asked_about_stands_where_the_prior_puts_it() -> None:
    candidates = [_candidate(1, Votes(90, 10, 0)), _candidate(2, Votes(10, 90, 0)), _candidate(3, None)]
    evidence = _evidence(candidates)
    best, worst, unknown = (rank_of(each, evidence) for each in candidates)

    assert best < worst
    assert best < unknown


def test_of_two_that_nobody_voted_on_the_neutral_ones_say_nothing() -> None:
    candidates = [_candidate(1, Votes(0, 0, 5)), _candidate(2, None), _candidate(3, Votes(3, 1, 0))]
    evidence = _evidence(candidates)

    assert evidence.lower_ppm(candidates[0]) == evidence.lower_ppm(candidates[1])


def test_the_share_of_participants_is_wilsons() -> None:
    low, high = share_of_participants(0, 10)

    assert (0.0, 0.213) == (low, round(high, 3))
    with pytest.raises(UsageError):
        share_of_participants(0, 0)
