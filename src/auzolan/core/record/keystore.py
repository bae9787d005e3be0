"""Edge: one person's keys and memories, outside any commons.

    keys/NAME.json     secret keys, sealed with a passphrase (`keys`)
    promised/          the largest head promised for each log that this machine signs
    seen/              the largest head that this machine verified, per commons
    witnessed/         the largest head that this machine cosigned, per log

The folder is AUZOLAN_HOME, else $XDG_CONFIG_HOME/auzolan, else
~/.config/auzolan. The memories are what makes a rolled-back ledger visible, so
they do not belong into the same backup as the commons.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from auzolan.core.record.canonical import as_int, as_object, canonical_bytes, read_json
from auzolan.core.record.checkpoint import TreeHead
from auzolan.core.record.disk import DiskFiles, exclusive_lock
from auzolan.core.record.errors import MalformedError, MissingError, StorageError, UsageError
from auzolan.core.record.keys import (
    DEMO_PREFIX,
    PublicKey,
    SigningKey,
    check_key_name,
    decrypt_key,
    encrypt_key,
    read_key_file,
)
from auzolan.core.record.record import check_digest

DEMO_PASSPHRASE = b"demo"
_DEMO_LOG2_N = 4
PROMISED, SEEN, WITNESSED = "promised", "seen", "witnessed"


def home_folder() -> Path:
    """Return where keys and memories live on this machine."""
    if chosen := os.environ.get("AUZOLAN_HOME"):
        return Path(chosen)
    base = os.environ.get("XDG_CONFIG_HOME")
    try:
        return (Path(base) if base else Path.home() / ".config") / "auzolan"
    except RuntimeError:
        raise UsageError("this user has no home folder; say where keys live with AUZOLAN_HOME") from None


def _file_name(key_name: str) -> str:
    return "keys/" + "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in key_name) + ".json"


class KeyStore:
    """Keys in a folder that only its owner can read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = DiskFiles(folder, private=True)

    def create(self, name: str, passphrase: bytes) -> PublicKey:
        """Make and seal a new key; a name that begins with `demo/` makes a throw-away one.

        Raises:
            UsageError: there is such a key already.
        """
        check_key_name(name)
        with exclusive_lock(self._folder / "lock"):
            if any(key.name == name for key in self.public_keys()):
                raise UsageError(f"there is a key {name!r} in {self._folder} already")
            path = _file_name(name)
            if self._files.exists(path):  # another name, alike once it is reduced to a file name
                path = _file_name(f"{name}-{sha256(name.encode()).hexdigest()[:16]}")
            key = SigningKey(name, secrets.token_bytes(32))
            salt = secrets.token_bytes(16)
            if name.startswith(DEMO_PREFIX):
                data = encrypt_key(key, DEMO_PASSPHRASE, salt, _DEMO_LOG2_N)
            else:
                data = encrypt_key(key, passphrase, salt)
            self._files.write_all({path: data})
        return key.public

    def _key_files(self) -> Iterator[tuple[PublicKey, bytes]]:
        for path in self._files.paths("keys"):
            if path.endswith(".json"):  # editors and file managers leave others
                data = self._files.read(path)
                try:
                    yield read_key_file(data), data
                except MalformedError as error:
                    raise MalformedError(f"{self._folder / path}: {error}") from None

    def public_keys(self) -> list[PublicKey]:
        """Return the public parts of all keys, by name."""
        return sorted((public for public, _ in self._key_files()), key=lambda key: key.name)

    def find(self, wanted: str) -> PublicKey:
        """Return the key of that name.

        Raises:
            MissingError: there is none.
        """
        for key in self.public_keys():
            if key.name == wanted:
                return key
        have = ", ".join(key.name for key in self.public_keys()) or "none"
        raise MissingError(f"no key {wanted!r} in {self._folder}; keys here: {have}")

    def open(self, public: PublicKey, ask: Callable[[PublicKey], bytes]) -> SigningKey:
        """Open the secret of a public key, asking for the passphrase unless it is a throw-away key.

        Raises:
            MissingError: its secret is not here.
            UsageError: the passphrase does not fit.
        """
        for found, data in self._key_files():
            if found.raw == public.raw:
                return decrypt_key(data, DEMO_PASSPHRASE if found.is_demo else ask(found))
        raise MissingError(f"the secret of key {public.name} is not in {self._folder}")


class Memory:
    """Tree heads by name, a file each: promised, seen or witnessed ones."""

    def __init__(self, folder: Path, kind: str) -> None:
        self._home = folder
        self._folder = folder / kind
        self._kind = kind
        self._files = DiskFiles(folder, private=True)

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Keep other processes from deciding about the same log meanwhile."""
        try:
            self._home.mkdir(0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"cannot write {self._home}: {error.strerror}") from None
        with exclusive_lock(self._folder / f"{_memory_name(name)}.lock"):
            yield

    def last(self, name: str) -> TreeHead | None:
        """Return the head remembered under `name`, or None."""
        path = f"{self._kind}/{_memory_name(name)}.json"
        try:
            fields = as_object(read_json(self._files.read(path), path), path)
        except MissingError:
            return None
        root = check_digest(fields.get("root"), f"{self._folder / path}: root")
        return TreeHead(as_int(fields.get("size"), f"{self._folder / path}: size"), bytes.fromhex(root))

    def promise(self, name: str, head: TreeHead) -> None:
        """Remember `head` under `name`, durably."""
        data = canonical_bytes({"name": name, "size": head.size, "root": head.root.hex()})
        self._files.write_all({f"{self._kind}/{_memory_name(name)}.json": data + b"\n"})


def _memory_name(name: str) -> str:
    return sha256(name.encode()).hexdigest()[:32]
