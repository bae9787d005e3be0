"""Receipts say the same after every way there and back, and nothing else is read as one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.record.canonical import canonical_bytes, read_json
from auzolan.core.record.errors import AuzolanError, MalformedError
from auzolan.run.answers.receipt import Receipt, read_receipt, receipt_bytes
from tests.run.answers.world import ANSWER, MESSAGES, seal
from tests.strategies import json_objects, texts

SEALED = seal()
PLAIN = receipt_bytes(SEALED.envelope, SEALED.nonce)
receipts = st.builds(
    Receipt,
    envelope=json_objects().map(canonical_bytes),
    nonce=st.binary(min_size=32, max_size=32),
    messages=st.none() | st.lists(json_objects(), max_size=3),
    answer=st.none() | texts(),
    proof=texts(),
)


@given(receipts)
def test_a_receipt_is_the_same_after_writing_and_reading(receipt: Receipt) -> None:
    data = receipt.to_bytes()

    assert receipt == read_receipt(data)
    assert canonical_bytes(read_json(data)) == data


def test_the_quick_way_writes_the_same_bytes() -> None:
    assert Receipt(SEALED.envelope, SEALED.nonce).to_bytes() == PLAIN


FIELDS = {"format": "auzolan-receipt/v1", "envelope": {}, "nonce": "0" * 64}


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "auzolan-receipt/v2"},
        {"envelope": []},
        {"envelope": "text"},
        {"nonce": "0" * 63},
        {"nonce": "A" * 64},
        {"nonce": None},
        {"messages": {}},
        {"messages": ["hello"]},
        {"messages": None},
        {"answer": None},
        {"answer": 1},
        {"proof": ""},
        {"proof": 1},
        {"user": "somebody"},
    ],
)
def test_a_receipt_of_another_form_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedError):
        read_receipt(json.dumps({**FIELDS, **changes}).encode())


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_of_a_receipt_is_needed(name: str) -> None:
    with pytest.raises(MalformedError):
        read_receipt(json.dumps({key: value for key, value in FIELDS.items() if key != name}).encode())


@given(st.binary(max_size=100) | st.integers(0, len(PLAIN) - 1).map(lambda place: PLAIN[:place] + PLAIN[place + 1 :]))
def test_from_outside_bytes_only_our_errors_escape(data: bytes) -> None:
    try:
        read_receipt(data)
    except AuzolanError:
        return


def test_a_transcript_and_a_proof_can_be_added() -> None:
    receipt = read_receipt(PLAIN).with_transcript(MESSAGES, ANSWER).with_proof(b"a proof\n")

    assert receipt == read_receipt(receipt.to_bytes())
    assert (MESSAGES, ANSWER, "a proof\n") == (receipt.messages, receipt.answer, receipt.proof)
    with pytest.raises(MalformedError):
        receipt.with_proof(b"\xff")
