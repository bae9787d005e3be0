"""Clients that leave, do not read, do not finish, or do not speak HTTP: nothing of theirs stays behind."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from auzolan.run.gateway import body
from tests.run.gateway.odd_engine import OddEngine, delta
from tests.run.gateway.raw import chat_bytes, exchange, request_bytes
from tests.run.gateway.stand_in import StandIn
from tests.run.gateway.test_faults import LONG, kept_answers, until
from tests.run.gateway.town import Setting, Town, run, service_of, town

CHAT = "/v1/chat/completions"


@asynccontextmanager
async def leaving_client(place: Town, **more: Any) -> AsyncIterator[asyncio.StreamReader]:
    """Ask on a connection that is closed rudely at the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    writer.write(request_bytes(place.port, "POST", CHAT, chat_bytes(**more)))
    try:
        yield reader
    finally:
        writer.transport.abort()


def test_of_a_client_that_leaves_what_it_was_sent_is_signed_and_the_engine_stops(tmp_path: Path) -> None:
    engine = OddEngine(hang=True, events=[delta(content=text) for text in LONG])
    setting = Setting(service=service_of(retention_days=1), keep_days=1, stand_in=engine, chores=lambda _: [])

    async def main() -> None:
        async with town(tmp_path, setting) as place:
            async with leaving_client(place, stream=True) as reader:
                read = await reader.readuntil(LONG[2].encode()[:20])
            await until(engine.hung_up.is_set)
            await until(lambda: bool(kept_answers(tmp_path)))
            (answer,) = kept_answers(tmp_path)
            (kept,) = (json.loads(each.read_bytes()) for each in (tmp_path / "contents").rglob("*.json"))

            assert "left" == answer.outcome
            assert b"Sentence 0" in read
            assert "".join(LONG).startswith(kept["answer"])
            assert LONG[2][:20] in kept["answer"]
            await until(lambda: 0 == place.house.turns.running)

    run(main())


def test_whoever_leaves_before_a_whole_answer_stops_the_engine(tmp_path: Path) -> None:
    engine = OddEngine(hang=True, raw=b" ")

    async def main() -> None:
        async with town(tmp_path, Setting(stand_in=engine, chores=lambda _: [])) as place:
            async with leaving_client(place):
                await until(lambda: 1 == len(engine.asked))
            await until(engine.hung_up.is_set)
            await until(lambda: 0 == place.house.turns.running)

            assert [] == kept_answers(tmp_path)

    run(main())


def test_of_an_answer_that_nobody_reads_no_more_is_taken_than_its_tokens_need(tmp_path: Path) -> None:
    piece = delta(content="All is well and nothing is said here. " * 200)
    engine = OddEngine(endless=piece, events=[])

    async def main() -> None:
        setting = Setting(stand_in=engine, chores=lambda _: [])
        async with town(tmp_path, setting) as place, leaving_client(place, stream=True, max_tokens=100):
            await until(engine.hung_up.is_set)
            await until(lambda: bool(kept_answers(tmp_path)))

            assert "failed" == kept_answers(tmp_path)[0].outcome
            assert engine.n_sent * len(piece) < 8 * 1024 * 1024  # most of it in the sockets' buffers
            assert 0 == place.house.turns.running

    run(main())


def post(port: int, content: bytes, **changed: Any) -> bytes:
    return request_bytes(port, "POST", CHAT, content, **changed)


def test_a_body_that_comes_byte_by_byte_is_read(tmp_path: Path) -> None:
    async def main() -> None:
        async with town(tmp_path) as place:
            reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
            for byte in post(place.port, chat_bytes()):
                writer.write(bytes([byte]))
                await writer.drain()

            assert (await reader.read()).startswith(b"HTTP/1.1 200")
            writer.close()

    run(main())


def test_a_body_that_does_not_come_is_not_waited_for_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "BODY_PATIENCE_S", 0.1)

    async def main() -> None:
        async with town(tmp_path) as place:
            for data in (
                post(place.port, chat_bytes(), content_length="9999"),
                post(place.port, chat_bytes(), content_length=None, transfer_encoding="chunked")[: -len(chat_bytes())],
            ):
                wire = await exchange(place.port, data)
                assert (408, "too_slow") == (wire.status, wire.code)

            assert 200 == (await place.ask()).status

    run(main())


def test_whoever_leaves_before_the_body_ends_is_forgotten(tmp_path: Path) -> None:
    async def main() -> None:
        async with town(tmp_path) as place:
            for _ in range(20):
                _, writer = await asyncio.open_connection("127.0.0.1", place.port)
                writer.write(post(place.port, chat_bytes(), content_length="9999"))
                await writer.drain()
                writer.transport.abort()

            assert 200 == (await place.ask()).status
            assert 1 == len(place.stand_in.asked)

    run(main())


