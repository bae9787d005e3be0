"""Overviews of made-up deliberations, for tests of what is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from auzolan.deliberate.conversation import Statement
from auzolan.deliberate.opinion import VoteCount, statistics_of_counts
from auzolan.deliberate.overview import Dot, Overview, WithheldStatement, statement_views

HOSTILE = "</style><script>alert(1)</script>\u202egnp\u202c\x1b[31m\x00\u200b\"'><img src=x onerror=alert(1)> & so on"


def overview(
    counts: Sequence[Sequence[tuple[int, int, int]]],
    texts: Sequence[str] = (),
    sizes: Sequence[int] | None = None,
    unassigned: int = 3,
    title: str = "Trams",
    demo: bool = False,
    n_statements: int | None = None,
) -> Overview:
    """Make an overview from (agree, disagree, pass) per group and statement, with a dot per group."""
    unassigned = unassigned if counts else max(unassigned, 7)  # as many as vote on each statement
    n = n_statements if n_statements is not None else len(counts[0])
    cells = np.array(counts, dtype=np.int64).reshape(len(counts), n, 3)
    people = list(sizes) if sizes is not None else [int(group.sum(axis=1).max(initial=1)) for group in cells]
    totals = cells.sum(axis=0) if len(counts) else np.tile(np.array([[4, 2, 1]], dtype=np.int64), (n, 1))
    found = statistics_of_counts(range(n), cells, totals, people)
    words = [*texts, *(f"Statement number {i}." for i in range(len(texts), n))]
    statements = [Statement(i, words[i]) for i in range(n)]
    return Overview(
        title=title,
        evidence="Recomputed here from 1 signed snapshot.",
        licence="CC BY 4.0",
        n_participants=sum(people) + unassigned,
        n_votes=int(totals.sum()),
        n_unassigned=unassigned,
        grouping="found by looking at who votes alike",
        sizes=tuple(people),
        statements=statement_views(statements, found, sum(people) + unassigned),
        n_moderated_out=0,
        statistics=found,
        dots=tuple(Dot(0.5 - g / max(len(people), 1), 0.3 * (-1) ** g, g, size) for g, size in enumerate(people)),
        demo=demo,
    )


def two_groups() -> Overview:
    """Make one in which both groups agree on statement 0 and are of two minds on 1 and 2."""
    return overview(
        [[(38, 1, 1), (36, 2, 2), (3, 35, 2)], [(18, 1, 1), (1, 18, 1), (19, 0, 1)]],
        ["More trams at night.", "Close the ring road to cars.", "Build a car park."],
        sizes=[40, 20],
    )


def with_withheld(of: Overview, texts: Sequence[str] = ("Plant trees.", "Cut trees.")) -> Overview:
    """Return the same with withheld statements from 100 on, of every other of which the votes of all are known."""
    withheld = tuple(
        WithheldStatement(100 + n, text, *((None,) * 3 if n % 2 else (VoteCount(9, 2, 12), 0.51, 0.89)))
        for n, text in enumerate(texts)
    )
    known = {each.id: each.total for each in withheld if each.total}
    return replace(
        of, withheld=withheld, min_cell=5, statistics=replace(of.statistics, total=of.statistics.total | known)
    )


def without_words(of: Overview) -> Overview:
    """Return the same without any statement's text."""
    return replace(of, statements=tuple(replace(view, text="") for view in of.statements))
