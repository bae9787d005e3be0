"""Our side of bench/ratify.py, run in a fresh process with one thread.

Runs as `.venv/bin/python -m bench.ratify_side WHAT FILE ROLL SEATS PROGRESS` and
prints one JSON object. Reading FILE is not timed; peak memory is that of the
whole process, with the interpreter, numpy, the votes and the participants' names.

`ratify` goes from packed votes to what was selected, and then, untimed, leaves
the outcome, the groups and the votes on the candidates beside FILE; `verify`
checks that outcome in another process.
"""

from __future__ import annotations

import functools
import json
import sys
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import ParamSpec, TypeVar

import numpy as np

from auzolan.core.kinds.selection import Outcome
from auzolan.core.rules.core_certificate import CoreCertificate
from auzolan.core.rules.equal_shares import BY_SHARES
from auzolan.deliberate.ballots import SALT_BYTES, Ballots, seal
from auzolan.deliberate.grouping import group_opinions
from auzolan.deliberate.ratify import selection
from auzolan.deliberate.ratify.checking import STEPS as CHECKS
from auzolan.deliberate.ratify.checking import case_of_ballots
from auzolan.deliberate.ratify.eligibility import Standing, opinion_groups
from auzolan.deliberate.ratify.outcome import outcome_of
from auzolan.deliberate.ratify.parameters import Parameters
from auzolan.deliberate.tally import count
from auzolan.deliberate.votes import NO_GROUP, Labels, VoteTable
from bench.bounded import note
from bench.conversations import Conversation, load, save
from bench.measure import Cost, Stopwatch
from bench.opinion_side import peak_bytes, table_of

P = ParamSpec("P")
T = TypeVar("T")

GROUPS, COUNTING, REST = "groups", "counting votes", "the rest"
# What `select` calls -> the step that it is. Where one calls another, it is the outer one's.
STEPS = {
    "judge": "eligibility",
    "_resampled": "resampling",
    "settle": "conflicts",
    "approvals_in": "laying approvals out",
    "_count": "selection",
    "ejr_plus": "EJR+",
    "find_core_certificate": "core",
    "_put_to_vote": "what is put to the vote",
    "_may_be_heard": "clauses",
    "_clauses": "clauses",
}


class Steps:
    """Times what a function calls, by standing in front of it."""

    def __init__(self, names: Iterable[str]) -> None:
        self.costs = dict.fromkeys(names, Cost(1, 0, 0))
        self._is_inside = False

    def stand_in_front_of(self, module: ModuleType, name: str, step: str) -> None:
        """From now on time calls of one function."""
        act: Callable[..., object] = getattr(module, name)
        setattr(module, name, functools.partial(self.run, step, act))

    def run(self, step: str, act: Callable[P, T], *these: P.args, **those: P.kwargs) -> T:
        """Time one call, unless it is part of another."""
        if self._is_inside:
            return act(*these, **those)
        self._is_inside = True
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            return act(*these, **those)
        finally:
            before = self.costs[step]
            self.costs[step] = Cost(1, before.cpu + time.process_time() - cpu, before.wall + time.perf_counter() - wall)
            self._is_inside = False


