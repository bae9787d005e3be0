"""Whatever comes over HTTP, nothing of it is an error of the gateway's: by its description, and against it."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import random
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from auzolan.run.engine.parameters import DROPPED, READ
from auzolan.run.gateway.openapi import description
from tests.run.gateway.alone import Process, process
from tests.run.gateway.raw import chat_bytes, exchange, request_bytes
from tests.run.gateway.stand_in import StandIn
from tests.run.gateway.town import TOKEN, run, town

CHAT = "/v1/chat/completions"
SEED = 20_261_120
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def test_the_description_is_served_to_whoever_bears_the_token(tmp_path: Path) -> None:
    async def main() -> None:
        async with town(tmp_path) as place:
            told = await exchange(place.port, request_bytes(place.port, target="/openapi.json"))
            untold = await exchange(place.port, request_bytes(place.port, target="/openapi.json", authorization=None))

            assert (200, description()) == (told.status, json.loads(told.body))
            assert 401 == untold.status

    run(main())


def test_the_description_names_no_field_that_is_refused(tmp_path: Path) -> None:
    schemas = description()["components"]["schemas"]  # type: ignore[index]
    named = set(schemas["ChatRequest"]["properties"])

    assert set() == named - READ - DROPPED
    assert set() == READ - named


def test_every_address_in_the_description_is_there(tmp_path: Path) -> None:
    async def main() -> None:
        async with town(tmp_path) as place:
            answer = (await place.ask()).headers["x-auzolan-answer"]
            place.house.log.batch()
            for path, item in description()["paths"].items():  # type: ignore[attr-defined]
                if "get" in item:
                    wire = await exchange(place.port, request_bytes(place.port, target=path.format(id=answer)))
                    assert 200 == wire.status, path
            assert CHAT in description()["paths"]  # type: ignore[operator]

    run(main())


def wide() -> dict[str, Any]:
    """Return the description with models that are served, or hardly anything would come further than to that."""
    schema: dict[str, Any] = json.loads(json.dumps(description()))
    request = schema["components"]["schemas"]["ChatRequest"]
    request["properties"]["model"] = {"enum": ["town", "town-base"]}
    return schema


def deep() -> dict[str, Any]:
    """Return a description of questions alone, most of which are answered."""
    schema = wide()
    request = schema["components"]["schemas"]["ChatRequest"]
    request["properties"] = {
        "model": {"enum": ["town", "town-base"]},
        "messages": {"type": "array", "minItems": 1, "maxItems": 4, "items": {"$ref": "#/components/schemas/Message"}},
        "stream": {"type": "boolean"},
        "temperature": {"type": "number", "minimum": 0, "maximum": 2},
        "max_tokens": {"type": "integer", "minimum": 1, "maximum": 9},
        "stop": {"type": "string", "minLength": 1, "maxLength": 9, "pattern": "^[a-z]+$"},
        "user": {"type": "string"},
    }
    schema["components"]["schemas"]["Message"] = {
        "type": "object",
        "required": ["role", "content"],
        "additionalProperties": False,
        "properties": {"role": {"const": "user"}, "content": {"type": "string"}},
    }
    schema["paths"] = {CHAT: schema["paths"][CHAT]}
    return schema


async def fuzzed(gateway: Process, folder: Path, schema: dict[str, Any], seconds: int, mode: str) -> str:
    """Let schemathesis loose on a gateway; return its last words."""
    (folder / "openapi.json").write_text(json.dumps(schema), encoding="utf-8")
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "schemathesis.cli", "run", "openapi.json", "--url", f"http://127.0.0.1:{gateway.port}",
        "-H", f"Authorization: Bearer {TOKEN}", "--checks", CHECKS, "--max-time", str(seconds), "-n", "100000",
        "--seed", str(SEED), "--no-shrink", "--generation-database", "none", "--no-color", "--continue-on-failure",
        "--suppress-health-check", "all", "--phases", "fuzzing", "--generation-with-security-parameters", "false",
        "--mode", mode, "--generation-allow-x00", str(mode == "all"),
        cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    data, _ = await child.communicate()
    said = data.decode(errors="replace")[-6000:]
    assert 0 == child.returncode, said
    assert re.search(r"([1-9][0-9]+) generated, \1 passed\n", said), said
    return said


@pytest.mark.parametrize("seconds", [4, pytest.param(60, marks=pytest.mark.slow)])
def test_schemathesis_finds_no_error_of_the_gateways(tmp_path: Path, seconds: int) -> None:
    if importlib.util.find_spec("schemathesis") is None:
        pytest.skip("schemathesis is not installed here")

    async def main() -> None:
        async with process(tmp_path, StandIn()) as gateway:
            said = await fuzzed(gateway, tmp_path, wide(), seconds, "all")
            said += await fuzzed(gateway, tmp_path, deep(), seconds, "positive")

            assert len(gateway.stand_in.asked) > 50
            assert gateway.rss_mb < 150
            print(re.findall(r"[0-9]+ generated", said), len(gateway.stand_in.asked), f"{gateway.rss_mb:.0f} MB")

    asyncio.run(asyncio.wait_for(main(), 2 * seconds + 60))


def spoilt(rng: random.Random, data: bytes) -> bytes:
    """Change some bytes: flip, cut, double, or put in what parsers stumble over."""
    odd = [
        b"\0",
        b"\r\n",
        b"\n\n",
        b"\xff",
        b"{" * 50,
        b'"',
        b"\\ud800",
        b"1e999",
        b"-",
        b"Host: a\r\n",
        b"\xe2\x80\x8b",
        b": ",
        b"%00",
    ]
    for _ in range(rng.randrange(1, 6)):
        at, end = sorted(rng.randrange(len(data) + 1) for _ in range(2))
        change: Callable[[], bytes] = rng.choice([
            lambda: data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :],  # noqa: B023
            lambda: data[:at] + data[end:],  # noqa: B023
            lambda: data[:end] + data[at:],  # noqa: B023
            lambda: data[:at] + rng.choice(odd) + data[at:],  # noqa: B023
        ])  # fmt: skip
        data = change() or b"x"
    return data


def spoilt_request(rng: random.Random, port: int) -> tuple[bytes, bool]:
    """Return a request that is broken somewhere, and whether its head may be."""
    body = chat_bytes(stream=rng.random() < 0.3, temperature=0.5, tools=[], stop=["a"], seed=7, user="x")
    kind = rng.randrange(3)
    if kind == 0:
        return spoilt(rng, request_bytes(port, "POST", CHAT, body)), True
    if kind == 1:
        return request_bytes(port, "POST", CHAT, spoilt(rng, body)), False
    target = spoilt(rng, rng.choice([CHAT, "/v1/receipts/" + "0" * 64, "/v1/models"]).encode()).decode("latin-1")
    return request_bytes(port, rng.choice(["GET", "POST", "OPTIONS"]), target), True


def test_broken_requests_are_no_errors_of_the_gateways(tmp_path: Path) -> None:
    rng = random.Random(SEED)

    async def main() -> None:
        async with town(tmp_path) as place:
            statuses = set()
            for _ in range(600):
                data, ends = spoilt_request(rng, place.port)
                wire = await exchange(place.port, data, ends=ends)
                statuses.add(wire.status)
                assert wire.status < 500, data

            assert {200, 400} <= statuses
            assert 200 == (await place.ask()).status

    run(main())


ODD_VALUES: list[Any] = [
    None, True, 0, -1, 2**63, 2**64, 1e308, "", "\0", "a" * 10_000, "\u200b", [], [[]], {}, {"": {}}, [None],
    {"a": [1, {"b": None}]},
]  # fmt: skip


def test_odd_values_in_every_field_are_no_errors_of_the_gateways(tmp_path: Path) -> None:
    messages = [{"role": "user", "content": "hi"}]
    fields = sorted(READ | DROPPED)
    inner = [
        "role",
        "content",
        "tool_calls",
        "tool_call_id",
        "name",
        "id",
        "refusal",
        "annotations",
        "reasoning_content",
    ]

    async def main() -> None:
        async with town(tmp_path) as place:
            bodies: list[dict[str, Any]] = [
                {"model": "town", "messages": messages, name: value} for name in fields for value in ODD_VALUES
            ]
            bodies += [
                {"model": "town", "messages": [{**messages[0], name: value}]} for name in inner for value in ODD_VALUES
            ]
            for body in bodies:
                async with place.session.post(
                    CHAT, data=json.dumps(body), headers={"content-type": "application/json"}
                ) as reply:
                    assert reply.status in (200, 400, 404), (body, await reply.text())
                    await reply.read()

    run(main())
