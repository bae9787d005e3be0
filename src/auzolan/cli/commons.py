"""Edge: finding a commons on this disk, opening its ledger, keys and passphrases."""

from __future__ import annotations

import getpass
import os
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from auzolan.core.kinds import read_kind
from auzolan.core.record.canonical import JsonObject, check_signable
from auzolan.core.record.disk import DiskFiles, exclusive_lock
from auzolan.core.record.envelope import Envelope, read_envelope
from auzolan.core.record.errors import MalformedError, MissingError, StorageError, UsageError
from auzolan.core.record.files import MAX_READ_BYTES, ReadFiles
from auzolan.core.record.index import Index, is_damage
from auzolan.core.record.keys import PublicKey, SigningKey, read_public_key
from auzolan.core.record.keystore import PROMISED, KeyStore, Memory, home_folder
from auzolan.core.record.ledger import Ledger
from auzolan.core.record.published import CHECKPOINT
from auzolan.core.record.view import LedgerView
from auzolan.core.record.web import WebFiles

GOVERNANCE_FILE = "governance.toml"
_MAX_PASSPHRASE_BYTES = 4096
_passphrase_descriptor: int | None = None
_passphrases: dict[str, bytes] = {}


@dataclass(frozen=True)
class Commons:
    """The folder of a commons and what stands where in it."""

    root: Path

    @property
    def governance_file(self) -> Path:
        """The working copy of the rules; the ones in force stand in the ledger."""
        return self.root / GOVERNANCE_FILE

    @property
    def pending(self) -> Path:
        """Records that still lack signatures or have not been committed."""
        return self.root / "pending"

    @property
    def public(self) -> DiskFiles:
        """The published part."""
        return DiskFiles(self.root / "ledger", self.root / "private" / "tmp")

    @property
    def private(self) -> DiskFiles:
        """What is never published."""
        return DiskFiles(self.root / "private", private=True)

    @contextmanager
    def reading(self) -> Iterator[Ledger]:
        """Open the ledger to read it; where the index cannot be written, one in memory serves."""
        index, ledger = self._load(Index.for_reading)
        try:
            yield ledger
        finally:
            index.close()

    def _load(self, open_index: Callable[[Path], Index]) -> tuple[Index, Ledger]:
        """Load the ledger; a damaged index is derived data, so it is made again."""
        path = self.root / "index.sqlite"
        for attempt in ("as it is", "made again"):
            try:
                index = open_index(path)
                return index, Ledger(self.public, self.private, index, read_kind).load()
            except sqlite3.DatabaseError as error:
                damaged = is_damage(error) or isinstance(error, sqlite3.IntegrityError)
                if attempt == "made again" or not damaged:
                    raise StorageError(f"cannot use the index {path}: {error}") from None
                for left in self.root.glob("index.sqlite*"):
                    left.unlink()
        raise AssertionError("unreachable: the second attempt returns or raises")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from writing this commons meanwhile."""
        with exclusive_lock(self.root / "private" / "lock"):
            self.public.clear_temporary()
            yield

    @contextmanager
    def writing(self) -> Iterator[Ledger]:
        """Open the ledger to write it, alone."""
        with self.locked():
            index, ledger = self._load(Index)
            try:
                ledger.finish_erasures()
                yield ledger
            finally:
                index.close()

    def pending_path(self, record_id: str) -> Path:
        """Return the file of a pending record."""
        return self.pending / f"{record_id}.dsse"

    def write_pending(self, envelope: Envelope) -> Path:
        """Write a pending record, keeping signatures that its file already has."""
        path = self.pending_path(envelope.claimed.id)
        if path.exists():
            envelope = envelope.with_signatures(list(read_envelope_file(path).signatures))
        write_envelope_file(path, envelope)
        return path


@dataclass(frozen=True)
class PublishedCopy:
    """A ledger that somebody published: a folder or an address, to be read and never written."""

    public: ReadFiles
    private: None = None

    @contextmanager
    def reading(self) -> Iterator[LedgerView]:
        """Read it through an index in memory, which checks every signature while it is made."""
        index = Index(None)
        try:
            yield LedgerView(self.public, DiskFiles(Path("/nonexistent")), index).load()
        finally:
            index.close()


def find_ledger(start: str | None) -> Commons | PublishedCopy:
    """Return what `--commons` names, for reading: a commons, a published folder, or an address.

    Raises:
        MissingError: there is nothing of the kind.
    """
    if start is None:
        return find_commons(None)
    if start.startswith(("http://", "https://")):
        return PublishedCopy(web_ledger(start))
    path = Path(start)
    if (path / GOVERNANCE_FILE).is_file() and (path / "private").is_dir():
        return Commons(path)
    for folder in (path / "ledger", path):
        if (folder / CHECKPOINT).is_file():
            return PublishedCopy(DiskFiles(folder))
    return find_commons(start)


def web_ledger(url: str) -> WebFiles:
    """Return the ledger at an address, or in the folder `ledger` below it.

    Raises:
        MissingError: neither has a checkpoint.
    """
    files = WebFiles(url)
    try:
        files.read(CHECKPOINT)
    except MissingError:
        files = WebFiles(url.rstrip("/") + "/ledger")
        files.read(CHECKPOINT)
    return files


def find_commons(start: str | None) -> Commons:
    """Return the commons at `start`, or around the current folder.

    Raises:
        MissingError: there is none.
    """
    if start is not None:
        if not (Path(start) / GOVERNANCE_FILE).is_file():
            raise MissingError(f"{start} is not a commons (it has no {GOVERNANCE_FILE})")
        return Commons(Path(start))
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / GOVERNANCE_FILE).is_file():
            return Commons(folder)
    raise MissingError("no commons here; go to its folder, name it with --commons, or make one with `auzolan init`")


def read_envelope_file(path: Path) -> Envelope:
    """Return the envelope in a file; signatures unchecked."""
    return read_envelope(read_user_file(path), str(path))


def read_user_file(path: Path, limit: int = MAX_READ_BYTES) -> bytes:
    """Return the bytes of a plain file that the user named; a pipe or a device might never end.

    Raises:
        UsageError: it cannot be read, is no plain file, or is larger than `limit` bytes.
    """
    try:
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise UsageError(f"cannot read {path}: it is no plain file")
            data = stream.read(limit + 1)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    if len(data) > limit:
        raise UsageError(f"cannot read {path}: it is larger than {limit:,} bytes")
    return data


def write_envelope_file(path: Path, envelope: Envelope) -> None:
    """Write an envelope whole."""
    write_file(path, envelope.canonical)


def write_file(path: Path, data: bytes) -> None:
    """Write a file of the user's so that it is whole or untouched."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise StorageError(f"cannot write {path}: {error.strerror}") from None


