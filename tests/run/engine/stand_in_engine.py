"""A stand-in for the engine's package: no model, but a server on the same socket, started by the same child.

`installed` puts a copy where the child finds it as `xllamacpp`. The "model" is a file of JSON that says how it behaves.
Only the standard library: inside the sandbox there is no more.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

CommonParams = lambda: SimpleNamespace(  # noqa: E731 - named as the package names it
    model=SimpleNamespace(), cpuparams=SimpleNamespace(), cpuparams_batch=SimpleNamespace()
)


def CommonAdapterLoraInfo(path: str, scale: float) -> dict[str, Any]:  # noqa: N802 - as above
    return {"path": path, "scale": scale}


def _look(path: str) -> list[bool]:
    return [os.path.exists(path), os.access(path, os.W_OK)]


def _held(process: str) -> list[str]:
    """What a process has open."""
    folder = f"/proc/{process}/fd"
    found = []
    for each in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):  # the listing itself was open
            found.append(os.readlink(f"{folder}/{each}"))
    return found


def _reaches(port: str) -> bool:
    try:
        socket.create_connection(("127.0.0.1", int(port)), timeout=5).close()
    except OSError:
        return False
    return True


def Server(params: Any) -> object:  # noqa: N802 - as above
    with open(params.model.path) as file:
        how = json.load(file)
    if "fails" in how:
        sys.stderr.write(f"{how['fails']}\n")
        raise RuntimeError("Failed to init server")
    if "hangs" in how:
        threading.Event().wait()
    adapters = [{"id": place, **each} for place, each in enumerate(params.lora_adapters)]
    adapters = how.get("adapters", adapters)

    class Handler(BaseHTTPRequestHandler):
        def address_string(self) -> str:
            return "unix"

        def log_message(self, format: str, *args: Any) -> None:
            return

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            asked = parse_qs(parts.query)
            if parts.path == "/crash":
                os._exit(3)
            if parts.path == "/complain":
                sys.stderr.write("".join(f"{line}\n" for line in asked["line"]))
                sys.stderr.flush()
            answers: dict[str, Any] = {
                "/health": lambda: {"status": how.get("health", "ok")},
                "/lora-adapters": lambda: adapters,
                "/look": lambda: {path: _look(path) for path in asked.get("path", [])},
                "/reaches": lambda: [_reaches(port) for port in asked.get("port", [])],
                "/files": lambda: [_held(each) for each in ("1", "self")],
                "/environment": lambda: dict(os.environ),
            }
            told = answers[parts.path]() if parts.path in answers else {}
            data = json.dumps(told).encode()
            self.send_response(200 if self.headers["Authorization"] == f"Bearer {params.api_keys[0]}" else 401)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = socketserver.ThreadingUnixStreamServer(params.hostnames[0], Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def installed(folder: Path) -> Path:
    """Put a copy of this file where it is found as the package."""
    package = folder / "packages" / "xllamacpp"
    package.mkdir(parents=True)
    shutil.copy(__file__, package / "__init__.py")
    return package
