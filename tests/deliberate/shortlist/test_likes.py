"""Proposals whose titles are alike are pointed out, and nothing is merged."""

from __future__ import annotations

import random
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from auzolan.deliberate.decidim.entities import Proposal
from auzolan.deliberate.shortlist.candidates import candidates_of
from auzolan.deliberate.shortlist.choosing import choose
from auzolan.deliberate.shortlist.likes import MOST, likes_of
from auzolan.deliberate.shortlist.statement_file import read_statements, write_statements
from auzolan.deliberate.wording.duplicates import alike
from tests.deliberate.decidim.made import proposal, withdrawn


def _likes(proposals: Sequence[Proposal], places: int = 1) -> dict[int, list[int]]:
    """Return numbers of chosen proposals with those that are alike."""
    choice = choose(list(candidates_of(proposals, "none", "ca")), places, "none", "seed (synthetic)")
    return {key.id: [each.key.id for each in found] for key, found in likes_of(choice, proposals, "ca").items()}


def test_the_same_title_is_alike_and_another_is_not() -> None:
    found = _likes(
        [
            proposal(1, "Xarxa de carrils bici", supports=9),
            proposal(2, "Xarxa de carrils bici!", supports=0),
            proposal(3, "Xarxa dels carrils bici", supports=0),
            proposal(4, "Més biblioteques obertes", supports=0),
        ]
    )

    assert {1: [2, 3]} == found


def test_withdrawn_ones_and_amendments_are_not_pointed_out() -> None:
    assert {} == _likes([proposal(1, "Carrils bici", supports=9), withdrawn(2), proposal(3, "Carrils bici", amends=1)])


def test_only_the_most_alike_are_listed() -> None:
    many = [proposal(n, f"Xarxa de carrils bici {'x' * (n % 7)}", supports=0) for n in range(2, 60)]

    assert MOST == len(_likes([proposal(1, "Xarxa de carrils bici", supports=9), *many])[1])


@given(st.lists(st.text("abc ", min_size=1, max_size=8), min_size=2, max_size=12), st.randoms())
def test_they_are_those_that_comparing_all_with_all_finds(titles: list[str], chance: random.Random) -> None:
    proposals = [proposal(n, f"x{title}", supports=n) for n, title in enumerate(titles, 1)]
    everything = alike({each.key.id: each.title["ca"] for each in proposals})
    shuffled = chance.sample(proposals, len(proposals))

    found = _likes(shuffled, places=len(proposals))

    assert set(everything) == set(found)
    for number, others in everything.items():
        if len(others) <= MOST:
            assert {each.statement for each in others} == set(found[number])


def test_the_file_names_them_for_reading_only() -> None:
    proposals = [proposal(1, "Carrils bici", supports=9), proposal(2, "=Carrils bici")]
    choice = choose(list(candidates_of(proposals, "none", "ca")), 1, "none", "seed (synthetic)")

    data = write_statements(choice, ["ca"], likes_of(choice, proposals, "ca"))
    sheet = read_statements("statements.csv", data.splitlines(keepends=True), ["ca"])

    assert "#2 =Carrils bici" in data.decode()
    assert [(1,)] == [row.proposals for row in sheet.rows]
