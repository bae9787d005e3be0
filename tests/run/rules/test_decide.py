"""Decisions: deny by default, denials outweigh, errors deny, and the order of rules makes no difference."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings

from auzolan.core.record.errors import MalformedError
from auzolan.run.rules.decide import NOTHING_ALLOWS, UNDECLARED, Rulebook, Watch
from auzolan.run.rules.facts import Facts, Matched, Topic
from auzolan.run.rules.release import check_releases
from auzolan.run.rules.ruleset import Condition, Rule, Rules
from tests.run.rules.drawn import CHANCE, FACTS, RULES, TOPICS, a_rule, some
from tests.run.rules.naive import denied, matching
from tests.run.rules.tables import ALLOW_RULE

TOPIC = Topic("t", ("t",), (), frozenset({"request", "answer"}))
T = Condition(topics=frozenset({"t"}))


def _book(*rules: Rule) -> Rulebook:
    return Rulebook(Rules("Test", (TOPIC,), rules))


def _deny(name: str = "no", **more: object) -> Rule:
    return replace(Rule(name, "deny", "2.1", "Why.", T), **more)  # type: ignore[arg-type]


def test_what_no_rule_allows_is_denied() -> None:
    decision = _book(replace(ALLOW_RULE, when=T)).decide(Facts("request"))

    assert decision.denied
    assert (NOTHING_ALLOWS,) == decision.matched


def test_one_denial_outweighs_all_that_allow_and_all_are_told() -> None:
    rules = (ALLOW_RULE, replace(ALLOW_RULE, id="also"), Rule("note", "warn", "", "Why.", T), _deny())
    decision = _book(*rules).decide(Facts("request", frozenset({"t"})))

    assert decision.denied
    assert ["no", "allow-use", "also", "note"] == [each.rule for each in decision.matched]


def test_what_the_service_does_not_declare_is_denied() -> None:
    decision = _book(ALLOW_RULE).decide(Facts("request", undeclared=frozenset({"tool:shell"})))

    assert decision.denied
    assert UNDECLARED == decision.matched[0]
    assert "shell" not in decision.matched[0].why


def test_the_strictest_release_is_taken() -> None:
    rules = (ALLOW_RULE, _deny("a", release="cut"), _deny("b", release="full"), _deny("c"))

    assert "full" == _book(*rules).decide(Facts("answer", frozenset({"t"}))).release
    assert "hold" == _book(rules[0], rules[1], rules[3]).decide(Facts("answer", frozenset({"t"}))).release
    assert "cut" == _book(*rules[:2]).decide(Facts("answer", frozenset({"t"}))).release


def test_kinds_to_blot_out_are_gathered_even_where_it_is_denied() -> None:
    redact = Rule("r", "redact", "2.1", "Why.", Condition(personal=frozenset({"iban", "card"})))
    facts = Facts("answer", frozenset({"t"}), frozenset({"iban"}))

    assert frozenset({"iban", "card"}) == _book(ALLOW_RULE, redact, _deny()).decide(facts).redacts
    assert frozenset({"iban", "card"}) == _book(ALLOW_RULE, redact).decide(facts).redacts


@pytest.mark.parametrize(
    "broken",
    [
        Facts("reply"),
        Facts("request", topics=frozenset({"unknown"})),
        Facts("request", topics="t"),  # type: ignore[arg-type]
        Facts("request", topics={"t"}),  # type: ignore[arg-type]
        Facts("request", personal=None),  # type: ignore[arg-type]
        Facts("request", undeclared=()),  # type: ignore[arg-type]
        Facts("request", integrity="verifed"),
        Facts("request", log_view=""),
        Facts("request", named_human="yes"),  # type: ignore[arg-type]
        Facts("request", named_human=1),  # type: ignore[arg-type]
        Facts("request", characters=None),  # type: ignore[arg-type]
        Facts("request", tokens=1.5),  # type: ignore[arg-type]
        Facts("request", language=None),  # type: ignore[arg-type]
        Facts([]),  # type: ignore[arg-type]
        None,
        "facts",
    ],
)
def test_facts_that_are_none_deny(broken: Facts) -> None:
    decision = _book(ALLOW_RULE).decide(broken)

    assert decision.denied
    assert [Matched.ERROR] == [each.rule for each in decision.matched]
    assert "full" == decision.release


def test_a_rule_that_breaks_denies() -> None:
    class Broken(frozenset[str]):
        def isdisjoint(self, other: object) -> bool:
            raise RuntimeError("broken")

    rule = Rule("x", "warn", "2.1", "Why.", Condition(tools=Broken({"a"})))
    decision = _book(ALLOW_RULE, rule).decide(Facts("request"))

    assert decision.denied
    assert [Matched.ERROR] == [each.rule for each in decision.matched]


@settings(max_examples=400)
@given(RULES, FACTS)
def test_decisions_are_those_of_a_naive_reading(rules: Rules, facts: Facts) -> None:
    decision = Rulebook(rules).decide(facts)
    own = {Matched.NOTHING_ALLOWS, Matched.UNDECLARED}

    assert denied(rules, facts) == decision.denied
    assert sorted(matching(rules, facts)) == sorted({each.rule for each in decision.matched} - own)


@settings(max_examples=400)
@given(RULES, FACTS, CHANCE)
def test_the_order_of_rules_makes_no_difference(rules: Rules, facts: Facts, chance: Random) -> None:
    shuffled = list(rules.rules)
    chance.shuffle(shuffled)
    one = Rulebook(rules).decide(facts)
    other = Rulebook(replace(rules, rules=tuple(shuffled))).decide(facts)

    assert (one.denied, one.redacts, one.release) == (other.denied, other.redacts, other.release)
    assert set(one.matched) == set(other.matched)


@settings(max_examples=400)
@given(RULES, FACTS, CHANCE)
def test_no_more_is_allowed_by_another_rule_that_does_not_allow(rules: Rules, facts: Facts, chance: Random) -> None:
    more = a_rule(chance, "more", ("deny", "redact", "warn"))
    before = Rulebook(rules).decide(facts)
    after = Rulebook(replace(rules, rules=(*rules.rules, more))).decide(facts)

    assert after.denied or not before.denied
    assert before.redacts <= after.redacts


@settings(max_examples=400)
@given(RULES, FACTS)
def test_leaving_out_a_rule_that_allows_never_allows(rules: Rules, facts: Facts) -> None:
    before = Rulebook(rules).decide(facts)
    fewer = tuple(rule for rule in rules.rules if rule.effect != "allow")

    assert Rulebook(replace(rules, rules=fewer)).decide(facts).denied
    assert {each.rule for each in before.matched if each.effect == "deny"} - {Matched.NOTHING_ALLOWS} <= {
        each.rule for each in Rulebook(replace(rules, rules=fewer)).decide(facts).matched
    }


@settings(max_examples=400)
@given(RULES, FACTS, CHANCE)
def test_finding_more_denies_more_where_nothing_rests_on_absence(rules: Rules, facts: Facts, chance: Random) -> None:
    """Without exceptions and with rules that allow whatever is found, another topic never turns denied to allowed."""
    plain = tuple(
        replace(rule, unless=None, when=replace(rule.when, topics=frozenset()) if rule.effect == "allow" else rule.when)
        for rule in rules.rules
    )
    book = Rulebook(replace(rules, rules=plain))
    before, after = book.decide(facts), book.decide(replace(facts, topics=facts.topics | some(chance, TOPICS)))

    assert after.denied or not before.denied


def test_release_is_known_before_the_answer() -> None:
    book = _book(
        ALLOW_RULE,
        _deny("always"),
        _deny("unverified", when=Condition(integrity=frozenset({"unverified"})), release="full"),
        _deny("named", release="full", unless=Condition(named_human=True)),
    )
    open_to_all = Facts("answer", integrity="verified", named_human=True)

    assert Watch("hold", frozenset({"t"}), frozenset()) == book.watch(open_to_all)
    assert "full" == book.watch(replace(open_to_all, named_human=False)).release
    assert "full" == book.watch(replace(open_to_all, integrity="unverified")).release


def test_nothing_is_held_back_where_no_rule_can_stop_an_answer() -> None:
    assert Watch("cut", frozenset(), frozenset()) == _book(ALLOW_RULE, _deny(side="request")).watch(Facts("answer"))
    assert Watch("cut", frozenset(), frozenset()) == _book(ALLOW_RULE, _deny(release="cut")).watch(Facts("answer"))


def test_all_is_held_back_where_that_cannot_be_told() -> None:
    book = _book(ALLOW_RULE, _deny(when=Condition(tools=frozenset({"a"}))))

    assert "full" == book.watch(None).release  # type: ignore[arg-type]


@settings(max_examples=400)
@given(RULES, FACTS, FACTS)
def test_whatever_denies_an_answer_was_watched_for(rules: Rules, facts: Facts, later: Facts) -> None:
    """What is found in the answer is not known before; all else is."""
    book, strictness = Rulebook(rules), ("cut", "hold", "full")
    known = replace(facts, side="answer", topics=frozenset(), personal=frozenset(), labels=frozenset(), characters=0)
    found = replace(
        known, topics=later.topics, personal=later.personal, labels=later.labels, language=later.language,
        characters=later.characters,
    )  # fmt: skip
    watch, decision = book.watch(known), book.decide(found)
    stopping = [
        each
        for each in decision.matched
        if each.effect == "deny" and each.rule not in ("undeclared", "nothing-allows-it")
    ]

    assert all(strictness.index(each.release) <= strictness.index(watch.release) for each in stopping)
    assert decision.redacts <= watch.personal


def _kept(rules: Rules) -> Rules:
    """Return those of some rules that a file could have."""
    kept = []
    for rule in rules.rules:
        try:
            check_releases(replace(rules, rules=(rule,), judges=()))
        except MalformedError:
            continue
        kept.append(rule)
    return replace(rules, rules=tuple(kept))


@settings(max_examples=400)
@given(RULES, FACTS, CHANCE)
def test_what_stops_an_answer_half_way_stops_the_whole_of_it(rules: Rules, facts: Facts, chance: Random) -> None:
    """So that a streamed answer and an unstreamed one are judged alike: what was found only grows."""
    book = Rulebook(_kept(rules))
    half = replace(facts, side="answer", labels=facts.labels & {"role-markers"}, language="")
    whole = replace(
        half,
        topics=half.topics | some(chance, TOPICS),
        personal=half.personal | some(chance, ("iban", "card")),
        labels=half.labels | some(chance, ("role-markers", "violates:2.1", "no-verdict:j")),
        language=facts.language,
        characters=half.characters + chance.randint(0, 3),
    )
    early = [each for each in book.decide(half).matched if each.effect == "deny" and each.release != "full"]
    late = book.decide(whole)

    assert {each.rule for each in early} <= {each.rule for each in late.matched}
    assert book.decide(half).redacts <= late.redacts
    assert (NOTHING_ALLOWS in book.decide(half).matched) == (NOTHING_ALLOWS in late.matched)
