"""The receipt: what whoever asked gets, and all that opens the digests of their answer.

    {"answer": "...", "envelope": {...}, "format": "auzolan-receipt/v1",
     "messages": [...], "nonce": "...", "proof": "..."}

`envelope` is the signed record as the log holds it, `nonce` what its two
digests are keyed with (`digests`). The user's own client may add the
transcript (`messages` as it sent them, `answer` as it got it) and the
`.tlog-proof`, so that one file can be checked years later. The bytes are RFC 8785.

A receipt with its transcript is as private as the conversation: whoever gets
it can show to others what was said, and that is what it is for.
Nothing in a receipt that was read has been checked; that is `verify`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from auzolan.core.record.canonical import (
    JsonObject,
    JsonValue,
    as_list,
    as_object,
    as_text,
    canonical_bytes,
    only_keys,
    read_json,
)
from auzolan.core.record.errors import MalformedError
from auzolan.core.record.record import check_digest
from auzolan.run.answers.digests import check_nonce, messages_bytes

FORMAT = "auzolan-receipt/v1"
ID_HEADER, NONCE_HEADER = "x-auzolan-answer", "x-auzolan-nonce"
"""Of every whole answer: from the nonce, which the runtime forgets, and the envelope, which it gives out by id, a
client that drops unknown fields can still make the receipt (`receipt_bytes`)."""
FIELD = "auzolan_receipt"
_KEYS = frozenset({"answer", "envelope", "format", "messages", "nonce", "proof"})


@dataclass(frozen=True)
class Receipt:
    """A receipt whose claims are not yet checked.

    Attributes:
        envelope: canonical bytes of the signed record.
        nonce: opens its digests.
        messages: as they were sent, or None.
        answer: as it was received, or None.
        proof: `.tlog-proof` as text, "" for none.
    """

    envelope: bytes
    nonce: bytes
    messages: list[JsonValue] | None = None
    answer: str | None = None
    proof: str = ""

    def to_bytes(self) -> bytes:
        """Return the receipt as it is stored."""
        fields: dict[str, bytes] = {
            "envelope": self.envelope,
            "format": canonical_bytes(FORMAT),
            "nonce": canonical_bytes(check_nonce(self.nonce).hex()),
        }
        if self.messages is not None:
            fields["messages"] = messages_bytes(self.messages)
        if self.answer is not None:
            fields["answer"] = canonical_bytes(self.answer)
        if self.proof:
            fields["proof"] = canonical_bytes(self.proof)
        return b"{" + b",".join(b'"%b":%b' % (name.encode(), fields[name]) for name in sorted(fields)) + b"}"

    def with_transcript(self, messages: list[JsonValue], answer: str) -> Receipt:
        """Return the receipt with what was said."""
        return replace(self, messages=messages, answer=answer)

    def with_proof(self, proof: bytes) -> Receipt:
        """Return the receipt with its `.tlog-proof`."""
        try:
            return replace(self, proof=proof.decode())
        except UnicodeDecodeError:
            raise MalformedError("proof: not UTF-8") from None


def receipt_bytes(envelope: bytes, nonce: bytes) -> bytes:
    """Return `Receipt(envelope, nonce).to_bytes()`, for every answer, so quickly."""
    return b'{"envelope":%b,"format":"auzolan-receipt/v1","nonce":"%b"}' % (envelope, nonce.hex().encode())


def read_receipt(data: bytes) -> Receipt:
    """Parse a receipt from outside; its order of keys and its spaces may be others than ours.

    Checks: JSON without floats or duplicate keys, the fields and their form.
    Does not check: anything that the fields say.

    Raises:
        MalformedError: anything of the above does not hold.
    """
    fields = as_object(read_json(data, "receipt"), "receipt")
    only_keys(fields, _KEYS, "receipt")
    if fields.get("format") != FORMAT:
        raise MalformedError(f"receipt: expected the format {FORMAT}")
    messages = as_list(fields["messages"], "receipt: messages") if "messages" in fields else None
    if messages is not None:
        messages_bytes(messages)
    return Receipt(
        envelope=canonical_bytes(as_object(fields.get("envelope"), "receipt: envelope")),
        nonce=bytes.fromhex(check_digest(fields.get("nonce"), "receipt: nonce")),
        messages=messages,
        answer=_answer(fields),
        proof=as_text(fields["proof"], "receipt: proof") if "proof" in fields else "",
    )


def _answer(fields: JsonObject) -> str | None:
    if "answer" not in fields:
        return None
    answer = fields["answer"]
    if not isinstance(answer, str):  # it may be empty: the client left before the first word
        raise MalformedError("receipt: answer: expected text")
    return answer
