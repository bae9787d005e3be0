"""The rules to start from: what they stop and what they let pass, in four languages."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import pytest

from auzolan.core.record.canonical import check_signable
from auzolan.run.checks.scan import Scanner
from auzolan.run.rules.decide import Rulebook, Watch
from auzolan.run.rules.facts import Facts
from auzolan.run.rules.ruleset import Rules
from auzolan.run.rules.table import read_rules
from tests.run.rules.examples import ANSWERS_PASSED, ANSWERS_STOPPED, PASSED, STOPPED
from tests.run.rules.more_examples import KNOWN_GAPS, MORE_PASSED, MORE_STOPPED
from tests.run.rules.unseen import UNSEEN_DECISIONS, UNSEEN_INFORMATION


@cache
def default_text() -> str:
    return files("auzolan.run.rules").joinpath("default.toml").read_text(encoding="utf-8")


@cache
def _rules() -> Rules:
    return read_rules(tomllib.loads(default_text()))


@cache
def _book() -> Rulebook:
    return Rulebook(_rules())


@cache
def _scanner() -> Scanner:
    return Scanner(_rules().topics, _rules().personal_kinds)


def _facts(text: str, side: str, named_human: bool = False) -> Facts:
    found = _scanner().scan(text, side)
    return Facts(side, found.topics, integrity="verified", log_view="fresh", named_human=named_human)


def _forms(text: str) -> tuple[str, ...]:
    """Return a text as it is, in a hurry, and in disguise."""
    bare = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return text, bare.upper(), "\u200b".join(text)


def _cases(examples: Mapping[str, tuple[str, ...]]) -> list[str]:
    return [text for texts in examples.values() for text in texts]


@pytest.mark.parametrize("text", [*_cases(STOPPED), *MORE_STOPPED])
def test_decisions_about_people_are_stopped(text: str) -> None:
    for form in _forms(text):
        assert _book().decide(_facts(form, "request")).denied


@pytest.mark.parametrize("text", _cases(STOPPED))
def test_a_named_person_may_have_them_prepared(text: str) -> None:
    assert not _book().decide(_facts(text, "request", named_human=True)).denied


@pytest.mark.parametrize("text", [*_cases(PASSED), *MORE_PASSED])
def test_questions_for_information_pass(text: str) -> None:
    for form in _forms(text):
        assert frozenset() == _facts(form, "request").topics


def test_so_much_is_found_of_what_nobody_thought_of() -> None:
    found = [text for text in UNSEEN_DECISIONS if _facts(text, "request").topics]
    wrong = [text for text in UNSEEN_INFORMATION if _facts(text, "request").topics]

    assert (12, 36) == (len(found), len(UNSEEN_DECISIONS))
    assert (2, 18) == (len(wrong), len(UNSEEN_INFORMATION))
    assert f"Of {len(UNSEEN_DECISIONS)} requests for a decision" in default_text()
    assert (
        f"they found {len(found)}; of {len(UNSEEN_INFORMATION)} harmless ones they stopped {len(wrong)}"
        in default_text()
    )


def test_known_gaps_are_still_known() -> None:
    assert [] == [text for text in KNOWN_GAPS if _facts(text, "request").topics]


@pytest.mark.parametrize("text", ANSWERS_STOPPED)
def test_answers_that_decide_by_themselves_are_stopped(text: str) -> None:
    for form in _forms(text):
        assert _book().decide(_facts(form, "answer")).denied


@pytest.mark.parametrize("text", ANSWERS_PASSED)
def test_answers_that_inform_pass(text: str) -> None:
    for form in _forms(text):
        assert not _book().decide(_facts(form, "answer")).denied


def test_numbers_are_blotted_out_and_addresses_are_not() -> None:
    facts = Facts("answer", personal=frozenset({"iban", "email", "phone"}), integrity="verified", log_view="fresh")
    decision = _book().decide(facts)

    assert not decision.denied
    assert frozenset({"iban", "card", "dni", "nie"}) == decision.redacts


def test_what_is_old_or_unverified_is_noted_and_goes_on() -> None:
    facts = Facts("request", labels=frozenset({"role-markers"}), integrity="unverified", log_view="stale")
    decision = _book().decide(facts)

    assert not decision.denied
    assert ["allow-use", "note-role-markers", "note-unverified", "note-old-log"] == [
        each.rule for each in decision.matched
    ]


def test_answers_are_held_back_only_where_nobody_is_responsible() -> None:
    numbers = frozenset({"iban", "card", "dni", "nie"})

    assert Watch("hold", frozenset({"decision-in-answer"}), numbers) == _book().watch(Facts("answer"))
    assert Watch("hold", frozenset(), numbers) == _book().watch(Facts("answer", named_human=True))


def test_the_default_rules_can_be_signed() -> None:
    check_signable(tomllib.loads(default_text()), "rules")


def test_what_happens_stands_before_the_long_patterns() -> None:
    lines = default_text().splitlines()

    assert lines.index("[[rules]]") < 30
    assert max(n for n, line in enumerate(lines) if line in ("[[rules]]", "[limits]")) < lines.index("[[topics]]")
    assert [] == [line for line in lines[: lines.index("[[topics]]")] if len(line) > 300]


def test_the_examples_in_the_comments_are_valid() -> None:
    text = default_text()
    first, last = text.index("# A community can ask for more"), text.index("# ---- What is spent at most")
    lines = [line for line in text[first:last].replace("\n# ", "\n").split("\n") if re.match(r"\w+ = |\[", line)]
    rules = read_rules(tomllib.loads("\n".join([text[:first], *lines, text[last:]])))

    assert {"only-verified", "only-with-a-fresh-log", "judged-decisions-by-machine"} <= {
        each.id for each in rules.rules
    }
    assert ["decisions-about-people"] == [each.id for each in rules.judges]
    assert _rules().limits == rules.limits
