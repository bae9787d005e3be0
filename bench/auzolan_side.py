"""Our side of bench/merkle.py; the peer's is bench/peers/pymerkle_side.py.

Runs as `.venv/bin/python -m bench.auzolan_side WHAT FOLDER [tiny]` and prints
one JSON object: case -> [n, CPU seconds, wall seconds], or, for `check`, what
both sides must agree on.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.backends.openssl import backend
from tests.memory_files import MemoryFiles
from tests.town import ORIGIN

from auzolan.core.record.checkpoint import TreeHead, tile_levels, tile_path, tile_widths
from auzolan.core.record.disk import DiskFiles
from auzolan.core.record.keystore import PROMISED, Memory
from auzolan.core.record.merkle import EMPTY_ROOT, Frontier, leaf_hash, verify_consistency, verify_inclusion
from auzolan.core.record.published import CHECKPOINT
from auzolan.core.record.tilelog import TileReader, TileWriter
from bench.filling import signed_checkpoint
from bench.measure import Cost, Stopwatch, timed
from bench.workload import CHECKED_SIZES, FULL, TINY, Size, batches, entries, indexes

_ALL_TILES = 1 << 20


def check(size: Size) -> dict[str, object]:
    """Return roots at several sizes and a digest over inclusion proofs."""
    found: dict[str, object] = {"version": f"auzolan in this tree; cryptography with {backend.openssl_version_text()}"}
    for width in (32, 200):
        data = entries(size.entries, width)
        files = MemoryFiles()
        TileWriter(files).append(data)
        reader = TileReader(files, size.entries)
        for n in (*CHECKED_SIZES, size.entries):
            if n <= size.entries:
                frontier = Frontier()
                frontier.extend([leaf_hash(entry) for entry in data[:n]])
                assert frontier.root() == reader.root_at(n), "our two ways to a root disagree"
                found[f"root of {n} entries of {width} B"] = frontier.root().hex()
        digest = sha256()
        for index in indexes(size.proofs, size.entries)[:500]:
            digest.update(b"".join(reader.inclusion_proof(index)))
        found[f"inclusion proofs over {width} B"] = digest.hexdigest()
    return found


def append_in_batches(width: int, size: Size) -> Cost:
    parts = batches(entries(size.entries, width))
    frontier = Frontier()

    def act() -> None:
        for part in parts:
            frontier.extend([leaf_hash(entry) for entry in part])
            frontier.root()

    return timed(size.entries, act)


def append_one_by_one(width: int, size: Size) -> Cost:
    data = entries(size.entries, width)
    frontier = Frontier()

    def act() -> None:
        for entry in data:
            frontier.append(leaf_hash(entry))
            frontier.root()

    return timed(size.entries, act)


def append_keeping_nodes(parts: list[list[bytes]]) -> Cost:
    """Append and keep every complete node, as the peer's tree in memory does, so that any leaf can be proved."""
    frontier = Frontier()
    nodes: list[list[bytes]] = [[] for _ in range(64)]

    def act() -> None:
        for part in parts:
            for kept, row in zip(nodes, frontier.extend([leaf_hash(entry) for entry in part]), strict=False):
                kept += row
            frontier.root()

    return timed(sum(map(len, parts)), act)


def append_tiles(parts: list[list[bytes]]) -> Cost:
    """Append to a log whose tiles are kept in a dictionary, so that it can prove what it holds."""
    writer = TileWriter(MemoryFiles())

    def act() -> None:
        for part in parts:
            writer.append(part)

    return timed(sum(map(len, parts)), act)


def memory(size: Size, _: Path) -> dict[str, Cost]:
    costs: dict[str, Cost] = {}
    for width in (32, 200):
        costs[f"batches/{width}"] = append_in_batches(width, size)
        costs[f"singles/{width}"] = append_one_by_one(width, size)
        costs[f"batches-nodes/{width}"] = append_keeping_nodes(batches(entries(size.entries, width)))
        costs[f"singles-nodes/{width}"] = append_keeping_nodes(batches(entries(size.entries, width), 1))
        costs[f"batches-tiles/{width}"] = append_tiles(batches(entries(size.entries, width)))
        costs[f"singles-tiles/{width}"] = append_tiles(batches(entries(size.tile_entries, width), 1))
    data = entries(size.entries, 32)
    files = MemoryFiles()
    head = TileWriter(files).append(data)
    reader = TileReader(files, head.size, keep_tiles=_ALL_TILES)
    where = indexes(size.proofs, head.size)
    leaves = [leaf_hash(data[index]) for index in where]
    roots = [reader.root_at(index + 1) for index in where]
    inclusion = [reader.inclusion_proof(index) for index in where]
    consistency = [reader.consistency_proof(index + 1) for index in where]
    costs["inclusion/warm"] = timed(size.proofs, lambda: [reader.inclusion_proof(index) for index in where])
    costs["consistency/warm"] = timed(size.proofs, lambda: [reader.consistency_proof(index + 1) for index in where])
    default = TileReader(files, head.size)
    costs["inclusion/default-cache"] = timed(size.proofs, lambda: [default.inclusion_proof(i) for i in where])

    def verify() -> None:
        for index, leaf, proof in zip(where, leaves, inclusion, strict=True):
            verify_inclusion(leaf, index, head.size, proof, head.root)

    def verify_consistent() -> None:
        for index, before, proof in zip(where, roots, consistency, strict=True):
            verify_consistency(index + 1, head.size, proof, before, head.root)

    costs["inclusion/verify"] = timed(size.proofs, verify)
    costs["consistency/verify"] = timed(size.proofs, verify_consistent)
    return costs


