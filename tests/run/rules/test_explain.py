"""Explanations: what decided, what lost, and the smallest changes that would turn it."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given, settings

from auzolan.run.rules.changes import edits_of, possible
from auzolan.run.rules.decide import Rulebook
from auzolan.run.rules.explain import MAX_CHANGES, explain, explanation_lines
from auzolan.run.rules.facts import Facts, Topic
from auzolan.run.rules.ruleset import Condition, Judge, Limits, Rule, Rules
from tests.run.rules.drawn import FACTS, RULES
from tests.run.rules.tables import ALLOW_RULE

BOTH = frozenset({"request", "answer"})
TOPICS = (Topic("benefits", ("b",), (), BOTH), Topic("only-answers", ("o",), (), frozenset({"answer"})))
ALL_TOPICS = Condition(topics=frozenset({"benefits"}))
DENIAL = Rule("no", "deny", "2.1", "A person decides.", replace(ALL_TOPICS, named_human=False))


def _book(*rules: Rule, judges: tuple[Judge, ...] = (), limits: Limits | None = None) -> Rulebook:
    return Rulebook(Rules("Test", TOPICS, rules, judges, limits or Limits()))


def _words(book: Rulebook, facts: Facts) -> list[tuple[str, ...]]:
    return [change.words for change in explain(book, facts).changes]


def test_a_denial_is_explained_with_what_lost_and_what_would_turn_it() -> None:
    note = Rule("note", "warn", "", "Noted.", Condition())
    facts = Facts("request", frozenset({"benefits"}))
    explanation = explain(_book(ALLOW_RULE, DENIAL, note), facts)

    assert (
        "Denied by rule 'no' (article 2.1): A person decides.",
        "Outweighed: allowed by rule 'allow-use' (article 2.1): Because.",
        "Warned of by rule 'note' (the operator's own, nobody voted on it): Noted.",
        "It would be allowed without the topic 'benefits'.",
        "It would be allowed if a person who is responsible were named.",
    ) == explanation_lines(explanation)


def test_what_is_allowed_is_explained_too() -> None:
    lines = explanation_lines(explain(_book(ALLOW_RULE, DENIAL), Facts("request", named_human=True)))

    assert (
        "Allowed by rule 'allow-use' (article 2.1): Because.",
        "It would be denied if no person who is responsible were named and with the topic 'benefits'.",
    ) == lines


def test_two_facts_are_changed_only_where_no_one_is_enough() -> None:
    other = Rule("old", "deny", "2.1", "Old.", Condition(log_view=frozenset({"stale", "unwitnessed"})))
    facts = Facts("request", frozenset({"benefits"}), log_view="stale")

    assert [
        ("without the topic 'benefits'", "if the copy of the community's log were up to date"),
        ("if a person who is responsible were named", "if the copy of the community's log were up to date"),
    ] == _words(_book(ALLOW_RULE, DENIAL, other), facts)


def test_where_two_facts_are_not_enough_nothing_is_proposed() -> None:
    rules = [
        Rule(f"no-{kind}", "deny", "2.1", "No.", Condition(personal=frozenset({kind})))
        for kind in ("iban", "card", "dni")
    ]
    lines = explanation_lines(
        explain(_book(ALLOW_RULE, *rules), Facts("request", personal=frozenset({"iban", "card", "dni"})))
    )

    assert "No change of one or two facts is known after which it would be allowed." == lines[-1]


def test_a_rule_for_all_and_always_cannot_be_turned() -> None:
    assert [] == _words(_book(ALLOW_RULE, Rule("stop", "deny", "2.1", "Stop.", Condition())), Facts("request"))


def test_what_the_service_does_not_declare_can_be_left_out() -> None:
    facts = Facts("request", undeclared=frozenset({"tool:shell", "tool:mail"}))

    assert [("if it asked only for what the service declares",)] == _words(_book(ALLOW_RULE), facts)


def test_lengths_are_changed_to_the_bound() -> None:
    rule = Rule("long", "deny", "2.1", "Too long.", Condition(more_characters=10, more_tokens=5))
    changes = explain(_book(ALLOW_RULE, rule), Facts("request", characters=50, tokens=6)).changes

    assert [("with at most 10 characters",), ("with at most 5 tokens for the answer",)] == [c.words for c in changes]
    assert [(10, 6), (50, 5)] == [(change.facts.characters, change.facts.tokens) for change in changes]


@pytest.mark.parametrize("side", ["request", "answer"])
def test_no_longer_answer_than_can_be_is_proposed(side: str) -> None:
    rule = Rule("long", "deny", "2.1", "Too long.", Condition(more_tokens=5))

    assert [] == _words(_book(ALLOW_RULE, rule, limits=Limits(answer_tokens=5)), Facts(side))
    assert [("with more than 5 tokens for the answer",)] == _words(_book(ALLOW_RULE, rule), Facts(side))


def test_no_topic_turns_up_where_it_is_not_looked_for() -> None:
    rule = Rule("no", "deny", "2.1", "No.", Condition(topics=frozenset({"benefits", "only-answers"})))

    assert [("with the topic 'benefits'",)] == _words(_book(ALLOW_RULE, rule), Facts("request"))
    assert 2 == len(_words(_book(ALLOW_RULE, rule), Facts("answer")))


def test_a_judge_finds_nothing_without_a_verdict() -> None:
    judge = Judge("j", "2.1", "deny", "Why.", "Judge.", "", ("bad",), (), frozenset({"answer"}), "warn")
    book = _book(ALLOW_RULE, judges=(judge,))

    assert [("if a judge found something against article 2.1",)] == _words(book, Facts("answer"))
    assert [("if the judge 'j' gave a verdict", "if a judge found something against article 2.1")] == _words(
        book, Facts("answer", labels=frozenset({"no-verdict:j"}))
    )
    assert [("if a judge found nothing against article 2.1",)] == _words(
        book, Facts("answer", labels=frozenset({"violates:2.1"}))
    )
    assert [] == _words(book, Facts("request"))


def test_all_other_facts_are_changed_too() -> None:
    digest = "a" * 64
    rules = (
        Rule("a", "deny", "2.1", "No.", Condition(integrity=frozenset({"unverified"}))),
        Rule("b", "warn", "2.1", "No.", Condition(tools=frozenset({"mail"}), labels=frozenset({"role-markers"}))),
        Rule("c", "warn", "2.1", "No.", Condition(adapters=frozenset({digest}), languages=frozenset({"eu"}))),
    )
    facts = Facts(
        "request", labels=frozenset({"role-markers"}), adapters=frozenset({digest}), tools=frozenset({"mail", "x"})
    )
    words = [edit.words for edit in edits_of(_book(ALLOW_RULE, *rules).rules, facts)]

    assert [
        "without words that pass for the program's own ('role-markers')",
        "without the tool 'mail'",
        "if the model answered without its adapters",
        "if the files of the model had been verified here",
        "if the backend had only claimed which files it loaded",
        "if it were in eu",
        "if it were in a language that no rule names",
    ] == words


def test_what_went_wrong_cannot_be_turned_by_facts() -> None:
    explanation = explain(_book(ALLOW_RULE), Facts("request", integrity="verifed"))

    assert "error" == explanation.decided_by[0].rule
    assert () == explanation.changes
    assert explanation_lines(explanation)[0].startswith("Denied by the program itself: ")


def test_long_lists_of_changes_are_counted() -> None:
    topics = tuple(Topic(f"t{place}", ("t",), (), BOTH) for place in range(300))
    rule = Rule("no", "deny", "2.1", "No.", Condition(topics=frozenset(topic.id for topic in topics)))
    explanation = explain(Rulebook(Rules("Test", topics, (ALLOW_RULE, rule))), Facts("request"))

    assert (MAX_CHANGES, 280) == (len(explanation.changes), explanation.more)
    assert "There are 280 more such changes." == explanation_lines(explanation)[-1]


@settings(max_examples=150)
@given(RULES, FACTS)
def test_every_proposed_change_turns_the_decision_and_is_smallest(rules: Rules, facts: Facts) -> None:
    book = Rulebook(rules)
    explanation = explain(book, facts)

    assert book.decide(facts) == explanation.decision
    for change in explanation.changes:
        changed = [f.name for f in fields(Facts) if getattr(facts, f.name) != getattr(change.facts, f.name)]

        assert book.decide(change.facts).denied != explanation.decision.denied
        assert "error" not in {each.rule for each in book.decide(change.facts).matched}
        assert possible(rules, change.facts)
        assert 1 <= len(changed) <= len(change.words) <= 2
        assert "side" not in changed
    if explanation.changes and len(explanation.changes[0].words) == 2:
        singles = [edit.apply(facts) for edit in edits_of(rules, facts)]

        assert all(
            book.decide(single).denied == explanation.decision.denied for single in singles if possible(rules, single)
        )
