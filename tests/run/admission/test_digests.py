"""Digests are remembered as long as a file is the same, and not a moment longer."""

from __future__ import annotations

import io
import os
import stat
from hashlib import sha256
from pathlib import Path

import pytest

from auzolan.core.record.errors import MalformedError, MissingError, StorageError, VerificationError
from auzolan.run.admission.digests import MAX_REMEMBERED, NAME, YOUNG_NS, Digests, open_plain
from tests.run.admission.made import next_tick

OLD = sha256(b"old").hexdigest()


class Counted:
    """Opens files and counts how many of their bytes are read."""

    def __init__(self) -> None:
        self.n_read = 0

    def __call__(self, path: Path) -> io.FileIO:
        counted = self

        class Counting(io.FileIO):
            def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
                n_read = super().readinto(buffer)
                counted.n_read += n_read
                return n_read

        with open_plain(path) as stream:
            return Counting(os.dup(stream.fileno()), "rb")


class Clock:
    """The machine's clock as it will be: so many seconds after a file's last change."""

    def __init__(self, path: Path, after_ns: int = 2 * YOUNG_NS) -> None:
        found = path.stat()
        self._now = max(found.st_mtime_ns, found.st_ctime_ns) + after_ns

    def __call__(self) -> int:
        return self._now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"old")
    return path


def remembered(path: Path, folder: Path, after_ns: int = 2 * YOUNG_NS) -> None:
    digests = Digests(folder, now_ns=Clock(path, after_ns))
    digests.of(path)
    digests.save()


def n_read(path: Path, folder: Path, always: bool = False) -> int:
    opener = Counted()
    Digests(folder, always=always, now_ns=Clock(path), opener=opener).of(path)
    return opener.n_read


def test_the_digest_is_that_of_the_bytes(path: Path, tmp_path: Path) -> None:
    assert OLD == Digests(tmp_path / "cache").of(path).digest


def test_a_warm_start_reads_nothing(path: Path, tmp_path: Path) -> None:
    path.write_bytes(bytes(3_000_000))

    assert 3_000_000 == n_read(path, tmp_path / "cache")
    remembered(path, tmp_path / "cache")

    assert 0 == n_read(path, tmp_path / "cache")


def test_the_paranoid_option_reads_everything(path: Path, tmp_path: Path) -> None:
    remembered(path, tmp_path / "cache")

    assert 3 == n_read(path, tmp_path / "cache", always=True)


def test_the_paranoid_option_reads_everything_each_time(path: Path, tmp_path: Path) -> None:
    opener = Counted()
    digests = Digests(tmp_path / "cache", always=True, now_ns=Clock(path), opener=opener)
    for _ in range(2):
        digests.of(path)
    digests.save()

    assert 6 == opener.n_read
    assert not (tmp_path / "cache").exists()


def test_a_file_changed_just_now_is_not_remembered(path: Path, tmp_path: Path) -> None:
    remembered(path, tmp_path / "cache", after_ns=YOUNG_NS - 1)

    assert 3 == n_read(path, tmp_path / "cache")


def test_a_file_whose_mtime_was_set_back_just_now_is_not_remembered(path: Path, tmp_path: Path) -> None:
    os.utime(path, ns=(0, 0))
    digests = Digests(tmp_path / "cache", now_ns=Clock(path, after_ns=1))  # mtime 1970, ctime a nanosecond ago
    digests.of(path)
    digests.save()

    assert 3 == n_read(path, tmp_path / "cache")


def test_same_size_and_mtime_do_not_hide_a_change(path: Path, tmp_path: Path) -> None:
    os.utime(path, ns=(10**18, 10**18))
    remembered(path, tmp_path / "cache")
    next_tick(path)
    path.write_bytes(b"new")
    os.utime(path, ns=(10**18, 10**18))

    assert sha256(b"new").hexdigest() == Digests(tmp_path / "cache").of(path).digest


