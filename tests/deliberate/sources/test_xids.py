"""Participants of an embedded Polis by the number of the Decidim user."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auzolan.core.record.errors import AuzolanError, MalformedError, UsageError
from auzolan.deliberate.pseudonyms import pseudonyms
from auzolan.deliberate.sources.polis import read_polis
from auzolan.deliberate.sources.rest_full import read_vote_proposals
from auzolan.deliberate.sources.xids import by_xid, read_xids
from tests.deliberate.sources.test_rest_full import page, vote

VOTES = """timestamp,datetime,comment-id,voter-id,vote
1000,,0,1,1
2000,,0,2,-1
3000,,0,3,1
4000,,1,2,1
5000,,1,3,0
6000,,0,4,-1
"""
MATRIX = """participant,group-id,n-comments,n-votes,n-agree,n-disagree,0,1
1,0,0,1,1,0,1,
2,1,0,2,1,1,-1,1
3,0,0,2,1,0,1,0
4,1,0,1,0,1,-1,
"""


def _pseudonym(raw: str) -> str:
    return f"p-{raw}"


def _xids(path: Path, content: str, name: str = "participant-xids.csv") -> dict[str, str]:
    (path / name).write_text(content)
    return dict(read_xids(path / name))


@pytest.fixture
def polis(tmp_path: Path) -> Path:
    """A Polis export with both of its tables of votes."""
    folder = tmp_path / "polis"
    folder.mkdir()
    (folder / "votes.csv").write_text(VOTES)
    (folder / "participants-votes.csv").write_text(MATRIX)
    return folder


@pytest.mark.parametrize(
    "content",
    [
        'participant,xid\n1,"70"\n2,"80"\n3,""\n',
        "xid,PID\n70,1\n 80 ,2\n,3\n",
        "participant,xid,group-id,n-votes,0,1\n1,70,0,1,1,\n2,80,,1,1,\n",
    ],
)
def test_xids_are_read_by_the_names_of_columns(tmp_path: Path, content: str) -> None:
    assert {"1": "70", "2": "80"} == _xids(tmp_path, content)


def test_xids_are_found_in_the_folder_of_an_export(polis: Path) -> None:
    (polis / "participant-xids.csv").write_text("participant,xid\n1,70\n")

    assert {"1": "70"} == read_xids(polis)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("participant\n1\n", "expected one column “xid”, got 0"),
        ("xid\n1\n", "expected one column “participant”, got 0"),
        ("participant,pid,xid\n1,1,2\n", "expected one column “participant”, got 2"),
        ("participant,xid\n1,7\n1,8\n", "line 3, column 1 .*this participant is there twice"),
        ("participant,xid\nAna,7\n", "expected a whole number .* got a text of 3 characters"),
        ("participant,xid\n01,7\n", "expected a whole number"),
        ('participant,xid\n1,"7\n8"\n', "one line of plain characters"),
        ("participant,xid\n1,polis:7\n", "no xid may begin with polis:"),
        (f"participant,xid\n1,{'7' * 1001}\n", "at most 1,000 characters, got 1,001"),
        ("participant,xid\n1,\n", "no participant has an xid"),
        ("participant,xid\n", "no participant has an xid"),
        ("", "the file is empty"),
    ],
)
def test_a_table_of_another_form_is_refused(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(MalformedError, match=message) as caught:
        _xids(tmp_path, content)
    assert "Ana" not in str(caught.value)


def test_a_folder_without_the_table_is_refused(polis: Path) -> None:
    with pytest.raises(UsageError, match=r"holds 2 files ending in \.csv, expected one, or participant-xids\.csv"):
        read_xids(polis)


def test_a_person_has_the_pseudonym_of_the_xid_and_others_one_of_their_own(polis: Path) -> None:
    people = by_xid(_pseudonym, {"1": "3", "2": "80"})
    got = people.join(read_polis(polis, people))

    assert ["p-3", "p-80", "p-polis:3", "p-polis:4"] == sorted(got.table.participants)
    assert read_polis(polis, people).table.to_ballots() == got.table.to_ballots()


@pytest.mark.parametrize("alone", [None, "votes.csv", "participants-votes.csv"])
def test_two_participants_with_one_xid_are_one_person(polis: Path, alone: str | None) -> None:
    people = by_xid(_pseudonym, {"2": "80", "3": "80", "1": "70"})
    read = read_polis(polis / alone if alone else polis, people)
    got = people.join(read)

    # On statement 0 they differ, and on statement 1 too (agree and pass): neither counts.
    assert {"p-70": {0: 1}, "p-polis:4": {0: -1}} == got.table.to_ballots()
    assert {
        "further participants with the xid of another, the same person": (0, 1),
        "equal votes of one person as several participants counted once": (0, 0),
        "votes of one person as several participants that differ": (4, 0),
    } == {item.rule: (item.votes, item.others) for item in got.cleaning[-3:]}
    assert read.cleaning == got.cleaning[:-3]


def test_equal_votes_of_one_person_count_once(polis: Path) -> None:
    people = by_xid(_pseudonym, {"1": "70", "3": "70"})
    got = people.join(read_polis(polis, people))

    assert {0: 1, 1: 0} == got.table.to_ballots()["p-70"]
    assert (("p-70",), ("p-polis:2", "p-polis:4")) == got.published_groups


def test_strata_are_joined_and_who_has_two_values_has_none(polis: Path) -> None:
    people = by_xid(_pseudonym, {"1": "70", "3": "70", "2": "80", "4": "80"})
    read = read_polis(polis, people)
    districts = {"p-70": "North", "p-polis:3": "South", "p-80": "North", "p-polis:4": "North"}
    got = people.join(replace(read, strata={"district": districts, "age": {"p-polis:3": "old"}}))

    assert {"district": {"p-80": "North"}, "age": {"p-70": "old"}} == got.strata


def test_who_is_in_two_published_groups_is_in_none(polis: Path) -> None:
    people = by_xid(_pseudonym, {"1": "70", "2": "70"})

    assert (("p-polis:3",), ("p-polis:4",)) == people.join(read_polis(polis, people)).published_groups


def test_the_same_person_has_the_same_pseudonym_in_votes_on_proposals(polis: Path, tmp_path: Path) -> None:
    name = pseudonyms(bytes(32), "town")
    (tmp_path / "votes.json").write_text(json.dumps(page(vote(1, 80, 66, 3))))
    people = by_xid(name, {"2": "80"})

    assert set(read_vote_proposals(tmp_path / "votes.json", name).table.participants) <= set(
        read_polis(polis, people).table.participants
    )


_some = st.dictionaries(st.sampled_from("1234"), st.sampled_from(["7", "8", "9"]))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(_some)
def test_the_order_of_xids_changes_nothing_and_nobody_is_lost(polis: Path, xids: dict[str, str]) -> None:
    people, mirrored = by_xid(_pseudonym, xids), by_xid(_pseudonym, dict(reversed(xids.items())))
    got = people.join(read_polis(polis, people))
    expected = {f"p-{xids.get(each, f'polis:{each}')}" for each in "1234"}

    assert got.table.to_ballots() == mirrored.join(read_polis(polis, mirrored)).table.to_ballots()
    assert set(got.table.participants) <= expected
    assert 6 == got.table.n_votes + sum(item.votes for item in got.cleaning[-2:])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_only_our_errors_escape(tmp_path: Path, data: st.DataObject) -> None:
    spoilt = bytearray(b'participant,xid\n1,"70"\n2,80\n')
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(spoilt)))
        pieces: Any = [b'"', b",", b"\n", b"\r", b"\0", b"\xff", b"xid", b"9" * 30, b"polis:", b"\xef\xbb\xbf"]
        spoilt[at : at + data.draw(st.integers(0, 6))] = data.draw(st.sampled_from(pieces))
    (tmp_path / "x.csv").write_bytes(spoilt)

    with contextlib.suppress(AuzolanError):
        assert read_xids(tmp_path / "x.csv")
