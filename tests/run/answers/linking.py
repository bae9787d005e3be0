"""Those who try to tell from the log whether two answers went to one person.

Each attacker is a number for a pair of answers, or several. What number means
"one person" it learns on a town where it was told (a threshold for one number,
logistic regression for several), and then it must judge another town.
Half of all pairs are of one person. No answer stands in two pairs, so that the
judgements are independent and their number right is binomial.
"""

from __future__ import annotations

import hmac
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import sqrt
from random import Random

import numpy as np
from numpy.typing import NDArray

from auzolan.core.record.canonical import JsonValue
from auzolan.run.answers.digests import request_digest
from auzolan.run.answers.seal import asked_bytes
from tests.run.answers.talk import MORE, OPENINGS, Seen, reply

Pair = tuple[Seen, Seen]
Numbers = NDArray[np.float64]
Z = 3.2905  # of the two-sided 99.9 % interval


@dataclass(frozen=True)
class Pairs:
    """Pairs, and for each whether both answers went to one person."""

    pairs: list[Pair]
    same: NDArray[np.bool_]


def pairs(seen: Sequence[Seen], alike: Callable[[Seen], object], seed: int) -> Pairs:
    """Return as many pairs of one person as of two, both of a pair from answers that are `alike`."""
    chance = Random(seed)
    strata: dict[object, list[Seen]] = defaultdict(list)
    for each in seen:
        strata[alike(each)].append(each)
    found: list[tuple[Pair, bool]] = []
    for members in strata.values():
        chance.shuffle(members)
        while True:
            one, two = _take(members, True), _take(members, False)
            if one is None or two is None:
                break
            for pair in (one, two):
                for each in pair:
                    members.remove(each)
                found.append((_either_way(pair, chance), pair is one))
    return Pairs([pair for pair, _ in found], np.array([same for _, same in found]))


def _take(members: list[Seen], same: bool) -> Pair | None:
    """Return two that fit; a pair of one person first, so none of the second kind uses one of the first up."""
    reserved: tuple[Seen, ...] = ()
    if not same:
        reserved = _take(members, True) or ()
    free = [each for each in members if each not in reserved]
    for place, first in enumerate(free):
        for second in free[place + 1 :]:
            if (first.person == second.person) is same:
                return first, second
    return None


def _either_way(pair: Pair, chance: Random) -> Pair:
    return pair if chance.random() < 0.5 else (pair[1], pair[0])


def far(one: bytes, two: bytes) -> int:
    """Return in how many bits two digests differ."""
    return (int.from_bytes(one, "big") ^ int.from_bytes(two, "big")).bit_count()


def neighbours(pair: Pair) -> list[float]:
    """How many answers stand between the two."""
    return [abs(pair[0].position - pair[1].position)]


def times(pair: Pair) -> list[float]:
    """How long after one another they say they were."""
    return [abs(pair[0].at - pair[1].at)]


def batches(pair: Pair) -> list[float]:
    """How many batches lie between them."""
    return [abs(pair[0].batch - pair[1].batch)]


def fields(pair: Pair) -> list[float]:
    """Whether all fields that can be equal are."""
    return [pair[0].loud == pair[1].loud]


def digests(pair: Pair) -> list[float]:
    """How near the digests of the questions are to one another."""
    return [far(pair[0].bits[0], pair[1].bits[0])]


def crossed(pair: Pair) -> list[float]:
    """How near the digest of one's question is to that of the other's answer."""
    return [min(far(pair[0].bits[0], pair[1].bits[1]), far(pair[0].bits[1], pair[1].bits[0]))]


def signatures(pair: Pair) -> list[float]:
    """How near the signatures are, and their first halves, which would be equal if a nonce were used twice."""
    return [far(pair[0].bits[3], pair[1].bits[3]), far(pair[0].bits[3][:32], pair[1].bits[3][:32])]


