"""Which proposals are put to everybody: whatever the order in which they come, and on real data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auzolan.core.kinds.proposals import Quota
from auzolan.core.record.errors import UsageError, VerificationError
from auzolan.deliberate.decidim.entities import Key
from auzolan.deliberate.shortlist.candidates import By, Candidate, Votes, candidates_of
from auzolan.deliberate.shortlist.choosing import check_choice, choose
from auzolan.deliberate.shortlist.scoring import lot, share_of_participants
from tests.deliberate.shortlist.pam import HOST, pam_2016


def _candidate(number: int, *groups: str, **fields: Any) -> Candidate:
    plain: dict[str, Any] = {"title": {"ca": "x"}, "fingerprint": "", "supports": 0, "votes": None, "n_comments": 0}
    return Candidate(key=Key(HOST, 6, "proposal", number), groups=groups or ("all",), **(plain | fields))


def _numbers(candidates: list[Candidate], places: int = 9, **options: Any) -> list[int]:
    return [each.candidate.key.id for each in choose(candidates, places, "none", "seed", **options).chosen]


def test_more_supports_come_first_then_more_comments() -> None:
    candidates = [_candidate(1, supports=2), _candidate(2, supports=9), _candidate(3, supports=2, n_comments=4)]

    assert [2, 3, 1] == _numbers(candidates)


def test_few_votes_do_not_beat_many() -> None:
    lucky = _candidate(1, votes=Votes(2, 0, 0))
    solid = _candidate(2, votes=Votes(90, 5, 3))
    usual = [_candidate(each, votes=Votes(30, 20, 0)) for each in range(3, 9)]

    assert 2 == _numbers([lucky, *usual, solid])[0]


def test_equal_counts_are_ordered_by_a_lot_that_anybody_can_draw_again() -> None:
    candidates = [_candidate(each) for each in range(1, 30)]
    lots = {each: sha256(f"seed\n{HOST}/6/proposal/{each}".encode()).hexdigest() for each in range(1, 30)}

    assert sorted(lots, key=lots.__getitem__)[:9] == _numbers(candidates)


def test_another_seed_draws_another_lot() -> None:
    key = Key(HOST, 6, "proposal", 1)

    assert lot(key, "a") != lot(key, "b")


def test_hidden_supports_are_not_taken_for_none() -> None:
    known = [_candidate(each, supports=50) for each in range(1, 7)]
    hidden = [_candidate(each, supports=None) for each in range(7, 10)]
    choice = choose([*known, *hidden], 3, "none", "seed")

    expected = (Quota("all", 6, 2), Quota("all / supports hidden", 3, 1))
    assert expected == choice.quotas
    assert 3 == choice.n_hidden
    assert choice.quotas[1] == choice.quota_of(hidden[0])
    assert choice.quotas[0] == choice.quota_of(known[0])
    check_choice(choice)


def test_where_all_supports_are_hidden_comments_decide() -> None:
    candidates = [_candidate(each, supports=None, n_comments=each) for each in range(1, 6)]
    choice = choose(candidates, 2, "none", "seed")

    assert (Quota("all", 5, 2),) == choice.quotas
    assert [5, 4] == [each.candidate.key.id for each in choice.chosen]


def test_shares_of_participants_are_told_where_they_are_known() -> None:
    candidates = [_candidate(1, supports=30), _candidate(2, supports=None)]
    shares = {each.candidate.key.id: each.share for each in choose(candidates, 2, "none", "s", participants=100).chosen}

    assert {1: share_of_participants(30, 100), 2: None} == shares
    low, high = share_of_participants(30, 100)
    assert (0.231, 0.380) == (round(low, 3), round(high, 3))  # Wilson's, worked by hand with z = 1.645


def test_more_supports_than_participants_are_refused() -> None:
    with pytest.raises(UsageError, match="30 supports, more than the 29 participants"):
        _numbers([_candidate(1, supports=30)], participants=29)


@pytest.mark.parametrize(("places", "seed"), [(0, "s"), (501, "s"), (5, " ")])
def test_places_out_of_bounds_and_no_seed_are_refused(places: int, seed: str) -> None:
    with pytest.raises(UsageError, match="expected 1 to 500 statements and a seed"):
        choose([_candidate(1)], places, "none", seed)


def test_nothing_to_choose_from_is_refused() -> None:
    with pytest.raises(UsageError, match="no proposal to choose from"):
        _numbers([])


_COUNTS = st.none() | st.integers(0, 4)
_MANY = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from("xy"), _COUNTS, _COUNTS, st.none() | st.integers(0, 3)),
    min_size=1,
    max_size=40,
)


@settings(deadline=None)
@given(_MANY, st.integers(1, 20), st.randoms(use_true_random=False))
def test_the_order_of_the_source_means_nothing(many: list[Any], places: int, chance: Any) -> None:
    candidates = [
        _candidate(
            at, one, two, supports=supports, n_comments=comments, votes=None if ups is None else Votes(ups, 1, 0)
        )
        for at, (one, two, supports, comments, ups) in enumerate(many, 1)
    ]
    shuffled = list(candidates)
    chance.shuffle(shuffled)
    choice = choose(candidates, places, "origin,taxonomy", "seed")

    assert choice == choose(shuffled, places, "origin,taxonomy", "seed")
    assert min(places, len(candidates)) == len(choice.chosen) == sum(each.places for each in choice.quotas)
    assert choice.chosen[:-1] == choose(candidates, max(1, places), "origin,taxonomy", "seed").chosen[:-1]
    assert all(choice.quota_of(each.candidate).name == each.quota for each in choice.chosen)
    check_choice(choice)


def test_a_shorter_list_is_the_beginning_of_a_longer_one() -> None:
    candidates = [_candidate(each, "abc"[each % 3], "xy"[each % 2], supports=each % 7) for each in range(1, 60)]
    longer = choose(candidates, 40, "origin,taxonomy", "seed").chosen

    assert [longer[:n] for n in range(1, 40)] == [
        choose(candidates, n, "origin,taxonomy", "seed").chosen for n in range(1, 40)
    ]


@pytest.mark.parametrize(("least", "expected"), [(0, (8, 0)), (1, (7, 1)), (2, (6, 2))])
def test_a_small_group_has_its_least(least: int, expected: tuple[int, int]) -> None:
    candidates = [
        *(_candidate(each, "large") for each in range(1, 200)),
        *(_candidate(each, "small") for each in (900, 901)),
    ]
    choice = choose(candidates, 8, "origin", "seed", least)

    assert expected == tuple(each.places for each in choice.quotas)
    assert str(least) == choice.method["least"]
    check_choice(choice)


def test_a_choice_with_a_place_moved_fails_its_check() -> None:
    candidates = [_candidate(each, "abc"[each % 3]) for each in range(1, 60)]
    choice = choose(candidates, 9, "origin", "seed")
    one, *others = choice.quotas

    for false in (
        replace(choice, quotas=(replace(one, places=one.places + 1), *others)),
        replace(choice, chosen=(choice.chosen[1], *choice.chosen[1:])),
        replace(choice, n_candidates=60),
        replace(choice, shared=()),
        replace(choice, least=2),
    ):
        with pytest.raises(VerificationError):
            check_choice(false)


class _Many:
    """A million candidates, made anew whenever they are read."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.alive = 0

    def __iter__(self) -> Iterator[Candidate]:
        for number in range(1, self.n + 1):
            yield _candidate(number, "ab"[number % 2], supports=number % 97)


def test_many_candidates_are_not_kept() -> None:
    import tracemalloc

    def peak(n: int) -> int:
        tracemalloc.start()
        choose(_Many(n), 20, "origin", "seed")
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(40_000) < 2 * peak(2_000)


@pytest.mark.parametrize(
    ("by", "from_meetings"), [("none", 0), ("taxonomy", 0), ("origin", 16), ("origin,taxonomy", 16)]
)
def test_proposals_from_meetings_do_not_vanish_in_barcelona(by: By, from_meetings: int) -> None:
    proposals = pam_2016()
    origin = {each.key: each.origin for each in proposals}
    choice = choose(list(candidates_of(proposals, by, "ca")), 40, by, "PAM 2016")

    assert 9_691 == choice.n_candidates
    assert from_meetings == Counter(origin[each.candidate.key] for each in choice.chosen)["meeting"]
    check_choice(choice)
