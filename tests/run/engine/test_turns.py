"""Turns at the engine, over arbitrary interleavings: no clock, only steps of the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auzolan.core.record.errors import UsageError
from auzolan.run.engine.turns import QueueFullError, Turns

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("come"), st.sampled_from("abc")),
        st.tuples(st.just("end"), st.integers(0, 9)),
        st.tuples(st.just("leave"), st.integers(0, 9)),
        st.tuples(st.just("leave at once"), st.sampled_from("abc")),
        st.tuples(st.just("step"), st.just(0)),
    ),
    max_size=40,
)


@dataclass
class Client:
    """A request: its key, when it came and started, and how it is told to end."""

    key: str
    task: asyncio.Task[None] | None = None
    leave: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Hall:
    """Clients before one engine, and what is seen of them."""

    turns: Turns
    running: list[Client] = field(default_factory=list)
    started: list[Client] = field(default_factory=list)
    all: list[Client] = field(default_factory=list)
    refused: int = 0

    async def _stay(self, client: Client) -> None:
        async with self.turns.turn(client.key):
            self.running.append(client)
            self.started.append(client)
            assert {client.key} == {each.key for each in self.running}, "one key at a time"
            try:
                await client.leave.wait()
            finally:
                self.running.remove(client)

    def come(self, key: str) -> Client:
        client = Client(key)
        client.task = asyncio.create_task(self._stay(client))
        self.all.append(client)
        return client

    async def empty(self) -> None:
        """Let everybody end, until nobody is left."""
        while any(each.task and not each.task.done() for each in self.all):
            for each in list(self.running):
                each.leave.set()
            await asyncio.sleep(0)

    async def outcome(self) -> None:
        for each in self.all:
            assert each.task
            try:
                await each.task
            except QueueFullError:
                self.refused += 1
            except asyncio.CancelledError:
                continue


async def settle() -> None:
    for _ in range(6):
        await asyncio.sleep(0)


async def play(steps: list[tuple[str, str | int]], slots: int, waiting: int, most: int) -> Hall:
    hall = Hall(Turns(slots, waiting, most))
    for what, which in steps:
        if what == "come":
            hall.come(str(which))
            await asyncio.sleep(0)
        elif what == "leave at once":
            task = hall.come(str(which)).task
            assert task
            task.cancel()
        elif what == "end" and hall.running:
            hall.running[int(which) % len(hall.running)].leave.set()  # not settled: others act in the same step
        elif what == "leave" and hall.all:
            task = hall.all[int(which) % len(hall.all)].task
            assert task
            task.cancel()
        else:
            await settle()

        assert len(hall.running) <= slots
        assert 0 <= hall.turns.waiting <= waiting + len(hall.all)
    await hall.empty()
    await hall.outcome()
    return hall


@settings(max_examples=200, deadline=None)
@given(STEPS, st.integers(1, 3), st.integers(0, 6), st.integers(1, 4))
def test_no_slot_is_ever_lost_or_given_twice(
    steps: list[tuple[str, str | int]], slots: int, waiting: int, most: int
) -> None:
    hall = asyncio.run(play(steps, slots, waiting, most))

    assert (0, 0) == (hall.turns.running, hall.turns.waiting)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from("abc"), max_size=30), st.integers(1, 3), st.integers(1, 4))
def test_each_key_is_served_in_the_order_in_which_it_came(keys: list[str], slots: int, most: int) -> None:
    hall = asyncio.run(play([("come", key) for key in keys], slots, 30, most))

    assert len(keys) == len(hall.started)
    for key in "abc":
        came = [id(each) for each in hall.all if each.key == key]

        assert came == [id(each) for each in hall.started if each.key == key]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from("abcd"), max_size=40), st.integers(1, 3), st.integers(1, 4))
def test_others_start_only_so_often_before_a_key_that_waits(keys: list[str], slots: int, most: int) -> None:
    hall = asyncio.run(play([("come", key) for key in keys], slots, 40, most))
    order = [each.key for each in hall.started]
    for key in set(keys):
        # Between two starts of a key that still waits, every other key has one turn of `most` starts at most; the
        # key's own place may lie in the middle of its turn.
        places = [place for place, each in enumerate(order) if each == key]
        others = len(set(keys)) - 1

        # Before the first came, up to `slots` may have started at once, without waiting.
        assert all(later - earlier - 1 <= others * most + slots for earlier, later in pairwise(places))


def run(story: Callable[[Hall], object], slots: int = 1, waiting: int = 8, most: int = 2) -> Hall:
    async def tell() -> Hall:
        hall = Hall(Turns(slots, waiting, most))
        await story(hall)  # type: ignore[misc]
        await hall.empty()
        await hall.outcome()
        return hall

    return asyncio.run(tell())


def test_one_more_than_may_wait_is_refused_at_once() -> None:
    async def story(hall: Hall) -> None:
        for _ in range(4):
            hall.come("a")
            await settle()

    assert 1 == run(story, waiting=2).refused


def test_requests_of_one_key_run_together() -> None:
    async def story(hall: Hall) -> None:
        for key in "abaa":
            hall.come(key)
        await settle()

        assert "aaa" == "".join(each.key for each in hall.running)

    run(story, slots=4, most=8)


def test_a_busy_key_lets_the_other_pass_after_its_starts() -> None:
    async def story(hall: Hall) -> None:
        for key in "abaaaa":
            hall.come(key)
        await settle()

    assert "aabaaa" == "".join(each.key for each in run(story).started)


def test_a_client_who_leaves_in_the_step_in_which_the_slot_is_free_takes_none_along() -> None:
    async def story(hall: Hall) -> None:
        first, second, third = (hall.come("a") for _ in range(3))
        await settle()
        first.leave.set()
        await asyncio.sleep(0)  # the first leaves; the second has been given the slot, and has not run yet
        assert second.task
        second.task.cancel()
        await settle()

        assert [third] == hall.running

    run(story)


def test_a_client_who_leaves_after_the_slot_is_free_and_before_it_is_given_is_passed_over() -> None:
    async def story(hall: Hall) -> None:
        first, second, third = (hall.come("a") for _ in range(3))
        await settle()
        first.leave.set()  # in one step: the first ends, and only then the second leaves
        assert second.task
        second.task.cancel()
        await settle()

        assert [third] == hall.running

    run(story)


def test_the_last_waiting_client_of_a_key_who_leaves_makes_way() -> None:
    async def story(hall: Hall) -> None:
        for _ in range(2):
            hall.come("a")
        other = hall.come("b")
        late = hall.come("a")
        await settle()
        assert other.task
        other.task.cancel()
        await settle()

        assert late in hall.running

    run(story, slots=3, most=2)


@pytest.mark.parametrize(("slots", "waiting", "most"), [(0, 1, 1), (1, -1, 1), (1, 1, 0)])
def test_numbers_that_would_serve_nobody_are_refused(slots: int, waiting: int, most: int) -> None:
    with pytest.raises(UsageError, match="expected slots"):
        Turns(slots, waiting, most)
