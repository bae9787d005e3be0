"""Nouns of `oversee`: endorsements of records that are already logged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from auzolan.core.record.canonical import JsonObject, as_text
from auzolan.core.record.errors import MalformedError
from auzolan.core.record.record import Record, check_digest


@dataclass(frozen=True)
class Endorsement:
    """`endorsement/v1`: a later signature, as a record of its own.

    A record is committed once, when its threshold is met; whoever agrees with it
    or has recomputed it afterwards says so in an endorsement. So does whoever finds
    that an adapter or a service must not be loaded any more: nothing in a log is
    taken back.

    Attributes:
        endorses: id of the record.
        claim: "agrees", "recomputed" or "read", what the signer has done; or "revoked", that the record must not be
            loaded any more.
        endorsed_at: ISO 8601 date, as the signer states it.
        note: plain words, may be empty.
    """

    KIND: ClassVar[str] = "endorsement/v1"
    REVOKED: ClassVar[str] = "revoked"
    CLAIMS: ClassVar[tuple[str, ...]] = ("agrees", "recomputed", "read", REVOKED)

    endorses: str
    claim: str
    endorsed_at: str
    note: str = ""

    def to_record(self) -> Record:
        """Return the record to sign."""
        body: JsonObject = {"claim": self.claim, "endorsed_at": self.endorsed_at, "note": self.note}
        return Record(self.KIND, body, {"endorses": self.endorses})

    @classmethod
    def from_record(cls, record: Record) -> Endorsement:
        """Read a record of this kind.

        Raises:
            MalformedError: a field is missing, or the claim is not one of `CLAIMS`.
        """
        claim = as_text(record.body.get("claim"), "endorsement: claim")
        if claim not in cls.CLAIMS:
            raise MalformedError(f"endorsement: claim must be one of {', '.join(cls.CLAIMS)}, got {claim[:40]!r}")
        note = record.body.get("note", "")
        if not isinstance(note, str):
            raise MalformedError("endorsement: note must be text")
        endorses = check_digest(record.links.get("endorses"), "endorsement: link 'endorses'")
        return cls(endorses, claim, as_text(record.body.get("endorsed_at"), "endorsement: endorsed_at"), note)
