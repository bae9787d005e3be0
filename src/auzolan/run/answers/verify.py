"""Checking a receipt, offline, with what the community's log says of the service.

The service, its adapters and the anchors must come from a ledger that was
verified (`auzolan.core.record.verify`); here they are what is trusted.

What a receipt that holds proves: the key that the community named for this
service signed that it gave this answer under these rules. It does not prove
what ran: a runtime that lies can sign what it likes. It proves who lied.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from auzolan.core.kinds.answer import TIME_STEP_S, Answer
from auzolan.core.kinds.run import Anchor, Service
from auzolan.core.kinds.teach import Adapter
from auzolan.core.record.canonical import JsonValue
from auzolan.core.record.checkpoint import TreeHead, read_checkpoint
from auzolan.core.record.envelope import Envelope, read_envelope
from auzolan.core.record.errors import MalformedError, VerificationError
from auzolan.core.record.findings import Status
from auzolan.core.record.note import verify_note
from auzolan.core.record.proof import verify_proof
from auzolan.run.answers.digests import messages_bytes, request_digest, response_digest
from auzolan.run.answers.receipt import Receipt, read_receipt
from auzolan.run.loaded import PARTS, adapter_digest, part_of

STEPS = ("Form", "Signature", "Service", "Loaded", "Transcript", "Log", "Anchor", "Standing", "Time")


class Finding(NamedTuple):
    """One numbered step with a sentence about what was found."""

    number: int
    status: Status
    finding: str

    @property
    def title(self) -> str:
        """The step's short name."""
        return STEPS[self.number - 1]


class Transcript(NamedTuple):
    """What was said: the messages as the client sent them and the text as it came; None for what is not known."""

    messages: list[JsonValue] | None
    answer: str | None


@dataclass(frozen=True)
class VerifiedAnswer:
    """What held; returned by `verify_receipt`, which alone makes it.

    Attributes:
        id: of the answer's record.
        answer: what was signed.
        position: in the service's log, None where no proof was checked.
        head: that the proof leads to, or None.
        anchored_at: date of the anchor, as its signers state it; "" where there is none.
        findings: one per step, in order; the last two are `standing_findings`.
    """

    id: str
    answer: Answer
    position: int | None
    head: TreeHead | None
    anchored_at: str
    findings: tuple[Finding, ...]

    @property
    def complete(self) -> bool:
        """Whether no step was left unchecked."""
        return all(finding.status is Status.PASSED for finding in self.findings)


def verify_receipt(
    data: bytes,
    service: Service,
    service_id: str,
    adapters: Mapping[str, Adapter],
    *,
    proof: bytes | None = None,
    anchors: Sequence[Anchor] = (),
    transcript: Transcript | None = None,
) -> VerifiedAnswer:
    """Check a receipt against the service that is said to have given it.

    Checks, in this order:
        1. form: a receipt, with a canonical envelope of an `answer/v1` that has no field beyond those known
        2. it is signed by the runtime key that the service's record names, and by nobody else
        3. it names this service, its constitution, its rules, and its adapters in their order
           (none of them where the service also serves the model without, or nothing was asked of the model)
        4. what was loaded is what the service's base and the adapters' records name
        5. with the transcript: its digests are those that were signed
        6. with a proof: it stands in the log of that name, under a checkpoint that the same key signed
        7. with anchors: that checkpoint is one that the community's log holds

    Does not check: that neither the service nor what it rests on was revoked, and the time
    (`standing_findings`); that the rules that fired are those that had to.

    Args:
        data: the receipt.
        service: its record, from a verified ledger.
        service_id: id of that record.
        adapters: id -> record of the service's adapters, from the same ledger.
        proof: a `.tlog-proof`; None for the one in the receipt, if any.
        anchors: of this log, from the same ledger.
        transcript: None for the one in the receipt, if any.

    Raises:
        MalformedError: step 1, or a proof that is none.
        VerificationError: one of the others; the message says what was expected.
    """
    receipt, envelope, answer = _read(data)  # 1
    found = [Finding(1, Status.PASSED, f"answer {envelope.claimed.id[:16]}…, {answer.outcome}")]
    found.append(_check_signature(envelope, service))
    found.append(_check_links(answer, service, service_id))
    found.append(_check_loaded(answer, service, adapters))
    said = transcript or Transcript(receipt.messages, receipt.answer)
    found.append(_check_transcript(answer, receipt.nonce, said))
    proved = proof if proof is not None else receipt.proof.encode()
    place, step = _check_proof(envelope, service, proved)
    found.append(step)
    since, step = _check_anchors(place, service, service_id, anchors)
    found.append(step)
    position, head = place or (None, None)
    return VerifiedAnswer(envelope.claimed.id, answer, position, head, since, tuple(found))


