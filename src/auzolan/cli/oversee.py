"""`oversee` on the command line: verify, trace, prove, cosign, fsck."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from auzolan.cli.commons import Commons, find_commons, find_ledger, key_store, open_key, read_user_file, write_file
from auzolan.cli.govern import LedgerOption
from auzolan.cli.output import JsonDict, JsonOption, handled, hint, out, plain, print_json, progress_bar
from auzolan.cli.propose import resolve
from auzolan.cli.target import Target, find_target, find_verified
from auzolan.cli.words import headline
from auzolan.core.record.checkpoint import TreeHead, read_checkpoint
from auzolan.core.record.errors import (
    AuzolanError,
    MissingError,
    StaleError,
    StorageError,
    UsageError,
    VerificationError,
)
from auzolan.core.record.findings import Expectation, Status, Step, VerifiedLedger
from auzolan.core.record.keys import read_public_key
from auzolan.core.record.keystore import SEEN, WITNESSED, Memory, home_folder
from auzolan.core.record.note import NoteSignature, cosign_note, read_signature_line
from auzolan.core.record.proof import verify_proof
from auzolan.core.record.published import Published
from auzolan.core.record.record import is_digest
from auzolan.core.record.tilelog import TileReader
from auzolan.core.record.verify import verify_ledger
from auzolan.core.record.witness import AddCheckpoint, add_checkpoint

RootOption = Annotated[
    str | None,
    typer.Option("--root", metavar="ID", help="Id of the first rules, learned from someone you trust (the pin)."),
]
_MARKS = {
    Status.PASSED: ("✓", "green"),
    Status.FAILED: ("✗", "bold red"),
    Status.NOT_CHECKED: ("?", "yellow"),
    Status.OPEN: ("·", "dim"),
}


def run_verification(
    target: Target, root: str | None, quiet: bool, steps: list[Step] | None = None, seen: TreeHead | None = None
) -> VerifiedLedger:
    """Verify a ledger, print the steps as they end, and remember what was seen.

    `steps` collects them; `seen` is an earlier head to compare with, in place of this machine's memory.
    """
    if root is not None and not is_digest(root):
        raise UsageError("--root: expected the full id, 64 hexadecimal digits")
    assert target.files is not None, "checked by the callers"
    # By the id of its root, which nobody can forge, not by the name that a log gives itself.
    memory = Memory(home_folder(), SEEN)

    def recall(root_id: str) -> TreeHead | None:
        try:
            return memory.last(root_id)
        except StorageError as error:
            hint(f"what this machine saw before cannot be read: {error}")
            return None

    def report(step: Step) -> None:
        if steps is not None:
            steps.append(step)
        if not quiet:
            show_step(step.number, step.title, step.status, step.finding)

    expect = Expectation(int(time.time()), root, seen, target.private, recall)
    with progress_bar("verifying records") as progress:
        verified = verify_ledger(target.files, expect, report, progress)
    last = recall(verified.root_id)
    if last is None or last.size <= verified.checkpoint.head.size:
        try:
            memory.promise(verified.root_id, verified.checkpoint.head)
        except StorageError as error:
            hint(f"this machine cannot remember what it saw: {error}")
    return verified


def show_step(number: int, title: str, status: Status, finding: str) -> None:
    """Print one numbered step with what was found."""
    mark, style = _MARKS[status]
    line = Text(f"{mark} {number:>2}. {title:<11} ", style=style)
    body = Table.grid(padding=0)
    body.add_column(width=len(line))
    body.add_column(ratio=1, overflow="fold")
    body.add_row(line, Text(plain(finding)))
    out().print(body)


def verdict_of(verified: VerifiedLedger, root: str | None) -> str:
    """Return the one line that sums a verification up."""
    if not verified.complete:
        return "not everything could be checked; what was checked holds"
    return "verified against the pinned root" if root else "consistent with itself; authority not pinned"


@handled
def verify(
    target: Annotated[
        str,
        typer.Argument(
            metavar="[DIGEST|FILE|DIR|URL]", help="What to verify, a receipt too; default: the commons around here."
        ),
    ] = ".",
    root: RootOption = None,
    log_key: Annotated[
        str | None, typer.Option("--log-key", metavar="KEY", help="For a proof file without its ledger: the log's key.")
    ] = None,
    origin: Annotated[str | None, typer.Option("--origin", help="For --log-key: the log's name.")] = None,
    seen: Annotated[
        Path | None,
        typer.Option("--seen", metavar="FILE", help="An earlier checkpoint that you kept, to compare with."),
    ] = None,
    commons: LedgerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a whole ledger, one record, or a proof file, step by step.

    Exit code 0: all that was asked for holds. 1: a step failed, do not trust it. 3: something could not be checked.
    """
    if Path(target).is_file():
        from auzolan.cli.run.receipts import looks_like_receipt, verify_file

        if looks_like_receipt(Path(target)):
            verify_file(Path(target), commons, root, as_json)
            return
    found = find_target(target, commons)
    if found.proof is not None and (log_key or found.files is None):
        _verify_proof_alone(found.proof, log_key, origin, as_json)
        return
    if found.files is None:
        raise MissingError("no ledger here to check it against; name it with --commons")
    steps: list[Step] = []
    try:
        earlier = read_checkpoint(read_user_file(seen), str(seen)).head if seen else None
        verified = run_verification(found, root, as_json, steps, earlier)
        about = _record_in_question(found, verified)
    except AuzolanError as error:
        verdict = "do not trust it" if error.exit_code == 1 else "could not be checked"
        if not as_json:
            out().print(f"verdict: {verdict}", style="bold red")
            raise
        failure = {"verdict": verdict, "error": str(error), "exit_code": error.exit_code}
        print_json({"target": target, **failure, "steps": [_step_json(step) for step in steps]})
        raise typer.Exit(error.exit_code) from None
    if as_json:
        print_json(_verification_json(target, root, verified, about))
    else:
        for line in about or {}:
            out().print(f"{line}: {plain(str((about or {})[line]))}", soft_wrap=True)
        style = "bold green" if verified.complete and root else "bold yellow"
        out().print(f"verdict: {verdict_of(verified, root)}", style=style)
        if not root:
            hint(f"this commons begins with {verified.root_id}; compare that id with one from someone you trust,")
            hint("then verify with --root ID")
    if not verified.complete:
        raise typer.Exit(3)


