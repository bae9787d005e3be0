"""Edge: the runtime's private log of answers: appended one by one, put into a Merkle tree in batches.

    journal/    answers since the last batch, in the order in which they came (`journal`)
    answers/    the same in the order of the log, 256 to a page (`frames`)
    tile/       the tree and its entries (c2sp.org/tlog-tiles)
    checkpoint  the newest signed head
    places.db   id -> position (`places`), derived

A batch, and why a crash between any two of its steps is harmless:

    1. pages       beyond the signed size nobody reads them; the next batch writes them again
    2. tiles       likewise
    3. the promise size and root, kept beside the keys, before the signature exists (`ledger`)
    4. checkpoint  the answers are now logged
    5. places      made again when they are behind
    6. the journal is removed; an answer that is found in both is logged once

A promise ahead of the checkpoint is fulfilled from the tiles, never replaced,
so one key cannot sign two inconsistent heads; if the tiles are not there the
disk is an older copy, and nothing more is signed.

The entries of a batch are put in random order, all orders equally likely and
drawn independently of everything else. So which answer came after which is no
function of the log: within a batch, neighbours are as good as any two. Between
batches the order is plain. A batch that is made each time `TIME_STEP_S` has
passed shows no finer order than the records say themselves; more frequent ones
do. Not covered: somebody who reads the journal or the process while it works,
or who recovers removed files from the disk.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, Self

from auzolan.core.record.checkpoint import Checkpoint, LogProof, TreeHead, checkpoint_text, read_checkpoint
from auzolan.core.record.disk import DiskFiles, exclusive_lock
from auzolan.core.record.errors import MalformedError, MissingError, StaleError, UsageError, VerificationError
from auzolan.core.record.files import Files
from auzolan.core.record.keys import SigningKey
from auzolan.core.record.ledger import HeadGuard
from auzolan.core.record.merkle import EMPTY_ROOT
from auzolan.core.record.note import Note, sign_note, verify_note
from auzolan.core.record.published import CHECKPOINT
from auzolan.core.record.record import is_digest
from auzolan.core.record.tilelog import TileReader, TileWriter
from auzolan.run.answers.frames import Frame, frame_bytes, read_frame, scan
from auzolan.run.answers.journal import Journal, Waiting
from auzolan.run.answers.places import Places
from auzolan.run.answers.seal import Sealed

PAGE = 256
MAX_BATCH = 8_192  # of more than these at once, the first go into the log before the next
_PAGES = "answers"
_MAX_PAGE_BYTES = PAGE * (1 << 20) * 2


class _Signed(NamedTuple):
    """The newest checkpoint, and the tree below it; the reader is for `proof` alone."""

    checkpoint: Checkpoint | None
    reader: TileReader


class AnswerLog:
    """The log of one service's answers; only for the process that holds its lock.

    One thread calls `append`, `envelope` and `proof`; another may run `batch` and `flush` meanwhile.

    Args:
        files: pages, tiles and checkpoint.
        journal: what was not yet logged.
        places: the index.
        key: signs the checkpoints.
        origin: name of the log.
        guard: what was promised for it.
        shuffle: puts a list in random order.
    """

    def __init__(
        self,
        files: Files,
        journal: Journal,
        places: Places,
        key: SigningKey,
        origin: str,
        guard: HeadGuard,
        shuffle: Callable[[list[Waiting]], None],
    ) -> None:
        self._files, self._journal, self._places = files, journal, places
        self._key, self._origin, self._guard, self._shuffle = key, origin, guard, shuffle
        self._batching = threading.Lock()  # guards the writer and all that is written below `files`
        self._writer: TileWriter | None = None
        self._unsure = True  # whether the journal may hold what is logged already
        self._closing = ExitStack()
        self._signed = _Signed(None, TileReader(files, 0))  # replaced whole, as other threads read it
        self._load()

    @classmethod
    def open(cls, folder: Path, key: SigningKey, origin: str, guard: HeadGuard) -> Self:
        """Open the log in `folder`, and finish what a crash left unfinished.

        Raises:
            UsageError: another process has it open.
            StaleError: more was signed for this log than the folder holds.
            VerificationError: its files are not those of the log that the key signed.
            StorageError: the disk did not do its part.
        """
        with ExitStack() as opened:
            try:
                opened.enter_context(exclusive_lock(folder / "lock"))
            except UsageError:
                raise UsageError(f"another process has the log of answers in {folder} open") from None
            files = DiskFiles(folder, private=True)
            files.clear_temporary()
            journal = Journal(folder / "journal")
            opened.callback(journal.close)
            places = Places.open(folder / "places.db")
            opened.callback(places.close)
            log = cls(files, journal, places, key, origin, guard, secrets.SystemRandom().shuffle)
            log._closing = opened.pop_all()
            return log

    def close(self) -> None:
        """Give the folder back. What was appended and not logged will be, by the first batch of the next process."""
        with self._batching:
            self._closing.close()

    @property
    def checkpoint(self) -> Checkpoint | None:
        """The newest signed one, or None."""
        return self._signed.checkpoint

    @property
    def head(self) -> TreeHead:
        """The newest signed head."""
        checkpoint = self.checkpoint
        return checkpoint.head if checkpoint else TreeHead(0, EMPTY_ROOT)

    @property
    def n_lost_bytes(self) -> int:
        """Bytes that were found in the journal at the start and belong to no whole answer."""
        return self._journal.n_lost_bytes

    def _load(self) -> None:
        try:
            checkpoint = read_checkpoint(self._files.read(CHECKPOINT))
        except MissingError:
            checkpoint = None
        if checkpoint:
            self._accept(self._check(checkpoint, "the log of answers"))
        self._settle()
        self._catch_up()
        beyond = [path for path in self._files.paths(_PAGES) if path >= _page_path(self.head.size)]
        self._files.remove_all(beyond)

    def _accept(self, checkpoint: Checkpoint) -> None:
        self._signed = _Signed(checkpoint, TileReader(self._files, checkpoint.head.size))

    def _root_at(self, size: int) -> bytes:
        """Return the root of the first `size` entries; a reader of its own, as one is not for two threads."""
        return TileReader(self._files, self.head.size).root_at(size)

    def _check(self, checkpoint: Checkpoint, what: str) -> Checkpoint:
        """Return a checkpoint that this key signed for this log."""
        if checkpoint.origin != self._origin:
            raise VerificationError(f"{what}: is of the log {checkpoint.origin!r}, expected {self._origin!r}")
        if not verify_note(checkpoint.note, [self._key.public], what):
            raise VerificationError(f"{what}: the checkpoint is not signed by {self._key.name}")
        return checkpoint

    def append(self, sealed: Sealed) -> None:
        """Keep a sealed answer: one write.

        Raises:
            StorageError: it is not kept. The answer must not be given out.
        """
        self._journal.append(bytes.fromhex(sealed.id), sealed.envelope)

    def flush(self) -> None:
        """Make all that was appended outlast a power cut.

        Raises:
            StorageError: the disk did not take it.
        """
        self._journal.flush()

    def batch(self) -> TreeHead:
        """Log all that was appended, and sign the new head; blocks on the disk, so not for an event loop.

        Raises:
            StorageError: not done, or not all of it; nothing is lost, the next call goes on.
            StaleError, VerificationError: this folder is not what the key has signed.
        """
        with self._batching:
            self._settle()
            self._catch_up()
            unsure, self._unsure = self._unsure, True
            numbers = self._journal.rotate()
            for batch in self._batches(numbers, unsure):
                self._integrate(batch)
            self._journal.remove(numbers)
            self._unsure = False
            return self.head

    def _batches(self, numbers: list[int], unsure: bool) -> Iterator[list[Waiting]]:
        batch: list[Waiting] = []
        for number in numbers:
            waiting = self._journal.waiting(number)
            batch += self._new(waiting) if unsure else waiting
            while len(batch) >= MAX_BATCH:
                yield batch[:MAX_BATCH]
                del batch[:MAX_BATCH]
        if batch:
            yield batch

    def _new(self, waiting: list[Waiting]) -> list[Waiting]:
        """Leave out what a batch logged that did not come to its end."""
        return [place for place in waiting if self._places.find(self._journal.read([place])[0].id) is None]

    def _integrate(self, batch: list[Waiting]) -> None:
        self._shuffle(batch)
        before = self.head.size
        writer = self._writer or TileWriter.open(self._files, self.head)
        self._writer = None  # until all is done, a failure must read the disk again
        rows: list[tuple[bytes, int, int]] = []
        entries: list[bytes] = []
        for page in range(0, len(batch), PAGE):
            frames = self._journal.read(batch[page : page + PAGE])
            data = b"".join(frame_bytes(*frame) for frame in frames)
            self._files.write_all({_page_path(before + page): data})  # 1
            rows += [(frame.id, before + page + row, before + page) for row, frame in enumerate(frames)]
            entries += [sha256(frame.envelope).digest() for frame in frames]
        head = writer.append(entries)  # 2
        self._guard.promise(self._origin, head)  # 3
        self._sign(head)  # 4
        self._places.add(rows, head)  # 5
        for folder in writer.superseded_partials(before):
            self._files.remove_all(self._files.paths(folder))
        self._writer = writer

    def _sign(self, head: TreeHead) -> None:
        """Sign and write `head`, which was promised."""
        text = checkpoint_text(self._origin, head)
        data = Note(text, (sign_note(text, self._key),)).to_bytes()
        self._files.write_all({CHECKPOINT: data})
        self._accept(read_checkpoint(data))

    def _settle(self) -> None:
        """Make promise and checkpoint agree before anything new is promised; see `ledger`."""
        last, head = self._guard.last(self._origin), self.head
        if last == head or (last is None and not head.size):
            return
        if last is None or last.size <= head.size:
            if last and self._root_at(last.size) != last.root:
                raise VerificationError(
                    f"the log of answers has another history than the one that was signed at size {last.size}; "
                    "restore the right copy"
                )
            self._guard.promise(self._origin, head)
            return
        try:
            TileWriter.open(self._files, last)
            for _ in self._pages(head.size, last.size):
                pass
        except (MissingError, VerificationError, MalformedError):
            raise StaleError(
                f"the log of answers has {head.size} entries, but {last.size} were signed for it; "
                "restore a newer copy (a signed history cannot be taken back)"
            ) from None
        # The promise that was read may not be durable, if a process died while writing it.
        self._guard.promise(self._origin, last)
        self._writer = None
        self._sign(last)

    def _pages(self, start: int, size: int) -> Iterator[tuple[int, list[Frame]]]:
        """Yield (index of its first, answers) of each page from `start`, where one begins, up to `size`."""
        while start < size:
            path = _page_path(start)
            data = self._files.read(path, _MAX_PAGE_BYTES)
            frames = [read_frame(data[at : at + length], path) for _, at, length in scan(data).spans]
            if not frames or start + len(frames) > size:
                raise VerificationError(f"{path}: holds {len(frames)} answers, expected 1 to {size - start}")
            yield start, frames
            start += len(frames)

    def _catch_up(self) -> None:
        """Make the index again where it is behind."""
        known, head = self._places.head, self.head
        if known == head:
            return
        if known.size > head.size or self._root_at(known.size) != known.root:
            self._places.clear()
            known = TreeHead(0, EMPTY_ROOT)
        reader = TileReader(self._files, head.size)
        for start, frames in self._pages(known.size, head.size):
            end = start + len(frames)
            rows = [(frame.id, start + row, start) for row, frame in enumerate(frames)]
            self._places.add(rows, TreeHead(end, reader.root_at(end)))

    def envelope(self, identity: str) -> bytes:
        """Return the signed answer with this id, from the moment it was appended.

        Raises:
            MissingError: there is none.
        """
        name = _identity(identity)
        # The journal first: an answer is in the log before it leaves the journal.
        if waiting := self._journal.find(name):
            return waiting.envelope
        return self._logged(name)[1]

    def _logged(self, name: bytes) -> tuple[int, bytes]:
        place = self._places.find(name)
        if place is None:
            raise MissingError(f"answer {name.hex()[:16]}…: not in this log")
        path = _page_path(place.page)
        data = self._files.read(path, _MAX_PAGE_BYTES)
        spans, row = scan(data).spans, place.position - place.page
        if row >= len(spans) or spans[row].id != name:
            raise VerificationError(f"{path}: does not hold the answer {name.hex()[:16]}… where it was written")
        _, start, length = spans[row]
        return place.position, read_frame(data[start : start + length], path).envelope

    def proof(self, identity: str, anchored: Checkpoint | None = None) -> bytes:
        """Return the `.tlog-proof` of an answer, with its envelope as `extra`.

        Args:
            identity: id of the answer.
            anchored: an earlier checkpoint of this log to lead to, such as one that
                stands in the community's log; None for the newest.

        Raises:
            MissingError: there is no such answer, or it was logged later, or waits for the next batch.
            VerificationError: the checkpoint is not one of this log.
        """
        name = _identity(identity)
        checkpoint, reader = self._signed
        if self._places.find(name) is None and self._journal.find(name):
            raise MissingError(f"answer {identity[:16]}…: waits for the next batch; ask again then")
        position, envelope = self._logged(name)
        if anchored is not None:
            checkpoint, reader = self._earlier(anchored), TileReader(self._files, anchored.head.size)
        if checkpoint is None or position >= checkpoint.head.size:
            raise MissingError(f"answer {identity[:16]}…: was logged after this checkpoint; ask with a later one")
        if sha256(envelope).digest() != reader.entry(position):
            raise VerificationError(f"answer {identity[:16]}…: its bytes are not those that were logged")
        return LogProof(position, tuple(reader.inclusion_proof(position)), checkpoint, envelope).to_bytes()

    def _earlier(self, checkpoint: Checkpoint) -> Checkpoint:
        self._check(checkpoint, "the anchored checkpoint")
        if checkpoint.head.size > self.head.size or self._root_at(checkpoint.head.size) != checkpoint.head.root:
            raise VerificationError(f"the anchored checkpoint of size {checkpoint.head.size} is of another history")
        return checkpoint


def _page_path(start: int) -> str:
    return f"{_PAGES}/{start:015d}"


def _identity(text: str) -> bytes:
    if not is_digest(text):
        raise MalformedError("answer: expected the 64 hexadecimal digits of its id")
    return bytes.fromhex(text)
