"""Edge: the port that a gateway listens on, and the token that its clients bear."""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path

from auzolan.core.record.errors import UsageError


def check_port(port: int) -> None:
    """Refuse a port that somebody listens on.

    granian binds with SO_REUSEPORT: a second gateway of the same user would start without a word, and the system
    would hand each of them some of the other's connections.

    Raises:
        UsageError: it is taken.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that just ended do not count
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise UsageError(
                f"port {port} of 127.0.0.1 cannot be listened on ({error.strerror}); choose another one with --port"
            ) from None


def read_token(path: Path) -> str:
    """Return the clients' token; a new one of 256 random bits is written for this user alone if there is none.

    Raises:
        UsageError: others can read the file.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        if path.stat().st_mode & 0o077:
            raise UsageError(f"{path}: others can read it; chmod 600 it, or delete it for a new one") from None
        return path.read_text(encoding="utf-8").strip()
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        token = secrets.token_urlsafe(32)
        stream.write(token + "\n")
    return token
