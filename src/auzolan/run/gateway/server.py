"""Edge: the gateway's routes, its listening socket, and its way down.

One process, one loop: granian takes HTTP apart and hands requests over (RSGI).
On SIGTERM or SIGINT no new connection is taken, what is under way is finished
within a grace time, the last answers are put into the log, and only then all
is closed.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
import resource
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import orjson

from auzolan.core.record.errors import AuzolanError, MalformedError, MissingError, UsageError
from auzolan.core.record.record import is_digest
from auzolan.run.answers.receipt import ID_HEADER, NONCE_HEADER
from auzolan.run.engine.turns import QueueFullError
from auzolan.run.gateway.body import Transport, read_body, read_json_object
from auzolan.run.gateway.conversation import converse
from auzolan.run.gateway.door import Headers, Refusal, cors_headers, json_wanted
from auzolan.run.gateway.house import House
from auzolan.run.gateway.openapi import description
from auzolan.run.gateway.wire import JSON_TYPE, NO_STORE, error_body

logger = logging.getLogger("auzolan.run")
CHAT, HEALTH = "/v1/chat/completions", "/health"
RECEIPTS = "/v1/receipts/"
PROOF = "/proof"
AT_ONCE = 64
MOST_CONNECTIONS = 256
_PREFLIGHT = [
    ("access-control-allow-methods", "GET, POST"),
    ("access-control-allow-headers", "authorization, content-type, auzolan-human, auzolan-receipt"),
    ("access-control-expose-headers", f"{ID_HEADER}, {NONCE_HEADER}"),
    ("access-control-max-age", "600"),
]
_UNKNOWN = Refusal(404, "not_found", "there is nothing at this address")


class Gateway:
    """The application that granian calls; its only state beside the house is what is under way."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.n_open = 0
        self.at_once = AT_ONCE

    async def __rsgi__(self, scope: Any, proto: Any) -> None:  # noqa: ANN401  # granian's types are those of its binary
        """Serve one request; whatever happens, exactly one answer is begun."""
        if scope.proto != "http":
            proto.close(403)
            return
        self.n_open += 1
        try:
            await self._serve(scope, proto)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            # The type alone: a message might hold what somebody wrote.
            logger.error("a bug in the gateway: %s", type(error).__name__, exc_info=logger.isEnabledFor(logging.DEBUG))
            _refuse(proto, Refusal(500, "bug", "something went wrong in the gateway; nothing of it was kept"), [])
        finally:
            self.n_open -= 1

    async def _serve(self, scope: Any, proto: Any) -> None:  # noqa: ANN401
        headers, path = scope.headers, scope.path
        is_preflight = scope.method == "OPTIONS"
        refusal = self._house.door.refusal(headers, scope.authority, needs_token=path != HEALTH and not is_preflight)
        more = cors_headers(self._house.door, headers)
        if refusal is None:
            if is_preflight:
                proto.response_empty(204, more + (_PREFLIGHT if more else []))
                return
            refusal = await self._route(scope.method, path, headers, proto, more)
        if refusal is not None:
            _refuse(proto, refusal, more)

    async def _route(
        self, method: str, path: str, headers: Headers, proto: Transport, more: list[tuple[str, str]]
    ) -> Refusal | None:
        """Answer, or say why not."""
        if path == CHAT:
            if method != "POST":
                return Refusal(405, "wrong_method", "expected POST")
            return await self._chat(headers, proto, more)
        if method != "GET":
            return Refusal(405, "wrong_method", "expected GET") if path in _PAGES or path == HEALTH else _UNKNOWN
        try:
            if path == HEALTH:
                _send(proto, _health(self._house, told=self._house.door.bears_token(headers)), more)
            elif path in _PAGES:
                _send(proto, _PAGES[path](self._house), more)
            elif path.startswith(RECEIPTS):
                self._receipt(path.removeprefix(RECEIPTS), proto, more)
            else:
                return _UNKNOWN
        except MissingError as error:
            return Refusal(404, "not_found", str(error))
        except AuzolanError as error:
            return Refusal(503, "unavailable", str(error))
        return None

    async def _chat(self, headers: Headers, proto: Transport, more: list[tuple[str, str]]) -> Refusal | None:
        if refusal := json_wanted(headers):
            return refusal
        if self._house.closed:
            return Refusal(503, "closed", f"no answers are given now: {self._house.closed}")
        if self.n_open > self.at_once:  # before the body, which would have to be kept meanwhile
            return Refusal(429, "busy", f"{self.at_once} requests are open already; ask again later")
        body = await read_body(proto, headers)
        if isinstance(body, Refusal):
            return body
        try:
            return await converse(self._house, read_json_object(body), headers, proto, more)
        except (MalformedError, UsageError) as error:
            return Refusal(400, "wrong_request", str(error))
        except QueueFullError as error:
            return Refusal(429, "busy", str(error))
        except AuzolanError as error:
            return Refusal(503, "unavailable", str(error))

    def _receipt(self, name: str, proto: Transport, more: list[tuple[str, str]]) -> None:
        """Send what is known of an answer: its record, or the proof that it stands in the log."""
        wants_proof = name.endswith(PROOF)
        answer = name.removesuffix(PROOF) if wants_proof else name
        if not is_digest(answer):
            raise MissingError("expected the id of an answer, 64 hexadecimal digits")
        if wants_proof:
            data, kind = self._house.proof(answer), ("content-type", "text/plain; charset=utf-8")
        else:
            data, kind = self._house.log.envelope(answer), JSON_TYPE
        proto.response_bytes(200, [kind, NO_STORE, *more], data)


