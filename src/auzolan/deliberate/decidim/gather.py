"""Edge: gathers what a reader yields: in order, each entity once, the comment tree whole, and counted.

A million proposals do not fit in memory, so they go through a temporary
SQLite file of this process's own, in a folder of its user alone, gone with the process. It is the only place
where pseudonyms of people who wrote stand, and they leave it only as counts.

The same entities give the same bytes, whatever their order in the source.

Checks: an entity that comes twice is the same both times; a comment answers one
that is there, in the same discussion, and no ring of comments answers itself. Where that does not hold, the comment
hangs at the discussion itself, as on the page it stands somewhere too, and is counted.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from re import sub
from types import TracebackType
from typing import Self

from auzolan.core.record.errors import MalformedError, StorageError
from auzolan.deliberate.decidim.entities import Comment, Entity, EntityClass, Left, Proposal
from auzolan.deliberate.decidim.lines import to_line

PART_BYTES = 8 * 2**20
_BATCH = 1_000
_TABLES = """
CREATE TABLE entity (
  class TEXT, id INTEGER, component INTEGER, text BLOB, supports INTEGER, flags INTEGER, line BLOB,
  PRIMARY KEY (class, id)
);
CREATE TABLE comment (
  id INTEGER PRIMARY KEY, parent INTEGER, class TEXT, about INTEGER, alignment INTEGER, person BLOB, at TEXT
);
CREATE TABLE person (name BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE earlier (id INTEGER PRIMARY KEY, text BLOB, line BLOB);
CREATE TABLE aligned (about INTEGER PRIMARY KEY, people_for INTEGER, against INTEGER);
"""
# Flags: 1 an amendment, 2 withdrawn, 4 a fingerprint that Decidim told, 8 one that was computed.
_COUNT = """
SELECT class || 's', count(*) FROM entity GROUP BY class
UNION ALL SELECT 'amendments', coalesce(sum(flags & 1 > 0), 0) FROM entity
UNION ALL SELECT 'withdrawn', coalesce(sum(flags & 2 > 0), 0) FROM entity
UNION ALL SELECT 'participants', count(*) FROM person
"""
_SUPPORTS = """
SELECT count(supports), count(*) - count(supports), coalesce(sum(supports), 0)
FROM entity WHERE class = 'proposal' AND NOT flags & 2
"""
_FINGERPRINTS = "SELECT coalesce(sum(flags & 4 > 0), 0), coalesce(sum(flags & 8 > 0), 0) FROM entity"
_LOST = "SELECT id FROM comment WHERE parent IS NOT NULL AND parent NOT IN (SELECT id FROM comment)"
_ELSEWHERE = """
SELECT reply.id FROM comment AS reply JOIN comment AS first ON reply.parent = first.id
WHERE (reply.class, reply.about) <> (first.class, first.about)
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
INSERT INTO aligned SELECT about, sum(alignment = 1), sum(alignment = -1) FROM (
  SELECT about, alignment, max(at || printf('%020d', id)) FROM comment
  WHERE class = 'proposal' AND alignment <> 0 GROUP BY about, coalesce(person, id)
) GROUP BY about
"""
_LINES = """
SELECT entity.id, text, CASE WHEN aligned.about IS NULL THEN line
  ELSE '{"aligned":[' || people_for || ',' || against || '],' || substr(line, 2) END
FROM entity LEFT JOIN aligned ON class = 'proposal' AND aligned.about = entity.id
WHERE class = ? ORDER BY component, entity.id
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
        self._twice = 0
        self._has_earlier = False
        self._rows: list[tuple[str, int, int, bytes, int | None, int, bytes]] = []
        self._comments: list[tuple[int, int | None, str | None, int | None, int | None, bytes | None, str | None]] = []
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
            text = bytes.fromhex(entity.fingerprint.value) if entity.fingerprint else b""
        elif isinstance(entity, Comment):
            people = (entity.author,)
            self._comments.append(_row_of(entity))
        self._people.update(bytes.fromhex(name) for name in people if name is not None)
        self._rows.append((key.kind, key.id, key.component, text, supports, flags, to_line(entity)))

    def _write(self) -> None:
        """Write what was taken in, and count what was not there yet."""
        base = self._base
        base.executemany("INSERT OR IGNORE INTO person VALUES (?)", ((name,) for name in self._people))
        for row in self._rows:
            added = base.execute("INSERT OR IGNORE INTO entity VALUES (?, ?, ?, ?, ?, ?, ?)", row).rowcount
            if not added:
                self._check_same(row[0], row[1], row[-1])
        base.executemany("INSERT OR IGNORE INTO comment VALUES (?, ?, ?, ?, ?, ?, ?)", self._comments)
        self._people.clear()
        self._rows.clear()
        self._comments.clear()

    def _check_same(self, kind: str, number: int, line: bytes) -> None:
        if self._line(kind, number) != line:
            raise MalformedError(f"{kind} {number} is in the source twice, and not the same both times")
        self._twice += 1

    def compare(self, earlier: Iterable[Proposal]) -> None:
        """Take in the proposals of the import that this one replaces."""
        with _storage():
            self._has_earlier = True
            self._base.execute("BEGIN")
            self._base.executemany(
                "INSERT OR IGNORE INTO earlier VALUES (?, ?, ?)",
                (
                    (
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
            fingerprints = self._base.execute(_FINGERPRINTS).fetchone()
            return Gathered(
                counts=dict.fromkeys(names, 0) | dict(self._base.execute(_COUNT)),
                supports=dict(zip(("known", "hidden", "total"), supports, strict=True)),
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
            lines = ((_without_parent(self._line("comment", number)), number) for (number,) in found)
            self._base.executemany("UPDATE entity SET line = ? WHERE class = 'comment' AND id = ?", lines)
            yield Left(rule, len(found))

    def _line(self, kind: str, number: int) -> bytes:
        found = self._base.execute("SELECT line FROM entity WHERE class = ? AND id = ?", (kind, number)).fetchone()
        return bytes(found[0])

    def _changes(self) -> Mapping[str, int]:
        """Count proposals against the earlier import, by their fingerprints and by all else that is told of them."""
        found = dict.fromkeys(("added", "changed", "updated", "same"), 0)
        for number, text, line in self._base.execute(_LINES, ("proposal",)):
            before = self._base.execute("SELECT text, line FROM earlier WHERE id = ?", (number,)).fetchone()
            if before is None:
                found["added"] += 1
            elif before[0] != text:
                found["changed"] += 1
            else:
                found["same" if before[1] == sha256(_bytes(line)).digest() else "updated"] += 1
        gone = "SELECT count(*) FROM earlier WHERE id NOT IN (SELECT id FROM entity WHERE class = 'proposal')"
        return {**found, "gone": self._base.execute(gone).fetchone()[0]}

    def parts(self, kind: EntityClass) -> Iterator[bytes]:
        """Yield the lines of a class, in the order of their keys, in parts of about `PART_BYTES`.

        Raises:
            StorageError: the temporary file cannot be read.
        """
        part = bytearray()
        with _storage():
            for _number, _text, line in self._base.execute(_LINES, (kind,)):
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


def _row_of(entity: Comment) -> tuple[int, int | None, str | None, int | None, int | None, bytes | None, str | None]:
    kind, about = entity.about or (None, None)
    person = None if entity.author is None else bytes.fromhex(entity.author)
    return entity.key.id, entity.parent, kind, about, entity.alignment, person, entity.created_at or ""
