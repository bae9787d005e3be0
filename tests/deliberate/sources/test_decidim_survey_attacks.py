"""Responses that somebody made to do harm, or that a spreadsheet spoilt; the same table whatever the order; fuzzing."""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auzolan.core.record.errors import AuzolanError, MalformedError, UsageError
from auzolan.deliberate.pseudonyms import pseudonyms
from auzolan.deliberate.sources.decidim_survey import read_decidim_survey
from tests.deliberate.sources.test_decidim_survey import (
    LIST,
    QUESTION,
    TWO,
    chosen,
    cleaned,
    flat,
    read,
    response,
)

RECIPE = Path(__file__).parents[3] / "recipes" / "decidim_responses.py"
TEXTS = {1: "More trees", 2: "Fewer cars; more buses/[9] trams", 3: "Wood, and/or stone", 4: "Plain “words”"}
_SETTINGS = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def _json(change: Callable[[list[Any]], object]) -> str:
    data = json.loads(json.dumps(TWO))
    changed = change(data)
    return json.dumps(data if changed is None else changed)


def _with(row: int, **changes: Any) -> str:
    def change(data: list[Any]) -> None:
        data[row].update(changes)

    return _json(change)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("s.json", _with(0, ID="ana@example.org"), "expected as ID of the respondent no e-mail address"),
        ("s.json", _with(0, ID="3.80705E+23"), "no shortened number: a spreadsheet gave different people one ID"),
        ("s.json", _with(0, ID="3,80704513271151E+023"), "no shortened number"),
        ("s.json", _with(0, ID="11\n22"), "one line of plain characters"),
        ("s.json", _with(0, ID="1\ud800"), "one line of plain characters"),
        ("s.json", _with(0, ID="1" * 1001), "1 to 1,000 characters, got 1,001"),
        ("s.json", _with(0, ID=3.8e23), "expected a text in a cell"),
        ("s.json", _with(0, ID=["1"]), "expected a text in a cell"),
        (
            "s.json",
            _with(1, **{QUESTION: {"[1] More trees": [None, None, None, "=1+1"]}}),
            "got another of 4 characters",
        ),
        (
            "s.json",
            _with(1, **{QUESTION: {"[1] More trees": [None, None, None, "x" * 10**7]}}),
            "got another of 10,000,000 characters",
        ),
        ("s.json", _with(1, **{QUESTION: {"[7] More trees": chosen(0)}}), r"response 2: the row \[7\]"),
        ("s.json", '[{"ID": "1", "1. Q": {"[1] a": NaN}}]', "NaN is no JSON number"),
        ("s.json", '[{"ID": "1", "1. Q": {"[1] a": ["Agree"], "[1] a": ["Pass"]}}]', "a key is there twice"),
        ("s.json", '[{"ID": ' + "1" * 5000 + "}]", "a number is too long"),
        ("s.json", "[" * 10**5, "nested too deep"),
        ("s.json", '{"survey": 1, "rows": []}', "expected a list, got an object"),
        ("s.json", "[1]", "response 1: expected an object, got a number"),
        ("s.json", "[null]", "response 1: expected an object, got null"),
        ("s.json", "[{}]", "response 1: the first key is a question|response 1: there is no ID"),
        ("s.json", '[{"1. Q": {"[1] a": ["Agree"]}, "ID": "1"}]', "the first key is a question"),
        (
            "s.json",
            '[{"ID": "1", "1. Q": ""}, {"On": "1", "ID": "2"}]',
            "its first key is another than in the response",
        ),
        ("s.json", "[", "line 1, column 2: not JSON"),
        ("s.json", b"\xff", "not UTF-8"),
        ("s.json", "[]", "no row of a matrix question begins with the number of a statement"),
        ("s.json", _json(lambda data: data[0][QUESTION].clear() or data[1][QUESTION].clear()), "no row of a matrix"),
        ("s.csv", "1. Q/[1] a;ID\nAgree;x\n", "the first column is a question"),
        ("s.csv", flat(TWO) + "333;" + "x" * 2**21 + "\n", "the line is longer than"),
        ("s.csv", flat(TWO) + '333;"x\n' * 3, "is never closed|between the end of a quoted cell"),
        ("s.csv", flat(TWO).replace("111", '"11\n22"'), "one line of plain characters"),
        ("s.csv", flat(TWO) + "333;\n", "the row has 2 cells, the header 8"),
        ("s.csv", "ID;1. Q/[1] a;1. Q/[1] a\nx;Agree;Agree\n", "the column is there twice"),
        ("s.csv", flat(TWO).replace("Agree, , ", "=HYPERLINK(0)"), "got another of 13 characters"),
        ("s.csv", "", "the file is empty"),
        ("s.csv", "\n", "the file is empty|the line is empty"),
    ],
)
def test_a_spoilt_export_is_refused(tmp_path: Path, name: str, content: str | bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)

    with pytest.raises(MalformedError, match=message) as caught:
        read(path, LIST)
    assert "example.org" not in str(caught.value)
    assert 1500 > len(str(caught.value))


