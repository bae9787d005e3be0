"""Edge: gathers what a reader yields: in order, each entity once, the comment tree whole, and counted.

A million proposals do not fit in memory, so they go through a temporary
SQLite file that has no name once it is open, so that it is gone with the process, however that ends. It is the only
place where pseudonyms of people who wrote stand, and they leave it only as counts.

The same entities give the same bytes, whatever their order in the source.

Checks: an entity that comes twice is the same both times; a comment answers one
that is there, in the same discussion, and no ring of comments answers itself. Where that does not hold, the comment
hangs at the discussion itself, as on the page it stands somewhere too, and is counted.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from re import sub
from types import TracebackType
from typing import Self

from auzolan.core.record.canonical import MAX_INTEGER
from auzolan.core.record.errors import MalformedError, StorageError
from auzolan.deliberate.decidim.entities import Comment, Entity, EntityClass, Left, Proposal
from auzolan.deliberate.decidim.lines import to_line

PART_BYTES = 8 * 2**20
_BATCH = 1_000
_TABLES = """
CREATE TABLE entity (
  class TEXT, component INTEGER, id INTEGER, text BLOB, supports INTEGER, flags INTEGER, line BLOB,
  PRIMARY KEY (class, component, id)
);
CREATE TABLE comment (
  id INTEGER PRIMARY KEY, parent INTEGER, component INTEGER, class TEXT, about INTEGER, alignment INTEGER, person BLOB,
  at TEXT
);
CREATE TABLE person (name BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE earlier (component INTEGER, id INTEGER, text BLOB, line BLOB, PRIMARY KEY (component, id));
CREATE TABLE aligned (
  component INTEGER, about INTEGER, people_for INTEGER, against INTEGER, PRIMARY KEY (component, about)
);
"""
# Flags: 1 an amendment, 2 withdrawn, 4 a fingerprint that Decidim told, 8 one that was computed.
_COUNT = """
SELECT class || 's', count(*) FROM entity GROUP BY class
UNION ALL SELECT 'amendments', coalesce(sum(flags & 1 > 0), 0) FROM entity
UNION ALL SELECT 'withdrawn', coalesce(sum(flags & 2 > 0), 0) FROM entity
UNION ALL SELECT 'participants', count(*) FROM person
"""
_SUPPORTS = """
SELECT count(supports), count(*) - count(supports), coalesce(total(supports), 0)
FROM entity WHERE class = 'proposal' AND NOT flags & 2
"""
_FINGERPRINTS = "SELECT coalesce(sum(flags & 4 > 0), 0), coalesce(sum(flags & 8 > 0), 0) FROM entity"
_LOST = "SELECT id FROM comment WHERE parent IS NOT NULL AND parent NOT IN (SELECT id FROM comment)"
_ELSEWHERE = """
SELECT reply.id FROM comment AS reply JOIN comment AS first ON reply.parent = first.id
WHERE (reply.class, reply.component, reply.about) <> (first.class, first.component, first.about)
"""
# Comments whose line of answers leads to none that opens a discussion: they answer each other in a ring.
_RINGS = """
WITH RECURSIVE reached (id) AS (
  SELECT id FROM comment WHERE parent IS NULL
  UNION SELECT comment.id FROM comment JOIN reached ON comment.parent = reached.id
)
SELECT id FROM comment WHERE id NOT IN reached
"""
# SQLite takes the other columns of a row with max() from that very row: a person's last aligned comment.
_ALIGNED = """
INSERT INTO aligned SELECT component, about, sum(alignment = 1), sum(alignment = -1) FROM (
  SELECT component, about, alignment, max(at || printf('%020d', id)) FROM comment
  WHERE class = 'proposal' AND alignment <> 0 GROUP BY component, about, coalesce(person, id)
) GROUP BY component, about
"""
_LINES = """
SELECT entity.component, entity.id, text, CASE WHEN aligned.about IS NULL THEN line
  ELSE '{"aligned":[' || people_for || ',' || against || '],' || substr(line, 2) END
FROM entity LEFT JOIN aligned
  ON class = 'proposal' AND aligned.component = entity.component AND aligned.about = entity.id
WHERE class = ? ORDER BY entity.component, entity.id
"""
# A pragma is no part of the data: nothing here needs to outlive a crash.
_FAST = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = FILE; PRAGMA cache_size = -16384;"


@dataclass(frozen=True)
class Gathered:
    """What was gathered, counted.

    Attributes:
        counts: "proposals", "amendments" and "withdrawn" (both among the proposals), "comments", "debates",
            "results", "participants" (people who wrote any of it; only as far as the source tells).
        supports: "known", "hidden", "total".
        fingerprints: "checked", "recomputed".
        left: what was mended in the tree of comments, and what came twice.
        changes: against the earlier import; empty without one.
    """

    counts: Mapping[str, int]
    supports: Mapping[str, int]
    fingerprints: Mapping[str, int]
    left: tuple[Left, ...]
    changes: Mapping[str, int]


class Gathering:
    """Entities on their way from a reader to blobs; a context manager.

    Raises:
        StorageError: the temporary folder is full or cannot be written.
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="auzolan-", ignore_cleanup_errors=True)
        self._base = sqlite3.connect(f"{self._folder.name}/gathered", isolation_level=None)
        self._base.executescript(_FAST + _TABLES)
        os.unlink(f"{self._folder.name}/gathered")  # open all the same, and gone with the process, however it ends
        self._twice = 0
        self._has_earlier = False
        self._rows: list[tuple[str, int, int, bytes, int | None, int, bytes]] = []
        self._comments: list[_Row] = []
        self._people: set[bytes] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._base.close()
        self._folder.cleanup()

    def add(self, entities: Iterable[Entity]) -> None:
        """Take entities in.

        Raises:
            MalformedError: one came twice, and not the same both times.
            StorageError: the disk is full.
        """
        with _storage():
            self._base.execute("BEGIN")
            for entity in entities:
                self._take(entity)
                if len(self._rows) >= _BATCH:
                    self._write()
            self._write()
            self._base.execute("COMMIT")

    def _take(self, entity: Entity) -> None:
        key, text, supports, flags = entity.key, b"", None, 0
        people: Iterable[str | None] = ()
        if isinstance(entity, Proposal):
            people, supports, flags = entity.authors or (), entity.supports, _flags(entity)
            if (supports or 0) > MAX_INTEGER:
                raise MalformedError(f"proposal {key.id}: more supports than the {MAX_INTEGER:,} that are read")
            text = bytes.fromhex(entity.fingerprint.value) if entity.fingerprint else b""
        elif isinstance(entity, Comment):
            people = (entity.author,)
            self._comments.append(_row_of(entity))
        self._people.update(bytes.fromhex(name) for name in people if name is not None)
        self._rows.append((key.kind, key.component, key.id, text, supports, flags, to_line(entity)))

    def _write(self) -> None:
        """Write what was taken in, and count what was not there yet."""
        base = self._base
        base.executemany("INSERT OR IGNORE INTO person VALUES (?)", ((name,) for name in self._people))
        for row in self._rows:
            added = base.execute("INSERT OR IGNORE INTO entity VALUES (?, ?, ?, ?, ?, ?, ?)", row).rowcount
            if not added:
                self._check_same(row[0], row[1], row[2], row[-1])
        base.executemany("INSERT OR IGNORE INTO comment VALUES (?, ?, ?, ?, ?, ?, ?, ?)", self._comments)
        self._people.clear()
        self._rows.clear()
        self._comments.clear()

    def _check_same(self, kind: str, component: int, number: int, line: bytes) -> None:
        query = "SELECT line FROM entity WHERE class = ? AND component = ? AND id = ?"
        if self._base.execute(query, (kind, component, number)).fetchone()[0] != line:
            raise MalformedError(
                f"{kind} {number} of component {component} is in the source twice, and not the same both times"
            )
        self._twice += 1

    def compare(self, earlier: Iterable[Proposal]) -> None:
        """Take in the proposals of the import that this one replaces."""
        with _storage():
            self._has_earlier = True
            self._base.execute("BEGIN")
            self._base.executemany(
                "INSERT OR IGNORE INTO earlier VALUES (?, ?, ?, ?)",
                (
                    (
                        each.key.component,
                        each.key.id,
                        bytes.fromhex(each.fingerprint.value) if each.fingerprint else b"",
                        sha256(to_line(each)).digest(),
                    )
                    for each in earlier
                ),
            )
            self._base.execute("COMMIT")

    def finish(self) -> Gathered:
        """Mend the tree of comments, and count; to be called once, when all is in.

        Raises:
            StorageError: the disk is full.
        """
        with _storage():
            left = (Left("entities that the source holds twice, the same both times", self._twice), *self._mend_tree())
            self._base.execute(_ALIGNED)
            names = ("proposals", "amendments", "withdrawn", "comments", "debates", "results", "participants")
            supports = self._base.execute(_SUPPORTS).fetchone()
            if supports[-1] > MAX_INTEGER:
                raise MalformedError(f"all supports together are {supports[-1]:,.0f}, at most {MAX_INTEGER:,} are read")
            fingerprints = self._base.execute(_FINGERPRINTS).fetchone()
            return Gathered(
                counts=dict.fromkeys(names, 0) | dict(self._base.execute(_COUNT)),
                supports=dict(zip(("known", "hidden", "total"), map(int, supports), strict=True)),
                fingerprints=dict(zip(("checked", "recomputed"), fingerprints, strict=True)),
                left=left,
                changes=self._changes() if self._has_earlier else {},
            )

    def _mend_tree(self) -> Iterator[Left]:
        """Hang what answers nothing that is there at its discussion itself."""
        self._base.execute("CREATE INDEX answers ON comment (parent)")
        for rule, query in (
            ("comments that answer one which is not there", _LOST),
            ("comments that answer one in another discussion", _ELSEWHERE),
            ("comments that answer each other in a ring", _RINGS),
        ):
            found = self._base.execute(query).fetchall()
            self._base.executemany("UPDATE comment SET parent = NULL WHERE id = ?", found)
            lines = ((_without_parent(self._comment(number)), number) for (number,) in found)
            self._base.executemany("UPDATE entity SET line = ? WHERE class = 'comment' AND id = ?", lines)
            yield Left(rule, len(found))

    def _comment(self, number: int) -> bytes:
        found = self._base.execute("SELECT line FROM entity WHERE class = 'comment' AND id = ?", (number,)).fetchone()
        return bytes(found[0])

    def _changes(self) -> Mapping[str, int]:
        """Count proposals against the earlier import, by their fingerprints and by all else that is told of them."""
        found = dict.fromkeys(("added", "changed", "updated", "same"), 0)
        query = "SELECT text, line FROM earlier WHERE component = ? AND id = ?"
        for component, number, text, line in self._base.execute(_LINES, ("proposal",)):
            before = self._base.execute(query, (component, number)).fetchone()
            if before is None:
                found["added"] += 1
            elif before[0] != text:
                found["changed"] += 1
            else:
                found["same" if before[1] == sha256(_bytes(line)).digest() else "updated"] += 1
        gone = (
            "SELECT count(*) FROM earlier WHERE (component, id) NOT IN "
            "(SELECT component, id FROM entity WHERE class = 'proposal')"
        )
        return {**found, "gone": self._base.execute(gone).fetchone()[0]}

    def parts(self, kind: EntityClass) -> Iterator[bytes]:
        """Yield the lines of a class, in the order of their keys, in parts of about `PART_BYTES`.

        Raises:
            StorageError: the temporary file cannot be read.
        """
        part = bytearray()
        with _storage():
            for *_, line in self._base.execute(_LINES, (kind,)):
                part += _bytes(line)
                if len(part) >= PART_BYTES:
                    yield bytes(part)
                    part.clear()
        if part:
            yield bytes(part)


@contextmanager
def _storage() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise StorageError(f"the temporary file of the import cannot be written or read: {error}") from None


def _bytes(line: bytes | str) -> bytes:
    """Return a line; SQLite gives joined ones as text."""
    return line if isinstance(line, bytes) else line.encode()


def _flags(entity: Proposal) -> int:
    told = entity.fingerprint
    computed = 0 if told is None else 4 if told.is_from_decidim else 8
    return (entity.amends is not None) | 2 * entity.is_withdrawn | computed


def _without_parent(line: bytes) -> bytes:
    return sub(rb'"parent":\d+,', b"", line, count=1)


_Row = tuple[int, int | None, int, str | None, int | None, int | None, bytes | None, str]


def _row_of(entity: Comment) -> _Row:
    kind, about = entity.about or (None, None)
    person = None if entity.author is None else bytes.fromhex(entity.author)
    return (
        entity.key.id, entity.parent, entity.key.component, kind, about, entity.alignment, person,
        entity.created_at or "",
    )  # fmt: skip
