"""The CSV that a Decidim exports: rows by the names of their columns, whichever version wrote them.

As `sources.cells`, but what real exports hold is taken: a byte-order mark,
commas, semicolons or tabs (told from the header), columns in any order, names that come twice (the first is read), no
header at all where a collection is empty, and cells as long as a row may be (`MAX_ROW`, 1 MiB).

Checks: UTF-8, no NUL, quotes, as many cells in each row as in the header.
Does not check: what the cells mean. Decidim puts an apostrophe before cells
that begin with = + - or @, against spreadsheets; one is taken away again there.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from auzolan.core.record.errors import MalformedError
from auzolan.deliberate.decidim.unflatten import LOCALE, MACHINE, by_locale, inspected, items
from auzolan.deliberate.sources.cells import DELIMITERS, MAX_ROW, RowReader, shown_name

UNDETERMINED = "und"  # ISO 639: the language is not told
_BOM = b"\xef\xbb\xbf"
_GUARDED = ("'=", "'+", "'-", "'@")


def unguarded(cell: str) -> str:
    """Return a cell without the apostrophe that Decidim puts before what a spreadsheet would take for a formula."""
    return cell[1:] if cell.startswith(_GUARDED) else cell


class Columns:
    """One file: its header, and then its rows one after the other; it is the current row itself.

    Attributes:
        name: of the file.
        header: names of the columns, empty where the file is.
        repeated: how many columns have a name that came before.
        machine: how many columns hold machine translations, which are not read.
    """

    def __init__(self, name: str, lines: Iterable[bytes]) -> None:
        """Read the header.

        Raises:
            MalformedError: it has no column "id", or is no text.
        """
        self.name = name
        first, rest = _first_line(lines)
        self._rows = RowReader(name, chain((first,), rest), _delimiter(first))
        self._iterator = iter(self._rows)
        self.header: tuple[str, ...] = tuple(column.strip() for column in self._next() or ())
        self._places: dict[str, int] = {}
        for number, column in enumerate(self.header):
            self._places.setdefault(column, number)
        self.repeated = len(self.header) - len(self._places)
        self.machine = sum(f"/{MACHINE}/" in column for column in self.header)
        self._row: list[str] = []
        self._texts: dict[str, list[tuple[str, int]]] = {}
        self._fields: dict[str, list[tuple[str, int]]] = {}
        self._under: dict[str, list[tuple[str, int]]] = {}
        if self.header and "id" not in self._places:
            raise MalformedError(f"{name}, line 1: there is no column “id”; is this a file of Decidim's open data?")

    def _next(self) -> list[str] | None:
        # The limit of csv is one for the whole process, and 128 KiB: less than the names of all who like a proposal.
        before = csv.field_size_limit(MAX_ROW)
        try:
            return next(self._iterator, None)
        finally:
            csv.field_size_limit(before)

    def __iter__(self) -> Iterator[Columns]:
        """Yield itself, once per row."""
        width = len(self.header)
        while (row := self._next()) is not None:
            if len(row) != width:
                raise MalformedError(
                    f"{self.name}, line {self._rows.line:,}, column {min(len(row), width) + 1:,}: the row has "
                    f"{len(row):,} {'cell' if len(row) == 1 else 'cells'}, the header {width:,}"
                )
            self._row = row
            yield self

    def has(self, name: str) -> bool:
        """Return whether there is a column of this name."""
        return name in self._places

    def begins(self, prefix: str) -> bool:
        """Return whether the name of some column begins so."""
        return any(column.startswith(prefix) for column in self._places)

    def text(self, name: str) -> str:
        """Return a cell of the row; "" where there is no such column."""
        place = self._places.get(name)
        return "" if place is None else unguarded(self._row[place])

    def texts(self, name: str) -> dict[str, str]:
        """Return the texts of a translated field by locale, without machine translations and what is empty."""
        if name not in self._texts:
            self._texts[name] = self._translated(name)
        return {locale: unguarded(cell) for locale, place in self._texts[name] if (cell := self._row[place])}

    def fields(self, name: str) -> list[tuple[str, str]]:
        """Return the locales and texts of fields that decidim_awesome adds (`name/FIELD/LOCALE`), in their order."""
        if name not in self._fields:
            parts = [(column.split("/"), place) for column, place in self._places.items()]
            self._fields[name] = [
                (part[2], place)
                for part, place in parts
                if len(part) == 3 and part[0] == name and part[1] != MACHINE and LOCALE.fullmatch(part[2])
            ]
        return [(locale, unguarded(cell)) for locale, place in self._fields[name] if (cell := self._row[place])]

    def counts(self, name: str) -> dict[str, str]:
        """Return the cells of the columns `name/LABEL` by label, without empty ones."""
        return {label: unguarded(cell) for label, place in self._labelled(name) if (cell := self._row[place])}

    def labels(self, name: str) -> tuple[str, ...]:
        """Return the labels of the columns `name/LABEL`."""
        return tuple(label for label, _ in self._labelled(name))

    def items(self, name: str) -> tuple[str, ...]:
        """Return a joined list of numbers or addresses."""
        return items(self.text(name))

    def names(self, name: str) -> tuple[dict[str, str], ...] | None:
        """Return a joined list of hashes by locale, None where it cannot be read."""
        found = inspected(self.text(name))
        return None if found is None else tuple(by_locale(each) for each in found)

    def wrong(self, name: str, why: str) -> MalformedError:
        """Return the error about a cell of the row."""
        place = self._places.get(name, 0)
        line = self._rows.line + sum(cell.count("\n") for cell in self._row[:place])
        return MalformedError(f"{self.name}, line {line:,}, column {place + 1:,} ({shown_name(name)}): {why}")

    def _labelled(self, name: str) -> list[tuple[str, int]]:
        if name not in self._under:
            columns = ((column, place) for column, place in self._places.items() if column.startswith(f"{name}/"))
            self._under[name] = [(column[len(name) + 1 :], place) for column, place in columns]
        return self._under[name]

    def _translated(self, name: str) -> list[tuple[str, int]]:
        found = [
            (column[len(name) + 1 :], place)
            for column, place in self._places.items()
            if column.startswith(f"{name}/") and LOCALE.fullmatch(column, len(name) + 1)
        ]
        return found or ([(UNDETERMINED, self._places[name])] if name in self._places else [])


def _first_line(lines: Iterable[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Return the first line that says something, without byte-order mark, and the rest."""
    rest = iter(lines)
    for line in rest:
        clean = line.removeprefix(_BOM)
        if clean.strip():
            return clean, rest
    return b"", rest


def _delimiter(line: bytes) -> str:
    """Return the delimiter with which the header has a column "id" and most columns."""
    header = line.decode("utf-8", "replace").strip()
    widths: Mapping[str, int] = {mark: _width(header, mark) for mark in (";", *DELIMITERS)}
    return max(widths, key=lambda mark: widths[mark])


def _width(header: str, mark: str) -> int:
    try:
        names = next(csv.reader([header], delimiter=mark), [])
    except csv.Error:
        return 0
    return len(names) if any(name.strip() == "id" for name in names) else 0
