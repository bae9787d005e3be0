"""The texts of a conversation: what is masked in them and what is refused.

Masked: e-mail addresses; account numbers that begin as an IBAN does; and
numbers of seven digits or more, with spaces, dashes, brackets, dots or strokes
inside, as telephone numbers are written. Years, dates, times, laws (39/2015),
decimals and amounts with dots between thousands stay, and ranges of them; of
amounts with three groups of three digits, which telephone numbers have too
(600.123.456), only those that end in 000 or stand before a currency.
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
_LONG = re.compile(r"(?<!\d)\+?\(?\d(?:(?:[ \t\u00a0\u202f()\-‐‑–]{0,3}|[./])\d){6,}")
_IBAN = re.compile(
    r"(?<![^\W_])[A-Za-z]{2}\d{2}(?:[ \u00a0\u202f.\-]?[A-Z0-9]{4}){2,7}(?:[ \u00a0\u202f.\-]?[A-Z0-9]{1,4})?(?![^\W_])"
)
_LEAST_IBAN, _LEAST_IBAN_DIGITS = 15, 10  # Norway has the shortest; words in capitals after "EU27" are no account
_YEARS = re.compile(r"(?:19|20)\d\d(?:\W{1,3}(?:19|20)\d\d)*")
_AFTER_YEAR = re.compile(r"^(?:19|20)\d\d\s(?=\d)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d|\d\d-\d\d-\d{4}|\d{4}[ –-]{1,3}\d\d?[ –-]{1,3}\d\d?")
_YEAR, _DAY = r"(?:19|20)\d\d", r"(?:0?[1-9]|[12]\d|3[01])"  # a month is written like a day and may come first
_PLAIN = re.compile(
    "|".join(
        (
            rf"{_DAY}([./]){_DAY}\1{_YEAR}",
            rf"{_YEAR}([./]){_DAY}\2{_DAY}",
            rf"{_YEAR}(?:[/.]{_YEAR})?",
            rf"{_YEAR}/\d{{1,4}}",  # an act of the European Union: 2016/679
            rf"\d{{1,4}}/{_YEAR}",  # a law: 39/2015
            r"(?:[01]?\d|2[0-4])\.[0-5]\d",  # a time
            r"\d{1,3}(?:\.\d{3})+",  # an amount
        )
    )
)
_BETWEEN = re.compile(r"[ \t\u00a0\u202f()\-‐‑–]+")
_DATE_WITH_DASHES = re.compile(rf"(?<!\d)(?:{_YEAR}-\d\d-\d\d|\d\d-\d\d-{_YEAR})(?!\d)")
_FIRST_PAIR, _LAST_PAIR = re.compile(r"^\d\d[ \u00a0]"), re.compile(r"[ \u00a0]\d\d?$")
_DECIMALS = re.compile(r"\d{1,6}\.\d+|\d{1,3}\.\d\d?[ \u00a0]?[-–][ \u00a0]?\d{1,3}\.\d\d?")
_GROUPS_LIKE_A_TELEPHONE = re.compile(r"\d{3}\.\d{3}\.(?!000)\d{3}")
_ALTERNATIVES = re.compile(r"\d{1,3}(?:/\d{1,3})+")  # before a unit: 110/220/380kV
_IDENTITY_CARD = re.compile(r"[1-9]\d?\.\d{3}\.\d{3}")  # in Spain, with a letter after it
_LETTER = re.compile(r"[ -]?[A-Z](?![^\W_])")
_CURRENCY = re.compile(r"[ \u00a0\u202f]?(?:[€$£]|eur(?:os?|oak?)?\b)", re.IGNORECASE)


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
    """Mask e-mail addresses, account numbers and long numbers in a text."""
    if "@" not in text and not any(mark.isdigit() for mark in text):
        return Masked(text, 0, 0)
    text, emails = _EMAIL.subn(EMAIL, text)
    numbers = 0

    def replace(found: re.Match[str]) -> str:
        nonlocal numbers
        is_harmless = _is_no_account if found.re is _IBAN else _is_no_telephone
        if is_harmless(found):
            return found[0]
        numbers += 1
        return NUMBER

    text = _IBAN.sub(replace, text)
    return Masked(_LONG.sub(replace, text), emails, numbers)


def _is_no_account(found: re.Match[str]) -> bool:
    return (
        sum(mark.isalnum() for mark in found[0]) < _LEAST_IBAN
        or sum(mark.isdigit() for mark in found[0]) < _LEAST_IBAN_DIGITS
    )


def _is_no_telephone(found: re.Match[str]) -> bool:
    """Whether a long number is one of years, dates, times, laws, decimals and amounts, or a row of them."""
    number, after = found[0], found.string[found.end() : found.end() + 8]
    rest = sum(mark.isdigit() for mark in _AFTER_YEAR.sub("", number, count=1))  # "in 2013 107 out of 161"
    if rest < _LEAST_DIGITS or _YEARS.fullmatch(number) or _DATE.fullmatch(number) or _DECIMALS.fullmatch(number):
        return True
    if _ALTERNATIVES.fullmatch(number) and after[:1].isalpha():
        return True
    if _IDENTITY_CARD.fullmatch(number) and _LETTER.match(after):
        return False
    if _GROUPS_LIKE_A_TELEPHONE.search(number) and not _CURRENCY.match(after):
        return False
    # The minutes of "10:30 12.05.2026" and the hours of "12.05.2026 10:30" stand in the match without their other half.
    if found.string[: found.start()].endswith(":"):
        number = _FIRST_PAIR.sub("", number)
    if after.startswith(":"):
        number = _LAST_PAIR.sub("", number)
    words = _BETWEEN.split(_DATE_WITH_DASHES.sub(" ", number).strip())
    return all(_PLAIN.fullmatch(word) for word in words if word)


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
