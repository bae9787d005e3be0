from __future__ import annotations

import numpy as np

from auzolan.deliberate.chance import DRAWS, _shuffled, shuffled_silhouettes
from auzolan.deliberate.grouping import group_opinions
from auzolan.deliberate.overview import apartness
from tests.deliberate.tables import planted, table

RANDOM = table(
    {who: {s: int(v) for s, v in enumerate(np.random.default_rng(who).integers(-1, 2, 16))} for who in range(90)}
)


def test_shuffling_keeps_who_voted_on_what_and_how_many_agreed() -> None:
    made = planted([30, 20], 12).table
    dealt = _shuffled(made, 0)

    assert made.totals().tolist() == dealt.totals().tolist()
    assert (made.packed >> 2).tolist() == (dealt.packed >> 2).tolist()
    assert made.packed.tolist() != dealt.packed.tolist()
    assert _shuffled(made, 0).packed.tolist() == dealt.packed.tolist() != _shuffled(made, 1).packed.tolist()


def test_planted_groups_are_clearer_than_chance() -> None:
    made = planted([60, 40], 20).table
    found = group_opinions(made)
    chance = shuffled_silhouettes(made, (), found.n_groups)

    assert DRAWS == len(chance)
    assert found.silhouettes[2] / 1e6 > chance[-1]
    assert "clearer than chance" in apartness(found.silhouettes[2] / 1e6, 100, chance)


def test_random_votes_have_no_groups_that_are_clearer() -> None:
    found = group_opinions(RANDOM)
    silhouette = found.silhouettes[found.n_groups] / 1e6
    chance = shuffled_silhouettes(RANDOM, (), found.n_groups)

    assert chance[0] - 0.1 < silhouette < chance[-1] + 0.05
    assert "no clearer than chance" in apartness(chance[-1], 90, chance)


def test_the_same_votes_give_the_same_draws() -> None:
    assert shuffled_silhouettes(RANDOM, (), 3) == shuffled_silhouettes(RANDOM, (), 3)
