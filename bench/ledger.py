"""A ledger of up to a million entries: opening it, committing to it, verifying it.

Run as `.venv/bin/python -m bench.ledger`. The million needs about 6 GB of disk
and some minutes; `--sizes 1000,10000` takes seconds. `filling` says how the
ledgers are made and what is real in them; what is timed goes through `Ledger`
and `verify_ledger` alone, on files and an index on the disk.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from tests.town import NOW

from auzolan.core.record.findings import Expectation
from auzolan.core.record.ledger import Ledger
from auzolan.core.record.verify import verify_ledger
from bench.filling import Place, fill, minutes, open_log_key
from bench.measure import (
    RESULTS,
    Cost,
    command,
    machine,
    quantile,
    report,
    run_side,
    save,
    say,
    slope_per_decade,
    spread,
    table,
    timed,
    timed_each,
)
from bench.merkle import OURS, PEER

SINGLES = 320  # more than a tile is wide, so that every width of a partial tile is met
BATCH = 256
BATCHES = 16
OPENS = 15
OPEN_BELOW_SECONDS = 0.2
CONSTANT_WITHIN = 1.5

_T = TypeVar("_T")


@dataclass
class Measured:
    """What was measured on one ledger of `n` entries; costs in lists are of one act each."""

    n: int
    place: Place
    filled: Cost
    index_bytes: int = 0
    open_here: list[Cost] = field(default_factory=list)
    open_fresh: list[Cost] = field(default_factory=list)
    open_cold: list[Cost] = field(default_factory=list)
    process: list[float] = field(default_factory=list)
    firsts: list[Cost] = field(default_factory=list)
    singles: list[Cost] = field(default_factory=list)
    batches: list[Cost] = field(default_factory=list)
    verified: Cost | None = None
    peer: dict[str, Cost] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """Return the numbers."""
        return {name: value for name, value in vars(self).items() if name != "place"}


def drop_from_page_cache(folder: Path) -> None:
    """Ask the system to forget checkpoint, index and tiles; what lies below it may remember them."""
    for name in ("ledger/checkpoint", "ledger/tile", "private"):
        place = folder / name
        for file in [place] if place.is_file() else place.rglob("*"):
            if file.is_file():
                descriptor = os.open(file, os.O_RDONLY)
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(descriptor)


def open_once(place: Place) -> Ledger:
    """Open and close; the ledger returned can only be asked for its head."""
    ledger = place.open()
    ledger.index.close()
    return ledger


def open_in_process(place: Place) -> tuple[Cost, float]:
    """Open in a fresh process; return the cost of opening, and the seconds of the whole process."""
    started = time.perf_counter()
    values = run_side(OURS[0], "bench.ledger", "--open", str(place.folder))["open"]
    whole = time.perf_counter() - started
    assert isinstance(values, list), "a cost is a list of three numbers"
    return Cost(*values), whole


def rotated(items: list[_T], turn: int) -> list[_T]:
    """Return `items`, another one first in every turn."""
    start = turn % len(items)
    return items[start:] + items[:start]


def measure_opening(ledgers: list[Measured]) -> None:
    """Open each ledger several times, in turn with the others."""
    for each in ledgers:
        each.index_bytes = (each.place.folder / "private" / "index.sqlite").stat().st_size
        open_once(each.place)
    for turn in range(OPENS):
        for each in rotated(ledgers, turn):
            each.open_here += timed_each([partial(open_once, each.place)])
            fresh, whole = open_in_process(each.place)
            each.open_fresh.append(fresh)
            each.process.append(whole)
            drop_from_page_cache(each.place.folder)
            each.open_cold.append(open_in_process(each.place)[0])


def measure_commits(ledgers: list[Measured]) -> None:
    """Commit one by one and in batches, in turn, so that all meet the same disk and the same neighbours.

    The principals' signatures are made before the clock starts.
    """
    number = max(each.n for each in ledgers)

    def commit_next(each: Measured, ledger: Ledger, n: int) -> list[Cost]:
        nonlocal number
        about = ledger.chain.versions[0].id
        envelopes = [minutes(number + i, about) for i in range(n)]
        number += n
        return timed_each([partial(ledger.commit, envelopes, open_log_key, each.place.guard)])

    for turn in range(OPENS):
        for each in rotated(ledgers, turn):
            ledger = each.place.open()
            each.firsts += commit_next(each, ledger, 1)
            ledger.index.close()
    opened = [(each, each.place.open()) for each in ledgers]
    for each, ledger in opened:
        commit_next(each, ledger, 1)
    for turn in range(SINGLES):
        for each, ledger in rotated(opened, turn):
            each.singles += commit_next(each, ledger, 1)
    for turn in range(BATCHES):
        for each, ledger in rotated(opened, turn):
            each.batches += commit_next(each, ledger, BATCH)
    for _, ledger in opened:
        ledger.index.close()


def verify_all(place: Place) -> Cost:
    """Verify the whole ledger from its published bytes."""
    done: list[int] = []

    def act() -> None:
        result = verify_ledger(place.public, Expectation(NOW))
        done.append(len(result.entries))

    cost = timed(1, act)
    return cost._replace(n=done[0])


def measure_peer(folder: Path, n: int) -> dict[str, Cost]:
    """Return what pymerkle's SqliteTree takes at the same size, with 32 B entries."""
    if not PEER[0].exists():
        return {}
    file = str(folder / "peer.db")
    run_side(*PEER, "fill", file, str(n))
    return {name: Cost(*values) for name, values in run_side(*PEER, "open", file).items() if isinstance(values, list)}


