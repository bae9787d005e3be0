"""Which of two statements that exclude each other stays, against brute force on small graphs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.deliberate.ratify.conflicts import Conflict, settle, settle_for_good
from auzolan.deliberate.votes import AGREE, DISAGREE, VoteTable
from tests.deliberate.tables import table

CLEAR, EVEN, UNSEEN = 1, 0, None
INSTANCES = 400


class Rivalry(NamedTuple):
    """Statements 0 to n - 1, pairs that exclude each other with who is clearly preferred, and who more agree with."""

    n: int
    pairs: Mapping[Conflict, int | None]  # (one, other): 1 where one is preferred, -1 where the other is, 0 unclear
    spare: Sequence[int]  # how many more people agree with each, who saw nothing else

    @property
    def votes(self) -> VoteTable:
        """Ballots that prefer so; nobody sees more than two statements."""
        ballots: list[dict[int, int]] = []
        for (one, other), sign in self.pairs.items():
            if sign is not None:
                first, second = (one, other) if sign >= 0 else (other, one)
                ballots += [{first: AGREE, second: DISAGREE}] * 9
                ballots += [{second: AGREE, first: DISAGREE}] * (9 if sign == 0 else 0)
        for statement, more in enumerate(self.spare):
            ballots += [{statement: AGREE}] * more
        return table(dict(enumerate(ballots)), range(self.n))

    @property
    def agreeing(self) -> dict[int, int]:
        """Statement -> how many agree with it."""
        made = self.votes
        return dict(zip(made.statements, made.totals()[:, 0].tolist(), strict=True))

    def attacks(self, final: bool) -> set[tuple[int, int]]:
        """Who is preferred to whom; where it is not clear both ways, or in a final vote by who has more who agree."""
        agreeing, found = self.agreeing, set()
        for (one, other), sign in self.pairs.items():
            if sign:
                found.add((one, other) if sign > 0 else (other, one))
            elif final:
                found.add(min((one, other), (other, one), key=lambda each: (-agreeing[each[0]], each[0])))
            else:
                found |= {(one, other), (other, one)}
        return found


def _rivalries(n: int, chance: int) -> Iterator[Rivalry]:
    source = np.random.default_rng(chance)
    for _ in range(n):
        size = int(source.integers(2, 6))
        pairs = [each for each in combinations(range(size), 2) if source.random() < 0.6]
        signs = source.choice([1, -1, 1, -1, 0, 2], len(pairs)).tolist()
        of = {pair: None if sign == 2 else sign for pair, sign in zip(pairs, signs, strict=True)}
        yield Rivalry(size, of, source.integers(0, 4, size).tolist())


def _settled(rivalry: Rivalry, final: bool) -> tuple[dict[int, int], list[Conflict]]:
    """Settle, and in a final vote for good."""
    standing, agreeing = set(range(rivalry.n)), rivalry.agreeing
    excluded, left = settle(rivalry.votes, standing, list(rivalry.pairs), agreeing if final else None)
    return (excluded | settle_for_good(left, agreeing), []) if final else (excluded, left)


def _grounded_out(n: int, attacks: set[tuple[int, int]]) -> set[int]:
    """Try all labels in, out and neither; return who is out in the one with the fewest in (Dung 1995).

    A statement is in exactly if all that attack it are out, and out exactly if one of them is in.
    """
    attackers = [[a for a, b in attacks if b == each] for each in range(n)]
    complete = []
    for labels in product("io-", repeat=n):
        is_in = [all(labels[a] == "o" for a in of) for of in attackers]
        is_out = [any(labels[a] == "i" for a in of) for of in attackers]
        if all((label == "i") == i and (label == "o") == o for label, i, o in zip(labels, is_in, is_out, strict=True)):
            complete.append(labels)
    least = min(complete, key=lambda labels: labels.count("i"))
    return {each for each, label in enumerate(least) if label == "o"}


# Against brute force


def test_out_is_what_something_that_stays_in_is_preferred_to() -> None:
    seen = set()
    for rivalry in _rivalries(INSTANCES, chance=1):
        excluded, left = _settled(rivalry, final=False)
        out = _grounded_out(rivalry.n, rivalry.attacks(final=False))
        seen.add((bool(excluded), bool(left)))

        assert out == set(excluded), rivalry
        assert all((rival, each) in rivalry.attacks(final=False) for each, rival in excluded.items()), rivalry
    assert {(True, True), (True, False), (False, True), (False, False)} == seen


def test_open_pairs_are_those_of_which_neither_is_out() -> None:
    for rivalry in _rivalries(INSTANCES, chance=2):
        excluded, left = _settled(rivalry, final=False)

        assert [pair for pair in sorted(rivalry.pairs) if not set(pair) & excluded.keys()] == left, rivalry


@pytest.mark.parametrize("final", [False, True])
def test_nothing_is_out_for_a_rival_that_is_out_itself(final: bool) -> None:
    for rivalry in _rivalries(INSTANCES, chance=3):
        excluded, _ = _settled(rivalry, final)

        assert not excluded.keys() & set(excluded.values()), rivalry


def test_a_vote_that_must_decide_never_keeps_two_that_exclude_each_other_and_keeps_as_many_as_it_can() -> None:
    for rivalry in _rivalries(INSTANCES, chance=4):
        excluded, left = _settled(rivalry, final=True)
        kept = set(range(rivalry.n)) - excluded.keys()

        assert [] == left
        assert not [pair for pair in rivalry.pairs if set(pair) <= kept], rivalry
        assert all(rival in kept for rival in excluded.values()), rivalry
        assert all(tuple(sorted((each, rival))) in rivalry.pairs for each, rival in excluded.items()), rivalry


def test_a_vote_that_must_decide_follows_clear_preferences_before_numbers_of_those_who_agree() -> None:
    for rivalry in _rivalries(INSTANCES, chance=5):
        excluded, _ = _settled(rivalry, final=True)

        assert _grounded_out(rivalry.n, rivalry.attacks(final=True)) <= set(excluded), rivalry


def test_a_vote_that_must_decide_is_settled_even_where_nobody_saw_two_statements() -> None:
    rivalry = Rivalry(3, {(0, 1): UNSEEN, (1, 2): UNSEEN}, [1, 3, 2])

    assert ({0: 1, 2: 1}, []) == _settled(rivalry, final=True)
    assert ({}, [(0, 1), (1, 2)]) == _settled(rivalry, final=False)


@pytest.mark.parametrize("final", [False, True])
def test_the_order_of_pairs_and_of_their_two_does_not_matter(final: bool) -> None:
    source = np.random.default_rng(6)
    for rivalry in _rivalries(100, chance=6):
        votes, standing = rivalry.votes, set(range(rivalry.n))
        agreeing = rivalry.agreeing if final else None
        mixed = [
            pair[::-1] if source.random() < 0.5 else pair for pair in source.permutation(list(rivalry.pairs)).tolist()
        ]
        pairs = [(one, other) for one, other in mixed]

        assert settle(votes, standing, list(rivalry.pairs), agreeing) == settle(
            votes, standing, [*pairs, *pairs[:1]], agreeing
        )


def test_pairs_with_what_is_not_standing_decide_nothing() -> None:
    for rivalry in _rivalries(100, chance=7):
        standing = set(range(1, rivalry.n))
        among = [pair for pair in rivalry.pairs if 0 not in pair]
        votes = rivalry.votes

        assert settle(votes, standing, among) == settle(votes, standing, list(rivalry.pairs))


# By hand


def test_what_lost_to_a_statement_that_the_people_turn_down_stays_in_their_vote() -> None:
    """Clearly 1 rather than 2; of 0 and 1 nobody's preference is clear, and more agree with 0: 2 has no rival left."""
    rivalry = Rivalry(3, {(0, 1): EVEN, (1, 2): CLEAR}, [9, 0, 0])

    assert ({}, [(0, 1), (1, 2)]) == _settled(rivalry, final=False)
    assert ({1: 0}, []) == _settled(rivalry, final=True)


