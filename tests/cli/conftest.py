"""Machines, and commons at every stage of the story: each is made once, and every test gets a copy of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.deliberation import Place, copied, place
from tests.cli.machine import Machine, machine, path_of
from tests.cli.ratifying import TOWN, ballots, confirm, put_to_vote, split

if TYPE_CHECKING:  # needs the run extra, which the tests that use it ask for
    from tests.cli.running import Model


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


@pytest.fixture(scope="session")
def founded_town(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A commons of one body, without votes."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        return place(tmp_path_factory.mktemp("founded"), monkeypatch)


@pytest.fixture(scope="session")
def tallied_town(founded_town: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The same with the votes of the example town, counted."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        made = copied(founded_town, tmp_path_factory.mktemp("tallied"), monkeypatch)
        made.read(TOWN, "--name", "assistant")
        made.tally()
        return made


@pytest.fixture(scope="session")
def selected_town(tallied_town: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The example town with its selection."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        made = copied(tallied_town, tmp_path_factory.mktemp("selected"), monkeypatch)
        made.json("deliberate", "ratify")
        return made


@pytest.fixture(scope="session")
def ratified_town(selected_town: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The example town with a draft, and the constitution of a vote by `split`."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        made = copied(selected_town, tmp_path_factory.mktemp("ratified"), monkeypatch)
        confirm(made, ballots(put_to_vote(made), split))
        return made


@pytest.fixture(scope="session")
def answered_town(ratified_town: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The example town with a service that has answered (`tests.cli.answered`)."""
    from tests.cli.answered import answer_in

    with pytest.MonkeyPatch.context() as monkeypatch:
        return answer_in(copied(ratified_town, tmp_path_factory.mktemp("answered"), monkeypatch))


@pytest.fixture(scope="session")
def declared_town(ratified_town: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The example town with a service of the pocket model."""
    from tests.cli.running import declared

    with pytest.MonkeyPatch.context() as monkeypatch:
        made = copied(ratified_town, tmp_path_factory.mktemp("declared"), monkeypatch)
        declared(made)
        return made


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    """A synthetic model that somebody else serves."""
    from tests.cli.running import Model

    with Model().running() as running:
        yield running
