"""Checking a `.tlog-proof` file offline: a record, where it stands, who vouches.

Covered: the record's bytes are canonical and stand at that index in a tree
whose head the given log key signed; cosignatures by the given witnesses fit.
Not covered: whether enough principals signed the record. That needs the
governance in force, so the whole ledger (`verify`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from auzolan.core.record.checkpoint import LogProof, TreeHead, read_log_proof
from auzolan.core.record.envelope import Envelope, read_envelope
from auzolan.core.record.errors import MalformedError, VerificationError
from auzolan.core.record.keys import PublicKey
from auzolan.core.record.merkle import leaf_hash, verify_inclusion
from auzolan.core.record.note import Verified, verify_note


class LoggedRecord(NamedTuple):
    """A record that a log vouches for; its signatures are still claims."""

    position: int
    envelope: Envelope
    head: TreeHead
    vouchers: tuple[Verified, ...]


def verify_proof(data: bytes, origin: str, log_key: PublicKey, witnesses: Sequence[PublicKey] = ()) -> LoggedRecord:
    """Check a proof file against a pinned log key.

    Raises:
        MalformedError: not a proof, or one without its record.
        VerificationError: it does not lead to a head that the key signed.
    """
    # 1. the record is canonical
    proof: LogProof = read_log_proof(data)
    if not proof.extra:
        raise MalformedError("proof: holds no record (no `extra` line)")
    envelope = read_envelope(proof.extra, "proof: record")
    # 2. it stands in the tree
    head = proof.checkpoint.head
    verify_inclusion(leaf_hash(envelope.entry), proof.index, head.size, proof.proof, head.root)
    # 3. the head is signed by the pinned key, for that log
    if proof.checkpoint.origin != origin:
        raise VerificationError(f"proof: of log {proof.checkpoint.origin!r}, expected {origin!r}")
    vouchers = verify_note(proof.checkpoint.note, [log_key, *witnesses], "proof: checkpoint")
    if all(voucher.key != log_key for voucher in vouchers):
        raise VerificationError(f"proof: the checkpoint is not signed by {log_key.name}")
    return LoggedRecord(proof.index, envelope, head, tuple(vouchers))
