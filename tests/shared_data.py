"""Test data: samples in the repository, and optional larger data beside it.

`tests/data/` holds the samples whose licence allows a copy; they run on every
clone. The rest is looked for in `../shared/data`, relative to the repository;
a test that needs it and does not find it is skipped, and says so.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

_REPOSITORY = Path(__file__).resolve().parents[1]
_COPIED = _REPOSITORY / "tests" / "data"
_SHARED = _REPOSITORY.parent / "shared" / "data"


def copied(path: str) -> bytes:
    """Return a sample that is part of the repository."""
    return (_COPIED / path).read_bytes()


def copied_json(path: str) -> Any:
    """Return a JSON sample that is part of the repository."""
    return json.loads(copied(path))


def copied_rows(path: str) -> list[dict[str, Any]]:
    """Return the rows of a JSON-lines sample that is part of the repository."""
    return [json.loads(line) for line in copied(path).splitlines()]


def shared(path: str) -> bytes:
    """Return optional data from beside the repository, or skip the test loudly."""
    place = _SHARED / path
    if not place.is_file():
        pytest.skip(
            f"NOT CHECKED: ../shared/data/{path} is not beside this clone (tests/data/README.md says what it is)"
        )
    return place.read_bytes()


def shared_folder(path: str) -> Path:
    """Return a folder of optional data from beside the repository, or skip the test loudly."""
    place = _SHARED / path
    if not place.is_dir():
        pytest.skip(
            f"NOT CHECKED: ../shared/data/{path} is not beside this clone (tests/data/README.md says what it is)"
        )
    return place


def copied_folder(path: str) -> Path:
    """Return a folder of samples that is part of the repository."""
    return _COPIED / path


def shared_json(path: str) -> Any:
    """Return optional JSON from beside the repository, or skip the test loudly."""
    return json.loads(shared(path))
