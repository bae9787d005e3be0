"""Somebody who has the log, without the nonces, cannot tell whether two answers went to one person.

Ten attackers learn on one synthetic day and judge pairs of another, about
2,800 pairs per test, half of them of one person. "Chance" means that the 99.9 %
interval (Wilson) of the share they judge rightly holds 1/2; seeds 1 and 2.

This holds for answers that say the same aloud: the same ten minutes, the same
rules that fired, the same outcome. These fields do tell something, as the
last tests show: a town in which a rule fires for one topic shows which answers
were about it. No log that holds them can hide that, and one that did not hold
them could not be checked. Where only one person asks within ten minutes, all
answers of these are theirs.

The same attackers succeed on logs that are broken on purpose, so these tests can fail.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.run.answers.linking import Pairs, accuracy, attackers, interval, pairs
from tests.run.answers.talk import Seen, day, in_order, to_the_second

Attackers = dict[str, Callable[[tuple[Seen, Seen]], list[float]]]
TRAIN, TEST = 1, 2


@pytest.fixture(scope="module")
def attempts() -> Attackers:
    return attackers()


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Seen], list[Seen]]:
    folder = tmp_path_factory.mktemp("days")
    return day(folder, TRAIN), day(folder, TEST)


def aloud(seen: Seen) -> object:
    """What the record says in words: time and all fields but digests."""
    return seen.at, seen.loud


def ten_minutes(seen: Seen) -> object:
    return seen.exactly_at // 600, seen.loud


def step(seen: Seen) -> object:
    return seen.at


def hour(seen: Seen) -> object:
    return seen.at // 3_600


def both(days: tuple[list[Seen], list[Seen]], alike: Callable[[Seen], object]) -> tuple[Pairs, Pairs]:
    train, test = (pairs(seen, alike, seed) for seen, seed in zip(days, (TRAIN, TEST), strict=True))
    assert len(test.pairs) > 2_000
    assert abs(test.same.mean() - 0.5) < 1e-9
    return train, test


def rightly(attempts: Attackers, train: Pairs, test: Pairs, *names: str) -> dict[str, tuple[float, float]]:
    """Return the interval of what these attackers judge rightly; all of them where none is named."""
    shares = {name: accuracy(attempts[name], train, test) for name in names or attempts}
    return {name: interval(share, len(test.pairs)) for name, share in shares.items()}


def test_nobody_can_tell_whether_two_answers_went_to_one_person(
    attempts: Attackers, days: tuple[list[Seen], list[Seen]]
) -> None:
    found = rightly(attempts, *both(days, aloud))

    assert {} == {name: shares for name, shares in found.items() if not shares[0] <= 0.5 <= shares[1]}


def test_they_could_if_digests_had_no_nonce(attempts: Attackers, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("unsalted")
    unsalted = (day(folder, TRAIN, salted=False), day(folder, TEST, salted=False))

    found = rightly(attempts, *both(unsalted, aloud), "guessing")

    assert found["guessing"][0] > 0.7


def test_they_could_if_a_batch_kept_the_order_of_arrival(
    attempts: Attackers, days: tuple[list[Seen], list[Seen]]
) -> None:
    found = rightly(attempts, *both((in_order(days[0]), in_order(days[1])), aloud), "neighbours", "everything")

    assert found["neighbours"][0] > 0.53
    assert found["everything"][0] > 0.53


def test_they_could_if_times_were_exact(attempts: Attackers, days: tuple[list[Seen], list[Seen]]) -> None:
    found = rightly(
        attempts, *both((to_the_second(days[0]), to_the_second(days[1])), ten_minutes), "times", "everything"
    )

    assert found["times"][0] > 0.53
    assert found["everything"][0] > 0.53


def test_the_rules_that_fired_do_tell_something(attempts: Attackers, days: tuple[list[Seen], list[Seen]]) -> None:
    found = rightly(attempts, *both(days, step), "fields", "digests")

    assert found["fields"][0] > 0.6
    assert found["digests"][0] <= 0.5 <= found["digests"][1]


def test_the_ten_minutes_do_tell_something_within_an_hour(
    attempts: Attackers, days: tuple[list[Seen], list[Seen]]
) -> None:
    found = rightly(attempts, *both(days, hour), "times", "signatures")

    assert found["times"][0] > 0.6
    assert found["signatures"][0] <= 0.5 <= found["signatures"][1]
