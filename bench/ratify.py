"""The whole of ratifying, from packed votes to a selection with its certificate, and the verifier by itself.

Run as `.venv/bin/python -m bench.ratify` after `bench/peers.sh`. Every round
runs in a process of its own, on one thread and within limits: groups,
eligibility, resampling, selection, EJR+ and the core; then another process
checks what came out, and the benchmark stops if it does not hold. In the
smallest that a peer can take, abcvoting and pabutools then elect by equal
shares from the same candidates: their counting alone against all of ours.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import NamedTuple

from bench.bounded import Limits, Outcome, run_bounded
from bench.measure import RESULTS, ROOT, command, conclude, machine, say, spread, table
from bench.opinion import cost, cpu, make, of, peak, ratio, wall
from bench.rules import PEERS, same_winners

OURS = (ROOT / ".venv" / "bin" / "python", "bench.ratify_side")
LIMITS = Limits(seconds=600, gigabytes=12)
SHOWN = 1e-4  # seconds; steps that take less are left out of the tables
NAMES = {"abcvoting": "abcvoting, equal shares alone, floats", "pabutools": "pabutools, equal shares alone, fractions"}


class Plan(NamedTuple):
    """What to run, how often, and what is demanded of it; 0 where nothing is.

    Attributes:
        conversation: as `bench.conversations` names it.
        rounds: how often ours runs.
        seats: articles there is room for.
        roll: how many people may vote, where that is known.
        peer_rounds: how often each peer runs.
        seconds: most wall time for the whole.
        gigabytes: most memory for the whole.
        checked_seconds: most wall time for the verifier.
    """

    conversation: str
    rounds: int
    seats: int = 20
    roll: int = 0
    peer_rounds: int = 0
    seconds: float = 0
    gigabytes: float = 0
    checked_seconds: float = 0


PLANS = {
    "tiny": Plan("tiny", 2, peer_rounds=1),
    "30": Plan("30", 9, seats=7, seconds=0.1),
    "30 on a roll of 40": Plan("30", 9, seats=7, roll=40, seconds=0.1),
    "10k": Plan("10k", 9, peer_rounds=3, seconds=0.5, checked_seconds=1),
    "100k": Plan("100k", 5, seconds=3, gigabytes=0.6, checked_seconds=2),
    "1M": Plan("1M", 3, seconds=30, gigabytes=2, checked_seconds=5),
}

NOTES = """\
What the rows are:

- A conversation is named by its participants: 30 by 12 statements, 10k by 500, 100k by 1,000, 1M by 2,000; its votes \
are those of `bench.opinion`, synthetic, with three latent groups. *On a roll of 40* is the small community's way: \
counted exactly, a supermajority, no groups.
- *The whole* starts from the packed votes in memory and ends with every statement's standing, margins and resamples, \
the articles and both certificates, what is put to the people's vote and the views to acknowledge, all by the default \
rules; a process is fresh each time, and its imports are done before the clock starts.
- *Resampling* is in how many of 100 resamples a statement keeps its support and no group is against it, computed \
and not drawn.
- Steps that take less than 0.1 ms are not shown; *the rest* is counting votes by group, and what stands between steps.
- *What is put to the vote* selects once more, as if nobody contested anything; *clauses* are the views to acknowledge.
- *The verifier* shares no code with what it checks, and runs in another process on what a record would hold. All its \
steps pass, or the run stops.
- A peer is given the same candidates, the eligible ones, and everybody who has voted; its row is equal shares alone, \
from its own form of the approvals, which is not timed. The ratio is its CPU time over that of our whole.
- *At most* is the most memory that a process held, with the interpreter, numpy, the votes and made-up pseudonyms.

What this does not show:

- Reading an export, packing votes, Polis' statistics (`bench.opinion`), and writing and signing records.
- Conflicts between statements: none is declared here.
- Rounds of drafting and the people's own vote.
- Real conversations, whose groups are less clear; there are 15 in docs/ratify.md, all of them smaller.
- Peers do nothing but select, and serve many rules by the same code; no peer is known for the whole."""


class Measured(NamedTuple):
    """All runs of one plan."""

    votes: int
    ours: list[Outcome]
    checks: list[Outcome]
    peers: dict[str, list[Outcome]]


def run_rounds(name: str, plan: Plan, folder: Path, limits: Limits) -> Measured:
    """Run ours, the verifier and the peers on one conversation, in turn."""
    place = folder / f"{plan.conversation}.npz"
    about = make(plan.conversation, place)
    measured = Measured(int(about["votes"]), [], [], {case: [] for case in NAMES if plan.peer_rounds})
    settings = str(plan.roll), str(plan.seats)
    for number in range(plan.rounds):
        for what, done in (("ratify", measured.ours), ("verify", measured.checks)):
            outcome = run_bounded(*OURS, (what, str(place), *settings), limits)
            if outcome.stopped:
                raise SystemExit(f"ours did not finish {name}: {outcome.stopped}")
            done.append(outcome)
            say(f"{name}, round {number + 1}: {what}: {wall(outcome):.3g} s, {peak(outcome) / 1e9:.2f} GB")
        candidates = str(place.with_suffix(".candidates.npz"))
        for case, done in measured.peers.items():
            if number < plan.peer_rounds and not any(one.stopped for one in done):
                outcome = run_bounded(*PEERS, (case, candidates, str(plan.seats)), limits)
                done.append(outcome)
                say(f"{name}, round {number + 1}: {NAMES[case]}: {outcome.stopped or f'{wall(outcome):.3g} s'}")
    for each in folder.iterdir():
        each.unlink()
    return measured


def whole(measured: dict[str, Measured]) -> str:
    """Return a table of all steps together, and of the peers' selecting."""
    rows = []
    for name, one in measured.items():
        plan = PLANS[name]
        row = [f"{name}, {one.votes:,} votes", "ours, the whole", str(len(one.ours))]
        row += [of(one.ours, cpu, 3), of(one.ours, wall, 3), _most(plan.seconds, "s"), ""]
        rows.append([*row, of(one.ours, lambda run: peak(run) / 1e6, 0), _most(plan.gigabytes * 1000, "MB"), ""])
        for case, done in one.peers.items():
            row = [name, NAMES[case], str(len(done)), of(done, cpu, 3), of(done, wall, 3), ""]
            row += [ratio(one.ours, done, cpu), of(done, lambda run: peak(run) / 1e6, 0), ""]
            rows.append([*row, same_winners(one.ours, done)])
    header = ["conversation", "side", "rounds", "CPU s", "wall s", "demanded", "ratio of CPU", "at most, MB"]
    return table([*header, "demanded", "winners by equal shares"], rows)


