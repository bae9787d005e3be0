"""Edge: the model's answer, whole or streamed, let through as far as the rules let it, and sealed.

What the engine sends is read for five things only: text, calls of tools, why it
ended, counts of tokens, and that it failed. All else (a model's reasoning,
probabilities of tokens) goes no further, because nothing here checks it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
import orjson

from auzolan.core.record.canonical import JsonObject
from auzolan.core.record.errors import AuzolanError
from auzolan.run.checks.release import Release
from auzolan.run.checks.scan import Found
from auzolan.run.engine.field_values import WireObject
from auzolan.run.engine.upstream import Upstream
from auzolan.run.gateway.body import Transport
from auzolan.run.gateway.door import Refusal
from auzolan.run.gateway.house import Reply
from auzolan.run.gateway.judging import asks_judges, labels_of
from auzolan.run.gateway.talk import ANSWERED, CUT, FAILED, FILTERED, LEFT, STOP, Talk
from auzolan.run.gateway.wire import SSE_HEADERS, ChunkWriter, EventReader, error_event
from auzolan.run.rules.facts import ANSWER, Decision, Facts
from auzolan.run.rules.refusal import refusal_text

MAX_ANSWER_BYTES = 8 * 1024 * 1024
MAX_CALLS = 64
_LEAVING_S = 0.5
_BROKEN = Refusal(502, "engine_failed", "the engine broke off; nothing of its answer was kept")
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
        calls: of tools, in the order in which they came; arguments put together.
        reason: why it ended, "" while it has not.
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
        if piece.get("error") is not None:
            raise EngineError(_BROKEN)
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
            self.reason = choice["finish_reason"]
        if said.get("tool_calls"):
            self._add_calls(said["tool_calls"])
        text = said.get("content")
        return text if isinstance(text, str) else ""

    def _add_calls(self, calls: object) -> None:
        for place, call in enumerate(calls if isinstance(calls, list) else []):
            if not isinstance(call, dict) or not isinstance(call.get("function"), dict):
                raise EngineError(_BROKEN)
            at, said = call.get("index", place), call["function"]
            if not isinstance(at, int) or not 0 <= at <= len(self.calls) or at >= MAX_CALLS:
                raise EngineError(_BROKEN)
            if at == len(self.calls):
                self.calls.append({"id": "", "type": "function", "function": {"name": "", "arguments": ""}})
            mine = self.calls[at]
            mine["id"] = mine["id"] or str(call.get("id") or "")
            for name in ("name", "arguments"):
                part = said.get(name)
                mine["function"][name] += part if isinstance(part, str) else ""


def _counts(usage: Mapping[str, Any]) -> JsonObject:
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    return {name: usage[name] for name in names if isinstance(usage.get(name), int)}


class Guard:
    """Lets an answer through as far as the rules allow: `Release`, with the judges and the tools around it."""

    def __init__(self, talk: Talk, facts: Facts) -> None:
        self._talk = talk
        self._facts = replace(facts, side=ANSWER, topics=frozenset(), personal=frozenset(), labels=frozenset())
        house = talk.house
        self._text: list[str] | None = [] if asks_judges(house, ANSWER) else None  # for the judges
        self._release = Release(house.scanner, ANSWER, self._decide, house.rulebook.watch(self._facts))

    def _decide(self, found: Found) -> Decision:
        facts = replace(self._facts, topics=found.topics, personal=found.personal)
        return self._talk.house.rulebook.decide(facts)

    @property
    def stopped(self) -> bool:
        """Whether a rule ended the answer."""
        return self._release.stopped is not None

    def feed(self, text: str) -> str:
        """Return what may be sent now."""
        if self._text is not None:
            self._text.append(text)
        return self._release.feed(text)

    async def finish(self, heard: Heard) -> str:
        """Return the rest of what may be sent; what was heard loses calls of tools that are not allowed."""
        arguments = "\n".join(call["function"]["arguments"] for call in heard.calls)
        if self._text is not None:
            labels = await labels_of(self._talk.house, ANSWER, "".join([*self._text, arguments]))
            self._facts = replace(self._facts, labels=labels)
        if heard.calls:
            self._check_calls(heard, arguments)
        return self._release.finish()

    def _check_calls(self, heard: Heard, arguments: str) -> None:
        found = self._talk.house.scanner.scan(arguments, ANSWER)
        names = {call["function"]["name"] for call in heard.calls} - set(self._talk.request.tool_names)
        undeclared = frozenset(f"tool:{name}" for name in names)
        facts = replace(self._facts, topics=found.topics, personal=found.personal, undeclared=undeclared)
        if self._talk.decide(facts).denied:
            heard.calls.clear()
            heard.reason = FILTERED

    def conclude(self, language: str) -> str:
        """Remember what matched in the answer; return what is said where a rule ended it, else ""."""
        decision = self._release.stopped or self._decide(self._release.found)
        self._talk.remember(decision)
        return refusal_text(decision, language) if self._release.stopped else ""


@asynccontextmanager
async def _asked(talk: Talk, upstream: Upstream, body: WireObject) -> AsyncIterator[Reply]:
    """Ask the engine; what goes wrong on the way is an `EngineError`."""
    try:
        async with talk.house.ask(upstream, body) as reply:
            if reply.status != 200:
                raise EngineError(await _refused(reply))
            yield reply
    except TimeoutError:
        raise EngineError(Refusal(504, "engine_slow", "the engine did not answer in time")) from None
    except (aiohttp.ClientError, OSError, ValueError):
        raise EngineError(_BROKEN) from None


async def _refused(reply: Reply) -> Refusal:
    said = await reply.read()
    if reply.status == 400 and b"exceed_context_size_error" in said:
        return _TOO_LONG
    return Refusal(502, "engine_failed", f"the engine answered with HTTP status {reply.status}")


class ClientLeftError(Exception):
    """Whoever asked is gone."""


class _Watch:
    """Ends what is under way when the client leaves; looks only where it lasts, because looking costs."""

    def __init__(self, proto: Transport) -> None:
        self._proto = proto
        self._task: asyncio.Task[Any] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: asyncio.Future[None] | None = None
        self._gone = False

    def __enter__(self) -> None:
        self._task = asyncio.current_task()
        self._timer = asyncio.get_running_loop().call_later(_LEAVING_S, self._look)

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


async def answer_whole(
    talk: Talk, facts: Facts, upstream: Upstream, body: WireObject, proto: Transport
) -> Refusal | None:
    """Send an answer in one piece, or say why there is none."""
    guard, heard = Guard(talk, facts), Heard()
    try:
        with _Watch(proto):
            async with _asked(talk, upstream, body) as reply:
                data = await reply.read()
            text = heard.add(_parsed(data), "message")
            sent = guard.feed(text) + await guard.finish(heard)
    except EngineError as error:
        return error.refusal
    except ClientLeftError:
        return None  # nothing was sent, so there is nothing to sign
    closing = guard.conclude(talk.language)
    sent = _joined(sent, closing)
    talk.sent.append(sent)
    reason = FILTERED if closing else heard.reason or STOP
    message: dict[str, Any] = {"content": sent if sent or not heard.calls else None, "refusal": None}
    if heard.calls and not closing:
        message["tool_calls"] = heard.calls
    talk.send_whole(proto, CUT if reason == FILTERED else ANSWERED, reason, message, heard.usage)
    return None


async def stream_answer(
    talk: Talk, facts: Facts, upstream: Upstream, body: WireObject, proto: Transport
) -> Refusal | None:
    """Send an answer as it comes, or say why there is none."""
    guard, heard, writer = Guard(talk, facts), Heard(), talk.writer()
    stream: _Stream | None = None
    outcome, end = ANSWERED, []
    try:
        with _Watch(proto):
            async with _asked(talk, upstream, body) as reply:
                stream = _Stream(talk, writer, proto.response_stream(200, [*SSE_HEADERS, *talk.more]))
                await _let_through(reply, stream, guard, heard)
            rest = "" if guard.stopped else await guard.finish(heard)
            closing = guard.conclude(talk.language)
            outcome = CUT if closing or heard.reason == FILTERED else ANSWERED
            await stream.send(_joined(rest, closing, bool(talk.sent)))
            end = _ending(talk, writer, heard, bool(closing))
    except EngineError as error:
        if stream is None:
            return error.refusal
        outcome, end = FAILED, [error_event(error.refusal)]
    except AuzolanError as error:  # the text could not be searched, so no more of it may be sent
        outcome, end = FAILED, [error_event(Refusal(503, "not_checked", str(error)))]
    except (ClientLeftError, RuntimeError):  # granian says by a RuntimeError that the connection is closed
        outcome = LEFT
    if stream is None:
        return None  # the client left before anything was sent
    chunks = talk.receipt_chunks(writer, outcome)
    await stream.close(b"".join([*end, *chunks]))
    return None


class _Stream:
    """What goes to the client, with an account of the text in it."""

    def __init__(self, talk: Talk, writer: ChunkWriter, transport: Any) -> None:  # noqa: ANN401  # granian's
        self._talk, self._writer, self._transport = talk, writer, transport
        self._begun = False

    async def send(self, text: str) -> None:
        """Send text, if there is any."""
        if not text:
            return
        data = self._writer.text(text) if self._begun else self._writer.first() + self._writer.text(text)
        self._begun = True
        await self._transport.send_bytes(data)
        self._talk.sent.append(text)

    async def close(self, data: bytes) -> None:
        """Send the last chunks; whoever is gone by now has missed only these."""
        try:
            await self._transport.send_bytes(data if self._begun else self._writer.first() + data)
        except RuntimeError:
            return


async def _let_through(reply: Reply, stream: _Stream, guard: Guard, heard: Heard) -> None:
    """Pass on what may be passed on, until the engine ends or a rule ends it."""
    events, size = EventReader(), 0
    async for data in reply.content.iter_any():
        size += len(data)
        if size > MAX_ANSWER_BYTES * 4:  # each token comes with some hundred bytes around it
            raise EngineError(_BROKEN)
        pieces = []
        for event in events.feed(data):
            if event == b"[DONE]":
                continue
            text = heard.add(_parsed(event), "delta")
            if text:
                pieces.append(guard.feed(text))
                if guard.stopped:
                    break
        await stream.send("".join(pieces))
        if guard.stopped:
            return
    if not heard.reason:
        raise EngineError(_BROKEN)  # it ended without saying why: the connection was cut


def _ending(talk: Talk, writer: ChunkWriter, heard: Heard, ended_by_rule: bool) -> list[bytes]:
    """Return the chunks between the last text and the receipt."""
    chunks = []
    if heard.calls and not ended_by_rule:
        chunks.append(writer.calls(heard.calls))
    chunks.append(writer.end(FILTERED if ended_by_rule else heard.reason or STOP))
    if talk.request.usage and heard.usage:
        chunks.append(writer.usage(heard.usage))
    return chunks


def _parsed(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_ANSWER_BYTES:
        raise EngineError(_BROKEN)
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise EngineError(_BROKEN) from None
    if not isinstance(value, dict):
        raise EngineError(_BROKEN)
    return value


def _joined(text: str, closing: str, has_text: bool = False) -> str:
    """Put what ends an answer after it, in a paragraph of its own."""
    return f"{text}\n\n{closing}" if closing and (text or has_text) else text + closing
