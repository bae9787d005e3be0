"""Who comes in: pages under foreign names, pages of foreign origins, and whoever does not bear the token, do not."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from auzolan.core.record.errors import UsageError
from auzolan.run.gateway.door import make_door
from tests.run.gateway.raw import Wire, chat_bytes, exchange, request_bytes
from tests.run.gateway.town import TOKEN, Setting, Town, run, town

CHAT = "/v1/chat/completions"
PAGE = "http://localhost:3000"
Asking = Callable[[Town], Awaitable[None]]


def in_town(folder: Path, asking: Asking, setting: Setting | None = None) -> None:
    """Run a test in a town; nothing it asks may reach the model."""

    async def main() -> None:
        async with town(folder, setting) as place:
            await asking(place)

            assert [] == place.stand_in.asked

    run(main())


async def models(place: Town, **changed: Any) -> Wire:
    """Ask for the list of models."""
    return await exchange(place.port, request_bytes(place.port, **changed))


async def chat(place: Town, **changed: Any) -> Wire:
    """Ask a question."""
    return await exchange(place.port, request_bytes(place.port, "POST", CHAT, chat_bytes(), **changed))


FOREIGN_HOSTS = [
    "rebound.example",
    "rebound.example:{port}",
    "127.0.0.1",
    "127.0.0.1:1",
    "127.0.0.1:{port}.rebound.example",
    "127.0.0.1:{port}@rebound.example",
    "rebound.example#127.0.0.1:{port}",
    "localhost.:{port}",
    "localhost.rebound.example:{port}",
    "0.0.0.0:{port}",
    "127.1:{port}",
    "2130706433:{port}",
    "[::]:{port}",
    "[::ffff:127.0.0.1]:{port}",
    "127.0.0.1:0{port}",
    "127.0.0.1:{port},rebound.example",
    "\udcff",
    "",
    None,
]


def test_a_name_that_was_pointed_here_is_not_answered_under(tmp_path: Path) -> None:
    async def asking(place: Town) -> None:
        for host in FOREIGN_HOSTS:
            named = host.format(port=place.port) if host is not None else None
            for wire in (await models(place, host=named), await chat(place, host=named)):
                assert (421, "wrong_host") == (wire.status, wire.code), named

    in_town(tmp_path, asking)


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "LocalHost:{port}", "[::1]:{port}"])
def test_this_machine_is_answered_under_its_own_names(tmp_path: Path, host: str) -> None:
    async def asking(place: Town) -> None:
        assert 200 == (await models(place, host=host.format(port=place.port))).status

    in_town(tmp_path, asking)


def test_an_address_in_the_request_line_and_the_host_must_both_be_known(tmp_path: Path) -> None:
    async def asking(place: Town) -> None:
        own, foreign = f"127.0.0.1:{place.port}", "rebound.example"
        for target, host in [(foreign, own), (own, foreign), (f"x@{own}", own), (own, f"{own}\r\nhost: {foreign}")]:
            data = request_bytes(place.port, target=f"http://{target}/v1/models", host=host)

            assert 421 == (await exchange(place.port, data)).status, (target, host)

        proper = request_bytes(place.port, target=f"http://{own}/v1/models")
        assert 200 == (await exchange(place.port, proper)).status

    in_town(tmp_path, asking)


def test_of_two_hosts_both_must_be_known(tmp_path: Path) -> None:
    async def asking(place: Town) -> None:
        own, foreign = f"127.0.0.1:{place.port}", "rebound.example"
        for host in (f"{own}\r\nhost: {foreign}", f"{foreign}\r\nhost: {own}"):
            assert 421 == (await models(place, host=host)).status

    in_town(tmp_path, asking)


def test_a_request_of_the_first_http_needs_a_host_too(tmp_path: Path) -> None:
    async def asking(place: Town) -> None:
        for host, status in ((None, 421), (f"127.0.0.1:{place.port}", 200)):
            data = request_bytes(place.port, host=host).replace(b"HTTP/1.1", b"HTTP/1.0", 1)

            assert status == (await exchange(place.port, data)).status

    in_town(tmp_path, asking)


FOREIGN_ORIGINS = [
    "http://rebound.example",
    "null",
    "",
    "https://localhost:3000",
    "http://localhost:3001",
    f"{PAGE}.rebound.example",
    f"{PAGE}/",
    f"{PAGE}@rebound.example",
    "http://127.0.0.1:3000",
    f"{PAGE} http://rebound.example",
    "file://",
    "\udcff",
    f"{PAGE}\r\norigin: http://rebound.example",
    f"http://rebound.example\r\norigin: {PAGE}",
]


def test_pages_of_other_origins_are_refused_and_may_read_nothing(tmp_path: Path) -> None:
    async def asking(place: Town) -> None:
        for origin in FOREIGN_ORIGINS:
            for wire in (await models(place, origin=origin), await chat(place, origin=origin)):
                assert (403, "wrong_origin") == (wire.status, wire.code), origin
                assert not any(name.startswith("access-control") for name, _ in wire.headers), origin

    in_town(tmp_path, asking, Setting(origins=(PAGE,)))


def test_no_page_is_let_in_unless_the_operator_said_so(tmp_path: Path) -> None:
    async def asking(place: Town) -> None:
        for origin in (f"http://127.0.0.1:{place.port}", PAGE, "null"):
            assert 403 == (await models(place, origin=origin)).status

    in_town(tmp_path, asking)


@pytest.mark.parametrize("origin", [PAGE, PAGE.upper()])
def test_an_allowed_page_gets_its_own_origin_back_once(tmp_path: Path, origin: str) -> None:
    async def asking(place: Town) -> None:
        cases: list[tuple[dict[str, Any], int]] = [
            ({}, 200),
            ({"authorization": None}, 401),
            ({"host": "x.example"}, 421),
        ]
        for changed, status in cases:
            wire = await models(place, origin=origin, **changed)

            assert (status, [origin]) == (wire.status, wire.all("access-control-allow-origin"))
            assert ["Origin"] == wire.all("vary")
            assert [] == wire.all("access-control-allow-credentials")

    in_town(tmp_path, asking, Setting(origins=(PAGE,)))


def test_a_browser_may_ask_beforehand_only_for_an_allowed_page(tmp_path: Path) -> None:
    async def asking(place: Town) -> None:
        asked: dict[str, Any] = {"authorization": None, "access_control_request_method": "POST"}
        for origin, status in ((PAGE, 204), ("http://rebound.example", 403), (None, 204)):
            wire = await exchange(place.port, request_bytes(place.port, "OPTIONS", CHAT, origin=origin, **asked))
            allowed = [origin] if origin == PAGE else []

            assert (status, allowed) == (wire.status, wire.all("access-control-allow-origin"))
            assert bool(allowed) == any("authorization" in each for each in wire.all("access-control-allow-headers"))

        foreign = request_bytes(place.port, "OPTIONS", CHAT, origin=PAGE, host="rebound.example")
        assert 421 == (await exchange(place.port, foreign)).status

    in_town(tmp_path, asking, Setting(origins=(PAGE,)))


@pytest.mark.parametrize("origin", ["*", "http://*", "http://", "localhost:3000", "null", "http://a/b", "http://*.a"])
def test_an_origin_that_would_let_in_more_than_one_page_is_none(origin: str) -> None:
    with pytest.raises(UsageError, match="origin"):
        make_door(1, TOKEN, origins=(origin,))


@pytest.mark.parametrize("token", ["", "secret", "a" * 64, "0123456789" * 3, f"{TOKEN}\n", "ñ" + TOKEN])
def test_a_token_that_can_be_guessed_is_none(token: str) -> None:
    with pytest.raises(UsageError, match="token"):
        make_door(1, token)


WRONG_TOKENS = [
    None,
    "",
    "Bearer",
    "Bearer ",
    f"Bearer {TOKEN[:-1]}",
    f"Bearer {TOKEN}x",
    f"Bearer {TOKEN.upper()}",
    f"Basic {TOKEN}",
    f"Token {TOKEN}",
    TOKEN,
    f"Bearer {TOKEN} {TOKEN}",
    f"Bearer\t{TOKEN}",
    f"Bearer,{TOKEN}",
    "Bearer \udcff",
    "Bearer ñ",
    f"Bearer x\r\nauthorization: Bearer {TOKEN}",
]


def test_whoever_does_not_bear_the_token_gets_nothing(tmp_path: Path) -> None:
    async def asking(place: Town) -> None:
        for token in WRONG_TOKENS:
            for wire in (await models(place, authorization=token), await chat(place, authorization=token)):
                assert (401, "wrong_token", ["Bearer"]) == (wire.status, wire.code, wire.all("www-authenticate")), token
                assert TOKEN.encode() not in wire.data

    in_town(tmp_path, asking)


def test_the_token_counts_nowhere_but_in_its_header(tmp_path: Path) -> None:
    async def asking(place: Town) -> None:
        for target in (f"/v1/models?token={TOKEN}", f"/v1/models?access_token={TOKEN}", f"/v1/models?api_key={TOKEN}"):
            elsewhere: list[dict[str, Any]] = [{"cookie": f"token={TOKEN}"}, {"x_api_key": TOKEN}, {"api_key": TOKEN}]
            for more in elsewhere:
                data = request_bytes(place.port, target=target, authorization=None, **more)

                assert 401 == (await exchange(place.port, data)).status

    in_town(tmp_path, asking)


def test_the_name_of_the_scheme_is_read_in_any_case(tmp_path: Path) -> None:
    async def asking(place: Town) -> None:
        for scheme in ("bearer", "BEARER"):
            assert 200 == (await models(place, authorization=f"{scheme} {TOKEN}")).status

    in_town(tmp_path, asking)


def test_health_needs_no_token_and_tells_whoever_has_none_nothing(tmp_path: Path) -> None:
    async def asking(place: Town) -> None:
        place.house.reasons["the files"] = "the files: /home/jo/adapter.gguf: got 1234, expected 5678"
        for reasons, status in (({}, "ok"), (dict(place.house.reasons), "unavailable")):
            place.house.reasons.clear()
            place.house.reasons.update(reasons)
            wire = await exchange(place.port, request_bytes(place.port, target="/health", authorization=None))

            assert (200, {"status": status}) == (wire.status, json.loads(wire.body))

        told = await exchange(place.port, request_bytes(place.port, target="/health"))
        assert b"adapter.gguf" in told.body
        foreign: list[tuple[dict[str, Any], int]] = [
            ({"host": "a.example"}, 421),
            ({"origin": "http://a.example"}, 403),
        ]
        for changed, refused in foreign:
            data = request_bytes(place.port, target="/health", authorization=None, **changed)
            assert refused == (await exchange(place.port, data)).status

    in_town(tmp_path, asking)


FORMS = [
    None,
    "",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/json",
    "text/plain; application/json",
    "application/jsonp",
    "\udcff",
    "application/json, text/plain",
]


def test_a_body_is_read_only_if_it_is_said_to_be_json(tmp_path: Path) -> None:
    async def asking(place: Town) -> None:
        for kind in FORMS:
            wire = await chat(place, content_type=kind)

            assert (415, "wrong_content_type") == (wire.status, wire.code), kind

    in_town(tmp_path, asking)


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_is_known_in_all_its_spellings(tmp_path: Path, kind: str) -> None:
    async def main() -> None:
        async with town(tmp_path) as place:
            assert 200 == (await chat(place, content_type=kind)).status

    run(main())


def test_other_methods_are_refused(tmp_path: Path) -> None:
    async def asking(place: Town) -> None:
        for method in ("GET", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "X"):
            wire = await exchange(place.port, request_bytes(place.port, method, CHAT))
            assert (405, "wrong_method") == (wire.status, wire.code), method
        for method in ("POST", "PUT", "DELETE", "PATCH", "TRACE"):
            assert 405 == (await exchange(place.port, request_bytes(place.port, method, "/v1/models"))).status
        assert 405 == (await exchange(place.port, request_bytes(place.port, "HEAD", "/v1/models"))).status

    in_town(tmp_path, asking)


UNKNOWN = [
    "/",
    "/slots",
    "/props",
    "/metrics",
    "/docs",
    "/openapi.yaml",
    "/redoc",
    "/v1",
    "/v1/",
    "/completion",
    "/completions",
    "/infill",
    "/v1/completions",
    "/v1/embeddings",
    "/v1/responses",
    "/v1/messages",
    "/api/chat",
    "/api/tags",
    "/tokenize",
    "/lora-adapters",
    "/v1/load_lora_adapter",
    "/apply-template",
    "/v1/models/",
    "/v1/models/town",
    "//v1/models",
    "/v1//models",
    "/v1/./models",
    "/x/../v1/models",
    "/v1/models%00",
    "/v1/models%2f",
    "/v1%2fmodels/..",
    "/health/",
    "/V1/MODELS",
    "/v1/models;x",
    "/v1/models%0d%0aX:%20y",
    "/%ff",
    "/" + "a" * 20_000,
    "*",
    "/health%2f..%2fv1%2fmodels",
    "/v1/receipts/",
    "/v1/receipts/../../etc/passwd",
    "/v1/receipts/%2e%2e/models",
    "/v1/receipts/" + "0" * 64,
    "/v1/receipts/" + "0" * 64 + "/proof",
    "/v1/receipts/" + "G" * 64,
    "/v1/receipts//proof",
    "/v1/receipts/" + "0" * 63 + "%00",
]


def test_there_is_nothing_at_other_addresses(tmp_path: Path) -> None:
    async def asking(place: Town) -> None:
        for target in UNKNOWN:
            wire = await exchange(place.port, request_bytes(place.port, target=target))
            assert (404, "not_found") == (wire.status, wire.code), target

            nobody = await exchange(place.port, request_bytes(place.port, target=target, authorization=None))
            assert 401 == nobody.status, target

    in_town(tmp_path, asking)


def test_no_answer_may_be_kept_by_a_cache(tmp_path: Path) -> None:
    async def main() -> None:
        async with town(tmp_path) as place:
            said = await place.ask()
            answer = said.headers["x-auzolan-answer"]
            assert "no-store" == said.headers["Cache-Control"]
            for target in ("/v1/models", "/v1/service", "/health", f"/v1/receipts/{answer}", "/nowhere"):
                wire = await exchange(place.port, request_bytes(place.port, target=target))
                assert ["no-store"] == wire.all("cache-control"), target

    run(main())
