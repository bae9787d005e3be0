"""Edge: how `auzolan run serve` begins and ends on the terminal."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING

from auzolan.cli.commons import find_ledger
from auzolan.cli.output import hint, plain, talk
from auzolan.cli.run.checklist import GATEWAY
from auzolan.core.record.errors import UsageError

if TYPE_CHECKING:
    from auzolan.cli.run.answering import Job
    from auzolan.cli.run.declared import Declared


class _Plainly(logging.Handler):
    """Shows what the gateway logs, one line each, nothing that could fool a terminal."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record."""
        talk().print(
            f"auzolan: {plain(record.getMessage())}", style="yellow" if record.levelno < logging.ERROR else "red"
        )


def start(service: str | None, job: Callable[[Declared], Job], commons: str | None) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Raises:
        UsageError: what it needs is not installed.
    """
    lacking = [name for name in GATEWAY if find_spec(name) is None]
    if lacking:
        raise UsageError(f"serving needs {', '.join(lacking)}, not installed here: pip install 'auzolan[run,engine]'")
    from auzolan.cli.run.serve import run_service

    logging.getLogger("auzolan.run").addHandler(_Plainly())
    logging.getLogger("auzolan.run").setLevel(logging.INFO)
    asked: list[Job] = []

    def remember(declared: Declared) -> Job:
        asked.append(job(declared))
        for each in asked[0].choices.overrides:
            hint(f"override: {each}; every answer's record says so")
        hint(f"opening {declared.service.name}: {declared.service.title}")
        return asked[0]

    def ready(address: str) -> None:
        hint(f"serving at {address}")
        hint(f"token: {asked[0].token_file or asked[0].choices.state / 'token'}")
        hint("clients need what stands in that file; Ctrl-C ends the service")

    run_service(find_ledger(commons), service, remember, ready)
    hint("ended; every answer is in the log")
