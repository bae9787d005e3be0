"""Importing proposals of a Decidim by the whole command, beside pandas reading and writing the same file.

Run as `.venv/bin/python -m bench.decidim_import` after `bench/peers.sh`. Each
round runs `auzolan deliberate import FILE --from decidim` in a fresh process
and a fresh commons, then the peer's process, on a real file of 9,691 proposals
and on generated ones of up to a million. Both must tell as many proposals and
supports as the file has, or the benchmark stops.

This process stays small: a new process starts with the peak memory of the one
that made it.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bench.bounded import ONE_THREAD
from bench.measure import RESULTS, ROOT, command, conclude, machine, run_side, say, slope_per_decade, spread, table

PYTHON = ROOT / ".venv" / "bin" / "python"
AUZOLAN = ROOT / ".venv" / "bin" / "auzolan"
PEER = (ROOT / ".venv-bench" / "bin" / "python", "-m", "bench.peers.pandas_side")
CASES = {"whole": "pandas, the file at once", "parts": "pandas, 10,000 rows at a time"}
NAME = "pam2016-open-data-proposals.csv"
REAL = ROOT.parent / "shared" / "data" / "decidim" / "as-open-data" / NAME
SAMPLE = ROOT / "tests" / "data" / "decidim" / NAME
PAM_PROPOSALS = 9_691  # to which the demand refers


class Plan(NamedTuple):
    """What is imported, how often, and what is demanded of it; 0 where nothing is.

    Attributes:
        rows: generated proposals; 0 for the real file.
        rounds: how often ours runs.
        peer_rounds: how often the peer runs, in the first of these rounds.
        seconds: most wall time.
        megabytes: most memory.
    """

    rows: int
    rounds: int
    peer_rounds: int
    seconds: float = 0
    megabytes: float = 0


REAL_PLAN = Plan(0, 9, 9, 3, 300)
PLANS = {
    1: Plan(1, 9, 9),
    1_000: Plan(1_000, 2, 2),
    10_000: Plan(10_000, 9, 9),
    100_000: Plan(100_000, 5, 3),
    1_000_000: Plan(1_000_000, 3, 1, megabytes=500),
}

NOTES = """\
What the rows are:

- *Ours* is the whole command, from the start of Python to the signed and committed record, in a new commons with \
throw-away keys: reading, masking e-mail addresses and long numbers in texts, pseudonyms of people, Decidim's \
fingerprint of each text, refusing what comes twice differently, putting in order, and writing durably.
- *pandas* is what one would do without it: `read_csv`, dates made dates by `to_datetime`, `to_json` as JSON lines. \
It checks nothing, masks nothing, computes no fingerprint, makes no pseudonyms, finds nothing that comes twice and \
signs nothing; people's names, where a file has them, stay in what it writes, and that is not flushed. \
So a ratio below 1 is what all this costs.
- *Demanded* is of ours alone. A ratio is pandas' cost over ours in the same round.
- CPU and *at most* (the highest resident memory) are the kernel's, of the whole process, with the interpreter and \
imports; they take most of a small import, so that *per proposal* leaves out what importing one proposal takes.
- The real proposals are those of Barcelona's PAM 2016, made on the platform from which Decidim came and brought into \
the layout of Decidim 0.31's open data, one language each; the generated ones are synthetic, in the same layout, two \
short texts in two languages each; 5,000 people wrote them.
- Other work ran on the two cores meanwhile: wall times hold it, CPU seconds hardly.
- Temporary files of ours lie on the disk beside the commons, not in memory; what Python compiles is compiled before.

What this does not show:

