"""`auzolan propose`: write a record for others to sign."""

from __future__ import annotations

import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from auzolan.cli.commons import Commons, find_commons, key_store, read_toml, read_user_file
from auzolan.cli.govern import CommonsOption, propose_record
from auzolan.cli.output import JsonOption, handled
from auzolan.cli.selecting import parameters_in
from auzolan.core.kinds import read_kind
from auzolan.core.kinds.govern import Document
from auzolan.core.kinds.oversee import Endorsement
from auzolan.core.record.authority import SUPERSEDES
from auzolan.core.record.canonical import as_object, read_json
from auzolan.core.record.errors import MalformedError, UsageError
from auzolan.core.record.governance import GOVERNANCE_KIND, read_governance
from auzolan.core.record.record import COMMONS, PRIVATE_BLOB_PREFIX, Record
from auzolan.core.record.view import BLOB_LIMIT, LedgerView

app = typer.Typer(help="Propose a record; others sign it, then it is committed.", no_args_is_help=True)

LinkOption = Annotated[
    list[str] | None, typer.Option("--link", metavar="NAME=ID", help="A record that this one rests on.")
]
BlobOption = Annotated[list[str] | None, typer.Option("--blob", metavar="NAME=FILE", help="A file to publish with it.")]
PrivateOption = Annotated[
    list[str] | None,
    typer.Option(
        "--private-blob", metavar="NAME=FILE", help="A file that stays private; only its salted digest is shown."
    ),
]
AboutOption = Annotated[
    str | None, typer.Option("--about", metavar="PARTICIPANT", help="Whom the private files are about, for `forget`.")
]
KeyOption = Annotated[str | None, typer.Option("--key", metavar="NAME", help="Sign it at once with this key of yours.")]


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _pairs(options: list[str] | None, flag: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for option in options or []:
        name, separator, value = option.partition("=")
        if not separator or not name or not value:
            raise UsageError(f"{flag} {option[:60]!r}: expected NAME=VALUE")
        if name in pairs:
            raise UsageError(f"{flag}: the name {name!r} is given twice")
        pairs[name] = value
    return pairs


def resolve(ledger: LedgerView, text: str) -> str:
    """Return the full id of a record named by its id or by 8 or more of its first digits.

    Raises:
        UsageError: several records begin so.
        MissingError: none does.
    """
    if not 8 <= len(text) <= 64 or any(c not in "0123456789abcdef" for c in text):
        raise UsageError(f"{text[:80]!r} is no record id: expected 8 to 64 hexadecimal digits")
    if len(text) < 64:
        rows = ledger.index.matching(text)
        if len(rows) == 2:
            raise UsageError(f"several records begin with {text}; give more digits")
        if rows:
            return rows[0].id
    return ledger.find(text).id


def _read_file(path: str) -> bytes:
    return sys.stdin.buffer.read() if path == "-" else read_user_file(Path(path), BLOB_LIMIT)


def _stage(commons: Commons, blobs: list[str] | None, private: list[str] | None, about: str | None) -> dict[str, str]:
    """Keep the bytes of files on this machine and return blob name -> digest."""
    digests: dict[str, str] = {}
    with commons.writing() as ledger:
        for name, path in _pairs(blobs, "--blob").items():
            if name.startswith(PRIVATE_BLOB_PREFIX):
                raise UsageError(f"--blob {name}: names with 'private.' are for --private-blob")
            digests[name] = ledger.stage_blob(_read_file(path))
        for name, path in _pairs(private, "--private-blob").items():
            digest = ledger.keep_private_blob(_read_file(path), secrets.token_bytes(32))
            digests[PRIVATE_BLOB_PREFIX + name.removeprefix(PRIVATE_BLOB_PREFIX)] = digest
            if about:
                ledger.note_subject(about, digest)
    return digests


def _links(commons: Commons, options: list[str] | None) -> dict[str, str]:
    """Return link name -> record id; without any, the root, so that the record belongs to this commons alone."""
    pairs = _pairs(options, "--link")
    with commons.reading() as ledger:
        if not pairs and ledger.chain.versions:
            return {COMMONS: ledger.chain.versions[0].id}
        return {name: resolve(ledger, target) for name, target in pairs.items()}


def _propose(commons: Commons, record: Record, key: str | None, as_json: bool) -> None:
    read_kind(record)
    propose_record(commons, record, [key_store().find(key)] if key else [], as_json)


@app.command("document")
@handled
def document(
    title: Annotated[str, typer.Option("--title", help="One line.")],
    text: Annotated[str, typer.Option("--text", help="The document itself, if it is short.")] = "",
    dated: Annotated[str | None, typer.Option("--dated", metavar="DATE", help="Its date; default: today.")] = None,
    link: LinkOption = None,
    blob: BlobOption = None,
    private_blob: PrivateOption = None,
    about: AboutOption = None,
    key: KeyOption = None,
    commons: CommonsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Propose a text or file to be put on record, such as minutes."""
    place = find_commons(commons)
    if not (text or blob or private_blob):
        raise UsageError("a document needs --text, --blob or --private-blob")
    blobs = _stage(place, blob, private_blob, about)
    _propose(place, Document(title, dated or _today(), text, _links(place, link), blobs).to_record(), key, as_json)


@app.command("governance")
@handled
def governance(key: KeyOption = None, commons: CommonsOption = None, as_json: JsonOption = False) -> None:
    """Propose governance.toml as the new rules."""
    place = find_commons(commons)
    with place.reading() as ledger:
        current = ledger.chain.current if ledger.chain.versions else None
    record = Record(GOVERNANCE_KIND, read_toml(place.governance_file), {SUPERSEDES: current.id} if current else {})
    if current and record.body == current.rules.body:
        raise UsageError(f"{place.governance_file} says what is in force already; edit it first")
    try:
        parameters_in(read_governance(record.body))
    except MalformedError as error:
        raise UsageError(f"{place.governance_file}: {error}") from None
    _propose(place, record, key, as_json)


@app.command("endorsement")
@handled
def endorsement(
    record_id: Annotated[str, typer.Argument(metavar="ID", help="The committed record.")],
    claim: Annotated[str, typer.Option("--claim", help=f"One of: {', '.join(Endorsement.CLAIMS)}.")] = "agrees",
    note: Annotated[str, typer.Option("--note", help="Plain words.")] = "",
    key: KeyOption = None,
    commons: CommonsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Propose to endorse a record that is logged already."""
    place = find_commons(commons)
    if claim not in Endorsement.CLAIMS:
        raise UsageError(f"--claim must be one of {', '.join(Endorsement.CLAIMS)}")
    with place.reading() as ledger:
        target = resolve(ledger, record_id)
    _propose(place, Endorsement(target, claim, _today(), note).to_record(), key, as_json)


@app.command("record")
@handled
def record(
    kind: Annotated[str, typer.Option("--kind", help="Such as 'decision/v1'.")],
    body: Annotated[str, typer.Option("--body", metavar="FILE", help="JSON without floats; - for standard input.")],
    link: LinkOption = None,
    blob: BlobOption = None,
    private_blob: PrivateOption = None,
    about: AboutOption = None,
    key: KeyOption = None,
    commons: CommonsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Propose a record of any kind."""
    place = find_commons(commons)
    try:
        content = as_object(read_json(_read_file(body), body), body)
        blobs = _stage(place, blob, private_blob, about)
        proposed = Record(kind, content, _links(place, link), blobs)
        read_kind(proposed)
    except MalformedError as error:
        raise UsageError(str(error)) from None
    _propose(place, proposed, key, as_json)
