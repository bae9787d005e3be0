"""The phrases of a language, and which language speaks in a locale that has none.

The phrases stand in `languages/*.toml`, one file per language, for people who translate and do not program; a new file
there, named in `LANGUAGES`, is a new language. Not here: what is said when (`sentences`, `readme`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TypeGuard

LANGUAGES = ("en", "es", "ca", "eu")
Message = str | dict[str, str]


@dataclass(frozen=True)
class Phrases:
    """One language.

    Attributes:
        language: its tag.
        meta: what it calls itself, and how it writes numbers, lists and quotations.
        text: key -> what is said to citizens; what depends on a number has the forms "one" and "other".
        readme: key -> what is said to the admin.
    """

    language: str
    meta: Mapping[str, str]
    text: Mapping[str, Message]
    readme: Mapping[str, Message]

    def say(self, key: str, n: int | None = None, /, **facts: str) -> str:
        """Return what is said to citizens; the number `n` chooses the form and is a fact too."""
        return self._said(self.text[key], n, facts)

    def tell(self, key: str, n: int | None = None, /, **facts: str) -> str:
        """Return what is said to the admin."""
        return self._said(self.readme[key], n, facts)

    def _said(self, message: Message, n: int | None, facts: Mapping[str, str]) -> str:
        if n is not None:
            facts = {"n": self.number(n), **facts}
        if not isinstance(message, str):
            assert n is not None, "a phrase with forms needs its number"
            message = message["one" if n == 1 else "other"]
        return message.format(**facts)

    def number(self, count: int) -> str:
        """Return a number with its thousands apart."""
        return f"{count:,}".replace(",", self.meta["thousands"])

    def quoted(self, words: str) -> str:
        """Return words in the quotation marks of the language."""
        return self.meta["quote"].format(words=words)

    def listed(self, parts: Sequence[str]) -> str:
        """Return "A, B and C"."""
        if len(parts) < 2:
            return "".join(parts)
        return self.meta["and"].format(list=", ".join(parts[:-1]), last=parts[-1])


@cache
def phrases_of(language: str) -> Phrases:
    """Return the phrases of one of `LANGUAGES`."""
    assert language in LANGUAGES, "a language without phrases; `speaking_in` chooses one"
    source = files("auzolan.deliberate.decidim.write_back").joinpath("languages", f"{language}.toml")
    table = tomllib.loads(source.read_text(encoding="utf-8"))
    return Phrases(language, table["meta"], _messages(table["text"]), _messages(table["readme"]))


def speaking_in(locale: str, main: str) -> Phrases:
    """Return the phrases for a locale: in its language, else in that of the main locale, else in English."""
    for tag in (locale, main):
        language = tag.split("-")[0].lower()
        if language in LANGUAGES:
            return phrases_of(language)
    return phrases_of("en")


def _messages(table: Mapping[str, object]) -> dict[str, Message]:
    return {key: value for key, value in table.items() if _is_message(value)}


def _is_message(value: object) -> TypeGuard[Message]:
    return isinstance(value, str) or (isinstance(value, dict) and set(value) == {"one", "other"})
