"""Edge: answers as they come in, appended to a file, until a batch puts them into the log.

One `pwrite` per answer and nothing else, so the cost does not grow. What that
keeps: once `append` has returned, the answer outlasts the end of this process,
however it ends. A power cut can take what was appended since the last `flush`
(the user still holds the signed receipt).

A write that fails or reaches the file in part is cut off again before the next
one, or nothing more is appended. A file is never appended to again by another
process: `open` begins a new one, so a torn end stays an end.

Answers stand here in the order in which they came. That is why this is not
the log: a batch moves them, in random order, and removes the file.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from array import array
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from auzolan.core.record.errors import StorageError
from auzolan.run.answers.frames import Frame, frame_bytes, read_frame, scan

MAX_FILE_BYTES = 4 * 1024 * 1024
_PREFIX = 16  # bytes of an id that are kept in memory: two in 2^64 answers share them by chance
_SUFFIX = ".journal"


class Calls(NamedTuple):
    """What is asked of the system, so that tests can let it fail."""

    pwrite: Callable[[int, bytes, int], int] = os.pwrite
    ftruncate: Callable[[int, int], None] = os.ftruncate
    fsync: Callable[[int], None] = os.fsync
    unlink: Callable[[Path], None] = os.unlink


class Waiting(NamedTuple):
    """Where an answer waits: number of the file, place in it, length of its frame."""

    number: int
    start: int
    length: int


class _Names:
    """The ids in one file, 28 bytes for each."""

    def __init__(self) -> None:
        self._prefixes = bytearray()
        self._starts = array("Q")
        self._lengths = array("I")

    def add(self, identity: bytes, start: int, length: int) -> None:
        self._prefixes += identity[:_PREFIX]
        self._starts.append(start)
        self._lengths.append(length)

    def find(self, identity: bytes) -> int | None:
        """Return the row of the newest with this id."""
        end = len(self._prefixes)
        while (at := self._prefixes.rfind(identity[:_PREFIX], 0, end)) >= 0:
            if at % _PREFIX == 0:
                return at // _PREFIX
            end = at + _PREFIX - 1  # a hit across two ids is none
        return None

    def row(self, row: int) -> tuple[int, int]:
        return self._starts[row], self._lengths[row]

    def __len__(self) -> int:
        return len(self._starts)


class Journal:
    """The files in `folder`; only for the process that holds the log's lock.

    `append` and `find` may be called while another thread moves a batch.

    Attributes:
        n_lost_bytes: that were found and belong to no whole answer.
    """

    def __init__(self, folder: Path, calls: Calls | None = None) -> None:
        self._folder = folder
        self._calls = calls or Calls()
        self._lock = threading.Lock()  # guards all below
        self._names: dict[int, _Names] = {}
        self._file = -1
        self._end = 0
        self._torn = False
        self._lacking = 0  # bytes that the disk refused last, until it takes as many
        self.n_lost_bytes = 0
        try:
            folder.mkdir(0o700, parents=True, exist_ok=True)
            for number in sorted(int(place.stem) for place in folder.glob(f"*{_SUFFIX}")):
                self._scan(number)
            self._number = max(self._names, default=0)
            self._begin()
        except OSError as error:
            raise StorageError(f"cannot open the journal {folder}: {error.strerror}") from None

    def _place(self, number: int) -> Path:
        return self._folder / f"{number:09d}{_SUFFIX}"

    def _scan(self, number: int) -> None:
        spans, lost = scan(self._place(number).read_bytes())
        self.n_lost_bytes += lost
        names = self._names.setdefault(number, _Names())
        for span in spans:
            names.add(*span)

    def _begin(self) -> None:
        """Begin a new file; the one before keeps what it has."""
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.open(self._place(self._number + 1), flags, 0o600)
        if self._file >= 0:
            os.close(self._file)
        self._file, self._number, self._end, self._torn = file, self._number + 1, 0, False
        self._names[self._number] = _Names()
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self._calls.fsync(folder)
        finally:
            os.close(folder)

    def append(self, identity: bytes, envelope: bytes) -> None:
        """Keep an answer.

        Raises:
            StorageError: it is not kept, and must not be given out.
        """
        data = frame_bytes(identity, envelope)
        with self._lock:
            if self._file < 0:
                raise StorageError("the log of answers is closed")
            try:
                if self._torn:
                    self._mend()
                if self._end >= MAX_FILE_BYTES:
                    self._begin()
                self._torn = True  # until all of it is there, whatever interrupts
                written = self._calls.pwrite(self._file, data, self._end)
                if written != len(data):
                    raise OSError(0, f"{written} of {len(data)} bytes written")
            except OSError as error:
                self._lacking = len(data)
                with contextlib.suppress(OSError):
                    self._mend()
                raise StorageError(f"cannot write the journal {self._folder}: {error.strerror}") from None
            self._names[self._number].add(identity, self._end, written)
            self._end += written
            self._torn, self._lacking = False, 0

    def _mend(self) -> None:
        if self._file >= 0 and self._torn:
            self._calls.ftruncate(self._file, self._end)
            self._torn = False

    def flush(self) -> None:
        """Make what was appended outlast a power cut; after a failure, see whether the disk takes as much again.

        Raises:
            StorageError: the disk did not take it, or would not take the next answer.
        """
        with self._lock:
            if self._file < 0:
                return
            file = os.dup(self._file)
        try:
            with self._lock:
                self._try_again()
            self._calls.fsync(file)
        except OSError as error:
            raise StorageError(f"cannot write the journal {self._folder}: {error.strerror}") from None
        finally:
            os.close(file)

    def _try_again(self) -> None:
        """Write as much as was refused, and take it back: an empty sync succeeds on a full disk too."""
        if self._lacking and self._file >= 0:
            self._mend()
            self._torn = True
            written = self._calls.pwrite(self._file, bytes(self._lacking), self._end)
            lacking, self._lacking = self._lacking, self._lacking if written < self._lacking else 0
            self._mend()
            if written < lacking:
                raise OSError(errno.ENOSPC, "no space left for the next answer")

    def rotate(self) -> list[int]:
        """Begin a new file, unless the newest is empty; return the numbers of the others, oldest first."""
        self.flush()
        with self._lock:
            try:
                if self._names[self._number]:
                    self._begin()
            except OSError as error:
                raise StorageError(f"cannot write the journal {self._folder}: {error.strerror}") from None
            return sorted(set(self._names) - {self._number})

    def waiting(self, number: int) -> list[Waiting]:
        """Return where the answers of one file stand."""
        with self._lock:
            names = self._names[number]
            return [Waiting(number, *names.row(row)) for row in range(len(names))]

    def find(self, identity: bytes) -> Frame | None:
        """Return the answer with this id, if it waits here."""
        with self._lock:
            for number, names in self._names.items():
                row = names.find(identity)
                if row is not None:
                    found = self._read([Waiting(number, *names.row(row))])[0]
                    return found if found.id == identity else None
        return None

    def read(self, places: Iterable[Waiting]) -> list[Frame]:
        """Return the answers at these places, in their order.

        Raises:
            StorageError: a file cannot be read.
            VerificationError: its bytes are not those that were written.
        """
        return self._read(places)

    def _read(self, places: Iterable[Waiting]) -> list[Frame]:
        files: dict[int, int] = {}
        try:
            found = []
            for number, start, length in places:
                if number not in files:
                    files[number] = os.open(self._place(number), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
                found.append(read_frame(os.pread(files[number], length, start), f"journal {number}"))
            return found
        except OSError as error:
            raise StorageError(f"cannot read the journal {self._folder}: {error.strerror}") from None
        finally:
            for file in files.values():
                os.close(file)

    def remove(self, numbers: Iterable[int]) -> None:
        """Remove files whose answers stand in the log.

        Raises:
            StorageError: one could not be removed; nothing is lost by that.
        """
        for number in numbers:
            with self._lock:  # first, so that nobody looks for the file
                self._names.pop(number, None)
            try:
                with contextlib.suppress(FileNotFoundError):
                    self._calls.unlink(self._place(number))
            except OSError as error:
                raise StorageError(f"cannot clear the journal {self._folder}: {error.strerror}") from None

    def close(self) -> None:
        """Close the file, and remove it where it holds nothing."""
        with self._lock:
            if self._file < 0:
                return
            os.close(self._file)
            self._file = -1
            if not self._names[self._number] and not self._torn:
                with contextlib.suppress(OSError):
                    self._place(self._number).unlink()
