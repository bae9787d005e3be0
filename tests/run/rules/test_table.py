"""Reading rules: everything that could be misread is refused, with its place."""

from __future__ import annotations

import tomllib
from random import Random
from typing import cast

import pytest
from hypothesis import given, settings

from auzolan.core.record.canonical import JsonObject, JsonValue
from auzolan.core.record.errors import MalformedError
from auzolan.run.rules.decide import Rulebook
from auzolan.run.rules.facts import Facts, Matched
from auzolan.run.rules.ruleset import Condition, Limits, Rule
from auzolan.run.rules.table import check_articles, read_rules
from tests.run.rules.drawn import CHANCE
from tests.run.rules.tables import judge, rule, table, topic

WRITTEN = """
format = "runtime-policy/v1"
title = "Rules of the library"

[[topics]]
id = "weapons"
words = ["hand grenade"]
patterns = ['\\bgrenades?\\b', 'explo.{0,20}device']
in = ["answer"]

[[rules]]
id = "allow-use"
effect = "allow"
article = "operator"
why = "The service answers."

[[rules]]
id = "no-weapons"
effect = "deny"
article = "2.1"
why = "Weapons are no matter of the library."
when = { topics = ["weapons"], side = "answer", more_than = { tokens = 10 }, named_human = false }
unless = { tools = ["police"] }
release = "hold"

[limits]
answer_tokens = 200
"""


def test_a_written_file_is_read() -> None:
    rules = read_rules(tomllib.loads(WRITTEN))
    wanted = Rule(
        "no-weapons", "deny", "2.1", "Weapons are no matter of the library.",
        Condition(topics=frozenset({"weapons"}), more_tokens=10, named_human=False),
        Condition(tools=frozenset({"police"})), "answer", "hold",
    )  # fmt: skip

    assert wanted == rules.rules[1]
    assert "" == rules.rules[0].article
    assert frozenset({"answer"}) == rules.topics[0].sides
    assert Limits(answer_tokens=200) == rules.limits


def test_a_judge_becomes_two_rules_that_need_the_whole_answer() -> None:
    rules = read_rules(table(judges=[judge("fair", sides=["answer"], on_missing="warn")]))

    assert [
        ("fair", "deny", {"violates:2.1"}, "answer", "full"),
        ("fair:no-verdict", "warn", {"no-verdict:fair"}, "answer", "full"),
    ] == [(each.id, each.effect, set(each.when.labels), each.side, each.release) for each in rules.all_rules[1:]]


def test_no_verdict_denies_where_nothing_else_is_said() -> None:
    rules = read_rules(table(judges=[judge("fair")]))

    assert ["deny", "deny"] == [each.effect for each in rules.all_rules[1:]]


def _only(name: str, *sides: JsonValue) -> JsonObject:
    return topic(name, words=[name]) | {"in": list(sides)}


