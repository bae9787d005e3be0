"""Edge: the ledger's index, a SQLite file that `sqlite3` or `datasette` opens.

It is derived from the log and the records, can be thrown away at any time,
and is never trusted by a verification. `commit` uses it to find a record by
id and to walk links backwards.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, Self

from auzolan.core.record.checkpoint import TreeHead
from auzolan.core.record.errors import StorageError
from auzolan.core.record.merkle import EMPTY_ROOT
from auzolan.core.record.record import Record

_SCHEMA = """
create table if not exists records (
  position integer primary key, id text not null unique, entry text not null,
  kind text not null, signers text not null, body text not null);
create index if not exists records_by_entry on records (entry);
create table if not exists links (
  source text not null, name text not null, target text not null, primary key (source, name)) without rowid;
create index if not exists links_by_target on links (target);
create table if not exists blobs (
  record text not null, name text not null, digest text not null, primary key (record, name)) without rowid;
create index if not exists blobs_by_digest on blobs (digest);
create index if not exists records_by_kind on records (kind, position);
create table if not exists tree (
  one integer primary key check (one = 1), size integer not null, root text not null);
insert or ignore into tree values (1, 0, '{empty}');
"""

_ANOTHER_SCHEMA = re.compile(r"no such (table|column)|has no column|has \d+ columns")


def is_damage(error: sqlite3.DatabaseError) -> bool:
    """Say whether the file must be made again, rather than waited for or left to its owner."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or bool(_ANOTHER_SCHEMA.search(str(error)))


class Row(NamedTuple):
    """One record's place: log index, id, entry (SHA-256 of its envelope), kind, signers."""

    position: int
    id: str
    entry: str
    kind: str
    signers: tuple[str, ...]


class Index:
    """The index in one SQLite file, or in memory for `None`.

    A damaged file raises sqlite3.DatabaseError for which `is_damage` holds;
    whoever owns it deletes it and starts again. Other processes may hold a
    file: it is waited for up to `wait_s` seconds.
    """

    def __init__(self, path: Path | None, wait_s: float = 5.0) -> None:
        self._path = path
        self._db = sqlite3.connect(path or ":memory:", timeout=wait_s, isolation_level=None)
        if path:
            self._db.execute("pragma journal_mode = wal")
            # The index can be rebuilt, so it need not be flushed at every step.
            self._db.execute("pragma synchronous = normal")
        self._db.executescript(_SCHEMA.format(empty=EMPTY_ROOT.hex()))

    @classmethod
    def for_reading(cls, path: Path, wait_s: float = 5.0) -> Self:
        """Open the index in a file, or an empty one in memory where the file cannot be written."""
        try:
            return cls(path, wait_s)
        except sqlite3.OperationalError as error:
            if is_damage(error):
                raise
            return cls(None)

    def __del__(self) -> None:
        if hasattr(self, "_db"):  # not there when opening failed
            # A closed one may be let go of by any thread.
            with suppress(sqlite3.ProgrammingError):
                self._db.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            self._db.execute("begin immediate")
            yield
            self._db.execute("commit")
        except sqlite3.OperationalError as error:
            if is_damage(error):
                raise
            raise StorageError(f"cannot write the index {self._path}: {error}") from None
        finally:
            if self._db.in_transaction:
                self._db.execute("rollback")

    @property
    def head(self) -> TreeHead:
        """The tree that the index was made from."""
        size, root = self._db.execute("select size, root from tree").fetchone()
        return TreeHead(size, bytes.fromhex(root))

    def add(self, rows: Sequence[tuple[Row, Record]], head: TreeHead) -> None:
        """Add records in log order; `head` is the tree they end at.

        Records that another process has added meanwhile stay as they are.

        Raises:
            StorageError: another process makes the index again from the start.
        """
        with self._writing():
            size = self.head.size
            if rows and rows[0][0].position > size:
                # A gap would go unnoticed, and a record in it would be logged twice.
                raise StorageError(f"the index {self._path} was cleared meanwhile by another process")
            for row, record in rows:
                if row.position < size and self._holds(row):
                    continue
                body = json.dumps(record.body, ensure_ascii=False)
                signers = " ".join(row.signers)
                values = (row.position, row.id, row.entry, row.kind, signers, body)
                self._db.execute("insert into records values (?, ?, ?, ?, ?, ?)", values)
                links = [(row.id, name, target) for name, target in record.links.items()]
                self._db.executemany("insert into links values (?, ?, ?)", links)
                blobs = [(row.id, name, digest) for name, digest in record.blobs.items()]
                self._db.executemany("insert into blobs values (?, ?, ?)", blobs)
            if head.size > size:
                self._db.execute("update tree set size = ?, root = ?", (head.size, head.root.hex()))

    def _holds(self, row: Row) -> bool:
        query = "select 1 from records where position = ? and id = ? and entry = ?"
        return self._db.execute(query, (row.position, row.id, row.entry)).fetchone() is not None

    def clear(self) -> None:
        """Forget everything, before a rebuild."""
        with self._writing():
            for table in ("records", "links", "blobs"):
                self._db.execute(f"delete from {table}")  # noqa: S608  # names are the constants above
            self._db.execute("update tree set size = 0, root = ?", (EMPTY_ROOT.hex(),))

    def find(self, digest: str) -> Row | None:
        """Return the record with this id or this entry."""
        query = "select position, id, entry, kind, signers from records where id = ? or entry = ?"
        row = self._db.execute(query, (digest, digest)).fetchone()
        return _row(row) if row else None

    def matching(self, prefix: str) -> list[Row]:
        """Return up to 2 records whose id begins with `prefix`."""
        query = "select position, id, entry, kind, signers from records where id >= ? and id < ? limit 2"
        return [_row(row) for row in self._db.execute(query, (prefix, prefix + "g"))]

    def rows(self, kind: str | None = None, start: int = 0) -> Iterator[Row]:
        """Yield the records from log index `start` on, in log order."""
        query = "select position, id, entry, kind, signers from records where position >= ?"
        if kind:
            query += " and kind = ?"
        values = (start, kind) if kind else (start,)
        for row in self._db.execute(query + " order by position", values):
            yield _row(row)

    def sources(self, target: str) -> list[tuple[str, str]]:
        """Return (id, link name) of the records that link to `target`, in log order."""
        query = "select source, name from links join records on id = source where target = ? order by position, name"
        return list(self._db.execute(query, (target,)))

    def holders(self, digest: str) -> list[tuple[str, str]]:
        """Return (id, blob name) of the records that name a blob."""
        query = "select record, name from blobs join records on id = record where digest = ? order by position"
        return list(self._db.execute(query, (digest,)))


def _row(row: tuple[int, str, str, str, str]) -> Row:
    return Row(row[0], row[1], row[2], row[3], tuple(row[4].split()))
