"""`why` for proposals: each has one disposition, found by any of its names, and all of them add up."""

from __future__ import annotations

from collections import Counter

import pytest

from auzolan.deliberate.decidim.dispositions import NAMES, WHYS
from tests.cli.decidim.exports import folder_of, imports, proposals_csv
from tests.cli.decidim.rounds import disposition, make_kit, sign_kit
from tests.cli.deliberation import Place

OCCURRING = {
    "adopted: ratified",
    "deferred: left out",
    "deferred: not kept",
    "deferred: not listed",
    "merged: merged",
    "rejected: no support",
    "rejected: not ratified",
}


def test_every_proposal_has_exactly_one_disposition(round_done: Place) -> None:
    said = round_done.json("deliberate", "why", "--all")
    counted = Counter(each["disposition"] for each in said["proposals"])

    assert {name: counted[name] for name in NAMES} == said["counts"]
    assert 42 == sum(said["counts"].values()) + said["without"]
    assert 40 == len({each["proposal"] for each in said["proposals"]})
    assert {disposition(each) for each in said["proposals"]} >= OCCURRING
    assert all(each["why"] in WHYS[each["disposition"]] for each in said["proposals"])


def test_all_in_words(round_done: Place) -> None:
    said, output = round_done.json("deliberate", "why", "--all"), round_done.run("deliberate", "why", "--all")
    lines = [line.split() for line in output.splitlines() if line.strip()]

    assert {name: str(count) for name, count in said["counts"].items()} == {line[1]: line[0] for line in lines[:4]}
    assert ["2", "withdrawn,"] == lines[4][:2]


@pytest.mark.parametrize("kind", sorted(OCCURRING))
def test_each_kind_says_why_in_words(round_done: Place, kind: str) -> None:
    every = round_done.json("deliberate", "why", "--all")["proposals"]
    each = next(one for one in every if disposition(one) == kind)
    said = round_done.json("deliberate", "why", each["proposal"])
    output = round_done.machine.call("deliberate", "why", each["proposal"], "--commons", round_done.town).output

    assert each == said
    assert " ".join(said["words"].split()) in " ".join(output.split())
    assert f"{kind.split(':')[0].capitalize()}" in output
    assert (said["statement"] is not None) is ("why statement:" in output)
    assert [] == [line for line in output.splitlines() if len(line.rstrip()) > 80]


def test_a_merged_one_goes_where_the_other_goes(round_done: Place) -> None:
    every = round_done.json("deliberate", "why", "--all")["proposals"]
    (merged,) = (each for each in every if each["disposition"] == "merged")
    lead = round_done.json("deliberate", "why", f"proposal:{merged['facts']['lead']}")

    assert (lead["disposition"], lead["why"], lead["facts"]) == tuple(
        merged["then"][name] for name in ("disposition", "why", "facts")
    )
    assert "proposal 1" in merged["words"]


def test_a_reason_is_that_of_whoever_left_it_out(round_done: Place) -> None:
    every = round_done.json("deliberate", "why", "--all")["proposals"]
    (left,) = (each for each in every if each["why"] == "left out")

    assert "another town decides it (synthetic)" in left["words"]


@pytest.mark.parametrize(
    "name",
    [
        "proposal:30",
        "30",
        "TOWN-PROP-2026-03-30",
        "127.0.0.1/6/proposal/30",
        "proposal:127.0.0.1/6/proposal/30",
        "https://127.0.0.1/processes/pla/f/6/proposals/30",
        "https://127.0.0.1/ca/processes/pla/f/6/proposals/30?locale=ca#comments",
        "proposal:https://127.0.0.1/processes/pla/f/6/proposals/30/",
        "/processes/pla/f/6/proposals/30",
    ],
)
def test_a_proposal_is_found_by_any_of_its_names(round_done: Place, name: str) -> None:
    assert "127.0.0.1/6/proposal/30" == round_done.json("deliberate", "why", name)["proposal"]


