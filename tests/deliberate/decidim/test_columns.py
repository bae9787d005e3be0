"""Rows by the names of their columns: what real exports hold is taken, what is broken is told with its place."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.record.errors import AuzolanError, MalformedError
from auzolan.deliberate.decidim.columns import Columns, unguarded
from auzolan.deliberate.sources.cells import MAX_ROW


def columns(data: str | bytes) -> Columns:
    """Return the columns of a file."""
    data = data.encode() if isinstance(data, str) else data
    return Columns("p.csv", data.splitlines(keepends=True))


@pytest.mark.parametrize("mark", [";", ",", "\t"])
def test_the_delimiter_is_told_from_the_header(mark: str) -> None:
    file = columns(f"id{mark}title/en{mark}state\n1{mark}a{mark}b\n")

    assert [("1", "a", "b")] == [(row.text("id"), row.text("title/en"), row.text("state")) for row in file]


def test_a_label_with_another_delimiter_does_not_mislead() -> None:
    file = columns('title/en;"votes/Yes, of course, yes, yes";id\n a;3;1\n')

    assert [("1", {"Yes, of course, yes, yes": "3"})] == [(row.text("id"), row.counts("votes")) for row in file]


def test_a_byte_order_mark_is_passed_over() -> None:
    file = columns(b"\xef\xbb\xbfid;state\n1;accepted\n")

    assert ["accepted"] == [row.text("state") for row in file]


@pytest.mark.parametrize("data", [b"", b"\n", b"\r\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n \n"])
def test_an_empty_collection_is_a_file_without_header(data: bytes) -> None:
    file = columns(data)

    assert ((), []) == (file.header, list(file))


def test_the_first_of_two_columns_of_one_name_is_read() -> None:
    file = columns("id;state;state\n1;accepted;rejected\n")

    assert ["accepted"] == [row.text("state") for row in file]
    assert 1 == file.repeated


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("'=1+1", "=1+1"),
        ("'+34", "+34"),
        ("'-1", "-1"),
        ("'@me", "@me"),
        ("''=x", "''=x"),
        ("'tis", "'tis"),
        ("=1", "=1"),
        ("'", "'"),
        ("", ""),
    ],
)
def test_only_the_guard_against_formulas_is_taken_away(cell: str, text: str) -> None:
    assert text == unguarded(cell)


def test_locales_are_whatever_the_file_has_and_machine_translations_stay_out() -> None:
    file = columns("title/pt-BR;id;title/machine_translations/es;title/ca;title/en\nOi;1;Hola;Ep;\n")

    assert [{"pt-BR": "Oi", "ca": "Ep"}] == [row.texts("title") for row in file]
    assert 1 == file.machine


def test_a_plain_field_is_of_an_undetermined_language() -> None:
    file = columns("id;title\n1;Parks\n")

    assert [{"und": "Parks"}] == [row.texts("title") for row in file]


def test_fields_of_decidim_awesome_keep_their_order() -> None:
    file = columns("id;body/z-why/en;body/en;body/a-what/en;body/machine_translations/es;body/z-why/ca\n1;w;b;x;m;\n")

    assert [[("en", "w"), ("en", "x")]] == [row.fields("body") for row in file]


def test_line_ends_and_quotes_inside_cells_stay() -> None:
    file = columns('id;title/en\r\n1;"say ""hi"";\r\nthen"\r\n')

    assert ['say "hi";\r\nthen'] == [row.text("title/en") for row in file]


def test_a_cell_may_be_as_long_as_a_row() -> None:
    names = ", ".join(f"Person {number}" for number in range(20_000))
    before = csv.field_size_limit()
    file = columns(f'id;likes/user_likes\n1;"{names}"\n')

    assert [len(names)] == [len(row.text("likes/user_likes")) for row in file]
    assert len(names) > 131_072  # what csv takes by itself
    assert before == csv.field_size_limit()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("id;a\n1;2\n1\n", "p.csv, line 3, column 2: the row has 1 cell, the header 2"),
        ("id;a\n1;2;3\n", "p.csv, line 2, column 3: the row has 3 cells, the header 2"),
        ('id;a\n1;"never closed\n', "p.csv, line 2: a quote that is opened in this row is never closed"),
        ('id;a\n1;"x"y\n', "p.csv, line 2: text stands between"),
        ("id;a\n\n1;2\n", "p.csv, line 2: the line is empty"),
        (b"id;a\n1;\xe9\n", "p.csv, line 2: not UTF-8"),
        (b"id;a\n1;\x00\n", "p.csv, line 2: a NUL byte"),
        (b"\xff\xfei\x00d\x00", "not UTF-8"),
        ("title/en;state\na;b\n", "p.csv, line 1: there is no column “id”"),
        ("<html>\n", "p.csv, line 1: there is no column “id”"),
    ],
)
def test_what_is_broken_is_told_with_its_place(data: str | bytes, message: str) -> None:
    with pytest.raises(MalformedError) as refused:
        list(columns(data))

    assert message in str(refused.value)


def test_a_row_longer_than_the_bound_is_refused() -> None:
    with pytest.raises(MalformedError, match="a row is longer than 1,048,576 bytes"):
        list(columns(b'id;a\n1;"' + b"x\n" * (MAX_ROW // 2) + b'"\n'))


def test_errors_name_the_line_on_which_the_cell_begins() -> None:
    file = columns('id;a;b\n1;"two\nlines";wrong\n')
    row = next(iter(file))

    assert "p.csv, line 3, column 3 (b): why" == str(row.wrong("b", "why"))


@given(st.text(alphabet='id;,\t"\n\r\ufeffaé/', max_size=60))
def test_any_file_is_read_or_told(data: str) -> None:
    try:
        for row in columns(data):
            row.texts("a")
    except AuzolanError as error:
        message = str(error)
        assert message.startswith("p.csv")
