"""Edge: the bytes behind snapshots and tallies, and counting them again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from auzolan.core.kinds.deliberate import SUPERSEDES, Snapshot, Tally
from auzolan.core.kinds.oversee import Endorsement
from auzolan.core.kinds.selection import Selection
from auzolan.core.record.authority import Chain
from auzolan.core.record.canonical import as_int, as_object
from auzolan.core.record.errors import (
    MalformedError,
    MissingError,
    NotCheckedError,
    UsageError,
    VerificationError,
)
from auzolan.core.record.files import ReadFiles
from auzolan.core.record.governance import Governance
from auzolan.core.record.published import blob_path
from auzolan.core.record.record import PRIVATE_BLOB_PREFIX, PRIVATE_SALT_BYTES, Record
from auzolan.core.record.tombstone import AFFECTS, TOMBSTONE_KIND
from auzolan.core.record.trace import Checker, Strength, Walk
from auzolan.core.record.view import BLOB_LIMIT

if TYPE_CHECKING:  # numpy and scipy are loaded only by the commands that count
    from auzolan.deliberate.ballots import Ballots
    from auzolan.deliberate.conversation import Statement
    from auzolan.deliberate.parameters import Parameters
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

    def select(
        self,
        tally: Record,
        snapshot: Record,
        by: Parameters,
        min_cell: int,
        *,
        rules: str,
        selected_at: str,
        trial: bool,
        rules_known: str,
        conflicts: Sequence[tuple[int, int]],
    ) -> Selection:
        """Select articles from a tally whose ballots are here; the same every time.

        Raises:
            MissingError: ballots or labels are not here.
            UsageError: a conflict about statements that are not there.
        """
        from auzolan.deliberate.conversation import left_out
        from auzolan.deliberate.eligibility import declared_groups, opinion_groups
        from auzolan.deliberate.ratification import selection_of
        from auzolan.deliberate.selection import select

        ballots, statements = self.ballots(snapshot), self.statements(snapshot)
        unknown = sorted({each for pair in conflicts for each in pair} - {each.id for each in statements})
        if unknown:
            raise UsageError(f"there is no statement {unknown[0]} in this conversation")
        labels = self.labels(tally, len(ballots.table.participants))
        groups = [
            *opinion_groups(ballots.table, labels, Tally.from_record(tally).groups),
            *declared_groups(ballots, Snapshot.from_record(snapshot).identity, by),
        ]
        told = [group for group in groups if group.size >= min_cell]
        found = select(ballots.table, told, left_out(statements), conflicts, by)
        counts = self.counts(tally)
        withheld = frozenset(each.id for each in counts.statements if each.all is None or each.by[0] is None)
        return selection_of(
            found,
            tally=tally.id,
            rules=rules,
            selected_at=selected_at,
            trial=trial,
            rules_known=rules_known,
            by=by,
            conflicts=conflicts,
            withheld=withheld,
        )

    def check_selection(
        self, record: Record, tally: Record, snapshot: Record, by: Parameters, min_cell: int, rules_known: str
    ) -> None:
        """Select again and compare, and check the certificate by code that it was not made with.

        Raises:
            NotCheckedError: ballots or labels are not here.
            VerificationError: it comes out differently.
        """
        from auzolan.deliberate.conversation import left_out
        from auzolan.deliberate.ratification import verify_selection

        said = Selection.from_record(record)
        again = self.select(
            tally,
            snapshot,
            by,
            min_cell,
            rules=said.rules,
            selected_at=said.selected_at,
            trial=said.trial,
            rules_known=rules_known,
            conflicts=said.conflicts,
        )
        if again.to_record().body != record.body:
            raise VerificationError("selected again, other articles, reasons or margins come out")
        table = self.ballots(snapshot).table
        labels = self.labels(tally, len(table.participants))
        verify_selection(said, table, labels, left_out(self.statements(snapshot)), min_cell)

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


def checkers(evidence: Evidence) -> dict[tuple[str, str], Checker]:
    """Return what `trace` establishes about links of this stage: each is computed once in a run."""
    found: dict[tuple[str, str], Strength] = {}

    def checker(compute: Callable[[Record, Record, Governance, Governance], object]) -> Checker:
        def check(walk: Walk, record: Record, _name: str, target: str) -> Strength:
            chain, positions = walk.verified.chain, walk.verified.positions
            if (record.id, target) not in found:
                both = [chain.at(positions[each]).rules for each in (record.id, target)]
                found[record.id, target] = _strength(compute, record, walk.record(target), *both)
            return found[record.id, target]

        return check

    def check_selection(walk: Walk, record: Record, _name: str, target: str) -> Strength:
        tally = walk.record(target)
        if tally.kind != Tally.KIND or walk.record(tally.links[Tally.SNAPSHOT]).kind != Snapshot.KIND:
            return Strength.CONTRADICTED
        if (record.id, target) not in found:
            found[record.id, target] = _tried(lambda: _select_again(evidence, walk, record, tally))
        return found[record.id, target]

    return {
        (Tally.KIND, Tally.SNAPSHOT): checker(evidence.recount),
        (Snapshot.KIND, SUPERSEDES): checker(evidence.compare_successor),
        (Selection.KIND, Selection.TALLY): check_selection,
        (Selection.KIND, Selection.RULES): _check_rules,
    }


def _strength(
    compute: Callable[[Record, Record, Governance, Governance], object],
    record: Record,
    other: Record,
    rules: Governance,
    other_rules: Governance,
) -> Strength:
    return _tried(lambda: compute(record, other, rules, other_rules))


def _select_again(evidence: Evidence, walk: Walk, record: Record, tally: Record) -> None:
    """Check a selection by the rules that were in force when it was committed."""
    from auzolan.deliberate.parameters import read_parameters

    snapshot, chain = walk.record(tally.links[Tally.SNAPSHOT]), walk.verified.chain
    position = walk.verified.positions[record.id]
    rules, said = chain.at(position).rules, Selection.from_record(record)
    seats = as_int(said.parameters.get("seats"), "seats", 1)
    by = read_parameters(as_object(rules.body.get("constitution"), "constitution"), seats if said.trial else None)
    if said.trial is not (seats != rules.seats):
        raise VerificationError("a trial is what has another number of seats than the rules")
    snapshots = [walk.record(each) for each in walk.verified.positions if walk.record(each).kind == Snapshot.KIND]
    positions = [(walk.verified.positions[each.id], each) for each in snapshots]
    known = rules_known(chain, positions, snapshot, position)
    least = 1 if Snapshot.from_record(snapshot).privacy == "public" else rules.min_cell
    evidence.check_selection(record, tally, snapshot, by, least, known)


def rules_known(chain: Chain, snapshots: Iterable[tuple[int, Record]], snapshot: Record, until: int) -> str:
    """Return "before" if all rules since the conversation's first import have the same parameters, else "after".

    Args:
        chain: the governance versions.
        snapshots: all snapshots with their positions in the log.
        snapshot: the one that is selected from.
        until: position in the log of the selection.
    """
    name = Snapshot.from_record(snapshot).source["name"]
    first = min(at for at, each in snapshots if Snapshot.from_record(each).source["name"] == name)
    versions = [chain.at(first), *(version for version in chain.versions if first < version.at < until)]
    tables = [version.rules.body.get("constitution") for version in versions]
    return "before" if all(table == tables[0] for table in tables) else "after"


def _check_rules(walk: Walk, record: Record, _name: str, target: str) -> Strength:
    """The target is the governance that was in force; the parameters are compared with it at the link to the tally."""
    version = walk.verified.chain.at(walk.verified.positions[record.id])
    return Strength.CHECKED if version.id == target else Strength.CONTRADICTED


def _tried(compute: Callable[[], object]) -> Strength:
    try:
        compute()
    except NotCheckedError:
        return Strength.UNAVAILABLE
    except (VerificationError, MalformedError, UsageError):
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
