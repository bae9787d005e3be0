"""A town that serves a model, for tests of `auzolan run`: a synthetic model, a gateway's process, and its answers."""

from __future__ import annotations

import http.client
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from auzolan.cli.commons import key_store, open_key, promises
from auzolan.core.kinds.answer import Engine, Fired
from auzolan.core.kinds.run import Service
from auzolan.core.kinds.teach import Adapter
from auzolan.core.record.canonical import JsonValue
from auzolan.core.record.keys import SigningKey
from auzolan.core.record.record import Record
from auzolan.run.answers.log import AnswerLog
from auzolan.run.answers.receipt import Receipt, receipt_bytes
from auzolan.run.answers.seal import Sealed, Sealer, asked_bytes
from auzolan.run.loaded import adapter_digest, loaded_as_signed
from tests.cli.deliberation import Place

PATIENCE_S = 40.0
QUESTION, ANSWER = "When does the library open?", "The library opens at nine (synthetic)."
FORBIDDEN = "Decide whether this applicant is entitled to the housing benefit."
FILLED = {"operator": "The library (synthetic)", "contact": "the town desk (synthetic)"}
MAIN = "from auzolan.cli import main; main()"


def changed(path: Path, **fields: Any) -> Path:
    """Set fields at the top of a TOML file; None takes one out."""
    text = path.read_text(encoding="utf-8")
    for name, value in fields.items():
        line = f"{name} = {json.dumps(value, ensure_ascii=False)}\n" if value is not None else ""
        (before, after) = re.split(rf"(?m)^{name} = .*\n", text)
        text = before + line + after
    path.write_text(text, encoding="utf-8")
    return path


def prepared(here: Place, name: str = "town", folder: str = "run", **fields: Any) -> Path:
    """Write the two files, fill in what a person has to, and return the service's."""
    place = here.machine.folder / folder
    here.run("run", "prepare", "--name", name, "--folder", place)
    return changed(place / "service.toml", **{**FILLED, **fields})


def declared(here: Place, **fields: Any) -> str:
    """Declare a service and return its id."""
    return str(here.json("run", "declare", prepared(here, **fields))["service"])


def record_of(here: Place, record_id: str) -> Record:
    """Return a committed record."""
    said = here.record(record_id)
    return Record(said["kind"], said["body"], said["links"], said["blobs"])


def revoke(here: Place, record_id: str, key: str = "demo/desk", *more: str) -> None:
    """Say that a record is revoked; one principal is enough in this town."""
    proposed = here.run("propose", "endorsement", record_id, "--claim", "revoked", "--key", key, *more)
    here.run("commit", proposed.splitlines()[0])


def two_principals(here: Place, *kinds: str) -> None:
    """Take in a school, and let both principals be needed for some kinds of records."""
    rules = here.town / "governance.toml"
    school = here.machine.key("school")
    needed = "".join(f'"{kind}" = {{ role = "steward", count = 2 }}\n' for kind in kinds)
    text = rules.read_text().replace('steward = ["library"]', 'steward = ["library", "school"]')
    text = text.replace("[roles]", f'[principals.school]\nname = "School (synthetic)"\nkeys = ["{school}"]\n\n[roles]')
    rules.write_text(text.replace("[constitution]", f"{needed}\n[constitution]"))
    proposed = here.run("propose", "governance", "--key", "demo/desk")
    here.run("commit", proposed.splitlines()[0])


MESSAGES: list[JsonValue] = [{"role": "user", "content": QUESTION}]


class Said(NamedTuple):
    """An answer that a service signed, as the person who asked has it."""

    id: str
    receipt: Receipt