@pytest.mark.parametrize(
    ("text", "shown", "rule"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)", "texts that a spreadsheet"),
        ("\t=1+1", "'=1+1", "texts that a spreadsheet"),
        ("a" * 20_001, "", "texts that cannot be"),
        ("a\x00b", "ab", ""),
    ],
)
def test_a_text_that_would_do_harm_is_shown_without_it_and_keeps_no_vote_from_being_read(
    tmp_path: Path, text: str, shown: str, rule: str
) -> None:
    path = tmp_path / "s.json"
    path.write_text(json.dumps([response("1", {f"[1] {text}": chosen(0)})]))

    for listed in (None, {1: text}):
        got = read(path, listed)

        assert ({"p-1": {1: 1}}, shown) == (got.table.to_ballots(), got.statements[0].text)
        assert ((0, 1) if rule else None) == cleaned(got).get(rule)
        assert not {"rows whose words are", "rows of a statement"} & cleaned(got).keys()


def test_harm_in_other_questions_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    harm = {"1. Why?": "=cmd|' /C calc'!A0" + "x" * 10**6, "3. Stars": {"a": ["[9] b"], "c": {"d": 1}}}
    path.write_text(json.dumps([{**TWO[0], **harm}, TWO[1]]))

    assert 4 == read(path, LIST).table.n_votes
    assert (0, 2) == cleaned(read(path, LIST))["other questions left out"]


