"""Outcomes that were honestly selected from made-up votes, and ways to forge them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from auzolan.core.kinds.selection import NotIncluded, Outcome
from auzolan.deliberate.ballots import Ballots
from auzolan.deliberate.ratify import checking, standing
from auzolan.deliberate.ratify.eligibility import declared_groups, opinion_groups
from auzolan.deliberate.ratify.outcome import outcome_of
from auzolan.deliberate.ratify.parameters import Parameters
from auzolan.deliberate.ratify.selection import select
from auzolan.deliberate.tally import count
from auzolan.deliberate.votes import AGREE, DISAGREE, PASS, Labels, VoteTable
from tests.deliberate.tables import planted, sealed, table

LOOSE: dict[str, Any] = {"quorum_least": 1, "quorum_most": 1, "support_ppm": 0, "group_rule": "none"}


@dataclass(frozen=True, eq=False)
class Made:
    """An outcome that was honestly selected, and what it is checked against."""

    outcome: Outcome
    ballots: Ballots
    labels: Labels
    options: Mapping[str, Any]

    def case(self, **changed: Any) -> standing.Case:
        """Return what to check, with parts of the outcome changed."""
        return checking.case_of_ballots(replace(self.outcome, **changed), self.ballots, self.labels, **self.options)

    def other(self, statement: int) -> NotIncluded:
        return next(each for each in self.outcome.not_included if each.statement == statement)

    def with_other(self, of: int, **changed: Any) -> dict[str, Any]:
        """Return the other statements with one of them changed."""
        others = [replace(each, **changed) if each.statement == of else each for each in self.outcome.not_included]
        return {"not_included": tuple(others)}

    def swapped(self, article: int, other: int) -> dict[str, Any]:
        """Return the lists with an article and another statement in each other's place."""
        articles = [replace(a, statement=other) if a.statement == article else a for a in self.outcome.articles]
        others = [
            replace(self.other(other), statement=article) if each.statement == other else each
            for each in self.outcome.not_included
        ]
        return {"articles": tuple(articles), "not_included": tuple(others)}

    def certificate(self, **changed: Any) -> dict[str, Any]:
        """Return the certificate with parts changed."""
        assert self.outcome.certificate is not None

        return {"certificate": replace(self.outcome.certificate, **changed)}


def made(
    votes: VoteTable,
    by: Parameters,
    labels: Labels | None = None,
    conflicts: Sequence[tuple[int, int]] = (),
    out: frozenset[int] = frozenset(),
    final: bool = False,
    strata: Mapping[str, Mapping[str, str]] | None = None,
    min_cell: int = 1,
) -> Made:
    """Select, as `ratify` does."""
    labels = np.zeros(len(votes.participants), dtype=np.int16) if labels is None else labels
    ballots, sizes = sealed(votes, strata), np.bincount(labels + 1)[1:].tolist()
    groups = [*opinion_groups(votes, labels, sizes), *declared_groups(ballots, "census", by)]
    counts = count(ballots, labels, len(sizes), min_cell)
    found = select(votes, [each for each in groups if each.size >= min_cell], out, conflicts, by, final)
    outcome = outcome_of(found, counts, by, conflicts, "before", by.vetoing("census"))
    withheld = counts.withheld_on(by.vetoing("census"))
    options = {"identity": "census", "moderated_out": out, "min_cell": min_cell, "withheld": withheld, "final": final}
    return Made(Outcome.from_body(outcome.to_body()), ballots, labels, options)


def people(many: Sequence[tuple[int, Mapping[int, int]]], statements: Sequence[int] = ()) -> VoteTable:
    """Pack ballots given by how many cast each."""
    ballots = [ballot for n, ballot in many for _ in range(n)]
    return table(dict(enumerate(ballots)), statements)


def says(*statements: int, no: Sequence[int] = (), neither: Sequence[int] = ()) -> dict[int, int]:
    """Return a ballot."""
    return dict.fromkeys(statements, AGREE) | dict.fromkeys(no, DISAGREE) | dict.fromkeys(neither, PASS)


def first_wrong(case: standing.Case) -> str:
    """Return what the first step that fails says, or ""."""
    return next((each.remark for each in checking.check_outcome(case) if each.result == checking.WRONG), "")


def random_outcome(chance: int) -> Made:
    """Select from made-up votes by made-up rules."""
    source = np.random.default_rng(chance)
    sizes, m = [int(each) for each in source.integers(3, 60, int(source.integers(1, 4)))], int(source.integers(2, 14))
    seen, firmness = float(source.choice([0.3, 0.6, 0.9])), float(source.choice([0.3, 0.6, 0.85]))
    votes, labels = planted(sizes, m, chance, seen, firmness)
    who = {each: str(source.choice(["N", "S", ""])) for each in votes.participants}
    is_small = source.random() < 0.2
    by = Parameters(
        seats=int(source.integers(1, 8)),
        quorum_least=int(source.choice([1, 5, 10])),
        support_ppm=int(source.choice([0, 300_000, 500_000])),
        group_rule=str(source.choice(["disagreement", "half", "none"])),
        contest_ppm=int(source.choice([500_000, 900_000, 1_000_000])),
        contest_votes=int(source.choice([0, 5])),
        group_least=int(source.choice([3, 10])),
        completion=str(source.choice(["phragmen", "none"])),
        veto=("D",) if source.random() < 0.5 else (),
        veto_identity=("census",),
        roll=int(source.integers(1, 60)) if is_small else 0,
        small_rule=str(source.choice(["supermajority", "consent"])),
    )
    pairs = [sorted(source.choice(m, 2, replace=False).tolist()) for _ in range(int(source.integers(0, 6)))]
    return made(
        votes,
        by,
        labels,
        conflicts=[(one, other) for one, other in pairs],
        out=frozenset(source.choice(m, 1).tolist()) if source.random() < 0.3 else frozenset(),
        final=bool(source.random() < 0.3 and not pairs),
        strata={"D": who},
        min_cell=int(source.choice([1, 5])),
    )


# Three parties of which the third is entitled to a view that most reject, and a statement that its group contests.
GROUPS = np.repeat(np.arange(3, dtype=np.int16), [60, 40, 20])
TOWN = made(
    people(
        [
            (60, says(1, 2, 3, 4, 9, no=[7], neither=[6])),
            (40, says(1, 2, 5, 4, 6, no=[7])),
            (20, says(1, 7, 8, 5, no=[4, 9])),
        ],
        [10],
    ),
    Parameters(seats=3, quorum_least=10),
    GROUPS,
)


# A clear preference between two statements, and two others between which none is clear.
RIVALS = made(
    people([(12, says(1, no=[2])), (2, says(2, no=[1])), (40, says(1, 2)), (7, says(3, no=[4])), (4, says(4, no=[3])),
            (30, says(3, 4)), (40, says(5))]),
    Parameters(seats=3),
    conflicts=[(1, 2), (3, 4)],
)  # fmt: skip


# A minority entitled to a view that most neither share nor clearly reject, and to one that a group rejects.
HEARD = made(
    people(
        [
            (60, says(1, 2, neither=[7, 8, 9])),
            (60, says(1, 2, neither=[7, 8], no=[9])),
            (60, says(3, 7, 8, 9)),
        ]
    ),
    Parameters(seats=6, quorum_least=10),
    np.repeat(np.arange(3, dtype=np.int16), 60),
)


PARTIES = made(people([(60, says(10, 11, 12, 13)), (30, says(20, 21, 22, 23))], []), Parameters(seats=3, **LOOSE))
