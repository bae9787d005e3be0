"""A server on loopback that speaks the chat API, as well or as badly as a test wants.

Runs in threads of the test; `python -m tests.core.lm.loopback` runs one that
answers at once, for measuring.
"""

from __future__ import annotations

import json
import socket
import socketserver
import ssl
import struct
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from auzolan.core.lm.generate import Decoding, Message, Request

MODEL = "loopback-1"
DECODING = Decoding(max_tokens=50)


def ask(text: str, decoding: Decoding = DECODING) -> Request:
    return Request((Message("user", text),), decoding)


def asks(n: int) -> list[Request]:
    return [ask(f"question {number}") for number in range(n)]


def reply_to(text: str) -> str:
    return f"answer to {text}"


@dataclass(frozen=True)
class Seen:
    """One request as it arrived.

    Attributes:
        text: of the last message.
        attempt: 1 where this text was never asked before.
        number: of all requests to this server, 1 is the first.
    """

    path: str
    headers: dict[str, str]
    body: dict[str, object]
    text: str
    attempt: int
    number: int


class Line:
    """What a test may do to the connection on which a request came."""

    def __init__(self, connection: socket.socket, done: Callable[[], None]) -> None:
        self._connection = connection
        self._done = done
        self.is_open = True

    def send(self, data: bytes) -> None:
        self._done()  # before the client can have it, so that its next request never counts as a second one
        self._connection.sendall(data)

    def close(self) -> None:
        self._done()
        self.is_open = False

    def reset(self) -> None:
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()


Behave = Callable[[Seen, Line], None]


def message(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def completion(text: str, **fields: object) -> bytes:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    # Servers add floats and keys of their own.
    return json.dumps(
        {"id": "x", "model": MODEL, "choices": [choice], "usage": usage, "timings": {"ms": 1.5}} | fields
    ).encode()


def well(seen: Seen, line: Line) -> None:
    line.send(message(completion(reply_to(seen.text))))


def fails(status: str, *headers: str, body: bytes = b'{"error":{"message":"a reason"}}') -> Behave:
    def behave(seen: Seen, line: Line) -> None:
        line.send(message(body, status, *headers))

    return behave


def says(body: bytes) -> Behave:
    return fails("200 OK", body=body)


def raw(data: bytes) -> Behave:
    def behave(seen: Seen, line: Line) -> None:
        line.send(data)
        line.close()

    return behave


def resets(seen: Seen, line: Line) -> None:
    line.reset()


def hangs_up(seen: Seen, line: Line) -> None:
    line.close()


def cut_short(seen: Seen, line: Line) -> None:
    line.send(message(completion(reply_to(seen.text)))[:-20])
    line.close()


def drips(seen: Seen, line: Line) -> None:
    """Send header after header, one byte at a time, until the client has had enough."""
    try:
        line.send(b"HTTP/1.1 200 OK\r\n")
        for _ in range(100_000):
            line.send(b"X")
    except OSError:
        line.close()


def at_first(*behaviours: Behave) -> Callable[[Seen], Behave]:
    """Meet the first attempts of each question with these, and answer the following ones."""
    return lambda seen: behaviours[seen.attempt - 1] if seen.attempt <= len(behaviours) else well


def all_at_once(n: int, plan: Callable[[Seen], Behave]) -> Callable[[Seen], Behave]:
    """Hold the first attempts until `n` are here, so that each comes on a connection of its own."""
    here = threading.Barrier(n)

    def held(seen: Seen) -> Behave:
        if seen.attempt == 1:
            here.wait(timeout=60)
        return plan(seen)

    return held


class Loopback(socketserver.ThreadingTCPServer):
    """Meets each request as `plan` says; what it keeps is guarded by `lock`."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, plan: Callable[[Seen], Behave], tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.plan = plan
        self.tls = tls
        self.lock = threading.Lock()
        self.seen: list[Seen] = []
        self.attempts: Counter[str] = Counter()
        self.at_once = 0
        self.most_at_once = 0

    @property
    def address(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.server_address[1]}"

    @property
    def url(self) -> str:
        return f"{self.address}/v1"

    def get_request(self) -> tuple[socket.socket, object]:
        connection, client = super().get_request()
        if self.tls is None:
            return connection, client
        # The handshake comes with the first reading, in the connection's own thread.
        return self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), client

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away are what the tests want."""

    def note(self, path: str, headers: dict[str, str], body: dict[str, object]) -> Seen:
        messages = body["messages"]
        assert isinstance(messages, list)
        text = messages[-1]["content"]
        with self.lock:
            self.attempts[text] += 1
            seen = Seen(path, headers, body, text, self.attempts[text], len(self.seen) + 1)
            self.seen.append(seen)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        return seen

    def forget_one(self) -> None:
        with self.lock:
            self.at_once -= 1


class _Handler(socketserver.StreamRequestHandler):
    server: Loopback
    disable_nagle_algorithm = True

    def handle(self) -> None:
        while head := self._head():
            length = int(head[1].get("content-length", "0"))
            seen = self.server.note(head[0], head[1], json.loads(self.rfile.read(length)))
            line = Line(self.connection, _once(self.server.forget_one))
            self.server.plan(seen)(seen, line)
            if not line.is_open:
                return

    def _head(self) -> tuple[str, dict[str, str]] | None:
        first = self.rfile.readline()
        if not first:
            return None
        pairs = [line.decode().split(":", 1) for line in iter(self.rfile.readline, b"\r\n")]
        return first.decode().split(" ")[1], {name.lower(): value.strip() for name, value in pairs}


def _once(act: Callable[[], None]) -> Callable[[], None]:
    left = [act]
    return lambda: left.pop()() if left else None


@contextmanager
def serving(
    plan: Callable[[Seen], Behave] = lambda seen: well, tls: ssl.SSLContext | None = None
) -> Iterator[Loopback]:
    with Loopback(plan, tls) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class Time:
    """A clock that goes on by `tick_s` whenever somebody looks, and by what is waited."""

    def __init__(self, tick_s: float = 0.0) -> None:
        self._lock = threading.Lock()  # guards what follows
        self._now = 1000.0
        self._tick_s = tick_s
        self.pauses: list[float] = []

    def clock(self) -> float:
        with self._lock:
            self._now += self._tick_s
            return self._now

    def pause(self, seconds: float) -> None:
        with self._lock:
            self._now += seconds
            self.pauses.append(seconds)


def texts(requests: Sequence[Request]) -> list[str]:
    return [reply_to(request.messages[-1].text) for request in requests]


if __name__ == "__main__":
    with serving() as fast:
        print(fast.url, flush=True)
        sys.stdin.read()
