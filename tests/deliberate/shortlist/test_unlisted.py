"""Why a proposal is on no shortlist: it came later, was taken off by people, or others had more of what counts."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

import pytest

from auzolan.core.kinds.proposals import Shortlist
from auzolan.deliberate.decidim.dispositions import Fate
from auzolan.deliberate.decidim.entities import Proposal
from auzolan.deliberate.shortlist.candidates import By, candidates_of
from auzolan.deliberate.shortlist.choosing import choose
from auzolan.deliberate.shortlist.listing import drafted
from auzolan.deliberate.shortlist.unlisted import Unlisted
from tests.deliberate.decidim.made import proposal

ID = "ab" * 32
TEN = tuple(
    proposal(number, supports=number, origin="meeting" if number <= 4 else "participant") for number in range(1, 11)
)


def _unlisted(
    proposals: Sequence[Proposal] = TEN,
    places: int = 5,
    by: By = "origin",
    taken_off: Container[int] = (),
    **more: Any,
) -> Unlisted:
    """Return what tells of proposals that are not on the list of so many places, less those taken off."""
    choice = choose(list(candidates_of(proposals, by, "ca")), places, by, "synthetic")
    listed = tuple(each for each in drafted(choice, ("ca",)) if each.id not in taken_off)
    method = {**choice.method, "language": "ca"}
    shortlist = Shortlist(ID, "2026-11-20", method, choice.quotas, listed, (tuple(each.id for each in listed),))
    return Unlisted(shortlist, **({"choose": lambda: choice} | more))


def test_one_whose_group_had_no_more_places_hears_what_the_last_place_took() -> None:
    assert {"group": "participant", "by": "origin", "proposals": 6, "places": 3, "last": 8, "supports": 7} == (
        _unlisted().fate(TEN[6]).facts
    )
    assert {"group": "meeting", "by": "origin", "proposals": 4, "places": 2, "last": 3, "supports": 1} == (
        _unlisted().fate(TEN[0]).facts
    )


def test_a_group_without_a_place_has_no_last_one() -> None:
    facts = _unlisted(places=1).fate(TEN[0]).facts

    assert {"group": "meeting", "by": "origin", "proposals": 4, "places": 0} == facts


def test_one_that_was_taken_off_the_list_is_not_told_that_there_was_no_room() -> None:
    unlisted = _unlisted(taken_off={1})
    first = unlisted.choose().chosen[0].candidate.key.id  # type: ignore[union-attr]

    assert Fate("deferred", "not kept") == unlisted.fate(TEN[first - 1])
    assert "not listed" == unlisted.fate(TEN[0]).why


def test_one_that_came_later_is_not_told_that_there_was_no_room() -> None:
    unlisted = _unlisted(known=frozenset(range(1, 11)))

    assert Fate("deferred", "came later") == unlisted.fate(proposal(11, supports=999, origin="meeting"))
    assert "not listed" == unlisted.fate(TEN[0]).why


def test_supports_that_were_given_since_are_not_compared_with_those_of_then() -> None:
    facts = _unlisted(known=frozenset(range(1, 11))).fate(proposal(7, supports=500, origin="participant")).facts

    assert (8, None) == (facts["last"], facts.get("supports"))


def test_where_votes_decide_supports_are_not_named() -> None:
    voted = [*TEN[:9], proposal(10, cards={"agree": 9, "disagree": 1})]

    assert not {"last", "supports"} & _unlisted(voted).fate(TEN[0]).facts.keys()


def test_hidden_supports_are_compared_with_none() -> None:
    hidden = [proposal(number, origin="meeting") for number in range(11, 15)]
    unlisted = _unlisted([*TEN, *hidden], places=7)
    facts = next(fate.facts for each in hidden if (fate := unlisted.fate(each)).why == "not listed")

    assert {"group": "meeting / supports hidden", "by": "origin", "proposals": 4, "places": 2} == facts


def test_without_what_it_was_chosen_from_the_places_are_told_all_the_same() -> None:
    facts = _unlisted(choose=lambda: None).fate(TEN[0]).facts

    assert {"group": "meeting", "by": "origin", "proposals": 4, "places": 2} == facts


@pytest.mark.parametrize("by", ["none", "origin,taxonomy"])
def test_groups_are_those_of_the_list(by: By) -> None:
    unlisted = _unlisted(by=by)
    told = [fate.facts for each in TEN if (fate := unlisted.fate(each)).why == "not listed"]
    quotas = {each.name: (each.proposals, each.places) for each in unlisted.shortlist.quotas}

    assert told
    assert all(quotas[str(each["group"])] == (each["proposals"], each["places"]) for each in told)
