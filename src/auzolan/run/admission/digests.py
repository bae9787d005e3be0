"""Edge: SHA-256 of files, remembered as long as a file is the same, so that a warm start reads none of them again.

A file is taken for the same if path, device, inode, size and the times of its
last change are. Its owner can set one of these times back (mtime), not the
other (ctime), which renaming and linking change too.

Checks: plain files only, the last part of a path no symbolic link; a file does
not change while it is hashed; a file that was changed within the last two
seconds is not remembered, as it could change once more at the "same" time; a
cache that others can write is not read.
Does not notice: a change by whoever can set the machine's clock, write to the
disk beside the file system, or write the cache itself, which is this same user
and root; a write through a memory map that was written through before, until
the system has put the page on the disk (on tmpfs: ever); two changes in one tick
of the file system's clock. `always=True` trusts no cache; `lease.stored` makes
a file that nobody else can have open.
"""

from __future__ import annotations

import errno
import io
import json
import os
import secrets
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import NamedTuple, TypeAlias

from auzolan.core.record.errors import MalformedError, MissingError, StorageError, VerificationError
from auzolan.core.record.record import is_digest

NAME = "digests.json"
FORMAT = "auzolan-digests/v1"
YOUNG_NS = 2_000_000_000  # no file system in use has coarser times than the two seconds of FAT
MAX_REMEMBERED = 1_024
_MAX_CACHE = 4 * 1024 * 1024

Opener: TypeAlias = "Callable[[Path], io.FileIO]"


class Stamp(NamedTuple):
    """By what a file is taken for the same."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


@dataclass(frozen=True)
class Hashed:
    """A file, its SHA-256, and how it stood when it was hashed."""

    path: Path
    digest: str
    stamp: Stamp

    def open(self) -> io.FileIO:
        """Open the file that was hashed, to read it.

        Raises:
            VerificationError: it is another one now, or was changed.
        """
        stream = open_plain(self.path)
        try:
            check_same(self, stamp_of(stream))
        except VerificationError:
            stream.close()
            raise
        return stream


def stamp_of(file: io.FileIO | Path) -> Stamp:
    """Return how an open file stands now, or what stands at a path, a link itself rather than where it leads."""
    found = os.lstat(file) if isinstance(file, Path) else os.fstat(file.fileno())
    return Stamp(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def check_same(hashed: Hashed, now: Stamp) -> None:
    """Refuse a file that is no longer as it was hashed.

    Raises:
        VerificationError: with what changed.
    """
    if now != hashed.stamp:
        names = ", ".join(name for name, old, new in zip(Stamp._fields, hashed.stamp, now, strict=True) if old != new)
        raise VerificationError(f"{hashed.path}: changed since it was hashed as {hashed.digest[:16]}… ({names})")


def open_plain(path: Path) -> io.FileIO:
    """Open a plain file to read it; its last part may not be a symbolic link.

    Raises:
        MissingError: there is no such file.
        MalformedError: a link, or no plain file.
        StorageError: it cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        raise MissingError(f"{path}: there is no such file") from None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise MalformedError(f"{path}: is a symbolic link; copy the file itself (cp -L)") from None
        raise StorageError(f"cannot read {path}: {error.strerror}") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise MalformedError(f"{path}: is no plain file")
    return io.FileIO(descriptor, "rb")


class Digests:
    """SHA-256 of files, and the memory of them in `folder`.

    Args:
        folder: made if missing, for its owner alone; None remembers nothing.
        always: hash every file each time, and remember nothing.
        now_ns: the clock, nanoseconds since 1970.
        opener: opens a file to read it.
    """

    def __init__(
        self,
        folder: Path | None,
        *,
        always: bool = False,
        now_ns: Callable[[], int] = time.time_ns,
        opener: Opener = open_plain,
    ) -> None:
        self._folder, self._always, self._now_ns, self._opener = folder, always, now_ns, opener
        self._known: dict[str, tuple[Stamp, str]] = _read_cache(folder / NAME) if folder and not always else {}
        self._changed = False

    def of(self, path: Path) -> Hashed:
        """Return a file's digest, from memory if it is the same as then.

        Raises:
            MissingError: there is no such file.
            MalformedError: a symbolic link, or no plain file.
            VerificationError: it changed while it was hashed.
            StorageError: it cannot be read.
        """
        place = os.path.abspath(path)  # not resolved: a link on the way is part of which file it is
        with self._opener(path) as stream:
            before = stamp_of(stream)
            known = self._known.get(place)
            if known and known[0] == before and not self._always:
                return Hashed(path, known[1], before)
            try:
                digest = file_digest(stream, "sha256").hexdigest()
            except OSError as error:
                raise StorageError(f"cannot read {path}: {error.strerror}") from None
            hashed = Hashed(path, digest, before)
            check_same(hashed, stamp_of(stream))
        self._known.pop(place, None)
        if self._now_ns() - max(before.mtime_ns, before.ctime_ns) >= YOUNG_NS:
            self._known[place] = (before, digest)
        self._changed = True
        return hashed

    def save(self) -> None:
        """Write what is remembered, whole or not at all.

        Raises:
            StorageError: it cannot be written; then the next start hashes again, no more.
        """
        if self._folder is None or self._always or not self._changed:
            return
        newest = list(self._known.items())[-MAX_REMEMBERED:]
        entries = {place: [*stamp, digest] for place, (stamp, digest) in newest}
        text = json.dumps({"format": FORMAT, "files": entries}, indent=1, ensure_ascii=True)
        temporary = self._folder / f".{NAME}.{secrets.token_hex(8)}"
        try:
            self._folder.mkdir(0o700, parents=True, exist_ok=True)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as stream:
                stream.write(text)
            os.replace(temporary, self._folder / NAME)
        except OSError as error:
            with suppress(OSError):
                temporary.unlink()
            raise StorageError(f"cannot write {self._folder / NAME}: {error.strerror}") from None
        self._changed = False


def _read_cache(path: Path) -> dict[str, tuple[Stamp, str]]:
    """Return what is remembered; nothing if it is damaged, or others could have written it."""
    try:
        with open_plain(path) as stream:
            found = os.fstat(stream.fileno())
            if found.st_uid != os.geteuid() or found.st_mode & 0o022 or found.st_size > _MAX_CACHE:
                return {}
            value = json.loads(stream.read())
        if value["format"] != FORMAT:
            return {}
        return {place: _entry(fields) for place, fields in value["files"].items()}
    except (MissingError, MalformedError, StorageError, OSError):
        return {}
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return {}


def _entry(fields: list[object]) -> tuple[Stamp, str]:
    *numbers, digest = fields
    whole = [each for each in numbers if type(each) is int]
    if len(whole) != len(Stamp._fields) or len(numbers) != len(whole) or not isinstance(digest, str):
        raise ValueError("an entry of another form")
    if not is_digest(digest):
        raise ValueError("an entry without a digest")
    return Stamp(*whole), digest
