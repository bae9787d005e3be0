"""Edge: files on a disk, written whole and durably.

Each file is written beside its place, flushed, and renamed; then the folders
are flushed. So after a crash at any moment each file is the old or the new
one, and what `write_all` returned from is on the disk.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from auzolan.core.record.errors import MalformedError, MissingError, StorageError, UsageError
from auzolan.core.record.files import MAX_READ_BYTES

_SEGMENT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")


class DiskFiles:
    """Files below `root`; unfinished ones stand in `temporary` on the same disk."""

    def __init__(self, root: Path, temporary: Path | None = None) -> None:
        self.root = root
        self._temporary = temporary or root / "tmp"
        self._serial = 0

    def _place(self, path: str) -> Path:
        if not all(_SEGMENT.fullmatch(part) for part in path.split("/")):
            raise MalformedError(f"path {path[:80]!r} does not stay inside its folder")
        return self.root / path

    def read(self, path: str, limit: int = MAX_READ_BYTES) -> bytes:
        """Return the bytes at `path`; see `files.ReadFiles`."""
        with self._open(path) as descriptor, os.fdopen(os.dup(descriptor), "rb") as stream:
            data = stream.read(limit + 1)
        if len(data) > limit:
            raise MalformedError(f"{path}: larger than {limit:,} bytes")
        return data

    def digest(self, path: str) -> str:
        """Return the SHA-256 of the file at `path`; see `files.ReadFiles`."""
        with self._open(path) as descriptor, os.fdopen(os.dup(descriptor), "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    @contextlib.contextmanager
    def _open(self, path: str) -> Iterator[int]:
        try:
            descriptor = os.open(self._place(path), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        except (FileNotFoundError, NotADirectoryError):
            raise MissingError(f"{path}: not found in {self.root}") from None
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise MalformedError(f"{path}: is a symbolic link; a ledger holds plain files") from None
            raise StorageError(f"cannot read {path}: {error.strerror}") from None
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                # A pipe that somebody holds open would never end.
                raise StorageError(f"cannot read {path}: it is no plain file")
            yield descriptor
        except OSError as error:
            raise StorageError(f"cannot read {path}: {error.strerror}") from None
        finally:
            os.close(descriptor)

    def exists(self, path: str) -> bool:
        """Say whether there is a file at `path`."""
        place = self._place(path)
        return place.is_file() and not place.is_symlink()

    def write_all(self, items: Mapping[str, bytes]) -> None:
        """Write files durably; see `files.Files`."""
        folders: set[Path] = set()
        try:
            for path, data in items.items():
                place = self._place(path)
                self._make_folder(place.parent, folders)
                os.rename(self._write_temporary(data), place)
                folders.add(place.parent)
            for folder in folders:
                _flush_folder(folder)
        except OSError as error:
            raise StorageError(f"cannot write {self.root}: {error.strerror}; nothing was lost") from None

    def _make_folder(self, folder: Path, changed: set[Path]) -> None:
        if folder.is_dir():
            return
        self._make_folder(folder.parent, changed)
        folder.mkdir(exist_ok=True)
        changed.add(folder.parent)

    def _write_temporary(self, data: bytes) -> Path:
        self._temporary.mkdir(parents=True, exist_ok=True)
        self._serial += 1
        place = self._temporary / f"{os.getpid()}-{self._serial}"
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
        except OSError:
            with contextlib.suppress(OSError):
                place.unlink()
            raise
        finally:
            os.close(descriptor)
        return place

    def remove_all(self, paths: Iterable[str]) -> None:
        """Remove files durably, where they are there."""
        folders: set[Path] = set()
        try:
            for path in paths:
                place = self._place(path)
                place.unlink(missing_ok=True)
                folders.add(place.parent)
            for folder in folders:
                if folder.is_dir():
                    _flush_folder(folder)
        except OSError as error:
            raise StorageError(f"cannot remove files in {self.root}: {error.strerror}") from None

    def paths(self, folder: str) -> list[str]:
        """Return the paths of all files below `folder`, sorted."""
        found: list[str] = []
        for base, folders, names in os.walk(self._place(folder)):
            # Others' files, such as .DS_Store, are passed over: no path may name them.
            folders[:] = sorted(filter(_SEGMENT.fullmatch, folders))
            found += [str((Path(base) / name).relative_to(self.root)) for name in names if _SEGMENT.fullmatch(name)]
        return sorted(found)

    def clear_temporary(self) -> int:
        """Remove what interrupted writes left behind; only under the lock. Returns how many."""
        if not self._temporary.is_dir():
            return 0
        left = [place for place in self._temporary.iterdir() if place.is_file()]
        for place in left:
            place.unlink(missing_ok=True)
        return len(left)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def exclusive_lock(path: Path) -> Iterator[None]:
    """Hold an advisory lock on `path`; the system releases it when the process ends, however it ends."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = path.open("ab")
    except OSError as error:
        raise StorageError(f"cannot lock {path}: {error.strerror}") from None
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(f"another auzolan process is writing this commons (lock {path})") from None
        yield
