"""Opinion groups and their statistics against red-dwarf 0.4.0: time, peak memory, and whether the groups are right.

Run as `.venv/bin/python -m bench.opinion` after `bench/peers.sh`. In every
round each side runs in a process of its own, on one thread and within limits,
first ours, then the peer's. Before anything is timed, both must give the same
group-aware consensus, the same consensus statements and the same
representative statements for the same groups.

A run that passes a limit is reported as that, and not tried again; no median
and no ratio is made up for it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.bounded import Limits, Outcome, run_bounded
from bench.measure import RESULTS, ROOT, Cost, Spread, command, conclude, machine, say, spread, table

OURS = (ROOT / ".venv" / "bin" / "python", "bench.opinion_side")
PEER = (ROOT / ".venv-bench" / "bin" / "python", "bench.peers.reddwarf_side")
LIMITS = Limits(seconds=600, gigabytes=12)
GAC_WITHIN = 1e-12
MOST_GIGABYTES = 2.0
LOADS = 9
LOADED_SECONDS = 1.0
STAGES = {"ours": ("grouping", "statistics"), "peer": ("matrix", "reduction", "clustering", "statistics")}


class Plan(NamedTuple):
    """How often each side runs on one conversation, and how long ours may take."""

    ours: int
    peer: int
    demanded_seconds: float = 0


PLANS = {"tiny": Plan(2, 2), "10k": Plan(9, 5, 0.3), "100k": Plan(5, 3, 2), "1M": Plan(3, 1, 20)}
LARGEST = "1M"
CASES = {"ours": OURS, "peer": PEER, "told": PEER}
NAMES = {"ours": "ours", "peer": "red-dwarf", "told": "red-dwarf, told that there are 3 groups"}

NOTES = """\
What the rows are:

- A conversation is named by its participants: 10k by 500 statements, 100k by 1,000, 1M by 2,000; its votes are \
synthetic, see `bench/conversations.py`.
- *Ours* starts from the packed votes in memory and ends with groups, group-aware consensus, consensus and \
representative statements.
- *red-dwarf* is its `run_pipeline`, which starts from a list of dicts, one a vote, and ends with the same; turning \
that list into a matrix is its step *matrix* and counts.
- *Told that there are 3 groups* spares red-dwarf the search for their number; ours always searches, from 2 to 5.
- A run that passes a limit of 600 s of wall time or 12 GB of memory is killed; the ratio is then that limit over our \
wall time, and none is given where memory ended it.
- *With the input* is what a process held before it began; *at most* is the most it ever held.
- The adjusted Rand index compares the groups found with the three that the votes were drawn from, among the \
participants with seven votes or more, whom both sides group; 1 is the same, 0 is chance.
- *Loading* reads the file of a snapshot's ballots, with every participant's pseudonym and salt, and checks its form, \
in a fresh process and with the file in the page cache; the commitment is what checking the file against a signed \
snapshot costs on top.

What this does not show:

