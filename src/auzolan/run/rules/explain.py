"""Why a decision is as it is, and the smallest changes that would turn it: facts, never a text.

What is proposed is possible: no fact has two values at once, no topic turns up
where it is not looked for, no judge finds anything without a verdict. Whether
somebody should make the change is not said. In English; what whoever asked is
told stands in `refusal`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

from auzolan.run.rules.changes import Edit, edits_of, possible
from auzolan.run.rules.decide import Rulebook
from auzolan.run.rules.facts import ALLOW, DENY, Decision, Facts, Matched

MAX_EDITS = 150
"""Single changes that are tried in pairs, what the facts hold first."""
MAX_CHANGES = 20
_OWN = frozenset({Matched.NOTHING_ALLOWS, Matched.UNDECLARED, Matched.ERROR})


@dataclass(frozen=True)
class Change:
    """A change of facts that turns the decision.

    Attributes:
        words: of the one or two facts, such as "if a person who is responsible were named".
        facts: as they would be.
    """

    words: tuple[str, ...]
    facts: Facts


@dataclass(frozen=True)
class Explanation:
    """Why.

    Attributes:
        decision: what the rules say.
        decided_by: what denied it, or, if nothing did, what allows it.
        lost: what allows it and was outweighed.
        beside: what blots out or warns.
        changes: the smallest that turn the decision, one fact each, or two where no one is enough; none where two
            are not enough either.
        more: how many further changes of that size there are, where not all are listed.
    """

    decision: Decision
    decided_by: tuple[Matched, ...]
    lost: tuple[Matched, ...]
    beside: tuple[Matched, ...]
    changes: tuple[Change, ...]
    more: int = 0


def explain(rulebook: Rulebook, facts: Facts) -> Explanation:
    """Return why the rules decide on facts as they do, and what would turn it."""
    decision = rulebook.decide(facts)
    denials = tuple(each for each in decision.matched if each.effect == DENY)
    allows = tuple(each for each in decision.matched if each.effect == ALLOW)
    found = [] if any(each.rule == Matched.ERROR for each in denials) else _changes(rulebook, facts, decision.denied)
    return Explanation(
        decision=decision,
        decided_by=denials if decision.denied else allows,
        lost=allows if decision.denied else (),
        beside=tuple(each for each in decision.matched if each.effect not in (ALLOW, DENY)),
        changes=tuple(found[:MAX_CHANGES]),
        more=max(0, len(found) - MAX_CHANGES),
    )


def _changes(rulebook: Rulebook, facts: Facts, denied: bool) -> list[Change]:
    """Return the changes of one fact that turn the decision, else those of two."""
    edits = edits_of(rulebook.rules, facts)
    ones: Iterable[tuple[Edit, ...]] = [(edit,) for edit in edits]
    for sets in (ones, combinations(edits[:MAX_EDITS], 2)):
        found = [change for change in _tried(rulebook, facts, sets) if rulebook.decide(change.facts).denied != denied]
        if found:
            return found
    return []


def _tried(rulebook: Rulebook, facts: Facts, sets: Iterable[tuple[Edit, ...]]) -> Iterator[Change]:
    for edits in sets:
        if len({edit.about for edit in edits}) < len(edits):
            continue
        changed = facts
        for edit in edits:
            changed = edit.apply(changed)
        if possible(rulebook.rules, changed):
            yield Change(tuple(edit.words for edit in edits), changed)


def explanation_lines(explanation: Explanation) -> tuple[str, ...]:
    """Return an explanation in plain English, line by line."""
    denied = explanation.decision.denied
    lines = [f"{'Denied' if denied else 'Allowed'} by {_named(each)}" for each in explanation.decided_by]
    lines += [f"Outweighed: allowed by {_named(each)}" for each in explanation.lost]
    doing = {"redact": "Personal data is blotted out by", "warn": "Warned of by"}
    lines += [f"{doing[each.effect]} {_named(each)}" for each in explanation.beside]
    other = "It would be denied" if not denied else "It would be allowed"
    lines += [f"{other} {' and '.join(change.words)}." for change in explanation.changes]
    if explanation.more:
        lines.append(f"There are {explanation.more} more such changes.")
    if not explanation.changes:
        lines.append(f"No change of one or two facts is known after which {other[0].lower()}{other[1:]}.")
    return tuple(lines)


def _named(matched: Matched) -> str:
    if matched.rule in _OWN:
        return f"the program itself: {matched.why}"
    article = f"article {matched.article}" if matched.article else "the operator's own, nobody voted on it"
    return f"rule '{matched.rule}' ({article}): {matched.why}"
