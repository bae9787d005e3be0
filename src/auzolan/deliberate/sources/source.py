"""Edge: the outside files of a conversation, as named streams with bounds.

A source is a folder, a zip of such a folder (perhaps with one top folder
inside), or a single file. Nothing is unpacked to disk.

Checks: plain files only (no device, pipe or socket, which might never end);
a line of at most `MAX_LINE` bytes, refused without reading on; a file of at
most `MAX_FILE`. In a zip: at most `MAX_MEMBERS` members, together at most
`MAX_TOTAL` bytes, counted while they are read and never as the header says;
no member that grows more than `MAX_GROWTH`-fold beyond its first `FREE_GROWTH`
bytes; stored or deflated, not encrypted, no links; no absolute name, `..`,
backslash or name that comes twice.
Does not check: what is in the files. Links inside a folder are followed: the
folder is the user's own. Files that nobody asks for are not opened. What
operating systems hide in a zip (`__MACOSX/`, names that begin with a dot) is
passed over.
"""

from __future__ import annotations

import io
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import IO, Protocol

from auzolan.core.record.errors import AuzolanError, MalformedError, MissingError, StorageError, UsageError

MAX_LINE = 2**20
MAX_FILE = 4 * 2**30
MAX_WHOLE = 64 * 2**20  # JSON is read at once and takes many times its size in memory
MAX_MEMBERS = 64
MAX_TOTAL = 2 * 2**30
MAX_GROWTH = 200
FREE_GROWTH = 10 * 2**20
_CHUNK = 2**16
_MAX_DIRECTORY = 2**20

AnyPath = str | os.PathLike[str]
# How files of office programs begin (Excel's before 2007), or what they hold (Excel's since, and OpenDocument's).
_OFFICE_START, _OFFICE_MEMBERS = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ("[Content_Types].xml", "META-INF/manifest.xml")
_BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, NotImplementedError, OverflowError)


class _Reads(Protocol):
    """What a member is read from."""

    def read(self, n: int = -1, /) -> bytes:
        """Return at most n bytes."""
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...


class Source:
    """The members of a source, opened by name.

    Attributes:
        name: of the folder, zip or file, without the folders above it.
        members: names, sorted; in a single file its own.
        is_single: whether the source is one file.
    """

    def __init__(self, name: str, openers: dict[str, Callable[[], IO[bytes]]], is_single: bool = False) -> None:
        self.name = name
        self.is_single = is_single
        self._openers = openers

    @property
    def members(self) -> tuple[str, ...]:
        """Names of what can be opened."""
        return tuple(sorted(self._openers))

    def lines(self, member: str) -> Iterator[bytes]:
        """Yield the lines of a member with their ends.

        Raises:
            MalformedError: a line or the file is too long, or a zip breaks a bound.
            MissingError: there is no such member.
        """
        with self._opened(member) as stream:
            for number, line in enumerate(iter(partial(stream.readline, MAX_LINE + 1), b""), start=1):
                if len(line) > MAX_LINE:
                    raise MalformedError(f"{member}, line {number:,}: the line is longer than {MAX_LINE:,} bytes")
                yield line

    def whole(self, member: str, limit: int = MAX_WHOLE) -> bytes:
        """Return all bytes of a member.

        Raises:
            MalformedError: there are more than `limit`, or a zip breaks a bound.
            MissingError: there is no such member.
        """
        with self._opened(member) as stream:
            data = stream.read(limit + 1)
        if len(data) > limit:
            raise MalformedError(f"{member}: larger than {limit:,} bytes, the most that is read of such a file")
        return data

    @contextmanager
    def _opened(self, member: str) -> Iterator[IO[bytes]]:
        if member not in self._openers:
            raise MissingError(f"{self.name} has no {member}")
        try:
            with self._openers[member]() as stream:
                yield stream
        except AuzolanError:
            raise
        except OSError as error:
            raise StorageError(f"cannot read {member}: {error.strerror or 'input/output error'}") from None
        except _BROKEN_ZIP:
            raise MalformedError(f"{self.name}: {member} is damaged in the zip") from None


@contextmanager
def open_source(path: AnyPath) -> Iterator[Source]:
    """Open a folder, a zip or a single file.

    Raises:
        UsageError: it cannot be opened, or is neither; or it is a file of an office program.
        MalformedError: a zip that is damaged or breaks a bound.
    """
    place = os.fspath(path)
    name = os.path.basename(os.path.normpath(place)) or place
    if os.path.isdir(place):
        yield _open_folder(place, name)
        return
    with _open_plain(place) as stream:
        start = stream.peek(8)
        if start[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
            with _open_zip(stream, name) as archive:
                if not set(_OFFICE_MEMBERS).isdisjoint(archive.NameToInfo):
                    raise _of_office(name)
                yield _read_directory(archive, name)
        elif start[:8] == _OFFICE_START:
            raise _of_office(name)
        elif name.lower().endswith(".zip"):
            raise MalformedError(f"{name} is named a zip but is none")
        else:
            yield Source(name, {name: lambda: _bounded(_open_plain(place), name)}, is_single=True)


def _of_office(name: str) -> UsageError:
    return UsageError(f"{name} is a file of an office program; export it as CSV or JSON instead, or save it as CSV")


def _open_plain(place: str) -> io.BufferedReader:
    try:
        stream = open(place, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK))  # noqa: SIM115
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {place}: {getattr(error, 'strerror', None) or 'no possible name'}") from None
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        stream.close()
        raise UsageError(f"cannot read {place}: it is no plain file")
    return stream


