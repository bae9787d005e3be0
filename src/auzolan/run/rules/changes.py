"""The single changes of facts that could turn a decision: only those that some rule looks at, and that can be.

What the facts already hold comes first, for the change that is asked for is
mostly to leave something out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from auzolan.run.rules.facts import REQUEST, Facts
from auzolan.run.rules.ruleset import INTEGRITY, LOG_VIEWS, ROLE_MARKERS, Condition, Rules

OTHER_LANGUAGE = "und"
_SetOf = Literal["topics", "personal", "labels", "tools"]
_INTEGRITY_WORDS = {
    "verified": "if the files of the model had been verified here",
    "claimed": "if the backend had only claimed which files it loaded",
    "unverified": "if nobody had verified the files of the model",
}
_VIEW_WORDS = {
    "fresh": "if the copy of the community's log were up to date",
    "stale": "if the copy of the community's log were out of date",
    "unwitnessed": "if no witness vouched for the copy of the community's log",
}


@dataclass(frozen=True)
class Edit:
    """A change of one fact.

    Attributes:
        words: such as "without the topic 'x'".
        about: the fact; two changes of the same one cannot stand together.
        apply: makes it.
    """

    words: str
    about: str
    apply: Callable[[Facts], Facts]


def edits_of(rules: Rules, facts: Facts) -> list[Edit]:
    """Return the changes of one fact that rules look at, leaving out before other values before putting in."""
    conditions = [
        condition
        for rule in rules.all_rules
        if rules.can_match(rule, facts.side)
        for condition in (rule.when, rule.unless)
        if condition
    ]
    return [*_left_out(conditions, facts), *_other_values(conditions, rules, facts), *_put_in(conditions, rules, facts)]


def possible(rules: Rules, facts: Facts) -> bool:
    """Return whether a judge who is said to have found something gave a verdict."""
    return all(
        judge.violation not in facts.labels
        or any(
            other.no_verdict not in facts.labels
            for other in rules.judges
            if other.article == judge.article and facts.side in other.sides
        )
        for judge in rules.judges
        if facts.side in judge.sides
    )


def _left_out(conditions: list[Condition], facts: Facts) -> Iterator[Edit]:
    if facts.undeclared:
        words = "if it asked only for what the service declares"
        yield Edit(words, "undeclared", lambda before: replace(before, undeclared=frozenset()))
    for topic in sorted(facts.topics & _named("topics", conditions)):
        yield _without("topics", topic, f"without the topic '{topic}'")
    for kind in sorted(facts.personal & _named("personal", conditions)):
        yield _without("personal", kind, f"without personal data of the kind '{kind}'")
    for label in sorted(facts.labels & _named("labels", conditions)):
        yield _without("labels", label, _label_words(label, False))
    for tool in sorted(facts.tools & _named("tools", conditions)):
        yield _without("tools", tool, f"without the tool '{tool}'")
    if any(facts.adapters & condition.adapters for condition in conditions):
        words = "if the model answered without its adapters"
        yield Edit(words, "adapters", lambda before: replace(before, adapters=frozenset()))


def _other_values(conditions: list[Condition], rules: Rules, facts: Facts) -> Iterator[Edit]:
    if any(condition.named_human is not None for condition in conditions):
        words = f"if {'no' if facts.named_human else 'a'} person who is responsible were named"
        yield Edit(words, "named_human", lambda before: replace(before, named_human=not before.named_human))
    if any(condition.integrity for condition in conditions):
        for level in INTEGRITY:
            if level != facts.integrity:
                yield Edit(_INTEGRITY_WORDS[level], "integrity", partial(_with_integrity, level))
    if any(condition.log_view for condition in conditions):
        for view in LOG_VIEWS:
            if view != facts.log_view:
                yield Edit(_VIEW_WORDS[view], "log_view", partial(_with_view, view))
    languages = sorted(frozenset().union(*(condition.languages for condition in conditions)))
    if languages:
        for tag in (*languages, OTHER_LANGUAGE):
            if tag != facts.language:
                words = (
                    "if it were in a language that no rule names" if tag == OTHER_LANGUAGE else f"if it were in {tag}"
                )
                yield Edit(words, "language", partial(_with_language, tag))
    yield from _sizes(conditions, rules, facts)


def _sizes(conditions: list[Condition], rules: Rules, facts: Facts) -> Iterator[Edit]:
    """Return changes of how long the text is, or may become, to the bounds that rules name."""
    most = rules.limits.request_characters if facts.side == REQUEST else None
    for bound in sorted({each.more_characters for each in conditions if each.more_characters is not None}):
        if facts.characters > bound:
            yield Edit(f"with at most {bound} characters", "characters", partial(_with_characters, bound))
        elif most is None or bound < most:
            yield Edit(f"with more than {bound} characters", "characters", partial(_with_characters, bound + 1))
    for bound in sorted({each.more_tokens for each in conditions if each.more_tokens is not None}):
        if facts.tokens > bound:
            yield Edit(f"with at most {bound} tokens for the answer", "tokens", partial(_with_tokens, bound))
        elif bound < rules.limits.answer_tokens:
            yield Edit(f"with more than {bound} tokens for the answer", "tokens", partial(_with_tokens, bound + 1))


def _put_in(conditions: list[Condition], rules: Rules, facts: Facts) -> Iterator[Edit]:
    looked_for = {topic for topic, sides in rules.sides_of.items() if facts.side in sides}
    for topic in sorted((_named("topics", conditions) & looked_for) - facts.topics):
        yield _with("topics", topic, f"with the topic '{topic}'")
    for kind in sorted(_named("personal", conditions) - facts.personal):
        yield _with("personal", kind, f"with personal data of the kind '{kind}'")
    said = {label for each in rules.judges if facts.side in each.sides for label in (each.violation, each.no_verdict)}
    for label in sorted((_named("labels", conditions) & (said | {ROLE_MARKERS})) - facts.labels):
        yield _with("labels", label, _label_words(label, True))


def _named(name: _SetOf, conditions: list[Condition]) -> frozenset[str]:
    found: frozenset[str] = frozenset()
    return found.union(*(getattr(condition, name) for condition in conditions))


def _label_words(label: str, there: bool) -> str:
    kind, _, what = label.partition(":")
    if kind == "violates":
        return f"if a judge found {'something' if there else 'nothing'} against article {what}"
    if kind == "no-verdict":
        return f"if the judge '{what}' gave {'no' if there else 'a'} verdict"
    return f"{'with' if there else 'without'} words that pass for the program's own ('{label}')"


def _without(name: _SetOf, value: str, words: str) -> Edit:
    def apply(facts: Facts) -> Facts:
        changed: dict[str, frozenset[str]] = {name: getattr(facts, name) - {value}}
        return replace(facts, **changed)  # type: ignore[arg-type]

    return Edit(words, f"{name}:{value}", apply)


def _with(name: _SetOf, value: str, words: str) -> Edit:
    def apply(facts: Facts) -> Facts:
        changed: dict[str, frozenset[str]] = {name: getattr(facts, name) | {value}}
        return replace(facts, **changed)  # type: ignore[arg-type]

    return Edit(words, f"{name}:{value}", apply)


def _with_integrity(level: str, facts: Facts) -> Facts:
    return replace(facts, integrity=level)


def _with_view(view: str, facts: Facts) -> Facts:
    return replace(facts, log_view=view)


def _with_language(tag: str, facts: Facts) -> Facts:
    return replace(facts, language=tag)


def _with_characters(count: int, facts: Facts) -> Facts:
    return replace(facts, characters=count)


def _with_tokens(count: int, facts: Facts) -> Facts:
    return replace(facts, tokens=count)
