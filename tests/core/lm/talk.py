"""One run against a server on loopback, for tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from auzolan.core.lm.generate import Completion, in_order
from auzolan.core.lm.remote import Endpoint, Remote
from auzolan.core.lm.retry import Backoff
from auzolan.core.lm.spending import Prices, Progress
from auzolan.core.record.errors import AuzolanError
from tests.core.lm.loopback import MODEL, Loopback, Time, asks


class Talk:
    """One run against a server, and all that it said."""

    def __init__(self, server: Loopback, tick_s: float = 0.0, **changed: object) -> None:
        self.time = Time(tick_s)
        self.reported: list[Progress] = []
        settings: dict[str, object] = {"backoff": Backoff(tries=3), "timeout_s": 60.0} | changed
        self.endpoint = Endpoint(server.url, MODEL, **settings)  # type: ignore[arg-type]
        self.remote = Remote(
            self.endpoint,
            lambda: 0.5,
            prices=Prices("EUR", 1_000_000, 2_000_000),
            report=self.reported.append,
            clock=self.time.clock,
            pause=self.time.pause,
        )

    def notices(self) -> list[str]:
        return [progress.notice for progress in self.reported if progress.notice]


def failure(talk: Talk, kind: type[AuzolanError], n: int = 1) -> str:
    with pytest.raises(kind) as caught:
        in_order(talk.remote, asks(n))
    return str(caught.value)


def take_all(arriving: Iterator[Completion], found: set[str]) -> None:
    for arrived in arriving:
        found.add(arrived.text)
