"""The answers of matrix surveys while they are read, and what they turn out to mean when all are there.

An answer is a word; what it means is told by the words that are known or given.
A word that is not known may still be plain: all answers to one question list
the options in one order, so that an answer in another language, or in the
person's own words, in the place where the others say "Agree", is that option.
This is done only where it is certain: the place has one meaning among known
words, no other place of the question has the same, and at least as many answers
there are in known words as not. What was read so is counted.

Checks: every answer has a meaning; no place of a question has two.
Does not check: whether what people chose was what they meant.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from auzolan.core.record.errors import MalformedError, VerificationError
from auzolan.deliberate.sources.cells import shown_name
from auzolan.deliberate.sources.survey_words import fold
from auzolan.deliberate.votes import AGREE, DISAGREE, PASS, Rows

_SPOKEN = {AGREE: "agree", DISAGREE: "disagree", PASS: "pass"}
_SHOWN_WORDS = 6
_LEAST_PEOPLE = 5  # who must have used an unknown word before it is shown: it is an option then, and no person's text
_NOWHERE = -1
_MOST_WORDS, _LONGEST_WORD = 2**14, 512  # of unknown words: nobody offers so many options, or so long ones
_ANY = "\n"  # stands for all others; `fold` leaves no line end in a word
_NUMBERS = frozenset({"1", "+1", "0", "-1"})


class Place(NamedTuple):
    """One option of one question of one file."""

    member: str
    question: int
    option: int


class Answers:
    """Answers in the order in which they are read.

    Attributes:
        several: rows in which more than one option was chosen; they are no votes.
        by_place: answers in unknown words that were read by their place; known after `rows`.
        used: known words that occur, and what they mean; known after `rows`.
    """

    def __init__(self, words: Mapping[str, int]) -> None:
        self.several = 0
        self.by_place = 0
        self.used: dict[str, int] = {}
        self._known = words
        self._people: dict[str, int] = {}
        self._words: dict[str, int] = {}
        self._met: dict[str, int] = {}  # spelling -> position of its word, so that each is folded once
        self._places: dict[Place, int] = {}
        self._first: dict[int, tuple[str, int]] = {}  # unknown word -> where it came first, and how long it is there
        self._who, self._statement, self._at = array("i"), array("q"), array("q")
        self._word, self._place = array("i"), array("i")

    def __len__(self) -> int:
        return len(self._who)

    def add(self, who: str, statement: int, at: int, spelling: str, place: Place | None, where: str) -> None:
        """Add one answer.

        Args:
            who: pseudonym.
            statement: its id.
            at: when it was given, in milliseconds since 1970; 0 where that is not told.
            spelling: the text of the option that was chosen.
            place: which option it was, None where that is not told.
            where: file and place in it, for errors.
        """
        word = self._met.get(spelling)
        if word is None:
            word = self._word_of(spelling, where)
        self._who.append(self._people.setdefault(who, len(self._people)))
        self._statement.append(statement)
        self._at.append(at)
        self._word.append(word)
        self._place.append(_NOWHERE if place is None else self._places.setdefault(place, len(self._places)))

    def _word_of(self, spelling: str, where: str) -> int:
        """Return the position of a word that was not met yet in this spelling, in bounded memory."""
        folded = fold(spelling)
        is_known, length = folded in self._known, len(folded)
        if not is_known and (length > _LONGEST_WORD or (folded not in self._words and len(self._words) >= _MOST_WORDS)):
            folded = _ANY
        word = self._words.setdefault(folded, len(self._words))
        if not is_known:
            self._first.setdefault(word, (where, length))
        if len(spelling) <= _LONGEST_WORD and len(self._met) < _MOST_WORDS:
            self._met[spelling] = word
        return word

    def rows(self) -> Rows:
        """Return the votes.

        Raises:
            VerificationError: an option of a question means two things.
            MalformedError: an answer has no meaning.
        """
        spelled = list(self._words)
        meaning = [self._known.get(word) for word in spelled]
        self.used = {word: vote for word, vote in zip(spelled, meaning, strict=True) if vote is not None}
        by_place = self._meanings_of_places(meaning)
        people, rows = list(self._people), Rows()
        unknown: dict[int, set[int]] = defaultdict(set)
        for who, statement, at, word, place in zip(
            self._who, self._statement, self._at, self._word, self._place, strict=True
        ):
            vote = meaning[word]
            if vote is None:
                vote = by_place.get(place)
                if vote is None:
                    unknown[word].add(who)
                    continue
                self.by_place += 1
            rows.add(people[who], statement, vote, at)
        if unknown:
            raise MalformedError(self._unknown(unknown, spelled))
        return rows

    def _meanings_of_places(self, meaning: list[int | None]) -> dict[int, int]:
        """Return for each place that is certain what an unknown word there means."""
        counts: dict[int, Counter[int | None]] = defaultdict(Counter)
        for word, place in zip(self._word, self._place, strict=True):
            if place != _NOWHERE:
                counts[place][meaning[word]] += 1
        places = list(self._places)
        told: dict[int, int] = {}
        claims: Counter[tuple[str, int, int]] = Counter()
        for number, count in counts.items():
            votes = [vote for vote in count if vote is not None]
            if len(votes) > 1:
                raise VerificationError(_two_meanings(places[number], votes))
            if votes:
                told[number] = votes[0]
                claims[places[number].member, places[number].question, votes[0]] += 1
        return {
            number: vote
            for number, vote in told.items()
            if claims[places[number].member, places[number].question, vote] == 1
            and counts[number][vote] >= counts[number][None]
        }

    def _unknown(self, unknown: Mapping[int, set[int]], spelled: list[str]) -> str:
        """Return the sentence for unknown words; one that few people used could be somebody's own text."""
        where, length = self._first[min(unknown)]
        common = sorted(
            spelled[word] for word, people in unknown.items() if len(people) >= _LEAST_PEOPLE and spelled[word] != _ANY
        )
        listed = ", ".join(f"“{shown_name(word)}”" for word in common[:_SHOWN_WORDS])
        several = f" Words that are not known and that {_LEAST_PEOPLE} people or more used: {listed}." if common else ""
        return (
            f"{where}: expected a word for agree, disagree or pass, got another of "
            f"{length:,} characters.{several} Say which words mean what (--agree, --disagree, --pass); "
            f"known are {'; '.join(_known_lists(self._known))}"
        )

    def evidence(self) -> tuple[int, str]:
        """Return how agree is written: +1 or -1 where the source has only numbers, else 0; and in which words."""
        found = {vote: sorted(word for word, meaning in self.used.items() if meaning == vote) for vote in _SPOKEN}
        lists = (f"{spoken}: {', '.join(found[vote]) or '(nowhere)'}" for vote, spoken in _SPOKEN.items())
        sides = {int(word) * vote for word, vote in self.used.items() if vote and word in _NUMBERS}
        sign = sides.pop() if self.used.keys() <= _NUMBERS and len(sides) == 1 else 0
        places = f"; {self.by_place:,} answers in other words by the place of their option" if self.by_place else ""
        return sign, f"by the words in the source; {'; '.join(lists)}{places}"


def _two_meanings(place: Place, votes: list[int]) -> str:
    found = " and ".join(_SPOKEN[vote] for vote in sorted(votes, reverse=True))
    return (
        f"{place.member}, question {place.question}: answers with the option number {place.option + 1} mean {found}, "
        f"though all of them chose the same option. A word is not read as it was meant: say with --agree, --disagree "
        f"or --pass what it means"
    )


def _known_lists(words: Mapping[str, int]) -> Iterator[str]:
    for vote, spoken in _SPOKEN.items():
        listed = [word for word, meaning in words.items() if meaning == vote]
        yield f"for {spoken}: {', '.join(listed[:_SHOWN_WORDS])}{' …' if len(listed) > _SHOWN_WORDS else ''}"
