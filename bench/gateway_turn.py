"""One gateway's turn: it is started, asked one by one, many at once, for streams, for long, and ended."""

from __future__ import annotations

import asyncio
import itertools
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import uvloop

from bench.gateway_load import Line, Target, at_once
from bench.gateway_place import Place, environment
from bench.gateway_systems import System
from bench.gateway_tree import Tree, running
from bench.gateway_work import N_TOKENS, RefusedError, WrongAnswerError, is_answered
from bench.measure import quantile, spread

CLIENTS, STREAMS, LONG = 16, 8, 8  # connections
SECONDS = 180.0  # for one case
SAMPLES = 10  # of the memory, while it is asked for long
_TO_START = 120.0
_WARM = 100  # asked before anything is timed: LiteLLM does half a second of work once, after its first answer
BLOCK = 25  # asked of one, then of the other, so that both meet the same noise


class Numbers(NamedTuple):
    """How much is asked in a turn of a gateway that is quick.

    Attributes:
        one_by_one: requests, each after the answer to the one before.
        at_once: requests over `CLIENTS` connections.
        streams: over `STREAMS` connections.
        long: requests over `LONG` connections, once and not in each round.
    """

    one_by_one: int
    at_once: int
    streams: int
    long: int

    def of(self, system: System) -> Numbers:
        """Return what this gateway is asked."""
        share = system.share
        return Numbers(
            max(self.one_by_one // share.one_by_one, BLOCK),
            max(self.at_once // share.at_once, CLIENTS),
            max(self.streams // share.streams, STREAMS),
            max(self.long // share.long, SAMPLES),
        )


class Site(NamedTuple):
    """Where everything is.

    Attributes:
        cpu: for gateways; the stand-in and this process are on another where there is one.
        backend: port of the stand-in.
        venvs: folder of the peers' environments.
    """

    cpu: int
    backend: int
    venvs: Path


class Turn(NamedTuple):
    """What a turn has shown; times in milliseconds but where it says so, memory in megabytes.

    Attributes:
        asked: how much, `Numbers` without the last.
        start_s: seconds from its start to its first right answer.
        one_cpu: CPU time per request, one by one.
        direct: median, 99th percentile and median until the first token, of the stand-in asked directly.
        through: the same, through the gateway, in turn with that.
        many_cpu: CPU time per request, many at once.
        many: median and 99th percentile of these.
        per_second: how many of these were answered.
        token_us: microseconds of CPU time per token, streams at once.
        tokens_per_second: of these streams.
        rss: after the first answer, and after all of them.
    """

    asked: tuple[int, int, int]
    start_s: float
    one_cpu: float
    direct: tuple[float, float, float]
    through: tuple[float, float, float]
    many_cpu: float
    many: tuple[float, float]
    per_second: float
    token_us: float
    tokens_per_second: float
    rss: tuple[float, float]


class Long(NamedTuple):
    """What asking for long has shown: requests, CPU time per request in ms, and (answered, megabytes) on the way."""

    asked: int
    cpu: float
    rss: list[tuple[int, float]]


class Served(NamedTuple):
    """A gateway that answers."""

    tree: Tree
    target: Target
    start_s: float


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def served(system: System, site: Site) -> Iterator[Served]:
    """Run a gateway before the stand-in for as long as the block lasts; stop, with its last words, where it errs."""
    with tempfile.TemporaryDirectory() as folder:
        (home := Path(folder) / "home").mkdir()
        output = Path(folder) / "output.txt"
        port = free_port()
        launch = system.start(Place(home, port, f"http://127.0.0.1:{site.backend}", site.venvs))
        started = time.perf_counter()
        with running(launch.command, environment(home, launch.env), site.cpu, output) as tree:
            target = Target(port, launch.headers, launch.holds)
            try:
                yield Served(tree, target, first_answer(tree, target, started))
            except (WrongAnswerError, TimeoutError, OSError) as wrong:
                said = output.read_text(errors="replace").strip()[-1500:]
                raise SystemExit(f"{system.name}: {wrong!r}\nit wrote:\n{said}") from wrong


def first_answer(tree: Tree, target: Target, started: float | None = None) -> float:
    """Ask until the first right answer; return the seconds since it was started, or since now."""
    started = time.perf_counter() if started is None else started
    while True:
        tree.check()
        try:
            line = Line(target)
            try:
                line.ask(1)
                return time.perf_counter() - started
            finally:
                line.close()
        except (OSError, RefusedError):
            if time.perf_counter() - started > _TO_START:
                raise
            time.sleep(0.005)


def take_turn(system: System, site: Site, numbers: Numbers) -> Turn:
    """Run all cases but the long one."""
    asked = numbers.of(system)
    with served(system, site) as (tree, target, start_s):
        held = tree.rss()
        if system.refuses:
            _check_refusal(target, system.refuses)
        one_cpu, direct, through = _one_by_one(tree, target, Target(site.backend), asked.one_by_one)
        many_cpu, took, wall = _many(tree, target, asked.at_once, CLIENTS)
        stream_cpu, _, stream_wall = _many(tree, target, asked.streams, STREAMS, stream=True)
        return Turn(
            asked=asked[:3],
            start_s=start_s,
            one_cpu=one_cpu,
            direct=direct,
            through=through,
            many_cpu=many_cpu,
            many=(spread(took).median, quantile(took, 0.99)),
            per_second=asked.at_once / wall,
            token_us=stream_cpu / N_TOKENS * 1e3,
            tokens_per_second=asked.streams * N_TOKENS / stream_wall,
            rss=(held, tree.rss()),
        )


def _check_refusal(target: Target, about: str) -> None:
    """Stop where something is passed on that must not be, streamed or not: its checks would not be on."""
    for stream in (False, True):
        line = Line(target)
        try:
            body = bytes(line.send(target.request(1, stream=stream, about=about)).body)
        finally:
            line.close()
        if is_answered(body):
            raise WrongAnswerError(f"expected a refusal of {about!r}, got {body[:300]!r}")


def ask_long(system: System, site: Site, numbers: Numbers) -> Long:
    """Ask many times, and look at the memory on the way."""
    n = numbers.of(system).long // SAMPLES
    with served(system, site) as (tree, target, _):
        held, spent = [(0, tree.rss())], 0.0
        for sample in range(1, SAMPLES + 1):
            cpu, _, _ = _many(tree, target, n, LONG, warm=False)
            spent += cpu / SAMPLES
            held.append((sample * n, tree.rss()))
    return Long(n * SAMPLES, spent, held)


def _one_by_one(
    tree: Tree, target: Target, direct: Target, n: int
) -> tuple[float, tuple[float, float, float], tuple[float, float, float]]:
    """Ask the gateway and the stand-in in turn; return CPU time per request of the gateway, and both's times."""
    lines = (Line(direct), Line(target))
    try:
        _blocks(lines, _WARM)
        before = tree.cpu()
        wholes = _blocks(lines, n)
        cpu = (tree.cpu() - before) * 1e3 / len(wholes[0])
        _blocks(lines, BLOCK, stream=True)
        streams = _blocks(lines, max(n // 10, BLOCK), stream=True)
    finally:
        for line in lines:
            line.close()
    times = [
        (spread(whole).median, quantile(whole, 0.99), spread(first).median)
        for whole, first in zip(wholes, streams, strict=True)
    ]
    return cpu, times[0], times[1]


def _blocks(lines: tuple[Line, Line], n: int, *, stream: bool = False) -> tuple[list[float], list[float]]:
    """Ask both in turn, some questions at a time; return the milliseconds to whole answers, or to first tokens."""
    took: tuple[list[float], list[float]] = ([], [])
    numbers, ends = itertools.count(1), time.perf_counter() + SECONDS
    for _ in range(-(-n // BLOCK)):
        for line, times in zip(lines, took, strict=True):
            times += [line.ask(next(numbers), stream=stream)[stream] * 1e3 for _ in range(BLOCK)]
        if time.perf_counter() > ends:
            raise TimeoutError(f"not done within {SECONDS:g} s")
    return took


def _many(
    tree: Tree, target: Target, n: int, n_lines: int, *, stream: bool = False, warm: bool = True
) -> tuple[float, list[float], float]:
    """Ask over many connections; return CPU time per request and each time, in ms, and the seconds of all."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        if warm:
            runner.run(at_once(target, iter(range(2 * n_lines)), n_lines, stream=stream, seconds=SECONDS))
        before, started = tree.cpu(), time.perf_counter()
        took = runner.run(at_once(target, iter(range(n)), n_lines, stream=stream, seconds=SECONDS))
        wall, cpu = time.perf_counter() - started, tree.cpu() - before
    return cpu * 1e3 / n, [each * 1e3 for each in took], wall