def _most(demanded: float, unit: str) -> str:
    return f"<= {demanded:g} {unit}" if demanded else ""


def steps(measured: dict[str, Measured]) -> str:
    """Return a table of where the time goes."""
    rows = []
    for name, one in measured.items():
        first = one.ours[0].answer["stages"]
        assert isinstance(first, dict), "costs by step"
        for step in first:
            costs = [cost(run, step) for run in one.ours]
            spent = [spread([each.cpu for each in costs]), spread([each.wall for each in costs])]
            if spent[1].median >= SHOWN:
                rows.append([name, step, *(each.text(4) for each in spent)])
    return table(["conversation", "step", "CPU s", "wall s"], rows)


def verifier(measured: dict[str, Measured]) -> str:
    """Return a table of what checking an outcome takes."""
    rows = []
    for name, one in measured.items():
        row = [name, "all", of(one.checks, cpu, 4), of(one.checks, wall, 4)]
        demanded = _most(PLANS[name].checked_seconds, "s")
        rows.append([*row, demanded, of(one.checks, lambda run: peak(run) / 1e6, 0)])
        found = one.checks[0].answer["stages"]
        assert isinstance(found, dict), "costs by step"
        for step in found:
            costs = [cost(run, step) for run in one.checks]
            spent = [spread([each.cpu for each in costs]), spread([each.wall for each in costs])]
            if spent[1].median >= SHOWN:
                rows.append([name, step, *(each.text(4) for each in spent), "", ""])
    return table(["conversation", "step", "CPU s", "wall s", "demanded", "at most, MB"], rows)


def outcomes(measured: dict[str, Measured]) -> str:
    """Return a table of what was selected."""
    columns = ("groups", "eligible", "contested", "articles", "put to the vote", "clauses", "ejr+ ratio", "core margin")
    rows = []
    for name, one in measured.items():
        found = one.ours[0].answer
        values = [found[column] for column in columns]
        rows.append([name, *(f"{each:.3f}" if isinstance(each, float) else str(each) for each in values)])
    return table(["conversation", *columns], rows)


def verdicts(measured: dict[str, Measured]) -> list[str]:
    """Return one sentence per demand of the project, met or missed, by the medians; of memory, by the most."""
    said = []
    for name, one in measured.items():
        plan = PLANS[name]
        for what, done, most in (("ratified", one.ours, plan.seconds), ("checked", one.checks, plan.checked_seconds)):
            if most:
                took = spread([wall(run) for run in done])
                word = "met" if took.median <= most else "MISSED"
                said.append(f"{word}: {name}: {what} in {took.text(3)} s (wall), demanded <= {most:g} s")
        if plan.gigabytes:
            held = spread([peak(run) / 1e9 for run in one.ours])
            word = "met" if held.high <= plan.gigabytes else "MISSED"
            said.append(f"{word}: {name}: {held.text(2)} GB, demanded <= {plan.gigabytes:g} GB")
    return said


def main() -> None:
    """Run the rounds and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    usual = [name for name in PLANS if name != "tiny"]
    parser.add_argument("--sizes", default=",".join(usual), help=f"of {', '.join(PLANS)}")
    parser.add_argument("--tiny", action="store_true", help="seconds, to see that it runs; the numbers mean nothing")
    parser.add_argument("--seconds", type=float, default=LIMITS.seconds, help="limit of time for one run")
    parser.add_argument("--gigabytes", type=float, default=LIMITS.gigabytes, help="limit of memory for one run")
    parser.add_argument("--json", action="store_true", help="also write bench/results/ratify.json")
    chosen = parser.parse_args()
    if not PEERS[0].exists():
        raise SystemExit("no .venv-bench: run bench/peers.sh first")
    limits = Limits(chosen.seconds, chosen.gigabytes)
    about = machine(RESULTS) | {"command": command()}
    names = ["tiny", *usual[:2]] if chosen.tiny else chosen.sizes.split(",")
    with tempfile.TemporaryDirectory() as folder:
        measured = {name: run_rounds(name, PLANS[name], Path(folder), limits) for name in names}
    about["ours"] = str(measured[names[0]].ours[0].answer["version"])
    tables = {
        "The whole": whole(measured),
        "Each step": steps(measured),
        "The verifier": verifier(measured),
        "What came out": outcomes(measured),
    }
    said = verdicts(measured)
    kept = {"limits": limits._asdict(), "measured": measured} if chosen.json else None
    conclude("ratify", about, tables, said, NOTES, kept)


if __name__ == "__main__":
    main()
