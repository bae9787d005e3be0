"""From records and published counts to what is shown: everything is accounted for, and what is withheld stays so."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from auzolan.core.kinds.constitution import Constitution, Draft, LeftOut
from auzolan.core.kinds.selection import Selection
from auzolan.core.record.errors import MalformedError
from auzolan.deliberate.charter.gather import charter_of_constitution
from auzolan.deliberate.charter.view import Charter, Presence
from auzolan.deliberate.ratify.parameters import Parameters
from auzolan.deliberate.tally import Division
from tests.deliberate.charter.charters import (
    CONSTITUTION,
    DRAFT,
    EARLIER,
    LATER,
    RULES,
    SELECTION,
    approvals,
    article,
    deliberation,
    governance,
    other,
    outcome,
    poll,
    principle,
    ratified,
    selected,
    town,
)

TOWN = town()


def left_out(*of: LeftOut) -> Charter:
    """Make a constitution of one principle, on #0, with statements left out of the wording on purpose."""
    earlier, result = deliberation()
    principles = (principle("1.1", "The assistant should say so when it is not sure."),)
    made = Constitution(DRAFT, LATER[1], RULES, "Ours", "2026-04-25", principles, {"1.1": 0}, outcome([article(0)]))
    behind = (
        Draft(SELECTION, "Ours", "2026-03-10", principles, of),
        Selection(earlier.tally_id, RULES, "2026-03-05", False, result),
    )
    return charter_of_constitution(CONSTITUTION, made, poll([[(9, 1, 0)]]), (*behind, earlier), governance())


def test_principles_come_by_number_and_the_rest_with_its_reason() -> None:
    assert ["1.1", "1.2", "2.1"] == [each.label for each in TOWN.articles]
    assert ["2.2"] == [each.label for each in TOWN.acknowledged]
    assert ["3.1"] == [each.label for each in TOWN.left]
    assert {"not enough support"} == {each.standing for each in (*TOWN.acknowledged, *TOWN.left)}


def test_a_view_that_is_acknowledged_is_not_listed_as_left_out_too() -> None:
    assert Fraction(6, 5) == TOWN.acknowledged[0].reach
    assert set() == {each.label for each in TOWN.acknowledged} & {each.label for each in TOWN.left}


def test_every_statement_of_the_deliberation_is_accounted_for_once() -> None:
    of_principles = [n for each in (*TOWN.articles, *TOWN.acknowledged, *TOWN.left) for n, _ in each.sources]
    never = [each.why for each in TOWN.never_voted]

    assert list(range(10)) == sorted([*of_principles, *never])


def test_what_was_contested_before_names_the_groups_of_then() -> None:
    before = {each.label: each.contested_before for each in TOWN.articles}

    assert {"1.1": (), "1.2": (), "2.1": ("B",)} == before
    assert ("B",) == TOWN.articles[2].against


def test_principles_rest_on_the_words_of_their_statements() -> None:
    assert (
        (0, "The assistant should say so when it is not sure."),
        (1, "Say when you do not know!"),
    ) == TOWN.articles[0].sources
    assert ("merged", 0) == (TOWN.articles[0].transformation, TOWN.articles[0].why)


def test_what_the_editors_left_out_is_never_said_to_go_to_the_vote() -> None:
    why = (LeftOut(2, "said elsewhere", "The group"), LeftOut(3, "too broad", "The group"))
    never = {each.why: each for each in left_out(*why).never_voted}

    assert ("selected", ("The group", "said elsewhere")) == (never[2].standing, never[2].left_out)
    assert ("contested", ("The group", "too broad"), False) == (
        never[3].standing, never[3].left_out, never[3].goes_to_vote,
    )  # fmt: skip
    assert None is never[5].left_out


def test_a_contested_statement_of_a_selection_goes_to_the_vote() -> None:
    of, result = deliberation()
    shown = {each.why: each.goes_to_vote for each in selected(of, result).left}

    assert [3] == [number for number, goes in shown.items() if goes]


def test_conflicts_name_the_rival_with_its_words() -> None:
    shown = {each.why: each for each in TOWN.never_voted}

    assert ("#9", "It should be free.") == shown[8].rival


