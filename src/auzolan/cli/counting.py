"""Edge: taking a snapshot of votes and counting it, for `import`, `tally` and `confirm`."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from auzolan.cli.govern import settle
from auzolan.cli.output import short
from auzolan.cli.shelf import Shelf
from auzolan.core.kinds.deliberate import Snapshot, Tally
from auzolan.core.record.canonical import as_object
from auzolan.core.record.errors import UsageError
from auzolan.core.record.ledger import Ledger
from auzolan.core.record.record import Record
from auzolan.core.record.view import LedgerView

if TYPE_CHECKING:  # numpy and scipy are loaded only by the commands that count
    from auzolan.deliberate.ballots import Ballots
    from auzolan.deliberate.conversation import Conversation, Statement
    from auzolan.deliberate.grouping import Grouping
    from auzolan.deliberate.tally import Counts
    from auzolan.deliberate.votes import Labels, VoteTable

NOT_GROUPED = "not grouped: a small community"


@dataclass(frozen=True, eq=False)
class Counted:
    """A tally to sign, what it publishes, and who is in which group."""

    record: Record
    counts: Counts
    labels: Labels


def today() -> str:
    """Return the date that signers state."""
    return datetime.now(UTC).date().isoformat()


def refuse_name_in_use(ledger: Ledger, name: str, advice: str) -> None:
    """Refuse a name that a conversation has: the same pseudonyms would stand for different people.

    Raises:
        UsageError: so it is.
    """
    settle(ledger)  # what an interrupted run promised is on record too
    for row in ledger.index.rows(Snapshot.KIND):
        if Snapshot.from_record(ledger.envelope(row).claimed).source["name"] == name:
            raise UsageError(f"a conversation is called {name[:60]!r} here already; {advice}")


def take_snapshot(
    shelf: Shelf, conversation: Conversation, name: str, licence: str, identity: str, shortlist: str | None = None
) -> tuple[Record, Ballots]:
    """Seal the ballots, keep them where the rules say, and return the snapshot to sign with them."""
    from auzolan.deliberate.ballots import seal
    from auzolan.deliberate.snapshot import snapshot_of, statements_bytes

    ledger = shelf.ledger
    salts = secrets.token_bytes(32 * len(conversation.table.participants))
    ballots = seal(conversation.table, conversation.strata, salts)
    privacy = ledger.chain.current.rules.ballots
    blobs = {Snapshot.STATEMENTS: ledger.stage_blob(statements_bytes(conversation.statements))}
    blobs |= shelf.keep_ballots(Snapshot.BALLOTS, ballots.to_bytes(), privacy, name)
    snapshot = snapshot_of(
        conversation,
        ballots,
        name=name,
        licence=licence,
        identity=identity,
        imported_at=today(),
        privacy=privacy,
        commons=ledger.chain.versions[0].id,
        blobs=blobs,
        shortlist=shortlist,
    )
    return snapshot.to_record(), ballots


def take_tally(
    shelf: Shelf,
    snapshot: Record,
    ballots: Ballots,
    statements: Sequence[Statement],
    earlier: Sequence[Counts],
    smallest: int,
    k: int | None = None,
) -> Counted:
    """Find groups, count, keep the blobs, and return the tally to sign.

    Args:
        shelf: where the blobs are kept.
        snapshot: the record, which need not be committed yet.
        ballots, statements: of the snapshot.
        earlier: counts published of the snapshots that this one continues.
        smallest: fewest people that a published count may be about.
        k: number of groups, or None to find it.

    Raises:
        UsageError: another tally of these ballots says the same.
    """
    from auzolan.deliberate.conversation import left_out
    from auzolan.deliberate.grouping import group_opinions
    from auzolan.deliberate.ratify.parameters import read_parameters
    from auzolan.deliberate.tally import count, labels_bytes, tally_of, telling_differences

    taken, rules = Snapshot.from_record(snapshot), shelf.ledger.chain.current.rules
    by = read_parameters(as_object(rules.body.get("constitution"), "constitution"))
    if by.is_small and k is None:
        found, chosen = _not_grouped(ballots.table), NOT_GROUPED
    else:
        found = group_opinions(ballots.table, left_out(statements), k=k)
        chosen = "silhouette" if k is None else "asked for"
    counts = count(ballots, found.labels, found.n_groups, smallest)
    hidden = telling_differences(earlier, counts)
    if hidden:
        counts = count(ballots, found.labels, found.n_groups, smallest, hidden)
    blobs = {Tally.COUNTS: shelf.ledger.stage_blob(counts.to_bytes())}
    _refuse_repeated(shelf.ledger, snapshot, blobs[Tally.COUNTS])
    blobs |= shelf.keep_labels(Tally.LABELS, labels_bytes(found.labels), taken.privacy, taken.ballots_blob)
    record = tally_of(snapshot.id, counts, found, chosen, today(), blobs).to_record()
    return Counted(record, counts, found.labels)


def _refuse_repeated(ledger: LedgerView, snapshot: Record, counts: str) -> None:
    """Refuse a tally that says what another one of the same snapshot says.

    Raises:
        UsageError: so it does.
    """
    for row in ledger.index.rows(Tally.KIND):
        other = ledger.envelope(row).claimed
        if other.links[Tally.SNAPSHOT] == snapshot.id and other.blobs[Tally.COUNTS] == counts:
            raise UsageError(f"these ballots are tallied already: {short(other.id)}")


def _not_grouped(table: VoteTable) -> Grouping:
    import numpy as np

    from auzolan.deliberate.grouping import Grouping
    from auzolan.deliberate.votes import NO_GROUP

    n = len(table.participants)
    return Grouping(np.full(n, NO_GROUP, dtype=np.int16), 0, {}, np.zeros((n, 2), dtype=np.int64))
