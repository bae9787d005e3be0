"""All that one gateway has open while it serves one service, and what it knows of its own state.

Made once at start by whoever admitted the files. Requests read it; the fields
that change say who changes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, Protocol

from auzolan.core.kinds.answer import Answer
from auzolan.core.kinds.run import Service
from auzolan.core.record.checkpoint import Checkpoint
from auzolan.core.record.errors import MissingError
from auzolan.run.answers.contents import Contents
from auzolan.run.answers.log import AnswerLog
from auzolan.run.answers.seal import Sealer
from auzolan.run.checks.scan import Scanner
from auzolan.run.engine.field_values import WireObject
from auzolan.run.engine.parameters import Limits
from auzolan.run.engine.turns import Turns
from auzolan.run.engine.upstream import Upstream
from auzolan.run.gateway.chance import Chance
from auzolan.run.gateway.door import Door
from auzolan.run.rules.decide import Rulebook
from auzolan.run.rules.facts import ANSWER

FRESH, STALE, UNWITNESSED = "fresh", "stale", "unwitnessed"


@dataclass(frozen=True)
class Variant:
    """One model as clients name it: the base with the service's adapters, or with none.

    Attributes:
        name: as clients name it.
        adapters: ids of the adapters that take part.
    """

    name: str
    adapters: tuple[str, ...]

    @cached_property
    def adapter_set(self) -> frozenset[str]:
        """The adapters without their order."""
        return frozenset(self.adapters)


class LogView(NamedTuple):
    """How current this runtime's copy of the community's log is.

    Attributes:
        size: entries.
        cosigned_at: POSIX seconds of the newest cosignature, None where it has none.
        max_age_s: after which the governance calls it stale, None where it does not say.
    """

    size: int
    cosigned_at: int | None
    max_age_s: int | None

    def standing(self, now: float) -> str:
        """Return "fresh", "stale" or "unwitnessed"."""
        if self.cosigned_at is None:
            return UNWITNESSED
        return STALE if self.max_age_s is not None and now - self.cosigned_at > self.max_age_s else FRESH


def lowered(integrity: str) -> str:
    """Return the next lower level of integrity."""
    levels = Answer.INTEGRITY
    return levels[min(levels.index(integrity) + 1, len(levels) - 1)]


def integrity_of(loaded_as: str, log_view: str) -> str:
    """Return the integrity of an answer: that of what was loaded, one level less under a stale view of the log."""
    return lowered(loaded_as) if log_view == STALE else loaded_as


class JudgeCall(Protocol):
    """Asks a judge model."""

    async def __call__(self, messages: list[dict[str, str]]) -> str | None:
        """Return its reply, or None if none came."""
        ...


class Ask(Protocol):
    """Posts a request to whatever answers."""

    def __call__(self, body: WireObject) -> AbstractAsyncContextManager[Reply]:
        """Return a context with the reply; leaving it early breaks the connection off, so that the engine stops."""
        ...


class Reply(Protocol):
    """An HTTP reply that is read as it comes (aiohttp's)."""

    @property
    def status(self) -> int:
        """HTTP status."""
        ...

    @property
    def content_length(self) -> int | None:
        """How many bytes it says that it has."""
        ...

    async def read(self) -> bytes:
        """Return all of it."""
        ...

    @property
    def content(self) -> Any:  # noqa: ANN401  # aiohttp's stream, of which only `iter_any` is used
        """The stream."""
        ...


@dataclass
class House:
    """Everything that is open.

    Attributes:
        service, service_id: what is served.
        door: who may come in.
        rulebook: what is allowed.
        scanner: what is looked for.
        specials: tokens of the chat template, which no user may write.
        variants: models by the name that clients use.
        sealers: sign what is answered, by the integrity that they say.
        loaded_as: integrity of what was loaded: "verified", "claimed" or "unverified".
        tools: that a request may offer to the model.
        refusals: how refusals begin, in every language.
        language_of: tells a text's language, "" where it cannot be told.
        rules_ask_language: whether any rule does.
        upstream: gives where requests go now; raises NotReadyError while the engine is not up.
        ask: posts to it.
        log: of answers.
        contents: keeps texts where the operator turned that on, else None.
        turns: who is asked next.
        limits: of requests.
        judge: None where no judge is configured.
        clock: POSIX seconds.
        log_view: replaced by the keeper.
        anchors: checkpoints of this log that the community's log holds, by size; replaced by the keeper.
        superseded_by: id of the record by which the service was declared anew, "" for none; set by the keeper.
        overrides: safeguards that the operator turned off.
        chance: gives nonces.
        reasons: why no answers are given, by what found it; empty while they are. Set by the keeper, and by an append
            that failed.
    """

    service: Service
    service_id: str
    door: Door
    rulebook: Rulebook
    scanner: Scanner
    specials: tuple[str, ...]
    variants: Mapping[str, Variant]
    sealers: Mapping[str, Sealer]
    loaded_as: str
    tools: frozenset[str]
    refusals: tuple[str, ...]
    language_of: Callable[[str], str]
    rules_ask_language: bool
    upstream: Callable[[], Upstream]
    ask: Ask
    log: AnswerLog
    contents: Contents | None
    turns: Turns
    limits: Limits
    judge: JudgeCall | None
    clock: Callable[[], float]
    log_view: LogView
    anchors: tuple[Checkpoint, ...] = ()
    superseded_by: str = ""
    overrides: tuple[str, ...] = ()
    reasons: dict[str, str] = field(default_factory=dict)
    chance: Chance = field(default_factory=Chance)

    def integrity(self, now: float) -> str:
        """Return the integrity of an answer given now: a stale view of the log takes one level off."""
        return integrity_of(self.loaded_as, self.log_view.standing(now))

    def proof(self, answer: str) -> bytes:
        """Return the proof that an answer is logged, to the first anchored checkpoint that covers it, else the newest.

        Raises:
            MissingError: there is no such answer, or it waits for the next batch.
        """
        for anchor in self.anchors:
            with suppress(MissingError):  # logged after this one
                return self.log.proof(answer, anchor)
        return self.log.proof(answer)

    @cached_property
    def judges_answers(self) -> bool:
        """Whether the rules name a judge for answers."""
        return any(ANSWER in judge.sides for judge in self.rulebook.rules.judges)

    @property
    def closed(self) -> str:
        """Why no answers are given, "" while they are."""
        return next(iter(self.reasons.values()), "")
