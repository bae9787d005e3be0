"""A judge is asked so that the text cannot answer for it, and what it says is read strictly."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.run.checks.judge import Verdict, judge_messages, read_verdict
from auzolan.run.checks.plain_text import skeleton_text
from auzolan.run.rules.facts import REQUEST

ASKED = ("2.1", "3")


def test_the_definition_is_the_system_and_the_text_is_the_user() -> None:
    system, user = judge_messages("Naming a neighbour.", ASKED, "Some text.", REQUEST, "eu")

    assert ("system", "user") == (system["role"], user["role"])
    assert "Naming a neighbour." in system["content"]
    assert '"2.1" or "3" or "none"' in system["content"]
    assert "what a person asked an assistant, in the language 'eu'" in system["content"]
    assert "========\nSome text.\n========" == user["content"]


@given(st.text(st.sampled_from("=＝\u200b\n a"), max_size=60))
def test_no_text_can_end_its_own_fence(content: str) -> None:
    lines = judge_messages("x", ASKED, content)[1]["content"].split("\n")

    assert lines[0] == lines[-1] == "=" * len(lines[0])
    assert lines[0] not in content
    assert lines[0] not in skeleton_text(content)


@pytest.mark.parametrize(
    "reply",
    [
        '{"violation": 1, "policy_category": "2.1", "rationale": "r"}',
        '\n  {"violation":1,"policy_category":"2.1","rationale":"r"}\n',
        '```json\n{"violation": 1, "policy_category": "2.1", "rationale": "r"}\n```',
        '```\n{"violation": 1,\n "policy_category": "2.1", "rationale": "r"}\n```\n',
    ],
)
def test_a_verdict_is_read(reply: str) -> None:
    assert Verdict(True, "2.1", "r") == read_verdict(reply, ASKED)


@pytest.mark.parametrize("category", ['"none"', '""', "null", '"2.1"'])
def test_an_acquittal_is_read(category: str) -> None:
    assert Verdict(False, "", "") == read_verdict(f'{{"violation": 0, "policy_category": {category}}}', ASKED)


@pytest.mark.parametrize(
    "reply",
    [
        "", "1", "null", "[]", "no violation", "{}", '{"violation": 0}', '{"policy_category": "2.1"}',
        '{"violation": true, "policy_category": "2.1"}', '{"violation": "1", "policy_category": "2.1"}',
        '{"violation": 1.0, "policy_category": "2.1"}', '{"violation": 2, "policy_category": "2.1"}',
        '{"violation": 1, "policy_category": "9"}', '{"violation": 1, "policy_category": "none"}',
        '{"violation": 1, "policy_category": null}', '{"violation": 1, "policy_category": ["2.1"]}',
        '{"violation": 0, "policy_category": "9"}', '{"violation": 1, "policy_category": "2.1", "rationale": 3}',
        '{"violation": 1, "policy_category": "2.1", "more": 1}',
        '{"violation": 0, "violation": 1, "policy_category": "2.1"}',
        'Sure: {"violation": 0, "policy_category": "none"}', '{"violation": 0, "policy_category": "none"} or not',
        '{"violation": 0, "policy_category": "none"}{"violation": 1, "policy_category": "2.1"}',
        '{"violation": NaN, "policy_category": "2.1"}', "[" * 19_000, '{"a":' * 3_000, "{" + " " * 30_000 + "}",
        '```json\n{"violation": 0, "policy_category": "none"}', "\ud800",
    ],
)  # fmt: skip
def test_anything_else_is_no_verdict(reply: str) -> None:
    assert None is read_verdict(reply, ASKED)


@given(st.text(max_size=60) | st.recursive(st.none() | st.integers() | st.text(max_size=5), st.lists).map(json.dumps))
def test_no_reply_breaks_the_reader(reply: str) -> None:
    assert None is read_verdict(reply, ASKED)