def test_a_circle_is_settled_by_how_many_agree() -> None:
    rivalry = Rivalry(3, {(0, 1): 1, (1, 2): 1, (0, 2): -1}, [0, 5, 0])

    assert ({}, [(0, 1), (0, 2), (1, 2)]) == _settled(rivalry, final=False)
    assert ({0: 1, 2: 1}, []) == _settled(rivalry, final=True)


def test_whoever_did_not_see_both_is_not_asked_which_they_prefer() -> None:
    ballots = [{1: AGREE}] * 500 + [{2: AGREE, 1: DISAGREE}] * 12 + [{1: AGREE, 2: DISAGREE}] * 2
    votes = table(dict(enumerate(ballots)))

    assert ({1: 2}, []) == settle(votes, {1, 2}, [(1, 2)])


def test_two_people_who_saw_both_do_not_remove_what_hundreds_agree_with() -> None:
    ballots = [{1: AGREE}] * 500 + [{2: AGREE}] * 12 + [{2: AGREE, 1: DISAGREE}] * 2
    votes = table(dict(enumerate(ballots)))

    assert ({}, [(1, 2)]) == settle(votes, {1, 2}, [(1, 2)], quorum=3)
    assert ({2: 1}, []) == settle(votes, {1, 2}, [(1, 2)], {1: 500, 2: 14}, quorum=3)


