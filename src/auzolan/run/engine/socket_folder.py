"""Edge: a private folder for the engine's socket that is gone when its owner is, however that ends.

A process that is killed cannot tidy up, so a shell of one line waits on a pipe
whose other end only the owner holds, and removes the folder when that closes.
What it cannot do: outlive a SIGKILL of everything at once, or the machine's end;
then the folder, which holds a dead socket and no text, stays in the temporary folder.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process

from auzolan.core.record.errors import StorageError

MAX_PATH = 103
"""Bytes that the path of a Unix socket may have where that is least (macOS)."""
_KEEPER = 'trap "" HUP INT TERM; read -r _; rm -rf -- "$0"'


class SocketFolder:
    """A new folder, for its owner's eyes only."""

    def __init__(self, parent: str = "") -> None:
        """Make the folder.

        Args:
            parent: where; the user's runtime folder, or else the temporary one, if it is "".

        Raises:
            StorageError: it cannot be made, or the path is too long for a socket.
        """
        runtime = os.environ.get("XDG_RUNTIME_DIR", "")
        parent = parent or (runtime if os.path.isdir(runtime) else tempfile.gettempdir())
        try:
            self.path = tempfile.mkdtemp(prefix="auzolan-", dir=os.path.realpath(parent))  # made with mode 0700
        except OSError as error:
            raise StorageError(f"{parent}: no folder can be made here: {error.strerror}") from None
        self.socket = os.path.join(self.path, "engine.sock")
        self._keeper: Process | None = None
        if len(os.fsencode(self.socket)) > MAX_PATH:
            shutil.rmtree(self.path, ignore_errors=True)
            raise StorageError(f"{parent}: a socket in it would have a path longer than {MAX_PATH} bytes")

    async def keep(self) -> None:
        """Start the process that removes it when this one ends.

        Raises:
            StorageError: there is no shell.
        """
        try:
            self._keeper = await asyncio.create_subprocess_exec(
                "/bin/sh", "-c", _KEEPER, self.path, stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL,
                env={"PATH": "/usr/bin:/bin"}, cwd="/", start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise StorageError(f"/bin/sh: {error.strerror}") from None

    def clear(self) -> None:
        """Remove the socket that an engine left when it crashed; the next one could not bind its name."""
        try:
            os.unlink(self.socket)
        except FileNotFoundError:
            return
        except OSError as error:
            raise StorageError(f"{self.socket}: {error.strerror}") from None

    async def remove(self) -> None:
        """Remove it, and end the process that would have."""
        shutil.rmtree(self.path, ignore_errors=True)
        keeper, self._keeper = self._keeper, None
        if keeper and keeper.stdin:
            keeper.stdin.close()
            await keeper.wait()
