"""What people want to know of a deliberation, gathered for a table or a page.

Floats, for the eye only: everything here follows from counts, which are what is
signed. Sorted by agreement between groups: by the geometric mean of the groups'
smoothed shares of agreement, which ranks as Polis' group-aware consensus does
and, unlike it, can be compared across numbers of groups.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from auzolan.deliberate.bounds import jeffreys_ppm
from auzolan.deliberate.conversation import Statement
from auzolan.deliberate.grouping import Points
from auzolan.deliberate.opinion import Statistics, Tally
from auzolan.deliberate.stability import majority_stability
from auzolan.deliberate.votes import Labels

_DOT_PEOPLE = 5
_MOST_DOTS = 300


@dataclass(frozen=True)
class Dot:
    """Some people of one group who vote alike, never fewer than five unless their group is smaller.

    Attributes:
        x, y: where they stand on the opinion plane on average, within ±1.
        group: number.
        people: how many.
    """

    x: float
    y: float
    group: int
    people: int


@dataclass(frozen=True)
class StatementView:
    """One statement with all that is shown of it.

    Attributes:
        id, text: as in the source.
        total: votes of all participants.
        lower, upper: Jeffreys bounds of the share of agreement among all who saw it, 0 to 1.
        groups: votes per group.
        group_bounds: the same bounds per group.
        gac: Polis' group-aware consensus; 0 where there are no groups.
        common: geometric mean of the groups' smoothed shares, or of all when there are no groups.
        holds: share of resamples in which at least half agree in every group (of all, when there are none).
        holds_against: the same for disagreement.
    """

    id: int
    text: str
    total: Tally
    lower: float
    upper: float
    groups: tuple[Tally, ...]
    gac: float
    common: float
    holds: float
    holds_against: float
    group_bounds: tuple[tuple[float, float], ...] = ()

    @property
    def is_shared(self) -> bool:
        """Whether at least half of those who saw it agree, in every group (of all, when there are none)."""
        return all(cell.seen and 2 * cell.agree >= cell.seen for cell in self.groups or (self.total,))


@dataclass(frozen=True)
class Overview:
    """A deliberation at a glance.

    Attributes:
        title: its topic.
        evidence: where the figures come from and how they were established, one sentence.
        licence: of the votes, or "".
        n_participants, n_votes, n_unassigned: how many; unassigned are participants in no group.
        grouping: how groups came about, one sentence.
        sizes: participants per group.
        statements: sorted by agreement between groups, those moderated out left out.
        n_moderated_out: how many statements those are.
        statistics: as Polis computes them.
        dots: the opinion map; empty where there are no positions.
        strata: stratum name -> value -> statement id -> votes.
        bridging: statement id -> intercept, only where asked for.
        demo: the keys of the commons are throw-away ones.
    """

    title: str
    evidence: str
    licence: str
    n_participants: int
    n_votes: int
    n_unassigned: int
    grouping: str
    sizes: tuple[int, ...]
    statements: tuple[StatementView, ...]
    n_moderated_out: int
    statistics: Statistics
    dots: tuple[Dot, ...] = ()
    strata: Mapping[str, Mapping[str, Mapping[int, Tally]]] | None = None
    bridging: Mapping[int, float] | None = None
    demo: bool = False


def overview_of(
    *,
    title: str,
    evidence: str,
    licence: str,
    grouping: str,
    statements: Sequence[Statement],
    found: Statistics,
    n_participants: int,
    n_votes: int,
    dots: tuple[Dot, ...] = (),
    strata: Mapping[str, Mapping[str, Mapping[int, Tally]]] | None = None,
    bridging: Mapping[int, float] | None = None,
) -> Overview:
    """Gather an overview; the arguments are its attributes, or what they follow from."""
    sizes = tuple(group.size for group in found.groups)
    return Overview(
        title=title,
        evidence=evidence,
        licence=licence,
        n_participants=n_participants,
        n_votes=n_votes,
        n_unassigned=n_participants - sum(sizes),
        grouping=grouping,
        sizes=sizes,
        statements=statement_views(statements, found, n_participants),
        n_moderated_out=sum(each.moderation == "out" for each in statements),
        statistics=found,
        dots=dots,
        strata=strata,
        bridging=bridging,
    )


def statement_views(
    statements: Sequence[Statement], found: Statistics, n_participants: int
) -> tuple[StatementView, ...]:
    """Return the statements that were not moderated out, sorted by agreement between groups (ties: by id)."""
    shown = [s for s in statements if s.moderation != "out" and s.id in found.total]
    totals = [found.total[s.id] for s in shown]
    lower, upper = _bounds(totals)
    of_groups = [
        list(zip(*_bounds([group.votes[statement.id] for statement in shown]), strict=True)) for group in found.groups
    ]
    sizes = [group.size for group in found.groups]
    views = []
    for position, statement in enumerate(shown):
        cells = tuple(group.votes[statement.id] for group in found.groups)
        judged, people = (cells, sizes) if cells else ((totals[position],), [n_participants])
        seen = [cell.seen for cell in judged]
        shares = [(cell.agree + 1) / (cell.seen + 2) for cell in judged]
        views.append(
            StatementView(
                id=statement.id,
                text=statement.text,
                total=totals[position],
                lower=lower[position],
                upper=upper[position],
                groups=cells,
                gac=found.gac.get(statement.id, 0.0),
                common=math.exp(math.fsum(map(math.log, shares)) / len(shares)),
                holds=majority_stability([cell.agree for cell in judged], seen, people),
                holds_against=majority_stability([cell.disagree for cell in judged], seen, people),
                group_bounds=tuple(bounds[position] for bounds in of_groups),
            )
        )
    return tuple(sorted(views, key=lambda view: (-view.common, view.id)))


def _bounds(cells: Sequence[Tally]) -> list[list[float]]:
    """Return the lower and the upper bounds of the shares of agreement."""
    sides = jeffreys_ppm(np.array([t.agree for t in cells]), np.array([t.seen for t in cells]))
    return [(side / 1_000_000).tolist() for side in sides]


def opinion_map(places: Points, labels: Labels) -> tuple[Dot, ...]:
    """Return dots that stand for several people each, so that nobody is found by where they stand.

    Within a group people are lined up along a curve that keeps neighbours
    together (Morton order) and cut into runs of equal length, five people or
    more (microaggregation: Domingo-Ferrer & Mateo-Sanz 2002).
    """
    grouped = labels >= 0
    people = max(_DOT_PEOPLE, -(-int(grouped.sum()) // _MOST_DOTS))
    largest = max(int(np.abs(places).max(initial=0)), 1)
    dots = []
    for group in range(int(labels.max(initial=-1)) + 1):
        members = places[labels == group]
        members = members[np.argsort(_morton(members + 2**15), kind="stable")]
        n_dots = max(1, len(members) // people)
        for run in np.array_split(members, n_dots):
            if len(run):
                x, y = (run.mean(axis=0) / largest).tolist()
                dots.append(Dot(x, y, group, len(run)))
    return tuple(dots)


def _morton(places: Points) -> Points:
    """Return positions along the Z-curve: the bits of x and y in turn."""
    code = np.zeros(len(places), dtype=np.int64)
    for bit in range(17):
        code |= ((places[:, 0] >> bit) & 1) << (2 * bit)
        code |= ((places[:, 1] >> bit) & 1) << (2 * bit + 1)
    return code


def percent(part: int, whole: int) -> str:
    """Return a share in whole percent; what is not all or nothing never reads as 100 or 0."""
    if not whole:
        return "–"
    rounded = (200 * part + whole) // (2 * whole)
    if rounded == 0 and part:
        return "<1\N{NO-BREAK SPACE}%"
    if rounded == 100 and part != whole:
        return ">99\N{NO-BREAK SPACE}%"
    return f"{rounded}\N{NO-BREAK SPACE}%"


def of_100(share: float) -> str:
    """Return how many of a hundred, in words that do not claim certainty."""
    if share >= 0.995:
        return "more than 99"
    return "fewer than 1" if share < 0.005 else str(round(share * 100))
