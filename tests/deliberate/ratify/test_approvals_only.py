"""Ballots that only approve (grade B): what can be asked of them, and what cannot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from auzolan.core.rules.core_certificate import CoreCertificate
from auzolan.deliberate.ratify.checking import verify_outcome
from auzolan.deliberate.ratify.eligibility import GroupCounts, Standing, grade_of, judge, opinion_groups
from auzolan.deliberate.ratify.outcome import outcome_of
from auzolan.deliberate.ratify.parameters import GROUP_RULES, Parameters
from auzolan.deliberate.ratify.selection import Selected, approvals_in, select
from auzolan.deliberate.tally import count
from auzolan.deliberate.votes import AGREE, DISAGREE, PASS, Labels, VoteTable
from tests.core.rules.exact import blocking, ejr_plus_violation
from tests.deliberate.ratify.checked import people, says
from tests.deliberate.tables import sealed, table, tables

APPROVALS = people([(40, says(1, 2, 3)), (20, says(4, 5)), (12, says(6)), (9, says(7))])
HALVES: Labels = np.repeat(np.array([0, 1], np.int16), [40, 41])


def _select(votes: VoteTable, labels: Labels | None = None, **by: Any) -> Selected:
    groups = []
    if labels is not None:
        counts = votes.counts(labels, 2)
        groups = [GroupCounts("AB"[n], int((labels == n).sum()), n == 1, counts[n]) for n in range(2)]
    return select(votes, groups, frozenset(), [], Parameters(**{"seats": 4} | by))


def _random(n: int, chance: int) -> Iterator[VoteTable]:
    source = np.random.default_rng(chance)
    for _ in range(n):
        people, m = int(source.integers(1, 10)), int(source.integers(1, 7))
        rows = source.random((people, m)) < source.choice([0.3, 0.6])
        rows[:, 0] |= ~rows.any(axis=1)
        yield table({who: dict.fromkeys(np.flatnonzero(row).tolist(), AGREE) for who, row in enumerate(rows)}, range(m))


# The grade


def test_ballots_that_do_nothing_but_approve_are_of_grade_b() -> None:
    assert "B" == grade_of(APPROVALS.totals())
    assert "B" == grade_of(table({}, [1]).totals())


@pytest.mark.parametrize("vote", [PASS, DISAGREE])
def test_one_single_other_vote_makes_them_of_grade_a(vote: int) -> None:
    ballots = [dict(each) for each in APPROVALS.to_ballots().values()]
    ballots[80] = {7: AGREE, 1: vote}

    assert "A" == _select(table(dict(enumerate(ballots)))).grade


@given(tables())
def test_the_grade_is_b_exactly_where_everybody_agrees_with_all_they_voted_on(votes: VoteTable) -> None:
    cast = {vote for row in votes.to_ballots().values() for vote in row.values()}

    assert ("B" if cast == {AGREE} else "A") == grade_of(votes.totals())


# Standing and margins


def test_a_quorum_of_approvals_is_all_that_is_asked() -> None:
    found = _select(APPROVALS, support_ppm=1_000_000)

    assert [Standing.ELIGIBLE] * 6 == [found.judged[each].standing for each in range(1, 7)]
    assert Standing.FEW_VOTES is found.judged[7].standing
    assert (1, 0) == (found.judged[7].admit_margin, found.judged[7].block_margin)


def test_no_ballots_are_known_that_would_end_a_standing() -> None:
    assert [None] * 6 == [_select(APPROVALS).judged[each].block_margin for each in range(1, 7)]


@pytest.mark.parametrize("rule", GROUP_RULES)
@pytest.mark.parametrize("contest_votes", [0, 5])
def test_no_group_is_against_what_few_of_it_approve(rule: str, contest_votes: int) -> None:
    """Group B may block, and nobody of it approves of 1 to 3; of 4 and 7 some do, and none of group A."""
    found = _select(APPROVALS, HALVES, group_rule=rule, contest_ppm=0, contest_votes=contest_votes)

    assert {()} == {each.against for each in found.judged.values()}
    assert {Standing.ELIGIBLE, Standing.FEW_VOTES} == {each.standing for each in found.judged.values()}
    assert (1, None) == (found.judged[7].admit_margin, found.judged[1].block_margin)


def test_a_group_with_a_single_approval_contests_nothing() -> None:
    """By the rule of one half, one of one is not clearly half; where ballots only approve that says nothing."""
    counts = np.array([[1, 0, 0]])
    groups = [GroupCounts("A", 20, True, counts)]
    by = Parameters(seats=1, group_rule="half")
    judged = judge(np.array([[40, 0, 0]]), groups, np.array([False]), 60, by, grade="B")

    assert (Standing.ELIGIBLE, (), 0, None) == (
        judged[0].standing, judged[0].against, judged[0].admit_margin, judged[0].block_margin
    )  # fmt: skip


def test_resamples_are_of_the_quorum_and_of_no_groups() -> None:
    found = _select(APPROVALS, HALVES)

    assert {None} == {unopposed for _, unopposed in found.resampled.values()}
    assert 100 == found.resampled[1][0]
    assert 0 < found.resampled[7][0] < 60


def test_in_a_small_community_too_the_quorum_is_all_that_is_asked() -> None:
    for rule in ("consent", "supermajority"):
        found = _select(people([(20, says(1)), (19, says(2))]), roll=40, small_rule=rule)

        assert (Standing.ELIGIBLE, Standing.FEW_VOTES) == (found.judged[1].standing, found.judged[2].standing)


# Selection


def test_articles_are_in_proportion_and_certified() -> None:
    found = _select(APPROVALS, seats=3)

    assert [1, 2, 4] == sorted(each.candidate for each in found.elected)
    assert isinstance(found.core, CoreCertificate)
    assert found.proportional is not None
    assert found.proportional.ratio < 1
    assert ((), ()) == (found.put_to_vote, found.clauses)


def test_certificates_hold_as_brute_force_sees_them() -> None:
    certified = 0
    for votes in _random(150, chance=1):
        found = _select(votes, seats=3, quorum_least=1, quorum_most=1)
        number = {statement: place for place, statement in enumerate(found.candidates)}
        ballots = tuple(frozenset(number[s] for s in row if s in number) for row in votes.to_ballots().values())
        winners = [number[each.candidate] for each in found.elected]
        certified += isinstance(found.core, CoreCertificate)

        assert found.candidates == tuple(s for s, n in zip(votes.statements, votes.totals()[:, 0], strict=True) if n)
        assert ejr_plus_violation(ballots, len(number), winners, 3) is None
        assert not isinstance(found.core, CoreCertificate) or blocking(ballots, len(number), winners, 3) is None
    assert certified > 100


def test_a_pass_that_changes_nothing_but_the_grade_changes_no_approval() -> None:
    """What is selected can change, as then support is asked for; who approves of what does not."""
    ballots = [dict(each) for each in APPROVALS.to_ballots().values()]
    ballots[80] = {7: AGREE, 1: PASS}
    changed = table(dict(enumerate(ballots)))

    assert approvals_in(APPROVALS, [1, 4, 7]).voters.tolist() == approvals_in(changed, [1, 4, 7]).voters.tolist()


def test_conflicts_are_settled_by_those_who_approved_of_both_or_by_nobody() -> None:
    """Nobody is seen to have preferred one: who did not approve of it may not have seen it."""
    found = select(APPROVALS, [], frozenset(), [(1, 4)], Parameters(seats=4))
    then = select(APPROVALS, [], frozenset(), [(1, 4)], Parameters(seats=4), final=True)

    assert ({1: 4, 4: 1}, {}) == (found.undecided, found.excluded)
    assert {4: 1} == then.excluded


@pytest.mark.parametrize("final", [False, True])
@pytest.mark.parametrize("rule", GROUP_RULES)
def test_code_that_shares_nothing_with_it_agrees(final: bool, rule: str) -> None:
    by = Parameters(seats=3, group_rule=rule)
    groups = opinion_groups(APPROVALS, HALVES, [40, 41])
    found = select(APPROVALS, groups, frozenset({2}), [(1, 4)], by, final)
    said = outcome_of(found, count(sealed(APPROVALS), HALVES, 2, 1), by, [(1, 4)], "before")

    assert "B" == said.grade
    assert said == verify_outcome(
        said,
        sealed(APPROVALS),
        HALVES,
        identity="none",
        moderated_out=frozenset({2}),
        min_cell=1,
        withheld=frozenset(),
        final=final,
    )
