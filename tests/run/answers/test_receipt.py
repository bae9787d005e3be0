"""Receipts say the same after every way there and back, and nothing else is read as one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.record.canonical import canonical_bytes, read_json
from auzolan.core.record.errors import AuzolanError, MalformedError
from auzolan.run.answers.receipt import (
    FIELD,
    MAX_HEADER,
    Receipt,
    header_value,
    read_header,
    read_receipt,
    receipt_bytes,
    sse_event,
)
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


def test_the_header_and_the_event_carry_the_receipt() -> None:
    value = header_value(PLAIN)
    event = sse_event(PLAIN, {"id": "c1", "object": "chat.completion.chunk", "model": "télé", "choices": []})
    payload = json.loads(event.removeprefix(b"data: "))

    assert value
    assert value.isascii()
    assert "=" not in value
    assert len(value) < 4_000
    assert read_receipt(PLAIN) == read_header(value)
    assert event.endswith(b"}\n\n")
    assert 2 == event.count(b"\n")
    assert read_receipt(PLAIN) == read_receipt(json.dumps(payload.pop(FIELD)).encode())
    assert {"id": "c1", "object": "chat.completion.chunk", "model": "télé", "choices": []} == payload


def test_a_receipt_that_is_too_long_for_a_header_gets_none() -> None:
    longest = MAX_HEADER * 3 // 4
    value = header_value(b"x" * longest)

    assert value
    assert MAX_HEADER == len(value)
    assert header_value(b"x" * (longest + 1)) is None
    with pytest.raises(MalformedError):
        read_header("A" * (MAX_HEADER + 1))


@pytest.mark.parametrize("value", ["", "====", "a b", "é", "YQ==", "YR", "A", "e30", "\n"])
def test_a_header_of_another_form_is_refused(value: str) -> None:
    with pytest.raises(MalformedError):
        read_header(value)


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


def test_an_empty_chunk_carries_nothing() -> None:
    with pytest.raises(MalformedError):
        sse_event(PLAIN, {})