def disk(size: Size, folder: Path) -> dict[str, Cost]:
    costs: dict[str, Cost] = {}
    for width in (256, 1024, 4096):
        parts = batches(entries(size.durable_batches * width, 32), width)
        costs[f"durable/{width}"] = append_durably(folder / f"tiles-{width}", parts)
        costs[f"published/{width}"] = publish_durably(folder / f"published-{width}", parts)
    costs["durable/1"] = append_durably(folder / "tiles-1", batches(entries(size.durable_singles, 32), 1))
    return costs | sign_apart(folder / "signing", size) | prove_from_disk(folder / "proofs", size)


def append_durably(folder: Path, parts: list[list[bytes]]) -> Cost:
    """Append to tiles on the disk, flushed before the next batch; nothing is signed."""
    writer = TileWriter(DiskFiles(folder))

    def act() -> None:
        for part in parts:
            writer.append(part)

    return timed(sum(map(len, parts)), act)


def publish_durably(folder: Path, parts: list[list[bytes]]) -> Cost:
    """The same with promise, signature and checkpoint, in the ledger's order of writes."""
    files, promised = DiskFiles(folder / "ledger"), Memory(folder / "home", PROMISED)
    writer = TileWriter(files)

    def act() -> None:
        for part in parts:
            head = writer.append(part)
            promised.promise(ORIGIN, head)
            files.write_all({CHECKPOINT: signed_checkpoint(head)})

    return timed(sum(map(len, parts)), act)


def sign_apart(folder: Path, size: Size) -> dict[str, Cost]:
    """What a batch costs beside its tiles."""
    files, promised = DiskFiles(folder / "ledger"), Memory(folder / "home", PROMISED)
    heads = [TreeHead(n + 1, EMPTY_ROOT) for n in range(size.durable_singles)]
    notes = [signed_checkpoint(head) for head in heads]

    def promise_all() -> None:
        for head in heads:
            promised.promise(ORIGIN, head)

    def publish_all() -> None:
        for note in notes:
            files.write_all({CHECKPOINT: note})

    def flush_plain_files() -> None:
        for number in range(len(heads)):
            with (folder / f"plain-{number}").open("wb") as stream:
                stream.write(b"x" * 8192)
                stream.flush()
                os.fsync(stream.fileno())

    return {
        "signing/signature": timed(len(heads), lambda: [signed_checkpoint(head) for head in heads]),
        "signing/promise": timed(len(heads), promise_all),
        "signing/checkpoint": timed(len(heads), publish_all),
        "signing/flush": timed(len(heads), flush_plain_files),
    }


def prove_from_disk(folder: Path, size: Size) -> dict[str, Cost]:
    """Inclusion proofs from tiles on the disk: all kept, a fresh reader each, and with the page cache dropped."""
    files = DiskFiles(folder)
    head = TileWriter(files).append(entries(size.entries, 32))
    where = indexes(size.cold_proofs, head.size)
    warm = TileReader(files, head.size, keep_tiles=_ALL_TILES)

    def from_warm() -> None:
        for index in where:
            warm.inclusion_proof(index)

    def from_fresh() -> None:
        for index in where:
            TileReader(files, head.size).inclusion_proof(index)

    from_warm()
    costs = {"inclusion/disk": timed(len(where), from_warm)}
    from_fresh()
    costs["inclusion/fresh"] = timed(len(where), from_fresh)
    watch = Stopwatch()
    for index in where:
        drop_from_page_cache(folder, head.size)
        with watch.running():
            TileReader(files, head.size).inclusion_proof(index)
    costs["inclusion/cold"] = Cost(len(where), watch.cpu, watch.wall)
    return costs


def drop_from_page_cache(folder: Path, n: int) -> None:
    """Ask the system to forget the tiles; what the disk itself or a host below it caches stays."""
    for level in range(tile_levels(n)):
        full, partial = tile_widths(n, level)
        paths = [tile_path(level, number) for number in range(full)]
        for path in [*paths, tile_path(level, full, partial)] if partial else paths:
            descriptor = os.open(folder / path, os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def main() -> None:
    what, folder, *more = sys.argv[1:]
    size = TINY if "tiny" in more else FULL
    if "gc-off" in more:
        gc.disable()
    acts: dict[str, Callable[[Size, Path], dict[str, Cost]]] = {"memory": memory, "disk": disk}
    print(json.dumps(check(size) if what == "check" else acts[what](size, Path(folder))))


if __name__ == "__main__":
    main()
