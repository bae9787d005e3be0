"""What the engine can see, write, reach and use up, and what others can see of it."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

import pytest

from auzolan.core.record.errors import NotCheckedError
from auzolan.run.engine.asking import ask
from auzolan.run.engine.sandbox import Bwrap, find_bwrap
from auzolan.run.engine.supervise import EngineChild
from auzolan.run.engine.upstream import Upstream
from tests.run.engine.engines import (
    BWRAP,
    both,
    descendants,
    look,
    needs_bwrap,
    told,
)


@both
def test_the_engine_is_bounded(bwrap: Bwrap, tmp_path: Path) -> None:
    async def story(child: EngineChild, upstream: Upstream) -> None:
        pid = [child.pid or 0, *descendants(child.pid or 0)][-1]
        limits = Path(f"/proc/{pid}/limits").read_text().splitlines()
        status = Path(f"/proc/{pid}/status").read_text()
        soft = {line[:26].strip(): line[26:].split()[0] for line in limits[1:]}

        assert ["0", "0", "512"] == [soft[f"Max {name}"] for name in ("core file size", "file size", "open files")]
        assert soft["Max address space"].isdigit()
        assert "NoNewPrivs:\t1" in status
        assert not bwrap.path or "CapEff:\t0000000000000000" in status

    told(tmp_path, bwrap, story)


@both
def test_the_key_stands_in_no_list_of_processes_and_no_environment(bwrap: Bwrap, tmp_path: Path) -> None:
    async def story(child: EngineChild, upstream: Upstream) -> None:
        key = upstream.headers["Authorization"].removeprefix("Bearer ").encode()
        for pid in descendants(os.getpid()):
            shown = Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()

            assert key not in shown
        assert key.decode() not in repr(upstream)
        with pytest.raises(NotCheckedError, match="status 401"):
            await asyncio.to_thread(ask, upstream.socket, "/health", {})
        seen = await asyncio.to_thread(ask, upstream.socket, "/environment", dict(upstream.headers))
        assert isinstance(seen, dict)
        assert set() == set(seen) - {"LC_CTYPE", "PWD"}

    told(tmp_path, bwrap, story)


@needs_bwrap
def test_the_sandbox_shows_the_engine_nothing_else_and_lets_it_write_nothing(tmp_path: Path) -> None:
    async def story(child: EngineChild, upstream: Upstream) -> None:
        model = f"/engine/files/0-{'0' * 64}.gguf"
        hidden = [str(tmp_path), os.path.expanduser("~/.ssh"), "/etc/passwd", "/etc/shadow", "/var", "/run", "/home"]
        seen = await asyncio.to_thread(
            look, upstream, *hidden, model, "/", "/usr", "/engine", "/engine/sockets", "/tmp"
        )

        assert {path: [False, False] for path in hidden} == {path: seen[path] for path in hidden}
        assert [True, False] == seen[model]
        assert [False] * 3 == [seen[path][1] for path in ("/", "/usr", "/engine")]
        assert [True, True] == seen["/engine/sockets"]

    told(tmp_path, BWRAP, story)


@needs_bwrap
def test_the_sandbox_has_no_way_to_the_network_not_even_to_this_machine(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        async def story(child: EngineChild, upstream: Upstream) -> None:
            answer = await asyncio.to_thread(ask, upstream.socket, f"/reaches?port={port}", dict(upstream.headers))
            inner = descendants(child.pid or 0)[-1]
            devices = Path(f"/proc/{inner}/net/dev").read_text().splitlines()[2:]

            assert [False] == answer
            assert ["lo"] == [line.split(":")[0].strip() for line in devices]

        told(tmp_path, BWRAP, story)


@needs_bwrap
def test_no_open_file_is_left_inside_through_which_it_could_be_written(tmp_path: Path) -> None:
    async def story(child: EngineChild, upstream: Upstream) -> None:
        held = await asyncio.to_thread(ask, upstream.socket, "/files", dict(upstream.headers))
        assert isinstance(held, list)

        assert [] == [each for process in held for each in process if "gguf" in each]

    told(tmp_path, BWRAP, story)


def test_a_sandbox_that_does_not_work_here_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert Bwrap("", "bubblewrap is not installed (no 'bwrap' on the PATH)") == find_bwrap()
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'No permissions to create new namespace' >&2\nexit 1\n")
    broken.chmod(0o700)

    assert Bwrap("", "bubblewrap does not work here: No permissions to create new namespace") == find_bwrap()
