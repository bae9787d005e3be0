"""Edge: `auzolan run chat`: a conversation in the terminal, with the receipt of every answer."""

from __future__ import annotations

import http.client
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from auzolan.cli.commons import read_user_file, write_file
from auzolan.cli.output import hint, out, plain, print_json
from auzolan.cli.output import talk as stderr
from auzolan.core.record.canonical import JsonValue
from auzolan.core.record.checkpoint import read_log_proof
from auzolan.core.record.envelope import read_envelope
from auzolan.core.record.errors import NotCheckedError, UsageError
from auzolan.core.record.keystore import home_folder
from auzolan.run.answers.receipt import FIELD, Receipt, read_receipt

PATIENCE_S = 600.0
MAX_RECEIPT_BYTES = 16 * 1024 * 1024
_MAX_LINE = 1024 * 1024


@dataclass
class Client:
    """A client of one gateway on this machine.

    Attributes:
        port: of the gateway.
        token: that it asks for; hidden from `repr`.
        human: who is responsible, "" for nobody.
        wants_receipt: whether a receipt is asked for where the service gives them only to those who ask.
    """

    port: int
    token: str = field(repr=False)
    human: str = ""
    wants_receipt: bool = False

    def get(self, path: str) -> Any:  # noqa: ANN401  # JSON of the gateway
        """Return what stands at a path.

        Raises:
            NotCheckedError: the gateway is not there, or says no.
        """
        return json.loads(self.get_bytes(path))

    def get_bytes(self, path: str) -> bytes:
        """Return what stands at a path, as it is.

        Raises:
            NotCheckedError: the gateway is not there, or says no.
        """
        with _Exchange(self, "GET", path, None) as reply:
            return reply.read()

    def ask(self, model: str, messages: list[JsonValue]) -> Iterator[dict[str, Any]]:
        """Yield the chunks of a streamed answer.

        Raises:
            NotCheckedError: the gateway is not there, or says no.
        """
        # The likeliest words, always: the same question gets the same answer again.
        body = json.dumps({"model": model, "messages": messages, "stream": True, "temperature": 0})
        with _Exchange(self, "POST", "/v1/chat/completions", body) as reply:
            while line := reply.readline(_MAX_LINE):
                data = line.strip().removeprefix(b"data: ")
                if data == b"[DONE]":
                    return
                if data and line.startswith(b"data: "):
                    yield json.loads(data)


class _Exchange:
    """One request and its reply."""

    def __init__(self, client: Client, method: str, path: str, body: str | None) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", client.port, timeout=PATIENCE_S)
        headers = {"Authorization": f"Bearer {client.token}", "Content-Type": "application/json"}
        if client.wants_receipt:
            headers["Auzolan-Receipt"] = "yes"
        if client.human:
            headers["Auzolan-Human"] = "named"  # the name itself stays here
        self._asked = (method, path, body.encode() if body else None, headers)

    def __enter__(self) -> http.client.HTTPResponse:
        try:
            self._http.request(*self._asked)
            reply = self._http.getresponse()
        except OSError as error:
            self._http.close()
            raise NotCheckedError(
                f"nothing answers at 127.0.0.1:{self._http.port} ({error.strerror or error});"
                " this needs a service that is running: is `auzolan run serve` up?"
            ) from None
        if reply.status != 200:
            said = _message(reply.read(_MAX_LINE)) or f"HTTP {reply.status}, and nothing that this program knows"
            self._http.close()
            raise NotCheckedError(f"the gateway says: {said}")
        return reply

    def __exit__(self, *_: object) -> None:
        self._http.close()


