"""Ed25519 keys (RFC 8032): names, public keys, signing, encryption at rest.

A public key is written as a C2SP verifier key, "name+id+base64(type || key)"
(c2sp.org/signed-note), and identified in envelopes by the SHA-256 of its 32
bytes. A secret key is written as JSON: its seed under scrypt (RFC 7914) and
ChaCha20-Poly1305 (RFC 8439), the public part bound in as associated data.

Throw-away keys for demonstrations carry the mark `demo/` in their name, which
is hashed into every verifier key, so that it is not lost by accident. Somebody
who wants to can give the same key another name.

What is not here: files and prompts (`keystore`), thresholds (`authority`).
"""

from __future__ import annotations

import base64
import binascii
import unicodedata
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from auzolan.core.record.canonical import JsonObject, as_int, as_object, as_text, canonical_bytes, read_json
from auzolan.core.record.errors import MalformedError, StorageError, UsageError, VerificationError

ED25519 = 0x01
COSIGNATURE = 0x04
DEMO_PREFIX = "demo/"
KEY_FORMAT = "auzolan-key/v1"
SCRYPT_LOG2_N = 16
_SEED_SIZE = 32
_MAX_NAME = 128

# Points of small order, with which one signature can fit many messages; checked
# by arithmetic in tests/core/record/test_keys.py. The last ones are encodings
# of the same points that RFC 8032 does not allow but libraries read.
_SMALL_ORDER = frozenset(
    bytes.fromhex(text)
    for text in (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    )
)


def check_key_name(name: str) -> str:
    """Return `name` if a verifier key may carry it, else raise MalformedError.

    Key names are non-empty, without spaces, "+" or control characters (c2sp.org/signed-note).
    """
    # Unassigned characters pass: which ones they are differs between versions of Unicode.
    bad = [c for c in name if c == "+" or c.isspace() or unicodedata.category(c) in ("Cc", "Cf", "Co", "Cs")]
    if not name or len(name) > _MAX_NAME or bad:
        raise MalformedError(
            f"key name {name[:60]!r}: expected 1 to {_MAX_NAME} characters without spaces, '+' or control characters"
        )
    return name


