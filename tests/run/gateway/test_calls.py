"""Arguments of calls say the same when they are written anew, and hide nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.run.gateway.calls import blotted, plain_arguments, searched, unescaped

IBAN = "ES91 2100 0418 4502 0005 1332"
_LEAVES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner), max_leaves=8
)


@given(VALUES)
def test_arguments_that_are_written_anew_say_the_same(value: object) -> None:
    assert value == json.loads(plain_arguments(json.dumps(value)))
    assert value == json.loads(blotted(json.dumps(value), {"iban"}))


@given(st.text())
def test_any_text_can_be_looked_at(text: str) -> None:
    unescaped(text).encode()
    searched([text, plain_arguments(text)])
    blotted(text, {"iban", "card"})


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), st.integers(1, 4))
def test_nothing_hides_in_escapes_of_any_depth(text: str, depth: int) -> None:
    hidden = "".join(f"\\u{int.from_bytes(unit):04x}" for unit in _units(text))
    for _ in range(depth - 1):
        hidden = hidden.replace("\\", "\\\\")

    assert text == unescaped(hidden)


def _units(text: str) -> list[bytes]:
    data = text.encode("utf-16-be")
    return [data[at : at + 2] for at in range(0, len(data), 2)]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (f'{{"to": "{IBAN}"}}', '{"to":"[iban]"}'),
        (f'{{"{IBAN}": [1, true, null]}}', '{"[iban]":[1,true,null]}'),
        ('{"card": 4111111111111111, "n": 12}', '{"card":"[card]","n":12}'),
        (f"pay to {IBAN}, no JSON", "pay to [iban], no JSON"),
        ('{"to": "nobody"}', '{"to": "nobody"}'),
    ],
)
def test_numbers_that_harm_are_blotted_out_wherever_they_stand(arguments: str, expected: str) -> None:
    assert expected == blotted(arguments, {"iban", "card"})


def test_a_number_in_escapes_is_blotted_out() -> None:
    escaped = "".join(f"\\\\u{ord(char):04x}" for char in IBAN)

    assert '{"to":"[iban]"}' == blotted(f'{{"to": "{escaped}"}}', {"iban"})


def test_a_nest_without_bottom_is_no_error() -> None:
    deep = "[" * 500 + f'"{IBAN}"' + "]" * 500

    assert "1332" not in blotted(deep, {"iban"})
    assert plain_arguments(deep + "\\")
