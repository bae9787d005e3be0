"""What a model is asked, and what came of it: `Item` and `Result`, with one sequence of bytes each.

An item's id is the SHA-256 of its canonical JSON: who changes a word has another item. Nothing here holds a float,
so both may be signed. What the answers may look like is not decided here; see `scorers`.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from auzolan.core.record.canonical import (
    JsonObject,
    JsonValue,
    as_list,
    as_object,
    as_text,
    canonical_bytes,
    only_keys,
)
from auzolan.core.record.errors import MalformedError

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


@dataclass(frozen=True)
class Turn:
    """One turn of a conversation.

    Attributes:
        role: one of `ROLES`.
        text: what was said.
    """

    ROLES: ClassVar[tuple[str, ...]] = ("system", "user", "assistant")

    role: str
    text: str

    def __post_init__(self) -> None:
        if self.role not in self.ROLES:
            raise MalformedError(f"turn: expected a role of {', '.join(self.ROLES)}, got {self.role[:40]!r}")
        if not self.text.strip():
            raise MalformedError("turn: expected some text")


@dataclass(frozen=True)
class Choice:
    """One of the answers that a multiple-choice item offers.

    Attributes:
        text: as the model reads it.
        is_right: whether it is the right one.
        tags: such as "unknown" or "stereotype".
    """

    text: str
    is_right: bool
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Origin:
    """Where an item comes from, and on what terms.

    Attributes:
        name: of the set, such as "xstest".
        licence: SPDX identifier, or the terms in words.
        source: where it was published.
    """

    name: str
    licence: str
    source: str


@dataclass(frozen=True)
class Item:
    """One thing to ask a model.

    Attributes:
        scenario: items of one scenario (one template, one translation, one story) rise and fall together; the unit
            of splits and of intervals.
        language: of the prompt, a BCP 47 tag.
        turns: the conversation so far; the last one is the user's.
        applies: ids of the articles that the answer must follow, sorted.
        near_misses: ids of articles that look as if they applied and must not be, sorted.
        facts: what the answer must contain, in the words of the language.
        choices: what is offered, in a multiple-choice item; else none.
        tags: in what groups it is reported, sorted, such as "category:Age".
        origin: of items from elsewhere.
    """

    scenario: str
    language: str
    turns: tuple[Turn, ...]
    applies: tuple[str, ...] = ()
    near_misses: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()
    tags: tuple[str, ...] = ()
    origin: Origin | None = None

    def __post_init__(self) -> None:
        if not self.scenario or not _LANGUAGE.fullmatch(self.language):
            raise MalformedError(f"item: expected a scenario and a language tag, got {self.language[:40]!r}")
        if not self.turns or self.turns[-1].role != "user":
            raise MalformedError("item: the last turn must be the user's")
        for name, values in (("applies", self.applies), ("near_misses", self.near_misses), ("tags", self.tags)):
            if list(values) != sorted(set(values)) or "" in values:
                raise MalformedError(f"item: {name} must be sorted, each once, none empty")
        if set(self.applies) & set(self.near_misses):
            raise MalformedError("item: an article both applies and must not be applied")
        if self.choices and (len(self.choices) < 2 or not any(choice.is_right for choice in self.choices)):
            raise MalformedError("item: choices need at least two, one of them right")

    @functools.cached_property
    def id(self) -> str:
        """SHA-256 of the canonical bytes."""
        return hashlib.sha256(canonical_bytes(self.to_json())).hexdigest()

    @property
    def prompt(self) -> str:
        """The text of the last turn."""
        return self.turns[-1].text

    def to_json(self) -> JsonObject:
        """Return it as it stands in a record; the id is not part of it."""
        origin = self.origin
        return {
            "scenario": self.scenario,
            "language": self.language,
            "turns": [{"role": turn.role, "text": turn.text} for turn in self.turns],
            "applies": list(self.applies),
            "near_misses": list(self.near_misses),
            "facts": list(self.facts),
            "choices": [
                {"text": each.text, "is_right": each.is_right, "tags": list(each.tags)} for each in self.choices
            ],
            "tags": list(self.tags),
            "origin": {"name": origin.name, "licence": origin.licence, "source": origin.source} if origin else None,
        }

    @classmethod
    def from_json(cls, value: JsonValue, where: str = "item") -> Item:
        """Read an item.

        Raises:
            MalformedError: a field is missing, unknown or of another form; the message begins with `where`.
        """
        body = as_object(value, where)
        only_keys(body, _ITEM_KEYS, where)
        try:
            return cls(
                scenario=as_text(body.get("scenario"), "scenario"),
                language=as_text(body.get("language"), "language"),
                turns=tuple(_turn(each) for each in as_list(body.get("turns"), "turns")),
                applies=_texts(body.get("applies"), "applies"),
                near_misses=_texts(body.get("near_misses"), "near_misses"),
                facts=_texts(body.get("facts"), "facts"),
                choices=tuple(_choice(each) for each in as_list(body.get("choices"), "choices")),
                tags=_texts(body.get("tags"), "tags"),
                origin=_origin(body.get("origin")),
            )
        except MalformedError as error:
            raise MalformedError(f"{where}: {error}") from None


@dataclass(frozen=True)
class Finding:
    """What one scorer says of one answer.

    Attributes:
        scorer: name of the check or of the judge.
        article: id of the article, or "" where it is about the answer as such ("facts kept", "language kept").
        outcome: "met", "failed", or "undecided" (a judge of two minds, a check that does not fit the answer).
    """

    MET: ClassVar[str] = "met"
    FAILED: ClassVar[str] = "failed"
    UNDECIDED: ClassVar[str] = "undecided"
    OUTCOMES: ClassVar[tuple[str, ...]] = ("met", "failed", "undecided")

    scorer: str
    article: str
    outcome: str

    def __post_init__(self) -> None:
        if not self.scorer or self.outcome not in self.OUTCOMES:
            raise MalformedError("finding: expected a scorer's name and met, failed or undecided")


@dataclass(frozen=True)
class Result:
    """What a model answered to an item, and what was found in it.

    Attributes:
        item: id of the item.
        model: digest of what answered.
        answer: its text, or None where no answer came; that is not an empty answer, and it is no success.
        findings: in the order in which they were made.
    """

    item: str
    model: str
    answer: str | None
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        if not self.item or not self.model:
            raise MalformedError("result: expected the id of an item and the digest of a model")
        if self.answer is None and self.findings:
            raise MalformedError("result: nothing can be found in an answer that never came")

    def to_json(self) -> JsonObject:
        """Return it as it stands in a record."""
        return {
            "item": self.item,
            "model": self.model,
            "answer": self.answer,
            "findings": [
                {"scorer": each.scorer, "article": each.article, "outcome": each.outcome} for each in self.findings
            ],
        }

    @classmethod
    def from_json(cls, value: JsonValue, where: str = "result") -> Result:
        """Read a result.

        Raises:
            MalformedError: a field is missing, unknown or of another form.
        """
        body = as_object(value, where)
        only_keys(body, frozenset({"item", "model", "answer", "findings"}), where)
        answer = body.get("answer")
        if answer is not None and not isinstance(answer, str):
            raise MalformedError(f"{where}: answer: expected text or null")
        return cls(
            item=as_text(body.get("item"), f"{where}: item"),
            model=as_text(body.get("model"), f"{where}: model"),
            answer=answer,
            findings=tuple(_finding(each, where) for each in as_list(body.get("findings"), f"{where}: findings")),
        )


_ITEM_KEYS = frozenset(
    {"scenario", "language", "turns", "applies", "near_misses", "facts", "choices", "tags", "origin"}
)


def items_digest(items: Sequence[Item]) -> str:
    """Return the SHA-256 of the items' ids, whatever their order: names a set of items in a plan or a report."""
    ids: list[JsonValue] = [*sorted(item.id for item in items)]
    return hashlib.sha256(canonical_bytes(ids)).hexdigest()


