"""Files on a real disk: what is refused, what a dying process or a full disk leaves behind."""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest

from auzolan.core.kinds import read_kind
from auzolan.core.record.checkpoint import TreeHead
from auzolan.core.record.disk import DiskFiles, exclusive_lock
from auzolan.core.record.envelope import Envelope
from auzolan.core.record.errors import AuzolanError, MalformedError, MissingError, StorageError, UsageError
from auzolan.core.record.findings import Expectation, VerifiedLedger
from auzolan.core.record.index import Index
from auzolan.core.record.keys import PublicKey, SigningKey
from auzolan.core.record.keystore import PROMISED, Memory
from auzolan.core.record.ledger import Committed, Ledger
from auzolan.core.record.published import CHECKPOINT
from auzolan.core.record.record import Record
from auzolan.core.record.verify import verify_ledger
from tests.faulty_files import Faults, WatchedKey, contradictions, read_head
from tests.memory_files import MemoryFiles
from tests.town import LOG, NOW, ROOT_ID, document, root_record, sign

ROOT = Path(__file__).parents[3]


@pytest.fixture
def files(tmp_path: Path) -> DiskFiles:
    return DiskFiles(tmp_path / "ledger", tmp_path / "tmp")


OUTSIDE = ["", "/", "/etc/passwd", "..", "../x", "a/../x", "a/..", ".", "./a", "a/.", "a//b", "a/", "/a", ".a", "a/.b"]
UNUSUAL = ["a b", "a\\b", "a\nb", "a\n", "a\0", "ä", "a:b", "~", "*"]


@pytest.mark.parametrize("path", OUTSIDE + UNUSUAL)
@pytest.mark.parametrize(
    "use",
    [
        lambda files, path: files.read(path),
        lambda files, path: files.digest(path),
        lambda files, path: files.exists(path),
        lambda files, path: files.write_all({path: b""}),
        lambda files, path: files.remove_all([path]),
        lambda files, path: files.paths(path),
    ],
    ids=["read", "digest", "exists", "write", "remove", "paths"],
)
def test_a_path_that_could_leave_the_folder_is_refused(
    path: str, use: Callable[[DiskFiles, str], object], files: DiskFiles
) -> None:
    with pytest.raises(MalformedError, match="does not stay inside its folder"):
        use(files, path)

    assert not files.root.exists()


def test_a_refused_path_does_not_hide_behind_a_good_one(files: DiskFiles) -> None:
    with pytest.raises(MalformedError):
        files.write_all({"../escaped": b"", "a": b""})

    assert not (files.root.parent / "escaped").exists()


def test_what_was_written_is_read(files: DiskFiles) -> None:
    files.write_all({"a/b/c": b"deep", "a/d": b"", "e": b"\x00" * 70_000})

    assert b"deep" == files.read("a/b/c")
    assert b"" == files.read("a/d")
    assert sha256(b"\x00" * 70_000).hexdigest() == files.digest("e")
    assert files.exists("a/d")
    assert not files.exists("a/b")


def test_a_file_is_replaced_whole(files: DiskFiles) -> None:
    files.write_all({"checkpoint": b"a longer old one"})
    with (files.root / "checkpoint").open("rb") as reading:
        files.write_all({"checkpoint": b"new"})

        assert b"a longer old one" == reading.read(), "whoever reads the old one goes on reading the old one"
    assert b"new" == files.read("checkpoint")


def test_nothing_is_left_in_the_temporary_folder(files: DiskFiles, tmp_path: Path) -> None:
    files.write_all({"a": b"1", "b": b"2"})

    assert [] == list((tmp_path / "tmp").iterdir())


def test_paths_are_sorted_and_only_of_that_folder(files: DiskFiles) -> None:
    names = ["tile/0/001", "tile/0/000.p/9", "tile/0/000.p/10", "tile/0/000", "tile/0-1", "tiles/x", "tile/entries/000"]
    files.write_all(dict.fromkeys(names, b""))

    assert sorted(name for name in names if name.startswith("tile/")) == files.paths("tile")
    assert MemoryFiles(dict.fromkeys(names, b"")).paths("tile") == files.paths("tile")
    assert ["tile/0/000.p/10", "tile/0/000.p/9"] == files.paths("tile/0/000.p")
    assert [] == files.paths("nothing/here")


def test_files_that_no_ledger_makes_are_not_listed(files: DiskFiles) -> None:
    files.write_all({"erasing/ab": b""})
    for name in (".DS_Store", "notes with spaces.txt", ".git/HEAD"):
        (files.root / "erasing" / name).parent.mkdir(exist_ok=True)
        (files.root / "erasing" / name).write_bytes(b"")

    assert ["erasing/ab"] == files.paths("erasing")


