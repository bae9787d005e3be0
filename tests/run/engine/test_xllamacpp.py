"""llama.cpp itself, with a tiny model of random weights and two adapters, in the sandbox where there is one."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("xllamacpp", reason="NOT CHECKED: llama.cpp (xllamacpp) is not installed")
pytest.importorskip("gguf", reason="NOT CHECKED: the gguf package is not installed")
pytest.importorskip("torch", reason="NOT CHECKED: the teach extra (torch) is not installed")

import numpy as np

from auzolan.core.record.errors import NotCheckedError
from auzolan.run.engine.asking import ask
from auzolan.run.engine.engine_files import EngineFile, Program, digest_of_program, find_program
from auzolan.run.engine.parameters import Limits, read_request, to_upstream
from auzolan.run.engine.sandbox import Bwrap
from auzolan.run.engine.supervise import EngineChild, EngineSettings
from auzolan.run.engine.upstream import Upstream
from auzolan.teach.gguf_llama import write_base_gguf, write_lora_gguf
from auzolan.teach.peft_folder import Factors, Lora
from tests.run.engine.engines import at_once, both, descendants, noticed
from tests.teach.tiny_llama import save_base

# PEFT asks transformers by a name that the next major version drops.
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")
QUESTION = "When does the library open?"
Story = Callable[[EngineChild, Upstream], Awaitable[None]]


def lora(seed: int) -> Lora:
    draw = np.random.default_rng(seed)
    layers = {
        f"model.layers.{layer}.self_attn.{name}": Factors(
            draw.normal(0, 0.3, (4, 64)).astype(np.float32), draw.normal(0, 0.3, (rows, 4)).astype(np.float32)
        )
        for layer in range(2)
        for name, rows in (("q_proj", 64), ("v_proj", 32))
    }
    return Lora("sha256:" + "0" * 64, 4, 8.0, layers)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base and two adapters, as GGUF."""
    folder = tmp_path_factory.mktemp("engine")
    save_base(folder / "base")
    write_base_gguf(folder / "base", folder / "base.gguf", "fp32")
    for name, seed in (("one", 1), ("two", 2)):
        write_lora_gguf(lora(seed), folder / "base", folder / f"{name}.gguf", "fp32")
    return folder


@pytest.fixture(scope="module")
def program() -> tuple[Program, str]:
    found = find_program()
    return found, digest_of_program(found)


def told(
    files: Path, program: tuple[Program, str], bwrap: Bwrap, story: Story, model: str = "base.gguf"
) -> EngineChild:
    loaded = [EngineFile(name, str(files / f"{name}.gguf"), "1" * 64) for name in ("one", "two")]
    asked = EngineSettings(slots=2, context=256, threads=1)
    child = EngineChild(EngineFile("base", str(files / model), "0" * 64), loaded, asked, *program, bwrap, at_once)

    async def tell() -> None:
        try:
            await story(child, await child.start())
        finally:
            await child.stop()

    asyncio.run(tell())
    return child


def post(upstream: Upstream, body: Any) -> tuple[int, Any]:
    """Ask for a chat completion over the engine's socket."""
    with closing(http.client.HTTPConnection("engine", timeout=30)) as connection:
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.sock.connect(upstream.socket)
        headers = {**upstream.headers, "Content-Type": "application/json"}
        connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def say(upstream: Upstream, adapters: tuple[str, ...]) -> str:
    """What the engine answers greedily, asked as the gateway asks."""
    request = read_request({"model": "x", "messages": [{"role": "user", "content": QUESTION}], "temperature": 0})
    status, answer = post(upstream, to_upstream(request, upstream.fields(adapters), "Be kind.", Limits(max_tokens=24)))

    assert 200 == status, answer
    return str(answer["choices"][0]["message"]["content"])


