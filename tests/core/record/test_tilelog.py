from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auzolan.core.record.checkpoint import TILE_WIDTH, TreeHead, bundle_bytes, bundle_path, tile_path, tile_widths
from auzolan.core.record.errors import AuzolanError, MalformedError, MissingError, StorageError, VerificationError
from auzolan.core.record.merkle import EMPTY_ROOT, leaf_hash, root_of, verify_consistency, verify_inclusion
from auzolan.core.record.tilelog import TileReader, TileWriter
from tests.memory_files import MemoryFiles

SIZES = st.integers(1, 1100) | st.sampled_from([1, 255, 256, 257, 511, 512, 513])


def entries(count: int) -> list[bytes]:
    return [sha256(b"entry %d" % number).digest() for number in range(count)]


def root(items: list[bytes]) -> bytes:
    return root_of([leaf_hash(item) for item in items])


def written(size: int, batches: list[int] | None = None) -> MemoryFiles:
    """Return the files of a log of `size` entries, appended in batches of the given sizes, again and again."""
    files = MemoryFiles()
    writer = TileWriter(files)
    items = entries(size)
    position, turn = 0, 0
    while position < size:
        step = max(1, (batches or [size])[turn % len(batches or [size])])
        head = writer.append(items[position : position + step])
        position, turn = position + step, turn + 1

        assert head == writer.head
        assert head == TreeHead(min(position, size), root(items[:position]))
    return files


def needed(files: MemoryFiles, size: int) -> dict[str, bytes]:
    """Return the files that a log of `size` entries must have (c2sp.org/tlog-tiles)."""
    found = {}
    level = 0
    while size >> (8 * level):
        full, partial = tile_widths(size, level)
        widths = [(number, TILE_WIDTH) for number in range(full)] + ([(full, partial)] if partial else [])
        for number, width in widths:
            found[tile_path(level, number, width)] = files.content[tile_path(level, number, width)]
            if level == 0:
                found[bundle_path(number, width)] = files.content[bundle_path(number, width)]
        level += 1
    return found


@settings(max_examples=25)
@given(SIZES, st.lists(st.integers(1, 300), min_size=1, max_size=4))
def test_how_entries_are_batched_leaves_no_trace_in_the_files(size: int, batches: list[int]) -> None:
    at_once, in_batches = written(size), written(size, batches)

    assert needed(at_once, size) == needed(in_batches, size)
    assert needed(at_once, size) == at_once.content


@settings(max_examples=25)
@given(SIZES, st.data())
def test_proofs_from_tiles_verify(size: int, data: st.DataObject) -> None:
    reader, items = TileReader(written(size), size), entries(size)
    head = root(items)
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))

    assert head == reader.root_at(size)
    assert items == list(reader.entries())
    assert items[old:] == list(reader.entries(old))
    assert items[index] == reader.entry(index)
    assert head == verify_inclusion(leaf_hash(items[index]), index, size, reader.inclusion_proof(index), head)
    assert head == verify_consistency(old, size, reader.consistency_proof(old), root(items[:old]), head)
    assert root(items[:old]) == reader.root_at(old)


def test_three_levels_of_tiles_lead_to_the_root() -> None:
    """65,537 leaves: 257 tiles on level 0, two on level 1, one on level 2."""
    size = TILE_WIDTH**2 + 1
    files = written(size, [TILE_WIDTH * 100, 7])
    reader = TileReader(files, size, keep_tiles=2)
    items = entries(size)
    head = root(items)

    assert head == reader.root_at(size)
    for index in (0, 255, 256, 65_535, 65_536):
        assert head == verify_inclusion(leaf_hash(items[index]), index, size, reader.inclusion_proof(index), head)
    for old in (1, 256, 65_535, 65_536, 65_537):
        assert head == verify_consistency(old, size, reader.consistency_proof(old), root(items[:old]), head)
    assert {"tile/2/000.p/1", "tile/1/000", "tile/0/256.p/1"} <= set(files.content)


def test_an_empty_log_has_the_empty_root_and_no_tiles() -> None:
    reader = TileReader(MemoryFiles(), 0)

    assert EMPTY_ROOT == reader.root_at(0)
    assert list(reader.entries()) == []
    assert TreeHead(0, EMPTY_ROOT) == TileWriter.open(MemoryFiles(), TreeHead(0, EMPTY_ROOT)).head
    with pytest.raises(MalformedError, match="tile 0/0 is outside a tree of 0 leaves"):
        reader.tile(0, 0)
    with pytest.raises(MalformedError, match="bundle 0 is outside a log of 0 entries"):
        reader.bundle(0)


@pytest.mark.parametrize("index", [-1, 5, 2**64])
def test_an_entry_outside_the_log_is_refused(index: int) -> None:
    reader = TileReader(written(5), 5)

    with pytest.raises(MalformedError, match="is outside a log of 5 entries"):
        reader.entry(index)
    with pytest.raises(MalformedError, match="is not in a tree of 5 leaves"):
        reader.inclusion_proof(index)


def test_a_node_that_is_not_complete_is_refused() -> None:
    reader = TileReader(written(5), 5)

    assert leaf_hash(entries(5)[4]) == reader.node(0, 4)
    for height, index in ((0, 5), (1, 2), (3, 0), (8, 0), (0, 300)):
        with pytest.raises(MalformedError):
            reader.node(height, index)


