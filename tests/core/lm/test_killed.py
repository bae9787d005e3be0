"""kill -9 of a real process, at moments drawn by chance, and the same command again.

The server counts what it is asked. Its address has the number of the process in
it, so that what a dead process had still on the way is not taken for the next one's.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from auzolan.core.lm.generate import in_order
from auzolan.core.lm.remote import Endpoint
from auzolan.core.lm.resume import Journal, Resumed
from auzolan.core.lm.scripted import Scripted
from auzolan.core.record.errors import UsageError
from tests.core.lm.killed import HOLDS
from tests.core.lm.loopback import MODEL, Behave, Line, Loopback, Seen, asks, fails, resets, serving, texts, well

ROOT = Path(__file__).parents[3]
ABOUT = Endpoint("http://localhost/v1", MODEL).about
N = 40
MOST_KILLS = 6
HALF = 40  # bytes of an answer's headers


class Killer:
    """Kills the process that it was given when a certain request arrives; `armed` guards the rest."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.armed = threading.Lock()
        self.process: subprocess.Popen[str] | None = None
        self.left = -1
        self.moment = ""

    def arm(self, process: subprocess.Popen[str]) -> None:
        with self.armed:
            self.process = process
            self.left = self.chance.randint(1, 16)
            self.moment = self.chance.choice(["before the answer", "amid the answer", "after the answer"])

    def is_now(self) -> bool:
        with self.armed:
            self.left -= 1
            return self.left == 0

    def kill(self) -> None:
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)

    def plan(self, seen: Seen) -> Behave:
        if not self.is_now():
            # Some of what is asked fails at first, so that retries are killed too.
            return (fails("500 Oh"), resets, well, well)[seen.number % 4]
        return self.die

    def die(self, seen: Seen, line: Line) -> None:
        if self.moment == "before the answer":
            self.kill()
            line.close()
        elif self.moment == "amid the answer":
            line.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b" " * HALF)
            self.kill()
            line.close()
        else:
            well(seen, line)
            self.kill()


@contextmanager
def started(server: Loopback, journal: Path, life: int) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.core.lm.killed", f"{server.address}/{life}", str(journal), str(N), "1"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=60)


def answered(path: Path) -> set[str]:
    """Return what is asked for no more, from a copy: opening a journal repairs it."""
    copy = path.with_name("copy")
    copy.write_bytes(path.read_bytes())
    with Journal(copy, ABOUT) as journal:
        return {request.messages[-1].text for request in asks(N) if request in journal}


@pytest.mark.parametrize("seed", [1, 2])
def test_what_was_answered_is_never_asked_again_after_a_kill(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "answers.jsonl"
    killer = Killer(seed)
    done_before: list[set[str]] = [set()]
    with serving(killer.plan) as server:
        for life in range(MOST_KILLS):
            with started(server, path, life) as process:
                killer.arm(process)
                process.communicate(timeout=60)
            done_before.append(answered(path) if path.exists() else set())
        with started(server, path, MOST_KILLS) as process:
            out, err = process.communicate(timeout=60)
        asked = [(int(seen.path.split("/")[1]), seen.text) for seen in server.seen]

    assert [] == [(life, text) for life, text in asked if text in done_before[life]]
    assert done_before == sorted(done_before, key=len)
    assert 0 < len(done_before[-1]) < N
    assert ("", [HOLDS, *texts(asks(N))]) == (err, out.splitlines())


def test_a_second_process_is_refused_while_the_first_lives(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    released = threading.Event()

    def held(seen: Seen, line: Line) -> None:
        released.wait(timeout=60)
        well(seen, line)

    with serving(lambda seen: held) as server, started(server, path, 0) as process:
        assert process.stdout is not None
        assert f"{HOLDS}\n" == process.stdout.readline()
        with pytest.raises(UsageError, match="another process is writing the journal"):
            Journal(path, ABOUT)
        process.kill()
        process.wait(timeout=60)
        released.set()
    with Journal(path, ABOUT) as journal:
        found = in_order(Resumed(Scripted(lambda request: "yes"), journal), asks(2))

    assert ["yes", "yes"] == [completion.text for completion in found]
