"""What is signed of a selection: all of it, as far as the tally tells the counts that it follows from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from auzolan.core.kinds.selection import Outcome
from auzolan.core.record.canonical import canonical_bytes, read_canonical
from auzolan.core.rules.core_certificate import CoreCertificate
from auzolan.deliberate.ratify.eligibility import GroupCounts
from auzolan.deliberate.ratify.outcome import EXCLUDED, outcome_of
from auzolan.deliberate.ratify.parameters import Parameters, read_parameters
from auzolan.deliberate.ratify.selection import Selected, select
from auzolan.deliberate.tally import Counts, count
from auzolan.deliberate.votes import Labels, VoteTable
from tests.deliberate.ratify.checked import HEARD, RIVALS, TOWN, Made, people, random_outcome, says
from tests.deliberate.tables import sealed

Told = tuple[int | None, tuple[str, ...], int | None, int | None]

# Two groups; 1 is an article of all, 2 is contested by B, 3 was seen by 3 of B only, 4 by few at all.
VOTES = people(
    [(40, says(1, 2)), (20, says(1, no=[2])), (12, says(1, 3)), (3, says(3)), (4, says(4)), (10, says(1, 2))]
)
LABELS: Labels = np.repeat(np.array([0, 1, 0, 1, 0, 0], np.int16), [40, 20, 12, 3, 4, 10])
BY = Parameters(seats=3)


def _selected(votes: VoteTable = VOTES, by: Parameters = BY, final: bool = False) -> Selected:
    counts = votes.counts(LABELS, 2)
    groups = [GroupCounts("AB"[n], int((LABELS == n).sum()), False, counts[n]) for n in range(2)]
    return select(votes, groups, frozenset(), [], by, final)


def _counts(min_cell: int = 5, hidden: frozenset[int] = frozenset()) -> Counts:
    return count(sealed(VOTES), LABELS, 2, min_cell, hidden)


def _signed(min_cell: int = 5, hidden: frozenset[int] = frozenset(), final: bool = False) -> Outcome:
    return outcome_of(_selected(final=final), _counts(min_cell, hidden), BY, [(3, 1)], "before")


def _told(outcome: Outcome) -> dict[int, Told]:
    """Return statement -> what follows from counts."""
    told: dict[int, Told] = {a.statement: (a.block_margin, a.against, a.holds, a.unopposed) for a in outcome.articles}
    return told | {o.statement: (o.admit_margin, o.against, o.holds, o.unopposed) for o in outcome.not_included}


# What is withheld


def test_where_all_counts_are_told_all_margins_and_groups_are() -> None:
    found, told = _selected(), _told(_signed(min_cell=1))
    chosen = {each.candidate for each in found.elected}

    for statement, judged in found.judged.items():
        margin = judged.block_margin if statement in chosen else judged.admit_margin

        assert (margin, judged.against, *found.resampled[statement]) == told[statement]


def test_where_counts_by_group_are_withheld_only_what_follows_from_all_votes_is_told() -> None:
    """3 people of group B saw statement 3."""
    told = _told(_signed())
    counts = {each.id: each for each in _counts().statements}

    assert (True, None) == (counts[3].all is not None, counts[3].by[0])
    assert (None, (), _selected().resampled[3][0], None) == told[3]


def test_where_all_counts_are_withheld_nothing_is_told() -> None:
    """4 people saw statement 4."""
    assert (None, (), None, None) == _told(_signed())[4]


@pytest.mark.parametrize("final", [False, True])
@pytest.mark.parametrize("hidden", [1, 2, 3, 4])
def test_where_a_statement_is_hidden_as_people_were_forgotten_nothing_is_told_of_it(hidden: int, final: bool) -> None:
    told, other = _told(_signed(1, frozenset({hidden}), final)), _told(_signed(1, final=final))

    assert (None, (), None, None) == told[hidden]
    assert {s: each for s, each in other.items() if s != hidden} == {s: e for s, e in told.items() if s != hidden}


@pytest.mark.parametrize("min_cell", [1, 3, 5, 10, 30])
def test_what_the_tally_withholds_stays_withheld(min_cell: int) -> None:
    counts = {each.id: each for each in _counts(min_cell).statements}
    for statement, (margin, against, holds, unopposed) in _told(_signed(min_cell)).items():
        if counts[statement].all is None:
            assert holds is None
        if counts[statement].all is None or counts[statement].by[0] is None:
            assert (None, (), None) == (margin, against, unopposed)


def test_the_groups_against_an_article_of_the_peoples_vote_are_told() -> None:
    """Most are for 2, and group B is clearly against it."""
    signed = _signed(min_cell=1, final=True)

    assert {2: ("B",)} == {each.statement: each.against for each in signed.articles if each.against}
    assert {(None, ())} == {
        (each.block_margin, each.against) for each in _signed(1, frozenset({2}), True).articles if each.statement == 2
    }


# What is told


def test_every_statement_stands_in_one_list() -> None:
    for made in (TOWN, RIVALS, HEARD, *map(random_outcome, range(30))):
        said = made.outcome
        listed = [a.statement for a in said.articles] + [other.statement for other in said.not_included]

        assert sorted(listed) == list(made.ballots.table.statements)
        assert sorted(each.statement for each in said.not_included) == [each.statement for each in said.not_included]


def test_articles_come_in_the_order_of_their_selection() -> None:
    found = _selected()
    signed = outcome_of(found, _counts(1), BY, [], "after")

    assert [each.candidate for each in found.elected] == [each.statement for each in signed.articles]
    assert [each.how for each in found.elected] == [each.how for each in signed.articles]
    assert "after" == signed.rules_known


def test_pairs_in_conflict_are_written_once_and_in_order() -> None:
    signed = outcome_of(_selected(), _counts(1), BY, [(3, 1), (2, 1), (1, 3)], "before")

    assert ((1, 2), (1, 3)) == signed.conflicts


def test_who_lost_a_conflict_is_named_with_whom_they_lost_to() -> None:
    others = {each.statement: each for each in RIVALS.outcome.not_included}

    assert (EXCLUDED, 1) == (others[2].standing, others[2].rival)
    assert [("contested", 4), ("contested", 3)] == [(others[each].standing, others[each].rival) for each in (3, 4)]


def test_clauses_are_told_with_what_part_of_a_seat_they_reach() -> None:
    assert HEARD.outcome.clauses
    assert all(each.reach >= 1 for each in HEARD.outcome.clauses)
    assert {each.statement for each in HEARD.outcome.clauses} <= {e.statement for e in HEARD.outcome.not_included}


def test_the_certificate_has_a_multiplier_per_article_or_names_who_is_entitled() -> None:
    n_without = 0
    for number in range(60):
        said = random_outcome(number).outcome
        certificate = said.certificate
        if certificate is None:
            assert () == said.articles
        elif certificate.multipliers or not said.articles:
            assert len(said.articles) == len(certificate.multipliers)
            assert certificate.reach < 1
        else:
            n_without += 1

            assert certificate.reach >= 1
            assert certificate.strongest in {each.statement for each in said.not_included}
    assert n_without < 30


def test_without_a_certificate_who_stands_in_its_way_is_named() -> None:
    found = _selected()
    assert isinstance(found.core, CoreCertificate)
    none = replace(found, core=None, proportional=None)

    assert outcome_of(none, _counts(1), BY, [], "before").certificate is None


# Round trip


def _again(outcome: Outcome) -> Outcome:
    body = read_canonical(canonical_bytes(outcome.to_body()))
    assert isinstance(body, dict)
    return Outcome.from_body(body)


@pytest.mark.parametrize("made", [TOWN, RIVALS, HEARD], ids=["town", "rivals", "heard"])
def test_made_up_outcomes_survive_their_bytes(made: Made) -> None:
    assert made.outcome == _again(made.outcome)


def test_drawn_outcomes_survive_their_bytes_and_give_their_parameters_back() -> None:
    for number in range(40):
        said = random_outcome(number).outcome

        assert said == _again(said)
        assert dict(said.parameters) == read_parameters(said.parameters).as_json()


def test_no_float_is_signed() -> None:
    def numbers(value: object) -> list[object]:
        if isinstance(value, Mapping):
            return [each for inner in value.values() for each in numbers(inner)]
        return [each for inner in value for each in numbers(inner)] if isinstance(value, list) else [value]

    for made in (TOWN, RIVALS, HEARD):
        assert not [each for each in numbers(made.outcome.to_body()) if isinstance(each, float | Fraction)]
