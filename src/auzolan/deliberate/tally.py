"""The tally: counts of a snapshot's votes by opinion group and by declared stratum.

The counts are public, the ballots mostly are not. So that nobody is found in
them, a statement's counts by group are withheld as a whole where fewer than
`min_cell` people stand behind one of them (those in no group count as one
more), and all counts of a statement that fewer people have seen at all, or
that differ from an earlier tally by fewer who were forgotten since (`hidden`).
Values of strata that fewer people have are not named; these people count as
having none. Differences between two groupings can still be about few people,
and a group that agrees as one tells how its members voted; docs/limits.md
says so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from auzolan.core.kinds.deliberate import Tally
from auzolan.core.record.canonical import (
    JsonValue,
    as_int,
    as_list,
    as_object,
    as_text,
    canonical_bytes,
    read_canonical,
)
from auzolan.core.record.errors import MalformedError, NotCheckedError, VerificationError
from auzolan.deliberate import bounds, grouping, opinion
from auzolan.deliberate.ballots import Ballots
from auzolan.deliberate.grouping import Grouping, group_name
from auzolan.deliberate.votes import NO_GROUP, Labels

COUNTS_FORMAT, LABELS_FORMAT = "auzolan-counts/v1", "auzolan-labels/v1"
DERIVED, DECLARED = "derived", "declared"
OPINION = "opinion"
METHODS = {"groups": grouping.METHOD, "bounds": bounds.METHOD, "formulas": opinion.FORMULAS}
_LABELS_MAGIC = LABELS_FORMAT.encode() + b"\n"


class Cell(NamedTuple):
    """Votes on a statement by some people, and the Jeffreys bounds of the share that agrees, in millionths."""

    agree: int
    disagree: int
    passed: int
    lower_ppm: int
    upper_ppm: int


@dataclass(frozen=True)
class Division:
    """One way to divide participants.

    Attributes:
        name: "opinion" for groups derived from votes, else the stratum's name.
        kind: "derived" or "declared".
        values: names of the groups.
        sizes: participants in each, or None where one of a declared division would tell of few people.
        unassigned: participants in none, withheld together with the sizes.
    """

    name: str
    kind: str
    values: tuple[str, ...]
    sizes: tuple[int, ...] | None
    unassigned: int | None


@dataclass(frozen=True)
class StatementCounts:
    """Counts on one statement: over all, and per division and group; None where withheld."""

    id: int
    all: Cell | None
    by: tuple[tuple[Cell, ...] | None, ...]


@dataclass(frozen=True)
class Counts:
    """The public blob "counts"."""

    min_cell: int
    divisions: tuple[Division, ...]
    statements: tuple[StatementCounts, ...]

    @property
    def n_withheld(self) -> int:
        """On how many statements some counts are withheld."""
        return sum(each.all is None or None in each.by for each in self.statements)

    def withheld_on(self, strata: Collection[str] = ()) -> frozenset[int]:
        """Return the statements whose counts of all, by opinion group, or by one of these strata are withheld."""
        asked = [n for n, each in enumerate(self.divisions) if each.name == OPINION or each.name in strata]
        return frozenset(s.id for s in self.statements if s.all is None or any(s.by[n] is None for n in asked))

    def to_bytes(self) -> bytes:
        """Return the blob: canonical JSON."""
        divisions: list[JsonValue] = [
            {
                "name": each.name,
                "kind": each.kind,
                "values": list(each.values),
                "sizes": None if each.sizes is None else list(each.sizes),
                "unassigned": each.unassigned,
            }
            for each in self.divisions
        ]
        statements: list[JsonValue] = [
            {
                "id": each.id,
                "all": list(each.all) if each.all else None,
                "by": [None if cells is None else [list(cell) for cell in cells] for cells in each.by],
            }
            for each in self.statements
        ]
        return canonical_bytes(
            {
                "format": COUNTS_FORMAT,
                "min_cell": self.min_cell,
                "divisions": divisions,
                "statements": statements,
            }
        )


def count(
    ballots: Ballots, labels: Labels, n_groups: int, min_cell: int, hidden: frozenset[int] = frozenset()
) -> Counts:
    """Count the ballots.

    Args:
        ballots: of one snapshot.
        labels: (participants,) opinion group of each.
        n_groups: how many opinion groups there are.
        min_cell: fewest people that a published count may be about; 1 publishes all.
        hidden: statements whose counts are withheld in any case (`telling_differences`).
    """
    divisions, tables = [], []
    totals = ballots.table.totals()
    for name, kind, values, of_each in _divisions(ballots, labels, n_groups, min_cell):
        sizes = np.bincount(of_each + 1, minlength=len(values) + 1).tolist()
        small = kind == DECLARED and any(0 < size < min_cell for size in sizes)
        shown = (None, None) if small else (tuple(sizes[1:]), sizes[0])
        divisions.append(Division(name, kind, values, *shown))
        tables.append(ballots.table.counts(of_each, len(values)))
    all_cells = _cells(totals[None])[0]
    by_cells = [_cells(table) for table in tables]
    shown = totals.sum(axis=1) >= min_cell
    shown_by = [_all_large_enough(table, totals, min_cell) for table in tables]
    statements = []
    for position, statement in enumerate(ballots.table.statements):
        by = tuple(
            tuple(row[position] for row in cells) if large[position] else None
            for cells, large in zip(by_cells, shown_by, strict=True)
        )
        seen = (bool(shown[position]) or not totals[position].any()) and statement not in hidden
        statements.append(
            StatementCounts(statement, all_cells[position] if seen else None, by if seen else (None,) * len(by))
        )
    return Counts(min_cell, tuple(divisions), tuple(statements))


def _divisions(
    ballots: Ballots, labels: Labels, n_groups: int, min_cell: int
) -> list[tuple[str, str, tuple[str, ...], Labels]]:
    found = [(OPINION, DERIVED, tuple(group_name(number) for number in range(n_groups)), labels)]
    for column, stratum in enumerate(ballots.strata):
        codes = ballots.codes[:, column]
        people = np.bincount(codes, minlength=len(stratum.values) + 1)[1:]
        named = [place for place, size in enumerate(people.tolist()) if size >= min_cell]
        number = np.full(len(stratum.values) + 1, NO_GROUP, dtype=np.int16)
        number[[place + 1 for place in named]] = np.arange(len(named))
        found.append((stratum.name, DECLARED, tuple(stratum.values[place] for place in named), number[codes]))
    return found


def _cells(table: NDArray[np.int64]) -> list[list[Cell]]:
    """Turn (groups, statements, 3) counts into cells."""
    lower, upper = bounds.jeffreys_ppm(table[:, :, 0], table.sum(axis=2))
    rows = np.concatenate([table, lower[:, :, None], upper[:, :, None]], axis=2).tolist()
    return [[Cell(*cell) for cell in row] for row in rows]


def _all_large_enough(table: NDArray[np.int64], totals: NDArray[np.int64], min_cell: int) -> NDArray[np.bool_]:
    """Say per statement whether each group that has seen it, and those in no group, are people enough."""
    seen = np.concatenate([table.sum(axis=2), (totals.sum(axis=1) - table.sum(axis=(0, 2)))[None]])
    large: NDArray[np.bool_] = ((seen == 0) | (seen >= min_cell)).all(axis=0)
    return large


def read_counts(data: bytes) -> Counts:
    """Read the blob "counts".

    Raises:
        MalformedError: it has not the form that `Counts.to_bytes` gives.
    """
    table = as_object(read_canonical(data, "counts"), "counts")
    if table.get("format") != COUNTS_FORMAT:
        raise MalformedError(f"counts: expected format {COUNTS_FORMAT}")
    divisions = tuple(_read_division(item) for item in as_list(table.get("divisions"), "counts.divisions"))
    statements = [_read_statement(item, divisions) for item in as_list(table.get("statements"), "counts.statements")]
    found = Counts(as_int(table.get("min_cell"), "counts.min_cell", 1), divisions, tuple(statements))
    if found.to_bytes() != data:
        raise MalformedError("counts: has more than a tally's counts")
    return found


def _read_division(item: JsonValue) -> Division:
    fields = as_object(item, "counts.divisions")
    values = tuple(as_text(v, "counts.divisions") for v in as_list(fields.get("values"), "counts.divisions"))
    listed, unassigned = fields.get("sizes"), fields.get("unassigned")
    sizes = None
    if listed is not None:
        sizes = tuple(as_int(size, "counts.divisions") for size in as_list(listed, "counts.divisions"))
    kind = fields.get("kind")
    if (
        (sizes is not None and len(sizes) != len(values))
        or not isinstance(kind, str)
        or kind not in (DERIVED, DECLARED)
    ):
        raise MalformedError("counts.divisions: expected a size per value, and a kind")
    name = as_text(fields.get("name"), "counts.divisions")
    rest = None if unassigned is None else as_int(unassigned, "counts.divisions")
    if (rest is None) is not (sizes is None) or (kind == DERIVED and sizes is None):
        raise MalformedError("counts.divisions: expected sizes and unassigned, or neither for a declared division")
    return Division(name, kind, values, sizes, rest)


def _read_statement(item: JsonValue, divisions: Sequence[Division]) -> StatementCounts:
    fields = as_object(item, "counts.statements")
    by = as_list(fields.get("by"), "counts.statements.by")
    if len(by) != len(divisions):
        raise MalformedError("counts.statements.by: expected an entry per division")
    cells: list[tuple[Cell, ...] | None] = []
    for division, entry in zip(divisions, by, strict=True):
        row = None if entry is None else tuple(_read_cell(c) for c in as_list(entry, "counts.statements.by"))
        if row is not None and len(row) != len(division.values):
            raise MalformedError(f"counts.statements.by: expected {len(division.values)} cells for {division.name}")
        cells.append(row)
    every = fields.get("all")
    return StatementCounts(
        as_int(fields.get("id"), "counts.statements.id"), None if every is None else _read_cell(every), tuple(cells)
    )


def _read_cell(item: JsonValue) -> Cell:
    numbers = [as_int(number, "counts.statements") for number in as_list(item, "counts.statements")]
    if len(numbers) != len(Cell._fields):
        raise MalformedError(f"counts.statements: expected {', '.join(Cell._fields)}")
    return Cell(*numbers)


def labels_bytes(labels: Labels) -> bytes:
    """Return the blob "labels": the format's name, then a byte per participant, group + 1, 0 for none."""
    assert int(labels.max(initial=0)) < 255, "grouping finds at most five groups"
    return _LABELS_MAGIC + (labels + 1).astype(np.uint8).tobytes()


