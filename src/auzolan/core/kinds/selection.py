"""A noun of `deliberate`: what was selected from a tally, with its certificate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import ClassVar

from auzolan.core.record.canonical import JsonObject, JsonValue, as_int, as_list, as_object, as_text, only_keys
from auzolan.core.record.errors import MalformedError
from auzolan.core.record.record import Record, check_digest

GRADES = ("A", "B")
MAX_CONFLICTS = 1_000  # pairs: each is looked up in all votes


@dataclass(frozen=True)
class Article:
    """One article.

    Attributes:
        statement: id.
        how: by which rule it came in.
        block_margin: how many further disagreeing ballots would end its standing; None where no number would, or
            where it is withheld.
        holds: in how many of 100 resamples of the participants it would keep its support.
        unopposed: in how many of 100 no group would be against it. None where withheld, as `holds`.
        against: groups that are clearly against it all the same, in a people's vote.
    """

    statement: int
    how: str
    block_margin: int | None
    holds: int | None = None
    unopposed: int | None = None
    against: tuple[str, ...] = ()


@dataclass(frozen=True)
class NotIncluded:
    """One statement that is no article.

    Attributes:
        statement: id.
        standing: why not: "eligible" ones were not selected.
        against: groups that contest or block it.
        rival: the statement that it is in conflict with, where that decided.
        admit_margin: how many agreeing ballots it lacks to be eligible; None where none would do.
        holds, unopposed: as of an article.
    """

    statement: int
    standing: str
    against: tuple[str, ...]
    rival: int | None
    admit_margin: int | None
    holds: int | None = None
    unopposed: int | None = None


@dataclass(frozen=True)
class Clause:
    """A view that is acknowledged because its holders are entitled to a seat, though not all agree with it.

    Attributes:
        statement: id.
        reach: what part of a seat its supporters reach, 1 or more.
    """

    statement: int
    reach: Fraction


@dataclass(frozen=True)
class Certificate:
    """Why the selection is proportional.

    Attributes:
        ejr_statement, ejr_level, ejr_ratio: the strongest claim by EJR+; below 1 it holds.
        multipliers: per article, in 2**-20; empty where no core certificate was found.
        strongest: the excluded statement whose supporters come closest to a seat, or who are entitled to one.
        reach: what part of a seat they reach.
    """

    ejr_statement: int | None
    ejr_level: int
    ejr_ratio: Fraction
    multipliers: tuple[int, ...]
    strongest: int | None
    reach: Fraction


@dataclass(frozen=True)
class Outcome:
    """What the rules made of votes; a selection has one, and so has a constitution.

    Attributes:
        grade: of the evidence; "A" where ballots say agree, disagree or pass, "B" where they only approve.
        rules_known: "before" or "after" the votes came in.
        parameters: all of them.
        conflicts: pairs of statements declared to exclude each other.
        articles: in the order of their selection.
        not_included: the others, by id.
        put_to_vote: contested ones that would be articles but for that, in the order in which they would come in.
        clauses: views to be acknowledged; each is not included for another reason.
        certificate: None where nothing could be selected.
    """

    grade: str
    rules_known: str
    parameters: JsonObject
    conflicts: tuple[tuple[int, int], ...]
    articles: tuple[Article, ...]
    not_included: tuple[NotIncluded, ...]
    put_to_vote: tuple[int, ...]
    clauses: tuple[Clause, ...]
    certificate: Certificate | None

    def to_body(self) -> JsonObject:
        """Return its part of a record's body."""
        return {
            "grade": self.grade,
            "rules_known": self.rules_known,
            "parameters": dict(self.parameters),
            "conflicts": [list(pair) for pair in self.conflicts],
            "articles": [_article_json(number, each) for number, each in enumerate(self.articles, 1)],
            "not_included": [_other_json(each) for each in self.not_included],
            "put_to_vote": list(self.put_to_vote),
            "clauses": [{"statement": each.statement, "reach": _written(each.reach)} for each in self.clauses],
            "certificate": None if self.certificate is None else _certificate_json(self.certificate),
        }

    @classmethod
    def from_body(cls, body: JsonObject) -> Outcome:
        """Read it from a record's body.

        Raises:
            MalformedError: a field is missing or of another form.
        """
        said, grade = body.get("certificate"), as_text(body.get("grade"), "grade")
        if grade not in GRADES:
            raise MalformedError(f"grade: expected one of {', '.join(GRADES)}, got {grade[:20]!r}")
        conflicts = [as_list(pair, "conflicts") for pair in as_list(body.get("conflicts"), "conflicts")]
        if len(conflicts) > MAX_CONFLICTS:
            raise MalformedError(f"conflicts: {len(conflicts):,} pairs, at most {MAX_CONFLICTS:,} are read")
        if any(len(pair) != 2 or pair[0] == pair[1] for pair in conflicts):
            raise MalformedError("conflicts: expected pairs of two statements")
        return cls(
            grade=grade,
            rules_known=as_text(body.get("rules_known"), "rules_known"),
            parameters=as_object(body.get("parameters"), "parameters"),
            conflicts=tuple((_id(pair[0]), _id(pair[1])) for pair in conflicts),
            articles=tuple(_article(n, item) for n, item in enumerate(as_list(body.get("articles"), "articles"), 1)),
            not_included=tuple(_other(item) for item in as_list(body.get("not_included"), "not_included")),
            put_to_vote=tuple(_id(item) for item in as_list(body.get("put_to_vote"), "put_to_vote")),
            clauses=tuple(_clause(item) for item in as_list(body.get("clauses"), "clauses")),
            certificate=None if said is None else _certificate(said),
        )


