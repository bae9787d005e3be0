"""A noun of `run`: what a service said to one request, as far as its log may know it.

No user, address, session or text stands in it, and no length or count of
tokens, by which the turns of one conversation could be put in a row. Two of
its digests are keyed with a nonce that only whoever asked has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from auzolan.core.kinds.dataset import check_each_once, maybe_text
from auzolan.core.record.canonical import JsonObject, JsonValue, as_int, as_list, as_object, as_text
from auzolan.core.record.errors import MalformedError
from auzolan.core.record.record import Record, check_digest

TIME_STEP_S = 600
"""Times are rounded down to ten minutes: a finer one would tell whose answers follow each other."""


@dataclass(frozen=True)
class Fired:
    """A rule that matched.

    Attributes:
        rule: its name.
        effect: what it does: "allow", "deny", "redact" or "warn".
        article: number of the article that it is of, or an id of the rights floor, or "".
    """

    rule: str
    effect: str
    article: str

    def to_json(self) -> JsonObject:
        """Return it as it stands in a record."""
        return {"rule": self.rule, "effect": self.effect, "article": self.article}


@dataclass(frozen=True)
class Engine:
    """What ran the model.

    Attributes:
        name: such as "xllamacpp", or the kind of a backend.
        version: as it says, "" where it does not.
        digest: SHA-256 of its program, "" where it cannot be known.
        sandbox: "bubblewrap", "none", or "elsewhere" for a backend by address.
    """

    SANDBOXES: ClassVar[tuple[str, ...]] = ("bubblewrap", "none", "elsewhere")

    name: str
    version: str
    digest: str
    sandbox: str

    def to_json(self) -> JsonObject:
        """Return it as it stands in a record."""
        return {"name": self.name, "version": self.version, "digest": self.digest, "sandbox": self.sandbox}


@dataclass(frozen=True)
class Answer:
    """`answer/v1`: that a service gave this answer, under these rules, with these files loaded.

    Attributes:
        service: id of the service.
        constitution: id of the constitution in force for it.
        rules: id of the runtime policy that decided.
        adapters: ids of the adapters that took part, in their order; none where the model answered without them.
        answered_at: POSIX seconds, rounded down to `TIME_STEP_S`.
        request: HMAC-SHA-256 of what was asked, keyed with the nonce (`auzolan.run.answers.seal`).
        response: HMAC-SHA-256 of what was really sent, likewise.
        outcome: "answered", "refused" (nothing was asked of the model), "cut" (a rule ended or withheld the answer),
            "left" (the client went before the end) or "failed" (the engine broke off).
        fired: rules that matched, in their order.
        integrity: "verified" (the files were hashed here before the engine saw them), "claimed" (the backend named
            digests that fit) or "unverified".
        loaded: name -> digest, of what was loaded: "weights", "tokenizer", "chat_template", "config", "adapter.1" ...
        engine: what ran it.
        log_size: entries of the community's log that the runtime knew.
        log_age_s: seconds from the newest cosignature of it until `answered_at`, 0 where it is later, rounded down to
            `TIME_STEP_S`; None where it has none. Counted until that time, it tells no more of the true one.
        overrides: safeguards that the operator turned off, by name.
    """

    KIND: ClassVar[str] = "answer/v1"
    SERVICE: ClassVar[str] = "service"
    CONSTITUTION: ClassVar[str] = "constitution"
    RULES: ClassVar[str] = "rules"
    ADAPTER: ClassVar[str] = "adapter."
    OUTCOMES: ClassVar[tuple[str, ...]] = ("answered", "refused", "cut", "left", "failed")
    INTEGRITY: ClassVar[tuple[str, ...]] = ("verified", "claimed", "unverified")
    EFFECTS: ClassVar[tuple[str, ...]] = ("allow", "deny", "redact", "warn")

    service: str
    constitution: str
    rules: str
    adapters: tuple[str, ...]
    answered_at: int
    request: str
    response: str
    outcome: str
    fired: tuple[Fired, ...]
    integrity: str
    loaded: Mapping[str, str]
    engine: Engine
    log_size: int
    log_age_s: int | None
    overrides: tuple[str, ...] = field(default=())

    def to_record(self) -> Record:
        """Return the record to sign."""
        body: JsonObject = {
            "answered_at": self.answered_at,
            "request": self.request,
            "response": self.response,
            "outcome": self.outcome,
            "fired": [each.to_json() for each in self.fired],
            "integrity": self.integrity,
            "loaded": dict(self.loaded),
            "engine": self.engine.to_json(),
            "log_size": self.log_size,
            "log_age_s": self.log_age_s,
            "overrides": list(self.overrides),
        }
        links = {self.SERVICE: self.service, self.CONSTITUTION: self.constitution, self.RULES: self.rules}
        links |= {f"{self.ADAPTER}{place}": each for place, each in enumerate(self.adapters, 1)}
        return Record(self.KIND, body, links)

    @classmethod
    def from_record(cls, record: Record) -> Answer:
        """Read a record of this kind.

        Raises:
            MalformedError: a field is missing or of another form.
        """
        body, links = record.body, record.links
        return cls(
            service=check_digest(links.get(cls.SERVICE), "answer: link 'service'"),
            constitution=check_digest(links.get(cls.CONSTITUTION), "answer: link 'constitution'"),
            rules=check_digest(links.get(cls.RULES), "answer: link 'rules'"),
            adapters=_adapters(links),
            answered_at=_rounded(body.get("answered_at"), "answer: answered_at"),
            request=check_digest(body.get("request"), "answer: request"),
            response=check_digest(body.get("response"), "answer: response"),
            outcome=_one_of(body.get("outcome"), cls.OUTCOMES, "answer: outcome"),
            fired=tuple(_fired(item) for item in as_list(body.get("fired"), "answer: fired")),
            integrity=_one_of(body.get("integrity"), cls.INTEGRITY, "answer: integrity"),
            loaded={
                name: check_digest(digest, f"answer: loaded: {name}")
                for name, digest in as_object(body.get("loaded"), "answer: loaded").items()
            },
            engine=_engine(body.get("engine")),
            log_size=as_int(body.get("log_size"), "answer: log_size"),
            log_age_s=_age(body),
            overrides=tuple(
                as_text(each, "answer: overrides") for each in as_list(body.get("overrides"), "answer: overrides")
            ),
        )


def _adapters(links: Mapping[str, str]) -> tuple[str, ...]:
    """Return the adapters, whose links are numbered from 1 without gaps."""
    n_named = sum(name.startswith(Answer.ADAPTER) for name in links)
    wanted = [f"{Answer.ADAPTER}{place}" for place in range(1, n_named + 1)]
    found = tuple(check_digest(links.get(name), f"answer: link '{name}'") for name in wanted)
    check_each_once(found, "answer: adapters")
    return found


def _rounded(value: JsonValue, where: str) -> int:
    seconds = as_int(value, where)
    if seconds % TIME_STEP_S:
        raise MalformedError(f"{where} must be rounded down to {TIME_STEP_S} seconds")
    return seconds


def _age(body: JsonObject) -> int | None:
    unwitnessed = "log_age_s" in body and body["log_age_s"] is None
    return None if unwitnessed else _rounded(body.get("log_age_s"), "answer: log_age_s")


def _one_of(value: JsonValue, allowed: tuple[str, ...], where: str) -> str:
    text = as_text(value, where)
    if text not in allowed:
        raise MalformedError(f"{where}: expected one of {', '.join(allowed)}, got {text[:20]!r}")
    return text


def _fired(item: JsonValue) -> Fired:
    fields = as_object(item, "answer: fired")
    return Fired(
        rule=as_text(fields.get("rule"), "answer: fired: rule"),
        effect=_one_of(fields.get("effect"), Answer.EFFECTS, "answer: fired: effect"),
        article=maybe_text(fields.get("article"), "answer: fired: article"),
    )


def _engine(value: JsonValue) -> Engine:
    fields = as_object(value, "answer: engine")
    digest = maybe_text(fields.get("digest"), "answer: engine: digest")
    return Engine(
        name=as_text(fields.get("name"), "answer: engine: name"),
        version=maybe_text(fields.get("version"), "answer: engine: version"),
        digest=check_digest(digest, "answer: engine: digest") if digest else "",
        sandbox=_one_of(fields.get("sandbox"), Engine.SANDBOXES, "answer: engine: sandbox"),
    )
