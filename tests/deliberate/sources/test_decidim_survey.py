"""Responses to matrix surveys of Decidim: layouts, words, who and when, and everything that is refused."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from auzolan.core.record.errors import MalformedError, VerificationError
from auzolan.deliberate.conversation import Conversation
from auzolan.deliberate.sources.decidim_rows import Wordings, moment, question_number, split_columns
from auzolan.deliberate.sources.decidim_survey import read_decidim_survey

QUESTION = "2. Do you agree?"
OPTIONS = ("Agree", "Disagree", "Pass")
LIST = {1: "More trees", 2: "Fewer cars", 12: "Wood and/or stone"}
Write = Callable[..., Path]
Answers = Mapping[str, Any]


def chosen(*places: int, options: Sequence[str] = OPTIONS) -> list[str | None]:
    """Return a row of a matrix as JSON has it."""
    return [option if at in places else None for at, option in enumerate(options)]


def response(
    who: object, answers: Answers | str, at: str = "2026-10-01 10:00:00", status: str = "Registered"
) -> Answers:
    """Return one response as JSON has it."""
    about = {"ID": who, "Answered on": at, "IP Hash": "739088549249345912456930", "User status": status}
    return {**about, "1. Why?": "because", QUESTION: answers}


def flat(responses: Sequence[Answers], mark: str = ";", has_spaces: bool = True) -> str:
    """Return responses as CSV has them."""
    rows: list[dict[str, str]] = []
    for each in responses:
        row: dict[str, str] = {}
        for name, value in each.items():
            if isinstance(value, dict):
                for key, cell in value.items():
                    text = ", ".join(word or "" for word in cell)
                    row[f"{name}/{key}"] = text if has_spaces else text.replace(", ", ",").strip()
            else:
                row[name] = str(value)
        rows.append(row)
    header = list(dict.fromkeys(name for row in rows for name in row))
    stream = io.StringIO()
    writer = csv.DictWriter(stream, header, restval="", delimiter=mark, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file and returns its path."""

    def write_file(content: object, name: str = "survey.json") -> Path:
        path = tmp_path / name
        data = content if isinstance(content, str | bytes) else json.dumps(content)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    return write_file


def read(path: Path, statements: Mapping[int, str] | None = None, **options: Any) -> Conversation:
    return read_decidim_survey(path, lambda raw: f"p-{raw}", statements, **options)


def cleaned(conversation: Conversation) -> dict[str, tuple[int, int]]:
    """Return the rules that did something, by their first words."""
    return {
        " ".join(item.rule.split()[:4]): (item.votes, item.others)
        for item in conversation.cleaning
        if item.votes or item.others
    }


TWO = [
    response("111", {"[1] More trees": chosen(0), "[2] Fewer cars": chosen(1), "[12] Wood and/or stone": chosen(2)}),
    response("222", {"[1] More trees": chosen(), "[2] Fewer cars": chosen(0), "[12] Wood and/or stone": chosen()}),
]
BALLOTS = {"p-111": {1: 1, 2: -1, 12: 0}, "p-222": {2: 1}}


def test_a_json_export_is_read(write: Write) -> None:
    got = read(write(TWO), LIST)

    assert BALLOTS == got.table.to_ballots()
    assert list(LIST.items()) == [(statement.id, statement.text) for statement in got.statements]
    assert ("decidim-survey", 0, 4) == (got.tool, got.agree_sign, got.rows_read)
    assert "responses to matrix surveys: survey.json" == got.layout
    assert "by the words in the source; agree: agree; disagree: disagree; pass: pass" == got.sign_evidence
    assert {"columns about the respondent": (0, 3), "other questions left out": (0, 1)} == cleaned(got)


@pytest.mark.parametrize("mark", [";", ",", "\t"])
@pytest.mark.parametrize("has_spaces", [True, False])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_a_csv_export_says_the_same(write: Write, mark: str, has_spaces: bool, start: str) -> None:
    got = read(write(start + flat(TWO, mark, has_spaces), "survey.csv"), LIST)

    assert BALLOTS == got.table.to_ballots()
    assert cleaned(read(write(TWO), LIST)) == cleaned(got)


def test_quoted_names_of_columns_do_not_hide_the_delimiter(write: Write) -> None:
    content = '"ID";"Answered on";"1. Trees, cars/[1] a"\nx;2026-10-01 10:00:00;"Agree, , "\n'

    assert {"p-x": {1: 1}} == read(write(content, "s.csv")).table.to_ballots()


