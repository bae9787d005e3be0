"""Strict CSV: rows of cells out of lines of bytes, each error with file, line and column.

RFC 4180 as Python's csv module reads it, and nothing that it would let pass:

Checks: UTF-8 without byte-order mark; no NUL; a header that is there, has the
expected delimiter, no empty and no repeated name; as many cells in each row
as in the header; every quote closed; a row of at most `MAX_ROW` bytes over
all its lines; no empty line before the last row.
Does not check: what the cells mean. A quote inside an unquoted cell is text.
Lines come bounded from `source`; quoted cells may hold line ends, and the
line in an error is the one on which the cell begins.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NoReturn

from auzolan.core.record.errors import MalformedError

MAX_ROW = 2**20
MAX_ID = 2**53 - 1
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_BOM = b"\xef\xbb\xbf"
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,18}", re.ASCII)
_NUMBERLIKE = re.compile(r"[-+0-9.,eE ]{1,6}", re.ASCII)
_ADDRESS = re.compile(r"[^\s@]{1,64}@[^\s@]+")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\u00a1-\u1fff\u2c00-\ud7ff\uf900-\uffdc]")


def shown(cell: str) -> str:
    """Return a cell for an error message: short number-like ones as they are, others not, as they may name somebody."""
    if cell == "":
        return "nothing"
    return f"“{cell}”" if _NUMBERLIKE.fullmatch(cell) else f"a text of {len(cell):,} characters"


def shown_name(name: str) -> str:
    """Return the name of a column for an error message, short, without control characters and e-mail addresses."""
    clean = _ADDRESS.sub("[e-mail]", _UNPRINTABLE.sub("?", name))
    return clean if len(clean) <= 40 else clean[:39] + "…"


class Lines:
    """Decoded lines of one file, with the number of the last one and the size of the row so far."""

    def __init__(self, name: str, lines: Iterable[bytes]) -> None:
        self.name = name
        self.number = 0
        self.row_bytes = 0  # the reader of rows sets it to 0 after each row
        self.last = ""
        self._lines = lines

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.number += 1
            if self.number == 1:
                self._check_start(line)
            self.row_bytes += len(line)
            if self.row_bytes > MAX_ROW:
                raise MalformedError(
                    f"{self.name}, line {self.number:,}: a row is longer than {MAX_ROW:,} bytes; is a quote not closed?"
                )
            if b"\0" in line:
                self._fail(f"a NUL byte (byte {line.index(0) + 1:,} of the line); the file is no text")
            try:
                self.last = line.decode("utf-8")
            except UnicodeDecodeError as error:
                self._fail(f"not UTF-8 (byte {error.start + 1:,} of the line); save the file as UTF-8")
            yield self.last

    def _check_start(self, line: bytes) -> None:
        if line.startswith(_BOM):
            self._fail("the file begins with a byte-order mark; save it as UTF-8 without a byte-order mark")
        if line.startswith((b"\xff\xfe", b"\xfe\xff")):
            self._fail("not UTF-8 (byte 1 of the line; it looks like UTF-16); save the file as UTF-8")

    def _fail(self, what: str) -> NoReturn:
        raise MalformedError(f"{self.name}, line {self.number:,}: {what}")


class RowReader:
    """Rows of a file without a header, each with the line on which it begins.

    Attributes:
        line: on which the current row begins; 1 is the first.
        row: the current row.
    """

    def __init__(self, name: str, lines: Iterable[bytes], delimiter: str = ",") -> None:
        self.name = name
        self.line = 0
        self.row: Sequence[str] = ()
        self._lines = Lines(name, lines)
        self._delimiter = delimiter

    def __iter__(self) -> Iterator[list[str]]:
        lines = self._lines
        reader = csv.reader(lines, delimiter=self._delimiter, strict=True)
        begins, empty = 1, 0
        try:
            for row in reader:
                lines.row_bytes = 0
                if not row:
                    empty = empty or begins
                elif empty:
                    raise MalformedError(f"{self.name}, line {empty:,}: the line is empty")
                else:
                    self.line, self.row = begins, row
                    yield row
                begins = lines.number + 1
        except csv.Error as error:
            raise MalformedError(self._syntax(str(error), begins)) from None

    def _syntax(self, message: str, begins: int) -> str:
        """Return a sentence for csv's own errors."""
        other = next((mark for mark in DELIMITERS if mark != self._delimiter and mark in self._lines.last), "")
        if begins == 1 and other and self._delimiter not in self._lines.last.split(other)[0]:
            return wrong_delimiter(self.name, other, self._delimiter)
        if "unexpected end of data" in message:
            return f"{self.name}, line {begins:,}: a quote that is opened in this row is never closed"
        if "expected after" in message:
            return (
                f"{self.name}, line {self._lines.number:,}: text stands between the end of a quoted cell and the next "
                f"delimiter; write a quote inside a cell twice"
            )
        if "field limit" in message or "field larger" in message:
            return f"{self.name}, line {begins:,}: a cell is longer than {csv.field_size_limit():,} characters"
        if "new-line character" in message:
            return (
                f"{self.name}, line {self._lines.number:,}: a carriage return inside a line; lines end with a line feed"
            )
        return f"{self.name}, line {self._lines.number:,}: not CSV ({message})"


