"""Reads one file with responses to a survey of Decidim, JSON or CSV, response by response.

What a response holds before its first question is about the respondent: the
first is the ID, the rest (date, hash of the address, status) is handed on as it
stands, to be looked at and left out.

Checks: the form of `cells` or `decidim_json`; the first column or key is no
question, and is the same in all responses of a file.
Does not check: whether the first column is the ID (see `identifier`), or what
answers mean.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from auzolan.core.record.errors import MalformedError
from auzolan.deliberate.sources.cells import DELIMITERS, Table
from auzolan.deliberate.sources.decidim_json import as_list, as_object, read_json
from auzolan.deliberate.sources.decidim_rows import (
    Choice,
    Row,
    Wordings,
    choices_in_text,
    question_number,
    row_of_key,
    split_columns,
)
from auzolan.deliberate.sources.people import MAX_ID_LENGTH
from auzolan.deliberate.sources.source import Source

_SHORTENED = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?[Ee][+-][0-9]{1,4}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_BOM = b"\xef\xbb\xbf"
_LARGEST = 10**40

Meet = Callable[[Row, str], None]


class Answered(NamedTuple):
    """One row that a person answered, and the options that were chosen."""

    row: Row
    choices: list[Choice]


class Response(NamedTuple):
    """One response.

    Attributes:
        who: the ID as it stands in the file, "" where there is none.
        about: the other cells before the first question.
        answered: rows with an answer.
        where: file and place in it.
    """

    who: str
    about: list[str]
    answered: list[Answered]
    where: str


class Responses:
    """The responses in one file.

    Attributes:
        others: how many questions there are without rows of statements; known after the iteration.
    """

    def __init__(
        self, source: Source, member: str, listed: Wordings | None, words: Mapping[str, int], meet: Meet
    ) -> None:
        """Set up reading.

        Args:
            source: where the file is.
            member: its name.
            listed: what was asked, to tell rows from titles in CSV.
            words: what known ones mean, as `fold` gives them.
            meet: called with each row of a statement once, and where it is; may refuse it.
        """
        self.others = 0
        self._source, self._member = source, member
        self._listed, self._words, self._meet = listed, words, meet

    def __iter__(self) -> Iterator[Response]:
        """Yield the responses.

        Raises:
            MalformedError: the file has not the form of an export.
        """
        return self._json() if _is_json(self._source, self._member) else self._csv()

    def _csv(self) -> Iterator[Response]:
        member = self._member
        table = _table(self._source, member)
        questions = [question_number(name) for name in table.header]
        first = next((at for at, number in enumerate(questions) if number is not None), len(questions))
        if first == 0:
            raise MalformedError(f"{member}, line 1: the first column is a question, expected the ID of the respondent")
        rows = split_columns(table.header, self._listed)
        columns = [(at, row) for at, row in enumerate(rows) if row is not None]
        for at, row in columns:
            self._meet(row, table.where(at))
        matrices = {row.question for _, row in columns}
        self.others += len({number for number in questions if number is not None} - matrices)
        for cells in table:
            answered = [
                Answered(row, choices) for at, row in columns if (choices := choices_in_text(cells[at], self._words))
            ]
            yield Response(cells[0], cells[1:first], answered, f"{member}, line {table.line:,}")

    def _json(self) -> Iterator[Response]:
        member, heading = self._member, None
        met: dict[tuple[int, str], Row | None] = {}
        others: dict[int, bool] = {}  # question -> whether no response has rows of statements in it
        for number, item in enumerate(as_list(read_json(self._source, member), member), start=1):
            where = f"{member}, response {number:,}"
            cells = list(as_object(item, where).items())
            first = next((at for at, (name, _) in enumerate(cells) if question_number(name) is not None), len(cells))
            if not first:
                raise MalformedError(f"{where}: the first key is a question, expected the ID of the respondent")
            if heading not in (None, cells[0][0]):
                raise MalformedError(
                    f"{where}: its first key is another than in the response before it, expected the ID"
                )
            heading = cells[0][0]
            answered: list[Answered] = []
            for name, value in cells[first:]:
                question = question_number(name) or 0
                found = self._matrix(where, question, value, met) if isinstance(value, dict) else None
                others[question] = others.get(question, True) and found is None
                answered += found or []
            about = [_text(value, where) for _, value in cells[:first]]
            yield Response(about[0], about[1:], answered, where)
        self.others += sum(others.values())

    def _matrix(
        self, where: str, question: int, value: dict[str, object], met: dict[tuple[int, str], Row | None]
    ) -> list[Answered] | None:
        """Return the answered rows of a matrix question, None where it has no rows of statements."""
        answered: list[Answered] = []
        has_rows = False
        for key, cell in value.items():
            if (question, key) not in met:
                row = met[question, key] = row_of_key(question, key)
                if row is not None:
                    self._meet(row, where)
            row = met[question, key]
            if row is not None:
                has_rows = True
                if choices := self._choices(cell, f"{where}, row [{row.statement}]"):
                    answered.append(Answered(row, choices))
        return answered if has_rows else None

    def _choices(self, cell: object, where: str) -> list[Choice]:
        if not isinstance(cell, list):
            return choices_in_text(_text(cell, where), self._words)
        words = ((place, _text(entry, where).strip()) for place, entry in enumerate(cell))
        return [Choice(place, word) for place, word in words if word]


def _is_json(source: Source, member: str) -> bool:
    """Whether a file is JSON; what its name does not tell, its beginning does."""
    if member.lower().endswith((".json", ".csv")):
        return member.lower().endswith(".json")
    return next(source.lines(member), b"").removeprefix(_BOM).lstrip()[:1] in (b"[", b"{")


def _table(source: Source, member: str) -> Table:
    """Open a CSV; what ends its first cell separates all."""
    first = next(source.lines(member), b"").removeprefix(_BOM).decode("utf-8", "replace")
    if first.startswith('"'):
        end = first.find('"', 1)
        first = first[end + 1 :] if end > 0 else ""
    mark = next((char for char in first if char in DELIMITERS), ";")
    return Table(member, _without_mark(source.lines(member)), mark)


def _without_mark(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Yield lines without the byte-order mark that spreadsheets put before the first."""
    for number, line in enumerate(lines):
        yield line if number else line.removeprefix(_BOM)


def _text(value: object, where: str) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST:
        return str(value)
    raise MalformedError(f"{where}: expected a text in a cell, got something else")


def identifier(response: Response) -> str:
    """Return the ID of a respondent as ids are compared: composed letters, no space around it.

    Raises:
        MalformedError: it cannot be what Decidim exports.
    """
    who = unicodedata.normalize("NFC", response.who).strip()
    what = ""
    if not who or len(who) > MAX_ID_LENGTH:
        what = f"1 to {MAX_ID_LENGTH:,} characters, got {len(who):,}"
    elif "@" in who:
        what = "no e-mail address; the first column must be the ID as Decidim exports it"
    elif _SHORTENED.fullmatch(who):
        what = "no shortened number: a spreadsheet gave different people one ID; export again and do not open it there"
    elif _CONTROL.search(who):
        what = "one line of plain characters"
    if what:
        raise MalformedError(f"{response.where}: expected as ID of the respondent {what}")
    return who
