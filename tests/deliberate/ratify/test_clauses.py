"""Pluralism clauses: views of minorities that are entitled to be heard, and what keeps a view from being one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pytest

from auzolan.core.rules.core_certificate import CoreCertificate
from auzolan.deliberate.bounds import jeffreys_lower_ppm
from auzolan.deliberate.ratify.eligibility import GroupCounts, Standing
from auzolan.deliberate.ratify.parameters import Parameters
from auzolan.deliberate.ratify.selection import Selected, select
from auzolan.deliberate.votes import AGREE, DISAGREE, PASS, VoteTable
from tests.deliberate.ratify.checked import people, random_outcome, says
from tests.deliberate.tables import table


def _groups(votes: VoteTable, *sizes: int, blocking: Sequence[int] = ()) -> list[GroupCounts]:
    counts = votes.counts(np.repeat(np.arange(len(sizes)), sizes).astype(np.int16), len(sizes))
    return [GroupCounts("ABCD"[n], size, n in blocking, counts[n]) for n, size in enumerate(sizes)]


def _select(
    many: Sequence[tuple[int, Mapping[int, int]]],
    *,
    blocking: Sequence[int] = (),
    conflicts: Sequence[tuple[int, int]] = (),
    out: frozenset[int] = frozenset(),
    final: bool = False,
    **by: Any,
) -> Selected:
    """Select in a conversation in which each kind of ballot is a group."""
    votes = people(many)
    groups = _groups(votes, *(n for n, _ in many), blocking=blocking)
    return select(votes, groups, out, conflicts, Parameters(**{"seats": 5} | by), final)


def _heard(found: Selected) -> list[int]:
    return [each.candidate for each in found.clauses]


# Of 100 people a fifth is due one of five seats; the other 80 agree with four statements and pass on theirs.
MOST = says(1, 2, 3, 4, neither=[9])
MINORITY = [(80, MOST), (20, says(9, neither=[1, 2, 3, 4]))]


# Who is heard


def test_an_entitled_minority_that_the_others_pass_on_is_acknowledged() -> None:
    found = _select(MINORITY)

    assert {1, 2, 3, 4} == {each.candidate for each in found.elected}
    assert Standing.UNSUPPORTED is found.judged[9].standing
    assert [(9, Fraction(1))] == [(each.candidate, each.reach) for each in found.clauses]


def test_one_person_less_is_not_entitled() -> None:
    assert [] == _heard(_select([(81, MOST), (19, says(9))]))


def test_the_same_holds_in_the_peoples_vote() -> None:
    assert [9] == _heard(_select(MINORITY, final=True))


def test_a_minority_that_has_its_articles_is_not_entitled_to_a_clause_for_them() -> None:
    """The 20 agree with all articles, too, as far as they are due one."""
    found = _select([(80, says(1, 2, 3, 4, 5, neither=[9])), (20, says(1, 2, 3, 4, 5, 9))])

    assert isinstance(found.core, CoreCertificate)
    assert [] == _heard(found)


def test_a_minority_says_one_thing_for_each_seat_that_it_is_due() -> None:
    """They are due one, and agree with three statements that nobody else saw."""
    found = _select([(80, says(1, 2, 3, 4)), (20, says(7, 8, 9)), (20, says(neither=[7, 8, 9]))], seats=6)

    assert [7] == _heard(found)


def test_two_minorities_are_heard_the_larger_one_first() -> None:
    many = [(60, says(1, 2, 3, neither=[8, 9])), (22, says(8, neither=[1])), (24, says(9, neither=[1]))]
    found = _select(many)

    assert [9, 8] == _heard(found)


def test_what_a_group_contests_is_heard_where_no_group_clearly_rejects_it() -> None:
    """20 of a group of 60 disagree and 8 agree: clearly more against than for it, and not most of those who voted."""
    many = [(20, says(1, no=[9])), (8, says(1, 9)), (32, says(1, neither=[9])), (40, says(9, neither=[1]))]
    votes = people(many)
    found = select(votes, _groups(votes, 60, 40), frozenset(), [], Parameters(seats=3))

    assert (Standing.UNSUPPORTED, ("A",)) == (found.judged[9].standing, found.judged[9].against)
    assert 9 in _heard(found)


# What is not heard


def test_what_most_clearly_reject_is_not_acknowledged() -> None:
    assert [] == _heard(_select([(80, says(1, 2, 3, 4, no=[9])), (20, says(9))]))


@pytest.mark.parametrize(("rejecting", "heard"), [(35, []), (28, [9])])
def test_what_one_large_group_clearly_rejects_is_not_acknowledged(rejecting: int, heard: list[int]) -> None:
    """Of a group of 50 either 35 or 28 disagree, and the rest of them pass: 28 are not clearly more than half."""
    no, other = (rejecting, says(1, 2, 3, no=[9])), (50 - rejecting, says(1, 2, 3, neither=[9]))
    votes = people([no, other, (60, says(1, 2, 3)), (40, says(9, neither=[1, 2, 3]))])
    found = select(votes, _groups(votes, 50, 60, 40), frozenset(), [], Parameters(seats=4))

    assert heard == _heard(found)


def test_what_a_small_group_rejects_can_be_acknowledged() -> None:
    votes = people([(9, says(1, 2, 3, 4, no=[9])), (71, MOST), (20, says(9, neither=[1, 2, 3, 4]))])
    found = select(votes, _groups(votes, 9, 71, 20), frozenset(), [], Parameters(seats=5))

    assert [9] == _heard(found)


def test_without_a_quorum_nobody_is_acknowledged() -> None:
    many = [(80, says(1, 2, 3, 4)), (20, says(9))]

    assert [] == _heard(_select(many, quorum_least=21))
    assert Standing.FEW_VOTES is _select(many, quorum_least=21).judged[9].standing


def test_two_people_are_not_acknowledged_however_many_seats_there_are() -> None:
    """With 50 seats for 100 people two are due one; but without a quorum of votes nothing is said of it."""
    assert [] == _heard(_select([(98, says(1, 2, 3)), (2, says(9))], seats=50))


@pytest.mark.parametrize(("people", "heard"), [(2, []), (9, []), (10, [9])])
def test_fewer_people_than_a_group_needs_to_be_heard_are_not_acknowledged(people: int, heard: list[int]) -> None:
    """The others pass on it, and with 50 seats for 100 people two are due one."""
    assert heard == _heard(_select([(100 - people, says(1, 2, 3, neither=[9])), (people, says(9))], seats=50))


def test_what_declared_strata_block_is_not_acknowledged() -> None:
    """The 30 who block it are more against than for it, and do not clearly reject it."""
    votes = people([(12, says(1, no=[9])), (3, says(1, 9)), (15, says(1, neither=[9])), (60, says(9)), (60, says(1))])
    for blocking, standing, waiting in (((), Standing.CONTESTED, (9,)), ((0,), Standing.BLOCKED, ())):
        groups = _groups(votes, 30, 60, 60, blocking=blocking)
        found = select(votes, groups, frozenset(), [], Parameters(seats=3))

        assert (standing, waiting, []) == (found.judged[9].standing, found.put_to_vote, _heard(found))


def test_what_was_moderated_out_is_not_acknowledged() -> None:
    assert [] == _heard(_select(MINORITY, out=frozenset({9})))


def test_what_lost_a_conflict_is_not_acknowledged() -> None:
    """Of 1 and 2 those who voted on both prefer 1; 2 has supporters for two seats."""
    found = _select([(20, says(1, 3, neither=[2])), (40, says(2, 3)), (40, says(1, 3))], conflicts=[(1, 2)])

    assert {2: 1} == found.excluded
    assert [] == _heard(found)


def test_in_a_small_community_nothing_is_acknowledged() -> None:
    """12 of 52 agree with 9 and 8 disagree: neither two thirds nor a rejection."""
    many = [(32, says(1, 2, 3, 4, neither=[9])), (8, says(1, 2, 3, 4, no=[9])), (12, says(9))]

    assert [9] == _heard(_select(many))
    assert [9] == _heard(_select(many, roll=60))
    assert [] == _heard(_select(many, roll=59))


def test_where_ballots_only_approve_nothing_is_acknowledged() -> None:
    """Nobody passes on what they do not approve of; so the 20 either have a quorum, and may win, or have none."""
    many = [(80, says(1, 2, 3, 4)), (20, says(9))]
    for quorum, standing in ((20, Standing.ELIGIBLE), (21, Standing.FEW_VOTES)):
        found = _select(many, quorum_least=quorum)

        assert ("B", standing, []) == (found.grade, found.judged[9].standing, _heard(found))


# Always


class Town(NamedTuple):
    """A made-up conversation in which those who do not agree mostly pass."""

    votes: VoteTable
    groups: list[GroupCounts]
    by: Parameters

    def select(self, final: bool = False, out: Collection[int] = ()) -> Selected:
        """Select by its rules."""
        return select(self.votes, self.groups, frozenset(out), [], self.by, final)


def _towns(n: int, chance: int) -> Iterator[Town]:
    source = np.random.default_rng(chance)
    for _ in range(n):
        sizes, m = source.integers(8, 60, 3).tolist(), 9
        rather = source.choice([AGREE, PASS, DISAGREE], (3, m), p=[0.45, 0.4, 0.15])
        kept = np.repeat(rather, sizes, axis=0)
        other = source.choice([AGREE, PASS, DISAGREE], kept.shape, p=[0.3, 0.5, 0.2])
        cast = np.where(source.random(kept.shape) < 0.8, kept, other).tolist()
        votes = table({who: dict(enumerate(row)) for who, row in enumerate(cast)})
        yield Town(votes, _groups(votes, *sizes), Parameters(seats=int(source.integers(1, 7))))


def _rejecting(town: Town, statement: int) -> list[int]:
    """Return the lower bound of the share that disagrees, of all and of each large group, in millionths."""
    place, least = town.votes.statements.index(statement), town.by.least_group(len(town.votes.participants))
    asked = [town.votes.totals(), *(each.counts for each in town.groups if each.size >= least)]
    return [int(jeffreys_lower_ppm(of[place, 1:2], of[place].sum(keepdims=True))[0]) for of in asked]


@pytest.mark.parametrize("final", [False, True])
def test_every_clause_has_supporters_for_a_seat_a_quorum_and_nobody_who_clearly_rejects_it(final: bool) -> None:
    n_heard = 0
    for town in _towns(60, chance=11):
        found, n = town.select(final), len(town.votes.participants)
        counts = dict(zip(town.votes.statements, town.votes.totals().tolist(), strict=True))
        n_heard += len(found.clauses)

        assert len(found.clauses) <= town.by.seats
        for statement, reach in found.clauses:
            assert reach >= 1
            assert counts[statement][0] * town.by.seats >= n
            assert sum(counts[statement]) >= town.by.quorum(n)
            assert max(_rejecting(town, statement)) <= 500_000
            assert found.judged[statement].standing in (Standing.UNSUPPORTED, Standing.CONTESTED)
            assert statement not in {each.candidate for each in found.elected}
    assert n_heard > 30


def test_where_there_are_no_articles_whoever_is_entitled_is_heard_or_clearly_rejected() -> None:
    n_rejected = 0
    for town in _towns(60, chance=12):
        by = replace(town.by, support_ppm=1_000_000)  # nothing can be selected
        found, n = select(town.votes, town.groups, frozenset(), [], by), len(town.votes.participants)
        agreeing = dict(zip(town.votes.statements, town.votes.totals()[:, 0].tolist(), strict=True))
        able = [s for s, yes in agreeing.items() if yes * by.seats >= n]
        rejected = [s for s in able if max(_rejecting(town, s)) > 500_000]
        n_rejected += len(rejected)

        assert not set(_heard(found)) & set(rejected)
        assert (
            set(able) <= set(rejected)
            or max(agreeing[s] for s in able if s not in rejected) == agreeing[_heard(found)[0]]
        )
    assert n_rejected > 30


def test_clauses_change_no_article() -> None:
    for town in _towns(30, chance=13):
        found = town.select()
        without = town.select(out=[each.candidate for each in found.clauses])

        assert found.elected == without.elected


def test_signed_clauses_are_for_other_statements_than_articles_and_put_to_the_vote() -> None:
    for number in range(40):
        said = random_outcome(number).outcome
        heard = [each.statement for each in said.clauses]

        assert len(set(heard)) == len(heard)
        assert not {each.statement for each in said.articles} & {*heard}
        assert not {*said.put_to_vote} & {*heard}
        assert {*heard} <= {each.statement for each in said.not_included if each.rival is None}


def test_agreement_of_all_is_no_minority() -> None:
    assert [] == _heard(_select([(100, dict.fromkeys(range(12), AGREE))], seats=3))
