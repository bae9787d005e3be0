"""What goes over the wire to clients: answers, chunks of streams and errors in OpenAI's forms.

Chunks are put together from parts that are made once per answer, because one is sent per token.
Follows the reference of OpenAI's chat completions; what differs: a last chunk without choices
carries the receipt under `FIELD`, and clients that do not know it pass over it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from auzolan.run.answers.receipt import FIELD
from auzolan.run.gateway.door import Refusal

JSON_TYPE, NO_STORE = ("content-type", "application/json"), ("cache-control", "no-store")
SSE_HEADERS = [("content-type", "text/event-stream; charset=utf-8"), NO_STORE]
DONE = b"data: [DONE]\n\n"
MAX_EVENT_BYTES = 1024 * 1024


def error_body(refusal: Refusal) -> bytes:
    """Return the body of an error."""
    kind = "invalid_request_error" if refusal.status < 500 else "server_error"
    return orjson.dumps({"error": {"message": refusal.message, "type": kind, "param": None, "code": refusal.code}})


def error_event(refusal: Refusal) -> bytes:
    """Return an error as an event of a stream that has begun."""
    return b"data: " + error_body(refusal) + b"\n\n"


class ChunkWriter:
    """Makes the chunks of one streamed answer."""

    def __init__(self, answer_id: str, created: int, model: str) -> None:
        head = {"id": answer_id, "object": "chat.completion.chunk", "created": created, "model": model}
        self._open = b"data: " + orjson.dumps(head)[:-1] + b","
        self._delta = self._open + b'"choices":[{"index":0,"delta":{"content":'

    def first(self) -> bytes:
        """Return the chunk that says whose turn it is."""
        return (
            self._open + b'"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n'
        )

    def text(self, text: str) -> bytes:
        """Return a chunk of text."""
        return self._delta + orjson.dumps(text) + b'},"finish_reason":null}]}\n\n'

    def calls(self, calls: list[Any]) -> bytes:
        """Return a chunk with whole calls of tools."""
        indexed = [{"index": place, **call} for place, call in enumerate(calls)]
        return self._chunk({"choices": [{"index": 0, "delta": {"tool_calls": indexed}, "finish_reason": None}]})

    def end(self, reason: str) -> bytes:
        """Return the chunk that says why the answer ended."""
        return self._chunk({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})

    def usage(self, usage: Mapping[str, Any]) -> bytes:
        """Return the chunk with the counts of tokens."""
        return self._chunk({"choices": [], "usage": dict(usage)})

    def receipt(self, receipt: bytes) -> bytes:
        """Return the chunk with the receipt, which is JSON already."""
        return self._open + b'"choices":[],"' + FIELD.encode() + b'":' + receipt + b"}\n\n"

    def _chunk(self, fields: Mapping[str, Any]) -> bytes:
        return self._open + orjson.dumps(fields)[1:] + b"\n\n"


def completion_body(
    answer_id: str,
    created: int,
    model: str,
    message: Mapping[str, Any],
    reason: str,
    usage: Mapping[str, Any] | None,
    receipt: bytes,
) -> bytes:
    """Return a whole answer, with its receipt if there is one."""
    body: dict[str, Any] = {
        "id": answer_id,
        "object": "chat.completion",
        "created": created,
        "model": model,
        "choices": [
            {"index": 0, "message": {"role": "assistant", **message}, "logprobs": None, "finish_reason": reason}
        ],
    }
    if usage:
        body["usage"] = dict(usage)
    if receipt:
        body[FIELD] = orjson.Fragment(receipt)
    return orjson.dumps(body)


class EventReader:
    """Takes a stream of server-sent events apart, however it is cut; only `data` matters here.

    Follows the HTML standard, section 9.2, without ids, names and retry.
    """

    def __init__(self) -> None:
        self._left = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the data of each event that is whole.

        Raises:
            ValueError: an event longer than `MAX_EVENT_BYTES`.
        """
        data = self._left + data if self._left else data
        if b"\r" in data:
            tail = b"\r" if data.endswith(b"\r") else b""  # its line feed may still come
            data = data[: len(data) - len(tail)].replace(b"\r\n", b"\n").replace(b"\r", b"\n") + tail
        *events, self._left = data.split(b"\n\n")
        if len(self._left) > MAX_EVENT_BYTES:
            raise ValueError("event too long")
        for event in events:
            if event.startswith(b"data: ") and b"\n" not in event:
                yield event[6:]
            else:
                lines = [line[5:].removeprefix(b" ") for line in event.split(b"\n") if line.startswith(b"data:")]
                if lines:
                    yield b"\n".join(lines)