def test_removed_files_are_gone_and_missing_ones_are_no_error(files: DiskFiles) -> None:
    files.write_all({"a/b": b"", "a/c": b"", "d": b""})
    files.remove_all(["a/b", "d", "a/never", "nowhere/at/all"])

    assert ["a/c"] == files.paths("a")
    assert not files.exists("d")


def test_a_missing_file_is_could_not_check(files: DiskFiles) -> None:
    files.write_all({"a": b""})
    for path in ("b", "a/b", "c/d"):
        with pytest.raises(MissingError, match=f"^{path}: not found"):
            files.read(path)
        with pytest.raises(MissingError, match=f"^{path}: not found"):
            files.digest(path)


def test_a_file_above_the_limit_is_refused(files: DiskFiles) -> None:
    files.write_all({"a": b"12345"})

    assert b"12345" == files.read("a", 5)
    with pytest.raises(MalformedError, match="a: larger than 4 bytes"):
        files.read("a", 4)


@pytest.mark.parametrize("target", ["secret", "nothing", "folder", "/dev/zero"])
def test_a_symbolic_link_is_not_followed(target: str, files: DiskFiles, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"outside")
    (tmp_path / "folder").mkdir()
    files.write_all({"a": b""})
    (files.root / "link").symlink_to(tmp_path / target)
    for use in (files.read, files.digest):
        with pytest.raises(MalformedError, match="link: is a symbolic link"):
            use("link")


def test_writing_over_a_symbolic_link_leaves_its_target_alone(files: DiskFiles, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"outside")
    files.write_all({"a": b""})
    (files.root / "link").symlink_to(tmp_path / "secret")
    files.write_all({"link": b"inside"})

    assert b"outside" == (tmp_path / "secret").read_bytes()
    assert b"inside" == files.read("link")


def test_removing_a_symbolic_link_leaves_its_target_alone(files: DiskFiles, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"outside")
    files.write_all({"a": b""})
    (files.root / "link").symlink_to(tmp_path / "secret")
    files.remove_all(["link"])

    assert b"outside" == (tmp_path / "secret").read_bytes()


def test_a_symbolic_link_is_no_file_that_exists(files: DiskFiles, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"outside")
    files.write_all({"a": b""})
    (files.root / "link").symlink_to(tmp_path / "secret")

    assert not files.exists("link")


def _next_descriptor() -> int:
    descriptor = os.open(os.devnull, os.O_RDONLY)
    os.close(descriptor)
    return descriptor


def test_a_folder_in_the_place_of_a_file_is_an_error_and_leaks_nothing(files: DiskFiles) -> None:
    files.write_all({"a/b": b""})
    before = _next_descriptor()
    uses: list[Callable[[str], object]] = [
        files.read,
        files.digest,
        lambda path: files.write_all({path: b""}),
        lambda path: files.remove_all([path]),
    ]
    for use in uses:
        with pytest.raises(StorageError, match=r"^cannot (read|write|remove)"):
            use("a")

    assert before == _next_descriptor()


def test_a_file_in_the_place_of_a_folder_is_an_error(files: DiskFiles) -> None:
    files.write_all({"a": b""})
    with pytest.raises(StorageError, match=r"^cannot write"):
        files.write_all({"a/b": b""})


def test_what_interrupted_writes_left_is_cleared(files: DiskFiles, tmp_path: Path) -> None:
    assert 0 == files.clear_temporary()
    files.write_all({"a": b"1"})
    (tmp_path / "tmp" / "4711-1").write_bytes(b"half")
    (tmp_path / "tmp" / "4711-2").write_bytes(b"")

    assert 2 == files.clear_temporary()
    assert 0 == files.clear_temporary()
    assert b"1" == files.read("a")


def test_a_lock_is_held_once_and_released(tmp_path: Path) -> None:
    lock = tmp_path / "private" / "lock"
    with exclusive_lock(lock):
        with pytest.raises(UsageError, match="another auzolan process"), exclusive_lock(lock):
            pass
        with pytest.raises(UsageError), exclusive_lock(lock):
            pass
    with exclusive_lock(lock):
        pass
    with pytest.raises(KeyError), exclusive_lock(lock):
        raise KeyError
    with exclusive_lock(lock):
        pass


def test_a_lock_that_cannot_be_made_is_one_of_our_errors(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match=r"^cannot lock"), exclusive_lock(tmp_path / "file" / "lock"):
        pass


# Real disks and real processes.


