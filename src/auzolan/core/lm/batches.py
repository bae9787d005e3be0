"""Whole batches or nothing, for models whose answer depends a little on who shares the batch.

A model on this machine multiplies the matrices of a batch together, and the last
bit of a number may depend on their sizes. So a run that was killed must ask
again for the very batches of the uninterrupted one. `WholeBatches` makes them
the same each time: all different requests by the number of characters, then by
id, cut into batches of one size. A batch of which the journal lacks an answer
is asked for as a whole; answers that are there already are kept.

With a model that answers the same batch the same way and in the same order
(`local.Local` on one processor), the journal of a run that was killed at any
moment and then resumed has the same bytes as that of a run that was not.
Not covered: another `size`, other requests, another processor, another number
of threads. The size belongs into the journal's `about`, as in `Local.about`.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing

from auzolan.core.lm.generate import Completion, Generate, Request, check_asked, unanswered
from auzolan.core.lm.resume import Journal
from auzolan.core.record.errors import UsageError


def whole_batches(requests: Sequence[Request], size: int) -> list[list[Request]]:
    """Cut all different requests into batches of `size`, the last one of what is left.

    The order in which they are asked does not matter, nor how often one is.
    """
    different = {request.id: request for request in requests}.values()
    order = sorted(different, key=lambda each: (_n_characters(each), each.id))
    return [order[first : first + size] for first in range(0, len(order), size)]


def _n_characters(request: Request) -> int:
    return sum(len(message.text) for message in request.messages)


class WholeBatches:
    """A `Generate` that asks another one for whole batches, unless its journal has all of their answers."""

    def __init__(self, generate: Generate, journal: Journal, size: int) -> None:
        """Ask nothing yet.

        Args:
            generate: the model; what it is asked at once is one batch.
            journal: of its answers, open.
            size: requests in a batch; for `local.Local` no more than its `at_once`.

        Raises:
            UsageError: a size below 1.
        """
        if size < 1:
            raise UsageError(f"batches: expected a size of at least 1, got {size:,}")
        self._generate = generate
        self._journal = journal
        self._size = size

    def __call__(self, requests: Sequence[Request]) -> Generator[Completion, None, None]:
        """Yield one completion for each different request, batch by batch, as it stands in the journal.

        An answer is in the journal before it is yielded; all are flushed when this ends.
        """
        for batch in whole_batches(requests, self._size):
            if self._journal.unanswered(batch):
                yield from self._asked(batch)
            else:
                yield from map(self._journal.read, batch)

    def _asked(self, batch: Sequence[Request]) -> Generator[Completion, None, None]:
        """Ask for a whole batch; add what the journal does not have."""
        journal, asked = self._journal, {request.id: request for request in batch}
        known = {request.id for request in batch if request in journal}
        with closing(self._generate(batch)) as arriving:
            try:
                for completion in arriving:
                    request = asked[check_asked(completion, asked).request_id]
                    if request not in journal:
                        journal.add(completion)
                    yield journal.read(request, cached=request.id in known)
            finally:
                journal.flush()
        if missing := journal.unanswered(batch):
            raise unanswered(missing[0].id)
