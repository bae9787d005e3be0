"""The edges where other people's files, processes and servers meet the ledger."""

from __future__ import annotations

import gzip
import os
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import count
from pathlib import Path

import pytest

from auzolan.core.record.checkpoint import TreeHead
from auzolan.core.record.disk import DiskFiles, exclusive_lock
from auzolan.core.record.errors import MalformedError, MissingError, StorageError, VerificationError
from auzolan.core.record.findings import Expectation
from auzolan.core.record.index import Index, is_damage
from auzolan.core.record.keystore import SEEN, KeyStore, Memory
from auzolan.core.record.ledger import Ledger
from auzolan.core.record.published import blob_path
from auzolan.core.record.record import Record
from auzolan.core.record.verify import verify_ledger
from auzolan.core.record.web import WebFiles
from tests.core.record.test_index import head, numbered
from tests.core.record.test_web import Server, plain, sized
from tests.memory_files import MemoryFiles
from tests.town import NOW, Town, document, sign

# --- symbolic links in a ledger that others sent ---------------------------------------------------------------------


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder of somebody who receives a ledger, with one file in a folder."""
    (tmp_path / "documents" / "ab").mkdir(parents=True)
    (tmp_path / "documents" / "ab" / "letter").write_bytes(b"mine")
    return tmp_path / "documents"


@pytest.fixture
def received(tmp_path: Path, outside: Path) -> DiskFiles:
    """A ledger in which blobs/ leads to that folder, and records/ab too."""
    files = DiskFiles(tmp_path / "ledger", tmp_path / "tmp")
    files.write_all({"records/cd/one": b"1"})
    (files.root / "blobs").symlink_to(outside)
    (files.root / "records" / "ab").symlink_to(outside / "ab")
    return files


BEHIND = ["blobs/ab/letter", "records/ab/letter"]


@pytest.mark.parametrize("path", BEHIND)
@pytest.mark.parametrize(
    "use",
    [
        lambda files, path: files.read(path),
        lambda files, path: files.digest(path),
        lambda files, path: files.remove_all([path]),
        lambda files, path: files.write_all({path: b"theirs"}),
        lambda files, path: files.write_all({"records/cd/two": b"", f"{path}/new/folder": b"theirs"}),
    ],
    ids=["read", "digest", "remove", "write", "write below"],
)
def test_a_linked_folder_is_refused_and_what_it_leads_to_is_untouched(
    use: Callable[[DiskFiles, str], object], path: str, received: DiskFiles, outside: Path
) -> None:
    with pytest.raises(MalformedError, match=r"^(blobs|records/ab): is a symbolic link; a ledger holds plain files"):
        use(received, path)

    assert [outside / "ab", outside / "ab" / "letter"] == sorted(outside.rglob("*"))
    assert b"mine" == (outside / "ab" / "letter").read_bytes()


def test_nothing_behind_a_linked_folder_exists_or_is_listed(received: DiskFiles) -> None:
    (received.root / "records" / "cd" / "linked").symlink_to(received.root / "records" / "cd" / "one")

    assert [False, False] == [received.exists(path) for path in BEHIND]
    assert ["records/cd/one"] == received.paths("records")
    assert [] == received.paths("blobs")
    assert [] == received.paths("blobs/ab")


def test_the_root_itself_may_be_a_symbolic_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "ledger").symlink_to(tmp_path / "disk")
    files = DiskFiles(tmp_path / "ledger")
    files.write_all({"a/b": b"1"})

    assert b"1" == files.read("a/b") == (tmp_path / "disk" / "a" / "b").read_bytes()
    assert ["a/b"] == files.paths("a")
    assert files.exists("a/b")


def test_a_linked_temporary_folder_is_neither_used_nor_cleared(tmp_path: Path, outside: Path) -> None:
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "tmp").symlink_to(outside / "ab")
    files = DiskFiles(tmp_path / "private")
    with pytest.raises(MalformedError, match="tmp: is a symbolic link"):
        files.clear_temporary()
    with pytest.raises(MalformedError, match="tmp: is a symbolic link"):
        files.write_all({"a": b"1"})

    assert [outside / "ab" / "letter"] == list((outside / "ab").iterdir())


def test_a_link_in_the_place_of_an_unfinished_file_is_passed_over(tmp_path: Path, outside: Path) -> None:
    files = DiskFiles(tmp_path / "ledger")
    (tmp_path / "ledger" / "tmp").mkdir(parents=True)
    (tmp_path / "ledger" / "tmp" / f"{os.getpid()}-1").symlink_to(outside / "ab" / "letter")
    files.write_all({"a": b"theirs"})

    assert b"mine" == (outside / "ab" / "letter").read_bytes()
    assert b"theirs" == files.read("a")


def test_a_linked_lock_is_refused(tmp_path: Path, outside: Path) -> None:
    (tmp_path / "lock").symlink_to(outside / "new")
    with pytest.raises(StorageError, match=r"^cannot lock"), exclusive_lock(tmp_path / "lock"):
        pass

    assert not (outside / "new").exists()


# --- modes -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def _open_umask() -> Iterator[None]:
    """Let nothing but the program decide about modes."""
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    """Return the permissions of a folder and of all in it."""
    places = [folder, *folder.rglob("*")]
    return {str(place.relative_to(folder)): stat.S_IMODE(place.stat().st_mode) for place in places}


@pytest.mark.usefixtures("_open_umask")
def test_private_files_and_folders_are_their_owners_from_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a mode that is changed afterwards was another one before")

    for name in ("chmod", "fchmod"):
        monkeypatch.setattr(os, name, refuse)
    DiskFiles(tmp_path / "above" / "private", private=True).write_all({"a/b/c": b"", "d": b""})

    folders, files = dict.fromkeys((".", "a", "a/b", "tmp"), 0o700), dict.fromkeys(("a/b/c", "d"), 0o600)
    assert folders | files == modes(tmp_path / "above" / "private")
    assert 0o777 == modes(tmp_path / "above")["."]


@pytest.mark.usefixtures("_open_umask")
def test_published_files_can_be_read_by_a_web_server(tmp_path: Path) -> None:
    DiskFiles(tmp_path / "ledger", tmp_path / "tmp").write_all({"a/b": b""})

    assert {".": 0o777, "a": 0o777, "a/b": 0o644} == modes(tmp_path / "ledger")


@pytest.mark.usefixtures("_open_umask")
@pytest.mark.parametrize("first", ["key", "promise", "lock"])
def test_whatever_makes_the_home_folder_makes_it_private(tmp_path: Path, first: str) -> None:
    home = tmp_path / "config" / "auzolan"
    memory = Memory(home, SEEN)
    if first == "key":
        KeyStore(home).create("demo/library", b"")
    if first == "promise":
        memory.promise("log", TreeHead(1, bytes(32)))
    with memory.locked("log"):
        memory.promise("log", TreeHead(2, bytes(32)))

    assert {0o700, 0o600} == set(modes(home).values())
    assert 0o700 == modes(home)["."] == modes(home)["seen"]


# --- an index that others use too ------------------------------------------------------------------------------------


def test_two_processes_may_index_the_same_records(tmp_path: Path) -> None:
    one, other = (Index(tmp_path / "index.sqlite") for _ in range(2))
    one.add(numbered(5), head(5))
    other.add(numbered(3), head(3))

    assert head(5) == other.head, "the tree never shrinks"
    assert [row for row, _ in numbered(5)] == list(other.rows())

    other.add(numbered(4, start=3), head(7))

    assert head(7) == one.head
    assert [row for row, _ in numbered(7)] == list(one.rows())


def test_another_record_in_the_place_of_one_is_not_passed_over(tmp_path: Path) -> None:
    index = Index(tmp_path / "index.sqlite")
    index.add(numbered(2), head(2))
    other = (numbered(1, start=7)[0][0]._replace(position=1), Record("note/v1", {"number": 7}))
    with pytest.raises(sqlite3.IntegrityError):
        index.add([other], head(2))

    assert [row for row, _ in numbered(2)] == list(index.rows())


def test_an_index_that_was_cleared_meanwhile_gets_no_gap(tmp_path: Path) -> None:
    one, other = (Index(tmp_path / "index.sqlite") for _ in range(2))
    one.add(numbered(2), head(2))
    other.clear()
    with pytest.raises(StorageError, match="cleared meanwhile"):
        one.add(numbered(1, start=2), head(3))

    assert 0 == one.head.size
    assert [] == list(one.rows())


def error_of(use: Callable[[], object]) -> sqlite3.DatabaseError:
    """Return the error that this raises, without the traceback, which would keep the index open."""
    try:
        use()
    except sqlite3.DatabaseError as error:
        return error.with_traceback(None)
    raise AssertionError("expected an error of the database")


def loaded(town: Town, index: Index) -> list[str]:
    """Return the ids that a reader finds with this index."""
    return [row.id for row in Ledger(town.public, town.private, index).load().index.rows()]


def test_a_reader_does_without_an_index_that_cannot_be_opened(tmp_path: Path) -> None:
    town = Town()

    assert [town.root.id] == loaded(town, Index.for_reading(tmp_path / "no folder" / "index.sqlite"))
    assert [] == list(tmp_path.iterdir())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("is_there", [True, False])
def test_a_reader_does_without_an_index_that_it_may_not_write(tmp_path: Path, is_there: bool) -> None:
    town, path = Town(), tmp_path / "index.sqlite"
    if is_there:
        Index(path).close()
        path.chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        assert [town.root.id] == loaded(town, Index.for_reading(path))
    finally:
        tmp_path.chmod(0o700)


def test_a_reader_does_without_an_index_that_stays_locked(tmp_path: Path) -> None:
    town, path = Town(), tmp_path / "index.sqlite"
    Index(path).close()
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("begin immediate")

    assert not is_damage(error_of(lambda: Index(path, wait_s=0)))
    assert [town.root.id] == loaded(town, Index.for_reading(path, wait_s=0))
    holder.close()


def test_a_reader_uses_and_fills_an_index_that_it_may_write(tmp_path: Path) -> None:
    town, path = Town(), tmp_path / "index.sqlite"
    index = Index.for_reading(path)
    loaded(town, index)
    index.close()

    assert [town.root.id] == [row.id for row in Index(path).rows()]


@pytest.mark.parametrize("damage", ["not a database", "torn", "other columns"])
def test_damage_is_told_from_contention(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "index.sqlite"
    index = Index(path)
    index.add(numbered(300), head(300))
    index.close()
    if damage == "not a database":
        path.write_bytes(b"not a database at all" * 100)
    if damage == "torn":
        with path.open("r+b") as stream:
            stream.seek(4096)
            stream.write(b"\xff" * (path.stat().st_size - 4096))
    if damage == "other columns":
        path.unlink()
        with sqlite3.connect(path) as older:
            older.execute("create table records (position integer primary key, id text)")
        older.close()

    assert is_damage(error_of(lambda: list(Index.for_reading(path).rows())))


TOO_FEW = "insert into tree values (1, 0)"


@pytest.mark.parametrize(
    "statement",
    ["select * from absent", "select absent from tree", "insert into tree (absent) values (1)", TOO_FEW],
)
def test_another_schema_is_damage(statement: str) -> None:
    index = Index(None)

    assert is_damage(error_of(lambda: index._db.execute(statement)))


def test_a_broken_constraint_is_no_damage() -> None:
    index = Index(None)
    error = error_of(lambda: index._db.execute("insert into tree values (1, 0, '')"))

    assert isinstance(error, sqlite3.IntegrityError)
    assert not is_damage(error)


# --- a server that answers something for everything ------------------------------------------------------------------


def with_private_blob() -> tuple[Town, str]:
    """Return a town with a private blob that is not published, and the blob's digest."""
    town = Town()
    digest = town.ledger.keep_private_blob(b"a name (synthetic)", bytes(32))
    body = document().body
    town.commit(sign(Record("document/v1", body, {"commons": town.root.id}, {"private.names": digest})))
    return town, digest


