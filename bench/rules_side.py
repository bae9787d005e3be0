"""Our side of bench/rules.py, run in a fresh process with one thread.

Runs as `.venv/bin/python -m bench.rules_side WHAT FILE ... PROGRESS` and prints
one JSON object. Reading FILE is not timed; peak memory is that of the whole
process, with the interpreter, numpy, the votes and the participants' names.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import numpy as np

from auzolan.core.rules.approvals import Approvals, approvals_of
from auzolan.core.rules.core_certificate import CoreCertificate, find_core_certificate
from auzolan.core.rules.equal_shares import equal_shares
from auzolan.core.rules.phragmen import sequential_phragmen
from auzolan.core.rules.proportional import ejr_plus
from auzolan.deliberate.ratify.eligibility import GroupCounts, Standing, judge
from auzolan.deliberate.ratify.parameters import Parameters
from auzolan.deliberate.ratify.selection import approvals_in
from bench.bounded import note
from bench.conversations import GROUP_SHARES, load
from bench.measure import Cost, timed
from bench.opinion_side import peak_bytes, table_of

T = TypeVar("T")


def check(place: Path) -> dict[str, object]:
    """Count small elections, for the oracles."""
    found = []
    for ballots, n_candidates, seats in json.loads(place.read_text()):
        profile = approvals_of(len(ballots), ballots, n_candidates)
        shares = equal_shares(profile, seats)
        more = sequential_phragmen(profile, seats, shares.winners, shares.left)
        found.append(
            {
                "equal shares": shares.winners,
                "completed": shares.winners + [each.candidate for each in more],
                "phragmen": [each.candidate for each in sequential_phragmen(profile, seats)],
                "ejr+": ejr_plus(profile, range(seats), seats).ratio < 1,
            }
        )
    return {"version": f"auzolan in this tree, numpy {version('numpy')}", "found": found}


class Timing:
    """Times steps one after the other and keeps what each gives."""

    def __init__(self, progress: Path) -> None:
        self.progress = progress
        self.costs: dict[str, Cost] = {}

    def step(self, name: str, act: Callable[[], T]) -> T:
        """Run one step."""
        results: list[T] = []
        note(self.progress, name)
        self.costs[name] = timed(1, lambda: results.append(act()))
        return results[0]


def measure(place: Path, seats: int, progress: Path) -> dict[str, object]:
    """Count a whole conversation, every statement a candidate; return costs and winners."""
    conversation = load(place)
    table = table_of(conversation)
    before = peak_bytes()
    timing = Timing(progress)
    profile: Approvals = timing.step("laying approvals out", lambda: approvals_in(table, table.statements))
    shares = timing.step("equal shares", lambda: equal_shares(profile, seats))
    more = timing.step("completion", lambda: sequential_phragmen(profile, seats, shares.winners, shares.left))
    winners = shares.winners + [each.candidate for each in more]
    claim = timing.step("EJR+", lambda: ejr_plus(profile, winners, seats))
    core = timing.step("core certificate", lambda: find_core_certificate(profile, winners, seats))
    counts = table.counts(conversation.latent, len(GROUP_SHARES))
    sizes = np.bincount(conversation.latent, minlength=len(GROUP_SHARES)).tolist()
    groups = [GroupCounts(f"{i}", size, False, counts[i]) for i, size in enumerate(sizes)]
    none_out = np.zeros(len(table.statements), dtype=bool)
    by = Parameters(seats=seats)
    judged = timing.step("eligibility", lambda: judge(table.totals(), groups, none_out, len(table.participants), by))
    return {
        "stages": timing.costs,
        "total": timing.costs["equal shares"],
        "before": before,
        "peak": peak_bytes(),
        "approvals": int(profile.starts[-1]),
        "eligible": sum(each.standing is Standing.ELIGIBLE for each in judged),
        "winners": shares.winners,
        "completed": winners,
        "ejr+ ratio": float(claim.ratio),
        "core margin": float(core.margin) if isinstance(core, CoreCertificate) else None,
    }


def main() -> None:
    """Run what is asked for."""
    what, place, *rest, progress = sys.argv[1:]
    if what == "check":
        print(json.dumps(check(Path(place))))
    else:
        print(json.dumps(measure(Path(place), int(rest[0]), Path(progress))))


if __name__ == "__main__":
    main()