def test_the_old_layout_has_the_option_alone(write: Write) -> None:
    got = read(write("ID;Answered on;1. Q/[1] a;1. Q/[2] b\nx;;Disagree;\ny;; Agree ;Pass\n", "s.csv"))

    assert {"p-x": {1: -1}, "p-y": {1: 1, 2: 0}} == got.table.to_ballots()


def test_texts_come_from_the_rows_where_there_is_no_list(write: Write) -> None:
    answers = {"[1] Write to ana@example.org": chosen(0), "[2]  Fewer cars ": chosen(0)}
    got = read(write([response("111", answers)]))

    assert [(1, "Write to [e-mail]"), (2, "Fewer cars")] == [(each.id, each.text) for each in got.statements]
    assert (0, 1) == cleaned(got)["e-mail addresses masked in"]


def test_a_folder_and_a_zip_hold_several_surveys(write: Write, tmp_path: Path) -> None:
    write([TWO[0]], "a.json")
    write(flat([TWO[1]]), "b.csv")
    write("notes", "notes.txt")
    archive = tmp_path / "both.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        for name in ("a.json", "b.csv"):
            zipped.write(tmp_path / name, name)
    got = read(archive, LIST)
    archive.unlink()

    assert BALLOTS == got.table.to_ballots() == read(tmp_path, LIST).table.to_ballots()
    assert (0, 2) == cleaned(got)["surveys that share no"]


def test_one_id_in_two_surveys_is_one_person(write: Write, tmp_path: Path) -> None:
    write([response("111", {"[1] More trees": chosen(0)})], "a.json")
    write([response("111", {"[2] Fewer cars": chosen(1)}), response("222", {"[2] Fewer cars": chosen(1)})], "b.json")
    got = read(tmp_path, LIST)

    assert {"p-111": {1: 1, 2: -1}, "p-222": {2: -1}} == got.table.to_ballots()
    assert "surveys that share no" not in cleaned(got)


@pytest.mark.parametrize("suffix", ["", " UTC", ".000Z", "+00:00", " +0000"])
def test_the_later_answer_of_one_person_counts(write: Write, suffix: str) -> None:
    early = response("111", {"[1] More trees": chosen(0)}, f"2026-10-01 10:00:00{suffix}")
    late = response("111", {"[1] More trees": chosen(1)}, f"2026-10-01 10:00:01{suffix}")

    for order in ([early, late], [late, early]):
        got = read(write(order))

        assert {"p-111": {1: -1}} == got.table.to_ballots()
        assert {"earlier votes replaced by": (1, 0), "further responses of a": (0, 1)}.items() <= cleaned(got).items()


def test_an_answer_without_a_date_is_earlier_and_two_of_them_that_differ_do_not_count(write: Write) -> None:
    dated = response("111", {"[1] a": chosen(0)})
    undated = [response("111", {"[1] a": chosen(place)}, "1/10/26 10:00") for place in (1, 2)]
    other = response("222", {"[1] a": chosen(0)})

    assert {"p-111": {1: 1}, "p-222": {1: 1}} == read(write([undated[0], dated, other])).table.to_ballots()
    got = read(write([*undated, other]))
    assert {"p-222": {1: 1}} == got.table.to_ballots()
    assert (2, 0) == cleaned(got)["votes cast at the"]
    assert (0, 2) == cleaned(got)["responses without a date"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01 00:00:01", 1000),
        ("1970-01-01T00:00:01.5Z", 1500),
        ("1970-01-01 01:00:01 +0100", 1000),
        ("1969-12-31 23:30:01 -0030", 1000),
        ("1969-12-31 23:59:59", None),
        ("2026-13-01 00:00:00", None),
        ("2026-02-30 00:00:00", None),
        ("9999-12-31 23:59:59 -99:00", None),
        ("0001-01-01 00:00:00 +23:59", None),
        ("٢٠٢٦-10-01 10:00:00", None),
        ("739088549249345912456930", None),
        ("", None),
    ],
)
def test_dates_are_read_as_decidim_writes_them(text: str, expected: int | None) -> None:
    assert expected == moment(text)