def wrong_delimiter(name: str, found: str, wanted: str) -> str:
    """Return the sentence for a file with other delimiters than expected."""
    return f"{name}, line 1: the columns are separated by {DELIMITERS[found]}, expected {DELIMITERS[wanted]}"


class Table:
    """A file with a header.

    Attributes:
        name: of the file.
        header: names of the columns.

    Raises:
        MalformedError: on any of the module's checks, while it is opened or its rows are read.
    """

    def __init__(self, name: str, lines: Iterable[bytes], delimiter: str = ",") -> None:
        self.name = name
        self._rows = RowReader(name, lines, delimiter)
        self._iterator = iter(self._rows)
        self.header: tuple[str, ...] = tuple(next(self._iterator, ()))
        if not self.header:
            raise MalformedError(f"{name}: the file is empty, expected a header and rows")
        self._check_delimiter(delimiter)
        places: dict[str, int] = {}
        for number, column in enumerate(self.header):
            if not column.strip():
                raise MalformedError(f"{name}, line 1, column {number + 1:,}: the column has no name")
            if column in places:
                raise self.wrong(number, f"the column is there twice, first as column {places[column] + 1:,}")
            places[column] = number
        self._places = places

    def _check_delimiter(self, delimiter: str) -> None:
        first = self.header[0]
        for other in DELIMITERS:
            pieces = delimiter.join(self.header).split(other)
            if other != delimiter and other in first and len(pieces) > len(self.header):
                raise MalformedError(wrong_delimiter(self.name, other, delimiter))

    def __iter__(self) -> Iterator[list[str]]:
        """Yield the rows after the header."""
        width = len(self.header)
        for row in self._iterator:
            if len(row) != width:
                raise MalformedError(
                    f"{self.name}, line {self.line:,}, column {min(len(row), width) + 1:,}: the row has {len(row):,} "
                    f"{'cell' if len(row) == 1 else 'cells'}, the header {width:,}"
                )
            yield row

    @property
    def line(self) -> int:
        """On which line the current row begins."""
        return self._rows.line

    def column(self, name: str) -> int:
        """Return the position of a column.

        Raises:
            MalformedError: there is none of this name.
        """
        if name not in self._places:
            raise MalformedError(f"{self.name}, line 1: the column “{shown_name(name)}” is missing")
        return self._places[name]

    def maybe(self, name: str) -> int | None:
        """Return the position of a column, or None."""
        return self._places.get(name)

    def where(self, column: int) -> str:
        """Return file, line and column of a cell of the current row, or of the header before the first."""
        line = self.line + sum(cell.count("\n") for cell in self._rows.row[:column])
        return f"{self.name}, line {line:,}, column {column + 1:,} ({shown_name(self.header[column])})"

    def wrong(self, column: int, what: str) -> MalformedError:
        """Return the error about a cell of the current row."""
        return MalformedError(f"{self.where(column)}: {what}")

    def whole(self, column: int, least: int = 0, most: int = MAX_ID) -> int:
        """Return a cell of the current row as a whole number, written plainly.

        Raises:
            MalformedError: it is none, or outside the bounds.
        """
        cell = self._rows.row[column]
        if not _WHOLE.fullmatch(cell) or not least <= int(cell) <= most:
            raise self.wrong(column, f"expected a whole number from {least:,} to {most:,}, got {shown(cell)}")
        return int(cell)

    def whole_name(self, column: int) -> int:
        """Return the name of a column as a whole number.

        Raises:
            MalformedError: it is none.
        """
        name = self.header[column]
        if not _WHOLE.fullmatch(name) or not 0 <= int(name) <= MAX_ID:
            raise MalformedError(
                f"{self.name}, line 1, column {column + 1:,} ({shown_name(name)}): expected the id of a statement"
            )
        return int(name)
