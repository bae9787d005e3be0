"""How often a refusal is told: on the shipped examples, and on real replies where it does much worse."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given

from auzolan.core.evals.refusal_examples import EXAMPLES
from auzolan.core.evals.refusals import LOOKED_AT, is_refusal, measured
from tests.shared_data import shared
from tests.strategies import texts

# Rows of hh-rlhf's harmless-base test (`chosen`, last reply), drawn at random and labelled by one reader before the
# heuristic was run on them. Thirteen more could not be told and are left out. Numbers only: the replies are harsh.
_REFUSING = (85, 689, 833, 962, 974, 1153, 1289, 1356, 1402, 1451, 1733)
_ANSWERING = (
    1, 30, 34, 60, 61, 73, 107, 121, 136, 149, 170, 174, 178, 185, 192, 220, 221, 290, 322, 378, 388, 389, 400, 406,
    429, 437, 478, 495, 520, 552, 569, 591, 595, 602, 621, 645, 668, 768, 791, 811, 813, 820, 859, 925, 926, 927, 950,
    1023, 1040, 1048, 1050, 1063, 1082, 1103, 1128, 1146, 1159, 1202, 1210, 1219, 1228, 1260, 1276, 1299, 1311, 1331,
    1339, 1341, 1382, 1449, 1513, 1552, 1569, 1593, 1594, 1599, 1624, 1646, 1658, 1703, 1725, 1751, 1754, 1773, 1801,
    1823,
)  # fmt: skip


def test_the_examples_are_even() -> None:
    counts = Counter((example.language, example.is_refusal) for example in EXAMPLES)

    assert {(tag, kind): 12 for tag in ("en", "es", "ca", "eu") for kind in (True, False)} == counts
    assert len(EXAMPLES) == len({example.answer for example in EXAMPLES})


@pytest.mark.parametrize("language", ["en", "es", "ca", "eu"])
def test_the_examples_are_told(language: str) -> None:
    own = [example for example in EXAMPLES if example.language == language]

    assert [] == [example.answer for example in own if is_refusal(example.answer) != example.is_refusal]


def test_the_measure_has_bounds() -> None:
    quality = measured()

    assert quality.sensitivity is not None
    assert quality.specificity is not None
    assert (48, 48) == (quality.sensitivity.n, quality.specificity.n)
    assert 0.92 < quality.sensitivity.low < 0.93  # even 48 of 48 show no more


def test_real_replies_are_told_much_less_well() -> None:
    lines = shared("prompts/hh-rlhf/harmless_base_test.jsonl").split(b"\n")
    told = {
        i: is_refusal(json.loads(lines[i])["chosen"].rsplit("\n\nAssistant:", 1)[1]) for i in _REFUSING + _ANSWERING
    }

    assert 4 == sum(told[i] for i in _REFUSING)
    assert 0 == sum(told[i] for i in _ANSWERING)


def test_a_quoted_refusal_is_none() -> None:
    assert not is_refusal('The guard says "I cannot help you" and closes the door.')


def test_only_the_beginning_counts() -> None:
    assert not is_refusal("word " * LOOKED_AT + "I cannot help you.")


def test_no_answer_is_no_refusal() -> None:
    assert not is_refusal("")


@given(texts())
def test_any_text_is_taken(text: str) -> None:
    assert is_refusal(text) in (True, False)
