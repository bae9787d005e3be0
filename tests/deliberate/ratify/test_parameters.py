"""The rules of ratifying, as read from `[constitution]`."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from auzolan.core.record.errors import MalformedError
from auzolan.deliberate.ratify.parameters import Parameters, read_parameters


def test_only_the_number_of_seats_must_be_given() -> None:
    assert Parameters(seats=12) == read_parameters({"seats": 12})


def test_seats_for_a_trial_go_before_those_of_the_rules() -> None:
    assert 3 == read_parameters({"seats": 12}, seats=3).seats
    assert 3 == read_parameters({}, seats=3).seats


def test_every_parameter_is_read_and_written_back() -> None:
    table: dict[str, Any] = {
        "seats": 5,
        "quorum_least": 1,
        "quorum_most": 2,
        "quorum_percent": 3,
        "support_ppm": 600_000,
        "group_rule": "half",
        "contest_ppm": 950_000,
        "contest_votes": 8,
        "group_least": 4,
        "group_percent": 6,
        "completion": "phragmen",
        "veto": ["district"],
        "veto_identity": ["census"],
        "roll": 40,
        "roll_by": {"district": {"north": 22, "south": 18}},
        "roll_percent": 60,
        "small_rule": "consent",
        "supermajority": "3/4",
    }
    read = read_parameters(table)

    assert table == read.as_json()
    assert set(table) == {each.name for each in fields(Parameters)}
    assert read == read_parameters(read.as_json())


def test_a_key_that_nobody_knows_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(MalformedError, match="quorum_lest: there is no such key; did you mean quorum_least"):
        read_parameters({"seats": 1, "quorum_lest": 3})


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({}, "constitution.seats: expected an integer, got null"),
        ({"seats": 0}, "constitution.seats: expected at least 1, got 0"),
        ({"seats": True}, "constitution.seats: expected an integer"),
        ({"seats": 1, "quorum_percent": 101}, "constitution.quorum_percent: expected at most 100, got 101"),
        ({"seats": 1, "supermajority": "1/3"}, 'expected a share from "1/2" to "1/1"'),
        ({"seats": 1, "supermajority": "2:3"}, 'expected a share from "1/2" to "1/1"'),
        ({"seats": 1, "supermajority": "2/0"}, 'expected a share from "1/2" to "1/1"'),
        ({"seats": 1, "roll_by": {"district": {"north": -1}}}, "constitution.roll_by.district: expected at least 0"),
        ({"seats": 1, "quorum_least": -1}, "constitution.quorum_least: expected at least 0, got -1"),
        ({"seats": 1, "quorum_most": 10**9 + 1}, "constitution.quorum_most: expected at most 1,000,000,000"),
        ({"seats": 1, "support_ppm": 1_000_001}, "constitution.support_ppm: expected at most 1,000,000"),
        ({"seats": 1, "contest_ppm": "0.9"}, "constitution.contest_ppm: expected an integer, got text"),
        ({"seats": 1, "group_percent": 101}, "constitution.group_percent: expected at most 100"),
        ({"seats": 1, "group_rule": "most"}, "constitution.group_rule: expected one of disagreement, half, none"),
        ({"seats": 1, "completion": "random"}, "constitution.completion: expected one of none, phragmen"),
        ({"seats": 1, "veto": "district"}, "constitution.veto: expected a list"),
        ({"seats": 1, "veto": [1]}, "constitution.veto: expected non-empty text"),
        ({"seats": 1, "veto": ["district"]}, "constitution.veto: a veto needs veto_identity"),
    ],
)
def test_what_is_not_a_rule_is_refused(table: dict[str, Any], said: str) -> None:
    with pytest.raises(MalformedError) as refused:
        read_parameters(table)

    assert said in str(refused.value)


@pytest.mark.parametrize(("participants", "quorum"), [(0, 10), (99, 10), (101, 11), (250, 25), (300, 30), (10**6, 30)])
def test_the_quorum_is_a_tenth_between_ten_and_thirty(participants: int, quorum: int) -> None:
    assert quorum == Parameters(seats=1).quorum(participants)


def test_a_quorum_of_at_least_more_than_at_most_is_the_least() -> None:
    assert 50 == Parameters(seats=1, quorum_least=50, quorum_most=30).quorum(10_000)


@pytest.mark.parametrize(("participants", "least"), [(0, 10), (200, 10), (201, 11), (1_000, 50)])
def test_a_group_counts_from_a_twentieth_and_ten_people(participants: int, least: int) -> None:
    assert least == Parameters(seats=1).least_group(participants)
