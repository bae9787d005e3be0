"""Our Merkle log against pymerkle 7.0.0: appending, proving, verifying, in memory and on the disk.

Run as `.venv/bin/python -m bench.merkle` after `bench/peers.sh`. In every round
each side runs in a process of its own, first ours, then the peer's, then ours
again. Before anything is timed, both must give the same roots and the same
inclusion proofs for the same entries.

The ratio is the peer's cost over ours of the same round; what is shown is the
median over the rounds, with the lowest and the highest.
"""

from __future__ import annotations

import argparse
import tempfile
import timeit
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from bench.measure import RESULTS, ROOT, Cost, Spread, command, machine, report, run_side, save, say, spread, table
from bench.workload import FULL, TINY, Size

OURS = (ROOT / ".venv" / "bin" / "python", "bench.auzolan_side")
PEER = (ROOT / ".venv-bench" / "bin" / "python", "bench.peers.pymerkle_side")


class Line(NamedTuple):
    """One line of a table: a case of ours, the peer's case it is held against, and what is demanded."""

    label: str
    ours: str
    peer: str = ""
    at_least: float = 0
    below_us: float = 0


APPEND = (
    Line("batches of 256, a root each, 32 B", "batches/32", "batches/32", at_least=5),
    Line("batches of 256, a root each, 200 B", "batches/200", "batches/200", at_least=5),
    Line("a root per entry, 32 B", "singles/32", "singles/32", at_least=2),
    Line("a root per entry, 200 B", "singles/200", "singles/200", at_least=2),
    Line("batches of 256, all nodes kept, 32 B", "batches-nodes/32", "batches/32"),
    Line("batches of 256, all nodes kept, 200 B", "batches-nodes/200", "batches/200"),
    Line("a root per entry, all nodes kept, 32 B", "singles-nodes/32", "singles/32"),
    Line("a root per entry, all nodes kept, 200 B", "singles-nodes/200", "singles/200"),
    Line("batches of 256, tiles kept, 32 B", "batches-tiles/32", "batches/32"),
    Line("batches of 256, tiles kept, 200 B", "batches-tiles/200", "batches/200"),
    Line("batches of 256, tiles kept, 32 B, against SqliteTree in memory", "batches-tiles/32", "batches-sqlite/32"),
    Line("a root per entry, tiles kept, 32 B", "singles-tiles/32", "singles/32"),
    Line("a root per entry, tiles kept, 200 B", "singles-tiles/200", "singles/200"),
)
PROOFS = (
    Line("inclusion proof, all tiles warm", "inclusion/warm", "inclusion/warm", below_us=50),
    Line("inclusion proof, tiles on disk, warm", "inclusion/disk", "inclusion/disk", below_us=50),
    Line("inclusion proof, 256 tiles kept, random leaves", "inclusion/default-cache", "inclusion/warm"),
    Line("inclusion proof verified", "inclusion/verify", "inclusion/verify", below_us=25),
    Line("consistency proof, all tiles warm", "consistency/warm", "consistency/warm"),
    Line("consistency proof verified", "consistency/verify", "consistency/verify"),
)
COLD = (
    Line("inclusion proof, fresh reader, page cache warm", "inclusion/fresh"),
    Line("inclusion proof, fresh reader, page cache dropped", "inclusion/cold"),
)
DURABLE = (
    Line("1 entry, a root each", "durable/1", "durable/1"),
    Line("256 entries, a root each", "durable/256", "durable/256"),
    Line("1024 entries, a root each", "durable/1024", "durable/1024"),
    Line("4096 entries, a root each", "durable/4096", "durable/4096"),
    Line("256 entries, the peer without roots", "durable/256", "durable-without-root/256"),
    Line("1024 entries, the peer without roots", "durable/1024", "durable-without-root/1024"),
    Line("4096 entries, the peer without roots", "durable/4096", "durable-without-root/4096"),
    Line("256 entries, promised, signed, published", "published/256"),
    Line("1024 entries, promised, signed, published", "published/1024"),
    Line("4096 entries, promised, signed, published", "published/4096"),
)
SIGNING = (
    Line("sign a checkpoint (Ed25519)", "signing/signature"),
    Line("write the promise durably", "signing/promise"),
    Line("write the checkpoint durably", "signing/checkpoint"),
    Line("write and flush a plain file of 8 KiB: what the disk allows", "signing/flush"),
)
DURABLE_PER_SECOND = 50_000

