"""Nouns of `run`: the service that a community runs, its rules, and the anchor of its log of answers.

(`answer/v1` stands in `auzolan.core.kinds.answer`.)
Nothing here serves or decides. What the rules mean, `auzolan.run.rules` says.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from typing import ClassVar

from auzolan.core.kinds.constitution import SUPERSEDES, check_language
from auzolan.core.kinds.dataset import Base, check_each_once, maybe_text, read_base
from auzolan.core.record.canonical import JsonObject, JsonValue, as_int, as_list, as_object, as_text
from auzolan.core.record.checkpoint import read_checkpoint
from auzolan.core.record.errors import MalformedError
from auzolan.core.record.keys import ED25519, PublicKey, read_public_key
from auzolan.core.record.record import Record, check_digest

MAX_ADAPTERS = 16
MAX_SCALE_MILLI = 10_000
_NAME = re.compile(r"[a-z][a-z0-9-]{0,47}")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")


@dataclass(frozen=True)
class Loaded:
    """An adapter that a service adds to its model.

    Attributes:
        adapter: id of its record.
        scale_milli: how strongly it is added, in thousandths, at most 10,000 either way; 1000 is as it was trained.
    """

    adapter: str
    scale_milli: int = 1000


@dataclass(frozen=True)
class Service:
    """`service/v1`: what a community runs: a model, adapters and rules for a purpose, and who answers for it.

    Attributes:
        constitution: id of the constitution that it is to follow.
        rules: id of the `runtime-policy/v1` that it is run under.
        adapters: added to the model, in this order; may be none.
        name: as clients name the model, lower-case letters, digits and hyphens.
        title: one line.
        purpose: what it is for, in plain words.
        languages: it answers in, BCP 47 tags.
        base: the model.
        system_prompt: stands before every conversation; "" for none.
        tools: names of those that a request may offer to the model; none is offered otherwise.
        operator: who runs it, in plain words.
        contact: how to reach them.
        review_at: ISO 8601 date by which it is looked at again.
        runtime_key: signs its answers and the checkpoints of their log.
        origin: name of the log of its answers.
        receipts: "always", or "asked": only to those who ask, for personal use.
        retention_days: so long contents are kept if the operator turns that on; 0 forbids it.
        with_base: whether the model is served without the adapters as well, to compare.
        declared_at: ISO 8601 date, as the signers state it; "" where they do not.
        supersedes: id of the service record that this one replaces, or "".
    """

    KIND: ClassVar[str] = "service/v1"
    CONSTITUTION: ClassVar[str] = "constitution"
    RULES: ClassVar[str] = "rules"
    ADAPTER: ClassVar[str] = "adapter."
    ALWAYS: ClassVar[str] = "always"
    ASKED: ClassVar[str] = "asked"

    constitution: str
    rules: str
    adapters: tuple[Loaded, ...]
    name: str
    title: str
    purpose: str
    languages: tuple[str, ...]
    base: Base
    system_prompt: str
    tools: tuple[str, ...]
    operator: str
    contact: str
    review_at: str
    runtime_key: PublicKey
    origin: str
    receipts: str = ALWAYS
    retention_days: int = 0
    with_base: bool = False
    declared_at: str = ""
    supersedes: str = ""

    def to_record(self) -> Record:
        """Return the record to sign."""
        body: JsonObject = {
            "name": self.name,
            "title": self.title,
            "purpose": self.purpose,
            "languages": list(self.languages),
            "base": self.base.to_json(),
            "scales_milli": [each.scale_milli for each in self.adapters],
            "system_prompt": self.system_prompt,
            "tools": list(self.tools),
            "operator": self.operator,
            "contact": self.contact,
            "review_at": self.review_at,
            "runtime_key": str(self.runtime_key),
            "origin": self.origin,
            "receipts": self.receipts,
            "retention_days": self.retention_days,
            "with_base": self.with_base,
            "declared_at": self.declared_at,
        }
        links = {self.CONSTITUTION: self.constitution, self.RULES: self.rules}
        links |= {f"{self.ADAPTER}{place}": each.adapter for place, each in enumerate(self.adapters, 1)}
        if self.supersedes:
            links[SUPERSEDES] = self.supersedes
        return Record(self.KIND, body, links)

    @classmethod
    def from_record(cls, record: Record) -> Service:
        """Read a record of this kind.

        Raises:
            MalformedError: a field is missing or of another form.
        """
        body, links = record.body, record.links
        languages = tuple(as_text(each, "service: languages") for each in _list(body, "languages"))
        tools = tuple(as_text(each, "service: tools") for each in _list(body, "tools"))
        for what, names in (("languages", languages), ("tools", tools)):
            check_each_once(names, f"service: {what}")
        for tag in languages:
            check_language(tag, "service: languages")
        with_base = body.get("with_base")
        if not isinstance(with_base, bool):
            raise MalformedError("service: with_base must be true or false")
        return cls(
            constitution=check_digest(links.get(cls.CONSTITUTION), "service: link 'constitution'"),
            rules=check_digest(links.get(cls.RULES), "service: link 'rules'"),
            adapters=_adapters(record),
            name=_name(as_text(body.get("name"), "service: name")),
            title=as_text(body.get("title"), "service: title"),
            purpose=as_text(body.get("purpose"), "service: purpose"),
            languages=languages,
            base=read_base(body.get("base"), "service: base"),
            system_prompt=maybe_text(body.get("system_prompt"), "service: system_prompt"),
            tools=tools,
            operator=as_text(body.get("operator"), "service: operator"),
            contact=as_text(body.get("contact"), "service: contact"),
            review_at=_date(as_text(body.get("review_at"), "service: review_at")),
            runtime_key=_key(as_text(body.get("runtime_key"), "service: runtime_key")),
            origin=_origin(as_text(body.get("origin"), "service: origin")),
            receipts=_receipts(as_text(body.get("receipts"), "service: receipts")),
            retention_days=as_int(body.get("retention_days"), "service: retention_days"),
            with_base=with_base,
            declared_at=maybe_text(body.get("declared_at", ""), "service: declared_at"),
            supersedes=links.get(SUPERSEDES, ""),
        )


def _list(body: JsonObject, name: str) -> list[JsonValue]:
    return as_list(body.get(name), f"service: {name}")


def _adapters(record: Record) -> tuple[Loaded, ...]:
    """Return the adapters, whose links are numbered from 1 without gaps."""
    scales = [_scale(each) for each in _list(record.body, "scales_milli")]
    named = {name for name in record.links if name.startswith(Service.ADAPTER)}
    wanted = [f"{Service.ADAPTER}{place}" for place in range(1, len(scales) + 1)]
    if named != set(wanted):
        raise MalformedError(
            f"service: expected the links {', '.join(wanted) or 'of no adapter'}, one for each of scales_milli, "
            f"got {', '.join(sorted(named)) or 'none'}"
        )
    if len(wanted) > MAX_ADAPTERS:
        raise MalformedError(f"service: {len(wanted)} adapters, at most {MAX_ADAPTERS} are loaded")
    found = tuple(Loaded(record.links[name], scale) for name, scale in zip(wanted, scales, strict=True))
    check_each_once((each.adapter for each in found), "service: adapters")
    return found


def _scale(value: JsonValue) -> int:
    scale = as_int(value, "service: scales_milli", -MAX_SCALE_MILLI)
    if scale > MAX_SCALE_MILLI:
        raise MalformedError(f"service: scales_milli: expected at most {MAX_SCALE_MILLI}, got {scale}")
    return scale


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise MalformedError(f"service: name: expected lower-case letters, digits and hyphens, got {text[:40]!r}")
    return text


def _origin(text: str) -> str:
    if not (text.isascii() and text.isprintable()) or " " in text or "+" in text or len(text) > 200:
        raise MalformedError("service: origin: expected up to 200 visible ASCII characters without spaces or '+'")
    return text


def _key(text: str) -> PublicKey:
    try:
        key = read_public_key(text)
    except MalformedError as error:
        raise MalformedError(f"service: runtime_key: {error}") from None
    if key.kind != ED25519:
        raise MalformedError("service: runtime_key: expected a key that signs records, not a witness's")
    return key


def _receipts(text: str) -> str:
    if text not in (Service.ALWAYS, Service.ASKED):
        raise MalformedError(f"service: receipts must be 'always' or 'asked', got {text[:20]!r}")
    return text


def _date(text: str) -> str:
    found = _DATE.fullmatch(text)
    year, month, day = map(int, found.groups()) if found else (0, 0, 0)
    if year < 1 or not 1 <= month <= 12 or not 1 <= day <= monthrange(year, month)[1]:
        raise MalformedError(f"service: review_at: expected a date such as 2027-06-30, got {text[:20]!r}")
    return text


@dataclass(frozen=True)
class RuntimePolicy:
    """`runtime-policy/v1`: the rules under which services run, as a community wrote them.

    Attributes:
        constitution: id of the constitution whose articles the rules name.
        title: one line.
        table: the TOML file with the rules, as JSON; `auzolan.run.rules` reads it.
        declared_at: ISO 8601 date, as the signers state it; "" where they do not.
        supersedes: id of the rules that these replace, or "".
    """

    KIND: ClassVar[str] = "runtime-policy/v1"
    CONSTITUTION: ClassVar[str] = "constitution"

    constitution: str
    title: str
    table: JsonObject
    declared_at: str = ""
    supersedes: str = ""

    def to_record(self) -> Record:
        """Return the record to sign."""
        links = {self.CONSTITUTION: self.constitution} | ({SUPERSEDES: self.supersedes} if self.supersedes else {})
        body: JsonObject = {"title": self.title, "table": self.table, "declared_at": self.declared_at}
        return Record(self.KIND, body, links)

    @classmethod
    def from_record(cls, record: Record) -> RuntimePolicy:
        """Read a record of this kind.

        Raises:
            MalformedError: a field is missing or of another form.
        """
        return cls(
            constitution=check_digest(record.links.get(cls.CONSTITUTION), "runtime-policy: link 'constitution'"),
            title=as_text(record.body.get("title"), "runtime-policy: title"),
            table=as_object(record.body.get("table"), "runtime-policy: table"),
            declared_at=maybe_text(record.body.get("declared_at", ""), "runtime-policy: declared_at"),
            supersedes=record.links.get(SUPERSEDES, ""),
        )


@dataclass(frozen=True)
class Anchor:
    """`anchor/v1`: a checkpoint of a service's log of answers, put into the community's log.

    From then on the answers before it cannot be changed, left out or dated back without it being seen.

    Attributes:
        service: id of the service whose answers the log holds.
        checkpoint: the signed checkpoint, as text.
        anchored_at: ISO 8601 date, as the signers state it.
    """

    KIND: ClassVar[str] = "anchor/v1"
    SERVICE: ClassVar[str] = "service"

    service: str
    checkpoint: str
    anchored_at: str

    def to_record(self) -> Record:
        """Return the record to sign."""
        body: JsonObject = {"checkpoint": self.checkpoint, "anchored_at": self.anchored_at}
        return Record(self.KIND, body, {self.SERVICE: self.service})

    @classmethod
    def from_record(cls, record: Record) -> Anchor:
        """Read a record of this kind.

        Raises:
            MalformedError: a field is missing, or the checkpoint is none.
        """
        text = as_text(record.body.get("checkpoint"), "anchor: checkpoint")
        read_checkpoint(text.encode(), "anchor: checkpoint")
        return cls(
            service=check_digest(record.links.get(cls.SERVICE), "anchor: link 'service'"),
            checkpoint=text,
            anchored_at=as_text(record.body.get("anchored_at"), "anchor: anchored_at"),
        )
