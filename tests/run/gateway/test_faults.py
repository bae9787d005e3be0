"""What breaks stays small: engines, clients and disks that fail; what was really sent is what was signed."""

from __future__ import annotations

import asyncio
import gc
import json
import resource
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from auzolan.core.kinds.answer import Answer
from auzolan.core.record.envelope import read_envelope
from auzolan.run.answers.frames import read_frame, scan
from auzolan.run.engine.upstream import NotReadyError
from auzolan.run.gateway.keeper import Chore, do_once
from auzolan.run.gateway.talk import LOG
from tests.run.gateway.odd_engine import MESSAGE, OddEngine, delta, event
from tests.run.gateway.raw import exchange, request_bytes
from tests.run.gateway.stand_in import StandIn
from tests.run.gateway.test_chat import BOTH, answer_of, check
from tests.run.gateway.town import Setting, Town, run, town

CHAT = "/v1/chat/completions"
LONG = [f"Sentence {at} says something long and harmless (synthetic). " for at in range(6)]
WHOLE = json.dumps({"choices": [{"index": 0, "message": MESSAGE, "finish_reason": "stop"}]}).encode()


async def until(true: Callable[[], bool], patience_s: float = 10.0) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(patience_s):
        while not true():
            await asyncio.sleep(0.005)


def kept_answers(folder: Path) -> list[Answer]:
    """Return what the journal holds, oldest first."""
    found = []
    for place in sorted((folder / "answers" / "journal").iterdir()):
        data = place.read_bytes()
        frames = [read_frame(data[at : at + length], str(place)) for _, at, length in scan(data).spans]
        found += [Answer.from_record(read_envelope(each.envelope).claimed) for each in frames]
    return found


def test_a_stream_that_the_engine_cuts_is_signed_as_far_as_it_was_sent(tmp_path: Path) -> None:
    async def main() -> None:
        async with town(tmp_path, Setting(stand_in=StandIn(list(LONG), break_after=4))) as place:
            gc.disable()  # the answer must end by itself, not with the next collection
            said = await place.ask(stream=True)
            gc.enable()

            assert "".join(LONG).startswith(said.text)
            assert LONG[0] in said.text
            assert "failed" == answer_of(said).outcome
            assert "engine_failed" == next(each["error"]["code"] for each in said.chunks if "error" in each)
            check(said)

    run(main())


def test_a_whole_answer_that_the_engine_cuts_is_not_given(tmp_path: Path) -> None:
    broken = OddEngine(raw=WHOLE[:-20], headers={"content-length": str(len(WHOLE))}, cut=True)

    async def main() -> None:
        async with town(tmp_path, Setting(stand_in=broken, chores=lambda _: [])) as place:
            said = await place.ask()

            assert (502, "engine_failed") == (said.status, said.error["code"])
            assert [] == kept_answers(tmp_path)

    run(main())


SECRET = "the vault code is 7261"
GARBAGE: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": SECRET.encode(),
    "half of it": WHOLE[:-7],
    "another form": b'["the vault code"]',
    "an object without anything": b"{}",
    "no choices": b'{"choices": []}',
    "choices of another form": b'{"choices": {"0": 1}}',
    "a choice of another form": b'{"choices": ["the vault code"]}',
    "an error": json.dumps({"error": {"message": SECRET}}).encode(),
    "an error in words": json.dumps({"error": SECRET}).encode(),
    "too deep": b'{"choices":' + b"[" * 2000 + b"]" * 2000 + b"}",
    "bytes that are no text": b'{"choices": [{"message": {"content": "\xff\xfe"}}]}',
    "half a character": b'{"choices": [{"message": {"content": "\\ud800"}, "finish_reason": "stop"}]}',
    "calls of another form": b'{"choices": [{"message": {"tool_calls": [1]}, "delta": {"tool_calls": [1]}}]}',
    "calls out of order": b'{"choices": [{"message": {"tool_calls": [{"index": 7, "function": {}}]}}]}',
    "too long": b'{"choices": [{"message": {"content": "' + b"a" * (9 * 1024 * 1024) + b'"}}]}',
}


def test_an_engine_that_sends_garbage_is_said_to_have_failed(tmp_path: Path) -> None:
    engine = OddEngine()

    async def main() -> None:
        async with town(tmp_path, Setting(stand_in=engine)) as place:
            for name, raw in GARBAGE.items():
                engine.raw, engine.events = raw, [b"data: " + raw.replace(b'"message"', b'"delta"') + b"\n\n"]
                whole, streamed = await place.ask(), await place.ask(stream=True)

                assert (502, "engine_failed") == (whole.status, whole.error["code"]), name
                assert ("failed", "") == (answer_of(streamed).outcome, streamed.text), name
                assert b"vault" not in whole.data + streamed.data
                check(streamed)
            engine.raw, engine.events = WHOLE, [delta("stop", **MESSAGE)]
            assert "answered" == answer_of(await place.ask()).outcome
            assert "answered" == answer_of(await place.ask(stream=True)).outcome

    run(main())


