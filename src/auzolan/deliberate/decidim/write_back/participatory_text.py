"""The constitution as a participatory text, which people can amend in the next round: Markdown, one file per locale.

Decidim makes a section of a heading of the first level, a sub-section of a deeper one, and an article of each
paragraph, which it numbers by itself; so headings name our numbers, and a paragraph is the text alone.

Checks: one paragraph is one line, and nothing in it is Markdown or HTML.
Does not check: that Decidim takes files of this size (2 MB).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from auzolan.deliberate.decidim.write_back.published import Publication, PublishedArticle, said
from auzolan.deliberate.decidim.write_back.sentences import Speaker
from auzolan.deliberate.decidim.write_back.texts import markdown_text, markdown_title


def file_name(locale: str) -> str:
    """Return the name of a locale's file."""
    return f"participatory-text.{locale}.md"


def participatory_text(published: Publication, locale: str) -> bytes:
    """Return the file of a locale."""
    return ("\n\n".join(_blocks(published, Speaker(published, locale))) + "\n").encode()


def _blocks(published: Publication, speaker: Speaker) -> Iterator[str]:
    title = said(published.title, speaker.locale, published.main)
    yield f"# {markdown_title(title)}"
    for (group, acknowledged), articles in groupby(published.articles, lambda each: (each.group, each.acknowledged)):
        members = list(articles)
        yield f"## {_heading(group, acknowledged, members, speaker)}"
        for article in members:
            yield markdown_text(said(article.text, speaker.locale, published.main))


def _heading(group: int, acknowledged: bool, members: list[PublishedArticle], speaker: Speaker) -> str:
    key = "acknowledged_group" if acknowledged else "group"
    numbers = ", ".join(each.number for each in members)
    return markdown_title(speaker.phrases.say(key, number=str(group), list=numbers))
