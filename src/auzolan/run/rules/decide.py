"""The decision: facts in, what the rules say out. It never raises, and whatever goes wrong is a denial.

What no rule allows is denied; what the service does not declare is denied;
one denial outweighs all that allow (deny overrides, as in XACML and Cedar, but
a rule that cannot be applied denies instead of being passed over). The order of
the rules makes no difference. Every rule that matched is returned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from auzolan.run.rules.facts import ALLOW, ANSWER, CUT, DENY, FULL, HOLD, REDACT, Decision, Facts, Matched
from auzolan.run.rules.ruleset import INTEGRITY, LOG_VIEWS, SIDES, Condition, Rule, Rules

Test = Callable[[Facts], bool]
_INTEGRITY, _LOG_VIEWS = frozenset(INTEGRITY), frozenset(LOG_VIEWS)
MAX_WATCHES = 1_000
_STRICTNESS = {CUT: 0, HOLD: 1, FULL: 2}
NOTHING_ALLOWS = Matched(Matched.NOTHING_ALLOWS, DENY, "", "No rule allows it.", FULL)
UNDECLARED = Matched(Matched.UNDECLARED, DENY, "", "It asks for something that this service does not declare.", FULL)
ERROR = Matched(Matched.ERROR, DENY, "", "The rules could not be applied, so nothing was allowed.", FULL)
_DENIED_BY_ERROR = Decision(True, (ERROR,), release=FULL)


class Watch(NamedTuple):
    """How an answer must be released, known before it begins.

    Attributes:
        release: the strictest way among the rules that may still stop it; "cut" where there is none.
        topics: those that must not get out; so many characters are held back as the longest match of any of them.
        personal: kinds of personal data that must not get out.
    """

    release: str
    topics: frozenset[str]
    personal: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A rule made ready: its place among what matched, and what it tests besides the fact that it is found by."""

    place: int
    matched: Matched
    tests: tuple[Test, ...]
    unless: tuple[Test, ...]

    def holds(self, facts: Facts) -> bool:
        for test in self.tests:
            if not test(facts):
                return False
        if not self.unless:
            return True
        return not all(test(facts) for test in self.unless)


@dataclass(frozen=True, slots=True)
class _Plan:
    """The rules for one side, by the one fact that each cannot match without."""

    always: tuple[_Compiled, ...]
    by_topic: Mapping[str, tuple[_Compiled, ...]]
    by_personal: Mapping[str, tuple[_Compiled, ...]]
    by_label: Mapping[str, tuple[_Compiled, ...]]


class Rulebook:
    """Rules made ready for many decisions; never changed afterwards, so threads may share it."""

    def __init__(self, rules: Rules) -> None:
        """Compile rules that `read_rules` has read."""
        self.rules = rules
        ranked = sorted(rules.all_rules, key=lambda rule: rule.effect != DENY)
        self._topics = frozenset(rules.sides_of)
        self._plans = {side: _plan(ranked, side) for side in SIDES}
        stopping = [rule for rule in ranked if rule.effect in (DENY, REDACT) and rules.can_match(rule, ANSWER)]
        tests = [(rule, _before(rule.when), _exception_before(rule)) for rule in stopping]
        self._watched = self._watch([rule for rule, when, unless in tests if not when and not unless])
        self._maybe_watched = [each for each in tests if each[1] or each[2]]
        self._watches: dict[tuple[object, ...], Watch] = {}  # most requests are alike in what this rests on

    def decide(self, facts: Facts) -> Decision:
        """Return what the rules say about some facts; a denial where they cannot be applied."""
        try:
            return self._decide(facts)
        except Exception:  # whatever it is, nothing may be allowed by it
            return _DENIED_BY_ERROR

    def watch(self, facts: Facts) -> Watch:
        """Return how the answer to a request must be released.

        Args:
            facts: what is known before the answer begins: adapters, integrity, tools, log_view, named_human, tokens.
        """
        try:
            key = (facts.adapters, facts.integrity, facts.tools, facts.log_view, facts.named_human, facts.tokens)
            known = self._watches.get(key)
        except Exception:  # as strictly as can be
            return Watch(FULL, self._topics, frozenset())
        if known is None:
            known = self._watch_for(facts)
            if len(self._watches) < MAX_WATCHES:
                self._watches[key] = known
        return known

    def _watch_for(self, facts: Facts) -> Watch:
        try:
            rules = [
                rule
                for rule, when, unless in self._maybe_watched
                if all(test(facts) for test in when) and not (unless and all(test(facts) for test in unless))
            ]
        except Exception:  # as strictly as can be
            return Watch(FULL, self._topics, frozenset())
        if not rules:
            return self._watched
        more = self._watch(rules)
        release = max(self._watched.release, more.release, key=_STRICTNESS.__getitem__)
        return Watch(release, self._watched.topics | more.topics, self._watched.personal | more.personal)

    def _watch(self, rules: Iterable[Rule]) -> Watch:
        release, topics, personal = CUT, frozenset[str](), frozenset[str]()
        for rule in rules:
            asked = rule.release if rule.effect == DENY else HOLD
            release = max(release, asked, key=_STRICTNESS.__getitem__)
            if asked != CUT:
                topics |= self.rules.topics_of(rule, ANSWER)
                personal |= rule.when.personal
        return Watch(release, topics, personal)

    def _decide(self, facts: Facts) -> Decision:
        _check(facts, self._topics)
        plan = self._plans[facts.side]
        found = {rule.place: rule.matched for rule in plan.always if rule.holds(facts)}
        for names, rules in (
            (facts.topics, plan.by_topic), (facts.personal, plan.by_personal), (facts.labels, plan.by_label),
        ):  # fmt: skip
            for name in names:
                for rule in rules.get(name, ()):
                    if rule.holds(facts):
                        found[rule.place] = rule.matched
        matched = tuple([found[place] for place in sorted(found)])
        effects = {each.effect for each in matched}
        program = (UNDECLARED,) if facts.undeclared else ()
        if ALLOW not in effects:
            program = (NOTHING_ALLOWS, *program)
        if not program and DENY not in effects:
            if REDACT not in effects:
                return Decision(False, matched)
            return Decision(False, matched, _redacts(matched))
        matched = program + matched
        denials = [each.release for each in matched if each.effect == DENY]
        return Decision(True, matched, _redacts(matched), max(denials, key=_STRICTNESS.__getitem__))


