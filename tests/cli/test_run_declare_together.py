"""`auzolan run declare` where several must sign, and where keys are not for demonstrations."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from auzolan.core.kinds.constitution import Constitution, Principle
from auzolan.core.kinds.run import RuntimePolicy, Service
from auzolan.core.kinds.selection import Article, Outcome
from tests.cli.deliberation import Place, copied
from tests.cli.machine import machine, path_of
from tests.cli.running import changed, prepared, record_of, two_principals

pytest.importorskip("re2", reason="NOT CHECKED: the run extra is not installed")
KINDS = (RuntimePolicy.KIND, Service.KIND)


@pytest.fixture
def here(ratified_town: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return copied(ratified_town, tmp_path, monkeypatch)


def pending(here: Place) -> list[Path]:
    return sorted((here.town / "pending").glob("*.dsse"))


@pytest.mark.parametrize("kinds", [KINDS, KINDS[:1], KINDS[1:]])
def test_both_wait_as_long_as_one_of_them_lacks_a_signature(here: Place, kinds: tuple[str, ...]) -> None:
    two_principals(here, *kinds)
    file = prepared(here)
    said = here.json("run", "declare", file, "--key", "demo/desk")

    assert not said["committed"]
    assert sorted([said["rules"], said["service"]]) == [each.stem for each in pending(here)]
    assert [] == here.ids(Service.KIND) + here.ids(RuntimePolicy.KIND)


def test_once_the_other_has_signed_both_are_committed_together(here: Place) -> None:
    two_principals(here, *KINDS)
    file = prepared(here)
    text = here.run("run", "declare", file, "--key", "demo/desk")
    said = here.json("run", "declare", file, "--key", "demo/desk")  # saying it again changes nothing
    files = [here.town / "pending" / f"{said[name]}.dsse" for name in ("rules", "service")]
    for each in files:
        here.machine.run("sign", each, "--key", "demo/school", "--yes", "--commons", here.town)
    here.run("commit", *files)

    assert all(str(each) in text for each in files)
    assert ([said["rules"]], [said["service"]]) == (here.ids(RuntimePolicy.KIND), here.ids(Service.KIND))
    assert [] == pending(here)


def test_whoever_holds_two_keys_must_say_which(here: Place) -> None:
    two_principals(here)
    line = here.error("run", "declare", prepared(here), code=2)

    assert "--key" in line


@pytest.fixture
def real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A commons with keys under a passphrase, and a synthetic constitution of one article that rests on a document."""
    (tmp_path / "passphrase").write_text("long enough (synthetic)\n")
    monkeypatch.setenv("AUZOLAN_PASSPHRASE_FILE", str(tmp_path / "passphrase"))
    desk = machine(tmp_path, "real", monkeypatch)
    desk.json("key", "new", "desk")
    desk.run("init", "town", "--name", "Town (synthetic)", "--principal", "library=desk")
    town = desk.folder / "town"
    root = desk.json("log", "--commons", town)[0]["id"]
    here = Place(desk, town, root)
    minutes = here.run("propose", "document", "--title", "Minutes (synthetic)", "--text", "We met.", "--key", "desk")
    made_of = here.json("commit", path_of(minutes))["committed"][0]["id"]
    principle = Principle("1.1", "The desk answers (synthetic).", "en", "verbatim", "", (0,), "selected", {})
    outcome = Outcome("A", "before", {"seats": 1}, (), (Article(0, "equal-shares", 1),), (), (), (), None)
    law = Constitution(made_of, made_of, root, "Synthetic", "2026-11-20", (principle,), {"1.1": 0}, outcome).to_record()
    body = desk.folder / "body.json"
    body.write_text(json.dumps(law.body))
    words = [word for name, target in law.links.items() for word in ("--link", f"{name}={target}")]
    proposed = here.run("propose", "record", "--kind", law.kind, "--body", body, *words, "--key", "desk")
    here.run("commit", path_of(proposed))
    return here


def test_a_real_commons_gets_a_key_of_its_own_under_a_passphrase(real: Place) -> None:
    file = prepared(real)
    said = real.json("run", "declare", file)
    key = Service.from_record(record_of(real, said["service"])).runtime_key

    assert said["committed"]
    assert ("town-runtime", False) == (key.name, key.is_demo)
    assert 'runtime_key = "town-runtime"' in file.read_text()


def test_a_demo_key_cannot_sign_the_answers_of_a_real_commons(real: Place) -> None:
    file = changed(prepared(real), runtime_key="demo/town-runtime")
    line = real.error("run", "declare", file, code=2)

    assert "demo/town-runtime is a throw-away demo key, and this commons is not marked `demo = true`" in line
    assert line.startswith(f"auzolan: {file}: runtime_key: ")
    assert [] == real.ids(Service.KIND)
    assert [] == list((real.machine.home / "keys").glob("demo*"))