WEAPONS = topic("weapons")
SPOILT: dict[str, tuple[JsonObject, str]] = {
    "key of the file misspelt": (table(rulez=[]), "unknown key 'rulez'"),
    "other format": (table() | {"format": "runtime-policy/v2"}, "expected format"),
    "no title": ({key: value for key, value in table().items() if key != "title"}, "title"),
    "key of a rule misspelt": (table(rule("x", wehn={})), "rule 'x': unknown key 'wehn'"),
    "key of a condition misspelt": (table(rule("x", when={"topic": ["a"]})), "rule 'x': when: unknown key 'topic'"),
    "key of an exception misspelt": (table(rule("x", unless={"tool": ["a"]})), "rule 'x': unless: unknown key 'tool'"),
    "side in an exception": (table(rule("x", unless={"side": "answer"})), "unknown key 'side'"),
    "key of a bound misspelt": (table(rule("x", when={"more_than": {"token": 1}})), "more_than: unknown key"),
    "empty bound": (table(rule("x", when={"more_than": {}})), "expected characters or tokens"),
    "key of a judge misspelt": (table(judges=[judge("j", onmissing="warn")]), "judge 'j': unknown key 'onmissing'"),
    "key of the limits misspelt": (table(limits={"tokens": 1}), "limits: unknown key 'tokens'"),
    "key of a topic misspelt": (table(topics=[topic("a", word=["a"])]), "unknown key 'word'"),
    "effect unknown": (table(rule("x", "forbid")), "expected one of allow, deny, redact, warn, got 'forbid'"),
    "no article": (table({key: value for key, value in rule("x").items() if key != "article"}), "rule 'x': article"),
    "empty article": (table(rule("x") | {"article": ""}), "rule 'x': article"),
    "no why": (table({key: value for key, value in rule("x").items() if key != "why"}), "rule 'x': why"),
    "why that turns the line round": (table(rule("x") | {"why": "a\u202eb"}), "without invisible characters"),
    "why of two lines": (table(rule("x") | {"why": "a\nb"}), "one line"),
    "why too long": (table(rule("x") | {"why": "a" * 501}), "at most 500"),
    "id with a space": (table(rule("a b")), "lower-case letters"),
    "id of the program": (table(rule(Matched.ERROR)), "kept for what the program itself denies"),
    "id twice": (table(rule("x"), rule("x")), "the id 'x' is given twice"),
    "judge named as a rule": (table(rule("x"), judges=[judge("x")]), "the id 'x' is given twice"),
    "topic twice": (table(rule("x", when={"topics": ["a"]}), topics=[topic("a"), topic("a")]), "given twice"),
    "topic that no rule uses": (table(topics=[WEAPONS]), "topic 'weapons': no rule uses it"),
    "rule on an unknown topic": (table(rule("x", when={"topics": ["weapon"]})), "there is no topic 'weapon'"),
    "exception on an unknown topic": (table(rule("x", "warn", unless={"topics": ["a"]})), "there is no topic 'a'"),
    "topic not looked for there": (
        table(rule("x", when={"topics": ["a"], "side": "answer"}), topics=[_only("a", "request")]),
        "not looked for there",
    ),
    "empty list": (table(rule("x", when={"topics": []})), "expected at least one name"),
    "name twice in a list": (table(rule("x", when={"tools": ["a", "a"]})), "stands in it twice"),
    "personal data misspelt": (table(rule("x", when={"personal": ["ibam"]})), "'ibam' is unknown"),
    "integrity misspelt": (table(rule("x", when={"integrity": ["verifed"]})), "'verifed' is unknown"),
    "state of the log misspelt": (table(rule("x", when={"log_view": ["old"]})), "'old' is unknown"),
    "label of no judge": (table(rule("x", when={"labels": ["violates:2.1"]})), "'violates:2.1' is unknown"),
    "label that no judge gives there": (
        table(rule("x", when={"labels": ["violates:2.1"], "side": "request"}), judges=[judge("j", sides=["answer"])]),
        "no judge says",
    ),
    "language that is none": (table(rule("x", when={"languages": ["Basque!"]})), "languages"),
    "adapter that is no digest": (table(rule("x", when={"adapters": ["mine"]})), "adapters"),
    "named human as a number": (table(rule("x", when={"named_human": 1})), "true or false"),
    "tokens as text": (table(rule("x", when={"more_than": {"tokens": "1000"}})), "expected an integer"),
    "tokens below nothing": (table(rule("x", when={"more_than": {"tokens": -1}})), "at least 0"),
    "limit of nothing": (table(limits={"answer_tokens": 0}), "at least 1"),
    "limit too large": (table(limits={"answer_seconds": 86_401}), "at most 86400"),
    "limit as yes": (table(limits={"answer_tokens": True}), "expected an integer"),
    "exception of nothing": (table(rule("x", unless={})), "or no unless at all"),
    "rule that takes itself away": (table(rule("x", when={"tools": ["a"]}, unless={"tools": ["a"]})), "never match"),
    "rule that a wider exception takes away": (
        table(rule("x", when={"tools": ["a"], "named_human": True}, unless={"tools": ["a", "b"]})), "never match",
    ),
    "redaction of nothing": (table(rule("x", "redact", when={"side": "answer"})), "kinds of personal data"),
    "release of a warning": (table(rule("x", "warn", release="full")), "only what denies answers"),
    "release of requests": (table(rule("x", when={"side": "request"}, release="full")), "only what denies answers"),
    "release misspelt": (table(rule("x", release="stop")), "expected one of hold, cut, full"),
    "judge by no article": (table(judges=[judge("j", article="operator")]), "judges by an article"),
    "judge without cases": (table(judges=[judge("j", violates=[])]), "at least one case"),
    "judge of no side": (table(judges=[judge("j", sides=[])]), "expected \"request\""),
    "topic of nothing": (table(rule("x", when={"topics": ["a"]}), topics=[{"id": "a"}]), "words or patterns"),
    "topic of no side": (
        table(rule("x", when={"topics": ["a"]}), topics=[_only("a")]), "expected \"request\"",
    ),
    "word of nothing": (
        table(rule("x", when={"topics": ["a"]}), topics=[topic("a", words=["\u200b-"])]), "with a letter",
    ),
    "nothing allowed": (table() | {"rules": [rule("x")]}, "no rule with effect = 'allow' is for the request"),
    "no answer allowed": (
        table() | {"rules": [rule("x", "allow", when={"side": "request"})]}, "effect = 'allow' is for the answer",
    ),
    "rules that are no list": (table() | {"rules": {}}, "rules: expected a list"),
    "rule that is text": (table() | {"rules": ["x"]}, "rules, number 1: expected an object"),
}  # fmt: skip


