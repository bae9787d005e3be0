"""`govern` on the command line: keys, a new commons, signing and committing together."""

from __future__ import annotations

import re
import secrets
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from auzolan.cli.commons import (
    Commons,
    create_key,
    find_commons,
    key_store,
    open_key,
    promises,
    read_envelope_file,
    read_key,
    read_toml,
    read_user_file,
    write_envelope_file,
    write_file,
)
from auzolan.cli.output import JsonOption, handled, hint, out, plain, print_json, short, talk
from auzolan.cli.template import governance_toml
from auzolan.cli.words import explain, headline
from auzolan.core.kinds import read_kind
from auzolan.core.record.authority import Shortfall, check_signers, check_succession, shortfall
from auzolan.core.record.envelope import Envelope
from auzolan.core.record.errors import AuzolanError, MissingError, UsageError
from auzolan.core.record.governance import GOVERNANCE_KIND, read_governance
from auzolan.core.record.keys import DEMO_PREFIX, PublicKey
from auzolan.core.record.ledger import Ledger
from auzolan.core.record.published import CHECKPOINT
from auzolan.core.record.record import Record, check_bound

CommonsOption = Annotated[
    str | None, typer.Option("--commons", metavar="DIR", help="The commons; default: the one around this folder.")
]
LedgerOption = Annotated[
    str | None,
    typer.Option("--commons", metavar="DIR|URL", help="A commons, or a published copy; default: around here."),
]
KeyOption = Annotated[str | None, typer.Option("--key", metavar="NAME", help="Which of your keys signs.")]


