"""Edge: the bytes behind snapshots and tallies, and counting them again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from auzolan.core.kinds.deliberate import SUPERSEDES, Snapshot, Tally
from auzolan.core.kinds.oversee import Endorsement
from auzolan.core.record.canonical import as_int, as_object
from auzolan.core.record.errors import MalformedError, MissingError, NotCheckedError, VerificationError
from auzolan.core.record.files import ReadFiles
from auzolan.core.record.governance import Governance
from auzolan.core.record.published import blob_path
from auzolan.core.record.record import PRIVATE_BLOB_PREFIX, Record
from auzolan.core.record.tombstone import AFFECTS, TOMBSTONE_KIND
from auzolan.core.record.trace import Checker, Strength, Walk
from auzolan.core.record.view import BLOB_LIMIT

if TYPE_CHECKING:  # numpy and scipy are loaded only by the commands that count
    from auzolan.deliberate.ballots import Ballots
    from auzolan.deliberate.conversation import Statement
    from auzolan.deliberate.tally import Counts
    from auzolan.deliberate.votes import Labels

_SALT_BYTES = 32
_MIN_CELL = 5


@dataclass(frozen=True)
class Evidence:
    """Where blobs are looked for: the published folder, and the private files that are at hand, if any."""

    files: ReadFiles
    private: ReadFiles | None

    def blob(self, digest: str, name: str) -> bytes:
        """Return the content of a blob, of a private one without its salt, checked against its digest.

        Raises:
            MissingError: it is not here.
            VerificationError: other bytes are.
        """
        is_private = name.startswith(PRIVATE_BLOB_PREFIX)
        source = self.private if is_private else self.files
        if source is None:
            raise MissingError(f"{name.removeprefix(PRIVATE_BLOB_PREFIX)}: withheld here")
        try:
            data = source.read(blob_path(digest), BLOB_LIMIT)
        except MissingError:
            raise MissingError(f"{name.removeprefix(PRIVATE_BLOB_PREFIX)}: not on this machine") from None
        if sha256(data).hexdigest() != digest:
            raise VerificationError(f"blob {name}: its bytes are not the signed ones")
        return data[_SALT_BYTES:] if is_private else data

    def _named(self, record: Record, name: str) -> bytes:
        for full in (name, PRIVATE_BLOB_PREFIX + name):
            if full in record.blobs:
                return self.blob(record.blobs[full], full)
        raise MalformedError(f"{record.kind}: expected a blob {name!r}")

    def statements(self, record: Record) -> tuple[Statement, ...]:
        """Return a snapshot's statements."""
        from auzolan.deliberate.snapshot import read_statements

        return read_statements(self._named(record, Snapshot.STATEMENTS))

    def ballots(self, record: Record) -> Ballots:
        """Return a snapshot's ballots, checked against all that the snapshot says of them.

        Raises:
            MissingError: withheld, erased or lost.
            VerificationError: they are not the ones that it commits to.
        """
        from auzolan.deliberate.ballots import read_ballots
        from auzolan.deliberate.snapshot import verify_ballots

        data = self._named(record, Snapshot.BALLOTS)
        return verify_ballots(Snapshot.from_record(record), read_ballots(data), self.statements(record))

    def counts(self, record: Record) -> Counts:
        """Return a tally's counts as signed."""
        from auzolan.deliberate.tally import read_counts

        return read_counts(self._named(record, Tally.COUNTS))

    def labels(self, record: Record, n_participants: int) -> Labels:
        """Return who is in which group."""
        from auzolan.deliberate.tally import read_labels

        tally = Tally.from_record(record)
        return read_labels(self._named(record, Tally.LABELS), n_participants, len(tally.groups))

    def recount(self, tally: Record, snapshot: Record, rules: Governance) -> Counts:
        """Count a tally's ballots again and return the counts.

        Args:
            tally, snapshot: the records.
            rules: those by which the tally was judged.

        Raises:
            NotCheckedError: ballots or labels are not here, or the tally's methods are not known here.
            VerificationError: the tally is not what they amount to, or publishes counts about fewer people than
                the rules allow.
        """
        from auzolan.deliberate.tally import verify_tally

        if snapshot.kind != Snapshot.KIND:
            raise VerificationError(f"the tally does not link to a snapshot but to a {snapshot.kind}")
        said = Tally.from_record(tally).min_cell
        if Snapshot.from_record(snapshot).privacy != "public" and said < min_cell(rules):
            raise VerificationError(f"the tally publishes counts about {said}, the rules ask for {min_cell(rules)}")
        ballots = self.ballots(snapshot)
        counted, labels = self._named(tally, Tally.COUNTS), self._named(tally, Tally.LABELS)
        return verify_tally(Tally.from_record(tally), counted, labels, ballots)

    def compare_successor(self, new: Record, old: Record, _rules: Governance) -> None:
        """Check that a snapshot is an earlier one without the participants who were forgotten.

        Raises:
            MissingError: its ballots are not here.
            VerificationError: something else changed too.
        """
        from auzolan.deliberate.snapshot import verify_successor

        ballots = self.ballots(new)
        verify_successor(Snapshot.from_record(new), Snapshot.from_record(old), ballots)
        if self.statements(new) != self.statements(old):
            raise VerificationError("the snapshot changes the statements too")


def min_cell(rules: Governance) -> int:
    """Return the fewest people that a published count may be about: `min_cell` under [ballots], 5 if not said."""
    table = as_object(rules.body.get("ballots"), "ballots")
    return as_int(table.get("min_cell", _MIN_CELL), "ballots.min_cell", at_least=1)


def checkers(evidence: Evidence) -> dict[tuple[str, str], Checker]:
    """Return what `trace` establishes about links of this stage: each is computed once in a run."""
    found: dict[tuple[str, str], Strength] = {}

    def checker(compute: Callable[[Record, Record, Governance], object]) -> Checker:
        def check(walk: Walk, record: Record, _name: str, target: str) -> Strength:
            rules = walk.verified.chain.at(walk.verified.positions[record.id]).rules
            if (record.id, target) not in found:
                found[record.id, target] = _strength(compute, record, walk.record(target), rules)
            return found[record.id, target]

        return check

    return {
        (Tally.KIND, Tally.SNAPSHOT): checker(evidence.recount),
        (Snapshot.KIND, SUPERSEDES): checker(evidence.compare_successor),
    }


def _strength(
    compute: Callable[[Record, Record, Governance], object], record: Record, other: Record, rules: Governance
) -> Strength:
    try:
        compute(record, other, rules)
    except NotCheckedError:
        return Strength.UNAVAILABLE
    except (VerificationError, MalformedError):
        return Strength.CONTRADICTED
    return Strength.RECOMPUTED


def why_unavailable(walk: Walk, record_id: str) -> str:
    """Return one sentence: why a record cannot be computed again here, and who had done it."""
    tombstones, done = [], []
    for link in walk.forwards(record_id):
        source = walk.record(link.source)
        if source.kind == TOMBSTONE_KIND and link.name.split(".")[0] == AFFECTS:
            tombstones.append(f"{source.id[:8]}… of {source.body.get('forgotten_at')}")
        if source.kind == Endorsement.KIND and source.body.get("claim") == "recomputed":
            signers = ", ".join(walk.verified.signers[walk.verified.positions[source.id]])
            done.append(f"{signers} ({source.body.get('endorsed_at')})")
    why = f"can no longer be recomputed: ballots were erased, tombstone {', '.join(tombstones)}"
    if not tombstones:
        why = "cannot be recomputed here: the ballots are not on this machine"
    return f"{why}; recomputed by {'; '.join(done) if done else 'nobody on record'}"
