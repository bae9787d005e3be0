"""Which proposals can be chosen, in which group they are, and what is not told."""

from __future__ import annotations

import pytest

from auzolan.core.record.errors import MalformedError, UsageError
from auzolan.deliberate.decidim.entities import WITHDRAWN, Taxonomy
from auzolan.deliberate.shortlist.candidates import By, Votes, candidates_of
from tests.deliberate.shortlist.pam import proposal

_HOUSING, _ROADS = Taxonomy(3, {"ca": "Habitatge", "es": "Vivienda"}), Taxonomy(9, {"es": "Calles"})


def test_withdrawn_proposals_amendments_and_empty_titles_are_no_candidates() -> None:
    proposals = [
        proposal(1),
        proposal(2, state=WITHDRAWN, fingerprint=None),
        proposal(3, amends=1),
        proposal(4, amends=0),
        proposal(5, title=" "),
    ]

    assert [1] == [each.key.id for each in candidates_of(proposals, "origin", "ca")]


def test_hidden_supports_stay_unknown() -> None:
    (found,) = candidates_of([proposal(1, supports=None, n_comments=None)], "none", "ca")

    assert (None, None, None) == (found.supports, found.n_comments, found.votes)


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("origin", ("meeting",)),
        ("taxonomy", ("Habitatge",)),
        ("origin,taxonomy", ("meeting", "Habitatge")),
        ("none", ("all",)),
    ],
)
def test_groups(by: By, expected: tuple[str, ...]) -> None:
    proposals = [proposal(1, origin="meeting", taxonomies=order) for order in ((_ROADS, _HOUSING), (_HOUSING, _ROADS))]

    assert [expected, expected] == [each.groups for each in candidates_of(proposals, by, "ca")]


def test_what_has_no_group_is_in_the_one_of_those() -> None:
    found = [each.groups for each in candidates_of([proposal(1)], "origin,taxonomy", "ca")]

    assert [("not told", "not told")] == found


def test_a_group_without_a_name_in_the_main_language_has_another_one() -> None:
    (found,) = candidates_of([proposal(1, taxonomies=(_ROADS,))], "taxonomy", "ca")

    assert ("Calles",) == found.groups


def test_cards_are_votes_and_hide_nothing() -> None:
    cards = {"agree": 5, "disagree": 2, "neutral": 1, "abstain": 3}
    (found,) = candidates_of([proposal(1, supports=None, cards=cards)], "none", "ca")

    assert (Votes(5, 2, 4), False) == (found.votes, found.is_hidden)


def test_a_card_that_means_nothing_is_refused() -> None:
    with pytest.raises(MalformedError, match="expected votes by cards called agree, neutral, disagree, abstain"):
        list(candidates_of([proposal(1, cards={"Lila": 5})], "none", "ca"))


def test_unknown_groups_are_refused() -> None:
    with pytest.raises(UsageError, match="expected places by origin, taxonomy, origin,taxonomy, none"):
        list(candidates_of([], "size", "ca"))  # type: ignore[arg-type]
