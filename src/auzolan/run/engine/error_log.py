"""The last lines that the engine's child wrote on its standard error, and never a person's text among them.

While it loads, it has seen no request, and its lines are kept as they are.
Afterwards a line may quote what was asked (parsers do), so only lines of a few
fixed forms are kept, those that say why a program broke off; others are counted.
"""

from __future__ import annotations

import re
from collections import deque

MAX_LINES = 40
MAX_CHARACTERS = 300
_SAFE = re.compile(
    r"\S{1,120}:\d{1,6}: GGML_ASSERT\([^)]{1,160}\) failed"
    r"|terminate called (after throwing an instance of '[\w:]{1,80}'|without an active exception|recursively)"
)


class ErrorLog:
    """Keeps what may be kept; owned by the one who reads the child's output."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=MAX_LINES)
        self._rest = b""
        self._passing_over = False
        self.not_kept = 0

    @property
    def lines(self) -> tuple[str, ...]:
        """Return the lines that were kept, oldest first."""
        return tuple(self._lines)

    def feed(self, data: bytes, *, loading: bool) -> None:
        """Take output as it comes, in pieces of any size.

        Args:
            data: what was written.
            loading: whether no request can have been seen yet.
        """
        *whole, rest = (self._rest + data).split(b"\n")
        for line in whole:
            if self._passing_over:  # the end of a line too long to hold
                self._passing_over = False
                continue
            self._keep(line, loading)
        if len(rest) > 4 * MAX_CHARACTERS:
            if not self._passing_over:
                self._keep(rest, loading)
            self._passing_over, rest = True, b""
        self._rest = rest

    def _keep(self, line: bytes, loading: bool) -> None:
        text = "".join(each if each.isprintable() else "?" for each in line.decode(errors="replace"))
        if loading:
            if text.strip():
                self._lines.append(text[:MAX_CHARACTERS])
            return
        found = _SAFE.match(text)
        if found:
            self._lines.append(found.group())
        else:
            self.not_kept += 1
