"""What a user points `verify` at: a folder, an address, a record, a file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from auzolan.cli.commons import Commons, PublishedCopy, find_ledger, read_user_file
from auzolan.core.record.checkpoint import PROOF_HEADER
from auzolan.core.record.errors import MissingError, UsageError
from auzolan.core.record.files import ReadFiles
from auzolan.core.record.findings import VerifiedLedger
from auzolan.core.record.published import CHECKPOINT
from auzolan.core.record.record import is_digest

_MAX_FILE_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True)
class Target:
    """A ledger, and perhaps one record or proof in question.

    Attributes:
        files: the published folder; None when only a proof file is at hand.
        private: private files beside it, if it is a commons on this machine.
        record: id, entry or first digits of the record in question.
        proof: bytes of a `.tlog-proof` file.
    """

    files: ReadFiles | None
    private: ReadFiles | None = None
    record: str | None = None
    proof: bytes | None = None


def find_target(text: str, commons: str | None) -> Target:
    """Return what `text` names.

    Raises:
        UsageError, MissingError: it names nothing that can be verified.
    """
    path = Path(text)
    if text == "." and not (path / CHECKPOINT).is_file():
        return _target(find_ledger(commons))
    if text.startswith(("http://", "https://")) or path.is_dir():
        return _target(find_ledger(text))
    if path.exists():
        return _file(path, commons)
    if len(text) >= 8 and all(c in "0123456789abcdef" for c in text):
        return replace(_target(find_ledger(commons)), record=text)
    raise MissingError(f"{text!r} is no folder, file, address or record id")


def _target(ledger: Commons | PublishedCopy) -> Target:
    return Target(ledger.public, ledger.private)


def _file(path: Path, commons: str | None) -> Target:
    data = read_user_file(path, _MAX_FILE_BYTES)
    if not data.startswith(PROOF_HEADER.encode()):
        return replace(_target(find_ledger(commons)), record=sha256(data).hexdigest())
    try:
        return replace(_target(find_ledger(commons)), proof=data)
    except MissingError:
        if commons:
            raise
        return Target(None, proof=data)


def find_verified(verified: VerifiedLedger, text: str) -> str:
    """Return the id of the record that `text` names: an id, an entry, or first digits of an id.

    Raises:
        MissingError: no verified record has it.
        UsageError: several begin so.
    """
    if text in verified.positions:
        return text
    ids = [record_id for record_id in verified.positions if record_id.startswith(text)]
    if len(ids) > 1:
        raise UsageError(f"several records begin with {text}; give more digits")
    if ids:
        return ids[0]
    if is_digest(text) and bytes.fromhex(text) in verified.entries:
        place = verified.entries.index(bytes.fromhex(text))
        return next(record_id for record_id, position in verified.positions.items() if position == place)
    raise MissingError(f"{text[:16]}… is not in this ledger: it was never logged, or it was changed since")