def read_labels(data: bytes, n_participants: int, n_groups: int) -> Labels:
    """Read the blob "labels".

    Raises:
        MalformedError: it is not about so many participants and groups.
    """
    if not data.startswith(_LABELS_MAGIC) or len(data) != len(_LABELS_MAGIC) + n_participants:
        raise MalformedError(f"labels: expected {LABELS_FORMAT} about {n_participants:,} participants")
    labels = np.frombuffer(data, dtype=np.uint8, offset=len(_LABELS_MAGIC)).astype(np.int16) - 1
    if n_participants and int(labels.max()) >= n_groups:
        raise MalformedError(f"labels: expected at most {n_groups} groups")
    return labels.astype(np.int16)


def tally_of(
    snapshot_id: str, counts: Counts, found: Grouping, chosen: str, tallied_at: str, blobs: Mapping[str, str]
) -> Tally:
    """Return the tally to sign.

    Args:
        snapshot_id: whose ballots were counted.
        counts: the counts.
        found: the opinion groups.
        chosen: "silhouette", or "asked for" when the number of groups was given.
        tallied_at: ISO 8601 date.
        blobs: digests of the blobs with counts and labels, by name.
    """
    return Tally(
        snapshot=snapshot_id,
        methods=METHODS,
        tallied_at=tallied_at,
        min_cell=counts.min_cell,
        groups=tuple(found.sizes),
        n_unassigned=int((found.labels == NO_GROUP).sum()),
        chosen=chosen,
        silhouettes_ppm={str(k): value for k, value in sorted(found.silhouettes.items())},
        n_statements=len(counts.statements),
        n_withheld=counts.n_withheld,
        blobs=dict(blobs),
    )


