"""Edge: the engine's child: llama.cpp's server on a Unix socket, and nothing else. It runs as a file of its own.

`python -I -S child.py`, or `python -m auzolan.run.engine.child`. Imports only the
standard library and xllamacpp, because inside the sandbox there is no more.

Its settings are one line of JSON on the standard input (so that the key stands
in no list of processes and no environment); the input then stays open, and its
end is the child's end. When the model is loaded it writes one line,
`{"ready": true}`, on the standard output. llama.cpp's errors go to the standard error.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys
from typing import Any

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
NICE = 5
MAX_DESCRIPTORS = 65_536


def main() -> None:
    """Read the settings, load the model, serve until the input ends."""
    line = sys.stdin.buffer.readline()
    if not line:
        return
    settings: dict[str, Any] = json.loads(line)
    _tie_to_parent(settings["parent"])
    _limit(settings)
    sys.path[:0] = settings["packages"]
    socket = settings["socket"]
    try:
        server = _serve(settings)
        os.chmod(socket, 0o600)
    except Exception as error:  # llama.cpp says why; a traceback would hide that
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.stderr.flush()
        sys.exit(1)  # in order, because llama.cpp writes its lines from a thread
    sys.stdout.write('{"ready": true}\n')
    sys.stdout.flush()
    os.dup2(2, 1)  # nobody reads there any more, and a full pipe would hold the server up
    while sys.stdin.buffer.read(4096):
        pass
    with contextlib.suppress(OSError):
        os.unlink(socket)
    del server
    # Not sys.exit: threads of the server that still compute would hold it up.
    os._exit(0)


def _serve(settings: dict[str, Any]) -> object:
    """Return the running server; the model is loaded when this returns."""
    import xllamacpp

    wanted = xllamacpp.CommonParams()
    wanted.model.path = settings["model"]
    wanted.model_alias = {"model"}
    # All adapters at scale 0: one takes part only where a request names it.
    wanted.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(path, 0.0) for path in settings["adapters"]]
    wanted.lora_init_without_apply = True
    wanted.hostnames = [settings["socket"]]  # a name that ends in ".sock" is a Unix socket; no port is opened
    wanted.api_keys = [settings["key"]]
    wanted.n_parallel = settings["slots"]
    wanted.n_ctx = settings["context"] * settings["slots"]  # the server divides it among its slots
    wanted.n_predict = settings["max_tokens"]
    wanted.cpuparams.n_threads = wanted.cpuparams_batch.n_threads = settings["threads"]
    wanted.cpuparams.poll = wanted.cpuparams_batch.poll = 0
    # A connection holds a thread; those of the gateway stay open between requests.
    wanted.n_threads_http = 2 * settings["slots"] + 4
    wanted.ui = wanted.ui_mcp_proxy = False
    wanted.endpoint_slots = wanted.endpoint_props = wanted.endpoint_metrics = False
    wanted.server_tools, wanted.media_path, wanted.slot_save_path = [], "", ""
    wanted.prefill_assistant = False
    wanted.cache_ram_mib = 0  # else up to 8 GiB of old prompts are kept
    wanted.offline = wanted.check_tensors = True
    wanted.fit_params = wanted.warmup = False
    wanted.verbosity = 1  # errors only: from 3 on it writes prompts
    return xllamacpp.Server(wanted)


def _tie_to_parent(parent: int) -> None:
    """Die when the parent does, and never gain rights. Inside bubblewrap the parent is bubblewrap, which dies too."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if parent and os.getppid() != parent:
        os._exit(1)  # it died before it was watched


def _limit(settings: dict[str, Any]) -> None:
    """Bound what a broken or hostile model can use up."""
    first = 3
    for kept in sorted(settings["descriptors"]):
        os.closerange(first, kept)
        first = kept + 1
    # In the sandbox none is kept: a file can be opened anew through a descriptor of it, and for writing too, although
    # it is bound read-only.
    os.closerange(first, MAX_DESCRIPTORS)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a dump would hold prompts
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # it has no file to write
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, 512))
    if settings["memory_bytes"] > 0:
        resource.setrlimit(resource.RLIMIT_AS, (settings["memory_bytes"], settings["memory_bytes"]))
    with contextlib.suppress(OSError):
        os.nice(NICE)


if __name__ == "__main__":
    main()
