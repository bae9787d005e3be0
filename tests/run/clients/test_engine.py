"""All of it over llama.cpp itself: the pocket model with an adapter, clients that others wrote, and no network."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("xllamacpp", reason="NOT CHECKED: llama.cpp (xllamacpp) is not installed")
pytest.importorskip("gguf", reason="NOT CHECKED: the gguf package is not installed")

from auzolan.core.record.record import Record
from auzolan.run.answers.receipt import FIELD, read_receipt
from auzolan.run.engine.sandbox import find_bwrap
from auzolan.teach.peft_folder import Factors, Lora, to_peft_files
from tests.cli.deliberation import Place, copied
from tests.cli.running import (
    MESSAGES,
    PATIENCE_S,
    QUESTION,
    Gateway,
    declared,
    environment,
    free_port,
    record_of,
    serving,
    written,
)
from tests.cli.teaching import CONFIG, RANK, WEIGHTS, committed, record_teaching
from tests.run.clients import offline

SMALL = ("--slots", "1", "--context", "256", "--threads", "1")
WIDTH, LAYERS = 256, 5
BWRAP = find_bwrap()
INTEGRITY = "verified" if BWRAP.path else "claimed"


def adapter_of_chance(here: Place) -> None:
    """Commit an adapter that fits the pocket model; nothing was taught to it."""
    record_teaching(here)
    chance = np.random.default_rng(7)
    drawn = {
        f"model.layers.{layer}.self_attn.q_proj": Factors(
            chance.normal(0, 0.05, (RANK, WIDTH)).astype(np.float32),
            chance.normal(0, 0.05, (WIDTH, RANK)).astype(np.float32),
        )
        for layer in range(LAYERS)
    }
    files = to_peft_files(Lora("sha256:" + "0" * 64, RANK, 2.0 * RANK, drawn))
    made = record_of(here, here.ids("adapter/v1")[-1])
    answers = here.blob(made.blobs["answers"], private=False)
    blobs = {"weights": files[WEIGHTS], "config": files[CONFIG], "answers": answers}
    digests = {name: sha256(data).hexdigest() for name, data in blobs.items()}
    committed(
        here, Record(made.kind, {**made.body, "title": "Drawn by chance (synthetic)"}, made.links, digests), blobs
    )


@pytest.fixture(scope="module")
def town(ratified_town: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A town whose service has an adapter, and its model's files made once in `state`."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        made = copied(ratified_town, tmp_path_factory.mktemp("engine"), monkeypatch)
        adapter_of_chance(made)
        declared(made, with_base=True)
        return made


@pytest.fixture(scope="module")
def engine(town: Place) -> Iterator[Gateway]:
    """`auzolan run serve` over the real engine."""
    with serving(town, *SMALL) as running:
        yield running


@pytest.fixture
def here(town: Place, engine: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A copy with the files that the engine reads, so that they are not made again."""
    made = copied(town, tmp_path, monkeypatch)
    for name in ("answers", "token"):
        path = made.machine.folder / "state" / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    shutil.rmtree(made.machine.home, ignore_errors=True)
    shutil.copytree(town.machine.home, made.machine.home)
    for path in made.machine.home.rglob("*"):
        if path.is_file() and "promised" in str(path):
            path.unlink()
    return made


def verified(gateway: Gateway, name: str, **fields: Any) -> dict[str, str]:
    """Check a receipt and return step -> status."""
    path = gateway.here.machine.folder / f"{name}.json"
    said = gateway.here.json("verify", path, code=fields.get("code", 3))
    return {each["title"]: each["status"] for each in said["steps"]}


def test_a_chat_in_the_terminal_is_verified_to_the_adapter(engine: Gateway, tmp_path: Path) -> None:
    said = json.loads(engine.chat(QUESTION, "--receipts", tmp_path, "--json").stdout)
    body, links = said["record"]["body"], said["record"]["links"]

    assert said["answer"]
    assert (INTEGRITY, "answered") == (body["integrity"], body["outcome"])
    assert {"adapter.1", "weights", "tokenizer", "chat_template", "config"} == set(body["loaded"])
    assert engine.here.ids("adapter/v1")[-1] == links["adapter.1"]
    steps = engine.here.json("verify", said["receipt"], code=3)["steps"]

    assert ["passed"] * 5 == [each["status"] for each in steps[:5]]


