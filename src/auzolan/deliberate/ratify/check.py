"""Checks what the rules made of votes, sharing no code with what selected it: only the nouns, as data.

Numbered as in the text of each finding:

    1  standing      every statement stands where votes and groups put it: quorum, support, contests, vetoes
    2  articles      no more than there are seats, none twice; what is put to the vote is contested
    3  conflicts     no two articles that exclude each other; who lost, lost to what those who voted on both prefer
    4  EJR+          no group of l/k of the voters who agree on a further statement has fewer than l articles each
    5  core          (a) and (b) of the certificate (core.rules.core_certificate has the proof), in whole numbers
    6  clauses       each acknowledged view is entitled to it, nobody clearly rejects it, and none such is left out
    7  margins       so many more ballots would end an article's standing, or give another statement one

Without ballots, steps 1, 2 and 7 are checked for the statements whose counts are published, 3 and 6 in part.

Does not check: that another rule would not have selected other articles; how often it would come out so again
(`holds`, `unopposed`), or by which rule an article came in; that no other contested statement had to be put to the
vote; how groups were found; whether those who voted are those who are concerned. Where no core certificate is
claimed, step 5 only checks who is named instead.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from fractions import Fraction
from functools import partial

import numpy as np

from auzolan.core.record.errors import VerificationError
from auzolan.deliberate.ratify.standing import (
    AGREE,
    CONTESTED,
    DISAGREE,
    EXCLUDED,
    NEVER,
    PASS,
    PPM,
    TAIL_PPM,
    UNSUPPORTED,
    Case,
    Numbers,
    fewest,
    is_against,
    is_seldom_below,
    is_small,
    is_supported,
)
from auzolan.deliberate.votes import VoteTable

ONE, FINE = 2**20, 2**30  # multipliers are whole numbers in 1/ONE, a voter's rest r in 1/FINE
_CLEAR_PPM = 900_000


def verify_standing(case: Case) -> None:
    """Check that every statement stands where votes and groups put it (step 1).

    Raises:
        VerificationError: it says otherwise of some statement.
    """
    outcome, rejects = case.outcome, bool(case.totals[:, :AGREE].any())
    if sorted([*case.articles, *case.others]) != list(case.statements):
        raise VerificationError("1 standing: it does not account for every statement once")
    if (outcome.grade == "A") is not rejects and (rejects or case.table is not None):
        raise VerificationError("1 standing: the grade of the evidence is not what ballots say")
    for statement, (found, against) in case.standing.items():
        other = case.others.get(statement)
        if other is None or (other.rival is not None and other.standing in (EXCLUDED, CONTESTED)):
            right = found in case.may_win  # what a conflict made of it is for step 3
        else:
            right = found == other.standing
        if not right:
            raise VerificationError(f"1 standing: statement {statement} is {found}, which is not what is said")
        if set((other or case.articles[statement]).against) != (against if statement in case.told else set()):
            raise VerificationError(f"1 standing: statement {statement} has other groups against it than those named")


def verify_articles(case: Case) -> None:
    """Check the lists by themselves (step 2).

    Raises:
        VerificationError: they do not hold.
    """
    outcome, waiting = case.outcome, case.outcome.put_to_vote
    if len(outcome.articles) > case.by.seats or len(case.articles) != len(outcome.articles):
        raise VerificationError("2 articles: more than there are seats, or one of them twice")
    if len(case.others) != len(outcome.not_included) or case.others.keys() & case.articles.keys():
        raise VerificationError("2 articles: a statement is listed twice")
    contested = [s for s, each in case.others.items() if each.standing == CONTESTED and not case.final]
    if len(set(waiting)) != len(waiting) or not set(waiting) <= set(contested):
        raise VerificationError("2 articles: what is put to the vote is not contested, or there twice")


def verify_conflicts(case: Case) -> None:
    """Check that conflicts are settled as those who voted on both prefer (step 3).

    Raises:
        VerificationError: they are not.
    """
    declared = {frozenset(pair) for pair in case.outcome.conflicts}
    if unknown := sorted({s for pair in declared for s in pair} - {*case.statements}):
        raise VerificationError(f"3 conflicts: statement {unknown[0]} is declared to exclude another, and is not there")
    said = {s: each.rival for s, each in case.others.items() if each.rival is not None}
    lost = {s for s, each in case.others.items() if each.standing == EXCLUDED}
    for pair in declared:
        if pair <= case.articles.keys():
            raise VerificationError(f"3 conflicts: {_named(pair)} exclude each other, and both are articles")
    for s in {*said, *lost}:
        if case.others[s].standing not in (EXCLUDED, CONTESTED):
            raise VerificationError(f"3 conflicts: statement {s} names a rival, and is {case.others[s].standing}")
        if {s, said.get(s, s)} not in declared or said[s] in lost:
            raise VerificationError(f"3 conflicts: statement {s} is excluded by none that was declared and stayed")
    if case.table is None:
        return
    may = {s for s, (found, _) in case.standing.items() if found in case.may_win}
    pairs = [pair for pair in declared if pair <= may]
    beaten = _beaten(case, case.table, pairs)
    # Only what nothing that is still in beats excludes others.
    out: set[int] = set()
    while more := {s for s, by in beaten.items() if any(beaten[each] <= out for each in by - out)} - out:
        out |= more
    left = [pair for pair in pairs if not pair & out]  # nobody's preference is clear, or they beat in a circle
    undecided = {s for pair in left for s in pair}
    if case.final:  # the people's vote must decide these too
        kept: set[int] = set()
        for s in sorted(undecided, key=_by_agreement(case)):
            (out if any(pair & kept for pair in left if s in pair) else kept).add(s)
        undecided = set()
    for s in lost ^ out | (said.keys() - lost) ^ undecided:
        raise VerificationError(f"3 conflicts: those who voted on both did not settle it so for statement {s}")
    for s, rival in said.items():
        if rival not in beaten[s] and {s, rival} not in left:
            raise VerificationError(f"3 conflicts: nobody prefers statement {rival} to statement {s}")


def _named(statements: Collection[int]) -> str:
    return "statements " + " and ".join(str(each) for each in sorted(statements))


def _by_agreement(case: Case) -> Callable[[int], tuple[int, int]]:
    agree = dict(zip(case.ids, case.totals[:, AGREE].tolist(), strict=True))
    return lambda statement: (-agree[statement], statement)


def _beaten(case: Case, table: VoteTable, pairs: Collection[frozenset[int]]) -> dict[int, set[int]]:
    """Return statement -> those that people who voted on both clearly prefer to it.

    Without a clear preference either is held against the other; in the people's vote, which must decide, only what
    more people agree with.
    """
    beaten: dict[int, set[int]] = {s: set() for pair in pairs for s in pair}
    found = np.flatnonzero(np.isin(case.ids, list(beaten))[table.packed // 4]) if pairs else np.arange(0)
    voter, votes = np.searchsorted(table.starts, found, side="right") - 1, table.packed[found]
    for pair in pairs:
        cast = np.full((2, case.n_voters), -1)
        first, second = sorted(pair, key=_by_agreement(case))
        for row, s in enumerate((first, second)):
            chosen = votes // 4 == list(case.ids).index(s)
            cast[row, voter[chosen]] = votes[chosen] % 4
        one, other = (cast == AGREE)[:, (cast >= 0).all(axis=0)]
        are_enough = len(one) >= case.quorum  # whose preference may be clear
        only = np.array([(one & ~other).sum(), (other & ~one).sum()])
        first_wins, second_wins = is_seldom_below(PPM // 2, only, only[::-1], PPM - _CLEAR_PPM)
        if is_small(case.by):  # counted exactly
            first_wins, second_wins = only[0] > only[1], only[1] > only[0]
        if second_wins and are_enough:
            beaten[first].add(second)
        elif (first_wins and are_enough) or case.final:
            beaten[second].add(first)
        else:
            beaten[first].add(second)
            beaten[second].add(first)
    return beaten


def verify_ejr_plus(case: Case) -> None:
    """Check that no group is left without its due, and that the strongest claim is the stated one (step 4).

    Raises:
        VerificationError: it is not so.
    """
    certificate, seats = case.outcome.certificate, case.by.seats
    if (certificate is None) is not (not case.articles and not case.rivals):
        raise VerificationError("4 EJR+: expected a certificate exactly where something could be selected")
    if certificate is None:
        return
    has = np.zeros(case.n_voters, dtype=np.int64)
    for article in case.articles:
        has[case.supporters[article]] += 1
    claims = dict[tuple[int | None, int], Fraction]()  # of each further statement at each level
    for rival in case.rivals:
        by_level = np.bincount(has[case.supporters[rival]].clip(max=seats), minlength=seats)[:seats]
        for level, poor in enumerate(np.cumsum(by_level).tolist(), 1):
            claims[rival, level] = Fraction(poor * seats, level * case.n_voters)
    named = max(claims, key=lambda each: claims[each], default=(None, 1))
    worst = claims.get(named, Fraction(0))
    if worst >= 1:
        raise VerificationError("4 EJR+: a group of voters has fewer articles than it is entitled to")
    if (certificate.ejr_statement, certificate.ejr_level, certificate.ejr_ratio) != (*named, worst):
        raise VerificationError(f"4 EJR+: the strongest claim is {float(worst):.4f}, of statement {named[0]}")


def _reaches(case: Case, weights: Mapping[int, int], statements: Iterable[int]) -> dict[int, Fraction]:
    """Return what part of a seat each one's supporters reach: their sum of r = 1 / (1 + multipliers), rounded up."""
    return _reaches_of(case, _rests(case, weights), statements)


