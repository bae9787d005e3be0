"""One small town for all tests: fixed keys, its governance, and short ways to sign and commit.

Synthetic throughout: nobody here exists. Keys come from fixed seeds, so that
records, ids and logs are the same in every run.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from auzolan.core.kinds import read_kind
from auzolan.core.kinds.govern import Document
from auzolan.core.record.authority import SUPERSEDES
from auzolan.core.record.canonical import JsonObject
from auzolan.core.record.checkpoint import TreeHead
from auzolan.core.record.envelope import Envelope
from auzolan.core.record.governance import GOVERNANCE_KIND
from auzolan.core.record.index import Index
from auzolan.core.record.keys import PublicKey, SigningKey
from auzolan.core.record.ledger import Committed, Ledger
from auzolan.core.record.record import Record
from tests.memory_files import MemoryFiles

ORIGIN = "auzolan/town-00000001"
NOW = 1_790_000_000


def key(name: str) -> SigningKey:
    """Return the key of that name; the same one every time."""
    return SigningKey(name, sha256(f"town test key {name}".encode()).digest())


LOG, LIBRARY, SCHOOL, CLINIC = key("town-log"), key("library-desk"), key("school-office"), key("clinic-desk")
WITNESS = key("witness.example/neighbour")


def rules(**changes: Any) -> JsonObject:
    """Return a governance body: two principals, both needed for governance and documents."""
    body: dict[str, Any] = {
        "format": GOVERNANCE_KIND,
        "name": "Town (synthetic)",
        "log": {"origin": ORIGIN, "key": str(LOG.public)},
        "witnesses": {"keys": [], "quorum": 0},
        "principals": {
            "library": {"name": "Town library", "keys": [str(LIBRARY.public)]},
            "school": {"name": "Town school", "keys": [str(SCHOOL.public)]},
        },
        "roles": {"steward": ["library", "school"]},
        "thresholds": {
            "default": {"role": "steward", "count": 1},
            "governance/v1": {"role": "steward", "count": 2},
            "document/v1": {"role": "steward", "count": 2},
        },
        "constitution": {"seats": 7, "rule": "equal-shares"},
        "ballots": {"privacy": "auditors"},
        "rights_floor": [],
    }
    return {**body, **changes}


def root_record(**changes: Any) -> Record:
    return Record(GOVERNANCE_KIND, rules(**changes))


def next_rules(previous: str, **changes: Any) -> Record:
    return Record(GOVERNANCE_KIND, rules(**changes), {SUPERSEDES: previous})


def document(title: str = "Minutes", text: str = "We met.", **links: str) -> Record:
    """Return a document; without links it names the root of the default town."""
    return Document(title, "2026-11-20", text, links or {"commons": ROOT_ID}).to_record()


ROOT_ID = root_record().id


def sign(record: Record, *keys: SigningKey) -> Envelope:
    envelope = Envelope(record)
    for each in keys or (LIBRARY, SCHOOL):
        envelope = envelope.signed_by(each)
    return envelope


class MemoryGuard:
    """Promises kept in memory."""

    def __init__(self) -> None:
        self.heads: dict[str, TreeHead] = {}

    def last(self, origin: str) -> TreeHead | None:
        return self.heads.get(origin)

    def promise(self, origin: str, head: TreeHead) -> None:
        self.heads[origin] = head


class Town:
    """A ledger in memory with its root committed."""

    def __init__(self, root: Record | None = None) -> None:
        self.public, self.private, self.guard = MemoryFiles(), MemoryFiles(), MemoryGuard()
        self.keys = {k.public.keyid: k for k in (LOG, LIBRARY, SCHOOL, CLINIC)}
        self.ledger = self.open()
        self.root = root or root_record()
        self.commit(sign(self.root))

    def open(self) -> Ledger:
        """Open the ledger afresh, as another process would."""
        return Ledger(self.public, self.private, Index(None), read_kind).load()

    def open_key(self, public: PublicKey) -> SigningKey:
        return self.keys[public.keyid]

    def commit(self, *envelopes: Envelope) -> list[Committed]:
        return self.ledger.commit(envelopes, self.open_key, self.guard)
