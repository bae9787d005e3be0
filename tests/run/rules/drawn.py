"""Rules and facts by chance, from few names, so that they meet.

Each is made from one seed: thousands of them in the time that a drawn structure of as many parts would take.
"""

from __future__ import annotations

from random import Random

from hypothesis import strategies as st

import tests.strategies  # noqa: F401  the same examples in every run
from auzolan.run.rules.facts import Facts, Topic
from auzolan.run.rules.ruleset import INTEGRITY, LOG_VIEWS, SIDES, Condition, Judge, Rule, Rules

TOPICS = ("t1", "t2", "t3")
PERSONAL = ("iban", "card")
LABELS = ("role-markers", "violates:2.1", "no-verdict:j")
TOOLS = ("shell", "mail")
ADAPTERS = ("a" * 64, "b" * 64)
JUDGE = Judge("j", "2.1", "deny", "Why.", "Judge.", "", ("bad",), (), frozenset(SIDES), "deny")


def some(chance: Random, names: tuple[str, ...]) -> frozenset[str]:
    """Return any set of names."""
    return frozenset(name for name in names if chance.random() < 0.4)


def _few(chance: Random, names: tuple[str, ...]) -> frozenset[str]:
    return some(chance, names) if chance.random() < 0.25 else frozenset()


def _condition(chance: Random) -> Condition:
    return Condition(
        topics=_few(chance, TOPICS),
        personal=_few(chance, PERSONAL),
        labels=_few(chance, LABELS),
        languages=_few(chance, ("eu", "es", "es-MX")),
        integrity=_few(chance, INTEGRITY),
        tools=_few(chance, TOOLS),
        adapters=_few(chance, ADAPTERS),
        log_view=_few(chance, LOG_VIEWS),
        named_human=chance.choice([None, None, None, True, False]),
        more_characters=chance.choice([None, None, None, 0, 2]),
        more_tokens=chance.choice([None, None, None, 0, 2]),
    )


def a_rule(chance: Random, name: str, effects: tuple[str, ...]) -> Rule:
    """Return a rule of this name."""
    unless = _condition(chance) if chance.random() < 0.4 else None
    return Rule(
        id=name,
        effect=chance.choice(effects),
        article="2.1",
        why="Because.",
        when=_condition(chance),
        unless=None if unless == Condition() else unless,
        side=chance.choice(["", "", *SIDES]),
        release=chance.choice(["hold", "cut", "full"]),
    )


def _rules(seed: int) -> Rules:
    chance = Random(seed)
    effects = ("allow", "allow", "deny", "redact", "warn")
    rules = tuple(a_rule(chance, f"r{place}", effects) for place in range(chance.randint(0, 7)))
    topics = tuple(Topic(name, (name,), (), frozenset(SIDES)) for name in TOPICS)
    return Rules("Drawn", topics, rules, chance.choice([(), (JUDGE,)]))


def _facts(seed: int) -> Facts:
    chance = Random(seed)
    return Facts(
        side=chance.choice(SIDES),
        topics=some(chance, TOPICS),
        personal=some(chance, PERSONAL),
        labels=some(chance, LABELS),
        language=chance.choice(["", "eu", "ES", "es-MX", "es-MX-x", "ca", "e"]),
        adapters=some(chance, ADAPTERS),
        integrity=chance.choice(INTEGRITY),
        tools=some(chance, TOOLS),
        undeclared=some(chance, ("tool:shell",)) if chance.random() < 0.3 else frozenset(),
        log_view=chance.choice(LOG_VIEWS),
        named_human=chance.random() < 0.5,
        characters=chance.randint(0, 4),
        tokens=chance.randint(0, 4),
    )


SEEDS = st.integers(0, 2**32 - 1)
RULES = SEEDS.map(_rules)
FACTS = SEEDS.map(_facts)
CHANCE = SEEDS.map(Random)
