"""The file that people edit: what it shows, and that any words survive any editor."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.record.errors import MalformedError
from auzolan.deliberate.conversation import Statement
from auzolan.deliberate.wording.draft_file import escaped, one_line, read_draft, unescaped
from auzolan.deliberate.wording.draft_writing import Material, write_draft
from auzolan.deliberate.wording.drafting import verify_draft
from tests.deliberate.wording.selected import (
    ALSO_SURE,
    BASQUE,
    ID,
    JOKE,
    MATERIAL,
    NO_JOKE,
    PARTIES,
    SPAM,
    STATEMENTS,
    SUPPORT,
    SURE,
    TEXTS,
    changed,
    drafted,
    outcome,
    section,
    selection,
    signed,
    written,
)  # fmt: skip

MARKERS = st.sampled_from(
    ["### 2.1", "## Left out", "# ", "> ", "- [x] #1", "- editor: Eve", "- statement: #5", "* ", "+ ", "---", "===",
     "***", "\\", "`", "*x*", "[a](b)", "![a](b)", "<b>", "&amp;", "1. ", "2)", "~~", "|", "$x$", "__", "\r\n", "\n",
     "\n\n", "\u2028", "\x85", "\x0b", "\t", '"', "“", "שלום", "\u202e", "🏳️‍🌈", "#14", "- selection: `" + ID + "`",
     "<!-- x -->", "{", "'"]
)  # fmt: skip
WORDS = st.lists(MARKERS | st.text(max_size=8), min_size=1, max_size=8).map("".join) | st.lists(
    MARKERS | st.text(max_size=5), min_size=1, max_size=8
).map(" ".join)


def test_the_file_explains_itself_and_names_the_selection() -> None:
    text = written()
    top = text[: text.index("## Selected")]

    assert ID in top
    assert "put-to-vote" in top
    for word in ("words", "merge", "translation", "leave a statement out", "may not"):
        assert word in top


def test_who_is_against_a_contested_statement_is_said_unless_it_is_withheld() -> None:
    withheld = replace(outcome(), not_included=tuple(replace(each, against=()) for each in outcome().not_included))

    assert "why: contested, group B against it" in written()
    assert "withheld" in write_draft(withheld, ID, "t", "en", MATERIAL)


def test_possible_duplicates_are_offered_unticked_with_what_to_beware_of() -> None:
    first, joke = section("1.1"), section("3.1")

    assert f"- [ ] #{ALSO_SURE} “{TEXTS[ALSO_SURE]}” (82 % alike; the one with the most support)" in first
    assert f"- [ ] #{NO_JOKE}" in joke
    assert "only one of the two says no" in joke
    assert "[x]" not in first + joke


def test_nothing_that_is_moderated_out_or_in_conflict_is_offered() -> None:
    texts = {**TEXTS, BASQUE: TEXTS[JOKE], SPAM: TEXTS[JOKE]}
    material = Material({each: replace(STATEMENTS[each], text=text) for each, text in texts.items()}, SUPPORT)

    assert f"- [ ] #{NO_JOKE}" in section("3.1", written(material))
    assert f"- [ ] #{BASQUE}" not in section("3.1", written(material))
    assert f"- [ ] #{SPAM}" not in written(material)


def test_of_very_many_or_very_long_duplicates_some_are_shown_and_all_can_be_merged() -> None:
    long = "It should say so, with care, *whenever* it is not sure. " * 20
    texts = {**TEXTS, SURE: long} | {each: long + str(each) for each in range(20, 90)}
    material = Material({each: Statement(each, text, "out" if not text else "in") for each, text in texts.items()}, {})
    text = written(material)
    first = section("1.1", text)
    merged = signed(text.replace(f"- statement: #{SURE}\n", f"- statements: #{SURE}, #88 and #89\n"))

    assert 12 == first.count("- [ ] ")
    assert "- more: 58 others that are alike, #32, #33" in first
    assert max(len(line) for line in first.splitlines() if line.startswith("- ")) < 400
    assert drafted(text, material).principles[0].text == one_line(long)
    assert (SURE, 88, 89) == drafted(merged, material).principles[0].statements


def crlf(text: str) -> str:
    return text.replace("\n", "\r\n")


def trailing(text: str) -> str:
    return "\ufeff" + "\n".join(line + "  " for line in text.split("\n"))


def reflowed(text: str, prefix: str = "> ") -> str:
    """Break all quotes anew, as editors do; with prefix "" the lines after the first are left bare."""
    return "\n".join(
        textwrap.fill(line, 30, subsequent_indent=prefix, break_long_words=False, break_on_hyphens=False)
        if line.startswith("> ") else line
        for line in text.split("\n")
    )  # fmt: skip


def lazily(text: str) -> str:
    return reflowed(text, "")


def with_stars(text: str) -> str:
    return text.replace("\n- ", "\n* ").replace("### ", "###   ").replace("\n> ", "\n>")


@pytest.mark.parametrize("edit", [crlf, trailing, reflowed, lazily, with_stars])
def test_any_editor_may_save_the_file(edit: Callable[[str], str]) -> None:
    text = signed(changed(("- [ ] #1", "- [x] #1")))

    assert drafted(text) == drafted(edit(text))
    assert ["merged", "verbatim", "verbatim", "verbatim"] == [
        each.transformation for each in drafted(edit(text)).principles
    ]


@given(WORDS)
def test_markdown_shows_escaped_words_as_they_are(text: str) -> None:
    assert one_line(text) == unescaped(escaped(text))
    assert "\n" not in escaped(text)


@given(WORDS, WORDS, WORDS, st.sampled_from([str, crlf, trailing, reflowed, lazily, with_stars]))
def test_any_words_come_back_from_the_file(words: str, other: str, title: str, edit: Callable[[str], str]) -> None:
    texts = {**TEXTS, SURE: f"a {words}", JOKE: f"{other} b", ALSO_SURE: words, NO_JOKE: other}
    material = Material(
        {each: replace(STATEMENTS[each], text=text) for each, text in texts.items()},
        SUPPORT,
        {SURE: {"es": f"c {other}"}, BASQUE: {"eu": f"{words} d"}},
    )
    found = read_draft(edit(written(material, f"t {title} t")))

    assert one_line(f"t {title} t") == found.title
    assert [one_line(texts[each]) for each in (SURE, PARTIES, JOKE, BASQUE)] == [each.text for each in found.entries]
    assert [(SURE,), (PARTIES,), (JOKE,), (BASQUE,)] == [each.statements for each in found.entries]
    assert one_line(f"c {other}") == found.entries[0].translations["es"]
    assert one_line(f"{words} d") == found.entries[3].translations["eu"]
    assert {""} == {each.editor for each in found.entries}


@given(st.text() | WORDS, st.integers(0, 3000))
def test_whatever_is_typed_into_the_file_only_our_errors_come_out(typed: str, place: int) -> None:
    text = written()
    try:
        made = drafted(text[:place] + typed + text[place:])
    except MalformedError:
        return

    assert made == verify_draft(made, selection(), list(STATEMENTS.values()))


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        read_draft(text)