def measure(folder: Path, sizes: list[int], verify_up_to: int) -> list[Measured]:
    """Fill ledgers of these sizes and measure everything on them."""
    ledgers = []
    for n in sizes:
        say(f"filling a ledger of {n:,} entries")
        place = Place(folder / f"commons-{n}")
        ledgers.append(Measured(n, place, timed(n, partial(fill, place, n))))
    say("opening")
    measure_opening(ledgers)
    say("committing")
    measure_commits(ledgers)
    for each in ledgers:
        each.peer = measure_peer(each.place.folder, each.n)
        if each.n <= verify_up_to:
            say(f"verifying {each.n:,} entries")
            each.verified = verify_all(each.place)
    return ledgers


def milliseconds(costs: list[Cost], of: Callable[[Cost], float], digits: int = 2) -> str:
    """Return the spread of costs of one act each, in milliseconds."""
    return spread([of(cost) * 1e3 for cost in costs]).text(digits)


def wall(cost: Cost) -> float:
    """Return the seconds of wall time."""
    return cost.wall


def cpu(cost: Cost) -> float:
    """Return the seconds of CPU time."""
    return cost.cpu


def opening(results: list[Measured]) -> str:
    """Return the table of opening times."""
    rows = []
    for each in results:
        peer = each.peer.get("open")
        root = each.peer.get("first root")
        rows.append(
            [
                f"{each.n:,}",
                milliseconds(each.open_here, wall),
                milliseconds(each.open_fresh, wall),
                milliseconds(each.open_cold, wall),
                spread([seconds * 1e3 for seconds in each.process]).text(0),
                f"{peer.wall * 1e3:,.1f} + {root.wall * 1e3:,.1f}" if peer and root else "",
            ]
        )
    header = ["entries", "again, ms", "fresh process, ms", "fresh, page cache dropped, ms"]
    return table([*header, "whole process, ms", "pymerkle open + first root, ms"], rows)


def committing(results: list[Measured]) -> str:
    """Return the table of commit times."""
    rows = []
    for each in results:
        peer = each.peer.get("append")
        rows.append(
            [
                f"{each.n:,}",
                milliseconds(each.singles, wall),
                f"{quantile([c.wall * 1e3 for c in each.singles], 0.95):,.2f}",
                milliseconds(each.singles, cpu),
                milliseconds(each.firsts, wall),
                milliseconds(each.batches, wall, 1),
                milliseconds(each.batches, cpu, 1),
                f"{peer.wall / peer.n * 1e3:,.2f}" if peer else "",
            ]
        )
    header = ["entries", "one record, wall ms", "95 %", "one record, CPU ms", "first after opening, wall ms"]
    return table(
        [*header, "256 records, wall ms", "256 records, CPU ms", "pymerkle, one entry and root, wall ms"], rows
    )


