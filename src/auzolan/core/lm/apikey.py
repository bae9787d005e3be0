"""Edge: the key that a server asks for, from an environment variable or a file.

Never from an argument, which other users of the machine can read. What shows a
key (`repr`, an error) shows that there is one, not which; messages do not even
repeat the name of the variable or file, in case somebody gave the key there.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from auzolan.core.record.errors import MalformedError, MissingError, StorageError, UsageError

_MAX_BYTES = 4096
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TEXT = re.compile(r"[\x21-\x7e]+")
_WINDOW = 8
_SECRET = 16  # shorter ones are fillers, such as the "EMPTY" that vLLM's manual suggests


class ApiKey:
    """A key that does not show itself."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        # Also keeps line breaks out of the header that carries it.
        if not _TEXT.fullmatch(text):
            raise MalformedError("API key: expected printable ASCII without spaces, in one line")
        self._text = text

    def __repr__(self) -> str:
        return "ApiKey(hidden)"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("an API key is not copied or stored")

    def header(self) -> str:
        """Return the value of the `Authorization` header: the one place where the key goes."""
        return f"Bearer {self._text}"

    def is_repeated_in(self, data: bytes) -> bool:
        """Say whether a server's answer holds the key itself; keys too short to be secret are not looked for."""
        return len(self._text) >= _SECRET and self._text.encode() in data

    def is_hinted_in(self, text: str) -> bool:
        """Say whether any eight characters in a row of the key are in a text."""
        starts = range(max(1, len(self._text) - _WINDOW + 1))
        return any(self._text[start : start + _WINDOW] in text for start in starts)


def key_from_environment(name: str) -> ApiKey:
    """Return the key in the environment variable `name`.

    Raises:
        UsageError: that is no name of a variable.
        MissingError: it is not set.
    """
    if not _VARIABLE.fullmatch(name):
        raise UsageError("API key: expected the NAME of an environment variable (letters, digits and _), not a key")
    text = os.environ.get(name, "").strip()
    if not text:
        raise MissingError("API key: the environment variable that was named for it is not set")
    return ApiKey(text)


def key_from_file(path: Path) -> ApiKey:
    """Return the key that is all there is in a file.

    Raises:
        MissingError: there is no such file.
        StorageError: it cannot be read.
        MalformedError: it holds something else.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise StorageError("API key: what was named for it is no plain file")
            data = stream.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        raise MissingError("API key: the file that was named for it is not there") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its name is no path"
        raise StorageError(f"API key: the file that was named for it cannot be read ({reason})") from None
    if len(data) > _MAX_BYTES:
        raise MalformedError(f"API key: expected a file of at most {_MAX_BYTES:,} bytes")
    return ApiKey(data.decode("ascii", "replace").strip())
