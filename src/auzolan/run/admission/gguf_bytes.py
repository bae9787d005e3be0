"""Reading numbers and texts out of a GGUF header one after the other, each length checked before it is read.

A window of the stream is held, so that a header of a million short texts costs
no million reads.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

from auzolan.core.record.errors import MalformedError

MAX_HEADER = 512 * 1024 * 1024
_WINDOW = 1024 * 1024
_LENGTH = struct.Struct("<Q")


class HeaderBytes:
    """The bytes of a header, from the start of a stream.

    Args:
        stream: the file; read from wherever it stands, so at its start.
        size: of the file, in bytes.
        what: how to call it in errors.
    """

    def __init__(self, stream: BinaryIO, size: int, what: str) -> None:
        self.size, self.what = min(size, MAX_HEADER), what
        self._stream, self._window, self._at = stream, b"", 0
        self._start = 0  # of the window, in the file

    @property
    def position(self) -> int:
        """The file's next byte."""
        return self._start + self._at

    def refuse(self, why: str) -> MalformedError:
        """Return an error that says where."""
        return MalformedError(f"{self.what}: at byte {self.position:,}: {why}")

    def take(self, n_bytes: int) -> bytes:
        """Return the next bytes; for no more than fit in memory with ease."""
        self._have(n_bytes)
        self._at += n_bytes
        return self._window[self._at - n_bytes : self._at]

    def number(self, layout: struct.Struct) -> int | float:
        """Return the next number."""
        value: int | float = layout.unpack(self.take(layout.size))[0]
        return value

    def whole(self, layout: struct.Struct) -> int:
        """Return the next whole number."""
        return int(self.number(layout))

    def length(self, most: int, of: str) -> int:
        """Return the next length or count, which must not be over `most`."""
        found: int = _LENGTH.unpack(self.take(_LENGTH.size))[0]
        if found > most:
            raise self.refuse(f"{of} of {found:,}, at most {most:,}")
        return found

    def skip(self, n_bytes: int) -> None:
        """Pass over bytes."""
        if n_bytes > self.size - self.position:
            raise self.refuse(f"{n_bytes:,} bytes are told of, the file or what is read of it ends before")
        while n_bytes:
            step = min(n_bytes, _WINDOW)
            self.take(step)
            n_bytes -= step

    def skip_texts(self, count: int, most: int) -> None:
        """Pass over texts, each with its length before it."""
        for _ in range(count):
            # As `length` and `skip`, without calls where the window holds it all: there may be a million of them.
            at = self._at
            if at + _LENGTH.size <= len(self._window):
                end = at + _LENGTH.size + _LENGTH.unpack_from(self._window, at)[0]
                if end <= len(self._window) and end - at <= most:
                    self._at = end
                    continue
            self.skip(self.length(most, "a text"))

    def _have(self, n_bytes: int) -> None:
        if len(self._window) - self._at >= n_bytes:
            return
        if n_bytes > self.size - self.position:
            raise self.refuse(f"{n_bytes:,} bytes are expected, the file or what is read of it ends before")
        left = self._window[self._at :]
        self._start += self._at
        self._at = 0
        parts, have = [left], len(left)
        while have < n_bytes:
            part = self._stream.read(max(_WINDOW, n_bytes - have))
            if not part:
                raise self.refuse("the file ends before it should")
            parts.append(part)
            have += len(part)
        self._window = b"".join(parts)
