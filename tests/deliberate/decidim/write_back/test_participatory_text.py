"""The text of the next round, as Decidim's Markdown importer splits it: nothing of it is Markdown or HTML."""

from __future__ import annotations

import html

import pytest
from hypothesis import given

from auzolan.deliberate.decidim.write_back.participatory_text import file_name, participatory_text
from tests.deliberate.decidim.write_back.importers import Page, Part, RefusedError, import_markdown
from tests.deliberate.decidim.write_back.towns import TEXTS, article, line, published


def imported(*articles: object, locale: str = "ca", title: str = "Constitució") -> list[Part]:
    return import_markdown(participatory_text(published(*articles, title={"ca": title}), locale))


def test_articles_stand_under_their_numbers() -> None:
    parts = imported(
        article("1.1", text="Un."),
        article("1.3", text="Dos."),
        article("2.1", text="Tres."),
        article("3.1", text="Quatre.", acknowledged=True),
    )

    assert [
        ("section", "Constitució"),
        ("sub-section", "Article 1 (1.1, 1.3)"),
        ("article", "Un."),
        ("article", "Dos."),
        ("sub-section", "Article 2 (2.1)"),
        ("article", "Tres."),
        ("sub-section", "Postures reconegudes 3 (3.1)"),
        ("article", "Quatre."),
    ] == [(part.level, part.body) for part in parts]
    assert ["1", "2", "3", "4"] == [part.title for part in parts if part.level == "article"]


@pytest.mark.parametrize(
    ("locale", "heading"), [("es", "Artículo 1 (1.1)"), ("eu", "1. artikulua (1.1)"), ("fr", "Article 1 (1.1)")]
)
def test_headings_are_in_the_language(locale: str, heading: str) -> None:
    assert heading == imported(article("1.1"), locale=locale)[1].title


@given(TEXTS)
def test_every_article_is_one_paragraph_that_shows_the_text_as_it_is(text: str) -> None:
    parts = imported(article("1.1", text=text), article("1.2", text="Cua."))

    assert ["section", "sub-section", "article", "article"] == [part.level for part in parts]
    assert line(text) == html.unescape(parts[2].body)
    assert set() == Page(parts[2].body).tags
    assert "Cua." == parts[3].body


@given(TEXTS)
def test_a_title_is_a_heading_without_html(text: str) -> None:
    title = imported(article("1.1"), title=text)[0].title

    assert line(text).translate(str.maketrans("<>@", "‹›＠")) == title


@pytest.mark.parametrize(
    "text",
    [
        "# A heading",
        "#hash",
        "- a list",
        "+ a list",
        "1. a list",
        "> a quotation",
        "---",
        "***",
        "===",
        "== =",
        "~~~ code",
        "```",
        "    code",
        "[a]: https://evil.example",
        "[a](javascript:alert(1))",
        "![a](https://evil.example/x.png)",
        "<script>alert(1)</script>",
        "<!-- gone -->",
        "&lt;b&gt;",
        "https://evil.example",
        "www.evil.example",
        "someone@evil.example",
        "a\n# not a heading",
        "a\n\n# not a heading",
        "a\n===",
        "\\# slashes \\",
        "snake_case_word *and* **stars** `code`",
    ],
)
def test_marks_of_markdown_are_text(text: str) -> None:
    parts = imported(article("1.1", text=text))

    assert [line(text)] == [html.unescape(part.body) for part in parts[2:]]
    assert set() == Page(parts[2].body).tags


def test_the_reader_would_see_a_mark_that_is_not_escaped() -> None:
    with pytest.raises(RefusedError):
        import_markdown(b"- a list\n")

    assert {"em"} == Page(import_markdown(b"a *b* c\n")[0].body).tags
    assert {"a"} == Page(import_markdown(b"see www.a.example\n")[0].body).tags


def test_each_locale_has_a_file() -> None:
    assert "participatory-text.pt-BR.md" == file_name("pt-BR")
