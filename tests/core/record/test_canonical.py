from __future__ import annotations

import datetime
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.record.canonical import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_INTEGER,
    JsonValue,
    as_int,
    as_list,
    as_object,
    as_text,
    canonical_bytes,
    check_signable,
    only_keys,
    read_canonical,
    read_json,
)
from auzolan.core.record.errors import MalformedError
from tests.strategies import json_values

DEEP_ENOUGH = 100_000


def nested(levels: int) -> JsonValue:
    value: JsonValue = 0
    for _ in range(levels):
        value = [value]
    return value


def spelled(value: JsonValue) -> str:
    """Return `value` with its types visible: 1 and true are equal in Python, not here."""
    return json.dumps(value, sort_keys=True)


@given(json_values())
def test_a_value_survives_its_canonical_bytes(value: JsonValue) -> None:
    data = canonical_bytes(value)

    assert spelled(value) == spelled(read_canonical(data))
    assert data == canonical_bytes(read_json(data))


@given(json_values())
def test_other_spellings_of_a_value_have_the_same_canonical_bytes(value: JsonValue) -> None:
    pretty = json.dumps(value, indent=2, ensure_ascii=True).encode()

    assert canonical_bytes(value) == canonical_bytes(read_json(pretty))


@given(json_values(), st.data())
def test_changed_canonical_bytes_are_refused_or_another_value(value: JsonValue, data: st.DataObject) -> None:
    whole = canonical_bytes(value)
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    changed = bytearray(whole)
    changed[bit // 8] ^= 1 << bit % 8
    try:
        other = read_canonical(bytes(changed))
    except MalformedError:
        return

    assert spelled(value) != spelled(other)


def test_keys_are_sorted_by_utf_16_code_units() -> None:
    """RFC 8785, 3.2.3: an emoji (D83D DE00) comes before U+FB33, though its code point is larger."""
    value: JsonValue = {"\ufb33": 1, "\U0001f600": 2, "\u20ac": 3, "1": 4, "\r": 5, "\u0080": 6, "ö": 7}

    assert list(json.loads(canonical_bytes(value))) == ["\r", "1", "\x80", "ö", "€", "\U0001f600", "\ufb33"]


@pytest.mark.parametrize("value", [MAX_INTEGER, -MAX_INTEGER, 0, True, False, None, "", [], {}, {"": ""}])
def test_outermost_values_may_be_signed(value: JsonValue) -> None:
    assert spelled(value) == spelled(read_canonical(canonical_bytes(value)))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (1.0, "float may not be signed; write an integer in a named scale"),
        (-0.0, "float may not be signed"),
        (float("nan"), "float may not be signed"),
        (float("inf"), "float may not be signed"),
        (MAX_INTEGER + 1, "outside"),
        (-MAX_INTEGER - 1, "outside"),
        ("\ud800", "lone surrogate"),
        ({"\udc80": 1}, "lone surrogate"),
        ({1: "a"}, "keys must be text, got int"),
        ({None: "a"}, "keys must be text, got NoneType"),
        (b"bytes", "bytes may not be signed"),
        ((1, 2), "tuple may not be signed"),
        ({1, 2}, "set may not be signed"),
        (datetime.date(2026, 11, 20), "date may not be signed"),
        (1j, "complex may not be signed"),
    ],
)
@pytest.mark.parametrize("depth", [0, 1, 5])
def test_what_may_not_be_signed_is_refused_at_any_depth(value: object, message: str, depth: int) -> None:
    for _ in range(depth):
        value = [{"inner": value}]

    with pytest.raises(MalformedError, match=message):
        check_signable(value)


@pytest.mark.parametrize("value", [10**400, -(10**400), 16**5000, -(16**5000)], ids=["400", "-400", "6020", "-6020"])
def test_an_integer_of_any_length_is_refused_in_words(value: int) -> None:
    """TOML has integers of any length; such a one must not end in Python's own errors when it is shown."""
    with pytest.raises(MalformedError, match="outside"):
        check_signable({"seats": value})
    with pytest.raises(MalformedError, match="seats"):
        as_int(value, "seats")


def test_nesting_ends_at_the_limit() -> None:
    deepest = nested(MAX_DEPTH)

    assert spelled(deepest) == spelled(read_canonical(canonical_bytes(deepest)))
    with pytest.raises(MalformedError, match="nested deeper than 64 levels"):
        canonical_bytes(nested(MAX_DEPTH + 1))


