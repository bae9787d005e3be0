"""What is done beside the requests: when, and what it means when it fails."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from auzolan.core.record.errors import StorageError
from auzolan.run.gateway.house import House
from auzolan.run.gateway.keeper import Chore, do_once


def test_what_is_done_on_the_step_waits_for_its_end_whenever_it_was_begun() -> None:
    chore = Chore("batches", 600, lambda: None, on_the_step=True)

    assert [600, 599, 1] == [chore.wait_s(now) for now in (1_800_000_000, 1_800_000_001, 1_800_000_599)]


def test_other_chores_wait_as_long_each_time() -> None:
    assert 5 == Chore("files", 5, lambda: None).wait_s(1_800_000_003)


def test_a_chore_that_fails_closes_and_opens_again_once_it_succeeds() -> None:
    house = cast(House, SimpleNamespace(reasons={}))
    room: list[Any] = []

    def write() -> None:
        if not room:
            raise StorageError("no space left (synthetic)")

    chore = Chore("the log", 1, write)
    asyncio.run(do_once(house, chore))
    assert {"the log": "the log: no space left (synthetic)"} == house.reasons
    room.append(1)
    asyncio.run(do_once(house, chore))

    assert {} == house.reasons
