"""HTTP written by hand, for what no proper client sends."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from tests.run.gateway.town import TOKEN

PATIENCE_S = 20.0


@dataclass(frozen=True)
class Wire:
    """What came back, byte by byte.

    Attributes:
        status: 0 where the connection was closed without an answer.
        headers: in lower case, as often as they came.
        body: with the marks of chunks, if there are any.
        data: all of it.
    """

    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    data: bytes = b""

    def all(self, name: str) -> list[str]:
        """Return the values of one header."""
        return [value for each, value in self.headers if each == name]

    @property
    def code(self) -> str:
        """The word for programs in an error."""
        return str(json.loads(self.body)["error"]["code"])


def read_wire(data: bytes) -> Wire:
    """Take the first answer apart."""
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    if not first:
        return Wire(data=data)
    pairs = [line.partition(":") for line in lines]
    return Wire(int(first.split()[1]), [(name.lower(), value.strip()) for name, _, value in pairs], body, data)


def request_bytes(
    port: int, method: str = "GET", target: str = "/v1/models", body: bytes = b"", **changed: Any
) -> bytes:
    """Return a proper request of a client that bears the token, with some headers changed, or left out (None)."""
    headers: dict[str, str | None] = {
        "host": f"127.0.0.1:{port}",
        "authorization": f"Bearer {TOKEN}",
        "connection": "close",
    }
    if body:
        headers |= {"content-type": "application/json", "content-length": str(len(body))}
    headers |= {name.replace("_", "-"): value for name, value in changed.items()}
    lines = [f"{name}: {value}\r\n" for name, value in headers.items() if value is not None]
    return f"{method} {target} HTTP/1.1\r\n{''.join(lines)}\r\n".encode("utf-8", "surrogateescape") + body


def chat_bytes(text: str = "When does the library open?", **more: Any) -> bytes:
    """Return the body of a question."""
    return json.dumps({"model": "town", "messages": [{"role": "user", "content": text}], **more}).encode()


async def exchange(port: int, data: bytes, *, ends: bool = False) -> Wire:
    """Send bytes on a new connection, and nothing more if it `ends`; return what comes until it is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        return read_wire(await _said(reader, writer, data, ends))
    finally:
        writer.close()


async def _said(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes, ends: bool) -> bytes:
    pieces = []
    try:
        async with asyncio.timeout(PATIENCE_S):
            writer.write(data)
            await writer.drain()
            if ends:
                writer.write_eof()
            while piece := await reader.read(65_536):
                pieces.append(piece)
    except TimeoutError:
        raise
    except OSError:
        pass  # it closed before all was sent; what it said counts
    return b"".join(pieces)
