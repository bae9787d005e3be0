"""A constitution as one HTML page that stands alone: no scripts, nothing loaded, the same bytes every time.

It says what the Markdown says, with bars and the opinion map beside it. Whatever
comes from outside (texts, titles, names) is escaped, characters that hide or turn
text are made visible (`plain`), and texts say their own language where it is known.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from auzolan.core.record.findings import plain
from auzolan.deliberate.charter import marks
from auzolan.deliberate.charter import sentences as the
from auzolan.deliberate.charter.speaker import Said, Speaker
from auzolan.deliberate.charter.style import STYLE
from auzolan.deliberate.charter.view import Charter, Entry, Stratum, Text
from auzolan.deliberate.charter.words import Words, words_of

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_LONGEST = 2_000
_OPEN = 5  # of what did not get in for one reason, shown at once; the others wait behind a click


def html_page(charter: Charter, words: Words, editions: Sequence[tuple[str, str]] = ()) -> str:
    """Return the page as HTML text, to be written as UTF-8.

    Args:
        charter: what is shown.
        words: the language.
        editions: (language, file name) of all languages written together, this one among them.
    """
    return _Page(charter, words).whole(editions)


def safe(outside: str) -> str:
    """Return text from outside, safe to stand between tags and in quoted attributes."""
    return html.escape(plain(" ".join(outside.split()), _LONGEST))


class _Page:
    """The page in one language."""

    def __init__(self, charter: Charter, words: Words) -> None:
        self.charter, self.words = charter, words
        self.speaker = Speaker(words, safe, lambda typed: f"<code>{typed}</code>")
        self.say = self.speaker.say

    def whole(self, editions: Sequence[tuple[str, str]]) -> str:
        title = safe(self.charter.title) or self.say("title_missing")
        main = "".join(
            (
                self._floor(),
                self._articles(),
                self._acknowledged(),
                self._map(),
                self._turnout(),
                self._left(),
                self._never_voted(),
                self._appeal(),
                self._decided(),
                self._records(),
            )
        )
        return (
            f'<!DOCTYPE html>\n<html lang="{self.words.language}">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="referrer" content="no-referrer">\n'
            f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
            f"{self._header(title, editions)}<main>{main}</main>{self._footer()}\n</body>\n</html>\n"
        )

    def _header(self, title: str, editions: Sequence[tuple[str, str]]) -> str:
        charter, speaker = self.charter, self.speaker
        warnings = "".join(f'<p class="warn" role="note">{said}</p>' for said in the.warnings(charter, speaker))
        kind = "status" if charter.is_ratified and charter.articles else "status open"
        about = "".join(f"<p>{said}</p>" for said in (self.say("speaks_of"), the.turnout(charter, speaker)))
        quiet = " ".join(the.circumstances(charter, speaker))
        return (
            f'<header>{self._editions(editions)}{warnings}<h1 lang="" dir="auto">{title}</h1>'
            f'<p class="{kind}">{the.status(charter, speaker)}</p>{about}{self._facts()}{self._in_short()}'
            f'<p class="quiet">{quiet}</p>{self._contents()}</header>'
        )

    def _editions(self, editions: Sequence[tuple[str, str]]) -> str:
        if len(editions) < 2:
            return ""
        items = []
        for language, name in editions:
            current = ' aria-current="page"' if language == self.words.language else ""
            link = f'<a href="{safe(name)}" hreflang="{language}" lang="{language}"{current}>'
            items.append(f"<li>{link}{words_of(language).name}</a></li>")
        return f'<nav class="langs" aria-label="{self.say("nav_languages")}"><ul>{"".join(items)}</ul></nav>'

    def _facts(self) -> str:
        charter, speaker = self.charter, self.speaker
        turnout, n = charter.turnout, len(charter.articles)
        facts = [(self.say("fact_participants", n=turnout.participants), speaker.shown(turnout.participants))]
        if turnout.roll >= turnout.participants > 0:
            facts.append((self.say("fact_roll"), speaker.percent(turnout.participants, turnout.roll)))
        facts += [
            (self.say("fact_articles", n=n), speaker.shown(n)),
            (self.say("fact_left"), speaker.shown(len(charter.left) + len(charter.never_voted))),
            (self.say("fact_grade"), safe(charter.grade)),
        ]
        return '<dl class="facts">' + "".join(f"<div><dt>{n}</dt><dd>{v}</dd></div>" for n, v in facts) + "</dl>"

    def _in_short(self) -> str:
        """Return the articles' words alone, for whoever reads no further."""
        items = []
        for entry in self.charter.articles:
            shown = the.translated(entry.text, self.words.language)
            words = f'<span dir="auto">{safe(shown)}</span>' if shown is not None else self._quote_plain(entry.text)
            items.append(f'<li><a href="#{self._anchor(entry)}">{safe(entry.label)}</a> {words}</li>')
        language = self.words.language
        is_translated = any(the.translated(entry.text, language) is not None for entry in self.charter.articles)
        note = f'<p class="quiet">{self.say("short_translated")}</p>' if is_translated else ""
        return f'<ol class="short" role="list">{"".join(items)}</ol>{note}' if items else ""

    def _quote_plain(self, text: Text) -> str:
        if not text.words:
            return f"<span>{self.say('no_words')}</span>"
        return f'<span lang="{safe(text.language)}" dir="auto">{safe(text.words)}</span>'

    def _anchor(self, entry: Entry) -> str:
        return f"{'n' if entry.is_article else 'c'}{entry.label.replace('.', '-').replace('#', '')}"

    def _contents(self) -> str:
        charter = self.charter
        shown = [("floor", True), ("articles", True), ("acknowledged", charter.acknowledged), ("map", charter.dots)]
        shown += [("turnout", True), ("left", True), ("never", charter.never_voted), ("appeal", True)]
        shown += [("decided", True), ("records", True)]
        items = "".join(
            f'<li><a href="#{name}">{self.say(f"nav_{name}")}</a></li>' for name, is_there in shown if is_there
        )
        return f'<nav aria-label="{self.say("nav")}"><ul>{items}</ul></nav>'

    def _section(self, name: str, head: str, body: str) -> str:
        return f'<section aria-labelledby="{name}"><h2 id="{name}">{head}</h2>{body}</section>'

    def _floor(self) -> str:
        items = "".join(f'<li class="q" lang="" dir="auto">{safe(each.text)}</li>' for each in self.charter.floor)
        listed = f'<ul class="floor" role="list">{items}</ul>' if items else ""
        intro = f"<p>{self.say('floor_intro' if items else 'floor_none')}</p>"
        return self._section("floor", self.say("h_floor"), f"{listed}{intro}")

    def _articles(self) -> str:
        charter, speaker = self.charter, self.speaker
        head = self.say("h_ratified" if charter.is_ratified else "h_selected")
        if not charter.articles:
            return self._section("articles", head, f"<p>{self.say('articles_none')}</p>")
        said = " ".join(each(charter, speaker) for each in (the.how_to_read, the.groups, the.group_sizes))
        read = f'<p class="quiet">{said}</p>'
        listed = "".join(self._article(entry) for entry in charter.articles)
        return self._section("articles", head, f"{read}{marks.legend(charter, speaker)}{listed}")

    def _article(self, entry: Entry) -> str:
        speaker = self.speaker
        firm = " ".join(the.standing(entry, speaker))
        return (
            f"{self._entry_head(entry)}"
            f'<p class="support">{" ".join(the.support(entry, speaker))}</p>'
            f"{marks.votes_table(entry, speaker)}"
            f'<p class="quiet">{firm}</p>{self._sources(entry)}</article>'
        )

    def _entry_head(self, entry: Entry) -> str:
        name = self._anchor(entry)
        head = self.say("principle" if entry.is_principle else "article", label=entry.label)
        if not entry.is_article and not entry.is_principle:
            head = self.say("statement", label=f"#{entry.why}")
        number = f' <span class="id">#{entry.why}</span>' if entry.is_article and not entry.is_principle else ""
        return f'<article aria-labelledby="{name}"><h3 id="{name}">{head}{number}</h3>{self._text(entry.text)}'

    def _text(self, text: Text) -> str:
        """Return a text, with the text that was voted on beneath a translation."""
        shown = the.translated(text, self.words.language)
        if shown is not None:
            said = self.say("translation", language=self.words.language_name(text.language))
            voted = f'<span class="voted-text" lang="{safe(text.language)}" dir="auto">{safe(text.words)}</span>'
            return f'<p class="said-text" dir="auto">{safe(shown)}</p><p class="voted quiet">{said} {voted}</p>'
        if not text.words:
            return f'<p class="said-text">{self.say("no_words")}</p>'
        note = ""
        if the.is_foreign(text, self.words.language):
            said = self.say("untranslated", language=self.words.language_name(text.language))
            note = f'<p class="voted quiet">{said}</p>'
        return f'<p class="said-text" lang="{safe(text.language)}" dir="auto">{safe(text.words)}</p>{note}'

    def _quote(self, words: str) -> str:
        if not words:
            return f"<span>{self.say('no_words')}</span>"
        return f'<q class="voted-text" lang="" dir="auto">{safe(words)}</q>'

    def _sources(self, entry: Entry) -> str:
        if not entry.sources:
            return ""
        items = "".join(
            f'<li>{self._quote(words)} <span class="id">#{number}</span></li>'
            for number, words in the.quoted_sources(entry)
        )
        listed = f'<ul class="from quiet" role="list">{items}</ul>' if items else ""
        return f'<p class="quiet">{the.origin(entry, self.speaker)}</p>{listed}'

    def _acknowledged(self) -> str:
        charter, speaker = self.charter, self.speaker
        if not charter.acknowledged:
            return ""
        listed = []
        for entry in charter.acknowledged:
            why = the.explained(entry, speaker)
            lacks = " ".join((why, *the.lacking(entry, speaker)))
            reach = the.reach(entry, speaker)
            listed.append(
                f'{self._entry_head(entry)}<p class="support">{" ".join(the.support(entry, speaker))}</p>'
                f"{marks.votes_table(entry, speaker)}"
                f'<p>{reach or ""}</p><p class="quiet">{lacks}</p>{self._sources(entry)}</article>'
            )
        intro = f"<p>{self.say('acknowledged_intro')}</p>"
        return self._section("acknowledged", self.say("h_acknowledged"), intro + "".join(listed))

    def _map(self) -> str:
        charter, speaker = self.charter, self.speaker
        if not charter.dots:
            return ""
        body = (
            f"<p>{self.say('map_intro', n=min(dot.people for dot in charter.dots))}</p>"
            f"<figure>{marks.opinion_map(charter, speaker)}</figure>{marks.map_table(charter, speaker)}"
            f'<p class="quiet">{self.say("map_limits")} {the.groups(charter, speaker)}</p>'
        )
        return self._section("map", self.say("h_map"), body)

    def _turnout(self) -> str:
        charter, say = self.charter, self.say
        strata = charter.turnout.strata
        body = "".join(self._stratum(each) for each in strata) if strata else f"<p>{say('strata_none')}</p>"
        own = f"<p>{say('strata_own')}</p>" if strata else ""
        return self._section("turnout", say("h_turnout"), f"<p>{the.turnout(charter, self.speaker)}</p>{own}{body}")

    def _stratum(self, stratum: Stratum) -> str:
        say, has_roll = self.say, the.has_roll(stratum)
        heads = ["", str(say("th_took_part"))]
        heads += [say("th_may_vote"), say("th_share")] if has_roll else []
        rows: list[tuple[str, Sequence[str]]] = []
        for each in stratum.values:
            cells = [the.took_part(each, self.charter, self.speaker)]
            cells += the.of_roll(each, self.speaker) if has_roll else ()
            rows.append((f'<span class="s">{safe(each.value)}</span>', cells))
        if stratum.undeclared:
            unknown = ["–"] * (len(heads) - 2)
            rows.append(
                (f'<span class="s">{say("undeclared")}</span>', [self.speaker.shown(stratum.undeclared), *unknown])
            )
        absent = the.most_absent(stratum, self.speaker) or ("" if has_roll else say("strata_no_roll"))
        return marks.table(safe(stratum.name), heads, rows) + (f"<p>{absent}</p>" if absent else "")

    def _left(self) -> str:
        charter, say = self.charter, self.say
        head = say("h_left_ratified" if charter.is_ratified else "h_left_selected")
        if not charter.left:
            return self._section("left", head, f"<p>{say('left_none')}</p>")
        intro = f"<p>{say('left_intro', n=len(charter.left))}</p>"
        return self._section("left", head, intro + self._by_reason(charter.left, "p"))

    def _never_voted(self) -> str:
        found = self.charter.never_voted
        if not found:
            return ""
        intro = f"<p>{self.say('never_intro', n=len(found))}</p>"
        return self._section("never", self.say("h_never"), intro + self._by_reason(found, "s"))

    def _by_reason(self, entries: Sequence[Entry], prefix: str) -> str:
        parts = []
        for reason, listed in the.by_reason(entries):
            head = f"{self.say(f'reason_{reason}_head')} ({self.speaker.shown(len(listed))})"
            why = the.explained(listed[0], self.speaker)
            items = [self._other(entry, prefix) for entry in listed]
            parts.append(f'<h3>{head}</h3><p class="quiet">{why}</p>{self._folded(items)}')
        return "".join(parts)

    def _folded(self, items: Sequence[str]) -> str:
        """Return a list whose first items are open; one alone is not worth a click."""
        n_open = _OPEN if len(items) > _OPEN + 1 else len(items)
        shown = f'<ol class="left" role="list">{"".join(items[:n_open])}</ol>'
        rest = items[n_open:]
        if not rest:
            return shown
        more = self.say("more", n=len(rest))
        return f'{shown}<details><summary>{more}</summary><ol class="left" role="list">{"".join(rest)}</ol></details>'

    def _other(self, entry: Entry, prefix: str) -> str:
        speaker = self.speaker
        ids = ", ".join(f"#{number}" for number, _ in entry.sources)
        label = f"{safe(entry.label)} ({ids})" if ids else safe(entry.label)
        lacks = " ".join(the.lacking(entry, speaker))
        kind = "lacks" if entry.admit_margin or entry.goes_to_vote else "quiet"
        lacking = f'<p class="{kind}">{lacks}</p>' if lacks else ""
        leads, rival = the.rival(entry, speaker), ""
        if leads and entry.rival:
            rival = f'<p class="quiet">{leads} {self._quote(entry.rival[1])}</p>'
        return (
            f'<li id="{prefix}{entry.label.replace(".", "-").replace("#", "")}"><span class="id">{label}</span>'
            f'{self._text(entry.text)}{lacking}<p class="quiet">{" ".join(the.support(entry, speaker))}</p>'
            f"{rival}</li>"
        )

    def _appeal(self) -> str:
        keys = ("appeal_why", "appeal_wrong", "appeal_again")
        principals = self.speaker.all_of(self.charter.principals)
        said = [*(self.say(key) for key in keys), self.say("appeal_contact", principals=principals)]
        return self._section("appeal", self.say("h_appeal"), self._steps(said))

    def _steps(self, items: Iterable[str]) -> str:
        return f'<ul class="steps">{"".join(f"<li>{item}</li>" for item in items)}</ul>'

    def _decided(self) -> str:
        charter, speaker = self.charter, self.speaker
        said, strongest = the.proof(charter, speaker)
        last = f"{said[-1]} {self._quote(strongest[1])}" if strongest else str(said[-1])
        limits: list[Said] = [self.say("proof_limits"), the.groups(charter, speaker)]
        items = [*the.decided(charter, speaker), *said[:-1], last, *limits]
        return self._section("decided", self.say("h_decided"), self._steps(items))

    def _records(self) -> str:
        charter, say = self.charter, self.say
        rows = [
            (str(say(f"record_{kind}")), [f"<code>{safe(self.speaker.short(each))}</code>"])
            for kind, each in charter.records
        ]
        intro = f"<p>{say('records_intro', record=self.speaker.short(charter.record))}</p>"
        heads = say("th_what"), say("th_record")
        return self._section("records", say("h_records"), intro + marks.table("", heads, rows, named_by="records"))

    def _footer(self) -> str:
        charter, say = self.charter, self.say
        licence = f"<p>{say('licence', licence=charter.licence)}</p>" if charter.licence else ""
        about = next(iter(the.circumstances(charter, self.speaker)))
        return f"<footer>{licence}<p>{about}</p></footer>"
