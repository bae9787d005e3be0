"""Strict CSV: what is refused, and that each error says where."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.record.errors import AuzolanError, MalformedError
from auzolan.deliberate.sources.cells import RowReader, Table


def _table(data: bytes, delimiter: str = ",") -> Table:
    return Table("f.csv", io.BytesIO(data), delimiter)


def _rows(data: bytes, delimiter: str = ",") -> list[list[str]]:
    return list(_table(data, delimiter))


def test_rows_come_without_their_header() -> None:
    table = _table(b"a,b\n1,2\r\n3,4")

    assert ("a", "b") == table.header
    assert [["1", "2"], ["3", "4"]] == list(table)


def test_quoted_cells_may_hold_line_ends_and_line_numbers_stay_right() -> None:
    table = _table(b'a,b,c\n1,"x\ny\r\nz",q\n3,4,5\n')
    places = [(table.line, table.where(2)) for _ in table]

    assert [(2, "f.csv, line 4, column 3 (c)"), (5, "f.csv, line 5, column 3 (c)")] == places


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "f.csv: the file is empty, expected a header and rows"),
        (b"\n\n", "f.csv: the file is empty, expected a header and rows"),
        (b"a;b\n1;2\n", "f.csv, line 1: the columns are separated by semicolons, expected commas"),
        (b"a\tb\n1\t2\n", "f.csv, line 1: the columns are separated by tabs, expected commas"),
        (b'"a";"b, c"\n', "f.csv, line 1: the columns are separated by semicolons, expected commas"),
        (b"a;b, c;d\n1;2;3\n", "f.csv, line 1: the columns are separated by semicolons, expected commas"),
        (b"\xef\xbb\xbfa,b\n", "f.csv, line 1: the file begins with a byte-order mark; save it as UTF-8 without"),
        (b"\xff\xfea\0", "f.csv, line 1: not UTF-8 (byte 1 of the line; it looks like UTF-16)"),
        (b"a,b\n1,\xe9\n", "f.csv, line 2: not UTF-8 (byte 3 of the line); save the file as UTF-8"),
        (b"a,b\n1,x\0\n", "f.csv, line 2: a NUL byte (byte 4 of the line); the file is no text"),
        (b"a,b,a\n", "f.csv, line 1, column 3 (a): the column is there twice, first as column 1"),
        (b"a,,c\n", "f.csv, line 1, column 2: the column has no name"),
        (b"a,b\n1\n", "f.csv, line 2, column 2: the row has 1 cell, the header 2"),
        (b"a,b\n1,2,3\n", "f.csv, line 2, column 3: the row has 3 cells, the header 2"),
        (b"a,b\n\n1,2\n", "f.csv, line 2: the line is empty"),
        (b'a,b\n1,2\n1,"x\ny\n', "f.csv, line 3: a quote that is opened in this row is never closed"),
        (b'a,b\n1,"x"y\n', "f.csv, line 2: text stands between the end of a quoted cell and the next delimiter"),
        (b"a,b\r1,2\r", "f.csv, line 1: a carriage return inside a line; lines end with a line feed"),
        (b"a,b\n1," + b"x" * 200_000, "f.csv, line 2: a cell is longer than 131,072 characters"),
    ],
)
def test_bad_form_is_refused_and_placed(data: bytes, message: str) -> None:
    with pytest.raises(MalformedError) as caught:
        _rows(data)

    assert str(caught.value).startswith(message)


def test_a_statement_with_semicolons_is_no_wrong_delimiter() -> None:
    assert ("participant", "We; the people; must; act") == _table(b"participant,We; the people; must; act\n").header


def test_empty_lines_at_the_end_are_no_rows() -> None:
    assert [["1", "2"]] == _rows(b"a,b\n1,2\n\n\n")


def test_a_row_over_many_lines_is_bounded() -> None:
    def lines() -> Iterator[bytes]:
        yield b"a\n"
        yield b'"x\n'
        for _ in range(20):
            yield b'x","' + b"x" * 60_000 + b"\n"

    with pytest.raises(MalformedError, match="a row is longer than 1,048,576 bytes; is a quote not closed"):
        list(Table("f.csv", lines()))


@pytest.mark.parametrize(
    "cell", ["", "01", "+1", "1.0", " 1", "1_0", "٣", "-1", "9" * 30, "Ana", "-0", "9007199254740993"]
)
def test_an_id_is_a_whole_number_plainly_written(cell: str) -> None:
    table = _table(f"a,b\n1,{cell}\n".encode())
    next(iter(table))

    with pytest.raises(MalformedError, match=r"^f\.csv, line 2, column 2 \(b\): expected a whole number"):
        table.whole(1)


def test_errors_do_not_quote_what_could_be_a_name() -> None:
    table = _table(b"id,ana@example.org\nAna Garcia,1\n")
    next(iter(table))
    with pytest.raises(MalformedError) as caught:
        table.whole(0)

    assert "Ana" not in str(caught.value)
    assert "f.csv, line 2, column 2 ([e-mail])" == table.where(1)


@given(st.lists(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=2, max_size=2)))
def test_what_the_csv_module_writes_is_read_back(rows: list[list[str]]) -> None:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
    writer.writerow(["a", "b"])
    writer.writerows(rows)

    assert rows == _rows(stream.getvalue().encode())


@given(st.binary(max_size=300), st.sampled_from(",;\t"))
def test_any_bytes_are_read_or_refused(data: bytes, delimiter: str) -> None:
    for reader in (_rows, lambda d, m: list(RowReader("f.csv", io.BytesIO(d), m))):
        try:
            reader(data, delimiter)
        except AuzolanError as error:
            assert str(error).startswith("f.csv")  # noqa: PT017


def test_rows_without_a_header_are_read_too() -> None:
    assert [["topic", "a"]] == list(RowReader("summary.csv", [b"topic,a\n"]))
