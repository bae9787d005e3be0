"""Checkpoints, tile paths and offline proofs: the texts of a C2SP log.

Follows c2sp.org/tlog-checkpoint, c2sp.org/tlog-tiles and c2sp.org/tlog-proof.
Pure text and arithmetic; `tilelog` reads and writes the files.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import NamedTuple

from auzolan.core.record.errors import MalformedError
from auzolan.core.record.keys import decode_base64
from auzolan.core.record.merkle import HASH_SIZE, MAX_SIZE
from auzolan.core.record.note import Note, read_note

TILE_HEIGHT = 8
TILE_WIDTH = 256
MAX_ENTRY_BYTES = 65_535
PROOF_HEADER = "c2sp.org/tlog-proof@v1"
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
_MAX_PROOF_HASHES = 63


class TreeHead(NamedTuple):
    """Number of leaves and root hash of a log's tree."""

    size: int
    root: bytes


@dataclass(frozen=True)
class Checkpoint:
    """A tree head of one log, with the note that carries it (signatures not yet checked)."""

    origin: str
    head: TreeHead
    note: Note


def read_decimal(text: str, what: str) -> int:
    """Return a number written without leading zeros, at most 2**63 - 1."""
    if not _DECIMAL.fullmatch(text) or int(text) > MAX_SIZE:
        raise MalformedError(f"{what}: expected a decimal number without leading zeros, got {text[:40]!r}")
    return int(text)


def checkpoint_text(origin: str, head: TreeHead) -> str:
    """Return the note text of a checkpoint."""
    return f"{origin}\n{head.size}\n{base64.b64encode(head.root).decode()}\n"


def read_checkpoint(data: bytes, what: str = "checkpoint") -> Checkpoint:
    """Parse a signed checkpoint; extension lines are kept in the note and ignored.

    Raises:
        MalformedError: not a note, or not origin, size and root.
    """
    note = read_note(data, what)
    lines = note.text[:-1].split("\n")
    if len(lines) < 3 or not all(lines):
        raise MalformedError(f"{what}: expected origin, size and root, one non-empty line each")
    root = _read_hash(lines[2], f"{what}: root")
    return Checkpoint(lines[0], TreeHead(read_decimal(lines[1], f"{what}: size"), root), note)


def _read_hash(text: str, what: str) -> bytes:
    digest = decode_base64(text, what)
    if len(digest) != HASH_SIZE:
        raise MalformedError(f"{what}: expected {HASH_SIZE} bytes, got {len(digest)}")
    return digest


def tile_path(level: int, index: int, width: int = TILE_WIDTH) -> str:
    """Return the path of a tile of `width` hashes; a partial one ends in .p/width."""
    return f"tile/{level}/{_tile_index(index, width)}"


def bundle_path(index: int, width: int = TILE_WIDTH) -> str:
    """Return the path of a bundle of `width` entries."""
    return f"tile/entries/{_tile_index(index, width)}"


def _tile_index(index: int, width: int) -> str:
    path = f"{index % 1000:03d}"
    while index >= 1000:
        index //= 1000
        path = f"x{index % 1000:03d}/{path}"
    return path if width == TILE_WIDTH else f"{path}.p/{width}"


def tile_widths(size: int, level: int) -> tuple[int, int]:
    """Return (number of full tiles, width of the partial one) at `level` for a tree of `size` leaves."""
    return divmod(size >> (TILE_HEIGHT * level), TILE_WIDTH)


def tile_levels(size: int) -> int:
    """Return how many tile levels a tree of `size` leaves has."""
    levels = 0
    while size >> (TILE_HEIGHT * levels):
        levels += 1
    return levels


def bundle_bytes(entries: list[bytes]) -> bytes:
    """Return an entry bundle: each entry after its length as a big-endian uint16.

    Raises:
        MalformedError: an entry is longer than `MAX_ENTRY_BYTES`.
    """
    longest = max(map(len, entries), default=0)
    if longest > MAX_ENTRY_BYTES:
        raise MalformedError(f"log entry: {longest:,} bytes, at most {MAX_ENTRY_BYTES:,} fit into a bundle")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def read_bundle(data: bytes, width: int, what: str) -> list[bytes]:
    """Take an entry bundle apart.

    Raises:
        MalformedError: not exactly `width` entries.
    """
    entries, position = [], 0
    while position + 2 <= len(data):
        length = int.from_bytes(data[position : position + 2], "big")
        entries.append(data[position + 2 : position + 2 + length])
        position += 2 + length
    if position != len(data) or len(entries) != width:
        raise MalformedError(f"{what}: expected {width} entries, got {len(entries)} and {len(data)} bytes")
    return entries


def read_tile(data: bytes, width: int, what: str) -> list[bytes]:
    """Take a tile apart into `width` hashes."""
    if len(data) != width * HASH_SIZE:
        raise MalformedError(f"{what}: expected {width} hashes ({width * HASH_SIZE} bytes), got {len(data)} bytes")
    return [data[start : start + HASH_SIZE] for start in range(0, len(data), HASH_SIZE)]


@dataclass(frozen=True)
class LogProof:
    """An offline proof that an entry is in a log, with the checkpoint it leads to.

    Attributes:
        index: position of the entry.
        proof: inclusion proof, from the leaf's sibling upwards.
        checkpoint: as published, with whatever signatures it carried.
        extra: bytes for the application; ours is the canonical envelope. Not authenticated by itself.
    """

    index: int
    proof: tuple[bytes, ...]
    checkpoint: Checkpoint
    extra: bytes = b""

    def to_bytes(self) -> bytes:
        """Return the proof as a `.tlog-proof` file."""
        lines = [PROOF_HEADER]
        if self.extra:
            lines.append("extra " + base64.b64encode(self.extra).decode())
        lines.append(f"index {self.index}")
        lines += [base64.b64encode(item).decode() for item in self.proof]
        return ("\n".join(lines) + "\n\n").encode() + self.checkpoint.note.to_bytes()


def read_log_proof(data: bytes) -> LogProof:
    """Parse a `.tlog-proof` file.

    Raises:
        MalformedError: not of the form of c2sp.org/tlog-proof.
    """
    head, separator, tail = data.partition(b"\n\n")
    if not separator:
        raise MalformedError("proof: expected a blank line before the checkpoint")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise MalformedError("proof: holds bytes that are not ASCII before the checkpoint") from None
    if lines[0] != PROOF_HEADER:
        raise MalformedError(f"proof: expected the first line {PROOF_HEADER!r}")
    rest = lines[1:]
    extra = b""
    if rest and rest[0].startswith("extra "):
        extra = decode_base64(rest.pop(0).removeprefix("extra "), "proof: extra")
        if not extra:
            raise MalformedError("proof: extra is empty; the line is left out where there is nothing to say")
    if not rest or not rest[0].startswith("index "):
        raise MalformedError("proof: expected a line 'index N'")
    index = read_decimal(rest[0].removeprefix("index "), "proof: index")
    if len(rest) - 1 > _MAX_PROOF_HASHES:
        raise MalformedError(f"proof: {len(rest) - 1} hashes, at most {_MAX_PROOF_HASHES} can be needed")
    hashes = tuple(_read_hash(line, f"proof: hash {position}") for position, line in enumerate(rest[1:]))
    return LogProof(index, hashes, read_checkpoint(tail), extra)
