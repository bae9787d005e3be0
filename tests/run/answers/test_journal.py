"""A journal keeps what it took, refuses what it cannot keep, and finds its way around torn and damaged ends."""

from __future__ import annotations

import errno
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.record.errors import AuzolanError, MalformedError, StorageError, VerificationError
from auzolan.run.answers import journal as journal_module
from auzolan.run.answers.frames import MAX_ENVELOPE, Frame, frame_bytes, read_frame, scan
from auzolan.run.answers.journal import Calls, Journal


def frame(number: int, size: int = 40) -> Frame:
    return Frame(sha256(f"{number}".encode()).digest(), f"envelope {number} ".encode() * (size // 10))


@contextmanager
def journal(folder: Path, calls: Calls | None = None) -> Iterator[Journal]:
    opened = Journal(folder, calls)
    try:
        yield opened
    finally:
        opened.close()


def kept(opened: Journal) -> list[Frame]:
    return [found for number in opened.rotate() for found in opened.read(opened.waiting(number))]


@given(st.lists(st.binary(max_size=50), max_size=5), st.data())
def test_frames_are_found_behind_any_damage(envelopes: list[bytes], data: st.DataObject) -> None:
    frames = [Frame(sha256(b"%d" % row).digest(), envelope) for row, envelope in enumerate(envelopes)]
    pieces = [frame_bytes(*each) for each in frames]
    damaged = data.draw(st.sets(st.sampled_from(range(len(pieces))))) if pieces else set()
    for row in damaged:
        place = data.draw(st.integers(0, len(pieces[row]) - 1))
        pieces[row] = pieces[row][:place] + bytes([pieces[row][place] ^ 1]) + pieces[row][place + 1 :]

    content = b"".join(pieces)
    found = [read_frame(content[start : start + length], "test") for _, start, length in scan(content).spans]

    assert [each for row, each in enumerate(frames) if row not in damaged] == found
    assert sum(len(pieces[row]) for row in damaged) == scan(content).lost


@given(st.binary(max_size=200))
def test_no_bytes_make_the_reader_fail_otherwise(data: bytes) -> None:
    scan(data)
    with pytest.raises(AuzolanError):
        read_frame(data, "test")


def test_what_was_appended_is_there_for_the_next_process(tmp_path: Path) -> None:
    with journal(tmp_path) as first:
        for number in range(5):
            first.append(*frame(number))

    with journal(tmp_path) as second:
        found = second.find(frame(3).id)
        assert [frame(number) for number in range(5)] == kept(second)

    assert frame(3) == found


def test_every_length_of_a_torn_end_is_passed_over(tmp_path: Path) -> None:
    whole = frame_bytes(*frame(1))
    for length in (*range(16), *range(16, len(whole), 7), len(whole) - 1):
        place = tmp_path / f"{length}"
        with journal(place) as first:
            first.append(*frame(0))
        torn = next(place.glob("*.journal"))
        torn.write_bytes(torn.read_bytes() + whole[:length])
        with journal(place) as second:
            second.append(*frame(2))
            assert length == second.n_lost_bytes
            assert [frame(0), frame(2)] == kept(second)


@pytest.mark.parametrize("reached", [0, 1, 30, 300])
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, None])
def test_a_failed_append_leaves_nothing_behind(tmp_path: Path, reached: int, error: int | None) -> None:
    failing = [False]

    def pwrite(file: int, data: bytes, place: int) -> int:
        if not failing[0]:
            return os.pwrite(file, data, place)
        written = os.pwrite(file, data[:reached], place)
        if error:
            raise OSError(error, os.strerror(error))
        return written

    with journal(tmp_path, Calls(pwrite=pwrite)) as opened:
        opened.append(*frame(0))
        failing[0] = True
        with pytest.raises(StorageError):
            opened.append(*frame(1, size=400))
        assert opened.find(frame(1).id) is None
        failing[0] = False
        opened.append(*frame(2))
        assert [frame(0), frame(2)] == kept(opened)
        assert 0 == scan(next(tmp_path.glob("*1.journal")).read_bytes()).lost


def test_nothing_is_appended_while_a_torn_end_cannot_be_cut_off(tmp_path: Path) -> None:
    failing = [True]

    def pwrite(file: int, data: bytes, place: int) -> int:
        return os.pwrite(file, data[:20] if failing[0] else data, place)

    def ftruncate(file: int, length: int) -> None:
        if failing[0]:
            raise OSError(errno.EIO, "on purpose")
        os.ftruncate(file, length)

    with journal(tmp_path, Calls(pwrite=pwrite, ftruncate=ftruncate)) as opened:
        for _ in range(3):
            with pytest.raises(StorageError):
                opened.append(*frame(0))
        failing[0] = False
        opened.append(*frame(1))
        assert [frame(1)] == kept(opened)


def test_a_full_disk_refuses_and_recovers(tmp_path: Path) -> None:
    # The system's own limit on the size of files stands for a full disk.
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with journal(tmp_path) as opened:
            opened.append(*frame(0))
            resource.setrlimit(resource.RLIMIT_FSIZE, (150, before[1]))
            with pytest.raises(StorageError):
                opened.append(*frame(1, size=400))
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            opened.append(*frame(2))
            assert [frame(0), frame(2)] == kept(opened)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def test_files_are_rotated_at_their_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "MAX_FILE_BYTES", 1_000)
    with journal(tmp_path) as opened:
        for number in range(50):
            opened.append(*frame(number))
        found = [opened.find(frame(number).id) for number in range(50)]
        assert 5 == len(opened.rotate())

    assert [frame(number) for number in range(50)] == found


def test_removed_files_are_gone_and_an_empty_one_is_not_left(tmp_path: Path) -> None:
    with journal(tmp_path) as opened:
        opened.append(*frame(0))
        opened.remove(opened.rotate())
        assert opened.find(frame(0).id) is None

    assert [] == list(tmp_path.iterdir())


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    with journal(tmp_path / "journal") as opened:
        opened.append(*frame(0))
        modes = [place.stat().st_mode & 0o777 for place in (tmp_path / "journal").rglob("*")]

    assert 0o700 == (tmp_path / "journal").stat().st_mode & 0o777
    assert [0o600] == modes


def test_changed_bytes_are_not_given_out(tmp_path: Path) -> None:
    with journal(tmp_path) as opened:
        opened.append(*frame(0))
        place = next(tmp_path.iterdir())
        place.write_bytes(place.read_bytes()[:-1] + b"!")
        with pytest.raises(VerificationError):
            opened.find(frame(0).id)


def test_envelopes_have_a_bound(tmp_path: Path) -> None:
    with journal(tmp_path) as opened, pytest.raises(MalformedError):
        opened.append(b"i" * 32, b" " * (MAX_ENVELOPE + 1))


def test_a_closed_one_takes_nothing(tmp_path: Path) -> None:
    opened = Journal(tmp_path)
    opened.close()
    opened.close()

    with pytest.raises(StorageError):
        opened.append(*frame(0))


def test_a_disk_that_is_still_full_is_not_called_in_order_by_a_flush(tmp_path: Path) -> None:
    room = [0]

    def pwrite(file: int, data: bytes, offset: int) -> int:
        if len(data) > room[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return os.pwrite(file, data, offset)

    with journal(tmp_path, Calls(pwrite=pwrite)) as opened:
        with pytest.raises(StorageError):
            opened.append(*frame(1))
        with pytest.raises(StorageError):
            opened.flush()
        room[0] = 10_000
        opened.flush()
        opened.append(*frame(2))

        assert [frame(2)] == kept(opened)
