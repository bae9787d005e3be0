"""Re-deriving a ledger from its parts and naming what is damaged, to the bit.

A ledger says everything at least twice: a record's file is named by its
digest, which stands in a bundle, whose hash stands in a tile, whose hashes
lead to the signed root. So where two parts disagree, the signed root tells
which is wrong, and often how it must be: a proposed repair is only ever bytes
that a digest, or that root, proves.

Not here: whether the records are authorised (`verify`).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import NamedTuple

from auzolan.core.record.checkpoint import TILE_HEIGHT, TILE_WIDTH, TreeHead, bundle_bytes, bundle_path, tile_path
from auzolan.core.record.envelope import read_envelope
from auzolan.core.record.errors import AuzolanError, MissingError
from auzolan.core.record.files import Files
from auzolan.core.record.merkle import HASH_SIZE, Frontier, leaf_hash
from auzolan.core.record.published import blob_path, record_path
from auzolan.core.record.record import is_digest
from auzolan.core.record.tilelog import TileReader

_MAX_SEARCHED_BYTES = 64 * 1024
_MAX_READINGS = 64
# Only what a commit writes; anything else in there is somebody's own.
_LEFTOVER = re.compile(r"(records/[0-9a-f]{2}/[0-9a-f]{62}\.dsse|blobs/[0-9a-f]{2}/[0-9a-f]{62})")


@dataclass(frozen=True)
class Damage:
    """One damaged file.

    Attributes:
        path: below the published folder.
        finding: what is wrong, with byte and bit where that is known.
        repaired: the right bytes, proved by a digest; None where they are lost.
    """

    path: str
    finding: str
    repaired: bytes | None = None


def flipped_bit(data: bytes, digest: bytes, prefix: bytes = b"") -> int | None:
    """Return which bit of `data`, flipped back, gives SHA-256(prefix || data) == digest, or None.

    Bits are numbered from the most significant of byte 0. Time is quadratic in
    the length; callers bound it.
    """
    changed = bytearray(data)
    state = sha256(prefix)
    for position, value in enumerate(data):
        for bit in range(8):
            changed[position] = value ^ (0x80 >> bit)
            trial = state.copy()
            trial.update(memoryview(changed)[position:])
            if trial.digest() == digest:
                return position * 8 + bit
        changed[position] = value
        state.update(data[position : position + 1])
    return None


def flip(data: bytes, bit: int) -> bytes:
    """Return `data` with one bit flipped."""
    changed = bytearray(data)
    changed[bit // 8] ^= 0x80 >> bit % 8
    return bytes(changed)


def _where(bit: int) -> str:
    return f"byte {bit // 8}, bit {bit % 8} (counted from the most significant) is flipped"


class _Sources(NamedTuple):
    """What a ledger says of up to 256 entries, twice: the bundle and the leaf tile; None where unreadable."""

    number: int
    entries: list[bytes] | None
    leaves: list[bytes] | None
    problem: str

    def readings(self, has_record: Callable[[bytes], bool]) -> list[list[bytes]]:
        """Return the leaf hashes that the entries may really have, the likeliest first."""
        if self.entries is None or self.leaves is None:
            return [self.leaves or [leaf_hash(entry) for entry in self.entries or []]]
        of_entries = [leaf_hash(entry) for entry in self.entries]
        if of_entries == self.leaves:
            return [of_entries]
        pairs = zip(self.entries, of_entries, self.leaves, strict=True)
        mixed = [own if own == stored or has_record(entry) else stored for entry, own, stored in pairs]
        return [of_entries, self.leaves] + ([mixed] if mixed not in (of_entries, self.leaves) else [])


def find_damage(
    files: Files, head: TreeHead, progress: Callable[[int, int], None] = lambda _done, _total: None
) -> Iterator[Damage]:
    """Yield every damaged file of the tree, and of the records and blobs below `head`.

    Args:
        files: the published folder.
        head: the signed tree head; it decides where bundles and tiles disagree.
        progress: called with (entries done, entries in all).
    """
    reader = TileReader(files, head.size)
    sources = [_read_sources(reader, number) for number in range(-(-head.size // TILE_WIDTH))]
    rows = _leaves_below(sources, head, lambda entry: files.exists(record_path(entry.hex())))
    if rows is None:
        for source in sources:
            if source.problem or len(source.readings(lambda _: False)) > 1:
                path = bundle_path(source.number, min(TILE_WIDTH, head.size - source.number * TILE_WIDTH))
                yield Damage(path, source.problem or "the entries do not hash to their tile")
        yield Damage("checkpoint", f"signs root {head.root.hex()[:16]}…, to which no reading of the files leads")
        return
    named = _Named(files)
    frontier, upper = Frontier(), dict[int, list[bytes]]()
    for source, row in zip(sources, rows, strict=True):
        entries = yield from _check_bundle(source, row, named)
        yield from _check_tile(reader, 0, source.number, row)
        for level, created in enumerate(frontier.extend(row)[::TILE_HEIGHT]):
            upper.setdefault(level, []).extend(created if level else [])
        for entry in entries:
            yield from _check_record(files, entry)
        progress(source.number * TILE_WIDTH + len(row), head.size)
    for level, hashes in upper.items():
        for start in range(0, len(hashes), TILE_WIDTH):
            yield from _check_tile(reader, level, start // TILE_WIDTH, hashes[start : start + TILE_WIDTH])


def _read_sources(reader: TileReader, number: int) -> _Sources:
    problem, entries, leaves = "", None, None
    try:
        entries = reader.bundle(number)
    except AuzolanError as error:
        problem = str(error)
    try:
        leaves = reader.tile(0, number)
    except AuzolanError as error:
        problem = problem or str(error)
    return _Sources(number, entries, leaves, problem)


def _leaves_below(
    sources: Sequence[_Sources], head: TreeHead, has_record: Callable[[bytes], bool]
) -> list[list[bytes]] | None:
    """Return the leaf hashes that lead to the signed root, or None when no reading does."""
    readings = [source.readings(has_record) for source in sources]
    for number, choice in enumerate(itertools.product(*readings)):
        if number == _MAX_READINGS:
            return None
        frontier = Frontier()
        for row in choice:
            frontier.extend(row)
        if frontier.size == head.size and frontier.root() == head.root:
            return list(choice)
    return None


class _Named:
    """The entries that record files are named for, by leaf hash; listed only when a bundle needs it."""

    def __init__(self, files: Files) -> None:
        self._files = files

    @cached_property
    def _by_leaf(self) -> dict[bytes, bytes]:
        digests = (path.removeprefix("records/").replace("/", "").removesuffix(".dsse") for path in self._paths())
        return {leaf_hash(bytes.fromhex(digest)): bytes.fromhex(digest) for digest in digests if is_digest(digest)}

    def _paths(self) -> list[str]:
        return self._files.paths("records")

    def entry(self, leaf: bytes) -> bytes | None:
        """Return the entry with this leaf hash, if a record file is named for it."""
        return self._by_leaf.get(leaf)


def _check_bundle(source: _Sources, row: list[bytes], named: _Named) -> Generator[Damage, None, list[bytes]]:
    """Yield damage of one bundle, and return the entries that are proved, in order."""
    path = bundle_path(source.number, len(row))
    stored = source.entries or []
    if [leaf_hash(entry) for entry in stored] == row:
        return stored
    right: list[bytes | None] = []
    findings: list[str] = []
    for position, leaf in enumerate(row):
        entry = stored[position] if position < len(stored) else b""
        if leaf_hash(entry) == leaf:
            right.append(entry)
            continue
        bit = flipped_bit(entry, leaf, b"\x00")
        right.append(named.entry(leaf) if bit is None else flip(entry, bit))
        where = "is not what was logged" if bit is None else _where((position * (HASH_SIZE + 2) + 2) * 8 + bit)
        findings.append(f"entry {source.number * TILE_WIDTH + position}: {where}")
    proved = [entry for entry in right if entry is not None]
    whole = bundle_bytes(proved) if len(proved) == len(row) else None
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    yield Damage(path, source.problem or findings[0] + more, whole)
    return proved


def _check_tile(reader: TileReader, level: int, number: int, expected: list[bytes]) -> Iterator[Damage]:
    """Yield damage of a tile; `expected` leads to the signed root."""
    path, right = tile_path(level, number, len(expected)), b"".join(expected)
    try:
        stored = b"".join(reader.tile(level, number))
    except AuzolanError as error:
        yield Damage(path, str(error), right)
        return
    wrong = [position for position in range(len(right)) if right[position] != stored[position]]
    if not wrong:
        return
    difference = right[wrong[0]] ^ stored[wrong[0]]
    if len(wrong) == 1 and difference.bit_count() == 1:
        finding = _where(wrong[0] * 8 + 8 - difference.bit_length())
    else:
        finding = f"{len(wrong)} bytes differ from what the entries give, the first at {wrong[0]}"
    yield Damage(path, finding, right)


def check_named(files: Files, path: str, digest: bytes) -> Iterator[Damage]:
    """Yield damage of a file that is named by its SHA-256."""
    try:
        if files.digest(path) == digest.hex():
            return
        data = files.read(path, _MAX_SEARCHED_BYTES)
    except MissingError:
        yield Damage(path, "is not here")
        return
    except AuzolanError as error:
        yield Damage(path, f"does not have the bytes that its name says ({error})")
        return
    bit = flipped_bit(data, digest)
    if bit is None:
        yield Damage(path, f"does not have the bytes that its name says: SHA-256 is {sha256(data).hexdigest()[:16]}…")
    else:
        yield Damage(path, _where(bit), flip(data, bit))


def _check_record(files: Files, entry: bytes) -> Iterator[Damage]:
    """Yield damage of a record's file and of the published blobs that it names."""
    path = record_path(entry.hex())
    damages = list(check_named(files, path, entry))
    yield from damages
    data = files.read(path) if not damages else damages[0].repaired
    if data is None:
        return
    try:
        blobs = read_envelope(data).claimed.public_blobs
    except AuzolanError as error:
        yield Damage(path, str(error))
        return
    for digest in blobs.values():
        yield from check_named(files, blob_path(digest), bytes.fromhex(digest))


def find_leftovers(files: Files, head: TreeHead) -> list[str]:
    """Return the paths of records and blobs that no logged record accounts for.

    An interrupted commit leaves them; they mean nothing, but they are in a
    folder that is published. Missing or damaged records account for nothing.
    """
    named: set[str] = set()
    for entry in TileReader(files, head.size).entries():
        path = record_path(entry.hex())
        named.add(path)
        try:
            blobs = read_envelope(files.read(path)).claimed.public_blobs
        except AuzolanError:
            continue
        named |= {blob_path(digest) for digest in blobs.values()}
    found = [path for folder in ("records", "blobs") for path in files.paths(folder)]
    return [path for path in found if path not in named and _LEFTOVER.fullmatch(path)]
