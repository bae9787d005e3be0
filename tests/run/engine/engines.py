"""Engines to be tested: started with a stand-in for llama.cpp, watched, crashed, and always stopped."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from auzolan.core.record.errors import NotCheckedError
from auzolan.run.engine.asking import ask
from auzolan.run.engine.engine_files import EngineFile, Program
from auzolan.run.engine.sandbox import Bwrap, find_bwrap
from auzolan.run.engine.supervise import EngineChild, EngineSettings
from auzolan.run.engine.upstream import Upstream
from tests.run.engine.stand_in_engine import installed

BWRAP = find_bwrap()
NONE = Bwrap("", "not asked for")
needs_bwrap = pytest.mark.skipif(not BWRAP.path, reason=f"NOT CHECKED: {BWRAP.why_not}")
both = pytest.mark.parametrize("bwrap", [NONE, pytest.param(BWRAP, marks=needs_bwrap)], ids=["plain", "bubblewrap"])
HANGS = {"hangs": True}
Story = Callable[[EngineChild, Upstream], Awaitable[None]]


async def at_once(_: float) -> None:
    await asyncio.sleep(0)


def made(folder: Path, bwrap: Bwrap, how: dict[str, Any] | None = None, sockets: str = "s", **more: Any) -> EngineChild:
    """An engine with two adapters; its socket is made below `sockets` in the folder."""
    (folder / sockets).mkdir(exist_ok=True)
    (folder / "model.gguf").write_text(json.dumps(how or {}))
    files = [EngineFile("model", str(folder / "model.gguf"), "0" * 64)]
    for name in ("one", "two"):
        (folder / f"{name}.gguf").write_text(name)
        files.append(EngineFile(name, str(folder / f"{name}.gguf"), "1" * 64, 500))
    program = Program("stand-in 1", str(installed(folder)), "")
    patience = 0.05 if how == HANGS else 30.0
    asked = EngineSettings(
        2, 64, folder=str(folder / sockets), **{"start_seconds": patience, "grace_seconds": patience, **more}
    )
    return EngineChild(files[0], files[1:], asked, program, "2" * 64, bwrap, at_once)


def told(folder: Path, bwrap: Bwrap, story: Story, how: dict[str, Any] | None = None, **more: Any) -> EngineChild:
    """Start an engine, let a story happen, stop it."""
    child = made(folder, bwrap, how, **more)

    async def tell() -> None:
        try:
            await story(child, await child.start())
        finally:
            await child.stop()

    asyncio.run(tell())

    assert [] == os.listdir(folder / "s"), "nothing is left"
    return child


def descendants(pid: int) -> list[int]:
    """Return all processes below one."""
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        for child in map(int, Path(f"/proc/{pid}/task/{task}/children").read_text().split()):
            found += [child, *descendants(child)]
    return found


def look(upstream: Upstream, *paths: str) -> Any:
    return ask(upstream.socket, f"/look?{urlencode({'path': paths}, doseq=True)}", dict(upstream.headers))


def crash(upstream: Upstream) -> None:
    with pytest.raises(NotCheckedError, match="does not answer"):
        ask(upstream.socket, "/crash", dict(upstream.headers))


async def noticed(child: EngineChild) -> None:
    """Wait until a crash was noticed."""
    while child.ready and child.state == "ready":
        await asyncio.sleep(0)
