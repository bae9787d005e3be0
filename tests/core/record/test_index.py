from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from auzolan.core.record.checkpoint import TreeHead
from auzolan.core.record.errors import StorageError
from auzolan.core.record.index import Index, Row
from auzolan.core.record.merkle import EMPTY_ROOT
from auzolan.core.record.record import Record
from auzolan.core.record.view import index_row
from tests.town import LIBRARY, SCHOOL, document, root_record, sign

Item = tuple[Row, Record]
BLOB = "ab" * 32


def item(position: int, record: Record) -> Item:
    return index_row(position, sign(record, LIBRARY, SCHOOL), ("library", "school")), record


def numbered(count: int, start: int = 0) -> list[Item]:
    return [item(position, Record("note/v1", {"number": position})) for position in range(start, start + count)]


def head(size: int) -> TreeHead:
    return TreeHead(size, bytes([size % 256]) * 32)


def filled() -> tuple[Index, list[Item]]:
    """Return an index of four records: a root, a document, one about it, one with a blob."""
    root = root_record()
    first = document("First")
    about = document("About", about=first.id, again=first.id)
    holder = Record("document/v1", {"title": "x"}, {"about": first.id}, {"file": BLOB, "private.names": "cd" * 32})
    items = [item(position, record) for position, record in enumerate((root, first, about, holder))]
    index = Index(None)
    index.add(items, head(4))
    return index, items


def test_a_new_index_is_of_the_empty_tree() -> None:
    index = Index(None)

    assert TreeHead(0, EMPTY_ROOT) == index.head
    assert list(index.rows()) == []
    assert index.find("00" * 32) is None


def test_a_record_is_found_by_id_and_by_entry() -> None:
    index, items = filled()

    assert head(4) == index.head
    for row, record in items:
        assert row == index.find(record.id) == index.find(row.entry)
    assert index.find("ff" * 32) is None
    assert index.find("") is None


def test_rows_come_in_log_order_by_kind_and_from_a_place_on() -> None:
    index, items = filled()
    rows = [row for row, _ in items]

    assert rows == list(index.rows())
    assert rows[1:] == list(index.rows("document/v1"))
    assert rows[2:] == list(index.rows(start=2))
    assert rows[3:] == list(index.rows("document/v1", start=3))
    assert list(index.rows("unknown/v1")) == []
    assert list(index.rows(start=4)) == []


def test_links_are_walked_backwards_in_log_order() -> None:
    index, items = filled()
    first, about, holder = (record.id for _, record in items[1:])

    assert index.sources(first) == [(about, "about"), (about, "again"), (holder, "about")]
    assert index.sources(holder) == []


def test_blobs_lead_to_the_records_that_name_them() -> None:
    index, items = filled()

    assert index.holders(BLOB) == [(items[3][1].id, "file")]
    assert index.holders("cd" * 32) == [(items[3][1].id, "private.names")]
    assert index.holders("00" * 32) == []


def test_a_prefix_finds_at_most_two() -> None:
    index, items = filled()
    ids = sorted(record.id for _, record in items)

    assert [index.find(ids[0])] == index.matching(ids[0])
    assert [index.find(ids[0])] == index.matching(ids[0][:12])
    assert len(index.matching("")) == 2
    for prefix in ("g", "F" * 8, "%", "_" * 8, "' or 1=1 --", ids[0] + "0"):
        assert index.matching(prefix) == []


def test_the_body_stands_in_the_index_as_it_was_signed() -> None:
    index, items = filled()
    (stored,) = index._db.execute("select body from records where position = 1").fetchone()

    assert items[1][1].body == json.loads(stored)


def test_awkward_text_survives() -> None:
    body = {"a\x00b": "'; drop table records; --", "\u2028": "\ufeff\U0001f33e"}
    index = Index(None)
    index.add([item(0, Record("note/v1", dict(body)))], head(1))
    (stored,) = index._db.execute("select body from records").fetchone()

    assert body == json.loads(stored)


def test_forgetting_everything_leaves_the_empty_tree() -> None:
    index, items = filled()
    index.clear()

    assert TreeHead(0, EMPTY_ROOT) == index.head
    assert list(index.rows()) == []
    assert index.sources(items[1][1].id) == index.holders(BLOB) == []


def test_a_record_that_stands_already_adds_nothing() -> None:
    index, items = filled()
    again = [*numbered(2, start=4), (items[1][0]._replace(position=6), items[1][1])]

    with pytest.raises((sqlite3.IntegrityError, StorageError)):
        index.add(again, head(7))
    assert [row for row, _ in items] == list(index.rows())
    assert head(4) == index.head


def test_an_index_survives_being_closed(tmp_path: Path) -> None:
    index = Index(tmp_path / "index.sqlite")
    items = numbered(3)
    index.add(items, head(3))
    index.close()
    again = Index(tmp_path / "index.sqlite")

    assert [row for row, _ in items] == list(again.rows())
    assert head(3) == again.head
    again.close()


def test_plain_sqlite_opens_it(tmp_path: Path) -> None:
    index = Index(tmp_path / "index.sqlite")
    index.add(numbered(3), head(3))
    index.close()
    plain = sqlite3.connect(tmp_path / "index.sqlite")
    kinds = plain.execute("select kind, count(*) from records group by kind").fetchall()
    plain.close()

    assert kinds == [("note/v1", 3)]


def steps_of(index: Index, digest: str) -> int:
    """Return how many times ten steps SQLite's machine takes to find a record, as the machine itself counts them."""
    counted = 0

    def step() -> int:
        nonlocal counted
        counted += 1
        return 0

    index._db.set_progress_handler(step, 10)
    index.find(digest)
    index._db.set_progress_handler(None, 0)
    return counted


@pytest.mark.parametrize("by", ["id", "entry", "neither"])
def test_finding_a_record_takes_no_longer_in_a_larger_index(by: str) -> None:
    """Every commit looks up ids and links; a search through the whole table would make appending linear."""
    counts = []
    for size in (10, 300):
        index = Index(None)
        items = numbered(size)
        index.add(items, head(size))
        row = items[-1][0]
        counts.append(steps_of(index, {"id": row.id, "entry": row.entry, "neither": "00" * 32}[by]))

    assert counts[1] <= counts[0] + 10
