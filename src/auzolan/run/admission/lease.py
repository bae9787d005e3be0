"""Edge: the file that the engine gets is the one that was hashed, and stays so while it runs.

A pinned file is held open, so that its inode lives on when its name is given
to another file. `still_same` costs one call of the system per file: it
compares what the name stands for now with what was hashed. To rename another file there and
back shows as well, since renaming changes a file's ctime.

`stored` copies into a folder of the owner's alone, hashing what it writes, so
that other users of the machine cannot change what runs. Files are named by
what they hold: `<digest><suffix>`, 0400.

Does not notice: what `digests` does not. A file in place can be written by
whoever has it open for that already, which `stored` and `derived` rule out but
for this same user.
"""

from __future__ import annotations

import fcntl
import io
import os
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from auzolan.core.kinds.dataset import digest_of_files
from auzolan.core.record.errors import AuzolanError, StorageError, VerificationError
from auzolan.core.record.record import check_digest
from auzolan.run.admission.digests import Digests, Hashed, check_same, open_plain, stamp_of
from auzolan.run.admission.gguf_file import read_gguf

_CHUNK = 1024 * 1024
_DIGEST_LENGTH = 64
_UNFINISHED = ".new"


@dataclass(frozen=True, eq=False)
class Pinned:
    """A file that is held open since it was compared; whoever pins it closes it.

    Attributes:
        hashed: path, digest, and how it stood.
        stream: the open file, read-only.
    """

    hashed: Hashed
    stream: io.FileIO

    @property
    def path(self) -> Path:
        """Where it stands."""
        return self.hashed.path

    @property
    def descriptor(self) -> int:
        """Of the open file: what is read from it is what was hashed."""
        return self.stream.fileno()

    def close(self) -> None:
        """Let go of it."""
        self.stream.close()


def pinned(path: Path, digest: str, digests: Digests) -> Pinned:
    """Hold a file open that has this digest.

    Raises:
        VerificationError: it has another digest, or changed meanwhile.
        MissingError: there is no such file.
        MalformedError: a symbolic link, or no plain file.
        StorageError: it cannot be read.
    """
    hashed = digests.of(path)
    _check(hashed, digest)
    return Pinned(hashed, hashed.open())


def pin(hashed: Hashed) -> Pinned:
    """Hold a file open that was hashed already.

    Raises:
        VerificationError: it changed since.
    """
    return Pinned(hashed, hashed.open())


def pin_all(files: Iterable[Hashed]) -> tuple[Pinned, ...]:
    """Hold files open that were hashed already; all of them, or none.

    Raises:
        VerificationError: one changed since.
    """
    with ExitStack() as held:
        found = tuple(held.enter_context(closing(pin(each))) for each in files)
        held.pop_all()
    return found


def still_same(files: Iterable[Pinned]) -> None:
    """Refuse to go on with a file that was changed, or whose name stands for another one.

    Call it once an engine has opened its files and before it is asked anything,
    then again and again. bubblewrap (0.8) takes `/proc/self/fd/N` for the name
    that the link shows: where the file was replaced, that is "NAME (deleted)",
    which somebody else can make. Then the descriptor is as it was, the name not.

    Raises:
        VerificationError: with the file, and what changed.
    """
    for each in files:
        try:
            now = stamp_of(each.path)
        except OSError:
            raise VerificationError(f"{each.path}: is gone since it was hashed") from None
        check_same(each.hashed, now)


def stored(file: Pinned, folder: Path, digests: Digests, suffix: str = ".gguf") -> Pinned:
    """Return the file's copy in a folder of this user's alone, which is made unless it is there.

    Raises:
        VerificationError: what was copied, or what is there, has another digest; or others can write the folder.
        StorageError: it cannot be written; nothing is left behind.
    """
    place = folder / f"{file.hashed.digest}{suffix}"
    with _alone_in(folder):
        if not os.path.lexists(place):
            _write(place, lambda temporary: _copy(file, temporary))
    return pinned(place, file.hashed.digest, digests)


def derived(
    sources: Mapping[str, str],
    maker: str,
    make: Callable[[Path], None],
    folder: Path,
    digests: Digests,
    held: Iterable[Pinned] = (),
) -> Pinned:
    """Return a GGUF that was made here of files whose digests were compared, making it unless it is there.

    Its digest is written beside it in a folder of this user's alone, and
    compared at every later start. That `make` makes what it should, nothing
    here can show; its name and version belong in `maker`.

    Args:
        sources: name -> SHA-256 of all that it is made of.
        maker: what makes it, with its version and settings; another one makes another file.
        make: writes the file; the same sources must give the same bytes.
        folder: where it is kept.
        digests: remembers what was hashed.
        held: the files that it is made of, which must not change meanwhile.

    Raises:
        VerificationError: what is there is not what was made, one of `held` changed, or others can write the folder.
        MalformedError: what was made is no sound GGUF.
        StorageError: it cannot be written; nothing is left behind.
    """
    key = digest_of_files(dict(sources) | {"maker": sha256(maker.encode()).hexdigest()})
    place = folder / f"made-{key}.gguf"
    note = place.with_suffix(".sha256")
    with _alone_in(folder):
        if os.path.lexists(place) and os.path.lexists(note):
            found = pinned(place, _read_note(note), digests)
        else:
            _write(place, lambda temporary: _made(make, temporary, held))
            hashed = digests.of(place)
            _write(note, lambda temporary: temporary.write_text(f"{hashed.digest}\n", encoding="ascii"))
            found = pin(hashed)
    try:
        with open(os.dup(found.descriptor), "rb") as whole:
            read_gguf(whole, found.hashed.stamp.size, str(place))
            whole.seek(0)  # the two descriptors share their place in the file
    except AuzolanError:
        found.close()
        raise
    return found


def _read_note(note: Path) -> str:
    with open_plain(note) as stream:
        return check_digest(stream.read(_DIGEST_LENGTH).decode("ascii", "replace"), str(note))


def _made(make: Callable[[Path], None], temporary: Path, held: Iterable[Pinned]) -> None:
    make(temporary)
    still_same(held)


def _check(hashed: Hashed, digest: str) -> None:
    if hashed.digest != digest:
        raise VerificationError(f"{hashed.path}: got {hashed.digest[:16]}…, expected {digest[:16]}…")


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, made if missing; so what is unfinished in it was left by somebody who was killed."""
    try:
        folder.mkdir(0o700, parents=True, exist_ok=True)
        found = os.lstat(folder)
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
            raise VerificationError(f"{folder}: expected a folder of this user's that nobody else can write")
        lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StorageError(f"cannot make {folder}: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in folder.glob(f".*{_UNFINISHED}"):
            left.unlink()
        yield
    finally:
        os.close(lock)


def _write(place: Path, fill: Callable[[Path], object]) -> None:
    """Write a file whole or not at all, for its owner to read."""
    temporary = place.with_name(f".{secrets.token_hex(8)}{_UNFINISHED}")
    try:
        fill(temporary)
        with open(temporary, "rb") as stream:
            os.fchmod(stream.fileno(), 0o400)
            os.fsync(stream.fileno())
        os.replace(temporary, place)
    except OSError as error:
        raise StorageError(f"cannot write {place}: {error.strerror}") from None
    finally:
        with suppress(OSError):
            temporary.unlink()


def _copy(file: Pinned, temporary: Path) -> None:
    """Copy from the open file, hashing what is written."""
    digest, at = sha256(), 0
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        while part := os.pread(file.descriptor, _CHUNK, at):
            digest.update(part)
            stream.write(part)
            at += len(part)
    _check(replace(file.hashed, digest=digest.hexdigest()), file.hashed.digest)