def test_a_full_tile_stands_in_for_a_partial_one_that_is_gone() -> None:
    """c2sp.org/tlog-tiles: partial tiles may be removed once the full one is there."""
    files = written(300)
    for path in [path for path in files.content if ".p/" in path]:
        del files.content[path]
    reader = TileReader(files, 200)

    assert entries(200) == list(reader.entries())
    assert root(entries(200)) == reader.root_at(200)


def test_a_full_tile_that_stands_in_must_be_full() -> None:
    files = written(300)
    for path in [path for path in files.content if ".p/" in path]:
        del files.content[path]
    files.content["tile/0/000"] = files.content["tile/0/000"][: 200 * 32]
    files.content["tile/entries/000"] = bundle_bytes(entries(200))
    reader = TileReader(files, 200)

    with pytest.raises(MalformedError, match="expected 256 hashes"):
        reader.tile(0, 0)
    with pytest.raises(MalformedError, match="expected 256 entries"):
        reader.bundle(0)


def test_a_partial_tile_with_more_than_its_width_is_refused() -> None:
    """Only a full tile may be cut to width; a partial file that is too long was altered."""
    files = written(5)
    path = tile_path(0, 0, 5)
    for more in (1, 32, TILE_WIDTH * 32 - 5 * 32):
        altered = MemoryFiles({**files.content, path: files.content[path] + bytes(more)})

        with pytest.raises(MalformedError, match="expected 5 hashes"):
            TileReader(altered, 5).tile(0, 0)


def test_a_partial_bundle_with_more_than_its_width_is_refused() -> None:
    files = written(5)
    path = bundle_path(0, 5)
    altered = MemoryFiles({**files.content, path: bundle_bytes(entries(TILE_WIDTH))})

    with pytest.raises(MalformedError, match="expected 5 entries"):
        TileReader(altered, 5).bundle(0)


@pytest.mark.parametrize("path", ["tile/0/000.p/5", "tile/entries/000.p/5"])
@pytest.mark.parametrize("damage", [b"", b"x", None])
def test_a_damaged_or_missing_file_is_named(path: str, damage: bytes | None) -> None:
    files = written(5)
    if damage is None:
        del files.content[path]
    else:
        files.content[path] = damage
    reader = TileReader(files, 5)

    with pytest.raises(MissingError if damage is None else MalformedError, match=path):
        reader.tile(0, 0) if "entries" not in path else reader.bundle(0)


@settings(max_examples=25)
@given(SIZES, SIZES)
def test_a_writer_opened_again_goes_on_as_the_first_would(first: int, more: int) -> None:
    files = written(first)
    items = entries(first + more)
    head = TileWriter.open(files, TreeHead(first, root(items[:first]))).append(items[first:])

    assert TreeHead(first + more, root(items)) == head
    assert needed(written(first + more), first + more) == needed(files, first + more)


def test_a_writer_does_not_open_on_tiles_that_lead_elsewhere() -> None:
    files, head = written(300), TreeHead(300, root(entries(300)))
    with pytest.raises(VerificationError, match="do not lead to the signed root"):
        TileWriter.open(files, TreeHead(300, bytes(32)))
    for path in ("tile/0/001.p/44", "tile/entries/001.p/44", "tile/1/000.p/1"):
        altered = files.copy()
        altered.content[path] = bytes([altered.content[path][0] ^ 1]) + altered.content[path][1:]

        with pytest.raises(AuzolanError):
            TileWriter.open(altered, head)


class Full(MemoryFiles):
    """Files whose disk is full until `free` is called."""

    full = True

    def write_all(self, items: Mapping[str, bytes]) -> None:
        if self.full:
            raise StorageError("cannot write: no space left on device")
        super().write_all(items)


def test_a_failed_write_leaves_the_writer_where_it_was() -> None:
    files = Full()
    writer = TileWriter(files)
    with pytest.raises(StorageError):
        writer.append(entries(300))
    assert TreeHead(0, EMPTY_ROOT) == writer.head

    files.full = False
    writer.append(entries(300))

    assert needed(written(300), 300) == files.content


def test_an_entry_too_long_for_a_bundle_is_refused_and_nothing_is_written() -> None:
    files = MemoryFiles()
    writer = TileWriter(files)

    with pytest.raises(AuzolanError, match=r"65,?535"):
        writer.append([b"x" * 65_536])
    assert files.content == {}
    assert TreeHead(0, EMPTY_ROOT) == writer.head


def test_an_append_of_nothing_changes_nothing() -> None:
    files = written(5)
    writer = TileWriter.open(files, TreeHead(5, root(entries(5))))
    before = dict(files.content)

    assert TreeHead(5, root(entries(5))) == writer.append([])
    assert before == files.content


@settings(max_examples=25)
@given(SIZES, SIZES)
def test_partial_tiles_are_superseded_exactly_when_their_full_tile_is_there(first: int, more: int) -> None:
    files = written(first)
    writer = TileWriter.open(files, TreeHead(first, root(entries(first))))
    writer.append(entries(first + more)[first:])
    folders = writer.superseded_partials(first)
    partials = {path.rsplit("/", 1)[0] for path in files.content if ".p/" in path}

    assert {folder for folder in partials if folder.removesuffix(".p") in files.content} == partials & set(folders)
    for path in [path for path in files.content if path.rsplit("/", 1)[0] in folders]:
        del files.content[path]
    assert entries(first + more) == list(TileReader(files, first + more).entries())
    assert entries(first) == list(TileReader(files, first).entries())
    assert root(entries(first)) == TileReader(files, first).root_at(first)
