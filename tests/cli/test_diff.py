"""What changed from one constitution to another, and by whose votes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.deliberation import Place, copied
from tests.cli.machine import machine
from tests.cli.ratifying import ballots, confirm, put_to_vote


@pytest.fixture
def here(selected_town: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return copied(selected_town, tmp_path, monkeypatch)


def _reworded(here: Place) -> Path:
    """Reword a principle of a second draft, and return its poll file."""
    draft, poll = here.machine.folder / "second.md", here.machine.folder / "second.csv"
    here.run("deliberate", "draft", "--output", draft)
    text = draft.read_text()

    assert "> The assistant should say so when it is not sure." in text
    text = text.replace(
        "> The assistant should say so when it is not sure.", "> It says plainly when it does not know."
    )
    before, _, after = text.partition("> It says plainly")
    draft.write_text(before + "> It says plainly" + after.replace("- editor:", "- editor: the library", 1))
    here.run("deliberate", "put-to-vote", draft, "--poll", poll)
    return poll


def test_every_principle_in_force_is_accounted_for(here: Place) -> None:
    confirm(here, ballots(put_to_vote(here), lambda _voter, principle: 0.1 if principle == 1 else 0.85))
    confirm(
        here,
        ballots(_reworded(here), lambda _voter, principle: 0.1 if principle == 2 else 0.85, name="second-vote.csv"),
        name="second",
    )
    said = here.json("deliberate", "diff")
    what = {(each["new"] or each["old"])["number"]: each["what"] for each in said["changes"]}
    removed = next(each for each in said["changes"] if each["what"] == "removed")

    assert {"1.1": "reworded", "2.1": "added", "3.1": "removed"} == {n: w for n, w in what.items() if w != "kept"}
    assert 4 == list(what.values()).count("kept")
    assert [90, 90] == said["participants"]
    assert removed["voted_down"]
    assert all(each["new"]["all"]["agree"] for each in said["changes"] if each["new"])


def test_a_diff_is_readable_and_needs_no_ballots(here: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    poll = put_to_vote(here)
    first = confirm(here, ballots(poll))["record"]
    second = confirm(here, ballots(poll, lambda _voter, principle: 0.1 if principle == 0 else 0.85), name="two")[
        "record"
    ]
    reader = machine(tmp_path, "reader", monkeypatch)
    text = reader.run("deliberate", "diff", first[:12], second[:12], "--commons", here.town / "ledger")

    assert [] == [line for line in text.splitlines() if len(line) > 80]
    assert "removed" in text
    assert "it was put to the new vote and not ratified" in " ".join(text.split())


def test_a_first_constitution_replaces_none(here: Place) -> None:
    record = confirm(here, ballots(put_to_vote(here)))["record"]

    assert "replaces none" in here.error("deliberate", "diff", code=2)
    assert {"kept"} == {each["what"] for each in here.json("deliberate", "diff", record, record)["changes"]}
    assert "expected a constitution/v1" in here.error("deliberate", "diff", here.root, code=2)
