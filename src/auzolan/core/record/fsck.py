"""Re-deriving a ledger from its parts and naming what is damaged, to the bit.

A ledger says everything at least twice: a record's file is named by its
digest, which stands in a bundle, whose hash stands in a tile, whose hashes
lead to the signed root. So where two parts disagree, a third one tells which
is wrong, and often how it must be: a proposed repair is only ever bytes whose
digest proves them.

Not here: whether the records are authorised (`verify`).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from hashlib import sha256

from auzolan.core.record.checkpoint import TILE_WIDTH, TreeHead, bundle_bytes, bundle_path, tile_path
from auzolan.core.record.envelope import read_envelope
from auzolan.core.record.errors import AuzolanError, MissingError
from auzolan.core.record.files import Files
from auzolan.core.record.merkle import Frontier, leaf_hash
from auzolan.core.record.published import blob_path, record_path
from auzolan.core.record.tilelog import TileReader

_MAX_SEARCHED_BYTES = 64 * 1024


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


def find_damage(
    files: Files, head: TreeHead, progress: Callable[[int, int], None] = lambda _done, _total: None
) -> Iterator[Damage]:
    """Yield every damaged file of the tree and the records below `head`.

    Args:
        files: the published folder.
        head: the signed tree head.
        progress: called with (entries done, entries in all).
    """
    reader = TileReader(files, head.size)
    frontier, upper = Frontier(), dict[int, list[bytes]]()
    for number in range(-(-head.size // TILE_WIDTH)):
        start = number * TILE_WIDTH
        width = min(TILE_WIDTH, head.size - start)
        entries = yield from _check_bundle(files, reader, number, width)
        if not entries:
            return
        leaves = [leaf_hash(entry) for entry in entries]
        yield from _check_tile(reader, 0, number, leaves)
        for level, row in enumerate(frontier.extend(leaves)[::8]):
            upper.setdefault(level, []).extend(row if level else [])
        for entry in entries:
            yield from _check_record(files, entry)
        progress(start + width, head.size)
    for level, row in upper.items():
        for start in range(0, len(row), TILE_WIDTH):
            yield from _check_tile(reader, level, start // TILE_WIDTH, row[start : start + TILE_WIDTH])
    if frontier.root() != head.root:
        finding = f"signs root {head.root.hex()[:16]}…, but all entries together give {frontier.root().hex()[:16]}…"
        yield Damage("checkpoint", finding)


def _check_bundle(files: Files, reader: TileReader, number: int, width: int) -> Generator[Damage, None, list[bytes]]:
    """Yield damage of one bundle and return its entries, mended where a digest allows it."""
    path = bundle_path(number, width)
    try:
        entries = reader.bundle(number)
    except AuzolanError as error:
        yield Damage(path, f"{error}; the entries from {number * TILE_WIDTH} on cannot be checked")
        return []
    leaves = _leaves_or_none(reader, number)
    for position, entry in enumerate(entries):
        if leaves is None or leaf_hash(entry) == leaves[position] or files.exists(record_path(entry.hex())):
            continue
        bit = flipped_bit(entry, leaves[position], b"\x00")
        if bit is not None:
            entries[position] = flip(entry, bit)
            offset = len(bundle_bytes(entries[:position])) + 2
            finding = f"entry {number * TILE_WIDTH + position}: {_where(offset * 8 + bit)}"
            yield Damage(path, finding, bundle_bytes(entries))
    return entries


def _leaves_or_none(reader: TileReader, number: int) -> list[bytes] | None:
    try:
        return reader.tile(0, number)
    except AuzolanError:
        return None


def _check_tile(reader: TileReader, level: int, number: int, expected: list[bytes]) -> Iterator[Damage]:
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
    return [path for folder in ("records", "blobs") for path in files.paths(folder) if path not in named]
