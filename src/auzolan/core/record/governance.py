"""`governance/v1`: who may say what in a commons, and how many must agree.

This is the parsed form of `governance.toml`; the rules that use it are in
`authority`. Parsing refuses what could be misread as a permission: a key in
two hands, a threshold that can never be met, a role that names nobody.
Tables that this module does not know are kept for the stages that do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from auzolan.core.record.canonical import (
    JsonObject,
    JsonValue,
    as_int,
    as_list,
    as_object,
    as_text,
    only_keys,
)
from auzolan.core.record.envelope import MAX_SIGNATURES
from auzolan.core.record.errors import MalformedError
from auzolan.core.record.keys import COSIGNATURE, ED25519, PublicKey, read_public_key
from auzolan.core.record.record import is_kind

GOVERNANCE_KIND = "governance/v1"
DEFAULT_THRESHOLD = "default"
DEFAULT_MIN_CELL = 5
BALLOT_PRIVACY = ("public", "auditors", "private")
_ID = re.compile(r"[a-z][a-z0-9-]{0,47}")
_ORIGIN = re.compile(r"[!-*,-~]{1,200}")
_DAY_SECONDS = 86_400


@dataclass(frozen=True)
class Principal:
    """A person or a body that signs, with any number of keys; it counts once."""

    id: str
    name: str
    keys: tuple[PublicKey, ...]


@dataclass(frozen=True)
class Threshold:
    """How many different principals of a role must sign a kind of record."""

    role: str
    count: int


@dataclass(frozen=True)
class FloorArticle:
    """A right that no later vote or governance can lower."""

    id: str
    text: str


@dataclass(frozen=True)
class Governance:
    """One version of a commons' rules.

    Attributes:
        name: what the commons calls itself.
        demo: made with throw-away keys, for demonstrations only.
        origin: name of the log, first line of its checkpoints.
        log_key: signs checkpoints.
        witness_keys: whose cosignatures count; `witness_quorum` of them are needed.
        witness_max_age: seconds after which the newest cosignature is stale, or None.
        principals: by id.
        roles: role -> ids of principals.
        thresholds: record kind or "default" -> Threshold.
        ballots: "public", "auditors" or "private".
        min_cell: fewest people that a published count of votes may be about, where ballots are not public.
        seats: number of articles that a constitution has room for.
        rule: name of the rule that selects them.
        rights_floor: may be empty; can only grow.
        body: the whole of it, unknown tables included.
    """

    name: str
    demo: bool
    origin: str
    log_key: PublicKey
    witness_keys: tuple[PublicKey, ...]
    witness_quorum: int
    witness_max_age: int | None
    principals: Mapping[str, Principal]
    roles: Mapping[str, tuple[str, ...]]
    thresholds: Mapping[str, Threshold]
    ballots: str
    min_cell: int
    seats: int
    rule: str
    rights_floor: tuple[FloorArticle, ...]
    body: JsonObject

    @cached_property
    def principal_of_key(self) -> Mapping[str, Principal]:
        """Key id -> the one principal who holds that key."""
        return {key.keyid: who for who in self.principals.values() for key in who.keys}

    @cached_property
    def keys(self) -> Mapping[str, PublicKey]:
        """Key id -> public key, for all principals."""
        return {key.keyid: key for who in self.principals.values() for key in who.keys}

    def threshold_for(self, kind: str) -> Threshold:
        """Return the threshold of a record kind, of another version of it, or the default one."""
        noun = kind.split("/")[0]
        versions = [known for known in self.thresholds if known.startswith(noun + "/")]
        nearest = kind if kind in self.thresholds else max(versions, key=_version, default=DEFAULT_THRESHOLD)
        return self.thresholds[nearest]


def _version(kind: str) -> int:
    return int(kind.rsplit("/v", 1)[1])


def read_governance(body: JsonValue) -> Governance:
    """Parse the body of a `governance/v1` record or a loaded `governance.toml`.

    Raises:
        MalformedError: with the path of the first thing that is wrong.
    """
    table = as_object(body, "governance")
    if table.get("format") != GOVERNANCE_KIND:
        raise MalformedError(f"governance: expected format = {GOVERNANCE_KIND!r}")
    principals = _read_principals(table.get("principals"))
    roles = _read_roles(table.get("roles"), principals)
    log = as_object(table.get("log"), "log")
    only_keys(log, frozenset({"origin", "key"}), "log")
    log_key = _read_key(log.get("key"), "log.key", ED25519)
    witness_keys, quorum, max_age = _read_witnesses(table.get("witnesses"), log_key)
    privacy = as_object(table.get("ballots"), "ballots")
    ballots = as_text(privacy.get("privacy"), "ballots.privacy")
    if ballots not in BALLOT_PRIVACY:
        raise MalformedError(f"ballots.privacy: expected one of {', '.join(BALLOT_PRIVACY)}, got {ballots[:40]!r}")
    constitution = as_object(table.get("constitution"), "constitution")
    governance = Governance(
        name=as_text(table.get("name"), "name"),
        demo=_read_demo(table.get("demo", False)),
        origin=_read_origin(log.get("origin")),
        log_key=log_key,
        witness_keys=witness_keys,
        witness_quorum=quorum,
        witness_max_age=max_age,
        principals=principals,
        roles=roles,
        thresholds=_read_thresholds(table.get("thresholds"), roles),
        ballots=ballots,
        min_cell=as_int(privacy.get("min_cell", DEFAULT_MIN_CELL), "ballots.min_cell", at_least=1),
        seats=as_int(constitution.get("seats"), "constitution.seats", at_least=1),
        rule=as_text(constitution.get("rule"), "constitution.rule"),
        rights_floor=_read_floor(table.get("rights_floor")),
        body=table,
    )
    all_keys = [governance.log_key, *governance.keys.values(), *governance.witness_keys]
    marked = next((key.name for key in all_keys if key.is_demo), None)
    if marked and not governance.demo:
        raise MalformedError(f"key {marked} is a throw-away demo key, and this commons is not marked `demo = true`")
    return governance


def _read_demo(value: JsonValue) -> bool:
    if not isinstance(value, bool):
        raise MalformedError("demo: expected true or false")
    return value


def _read_origin(value: JsonValue) -> str:
    origin = as_text(value, "log.origin")
    if not _ORIGIN.fullmatch(origin):
        raise MalformedError("log.origin: expected up to 200 visible ASCII characters without spaces or '+'")
    return origin


def _read_key(value: JsonValue, where: str, kind: int) -> PublicKey:
    try:
        key = read_public_key(as_text(value, where))
    except MalformedError as error:
        raise MalformedError(f"{where}: {error}") from None
    if key.kind != kind:
        raise MalformedError(f"{where}: expected a key of type 0x{kind:02x}, got 0x{key.kind:02x}")
    return key


def _read_principals(value: JsonValue) -> dict[str, Principal]:
    principals: dict[str, Principal] = {}
    holder: dict[str, str] = {}
    for name, item in as_object(value, "principals").items():
        where = f"principals.{name}"
        if not _ID.fullmatch(name):
            raise MalformedError(f"{where}: expected an id of lower-case letters, digits and hyphens")
        table = as_object(item, where)
        only_keys(table, frozenset({"name", "keys"}), where)
        keys = [_read_key(k, f"{where}.keys", ED25519) for k in as_list(table.get("keys"), f"{where}.keys")]
        for key in keys:
            if key.keyid in holder:
                raise MalformedError(f"{where}: key {key.name} is also held by {holder[key.keyid]}; one key, one hand")
            holder[key.keyid] = name
        if not keys:
            raise MalformedError(f"{where}: needs at least one key")
        principals[name] = Principal(name, as_text(table.get("name"), f"{where}.name"), tuple(keys))
    if not principals:
        raise MalformedError("principals: needs at least one")
    return principals


def _read_roles(value: JsonValue, principals: Mapping[str, Principal]) -> dict[str, tuple[str, ...]]:
    roles: dict[str, tuple[str, ...]] = {}
    for role, item in as_object(value, "roles").items():
        where = f"roles.{role}"
        if not _ID.fullmatch(role):
            raise MalformedError(f"{where}: expected a name of lower-case letters, digits and hyphens")
        members = [as_text(member, where) for member in as_list(item, where)]
        unknown = [member for member in members if member not in principals]
        if unknown:
            raise MalformedError(f"{where}: {unknown[0]!r} is not a principal")
        if not members:
            raise MalformedError(f"{where}: names nobody")
        if len(set(members)) != len(members):
            raise MalformedError(f"{where}: a principal is listed twice")
        roles[role] = tuple(members)
    return roles


def _read_thresholds(value: JsonValue, roles: Mapping[str, tuple[str, ...]]) -> dict[str, Threshold]:
    thresholds: dict[str, Threshold] = {}
    for kind, item in as_object(value, "thresholds").items():
        where = f"thresholds.{kind}"
        if kind != DEFAULT_THRESHOLD and not is_kind(kind):
            raise MalformedError(f"{where}: expected a record kind such as 'document/v1', or 'default'")
        table = as_object(item, where)
        only_keys(table, frozenset({"role", "count"}), where)
        role = as_text(table.get("role"), f"{where}.role")
        if role not in roles:
            raise MalformedError(f"{where}: role {role[:60]!r} is not defined")
        count = as_int(table.get("count"), f"{where}.count", at_least=1)
        if count > len(roles[role]):
            raise MalformedError(f"{where}: asks for {count} of role {role}, which has {len(roles[role])} principals")
        if count > MAX_SIGNATURES:
            raise MalformedError(
                f"{where}: asks for {count}, but an envelope holds at most {MAX_SIGNATURES} signatures"
            )
        thresholds[kind] = Threshold(role, count)
    for needed in (DEFAULT_THRESHOLD, GOVERNANCE_KIND):
        if needed not in thresholds:
            raise MalformedError(f"thresholds: {needed!r} is missing")
    return thresholds


def _read_witnesses(value: JsonValue, log_key: PublicKey) -> tuple[tuple[PublicKey, ...], int, int | None]:
    table = as_object(value, "witnesses")
    only_keys(table, frozenset({"keys", "quorum", "max_age_days"}), "witnesses")
    keys = tuple(_read_key(k, "witnesses.keys", COSIGNATURE) for k in as_list(table.get("keys"), "witnesses.keys"))
    raws = [key.raw for key in keys]
    if log_key.raw in raws:
        raise MalformedError("witnesses.keys: the log's own key cannot witness the log")
    if len(set(raws)) != len(raws):
        raise MalformedError("witnesses.keys: one key is listed twice")
    names = [log_key.name, *(key.name for key in keys)]
    double = next((name for name in names if names.count(name) > 1), None)
    if double:
        # A note's signature line tells keys apart by name and 4 bytes, which can be searched for.
        raise MalformedError(f"witnesses.keys: two keys are named {double}")
    quorum = as_int(table.get("quorum"), "witnesses.quorum")
    if quorum > len(keys):
        raise MalformedError(f"witnesses.quorum: asks for {quorum} of {len(keys)} witnesses")
    days = table.get("max_age_days")
    return keys, quorum, None if days is None else as_int(days, "witnesses.max_age_days", 1) * _DAY_SECONDS


def _read_floor(value: JsonValue) -> tuple[FloorArticle, ...]:
    articles: list[FloorArticle] = []
    for position, item in enumerate(as_list(value, "rights_floor (write `rights_floor = []` for an empty one)")):
        where = f"rights_floor[{position}]"
        table = as_object(item, where)
        only_keys(table, frozenset({"id", "text"}), where)
        articles.append(FloorArticle(as_text(table.get("id"), f"{where}.id"), as_text(table.get("text"), where)))
    if len({article.id for article in articles}) != len(articles):
        raise MalformedError("rights_floor: an id appears twice")
    return tuple(articles)
