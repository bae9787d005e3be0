"""The peer's side of bench/merkle.py and bench/ledger.py: pymerkle, in its own environment.

Runs as `.venv-bench/bin/python -m bench.peers.pymerkle_side WHAT FOLDER [tiny]`
and prints one JSON object: case -> [n, CPU seconds, wall seconds], or, for
`check`, what both sides must agree on. Imports nothing of auzolan.

The tree's defaults are kept. `InmemoryTree` updates its root inside every
append (`_store_leaf` rehashes the right edge), so the root after each entry is
really computed and `get_root` only reads it; `SqliteTree` computes roots on
demand from the leaves, with a cache of subtrees.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from hashlib import sha256
from pathlib import Path

import pymerkle
from pymerkle import InmemoryTree, SqliteTree, verify_consistency, verify_inclusion

from bench.measure import Cost, Stopwatch, timed
from bench.workload import BATCH, CHECKED_SIZES, FULL, TINY, Size, batches, entries, indexes


def check(size: Size) -> dict[str, object]:
    """Return roots at several sizes and a digest over inclusion proofs."""
    found: dict[str, object] = {"version": f"pymerkle {pymerkle.__version__}"}
    for width in (32, 200):
        data = entries(size.entries, width)
        tree = InmemoryTree.init_from_entries(data)
        for n in (*CHECKED_SIZES, size.entries):
            if n <= size.entries:
                found[f"root of {n} entries of {width} B"] = tree.get_root(n).hex()
        digest = sha256()
        for index in indexes(size.proofs, size.entries)[:500]:
            for item in tree.prove_inclusion(index + 1).path[1:]:
                digest.update(item)
        found[f"inclusion proofs over {width} B"] = digest.hexdigest()
    return found


def append_in_batches(width: int, size: Size) -> Cost:
    parts = batches(entries(size.entries, width))
    tree = InmemoryTree()

    def act() -> None:
        for part in parts:
            tree.append_entries(part)
            tree.get_root()

    return timed(size.entries, act)


def append_one_by_one(width: int, size: Size) -> Cost:
    data = entries(size.entries, width)
    tree = InmemoryTree()

    def act() -> None:
        for entry in data:
            tree.append_entry(entry)
            tree.get_root()

    return timed(size.entries, act)


def append_in_sqlite_batches(size: Size) -> Cost:
    """The peer's quickest way to a root per batch: leaves in SQLite's memory, roots on demand."""
    parts = batches(entries(size.entries, 32))
    tree = SqliteTree(":memory:")

    def act() -> None:
        for part in parts:
            tree.append_entries(part)
            tree.get_root()

    return timed(size.entries, act)


def memory(size: Size, _: Path) -> dict[str, Cost]:
    costs: dict[str, Cost] = {}
    for width in (32, 200):
        costs[f"batches/{width}"] = append_in_batches(width, size)
        costs[f"singles/{width}"] = append_one_by_one(width, size)
    costs["batches-sqlite/32"] = append_in_sqlite_batches(size)
    data = entries(size.entries, 32)
    tree = InmemoryTree.init_from_entries(data)
    root, where = tree.get_root(), indexes(size.proofs, size.entries)
    leaves = [tree.get_leaf(index + 1) for index in where]
    roots = [tree.get_root(index + 1) for index in where]

    def prove() -> None:
        for index in where:
            tree.prove_inclusion(index + 1)

    def prove_consistency() -> None:
        for index in where:
            tree.prove_consistency(index + 1)

    costs["inclusion/warm"] = timed(size.proofs, prove)
    costs["consistency/warm"] = timed(size.proofs, prove_consistency)
    inclusion = [tree.prove_inclusion(index + 1) for index in where]
    consistency = [tree.prove_consistency(index + 1) for index in where]

    def verify() -> None:
        for index, leaf, proof in zip(where, leaves, inclusion, strict=True):
            verify_inclusion(leaf, root, proof, index=index + 1, size=size.entries)

    def verify_consistent() -> None:
        for index, before, proof in zip(where, roots, consistency, strict=True):
            verify_consistency(before, root, proof, prior_size=index + 1, later_size=size.entries)

    costs["inclusion/verify"] = timed(size.proofs, verify)
    costs["consistency/verify"] = timed(size.proofs, verify_consistent)
    return costs


def disk(size: Size, folder: Path) -> dict[str, Cost]:
    costs: dict[str, Cost] = {}
    for width in (256, 1024, 4096):
        parts = batches(entries(size.durable_batches * width, 32), width)
        for name, with_root in ((f"durable/{width}", True), (f"durable-without-root/{width}", False)):
            tree = SqliteTree(str(folder / f"{name.replace('/', '-')}.db"))

            def act(tree: SqliteTree = tree, with_root: bool = with_root, parts: list[list[bytes]] = parts) -> None:
                for part in parts:
                    tree.append_entries(part)
                    if with_root:
                        tree.get_root()

            costs[name] = timed(size.durable_batches * width, act)
            tree.close()
    data = entries(size.durable_singles, 32)
    tree = SqliteTree(str(folder / "singles.db"))

    def act_singly() -> None:
        for entry in data:
            tree.append_entry(entry)
            tree.get_root()

    costs["durable/1"] = timed(size.durable_singles, act_singly)
    tree.append_entries(entries(size.entries, 32))
    n, where = tree.get_size(), indexes(size.cold_proofs, size.entries)

    def prove() -> None:
        for index in where:
            tree.prove_inclusion(index + 1, n)

    prove()
    costs["inclusion/disk"] = timed(len(where), prove)
    tree.close()
    return costs


def fill(place: Path, n: int) -> dict[str, Cost]:
    """Make a tree of `n` entries on disk, for `open_large`."""
    tree = SqliteTree(str(place))
    cost = timed(n, lambda: tree.append_entries(entries(n, 32)))
    tree.close()
    return {"fill": cost}


def open_large(place: Path) -> dict[str, Cost]:
    """Open a large tree, compute its root, append to it entry by entry with a root each."""
    costs: dict[str, Cost] = {}
    watch = Stopwatch()
    with watch.running():
        tree = SqliteTree(str(place))
    costs["open"] = Cost(1, watch.cpu, watch.wall)
    costs["first root"] = timed(1, tree.get_root)
    data = entries(50, 64)
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    for entry in data:
        tree.append_entry(entry)
        tree.get_root()
    costs["append"] = Cost(len(data), time.process_time() - cpu, time.perf_counter() - wall)
    part = entries(BATCH, 65)
    costs["append of 256"] = timed(1, lambda: (tree.append_entries(part), tree.get_root()))
    tree.close()
    return costs


def main() -> None:
    what, folder, *more = sys.argv[1:]
    size = TINY if "tiny" in more else FULL
    if "gc-off" in more:
        gc.disable()
    if what == "check":
        print(json.dumps(check(size)))
    elif what == "fill":
        print(json.dumps(fill(Path(folder), int(more[0]))))
    elif what == "open":
        print(json.dumps(open_large(Path(folder))))
    else:
        print(json.dumps({"memory": memory, "disk": disk}[what](size, Path(folder))))


main()
