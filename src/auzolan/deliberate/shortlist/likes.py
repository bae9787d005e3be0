"""Proposals whose titles are alike, so that a person may look whether they say the same and merge them.

Alike as in `wording.duplicates` (Broder 1997): the share of words and runs of three characters that two titles have in
common. Nothing is merged here. Only the features of chosen titles are kept, so that a million proposals pass by
in constant memory, at a cost that grows with their number.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from fractions import Fraction
from heapq import nsmallest
from typing import NamedTuple

from auzolan.deliberate.decidim.entities import Key, Proposal
from auzolan.deliberate.shortlist.candidates import in_language, is_candidate
from auzolan.deliberate.shortlist.choosing import Choice
from auzolan.deliberate.wording.duplicates import LEAST, features

MOST = 5


class Like(NamedTuple):
    """A proposal whose title is alike.

    Attributes:
        order: the most alike first, then by key.
        key, title: of it.
    """

    order: tuple[Fraction, str]
    key: Key
    title: str


def likes_of(choice: Choice, proposals: Iterable[Proposal], main: str) -> Mapping[Key, tuple[Like, ...]]:
    """Return for each chosen proposal up to `MOST` others whose titles are alike.

    Args:
        choice: which were chosen.
        proposals: all of them; read once.
        main: the language in which titles are compared.
    """
    titles = {each.candidate.key: features(in_language(each.candidate.title, main)) for each in choice.chosen}
    having: defaultdict[str, list[Key]] = defaultdict(list)
    for key, found in titles.items():
        for feature in found:
            having[feature].append(key)
    best: dict[Key, list[Like]] = {key: [] for key in titles}
    for each in proposals:
        if not is_candidate(each):
            continue
        title = in_language(each.title, main)
        own = features(title)
        common = Counter(key for feature in own for key in having.get(feature, ()))
        for key, count in common.items():
            share = Fraction(count, len(own) + len(titles[key]) - count)
            if key != each.key and share >= LEAST:
                best[key].append(Like((-share, str(each.key)), each.key, title))
                if len(best[key]) > 4 * MOST:
                    best[key] = nsmallest(MOST, best[key])
    return {key: tuple(nsmallest(MOST, found)) for key, found in best.items() if found}
