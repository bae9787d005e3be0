"""From a request to what the rules look at: marks, escapes and refused questions go, and nothing comes back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.run.checks.scan import Scanner
from auzolan.run.engine.field_values import ParameterError
from auzolan.run.engine.parameters import ChatRequest, read_request
from auzolan.run.gateway.facts_of import Circumstances, check_length, cleaned, language_asked, request_facts
from auzolan.run.rules.facts import Topic

REFUSALS = ("The rules do not allow this",)
TOPICS = [Topic("vaults", ("the vault code",), (), frozenset({"request"}))]
SCANNER = Scanner(TOPICS, ("iban",))
KNOWN = Circumstances(frozenset(), "verified", "fresh", False, "", frozenset({"hours"}), 100)
PARTS = st.sampled_from(
    ["<|", "|>", "<", ">", "|", "im_start", "[INST]", "[/", "INST]", "\u200b", "＜", "a", " ", "\n"]
)


def asked(*texts: str, **more: Any) -> ChatRequest:
    """Return a request whose messages are by user and assistant in turn."""
    said = [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(texts)]
    return read_request({"model": "town", "messages": said, **more})


@given(st.lists(PARTS, max_size=30).map("".join))
def test_what_was_cleaned_is_clean(text: str) -> None:
    once = cleaned(asked(text), ("<|im_start|>",), REFUSALS)
    again = cleaned(once.request, ("<|im_start|>",), REFUSALS)

    assert (once.request, once.text, False) == again
    assert once.marked == (once.text != text)


def test_the_rules_look_at_every_text_that_the_model_would_read() -> None:
    call = {"id": "a", "type": "function", "function": {"name": "hours", "arguments": '{"of": "the v\\u0061ult"}'}}
    tool = {"type": "function", "function": {"name": "hours", "description": "the vault code", "parameters": {}}}
    messages = [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "two", "tool_calls": [call]},
        {"role": "tool", "content": "three", "tool_call_id": "a"},
    ]
    seen = cleaned(read_request({"model": "town", "messages": messages, "tools": [tool]}), (), REFUSALS)
    facts = request_facts(seen, SCANNER, KNOWN)

    for words in ("one", "two", "three", 'the vault"', "the vault code"):
        assert words in seen.text
    assert "u0061" not in json.dumps(seen.request.messages[1].calls)
    assert (frozenset({"vaults"}), frozenset({"hours"}), frozenset()) == (facts.topics, facts.tools, facts.undeclared)


def test_a_tool_that_the_service_does_not_declare_is_a_fact() -> None:
    tool = {"type": "function", "function": {"name": "shell", "parameters": {}}}
    facts = request_facts(cleaned(asked("a", tools=[tool]), (), REFUSALS), SCANNER, KNOWN)

    assert frozenset({"tool:shell"}) == facts.undeclared


def test_a_refused_question_and_its_refusal_go_together() -> None:
    refused = "The rules do not allow this: (synthetic)"
    seen = cleaned(asked("the vault code?", refused, "Hello", "Good day", "And now?"), (), REFUSALS)

    assert "Hello\nGood day\nAnd now?" == seen.text
    assert 3 == len(seen.request.messages)


def test_verdicts_and_marks_are_labels() -> None:
    facts = request_facts(cleaned(asked("<|x|>a"), (), REFUSALS), SCANNER, KNOWN, frozenset({"violates:5.1"}))

    assert (frozenset({"violates:5.1", "role-markers"}), 1) == (facts.labels, facts.characters)


@pytest.mark.parametrize(("wanted", "tokens"), [(None, 100), (7, 7), (900, 100)])
def test_an_answer_has_at_most_the_services_tokens(wanted: int | None, tokens: int) -> None:
    more = {"max_tokens": wanted} if wanted else {}

    assert tokens == request_facts(cleaned(asked("a", **more), (), REFUSALS), SCANNER, KNOWN).tokens


def test_a_request_is_as_long_as_all_its_texts() -> None:
    tool = {"type": "function", "function": {"name": "hours", "description": "x" * 50, "parameters": {}}}

    check_length(asked("a" * 20, "b" * 20, "c" * 20), 60)
    with pytest.raises(ParameterError, match="allow 59 characters, got 60"):
        check_length(asked("a" * 20, "b" * 20, "c" * 20), 59)
    with pytest.raises(ParameterError, match="allow 40 characters"):
        check_length(asked("a", tools=[tool]), 40)


def test_a_short_question_is_in_the_first_language_of_the_service() -> None:
    assert "eu" == language_asked("Hola", ("eu", "es"), lambda _: "es")
    assert "es" == language_asked("Hola" * 5, ("eu", "es"), lambda _: "es")
    assert "eu" == language_asked("Hola" * 5, ("eu", "es"), lambda _: "")
    assert "" == language_asked("", (), lambda _: "es")
