"""Surveys of a bearable length, so that together they ask about every statement and still show who agrees with whom.

If all statements fit, there is one survey. Else an incomplete block design (Yates 1936; Fisher 1940): every statement
is in equally many surveys (± 1), and two statements are together in one as evenly as possible. Pairs that are never
together cost: nobody answers both, so that nobody knows whether the same people agree to them.

How many surveys: how often a statement is answered depends only on how many each participant is asked, and not on how
many surveys there are; a survey more only costs the admin who types it. But with few of them, those who answered the
same survey look alike because they did, and are taken for a group of opinion (`tests/deliberate/shortlist/
test_surveys_and_groups.py` shows it on made-up people: with 3 or 4 surveys the groups that are found follow the
surveys, with 12 they do not). So there are 6 if then every statement is in 3.5 of them or more, else 12, and more
where statements would be in fewer than two. Six and twelve can be given out by month of birth, which everybody knows
and nobody chooses; and there are designs with every pair together: all pairs of 4 parts, and the lines of the plane
of 9 points.

| statements, for 15 each | surveys | every pair together |
|---|---|---|
| up to 15 | 1 | yes |
| up to 25 | 6 | yes |
| up to 45 | 12 | yes |
| more | 12, and more from 91 on | no; `check_balance` says how many are not |

That is no promise: camps that differ little are found worse the fewer answers each person gives, and with 45 for 15
each they were mistaken for more. If a person can be asked about all, one survey is best.

Surveys are filled in turn, or from whole parts where pairs would be missing; exchanges of two statements between two
surveys then make pairs more even, as long as that helps.
Within a survey everybody sees the same order (Decidim has no other), so that who stood late in one stands early in
the next. Deterministic; no chance is used.

Different from a balanced design (BIBD): times and sizes differ by one and more, and so do pairs. A balanced one needs
at least as many surveys as statements (Fisher's inequality). The least number that covers all pairs is often smaller
than here (Schönheim 1964 bounds it), with sizes and numbers that are hard to give out.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from auzolan.core.record.errors import UsageError, VerificationError

Surveys = tuple[tuple[int, ...], ...]
MOST_SURVEYS = 100
_NEVER = 1_000  # what a pair that is never together costs, against the squares of how often the others are
_ROUNDS = 30
# Each survey as the parts that it asks about; every two parts are together in one.
_PLANE_OF_9 = ("012", "345", "678", "036", "147", "258", "048", "156", "237", "057", "138", "246")
_PARTS: tuple[tuple[int, tuple[str, ...]], ...] = (
    (4, ("01", "23", "02", "13", "03", "12")),
    (6, ("012", "013", "045", "145", "234", "235")),
    (9, _PLANE_OF_9),
)
_OFTEN = Fraction(7, 2)  # surveys in which a statement should be


class Balance(NamedTuple):
    """How balanced surveys are, from the smallest to the largest.

    Attributes:
        per_survey: statements in a survey.
        times: surveys in which a statement is.
        together: surveys in which a pair of statements is.
        pairs: how many there are.
        pairs_never_together: how many of them nobody is asked about.
        mean_positions: of a statement over its surveys, in percent from the first place to the last.
    """

    per_survey: tuple[int, int]
    times: tuple[int, int]
    together: tuple[int, int]
    pairs: int
    pairs_never_together: int
    mean_positions: tuple[int, int]


def lay_out(n_statements: int, most: int = 15, n_surveys: int | None = None) -> Surveys:
    """Return the statements, 1 to `n_statements`, of each survey in the order in which they are asked.

    Args:
        n_statements: >= 1.
        most: statements that one participant is asked about, >= 2.
        n_surveys: how many surveys; by default what the docstring of the module says.

    Raises:
        UsageError: a number is too small, or the surveys cannot hold all statements.
    """
    if n_statements < 1 or most < 2:
        raise UsageError(f"expected 1 statement and 2 per person or more, got {n_statements:,} and {most:,}")
    if n_surveys is None and n_statements <= most:
        return (tuple(range(1, n_statements + 1)),)
    wanted = n_surveys or _n_surveys(n_statements, most)
    found = _ordered(_exchanged(n_statements, _in_turn(n_statements, most, wanted)))
    parts = _by_parts(n_statements, most, wanted)
    if parts and check_balance(found, n_statements, most).pairs_never_together:
        return _ordered(_exchanged(n_statements, parts))
    return found


def _n_surveys(n: int, most: int) -> int:
    """Return 6 or 12, or so many that every statement is in two."""
    if 6 * most >= _OFTEN * n:
        return 6
    return min(max(12, -(-2 * n // most)), MOST_SURVEYS)


def _by_parts(n: int, most: int, n_surveys: int) -> list[list[int]] | None:
    """Return surveys of whole parts, if there is such a design for as many and it is large enough."""
    for n_parts, lines in _PARTS:
        blocks = [[each for each in range(n) if str(each % n_parts) in line] for line in lines]
        if len(lines) == n_surveys and min(map(len, blocks)) and max(map(len, blocks)) <= most:
            return _filled(n, blocks, most)
    return None


def _filled(n: int, blocks: list[list[int]], most: int) -> list[list[int]]:
    """Fill what room is left with those that are in the fewest surveys, as long as none is two ahead of another."""
    times = [sum(each in block for block in blocks) for each in range(n)]
    while True:
        block = min(blocks, key=len)
        fewest = min(times)
        fit = [each for each in range(n) if times[each] == fewest and each not in block]
        if len(block) >= most or not fit:
            return blocks
        block.append(fit[0])
        times[fit[0]] += 1


def _in_turn(n: int, most: int, n_surveys: int) -> list[list[int]]:
    """Return surveys as full as they may be, filled in turn, so that each statement is in equally many (± 1)."""
    if not -(-n // most) <= n_surveys <= MOST_SURVEYS:
        raise UsageError(
            f"{n_surveys:,} surveys of at most {most:,} cannot ask about {n:,} statements; expected "
            f"{-(-n // most):,} to {MOST_SURVEYS}"
        )
    size = min(most, n)
    blocks, waiting = [], list(range(n))
    for turn in range(n_surveys):
        block = waiting[:size]
        waiting = waiting[size:]
        if len(block) < size:
            # Another order in each round, so that pairs change before any exchange.
            fresh = sorted(range(n), key=lambda each: ((each * (turn + 2)) % n, each))
            fill = [each for each in fresh if each not in block][: size - len(block)]
            block += fill
            waiting = [each for each in fresh if each not in fill]
        blocks.append(block)
    return blocks


def _exchanged(n: int, blocks: Sequence[Sequence[int]]) -> list[list[int]]:
    """Exchange statements between two surveys, the best exchange first, as long as pairs become more even."""
    sets = [set(block) for block in blocks]
    together = np.zeros((n, n), dtype=np.int64)
    for block in sets:
        index = np.array(sorted(block))
        together[np.ix_(index, index)] += 1
    np.fill_diagonal(together, 0)
    for _ in range(_ROUNDS):
        gains = [_exchange(together, *pair) for pair in combinations(sets, 2)]
        if not any(gains):
            break
    return [sorted(block) for block in sets]


def _cost(together: NDArray[np.int64]) -> NDArray[np.int64]:
    cost: NDArray[np.int64] = together * together + _NEVER * (together == 0)
    return cost


def _exchange(together: NDArray[np.int64], one: set[int], other: set[int]) -> bool:
    """Make the best exchange between two surveys if it helps."""
    a, b = np.array(sorted(one - other)), np.array(sorted(other - one))
    if not len(a) or not len(b):
        return False
    both = np.concatenate([a, b])
    near = together[np.ix_(both, both)]
    more, less = _cost(near + 1) - _cost(near), _cost(np.maximum(near - 1, 0)) - _cost(near)
    np.fill_diagonal(more, 0)
    np.fill_diagonal(less, 0)
    k = len(a)
    # x leaves the rest of `a` and joins `b` without y; y the other way round; both together stay apart.
    of_x = less[:k, :k].sum(axis=1) + more[:k, k:].sum(axis=1)
    of_y = less[k:, k:].sum(axis=1) + more[k:, :k].sum(axis=1)
    change = of_x[:, None] + of_y[None, :] - more[:k, k:] - more[k:, :k].T
    at = int(change.argmin())
    if change.flat[at] >= 0:
        return False
    x, y = int(a[at // len(b)]), int(b[at % len(b)])
    for leaving, joining, own, new in ((x, y, a, b), (y, x, b, a)):
        for z in own[own != leaving]:
            together[leaving, z] -= 1
            together[z, leaving] -= 1
        for z in new[new != joining]:
            together[leaving, z] += 1
            together[z, leaving] += 1
    one.remove(x)
    one.add(y)
    other.remove(y)
    other.add(x)
    return True


def _ordered(blocks: Sequence[Sequence[int]]) -> Surveys:
    """Order each survey so that who stood late elsewhere stands early; statements from 1."""
    places: list[dict[int, int]] = [{each: 2 * at - len(b) + 1 for at, each in enumerate(b)} for b in blocks]
    for _ in range(_ROUNDS):
        for turn, block in enumerate(blocks):
            elsewhere = {each: sum(place.get(each, 0) for i, place in enumerate(places) if i != turn) for each in block}
            first = sorted(block, key=lambda each: (-elsewhere[each], each))
            places[turn] = {each: 2 * at - len(first) + 1 for at, each in enumerate(first)}
    return tuple(tuple(each + 1 for each in sorted(place, key=place.__getitem__)) for place in places)


def check_balance(surveys: Surveys, n_statements: int, most: int) -> Balance:
    """Count how balanced surveys are, whatever made them.

    Checks: that they ask about 1 to `n_statements` and nothing else, each at most once in a survey; that none asks
    about more than `most`; that each is in equally many (± 1).
    Does not check: that pairs or positions are as even as they could be; it says how even they are.

    Raises:
        VerificationError: a check failed.
    """
    times = dict.fromkeys(range(1, n_statements + 1), 0)
    together = dict.fromkeys(combinations(times, 2), 0)
    positions: dict[int, list[int]] = {each: [] for each in times}
    for survey in surveys:
        if not survey or len(survey) > most or len(set(survey)) < len(survey) or not times.keys() >= set(survey):
            raise VerificationError(
                f"a survey asks about none, too many or unknown statements, or about one twice: {survey}"
            )
        for at, each in enumerate(survey):
            times[each] += 1
            positions[each].append(100 * at // max(1, len(survey) - 1))
        for pair in combinations(sorted(survey), 2):
            together[pair] += 1
    if not min(times.values()) or max(times.values()) > min(times.values()) + 1:
        raise VerificationError(f"statements are in {min(times.values())} to {max(times.values())} surveys")
    means = [sum(each) // len(each) for each in positions.values()]
    sizes = [len(survey) for survey in surveys]
    return Balance(
        (min(sizes), max(sizes)),
        (min(times.values()), max(times.values())),
        (min(together.values(), default=0), max(together.values(), default=0)),
        len(together),
        sum(not each for each in together.values()),
        (min(means), max(means)),
    )
