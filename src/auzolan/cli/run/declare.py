"""Edge: `auzolan run prepare` and `auzolan run declare`: two TOML files become the records of a service."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path

from auzolan.cli.commons import create_key, find_commons, key_store, read_toml, write_file
from auzolan.cli.govern import choose_key, propose_within
from auzolan.cli.output import hint, out, print_json, short
from auzolan.cli.records import named, newest
from auzolan.cli.run.base import base_of
from auzolan.core.kinds.constitution import SUPERSEDES, Constitution
from auzolan.core.kinds.run import Loaded, RuntimePolicy, Service
from auzolan.core.kinds.teach import Adapter
from auzolan.core.record.canonical import JsonObject, as_int, as_list, as_object, as_text, only_keys
from auzolan.core.record.errors import MalformedError, MissingError, UsageError
from auzolan.core.record.keys import DEMO_PREFIX, PublicKey
from auzolan.core.record.ledger import Ledger
from auzolan.core.record.record import Record
from auzolan.run.rules.table import check_articles, read_rules

SERVICE_FILE, RULES_FILE = "service.toml", "rules.toml"
_REVIEW_DAYS = 365
_NAME = re.compile(r"[a-z][a-z0-9-]{0,47}")  # as `service/v1` has it
_NULL = ", got null"  # TOML knows no such thing: the key is not there
_KEYS = frozenset(
    {
        "name", "title", "purpose", "languages", "model", "licence", "constitution", "adapters", "rules",
        "system_prompt", "tools", "operator", "contact", "review_at", "runtime_key", "receipts", "retention_days",
        "with_base",
    }
)  # fmt: skip


def prepare(name: str, model: str, folder: Path, commons: str | None, as_json: bool) -> None:
    """Write `service.toml` and `rules.toml` for the newest constitution and adapter, to be read and changed.

    Raises:
        UsageError: the name is none for a service, or one of the files is there already.
        MissingError: there is no constitution yet.
    """
    _check_name(name)
    place = find_commons(commons)
    with place.reading() as ledger:
        law = newest(ledger, Constitution.KIND)
        adapters = [ledger.envelope(row).claimed for row in ledger.index.rows(Adapter.KIND)]
        demo = ledger.chain.current.rules.demo
    fitting = [each for each in adapters if each.links[Adapter.CONSTITUTION] == law.id]
    taught = fitting[-1] if fitting else None
    texts = {
        folder / SERVICE_FILE: _service_toml(name, model, law, taught, demo),
        folder / RULES_FILE: files("auzolan.run.rules").joinpath("default.toml").read_text(encoding="utf-8"),
    }
    if there := next((path for path in texts if path.exists()), None):
        raise UsageError(f"{there} is there already; move it away, or go on with `auzolan run declare {there}`")
    for path, text in texts.items():
        write_file(path, text.encode())
    if as_json:
        print_json({"files": [str(path) for path in texts]})
        return
    for path in texts:
        out().print(str(path), soft_wrap=True)
    hint("say in rules.toml of which article each rule is, where the people decided it;")
    hint("'operator' means that nobody voted on it")
    hint(f"read and change them, then: auzolan run declare {folder / SERVICE_FILE}")


def _check_name(name: str) -> None:
    """Refuse at once what `declare` would refuse later."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"--name: expected lower-case letters, digits and hyphens, a letter first, at most 48; got {name[:48]!r}"
        )


def _quoted(text: str) -> str:
    """Return text as a basic string of TOML, which takes JSON's escapes."""
    import json

    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _service_toml(name: str, model: str, law: Record, taught: Record | None, demo: bool) -> str:
    constitution = Constitution.from_record(law)
    languages = sorted({each.language for each in constitution.ratified})
    review = (datetime.now(UTC).date() + timedelta(days=_REVIEW_DAYS)).isoformat()
    adapters = f'[{{ adapter = "{taught.id}", scale_milli = 1000 }}]' if taught else "[]"
    key = f"{DEMO_PREFIX if demo else ''}{name}-runtime"
    return f"""\
# What is served, for what, and who answers for it. `auzolan run declare` signs it.

name = {_quoted(name)}                    # as clients name the model
title = {_quoted(constitution.title)}
purpose = "Answers questions of residents."   # what it is for, in plain words; nothing else is promised
languages = [{", ".join(map(_quoted, languages))}]
operator = ""                      # who runs it
contact = ""                       # how to reach them: a desk, an address, a telephone number
review_at = "{review}"           # by then it is looked at again

model = {_quoted(model)}                  # `pocket`, a folder as transformers reads it, or a GGUF file
licence = ""                       # of the model, where its card does not say
constitution = "{law.id}"
adapters = {adapters}
with_base = false                  # true: the model without adapters is served too, to compare
system_prompt = ""                 # stands before every conversation
tools = []                         # names of tools that a request may offer to the model

rules = "{RULES_FILE}"               # what is allowed and what is not, each rule tied to an article
runtime_key = {_quoted(key)}       # signs the answers; made if it is not there
receipts = "always"                # or "asked": signed only for those who ask, for personal use
retention_days = 0                 # so long texts may be kept where the operator turns that on; 0: never
"""


