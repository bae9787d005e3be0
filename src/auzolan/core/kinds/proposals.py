"""Nouns of `deliberate`: what people proposed on a platform, and which of it is put to everybody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from auzolan.core.kinds.constitution import check_language
from auzolan.core.record.canonical import JsonObject, JsonValue, as_int, as_list, as_object, as_text, only_keys
from auzolan.core.record.errors import MalformedError
from auzolan.core.record.record import COMMONS, PRIVATE_BLOB_PREFIX, Record, check_digest

SUPERSEDES = "supersedes"


@dataclass(frozen=True)
class Proposals:
    """`proposals/v1`: what a platform held when it was read: proposals, with counts and never ballots.

    The blobs "proposals.000", "debates.000" and "results.000", and on, hold a JSON object per line; comments are in
    "private.comments.000", as whoever wrote one may delete it there. In all of them people are counted, not named.

    Attributes:
        source: tool, name (what the commons calls it), host, layout and version, all text.
        licence: of the data, as the source or the importer states it.
        imported_at: ISO 8601 date, as the signers state it.
        counts: class of entity (in plural) -> how many the source holds, those withdrawn or emptied included.
        supports: "known" (proposals whose supports the source tells), "hidden" and "total" (their sum).
        fingerprints: "checked" (Decidim told them with their text) and "recomputed" (from the export).
        left: rules that were applied -> how often.
        changes: against the one that it replaces: "added", "changed" (another fingerprint), "updated" (anything else),
            "same" and "gone"; empty without one.
        commons: id of the root.
        supersedes: id of the earlier one of the same name.
        blobs: name -> digest.
    """

    KIND: ClassVar[str] = "proposals/v1"
    PROPOSALS: ClassVar[str] = "proposals"
    DEBATES: ClassVar[str] = "debates"
    RESULTS: ClassVar[str] = "results"
    COMMENTS: ClassVar[str] = PRIVATE_BLOB_PREFIX + "comments"
    SOURCE: ClassVar[tuple[str, ...]] = ("host", "layout", "name", "tool", "version")

    source: Mapping[str, str]
    licence: str
    imported_at: str
    counts: Mapping[str, int]
    supports: Mapping[str, int]
    fingerprints: Mapping[str, int]
    left: Mapping[str, int]
    changes: Mapping[str, int]
    commons: str
    supersedes: str | None = None
    blobs: Mapping[str, str] = field(default_factory=dict)

    def parts(self, name: str) -> tuple[str, ...]:
        """Return the names of the blobs that hold a class of entities, in their order."""
        return tuple(sorted(each for each in self.blobs if each.rsplit(".", 1)[0] == name))

    def to_record(self) -> Record:
        """Return the record to sign."""
        body: JsonObject = {
            "source": dict(self.source),
            "licence": self.licence,
            "imported_at": self.imported_at,
            "counts": dict(self.counts),
            "supports": dict(self.supports),
            "fingerprints": dict(self.fingerprints),
            "left": dict(self.left),
            "changes": dict(self.changes),
        }
        links = {COMMONS: self.commons} | ({SUPERSEDES: self.supersedes} if self.supersedes else {})
        return Record(self.KIND, body, links, dict(self.blobs))

    @classmethod
    def from_record(cls, record: Record) -> Proposals:
        """Read a record of this kind.

        Raises:
            MalformedError: a field is missing or of another form.
        """
        body = record.body
        source = as_object(body.get("source"), "proposals: source")
        return cls(
            source={name: _text(source.get(name), f"proposals: source.{name}") for name in cls.SOURCE},
            licence=_text(body.get("licence"), "proposals: licence"),
            imported_at=as_text(body.get("imported_at"), "proposals: imported_at"),
            counts=_numbers(body.get("counts"), "proposals: counts"),
            supports=_numbers(body.get("supports"), "proposals: supports"),
            fingerprints=_numbers(body.get("fingerprints"), "proposals: fingerprints"),
            left=_numbers(body.get("left"), "proposals: left"),
            changes=_numbers(body.get("changes"), "proposals: changes"),
            commons=check_digest(record.links.get(COMMONS), "proposals: link 'commons'"),
            supersedes=record.links.get(SUPERSEDES),
            blobs=dict(record.blobs),
        )


@dataclass(frozen=True)
class Cited:
    """A proposal that a statement rests on.

    Attributes:
        key: "host/component/proposal/id".
        fingerprint: Decidim's, of the text as it stood; "" where the source gave none.
    """

    key: str
    fingerprint: str


@dataclass(frozen=True)
class ListedStatement:
    """One statement that everybody is asked about.

    Attributes:
        id: from 1; the number that stands before it in the survey.
        text: language -> what is asked.
        proposals: those that it rests on; the first is the one whose place it has, the others were merged into it.
        own_words: whether every text is the title of one of its proposals, so that nobody reworded it.
        quota: the group of proposals for which it has its place, such as "meeting" or the name of a taxonomy.
    """

    id: int
    text: Mapping[str, str]
    proposals: tuple[Cited, ...]
    own_words: bool
    quota: str


@dataclass(frozen=True)
class Quota:
    """How many places a group of proposals got.

    Attributes:
        name: of the group.
        proposals: how many there are in it.
        places: how many statements.
    """

    name: str
    proposals: int
    places: int


@dataclass(frozen=True)
class Shortlist:
    """`shortlist/v1`: which proposals are put to everybody, in which words, and how they were chosen.

    Attributes:
        proposals: id of what they were chosen from.
        listed_at: ISO 8601 date, as the signers state it.
        method: "by" (what quotas are by), "language" (in which groups are named), "least" (places for each group, while
            they suffice), "order" (within a group), "seed" (of the lots) and "shares" (how places were shared out).
        quotas: every group, also those without a place.
        statements: by their number.
        surveys: statements of each survey, in the order in which they are asked; each participant is asked one.
    """

    KIND: ClassVar[str] = "shortlist/v1"
    PROPOSALS: ClassVar[str] = "proposals"
    METHOD: ClassVar[tuple[str, ...]] = ("by", "language", "least", "order", "seed", "shares")
    MAX_STATEMENTS: ClassVar[int] = 500

    proposals: str
    listed_at: str
    method: Mapping[str, str]
    quotas: tuple[Quota, ...]
    statements: tuple[ListedStatement, ...]
    surveys: tuple[tuple[int, ...], ...]

    def to_record(self) -> Record:
        """Return the record to sign."""
        body: JsonObject = {
            "listed_at": self.listed_at,
            "method": dict(self.method),
            "quotas": [{"name": q.name, "proposals": q.proposals, "places": q.places} for q in self.quotas],
            "statements": [_statement_json(each) for each in self.statements],
            "surveys": [list(each) for each in self.surveys],
        }
        return Record(self.KIND, body, {self.PROPOSALS: self.proposals})

    @classmethod
    def from_record(cls, record: Record) -> Shortlist:
        """Read a record of this kind.

        Raises:
            MalformedError: a field is missing or of another form.
        """
        body = record.body
        method = as_object(body.get("method"), "shortlist: method")
        statements = as_list(body.get("statements"), "shortlist: statements")
        if not 0 < len(statements) <= cls.MAX_STATEMENTS:
            raise MalformedError(f"shortlist: {len(statements):,} statements, expected 1 to {cls.MAX_STATEMENTS}")
        listed = tuple(_statement(item) for item in statements)
        if [each.id for each in listed] != list(range(1, len(listed) + 1)):
            raise MalformedError("shortlist: expected statements numbered from 1")
        keys = [cited.key for each in listed for cited in each.proposals]
        if len(keys) != len(set(keys)):
            raise MalformedError("shortlist: a proposal stands behind two statements")
        surveys = tuple(
            tuple(as_int(each, "shortlist: surveys", 1) for each in as_list(item, "shortlist: surveys"))
            for item in as_list(body.get("surveys"), "shortlist: surveys")
        )
        if {each for survey in surveys for each in survey} != {each.id for each in listed}:
            raise MalformedError("shortlist: the surveys do not ask about its statements")
        return cls(
            proposals=check_digest(record.links.get(cls.PROPOSALS), "shortlist: link 'proposals'"),
            listed_at=as_text(body.get("listed_at"), "shortlist: listed_at"),
            method={name: as_text(method.get(name), f"shortlist: method.{name}") for name in cls.METHOD},
            quotas=tuple(_quota(item) for item in as_list(body.get("quotas"), "shortlist: quotas")),
            statements=listed,
            surveys=surveys,
        )


def _statement_json(each: ListedStatement) -> JsonObject:
    return {
        "id": each.id,
        "text": dict(each.text),
        "proposals": [{"key": cited.key, "fingerprint": cited.fingerprint} for cited in each.proposals],
        "own_words": each.own_words,
        "quota": each.quota,
    }


def _statement(item: JsonValue) -> ListedStatement:
    fields = as_object(item, "shortlist: statement")
    only_keys(fields, frozenset({"id", "text", "proposals", "own_words", "quota"}), "shortlist: statement")
    text = as_object(fields.get("text"), "shortlist: text")
    cited = tuple(_cited(each) for each in as_list(fields.get("proposals"), "shortlist: proposals"))
    own = fields.get("own_words")
    if not text or not cited or not isinstance(own, bool):
        raise MalformedError("shortlist: a statement needs a text, a proposal, and true or false for own_words")
    return ListedStatement(
        as_int(fields.get("id"), "shortlist: id", 1),
        {check_language(name, "shortlist: language"): as_text(said, "shortlist: text") for name, said in text.items()},
        cited,
        own,
        as_text(fields.get("quota"), "shortlist: quota"),
    )


def _cited(item: JsonValue) -> Cited:
    fields = as_object(item, "shortlist: proposal")
    return Cited(
        as_text(fields.get("key"), "shortlist: key"), _text(fields.get("fingerprint"), "shortlist: fingerprint")
    )


def _quota(item: JsonValue) -> Quota:
    fields = as_object(item, "shortlist: quota")
    return Quota(
        as_text(fields.get("name"), "shortlist: quota.name"),
        as_int(fields.get("proposals"), "shortlist: quota.proposals"),
        as_int(fields.get("places"), "shortlist: quota.places"),
    )


def _numbers(value: JsonValue, where: str) -> dict[str, int]:
    return {name: as_int(number, f"{where}.{name}") for name, number in as_object(value, where).items()}


def _text(value: JsonValue, where: str) -> str:
    """Return text that may be empty."""
    if not isinstance(value, str):
        raise MalformedError(f"{where}: expected text")
    return value
