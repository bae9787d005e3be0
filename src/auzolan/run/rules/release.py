"""Which rules can be kept while an answer is sent piece by piece, and which need all of it first.

A streamed and an unstreamed answer must be judged alike, and nothing that a
rule holds back may ever be sent. So a rule for answers may rest on what only
the whole answer shows (its language, a judge's verdict, an exception about the
text) only where nothing is sent before; and what `hold` looks for must have a
longest match, for as many characters are held back.
"""

from __future__ import annotations

from auzolan.core.record.errors import MalformedError
from auzolan.run.rules.facts import ALLOW, ANSWER, DENY, FULL, HOLD, REDACT, Topic
from auzolan.run.rules.lengths import longest_match
from auzolan.run.rules.ruleset import Condition, Rule, Rules

MAX_HELD = 1_000
"""Characters that a rule may have held back; one that needs more must ask for the whole answer."""


def check_releases(rules: Rules) -> None:
    """Check every rule that can match answers.

    Raises:
        MalformedError: one could not be kept as it is written.
    """
    boundless = {topic.id: _too_long(topic) for topic in rules.topics if ANSWER in topic.sides}
    for rule in rules.rules:
        if not rules.can_match(rule, ANSWER):
            continue
        where = f"rule '{rule.id}'"
        if rule.effect == ALLOW:
            _check_allowance(rule, where)
        elif rule.effect == REDACT:
            _check_redaction(rule, where)
        elif rule.effect == DENY and rule.release != FULL:
            _check_denial(rule, where)
            for topic in sorted(rules.topics_of(rule, ANSWER)) if rule.release == HOLD else ():
                if boundless[topic]:
                    raise MalformedError(f"{where}: {boundless[topic]}")


def _too_long(topic: Topic) -> str:
    for place, pattern in enumerate(topic.patterns, 1):
        longest = longest_match(pattern)
        if longest is None or longest > MAX_HELD:
            size = "any number of characters" if longest is None else f"{longest} characters"
            return (
                f"answers are held back until it is sure that they do not hold the topic '{topic.id}', and its "
                f"pattern number {place} can match {size}; bound it to {MAX_HELD} (such as .{{0,40}} for .*), or "
                'write release = "full"'
            )
    return ""


def _rests_on_text(condition: Condition | None) -> bool:
    return condition is not None and (condition.growing or condition.whole)


def _check_denial(rule: Rule, where: str) -> None:
    if rule.when.whole or _rests_on_text(rule.unless):
        raise MalformedError(
            f"{where}: it rests on the language of the answer, a judge's verdict or an exception about the text, which "
            'only the whole answer shows; write release = "full"'
        )


def _check_allowance(rule: Rule, where: str) -> None:
    if _rests_on_text(rule.when) or _rests_on_text(rule.unless):
        raise MalformedError(
            f"{where}: what allows answers may not rest on what stands in them; write a rule with effect = 'deny', "
            'or side = "request"'
        )


def _check_redaction(rule: Rule, where: str) -> None:
    when = rule.when
    if when.topics or when.labels or when.languages or when.more_characters is not None or _rests_on_text(rule.unless):
        raise MalformedError(
            f"{where}: personal data in answers is blotted out wherever it stands, whatever comes later in the text; "
            "leave out topics, labels, languages and characters, and exceptions about the text"
        )
