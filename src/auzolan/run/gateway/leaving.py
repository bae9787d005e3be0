"""Edge: noticing that whoever asked is gone, so that nothing more is computed for them."""

from __future__ import annotations

import asyncio
from typing import Any

from auzolan.run.gateway.body import Transport

LEAVING_S = 0.5


class ClientLeftError(Exception):
    """Whoever asked is gone."""


class Watch:
    """Ends what is under way when the client leaves; looks only where it lasts, because looking costs."""

    def __init__(self, proto: Transport) -> None:
        self._proto = proto
        self._task: asyncio.Task[Any] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: asyncio.Future[None] | None = None
        self._gone = False

    def __enter__(self) -> None:
        self._task = asyncio.current_task()
        self._timer = asyncio.get_running_loop().call_later(LEAVING_S, self._look)

    def _look(self) -> None:
        self._waiting = asyncio.ensure_future(self._wait())

    async def _wait(self) -> None:
        await self._proto.client_disconnect()
        self._gone = True
        if self._task:
            self._task.cancel()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._timer:
            self._timer.cancel()
        if self._waiting:
            self._waiting.cancel()
        if self._gone and kind is asyncio.CancelledError and self._task:
            self._task.uncancel()
            raise ClientLeftError from None
