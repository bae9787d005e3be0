"""`statements.csv`: the shortlist as people edit it in a spreadsheet, before it is put to everybody.

| column | what it is |
|---|---|
| statement | number of the row when it was written; the order of the rows counts |
| proposals | `#66 #74`: the first has the place, the others say the same and are merged into it |
| text/XX | what is asked, in each language; needed in the main one |
| quota, title, supports | only for reading |
| alike | only for reading: other proposals whose titles are alike, and which may say the same |

Written with semicolons, a byte-order mark and `#`, so that a spreadsheet in any country opens it as a table and takes
no list of numbers for one number. Read as any spreadsheet saves it.

Checks: the form of `cells` (commas, semicolons or tabs); which columns; that proposals are numbers or keys, each once;
a text in the main language; texts that are no formulas and of a length that is read; 1 to 500 rows.
Does not check: whether the proposals exist and have a place (`listing`), or what a text says.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from auzolan.core.kinds.constitution import check_language
from auzolan.core.kinds.proposals import Shortlist
from auzolan.core.record.errors import MalformedError
from auzolan.deliberate.decidim.entities import Key
from auzolan.deliberate.shortlist.candidates import in_language
from auzolan.deliberate.shortlist.choosing import Choice
from auzolan.deliberate.shortlist.likes import Like
from auzolan.deliberate.shortlist.tidying import bare, guarded, tidy
from auzolan.deliberate.sources.cells import DELIMITERS, Table, shown
from auzolan.deliberate.sources.texts import unfit

NAME = "statements.csv"
STATEMENT, PROPOSALS, TEXT, QUOTA, TITLE, SUPPORTS = "statement", "proposals", "text/", "quota", "title", "supports"
ALIKE = "alike"
_SEPARATOR = ";"
_BOM = b"\xef\xbb\xbf"
_BETWEEN = re.compile(r"[\s,;+&]+")
_NUMBER = re.compile(r"#?([1-9][0-9]{0,15})", re.ASCII)
_KEY = re.compile(r"#?([a-z0-9.:-]{1,253}/[0-9]{1,16}/proposal/[1-9][0-9]{0,15})", re.ASCII)


@dataclass(frozen=True)
class Row:
    """One statement as the file has it.

    Attributes:
        line: of the file.
        proposals: numbers, or keys as text; the first leads.
        text: language -> what is asked; those that are empty are not in it.
    """

    line: int
    proposals: tuple[int | str, ...]
    text: Mapping[str, str]


@dataclass(frozen=True)
class Sheet:
    """An edited file.

    Attributes:
        name: of the file.
        languages: that it has columns for, the main one first.
        rows: in their order.
    """

    name: str
    languages: tuple[str, ...]
    rows: tuple[Row, ...]


def write_statements(
    choice: Choice, languages: Sequence[str], likes: Mapping[Key, Sequence[Like]] | None = None
) -> bytes:
    """Return the file for a choice, with the titles of the proposals as texts.

    Args:
        choice: which proposals.
        languages: of the kit, the main one first; the main text of a proposal without a title in it is what there is.
        likes: of each chosen proposal, others whose titles are alike.
    """
    hosts = {each.candidate.key.host for each in choice.chosen}
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=_SEPARATOR, lineterminator="\r\n")
    writer.writerow([STATEMENT, PROPOSALS, *(TEXT + each for each in languages), QUOTA, TITLE, SUPPORTS, ALIKE])
    for number, (candidate, quota, _) in enumerate(choice.chosen, 1):
        texts = texts_of(candidate.title, languages)
        title = tidy(in_language(candidate.title, languages[0]))
        supports = "" if candidate.supports is None else str(candidate.supports)
        named = f"#{candidate.key.id if len(hosts) == 1 else candidate.key}"
        cells = [*(texts.get(each, "") for each in languages), quota, title]
        near = " | ".join(
            f"#{each.key.id if len(hosts) == 1 else each.key} {tidy(each.title)}"
            for each in (likes or {}).get(candidate.key, ())
        )
        writer.writerow([number, named, *map(guarded, cells), supports, guarded(near)])
    return _BOM + stream.getvalue().encode("utf-8")


def texts_of(title: Mapping[str, str], languages: Sequence[str]) -> dict[str, str]:
    """Return the texts of a statement that a title gives, by language; the main one never empty."""
    found = {each: tidy(title.get(each, "")) for each in languages}
    main = found[languages[0]] or tidy(in_language(title, languages[0]))
    return {each: text for each, text in (found | {languages[0]: main}).items() if text}


def read_statements(name: str, lines: Iterable[bytes], languages: Sequence[str]) -> Sheet:
    """Read an edited file.

    Args:
        name: of the file, for errors.
        lines: of it.
        languages: that the kit is in, the main one first; the file has a column for each of them and no other.

    Raises:
        MalformedError: a check of this module failed; the message says where.
    """
    lines = iter(lines)
    first = next(lines, b"").removeprefix(_BOM)
    table = Table(name, chain([first] if first else [], lines), _delimiter(first))
    columns = _columns(table, languages)
    at = table.column(PROPOSALS)
    rows: list[Row] = []
    seen: dict[int | str, int] = {}
    for cells in table:
        if not any(cell.strip() for cell in cells):
            continue  # spreadsheets leave such rows where one was cleared
        proposals = tuple(_proposals(table, at, cells[at], seen))
        rows.append(Row(table.line, proposals, dict(_texts(table, columns, cells, languages[0]))))
    if not 1 <= len(rows) <= Shortlist.MAX_STATEMENTS:
        raise MalformedError(f"{name}: {len(rows):,} statements, expected 1 to {Shortlist.MAX_STATEMENTS}")
    return Sheet(name, tuple(languages), tuple(rows))


def _delimiter(header: bytes) -> str:
    return max(DELIMITERS, key=lambda mark: header.count(mark.encode()))


def _columns(table: Table, languages: Sequence[str]) -> dict[str, int]:
    """Return language -> column of its texts."""
    only_read = {STATEMENT, PROPOSALS, QUOTA, TITLE, SUPPORTS, ALIKE}
    for number, column in enumerate(table.header):
        if column.startswith(TEXT) and column.removeprefix(TEXT) not in languages:
            check_language(column.removeprefix(TEXT), table.where(number))
            raise table.wrong(
                number, f"the kit is in {', '.join(languages)}; make it in this language too, or delete it"
            )
        if column not in only_read and not column.startswith(TEXT):
            raise table.wrong(number, "no column of this file; write notes elsewhere, so that no text is lost unseen")
    return {each: table.column(TEXT + each) for each in languages}


def _proposals(table: Table, at: int, cell: str, seen: dict[int | str, int]) -> Iterator[int | str]:
    """Yield the proposals that a row cites, and note them as seen."""
    words = [word for word in _BETWEEN.split(cell.strip().strip("'")) if word]
    if not words:
        raise table.wrong(at, "a statement needs the proposal that it rests on, such as #66")
    for word in words:
        number, key = _NUMBER.fullmatch(word), _KEY.fullmatch(word)
        if not number and not key:
            raise table.wrong(at, f"expected numbers of proposals such as #66 #74, got {shown(word)}")
        found: int | str = int(number[1]) if number else key[1] if key else ""
        if found in seen:
            raise table.wrong(at, f"proposal {found} is there twice, first on line {seen[found]:,}")
        seen[found] = table.line
        yield found


def _texts(table: Table, columns: Mapping[str, int], cells: Sequence[str], main: str) -> Iterator[tuple[str, str]]:
    for language, at in columns.items():
        text = tidy(bare(cells[at]))
        if why := unfit(text):
            raise table.wrong(at, why)
        if text:
            yield language, text
        elif language == main:
            raise table.wrong(at, "a statement needs a text in the main language; delete the row to leave it out")
