"""What is published back: values that the caller fills from records, checked once.

Checks (`check_publication`): locales are locales, each there once; the record id is one; numbers of articles are
`article.principle`, each once; the constitution has a title and every article a text, and progress is 0 to 100.
Does not check: that any of it is what the records say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from auzolan.core.record.errors import MalformedError, UsageError
from auzolan.deliberate.decidim.dispositions import Disposition
from auzolan.deliberate.decidim.entities import Key, Text

_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
_NUMBER = re.compile(r"([1-9][0-9]{0,3})\.([1-9][0-9]{0,3})")
_RECORD = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class CitedProposal:
    """A proposal that an article rests on.

    Attributes:
        key: its name.
        title: by locale.
        url: of its page, as the source tells it; it is linked only where it is plainly that proposal's (`links`).
        fingerprint: Decidim's, of the text as it stood; "" where there is none.
        merged: whether it shares the place of another one.
    """

    key: Key
    title: Text
    url: str | None = None
    fingerprint: str = ""
    merged: bool = False


@dataclass(frozen=True)
class PublishedArticle:
    """One article.

    Attributes:
        number: such as "2.1".
        text: by locale, what was voted on and its translations.
        proposals: those that it rests on, the one whose place it has first.
        acknowledged: whether it is a view that is acknowledged.
        progress_percent: how far it is kept, as an audit says; 0 where none did.
    """

    number: str
    text: Text
    proposals: tuple[CitedProposal, ...] = ()
    acknowledged: bool = False
    progress_percent: int = 0

    @property
    def group(self) -> int:
        """The first part of its number."""
        return int(self.number.split(".")[0])


@dataclass(frozen=True)
class Publication:
    """What is published back to one Decidim.

    Attributes:
        title: of the constitution, by locale.
        host: of the Decidim, in lower case, as in the keys of its proposals.
        locales: of the Decidim; its default locale first, as the importers want that one always filled.
        constitution: id of its record.
        record_url: where the record can be seen, or None.
        articles: in the order of their numbers.
    """

    title: Text
    host: str
    locales: tuple[str, ...]
    constitution: str
    record_url: str | None
    articles: tuple[PublishedArticle, ...]

    @property
    def main(self) -> str:
        """The default locale."""
        return self.locales[0]


@dataclass(frozen=True, slots=True)
class AnsweredProposal:
    """What became of a proposal, and what its page says so far.

    Attributes:
        disposition: what became of it.
        lead: of a merged one, the proposal whose place it shares; without it only its number is said.
        rival: text of the statement that excludes it, by locale; without it only its number is said.
        state: token of its state in the Decidim, "" where not known.
        answer: its official answer there, by locale, as plain text (`Proposal.answer`).
    """

    disposition: Disposition
    lead: CitedProposal | None = None
    rival: Text = field(default_factory=dict)
    state: str = ""
    answer: Text = field(default_factory=dict)


def check_publication(published: Publication) -> Publication:
    """Return it, if it can be published.

    Raises:
        UsageError: a locale that is none, or is there twice.
        MalformedError: something else is not of its form.
    """
    _check_locales(published.locales)
    if not _RECORD.fullmatch(published.constitution):
        raise MalformedError("what is published: expected the id of a constitution, 64 hexadecimal digits")
    numbers = [each.number for each in published.articles]
    if len(set(numbers)) != len(numbers) or not all(_NUMBER.fullmatch(number) for number in numbers):
        raise MalformedError("what is published: expected articles numbered such as 2.1, each number once")
    if not any(title.strip() for title in published.title.values()):
        raise MalformedError("what is published: the constitution has no title")
    for article in published.articles:
        if not any(text.strip() for text in article.text.values()):
            raise MalformedError(f"article {article.number} has no text")
        if not 0 <= article.progress_percent <= 100:
            raise MalformedError(f"article {article.number}: progress {article.progress_percent}, expected 0 to 100")
    return published


def _check_locales(locales: tuple[str, ...]) -> None:
    if not locales:
        raise UsageError("name at least one locale of the Decidim, its default locale first")
    for place, locale in enumerate(locales, start=1):
        if not _LOCALE.fullmatch(locale):
            raise UsageError(f"locale {place} of {len(locales)} is none; expected such as ca, es or pt-BR")
    if len(set(locales)) != len(locales):
        raise UsageError("a locale is named twice")


def said(text: Mapping[str, str], locale: str, main: str) -> str:
    """Return a text in a locale, else in its language, else in the main one, else in any; "" where there is none."""
    for wanted in (locale, main):
        related = [name for name in sorted(text) if _language(name) == _language(wanted)]
        for name in (wanted, *related):
            if text.get(name, "").strip():
                return text[name]
    return next((text[name] for name in sorted(text) if text[name].strip()), "")


def _language(locale: str) -> str:
    return locale.split("-")[0].lower()
