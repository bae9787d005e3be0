"""Where a conversation is read from: folders, zips and files, and the bounds on them."""

from __future__ import annotations

import os
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auzolan.core.record.errors import AuzolanError, MalformedError, MissingError, UsageError
from auzolan.deliberate.sources import source as source_module
from auzolan.deliberate.sources.source import FREE_GROWTH, MAX_GROWTH, MAX_LINE, open_source

Members = list[tuple[str, bytes]]


def _zip(path: Path, members: Members) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


def _read(path: Path) -> dict[str, bytes]:
    with open_source(path) as source:
        return {member: b"".join(source.lines(member)) for member in source.members}


def test_a_folder_gives_its_files(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"x\ny")
    (tmp_path / "below").mkdir()

    assert {"a.csv": b"x\ny"} == _read(tmp_path)


def test_a_single_file_is_its_own_member(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"x\n")
    with open_source(str(tmp_path / "a.csv")) as source:
        lines = list(source.lines("a.csv"))

    assert source.is_single
    assert [b"x\n"] == lines


@pytest.mark.parametrize("top", ["", "export-2022/"])
def test_a_zip_gives_its_files_with_or_without_one_top_folder(tmp_path: Path, top: str) -> None:
    path = _zip(tmp_path / "a.zip", [(f"{top}a.csv", b"1\n"), (f"{top}b.csv", b"2\n"), ("__MACOSX/._a.csv", b"?")])

    assert {"a.csv": b"1\n", "b.csv": b"2\n"} == _read(path)


def test_a_zip_is_known_by_its_bytes_not_its_name(tmp_path: Path) -> None:
    assert {"a.csv": b"1\n"} == _read(_zip(tmp_path / "export", [("a.csv", b"1\n")]))


def test_a_member_may_be_read_twice(tmp_path: Path) -> None:
    with open_source(_zip(tmp_path / "a.zip", [("a.csv", b"1\n")])) as source:
        both = [source.whole("a.csv"), source.whole("a.csv")]

    assert [b"1\n", b"1\n"] == both


def test_what_is_not_there_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read"), open_source(tmp_path / "none"):
        pass
    with open_source(tmp_path) as source, pytest.raises(MissingError, match=r"has no a\.csv"):
        source.whole("a.csv")


def test_a_name_with_a_nul_byte_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot read"), open_source("a\0b"):
        pass


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "votes.csv")
    with pytest.raises(UsageError, match="no plain file"), open_source(tmp_path / "votes.csv"):
        pass
    with pytest.raises(UsageError, match="no plain file"):
        _read(tmp_path)


def test_a_device_is_not_read() -> None:
    with pytest.raises(UsageError, match="no plain file"), open_source("/dev/zero"):
        pass


def test_a_line_of_100_megabytes_is_refused_without_reading_it(tmp_path: Path) -> None:
    with (tmp_path / "votes.csv").open("wb") as stream:
        stream.truncate(100 * 2**20)  # sparse: nothing on the disk
    tracemalloc.start()
    try:
        with pytest.raises(MalformedError, match=r"votes\.csv, line 1: the line is longer than 1,048,576 bytes"):
            _read(tmp_path / "votes.csv")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 8 * MAX_LINE


def test_a_line_of_just_the_limit_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"x" * (MAX_LINE - 1) + b"\n")

    assert MAX_LINE == len(_read(tmp_path / "a.csv")["a.csv"])


def test_a_file_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_bytes(b"x\n" * 100_000)
    monkeypatch.setattr(source_module, "MAX_FILE", 100_000)

    with pytest.raises(MalformedError, match=r"a\.csv: larger than 100,000 bytes"):
        _read(tmp_path / "a.csv")


def test_a_whole_file_is_bounded(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"x" * 11)

    with open_source(tmp_path / "a.json") as source, pytest.raises(MalformedError, match="larger than 10 bytes"):
        source.whole("a.json", 10)


def test_a_file_that_is_read_at_once_has_at_most_64_mebibytes(tmp_path: Path) -> None:
    with (tmp_path / "a.json").open("wb") as stream:
        stream.truncate(64 * 2**20 + 1)

    with (
        open_source(tmp_path / "a.json") as source,
        pytest.raises(MalformedError, match="larger than 67,108,864 bytes"),
    ):
        source.whole("a.json")


