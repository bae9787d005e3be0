"""Finding records: the one that a user named, the newest of a kind, what another one links to, and its rules."""

from __future__ import annotations

from auzolan.cli.propose import resolve
from auzolan.core.kinds.constitution import Constitution, Draft
from auzolan.core.kinds.deliberate import Snapshot, Tally
from auzolan.core.kinds.proposals import Proposals, Shortlist
from auzolan.core.kinds.selection import Selection
from auzolan.core.record.errors import MissingError, UsageError
from auzolan.core.record.governance import Governance
from auzolan.core.record.record import Record
from auzolan.core.record.tombstone import TOMBSTONE_KIND
from auzolan.core.record.view import LedgerView

_MAKERS = {
    Proposals.KIND: "import --from decidim",
    Shortlist.KIND: "kit DIR --final",
    Snapshot.KIND: "import",
    Tally.KIND: "tally",
    Selection.KIND: "ratify",
    Draft.KIND: "put-to-vote",
    Constitution.KIND: "confirm",
}


def newest(ledger: LedgerView, kind: str) -> Record:
    """Return the newest record of a kind.

    Raises:
        MissingError: there is none.
    """
    rows = list(ledger.index.rows(kind))
    if not rows:
        raise MissingError(f"there is no {kind} in this commons yet{_maker(kind)}")
    return ledger.envelope(rows[-1]).claimed


def _maker(kind: str) -> str:
    """Return words to add where a record is missing: the command that makes one, or ""."""
    return f"; `auzolan deliberate {_MAKERS[kind]}` makes one" if kind in _MAKERS else ""


def named(ledger: LedgerView, record_id: str | None, kind: str) -> Record:
    """Return the record that a user named, or the newest of its kind.

    Raises:
        UsageError: it is of another kind.
    """
    if record_id is None:
        return newest(ledger, kind)
    record = ledger.envelope(ledger.find(resolve(ledger, record_id))).claimed
    if record.kind != kind:
        raise UsageError(
            f"{record_id[:16]} is of the kind {record.kind}, expected {'an' if kind[0] in 'aeiou' else 'a'} {kind}"
        )
    return record


def newest_deliberation(ledger: LedgerView) -> Record:
    """Return the newest tally that is not of a vote on a wording: what articles are selected from.

    Raises:
        MissingError: there is none.
    """
    votes = {ledger.envelope(row).claimed.links[Constitution.TALLY] for row in ledger.index.rows(Constitution.KIND)}
    tallies = [row for row in ledger.index.rows(Tally.KIND) if row.id not in votes]
    if not tallies:
        raise MissingError(f"there is no {Tally.KIND} in this commons yet{_maker(Tally.KIND)}")
    return ledger.envelope(tallies[-1]).claimed


def linked(ledger: LedgerView, record: Record, name: str) -> Record:
    """Return the record that `record` links to under `name`."""
    return ledger.envelope(ledger.find(record.links[name])).claimed


def rules_of(ledger: LedgerView, *records: Record) -> list[Governance]:
    """Return the rules by which each committed record was judged."""
    return [ledger.chain.at(ledger.find(record.id).position).rules for record in records]


def erased_since(ledger: LedgerView, snapshot: Record) -> str:
    """Return words to add where a snapshot's ballots are gone: the tombstone that says so, or ""."""
    for row in ledger.index.rows(TOMBSTONE_KIND):
        stone = ledger.envelope(row).claimed
        if snapshot.id in stone.links.values():
            when = stone.body.get("forgotten_at")
            return f"; they were erased, tombstone {stone.id[:8]}… of {when}: tally the newest snapshot instead"
    return ""
