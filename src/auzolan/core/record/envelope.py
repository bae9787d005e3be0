"""The signed form of a record: an in-toto Statement in a DSSE envelope.

Follows DSSE v1.0.2 (github.com/secure-systems-lab/dsse); the bytes that are
signed come from `securesystemslib`. An envelope's own bytes are canonical
(RFC 8785, signatures sorted by key id), so that its SHA-256, the log entry,
is unique.

Not here: who may sign and how many must (`authority`). An `Envelope` that was
read is a claim; nothing in it has been checked but its form.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import NamedTuple

from securesystemslib.dsse import Envelope as DsseEnvelope

from auzolan.core.record.canonical import as_list, as_object, as_text, canonical_bytes, read_canonical
from auzolan.core.record.errors import MalformedError
from auzolan.core.record.keys import SigningKey, decode_base64
from auzolan.core.record.record import Record, check_digest, record_from_statement, statement_bytes

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MAX_SIGNATURES = 256


class Signature(NamedTuple):
    """An Ed25519 signature and the id of the key that is said to have made it."""

    keyid: str
    sig: bytes


@dataclass(frozen=True)
class Envelope:
    """A record with signatures that are not yet checked.

    Attributes:
        claimed: what the signatures are said to be about.
        signatures: sorted by key id, at most one per key id.
    """

    claimed: Record
    signatures: tuple[Signature, ...] = ()

    def __post_init__(self) -> None:
        ids = [signature.keyid for signature in self.signatures]
        if ids != sorted(set(ids)):
            raise MalformedError("envelope: signatures must be sorted by key id, one per key")
        if len(ids) > MAX_SIGNATURES:
            raise MalformedError(f"envelope: {len(ids)} signatures, at most {MAX_SIGNATURES} are read")

    @cached_property
    def pae(self) -> bytes:
        """The bytes that signers sign (DSSE pre-authentication encoding)."""
        return DsseEnvelope(statement_bytes(self.claimed), PAYLOAD_TYPE, {}).pae()

    @cached_property
    def canonical(self) -> bytes:
        """The bytes that are stored."""
        return canonical_bytes(
            {
                "payload": base64.b64encode(statement_bytes(self.claimed)).decode(),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [
                    {"keyid": signature.keyid, "sig": base64.b64encode(signature.sig).decode()}
                    for signature in self.signatures
                ],
            }
        )

    @cached_property
    def entry(self) -> bytes:
        """The log entry: SHA-256 of `canonical`, 32 bytes."""
        return sha256(self.canonical).digest()

    def signed_by(self, key: SigningKey) -> Envelope:
        """Return the envelope with a signature by `key` added."""
        return self.with_signatures([Signature(key.public.keyid, key.sign(self.pae))])

    def with_signatures(self, more: list[Signature]) -> Envelope:
        """Return the envelope with `more` signatures, replacing those with the same key id."""
        merged = {signature.keyid: signature for signature in (*self.signatures, *more)}
        return Envelope(self.claimed, tuple(merged[keyid] for keyid in sorted(merged)))


def read_envelope(data: bytes, what: str = "record file") -> Envelope:
    """Parse an envelope from outside.

    Checks: canonical form of envelope and statement, the record's id.
    Does not check: signatures.

    Raises:
        MalformedError: anything of the above does not hold.
    """
    fields = as_object(read_canonical(data, what), what)
    if set(fields) != {"payload", "payloadType", "signatures"}:
        raise MalformedError(f"{what}: expected the fields payload, payloadType and signatures")
    if fields["payloadType"] != PAYLOAD_TYPE:
        raise MalformedError(f"{what}: expected payloadType {PAYLOAD_TYPE}")
    payload = decode_base64(as_text(fields["payload"], f"{what}: payload"), f"{what}: payload")
    record = record_from_statement(read_canonical(payload, f"{what}: statement"))
    rows = as_list(fields["signatures"], f"{what}: signatures")
    if len(rows) > MAX_SIGNATURES:
        raise MalformedError(f"{what}: {len(rows)} signatures, at most {MAX_SIGNATURES} are read")
    signatures = []
    for row in rows:
        pair = as_object(row, f"{what}: signature")
        if set(pair) != {"keyid", "sig"}:
            raise MalformedError(f"{what}: a signature needs exactly keyid and sig")
        sig = decode_base64(as_text(pair["sig"], f"{what}: sig"), f"{what}: sig")
        if len(sig) != 64:
            raise MalformedError(f"{what}: expected a signature of 64 bytes, got {len(sig)}")
        signatures.append(Signature(check_digest(pair["keyid"], f"{what}: keyid"), sig))
    return Envelope(record, tuple(signatures))
