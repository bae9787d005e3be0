"""What people want to know of a deliberation, gathered for a table or a page.

Floats, for the eye only: everything here follows from counts, which are what is
signed. Sorted by agreement between groups: by the geometric mean of the groups'
smoothed shares of agreement, which ranks as Polis' group-aware consensus does
and, unlike it, can be compared across numbers of groups.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from auzolan.deliberate.bounds import jeffreys_ppm
from auzolan.deliberate.conversation import Statement, left_out
from auzolan.deliberate.grouping import Points
from auzolan.deliberate.opinion import Statistics, VoteCount, statistics_of_counts
from auzolan.deliberate.stability import majority_stability
from auzolan.deliberate.votes import Labels

FEWEST = 5  # votes on a statement in one stratum, below which the stratum is not shown on it
_DOT_PEOPLE = 5
_MOST_DOTS = 300
# Kaufman & Rousseeuw 1990, "Finding Groups in Data", chapter 2, as rounded in use.
_APART = ((0.25, "hardly apart"), (0.5, "weakly apart"), (0.7, "fairly apart"))
# What votes by chance stay below in tests/deliberate/test_overview.py, with fewer people and with more.
_CHANCE_FEW, _CHANCE_MANY, _MANY = 0.55, 0.42, 60


@dataclass(frozen=True)
class Dot:
    """Some people of one group who vote alike; how few they may be is for `opinion_map` to say.

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
    total: VoteCount
    lower: float
    upper: float
    groups: tuple[VoteCount, ...]
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
class WithheldStatement:
    """One statement whose counts by group are withheld, because they could tell of too few people.

    Attributes:
        id, text: as in the source.
        total: votes of all participants, or None where these are withheld too.
        lower, upper: bounds of the share of agreement among all who saw it, 0 to 1, or None.
    """

    id: int
    text: str
    total: VoteCount | None = None
    lower: float | None = None
    upper: float | None = None


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
        withheld: statements whose counts by group are withheld, by id; those moderated out left out.
        min_cell: fewest people that a count shown may be about; 1 withholds none.
        chance: silhouettes of as many groups in shuffled votes, where they were computed.
        silhouette: how far apart the groups are, -1 to 1, where they were found from votes.
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
    strata: Mapping[str, Mapping[str, Mapping[int, VoteCount]]] | None = None
    bridging: Mapping[int, float] | None = None
    demo: bool = False
    withheld: tuple[WithheldStatement, ...] = ()
    min_cell: int = 1
    silhouette: float | None = None
    chance: tuple[float, ...] = ()

    @property
    def with_withheld(self) -> tuple[StatementView | WithheldStatement, ...]:
        """All statements that were not moderated out."""
        return (*self.statements, *self.withheld)

    @property
    def n_not_in_consensus(self) -> int:
        """How many statements could not be considered for consensus, because not even their totals are known."""
        return sum(each.id not in self.statistics.total for each in self.withheld)

    @property
    def without_dots(self) -> tuple[int, ...]:
        """Groups that the opinion map leaves out, because they are too few."""
        mapped = {dot.group for dot in self.dots}
        return tuple(number for number in range(len(self.sizes)) if number not in mapped) if self.dots else ()

    def strata_on(self, statement: int, total: VoteCount) -> dict[str, dict[str, VoteCount]]:
        """Return stratum name -> value -> votes on a statement, only strata in which nobody is found.

        One small cell hides the stratum as a whole, and so do few people in none of its values: what is left of the
        total is their votes.

        Args:
            statement: id.
            total: votes of all participants on it.
        """
        fewest = max(FEWEST, self.min_cell)
        shown = {}
        for name, values in (self.strata or {}).items():
            cells = {value: votes[statement] for value, votes in values.items() if statement in votes}
            rest = total.seen - sum(cell.seen for cell in cells.values())
            if cells and not any(0 < seen < fewest for seen in (rest, *(cell.seen for cell in cells.values()))):
                shown[name] = cells
        return shown


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
    strata: Mapping[str, Mapping[str, Mapping[int, VoteCount]]] | None = None,
    bridging: Mapping[int, float] | None = None,
    withheld: Sequence[WithheldStatement] = (),
    min_cell: int = 1,
    silhouette: float | None = None,
    chance: Sequence[float] = (),
) -> Overview:
    """Gather an overview; the arguments are its attributes, or what they follow from.

    Consensus is about all participants, so it is computed again with those withheld statements whose totals are known.
    """
    sizes = tuple(group.size for group in found.groups)
    out = {each.id for each in statements if each.moderation == "out"}
    kept = tuple(sorted((each for each in withheld if each.id not in out), key=lambda each: each.id))
    hidden = {each.id for each in kept}
    open_statements = [each for each in statements if each.id not in hidden]
    return Overview(
        title=title,
        evidence=evidence,
        licence=licence,
        n_participants=n_participants,
        n_votes=n_votes,
        n_unassigned=n_participants - sum(sizes),
        grouping=grouping,
        sizes=sizes,
        statements=statement_views(open_statements, found, n_participants),
        n_moderated_out=len(out),
        statistics=_with_totals(found, kept, statements),
        dots=dots,
        strata=strata,
        bridging=bridging,
        withheld=kept,
        min_cell=min_cell,
        silhouette=silhouette,
        chance=tuple(chance),
    )