@both
def test_each_set_of_adapters_answers_in_its_own_way_and_the_base_stays_itself(
    bwrap: Bwrap, files: Path, program: tuple[Program, str]
) -> None:
    async def story(child: EngineChild, upstream: Upstream) -> None:
        sets: list[tuple[str, ...]] = [(), ("one",), ("two",), ("one", "two"), ()]
        first, one, two, summed, last = [await asyncio.to_thread(say, upstream, each) for each in sets]

        assert 4 == len({first, one, two, summed})
        assert first == last
        assert program[1] == upstream.engine.digest

    child = told(files, program, bwrap, story)

    assert 0 == child.errors.not_kept, "llama.cpp writes nothing while it serves"


@both
def test_answers_are_the_same_after_a_crash(bwrap: Bwrap, files: Path, program: tuple[Program, str]) -> None:
    async def story(child: EngineChild, upstream: Upstream) -> None:
        before = await asyncio.to_thread(say, upstream, ("one",))
        for pid in descendants(os.getpid()):
            if b"child.py" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, 9)
                break
        await noticed(child)
        await child.until_ready(30)

        assert before == await asyncio.to_thread(say, upstream, ("one",))
        assert 1 == child.restarts

    told(files, program, bwrap, story)


@both
def test_it_listens_on_its_socket_and_nowhere_else(bwrap: Bwrap, files: Path, program: tuple[Program, str]) -> None:
    async def story(child: EngineChild, upstream: Upstream) -> None:
        pid = [child.pid or 0, *descendants(child.pid or 0)][-1]
        held = {os.readlink(each) for each in Path(f"/proc/{pid}/fd").iterdir() if each.is_symlink()}
        tables = [Path(f"/proc/{pid}/net/{name}") for name in ("tcp", "tcp6", "udp", "udp6")]
        rows = [line.split() for table in tables if table.exists() for line in table.read_text().splitlines()[1:]]

        assert set() == held & {f"socket:[{row[9]}]" for row in rows}

    told(files, program, bwrap, story)


@both
def test_only_what_the_gateway_needs_is_served(bwrap: Bwrap, files: Path, program: tuple[Program, str]) -> None:
    async def story(child: EngineChild, upstream: Upstream) -> None:
        for target in ("/slots", "/metrics", "/", "/tools"):
            with pytest.raises(NotCheckedError, match=r"status (404|403|501|500)"):
                await asyncio.to_thread(ask, upstream.socket, target, dict(upstream.headers))
        for headers in ({}, {"Authorization": "Bearer wrong"}):
            with pytest.raises(NotCheckedError, match="status 401"):
                await asyncio.to_thread(ask, upstream.socket, "/lora-adapters", headers)

    told(files, program, bwrap, story)


@both
@pytest.mark.parametrize("size", [0, 100, 5000])
def test_a_broken_model_file_ends_in_words(bwrap: Bwrap, size: int, files: Path, program: tuple[Program, str]) -> None:
    broken = files / f"broken{size}.gguf"
    broken.write_bytes((files / "base.gguf").read_bytes()[:size])

    async def story(child: EngineChild, upstream: Upstream) -> None:
        raise AssertionError("it started")

    with pytest.raises(NotCheckedError, match=r"the engine does not start: it ended with status 1; .*load"):
        told(files, program, bwrap, story, broken.name)


def test_an_unknown_adapter_would_be_passed_over_in_silence(files: Path, program: tuple[Program, str]) -> None:
    """Why `Upstream.fields` fails closed: the engine itself does not."""

    async def story(child: EngineChild, upstream: Upstream) -> None:
        body = {"messages": [{"role": "user", "content": QUESTION}], "temperature": 0, "max_tokens": 8}
        bare = await asyncio.to_thread(post, upstream, {**body, "lora": []})
        status, answer = await asyncio.to_thread(post, upstream, {**body, "lora": [{"id": 99, "scale": 1.0}]})

        assert 200 == status
        assert bare[1]["choices"] == answer["choices"]

    told(files, program, Bwrap("", "not asked for"), story)
