"""The rules applied as their description says, word by word, to compare `decide` with; shares no code with it."""

from __future__ import annotations

from auzolan.run.rules.facts import Facts
from auzolan.run.rules.ruleset import Condition, Rules


def _language(tags: frozenset[str], language: str) -> bool:
    return any(language.lower() == tag.lower() or language.lower().startswith(tag.lower() + "-") for tag in tags)


def _holds(condition: Condition, facts: Facts) -> bool:
    parts = []
    for wanted, given in (
        (condition.topics, facts.topics),
        (condition.personal, facts.personal),
        (condition.labels, facts.labels),
        (condition.tools, facts.tools),
        (condition.adapters, facts.adapters),
        (condition.integrity, {facts.integrity}),
        (condition.log_view, {facts.log_view}),
    ):
        if wanted:
            parts.append(len(wanted & given) > 0)
    if condition.languages:
        parts.append(_language(condition.languages, facts.language))
    if condition.named_human is True:
        parts.append(facts.named_human)
    if condition.named_human is False:
        parts.append(not facts.named_human)
    if condition.more_characters is not None:
        parts.append(facts.characters > condition.more_characters)
    if condition.more_tokens is not None:
        parts.append(facts.tokens > condition.more_tokens)
    return all(parts)


def matching(rules: Rules, facts: Facts) -> list[str]:
    """Return the names of the rules that match, in the order of the file."""
    found = []
    for rule in rules.all_rules:
        if rule.side and rule.side != facts.side:
            continue
        if not _holds(rule.when, facts):
            continue
        if rule.unless is not None and _holds(rule.unless, facts):
            continue
        found.append(rule.id)
    return found


def denied(rules: Rules, facts: Facts) -> bool:
    """Return whether the rules deny."""
    effects = {rule.effect for rule in rules.all_rules if rule.id in matching(rules, facts)}
    return "deny" in effects or "allow" not in effects or len(facts.undeclared) > 0
