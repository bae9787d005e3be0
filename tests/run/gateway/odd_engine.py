"""A synthetic engine that sends what it is told byte by byte, whole or streamed, in any form and at any pace."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.run.gateway.stand_in import StandIn

MESSAGE: dict[str, Any] = {"role": "assistant", "content": "The library opens at nine (synthetic)."}


@dataclass
class OddEngine(StandIn):
    """An engine that does not keep to the form.

    Attributes:
        raw: what a whole reply is.
        events: pieces of a streamed one, as they are.
        hang: whether it then goes silent instead of ending; it ends when it is hung up on.
        headers: of its replies.
        endless: a piece that it sends again and again, after the others.
        cut: whether it then closes the connection.
        n_sent: how many pieces went out.
    """

    raw: bytes = b""
    events: list[bytes] = field(default_factory=list)
    hang: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    endless: bytes = b""
    cut: bool = False
    n_sent: int = 0

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        body = await request.json()
        self.asked.append(body)
        reply = web.StreamResponse(status=self.status, headers=self.headers)
        await reply.prepare(request)
        try:
            for piece in self.events if body["stream"] else [self.raw]:
                await reply.write(piece)
                self.n_sent += 1
            while self.endless:
                await reply.write(self.endless)
                self.n_sent += 1
            if self.cut and request.transport is not None:
                request.transport.close()
            if self.hang:
                while request.transport is not None and not request.transport.is_closing():
                    await asyncio.sleep(0.01)
                self.hung_up.set()
        except ConnectionError:
            self.hung_up.set()
        return reply


def event(**fields: Any) -> bytes:
    """Return one event of a stream."""
    return b"data: " + json.dumps(fields).encode() + b"\n\n"


def delta(finish: str | None = None, **said: Any) -> bytes:
    """Return an event with one piece of a message."""
    return event(choices=[{"index": 0, "delta": said, "finish_reason": finish}])


def both(message: dict[str, Any], finish: str = "stop", **more: Any) -> OddEngine:
    """Return an engine that says the same whole and streamed; `more` are fields beside the choices."""
    choice = {"index": 0, "finish_reason": finish, **more.pop("choice", {})}
    streamed = {**message}
    if message.get("tool_calls"):
        streamed["tool_calls"] = [{"index": at, **call} for at, call in enumerate(message["tool_calls"])]
    return OddEngine(
        raw=json.dumps({"choices": [{**choice, "message": message}], **more}).encode(),
        events=[event(choices=[{**choice, "delta": streamed}], **more), b"data: [DONE]\n\n"],
    )
