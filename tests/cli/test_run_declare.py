"""`auzolan run prepare` and `declare`: two files that a person reads and changes become two signed records."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from auzolan.core.kinds.constitution import Constitution
from auzolan.core.kinds.run import RuntimePolicy, Service
from tests.cli.deliberation import Place, copied
from tests.cli.running import FILLED, changed, declared, prepared, record_of
from tests.cli.teaching import Taught, record_teaching

pytest.importorskip("re2", reason="NOT CHECKED: the run extra is not installed")


@pytest.fixture
def here(ratified_town: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return copied(ratified_town, tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def recorded_town(ratified_town: Place, tmp_path_factory: pytest.TempPathFactory) -> Taught:
    with pytest.MonkeyPatch.context() as monkeypatch:
        return record_teaching(copied(ratified_town, tmp_path_factory.mktemp("recorded"), monkeypatch))


def sentence(here: Place, file: Path, code: int = 2) -> str:
    """Return the one line that `declare` ends with; nothing was left on record."""
    line = here.error("run", "declare", file, code=code).removeprefix("auzolan: ")

    assert [] == here.ids(Service.KIND) + here.ids(RuntimePolicy.KIND)
    assert [] == list((here.town / "pending").glob("*.dsse"))
    return line


# ---- prepare


def test_prepare_writes_two_files_that_are_toml(here: Place) -> None:
    said = here.json("run", "prepare", "--name", "town", "--folder", here.machine.folder / "new")
    files = [Path(each) for each in said["files"]]
    service, rules = (tomllib.loads(each.read_text(encoding="utf-8")) for each in files)

    assert ["service.toml", "rules.toml"] == [each.name for each in files]
    assert (here.ids("constitution/v1")[-1], [], "rules.toml") == (
        service["constitution"], service["adapters"], service["rules"]
    )  # fmt: skip
    assert ("always", 0, False) == (service["receipts"], service["retention_days"], service["with_base"])
    assert "runtime-policy/v1" == rules["format"]


def test_a_demo_commons_gets_a_demo_runtime_key(here: Place) -> None:
    file = prepared(here)

    assert "demo/town-runtime" == tomllib.loads(file.read_text())["runtime_key"]


def test_prepare_names_the_newest_adapter_of_the_constitution(
    recorded_town: Taught, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = copied(recorded_town.here, tmp_path, monkeypatch)
    table = tomllib.loads(prepared(here).read_text())

    assert [{"adapter": recorded_town.adapter, "scale_milli": 1000}] == table["adapters"]


@pytest.mark.parametrize("name", ["Town Hall", "", "-town", "9", "café", "town\n", "a" * 49])
def test_prepare_refuses_at_once_what_is_no_name_for_a_service(here: Place, name: str) -> None:
    line = here.error("run", "prepare", f"--name={name}", "--folder", here.machine.folder / "new", code=2)

    assert "--name: expected lower-case letters, digits and hyphens, a letter first, at most 48" in line
    assert not (here.machine.folder / "new").exists()


@pytest.mark.parametrize("name", ["t", "town-2", "a" * 48])
def test_what_prepare_takes_as_a_name_declare_takes(here: Place, name: str) -> None:
    assert here.json("run", "declare", prepared(here, name=name))["committed"]


@pytest.mark.parametrize("there", ["service.toml", "rules.toml"])
def test_prepare_overwrites_nothing(here: Place, there: str) -> None:
    folder = here.machine.folder / "mine"
    folder.mkdir()
    (folder / there).write_text("mine")
    line = here.error("run", "prepare", "--name", "town", "--folder", folder, code=2)

    assert f"{folder / there} is there already; move it away" in line
    assert [("mine", there)] == [(each.read_text(), each.name) for each in folder.iterdir()]


def test_prepare_says_that_a_constitution_is_missing(founded_town: Place, tmp_path: Path) -> None:
    line = founded_town.error("run", "prepare", "--name", "town", "--folder", tmp_path / "x", code=3)

    assert "there is no constitution/v1 in this commons yet; `auzolan deliberate confirm` makes one" in line


def test_what_prepare_wrote_is_declared_once_a_person_filled_it_in(here: Place) -> None:
    folder = here.machine.folder / "new"
    here.run("run", "prepare", "--name", "town", "--folder", folder)
    file = folder / "service.toml"

    assert f"{file}: operator" in sentence(here, file)
    assert f"{file}: contact" in sentence(here, changed(file, operator="The library (synthetic)"))
    assert here.json("run", "declare", changed(file, contact="the desk (synthetic)"))["committed"]


# ---- declare


def test_the_rules_are_committed_before_the_service_that_names_them(here: Place) -> None:
    said = here.json("run", "declare", prepared(here))
    logged = [each["id"] for each in here.json("log")][-2:]
    service = Service.from_record(record_of(here, said["service"]))

    assert [said["rules"], said["service"]] == logged
    assert all(date.fromisoformat(str(record_of(here, each).body["declared_at"])) for each in logged)
    assert (True, said["rules"]) == (said["committed"], service.rules)
    assert service.runtime_key.is_demo
    assert service.origin.endswith("/run/town")
    assert "verified" not in here.run("log")


def test_the_same_again_is_declared_already(here: Place) -> None:
    file = prepared(here)
    first = here.json("run", "declare", file)
    n_records = len(here.json("log"))
    again, text = here.json("run", "declare", file), here.run("run", "declare", file)

    assert first == again
    assert text.startswith("declared already: ")
    assert n_records == len(here.json("log"))


def test_it_says_whose_each_id_is_and_that_a_running_service_must_be_started_again(here: Place) -> None:
    file = prepared(here)
    first = here.machine.call("run", "declare", file, "--commons", here.town)
    second = here.machine.call("run", "declare", changed(file, contact="elsewhere"), "--commons", here.town)
    (rules,), (*_, service) = here.ids(RuntimePolicy.KIND), here.ids(Service.KIND)
    waits = "a service that is running keeps its old rules until it is started again"

    assert [f"rules:   {rules[:16]}…", f"service: {service[:16]}…"] == second.stdout.splitlines()[-2:]
    assert [False, True] == [waits in each.stderr for each in (first, second)]
    assert [] == [line for line in (first.stderr + second.stderr).splitlines() if len(line) > 80]


def test_a_changed_service_replaces_the_one_before_under_the_same_rules(here: Place) -> None:
    file = prepared(here)
    first = here.json("run", "declare", file)
    second = here.json("run", "declare", changed(file, contact="another desk (synthetic)"))
    third = here.json("run", "declare", changed(file, contact="a third desk (synthetic)"))
    links = [record_of(here, each["service"]).links.get("supersedes") for each in (first, second, third)]

    assert [None, first["service"], second["service"]] == links
    assert {first["rules"]} == {each["rules"] for each in (second, third)}


def test_changed_rules_replace_the_ones_before_and_the_service_goes_with_them(here: Place) -> None:
    file = prepared(here)
    first = here.json("run", "declare", file)
    rules = file.with_name("rules.toml")
    rules.write_text(rules.read_text().replace('why = "The service answers', 'why = "Our service answers'))
    second = here.json("run", "declare", file)
    new = [record_of(here, second[name]).links["supersedes"] for name in ("rules", "service")]

    assert [first["rules"], first["service"]] == new


def test_going_back_to_earlier_words_is_a_new_record_that_replaces_the_newest(here: Place) -> None:
    file = prepared(here)
    first = here.json("run", "declare", file)
    second = here.json("run", "declare", changed(file, contact="another desk (synthetic)"))
    back = here.json("run", "declare", changed(file, **FILLED))

    assert second["service"] == record_of(here, back["service"]).links["supersedes"]
    assert first["service"] != back["service"]


def test_two_services_of_one_commons_replace_nothing_of_one_another(here: Place) -> None:
    one, two = declared(here), declared(here, name="other", folder="other")

    assert [None, None] == [record_of(here, each).links.get("supersedes") for each in (one, two)]
    assert 2 == len({Service.from_record(record_of(here, each)).origin for each in (one, two)})


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": "Town Hall"}, "name: expected lower-case letters, digits and hyphens, got 'Town Hall'"),
    ({"name": ""}, "name: "),
    ({"title": ""}, "title: "),
    ({"purpose": 7}, "purpose: "),
    ({"languages": "en"}, "languages: "),
    ({"languages": ["english please"]}, "languages: "),
    ({"languages": ["en", "en"]}, "languages: "),
    ({"operator": ""}, "operator: "),
    ({"contact": None}, "contact: expected non-empty text, but it is not there"),
    ({"languages": None}, "languages: expected a list, but it is not there"),
    ({"retention_days": None}, "retention_days: expected an integer, but it is not there"),
    ({"review_at": "2027-02-30"}, "review_at: expected a date such as 2027-06-30, got '2027-02-30'"),
    ({"review_at": "soon"}, "review_at: expected a date such as 2027-06-30, got 'soon'"),
    ({"model": "nowhere.gguf"}, "nowhere.gguf: there is no such file"),
    ({"model": ""}, "model: "),
    ({"licence": 3}, "licence: "),
    ({"constitution": "no id"}, "constitution: 'no id' is no record id: expected 8 to 64 hexadecimal digits"),
    ({"adapters": "all"}, "adapters: "),
    ({"adapters": ["0" * 64]}, "adapters: "),
    ({"with_base": "yes"}, "with_base"),
    ({"with_base": None}, "with_base"),
    ({"system_prompt": 1}, "system_prompt: expected text, if only an empty one"),
    ({"tools": "mail"}, "tools: "),
    ({"tools": ["mail", "mail"]}, "tools: "),
    ({"rules": ""}, "rules: "),
    ({"runtime_key": ""}, "runtime_key: "),
    ({"receipts": "sometimes"}, "receipts must be 'always' or 'asked', got 'sometimes'"),
    ({"retention_days": -1}, "retention_days: "),
    ({"retention_days": "30"}, "retention_days: "),
    ({"retention_days": True}, "retention_days: "),
]


@pytest.mark.parametrize(
    ("fields", "words"), WRONG, ids=[f"{name}={v!r:.20}" for f, _ in WRONG for name, v in f.items()]
)
def test_each_wrong_field_is_named_with_its_file_in_one_sentence(
    here: Place, fields: dict[str, Any], words: str
) -> None:
    file = changed(prepared(here), **fields)
    line = sentence(here, file, code=3 if "nowhere" in words else 2)

    assert line.startswith(f"{file}: ")
    assert words in line
    assert 1 == line.count(str(file))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("tools = []", "tools = []\ncolour = 1", "unknown key 'colour'; `auzolan run prepare` writes those that there"),
        ("contact = ", "contcat = ", "unknown key 'contcat'; is 'contact' meant?"),
        ("tools = []", "tools = [", "line"),
        ("tools = []", "tools = []\nname = 'twice'", ""),
        ("tools = []", "tools = 0.5", "service.toml"),
    ],
)
def test_a_file_that_is_not_well_formed_is_named(here: Place, old: str, new: str, words: str) -> None:
    file = prepared(here)
    file.write_text(file.read_text().replace(old, new))
    line = sentence(here, file)

    assert str(file) in line
    assert words in line


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('effect = "allow"', 'effect = "permit"', "effect"),
        ('article = "operator"', 'article = "99.9"', "99.9"),
        ('format = "runtime-policy/v1"', 'format = "runtime-policy/v9"', "format"),
        ('personal = ["iban"', 'personal = ["shoe-size"', "shoe-size"),
        ('topics = ["benefits-decision"]', 'topics = ["nothing"]', "nothing"),
    ],
)
def test_rules_that_cannot_be_are_named_with_their_file(here: Place, old: str, new: str, words: str) -> None:
    file = prepared(here)
    rules = file.with_name("rules.toml")
    text = rules.read_text()

    assert old in text
    rules.write_text(text.replace(old, new, 1))
    line = sentence(here, file)

    assert line.startswith(f"{rules}: ")
    assert words in line


def test_an_article_that_is_in_force_is_taken(here: Place) -> None:
    file = prepared(here)
    rules = file.with_name("rules.toml")
    law = Constitution.from_record(record_of(here, here.ids("constitution/v1")[-1]))
    number = law.ratified[0].number
    rules.write_text(rules.read_text().replace('article = "operator"', f'article = "{number}"', 1))

    assert here.json("run", "declare", file)["committed"]


@pytest.mark.parametrize("name", ["service.toml", "rules.toml"])
def test_an_empty_file_is_called_empty(here: Place, name: str) -> None:
    file = prepared(here)
    file.with_name(name).write_text("# nothing\n")

    assert f"{file.with_name(name)}: nothing stands in it; `auzolan run prepare` writes" in sentence(here, file)


@pytest.mark.parametrize("name", ["service.toml", "rules.toml"])
def test_a_file_that_is_not_there_is_named(here: Place, name: str) -> None:
    file = prepared(here)
    file.with_name(name).unlink()

    assert f"cannot read {file.with_name(name)}: No such file or directory" in sentence(here, file)


def test_what_is_no_adapter_is_refused(here: Place) -> None:
    file = prepared(here)
    tally = here.ids("tally/v1")[0]
    text = file.read_text().replace("adapters = []", f'adapters = [{{ adapter = "{tally}", scale_milli = 1000 }}]')
    file.write_text(text)

    assert "is of the kind tally/v1, expected an adapter/v1" in sentence(here, file)


def test_a_strength_that_cannot_be_is_named(
    recorded_town: Taught, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = copied(recorded_town.here, tmp_path, monkeypatch)
    file = prepared(here)
    file.write_text(file.read_text().replace("scale_milli = 1000", "scale_milli = 10001"))
    line = sentence(here, file)

    assert f"{file}: " in line
    assert "scale" in line


def test_a_key_that_no_principal_holds_cannot_declare(here: Place) -> None:
    here.machine.key("stranger")
    line = here.error("run", "declare", prepared(here), "--key", "demo/stranger", code=2)

    assert "no principal of this commons holds the key demo/stranger" in line
    assert [] == here.ids(Service.KIND)