def standing_findings(
    answer: Answer, service_at: int, log_size: int, revoked: Mapping[str, Sequence[str]], now: int, when: str
) -> tuple[Finding, Finding]:
    """Return what the community's log says of an answer's service today, and whether the time can be.

    Checks, as steps 8 and 9: that nothing the service rests on is revoked; that the answer's view of the log had the
    service in it, and no more entries than there are; that its time is not to come.
    Does not check: that it was given when it says. Only an anchor bounds that.

    Args:
        answer: that was verified.
        service_at: position of the service's record in the community's log.
        log_size: entries of that log, as it was verified.
        revoked: name of what is revoked -> who revoked it.
        now: POSIX seconds.
        when: `answer.answered_at` in words.

    Raises:
        VerificationError: the answer says what cannot be.
    """
    # 8. what the log says of the service today
    if answer.log_size <= service_at:
        raise VerificationError(
            f"answer: its service knew {answer.log_size:,} entries of the log, and was declared as entry {service_at:,}"
        )
    if revoked:
        who = "; ".join(f"{name} by {', '.join(by)}" for name, by in revoked.items())
        said = f"revoked: {who}; nothing here shows whether this answer was given before"
        standing = Finding(8, Status.NOT_CHECKED, said)
    elif answer.log_size > log_size:
        said = f"the service knew {answer.log_size:,} entries of the log, this copy has {log_size:,}; fetch it anew"
        standing = Finding(8, Status.NOT_CHECKED, said)
    else:
        standing = Finding(8, Status.PASSED, "nothing that the service rests on is known to be revoked")
    # 9. the time is not to come
    if answer.answered_at > now + TIME_STEP_S:
        raise VerificationError(f"answer: says that it was given {when}, which by this machine's clock is to come")
    return standing, Finding(9, Status.PASSED, f"given {when}, as the service says")


def _read(data: bytes) -> tuple[Receipt, Envelope, Answer]:
    # 1. form
    receipt = read_receipt(data)
    envelope = read_envelope(receipt.envelope, "receipt: envelope")
    record = envelope.claimed
    if record.kind != Answer.KIND:
        raise MalformedError(f"receipt: expected a record of kind {Answer.KIND}, got {record.kind}")
    answer = Answer.from_record(record)
    if answer.to_record().canonical != record.canonical:
        raise MalformedError("receipt: the answer's record holds something that this kind does not know")
    return receipt, envelope, answer


def _check_signature(envelope: Envelope, service: Service) -> Finding:
    # 2. signed by the runtime key, and by it alone
    key = service.runtime_key
    if [signature.keyid for signature in envelope.signatures] != [key.keyid]:
        raise VerificationError(f"answer: expected one signature, by the runtime key {key.name} that the service names")
    key.verify(envelope.signatures[0].sig, envelope.pae, "answer")
    return Finding(2, Status.PASSED, f"signed by {key.name}, the runtime key of this service")


def _check_links(answer: Answer, service: Service, service_id: str) -> Finding:
    # 3. it names the service's own constitution, rules and adapters
    for what, named, expected in (
        ("service", answer.service, service_id),
        ("constitution", answer.constitution, service.constitution),
        ("rules", answer.rules, service.rules),
    ):
        if named != expected:
            raise VerificationError(f"answer: names the {what} {named[:16]}…, expected {expected[:16]}…")
    wanted = tuple(each.adapter for each in service.adapters)
    if answer.adapters == wanted:
        n_adapters = f"its {len(wanted)} adapter{'' if len(wanted) == 1 else 's'}" if wanted else "no adapter"
        return Finding(3, Status.PASSED, f"under the service's constitution and rules, with {n_adapters}")
    if answer.adapters:
        raise VerificationError("answer: other adapters took part than the service names, or in another order")
    if answer.outcome == "refused":
        return Finding(3, Status.PASSED, "under the service's constitution and rules; nothing was asked of the model")
    if not service.with_base:
        raise VerificationError("answer: the model answered without adapters, which this service does not allow")
    return Finding(3, Status.PASSED, "under the service's constitution and rules, without adapters, as it allows")


def _check_loaded(answer: Answer, service: Service, adapters: Mapping[str, Adapter]) -> Finding:
    # 4. what was loaded is what was signed for
    expected = {part: part_of(service.base, part) for part in PARTS if part_of(service.base, part)}
    unknown = [each for each in answer.adapters if each not in adapters]
    for place, each in enumerate(answer.adapters, 1):
        if each in adapters:
            expected[f"{Answer.ADAPTER}{place}"] = adapter_digest(adapters[each].weights, adapters[each].config)
    unseen = {f"{Answer.ADAPTER}{place}" for place, each in enumerate(answer.adapters, 1) if each in unknown}
    for name, digest in sorted(answer.loaded.items()):
        if name in unseen:
            continue
        if name not in expected:
            raise VerificationError(f"answer: {name} was loaded, which the service does not name")
        if digest != expected[name]:
            raise VerificationError(f"answer: {name} {digest[:16]}… was loaded, expected {expected[name][:16]}…")
    missing = sorted((set(expected) | unseen) - set(answer.loaded))
    if missing and answer.integrity == "verified":
        raise VerificationError(f"answer: says that all files were hashed, and names no digest of {missing[0]}")
    return _judge_loaded(answer, unknown, missing)


