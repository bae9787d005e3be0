"""The bytes of the chat API: what is sent, and what is made of whatever comes back."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.lm.chat import chat_body, read_answer, read_complaint
from auzolan.core.lm.generate import Completion, Decoding
from auzolan.core.record.errors import MalformedError
from tests.core.lm.loopback import ask, completion

REQUEST = ask("¿Por qué?", Decoding(16, 700, 950, 3, ("\n",)))


def test_every_setting_is_sent() -> None:
    sent = json.loads(chat_body(REQUEST, "m", {"top_k": 0}))

    assert {
        "model": "m",
        "messages": [{"role": "user", "content": "¿Por qué?"}],
        "max_tokens": 16,
        "temperature": 0.7,
        "top_p": 0.95,
        "seed": 3,
        "stop": ["\n"],
        "stream": False,
        "top_k": 0,
    } == sent


def test_no_stop_is_sent_where_there_is_none() -> None:
    assert "stop" not in json.loads(chat_body(ask("x"), "m", {}))


def test_an_answer_is_read() -> None:
    expected = Completion(REQUEST.id, "Porque sí.", "stop", 7, 3, "loopback-1")

    assert expected == read_answer(completion("Porque sí."), REQUEST)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>busy</html>",
        b"\xff",
        b"[]",
        b"{}",
        b'{"choices":[]}',
        b'{"choices":{}}',
        b'{"choices":[1]}',
        b'{"choices":[{"message":null}]}',
        b'{"choices":[{"message":{"content":[]}}]}',
        b'{"choices":[{"message":{"content":1}}]}',
        b'{"error":{"message":"overloaded"}}',
        b"[" * 100_000,
        b"1" * 10_000,
        completion("cut")[:-1],
    ],
    ids=lambda body: repr(body[:30]),
)
def test_what_is_no_answer_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedError, match="expected"):
        read_answer(body, REQUEST)


def test_a_model_that_only_reasoned_gave_an_empty_answer() -> None:
    choice = {"finish_reason": "length", "message": {"role": "assistant", "content": None, "reasoning": "hm"}}
    found = read_answer(completion("", choices=[choice]), REQUEST)

    assert ("", "length") == (found.text, found.finish)


@pytest.mark.parametrize("usage", [None, {}, [], {"prompt_tokens": "7"}, {"prompt_tokens": -1}, {"prompt_tokens": 1.5}])
def test_counts_that_are_not_there_are_not_made_up(usage: object) -> None:
    found = read_answer(completion("yes", usage=usage), REQUEST)

    assert (None, None) == (found.prompt_tokens, found.completion_tokens)


def test_half_a_character_is_replaced() -> None:
    found = read_answer(completion("so \ud83c", model="m\udfff"), REQUEST)

    assert ("so \ufffd", "m\ufffd") == (found.text, found.model)


@pytest.mark.parametrize("reason", ["STOP; rm -rf", "", None, 3, "x" * 41])
def test_an_unknown_end_is_called_other(reason: object) -> None:
    choice = {"finish_reason": reason, "message": {"content": "x"}}

    assert "other" == read_answer(completion("", choices=[choice]), REQUEST).finish


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["choices", "message", "content", "usage", "finish_reason", "model", "error", "prompt_tokens"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_whatever_comes_is_an_answer_or_our_error(value: object) -> None:
    data = json.dumps(value).encode()
    read_complaint(data)
    try:
        found = read_answer(data, REQUEST)
    except MalformedError:
        return

    assert REQUEST.id == found.request_id


@given(st.binary(max_size=60))
def test_whatever_bytes_come_are_our_error(data: bytes) -> None:
    read_complaint(data)

    with pytest.raises(MalformedError):
        read_answer(data, REQUEST)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"error":{"message":"too  long\\n\\u001b[31m"}}', "too long [31m"),
        (b'{"error":"no such model"}', "no such model"),
        (b'{"detail":"Not Found"}', "Not Found"),
        (b"Bad Gateway\r\n", "Bad Gateway"),
        (b'{"error":{"code":3}}', ""),
        (b"[1]", ""),
        (b"", ""),
        (b"x" * 5000, "x" * 200),
    ],
)
def test_a_complaint_is_short_and_printable(body: bytes, expected: str) -> None:
    assert expected == read_complaint(body)
