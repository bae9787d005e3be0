"""A witness: remembers the largest consistent head of each log and cosigns it.

Follows c2sp.org/tlog-witness, `add-checkpoint`, as a pure function from
request and memory to answer. Whoever calls `add_checkpoint` must make the
returned head durable before the answer leaves, and keep reading the memory,
deciding and writing it one step (`cli` does both under a lock).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from auzolan.core.record.checkpoint import Checkpoint, TreeHead, read_checkpoint, read_decimal
from auzolan.core.record.errors import AuzolanError, MalformedError, VerificationError
from auzolan.core.record.keys import PublicKey, decode_base64
from auzolan.core.record.merkle import EMPTY_ROOT, verify_consistency
from auzolan.core.record.note import verify_note

_MAX_PROOF_LINES = 63


class WitnessRefusalError(VerificationError):
    """The witness will not cosign; `status` is the HTTP status of c2sp.org/tlog-witness."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class AddCheckpoint:
    """A request to cosign: what the log thinks was seen last, the proof from there, the checkpoint."""

    old_size: int
    proof: tuple[bytes, ...]
    checkpoint: Checkpoint


def read_add_checkpoint(data: bytes) -> AddCheckpoint:
    """Parse the body of an `add-checkpoint` request.

    Raises:
        MalformedError: not of the form of the specification.
    """
    head, separator, tail = data.partition(b"\n\n")
    if not separator:
        raise MalformedError("add-checkpoint: expected a blank line before the checkpoint")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise MalformedError("add-checkpoint: holds bytes that are not ASCII") from None
    if not lines[0].startswith("old "):
        raise MalformedError("add-checkpoint: expected a first line 'old N'")
    if len(lines) - 1 > _MAX_PROOF_LINES:
        raise MalformedError(f"add-checkpoint: more than {_MAX_PROOF_LINES} proof lines")
    old_size = read_decimal(lines[0].removeprefix("old "), "add-checkpoint: old size")
    proof = tuple(decode_base64(line, "add-checkpoint: proof line") for line in lines[1:])
    return AddCheckpoint(old_size, proof, read_checkpoint(tail))


def add_checkpoint(
    request: AddCheckpoint, logs: Mapping[str, Sequence[PublicKey]], seen: Mapping[str, TreeHead]
) -> TreeHead:
    """Return the head that the witness may now remember and cosign.

    Args:
        request: as read by `read_add_checkpoint`.
        logs: origin -> keys trusted for that log.
        seen: origin -> largest head cosigned so far; none means size 0.

    Raises:
        WitnessRefusalError: 404 unknown log, 403 no trusted signature, 400 sizes out
            of order, 409 another size or root was seen, 422 no consistency.
    """
    checkpoint = request.checkpoint
    keys = logs.get(checkpoint.origin)
    if keys is None:
        raise WitnessRefusalError(404, f"this witness does not know the log {checkpoint.origin!r}")
    try:
        verified = verify_note(checkpoint.note, keys, "checkpoint")
    except VerificationError as error:
        raise WitnessRefusalError(403, str(error)) from None
    if not verified:
        raise WitnessRefusalError(403, "checkpoint: no signature by a key trusted for this log")
    head, last = checkpoint.head, seen.get(checkpoint.origin)
    if not head.size and head.root != EMPTY_ROOT:
        raise WitnessRefusalError(422, "the root of an empty log is the SHA-256 of nothing")
    if request.old_size > head.size:
        raise WitnessRefusalError(400, f"old size {request.old_size} is above the checkpoint's {head.size}")
    if request.old_size != (last.size if last else 0):
        raise WitnessRefusalError(409, f"{last.size if last else 0}")
    if last is None or not last.size:
        if request.proof:
            raise WitnessRefusalError(422, "the proof from size 0 must be empty")
        return head
    if last.size == head.size and last.root != head.root:
        raise WitnessRefusalError(409, f"{last.size}")
    try:
        verify_consistency(last.size, head.size, request.proof, last.root, head.root)
    except AuzolanError as error:
        raise WitnessRefusalError(422, str(error)) from None
    return head
