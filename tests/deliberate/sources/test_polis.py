"""Polis conversations in every layout, and everything that is refused in them."""

from __future__ import annotations

import csv
import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auzolan.core.record.errors import AuzolanError, MalformedError, UsageError, VerificationError
from auzolan.deliberate.conversation import Cleaning, Conversation
from auzolan.deliberate.sources.polis import read_polis
from tests.shared_data import copied_folder, copied_json, shared_folder

LONDON = "polis/london.youth.policing"
EXPORTS_WITH_BOTH = [
    "15-per-hour-seattle", "austria-climate.5twd2jsnkf.2022-08-08", "bg2050-volunteers", "brexit-consensus",
    "canadian-electoral-reform", "football-concussions", "london.youth.policing", "scoop-hivemind.affordable-housing",
    "scoop-hivemind.freshwater", "scoop-hivemind.taxes", "scoop-hivemind.ubi",
    "ssis.land-bank-farmland.2rumnecbeh.2021-08-01", "vtaiwan.uberx",
]  # fmt: skip
EXPORTS_WITH_ONE = ["austria-climate.2vkxcncppn.2022-07-07", "austria-climate.7z7ejpbmv5.2022-08-08"]
MATH = ["mathblob-150ptpt-3gp-no-strict-no-meta", "mathblob-25ptpt-3gp-no-strict-with-meta", "mathblob-below-100-ptpts"]

VOTES = "timestamp,datetime,comment-id,voter-id,vote\n"
MATRIX = "participant,xid,group-id,n-comments,n-votes,n-agree,n-disagree,0,2\n"
COMMENTS = "timestamp,datetime,comment-id,author-id,agrees,disagrees,moderated,comment-body\n"
Folder = Callable[..., Path]


def _pseudonym(raw: str) -> str:
    return f"p-{raw}"