STREAMS: dict[str, list[bytes]] = {
    "nothing": [],
    "only the end": [b"data: [DONE]\n\n"],
    "no reason for the end": [delta(content="Hello there, resident. " * 3), b"data: [DONE]\n\n"],
    "half an event": [delta(content="Hello there, resident. " * 3), b'data: {"choices": [{"delta": {"con'],
    "garbage in between": [delta(content="Hello there, resident. " * 3), b"data: garbage\n\n", delta("stop")],
    "an error at the end": [delta(content="Hello there, resident. " * 3), event(error={"message": SECRET})],
    "one endless event": [b"data: " + b"a" * 65_536] + [b"a" * 65_536] * 20,
}


def test_a_stream_that_breaks_off_in_any_way_is_signed_as_failed(tmp_path: Path) -> None:
    engine = OddEngine()

    async def main() -> None:
        async with town(tmp_path, Setting(stand_in=engine)) as place:
            for name, events in STREAMS.items():
                engine.events = events
                said = await place.ask(stream=True)

                assert "failed" == answer_of(said).outcome, name
                assert b"vault" not in said.data
                check(said)

    run(main())


@pytest.mark.parametrize(
    ("status", "raw", "expected"),
    [
        (500, SECRET.encode(), (502, "engine_failed")),
        (404, b"", (502, "engine_failed")),
        (401, b"{}", (502, "engine_failed")),
        (302, b"", (502, "engine_failed")),
        (204, b"", (502, "engine_failed")),
        (400, b'{"error": {"type": "exceed_context_size_error", "message": "..."}}', (400, "context_length_exceeded")),
        (400, b'{"error": {"message": "Failed to parse grammar: the vault code"}}', (502, "engine_failed")),
        (500, b"a" * 3_000_000, (502, "engine_failed")),
    ],
    ids=["500", "404", "401", "302", "204", "too long", "400", "endless error"],
)
def test_errors_of_the_engine_are_told_without_its_words(
    tmp_path: Path, status: int, raw: bytes, expected: tuple[int, str]
) -> None:
    engine = OddEngine(status=status, raw=raw, events=[raw], headers={"location": "http://engine/v1/elsewhere"})

    async def main() -> None:
        async with town(tmp_path, Setting(stand_in=engine)) as place:
            for stream in (False, True):
                said = await place.ask(stream=stream)

                assert expected == (said.status, said.error["code"])
                assert b"vault" not in said.data
            assert 2 == len(place.stand_in.asked)

    run(main())


@asynccontextmanager
async def impatient(place: Town, folder: Path, total_s: float) -> AsyncIterator[None]:
    """Let the gateway wait no longer than this for its engine."""
    connector = aiohttp.UnixConnector(str(folder / "engine.sock"))
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=total_s)) as session:
        place.house.ask = lambda body: session.post(f"http://engine{CHAT}", json=body)
        yield


def test_an_engine_that_falls_silent_is_given_up(tmp_path: Path) -> None:
    engine = OddEngine(hang=True, raw=WHOLE[:50], events=[delta(content=LONG[0] + LONG[1])])

    async def main() -> None:
        async with town(tmp_path, Setting(stand_in=engine)) as place, impatient(place, tmp_path, 0.3):
            whole, streamed = await place.ask(), await place.ask(stream=True)

            assert (504, "engine_slow") == (whole.status, whole.error["code"])
            assert "failed" == answer_of(streamed).outcome
            assert streamed.text
            assert LONG[0].startswith(streamed.text[:20])
            assert "engine_slow" == next(each["error"]["code"] for each in streamed.chunks if "error" in each)
            check(streamed)
            await until(engine.hung_up.is_set)

    run(main())


@BOTH
def test_an_engine_that_never_ends_is_hung_up_on(tmp_path: Path, stream: bool) -> None:
    engine = OddEngine(endless=delta(content="x" * 60_000), events=[], raw=b'{"choices": [')

    async def main() -> None:
        async with town(tmp_path, Setting(stand_in=engine)) as place:
            said = await place.ask(stream=stream)

            if stream:
                assert "failed" == answer_of(said).outcome
                check(said)
            else:
                assert 502 == said.status
            await until(engine.hung_up.is_set)

    run(main())


