"""The stand-in for a model: an OpenAI backend that answers at once, always the same but for a number.

Runs as `granian --interface rsgi bench.gateway_backend:app`. Everything that
can be made before is made before, so that little of what is measured is this.
"""

from __future__ import annotations

from collections.abc import Iterator

import orjson
from granian._granian import RSGIHTTPProtocol as HTTPProtocol
from granian.rsgi import Scope

from bench.gateway_work import DONE, MODEL, PATH, number_of, text, tokens

JSON = [("content-type", "application/json")]
SSE = [("content-type", "text/event-stream"), ("cache-control", "no-cache")]
_CREATED = 1_790_000_000
_NAMED = {"id": "chatcmpl-0", "created": _CREATED, "model": MODEL}
_USAGE = {"prompt_tokens": 30, "completion_tokens": 64, "total_tokens": 94}


def _whole(number: int) -> bytes:
    message = {"role": "assistant", "content": text(number)}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    return orjson.dumps(_NAMED | {"object": "chat.completion", "choices": choices, "usage": _USAGE})


def _event(delta: dict[str, str], ends: str | None = None) -> bytes:
    choices = [{"index": 0, "delta": delta, "finish_reason": ends}]
    return b"data: " + orjson.dumps(_NAMED | {"object": "chat.completion.chunk", "choices": choices}) + b"\n\n"


# One answer is made per kind, with a number that stands for the one asked for.
_MARK = 98_765
_BEFORE, _, _AFTER = _whole(_MARK).partition(str(_MARK).encode())
_OPENING = _event({"role": "assistant", "content": ""})
_EVENTS = [_event({"content": token}) for token in tokens(_MARK)]
_CLOSING = _event({}, "stop")
_MODELS = orjson.dumps({"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": "synthetic"}]})


def events(number: int) -> Iterator[bytes]:
    """Return the 67 events of a stream: the role, 64 tokens, the end, and that it is done."""
    yield _OPENING
    yield _EVENTS[0]
    yield _EVENTS[1].replace(str(_MARK).encode(), str(number).encode())
    yield from _EVENTS[2:]
    yield _CLOSING
    yield DONE


async def app(scope: Scope, protocol: HTTPProtocol) -> None:
    """Answer one request."""
    if scope.path != PATH:
        is_known = scope.path == "/v1/models"
        protocol.response_bytes(200 if is_known else 404, JSON, _MODELS if is_known else b"{}")
        return
    asked = orjson.loads(await protocol())
    number = number_of(asked["messages"][-1]["content"])
    if not asked.get("stream"):
        protocol.response_bytes(200, JSON, _BEFORE + str(number).encode() + _AFTER)
        return
    stream = protocol.response_stream(200, SSE)
    for event in events(number):
        await stream.send_bytes(event)
