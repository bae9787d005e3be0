"""Places for each group of proposals, so that none vanishes: the method of Webster, in Europe Sainte-Laguë.

Daniel Webster (1832), André Sainte-Laguë (1910); with a least and a most as Balinski & Young (Fair Representation,
1982, appendix A) treat them. Each group has one weight, its number of proposals. Places are given one at a time:

1. while a group has fewer than `least` places (or than it has proposals), to one of those with the fewest, the
   largest first;
2. then to the group with the largest proposals / (2 * places + 1) that has a proposal left;

ties to the larger group, then by name in the order of code points. Whoever has a place keeps it when there are more
places (the method is monotone), which a least that is only kept "if there is room for all" would not be.

The certificate is the interval of divisors: with any of them, proposals / divisor, rounded, and put between the
least and the most, is what each group has. `check_places` asks only for that.

Different from an apportionment of seats to parties: shares of supports count nothing here, only how many proposals.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from auzolan.core.record.errors import UsageError, VerificationError

_HALF = Fraction(1, 2)


@dataclass(frozen=True)
class Places:
    """Places for each group.

    Attributes:
        of: group -> places, also 0; in the order of the names.
        sequence: the group that got each place, in the order in which they were given.
        least: what each group has before Webster's rule begins.
        divisors: from and to; None where the rule did not begin, as places went to the least of each; its upper end
            None where every divisor above the lower will do.
    """

    of: Mapping[str, int]
    sequence: tuple[str, ...]
    least: int
    divisors: tuple[Fraction, Fraction | None] | None


def share_out(sizes: Mapping[str, int], places: int, least: int = 1) -> Places:
    """Share out places to groups.

    Args:
        sizes: group -> its number of proposals, >= 1.
        places: >= 0; where there are more than proposals, all proposals have one.
        least: for each group, while places suffice, >= 0.

    Raises:
        UsageError: a number is too small.
    """
    if places < 0 or least < 0 or any(size < 1 for size in sizes.values()):
        raise UsageError(f"expected places and a least of 0 or more, got {places:,} and {least:,}")
    found = dict.fromkeys(sorted(sizes), 0)
    queue = [(*_turn(sizes[name], 0, least), name) for name in found]
    heapq.heapify(queue)
    sequence: list[str] = []
    while queue and len(sequence) < places:
        name = heapq.heappop(queue)[-1]
        sequence.append(name)
        found[name] += 1
        if found[name] < sizes[name]:
            heapq.heappush(queue, (*_turn(sizes[name], found[name], least), name))
    return Places(found, tuple(sequence), least, _divisors(sizes, found, least))


def _turn(size: int, has: int, least: int) -> tuple[int, Fraction, int]:
    """Return when a group's turn comes: the smallest first."""
    if has < least:
        return has, Fraction(0), -size
    return least, -Fraction(size, 2 * has + 1), -size


def _divisors(
    sizes: Mapping[str, int], places: Mapping[str, int], least: int
) -> tuple[Fraction, Fraction | None] | None:
    bounds = {name: (min(least, size), size) for name, size in sizes.items()}
    if any(places[name] < low for name, (low, _) in bounds.items()):
        return None
    below = [
        Fraction(sizes[name]) / (places[name] + _HALF) for name, (_, most) in bounds.items() if places[name] < most
    ]
    above = [Fraction(sizes[name]) / (places[name] - _HALF) for name, (low, _) in bounds.items() if places[name] > low]
    return max(below, default=Fraction(0)), min(above, default=None)


def check_places(sizes: Mapping[str, int], places: int, found: Places) -> None:
    """Check that places are shared out as the rule says, without the rule.

    Checks: their number; that no group has more than its proposals; then, where some group has less than its least,
    that no group is two ahead of it and none that is ahead is smaller; else that some divisor gives them all.
    Does not check: how ties were broken, nor in which order the places were given.

    Raises:
        VerificationError: they are not.
    """
    if found.of.keys() != sizes.keys() or sum(found.of.values()) != min(places, sum(sizes.values())):
        raise VerificationError(f"the groups do not have {places:,} places together")
    if any(not 0 <= found.of[name] <= size for name, size in sizes.items()):
        raise VerificationError("a group has more places than proposals")
    short = [name for name, size in sizes.items() if found.of[name] < min(found.least, size)]
    for one in short:
        ahead = [name for name in sizes if found.of[name] > found.of[one]]
        if any(found.of[name] > found.of[one] + 1 or sizes[name] < sizes[one] for name in ahead):
            raise VerificationError(
                f"“{one}” has less than its least, and a group that is smaller or has more got more"
            )
    if short:
        return
    if found.divisors is None:
        raise VerificationError("every group has its least, and no divisor is told")
    low, high = found.divisors
    divisor = low if high is None else (low + high) / 2
    for name, size in sizes.items():
        if not _is_rounded(size, divisor, found.of[name], min(found.least, size)):
            raise VerificationError(
                f"“{name}” has {found.of[name]:,} places, which the divisor {divisor} does not give"
            )


def _is_rounded(size: int, divisor: Fraction, has: int, low: int) -> bool:
    """Whether size / divisor rounds to `has`, either way at a half, or lies beyond a bound that it stands on."""
    if divisor == 0:
        return has == size
    share = Fraction(size) / divisor
    return (share >= has - _HALF or has == low) and (share <= has + _HALF or has == size)
