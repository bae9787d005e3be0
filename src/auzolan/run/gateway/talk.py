"""One request on its way: what is known of it, what was sent for it, and its seal."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import orjson

from auzolan.core.kinds.answer import Fired
from auzolan.core.record.canonical import JsonObject
from auzolan.core.record.errors import StorageError
from auzolan.run.answers.digests import NONCE_BYTES
from auzolan.run.answers.receipt import ID_HEADER, NONCE_HEADER, receipt_bytes
from auzolan.run.answers.seal import Sealed
from auzolan.run.engine.parameters import ChatRequest
from auzolan.run.gateway.body import Transport
from auzolan.run.gateway.door import Refusal
from auzolan.run.gateway.facts_of import language_asked
from auzolan.run.gateway.house import House, Variant
from auzolan.run.gateway.wire import DONE, JSON_TYPE, NO_STORE, SSE_HEADERS, ChunkWriter, completion_body, error_event
from auzolan.run.rules.facts import Decision, Facts, Matched

ANSWERED, REFUSED, CUT, LEFT, FAILED = "answered", "refused", "cut", "left", "failed"
STOP, FILTERED = "stop", "content_filter"
LOG = "the log of answers"
"""The chore that writes it opens the gateway again."""


@dataclass
class Talk:
    """One request.

    Attributes:
        house: what is open.
        request: as parsed.
        variant: the model that is asked.
        asked: canonical bytes of the messages as the client sent them.
        wants_receipt: whether it is to be signed and logged.
        created: POSIX seconds.
        more: headers of every answer to this client.
        fired: what matched so far, by rule.
        sent: the text that was really sent, in pieces.
        id: of the answer, as OpenAI's clients name it; random, and in no log.
    """

    house: House
    request: ChatRequest
    variant: Variant
    asked: bytes
    wants_receipt: bool
    created: int
    more: list[tuple[str, str]]
    fired: dict[str, Matched] = field(default_factory=dict)
    sent: list[str] = field(default_factory=list)
    id: str = field(init=False)

    def __post_init__(self) -> None:
        self.id = f"chatcmpl-{self.house.chance.draw(12).hex()}"

    @cached_property
    def language(self) -> str:
        """The language of what was asked last; the service's first one where the text is too short to tell."""
        return language_asked(self.request.messages[-1].text, self.house.service.languages, self.house.language_of)

    def decide(self, facts: Facts) -> Decision:
        """Let the rules decide, and remember what matched."""
        decision = self.house.rulebook.decide(facts)
        self.remember(decision)
        return decision

    def remember(self, decision: Decision) -> None:
        """Remember what matched."""
        for each in decision.matched:
            self.fired.setdefault(each.rule, each)

    def seal(self, outcome: str) -> Sealed | None:
        """Sign what was sent and put it into the log; None where no receipt is wanted.

        Raises:
            StorageError: the log takes no more; the gateway answers nothing until it does.
        """
        if not self.wants_receipt:
            return None
        house, view = self.house, self.house.log_view
        now = house.clock()
        sealed = house.sealers[house.integrity(now)].seal(
            house.chance.draw(NONCE_BYTES),
            self.asked,
            "".join(self.sent),
            outcome=outcome,
            fired=[Fired(each.rule, each.effect, each.article) for each in self.fired.values()],
            adapters=self.variant.adapters,
            log_size=view.size,
            cosigned_at=view.cosigned_at,
            now=int(now),
        )
        try:
            house.log.append(sealed)
        except StorageError as error:
            house.reasons[LOG] = f"{LOG}: {error}"
            raise
        if house.contents is not None:
            with suppress(StorageError):  # the answer is logged; that its text is not kept changes nothing of that
                house.contents.keep(sealed.id, orjson.loads(self.asked), "".join(self.sent), int(now))
        return sealed

    def send_whole(
        self, proto: Transport, outcome: str, reason: str, message: Mapping[str, Any], usage: JsonObject | None
    ) -> None:
        """Seal a whole answer, and send it with its receipt."""
        sealed = self.seal(outcome)
        headers = [JSON_TYPE, NO_STORE, *self.more]
        receipt = b""
        if sealed:
            receipt = receipt_bytes(sealed.envelope, sealed.nonce)
            headers += [(ID_HEADER, sealed.id), (NONCE_HEADER, sealed.nonce.hex())]
        name = self.variant.name
        proto.response_bytes(
            200, headers, completion_body(self.id, self.created, name, message, reason, usage, receipt)
        )

    async def refuse(self, proto: Transport, text: str) -> None:
        """Answer in words that, and why, the rules do not allow it; nothing was asked of the model."""
        self.sent.append(text)
        if not self.request.stream:
            self.send_whole(proto, REFUSED, FILTERED, {"content": text, "refusal": None}, None)
            return
        writer = self.writer()
        end = [writer.first(), writer.text(text), writer.end(FILTERED), *self.receipt_chunks(writer, REFUSED)]
        await proto.response_stream(200, [*SSE_HEADERS, *self.more]).send_bytes(b"".join(end))

    def writer(self) -> ChunkWriter:
        """Return what makes the chunks of this answer."""
        return ChunkWriter(self.id, self.created, self.variant.name)

    def receipt_chunks(self, writer: ChunkWriter, outcome: str) -> list[bytes]:
        """Seal what was sent, and return the last chunks of a stream: the receipt, or that there is none."""
        try:
            sealed = self.seal(outcome)
        except StorageError:
            return [error_event(Refusal(503, "not_logged", "this answer could not be logged; do not rely on it")), DONE]
        return [writer.receipt(receipt_bytes(sealed.envelope, sealed.nonce)), DONE] if sealed else [DONE]
