from __future__ import annotations

import base64
import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope as DsseEnvelope
from securesystemslib.exceptions import VerificationError as DsseRefusal
from securesystemslib.signer import Key  # type: ignore[attr-defined]  # it has no __all__

from auzolan.core.record.canonical import MAX_BYTES, canonical_bytes
from auzolan.core.record.envelope import MAX_SIGNATURES, PAYLOAD_TYPE, Envelope, Signature, read_envelope
from auzolan.core.record.errors import MalformedError, VerificationError
from auzolan.core.record.keys import SigningKey
from auzolan.core.record.record import Record, statement_bytes
from tests.strategies import SIGNERS, flipped, signed_envelopes
from tests.town import CLINIC, LIBRARY, SCHOOL, document, key, sign

Fields = dict[str, Any]


def library_key(signer: SigningKey) -> Key:
    """Return a key as securesystemslib knows it."""
    fields = {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": signer.public.raw.hex()}}
    return Key.from_dict(signer.public.keyid, fields)


def fields_of(envelope: Envelope) -> Fields:
    fields: Fields = json.loads(envelope.canonical)
    return fields


def fits(envelope: Envelope) -> bool:
    """Say whether every signature is by one of the town's keys and fits."""
    keys = {signer.public.keyid: signer.public for signer in SIGNERS}
    try:
        for signature in envelope.signatures:
            keys[signature.keyid].verify(signature.sig, envelope.pae, "record")
    except (KeyError, VerificationError):
        return False
    return bool(envelope.signatures)


@given(signed_envelopes())
def test_an_envelope_survives_its_bytes(envelope: Envelope) -> None:
    again = read_envelope(envelope.canonical)

    assert envelope.canonical == again.canonical
    assert envelope.entry == again.entry == sha256(envelope.canonical).digest()
    assert envelope.signatures == again.signatures
    assert envelope.claimed.id == again.claimed.id
    assert fits(again)


@settings(max_examples=300)
@given(signed_envelopes(), st.data())
def test_any_changed_bit_is_refused_or_another_entry_that_no_longer_fits(
    envelope: Envelope, data: st.DataObject
) -> None:
    bit = data.draw(st.integers(0, 8 * len(envelope.canonical) - 1))
    try:
        other = read_envelope(flipped(envelope.canonical, bit))
    except MalformedError:
        return

    assert envelope.entry != other.entry
    assert not fits(other)


@given(signed_envelopes())
def test_an_envelope_cut_short_is_refused(envelope: Envelope) -> None:
    for length in range(0, len(envelope.canonical), 7):
        with pytest.raises(MalformedError):
            read_envelope(envelope.canonical[:length])


@given(signed_envelopes())
def test_securesystemslib_accepts_what_we_sign(envelope: Envelope) -> None:
    theirs = DsseEnvelope.from_dict(fields_of(envelope))
    keys = [library_key(signer) for signer in SIGNERS]
    accepted = theirs.verify(keys, len(envelope.signatures))

    assert {signature.keyid for signature in envelope.signatures} == set(accepted)
    assert statement_bytes(envelope.claimed) == theirs.payload


def test_securesystemslib_refuses_the_signature_of_another_record() -> None:
    fields = fields_of(sign(document("One"), LIBRARY))
    fields["payload"] = fields_of(sign(document("Other"), LIBRARY))["payload"]

    with pytest.raises(DsseRefusal):
        DsseEnvelope.from_dict(fields).verify([library_key(LIBRARY)], 1)


def test_what_is_signed_is_the_dsse_encoding_of_the_statement() -> None:
    envelope = sign(document())
    payload = statement_bytes(envelope.claimed)
    prefix = f"DSSEv1 {len(PAYLOAD_TYPE)} {PAYLOAD_TYPE} {len(payload)} ".encode()

    assert prefix + payload == envelope.pae


def test_signatures_are_sorted_whatever_the_order_of_signing() -> None:
    one, other = sign(document(), LIBRARY, SCHOOL, CLINIC), sign(document(), CLINIC, SCHOOL, LIBRARY)

    assert one.canonical == other.canonical
    assert [signature.keyid for signature in one.signatures] == sorted(
        signer.public.keyid for signer in (LIBRARY, SCHOOL, CLINIC)
    )


def test_signing_twice_changes_nothing() -> None:
    assert sign(document(), LIBRARY).canonical == sign(document(), LIBRARY, LIBRARY).canonical


def test_a_new_signature_changes_the_entry_and_not_the_id() -> None:
    one, two = sign(document(), LIBRARY), sign(document(), LIBRARY, SCHOOL)

    assert one.claimed.id == two.claimed.id
    assert one.entry != two.entry


def test_an_envelope_without_signatures_can_be_kept_until_somebody_signs() -> None:
    assert Envelope(document()).canonical == read_envelope(Envelope(document()).canonical).canonical


@pytest.mark.parametrize("order", [(1, 0), (0, 0), (0, 1, 1)])
def test_signatures_out_of_order_or_twice_are_refused(order: tuple[int, ...]) -> None:
    signatures = sign(document()).signatures

    with pytest.raises(MalformedError, match="sorted by key id, one per key"):
        Envelope(document(), tuple(signatures[position] for position in order))


def changed(envelope: Envelope, **fields: Any) -> bytes:
    """Return canonical bytes of the envelope with other fields; ... drops one."""
    merged = {**fields_of(envelope), **fields}
    return canonical_bytes({name: value for name, value in merged.items() if value is not ...})


def signature_rows(**fields: Any) -> list[Any]:
    """Return signature rows of which the first has other fields; ... drops one."""
    first, *rest = fields_of(sign(document()))["signatures"]
    return [{name: value for name, value in {**first, **fields}.items() if value is not ...}, *rest]


def encoded(payload: bytes) -> str:
    return base64.b64encode(payload).decode()


SPACED = json.dumps(json.loads(statement_bytes(document())), indent=1).encode()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"[]", "expected an object"),
        (changed(sign(document()), payload=...), "expected the fields"),
        (changed(sign(document()), note="x"), "expected the fields"),
        (changed(sign(document()), payloadType="application/json"), "expected payloadType"),
        (changed(sign(document()), payloadType=PAYLOAD_TYPE + "\n"), "expected payloadType"),
        (changed(sign(document()), payloadType=None), "expected payloadType"),
        (changed(sign(document()), payload=""), "payload: expected non-empty text"),
        (changed(sign(document()), payload=7), "payload: expected non-empty text"),
        (changed(sign(document()), payload="é"), "payload: not base64"),
        (changed(sign(document()), payload="YQ"), "payload: not base64"),
        (changed(sign(document()), payload="YR=="), "stray bits"),
        (changed(sign(document()), payload="YWJj\n"), "payload: not base64"),
        (changed(sign(document()), payload=encoded(b"{}")), "statement: expected _type"),
        (changed(sign(document()), payload=encoded(b"\xff")), "statement: not UTF-8"),
        (changed(sign(document()), payload=encoded(SPACED)), "statement: valid JSON, but not in canonical form"),
        (changed(sign(document()), signatures={}), "signatures: expected a list"),
        (changed(sign(document()), signatures=[[]]), "signature: expected an object"),
        (changed(sign(document()), signatures=signature_rows(extra=1)), "exactly keyid and sig"),
        (changed(sign(document()), signatures=signature_rows(keyid=...)), "exactly keyid and sig"),
        (changed(sign(document()), signatures=signature_rows(keyid="AB" * 32)), "keyid: expected 64 lower-case"),
        (changed(sign(document()), signatures=signature_rows(keyid="\ufb00")), "keyid: expected 64 lower-case"),
        (changed(sign(document()), signatures=signature_rows(sig="")), "sig: expected non-empty text"),
        (changed(sign(document()), signatures=signature_rows(sig=encoded(b"1" * 63))), "64 bytes, got 63"),
        (changed(sign(document()), signatures=signature_rows(sig=encoded(b"1" * 65))), "64 bytes, got 65"),
        (changed(sign(document()), signatures=signature_rows(sig=None)), "sig: expected non-empty text"),
        (changed(sign(document()), signatures=list(reversed(signature_rows()))), "sorted by key id"),
        (changed(sign(document()), signatures=[signature_rows()[0]] * 2), "sorted by key id"),
        (sign(document()).canonical + b"\n", "not in canonical form"),
        (b" " + sign(document()).canonical, "not in canonical form"),
        (b"\xef\xbb\xbf" + sign(document()).canonical, "not JSON"),
    ],
)
def test_an_envelope_of_another_form_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        read_envelope(data)