def _redacts(matched: tuple[Matched, ...]) -> frozenset[str]:
    return frozenset().union(*(each.redacts for each in matched))


def _check(facts: Facts, topics: frozenset[str]) -> None:
    """Refuse facts that no rule could be written for: one who passes over them would allow too much."""
    sets = (facts.topics, facts.personal, facts.labels, facts.adapters, facts.tools, facts.undeclared)
    if {*map(type, sets)} != {frozenset}:
        raise TypeError("facts with something else than sets")
    if facts.integrity not in _INTEGRITY or facts.log_view not in _LOG_VIEWS or not facts.topics <= topics:
        raise ValueError("facts that the rules do not know")
    if type(facts.named_human) is not bool or type(facts.characters) is not int or type(facts.tokens) is not int:
        raise TypeError("facts of another type")
    if type(facts.language) is not str:
        raise TypeError("a language that is no text")


def _plan(ranked: list[Rule], side: str) -> _Plan:
    always: list[_Compiled] = []
    by: dict[str, dict[str, list[_Compiled]]] = {"topics": {}, "personal": {}, "labels": {}}
    for place, rule in enumerate(ranked):
        if side not in rule.sides:
            continue
        key = next((key for key in by if getattr(rule.when, key)), "")
        matched = Matched(rule.id, rule.effect, rule.article, rule.why, rule.release, rule.redacts)
        unless = tuple(_tests(rule.unless).values()) if rule.unless else ()
        tests = tuple(test for name, test in _tests(rule.when).items() if name != key)
        compiled = _Compiled(place, matched, tests, unless)
        for name in getattr(rule.when, key) if key else ():
            by[key].setdefault(name, []).append(compiled)
        if not key:
            always.append(compiled)
    fixed = [{name: tuple(rules) for name, rules in by[key].items()} for key in by]
    return _Plan(tuple(always), *fixed)


def _tests(condition: Condition) -> dict[str, Test]:
    """Return one test for each part of a condition that is set."""
    tests: dict[str, Test] = {}
    for name in ("topics", "personal", "labels", "tools", "adapters"):
        if getattr(condition, name):
            tests[name] = _any_of(name, getattr(condition, name))
    for name in ("integrity", "log_view"):
        if getattr(condition, name):
            tests[name] = _one_of(name, getattr(condition, name))
    if condition.languages:
        tests["languages"] = _in_language(condition.languages)
    if condition.named_human is not None:
        tests["named_human"] = _named(condition.named_human)
    for name, bound in (("characters", condition.more_characters), ("tokens", condition.more_tokens)):
        if bound is not None:
            tests[name] = _more_than(name, bound)
    return tests


def _any_of(name: str, wanted: frozenset[str]) -> Test:
    return lambda facts: not wanted.isdisjoint(getattr(facts, name))


def _one_of(name: str, wanted: frozenset[str]) -> Test:
    return lambda facts: getattr(facts, name) in wanted


def _in_language(wanted: frozenset[str]) -> Test:
    """Basic filtering of RFC 4647, 3.3.1: "es" takes in "es-MX"; the other way round it does not."""
    ranges = {tag.lower() for tag in wanted}

    def test(facts: Facts) -> bool:
        tag = facts.language.lower()
        parts = tag.split("-")
        return any("-".join(parts[:end]) in ranges for end in range(1, len(parts) + 1))

    return test


def _named(wanted: bool) -> Test:
    return lambda facts: facts.named_human is wanted


def _more_than(name: str, bound: int) -> Test:
    return lambda facts: getattr(facts, name) > bound


_KNOWN_BEFORE = frozenset({"integrity", "log_view", "tools", "adapters", "named_human", "tokens"})


def _before(condition: Condition) -> tuple[Test, ...]:
    """Return the tests that can be made before an answer begins."""
    return tuple(test for name, test in _tests(condition).items() if name in _KNOWN_BEFORE)


def _exception_before(rule: Rule) -> tuple[Test, ...]:
    """Return the tests of an exception that can be made as a whole before an answer begins."""
    if rule.unless is None or not _KNOWN_BEFORE.issuperset(_tests(rule.unless)):
        return ()
    return _before(rule.unless)