def test_a_title_that_looks_like_a_row_is_told_from_rows_in_json(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    path.write_text(json.dumps([{**each, "3. Cats/[9] lives": "yes"} for each in TWO]))

    assert 4 == read(path, LIST).table.n_votes


def test_spreadsheets_and_zips_in_folders_are_refused_with_what_to_do(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "survey.xlsx", "w") as book:
        book.writestr("xl/workbook.xml", "<x/>")
    with pytest.raises(UsageError, match="is a spreadsheet; export the responses from Decidim as CSV or JSON"):
        read(tmp_path)
    (tmp_path / "survey.xlsx").rename(tmp_path / "survey.zip")
    with pytest.raises(UsageError, match=r"survey\.zip is a zip in"):
        read(tmp_path)
    (tmp_path / "survey.zip").unlink()
    with pytest.raises(UsageError, match=r"holds no file ending in \.json or \.csv"):
        read(tmp_path)


def test_a_name_that_can_be_read_in_thousands_of_ways_is_read_at_once(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text(f"ID;2. Q{'/[1] a' * 20_000};2. Q/[2] b\nx;Agree;Agree\n")

    assert {"p-x": {1: 1, 2: 1}} == read(path).table.to_ballots()


def test_words_that_are_no_words_are_refused(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text(json.dumps(TWO))

    with pytest.raises(UsageError, match="a word stands for agree"):
        read(tmp_path / "s.json", LIST, words={"agree": 2})


_answers = st.dictionaries(st.sampled_from([1, 2, 12]), st.sampled_from([(), (0,), (1,), (2,), (0, 1)]), min_size=1)
_responses = st.lists(
    st.tuples(
        st.sampled_from(["1", "2", "3"]), _answers, st.sampled_from(["", "2026-10-01 10:00:00", "2026-10-02 1:1"])
    ),
    min_size=1,
    max_size=6,
)


@_SETTINGS
@given(_responses, st.randoms(use_true_random=False))
def test_the_order_of_files_responses_and_keys_changes_nothing(
    tmp_path: Path, drawn: list[Any], chance: random.Random
) -> None:
    rows = [response(who, {f"[{key}] {LIST[key]}": chosen(*at) for key, at in of.items()}, on) for who, of, on in drawn]
    votes = []
    for _ in range(2):
        mixed = [_shuffled(row, chance) for row in chance.sample(rows, len(rows))]
        cut = chance.randrange(len(mixed) + 1)
        for name, part in zip(chance.sample(["a", "b"], 2), (mixed[:cut], mixed[cut:]), strict=True):
            as_csv = bool(part) and chance.random() < 0.5
            for ending in ("json", "csv"):
                (tmp_path / f"{name}.{ending}").unlink(missing_ok=True)
            place = tmp_path / f"{name}.{'csv' if as_csv else 'json'}"
            place.write_text(flat(part) if as_csv else json.dumps(part))
        try:
            votes.append(read(tmp_path, LIST).table.to_ballots())
        except MalformedError as error:  # not a single vote
            votes.append({str(error)[-5:]: {}})

    assert votes[0] == votes[1]


def _shuffled(row: Any, chance: random.Random) -> dict[str, Any]:
    questions = {name: value for name, value in row.items() if name[0].isdigit()}
    matrix = questions[QUESTION]
    questions[QUESTION] = {key: matrix[key] for key in chance.sample(list(matrix), len(matrix))}
    about = {name: value for name, value in row.items() if name not in questions}
    return about | {name: questions[name] for name in chance.sample(list(questions), len(questions))}


@_SETTINGS
@given(st.data())
def test_only_our_errors_escape(tmp_path: Path, data: st.DataObject) -> None:
    ending, content = data.draw(st.sampled_from([("json", json.dumps(TWO).encode()), ("csv", flat(TWO).encode())]))
    spoilt = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(spoilt)))
        piece = data.draw(
            st.sampled_from(
                [b'"', b";", b"\n", b"\r", b"\0", b"{", b"]", b"/[1] ", b"1. ", b"\xff", b"\\ud800", b", ", b"9"]
            )
        )
        spoilt[at : at + data.draw(st.integers(0, 6))] = piece
    path = tmp_path / f"s.{ending}"
    path.write_bytes(spoilt)

    listed = data.draw(st.sampled_from([LIST, None]))
    with contextlib.suppress(AuzolanError):
        assert read_decidim_survey(path, pseudonyms(bytes(32), "x"), listed).table.n_votes


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Synthetic responses to a kit of two surveys, one of them with shared IDs."""
    folder = tmp_path_factory.mktemp("kit")
    for number, ids in ((1, (1, 2, 3)), (2, (2, 3, 4))):
        rows = [
            {"statement": key, "text": {"en": f"[{key}] {TEXTS[key]}", "ca": f"[{key}] ca {TEXTS[key]}"}} for key in ids
        ]
        words = (("Agree", "D'acord"), ("Disagree", "En desacord"), ("Pass", "Abstenció"))
        options = [
            {"vote": vote, "text": {"en": en, "ca": ca}} for vote, (en, ca) in zip((1, -1, 0), words, strict=True)
        ]
        kit = {"survey": number, "question": {"en": "Q, [y]; z", "ca": "Q/[7] x?"}, "options": options, "rows": rows}
        (folder / f"survey-{number}.json").write_text(json.dumps(kit))
    for out, more in (("new", ["--lang", "ca"]), ("old", ["--shared-ids"])):
        command = [sys.executable, RECIPE, folder, folder / out, "--people", "200", *more]
        subprocess.run(list(map(str, command)), check=True, timeout=60)
    return folder


def test_the_synthetic_responses_are_read_from_json_and_csv_alike(made: Path) -> None:
    for number in (1, 2):
        left, right = (read(made / "new" / f"responses-{number}.{ending}") for ending in ("json", "csv"))

        assert left.table.to_ballots() == right.table.to_ballots()
        assert left.statements == right.statements
        assert cleaned(left) == cleaned(right)
        assert {f"ca {text}" for text in TEXTS.values()} >= {each.text for each in left.statements}
        assert (0, 1) == cleaned(left)["other questions left out"]
        assert "agree: d'acord; disagree: en desacord; pass: abstenció" in left.sign_evidence


def test_who_is_in_two_surveys_is_one_person_only_where_ids_are_shared(made: Path) -> None:
    new, old = (read(made / name, dict.fromkeys(range(1, 5), "")) for name in ("new", "old"))
    ones = sum(len(read(made / "new" / f"responses-{number}.csv").table.participants) for number in (1, 2))

    assert ones == len(new.table.participants) > len(old.table.participants)
    assert (1, 2, 3, 4) == new.table.statements
    assert new.rows_read > new.table.n_votes
