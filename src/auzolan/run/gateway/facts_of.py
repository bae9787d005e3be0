"""From texts as a client sent them to what the rules look at: the cleaned request, and facts about it. Pure.

The gateway and `auzolan run explain` both go this way, so that they cannot say
different things about one text.

Not here: what judges say (`judging`), and how much of an answer is searched at
a time (`checks.release`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from auzolan.run.checks.role_markers import strip_markers
from auzolan.run.checks.scan import Found, Scanner
from auzolan.run.engine.field_values import ParameterError
from auzolan.run.engine.parameters import ChatRequest, Message
from auzolan.run.gateway.calls import searched, with_plain_arguments
from auzolan.run.rules.facts import ANSWER, REQUEST, Facts
from auzolan.run.rules.ruleset import ROLE_MARKERS

TELLING = 20
"""Characters below which a text's language is a guess."""


class Cleaned(NamedTuple):
    """A request as it may go on.

    Attributes:
        request: without role markers, escapes that hide something, and questions that were refused before.
        text: all that the model would read of it, as the rules look at it.
        marked: whether there were role markers.
    """

    request: ChatRequest
    text: str
    marked: bool


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known of a request beside its texts.

    Attributes:
        adapters: ids of those that take part.
        integrity: "verified", "claimed" or "unverified".
        log_view: "fresh", "stale" or "unwitnessed".
        named_human: whether a responsible person was named.
        language: of the question, "" where no rule asks.
        declared_tools: names of the tools that the service declares.
        most_tokens: that the service lets an answer have.
    """

    adapters: frozenset[str]
    integrity: str
    log_view: str
    named_human: bool
    language: str
    declared_tools: frozenset[str]
    most_tokens: int


def check_length(request: ChatRequest, most: int) -> None:
    """Refuse a request that is longer than the rules let one be.

    Raises:
        ParameterError: it has more characters than `most`, all texts together.
    """
    characters = sum(map(len, request.texts()))
    if characters > most:
        raise ParameterError("messages", f"the rules of this service allow {most:,} characters, got {characters:,}")


def cleaned(request: ChatRequest, specials: Sequence[str], refusals: tuple[str, ...]) -> Cleaned:
    """Take out of a request what must not go on.

    Args:
        request: as read.
        specials: tokens of the chat template, which no user may write; the common families' are known.
        refusals: how refusals of this gateway begin.
    """
    request = _without_escapes(request)
    texts = list(request.texts())
    clean, marked = _without_marks(request, texts, specials)
    kept = without_refused(clean.messages, refusals)
    if len(kept) != len(clean.messages):
        clean = replace(clean, messages=tuple(kept))
    if clean is not request:
        texts = list(clean.texts())
    has_calls = any(message.calls for message in clean.messages)
    return Cleaned(clean, searched(texts) if has_calls else "\n".join(texts), marked)


def without_refused(messages: Sequence[Message], refusals: tuple[str, ...]) -> list[Message]:
    """Leave out questions that were refused, with the refusals.

    Clients send the whole conversation each time; without this, one refused question would end it. What is left out
    is not asked of the model, so that writing a refusal oneself gains nothing.

    Args:
        messages: as read, in their order.
        refusals: how refusals begin.
    """
    kept: list[Message] = []
    for message in messages:
        if message.role == "assistant" and kept and kept[-1].role == "user" and message.text.startswith(refusals):
            kept.pop()
        else:
            kept.append(message)
    return kept


def request_facts(
    asked: Cleaned, scanner: Scanner, known: Circumstances, verdicts: frozenset[str] = frozenset()
) -> Facts:
    """Return all that the rules may decide a request by.

    Args:
        asked: its texts.
        scanner: for what the rules look for.
        known: what is known beside the texts.
        verdicts: labels by judges.

    Raises:
        NotCheckedError: the text could not be searched.
    """
    found = scanner.scan(asked.text, REQUEST)
    tools = frozenset(asked.request.tool_names)
    return Facts(
        side=REQUEST,
        topics=found.topics,
        personal=found.personal,
        labels=verdicts | {ROLE_MARKERS} if asked.marked else verdicts,
        language=known.language,
        adapters=known.adapters,
        integrity=known.integrity,
        tools=tools,
        undeclared=frozenset(f"tool:{name}" for name in tools - known.declared_tools),
        log_view=known.log_view,
        named_human=known.named_human,
        characters=len(asked.text),
        tokens=min(asked.request.max_tokens or known.most_tokens, known.most_tokens),
    )


def answer_facts(asked: Facts, found: Found, verdicts: frozenset[str], undeclared: frozenset[str]) -> Facts:
    """Return all that the rules may decide an answer by.

    Args:
        asked: facts of its request; language, length and circumstances are that one's.
        found: in the answer.
        verdicts: labels by judges, of the answer.
        undeclared: what it calls and the request did not offer.
    """
    return Facts(
        ANSWER, found.topics, found.personal, verdicts, asked.language, asked.adapters, asked.integrity,
        asked.tools, undeclared, asked.log_view, asked.named_human, asked.characters, asked.tokens,
    )  # fmt: skip


def language_asked(text: str, languages: Iterable[str], language_of: Callable[[str], str]) -> str:
    """Return the language of a question; the first of the service's where the text is too short to tell."""
    told = language_of(text) if len(text) >= TELLING else ""
    return told or next(iter(languages), "")


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


def _without_marks(request: ChatRequest, texts: list[str], specials: Sequence[str]) -> tuple[ChatRequest, bool]:
    """Take role markers out of every text; say whether there were any."""
    marked = False

    def stripped(text: str) -> str:
        nonlocal marked
        clean, found = strip_markers(text, specials)
        marked = marked or found
        return clean

    stripped("\n".join(texts))  # most hold none, and one look at all of them says so
    return (request.with_texts(stripped) if marked else request), marked  # most need no copy
