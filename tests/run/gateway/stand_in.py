"""A stand-in for a language model: a synthetic server on a Unix socket, which says what it is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web


@dataclass
class StandIn:
    """What it says, and what it was asked.

    Attributes:
        pieces: of the answer; joined where it is not streamed.
        calls: of tools, as OpenAI's replies have them.
        break_after: pieces after which it cuts the connection, None for never.
        status: of its replies.
        wait: is set before it goes on after the first piece.
        asked: bodies of the requests, oldest first.
        finish: why it says that it ended.
    """

    pieces: list[str] = field(default_factory=lambda: ["The library ", "opens ", "at nine ", "(synthetic)."])
    calls: list[dict[str, Any]] = field(default_factory=list)
    break_after: int | None = None
    status: int = 200
    wait: asyncio.Event | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    finish: str = "stop"
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        body = await request.json()
        self.asked.append(body)
        if self.status != 200:
            return web.json_response({"error": {"message": "synthetic failure", "type": "server"}}, status=self.status)
        return await self._stream(request) if body["stream"] else await self._whole()

    async def _whole(self) -> web.Response:
        if self.wait:
            await self.wait.wait()
        message: dict[str, Any] = {"role": "assistant", "content": "".join(self.pieces)}
        if self.calls:
            message["tool_calls"] = self.calls
        usage = {"prompt_tokens": 7, "completion_tokens": len(self.pieces), "total_tokens": 7 + len(self.pieces)}
        return web.json_response(
            {"choices": [{"index": 0, "message": message, "finish_reason": self.finish}], "usage": usage}
        )

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        reply = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await reply.prepare(request)
        try:
            for place, piece in enumerate(self.pieces):
                if place == self.break_after:
                    assert request.transport
                    request.transport.close()
                    return reply
                await reply.write(_event({"choices": [{"index": 0, "delta": {"content": piece}}]}))
                if self.wait:
                    await self.wait.wait()
            if self.calls:
                calls = [{"index": at, **call} for at, call in enumerate(self.calls)]
                await reply.write(_event({"choices": [{"index": 0, "delta": {"tool_calls": calls}}]}))
            await reply.write(_event({"choices": [{"index": 0, "delta": {}, "finish_reason": self.finish}]}))
            await reply.write(b"data: [DONE]\n\n")
        except ConnectionError:
            self.hung_up.set()
        return reply

    @asynccontextmanager
    async def running(self, socket: Path) -> AsyncIterator[None]:
        """Serve on a Unix socket meanwhile."""
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self.chat)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.UnixSite(runner, str(socket)).start()
        try:
            yield
        finally:
            await runner.cleanup()


def _event(value: object) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"
