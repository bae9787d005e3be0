"""Edge: the files of public evaluation sets, as items. Reads what is already on the disk; downloads nothing.

JSON lines or CSV with the columns that the set was published with. What is in the rows is `sets`' business.
A row that cannot be read stops the reading: half a set would be another set. Errors name the file and the line and
never quote a row, which may be harmful text.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from auzolan.core.evals.items import Item
from auzolan.core.evals.sets import SETS
from auzolan.core.record.canonical import JsonObject, as_object, read_json
from auzolan.core.record.errors import MalformedError, MissingError, StorageError, UsageError

MAX_FILE = 256 * 2**20
MAX_FIELD = 2**20


def load(path: Path, name: str, language: str | None = None) -> list[Item]:
    """Return the items of a file of the set `name`, in the file's order.

    Args:
        path: a .jsonl or .csv file.
        name: a key of `sets.SETS`.
        language: of the file's prompts, needed where its rows do not say and the set has several; rows in another
            are refused, and of rows with several languages only this one is read.

    Raises:
        UsageError: no such set, a language that it has not, or a file that is neither .jsonl nor .csv.
        MissingError: there is no such file.
        StorageError: it cannot be read.
        MalformedError: a row is not of the set's form, or no row is there, or two are the same.
    """
    known = SETS.get(name)
    if known is None:
        raise UsageError(f"{name[:60]!r} is no known evaluation set; known: {', '.join(sorted(SETS))}")
    if language is not None and language not in known.languages:
        raise UsageError(f"{name} has no rows in {language[:20]!r}; it has: {', '.join(known.languages)}")
    said = language or (known.languages[0] if len(known.languages) == 1 else "")
    items: list[Item] = []
    lines: dict[str, int] = {}
    for number, row in _rows(path):
        where = f"{path.name}, line {number}"
        try:
            found = known.rows(row, said, known.origin)
        except MalformedError as error:
            raise MalformedError(f"{where}: not a row of {name}: {error}") from None
        for item in found:
            if item.language not in known.languages or language not in (None, item.language):
                raise MalformedError(f"{where}: not a row of {name} that is wanted: its language is {item.language!r}")
            earlier = lines.setdefault(item.id, number)
            if earlier == number:
                items.append(item)
            elif not known.repeats:
                raise MalformedError(f"{where}: the same item as in line {earlier}")
    if not items:
        raise MalformedError(f"{path.name}: no row of {name} in it")
    return items


def _rows(path: Path) -> Iterator[tuple[int, JsonObject]]:
    suffix = path.suffix.lower()
    if suffix not in (".jsonl", ".csv"):
        raise UsageError(f"{path.name}: expected a .jsonl or .csv file")
    text = _read(path)
    return _json_lines(text, path.name) if suffix == ".jsonl" else _table(text, path.name)


def _read(path: Path) -> bytes:
    try:
        if not path.is_file() and path.exists():
            raise StorageError(f"{path}: not a plain file")
        if path.stat().st_size > MAX_FILE:
            raise MalformedError(f"{path.name}: larger than {MAX_FILE:,} bytes")
        return path.read_bytes()
    except FileNotFoundError:
        raise MissingError(f"{path}: no such file; evaluation sets are not part of this package") from None
    except OSError as error:
        raise StorageError(f"{path}: cannot be read ({error.strerror})") from None


def _json_lines(data: bytes, name: str) -> Iterator[tuple[int, JsonObject]]:
    # Not splitlines: a string may hold other line breaks than these.
    for number, line in enumerate(data.split(b"\n"), 1):
        if line.strip():
            where = f"{name}, line {number}"
            yield number, as_object(read_json(line, where), where)


def _table(data: bytes, name: str) -> Iterator[tuple[int, JsonObject]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MalformedError(f"{name}: not UTF-8 (byte {error.start})") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        if len(set(header)) != len(header):
            raise MalformedError(f"{name}, line 1: a column stands twice")
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                raise MalformedError(f"{name}, line {reader.line_num}: {len(cells)} cells, expected {len(header)}")
            if any(len(cell) > MAX_FIELD for cell in cells):
                raise MalformedError(f"{name}, line {reader.line_num}: a cell of more than {MAX_FIELD:,} characters")
            yield reader.line_num, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise MalformedError(f"{name}, line {reader.line_num}: not CSV ({error})") from None