def test_an_error_names_the_place() -> None:
    with pytest.raises(MalformedError, match=r"^\$\.body\.seats\[2\]: float"):
        check_signable({"body": {"seats": [1, 2, 3.5]}})


def test_an_error_about_a_huge_key_is_short() -> None:
    """The path must not be carried along in full: each item below such a key would copy it."""
    with pytest.raises(MalformedError) as caught:
        check_signable({"k" * 1_000_000: [1, 2.5]})

    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"\xff",
        b"\xed\xa0\x80",
        b"\xef\xbb\xbf{}",
        "{}".encode("utf-16"),
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"[NaN]",
        b"1.0",
        b"1e3",
        b"1E400",
        b"-0.0",
        b"0.1",
        b"9007199254740992",
        b"-9007199254740992",
        b"12345678901234567",
        b"1" * 100_000,
        b"-" + b"9" * 5_000,
        b"01",
        b"+1",
        b"0x10",
        b"1_000",
        "١".encode(),
        "１".encode(),
        "1٢".encode(),
        b'{"a":1,"a":2}',
        b'{"a":1,"\\u0061":1}',
        b'[{"b":{"a":1,"a":1}}]',
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b'{"\\ud800":1}',
        b"[" * DEEP_ENOUGH,
        b"[" * DEEP_ENOUGH + b"]" * DEEP_ENOUGH,
        b'{"a":' * DEEP_ENOUGH + b"1" + b"}" * DEEP_ENOUGH,
        b"[" * (MAX_DEPTH + 2) + b"]" * (MAX_DEPTH + 2),
        b"[1,]",
        b"[1 2]",
        b'{"a":1,}',
        b"{'a':1}",
        b"{a:1}",
        b"{} {}",
        b"{}\x00",
        b'"\x00"',
        b'"a\nb"',
        b'"\\x41"',
        b"// comment\n1",
        b"undefined",
        b"True",
    ],
    ids=lambda data: repr(data[:16]),
)
def test_what_is_not_strict_json_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        read_json(data, "sample")


def test_an_error_names_what_was_read() -> None:
    for data in (b"\xff", b"{", b"1.5", b'{"a":1,"a":2}', b"[" * DEEP_ENOUGH, b'"\\ud800"', b"9007199254740992"):
        with pytest.raises(MalformedError, match=r"^sample: "):
            read_json(data, "sample")


def test_more_bytes_than_the_limit_are_refused_unread() -> None:
    with pytest.raises(MalformedError, match="16,777,217 bytes, at most 16,777,216 are read"):
        read_json(b" " * (MAX_BYTES + 1))


@pytest.mark.parametrize(
    "data",
    [
        b" {}",
        b"{}\n",
        b'{"b":1,"a":2}',
        b'{"a": 1}',
        b'"\\u0061"',
        b'"\\/"',
        b'"\\u00e9"',
        b'"\\u000A"',
        b'"\\u001F"',
        b"-0",
        b'{"\xef\xac\xb3":1,"\xf0\x9f\x98\x80":2}',
    ],
)
def test_valid_json_in_another_form_is_not_canonical(data: bytes) -> None:
    read_json(data)

    with pytest.raises(MalformedError, match="not in canonical form"):
        read_canonical(data)


def test_an_integer_is_never_a_bool_and_a_bool_never_an_integer() -> None:
    assert read_json(b"[true,1,false,0]") == [True, 1, False, 0]
    assert canonical_bytes([True, 1, False, 0]) == b"[true,1,false,0]"
    for value in (True, False):
        with pytest.raises(MalformedError, match="expected an integer, got true or false"):
            as_int(value, "count")


def test_the_readers_of_parts_say_what_they_got() -> None:
    with pytest.raises(MalformedError, match=r"^x: expected an object, got a list$"):
        as_object([], "x")
    with pytest.raises(MalformedError, match=r"^x: expected a list, got null$"):
        as_list(None, "x")
    with pytest.raises(MalformedError, match=r"^x: expected non-empty text, got empty text$"):
        as_text("", "x")
    with pytest.raises(MalformedError, match=r"^x: expected non-empty text, got a number$"):
        as_text(3, "x")
    with pytest.raises(MalformedError, match=r"^x: expected an integer, got text$"):
        as_int("3", "x")
    with pytest.raises(MalformedError, match=r"^x: expected at least 1, got 0$"):
        as_int(0, "x", at_least=1)
    with pytest.raises(MalformedError, match=r"^x: unknown key 'c'; known keys: a, b$"):
        only_keys({"a": 1, "c": 2}, frozenset({"a", "b"}), "x")
