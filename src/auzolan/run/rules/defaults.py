"""The rules that a community starts from, as a file with comments to be read and changed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType

from auzolan.core.record.errors import MalformedError, UsageError
from auzolan.run.rules.forms import OPERATOR, read_article

_ID = re.compile(r'id = "([^"]*)"')
_UNTIED = f'article = "{OPERATOR}"'
_NONE: Mapping[str, str] = MappingProxyType({})


def default_text(articles: Mapping[str, str] = _NONE) -> str:
    """Return the text of the file.

    Args:
        articles: id of one of its rules -> number of the article, or id of the right, that it is of; rules that are
            not named stay the operator's own.

    Raises:
        UsageError: there is no such rule, or an article is none.
    """
    lines = files("auzolan.run.rules").joinpath("default.toml").read_text(encoding="utf-8").split("\n")
    current, tied = "", set()
    for place, line in enumerate(lines):
        if found := _ID.fullmatch(line):
            current = found[1]
        if line == _UNTIED and current in articles:
            lines[place] = f"article = {_quoted(articles[current])}"
            tied.add(current)
    if unknown := sorted(set(articles) - tied):
        raise UsageError(f"the default rules have no rule {unknown[0][:60]!r}")
    return "\n".join(lines)


def _quoted(article: str) -> str:
    try:
        return json.dumps(read_article(article, "article") or OPERATOR, ensure_ascii=False)
    except MalformedError as error:
        raise UsageError(str(error)) from None
