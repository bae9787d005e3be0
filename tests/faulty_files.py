"""A log machine that fails on purpose: files, promises and keys with a fault at a chosen operation.

The files keep what `Files` promises and nothing more. Each file is whole or
untouched. An interrupted `write_all` or `remove_all` has reached any subset of
its items. What it reached is seen at once, but only what a call that returned
has written is sure to outlast a power cut (`cut_power`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from auzolan.core.kinds import read_kind
from auzolan.core.record.checkpoint import TreeHead, read_checkpoint
from auzolan.core.record.envelope import Envelope
from auzolan.core.record.errors import StorageError, UsageError
from auzolan.core.record.index import Index
from auzolan.core.record.keys import PublicKey, SigningKey
from auzolan.core.record.ledger import Committed, Ledger
from auzolan.core.record.merkle import leaf_hash, root_of
from auzolan.core.record.published import CHECKPOINT
from tests.memory_files import MemoryFiles

PUBLIC, PRIVATE, GUARD, KEY = "public", "private", "guard", "key"


class Crash(BaseException):
    """The process dies here; no handler for errors sees it."""


class Operation(NamedTuple):
    """One thing that can fail, and the items it may reach before it does."""

    where: str
    what: str
    items: tuple[str, ...]


@dataclass(frozen=True)
class Fault:
    """What goes wrong.

    Attributes:
        at: number of the operation, from 0.
        reached: the items that take effect all the same.
        dies: the process dies; else the operation reports an error.
    """

    at: int
    reached: frozenset[str] = frozenset()
    dies: bool = False

    def error(self, operation: Operation) -> BaseException:
        """Return what the operation raises."""
        if self.dies:
            return Crash(f"at {operation.where}.{operation.what}")
        message = f"{operation.where}: {operation.what} failed on purpose"
        return UsageError(message) if operation.where == KEY else StorageError(message)


class Faults:
    """Counts operations and meets the armed fault, once."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self._choose: Callable[[int, Operation], Fault | None] = _no_fault

    def arm(self, fault: Fault | None) -> None:
        """Count from 0 again and fail at `fault`."""
        self.arm_choice(lambda number, _: fault if fault and fault.at == number else None)

    def arm_choice(self, choose: Callable[[int, Operation], Fault | None]) -> None:
        """Count from 0 again and ask `choose` at every operation until it names a fault."""
        self.operations = []
        self._choose = choose

    def meet(self, where: str, what: str, items: Sequence[str], effect: Callable[[Sequence[str]], None]) -> bool:
        """Let `effect` happen to all items, or to those that the fault reaches and raise.

        Returns:
            True; the operation is finished when this returns.
        """
        operation = Operation(where, what, tuple(items))
        fault = self._choose(len(self.operations), operation)
        self.operations.append(operation)
        if fault is None:
            effect(operation.items)
            return True
        self._choose = _no_fault
        effect([item for item in operation.items if item in fault.reached])
        raise fault.error(operation)


def _no_fault(_number: int, _operation: Operation) -> Fault | None:
    return None


def every_fault(operations: Sequence[Operation], dies: bool) -> Iterator[Fault]:
    """Yield each operation failing with none, one, all but one or all of its items reached."""
    for at, operation in enumerate(operations):
        n_items = len(operation.items)
        for n_reached in sorted({0, 1, n_items - 1, n_items} & set(range(n_items + 1))):
            for reached in combinations(operation.items, n_reached):
                yield Fault(at, frozenset(reached), dies)


class FaultyFiles(MemoryFiles):
    """Files in memory that fail when `faults` says so.

    Attributes:
        checkpoints: every checkpoint that was ever to be read here, oldest first.
    """

    def __init__(self, faults: Faults, name: str, content: Mapping[str, bytes] | None = None) -> None:
        super().__init__(content)
        self._faults, self._name = faults, name
        self._unsure: dict[str, bytes | None] = {}  # path -> what a power cut may bring back
        self.checkpoints: list[bytes] = []

    def _put(self, path: str, data: bytes | None) -> None:
        self._unsure.setdefault(path, self.content.get(path))
        if data is None:
            self.content.pop(path, None)
            return
        self.content[path] = data
        if path == CHECKPOINT:
            self.checkpoints.append(data)

    def _settle(self, paths: Iterable[str]) -> None:
        for path in paths:
            self._unsure.pop(path, None)

    def write_all(self, items: Mapping[str, bytes]) -> None:
        def effect(paths: Sequence[str]) -> None:
            for path in paths:
                self._put(path, items[path])

        self._faults.meet(self._name, "write", sorted(items), effect)
        self._settle(items)

    def remove_all(self, paths: Iterable[str]) -> None:
        def effect(reached: Sequence[str]) -> None:
            for path in reached:
                self._put(path, None)

        wanted = sorted(paths)
        self._faults.meet(self._name, "remove", wanted, effect)
        self._settle(wanted)

    def cut_power(self, lost: Callable[[str], bool] = lambda _: True) -> None:
        """Undo those unfinished writes and removals that `lost` names."""
        for path, before in self._unsure.items():
            if not lost(path):
                continue
            if before is None:
                self.content.pop(path, None)
            else:
                self.content[path] = before
        self._unsure.clear()

    def restore(self, content: Mapping[str, bytes]) -> None:
        """Put a copy in the place of all that is here."""
        self.content = dict(content)
        self._unsure.clear()