- Comments, debates, results, and reading a zip.
- Reading by API, where Decidim's pace counts and not ours. The table *By API* is not measured: it is computed from \
the sizes of pages, each of which begins with the last proposal of the one before, and the requests allowed a minute. \
A few requests to find the components come on top, others for long discussions, and the time that the server takes.
- A cold disk: the file was written or read just before."""


class Run(NamedTuple):
    """What a process took: seconds of CPU and wall time, and bytes at most."""

    cpu: float
    wall: float
    peak: int


class Measured(NamedTuple):
    """All runs on one file: of ours, and of the peer by case."""

    name: str
    plan: Plan
    proposals: int
    size: int
    ours: list[Run]
    peers: dict[str, list[Run]]


def plan_of(rows: int) -> Plan:
    """Return what to do with so many generated proposals."""
    return PLANS.get(rows, Plan(rows, 3, 3))


def timed_process(arguments: tuple[str, ...], folder: Path, home: Path) -> tuple[Run, dict[str, object]]:
    """Run a command to its end; return what it took, by the kernel, and the JSON object that it printed."""
    env = os.environ | ONE_THREAD | {"AUZOLAN_HOME": str(home), "TMPDIR": str(home), "PYTHONPATH": str(ROOT)}
    output, errors = home / "output", home / "errors"
    with output.open("wb") as out, errors.open("wb") as err:
        started = time.perf_counter()
        process = subprocess.Popen(arguments, cwd=folder, stdout=out, stderr=err, env=env)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(arguments)} failed:\n{errors.read_text()}")
    answer = json.loads(output.read_text())
    assert isinstance(answer, dict), "a side prints one JSON object"
    return Run(used.ru_utime + used.ru_stime, wall, used.ru_maxrss * 1024), answer


def make_commons(folder: Path) -> None:
    """Make a commons with throw-away keys, to be copied for each run."""
    home = folder / "home"
    home.mkdir(parents=True, mode=0o700)
    env = os.environ | {"AUZOLAN_HOME": str(home)}
    principal = "demo/steward"
    made = ("init", "town", "--name", "Town (synthetic)", "--principal", f"steward={principal}", "--demo")
    for arguments in (("key", "new", principal, "--demo"), made):
        subprocess.run([str(AUZOLAN), *arguments], cwd=folder, env=env, check=True, capture_output=True)


def run_ours(file: Path, template: Path, place: Path) -> tuple[Run, tuple[int, int]]:
    """Import a file into a new commons; return what it took, and how many proposals and supports were told."""
    shutil.copytree(template, place)
    arguments = (str(AUZOLAN), "deliberate", "import", str(file), "--from", "decidim", "--name", "measured", "--json")
    run, answer = timed_process(arguments, place / "town", place / "home")
    shutil.rmtree(place)
    assert answer["committed"] is True, "the record is in the log"
    counts, supports = answer["counts"], answer["supports"]
    assert isinstance(counts, dict), "numbers by class"
    assert isinstance(supports, dict), "known, hidden and total"
    return run, (counts["proposals"], supports["total"])


def run_peer(case: str, file: Path, place: Path) -> tuple[Run, tuple[int, int]]:
    """Let pandas read the file and write it; return the same as `run_ours`."""
    place.mkdir()
    run, answer = timed_process((*map(str, PEER), case, str(file), str(place / "written.jsonl")), ROOT, place)
    shutil.rmtree(place)
    rows, supports = answer["rows"], answer["supports"]
    assert isinstance(rows, int), "a number"
    assert isinstance(supports, int), "a number"
    return run, (rows, supports)


def file_for(rows: int, folder: Path) -> tuple[str, Path]:
    """Return the name and the place of the file with so many proposals, the real one for 0."""
    if rows:
        file = folder / "generated.csv"
        run_side(PYTHON, "bench.decidim_import", "--make", str(rows), str(file))
        return f"generated, {rows:,}", file
    if REAL.exists():
        return "PAM 2016, real", REAL
    say(f"THE REAL FILE IS MISSING: {REAL}; a small sample of it is measured in its place, which shows little")
    return "SAMPLE of PAM 2016", SAMPLE


def measure(plan: Plan, folder: Path) -> Measured:
    """Run both sides on one file, in turn."""
    name, file = file_for(plan.rows, folder)
    say(f"{name}: {file.stat().st_size / 1e6:,.1f} MB")
    ours: list[Run] = []
    peers: dict[str, list[Run]] = {case: [] for case in CASES}
    told = set()
    for number in range(plan.rounds):
        run, found = run_ours(file, folder / "template", folder / "run")
        ours.append(run)
        told.add(found)
        say(f"{name}, round {number + 1}: ours: {run.cpu:.2f} s CPU, {run.wall:.2f} s, {run.peak / 1e6:.0f} MB")
        for case, done in peers.items() if number < plan.peer_rounds else ():
            run, found = run_peer(case, file, folder / "peer")
            done.append(run)
            told.add(found)
            say(f"{name}, round {number + 1}: {CASES[case]}: {run.cpu:.2f} s CPU, {run.peak / 1e6:.0f} MB")
    if len(told) != 1 or (plan.rows and {plan.rows} != {proposals for proposals, _ in told}):
        sys.exit(f"{name}: the sides tell different proposals and supports: {sorted(told)}")
    return Measured(name, plan, told.pop()[0], file.stat().st_size, ours, peers)


def of(runs: list[Run], value: Callable[[Run], float], digits: int = 2) -> str:
    """Return the spread of a value over runs."""
    return spread([value(run) for run in runs]).text(digits)


def cpu(run: Run) -> float:
    """Return seconds of CPU time."""
    return run.cpu


def wall(run: Run) -> float:
    """Return seconds of wall time."""
    return run.wall


def peak(run: Run) -> float:
    """Return the most memory held, in MB."""
    return run.peak / 1e6


def ratio(ours: list[Run], peer: list[Run], value: Callable[[Run], float]) -> str:
    """Return the spread of the peer's value over ours in the same round."""
    return spread([value(theirs) / value(mine) for mine, theirs in zip(ours, peer, strict=False)]).text() + "x"