def declare(path: Path, key: str | None, commons: str | None, as_json: bool) -> None:
    """Sign the rules and the service that a file describes, and commit both if nothing is lacking.

    Raises:
        UsageError, MalformedError: the files do not say what they must.
    """
    place, where = find_commons(commons), str(path)
    table = _read(path)
    _check_keys(table, where)
    rules_path = path.parent / _text(table, "rules", where)
    rules_table = _read(rules_path)
    with _told_of(str(rules_path)):
        rules = read_rules(rules_table)
    with place.writing() as ledger:
        signer = choose_key(key, ledger)
        with _told_of(f"{where}: constitution"):
            law = named(ledger, _maybe(table, "constitution", where) or None, Constitution.KIND)
        numbers = {each.number for each in Constitution.from_record(law).ratified}
        floor = {article.id for article in ledger.chain.current.rules.rights_floor}
        with _told_of(str(rules_path)):
            check_articles(rules, numbers | floor)
        before = _newest_service(ledger, _text(table, "name", where))
        policy = _policy(ledger, law, rules.title, rules_table, before)
        with _told_of(where):
            service = _service(ledger, table, where, law, policy, before)
        new = [each for each in (policy, service) if ledger.index.find(each.id) is None]
        if new:
            propose_within(place, ledger, new, [signer], as_json, commit_at_once=True, quiet=as_json)
        committed = ledger.index.find(service.id) is not None
    if as_json:
        print_json({"rules": policy.id, "service": service.id, "committed": committed})
    elif not new:
        out().print(f"declared already: {short(service.id)}")
    elif committed:
        _say_next(policy, service, before)


def _say_next(policy: Record, service: Record, before: Record | None) -> None:
    """Say which id is whose, and what to do now."""
    out().print(f"rules:   {short(policy.id)}")
    out().print(f"service: {short(service.id)}")
    if before:
        hint("a service that is running keeps its old rules until it is started again")
    hint(f"next: `auzolan run doctor {service.id[:8]}`, `auzolan run serve {service.id[:8]}`")


def _read(path: Path) -> JsonObject:
    table = read_toml(path)
    if not table:
        raise UsageError(f"{path}: nothing stands in it; `auzolan run prepare` writes a whole one to start from")
    return table


def _check_keys(table: JsonObject, where: str) -> None:
    """Refuse keys that are not known; the list of all is long, so only the likeliest is named."""
    for key in sorted(set(table) - _KEYS):
        near = get_close_matches(key, sorted(_KEYS), 1)
        meant = f"; is {near[0]!r} meant?" if near else "; `auzolan run prepare` writes those that there are"
        raise UsageError(f"{where}: unknown key {key[:60]!r}{meant}")


@contextmanager
def _told_of(where: str) -> Iterator[None]:
    """Say where it stands if something is wrong or missing; what has the wrong form there, the user wrote."""
    try:
        yield
    except (MalformedError, MissingError, UsageError) as error:
        said = _without_null(str(error) if str(error).startswith(where) else f"{where}: {error}")
        raise (MissingError if isinstance(error, MissingError) else UsageError)(said) from None


def _newest_service(ledger: Ledger, name: str) -> Record | None:
    records = [ledger.envelope(row).claimed for row in ledger.index.rows(Service.KIND)]
    return next((each for each in reversed(records) if each.body["name"] == name), None)


