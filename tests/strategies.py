"""Hypothesis strategies for the values and bytes of the record spine.

Importing this module makes property tests deterministic: the same examples in
every run, and no deadline on any of them.
"""

from __future__ import annotations

from hashlib import sha256

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from auzolan.core.record.canonical import MAX_INTEGER, JsonObject, JsonValue
from auzolan.core.record.checkpoint import Checkpoint, LogProof, TreeHead, checkpoint_text, read_checkpoint
from auzolan.core.record.envelope import Envelope
from auzolan.core.record.keys import PublicKey, SigningKey
from auzolan.core.record.merkle import MAX_SIZE
from auzolan.core.record.note import Note, NoteSignature, cosign_note, sign_note
from auzolan.core.record.record import Record
from tests.town import CLINIC, LIBRARY, LOG, SCHOOL, WITNESS

settings.register_profile(
    "auzolan",
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("auzolan")

SIGNERS = (LIBRARY, SCHOOL, CLINIC)


def texts(max_size: int = 20) -> st.SearchStrategy[str]:
    """Return text without lone surrogates, rich in characters that parsers stumble over."""
    awkward = st.sampled_from(
        ["", "\u2028", "\u0085", "\r\n", "\x00", "\x1b[31m", "\u202e", "\u200d", "١٢", "１", "\ufeff", "é", "e\u0301"]
    )
    ordinary = st.text(st.characters(exclude_categories=["Cs"]), max_size=max_size)
    return ordinary | awkward


def integers() -> st.SearchStrategy[int]:
    """Return integers that may be signed, the outermost ones among them."""
    return st.integers(-MAX_INTEGER, MAX_INTEGER) | st.sampled_from([0, 1, -1, MAX_INTEGER, -MAX_INTEGER])


def json_values(max_leaves: int = 12) -> st.SearchStrategy[JsonValue]:
    """Return JSON values that may be signed."""
    scalars: st.SearchStrategy[JsonValue] = st.none() | st.booleans() | integers() | texts()
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts(8), inner, max_size=4),
        max_leaves=max_leaves,
    )


def json_objects() -> st.SearchStrategy[JsonObject]:
    """Return JSON objects that may be signed."""
    return st.dictionaries(texts(8), json_values(), max_size=4)


def digests() -> st.SearchStrategy[bytes]:
    """Return 32 bytes."""
    return st.binary(min_size=32, max_size=32)


def hex_digests() -> st.SearchStrategy[str]:
    """Return SHA-256 values in hexadecimal."""
    return digests().map(bytes.hex)


def kinds() -> st.SearchStrategy[str]:
    """Return kinds of records."""
    return st.from_regex(r"\A[a-z][a-z0-9-]{0,20}/v[1-9][0-9]{0,2}\Z")


def names() -> st.SearchStrategy[str]:
    """Return names of links and blobs."""
    return st.from_regex(r"\A[a-z][a-z0-9_.-]{0,20}\Z")


def records() -> st.SearchStrategy[Record]:
    """Return records of any kind."""
    named = st.dictionaries(names(), hex_digests(), max_size=3)
    return st.builds(Record, kinds(), json_objects(), named, named)


def seeds() -> st.SearchStrategy[bytes]:
    """Return seeds of secret keys."""
    return digests()


def key_names() -> st.SearchStrategy[str]:
    """Return names that a key may have."""
    plain = st.from_regex(r"\A[a-zA-Z0-9./_-]{1,30}\Z")
    wide = st.text(st.characters(categories=["L", "N", "P", "S"], exclude_characters="+"), min_size=1, max_size=30)
    return plain | wide


def signing_keys() -> st.SearchStrategy[SigningKey]:
    """Return secret keys."""
    return st.builds(SigningKey, key_names(), seeds())


def public_keys() -> st.SearchStrategy[PublicKey]:
    """Return public keys of both types."""
    return signing_keys().flatmap(lambda key: st.sampled_from([key.public, key.witness_public]))


def signed_envelopes() -> st.SearchStrategy[Envelope]:
    """Return envelopes signed by one to three of the town's keys."""

    def signed(record: Record, keys: list[SigningKey]) -> Envelope:
        envelope = Envelope(record)
        for key in keys:
            envelope = envelope.signed_by(key)
        return envelope

    return st.builds(signed, records(), st.lists(st.sampled_from(SIGNERS), min_size=1, max_size=3, unique=True))


def note_texts() -> st.SearchStrategy[str]:
    """Return texts of notes: no control characters but newlines, ending in one."""
    lines = st.text(st.characters(exclude_categories=["Cs"], min_codepoint=32), max_size=20)
    awkward = st.sampled_from(["\u2028", "\u0085", "\u2014 ", "\u2014 a b", "", " "])
    return (
        st.lists(lines | awkward, min_size=1, max_size=5)
        .map(lambda parts: "\n".join(parts) + "\n")
        .filter(lambda text: text != "\n")
    )


def signature_lines() -> st.SearchStrategy[NoteSignature]:
    """Return signature lines by nobody known."""
    return st.builds(NoteSignature, key_names(), st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=90))


def times() -> st.SearchStrategy[int]:
    """Return POSIX seconds that a cosignature may carry."""
    return st.integers(0, MAX_SIZE) | st.sampled_from([0, MAX_SIZE])


def signed_notes() -> st.SearchStrategy[Note]:
    """Return notes signed by the log key, perhaps cosigned, perhaps with lines of others."""

    def build(text: str, time: int | None, others: list[NoteSignature]) -> Note:
        note = Note(text, (sign_note(text, LOG),))
        if time is not None:
            note = note.with_signature(cosign_note(text, WITNESS, time))
        return Note(note.text, (*note.signatures, *others))

    return st.builds(build, note_texts(), st.none() | times(), st.lists(signature_lines(), max_size=2))


def tree_heads() -> st.SearchStrategy[TreeHead]:
    """Return heads of trees of any size."""
    return st.builds(TreeHead, st.integers(0, MAX_SIZE), digests())


def origins() -> st.SearchStrategy[str]:
    """Return first lines of checkpoints."""
    return st.text(st.characters(exclude_categories=["Cs"], min_codepoint=32), min_size=1, max_size=40)


def checkpoints() -> st.SearchStrategy[Checkpoint]:
    """Return checkpoints signed by the town's log key."""

    def build(origin: str, head: TreeHead) -> Checkpoint:
        text = checkpoint_text(origin, head)
        return read_checkpoint(Note(text, (sign_note(text, LOG),)).to_bytes())

    return st.builds(build, origins(), tree_heads())


def log_proofs() -> st.SearchStrategy[LogProof]:
    """Return offline proofs, well-formed but not true."""
    hashes = st.lists(digests(), max_size=63).map(tuple)
    return st.builds(LogProof, st.integers(0, MAX_SIZE), hashes, checkpoints(), st.binary(max_size=60))


def entry_lists(max_size: int = 20) -> st.SearchStrategy[list[bytes]]:
    """Return entries of a log, the empty one among them."""
    return st.lists(st.binary(max_size=50), max_size=max_size)


def leaves(count: int) -> list[bytes]:
    """Return `count` different leaf hashes, the same ones every time."""
    return [sha256(b"leaf %d" % number).digest() for number in range(count)]


def flipped(data: bytes, bit: int) -> bytes:
    """Return `data` with one bit inverted, counted from the first byte's lowest."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)
