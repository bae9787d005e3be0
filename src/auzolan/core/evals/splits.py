"""What a model may learn from, and what is kept back to examine it: by article and by prompt.

    held-out articles   articles that no training row knows: does the model follow the constitution, or its examples?
    held-out prompts    new scenarios for the articles that were trained

A scenario stands whole on one side, and so do scenarios that share a prompt (compared without case, accents and
punctuation). A split names all its scenarios: it is drawn once and written down, and what it does not name is on
no side at all. New items make a new split. The same items and seed give the same split on every machine.

Not covered: prompts that say the same in other words. Those must share a scenario from the start.
"""

from __future__ import annotations

import functools
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, NamedTuple

from auzolan.core.evals.items import Item
from auzolan.core.evals.text import fold
from auzolan.core.record.canonical import (
    JsonObject,
    JsonValue,
    as_list,
    as_object,
    as_text,
    canonical_bytes,
    only_keys,
)
from auzolan.core.record.errors import MalformedError, VerificationError

DEFAULT_SHARE = Fraction(1, 5)


class _Use(NamedTuple):
    """How a scenario touches an article: a group of scenarios of which some are held out."""

    kind: str
    article: str


@dataclass(frozen=True)
class Split:
    """Which scenarios may be trained on.

    Attributes:
        seed: any text; fixed before anybody has seen a result.
        articles: ids of the articles that are held out.
        train, prompts, unseen: scenarios to train on; new ones for trained articles; those that touch a held-out
            article, as one that applies or as a near miss. Each sorted.
    """

    TRAIN: ClassVar[str] = "train"
    PROMPTS: ClassVar[str] = "held-out prompts"
    ARTICLES: ClassVar[str] = "held-out articles"

    seed: str
    articles: tuple[str, ...]
    train: tuple[str, ...]
    prompts: tuple[str, ...]
    unseen: tuple[str, ...]

    def __post_init__(self) -> None:
        sides = (self.train, self.prompts, self.unseen)
        if sum(len(side) for side in sides) != len(set().union(*sides)):
            raise MalformedError("split: a scenario stands on two sides, or twice on one")

    def side(self, item: Item) -> str:
        """Return `TRAIN`, `PROMPTS` or `ARTICLES`.

        Raises:
            VerificationError: the split does not know the scenario, or the item has got a held-out article since.
        """
        side = self._sides.get(item.scenario)
        if side is None:
            raise VerificationError(f"item {item.id[:12]}: its scenario is on no side of the split; draw a new one")
        if side != self.ARTICLES and set(self.articles) & {*item.applies, *item.near_misses}:
            raise VerificationError(f"item {item.id[:12]}: its article is held out, its scenario is not")
        return side

    @functools.cached_property
    def _sides(self) -> dict[str, str]:
        named = ((self.TRAIN, self.train), (self.PROMPTS, self.prompts), (self.ARTICLES, self.unseen))
        return {scenario: side for side, scenarios in named for scenario in scenarios}

    def to_json(self) -> JsonObject:
        """Return it as it stands in a record."""
        return {
            "seed": self.seed,
            "articles": list(self.articles),
            "train": list(self.train),
            "prompts": list(self.prompts),
            "unseen": list(self.unseen),
        }

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical bytes: what a plan freezes."""
        return hashlib.sha256(canonical_bytes(self.to_json())).hexdigest()

    @classmethod
    def from_json(cls, value: JsonValue, where: str = "split") -> Split:
        """Read a split.

        Raises:
            MalformedError: a field is missing or of another form, or a scenario stands on two sides.
        """
        body = as_object(value, where)
        only_keys(body, frozenset({"seed", "articles", "train", "prompts", "unseen"}), where)
        lists = {
            key: tuple(as_text(each, f"{where}: {key}") for each in as_list(body.get(key), f"{where}: {key}"))
            for key in ("articles", "train", "prompts", "unseen")
        }
        return cls(seed=as_text(body.get("seed"), f"{where}: seed"), **lists)


def draw_split(
    items: Sequence[Item],
    seed: str,
    share_of_articles: Fraction = DEFAULT_SHARE,
    share_of_prompts: Fraction = DEFAULT_SHARE,
) -> Split:
    """Draw what is held out.

    Args:
        items: all there are; their order does not matter.
        seed: any text.
        share_of_articles: of the articles that apply somewhere, rounded down; at least one is left to train on.
        share_of_prompts: of the scenarios to which an article applies (of those where it is a near miss, and of those
            of no article), rounded down, yet one where there are two or more. At least one is left to train on.

    Raises:
        ValueError: a share outside [0, 1).
    """
    if not (0 <= share_of_articles < 1 and 0 <= share_of_prompts < 1):
        raise ValueError("expected shares from 0 to below 1")
    known = {article for item in items for article in item.applies}
    held = tuple(sorted(_in_order(seed, "article", known)[: int(len(known) * share_of_articles)]))
    bundles = _bundles(items)
    touched = defaultdict[str, set[_Use]](set)
    for item in items:
        uses = {_Use("applies", each) for each in item.applies} | {_Use("near miss", each) for each in item.near_misses}
        touched[bundles[item.scenario]] |= uses or {_Use("none", "")}
    unseen = {bundle for bundle, uses in touched.items() if any(use.article in held for use in uses)}
    rest = {bundle: uses for bundle, uses in touched.items() if bundle not in unseen}
    prompts = _held_prompts(rest, seed, share_of_prompts) if share_of_prompts else set[str]()

    def scenarios(chosen: Iterable[str]) -> tuple[str, ...]:
        wanted = set(chosen)
        return tuple(sorted(scenario for scenario, bundle in bundles.items() if bundle in wanted))

    return Split(seed, held, scenarios(set(rest) - prompts), scenarios(prompts), scenarios(unseen))


def _held_prompts(touched: dict[str, set[_Use]], seed: str, share: Fraction) -> set[str]:
    """Take of every use of an article its first bundles in one common order, so that few suffice for all."""
    order = _in_order(seed, "scenario", touched)
    left = Counter(use for uses in touched.values() for use in uses)
    held = set[str]()
    for use in sorted(left):
        own = [bundle for bundle in order if use in touched[bundle]]
        wanted = max(1, int(len(own) * share))
        for bundle in own:
            if sum(each in held for each in own) >= wanted:
                break
            if bundle not in held and all(left[each] > 1 for each in touched[bundle]):
                held.add(bundle)
                left.subtract(touched[bundle])
    return held


def _in_order(seed: str, kind: str, names: Iterable[str]) -> list[str]:
    """Return names in an order that only the seed decides."""
    return sorted(names, key=lambda name: (hashlib.sha256(canonical_bytes([seed, kind, name])).digest(), name))


def _bundles(items: Sequence[Item]) -> dict[str, str]:
    """Return for each scenario the first of those that it is tied to by a common prompt."""
    parent = {item.scenario: item.scenario for item in items}

    def root(scenario: str) -> str:
        while parent[scenario] != scenario:
            parent[scenario] = parent[parent[scenario]]
            scenario = parent[scenario]
        return scenario

    first: dict[str, str] = {}
    for item in items:
        said = "\n".join(f"{turn.role}: {fold(turn.text) or turn.text}" for turn in item.turns)
        a, b = sorted((root(item.scenario), root(first.setdefault(said, item.scenario))))
        parent[b] = a
    return {scenario: root(scenario) for scenario in parent}
