"""Edge: a service as the ledger says it: its record, rules, adapters, how they stand, and how current the ledger is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from auzolan.cli.commons import Commons, PublishedCopy
from auzolan.cli.records import named
from auzolan.core.kinds.constitution import Constitution
from auzolan.core.kinds.run import Anchor, RuntimePolicy, Service
from auzolan.core.kinds.teach import Adapter
from auzolan.core.record.checkpoint import Checkpoint, read_checkpoint
from auzolan.core.record.disk import DiskFiles
from auzolan.core.record.errors import MalformedError, MissingError, UsageError, VerificationError
from auzolan.core.record.keystore import home_folder
from auzolan.core.record.note import verify_note
from auzolan.core.record.record import Record, is_digest
from auzolan.core.record.view import LedgerView
from auzolan.run.admission.revoked import Standing, standings_of
from auzolan.run.rules.table import check_articles, read_rules

if TYPE_CHECKING:
    from auzolan.run.gateway.house import LogView
    from auzolan.run.rules.decide import Rulebook


@dataclass(frozen=True)
class Declared:
    """A service as its records say it, read from the ledger.

    Attributes:
        id: of the service's record.
        service: what it says.
        adapters: their records, by id.
        standings: how all that it rests on stands.
        rulebook: the rules, ready to decide.
        log_view: how current the ledger is.
        public: the published folder on this machine.
    """

    id: str
    service: Service
    adapters: Mapping[str, Adapter]
    standings: Mapping[str, Standing]
    rulebook: Rulebook
    log_view: LogView
    public: Path


def find_service(ledger: LedgerView, name: str | None) -> Record:
    """Return the record of a service: by id or first digits, by its name, or the newest.

    Raises:
        MissingError: there is none.
    """
    if name is None or is_digest(name) or (len(name) >= 8 and all(c in "0123456789abcdef" for c in name)):
        try:
            return named(ledger, name, Service.KIND)
        except MissingError:
            if name is None:
                raise MissingError(
                    "there is no service in this commons yet; `auzolan run prepare` and `auzolan run declare` make one"
                ) from None
    found = [
        each for row in ledger.index.rows(Service.KIND) if (each := ledger.envelope(row).claimed).body["name"] == name
    ]
    if not found:
        raise MissingError(f"there is no service {str(name)[:60]!r} in this commons")
    return found[-1]


def read_declared(place: Commons | PublishedCopy, name: str | None) -> Declared:
    """Read a service and all that it rests on.

    Raises:
        MissingError: it, or something that it names, is not there.
        VerificationError: its rules are tied to articles that there are not.
        UsageError: the ledger is not on this machine's disk.
    """
    from auzolan.run.rules.decide import Rulebook

    if not isinstance(place.public, DiskFiles):
        raise UsageError("a service runs from a ledger on this machine; fetch it first, or name its folder")
    with place.reading() as ledger:
        record = find_service(ledger, name)
        service = Service.from_record(record)
        law = ledger.envelope(ledger.find(service.constitution)).claimed
        policy = RuntimePolicy.from_record(ledger.envelope(ledger.find(service.rules)).claimed)
        adapters = {
            each.adapter: Adapter.from_record(ledger.envelope(ledger.find(each.adapter)).claimed)
            for each in service.adapters
        }
        floor = {article.id for article in ledger.chain.current.rules.rights_floor}
        numbers = {each.number for each in Constitution.from_record(law).ratified} | floor
        try:
            rules = read_rules(policy.table)
            check_articles(rules, numbers)
        except MalformedError as error:
            raise VerificationError(f"the rules of this service: {error}") from None
        return Declared(
            record.id, service, adapters, standings_of(ledger, record.id, service, adapters), Rulebook(rules),
            log_view_of(ledger), place.public.root,
        )  # fmt: skip


def revoked_in(standings: Mapping[str, Standing]) -> list[str]:
    """Return the names of what is revoked and therefore must not be used; "adapter.1.dataset" only warns (`admit`)."""
    return [name for name, each in standings.items() if each.is_revoked and name.count(".") < 2]


def log_view_of(ledger: LedgerView) -> LogView:
    """Return how current a copy of the community's log is."""
    from auzolan.run.gateway.house import LogView

    rules = ledger.chain.current.rules
    # Witnesses come round now and then: what they cosigned last may be an older head, which is kept for that.
    heads = [each for each in (ledger.checkpoint, ledger.published.cosigned()) if each and each.origin == rules.origin]
    found = [verify_note(each.note, rules.witness_keys, "checkpoint") for each in heads]
    times = [each.time for cosigned in found for each in cosigned if each.time is not None]
    return LogView(ledger.head.size, max(times, default=None), rules.witness_max_age)


def anchors_of(ledger: LedgerView, service: Service) -> list[Checkpoint]:
    """Return the checkpoints of a service's log that the community's log holds, whichever record of it they name."""
    found = [Anchor.from_record(ledger.envelope(row).claimed) for row in ledger.index.rows(Anchor.KIND)]
    checkpoints = [read_checkpoint(each.checkpoint.encode()) for each in found]
    return sorted((each for each in checkpoints if each.origin == service.origin), key=lambda each: each.head.size)


def state_folder(service: Service, chosen: Path | None) -> Path:
    """Return where a runtime keeps its log, token and files made for the engine."""
    return chosen or home_folder() / "run" / service.name