- Packing votes, reading exports and writing signed records are not in our times, and making the list of dicts is not \
in red-dwarf's.
- red-dwarf also computes places and priorities of statements, which ours does not.
- Where memory ends red-dwarf, its list of dicts is part of it, and not all: it then holds every participant's vote on \
every statement, cast or not, as a float, several times over; at 8 bytes each that is 16 GB a time for 1M by 2,000.
- Ours searches for the number of groups on at most 1,024 cells of neighbours and only then goes on with all \
participants; red-dwarf compares every participant with every other.
- The groups are as clear as they were drawn; in real conversations they are less so, and different tools then find \
different ones.
- One thread on both sides; red-dwarf could use more for its matrix products."""

Runs = dict[str, list[Outcome]]  # case -> one outcome per round


class Measured(NamedTuple):
    """One conversation: what its generator said of it, all runs, and readings of its ballots."""

    votes: int
    about: dict[str, float]
    runs: Runs
    loads: list[Outcome]


def make(name: str, place: Path) -> dict[str, float]:
    """Make a conversation in a process of its own; return what there is to say about it."""
    done = subprocess.run(
        [str(OURS[0]), "-m", "bench.conversations", name, str(place)], cwd=ROOT, capture_output=True, check=True
    )
    about: dict[str, float] = json.loads(done.stdout)
    say(f"{name}: {about['votes']:,} votes made")
    return about


def agree(folder: Path, size: str) -> tuple[str, str]:
    """Stop unless both sides say the same of the same groups; return their versions."""
    place, labels = folder / "checked.npz", folder / "labels.npy"
    make(size, place)
    peer = run_bounded(*PEER, ("check", str(place), str(labels)), LIMITS)
    ours = run_bounded(*OURS, ("check", str(place), str(labels)), LIMITS)
    for side, name in ((peer, "red-dwarf"), (ours, "ours")):
        if side.stopped:
            raise SystemExit(f"{name} did not finish the check: {side.stopped}")
    for what in ("consensus", "repness"):
        if ours.answer[what] != peer.answer[what]:
            raise SystemExit(f"the two sides disagree about {what}: {ours.answer[what]} and {peer.answer[what]}")
    values, theirs = ours.answer["gac"], peer.answer["gac"]
    assert isinstance(values, list), "one value per statement"
    assert isinstance(theirs, list), "one value per statement"
    farthest = max(abs(a - b) for a, b in zip(values, theirs, strict=True))
    if farthest > GAC_WITHIN:
        raise SystemExit(f"the two sides disagree about group-aware consensus by {farthest}")
    say(f"both sides agree on {len(values)} values of group-aware consensus and on which statements stand out")
    return str(ours.answer["version"]), str(peer.answer["version"])


def run_rounds(name: str, folder: Path, limits: Limits) -> Measured:
    """Run both sides on one conversation, in turn."""
    place = folder / f"{name}.npz"
    about = make(name, place)
    plan = PLANS[name]
    runs: Runs = {case: [] for case in CASES}
    for number in range(plan.ours):
        for case, side in CASES.items():
            given_up = any(one.stopped for one in runs[case])
            if given_up or (case != "ours" and number >= plan.peer):
                continue
            outcome = run_bounded(*side, (case, str(place), str(number)), limits)
            if case == "ours" and outcome.stopped:
                raise SystemExit(f"ours did not finish {name}: {outcome.stopped}")
            runs[case].append(outcome)
            told = outcome.stopped or f"{cost(outcome).wall:.3g} s"
            say(f"{name}, round {number + 1}: {NAMES[case]}: {told}, {peak(outcome) / 1e9:.2f} GB")
    loads = load_ballots(name, folder, limits)
    place.unlink()
    return Measured(int(about["votes"]), about, runs, loads)


def load_ballots(name: str, folder: Path, limits: Limits) -> list[Outcome]:
    """Store one conversation as sealed ballots, and read them in a fresh process several times."""
    place = folder / f"{name}.ballots"
    stored = run_bounded(*OURS, ("store", str(folder / f"{name}.npz"), str(place)), limits)
    outcomes = [run_bounded(*OURS, ("take-in", str(place)), limits) for _ in range(LOADS)]
    for one in (stored, *outcomes):
        if one.stopped:
            raise SystemExit(f"ballots of {name}: {one.stopped}")
    for one in outcomes:
        one.answer["bytes"] = stored.answer["bytes"]
    say(f"{name}: ballots read, {wall(outcomes[0]):.3g} s")
    place.unlink()
    return outcomes


def cost(outcome: Outcome, stage: str = "") -> Cost:
    """Return what a finished run took, in all or in one stage."""
    values = outcome.answer["total"]
    if stage:
        stages = outcome.answer["stages"]
        assert isinstance(stages, dict), "costs by stage"
        values = stages[stage]
    assert isinstance(values, list), "a cost is a list of three numbers"
    return Cost(*values)


def peak(outcome: Outcome) -> float:
    """Return the most bytes that a run held, by its own account where it finished."""
    return _number(outcome, "peak") or outcome.peak


def _number(outcome: Outcome, key: str) -> float:
    value = outcome.answer.get(key, 0)
    assert isinstance(value, int | float), "a number"
    return value


def finished(runs: Sequence[Outcome]) -> list[Outcome]:
    """Return the runs that ended by themselves."""
    return [one for one in runs if not one.stopped]


def of(runs: Sequence[Outcome], value: Callable[[Outcome], float], digits: int) -> str:
    """Return the spread of a value, or why there is none."""
    done = finished(runs)
    return spread([value(one) for one in done]).text(digits) if done else runs[-1].stopped


def ratio(ours: Sequence[Outcome], other: Sequence[Outcome], value: Callable[[Outcome], float]) -> str:
    """Return the peer's value over ours, round by round; a bound where the peer ran out of time."""
    if any(one.stopped for one in other):
        limit = other[-1].stopped
        if not limit.endswith(" s"):
            return ""
        return f"> {other[-1].seconds / spread([cost(one).wall for one in ours]).median:,.0f}x"
    pairs = zip(ours, other, strict=False)  # the peer runs fewer rounds
    return spread([value(b) / value(a) for a, b in pairs]).text(1) + "x"


