"""Charters of made-up communities (synthetic), for tests of what is published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from auzolan.core.kinds.constitution import Constitution, Draft, Principle
from auzolan.core.kinds.deliberate import Snapshot, Tally
from auzolan.core.kinds.selection import Article, Certificate, Clause, NotIncluded, Outcome, Selection
from auzolan.core.record.governance import FloorArticle, Governance, Principal
from auzolan.core.record.keys import PublicKey
from auzolan.deliberate.bounds import jeffreys_ppm
from auzolan.deliberate.charter.gather import Poll, charter_of_constitution, charter_of_selection
from auzolan.deliberate.charter.view import Charter
from auzolan.deliberate.conversation import Statement
from auzolan.deliberate.grouping import group_name
from auzolan.deliberate.overview import Dot
from auzolan.deliberate.ratify.parameters import Parameters
from auzolan.deliberate.tally import Cell, Counts, Division, StatementCounts
from tests.deliberate.overviews import HOSTILE

Votes = tuple[int, int, int]  # agree, disagree, pass
SELECTION, DRAFT, CONSTITUTION, RULES = "5e" * 32, "d4" * 32, "c0" * 32, "90" * 32
EARLIER, LATER = ("a1" * 32, "b1" * 32), ("a2" * 32, "b2" * 32)
PROVED = Certificate(None, 1, Fraction(43, 100), (1 << 20,), None, Fraction(0))


def cell(votes: Votes) -> Cell:
    lower, upper = jeffreys_ppm(np.array(votes[0]), np.array(sum(votes)))
    return Cell(*votes, int(lower), int(upper))


def poll(
    cells: Sequence[Sequence[Votes]],
    texts: Sequence[str] = (),
    *,
    ids: tuple[str, str] = LATER,
    sizes: Sequence[int] | None = None,
    groups_withheld: Sequence[int] = (),
    withheld: Sequence[int] = (),
    declared: Sequence[Division] = (),
    min_cell: int = 5,
    people: int | None = None,
    **changed: Any,
) -> Poll:
    """Make a vote from the votes of each group on each statement; without groups, `people` took part."""
    n_groups = len(sizes) if sizes is not None else max((len(row) for row in cells), default=0)
    sizes = sizes if sizes is not None else [max((sum(row[g]) for row in cells), default=0) for g in range(n_groups)]
    names = tuple(group_name(number) for number in range(n_groups))
    taken = people if people is not None else sum(sizes) + 7
    rows = []
    for number, row in enumerate(cells):
        total = cell(tuple(sum(votes[kind] for votes in row) for kind in range(3)))  # type: ignore[arg-type]
        own = None if number in (*groups_withheld, *withheld) else tuple(cell(votes) for votes in row[:n_groups])
        rows.append(StatementCounts(number, None if number in withheld else total, (own, *(None for _ in declared))))
    opinion = Division("opinion", "derived", names, tuple(sizes), taken - sum(sizes))
    snapshot = Snapshot(
        source={"layout": "", "name": "vote", "tool": "polis", "topic": "How should our assistant behave? (synthetic)",
                "url": ""},
        licence="CC0-1.0",
        imported_at="2026-03-01",
        identity="census, one vote each",
        agree_sign=1,
        sign_evidence="",
        counts={"participants": taken, "rows_read": 0, "statements": len(rows), "votes": 12_345},
        cleaning=(),
        commitment="00" * 32,
        privacy="auditors",
        generation=0,
        commons="00" * 32,
    )  # fmt: skip
    counts = Counts(min_cell, (opinion, *declared), tuple(rows))
    tally = Tally(
        snapshot=ids[0], methods={}, tallied_at="2026-03-02", min_cell=min_cell, groups=tuple(sizes),
        n_unassigned=taken - sum(sizes), chosen="silhouette", silhouettes_ppm={}, n_statements=len(rows),
        n_withheld=counts.n_withheld,
    )  # fmt: skip
    words = [*texts, *(f"The assistant does the right thing, number {n}." for n in range(len(texts), len(rows)))]
    made = Poll(*ids, snapshot, tally, counts, tuple(Statement(n, text) for n, text in enumerate(words)))
    return replace(made, **changed)


def outcome(articles: Sequence[Article], others: Sequence[NotIncluded] = (), **changed: Any) -> Outcome:
    by = changed.pop("by", Parameters(seats=7))
    made = Outcome("A", "before", by.as_json(), (), tuple(articles), tuple(others), (), (), PROVED)
    return replace(made, **changed)


def other(statement: int, standing: str, lacks: int | None = None, **changed: Any) -> NotIncluded:
    return replace(NotIncluded(statement, standing, (), None, lacks, 12, 88), **changed)


def article(statement: int, block: int | None = 12, **changed: Any) -> Article:
    return replace(Article(statement, "equal-shares", block, 97, 99), **changed)


def governance(**changed: Any) -> Governance:
    floor = (FloorArticle("floor.1", "Nobody is refused an answer because of who they are."),)
    principals = {"library": Principal("library", "Town library", ()), "school": Principal("school", "Our school", ())}
    key = PublicKey("log", bytes(range(32)), 1)
    made = Governance(
        "Example town (synthetic)", False, "log", key, (), 0, None, principals, {}, {}, "auditors", 5, 7,
        "equal-shares", floor, {},
    )  # fmt: skip
    return replace(made, **changed)


def selected(of: Poll, result: Outcome, *, trial: bool = False, rules: Governance | None = None) -> Charter:
    selection = Selection(of.tally_id, RULES, "2026-03-05", trial, result)
    return charter_of_selection(SELECTION, selection, of, rules or governance())


def principle(number: str, text: str, statements: tuple[int, ...] = (0,), **changed: Any) -> Principle:
    made = Principle(number, text, "en", "verbatim", "", statements, "selected", {})
    return replace(made, **changed)


def ratified(
    principles: Sequence[Principle],
    of: Poll,
    result: Outcome,
    earlier: tuple[Poll, Outcome],
    *,
    supersedes: str | None = None,
    rules: Governance | None = None,
    title: str = "What our assistant owes us (synthetic)",
) -> Charter:
    """Make the charter of a constitution; principles have the numbers 0, 1, 2 ... in the vote."""
    numbers: Mapping[str, int] = {each.number: place for place, each in enumerate(principles)}
    made = Constitution(DRAFT, of.tally_id, RULES, title, "2026-04-25", tuple(principles), numbers, result, supersedes)
    selection = Selection(earlier[0].tally_id, RULES, "2026-03-05", False, earlier[1])
    behind = Draft(SELECTION, title, "2026-03-10", tuple(principles)), selection, earlier[0]
    return charter_of_constitution(CONSTITUTION, made, of, behind, rules or governance())


TRANSLATED = {
    "es": "El asistente dice cuándo no está seguro.",
    "ca": "L’assistent diu quan no n’està segur.",
    "eu": "Laguntzaileak esaten du noiz ez dagoen ziur.",
}
DISTRICTS = Division("district", "declared", ("North", "South"), (180, 80), 20)


def deliberation() -> tuple[Poll, Outcome]:
    texts = [
        "The assistant should say so when it is not sure.",
        "Say when you do not know!",
        "It should answer in the language in which it was asked.",
        "Conversations should be deleted after a day.",
        "It should answer in Basque first, unless asked otherwise.",
        "It should never pretend to be a human being.",
        "It may make a joke now and then.",
        "",
        "It should be cheap.",
        "It should be free.",
    ]
    row = [(70, 5, 5), (40, 8, 2)]
    of = poll([row] * len(texts), texts, ids=EARLIER, sizes=[900, 330])
    others = [
        other(1, "eligible", 0),
        other(3, "contested", 34, against=("B",)),
        other(4, "not enough support", 51, against=("A",)),
        other(6, "not enough votes", 7),
        other(7, "moderated out"),
        other(8, "excluded by conflict", None, rival=9),
    ]
    return of, outcome([article(0), article(2), article(5), article(9)], others, put_to_vote=(3,))


def town(**changed: Any) -> Charter:
    """Make the charter of a constitution with a bit of everything."""
    principles = [
        principle("1.1", "The assistant says when it is not sure.", (0, 1), transformation="merged",
                  editor="Working group of the town (synthetic)", translations=TRANSLATED),
        principle("1.2", "It should answer in the language in which it was asked.", (2,)),
        principle("2.1", "Conversations are deleted after a day.", (3,), standing="contested",
                  transformation="reworded", editor="Working group of the town (synthetic)"),
        principle("2.2", "It should answer in Basque first, unless asked otherwise.", (4,), standing="acknowledged",
                  translations={"eu": "Lehenik euskaraz erantzuten du, besterik eskatu ezean."}),
        principle("3.1", "It should never pretend to be a human being.", (5,)),
    ]  # fmt: skip
    votes: list[list[Votes]] = [
        [(150, 6, 4), (81, 9, 10)],
        [(160, 0, 0), (97, 2, 1)],
        [(140, 15, 5), (22, 70, 8)],
        [(40, 100, 20), (75, 15, 10)],
        [(60, 80, 20), (30, 60, 10)],
    ]
    of = poll(
        votes,
        [each.text for each in principles],
        sizes=[160, 100],
        people=280,
        declared=[DISTRICTS],
        dots=tuple(Dot(0.1 * n - 0.6, 0.15 * (n % 4) - 0.3, n % 2, 20) for n in range(13)),
        recounted=True,
    )
    by = Parameters(
        seats=3, roll=1_240, roll_by=(("district", "North", 620), ("district", "South", 610), ("district", "Port", 10))
    )
    result = outcome(
        [article(1), article(0, 40, how="phragmen"), article(2, 9, unopposed=3, against=("B",))],
        [
            other(3, "not enough support", 61, against=("A",)),
            other(4, "not enough support", 105, against=("A", "B")),
        ],
        by=by,
        clauses=(Clause(3, Fraction(6, 5)),),
        certificate=Certificate(4, 1, Fraction(31, 100), (1, 1, 1), 4, Fraction(1, 3)),
        rules_known="before",
    )
    return ratified(principles, of, result, deliberation(), **changed)


def small_town(rule: str = "supermajority") -> Charter:
    """Make a community of 24 people, counted exactly and not grouped."""
    by = Parameters(seats=2, roll=24, small_rule=rule)
    of = poll([[(15, 3, 1)], [(4, 9, 2)], [(1, 0, 0)]], sizes=[], people=19, min_cell=1)
    result = outcome([article(0, 5)], [other(1, "not enough support", 14), other(2, "not enough votes", 11)], by=by)
    return selected(of, result)


def approvals() -> Charter:
    """Make one on ballots that only approve."""
    votes = [(60, 0, 0), (30, 0, 0)], [(12, 0, 0), (8, 0, 0)], [(3, 0, 0), (1, 0, 0)]
    of = poll([list(row) for row in votes], sizes=[80, 50], people=140)
    articles = [article(0, None, unopposed=None), article(1, None, unopposed=None)]
    return selected(of, outcome(articles, [other(2, "not enough votes", 10)], grade="B", rules_known="after"))


def many(n: int = 300) -> Charter:
    standings = ["eligible", "contested", "not enough support", "not enough votes", "blocked", "some other rule"]
    others = [
        other(i, standings[i % 6], i, against=(("B",), ("A", "B"), ())[i % 3] if i % 6 in (1, 2) else ())
        for i in range(1, n)
    ]
    of = poll([[(30 + i % 7, i % 11, 1), (i % 13, 9, 0)] for i in range(n)], sizes=[60, 30], groups_withheld=[5, 11])
    return selected(of, outcome([article(0)], others, put_to_vote=(1, 7)))


def hostile() -> Charter:
    """Make one in which every text from outside tries to be something else."""
    names = Division(HOSTILE, "declared", (HOSTILE,), (30,), 9)
    of = poll([[(30, 2, 1), (9, 1, 0)]] * 3, [HOSTILE] * 3, declared=[names])
    of = replace(of, snapshot=replace(of.snapshot, licence=HOSTILE, identity=HOSTILE))
    principles = [
        principle("1.1", HOSTILE, (0,), transformation="reworded", editor=HOSTILE, translations={"es": HOSTILE}),
        principle("1.2", HOSTILE, (1,)),
        principle("1.3", HOSTILE, (2,)),
    ]
    result = outcome(
        [article(0, how=HOSTILE)],
        [other(1, HOSTILE, 3, against=(HOSTILE,)), other(2, "excluded by conflict", None, rival=1)],
        certificate=replace(PROVED, strongest=1, multipliers=()),
    )
    rules = governance(
        name=HOSTILE,
        demo=True,
        principals={"a": Principal("a", HOSTILE, ())},
        rights_floor=(FloorArticle("f", HOSTILE),),
    )
    return ratified(principles, of, result, (of, result), rules=rules, title=HOSTILE)


def cases() -> dict[str, Charter]:
    """Return every state that must be said in every language."""
    plain = poll([[(30, 2, 1), (9, 1, 0)], [(5, 3, 2), (7, 1, 1)]])
    return {
        "town": town(),
        "demo town": town(rules=governance(demo=True, rights_floor=()), supersedes="ab" * 32),
        "small": small_town(),
        "small by consent": small_town("consent"),
        "approvals": approvals(),
        "300 statements": many(),
        "hostile": hostile(),
        "withheld by group": selected(
            poll([[(30, 2, 1), (9, 1, 0)]] * 2, groups_withheld=[0, 1]),
            outcome([article(0, None)], [other(1, "contested", None)]),
        ),
        "withheld": selected(
            poll([[(30, 2, 1), (9, 1, 0)]] * 2, withheld=[0, 1]), outcome([article(0, None)], [other(1, "contested")])
        ),
        "no groups": selected(
            poll([[(30, 2, 1)], [(5, 3, 2)]], sizes=[], people=33),
            outcome([article(0, 1)], [other(1, "not enough support", 1)], rules_known="after"),
            trial=True,
        ),
        "nothing selected": selected(plain, outcome([], [other(0, "not enough votes", 4)], certificate=None)),
        "nothing ratified": ratified(
            [principle("1.1", "It listens.")],
            plain,
            outcome([], [other(0, "not enough support", 4)], certificate=None),
            deliberation(),
        ),
        "all got in": selected(plain, outcome([article(0, None), article(1)])),
        "all agree": selected(
            poll([[(30, 0, 0), (9, 0, 0)], [(0, 30, 0), (0, 0, 0)]]), outcome([article(0), article(1)])
        ),
        "not proved": selected(
            plain,
            outcome([article(0)], [other(1, "contested", 0, rival=0)],
                    certificate=Certificate(1, 1, Fraction(6, 5), (), 1, Fraction(7, 5))),
        ),
        "no words": selected(
            poll([[(30, 2, 1), (9, 1, 0)]] * 2, ["", ""]),
            outcome([article(0)], [other(1, "blocked", 2, against=("district: North",))]),
        ),
        "no texts, no votes": selected(poll([[(0, 0, 0), (0, 0, 0)]]), outcome([], [other(0, "not enough votes", 10)])),
        "more than the roll": selected(
            poll([[(100, 2, 1)], [(5, 3, 2)]]),
            outcome([article(0)], [other(1, "eligible", 0)], by=Parameters(seats=1, roll=61)),
        ),
    }  # fmt: skip
