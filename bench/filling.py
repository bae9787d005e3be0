"""Large ledgers, made quickly.

Everything in them is real, if synthetic: each entry is the SHA-256 of a
canonical envelope with two Ed25519 signatures, its file stands in records/, its
row in the index, its hash in the tiles. Only the way there takes short cuts:
records are made by several processes, their files are not flushed one by one,
and their signatures are not checked on the way in. `verify_ledger` over such a
ledger shows that the short cuts left nothing out.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from pathlib import Path
from typing import NamedTuple

from tests.town import LOG, ORIGIN, document, root_record, sign

from auzolan.core.kinds import read_kind
from auzolan.core.record.checkpoint import TreeHead, checkpoint_text
from auzolan.core.record.disk import DiskFiles
from auzolan.core.record.envelope import Envelope
from auzolan.core.record.index import Index, Row
from auzolan.core.record.keys import PublicKey, SigningKey
from auzolan.core.record.keystore import PROMISED, Memory
from auzolan.core.record.ledger import Ledger
from auzolan.core.record.note import Note, sign_note
from auzolan.core.record.published import CHECKPOINT, record_path
from auzolan.core.record.record import Record
from auzolan.core.record.tilelog import TileWriter
from bench.measure import say

CHUNK = 4096

Made = list[tuple[str, Record]]


class Place(NamedTuple):
    """Where one ledger stands."""

    folder: Path

    @property
    def public(self) -> DiskFiles:
        """The published folder."""
        return DiskFiles(self.folder / "ledger", self.folder / "private" / "tmp")

    @property
    def guard(self) -> Memory:
        """What was promised for the log."""
        return Memory(self.folder / "home", PROMISED)

    def open_index(self) -> Index:
        """Open the index."""
        return Index(self.folder / "private" / "index.sqlite")

    def open(self) -> Ledger:
        """Open the ledger as any command does."""
        return Ledger(self.public, DiskFiles(self.folder / "private"), self.open_index(), read_kind).load()


def open_log_key(public: PublicKey) -> SigningKey:
    """Return the secret of the log key."""
    assert public == LOG.public, "the town has one log key"
    return LOG


def minutes(number: int, about: str) -> Envelope:
    """Return a signed record that no other number gives."""
    return sign(document(f"Minutes {number} (synthetic)", f"We met for time {number}.", about=about))


def make_records(job: tuple[Path, str, int, int]) -> Made:
    """Make and write the signed records from `start` to `end`; return (entry, record) of each.

    The first one links to the root, the others to the first.
    """
    folder, root, start, end = job
    made: Made = []
    for number in range(start, end):
        envelope = minutes(number, made[0][1].id if made else root)
        entry = envelope.entry.hex()
        (folder / record_path(entry)).write_bytes(envelope.canonical)
        made.append((entry, envelope.claimed))
    return made


def fill(place: Place, n: int) -> None:
    """Make a ledger of `n` entries, its root committed in the ordinary way."""
    (place.folder / "private").mkdir(parents=True)
    ledger = place.open()
    root = sign(root_record())
    ledger.commit([root], open_log_key, place.guard)
    published = place.folder / "ledger"
    for number in range(256):
        (published / "records" / f"{number:02x}").mkdir(exist_ok=True)
    writer = TileWriter.open(place.public, ledger.head)
    jobs = [(published, root.claimed.id, start, min(start + CHUNK, n)) for start in range(1, n, CHUNK)]
    position, started = 1, time.monotonic()
    with multiprocessing.Pool() as pool:
        for made in pool.imap(make_records, jobs):
            head = writer.append([bytes.fromhex(entry) for entry, _ in made])
            rows = [
                (Row(position + offset, record.id, entry, record.kind, ("library", "school")), record)
                for offset, (entry, record) in enumerate(made)
            ]
            ledger.index.add(rows, head)
            position += len(made)
            if position // CHUNK % 16 == 0:
                say(f"  {position:,} of {n:,} records made, {time.monotonic() - started:.0f} s")
    ledger.index.close()
    place.guard.promise(ORIGIN, writer.head)
    place.public.write_all({CHECKPOINT: signed_checkpoint(writer.head)})
    os.sync()


def signed_checkpoint(head: TreeHead) -> bytes:
    """Return the checkpoint file for `head`."""
    text = checkpoint_text(ORIGIN, head)
    return Note(text, (sign_note(text, LOG),)).to_bytes()