def cpu(outcome: Outcome) -> float:
    """Return seconds of CPU time in all."""
    return cost(outcome).cpu


def wall(outcome: Outcome) -> float:
    """Return seconds of wall time in all."""
    return cost(outcome).wall


def times(measured: dict[str, Measured]) -> str:
    """Return a table of the whole, each case on each conversation."""
    rows = []
    for name, one in measured.items():
        for case, runs in one.runs.items():
            row = [f"{name}, {one.votes:,} votes", NAMES[case], str(len(runs))]
            row += [of(runs, cpu, 3), of(runs, wall, 3)]
            row.append("" if case == "ours" else ratio(one.runs["ours"], runs, cpu))
            demanded = PLANS[name].demanded_seconds
            rows.append([*row, f"< {demanded:g} s" if case == "ours" and demanded else ""])
    return table(["conversation", "side", "rounds", "CPU s", "wall s", "ratio of CPU", "demanded"], rows)


def memory(measured: dict[str, Measured]) -> str:
    """Return a table of peak memory."""
    rows = []
    for name, one in measured.items():
        for case, runs in one.runs.items():
            before = spread([(_number(run, "before") or run.before) / 1e6 for run in runs]).text(0)
            row = [name, NAMES[case], before, spread([peak(run) / 1e6 for run in runs]).text(0)]
            if case == "ours":
                times_ours = ""
            else:
                bound = "> " if any(run.stopped for run in runs) else ""
                values = [peak(theirs) / peak(ours) for ours, theirs in zip(one.runs["ours"], runs, strict=False)]
                times_ours = f"{bound}{spread(values).median:.1f}x"
            row.append(times_ours)
            row.append(
                "; ".join(f"at {run.stopped[2:]} in {run.stage}, {run.seconds:.0f} s" for run in runs if run.stopped)
            )
            rows.append(row)
    return table(["conversation", "side", "with the input, MB", "at most, MB", "times ours", "stopped"], rows)


def loading(measured: dict[str, Measured]) -> str:
    """Return a table of reading stored ballots."""
    rows = []
    for name, one in measured.items():
        row = [f"{name}, {one.votes:,} votes", f"{_number(one.loads[0], 'bytes') / 1e6:,.1f}"]
        row += [spread([cost(load, stage).wall for load in one.loads]).text(3) for stage in ("file", "ballots")]
        row += [of(one.loads, wall, 3), of(one.loads, lambda load: peak(load) / 1e6, 0)]
        row.append(spread([cost(load, "commitment").wall for load in one.loads]).text(3))
        rows.append([*row, f"< {LOADED_SECONDS:g} s" if name == LARGEST else ""])
    header = ["conversation", "file, MB", "reading the file, s", "taking it in, s", "both, s", "at most, MB"]
    return table([*header, "commitment, s", "demanded"], rows)