@dataclass(frozen=True)
class Selection:
    """`selection/v1`: statements selected as articles, not yet worded and not yet ratified by the people.

    Attributes:
        tally: id of the tally whose groups were used.
        rules: id of the governance whose parameters were used.
        selected_at: ISO 8601 date, as the signers state it.
        trial: whether the number of seats was another than the rules'.
        outcome: what was selected, and why the rest was not.
    """

    KIND: ClassVar[str] = "selection/v1"
    TALLY: ClassVar[str] = "tally"
    RULES: ClassVar[str] = "rules"

    tally: str
    rules: str
    selected_at: str
    trial: bool
    outcome: Outcome
    links: Mapping[str, str] = field(default_factory=dict)

    def to_record(self) -> Record:
        """Return the record to sign."""
        body: JsonObject = {"selected_at": self.selected_at, "trial": self.trial, **self.outcome.to_body()}
        return Record(self.KIND, body, {self.TALLY: self.tally, self.RULES: self.rules, **self.links})

    @classmethod
    def from_record(cls, record: Record) -> Selection:
        """Read a record of this kind.

        Raises:
            MalformedError: a field is missing or of another form.
        """
        trial = record.body.get("trial")
        if not isinstance(trial, bool):
            raise MalformedError("selection: trial must be true or false")
        others = (name for name in record.links if name not in (cls.TALLY, cls.RULES))
        return cls(
            tally=check_digest(record.links.get(cls.TALLY), "selection: link 'tally'"),
            rules=check_digest(record.links.get(cls.RULES), "selection: link 'rules'"),
            selected_at=as_text(record.body.get("selected_at"), "selection: selected_at"),
            trial=trial,
            outcome=Outcome.from_body(record.body),
            links={name: record.links[name] for name in others},
        )


def _id(value: JsonValue) -> int:
    return as_int(value, "statement")


def _maybe(value: JsonValue, where: str) -> int | None:
    return None if value is None else as_int(value, where)


def _fraction(value: JsonValue, where: str) -> Fraction:
    """Read "num/den", as it is written in lowest terms."""
    text = as_text(value, where)
    parts = text.split("/")
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() and len(part) < 40 for part in parts):
        raise MalformedError(f"{where}: expected a fraction such as 3/4")
    number = Fraction(int(parts[0]), int(parts[1]) or 1)
    if _written(number) != text:
        raise MalformedError(f"{where}: expected a fraction in lowest terms")
    return number