def read_toml(path: Path) -> JsonObject:
    """Return a TOML file as JSON without floats and dates.

    Raises:
        UsageError: not TOML, or with values that cannot be signed.
    """
    import tomllib

    try:
        table: JsonObject = tomllib.loads(read_user_file(path).decode("utf-8"))
        check_signable(table, path.name)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, MalformedError, RecursionError) as error:
        raise UsageError(f"{path}: {error}") from None
    return table


def read_key(text: str) -> PublicKey:
    """Return the public key that a user typed, or the one of their own that they named.

    Raises:
        UsageError: it is none.
    """
    if "+" not in text:
        return key_store().find(text)
    try:
        return read_public_key(text)
    except MalformedError as error:
        raise UsageError(str(error)) from None


def key_store() -> KeyStore:
    """Return this person's keys."""
    return KeyStore(home_folder())


def promises() -> Memory:
    """Return what this machine has promised to sign."""
    return Memory(home_folder(), PROMISED)


def use_passphrase_descriptor(descriptor: int | None) -> None:
    """Read the passphrase from this file descriptor instead of asking."""
    global _passphrase_descriptor
    _passphrase_descriptor = descriptor


def ask_passphrase(prompt: str, twice: bool = False) -> bytes:
    """Return a passphrase from the descriptor, AUZOLAN_PASSPHRASE_FILE or a prompt, never from arguments.

    Raises:
        UsageError: there is no terminal to ask at, or the two entries differ.
    """
    if _passphrase_descriptor is not None:
        return _first_line(os.dup(_passphrase_descriptor))
    if path := os.environ.get("AUZOLAN_PASSPHRASE_FILE"):
        return _first_line(path)
    if not sys.stdin.isatty():
        raise UsageError("no terminal to ask for a passphrase; set AUZOLAN_PASSPHRASE_FILE or use --passphrase-fd")
    first = getpass.getpass(f"{prompt}: ")
    if twice and getpass.getpass("Again, to be sure: ") != first:
        raise UsageError("the two passphrases differ; nothing was written")
    return first.encode()


def _first_line(source: int | str) -> bytes:
    if "" not in _passphrases:
        try:
            with open(source, "rb") as stream:
                _passphrases[""] = stream.readline(_MAX_PASSPHRASE_BYTES).rstrip(b"\r\n")
        except OSError as error:
            raise UsageError(f"cannot read the passphrase: {error.strerror}") from None
    if not _passphrases[""]:
        raise UsageError("the passphrase is empty")
    return _passphrases[""]


def create_key(name: str, demo: bool) -> PublicKey:
    """Make a key of this person's; its passphrase is not asked again by the same command."""
    if demo:
        return key_store().create(name, b"")
    passphrase = ask_passphrase(f"New passphrase for {name}", twice=True)
    public = key_store().create(name, passphrase)
    _passphrases[public.keyid] = passphrase
    return public


def open_key(public: PublicKey) -> SigningKey:
    """Open a secret key of this person, asking once for its passphrase."""

    def ask(found: PublicKey) -> bytes:
        if found.keyid not in _passphrases:
            _passphrases[found.keyid] = ask_passphrase(f"Passphrase of key {found.name}")
        return _passphrases[found.keyid]

    try:
        return key_store().open(public, ask)
    except UsageError:
        _passphrases.pop(public.keyid, None)  # a wrong one must not be used again
        raise
