"""Edge: the files that the engine loads, held open, so that what was checked is what is read.

Each file is opened once, before the first start, and every start (also the one
after a crash) reads through that same descriptor: a file that is swapped under
its name changes nothing. A file that is written to in place is noticed by its
times and size (`OpenFiles.check`), which is all that is compared here; its
digest, admission has compared before.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import stat
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from auzolan.core.record.errors import MissingError, StorageError, VerificationError
from auzolan.run.engine.upstream import MILLI

Identity = tuple[int, ...]


@dataclass(frozen=True)
class EngineFile:
    """A GGUF file that admission has let in.

    Attributes:
        name: of an adapter, as requests will name it (the id of its record); of the model, anything.
        path: where it is.
        digest: SHA-256 of it, as admission found it.
        scale_milli: how strongly an adapter is added, in thousandths.
        descriptor: of the file, if whoever hashed it holds it open; it is duplicated here. -1 opens the path, and then
            only `identity` tells whether it is still what was hashed.
        identity: as `identity_of` gave it when it was hashed; () does not compare it.
    """

    name: str
    path: str
    digest: str
    scale_milli: int = MILLI
    descriptor: int = -1
    identity: Identity = ()


class Program(NamedTuple):
    """llama.cpp as it is installed here.

    Attributes:
        version: of the package.
        folder: of the package, to be seen by the child.
        library: path of its one shared library, whose SHA-256 is the engine's digest.
    """

    version: str
    folder: str
    library: str

    @property
    def parts(self) -> tuple[str, ...]:
        """Return what follows the folder's name in those of its parts: wheels may keep libraries in one beside it."""
        return ("", ".libs") if os.path.isdir(f"{self.folder}.libs") else ("",)


def find_program() -> Program:
    """Find the engine's package without importing it.

    Raises:
        MissingError: it is not installed.
    """
    found = importlib.util.find_spec("xllamacpp")
    if found is None or not found.origin:
        raise MissingError("llama.cpp is not installed: pip install 'auzolan[engine]'")
    folder = os.path.realpath(os.path.dirname(found.origin))
    libraries = sorted(each for each in os.listdir(folder) if each.endswith((".so", ".pyd")))
    if len(libraries) != 1:
        raise MissingError(f"{folder}: expected llama.cpp's one shared library, found {len(libraries)}")
    version = importlib.metadata.version("xllamacpp")
    return Program(f"xllamacpp {version}", folder, os.path.join(folder, libraries[0]))


def digest_of_program(program: Program) -> str:
    """Return the SHA-256 of the engine's library: 0.1 s or more, so keep it.

    Raises:
        StorageError: it cannot be read.
    """
    try:
        with open(program.library, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise StorageError(f"{program.library}: {error.strerror}") from None


def identity_of(descriptor: int) -> Identity:
    """Return what changes when a file's bytes do: device, inode, size, and the times of change in nanoseconds."""
    found = os.fstat(descriptor)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


class OpenFiles:
    """Files of one engine, held open from the first start to the last stop."""

    def __init__(self, files: Sequence[EngineFile]) -> None:
        """Open them.

        Raises:
            StorageError: one cannot be opened, or is no regular file.
            VerificationError: one is not the file that was hashed.
        """
        self._files = tuple(files)
        self.descriptors: list[int] = []
        self._identities: list[Identity] = []
        try:
            for each in self._files:
                self._open(each)
        except BaseException:
            self.close()
            raise

    def _open(self, file: EngineFile) -> None:
        try:
            if file.descriptor >= 0:
                descriptor = os.dup(file.descriptor)
            else:  # not blocking, so that a FIFO under this name cannot hold the start up
                descriptor = os.open(file.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            raise StorageError(f"{file.path}: {error.strerror}") from None
        self.descriptors.append(descriptor)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise StorageError(f"{file.path}: is not a regular file")
        identity = identity_of(descriptor)
        if file.identity and identity != file.identity:
            raise VerificationError(f"{file.path}: was changed after it was checked; it is not loaded")
        self._identities.append(identity)

    @property
    def size(self) -> int:
        """Return how many bytes they have together."""
        return sum(identity[2] for identity in self._identities)

    def outside(self) -> list[str]:
        """Return a path for each that leads to the open file itself, for a process that inherits the descriptors."""
        if sys.platform != "linux":
            return [each.path for each in self._files]  # there, a file that is swapped before a start is not noticed
        return [f"/proc/self/fd/{each}" for each in self.descriptors]

    def check(self) -> None:
        """Check that none was written to since it was opened. Costs a few microseconds.

        Raises:
            VerificationError: one was.
        """
        for file, descriptor, identity in zip(self._files, self.descriptors, self._identities, strict=True):
            now = identity_of(descriptor)
            if now[:4] != identity[:4]:
                raise VerificationError(f"{file.path}: was changed while it was loaded")

    def close(self) -> None:
        """Close them."""
        while self.descriptors:
            os.close(self.descriptors.pop())
