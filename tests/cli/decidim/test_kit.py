"""`kit`: from an import to a signed shortlist and the survey that asks about it."""

from __future__ import annotations

import json

import pytest

from tests.cli.decidim.exports import PAM, imports
from tests.cli.decidim.rounds import (
    LOTS,
    edit,
    make_kit,
    merged_reworded_and_shorter,
    rows_of,
    sign_kit,
    write_rows,
)
from tests.cli.deliberation import Place
from tests.cli.machine import listing

FILES = ["README.md", "plan.json", "process.ca.md", "statements.csv", "survey-1.ca.txt", "survey-1.json"]


def test_a_first_run_signs_nothing_and_writes_what_is_to_be_edited(imported: Place) -> None:
    folder = imported.machine.folder / "kit"
    said = make_kit(imported, folder, "--statements", "14")
    rows = rows_of(folder / "statements.csv")

    assert (None, FILES, 14) == (said["record"], said["files"], said["statements"])
    assert FILES == sorted(listing(folder))
    assert [] == imported.ids("shortlist/v1")
    assert 14 == len(rows) == sum(each["places"] for each in said["quotas"])
    assert ["statement", "proposals", "text/ca"] == list(rows[0])[:3]
    assert {"quota", "title", "supports"} <= set(rows[0])
    assert json.loads((folder / "survey-1.json").read_bytes())["shortlist"] is None


def test_the_edited_words_are_signed(with_kit: Place) -> None:
    folder = with_kit.machine.folder / "kit"
    before = rows_of(folder / "statements.csv")
    edit(folder / "statements.csv", merged_reworded_and_shorter)
    record = with_kit.record(sign_kit(with_kit, folder))
    first, second, *others = record["body"]["statements"]
    survey = json.loads((folder / "survey-1.json").read_bytes())

    assert 12 == len(record["body"]["statements"]) == len(survey["rows"])
    assert [before[0]["proposals"], before[1]["proposals"]] == [
        "#" + each["key"].rsplit("/", 1)[1] for each in first["proposals"]
    ]
    assert ({"ca": "Amb altres paraules (sintètic)"}, False) == (second["text"], second["own_words"])
    assert {True} == {each["own_words"] for each in (first, *others)}
    assert "[2] Amb altres paraules (sintètic)" == survey["rows"][1]["text"]["ca"]
    assert with_kit.ids("shortlist/v1") == [survey["shortlist"]]
    assert with_kit.ids("shortlist/v1")[0] in (folder / "README.md").read_text()


def test_signing_twice_signs_once(with_kit: Place) -> None:
    folder = with_kit.machine.folder / "kit"

    assert sign_kit(with_kit, folder) == sign_kit(with_kit, folder)
    assert 1 == len(with_kit.ids("shortlist/v1"))


def test_what_was_edited_since_is_another_record(with_kit: Place) -> None:
    folder = with_kit.machine.folder / "kit"
    first = sign_kit(with_kit, folder)
    edit(folder / "statements.csv", merged_reworded_and_shorter)

    assert first != sign_kit(with_kit, folder)
    assert 2 == len(with_kit.ids("shortlist/v1"))


def test_going_on_keeps_what_people_edited(with_kit: Place) -> None:
    file = with_kit.machine.folder / "kit" / "statements.csv"
    edit(file, merged_reworded_and_shorter)
    edited = file.read_bytes()
    said = with_kit.json("deliberate", "kit", file.parent)

    assert (edited, None, 12) == (file.read_bytes(), said["record"], said["statements"])


def test_force_chooses_anew(with_kit: Place) -> None:
    file = with_kit.machine.folder / "kit" / "statements.csv"
    before = file.read_bytes()
    edit(file, merged_reworded_and_shorter)
    make_kit(with_kit, file.parent, "--statements", "14", "--force")

    assert before == file.read_bytes()


def test_surveys_of_more_rows_than_there_are_now_go(imported: Place) -> None:
    folder = imported.machine.folder / "kit"
    said = make_kit(imported, folder, "--statements", "30", "--per-person", "10")
    many = set(listing(folder))
    write_rows(folder / "statements.csv", rows_of(folder / "statements.csv")[:9])
    imported.json("deliberate", "kit", folder)

    assert len(said["surveys"]) > 1
    assert {f"survey-{n}.json" for n in range(1, len(said["surveys"]) + 1)} <= many
    assert FILES == sorted(listing(folder))


def test_the_same_import_gives_the_same_kit(imported: Place) -> None:
    folders = [imported.machine.folder / name for name in ("one", "two")]
    for each in folders:
        make_kit(imported, each)

    assert listing(folders[0]) == listing(folders[1])


def test_two_languages_and_what_lacks_a_translation(imported: Place) -> None:
    folder = imported.machine.folder / "kit"
    said = imported.json("deliberate", "kit", folder, "--lang", "ca,es", *LOTS, "--statements", "3")
    output = imported.machine.call("deliberate", "kit", folder, "--commons", imported.town).output

    assert {"es": [1, 2, 3]} == said["untranslated"]
    assert {"process.es.md", "survey-1.es.txt"} <= set(said["files"])
    assert "3 statements have no text in es yet" in " ".join(output.split())


def test_quotas_by_taxonomy_of_real_proposals(founded: Place) -> None:
    imports(founded, PAM)
    said = make_kit(founded, founded.machine.folder / "kit", "--by", "taxonomy", "--statements", "60")

    assert 60 == sum(each["places"] for each in said["quotas"])
    assert 10 < len([each for each in said["quotas"] if each["places"]]) == len(said["quotas"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "say the languages of the kit"),
        (("--lang", "ca,ca"), "expected languages, each once"),
        (("--lang", ","), "say the languages of the kit"),
        (("--lang", "tlh"), "tlh"),
        (("--lang", "ca", "--by", "luck"), "--by: expected one of origin, taxonomy"),
        (("--lang", "ca", "--participants", "2"), "supports"),
        (("--lang", "ca", "--final"), "holds no kit; make it without --final"),
        (("--lang", "ca", "--proposals", "12345678"), "12345678"),
        (("--lang", "ca", "--seed", " "), "seed"),
    ],
)
def test_options_that_make_no_sense_are_refused(imported: Place, options: tuple[str, ...], message: str) -> None:
    folder = imported.machine.folder / "kit"
    result = imported.machine.call("deliberate", "kit", folder, *options, "--commons", imported.town)

    assert result.exit_code in (1, 2, 3), result.output
    assert message in " ".join(result.output.split())
    assert "a bug in" not in result.output
    assert not folder.exists()


def test_a_kit_that_is_there_is_not_made_otherwise_by_mistake(with_kit: Place) -> None:
    folder = with_kit.machine.folder / "kit"
    before = listing(folder)
    error = with_kit.error("deliberate", "kit", folder, "--lang", "es", "--statements", "3", code=2)

    assert "leave out --lang, --statements to go on with it" in error
    assert "add --force to choose anew" in error
    assert before == listing(folder)


def test_without_proposals_there_is_no_kit(founded: Place) -> None:
    folder = founded.machine.folder / "kit"
    result = founded.machine.call("deliberate", "kit", folder, "--lang", "ca", "--commons", founded.town)

    assert 0 != result.exit_code
    assert not folder.exists()


def test_a_file_where_the_folder_should_be(imported: Place) -> None:
    file = imported.machine.folder / "kit"
    file.write_text("mine")
    result = imported.machine.call("deliberate", "kit", file, "--lang", "ca", "--commons", imported.town)

    assert 0 != result.exit_code
    assert "Traceback" not in result.output
    assert "a bug in" not in result.output
    assert "mine" == file.read_text()
