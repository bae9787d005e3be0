"""Services, their rules and answers in plain words: a headline, and what a signer should know before signing.

What is said here stands beside everything that is signed (`words.explain`), never instead of it.
"""

from __future__ import annotations

from collections.abc import Iterator

from auzolan.cli.output import plain
from auzolan.core.kinds.answer import Answer
from auzolan.core.kinds.run import Anchor, RuntimePolicy, Service
from auzolan.core.record.checkpoint import read_checkpoint
from auzolan.core.record.record import Record

_WHOLE = 1000  # thousandths: an adapter as strong as it was trained


def headline_of_running(record: Record) -> str:
    """Return one line about a service, its rules, an answer or an anchor.

    Raises:
        ValueError: the record is of another kind.
    """
    if record.kind == Service.KIND:
        service = Service.from_record(record)
        return f"{service.name}: {plain(service.base.name, 40)} {_with_adapters(len(service.adapters))}"
    if record.kind == RuntimePolicy.KIND:
        return f"rules for running: {plain(RuntimePolicy.from_record(record).title, 50)}"
    if record.kind == Answer.KIND:
        return _what_became(Answer.from_record(record))
    if record.kind == Anchor.KIND:
        head = read_checkpoint(Anchor.from_record(record).checkpoint.encode())
        return f"{_count(head.head.size, 'answer')} so far in {plain(head.origin, 40)}"
    raise ValueError(f"{record.kind} is nothing that is run")


def _what_became(answer: Answer) -> str:
    decided = [each for each in answer.fired if each.effect == "deny"] if answer.outcome in ("refused", "cut") else []
    by = f" by {plain(decided[0].rule, 30)}" if decided else ""
    article = f" (article {plain(decided[0].article, 10)})" if decided and decided[0].article else ""
    return f"{answer.outcome}{by}{article}, files {answer.integrity}"


def explain_running(record: Record) -> Iterator[str]:
    """Yield what follows from signing a service, rules, an answer or an anchor; nothing for another kind."""
    if record.kind == Service.KIND:
        yield from _explain_service(Service.from_record(record))
    elif record.kind == RuntimePolicy.KIND:
        yield "These rules decide what services that name them refuse, blot out or warn of. Read every one."
    elif record.kind == Answer.KIND:
        yield "A machine signs these. Whoever signs one by hand vouches for an answer that a model gave."
    elif record.kind == Anchor.KIND:
        yield "Signing this says that the log of answers stood so. Whether it is the whole log, nobody can see from it."


def _explain_service(service: Service) -> Iterator[str]:
    yield f"Signing this says that {plain(service.operator, 200)} may run it, and answers for it."
    yield f"It runs {plain(service.base.name, 200)} {_with_adapters(len(service.adapters))}."
    if not service.adapters:
        yield "No adapter: the model was taught nothing of the constitution; only the rules follow it."
    for place, each in enumerate(service.adapters, 1):
        yield from _strength(place, each.scale_milli)
    if service.with_base and service.adapters:
        yield "The model is also served without its adapters, to compare; those answers follow the rules alone."
    if service.system_prompt:
        yield f"A text of {_count(len(service.system_prompt), 'character')} stands before every conversation: read it."
    tools = ", ".join(plain(each, 60) for each in service.tools)
    yield f"The model may ask clients to use: {tools}." if tools else "No tools are offered to the model."
    if service.receipts == Service.ALWAYS:
        yield "Every answer is signed and logged, without a text or a name; whoever asked gets a receipt."
    else:
        yield "Answers are signed and logged only for those who ask; of all others nothing can be shown later."
    if service.retention_days:
        days = _count(service.retention_days, "day")
        yield f"The operator may turn on that what people write and read is kept, for up to {days}."
    else:
        yield "What people write and read is not kept, and the operator may not turn that on."
    yield f"Whoever holds the key {plain(service.runtime_key.name, 100)} can sign answers in its name."
    yield f"It is to be looked at again by {service.review_at}; nothing stops by itself then."


def _strength(place: int, scale_milli: int) -> Iterator[str]:
    """Say how strongly an adapter is added, where that is not as it was trained."""
    if scale_milli == 0:
        yield f"Adapter {place} has no effect: its strength is 0."
    elif scale_milli < 0:
        yield f"Adapter {place} is turned around: the model unlearns what it was taught."
    elif scale_milli != _WHOLE:
        yield f"Adapter {place} is added at {scale_milli / 10:g} % of the strength that it was examined with."


def _with_adapters(n: int) -> str:
    return f"with {_count(n, 'adapter')}" if n else "without adapters"


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
