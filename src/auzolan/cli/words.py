"""Records in plain words: a headline for lists, and what a signer should read before signing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from auzolan.cli.output import plain, short
from auzolan.cli.words_of_running import explain_running, headline_of_running
from auzolan.core.kinds import KNOWN_KINDS
from auzolan.core.kinds.answer import Answer
from auzolan.core.kinds.constitution import Constitution, Draft
from auzolan.core.kinds.deliberate import Snapshot, Tally
from auzolan.core.kinds.govern import Document
from auzolan.core.kinds.oversee import Endorsement
from auzolan.core.kinds.proposals import Proposals, Shortlist
from auzolan.core.kinds.run import Anchor, RuntimePolicy, Service
from auzolan.core.kinds.selection import Selection
from auzolan.core.kinds.teach import Adapter, Dataset, Measured
from auzolan.core.record.authority import SUPERSEDES
from auzolan.core.record.canonical import JsonObject, JsonValue
from auzolan.core.record.governance import GOVERNANCE_KIND, Governance, read_governance
from auzolan.core.record.record import Record
from auzolan.core.record.tombstone import TOMBSTONE_KIND, erased_by

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_/-]+")
_OF_RUNNING = frozenset({Service.KIND, RuntimePolicy.KIND, Answer.KIND, Anchor.KIND})
_NOT_SAID = frozenset({"review_at"})  # dates to come


def headline(record: Record) -> str:
    """Return one line about a record."""
    body = record.body
    if record.kind == GOVERNANCE_KIND:
        return f"rules of {plain(str(body.get('name')), 60)}"
    if record.kind == Document.KIND:
        return plain(str(body.get("title")), 60)
    if record.kind == Endorsement.KIND:
        return f"{plain(str(body.get('claim')), 20)}: {short(record.links.get('endorses', ''))}"
    if record.kind == Snapshot.KIND:
        snapshot = Snapshot.from_record(record)
        counts, name = snapshot.counts, plain(snapshot.source["name"], 40)
        since = f", {snapshot.n_forgotten:,} forgotten since" if snapshot.n_forgotten else ""
        return f"{counts['votes']:,} votes of {counts['participants']:,} in {name}{since}"
    if record.kind == Proposals.KIND:
        proposals = Proposals.from_record(record)
        held = proposals.counts
        return f"{held.get('proposals', 0):,} proposals of {plain(proposals.source['host'], 40)}"
    if record.kind == Shortlist.KIND:
        shortlist = Shortlist.from_record(record)
        n_listed, by = len(shortlist.statements), plain(shortlist.method["by"], 30)
        return f"{n_listed:,} statements to ask everybody about, quotas by {by}"
    if record.kind == Tally.KIND:
        tally = Tally.from_record(record)
        return f"{tally.n_statements:,} statements, groups of {', '.join(f'{n:,}' for n in tally.groups) or 'nobody'}"
    if record.kind == Selection.KIND:
        selection = Selection.from_record(record).outcome
        proved = selection.certificate and selection.certificate.multipliers
        return f"{len(selection.articles)} articles selected, {'with' if proved else 'without'} a core certificate"
    if record.kind == Draft.KIND:
        n_drafted = len(Draft.from_record(record).principles)
        return f"{n_drafted:,} {'principle' if n_drafted == 1 else 'principles'} to vote on"
    if record.kind == Constitution.KIND:
        constitution = Constitution.from_record(record)
        n_ratified = len(constitution.ratified)
        noun = "principle" if n_ratified == 1 else "principles"
        return f"{n_ratified:,} {noun} ratified of {len(constitution.principles):,}"
    if record.kind == Dataset.KIND:
        dataset = Dataset.from_record(record)
        return f"{dataset.n_learnt:,} {'row' if dataset.n_learnt == 1 else 'rows'} to learn from, of {dataset.n_rows:,}"
    if record.kind == Adapter.KIND:
        adapter = Adapter.from_record(record)
        return f"{_adherence(adapter.measured)}, of {plain(adapter.base.name, 40)}"
    if record.kind in _OF_RUNNING:
        return headline_of_running(record)
    if record.kind == TOMBSTONE_KIND:
        return f"erased {len(erased_by(record))} private file(s): {plain(str(body.get('reason')), 40)}"
    first = next((body[k] for k in ("title", "name") if isinstance(body.get(k), str)), "")
    return plain(str(first), 60)


def _adherence(measured: Sequence[Measured]) -> str:
    """Say how many answers followed their article before and after, over all prompts that were measured."""
    found = [each for each in measured if each.name == Measured.ADHERENCE]
    if not found:
        return "adherence not measured"
    whole = [each for each in found if not each.language] or found
    whole = [each for each in whole if not each.number] or whole
    n = sum(each.n for each in whole)
    before, after = _share(sum(each.before for each in whole), n), _share(sum(each.after for each in whole), n)
    n_articles = len({each.number for each in found if each.number})
    on = f" on {n_articles:,} {'article' if n_articles == 1 else 'articles'}" if n_articles else ""
    return f"adherence {before} -> {after}{on}"


def _share(count: int, n: int) -> str:
    """Return a share in hundredths, such as ".95"; "1.00" only where it is all."""
    hundredths = (200 * count + n) // (2 * n)
    return "1.00" if count == n else f".{min(hundredths, 99):02d}"


def said_date(record: Record) -> str:
    """Return the date that the signers state, or "": the log itself has no clock."""
    dates = (v for k, v in record.body.items() if k.endswith("_at") and k not in _NOT_SAID and isinstance(v, str))
    value = next(dates, "")
    return plain(value, 20)


def explain(record: Record, in_force: Governance | None) -> Iterator[str]:
    """Yield the lines that a signer should read: everything that is signed, nothing cut."""
    yield f"{record.kind}: {headline(record)}"
    if record.kind == GOVERNANCE_KIND:
        yield from _explain_governance(record, in_force)
    elif record.kind == TOMBSTONE_KIND:
        yield "Signing this erases private files for good. Their digests stay, what they said does not."
    elif record.kind in _OF_RUNNING:
        yield from explain_running(record)
    elif record.kind == Endorsement.KIND and record.body.get("claim") == Endorsement.REVOKED:
        yield "Signing this says that the record must not be loaded any more. It cannot be taken back."
        yield "It counts once as many principals have said so as a record of that kind needs."
    elif record.kind not in KNOWN_KINDS:
        yield "This program does not know this kind of record; read every line."
    if record.kind != GOVERNANCE_KIND:
        yield from (f"  {show_path(path)}: {value}" for path, value in leaves(record.body))
    for name, target in record.links.items():
        yield f"  link {name} -> record {target}"
    for name, digest in record.public_blobs.items():
        yield f"  file {name}: will be published, SHA-256 {digest}"
    for name, digest in record.private_blobs.items():
        yield f"  file {name}: stays private, SHA-256 {digest} (behind a random salt)"


def _explain_governance(record: Record, in_force: Governance | None) -> Iterator[str]:
    rules = read_governance(record.body)
    if rules.demo:
        yield "A demonstration: its keys are throw-away keys, its signatures prove nothing."
    if SUPERSEDES in record.links and in_force:
        yield from changes(in_force.body, rules.body)
        return
    if SUPERSEDES in record.links:
        yield "These rules replace others. What changes shows only beside the commons (--commons DIR)."
    else:
        yield "These are the first rules of a new commons. Whoever verifies it pins their id."
    yield from (f"  {show_path(path)}: {value}" for path, value in leaves(rules.body))


def changes(old: JsonObject, new: JsonObject) -> Iterator[str]:
    """Yield every difference between two bodies; two different ones always give at least one."""
    before, after = dict(leaves(old)), dict(leaves(new))
    changed = sorted((path for path in before.keys() | after.keys() if before.get(path) != after.get(path)), key=str)
    yield "It replaces the rules in force. What changes:" if changed else "It replaces the rules in force by the same."
    for path in changed:
        yield f"  {show_path(path)}: {before.get(path, 'not there')} -> {after.get(path, 'gone')}"


Path = tuple[str | int, ...]


def leaves(value: JsonValue, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield (path, shown value) for every leaf; different values are shown differently."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list) and value:
        for position, item in enumerate(value):
            yield from leaves(item, (*path, position))
    elif isinstance(value, str):
        yield path, plain(json.dumps(value, ensure_ascii=False), len(value) * 6 + 2)
    else:
        yield path, {"{}": "nothing", "[]": "an empty list"}.get(str(value), str(value).lower())


def show_path(path: Path) -> str:
    """Return a path as a person reads it: `thresholds.default.count`, odd keys in quotes."""
    shown = ""
    for part in path:
        if isinstance(part, int):
            shown += f"[{part}]"
        else:
            quoted = part if _PLAIN_KEY.fullmatch(part) else plain(json.dumps(part, ensure_ascii=False))
            shown += f".{quoted}" if shown else quoted
    return shown
