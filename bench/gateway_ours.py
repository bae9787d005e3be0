"""How ours is started for bench/gateway.py: a synthetic service with 500 patterns, rules and receipts."""

from __future__ import annotations

import atexit
import functools
import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.gateway_place import Launch, Place
from bench.gateway_work import MODEL
from bench.measure import ROOT

N_PATTERNS = 500
LISTED = "what is synthetic term 77?"  # a question that the service must refuse
RECEIPT = b'"auzolan_receipt":'  # the field of an answer that holds its receipt
TOKEN = hashlib.sha256(b"synthetic token of a benchmark").hexdigest()


@functools.cache
def _made() -> Path:
    """Make the service once for all rounds, by `bench.gateway_service`; it is gone with this process."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    command = [sys.executable, "-m", "bench.gateway_service", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"the service cannot be made:\n{done.stderr}")
    return folder


def start_ours(place: Place) -> Launch:
    """Start `auzolan run serve` on a copy of the synthetic service, with the stand-in as its backend."""
    shutil.copytree(_made(), place.folder, dirs_exist_ok=True)
    token = place.folder / "token"
    token.touch(0o600)
    token.write_text(TOKEN)
    command = (
        str(Path(sys.executable).parent / "auzolan"),
        *("run", "serve", MODEL, "--commons", str(place.folder / "town"), "--state", str(place.folder / "state")),
        *("--port", str(place.port), "--token-file", str(token)),
        *("--backend", place.backend, "--backend-kind", "openai", "--backend-model", MODEL),
    )
    env = {"AUZOLAN_HOME": str(place.folder / "home")}
    return Launch(command, env, f"Authorization: Bearer {TOKEN}\r\n", RECEIPT)
