from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.machine import Machine, machine, path_of


@dataclass
class TwoBodies:
    """A library and a school with a commons of their own on the library's machine."""

    library: Machine
    school: Machine
    town: Path
    root: str

    def propose(self, *arguments: str | Path) -> Path:
        """Propose a document signed by the library and return its pending file."""
        return path_of(
            self.library.run("propose", "document", "--commons", self.town, "--key", "demo/desk", *arguments)
        )

    def commit(self, file: Path) -> str:
        """Commit a pending file and return the record's id."""
        result = self.library.json("commit", file, "--commons", self.town)
        return str(result["committed"][0]["id"])

    def minutes(self, *arguments: str | Path) -> str:
        return self.commit(self.propose("--title", "Minutes", "--text", "We met.", *arguments))


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return machine(tmp_path, "library", monkeypatch)


@pytest.fixture
def school(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return machine(tmp_path, "school", monkeypatch)


@pytest.fixture
def visitor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return machine(tmp_path, "visitor", monkeypatch)


@pytest.fixture
def two(library: Machine, school: Machine, tmp_path: Path) -> TwoBodies:
    desk, office = library.key("desk"), school.key("office")
    library.run(
        "init", "town", "--name", "Town (synthetic)", "--demo",
        "--principal", f"library={desk}", "--principal", f"school={office}",
    )  # fmt: skip
    town = library.folder / "town"
    pending = next((town / "pending").glob("*.dsse"))
    letter = school.folder / "letter.dsse"
    letter.write_bytes(pending.read_bytes())
    school.run("sign", letter, "--yes")
    root = library.json("commit", letter, "--commons", town)["root"]
    return TwoBodies(library, school, town, root)