def test_more_signatures_than_the_limit_are_refused() -> None:
    rows = [{"keyid": f"{number:064x}", "sig": encoded(bytes(64))} for number in range(MAX_SIGNATURES + 1)]

    assert len(read_envelope(changed(sign(document()), signatures=rows[:-1])).signatures) == MAX_SIGNATURES
    with pytest.raises(MalformedError, match="257 signatures, at most 256 are read"):
        read_envelope(changed(sign(document()), signatures=rows))


def test_an_envelope_larger_than_the_limit_is_refused() -> None:
    with pytest.raises(MalformedError, match="at most 16,777,216 are read"):
        read_envelope(b"x" * (MAX_BYTES + 1))


def test_an_error_names_what_was_read() -> None:
    with pytest.raises(MalformedError, match=r"^pending/1: "):
        read_envelope(b"{}", "pending/1")


def test_a_later_signature_by_the_same_key_replaces_the_first() -> None:
    envelope = sign(document(), LIBRARY)
    bad = Signature(LIBRARY.public.keyid, bytes(64))

    assert envelope.with_signatures([bad]).signatures == (bad,)
    assert envelope.canonical == envelope.with_signatures([bad]).signed_by(LIBRARY).canonical


def test_one_key_under_two_names_is_one_signature() -> None:
    alias = SigningKey("library-laptop", LIBRARY.seed)

    assert sign(document(), LIBRARY).canonical == sign(document(), LIBRARY, alias).canonical


def test_records_with_equal_looking_titles_are_different_records() -> None:
    composed, decomposed = Record("document/v1", {"title": "é"}), Record("document/v1", {"title": "e\u0301"})

    assert composed.id != decomposed.id
    assert sign(composed, key("x")).entry != sign(decomposed, key("x")).entry
