"""Edge: where each logged answer stands: id -> position and page, in a SQLite file.

Derived from the pages, never trusted: it is made again where it is missing,
damaged or of another history. Memory does not grow with the number of answers.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, Self

from auzolan.core.record.checkpoint import TreeHead
from auzolan.core.record.errors import StorageError
from auzolan.core.record.index import is_damage
from auzolan.core.record.merkle import EMPTY_ROOT

_SCHEMA = f"""
create table if not exists answers (
  id blob primary key, position integer not null, page integer not null) without rowid;
create table if not exists tree (one integer primary key check (one = 1), size integer not null, root text not null);
insert or ignore into tree values (1, 0, '{EMPTY_ROOT.hex()}');
"""  # noqa: S608  # a constant


class Place(NamedTuple):
    """Index in the log, and index at which its page begins."""

    position: int
    page: int


class Places:
    """The index in the file at `path`, or in memory for None; usable from several threads."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()  # guards the connection
        self._db = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
        try:
            if path:
                self._db.execute("pragma journal_mode = wal")
                self._db.execute("pragma synchronous = normal")
            self._db.executescript(_SCHEMA)
            self._db.execute("select size, root from tree").fetchone()
        except sqlite3.Error:
            self._db.close()
            raise

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the file; a damaged one is thrown away.

        Raises:
            StorageError: it can be neither used nor replaced.
        """
        try:
            try:
                return cls(path)
            except sqlite3.DatabaseError as error:
                if not is_damage(error):
                    raise
                for ending in ("", "-wal", "-shm"):
                    path.with_name(path.name + ending).unlink(missing_ok=True)
                return cls(path)
        except (sqlite3.Error, OSError) as error:
            raise StorageError(f"cannot open the index {path}: {error}") from None

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._db
            except sqlite3.Error as error:
                raise StorageError(f"cannot use the index {self._path}: {error}") from None
            finally:
                with suppress(sqlite3.Error):
                    if self._db.in_transaction:
                        self._db.execute("rollback")

    @property
    def head(self) -> TreeHead:
        """The tree that this was made from."""
        with self._using() as db:
            size, root = db.execute("select size, root from tree").fetchone()
        return TreeHead(size, bytes.fromhex(root))

    def add(self, rows: Iterable[tuple[bytes, int, int]], head: TreeHead) -> None:
        """Add (id, position, page); `head` is the tree they end at."""
        with self._using() as db:
            db.execute("begin immediate")
            db.executemany("insert or replace into answers values (?, ?, ?)", rows)
            db.execute("update tree set size = ?, root = ?", (head.size, head.root.hex()))
            db.execute("commit")

    def clear(self) -> None:
        """Forget everything."""
        with self._using() as db:
            db.execute("begin immediate")
            db.execute("delete from answers")
            db.execute("update tree set size = 0, root = ?", (EMPTY_ROOT.hex(),))
            db.execute("commit")

    def find(self, identity: bytes) -> Place | None:
        """Return where the answer with this id stands."""
        with self._using() as db:
            row = db.execute("select position, page from answers where id = ?", (identity,)).fetchone()
        return Place(*row) if row else None

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()