@dataclass
class Runtime:
    """The runtime's hand: signs and logs answers as the gateway does, without one."""

    here: Place
    service_id: str
    state: Path
    integrity: str = "verified"
    overrides: tuple[str, ...] = ()

    @property
    def service(self) -> Service:
        return Service.from_record(record_of(self.here, self.service_id))

    @property
    def log_size(self) -> int:
        """How many entries the community's log has."""
        return int((Path(self.here.town) / "ledger" / "checkpoint").read_text().split("\n")[1])

    def answers(
        self, n: int = 1, key: str = "", logged: bool = True, messages: list[JsonValue] = MESSAGES, **changes: Any
    ) -> list[Said]:
        """Answer the same question `n` times, log the answers, and return them with transcript and proof."""
        self.here.machine.monkeypatch.setenv("AUZOLAN_HOME", str(self.here.machine.home))
        signing = open_key(key_store().find(key or self.service.runtime_key.name))
        seal = self._sealing(signing, messages, **changes)
        sealed = [seal() for _ in range(n)]
        if not logged:
            return [Said(each.id, Receipt(each.envelope, each.nonce, messages, ANSWER)) for each in sealed]
        with closing(AnswerLog.open(self.state / "answers", signing, self.service.origin, promises())) as log:
            for each in sealed:
                log.append(each)
            log.batch()
            proofs = [log.proof(each.id) for each in sealed]
        return [
            Said(each.id, Receipt(each.envelope, each.nonce).with_transcript(messages, ANSWER).with_proof(proof))
            for each, proof in zip(sealed, proofs, strict=True)
        ]

    def _sealing(
        self, signing: SigningKey, messages: list[JsonValue], fired: Sequence[Fired] = (), **ids: Any
    ) -> Callable[[], Sealed]:
        service = self.service
        order = tuple(each.adapter for each in service.adapters)
        records = {each: Adapter.from_record(record_of(self.here, each)) for each in order}
        sealer = Sealer(
            **{"service": self.service_id, "constitution": service.constitution, "rules": service.rules, **ids},
            engine=Engine("stand-in", "1", "e" * 64, "bubblewrap"),
            loaded=loaded_as_signed(service.base, {}, ()),
            adapters={each: adapter_digest(one.weights, one.config) for each, one in records.items()},
            integrity=self.integrity, overrides=self.overrides, key=signing,
        )  # fmt: skip
        return lambda: sealer.seal(
            secrets.token_bytes(32), asked_bytes(messages), ANSWER, outcome="answered", fired=fired, adapters=order,
            log_size=self.log_size, cosigned_at=None, now=1_795_000_000,
        )  # fmt: skip


def written(folder: Path, receipt: Receipt, name: str = "receipt.json") -> Path:
    """Write a receipt as a client keeps it."""
    path = folder / name
    path.write_bytes(receipt.to_bytes() + b"\n")
    return path


def bare(receipt: Receipt) -> Receipt:
    """Return what the gateway gives at once: neither transcript nor proof."""
    data = receipt_bytes(receipt.envelope, receipt.nonce)
    return Receipt(receipt.envelope, receipt.nonce) if data else receipt


@dataclass
class Model:
    """A synthetic OpenAI-compatible server on loopback, which says what it is told."""

    names: tuple[str, ...] = ("town", "town-base")
    pieces: tuple[str, ...] = ("The library ", "opens ", "at nine ", "(synthetic).")
    asked: list[Any] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def running(self) -> Iterator[Model]:
        """Serve meanwhile."""
        model = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                listed = {"object": "list", "data": [{"id": each} for each in model.names]}
                _reply(self, 200 if self.path == "/v1/models" else 404, json.dumps(listed).encode())

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                model.asked.append(body)
                if body.get("stream"):
                    _reply(self, 200, b"".join(model.events()), "text/event-stream")
                else:
                    _reply(self, 200, json.dumps(model.whole()).encode())

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            self.port = int(server.server_address[1])
            thread = threading.Thread(target=server.serve_forever, args=(0.02,))
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()

    def whole(self) -> Any:
        """Return an answer in one piece."""
        message = {"role": "assistant", "content": "".join(self.pieces)}
        usage = {"prompt_tokens": 7, "completion_tokens": 4, "total_tokens": 11}
        return {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage}

    def events(self) -> Iterator[bytes]:
        """Yield the events of a stream."""
        for piece in self.pieces:
            yield _event({"choices": [{"index": 0, "delta": {"content": piece}}]})
        yield _event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        yield b"data: [DONE]\n\n"


