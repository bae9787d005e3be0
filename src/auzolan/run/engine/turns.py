"""Whose turn it is at the engine: requests for one set of adapters run together, sets take turns.

llama.cpp puts requests into one batch only if they use the same adapters; mixed
ones halve its throughput (measured; ggml-org/llama.cpp#10994). So one set at a
time is served, up to the engine's slots. When others wait, a set may start at
most `most` requests before it must let the next one pass, and sets pass in the
order in which they came: with k other sets waiting, a request at the head of
its own queue sees at most k * `most` starts of others before its own.

No clock and no threads: an event loop calls, one step at a time. How long
somebody waits is for the caller to bound, by cancelling.
"""

from __future__ import annotations

from asyncio import CancelledError, Future, get_running_loop
from collections import OrderedDict, deque
from collections.abc import Hashable

from auzolan.core.record.errors import NotCheckedError, UsageError


class QueueFullError(NotCheckedError):
    """So many wait already that one more would only wait in vain: ask again later."""


class Turn:
    """One request's turn."""

    __slots__ = ("_key", "_turns")

    def __init__(self, turns: Turns, key: Hashable) -> None:
        self._turns, self._key = turns, key

    def enter_now(self) -> bool:
        """Take a slot without waiting; see `Turns.enter_now`."""
        return self._turns.enter_now(self._key)

    async def enter(self) -> None:
        """Wait for a slot; see `Turns.enter`."""
        await self._turns.enter(self._key)

    def leave(self) -> None:
        """Give the slot back."""
        self._turns.leave()

    async def __aenter__(self) -> None:
        await self.enter()

    async def __aexit__(self, *_: object) -> None:
        self.leave()


class Turns:
    """Hands out the engine's slots.

    Its fields are owned by one event loop; every method runs to its end between two awaits.
    """

    def __init__(self, slots: int, waiting: int, most: int = 16) -> None:
        """Begin with all slots free.

        Args:
            slots: requests that run at once, >= 1.
            waiting: requests that may wait, >= 0.
            most: starts of one key while another waits, >= 1.

        Raises:
            UsageError: a number too small.
        """
        if slots < 1 or waiting < 0 or most < 1:
            raise UsageError(
                f"turns: expected slots and most from 1 and waiting from 0, got {slots}, {most}, {waiting}"
            )
        self._slots, self._may_wait, self._most = slots, waiting, most
        self._queues: OrderedDict[Hashable, deque[Future[None]]] = OrderedDict()  # no queue in it is empty
        self._current: Hashable = None
        self._starts = 0  # of the current key since it became that
        self._running = 0
        self._waiting = 0

    @property
    def running(self) -> int:
        """How many have a slot."""
        return self._running

    @property
    def waiting(self) -> int:
        """How many wait for one."""
        return self._waiting

    def turn(self, key: Hashable) -> Turn:
        """Return a turn, to be entered and left, once each, or to be used in an `async with`.

        Args:
            key: which adapters; requests with equal keys run together.
        """
        return Turn(self, key)

    def leave(self) -> None:
        """Give a slot back."""
        self._running -= 1
        self._start_next()

    def enter_now(self, key: Hashable) -> bool:
        """Take a slot if one is free and nobody waits; say whether it was taken."""
        if not self._queues and self._running < self._slots and (not self._running or key == self._current):
            self._starts = self._starts + 1 if key == self._current else 1
            self._current = key  # nobody waits, and nothing of another key runs
            self._running += 1
            return True
        return False

    async def enter(self, key: Hashable) -> None:
        """Wait for a slot.

        Raises:
            QueueFullError: too many wait already.
        """
        future: Future[None] = get_running_loop().create_future()
        self._queues.setdefault(key, deque()).append(future)
        self._waiting += 1
        self._start_next()
        if future.done():
            return
        if self._waiting > self._may_wait:
            self._forget(key, future)
            raise QueueFullError(f"the engine is busy and {self._may_wait} requests wait already; ask again later")
        try:
            await future
        except CancelledError:
            # Whoever leaves may have been given a slot in this very step, and must not take it along.
            if future.cancelled():
                self._forget(key, future)
            else:
                self._running -= 1
            self._start_next()
            raise

    def _forget(self, key: Hashable, future: Future[None]) -> None:
        queue = self._queues.get(key)
        if queue is None or future not in queue:
            return
        queue.remove(future)
        self._waiting -= 1
        if not queue:
            del self._queues[key]

    def _start_next(self) -> None:
        """Start all that may start now."""
        while self._running < self._slots and self._queues:
            mine = self._current in self._queues
            if not (mine and (len(self._queues) == 1 or self._starts < self._most)):
                if self._running:
                    return  # the current key drains before another begins
                self._pass_on()
            self._start_one()

    def _pass_on(self) -> None:
        """Make the key that has waited longest the current one; the old one goes to the end if it still waits."""
        if self._current in self._queues:
            self._queues.move_to_end(self._current)
        self._current = next(iter(self._queues))
        self._starts = 0

    def _start_one(self) -> None:
        queue = self._queues[self._current]
        future = queue.popleft()
        self._waiting -= 1
        if not queue:
            del self._queues[self._current]
        if future.cancelled():  # its task has not run since
            return
        self._running += 1
        self._starts += 1
        future.set_result(None)
