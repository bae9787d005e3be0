"""Where a matrix survey of Decidim keeps its rows and answers: names of columns and what stands in their cells.

A matrix question "2. Title" has a row per statement, "[12] Text" in surveys made
by the kit. JSON keeps question and row apart. CSV joins them, "2. Title/[12] Text",
though titles and texts may hold "/[9] " themselves: see `split_columns`.

An answer is the text of the option that was chosen, with an empty place for
each of the others: ["Agree", null, null] in JSON, "Agree, , " in CSV, or ",Agree"
where a spreadsheet took spaces away. Old versions wrote the option alone.

Does not check: that titles are those of the kit; only rows tell what a question is.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, deque
from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from auzolan.deliberate.shortlist.tidying import tidy
from auzolan.deliberate.sources.cells import MAX_ID
from auzolan.deliberate.sources.survey_words import fold
from auzolan.deliberate.sources.texts import mask

_QUESTION = re.compile(r"\s*([1-9][0-9]{0,3})\.(?:\s|$)", re.ASCII)
_ID = r"\[(0|[1-9][0-9]{0,15})\]\s*"
_ROW = re.compile(rf"\s*{_ID}", re.ASCII)
_ROW_IN_COLUMN = re.compile(rf"/\s*{_ID}", re.ASCII)
_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,3})\d{0,6})?\s?(?:(Z|UTC)|([+-])([01]\d|2[0-3]):?([0-5]\d))?",
    re.ASCII,
)
_MOST_WAYS = 32  # to read one name; the last ones, as more are made to do harm
_EDGE = " ,\t\r\n\u00a0\u202f"
_GUARDED = re.compile(r"'(?=[=+\-@])")


class Row(NamedTuple):
    """One row of a matrix question.

    Attributes:
        question: number of the question in its survey.
        statement: id of the statement.
        text: of the row, without the id.
    """

    question: int
    statement: int
    text: str


class Choice(NamedTuple):
    """One option that was chosen in a row.

    Attributes:
        place: which option it was, from 0; None where the source does not tell.
        word: its text.
    """

    place: int | None
    word: str


def question_number(name: str) -> int | None:
    """Return the number of the question that a key or a column is about, None where it is about the respondent."""
    found = _QUESTION.match(name)
    return int(found[1]) if found else None


def same_text(left: str, right: str) -> bool:
    """Whether two texts are the same but for what is masked, what a kit takes out, spaces, and composed letters."""
    return _plain(left) == _plain(right)


def _plain(text: str) -> str:
    return mask(tidy(unicodedata.normalize("NFC", text))).text


class Wordings:
    """What the statements of a list say, in each of its languages.

    Attributes:
        numbers: of the statements on the list.
    """

    def __init__(
        self, statements: Mapping[int, str], translations: Mapping[int, Collection[str]] | None = None
    ) -> None:
        self.numbers = frozenset(statements)
        self._numbers_by_text: dict[str, set[int]] = {}
        for number, text in chain(
            statements.items(), ((number, text) for number, texts in (translations or {}).items() for text in texts)
        ):
            if plain := _plain(text):
                self._numbers_by_text.setdefault(plain, set()).add(number)

    def numbers_of(self, text: str) -> frozenset[int]:
        """Return which statements say this in one of their languages; none where no language has these words."""
        return frozenset(self._numbers_by_text.get(_plain(text), ()))


def row_of_key(question: int, key: str) -> Row | None:
    """Return which row a key of a matrix question in JSON names, None where it has no id."""
    found = _ROW.match(key)
    if not found or int(found[1]) > MAX_ID:
        return None
    return Row(question, int(found[1]), key[found.end() :].strip())


class _Split(NamedTuple):
    """One way to read the name of a column."""

    title: str
    row: Row


def split_columns(names: Sequence[str], listed: Wordings | None) -> list[Row | None]:
    """Return which row of a matrix each column of a CSV is, None where it is none.

    Where a name can be read in several ways: statements on the list before others, then the longest whose text
    is one of its own on the list, then the title that most columns of the question share, then the last.
    """
    ways = [_ways(name, listed) for name in names]
    shared = Counter(way.title for found in ways for way in found)
    return [_best(found, listed, shared) for found in ways]


def _ways(name: str, listed: Wordings | None) -> list[_Split]:
    question = question_number(name)
    if question is None:
        return []
    found = [
        _Split(name[: part.start()], Row(question, int(part[1]), name[part.end() :].strip()))
        for part in deque(_ROW_IN_COLUMN.finditer(name), _MOST_WAYS)
        if int(part[1]) <= MAX_ID
    ]
    return [way for way in found if listed is not None and way.row.statement in listed.numbers] or found


def _best(ways: Sequence[_Split], listed: Wordings | None, shared: Mapping[str, int]) -> Row | None:
    if not ways:
        return None
    exact = [way for way in ways if listed is not None and way.row.statement in listed.numbers_of(way.row.text)]
    if exact:
        return exact[0].row  # the longest text: that a title should end in all of it by chance is unlikely
    most = max(shared[way.title] for way in ways)
    return [way for way in ways if shared[way.title] == most][-1].row


def choices_in_text(cell: str, known: Mapping[str, int]) -> list[Choice]:
    """Return the options chosen in a flattened cell.

    Args:
        cell: as in the CSV.
        known: what words mean, as `fold` gives them; only with them can an option with a comma in its text ("Yes, of
            course") be told from two options.
    """
    text = _GUARDED.sub("", cell.strip(_EDGE), count=1)
    if not text:
        return []
    before = cell[: len(cell) - len(cell.lstrip(_EDGE))].count(",")
    after = cell[len(cell.rstrip(_EDGE)) :].count(",")
    place = before if before or after else None
    if "," not in text or fold(text) in known:
        return [Choice(place, text)]
    pieces = [piece.strip(_EDGE) for piece in text.split(",")]
    pieces = [piece for piece in pieces if piece]
    meant = {known.get(fold(piece)) for piece in pieces}
    if len(meant) > 1 and None not in meant:
        return [Choice(None, piece) for piece in pieces]
    return [Choice(None, text)]  # the place could be that of another option; two unknown ones look like this too


def moment(text: str) -> int | None:
    """Return the milliseconds since 1970 of a date as Decidim writes it (UTC where it says nothing else), else None."""
    found = _MOMENT.fullmatch(text.strip())
    if not found:
        return None
    date, clock, fraction, _, sign, hours, minutes = found.groups()
    try:
        at = int(np.datetime64(f"{date}T{clock}.{(fraction or '').ljust(3, '0')}", "ms").astype(np.int64))
    except ValueError:  # such as the 30th of February
        return None
    offset = (int(hours) * 60 + int(minutes)) * 60_000 if sign else 0
    at += offset if sign == "-" else -offset
    return at if at > 0 else None
