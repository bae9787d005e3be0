"""The check of an outcome: what was honestly selected passes, and each numbered step refuses what was forged."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from auzolan.core.kinds.selection import Article, Clause, NotIncluded
from auzolan.core.record.errors import VerificationError
from auzolan.deliberate.ratify import check, checking
from auzolan.deliberate.ratify.parameters import Parameters
from tests.deliberate.ratify.checked import GROUPS, HEARD, RIVALS, TOWN, first_wrong, made, people, random_outcome, says
from tests.deliberate.tables import name

# Honest outcomes


def test_what_was_honestly_selected_passes_every_step() -> None:
    findings = checking.check_outcome(TOWN.case())

    assert [(number, "recomputed", "") for number in range(1, 8)] == [
        (each.step.number, each.result, each.remark) for each in findings
    ]


@pytest.mark.parametrize("first", range(0, 100, 20))
def test_what_was_selected_by_whatever_rules_passes(first: int) -> None:
    for chance in range(first, first + 20):
        assert first_wrong(random_outcome(chance).case()) == "", chance


def test_what_the_people_ratified_passes_though_a_group_contests_it() -> None:
    voted = made(TOWN.ballots.table, Parameters(seats=9, quorum_least=10), GROUPS, final=True)

    assert {4, 9} <= {each.statement for each in voted.outcome.articles}
    assert first_wrong(voted.case()) == ""
    unopposed = tuple(replace(each, against=()) for each in voted.outcome.articles)

    assert "has other groups against it than those named" in first_wrong(voted.case(articles=unopposed))
    with pytest.raises(VerificationError, match="1 standing"):
        checking.verify_outcome(
            voted.outcome,
            voted.ballots,
            voted.labels,
            identity="",
            moderated_out=frozenset(),
            min_cell=1,
            withheld=frozenset(),
        )


# 1 standing


@pytest.mark.parametrize(
    ("statement", "changed"),
    [
        (4, {"standing": "eligible", "against": ()}),
        (4, {"standing": "blocked"}),
        (4, {"against": ("A",)}),
        (6, {"standing": "not enough votes"}),
        (7, {"standing": "contested"}),
        (10, {"standing": "not enough support"}),
        (3, {"standing": "moderated out"}),
    ],
)
def test_step_1_refuses_another_standing(statement: int, changed: dict[str, Any]) -> None:
    assert first_wrong(TOWN.case(**TOWN.with_other(statement, **changed))).startswith("1 standing: statement")


def test_step_1_refuses_a_contested_article() -> None:
    taken = TOWN.outcome.articles[0].statement

    assert first_wrong(TOWN.case(**TOWN.swapped(taken, 4))).startswith("1 standing: statement")


def test_step_1_refuses_a_statement_that_is_not_accounted_for_and_one_that_is_not_there() -> None:
    others = TOWN.outcome.not_included
    for changed in (others[1:], (*others, replace(others[0], statement=99)), (*others, others[0])):
        found = first_wrong(TOWN.case(not_included=changed))

        assert "for every statement once" in found or "listed twice" in found


def test_step_1_refuses_to_take_ballots_that_disagree_for_approvals() -> None:
    assert "grade" in first_wrong(TOWN.case(grade="B"))


def test_step_1_asks_approvals_for_nothing_but_their_quorum() -> None:
    approving = made(people([(12, says(1, 2)), (7, says(3)), (30, says(4))]), Parameters(seats=2, quorum_least=10))

    assert "B" == approving.outcome.grade
    assert first_wrong(approving.case()) == ""
    assert first_wrong(approving.case(**approving.with_other(3, standing="eligible"))).startswith("1 standing")
    assert "grade" in first_wrong(approving.case(grade="A"))


@pytest.mark.parametrize(
    ("rule", "ballots", "passes"),
    [
        ("supermajority", [(8, says(1)), (4, says(no=[1]))], True),
        ("supermajority", [(7, says(1)), (4, says(no=[1]))], False),
        ("supermajority", [(8, says(1)), (4, says(no=[1])), (8, says(neither=[1]))], True),
        ("consent", [(8, says(1)), (4, says(neither=[1]))], True),
        ("consent", [(11, says(1)), (1, says(no=[1]))], False),
        ("consent", [(3, says(1)), (4, says(neither=[1]))], False),
    ],
)
def test_step_1_counts_small_communities_exactly(
    rule: str, ballots: list[tuple[int, dict[int, int]]], passes: bool
) -> None:
    by = Parameters(seats=1, roll=20, small_rule=rule)
    small = made(people([*ballots, (1, says(neither=[2]))]), by)

    assert passes is bool(small.outcome.articles)
    assert first_wrong(small.case()) == ""
    if passes:
        other = NotIncluded(1, "not enough support", (), None, 0)
        forged: dict[str, Any] = {"articles": (), "not_included": (other, *small.outcome.not_included)}
    else:
        forged = {"articles": (Article(1, "equal-shares", 1),), "not_included": (small.other(2),)}

    assert first_wrong(small.case(**forged)).startswith("1 standing: statement 1")


def test_step_1_lets_declared_strata_block_only_where_the_rules_accept_how_people_were_told_apart() -> None:
    votes = people([(80, says(1, 2)), (20, says(2, no=[1]))])
    strata = {"district": {name(who): "north" if who < 80 else "south" for who in range(100)}}
    by = Parameters(seats=2, veto=("district",), veto_identity=("census",))
    found = made(votes, by, strata=strata)

    assert ("blocked", ("district: south",)) == (found.other(1).standing, found.other(1).against)
    assert first_wrong(found.case()) == ""
    assert "1 standing: statement 1" in first_wrong(found.case(**found.with_other(1, standing="contested")))
    unknown = {**found.options, "identity": "e-mail"}

    assert "1 standing: statement 1 is eligible" in first_wrong(replace(found, options=unknown).case())


def test_step_1_knows_the_stricter_rule_for_groups_and_none() -> None:
    votes = people([(60, says(1, 2)), (9, says(2, no=[1])), (11, says(1, 2))])
    labels = np.repeat(np.arange(2, dtype=np.int16), [60, 20])
    half, none = (made(votes, Parameters(seats=1, group_rule=rule), labels) for rule in ("half", "none"))

    assert ("contested", ("B",)) == (half.other(1).standing, half.other(1).against)
    assert ("eligible", ()) == (none.other(1).standing, none.other(1).against)
    assert ["", ""] == [first_wrong(each.case()) for each in (half, none)]
    assert "1 standing: statement 1" in first_wrong(half.case(**half.with_other(1, standing="eligible", against=())))
    assert "1 standing: statement 1" in first_wrong(none.case(**none.with_other(1, standing="contested")))


# 2 articles


def test_step_2_refuses_more_articles_than_seats_and_one_twice() -> None:
    articles, others = TOWN.outcome.articles, TOWN.outcome.not_included
    fourth = next(each for each in others if each.standing == "eligible")
    rest = tuple(each for each in others if each != fourth)
    more = (*articles, Article(fourth.statement, "equal-shares", 1))

    assert first_wrong(TOWN.case(articles=more, not_included=rest)).startswith("2 articles: more than there are seats")
    assert first_wrong(TOWN.case(articles=(articles[0], *articles[:2]))).startswith("1 standing")
    with pytest.raises(VerificationError, match="2 articles"):
        check.verify_articles(TOWN.case(articles=(articles[0], articles[0])))
    with pytest.raises(VerificationError, match="2 articles: a statement is listed twice"):
        check.verify_articles(TOWN.case(not_included=(*others, replace(others[0], statement=articles[0].statement))))


@pytest.mark.parametrize("waiting", [(5,), (4, 4), (99,), (1,)])
def test_step_2_puts_only_contested_statements_to_the_vote(waiting: tuple[int, ...]) -> None:
    assert "what is put to the vote" in first_wrong(TOWN.case(put_to_vote=waiting))


# 3 conflicts


def test_step_3_refuses_two_articles_that_exclude_each_other() -> None:
    assert ("excluded by conflict", 1) == (RIVALS.other(2).standing, RIVALS.other(2).rival)
    assert ["contested"] * 2 == [RIVALS.other(each).standing for each in (3, 4)]
    assert first_wrong(RIVALS.case()) == ""
    chosen = [each.statement for each in RIVALS.outcome.articles]
    both = RIVALS.swapped(next(each for each in chosen if each != 1), 2)

    assert first_wrong(RIVALS.case(**both)).startswith("3 conflicts: statements 1 and 2 exclude each other")


@pytest.mark.parametrize(
    "changed",
    [
        {"conflicts": ((3, 4),)},
        {"conflicts": ((1, 2),)},
        {"conflicts": ((1, 2), (1, 5), (3, 4))},
        RIVALS.with_other(2, rival=5),
        RIVALS.with_other(2, rival=None),
        RIVALS.with_other(2, standing="contested"),
        RIVALS.with_other(2, standing="eligible", rival=None),
        RIVALS.with_other(2, rival=2),
        RIVALS.with_other(3, standing="excluded by conflict"),
        RIVALS.with_other(3, standing="eligible", rival=None),
        RIVALS.with_other(3, standing="eligible"),
        {**RIVALS.with_other(2, statement=1, rival=2), "articles": RIVALS.swapped(1, 2)["articles"]},
    ],
)
def test_step_3_refuses_what_those_who_voted_on_both_did_not_prefer(changed: dict[str, Any]) -> None:
    case = RIVALS.case(**changed, put_to_vote=())

    assert first_wrong(case)[:1] in {"1", "3"}
    with pytest.raises(VerificationError, match="3 conflicts"):
        check.verify_conflicts(case)


def test_step_3_lets_a_circle_exclude_nobody() -> None:
    pairs = [(1, 2), (2, 3), (1, 3)]
    circle = [(1, 2), (2, 3), (3, 1)]
    votes = people([*[(12, says(one, no=[other])) for one, other in circle], (60, says(1, 2, 3))])
    found = made(votes, Parameters(seats=3), conflicts=pairs)

    assert first_wrong(found.case()) == ""
    one_out = found.with_other(2, standing="excluded by conflict", rival=1)

    assert first_wrong(found.case(**one_out, put_to_vote=())).startswith("3 conflicts")


def test_step_3_settles_in_the_peoples_vote_what_is_not_clear() -> None:
    found = made(RIVALS.ballots.table, Parameters(seats=4), conflicts=[(1, 2), (3, 4)], final=True)

    assert {2: 1, 4: 3} == {each.statement: each.rival for each in found.outcome.not_included if each.rival}
    assert first_wrong(found.case()) == ""
    other_way = found.swapped(3, 4)
    others = tuple(replace(each, rival=4) if each.statement == 3 else each for each in other_way["not_included"])

    assert first_wrong(found.case(**{**other_way, "not_included": others})).startswith("3 conflicts")


# 6 clauses


def test_step_6_takes_an_entitled_view_that_most_do_not_share() -> None:
    assert {1, 2, 3} == {each.statement for each in HEARD.outcome.articles}
    assert [7] == [each.statement for each in HEARD.outcome.clauses]
    assert "not enough support" == HEARD.other(7).standing
    assert first_wrong(HEARD.case()) == ""


@pytest.mark.parametrize(
    ("clauses", "why"),
    [
        ((), "is entitled to be acknowledged, and is not"),
        ((Clause(7, Fraction(5, 4)),), "reaches"),
        ((*HEARD.outcome.clauses, Clause(8, Fraction(1))), "statement 8 reaches"),
        ((Clause(9, HEARD.outcome.clauses[0].reach),), "is no view to be acknowledged"),
        ((Clause(1, Fraction(1)),), "is no view to be acknowledged"),
        ((Clause(99, Fraction(1)),), "is no view to be acknowledged"),
        (HEARD.outcome.clauses * 2, "one of them twice"),
    ],
)
def test_step_6_refuses_other_clauses(clauses: tuple[Clause, ...], why: str) -> None:
    found = first_wrong(HEARD.case(clauses=clauses))

    assert found.startswith("6 clauses")
    assert why in found


def test_step_6_refuses_clauses_where_nobody_can_be_seen_to_disagree() -> None:
    approving = made(people([(12, says(1)), (9, says(2))]), Parameters(seats=2, quorum_least=10))

    assert "6 clauses" in first_wrong(approving.case(clauses=(Clause(2, Fraction(1)),)))


# 7 margins


def test_step_7_refuses_margins_that_are_one_too_many_or_too_few() -> None:
    for by_one in (-1, 1):
        for place, article in enumerate(TOWN.outcome.articles):
            assert article.block_margin is not None
            articles = list(TOWN.outcome.articles)
            articles[place] = replace(article, block_margin=article.block_margin + by_one)

            assert f"7 margins: statement {article.statement}" in first_wrong(TOWN.case(articles=tuple(articles)))
        for other in TOWN.outcome.not_included:
            assert other.admit_margin is not None
            changed = TOWN.with_other(other.statement, admit_margin=other.admit_margin + by_one)

            assert f"7 margins: statement {other.statement}" in first_wrong(TOWN.case(**changed))


def test_step_7_refuses_margins_and_groups_of_statements_whose_counts_are_withheld() -> None:
    found = made(people([(30, says(1, 2)), (2, says(no=[2]))]), Parameters(seats=1, quorum_least=5), min_cell=5,
                 labels=np.repeat(np.arange(2, dtype=np.int16), [30, 2]))  # fmt: skip
    hidden = found.options["withheld"]

    assert {2} == hidden
    assert first_wrong(found.case()) == ""
    assert [1] == [each.statement for each in found.outcome.articles]
    assert "7 margins" in first_wrong(found.case(**found.with_other(2, admit_margin=0)))
    assert "1 standing" in first_wrong(found.case(**found.with_other(2, against=("B",))))
