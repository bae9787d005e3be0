"""The loopback server: Decidim's API on 127.0.0.1, a thread per connection, which tests command."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qs

from graphql import GraphQLError, execute, parse, validate

from tests.decidim_server.faults import Fault
from tests.decidim_server.instance import Instance
from tests.decidim_server.limits import Counted, refusal
from tests.decidim_server.resolving import Context, resolve, type_of
from tests.decidim_server.schemas import schema_of

KEY, SECRET, TOKEN = "api-key-1", "s3cret-of-the-admin", "t0ken-of-the-admin"
_parsed: dict[tuple[str, str], tuple[Any, list[Any]]] = {}


class Asked(NamedTuple):
    """One request that came."""

    query: str
    variables: Mapping[str, Any]
    complexity: int
    depth: int


class DecidimServer:
    """A Decidim of one generation; a context manager.

    Attributes:
        instance: what it holds; to be changed at will.
        asked: every request of the API that came and had a query that parses.
        answered: (component, proposal) for every answer that it took, as each notifies people.
        signed_in: how many API users are signed in now.
        nulls: (type, field) that are told as null.
        faults: called with the number of each request, from 1, and returns what goes wrong with it, or None.
        before: called with the number of each request before it is answered; changes the instance.
        requests: how many came, refused ones included.
    """

    def __init__(
        self,
        generation: str,
        instance: Instance,
        *,
        clock: Callable[[], float] = lambda: 0.0,
        per_minute: int | None = None,
        max_complexity: int | None = None,
        closed: bool = False,
    ) -> None:
        self.generation, self.instance = generation, instance
        self.asked: list[Asked] = []
        self.answered: list[tuple[int, str]] = []
        self.signed_in = 0
        self.nulls: set[tuple[str, str]] = set()
        self.faults: Callable[[int], Fault | None] = lambda _: None
        self.before: Callable[[int], None] = lambda _: None
        self.requests = 0
        self.refused_for_pace = 0
        self._clock, self._per_minute, self._max_complexity, self._closed = clock, per_minute, max_complexity, closed
        self._times: deque[float] = deque()
        self._lock = Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self._http.server_address[1]}/api"

    def __enter__(self) -> Self:
        self._thread = Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # else each answer waits 40 ms for the acknowledgement of its headers

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                server._take(self, body)

            def do_DELETE(self) -> None:
                server._take(self, b"")

        return Handler

    def _take(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        with self._lock:
            self.requests += 1
            number = self.requests
            self.before(number)
            fault = self.faults(number) or Fault()
            answer: tuple[int, bytes, dict[str, str]] = (fault.status, b"", {})
            if fault.acts:
                answer = self._answer(request, body)
        status, said, headers = answer
        if fault.body is not None:
            status, said = fault.status, fault.body
        _send(request, status, said, {**headers, **fault.headers}, fault)

    def _answer(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, bytes, dict[str, str]]:
        if self._is_too_fast():
            return 429, b"Retry later\n", {"Content-Type": "text/plain", "Retry-After": "7"}
        kind = request.headers.get("Content-Type", "")
        if request.path == "/api/sign_in" and request.command == "POST":
            return self._sign_in(kind, body)
        if request.path == "/api/sign_out" and request.command == "DELETE":
            self.signed_in -= 1
            return 204, b"", {}
        if request.path != "/api" or request.command != "POST":
            return 404, b"<html>Not found</html>", {"Content-Type": "text/html"}
        if kind.split(";")[0] != "application/json":
            return 200, b'{"errors":[{"message":"No query string was present"}]}', {}
        is_admin = request.headers.get("Authorization") == f"Bearer {TOKEN}"
        if self._closed and not is_admin:
            return 401, b"<html>Sign in</html>", {"Content-Type": "text/html"}
        return 200, json.dumps(self._execute(json.loads(body), is_admin)).encode(), {}

    def _is_too_fast(self) -> bool:
        """Count requests in the last minute, of Rack::Attack's kind."""
        if self._per_minute is None:
            return False
        now = self._clock()
        while self._times and self._times[0] <= now - 60:
            self._times.popleft()
        if len(self._times) >= self._per_minute:
            self.refused_for_pace += 1
            return True
        self._times.append(now)
        return False

    def _sign_in(self, kind: str, body: bytes) -> tuple[int, bytes, dict[str, str]]:
        said = parse_qs(body.decode())
        if kind != "application/x-www-form-urlencoded" or said.get("api_user[key]") != [KEY]:
            return 401, b'{"error":"Invalid"}', {}
        if said.get("api_user[secret]") != [SECRET]:
            return 401, b'{"error":"Invalid"}', {}
        self.signed_in += 1
        return 200, b"{}", {"Authorization": f"Bearer {TOKEN}"}

    def _execute(self, asked: Mapping[str, Any], is_admin: bool) -> dict[str, Any]:
        text, variables = asked.get("query") or "", asked.get("variables") or {}
        schema = schema_of(self.generation)
        if (self.generation, text) not in _parsed:
            try:
                document = parse(text)
            except GraphQLError as error:
                return {"errors": [{"message": f"Parse error: {error.message}"}]}
            _parsed[self.generation, text] = (document, validate(schema, document))
        document, invalid = _parsed[self.generation, text]
        if invalid:
            return {"errors": [_as_ruby(error) for error in invalid]}
        counted = Counted(document, variables)
        self.asked.append(Asked(text, variables, counted.complexity, counted.depth))
        if refused := refusal(counted, self.generation):
            return {"errors": [refused]}
        if self._max_complexity is not None and counted.complexity > self._max_complexity:
            return {"errors": [{"message": f"Query has complexity of {counted.complexity}, which exceeds the maximum"}]}
        context = Context(self.instance, self.generation, is_admin, self.nulls, self.answered)
        found = execute(
            schema,
            document,
            context_value=context,
            variable_values=dict(variables),
            field_resolver=resolve,
            type_resolver=type_of,
        )
        assert not hasattr(found, "__await__")
        errors = [{"message": each.message, "extensions": each.extensions or {}} for each in found.errors or ()]
        return {"data": found.data, **({"errors": errors} if errors else {})}


def _as_ruby(error: GraphQLError) -> dict[str, Any]:
    """Word a refusal of validation as graphql-ruby does."""
    match error.message.split("'"):
        case ["Cannot query field ", name, " on type ", kind, *_]:
            return {
                "message": f"Field '{name}' doesn't exist on type '{kind}'",
                "extensions": {"code": "undefinedField", "typeName": kind, "fieldName": name},
            }
    return {"message": error.message, "extensions": {"code": "invalid"}}


def _send(request: BaseHTTPRequestHandler, status: int, body: bytes, headers: Mapping[str, str], fault: Fault) -> None:
    if fault.is_silent:
        request.close_connection = True
        return
    if fault.truncate >= 0:
        body = body[: fault.truncate]
    request.send_response(status)
    for name, value in {"Content-Type": "application/json; charset=utf-8", **headers}.items():
        request.send_header(name, value)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    try:
        if fault.drip_s:
            for byte in body:
                request.wfile.write(bytes([byte]))
                time.sleep(fault.drip_s)
        request.wfile.write(body if fault.cut < 0 else body[: fault.cut])
    except OSError:  # the client has gone
        request.close_connection = True
    if fault.cut >= 0:
        request.close_connection = True
