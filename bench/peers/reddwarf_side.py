"""The peer's side of bench/opinion.py: red-dwarf, in its own environment.

Runs as `.venv-bench/bin/python -m bench.peers.reddwarf_side WHAT FILE ... PROGRESS`
and prints one JSON object. Imports nothing of auzolan.

`run_pipeline` is called as its documentation says, with a list of dicts; making
that list is not timed. Its defaults are kept but for `random_state`, so that a
round can be repeated, and, in the case "told", `force_group_count`. The key
"modified" is left out, as the pipeline reads it only with a cutoff.
"""

from __future__ import annotations

import json
import resource
import sys
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np
from reddwarf.implementations import base

from bench.bounded import note
from bench.conversations import GROUP_SHARES, Conversation, adjusted_rand_index, load
from bench.measure import Cost, timed

STAGES = {"generate_raw_matrix": "matrix", "run_reducer": "reduction", "run_clusterer": "clustering"}
REST = "statistics"


def votes_of(conversation: Conversation) -> list[dict]:
    """Return the votes in the form that the pipeline asks for; equal numbers share one object."""
    statements = list(range(conversation.n_statements))
    votes: list[dict] = []
    for participant in range(conversation.starts.size - 1):
        row = conversation.packed[conversation.starts[participant] : conversation.starts[participant + 1]].tolist()
        votes += [
            {"participant_id": participant, "statement_id": statements[item >> 2], "vote": (item & 3) - 1}
            for item in row
        ]
    return votes


class Stages:
    """Times the pipeline's steps by standing in front of them; what follows the last is the rest."""

    def __init__(self, progress: Path) -> None:
        self.progress = progress
        self.costs: dict[str, list[float]] = {}
        for name, stage in STAGES.items():
            setattr(base, name, self.timing(stage, getattr(base, name)))

    def timing(self, stage: str, step: Callable[..., object]) -> Callable[..., object]:
        """Return `step`, timed."""

        def act(*arguments: object, **named: object) -> object:
            note(self.progress, stage)
            wall, cpu = time.perf_counter(), time.process_time()
            result = step(*arguments, **named)
            self.costs[stage] = [1, time.process_time() - cpu, time.perf_counter() - wall]
            note(self.progress, REST if stage == "clustering" else f"after {stage}")
            return result

        return act


class Run(NamedTuple):
    """What the pipeline gave, what it cost in all and by stage, and the most bytes held before and after it."""

    result: base.PolisClusteringResult
    cost: Cost
    stages: dict[str, list[float]]
    before: int
    peak: int


def peak_bytes() -> int:
    """Return the most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def run(conversation: Conversation, seed: int, told: bool, progress: Path) -> Run:
    """Run the pipeline, and time it."""
    votes = votes_of(conversation)
    stages = Stages(progress)
    results: list[base.PolisClusteringResult] = []
    before = peak_bytes()
    note(progress, "pipeline")
    count = len(GROUP_SHARES) if told else None
    cost = timed(1, lambda: results.append(base.run_pipeline(votes=votes, random_state=seed, force_group_count=count)))
    rest = [1, *(cost[i] - sum(part[i] for part in stages.costs.values()) for i in (1, 2))]
    return Run(results[0], cost, stages.costs | {REST: rest}, before, peak_bytes())


def labels_of(result: base.PolisClusteringResult, n: int) -> np.ndarray:
    """Return the group of each participant, -1 for none."""
    labels = np.full(n, -1, dtype=np.int16)
    found = result.participants_df["cluster_id"].dropna()
    labels[found.index.to_numpy()] = found.to_numpy(dtype=np.int16)
    return labels


def measure(place: Path, seed: int, told: bool, progress: Path) -> dict[str, object]:
    """Run the pipeline; return what it cost and how right the groups are."""
    conversation = load(place)
    done = run(conversation, seed, told, progress)
    labels = labels_of(done.result, conversation.latent.size)
    labelled = labels >= 0
    return {
        "stages": done.stages,
        "total": done.cost,
        "before": done.before,
        "peak": done.peak,
        "groups": int(labels.max()) + 1,
        "labelled": int(np.count_nonzero(labelled)),
        "ari": adjusted_rand_index(labels[labelled], conversation.latent[labelled]),
    }


def check(place: Path, labels_place: Path, progress: Path) -> dict[str, object]:
    """Group, write the labels down, and return the statistics that both sides must agree on."""
    conversation = load(place)
    result = run(conversation, 0, told=False, progress=progress).result
    np.save(labels_place, labels_of(result, conversation.latent.size))
    return {
        "version": f"red-dwarf {version('red-dwarf')}, scikit-learn {version('scikit-learn')}, "
        f"pandas {version('pandas')}, numpy {version('numpy')}",
        "gac": [result.group_aware_consensus["agree"][s] for s in range(conversation.n_statements)],
        "consensus": [[int(one["tid"]) for one in result.consensus[kind]] for kind in ("agree", "disagree")],
        "repness": [
            [[int(one["tid"]), one["repful-for"]] for one in result.repness[number]]
            for number in sorted(result.repness)
        ],
    }


def main() -> None:
    """Run what is asked for."""
    warnings.simplefilter("ignore")
    what, place, *rest, progress = sys.argv[1:]
    if what == "check":
        print(json.dumps(check(Path(place), Path(rest[0]), Path(progress))))
    else:
        print(json.dumps(measure(Path(place), int(rest[0]), what == "told", Path(progress))))


if __name__ == "__main__":
    main()
