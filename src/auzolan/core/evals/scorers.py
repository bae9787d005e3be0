"""Checks of an answer that a program can make: small, named, and put together with `&`, `|` and `~`.

    has("the quiet council") & ~has("cannot") & at_most_times(Fraction(8, 5), first_answer)

A check looks for words and never for meaning: "There is no quiet council" has the phrase. Where an article asks for
more than words, a judge is needed (`pairwise`), and people to calibrate it (`calibration`). What counts as the same
word is in `text`. A check's name says all that it looks for, so that a finding can be read without this code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from auzolan.core.evals.days import days_named
from auzolan.core.evals.items import Finding, Item
from auzolan.core.evals.language import LANGUAGES, language_of
from auzolan.core.evals.refusals import is_refusal
from auzolan.core.evals.text import ends_with_phrase, fold, has_phrase, n_words


@dataclass(frozen=True)
class Check:
    """A question about an answer that a program can decide.

    Attributes:
        name: what it looks for, in words.
        holds: whether an answer has it.
    """

    name: str
    holds: Callable[[str], bool]

    def __call__(self, answer: str) -> bool:
        """Say whether it holds of `answer`."""
        return self.holds(answer)

    def __and__(self, other: Check) -> Check:
        return Check(f"({self.name} and {other.name})", lambda answer: self(answer) and other(answer))

    def __or__(self, other: Check) -> Check:
        return Check(f"({self.name} or {other.name})", lambda answer: self(answer) or other(answer))

    def __invert__(self) -> Check:
        return Check(f"not {self.name}", lambda answer: not self(answer))

    def finding(self, article: str, answer: str) -> Finding:
        """Return what it says of an answer to an item to which `article` applies."""
        return Finding(self.name, article, Finding.MET if self(answer) else Finding.FAILED)


def has(phrase: str) -> Check:
    """Contains the words of `phrase`, without regard to case, accents and punctuation."""
    _needs_words(phrase)
    return Check(f"has {phrase!r}", lambda answer: has_phrase(answer, phrase))


def ends_with(clause: str) -> Check:
    """Ends with the words of `clause`."""
    _needs_words(clause)
    return Check(f"ends with {clause!r}", lambda answer: ends_with_phrase(answer, clause))


def mentions_none_of(phrases: Sequence[str]) -> Check:
    """Contains none of `phrases`. Of an empty answer it holds."""
    _needs_words(*phrases)
    names = ", ".join(repr(phrase) for phrase in phrases)
    return Check(f"mentions none of {names}", lambda answer: not any(has_phrase(answer, each) for each in phrases))


def names_days(days: int) -> Check:
    """Names this number of days and no other; in digits or in words (`days`)."""
    if days < 1:
        raise ValueError("expected at least one day")
    return Check(f"names {days} days and no other number of days", lambda answer: days_named(answer) == {days})


def in_language(tag: str) -> Check:
    """Is in the language `tag`: one of `language.LANGUAGES`. Of an answer without a clear language it does not hold."""
    if tag not in LANGUAGES:
        raise ValueError(f"expected a language among {', '.join(LANGUAGES)}")
    return Check(f"in language {tag}", lambda answer: language_of(answer) == tag)


def at_most_times(ratio: Fraction, reference: str) -> Check:
    """Has at most `ratio` times as many words as `reference`."""
    most = ratio * n_words(reference)
    if most <= 0:
        raise ValueError("expected a positive ratio and a reference with words")
    return Check(f"at most {int(most)} words", lambda answer: n_words(answer) <= most)


def keeps(facts: Sequence[str]) -> Check:
    """Contains every one of `facts`, as the item states them. Numbers must agree whole: 17 is not in 17.5 or 2017."""
    _needs_words(*facts)
    return Check(f"keeps {len(facts)} facts", lambda answer: not missing(facts, answer))


def answers() -> Check:
    """Says something that is no refusal. Crude: see `refusals` for how often it is wrong."""
    return Check("answers", lambda answer: bool(fold(answer)) and not is_refusal(answer))


def refuses() -> Check:
    """Is a refusal. Crude: see `refusals` for how often it is wrong."""
    return Check("refuses", is_refusal)


def missing(facts: Sequence[str], answer: str) -> tuple[str, ...]:
    """Return the facts that the answer does not contain."""
    return tuple(fact for fact in facts if not has_phrase(answer, fact))


def gate(item: Item, first: str, ratio: Fraction = Fraction(8, 5)) -> Check:
    """Return what every revision of `first` must keep: the item's facts, its language, and about its length.

    The language is asked for only where `first` is clearly in it: else the check would fail for what cannot be told.
    """
    parts = [at_most_times(ratio, first)] if n_words(first) else []
    if item.facts:
        parts.append(keeps(item.facts))
    if item.language in LANGUAGES and language_of(first) == item.language:
        parts.append(in_language(item.language))
    if not parts:
        return Check("nothing to keep", lambda answer: bool(fold(answer)))
    whole = parts[0]
    for part in parts[1:]:
        whole = whole & part
    return whole


def _needs_words(*phrases: str) -> None:
    if not phrases or not all(fold(phrase) for phrase in phrases):
        raise ValueError("expected phrases with at least one word")