def telling_differences(earlier: Sequence[Counts], now: Counts) -> frozenset[int]:
    """Return the statements on which an earlier published tally less this one would be about fewer than `min_cell`."""
    hidden = set()
    for counts in earlier:
        seen = {each.id: sum(each.all[:3]) for each in counts.statements if each.all}
        for each in now.statements:
            if each.all and each.id in seen and 0 < seen[each.id] - sum(each.all[:3]) < now.min_cell:
                hidden.add(each.id)
    return frozenset(hidden)


def verify_tally(tally: Tally, counts_data: bytes, labels_data: bytes, ballots: Ballots) -> Counts:
    """Return the counts if they are what the ballots and the labels amount to, counted again.

    Checks: every count and bound, which of them are withheld, the sizes of groups.
    Does not check: how the groups were found (`chosen`, silhouettes), and whether more is withheld than must be.
    Whoever counts again reads the labels.

    Raises:
        VerificationError: something differs.
        MalformedError: the labels are about other participants.
        NotCheckedError: the methods are not known here.
    """
    if tally.methods != METHODS:
        raise NotCheckedError("the tally was made by methods that this version of auzolan does not know")
    labels = read_labels(labels_data, len(ballots.table.participants), len(tally.groups))
    # What else is withheld shows as withheld; that there was a reason is not checked.
    try:
        hidden = frozenset(each.id for each in read_counts(counts_data).statements if each.all is None)
    except MalformedError as error:
        raise VerificationError(f"the published counts are not what the ballots amount to: {error}") from None
    counts = count(ballots, labels, len(tally.groups), tally.min_cell, hidden)
    if counts.to_bytes() != counts_data:
        raise VerificationError("the published counts are not what the ballots amount to")
    sizes = tuple(np.bincount(labels[labels >= 0], minlength=len(tally.groups)).tolist())
    said = (tally.groups, tally.n_unassigned, tally.n_statements, tally.n_withheld)
    if said != (sizes, int((labels < 0).sum()), len(counts.statements), counts.n_withheld):
        raise VerificationError("the tally's own summary is not what its counts say")
    return counts