def chunked(content: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(content), content)


MANY = chunked(b" " * 65_536) * 40 + b"0\r\n\r\n"


def test_too_large_a_body_is_refused_however_it_is_announced(tmp_path: Path) -> None:
    async def main() -> None:
        async with town(tmp_path) as place:
            json_type: dict[str, Any] = {"content_type": "application/json"}
            start = request_bytes(place.port, "POST", CHAT, transfer_encoding="chunked", **json_type)
            short: dict[str, Any] = {"content_length": "5", "transfer_encoding": "chunked", **json_type}
            for data in (
                post(place.port, b" " * (body.MAX_BODY_BYTES + 1)),
                post(place.port, b" ", content_length=str(10**12)),
                start + MANY,
                request_bytes(place.port, "POST", CHAT, **short) + MANY,
                request_bytes(place.port, "POST", CHAT, **dict(reversed(short.items()))) + MANY,
            ):
                wire = await exchange(place.port, data)
                assert wire.status in (413, 400, 0), wire  # 0: it hung up on what still came
                assert b"not JSON" not in wire.body

            assert (413, "too_large") == (
                (await exchange(place.port, post(place.port, b" ", content_length="1048577"))).status,
                "too_large",
            )
            assert 200 == (await exchange(place.port, start + chunked(chat_bytes()) + b"0\r\n\r\n")).status

    run(main())


INVALID: dict[str, tuple[bytes, tuple[int, ...]]] = {
    "nothing": (b"\r\n\r\n", (0, 400)),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 64, (0, 400)),
    "no version": (b"GET /health\r\n\r\n", (0, 400)),
    "another version": (b"GET /health HTTP/3.7\r\n\r\n", (0, 400)),
    "a newer HTTP": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (0, 400)),
    "no name of a header": (b"GET /health HTTP/1.1\r\n: x\r\n\r\n", (0, 400)),
    "a space before the colon": (b"GET /health HTTP/1.1\r\nHost : x\r\n\r\n", (0, 400)),
    "a folded header": (b"GET /health HTTP/1.1\r\nHost: x\r\n y\r\n\r\n", (0, 400)),
    "a NUL": (b"GET /health HTTP/1.1\r\nHost: x\0y\r\n\r\n", (0, 400)),
    "two lengths": (b"POST /x HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", (0, 400)),
    "a length below zero": (b"POST /x HTTP/1.1\r\nContent-Length: -1\r\n\r\n", (0, 400)),
    "a length that is none": (b"POST /x HTTP/1.1\r\nContent-Length: 0x10\r\n\r\n", (0, 400)),
    "another coding": (b"POST /x HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", (0, 400)),
    "coded twice": (b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", (0, 400)),
    "too long a header": (b"GET /health HTTP/1.1\r\nX: " + b"a" * 200_000 + b"\r\n\r\n", (0, 400, 431)),
    "too many headers": (b"GET /health HTTP/1.1\r\n" + b"X: a\r\n" * 5_000 + b"\r\n", (0, 400, 431)),
    "too long a line": (b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n", (0, 400, 414, 431)),
    "a line without end": (b"G" * 200_000, (0, 400, 414, 431)),
}


def test_what_is_no_http_is_turned_away_and_changes_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with town(tmp_path) as place:
            for name, (data, statuses) in INVALID.items():
                wire = await exchange(place.port, data, ends=True)
                assert wire.status in statuses, (name, wire.data[:80])

            assert 200 == (await place.ask()).status

    run(main())


def test_requests_that_come_one_behind_the_other_are_answered_in_order(tmp_path: Path) -> None:
    async def main() -> None:
        async with town(tmp_path) as place:
            first = post(place.port, chat_bytes(stream=True), connection="keep-alive")
            second = request_bytes(place.port, connection="keep-alive")
            third = request_bytes(place.port, target="/nowhere")
            wire = await exchange(place.port, first + second + third)
            parts = wire.data.split(b"HTTP/1.1 ")[1:]

            assert [b"200", b"200", b"404"] == [part[:3] for part in parts]
            assert b"data: [DONE]" in parts[0]
            assert b"town-base" in parts[1]

    run(main())


def test_whoever_leaves_the_queue_makes_room(tmp_path: Path) -> None:
    async def main() -> None:
        engine = StandIn(wait=asyncio.Event())
        async with town(tmp_path, Setting(stand_in=engine)) as place:
            turns = place.house.turns
            asked = [asyncio.ensure_future(place.ask()) for _ in range(4)]
            await until(lambda: 4 == turns.running)
            async with leaving_client(place):
                await until(lambda: 1 == turns.waiting)
            await until(lambda: 0 == turns.waiting)
            assert engine.wait
            engine.wait.set()

            assert {200} == {each.status for each in await asyncio.gather(*asked)}
            assert 4 == len(engine.asked)

    run(main())
