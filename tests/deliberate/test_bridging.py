"""The bridging diagnostic: what both sides like stands above what one side likes."""

from __future__ import annotations

import numpy as np
import pytest

from auzolan.deliberate import bridging as module
from auzolan.deliberate.bridging import bridging
from auzolan.deliberate.votes import AGREE, DISAGREE, PASS
from tests.deliberate.tables import table

SHARED, SPLIT, REJECTED = range(4), range(4, 16), range(16, 20)


def _divided(n_left: int = 30, n_right: int = 30) -> dict[int, dict[int, int]]:
    """Make two camps that are of one mind on some statements and of opposite minds on the others."""

    def vote(who: int, statement: int) -> int:
        if statement in SHARED:
            return AGREE
        if statement in REJECTED:
            return DISAGREE
        return AGREE if (who < n_left) == (statement % 2 == 0) else DISAGREE

    return {who: {s: vote(who, s) for s in range(20)} for who in range(n_left + n_right)}


def test_what_both_sides_like_has_the_highest_intercept() -> None:
    found = bridging(table(_divided())).intercepts

    assert min(found[s] for s in SHARED) > max(found[s] for s in SPLIT) + 0.2
    assert max(found[s] for s in REJECTED) < min(found[s] for s in SPLIT) - 0.2


def test_what_the_larger_side_alone_likes_does_not_bridge() -> None:
    found = bridging(table(_divided(50, 20))).intercepts

    assert min(found[s] for s in SHARED) > max(found[s] for s in SPLIT) + 0.1


def test_factors_tell_the_two_sides_apart() -> None:
    factors = bridging(table(_divided())).factors
    even, odd = ([factors[s] for s in SPLIT if s % 2 == side] for side in (0, 1))

    assert max(even) < 0 < min(odd) or max(odd) < 0 < min(even)
    assert max(abs(factors[s]) for s in (*SHARED, *REJECTED)) < min(map(abs, even + odd))


def test_names_decide_nothing() -> None:
    ballots = _divided()
    plain = bridging(table(ballots))
    turned = bridging(table({100 - who: of for who, of in ballots.items()}))

    assert plain.intercepts == pytest.approx(turned.intercepts, abs=1e-9)


def test_passes_say_nothing() -> None:
    ballots = _divided()
    passing = {who: of | {30: PASS} for who, of in ballots.items()}

    assert bridging(table(ballots)) == bridging(table(passing))


def test_statements_and_people_with_few_votes_are_left_out() -> None:
    ballots = _divided() | {99: dict.fromkeys(range(9), DISAGREE)}
    ballots = {who: of | ({40: AGREE} if who < 4 else {}) for who, of in ballots.items()}
    found = bridging(table(ballots))

    assert set(range(20)) == set(found.intercepts) == set(found.factors)
    assert bridging(table(_divided())) == bridging(table({who: of for who, of in ballots.items() if who > 3} | {
        who: _divided()[who] for who in range(4)
    }))  # fmt: skip


@pytest.mark.parametrize("ballots", [{}, {0: {0: 1}}, {w: {0: 1} for w in range(9)}, {w: {0: 0} for w in range(9)}])
def test_where_too_little_was_said_there_is_nothing(ballots: dict[int, dict[int, int]]) -> None:
    assert ({}, {}) == bridging(table(ballots, [5]))


def test_where_all_agree_on_all_every_statement_is_alike() -> None:
    found = bridging(table({who: dict.fromkeys(range(12), AGREE) for who in range(12)}))

    assert [0.0] * 12 == pytest.approx(list(found.intercepts.values()))


def test_each_half_step_is_ridge_regression() -> None:
    rng = np.random.default_rng(0)
    row, other, rest = rng.integers(0, 3, 60), rng.normal(size=60), rng.normal(size=60)
    got = module._solve(row, rest, other, 4)

    for number in range(3):
        chosen = row == number
        design = np.stack([np.ones(chosen.sum()), other[chosen]], axis=1)
        ridge = np.diag([0.15, 0.03]) * chosen.sum()
        expected = np.linalg.solve(design.T @ design + ridge, design.T @ rest[chosen])
        assert got[:, number].tolist() == pytest.approx(expected.tolist())
    assert [0, 0] == got[:, 3].tolist()
