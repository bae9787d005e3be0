"""Nouns of `deliberate`: the wording that is put to the people, and the constitution that they ratify."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from auzolan.core.kinds.selection import Outcome
from auzolan.core.record.canonical import JsonObject, JsonValue, as_int, as_list, as_object, as_text
from auzolan.core.record.errors import MalformedError
from auzolan.core.record.record import Record, check_digest

SUPERSEDES = "supersedes"
_NUMBER = re.compile(r"[1-9][0-9]{0,3}\.[1-9][0-9]{0,3}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


@dataclass(frozen=True)
class Principle:
    """One principle as it is worded.

    Attributes:
        number: `article.principle`, such as "2.1".
        text: what is voted on.
        language: of the text, a BCP 47 tag such as "en".
        transformation: "verbatim" (a statement's own words), "merged" (the words of the first of several statements
            that a person found to say the same) or "reworded".
        editor: who reworded or merged; "" where nobody did.
        statements: ids in the selection's snapshot, the one whose words it has first.
        standing: why it is put to the vote: "selected", "contested" or "acknowledged" (a pluralism clause).
        translations: language -> text, for reading only; nobody votes on them.
    """

    VERBATIM: ClassVar[str] = "verbatim"
    MERGED: ClassVar[str] = "merged"
    REWORDED: ClassVar[str] = "reworded"
    TRANSFORMATIONS: ClassVar[tuple[str, ...]] = ("verbatim", "merged", "reworded")
    SELECTED: ClassVar[str] = "selected"
    CONTESTED: ClassVar[str] = "contested"
    ACKNOWLEDGED: ClassVar[str] = "acknowledged"
    STANDINGS: ClassVar[tuple[str, ...]] = ("selected", "contested", "acknowledged")

    number: str
    text: str
    language: str
    transformation: str
    editor: str
    statements: tuple[int, ...]
    standing: str
    translations: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> JsonObject:
        """Return it as it stands in a record."""
        return {
            "number": self.number,
            "text": self.text,
            "language": self.language,
            "transformation": self.transformation,
            "editor": self.editor,
            "statements": list(self.statements),
            "standing": self.standing,
            "translations": dict(self.translations),
        }


@dataclass(frozen=True)
class LeftOut:
    """A statement that was selected, contested or to be acknowledged, and that nobody will vote on.

    Attributes:
        statement: id in the selection's snapshot.
        reason: why, in plain words.
        editor: who decided.
    """

    statement: int
    reason: str
    editor: str


@dataclass(frozen=True)
class Draft:
    """`draft/v1`: the wording of articles, fixed before the people vote on it.

    Attributes:
        selection: id of the selection whose statements are worded.
        title: of the constitution.
        drafted_at: ISO 8601 date, as the signers state it.
        principles: in the order of their numbers.
        left_out: statements of the selection that stand in no principle, by id.
    """

    KIND: ClassVar[str] = "draft/v1"
    SELECTION: ClassVar[str] = "selection"

    selection: str
    title: str
    drafted_at: str
    principles: tuple[Principle, ...]
    left_out: tuple[LeftOut, ...] = ()

    def to_record(self) -> Record:
        """Return the record to sign."""
        body: JsonObject = {
            "title": self.title,
            "drafted_at": self.drafted_at,
            "principles": [each.to_json() for each in self.principles],
            "left_out": [
                {"statement": each.statement, "reason": each.reason, "editor": each.editor} for each in self.left_out
            ],
        }
        return Record(self.KIND, body, {self.SELECTION: self.selection})

    @classmethod
    def from_record(cls, record: Record) -> Draft:
        """Read a record of this kind.

        Raises:
            MalformedError: a field is missing or of another form.
        """
        return cls(
            selection=check_digest(record.links.get(cls.SELECTION), "draft: link 'selection'"),
            title=as_text(record.body.get("title"), "draft: title"),
            drafted_at=as_text(record.body.get("drafted_at"), "draft: drafted_at"),
            principles=_principles(record.body.get("principles")),
            left_out=tuple(_left_out(item) for item in as_list(record.body.get("left_out"), "draft: left_out")),
        )


@dataclass(frozen=True)
class Constitution:
    """`constitution/v1`: what the people ratified, principle by principle, and by whose votes.

    Attributes:
        draft: id of the wording that was voted on.
        tally: id of the tally of that vote.
        rules: id of the governance whose parameters were used.
        supersedes: id of the constitution that this one replaces, or None.
        title: as in the draft.
        ratified_at: ISO 8601 date, as the signers state it.
        principles: all that were voted on, as in the draft; which of them are ratified the outcome says.
        voted_as: number of a principle -> id of its statement in the vote's snapshot.
        outcome: of the vote; its articles are ratified, its clauses acknowledged. Statements by their id in the vote.
    """

    KIND: ClassVar[str] = "constitution/v1"
    DRAFT: ClassVar[str] = "draft"
    TALLY: ClassVar[str] = "tally"
    RULES: ClassVar[str] = "rules"

    draft: str
    tally: str
    rules: str
    title: str
    ratified_at: str
    principles: tuple[Principle, ...]
    voted_as: Mapping[str, int]
    outcome: Outcome
    supersedes: str | None = None

    @property
    def ratified(self) -> tuple[Principle, ...]:
        """The principles that the people ratified, by number."""
        return self._among({each.statement for each in self.outcome.articles})

    @property
    def acknowledged(self) -> tuple[Principle, ...]:
        """The principles that are acknowledged as the view of some, by number."""
        return self._among({each.statement for each in self.outcome.clauses})

    def _among(self, statements: set[int]) -> tuple[Principle, ...]:
        return tuple(each for each in self.principles if self.voted_as[each.number] in statements)

    def to_record(self) -> Record:
        """Return the record to sign."""
        body: JsonObject = {
            "title": self.title,
            "ratified_at": self.ratified_at,
            "principles": [each.to_json() for each in self.principles],
            "voted_as": dict(self.voted_as),
            **self.outcome.to_body(),
        }
        links = {self.DRAFT: self.draft, self.TALLY: self.tally, self.RULES: self.rules}
        return Record(self.KIND, body, links | ({SUPERSEDES: self.supersedes} if self.supersedes else {}))

    @classmethod
    def from_record(cls, record: Record) -> Constitution:
        """Read a record of this kind.

        Raises:
            MalformedError: a field is missing or of another form.
        """
        principles = _principles(record.body.get("principles"))
        voted = as_object(record.body.get("voted_as"), "constitution: voted_as")
        voted_as = {number: as_int(statement, "constitution: voted_as") for number, statement in voted.items()}
        numbers = {each.number for each in principles}
        if set(voted_as) != numbers or len(set(voted_as.values())) != len(numbers):
            raise MalformedError("constitution: voted_as must name one statement of the vote per principle")
        return cls(
            draft=check_digest(record.links.get(cls.DRAFT), "constitution: link 'draft'"),
            tally=check_digest(record.links.get(cls.TALLY), "constitution: link 'tally'"),
            rules=check_digest(record.links.get(cls.RULES), "constitution: link 'rules'"),
            title=as_text(record.body.get("title"), "constitution: title"),
            ratified_at=as_text(record.body.get("ratified_at"), "constitution: ratified_at"),
            principles=principles,
            voted_as=voted_as,
            outcome=Outcome.from_body(record.body),
            supersedes=record.links.get(SUPERSEDES),
        )


def place_of(number: str) -> tuple[int, int]:
    """Return the parts of a number, to sort by.

    Raises:
        MalformedError: it is not `article.principle`.
    """
    if not _NUMBER.fullmatch(number):
        raise MalformedError(f"principle: expected a number such as 2.1, got {number[:20]!r}")
    article, principle = number.split(".")
    return int(article), int(principle)


def check_language(tag: str, where: str) -> str:
    """Return a language tag.

    Raises:
        MalformedError: it has not the form of one (BCP 47).
    """
    if not _LANGUAGE.fullmatch(tag):
        raise MalformedError(f"{where}: expected a language tag such as 'en', got {tag[:20]!r}")
    return tag


def _principles(value: JsonValue) -> tuple[Principle, ...]:
    found = tuple(_principle(item) for item in as_list(value, "principles"))
    places = [place_of(each.number) for each in found]
    if places != sorted(set(places)):
        raise MalformedError("principles: expected numbers that ascend, each once")
    _refuse_twice([statement for each in found for statement in each.statements])
    return found


def _left_out(item: JsonValue) -> LeftOut:
    fields = as_object(item, "draft: left_out")
    return LeftOut(
        statement=as_int(fields.get("statement"), "draft: left_out: statement"),
        reason=as_text(fields.get("reason"), "draft: left_out: reason"),
        editor=as_text(fields.get("editor"), "draft: left_out: editor"),
    )


def _refuse_twice(statements: Sequence[int]) -> None:
    if len(set(statements)) != len(statements):
        raise MalformedError("principles: a statement stands in two principles")


def _principle(item: JsonValue) -> Principle:
    fields = as_object(item, "principles")
    transformation = as_text(fields.get("transformation"), "principle: transformation")
    if transformation not in Principle.TRANSFORMATIONS:
        raise MalformedError(f"principle: transformation must be one of {', '.join(Principle.TRANSFORMATIONS)}")
    standing = as_text(fields.get("standing"), "principle: standing")
    if standing not in Principle.STANDINGS:
        raise MalformedError(f"principle: standing must be one of {', '.join(Principle.STANDINGS)}")
    editor, translations = fields.get("editor"), as_object(fields.get("translations"), "principle: translations")
    if not isinstance(editor, str) or (not editor and transformation != Principle.VERBATIM):
        raise MalformedError(f"principle: {transformation} by whom must be said under editor")
    statements = tuple(
        as_int(each, "principle: statements") for each in as_list(fields.get("statements"), "statements")
    )
    if not statements:
        raise MalformedError("principle: expected at least one statement that it rests on")
    return Principle(
        number=as_text(fields.get("number"), "principle: number"),
        text=as_text(fields.get("text"), "principle: text"),
        language=check_language(as_text(fields.get("language"), "principle: language"), "principle: language"),
        transformation=transformation,
        editor=editor,
        statements=statements,
        standing=standing,
        translations={
            check_language(language, "principle: translations"): as_text(text, "principle: translations")
            for language, text in translations.items()
        },
    )
