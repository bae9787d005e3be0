"""Edge: `auzolan run explain`: which rules decide or decided, why, and what would change it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from auzolan.cli.ballots import Evidence
from auzolan.cli.commons import Commons, PublishedCopy, find_ledger, read_toml
from auzolan.cli.output import JsonDict, hint, out, plain, print_json
from auzolan.cli.records import newest
from auzolan.cli.run.articles import Articles, lines_of
from auzolan.cli.run.declared import find_service, log_view_of, read_declared
from auzolan.cli.run.receipts import check_receipt
from auzolan.core.kinds.constitution import Constitution
from auzolan.core.kinds.run import Service
from auzolan.core.record.errors import MalformedError, MissingError, UsageError
from auzolan.core.record.record import Record
from auzolan.core.record.view import LedgerView

if TYPE_CHECKING:
    from auzolan.run.checks.scan import Scanner
    from auzolan.run.rules.decide import Rulebook
    from auzolan.run.rules.facts import Facts


class Ground(NamedTuple):
    """What a text is judged on.

    Attributes:
        rulebook: the rules.
        scanner: for what they look for.
        adapters: ids of those that would take part.
        languages: of the service, the first for texts too short to tell.
        log_view: "fresh", "stale" or "unwitnessed", now.
    """

    rulebook: Rulebook
    scanner: Scanner
    adapters: frozenset[str]
    languages: tuple[str, ...]
    log_view: str


def explain_receipt(path: Path, commons: str | None, as_json: bool) -> None:
    """Say which rules decided about an answer, and which votes stand behind them."""
    checked, place = check_receipt(path, commons, None), find_ledger(commons)
    answer = checked.answer.answer
    constitution = checked.records[answer.constitution]
    fired = _with_articles(place, constitution, [each.to_json() for each in answer.fired])
    if as_json:
        print_json({"answer": checked.answer.id, "outcome": answer.outcome, "fired": fired})
        return
    out().print(f"The outcome was '{answer.outcome}'. These rules matched, as the service says and signed:")
    _print_rules(fired)
    hint("what would change it depends on the text: `auzolan run explain --text ...`")


def explain_text(
    text: str | None,
    answer: str | None,
    human: bool,
    service: str | None,
    commons: str | None,
    as_json: bool,
    rules: Path | None = None,
) -> None:
    """Say what the rules would decide about a question or an answer.

    Args:
        text, answer: one of them.
        human: as if a responsible person were named.
        service: its name or id; None for the newest.
        commons: where the ledger is.
        as_json: for programs.
        rules: a file to try instead of the rules that were signed.

    Raises:
        UsageError: neither text, or both, were given; the file holds no rules, or names articles that there are not.
    """
    if (text is None) == (answer is None):
        raise UsageError("give a receipt, or --text QUESTION, or --answer TEXT")
    from auzolan.run.rules.explain import explain, explanation_lines

    place = find_ledger(commons)
    ground, law = _declared(place, service) if rules is None else _tried(place, service, rules)
    found = facts_about(ground, text, answer, human)
    explanation = explain(ground.rulebook, found)
    matched = [
        {"rule": each.rule, "effect": each.effect, "article": each.article, "why": each.why}
        for each in (*explanation.decided_by, *explanation.beside)
    ]
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
    if ground.rulebook.rules.judges:
        hint("judges are not asked here; what they would say is left out")
    if rules is not None:
        hint(f"the rules in {rules} were tried; nothing was signed")


def facts_about(ground: Ground, text: str | None, answer: str | None, human: bool) -> Facts:
    """Return what the gateway would find, in its own way, if its files were verified and no judge said anything.

    Of the chat template's marks only those of well-known families are known here. An answer is looked at as one to a
    question of no length, in the service's first language.

    Raises:
        UsageError: the gateway would not read the text at all.
    """
    from auzolan.run.checks.language import language_of
    from auzolan.run.engine.parameters import read_request
    from auzolan.run.gateway import facts_of
    from auzolan.run.gateway.house import integrity_of
    from auzolan.run.rules.facts import ANSWER

    rules = ground.rulebook.rules
    language = facts_of.language_asked(text or "", ground.languages, language_of) if rules.ask_language else ""
    known = facts_of.Circumstances(
        ground.adapters, integrity_of("verified", ground.log_view), ground.log_view, human, language, frozenset(),
        rules.limits.answer_tokens,
    )  # fmt: skip
    request = read_request({"model": "model", "messages": [{"role": "user", "content": text or ""}]})
    facts_of.check_length(request, rules.limits.request_characters)
    asked = facts_of.request_facts(facts_of.cleaned(request, (), ()), ground.scanner, known)
    if answer is None:
        return asked
    return facts_of.answer_facts(asked, ground.scanner.scan(answer, ANSWER), frozenset(), frozenset())


def _declared(place: Commons | PublishedCopy, name: str | None) -> tuple[Ground, Record]:
    """Return what a service is judged on, and its constitution."""
    from auzolan.run.checks.scan import Scanner

    found = read_declared(place, name)
    adapters, languages = _of_service(found.service)
    with place.reading() as ledger:
        law = _named_law(ledger, found.service)
    rules = found.rulebook.rules
    scanner = Scanner(rules.topics, rules.personal_kinds)
    return Ground(found.rulebook, scanner, adapters, languages, found.log_view.standing(time.time())), law


def _tried(place: Commons | PublishedCopy, name: str | None, path: Path) -> tuple[Ground, Record]:
    """Return the same with rules from a file, checked as `declare` checks them; a service need not be there yet."""
    from auzolan.run.checks.scan import Scanner
    from auzolan.run.rules.decide import Rulebook
    from auzolan.run.rules.table import check_articles, read_rules

    table = read_toml(path)
    with place.reading() as ledger:
        service = _service_of(ledger, name)
        law = _named_law(ledger, service) if service else newest(ledger, Constitution.KIND)
        floor = {article.id for article in ledger.chain.current.rules.rights_floor}
        view = log_view_of(ledger).standing(time.time())
    try:
        rules = read_rules(table)
        check_articles(rules, {each.number for each in Constitution.from_record(law).ratified} | floor)
        scanner = Scanner(rules.topics, rules.personal_kinds)
    except MalformedError as error:
        raise UsageError(f"{path}: {error}") from None
    return Ground(Rulebook(rules), scanner, *_of_service(service), view), law


def _named_law(ledger: LedgerView, service: Service) -> Record:
    return ledger.envelope(ledger.find(service.constitution)).claimed


def _service_of(ledger: LedgerView, name: str | None) -> Service | None:
    try:
        return Service.from_record(find_service(ledger, name))
    except MissingError:
        if name is not None:
            raise
        return None


def _of_service(service: Service | None) -> tuple[frozenset[str], tuple[str, ...]]:
    if service is None:
        return frozenset(), ()
    return frozenset(each.adapter for each in service.adapters), service.languages


def _with_articles(place: Commons | PublishedCopy, constitution: Record, fired: Iterable[JsonDict]) -> list[JsonDict]:
    with place.reading() as ledger:
        articles = Articles(ledger, Evidence(place.public, place.private), constitution)
        return [{**each, **(articles.about(str(each["article"])) if each["article"] else {})} for each in fired]


def _print_rules(fired: list[JsonDict]) -> None:
    for each in fired:
        out().print(f"{plain(str(each['rule']), 60)} ({each['effect']})", style="bold")
        for line in lines_of(each) if each.get("text") else ("  the operator's own; nobody voted on it",):
            out().print(f"  {line}" if each.get("text") else line)