def everything(pair: Pair) -> list[float]:
    """All of the above and more, for a classifier to make of it what it can."""
    one, two = pair
    gap = abs(one.position - two.position)
    near = [far(left, right) for left, right in zip(one.bits, two.bits, strict=True)]
    alone = [float(each.position % modulus) for each in pair for modulus in (2, 256)]
    simple = [*neighbours(pair), *times(pair), *batches(pair), *fields(pair), *crossed(pair), *near, *alone]
    return [*simple, gap == 1, gap < 4, gap**0.5, one.loud.count("topic") + two.loud.count("topic")]


def bits(pair: Pair) -> list[float]:
    """Every bit in which the digests of the questions differ."""
    both = int.from_bytes(pair[0].bits[0], "big") ^ int.from_bytes(pair[1].bits[0], "big")
    return [float(both >> place & 1) for place in range(256)]


def _guesses() -> Iterator[tuple[int, list[JsonValue]]]:
    """Yield (opening, messages) of every conversation of up to four turns that the town's lists allow."""
    for opening, text in enumerate(OPENINGS):
        for depth in range(4):
            for followed in product(MORE, repeat=depth):
                messages: list[JsonValue] = [{"role": "user", "content": text}]
                for more in followed:
                    said: JsonValue = {"role": "assistant", "content": reply(messages)}
                    messages = [*messages, said, {"role": "user", "content": more}]
                yield opening, messages


def guessing() -> Callable[[Pair], list[float]]:
    """Return the attacker that tries every common conversation against the digests, under keys that it can think of."""
    known: dict[str, int] = {}
    for opening, messages in _guesses():
        asked = asked_bytes(messages)
        known[request_digest(bytes(32), asked)] = opening
        known[hmac.digest(b"", asked, "sha256").hex()] = opening

    def guess(pair: Pair) -> list[float]:
        openings = [known.get(each.request) for each in pair]
        return [0.0 if None in openings else 1.0 if openings[0] == openings[1] else -1.0]

    return guess


def attackers() -> dict[str, Callable[[Pair], list[float]]]:
    """Return all of them by name."""
    every = (neighbours, times, batches, fields, digests, crossed, signatures, everything, bits)
    return {each.__name__: each for each in every} | {"guessing": guessing()}


def accuracy(attacker: Callable[[Pair], list[float]], train: Pairs, test: Pairs) -> float:
    """Return the share of pairs that are judged rightly."""
    known, new = (np.array([attacker(pair) for pair in each.pairs], dtype=np.float64) for each in (train, test))
    judge = _threshold if known.shape[1] == 1 else _regression
    return float(np.mean(judge(known, train.same)(new) == test.same))


def _threshold(known: Numbers, same: NDArray[np.bool_]) -> Callable[[Numbers], NDArray[np.bool_]]:
    """Return the best rule "at most t" or "more than t"."""
    column = known[:, 0]
    values = np.unique(column)
    right = np.array([np.mean((column <= value) == same) for value in values])
    best = int(np.argmax(np.abs(right - 0.5)))
    below = bool(right[best] >= 0.5)
    return lambda new: (new[:, 0] <= values[best]) == below


def _regression(known: Numbers, same: NDArray[np.bool_]) -> Callable[[Numbers], NDArray[np.bool_]]:
    """Return logistic regression on standardised numbers and their squares, by gradient descent with weight decay."""
    known = _squared(known)
    mean, spread = known.mean(0), known.std(0) + 1e-9
    inputs = np.hstack([(known - mean) / spread, np.ones((len(known), 1))])
    weights = np.zeros(inputs.shape[1])
    for _ in range(300):
        guess = 1 / (1 + np.exp(-np.clip(inputs @ weights, -30, 30)))
        weights -= 0.3 * (inputs.T @ (guess - same) / len(known) + 1e-3 * weights)
    return lambda new: np.hstack([(_squared(new) - mean) / spread, np.ones((len(new), 1))]) @ weights > 0


def _squared(numbers: Numbers) -> Numbers:
    return np.hstack([numbers, numbers**2])


def interval(share: float, count: int) -> tuple[float, float]:
    """Return Wilson's 99.9 % interval of a share of `count` independent judgements."""
    centre = (share + Z * Z / (2 * count)) / (1 + Z * Z / count)
    half = Z / (1 + Z * Z / count) * sqrt(share * (1 - share) / count + Z * Z / (4 * count * count))
    return centre - half, centre + half
