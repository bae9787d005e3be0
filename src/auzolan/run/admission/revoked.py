"""What a commons knows to be revoked or replaced: endorsements that say "revoked", and records that supersede one.

A record is revoked once as many different principals have said so as its own
kind asks for, of the role that it asks for, under the governance in force when
they said it. That cannot be taken back: a new record is made. A governance
that asks for fewer later counts what was said before.

Not here: what follows (`admit`), and whether this view of the log is recent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from auzolan.core.kinds.oversee import Endorsement
from auzolan.core.kinds.run import Service
from auzolan.core.kinds.teach import Adapter
from auzolan.core.record.authority import SUPERSEDES, Version
from auzolan.core.record.errors import MissingError
from auzolan.core.record.index import Row
from auzolan.core.record.view import LedgerView

SERVICE, CONSTITUTION, RULES = "service", "constitution", "rules"
_ENDORSES = "endorses"


class Said(NamedTuple):
    """An endorsement that says "revoked": its place in the log, and the principals who signed it."""

    position: int
    signers: tuple[str, ...]


@dataclass(frozen=True)
class Standing:
    """How a record stands today.

    Attributes:
        record: its id.
        revoked_by: the principals who revoked it, sorted; none where it is not revoked.
        asked_by: the principals of its role who said so, where they are not enough.
        superseded_by: ids of records of its kind that replace it, in log order.
    """

    record: str
    revoked_by: tuple[str, ...] = ()
    asked_by: tuple[str, ...] = ()
    superseded_by: tuple[str, ...] = ()

    @property
    def is_revoked(self) -> bool:
        """Whether it must not be used."""
        return bool(self.revoked_by)


def revoked_by(kind: str, said: Sequence[Said], versions: Sequence[Version]) -> tuple[tuple[str, ...], bool]:
    """Return the principals who count, sorted, and whether they are enough.

    Args:
        kind: of the record.
        said: the endorsements that say "revoked".
        versions: the governances, oldest first, the last one in force; at least one.
    """
    so_far: set[str] = set()
    counted: set[str] = set()
    for each in sorted(said):
        so_far.update(each.signers)
        before = [version for version in versions if version.at < each.position]
        counted, enough = _count(kind, so_far, before[-1] if before else versions[0])
        if enough:
            return tuple(sorted(counted)), True
    counted, enough = _count(kind, so_far, versions[-1])
    return tuple(sorted(counted)), enough


def _count(kind: str, signers: set[str], version: Version) -> tuple[set[str], bool]:
    threshold = version.rules.threshold_for(kind)
    counted = signers & set(version.rules.roles[threshold.role])
    return counted, len(counted) >= threshold.count


def standing_of(ledger: LedgerView, record_id: str) -> Standing:
    """Return how a record stands in a ledger.

    Raises:
        MissingError: the record is not in it.
    """
    row = ledger.find(record_id)
    said, newer = [], []
    for source_id, link in ledger.index.sources(row.id):
        source = ledger.find(source_id)
        if link == SUPERSEDES and source.kind.split("/")[0] == row.kind.split("/")[0]:
            newer.append(source.id)
        elif link == _ENDORSES and _says_revoked(ledger, source):
            said.append(Said(source.position, source.signers))
    who, enough = revoked_by(row.kind, said, ledger.chain.versions) if said else ((), False)
    return Standing(row.id, who if enough else (), () if enough else who, tuple(newer))


def _says_revoked(ledger: LedgerView, row: Row) -> bool:
    # By its claim, not read as a kind: one that a later version of an endorsement makes still counts.
    is_endorsement = row.kind.split("/")[0] == Endorsement.KIND.split("/")[0]
    return is_endorsement and ledger.envelope(row).claimed.body.get("claim") == Endorsement.REVOKED


def standings_of(
    ledger: LedgerView, service_id: str, service: Service, adapters: Mapping[str, Adapter]
) -> dict[str, Standing]:
    """Return how all that a service rests on stands: name -> standing, "adapter.1.dataset" and so on among them.

    Raises:
        MissingError: one of these records is not in the ledger, or an adapter's record was not given.
    """
    ids = {SERVICE: service_id, CONSTITUTION: service.constitution, RULES: service.rules}
    for place, loaded in enumerate(service.adapters, 1):
        adapter = adapters.get(loaded.adapter)
        if adapter is None:
            raise MissingError(f"the record of adapter {loaded.adapter[:16]}… is not here")
        name = f"{Service.ADAPTER}{place}"
        ids[name] = loaded.adapter
        ids[f"{name}.{Adapter.DATASET}"] = adapter.dataset
        if adapter.constitution != service.constitution:
            ids[f"{name}.{Adapter.CONSTITUTION}"] = adapter.constitution
    return {name: standing_of(ledger, record_id) for name, record_id in ids.items()}