@pytest.mark.parametrize("name", SPOILT)
def test_spoilt_rules_are_refused_with_their_place(name: str) -> None:
    spoilt, message = SPOILT[name]
    with pytest.raises(MalformedError) as refused:
        read_rules(spoilt)

    assert message in str(refused.value)


def _on(pattern: str, release: str = "hold", side: str = "answer", **more: JsonValue) -> JsonObject:
    when: JsonObject = {"topics": ["t"], "side": side, **more}
    extra: JsonObject = {"release": release} if side == "answer" else {}
    return table(rule("x", when=when) | extra, topics=[topic("t", patterns=[pattern]) | {"in": [side]}])


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("bomb(", "RE2 does not compile it: missing )"),
        ("(?=a)b", "RE2 does not compile it"),
        ("(a)\\1", "RE2 does not compile it"),
        ("a\u200bb", "it can never be found"),
        ("ａb", "it can never be found"),
        ("a*", "it matches no characters at all"),
        ("\\b", "it matches no characters at all"),
        ("^ab", "ask for the ends of a text"),
        ("a\\C", "parts of characters"),
        ("\\pL{1,200}", "RE2 does not compile it: pattern too large"),
        ("a" * 1_001, "at most 1000"),
        ("\ud800", "half a character"),
        ("ab+", "can match any number of characters"),
        ("a.*b", "can match any number of characters"),
        ("a.{999}b", "can match 1001 characters"),
    ],
)
def test_patterns_that_cannot_be_kept_are_refused(pattern: str, message: str) -> None:
    with pytest.raises(MalformedError) as refused:
        read_rules(_on(pattern))

    assert message in str(refused.value)


@pytest.mark.parametrize("release", ["cut", "full"])
def test_unbounded_patterns_pass_where_they_are_not_held_back(release: str) -> None:
    read_rules(_on("a.*b", release))
    read_rules(_on("^a.*b$", side="request"))


@pytest.mark.parametrize(
    "when",
    [{"languages": ["eu"]}, {"more_than": {"characters": 60}}, {"labels": ["role-markers"]}],
    ids=lambda when: next(iter(when)),
)
@pytest.mark.parametrize("place", ["when", "unless"])
def test_what_is_known_of_requests_alone_is_refused_in_a_rule_for_answers_alone(place: str, when: JsonObject) -> None:
    other: JsonObject = {"side": "answer", "named_human": False}
    conditions = {"when": other | when} if place == "when" else {"when": other, "unless": when}
    said = (
        rule("x", when=conditions["when"]) | {"release": "full"} | {k: v for k, v in conditions.items() if k != "when"}
    )

    with pytest.raises(MalformedError, match="are of the request"):
        read_rules(table(said))


WHOLE: dict[str, JsonObject] = {
    "language": rule("x", when={"languages": ["eu"]}),
    "exception about the text": rule("x", when={"topics": ["t"]}, unless={"personal": ["iban"]}),
    "exception about its length": rule("x", when={"topics": ["t"]}, unless={"more_than": {"characters": 5}}),
    "verdict of a judge": rule("x", when={"labels": ["violates:2.1"], "named_human": True}),
}


