"""Edge: imports of proposals in a commons: what is read of them again, and where their comments stand."""

from __future__ import annotations

from collections.abc import Iterator

from auzolan.cli.ballots import Evidence
from auzolan.cli.records import named, newest
from auzolan.core.kinds.proposals import SUPERSEDES, Proposals, Shortlist
from auzolan.core.record.errors import MalformedError, MissingError
from auzolan.core.record.record import Record
from auzolan.core.record.view import LedgerView
from auzolan.deliberate.decidim.entities import Proposal
from auzolan.deliberate.decidim.lines import read_lines


def read_proposals(evidence: Evidence, record: Record) -> Iterator[Proposal]:
    """Yield the proposals of an import, part by part.

    Raises:
        MissingError: a part is not here.
        VerificationError: its bytes are not the signed ones.
        MalformedError: it cannot be read.
    """
    imported = Proposals.from_record(record)
    for part in imported.parts(Proposals.PROPOSALS):
        for entity in read_lines(evidence.blob(imported.blobs[part], part), imported.source["host"], part):
            if not isinstance(entity, Proposal):
                raise MalformedError(f"{part}: expected proposals only")
            yield entity


def named_import(ledger: LedgerView, name: str) -> Record | None:
    """Return the newest import of a name, None where there is none."""
    records = (ledger.envelope(row).claimed for row in ledger.index.rows(Proposals.KIND))
    of_name = [record for record in records if Proposals.from_record(record).source["name"] == name]
    return of_name[-1] if of_name else None


def import_with_proposals(ledger: LedgerView, record_id: str | None) -> Record:
    """Return the import that a user named, or the newest that holds proposals.

    Raises:
        UsageError: the one that was named is another record.
        MissingError: there is none.
    """
    if record_id is not None:
        return named(ledger, record_id, Proposals.KIND)
    found = [ledger.envelope(row).claimed for row in ledger.index.rows(Proposals.KIND)]
    with_some = [record for record in found if Proposals.from_record(record).counts.get("proposals")]
    return with_some[-1] if with_some else newest(ledger, Proposals.KIND)


def shortlists_of(ledger: LedgerView, imported: Record) -> list[Record]:
    """Return the shortlists of an import, and of those that it continues, the newest first."""
    family = {imported.id}
    while SUPERSEDES in imported.links:
        imported = ledger.envelope(ledger.find(imported.links[SUPERSEDES])).claimed
        family.add(imported.id)
    listed = (ledger.envelope(row).claimed for row in ledger.index.rows(Shortlist.KIND))
    return [record for record in listed if record.links[Shortlist.PROPOSALS] in family][::-1]


def imported_for(ledger: LedgerView, shortlist: Record) -> Record:
    """Return the newest import that continues the one from which a shortlist was chosen.

    Raises:
        MissingError: that one is not in the log.
    """
    found = ledger.envelope(ledger.find(shortlist.links[Shortlist.PROPOSALS])).claimed
    name = Proposals.from_record(found).source["name"]
    newer = named_import(ledger, name)
    if newer is None:
        raise MissingError(f"the import {name[:60]!r} is not in this log")
    return newer
