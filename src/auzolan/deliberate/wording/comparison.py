"""What changed between two constitutions, principle by principle.

A principle is the same one if its text is; else if it rests on a statement of
the same conversation; else if a person would find the texts alike (word
resemblance, as in `duplicates`). Which of that it was is said. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from auzolan.core.kinds.constitution import Constitution, Principle, place_of
from auzolan.deliberate.wording.duplicates import LEAST, features, share

KEPT, REWORDED, ADDED, REMOVED = "kept", "reworded", "added", "removed"


@dataclass(frozen=True)
class Change:
    """What became of one principle.

    Attributes:
        what: `KEPT`, `REWORDED`, `ADDED` or `REMOVED`.
        old, new: the principle before and after; None where there is none.
        because: how the two were found to be the same one, in plain words; "" where there is only one.
    """

    what: str
    old: Principle | None
    new: Principle | None
    because: str = ""


def compare(old: Constitution, new: Constitution, same_conversation: bool) -> list[Change]:
    """Return what became of every principle in force, in the order of the new numbers, then of the old ones.

    Args:
        old, new: the constitutions; what is ratified or acknowledged is in force.
        same_conversation: whether statement ids mean the same in both.
    """
    before, after = list(_in_force(old)), list(_in_force(new))
    changes: list[Change] = []

    def pair(what: str, because: str, likeness: Callable[[Principle, Principle], Fraction]) -> None:
        """Pair the most alike first; among those as alike, by their numbers."""
        alike = [(like, one, other) for other in after for one in before if (like := likeness(one, other))]
        for _, one, other in sorted(alike, key=lambda each: -each[0]):
            if one in before and other in after:
                before.remove(one)
                after.remove(other)
                changes.append(Change(what, one, other, because))

    pair(KEPT, "word for word", lambda a, b: Fraction(a.text == b.text))
    if same_conversation:
        pair(REWORDED, "it rests on the same statement", lambda a, b: Fraction(len({*a.statements} & {*b.statements})))
    words = {each.text: features(each.text) for each in (*before, *after)}
    pair(REWORDED, "the words are alike", lambda a, b: _if_alike(words[a.text], words[b.text]))
    changes += [Change(ADDED, None, one) for one in after]
    changes.sort(key=lambda change: place_of(change.new.number) if change.new else (0, 0))
    return changes + [Change(REMOVED, one, None) for one in before]


def _in_force(constitution: Constitution) -> Sequence[Principle]:
    both = {each.number: each for each in (*constitution.ratified, *constitution.acknowledged)}
    return [both[number] for number in sorted(both, key=place_of)]


def _if_alike(one: frozenset[str], other: frozenset[str]) -> Fraction:
    """Return how alike two texts are, 0 where it is too little to be called alike."""
    found = share(one, other)
    return found if found >= LEAST else Fraction(0)