def _policy(ledger: Ledger, law: Record, title: str, table: JsonObject, before: Record | None) -> Record:
    """Return the record of the rules: the one there is, unless others replaced it; new ones replace the service's."""
    new = RuntimePolicy(law.id, title, table, _today(), before.links[Service.RULES] if before else "").to_record()
    earlier = [ledger.envelope(row).claimed for row in ledger.index.rows(RuntimePolicy.KIND)]
    replaced = {each.links.get(SUPERSEDES) for each in earlier}
    for each in reversed(earlier):
        if each.id not in replaced and each.body["table"] == new.body["table"] and _law(each) == law.id:
            return each
    return new


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _law(record: Record) -> str:
    return record.links[RuntimePolicy.CONSTITUTION]


def _service(
    ledger: Ledger, table: JsonObject, where: str, law: Record, policy: Record, before: Record | None
) -> Record:
    """Return the record of the service: the newest of its name where it says the same, else one that replaces it."""
    name = _text(table, "name", where)
    said = {each: _text(table, each, where) for each in ("title", "purpose", "operator", "contact", "review_at")}
    model, licence = _text(table, "model", where), _maybe(table, "licence", where)
    with _told_of(f"{where}: model"):
        base = base_of(model, licence)
    key_name = _text(table, "runtime_key", where)
    with _told_of(f"{where}: runtime_key"):
        runtime_key = _runtime_key(ledger, key_name)
    service = Service(
        constitution=law.id,
        rules=policy.id,
        adapters=_adapters(ledger, table, where),
        name=name,
        base=base,
        system_prompt=_maybe(table, "system_prompt", where),
        languages=_texts(table, "languages", where),
        tools=_texts(table, "tools", where),
        runtime_key=runtime_key,
        origin=f"{ledger.chain.current.rules.origin}/run/{name}",
        receipts=_text(table, "receipts", where),
        retention_days=as_int(table.get("retention_days"), f"{where}: retention_days"),
        with_base=_yes_or_no(table, "with_base", where),
        **said,
    )
    if before and replace(Service.from_record(before), declared_at="", supersedes="") == service:
        return before
    record = replace(service, declared_at=_today(), supersedes=before.id if before else "").to_record()
    Service.from_record(record)
    return record


def _adapters(ledger: Ledger, table: JsonObject, where: str) -> tuple[Loaded, ...]:
    found = []
    for item in as_list(table.get("adapters"), f"{where}: adapters"):
        fields = as_object(item, f"{where}: adapters")
        only_keys(fields, frozenset({"adapter", "scale_milli"}), f"{where}: adapters")
        with _told_of(f"{where}: adapters"):
            record = named(ledger, _text(fields, "adapter", f"{where}: adapters"), Adapter.KIND)
        found.append(Loaded(record.id, as_int(fields.get("scale_milli", 1000), f"{where}: scale_milli", -10_000)))
    return tuple(found)


def _runtime_key(ledger: Ledger, name: str) -> PublicKey:
    """Return the key that signs the answers; make it if it is not there."""
    if name.startswith(DEMO_PREFIX) and not ledger.chain.current.rules.demo:
        raise UsageError(f"{name} is a throw-away demo key, and this commons is not marked `demo = true`")
    try:
        return key_store().find(name)
    except MissingError:
        hint(f"making the key that signs the answers: {name}")
        return create_key(name, name.startswith(DEMO_PREFIX))


def _text(table: JsonObject, name: str, where: str) -> str:
    try:
        return as_text(table.get(name), f"{where}: {name}")
    except MalformedError as error:
        raise UsageError(_without_null(str(error))) from None


def _without_null(said: str) -> str:
    return f"{said.removesuffix(_NULL)}, but it is not there" if said.endswith(_NULL) else said


def _maybe(table: JsonObject, name: str, where: str) -> str:
    value = table.get(name, "")
    if not isinstance(value, str):
        raise UsageError(f"{where}: {name}: expected text, if only an empty one")
    return value


def _yes_or_no(table: JsonObject, name: str, where: str) -> bool:
    value = table.get(name)
    if not isinstance(value, bool):
        raise UsageError(f"{where}: {name}: expected true or false")
    return value


def _texts(table: JsonObject, name: str, where: str) -> tuple[str, ...]:
    return tuple(as_text(each, f"{where}: {name}") for each in as_list(table.get(name), f"{where}: {name}"))
