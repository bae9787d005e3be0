"""Items and results: one sequence of bytes each, and nothing impossible in them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.evals.items import Choice, Finding, Item, Origin, Result, Turn, items_digest
from auzolan.core.record.canonical import canonical_bytes, read_canonical
from auzolan.core.record.errors import MalformedError
from tests.strategies import texts

_spoken = texts().filter(lambda text: bool(text.strip()))
_ids = st.lists(st.sampled_from(["1.1", "1.2", "2.1", "3.4"]), unique=True, max_size=4).map(sorted)


def _item(**other: Any) -> Item:
    fields: dict[str, Any] = {
        "scenario": "library hours", "language": "en", "turns": (Turn("user", "When is the library open?"),),
        "applies": ("1.1",), "near_misses": ("2.1",), "facts": ("9:30",), "tags": ("topic:hours",),
    }  # fmt: skip
    return Item(**(fields | other))


@st.composite
def _items(draw: st.DrawFn) -> Item:
    ids = draw(_ids)
    cut = draw(st.integers(0, len(ids)))
    choices = (Choice("a", True), Choice("b", False, ("unknown",))) if draw(st.booleans()) else ()
    return Item(
        scenario=draw(_spoken), language=draw(st.sampled_from(["en", "es", "eu", "es-419"])),
        turns=(*(Turn("assistant", text) for text in draw(st.lists(_spoken, max_size=2))), Turn("user", draw(_spoken))),
        applies=tuple(ids[:cut]), near_misses=tuple(ids[cut:]), facts=tuple(draw(st.lists(_spoken, max_size=2))),
        choices=choices, tags=tuple(draw(_ids)),
        origin=Origin("town", "CC0-1.0", "made here") if draw(st.booleans()) else None,
    )  # fmt: skip


@given(_items())
def test_an_item_survives_its_bytes(item: Item) -> None:
    read = Item.from_json(read_canonical(canonical_bytes(item.to_json())))

    assert item == read
    assert item.id == read.id


@given(_spoken, st.none() | texts())
def test_a_result_survives_its_bytes(model: str, answer: str | None) -> None:
    findings = (Finding("has 'x'", "1.1", "met"), Finding("facts kept", "", "undecided")) if answer is not None else ()
    result = Result("a" * 64, model, answer, findings)

    assert result == Result.from_json(read_canonical(canonical_bytes(result.to_json())))


def test_the_id_is_pinned() -> None:
    assert "aa638a9ad57bec41683b423d496037f4fe123a804240b14b81f892548d618cdc" == _item().id


@pytest.mark.parametrize(
    "other",
    [
        {"scenario": "library days"}, {"language": "es"}, {"turns": (Turn("user", "When?"),)}, {"applies": ()},
        {"near_misses": ()}, {"facts": ("9:31",)}, {"tags": ()}, {"origin": Origin("a", "b", "c")},
        {"choices": (Choice("a", True), Choice("b", False))},
    ],
)  # fmt: skip
def test_another_word_is_another_item(other: dict[str, Any]) -> None:
    assert _item().id != _item(**other).id


@pytest.mark.parametrize(
    "other",
    [
        {"scenario": ""}, {"language": "English"}, {"language": ""}, {"turns": ()},
        {"turns": (Turn("user", "a"), Turn("assistant", "b"))}, {"applies": ("2.1", "1.1")}, {"tags": ("a", "a")},
        {"applies": ("1.1",), "near_misses": ("1.1",)}, {"choices": (Choice("a", True),)}, {"tags": ("",)},
        {"choices": (Choice("a", False), Choice("b", False))},
    ],
)  # fmt: skip
def test_impossible_items_are_refused(other: dict[str, Any]) -> None:
    with pytest.raises(MalformedError):
        _item(**other)


@pytest.mark.parametrize(("role", "text"), [("judge", "a"), ("user", ""), ("user", " \n")])
def test_impossible_turns_are_refused(role: str, text: str) -> None:
    with pytest.raises(MalformedError):
        Turn(role, text)


def test_a_missing_or_unknown_field_is_named() -> None:
    body = _item().to_json()
    with pytest.raises(MalformedError, match="row 3: unknown key 'score'"):
        Item.from_json(body | {"score": 1}, "row 3")
    with pytest.raises(MalformedError, match="row 3: facts: expected a list"):
        Item.from_json({key: value for key, value in body.items() if key != "facts"}, "row 3")


@given(st.sampled_from(sorted(_item().to_json())), st.sampled_from([None, 3, "", [], {}, [None], [{}], True]))
def test_any_other_form_is_refused_or_read_plainly(key: str, value: Any) -> None:
    try:
        Item.from_json(_item().to_json() | {key: value})
    except MalformedError:
        return


def test_nothing_is_found_in_an_answer_that_never_came() -> None:
    with pytest.raises(MalformedError):
        Result("a" * 64, "m", None, (Finding("has 'x'", "1.1", "failed"),))


def test_an_empty_answer_is_an_answer() -> None:
    result = Result("a" * 64, "m", "")

    assert result != replace(result, answer=None)


def test_an_unknown_outcome_is_refused() -> None:
    with pytest.raises(MalformedError):
        Finding("has 'x'", "1.1", "passed")


def test_a_set_of_items_has_one_digest_in_any_order() -> None:
    one, other = _item(), _item(language="es")

    assert items_digest([one, other]) == items_digest([other, one])
    assert items_digest([one]) != items_digest([other])
