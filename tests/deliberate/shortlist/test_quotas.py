"""Places by Webster's rule: against figures worked by hand, and properties that make it fair."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.record.errors import UsageError, VerificationError
from auzolan.deliberate.shortlist.quotas import Places, check_places, share_out

_SIZES = st.dictionaries(st.text("abcdefgh", min_size=1, max_size=2), st.integers(1, 2_000), min_size=1, max_size=12)
_PLACES, _LEAST = st.integers(0, 120), st.integers(0, 3)


def test_a_case_worked_by_hand() -> None:
    # 53, 24 and 23 by 1, 3, 5, ...: 53, 24, 23, 17.67, 10.6, 8, 7.67, 7.57 ...: seven places are 3, 2 and 2.
    found = share_out({"a": 53, "b": 24, "c": 23}, 7, least=0)

    assert {"a": 3, "b": 2, "c": 2} == found.of
    assert ("a", "b", "c", "a", "a", "b", "c") == found.sequence
    assert (Fraction(53 * 2, 7), Fraction(23 * 2, 3)) == found.divisors


def test_the_real_groups_of_barcelona() -> None:
    sizes = {"group": 1385, "meeting": 3998, "official": 1129, "participant": 3179}

    assert {"group": 6, "meeting": 16, "official": 5, "participant": 13} == share_out(sizes, 40).of


def test_a_small_group_has_its_least() -> None:
    assert {"large": 9, "small": 1} == share_out({"large": 10_000, "small": 1}, 10).of


def test_fewer_places_than_groups_go_to_the_largest() -> None:
    found = share_out({"a": 1, "b": 90, "c": 5}, 2)

    assert ({"a": 0, "b": 1, "c": 1}, None) == (found.of, found.divisors)


def test_no_group_has_more_places_than_proposals() -> None:
    assert {"a": 3, "b": 2} == share_out({"a": 3, "b": 2}, 40).of


def test_ties_go_to_the_larger_group_and_then_by_name() -> None:
    assert ("b", "b", "a") == share_out({"a": 1, "b": 3}, 3, least=0).sequence
    assert ("a", "b") == share_out({"b": 5, "a": 5}, 2, least=0).sequence


@given(_SIZES, _PLACES, _LEAST)
def test_places_sum_up_and_pass_their_check(sizes: dict[str, int], places: int, least: int) -> None:
    found = share_out(sizes, places, least)

    assert min(places, sum(sizes.values())) == sum(found.of.values()) == len(found.sequence)
    check_places(sizes, places, found)


@given(_SIZES, _PLACES, _LEAST)
def test_who_has_a_place_keeps_it_when_there_is_one_more(sizes: dict[str, int], places: int, least: int) -> None:
    few, more = share_out(sizes, places, least), share_out(sizes, places + 1, least)

    assert few.sequence == more.sequence[: len(few.sequence)]


@given(_SIZES, _PLACES, _LEAST)
def test_a_larger_group_never_has_fewer(sizes: dict[str, int], places: int, least: int) -> None:
    of = share_out(sizes, places, least).of

    assert all(of[a] >= of[b] for a in sizes for b in sizes if sizes[a] > sizes[b])


@given(_SIZES, _LEAST)
def test_every_group_has_its_least_where_places_suffice(sizes: dict[str, int], least: int) -> None:
    needed = sum(min(least, size) for size in sizes.values())
    of = share_out(sizes, needed + 3, least).of

    assert all(of[name] >= min(least, size) for name, size in sizes.items())


@given(_SIZES, _PLACES, _LEAST, st.data())
def test_a_place_moved_to_another_group_fails_the_check(
    sizes: dict[str, int], places: int, least: int, data: st.DataObject
) -> None:
    found = share_out(sizes, places, least)
    name = data.draw(st.sampled_from(sorted(sizes)))
    other = data.draw(st.sampled_from(sorted(sizes)))
    moved = dict(found.of) | {name: found.of[name] + 1}
    moved[other] -= 1
    last = (2 * found.of[other] - 1) * sizes[name]
    is_tie = last == (2 * found.of[name] + 1) * sizes[other] or sizes[name] == sizes[other]
    if name == other or is_tie:
        return

    with pytest.raises(VerificationError):
        check_places(sizes, places, replace(found, of=moved))


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"of": {"a": 4, "b": 2, "c": 2}}, "do not have 7 places"),
        ({"of": {"a": 3, "b": 4}}, "do not have 7 places"),
        ({"divisors": None}, "no divisor is told"),
        ({"divisors": (Fraction(1), Fraction(2))}, "does not give"),
    ],
)
def test_false_certificates_are_refused(changed: dict[str, object], why: str) -> None:
    sizes = {"a": 53, "b": 24, "c": 23}
    found: Places = replace(share_out(sizes, 7, 0), **changed)  # type: ignore[arg-type]

    with pytest.raises(VerificationError, match=why):
        check_places(sizes, 7, found)


def test_numbers_that_are_too_small_are_refused() -> None:
    with pytest.raises(UsageError):
        share_out({"a": 0}, 1)
    with pytest.raises(UsageError):
        share_out({"a": 1}, -1)
