"""One chat completion, from the question to the signed answer.

    1. read       the body is parsed strictly; role markers are taken out of what the client wrote
    2. request    facts about it are found, rules decide; a denial is answered in words, and signed
    3. ask        the model is asked, in its turn, with a body that is made anew
    4. release    what comes is let through as far as no rule can still forbid it (`answering`)
    5. seal       what was really sent is signed and logged, and the receipt follows (`sealing`)

Streamed and whole answers go through the same steps. Nothing of a request or an
answer is written anywhere here, but to `contents` where the operator turned that on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auzolan.run.answers.seal import asked_bytes
from auzolan.run.checks.personal import find, redact
from auzolan.run.engine.parameters import read_request, to_upstream
from auzolan.run.gateway.answering import answer_whole, stream_answer
from auzolan.run.gateway.body import Transport
from auzolan.run.gateway.door import Headers, Refusal
from auzolan.run.gateway.facts_of import Circumstances, Cleaned, check_length, cleaned, request_facts
from auzolan.run.gateway.house import House
from auzolan.run.gateway.judging import labels_of
from auzolan.run.gateway.leaving import ClientLeftError, Watch
from auzolan.run.gateway.talk import Talk
from auzolan.run.rules.facts import REQUEST, Facts
from auzolan.run.rules.refusal import refusal_text

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
    check_length(request, house.rulebook.rules.limits.request_characters)
    wants_receipt = house.service.receipts == house.service.ALWAYS or headers.get(RECEIPT_HEADER) is not None
    talk = Talk(house, request, variant, asked_bytes(body["messages"]), wants_receipt, int(house.clock()), more)
    # 2. request
    asked = cleaned(request, house.specials, house.refusals)
    facts = await _facts(talk, asked, len((headers.get(HUMAN_HEADER) or "").strip()) > 1)
    decision = talk.decide(facts)
    if decision.denied:
        await talk.refuse(proto, refusal_text(decision, talk.language))
        return None
    going_on = asked.request
    if decision.redacts:
        going_on = going_on.with_texts(lambda text: redact(text, decision.redacts, find(text)))
    # 3. ask
    fields = house.upstream().fields(variant.adapters)
    asking = to_upstream(going_on, fields, house.service.system_prompt, house.limits)
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
        return await answer(talk, facts, asking, proto)
    finally:
        turn.leave()


async def _facts(talk: Talk, asked: Cleaned, named_human: bool) -> Facts:
    house = talk.house
    verdicts = await labels_of(house, REQUEST, asked.text) if house.rulebook.rules.judges else frozenset[str]()
    now = house.clock()
    known = Circumstances(
        adapters=talk.variant.adapter_set,
        integrity=house.integrity(now),
        log_view=house.log_view.standing(now),
        named_human=named_human,
        language=talk.language if house.rules_ask_language else "",
        declared_tools=house.tools,
        most_tokens=house.limits.max_tokens,
    )
    return request_facts(asked, house.scanner, known, verdicts)