def test_another_file_of_that_name_is_noticed(path: Path, tmp_path: Path) -> None:
    remembered(path, tmp_path / "cache")
    other = tmp_path / "other"
    other.write_bytes(b"new")
    other.rename(path)

    assert sha256(b"new").hexdigest() == Digests(tmp_path / "cache").of(path).digest


def test_a_file_renamed_there_and_back_is_noticed(path: Path, tmp_path: Path) -> None:
    hashed = Digests(None).of(path)
    next_tick(path)
    path.rename(tmp_path / "aside")
    (tmp_path / "aside").rename(path)

    with pytest.raises(VerificationError, match="ctime_ns"):
        hashed.open()


def test_a_change_while_hashing_is_refused(path: Path) -> None:
    class Changing(io.FileIO):
        def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
            path.write_bytes(b"longer")
            return super().readinto(buffer)

    with pytest.raises(VerificationError, match="changed since"):
        Digests(None, opener=lambda each: Changing(each, "rb")).of(path)


def test_a_file_that_was_hashed_is_not_opened_once_it_changed(path: Path) -> None:
    hashed = Digests(None).of(path)
    path.write_bytes(b"newer")

    with pytest.raises(VerificationError, match=f"{OLD[:16]}… .*size"):
        hashed.open()


def test_a_symbolic_link_is_refused(path: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(path)

    with pytest.raises(MalformedError, match="symbolic link"):
        Digests(None).of(tmp_path / "link")


def test_what_is_no_plain_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(MalformedError, match="no plain file"):
        Digests(None).of(tmp_path / "pipe")
    with pytest.raises(MalformedError, match="no plain file"):
        Digests(None).of(tmp_path)
    with pytest.raises(MissingError):
        Digests(None).of(tmp_path / "nothing")


def test_the_cache_is_for_its_owner_alone(path: Path, tmp_path: Path) -> None:
    remembered(path, tmp_path / "cache")

    assert 0o700 == stat.S_IMODE((tmp_path / "cache").stat().st_mode)
    assert 0o600 == stat.S_IMODE((tmp_path / "cache" / NAME).stat().st_mode)
    assert [NAME] == os.listdir(tmp_path / "cache")


def test_a_cache_that_others_can_write_is_not_read(path: Path, tmp_path: Path) -> None:
    remembered(path, tmp_path / "cache")
    (tmp_path / "cache" / NAME).chmod(0o620)

    assert 3 == n_read(path, tmp_path / "cache")


@pytest.mark.parametrize(
    "damage",
    [b"", b"[]", b"{", b'{"format":1}', b'{"format":"auzolan-digests/v1"}',
     b'{"format":"auzolan-digests/v1","files":3}',
     b'{"format":"auzolan-digests/v1","files":{"a":[1,2,3,4,5]}}',
     b'{"format":"auzolan-digests/v1","files":{"a":[1,2,3,4,5,"x"]}}', b"\xff", b"[" * 100_000],
)  # fmt: skip
def test_a_damaged_cache_is_as_none(damage: bytes, path: Path, tmp_path: Path) -> None:
    remembered(path, tmp_path / "cache")
    (tmp_path / "cache" / NAME).write_bytes(damage)

    assert 3 == n_read(path, tmp_path / "cache")


def test_a_cache_that_cannot_be_written_is_told(path: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    digests = Digests(tmp_path / "file" / "cache")
    digests.of(path)

    with pytest.raises(StorageError, match="cannot write"):
        digests.save()


def test_memory_is_bounded(tmp_path: Path) -> None:
    paths = [tmp_path / str(number) for number in range(MAX_REMEMBERED + 1)]
    for each in paths:
        each.write_bytes(b"old")
    digests = Digests(tmp_path / "cache", now_ns=Clock(paths[-1]))
    for each in paths:
        digests.of(each)
    digests.save()

    assert [3, 0, 0] == [n_read(each, tmp_path / "cache") for each in (paths[0], paths[1], paths[-1])]
