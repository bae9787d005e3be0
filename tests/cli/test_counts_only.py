"""Counts alone through the command line: no commons, nothing signed, nothing selected, and what they cannot show."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.deliberation import LONDON, polis
from tests.cli.machine import Machine, listing, machine
from tests.cli.test_ratify import PROMISED

SUPPORTS = "id,body/en,supports\n1,More trees,120\n2,Fewer cars,30\n3,A later library,7\n"
SIDES = "statement,text,agree,disagree,pass\n1,More trees,120,20,3\n2,Fewer cars,60,55,9\n3,A later library,3,0,0\n"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = machine(tmp_path, "desk", monkeypatch)
    (made.folder / "supports.csv").write_text(SUPPORTS)
    (made.folder / "sides.csv").write_text(SIDES)
    return made


def test_supports_are_an_order_and_no_selection(desk: Machine) -> None:
    said = desk.json("deliberate", "ratify", "--counts", "supports.csv", "--participants", "400")

    assert PROMISED <= set(said)
    assert ("C", 400, 3) == (said["grade"], said["participants"], said["statements"])
    assert ([], [], None, None) == (said["groups"], said["articles"], said["certificate"], said["record"])
    assert {"agree": None, "disagree": None, "pass": None, "supports": 157} == said["votes"]
    assert [1, 2, 3] == [each["statement_id"] for each in said["shortlist"]]
    assert {"wilson 90 %"} == {each["interval"] for each in said["shortlist"]}
    assert (0.3, 400) == (said["shortlist"][0]["share"], said["shortlist"][0]["share_of"])
    assert [("counted only", None)] * 3 == [(each["status"], each["lacking"]) for each in said["not_included"]]
    assert {"statement_id", "text", "status", "reason", "lacking"} == set(said["not_included"][0])


def test_both_sides_show_what_is_contested(desk: Machine) -> None:
    said = desk.json("deliberate", "ratify", "--counts", "sides.csv")

    assert {"agree": 183, "disagree": 75, "pass": 12, "supports": None} == said["votes"]
    assert {1: False, 2: True, 3: False} == {each["statement_id"]: each["contested"] for each in said["shortlist"]}
    output = desk.run("deliberate", "ratify", "--counts", "sides.csv")
    assert 1 == " ".join(output.split()).count("contested: more than a third may be against")


@pytest.mark.parametrize("table", ["supports.csv", "sides.csv"])
def test_what_counts_cannot_show_is_said_before_the_order(desk: Machine, table: str) -> None:
    output = desk.run("deliberate", "ratify", "--counts", table)
    flat = " ".join(output.split())

    assert "Evidence grade C: counts only" in output
    assert output.index("cannot show") < output.index("A shortlist") < output.index("Next: ask the people")
    assert "no groups" in flat
    assert "nothing is proportional or certified" in flat
    assert ("Who is against" in flat) is (table == "supports.csv")
    assert [] == [line for line in output.splitlines() if len(line.rstrip()) > 80]


@pytest.mark.parametrize("table", ["supports.csv", "sides.csv"])
def test_nothing_is_called_an_article_or_a_consensus(desk: Machine, table: str) -> None:
    output = desk.run("deliberate", "ratify", "--counts", table)
    before, _, after = output.partition("A shortlist")

    assert "article" not in output
    assert "consensus" not in after
    assert 1 == len(re.findall("consensus", before))
    assert "- A consensus. That takes ballots" in before  # under "What these counts cannot show"
    assert 1 == len(re.findall("selected", output))
    assert "nothing is selected" in output


def test_without_the_number_of_people_there_is_no_share(desk: Machine) -> None:
    output = desk.run("deliberate", "ratify", "--counts", "supports.csv")

    assert "%" not in output
    assert "How many people could have supported is not known; --participants N" in " ".join(output.split())


def test_the_comments_of_a_polis_export_are_sent_to_the_import(desk: Machine) -> None:
    said = desk.json("deliberate", "ratify", "--counts", polis(LONDON) / "comments.csv")
    output = desk.run("deliberate", "ratify", "--counts", polis(LONDON) / "comments.csv")

    assert "whoever changed a vote is counted again" in " ".join(said["cannot_show"])
    assert "and 16 more" in output
    assert 3 == [each["status"] for each in said["not_included"]].count("moderated out")
    assert 36 == len(said["shortlist"])


def test_more_votes_than_participants_are_pointed_out(desk: Machine) -> None:
    said = desk.json("deliberate", "ratify", "--counts", "sides.csv", "--participants", "100")

    assert "There are more votes on a statement than participants" in " ".join(said["cannot_show"])


def test_nothing_is_kept(desk: Machine) -> None:
    before = listing(desk.folder)
    desk.run("deliberate", "ratify", "--counts", "sides.csv")

    assert before == listing(desk.folder)


def test_text_from_the_table_cannot_write_on_the_terminal(desk: Machine) -> None:
    (desk.folder / "bad.csv").write_bytes("id,text,votes\n1,\x1b[2Jgone\u202e,3\n".encode())
    output = desk.run("deliberate", "ratify", "--counts", "bad.csv")

    assert "\x1b[2J" not in output
    assert "\u202e" not in output
    assert "\\u{1b}[2Jgone" in output


@pytest.mark.parametrize(
    ("content", "message", "code"),
    [
        ("id,votes\n1,many\n", "line 2, column 2 (votes): expected a whole number", 1),
        ("id,votes\n1,900\n", "more than the 400 people who could give one", 2),
        ("name,votes\nx,900\n", "no column says which statement", 1),
    ],
)
def test_a_table_that_makes_no_sense_is_refused_in_a_line(desk: Machine, content: str, message: str, code: int) -> None:
    (desk.folder / "bad.csv").write_text(content)

    assert message in desk.error("deliberate", "ratify", "--counts", "bad.csv", "--participants", "400", code=code)
