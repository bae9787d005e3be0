"""A network of one machine: brings up loopback, says which interfaces there are, serves and chats.

Runs by itself, as `python offline.py PORT STATE COMMONS -- ARGUMENTS`, where nothing but loopback exists
(`unshare --net`, `bwrap --unshare-net`). Prints one JSON object.
"""

from __future__ import annotations

import fcntl
import json
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress

MAIN = [sys.executable, "-c", "from auzolan.cli import main; main()"]
SET_FLAGS, UP = 0x8914, 1
PATIENCE_S = 60.0


def loopback_up() -> None:
    """Turn loopback on; a new network namespace has it turned off."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket, suppress(PermissionError):
        fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sh14x", b"lo", UP))


def outside() -> str:
    """Try to reach another machine; return the name of the error, "" if it answers."""
    try:
        socket.create_connection(("192.0.2.1", 443), timeout=5).close()
    except OSError as error:
        return type(error).__name__
    return ""


def healthy(port: int, process: subprocess.Popen[bytes]) -> bool:
    """Wait until the gateway answers."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as reply:
                return bool(json.load(reply)["status"] == "ok")
        except (OSError, urllib.error.URLError):
            time.sleep(0.05)
    return False


def tell(port: int, state: str, commons: str, arguments: list[str]) -> dict[str, object]:
    """Serve, ask one question, and stop."""
    loopback_up()
    words = ["run", "serve", "--port", str(port), "--state", state, "--commons", commons, *arguments]
    process = subprocess.Popen([*MAIN, *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        ok = healthy(port, process)
        chat = ["run", "chat", "When does the library open?", "--port", str(port), "--token-file", f"{state}/token"]
        asked = subprocess.run([*MAIN, *chat, "--json"], capture_output=True, text=True, timeout=PATIENCE_S)
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(PATIENCE_S)
    said = json.loads(asked.stdout) if asked.returncode == 0 else {"error": asked.stderr}
    interfaces = [name for _, name in socket.if_nameindex()]
    return {"interfaces": interfaces, "outside": outside(), "healthy": ok, "code": code, "chat": said}


if __name__ == "__main__":
    asked_port, at, town, _, *rest = sys.argv[1:]
    print(json.dumps(tell(int(asked_port), at, town, rest)))