def test_counts_that_are_withheld_stay_withheld() -> None:
    of = poll([[(30, 2, 1), (9, 1, 0)]] * 3, groups_withheld=[1], withheld=[2])
    entries = selected(of, outcome([article(0), article(1, None), article(2, None)])).articles

    assert [True, True, False] == [each.support.all is not None for each in entries]
    assert [True, False, False] == [each.support.groups is not None for each in entries]


def test_shares_of_approvals_are_of_all_who_took_part() -> None:
    first = approvals().articles[0].support

    assert first.all
    assert first.groups
    assert (90, 140, None) == (first.all.agree, first.all.whole, first.all.lower_ppm)
    assert [("A", 60, 80), ("B", 30, 50)] == [(name, each.agree, each.whole) for name, each in first.groups]


def test_a_deliberation_of_approvals_before_a_vote_is_shown_as_such() -> None:
    votes = [[(60, 0, 0), (30, 0, 0)], [(12, 0, 0), (8, 0, 0)]]
    earlier = poll(list(votes), ids=EARLIER, sizes=[80, 50], people=140)
    before = outcome([article(0)], [other(1, "not enough votes", 3)], grade="B")
    of = ratified([principle("1.1", "Be kind.")], poll([[(9, 1, 0)]]), outcome([article(0)]), (earlier, before))
    mine, theirs = of.articles[0].support, of.never_voted[0].support

    assert mine.all
    assert theirs.all
    assert ((False, 10), (True, 140)) == ((mine.approvals, mine.all.whole), (theirs.approvals, theirs.all.whole))


def turnout(*declared: Division, by: Parameters, min_cell: int = 5) -> Charter:
    of = poll([[(30, 2, 1), (9, 1, 0)]], declared=declared, min_cell=min_cell)
    return selected(of, outcome([article(0)], by=by))


def test_who_is_absent_is_told_against_the_roll_and_few_are_not_told() -> None:
    roll = (("district", "North", 60), ("district", "Port", 7))
    districts = Division("district", "declared", ("North", "South"), (30, 10), 9)
    shown = turnout(districts, by=Parameters(seats=1, roll=100, roll_by=roll)).turnout.strata

    assert ["district"] == [each.name for each in shown]
    assert (
        Presence("North", 30, 60),
        Presence("South", 10, None),
        Presence("Port", None, 7, is_few=True),
    ) == shown[0].values
    assert 9 == shown[0].undeclared


def test_where_nothing_is_withheld_who_is_not_named_did_not_come() -> None:
    districts = Division("district", "declared", ("North",), (40,), 9)
    by = Parameters(seats=1, roll=100, roll_by=(("district", "Port", 7),))

    assert Presence("Port", 0, 7) == turnout(districts, by=by, min_cell=1).turnout.strata[0].values[1]


def test_sizes_that_are_withheld_are_no_numbers() -> None:
    districts = Division("district", "declared", ("North", "South"), None, None)
    by = Parameters(seats=1, roll=100, roll_by=(("district", "North", 60), ("age", "young", 20)))
    shown = turnout(districts, by=by).turnout.strata

    assert (Presence("North", None, 60), Presence("South", None, None)) == shown[0].values
    assert ("age", (Presence("young", None, 20),)) == (shown[1].name, shown[1].values)


def test_records_lead_from_the_constitution_to_the_votes() -> None:
    kinds = [kind for kind, _ in TOWN.records]

    assert [
        "constitution", "tally", "snapshot",
        "draft", "selection", "deliberation_tally", "deliberation_snapshot", "rules",
    ] == kinds  # fmt: skip
    assert ["selection", "tally", "snapshot", "rules"] == [kind for kind, _ in approvals().records]


def test_a_statement_that_the_counts_do_not_know_has_no_support() -> None:
    entry = selected(poll([[(9, 1, 0)]]), outcome([article(0)], [other(7, "not enough votes")])).left[0]

    assert (None, None, "") == (entry.support.all, entry.support.groups, entry.text.words)


def test_parameters_that_make_no_sense_are_refused() -> None:
    result = outcome([article(0)])

    with pytest.raises(MalformedError):
        selected(poll([[(9, 1, 0)]]), replace(result, parameters={**result.parameters, "seats": 0}))
