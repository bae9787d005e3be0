"""Surveys: words in several languages, what each column is, and everything that is refused."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auzolan.core.record.errors import AuzolanError, MalformedError, UsageError
from auzolan.deliberate.conversation import Cleaning, Conversation
from auzolan.deliberate.sources.survey import read_survey
from auzolan.deliberate.sources.survey_words import default_words, fold, is_personal

Survey = Callable[..., Conversation]


@pytest.fixture
def survey(tmp_path: Path) -> Survey:
    """Writes a survey and reads it."""

    def read(content: str | bytes, **options: Any) -> Conversation:
        path = tmp_path / "survey.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_survey(path, lambda raw: f"p-{raw}", **options)

    return read


def test_a_survey_is_read(survey: Survey) -> None:
    got = survey("participant,More trees,Fewer cars\nana,agree,disagree\nbea,PASS,\nciro, Yes ,no\n")

    assert {"p-ana": {1: 1, 2: -1}, "p-bea": {1: 0}, "p-ciro": {1: 1, 2: -1}} == got.table.to_ballots()
    assert [(1, "More trees"), (2, "Fewer cars")] == [(statement.id, statement.text) for statement in got.statements]
    assert ("survey", 0, 5) == (got.tool, got.agree_sign, got.rows_read)
    assert "survey.csv, columns separated by commas" == got.layout
    assert "by the words in the source; agree: agree, yes; disagree: disagree, no; pass: pass" == got.sign_evidence


@pytest.mark.parametrize(
    ("agree", "disagree", "passing"),
    [
        ("Agree", "Disagree", "Pass"),
        ("De acuerdo", "En desacuerdo", "Abstención"),
        ("SÍ", "No", "Paso"),
        ("Ados", "Ez ados", "Pasa"),
        ("Bai", "Kontra", "Abstentzioa"),
        ("D’acord", "En desacord", "Abstenció"),
        ("De acordo", "En desacordo", "Non sei"),
        ("Concordo", "Discordo", "Abstenção"),
        ("D'accord", "Pas d’accord", "Je ne sais pas"),
        ("Stimme zu", "Stimme nicht zu", "Enthaltung"),
        ("D'accordo", "In disaccordo", "Astensione"),
        ("Eens", "Oneens", "Weet niet"),
        ("1", "-1", "0"),
        ("+1", "−1", "0"),
        ("si\u0301", "na\u0303o", "pass"),
        ("de   acuerdo", "NO", "pass"),
    ],
)
def test_words_of_several_languages_are_known(survey: Survey, agree: str, disagree: str, passing: str) -> None:
    got = survey(f"id,a,b,c\nx,{agree},{disagree},{passing}\n")

    assert {"p-x": {1: 1, 2: -1, 3: 0}} == got.table.to_ballots()


def test_no_word_means_two_things() -> None:
    meanings = defaultdict(set)
    for word, vote in default_words():
        meanings[word].add(vote)

    assert {} == {word: votes for word, votes in meanings.items() if len(votes) > 1}
    assert "" not in meanings
    assert all(word == fold(word) for word in meanings)


def test_words_that_are_given_stand_beside_the_known_ones_and_are_named_first(survey: Survey) -> None:
    got = survey("id,a,b,c,d\nx,Aye,nay,yes,paso\n", words={"aye": 1, "NAY": -1})

    assert {"p-x": {1: 1, 2: -1, 3: 1, 4: 0}} == got.table.to_ballots()
    with pytest.raises(
        MalformedError, match=r"known are for agree: aye, 1, .*; for disagree: nay, -1, .*; for pass: 0"
    ):
        survey("id,a\nx,?\n", words={"aye": 1, "nay": -1})


def test_a_word_that_is_given_means_only_what_was_said(survey: Survey) -> None:
    got = survey("id,a,b,c\nx,Contra,no,sim\n", words={"contra": 0})

    assert {"p-x": {1: 0, 2: -1, 3: 1}} == got.table.to_ballots()


def test_where_one_number_is_given_another_meaning_the_others_are_not_guessed(survey: Survey) -> None:
    got = survey("id,a,b,c\nx,1,2,no\n", words={"1": -1, "2": 1})

    assert {"p-x": {1: -1, 2: 1, 3: -1}} == got.table.to_ballots()
    for number in ("-1", "0", "+1"):
        with pytest.raises(MalformedError, match="expected a word for agree, disagree or pass"):
            survey(f"id,a,b\nx,1,{number}\n", words={"1": -1, "2": 1})
    assert {"p-x": {1: 1, 2: -1}} == survey("id,a,b\nx,1,-1\n", words={"1": 1}).table.to_ballots()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"a": 1, "A ": -1}, "cannot mean two things"),
        ({"a": 2}, "a word stands for agree"),
        ({" ": 1}, "a word stands for agree"),
    ],
)
def test_words_that_cannot_be_used_are_refused(survey: Survey, words: dict[str, int], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        survey("id,a\nx,a\n", words=words)


@pytest.mark.parametrize(("numbers", "sign"), [({"1": 1, "0": 0, "-1": -1}, 1), ({"1": -1, "0": 0, "-1": 1}, -1)])
def test_where_the_source_has_numbers_their_sign_is_stated(survey: Survey, numbers: dict[str, int], sign: int) -> None:
    assert sign == survey("id,a,b\nx,1,-1\n", words=numbers).agree_sign


def test_an_empty_cell_was_not_seen(survey: Survey) -> None:
    got = survey("id,a,b\nx,  ,yes\ny,,\n")

    assert {"p-x": {2: 1}} == got.table.to_ballots()
    assert Cleaning("participants without a single vote", others=1) in got.cleaning
    assert 1 == got.rows_read


def test_semicolons_and_tabs_are_read_where_they_are_stated(survey: Survey) -> None:
    semicolons = survey('id;"a, b"\nx;yes\n', delimiter=";")
    tabs = survey("id\ta; b\nx\tyes\n", delimiter="\t")

    assert ["a, b", "a; b"] == [got.statements[0].text for got in (semicolons, tabs)]
    with pytest.raises(UsageError, match="a delimiter is a comma, a semicolon or a tab"):
        survey("id,a\nx,yes\n", delimiter="|")


def test_without_a_column_for_participants_rows_are_numbered_and_that_is_reported(survey: Survey) -> None:
    got = survey("a,b\nyes,no\nno,\n")

    assert {"p-1": {1: 1, 2: -1}, "p-2": {1: -1}} == got.table.to_ballots()
    assert Cleaning("participants numbered by row, as no column names them", others=2) == got.cleaning[0]


def test_columns_with_personal_data_are_left_out_and_reported(survey: Survey) -> None:
    got = survey("id,Name,E-mail,Teléfono:,Izena,a\nx,Ana Garcia,ana@example.org,943,Ana,yes\n")

    assert ["a"] == [statement.text for statement in got.statements]
    assert Cleaning("columns with personal data left out", others=4) in got.cleaning
    assert "Garcia" not in repr(got)


def test_a_column_with_the_name_of_personal_data_can_be_declared_a_statement(survey: Survey) -> None:
    got = survey("id,Name,E-mail\nx,yes,ana@example.org\n", statement_columns=["Name"])

    assert {"p-x": {1: 1}} == got.table.to_ballots()


@pytest.mark.parametrize(
    "name", ["Timestamp", "Marca temporal", "DATE", "hora:", "Denbora", "Horodateur", "Zeitstempel", "Data/hora"]
)
def test_columns_with_time_stamps_are_left_out_and_reported(survey: Survey, name: str) -> None:
    got = survey(f"{name},id,a\n2026/05/12 10:31:05,x,yes\n")

    assert ["a"] == [statement.text for statement in got.statements]
    assert Cleaning("columns with time stamps left out", others=1) in got.cleaning
    assert Cleaning("columns that were not named as statements left out") in got.cleaning


def test_a_column_with_the_name_of_a_time_stamp_can_be_declared_a_statement(survey: Survey) -> None:
    assert ["Date"] == [each.text for each in survey("id,Date\nx,yes\n", statement_columns=["Date"]).statements]


def test_columns_to_be_skipped_are_left_out_and_reported(survey: Survey) -> None:
    got = survey("id,Why,a,When\nx,Because,yes,noon\n", skip_columns=["When", "Why"])

    assert ["a"] == [statement.text for statement in got.statements]
    assert Cleaning("columns that were not named as statements left out", others=2) in got.cleaning


def test_a_skipped_column_is_no_participant(survey: Survey) -> None:
    got = survey("id,Participant,a\n9,y,yes\n", skip_columns=["id"])

    assert ["p-y"] == list(got.table.participants)


def test_an_address_can_stand_for_the_participant_and_goes_no_further(survey: Survey) -> None:
    got = survey("E-mail,a\nana@example.org,yes\n", id_column="E-mail")

    assert ["p-ana@example.org"] == list(got.table.participants)  # this test's pseudonym hides nothing
    assert Cleaning("columns with personal data left out") in got.cleaning


def test_with_statements_declared_other_columns_are_left_out_and_reported(survey: Survey) -> None:
    got = survey("When,id,a,b\n2026,x,yes,no\n", statement_columns=["b", "a"])

    assert {"p-x": {1: 1, 2: -1}} == got.table.to_ballots()
    assert Cleaning("columns that were not named as statements left out", others=1) in got.cleaning


def test_strata_are_kept_for_those_who_voted(survey: Survey) -> None:
    got = survey(
        "id,district,language,a\nx, North ,eu,yes\ny,,es,no\nz,South,eu,\n", strata_columns=["district", "language"]
    )

    assert {"district": {"p-x": "North"}, "language": {"p-x": "eu", "p-y": "es"}} == got.strata


def test_every_cleaning_rule_is_named_even_where_it_changed_nothing(survey: Survey) -> None:
    expected = (
        Cleaning("participants numbered by row, as no column names them"),
        Cleaning("participants without a single vote"),
        Cleaning("columns with personal data left out"),
        Cleaning("columns with time stamps left out"),
        Cleaning("columns that were not named as statements left out"),
        Cleaning("e-mail addresses masked in texts"),
        Cleaning("long numbers masked in texts", others=1),
    )

    assert expected == survey("id,Call 943 123 456?\nx,yes\n").cleaning


def test_a_folder_with_one_table_is_read(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("?")
    (tmp_path / "answers.tsv").write_text("id\ta\nx\tyes\n")

    assert 1 == read_survey(tmp_path, str, delimiter="\t").table.n_votes
    (tmp_path / "more.csv").write_text("id,a\n")
    with pytest.raises(UsageError, match=r"holds 2 files ending in \.csv or \.tsv, expected one"):
        read_survey(tmp_path, str)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "id,a\nx,maybe\n",
            "survey.csv, line 2, column 2 (a): expected a word for agree, disagree or pass, got another of",
        ),
        ("id,a,b\nx,yes,4\n", "survey.csv, line 2, column 3 (b): expected a word for agree"),
        ('id,"a\nb",c\nx,yes,?\n', "survey.csv, line 3, column 3 (c): expected a word"),
        ("id,a\nx,yes\nx,no\n", "survey.csv, line 3, column 1 (id): this participant is there twice, first on line 2"),
        ("id,a\nx,yes\n x,no\n", "survey.csv, line 3, column 1 (id): this participant is there twice"),
        ("id,a\n ,yes\n", "survey.csv, line 2, column 1 (id): expected a participant in 1 to 1,000 characters, got 0"),
        (f"id,a\n{'x' * 1001},yes\n", "survey.csv, line 2, column 1 (id): expected a participant in 1 to 1,000"),
        ("id,=1+1\nx,yes\n", "survey.csv, line 1, column 2 (=1+1): looks like a spreadsheet formula"),
        ("id, +SUM(1)\nx,yes\n", "survey.csv, line 1, column 2 ( +SUM(1)): looks like a spreadsheet formula"),
        ("id,a,a\nx,yes,no\n", "survey.csv, line 1, column 3 (a): the column is there twice, first as column 2"),
        ("id;a\nx;yes\n", "survey.csv, line 1: the columns are separated by semicolons, expected commas"),
        ("\ufeffid,a\n", "survey.csv, line 1: the file begins with a byte-order mark"),
        (b"id,a\nx,s\xed\n", "survey.csv, line 2: not UTF-8 (byte 4 of the line)"),
        ("id,a\nx,\0\n", "survey.csv, line 2: a NUL byte"),
        ("id,a\nx,yes,no\n", "survey.csv, line 2, column 3: the row has 3 cells, the header 2"),
        ("", "survey.csv: the file is empty"),
        ("id,a\n", "survey.csv: there is not a single vote"),
        ("id,a\nx,\n", "survey.csv: there is not a single vote"),
    ],
)
def test_bad_surveys_are_refused(survey: Survey, content: str | bytes, message: str) -> None:
    with pytest.raises(MalformedError) as caught:
        survey(content)

    assert str(caught.value).startswith(message)


def test_an_unknown_word_is_not_repeated_as_it_could_be_a_name(survey: Survey) -> None:
    with pytest.raises(MalformedError) as caught:
        survey("id,a\nx,Ana Garcia\n")

    assert "Garcia" not in str(caught.value)
    assert "leave it out (--skip), or declare it as a stratum" in str(caught.value)
    assert len(str(caught.value)) < 700
    assert "Scales with more than three answers (Likert) are not supported" in str(caught.value)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("=1", "looks like a spreadsheet formula"),
        ("ana@example.org", "an e-mail address or a long number is no stratum"),
        ("x" * 201, "the value of a stratum has 201 characters, at most 200 are read"),
    ],
)
def test_bad_strata_are_refused(survey: Survey, value: str, message: str) -> None:
    with pytest.raises(MalformedError, match=f"line 2, column 2 \\(district\\): {message}"):
        survey(f"id,district,a\nx,{value},yes\n", strata_columns=["district"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"id_column": "who"}, "has no column “who”"),
        ({"statement_columns": ["c"]}, "has no column “c”"),
        ({"strata_columns": ["c"]}, "has no column “c”"),
        ({"skip_columns": ["c"]}, "has no column “c”"),
        ({"skip_columns": ["a"], "statement_columns": ["a"]}, "“a” is named for two things"),
        ({"skip_columns": ["a", "b"]}, "no column is left for statements"),
        ({"strata_columns": ["a"], "statement_columns": ["a"]}, "“a” is named for two things"),
        ({"id_column": "a", "statement_columns": ["a"]}, "“a” is named for two things"),
        ({"strata_columns": ["a", "b"]}, "no column is left for statements"),
    ],
)
def test_columns_that_do_not_fit_are_refused(survey: Survey, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        survey("id,a,b\nx,yes,no\n", **options)


def test_two_columns_that_could_be_the_participant_are_refused(survey: Survey) -> None:
    with pytest.raises(UsageError, match="both “id” and “Participant” could be the participant"):
        survey("id,Participant,a\nx,y,yes\n")


@pytest.mark.parametrize("name", ["e_mail", "E-Mail:", "correo electrónico", "Nombre", "IZENA", "Full  Name", "xid"])
def test_names_of_personal_columns_are_known(name: str) -> None:
    assert is_personal(name)
    assert not is_personal(f"We need a {name} for the square")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    st.lists(st.lists(st.sampled_from(["yes", "no", "pass", ""]), min_size=3, max_size=3), min_size=1), st.integers()
)
def test_any_order_of_rows_gives_the_same_bytes(survey: Survey, rows: list[list[str]], seed: int) -> None:
    lines = [f"{number},{','.join(row)}\n" for number, row in enumerate(rows)]
    lines.append("last,yes,,\n")
    first = survey("id,a,b,c\n" + "".join(lines))
    random.Random(seed).shuffle(lines)
    second = survey("id,a,b,c\n" + "".join(lines))

    assert first.table.packed.tobytes() == second.table.packed.tobytes()
    assert first.table.starts.tobytes() == second.table.starts.tobytes()
    assert list(first.table.participants) == list(second.table.participants)
    assert (first.cleaning, first.sign_evidence) == (second.cleaning, second.sign_evidence)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(st.binary(max_size=200), st.sampled_from([b"", b"id,a\n", b"id,a,b\nx,yes,no\n"]))
def test_any_bytes_are_read_or_refused(survey: Survey, tail: bytes, head: bytes) -> None:
    try:
        survey(head + tail)
    except AuzolanError as error:
        assert str(error)  # noqa: PT017
