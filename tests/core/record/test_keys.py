from __future__ import annotations

import base64
import json
from hashlib import sha256

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from auzolan.core.record import keys
from auzolan.core.record.canonical import JsonValue, canonical_bytes
from auzolan.core.record.errors import AuzolanError, MalformedError, UsageError, VerificationError
from auzolan.core.record.keys import (
    COSIGNATURE,
    ED25519,
    KEY_FORMAT,
    PublicKey,
    SigningKey,
    check_key_name,
    decode_base64,
    decrypt_key,
    encrypt_key,
    read_key_file,
    read_public_key,
)
from tests.strategies import flipped, public_keys, signing_keys
from tests.town import LIBRARY, LOG, SCHOOL, key

SALT = bytes(range(16))
CHEAP = 4  # scrypt cost: 2**4, enough to test with

# --- the curve of RFC 8032, in affine coordinates: slow and plain ----------------------------------------------------

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
ORDER = 2**252 + 27742317777372353535851937790883648493
Point = tuple[int, int]


def add(one: Point, other: Point) -> Point:
    (x1, y1), (x2, y2) = one, other
    product = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, P) % P
    y = (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P
    return x, y


def times(scalar: int, point: Point) -> Point:
    result = (0, 1)
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


def roots_of_x(y: int) -> list[int]:
    """Return the x with -x^2 + y^2 = 1 + d x^2 y^2."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    root = pow(square, (P + 3) // 8, P)
    if (root * root - square) % P:
        root = root * pow(2, (P - 1) // 4, P) % P
    return [] if (root * root - square) % P else sorted({root, -root % P})


def small_order_points() -> set[Point]:
    """Return the points whose order divides 8: the images of any points under the prime order of the curve."""
    found: set[Point] = {(0, 1)}
    y = 2
    while len(found) < 8:
        for x in roots_of_x(y):
            found.add(times(ORDER, (x, y)))
        y += 1
    return found


def encodings(point: Point) -> set[bytes]:
    """Return all 32-byte strings that a lenient reader takes for `point`.

    Lenient: y may be written as y + p where that fits into 255 bits, and for x = 0 the sign bit may be either.
    """
    x, y = point
    signs = {0, 1} if x == 0 else {x & 1}
    return {(number | sign << 255).to_bytes(32, "little") for number in range(y, 2**255, P) for sign in signs}


def test_the_refused_keys_are_all_encodings_of_all_points_of_small_order() -> None:
    points = small_order_points()
    expected = {encoding for point in points for encoding in encodings(point)}

    assert len(points) == 8
    assert {(0, 1)} == {times(8, point) for point in points}
    assert expected == keys._SMALL_ORDER
    assert len(expected) == 14


@pytest.mark.parametrize("raw", sorted(keys._SMALL_ORDER), ids=bytes.hex)
def test_a_key_of_small_order_is_refused_because_anyone_can_sign_with_it(raw: bytes) -> None:
    """The library takes such keys, and a made-up signature fits one message in eight or more."""
    loaded = Ed25519PublicKey.from_public_bytes(raw)
    forged = 0
    for number in range(16):
        for first in keys._SMALL_ORDER:
            try:
                loaded.verify(first + bytes(32), b"any message %d" % number)
            except InvalidSignature:
                continue
            forged += 1

    assert forged > 0
    for kind in (ED25519, COSIGNATURE):
        with pytest.raises(MalformedError, match="a point of small order"):
            PublicKey("anyone", raw, kind)


def test_a_real_key_is_not_of_small_order() -> None:
    y = int.from_bytes(LIBRARY.public.raw, "little") & (1 << 255) - 1
    sign = LIBRARY.public.raw[31] >> 7
    (point,) = [(x, y) for x in roots_of_x(y) if x & 1 == sign]

    assert times(ORDER, point) == (0, 1)
    assert times(8, point) != (0, 1)


# --- public keys -----------------------------------------------------------------------------------------------------


@given(public_keys())
def test_a_public_key_survives_its_text(public: PublicKey) -> None:
    again = read_public_key(str(public))

    assert public == again
    assert public.keyid == again.keyid == sha256(public.raw).hexdigest()
    assert public.note_id == again.note_id


@given(signing_keys(), st.binary(max_size=100))
def test_a_signature_verifies_and_any_changed_bit_is_refused(signer: SigningKey, message: bytes) -> None:
    signature = signer.sign(message)

    assert message == signer.public.verify(signature, message, "x")
    for bit in (0, 7, 255, 256, 300, 511):
        with pytest.raises(VerificationError, match="does not fit the content"):
            signer.public.verify(flipped(signature, bit), message, "x")
    with pytest.raises(VerificationError, match="does not fit the content"):
        signer.public.verify(signature, message + b"\x00", "x")


def test_a_signature_with_the_group_order_added_is_refused() -> None:
    """RFC 8032, 5.1.7: s must be below the order, or every signature would have a twin and records two entries."""
    signature = LIBRARY.sign(b"message")
    s = int.from_bytes(signature[32:], "little")
    twin = signature[:32] + (s + ORDER).to_bytes(32, "little")

    with pytest.raises(VerificationError, match="does not fit"):
        LIBRARY.public.verify(twin, b"message", "x")


@pytest.mark.parametrize("signature", [b"", b"x", bytes(63), bytes(64), bytes(65), bytes(1000)])
def test_a_signature_of_another_length_is_refused(signature: bytes) -> None:
    with pytest.raises(VerificationError, match="does not fit"):
        LIBRARY.public.verify(signature, b"message", "x")


def test_bytes_that_are_no_point_are_a_key_that_nothing_fits() -> None:
    y = next(number for number in range(2, 100) if not roots_of_x(number))
    nobody = PublicKey("nobody", y.to_bytes(32, "little"))

    with pytest.raises(VerificationError, match="does not fit"):
        nobody.verify(LIBRARY.sign(b"message"), b"message", "x")


def test_the_same_key_has_one_id_under_every_name_and_type_and_its_own_note_id_under_each() -> None:
    alias = SigningKey("library-laptop", LIBRARY.seed)
    forms = [LIBRARY.public, LIBRARY.witness_public, alias.public, alias.witness_public]

    assert {LIBRARY.public.keyid} == {form.keyid for form in forms}
    assert len({form.note_id for form in forms}) == 4


def material(raw: bytes, kind: int = ED25519) -> str:
    return base64.b64encode(bytes([kind]) + raw).decode()


SHOWN = LOG.public.note_id.hex()
GOOD = material(LOG.public.raw)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected name"),
        ("town-log", "expected name"),
        (f"town-log+{SHOWN}", "expected name"),
        (f"+{SHOWN}+{GOOD}", "key name"),
        (f"town-log++{GOOD}", "its id is"),
        (f"town-log+00000000+{GOOD}", "its id is"),
        (f"town-log+{SHOWN.upper()}+{GOOD}", "its id is"),
        (f"town-log+{SHOWN}0+{GOOD}", "its id is"),
        (f"town-log +{SHOWN}+{GOOD}", "key name"),
        (f"Town-log+{SHOWN}+{GOOD}", "its id is"),
        (f"town-log+{SHOWN}+", "empty"),
        (f"town-log+{SHOWN}+{GOOD}=", "base64"),
        (f"town-log+{SHOWN}+{GOOD}\n", "not base64"),
        (f"town-log+{SHOWN}+ {GOOD}", "not base64"),
        (f"town-log+{SHOWN}+{GOOD[:-1]}\u0661", "not base64"),
        (f"town-log+{SHOWN}+{material(LOG.public.raw[:-1])}", "expected 32 bytes, got 31"),
        (f"town-log+{SHOWN}+{material(LOG.public.raw + b'x')}", "expected 32 bytes, got 33"),
        (f"town-log+{SHOWN}+{material(LOG.public.raw, 0x00)}", "type 0x00 is not supported"),
        (f"town-log+{SHOWN}+{material(LOG.public.raw, 0x02)}", "type 0x02 is not supported"),
        (f"town-log+{SHOWN}+{material(LOG.public.raw, 0x06)}", "type 0x06 is not supported"),
        (f"town-log+{SHOWN}+{material(LOG.public.raw, COSIGNATURE)}", "its id is"),
        ("\ud800+00000000+" + GOOD, "key name"),
    ],
)
def test_a_public_key_of_another_form_is_refused(text: str, message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        read_public_key(text)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a b",
        "a+b",
        "a\tb",
        "a\nb",
        "a\x00b",
        "a\x7fb",
        "a\x85b",
        "a\u00a0b",
        "a\u00adb",
        "a\u200bb",
        "a\u200db",
        "a\u202eb",
        "a\u2028b",
        "a\u2066b",
        "a\u3000b",
        "a\ufeffb",
        "a\ud800b",
        "a\ue000b",
        "\U000e0041",
        "x" * 129,
    ],
)
def test_a_key_name_with_blanks_control_or_invisible_characters_is_refused(name: str) -> None:
    """Bidirectional overrides and zero-width characters would let one name look like another."""
    with pytest.raises(MalformedError, match="key name") as caught:
        check_key_name(name)

    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", ["a", "witness.example/w1", "peña-ñ", "図書館", "x" * 128, "demo/a", "a=b", "—"])
def test_a_key_name_with_visible_characters_is_kept(name: str) -> None:
    assert name == check_key_name(name)


@given(st.binary(max_size=60))
def test_base64_is_read_in_its_only_form(data: bytes) -> None:
    text = base64.b64encode(data).decode()

    assert data == decode_base64(text, "x")
    for wrong in (text + "\n", text + " ", " " + text, text + "=", text.replace("=", "") + "\x00"):
        with pytest.raises(MalformedError, match="base64"):
            decode_base64(wrong, "x")


@pytest.mark.parametrize(
    "text", ["YQ", "YQ=", "YR==", "YWJ=", "YWK=", "=", "====", "Y===", "YQ==YQ==", "_-_-", "YQ\u0661=", "é", "\ud800"]
)
def test_lax_base64_is_refused(text: str) -> None:
    with pytest.raises(MalformedError, match="base64"):
        decode_base64(text, "x")


def test_the_demo_mark_is_part_of_the_key() -> None:
    demo = key("demo/library")

    assert demo.public.is_demo
    assert not LIBRARY.public.is_demo
    with pytest.raises(MalformedError, match="its id is"):
        read_public_key(str(demo.public).removeprefix("demo/"))


def test_a_secret_never_shows() -> None:
    shown = repr(LIBRARY) + str(LIBRARY) + repr(LIBRARY.public)

    assert LIBRARY.seed.hex() not in shown
    assert repr(LIBRARY.seed) not in shown


# --- key files -------------------------------------------------------------------------------------------------------


@given(signing_keys(), st.binary(min_size=1, max_size=20), st.binary(min_size=16, max_size=16))
def test_a_key_file_survives(signer: SigningKey, passphrase: bytes, salt: bytes) -> None:
    data = encrypt_key(signer, passphrase, salt, CHEAP)

    assert signer == decrypt_key(data, passphrase)
    assert signer.public == read_key_file(data)
    assert signer.seed not in data
    assert signer.seed.hex().encode() not in data


@settings(max_examples=200)
@given(st.data())
def test_any_changed_bit_of_a_key_file_is_refused_or_leaves_the_key_alone(data: st.DataObject) -> None:
    """The sealed bytes are hexadecimal, so a changed bit may only change a letter's case."""
    whole = encrypt_key(LIBRARY, b"right", SALT, CHEAP)
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    try:
        opened = decrypt_key(flipped(whole, bit), b"right")
    except AuzolanError:
        return

    assert LIBRARY == opened


@given(st.binary(max_size=20).filter(lambda passphrase: passphrase != b"right"))
def test_another_passphrase_does_not_open_it(passphrase: bytes) -> None:
    data = encrypt_key(LIBRARY, b"right", SALT, CHEAP)

    with pytest.raises(UsageError, match="the passphrase does not open the key library-desk"):
        decrypt_key(data, passphrase)


def test_an_empty_passphrase_is_refused() -> None:
    with pytest.raises(UsageError, match="not empty"):
        encrypt_key(LIBRARY, b"", SALT, CHEAP)


def test_two_salts_give_two_files() -> None:
    one, other = (encrypt_key(LIBRARY, b"right", salt, CHEAP) for salt in (SALT, bytes(16)))

    assert json.loads(one)["sealed"] != json.loads(other)["sealed"]


def key_file(**changes: JsonValue) -> bytes:
    fields = {**json.loads(encrypt_key(LIBRARY, b"right", SALT, CHEAP)), **changes}
    return canonical_bytes({name: value for name, value in fields.items() if value != "absent"})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not JSON"),
        (b"[]", "expected an object"),
        (b"{}", "expected format"),
        (key_file(format="auzolan-key/v2"), "expected format"),
        (key_file(format="absent"), "expected format"),
        (key_file(public="absent"), "public: expected non-empty text"),
        (key_file(public=str(SCHOOL.public)[:-2] + "=="), "base64"),
        (key_file(scrypt_log2_n="absent"), "scrypt_log2_n: expected an integer"),
        (key_file(scrypt_log2_n=True), "scrypt_log2_n: expected an integer"),
        (key_file(scrypt_log2_n="4"), "scrypt_log2_n: expected an integer"),
        (key_file(scrypt_log2_n=0), "expected at least 4"),
        (key_file(scrypt_log2_n=-1), "expected at least 4"),
        (key_file(scrypt_log2_n=21), "more than this program will spend"),
        (key_file(scrypt_log2_n=63), "more than this program will spend"),
        (key_file(scrypt_log2_n=2**53 - 1), "more than this program will spend"),
        (key_file(salt="absent"), "salt: expected non-empty text"),
        (key_file(salt="zz"), "must be hexadecimal"),
        (key_file(salt="١٢"), "must be hexadecimal"),
        (key_file(salt="00" * 15), "wrong length"),
        (key_file(salt="00" * 17), "wrong length"),
        (key_file(sealed="00" * 47), "wrong length"),
        (key_file(sealed="00" * 49), "wrong length"),
        (key_file(sealed=[]), "sealed: expected non-empty text"),
    ],
)
def test_a_key_file_of_another_form_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        decrypt_key(data, b"right")


@pytest.mark.parametrize(
    "data",
    [
        key_file(sealed="00" * 48),
        key_file(salt="00" * 16),
        key_file(scrypt_log2_n=CHEAP + 1),
        key_file(public=str(SCHOOL.public)),
        key_file(comment="added"),
    ],
)
def test_a_key_file_with_another_content_does_not_open(data: bytes) -> None:
    """All fields are bound to the sealed seed: the public key shown is the one of the secret."""
    with pytest.raises(UsageError, match="does not open"):
        decrypt_key(data, b"right")


def test_a_key_file_whose_maker_lies_about_the_public_key_is_refused() -> None:
    class Liar(SigningKey):
        @property
        def public(self) -> PublicKey:
            return SCHOOL.public

    data = encrypt_key(Liar(SCHOOL.name, LIBRARY.seed), b"right", SALT, CHEAP)

    with pytest.raises(MalformedError, match="the secret does not belong to the public key school-office"):
        decrypt_key(data, b"right")


def test_the_format_is_named_in_the_file() -> None:
    assert json.loads(key_file())["format"] == KEY_FORMAT
