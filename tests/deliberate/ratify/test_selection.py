"""From ballots to articles: conflicts, selection, completion and certificates, by statement id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from auzolan.core.rules.core_certificate import CoreCertificate, Entitled, find_core_certificate
from auzolan.core.rules.equal_shares import BY_PHRAGMEN, BY_SHARES
from auzolan.core.rules.proportional import ejr_plus
from auzolan.deliberate.conversation import Conversation
from auzolan.deliberate.grouping import group_opinions
from auzolan.deliberate.ratify.conflicts import Conflict
from auzolan.deliberate.ratify.eligibility import GroupCounts, Standing
from auzolan.deliberate.ratify.parameters import Parameters
from auzolan.deliberate.ratify.selection import Selected, approvals_in, select
from auzolan.deliberate.sources.polis import read_polis
from auzolan.deliberate.votes import AGREE, DISAGREE, NO_GROUP, VoteTable
from tests.core.rules.exact import ejr_plus_violation, profile_of
from tests.deliberate.tables import planted, table, tables
from tests.shared_data import copied_folder, shared_folder

LOOSE: dict[str, Any] = {"quorum_least": 1, "quorum_most": 1, "support_ppm": 0, "group_rule": "none"}


def _select(
    votes: VoteTable,
    seats: int,
    conflicts: Sequence[Conflict] = (),
    groups: Sequence[GroupCounts] = (),
    out: frozenset[int] = frozenset(),
    **by: Any,
) -> Selected:
    return select(votes, groups, out, conflicts, Parameters(seats=seats, **by))


def _everybody(many: Sequence[tuple[int, Mapping[int, int]]], statements: Sequence[int] = ()) -> VoteTable:
    """Pack ballots given by how many cast each."""
    ballots = [ballot for n, ballot in many for _ in range(n)]
    return table(dict(enumerate(ballots)), statements)


def _ids(found: Selected) -> list[int]:
    return [each.candidate for each in found.elected]


def _agree(*statements: int, disagree: Sequence[int] = ()) -> dict[int, int]:
    return dict.fromkeys(statements, AGREE) | dict.fromkeys(disagree, DISAGREE)


# Two parties that each agree with four statements and did not see the others'.
PARTIES = _everybody([(60, _agree(10, 11, 12, 13)), (30, _agree(20, 21, 22, 23))])


# Selection


def test_parties_get_articles_in_proportion() -> None:
    found = _select(PARTIES, 3)

    assert {10, 11, 20} == set(_ids(found))
    assert {BY_SHARES} == {each.how for each in found.elected}
    assert (10, 11, 12, 13, 20, 21, 22, 23) == found.candidates


def test_the_certificate_and_the_strongest_claim_name_statements() -> None:
    found = _select(PARTIES, 3)

    assert found.proportional is not None
    assert found.proportional.candidate in {12, 13}
    assert found.proportional.ratio < 1
    assert isinstance(found.core, CoreCertificate)
    assert found.core.strongest in {12, 13}


def test_only_eligible_statements_are_candidates_and_make_claims() -> None:
    votes = _everybody([(40, _agree(1, disagree=[2])), (45, _agree(2, disagree=[1]))])
    found = _select(votes, 1)

    assert Standing.UNSUPPORTED is found.judged[1].standing
    assert 1 not in found.candidates
    assert 1 not in _ids(found)


def test_statements_that_were_moderated_out_are_never_selected() -> None:
    found = _select(PARTIES, 3, out=frozenset({10}))

    assert Standing.MODERATED_OUT is found.judged[10].standing
    assert {11, 12, 20} == set(_ids(found))


def test_contested_statements_are_not_selected_and_blocked_ones_neither() -> None:
    votes = _everybody([(80, _agree(1, 2)), (20, _agree(2, disagree=[1]))])
    counts = votes.counts(np.repeat(np.array([0, 1], dtype=np.int16), [80, 20]), 2)
    for may_block, standing in ((False, Standing.CONTESTED), (True, Standing.BLOCKED)):
        found = _select(votes, 2, groups=[GroupCounts("B", 20, may_block, counts[1])])

        assert (standing, ("B",)) == (found.judged[1].standing, found.judged[1].against)
        assert [2] == _ids(found)


def test_nothing_eligible_selects_nothing() -> None:
    found = _select(_everybody([(5, _agree(1))], [1, 2]), 3)

    assert ((), (), None, None) == (found.elected, found.candidates, found.proportional, found.core)
    assert {1: Standing.FEW_VOTES, 2: Standing.FEW_VOTES} == {s: each.standing for s, each in found.judged.items()}


def test_seats_that_equal_shares_leaves_empty_stay_empty_unless_the_rules_fill_them() -> None:
    votes = _everybody([(1, _agree(each)) for each in range(4)])
    short = _select(votes, 2, completion="none", **LOOSE)
    full = _select(votes, 2, completion="phragmen", **LOOSE)

    assert [] == _ids(short)
    assert [(0, BY_PHRAGMEN), (1, BY_PHRAGMEN)] == [(each.candidate, each.how) for each in full.elected]


def test_where_nobody_can_pay_nobody_is_entitled_either() -> None:
    """Three statements of a third each, and a seat costs half: nobody can pay, and nobody is entitled."""
    found = _select(_everybody([(10, _agree(each)) for each in (5, 6, 7)]), 2, completion="none", **LOOSE)

    assert () == found.elected
    assert isinstance(found.core, CoreCertificate)
    assert (5, ()) == (found.core.strongest, found.core.multipliers)


def test_completion_that_fills_seats_keeps_who_was_elected_first() -> None:
    votes = _everybody([(50, _agree(1)), (20, _agree(2)), (20, _agree(3))])
    short = _select(votes, 3, completion="none", **LOOSE)
    full = _select(votes, 3, completion="phragmen", **LOOSE)

    assert [1] == _ids(short)
    assert [1, 2, 3] == _ids(full)
    assert full.elected[:1] == short.elected


def test_completion_counts_the_money_that_equal_shares_left() -> None:
    """60 pay for 1 and keep less than 31 have kept all along; from nothing, they would be first again."""
    votes = _everybody([(60, _agree(1, 2)), (31, _agree(3))])

    assert [1, 3] == _ids(_select(votes, 2, completion="phragmen", **LOOSE))


@given(tables())
def test_articles_are_eligible_and_no_more_than_seats_and_proportional(votes: VoteTable) -> None:
    found = _select(votes, 3, **LOOSE)
    number = {statement: place for place, statement in enumerate(found.candidates)}
    ballots = tuple(
        frozenset(number[s] for s, vote in row.items() if vote == AGREE and s in number)
        for row in votes.to_ballots().values()
    )
    winners = [number[each] for each in _ids(found)]

    assert len(set(winners)) == len(winners) <= 3
    assert not winners or ejr_plus_violation(ballots, len(number), winners, 3) is None
    assert found.proportional is None or (found.proportional.ratio < 1)


@given(tables())
def test_approvals_are_the_agreements_cast(votes: VoteTable) -> None:
    chosen = votes.statements[::2]
    number = {statement: place for place, statement in enumerate(chosen)}
    ballots = tuple(
        frozenset(number[s] for s, vote in row.items() if vote == AGREE and s in number)
        for row in votes.to_ballots().values()
    )
    expected, found = profile_of(ballots, len(chosen)), approvals_in(votes, chosen)

    assert expected.n_voters == found.n_voters
    assert expected.starts.tolist() == found.starts.tolist()
    assert expected.voters.tolist() == found.voters.tolist()


def test_the_order_of_participants_does_not_matter() -> None:
    made = planted([40, 25, 15], 12, chance=3).table
    ballots = list(made.to_ballots().values())
    mixed = table(dict(enumerate(ballots[::-1])), made.statements)

    assert _select(made, 4).elected == _select(mixed, 4).elected
    assert _select(made, 4).core == _select(mixed, 4).core


# Conflicts


def _rivals(prefer_one: int, prefer_other: int, neither: int = 40) -> VoteTable:
    """Pack ballots on statements 1 and 2: who agrees with only one of them, and others who agree with both."""
    return _everybody(
        [
            (prefer_one, _agree(1, disagree=[2])),
            (prefer_other, _agree(2, disagree=[1])),
            (neither, _agree(1, 2)),
        ]
    )


def test_of_two_in_conflict_the_clearly_preferred_one_stays() -> None:
    for one, other in ((12, 2), (2, 12)):
        kept, dropped = (1, 2) if one > other else (2, 1)
        found = _select(_rivals(one, other), 2, [(2, 1)])

        assert [kept] == _ids(found)
        assert {dropped: kept} == found.excluded
        assert {} == found.undecided
        assert Standing.ELIGIBLE is found.judged[dropped].standing


def test_without_a_clear_preference_both_go_to_the_peoples_vote() -> None:
    """7 to 4: P(p > 1/2) for Beta(7.5, 4.5) is 0.81, below 0.9."""
    found = _select(_rivals(7, 4), 2, [(1, 2)])

    assert [] == _ids(found)
    assert {1: 2, 2: 1} == found.undecided
    assert {} == found.excluded
    assert {Standing.CONTESTED} == {found.judged[each].standing for each in (1, 2)}


def test_only_those_who_voted_on_both_are_asked() -> None:
    """Statement 1 has three times the supporters, but of those who saw both most prefer 2."""
    votes = _everybody(
        [(90, _agree(1)), (12, _agree(2, disagree=[1])), (2, _agree(1, disagree=[2])), (30, _agree(1, 2))]
    )
    found = _select(votes, 2, [(1, 2)])

    assert {1: 2} == found.excluded


def test_a_pass_on_one_prefers_the_other() -> None:
    votes = _everybody([(12, {1: AGREE, 2: 0}), (40, _agree(1, 2))])

    assert {2: 1} == _select(votes, 2, [(1, 2)]).excluded


def test_a_conflict_with_what_is_not_eligible_settles_nothing() -> None:
    votes = _everybody([(40, _agree(1, disagree=[2]))])
    found = _select(votes, 2, [(1, 2)])

    assert ({}, {}, [1]) == (found.excluded, found.undecided, _ids(found))


def test_a_pair_declared_twice_and_both_ways_is_one_conflict() -> None:
    votes = _rivals(12, 2)

    assert _select(votes, 2, [(1, 2)]).excluded == _select(votes, 2, [(2, 1), (1, 2), (1, 2)]).excluded


@pytest.mark.parametrize("order", list(permutations([1, 2, 3])))
def test_what_lost_to_a_statement_that_lost_itself_stays_in(order: tuple[int, int, int]) -> None:
    """The best excludes the middle one, which then excludes nothing, however the three are numbered."""
    best, middle, last = order
    votes = _everybody(
        [
            (15, _agree(best, disagree=[middle, last])),
            (12, _agree(best, middle, disagree=[last])),
            (60, _agree(1, 2, 3)),
        ]
    )
    found = _select(votes, 3, [(best, middle), (middle, last)])

    assert {middle: best} == found.excluded
    assert {} == found.undecided
    assert {best, last} == set(_ids(found))


def test_statements_that_beat_each_other_in_a_circle_go_to_the_peoples_vote() -> None:
    """Those who saw 1 and 2 prefer 1, of 2 and 3 they prefer 2, and of 3 and 1 they prefer 3."""
    pairs = [(1, 2), (2, 3), (3, 1)]
    votes = _everybody([*[(12, _agree(one, disagree=[other])) for one, other in pairs], (60, _agree(1, 2, 3))])
    found = _select(votes, 3, pairs)

    assert {1, 2, 3} == set(found.undecided)
    assert ({}, []) == (found.excluded, _ids(found))


# Real votes


def _with_groups(path: Path) -> tuple[Conversation, list[GroupCounts]]:
    """Read a Polis conversation and find its opinion groups."""
    read = read_polis(path, lambda raw: f"{raw:0>32}")
    found = group_opinions(read.table, read.left_out_of_statistics, bytes(32))
    counts = read.table.counts(found.labels, found.n_groups)
    sizes = np.bincount(found.labels[found.labels != NO_GROUP], minlength=found.n_groups).tolist()
    return read, [GroupCounts(f"{number}", size, False, counts[number]) for number, size in enumerate(sizes)]


def _most_agreed(read: Conversation, found: Selected, seats: int) -> list[int]:
    """Return the candidates, by number, with the largest shares of agreement among those who saw them."""
    totals = dict(zip(read.table.statements, read.table.totals().tolist(), strict=True))
    ranked = sorted(found.candidates, key=lambda s: (-Fraction(totals[s][0], sum(totals[s])), s))
    return sorted(found.candidates.index(each) for each in ranked[:seats])


@pytest.mark.parametrize("name", ["london.youth.policing", "15-per-hour-seattle", "mathblob-below-100-ptpts"])
@pytest.mark.parametrize("seats", [3, 8])
def test_real_conversations_are_selected_in_proportion_and_certified(name: str, seats: int) -> None:
    read, groups = _with_groups(copied_folder(f"polis/{name}"))
    found = _select(read.table, seats, groups=groups, out=read.left_out_of_statistics)

    assert min(seats, len(found.candidates)) == len(found.elected)
    assert found.proportional is not None
    assert found.proportional.ratio < 1
    assert isinstance(found.core, CoreCertificate)


def test_the_most_agreed_in_london_get_no_certificate() -> None:
    read, groups = _with_groups(copied_folder("polis/london.youth.policing"))
    found = _select(read.table, 8, groups=groups, out=read.left_out_of_statistics)
    profile = approvals_in(read.table, found.candidates)

    assert isinstance(find_core_certificate(profile, _most_agreed(read, found, 8), 8), Entitled)


@pytest.mark.parametrize(
    ("name", "seats"),
    [("austria-climate.7z7ejpbmv5.2022-08-08", 20), ("scoop-hivemind.affordable-housing", 8)],
)
def test_the_most_agreed_elsewhere_leave_a_group_without_what_ejr_plus_promises(name: str, seats: int) -> None:
    read, groups = _with_groups(shared_folder(f"polis/{name}"))
    found = _select(read.table, seats, groups=groups, out=read.left_out_of_statistics)
    profile = approvals_in(read.table, found.candidates)
    top = _most_agreed(read, found, seats)

    assert ejr_plus(profile, top, seats).ratio > Fraction(3, 2)
    assert isinstance(find_core_certificate(profile, top, seats), Entitled)
    assert found.proportional is not None
    assert found.proportional.ratio < Fraction(1, 2)
    assert isinstance(found.core, CoreCertificate)
