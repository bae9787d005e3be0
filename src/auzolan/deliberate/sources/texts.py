"""The texts of a conversation: what is masked in them and what is refused.

Masked: e-mail addresses, and numbers of seven digits or more, with spaces,
dashes or brackets inside, as telephone numbers are written. Years, ranges of
years and dates stay.
Refused: what a spreadsheet would take for a formula (it would be run by
whoever opens an export), control characters, lone surrogates, and texts longer
than `MAX_TEXT`.
Does not check: names, street addresses, or anything else that tells who wrote
a text; moderation must.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from auzolan.core.record.errors import MalformedError
from auzolan.deliberate.conversation import Cleaning

MAX_TEXT = 20_000
_LEAST_DIGITS = 7
EMAIL, NUMBER = "[e-mail]", "[number]"
_FORMULA = re.compile(r"[\t\r]|\s*(?:[=＝]|[+\-@＋－＠]\s*[A-Za-z_.]+\s*[(|!])")  # the wide signs count in East Asia
_UNFIT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_EMAIL = re.compile(r"[\w.+%'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_LONG = re.compile(r"(?<!\d)\+?\(?\d(?:[ \t\u00a0\u202f()\-‐‑–]{0,3}\d){6,}")
_YEARS = re.compile(r"(?:19|20)\d\d(?:\W{1,3}(?:19|20)\d\d)*")
_AFTER_YEAR = re.compile(r"^(?:19|20)\d\d\s(?=\d)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d|\d\d-\d\d-\d{4}|\d{4}[ –-]{1,3}\d\d?[ –-]{1,3}\d\d?")


class Masked(NamedTuple):
    """A text without what was masked, and how often it was."""

    text: str
    emails: int
    numbers: int


def unfit(text: str) -> str | None:
    """Return why a text is refused, or None."""
    if len(text) > MAX_TEXT:
        return f"the text has {len(text):,} characters, at most {MAX_TEXT:,} are read"
    if _FORMULA.match(text):
        return "looks like a spreadsheet formula; moderate the statement out or mend the text"
    if _UNFIT.search(text):
        return "the text holds a control character or half of a character"
    return None


def mask(text: str) -> Masked:
    """Mask e-mail addresses and long numbers in a text."""
    if "@" not in text and not any(mark.isdigit() for mark in text):
        return Masked(text, 0, 0)
    text, emails = _EMAIL.subn(EMAIL, text)
    numbers = 0

    def replace(found: re.Match[str]) -> str:
        nonlocal numbers
        rest = sum(mark.isdigit() for mark in _AFTER_YEAR.sub("", found[0], count=1))  # "in 2013 107 out of 161"
        if rest < _LEAST_DIGITS or _YEARS.fullmatch(found[0]) or _DATE.fullmatch(found[0]):
            return found[0]
        numbers += 1
        return NUMBER

    return Masked(_LONG.sub(replace, text), emails, numbers)


class Texts:
    """Cleans the texts of one conversation and counts what was done."""

    def __init__(self) -> None:
        self.withheld = 0
        self.emails = 0
        self.numbers = 0

    def clean(self, text: str, wrong: Callable[[str], MalformedError], is_out: bool = False) -> str:
        """Return a text as it may be shown: masked, or "" where the statement is moderated out.

        Args:
            text: as in the source.
            wrong: makes the error that names the place.
            is_out: whether the statement is moderated out; what it says is then not looked at.

        Raises:
            MalformedError: the text is refused.
        """
        if is_out:
            self.withheld += bool(text)
            return ""
        if why := unfit(text):
            raise wrong(why)
        text, emails, numbers = mask(text)
        self.emails += emails
        self.numbers += numbers
        return text

    @property
    def masking(self) -> tuple[Cleaning, Cleaning]:
        """What was masked."""
        return (
            Cleaning("e-mail addresses masked in texts", others=self.emails),
            Cleaning("long numbers masked in texts", others=self.numbers),
        )