def test_a_slow_engine_is_waited_for(tmp_path: Path) -> None:
    async def main() -> None:
        engine = StandIn(list(LONG), wait=asyncio.Event())
        async with town(tmp_path, Setting(stand_in=engine)) as place:
            asked = [asyncio.ensure_future(place.ask(stream=stream)) for stream in (False, True)]
            await until(lambda: 2 == len(engine.asked))
            assert engine.wait
            engine.wait.set()
            for each in await asyncio.gather(*asked):
                assert "".join(LONG) == each.text
                check(each)

    run(main())


@contextmanager
def full_disk(n_left: int, folder: Path) -> Iterator[None]:
    """Let no file of this process grow beyond the journal's size and some bytes."""
    newest = max((folder / "answers" / "journal").iterdir())
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (newest.stat().st_size + n_left, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("n_left", [0, 100])
def test_a_full_disk_ends_the_answers_until_it_has_room(tmp_path: Path, n_left: int) -> None:
    async def main() -> None:
        async with town(tmp_path, Setting(chores=lambda _: [])) as place:
            chore = Chore(LOG, 1.0, place.house.log.batch)
            assert 200 == (await place.ask()).status
            with full_disk(n_left, tmp_path):
                whole = await place.ask()
                closed = await place.ask()
                health = await exchange(place.port, request_bytes(place.port, target="/health", authorization=None))
                n_asked = len(place.stand_in.asked)
            await do_once(place.house, chore)
            after = await place.ask()
            await do_once(place.house, chore)

            assert (503, "unavailable") == (whole.status, whole.error["code"])
            assert b"library" not in whole.data
            assert (503, "closed", "1") == (closed.status, closed.error["code"], closed.headers["Retry-After"])
            assert {"status": "unavailable"} == json.loads(health.body)
            assert 2 == n_asked
            assert (200, "") == (after.status, place.house.closed)
            check(after)
            assert 2 == place.house.log.head.size

    run(main())


def test_a_stream_that_could_not_be_logged_says_so(tmp_path: Path) -> None:
    async def main() -> None:
        async with town(tmp_path, Setting(chores=lambda _: [])) as place:
            await place.ask()
            with full_disk(0, tmp_path):
                said = await place.ask(stream=True)
                refused = await place.ask("decide about benefits", stream=True)

            assert "not_logged" == next(each["error"]["code"] for each in said.chunks if "error" in each)
            assert not any("auzolan" in each for each in said.chunks)
            assert 503 == refused.status
            assert place.house.closed

    run(main())


def test_a_closed_gateway_says_why_to_whoever_may_know(tmp_path: Path) -> None:
    async def main() -> None:
        async with town(tmp_path) as place:
            place.house.reasons["the files"] = "the files: one was changed"
            said = await place.ask()
            models = await exchange(place.port, request_bytes(place.port))

            assert (503, "closed", "1") == (said.status, said.error["code"], said.headers["Retry-After"])
            assert "one was changed" in said.error["message"]
            assert 200 == models.status
            assert [] == place.stand_in.asked

    run(main())


def test_an_engine_that_is_not_ready_is_not_asked(tmp_path: Path) -> None:
    def starting() -> Any:
        raise NotReadyError("the engine is starting")

    async def main() -> None:
        async with town(tmp_path) as place:
            ready, place.house.upstream = place.house.upstream, starting
            said = await place.ask()
            health = await exchange(place.port, request_bytes(place.port, target="/health", authorization=None))
            place.house.upstream = ready

            assert (503, "unavailable", "1") == (said.status, said.error["code"], said.headers["Retry-After"])
            assert {"status": "unavailable"} == json.loads(health.body)
            assert 200 == (await place.ask()).status

    run(main())


def test_more_than_may_wait_are_told_to_come_again(tmp_path: Path) -> None:
    async def main() -> None:
        engine = StandIn(wait=asyncio.Event())
        async with town(tmp_path, Setting(stand_in=engine)) as place:
            turns = place.house.turns
            asked = [asyncio.ensure_future(place.ask(stream=at % 2 == 0)) for at in range(12)]
            await until(lambda: (4, 8) == (turns.running, turns.waiting))
            busy = await place.ask()
            health = await exchange(place.port, request_bytes(place.port, target="/health"))
            assert engine.wait
            engine.wait.set()
            answers = await asyncio.gather(*asked)

            assert (429, "busy", "1") == (busy.status, busy.error["code"], busy.headers["Retry-After"])
            assert 200 == health.status
            assert {200} == {each.status for each in answers}
            assert (0, 0) == (turns.running, turns.waiting)

    run(main())
