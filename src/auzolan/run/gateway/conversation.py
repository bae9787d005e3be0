"""Edge: one chat completion, from the question to the signed answer.

    1. read       the body is parsed strictly; role markers are taken out of what the client wrote
    2. request    facts about it are found, rules decide; a denial is answered in words, and signed
    3. ask        the model is asked, in its turn, with a body that is made anew
    4. release    what comes is let through as far as no rule can still forbid it (`answering`)
    5. seal       what was really sent is signed and logged, and the receipt follows (`sealing`)

Streamed and whole answers go through the same steps. Nothing of a request or an
answer is written anywhere here, but to `contents` where the operator turned that on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from auzolan.run.answers.seal import asked_bytes
from auzolan.run.checks.personal import find, redact
from auzolan.run.checks.role_markers import strip_markers
from auzolan.run.engine.parameters import ChatRequest, Message, read_request, to_upstream
from auzolan.run.gateway.answering import answer_whole, stream_answer
from auzolan.run.gateway.body import Transport
from auzolan.run.gateway.calls import searched, with_plain_arguments
from auzolan.run.gateway.door import Headers, Refusal
from auzolan.run.gateway.house import House
from auzolan.run.gateway.judging import labels_of
from auzolan.run.gateway.leaving import ClientLeftError, Watch
from auzolan.run.gateway.talk import Talk
from auzolan.run.rules.facts import REQUEST, Facts
from auzolan.run.rules.refusal import refusal_text
from auzolan.run.rules.ruleset import ROLE_MARKERS

HUMAN_HEADER, RECEIPT_HEADER = "auzolan-human", "auzolan-receipt"


async def converse(
    house: House, body: Mapping[str, Any], headers: Headers, proto: Transport, more: list[tuple[str, str]]
) -> Refusal | None:
    """Answer one request, or say why it is not answered.

    Raises:
        AuzolanError: the request has not the form of one, or the engine or the log is not there.
    """
    # 1. read
    request = read_request(body)
    variant = house.variants.get(request.model)
    if variant is None:
        names = ", ".join(house.variants)
        return Refusal(404, "model_not_found", f"this gateway serves {names}, not {request.model[:60]!r}")
    wants_receipt = house.service.receipts == house.service.ALWAYS or headers.get(RECEIPT_HEADER) is not None
    asked = asked_bytes(body["messages"])
    talk = Talk(house, request, variant, asked, wants_receipt, int(house.clock()), more)
    # 2. request
    request = _without_escapes(request)
    texts = list(request.texts())
    cleaned, marked = _clean(house, request, texts)
    if cleaned is not request:
        texts = list(cleaned.texts())
    has_calls = any(message.calls for message in cleaned.messages)
    told = searched(texts) if has_calls else "\n".join(texts)
    facts = await _facts(talk, told, marked, len((headers.get(HUMAN_HEADER) or "").strip()) > 1)
    decision = talk.decide(facts)
    if decision.denied:
        await talk.refuse(proto, refusal_text(decision, talk.language))
        return None
    if decision.redacts:
        cleaned = cleaned.with_texts(lambda text: redact(text, decision.redacts, find(text)))
    # 3. ask
    upstream = house.upstream()
    fields = upstream.fields(variant.adapters)
    asking = to_upstream(cleaned, fields, house.service.system_prompt, house.limits)
    turn = house.turns.turn(variant.name)
    try:
        if not turn.enter_now():
            with Watch(proto):
                await turn.enter()
    except ClientLeftError:
        return None
    try:
        # 4. and 5.
        answer = stream_answer if request.stream else answer_whole
        return await answer(talk, facts, upstream, asking, proto)
    finally:
        turn.leave()


def _without_escapes(request: ChatRequest) -> ChatRequest:
    """Write the arguments of earlier calls anew: templates undo their escapes, in which marks and words can hide."""
    if not any(message.calls for message in request.messages):
        return request
    messages = [
        message._replace(calls=tuple(with_plain_arguments(call) for call in message.calls))
        if message.calls
        else message
        for message in request.messages
    ]
    return replace(request, messages=tuple(messages))


def _clean(house: House, request: ChatRequest, texts: list[str]) -> tuple[ChatRequest, bool]:
    """Take role markers out of every text, and questions that were refused; say whether there were markers."""
    marked = False

    def stripped(text: str) -> str:
        nonlocal marked
        clean, found = strip_markers(text, house.specials)
        marked = marked or found
        return clean

    stripped("\n".join(texts))  # most hold none, and one look at all of them says so
    cleaned = request.with_texts(stripped) if marked else request  # most need no copy
    kept = _without_refused(house, cleaned.messages)
    return cleaned if len(kept) == len(cleaned.messages) else replace(cleaned, messages=tuple(kept)), marked


def _without_refused(house: House, messages: Sequence[Message]) -> list[Message]:
    """Leave out questions that were refused, with the refusals.

    Clients send the whole conversation each time; without this, one refused question would end it. What is left out
    is not asked of the model, so that writing a refusal oneself gains nothing.
    """
    kept: list[Message] = []
    for message in messages:
        if message.role == "assistant" and kept and kept[-1].role == "user" and house.is_refusal(message.text):
            kept.pop()
        else:
            kept.append(message)
    return kept


async def _facts(talk: Talk, text: str, marked: bool, named_human: bool) -> Facts:
    house, request = talk.house, talk.request
    found = house.scanner.scan(text, REQUEST)
    labels = await labels_of(house, REQUEST, text) if house.rulebook.rules.judges else frozenset()
    if marked:
        labels |= {ROLE_MARKERS}
    tools = frozenset(request.tool_names)
    now = house.clock()
    return Facts(
        side=REQUEST,
        topics=found.topics,
        personal=found.personal,
        labels=labels,
        language=talk.language if house.rules_ask_language else "",
        adapters=talk.variant.adapter_set,
        integrity=house.integrity(now),
        tools=tools,
        undeclared=frozenset(f"tool:{name}" for name in tools - house.tools),
        log_view=house.log_view.standing(now),
        named_human=named_human,
        characters=len(text),
        tokens=min(request.max_tokens or house.limits.max_tokens, house.limits.max_tokens),
    )
