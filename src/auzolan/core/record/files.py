"""The one seam to storage: files under a root, named by relative paths.

`tilelog`, `ledger` and `verify` see only these protocols. `disk.DiskFiles` is
the real one, `web.WebFiles` reads a published ledger, and the tests have an
in-memory one that fails, forgets and crashes on purpose.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

MAX_READ_BYTES = 16 * 1024 * 1024


class ReadFiles(Protocol):
    """Files that can be read."""

    def read(self, path: str, limit: int = MAX_READ_BYTES) -> bytes:
        """Return the bytes at `path`.

        Raises:
            MissingError: there is no such file.
            MalformedError: it is larger than `limit` bytes.
        """
        ...

    def digest(self, path: str) -> str:
        """Return the SHA-256 of the bytes at `path` in hexadecimal, of any size.

        Raises:
            MissingError: there is no such file.
        """
        ...


class Files(ReadFiles, Protocol):
    """Files that can be read and written durably."""

    def write_all(self, items: Mapping[str, bytes]) -> None:
        """Write files so that each is whole or untouched, and all are durable on return.

        In which order they become durable is not said; callers that need an
        order call twice.

        Raises:
            StorageError: some could not be written; others may have been.
        """
        ...

    def exists(self, path: str) -> bool:
        """Say whether there is a file at `path`."""
        ...

    def remove_all(self, paths: Iterable[str]) -> None:
        """Remove the files at `paths` that are there; durable on return."""
        ...

    def paths(self, folder: str) -> list[str]:
        """Return the paths of all files below `folder`, sorted."""
        ...
