"""What Decidim's importers do with a file, written from their rules; shares no code with what writes the files.

Rules read in decidim-accountability (results), decidim-proposals (answers, participatory texts) and decidim-admin
(reading and checking of imports). Fewer: dates, parents, categories, lists and images are not here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Literal

Cell = str | None


class RefusedError(Exception):
    """The importer would change nothing and show an error."""


def cells(data: bytes) -> list[list[Cell]]:
    """Split CSV as Ruby's library does: an empty cell is nothing, a quoted empty one is an empty text."""
    text, rows, current = data.decode("utf-8"), [], []
    place, cell, quoted = 0, "", False
    while place < len(text):
        mark = text[place]
        if mark == '"' and cell == "" and not quoted:
            place, cell = _quoted(text, place + 1)
            quoted = True
            if text[place] not in ";\n":
                raise RefusedError("text after a quoted cell")
            continue
        if mark in ";\n":
            current.append(cell if cell or quoted else None)
            cell, quoted = "", False
            if mark == "\n":
                rows.append(current)
                current = []
        elif mark in '"\r':
            raise RefusedError("a quote or a carriage return in an unquoted cell")
        else:
            cell += mark
        place += 1
    if current or cell:
        raise RefusedError("the last line has no end")
    return [[] if row == [None] else row for row in rows]


def _quoted(text: str, place: int) -> tuple[int, str]:
    start = place
    while True:
        end = text.index('"', place)
        if text[end + 1 : end + 2] != '"':
            return end + 1, text[start:end].replace('""', '"')
        place = end + 2


def _present(cell: Cell) -> bool:
    return bool(cell and cell.strip())


@dataclass(frozen=True)
class Result:
    """A result as it stands in the database."""

    title: dict[str, str]
    description: dict[str, str]
    progress: float
    proposals: tuple[int, ...]


def import_results(
    data: bytes,
    locales: Sequence[str],
    space: Collection[int],
    rule: Literal["shipped", "mended"] = "shipped",
) -> list[Result]:
    """Import results into an empty component; the first locale is the organization's default."""
    header, *rows = cells(data)
    results: list[Result] = []
    for number, row in enumerate((row for row in rows if row), start=2):
        if len(row) != len(header):
            raise RefusedError(f"line {number}: cells without a column")
        given = {str(name): cell for name, cell in zip(header, row, strict=True)}
        if _present(given.get("id")):
            raise RefusedError("would overwrite a result, or name a made-up one")
        texts = [_by_locale(field, given, locales) for field in ("title", "description")]
        if not all(_present(text[locales[0]]) for text in texts):
            raise RefusedError(f"line {number}: title and description cannot be blank")
        progress = float(given.get("progress") or 0)
        if not 0 <= progress <= 100:
            raise RefusedError(f"line {number}: progress")
        linked = _proposal_ids(given, rule)
        results.append(Result(texts[0], texts[1], progress, tuple(each for each in linked if each in space)))
    return results


def _by_locale(field: str, given: Mapping[str, Cell], locales: Sequence[str]) -> dict[str, str]:
    default = given.get(f"{field}/{locales[0]}") or ""
    chosen = {locale: given.get(f"{field}/{locale}") for locale in locales}
    return {locale: cell if cell is not None and _present(cell) else default for locale, cell in chosen.items()}


def _proposal_ids(given: Mapping[str, Cell], rule: str) -> list[int]:
    urls = given.get("proposal_urls")
    if urls is None or not _present(urls):
        # The row is the form's parameters, so one text reaches the list of integers: one integer, read as far as it is.
        found = re.match(r"\s*([0-9]+)", given.get("proposal_ids") or "")
        return [int(found[1])] if found else []
    pattern = r"[0-9]$" if rule == "shipped" else r"[0-9]+$"
    ends = [re.search(pattern, url, re.MULTILINE) for url in urls.split(";")]
    return [int(end[0]) if end else 0 for end in ends]


@dataclass(frozen=True)
class Answer:
    """A proposal's answer as it stands in the database."""

    state: str
    answer: dict[str, str]


