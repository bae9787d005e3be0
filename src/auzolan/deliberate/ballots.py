"""`auzolan-ballots/v1`: the canonical vote table as bytes, and its salted commitment.

One file holds all ballots of a snapshot: a line with the format's name, a line
of canonical JSON, then arrays, little-endian, one after the other:

    salts        participants * 32 bytes
    pseudonyms   participants * 16 bytes, ascending
    lengths      participants * 4 bytes, how many votes each has
    strata       participants * strata * 2 bytes, value number + 1, 0 for none
    votes        statement position * 4 + vote + 1, ascending within a participant;
                 2 bytes each, 4 above 16,384 statements

The commitment is the root of an RFC 9162 tree over 32-byte entries: first the
SHA-256 of the header's lasting part, then per participant the SHA-256 of salt,
pseudonym, strata and votes. It says nothing about anyone's votes while the salt
is secret. When a participant is forgotten, salt, pseudonym and votes go and the
entry stays, so that whoever holds the rest can still show that nothing else was
changed (`root_of_generation`), and nobody can guess what the entry stood for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from auzolan.core.record.canonical import (
    JsonObject,
    JsonValue,
    as_int,
    as_list,
    as_object,
    as_text,
    canonical_bytes,
    only_keys,
    read_canonical,
)
from auzolan.core.record.errors import MalformedError, UsageError
from auzolan.core.record.merkle import leaf_hash, root_of
from auzolan.core.record.record import check_digest
from auzolan.deliberate.votes import MAX_STATEMENTS, Packed, VoteTable

FORMAT = "auzolan-ballots/v1"
SALT_BYTES, PSEUDONYM_BYTES = 32, 16
MAX_VALUES = 2**15 - 1
_MAGIC = FORMAT.encode() + b"\n"
_MAX_HEADER = 64 * 2**20
_FIELDS = frozenset({"erased", "generation", "participants", "statements", "strata", "votes"})


@dataclass(frozen=True)
class Stratum:
    """A declared division of the participants, such as their district.

    Attributes:
        name: what it is called.
        values: its values, sorted.
    """

    name: str
    values: tuple[str, ...]


class Erased(NamedTuple):
    """What is left of a participant who was forgotten.

    Attributes:
        position: among the entries of the first snapshot, from 0.
        generation: how many times participants had been forgotten then, from 1.
        entry: the 32 bytes that the tree was built over.
    """

    position: int
    generation: int
    entry: bytes


@dataclass(frozen=True, eq=False)
class Ballots:
    """All ballots of a snapshot.

    Attributes:
        table: the votes.
        salts: (participants, 32) uint8, random, secret.
        strata: declared divisions.
        codes: (participants, strata) uint16, value number + 1, 0 for none.
        erased: who was forgotten, by position.
        generation: how many times participants were forgotten.
    """

    table: VoteTable
    salts: NDArray[np.uint8]
    strata: tuple[Stratum, ...]
    codes: NDArray[np.uint16]
    erased: tuple[Erased, ...] = ()
    generation: int = 0

    def root(self) -> bytes:
        """Return the commitment."""
        return self.root_of_generation(self.generation)

    def root_of_generation(self, generation: int) -> bytes:
        """Return the commitment that the ballots had after so many times of forgetting; 0 for the first.

        Raises:
            MalformedError: there was no such generation.
        """
        if not 0 <= generation <= self.generation:
            raise MalformedError(f"ballots: generation {generation} of {self.generation}")
        gone = {each.position: each for each in self.erased}
        remaining = iter(self._entries())
        leaves = [leaf_hash(sha256(self._lasting_header()).digest())]
        for position in range(len(self.table.participants) + len(self.erased)):
            left = gone.get(position)
            if left is None:
                leaves.append(leaf_hash(next(remaining)))
            elif left.generation > generation:
                leaves.append(leaf_hash(left.entry))
        return root_of(leaves)

    def _lasting_header(self) -> bytes:
        return canonical_bytes({"format": FORMAT, "statements": list(self.table.statements), "strata": self._strata()})

    def _strata(self) -> JsonValue:
        return [{"name": stratum.name, "values": list(stratum.values)} for stratum in self.strata]

    def _entries(self) -> list[bytes]:
        """Return each participant's entry, in order."""
        votes, width = memoryview(_little(self.table.packed)), self.table.packed.itemsize
        salts, codes = self.salts.tobytes(), _little(self.codes)
        names = bytes.fromhex("".join(self.table.participants))
        bounds = (self.table.starts * width).tolist()
        step = 2 * len(self.strata)
        return [
            sha256(
                salts[i * 32 : i * 32 + 32]
                + names[i * 16 : i * 16 + 16]
                + codes[i * step : i * step + step]
                + votes[bounds[i] : bounds[i + 1]]
            ).digest()
            for i in range(len(self.table.participants))
        ]

    def without(self, pseudonyms: Collection[str]) -> Ballots:
        """Return the ballots without these participants, of whom only the entries stay.

        Raises:
            UsageError: nobody is left, or one of them is not here.
        """
        gone = frozenset(pseudonyms)
        keep = np.array([who not in gone for who in self.table.participants], dtype=bool)
        if len(keep) - int(keep.sum()) != len(gone):
            raise UsageError("ballots: expected participants of this snapshot")
        if not keep.any():
            raise UsageError("ballots: nobody would be left")
        entries, places = self._entries(), self._positions()
        erased = [Erased(places[i], self.generation + 1, entries[i]) for i in np.flatnonzero(~keep)]
        lengths = self.table.votes_per_participant
        table = replace(
            self.table,
            participants=[who for who, stays in zip(self.table.participants, keep, strict=True) if stays],
            starts=np.append(0, np.cumsum(lengths[keep])).astype(np.int64),
            packed=self.table.packed[np.repeat(keep, lengths)],
        )
        together = tuple(sorted((*self.erased, *erased)))
        return Ballots(table, self.salts[keep], self.strata, self.codes[keep], together, self.generation + 1)

    def _positions(self) -> list[int]:
        """Return the position of each participant among the entries of the first snapshot."""
        gone = {each.position for each in self.erased}
        total = len(self.table.participants) + len(gone)
        return [position for position in range(total) if position not in gone]

    def to_bytes(self) -> bytes:
        """Return the file."""
        table = self.table
        header = canonical_bytes(
            {
                "erased": [[each.position, each.generation, each.entry.hex()] for each in self.erased],
                "generation": self.generation,
                "participants": len(table.participants),
                "statements": list(table.statements),
                "strata": self._strata(),
                "votes": table.n_votes,
            }
        )
        return b"".join(
            (
                _MAGIC,
                header,
                b"\n",
                self.salts.tobytes(),
                bytes.fromhex("".join(table.participants)),
                _little(table.votes_per_participant.astype(np.uint32)),
                _little(self.codes),
                _little(table.packed),
            )
        )


