"""Counting rules against abcvoting and pabutools: the same winners, and what counting takes.

Run as `.venv/bin/python -m bench.rules` after `bench/peers.sh`. First some
hundreds of small elections are counted by all sides in exact numbers; the
benchmark stops where an outcome is none of those that ties allow. Then each
side counts whole conversations in processes of their own, on one thread and
within limits; the peers only the smallest.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.bounded import Limits, Outcome, run_bounded
from bench.measure import RESULTS, ROOT, command, conclude, machine, say, spread, table
from bench.opinion import cost, cpu, finished, make, of, peak, ratio, wall

OURS = (ROOT / ".venv" / "bin" / "python", "bench.rules_side")
PEERS = (ROOT / ".venv-bench" / "bin" / "python", "bench.peers.rules_side")
LIMITS = Limits(seconds=600, gigabytes=12)
SEATS = 20
ELECTIONS = 400
ROUNDS = {"tiny": 2, "10k": 9, "100k": 5, "1M": 3}
PEER_ROUNDS = {"tiny": 2, "10k": 3}
NAMES = {"ours": "ours", "abcvoting": "abcvoting, floats", "pabutools": "pabutools, gmpy2 fractions"}
STAGES = ("laying approvals out", "equal shares", "completion", "EJR+", "core certificate", "eligibility")
# Our rule, and each peer's that must elect the same.
SAME = {
    "abcvoting, equal shares": "equal shares",
    "pabutools, equal shares": "equal shares",
    "abcvoting, completed": "completed",
    "abcvoting, phragmen": "phragmen",
}

NOTES = """\
What the rows are:

- *Small elections*: 3 to 40 voters, 3 to 10 candidates of whom each has a supporter, up to as many seats; half of \
the elections are of parties with a few strays. All sides count them in exact numbers. *The same* means the same set \
of winners where all sides break ties by the lower number; *another tie* means that ours is one of the outcomes that \
the peer itself lists when it is asked for all that ties allow.
- Ours pays in whole units of money, 2**20 to a voter's part of one seat, so that a tie between exact shares can be \
split by a rounded unit; that is the only way in which outcomes may differ, and the run stops at any other.
- *Completed* is equal shares with the empty seats filled by sequential Phragmén from the money left, which abcvoting \
does by default; pabutools leaves seats empty, as ours does by default, and is compared with that.
- *EJR+* compares our verdict on the first candidates by number with abcvoting's `check_EJR_plus`.
- Conversations are those of `bench.opinion`; every statement is a candidate and 20 have a seat, so that the work is \
not made less by what is eligible.
- Times of *equal shares* start from approvals in the form that each side holds them in, and end with winners, \
without completion. abcvoting runs its float algorithm, its fastest; pabutools runs its default.
- *Core certificate* is for equal shares with completion; *eligibility* is every statement's standing with both of its \
margins, with the groups that the votes were drawn from; it is no part of the counting rules.

What this does not show:

- Bringing votes into that form, which is the first of our steps and takes longer than equal shares; the peers' \
forms take time to make as well, and neither is in the ratio.
- Many winners by equal shares: where most people have seen few statements they can rarely pay for one together, the \
more so the more statements there are, and most seats are filled by completion. Where everybody has seen everything, \
more rounds are needed, of the core certificate too.
- Finding groups and resampling (`bench.opinion`), reading and signing.
- The peers beyond 10k.
- The peers serve many rules and weights by the same code; ours only these."""

Runs = dict[str, list[Outcome]]


def elections(n: int, chance: int) -> list[tuple[list[list[int]], int, int]]:
    """Draw small elections: ballots, candidates, seats; each candidate has a supporter."""
    source = np.random.default_rng(chance)
    drawn: list[tuple[list[list[int]], int, int]] = []
    while len(drawn) < n:
        voters, m = int(source.integers(3, 41)), int(source.integers(3, 11))
        if len(drawn) % 2:
            parties = source.random((int(source.integers(2, 5)), m)) < 0.5
            rows = parties[source.integers(0, len(parties), voters)] ^ (source.random((voters, m)) < 0.05)
        else:
            rows = source.random((voters, m)) < source.choice([0.2, 0.4, 0.6])
        if rows.any(axis=0).all():
            drawn.append(([np.flatnonzero(row).tolist() for row in rows], m, int(source.integers(1, m + 1))))
    return drawn


def agree(folder: Path, n: int) -> tuple[dict[str, str], str]:
    """Stop unless all sides elect the same, but for ties; return their versions and a table of how often."""
    place = folder / "elections.json"
    place.write_text(json.dumps(elections(n, chance=1)))
    ours = run_bounded(*OURS, ("check", str(place)), LIMITS)
    peers = run_bounded(*PEERS, ("check", str(place)), LIMITS)
    for side, name in ((ours, "ours"), (peers, "the peers")):
        if side.stopped:
            raise SystemExit(f"{name} did not finish the check: {side.stopped}")
    found, theirs = ours.answer["found"], peers.answer["found"]
    assert isinstance(found, list), "one entry per election"
    assert isinstance(theirs, list), "one entry per election"
    rows = []
    for name, rule in SAME.items():
        same = other = tied = 0
        for one, peer in zip(found, theirs, strict=True):
            lowest, allowed = peer[name]
            tied += len(allowed) > 1
            if sorted(one[rule]) == lowest:
                same += 1
            elif sorted(one[rule]) in allowed:
                other += 1
            else:
                raise SystemExit(f"ours elects {sorted(one[rule])}, {name} only {allowed}")
        rows.append([name, str(n), str(tied), str(same), str(other)])
    verdicts = [one["ejr+"] == peer["ejr+"] for one, peer in zip(found, theirs, strict=True)]
    if not all(verdicts):
        raise SystemExit("the two sides disagree about EJR+")
    rows.append(["abcvoting, EJR+ of the first candidates", str(n), "", str(sum(verdicts)), ""])
    say(f"all sides agree on {n} elections")
    versions = {"ours": str(ours.answer["version"]), "peers": str(peers.answer["version"])}
    return versions, table(["rule", "elections", "with ties", "the same", "another tie"], rows)


def run_rounds(name: str, folder: Path, limits: Limits) -> Runs:
    """Run all sides on one conversation, in turn."""
    place = folder / f"{name}.npz"
    make(name, place)
    runs: Runs = {case: [] for case in NAMES if case == "ours" or name in PEER_ROUNDS}
    for number in range(ROUNDS[name]):
        for case, done in runs.items():
            if case != "ours" and (number >= PEER_ROUNDS[name] or any(one.stopped for one in done)):
                continue
            side = OURS if case == "ours" else PEERS
            outcome = run_bounded(*side, (case, str(place), str(SEATS)), limits)
            if case == "ours" and outcome.stopped:
                raise SystemExit(f"ours did not finish {name}: {outcome.stopped}")
            done.append(outcome)
            say(f"{name}, round {number + 1}: {NAMES[case]}: {outcome.stopped or f'{wall(outcome):.3g} s'}")
    place.unlink()
    return runs


def speed(measured: dict[str, Runs]) -> str:
    """Return a table of equal shares on each side."""
    rows = []
    for name, runs in measured.items():
        for case, done in runs.items():
            row = [name, NAMES[case], str(len(done)), of(done, cpu, 3), of(done, wall, 3)]
            row.append("" if case == "ours" else ratio(runs["ours"], done, cpu))
            row.append(of(done, lambda one: peak(one) / 1e6, 0))
            rows.append([*row, same_winners(runs["ours"], done)])
    return table(["conversation", "side", "rounds", "CPU s", "wall s", "ratio of CPU", "at most, MB", "winners"], rows)


def same_winners(ours: Sequence[Outcome], other: Sequence[Outcome]) -> str:
    """Say how many winners, and whether they are ours."""
    done = finished(other)
    if not done:
        return ""
    mine, theirs = ours[0].answer["winners"], done[0].answer["winners"]
    assert isinstance(mine, list), "numbers"
    assert isinstance(theirs, list), "numbers"
    if ours is other:
        return str(len(mine))
    return f"{len(theirs)}, {'the same' if set(mine) == set(theirs) else 'OTHERS'}"


def stages(measured: dict[str, Runs]) -> str:
    """Return a table of our steps, each by itself."""
    rows = []
    for name, runs in measured.items():
        ours = runs["ours"]
        for stage in STAGES:
            costs = [cost(one, stage) for one in ours]
            spent = [spread([each.cpu for each in costs]), spread([each.wall for each in costs])]
            rows.append(
                [f"{name}, {ours[0].answer['approvals']:,} approvals", stage, *(each.text(3) for each in spent)]
            )
    return table(["conversation", "step", "CPU s", "wall s"], rows)


def outcomes(measured: dict[str, Runs]) -> str:
    """Return a table of what came out."""
    rows = []
    for name, runs in measured.items():
        about = runs["ours"][0].answer
        winners, completed, margin = about["winners"], about["completed"], about["core margin"]
        assert isinstance(winners, list), "numbers"
        assert isinstance(completed, list), "numbers"
        shown = "none found" if margin is None else f"{margin:.3f}"
        row = [name, str(len(winners)), str(len(completed)), f"{about['ejr+ ratio']:.3f}", shown]
        rows.append([*row, str(about["eligible"])])
    header = ["conversation", "by equal shares", "completed", "EJR+ ratio", "core margin", "statements eligible"]
    return table(header, rows)


def main() -> None:
    """Run the rounds and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", default="10k,100k,1M", help=f"of {', '.join(ROUNDS)}")
    parser.add_argument("--tiny", action="store_true", help="seconds, to see that it runs; the numbers mean nothing")
    parser.add_argument("--seconds", type=float, default=LIMITS.seconds, help="limit of time for one run")
    parser.add_argument("--gigabytes", type=float, default=LIMITS.gigabytes, help="limit of memory for one run")
    parser.add_argument("--json", action="store_true", help="also write bench/results/rules.json")
    chosen = parser.parse_args()
    if not PEERS[0].exists():
        raise SystemExit("no .venv-bench: run bench/peers.sh first")
    limits = Limits(chosen.seconds, chosen.gigabytes)
    about = machine(RESULTS) | {"command": command()}
    sizes = ["tiny"] if chosen.tiny else chosen.sizes.split(",")
    with tempfile.TemporaryDirectory() as folder:
        versions, small = agree(Path(folder), 40 if chosen.tiny else ELECTIONS)
        measured = {name: run_rounds(name, Path(folder), limits) for name in sizes}
    about |= versions
    tables = {
        "Small elections": small,
        f"Equal shares, {SEATS} seats": speed(measured),
        "Each of our steps": stages(measured),
        "What came out": outcomes(measured),
    }
    said = verdicts(measured)
    kept = {"limits": limits._asdict(), "measured": measured} if chosen.json else None
    conclude("rules", about, tables, said, NOTES, kept)


def verdicts(measured: dict[str, Runs]) -> list[str]:
    """Return one sentence per conversation: all steps together against what is demanded of the whole of ratifying."""
    said = []
    demanded = {"10k": (0.5, 0), "100k": (3, 0.6), "1M": (30, 2)}
    for name, runs in measured.items():
        took = spread([sum(cost(one, stage).wall for stage in STAGES) for one in runs["ours"]])
        most = spread([peak(one) / 1e9 for one in runs["ours"]])
        seconds, gigabytes = demanded.get(name, (0, 0))
        if seconds:
            word = "within" if took.median <= seconds else "BEYOND"
            said.append(
                f"{word}: {name}: these steps in {took.text(3)} s (wall), of {seconds:g} s for all of ratifying"
            )
        if gigabytes:
            word = "within" if most.high <= gigabytes else "BEYOND"
            said.append(f"{word}: {name}: {most.text(2)} GB, of {gigabytes:g} GB for all of ratifying")
    return said


if __name__ == "__main__":
    main()