def whole(results: list[Measured]) -> str:
    """Return the table of what both sides take."""
    rows = []
    for each in results:
        demanded = (_most(each.plan.seconds, "s"), _most(each.plan.megabytes, "MB"))
        row = [f"{each.name}, {each.size / 1e6:,.1f} MB", "ours", str(len(each.ours)), of(each.ours, cpu), ""]
        rows.append([*row, of(each.ours, wall), demanded[0], of(each.ours, peak, 0), "", demanded[1]])
        for case, done in each.peers.items():
            row = [each.name, CASES[case], str(len(done)), of(done, cpu), ratio(each.ours, done, cpu)]
            rows.append([*row, of(done, wall), "", of(done, peak, 0), ratio(each.ours, done, peak), ""])
    header = ["file", "side", "rounds", "CPU s", "ratio of CPU", "wall s", "demanded", "at most, MB"]
    return table([*header, "ratio of memory", "demanded"], rows)


def _most(demanded: float, unit: str) -> str:
    return f"<= {demanded:g} {unit}" if demanded else ""


def per_proposal(runs: list[Run], first: list[Run], n: int) -> list[float]:
    """Return the CPU microseconds of each further proposal: without what the first one takes, at the median."""
    start = spread([run.cpu for run in first]).median
    return [(run.cpu - start) / (n - 1) * 1e6 for run in runs]


def growing(results: list[Measured]) -> str:
    """Return the table of how the costs grow with the file."""
    first = next(each for each in results if each.plan.rows)
    rows = []
    for each in results:
        if each is first:
            continue
        row = [each.name, spread(per_proposal(each.ours, first.ours, each.proposals)).text(1)]
        row += [spread(per_proposal(each.peers[case], first.peers[case], each.proposals)).text(1) for case in CASES]
        row += [of(each.ours, peak, 0), *(of(each.peers[case], peak, 0) for case in CASES)]
        rows.append(row)
    names = ["ours", *CASES.values()]
    header = ["file", *(f"{name}: CPU µs per proposal" for name in names)]
    return table([*header, *(f"{name}: at most, MB" for name in names)], rows)


def by_api() -> str:
    """Return the table of the least time that reading by API takes, computed from pages and pace."""
    told = run_side(PYTHON, "bench.decidim_import", "--pace")
    ours, pace, most = (told[name] for name in ("overlap", "pace", "most"))
    rows = []
    for what in ("without comments", "with their comments"):
        size = told[what]
        assert isinstance(size, int), "entities a page"
        assert isinstance(ours, int), "entities that come again"
        assert isinstance(pace, int), "requests a minute"
        assert isinstance(most, int), "requests a minute"
        pages = 1 + math.ceil((PAM_PROPOSALS - size) / (size - ours))
        rows.append([f"{PAM_PROPOSALS:,} proposals, {what}", str(size), str(pages)])
        rows[-1] += [f"{(pages - 1) * 60 / pace:,.0f}", f"{(pages - 1) * 60 / most:,.0f}"]
    header = ["what", "a page", "requests at least", f"at least, s, at our {pace} a minute"]
    return table([*header, f"at least, s, at Decidim's {most}"], rows)


