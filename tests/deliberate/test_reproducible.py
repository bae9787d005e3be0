"""The same votes give the same bytes: for any order of rows, any number of threads, on any processor.

Each case is a process of its own, because what it varies is read when numpy is
loaded. Prints of bodies and blobs are compared, never the signatures.
"""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
import sys
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest

from auzolan.deliberate.ballots import seal
from auzolan.deliberate.conversation import Conversation
from auzolan.deliberate.grouping import group_opinions
from auzolan.deliberate.pseudonyms import pseudonyms
from auzolan.deliberate.snapshot import snapshot_of, statements_bytes
from auzolan.deliberate.sources.polis import read_polis
from auzolan.deliberate.tally import count, labels_bytes, tally_of
from tests.deliberate.tables import conversation, planted, salts
from tests.shared_data import copied_folder

ROOT = Path(__file__).parents[2]
LONDON = copied_folder("polis/london.youth.policing") / "votes.csv"
CORE_TYPES = ["Prescott", "Nehalem", "Sandybridge", "Haswell", "Zen", "SkylakeX"]


def prints_of(read: Conversation) -> dict[str, str]:
    """Return the SHA-256 of everything that would be signed of a conversation."""
    ballots = seal(read.table, read.strata, salts(len(read.table.participants)))
    taken = snapshot_of(
        read, ballots, name="x", licence="CC BY 4.0", identity="as in the source", imported_at="2026-11-20",
        privacy="public", commons="c" * 64,
        blobs={"statements": sha256(statements_bytes(read.statements)).hexdigest(), "ballots": "b" * 64},
    ).to_record()  # fmt: skip
    found = group_opinions(read.table, read.left_out_of_statistics, bytes.fromhex(taken.id))
    counts = count(ballots, found.labels, found.n_groups, 3)
    tallied = tally_of(taken.id, counts, found, "silhouette", "2026-11-20", {"counts": "d" * 64, "labels": "e" * 64})
    data = {
        "snapshot": taken.canonical,
        "tally": tallied.to_record().canonical,
        "ballots": ballots.to_bytes(),
        "counts": counts.to_bytes(),
        "labels": labels_bytes(found.labels),
        "places": found.places.astype("<i8").tobytes(),
    }
    return {name: sha256(content).hexdigest() for name, content in data.items()}


def prints(votes: Path) -> dict[str, dict[str, str]]:
    """Return the prints of a real conversation and of larger made-up ones."""
    return {
        "london": prints_of(read_polis(votes, pseudonyms(bytes(32), "x"))),
        "planted": prints_of(conversation(planted([700, 500, 300], 80, 1, 0.3, 0.7).table)),
        "dense": prints_of(conversation(planted([150, 100], 120, 2, 1.0, 0.6).table)),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(prints(Path(sys.argv[1]))))


@cache
def _here() -> dict[str, dict[str, str]]:
    return prints(LONDON)


def _elsewhere(votes: Path, **environment: str) -> dict[str, dict[str, str]]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.deliberate.test_reproducible", str(votes)],
        cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert 0 == done.returncode, done.stderr
    found: dict[str, dict[str, str]] = json.loads(done.stdout)
    return found


def _dispatched() -> list[str]:
    """Return the extensions of this processor that numpy has kernels of its own for."""
    from numpy._core import _multiarray_umath as core  # type: ignore[attr-defined, unused-ignore]

    features: dict[str, bool] = core.__cpu_features__
    return [each for each in core.__cpu_dispatch__ if features.get(each)]


@pytest.mark.parametrize("threads", ["1", "2"])
def test_the_number_of_threads_changes_no_byte(threads: str) -> None:
    limits = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), threads)

    assert _here() == _elsewhere(LONDON, **limits)


@pytest.mark.parametrize("core", CORE_TYPES)
def test_the_kernels_of_another_processor_change_no_byte(core: str) -> None:
    assert _here() == _elsewhere(LONDON, OPENBLAS_CORETYPE=core)


def test_numpy_without_this_processor_s_extensions_changes_no_byte() -> None:
    features = _dispatched()
    if not features:
        pytest.skip("NOT CHECKED: this processor has no extension that numpy could do without")

    assert _here() == _elsewhere(LONDON, NPY_DISABLE_CPU_FEATURES=" ".join(features))


def test_hashing_with_another_seed_changes_no_byte() -> None:
    assert _here() == _elsewhere(LONDON, PYTHONHASHSEED="12345")


@pytest.mark.parametrize("chance", range(3))
def test_the_order_of_rows_changes_no_byte(chance: int, tmp_path: Path) -> None:
    with LONDON.open(newline="", encoding="utf-8") as stream:
        header, *rows = csv.reader(stream)
    random.Random(chance).shuffle(rows)
    shuffled = tmp_path / "votes.csv"
    with shuffled.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([header, *rows])

    assert _here()["london"] == prints_of(read_polis(shuffled, pseudonyms(bytes(32), "x")))


def test_other_votes_are_other_bytes() -> None:
    one, other = (prints_of(conversation(planted([40, 20], 30, chance).table)) for chance in (1, 2))

    assert {"snapshot", "tally", "ballots", "counts", "labels", "places"} == {
        name for name in one if one[name] != other[name]
    }