def seal(table: VoteTable, strata: Mapping[str, Mapping[str, str]], salts: bytes) -> Ballots:
    """Return the ballots of a table.

    Args:
        table: the votes.
        strata: stratum -> pseudonym -> value; an empty value is none.
        salts: 32 random bytes per participant.

    Raises:
        MalformedError: too few salts, or a stratum with more than `MAX_VALUES` values.
    """
    n = len(table.participants)
    if len(salts) != n * SALT_BYTES:
        raise MalformedError(f"ballots: {n} participants need {n * SALT_BYTES} bytes of salt")
    declared, codes = [], np.zeros((n, len(strata)), dtype=np.uint16)
    for column, name in enumerate(sorted(strata)):
        values = sorted({strata[name].get(who, "") for who in table.participants} - {""})
        if len(values) > MAX_VALUES:
            raise MalformedError(
                f"stratum {name[:40]!r}: {len(values):,} values, at most {MAX_VALUES:,} are told apart"
            )
        number = {value: place for place, value in enumerate(values, 1)}
        codes[:, column] = [number.get(strata[name].get(who, ""), 0) for who in table.participants]
        declared.append(Stratum(name, tuple(values)))
    return Ballots(table, np.frombuffer(salts, dtype=np.uint8).reshape(n, SALT_BYTES), tuple(declared), codes)