class Place:
    """A commons on a real disk, opened as a new process would open it."""

    def __init__(self, root: Path, watch: Callable[[TreeHead], None] = lambda _: None) -> None:
        self.root = root
        self.public = DiskFiles(root / "ledger", root / "private" / "tmp")
        self.private = DiskFiles(root / "private")
        self.guard = Memory(root / "home", PROMISED)
        self._log = WatchedKey(LOG.name, LOG.seed, Faults(), lambda text: watch(read_head(text)))

    @contextmanager
    def writing(self) -> Iterator[Ledger]:
        with exclusive_lock(self.root / "private" / "lock"):
            self.private.clear_temporary()
            index = Index(self.root / "index.sqlite")
            try:
                ledger = Ledger(self.public, self.private, index, read_kind).load()
                ledger.finish_erasures()
                yield ledger
            finally:
                index.close()

    def open_key(self, public: PublicKey) -> SigningKey:
        assert public == LOG.public
        return self._log

    def commit(self, ledger: Ledger, *envelopes: Envelope) -> list[Committed]:
        return ledger.commit(envelopes, self.open_key, self.guard)

    def verified(self) -> VerifiedLedger:
        return verify_ledger(self.public, Expectation(NOW, ROOT_ID))


Say = Callable[[str], None]


def _signed(head: TreeHead) -> str:
    return f"signed {head.size} {head.root.hex()}"


def _commit_for_ever(root: Path, round_: int, say: Say) -> None:
    """Commit single records, batches and blobs, and say what was signed and what was committed."""
    place = Place(root, lambda head: say(_signed(head)))
    with place.writing() as ledger:
        for number in range(1_000_000):
            title = f"{round_}.{number}"
            batch = [document(title)]
            if number % 3 == 1:
                batch += [document(f"{title} and more"), document(f"{title} and still more")]
            if number % 3 == 2:
                blobs = {"file": ledger.stage_blob(f"blob {title}".encode())}
                batch = [Record("document/v1", document(title).body, {"commons": ROOT_ID}, blobs)]
            for item in place.commit(ledger, *map(sign, batch)):
                say(f"committed {item.position} {item.id}")


