"""What became of a proposal, said to citizens: the HTML of an official answer, in one locale.

Each answer says what became of it, why, what it lacked, and how to check it. The
facts are those of `dispositions`; texts from outside are escaped, and only
addresses that are plainly of the proposal are linked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

from auzolan.core.record.errors import MalformedError
from auzolan.deliberate.decidim.dispositions import WHYS, Fate
from auzolan.deliberate.decidim.write_back.links import link_of, record_link
from auzolan.deliberate.decidim.write_back.phrases import Phrases, speaking_in
from auzolan.deliberate.decidim.write_back.published import (
    AnsweredProposal,
    CitedProposal,
    Publication,
    PublishedArticle,
    said,
)
from auzolan.deliberate.decidim.write_back.texts import html_paragraphs, html_phrase, html_text, one_line, shortened
from auzolan.deliberate.shortlist import phrases as kit_phrases

_TITLE = 150
_MORE = 2**53


class Speaker:
    """Says things about one publication in one locale."""

    def __init__(self, published: Publication, locale: str) -> None:
        self.published = published
        self.locale = locale
        self.phrases: Phrases = speaking_in(locale, published.main)

    def text(self, text: Mapping[str, str]) -> str:
        """Return a text from outside, in this locale if there is one, as HTML."""
        return html_text(said(text, self.locale, self.published.main))

    def quoted(self, text: Mapping[str, str]) -> str:
        """Return a text from outside in quotation marks, shortened, as HTML; "" where there is none."""
        line = shortened(one_line(said(text, self.locale, self.published.main)), _TITLE)
        return self.phrases.quoted(html_text(line)) if line else ""

    def say(self, key: str, n: int | None = None, /, **facts: str) -> str:
        """Return a phrase whose facts are HTML."""
        return html_phrase(self.phrases.say(key, n, **facts))

    def proposal(self, cited: CitedProposal) -> str:
        """Return a proposal by title and number, linked where its address is plainly its own."""
        number = self.say("proposal", id=str(cited.key.id))
        title = self.quoted(cited.title)
        named = f"{title}, {number}" if title else number
        link = link_of(cited.key, cited.url)
        return f'<a href="{link}">{named}</a>' if link else named

    @cached_property
    def record(self) -> str:
        """The id of the constitution, linked where it can be seen."""
        name = f"<code>{self.published.constitution}</code>"
        link = record_link(self.published.record_url)
        return f'<a href="{link}">{name}</a>' if link else name

    @cached_property
    def _articles(self) -> dict[str, PublishedArticle]:
        return {each.number: each for each in self.published.articles}

    def answer(self, answered: AnsweredProposal) -> str:
        """Return the answer to a proposal.

        Raises:
            MalformedError: its disposition is none, or lacks a fact.
        """
        became, key = answered.disposition, answered.disposition.proposal
        fate, thanks, first = outcome(answered), self.say("thanks"), ""
        if became.fate.name == "merged":
            first, thanks = f"{thanks} {self._merged(answered)}", ""
        why = " ".join(each for each in (thanks, self._why(answered, fate), self._more(answered, fate)) if each)
        check = self.say("check", id=str(key.id), record=self.record)
        return html_paragraphs([first, why, self._article(fate, answered), self._lacked(fate), check])

    def _merged(self, answered: AnsweredProposal) -> str:
        number = _number(answered.disposition.fate, "lead", answered)
        lead = answered.lead
        if lead is not None and lead.key.id != number:
            raise MalformedError(f"{_where(answered)}: it is merged with proposal {number}, not with {lead.key.id}")
        return self.say("why_merged", lead=self.proposal(lead) if lead else self.say("proposal", id=str(number)))

    def _why(self, answered: AnsweredProposal, fate: Fate) -> str:
        key = f"why_{fate.why.replace(' ', '_')}"
        if fate.why in ("ratified", "acknowledged", "not ratified"):
            return self.say(key, article=html_text(fate.article or _fact(fate, "article", answered)))
        if fate.why == "left out":
            return self.say(key, reason=self.phrases.quoted(html_text(_fact(fate, "reason", answered))))
        if fate.why == "blocked":
            names = [html_text(name) for name in _fact(fate, "groups", answered).split(", ")]
            return self.say(key, len(names), groups=self.phrases.listed(names))
        return self.say(key)

    def _more(self, answered: AnsweredProposal, fate: Fate) -> str:
        """Return what else its reason rests on, where that is known."""
        if fate.why == "not listed" and _number(fate, "proposals", answered):
            _number(fate, "places", answered)
            _fact(fate, "group", answered)
            return html_phrase(places_said(self.phrases, fate.facts, html_text))
        if fate.why == "excluded" and (rival := _number(fate, "rival", answered)):
            number, words = self.say("statement", id=str(rival)), self.quoted(answered.rival)
            return self.say("other_text", rival=f"{number}: {words}" if words else number)
        return ""

    def _article(self, fate: Fate, answered: AnsweredProposal) -> str:
        if fate.name != "adopted":
            return ""
        number = fate.article or _fact(fate, "article", answered)
        if number not in self._articles:
            raise MalformedError(f"{_where(answered)}: it became an article that is not among those published")
        return f"<strong>{self.text(self._articles[number].text)}</strong>"

    def _lacked(self, fate: Fate) -> str:
        lacks = fate.facts.get("lacks", 0)
        parts = [self.say("lacks", lacks)] if isinstance(lacks, int) and 0 < lacks < _MORE else []
        if fate.name == "deferred" and fate.why != "put to vote":
            parts.append(self.say("again"))
        return " ".join(parts)


def places_said(phrases: Phrases, facts: Mapping[str, str | int], clean: Callable[[str], str]) -> str:
    """Return what became of the places of a group, for a proposal that got none; "" where the group is not known.

    Args:
        phrases: of the language.
        facts: of the disposition "not listed".
        clean: makes the name of the group fit to be shown.
    """
    if not facts["proposals"]:
        return ""
    name = kit_phrases.phrases_of(phrases.language).group(str(facts["group"]), str(facts.get("by", "")))
    words = [
        phrases.say(
            "places_of_group",
            group=phrases.quoted(clean(name)),
            proposals=phrases.say("proposals", int(facts["proposals"])),
            places=phrases.say("places", int(facts["places"])),
        )
    ]
    if "last" in facts:
        words.append(phrases.say("last_place", last=phrases.say("supports", int(facts["last"]))))
    if "supports" in facts:
        words.append(phrases.say("own_supports", own=phrases.say("supports", int(facts["supports"]))))
    return " ".join(words)


def outcome(answered: AnsweredProposal) -> Fate:
    """Return what became of a proposal in the end: of a merged one, what became of the statement.

    Raises:
        MalformedError: its disposition is none.
    """
    became = answered.disposition
    if became.proposal.kind != "proposal" or became.fate.why not in WHYS.get(became.fate.name, ()):
        raise MalformedError(f"{_where(answered)}: expected a proposal, and a disposition with its reason")
    if became.fate.name != "merged":
        return became.fate
    then = became.then
    if then is None or then.name == "merged" or then.why not in WHYS.get(then.name, ()):
        raise MalformedError(f"{_where(answered)}: it is merged, but what became of its statement is not said")
    return then


def _where(answered: AnsweredProposal) -> str:
    return f"proposal {answered.disposition.proposal.id}"


def _fact(fate: Fate, name: str, answered: AnsweredProposal) -> str:
    found = str(fate.facts.get(name, "")).strip()
    if not found:
        raise MalformedError(f"{_where(answered)}: its disposition “{fate.why}” lacks the fact {name}")
    return found


def _number(fate: Fate, name: str, answered: AnsweredProposal) -> int:
    found = fate.facts.get(name)
    if not isinstance(found, int) or isinstance(found, bool) or found < 0:
        raise MalformedError(f"{_where(answered)}: its disposition “{fate.why}” lacks the number {name}")
    return found
