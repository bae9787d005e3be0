"""THE SPINE: signed records in a transparency log that anyone can check.

    canonical   one value, one sequence of bytes          record      what a fact is
    envelope    a record with signatures                  keys        who signs
    governance  who may say what                          authority   did enough of them say it
    merkle      the tree                                  note        signed notes, cosignatures
    checkpoint  texts of the log                          tilelog     the log as static files
    published   where each published file stands          view        reading one's own ledger
    ledger      committing so that nothing is lost        verify      trusting nothing
    findings    what a verification finds                 trace       walking links both ways
    proof       one record, offline                       witness     cosigning a log
    tombstone   what was erased                           fsck        naming damage to the bit

Edges (the only modules that touch files, network, clocks or the environment):
    files (the seam), disk, index, web, keystore
"""

from auzolan.core.record.authority import Authorised, Chain, verify_authority
from auzolan.core.record.canonical import canonical_bytes, read_canonical, read_json
from auzolan.core.record.checkpoint import Checkpoint, LogProof, TreeHead, read_checkpoint, read_log_proof
from auzolan.core.record.envelope import Envelope, read_envelope
from auzolan.core.record.errors import (
    AuzolanError,
    MalformedError,
    MissingError,
    NotCheckedError,
    StaleError,
    StorageError,
    UsageError,
    VerificationError,
)
from auzolan.core.record.findings import Expectation, Status, Step, VerifiedLedger
from auzolan.core.record.governance import Governance, read_governance
from auzolan.core.record.keys import PublicKey, SigningKey, read_public_key
from auzolan.core.record.ledger import Committed, HeadGuard, Ledger
from auzolan.core.record.proof import LoggedRecord, verify_proof
from auzolan.core.record.record import Record
from auzolan.core.record.trace import Link, Strength, Walk
from auzolan.core.record.verify import verify_ledger

__all__ = [
    "Authorised",
    "AuzolanError",
    "Chain",
    "Checkpoint",
    "Committed",
    "Envelope",
    "Expectation",
    "Governance",
    "HeadGuard",
    "Ledger",
    "Link",
    "LogProof",
    "LoggedRecord",
    "MalformedError",
    "MissingError",
    "NotCheckedError",
    "PublicKey",
    "Record",
    "SigningKey",
    "StaleError",
    "Status",
    "Step",
    "StorageError",
    "Strength",
    "TreeHead",
    "UsageError",
    "VerificationError",
    "VerifiedLedger",
    "Walk",
    "canonical_bytes",
    "read_canonical",
    "read_checkpoint",
    "read_envelope",
    "read_governance",
    "read_json",
    "read_log_proof",
    "read_public_key",
    "verify_authority",
    "verify_ledger",
    "verify_proof",
]