def test_a_page_in_the_place_of_a_private_blob_is_no_failure() -> None:
    town, digest = with_private_blob()
    town.public.write_all({blob_path(digest): b"<html>Not found</html>"})

    assert {digest: "withheld"} == verify_ledger(town.public, Expectation(NOW)).unavailable


def test_a_private_blob_that_is_published_fails() -> None:
    town, digest = with_private_blob()
    town.public.write_all({blob_path(digest): town.private.read(blob_path(digest))})

    with pytest.raises(VerificationError, match="a private blob is published"):
        verify_ledger(town.public, Expectation(NOW))


# --- slow, refusing and compressing servers --------------------------------------------------------------------------


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def ticking(step_s: int) -> Callable[[], float]:
    """Return a clock that shows `step_s` seconds more at each look."""
    return map(float, count(0, step_s)).__next__


@pytest.mark.parametrize(("step_s", "limit_s"), [(7, 60), (70, 600)])
def test_a_server_that_never_ends_is_cut_off(server: Server, step_s: int, limit_s: int) -> None:
    server.answers["/file"] = b"endless"
    files = WebFiles(server.url, ticking(step_s))
    use = files.read if limit_s == 60 else files.digest
    with pytest.raises(StorageError, match=f"not read whole within {limit_s} seconds"):
        use("file")


