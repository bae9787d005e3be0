"""Edge: random bytes from the operating system, drawn for many answers at once, because each call of it costs.

They are used once and kept nowhere; one event loop draws.
"""

from __future__ import annotations

import os

_DRAWN = 4096


class Chance:
    """Hands out random bytes, each once."""

    def __init__(self) -> None:
        self._bytes, self._at = b"", 0

    def draw(self, n: int) -> bytes:
        """Return `n` random bytes, at most 4,096."""
        if self._at + n > len(self._bytes):
            self._bytes, self._at = os.urandom(_DRAWN), 0
        start, self._at = self._at, self._at + n
        return self._bytes[start : self._at]
