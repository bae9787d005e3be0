"""Sealed answers are, byte for byte, what the slow and plain way makes."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Any

import orjson
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.kinds.answer import TIME_STEP_S, Answer, Engine, Fired
from auzolan.core.record.envelope import Envelope, read_envelope
from auzolan.core.record.errors import MalformedError, UsageError
from auzolan.run.answers.digests import messages_bytes, request_digest, response_digest
from auzolan.run.answers.seal import asked_bytes
from auzolan.run.loaded import adapter_digest
from tests.run.answers.world import (
    ADAPTER_IDS,
    ADAPTERS,
    ANSWER,
    LOADED,
    MESSAGES,
    NOW,
    RUNTIME,
    SERVICE,
    SERVICE_ID,
    digest,
    nonce,
    seal,
    sealer,
)  # fmt: skip
from tests.strategies import json_values, texts

words = texts().filter(bool)
rules = st.builds(Fired, words, st.sampled_from(Answer.EFFECTS), texts())
engines = st.builds(Engine, words, texts(), st.sampled_from(["", digest("engine")]), st.sampled_from(Engine.SANDBOXES))
cases = st.fixed_dictionaries(
    {
        "text": texts(200),
        "outcome": st.sampled_from(Answer.OUTCOMES),
        "fired": st.lists(rules, max_size=4).map(tuple),
        "adapters": st.sampled_from([(), ADAPTER_IDS, ADAPTER_IDS[:1], ADAPTER_IDS[::-1]]),
        "log_size": st.integers(0, 2**53 - 1),
        "cosigned_at": st.none() | st.integers(0, 2**40),
        "now": st.integers(0, 2**40),
    }
)
fixed = st.fixed_dictionaries(
    {
        "engine": engines,
        "overrides": st.lists(words, max_size=3).map(tuple),
        "integrity": st.sampled_from(Answer.INTEGRITY),
        "loaded": st.sampled_from([{}, LOADED, {"weights": digest("other")}]),
    }
)


def plainly(always: dict[str, Any], case: dict[str, Any], number: int) -> Envelope:
    """Return the same answer as its kind and its envelope make it."""
    step = case["now"] // TIME_STEP_S * TIME_STEP_S
    cosigned = case["cosigned_at"]
    records = [ADAPTERS[each] for each in case["adapters"]]
    adapters = {f"adapter.{at}": adapter_digest(each.weights, each.config) for at, each in enumerate(records, 1)}
    answer = Answer(
        service=SERVICE_ID, constitution=SERVICE.constitution, rules=SERVICE.rules, adapters=case["adapters"],
        answered_at=step, request=request_digest(nonce(number), messages_bytes(MESSAGES)),
        response=response_digest(nonce(number), case["text"]), outcome=case["outcome"], fired=case["fired"],
        integrity=always["integrity"], loaded={**always["loaded"], **adapters}, engine=always["engine"],
        log_size=case["log_size"], overrides=always["overrides"],
        log_age_s=None if cosigned is None else max(0, step - cosigned) // TIME_STEP_S * TIME_STEP_S,
    )  # fmt: skip
    return Envelope(answer.to_record()).signed_by(RUNTIME)


@given(fixed, cases, st.integers(0, 1000))
def test_a_seal_is_the_envelope_of_its_record(always: dict[str, Any], case: dict[str, Any], number: int) -> None:
    expected = plainly(always, case, number)

    found = seal(number, sealer(**always), **case)

    assert expected.canonical == found.envelope
    assert (expected.claimed.id, expected.entry, nonce(number)) == (found.id, found.entry, found.nonce)
    assert Answer.from_record(read_envelope(found.envelope).claimed).outcome == case["outcome"]


def test_more_than_nine_adapters_keep_the_order_of_their_numbers() -> None:
    ids = tuple(digest(f"adapter {number}") for number in range(12))
    by = sealer(adapters=dict.fromkeys(ids, ""))

    found = Answer.from_record(read_envelope(seal(by=by, adapters=ids).envelope).claimed)

    assert ids == found.adapters


def test_orjson_escapes_every_character_as_rfc_8785_does() -> None:
    characters = [chr(point) for point in range(0x110000) if not 0xD800 <= point < 0xE000]

    assert rfc8785.dumps(characters) == orjson.dumps(characters)


@given(st.lists(st.dictionaries(texts(), texts() | json_values(4), max_size=3), max_size=3))
def test_messages_have_the_same_bytes_fast_and_slow(messages: list[Any]) -> None:
    assert messages_bytes(messages) == asked_bytes(messages)


@pytest.mark.parametrize(
    "messages", [{}, ["hello"], [{"role": 1.5}], [{"content": "\ud800"}], [{1: "a"}], [{"a": 2**60}], None]
)
def test_messages_that_cannot_be_signed_are_refused(messages: Any) -> None:
    with pytest.raises(MalformedError):
        asked_bytes(messages)


def test_a_user_can_make_the_digests_again_with_any_tool() -> None:
    sealed = seal()
    answer = Answer.from_record(read_envelope(sealed.envelope).claimed)
    asked = '[{"content":"¿Cuándo abre la biblioteca?","role":"user"}]'.encode()

    mac = hmac.new(sealed.nonce, b"auzolan/answer/request/v1\n" + asked, sha256).hexdigest()
    other = hmac.new(sealed.nonce, b"auzolan/answer/response/v1\n" + ANSWER.encode(), sha256).hexdigest()

    assert (mac, other) == (answer.request, answer.response)


def test_a_question_cannot_stand_for_an_answer() -> None:
    assert request_digest(nonce(1), b"[]") != response_digest(nonce(1), "[]")


def test_times_say_no_more_than_ten_minutes() -> None:
    start = NOW // TIME_STEP_S * TIME_STEP_S
    cosigned_at = start - 1_234

    records = {seal(now=start + second, cosigned_at=cosigned_at).id for second in range(TIME_STEP_S)}

    assert 1 == len(records)


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": "perhaps"},
        {"now": -1},
        {"log_size": -1},
        {"fired": (Fired("", "deny", ""),)},
        {"fired": (Fired("rule", "hope", ""),)},
        {"fired": (Fired("\ud800", "deny", ""),)},
        {"text": "\ud800"},
    ],
)
def test_what_no_reader_would_take_is_not_sealed(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedError):
        seal(**changes)


@pytest.mark.parametrize("adapters", [(digest("unknown"),), (ADAPTER_IDS[0], ADAPTER_IDS[0])])
def test_an_adapter_that_was_not_loaded_is_refused(adapters: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        seal(adapters=adapters)


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_nonce_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(MalformedError):
        request_digest(b"n" * length, b"[]")


@pytest.mark.parametrize(
    "changes",
    [
        {"service": "town"},
        {"integrity": "sure"},
        {"loaded": {"weights": "abc"}},
        {"loaded": {"gewichte-ä": digest("x")}},
        {"engine": Engine("", "", "", "none")},
        {"engine": Engine("x", "", "", "chroot")},
        {"overrides": ("",)},
        {"adapters": {"one": digest("x")}},
    ],
)
def test_a_sealer_refuses_what_could_not_stand_in_a_record(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedError):
        sealer(**changes)


def test_a_sealer_remembers_few_choices_of_adapters() -> None:
    ids = tuple(digest(f"adapter {number}") for number in range(90))
    by = sealer(adapters=dict.fromkeys(ids, ""))

    found = {seal(by=by, adapters=(each,)).id for each in ids}

    assert 90 == len(found)
