"""Voting cards: known labels, given ones, and a refusal that says how to go on."""

from __future__ import annotations

import pytest

from auzolan.core.record.errors import UsageError
from auzolan.deliberate.decidim.cards import KNOWN, MEANINGS, Cards, meanings_of


@pytest.mark.parametrize(
    ("labels", "meaning"),
    [
        (("Green", "Verd", "Verde", "Berdea", "Verte", "Grün"), "agree"),
        (("Yellow", "Groc", "Amarillo", "Horia", "Jaune", "Gelb", "Giallo"), "neutral"),
        (("Red", "Roig", "Rojo", "Gorria", "Rouge", "Rot", "Rosso"), "disagree"),
        (("Abstain", "Abstenció", "Abstenerse", "Abstentzioa", "Abstention", "Enthalten", "Astensione"), "abstain"),
    ],
)
def test_default_labels_are_known(labels: tuple[str, ...], meaning: str) -> None:
    assert {meaning} == {Cards().meaning(label) for label in labels}
    assert set(KNOWN.values()) == set(MEANINGS)


def test_case_and_spaces_do_not_matter() -> None:
    assert "agree" == Cards().meaning("  gREEN ")


def test_what_is_given_has_precedence() -> None:
    cards = Cards(meanings_of(["Red=neutral", "Sí, = ho vull=agree"]))

    assert ("neutral", "agree") == (cards.meaning("red"), cards.meaning("Sí, = ho vull"))


def test_unknown_labels_are_refused_all_at_once() -> None:
    with pytest.raises(UsageError) as refused:
        Cards().check(["Green", "Purple", "Blau"])

    assert "“Blau”, “Purple”; say of each card what it means, as LABEL=agree" in str(refused.value)


def test_numbers_are_no_cards() -> None:
    with pytest.raises(UsageError, match="“3”"):
        Cards().check(["3"])


def test_a_long_list_of_unknown_labels_is_cut() -> None:
    with pytest.raises(UsageError, match="and 12 more"):
        Cards().check([f"card {number}" for number in range(20)])


@pytest.mark.parametrize("pair", ["Verd", "=agree", "Verd=", "Verd=yes", " =agree"])
def test_a_pair_of_another_form_is_refused(pair: str) -> None:
    with pytest.raises(UsageError, match="expected the label of a card"):
        meanings_of([pair])


def test_a_label_with_two_meanings_is_refused() -> None:
    with pytest.raises(UsageError, match="given two meanings"):
        meanings_of(["Verd=agree", "VERD=disagree"])
