"""Frames: how one answer stands in a file after others, so that a torn one is seen and the next is still found.

    magic (4) | length of the envelope (4, big-endian) | CRC-32 of all that follows (4) | id (32) | envelope

The checksum is against accidents, such as a write that a crash cut in two or
a page that a power cut lost. Against people there are the signature in every
envelope and the tree above them.
"""

from __future__ import annotations

from typing import NamedTuple
from zlib import crc32

from auzolan.core.record.errors import MalformedError, VerificationError

MAGIC = b"AzA1"
HEADER = 12
ID_BYTES = 32
MAX_ENVELOPE = 1024 * 1024


class Frame(NamedTuple):
    """An answer in a file: its id and envelope."""

    id: bytes
    envelope: bytes


class Span(NamedTuple):
    """Where a whole frame stands: of which answer, from where, how long."""

    id: bytes
    start: int
    length: int


class Scanned(NamedTuple):
    """What a file holds: whole frames, and how many bytes belong to none."""

    spans: list[Span]
    lost: int


def frame_bytes(identity: bytes, envelope: bytes) -> bytes:
    """Return the frame of an answer.

    Raises:
        MalformedError: the id is not 32 bytes, or the envelope is too long.
    """
    if len(identity) != ID_BYTES or len(envelope) > MAX_ENVELOPE:
        raise MalformedError(f"answer: an envelope of {len(envelope):,} bytes, at most {MAX_ENVELOPE:,} are kept")
    checksum = crc32(envelope, crc32(identity))
    return b"%b%b%b%b%b" % (
        MAGIC, len(envelope).to_bytes(4, "big"), checksum.to_bytes(4, "big"), identity, envelope,
    )  # fmt: skip


def read_frame(data: bytes, what: str) -> Frame:
    """Take one whole frame apart.

    Raises:
        VerificationError: its bytes are not those that were written.
    """
    length = _whole(data, 0)
    if length is None or length != len(data):
        raise VerificationError(f"{what}: an answer's bytes are not those that were written")
    return Frame(data[HEADER : HEADER + ID_BYTES], data[HEADER + ID_BYTES :])


def _whole(data: bytes, start: int) -> int | None:
    """Return the length of the frame at `start`, or None where there is no whole one."""
    body = start + HEADER
    size = int.from_bytes(data[start + 4 : start + 8], "big")
    end = body + ID_BYTES + size
    if data[start : start + 4] != MAGIC or size > MAX_ENVELOPE or end > len(data):
        return None
    checksum = int.from_bytes(data[start + 8 : body], "big")
    return end - start if crc32(memoryview(data)[body:end]) == checksum else None


def scan(data: bytes) -> Scanned:
    """Find every whole frame, also behind a damaged one."""
    spans, lost, start = [], 0, 0
    while start < len(data):
        length = _whole(data, start)
        if length is not None:
            body = start + HEADER
            spans.append(Span(data[body : body + ID_BYTES], start, length))
            start += length
            continue
        following = data.find(MAGIC, start + 1)
        following = len(data) if following < 0 else following
        lost += following - start
        start = following
    return Scanned(spans, lost)
