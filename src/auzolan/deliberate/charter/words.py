"""The words of a language: messages with plurals, numbers, shares, dates and lists as that language writes them.

The messages stand in `languages/*.toml`, one file per language, for people who
translate and do not program; a new file there is a new language. Not here: what
is said when (`sentences`).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TypeGuard

from auzolan.core.record.errors import UsageError

LANGUAGES = ("en", "es", "ca", "eu")
Message = str | dict[str, str]
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")


@dataclass(frozen=True)
class Words:
    """One language.

    Attributes:
        language: its tag.
        meta: how it writes numbers, lists and dates, and what it calls itself.
        months: from January on, in the form that its dates need.
        languages: tag -> name of a language, in the form that its messages need.
        text: key -> message; one that depends on a number has the forms "one" and "other".
    """

    language: str
    meta: dict[str, str]
    months: tuple[str, ...]
    languages: dict[str, str]
    text: dict[str, Message]

    @property
    def name(self) -> str:
        """What the language calls itself."""
        return self.meta["name"]

    def message(self, key: str, n: int | None = None) -> str:
        """Return a message with its {placeholders}, in the form for `n`."""
        found = self.text[key]
        if isinstance(found, str):
            return found
        assert n is not None, f"{key} depends on a number"
        return found["one" if n == 1 else "other"]

    def number(self, count: int) -> str:
        """Return a number with its thousands apart."""
        return f"{count:,}".replace(",", self.meta["thousands"])

    def percent(self, part: int, whole: int) -> str:
        """Return a share in whole percent; what is not all or nothing never reads as 100 or 0."""
        rounded = (200 * part + whole) // (2 * whole)
        if rounded == 0 and part:
            return self.meta["percent_tiny"]
        if rounded == 100 and part < whole:
            return self.meta["percent_nearly"]
        return self.whole_percent(rounded)

    def whole_percent(self, number: int) -> str:
        """Return a number of percent."""
        return self.meta["percent"].format(n=self.number(number))

    def date(self, iso: str) -> str:
        """Return a date as the language writes it; what is no ISO 8601 date stays as it is."""
        found = _DATE.fullmatch(iso)
        if not found or not 1 <= int(found[2]) <= 12:
            return iso
        year, month, day = (int(part) for part in found.groups())
        # Endings that Basque gives to numbers, as they are spoken: 2025eko, 2026ko; azaroaren 20a, azaroaren 11.
        last = year % 100
        ko = "eko" if last % 10 == 5 or last % 20 in (1, 10) else "ko"
        a = "" if day in (11, 31) else "a"
        return self.meta["date"].format(year=year, month=self.months[month - 1], day=day, ko=ko, a=a)

    def listed(self, parts: Sequence[str]) -> str:
        """Return "A, B and C"."""
        if len(parts) < 2:
            return "".join(parts)
        return self.meta["and"].format(list=", ".join(parts[:-1]), last=parts[-1])

    def language_name(self, tag: str) -> str:
        """Return what this language calls another one."""
        return self.languages.get(primary(tag)) or self.languages["other"].format(tag=tag)

    def quoted(self, words: str) -> str:
        """Return words in the quotation marks of the language."""
        return self.meta["quote"].format(words=words)


@cache
def words_of(language: str) -> Words:
    """Return the words of a language.

    Raises:
        UsageError: there are none.
    """
    if language not in LANGUAGES:
        raise UsageError(f"there are no words in {language[:20]!r} yet, only in {', '.join(LANGUAGES)}")
    source = files("auzolan.deliberate.charter").joinpath("languages", f"{language}.toml")
    table = tomllib.loads(source.read_text(encoding="utf-8"))
    meta = table["meta"]
    return Words(
        language=language,
        meta={key: value for key, value in meta.items() if key != "months"},
        months=tuple(meta["months"]),
        languages=table["languages"],
        text={key: value for key, value in table["text"].items() if _is_message(value)},
    )


def _is_message(value: object) -> TypeGuard[Message]:
    return isinstance(value, str) or (isinstance(value, dict) and set(value) == {"one", "other"})


def primary(tag: str) -> str:
    """Return the language of a tag without its region."""
    return tag.split("-")[0].lower()