@pytest.mark.parametrize(("one", "other", "is_clear"), [(7, 4, False), (8, 3, True), (1, 0, False), (20, 20, False)])
def test_a_preference_is_clear_from_a_probability_of_nine_tenths(one: int, other: int, is_clear: bool) -> None:
    ballots = [{1: AGREE, 2: DISAGREE}] * one + [{1: DISAGREE, 2: AGREE}] * other + [{1: AGREE, 2: AGREE}] * 30
    votes = table(dict(enumerate(ballots)))

    assert (({2: 1}, []) if is_clear else ({}, [(1, 2)])) == settle(votes, {1, 2}, [(1, 2)])


def test_without_pairs_nothing_is_settled() -> None:
    votes = table({0: {1: AGREE}})

    assert ({}, []) == settle(votes, {1}, [])
    assert {} == settle_for_good([], {1: 1})


def test_a_statement_is_not_in_conflict_with_itself() -> None:
    votes = table({who: {1: AGREE} for who in range(30)})

    assert ({}, []) == settle(votes, {1}, [(1, 1)])
    assert ({}, []) == settle(votes, {1}, [(1, 1)], {1: 30})


# For good


def _first_that_fit(n: int, pairs: Sequence[Conflict], agreeing: Mapping[int, int]) -> set[int]:
    """Try all sets without two that exclude each other; return the one that prefers what most agree with."""
    order = sorted(range(n), key=lambda each: (-agreeing[each], each))
    sets = [set(kept) for size in range(n + 1) for kept in combinations(range(n), size)]
    fit = [kept for kept in sets if not any({*pair} <= kept for pair in pairs)]
    return max(fit, key=lambda kept: [each in kept for each in order])


@given(
    st.integers(2, 6).flatmap(
        lambda n: st.tuples(
            st.just(n),
            st.sets(st.sampled_from([*combinations(range(n), 2)])),
            st.lists(st.integers(0, 3), min_size=n, max_size=n),
        )
    )
)
def test_for_good_those_stay_that_most_agree_with(drawn: tuple[int, set[Conflict], list[int]]) -> None:
    n, pairs, counts = drawn
    agreeing = dict(enumerate(counts))
    excluded = settle_for_good(sorted(pairs), agreeing)
    kept = set(range(n)) - excluded.keys()

    assert _first_that_fit(n, sorted(pairs), agreeing) == kept
    assert all(rival in kept and {each, rival} in [{*pair} for pair in pairs] for each, rival in excluded.items())
    assert excluded == settle_for_good(sorted(((b, a) for a, b in pairs), reverse=True), agreeing)


def test_for_good_ties_go_to_the_lower_id() -> None:
    assert {7: 3} == settle_for_good([(7, 3)], {3: 5, 7: 5})


def test_for_good_a_statement_that_many_agree_with_is_not_removed_by_declaring_many_rivals() -> None:
    pairs = [(0, rival) for rival in range(1, 6)]
    agreeing = {0: 100, **dict.fromkeys(range(1, 6), 60)}

    assert dict.fromkeys(range(1, 6), 0) == settle_for_good(pairs, agreeing)
