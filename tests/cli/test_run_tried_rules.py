"""`auzolan run explain --rules FILE`: rules are tried before anybody signs them or is refused by them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.deliberation import Place, copied
from tests.cli.running import declared, prepared

pytest.importorskip("re2", reason="NOT CHECKED: the run extra is not installed")


@pytest.fixture(scope="module")
def serving_town(ratified_town: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A town with a service and its files."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        here = copied(ratified_town, tmp_path_factory.mktemp("serving"), monkeypatch)
        declared(here)
        return here


@pytest.fixture
def here(serving_town: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return copied(serving_town, tmp_path, monkeypatch)


def _rules(here: Place, more: str = "", old: str = "", new: str = "") -> Path:
    """Write rules beside those that are signed."""
    text = (here.machine.folder / "run" / "rules.toml").read_text()

    assert old in text
    path = here.machine.folder / "tried.toml"
    path.write_text(text.replace(old, new, 1) + more)
    return path


NO_DOSES = """
[[topics]]
id = "medicine"
in = ["request"]
words = ["dose"]

[[rules]]
id = "no-doses"
effect = "deny"
article = "1.1"
why = "Doses are a matter for a doctor (synthetic)."
when = { topics = ["medicine"] }
"""


def test_rules_are_tried_before_anybody_signs_them(here: Place) -> None:
    before = here.ids("runtime-policy/v1")
    path = _rules(here, NO_DOSES)
    said = here.json("run", "explain", "--text", "What is the right dose?", "--rules", path)
    text = here.run("run", "explain", "--text", "What is the right dose?", "--rules", path)

    assert ("denied", "no-doses", "1.1") == (
        said["decision"],
        said["matched"][0]["rule"],
        said["matched"][0]["article"],
    )
    assert said["matched"][0]["statements"]
    assert "article 1.1: " in text
    assert "allowed" == here.json("run", "explain", "--text", "What is the right dose?")["decision"]
    assert "allowed" == here.json("run", "explain", "--answer", "What is the right dose?", "--rules", path)["decision"]
    assert before == here.ids("runtime-policy/v1")


def test_rules_are_tried_before_there_is_a_service(
    ratified_town: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = copied(ratified_town, tmp_path, monkeypatch)
    prepared(new)
    path = _rules(new, NO_DOSES)

    assert "denied" == new.json("run", "explain", "--text", "The dose?", "--rules", path)["decision"]
    assert "allowed" == new.json("run", "explain", "--text", "The desk?", "--rules", path)["decision"]
    assert "there is no service 'nowhere'" in new.error(
        "run", "explain", "--text", "a", "--rules", path, "--service", "nowhere", code=3
    )


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('effect = "allow"', 'effekt = "allow"', "rule 'allow-use': unknown key 'effekt'"),
        ('article = "operator"', 'article = "9.9"', "has an article '9.9'; they have "),
        ('topics = ["eligibility-decision"]', 'topics = ["eligible"]', "there is no topic 'eligible'"),
        ("[[rules]]", "[[rules]", ""),
        ("answer_tokens = 1024", "answer_tokens = 0", "limits.answer_tokens"),
    ],
    ids=["a key", "an article", "a topic", "no TOML", "a limit"],
)
def test_what_is_wrong_with_tried_rules_is_said_with_its_place(here: Place, old: str, new: str, words: str) -> None:
    path = _rules(here, "", old, new)
    line = here.error("run", "explain", "--text", "a", "--rules", path, code=2)

    assert f"{path}: " in line
    assert words in line