class FaultyGuard:
    """Promises in memory, with the same kinds of failure as the files."""

    def __init__(self, faults: Faults) -> None:
        self.heads: dict[str, TreeHead] = {}
        self._faults = faults
        self._unsure: dict[str, TreeHead | None] = {}

    def last(self, origin: str) -> TreeHead | None:
        return self.heads.get(origin)

    def promise(self, origin: str, head: TreeHead) -> None:
        def effect(reached: Sequence[str]) -> None:
            if reached:
                self._unsure.setdefault(origin, self.heads.get(origin))
                self.heads[origin] = head

        self._faults.meet(GUARD, "promise", ["promise"], effect)
        self._unsure.pop(origin, None)

    def cut_power(self) -> None:
        """Undo a promise whose writing was interrupted."""
        for origin, before in self._unsure.items():
            if before is None:
                self.heads.pop(origin, None)
            else:
                self.heads[origin] = before
        self._unsure.clear()


@dataclass(frozen=True)
class WatchedKey(SigningKey):
    """A log key that shows every text it signs to `watch`, and fails when `faults` says so."""

    faults: Faults
    watch: Callable[[str], None]

    def sign(self, message: bytes) -> bytes:
        def effect(reached: Sequence[str]) -> None:
            if reached:
                self.watch(message.decode())

        self.faults.meet(KEY, "sign", ["signature"], effect)
        return super().sign(message)


class Machine:
    """The machine that holds a log key; processes on it come and go.

    Attributes:
        signed: every head that a log key of this machine ever signed.
    """

    def __init__(self, *keys: SigningKey) -> None:
        self.faults = Faults()
        self.public = FaultyFiles(self.faults, PUBLIC)
        self.private = FaultyFiles(self.faults, PRIVATE)
        self.guard = FaultyGuard(self.faults)
        self.signed: list[TreeHead] = []
        self._keys = {key.public.keyid: WatchedKey(key.name, key.seed, self.faults, self._watch) for key in keys}

    def _watch(self, text: str) -> None:
        self.signed.append(read_head(text))

    def open(self, index: Index | None = None) -> Ledger:
        """Open the ledger to write as a new process would; without an `index`, that is made again too."""
        ledger = Ledger(self.public, self.private, index or Index(None), read_kind).load()
        ledger.finish_erasures()
        return ledger

    def open_key(self, public: PublicKey) -> SigningKey:
        self.faults.meet(KEY, "open", [], lambda _: None)
        return self._keys[public.keyid]

    def commit(self, ledger: Ledger, *envelopes: Envelope) -> list[Committed]:
        return ledger.commit(envelopes, self.open_key, self.guard)

    def cut_power(self) -> None:
        """Lose all that was written by calls that did not return."""
        for store in (self.public, self.private, self.guard):
            store.cut_power()

    def copy(self) -> Machine:
        """Return a machine in the same state, without faults."""
        keys = [SigningKey(key.name, key.seed) for key in self._keys.values()]
        twin = Machine(*keys)
        twin.public.restore(self.public.content)
        twin.private.restore(self.private.content)
        twin.guard.heads = dict(self.guard.heads)
        twin.signed = list(self.signed)
        twin.public.checkpoints = list(self.public.checkpoints)
        return twin

    def heads(self) -> set[TreeHead]:
        """Return all heads that were ever signed or to be read as a checkpoint."""
        return {*self.signed, *(read_checkpoint(data).head for data in self.public.checkpoints)}


def read_head(text: str) -> TreeHead:
    """Return the head that a checkpoint's text is about."""
    return read_checkpoint(f"{text}\n\u2014 anyone AAAAAAA=\n".encode()).head


def contradictions(heads: Iterable[TreeHead], entries: Sequence[bytes]) -> list[TreeHead]:
    """Return the heads that are not of a beginning of the log with these entries; none: no two are inconsistent."""
    leaves = [leaf_hash(entry) for entry in entries]
    return [head for head in sorted(heads) if head.size > len(leaves) or root_of(leaves[: head.size]) != head.root]
