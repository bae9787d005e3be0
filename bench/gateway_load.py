"""Asking a gateway over connections that stay open, and checking each answer before it counts.

A client of its own rather than a library's: what it takes is taken from the
stand-in, which runs on the same CPU.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from typing import NamedTuple

from bench.gateway_work import ABOUT, FIRST, PATH, RefusedError, WrongAnswerError, check_stream, check_whole, question

_PATIENCE = 60.0  # seconds that one answer may take
_MARK = FIRST.encode()


class Target(NamedTuple):
    """Where to ask, and what to say there.

    Attributes:
        port: on 127.0.0.1.
        headers: more of them, such as who asks; each line ends with CRLF.
        holds: what every answer must hold beside the stand-in's, such as a receipt.
    """

    port: int
    headers: str = ""
    holds: bytes = b""

    def request(self, number: int, *, stream: bool, about: str = ABOUT) -> bytes:
        """Return a whole request as it goes over the wire."""
        body = question(number, stream=stream, about=about)
        return (
            f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nContent-Type: application/json\r\n"
            f"{self.headers}Content-Length: {len(body)}\r\n\r\n"
        ).encode() + body


class Reply:
    """Reads one HTTP/1.1 response from the pieces it comes in."""

    def __init__(self) -> None:
        self.status = 0
        self.body = bytearray()
        self.done = False
        self.first_at = 0.0  # when the first token was there
        self._rest = bytearray()
        self._left = -1  # bytes of the body still to come; -1 for chunks

    def feed(self, piece: bytes) -> None:
        """Take the next bytes."""
        self._rest += piece
        if not self.status and not self._head():
            return
        if self._left >= 0:
            self._take(len(self._rest))
            self.done = not self._left
        else:
            self._chunks()
        if not self.first_at and _MARK in self.body:
            self.first_at = time.perf_counter()

    def _head(self) -> bool:
        head, end, rest = self._rest.partition(b"\r\n\r\n")
        if not end:
            return False
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split()[1])
        named = dict(line.lower().split(":", 1) for line in lines[1:])
        if "chunked" not in named.get("transfer-encoding", ""):
            self._left = int(named["content-length"])
        self._rest = rest
        return True

    def _take(self, most: int) -> None:
        n = min(most, self._left)
        self.body += self._rest[:n]
        del self._rest[:n]
        self._left -= n

    def _chunks(self) -> None:
        while (at := self._rest.find(b"\r\n")) >= 0:
            size = int(self._rest[:at].split(b";")[0], 16)
            if len(self._rest) < at + 4 + size:
                return
            self.body += self._rest[at + 2 : at + 2 + size]
            del self._rest[: at + 4 + size]
            if not size:
                self.done = True
                return

    def check(self, number: int, *, stream: bool, holds: bytes = b"") -> None:
        """Stop unless it is the right answer to this question."""
        if self.status != 200:
            raise RefusedError(f"expected 200, got {self.status}: {bytes(self.body[:500])!r}")
        (check_stream if stream else check_whole)(bytes(self.body), number)
        if holds not in self.body:
            raise WrongAnswerError(f"expected {holds!r} in each answer, got {bytes(self.body[-500:])!r}")


class Line:
    """One connection on which one question is asked after the other, and nothing else is done."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.socket = socket.create_connection(("127.0.0.1", target.port), timeout=_PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self) -> None:
        """Hang up."""
        self.socket.close()

    def ask(self, number: int, *, stream: bool = False) -> tuple[float, float]:
        """Ask once; return seconds to the whole answer and to its first token."""
        asked = self.target.request(number, stream=stream)
        started = time.perf_counter()
        reply = self.send(asked)
        took = time.perf_counter() - started
        reply.check(number, stream=stream, holds=self.target.holds)
        return took, reply.first_at - started

    def send(self, asked: bytes) -> Reply:
        """Send a request and read what comes, whatever it is."""
        reply = Reply()
        self.socket.sendall(asked)
        while not reply.done:
            piece = self.socket.recv(65_536)
            if not piece:
                raise WrongAnswerError("the connection was closed before the answer's end")
            reply.feed(piece)
        return reply


class _Asker(asyncio.Protocol):
    """One of many connections."""

    def __init__(self) -> None:
        self.reply = Reply()
        self.waiting: asyncio.Future[None] | None = None

    def data_received(self, data: bytes) -> None:
        self.reply.feed(data)
        if self.reply.done and self.waiting and not self.waiting.done():
            self.waiting.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.waiting and not self.waiting.done():
            self.waiting.set_exception(WrongAnswerError(f"the connection was closed before the answer's end: {exc}"))

    async def ask(self, over: asyncio.WriteTransport, asked: bytes) -> float:
        self.reply, self.waiting = Reply(), asyncio.get_running_loop().create_future()
        started = time.perf_counter()
        over.write(asked)
        await self.waiting
        return time.perf_counter() - started


async def at_once(target: Target, numbers: Iterator[int], n_lines: int, *, stream: bool, seconds: float) -> list[float]:
    """Ask all questions over `n_lines` connections at once; return how long each answer took.

    Raises:
        TimeoutError: it took longer than `seconds`.
    """
    loop, took = asyncio.get_running_loop(), list[float]()
    lines = [await loop.create_connection(_Asker, "127.0.0.1", target.port) for _ in range(n_lines)]

    async def work(over: asyncio.WriteTransport, asker: _Asker) -> None:
        for number in numbers:
            took.append(await asker.ask(over, target.request(number, stream=stream)))
            asker.reply.check(number, stream=stream, holds=target.holds)

    tasks = [loop.create_task(work(over, asker)) for over, asker in lines]
    try:
        async with asyncio.timeout(seconds):
            await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for over, _ in lines:
            over.abort()
    return took
