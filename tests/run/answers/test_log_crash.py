"""Appending and batching, interrupted anywhere: by errors, by death, with and without what was written staying.

After any of these each answer whose `append` returned is in the log, none is
there twice, and no two signed heads are inconsistent.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cache
from itertools import count
from pathlib import Path
from random import Random

import pytest

from auzolan.core.record.checkpoint import TreeHead
from auzolan.core.record.errors import StaleError, StorageError, UsageError, VerificationError
from auzolan.core.record.keystore import PROMISED, Memory
from auzolan.core.record.proof import verify_proof
from auzolan.core.record.tilelog import TileReader
from auzolan.run.answers.journal import Calls, Journal
from auzolan.run.answers.log import AnswerLog
from auzolan.run.answers.places import Places
from auzolan.run.answers.seal import Sealed
from tests.faulty_files import (
    Crash,
    Fault,
    Faults,
    FaultyFiles,
    FaultyGuard,
    Operation,
    WatchedKey,
    contradictions,
    every_fault,
    read_head,
)
from tests.run.answers.world import ORIGIN, RUNTIME, seal

_SEEDS = count()
JOURNAL, FILES, PLACES = "journal", "files", "places"


@cache
def answers(n_answers: int) -> tuple[Sealed, ...]:
    return tuple(seal(number) for number in range(n_answers))


class FaultyPlaces(Places):
    """An index that fails when `faults` says so."""

    def __init__(self, faults: Faults) -> None:
        super().__init__(None)
        self._faults = faults

    def add(self, rows: Iterable[tuple[bytes, int, int]], head: TreeHead) -> None:
        def effect(reached: Sequence[str]) -> None:
            if reached:
                super(FaultyPlaces, self).add(rows, head)

        self._faults.meet(PLACES, "add", ["rows"], effect)


class Machine:
    """The machine of a runtime; processes on it come and go.

    Attributes:
        signed: every head that the runtime's key ever signed.
        appended: the answers whose `append` returned.
    """

    def __init__(self, folder: Path) -> None:
        self.faults = Faults()
        self.files = FaultyFiles(self.faults, FILES)
        self.guard = FaultyGuard(self.faults)
        self.places = FaultyPlaces(self.faults)
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.signed: list[TreeHead] = []
        self.appended: list[Sealed] = []
        self._key = WatchedKey(
            RUNTIME.name, RUNTIME.seed, self.faults, lambda text: self.signed.append(read_head(text))
        )
        self._journals: list[Journal] = []

    def _pwrite(self, file: int, data: bytes, place: int) -> int:
        half = len(data) // 2

        def effect(reached: Sequence[str]) -> None:
            if "first half" in reached:
                os.pwrite(file, data[:half], place)
            if "second half" in reached:
                os.pwrite(file, data[half:], place + half)

        self.faults.meet(JOURNAL, "pwrite", ["first half", "second half"], effect)
        return len(data)

    def _ftruncate(self, file: int, length: int) -> None:
        self.faults.meet(JOURNAL, "cut", ["end"], lambda reached: os.ftruncate(file, length) if reached else None)

    def _unlink(self, place: Path) -> None:
        self.faults.meet(JOURNAL, "unlink", ["file"], lambda reached: os.unlink(place) if reached else None)

    def _fsync(self, file: int) -> None:
        self.faults.meet(JOURNAL, "fsync", [], lambda _: None)

    def open(self) -> AnswerLog:
        journal = Journal(self.folder, Calls(self._pwrite, self._ftruncate, self._fsync, self._unlink))
        self._journals.append(journal)
        # Another order in each process: a head that is made again is another one, as it would be.
        shuffle = Random(next(_SEEDS)).shuffle
        return AnswerLog(self.files, journal, self.places, self._key, ORIGIN, self.guard, shuffle)

    def work(self, log: AnswerLog, sealed: Iterable[Sealed]) -> None:
        """Append and batch, as a gateway would."""
        for each in sealed:
            log.append(each)
            self.appended.append(each)
        log.batch()

    def die(self, cut_power: bool = False, new_index: bool = False) -> None:
        for journal in self._journals:
            with suppress(OSError):
                os.close(journal._file)
            journal._file = -1
        self._journals.clear()
        if cut_power:
            self.files.cut_power()
            self.guard.cut_power()
        if new_index:
            self.places.close()
            self.places = FaultyPlaces(self.faults)

    def copy(self, folder: Path) -> Machine:
        """Return a machine in the same state, without a running process."""
        twin = Machine(folder)
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        twin.files.restore(self.files.content)
        twin.guard.heads = dict(self.guard.heads)
        # A power cut that comes later still takes what is not durable.
        twin.files._unsure, twin.guard._unsure = dict(self.files._unsure), dict(self.guard._unsure)
        twin.signed, twin.appended = list(self.signed), list(self.appended)
        return twin

    def check(self, log: AnswerLog) -> None:
        """Fail unless all that was appended is logged once, and all that was signed is of one history."""
        entries = list(TileReader(self.files, log.head.size).entries())
        for each in self.appended[-4:]:
            assert each.entry == verify_proof(log.proof(each.id), ORIGIN, RUNTIME.public).envelope.entry

        assert [] == contradictions({*self.signed, log.head}, entries)
        assert len(entries) == len(set(entries))
        assert {each.entry for each in self.appended} <= set(entries)
        assert self.guard.last(ORIGIN) == log.head


# name -> how many are logged before, and how many the batch is about
SITUATIONS = {"first batch": (0, 3), "one": (5, 1), "full tile": (254, 4), "ends with a tile": (250, 6)}


def situation(name: str, folder: Path) -> tuple[Machine, tuple[Sealed, ...]]:
    before, more = SITUATIONS[name]
    machine = Machine(folder)
    if before:
        machine.work(machine.open(), answers(before))
    machine.die()
    return machine, answers(before + more)[before:]


def operations(machine: Machine, sealed: Sequence[Sealed]) -> list[Operation]:
    """Return what opening, appending and batching ask of the machine."""
    machine.faults.arm(None)
    machine.work(machine.open(), sealed)
    machine.die()
    return machine.faults.operations


def faults(name: str, folder: Path, dies: bool) -> list[Fault]:
    machine, sealed = situation(name, folder)
    return list(every_fault(operations(machine, sealed), dies))


@pytest.mark.parametrize("name", SITUATIONS)
@pytest.mark.parametrize(("cut_power", "new_index"), [(False, True), (True, False)])
def test_death_at_any_moment_loses_nothing(name: str, cut_power: bool, new_index: bool, tmp_path: Path) -> None:
    start, sealed = situation(name, tmp_path / "start")
    n_died = 0
    for number, fault in enumerate(faults(name, tmp_path / "count", dies=True)):
        machine = start.copy(tmp_path / f"{number}")
        machine.faults.arm(fault)
        with suppress(Crash):
            machine.work(machine.open(), sealed)
        n_died += 1
        machine.die(cut_power, new_index)
        machine.faults.arm(None)
        log = machine.open()
        for each in machine.appended[-4:]:
            assert each.envelope == log.envelope(each.id)
        machine.work(log, [seal(10_000)])
        machine.check(log)
        machine.die()

    assert 15 < n_died


@pytest.mark.parametrize("name", SITUATIONS)
def test_an_error_at_any_moment_loses_nothing(name: str, tmp_path: Path) -> None:
    start, sealed = situation(name, tmp_path / "start")
    for number, fault in enumerate(faults(name, tmp_path / "count", dies=False)):
        machine = start.copy(tmp_path / f"{number}")
        machine.faults.arm(fault)
        log = None
        with suppress(StorageError, UsageError):
            log = machine.open()
            machine.work(log, sealed)
        if log is None:
            machine.die()
            log = machine.open()
        machine.work(log, [each for each in sealed if each not in machine.appended])  # the same process goes on
        machine.check(log)
        machine.die()


@pytest.mark.parametrize("name", SITUATIONS)
def test_an_error_after_many_batches_loses_nothing(name: str, tmp_path: Path) -> None:
    start, sealed = situation(name, tmp_path / "start")
    counted = start.copy(tmp_path / "count")
    log = counted.open()
    counted.work(log, [seal(10_000)])
    counted.faults.arm(None)
    counted.work(log, sealed)
    counted.die()
    for number, fault in enumerate(every_fault(counted.faults.operations, dies=False)):
        machine = start.copy(tmp_path / f"{number}")
        log = machine.open()
        machine.work(log, [seal(10_000)])
        machine.faults.arm(fault)
        with suppress(StorageError, UsageError):
            machine.work(log, sealed)
        machine.work(log, [each for each in sealed if each not in machine.appended])
        machine.check(log)
        machine.die()


def test_death_while_recovering_loses_nothing(tmp_path: Path) -> None:
    start, sealed = situation("one", tmp_path / "start")
    n_tried = 0
    for first, fault in enumerate(faults("one", tmp_path / "count", dies=True)):
        dead = start.copy(tmp_path / f"{first}")
        dead.faults.arm(fault)
        with suppress(Crash):
            dead.work(dead.open(), sealed)
        dead.die(cut_power=bool(first % 2))
        counted = dead.copy(tmp_path / f"{first}-count")
        again_all = list(every_fault(operations(counted, [seal(10_001)]), dies=True))
        for second, again in enumerate(again_all[first % 3 :: 3]):  # a third each time, so that it stays quick
            machine = dead.copy(tmp_path / f"{first}-{second}")
            machine.faults.arm(again)
            with suppress(Crash):
                machine.work(machine.open(), [seal(10_001)])
            machine.die(cut_power=bool(second % 2))
            machine.faults.arm(None)
            log = machine.open()
            machine.work(log, [seal(10_002)])
            machine.check(log)
            machine.die()
            n_tried += 1

    assert 200 < n_tried


def test_an_older_copy_of_the_folder_signs_nothing(tmp_path: Path) -> None:
    machine, sealed = situation("one", tmp_path / "now")
    old = dict(machine.files.content)
    machine.work(machine.open(), sealed)
    machine.die(new_index=True)
    machine.files.restore(old)

    with pytest.raises(StaleError):
        machine.open()
    machine.die()


def test_a_promise_that_was_not_durable_is_made_so_before_it_is_fulfilled(tmp_path: Path) -> None:
    # Written and seen, lost by a later power cut: in between another process must not sign on its strength alone.
    start, sealed = situation("first batch", tmp_path / "start")
    written = [fault for fault in faults("first batch", tmp_path / "count", dies=True) if "promise" in fault.reached]
    dead = start.copy(tmp_path / "dead")
    dead.faults.arm(written[-1])
    with suppress(Crash):
        dead.work(dead.open(), sealed)
    dead.die()
    recovery = operations(dead.copy(tmp_path / "recovery"), [])
    for number, again in enumerate(every_fault(recovery, dies=True)):
        machine = dead.copy(tmp_path / f"{number}")
        machine.faults.arm(again)
        with suppress(Crash):
            machine.work(machine.open(), [])
        machine.die(cut_power=True)
        machine.faults.arm(None)
        log = machine.open()
        machine.work(log, [seal(10_003)])
        machine.check(log)
        machine.die()


@pytest.mark.parametrize("kept", ["answers/", "tile/"])
def test_a_copy_that_is_new_in_part_signs_nothing(kept: str, tmp_path: Path) -> None:
    machine, sealed = situation("one", tmp_path / "now")
    old = dict(machine.files.content)
    machine.work(machine.open(), sealed)
    machine.die(new_index=True)
    newer = {path: data for path, data in machine.files.content.items() if path.startswith(kept)}
    machine.files.restore({**old, **newer})

    with pytest.raises(StaleError):
        machine.open()
    machine.die()


def test_another_history_signs_nothing(tmp_path: Path) -> None:
    machine, _ = situation("first batch", tmp_path / "now")
    machine.work(machine.open(), answers(3))
    machine.die()
    other = Machine(tmp_path / "other")
    other.work(other.open(), [seal(20_000 + number) for number in range(5)])
    other.die()
    machine.files.restore(other.files.content)

    with pytest.raises(VerificationError):
        machine.open()
    machine.die(new_index=True)


def test_a_lost_memory_of_promises_is_made_again_from_the_log(tmp_path: Path) -> None:
    machine, sealed = situation("one", tmp_path / "now")
    machine.guard.heads.clear()

    log = machine.open()
    machine.work(log, sealed)

    machine.check(log)
    machine.die()


ROOT = Path(__file__).parents[3]
WORKER = """
import sys
from pathlib import Path
from auzolan.core.record.keystore import PROMISED, Memory
from auzolan.run.answers.log import AnswerLog
from tests.run.answers.world import ORIGIN, RUNTIME, seal
folder, first = Path(sys.argv[1]), int(sys.argv[2])
log = AnswerLog.open(folder / "log", RUNTIME, ORIGIN, Memory(folder / "home", PROMISED))
for number in range(first, first + 100_000):
    log.append(seal(number))
    print(number, flush=True)
    if number % 7 == 0:
        log.batch()
