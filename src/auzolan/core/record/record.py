"""The Record: every durable fact of a commons, and its in-toto Statement.

A record has a `kind`, a `body`, `links` (name -> ids of other records) and
`blobs` (name -> SHA-256 of bytes kept elsewhere). Its id is the SHA-256 of
the RFC 8785 bytes of exactly these four fields. On the wire it is the
predicate of an in-toto Statement v1 whose only subject is that id
(https://github.com/in-toto/attestation, spec/v1).

The id of another record never stands in a body; it goes in `links`, so that
one generic function walks from any record to all that it rests on. Every
record but the root of a commons names at least one earlier record.
A blob whose name begins with "private." is never published; its bytes start
with 32 random ones, so that its digest says nothing about short contents.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256

from auzolan.core.record.canonical import (
    JsonObject,
    JsonValue,
    as_list,
    as_object,
    as_text,
    canonical_bytes,
    check_signable,
)
from auzolan.core.record.errors import MalformedError, VerificationError

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
KIND_URI_PREFIX = "urn:auzolan:kind:"
PRIVATE_BLOB_PREFIX = "private."
PRIVATE_SALT_BYTES = 32
COMMONS = "commons"  # the link to the root, where a record has no closer one

_KIND = re.compile(r"[a-z][a-z0-9-]{0,47}/v[1-9][0-9]{0,3}")
_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_FIELDS = frozenset({"kind", "body", "links", "blobs"})


def check_digest(text: JsonValue, where: str) -> str:
    """Return `text` if it is 64 lower-case hexadecimal digits, else raise MalformedError."""
    if not isinstance(text, str) or not _DIGEST.fullmatch(text):
        raise MalformedError(f"{where}: expected 64 lower-case hexadecimal digits")
    return text


def is_digest(text: object) -> bool:
    """Say whether `text` looks like a SHA-256 in lower-case hexadecimal."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


def is_kind(text: str) -> bool:
    """Say whether `text` can be the kind of a record."""
    return _KIND.fullmatch(text) is not None


@dataclass(frozen=True)
class Record:
    """One fact, not yet signed.

    Attributes:
        kind: noun and major version, such as "document/v1".
        body: JSON without floats; unknown fields are kept.
        links: name -> id of another record.
        blobs: name -> SHA-256 of bytes; "private.…" ones are never published.
    """

    kind: str
    body: JsonObject
    links: Mapping[str, str] = field(default_factory=dict)
    blobs: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.kind, str) or not _KIND.fullmatch(self.kind):
            raise MalformedError(f"kind: expected something like 'document/v1', got {str(self.kind)[:60]!r}")
        as_object(self.body, "body")
        for where, names in (("links", self.links), ("blobs", self.blobs)):
            for name, digest in names.items():
                if not isinstance(name, str) or not _NAME.fullmatch(name):
                    raise MalformedError(f"{where}: name {str(name)[:60]!r} must match {_NAME.pattern}")
                check_digest(digest, f"{where}.{name}")
        # What cannot be signed must fail here, not at first use; in its Statement a record stands one level down.
        check_signable(self.as_json(), depth=1)

    def as_json(self) -> JsonObject:
        """Return the four fields as a JSON object (the predicate)."""
        return {"kind": self.kind, "body": self.body, "links": dict(self.links), "blobs": dict(self.blobs)}

    @cached_property
    def canonical(self) -> bytes:
        """The RFC 8785 bytes that the id is taken over."""
        return canonical_bytes(self.as_json())

    @cached_property
    def id(self) -> str:
        """SHA-256 of `canonical`, in hexadecimal."""
        return sha256(self.canonical).hexdigest()

    @property
    def private_blobs(self) -> dict[str, str]:
        """The blobs that are never published."""
        return {name: digest for name, digest in self.blobs.items() if name.startswith(PRIVATE_BLOB_PREFIX)}

    @property
    def public_blobs(self) -> dict[str, str]:
        """The blobs that are published beside the log."""
        return {name: digest for name, digest in self.blobs.items() if not name.startswith(PRIVATE_BLOB_PREFIX)}


def check_bound(record: Record, has_predecessors: bool) -> Record:
    """Return `record` if it belongs to one commons alone.

    Ids commit to all that they link to, down to the root. So a record that
    names any earlier one cannot be replayed in another commons that happens to
    have the same principals; only the root names none.

    Raises:
        VerificationError: it stands after others and names none of them.
    """
    if has_predecessors and not record.links:
        raise VerificationError("names no earlier record, so it could have been signed for another commons")
    return record


def record_from_json(value: JsonValue) -> Record:
    """Build a Record from a parsed predicate.

    Raises:
        MalformedError: fields missing, unknown, or of the wrong form.
    """
    fields = as_object(value, "record")
    if set(fields) != _FIELDS:
        raise MalformedError(f"record: expected the fields {sorted(_FIELDS)}, got {sorted(fields)[:8]}")
    links = as_object(fields["links"], "links")
    blobs = as_object(fields["blobs"], "blobs")
    return Record(
        kind=as_text(fields["kind"], "kind"),
        body=as_object(fields["body"], "body"),
        links={name: check_digest(target, f"links.{name}") for name, target in links.items()},
        blobs={name: check_digest(digest, f"blobs.{name}") for name, digest in blobs.items()},
    )


def statement_bytes(record: Record) -> bytes:
    """Return the canonical in-toto Statement v1 that carries `record`."""
    return canonical_bytes(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": "record", "digest": {"sha256": record.id}}],
            "predicateType": KIND_URI_PREFIX + record.kind,
            "predicate": record.as_json(),
        }
    )


def record_from_statement(value: JsonValue) -> Record:
    """Return the Record inside a parsed Statement, recomputing its id.

    Checks: statement type, exactly one subject whose digest is the id of the
    predicate, predicateType equal to the kind's URI, no further fields.
    Does not check: any signature.

    Raises:
        MalformedError: anything of the above does not hold.
    """
    statement = as_object(value, "statement")
    if statement.get("_type") != STATEMENT_TYPE:
        raise MalformedError(f"statement: expected _type {STATEMENT_TYPE}")
    if set(statement) != {"_type", "subject", "predicateType", "predicate"}:
        raise MalformedError("statement: expected the fields _type, subject, predicateType and predicate")
    record = record_from_json(statement["predicate"])
    subjects = as_list(statement["subject"], "subject")
    if subjects != [{"name": "record", "digest": {"sha256": record.id}}]:
        raise MalformedError(f"statement: its subject is not its own record; expected the digest {record.id}")
    if statement["predicateType"] != KIND_URI_PREFIX + record.kind:
        raise MalformedError(f"statement: predicateType does not match the kind {record.kind}")
    return record


def digests_in(value: JsonValue) -> Iterator[str]:
    """Yield every string in `value` that has the form of a digest."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from (key,) if is_digest(key) else ()
            yield from digests_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from digests_in(item)
    elif is_digest(value) and isinstance(value, str):
        yield value
