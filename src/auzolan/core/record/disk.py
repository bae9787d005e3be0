"""Edge: files on a disk, written whole and durably.

Each file is written beside its place, flushed, and renamed; then the folders
are flushed. So after a crash at any moment each file is the old or the new
one, and what `write_all` returned from is on the disk.

Files may come from others, with symbolic links among them: none below the root
is followed. Not covered: somebody who changes folders while they are read.
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
from itertools import takewhile
from pathlib import Path

from auzolan.core.record.errors import MalformedError, MissingError, StorageError, UsageError
from auzolan.core.record.files import MAX_READ_BYTES

_SEGMENT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")


class DiskFiles:
    """Files below `root`; unfinished ones stand in `temporary` on the same disk.

    With `private`, only their owner can read the files and folders made here.
    """

    def __init__(self, root: Path, temporary: Path | None = None, *, private: bool = False) -> None:
        self.root = root
        self._folder_mode, self._file_mode = (0o700, 0o600) if private else (0o777, 0o644)
        self._temporary = temporary or root / "tmp"
        self._serial = 0

    def _place(self, path: str) -> Path:
        if not all(_SEGMENT.fullmatch(part) for part in path.split("/")):
            raise MalformedError(f"path {path[:80]!r} does not stay inside its folder")
        return self.root / path

    def _link_above(self, path: str) -> Path | None:
        """Return the first folder between the root and `path` that is a symbolic link."""
        folder = self.root
        for part in path.split("/")[:-1]:
            folder = folder / part
            try:
                if stat.S_ISLNK(os.lstat(folder).st_mode):
                    return folder
            except (FileNotFoundError, NotADirectoryError):
                return None
        return None

    def _plain_place(self, path: str) -> Path:
        """Return the place of `path`; refuse one behind a symbolic link."""
        place = self._place(path)
        if link := self._link_above(path):
            raise _is_link(str(link.relative_to(self.root)))
        return place

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
            descriptor = os.open(self._plain_place(path), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        except (FileNotFoundError, NotADirectoryError):
            raise MissingError(f"{path}: not found in {self.root}") from None
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise _is_link(path) from None
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
        try:
            return self._link_above(path) is None and stat.S_ISREG(os.lstat(place).st_mode)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise StorageError(f"cannot read {path}: {error.strerror}") from None

    def write_all(self, items: Mapping[str, bytes]) -> None:
        """Write files durably; see `files.Files`."""
        changed: set[Path] = set()
        plain: set[Path] = set()
        try:
            for path, data in items.items():
                place = self._place(path)
                self._make_folder(place.parent, plain, changed)
                os.rename(self._write_temporary(data, plain), place)
                changed.add(place.parent)
            for folder in changed:
                _flush_folder(folder)
        except OSError as error:
            raise StorageError(f"cannot write {self.root}: {error.strerror}; nothing was lost") from None

    def _make_folder(self, folder: Path, plain: set[Path], changed: set[Path]) -> None:
        """Make a folder from the root on; those in `plain` are known to be there and no symbolic links."""
        if folder in plain:
            return
        if folder == self.root:
            self._make_root(changed)
        else:
            self._make_folder(folder.parent, plain, changed)
            if folder.is_symlink():
                raise _is_link(str(folder.relative_to(self.root)))
            if not folder.is_dir():
                folder.mkdir(self._folder_mode, exist_ok=True)
                changed.add(folder.parent)
        plain.add(folder)

    def _make_root(self, changed: set[Path]) -> None:
        missing = list(takewhile(lambda folder: not folder.is_dir(), (self.root, *self.root.parents)))
        for folder in reversed(missing):
            folder.mkdir(self._folder_mode if folder == self.root else 0o777, exist_ok=True)
            changed.add(folder.parent)

    def _write_temporary(self, data: bytes, plain: set[Path]) -> Path:
        if self._temporary not in plain:
            self._check_temporary()
            self._temporary.mkdir(0o700, parents=True, exist_ok=True)
            plain.add(self._temporary)
        place, descriptor = self._open_temporary()
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

    def _open_temporary(self) -> tuple[Path, int]:
        """Open a new file; a name that something has already, left behind or brought along, is passed over."""
        while True:
            self._serial += 1
            place = self._temporary / f"{os.getpid()}-{self._serial}"
            with contextlib.suppress(FileExistsError):
                return place, os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, self._file_mode)

    def _check_temporary(self) -> None:
        if self._temporary.is_symlink():
            raise _is_link(str(self._temporary))

    def remove_all(self, paths: Iterable[str]) -> None:
        """Remove files durably, where they are there."""
        folders: set[Path] = set()
        try:
            for path in paths:
                place = self._plain_place(path)
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
        top = self._place(folder)
        if top.is_symlink() or self._link_above(folder):
            return []
        for base, folders, names in os.walk(top):  # which does not descend into linked folders
            # Others' files, such as .DS_Store, are passed over: no path may name them.
            folders[:] = sorted(filter(_SEGMENT.fullmatch, folders))
            places = [Path(base) / name for name in names if _SEGMENT.fullmatch(name)]
            found += [str(place.relative_to(self.root)) for place in places if not place.is_symlink()]
        return sorted(found)

    def clear_temporary(self) -> int:
        """Remove what interrupted writes left behind; only under the lock. Returns how many."""
        self._check_temporary()
        if not self._temporary.is_dir():
            return 0
        left = [place for place in self._temporary.iterdir() if place.is_file()]
        for place in left:
            place.unlink(missing_ok=True)
        return len(left)


def _is_link(path: str) -> MalformedError:
    return MalformedError(f"{path}: is a symbolic link; a ledger holds plain files")


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
        path.parent.mkdir(0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StorageError(f"cannot lock {path}: {error.strerror}") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(f"another auzolan process is writing this commons (lock {path})") from None
        yield
    finally:
        os.close(descriptor)
