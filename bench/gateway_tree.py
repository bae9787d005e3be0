"""Starting a server and all its processes on a given CPU, watching what they take, ending them.

CPU time is that of the kernel's clock of each process in the tree, user and
system together, to the nanosecond (`clock_getcpuclockid`), with what processes
that have ended took, as their parents know it (/proc, to 10 ms). Linux only.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.measure import ROOT

_TICK = os.sysconf("SC_CLK_TCK")
_PATIENCE = 10.0  # seconds that a process has to end before it is killed
# With util-linux there, a server also ends when whoever started it is killed.
_ENDS_WITH_US = ("setpriv", "--pdeathsig", "TERM")


def cpus() -> tuple[int, int]:
    """Return the CPU for what is measured, and the one for all else; the same where there is but one."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[-1]


@contextmanager
def pinned(cpu: int) -> Iterator[None]:
    """Keep this process, and those that it starts, on one CPU for as long as the block lasts."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Tree:
    """A process that was started, and those that it started."""

    def __init__(self, root: subprocess.Popen[bytes], output: Path) -> None:
        self.root = root
        self.output = output

    def pids(self) -> list[int]:
        """Return those alive, the first one first."""
        children: dict[int, list[int]] = {}
        for place in Path("/proc").iterdir():
            if place.name.isdigit() and (found := _stat(int(place.name))):
                children.setdefault(int(found[1]), []).append(int(place.name))
        tree = [self.root.pid]
        for pid in tree:
            tree += children.get(pid, [])
        return tree

    def cpu(self) -> float:
        """Return the seconds of CPU time that the tree took until now."""
        spent = 0.0
        for pid in self.pids():
            with suppress(OSError):  # it has just ended
                spent += time.clock_gettime(~pid << 3 | 2)  # what clock_getcpuclockid(3) returns
            if found := _stat(pid):
                spent += (int(found[13]) + int(found[14])) / _TICK
        return spent

    def rss(self) -> float:
        """Return the megabytes that the tree holds; what two processes share counts twice."""
        return sum(map(_resident, self.pids())) / 1e3

    def check(self) -> None:
        """Stop where the server has ended by itself."""
        if self.root.poll() is not None:
            said = self.output.read_text(errors="replace").strip()[-2000:]
            raise SystemExit(f"{self.root.args!r} ended with {self.root.returncode}:\n{said}")

    def end(self) -> None:
        """Ask it to end; kill what is left of the tree after some seconds, and wait until it is gone."""
        tree = {pid: born for pid in self.pids() if (born := _born(pid))}
        self.root.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.root.wait(_PATIENCE)
        for pid, born in tree.items():
            if _born(pid) == born:
                with suppress(ProcessLookupError):
                    os.kill(pid, 9)
        self.root.wait()
        ends = time.monotonic() + _PATIENCE
        while any(_born(pid) == born for pid, born in tree.items()) and time.monotonic() < ends:
            time.sleep(0.002)


@contextmanager
def running(command: Sequence[str], env: Mapping[str, str], cpu: int, output: Path, cwd: Path = ROOT) -> Iterator[Tree]:
    """Run a server on one CPU for as long as the block lasts; what it writes goes to a file."""
    guard = _ENDS_WITH_US if shutil.which(_ENDS_WITH_US[0]) else ()
    with output.open("wb") as file, pinned(cpu):
        root = subprocess.Popen(
            [*guard, *command], env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT
        )
    tree = Tree(root, output)
    try:
        yield tree
    finally:
        tree.end()


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the third on; none when the process is not there."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def alive(pid: int) -> bool:
    """Say whether there is such a process that has not ended."""
    return bool(_born(pid))


def _born(pid: int) -> str:
    """Return when a process was started, which tells it from a later one of that number; "" when it has ended."""
    found = _stat(pid)
    return found[19] if found and found[0] != "Z" else ""


def _resident(pid: int) -> int:
    try:
        rows = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(row.split()[1]) for row in rows if row.startswith("VmRSS:"))
