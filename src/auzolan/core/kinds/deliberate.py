"""Nouns of `deliberate`: snapshots of votes, and tallies of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from auzolan.core.record.canonical import JsonObject, JsonValue, as_int, as_list, as_object, as_text
from auzolan.core.record.errors import MalformedError
from auzolan.core.record.governance import BALLOT_PRIVACY
from auzolan.core.record.record import COMMONS, PRIVATE_BLOB_PREFIX, Record, check_digest

SUPERSEDES = "supersedes"


@dataclass(frozen=True)
class CleaningRule:
    """A rule that was applied to the source, how many votes it removed, and how many other things it changed."""

    rule: str
    votes: int
    others: int


@dataclass(frozen=True)
class Snapshot:
    """`snapshot/v1`: the votes of one conversation as they stood, committed to and counted.

    The statements are the public blob "statements"; the ballots are the blob
    "ballots" where they are public, else "private.ballots".

    Attributes:
        source: tool, layout, topic, url and name (the scope of pseudonyms), all text.
        licence: of the votes, as the importer states it.
        imported_at: ISO 8601 date, as the signers state it.
        identity: how participants were told apart, as the importer states it.
        agree_sign: +1 or -1 as agree is written in the source, 0 where it uses words.
        sign_evidence: how that was established.
        counts: participants, statements, votes, rows_read, as they were at the import. How many agreed in all is not
            said: less a tally's published counts, it would be the votes that are withheld there.
        cleaning: every rule that was applied; one of them counts those forgotten since.
        commitment: root of the salted tree over the ballots.
        privacy: who may see ballots: "public", "auditors" or "private".
        generation: how many times participants were forgotten before.
        supersedes: id of the snapshot that this one replaces, because participants were forgotten.
        commons: id of the root.
        blobs: name -> digest.
        shortlist: id of the shortlist whose statements were voted on, None where there was none.
    """

    KIND: ClassVar[str] = "snapshot/v1"
    COMMITMENT: ClassVar[str] = "auzolan-ballots-1"
    STATEMENTS: ClassVar[str] = "statements"
    BALLOTS: ClassVar[str] = "ballots"
    SHORTLIST: ClassVar[str] = "shortlist"
    FORGOTTEN: ClassVar[str] = "participants forgotten since the import"
    SOURCE: ClassVar[tuple[str, ...]] = ("layout", "name", "tool", "topic", "url")
    COUNTS: ClassVar[tuple[str, ...]] = ("participants", "rows_read", "statements", "votes")

    source: Mapping[str, str]
    licence: str
    imported_at: str
    identity: str
    agree_sign: int
    sign_evidence: str
    counts: Mapping[str, int]
    cleaning: tuple[CleaningRule, ...]
    commitment: str
    privacy: str
    generation: int
    commons: str
    blobs: Mapping[str, str] = field(default_factory=dict)
    supersedes: str | None = None
    shortlist: str | None = None

    @property
    def ballots_blob(self) -> str:
        """Digest of the blob that holds the ballots."""
        return self.blobs[_blob_name(self.BALLOTS, self.privacy)]

    @property
    def n_forgotten(self) -> int:
        """How many participants were forgotten since the import."""
        return sum(each.others for each in self.cleaning if each.rule == self.FORGOTTEN)

    @property
    def n_participants(self) -> int:
        """How many participants' ballots there are."""
        return self.counts["participants"] - self.n_forgotten

    def to_record(self) -> Record:
        """Return the record to sign."""
        cleaning: list[JsonValue] = [
            {"rule": each.rule, "votes": each.votes, "others": each.others} for each in self.cleaning
        ]
        body: JsonObject = {
            "source": dict(self.source),
            "licence": self.licence,
            "imported_at": self.imported_at,
            "identity": self.identity,
            "agree_sign": self.agree_sign,
            "sign_evidence": self.sign_evidence,
            "counts": dict(self.counts),
            "cleaning": cleaning,
            "commitment": {"method": self.COMMITMENT, "root": self.commitment},
            "ballots": self.privacy,
            "generation": self.generation,
        }
        others = {SUPERSEDES: self.supersedes, self.SHORTLIST: self.shortlist}
        links = {COMMONS: self.commons} | {name: target for name, target in others.items() if target}
        return Record(self.KIND, body, links, dict(self.blobs))

    @classmethod
    def from_record(cls, record: Record) -> Snapshot:
        """Read a record of this kind.

        Raises:
            MalformedError: a field is missing or of another form, or a blob is.
        """
        body = record.body
        source = as_object(body.get("source"), "snapshot: source")
        counts = as_object(body.get("counts"), "snapshot: counts")
        commitment = as_object(body.get("commitment"), "snapshot: commitment")
        if commitment.get("method") != cls.COMMITMENT:
            raise MalformedError(f"snapshot: expected a commitment by {cls.COMMITMENT}")
        privacy, sign = body.get("ballots"), body.get("agree_sign")
        if not isinstance(privacy, str) or privacy not in BALLOT_PRIVACY:
            raise MalformedError(f"snapshot: ballots must be one of {', '.join(BALLOT_PRIVACY)}")
        if isinstance(sign, bool) or not isinstance(sign, int) or sign not in (-1, 0, 1):
            raise MalformedError("snapshot: agree_sign must be -1, 0 or 1")
        for name in (cls.STATEMENTS, _blob_name(cls.BALLOTS, privacy)):
            if name not in record.blobs:
                raise MalformedError(f"snapshot: expected a blob {name!r}")
        if {cls.BALLOTS, PRIVATE_BLOB_PREFIX + cls.BALLOTS} <= set(record.blobs):
            raise MalformedError("snapshot: expected ballots that are either public or private")
        snapshot = cls(
            source={name: _text(source.get(name), f"snapshot: source.{name}") for name in cls.SOURCE},
            licence=_text(body.get("licence"), "snapshot: licence"),
            imported_at=as_text(body.get("imported_at"), "snapshot: imported_at"),
            identity=_text(body.get("identity"), "snapshot: identity"),
            agree_sign=sign,
            sign_evidence=_text(body.get("sign_evidence"), "snapshot: sign_evidence"),
            counts={name: as_int(counts.get(name), f"snapshot: counts.{name}") for name in cls.COUNTS},
            cleaning=tuple(_cleaning(item) for item in as_list(body.get("cleaning"), "snapshot: cleaning")),
            commitment=check_digest(commitment.get("root"), "snapshot: commitment.root"),
            privacy=privacy,
            generation=as_int(body.get("generation"), "snapshot: generation"),
            commons=check_digest(record.links.get(COMMONS), "snapshot: link 'commons'"),
            blobs=dict(record.blobs),
            supersedes=record.links.get(SUPERSEDES),
            shortlist=record.links.get(cls.SHORTLIST),
        )
        if snapshot.n_participants < 0:
            raise MalformedError("snapshot: more participants were forgotten than there were")
        return snapshot


