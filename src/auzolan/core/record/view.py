"""Reading one's own ledger: the published tree, the rules in force, the index.

`load` trusts this disk as far as its owner must anyway: it checks the right
edge, the governance records and the checkpoint's signature, in O(log n).
`verify` is what trusts nothing. `ledger` adds writing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

from auzolan.core.record.authority import Chain
from auzolan.core.record.checkpoint import Checkpoint, LogProof, TreeHead
from auzolan.core.record.envelope import Envelope
from auzolan.core.record.errors import MissingError, VerificationError
from auzolan.core.record.files import Files, ReadFiles
from auzolan.core.record.governance import GOVERNANCE_KIND
from auzolan.core.record.index import Index, Row
from auzolan.core.record.merkle import EMPTY_ROOT, leaf_hash, verify_inclusion
from auzolan.core.record.note import verify_note
from auzolan.core.record.published import Published, blob_path
from auzolan.core.record.record import Record
from auzolan.core.record.tilelog import TileReader

BLOB_LIMIT = 2**30
_INDEX_BATCH = 4096


class LedgerView:
    """One commons' log, records and blobs, as they stand on this disk.

    Args:
        public: the published folder (`published` says what is in it).
        private: what is never published: `blobs/`, `staged/` and `erasing/`.
        index: derived, caught up on `load`.
    """

    def __init__(self, public: ReadFiles, private: Files, index: Index) -> None:
        self.published = Published(public)
        self.index = index
        self.chain = Chain()
        self.head = TreeHead(0, EMPTY_ROOT)
        self.checkpoint: Checkpoint | None = None
        self._public, self._private = public, private

    def load(self) -> Self:
        """Read the published state; O(log n) but for an index that is behind.

        Raises:
            VerificationError: the checkpoint is not signed by the log key in force.
        """
        try:
            self.checkpoint = self.published.checkpoint()
        except MissingError:
            self.checkpoint, self.head, self.chain = None, TreeHead(0, EMPTY_ROOT), Chain()
            if self.index.head != self.head:
                self.index.clear()
            return self
        self.head = self.checkpoint.head
        self._catch_up()
        self.chain = Chain()
        reader = self.reader()
        for row in self.index.rows(GOVERNANCE_KIND):
            self._check_logged(row, reader)
            self.chain.verify(self.envelope(row), row.position)
        if not self.chain.versions:
            raise VerificationError("this ledger does not begin with a governance")
        rules = self.chain.current.rules
        if self.checkpoint.origin != rules.origin:
            raise VerificationError(f"checkpoint: of log {self.checkpoint.origin!r}, expected {rules.origin!r}")
        if not verify_note(self.checkpoint.note, [rules.log_key], "checkpoint"):
            raise VerificationError(f"checkpoint: not signed by the log key in force, {rules.log_key.name}")
        return self

    def reader(self) -> TileReader:
        """Return a reader over the published tree."""
        return TileReader(self._public, self.head.size)

    def envelope(self, row: Row) -> Envelope:
        """Return the envelope of an indexed record, its bytes checked against the entry."""
        return self.published.envelope(bytes.fromhex(row.entry))

    def find(self, digest: str) -> Row:
        """Return the record with this id or entry.

        Raises:
            MissingError: it is not in this ledger.
        """
        row = self.index.find(digest)
        if row is None:
            raise MissingError(f"no record {digest[:16]}… in this ledger")
        return row

    def prove(self, digest: str) -> LogProof:
        """Return an offline proof for a record, its envelope as extra data."""
        row = self.find(digest)
        if self.checkpoint is None:
            raise MissingError("nothing is published yet")
        reader = self.reader()
        self._check_logged(row, reader)
        proof = tuple(reader.inclusion_proof(row.position))
        return LogProof(row.position, proof, self.checkpoint, self.envelope(row).canonical)

    def has_private_blob(self, digest: str) -> bool:
        """Say whether the bytes of a private blob are on this machine."""
        return self._private.exists(blob_path(digest))

    def read_private_blob(self, digest: str) -> bytes:
        """Return the bytes of a private blob, salt included.

        Raises:
            MissingError: erased, or never on this machine.
        """
        return self._private.read(blob_path(digest), BLOB_LIMIT)

    def _check_logged(self, row: Row, reader: TileReader) -> None:
        proof = reader.inclusion_proof(row.position)
        verify_inclusion(leaf_hash(bytes.fromhex(row.entry)), row.position, self.head.size, proof, self.head.root)

    def _catch_up(self) -> None:
        """Bring the index to the published head, from scratch if it is of another tree."""
        indexed = self.index.head
        if indexed == self.head:
            return
        reader = self.reader()
        if indexed.size > self.head.size or reader.root_at(indexed.size) != indexed.root:
            self.index.clear()
        for _ in self.rebuild_index(self.index.head.size):
            pass

    def rebuild_index(self, start: int) -> Iterator[int]:
        """Index the records from `start` on, yielding how many are done."""
        reader, chain = self.reader(), Chain()
        for row in self.index.rows(GOVERNANCE_KIND):
            chain.verify(self.envelope(row), row.position)
        batch: list[tuple[Row, Record]] = []
        for position, entry in enumerate(reader.entries(start), start):
            envelope = self.published.envelope(entry)
            signers = chain.verify(envelope, position).signers
            batch.append((index_row(position, envelope, signers), envelope.claimed))
            if len(batch) == _INDEX_BATCH or position + 1 == self.head.size:
                self.index.add(batch, TreeHead(position + 1, reader.root_at(position + 1)))
                batch = []
                yield position + 1


def index_row(position: int, envelope: Envelope, signers: tuple[str, ...]) -> Row:
    """Return the index row of a record at a log position."""
    return Row(position, envelope.claimed.id, envelope.entry.hex(), envelope.claimed.kind, signers)
