"""Edge: one question to a server on a Unix socket, about how it stands."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket

from auzolan.core.record.errors import NotCheckedError

ASK_S = 20.0
MAX_ANSWER = 1024 * 1024


def ask(path: str, target: str, headers: dict[str, str], seconds: float = ASK_S) -> object:
    """GET JSON from a server on a Unix socket. Blocks, so many seconds at most between two pieces.

    Raises:
        NotCheckedError: it does not answer, or with something else.
    """
    try:
        with contextlib.closing(_UnixConnection(path, seconds)) as connection:
            connection.request("GET", target, headers=headers)
            answer = connection.getresponse()
            data = answer.read(MAX_ANSWER)
            if answer.status != http.client.OK:
                raise NotCheckedError(f"the engine answers {target} with status {answer.status}")
        found: object = json.loads(data)
    except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
        raise NotCheckedError(f"the engine does not answer {target}: {type(error).__name__}") from None
    return found


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str, seconds: float) -> None:
        super().__init__("engine", timeout=seconds)
        self._path, self._seconds = path, seconds

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self._seconds)
        self.sock.connect(self._path)
