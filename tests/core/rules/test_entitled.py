"""Who is entitled to be heard, against the definition in exact fractions."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given

from auzolan.core.rules import entitled as module
from auzolan.core.rules.approvals import Approvals
from auzolan.core.rules.core_certificate import FINE, ONE, CoreCertificate, find_core_certificate
from auzolan.core.rules.entitled import Claim, entitled
from auzolan.core.rules.equal_shares import UNIT, equal_shares
from tests.core.rules.exact import Ballots, ballots_of, elections, profile_of, random_ballots

INSTANCES = 600
MOST_VOTERS, MOST_SEATS = 2**31, 1_000
INT64 = 2**63


class Case(NamedTuple):
    """An outcome, and who may be heard."""

    ballots: Ballots
    n_candidates: int
    seats: int
    winners: list[int]
    multipliers: tuple[int, ...]
    candidates: list[int]


def _cases(n: int, chance: int) -> list[Case]:
    """Draw outcomes of equal shares, or any, with their multipliers or none, and some of the others to be heard."""
    source = np.random.default_rng(chance)
    cases = []
    for _ in range(n):
        ballots, m = random_ballots(source)
        seats = int(source.integers(1, m + 2))
        profile = profile_of(ballots, m)
        winners = equal_shares(profile, seats).winners
        if source.random() < 0.5:
            winners = source.permutation(m)[: source.integers(0, min(m, seats) + 1)].tolist()
        found = find_core_certificate(profile, winners, seats)
        multipliers = found.multipliers if isinstance(found, CoreCertificate) else (0,) * len(winners)
        left = [c for c in range(m) if c not in winners]
        candidates = [c for c in left if source.random() < 0.8]
        cases.append(Case(ballots, m, seats, winners, multipliers, source.permutation(candidates).tolist()))
    return cases


def _found(case: Case) -> list[Claim]:
    profile = profile_of(case.ballots, case.n_candidates)
    return entitled(profile, case.winners, case.multipliers, case.seats, case.candidates)


def _rest(ballots: Ballots, weights: dict[int, int]) -> list[Fraction]:
    """Return 1 / (1 + Λ) of each voter."""
    return [
        1 / (1 + sum((Fraction(weights[c], ONE) for c in ballot if c in weights), Fraction(0))) for ballot in ballots
    ]


def _reach(case: Case, rest: Sequence[Fraction], candidate: int) -> Fraction:
    """Return what part of a seat the supporters of a candidate reach, in exact numbers."""
    total = sum((r for r, ballot in zip(rest, case.ballots, strict=True) if candidate in ballot), Fraction(0))
    return total * case.seats / len(case.ballots)


# Against the definition


def test_reach_order_and_end_are_those_of_exact_fractions() -> None:
    """Each r is rounded up by less than 2**-30 in each round, which makes at most `seats` times that of a seat."""
    heard = 0
    for case in _cases(INSTANCES, chance=1):
        found = _found(case)
        off = (len(found) + 1) * Fraction(case.seats, FINE)
        rest = _rest(case.ballots, dict(zip(case.winners, case.multipliers, strict=True)))
        waiting = set(case.candidates)
        for claim in found:
            reaches = {each: _reach(case, rest, each) for each in waiting}

            assert 0 <= claim.reach - reaches[claim.candidate] < off, case
            assert max(reaches.values()) < claim.reach + off, case
            assert claim.reach >= 1, case
            waiting.remove(claim.candidate)
            left = 1 - Fraction(int(ONE / claim.reach), ONE)
            rest = [r * left if claim.candidate in ballot else r for r, ballot in zip(rest, case.ballots, strict=True)]
            heard += 1

        last = max((_reach(case, rest, each) for each in waiting), default=Fraction(0))
        assert len(found) == case.seats or last < 1, case
    assert heard > INSTANCES / 4


def test_at_most_as_many_are_heard_as_there_are_seats_and_none_twice() -> None:
    for case in _cases(INSTANCES, chance=2):
        heard = [each.candidate for each in _found(case)]

        assert len(heard) == len(set(heard)) <= case.seats
        assert set(heard) <= set(case.candidates)


def test_the_order_in_which_candidates_are_given_does_not_matter() -> None:
    for case in _cases(100, chance=3):
        assert _found(case) == _found(case._replace(candidates=sorted(case.candidates)))


def test_the_order_of_voters_and_of_winners_does_not_matter() -> None:
    for case in _cases(100, chance=4):
        backwards = case._replace(
            ballots=case.ballots[::-1], winners=case.winners[::-1], multipliers=case.multipliers[::-1]
        )

        assert _found(case) == _found(backwards)


@given(elections())
def test_against_a_certified_outcome_nobody_is_entitled(election: tuple[Ballots, int, int]) -> None:
    ballots, m, seats = election
    profile = profile_of(ballots, m)
    winners = equal_shares(profile, seats).winners
    found = find_core_certificate(profile, winners, seats)
    others = [c for c in range(m) if c not in winners]

    assert not isinstance(found, CoreCertificate) or entitled(profile, winners, found.multipliers, seats, others) == []


def test_what_is_heard_has_supporters_for_a_seat() -> None:
    for case in _cases(INSTANCES, chance=5):
        for claim in _found(case):
            supporters = sum(claim.candidate in ballot for ballot in case.ballots)

            assert supporters * case.seats >= len(case.ballots)


@pytest.mark.parametrize("seats", [1, 3, 7, 10])
def test_a_group_that_agrees_on_everything_is_heard_as_often_as_it_fills_seats(seats: int) -> None:
    for people in range(1, 41):
        found = entitled(
            profile_of(ballots_of((people, "abcdefghijklmn"), (40 - people, "")), 14), [], [], seats, range(14)
        )

        assert people * seats // 40 == len(found), people


# By hand


def test_a_group_that_fills_a_seat_exactly_is_heard_and_one_voter_less_is_not() -> None:
    enough, short = ballots_of((3, "a"), (9, "")), ballots_of((2, "a"), (9, ""), (1, ""))

    assert [Claim(0, Fraction(1))] == entitled(profile_of(enough, 1), [], [], 4, [0])
    assert [] == entitled(profile_of(short, 1), [], [], 4, [0])


def test_the_strongest_is_heard_first_and_ties_go_to_the_lower_number() -> None:
    ballots = ballots_of((3, "c"), (4, "b"), (3, "a"))
    found = entitled(profile_of(ballots, 3), [], [], 5, [2, 1, 0])

    assert [1, 0, 2] == [each.candidate for each in found]
    assert [Fraction(2), Fraction(3, 2), Fraction(3, 2)] == [each.reach for each in found]


def test_supporters_who_were_heard_count_less_for_what_they_say_too() -> None:
    """Four voters who fill one seat say two things: they are heard once."""
    ballots = ballots_of((4, "ab"), (8, ""))

    assert [Claim(0, Fraction(1))] == entitled(profile_of(ballots, 2), [], [], 3, [0, 1])


def test_those_who_have_all_that_they_are_due_are_not_entitled_to_more() -> None:
    """Six of nine voters have two of three seats; the multipliers of their winners leave them a third each."""
    ballots = ballots_of((6, "abc"), (3, "d"))
    profile = profile_of(ballots, 4)

    assert [Claim(3, Fraction(1))] == entitled(profile, [0, 1], [ONE, ONE], 3, [2, 3])


def test_without_multipliers_winners_count_for_nothing() -> None:
    ballots = ballots_of((6, "abc"), (3, ""))

    assert [Claim(2, Fraction(2))] == entitled(profile_of(ballots, 3), [0, 1], [0, 0], 3, [2])


def test_nobody_is_heard_where_nobody_may_be() -> None:
    assert [] == entitled(profile_of(ballots_of((3, "a")), 1), [], [], 3, [])


def test_a_candidate_that_nobody_approves_of_is_never_heard() -> None:
    assert [] == entitled(profile_of(ballots_of((3, "")), 1), [], [], MOST_SEATS, [0])


def test_where_there_are_more_seats_than_candidates_the_rest_stays_empty() -> None:
    found = entitled(profile_of(ballots_of((1, "a"), (1, "b")), 3), [], [], 50, range(3))

    assert [0, 1] == [each.candidate for each in found]


@pytest.mark.parametrize(("ballots", "seats"), [(ballots_of((1, "a")), 0), ((), 1)])
def test_without_seats_or_voters_nothing_can_be_asked(ballots: Ballots, seats: int) -> None:
    with pytest.raises(ValueError, match="at least one seat and one voter"):
        entitled(profile_of(ballots, 1), [], [], seats, [0])


def test_as_many_multipliers_as_winners_are_needed() -> None:
    with pytest.raises(ValueError, match="argument"):
        entitled(profile_of(ballots_of((1, "a")), 2), [0], [], 1, [1])


# Numbers


def test_it_is_free_of_floats() -> None:
    tree = ast.parse(inspect.getsource(module))

    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, float)]
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Div)]
    assert all(isinstance(each.reach, Fraction) for case in _cases(20, chance=6) for each in _found(case))


def test_sums_stay_within_64_bits_for_all_that_can_be_counted() -> None:
    """A million voters with a thousand seats, and far more, as what is summed is below the numbers here."""
    rests = MOST_VOTERS * FINE  # each r is at most 1
    weight = ONE + 2 * MOST_SEATS * ONE  # winners and those heard, each at most 1
    money = MOST_VOTERS * MOST_SEATS * UNIT  # all that there is, and all that is ever owed

    assert max(rests, weight, money, ONE * FINE) < INT64


def test_a_million_voters_with_a_thousand_seats_are_counted_exactly() -> None:
    """Everybody approves of everything: each that is heard uses up a thousandth of all."""
    n, m = 1_000_000, 3
    profile = Approvals(n, np.arange(m + 1, dtype=np.int64) * n, np.tile(np.arange(n, dtype=np.int32), m))
    found = entitled(profile, [], [], MOST_SEATS, range(m))

    assert [Fraction(MOST_SEATS)] == [each.reach for each in found[:1]]
    assert m == len(found)
    for heard, each in enumerate(found):
        assert 0 <= each.reach - (MOST_SEATS - heard) < Fraction(MOST_SEATS * heard + 1, ONE)


def test_whoever_is_alone_is_heard_where_there_is_a_seat_for_everybody() -> None:
    ballots = tuple(frozenset({c}) for c in range(40))
    heard = [each.candidate for each in entitled(profile_of(ballots, 40), [], [], MOST_SEATS, range(40))]

    assert list(range(40)) == heard
