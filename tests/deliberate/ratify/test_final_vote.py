"""What goes to the people's vote, and what that vote makes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest

from auzolan.core.kinds.selection import Outcome
from auzolan.deliberate.ratify.checking import verify_outcome
from auzolan.deliberate.ratify.conflicts import Conflict
from auzolan.deliberate.ratify.eligibility import GroupCounts, Standing, opinion_groups
from auzolan.deliberate.ratify.outcome import outcome_of
from auzolan.deliberate.ratify.parameters import Parameters
from auzolan.deliberate.ratify.selection import Selected, select
from auzolan.deliberate.tally import count
from auzolan.deliberate.votes import AGREE, DISAGREE, Labels, VoteTable
from tests.deliberate.tables import planted, sealed, table

INSTANCES = 60


def _everybody(*many: tuple[int, Mapping[int, int]]) -> VoteTable:
    return table(dict(enumerate(ballot for n, ballot in many for _ in range(n))))


def _agree(*statements: int, disagree: Sequence[int] = ()) -> dict[int, int]:
    return dict.fromkeys(statements, AGREE) | dict.fromkeys(disagree, DISAGREE)


def _groups(votes: VoteTable, *sizes: int, blocking: Sequence[int] = ()) -> list[GroupCounts]:
    """Make groups of the first participants, and the next, and so on."""
    counts = votes.counts(np.repeat(np.arange(len(sizes)), sizes).astype(np.int16), len(sizes))
    return [GroupCounts("ABCD"[n], size, n in blocking, counts[n]) for n, size in enumerate(sizes)]


def _ids(found: Selected) -> list[int]:
    return [each.candidate for each in found.elected]


class Drawn(NamedTuple):
    """A made-up conversation with groups, some statements moderated out, and conflicts."""

    votes: VoteTable
    labels: Labels
    out: frozenset[int]
    conflicts: list[Conflict]
    by: Parameters

    @property
    def groups(self) -> list[GroupCounts]:
        """Opinion groups, as planted."""
        return opinion_groups(self.votes, self.labels, np.bincount(self.labels).tolist())

    def select(self, final: bool = False, **other: Any) -> Selected:
        """Select with groups and conflicts, or others."""
        given = {"groups": self.groups, "out": self.out, "conflicts": self.conflicts} | other
        return select(self.votes, given["groups"], given["out"], given["conflicts"], self.by, final)

    def outcome(self, final: bool) -> Outcome:
        """Return what is signed."""
        counts = count(sealed(self.votes), self.labels, int(self.labels.max()) + 1, 1)
        return outcome_of(self.select(final), counts, self.by, self.conflicts, "before")


def drawn(n: int, chance: int, **by: Any) -> Iterator[Drawn]:
    """Draw conversations in which there is much to contest."""
    source = np.random.default_rng(chance)
    for number in range(n):
        made = planted(source.integers(15, 60, 3).tolist(), 12, chance=100 * chance + number, seen=0.7)
        pairs = source.integers(0, 12, (int(source.integers(0, 9)), 2)).tolist()
        conflicts = [(one, other) for one, other in pairs if one != other]
        out = frozenset(source.integers(0, 12, int(source.integers(0, 2))).tolist())
        loose = {"support_ppm": int(source.choice([100_000, 300_000, 500_000]))}
        yield Drawn(made.table, made.labels, out, conflicts, Parameters(int(source.integers(1, 7)), **loose | by))


# Contested statements

POPULAR = _everybody((80, _agree(1, 2)), (20, _agree(2, disagree=[1])))


def test_what_a_group_contests_is_put_to_the_vote_and_can_be_ratified_there() -> None:
    groups = _groups(POPULAR, 80, 20)
    first = select(POPULAR, groups, frozenset(), [], Parameters(2))
    then = select(POPULAR, groups, frozenset(), [], Parameters(2), final=True)

    assert ([2], (1,)) == (_ids(first), first.put_to_vote)
    assert ([2, 1], ()) == (_ids(then), then.put_to_vote)
    assert (Standing.CONTESTED, ("B",)) == (then.judged[1].standing, then.judged[1].against)


def test_what_declared_strata_block_is_neither_put_to_the_vote_nor_ratified() -> None:
    groups = _groups(POPULAR, 80, 20, blocking=[1])
    for final in (False, True):
        found = select(POPULAR, groups, frozenset(), [], Parameters(2), final)

        assert ([2], ()) == (_ids(found), found.put_to_vote)
        assert Standing.BLOCKED is found.judged[1].standing


def test_the_peoples_vote_asks_for_quorum_and_support_as_before() -> None:
    votes = _everybody((9, _agree(1)), (40, _agree(2, disagree=[3])), (45, _agree(3, disagree=[2])))
    found = select(votes, [], frozenset(), [], Parameters(3), final=True)

    assert [Standing.FEW_VOTES, Standing.UNSUPPORTED] == [found.judged[each].standing for each in (1, 2)]
    assert [] == _ids(found)


def test_a_contested_statement_for_which_there_is_no_seat_is_not_put_to_the_vote() -> None:
    found = select(POPULAR, _groups(POPULAR, 80, 20), frozenset(), [], Parameters(1))

    assert ([2], ()) == (_ids(found), found.put_to_vote)


def test_a_contested_statement_does_not_take_the_seat_of_an_article() -> None:
    """90 agree with 1 and a group of 30 rejects it; 2 and 3 are articles all the same, and 1 would come before both."""
    votes = _everybody((60, _agree(1, 2)), (30, _agree(1, 3, 2)), (30, _agree(3, 2, disagree=[1])))
    found = select(votes, _groups(votes, 60, 30, 30), frozenset(), [], Parameters(2))

    assert {2, 3} == set(_ids(found))
    assert (1,) == found.put_to_vote


def test_in_the_peoples_vote_there_may_be_more_seats_than_principles() -> None:
    found = select(POPULAR, _groups(POPULAR, 80, 20), frozenset(), [], Parameters(1_000), final=True)

    assert [2, 1] == _ids(found)


def test_where_all_is_moderated_out_nothing_is_selected_or_put_to_the_vote() -> None:
    for final in (False, True):
        found = select(POPULAR, _groups(POPULAR, 80, 20), frozenset({1, 2}), [(1, 2)], Parameters(2), final)

        assert ((), (), (), None, None) == (
            found.elected, found.put_to_vote, found.clauses, found.proportional, found.core
        )  # fmt: skip


def test_a_vote_in_which_nobody_voted_selects_nothing() -> None:
    for final in (False, True):
        found = select(table({}, [1, 2]), [], frozenset(), [(1, 2)], Parameters(2), final)

        assert ((), (), ()) == (found.elected, found.put_to_vote, found.clauses)
        assert {Standing.FEW_VOTES} == {each.standing for each in found.judged.values()}


# Conflicts

# 1 is clearly preferred to neither 2 nor 3, and the other way round; all three are agreed with by most.
RIVALS = _everybody(
    (9, _agree(1, disagree=[2])), (8, _agree(2, disagree=[1])), (7, _agree(1, disagree=[3])),
    (9, _agree(3, disagree=[1])), (40, _agree(1)), (20, _agree(2)), (20, _agree(3)), (30, _agree(4)),
)  # fmt: skip


def test_an_open_conflict_is_put_to_the_vote_and_decided_there() -> None:
    pairs = [(1, 2)]
    first = select(RIVALS, [], frozenset(), pairs, Parameters(4))
    then = select(RIVALS, [], frozenset(), pairs, Parameters(4), final=True)

    assert ({1: 2, 2: 1}, {1, 2}) == (first.undecided, set(first.put_to_vote))
    assert not {1, 2} & set(_ids(first))
    assert ({}, {2: 1}) == (then.undecided, then.excluded)
    assert {1, 3, 4} == set(_ids(then))


def test_every_rival_of_what_is_put_to_the_vote_is_put_to_it_too() -> None:
    """With one seat only 1 would be an article, and each of its two rivals could stand in its place."""
    found = select(RIVALS, [], frozenset(), [(1, 2), (3, 1)], Parameters(1))

    assert 1 == found.put_to_vote[0]
    assert {1, 2, 3} == set(found.put_to_vote)


def test_what_lost_to_a_statement_that_loses_in_the_peoples_vote_is_ratified() -> None:
    """Clearly 2 rather than 3; 1 and 2 are open, and more agree with 1. So 2 is out, and nothing keeps 3 out."""
    votes = _everybody(
        (60, _agree(1, 2, 3)), (9, _agree(1, 3, disagree=[2])), (8, _agree(2, disagree=[1, 3])),
        (12, _agree(2, 1, disagree=[3])),
    )  # fmt: skip
    found = select(votes, [], frozenset(), [(1, 2), (2, 3)], Parameters(3), final=True)

    assert {2: 1} == found.excluded
    assert {1, 3} == set(_ids(found))


def test_a_rival_that_is_not_supported_removes_nothing() -> None:
    votes = _everybody((40, _agree(1)), (12, _agree(2, disagree=[1])), (30, _agree(disagree=[2])))
    for final in (False, True):
        found = select(votes, [], frozenset(), [(1, 2)], Parameters(2), final)

        assert (Standing.UNSUPPORTED, {}, {}) == (found.judged[2].standing, found.excluded, found.undecided)
        assert [1] == _ids(found)


# Many made-up conversations


def test_put_to_the_vote_is_what_would_be_an_article_if_nobody_contested_it_with_its_rivals() -> None:
    n_waiting = 0
    for case in drawn(INSTANCES, chance=1):
        found = case.select()
        again = case.select(groups=[], conflicts=[], out=case.out | found.excluded.keys())
        would = [each for each in _ids(again) if each not in found.candidates]
        open_pairs = [pair for pair in case.conflicts if set(pair) <= found.undecided.keys()]
        rivals = {each for pair in open_pairs if set(pair) & set(would) for each in pair}
        n_waiting += len(would)

        assert would == list(found.put_to_vote[: len(would)])
        assert set(would) | rivals == set(found.put_to_vote)
    assert n_waiting > INSTANCES


@pytest.mark.parametrize("final", [False, True])
def test_no_statement_stands_in_two_lists(final: bool) -> None:
    for case in drawn(INSTANCES, chance=2):
        found = case.select(final)
        clauses = [each.candidate for each in found.clauses]
        lists = [*_ids(found), *found.put_to_vote, *found.excluded, *clauses, *sorted(case.out)]

        assert len(set(lists)) == len(lists)
        assert len(found.elected) <= case.by.seats
        assert not found.undecided.keys() & {*_ids(found), *found.excluded, *clauses}
        assert all(found.judged[each].standing is Standing.CONTESTED for each in found.put_to_vote)


def test_in_the_peoples_vote_no_two_articles_exclude_each_other_and_no_conflict_stays_open() -> None:
    n_excluded = 0
    for case in drawn(INSTANCES, chance=3):
        found = case.select(final=True)
        n_excluded += len(found.excluded)

        assert {} == found.undecided
        assert not [pair for pair in case.conflicts if set(pair) <= set(_ids(found))]
        assert not found.excluded.keys() & set(found.excluded.values())
        assert all(found.judged[each].standing in ("eligible", "contested") for each in [*_ids(found), *found.excluded])
    assert n_excluded > INSTANCES / 2


def test_where_nothing_is_contested_the_peoples_vote_counts_as_the_selection_does() -> None:
    for case in drawn(20, chance=4, group_rule="none"):
        first, then = (case.select(final, conflicts=[]) for final in (False, True))

        assert (first.elected, first.core, first.clauses) == (then.elected, then.core, then.clauses)


@pytest.mark.parametrize("final", [False, True])
def test_code_that_shares_nothing_with_it_agrees(final: bool) -> None:
    for case in drawn(25, chance=5):
        said = case.outcome(final)

        assert said == verify_outcome(
            said,
            sealed(case.votes),
            case.labels,
            identity="none",
            moderated_out=case.out,
            min_cell=1,
            withheld=frozenset(),
            final=final,
        )