def decode_base64(text: str, what: str) -> bytes:
    """Return the bytes of strict base64 (RFC 4648 section 4), else raise MalformedError."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedError(f"{what}: not base64") from None
    if base64.b64encode(data).decode() != text:
        raise MalformedError(f"{what}: base64 with stray bits")
    return data


@dataclass(frozen=True)
class PublicKey:
    """A named Ed25519 public key of one signature type.

    Attributes:
        name: as shown to people; bound into the verifier key.
        raw: the 32 bytes of RFC 8032.
        kind: `ED25519` for records and checkpoints, `COSIGNATURE` for witnesses.
    """

    name: str
    raw: bytes
    kind: int = ED25519

    def __post_init__(self) -> None:
        check_key_name(self.name)
        if len(self.raw) != 32:
            raise MalformedError(f"key {self.name}: expected 32 bytes, got {len(self.raw)}")
        if self.raw in _SMALL_ORDER:
            raise MalformedError(f"key {self.name}: a point of small order, with which anyone can sign")
        if self.kind not in (ED25519, COSIGNATURE):
            raise MalformedError(f"key {self.name}: signature type 0x{self.kind:02x} is not supported")

    @cached_property
    def keyid(self) -> str:
        """SHA-256 of the 32 key bytes, in hexadecimal: the same key has one id under any name."""
        return sha256(self.raw).hexdigest()

    @cached_property
    def note_id(self) -> bytes:
        """The 4-byte key id of c2sp.org/signed-note."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.raw).digest()[:4]

    @property
    def is_demo(self) -> bool:
        """Whether this is a throw-away key for demonstrations."""
        return self.name.startswith(DEMO_PREFIX)

    def __str__(self) -> str:
        """Return the verifier key."""
        material = base64.b64encode(bytes([self.kind]) + self.raw).decode()
        return f"{self.name}+{self.note_id.hex()}+{material}"

    def verify(self, signature: bytes, message: bytes, what: str) -> bytes:
        """Return `message` if `signature` over it is by this key, else raise VerificationError."""
        try:
            self._loaded.verify(signature, message)
        except InvalidSignature:
            raise VerificationError(f"{what}: the signature by {self.name} does not fit the content") from None
        return message

    @cached_property
    def _loaded(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(self.raw)


def read_public_key(text: str) -> PublicKey:
    """Parse a verifier key.

    Raises:
        MalformedError: not name+id+base64, an id that does not match, or an unknown type.
    """
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise MalformedError(f"public key {text[:60]!r}: expected name+id+base64")
    name, shown_id, encoded = parts
    material = decode_base64(encoded, f"public key {name[:60]!r}")
    if not material:
        raise MalformedError(f"public key {name[:60]!r}: empty")
    key = PublicKey(name, material[1:], material[0])
    if shown_id != key.note_id.hex():
        raise MalformedError(f"public key {name}: its id is {key.note_id.hex()}, but {shown_id[:16]!r} is written")
    return key


@dataclass(frozen=True)
class SigningKey:
    """A secret key; its seed never shows in `repr` or in errors."""

    name: str
    seed: bytes = field(repr=False)

    @cached_property
    def public(self) -> PublicKey:
        """The key that others check with."""
        return PublicKey(self.name, self._loaded.public_key().public_bytes_raw())

    @cached_property
    def witness_public(self) -> PublicKey:
        """The same key as a witness presents it (type 0x04)."""
        return PublicKey(self.name, self.public.raw, COSIGNATURE)

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte Ed25519 signature over `message`."""
        return self._loaded.sign(message)

    @cached_property
    def _loaded(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)


def encrypt_key(key: SigningKey, passphrase: bytes, salt: bytes, log2_n: int = SCRYPT_LOG2_N) -> bytes:
    """Return the key file of `key`.

    Args:
        key: what to protect.
        passphrase: any bytes, not empty.
        salt: 16 fresh random bytes; also gives the nonce, as the derived key is used once.
        log2_n: scrypt cost (r = 8, p = 1); 16 takes 64 MiB of memory.
    """
    if not passphrase:
        raise UsageError("a key needs a passphrase that is not empty")
    header: JsonObject = {
        "format": KEY_FORMAT,
        "public": str(key.public),
        "scrypt_log2_n": log2_n,
        "salt": salt.hex(),
    }
    cipher = ChaCha20Poly1305(_derive(passphrase, salt, log2_n))
    sealed = cipher.encrypt(salt[:12], key.seed, canonical_bytes(header))
    return canonical_bytes({**header, "sealed": sealed.hex()}) + b"\n"


def read_key_file(data: bytes) -> PublicKey:
    """Return the public part of a key file; its secret stays sealed."""
    fields = as_object(read_json(data, "key file"), "key file")
    if fields.get("format") != KEY_FORMAT:
        raise MalformedError(f"key file: expected format {KEY_FORMAT}")
    return read_public_key(as_text(fields.get("public"), "key file: public"))


def decrypt_key(data: bytes, passphrase: bytes) -> SigningKey:
    """Open a key file.

    Raises:
        MalformedError: not a key file.
        UsageError: the passphrase does not open it.
        StorageError: this machine has not the memory that it takes.
    """
    public = read_key_file(data)
    fields = as_object(read_json(data, "key file"), "key file")
    log2_n = as_int(fields.get("scrypt_log2_n"), "key file: scrypt_log2_n", at_least=4)
    if log2_n > 20:
        raise MalformedError(f"key file: scrypt cost 2^{log2_n} is more than this program will spend")
    try:
        salt = bytes.fromhex(as_text(fields.get("salt"), "key file: salt"))
        sealed = bytes.fromhex(as_text(fields.get("sealed"), "key file: sealed"))
    except ValueError:
        raise MalformedError("key file: salt and sealed must be hexadecimal") from None
    if len(salt) != 16 or len(sealed) != _SEED_SIZE + 16:
        raise MalformedError("key file: salt or sealed has the wrong length")
    header = {name: value for name, value in fields.items() if name != "sealed"}
    try:
        cipher = ChaCha20Poly1305(_derive(passphrase, salt, log2_n))
        seed = cipher.decrypt(salt[:12], sealed, canonical_bytes(header))
    except InvalidTag:
        raise UsageError(f"the passphrase does not open the key {public.name}") from None
    except MemoryError:
        raise StorageError(f"opening the key {public.name} takes {(1 << log2_n) // 1024} MiB of memory") from None
    key = SigningKey(public.name, seed)
    if key.public != public:
        raise MalformedError(f"key file: the secret does not belong to the public key {public.name}")
    return key


def _derive(passphrase: bytes, salt: bytes, log2_n: int) -> bytes:
    return Scrypt(salt=salt, length=32, n=1 << log2_n, r=8, p=1).derive(passphrase)
