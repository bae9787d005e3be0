"""Nouns of `govern`: documents that a commons puts on record.

(`governance/v1` itself belongs to the spine: `auzolan.core.record.governance`.)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from auzolan.core.record.canonical import JsonObject, as_text
from auzolan.core.record.errors import MalformedError
from auzolan.core.record.record import Record


@dataclass(frozen=True)
class Document:
    """`document/v1`: a text or file that a commons puts on record, such as minutes.

    Attributes:
        title: one line.
        dated_at: ISO 8601 date, as the signers state it.
        text: the document itself, or "" when it is a blob.
        links: name -> id of the record that it is about.
        blobs: name -> digest; "private.…" ones are not published.
    """

    KIND: ClassVar[str] = "document/v1"

    title: str
    dated_at: str
    text: str = ""
    links: dict[str, str] = field(default_factory=dict)
    blobs: dict[str, str] = field(default_factory=dict)

    def to_record(self) -> Record:
        """Return the record to sign."""
        body: JsonObject = {"title": self.title, "dated_at": self.dated_at, "text": self.text}
        return Record(self.KIND, body, self.links, self.blobs)

    @classmethod
    def from_record(cls, record: Record) -> Document:
        """Read a record of this kind.

        Raises:
            MalformedError: a field is missing, or there is neither text nor a blob.
        """
        text = record.body.get("text")
        if not isinstance(text, str):
            raise MalformedError("document: text must be text, if only an empty one")
        if not text and not record.blobs:
            raise MalformedError("document: needs a text or at least one blob")
        return cls(
            title=as_text(record.body.get("title"), "document: title"),
            dated_at=as_text(record.body.get("dated_at"), "document: dated_at"),
            text=text,
            links=dict(record.links),
            blobs=dict(record.blobs),
        )