@pytest.mark.parametrize("name", WHOLE)
def test_what_only_the_whole_answer_shows_needs_all_of_it(name: str) -> None:
    used = rule("y", "warn", when={"topics": ["t"]})
    releases: list[JsonObject] = [{}, {"release": "hold"}, {"release": "cut"}]
    for release in releases:
        with pytest.raises(MalformedError, match='write release = "full"'):
            read_rules(table(WHOLE[name] | release, used, topics=[topic("t")], judges=[judge("j")]))
    read_rules(table(WHOLE[name] | {"release": "full"}, used, topics=[topic("t")], judges=[judge("j")]))


@pytest.mark.parametrize("when", [{"topics": ["t"]}, {"personal": ["iban"]}, {"more_than": {"characters": 9}}])
@pytest.mark.parametrize("part", ["when", "unless"])
def test_what_allows_answers_may_not_rest_on_them(part: str, when: JsonObject) -> None:
    used = rule("y", "warn", when={"topics": ["t"]})
    with pytest.raises(MalformedError, match="what allows answers may not rest on what stands in them"):
        read_rules(table(rule("x", "allow", **{part: when}), used, topics=[topic("t")]))


def test_redaction_of_answers_may_not_wait_for_what_comes_later() -> None:
    late = rule("x", "redact", when={"personal": ["iban"], "topics": ["t"]})
    with pytest.raises(MalformedError, match="wherever it stands"):
        read_rules(table(late, topics=[topic("t")]))


def test_too_much_is_refused_before_it_is_read() -> None:
    many = [rule(f"r{place}") for place in range(1_000)]
    with pytest.raises(MalformedError, match="rules: 1001 of them, at most 1000"):
        read_rules(table(*many))
    words: list[JsonValue] = [f"w{place}" for place in range(20_001)]
    with pytest.raises(MalformedError, match="at most 20000"):
        read_rules(table(rule("x", when={"topics": ["t"]}), topics=[topic("t", words=words)]))
    long: list[JsonValue] = [f"{place:0100d}" for place in range(10_001)]
    with pytest.raises(MalformedError, match="of 1000100 characters"):
        read_rules(table(rule("x", when={"topics": ["t"]}), topics=[topic("t", words=long)]))
    with pytest.raises(MalformedError, match="20001 words and patterns"):
        read_rules(
            table(
                rule("x", when={"topics": ["t", "u"]}),
                topics=[topic("t", words=words[:20_000]), topic("u", words=["one more"])],
            )
        )


VALUES: list[JsonValue] = [
    None, True, 0, -1, 2**60, "", "x", "allow", "\ud800", "\x00", [], [[]], [1], ["x"], {}, {"x": 1}, {"id": "x"},
]  # fmt: skip


def _spoil(value: JsonValue, chance: Random) -> JsonValue:
    """Return a value with one thing in it exchanged, left out, or added."""
    if isinstance(value, dict) and value and chance.random() < 0.9:
        key = chance.choice(sorted(value))
        if chance.random() < 0.1:
            return {name: item for name, item in value.items() if name != key}
        return value | {chance.choice([key, key, key, key, "x"]): _spoil(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.9:
        place = chance.randrange(len(value))
        return [*value[:place], _spoil(value[place], chance), *value[place + chance.choice([0, 1, 1, 1]) :]]
    return chance.choice(VALUES)


@settings(max_examples=500)
@given(CHANCE)
def test_only_one_kind_of_error_escapes_from_spoilt_tables(chance: Random) -> None:
    spoilt: JsonValue = tomllib.loads(WRITTEN) | {"judges": [judge("fair", sides=["answer"])]}
    for _ in range(chance.randint(1, 3)):
        spoilt = _spoil(spoilt, chance)
    try:
        rules = read_rules(cast(JsonObject, spoilt))
    except MalformedError:
        return

    assert "error" not in {each.rule for each in Rulebook(rules).decide(Facts("answer")).matched}


def test_articles_that_do_not_exist_are_refused() -> None:
    rules = read_rules(table(rule("x") | {"article": "floor.1"}, rule("own") | {"article": "operator"}))
    check_articles(rules, {"2.1", "floor.1"})
    with pytest.raises(MalformedError, match=r"rule 'x': neither the constitution nor .* an article 'floor.1'"):
        check_articles(rules, {"2.1"})
    judged = read_rules(table(judges=[judge("j", article="3.1")]))
    with pytest.raises(MalformedError, match=r"judge 'j': .* '3.1'; they have 2.1"):
        check_articles(judged, {"2.1"})
