"""Which statements are alike as texts, and that this is never taken for the same meaning."""

from __future__ import annotations

import csv
import io
import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.deliberate.wording.duplicates import LEAST, Alike, alike, features, folded, one_denies, share
from tests.shared_data import copied, shared, shared_folder

ALIKE = [
    ("The assistant should say when it is not sure.", "Assistant should say so when it's not sure"),
    ("El asistente debe decir cuándo no está seguro.", "El asistente debería decir si no está seguro"),
    ("L'assistent ha de dir quan no n'està segur.", "L’assistent hauria de dir quan no està segur"),
    ("Laguntzaileak esan behar du ziur ez dagoenean.", "Laguntzaileak ziur ez dagoenean esan beharko luke"),
]
DENYING = [
    ("The assistant may answer medical questions.", "The assistant may not answer medical questions."),
    ("It should joke now and then.", "It shouldn't joke now and then."),
    ("El asistente puede dar consejos médicos.", "El asistente nunca puede dar consejos médicos."),
    ("L'assistent pot fer bromes a la feina.", "L'assistent no pot fer bromes a la feina."),
    ("Laguntzaileak txantxak egin ditzake lanean.", "Laguntzaileak ezin ditzake txantxak egin lanean."),
]


def comments(data: bytes) -> dict[int, str]:
    """Return the texts of a Polis export that were not moderated out."""
    rows = csv.DictReader(io.StringIO(data.decode()))
    return {int(row["comment-id"]): row["comment-body"] for row in rows if row["moderated"] != "-1"}


def pairs(texts: dict[int, str]) -> set[frozenset[str]]:
    found = alike(texts)
    return {frozenset((texts[one], texts[each.statement])) for one, likes in found.items() for each in likes}


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_the_same_said_in_nearly_the_same_words_is_found(one: str, other: str) -> None:
    found = alike({1: one, 2: other, 3: "Plant more trees.", 4: "Landatu zuhaitz gehiago."})

    assert [1, 2] == sorted(found)
    assert [Alike(2, found[1][0].share, False)] == list(found[1])
    assert found[1][0].share >= LEAST


@pytest.mark.parametrize(("one", "other"), DENYING)
def test_a_statement_and_its_denial_are_alike_and_told_apart(one: str, other: str) -> None:
    found = alike({1: one, 2: other})

    assert [True] == [each.one_denies for each in found[1]]
    assert one_denies(one, other)
    assert one_denies(other, one)


def test_a_denial_in_other_words_is_not_noticed_so_a_person_must_look() -> None:
    support = "Those who support underrepresented parties are more likely to support electoral reform."
    oppose = "Those who support overrepresented parties are more likely to oppose electoral reform."
    found = alike({1: support, 2: oppose})[1][0]

    assert found.share > Fraction(3, 4)
    assert not found.one_denies


def test_likes_are_ordered_by_share_and_then_by_id() -> None:
    text = "Buses should run at night too"
    found = alike({9: text, 3: f"{text}.", 5: text, 7: "Buses should run at night and in the morning too"})

    assert [3, 5, 7] == [each.statement for each in found[9]]
    assert [Fraction(1), Fraction(1)] == [each.share for each in found[9][:2]]


def test_likes_of_likes_are_not_taken_along() -> None:
    texts = {1: "one two three four", 2: "two three four five", 3: "three four five six"}
    found = alike(texts, least=Fraction(2, 5))

    assert [2] == [each.statement for each in found[1]]
    assert {1, 3} == {each.statement for each in found[2]}


def test_only_those_asked_for_are_looked_up() -> None:
    texts = {1: "the same words", 2: "the same words", 3: "the same words"}

    assert [2] == list(alike(texts, of=[2, 17]))


@pytest.mark.parametrize("empty", ["", " ", "…!?", "\u200b", "🙂"])
def test_a_text_without_letters_is_like_none(empty: str) -> None:
    assert {} == alike({1: empty, 2: empty, 3: "words"})


def test_case_width_and_punctuation_mean_nothing_and_accents_something() -> None:
    assert "so à la mode" == folded("  So… À\tLA—ｍｏｄｅ!")
    assert folded("A\u0300 la") == folded("à la") != folded("a la")
    assert "strasse" == folded("STRAßE")


@given(st.dictionaries(st.integers(0, 40), st.text(alphabet="abc no,", max_size=12), max_size=12))
def test_likes_are_what_comparing_all_pairs_finds(texts: dict[int, str]) -> None:
    sets = {each: features(text) for each, text in texts.items() if folded(text)}
    slowly = {
        one: {other: share(sets[one], sets[other]) for other in sets if other != one} for one in sets
    }  # fmt: skip
    expected = {one: {o: s for o, s in others.items() if s >= LEAST} for one, others in slowly.items()}
    found = {one: {each.statement: each.share for each in likes} for one, likes in alike(texts).items()}

    assert {one: others for one, others in expected.items() if others} == found


@given(st.text(max_size=60), st.text(max_size=60))
def test_alike_goes_both_ways_and_any_text_is_taken(one: str, other: str) -> None:
    assert share(features(one), features(other)) == share(features(other), features(one)) <= 1
    assert one_denies(one, other) == one_denies(other, one)


def test_real_statements_about_oneself_are_alike_and_not_the_same() -> None:
    texts = comments(copied("polis/london.youth.policing/comments.csv"))

    assert frozenset(("I identify as female.", "I identify as male.")) in pairs(texts)


def test_in_a_real_conversation_without_repetition_nothing_is_alike() -> None:
    texts = comments(copied("polis/15-per-hour-seattle/comments.csv"))

    assert 28 < len(texts)
    assert set() == pairs(texts)


def test_what_participants_of_a_real_conversation_wrote_twice_is_found() -> None:
    texts = comments(shared("polis/scoop-hivemind.ubi/comments.csv"))
    found = alike(texts)
    twice = {one for one, likes in found.items() if likes[0].share == 1}

    assert 6 == len(twice)
    assert any(
        Fraction(7, 10) < likes[0].share < 1 and texts[one].startswith("UBI has clear") for one, likes in found.items()
    )


def test_two_thousand_statements_take_about_a_second() -> None:
    texts: dict[int, str] = {}
    for place in sorted(shared_folder("polis").glob("*/comments.csv")):
        for text in comments(place.read_bytes()).values():
            texts[len(texts)] = text
    texts = {each: texts[each] for each in range(2_000)}
    started = time.process_time()
    found = alike(texts)

    assert found
    assert time.process_time() - started < 3  # 0.3 s where nothing else runs
