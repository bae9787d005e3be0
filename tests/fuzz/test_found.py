"""What fuzzing and reading for bugs found, each kept as a case of its own."""

from __future__ import annotations

from typing import Any

import pytest

from auzolan.core.record.canonical import JsonObject
from auzolan.core.record.checkpoint import TreeHead, checkpoint_text, tile_path
from auzolan.core.record.errors import AuzolanError, MalformedError, MissingError, VerificationError
from auzolan.core.record.files import MAX_READ_BYTES
from auzolan.core.record.findings import Expectation, Status, VerifiedLedger
from auzolan.core.record.index import Index
from auzolan.core.record.ledger import Ledger
from auzolan.core.record.merkle import EMPTY_ROOT
from auzolan.core.record.note import Note, cosign_note, sign_note
from auzolan.core.record.record import Record
from auzolan.core.record.tombstone import tombstone
from auzolan.core.record.verify import verify_ledger
from tests.memory_files import MemoryFiles
from tests.town import LOG, NOW, ORIGIN, ROOT_ID, WITNESS, Town, document, root_record, sign

DAY = 86_400
WITNESSED: dict[str, Any] = {"keys": [str(WITNESS.witness_public)], "quorum": 1, "max_age_days": 7}


def status(verified: VerifiedLedger, number: int) -> Status:
    return verified.steps[number - 1].status


def cosigned(text: str, time: int) -> bytes:
    return Note(text, (sign_note(text, LOG), cosign_note(text, WITNESS, time))).to_bytes()


def test_a_cosignature_on_another_log_does_not_make_this_one_fresh() -> None:
    """`cosigned` may be any file that the publisher likes; only heads of this very log tell its age."""
    town = Town(root_record(witnesses=WITNESSED))
    assert town.ledger.checkpoint
    old = NOW - 100 * DAY
    town.ledger.add_cosignature(cosign_note(town.ledger.checkpoint.note.text, WITNESS, old))
    foreign = checkpoint_text("another.example/log", TreeHead(9, bytes(32)))
    town.public.content["cosigned"] = cosigned(foreign, NOW)
    verified = verify_ledger(town.public, Expectation(NOW))

    assert status(verified, 11) is Status.NOT_CHECKED
    assert verified.newest_cosignature == old


class TwoFaced:
    """A server that answers each first request truly and every later one for a tile from another history."""

    def __init__(self, shown: MemoryFiles, later: dict[str, bytes]) -> None:
        self._shown, self._later = shown, later
        self._asked: set[str] = set()

    def read(self, path: str, limit: int = MAX_READ_BYTES) -> bytes:
        again = path in self._asked
        self._asked.add(path)
        if again and path in self._later:
            return self._later[path]
        return self._shown.read(path, limit)

    def digest(self, path: str) -> str:
        return self._shown.digest(path)


def test_a_fork_is_seen_also_when_the_server_answers_differently_the_second_time() -> None:
    """What this machine saw must be compared with what was verified, not with what the server says later."""
    true, forked = Town(), Town()
    true.commit(*[sign(document(f"True {number}")) for number in range(4)])
    forked.commit(*[sign(document(f"Forked {number}")) for number in range(7)])
    seen = true.ledger.head
    tile = tile_path(0, 0, forked.ledger.head.size)
    mixed = true.public.content[tile_path(0, 0, seen.size)] + forked.public.content[tile][seen.size * 32 :]
    expect = Expectation(NOW, root=true.root.id, seen=seen)

    with pytest.raises(VerificationError, match=r"step 12 .*another history at size 5"):
        verify_ledger(forked.public, expect)
    with pytest.raises(VerificationError, match=r"step 12 .*another history at size 5"):
        verify_ledger(TwoFaced(forked.public, {tile: mixed}), expect)


