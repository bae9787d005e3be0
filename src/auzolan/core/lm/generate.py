"""The one seam to language models: requests in, completions out.

A backend is anything that can be called like `Generate`: `scripted` answers
tests, `remote` asks an OpenAI-compatible server, a local one would run
transformers. Stages see only this protocol. What is asked is named by its
content: a request's id is the SHA-256 of its messages and decoding settings,
so that `resume` knows what was answered already.

Not here: which model answers (the backend's matter), chat templates (the
model's), streaming, tools, images.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import ClassVar, Protocol

from auzolan.core.record.canonical import JsonObject, JsonValue, as_int, as_object, as_text, canonical_bytes, only_keys
from auzolan.core.record.errors import MalformedError, UsageError
from auzolan.core.record.record import check_digest

MAX_STOPS = 4
_MAX_SEED = 2**31 - 1  # what every server reads alike; llama.cpp takes 2^32 - 1 for "any seed"


@dataclass(frozen=True)
class Message:
    """One turn of a conversation.

    Attributes:
        role: "system", "user" or "assistant".
        text: what was said; it may be empty, as answers sometimes are.
    """

    ROLES: ClassVar[tuple[str, ...]] = ("system", "user", "assistant")

    role: str
    text: str

    def __post_init__(self) -> None:
        if self.role not in self.ROLES:
            raise UsageError(f"message: expected the role {', '.join(self.ROLES)}, got {self.role[:40]!a}")


@dataclass(frozen=True)
class Decoding:
    """How the next token is chosen. Every setting is sent, so that no server's default decides.

    Attributes:
        max_tokens: the answer is cut after so many tokens.
        temperature_milli: thousandths; 0 is greedy: the likeliest token, always.
        top_p_milli: thousandths of the probability that is drawn from; 1000 is all of it.
        seed: two answers to the same messages differ by it.
        stop: the answer ends before any of these texts.
    """

    max_tokens: int
    temperature_milli: int = 0
    top_p_milli: int = 1000
    seed: int = 0
    stop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_range("max_tokens", self.max_tokens, 1, 2**31 - 1)
        _check_range("temperature_milli", self.temperature_milli, 0, 10_000)
        _check_range("top_p_milli", self.top_p_milli, 1, 1000)
        _check_range("seed", self.seed, 0, _MAX_SEED)
        if len(self.stop) > MAX_STOPS or "" in self.stop:
            raise UsageError(f"stop: expected at most {MAX_STOPS} texts, none of them empty, got {len(self.stop)}")

    @property
    def is_greedy(self) -> bool:
        """Say whether the same request should always give the same answer."""
        return self.temperature_milli == 0

    def with_seed(self, seed: int) -> Decoding:
        """Return the same settings with another seed."""
        return replace(self, seed=seed)

    def to_json(self) -> JsonObject:
        """Return them as they stand in a record."""
        return {
            "max_tokens": self.max_tokens,
            "temperature_milli": self.temperature_milli,
            "top_p_milli": self.top_p_milli,
            "seed": self.seed,
            "stop": list(self.stop),
        }


def _check_range(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise UsageError(f"{name}: expected {least:,} to {most:,}, got {value:,}")


@dataclass(frozen=True)
class Request:
    """One conversation to be continued by the model.

    Attributes:
        messages: what was said so far, at least one.
        decoding: how to answer.
        id: SHA-256 of the canonical bytes of both; equal requests have equal ids.
    """

    messages: tuple[Message, ...]
    decoding: Decoding
    id: str = field(init=False)

    def __post_init__(self) -> None:
        if not self.messages:
            raise UsageError("request: expected at least one message, got none")
        digest = sha256(canonical_bytes(self.to_json())).hexdigest()
        object.__setattr__(self, "id", digest)

    def to_json(self) -> JsonObject:
        """Return what the id is the digest of."""
        messages: list[JsonValue] = [{"role": message.role, "text": message.text} for message in self.messages]
        return {"messages": messages, "decoding": self.decoding.to_json()}


@dataclass(frozen=True)
class Completion:
    """What a model answered.

    Attributes:
        request_id: of the request that it answers.
        text: the answer.
        finish: why it ended: "stop" (the model was done), "length" (cut at `max_tokens`) or a backend's own word.
        prompt_tokens: tokens read, None where the backend does not say.
        completion_tokens: tokens written, None where the backend does not say.
        model: as the backend names it, "" where it does not.
        cached: it was answered in an earlier run and cost nothing in this one.
    """

    STOP: ClassVar[str] = "stop"
    LENGTH: ClassVar[str] = "length"

    request_id: str
    text: str
    finish: str
    prompt_tokens: int | None
    completion_tokens: int | None
    model: str
    cached: bool = False

    def to_json(self) -> JsonObject:
        """Return it as it stands in a journal; `cached` is of the run, not of the answer."""
        return {
            "request": self.request_id,
            "text": self.text,
            "finish": self.finish,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "model": self.model,
        }


_COMPLETION_KEYS = frozenset({"request", "text", "finish", "prompt_tokens", "completion_tokens", "model"})


def read_completion(value: JsonValue, where: str) -> Completion:
    """Read what `Completion.to_json` gave.

    Raises:
        MalformedError: it is no completion.
    """
    fields = as_object(value, where)
    only_keys(fields, _COMPLETION_KEYS, where)
    text, model = fields.get("text"), fields.get("model")
    if not isinstance(text, str) or not isinstance(model, str):
        raise MalformedError(f"{where}: expected text and model to be text")
    return Completion(
        request_id=check_digest(fields.get("request"), f"{where}: request"),
        text=text,
        finish=as_text(fields.get("finish"), f"{where}: finish"),
        prompt_tokens=_count(fields.get("prompt_tokens"), f"{where}: prompt_tokens"),
        completion_tokens=_count(fields.get("completion_tokens"), f"{where}: completion_tokens"),
        model=model,
    )


def _count(value: JsonValue, where: str) -> int | None:
    return None if value is None else as_int(value, where)


class Generate(Protocol):
    """A language model, or whatever stands in for one."""

    def __call__(self, requests: Sequence[Request]) -> Generator[Completion, None, None]:
        """Yield one completion for each different request, in the order in which they are ready.

        Closing the generator gives up what is under way.

        Raises:
            AuzolanError: some could not be answered; those that could were yielded before.
        """
        ...


def in_order(generate: Generate, requests: Sequence[Request]) -> list[Completion]:
    """Return one completion for each request, in the order of the requests; equal ones share theirs.

    Raises:
        MalformedError: the backend left one without an answer, or answered what was not asked.
    """
    different = {request.id: request for request in requests}
    answers: dict[str, Completion] = {}
    with closing(generate(list(different.values()))) as arriving:
        for completion in arriving:
            answers[completion.request_id] = check_asked(completion, different)
    if missing := [request for request in different if request not in answers]:
        raise unanswered(missing[0])
    return [answers[request.id] for request in requests]


def check_asked(completion: Completion, asked: dict[str, Request]) -> Completion:
    """Return `completion` if it answers one of the requests.

    Raises:
        MalformedError: it answers something else.
    """
    if completion.request_id not in asked:
        raise MalformedError(f"the backend answered {completion.request_id[:16]}..., which was not asked")
    return completion


def unanswered(request_id: str) -> MalformedError:
    """Return the error for a backend that ended without answering a request."""
    return MalformedError(f"the backend ended without answering request {request_id[:16]}...")
