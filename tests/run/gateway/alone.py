"""A synthetic town's gateway in a process of its own, with few descriptors; its engine is elsewhere."""

from __future__ import annotations

import asyncio
import resource
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import uvloop

from auzolan.core.record.keystore import PROMISED, Memory
from auzolan.run.answers.log import AnswerLog
from auzolan.run.gateway.keeper import Chore, keep
from auzolan.run.gateway.server import Gateway, serve
from auzolan.run.gateway.talk import LOG
from tests.run.gateway.stand_in import StandIn
from tests.run.gateway.town import KEY, TOKEN, Setting, free_port, house_of

ROOT = Path(__file__).parents[3]
MOST_FILES = 128
AT_ONCE = 24  # as `run serve` has it for the limits of the town's rules


def open_log(folder: Path) -> AnswerLog:
    """Open the town's log of answers."""
    return AnswerLog.open(folder / "answers", KEY, Setting().service.origin, Memory(folder / "home", PROMISED))


async def alone(folder: Path, port: int, grace_s: int, log: AnswerLog) -> None:
    """Serve until a signal comes."""
    connector = aiohttp.UnixConnector(str(folder / "engine.sock"), limit=0)
    async with aiohttp.ClientSession(connector=connector) as engine:
        house = house_of(folder, Setting(), port, log, engine)
        chores = [Chore(LOG, 0.05, log.batch)]
        await serve(
            Gateway(house),
            port,
            lambda: keep(house, chores),
            lambda: print("ready", flush=True),
            at_once=AT_ONCE,
            grace_s=grace_s,
        )


@dataclass
class Process:
    """A gateway in a process of its own.

    Attributes:
        child: the process.
        port: that it listens on.
        stand_in: what answers, in this process.
    """

    child: asyncio.subprocess.Process
    port: int
    stand_in: StandIn

    @property
    def rss_mb(self) -> float:
        """The memory that it ever took, in MB."""
        status = Path(f"/proc/{self.child.pid}/status").read_text(encoding="ascii")
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1000

    @property
    def n_files(self) -> int:
        """How many descriptors it has open."""
        return len(list(Path(f"/proc/{self.child.pid}/fd").iterdir()))

    def session(self) -> aiohttp.ClientSession:
        """Return a client that bears the token."""
        connector = aiohttp.TCPConnector(limit=0)
        return aiohttp.ClientSession(
            f"http://127.0.0.1:{self.port}", headers={"Authorization": f"Bearer {TOKEN}"}, connector=connector
        )


@asynccontextmanager
async def process(folder: Path, stand_in: StandIn, grace_s: int = 10) -> AsyncIterator[Process]:
    """Run one meanwhile."""
    port = free_port()
    async with stand_in.running(folder / "engine.sock"):
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.run.gateway.alone",
            str(folder),
            str(port),
            str(grace_s),
            stdout=asyncio.subprocess.PIPE,
            cwd=ROOT,
        )
        try:
            assert child.stdout
            async with asyncio.timeout(20):
                assert b"ready\n" == await child.stdout.readline()
                await _listening(port)
            yield Process(child, port, stand_in)
        finally:
            if child.returncode is None:
                child.send_signal(signal.SIGKILL)
            await child.communicate()


async def _listening(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.01)
            continue
        writer.close()
        return


def main(folder: Path, port: int, grace_s: int) -> None:
    """Run the gateway, with few descriptors."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (MOST_FILES, MOST_FILES))
    log = open_log(folder)
    try:
        uvloop.run(alone(folder, port, grace_s, log))
    finally:
        log.batch()
        log.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