def verdicts(results: list[Measured]) -> list[str]:
    """Return one sentence per demand, met or missed: of time by the median, of memory by the most."""
    said = []
    for each in results:
        took, held = spread([run.wall for run in each.ours]), spread([peak(run) for run in each.ours])
        if each.plan.seconds:
            word = "met" if took.median <= each.plan.seconds else "MISSED"
            if each.proposals != PAM_PROPOSALS:
                word = "not shown, a sample only"
            text = f"{each.proposals:,} proposals in {took.text()} s (wall)"
            said.append(f"{word}: {each.name}: {text}, demanded <= {each.plan.seconds:g} s for {PAM_PROPOSALS:,}")
        if each.plan.megabytes:
            word = "met" if held.high <= each.plan.megabytes else "MISSED"
            if not each.plan.rows and each.proposals != PAM_PROPOSALS:
                word = "not shown, a sample only"
            said.append(f"{word}: {each.name}: {held.text(0)} MB at most, demanded <= {each.plan.megabytes:g} MB")
    return [*said, *growth([each for each in results if each.plan.rows])]


def growth(results: list[Measured]) -> list[str]:
    """Say how time and memory grow from file to file, where there are enough of them."""
    first, *rest = results
    if len(rest) < 2:
        return []
    points = [(each.proposals, spread(per_proposal(each.ours, first.ours, each.proposals)).median) for each in rest]
    held = [spread([peak(run) for run in each.ours]).median for each in rest]
    ends = f"from {points[0][0]:,} to {points[-1][0]:,} proposals"
    factor, slope = points[-1][1] / points[0][1], slope_per_decade(points)
    time_said = f"{factor:.2f} times {ends}, least-squares slope {slope:+.1%} of the mean per decade"
    return [
        f"measured: CPU per proposal: {time_said}; linear time has a slope of 0",
        f"measured: memory at most: {held[-1] / held[0]:.2f} times {ends} ({held[0]:,.0f} and {held[-1]:,.0f} MB)",
    ]


def make(rows: int, file: Path) -> None:
    """Write a file of generated proposals; in a process of its own, as it needs our modules."""
    from tests.deliberate.decidim.generated import many

    with file.open("wb") as out:
        out.writelines(many(rows))
    print(json.dumps({"rows": rows}))


def tell_pace() -> None:
    """Print how the reader of the API asks; in a process of its own, as it needs our modules."""
    from auzolan.deliberate.decidim.api.asking import MAX_PER_MINUTE, PER_MINUTE
    from auzolan.deliberate.decidim.api.queries import PAGE, PAGE_WITH_THREADS

    sizes = {"without comments": PAGE, "with their comments": PAGE_WITH_THREADS}
    # Each page begins with the last entity of the one before, see `api.paging`.
    print(json.dumps({**sizes, "overlap": 1, "pace": PER_MINUTE, "most": MAX_PER_MINUTE}))


def main() -> None:
    """Run the rounds and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    usual = ",".join(str(rows) for rows in PLANS if rows not in (1, 1_000))
    parser.add_argument("--sizes", default=usual, help="how many generated proposals; 2 or more each")
    parser.add_argument("--tiny", action="store_true", help="seconds, to see that it runs; the numbers mean nothing")
    parser.add_argument("--json", action="store_true", help="also write bench/results/decidim_import.json")
    parser.add_argument("--folder", type=Path, default=RESULTS, help="the disk to measure")
    parser.add_argument("--make", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--pace", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.make:
        return make(int(chosen.make[0]), Path(chosen.make[1]))
    if chosen.pace:
        return tell_pace()
    if not PEER[0].exists():
        raise SystemExit("no .venv-bench: run bench/peers.sh first")
    plans = [REAL_PLAN, *(plan_of(rows) for rows in sorted({1, *map(int, chosen.sizes.split(","))}))]
    if chosen.tiny:
        plans = [each._replace(rounds=2, peer_rounds=2) for each in (REAL_PLAN, PLANS[1], PLANS[1_000])]
    about = machine(chosen.folder) | {"command": command(), "ours": "auzolan in this tree"}
    with tempfile.TemporaryDirectory(dir=chosen.folder) as name:
        folder = Path(name)
        make_commons(folder / "template")
        run_ours(SAMPLE, folder / "template", folder / "run")  # compiles
        about["peer"] = str(timed_process((*map(str, PEER), "version"), ROOT, folder)[1]["version"])
        results = [measure(plan, folder) for plan in plans]
    tables = {"The whole command": whole(results), "How it grows": growing(results), "By API": by_api()}
    kept = {"measured": [each._asdict() for each in results]} if chosen.json else None
    conclude("decidim_import", about, tables, verdicts(results), NOTES, kept)
    return None


if __name__ == "__main__":
    main()
