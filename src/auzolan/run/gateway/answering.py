"""The model's answer, whole or streamed, let through as far as the rules let it, and sealed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from auzolan.core.record.errors import AuzolanError
from auzolan.run.checks.release import Release
from auzolan.run.checks.scan import Found
from auzolan.run.engine.field_values import WireObject
from auzolan.run.gateway.body import Transport
from auzolan.run.gateway.calls import blotted, plain_arguments, searched
from auzolan.run.gateway.door import Refusal
from auzolan.run.gateway.facts_of import answer_facts
from auzolan.run.gateway.hearing import BROKEN, EngineError, Heard, asking, most_bytes, parsed, read_whole, texts_of
from auzolan.run.gateway.judging import labels_of
from auzolan.run.gateway.leaving import ClientLeftError, Watch
from auzolan.run.gateway.talk import ANSWERED, CUT, FAILED, FILTERED, LEFT, STOP, Talk
from auzolan.run.gateway.wire import SSE_HEADERS, ChunkWriter, error_event
from auzolan.run.rules.facts import ANSWER, Decision, Facts
from auzolan.run.rules.refusal import refusal_text


class Guard:
    """Lets an answer through as far as the rules allow: `Release`, with the judges and the tools around it."""

    def __init__(self, talk: Talk, facts: Facts) -> None:
        self._talk, self._asked, self._labels = talk, facts, frozenset[str]()
        self._decided: tuple[Found, Decision] | None = None
        house = talk.house
        self._text: list[str] | None = [] if house.judges_answers else None  # for the judges
        self._release = Release(house.scanner, ANSWER, self._decide, house.rulebook.watch(facts))

    def _facts(self, found: Found, undeclared: frozenset[str]) -> Facts:
        return answer_facts(self._asked, found, self._labels, undeclared)

    def _decide(self, found: Found) -> Decision:
        decision = self._talk.house.rulebook.decide(self._facts(found, frozenset()))
        self._decided = found, decision
        return decision

    @property
    def stopped(self) -> bool:
        """Whether a rule ended the answer."""
        return self._release.stopped is not None

    def feed(self, text: str) -> str:
        """Return what may be sent now."""
        if self._text is not None:
            self._text.append(text)
        return self._release.feed(text)

    async def finish(self, heard: Heard, last: str = "") -> str:
        """Take in the last text; return the rest of what may be sent.

        What was heard loses calls of tools that are not allowed.
        """
        if self._text is not None or heard.calls:
            await self._look_at_rest(heard, last)
        return self._release.finish(last)

    async def _look_at_rest(self, heard: Heard, last: str) -> None:
        functions = [call["function"] for call in heard.calls]
        for place, (call, function) in enumerate(zip(heard.calls, functions, strict=True)):
            call["id"] = f"call_{self._talk.id.removeprefix('chatcmpl-')}_{place}"
            function["arguments"] = plain_arguments(function["arguments"])
        arguments = searched([function["arguments"] for function in functions])
        if self._text is not None:
            said = "".join([*self._text, last])
            self._labels = await labels_of(self._talk.house, ANSWER, f"{said}\n{arguments}" if arguments else said)
            self._decided = None  # what was decided so far did not know them
        if heard.calls:
            names = {function["name"] for function in functions} - set(self._talk.request.tool_names)
            undeclared = frozenset(f"tool:{name}" for name in names)
            found = self._talk.house.scanner.scan(arguments, ANSWER)
            decision = self._talk.decide(self._facts(found, undeclared))
            if decision.denied:
                heard.calls.clear()
                heard.reason = FILTERED
            elif decision.redacts:
                for function in functions:
                    function["arguments"] = blotted(function["arguments"], decision.redacts)

    def conclude(self) -> str:
        """Remember what matched in the answer; return what is said where a rule ended it, else ""."""
        release = self._release
        known = self._decided
        decision = release.stopped or (known[1] if known and known[0] == release.found else self._decide(release.found))
        self._talk.remember(decision)
        return refusal_text(decision, self._talk.language) if release.stopped else ""


async def answer_whole(talk: Talk, facts: Facts, body: WireObject, proto: Transport) -> Refusal | None:
    """Send an answer in one piece, or say why there is none."""
    guard, heard = Guard(talk, facts), Heard()
    try:
        with Watch(proto):
            async with asking(talk.house, body) as reply:
                text = heard.add(parsed(await read_whole(reply, most_bytes(body))), "message")
            if not (text or heard.calls or heard.reason):
                raise EngineError(BROKEN)  # JSON, but no answer
            sent = await guard.finish(heard, text)
    except EngineError as error:
        return error.refusal
    except ClientLeftError:
        return None  # nothing was sent, so there is nothing to sign
    closing = guard.conclude()
    sent = _joined(sent, closing)
    talk.sent.append(sent)
    reason = FILTERED if closing else heard.reason or STOP
    message: dict[str, Any] = {"content": sent if sent or not heard.calls else None, "refusal": None}
    if heard.calls and not closing:
        message["tool_calls"] = heard.calls
    talk.send_whole(proto, CUT if reason == FILTERED else ANSWERED, reason, message, heard.usage)
    return None


async def stream_answer(talk: Talk, facts: Facts, body: WireObject, proto: Transport) -> Refusal | None:
    """Send an answer as it comes, or say why there is none."""
    guard, heard, writer = Guard(talk, facts), Heard(), talk.writer()
    stream: _Stream | None = None
    outcome, end = ANSWERED, []
    try:
        with Watch(proto):
            async with asking(talk.house, body) as reply:
                stream = _Stream(talk, writer, proto.response_stream(200, [*SSE_HEADERS, *talk.more]))
                await _let_through(texts_of(reply, heard, most_bytes(body)), stream, guard)
            rest = "" if guard.stopped else await guard.finish(heard)
            closing = guard.conclude()
            outcome = CUT if closing or heard.reason == FILTERED else ANSWERED
            await stream.send(_joined(rest, closing, bool(talk.sent)))
            end = _ending(talk, writer, heard, bool(closing))
    except (EngineError, AuzolanError) as error:  # of the latter: the text could not be searched
        refusal = error.refusal if isinstance(error, EngineError) else Refusal(503, "not_checked", str(error))
        if stream is None:
            return refusal
        outcome, end = FAILED, [error_event(refusal)]
    except (ClientLeftError, RuntimeError):  # granian says by a RuntimeError that the connection is closed
        outcome = LEFT
    except BaseException:  # the process ends before the answer does, or this is a bug
        if stream:
            await stream.close(b"".join(talk.receipt_chunks(writer, FAILED)))
        raise
    if stream is not None:  # else the client left before anything was sent
        await stream.close(b"".join([*end, *talk.receipt_chunks(writer, outcome)]))
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
        """Send the last chunks, and end the answer; whoever is gone by now has missed only these."""
        # granian ends an answer when nothing refers to its transport any more, and an error of the connection to the
        # engine refers to all that was under way, in a circle: its client would wait for the garbage collector.
        transport, self._transport = self._transport, None
        try:
            await transport.send_bytes(data if self._begun else self._writer.first() + data)
        except RuntimeError:
            return


async def _let_through(texts: AsyncIterator[str], stream: _Stream, guard: Guard) -> None:
    """Pass on what may be passed on, until the engine ends or a rule ends it."""
    async for text in texts:
        await stream.send(guard.feed(text))
        if guard.stopped:
            return


def _ending(talk: Talk, writer: ChunkWriter, heard: Heard, ended_by_rule: bool) -> list[bytes]:
    """Return the chunks between the last text and the receipt."""
    chunks = []
    if heard.calls and not ended_by_rule:
        chunks.append(writer.calls(heard.calls))
    chunks.append(writer.end(FILTERED if ended_by_rule else heard.reason or STOP))
    if talk.request.usage and heard.usage:
        chunks.append(writer.usage(heard.usage))
    return chunks


def _joined(text: str, closing: str, has_text: bool = False) -> str:
    """Put what ends an answer after it, in a paragraph of its own."""
    return f"{text}\n\n{closing}" if closing and (text or has_text) else text + closing
