"""Our side of bench/opinion.py, run in a fresh process with one thread.

Runs as `.venv/bin/python -m bench.opinion_side WHAT FILE ... PROGRESS` and
prints one JSON object. Reading FILE is not timed; peak memory is that of the
whole process, with the interpreter, numpy, the votes and the participants' names.
"""

from __future__ import annotations

import json
import resource
import sys
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import numpy as np

from auzolan.deliberate.ballots import SALT_BYTES, Ballots, read_ballots, seal
from auzolan.deliberate.grouping import Grouping, group_opinions
from auzolan.deliberate.opinion import Statistics, statistics
from auzolan.deliberate.votes import NO_GROUP, VoteTable
from bench.bounded import note
from bench.conversations import Conversation, adjusted_rand_index, load
from bench.measure import timed


def table_of(conversation: Conversation) -> VoteTable:
    """Return the votes as the product holds them, under made-up pseudonyms of 32 digits."""
    return VoteTable(
        participants=[f"{position:032x}" for position in range(conversation.starts.size - 1)],
        statements=tuple(range(conversation.n_statements)),
        starts=conversation.starts,
        packed=conversation.packed,
    )


def peak_bytes() -> int:
    """Return the most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure(place: Path, seed: bytes, progress: Path) -> dict[str, object]:
    """Group opinions and compute the statistics; return the costs and how right the groups are."""
    conversation = load(place)
    table = table_of(conversation)
    loaded = peak_bytes()
    groupings: list[Grouping] = []
    views: list[Statistics] = []
    note(progress, "grouping")
    one = timed(1, lambda: groupings.append(group_opinions(table, moderated_out=frozenset(), seed=seed)))
    grouping = groupings[0]
    note(progress, "statistics")
    two = timed(1, lambda: views.append(statistics(table, grouping.labels, grouping.n_groups, frozenset())))
    peak = peak_bytes()
    labelled = grouping.labels != NO_GROUP
    return {
        "stages": {"grouping": one, "statistics": two},
        "total": [1, one.cpu + two.cpu, one.wall + two.wall],
        "peak": peak,
        "before": loaded,
        "groups": grouping.n_groups,
        "labelled": int(np.count_nonzero(labelled)),
        "ari": adjusted_rand_index(grouping.labels[labelled], conversation.latent[labelled]),
    }


def check(place: Path, labels_place: Path) -> dict[str, object]:
    """Compute the statistics for the groups that the peer found; both sides must agree on them."""
    conversation = load(place)
    labels = np.load(labels_place)
    view = statistics(table_of(conversation), labels, int(labels.max()) + 1)
    return {
        "version": f"auzolan in this tree, numpy {version('numpy')}",
        "gac": [view.gac[statement] for statement in range(conversation.n_statements)],
        "consensus": [view.consensus.agree, view.consensus.disagree],
        "repness": [[[one.statement, one.kind] for one in group] for group in view.repness],
    }


def store(place: Path, ballots_place: Path) -> dict[str, object]:
    """Write a conversation as a file of sealed ballots; return its size."""
    table = table_of(load(place))
    salts = np.random.default_rng(0).bytes(len(table.participants) * SALT_BYTES)  # secret only in real use
    data = seal(table, {}, salts).to_bytes()
    ballots_place.write_bytes(data)
    return {"bytes": len(data)}


def take_in(ballots_place: Path, progress: Path) -> dict[str, object]:
    """Read a file of ballots, and recompute their commitment, which is apart from the total."""
    files: list[bytes] = []
    read: list[Ballots] = []
    before = peak_bytes()
    note(progress, "file")
    one = timed(1, lambda: files.append(ballots_place.read_bytes()))
    note(progress, "ballots")
    two = timed(1, lambda: read.append(read_ballots(files[0])))
    peak = peak_bytes()
    note(progress, "commitment")
    three = timed(1, lambda: read[0].root())
    return {
        "stages": {"file": one, "ballots": two, "commitment": three},
        "total": [1, one.cpu + two.cpu, one.wall + two.wall],
        "before": before,
        "peak": peak,
        "votes": read[0].table.n_votes,
    }


def main() -> None:
    """Run what is asked for."""
    what, place, *rest, progress = sys.argv[1:]
    if what == "check":
        print(json.dumps(check(Path(place), Path(rest[0]))))
    elif what == "store":
        print(json.dumps(store(Path(place), Path(rest[0]))))
    elif what == "take-in":
        print(json.dumps(take_in(Path(place), Path(progress))))
    else:
        seed = sha256(f"round {rest[0]}".encode()).digest()
        print(json.dumps(measure(Path(place), seed, Path(progress))))


if __name__ == "__main__":
    main()