def test_more_than_one_option_is_no_vote(write: Write) -> None:
    both = [response("111", {"[1] a": chosen(0, 1), "[2] b": chosen(0)}), response("222", {"[1] a": chosen(0, 2)})]

    for path in (write(both), write(flat(both), "s.csv"), write(flat(both, has_spaces=False), "t.csv")):
        got = read(path)

        assert {"p-111": {2: 1}} == got.table.to_ballots()
        assert 3 == got.rows_read
        assert (2, 0) == cleaned(got)["rows in which more"]
        assert (0, 1) == cleaned(got)["participants without a single"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["2. Q/[1] a", "2. Q/[2] b"], ["1 a", "2 b"]),
        (["2. Q/[1] [2] x"], ["1 [2] x"]),
        (["2. A/[9] b?/[1] a", "2. A/[9] b?/[2] b"], ["1 a", "2 b"]),
        (["2. Q/[1] a/[2] b", "2. Q/[2] c"], ["1 a/[2] b", "2 c"]),
        (["2. Q/[1] a/[2] b"], ["2 b"]),
        (["2. Q/[1] either/or", "2. and/or/[2] c"], ["1 either/or", "2 c"]),
        (["2. Q [x]/ [1] a", "2. Q/[1]a", "2. Q/[1]"], ["1 a", "1 a", "1 "]),
        (["2. Q", "ID/[1] a", "2. Q/[01] a", "2. Q/[-1] a", "2. Q/[١] a", "2. Q/[99999999999999999] a"], [None] * 6),
    ],
)
def test_the_row_is_told_from_the_title(names: list[str], expected: list[str | None]) -> None:
    got = split_columns(names, None)

    assert expected == [row and f"{row.statement} {row.text}" for row in got]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("2. Q/[1] a/[2] b", "1 a/[2] b"),
        ("2. A/[1] x/[2] b", "2 b"),
        ("2. A/[9] x/[1] edited", "1 edited"),
        ("2. A/[1] x/[9] y", "1 x/[9] y"),
        ("2. A/[9] y", "9 y"),
    ],
)
def test_the_list_tells_the_row_from_the_title(name: str, expected: str) -> None:
    (row,) = split_columns([name], Wordings({1: "a/[2]  b", 2: "b"}))

    assert expected == f"{row.statement} {row.text}" if row else None


@pytest.mark.parametrize(
    ("name", "expected"), [("1. Q", 1), ("12.", 12), ("1.5 Q", None), ("0. Q", None), ("Q 1. x", None), ("ID", None)]
)
def test_questions_are_told_by_their_number(name: str, expected: int | None) -> None:
    assert expected == question_number(name)


def test_a_row_that_is_not_on_the_list_is_named(write: Write) -> None:
    for path in (write(TWO), write(flat(TWO), "s.csv")):
        with pytest.raises(MalformedError, match=r"the row \[12\] of question 2 is not on the list of statements"):
            read(path, {1: "More trees", 2: "Fewer cars"})


def test_an_edited_row_and_a_missing_one_are_counted(write: Write) -> None:
    got = read(write(TWO), {1: "More  trees", 2: "Fewer loud cars", 12: "Wood and/or stone", 13: "New", 14: "Newer"})

    assert BALLOTS == got.table.to_ballots()
    assert ["More trees", "Fewer loud cars", "Wood and/or stone", "New", "Newer"] == [
        " ".join(each.text.split()) for each in got.statements
    ]
    assert {"rows whose words are": (0, 1), "statements of the list": (0, 2)}.items() <= cleaned(got).items()


def test_headers_of_the_first_respondent_only_leave_statements_out(write: Write) -> None:
    content = "ID;On;1. Q/[1] a;2. P\nx;;Agree, , ;\ny;;Agree, , ;\n"
    got = read(write(content, "s.csv"), {1: "a", 2: "b"})

    assert (0, 1) == cleaned(got)["statements of the list"]
    assert (0, 1) == cleaned(got)["other questions left out"]


def test_responses_without_an_id_are_left_out(write: Write) -> None:
    got = read(write([*TWO, response(None, {"[1] More trees": chosen(1)})]), LIST)

    assert BALLOTS == got.table.to_ballots()
    assert 5 == got.rows_read
    assert (1, 1) == cleaned(got)["responses without an ID"]


def test_a_survey_with_people_not_signed_in_is_counted(write: Write) -> None:
    got = read(write([*TWO, response("333", {"[1] More trees": chosen(1)}, status="Sense registrar")]), LIST)

    assert (0, 1) == cleaned(got)["surveys with responses of"]


def test_words_of_several_languages_stand_in_one_file(write: Write) -> None:
    catalan = ("D'acord", "En desacord", "No ho sé")
    got = read(write([response("111", {"[1] a": chosen(0)}), response("222", {"[1] a": chosen(1, options=catalan)})]))

    assert {"p-111": {1: 1}, "p-222": {1: -1}} == got.table.to_ballots()


def test_words_that_are_given_count(write: Write) -> None:
    options = ("Òc", "Non, jamai", "Bof")
    rows = [response("111", {f"[{at}] a": chosen(at, options=options) for at in range(3)})]
    words = {"òc": 1, "non, jamai": -1, "bof": 0}

    for path in (write(rows), write(flat(rows), "s.csv")):
        assert {"p-111": {0: 1, 1: -1, 2: 0}} == read(path, words=words).table.to_ballots()


