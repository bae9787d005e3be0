"""Selecting articles through the command line, and noticing a selection that does not follow from the votes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.deliberation import Place, change_rules, commit_rules, copied, place
from tests.cli.machine import machine
from tests.cli.ratifying import TOWN, forge_record

PROMISED = {
    "participants",
    "statements",
    "votes",
    "grade",
    "groups",
    "articles",
    "not_included",
    "certificate",
    "record",
}
OF_ARTICLE = {
    "number", "text", "statement_ids", "status", "how", "gac", "groups", "admit_margin", "block_margin",
}  # fmt: skip


@pytest.fixture
def here(tallied_town: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return copied(tallied_town, tmp_path, monkeypatch)


def test_articles_are_selected_and_accounted_for(here: Place) -> None:
    said = here.json("deliberate", "ratify")
    articles, others = said["articles"], said["not_included"]

    assert PROMISED <= set(said)
    assert said["committed"]
    assert [1, 2, 3, 4, 5, 6, 7] == [each["number"] for each in articles]
    assert OF_ARTICLE <= set(articles[0])
    assert {"agree", "disagree", "pass", "seen", "lower", "id"} == set(articles[0]["groups"][0])
    assert {"selected"} == {each["status"] for each in articles}
    assert set(range(24)) == {i for a in articles for i in a["statement_ids"]} | {o["statement_id"] for o in others}
    assert all(each["reason"] for each in others)
    assert said["certificate"]["ejr_plus_ratio"] < 1
    assert 7 == len(said["certificate"]["core"]["multipliers"])
    assert ("before", False, "A") == (said["rules_known"], said["trial"], said["grade"])


def test_a_trial_says_that_it_is_one(here: Place) -> None:
    said = here.json("deliberate", "ratify", "--seats", "2")

    assert (True, 2) == (said["trial"], len(said["articles"]))
    assert "checked" == here.links(said["record"])["rules"]["strength"]
    assert "A trial" in here.run("deliberate", "ratify", "--seats", "3")


def test_rules_that_changed_after_the_votes_came_in_are_pointed_out(here: Place) -> None:
    commit_rules(here, "seats = 7", "seats = 5")

    assert "after" == here.json("deliberate", "ratify")["rules_known"]
    assert "Rules fixed after votes were seen" in here.run("deliberate", "ratify", "--seats", "4")


def test_selecting_twice_changes_nothing(here: Place) -> None:
    first, second = (here.json("deliberate", "ratify") for _ in range(2))

    assert first == second
    assert 1 == len(here.ids("selection/v1"))


def test_importing_again_does_not_make_new_rules_old(here: Place) -> None:
    commit_rules(here, "seats = 7", "seats = 5")
    here.read(TOWN, "--name", "assistant", "--again")
    here.tally()

    assert "after" == here.json("deliberate", "ratify")["rules_known"]


def test_a_selection_tells_nothing_that_its_tally_withholds(here: Place) -> None:
    said = here.json("deliberate", "ratify")
    body = here.record(said["record"])["body"]
    everything = [
        *said["articles"],
        *({**o, **here.json("deliberate", "why", str(o["statement_id"]))} for o in said["not_included"]),
    ]
    hidden = {
        each["statement_id"] for each in everything if "by" in each and None in (each["all"], each["by"]["opinion"])
    }
    others = [each for each in body["not_included"] if each["statement"] in hidden]

    assert others
    assert {(None, ())} == {(each["admit_margin"], tuple(each["against"])) for each in others}


def test_of_two_in_conflict_one_stays_or_both_go_to_the_people(here: Place) -> None:
    pairs = here.machine.folder / "pairs.json"
    pairs.write_text("[[0, 1], [4, 6]]")
    said = here.json("deliberate", "ratify", "--conflicts", pairs)
    chosen = {i for each in said["articles"] for i in each["statement_ids"]}
    standing = {each["statement_id"]: each["status"] for each in said["not_included"]}

    assert len(chosen & {0, 1}) <= 1
    assert {standing.get(0), standing.get(1)} & {"excluded by conflict", "contested"}
    assert 4 in chosen or standing[4] != "excluded by conflict"


@pytest.mark.parametrize(
    ("pairs", "message", "code"),
    [
        ("[[0, 99]]", "there is no statement 99", 2),
        ("[[3, 3]]", "not in conflict with itself", 2),
        ("[[1, 2, 3]]", "expected two statements", 1),
        ('[["a", 1]]', "expected an integer", 1),
        ("{}", "expected a list", 1),
        ("[[", "not JSON", 1),
    ],
)
def test_conflicts_that_make_no_sense_are_refused(here: Place, pairs: str, message: str, code: int) -> None:
    (here.machine.folder / "pairs").write_text(pairs)

    assert message in here.error("deliberate", "ratify", "--conflicts", here.machine.folder / "pairs", code=code)
    assert [] == here.ids("selection/v1")


def test_an_honest_selection_is_checked_and_a_false_one_contradicted(here: Place) -> None:
    honest = here.json("deliberate", "ratify")["record"]
    body = here.record(honest)["body"]
    swapped = json.loads(json.dumps(body))
    out_of_it = next(each for each in body["not_included"] if each["standing"] == "not enough support")
    gone = swapped["articles"][0]["statement"]
    swapped["articles"][0]["statement"] = out_of_it["statement"]
    swapped["not_included"] = [
        each if each["statement"] != out_of_it["statement"] else {**each, "statement": gone, "standing": "eligible"}
        for each in body["not_included"]
    ]
    lighter = json.loads(json.dumps(body["certificate"]))
    lighter["core"]["multipliers_2p20"] = [0] * 7

    assert {"tally": "recomputed", "rules": "checked"} == {n: b["strength"] for n, b in here.links(honest).items()}
    contested = [{**each, "standing": "contested"} for each in body["not_included"]]
    blocked = [{**each, "standing": "blocked", "against": ["X"]} for each in body["not_included"]]
    loose = {**body["parameters"], "group_rule": "none", "support_ppm": 0, "quorum_least": 0}
    for changed in (
        {"articles": swapped["articles"], "not_included": swapped["not_included"]},
        {"certificate": lighter},
        {"certificate": None},
        {"not_included": body["not_included"][1:]},
        {"not_included": contested},
        {"not_included": blocked},
        {"parameters": loose},
        {"parameters": {**body["parameters"], "seats": 10**12}, "trial": True},
        {"articles": [{**each, "block_margin": 9999} for each in body["articles"]]},
        {"articles": [{**each, "how": "acclamation"} for each in body["articles"]]},
        {"rules_known": "long before"},
        {"grade": "B"},
        {"put_to_vote": [3]},
        {"clauses": [{"statement": 6, "reach": "3/2"}]},
        {"articles": [{**each, "holds": 12} for each in body["articles"]]},
    ):
        false = forge_record(here, honest, **changed)

        assert "contradicted" == here.links(false, code=1)["tally"]["strength"]


def test_a_selection_by_other_rules_than_those_in_force_is_noticed(here: Place) -> None:
    honest = here.json("deliberate", "ratify")["record"]
    parameters = {**here.record(honest)["body"]["parameters"], "seats": 6}
    false = forge_record(here, honest, parameters=parameters)

    assert "contradicted" == here.links(false, code=1)["tally"]["strength"]


def test_an_outsider_cannot_check_a_selection_without_ballots(
    here: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    selection = here.json("deliberate", "ratify")["record"]
    reader = machine(tmp_path, "reader", monkeypatch)
    said = reader.json("trace", selection, "--commons", here.town / "ledger")

    assert "unavailable" == {each["link"]: each for each in said["rests_on"]}["tally"]["strength"]


def test_an_author_can_ask_why_from_what_is_published(
    here: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = here.json("deliberate", "ratify")
    reader = machine(tmp_path, "reader", monkeypatch)
    ledger = here.town / "ledger"
    article, contested = said["articles"][0], next(o for o in said["not_included"] if o["status"] == "contested")
    chosen = reader.json("deliberate", "why", article["statement_ids"][0], "--commons", ledger)
    refused = reader.json("deliberate", "why", contested["statement_id"], "--commons", ledger)

    assert ("selected", 1, article["block_margin"]) == (chosen["status"], chosen["article"], chosen["block_margin"])
    assert ("contested", contested["lacking"]) == (refused["status"], refused["admit_margin"])
    assert article["all"] == {key: chosen["all"][key] for key in ("agree", "disagree", "pass")}
    for each in range(24):
        text = reader.run("deliberate", "why", str(each), "--commons", ledger)

        assert [] == [line for line in text.splitlines() if len(line) > 80]
    assert "no statement 99" in reader.error("deliberate", "why", "99", "--commons", ledger, code=3)


def test_nothing_is_selected_before_a_tally_or_by_bad_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = place(tmp_path, monkeypatch)

    assert "no tally/v1" in made.error("deliberate", "ratify", code=3)

    made.read(TOWN, "--name", "assistant")
    made.tally()
    change_rules(made.town, "seats = 7", 'seats = 7\ngroup_rule = "loudest"')

    assert "constitution.group_rule: expected one of" in made.error("propose", "governance", code=2)

    change_rules(made.town, 'group_rule = "loudest"', "seat = 9")

    assert "constitution.seat: there is no such key; did you mean seats?" in made.error("propose", "governance", code=2)


def test_more_conflicts_than_can_be_looked_up_are_refused(here: Place) -> None:
    pairs = here.machine.folder / "pairs.json"
    pairs.write_text(json.dumps([[0, 1]] * 1_001))

    assert "1,001 pairs, at most 1,000 can be declared" in here.error(
        "deliberate", "ratify", "--conflicts", pairs, code=2
    )
