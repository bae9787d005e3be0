"""Texts out of HTML and as they may be shown: nothing is refused, nothing takes long, what is done is counted."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.deliberate.decidim.entities import Left
from auzolan.deliberate.decidim.texts import Cleaner, plain_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("no markup, two\nlines", "no markup, two\nlines"),
        ("<p>One <b>bold</b> word &amp; more</p>\n<p>Two</p>", "One bold word & more\n\nTwo"),
        ("<ul><li>a</li><li>b</li></ul>after", "a\nb\nafter"),
        ("one<br>two<br/><br />three", "one\ntwo\n\nthree"),
        ("<p>a\nb</p>", "a b"),
        ("<div>a</div><p></p><div>b</div>", "a\n\nb"),
        ("a < b & c > d", "a < b & c > d"),
        ("love <3 and x<y", "love <3 and x<y"),
        ("x<script>alert('<p>')</script>y<style>p{}</style>z", "xyz"),
        ("x<script>never closed", "x"),
        ("before<!-- <p>hidden</p> -->after", "beforeafter"),
        ("<!-- never closed", "<!-- never closed"),
        ('<a href="https://x.example" title="a>b">link</a>', "link"),
        ("<a title='unbalanced>link</a>", "link"),
        ("&lt;p&gt;written&lt;/p&gt;", "<p>written</p>"),
        ("&#x41;&#66;&nbsp;&unknown;", "AB &unknown;"),
        ("<![CDATA[x]]>", "<![CDATA[x]]>"),
        ("", ""),
    ],
)
def test_html_becomes_readable_text(html: str, text: str) -> None:
    assert text == plain_text(html)


@pytest.mark.parametrize(
    "piece",
    ["<a", "<", "<!--", "<p>", "<a b='", '<a "', "</", "<![", "&#", "<p ", "<script>", "<a '\"", "\n<b>", " <i>"],
)
def test_broken_markup_takes_no_longer_than_its_length_asks(piece: str) -> None:
    html = piece * (200_000 // len(piece))

    begins = time.process_time()
    plain_text(html)

    assert time.process_time() - begins < 2  # html.parser takes minutes over some of these


@given(st.text(alphabet="<>/!-p&;# a\"'=\nbrscipt", max_size=60))
def test_any_text_gives_some_text(html: str) -> None:
    text = plain_text(html)

    assert isinstance(text, str)


def test_what_is_masked_and_replaced_is_counted() -> None:
    cleaner = Cleaner()

    text = cleaner.clean("  Write to ana@example.org or 600 123 456\r\nor \x07 half \ud800\r ")

    assert "Write to [e-mail] or [number]\nor \ufffd half \ufffd" == text
    expected = (
        Left("e-mail addresses masked in texts", 1),
        Left("long numbers masked in texts", 1),
        Left("control characters and halves of characters replaced in texts", 2),
    )
    assert expected == cleaner.left


def test_accents_and_other_scripts_stay() -> None:
    text = "Més arbres, ¿sí? Ñ 日本 العربية 👍\u200d"

    assert text == Cleaner().clean(text)