@pytest.mark.parametrize("model", ["town", "town-base"])
@pytest.mark.parametrize("stream", [False, True])
def test_the_openai_package_gets_the_same_streamed_or_not(engine: Gateway, model: str, stream: bool) -> None:
    openai = pytest.importorskip("openai", reason="NOT CHECKED: the openai package is not installed")
    url = f"http://127.0.0.1:{engine.port}/v1"
    with openai.OpenAI(base_url=url, api_key=engine.token, max_retries=0, timeout=60) as client:
        create = client.chat.completions.create
        whole = create(model=model, messages=MESSAGES, temperature=0, max_tokens=24)
        said = create(model=model, messages=MESSAGES, temperature=0, max_tokens=24, stream=stream)
        if stream:
            chunks = list(said)
            text = "".join(each.choices[0].delta.content or "" for each in chunks if each.choices)
            extra = chunks[-1].model_extra
        else:
            text, extra = said.choices[0].message.content, said.model_extra
    receipt = read_receipt(json.dumps(extra[FIELD]).encode()).with_transcript(MESSAGES, text)
    written(engine.here.machine.folder, receipt, "engine.json")

    assert whole.choices[0].message.content == text
    assert {"passed"} == {verified(engine, "engine")[step] for step in ("Signature", "Loaded", "Transcript")}


def offline_story(here: Place, before: list[str]) -> Any:
    """Serve and chat where there is only loopback."""
    state = here.machine.folder / "state"
    told = subprocess.run(
        [*before, sys.executable, offline.__file__, str(free_port()), state, here.town, "--", *SMALL],
        capture_output=True, text=True, timeout=3 * PATIENCE_S, env=environment(here), stdin=subprocess.DEVNULL,
    )  # fmt: skip

    assert 0 == told.returncode, told.stderr
    return json.loads(told.stdout)


def tool(name: str, *arguments: str) -> list[str]:
    """Return a command that works on this machine, or skip loudly."""
    path = shutil.which(name)
    if not path or subprocess.run([path, *arguments, "true"], capture_output=True).returncode != 0:
        pytest.skip(f"NOT CHECKED: {name} {' '.join(arguments)} does not work on this machine")
    return [path, *arguments]


def test_all_of_it_works_where_no_network_is(here: Place) -> None:
    told = offline_story(here, tool("unshare", "--map-root-user", "--net"))

    assert (["lo"], True, 0) == (told["interfaces"], told["healthy"], told["code"]), told
    assert "OSError" == told["outside"], "nothing outside can be reached"
    assert told["chat"]["answer"]
    assert INTEGRITY == told["chat"]["record"]["body"]["integrity"]


_CALL = re.compile(r"(?:connect|sendto|sendmsg|bind)\(")
_FAMILY = re.compile(r"sa_family=(AF_\w+)")
_LOOPBACK = re.compile(r'inet_addr\("127\.0\.0\.1"\)|inet_pton\(AF_INET6, "::1"')


def test_no_system_call_names_another_machine(here: Place, tmp_path: Path) -> None:
    trace = tmp_path / "calls"
    before = tool("strace", "-f", "-qq", "-e", "trace=connect,sendto,sendmsg,bind", "-o", "/dev/null")
    told = offline_story(here, [*before[:-1], str(trace)])
    calls = [line for line in trace.read_text(errors="replace").splitlines() if _CALL.search(line)]
    named = [(found[1], line) for line in calls if (found := _FAMILY.search(line))]
    elsewhere = [line for family, line in named if family.startswith("AF_INET") and not _LOOPBACK.search(line)]
    ours = [line for line in elsewhere if "192.0.2.1" in line]

    assert told["chat"]["answer"], told
    assert INTEGRITY == told["chat"]["record"]["body"]["integrity"], "the engine was in its sandbox"
    assert {"AF_INET", "AF_UNIX"} <= {family for family, _ in named}
    assert {family for family, _ in named} <= {"AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK"}
    assert ours, "the probe of this test itself shows that such a call would be seen"
    assert [] == [line for line in elsewhere if line not in ours]
