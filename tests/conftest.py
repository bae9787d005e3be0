"""Which tests share a worker, and that Ctrl-C can be tested wherever tests run."""

from __future__ import annotations

import signal

import pytest


def pytest_configure() -> None:
    """Take SIGINT where it is ignored, as in what a shell runs in the background: what tests start inherits that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests of the demo to one worker, so that it runs once."""
    for item in items:
        if "demo" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("demo"))
