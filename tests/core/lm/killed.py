"""A run in a process of its own, to be killed: `python -m tests.core.lm.killed URL JOURNAL N SEED`.

Prints a line when it holds the journal, and the answers when it has them all.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from auzolan.core.lm.remote import Endpoint, Remote
from auzolan.core.lm.resume import Journal, Resumed
from auzolan.core.lm.retry import Backoff
from tests.core.lm.loopback import MODEL, asks

HOLDS = "holds the journal"


def main(url: str, path: str, n: str, seed: str) -> None:
    endpoint = Endpoint(url, MODEL, concurrency=4, backoff=Backoff(tries=20, first_s=0.001, most_s=0.001))
    with Journal(Path(path), endpoint.about) as journal:
        print(HOLDS, flush=True)
        remote = Remote(endpoint, random.Random(seed).random)
        for completion in Resumed(remote, journal)(asks(int(n))):
            print(completion.text)


if __name__ == "__main__":
    main(*sys.argv[1:])
