"""Edge: the bytes behind snapshots and tallies, and counting them again."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from auzolan.core.kinds.deliberate import Snapshot, Tally
from auzolan.core.record.errors import (
    MalformedError,
    MissingError,
    VerificationError,
)
from auzolan.core.record.files import ReadFiles
from auzolan.core.record.governance import Governance
from auzolan.core.record.published import blob_path
from auzolan.core.record.record import PRIVATE_BLOB_PREFIX, PRIVATE_SALT_BYTES, Record
from auzolan.core.record.view import BLOB_LIMIT

if TYPE_CHECKING:  # numpy and scipy are loaded only by the commands that count
    from auzolan.deliberate.ballots import Ballots
    from auzolan.deliberate.conversation import Statement
    from auzolan.deliberate.tally import Counts
    from auzolan.deliberate.votes import Labels


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
        return data[PRIVATE_SALT_BYTES:] if is_private else data

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

    def recount(self, tally: Record, snapshot: Record, rules: Governance, rules_of_snapshot: Governance) -> Counts:
        """Count a tally's ballots again and return the counts.

        Args:
            tally, snapshot: the records.
            rules, rules_of_snapshot: those in force when each was committed.

        Raises:
            NotCheckedError: ballots or labels are not here, or the tally's methods are not known here.
            VerificationError: the tally is not what they amount to, or one of the two publishes more than it may.
        """
        from auzolan.deliberate.tally import verify_tally

        if snapshot.kind != Snapshot.KIND:
            raise VerificationError(f"the tally does not link to a snapshot but to a {snapshot.kind}")
        self._check_privacy(snapshot, rules_of_snapshot)
        said, taken = Tally.from_record(tally).min_cell, Snapshot.from_record(snapshot)
        if taken.privacy != "public" and said < rules.min_cell:
            raise VerificationError(f"the tally publishes counts about {said}, the rules ask for {rules.min_cell}")
        ballots = self.ballots(snapshot)
        counted, labels = self._named(tally, Tally.COUNTS), self._named(tally, Tally.LABELS)
        return verify_tally(Tally.from_record(tally), counted, labels, ballots)

    def _check_privacy(self, snapshot: Record, rules: Governance) -> None:
        if Snapshot.from_record(snapshot).privacy == "public" != rules.ballots:
            raise VerificationError(f"the snapshot publishes ballots, which the rules reserve: {rules.ballots}")

    def compare_successor(self, new: Record, old: Record, _rules: Governance, _old_rules: Governance) -> None:
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
