"""The published part of a commons: where each file stands, and reading it.

    checkpoint        the newest signed tree head
    cosigned          an older one, kept while it has the newest cosignatures
    tile/             the Merkle tree and the entries (c2sp.org/tlog-tiles)
    records/ab/cd….dsse   envelopes, named by their SHA-256 (which is the log entry)
    blobs/ab/cd…          bytes that records name, by their SHA-256

So `sha256sum` on any record or blob prints its own name.
"""

from __future__ import annotations

from hashlib import sha256

from auzolan.core.record.checkpoint import Checkpoint, read_checkpoint
from auzolan.core.record.envelope import Envelope, read_envelope
from auzolan.core.record.errors import MalformedError, MissingError, VerificationError
from auzolan.core.record.files import ReadFiles

CHECKPOINT = "checkpoint"
COSIGNED = "cosigned"


def record_path(entry: str) -> str:
    """Return the path of the envelope whose SHA-256 is `entry`."""
    return f"records/{entry[:2]}/{entry[2:]}.dsse"


def blob_path(digest: str) -> str:
    """Return the path of the blob with this SHA-256."""
    return f"blobs/{digest[:2]}/{digest[2:]}"


class Published:
    """A published ledger, read-only."""

    def __init__(self, files: ReadFiles) -> None:
        self.files = files

    def checkpoint(self) -> Checkpoint:
        """Return the newest checkpoint, unchecked.

        Raises:
            MissingError: nothing is published here.
        """
        return read_checkpoint(self.files.read(CHECKPOINT))

    def cosigned(self) -> Checkpoint | None:
        """Return the older checkpoint with cosignatures, if one is kept."""
        try:
            return read_checkpoint(self.files.read(COSIGNED), COSIGNED)
        except MissingError:
            return None

    def envelope(self, entry: bytes) -> Envelope:
        """Return the envelope of a log entry; its bytes match, its signatures are unchecked.

        Raises:
            MissingError: the file is not here.
            VerificationError: its bytes are not those that were logged.
            MalformedError: they are, and still no valid record.
        """
        path = record_path(entry.hex())
        data = self.files.read(path)
        digest = sha256(data).digest()
        if digest != entry:
            raise VerificationError(f"{path[:22]}…: its bytes hash to {digest.hex()[:16]}…, not to what was logged")
        try:
            return read_envelope(data, "record")
        except MalformedError as error:
            raise MalformedError(f"{path[:22]}…: {error}") from None

    def check_blob(self, digest: str) -> str:
        """Return `digest` if the published blob has it.

        Raises:
            MissingError: the blob is not here.
            VerificationError: its bytes are others.
        """
        path = blob_path(digest)
        found = self.files.digest(path)
        if found != digest:
            raise VerificationError(f"{path[:20]}…: the published bytes hash to {found[:16]}…, not to what was signed")
        return digest