def test_a_large_blob_has_more_time_than_a_small_file(server: Server) -> None:
    server.answers["/file"] = sized(b"x")

    assert sha256(b"x").hexdigest() == WebFiles(server.url, ticking(600)).digest("file")
    assert b"x" == WebFiles(server.url, ticking(60)).read("file")
    with pytest.raises(StorageError):
        WebFiles(server.url, ticking(61)).read("file")


def test_a_server_that_forbids_what_is_not_there_is_understood(server: Server) -> None:
    server.answers["/file"] = plain(b"", "Content-Length: 0", status="403 Forbidden")
    with pytest.raises(MissingError, match=r"^file: not found at .* \(the server answered 403, as object stores do"):
        server.files().read("file")


def zipped(body: bytes, coding: str = "gzip") -> bytes:
    return plain(body, f"Content-Encoding: {coding}", f"Content-Length: {len(body)}")


@pytest.mark.parametrize("body", [b"", b"x", bytes(range(256)) * 5000, bytes(1_000_003)])
@pytest.mark.parametrize("coding", ["gzip", "GZIP", "x-gzip"])
def test_gzip_that_nobody_asked_for_is_undone(server: Server, body: bytes, coding: str) -> None:
    server.answers["/file"] = zipped(gzip.compress(body, mtime=0), coding)

    assert body == server.files().read("file")
    assert sha256(body).hexdigest() == server.files().digest("file")