def verify_counts(counts: Counts, tally: Tally, statements: Collection[int]) -> Counts:
    """Return published counts if they are possible at all; for those who have no ballots to count again.

    Checks: statements and divisions named once, groups as in the tally, no cell larger than its group or than
    all who voted, bounds that follow from the counts, nothing published about too few people.
    Does not check: that ballots amount to them (`verify_tally`).

    Raises:
        VerificationError: one of these does not hold.
    """
    ids, names = [each.id for each in counts.statements], [each.name for each in counts.divisions]
    if ids != sorted(set(ids)) or not set(ids) <= set(statements) or len(set(names)) != len(names):
        raise VerificationError("counts: statements or divisions that are unknown, or there twice")
    first = counts.divisions[0] if counts.divisions else None
    if first is None or (first.name, first.kind, first.sizes) != (OPINION, DERIVED, tally.groups):
        raise VerificationError("counts: their groups are not those of the tally")
    if (counts.min_cell, counts.n_withheld) != (tally.min_cell, tally.n_withheld):
        raise VerificationError("counts: withheld otherwise than the tally says")
    for each in counts.statements:
        _check_possible(each, counts)
    return counts


def _check_possible(statement: StatementCounts, counts: Counts) -> None:
    where = f"counts: statement {statement.id}"
    every = statement.all
    cells = [cell for row in statement.by if row for cell in row] + ([every] if every else [])
    if any(row is not None and every is None for row in statement.by):
        raise VerificationError(f"{where}: counts by group without those of all")
    for cell in cells:
        seen = sum(cell[:3])
        if 0 < seen < counts.min_cell:
            raise VerificationError(f"{where}: a count about {seen} people is published")
        lower, upper = bounds.jeffreys_ppm(np.array(cell.agree), np.array(seen))
        if (cell.lower_ppm, cell.upper_ppm) != (int(lower), int(upper)):
            raise VerificationError(f"{where}: bounds that do not follow from the counts")
    for division, row in zip(counts.divisions, statement.by, strict=True):
        if row is None or every is None:
            continue
        for kind in range(3):
            if sum(cell[kind] for cell in row) > every[kind]:
                raise VerificationError(f"{where}: more votes in the groups of {division.name} than in all")
        for cell, size in zip(row, division.sizes or (), strict=False):
            if sum(cell[:3]) > size:
                raise VerificationError(f"{where}: more votes in a group of {division.name} than it has people")
