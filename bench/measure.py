"""Measuring and printing: costs, spreads, tables, the machine. Standard library only.

Both sides of a comparison use this module, so that both are timed the same way.
"""

from __future__ import annotations

import gc
import json
import math
import os
import platform
import ssl
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results"


class Cost(NamedTuple):
    """What `n` operations took, in seconds of CPU time and of wall time."""

    n: int
    cpu: float
    wall: float

    @property
    def cpu_us(self) -> float:
        """Microseconds of CPU time per operation."""
        return self.cpu / self.n * 1e6

    @property
    def wall_us(self) -> float:
        """Microseconds of wall time per operation."""
        return self.wall / self.n * 1e6


class Spread(NamedTuple):
    """Median and range of repeated measurements."""

    median: float
    low: float
    high: float

    def text(self, digits: int = 2) -> str:
        """Return 'median (low .. high)'."""
        return f"{self.median:,.{digits}f} ({self.low:,.{digits}f} .. {self.high:,.{digits}f})"


class Stopwatch:
    """Adds up the CPU and wall time of the blocks it is wrapped around."""

    def __init__(self) -> None:
        self.cpu = self.wall = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Time one block; garbage is collected before it, never switched off in it."""
        gc.collect()
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.cpu += time.process_time() - cpu
        self.wall += time.perf_counter() - wall


def timed(n: int, act: Callable[[], object]) -> Cost:
    """Return what one call of `act`, which does `n` operations, takes."""
    watch = Stopwatch()
    with watch.running():
        act()
    return Cost(n, watch.cpu, watch.wall)


def timed_each(items: Sequence[Callable[[], object]]) -> list[Cost]:
    """Return what each call takes; no garbage collection in between, as in real use."""
    costs = []
    gc.collect()
    for act in items:
        wall, cpu = time.perf_counter(), time.process_time()
        act()
        costs.append(Cost(1, time.process_time() - cpu, time.perf_counter() - wall))
    return costs


def spread(values: Sequence[float]) -> Spread:
    """Return median, minimum and maximum."""
    return Spread(statistics.median(values), min(values), max(values))


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` of `values` lie."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def slope_per_decade(points: Sequence[tuple[int, float]]) -> float:
    """Return the least-squares slope of the values over log10(n), as a share of their mean."""
    xs, ys = [math.log10(n) for n, _ in points], [value for _, value in points]
    slope, _ = statistics.linear_regression(xs, ys)
    return slope / statistics.mean(ys)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; its columns also line up as plain text."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]

    def line(row: Sequence[str]) -> str:
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"

    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([line(header), rule, *map(line, rows)])


def file_system(folder: Path) -> str:
    """Return the type of the file system that holds `folder`."""
    best = ("", "unknown")
    for row in Path("/proc/mounts").read_text().splitlines():
        _, mount, kind, *_ = row.split()
        if folder.resolve().is_relative_to(mount) and len(mount) >= len(best[0]):
            best = (mount, kind)
    return best[1]


def flush_milliseconds(folder: Path, n: int = 200) -> Spread:
    """Return how long writing and flushing one new file of 8 KiB takes here."""
    costs = []
    for serial in range(n):
        place = folder / f"flush-{serial}"
        started = time.perf_counter()
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT, 0o644)
        os.write(descriptor, b"x" * 8192)
        os.fsync(descriptor)
        os.close(descriptor)
        costs.append((time.perf_counter() - started) * 1e3)
        place.unlink()
    return spread(costs)


def machine(folder: Path) -> dict[str, str]:
    """Return what a reader needs to judge the numbers; `folder` is where files are written."""
    model, family = platform.processor(), ""
    for row in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = row.partition(":")
        if name.strip() == "model name":
            model = value.strip()
        if name.strip() == "cpu family":
            family = value.strip()
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "CPU": f"{model} family {family}, {os.cpu_count()} cores",
        "Python": f"{platform.python_version()} ({platform.python_implementation()})",
        "OpenSSL (hashlib)": ssl.OPENSSL_VERSION,
        "kernel": f"{platform.system()} {platform.release().partition('-')[0]}",
        "file system": file_system(folder),
        "new file of 8 KiB, flushed": f"{flush_milliseconds(folder).text()} ms",
        "load average at start": f"{os.getloadavg()[0]:.2f} on {os.cpu_count()} cores",
    }


def run_side(python: Path, module: str, *arguments: str) -> dict[str, object]:
    """Run one side in a process of its own; return the JSON object it prints."""
    done = subprocess.run(
        [str(python), "-m", module, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{module} failed:\n{done.stderr}")
    answer = json.loads(done.stdout)
    assert isinstance(answer, dict), "a side prints one JSON object"
    return answer


def say(text: str) -> None:
    """Tell the person who waits; stdout is for the result."""
    print(text, file=sys.stderr, flush=True)


def command() -> str:
    """Return the command line that is running, as one would type it."""
    spec = sys.modules["__main__"].__spec__
    return " ".join([".venv/bin/python -m", spec.name if spec else sys.argv[0], *sys.argv[1:]])


def report(about: Mapping[str, str], how: str, tables: Mapping[str, str], said: Sequence[str]) -> str:
    """Return a whole result as Markdown: machine, tables, and one sentence per demand."""
    machine_lines = [f"- {name}: {value}" for name, value in about.items()]
    parts = ["\n".join([*machine_lines, f"- figures: {how}"])]
    parts += [f"### {title}\n\n{text}" for title, text in tables.items()]
    parts.append("### Demands\n\n" + "\n".join(f"- {line}" for line in said))
    return "\n\n".join(parts)


def conclude(
    name: str,
    about: Mapping[str, str],
    tables: Mapping[str, str],
    said: Sequence[str],
    notes: str,
    kept: Mapping[str, object] | None,
) -> None:
    """Print the result of a benchmark that runs in rounds, and keep it with `kept` if that is given."""
    how = "median (lowest .. highest) of the rounds, in turn, each run in a fresh process on one thread"
    text = f"{report(about, how, tables, said)}\n\n{notes}"
    print(text)
    if kept is not None:
        say(f"written: {save(name, {'machine': about, **kept, 'verdicts': said}, text)}")


def save(name: str, value: Mapping[str, object], text: str) -> Path:
    """Write a result below bench/results/, as JSON and as Markdown; return where the JSON is."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    place = RESULTS / f"{name}.json"
    place.write_text(json.dumps(value, indent=1) + "\n")
    place.with_suffix(".md").write_text(text + "\n")
    return place
