"""A town that serves, for clients that others wrote; nothing of it is reachable from another machine."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.cli.conftest import declared_town, founded_town, model, ratified_town, selected_town, tallied_town
from tests.cli.deliberation import Place, copied
from tests.cli.running import Gateway, Model, serving

__all__ = ["declared_town", "founded_town", "model", "ratified_town", "selected_town", "tallied_town"]


@pytest.fixture
def here(declared_town: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return copied(declared_town, tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def gateway(declared_town: Place, model: Model, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """`auzolan run serve` over the synthetic model."""
    for name in ("aiohttp", "granian", "orjson", "re2", "uvloop"):
        if find_spec(name) is None:
            pytest.skip(f"NOT CHECKED: {name} is not installed")
    with pytest.MonkeyPatch.context() as monkeypatch:
        place = copied(declared_town, tmp_path_factory.mktemp("serving"), monkeypatch)
        with serving(place, "--backend", model.url) as running:
            yield running
