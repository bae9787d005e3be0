"""What the engine sends, read for five things only: text, calls of tools, why it ended, counts, that it failed.

All else (a model's reasoning, probabilities of tokens, words about an error)
goes no further, because nothing here checks it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import ClientError

from auzolan.core.record.canonical import JsonObject
from auzolan.run.engine.field_values import WireObject
from auzolan.run.gateway.door import Refusal
from auzolan.run.gateway.house import House, Reply
from auzolan.run.gateway.talk import FILTERED, STOP
from auzolan.run.gateway.wire import EventReader

MAX_ANSWER_BYTES = 8 * 1024 * 1024
_MAX_ERROR_BYTES = _ENVELOPE_BYTES = 64 * 1024
_TOKEN_BYTES = 2048  # with what stands around it in a stream, some hundred bytes
MAX_CALLS = 64
REASONS = frozenset({STOP, FILTERED, "length", "tool_calls", "function_call"})
BROKEN = Refusal(502, "engine_failed", "the engine broke off; nothing of its answer was kept")
_TOO_LONG = Refusal(400, "context_length_exceeded", "the conversation is longer than the model can read")


class EngineError(Exception):
    """The engine did not give a whole answer; in words that hold nothing of what was asked or answered."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


@dataclass
class Heard:
    """What came from the engine so far, beside text.

    Attributes:
        calls: of tools, in the order in which they came; arguments put together. Their ids are not the engine's.
        reason: why it ended, one of `REASONS`, "" while it has not.
        usage: counts of tokens.
    """

    calls: list[dict[str, Any]] = field(default_factory=list)
    reason: str = ""
    usage: JsonObject | None = None

    def add(self, piece: Mapping[str, Any], key: str) -> str:
        """Take in a reply or one chunk of it; return its text.

        Args:
            piece: as parsed.
            key: "message" or "delta".

        Raises:
            EngineError: it says that the engine failed, or is of another form.
        """
        text = _text_alone(piece, key)
        if text is not None:
            return text
        if piece.get("error") is not None:
            raise EngineError(BROKEN)
        if isinstance(piece.get("usage"), dict):
            self.usage = _counts(piece["usage"])
        choices = piece.get("choices")
        if not choices:
            return ""
        choice = choices[0] if isinstance(choices, list) and isinstance(choices[0], dict) else {}
        said = choice.get(key)
        if not isinstance(said, dict):
            said = {}
        if isinstance(choice.get("finish_reason"), str):
            self.reason = choice["finish_reason"] if choice["finish_reason"] in REASONS else STOP
        if said.get("tool_calls"):
            self._add_calls(said["tool_calls"])
        text = said.get("content")
        return text if isinstance(text, str) else ""

    def _add_calls(self, calls: object) -> None:
        for place, call in enumerate(calls if isinstance(calls, list) else []):
            if not isinstance(call, dict) or not isinstance(call.get("function"), dict):
                raise EngineError(BROKEN)
            at, said = call.get("index", place), call["function"]
            if not isinstance(at, int) or not 0 <= at <= len(self.calls) or at >= MAX_CALLS:
                raise EngineError(BROKEN)
            if at == len(self.calls):
                self.calls.append({"id": "", "type": "function", "function": {"name": "", "arguments": ""}})
            mine = self.calls[at]
            for name in ("name", "arguments"):
                part = said.get(name)
                mine["function"][name] += part if isinstance(part, str) else ""


def _text_alone(piece: Mapping[str, Any], key: str) -> str | None:
    """Return the text of a chunk that holds nothing else, as nearly all of a stream do; None of any other."""
    try:
        (choice,) = piece["choices"]
        said = choice[key]
        text = said["content"]
        if len(said) == 1 and choice.get("finish_reason") is None and type(text) is str:
            return None if "usage" in piece or "error" in piece else text
    except (KeyError, TypeError, ValueError, AttributeError):
        pass
    return None


def _counts(usage: Mapping[str, Any]) -> JsonObject:
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    return {name: usage[name] for name in names if isinstance(usage.get(name), int)}


class asking:  # noqa: N801  # it is used like a function, and a generator would cost twice as much
    """Asks the engine, in an `async with`; what goes wrong on the way is an `EngineError`."""

    __slots__ = ("_context",)

    def __init__(self, house: House, body: WireObject) -> None:
        self._context = house.ask(body)

    async def __aenter__(self) -> Reply:
        try:
            reply = await self._context.__aenter__()
        except Exception as error:
            raise _engine_error(error) from None
        if reply.status != 200:
            try:
                raise EngineError(await _refused(reply))
            finally:
                await self._context.__aexit__(None, None, None)
        return reply

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:  # noqa: ANN401
        await self._context.__aexit__(kind, error, trace)
        if isinstance(error, TimeoutError | ClientError | OSError | ValueError):
            raise _engine_error(error) from None


def _engine_error(error: Exception) -> Exception:
    """Return what is raised instead of an error of the connection; others stay what they are."""
    if isinstance(error, TimeoutError):
        return EngineError(Refusal(504, "engine_slow", "the engine did not answer in time"))
    return EngineError(BROKEN) if isinstance(error, ClientError | OSError | ValueError) else error


async def _refused(reply: Reply) -> Refusal:
    try:
        said = await read_whole(reply, _MAX_ERROR_BYTES)
    except Exception as error:
        raise _engine_error(error) from None
    if reply.status == 400 and b"exceed_context_size_error" in said:
        return _TOO_LONG
    return Refusal(502, "engine_failed", f"the engine answered with HTTP status {reply.status}")


def most_bytes(body: WireObject) -> int:
    """Return how long a reply may be for the tokens that were asked for.

    What a client does not read waits in this process (granian's streams take all at once), so this bounds that too.
    """
    tokens = body["max_tokens"]
    assert isinstance(tokens, int), "`to_upstream` writes it"
    return min(MAX_ANSWER_BYTES, _ENVELOPE_BYTES + tokens * _TOKEN_BYTES)


async def read_whole(reply: Reply, most: int) -> bytes:
    """Return the body of a reply; this process never holds much more of it than `most`.

    Raises:
        EngineError: it is longer.
    """
    if reply.content_length is not None and reply.content_length <= most:
        return await reply.read()  # HTTP ends it where its length says
    pieces, size = [], 0
    async for data in reply.content.iter_any():
        size += len(data)
        if size > most:
            raise EngineError(BROKEN)
        pieces.append(data)
    return b"".join(pieces)


def parsed(data: bytes) -> dict[str, Any]:
    """Return the object in a reply or an event.

    Raises:
        EngineError: there is none.
    """
    if len(data) > MAX_ANSWER_BYTES:
        raise EngineError(BROKEN)
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise EngineError(BROKEN) from None
    if not isinstance(value, dict):
        raise EngineError(BROKEN)
    return value


async def texts_of(reply: Reply, heard: Heard, most: int) -> AsyncIterator[str]:
    """Yield the text of a streamed reply, what came at once in one piece.

    Raises:
        EngineError: it broke off, or sends too much.
    """
    events, size = EventReader(), 0
    async for data in reply.content.iter_any():
        size += len(data)
        if size > most:
            raise EngineError(BROKEN)
        said = [heard.add(parsed(event), "delta") for event in events.feed(data) if event != b"[DONE]"]
        if text := "".join(said):
            yield text
    if not heard.reason:
        raise EngineError(BROKEN)  # it ended without saying why: the connection was cut
