"""A noun of `deliberate`: what was selected from a tally, with its certificate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import ClassVar

from auzolan.core.record.canonical import JsonObject, JsonValue, as_int, as_list, as_object, as_text, only_keys
from auzolan.core.record.errors import MalformedError
from auzolan.core.record.record import Record, check_digest


@dataclass(frozen=True)
class SelectedArticle:
    """One article: the statement, by which rule it came in, and how many disagreeing ballots would end its standing."""

    statement: int
    how: str
    block_margin: int | None


@dataclass(frozen=True)
class NotIncluded:
    """One statement that is no article.

    Attributes:
        statement: id.
        standing: why not: "eligible" ones were not selected.
        against: groups that contest or block it.
        rival: the statement that it is in conflict with, where that decided.
        admit_margin: how many agreeing ballots it lacks to be eligible; None where none would do.
    """

    statement: int
    standing: str
    against: tuple[str, ...]
    rival: int | None
    admit_margin: int | None


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
class Selection:
    """`selection/v1`: statements selected as articles, not yet worded and not yet ratified by the people.

    Attributes:
        tally: id of the tally whose groups were used.
        rules: id of the governance whose parameters were used.
        selected_at: ISO 8601 date, as the signers state it.
        grade: "A" where ballots say agree, disagree or pass.
        trial: whether the number of seats was another than the rules'.
        rules_known: "before" or "after" the votes came in.
        parameters: all of them.
        conflicts: pairs of statements declared to exclude each other.
        articles: in the order of their selection.
        not_included: the others, by id.
        certificate: None where nothing could be selected.
    """

    KIND: ClassVar[str] = "selection/v1"
    TALLY: ClassVar[str] = "tally"
    RULES: ClassVar[str] = "rules"

    tally: str
    rules: str
    selected_at: str
    grade: str
    trial: bool
    rules_known: str
    parameters: JsonObject
    conflicts: tuple[tuple[int, int], ...]
    articles: tuple[SelectedArticle, ...]
    not_included: tuple[NotIncluded, ...]
    certificate: Certificate | None
    links: Mapping[str, str] = field(default_factory=dict)

    def to_record(self) -> Record:
        """Return the record to sign."""
        articles: list[JsonValue] = [
            {"number": number, "statement": each.statement, "how": each.how, "block_margin": each.block_margin}
            for number, each in enumerate(self.articles, 1)
        ]
        others: list[JsonValue] = [
            {
                "statement": each.statement,
                "standing": each.standing,
                "against": list(each.against),
                "rival": each.rival,
                "admit_margin": each.admit_margin,
            }
            for each in self.not_included
        ]
        body: JsonObject = {
            "selected_at": self.selected_at,
            "grade": self.grade,
            "trial": self.trial,
            "rules_known": self.rules_known,
            "parameters": dict(self.parameters),
            "conflicts": [list(pair) for pair in self.conflicts],
            "articles": articles,
            "not_included": others,
            "certificate": None if self.certificate is None else _certificate_json(self.certificate),
        }
        return Record(self.KIND, body, {self.TALLY: self.tally, self.RULES: self.rules, **self.links})

    @classmethod
    def from_record(cls, record: Record) -> Selection:
        """Read a record of this kind.

        Raises:
            MalformedError: a field is missing or of another form.
        """
        body = record.body
        trial, said = body.get("trial"), body.get("certificate")
        if not isinstance(trial, bool):
            raise MalformedError("selection: trial must be true or false")
        conflicts = [
            as_list(pair, "selection: conflicts") for pair in as_list(body.get("conflicts"), "selection: conflicts")
        ]
        if any(len(pair) != 2 for pair in conflicts):
            raise MalformedError("selection: conflicts are pairs of statements")
        others = (name for name in record.links if name not in (cls.TALLY, cls.RULES))
        return cls(
            tally=check_digest(record.links.get(cls.TALLY), "selection: link 'tally'"),
            rules=check_digest(record.links.get(cls.RULES), "selection: link 'rules'"),
            selected_at=as_text(body.get("selected_at"), "selection: selected_at"),
            grade=as_text(body.get("grade"), "selection: grade"),
            trial=trial,
            rules_known=as_text(body.get("rules_known"), "selection: rules_known"),
            parameters=as_object(body.get("parameters"), "selection: parameters"),
            conflicts=tuple((_id(pair[0]), _id(pair[1])) for pair in conflicts),
            articles=tuple(_article(item) for item in as_list(body.get("articles"), "selection: articles")),
            not_included=tuple(_other(item) for item in as_list(body.get("not_included"), "selection: not_included")),
            certificate=None if said is None else _certificate(said),
            links={name: record.links[name] for name in others},
        )


def _id(value: JsonValue) -> int:
    return as_int(value, "selection: statement")


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


def _article(item: JsonValue) -> SelectedArticle:
    fields = as_object(item, "selection: articles")
    margin = _maybe(fields.get("block_margin"), "selection: block_margin")
    return SelectedArticle(_id(fields.get("statement")), as_text(fields.get("how"), "selection: how"), margin)


def _other(item: JsonValue) -> NotIncluded:
    fields = as_object(item, "selection: not_included")
    against = as_list(fields.get("against"), "selection: against")
    return NotIncluded(
        statement=_id(fields.get("statement")),
        standing=as_text(fields.get("standing"), "selection: standing"),
        against=tuple(as_text(name, "selection: against") for name in against),
        rival=_maybe(fields.get("rival"), "selection: rival"),
        admit_margin=_maybe(fields.get("admit_margin"), "selection: admit_margin"),
    )


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
    fields = as_object(value, "selection: certificate")
    only_keys(fields, frozenset({"ejr_plus", "core"}), "selection: certificate")
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
