"""Finding records: the one that a user named, the newest of a kind, what another one links to, and its rules."""

from __future__ import annotations

from auzolan.cli.propose import resolve
from auzolan.core.record.errors import MissingError, UsageError
from auzolan.core.record.governance import Governance
from auzolan.core.record.record import Record
from auzolan.core.record.view import LedgerView


def newest(ledger: LedgerView, kind: str) -> Record:
    """Return the newest record of a kind.

    Raises:
        MissingError: there is none.
    """
    rows = list(ledger.index.rows(kind))
    if not rows:
        raise MissingError(f"there is no {kind} in this commons yet")
    return ledger.envelope(rows[-1]).claimed


def named(ledger: LedgerView, record_id: str | None, kind: str) -> Record:
    """Return the record that a user named, or the newest of its kind.

    Raises:
        UsageError: it is of another kind.
    """
    if record_id is None:
        return newest(ledger, kind)
    record = ledger.envelope(ledger.find(resolve(ledger, record_id))).claimed
    if record.kind != kind:
        raise UsageError(f"{record_id[:16]} is a {record.kind}, expected a {kind}")
    return record


def linked(ledger: LedgerView, record: Record, name: str) -> Record:
    """Return the record that `record` links to under `name`."""
    return ledger.envelope(ledger.find(record.links[name])).claimed


def rules_of(ledger: LedgerView, *records: Record) -> list[Governance]:
    """Return the rules by which each committed record was judged."""
    return [ledger.chain.at(ledger.find(record.id).position).rules for record in records]
