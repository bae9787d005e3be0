"""What a user points `verify` at: a folder, an address, a record, a file."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from auzolan.cli.commons import Commons, find_commons
from auzolan.core.record.checkpoint import PROOF_HEADER
from auzolan.core.record.disk import DiskFiles
from auzolan.core.record.errors import MissingError, UsageError
from auzolan.core.record.files import ReadFiles
from auzolan.core.record.findings import VerifiedLedger
from auzolan.core.record.published import CHECKPOINT
from auzolan.core.record.record import is_digest
from auzolan.core.record.web import WebFiles

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


def find_target(text: str, commons: Path | None) -> Target:
    """Return what `text` names.

    Raises:
        UsageError, MissingError: it names nothing that can be verified.
    """
    if text.startswith(("http://", "https://")):
        return Target(_web_ledger(text))
    path = Path(text)
    if path.is_dir():
        if text == "." and not (path / CHECKPOINT).is_file():
            return _of_commons(find_commons(commons))
        return _folder(path)
    if path.is_file():
        return _file(path, commons)
    if len(text) >= 8 and all(c in "0123456789abcdef" for c in text):
        inside = _of_commons(find_commons(commons))
        return Target(inside.files, inside.private, record=text)
    raise MissingError(f"{text!r} is no folder, file, address or record id")


def _of_commons(commons: Commons) -> Target:
    return Target(commons.public, commons.private)


def _folder(path: Path) -> Target:
    if (path / "ledger" / CHECKPOINT).is_file():
        return _of_commons(Commons(path)) if (path / "private").is_dir() else Target(DiskFiles(path / "ledger"))
    if (path / CHECKPOINT).is_file():
        return Target(DiskFiles(path))
    raise MissingError(f"{path} is neither a commons nor a published ledger (it has no checkpoint)")


def _web_ledger(url: str) -> WebFiles:
    files = WebFiles(url)
    try:
        files.read(CHECKPOINT)
    except MissingError:
        inner = WebFiles(url.rstrip("/") + "/ledger")
        inner.read(CHECKPOINT)
        return inner
    return files


def _file(path: Path, commons: Path | None) -> Target:
    with path.open("rb") as stream:
        data = stream.read(_MAX_FILE_BYTES + 1)
    if len(data) > _MAX_FILE_BYTES:
        raise UsageError(f"{path}: larger than {_MAX_FILE_BYTES:,} bytes")
    if data.startswith(PROOF_HEADER.encode()):
        try:
            inside = _of_commons(find_commons(commons))
        except MissingError:
            if commons:
                raise
            return Target(None, proof=data)
        return Target(inside.files, inside.private, proof=data)
    inside = _of_commons(find_commons(commons))
    return Target(inside.files, inside.private, record=sha256(data).hexdigest())


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