@dataclass(frozen=True)
class Tally:
    """`tally/v1`: what a snapshot's ballots amount to, by group and by declared stratum.

    The counts are the public blob "counts"; who is in which group is the blob
    "labels" where ballots are public, else "private.labels".

    Attributes:
        snapshot: id of the snapshot.
        methods: grouping, bounds and formulas, by name and version.
        tallied_at: ISO 8601 date, as the signers state it.
        min_cell: fewest people that a published count may be about; 1 publishes all.
        groups: people per opinion group, the largest first.
        n_unassigned: participants in no group.
        chosen: "silhouette" when the number of groups was found, "asked for" when it was given.
        silhouettes_ppm: number of groups -> mean silhouette, for those tried.
        n_statements: how many statements the counts are about.
        n_withheld: on how many of them the counts by group are withheld, because few people are behind one of them.
        blobs: name -> digest.
    """

    KIND: ClassVar[str] = "tally/v1"
    COUNTS: ClassVar[str] = "counts"
    LABELS: ClassVar[str] = "labels"
    SNAPSHOT: ClassVar[str] = "snapshot"
    MAX_GROUPS: ClassVar[int] = 26
    METHODS: ClassVar[tuple[str, ...]] = ("bounds", "formulas", "groups")

    snapshot: str
    methods: Mapping[str, str]
    tallied_at: str
    min_cell: int
    groups: tuple[int, ...]
    n_unassigned: int
    chosen: str
    silhouettes_ppm: Mapping[str, int]
    n_statements: int
    n_withheld: int
    blobs: Mapping[str, str] = field(default_factory=dict)

    def to_record(self) -> Record:
        """Return the record to sign."""
        body: JsonObject = {
            "methods": dict(self.methods),
            "tallied_at": self.tallied_at,
            "min_cell": self.min_cell,
            "groups": list(self.groups),
            "unassigned": self.n_unassigned,
            "chosen": self.chosen,
            "silhouettes_ppm": dict(self.silhouettes_ppm),
            "statements": self.n_statements,
            "withheld": self.n_withheld,
        }
        return Record(self.KIND, body, {self.SNAPSHOT: self.snapshot}, dict(self.blobs))

    @classmethod
    def from_record(cls, record: Record) -> Tally:
        """Read a record of this kind.

        Raises:
            MalformedError: a field is missing or of another form, or a blob is.
        """
        body = record.body
        methods = as_object(body.get("methods"), "tally: methods")
        silhouettes = as_object(body.get("silhouettes_ppm"), "tally: silhouettes_ppm")
        groups = as_list(body.get("groups"), "tally: groups")
        if len(groups) > cls.MAX_GROUPS:
            raise MalformedError(f"tally: {len(groups):,} groups, at most {cls.MAX_GROUPS} are read")
        labels = {cls.LABELS, PRIVATE_BLOB_PREFIX + cls.LABELS} & set(record.blobs)
        if cls.COUNTS not in record.blobs or len(labels) != 1:
            raise MalformedError("tally: expected blobs 'counts' and 'labels' or 'private.labels'")
        return cls(
            snapshot=check_digest(record.links.get(cls.SNAPSHOT), "tally: link 'snapshot'"),
            methods={name: as_text(methods.get(name), f"tally: methods.{name}") for name in cls.METHODS},
            tallied_at=as_text(body.get("tallied_at"), "tally: tallied_at"),
            min_cell=as_int(body.get("min_cell"), "tally: min_cell", at_least=1),
            groups=tuple(as_int(item, "tally: groups", 1) for item in groups),
            n_unassigned=as_int(body.get("unassigned"), "tally: unassigned"),
            chosen=as_text(body.get("chosen"), "tally: chosen"),
            silhouettes_ppm={k: as_int(v, "tally: silhouettes_ppm", -1_000_000) for k, v in silhouettes.items()},
            n_statements=as_int(body.get("statements"), "tally: statements"),
            n_withheld=as_int(body.get("withheld"), "tally: withheld"),
            blobs=dict(record.blobs),
        )


def _blob_name(name: str, privacy: str) -> str:
    return name if privacy == "public" else PRIVATE_BLOB_PREFIX + name


def _text(value: JsonValue, where: str) -> str:
    """Return text that may be empty."""
    if not isinstance(value, str):
        raise MalformedError(f"{where}: expected text")
    return value


def _cleaning(item: JsonValue) -> CleaningRule:
    fields = as_object(item, "snapshot: cleaning")
    return CleaningRule(
        as_text(fields.get("rule"), "snapshot: cleaning.rule"),
        as_int(fields.get("votes"), "snapshot: cleaning.votes"),
        as_int(fields.get("others"), "snapshot: cleaning.others"),
    )
