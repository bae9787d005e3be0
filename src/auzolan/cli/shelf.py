"""Edge: where ballots and labels stand on this machine, so that whoever is in them can be found and forgotten.

A file `private/ballots/DIGEST` beside each such blob says whose it is: written
before the blob and kept whatever becomes of the record, so that not even a
crash, or a letter that was taken away to be signed, hides ballots from
`auzolan forget`. Only under the lock of the commons.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from auzolan.cli.commons import Commons, read_envelope_file
from auzolan.core.kinds import read_kind
from auzolan.core.kinds.deliberate import Snapshot
from auzolan.core.record.canonical import JsonObject, as_object, canonical_bytes, read_json
from auzolan.core.record.envelope import Envelope
from auzolan.core.record.errors import AuzolanError, MissingError
from auzolan.core.record.ledger import Ledger
from auzolan.core.record.record import PRIVATE_BLOB_PREFIX, PRIVATE_SALT_BYTES

if TYPE_CHECKING:
    from auzolan.deliberate.ballots import Ballots

PSEUDONYM_KEY = "pseudonym.key"
_FOLDER = "ballots"
_CONVERSATION, _LABELS_OF, _PROPOSED, _KEY_CHECK = "conversation", "labels_of", "proposed", "key_check"
_COMMENTS_OF = "comments_of"


@dataclass(frozen=True)
class Shelf:
    """The ballots of a commons on this machine."""

    place: Commons
    ledger: Ledger

    def make_pseudonym_key(self) -> bytes:
        """Return the commons' own key of pseudonyms, made when votes are first imported."""
        if not self.place.private.exists(PSEUDONYM_KEY) and not self._digests():
            self.place.private.write_all({PSEUDONYM_KEY: secrets.token_bytes(32)})
        return self.pseudonym_key()

    def pseudonym_key(self) -> bytes:
        """Return the key that the pseudonyms here were made with.

        Raises:
            MissingError: it is lost: nobody can be found in the ballots by their id in the source.
        """
        files = self.place.private
        key = files.read(PSEUDONYM_KEY) if files.exists(PSEUDONYM_KEY) else b""
        checks = {whose.get(_KEY_CHECK) for _, whose in self._marks()} - {None}
        if not key or (checks and checks != {_key_check(key)}):
            raise MissingError(
                f"private/{PSEUDONYM_KEY} is lost or another one: restore it from a backup; until then participants "
                "are only found by their pseudonyms"
            )
        return key

    def keep_ballots(self, name: str, data: bytes, privacy: str, conversation: str) -> dict[str, str]:
        """Keep ballots, in public only where the rules say so; return blob name -> digest."""
        whose: JsonObject = {_CONVERSATION: conversation}
        if self.place.private.exists(PSEUDONYM_KEY):
            whose[_KEY_CHECK] = _key_check(self.place.private.read(PSEUDONYM_KEY))
        return self._keep(name, data, privacy, whose)

    def keep_labels(self, name: str, data: bytes, privacy: str, ballots: str) -> dict[str, str]:
        """Keep who is in which group of the ballots with this digest; return blob name -> digest."""
        return self._keep(name, data, privacy, {_LABELS_OF: ballots})

    def keep_comments(self, data: bytes, conversation: str) -> str:
        """Keep comments of an import, which are never public; return their digest."""
        (digest,) = self._keep("comments", data, "private", {_COMMENTS_OF: conversation}).values()
        return digest

    def _keep(self, name: str, data: bytes, privacy: str, whose: JsonObject) -> dict[str, str]:
        if privacy == "public":
            return {name: self.ledger.stage_blob(data)}
        salt = secrets.token_bytes(PRIVATE_SALT_BYTES)
        digest = sha256(salt + data).hexdigest()
        self._mark(digest, whose)
        self.ledger.keep_private_blob(data, salt)
        return {PRIVATE_BLOB_PREFIX + name: digest}

    def _digests(self) -> set[str]:
        """Return the digests of all ballots that are here, whatever the marks say."""
        committed = (self.ledger.envelope(row).claimed for row in self.ledger.index.rows(Snapshot.KIND))
        blobs = (record.blobs.get(PRIVATE_BLOB_PREFIX + Snapshot.BALLOTS, "") for record in committed)
        return {digest for digest in blobs if digest and self.ledger.has_private_blob(digest)} | set(self.ballots())

    def unmarked(self) -> list[str]:
        """Return ballots of committed snapshots that are here without a mark, which an incomplete backup lost."""
        return sorted(self._digests() - set(self.ballots()))

    def _mark(self, digest: str, whose: JsonObject) -> None:
        self.place.private.write_all({f"{_FOLDER}/{digest}": canonical_bytes(whose)})

    def _marks(self) -> Iterator[tuple[str, JsonObject]]:
        for path in self.place.private.paths(_FOLDER):
            yield path.split("/")[-1], as_object(read_json(self.place.private.read(path), path), path)

    def mark_proposed(self, digests: Collection[str]) -> None:
        """Remember that records name these, wherever their letters are now."""
        for digest, whose in list(self._marks()):
            if digest in digests:
                self._mark(digest, {**whose, _PROPOSED: True})

    def ballots(self) -> dict[str, str]:
        """Return digest -> conversation of all ballots that are here."""
        return {
            digest: str(whose[_CONVERSATION])
            for digest, whose in self._marks()
            if _CONVERSATION in whose and self.ledger.has_private_blob(digest)
        }

    def read(self, digest: str) -> Ballots:
        """Return ballots that are here; whether a record commits to them is not checked.

        Raises:
            MissingError, MalformedError: they are not here, or cannot be read.
        """
        from auzolan.deliberate.ballots import read_ballots

        return read_ballots(self.ledger.read_private_blob(digest)[PRIVATE_SALT_BYTES:])

    def labels_of(self, ballots: Collection[str]) -> set[str]:
        """Return the digests of labels that are about these ballots."""
        return {digest for digest, whose in self._marks() if whose.get(_LABELS_OF) in ballots}

    def sweep(self) -> None:
        """Erase what an interrupted command left: blobs that no record names and none was proposed for."""
        named = {digest for envelope in pending_envelopes(self.place) for digest in envelope.claimed.blobs.values()}
        left = [
            digest
            for digest, whose in list(self._marks())
            if digest not in named and not whose.get(_PROPOSED) and not self.ledger.index.holders(digest)
        ]
        self.drop(left)
        gone = (digest for digest, _ in list(self._marks()) if not self.ledger.has_private_blob(digest))
        self.place.private.remove_all([f"{_FOLDER}/{digest}" for digest in gone])

    def drop(self, digests: Collection[str]) -> None:
        """Erase those of these blobs that no committed record names."""
        free = [digest for digest in digests if not self.ledger.index.holders(digest)]
        self.ledger.drop_private_blobs(free)
        self.place.private.remove_all([f"{_FOLDER}/{digest}" for digest in free])


def _key_check(key: bytes) -> str:
    """Return what tells one key from another and nothing else about it."""
    return hmac.digest(key, b"auzolan: which key of pseudonyms", "sha256")[:8].hex()


def pending_envelopes(place: Commons) -> list[Envelope]:
    """Return the pending records that can be read; `auzolan pending` says what is wrong with others."""
    found = []
    for path in sorted(place.pending.glob("*.dsse")):
        try:
            envelope = read_envelope_file(path)
            read_kind(envelope.claimed)
        except AuzolanError:
            continue
        found.append(envelope)
    return found
