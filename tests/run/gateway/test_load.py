"""Under load: floods are bounded and end with their cause, and a signal ends nothing halfway."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from pathlib import Path

import aiohttp

from tests.run.gateway.alone import MOST_FILES, Process, open_log, process
from tests.run.gateway.raw import chat_bytes, request_bytes
from tests.run.gateway.stand_in import StandIn
from tests.run.gateway.test_faults import until
from tests.run.gateway.town import run

CHAT = "/v1/chat/completions"
MOST_MB = 150
RECOVERY_S = 5.0
BODY = {"model": "town", "messages": [{"role": "user", "content": "When does the library open?"}]}


async def flood(gateway: Process, data: bytes, n: int) -> list[asyncio.StreamWriter]:
    """Open connections, send the same on each, and read nothing; what is not taken in a second is left."""
    found = await asyncio.gather(*[_opened(gateway, data) for _ in range(n)])
    return [each for each in found if each]


async def _opened(gateway: Process, data: bytes) -> asyncio.StreamWriter | None:
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(1.0):
            _, writer = await asyncio.open_connection("127.0.0.1", gateway.port, limit=1024)
        writer.write(data)
        return writer
    return None


def end(writers: list[asyncio.StreamWriter]) -> None:
    """Let go of all of them."""
    for writer in writers:
        writer.transport.abort()


async def asked(session: aiohttp.ClientSession, *, stream: bool = False) -> tuple[int, bytes]:
    """Ask a question."""
    async with session.post(CHAT, json={**BODY, "stream": stream}) as reply:
        return reply.status, await reply.read()


async def recovered(gateway: Process) -> None:
    """Wait until a new client is answered, as long as that may take after a flood."""
    async with asyncio.timeout(RECOVERY_S), gateway.session() as after:
        while 200 != (await asked(after))[0]:
            await asyncio.sleep(0.05)


def test_a_flood_of_connections_is_bounded_and_over_when_it_ends(tmp_path: Path) -> None:
    async def main() -> None:
        async with process(tmp_path, StandIn()) as gateway, gateway.session() as before:
            assert 200 == (await asked(before))[0]
            started = request_bytes(gateway.port, "POST", CHAT, chat_bytes(), connection="keep-alive")
            kinds = [b"", b"GET /health HTTP/1.1\r\nHost: 127", started[:-10], started]
            writers = [each for data in kinds for each in await flood(gateway, data, 100)]

            assert len(writers) > 200
            assert gateway.n_files < MOST_FILES
            end(writers)
            await recovered(gateway)
            assert gateway.rss_mb < MOST_MB
            await until(lambda: gateway.n_files < 40)

    run(main())


def test_whoever_is_connected_is_served_during_a_flood(tmp_path: Path) -> None:
    async def main() -> None:
        async with process(tmp_path, StandIn()) as gateway, gateway.session() as before:
            await asked(before)
            writers = await flood(gateway, b"GET /health HTTP/1.1\r\nHost: 127", 300)
            async with asyncio.timeout(RECOVERY_S):
                for stream in (False, True):
                    assert 200 == (await asked(before, stream=stream))[0]
            end(writers)

    run(main())


def test_bodies_that_do_not_come_keep_no_more_than_a_few_places(tmp_path: Path) -> None:
    async def main() -> None:
        async with process(tmp_path, StandIn()) as gateway, gateway.session() as client:
            body = chat_bytes("a" * 1_040_000)
            writers = await flood(gateway, request_bytes(gateway.port, "POST", CHAT, body)[:-10], 100)
            await until(lambda: gateway.n_files > 40)

            assert 429 == (await asked(client))[0]
            assert gateway.rss_mb < MOST_MB
            end(writers)
            await recovered(gateway)

    run(main())


def test_more_questions_than_it_can_answer_are_told_to_come_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with process(tmp_path, StandIn()) as gateway, gateway.session() as client:
            said = await asyncio.gather(*[asked(client, stream=at % 2 == 0) for at in range(300)])

            assert {200} <= {status for status, _ in said} <= {200, 429}
            assert 200 == (await asked(client))[0]
            assert gateway.rss_mb < MOST_MB

    run(main())


def test_answers_that_nobody_reads_do_not_fill_the_memory(tmp_path: Path) -> None:
    long = StandIn(["Nothing much is said here, at some length. " * 4] * 1_000)

    async def main() -> None:
        async with process(tmp_path, long) as gateway:
            writers = await flood(gateway, request_bytes(gateway.port, "POST", CHAT, chat_bytes(stream=True)), 24)
            await until(lambda: len(long.asked) >= 12, 20.0)
            end(writers)
            await recovered(gateway)
            assert gateway.rss_mb < MOST_MB

    run(main())


async def refused(port: int) -> bool:
    """Say whether connections are refused by now."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return True
    writer.close()
    return False


def test_a_signal_lets_what_is_under_way_finish_and_logs_it(tmp_path: Path) -> None:
    async def main() -> None:
        engine = StandIn(
            ["All is well, and all is long enough to be sent at once. ", "It goes on."], wait=asyncio.Event()
        )
        async with process(tmp_path, engine) as gateway, gateway.session() as client:
            both = [asyncio.ensure_future(asked(client, stream=stream)) for stream in (True, False)]
            await until(lambda: 2 == len(engine.asked))
            gateway.child.send_signal(signal.SIGTERM)
            async with asyncio.timeout(5):
                while not await refused(gateway.port):
                    await asyncio.sleep(0.01)
            assert engine.wait
            engine.wait.set()
            (status, streamed), (other, whole) = await asyncio.gather(*both)
            code = await asyncio.wait_for(gateway.child.wait(), 10)

            assert (200, 200, 0) == (status, other, code)
            assert streamed.endswith(b"data: [DONE]\n\n")
            assert b"It goes on." in streamed
            assert b"auzolan_receipt" in streamed
            assert b"auzolan_receipt" in whole

    run(main())
    log = open_log(tmp_path)
    try:
        assert 2 == log.head.size
        assert [] == [each for each in (tmp_path / "answers" / "journal").iterdir() if each.stat().st_size]
    finally:
        log.close()


def test_a_signal_ends_also_what_does_not_end_by_itself(tmp_path: Path) -> None:
    async def main() -> None:
        engine = StandIn(["All is well, and all is long enough to be sent at once. "] * 2, wait=asyncio.Event())
        async with process(tmp_path, engine, grace_s=1) as gateway, gateway.session() as client:
            streamed = asyncio.ensure_future(asked(client, stream=True))
            await until(lambda: 1 == len(engine.asked))
            gateway.child.send_signal(signal.SIGTERM)
            code = await asyncio.wait_for(gateway.child.wait(), 20)
            with suppress(aiohttp.ClientError):
                await streamed

            assert 0 == code

    run(main())
    log = open_log(tmp_path)
    try:
        assert 1 == log.head.size
    finally:
        log.close()
