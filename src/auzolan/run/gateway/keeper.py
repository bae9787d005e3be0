"""Edge: what is done beside the requests: the log's batches, a look at the loaded files, expiry, the community's log.

A chore that fails closes the gateway with its reason; it opens again once the
same chore succeeds. What must never open again (a file that was swapped, a
service that was revoked) goes on failing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from auzolan.core.record.errors import AuzolanError
from auzolan.run.gateway.house import House

logger = logging.getLogger("auzolan.run")


@dataclass(frozen=True)
class Chore:
    """Something that is done again and again.

    Attributes:
        name: of what it keeps, for the reason that the gateway is closed.
        every_s: seconds between the end of one and the start of the next.
        on_the_step: whether it is done where a step of so many seconds ends, by the clock, rather than so long after.
        do: does it; blocks, so it runs in a thread of its own.
    """

    name: str
    every_s: float
    do: Callable[[], object]
    on_the_step: bool = False

    def wait_s(self, now: float) -> float:
        """Return how long to wait for the next time."""
        return self.every_s - now % self.every_s if self.on_the_step else self.every_s


async def keep(house: House, chores: Sequence[Chore]) -> None:
    """Do all chores until cancelled."""

    async def go_on(chore: Chore) -> None:
        while True:
            await asyncio.sleep(chore.wait_s(house.clock()))
            await do_once(house, chore)

    async with asyncio.TaskGroup() as group:
        for chore in chores:
            group.create_task(go_on(chore))
        await asyncio.Event().wait()


async def do_once(house: House, chore: Chore) -> None:
    """Do a chore, and close or open the gateway accordingly."""
    try:
        await asyncio.to_thread(chore.do)
    except AuzolanError as error:
        if chore.name not in house.reasons:
            logger.error("closed: %s: %s", chore.name, error)
        house.reasons[chore.name] = f"{chore.name}: {error}"
    else:
        if house.reasons.pop(chore.name, None):
            logger.warning("%s: in order again", chore.name)