def _send(proto: Transport, value: object, more: list[tuple[str, str]]) -> None:
    proto.response_bytes(200, [JSON_TYPE, NO_STORE, *more], orjson.dumps(value))


def _refuse(proto: Transport, refusal: Refusal, more: list[tuple[str, str]]) -> None:
    headers = [JSON_TYPE, NO_STORE, *more]
    if refusal.status == 401:
        headers.append(("www-authenticate", "Bearer"))
    if refusal.status in (429, 503):
        # Whoever is told to come again leaves its place to the next.
        headers += [("retry-after", "1"), ("connection", "close")]
    try:
        proto.response_bytes(refusal.status, headers, error_body(refusal))
    except RuntimeError:  # the client is gone, or an answer was begun already
        logger.debug("a refusal could not be sent")


def _health(house: House, *, told: bool) -> dict[str, object]:
    """Say whether answers are given; why they are not, only whoever bears the token is told: it names files."""
    try:
        house.upstream()
        engine = "ready"
    except AuzolanError as error:
        engine = str(error)
    ok = engine == "ready" and not house.closed
    status = {"status": "ok" if ok else "unavailable"}
    return {**status, "engine": engine, "closed": house.closed or None} if told else {**status}


def _models(house: House) -> dict[str, object]:
    made = {"object": "model", "created": 0, "owned_by": house.service.operator}
    return {"object": "list", "data": [{"id": name, **made} for name in house.variants]}


def _about(house: House) -> dict[str, object]:
    """Say what is served, by whom and under what, for whoever is answered."""
    service, now = house.service, house.clock()
    return {
        "service": house.service_id,
        "name": service.name,
        "title": service.title,
        "purpose": service.purpose,
        "languages": list(service.languages),
        "operator": service.operator,
        "contact": service.contact,
        "review_at": service.review_at,
        "constitution": service.constitution,
        "rules": service.rules,
        "adapters": [each.adapter for each in service.adapters],
        "model": service.base.name,
        "runtime_key": str(service.runtime_key),
        "log": service.origin,
        "log_view": house.log_view.standing(now),
        "superseded_by": house.superseded_by or None,
        "overrides": list(house.overrides),
    }


_PAGES: dict[str, Callable[[House], dict[str, object]]] = {
    "/openapi.json": lambda _: description(),
    "/v1/models": _models,
    "/v1/service": _about,
}


def _most_connections() -> int:
    """Return how many connections are taken at a time, idle ones too: half of what this process may have open."""
    return max(16, min(MOST_CONNECTIONS, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2))


async def serve(
    gateway: Gateway,
    port: int,
    keep: Callable[[], Awaitable[None]],
    ready: Callable[[], None],
    *,
    at_once: int = AT_ONCE,
    grace_s: float = 30.0,
) -> None:
    """Listen on loopback until a signal comes.

    Args:
        gateway: the application.
        port: to listen on.
        keep: runs beside it until it is cancelled (`keeper`); if it ends by itself, so does the gateway.
        ready: called once connections are taken.
        at_once: requests that are open at a time, with their bodies; further ones are told to come again.
        grace_s: so long what is under way may take after a signal.
    """
    from granian.constants import HTTPModes
    from granian.http import HTTP1Settings
    from granian.server.embed import Server

    # A client that sends its headers byte by byte, or opens a connection and says nothing, is let go.
    patience = HTTP1Settings(header_read_timeout=3_000, max_buffer_size=64 * 1024)
    server = Server(
        gateway, address="127.0.0.1", port=port, http=HTTPModes.http1, http1_settings=patience, websockets=False,
        backlog=256, backpressure=_most_connections(), log_enabled=False,
    )  # fmt: skip
    gateway.at_once = at_once
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    serving, keeping = asyncio.ensure_future(server.serve()), asyncio.ensure_future(keep())
    stopping = asyncio.ensure_future(stop.wait())
    # What is there by now stays; to go through all of it again and again would cost a tenth of every answer.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 50)
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)  # what starting needed and serving does not (glibc)
    await _until_open(port, {serving, keeping, stopping})
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a dump would hold what people asked
    ready()
    ended, _ = await asyncio.wait({serving, keeping, stopping}, return_when=asyncio.FIRST_COMPLETED)
    server.stop()  # type: ignore[no-untyped-call]
    try:
        await asyncio.wait({serving}, timeout=grace_s)
    finally:
        for task in (stopping, keeping, serving):
            task.cancel()
        await asyncio.gather(stopping, keeping, serving, return_exceptions=True)
    for task in ended - {stopping}:  # neither ends by itself but by a bug
        await task


async def _until_open(port: int, tasks: set[asyncio.Future[Any]]) -> None:
    """Wait until connections are taken, or something ended."""
    while not any(task.done() for task in tasks):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.01)
            continue
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        return