def _record_in_question(found: Target, verified: VerifiedLedger) -> dict[str, object] | None:
    """Return what is known about the one record that the user asked about."""
    assert found.files is not None, "checked by the caller"
    record_id = None
    if found.proof is not None:
        rules = verified.chain.current.rules
        logged = verify_proof(found.proof, rules.origin, rules.log_key, rules.witness_keys)
        if logged.head.size > len(verified.entries):
            raise StaleError(f"the proof is of {logged.head.size:,} entries, this ledger has {len(verified.entries):,}")
        if verified.root_at(logged.head.size) != logged.head.root:
            raise VerificationError("the proof leads to another history than this ledger's")
        record_id = logged.envelope.claimed.id
    elif found.record is not None:
        record_id = find_verified(verified, found.record)
    if record_id is None:
        return None
    position = verified.positions[record_id]
    record = Published(found.files).envelope(verified.entries[position]).claimed
    signers = ", ".join(verified.signers[position])
    return {"record": record_id, "entry": position, "kind": record.kind, "says": headline(record), "signed by": signers}


def _verify_proof_alone(proof: bytes, log_key: str | None, origin: str | None, as_json: bool) -> None:
    if not log_key or not origin:
        raise UsageError(
            "a proof file needs the ledger (--commons DIR), or the log's --log-key and --origin to check it by"
        )
    logged = verify_proof(proof, origin, read_public_key(log_key))
    record = logged.envelope.claimed
    verdict = "logged; whether enough signed it was not checked (that needs the ledger)"
    said = {"record": record.id, "entry": logged.position, "kind": record.kind, "says": headline(record)}
    if as_json:
        print_json({**said, "verdict": verdict, "size": logged.head.size})
        return
    for name, value in said.items():
        out().print(f"{name}: {value}", soft_wrap=True)
    out().print(f"verdict: {verdict}", style="bold yellow")


