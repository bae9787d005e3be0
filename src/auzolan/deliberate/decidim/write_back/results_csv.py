"""The articles as results of an accountability component, for Decidim's importer of results.

The importer that Decidim ships (0.27 to 0.32, and the source after it) takes only the last digit of each address in
`proposal_urls`, so an address that ends in 66 links proposal 6. A wrong link in public is worse than none. Therefore:

Checks: `proposal_urls` is filled only where every address ends in a number of one digit, and there is one for every
proposal of the article; else `proposal_ids` names one, the first of this Decidim, whose place the article has (of
several the importer reads only the first). The importer is "mended" only where the caller says so.
`id` is always empty, so that no result is overwritten. No cell begins a formula.
Does not check: that the proposals belong to the space of the component; the importer leaves out those that do not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from auzolan.deliberate.decidim.write_back.cells import row
from auzolan.deliberate.decidim.write_back.links import link_of
from auzolan.deliberate.decidim.write_back.published import CitedProposal, Publication, PublishedArticle, said
from auzolan.deliberate.decidim.write_back.sentences import Speaker
from auzolan.deliberate.decidim.write_back.texts import (
    LOOK_ALIKES,
    html_paragraphs,
    html_text,
    one_line,
    shortened,
)

FILE = "accountability-results.csv"
Importer = Literal["shipped", "mended"]
Reach = Literal["all", "some", "one", "none"]
_TITLE = 150


class Links(NamedTuple):
    """What the importer will link an article to.

    Attributes:
        urls: the cell `proposal_urls`.
        ids: the cell `proposal_ids`.
        reach: how many of its proposals that are.
    """

    urls: str
    ids: str
    reach: Reach


def results_csv(published: Publication, importer: Importer = "shipped") -> Iterator[bytes]:
    """Yield the lines of the file; without articles it has only a header."""
    yield row(
        ["id"]
        + [f"{field}/{locale}" for field in ("title", "description") for locale in published.locales]
        + ["progress", "proposal_urls", "proposal_ids"]
    )
    speakers = [Speaker(published, locale) for locale in published.locales]
    for article in published.articles:
        links = links_of(article, published.host, importer)
        titles = [_title(article, speaker) for speaker in speakers]
        descriptions = [_description(article, speaker, links.reach) for speaker in speakers]
        yield row(["", *titles, *descriptions, str(article.progress_percent), links.urls, links.ids])


def reaches(published: Publication, importer: Importer = "shipped") -> Counter[Reach]:
    """Return how many articles will be linked to all, some, one or none of their proposals."""
    return Counter(links_of(each, published.host, importer).reach for each in published.articles)


def links_of(article: PublishedArticle, host: str, importer: Importer) -> Links:
    """Return what the importer will link an article to; never a proposal that is not its own."""
    here = [each for each in article.proposals if each.key.host == host and each.key.kind == "proposal"]
    urls = [link for each in here if (link := link_of(each.key, each.url))]
    whole = bool(urls) and len(urls) == len(article.proposals)
    if importer == "mended":
        if urls:
            return Links(";".join(urls), "", "all" if whole else "some")
    elif whole and all(each.key.id <= 9 for each in here):
        return Links(";".join(urls), "", "all")
    if not here:
        return Links("", "", "none")
    return Links("", str(here[0].key.id), "all" if len(article.proposals) == 1 else "one")


def _title(article: PublishedArticle, speaker: Speaker) -> str:
    text = one_line(said(article.text, speaker.locale, speaker.published.main))
    key = "acknowledged_title" if article.acknowledged else "article_title"
    frame = len(speaker.phrases.say(key, number=article.number, words=""))
    # Decidim escapes titles, so this is text and not HTML; a version that forgot to would still find no tag in it.
    words = shortened(text, _TITLE - frame).translate(LOOK_ALIKES)
    return speaker.phrases.say(key, number=article.number, words=words)


def _description(article: PublishedArticle, speaker: Speaker, reach: Reach) -> str:
    first = html_paragraphs(
        [
            f"<strong>{speaker.text(article.text)}</strong>",
            speaker.say("acknowledged_is" if article.acknowledged else "article_is"),
        ]
    )
    check = speaker.say("check_article", id=speaker.published.constitution, record=speaker.record)
    return first + _proposals(article.proposals, speaker, reach) + html_paragraphs([check])


def _proposals(proposals: Sequence[CitedProposal], speaker: Speaker, reach: Reach) -> str:
    if not proposals:
        return html_paragraphs([speaker.say("rests_on_none")])
    items = "".join(f"<li>{_item(each, speaker)}</li>" for each in proposals)
    notes = [] if reach == "all" else [speaker.say(f"{reach}_linked")]
    if any(each.fingerprint for each in proposals):
        notes.append(speaker.say("fingerprints"))
    rests = html_paragraphs([speaker.say("rests", len(proposals))])
    return f"{rests}<ul>{items}</ul>{html_paragraphs(notes)}"


def _item(cited: CitedProposal, speaker: Speaker) -> str:
    notes = [speaker.say("merged")] if cited.merged else []
    if cited.fingerprint:
        notes.append(speaker.say("fingerprint", value=f"<code>{html_text(cited.fingerprint)}</code>"))
    return "; ".join([speaker.proposal(cited), *notes])
