"""The baseline of bench/gateway.py: a proxy that checks nothing, writes nothing, and passes bytes on.

Runs as `granian --interface rsgi bench.peers.bare_proxy:app` in our own
environment, on what ours is built of (granian, uvloop, aiohttp). What ours
costs more than this is the price of its rules, checks and receipts.
"""

from __future__ import annotations

import os

import aiohttp
from granian.rsgi import HTTPProtocol, Scope

BACKEND = os.environ.get("BACKEND", "http://127.0.0.1:1")
JSON = {"content-type": "application/json"}


class Proxy:
    """Passes requests on by one session, made when the event loop is there."""

    def __init__(self) -> None:
        self.session: aiohttp.ClientSession | None = None

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        """Pass one request on, and its answer back, as it comes."""
        if self.session is None:
            self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        body = await protocol()
        async with self.session.post(BACKEND + scope.path, data=body, headers=JSON) as reply:
            kind = reply.headers["content-type"]
            headers = [("content-type", kind)]
            if kind != "text/event-stream":
                protocol.response_bytes(reply.status, headers, await reply.read())
                return
            stream = protocol.response_stream(reply.status, headers)
            async for piece in reply.content.iter_any():
                await stream.send_bytes(piece)


app = Proxy()
