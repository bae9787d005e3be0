"""Ballots that come back from a Decidim, and from a Polis that stands in one; who gave them can be forgotten."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from auzolan.core.kinds.deliberate import Snapshot
from tests.cli.decidim.rounds import tokens_of
from tests.cli.deliberation import Place, found_in
from tests.cli.ratifying import TOWN


def vote(number: int, author: int, proposal: int, weight: int) -> dict[str, Any]:
    """Return a synthetic vote as decidim-rest-full gives it."""
    return {
        "id": str(number),
        "type": "vote_proposals",
        "attributes": {"weight": weight, "created_at": "2026-01-02T10:00:00Z"},
        "relationships": {
            "proposal": {"data": {"id": str(proposal), "type": "proposals"}},
            "author": {"data": {"id": str(author), "type": "users"}},
        },
    }


def forgotten(here: Place) -> int:
    """Return how many people are no longer in the newest snapshot."""
    cleaning = here.record(here.ids("snapshot/v1")[-1])["body"]["cleaning"]
    return sum(each["others"] for each in cleaning if each["rule"] == Snapshot.FORGOTTEN)


def pages(here: Place, weights: Mapping[int, int]) -> Path:
    """Write the votes of twelve people on proposals 1, 2 and 3, each of a weight that depends on who votes."""
    listed = [
        vote(10 * author + proposal, 90_000 + author, proposal, weights[(author + proposal) % len(weights)])
        for author in range(12)
        for proposal in (1, 2, 3)
    ]
    path = here.machine.folder / "votes.json"
    path.write_text(json.dumps({"data": listed}))
    return path


def test_cards_are_ballots_on_the_imported_proposals(imported: Place) -> None:
    snapshot = imported.read(
        pages(imported, {0: 3, 1: 2, 2: 1}), "--from", "decidim-votes", "--name", "cards", "--weights", "cards"
    )
    record = imported.record(snapshot)

    # Every proposal that can be chosen is a statement, whether anybody voted on it or not.
    assert (12, 36, 40) == tuple(record["body"]["counts"][name] for name in ("participants", "votes", "statements"))
    assert b"Proposta 2" in imported.blob(record["blobs"]["statements"], private=False)
    assert set() == found_in(imported.town, b"90001", b"90007")
    imported.tally()
    assert imported.json("deliberate", "ratify")["record"]


def test_weights_of_one_are_asked_about(imported: Place) -> None:
    path = pages(imported, {0: 1})
    error = imported.error("deliberate", "import", path, "--from", "decidim-votes", code=2)

    assert "cards" in error
    snapshot = imported.read(path, "--from", "decidim-votes", "--name", "supports", "--weights", "supports")
    assert 36 == imported.record(snapshot)["body"]["counts"]["votes"]


def test_votes_without_an_import_have_no_texts(founded: Place) -> None:
    snapshot = founded.read(pages(founded, {0: 3, 1: 1}), "--from", "decidim-votes", "--name", "cards")

    assert 3 == founded.record(snapshot)["body"]["counts"]["statements"]


def test_pages_that_are_cut_are_refused(imported: Place) -> None:
    path = pages(imported, {0: 3, 1: 1})
    path.write_bytes(path.read_bytes()[:-5])
    error = imported.error("deliberate", "import", path, "--from", "decidim-votes", code=1)

    assert "votes.json" in error
    assert set() == imported.private_blobs() - imported.named_blobs()


def test_a_polis_in_decidim_knows_its_people_by_xid(founded: Place) -> None:
    xids = founded.machine.folder / "xids.csv"
    xids.write_text("participant,xid\n0,decidim-77001\n1,decidim-77002\n2,decidim-77002\n")
    plain = founded.record(founded.read(TOWN, "--name", "plain"))["body"]["counts"]["participants"]
    joined = founded.record(founded.read(TOWN, "--name", "joined", "--xids", xids))["body"]["counts"]["participants"]

    assert plain - 1 == joined  # one person with two browsers
    assert set() == found_in(founded.town, b"decidim-7700")
    founded.run("forget", "decidim-77001")
    assert 1 == forgotten(founded)


def test_a_snapshot_of_a_survey_says_what_was_asked(answered: Place) -> None:
    (snapshot,) = answered.ids("snapshot/v1")
    record = answered.record(snapshot)

    assert answered.ids("shortlist/v1") == [record["links"]["shortlist"]]
    assert 12 == record["body"]["counts"]["statements"]
    assert "Amb altres paraules" in answered.blob(record["blobs"]["statements"], private=False).decode()


def test_a_respondent_is_forgotten_by_the_session_token(answered: Place) -> None:
    tokens = tokens_of(answered.machine.folder / "responses" / "responses-1.json")

    assert set() == found_in(answered.town, *(each.encode() for each in tokens))
    answered.run("forget", tokens[3])
    after = answered.record(answered.ids("snapshot/v1")[-1])
    assert 1 == forgotten(answered)
    assert answered.ids("shortlist/v1") == [after["links"]["shortlist"]]
    answered.run("fsck")
    assert tokens[3] not in answered.error("forget", tokens[3], code=3)


@pytest.mark.parametrize("form", ["csv", "json"])
def test_both_forms_of_responses_give_the_same_counts(answered: Place, form: str) -> None:
    responses = answered.machine.folder / "responses" / f"responses-1.{form}"
    said = answered.json("deliberate", "stats", responses, "--from", "decidim-survey")
    (first,) = answered.ids("snapshot/v1")

    assert answered.record(first)["body"]["counts"]["participants"] == said["participants"]


def test_responses_without_a_shortlist_are_refused(imported: Place, answered_survey: Place) -> None:
    responses = answered_survey.machine.folder / "responses" / "responses-1.json"
    result = imported.machine.call(
        "deliberate", "import", responses, "--from", "decidim-survey", "--name", "s", "--commons", imported.town
    )

    assert 0 != result.exit_code
    assert "a bug in" not in result.output


def test_a_shortlist_that_is_no_shortlist_is_refused(answered: Place) -> None:
    responses = answered.machine.folder / "responses" / "responses-1.json"
    snapshot = answered.ids("snapshot/v1")[0]
    words = ("--from", "decidim-survey", "--name", "s", "--shortlist", snapshot)
    result = answered.machine.call("deliberate", "import", responses, *words, "--commons", answered.town)

    assert result.exit_code in (1, 2)
    assert 1 == len(answered.ids("snapshot/v1"))