def _written(number: Fraction) -> str:
    return f"{number.numerator}/{number.denominator}"


def _article_json(number: int, article: Article) -> JsonObject:
    return {
        "number": number,
        "statement": article.statement,
        "how": article.how,
        "block_margin": article.block_margin,
        "holds": article.holds,
        "unopposed": article.unopposed,
        "against": list(article.against),
    }


def _other_json(other: NotIncluded) -> JsonObject:
    return {
        "statement": other.statement,
        "standing": other.standing,
        "against": list(other.against),
        "rival": other.rival,
        "admit_margin": other.admit_margin,
        "holds": other.holds,
        "unopposed": other.unopposed,
    }


def _article(number: int, item: JsonValue) -> Article:
    fields = as_object(item, "articles")
    if as_int(fields.get("number"), "articles: number") != number:
        raise MalformedError(f"articles: expected numbers from 1 in order, got {fields.get('number')} for {number}")
    return Article(
        statement=_id(fields.get("statement")),
        how=as_text(fields.get("how"), "articles: how"),
        block_margin=_maybe(fields.get("block_margin"), "articles: block_margin"),
        holds=_of_100(fields.get("holds"), "articles: holds"),
        unopposed=_of_100(fields.get("unopposed"), "articles: unopposed"),
        against=_texts(fields.get("against"), "articles: against"),
    )


def _other(item: JsonValue) -> NotIncluded:
    fields = as_object(item, "not_included")
    return NotIncluded(
        statement=_id(fields.get("statement")),
        standing=as_text(fields.get("standing"), "not_included: standing"),
        against=_texts(fields.get("against"), "not_included: against"),
        rival=_maybe(fields.get("rival"), "not_included: rival"),
        admit_margin=_maybe(fields.get("admit_margin"), "not_included: admit_margin"),
        holds=_of_100(fields.get("holds"), "not_included: holds"),
        unopposed=_of_100(fields.get("unopposed"), "not_included: unopposed"),
    )


def _texts(value: JsonValue, where: str) -> tuple[str, ...]:
    return tuple(as_text(each, where) for each in as_list(value, where))


def _of_100(value: JsonValue, where: str) -> int | None:
    found = _maybe(value, where)
    if found is not None and found > 100:
        raise MalformedError(f"{where}: expected at most 100, got {found}")
    return found


def _clause(item: JsonValue) -> Clause:
    fields = as_object(item, "clauses")
    return Clause(_id(fields.get("statement")), _fraction(fields.get("reach"), "clauses: reach"))


def _certificate_json(certificate: Certificate) -> JsonObject:
    return {
        "ejr_plus": {
            "statement": certificate.ejr_statement,
            "level": certificate.ejr_level,
            "ratio": _written(certificate.ejr_ratio),
        },
        "core": {
            "multipliers_2p20": list(certificate.multipliers),
            "strongest": certificate.strongest,
            "reach": _written(certificate.reach),
        },
    }


def _certificate(value: JsonValue) -> Certificate:
    fields = as_object(value, "certificate")
    only_keys(fields, frozenset({"ejr_plus", "core"}), "certificate")
    ejr, core = as_object(fields.get("ejr_plus"), "ejr_plus"), as_object(fields.get("core"), "core")
    listed = as_list(core.get("multipliers_2p20"), "core: multipliers_2p20")
    return Certificate(
        ejr_statement=_maybe(ejr.get("statement"), "ejr_plus: statement"),
        ejr_level=as_int(ejr.get("level"), "ejr_plus: level", 1),
        ejr_ratio=_fraction(ejr.get("ratio"), "ejr_plus: ratio"),
        multipliers=tuple(as_int(each, "core: multipliers_2p20") for each in listed),
        strongest=_maybe(core.get("strongest"), "core: strongest"),
        reach=_fraction(core.get("reach"), "core: reach"),
    )
