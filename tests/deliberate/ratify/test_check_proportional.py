"""Steps 4 and 5 of the check: no claim to be proportional passes that is not true."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from auzolan.core.kinds.selection import Article, Certificate, NotIncluded, Outcome
from auzolan.core.record.errors import VerificationError
from auzolan.core.rules.core_certificate import ONE, CoreCertificate, find_core_certificate
from auzolan.deliberate.ratify import check, checking, standing
from auzolan.deliberate.ratify.parameters import Parameters
from auzolan.deliberate.votes import AGREE, DISAGREE
from tests.core.rules.exact import blocking, profile_of, random_ballots
from tests.deliberate.ratify.checked import LOOSE, PARTIES, first_wrong, made, people, random_outcome, says
from tests.deliberate.tables import table

INSTANCES = 1_000
ALL_INSTANCES = 6_000


# 4 EJR+ and 5 core


def test_step_4_refuses_an_outcome_that_leaves_a_group_without_its_due() -> None:
    case = PARTIES.case(**PARTIES.swapped(20, 12))

    assert "4 EJR+: a group of voters has fewer articles than it is entitled to" == first_wrong(case)


@pytest.mark.parametrize(
    "changed",
    [
        {"ejr_ratio": Fraction(1, 2)},
        {"ejr_ratio": Fraction(3, 2)},
        {"ejr_statement": 21},
        {"ejr_statement": 10},
        {"ejr_statement": None},
        {"ejr_level": 99},
    ],
)
def test_step_4_refuses_another_strongest_claim(changed: dict[str, Any]) -> None:
    assert PARTIES.outcome.certificate is not None
    assert 12 == PARTIES.outcome.certificate.ejr_statement
    assert first_wrong(PARTIES.case(**PARTIES.certificate(**changed))).startswith("4 EJR+: the strongest claim is")


def test_step_4_refuses_a_certificate_that_is_missing_or_about_nothing() -> None:
    empty = made(people([(5, says(1))], [1]), Parameters(seats=1))
    made_up = Certificate(None, 1, Fraction(0), (), None, Fraction(0))

    assert (None, "") == (empty.outcome.certificate, first_wrong(empty.case()))
    for case in (PARTIES.case(certificate=None), empty.case(certificate=made_up)):
        assert first_wrong(case).startswith("4 EJR+: expected a certificate exactly where")


@pytest.mark.parametrize("article", [10, 11, 20])
@pytest.mark.parametrize("other", [12, 13, 21, 22, 23])
def test_statements_swapped_against_a_proportional_outcome_are_refused(article: int, other: int) -> None:
    case = PARTIES.case(**PARTIES.swapped(article, other))
    found = first_wrong(case)

    if article // 10 != other // 10:
        assert found == "4 EJR+: a group of voters has fewer articles than it is entitled to"
        with pytest.raises(VerificationError, match="5 core"):
            check.verify_core(case)
    else:  # the same people agree with both, so that neither is more proportional
        assert found in {"", f"4 EJR+: the strongest claim is 0.6667, of statement {article}"}


@pytest.mark.parametrize(
    "changed",
    [
        {"multipliers": (0, 0, 0)},
        {"multipliers": (ONE, ONE)},
        {"multipliers": (ONE + 1, ONE, ONE)},
        {"multipliers": (ONE, ONE, ONE, ONE)},
        {"multipliers": ()},
        {"reach": Fraction(1, 3)},
        {"reach": Fraction(2, 1)},
        {"strongest": 21},
        {"strongest": 10},
        {"strongest": None},
        {"strongest": 99},
    ],
)
def test_step_5_refuses_another_certificate(changed: dict[str, Any]) -> None:
    assert PARTIES.outcome.certificate is not None
    assert 3 == len(PARTIES.outcome.certificate.multipliers)
    assert first_wrong(PARTIES.case(**PARTIES.certificate(**changed))).startswith("5 core")


def test_step_5_refuses_multipliers_for_which_supporters_pay_more_than_a_seat() -> None:
    """Two articles of four voters each, and a seat is worth one voter: at most a third is allowed."""
    found = made(people([(4, says(1, neither=[3])), (4, says(2, neither=[3]))]), Parameters(seats=8, **LOOSE))

    assert first_wrong(found.case()) == ""
    assert "5 core (a): the supporters of statement 1 pay more than a seat" == first_wrong(
        found.case(**found.certificate(multipliers=(ONE // 3 + 10, ONE // 3)))
    )


def test_step_5_checks_who_is_named_where_no_certificate_was_found() -> None:
    """No group lacks its due, and yet no multipliers were found; who stands in the way must be entitled to it."""
    found = next(
        each
        for each in map(random_outcome, range(100, 400))
        if each.outcome.certificate and each.outcome.articles and not each.outcome.certificate.multipliers
    )

    assert found.outcome.certificate is not None
    assert found.outcome.certificate.reach >= 1
    assert first_wrong(found.case()) == ""
    assert "no certificate was found: statement" in checking.check_outcome(found.case())[4].remark
    for changed in ({"reach": Fraction(1, 2)}, {"reach": Fraction(99)}, {"strongest": None}):
        assert first_wrong(found.case(**found.certificate(**changed))).startswith("5 core: no certificate is claimed")


def _claim(ballots: tuple[frozenset[int], ...], m: int, winners: list[int], seats: int, weights: list[int]) -> Outcome:
    """Return an outcome with this certificate, its reach as it is in truth."""
    weight = dict(zip(winners, weights, strict=True))
    rest = [Fraction(ONE, ONE + sum(weight.get(c, 0) for c in ballot)) for ballot in ballots]
    fine = [-(-each.numerator * 2**30 // each.denominator) for each in rest]
    outside = [c for c in range(m) if c not in winners]
    sums = {c: sum(r for r, ballot in zip(fine, ballots, strict=True) if c in ballot) for c in outside}
    most = max(sums.values(), default=0)
    strongest = min((c for c in outside if sums[c] == most), default=None) if most else None
    return Outcome(
        grade="A",
        rules_known="before",
        parameters={},
        conflicts=(),
        articles=tuple(Article(c, "acclamation", None) for c in winners),
        not_included=tuple(NotIncluded(c, "eligible", (), None, 0) for c in outside),
        put_to_vote=(),
        clauses=(),
        certificate=Certificate(
            None, 1, Fraction(0), tuple(weights), strongest, Fraction(most * seats, len(ballots) * 2**30)
        ),
    )


def _check_claims(n: int, chance: int) -> tuple[int, int]:
    """Put claims before step 5; return how many there were and how many passed, each in the core by brute force."""
    source, tried, passed = np.random.default_rng(chance), 0, 0
    for _ in range(n):
        ballots, m = random_ballots(source, most_voters=7, most_candidates=6)
        seats = int(source.integers(1, m + 1))
        votes = table({i: {c: AGREE if c in b else DISAGREE for c in range(m)} for i, b in enumerate(ballots)})
        for _ in range(6):
            winners = source.permutation(m)[: source.integers(0, seats + 1)].tolist()
            found = find_core_certificate(profile_of(ballots, m), winners, seats)
            weights = source.choice([0, ONE // 3, ONE // 2, ONE], len(winners)).tolist()
            if isinstance(found, CoreCertificate) and source.random() < 0.5:
                weights = list(found.multipliers)
            case = standing.Case(
                outcome=_claim(ballots, m, winners, seats, weights),
                by=Parameters(seats=seats),
                final=False,
                statements=votes.statements,
                moderated_out=(),
                told=(),
                n_voters=len(ballots),
                ids=votes.statements,
                totals=np.zeros((m, 3), dtype=np.int64),
                groups=(),
                table=votes,
            )
            tried += 1
            try:
                check.verify_core(case)
            except VerificationError:
                continue
            passed += 1

            assert blocking(ballots, m, winners, seats) is None, (ballots, winners, seats, weights)
    return tried, passed


def test_no_false_claim_passes_step_5() -> None:
    tried, passed = _check_claims(INSTANCES, chance=3)

    assert 6 * INSTANCES == tried
    assert tried // 5 < passed < tried


@pytest.mark.slow
def test_no_false_claim_passes_step_5_in_thousands_of_instances() -> None:
    tried, _ = _check_claims(ALL_INSTANCES, chance=4)

    assert 6 * ALL_INSTANCES == tried
