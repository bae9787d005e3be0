"""The packed table of votes: two bytes a vote, the one form that all counting works on.

Rows are participants in the order of their pseudonyms, and within a row
statements in the order of their ids, so that the same votes give the same
bytes however they came in. What is not there was not seen; it is never filled
in. A participant without a vote has no row.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from auzolan.core.record.errors import MalformedError, UsageError

AGREE, PASS, DISAGREE = 1, 0, -1
VOTES = frozenset({AGREE, PASS, DISAGREE})
MAX_STATEMENTS = 2**17
NO_GROUP = -1
_BLOCK = 2**20  # votes counted at a time, so that counting needs little memory beside the table

Packed = NDArray[np.uint16] | NDArray[np.uint32]
Labels = NDArray[np.int16]


@dataclass(frozen=True, eq=False)
class VoteTable:
    """All votes of a conversation.

    Attributes:
        participants: pseudonyms, sorted, each with at least one vote.
        statements: ids, sorted; perhaps nobody voted on some of them.
        starts: (participants + 1,) int64; participant i's votes are packed[starts[i]:starts[i + 1]].
        packed: (votes,) uint16, or uint32 above 16,384 statements: statement position * 4 + vote + 1.
    """

    participants: Sequence[str]
    statements: tuple[int, ...]
    starts: NDArray[np.int64]
    packed: Packed

    @property
    def n_votes(self) -> int:
        """How many votes there are, passes among them."""
        return int(self.packed.size)

    @property
    def votes_per_participant(self) -> NDArray[np.int64]:
        """(participants,) int64."""
        return np.diff(self.starts)

    def row(self, position: int) -> dict[int, int]:
        """Return the votes of one participant: statement id -> vote."""
        items = self.packed[self.starts[position] : self.starts[position + 1]].tolist()
        return {self.statements[item >> 2]: (item & 3) - 1 for item in items}

    def to_ballots(self) -> dict[str, dict[int, int]]:
        """Return participant -> statement -> vote; for small tables."""
        return {who: self.row(position) for position, who in enumerate(self.participants)}

    def labels(self, groups: Sequence[Sequence[str]]) -> Labels:
        """Return each participant's group, `NO_GROUP` for those in none: (participants,) int16.

        Args:
            groups: participants per group; nobody stands in two of them.

        Raises:
            UsageError: an unknown participant, one in two groups, or too many groups.
        """
        if len(groups) > np.iinfo(np.int16).max:
            raise UsageError(f"{len(groups):,} groups, at most {np.iinfo(np.int16).max:,} can be told apart")
        labels = np.full(len(self.participants), NO_GROUP, dtype=np.int16)
        place = {who: position for position, who in enumerate(self.participants)}
        for number, members in enumerate(groups):
            for who in members:
                if who not in place:
                    raise UsageError(f"group {number}: one of its participants has not voted in this conversation")
                if labels[place[who]] != NO_GROUP:
                    raise UsageError(f"group {number}: one of its participants is in two groups, or twice in one")
                labels[place[who]] = number
        return labels

    def counts(self, labels: Labels, n_groups: int) -> NDArray[np.int64]:
        """Count the votes on each statement in each group.

        Args:
            labels: (participants,) group of each, `NO_GROUP` for none.
            n_groups: how many groups there are.

        Returns:
            (groups, statements, 3) int64: how many agree, how many disagree, how many pass.
        """
        width = len(self.statements) * 4
        total = np.zeros((n_groups + 1) * width, dtype=np.int64)
        offsets = np.where(labels < 0, n_groups, labels).astype(np.int64) * width
        first = 0
        while first < len(self.participants):
            last = int(np.searchsorted(self.starts, self.starts[first] + _BLOCK, side="right")) - 1
            last = min(max(last, first + 1), len(self.participants))
            lengths = np.diff(self.starts[first : last + 1])
            cells = np.repeat(offsets[first:last], lengths)
            cells += self.packed[self.starts[first] : self.starts[last]]
            total += np.bincount(cells, minlength=total.size)
            first = last
        table = total.reshape(n_groups + 1, len(self.statements), 4)[:n_groups]
        return np.ascontiguousarray(table[:, :, [2, 0, 1]])

    def totals(self) -> NDArray[np.int64]:
        """Count all votes on each statement: (statements, 3) int64, agree, disagree, pass."""
        cells = np.zeros(len(self.statements) * 4, dtype=np.int64)
        for first in range(0, self.n_votes, _BLOCK):
            cells += np.bincount(self.packed[first : first + _BLOCK], minlength=cells.size)
        table = cells.reshape(len(self.statements), 4)
        return np.ascontiguousarray(table[:, [2, 0, 1]])


class Rows:
    """Votes in the order in which a source lists them, re-votes among them."""

    def __init__(self) -> None:
        self.participants: dict[str, int] = {}
        self.who, self.statement, self.vote, self.at = array("i"), array("q"), array("b"), array("q")

    def __len__(self) -> int:
        return len(self.who)

    def add(self, participant: str, statement: int, vote: int, at: int = 0) -> None:
        """Add one vote.

        Args:
            participant: pseudonym.
            statement: id, 0 <= id < 2**53.
            vote: AGREE, PASS or DISAGREE; the reader has checked it.
            at: when it was cast, in any unit; the latest wins.
        """
        self.who.append(self.participants.setdefault(participant, len(self.participants)))
        self.statement.append(statement)
        self.vote.append(vote)
        self.at.append(at)


class Packing(NamedTuple):
    """What became of rows.

    Attributes:
        table: the last vote of each participant on each statement.
        replaced: votes left out because the same participant voted again on the same statement later.
        ambiguous: votes left out because the last two of one participant on one statement were
            cast at the same moment and differ.
    """

    table: VoteTable
    replaced: int
    ambiguous: int


def pack(rows: Rows, statements: Sequence[int] = ()) -> Packing:
    """Pack rows into a table; the order of the rows does not matter.

    Args:
        rows: all votes.
        statements: ids of further statements, on which perhaps nobody voted.

    Raises:
        MalformedError: too many statements.
    """
    ids = np.frombuffer(rows.statement, dtype=np.int64) if len(rows) else np.zeros(0, dtype=np.int64)
    known = np.union1d(ids, np.array(sorted(statements), dtype=np.int64))
    if known.size > MAX_STATEMENTS:
        raise MalformedError(f"{known.size:,} statements, at most {MAX_STATEMENTS:,} fit")
    names = sorted(rows.participants)
    rank = np.empty(len(names), dtype=np.int64)
    rank[[rows.participants[name] for name in names]] = np.arange(len(names))
    who = rank[np.frombuffer(rows.who, dtype=np.int32)] if len(rows) else ids
    vote = np.frombuffer(rows.vote, dtype=np.int8).astype(np.int64) if len(rows) else ids
    at = np.frombuffer(rows.at, dtype=np.int64) if len(rows) else ids
    cell = who * known.size + np.searchsorted(known, ids)
    order = np.lexsort((vote, at, cell))
    cell, vote, at = cell[order], vote[order], at[order]
    last = np.append(cell[1:] != cell[:-1], True) if len(rows) else np.zeros(0, dtype=bool)
    rival = np.zeros(len(rows), dtype=bool)
    rival[1:] = (cell[1:] == cell[:-1]) & (at[1:] == at[:-1]) & (vote[1:] != vote[:-1])
    # Sorted by vote within a moment, so a different vote at the last moment stands somewhere before the last
    # row of its run; the one right before it differs unless the last vote itself is repeated.
    ambiguous_cells = np.unique(cell[rival & (at == _last_moment(at, last))])
    dropped = np.isin(cell, ambiguous_cells)
    keep = last & ~dropped
    n_ambiguous = int(np.count_nonzero(dropped & (at == _last_moment(at, last))))
    kept_who, position = np.divmod(cell[keep], max(known.size, 1))
    present = np.unique(kept_who)
    starts = np.append(np.searchsorted(kept_who, present), kept_who.size).astype(np.int64)
    items = position * 4 + vote[keep] + 1
    packed: Packed = items.astype(np.uint16) if known.size <= 2**14 else items.astype(np.uint32)
    table = VoteTable([names[i] for i in present], tuple(known.tolist()), starts, packed)
    return Packing(table, len(rows) - int(np.count_nonzero(keep)) - n_ambiguous, n_ambiguous)


def _last_moment(at: NDArray[np.int64], last: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return for each row the moment of the last row of its run."""
    ends = np.flatnonzero(last)
    return np.repeat(at[ends], np.diff(ends, prepend=-1))