def test_a_number_that_is_both_is_asked_about(round_done: Place) -> None:
    error = round_done.error("deliberate", "why", "1", code=2)

    assert "1 is the number of a statement and of a proposal; say statement:1 or proposal:1" in error
    assert 1 == round_done.json("deliberate", "why", "statement:1")["statement_id"]
    assert "127.0.0.1/6/proposal/1" == round_done.json("deliberate", "why", "proposal:1")["proposal"]


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("proposal:77", 3, "there is no proposal 77"),
        ("https://other.example.org/processes/pla/f/6/proposals/30", 3, "there is no proposal"),
        ("", 2, "expected the number of a statement, or a proposal"),
        ("proposal:", 2, "expected the number of a statement, or a proposal"),
        ("x" * 2_001, 2, "expected the number of a statement, or a proposal"),
        ("statement:77", 3, "77"),
        ("\x1b[2J", 3, "there is no proposal"),
    ],
)
def test_what_is_no_name_is_refused(round_done: Place, name: str, code: int, message: str) -> None:
    error = round_done.error("deliberate", "why", name, code=code)

    assert message in error
    assert "\x1b[2J" not in error


def test_one_or_all(round_done: Place) -> None:
    assert "or --all" in round_done.error("deliberate", "why", code=2)
    assert "or --all" in round_done.error("deliberate", "why", "1", "--all", code=2)


@pytest.mark.parametrize(
    ("number", "words"), [("5", "withdrew it; nothing was decided"), ("9", "It is an amendment of proposal 8")]
)
def test_those_without_a_disposition_say_so(imported: Place, number: str, words: str) -> None:
    said = imported.json("deliberate", "why", f"proposal:{number}")

    assert None is said["disposition"]
    assert words in said["words"]


def _two_of_three_listed(here: Place) -> None:
    imports(here, folder_of(here, proposals=proposals_csv(1, 2, 3)), "--name", "town")
    kit = here.machine.folder / "kit"
    make_kit(here, kit, "--statements", "2")
    sign_kit(here, kit)


def test_one_without_a_place_hears_what_the_last_place_took(founded: Place) -> None:
    _two_of_three_listed(founded)
    said = founded.json("deliberate", "why", "proposal:1")
    output = " ".join(founded.run("deliberate", "why", "proposal:1").split())

    assert (2, 1) == (said["facts"]["last"], said["facts"]["supports"])
    assert "The last of these places went to a proposal with 2 supports. This one had 1 support." in output


def test_one_that_came_after_the_list_is_not_told_that_there_was_no_room(founded: Place) -> None:
    _two_of_three_listed(founded)
    imports(founded, folder_of(founded, proposals=proposals_csv(1, 2, 3, 4)), "--name", "town", "--again")
    every = founded.json("deliberate", "why", "--all")["proposals"]

    assert ["not listed", "not asked", "not asked", "came later"] == [each["why"] for each in every]
    assert 2 == every[0]["facts"]["last"]
    assert "supports" not in every[0]["facts"]
    assert "after the list" in founded.run("deliberate", "why", "proposal:4")


def test_before_anybody_was_asked(imported: Place) -> None:
    said = imported.json("deliberate", "why", "3")

    assert ("deferred: not asked", None) == (disposition(said), said["shortlist"])
    assert "Nothing was put to the participants yet." in imported.run("deliberate", "why", "3")


def test_between_the_selection_and_the_vote(answered: Place) -> None:
    said = answered.json("deliberate", "why", "--all")
    kinds = {disposition(each) for each in said["proposals"]}

    assert 0 == said["counts"]["adopted"]
    assert "deferred: not worded" in kinds
    assert {None} == {each["constitution"] for each in said["proposals"]}


def test_without_an_import(founded: Place) -> None:
    assert "no proposals were imported here yet" in founded.error("deliberate", "why", "--all", code=3)