def _rests(case: Case, weights: Mapping[int, int]) -> Numbers:
    burden = np.full(case.n_voters, ONE, dtype=np.int64)
    for statement, multiplier in weights.items():
        burden[case.supporters[statement]] += multiplier
    rest: Numbers = -((-ONE * FINE) // burden)
    return rest


def _reaches_of(case: Case, rest: Numbers, statements: Iterable[int]) -> dict[int, Fraction]:
    seat = Fraction(case.n_voters * FINE, case.by.seats)
    return {each: int(rest[case.supporters[each]].sum()) / seat for each in statements}


def verify_core(case: Case) -> None:
    """Check the certificate (step 5).

    Raises:
        VerificationError: (a) or (b) does not hold, or the strongest excluded statement is another.
    """
    certificate = case.outcome.certificate
    if certificate is None:
        return
    multipliers = certificate.multipliers
    is_claimed = len(multipliers) == len(case.articles)
    if (not is_claimed and multipliers) or not all(0 <= each <= ONE for each in multipliers):
        raise VerificationError("5 core: expected a multiplier between 0 and 1 per article")
    weights = dict(zip(case.articles, multipliers, strict=is_claimed))
    for article, reach in _reaches(case, weights, case.articles).items():
        if weights.get(article, 0) * reach > ONE:
            raise VerificationError(f"5 core (a): the supporters of statement {article} pay more than a seat")
    outside = _reaches(case, weights, case.rivals)
    strongest = max(outside, key=lambda each: outside[each], default=None)
    most = Fraction(0) if strongest is None else outside[strongest]
    if is_claimed and most >= 1:
        raise VerificationError(f"5 core (b): supporters of statement {strongest} reach {float(most):.4f} of a seat")
    if is_claimed and (certificate.strongest, certificate.reach) != (strongest if most else None, most):
        raise VerificationError(f"5 core (b): the closest is statement {strongest}, with {float(most):.4f} of a seat")
    named = outside.get(-1 if certificate.strongest is None else certificate.strongest, Fraction(0))
    if not is_claimed and not 1 <= certificate.reach <= named:
        raise VerificationError("5 core: no certificate is claimed, and whoever is named is not entitled to a seat")


def verify_clauses(case: Case) -> None:
    """Check which views are acknowledged (step 6).

    Raises:
        VerificationError: one that need not be is, or one that must be is not.
    """
    outcome, certificate, rejected = case.outcome, case.outcome.certificate, np.zeros(len(case.ids), dtype=bool)
    for counts in (case.totals, *(group.counts for group in case.groups)):
        # Bounds are floored to a millionth: one above 1/2 is 0.500001 at least.
        rejected |= is_seldom_below(PPM // 2 + 1, counts[:, DISAGREE], counts[:, PASS:].sum(axis=1), TAIL_PPM)
    heard = {
        s
        for s, each in case.others.items()
        if each.standing in (UNSUPPORTED, CONTESTED) and each.rival is None and s not in outcome.put_to_vote
    } - {s for s, is_rejected in zip(case.ids, rejected, strict=True) if is_rejected}
    least = max(case.by.group_least, -(-case.n_voters * case.by.group_percent // 100))  # supporters, as of a group
    heard -= {s for s, agree in zip(case.ids, case.totals[:, AGREE].tolist(), strict=True) if agree < least}
    if outcome.grade != "A" or is_small(case.by):
        heard = set()
    clauses = {each.statement: each.reach for each in outcome.clauses}
    for statement in sorted(clauses.keys() - heard):
        raise VerificationError(f"6 clauses: statement {statement} is no view to be acknowledged")
    if len(outcome.clauses) > case.by.seats or len(clauses) != len(outcome.clauses):
        raise VerificationError("6 clauses: more than there are seats, or one of them twice")
    if case.table is None:
        return
    # Where no certificate is claimed, every article counts in full.
    multipliers = (certificate and certificate.multipliers) or (ONE,) * len(case.articles)
    rest = _rests(case, dict(zip(case.articles, multipliers, strict=True)))
    for statement, said in clauses.items():
        reach = _reaches_of(case, rest, [statement])[statement]
        if reach < 1 or reach != said:
            raise VerificationError(f"6 clauses: statement {statement} reaches {float(reach):.4f} of a seat")
        who = case.supporters[statement]  # they have used up one seat of what they have left
        rest[who] -= rest[who] * int(ONE / reach) // ONE
    for statement, reach in _reaches_of(case, rest, heard - clauses.keys()).items():
        if reach >= 1 and len(clauses) < case.by.seats:
            raise VerificationError(f"6 clauses: statement {statement} is entitled to be acknowledged, and is not")


def verify_margins(case: Case) -> None:
    """Check how many more ballots of one kind would change a statement's standing (step 7).

    Raises:
        VerificationError: another number would.
    """
    supported = partial(is_supported, case)
    admit, block = fewest(supported, True, case.totals, AGREE), fewest(supported, False, case.totals, DISAGREE)
    by_division: dict[str, Numbers] = {}
    for group in case.groups:
        if case.final and not group.may_block:
            continue  # in the people's vote what a group contests ends no standing
        against = partial(is_against, case, group)
        needs = fewest(against, False, group.counts, AGREE)
        by_division[group.division] = by_division.get(group.division, np.zeros_like(needs)) + needs
        block = np.minimum(block, fewest(against, True, group.counts, DISAGREE))
    admit = np.maximum.reduce([admit, *by_division.values()])
    if case.outcome.grade == "B":
        block[:] = NEVER  # ballots that disagree are not known there
    for i, statement in enumerate(case.ids):
        article, other = case.articles.get(statement), case.others.get(statement)
        found, said = int(admit[i]), other.admit_margin if other else None
        if article:
            found, said = int(block[i]), article.block_margin
        tells = statement in case.told and statement not in case.moderated_out and found < NEVER
        if said != (found if tells else None):
            raise VerificationError(f"7 margins: statement {statement} hangs on another number of ballots than {said}")