"""


def test_a_process_that_is_killed_loses_nothing(tmp_path: Path) -> None:
    printed: list[int] = []
    for first, n_lines in ((0, 1), (1_000, 50), (2_000, 123)):
        command = [sys.executable, "-c", WORKER, str(tmp_path), str(first)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
            assert process.stdout
            printed += [int(process.stdout.readline()) for _ in range(n_lines)]
            process.send_signal(signal.SIGKILL)
            printed += [int(line) for line in process.stdout.read().splitlines()]
    log = AnswerLog.open(tmp_path / "log", RUNTIME, ORIGIN, Memory(tmp_path / "home", PROMISED))
    try:
        head = log.batch()
        for number in printed:
            assert verify_proof(log.proof(seal(number).id), ORIGIN, RUNTIME.public)
        assert head.size - 3 <= len(printed) <= head.size  # each time one may be kept and not printed
    finally:
        log.close()


def test_one_process_only(tmp_path: Path) -> None:
    guard = Memory(tmp_path / "home", PROMISED)
    log = AnswerLog.open(tmp_path / "log", RUNTIME, ORIGIN, guard)
    try:
        with pytest.raises(UsageError):
            AnswerLog.open(tmp_path / "log", RUNTIME, ORIGIN, guard)
    finally:
        log.close()
    AnswerLog.open(tmp_path / "log", RUNTIME, ORIGIN, guard).close()