def test_an_unknown_word_is_read_by_its_place_where_that_is_certain(write: Write) -> None:
    occitan = ("Òc", "Non pas", "Bof")
    rows = [response(str(who), {f"[{at}] a": chosen(at) for at in range(3)}) for who in range(3)]
    rows.append(response("9", {f"[{at}] a": chosen(at, options=occitan) for at in range(3)}))

    for path in (write(rows), write(flat(rows), "s.csv")):
        got = read(path)

        assert {0: 1, 1: -1, 2: 0} == got.table.to_ballots()["p-9"]
        assert (0, 3) == cleaned(got)["answers in unknown words"]
        assert got.sign_evidence.endswith("; 3 answers in other words by the place of their option")
        assert "bof" not in got.sign_evidence


@pytest.mark.parametrize(
    ("known", "unknown"),
    [
        ([chosen(0)], [["Who", None, None], ["What", None, None]]),  # more unknown ones than known
        ([chosen(0), chosen(2, options=("a", "b", "Yes"))], [["Who", None, None]]),  # two places that agree
        ([chosen(0)], [[None, "Who", None]]),  # a place of which nothing is known
        (["Agree", "Agree"], [["Who", None, None]]),  # the old layout has no places
    ],
)
def test_an_unknown_word_whose_place_is_not_certain_is_refused(
    write: Write, known: list[Any], unknown: list[Any]
) -> None:
    rows = [response(str(at), {"[1] a": cell}) for at, cell in enumerate([*known, *unknown])]

    with pytest.raises(MalformedError, match=rf"response {len(known) + 1}, row \[1\]: expected a word for agree"):
        read(write(rows))


def test_two_options_in_unknown_words_are_not_read_by_the_place_of_the_first(write: Write) -> None:
    rows = [response(str(who), {"[1] a": chosen(0)}) for who in range(3)]
    rows.append(response("9", {"[1] a": ["Òc", "Non pas", None]}))

    assert (1, 0) == cleaned(read(write(rows)))["rows in which more"]
    with pytest.raises(MalformedError, match="got another of 11 characters"):
        read(write(flat(rows), "s.csv"))


def test_an_option_with_a_comma_in_its_text_is_not_two_options(write: Write) -> None:
    options = ("Yes, agree", "No, against", "Pass")
    rows = [response("1", {"[1] a": chosen(0, options=options), "[2] b": chosen(1, options=options)})]

    for path in (write(rows), write(flat(rows), "s.csv")):
        with pytest.raises(MalformedError, match=r"row \[1\]: .* got another of 10 characters"):
            read(path)
        assert {"p-1": {1: 1, 2: -1}} == read(path, words={"yes, agree": 1, "no, against": -1}).table.to_ballots()


def test_an_unknown_word_is_shown_only_when_several_people_used_it(write: Write) -> None:
    def with_people(n: int) -> Path:
        return write([response(str(who), {"[1] a": ["Aitor Etxea", None, None]}) for who in range(n)])

    with pytest.raises(MalformedError) as few:
        read(with_people(4))
    with pytest.raises(MalformedError) as many:
        read(with_people(5))

    assert "aitor" not in str(few.value)
    assert "got another of 11 characters. Say which words mean what (--agree, --disagree, --pass)" in str(few.value)
    assert "Words that are not known and that 5 people or more used: “aitor etxea”." in str(many.value)


def test_an_option_that_means_two_things_is_refused(write: Write) -> None:
    rows = [response("1", {"[1] a": ["Agree", None]}), response("2", {"[1] a": ["No", None]})]

    with pytest.raises(VerificationError, match="question 2: answers with the option number 1 mean agree and disagree"):
        read(write(rows))


def test_numbers_tell_the_sign_and_the_guard_against_formulas_is_taken_off(write: Write) -> None:
    got = read(write("ID;On;1. Q/[1] a;1. Q/[2] b\nx;;'+1, , ;, '-1, \ny;;\"'-1\";0\n", "s.csv"))

    assert {"p-x": {1: 1, 2: -1}, "p-y": {1: -1, 2: 0}} == got.table.to_ballots()
    assert 1 == got.agree_sign


def test_a_person_who_is_nobody_here_is_never_named(write: Write) -> None:
    path = write([response("111", {"[1] a": chosen(0)}), response("222", {"[1] a": [{"x": "Ana"}]})])

    with pytest.raises(MalformedError) as caught:
        read(path)
    assert "survey.json, response 2, row [1]: expected a text in a cell, got something else" == str(caught.value)
