"""What changed between two constitutions: each principle once, and why two are called the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.kinds.constitution import Constitution, Principle, place_of
from auzolan.core.kinds.selection import Article, Clause, Outcome
from auzolan.deliberate.wording.comparison import ADDED, KEPT, REMOVED, REWORDED, Change, compare
from tests import strategies

assert strategies, "property tests are deterministic only with that profile"

ID = "a" * 64
SURE, LANGUAGES, TRACKED = "It says when it is not sure.", "It speaks all our languages.", "Nobody is tracked by it."
ALIKE = "It always says when it is not quite sure."


def _principle(number: str, text: str, *statements: int) -> Principle:
    return Principle(number, text, "en", "verbatim", "", statements or (int(number.replace(".", "000")),), "selected")


def _constitution(
    principles: Sequence[Principle], acknowledged: Sequence[str] = (), voted_down: Sequence[str] = ()
) -> Constitution:
    """Make one in which all principles are ratified but those that are said to be something else."""
    principles = sorted(principles, key=lambda each: place_of(each.number))
    voted = {each.number: place for place, each in enumerate(principles, 100)}
    articles = [n for n in voted if n not in acknowledged and n not in voted_down]
    outcome = Outcome(
        "A", "before", {"seats": 3}, (), tuple(Article(voted[n], "equal-shares", 1) for n in articles), (), (),
        tuple(Clause(voted[n], Fraction(1)) for n in acknowledged), None,
    )  # fmt: skip
    return Constitution(ID, ID, ID, "Ours", "2026-11-20", tuple(principles), voted, outcome)


def _said(changes: Sequence[Change]) -> list[tuple[str, str | None, str | None, str]]:
    return [(e.what, e.old.number if e.old else None, e.new.number if e.new else None, e.because) for e in changes]


def _compared(
    old: Sequence[Principle], new: Sequence[Principle], same_conversation: bool = False
) -> list[tuple[str, str | None, str | None, str]]:
    return _said(compare(_constitution(old), _constitution(new), same_conversation))


WORDS, STATEMENT, TEXTS = "word for word", "it rests on the same statement", "the words are alike"


# One principle


def test_the_same_words_are_kept() -> None:
    assert [(KEPT, "1.1", "1.1", WORDS)] == _compared([_principle("1.1", SURE)], [_principle("1.1", SURE)])


def test_a_principle_that_got_another_number_is_kept() -> None:
    old = [_principle("1.1", SURE), _principle("2.1", TRACKED)]
    new = [_principle("1.1", TRACKED), _principle("7.3", SURE)]

    assert [(KEPT, "2.1", "1.1", WORDS), (KEPT, "1.1", "7.3", WORDS)] == _compared(old, new)


def test_a_principle_that_rests_on_the_same_statement_was_reworded() -> None:
    old, new = [_principle("1.1", SURE, 4, 5)], [_principle("2.1", LANGUAGES, 9, 4)]

    assert [(REWORDED, "1.1", "2.1", STATEMENT)] == _compared(old, new, same_conversation=True)
    assert [(ADDED, None, "2.1", ""), (REMOVED, "1.1", None, "")] == _compared(old, new)


def test_principles_with_words_alike_are_found_in_another_conversation_too() -> None:
    old, new = [_principle("1.1", SURE, 4)], [_principle("2.1", ALIKE, 4)]

    assert [(REWORDED, "1.1", "2.1", TEXTS)] == _compared(old, new)
    assert [(REWORDED, "1.1", "2.1", STATEMENT)] == _compared(old, new, same_conversation=True)


def test_letters_in_capitals_and_marks_are_the_same_words_but_not_the_same_text() -> None:
    assert [(REWORDED, "1.1", "1.1", TEXTS)] == _compared([_principle("1.1", SURE)], [_principle("1.1", SURE.upper())])
    assert [(REWORDED, "1.1", "1.1", TEXTS)] == _compared([_principle("1.1", SURE)], [_principle("1.1", SURE[:-1])])


@pytest.mark.parametrize(
    ("new", "what"), [("a b c d", REWORDED), ("a b c x", REWORDED), ("a b x y", ADDED), ("?!", ADDED)]
)
def test_texts_are_alike_from_half_of_their_features_in_common(new: str, what: str) -> None:
    """Of "a b c" and "a b c x" 5 of 7 are in common, with "a b x y" 3 of 9; more in `test_duplicates`."""
    assert what == _compared([_principle("1.1", "a b c")], [_principle("1.1", new)])[0][0]


def test_texts_without_any_words_are_alike_only_to_the_letter() -> None:
    assert [(ADDED, None, "1.1", ""), (REMOVED, "1.1", None, "")] == _compared(
        [_principle("1.1", "?")], [_principle("1.1", "!")]
    )
    assert [(KEPT, "1.1", "1.1", WORDS)] == _compared([_principle("1.1", "?")], [_principle("1.1", "?")])


# Several


def test_the_same_text_goes_before_the_same_statement() -> None:
    """1.1 rests on the statement of the new 1.1, and the new 2.1 has its words."""
    old = [_principle("1.1", SURE, 4)]
    new = [_principle("1.1", LANGUAGES, 4), _principle("2.1", SURE, 9)]

    assert [(ADDED, None, "1.1", ""), (KEPT, "1.1", "2.1", WORDS)] == _compared(old, new, same_conversation=True)


def test_the_same_statement_goes_before_words_that_are_alike() -> None:
    old = [_principle("1.1", SURE, 4)]
    new = [_principle("1.1", ALIKE, 9), _principle("2.1", LANGUAGES, 4)]

    assert [(ADDED, None, "1.1", ""), (REWORDED, "1.1", "2.1", STATEMENT)] == _compared(
        old, new, same_conversation=True
    )


def test_the_most_alike_are_paired_and_not_the_first_ones() -> None:
    old = [_principle("1.1", "a b c d e f")]
    new = [_principle("1.1", "a b c x"), _principle("2.1", "a b c d e")]

    assert [(ADDED, None, "1.1", ""), (REWORDED, "1.1", "2.1", TEXTS)] == _compared(old, new)


def test_a_principle_with_more_statements_in_common_is_the_one_that_was_reworded() -> None:
    old = [_principle("1.1", SURE, 4, 5, 6)]
    new = [_principle("1.1", LANGUAGES, 4), _principle("2.1", TRACKED, 5, 6)]

    assert [(ADDED, None, "1.1", ""), (REWORDED, "1.1", "2.1", STATEMENT)] == _compared(
        old, new, same_conversation=True
    )


def test_of_those_as_alike_the_lower_numbers_are_paired() -> None:
    old = [_principle("1.1", "a b c d", 1), _principle("1.2", "a b c e", 2)]
    new = [_principle("3.1", "a b c f", 3), _principle("3.2", "a b c g", 4)]

    assert [(REWORDED, "1.1", "3.1", TEXTS), (REWORDED, "1.2", "3.2", TEXTS)] == _compared(old, new)


def test_one_that_was_split_counts_once_and_one_that_was_merged_once() -> None:
    one, two = [_principle("1.1", SURE, 4, 5)], [_principle("1.1", LANGUAGES, 4), _principle("1.2", TRACKED, 5)]

    assert [(REWORDED, "1.1", "1.1", STATEMENT), (ADDED, None, "1.2", "")] == _compared(one, two, True)
    assert [(REWORDED, "1.1", "1.1", STATEMENT), (REMOVED, "1.2", None, "")] == _compared(two, one, True)


def test_what_is_new_comes_by_its_number_and_then_what_is_gone() -> None:
    old = [_principle("1.1", "p"), _principle("1.2", "q"), _principle("2.1", "r")]
    new = [_principle("1.2", "s"), _principle("1.10", "q"), _principle("2.1", "t")]

    assert [
        (ADDED, None, "1.2", ""), (KEPT, "1.2", "1.10", WORDS), (ADDED, None, "2.1", ""),
        (REMOVED, "1.1", None, ""), (REMOVED, "2.1", None, ""),
    ] == _compared(old, new)  # fmt: skip


# In force


def test_what_was_voted_down_is_not_in_force() -> None:
    old = _constitution([_principle("1.1", SURE), _principle("2.1", TRACKED)], voted_down=["1.1"])
    new = _constitution([_principle("1.1", SURE), _principle("2.1", TRACKED)], voted_down=["2.1"])

    assert [(ADDED, None, "1.1", ""), (REMOVED, "2.1", None, "")] == _said(compare(old, new, False))


def test_what_is_acknowledged_is_in_force_too() -> None:
    old, new = (_constitution([_principle("1.1", SURE)], acknowledged) for acknowledged in (["1.1"], []))

    assert [(KEPT, "1.1", "1.1", WORDS)] == _said(compare(old, new, False))


def test_a_principle_that_is_said_to_be_both_counts_once() -> None:
    one = _constitution([_principle("1.1", SURE)])
    clauses = (Clause(one.voted_as["1.1"], Fraction(1)),)
    both = replace(one, outcome=replace(one.outcome, clauses=clauses))

    assert [(KEPT, "1.1", "1.1", WORDS)] == _said(compare(both, both, False))


def test_nothing_compared_with_nothing_changed_nothing() -> None:
    assert [] == _compared([], [])
    assert [(ADDED, None, "1.1", "")] == _compared([], [_principle("1.1", SURE)])
    assert [(REMOVED, "1.1", None, "")] == _compared([_principle("1.1", SURE)], [])


# Always


@st.composite
def _drawn(draw: st.DrawFn) -> Constitution:
    numbers = draw(st.lists(st.sampled_from([f"{a}.{p}" for a in (1, 2, 10) for p in (1, 2, 10)]), unique=True))
    words = st.lists(st.sampled_from("abcd"), min_size=1, max_size=4).map(" ".join)
    statements = iter(draw(st.permutations(range(30))))
    made = [_principle(n, draw(words), *(next(statements) for _ in range(draw(st.integers(1, 3))))) for n in numbers]
    fate: Mapping[str, int] = {n: draw(st.integers(0, 3)) for n in numbers}
    return _constitution(made, [n for n in numbers if fate[n] == 0], [n for n in numbers if fate[n] == 1])


@given(_drawn(), _drawn(), st.booleans())
def test_every_principle_in_force_appears_once_on_its_side(old: Constitution, new: Constitution, same: bool) -> None:
    changes = compare(old, new, same)
    before = sorted(each.old.number for each in changes if each.old)
    after = [each.new.number for each in changes if each.new]

    assert sorted(each.number for each in (*old.ratified, *old.acknowledged)) == before
    assert sorted(each.number for each in (*new.ratified, *new.acknowledged)) == sorted(after)
    assert sorted(after, key=place_of) == after


@given(_drawn(), _drawn(), st.booleans())
def test_what_is_said_of_each_is_so(old: Constitution, new: Constitution, same: bool) -> None:
    for change in compare(old, new, same):
        kinds = {(True, True): {KEPT, REWORDED}, (False, True): {ADDED}, (True, False): {REMOVED}}

        assert change.what in kinds[change.old is not None, change.new is not None]
        assert bool(change.because) is (change.what in (KEPT, REWORDED))
        if change.old and change.new:
            shares = bool({*change.old.statements} & {*change.new.statements})

            assert (change.what == KEPT) is (change.old.text == change.new.text)
            assert change.because != STATEMENT or (same and shares)
            assert not (change.because == TEXTS and same and shares)


@given(_drawn(), st.booleans())
def test_compared_with_itself_all_is_kept(one: Constitution, same: bool) -> None:
    changes = compare(one, one, same)

    assert all(each.what == KEPT for each in changes)
    assert all(each.old and each.new and each.old.text == each.new.text for each in changes)


@given(_drawn(), _drawn(), st.booleans())
def test_the_other_way_round_as_many_are_kept(old: Constitution, new: Constitution, same: bool) -> None:
    there, back = compare(old, new, same), compare(new, old, same)

    assert sum(each.what == KEPT for each in there) == sum(each.what == KEPT for each in back)
