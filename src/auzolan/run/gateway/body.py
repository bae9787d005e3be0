"""Edge: a request's body, read as far as its limits allow."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

import orjson

from auzolan.core.record.errors import MalformedError
from auzolan.run.gateway.door import Headers, Refusal

MAX_BODY_BYTES = 1024 * 1024
BODY_PATIENCE_S = 20.0
_LOST = Refusal(400, "incomplete_body", "the body ended before it was whole")


class Transport(Protocol):
    """What is needed of granian's protocol object (RSGI)."""

    def __aiter__(self) -> Any:  # noqa: ANN401
        """Yield the body's pieces."""
        ...

    async def __call__(self) -> bytes:
        """Return the whole body."""
        ...

    async def client_disconnect(self) -> None:
        """Wait until the client is gone."""
        ...

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """Send a whole answer."""
        ...

    def response_stream(self, status: int, headers: list[tuple[str, str]]) -> Any:  # noqa: ANN401
        """Begin an answer in pieces."""
        ...


async def read_body(proto: Transport, headers: Headers) -> bytes | Refusal:
    """Return the body, or why it is not read.

    Whatever its length is said to be, this process never holds more of it than the limit.
    """
    said = headers.get("content-length")
    # Where both stand, HTTP goes by the other one (RFC 9112, section 6.3), and this length says nothing.
    known = said is not None and said.isdecimal() and len(said) <= 20 and "transfer-encoding" not in headers
    if known and int(said or 0) > MAX_BODY_BYTES:
        return Refusal(413, "too_large", f"at most {MAX_BODY_BYTES:,} bytes are read, got {said}")
    try:
        async with asyncio.timeout(BODY_PATIENCE_S):
            # HTTP ends a body where its length says, so one of known length needs no counting, which is dearer.
            return await proto() if known else await _pieces(proto)
    except TimeoutError:
        return Refusal(408, "too_slow", f"the body did not come within {BODY_PATIENCE_S:.0f} s")
    except (OSError, RuntimeError):  # granian's own errors are RuntimeErrors
        return _LOST


async def _pieces(proto: Transport) -> bytes | Refusal:
    pieces, size = [], 0
    async for piece in proto:
        size += len(piece)
        if size > MAX_BODY_BYTES:
            return Refusal(413, "too_large", f"at most {MAX_BODY_BYTES:,} bytes are read, got more")
        pieces.append(bytes(piece))
    return b"".join(pieces)


def read_json_object(body: bytes) -> dict[str, Any]:
    """Return the object in a body.

    Raises:
        MalformedError: it holds none; its content is not repeated.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedError(f"body: not JSON (line {error.lineno}, column {error.colno})") from None
    if not isinstance(value, dict):
        raise MalformedError("body: expected a JSON object")
    return value
