"""Running one side of a comparison alone, on one thread, within limits of time and memory.

The side says what it is doing by `note`; its time begins with the first note,
so that making its input does not count. Standard library only: the process
that watches stays small, because a new process starts with the peak memory of
the one that made it.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from bench.measure import ROOT

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")
_LOOK_EVERY = 0.05  # seconds


class Limits(NamedTuple):
    """What a side may use."""

    seconds: float
    gigabytes: float


class Outcome(NamedTuple):
    """What became of a run.

    Attributes:
        answer: the JSON object it printed; empty when it did not finish.
        stopped: "" when it finished, or why it did not, such as "> 600 s".
        stage: what it did last, as it said itself.
        seconds: wall time from the first note to the end.
        before: bytes held when the first note was seen.
        peak: most bytes seen while watching; exact to what it took between two looks.
    """

    answer: dict[str, object]
    stopped: str
    stage: str
    seconds: float
    before: int
    peak: int


def note(progress: Path, stage: str) -> None:
    """Say what this process does from now on."""
    with progress.open("a") as file:
        file.write(f"{time.monotonic()} {stage}\n")


def run_bounded(python: Path, module: str, arguments: tuple[str, ...], limits: Limits) -> Outcome:
    """Run a side; kill it, and only it, when it passes a limit.

    Its arguments are followed by the file for its notes.
    """
    with tempfile.TemporaryDirectory() as folder:
        progress, output, errors = (Path(folder) / name for name in ("progress", "output", "errors"))
        progress.touch()
        with output.open("wb") as out, errors.open("wb") as err:
            side = subprocess.Popen(
                [str(python), "-m", module, *arguments, str(progress)],
                cwd=ROOT,
                stdout=out,
                stderr=err,
                env=os.environ | ONE_THREAD,
            )
            stopped, before, peak = _watch(side, progress, limits)
        ended = time.monotonic()
        begun, stage = _notes(progress)
        if not stopped and side.returncode:
            stopped = "failed: " + (errors.read_text().strip().splitlines() or ["killed by the system"])[-1]
        answer = {} if stopped else json.loads(output.read_text())
    return Outcome(answer, stopped, stage, ended - (begun or ended), before, peak)


def _watch(side: subprocess.Popen[bytes], progress: Path, limits: Limits) -> tuple[str, int, int]:
    """Wait for the end; return why it was killed, if it was, and the memory it held at its first note and at most."""
    before, peak, stopped = 0, 0, ""
    try:
        while side.poll() is None:
            now, most = _memory(side.pid)
            peak = max(peak, most)
            begun, _ = _notes(progress)
            if begun and not before:
                before = now
            if now > limits.gigabytes * 1e9:
                stopped = f"> {limits.gigabytes:g} GB"
            elif begun and time.monotonic() - begun > limits.seconds:
                stopped = f"> {limits.seconds:g} s"
            if stopped:
                break
            time.sleep(_LOOK_EVERY)
    finally:
        side.kill()
        side.wait()
    return stopped, before, peak


def _memory(pid: int) -> tuple[int, int]:
    """Return the bytes that a process holds now, and the most it has held."""
    try:
        rows = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:  # it has just ended
        return 0, 0
    kilobytes = {
        name: int(value.split()[0]) for name, _, value in (row.partition(":") for row in rows) if "kB" in value
    }
    return kilobytes.get("VmRSS", 0) * 1024, kilobytes.get("VmHWM", 0) * 1024


def _notes(progress: Path) -> tuple[float, str]:
    """Return when the first stage began, 0 if none has, and which is the last."""
    rows = [row for row in progress.read_text().splitlines(keepends=True) if row.endswith("\n")]
    if not rows:
        return 0.0, "making its input"
    return float(rows[0].split(" ", 1)[0]), rows[-1].strip().split(" ", 1)[1]
