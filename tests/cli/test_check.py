"""Checking a selection and a constitution through the command line, with ballots and without."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from auzolan.core.record.published import blob_path
from tests.cli.deliberation import Place, commit_rules, copied
from tests.cli.machine import machine
from tests.cli.ratifying import forge_record

STEPS = ["a", "b", *"1234567"]
WORDED = ["a", "b", "c", "d", *"1234567"]


@pytest.fixture
def here(selected_town: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return copied(selected_town, tmp_path, monkeypatch)


@pytest.fixture
def voted(ratified_town: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """The same after the people's vote."""
    return copied(ratified_town, tmp_path, monkeypatch)


def results(said: Mapping[str, Any], part: int = 0) -> dict[str, str]:
    """Return step -> result."""
    return {each["step"]: each["result"] for each in said["parts"][part]["steps"]}


def remark(said: Mapping[str, Any], step: str, part: int = 0) -> str:
    """Return what is remarked on a step."""
    return str(next(each["remark"] for each in said["parts"][part]["steps"] if each["step"] == step))


def test_a_selection_is_recomputed_in_numbered_steps(here: Place) -> None:
    said = here.json("deliberate", "check")

    assert dict.fromkeys(STEPS, "recomputed") == results(said)
    assert "recomputed" == said["verdict"]
    assert here.ids("selection/v1") == [said["record"]]
    assert said["does_not_show"]


def test_what_is_printed_is_worth_reading_at_80_columns(here: Place) -> None:
    text = here.run("deliberate", "check")

    assert [] == [line for line in text.splitlines() if len(line.rstrip()) > 80]
    assert "5  core      Could no group do better on its own?     recomputed" in text
    assert "On record: nobody has said that they recomputed it." in text
    assert "What this does not show:" in text


def test_a_constitution_is_checked_down_to_the_selection_that_it_rests_on(voted: Place) -> None:
    selection, constitution = voted.ids("selection/v1")[0], voted.ids("constitution/v1")[0]
    said = voted.json("deliberate", "check")

    assert [constitution, selection] == [part["record"] for part in said["parts"]]
    assert dict.fromkeys(WORDED, "recomputed") == results(said)
    assert dict.fromkeys(STEPS, "recomputed") == results(said, 1)
    assert "selection/v1" == voted.json("deliberate", "check", selection)["parts"][0]["kind"]