def test_a_partial_tile_with_more_than_its_width_does_not_verify() -> None:
    town = Town()
    town.commit(sign(document()))
    path = tile_path(0, 0, 2)
    town.public.content[path] = town.public.content[path].ljust(256 * 32, b"\x00")

    with pytest.raises(VerificationError, match="step 2"):
        verify_ledger(town.public, Expectation(NOW))


def test_an_empty_published_log_is_refused_in_words() -> None:
    text = checkpoint_text(ORIGIN, TreeHead(0, EMPTY_ROOT))
    files = MemoryFiles({"checkpoint": Note(text, (sign_note(text, LOG),)).to_bytes()})

    with pytest.raises(AuzolanError):
        Ledger(files, MemoryFiles(), Index(None)).load()
    with pytest.raises(VerificationError, match="step 1"):
        verify_ledger(files, Expectation(NOW))


# --- what may not be committed, because no verification would accept it ever after -----------------------------------


def refused(town: Town, *records: Record) -> str:
    """Commit records that must be refused; return why, after checking that nothing has changed."""
    before = town.public.copy()
    with pytest.raises(AuzolanError) as caught:
        town.commit(*[sign(record) for record in records])

    assert before.content == town.public.content
    assert verify_ledger(town.public, Expectation(NOW)).complete
    return str(caught.value)


def filed(blobs: dict[str, str]) -> Record:
    """Return a document that consists of blobs."""
    body: JsonObject = {"title": "x", "dated_at": "2026-11-20", "text": ""}
    return Record("document/v1", body, {"commons": ROOT_ID}, blobs)


def test_a_tombstone_for_bytes_that_nobody_named_is_not_committed() -> None:
    town = Town()

    assert "erases" in refused(town, tombstone(["ab" * 32], [town.root.id], "asked for", "2026-11-20"))


def test_a_tombstone_that_affects_another_record_than_the_one_that_names_the_bytes_is_not_committed() -> None:
    town = Town()
    digest = town.ledger.keep_private_blob(b"private", bytes(32))
    holder = filed({"private.x": digest})

    assert "erases" in refused(town, holder, tombstone([digest], [town.root.id], "asked for", "2026-11-20"))
    town.commit(sign(holder), sign(tombstone([digest], [holder.id], "asked for", "2026-11-20")))

    assert {digest: "erased"} == verify_ledger(town.public, Expectation(NOW)).unavailable


def test_a_tombstone_for_a_public_blob_is_not_committed() -> None:
    town = Town()
    digest = town.ledger.stage_blob(b"public")
    holder = filed({"x": digest})

    assert "erases" in refused(town, holder, tombstone([digest], [holder.id], "asked for", "2026-11-20"))


@pytest.mark.parametrize("names", [("file", "private.file"), ("private.file", "file")])
def test_a_blob_that_is_public_in_one_place_is_not_private_in_another(names: tuple[str, str]) -> None:
    town = Town()
    digest = town.ledger.stage_blob(b"bytes")
    one, other = (filed({name: digest}) for name in names)

    assert "blob" in refused(town, filed(dict.fromkeys(names, digest)))
    assert "blob" in refused(town, one, other)
    town.commit(sign(one))
    with pytest.raises(VerificationError, match="blob"):
        town.commit(sign(other))


def test_a_link_to_an_entry_is_not_committed() -> None:
    """Links name ids; the entry is the hash of a signed envelope, and no record has it as its id."""
    town = Town()
    (row,) = town.ledger.index.rows()

    with pytest.raises(MissingError, match="is not in this ledger"):
        town.commit(sign(Record("note/v1", {}, {"about": row.entry})))
    assert town.ledger.head.size == 1


def test_a_record_too_large_to_be_read_back_is_not_committed() -> None:
    town = Town()

    with pytest.raises(MalformedError, match="at most"):
        town.commit(sign(document("Large", "x" * 13_000_000)))
    assert town.ledger.head.size == 1
    assert Ledger(town.public, town.private, Index(None)).load().head.size == 1
