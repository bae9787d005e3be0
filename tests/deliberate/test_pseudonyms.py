"""Pseudonyms: the same in one conversation, others in another, and nothing of the id in them."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.record.errors import UsageError
from auzolan.deliberate.pseudonyms import pseudonyms
from tests.deliberate.tables import name

KEY = bytes(range(32))


def _hmac_sha_256(key: bytes, message: bytes) -> bytes:
    """HMAC as RFC 2104 writes it down."""
    block = key + bytes(64 - len(key))
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in block) + message).digest()
    return hashlib.sha256(bytes(b ^ 0x5C for b in block) + inner).digest()


def test_the_reference_here_is_that_of_rfc_4231() -> None:
    # Test case 1 of RFC 4231, section 4.2.
    assert _hmac_sha_256(b"\x0b" * 20, b"Hi There").hex().startswith("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da7")


@pytest.mark.parametrize("who", ["0", "anna@example.org", "Ane Ürrutia", ""])
def test_a_pseudonym_is_the_first_half_of_the_hmac_over_scope_and_id(who: str) -> None:
    expected = _hmac_sha_256(KEY, b"trams\x00" + who.encode())[:16].hex()

    assert expected == pseudonyms(KEY, "trams")(who)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_a_pseudonym_has_32_digits_whatever_the_id(who: str) -> None:
    got = pseudonyms(KEY, "trams")(who)

    assert 32 == len(got)
    assert set("0123456789abcdef") >= set(got)
    assert got == pseudonyms(KEY, "trams")(who)


def test_ids_scopes_and_keys_tell_apart() -> None:
    of = [
        pseudonyms(key, scope)(who)
        for key in (KEY, bytes(32))
        for scope in ("trams", "trams2", "Trams", "tram")
        for who in ("1", "01", "s1", "")
    ]

    assert len(of) == len(set(of))


def test_one_function_serves_all_participants() -> None:
    of = pseudonyms(KEY, "trams")

    assert [of("a"), of("b"), of("a")] == [pseudonyms(KEY, "trams")(who) for who in "aba"]
    assert 1000 == len({of(name(number)) for number in range(1000)})


@pytest.mark.parametrize("length", [0, 16, 31, 33, 64])
def test_a_key_of_another_length_is_refused_and_not_shown(length: int) -> None:
    with pytest.raises(UsageError, match=f"has {length} bytes, expected 32") as caught:
        pseudonyms(b"\xab" * length, "trams")

    assert "ab" * 2 not in str(caught.value)


def test_a_conversation_without_a_name_is_refused() -> None:
    with pytest.raises(UsageError, match="the conversation needs a name"):
        pseudonyms(KEY, "")


def test_an_id_that_is_no_text_is_refused() -> None:
    with pytest.raises(UsageError):
        pseudonyms(KEY, "trams")("\udc80")


def test_a_name_with_a_nul_is_refused_because_scope_and_id_could_run_together() -> None:
    with pytest.raises(UsageError):
        pseudonyms(KEY, "trams\x00x")