def test_without_ballots_it_says_what_was_checked_from_published_counts_and_what_was_not(
    here: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, ledger = machine(tmp_path, "reader", monkeypatch), here.town / "ledger"
    said = reader.json("deliberate", "check", "--commons", ledger, code=3)
    printed = reader.call("deliberate", "check", "--commons", ledger)

    assert {
        "a": "not checked", "b": "recomputed", "1": "in part", "2": "recomputed", "3": "in part", "4": "not checked",
        "5": "not checked", "6": "in part", "7": "in part",
    } == results(said)  # fmt: skip
    assert "from published counts: 19 of 24 statements" == remark(said, "1")
    assert "ballots are withheld; the counts are possible" == remark(said, "a")
    assert ("not all checked", 3) == (said["verdict"], said["exit_code"])
    assert 3 == printed.exit_code
    assert [] == [line for line in printed.stdout.splitlines() if len(line.rstrip()) > 80]


def test_with_what_was_handed_over_an_auditor_recomputes_all_of_a_constitution(
    voted: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    constitution = voted.ids("constitution/v1")[0]
    of_vote, of_both = tmp_path / "of-vote", tmp_path / "of-both"
    voted.run("deliberate", "hand-over", of_vote, "--tally", voted.record(constitution)["links"]["tally"])
    voted.run("deliberate", "hand-over", of_both)
    auditor, ledger = machine(tmp_path, "auditor", monkeypatch), voted.town / "ledger"
    half = auditor.json("deliberate", "check", "--commons", ledger, "--ballots", of_vote, code=3)
    both = auditor.json("deliberate", "check", "--commons", ledger, "--ballots", of_both)

    assert dict.fromkeys(WORDED, "recomputed") == results(half)
    assert ("not checked", "not checked") == (results(half, 1)["a"], results(half, 1)["5"])
    assert {"recomputed"} == {*results(both).values(), *results(both, 1).values()}


def test_who_recomputed_it_is_said_and_whether_they_had_signed_it_too(
    here: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = here.json("deliberate", "check", "--key", "demo/desk")
    again = here.run("deliberate", "check", "--key", "demo/desk")
    reader = machine(tmp_path, "reader", monkeypatch)
    seen = reader.json("deliberate", "check", "--commons", here.town / "ledger", code=3)["parts"][0]["recomputed_by"]

    assert said["committed"]
    assert said["endorsements"] == here.ids("endorsement/v1")
    assert "who signed it too" in again
    assert [("selection/v1", ["library"], ["library"])] == [(e["kind"], e["by"], e["signed_it_too"]) for e in seen]


def test_nothing_is_said_on_record_where_not_all_was_recomputed(
    here: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for digest in here.private_blobs():
        (here.town / "private" / blob_path(digest)).unlink()
    error = here.error("deliberate", "check", "--key", "demo/desk", code=3)
    reader = machine(tmp_path, "reader", monkeypatch)

    assert "nothing is said on record" in error
    assert [] == here.ids("endorsement/v1")
    assert "your own copy" in reader.error(
        "deliberate", "check", "--commons", here.town / "ledger", "--key", "demo/desk", code=2
    )


def test_where_ballots_were_erased_it_says_so(here: Place) -> None:
    here.run("forget", "17", "--reason", "asked to be forgotten", "--key", "demo/desk")
    said = here.json("deliberate", "check", code=3)

    assert "ballots were erased; the counts are possible" == remark(said, "a")
    assert ("in part", "not checked") == (results(said)["1"], results(said)["4"])


def _swap(body: dict[str, Any]) -> dict[str, Any]:
    """Put an eligible statement in the place of the first article."""
    first, other = body["articles"][0], next(o for o in body["not_included"] if o["standing"] == "eligible")
    articles = [{**first, "statement": other["statement"]}, *body["articles"][1:]]
    others = [{**other, "statement": first["statement"]} if o == other else o for o in body["not_included"]]
    return {"articles": articles, "not_included": others}


def _others(body: dict[str, Any], **changed: Any) -> dict[str, Any]:
    others = body["not_included"]
    chosen = next(o for o in others if o["standing"] == "eligible")
    return {"not_included": [{**o, **changed} if o == chosen else o for o in others]}


def _core(body: dict[str, Any], **changed: Any) -> dict[str, Any]:
    certificate = json.loads(json.dumps(body["certificate"]))
    certificate["core"] |= changed
    return {"certificate": certificate}


FORGED: tuple[tuple[Callable[[dict[str, Any]], dict[str, Any]], str], ...] = (
    (lambda body: _others(body, standing="not enough support"), "1 standing: statement "),
    (lambda body: {"put_to_vote": [body["articles"][0]["statement"]]}, "2 articles"),
    (lambda body: _others(body, rival=body["articles"][0]["statement"]), "3 conflicts: statement "),
    (_swap, "4 EJR+"),
    (lambda body: _core(body, multipliers_2p20=[0] * len(body["articles"])), "5 core (b)"),
    (lambda body: {"clauses": [{"statement": body["articles"][0]["statement"], "reach": "1/1"}]}, "6 clauses"),
    (lambda body: _others(body, admit_margin=5), "7 margins: statement "),
    (lambda body: {"parameters": {**body["parameters"], "quorum_least": 1}}, "b rules: the parameters"),
    (lambda body: {"rules_known": "after"}, "b rules: it says otherwise whether"),
    (lambda body: {"trial": True}, "b rules: the parameters"),
)


def test_a_forged_selection_is_refused_with_its_step_and_statement(here: Place) -> None:
    honest = here.ids("selection/v1")[0]
    body = here.record(honest)["body"]
    for forged, found in FORGED:
        said = here.json("deliberate", "check", forge_record(here, honest, **forged(body)), code=1)

        assert ("wrong", 1) == (said["verdict"], said["exit_code"])
        assert found in said["error"]
        assert "wrong" == results(said)[found[0]]


def test_a_constitution_worded_otherwise_than_voted_on_is_refused(voted: Place) -> None:
    honest = voted.ids("constitution/v1")[0]
    principles = [{**each, "text": each["text"] + " Or not."} for each in voted.record(honest)["body"]["principles"]]
    conflicts = [[1, 2]]

    assert "c wording" in voted.error("deliberate", "check", forge_record(voted, honest, principles=principles), code=1)
    assert "b rules: its conflicts" in voted.error(
        "deliberate", "check", forge_record(voted, honest, conflicts=conflicts), code=1
    )


def test_a_tally_that_its_ballots_do_not_amount_to_is_noticed_first(here: Place) -> None:
    tally, selection = here.ids("tally/v1")[0], here.ids("selection/v1")[0]
    counts = here.blob(here.record(tally)["blobs"]["counts"], private=False)
    table = json.loads(counts)
    shown = next(each for each in table["statements"] if each["all"])
    shown["all"][2] += 1
    false = here.forge(tally, counts=json.dumps(table, separators=(",", ":"), sort_keys=True).encode())
    said = here.json("deliberate", "check", forge_record(here, selection, links={"tally": false}), code=1)

    assert {"a": "wrong", "b": "recomputed"} == results(said)
    assert "is wrong at a counts: " in said["error"]


def test_rules_that_changed_afterwards_do_not_undo_what_was_selected(here: Place) -> None:
    commit_rules(here, "seats = 7", "seats = 5")

    assert "recomputed" == here.json("deliberate", "check")["verdict"]


def test_only_selections_and_constitutions_are_checked(here: Place) -> None:
    tally = here.ids("tally/v1")[0]

    assert "expected a constitution or a selection" in here.error("deliberate", "check", tally, code=2)


def test_the_page_about_checking_names_every_step_and_its_question(voted: Place) -> None:
    page = (Path(__file__).parents[2] / "docs" / "checking.md").read_text()
    steps = voted.json("deliberate", "check")["parts"][0]["steps"]
    rows = [f"| {each['step']} {each['name']} | {each['question']} |" for each in steps]

    assert [] == [row for row in rows if row not in page]