def _with_totals(
    found: Statistics, withheld: Sequence[WithheldStatement], statements: Sequence[Statement]
) -> Statistics:
    """Return the statistics with consensus over all statements whose totals are known."""
    more = {each.id: each.total for each in withheld if each.total is not None and each.id not in found.total}
    if not more:
        return found
    total = dict(sorted((found.total | more).items()))
    counts = np.array([[agree, disagree, seen - agree - disagree] for agree, disagree, seen in total.values()])
    of_all = statistics_of_counts(list(total), np.zeros((0, len(total), 3), np.int64), counts, (), left_out(statements))
    return replace(found, total=total, consensus=of_all.consensus)


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


def _bounds(cells: Sequence[VoteCount]) -> list[list[float]]:
    """Return the lower and the upper bounds of the shares of agreement."""
    sides = jeffreys_ppm(np.array([t.agree for t in cells]), np.array([t.seen for t in cells]))
    return [(side / 1_000_000).tolist() for side in sides]


def opinion_map(places: Points, labels: Labels, least: int = _DOT_PEOPLE) -> tuple[Dot, ...]:
    """Return dots that stand for several people each, so that nobody is found by where they stand.

    Within a group people are lined up along a curve that keeps neighbours
    together (Morton order) and cut into runs of equal length, five people or
    more (microaggregation: Domingo-Ferrer & Mateo-Sanz 2002).

    Args:
        places: (participants, 2) on the opinion plane.
        labels: (participants,) group of each; those in none have no dot.
        least: fewest people a dot may stand for where ballots are withheld, five at the least; a smaller group has
            no dot. With 1, for ballots that are public, all of a group smaller than five are one dot.
    """
    grouped = labels >= 0
    fewest = max(_DOT_PEOPLE, least)
    people = max(fewest, -(-int(grouped.sum()) // _MOST_DOTS))
    largest = max(int(np.abs(places).max(initial=0)), 1)
    dots = []
    for group in range(int(labels.max(initial=-1)) + 1):
        members = places[labels == group]
        if least > 1 and len(members) < fewest:
            continue
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


def apartness(silhouette: float, people: int, chance: Sequence[float] = ()) -> str:
    """Return how far apart groups are, in plain words.

    Whatever is divided into the groups that fit it best has a silhouette well above 0, so the convention alone would
    flatter: values that chance votes reach as well are named as such.

    Args:
        chance: silhouettes of as many groups in shuffled votes, where they were computed.
        silhouette: of the groups, -1 to 1.
        people: how many are in groups; the fewer, the further chance reaches.
        chance: silhouettes of groups in shuffled votes (`chance`), ascending, where they were computed.
    """
    named = next((words for below, words in _APART if silhouette < below), "clearly apart")
    shown = f"{silhouette:.2f}".replace("-", "−")
    said = (
        f"Silhouette {shown}, where 1 is wholly apart and 0 is no groups at all: {named}, by a convention that draws "
        "lines at 0.25, 0.5 and 0.7 (Kaufman & Rousseeuw 1990). "
    )
    if chance:
        clearer = "clearer than" if silhouette > chance[-1] else "no clearer than"
        return (
            f"{said}Groups are found even in chance votes: these votes shuffled among those who cast them reach "
            f"{chance[0]:.2f} to {chance[-1]:.2f} in {len(chance)} draws, so the groups are {clearer} chance."
        )
    reached = _CHANCE_MANY if people >= _MANY else _CHANCE_FEW
    doubt = "; so this value alone does not show that there are groups" if silhouette < reached else ""
    return f"{said}Groups are found even in chance votes, which reach 0.3 to 0.4, and 0.5 where few people vote{doubt}."


FLATTERING = (
    "Where groups were found from these votes, ranges and re-draws rest on the same votes that made the groups, "
    "so they flatter differences between groups."
)