Costs = dict[str, list[Cost]]


def agree(arguments: Sequence[str], folder: Path) -> tuple[str, str]:
    """Stop unless both sides give the same roots and proofs; return their versions."""
    ours = run_side(*OURS, "check", str(folder), *arguments)
    peer = run_side(*PEER, "check", str(folder), *arguments)
    versions = str(ours.pop("version")), str(peer.pop("version"))
    for name in sorted(set(ours) | set(peer)):
        if ours.get(name) != peer.get(name):
            raise SystemExit(f"the two sides disagree about {name}: {ours.get(name)} and {peer.get(name)}")
    say(f"both sides agree on {len(ours)} roots and digests of proofs")
    return versions


def run_rounds(n: int, arguments: Sequence[str], base: Path) -> tuple[Costs, Costs]:
    """Run all cases `n` times, alternating; return the costs of each side by case."""
    ours: Costs = {}
    peer: Costs = {}
    for number in range(n):
        for what in ("memory", "disk"):
            for side, costs in ((OURS, ours), (PEER, peer)):
                with tempfile.TemporaryDirectory(dir=base) as folder:
                    for case, values in run_side(*side, what, folder, *arguments).items():
                        assert isinstance(values, list), "a cost is a list of three numbers"
                        costs.setdefault(case, []).append(Cost(*values))
        say(f"round {number + 1} of {n} done")
    return ours, peer


def cpu_us(cost: Cost) -> float:
    """Return microseconds of CPU time per operation."""
    return cost.cpu_us


def wall_us(cost: Cost) -> float:
    """Return microseconds of wall time per operation."""
    return cost.wall_us


def per_second(cost: Cost) -> float:
    """Return operations per second of wall time."""
    return cost.n / cost.wall


def of(costs: Costs, case: str, unit: Callable[[Cost], float]) -> Spread:
    """Return the spread of one case over the rounds."""
    return spread([unit(cost) for cost in costs[case]])


def ratio(line: Line, ours: Costs, peer: Costs, unit: Callable[[Cost], float]) -> Spread:
    """Return the peer's cost over ours, round by round."""
    return spread([unit(b) / unit(a) for a, b in zip(ours[line.ours], peer[line.peer], strict=True)])


def demanded(line: Line) -> str:
    """Return what the line must reach, in words."""
    if line.at_least:
        return f">= {line.at_least:g}x"
    return f"< {line.below_us:g} µs" if line.below_us else ""


def compare(lines: Sequence[Line], ours: Costs, peer: Costs) -> str:
    """Return a table of CPU time per operation, ours, the peer's, and the ratio."""
    rows = []
    for line in lines:
        both = (
            (of(peer, line.peer, cpu_us).text(), ratio(line, ours, peer, cpu_us).text() + "x")
            if line.peer
            else ("",) * 2
        )
        rows.append(
            [line.label, f"{ours[line.ours][0].n:,}", of(ours, line.ours, cpu_us).text(), *both, demanded(line)]
        )
    return table(["case", "n", "ours, CPU µs", "pymerkle, CPU µs", "ratio", "demanded"], rows)


def durable(lines: Sequence[Line], ours: Costs, peer: Costs) -> str:
    """Return a table of durable entries per second of wall time, and CPU time per entry."""
    rows = []
    for line in lines:
        row = [line.label, f"{ours[line.ours][0].n:,}", of(ours, line.ours, per_second).text(0)]
        row.append(of(ours, line.ours, cpu_us).text())
        if line.peer:
            row += [of(peer, line.peer, per_second).text(0), ratio(line, ours, peer, wall_us).text() + "x"]
        rows.append(row + [""] * (6 - len(row)))
    return table(["batch", "n", "ours, entries/s", "ours, CPU µs", "pymerkle, entries/s", "ratio of wall"], rows)


