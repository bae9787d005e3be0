"""Edge: where ballots and labels stand on this machine, so that whoever is in them can be found and forgotten.

A file `private/ballots/DIGEST` beside each such blob says whose it is: written
before the blob and kept whatever becomes of the record, so that not even a
crash, or a letter that was taken away to be signed, hides ballots from
`auzolan forget`. Only under the lock of the commons.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from hashlib import sha256

from auzolan.cli.commons import Commons, read_envelope_file
from auzolan.core.kinds import read_kind
from auzolan.core.record.canonical import JsonObject, as_object, canonical_bytes, read_json
from auzolan.core.record.envelope import Envelope
from auzolan.core.record.errors import AuzolanError
from auzolan.core.record.ledger import Ledger
from auzolan.core.record.record import PRIVATE_BLOB_PREFIX

PSEUDONYM_KEY = "pseudonym.key"
_FOLDER = "ballots"
_CONVERSATION, _LABELS_OF, _PROPOSED = "conversation", "labels_of", "proposed"


@dataclass(frozen=True)
class Shelf:
    """The ballots of a commons on this machine."""

    place: Commons
    ledger: Ledger

    def pseudonym_key(self) -> bytes:
        """Return the commons' own key of pseudonyms, made when it is first needed."""
        files = self.place.private
        if not files.exists(PSEUDONYM_KEY):
            files.write_all({PSEUDONYM_KEY: secrets.token_bytes(32)})
        return files.read(PSEUDONYM_KEY)

    def keep_ballots(self, name: str, data: bytes, privacy: str, conversation: str) -> dict[str, str]:
        """Keep ballots, in public only where the rules say so; return blob name -> digest."""
        return self._keep(name, data, privacy, {_CONVERSATION: conversation})

    def keep_labels(self, name: str, data: bytes, privacy: str, ballots: str) -> dict[str, str]:
        """Keep who is in which group of the ballots with this digest; return blob name -> digest."""
        return self._keep(name, data, privacy, {_LABELS_OF: ballots})

    def _keep(self, name: str, data: bytes, privacy: str, whose: JsonObject) -> dict[str, str]:
        if privacy == "public":
            return {name: self.ledger.stage_blob(data)}
        salt = secrets.token_bytes(32)
        digest = sha256(salt + data).hexdigest()
        self._mark(digest, whose)
        self.ledger.keep_private_blob(data, salt)
        return {PRIVATE_BLOB_PREFIX + name: digest}

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
