"""Walking links both ways, with the strength that this very run established.

Generic: it needs no knowledge of any stage and works for kinds it has never
seen. The strength of a link is never read from a record. It is what a checker
registered for (kind, link name) establishes now, and "asserted" otherwise:

    recomputed   the content of the record was computed again from the target
    checked      the bytes match and the rule that ties the two was applied
    asserted     signed by those who say so; nobody checked it here
    contradicted computed again, and it came out differently: do not trust the record
    unavailable  the target's bytes are withheld, erased or missing

"Asserted" never means "because": that a record links to another says that its
signers named it, not that the one caused the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from auzolan.core.record.authority import SUPERSEDES
from auzolan.core.record.envelope import Envelope
from auzolan.core.record.errors import MissingError
from auzolan.core.record.files import ReadFiles
from auzolan.core.record.findings import VerifiedLedger
from auzolan.core.record.governance import GOVERNANCE_KIND
from auzolan.core.record.published import Published
from auzolan.core.record.record import COMMONS, Record
from auzolan.core.record.tombstone import AFFECTS, TOMBSTONE_KIND

ANY_KIND = "*"


class Strength(StrEnum):
    """How well a link was established in this run."""

    RECOMPUTED = "recomputed"
    CHECKED = "checked"
    ASSERTED = "asserted"
    CONTRADICTED = "contradicted"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True)
class Link:
    """One link as walked: from `source` to `target`, a record or a blob."""

    name: str
    source: str
    target: str
    strength: Strength
    is_blob: bool = False


Checker = Callable[["Walk", Record, str, str], Strength]


class Walk:
    """A verified ledger made walkable.

    Args:
        files: the published folder that was verified.
        verified: what `verify_ledger` returned for it in this run.
        checkers: (kind or `ANY_KIND`, link name up to its first dot) -> checker; those of the spine are always there.
        progress: called with (records read, records in all) while backward links are gathered.
    """

    def __init__(
        self,
        files: ReadFiles,
        verified: VerifiedLedger,
        checkers: Mapping[tuple[str, str], Checker] | None = None,
        progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> None:
        self.verified = verified
        self._published = Published(files)
        self._checkers = {**_SPINE_CHECKERS, **(checkers or {})}
        self._sources: dict[str, list[tuple[str, str, bool]]] = {}
        total = len(verified.entries)
        for position in range(total):
            record = self._at(position).claimed
            for names, is_blob in ((record.links, False), (record.blobs, True)):
                for name, target in names.items():
                    self._sources.setdefault(target, []).append((record.id, name, is_blob))
            progress(position + 1, total)

    def _at(self, position: int) -> Envelope:
        return self._published.envelope(self.verified.entries[position])

    def record(self, record_id: str) -> Record:
        """Return a verified record.

        Raises:
            MissingError: it is not in the verified ledger.
        """
        position = self.verified.positions.get(record_id)
        if position is None:
            raise MissingError(f"no record {record_id[:16]}… in this ledger")
        return self._at(position).claimed

    def backwards(self, record_id: str) -> Iterator[Link]:
        """Yield what a record rests on: its links, then its blobs."""
        record = self.record(record_id)
        for name, target in record.links.items():
            yield self._link(record, name, target)
        for name, digest in record.blobs.items():
            yield self._blob_link(record, name, digest)

    def forwards(self, digest: str) -> Iterator[Link]:
        """Yield what rests on a record or a blob."""
        for source, name, is_blob in self._sources.get(digest, []):
            record = self.record(source)
            yield self._blob_link(record, name, digest) if is_blob else self._link(record, name, digest)

    def _blob_link(self, record: Record, name: str, digest: str) -> Link:
        gone = digest in self.verified.unavailable
        return Link(name, record.id, digest, Strength.UNAVAILABLE if gone else Strength.CHECKED, is_blob=True)

    def _link(self, record: Record, name: str, target: str) -> Link:
        stem = name.split(".")[0]
        checker = self._checkers.get((record.kind, stem)) or self._checkers.get((ANY_KIND, stem))
        strength = checker(self, record, name, target) if checker else Strength.ASSERTED
        return Link(name, record.id, target, strength)


def _check_supersedes(walk: Walk, record: Record, _name: str, target: str) -> Strength:
    """The verification applied the rule of succession to every governance version."""
    ids = [version.id for version in walk.verified.chain.versions]
    at = ids.index(record.id)
    return Strength.CHECKED if at and ids[at - 1] == target else Strength.ASSERTED


def _check_affects(walk: Walk, record: Record, _name: str, target: str) -> Strength:
    """The affected record names an erased blob, and its bytes are not here."""
    named = set(walk.record(target).private_blobs.values())
    erased = record.body.get("erased")
    gone = [d for d in erased if d in named] if isinstance(erased, list) else []
    absent = gone and all(walk.verified.unavailable.get(str(digest)) == "erased" for digest in gone)
    return Strength.CHECKED if absent else Strength.ASSERTED


def _check_commons(walk: Walk, _record: Record, _name: str, target: str) -> Strength:
    """The target is the root that this run verified."""
    return Strength.CHECKED if target == walk.verified.root_id else Strength.ASSERTED


_SPINE_CHECKERS: dict[tuple[str, str], Checker] = {
    (GOVERNANCE_KIND, SUPERSEDES): _check_supersedes,
    (TOMBSTONE_KIND, AFFECTS): _check_affects,
    (ANY_KIND, COMMONS): _check_commons,
}