def alone(lines: Sequence[Line], ours: Costs) -> str:
    """Return a table of our CPU and wall time per operation."""
    rows = [
        [
            line.label,
            f"{ours[line.ours][0].n:,}",
            of(ours, line.ours, cpu_us).text(),
            of(ours, line.ours, wall_us).text(),
        ]
        for line in lines
    ]
    return table(["case", "n", "CPU µs", "wall µs"], rows)


def hash_ways() -> str:
    """Return how long one node hash takes by copying a state that holds the prefix, and by concatenating."""
    prefix, left, right = sha256(b"\x01"), b"l" * 32, b"r" * 32
    names = {"prefix": prefix.copy, "sha256": sha256, "left": left, "right": right}
    rows = []
    for label, code in (
        ("copied state", "state = prefix(); state.update(left + right); state.digest()"),
        ("concatenated", "sha256(b'\\x01' + left + right).digest()"),
    ):
        values = [seconds / 100_000 * 1e6 for seconds in timeit.repeat(code, globals=names, number=100_000, repeat=7)]
        rows.append([label, "100,000", spread(values).text(3)])
    return table(["node hash", "n", "wall µs"], rows)


def verdicts(ours: Costs, peer: Costs) -> list[str]:
    """Return one sentence per demand of the project, met or missed, by the medians."""
    said = []
    for line in (*APPEND, *PROOFS):
        if line.at_least:
            got = ratio(line, ours, peer, cpu_us)
            met, value = got.median >= line.at_least, f"{got.text()}x"
        elif line.below_us:
            cost = of(ours, line.ours, cpu_us)
            met, value = cost.median < line.below_us, f"{cost.text()} µs"
        else:
            continue
        said.append(f"{'met' if met else 'MISSED'}: {line.label}: {value}, demanded {demanded(line)}")
    rate = of(ours, "durable/256", per_second)
    met = rate.median >= DURABLE_PER_SECOND
    said.append(
        f"{'met' if met else 'MISSED'}: durable leaf hashes, batches of 256: {rate.text(0)} per second, "
        f"demanded >= {DURABLE_PER_SECOND:,}"
    )
    return said


def main() -> None:
    """Run the rounds and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument(
        "--tiny", action="store_true", help="a few seconds, to see that it runs; the numbers mean nothing"
    )
    parser.add_argument(
        "--gc-off", action="store_true", help="without Python's cyclic garbage collector, on both sides"
    )
    parser.add_argument("--json", action="store_true", help="also write bench/results/merkle.json")
    parser.add_argument("--folder", type=Path, default=RESULTS, help="the disk to measure")
    chosen = parser.parse_args()
    if not PEER[0].exists():
        raise SystemExit("no .venv-bench: run bench/peers.sh first")
    arguments = (["tiny"] if chosen.tiny else []) + (["gc-off"] if chosen.gc_off else [])
    size: Size = TINY if chosen.tiny else FULL
    about = machine(chosen.folder) | {"command": command()}
    about["ours"], about["peer"] = agree(arguments, chosen.folder)
    ours, peer = run_rounds(chosen.rounds, arguments, chosen.folder)
    tables = {
        "Appending, in memory": compare(APPEND, ours, peer),
        "Proofs": compare(PROOFS, ours, peer),
        "Cold proofs": alone(COLD, ours),
        "Durable appending": durable(DURABLE, ours, peer),
        "Signing, apart": alone(SIGNING, ours),
        "One node hash": hash_ways(),
    }
    said = verdicts(ours, peer)
    how = f"median (lowest .. highest) of {chosen.rounds} rounds, in turn; proofs in trees of {size.entries:,} entries"
    text = report(about, how, tables, said)
    print(text)
    if chosen.json:
        result = {"machine": about, "rounds": chosen.rounds, "ours": ours, "peer": peer, "verdicts": said}
        say(f"written: {save('merkle', result, text)}")


if __name__ == "__main__":
    main()
