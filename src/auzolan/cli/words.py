"""Records in plain words: a headline for lists, and what a signer should read before signing."""

from __future__ import annotations

from collections.abc import Iterator

from auzolan.cli.output import plain, short
from auzolan.core.kinds import KNOWN_KINDS
from auzolan.core.kinds.govern import Document
from auzolan.core.kinds.oversee import Endorsement
from auzolan.core.record.canonical import JsonValue
from auzolan.core.record.governance import GOVERNANCE_KIND, Governance, read_governance
from auzolan.core.record.record import Record
from auzolan.core.record.tombstone import TOMBSTONE_KIND, erased_by


def headline(record: Record) -> str:
    """Return one line about a record."""
    body = record.body
    if record.kind == GOVERNANCE_KIND:
        return f"rules of {plain(str(body.get('name')), 60)}"
    if record.kind == Document.KIND:
        return plain(str(body.get("title")), 60)
    if record.kind == Endorsement.KIND:
        return f"{plain(str(body.get('claim')), 20)}: {short(record.links.get('endorses', ''))}"
    if record.kind == TOMBSTONE_KIND:
        return f"erased {len(erased_by(record))} private file(s): {plain(str(body.get('reason')), 40)}"
    first = next((body[k] for k in ("title", "name") if isinstance(body.get(k), str)), "")
    return plain(str(first), 60)


def said_date(record: Record) -> str:
    """Return the date that the signers state, or "": the log itself has no clock."""
    value = next((v for k, v in record.body.items() if k.endswith("_at") and isinstance(v, str)), "")
    return plain(value, 20)


def explain(record: Record, in_force: Governance | None) -> Iterator[str]:
    """Yield the lines that a signer should read."""
    yield f"{record.kind}: {headline(record)}"
    if record.kind == GOVERNANCE_KIND:
        yield from _explain_governance(read_governance(record.body), in_force)
    elif record.kind == TOMBSTONE_KIND:
        yield "Signing this erases private files for good. Their digests stay, what they said does not."
    elif record.kind not in KNOWN_KINDS:
        yield "This program does not know this kind of record; read every line."
    if record.kind != GOVERNANCE_KIND:
        yield from (f"  {path}: {value}" for path, value in flatten(record.body))
    for name, target in record.links.items():
        yield f"  link {name} -> record {short(target)}"
    for name, digest in record.public_blobs.items():
        yield f"  file {name}: will be published, SHA-256 {short(digest)}"
    for name, digest in record.private_blobs.items():
        yield f"  file {name}: stays private, SHA-256 {short(digest)}"


def _explain_governance(rules: Governance, in_force: Governance | None) -> Iterator[str]:
    if rules.demo:
        yield "A demonstration: its keys are throw-away keys, its signatures prove nothing."
    if in_force is None:
        yield "These are the first rules of a new commons. Whoever verifies it pins their id."
        yield from (f"  {path}: {value}" for path, value in flatten(rules.body))
        return
    old, new = dict(flatten(in_force.body)), dict(flatten(rules.body))
    changed = sorted(path for path in old.keys() | new.keys() if old.get(path) != new.get(path))
    yield "It replaces the rules in force. What changes:" if changed else "It replaces the rules in force by the same."
    for path in changed:
        yield f"  {path}: {old.get(path, 'not there')} -> {new.get(path, 'gone')}"


def flatten(value: JsonValue, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield (path, shown value) for every leaf of a JSON value."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from flatten(item, f"{path}.{plain(key, 60)}".lstrip("."))
    elif isinstance(value, list) and value:
        for position, item in enumerate(value):
            yield from flatten(item, f"{path}[{position}]")
    elif isinstance(value, str):
        yield path, f'"{plain(value)}"'
    else:
        yield path, "none" if value in ([], {}, None) else str(value).lower()
