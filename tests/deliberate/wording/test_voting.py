"""Which statement of a vote is which principle, word for word, and what a constitution cannot claim of a vote."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.kinds.constitution import Constitution, Draft, Principle
from auzolan.core.kinds.selection import Outcome
from auzolan.core.record.errors import UsageError, VerificationError
from auzolan.deliberate.conversation import Statement
from auzolan.deliberate.wording.voting import statements_in_vote, verify_wording, voted_as, wording_of
from tests.strategies import texts

ID = "a" * 64
TEXTS = {"1.1": "It says when it is not sure.", "2.1": "It speaks our languages.", "2.2": "Nobody is tracked."}


def _principles(**texts: str) -> tuple[Principle, ...]:
    return tuple(
        Principle(number, text, "en", "verbatim", "", (10 * place,), "selected")
        for place, (number, text) in enumerate((texts or TEXTS).items(), 1)
    )


def _vote(*texts: str, first: int = 1) -> list[Statement]:
    return [Statement(first + place, text, "in") for place, text in enumerate(texts)]


ONE, TWO, THREE = TEXTS.values()


# Matching


def test_principles_are_found_by_their_words_whatever_the_order() -> None:
    assert {"1.1": 3, "2.1": 1, "2.2": 2} == voted_as(_principles(), _vote(TWO, THREE, ONE))


@pytest.mark.parametrize(
    "front",
    ["{}", "{} {}", "{}. {}", "{}) {}", "{}: {}", "Article {}: {}", "article {} {}", "  {}   {}", "ARTICLE {}. {}"],
)
def test_a_principle_may_have_its_own_number_in_front(front: str) -> None:
    numbered = [text if front == "{}" else front.format(number, text) for number, text in TEXTS.items()]

    assert {"1.1": 1, "2.1": 2, "2.2": 3} == voted_as(_principles(), _vote(*numbered))


@pytest.mark.parametrize(
    "other", ["1.2", "2.1", "11.1", "1.10", "1.1.1", "1,1", "Chapter 1.1", "#1.1", "§ 1.1", "1.1-"]
)
def test_another_number_in_front_makes_other_words(other: str) -> None:
    with pytest.raises(UsageError, match=r"principle 1\.1 was not voted on in its wording"):
        voted_as(_principles(), _vote(f"{other} {ONE}", TWO, THREE))


def test_a_number_that_belongs_to_the_words_is_not_taken_for_one_in_front() -> None:
    """People voted on 3.5 percent; nobody may count that for 2.5 percent."""
    principles = _principles(**{"1.1": "2.5 percent of the budget is for parks."})

    with pytest.raises(UsageError, match="was not voted on in its wording"):
        voted_as(principles, _vote("3.5 percent of the budget is for parks."))
    with pytest.raises(UsageError, match="was not voted on in its wording"):
        voted_as(principles, _vote("percent of the budget is for parks."))
    assert {"1.1": 1} == voted_as(principles, _vote("2.5 percent of the budget is for parks."))
    assert {"1.1": 1} == voted_as(principles, _vote("1.1 2.5 percent of the budget is for parks."))


def test_a_number_that_could_be_either_is_not_guessed_twice() -> None:
    """One statement cannot be the vote on two principles."""
    principles = _principles(**{"1.1": "2.1 hours are enough.", "2.1": "hours are enough."})

    with pytest.raises(UsageError, match=r"principle 2\.1 was not voted on"):
        voted_as(principles, _vote("2.1 hours are enough."))
    assert {"1.1": 1, "2.1": 2} == voted_as(principles, _vote("2.1 hours are enough.", "hours are enough."))


@pytest.mark.parametrize("spaced", ["  {}", "{}  ", "{}\n", "\t{}\u00a0", "\u2003{}"])
def test_spaces_around_and_between_words_do_not_matter(spaced: str) -> None:
    wide = ONE.replace(" ", " \n ")

    assert {"1.1": 1, "2.1": 2, "2.2": 3} == voted_as(_principles(), _vote(spaced.format(wide), TWO, THREE))


@pytest.mark.parametrize(
    "other", [ONE.upper(), ONE[:-1], ONE + "!", ONE.replace("not ", ""), ONE.replace("s", "ſ"), ""]
)
def test_other_words_are_not_the_principle(other: str) -> None:
    with pytest.raises(UsageError, match=r"principle 1\.1 was not voted on in its wording: 'It says when"):
        voted_as(_principles(), _vote(other, TWO, THREE))


def test_a_principle_that_was_put_twice_is_refused() -> None:
    for twice in (ONE, f"1.1 {ONE}", f"  {ONE}"):
        with pytest.raises(UsageError, match=r"principle 1\.1 was 2 times voted on"):
            voted_as(_principles(), _vote(ONE, TWO, THREE, twice))


def test_a_principle_that_is_missing_is_refused() -> None:
    with pytest.raises(UsageError, match=r"principle 2\.2 was not voted on"):
        voted_as(_principles(), _vote(ONE, TWO))


def test_something_else_in_the_vote_is_refused_and_named() -> None:
    with pytest.raises(UsageError, match=r"statement 4 of the vote is not in the draft: 'Parking is free\.'"):
        voted_as(_principles(), _vote(ONE, TWO, THREE, "Parking  is free.", "Trams are free."))


def test_a_long_text_is_not_said_in_full() -> None:
    with pytest.raises(UsageError) as refused:
        voted_as(_principles(), _vote(ONE, TWO, THREE, "x" * 5_000))

    assert len(str(refused.value)) < 200


def test_what_was_moderated_out_of_the_vote_is_passed_over() -> None:
    extra = [
        Statement(8, "Parking is free.", "out"),
        Statement(9, ONE, "out"),
        Statement(7, "What is this?", is_meta=True),
    ]

    assert {"1.1": 1, "2.1": 2, "2.2": 3} == voted_as(_principles(), [*_vote(ONE, TWO, THREE), *extra])


def test_a_principle_that_was_moderated_out_was_not_voted_on() -> None:
    with pytest.raises(UsageError, match=r"principle 1\.1 was not voted on"):
        voted_as(_principles(), [Statement(1, ONE, "out"), *_vote(TWO, THREE, first=2)])


def test_without_principles_and_without_a_vote_nothing_is_matched() -> None:
    assert {} == voted_as((), [])
    assert {} == voted_as((), [Statement(1, "x", "out")])
    with pytest.raises(UsageError, match="statement 1 of the vote is not in the draft"):
        voted_as((), _vote("x"))


def test_two_principles_with_the_same_words_cannot_share_a_vote() -> None:
    with pytest.raises(UsageError, match=r"principle 2\.1 was not voted on"):
        voted_as(_principles(**{"1.1": ONE, "2.1": ONE}), _vote(ONE))


@given(st.lists(texts().filter(lambda text: bool(text.split())), unique_by=wording_of, max_size=5), st.randoms())
def test_the_poll_of_a_draft_is_matched_in_any_order_with_or_without_numbers(words: list[str], chance: Any) -> None:
    principles = _principles(**{f"{place}.1": text for place, text in enumerate(words, 1)}) if words else ()
    put = [(each.number, chance.choice([each.text, f"{each.number}. {each.text}"])) for each in principles]
    chance.shuffle(put)

    expected = {number: place for place, (number, _) in enumerate(put, 5)}
    assert expected == voted_as(principles, _vote(*(text for _, text in put), first=5))


def test_words_without_their_number_are_the_same_for_all_numbers() -> None:
    assert {"x y"} == {wording_of(text) for text in ("x y", "1.1 x y", "12.30) x  y", " Article 2.1:  x\ny ")}


def test_statements_of_the_conversation_are_found_in_the_vote() -> None:
    merged = replace(_principles()[0], transformation="merged", editor="Ana", statements=(10, 7))

    assert {10: 4, 7: 4, 20: 5, 30: 6} == statements_in_vote(
        (merged, *_principles()[1:]), {"1.1": 4, "2.1": 5, "2.2": 6}
    )


# The check


DRAFT = Draft(ID, "Ours", "2026-11-20", _principles())
VOTE = _vote(ONE, TWO, THREE)
OUTCOME = Outcome("A", "before", {"seats": 3}, (), (), (), (), (), None)
HONEST = Constitution(
    ID, ID, ID, "Ours", "2026-11-21", _principles(), {"1.1": 1, "2.1": 2, "2.2": 3}, OUTCOME
)  # fmt: skip


def test_an_honest_constitution_is_returned() -> None:
    assert HONEST is verify_wording(HONEST, DRAFT, VOTE)


def _first(**other: Any) -> tuple[Principle, ...]:
    first, *rest = _principles()
    return (replace(first, **other), *rest)


@pytest.mark.parametrize(
    "forge",
    [
        lambda: replace(HONEST, title="Theirs"),
        lambda: replace(HONEST, principles=_first(text="It is always sure.")),
        lambda: replace(HONEST, principles=_first(text=ONE + " ")),
        lambda: replace(HONEST, principles=_first(number="1.2")),
        lambda: replace(HONEST, principles=_first(language="es")),
        lambda: replace(HONEST, principles=_first(transformation="reworded", editor="Ana")),
        lambda: replace(HONEST, principles=_first(standing="contested")),
        lambda: replace(HONEST, principles=_first(statements=(99,))),
        lambda: replace(HONEST, principles=_first(translations={"eu": "Beste zerbait."})),
        lambda: replace(HONEST, principles=_principles()[1:]),
        lambda: replace(HONEST, principles=()),
    ],
)
def test_another_wording_than_the_drafts_is_refused(forge: Callable[[], Constitution]) -> None:
    with pytest.raises(VerificationError, match="not worded as the draft that was voted on"):
        verify_wording(forge(), DRAFT, VOTE)


@pytest.mark.parametrize(
    "voted",
    [
        {"1.1": 2, "2.1": 1, "2.2": 3},
        {"1.1": 1, "2.1": 2, "2.2": 4},
        {"1.1": 1, "2.1": 2},
        {"1.1": 1, "2.1": 1, "2.2": 1},
    ],
)
def test_votes_that_were_cast_on_other_statements_are_refused(voted: dict[str, int]) -> None:
    with pytest.raises(VerificationError, match="counts the votes on other statements"):
        verify_wording(replace(HONEST, voted_as=voted), DRAFT, VOTE)


@pytest.mark.parametrize(
    ("statements", "why"),
    [
        (_vote(ONE, TWO), r"principle 2\.2 was not voted on"),
        (_vote(ONE, TWO, THREE, THREE), r"principle 2\.2 was 2 times voted on"),
        (_vote(ONE, TWO, THREE, "More."), "statement 4 of the vote is not in the draft"),
        (_vote("It is always sure.", TWO, THREE), r"principle 1\.1 was not voted on"),
        (_vote(f"2.1 {ONE}", TWO, THREE), r"principle 1\.1 was not voted on"),
        ([Statement(1, ONE, "out"), *_vote(TWO, THREE, first=2)], r"principle 1\.1 was not voted on"),
        ([], r"principle 1\.1 was not voted on"),
    ],
)
def test_a_vote_on_something_else_is_refused(statements: list[Statement], why: str) -> None:
    with pytest.raises(VerificationError, match=f"the vote was not on this draft: .*{why}"):
        verify_wording(HONEST, DRAFT, statements)