def sizes(results: list[Measured]) -> str:
    """Return the table of filling, index size and verification."""
    rows = []
    for each in results:
        row = [f"{each.n:,}", f"{each.filled.wall:,.1f}", f"{each.index_bytes / 1e6:,.1f}"]
        if each.verified:
            done = each.verified
            rows.append([*row, f"{done.n:,}", f"{done.cpu_us:,.0f}", f"{done.wall_us:,.0f}", f"{done.wall:,.1f}"])
        else:
            rows.append([*row, "not run", "", "", ""])
    header = ["entries", "filling, s", "index, MB", "verified", "CPU µs per record", "wall µs per record"]
    return table([*header, "wall s in all"], rows)


def growth(results: list[Measured], name: str, of: Callable[[Measured], list[float]]) -> tuple[str, bool]:
    """Say how the median of a cost grows with the ledger, and whether that counts as constant."""
    medians = [(each.n, spread(of(each)).median) for each in results]
    factor = medians[-1][1] / medians[0][1]
    slope = slope_per_decade(medians)
    text = (
        f"{name}: {factor:.2f} times from {medians[0][0]:,} to {medians[-1][0]:,} entries, "
        f"least-squares slope {slope:+.1%} of the mean per decade"
    )
    return text, factor <= CONSTANT_WITHIN


def verdicts(results: list[Measured]) -> list[str]:
    """Return one sentence per demand of the project, met or missed."""
    last = results[-1]
    opened = spread([cost.wall for cost in last.open_fresh])
    met = opened.median < OPEN_BELOW_SECONDS
    text = f"a ledger of {last.n:,} entries opens in {opened.text(4)} s, demanded < {OPEN_BELOW_SECONDS} s"
    said = [f"{'met' if met else 'MISSED'}: {text}"]
    if len(results) < 2:
        return said
    for name, of in (
        ("commit of one record, CPU", lambda each: [cost.cpu for cost in each.singles]),
        ("commit of one record, wall", lambda each: [cost.wall for cost in each.singles]),
        ("commit of 256 records, CPU", lambda each: [cost.cpu for cost in each.batches]),
        ("commit of 256 records, wall", lambda each: [cost.wall for cost in each.batches]),
    ):
        text, constant = growth(results, name, of)
        said.append(f"{'met' if constant else 'MISSED'}: {text}; demanded: constant, here within {CONSTANT_WITHIN}")
    return said


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", default="1000,10000,100000,1000000")
    parser.add_argument("--verify-up-to", type=int, default=10_000, help="verify ledgers of up to this many entries")
    parser.add_argument("--json", action="store_true", help="also write bench/results/ledger.json")
    parser.add_argument("--folder", type=Path, default=RESULTS, help="the disk to measure")
    parser.add_argument("--open", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.open:
        print(json.dumps({"open": timed(1, partial(open_once, Place(chosen.open)))}))
        return
    about = machine(chosen.folder) | {"command": command()}
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        results = measure(Path(folder), sorted(map(int, chosen.sizes.split(","))), chosen.verify_up_to)
        say("removing the ledgers")
    counts = f"{OPENS} openings, {SINGLES} single commits, {BATCHES} batches of {BATCH} per size, in turn"
    tables = {"Opening": opening(results), "Committing": committing(results), "Sizes and verification": sizes(results)}
    said = verdicts(results)
    text = report(about, f"median (lowest .. highest); {counts}", tables, said)
    print(text)
    if chosen.json:
        ledgers = [each.as_json() for each in results]
        say(f"written: {save('ledger', {'machine': about, 'ledgers': ledgers, 'verdicts': said}, text)}")


if __name__ == "__main__":
    main()
