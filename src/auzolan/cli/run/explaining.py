"""Edge: `auzolan run explain`: which rules decide or decided, why, and what would change it."""

from __future__ import annotations

from pathlib import Path

from auzolan.cli.ballots import Evidence
from auzolan.cli.commons import Commons, PublishedCopy, find_ledger
from auzolan.cli.output import JsonDict, hint, out, plain, print_json
from auzolan.cli.run.articles import Articles, lines_of
from auzolan.cli.run.declared import Declared, read_declared
from auzolan.cli.run.receipts import check_receipt
from auzolan.core.record.errors import UsageError
from auzolan.core.record.record import Record


def explain_receipt(path: Path, commons: str | None, as_json: bool) -> None:
    """Say which rules decided about an answer, and which votes stand behind them."""
    checked, place = check_receipt(path, commons, None), find_ledger(commons)
    answer = checked.answer.answer
    constitution = checked.records[answer.constitution]
    fired = _with_articles(place, constitution, [each.to_json() for each in answer.fired])
    if as_json:
        print_json({"answer": checked.answer.id, "outcome": answer.outcome, "fired": fired})
        return
    out().print(f"The answer was {answer.outcome}. These rules matched, as the service says and signed:")
    _print_rules(fired)
    hint("what would change it depends on the text: `auzolan run explain --text ...`")


def explain_text(
    text: str | None, answer: str | None, human: bool, service: str | None, commons: str | None, as_json: bool
) -> None:
    """Say what the rules would decide about a question or an answer.

    Raises:
        UsageError: neither, or both, were given.
    """
    if (text is None) == (answer is None):
        raise UsageError("give a receipt, or --text QUESTION, or --answer TEXT")
    from auzolan.run.checks.scan import Scanner
    from auzolan.run.rules.explain import explain, explanation_lines
    from auzolan.run.rules.facts import ANSWER, REQUEST, Facts

    place = find_ledger(commons)
    declared = read_declared(place, service)
    side, said = (REQUEST, text or "") if answer is None else (ANSWER, answer)
    rules = declared.rulebook.rules
    found = Scanner(rules.topics, rules.personal_kinds).scan(said, side)
    facts = Facts(
        side=side,
        topics=found.topics,
        personal=found.personal,
        adapters=frozenset(each.adapter for each in declared.service.adapters),
        integrity="verified",
        log_view=_log_view(declared),
        named_human=human,
        characters=len(said),
        tokens=rules.limits.answer_tokens,
    )
    explanation = explain(declared.rulebook, facts)
    matched = [
        {"rule": each.rule, "effect": each.effect, "article": each.article, "why": each.why}
        for each in (*explanation.decided_by, *explanation.beside)
    ]
    with place.reading() as ledger:
        law = ledger.envelope(ledger.find(declared.service.constitution)).claimed
    matched = _with_articles(place, law, matched)
    if as_json:
        changes = [list(each.words) for each in explanation.changes]
        decision = "denied" if explanation.decision.denied else "allowed"
        print_json({"decision": decision, "matched": matched, "changes": changes})
        return
    for line in explanation_lines(explanation):
        out().print(plain(line, 600))
    out().print()
    _print_rules([each for each in matched if each["article"]])
    if rules.judges:
        hint("judges are not asked here; what they would say is left out")


def _log_view(declared: Declared) -> str:
    import time

    return declared.log_view.standing(time.time())


def _with_articles(place: Commons | PublishedCopy, constitution: Record, fired: list[JsonDict]) -> list[JsonDict]:
    with place.reading() as ledger:
        articles = Articles(ledger, Evidence(place.public, place.private), constitution)
        return [{**each, **(articles.about(str(each["article"])) if each["article"] else {})} for each in fired]


def _print_rules(fired: list[JsonDict]) -> None:
    for each in fired:
        out().print(f"{plain(str(each['rule']), 60)} ({each['effect']})", style="bold")
        for line in lines_of(each) if each.get("text") else ("  the operator's own; nobody voted on it",):
            out().print(f"  {line}" if each.get("text") else line)
