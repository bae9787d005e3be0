"""A town at every stage of a round with a Decidim: each is made once, and every test gets a copy of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.decidim.rounds import edit as edit_statements
from tests.cli.decidim.rounds import (
    import_live,
    make_kit,
    merged_reworded_and_shorter,
    respond,
    sign_kit,
    town_instance,
    vote_on_wording,
    without_waiting,
)
from tests.cli.deliberation import Place, copied
from tests.cli.ratifying import split
from tests.decidim_server import DecidimServer


@pytest.fixture(scope="session")
def imported_decidim(founded_town: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A town that imported the live Decidim of the tests."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        made = copied(founded_town, tmp_path_factory.mktemp("imported"), monkeypatch)
        without_waiting(monkeypatch)
        with DecidimServer("0.32", town_instance()) as server:
            import_live(made, server)
        return made


@pytest.fixture(scope="session")
def kit_made(imported_decidim: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The same with a kit in its folder `kit`, in the words of the proposals."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        made = copied(imported_decidim, tmp_path_factory.mktemp("kit"), monkeypatch)
        make_kit(made, made.machine.folder / "kit", "--statements", "14")
        return made


@pytest.fixture(scope="session")
def answered_survey(kit_made: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The same with a signed shortlist, responses in the folder `responses`, their import, tally and selection."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        made = copied(kit_made, tmp_path_factory.mktemp("answered"), monkeypatch)
        kit = made.machine.folder / "kit"
        edit_statements(kit / "statements.csv", merged_reworded_and_shorter)
        sign_kit(made, kit)
        responses = respond(kit, made.machine.folder / "responses")
        made.read(responses / "responses-1.json", "--from", "decidim-survey", "--name", "survey")
        made.tally()
        made.json("deliberate", "ratify")
        return made


@pytest.fixture(scope="session")
def whole_round(answered_survey: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The same with wording, the people's vote on it, and a constitution."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        made = copied(answered_survey, tmp_path_factory.mktemp("round"), monkeypatch)
        vote_on_wording(made, split)
        return made


@pytest.fixture
def founded(founded_town: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A town without anything in it; asking an API waits for nobody."""
    without_waiting(monkeypatch)
    return copied(founded_town, tmp_path, monkeypatch)


@pytest.fixture
def imported(imported_decidim: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    without_waiting(monkeypatch)
    return copied(imported_decidim, tmp_path, monkeypatch)


@pytest.fixture
def with_kit(kit_made: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return copied(kit_made, tmp_path, monkeypatch)


@pytest.fixture
def answered(answered_survey: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return copied(answered_survey, tmp_path, monkeypatch)


@pytest.fixture
def round_done(whole_round: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    without_waiting(monkeypatch)
    return copied(whole_round, tmp_path, monkeypatch)
