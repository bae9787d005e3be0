"""Both faces of a constitution, in every state and every language: whole, safe, and the same in what they say."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from auzolan.deliberate.charter.html import html_page
from auzolan.deliberate.charter.markdown import markdown
from auzolan.deliberate.charter.markdown import safe as safe_in_markdown
from auzolan.deliberate.charter.words import LANGUAGES, words_of
from tests.deliberate.charter.charters import cases, town
from tests.deliberate.test_page import Page

CASES = cases()
EDITIONS = [(language, f"constitution.{language}.html") for language in LANGUAGES]
PAGES = {(name, each): html_page(of, words_of(each), EDITIONS) for name, of in CASES.items() for each in LANGUAGES}
FILES = {(name, each): markdown(of, words_of(each), EDITIONS) for name, of in CASES.items() for each in LANGUAGES}
READ = {which: Page(text) for which, text in PAGES.items()}
every_page = pytest.mark.parametrize("which", PAGES, ids="-".join)
every_language = pytest.mark.parametrize("language", LANGUAGES)
every_case = pytest.mark.parametrize("name", CASES)
TRANSLATED = {"town", "demo town", "hostile"}
IN_SHORT = town()


@every_page
def test_every_page_is_well_formed_and_stands_alone(which: tuple[str, str]) -> None:
    text, read = PAGES[which], READ[which]

    assert [] == read.open
    assert sorted(set(read.ids)) == sorted(read.ids)
    assert set() == {tag for tag, _ in read.tags} & {"script", "img", "link", "iframe", "object", "form", "base"}
    assert [] == [name for _, attributes in read.tags for name in attributes if name.startswith("on") or name == "src"]
    assert "http:" not in text
    assert "https:" not in text
    assert "url(" not in text
    assert [which[1]] == [attributes["lang"] for attributes in read.attributes("html")]
    assert ["default-src 'none'; style-src 'unsafe-inline'"] == [
        each["content"] for each in read.attributes("meta") if "http-equiv" in each
    ]


@every_page
def test_every_link_leads_to_the_page_or_to_another_language_of_it(which: tuple[str, str]) -> None:
    read = READ[which]
    links = {str(attributes["href"]) for attributes in read.attributes("a")}

    assert set() == links - {f"#{name}" for name in read.ids} - {name for _, name in EDITIONS}


@every_page
def test_headings_are_in_order_and_sections_are_named_by_them(which: tuple[str, str]) -> None:
    read = READ[which]
    levels = [int(head[1]) for head in read.heads]
    named = [a.get("aria-labelledby") for tag, a in read.tags if tag in {"section", "article"}]

    assert (1, 1) == (levels[0], levels.count(1))
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert set() == set(named) - set(read.ids)


@every_page
def test_landmarks_are_there_once(which: tuple[str, str]) -> None:
    tags = [tag for tag, _ in READ[which].tags]

    assert [1, 1, 1] == [tags.count(tag) for tag in ("main", "header", "footer")]


@every_page
def test_bars_are_hidden_from_screen_readers_and_tables_have_heads(which: tuple[str, str]) -> None:
    read = READ[which]
    bars = [a for tag, a in read.tags if tag == "div" and str(a.get("class", "")).startswith("bar")]

    assert [] == [a for a in bars if a.get("aria-hidden") != "true"]
    assert [] == [a for a in read.attributes("th") if a.get("scope") not in {"row", "col"}]
    assert [] == [a for a in read.attributes("svg") if a.get("role") != "img" and a.get("aria-hidden") != "true"]


@every_page
def test_nothing_of_the_templates_is_left(which: tuple[str, str]) -> None:
    for said in (READ[which].words, FILES[which]):
        without = said.replace("\\{", "").replace("\\}", "")
        if which[0] != "hostile":
            assert None is re.search(r"[{}]|None|\bnan\b", without)


@every_case
def test_all_languages_have_the_same_structure(name: str) -> None:
    heads = {tuple(READ[name, language].heads) for language in LANGUAGES}
    marks = {tuple(re.findall(r"^(?:#+ |\| |- |> )", FILES[name, each], re.MULTILINE)) for each in LANGUAGES}

    assert 1 == len(heads)
    assert name in TRANSLATED or 1 == len(marks)  # a translation adds a line


@every_case
def test_the_same_charter_gives_the_same_bytes(name: str) -> None:
    assert PAGES[name, "en"] == html_page(CASES[name], words_of("en"), EDITIONS)


@every_language
def test_hostile_text_is_shown_and_does_nothing(language: str) -> None:
    text, read, file = PAGES["hostile", language], READ["hostile", language], FILES["hostile", language]

    assert "<script" not in text
    assert 1 == text.count("</style>")
    assert [] == [c for c in text + file if c in "\u202e\u202c\x1b\x00\u200b"]
    assert "</style><script>alert(1)</script>\\u{202e}gnp\\u{202c}\\u{1b}[31m\\u{0}\\u{200b}" in read.words
    assert None is re.search(r"(?<!\\)<", file)


@pytest.mark.parametrize(
    ("outside", "shown"),
    [
        ("# no heading", r"\# no heading"),
        ("1. no list", r"1\. no list"),
        ("- no list", r"\- no list"),
        ("a | b", r"a \| b"),
        ("[a](b) ![c](d)", r"\[a\](b) !\[c\](d)"),
        ("*a* _b_ `c` ~d~", r"\*a\* \_b\_ \`c\` \~d\~"),
        ("https://a.example www.b.example c@d.example", r"https\://a.example www\.b.example c\@d.example"),
        ("&lt; <b>", r"\&lt; \<b\>"),
        ("line\n\n# break", r"line \# break"),
        ("1.5 plain (words), 2.1!", "1.5 plain (words), 2.1!"),
    ],
)
def test_text_from_outside_is_no_markdown(outside: str, shown: str) -> None:
    assert shown == safe_in_markdown(outside)


@every_language
def test_voted_texts_say_their_own_language(language: str) -> None:
    read = READ["town", language]
    voted = [
        a["lang"] for tag, a in read.tags if tag in {"p", "span"} and a.get("class") in {"said-text", "voted-text"}
        and "lang" in a
    ]  # fmt: skip

    assert {"en", ""} == set(voted)
    assert language in {a["hreflang"] for a in read.attributes("a") if "hreflang" in a}


@pytest.mark.parametrize(
    ("language", "translated", "mark"),
    [
        ("es", "El asistente dice cuándo no está seguro.", "Traducción. Se votó el texto en inglés:"),
        ("ca", "L’assistent diu quan no n’està segur.", "Traducció. Es va votar el text en anglès:"),
        ("eu", "Laguntzaileak esaten du noiz ez dagoen ziur.", "Itzulpena. Bozkatu zena ingelesezko testua da:"),
    ],
)
def test_a_translation_is_marked_and_the_voted_text_stands_beneath(language: str, translated: str, mark: str) -> None:
    voted = "The assistant says when it is not sure."

    assert f"{translated} {mark} {voted}" in READ["town", language].words
    assert f"> {translated}\n>\n> {mark} «{voted}»" in FILES["town", language]


def test_in_the_language_of_the_vote_nothing_is_called_a_translation() -> None:
    assert "Translation" not in PAGES["town", "en"].split("</style>")[1]
    assert "no translation" not in FILES["town", "en"]


def test_the_page_says_in_two_minutes_what_was_decided_by_whom() -> None:
    words = READ["town", "en"].words

    for said in (
        "Ratified on 25 April 2026 by the votes of those who took part",
        "280 people took part, of 1,240 who may vote: 23%.",
        "Rights that no vote lowers Nobody is refused an answer because of who they are.",
        "Who agrees: 9 in 10 of group A, 8 in 10 of group B; together 9 in 10 (plausibly 85% to 92%).",
        "Group B disagrees with it. It was ratified all the same",
        "Working group of the town (synthetic) found that these statements say the same",
        "Views we acknowledge",
        "Those who stand behind it have 120% of what one seat takes.",
        "Port fewer than 5, or nobody 10 –",
        "It lacked 105 more people who agree.",
        "Turn to those who govern this commons: Town library and Our school.",
        "Evidence grade A: ballots say agree, disagree or pass",
        "auzolan trace c0c0c0c0c0c0c0c0",
        "the participants, never the whole city",
        "Their letters mean nothing",
        "Excluded by #9: It should be free.",
    ):
        assert said in words


def test_numbers_stand_beside_every_bar() -> None:
    assert "All 89% 85–92 5% 6% 260 A 94% 90–97 3% 4% 160 B 81% 73–87 10% 9% 100" in READ["town", "en"].words


def test_numbers_follow_the_language() -> None:
    assert "1.240" in READ["town", "es"].words
    assert "% 89" in READ["town", "eu"].words
    assert "89 %" in READ["town", "ca"].words


def test_the_map_has_a_table_that_says_the_same() -> None:
    read = READ["town", "eu"]

    assert "A 160 % 57 B" in read.words
    assert "Puntuak taldeka, talde bakoitzeko lagun kopuruarekin: A · 160, B · 100." in read.words
    assert "map" not in READ["small", "eu"].ids


def test_only_a_demonstration_says_that_it_is_one() -> None:
    assert "throw-away keys" in READ["demo town", "en"].words
    assert "throw-away keys" not in READ["town", "en"].words
    assert "throw-away keys" in FILES["demo town", "en"]


@every_language
def test_what_did_not_get_in_is_folded_beyond_some(language: str) -> None:
    read = READ["300 statements", language]
    order = [
        tag for tag, a in read.tags if tag == "details" or (tag == "li" and re.match(r"p\d", str(a.get("id", ""))))
    ]

    assert 5 == order.index("details")
    assert 299 == order.count("li")
    assert 6 == order.count("details")
    assert len(PAGES["300 statements", language]) < 400_000


@every_language
def test_every_text_that_did_not_get_in_is_in_the_file(language: str) -> None:
    assert 299 == len(re.findall(r"^- \*\*\\#\d+\*\*", FILES["300 statements", language], re.MULTILINE))


def test_editions_are_plain_links_and_the_current_one_is_marked() -> None:
    read = READ["town", "ca"]
    links = [a for a in read.attributes("a") if "hreflang" in a]

    assert [name for _, name in EDITIONS] == [a["href"] for a in links]
    assert ["ca"] == [a["hreflang"] for a in links if a.get("aria-current") == "page"]
    assert "hreflang" not in html_page(IN_SHORT, words_of("ca"))
    assert "**Català**" not in markdown(IN_SHORT, words_of("ca"))


def test_the_list_at_the_top_says_where_its_words_are_translations() -> None:
    assert "Traducciones; el texto que se votó figura más abajo en cada caso." in READ["town", "es"].words
    assert "Translations; the words that people voted on" not in READ["town", "en"].words