def _message(data: bytes) -> str:
    """Return the words of a gateway's error, "" where it is none."""
    try:
        return str(json.loads(data)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return ""


def find_token(token_file: Path | None, service: str | None) -> str:
    """Return the token of a service on this machine: in the file named, that service's, or the only one there is.

    Raises:
        UsageError: there is none, or several, or none of that service.
    """
    if token_file is not None and service is not None:
        raise UsageError("give --service or --token-file, not both")
    return read_user_file(token_file or _token_of(service), 4096).decode("utf-8", "replace").strip()


def _token_of(service: str | None) -> Path:
    folder = home_folder() / "run"
    found = {each.parent.name: each for each in sorted(folder.glob("*/token"))}
    if not found:
        raise UsageError(f"no service has its token in {folder}; name the file that `serve` said with --token-file")
    if service is None and len(found) == 1:
        return next(iter(found.values()))
    if service in found:
        return found[service]
    which = "which service?" if service is None else f"there is no token of {service[:60]!r} in {folder}."
    these = ", ".join(f"--service {name}" for name in found)
    raise UsageError(f"{which} Say {these}, or --token-file FILE; their tokens are in {folder}/NAME/token")


def talk_once(client: Client, model: str, messages: list[JsonValue], quiet: bool) -> tuple[str, Receipt | None]:
    """Ask, print the answer as it comes, and return it with its receipt."""
    pieces, receipt = [], None
    for chunk in client.ask(model, messages):
        if "error" in chunk:
            raise NotCheckedError(f"the gateway says: {chunk['error'].get('message')}")
        if FIELD in chunk:
            receipt = read_receipt(json.dumps(chunk[FIELD]).encode())
        for choice in chunk.get("choices", []):
            text = choice.get("delta", {}).get("content") or ""
            pieces.append(text)
            if text and not quiet:
                out().print(_lines(text), end="", soft_wrap=True)
    if not quiet:
        out().print()
    return "".join(pieces), receipt


def _lines(text: str) -> str:
    """Return text to be shown: its lines stay lines, and nothing in it reaches the terminal as a command."""
    return "\n".join(plain(line, len(line)) for line in text.split("\n"))


def talk(
    message: str | None,
    port: int,
    model: str | None,
    token_file: Path | None,
    service: str | None,
    human: str | None,
    receipts: Path | None,
    as_json: bool,
) -> None:
    """Ask one question, or hold a conversation until an empty line or the end of the input."""

    client = Client(port, find_token(token_file, service), human or "", receipts is not None)
    names = [each["id"] for each in client.get("/v1/models")["data"]]
    chosen = model or names[0]
    if chosen not in names:
        raise UsageError(f"--model {chosen[:60]}: the gateway serves {', '.join(names)}")
    messages: list[JsonValue] = []
    while True:
        asked = message if message is not None else _next_question()
        if not asked:
            return
        messages.append({"role": "user", "content": asked})
        answer, receipt = talk_once(client, chosen, messages, as_json)
        kept = _keep(receipts, receipt, messages, answer)
        if as_json:
            said = read_envelope(receipt.envelope).claimed if receipt else None
            print_json(
                {"answer": answer, "receipt": str(kept) if kept else None, "record": said.as_json() if said else None}
            )
        elif kept:
            hint(f"receipt: {kept}")
        if message is not None:
            return
        messages.append({"role": "assistant", "content": answer})


def fetch_proof(path: Path, port: int, token_file: Path | None, service: str | None, as_json: bool) -> None:
    """Ask the service for the proof that an answer is in its log, and keep it in the receipt.

    Raises:
        NotCheckedError: the service is not there, or the answer waits for the next batch.
    """
    receipt = read_receipt(read_user_file(path, MAX_RECEIPT_BYTES))
    answer = read_envelope(receipt.envelope, "receipt").claimed.id
    client = Client(port, find_token(token_file, service))
    try:
        proof = client.get_bytes(f"/v1/receipts/{answer}/proof")
    except NotCheckedError as error:
        if "next batch" not in str(error):
            raise
        raise NotCheckedError(f"{error} (answers are logged in batches, at most ten minutes later)") from None
    size = read_log_proof(proof).checkpoint.head.size
    _write(path, receipt.with_proof(proof))
    if as_json:
        print_json({"receipt": str(path), "answer": answer, "size": size})
        return
    out().print(f"{path}: now with its proof, in a log of {size:,}", soft_wrap=True)


def _next_question() -> str:
    if sys.stdin.isatty():
        stderr().print("you: ", end="", style="bold")
    return sys.stdin.readline().strip()


def _keep(folder: Path | None, receipt: Receipt | None, messages: list[JsonValue], answer: str) -> Path | None:
    """Write a receipt with its transcript; it is as private as the conversation."""
    if folder is None or receipt is None:
        return None
    path = folder / f"{read_envelope(receipt.envelope).claimed.id[:16]}.json"
    _write(path, receipt.with_transcript(messages, answer))
    return path


def _write(path: Path, receipt: Receipt) -> None:
    """Write a receipt that nobody else can read at any time; a folder that is made for it likewise."""
    before = os.umask(0o077)
    try:
        write_file(path, receipt.to_bytes() + b"\n")
    finally:
        os.umask(before)