def _read(path: Path, **options: Any) -> Conversation:
    return read_polis(path, _pseudonym, **options)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Makes a folder of files by their names without ending."""

    def make(**files: str | bytes) -> Path:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            (tmp_path / name.replace("_json", ".json").replace("_csv", ".csv").replace("_", "-")).write_bytes(data)
        return tmp_path

    return make


def _others(conversation: Conversation) -> dict[str, tuple[int, int]]:
    return {item.rule: (item.votes, item.others) for item in conversation.cleaning}


def _matrix_of(path: Path) -> dict[str, dict[int, int]]:
    """Read participants-votes.csv in the plainest way, as a second opinion."""
    with (path / "participants-votes.csv").open(newline="", encoding="utf-8") as stream:
        return {
            _pseudonym(row["participant"]): {int(key): int(row[key]) for key in row if key.isdigit() and row[key]}
            for row in csv.DictReader(stream)
        }


def _without(path: Path, there: Path, *names: str) -> Path:
    shutil.copytree(path, there)
    for name in names:
        (there / name).unlink()
    return there


# What is in the data


def test_an_export_is_read() -> None:
    got = _read(copied_folder(LONDON))
    oracle = copied_json(f"{LONDON}/oracle.json")

    assert ("polis", 1, 640) == (got.tool, got.agree_sign, got.rows_read)
    assert "votes.csv, participants-votes.csv, comments.csv, summary.csv" == got.layout
    assert "What is the best way to engage more young people in local scrutiny of policing?" == got.topic
    assert "https://pol.is/9xxwa9jpkm" == got.url
    assert (oracle["participants"], oracle["votes"]) == (len(got.table.participants), got.table.n_votes)
    assert (oracle["moderated_out"], 39) == (len(got.moderated_out), len(got.statements))
    assert list(oracle["published_groups"].values()) == [len(members) for members in got.published_groups]
    assert "+1 = agree: so counted, the votes equal n-agree and n-disagree" in got.sign_evidence


def test_every_cleaning_rule_is_named_even_where_it_changed_nothing() -> None:
    expected = (
        Cleaning("earlier votes replaced by later ones of the same participant", votes=2),
        Cleaning("votes cast at the same moment that differ"),
        Cleaning("participants without a single vote"),
        Cleaning("texts of statements moderated out withheld", others=3),
        Cleaning("e-mail addresses masked in texts"),
        Cleaning("long numbers masked in texts"),
    )

    assert expected == _read(copied_folder(LONDON)).cleaning


def test_votes_alone_and_table_alone_give_the_same(tmp_path: Path) -> None:
    whole = _read(copied_folder(LONDON))
    votes = _read(_without(copied_folder(LONDON), tmp_path / "a", "participants-votes.csv", "summary.csv"))
    matrix = _read(_without(copied_folder(LONDON), tmp_path / "b", "votes.csv", "comments.csv"))

    assert whole.table.to_ballots() == votes.table.to_ballots() == matrix.table.to_ballots()
    assert "agrees and disagrees in comments.csv for all 39 statements" in votes.sign_evidence
    assert () == votes.published_groups
    assert whole.published_groups == matrix.published_groups


def test_a_table_alone_with_comments_is_read() -> None:
    got = _read(copied_folder("polis/15-per-hour-seattle"))

    assert (339, 54, 2872) == (len(got.table.participants), len(got.statements), got.table.n_votes)
    assert "participants-votes.csv, comments.csv" == got.layout


def test_a_single_file_is_known_by_its_header(tmp_path: Path) -> None:
    for name in ("votes.csv", "participants-votes.csv"):
        shutil.copy(copied_folder(LONDON) / name, tmp_path / f"my {name}")
    got = [_read(tmp_path / f"my {name}") for name in ("votes.csv", "participants-votes.csv")]

    assert got[0].table.to_ballots() == got[1].table.to_ballots()
    assert "not stated by the source; taken as +1 = agree" == got[0].sign_evidence


def test_a_zip_gives_the_same_as_the_folder(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in copied_folder(LONDON).iterdir():
            archive.write(path, f"export/{path.name}")
    zipped, plain = _read(tmp_path / "a.zip"), _read(copied_folder(LONDON))

    assert plain.table.to_ballots() == zipped.table.to_ballots()
    assert (plain.statements, plain.published_groups) == (zipped.statements, zipped.published_groups)


def test_what_polis_mathematics_published_is_read() -> None:
    got = _read(copied_folder("polis/mathblob-below-100-ptpts"))

    assert ("votes.json, statements.json, math-pca2.json", 1, 504) == (got.layout, got.agree_sign, got.rows_read)
    assert [11, 3, 9] == [len(members) for members in got.published_groups]
    assert {11, 33} == got.moderated_out
    assert "A and D of group-votes in math-pca2.json for all 132 groups and statements" in got.sign_evidence


@pytest.mark.parametrize("name", EXPORTS_WITH_BOTH)
def test_the_last_votes_are_the_published_table(name: str) -> None:
    path = shared_folder(f"polis/{name}")

    assert _matrix_of(path) == _read(path).table.to_ballots()


@pytest.mark.parametrize("name", EXPORTS_WITH_ONE)
def test_exports_without_votes_csv_are_read(name: str) -> None:
    path = shared_folder(f"polis/{name}")

    assert _matrix_of(path) == _read(path).table.to_ballots()


@pytest.mark.parametrize("name", EXPORTS_WITH_BOTH + EXPORTS_WITH_ONE)
def test_published_groups_have_their_published_sizes(name: str) -> None:
    path = shared_folder(f"polis/{name}")
    oracle = json.loads((path / "oracle.json").read_text())
    got = _read(path)

    assert list(oracle["published_groups"].values()) == [len(members) for members in got.published_groups]
    assert oracle["published_ungrouped"] == len(got.table.participants) - sum(map(len, got.published_groups))


@pytest.mark.parametrize("name", MATH)
def test_what_polis_leaves_out_is_what_was_moderated_out_or_is_meta(name: str) -> None:
    path = shared_folder(f"polis/{name}")
    blob = json.loads((path / "math-pca2.json").read_text())
    got = _read(path)

    assert set(blob["mod-out"]) == got.left_out_of_statistics
    assert len(blob["tids"]) == len(got.statements)
    assert [group["n-members"] for group in blob["group-votes"].values()] == [len(g) for g in got.published_groups]


# The sign of agree


def _flipped(path: Path, there: Path, *names: str) -> Path:
    shutil.copytree(path, there)
    for name in names:
        rows = list(csv.reader(io.StringIO((there / name).read_text(), newline="")))
        columns = [i for i, column in enumerate(rows[0]) if column == "vote" or column.isdigit()]
        for row in rows[1:]:
            for column in columns:
                row[column] = {"1": "-1", "-1": "1"}.get(row[column], row[column])
        with (there / name).open("w", newline="") as stream:
            csv.writer(stream).writerows(rows)
    return there


@pytest.mark.parametrize("names", [("votes.csv", "participants-votes.csv"), ("votes.csv",)])
def test_the_opposite_sign_is_found_and_turned(tmp_path: Path, names: tuple[str, ...]) -> None:
    got = _read(_flipped(copied_folder(LONDON), tmp_path / "a", *names))

    assert -1 == got.agree_sign
    assert "agree" in got.sign_evidence
    assert _read(copied_folder(LONDON)).table.to_ballots() == got.table.to_ballots()


def test_the_opposite_sign_is_found_from_the_comments(tmp_path: Path) -> None:
    path = _flipped(copied_folder(LONDON), tmp_path / "a", "votes.csv")
    (path / "participants-votes.csv").unlink()
    got = _read(path)

    assert got.sign_evidence.startswith("-1 = agree: so counted, the votes equal agrees and disagrees in comments.csv")
    assert _read(copied_folder(LONDON)).table.to_ballots() == got.table.to_ballots()


def test_the_opposite_sign_is_found_in_what_polis_mathematics_published(tmp_path: Path) -> None:
    path = tmp_path / "a"
    shutil.copytree(copied_folder("polis/mathblob-below-100-ptpts"), path)
    votes = json.loads((path / "votes.json").read_text())
    (path / "votes.json").write_text(json.dumps([{**vote, "vote": -vote["vote"]} for vote in votes]))
    got = _read(path)

    assert -1 == got.agree_sign
    assert _read(copied_folder("polis/mathblob-below-100-ptpts")).table.to_ballots() == got.table.to_ballots()


def test_the_sign_can_be_told(folder: Folder) -> None:
    path = folder(votes_csv=VOTES + "1,x,0,7,-1\n")
    got = _read(path, agree=-1)

    assert {"p-7": {0: 1}} == got.table.to_ballots()
    assert "stated by whoever imported it: -1 = agree" == got.sign_evidence
    with pytest.raises(UsageError, match="agree is written"):
        _read(path, agree=0)


def test_where_both_signs_fit_plus_is_taken_and_that_is_said(folder: Folder) -> None:
    got = _read(folder(participants_votes_csv=MATRIX + "5,,,0,2,1,1,1,-1\n"))

    assert (1, "not stated by the source; taken as +1 = agree") == (got.agree_sign, got.sign_evidence)


def test_where_no_sign_fits_it_is_refused_with_what_was_counted(folder: Folder) -> None:
    with pytest.raises(MalformedError, match=r"of 2 participants, the votes equal n-agree and n-disagree in .* for 1 "):
        _read(folder(participants_votes_csv=MATRIX + "5,,,0,2,2,0,1,1\n6,,,0,2,0,2,1,1\n"))


# Cleaning


def test_the_latest_vote_counts_and_the_rest_is_reported(folder: Folder) -> None:
    rows = "3,x,0,1,1\n5,x,0,1,-1\n4,x,0,1,0\n1,x,2,1,1\n1,x,2,1,-1\n"
    got = _read(folder(votes_csv=VOTES + rows))

    assert {"p-1": {0: -1}} == got.table.to_ballots()
    assert (2, 0) == _others(got)["earlier votes replaced by later ones of the same participant"]
    assert (2, 0) == _others(got)["votes cast at the same moment that differ"]
    assert 5 == got.rows_read


def test_votes_of_one_moment_that_differ_do_not_contradict_the_table(folder: Folder) -> None:
    votes = VOTES + "1,x,0,1,1\n1,x,0,1,-1\n1,x,2,1,1\n"
    got = _read(folder(votes_csv=votes, participants_votes_csv=MATRIX + "1,,,0,2,1,1,-1,1\n"))

    assert {"p-1": {2: 1}} == got.table.to_ballots()


def test_a_participant_without_votes_is_reported(folder: Folder) -> None:
    got = _read(folder(participants_votes_csv=MATRIX + "5,,0,0,2,2,0,1,1\n6,,0,0,0,0,0,,\n"))

    assert ["p-5"] == list(got.table.participants)
    assert (("p-5",),) == got.published_groups
    assert (0, 1) == _others(got)["participants without a single vote"]


def test_statements_without_votes_or_without_texts_are_kept(folder: Folder) -> None:
    comments = "comment-id,comment-body\n4,nobody voted\n"
    got = _read(folder(votes_csv=VOTES + "1,x,0,1,1\n", comments_csv=comments))

    assert [(0, ""), (4, "nobody voted")] == [(statement.id, statement.text) for statement in got.statements]
    assert ["open", "open"] == [statement.moderation for statement in got.statements]
    assert (0, 4) == got.table.statements


def test_texts_are_masked_and_those_moderated_out_are_withheld(folder: Folder) -> None:
    comments = (
        "comment-id,moderated,is-meta,is-seed,comment-body\n"
        "0,-1,false,false,=Ana is a thief\n"
        '1,1,true,false,"Ask ana.b@example.org\nor call +34 943-12 34 56"\n'
        "2,0,false,true,Between 2019-2020 and 2013 107 houses\n"
    )
    got = _read(folder(votes_csv=VOTES + "1,x,0,1,1\n", comments_csv=comments))
    texts = ["", "Ask [e-mail]\nor call [number]", "Between 2019-2020 and 2013 107 houses"]

    assert texts == [statement.text for statement in got.statements]
    assert ["out", "in", "open"] == [statement.moderation for statement in got.statements]
    assert [False, True, False] == [statement.is_meta for statement in got.statements]
    assert [False, False, True] == [statement.is_seed for statement in got.statements]
    assert [(0, 1)] * 3 == list(_others(got).values())[3:]


def test_names_and_numbers_of_participants_go_no_further(folder: Folder) -> None:
    matrix = MATRIX + "943123,ana@example.org,0,0,2,2,0,1,1\n"
    got = read_polis(folder(participants_votes_csv=matrix), lambda raw: f"p{len(raw)}")
    everything = repr(got) + repr(list(got.table.participants))

    assert "ana@" not in everything
    assert "943123" not in everything


def test_each_participant_is_made_a_pseudonym_once() -> None:
    asked: list[str] = []

    def pseudonym(raw: str) -> str:
        asked.append(raw)
        return raw

    read_polis(copied_folder(LONDON), pseudonym)

    assert sorted(set(asked)) == sorted(asked)


def test_progress_is_shown(tmp_path: Path) -> None:
    rows = "".join(f"1,x,{number % 300},{number},1\n" for number in range(100_000))
    (tmp_path / "votes.csv").write_text(VOTES + rows)
    seen: list[tuple[str, int]] = []
    _read(tmp_path, progress=lambda member, number: seen.append((member, number)))

    assert [("votes.csv", 100_000)] == seen


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 5), st.integers(0, 5), st.sampled_from([-1, 0, 1])), min_size=1
    ),
    st.randoms(use_true_random=False),
)
def test_any_order_of_rows_gives_the_same_bytes(tmp_path: Path, votes: list[tuple[int, ...]], random: Any) -> None:
    results = []
    for _ in range(2):
        rows = "".join(f"{at},x,{about},{who},{vote}\n" for at, about, who, vote in votes)
        (tmp_path / "votes.csv").write_text(VOTES + rows)
        got = _read(tmp_path)
        packed = got.table.packed.tobytes(), got.table.starts.tobytes(), list(got.table.participants)
        results.append((packed, got.cleaning, got.statements))
        random.shuffle(votes)

    assert results[0] == results[1]


# What is refused


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("1,x,0,1,2\n", "votes.csv, line 2, column 5 (vote): expected a vote, 1, 0 or -1, got “2”"),
        ("1,x,0,1,\n", "votes.csv, line 2, column 5 (vote): expected a vote, 1, 0 or -1, got nothing"),
        ("1,x,0,1,1\n1,x,a,1,1\n", "votes.csv, line 3, column 3 (comment-id): expected a whole number from 0 to 9,"),
        ("1,x,0,-4,1\n", "votes.csv, line 2, column 4 (voter-id): expected a whole number from 0 to 9,007,199,254,"),
        ("1,x,9007199254740993,1,1\n", "votes.csv, line 2, column 3 (comment-id): expected a whole number"),
        ("1,x,0,=1+1,1\n", "votes.csv, line 2, column 4 (voter-id): expected a whole number"),
        ("1.5,x,0,1,1\n", "votes.csv, line 2, column 1 (timestamp): expected a whole number"),
        ("٣" * 13 + ",x,0,1,1\n", "votes.csv, line 2, column 1 (timestamp): expected a whole number"),
        ("1,x,0,1\n", "votes.csv, line 2, column 5: the row has 4 cells, the header 5"),
        ("", "there is not a single vote"),
    ],
)
def test_bad_votes_are_refused(folder: Folder, rows: str, message: str) -> None:
    with pytest.raises(MalformedError) as caught:
        _read(folder(votes_csv=VOTES + rows))

    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (
            MATRIX + "5,,,0,2,2,0,1,1\n5,,,0,2,2,0,1,1\n",
            "line 3, column 1 (participant): this participant is there twice",
        ),
        (MATRIX + "5,,,0,2,2,0,1,3\n", "line 2, column 9 (2): expected a vote, 1, 0 or -1, got “3”"),
        (MATRIX + "5,,x,0,2,2,0,1,1\n", "line 2, column 3 (group-id): expected a whole number"),
        (MATRIX + "Ana,,,0,2,2,0,1,1\n", "line 2, column 1 (participant): expected a whole number"),
        ("participant,group-id,0,01\n5,,1,1\n", "line 1, column 4 (01): expected the id of a statement"),
        ("participant,0,-1\n5,1,1\n", "line 1, column 3 (-1): expected the id of a statement"),
        ("participant,group-id\n5,\n", "line 1: no column is the id of a statement"),
        ("participant,0,0\n5,1,1\n", "line 1, column 3 (0): the column is there twice, first as column 2"),
        ("who,0\n5,1\n", "line 1: the column “participant” is missing"),
    ],
)
def test_bad_tables_are_refused(folder: Folder, matrix: str, message: str) -> None:
    with pytest.raises(MalformedError) as caught:
        _read(folder(participants_votes_csv=matrix))

    assert f"participants-votes.csv, {message}" in str(caught.value)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("1,x,0,1,1,0,1,a\n1,x,0,1,1,0,1,b\n", "line 3, column 3 (comment-id): this statement is there twice"),
        ("1,x,0,1,1,0,2,a\n", "line 2, column 7 (moderated): expected a whole number from -1 to 1, got “2”"),
        ("1,x,0,1,1,0,1,=cmd()\n", "line 2, column 8 (comment-body): looks like a spreadsheet formula; moderate"),
        ("1,x,0,1,1,0,1,+SUM(1)\n", "line 2, column 8 (comment-body): looks like a spreadsheet formula"),
        ("1,x,0,1,1,0,1,@ cmd|x\n", "line 2, column 8 (comment-body): looks like a spreadsheet formula"),
        ("1,x,0,1,1,0,1,-A.b!c\n", "line 2, column 8 (comment-body): looks like a spreadsheet formula"),
        ("1,x,0,1,1,0,1,\tx\n", "line 2, column 8 (comment-body): looks like a spreadsheet formula"),
        ("1,x,0,1,1,0,1, =x\n", "line 2, column 8 (comment-body): looks like a spreadsheet formula"),
        ("1,x,0,1,1,0,1,a\x9b2J\n", "line 2, column 8 (comment-body): the text holds a control character"),
        ("1,x,0,1,1,0,1,a\x1b[2J\n", "line 2, column 8 (comment-body): the text holds a control character"),
        (f"1,x,0,1,1,0,1,{'a' * 20_001}\n", "line 2, column 8 (comment-body): the text has 20,001 characters, at most"),
    ],
)
def test_bad_comments_are_refused(folder: Folder, rows: str, message: str) -> None:
    with pytest.raises(MalformedError) as caught:
        _read(folder(votes_csv=VOTES + "1,x,0,1,1\n", comments_csv=COMMENTS + rows))

    assert str(caught.value).startswith(f"comments.csv, {message}")


@pytest.mark.parametrize("text", ["- first, we act", "+1 for trees", "@town hall", "-5 (minus five)", "+ more (a lot)"])
def test_a_text_that_only_begins_like_a_formula_is_read(folder: Folder, text: str) -> None:
    comments = f'comment-id,comment-body\n0,"{text}"\n'
    if text == "+ more (a lot)":
        with pytest.raises(MalformedError, match="formula"):
            _read(folder(votes_csv=VOTES + "1,x,0,1,1\n", comments_csv=comments))
        return
    got = _read(folder(votes_csv=VOTES + "1,x,0,1,1\n", comments_csv=comments))

    assert text == got.statements[0].text


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "votes.csv: the file is empty"),
        (
            (VOTES + "1,x,0,1,1\n").replace(",", ";").encode(),
            "votes.csv, line 1: the columns are separated by semicolons",
        ),
        (b"\xef\xbb\xbf" + VOTES.encode(), "votes.csv, line 1: the file begins with a byte-order mark"),
        (VOTES.encode() + b"1,\xff,0,1,1\n", "votes.csv, line 2: not UTF-8 (byte 3 of the line)"),
        (VOTES.encode() + b"1,\0,0,1,1\n", "votes.csv, line 2: a NUL byte (byte 3 of the line)"),
        (VOTES.replace("datetime", "vote").encode(), "votes.csv, line 1, column 5 (vote): the column is there twice"),
        (VOTES.replace("vote\n", "ballot\n").encode(), "votes.csv, line 1: the column “vote” is missing"),
    ],
)
def test_bad_files_are_refused(folder: Folder, data: bytes, message: str) -> None:
    with pytest.raises(MalformedError) as caught:
        _read(folder(votes_csv=data))

    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("summary", "message"),
    [
        ("topic,a\ntopic,b\n", "summary.csv, line 2, column 1: this name is there twice"),
        ("topic\n", "summary.csv, line 1, column 2: expected two cells in the row, got 1"),
        ("url,javascript:alert(1)\n", "summary.csv, line 1, column 2: expected an address that begins with https://"),
        ("topic,=x\n", "summary.csv, line 1, column 2: looks like a spreadsheet formula"),
    ],
)
def test_bad_summaries_are_refused(folder: Folder, summary: str, message: str) -> None:
    with pytest.raises(MalformedError) as caught:
        _read(folder(votes_csv=VOTES + "1,x,0,1,1\n", summary_csv=summary))

    assert str(caught.value).startswith(message)


def test_two_files_that_differ_are_refused_without_naming_anybody(folder: Folder) -> None:
    votes = VOTES + "1,x,0,7654,1\n1,x,2,7654,1\n1,x,0,8,-1\n"
    matrix = MATRIX + "7654,,,0,2,1,1,1,-1\n8,,,0,1,0,1,-1,\n"
    with pytest.raises(VerificationError) as caught:
        _read(folder(votes_csv=votes, participants_votes_csv=matrix))

    assert "votes.csv and participants-votes.csv differ in 1 cell, first at statement 2:" in str(caught.value)
    assert "7654" not in str(caught.value)


def test_a_vote_that_only_one_file_has_is_refused(folder: Folder) -> None:
    with pytest.raises(VerificationError, match="differ in 1 cell, first at statement 0"):
        _read(folder(votes_csv=VOTES + "1,x,2,5,1\n", participants_votes_csv=MATRIX + "5,,,0,2,2,0,1,1\n"))


def test_a_folder_without_votes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MalformedError, match=r"holds no votes: expected votes\.csv, participants-votes\.csv or"):
        _read(tmp_path)


def test_a_folder_with_votes_in_two_forms_is_refused(folder: Folder) -> None:
    with pytest.raises(MalformedError, match="holds votes as CSV and as JSON"):
        _read(folder(votes_csv=VOTES, votes_json="[]"))


@pytest.mark.parametrize(
    ("votes", "message"),
    [
        ("", "votes.json, line 1, column 1: not JSON"),
        ("{}", "votes.json: expected a list"),
        ("[1]", "votes.json, entry 1: expected an object"),
        ('[{"pid": 1, "tid": 2, "vote": 1}]', "votes.json, entry 1: the field “modified” is missing"),
        (
            '[{"pid": 1, "tid": 2, "vote": 2, "modified": 1}]',
            "votes.json, entry 1, field vote: expected a whole number",
        ),
        ('[{"pid": "x y", "tid": 2, "vote": 1, "modified": 1}]', "votes.json, entry 1, field pid: expected a whole"),
        ('[{"pid": 1, "tid": 2.5, "vote": 1, "modified": 1}]', "votes.json, entry 1, field tid: expected a whole"),
        ('[{"pid": 1, "tid": true, "vote": 1, "modified": 1}]', "votes.json, entry 1, field tid: expected a whole"),
        ('[{"pid": 1, "pid": 2}]', "votes.json: a key is there twice in one object"),
        ("[NaN]", "votes.json: NaN is no JSON number"),
        ("[" + "1" * 5000 + "]", "votes.json: a number is too long"),
        ("[" * 100_000, "votes.json: nested too deep"),
        ("\ufeff[]", "votes.json"),
        ("[]", "there is not a single vote"),
    ],
)
def test_bad_json_is_refused(folder: Folder, votes: str, message: str) -> None:
    with pytest.raises(MalformedError) as caught:
        _read(folder(votes_json=votes))

    assert message in str(caught.value)


def test_group_counts_that_fit_no_sign_are_refused(tmp_path: Path) -> None:
    shutil.copytree(copied_folder("polis/mathblob-below-100-ptpts"), tmp_path / "a")
    blob = json.loads((tmp_path / "a" / "math-pca2.json").read_text())
    for votes in list(blob["group-votes"]["0"]["votes"].values())[:8]:
        votes["A"] += 1
    (tmp_path / "a" / "math-pca2.json").write_text(json.dumps(blob))

    with pytest.raises(MalformedError, match=r"of 132 groups and statements, the votes equal A and D .* for 124 with"):
        _read(tmp_path / "a")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda blob: blob["base-clusters"]["id"].pop(), "ids for"),
        (lambda blob: blob["group-clusters"][0]["members"].append(999), "group 0: 999 is no base cluster"),
        (lambda blob: blob["group-clusters"][0]["members"].append(1), "somebody is in two groups"),
        (lambda blob: blob["group-clusters"].append({"id": 0, "members": []}), "group 0 is there twice"),
        (lambda blob: blob.update({"base-clusters": 3}), "base-clusters: expected an object"),
        (lambda blob: blob.update({"mod-out": ["x"]}), "mod-out: expected a whole number"),
    ],
)
def test_bad_groups_are_refused(tmp_path: Path, change: Callable[[Any], Any], message: str) -> None:
    shutil.copytree(copied_folder("polis/mathblob-below-100-ptpts"), tmp_path / "a")
    blob = json.loads((tmp_path / "a" / "math-pca2.json").read_text())
    change(blob)
    (tmp_path / "a" / "math-pca2.json").write_text(json.dumps(blob))

    with pytest.raises(MalformedError, match=message):
        _read(tmp_path / "a")


_MUTATED = {name: (copied_folder(LONDON) / name).read_bytes() for name in ("votes.csv", "comments.csv", "summary.csv")}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80, deadline=None)
@given(
    st.sampled_from(sorted(_MUTATED)),
    st.lists(
        st.tuples(st.integers(0, 10**6), st.integers(0, 2), st.binary(min_size=1, max_size=4)), min_size=1, max_size=3
    ),
)
def test_any_damage_to_an_export_is_read_or_refused(
    tmp_path: Path, name: str, changes: list[tuple[int, int, bytes]]
) -> None:
    for member, data in _MUTATED.items():
        mutated = bytearray(data)
        for place, cut, put in changes if member == name else ():
            start = place % len(mutated)
            mutated[start : start + cut] = put
        (tmp_path / member).write_bytes(mutated)
    try:
        _read(tmp_path)
    except AuzolanError as error:
        assert str(error)  # noqa: PT017


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["pid", "tid", "vote", "modified", "id", "members"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(
    votes=_JSON,
    statements=_JSON,
    blob=st.dictionaries(
        st.sampled_from(["group-clusters", "base-clusters", "group-votes", "mod-out", "meta-tids", "tids"]), _JSON
    ),
)
def test_any_json_is_read_or_refused(tmp_path: Path, votes: Any, statements: Any, blob: Any) -> None:
    good = [{"pid": 1, "tid": 0, "vote": 1, "modified": 3}]
    for number, content in enumerate(((votes, [], {}), (good, statements, {}), (good, [], blob))):
        place = tmp_path / str(number)
        place.mkdir(exist_ok=True)
        for name, value in zip(("votes", "statements", "math-pca2"), content, strict=True):
            (place / f"{name}.json").write_text(json.dumps(value))
        try:
            _read(place)
        except AuzolanError as error:
            assert str(error)  # noqa: PT017
