"""The people's vote on the wording, through the command line, and noticing a constitution that does not follow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.deliberation import PEOPLE, Place, commit_rules, copied, found_in, place
from tests.cli.machine import listing, machine, path_of
from tests.cli.ratifying import TOWN, ballots, confirm, forge_record, put_to_vote, selected, split


@pytest.fixture
def here(selected_town: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return copied(selected_town, tmp_path, monkeypatch)


@pytest.fixture
def voted(ratified_town: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """The same after a vote by `split`."""
    return copied(ratified_town, tmp_path, monkeypatch)


def test_only_the_peoples_vote_ratifies(here: Place) -> None:
    assert [] == here.ids("constitution/v1")

    said = confirm(here, ballots(put_to_vote(here), split))
    record = here.record(said["record"])

    assert ("A", "before", 90, True) == (said["grade"], said["rules_known"], said["participants"], said["committed"])
    assert {"ratified"} == {each["status"] for each in said["articles"]}
    assert "2.1" not in {each["principle"] for each in said["articles"]}
    assert [("2.1", [1])] == [(each["principle"], each["statement_ids"]) for each in said["not_included"]]
    assert {"draft", "rules", "tally"} == set(record["links"])
    assert 7 == len(record["body"]["principles"])
    assert said["certificate"]["ejr_plus_ratio"] < 1
    assert 6 == len(said["certificate"]["core"]["multipliers"])


def test_what_a_group_contests_can_be_ratified_and_the_group_is_named(here: Place) -> None:
    said = confirm(here, ballots(put_to_vote(here), split))
    against = {each["principle"]: each["against"] for each in said["articles"]}

    assert ["B"] == against.pop("1.1")
    assert {()} == {tuple(each) for each in against.values()}


def test_a_constitution_is_recomputed_from_the_vote_down_to_the_statements(voted: Place) -> None:
    links = voted.links(voted.ids("constitution/v1")[0])
    draft = links["draft"]["branches"][0]

    assert {"draft": "checked", "rules": "checked", "tally": "recomputed"} == {
        name: branch["strength"] for name, branch in links.items()
    }
    assert ("selection", "checked") == (draft["link"], draft["strength"])
    assert ("tally", "recomputed") == (draft["branches"][1]["link"], draft["branches"][1]["strength"])


def test_a_false_constitution_is_contradicted(voted: Place) -> None:
    honest = voted.ids("constitution/v1")[0]
    body = voted.record(honest)["body"]
    lost, won = body["not_included"][0], body["articles"][0]
    swapped = [{**won, "statement": lost["statement"]}, *body["articles"][1:]]
    others = [{**lost, "statement": won["statement"]}, *body["not_included"][1:]]
    worded: list[Any] = [{**each, "text": each["text"] + " Or not."} for each in body["principles"]]
    numbers = body["voted_as"]
    crossed = {**numbers, "1.1": numbers["2.1"], "2.1": numbers["1.1"]}
    lighter = json.loads(json.dumps(body["certificate"]))
    lighter["core"]["multipliers_2p20"] = [0] * len(body["articles"])
    for changed, link in (
        ({"articles": swapped, "not_included": others}, "tally"),
        ({"certificate": lighter}, "tally"),
        ({"certificate": None}, "tally"),
        ({"rules_known": "never"}, "tally"),
        ({"conflicts": [[1, 2]]}, "tally"),
        ({"articles": [{**each, "block_margin": 10_000} for each in body["articles"]]}, "tally"),
        ({"put_to_vote": [lost["statement"]]}, "tally"),
        ({"principles": worded}, "draft"),
        ({"title": "Another one"}, "draft"),
        ({"voted_as": crossed}, "draft"),
    ):
        false = forge_record(voted, honest, **changed)

        assert "contradicted" == voted.links(false, code=1)[link]["strength"], changed


@pytest.mark.parametrize(
    ("header", "cell", "message"),
    [
        ("{}x", "", "principle 1.1 was not voted on in its wording"),
        ("{},Free beer for all", ",agree", "is not in the draft"),
        ("{},1.1 {}", ",agree", "principle 1.1 was 2 times voted on in its wording"),
    ],
)
def test_a_vote_on_other_words_is_refused(here: Place, header: str, cell: str, message: str) -> None:
    path = ballots(put_to_vote(here))
    first, *rows = path.read_text().splitlines()
    text = first.split(",")[2]
    changed = [first.replace(text, header.format(text, text)), *(_after_third(row, cell) for row in rows)]
    path.write_text("\n".join(changed) + "\n")

    error = here.error(
        "deliberate", "confirm", path, "--from", "survey", "--id", "email", "--stratum", "District", "--name", "vote",
        code=2,
    )  # fmt: skip

    assert message in error
    assert ([], 1) == (here.ids("constitution/v1"), len(here.ids("snapshot/v1")))


def _after_third(row: str, cell: str) -> str:
    cells = row.split(",")
    return ",".join([*cells[:3], *cell.split(",")[1:], *cells[3:]])


def test_a_vote_needs_a_draft_and_a_name_of_its_own(here: Place) -> None:
    vote = here.machine.folder / "nothing.csv"
    vote.write_text("email,A\nx@example.org,agree\n")

    assert "there is no draft/v1" in here.error("deliberate", "confirm", vote, "--from", "survey", code=3)

    path = ballots(put_to_vote(here))

    assert "a conversation is called 'assistant' here already" in here.error(
        "deliberate", "confirm", path, "--from", "survey", "--id", "email", "--name", "assistant", code=2
    )


def test_rules_that_changed_after_the_draft_are_pointed_out(here: Place) -> None:
    poll = put_to_vote(here)
    commit_rules(here, "seats = 7", "seats = 5")
    said = confirm(here, ballots(poll))

    assert ("after", 5) == (said["rules_known"], len(said["articles"]))
    assert "recomputed" == here.links(said["record"])["tally"]["strength"]


def test_a_new_constitution_supersedes_the_one_before(here: Place) -> None:
    poll = put_to_vote(here)
    first = confirm(here, ballots(poll))["record"]
    second = confirm(here, ballots(poll, split), name="second vote")

    assert first == second["supersedes"] == here.record(second["record"])["links"]["supersedes"]
    assert "checked" == here.links(second["record"])["supersedes"]["strength"]


def test_articles_are_selected_from_the_deliberation_and_not_from_the_vote(here: Place) -> None:
    before = here.json("deliberate", "ratify")["record"]
    confirm(here, ballots(put_to_vote(here)))

    assert before == here.json("deliberate", "ratify")["record"]


def test_nobody_who_voted_stands_in_what_is_published(here: Place) -> None:
    confirm(here, ballots(put_to_vote(here)))
    needles = [f"voter.{number}@example.org".encode() for number in range(90)]

    assert set() == found_in(here.town / "ledger", *needles, *(who.encode() for who in PEOPLE))
    assert here.private_blobs() == here.named_blobs()


def test_with_two_signers_the_three_records_wait_and_are_committed_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library, school = machine(tmp_path, "of-library", monkeypatch), machine(tmp_path, "of-school", monkeypatch)
    library.key("desk")
    town = library.folder / "town"
    library.run(
        "init", "town", "--name", "Town (synthetic)", "--demo", "--edit",
        "--principal", "library=demo/desk", "--principal", f"school={school.key('office')}",
    )  # fmt: skip
    rules = town / "governance.toml"
    rules.write_text(
        rules.read_text().replace("count = 2 }", 'count = 1 }\n"constitution/v1" = { role = "steward", count = 2 }')
    )
    here = Place(library, town, "")
    here.run("commit", path_of(here.run("propose", "governance", "--key", "demo/desk")))
    here.read(TOWN, "--name", "assistant")
    here.tally()
    here.json("deliberate", "ratify")
    confirm_output = here.run(
        "deliberate", "confirm", ballots(put_to_vote(here)), "--from", "survey", "--id", "email", "--stratum",
        "District", "--name", "vote",
    )  # fmt: skip
    letters = [town / "pending" / Path(line).name for line in confirm_output.splitlines() if line.endswith(".dsse")]

    assert 3 == len(letters)
    assert [] == here.ids("constitution/v1")

    for letter in letters:
        school.run("sign", letter, "--yes", "--commons", town)
    here.run("commit", *letters)

    assert 1 == len(here.ids("constitution/v1"))
    assert "recomputed" == here.links(here.ids("constitution/v1")[0])["tally"]["strength"]


def test_public_ballots_make_a_constitution_that_anybody_recomputes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = selected(tmp_path, monkeypatch, privacy="public")
    record = confirm(here, ballots(put_to_vote(here)))["record"]
    reader = machine(tmp_path, "reader", monkeypatch)
    links = reader.json("trace", record, "--commons", here.town / "ledger")["rests_on"]

    assert "recomputed" == {each["link"]: each["strength"] for each in links}["tally"]


def test_a_small_community_ratifies_by_exact_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = place(tmp_path, monkeypatch)
    commit_rules(here, "seats = 7", 'seats = 3\nroll = 20\nsupermajority = "1/2"')
    here.read_survey()
    here.tally()
    view = here.json("deliberate", "ratify")
    record = confirm(here, ballots(put_to_vote(here), people=18))

    assert (True, [], 3) == (view["small_community"], view["groups"], len(view["articles"]))
    assert "counted exactly" in here.run("deliberate", "ratify", "--seats", "2")
    assert [] == record["groups"]
    assert 3 == len(record["articles"])
    assert "recomputed" == here.links(record["record"])["tally"]["strength"]


def test_more_voters_than_the_roll_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = place(tmp_path, monkeypatch)
    commit_rules(here, "seats = 7", "seats = 3\nroll = 15")
    here.read_survey()
    here.tally()

    assert "16 people voted, and by constitution.roll only 15 may" in here.error("deliberate", "ratify", code=2)


def test_an_interrupted_vote_leaves_nothing_behind(here: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    path = ballots(put_to_vote(here))
    before = listing(here.town / "ledger")

    def stop(*_arguments: object, **_named: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("auzolan.cli.confirm.propose_within", stop)
        here.run(
            "deliberate", "confirm", path, "--from", "survey", "--id", "email", "--stratum", "District",
            "--name", "vote", code=3,
        )  # fmt: skip

    assert before == listing(here.town / "ledger")
    assert confirm(here, path)["committed"]
    assert here.private_blobs() == here.named_blobs()


def test_the_same_votes_are_not_confirmed_twice(here: Place) -> None:
    path = ballots(put_to_vote(here))
    first = confirm(here, path)["record"]
    error = here.error(
        "deliberate", "confirm", path, "--from", "survey", "--id", "email", "--stratum", "District",
        "--name", "another", code=2,
    )  # fmt: skip

    assert f"these votes were confirmed already: {first[:16]}" in error
    assert here.private_blobs() == here.named_blobs()
    assert [first] == here.ids("constitution/v1")


def test_an_author_learns_what_the_peoples_vote_made_of_it(here: Place) -> None:
    confirm(here, ballots(put_to_vote(here), split))
    draft = here.record(here.ids("draft/v1")[0])["body"]["principles"]
    lost = next(each["statements"][0] for each in draft if each["number"] == "2.1")
    won = next(each["statements"][0] for each in draft if each["number"] == "3.1")

    assert "ratified" == here.json("deliberate", "why", str(won))["vote"]["became"]
    assert "The people voted on it as 2.1: not ratified." in here.run("deliberate", "why", str(lost))


def test_the_newest_record_of_a_kind_is_traced_by_its_name(here: Place) -> None:
    record = confirm(here, ballots(put_to_vote(here)))["record"]

    assert record == here.json("trace", "constitution")["record"]["id"]
    assert "there is no tombstone in this commons yet" in here.error("trace", "tombstone", code=3)
