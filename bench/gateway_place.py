"""Where a gateway of bench/gateway.py is to be, and how it is started there. Standard library only."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple


class Place(NamedTuple):
    """Where a gateway is to be.

    Attributes:
        folder: empty, for its files.
        port: that it listens on, on 127.0.0.1.
        backend: address of the stand-in, without "/v1".
        venvs: folder of the peers' environments.
    """

    folder: Path
    port: int
    backend: str
    venvs: Path


class Launch(NamedTuple):
    """How a gateway is started.

    Attributes:
        command: that starts it.
        env: what it finds in its environment, beside PATH and HOME, which is its folder.
        headers: what a request must say beside its question; each line ends with CRLF.
        holds: what every answer must hold beside the stand-in's.
    """

    command: tuple[str, ...]
    env: Mapping[str, str] = {}
    headers: str = ""
    holds: bytes = b""


def environment(folder: Path, more: Mapping[str, str]) -> dict[str, str]:
    """Return what a server finds in its environment: nothing of ours but where programs are."""
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", **one_thread, **more}
