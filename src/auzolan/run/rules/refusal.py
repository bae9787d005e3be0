"""What a person is told when the rules deny: that they do, and of which articles, in the person's language.

The words stand in `refusal.toml`, for people who translate and do not program.
The reasons are the community's own and stay in the language they were written in.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files

from auzolan.core.record.errors import UsageError
from auzolan.run.rules.facts import DENY, Decision, Matched
from auzolan.run.rules.ruleset import MISSING

LANGUAGES = ("en", "es", "ca", "eu")
MAX_REASONS = 5
_NUMBER = re.compile(r"[0-9]+\.[0-9]+")
_OWN = frozenset({Matched.NOTHING_ALLOWS, Matched.UNDECLARED, Matched.ERROR})


def refusal_text(decision: Decision, language: str = "en") -> str:
    """Return what whoever asked is told.

    Args:
        decision: a denial.
        language: a BCP 47 tag; English where there are no words in it.

    Raises:
        UsageError: nothing was denied.
    """
    if not decision.denied:
        raise UsageError("nothing was denied, so there is no refusal to put into words")
    primary = language.split("-")[0].lower()
    words = _words()[primary if primary in LANGUAGES else "en"]
    reasons = list(dict.fromkeys(_reason(each, words) for each in decision.matched if each.effect == DENY))
    shown, hidden = reasons[:MAX_REASONS], len(reasons) - MAX_REASONS
    if hidden > 0:
        shown.append(words["one_more"] if hidden == 1 else words["more"].format(n=hidden))
    return "\n".join([words["opening"], *(f"- {reason}" for reason in shown)])


def openings() -> tuple[str, ...]:
    """Return how every refusal begins, in all languages."""
    return tuple(words["opening"] for words in _words().values())


def _reason(matched: Matched, words: dict[str, str]) -> str:
    if matched.rule in _OWN:
        return words[matched.rule]
    why = words["no-verdict"] if matched.rule.endswith(MISSING) else matched.why
    form = "operator" if not matched.article else "article" if _NUMBER.fullmatch(matched.article) else "floor"
    return words[form].format(why=why, article=matched.article)


@cache
def _words() -> dict[str, dict[str, str]]:
    source = files("auzolan.run.rules").joinpath("refusal.toml")
    return tomllib.loads(source.read_text(encoding="utf-8"))