def import_answers(
    data: bytes,
    form: Literal["csv", "json"],
    component: int,
    proposals: Mapping[int, int],
    locales: Sequence[str],
    required: Literal["state", "status"] = "state",
    tokens: Collection[str] = ("evaluating", "accepted", "rejected", "not_answered"),
) -> dict[int, Answer]:
    """Import answers into a component; `proposals` are all of the instance, each with its component."""
    headers, rows = _table(data, form)
    if missing := {"id", required, f"answer/{locales[0]}"} - set(headers):
        raise RefusedError(f"missing columns: {missing}")
    if len(set(headers)) != len(headers):
        raise RefusedError("repeated columns")
    answers: dict[int, Answer] = {}
    for number, row in enumerate(rows, start=1):
        given = dict(zip(headers, row, strict=False))
        key = int(given.get("id") or 0)
        if proposals.get(key) != component or given.get("state") not in tokens:
            raise RefusedError(f"found an error in row {number}")
        if "answer" in given:
            raise RefusedError("a column without a locale would be taken whole")
        said = {locale: given[f"answer/{locale}"] for locale in locales if given.get(f"answer/{locale}") is not None}
        answers[key] = Answer(str(given["state"]), {locale: str(text) for locale, text in said.items()})
    return answers


def _table(data: bytes, form: str) -> tuple[list[str], list[list[Cell]]]:
    if form == "csv":
        header, *rows = cells(data)
        return [str(name) for name in header], rows
    items = json.loads(data)
    return list(items[0]), [[str(value) for value in item.values()] for item in items]


@dataclass(frozen=True)
class Part:
    """A part of a participatory text as it stands in the database: title and body hold HTML."""

    level: Literal["section", "sub-section", "article"]
    title: str
    body: str


_ESCAPED = frozenset("\\`*_{}[]()#+-.!:|&<>^~")
_BLOCK = re.compile(r" {0,3}([-+*] |[0-9]+\. |>|<[a-zA-Z/!?]|```|~~~|\[[^\]]*\]:)| {4}|\t")
_RULE = re.compile(r" {0,3}([*_-] *){3,}$")


def import_markdown(data: bytes) -> list[Part]:
    """Split a document as Redcarpet does with autolink and underline, without the blocks that are no paragraphs."""
    document = re.sub(r"<!--.*-->", "", data.decode("utf-8"))
    parts: list[Part] = []
    for block in re.split(r"\n[ \t]*\n+", document.strip("\n")):
        heading = re.fullmatch(r"(#{1,6}) *(.*?) *#*", block)
        if heading:
            title = inline(heading[2])
            parts.append(Part("section" if len(heading[1]) == 1 else "sub-section", title, title))
            continue
        lines = block.split("\n")
        if any(_BLOCK.match(line) or _RULE.fullmatch(line) or re.fullmatch(r"(=+|-+) *", line) for line in lines):
            raise RefusedError(f"not a paragraph: {block[:40]!r}")
        articles = sum(part.level == "article" for part in parts)
        parts.append(Part("article", str(articles + 1), inline(block)))
    return parts


def inline(text: str) -> str:
    """Return what Redcarpet makes of a paragraph: marks become HTML, an escaped mark is itself, entities stay."""
    made, place = "", 0
    while place < len(text):
        mark, rest = text[place], text[place:]
        if mark == "\\" and rest[1:2] in _ESCAPED and len(rest) > 1:
            made, place = made + rest[1], place + 2
            continue
        if _is_address(made, rest):
            made += "<a href>"
        elif mark in "*_`[":
            made += "<em>"
        made, place = made + mark, place + 1
    return made


def _is_address(made: str, rest: str) -> bool:
    if rest.startswith("://"):
        return bool(re.search(r"(https?|ftp)$", made))
    if rest.startswith("www."):
        return not made[-1:].isalnum()
    return bool(re.search(r"[A-Za-z0-9._+-]$", made) and re.match(r"@[A-Za-z0-9-]+\.[A-Za-z]", rest))


class Page(HTMLParser):
    """HTML as a browser would show it: paragraphs and items, links, and all tags and attributes."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.loose = ""
        self._is_open = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag in ("p", "li"):
            self.blocks.append("")
            self._is_open = True

    def handle_endtag(self, tag: str) -> None:
        self._is_open = self._is_open and tag not in ("p", "li")

    def handle_data(self, data: str) -> None:
        if self._is_open:
            self.blocks[-1] += data
        else:
            self.loose += data
