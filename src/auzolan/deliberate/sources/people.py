"""What a table says of its participants: who each one is, and to which strata (district, language) they belong.

One place for it, since names and values of strata are published and ids become
pseudonyms: a survey and a table of strata must read both alike.

Checks: ids of 1 to `MAX_ID_LENGTH` characters; names and values of strata of
at most `MAX_STRATUM_LENGTH`, no formula, no control character, no e-mail
address and no long number; names that differ, do not say that they name people
and are not `RESERVED`.
Does not check: names of people, or strata so fine that they tell who somebody is.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from auzolan.deliberate.sources.cells import Table
from auzolan.deliberate.sources.survey_words import fold, is_personal
from auzolan.deliberate.sources.texts import mask, unfit

MAX_ID_LENGTH = 1000
MAX_STRATUM_LENGTH = 200
RESERVED = "opinion"  # what tallies call the groups that are found from the votes


def participant_id(table: Table, column: int, cell: str) -> str:
    """Return the id of a participant as ids are compared: composed letters, no space around it.

    Raises:
        MalformedError: it is empty or too long.
    """
    who = unicodedata.normalize("NFC", cell).strip()
    if not who or len(who) > MAX_ID_LENGTH:
        raise table.wrong(column, f"expected a participant in 1 to {MAX_ID_LENGTH:,} characters, got {len(who):,}")
    return who


def stratum_value(table: Table, column: int, cell: str) -> str:
    """Return to which part of a stratum a participant belongs, "" where the cell is empty.

    Raises:
        MalformedError: it is too long, or nothing that may be published.
    """
    return _publishable(table, column, cell, "the value of a stratum")


def stratum_names(table: Table, columns: Sequence[int]) -> tuple[str, ...]:
    """Return the names of strata; called before the first row, so that errors name the header.

    Raises:
        MalformedError: a name that may not be published, is there twice or is `RESERVED`.
    """
    names: dict[str, int] = {}
    for column in columns:
        if is_personal(table.header[column]):
            raise table.wrong(column, "a stratum of this name would name people")
        name = _publishable(table, column, table.header[column], "the name of a stratum")
        if fold(name) == RESERVED:
            raise table.wrong(column, f"“{RESERVED}” is what groups found from the votes are called; rename the column")
        if name in names:
            raise table.wrong(column, f"the stratum is there twice, first as column {names[name] + 1:,}")
        names[name] = column
    return tuple(names)


def _publishable(table: Table, column: int, cell: str, what: str) -> str:
    text = unicodedata.normalize("NFC", cell).strip()
    if len(text) > MAX_STRATUM_LENGTH:
        raise table.wrong(column, f"{what} has {len(text):,} characters, at most {MAX_STRATUM_LENGTH} are read")
    if why := unfit(cell):
        raise table.wrong(column, why)
    if mask(text).text != text:
        raise table.wrong(column, "an e-mail address or a long number is no stratum")
    return text