def test_gzip_that_grows_beyond_the_limit_is_refused(server: Server) -> None:
    server.answers["/file"] = zipped(gzip.compress(bytes(50_000_000), mtime=0))

    with pytest.raises(MalformedError, match="file: larger than 100,000 bytes"):
        server.files().read("file", 100_000)


@pytest.mark.parametrize(
    "answer",
    [
        zipped(gzip.compress(b"whole" * 99, mtime=0)[:-1]),
        zipped(gzip.compress(b"whole" * 99, mtime=0)[:-9]),
        zipped(b""),
        zipped(b"not gzip"),
        zipped(gzip.compress(b"whole", mtime=0) + b"more"),
        zipped(gzip.compress(b"whole", mtime=0)[:-8] + bytes(8)),
        zipped(b"whole", "br"),
        plain(gzip.compress(b"whole", mtime=0), "Content-Encoding: gzip", "Content-Length: 99"),
    ],
    ids=["one short", "cut", "empty", "no gzip", "more", "wrong sum", "other coding", "broken connection"],
)
def test_gzip_that_cannot_be_undone_is_no_verdict(server: Server, answer: bytes) -> None:
    server.answers["/file"] = answer

    for use in (server.files().read, server.files().digest):
        with pytest.raises(StorageError):
            use("file")


def test_a_ledger_verifies_from_a_server_that_compresses_everything(server: Server) -> None:
    town = Town()
    town.commit(sign(document()))
    whole: MemoryFiles = town.public
    server.answers = {f"/{path}": zipped(gzip.compress(data, mtime=0)) for path, data in whole.content.items()}

    assert verify_ledger(whole, Expectation(NOW)).entries == verify_ledger(server.files(), Expectation(NOW)).entries