def read_ballots(data: bytes) -> Ballots:
    """Read the file; what is not in its one canonical form is refused.

    Does not check: that it is what somebody committed to (`Ballots.root`).

    Raises:
        MalformedError: with what is wrong.
    """
    if not data.startswith(_MAGIC):
        raise MalformedError(f"ballots: expected a file that begins with {FORMAT}")
    end = data.find(b"\n", len(_MAGIC), len(_MAGIC) + _MAX_HEADER)
    if end < 0:
        raise MalformedError("ballots: the header does not end")
    header = as_object(read_canonical(data[len(_MAGIC) : end], "ballots"), "ballots")
    only_keys(header, _FIELDS, "ballots")
    n, n_votes = (as_int(header.get(name), f"ballots.{name}") for name in ("participants", "votes"))
    statements = _read_statements(header)
    strata = tuple(_read_stratum(item) for item in as_list(header.get("strata"), "ballots.strata"))
    if any(a.name >= b.name for a, b in pairwise(strata)):
        raise MalformedError("ballots.strata: expected ascending names")
    generation = as_int(header.get("generation"), "ballots.generation")
    kind = np.dtype("<u2" if len(statements) <= 2**14 else "<u4")
    parts: list[memoryview] = []
    place = end + 1
    sizes = (n * SALT_BYTES, n * PSEUDONYM_BYTES, n * 4, n * len(strata) * 2, n_votes * kind.itemsize)
    if place + sum(sizes) != len(data):
        raise MalformedError(f"ballots: expected {place + sum(sizes):,} bytes, got {len(data):,}")
    for size in sizes:
        parts.append(memoryview(data)[place : place + size])
        place += size
    lengths = np.frombuffer(parts[2], dtype="<u4").astype(np.int64)
    packed = np.frombuffer(parts[4], dtype=kind).astype(kind.newbyteorder("="), copy=False)
    names = bytes(parts[1]).hex()
    participants = [names[i : i + 32] for i in range(0, len(names), 32)]
    starts = np.append(0, np.cumsum(lengths))
    table = VoteTable(participants, statements, starts, packed)
    _check_table(table, lengths)
    codes = np.frombuffer(parts[3], dtype="<u2").astype(np.uint16, copy=False).reshape(n, len(strata))
    for column, stratum in enumerate(strata):
        if n and int(codes[:, column].max()) > len(stratum.values):
            raise MalformedError(f"ballots: stratum {stratum.name[:40]!r} has fewer values than are used")
    salts = np.frombuffer(parts[0], dtype=np.uint8).reshape(n, SALT_BYTES)
    return Ballots(table, salts, strata, codes, _read_erased(header, n, generation), generation)


def _read_statements(header: JsonObject) -> tuple[int, ...]:
    listed = as_list(header.get("statements"), "ballots.statements")
    ids = tuple(as_int(item, "ballots.statements") for item in listed)
    if len(ids) > MAX_STATEMENTS or any(a >= b for a, b in pairwise(ids)):
        raise MalformedError("ballots.statements: expected ascending ids")
    return ids


def _read_stratum(item: JsonValue) -> Stratum:
    fields = as_object(item, "ballots.strata")
    only_keys(fields, frozenset({"name", "values"}), "ballots.strata")
    values = tuple(as_text(v, "ballots.strata.values") for v in as_list(fields.get("values"), "ballots.strata.values"))
    if list(values) != sorted(set(values)) or len(values) > MAX_VALUES:
        raise MalformedError("ballots.strata.values: expected sorted values, not too many")
    return Stratum(as_text(fields.get("name"), "ballots.strata.name"), values)


def _read_erased(header: JsonObject, n: int, generation: int) -> tuple[Erased, ...]:
    erased = []
    for item in as_list(header.get("erased"), "ballots.erased"):
        fields = as_list(item, "ballots.erased")
        if len(fields) != 3:
            raise MalformedError("ballots.erased: expected position, generation and entry")
        position, when = as_int(fields[0], "ballots.erased"), as_int(fields[1], "ballots.erased", 1)
        erased.append(Erased(position, when, bytes.fromhex(check_digest(fields[2], "ballots.erased"))))
    places = [each.position for each in erased]
    if places != sorted(set(places)) or (places and places[-1] >= n + len(erased)):
        raise MalformedError("ballots.erased: expected ascending positions")
    if generation > len(erased) or {each.generation for each in erased} != set(range(1, generation + 1)):
        raise MalformedError("ballots.erased: expected somebody erased in each generation")
    return tuple(erased)


def _check_table(table: VoteTable, lengths: NDArray[np.int64]) -> None:
    """Refuse a table that is not in its one canonical form."""
    if int(table.starts[-1]) != table.n_votes or (lengths.size and int(lengths.min()) < 1):
        raise MalformedError("ballots: the lengths do not fit the votes")
    if any(a >= b for a, b in pairwise(table.participants)):
        raise MalformedError("ballots: expected ascending pseudonyms")
    packed = table.packed
    if packed.size and (int(packed.max()) >> 2 >= len(table.statements) or bool(((packed & 3) == 3).any())):
        raise MalformedError("ballots: a vote is none of agree, disagree and pass on a statement of the list")
    positions = packed >> 2
    rising = positions[1:] > positions[:-1]
    rising[table.starts[1:-1] - 1] = True  # from one participant to the next it may fall
    if not rising.all():
        raise MalformedError("ballots: expected each participant's votes by statement, one on each")


def _little(values: Packed | NDArray[np.uint16] | NDArray[np.uint32]) -> bytes:
    return values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()
