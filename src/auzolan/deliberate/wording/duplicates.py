"""Statements that are alike as texts, so that a person may look whether they say the same.

Alike is the resemblance of Broder 1997 ("On the resemblance and containment of
documents", section 2): how many features two texts share, of all that either
has; a fraction, the same on every machine. Features are the words, and every
three characters in a row, of the text in small letters, with accents and
without punctuation; so "not sure" is like "isn't sure" in any language that
separates words by spaces.

It knows nothing of meaning: "may" and "may not", "support" and "oppose" are
alike. `one_denies` points out a "no" that only one of them has, in four
languages; it misses others. So nothing here may merge anything: it asks.

A statement's likes are those near it, not what is near those in turn: chains
would lead from "may" to "must" in small steps.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Mapping
from fractions import Fraction
from typing import NamedTuple

import numpy as np

LEAST = Fraction(1, 2)
_RUN = 3
_SHORT_NOT = re.compile(r"n['’ʼ`´]t\b")
# English, Spanish, Catalan and Basque together: a word that is a "no" in one of them alone does little harm.
_DENIAL = re.compile(
    r"\b(?:no|not|never|none|nobody|nothing|nowhere|neither|nor|without|cannot|cant|dont|doesnt|didnt|isnt|arent|wasnt|"
    r"werent|wont|wouldnt|shouldnt|couldnt|mustnt|hasnt|havent|"
    r"nunca|jamás|ni|sin|nadie|nada|ningún|ninguno|ninguna|tampoco|"
    r"mai|sense|cap|ningú|gens|tampoc|"
    r"ez|eza|ezin|ezta|ezik|gabe|inoiz|sekula|inola|inork|inor)\b"
)


class Alike(NamedTuple):
    """Another statement that is alike.

    Attributes:
        statement: its id.
        share: of features in common, above 0.
        one_denies: whether one of the two says no where the other does not, as far as a list of words can tell.
    """

    statement: int
    share: Fraction
    one_denies: bool


def folded(text: str) -> str:
    """Return a text in small letters, with accents, and one space for whatever is no letter and no digit."""
    small = unicodedata.normalize("NFKC", text).casefold()
    kept = (mark if unicodedata.category(mark)[0] in "LMN" else " " for mark in unicodedata.normalize("NFC", small))
    return " ".join("".join(kept).split())


def features(text: str) -> frozenset[str]:
    """Return a text's words, each between spaces, and every three characters in a row."""
    spaced = f" {folded(text)} "
    runs = {spaced[place : place + _RUN] for place in range(len(spaced) - _RUN + 1)}
    return frozenset(runs | {f" {word} " for word in spaced.split()})


def share(one: frozenset[str], other: frozenset[str]) -> Fraction:
    """Return how many features two texts share, of all that either has; 0 where neither has any."""
    common = len(one & other)
    return Fraction(common, max(1, len(one) + len(other) - common))


def one_denies(one: str, other: str) -> bool:
    """Say whether two texts differ in how often they say no."""
    return _denials(one) != _denials(other)


def _denials(text: str) -> int:
    return len(_DENIAL.findall(folded(_SHORT_NOT.sub(" not ", text.casefold()))))


def alike(
    texts: Mapping[int, str], of: Collection[int] | None = None, least: Fraction = LEAST
) -> dict[int, tuple[Alike, ...]]:
    """Return which statements are alike, the most alike first, then by id.

    Exact: of each feature it is listed once which texts have it, and for each statement in `of` those lists are
    counted together.

    Args:
        texts: of all statements; one without letters and digits is like none.
        of: whose likes are looked for; all by default.
        least: share from which two texts are alike, above 0.

    Returns:
        for each statement in `of` that has any.
    """
    ids = [statement for statement, text in sorted(texts.items()) if folded(text)]
    found = [features(texts[statement]) for statement in ids]
    sizes = np.array([len(each) for each in found], dtype=np.int64)
    listed: defaultdict[str, list[int]] = defaultdict(list)
    for place, each in enumerate(found):
        for feature in each:
            listed[feature].append(place)
    having = {feature: np.array(places, dtype=np.int64) for feature, places in listed.items()}
    denials = {statement: _denials(texts[statement]) for statement in ids}
    likes = {}
    for place, statement in enumerate(ids):
        if of is not None and statement not in of:
            continue
        common = np.bincount(np.concatenate([having[feature] for feature in found[place]]), minlength=len(ids))
        either = sizes[place] + sizes - common
        near = np.flatnonzero(common * least.denominator >= either * least.numerator).tolist()
        if others := [other for other in near if other != place]:
            shares = ((ids[other], Fraction(int(common[other]), int(either[other]))) for other in others)
            pairs = (Alike(other, part, denials[other] != denials[statement]) for other, part in shares)
            likes[statement] = tuple(sorted(pairs, key=lambda each: (-each.share, each.statement)))
    return likes
