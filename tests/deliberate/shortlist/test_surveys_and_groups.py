"""Whether groups of opinion can still be found when nobody is asked about everything, on made-up people.

Two camps of 360 and 240 disagree about half of the statements, and each person answers one survey.
"""

from __future__ import annotations

import numpy as np
import pytest

from auzolan.deliberate.grouping import group_opinions
from auzolan.deliberate.shortlist.blocks import Surveys, lay_out
from auzolan.deliberate.votes import Rows, pack

_PEOPLE = 600


def _found(surveys: Surveys, n_statements: int, apart: float, seed: int) -> tuple[int, float, float]:
    """Return how many groups are found, and how much of them (eta squared) is the camp, and the survey."""
    chance = np.random.default_rng(seed)
    camp = (np.arange(_PEOPLE) % 5 < 2).astype(int)
    which = chance.integers(len(surveys), size=_PEOPLE)
    agree = np.full((2, n_statements), 0.7)
    agree[0, ::2], agree[1, ::2] = 0.5 + apart, 0.5 - apart
    agree[:, ::4] = agree[::-1, ::4]
    rows = Rows()
    for person in range(_PEOPLE):
        for statement in surveys[which[person]]:
            rows.add(f"{person:04d}", statement, 1 if chance.random() < agree[camp[person], statement - 1] else -1)
    grouping = group_opinions(pack(rows).table)
    labels = np.asarray(grouping.labels, dtype=int)
    return grouping.n_groups, _told_by(labels, camp), _told_by(labels, which)


def _told_by(labels: np.ndarray, cause: np.ndarray) -> float:
    """Return Goodman and Kruskal's tau: by how much knowing the cause tells the group better."""
    table = np.zeros((labels.max() + 1, cause.max() + 1))
    np.add.at(table, (labels, cause), 1)
    shares = table / table.sum()
    blind = float((shares.sum(axis=1) ** 2).sum())
    return float(((shares**2).sum(axis=0) / shares.sum(axis=0)).sum() - blind) / (1 - blind)


@pytest.mark.parametrize(("n", "most"), [(25, 15), (40, 15), (40, 20)])
def test_groups_are_camps_and_not_surveys(n: int, most: int) -> None:
    found = [_found(lay_out(n, most), n, 0.3, seed) for seed in range(4)]

    assert [2, 2, 2, 2] == [groups for groups, _, _ in found]
    assert all(camp > 0.6 and survey < 0.06 for _, camp, survey in found), found


def test_with_few_surveys_groups_are_partly_those_who_answered_the_same() -> None:
    found = [_found(lay_out(40, 15, 3), 40, 0.3, seed) for seed in range(4)]

    assert all(groups > 2 and survey > 0.06 for groups, _, survey in found), found