def _verification_json(
    target: str, root: str | None, verified: VerifiedLedger, about: dict[str, object] | None
) -> JsonDict:
    head = verified.checkpoint.head
    return {
        "target": target,
        "verdict": verdict_of(verified, root),
        "pinned": root is not None,
        "complete": verified.complete,
        "root": verified.root_id,
        "origin": verified.checkpoint.origin,
        "size": head.size,
        "tree_root": head.root.hex(),
        "newest_cosignature": verified.newest_cosignature,
        "steps": [_step_json(step) for step in verified.steps],
        "record": about,
    }


def _step_json(step: Step) -> JsonDict:
    return {"number": step.number, "title": step.title, "status": str(step.status), "finding": step.finding}


@handled
def prove(
    record_id: Annotated[str, typer.Argument(metavar="ID", help="A record, or 8 or more of its first digits.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Default: <id>.tlog-proof.")
    ] = None,
    commons: LedgerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write an offline proof that a record is in the log, for anyone to keep."""
    with find_ledger(commons).reading() as ledger:
        full = resolve(ledger, record_id)
        proof, rules = ledger.prove(full), ledger.chain.current.rules
    path = output or Path(f"{full[:16]}.tlog-proof")
    write_file(path, proof.to_bytes())
    if as_json:
        said = {"file": str(path), "record": full, "entry": proof.index, "size": proof.checkpoint.head.size}
        print_json({**said, "log_key": str(rules.log_key), "origin": rules.origin})
        return
    out().print(str(path), soft_wrap=True)
    hint(f"anyone can check it: auzolan verify {path} --origin {rules.origin} --log-key {rules.log_key}")


@handled
def cosign(
    target: Annotated[str, typer.Argument(metavar="[DIR|URL]", help="The ledger to witness.")] = ".",
    key: Annotated[str | None, typer.Option("--key", metavar="NAME", help="Your witness key.")] = None,
    receive: Annotated[
        Path | None, typer.Option("--receive", metavar="FILE", help="Instead: add a witness's line from this file.")
    ] = None,
    root: RootOption = None,
    commons: LedgerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Witness a ledger: verify it, check that it continues what you saw, and cosign its checkpoint.

    Prints the cosignature line. In a commons on this machine it is put on the checkpoint at once;
    elsewhere send the line to whoever keeps the log, who runs `auzolan cosign --receive FILE`.
    """
    if receive is not None:
        line = _read_line(receive)
    else:
        found = find_target(target, commons)
        if found.files is None or not key or not root:
            raise UsageError("name a ledger, its root with --root ID, and your witness key with --key NAME")
        line = _witness(found, root, key)
        if found.private is None:
            print_json({"line": str(line)}) if as_json else out().print(str(line), end="", soft_wrap=True)
            return
    place = Commons(Path(target)) if receive is None and target != "." else find_commons(commons)
    with place.writing() as ledger:
        ledger.add_cosignature(line)
    print_json({"line": str(line)}) if as_json else out().print(str(line), end="", soft_wrap=True)


def _read_line(path: Path) -> NoteSignature:
    try:
        return read_signature_line(read_user_file(path).decode("utf-8").strip("\n"), str(path))
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not UTF-8") from None


def _witness(found: Target, root: str | None, key: str) -> NoteSignature:
    """Verify a ledger, check that it continues what this witness cosigned before, and sign its head."""
    assert found.files is not None, "checked by the caller"
    verified = run_verification(found, root, quiet=True)
    checkpoint, rules = verified.checkpoint, verified.chain.current.rules
    signing = open_key(key_store().find(key))
    memory = Memory(home_folder(), WITNESSED)
    with memory.locked(verified.root_id):
        last = memory.last(verified.root_id)
        old = last.size if last else 0
        reader = TileReader(found.files, checkpoint.head.size)
        proof = tuple(reader.consistency_proof(old)) if 0 < old <= checkpoint.head.size else ()
        request = AddCheckpoint(old, proof, checkpoint)
        seen = {checkpoint.origin: last} if last else {}
        memory.promise(verified.root_id, add_checkpoint(request, {checkpoint.origin: [rules.log_key]}, seen))
    return cosign_note(checkpoint.note.text, signing, int(time.time()))
