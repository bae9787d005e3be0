"""Servers by address: what kind they are, what they claim, and what is refused. Stand-ins on the loopback only."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

pytest.importorskip("aiohttp", reason="NOT CHECKED: the run extra (aiohttp) is not installed")

from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from auzolan.core.record.errors import AuzolanError, NotCheckedError, UsageError, VerificationError
from auzolan.run.engine.backend import Promised, probe, read_address
from auzolan.run.engine.upstream import Slot, Upstream

KEY = "a-key-that-is-never-shown"
ONE = "1" * 64
BASE_FILE, ADAPTER_FILE = "a" * 64, "b" * 64
MODELS = {(): "base:latest", (ONE,): "town:latest"}
LISTED = {"data": [{"id": "base:latest"}, {"id": "town:latest", "parent": "base:latest"}]}
Routes = Mapping[str, Any]

LLAMA: Routes = {
    "/props": {"default_generation_settings": {}, "total_slots": 4, "build_info": "b9999-\x1bsecret"},
    "/lora-adapters": [{"id": 0, "path": "/m/one.gguf", "scale": 1.0}, {"id": 1, "path": "/m/two.gguf", "scale": 1.0}],
}
VLLM: Routes = {"/version": {"version": "0.33.0"}, "/v1/models": LISTED}
STUDIO: Routes = {"/api/v1/models": {"models": []}, "/v1/models": LISTED, "/props": {"error": "Unexpected endpoint"}}
OTHER: Routes = {"/v1/models": LISTED}


def shown(base: str = BASE_FILE, adapter: str = "", **more: Any) -> dict[str, Any]:
    lines = [f"FROM /models/blobs/sha256-{base}", *([f"ADAPTER /models/blobs/sha256-{adapter}"] if adapter else [])]
    return {"modelfile": "\n".join(["# Modelfile", *lines, 'TEMPLATE """{{ .Prompt }}"""']), **more}


OLLAMA: Routes = {
    "/api/tags": {"models": [{"name": "base:latest", "digest": "c" * 64}]},
    "/api/version": {"version": "0.34.1"},
    "/v1/models": LISTED,
    "/api/show": {"base:latest": shown(), "town:latest": shown(adapter=ADAPTER_FILE)},
}


async def _probed(routes: Routes, **more: Any) -> tuple[Upstream, list[web.BaseRequest]]:
    """Probe a stand-in that answers these routes; also return what it was asked."""
    seen: list[web.BaseRequest] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        seen.append(request)
        told = routes.get(request.path)
        if isinstance(told, web.Response):
            return told
        if request.path == "/api/show" and isinstance(told, dict):
            told = told.get((await request.json())["model"])
        if isinstance(told, bytes):
            return web.Response(body=told)
        return web.json_response(told) if told is not None else web.Response(status=404, text="not found")

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        return await probe(Promised(f"http://127.0.0.1:{port}/v1", **more)), seen
    finally:
        await runner.cleanup()


def probed(routes: Routes, **more: Any) -> Upstream:
    return asyncio.run(_probed(routes, **more))[0]


@pytest.mark.parametrize(
    ("routes", "kind", "version"),
    [(VLLM, "vllm", "0.33.0"), (OLLAMA, "ollama", "0.34.1"), (STUDIO, "lmstudio", ""), (OTHER, "openai", "")],
)
def test_a_server_is_known_by_what_it_answers(routes: Routes, kind: str, version: str) -> None:
    upstream = probed(routes, models=MODELS)

    assert (kind, version, "elsewhere") == (upstream.kind, upstream.engine.version, upstream.engine.sandbox)
    assert "unverified" == upstream.integrity
    assert {"model": "town:latest"} == upstream.fields((ONE,))


def test_llama_cpp_is_told_to_leave_out_every_adapter_that_was_not_promised() -> None:
    upstream = probed(LLAMA, slots={ONE: Slot(1, 500)}, paths={ONE: "/m/two.gguf"})

    assert ("llama.cpp", "b9999-secret", "unverified") == (
        upstream.kind,
        upstream.engine.version,
        upstream.integrity,
    )
    assert {"lora": [{"id": 1, "scale": 0.5}, {"id": 0, "scale": 0.0}]} == upstream.fields((ONE,))
    assert {"lora": [{"id": 1, "scale": 0.0}, {"id": 0, "scale": 0.0}]} == upstream.fields(())


def test_ollama_may_claim_what_fits_the_files_that_admission_knows() -> None:
    upstream = probed(OLLAMA, models=MODELS, digests={"": BASE_FILE, ONE: ADAPTER_FILE})

    assert "claimed" == upstream.integrity
    assert {"gguf": BASE_FILE, "gguf.adapter.1": ADAPTER_FILE} == upstream.loaded


def test_ollama_claims_nothing_where_a_digest_is_missing() -> None:
    assert "unverified" == probed(OLLAMA, models=MODELS, digests={"": BASE_FILE}).integrity
    assert "unverified" == probed(OLLAMA, models=MODELS, digests={ONE: ADAPTER_FILE}).integrity


@pytest.mark.parametrize(
    "town",
    [
        shown(), shown("d" * 64, ADAPTER_FILE), shown(BASE_FILE, "d" * 64), shown(adapter=ADAPTER_FILE, system="Obey."),
        shown(adapter=ADAPTER_FILE, messages=[{"role": "user", "content": "x"}]),
        {"modelfile": shown(adapter=ADAPTER_FILE)["modelfile"] + f"\nADAPTER /blobs/sha256-{ADAPTER_FILE}"},
        {"modelfile": shown(adapter=ADAPTER_FILE)["modelfile"] + "\nADAPTER /elsewhere.gguf"},
    ],
)  # fmt: skip
def test_an_ollama_model_of_other_parts_is_refused(town: dict[str, Any]) -> None:
    routes = {**OLLAMA, "/api/show": {"base:latest": shown(), "town:latest": town}}
    with pytest.raises(VerificationError):
        probed(routes, models=MODELS, digests={"": BASE_FILE, ONE: ADAPTER_FILE})


@pytest.mark.parametrize(
    ("routes", "more", "error"),
    [
        (LLAMA, {"slots": {ONE: Slot(7)}}, UsageError),
        (LLAMA, {"slots": {ONE: Slot(0), "2": Slot(0)}}, UsageError),
        (LLAMA, {"slots": {ONE: Slot(0)}, "paths": {ONE: "/m/two.gguf"}}, VerificationError),
        ({**LLAMA, "/lora-adapters": {}}, {}, NotCheckedError),
        ({**LLAMA, "/lora-adapters": [{"id": True}]}, {}, NotCheckedError),
        (VLLM, {"models": {(): "town:latest"}}, VerificationError),
        (VLLM, {"models": {(ONE,): "base:latest"}}, VerificationError),
        (VLLM, {"models": {(): "missing"}}, UsageError),
        (VLLM, {}, UsageError),
        ({"/version": {"version": "1"}}, {"models": MODELS}, NotCheckedError),
        (VLLM, {"models": MODELS, "kind": "ollama"}, NotCheckedError),
        (VLLM, {"models": MODELS, "kind": "another"}, UsageError),
        ({}, {"models": MODELS}, NotCheckedError),
        ({"/v1/models": b"{"}, {"models": MODELS}, NotCheckedError),
        ({"/v1/models": b"[" * 100_000}, {"models": MODELS}, NotCheckedError),
        ({"/v1/models": b" " * 5_000_000}, {"models": MODELS}, NotCheckedError),
        (OTHER, {"models": MODELS, "key": "two\nlines"}, UsageError),
    ],
)
def test_what_was_promised_and_is_not_there_is_refused(routes: Routes, more: Any, error: type[AuzolanError]) -> None:
    with pytest.raises(error):
        probed(routes, **more)


def test_the_key_goes_with_every_question_and_into_no_message() -> None:
    upstream, seen = asyncio.run(_probed(OTHER, models=MODELS, key=KEY))

    assert {f"Bearer {KEY}"} == {request.headers["Authorization"] for request in seen}
    assert KEY not in repr(upstream) + repr(Promised("http://localhost", key=KEY))
    assert f"Bearer {KEY}" == upstream.headers["Authorization"]
    with pytest.raises(NotCheckedError, match="status 401") as found:
        probed({"/props": web.Response(status=401, text=KEY)}, models=MODELS, key=KEY)

    assert KEY not in str(found.value)


def test_a_redirect_is_not_followed() -> None:
    async def story() -> None:
        asked: list[str] = []

        async def trap(request: web.BaseRequest) -> web.Response:
            asked.append(request.path)
            return web.json_response({"default_generation_settings": 1, "total_slots": 1})

        runner = web.ServerRunner(web.Server(trap))
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            there = f"http://127.0.0.1:{runner.addresses[0][1]}/props"
            with pytest.raises(NotCheckedError, match="sends elsewhere"):
                await _probed({"/props": web.Response(status=307, headers={"Location": there})}, key=KEY)
        finally:
            await runner.cleanup()

        assert [] == asked

    asyncio.run(story())


def test_a_server_that_is_not_there_is_named_by_what_was_asked() -> None:
    with pytest.raises(NotCheckedError, match="/props: no answer"):
        asyncio.run(probe(Promised("unix:///nowhere/engine.sock", models=MODELS)))


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"), ("http://localhost:11434/v1/", "http://localhost:11434"),
        ("http://[::1]:8080/v1", "http://[::1]:8080"), ("http://127.9.9.9/base/v1", "http://127.9.9.9/base"),
        ("https://example.org/v1", "https://example.org"),
    ],
)  # fmt: skip
def test_addresses_are_read(url: str, base: str) -> None:
    assert (base, "") == read_address(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org", "http://10.0.0.1:8080", "http://0.0.0.0:8080", "http://127.0.0.1.example.org",
        "http://localhost.example.org", "http://[::]:8080", "http://localhost@example.org", "http://2130706433.org",
        f"https://user:{KEY}@example.org", f"https://example.org/?key={KEY}", f"https://example.org/#{KEY}",
        "ftp://127.0.0.1", "127.0.0.1:8080", "http://", "http://127.0.0.1:99999", "http://[::1", "", "unix://relative",
        "http://127.0.0.1:80\r\nHost: x", "http://127.0.0.1\\@example.org", "file:///etc/passwd", "http://ⓔxample.org",
    ],
)  # fmt: skip
def test_addresses_that_lead_elsewhere_or_hold_a_key_are_refused(url: str) -> None:
    with pytest.raises(UsageError) as found:
        read_address(url)

    assert KEY not in str(found.value)


def test_plain_http_to_another_machine_must_be_allowed_aloud() -> None:
    assert ("http://10.0.0.1:8080", "") == read_address("http://10.0.0.1:8080/v1", plain_http=True)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=40) | st.from_regex(r"(http|https|unix)://[^ ]{0,30}", fullmatch=True))
def test_any_address_is_read_or_refused(url: str) -> None:
    try:
        base, socket = read_address(url)
    except UsageError:
        return

    assert socket.startswith("/") or base.startswith("http")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "data", "path"]), inner),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(st.sampled_from([LLAMA, VLLM, OLLAMA]), JSON, JSON, st.sampled_from(["/v1/models", "/lora-adapters"]))
def test_whatever_a_server_says_only_our_errors_escape(routes: Routes, said: Any, more: Any, path: str) -> None:
    changed = {**routes, path: json.dumps(said).encode(), "/api/show": {"base:latest": more, "town:latest": more}}
    try:
        upstream = probed(changed, models=MODELS, slots={ONE: Slot(0)}, digests={"": BASE_FILE, ONE: ADAPTER_FILE})
    except AuzolanError:
        return

    assert "verified" != upstream.integrity
