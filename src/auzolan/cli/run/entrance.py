"""Edge: what a gateway needs on this machine before it opens: its folder, its port, and its clients' token."""

from __future__ import annotations

import os
import secrets
import socket
import stat
from pathlib import Path

from auzolan.core.record.errors import StorageError, UsageError

MAX_TOKEN_BYTES = 4096


def open_state(folder: Path) -> Path:
    """Return the runtime's own folder, made for this user alone if it is not there.

    Raises:
        UsageError: others can write it, and so put another token or another log there.
        StorageError: it cannot be made.
    """
    try:
        folder.mkdir(0o700, parents=True, exist_ok=True)
        mode = folder.stat().st_mode
    except OSError as error:
        raise StorageError(f"{folder}: {error.strerror}") from None
    if mode & 0o022:
        raise UsageError(f"{folder}: others can write it; chmod 700 it")
    return folder


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

    Whether it is strong enough, the door says (`auzolan.run.gateway.door`).

    Raises:
        UsageError: it is no file, or not this user's alone.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return _token_in(path)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        token = secrets.token_urlsafe(32)
        stream.write(token + "\n")
    return token


def _token_in(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(f"{path}: expected a file that holds a token ({error.strerror})") from None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.getuid():
            raise UsageError(f"{path}: expected a file of this user; delete it for a new one")
        if found.st_mode & 0o077:
            raise UsageError(f"{path}: others can read it; chmod 600 it, or delete it for a new one")
        return os.read(descriptor, MAX_TOKEN_BYTES).decode("utf-8", "replace").strip()
    finally:
        os.close(descriptor)
