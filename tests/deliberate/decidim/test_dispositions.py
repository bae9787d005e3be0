"""Every proposal has exactly one disposition, whatever became of the statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.kinds.constitution import Constitution, Draft, LeftOut, Principle
from auzolan.core.kinds.proposals import Cited, ListedStatement, Quota, Shortlist
from auzolan.core.kinds.selection import Article, Clause, NotIncluded, Outcome
from auzolan.deliberate.decidim.dispositions import NAMES, WHYS, Disposition, Fate, dispositions, fates
from auzolan.deliberate.decidim.entities import Proposal
from tests.deliberate.decidim.made import proposal, withdrawn

ID = "ab" * 32
UNLISTED = Fate("deferred", "not listed", {"group": "meeting", "by": "x", "proposals": 9, "places": 0})


def _shortlist(*groups: Sequence[int]) -> Shortlist:
    """Return a shortlist of one statement for each group of proposals, the first of which leads."""
    statements = tuple(
        ListedStatement(
            number,
            {"ca": f"Frase {number}"},
            tuple(Cited(str(proposal(n).key), "") for n in group),
            True,
            "participant",
        )
        for number, group in enumerate(groups, 1)
    )
    method = dict.fromkeys(Shortlist.METHOD, "x")
    quotas = (Quota("meeting", 9, 0), Quota("participant", 5, len(groups)))
    return Shortlist(ID, "2026-11-20", method, quotas, statements, (tuple(each.id for each in statements),))


def _outcome(articles: Sequence[int], others: Sequence[NotIncluded] = (), **more: tuple[object, ...]) -> Outcome:
    return Outcome(
        "A", "before", {}, (), tuple(Article(n, "equal shares", 1) for n in articles), tuple(others),
        **({"put_to_vote": (), "clauses": ()} | more), certificate=None,  # type: ignore[arg-type]
    )  # fmt: skip


def _not(statement: int, standing: str, lacks: int | None = 3, **more: object) -> NotIncluded:
    return NotIncluded(statement, standing, more.get("against", ()), more.get("rival"), lacks)  # type: ignore[arg-type]


def _principle(number: str, *statements: int) -> Principle:
    return Principle(number, "x", "ca", Principle.VERBATIM, "", statements, Principle.SELECTED)


def _constitution(principles: Sequence[Principle], ratified: Sequence[int]) -> Constitution:
    """Return a constitution of which the principles with these statements were ratified."""
    voted = {each.number: place for place, each in enumerate(principles)}
    chosen = [voted[each.number] for each in principles if set(each.statements) & set(ratified)]
    outcome = _outcome(chosen, [_not(n, "not enough support") for n in voted.values() if n not in chosen])
    return Constitution(ID, ID, ID, "Carta", "2026-11-20", tuple(principles), voted, outcome)


def _of(proposals: Sequence[Proposal], shortlist: Shortlist | None, found: dict[int, Fate]) -> dict[int, Disposition]:
    return {each.key.id: got for each, got in dispositions(proposals, shortlist, found, lambda _each: UNLISTED)}


def test_before_a_shortlist_everything_waits() -> None:
    found = _of([proposal(1), proposal(2)], None, {})

    assert {1: "not asked", 2: "not asked"} == {number: each.fate.why for number, each in found.items()}


def test_what_authors_took_back_and_amendments_have_none() -> None:
    assert {1} == set(_of([proposal(1), withdrawn(2), proposal(3, amends=1)], None, {}))


def test_a_lead_has_the_fate_of_its_statement_and_the_merged_one_says_whose() -> None:
    shortlist, fate = _shortlist((1, 2)), Fate("adopted", "ratified", {"article": "2.1"}, "2.1")

    found = _of([proposal(1), proposal(2)], shortlist, {1: fate})

    assert Disposition(proposal(1).key, fate, 1) == found[1]
    assert Disposition(proposal(2).key, Fate("merged", "merged", {"lead": 1, "statement": 1}), 1, fate) == found[2]


def test_what_stands_behind_no_statement_has_the_fate_of_the_unlisted() -> None:
    found = _of([proposal(1), proposal(7)], _shortlist((1,)), {1: Fate("deferred", "not asked")})

    assert Disposition(proposal(7).key, UNLISTED) == found[7]


@pytest.mark.parametrize(
    ("other", "fate"),
    [
        (_not(1, "eligible"), Fate("deferred", "no place")),
        (_not(1, "not enough votes", 4), Fate("deferred", "few votes", {"lacks": 4})),
        (_not(1, "not enough votes", None), Fate("deferred", "few votes", {"lacks": 0})),
        (_not(1, "not enough support", 9), Fate("rejected", "no support", {"lacks": 9})),
        (_not(1, "blocked", against=("A", "age: old")), Fate("rejected", "blocked", {"groups": "A, age: old"})),
        (_not(1, "excluded by conflict", rival=5), Fate("rejected", "excluded", {"rival": 5})),
        (_not(1, "contested", against=("A",)), Fate("deferred", "no place")),
        (_not(1, "moderated out"), Fate("deferred", "left out", {"reason": "moderated out"})),
    ],
)  # fmt: skip
def test_what_was_not_selected_says_what_it_lacked(other: NotIncluded, fate: Fate) -> None:
    assert fate == fates(_shortlist((1,)), _outcome([], [other]), None, None)[1]


def test_what_was_selected_waits_for_its_words_and_the_vote() -> None:
    clause = Clause(2, Fraction(1))
    outcome = _outcome([1], [_not(2, "contested"), _not(3, "contested")], put_to_vote=(3,), clauses=(clause,))
    draft = Draft(ID, "Carta", "2026-11-20", (_principle("1.1", 2),), (LeftOut(1, "said elsewhere", "an editor"),))

    found = fates(_shortlist((1,), (2,), (3,)), outcome, None, None)
    edited = fates(_shortlist((1,), (2,), (3,)), outcome, draft, None)

    assert ["not worded", "not worded", "put to vote"] == [found[n].why for n in (1, 2, 3)]
    assert Fate("deferred", "left out", {"reason": "said elsewhere"}) == edited[1]


def test_the_people_have_the_last_word() -> None:
    shortlist, outcome = _shortlist((1,), (2,), (3,)), _outcome([1, 2], [_not(3, "not enough support")])
    principles = (_principle("1.1", 1), _principle("2.1", 2))
    draft = Draft(ID, "Carta", "2026-11-20", principles)

    found = fates(shortlist, outcome, draft, _constitution(principles, [1]))

    assert Fate("adopted", "ratified", {"article": "1.1"}, "1.1") == found[1]
    assert Fate("rejected", "not ratified", {"article": "2.1", "lacks": 3}) == found[2]
    assert "no support" == found[3].why


@given(st.data())
def test_every_proposal_has_exactly_one_disposition_that_is_known(data: st.DataObject) -> None:
    numbers = data.draw(st.lists(st.integers(1, 40), unique=True, min_size=2, max_size=20))
    cut = data.draw(st.integers(1, len(numbers)))
    listed = [numbers[at : at + 2] for at in range(0, cut, 2)]
    standings = ["eligible", "contested", "blocked", "not enough support", "not enough votes", "excluded by conflict"]
    chosen = data.draw(st.lists(st.sampled_from(range(1, len(listed) + 1)), unique=True))
    others = [_not(n, data.draw(st.sampled_from(standings))) for n in range(1, len(listed) + 1) if n not in chosen]
    outcome = data.draw(st.none() | st.just(_outcome(chosen, others)))
    proposals = [proposal(number) for number in numbers]
    shortlist = _shortlist(*listed)

    pairs = list(dispositions(proposals, shortlist, fates(shortlist, outcome, None, None), lambda _each: UNLISTED))

    assert numbers == [each.key.id for each, _ in pairs]
    assert all(found.fate.name in NAMES and found.fate.why in WHYS[found.fate.name] for _, found in pairs)
    assert all((found.then is not None) == (found.fate.name == "merged") for _, found in pairs)


def test_a_statement_that_the_votes_do_not_know_waits() -> None:
    assert "not asked" == fates(_shortlist((1,)), _outcome([]), None, None)[1].why
    assert "not asked" == fates(_shortlist((1,)), None, None, None)[1].why


def test_no_fate_of_a_statement_is_merged() -> None:
    assert all(name != "merged" or whys == ("merged",) for name, whys in WHYS.items())
    assert replace(Fate("deferred", "no place"), article=None) == Fate("deferred", "no place")