@handled
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the commons will live.")],
    name: Annotated[str, typer.Option("--name", help="What the commons calls itself.")],
    principal: Annotated[
        list[str] | None,
        typer.Option(
            "--principal", metavar="ID=KEY", help="A person or body: an id and a public key, or the name of your key."
        ),
    ] = None,
    log_key: Annotated[
        str | None, typer.Option("--log-key", metavar="NAME", help="Your key that signs the log.")
    ] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Mark it as a demonstration; throw-away keys are let in.")
    ] = False,
    edit: Annotated[
        bool, typer.Option("--edit", help="Only write governance.toml, to change it before signing.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a commons: a folder with its rules, its log, and the first record to sign."""
    commons = Commons(folder)
    if commons.governance_file.exists() and not (folder / "ledger" / CHECKPOINT).exists():
        raise UsageError(
            f"{folder} holds the rules of a commons that was never committed; go on with "
            f"`auzolan propose governance --commons {folder}`"
        )
    if (folder / "ledger").exists() or commons.governance_file.exists():
        raise UsageError(f"{folder} holds a commons already")
    if not name.strip():
        raise UsageError("--name must not be empty")
    principals = _parse_principals(principal or [])
    _refuse_demo_keys([key for keys in principals.values() for key in keys], demo)
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "commons"
    # The log's key bears the log's name, as c2sp.org/tlog-checkpoint asks.
    origin = f"{DEMO_PREFIX if demo else 'auzolan/'}{slug}-{secrets.token_hex(4)}"
    public = key_store().find(log_key) if log_key else _new_log_key(origin, demo)
    _refuse_demo_keys([public], demo)
    text = governance_toml(name, origin, public, principals, demo)
    folder.mkdir(parents=True, exist_ok=True)
    _ignore(folder / ".gitignore", ["private/", "pending/", "index.sqlite*"])
    # Line endings must not be changed: a record is its bytes.
    _ignore(folder / ".gitattributes", ["ledger/** -text"])
    write_file(commons.governance_file, text.encode())
    if edit:
        hint(f"edit {commons.governance_file}, then run `auzolan propose governance --commons {folder}`")
        if as_json:
            print_json({"commons": str(folder), "governance": str(commons.governance_file)})
        return
    record = Record(GOVERNANCE_KIND, read_toml(commons.governance_file))
    own = {key.keyid for key in key_store().public_keys()}
    local = [key for keys in principals.values() for key in keys if key.keyid in own]
    propose_record(commons, record, local, as_json, commit_at_once=True)


def _ignore(path: Path, lines: list[str]) -> None:
    """Add lines to a git file of the user's, keeping what stands there."""
    old = read_user_file(path).decode("utf-8", "surrogateescape") if path.exists() else ""
    missing = [line for line in lines if line not in old.splitlines()]
    gap = "\n" if old and not old.endswith("\n") else ""
    write_file(path, (old + gap + "".join(f"{line}\n" for line in missing)).encode("utf-8", "surrogateescape"))


def _parse_principals(options: list[str]) -> dict[str, list[PublicKey]]:
    principals: dict[str, list[PublicKey]] = {}
    for option in options:
        who, separator, key = option.partition("=")
        if not separator or not re.fullmatch(r"[a-z][a-z0-9-]{0,47}", who):
            raise UsageError(f"--principal {option[:60]!r}: expected ID=KEY, with an id like 'library'")
        principals.setdefault(who, []).append(read_key(key))
    if principals:
        return principals
    own = key_store().public_keys()
    if len(own) != 1:
        raise UsageError("name at least one --principal ID=KEY (make a key with `auzolan key new NAME`)")
    return {"steward": own}


def _refuse_demo_keys(keys: list[PublicKey], demo: bool) -> None:
    marked = next((key.name for key in keys if key.is_demo), None)
    if marked and not demo:
        raise UsageError(
            f"{marked} is a throw-away demo key: anyone can sign with it, so it cannot be the root of a commons; "
            "make a real one with `auzolan key new NAME`, or add --demo to try things out"
        )


def _new_log_key(origin: str, demo: bool) -> PublicKey:
    hint(f"making the key that signs the log: {origin}")
    return create_key(origin, demo)


def propose_record(
    commons: Commons, record: Record, keys: list[PublicKey], as_json: bool, *, commit_at_once: bool = False
) -> None:
    """Write a record to `pending/`, signed with `keys`, and say what it still needs.

    With `commit_at_once`, commit it when nothing is lacking.
    """
    propose_together(commons, [record], keys, as_json, commit_at_once=commit_at_once)


def propose_together(
    commons: Commons, records: list[Record], keys: list[PublicKey], as_json: bool, *, commit_at_once: bool
) -> None:
    """Propose several records that belong together; with `commit_at_once`, commit all when none lacks anything."""
    with commons.writing() as ledger:
        propose_within(commons, ledger, records, keys, as_json, commit_at_once=commit_at_once)


def propose_within(
    commons: Commons,
    ledger: Ledger,
    records: list[Record],
    keys: list[PublicKey],
    as_json: bool,
    *,
    commit_at_once: bool,
    quiet: bool = False,
) -> None:
    """Do the same in a ledger that is open for writing, where what the records name must not change in between.

    `quiet` leaves the printing to the caller.
    """
    envelopes = [_signed(record, keys, ledger) for record in records]
    paths = [commons.write_pending(envelope) for envelope in envelopes]
    envelopes = [read_envelope_file(path) for path in paths]
    lacking = [_shortfalls(envelope, ledger) for envelope in envelopes]
    if commit_at_once and not any(lacking):
        _commit(commons, ledger, envelopes, as_json, quiet)
        return
    if quiet:
        return
    rows = list(zip(paths, records, lacking, strict=True))
    if as_json and len(rows) > 1:
        print_json([_pending_json(*row) for row in rows])
        return
    for row in rows:
        _print_pending(*row, as_json)


def _signed(record: Record, keys: list[PublicKey], ledger: Ledger) -> Envelope:
    """Sign a record that is not committed yet; what cannot count must not be left in `pending/`."""
    if ledger.index.find(record.id):
        raise UsageError(f"record {short(record.id)} is committed already")
    envelope, known = Envelope(record), _known_keys(record, ledger)
    for public in keys:
        if public.keyid not in known:
            raise UsageError(f"no principal of this commons holds the key {public.name}")
        envelope = envelope.signed_by(open_key(public))
    _shortfalls(envelope, ledger)
    return envelope


def _known_keys(record: Record, ledger: Ledger | None) -> dict[str, PublicKey]:
    """Return key id -> key of everyone whose signature on `record` could count."""
    keys: dict[str, PublicKey] = {}
    if record.kind == GOVERNANCE_KIND:
        keys |= read_governance(record.body).keys
    if ledger and ledger.chain.versions:
        keys |= ledger.chain.current.rules.keys
    return keys


def _shortfalls(envelope: Envelope, ledger: Ledger) -> list[Shortfall]:
    """Return what an envelope lacks under the rules in force and, for new rules, its own."""
    current = ledger.chain.current if ledger.chain.versions else None
    signers = check_signers(envelope, current)
    judges = [current.rules] if current else []
    if envelope.claimed.kind == GOVERNANCE_KIND:
        judges.append(read_governance(envelope.claimed.body))
        check_succession(envelope.claimed, judges[-1], current)
    check_bound(envelope.claimed, current is not None)
    found = [shortfall(envelope.claimed, rules, signers) for rules in judges]
    return list(dict.fromkeys(lack for lack in found if lack))


def _print_pending(path: Path, record: Record, lacking: list[Shortfall], as_json: bool) -> None:
    if as_json:
        print_json(_pending_json(path, record, lacking))
        return
    out().print(str(path), soft_wrap=True)
    for lack in lacking:
        hint(f"still needs {lack.needed - len(lack.signed)} of role {lack.role}: {', '.join(lack.missing)}")
    if lacking:
        hint("send the file to them; each runs `auzolan sign FILE` and sends it back")
    else:
        hint(f"enough have signed; commit it with `auzolan commit {path}`")


def _pending_json(path: Path, record: Record, lacking: list[Shortfall]) -> dict[str, object]:
    needs = [
        {"role": lack.role, "needed": lack.needed, "signed": lack.signed, "missing": lack.missing} for lack in lacking
    ]
    return {"id": record.id, "kind": record.kind, "headline": headline(record), "file": str(path), "needs": needs}


@handled
def sign(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A pending record, pending/<id>.dsse.")],
    key: KeyOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; for scripts.")] = False,
    commons: CommonsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add your signature to a pending record, after showing what it says."""
    envelope = read_envelope_file(file)
    with ExitStack() as stack:
        try:
            ledger: Ledger | None = stack.enter_context(find_commons(commons).reading())
        except MissingError:
            if commons:
                raise
            ledger = None
        public = _show_and_choose(envelope, ledger, key)
        if not yes and not (sys.stdin.isatty() and typer.confirm(f"Sign this as {public.name}?", err=True)):
            raise UsageError("not signed; answer y at the prompt, or add --yes in a script")
        envelope = envelope.signed_by(open_key(public))
        write_envelope_file(file, envelope)
        lacking = _shortfalls(envelope, ledger) if ledger else []
    if as_json:
        print_json({**_pending_json(file, envelope.claimed, lacking), "signed_as": public.name})
        return
    out().print(f"signed {short(envelope.claimed.id)} as {plain(public.name)}")
    if ledger:
        _print_pending(file, envelope.claimed, lacking, as_json)


def _show_and_choose(envelope: Envelope, ledger: Ledger | None, key: str | None) -> PublicKey:
    """Check the signatures so far, show what is being signed, and return the key that signs."""
    current = ledger.chain.current if ledger and ledger.chain.versions else None
    if current or envelope.claimed.kind == GOVERNANCE_KIND:
        check_signers(envelope, current)
    else:
        hint("no commons here: who has signed so far, and whether your key counts, could not be checked")
    for line in explain(envelope.claimed, current.rules if current else None):
        talk().print(line)
    signed = frozenset(signature.keyid for signature in envelope.signatures)
    return _choose(key, _known_keys(envelope.claimed, ledger), signed)


def choose_key(name: str | None, ledger: Ledger) -> PublicKey:
    """Return the key to sign a new record with: the named one, or the only one of a principal that is here.

    Raises:
        UsageError: there is no such one, or nothing is committed yet.
    """
    if not ledger.chain.versions:
        raise UsageError("the rules of this commons are not committed yet; see `auzolan pending`")
    return _choose(name, dict(ledger.chain.current.rules.keys), frozenset())


def _choose(name: str | None, known: dict[str, PublicKey], signed: frozenset[str]) -> PublicKey:
    if name:
        public = key_store().find(name)
        if known and public.keyid not in known:
            raise UsageError(f"no principal of this commons holds the key {public.name}")
        return public
    own = [k for k in key_store().public_keys() if (not known or k.keyid in known) and k.keyid not in signed]
    if len(own) != 1:
        names = ", ".join(k.name for k in own) or "none that this record still needs"
        raise UsageError(f"say which key signs with --key NAME; yours: {names}")
    return own[0]


@handled
def commit(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Signed records; copies of one are merged.")],
    commons: CommonsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check that enough have signed, and put records into the log for ever."""
    merged: dict[str, Envelope] = {}
    for file in files:
        envelope = read_envelope_file(file)
        known = merged.get(envelope.claimed.id)
        merged[envelope.claimed.id] = known.with_signatures(list(envelope.signatures)) if known else envelope
    place = find_commons(commons)
    with place.writing() as ledger:
        _commit(place, ledger, list(merged.values()), as_json)


def settle(ledger: Ledger) -> None:
    """Bring the ledger and what was promised for it to agree."""
    memory = promises()
    with memory.locked(_origin(ledger, [])):
        ledger.commit([], open_key, memory)


def _origin(ledger: Ledger, envelopes: list[Envelope]) -> str:
    if ledger.chain.versions:
        return ledger.chain.current.rules.origin
    roots = [e.claimed for e in envelopes if e.claimed.kind == GOVERNANCE_KIND]
    return read_governance(roots[0].body).origin if roots else ""


def _commit(commons: Commons, ledger: Ledger, envelopes: list[Envelope], as_json: bool, quiet: bool = False) -> None:
    memory = promises()
    # Two copies of one commons on this machine share the promises, so they must take turns.
    with memory.locked(_origin(ledger, envelopes)):
        results = ledger.commit(envelopes, open_key, memory)
    for result in results:
        commons.pending_path(result.id).unlink(missing_ok=True)
    if quiet:
        return
    rows = [{"id": r.id, "entry": r.position, "new": r.fresh} for r in results]
    root = ledger.chain.versions[0].id
    if as_json:
        print_json({"committed": rows, "size": ledger.head.size, "root": root})
        return
    for result, envelope in zip(results, envelopes, strict=True):
        verb = "committed" if result.fresh else "stands already"
        out().print(f"{verb} as entry {result.position}: {result.id}", soft_wrap=True)
        if envelope.claimed.id == root:
            hint(f"this is the root of the commons; whoever verifies it pins it: auzolan verify --root {root}")


@handled
def pending(commons: CommonsOption = None, as_json: JsonOption = False) -> None:
    """List the records that wait for signatures or for `commit`."""
    place = find_commons(commons)
    rows, broken = [], []
    with place.reading() as ledger:
        for path in sorted(place.pending.glob("*.dsse")):
            try:
                envelope = read_envelope_file(path)
                read_kind(envelope.claimed)
                rows.append((path, envelope.claimed, _shortfalls(envelope, ledger)))
            except AuzolanError as error:
                broken.append((path, str(error)))
    if as_json:
        unusable = [{"file": str(path), "error": problem} for path, problem in broken]
        print_json([*(_pending_json(*row) for row in rows), *unusable])
        return
    for path, problem in broken:
        out().print(f"cannot be committed as it is: {path}: {plain(problem)}", soft_wrap=True)
    for path, record, lacking in rows:
        waits = "; ".join(f"needs {k.needed - len(k.signed)} of {', '.join(k.missing)}" for k in lacking)
        out().print(f"{short(record.id)}  {record.kind:<16} {headline(record)}", soft_wrap=True)
        out().print(f"    {waits or 'ready: auzolan commit ' + str(path)}", soft_wrap=True)
    if not rows and not broken:
        hint("nothing is pending")