def ratify(place: Path, by: Parameters, progress: Path) -> dict[str, object]:
    """Go from packed votes to what was selected; return costs, and what came out."""
    conversation = load(place)
    table = table_of(conversation)
    before = peak_bytes()
    steps, watch = Steps([GROUPS, *STEPS.values()]), Stopwatch()
    for name, step in STEPS.items():
        steps.stand_in_front_of(selection, name, step)
    labels, sizes = np.full(len(table.participants), NO_GROUP, dtype=np.int16), []
    note(progress, "ratifying")
    with watch.running():
        if not by.is_small:
            found = steps.run(GROUPS, group_opinions, table)
            labels, sizes = found.labels, found.sizes
        groups = opinion_groups(table, labels, sizes)
        selected = selection.select(table, groups, frozenset(), (), by)
    peak = peak_bytes()
    spent = [sum(cost[part] for cost in steps.costs.values()) for part in (1, 2)]
    core = selected.core
    standing = [each.standing for each in selected.judged.values()]
    number = {statement: position for position, statement in enumerate(selected.candidates)}
    leave_outcome(place, table, labels, len(sizes), selected, by)
    save(votes_on(conversation, selected.candidates), beside(place, "candidates.npz"))
    return {
        "stages": {**steps.costs, REST: Cost(1, watch.cpu - spent[0], watch.wall - spent[1])},
        "total": Cost(1, watch.cpu, watch.wall),
        "before": before,
        "peak": peak,
        "version": f"auzolan in this tree, numpy {version('numpy')}, scipy {version('scipy')}",
        "groups": len(sizes),
        "eligible": standing.count(Standing.ELIGIBLE),
        "contested": standing.count(Standing.CONTESTED),
        "articles": len(selected.elected),
        "winners": [number[each.candidate] for each in selected.elected if each.how == BY_SHARES],
        "put to the vote": len(selected.put_to_vote),
        "clauses": len(selected.clauses),
        "ejr+ ratio": None if selected.proportional is None else float(selected.proportional.ratio),
        "core margin": float(core.margin) if isinstance(core, CoreCertificate) else None,
    }


def leave_outcome(
    place: Path, table: VoteTable, labels: Labels, n_groups: int, found: selection.Selected, by: Parameters
) -> None:
    """Write what a record would say, and the groups, beside the votes."""
    counts = count(sealed(table), labels, n_groups, min_cell=1)
    outcome = outcome_of(found, counts, by, (), "before")
    beside(place, "outcome.json").write_text(json.dumps(outcome.to_body()))
    np.save(beside(place, "labels.npy"), labels)


def beside(place: Path, name: str) -> Path:
    """Return where something about a conversation is."""
    return place.with_suffix(f".{name}")


def sealed(table: VoteTable) -> Ballots:
    """Return ballots as a snapshot has them, with salts that are none."""
    return seal(table, {}, bytes(SALT_BYTES * len(table.participants)))


def votes_on(conversation: Conversation, statements: tuple[int, ...]) -> Conversation:
    """Return the votes on some statements alone, numbered anew; everybody stays."""
    number = np.full(conversation.n_statements, -1, dtype=np.int64)
    number[list(statements)] = np.arange(len(statements))
    of_vote = number[conversation.packed >> 2]
    kept = of_vote >= 0
    before = np.append(0, np.cumsum(kept))
    packed = (of_vote[kept] * 4 + (conversation.packed[kept] & 3)).astype(np.uint16)
    return Conversation(len(statements), before[conversation.starts], packed, conversation.latent)


def verify(place: Path, progress: Path) -> dict[str, object]:
    """Check an outcome that another process left, by the code that shares nothing with selecting; stop if it fails."""
    ballots = sealed(table_of(load(place)))
    outcome = Outcome.from_body(json.loads(beside(place, "outcome.json").read_text()))
    labels = np.load(beside(place, "labels.npy"))
    before = peak_bytes()
    steps, watch = Steps([COUNTING, *(step.name for step in CHECKS)]), Stopwatch()
    note(progress, "verifying")
    with watch.running():
        case = steps.run(
            COUNTING,
            case_of_ballots,
            outcome,
            ballots,
            labels,
            identity="",
            moderated_out=frozenset(),
            min_cell=1,
            withheld=frozenset(),
        )
        for step in CHECKS:
            steps.run(step.name, step.verify, case)
    return {
        "stages": steps.costs,
        "total": Cost(1, watch.cpu, watch.wall),
        "before": before,
        "peak": peak_bytes(),
    }


def main() -> None:
    """Run what is asked for."""
    what, place, roll, seats, progress = sys.argv[1:]
    if what == "verify":
        print(json.dumps(verify(Path(place), Path(progress))))
    else:
        print(json.dumps(ratify(Path(place), Parameters(seats=int(seats), roll=int(roll)), Path(progress))))


if __name__ == "__main__":
    main()
