"""Signed notes and cosignatures (c2sp.org/signed-note, c2sp.org/tlog-cosignature v1).

A note is a text and signature lines. `read_note` only takes it apart;
`verify_note` returns the signatures that known keys really made.
Signature types 0x01 (Ed25519) and 0x04 (timestamped cosignature) are written
and checked; lines of other types are kept and ignored, as the specification
demands. Not here: ML-DSA-44 cosignatures (0x06).
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from auzolan.core.record.errors import MalformedError, UsageError, VerificationError
from auzolan.core.record.keys import (
    COSIGNATURE,
    ED25519,
    PublicKey,
    SigningKey,
    check_key_name,
    decode_base64,
)

MAX_NOTE_BYTES = 1_000_000
MAX_SIGNATURES = 128
_DASH = "\u2014 "


class NoteSignature(NamedTuple):
    """One signature line: the signer's name, the 4-byte key id, the signature's bytes."""

    name: str
    key_id: bytes
    blob: bytes

    def __str__(self) -> str:
        """Return the line, with its newline."""
        return f"{_DASH}{self.name} {base64.b64encode(self.key_id + self.blob).decode()}\n"


class Verified(NamedTuple):
    """A signature that was checked: by which key and, for cosignatures, when (POSIX seconds)."""

    key: PublicKey
    time: int | None


@dataclass(frozen=True)
class Note:
    """A text with its signatures, not yet checked."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def to_bytes(self) -> bytes:
        """Return the note as it is stored."""
        return (self.text + "\n" + "".join(map(str, self.signatures))).encode()

    def with_signature(self, line: NoteSignature) -> Note:
        """Return the note with `line` added, replacing one by the same key."""
        kept = [s for s in self.signatures if (s.name, s.key_id) != (line.name, line.key_id)]
        return Note(self.text, (*kept, line))


def read_note(data: bytes, what: str = "note") -> Note:
    """Take a signed note apart.

    Raises:
        MalformedError: not UTF-8, control characters, no signature lines, too large.
    """
    if len(data) > MAX_NOTE_BYTES:
        raise MalformedError(f"{what}: {len(data):,} bytes, at most {MAX_NOTE_BYTES:,} are read")
    try:
        content = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError(f"{what}: not UTF-8 (byte {error.start})") from None
    if any(character < " " and character != "\n" for character in content):
        raise MalformedError(f"{what}: holds a control character")
    text, separator, tail = content.rpartition("\n\n")
    if not separator or not text:
        raise MalformedError(f"{what}: expected text, a blank line and signature lines")
    if not tail.endswith("\n"):
        raise MalformedError(f"{what}: the last line does not end")
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise MalformedError(f"{what}: {len(lines)} signatures, at most {MAX_SIGNATURES} are read")
    return Note(text + "\n", tuple(read_signature_line(line, what) for line in lines))


def read_signature_line(line: str, what: str = "note") -> NoteSignature:
    """Parse one signature line, without its newline."""
    parts = line.removeprefix(_DASH).split(" ")
    if not line.startswith(_DASH) or len(parts) != 2:
        raise MalformedError(f"{what}: signature line {line[:60]!r} is not '— name base64'")
    blob = decode_base64(parts[1], f"{what}: signature by {parts[0][:60]!r}")
    if len(blob) < 5:
        raise MalformedError(f"{what}: signature by {parts[0][:60]!r} is too short")
    return NoteSignature(check_key_name(parts[0]), blob[:4], blob[4:])


def sign_note(text: str, key: SigningKey) -> NoteSignature:
    """Return the Ed25519 (0x01) signature line by `key` over `text`."""
    return NoteSignature(key.name, key.public.note_id, key.sign(text.encode()))


def cosign_note(text: str, key: SigningKey, time: int) -> NoteSignature:
    """Return the cosignature (0x04) line by `key` over a checkpoint's text at POSIX `time`.

    It says that at that time the tree head in `text` was the largest
    consistent one that the cosigner had seen for this log.
    """
    if not 0 <= time < 1 << 63:
        raise UsageError(f"cosignature: the time {time} is not between 0 and 2^63 - 1; check this machine's clock")
    blob = time.to_bytes(8, "big") + key.sign(_cosigned_message(text, time))
    return NoteSignature(key.name, key.witness_public.note_id, blob)


def _cosigned_message(text: str, time: int) -> bytes:
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def verify_note(note: Note, keys: Iterable[PublicKey], what: str = "note") -> list[Verified]:
    """Return the signatures on `note` by known keys, in their order.

    Checks: every signature whose name and key id match a known key must
    verify. Does not check: that any particular key, or any at all, has signed.

    Raises:
        VerificationError: a known key's signature does not fit the text.
    """
    known = {(key.name, key.note_id): key for key in keys}
    verified: dict[str, Verified] = {}
    for line in note.signatures:
        key = known.get((line.name, line.key_id))
        if key is None:
            continue
        if key.kind == ED25519:
            key.verify(line.blob, note.text.encode(), what)
            verified[str(key)] = Verified(key, None)
        elif key.kind == COSIGNATURE:
            if len(line.blob) != 72 or line.blob[0] & 0x80:
                raise VerificationError(f"{what}: the cosignature by {key.name} has the wrong form")
            time = int.from_bytes(line.blob[:8], "big")
            key.verify(line.blob[8:], _cosigned_message(note.text, time), what)
            verified[str(key)] = Verified(key, time)
    return list(verified.values())