def _judge_loaded(answer: Answer, unknown: Sequence[str], missing: Sequence[str]) -> Finding:
    """Say how much the comparison was worth, and which safeguards were off."""
    off = f"; safeguards turned off: {', '.join(answer.overrides)}" if answer.overrides else ""
    if unknown:
        return Finding(4, Status.NOT_CHECKED, f"the record of adapter {unknown[0][:16]}… is not here{off}")
    if missing:
        return Finding(4, Status.NOT_CHECKED, f"{answer.integrity}: nobody says which {', '.join(missing)} ran{off}")
    if answer.integrity == "verified":
        return Finding(4, Status.PASSED, f"verified: the runtime hashed all files, and they are those in the log{off}")
    status = Status.PASSED if answer.integrity == "claimed" else Status.NOT_CHECKED
    return Finding(4, status, f"{answer.integrity}: {_why_not_verified(answer)}{off}")


def _why_not_verified(answer: Answer) -> str:
    if answer.engine.sandbox == "elsewhere":
        return "the backend named digests that fit; the runtime could not hash files"
    why = ["the engine ran without a sandbox"] if answer.engine.sandbox == "none" else []
    if not why or answer.integrity == "unverified":
        why.append("its copy of the community's log was out of date")
    return f"the runtime hashed all files, and they fit, but {' and '.join(why)}"


def _check_transcript(answer: Answer, nonce: bytes, said: Transcript) -> Finding:
    # 5. the digests fit what was said
    checked = []
    if said.messages is not None:
        if not hmac.compare_digest(request_digest(nonce, messages_bytes(said.messages)), answer.request):
            raise VerificationError("answer: these are not the messages that were asked")
        checked.append("question")
    if said.answer is not None:
        if not hmac.compare_digest(response_digest(nonce, said.answer), answer.response):
            raise VerificationError("answer: this is not the text that was sent")
        checked.append("answer")
    if len(checked) == 2:
        return Finding(5, Status.PASSED, "question and answer are those that were signed")
    if checked:
        return Finding(5, Status.NOT_CHECKED, f"the {checked[0]} is the one that was signed; the other was not given")
    return Finding(5, Status.NOT_CHECKED, "no transcript")


def _check_proof(envelope: Envelope, service: Service, proof: bytes) -> tuple[tuple[int, TreeHead] | None, Finding]:
    # 6. in the service's own log
    if not proof:
        return None, Finding(6, Status.NOT_CHECKED, "no proof; ask the service for it after its next batch")
    logged = verify_proof(proof, service.origin, service.runtime_key)
    if logged.envelope.canonical != envelope.canonical:
        raise VerificationError(f"proof: is of answer {logged.envelope.claimed.id[:16]}…, not of this one")
    where = f"entry {logged.position} of {logged.head.size} in {service.origin}"
    return (logged.position, logged.head), Finding(6, Status.PASSED, where)


def _check_anchors(
    place: tuple[int, TreeHead] | None, service: Service, service_id: str, anchors: Sequence[Anchor]
) -> tuple[str, Finding]:
    # 7. the head of the proof is one that the community's log holds
    heads = [(anchor.anchored_at, _anchored(anchor, service, service_id)) for anchor in anchors]
    dated = [(date, head) for date, head in heads if head]
    if not dated:
        return "", Finding(7, Status.NOT_CHECKED, "no anchor of this log was given")
    if place is None:
        return "", Finding(7, Status.NOT_CHECKED, "no proof that could lead to an anchor")
    position, head = place
    for _, other in dated:
        if other.size == head.size and other.root != head.root:
            raise VerificationError(
                f"anchor: the service signed two different logs of size {head.size}; both checkpoints prove it"
            )
    same = sorted(date for date, other in dated if other == head)
    if same:
        said = f"in the community's log, since {same[0]} as its signers say; not changed since it was put there"
        return same[0], Finding(7, Status.PASSED, said)
    sizes = sorted(other.size for _, other in dated if other.size > position)
    if not sizes:
        return "", Finding(7, Status.NOT_CHECKED, "logged after the newest anchor that was given")
    # Two heads of different sizes say nothing about one another without a consistency proof.
    why = f"the proof leads to size {head.size}, the anchor to {sizes[0]}; ask the service for a proof to that anchor"
    return "", Finding(7, Status.NOT_CHECKED, why)


def _anchored(anchor: Anchor, service: Service, service_id: str) -> TreeHead | None:
    """Return the head that an anchor holds, or None where it is of another log.

    Earlier and later records of the service have other ids and may share its log.
    """
    checkpoint = read_checkpoint(anchor.checkpoint.encode(), "anchor")
    mine = anchor.service == service_id
    if checkpoint.origin == service.origin:
        try:
            if verify_note(checkpoint.note, [service.runtime_key], "anchor"):
                return checkpoint.head
        except VerificationError:
            if mine:
                raise
    if mine:
        raise VerificationError("anchor: names this service, and its checkpoint is not one that the service signed")
    return None