def test_a_zip_bomb_is_refused_early(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("votes.csv", "w") as out:
        for _ in range(48):
            out.write(b"1" * (MAX_LINE - 1) + b"\n")
    given: list[int] = []
    with open_source(path) as source, pytest.raises(MalformedError, match="it grows more than 200-fold"):
        given.extend(len(line) for line in source.lines("votes.csv"))

    assert path.stat().st_size < 100_000
    assert sum(given) <= FREE_GROWTH + MAX_GROWTH * path.stat().st_size


def test_a_zip_is_bounded_by_what_is_read_not_by_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _zip(tmp_path / "a.zip", [("a.csv", b"1\n" * 50_000), ("b.csv", b"2\n" * 50_000)])
    monkeypatch.setattr(source_module, "MAX_TOTAL", 150_000)

    with pytest.raises(MalformedError, match=r"b\.csv: the zip holds more than 150,000 bytes"):
        _read(path)


@pytest.mark.parametrize("size", [1, 10**6])
def test_a_zip_that_lies_about_a_size_is_refused(tmp_path: Path, size: int) -> None:
    path = _zip(tmp_path / "a.zip", [("a.csv", b"12345\n" * 100)])
    data = bytearray(path.read_bytes())
    start = data.index(b"PK\x01\x02")
    data[start + 24 : start + 28] = struct.pack("<I", size)
    path.write_bytes(data)
    try:
        read = _read(path)["a.csv"]
    except MalformedError as error:
        read = str(error).encode()

    assert read in (b"a.zip: a.csv is damaged in the zip", b"12345\n" * 100)


def _encrypted(data: bytearray) -> None:
    start = data.index(b"PK\x01\x02")
    data[start + 8] |= 1


def _encrypted_in_the_local_header(data: bytearray) -> None:
    data[6] |= 1


def _other_method(data: bytearray) -> None:
    start = data.index(b"PK\x01\x02")
    data[start + 10] = 14


def _flipped(data: bytearray) -> None:
    data[40] ^= 0xFF


def _cut(data: bytearray) -> None:
    del data[-30:]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_encrypted, "member 1 of the zip: it is encrypted"),
        (_other_method, "member 1 of the zip: it is compressed by a method other than deflate"),
        (_flipped, "damaged"),
        (_cut, "a.zip: the zip is damaged"),
    ],
)
def test_a_changed_zip_is_refused(tmp_path: Path, change: Callable[[bytearray], None], message: str) -> None:
    data = bytearray(_zip(tmp_path / "a.zip", [("a.csv", os.urandom(200).hex().encode())]).read_bytes())
    change(data)
    (tmp_path / "a.zip").write_bytes(data)

    with pytest.raises(MalformedError, match=message):
        _read(tmp_path / "a.zip")


def test_a_member_encrypted_behind_the_lists_back_is_refused(tmp_path: Path) -> None:
    data = bytearray(_zip(tmp_path / "a.zip", [("a.csv", b"1\n")]).read_bytes())
    _encrypted_in_the_local_header(data)
    (tmp_path / "a.zip").write_bytes(data)
    try:
        read = _read(tmp_path / "a.zip")
    except MalformedError:
        read = {}

    assert read in ({}, {"a.csv": b"1\n"})


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../a.csv", "x/../../a.csv", "C:\\a.csv", "a\\b.csv", "./a.csv", "x//a.csv"]
)
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(MalformedError, match="member 1 of the zip: its name is absolute or leads out"):
        _read(_zip(tmp_path / "a.zip", [(name, b"1\n")]))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_comes_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MalformedError, match=r"two members of the zip are called 'a\.csv'"):
        _read(_zip(tmp_path / "a.zip", [("a.csv", b"1\n"), ("a.csv", b"2\n")]))


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("votes.csv")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")

    with pytest.raises(MalformedError, match="it is no plain file"):
        _read(tmp_path / "a.zip")


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MalformedError, match="65 members in the zip, at most 64 are read"):
        _read(_zip(tmp_path / "a.zip", [(f"{number}.csv", b"") for number in range(65)]))


def test_a_list_of_very_many_members_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with pytest.raises(MalformedError, match="list of members is larger than 1,048,576 bytes"):
        _read(_zip(tmp_path / "a.zip", [(f"{number:060000}.csv", b"") for number in range(20)]))


@pytest.mark.parametrize("member", ["[Content_Types].xml", "META-INF/manifest.xml"])
def test_a_file_of_an_office_program_is_refused_with_what_to_do(tmp_path: Path, member: str) -> None:
    with zipfile.ZipFile(tmp_path / "votes.csv", "w") as book:
        book.writestr(member, "<x/>")
        book.writestr("xl/workbook.xml", "<x/>")
    (tmp_path / "old.xls").write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504))
    for name in ("votes.csv", "old.xls"):
        with pytest.raises(UsageError, match="is a file of an office program; export it as CSV or JSON instead"):
            open_source(tmp_path / name).__enter__()


def test_what_is_only_named_a_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"a,b\n1,2\n")

    with pytest.raises(MalformedError, match=r"a\.zip is named a zip but is none"):
        _read(tmp_path / "a.zip")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=4))
def test_any_damage_to_a_zip_is_read_or_refused(tmp_path: Path, changes: list[tuple[int, int]]) -> None:
    path = tmp_path / "fuzz.zip"
    data = bytearray(_zip(path, [("top/a.csv", b"1,2\n" * 20), ("top/b.csv", b"3")]).read_bytes())
    for place, value in changes:
        data[place % len(data)] = value
    path.write_bytes(data)
    try:
        _read(path)
    except AuzolanError as error:
        assert str(error)  # noqa: PT017
