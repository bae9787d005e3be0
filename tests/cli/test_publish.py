"""Publishing a selection or a constitution as pages, through the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.deliberation import PEOPLE, Place, copied, found_in
from tests.cli.ratifying import forge_record

PAGES = ["constitution.md", "constitution.html"]


@pytest.fixture
def here(ratified_town: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return copied(ratified_town, tmp_path, monkeypatch)


def names(said: list[str]) -> list[str]:
    return [Path(file).name for file in said]


def test_the_newest_constitution_is_written_into_the_commons(here: Place) -> None:
    said = here.json("deliberate", "publish")

    assert PAGES == names(said["files"])
    assert {here.town} == {Path(file).parent for file in said["files"]}
    assert (here.ids("constitution/v1")[0], "constitution/v1", True) == (
        said["record"],
        said["kind"],
        said["recounted"],
    )
    for name in PAGES:
        text = (here.town / name).read_text()
        assert "How our assistant behaves (synthetic)" in text
        assert "Ratified on" in text
        assert "90 people took part" in text
        assert "counted again from the ballots when this page was made" in text
        assert "Demonstration" in text


def test_the_pages_name_who_is_against_and_what_was_not_ratified(here: Place) -> None:
    here.run("deliberate", "publish")
    text = (here.town / "constitution.md").read_text()
    ratified, lost = text.split("## What the people ratified")[1].split("## What was not ratified, and why")

    assert "Group B disagrees with it. It was ratified all the same" in ratified
    assert "### Principle 2.1" not in ratified
    assert "**2.1 (#1)**" in lost
    assert "It lacked" in lost
    assert "## What was never put to the vote" in lost
    assert "East" in ratified


def test_the_map_is_drawn_where_ballots_are_at_hand(here: Place) -> None:
    here.run("deliberate", "publish")

    assert '<svg class="map"' in (here.town / "constitution.html").read_text()


def test_several_languages_are_written_side_by_side_and_linked(here: Place) -> None:
    folder = here.machine.folder / "site"
    said = here.json("deliberate", "publish", folder, "--lang", "eu,es,ca,en,eu")
    page = (folder / "constitution.html").read_text()

    assert ["eu", "es", "ca", "en"] == said["languages"]
    assert sorted(
        f"constitution{each}.{kind}" for each in ("", ".es", ".ca", ".en") for kind in ("md", "html")
    ) == sorted(path.name for path in folder.iterdir())
    assert '<html lang="eu">' in page
    assert '<a href="constitution.es.html" hreflang="es" lang="es">Español</a>' in page
    assert "[English](constitution.en.md)" in (folder / "constitution.md").read_text()
    assert '<html lang="ca">' in (folder / "constitution.ca.html").read_text()


def test_a_selection_is_marked_as_not_ratified(here: Place) -> None:
    selection = here.ids("selection/v1")[0]
    said = here.json("deliberate", "publish", "--record", selection[:16])

    assert ["selection.md", "selection.html"] == names(said["files"])
    for file in said["files"]:
        assert "Selected, not worded and not ratified by the people" in Path(file).read_text()
        assert "Ratified on" not in Path(file).read_text()


def test_without_a_constitution_the_newest_selection_is_published(
    selected_town: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = copied(selected_town, tmp_path, monkeypatch)

    assert "selection/v1" == made.json("deliberate", "publish")["kind"]


def test_whoever_has_no_ballots_publishes_the_same_figures_and_says_so(here: Place) -> None:
    copy = here.machine.folder / "copied"
    shutil.copytree(here.town / "ledger", copy / "ledger")
    said = json.loads(here.machine.run("deliberate", "publish", copy, "--commons", copy, "--json"))
    here.run("deliberate", "publish")
    mine, theirs = ((folder / "constitution.md").read_text() for folder in (here.town, copy))
    again = "The figures were counted again from the ballots when this page was made, and came out as signed."
    published = (
        "The figures are those that were signed and published. The ballots are not at hand here, so they were not "
        "counted again."
    )

    assert not said["recounted"]
    assert mine.replace(again, published) == theirs
    assert '<svg class="map"' not in (copy / "constitution.html").read_text()


def test_publishing_twice_writes_the_same_bytes(here: Place) -> None:
    first, second = (
        [Path(file).read_bytes() for file in here.json("deliberate", "publish", "--lang", "en,eu")["files"]]
        for _ in range(2)
    )

    assert first == second


def test_what_the_tally_withholds_is_on_no_page(here: Place) -> None:
    folder = here.machine.folder / "site"
    here.run("deliberate", "publish", folder, "--record", here.ids("selection/v1")[0])

    assert "By group it is withheld" in (folder / "selection.md").read_text()
    assert set() == found_in(folder, *(name.encode() for name in PEOPLE), b"voter.", b"@example.org")


def test_a_tally_that_the_ballots_do_not_amount_to_is_not_published(here: Place) -> None:
    constitution = here.ids("constitution/v1")[0]
    tally = here.record(constitution)["links"]["tally"]
    earlier = next(each for each in here.ids("tally/v1") if each != tally)
    forged = here.forge(tally, target=here.record(earlier)["links"]["snapshot"])
    false = forge_record(here, constitution, {"tally": forged})

    assert here.error("deliberate", "publish", "--record", false, code=1)
    assert not (here.town / "constitution.md").exists()


def test_a_constitution_that_rests_on_something_else_is_refused(here: Place) -> None:
    constitution = here.ids("constitution/v1")[0]
    false = forge_record(here, constitution, {"tally": here.ids("snapshot/v1")[0]})

    assert "links to a snapshot/v1 as its tally" in here.error("deliberate", "publish", "--record", false, code=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--lang", "fr"), "there are no words in 'fr' yet, only in en, es, ca, eu"),
        (("--lang", ","), "--lang: expected languages such as en,es"),
        (("--to", "modelspec"), "--to: expected pages or decidim-files or decidim-api, got 'modelspec'"),
    ],
)
def test_what_cannot_be_written_is_refused(here: Place, arguments: tuple[str, ...], message: str) -> None:
    assert message in here.error("deliberate", "publish", *arguments, code=2)


def test_other_kinds_of_record_are_refused(here: Place) -> None:
    tally = here.ids("tally/v1")[0]

    assert f"{tally[:16]} is of the kind tally/v1, expected a constitution or a selection" in here.error(
        "deliberate", "publish", "--record", tally, code=2
    )


def test_a_commons_without_either_says_so(founded_town: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = copied(founded_town, tmp_path, monkeypatch)

    assert "there is no constitution and no selection in this commons yet" in empty.error(
        "deliberate", "publish", code=3
    )