def _fork(act: Callable[[Say], None]) -> tuple[int, int]:
    """Let a new process act; return its id, and the descriptor on which it tells."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        try:
            act(lambda text: _tell(writer, text))
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    os.close(writer)
    return child, reader


def _tell(descriptor: int, text: str, write: Callable[[int, bytes], int] = os.write) -> None:
    write(descriptor, f"{text}\n".encode())


def _check_told(place: Place, told: list[str], final: bool) -> None:
    """Check that what a dead process told of is there, and at the end that all it signed agrees."""
    result = place.verified()
    committed = {id_: int(at) for what, at, id_ in map(str.split, told) if what == "committed"}
    heads = [TreeHead(int(size), bytes.fromhex(r)) for what, size, r in map(str.split, told) if what == "signed"]

    assert committed == {id_: result.positions.get(id_) for id_ in committed}
    assert not result.unavailable
    if final:
        assert [] == contradictions(heads, result.entries)


def kill_at_random(folder: str, seed: int, n_kills: int) -> None:
    """Kill committing processes at seeded moments, check after each, and print what happened."""
    random, place, told = Random(seed), Place(Path(folder)), list[str]()
    with place.writing() as ledger:
        place.commit(ledger, sign(root_record()))
    for number in range(n_kills):
        child, reader = _fork(lambda say, n=number: _commit_for_ever(place.root, n, say))  # type: ignore[misc]
        with os.fdopen(reader) as stream:
            told += [stream.readline() for _ in range(random.randrange(1, 12))]
            for _ in range(random.randrange(60_000)):
                pass
            os.kill(child, signal.SIGKILL)
            told += stream.readlines()
        assert signal.SIGKILL == os.WTERMSIG(os.waitpid(child, 0)[1])
        _check_told(place, told, final=False)
    with place.writing() as ledger:
        place.commit(ledger, sign(document("One more")))
    _check_told(place, told, final=True)
    print(json.dumps({"kills": n_kills, "committed": sum(line.startswith("committed") for line in told)}))


def _die_at(number: int) -> None:
    """Make the system call of that number, from 0, the last one that this process makes; a write writes half."""
    calls = count()

    def wrap(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **more: Any) -> Any:
            if next(calls) == number:
                if name == "write":
                    call(args[0], args[1][: len(args[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **more)

        return counted

    for name in ("write", "fsync", "rename", "mkdir", "unlink"):
        setattr(os, name, wrap(name, getattr(os, name)))


def kill_at_every_call(folder: str) -> None:
    """Kill committing processes before each system call that writes, check after each, and print how many there are."""
    place, told = Place(Path(folder)), list[str]()
    for number in count():

        def act(say: Say, number: int = number) -> None:
            _die_at(number)
            watched = Place(place.root, lambda head: say(_signed(head)))
            with watched.writing() as ledger:
                blob = ledger.stage_blob(f"blob {number}".encode())
                meeting = Record(
                    "document/v1", document(f"Meeting {number}").body, {"commons": ROOT_ID}, {"file": blob}
                )
                for item in watched.commit(ledger, sign(root_record()), sign(meeting)):
                    say(f"committed {item.position} {item.id}")

        child, reader = _fork(act)
        with os.fdopen(reader) as stream:
            told += stream.readlines()
        status = os.waitpid(child, 0)[1]
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0
            break
        assert os.WTERMSIG(status) == signal.SIGKILL
        with place.writing() as ledger:
            place.commit(ledger, sign(root_record()), sign(document(f"After {number}")))
        _check_told(place, told, final=True)
    _check_told(place, told, final=True)
    print(json.dumps({"kills": number}))


def _run(function: str, *args: object) -> dict[str, int]:
    """Run a function of this module in a process of its own, which may fork."""
    code = f"from {__name__} import {function}; {function}{args!r}"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    result: dict[str, int] = json.loads(done.stdout)
    return result


def test_a_killed_process_loses_nothing_that_it_reported(tmp_path: Path) -> None:
    outcome = _run("kill_at_random", str(tmp_path), 2026, 40)

    assert 40 == outcome["kills"]
    assert outcome["committed"] > 40


def test_death_before_any_system_call_is_harmless(tmp_path: Path) -> None:
    outcome = _run("kill_at_every_call", str(tmp_path))

    assert outcome["kills"] > 30


def test_a_second_process_is_refused_until_the_first_has_died(tmp_path: Path) -> None:
    code = f"from {__name__} import hold_lock; hold_lock({str(tmp_path)!r})"
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert b"held\n" == holder.stdout.readline()
        with pytest.raises(UsageError, match="another auzolan process"), Place(tmp_path).writing():
            pass
        holder.kill()
    with Place(tmp_path).writing() as ledger:
        assert 0 == ledger.head.size


def hold_lock(folder: str) -> None:
    """Hold the lock of a place until killed."""
    with Place(Path(folder)).writing():
        print("held", flush=True)
        signal.pause()


# A full disk.


@contextmanager
def _full(name: str, number: int) -> Iterator[None]:
    """Let the disk be full from that call of os.NAME on, counted from 0."""
    calls, real = count(), getattr(os, name)

    def fail(*args: Any, **more: Any) -> Any:
        if next(calls) >= number:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*args, **more)

    setattr(os, name, fail)
    try:
        yield
    finally:
        setattr(os, name, real)


@pytest.mark.parametrize("call", ["write", "fsync", "rename", "mkdir"])
def test_a_full_disk_is_one_clear_error_and_the_ledger_is_unharmed(call: str, tmp_path: Path) -> None:
    envelopes = [sign(root_record()), sign(document("Minutes"))]
    number = -1
    for number in count():
        place = Place(tmp_path / str(number))
        with place.writing() as ledger:
            try:
                with _full(call, number):
                    place.commit(ledger, *envelopes)
            except AuzolanError as error:
                failed: AuzolanError | None = error
            else:
                failed = None
            if failed:
                assert isinstance(failed, StorageError)
                assert "No space left on device" in str(failed)
                assert "\n" not in str(failed)
                if place.public.exists(CHECKPOINT):
                    assert 2 == len(place.verified().entries)
            results = place.commit(ledger, *envelopes)

            assert [0, 1] == [result.position for result in results]
            assert {result.id: result.position for result in results} == place.verified().positions
        if failed is None:
            break

    assert number > 3


@contextmanager
def _largest_file(size: int) -> Iterator[None]:
    """Let the system refuse to make any file larger than `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    ("size", "n_logged"),
    [(0, 1), (500, 1), (3000, 2)],
    ids=["nothing fits", "no record fits", "only the index is full"],
)
def test_a_file_that_may_not_grow_is_one_clear_error_and_no_record_is_logged_twice(
    size: int, n_logged: int, tmp_path: Path
) -> None:
    place = Place(tmp_path)
    with place.writing() as ledger:
        place.commit(ledger, sign(root_record()))
        minutes = sign(document("Minutes"))
        with pytest.raises(StorageError, match=r"^cannot write"), _largest_file(size):
            place.commit(ledger, minutes)

        assert n_logged == len(place.verified().entries)

        [result] = place.commit(ledger, minutes)

        assert Committed(1, minutes.claimed.id, fresh=n_logged == 1) == result
        assert 2 == len(place.verified().entries)
