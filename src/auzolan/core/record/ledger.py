"""The ledger of a commons: committing records so that nothing is ever lost.

The order of writes, and why a crash between any two of them is harmless:

    1. records and blobs     named by their digests; unlogged ones mean nothing
    2. tiles and bundles     beyond the published size nobody reads them, and
                             the next append writes them again
    3. the promise           size and root, kept beside the log key, *before*
                             the signature exists: what may have been signed
                             is always known
    4. the signed checkpoint the records are now committed
    5. index, leftovers      derived; made again when they are behind

On the next start a promise ahead of the checkpoint is fulfilled from the
tiles (they were durable first), never replaced by another head of that size.
If the tiles are not there, the disk went back in time (a restored backup), and
the ledger refuses to sign until a newer copy is restored: two inconsistent
signed checkpoints cannot come from one key whose promises are kept. Against a
key copied to two machines only witnesses help.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import NamedTuple, Protocol, Self

from auzolan.core.record.authority import Chain
from auzolan.core.record.checkpoint import Checkpoint, TreeHead, checkpoint_text, read_checkpoint
from auzolan.core.record.envelope import Envelope
from auzolan.core.record.errors import MalformedError, MissingError, StaleError, UsageError, VerificationError
from auzolan.core.record.files import MAX_READ_BYTES, Files
from auzolan.core.record.governance import GOVERNANCE_KIND, read_governance
from auzolan.core.record.index import Index, Row
from auzolan.core.record.keys import PublicKey, SigningKey
from auzolan.core.record.note import Note, NoteSignature, sign_note, verify_note
from auzolan.core.record.published import CHECKPOINT, COSIGNED, blob_path, record_path
from auzolan.core.record.record import PRIVATE_SALT_BYTES, Record, check_bound, digests_in
from auzolan.core.record.tilelog import TileReader, TileWriter
from auzolan.core.record.tombstone import TOMBSTONE_KIND, check_blobs, erased_by
from auzolan.core.record.view import BLOB_LIMIT, LedgerView, index_row

OpenKey = Callable[[PublicKey], SigningKey]


class HeadGuard(Protocol):
    """The memory of what was signed for each log; it lives beside the log key, not in the commons."""

    def last(self, origin: str) -> TreeHead | None:
        """Return the largest head promised for this log, or None."""
        ...

    def promise(self, origin: str, head: TreeHead) -> None:
        """Remember durably that `head` is about to be signed."""
        ...


class Committed(NamedTuple):
    """Where a record stands; `fresh` is False when it stood there already."""

    position: int
    id: str
    fresh: bool


class Ledger(LedgerView):
    """A ledger that can grow; only for the process that holds its lock.

    Args:
        public, private, index: as for `LedgerView`.
        validate: raises MalformedError for a record whose kind demands another form.
    """

    def __init__(
        self,
        public: Files,
        private: Files,
        index: Index,
        validate: Callable[[Record], object] = lambda _: None,
    ) -> None:
        super().__init__(public, private, index)
        self._public: Files = public
        self._validate = validate
        self._writer: TileWriter | None = None

    def load(self) -> Self:
        """Read the published state; see `LedgerView.load`."""
        self._writer = None
        return super().load()

    def stage_blob(self, data: bytes) -> str:
        """Keep the bytes of a public blob until its record is committed; return the digest."""
        digest = sha256(data).hexdigest()
        self._private.write_all({f"staged/{digest}": data})
        return digest

    def keep_private_blob(self, data: bytes, salt: bytes) -> str:
        """Keep the bytes of a private blob behind 32 random ones; return the digest."""
        if len(salt) != PRIVATE_SALT_BYTES:
            raise UsageError(f"a private blob needs a salt of {PRIVATE_SALT_BYTES} bytes")
        digest = sha256(salt + data).hexdigest()
        self._private.write_all({blob_path(digest): salt + data})
        return digest

    def note_subject(self, subject: str, digest: str) -> None:
        """Remember, privately, that a private blob is about `subject`, so that it can be forgotten by name."""
        self._private.write_all({f"{_subject_folder(subject)}/{digest}": b""})

    def about_subject(self, subject: str) -> list[str]:
        """Return the digests of the private blobs about `subject`."""
        return [path.split("/")[-1] for path in self._private.paths(_subject_folder(subject))]

    def drop_private_blobs(self, digests: Sequence[str]) -> None:
        """Erase private blobs that no committed record names; for those that one names, commit a tombstone."""
        free = [digest for digest in digests if not self.index.holders(digest)]
        self._private.remove_all(blob_path(digest) for digest in free)
        self._private.remove_all(path for path in self._private.paths("about") if path.split("/")[-1] in free)

    def commit(self, envelopes: Sequence[Envelope], open_key: OpenKey, guard: HeadGuard) -> list[Committed]:
        """Check `envelopes` in order and log those that are new, all or none.

        Args:
            envelopes: signed records; those already committed are passed over.
            open_key: gives the secret of the log key in force; asked before anything is written.
            guard: what was signed for this log so far.

        Raises:
            VerificationError, MalformedError, MissingError: a record may not be
                committed; nothing was.
            StaleError: this disk is older than what the key has signed.
            StorageError: writing failed; run again, nothing is lost.
        """
        if self.index.head != self.head:
            self.load()  # by an index that could not be written, a record would be logged twice
        self._settle(envelopes, open_key, guard)
        chain = self._copy_chain()
        rows: list[tuple[Row, Record]] = []
        places: dict[str, int] = {}
        items: dict[str, bytes] = {}
        staged: list[str] = []
        for envelope in envelopes:
            record = envelope.claimed
            if record.id in places or self.index.find(record.id):
                continue
            position = self.head.size + len(rows)
            authorised = chain.verify(envelope, position)
            self._check_content(record, places, [earlier for _, earlier in rows])
            items |= self._items(envelope)
            staged += self._staged_of(record)
            places[record.id] = position
            rows.append((index_row(position, envelope, authorised.signers), record))
        if rows:
            self._publish(rows, items, staged, chain, open_key, guard)
        self.finish_erasures()
        return [Committed(self.find(e.claimed.id).position, e.claimed.id, e.claimed.id in places) for e in envelopes]

    def _copy_chain(self) -> Chain:
        chain = Chain()
        for version in self.chain.versions:
            chain.accept(version)
        return chain

    def _check_content(self, record: Record, places: dict[str, int], batch: Sequence[Record]) -> None:
        """Refuse what `verify` would: the log cannot take a record back."""
        self._validate(record)
        check_bound(record, bool(self.head.size or places))
        for name, target in record.links.items():
            row = self.index.find(target)
            if target not in places and (row is None or row.id != target):
                raise MissingError(f"link {name}: record {target[:16]}… is not in this ledger")
        check_blobs(
            record,
            lambda digest: [
                *self.index.holders(digest),
                *((other.id, name) for other in batch for name, d in other.blobs.items() if d == digest),
            ],
        )
        for digest in digests_in(record.body):
            row = self.index.find(digest)
            if digest in places or (row and row.id == digest):
                raise VerificationError(f"the body holds the id of record {digest[:16]}…; it belongs in links")
        for name, digest in record.public_blobs.items():
            if not self._public.exists(blob_path(digest)) and not self._private.exists(f"staged/{digest}"):
                raise MissingError(f"blob {name}: the bytes of {digest[:16]}… are not on this machine")

    def _items(self, envelope: Envelope) -> dict[str, bytes]:
        if len(envelope.canonical) > MAX_READ_BYTES:
            raise MalformedError(f"record: {len(envelope.canonical):,} bytes, at most {MAX_READ_BYTES:,} are read")
        return {record_path(envelope.entry.hex()): envelope.canonical}

    def _staged_of(self, record: Record) -> list[str]:
        """Return the digests of the blobs to publish with a record; each is read and checked, none is kept."""
        # One that is public already may not be durable, if a process died while writing it.
        found = [digest for digest in record.public_blobs.values() if self._private.exists(f"staged/{digest}")]
        for digest in found:
            self._staged(digest)
        return found

    def _staged(self, digest: str) -> bytes:
        data = self._private.read(f"staged/{digest}", BLOB_LIMIT)
        if sha256(data).hexdigest() != digest:
            raise VerificationError(f"the staged bytes of blob {digest[:16]}… were changed")
        return data

    def _publish(
        self,
        rows: list[tuple[Row, Record]],
        items: dict[str, bytes],
        staged: Sequence[str],
        chain: Chain,
        open_key: OpenKey,
        guard: HeadGuard,
    ) -> None:
        rules = chain.current.rules
        log_key = _open_log_key(rules.log_key, open_key)
        erased = [d for _, record in rows if record.kind == TOMBSTONE_KIND for d in erased_by(record)]
        self._private.write_all({f"erasing/{digest}": b"" for digest in erased})
        writer = self._writer or TileWriter.open(self._public, self.head)
        self._writer = None  # until all is done, a failure must read the disk again
        for digest in staged:  # one after the other: together they may not fit in memory
            self._public.write_all({blob_path(digest): self._staged(digest)})
        self._public.write_all(items)  # 1
        head = writer.append([bytes.fromhex(row.entry) for row, _ in rows])  # 2
        partials = writer.superseded_partials(self.head.size)
        self._check_promised(guard.last(rules.origin), head, rules.origin)
        guard.promise(rules.origin, head)  # 3
        self._sign(rules.origin, head, log_key)  # 4
        self.chain = chain
        self.index.add(rows, head)  # 5
        self._private.remove_all(f"staged/{digest}" for _, r in rows for digest in r.public_blobs.values())
        for folder in partials:
            self._public.remove_all(self._public.paths(folder))
        self._writer = writer

    def _check_promised(self, last: TreeHead | None, head: TreeHead, origin: str) -> None:
        """Refuse to sign for a log name, taken on by new rules, that stood for another history before."""
        if last is None or last == self.head:
            return
        if last.size > head.size or TileReader(self._public, head.size).root_at(last.size) != last.root:
            raise VerificationError(
                f"log {origin!r} was signed with another history at size {last.size}; "
                "the rules must choose another name"
            )

    def _sign(self, origin: str, head: TreeHead, log_key: SigningKey) -> None:
        """Sign and publish `head`, which was promised; keep the old checkpoint while only it is cosigned."""
        if self.checkpoint and len(self.checkpoint.note.signatures) > 1:
            self._public.write_all({COSIGNED: self.checkpoint.note.to_bytes()})
        text = checkpoint_text(origin, head)
        data = Note(text, (sign_note(text, log_key),)).to_bytes()
        self._public.write_all({CHECKPOINT: data})
        self.checkpoint, self.head = read_checkpoint(data), head

    def _settle(self, envelopes: Sequence[Envelope], open_key: OpenKey, guard: HeadGuard) -> None:
        """Make promise and checkpoint agree before anything new is promised.

        Raises:
            StaleError: more was signed for this log than this disk holds.
            VerificationError: something else was signed.
        """
        if self.chain.versions:
            origin = self.chain.current.rules.origin
        else:
            roots = [e.claimed for e in envelopes[:1] if e.claimed.kind == GOVERNANCE_KIND]
            origin = read_governance(roots[0].body).origin if roots else ""
        last = guard.last(origin)
        if last == self.head or (last is None and not self.head.size):
            return
        if last is None or last.size <= self.head.size:
            if last and self.reader().root_at(last.size) != last.root:
                raise VerificationError(
                    f"this ledger has another history than the one that was signed at size {last.size}; "
                    "restore the right copy"
                )
            guard.promise(origin, self.head)
            return
        try:
            TileWriter.open(self._public, last)
            rules = self._chain_to(last).current.rules
        except (MissingError, VerificationError):
            raise StaleError(
                f"this ledger has {self.head.size} entries, but {last.size} were signed for it; "
                "restore a newer copy (a signed history cannot be taken back)"
            ) from None
        log_key = _open_log_key(rules.log_key, open_key)
        # The promise that was read may not be durable, if a process died while writing it.
        guard.promise(origin, last)
        self._sign(origin, last, log_key)
        self.load()

    def _chain_to(self, head: TreeHead) -> Chain:
        """Return the governance versions up to `head`, which is ahead of what is published."""
        chain = self._copy_chain()
        for position, entry in enumerate(TileReader(self._public, head.size).entries(self.head.size), self.head.size):
            envelope = self.published.envelope(entry)
            for digest in envelope.claimed.public_blobs.values():
                if not self._public.exists(blob_path(digest)):
                    raise MissingError(f"blob {digest[:16]}… is not here")
            if envelope.claimed.kind == GOVERNANCE_KIND:
                chain.verify(envelope, position)
        return chain

    def add_cosignature(self, line: NoteSignature) -> Checkpoint:
        """Put a witness's cosignature on the published checkpoint.

        Raises:
            VerificationError: it is not by a witness that the governance names, or does not fit.
        """
        if self.checkpoint is None:
            raise MissingError("nothing is published yet")
        note = self.checkpoint.note.with_signature(line)
        witnesses = self.chain.current.rules.witness_keys
        verified = verify_note(Note(note.text, (line,)), witnesses, "cosignature")
        if not verified:
            raise VerificationError(f"cosignature: the governance names no witness {line.name} with that key")
        self._public.write_all({CHECKPOINT: note.to_bytes()})
        self.checkpoint = read_checkpoint(note.to_bytes())
        return self.checkpoint

    def returned_blobs(self) -> list[str]:
        """Return the digests of private blobs that a tombstone erased and that are here again, from a backup say."""
        erased = (d for row in self.index.rows(TOMBSTONE_KIND) for d in erased_by(self.envelope(row).claimed))
        return sorted({digest for digest in erased if self.has_private_blob(digest)})

    def erase(self, digests: Sequence[str]) -> None:
        """Erase private blobs that a committed tombstone names."""
        self._private.write_all({f"erasing/{digest}": b"" for digest in digests})
        self.finish_erasures()

    def finish_erasures(self) -> None:
        """Erase the private blobs that committed tombstones name, also those that a crash left."""
        waiting = [path.removeprefix("erasing/") for path in self._private.paths("erasing")]
        if not waiting:
            return
        tombstoned = {d for row in self.index.rows(TOMBSTONE_KIND) for d in erased_by(self.envelope(row).claimed)}
        # The others may be about to be: their tombstone may be promised and not yet published.
        done = [digest for digest in waiting if digest in tombstoned]
        self._private.remove_all(blob_path(digest) for digest in done)
        self._private.remove_all(path for path in self._private.paths("about") if path.split("/")[-1] in tombstoned)
        self._private.remove_all(f"erasing/{digest}" for digest in done)


def _open_log_key(wanted: PublicKey, open_key: OpenKey) -> SigningKey:
    found = open_key(wanted)
    if found.public != wanted:
        raise UsageError(f"the log key in force is {wanted}, got {found.public}")
    return found


def _subject_folder(subject: str) -> str:
    try:
        return f"about/{sha256(subject.encode()).hexdigest()}"
    except UnicodeEncodeError:
        raise UsageError("expected words in UTF-8") from None