def _event(value: object) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def _reply(handler: BaseHTTPRequestHandler, status: int, body: bytes, kind: str = "application/json") -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def free_port() -> int:
    """Return a port on loopback that nothing listens on, none of those that the system gives to clients meanwhile."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def until(found: Callable[[], Any], what: Callable[[], str], process: subprocess.Popen[bytes] | None = None) -> Any:
    """Ask again until something is found, or fail with words."""
    end = time.monotonic() + PATIENCE_S
    while not (value := found()):
        over = process is not None and process.poll() is not None
        if over or time.monotonic() > end:
            raise AssertionError(what())
        time.sleep(0.02)
    return value


@dataclass
class Gateway:
    """`auzolan run serve` as a process of its own."""

    here: Place
    port: int
    state: Path
    process: subprocess.Popen[bytes]
    talk: Path

    @property
    def token(self) -> str:
        return (self.state / "token").read_text().strip()

    @property
    def said(self) -> str:
        """What it said on stderr."""
        return self.talk.read_text()

    def ask(self, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Return status and what came, parsed where it is JSON."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)) as http_:
            more = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **headers}
            http_.request("GET" if body is None else "POST", path, json.dumps(body) if body else None, more)
            reply = http_.getresponse()
            data = reply.read()
            return reply.status, json.loads(data) if reply.headers["content-type"] == "application/json" else data

    def health(self) -> Any:
        """Return what /health says, None while nothing answers."""
        try:
            return self.ask("/health")[1]
        except OSError:
            return None

    def ready(self) -> Gateway:
        """Wait until it answers."""
        until(self.health, lambda: f"the gateway did not start: {self.said}", self.process)
        return self

    def chat(self, *arguments: str | Path, stdin: str | None = None) -> Any:
        """Call `auzolan run chat`."""
        words = ("run", "chat", *arguments, "--port", str(self.port), "--token-file", self.state / "token")
        return self.here.machine.call(*words, stdin=stdin)

    def stop(self) -> int:
        """Send SIGTERM and return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)


def environment(here: Place) -> dict[str, str]:
    """Return what a process on that machine finds in its environment."""
    rest = {name: value for name, value in os.environ.items() if not name.startswith(("AUZOLAN", "OPENAI", "LLM"))}
    return {**rest, "AUZOLAN_HOME": str(here.machine.home), "COLUMNS": "200", "OMP_NUM_THREADS": "1"}


def started(
    here: Place,
    *arguments: str | Path,
    state: str = "state",
    port: int = 0,
    before: Sequence[str] = (),
    main: str = MAIN,
) -> Gateway:
    """Start `auzolan run serve`; whoever calls this stops it."""
    port, place = port or free_port(), here.machine.folder / state
    talk = here.machine.folder / f"{state}-{port}.err"
    words = ["run", "serve", *arguments, "--port", port, "--state", place, "--commons", here.town]
    with talk.open("wb") as stream:
        process = subprocess.Popen(
            [*before, sys.executable, "-c", main, *map(str, words)], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=stream, env=environment(here), cwd=here.machine.folder,
        )  # fmt: skip
    return Gateway(here, port, place, process, talk)


@contextmanager
def serving(here: Place, *arguments: str | Path, **more: Any) -> Iterator[Gateway]:
    """Serve meanwhile."""
    gateway = started(here, *arguments, **more)
    try:
        yield gateway.ready()
    finally:
        gateway.stop()


def refused(here: Place, *arguments: str | Path, **more: Any) -> tuple[int, str]:
    """Start what is not to start; return its exit code and its last line."""
    gateway = started(here, *arguments, **more)
    try:
        until(
            lambda: gateway.process.poll() is not None or gateway.health(),
            lambda: f"neither starts nor ends: {gateway.said}",
        )
        code = gateway.process.poll()
    finally:
        gateway.stop()

    assert code is not None, f"it serves: {gateway.said}"
    assert "Traceback" not in gateway.said, gateway.said
    return code, gateway.said.strip().splitlines()[-1]