def _texts(value: JsonValue, where: str) -> tuple[str, ...]:
    return tuple(as_text(each, where) for each in as_list(value, where))


def _turn(value: JsonValue) -> Turn:
    body = as_object(value, "turn")
    only_keys(body, frozenset({"role", "text"}), "turn")
    return Turn(as_text(body.get("role"), "turn: role"), as_text(body.get("text"), "turn: text"))


def _choice(value: JsonValue) -> Choice:
    body = as_object(value, "choice")
    only_keys(body, frozenset({"text", "is_right", "tags"}), "choice")
    is_right = body.get("is_right")
    if not isinstance(is_right, bool):
        raise MalformedError("choice: is_right: expected true or false")
    return Choice(as_text(body.get("text"), "choice: text"), is_right, _texts(body.get("tags"), "choice: tags"))


def _origin(value: JsonValue) -> Origin | None:
    if value is None:
        return None
    body = as_object(value, "origin")
    only_keys(body, frozenset({"name", "licence", "source"}), "origin")
    name, licence, source = (as_text(body.get(key), f"origin: {key}") for key in ("name", "licence", "source"))
    return Origin(name, licence, source)


def _finding(value: JsonValue, where: str) -> Finding:
    body = as_object(value, f"{where}: finding")
    only_keys(body, frozenset({"scorer", "article", "outcome"}), f"{where}: finding")
    article = body.get("article")
    if not isinstance(article, str):
        raise MalformedError(f"{where}: finding: article: expected text")
    scorer, outcome = as_text(body.get("scorer"), f"{where}: scorer"), as_text(body.get("outcome"), f"{where}: outcome")
    return Finding(scorer, article, outcome)
