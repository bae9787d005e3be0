"""A folder with a short path: a socket in it may have a path of 103 bytes, and pytest's own folders grow longer."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="az-") as folder:
        yield Path(folder).resolve()
