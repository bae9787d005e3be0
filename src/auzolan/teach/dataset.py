"""What a data set says about each article: how its rows are counted, and which took part. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from auzolan.core.kinds.dataset import ArticleRows, Dataset
from auzolan.teach.kit import Article
from auzolan.teach.revise import good_revisions
from auzolan.teach.rows import DataRow


def article_rows(
    articles: Sequence[Article], rows: Sequence[DataRow], why_not: Mapping[str, str], least: int
) -> tuple[ArticleRows, ...]:
    """Return what the rows say about each ratified article, by number.

    Args:
        articles: all that were ratified, in the order of their numbers.
        rows: of the data set.
        why_not: number -> why it was not taught, for those that were left out from the start.
        least: an article with fewer good revisions was not taught either.
    """
    good = good_revisions(rows)
    found = []
    for article in articles:
        about = [row for row in rows if article.number in row.articles]
        n_learnt = sum(row.is_learnt for row in about)
        reason = why_not.get(article.number, "")
        if not reason and good[article.number] < least:
            reason = f"only {good[article.number]} of {len(about)} revisions were good, fewer than {least}"
        if not reason and n_learnt < least:
            reason = f"only {n_learnt} of its {len(about)} rows were learnt, fewer than {least}"
        found.append(ArticleRows(article.number, len(about), n_learnt, len(about) - n_learnt, reason))
    return tuple(found)


def taking_part(said: Dataset, ratified: Sequence[Article]) -> list[Article]:
    """Return the ratified articles that questions were made about: all but those left out from the start."""
    excluded = {each.number for each in said.articles if each.why_not and not each.n_prompts}
    return [article for article in ratified if article.number not in excluded]
