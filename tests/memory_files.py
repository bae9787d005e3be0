"""Files in memory: the `Files` seam for tests, with a copy for "the disk at that moment"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256

from auzolan.core.record.errors import MalformedError, MissingError
from auzolan.core.record.files import MAX_READ_BYTES


class MemoryFiles:
    """A dictionary that behaves like `DiskFiles`."""

    def __init__(self, content: Mapping[str, bytes] | None = None) -> None:
        self.content: dict[str, bytes] = dict(content or {})

    def read(self, path: str, limit: int = MAX_READ_BYTES) -> bytes:
        try:
            data = self.content[path]
        except KeyError:
            raise MissingError(f"{path}: not found in memory") from None
        if len(data) > limit:
            raise MalformedError(f"{path}: larger than {limit} bytes")
        return data

    def digest(self, path: str) -> str:
        return sha256(self.read(path, len(self.content.get(path, b"")))).hexdigest()

    def exists(self, path: str) -> bool:
        return path in self.content

    def write_all(self, items: Mapping[str, bytes]) -> None:
        self.content.update(items)

    def remove_all(self, paths: Iterable[str]) -> None:
        for path in paths:
            self.content.pop(path, None)

    def paths(self, folder: str) -> list[str]:
        return sorted(path for path in self.content if path.startswith(folder + "/"))

    def copy(self) -> MemoryFiles:
        return MemoryFiles(self.content)
