"""A receipt with all that it is checked with, over a log with two batches of which the first is anchored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from auzolan.core.kinds.run import Anchor, Service
from auzolan.core.record.checkpoint import Checkpoint, read_checkpoint
from auzolan.core.record.envelope import Envelope
from auzolan.core.record.findings import Status
from auzolan.core.record.keys import SigningKey
from auzolan.core.record.note import Note, sign_note
from auzolan.core.record.record import Record
from auzolan.run.answers.log import AnswerLog
from auzolan.run.answers.receipt import Receipt
from auzolan.run.answers.verify import Transcript, VerifiedAnswer, verify_receipt
from tests.run.answers.world import (
    ADAPTER_IDS,
    ADAPTERS,
    ANSWER,
    LOADED,
    MESSAGES,
    RUNTIME,
    SERVICE,
    SERVICE_ID,
    anchor,
    forged,
    seal,
)


@dataclass(frozen=True)
class Case:
    """A receipt and all that it is checked with; as it stands, everything holds."""

    receipt: Receipt
    proof: bytes | None
    anchors: tuple[Anchor, ...]
    service: Service = SERVICE
    service_id: str = SERVICE_ID
    adapters: dict[str, Any] = field(default_factory=lambda: dict(ADAPTERS))
    transcript: Transcript | None = None

    def verify(self) -> VerifiedAnswer:
        return verify_receipt(
            self.receipt.to_bytes(), self.service, self.service_id, self.adapters,
            proof=self.proof, anchors=self.anchors, transcript=self.transcript,
        )  # fmt: skip

    def statuses(self) -> list[Status]:
        return [finding.status for finding in self.verify().findings]

    def with_record(self, record: Record, *keys: SigningKey) -> Case:
        """Return the case with another record in the receipt, without proof and anchors."""
        envelope = Envelope(record)
        for key in keys or (RUNTIME,):
            envelope = envelope.signed_by(key)
        return replace(self, receipt=replace(self.receipt, envelope=envelope.canonical), proof=None, anchors=())

    def with_answer(self, **changes: Any) -> Case:
        return self.with_record(forged(**changes).to_record())


def receipt(number: int = 0, **changes: Any) -> Receipt:
    sealed = seal(number, **changes)
    return Receipt(sealed.envelope, sealed.nonce, MESSAGES, ANSWER)


class World:
    """A log with two batches, of which the first is anchored."""

    def __init__(self, log: AnswerLog) -> None:
        for number in range(5):
            log.append(seal(number))
        log.batch()
        self.anchored = _newest(log)
        self.proof = log.proof(seal(0).id)
        self.other_proof = log.proof(seal(1).id)
        for number in range(5, 9):
            log.append(seal(number))
        log.batch()
        self.newest = _newest(log)
        self.newest_proof = log.proof(seal(0).id)
        self.late_proof = log.proof(seal(7).id)
        self.case = Case(receipt(), self.proof, (anchor(self.anchored),))


def _newest(log: AnswerLog) -> Checkpoint:
    assert log.checkpoint
    return log.checkpoint


FULL = {**LOADED, "adapter.1": ADAPTERS[ADAPTER_IDS[0]].weights, "adapter.2": ADAPTERS[ADAPTER_IDS[1]].weights}


def anchor_by(world: World, change: Callable[[str], str], signer: SigningKey = RUNTIME, **changes: Any) -> Case:
    text = change(world.anchored.note.text)
    other = read_checkpoint(Note(text, (sign_note(text, signer),)).to_bytes())
    return replace(world.case, anchors=(*world.case.anchors, anchor(other, **changes)))


def same(text: str) -> str:
    return text


def other_root(text: str) -> str:
    return text.replace(text.split("\n")[2], "A" * 43 + "=")
