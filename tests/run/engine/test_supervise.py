"""The engine's child and its keeper, with a stand-in for llama.cpp (which test_xllamacpp has)."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from auzolan.core.record.errors import MissingError, NotCheckedError, StorageError, UsageError, VerificationError
from auzolan.run.engine.asking import ask
from auzolan.run.engine.engine_files import EngineFile, OpenFiles, find_program, identity_of
from auzolan.run.engine.sandbox import Bwrap
from auzolan.run.engine.supervise import EngineChild
from auzolan.run.engine.upstream import NotReadyError, Slot, Upstream
from tests.run.engine.engines import (
    BWRAP,
    HANGS,
    NONE,
    both,
    crash,
    descendants,
    made,
    needs_bwrap,
    noticed,
    told,
)


@both
def test_it_starts_and_says_what_it_loaded(bwrap: Bwrap, tmp_path: Path) -> None:
    async def story(child: EngineChild, upstream: Upstream) -> None:
        assert child.ready
        assert {"one": Slot(0, 500), "two": Slot(1, 500)} == upstream.slots
        assert {"gguf": "0" * 64, "gguf.adapter.1": "1" * 64, "gguf.adapter.2": "1" * 64} == upstream.loaded
        assert (
            ("bubblewrap", "verified")
            if bwrap.path
            else ("none", "claimed")
            == (
                upstream.engine.sandbox,
                upstream.integrity,
            )
        )
        assert 0o700 == os.stat(os.path.dirname(upstream.socket)).st_mode & 0o777
        assert 0o600 == os.stat(upstream.socket).st_mode & 0o777

    assert "stopped" == told(tmp_path, bwrap, story).state


@both
def test_a_crash_is_followed_by_a_restart_at_the_same_address(bwrap: Bwrap, tmp_path: Path) -> None:
    async def story(child: EngineChild, upstream: Upstream) -> None:
        for restarts in (1, 2):
            await asyncio.to_thread(crash, upstream)
            await noticed(child)
            await child.until_ready(30)

            assert restarts == child.restarts
            assert {"status": "ok"} == await asyncio.to_thread(ask, upstream.socket, "/health", dict(upstream.headers))
            assert upstream == child.upstream()

    told(tmp_path, bwrap, story)


@both
def test_it_runs_in_the_gateways_event_loop(bwrap: Bwrap, tmp_path: Path) -> None:
    uvloop = pytest.importorskip("uvloop", reason="NOT CHECKED: the run extra (uvloop) is not installed")
    child = made(tmp_path, bwrap)

    async def story() -> None:
        try:
            upstream = await child.start()
            await asyncio.to_thread(crash, upstream)
            await noticed(child)
            await child.until_ready(30)
        finally:
            await child.stop()

    uvloop.run(story())

    assert (1, "stopped") == (child.restarts, child.state)
    assert [] == os.listdir(tmp_path / "s")


@both
def test_a_killed_engine_says_so_until_it_is_back(bwrap: Bwrap, tmp_path: Path) -> None:
    async def story(child: EngineChild, upstream: Upstream) -> None:
        assert child.pid
        os.kill(child.pid, signal.SIGKILL)
        await noticed(child)

        assert "crashed: it was ended by SIGKILL" == child.state
        with pytest.raises(NotReadyError, match="ended by SIGKILL"):
            await child.until_ready(0)
        await child.until_ready(30)

    told(tmp_path, bwrap, story)


@both
def test_a_hung_engine_is_started_again(bwrap: Bwrap, tmp_path: Path) -> None:
    async def story(child: EngineChild, upstream: Upstream) -> None:
        assert child.pid
        for each in descendants(child.pid) or [child.pid]:
            os.kill(each, signal.SIGSTOP)
        await noticed(child)

        assert "crashed: it answered no more" == child.state
        await child.until_ready(30)
        assert {"status": "ok"} == await asyncio.to_thread(ask, upstream.socket, "/health", dict(upstream.headers))

    told(tmp_path, bwrap, story, look_seconds=0.2, grace_seconds=0.2)


@both
def test_an_engine_that_answers_is_left_alone(bwrap: Bwrap, tmp_path: Path) -> None:
    async def story(child: EngineChild, upstream: Upstream) -> None:
        before = child.pid
        await asyncio.sleep(1.0)

        assert (before, 0) == (child.pid, child.restarts)

    told(tmp_path, bwrap, story, look_seconds=0.05)


def place(number: int, path: str, scale: float = 0.0) -> dict[str, Any]:
    return {"id": number, "path": path, "scale": scale}


INSIDE = [f"/engine/files/{number}-{'1' * 64}.gguf" for number in (1, 2)]


@needs_bwrap
@pytest.mark.parametrize(
    "adapters",
    [
        [], [place(0, INSIDE[0])], [place(0, INSIDE[1]), place(1, INSIDE[0])],
        [place(0, INSIDE[0]), place(1, "/x.gguf")],
        [place(0, INSIDE[0], 1.0), place(1, INSIDE[1])], [place(1, INSIDE[0]), place(0, INSIDE[1])],
        [place(0, INSIDE[0]), place(1, INSIDE[1]), place(2, "/more.gguf")], {}, [None, None],
    ],
)  # fmt: skip
def test_an_engine_with_other_adapters_than_asked_for_is_refused(adapters: Any, tmp_path: Path) -> None:
    async def story(child: EngineChild, upstream: Upstream) -> None:
        raise AssertionError("it started")

    with pytest.raises(VerificationError, match=r"the engine (lists|does not list)"):
        told(tmp_path, BWRAP, story, {"adapters": adapters})

    assert [] == os.listdir(tmp_path / "s")


@both
@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"fails": "no such architecture"}, "no such architecture"),
        ({"health": "error"}, "not healthy"),
        (HANGS, "did not load within 0.05 seconds"),
    ],
)
def test_an_engine_that_does_not_load_says_why(bwrap: Bwrap, how: dict[str, Any], said: str, tmp_path: Path) -> None:
    async def story(child: EngineChild, upstream: Upstream) -> None:
        raise AssertionError("it started")

    with pytest.raises(NotCheckedError, match=said):
        told(tmp_path, bwrap, story, how)

    assert [] == os.listdir(tmp_path / "s")


@both
def test_what_the_engine_complains_about_while_it_serves_is_not_kept(bwrap: Bwrap, tmp_path: Path) -> None:
    lines = ["parse error at: my name is Nobody", "/x/ggml.c:12: GGML_ASSERT(a == b) failed my name is Nobody"]

    async def story(child: EngineChild, upstream: Upstream) -> None:
        target = f"/complain?{urlencode({'line': lines}, doseq=True)}"
        await asyncio.to_thread(ask, upstream.socket, target, dict(upstream.headers))

    child = told(tmp_path, bwrap, story)

    assert ("/x/ggml.c:12: GGML_ASSERT(a == b) failed",) == child.errors.lines
    assert 1 == child.errors.not_kept


def test_a_file_that_is_swapped_under_its_name_changes_nothing(tmp_path: Path) -> None:
    async def story(child: EngineChild, upstream: Upstream) -> None:
        (tmp_path / "evil").write_text(json.dumps({"adapters": []}))
        (tmp_path / "evil").replace(tmp_path / "model.gguf")
        await asyncio.to_thread(crash, upstream)
        await noticed(child)
        await child.until_ready(30)  # it has read the open file again, in which nothing is wrong

    told(tmp_path, NONE, story)


def test_a_file_that_is_written_to_is_not_loaded_again(tmp_path: Path) -> None:
    async def story(child: EngineChild, upstream: Upstream) -> None:
        (tmp_path / "one.gguf").write_text("another one")
        with pytest.raises(VerificationError, match="was changed while it was loaded"):
            child.check_files()
        await asyncio.to_thread(crash, upstream)
        await noticed(child)
        while "was changed" not in child.state:
            await asyncio.sleep(0)
        with pytest.raises(NotReadyError, match="was changed while it was loaded"):
            await child.until_ready(30)

        assert 0 == child.restarts

    told(tmp_path, NONE, story)


def test_a_file_that_was_changed_after_it_was_hashed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    path.write_text("hashed")
    with open(path) as file:
        was = identity_of(file.fileno())
    path.write_text("another one")
    with pytest.raises(VerificationError, match="changed after it was checked"):
        OpenFiles([EngineFile("a", str(path), "0" * 64, identity=was)])


def test_the_descriptor_of_who_hashed_the_file_is_what_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    path.write_text("hashed")
    with open(path) as file:
        path.unlink()
        path.write_text("another one")
        opened = OpenFiles([EngineFile("a", str(path), "0" * 64, descriptor=file.fileno())])
    try:
        assert "hashed" == Path(opened.outside()[0]).read_text()
    finally:
        opened.close()


def test_what_is_no_plain_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for name in ("fifo", "missing", "."):
        with pytest.raises(StorageError):
            OpenFiles([EngineFile("a", str(tmp_path / name), "0" * 64)])


def test_stopping_twice_and_asking_a_stopped_engine_are_clear(tmp_path: Path) -> None:
    child = made(tmp_path, NONE)

    async def story() -> None:
        await child.stop()
        await child.start()
        with pytest.raises(UsageError, match="started already"):
            await child.start()
        await child.stop()
        await child.stop()
        with pytest.raises(NotReadyError, match="stopped"):
            await child.until_ready(30)

    asyncio.run(story())


@both
def test_a_stop_in_the_middle_of_a_restart_leaves_nothing(bwrap: Bwrap, tmp_path: Path) -> None:
    async def story(child: EngineChild, upstream: Upstream) -> None:
        (tmp_path / "model.gguf").write_text(json.dumps(HANGS))  # swapped in place; only what is running counts here
        await asyncio.to_thread(crash, upstream)
        await noticed(child)

    told(tmp_path, bwrap, story)


def test_a_folder_too_deep_for_a_socket_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="longer than 103 bytes"):
        asyncio.run(made(tmp_path, NONE, sockets="x" * 100).start())

    assert [] == os.listdir(tmp_path / ("x" * 100))


def test_a_missing_engine_is_missing() -> None:
    try:
        program = find_program()
    except MissingError as error:
        assert "auzolan[engine]" in str(error)  # noqa: PT017 - either way is right, by what is installed
    else:
        assert program.library.endswith(".so")


SCRIPT = """
import asyncio, sys
from pathlib import Path
from auzolan.run.engine.sandbox import find_bwrap
from tests.run.engine.engines import NONE, made

async def main():
    child = made(Path(sys.argv[1]), find_bwrap() if sys.argv[2] else NONE)
    await child.start()
    print("ready", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@both
@pytest.mark.parametrize("hangs", [False, True], ids=["", "hanging"])
def test_a_killed_gateway_leaves_no_process_and_no_folder(bwrap: Bwrap, hangs: bool, tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    argv = [sys.executable, "-c", SCRIPT, str(tmp_path), bwrap.path]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, cwd=root) as gateway:
        assert gateway.stdout

        assert b"ready\n" == gateway.stdout.readline()
        assert 1 == len(os.listdir(tmp_path / "s"))
        watched = [os.pidfd_open(pid) for pid in descendants(gateway.pid)]

        assert len(watched) >= 2
        for pid in descendants(gateway.pid) if hangs else []:
            if "python" in os.readlink(f"/proc/{pid}/exe"):
                os.kill(pid, signal.SIGSTOP)  # from now on it cannot notice that its input ends
        gateway.kill()
        for descriptor in watched:  # readable when the process has ended
            ended, _, _ = select.select([descriptor], [], [], 20)
            os.close(descriptor)

            assert ended

    assert [] == os.listdir(tmp_path / "s")
