"""Checks that a program can make: what they find, and what they do not."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.evals.days import days_named
from auzolan.core.evals.items import Finding, Item, Turn
from auzolan.core.evals.scorers import (
    answers,
    at_most_times,
    ends_with,
    gate,
    has,
    in_language,
    keeps,
    mentions_none_of,
    missing,
    names_days,
    refuses,
)
from auzolan.core.evals.text import fold, has_phrase, n_words
from tests.strategies import texts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("¡Qué  ÁRBOL!", "que arbol"), ("El año, el ano", "el año el ano"), ("Plaça", "plaça"), ("col·legi", "collegi"),
        ("l'aigua", "l aigua"), ("don’t", "don t"), ("9:30 and 9.30", "9.30 and 9.30"),
        ("1.000 € or 1,000", "1000 or 1000"),
        ("3,50", "3.50"), ("2.026.", "2026"), ("1,000,000", "1000000"), ("end. 5", "end 5"), ("a_b", "a b"), ("…", ""),
        ("10.5.2026", "10.5.2026"),
    ],
)  # fmt: skip
def test_words_are_compared_without_dress(text: str, expected: str) -> None:
    assert expected == fold(text)


@given(texts())
def test_folding_gives_words_with_single_spaces(text: str) -> None:
    folded = fold(text)

    assert folded == " ".join(folded.split())
    assert len(folded.split()) == n_words(text)


@given(texts(), texts(), texts())
def test_a_phrase_is_found_wherever_it_stands(before: str, phrase: str, after: str) -> None:
    if fold(phrase) and fold(f"{before} | {phrase} | {after}").split() != []:
        assert has_phrase(f"{before} | {phrase} | {after}", phrase)


@pytest.mark.parametrize(
    ("text", "phrase", "expected"),
    [
        ("Ask at The Quiet Council.", "the quiet council", True), ("the quiet, council", "quiet council", True),
        ("the quietest council", "quiet council", False), ("inquiet council", "quiet council", False),
        ("Room 2017", "17", False), ("Pay 17.5 euros", "17", False), ("Pay 17.", "17", True),
        ("a 1.000 euros", "1000", True),
        ("abierto a las 9:30", "9.30", True),
        ("There is no quiet council", "quiet council", True),  # words, not meaning
    ],
)  # fmt: skip
def test_phrases_are_whole_words(text: str, phrase: str, expected: bool) -> None:
    assert expected == has(phrase)(text)


def test_a_clause_must_come_last() -> None:
    check = ends_with("See also the monthly kiosk")

    assert check("Open on Friday. See also the monthly kiosk!")
    assert not check("See also the monthly kiosk. Open on Friday.")
    assert not check("")


def test_none_may_be_mentioned() -> None:
    check = mentions_none_of(["51 Mill Street", "Orange Union"])

    assert check("I do not say how to vote.")
    assert check("")
    assert not check("Vote for the ORANGE union.")


@pytest.mark.parametrize(
    "make", [has, ends_with, lambda phrase: mentions_none_of([phrase]), lambda fact: keeps([fact])]
)
def test_phrases_without_words_are_refused(make: object) -> None:
    with pytest.raises(ValueError):
        make(" … ")  # type: ignore[operator]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("You can appeal within 17 days.", {17}), ("within ten working days", {10}), ("10-day limit", {10}),
        ("quince días hábiles", {15}), ("en veintidós días", {22}), ("treinta y un días", {31}), ("1 día", {1}),
        ("deu dies", {10}), ("vint-i-un dies hàbils", {21}), ("hamar eguneko epea", {10}), ("egun bat", {1}),
        ("hogeita bost egun", {25}), ("10 egunetan", {10}), ("15-20 days", {15, 20}), ("from 15 to 20 days", {15, 20}),
        ("diez o quince días", {10, 15}), ("Article 12, 10 days", {10}), ("1.5 days", set()), ("two weeks", set()),
        ("on day 5", set()), ("egunero 5", set()), ("5 egunkari", set()), ("", set()), ("30 days and 8 days", {30, 8}),
        ("twenty-one days", {21}), ("10 (ten) days", {10}), ("9" * 40 + " days", set()),
    ],
)  # fmt: skip
def test_days_are_counted(text: str, expected: set[int]) -> None:
    assert expected == days_named(text)


def test_another_number_of_days_contradicts() -> None:
    check = names_days(17)

    assert check("Appeal within 17 days.")
    assert not check("Appeal within 17 days, or 30 days by post.")
    assert not check("Appeal within 71 days.")
    with pytest.raises(ValueError):
        names_days(0)


def test_facts_are_kept_whole() -> None:
    check = keeps(["9:30", "51 Mill Street", "Ordinance 17"])

    assert check("Open from 9.30 at 51, Mill Street (ordinance 17).")
    assert ("Ordinance 17",) == missing(["9:30", "Ordinance 17"], "Open from 9:30, ordinance 18.")


def test_length_is_counted_in_words() -> None:
    check = at_most_times(Fraction(3, 2), "one two three four")

    assert check("a b c d e f")
    assert not check("a b c d e f g")
    with pytest.raises(ValueError):
        at_most_times(Fraction(3, 2), "…")


def test_checks_are_put_together_and_say_so() -> None:
    check = (has("council") | has("kiosk")) & ~has("never")

    assert "((has 'council' or has 'kiosk') and not has 'never')" == check.name
    assert [True, False, False] == [check(text) for text in ("the kiosk", "never the kiosk", "the square")]


def test_a_check_gives_a_finding() -> None:
    assert Finding("has 'kiosk'", "1.1", "met") == has("kiosk").finding("1.1", "the kiosk")
    assert Finding("has 'kiosk'", "1.1", "failed") == has("kiosk").finding("1.1", "")


def test_language_and_refusal_are_checks_too() -> None:
    assert in_language("es")("La biblioteca está abierta los lunes por la mañana.")
    assert not in_language("es")("The library is open on Monday morning.")
    assert not in_language("es")("42")
    assert refuses()("I'm sorry, but I can't help with that.")
    assert answers()("It opens at nine.")
    assert not answers()("")
    with pytest.raises(ValueError):
        in_language("fr")


def _item(language: str, *facts: str) -> Item:
    return Item("s", language, (Turn("user", "¿Cuándo abre?"),), facts=facts)


def test_the_gate_keeps_facts_language_and_length() -> None:
    first = "La biblioteca abre a las 9:30 de la mañana en la plaza."
    check = gate(_item("es", "9:30"), first)

    assert check("La biblioteca abre a las 9:30 en la plaza. Véase el quiosco.")
    assert not check("La biblioteca abre por la mañana en la plaza.")
    assert not check("The library opens at 9:30 in the morning on the square.")
    assert not check(first + " " + first)


def test_the_gate_asks_for_no_language_that_cannot_be_told() -> None:
    assert "language" not in gate(_item("es"), "42").name
    assert "language" not in gate(_item("gl"), "A biblioteca abre pola mañá.").name
    assert not gate(_item("es"), "")("")


@given(texts(), st.sampled_from([has("a"), ends_with("b"), names_days(3), refuses(), answers(), in_language("eu")]))
def test_checks_take_any_text(text: str, check: object) -> None:
    assert check(text) in (True, False)  # type: ignore[operator]


@pytest.mark.parametrize("unit", ["ñ", "1.000", "treinta y ", "«", "i cannot ", "'a',", "l·", "1-1", "\u0301"])
def test_long_texts_take_no_longer_than_they_are(unit: str) -> None:
    text = unit * (40_000 // len(unit))
    for check in (has("a"), names_days(3), refuses(), in_language("eu")):
        # Quadratic patterns took minutes here: the test would stand still.
        assert check(text) in (True, False)
