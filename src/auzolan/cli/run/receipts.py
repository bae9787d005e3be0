"""Edge: an answer's receipt, checked offline against the community's ledger."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import typer

from auzolan.cli.commons import find_ledger, read_user_file
from auzolan.cli.output import hint, out, plain, print_json
from auzolan.cli.oversee import run_verification, show_step, verdict_of
from auzolan.cli.run.chat import MAX_RECEIPT_BYTES
from auzolan.cli.run.declared import revoked_in
from auzolan.cli.target import Target
from auzolan.core.kinds.answer import TIME_STEP_S
from auzolan.core.kinds.run import Anchor, Service
from auzolan.core.kinds.teach import Adapter
from auzolan.core.record.envelope import read_envelope
from auzolan.core.record.errors import MissingError
from auzolan.core.record.findings import Status, VerifiedLedger
from auzolan.core.record.published import Published
from auzolan.core.record.record import Record
from auzolan.run.admission.revoked import standings_of
from auzolan.run.answers.receipt import FORMAT, Receipt, read_receipt
from auzolan.run.answers.verify import VerifiedAnswer, standing_findings, verify_receipt
from auzolan.run.engine.parameters import read_request
from auzolan.run.gateway.facts_of import without_refused
from auzolan.run.rules.refusal import openings

_BEGINNINGS = (b'{"answer":', b'{"envelope":')
"""Of a receipt with and without the answer's text; keys stand in their order."""


@dataclass(frozen=True)
class Checked:
    """A receipt that holds, with the ledger that it was checked against.

    Attributes:
        answer: what was found.
        receipt: as it was read.
        verified: the ledger, verified in this run.
        records: id -> record, of the service and what it names.
        target: where the ledger is.
    """

    answer: VerifiedAnswer
    receipt: Receipt
    verified: VerifiedLedger
    records: Mapping[str, Record]
    target: Target

    @property
    def left_out(self) -> int:
        """How many messages the model was not told, because they had been refused; 0 without the question."""
        if self.receipt.messages is None:
            return 0
        read = read_request({"model": "any", "messages": self.receipt.messages}).messages
        return len(read) - len(without_refused(read, openings()))


def looks_like_receipt(path: Path) -> bool:
    """Say whether a file looks like a receipt; whether it is one, reading it says."""
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_RECEIPT_BYTES)
    except OSError:
        return False
    # By its beginning too: one that was cut off lost its format, and is to be called damaged, not unknown.
    return (FORMAT.encode() in data or data.startswith(_BEGINNINGS)) and path.suffix != ".tlog-proof"


def check_receipt(path: Path, commons: str | None, root: str | None) -> Checked:
    """Check a receipt against the ledger around here or in --commons, which is verified first.

    Raises:
        VerificationError: the ledger, or the receipt, does not hold.
        MissingError: the ledger has no record of the service.
    """
    data = read_user_file(path, MAX_RECEIPT_BYTES)
    receipt = read_receipt(data)
    place = find_ledger(commons)
    target = Target(place.public, place.private)
    verified = run_verification(target, root, quiet=True)
    published = Published(place.public)

    def record(record_id: str) -> Record:
        if record_id not in verified.positions:
            raise MissingError(
                f"record {record_id[:16]}… is not in this ledger; a copy that is older than the service does not hold"
                " it: fetch it anew, or it is another community's"
            )
        return published.envelope(verified.entries[verified.positions[record_id]]).claimed

    said = read_envelope(receipt.envelope, "receipt").claimed
    service_record = record(said.links.get("service", ""))
    service = Service.from_record(service_record)
    adapters = {each.adapter: Adapter.from_record(record(each.adapter)) for each in service.adapters}
    every = [published.envelope(entry).claimed for entry in verified.entries]
    anchors = [Anchor.from_record(each) for each in every if each.kind == Anchor.KIND]
    answer = verify_receipt(data, service, service_record.id, adapters, anchors=anchors)
    with place.reading() as ledger:
        standings = standings_of(ledger, service_record.id, service, adapters)
    revoked = {name: standings[name].revoked_by for name in revoked_in(standings)}
    at, size = verified.positions[service_record.id], len(verified.entries)
    told = standing_findings(answer.answer, at, size, revoked, int(time.time()), _when(answer.answer.answered_at))
    answer = replace(answer, findings=(*answer.findings, *told))
    links = {each: record(each) for each in said.links.values()}
    return Checked(answer, receipt, verified, links, target)


def _when(seconds: int) -> str:
    begin, end = (datetime.fromtimestamp(each, UTC) for each in (seconds, seconds + TIME_STEP_S))
    return f"on {begin:%Y-%m-%d} between {begin:%H:%M} and {end:%H:%M} UTC"


def verify_file(path: Path, commons: str | None, root: str | None, as_json: bool) -> None:
    """Check a receipt and print what was found; exit code 3 where something could not be checked."""
    checked = check_receipt(path, commons, root)
    answer, whole = checked.answer, checked.answer.complete and checked.verified.complete
    left_open = [step for step in checked.verified.steps if step.status is Status.NOT_CHECKED]
    verdict = _verdict(checked, root)
    if as_json:
        steps = [
            {"number": n, "title": f.title, "status": str(s), "finding": w} for f in answer.findings for n, s, w in [f]
        ]
        print_json(
            {
                "answer": answer.id,
                "outcome": answer.answer.outcome,
                "verdict": verdict,
                "complete": whole,
                "left_out": checked.left_out,
                "steps": steps,
                "ledger_not_checked": [{"title": each.title, "finding": each.finding} for each in left_open],
            }
        )
    else:
        for finding in answer.findings:
            show_step(finding.number, finding.title, finding.status, finding.finding)
        for step in left_open:
            out().print(plain(f"? the community's log: {step.finding}"), style="yellow")
        out().print(f"verdict: {verdict}", style="bold green" if whole and root else "bold yellow")
        if checked.left_out:
            hint(f"{checked.left_out} messages were refused before and left out: the model did not see them")
        hint("it shows what the service signed, not what ran:")
        hint("a lie can be signed, and then be shown to be one")
    if not whole:
        raise typer.Exit(3)


def _verdict(checked: Checked, root: str | None) -> str:
    """Say in one line what held, and whether something is left; what is left stands above it, marked with ?."""
    held = "it holds" if checked.answer.complete and checked.verified.complete else "what could be checked holds"
    if checked.verified.complete:
        return f"{held}; {verdict_of(checked.verified, root)}"
    return held if root else f"{held}; authority not pinned"