def stages(measured: dict[str, Measured]) -> str:
    """Return a table of where the time goes."""
    rows = []
    for name, one in measured.items():
        for case, runs in one.runs.items():
            if done := finished(runs):
                for stage in STAGES["ours" if case == "ours" else "peer"]:
                    values = spread([cost(run, stage).cpu for run in done])
                    rows.append([name, NAMES[case], stage, values.text(3)])
    return table(["conversation", "side", "step", "CPU s"], rows)


def rightness(measured: dict[str, Measured]) -> str:
    """Return a table of how the groups found compare with those that were drawn from."""
    rows = []
    for name, one in measured.items():
        for case, runs in one.runs.items():
            if done := finished(runs):
                groups = sorted({f"{_number(run, 'groups'):.0f}" for run in done})
                labelled = sorted({f"{_number(run, 'labelled'):,.0f}" for run in done})
                index = of(done, lambda run: _number(run, "ari"), 3)
                rows.append([name, NAMES[case], ", ".join(groups), ", ".join(labelled), index])
    return table(["conversation", "side", "groups", "participants in them", "adjusted Rand index"], rows)


def verdicts(measured: dict[str, Measured]) -> list[str]:
    """Return one sentence per demand of the project, met or missed, by the medians."""
    said = []
    for name, one in measured.items():
        if demanded := PLANS[name].demanded_seconds:
            took: Spread = spread([wall(run) for run in one.runs["ours"]])
            word = "met" if took.median < demanded else "MISSED"
            said.append(
                f"{word}: {name}: grouping and statistics in {took.text(3)} s (wall), demanded < {demanded:g} s"
            )
            most = spread([peak(run) / 1e9 for run in one.runs["ours"]])
            word = "met" if most.high <= MOST_GIGABYTES else "MISSED"
            said.append(f"{word}: {name}, peak memory: {most.text(2)} GB, demanded <= {MOST_GIGABYTES:g} GB")
    if LARGEST in measured:
        took = spread([wall(load) for load in measured[LARGEST].loads])
        word = "met" if took.median < LOADED_SECONDS else "MISSED"
        said.append(
            f"{word}: {measured[LARGEST].votes:,} packed votes loaded: {took.text(3)} s (wall), "
            f"demanded < {LOADED_SECONDS:g} s"
        )
    return said


def main() -> None:
    """Run the rounds and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", default="10k,100k,1M", help=f"of {', '.join(PLANS)}")
    parser.add_argument("--tiny", action="store_true", help="seconds, to see that it runs; the numbers mean nothing")
    parser.add_argument("--seconds", type=float, default=LIMITS.seconds, help="limit of time for one run")
    parser.add_argument("--gigabytes", type=float, default=LIMITS.gigabytes, help="limit of memory for one run")
    parser.add_argument("--json", action="store_true", help="also write bench/results/opinion.json")
    chosen = parser.parse_args()
    sizes = ["tiny"] if chosen.tiny else chosen.sizes.split(",")
    if not PEER[0].exists():
        raise SystemExit("no .venv-bench: run bench/peers.sh first")
    limits = Limits(chosen.seconds, chosen.gigabytes)
    about = machine(RESULTS) | {"command": command()}
    with tempfile.TemporaryDirectory() as folder:
        about["ours"], about["peer"] = agree(Path(folder), sizes[0])
        measured = {name: run_rounds(name, Path(folder), limits) for name in sizes}
    tables = {
        "Grouping and statistics": times(measured),
        "Peak memory": memory(measured),
        "Where the time goes": stages(measured),
        "Whether the groups are right": rightness(measured),
        "Loading packed votes": loading(measured),
    }
    said = verdicts(measured)
    kept = {"limits": limits._asdict(), "measured": measured} if chosen.json else None
    conclude("opinion", about, tables, said, NOTES, kept)


if __name__ == "__main__":
    main()
