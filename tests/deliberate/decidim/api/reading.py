"""A clock that nobody waits for, and a reader of the Decidim of the tests."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from auzolan.core.record.files import Files
from auzolan.deliberate.decidim.api.asking import Api
from auzolan.deliberate.decidim.api.live import LiveDecidim
from tests.decidim_server import DecidimServer
from tests.memory_files import MemoryFiles

HOST = "decidim.example.org"


class Clock:
    """Seconds that pass when somebody waits, and only then."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.now += seconds


def pseudonym(participant: str) -> str:
    """Return a pseudonym of the form that real ones have."""
    return sha256(participant.encode()).hexdigest()[:32]


def live(server: DecidimServer, store: Files | None = None, clock: Clock | None = None, **more: Any) -> LiveDecidim:
    """Return a reader of the server."""
    clock = clock or Clock()
    settings: dict[str, Any] = {"host": HOST, "started_on": "2026-03-01", **more}
    return LiveDecidim(
        server.endpoint, pseudonym, store if store is not None else MemoryFiles(), clock, clock.sleep, _half, **settings
    )


def api(server: DecidimServer, clock: Clock | None = None, **more: Any) -> Api:
    """Return the API of the server."""
    clock = clock or Clock()
    return Api(server.endpoint, clock, clock.sleep, _half, **more)


def _half() -> float:
    return 0.5