def _open_folder(place: str, name: str) -> Source:
    try:
        names = [entry.name for entry in os.scandir(place) if not entry.is_dir()]
    except OSError as error:
        raise UsageError(f"cannot read {place}: {error.strerror}") from None

    def opener(member: str) -> Callable[[], IO[bytes]]:
        return lambda: _bounded(_open_plain(os.path.join(place, member)), member)

    return Source(name, {member: opener(member) for member in names})


class _Counted(io.RawIOBase):
    """A stream that calls `check` with how many bytes it has given, before it gives them."""

    def __init__(self, stream: _Reads, check: Callable[[int], None]) -> None:
        self._stream = stream
        self._check = check
        self._given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._stream.read(min(len(buffer), _CHUNK))
        self._given += len(data)
        self._check(self._given)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()


def _bounded(stream: IO[bytes], member: str) -> IO[bytes]:
    def check(given: int) -> None:
        if given > MAX_FILE:
            raise MalformedError(f"{member}: larger than {MAX_FILE:,} bytes")

    return io.BufferedReader(_Counted(stream, check), _CHUNK)


class _ShortReads:
    """The file under a zip: counts what is read of it, and reads no long stretch at once.

    The list of members is read in one stretch, so a list of millions is refused before it fills the memory.
    """

    def __init__(self, stream: io.BufferedReader) -> None:
        self._stream = stream
        self.taken = 0
        self.seek, self.tell, self.seekable = stream.seek, stream.tell, stream.seekable

    def read(self, n: int = -1) -> bytes:
        data = self._stream.read(n if 0 <= n <= _MAX_DIRECTORY else _MAX_DIRECTORY + 1)
        if len(data) > _MAX_DIRECTORY:
            raise MalformedError(f"the zip's list of members is larger than {_MAX_DIRECTORY:,} bytes")
        self.taken += len(data)
        return data


class _Archive(zipfile.ZipFile):
    """A zip and the counts of what has been read of it."""

    def __init__(self, under: _ShortReads) -> None:
        self.under = under
        self.grown: dict[str, int] = {}
        super().__init__(under)


@contextmanager
def _open_zip(stream: io.BufferedReader, name: str) -> Iterator[_Archive]:
    try:
        archive = _Archive(_ShortReads(stream))
    except (*_BROKEN_ZIP, OSError):
        raise MalformedError(f"{name}: the zip is damaged") from None
    with archive:
        yield archive


def _read_directory(archive: _Archive, name: str) -> Source:
    infos = archive.infolist()
    if len(infos) > MAX_MEMBERS:
        raise MalformedError(f"{name}: {len(infos):,} members in the zip, at most {MAX_MEMBERS} are read")
    for number, info in enumerate(infos, start=1):
        _check_member(info, f"{name}, member {number} of the zip")
    files = [info for info in infos if not info.is_dir() and not _is_hidden(info.filename)]
    tops = {info.filename.partition("/")[0] for info in files if "/" in info.filename}
    top = f"{tops.pop()}/" if len(tops) == 1 and all("/" in info.filename for info in files) else ""
    openers: dict[str, Callable[[], IO[bytes]]] = {}
    for info in files:
        member = info.filename.removeprefix(top)
        if member in openers:
            raise MalformedError(f"{name}: two members of the zip are called {member[:80]!a}")
        openers[member] = partial(_open_member, archive, info, member)
    return Source(name, openers)


def _is_hidden(path: str) -> bool:
    return path.startswith("__MACOSX/") or path.rpartition("/")[2].startswith(".")


def _check_member(info: zipfile.ZipInfo, where: str) -> None:
    parts = info.filename.removesuffix("/").split("/")
    if "\\" in info.filename or ":" in info.filename or any(part in ("", ".", "..") for part in parts):
        raise MalformedError(f"{where}: its name is absolute or leads out of the folder")
    if info.flag_bits & 0x41:  # bit 0: encrypted; bit 6: strongly encrypted
        raise MalformedError(f"{where}: it is encrypted")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise MalformedError(f"{where}: it is compressed by a method other than deflate")
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise MalformedError(f"{where}: it is no plain file")


def _open_member(archive: _Archive, info: zipfile.ZipInfo, member: str) -> IO[bytes]:
    """Open a member; its growth is measured against what was truly taken from the zip for it."""
    try:
        stream = archive.open(info)
    except RuntimeError:  # zipfile says so where the local header, unlike the list, calls it encrypted
        raise MalformedError(f"{member}: it is encrypted in the zip") from None
    metered = _Metered(stream, archive.under)

    def check(given: int) -> None:
        archive.grown[member] = max(given, archive.grown.get(member, 0))
        if sum(archive.grown.values()) > MAX_TOTAL:
            raise MalformedError(f"{member}: the zip holds more than {MAX_TOTAL:,} bytes")
        if given - FREE_GROWTH > MAX_GROWTH * metered.taken:
            raise MalformedError(f"{member}: it grows more than {MAX_GROWTH}-fold; such a zip is made to do harm")

    return io.BufferedReader(_Counted(metered, check), _CHUNK)


class _Metered:
    """A member of a zip that knows how many bytes of the zip it has used."""

    def __init__(self, stream: _Reads, under: _ShortReads) -> None:
        self._member = stream
        self._under = under
        self.taken = 0

    def read(self, n: int = -1) -> bytes:
        before = self._under.taken
        data = self._member.read(n)
        self.taken += self._under.taken - before
        return data

    def close(self) -> None:
        self._member.close()
