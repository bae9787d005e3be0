"""A constitution as Markdown, from one template for all languages.

Text from outside is written so that Markdown shows it as it is: nothing in it
becomes a heading, a link, a table or HTML, and characters that hide or turn
text are made visible (`plain`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from auzolan.core.record.findings import plain
from auzolan.deliberate.charter import sentences as the
from auzolan.deliberate.charter.speaker import Said, Speaker
from auzolan.deliberate.charter.view import Charter, Entry, Presence, Stratum, Text
from auzolan.deliberate.charter.words import Words, words_of

_LONGEST = 2_000
# Whatever could begin something in CommonMark or in GitHub's Markdown: also "www.", "x@y" and "https://".
_ACTIVE = re.compile(r"([\\`*_{}\[\]<>#|~$&@])|(:)(?=//)|(?<=www)(\.)|^([-+=])|^(\d+)([.)])(?=\s|$)")


def markdown(charter: Charter, words: Words, editions: Sequence[tuple[str, str]] = ()) -> str:
    """Return the file's text.

    Args:
        charter: what is shown.
        words: the language.
        editions: (language, file name) of all languages written together, this one among them.
    """
    return "\n\n".join(block for block in _Template(charter, words).blocks(editions) if block) + "\n"


def safe(outside: str) -> str:
    """Return text from outside as Markdown that shows it as it is, on one line."""
    return _ACTIVE.sub(_escaped, plain(" ".join(outside.split()), _LONGEST))


def _escaped(found: re.Match[str]) -> str:
    if found[5]:
        return f"{found[5]}\\{found[6]}"
    return f"\\{found[0]}"


class _Template:
    """The one template; its words are the speaker's."""

    def __init__(self, charter: Charter, words: Words) -> None:
        self.charter, self.words = charter, words
        self.speaker = Speaker(words, safe, lambda typed: f"`{typed}`")
        self.say = self.speaker.say

    def blocks(self, editions: Sequence[tuple[str, str]]) -> Iterable[str]:
        charter, say, speaker = self.charter, self.say, self.speaker
        yield f"# {safe(charter.title) or say('title_missing')}"
        yield self._editions(editions)
        yield from (f"**{warning}**" for warning in the.warnings(charter, speaker))
        yield f"**{the.status(charter, speaker)}**"
        yield " ".join(the.circumstances(charter, speaker))
        yield " ".join((say("speaks_of"), the.turnout(charter, speaker)))
        yield f"## {say('h_floor')}"
        yield say("floor_intro" if charter.floor else "floor_none")
        yield "\n".join(f"- {safe(each.text)}" for each in charter.floor)
        yield from self._articles()
        yield from self._acknowledged()
        yield from self._turnout()
        yield from self._left(
            say("h_left_ratified" if charter.is_ratified else "h_left_selected"), charter.left, "left"
        )
        if charter.never_voted:
            yield from self._left(say("h_never"), charter.never_voted, "never")
        yield f"## {say('h_appeal')}"
        keys = ("appeal_why", "appeal_wrong", "appeal_again")
        yield self._list([*(say(key) for key in keys), say("appeal_contact", principals=self._principals())])
        yield from self._decided()
        yield from self._records()

    def _editions(self, editions: Sequence[tuple[str, str]]) -> str:
        links = (
            f"**{words_of(language).name}**"
            if language == self.words.language
            else f"[{words_of(language).name}]({name})"
            for language, name in editions
        )
        return " · ".join(links) if len(editions) > 1 else ""

    def _principals(self) -> Said:
        return self.speaker.all_of(self.charter.principals)

    def _list(self, items: Sequence[str]) -> str:
        return "\n".join(f"- {item}" for item in items)

    def _articles(self) -> Iterable[str]:
        charter, say = self.charter, self.say
        yield f"## {say('h_ratified' if charter.is_ratified else 'h_selected')}"
        if not charter.articles:
            yield say("articles_none")
            return
        read = (the.how_to_read, the.groups, the.group_sizes)
        yield " ".join(said(charter, self.speaker) for said in read).rstrip()
        for entry in charter.articles:
            yield f"### {self._head(entry)}"
            yield self._words(entry.text)
            yield self._list([" ".join(the.support(entry, self.speaker)), *self._about(entry)])

    def _about(self, entry: Entry) -> Iterable[str]:
        yield " ".join(the.standing(entry, self.speaker))
        yield from self._sources(entry)

    def _sources(self, entry: Entry) -> Iterable[str]:
        if entry.sources:
            named = "; ".join(f"{self._quoted(words)} (#{number})" for number, words in the.quoted_sources(entry))
            yield f"{the.origin(entry, self.speaker)} {named}".rstrip()

    def _head(self, entry: Entry) -> str:
        if entry.is_principle:
            return self.say("principle", label=entry.label)
        if entry.is_article:
            return f"{self.say('article', label=entry.label)} (#{entry.why})"
        return self.say("statement", label=Said(f"#{entry.why}"))

    def _quoted(self, words: str) -> str:
        return self.words.quoted(safe(words)) if words else self.say("no_words")

    def _words(self, text: Text) -> str:
        """Return a text as a block of its own, with the text that was voted on beneath a translation."""
        shown = the.translated(text, self.words.language)
        if shown is None:
            note = ""
            if the.is_foreign(text, self.words.language):
                note = f"\n>\n> {self.say('untranslated', language=self.words.language_name(text.language))}"
            return f"> {safe(text.words) or self.say('no_words')}{note}"
        said = self.say("translation", language=self.words.language_name(text.language))
        return f"> {safe(shown)}\n>\n> {said} {self._quoted(text.words)}"

    def _acknowledged(self) -> Iterable[str]:
        if not self.charter.acknowledged:
            return
        yield f"## {self.say('h_acknowledged')}"
        yield self.say("acknowledged_intro")
        for entry in self.charter.acknowledged:
            yield f"### {self._head(entry)}"
            yield self._words(entry.text)
            reach = the.reach(entry, self.speaker)
            why = the.explained(entry, self.speaker)
            lacks = " ".join((why, *the.lacking(entry, self.speaker)))
            support = " ".join(the.support(entry, self.speaker))
            yield self._list([*([reach] if reach else []), support, lacks, *self._sources(entry)])

    def _turnout(self) -> Iterable[str]:
        charter, say = self.charter, self.say
        yield f"## {say('h_turnout')}"
        yield the.turnout(charter, self.speaker)
        if not charter.turnout.strata:
            yield say("strata_none")
            return
        yield say("strata_own")
        for stratum in charter.turnout.strata:
            yield self._stratum(stratum)
            if absent := the.most_absent(stratum, self.speaker):
                yield absent
            elif not the.has_roll(stratum):
                yield say("strata_no_roll")

    def _stratum(self, stratum: Stratum) -> str:
        has_roll = the.has_roll(stratum)
        heads = [safe(stratum.name), self.say("th_took_part")]
        heads += [self.say("th_may_vote"), self.say("th_share")] if has_roll else []
        rows = [heads, ["---", *["---:"] * (len(heads) - 1)]]
        rows += [self._presence(each, has_roll) for each in stratum.values]
        if stratum.undeclared:
            rows.append([self.say("undeclared"), self.speaker.shown(stratum.undeclared), *["–"] * (len(heads) - 2)])
        return "\n".join(f"| {' | '.join(row)} |" for row in rows)

    def _presence(self, each: Presence, has_roll: bool) -> list[str]:
        row = [safe(each.value), the.took_part(each, self.charter, self.speaker)]
        return [*row, *the.of_roll(each, self.speaker)] if has_roll else row

    def _left(self, head: str, entries: Sequence[Entry], intro: str) -> Iterable[str]:
        yield f"## {head}"
        if not entries:
            yield self.say("left_none")
            return
        yield self.say(f"{intro}_intro", n=len(entries))
        for reason, listed in the.by_reason(entries):
            yield f"### {self.say(f'reason_{reason}_head')} ({self.speaker.shown(len(listed))})"
            yield the.explained(listed[0], self.speaker)
            yield self._list([self._other(entry) for entry in listed])

    def _other(self, entry: Entry) -> str:
        shown = the.translated(entry.text, self.words.language)
        text = self._quoted(shown or entry.text.words)
        if shown:
            said = self.say("translation", language=self.words.language_name(entry.text.language))
            text = f"{text} ({said} {self._quoted(entry.text.words)})"
        ids = ", ".join(f"#{number}" for number, _ in entry.sources)
        label = f"{entry.label} ({ids})" if ids else safe(entry.label)
        parts = [f"**{label}** {text}", *the.support(entry, self.speaker)]
        parts += the.lacking(entry, self.speaker)
        leads = the.rival(entry, self.speaker)
        if leads and entry.rival:
            parts.append(f"{leads} {self._quoted(entry.rival[1])}")
        return " ".join(parts)

    def _decided(self) -> Iterable[str]:
        yield f"## {self.say('h_decided')}"
        said, strongest = the.proof(self.charter, self.speaker)
        last = f"{said[-1]} {self._quoted(strongest[1])}" if strongest else said[-1]
        limits = [self.say("proof_limits"), the.groups(self.charter, self.speaker)]
        yield self._list([*the.decided(self.charter, self.speaker), *said[:-1], last, *limits])

    def _records(self) -> Iterable[str]:
        charter, say = self.charter, self.say
        yield f"## {say('h_records')}"
        yield say("records_intro", record=self.speaker.short(charter.record))
        rows = [f"| {say('th_what')} | {say('th_record')} |", "| --- | --- |"]
        rows += [f"| {say(f'record_{kind}')} | `{self.speaker.short(each)}` |" for kind, each in charter.records]
        yield "\n".join(rows)
        yield say("licence", licence=charter.licence) if charter.licence else ""
