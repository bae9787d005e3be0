"""The languages of what is published: all complete, none left in English, numbers and dates as people write them."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from auzolan.core.record.errors import UsageError
from auzolan.deliberate.charter.words import LANGUAGES, Message, Words, words_of

ENGLISH = words_of("en")
OTHERS = tuple(language for language in LANGUAGES if language != "en")
every_language = pytest.mark.parametrize("language", LANGUAGES)
every_other = pytest.mark.parametrize("language", OTHERS)
# Words that happen to be the same in English and in another language, and symbols.
THE_SAME = {"agree_all", "exact", "range", "tenths"}
SHARED_WORDS = {("es", "th_of"), ("ca", "fact_articles"), ("ca", "nav_articles"), ("ca", "article")}


def forms(message: Message) -> list[str]:
    return [message] if isinstance(message, str) else [message["one"], message["other"]]


def placeholders(message: Message) -> set[str]:
    return {name for form in forms(message) for _, name, _, _ in Formatter().parse(form) if name is not None}


def nb(text: str) -> str:
    return text.replace("_", "\N{NO-BREAK SPACE}")


@every_other
def test_all_languages_say_the_same_things(language: str) -> None:
    words = words_of(language)

    assert list(ENGLISH.text) == list(words.text)
    assert set(ENGLISH.meta) == set(words.meta)
    assert set(ENGLISH.languages) == set(words.languages)
    assert [12] == [len(words.months)]


@every_other
def test_all_languages_have_the_same_placeholders(language: str) -> None:
    words = words_of(language)

    assert {} == {
        key: (placeholders(message), placeholders(words.text[key]))
        for key, message in ENGLISH.text.items()
        if placeholders(message) != placeholders(words.text[key])
    }


@every_other
def test_what_depends_on_a_number_does_so_everywhere(language: str) -> None:
    kinds = {key: type(message) for key, message in ENGLISH.text.items()}

    assert kinds == {key: type(message) for key, message in words_of(language).text.items()}


@every_other
def test_nothing_is_left_in_english(language: str) -> None:
    words = words_of(language)
    same = {key for key, message in words.text.items() if message == ENGLISH.text[key]}

    assert set() == same - THE_SAME - {key for tag, key in SHARED_WORDS if tag == language}
    assert words.name != ENGLISH.name
    assert words.months != ENGLISH.months


@every_language
def test_messages_hold_nothing_that_a_face_would_misread(language: str) -> None:
    words = words_of(language)
    said = [re.sub(r"`[^`]*`", "command", form) for message in words.text.values() for form in forms(message)]
    said += [words.quoted(""), words.listed(["A", "B", "C"]), *words.months, *words.languages.values(), words.name]

    assert [] == [form for form in said if re.search(r"[<>&*_\[\]|\\`#~]", form)]
    assert [] == [form for form in said if form != form.strip() or "  " in form or "'" in form]


@every_language
def test_commands_are_the_same_in_every_language(language: str) -> None:
    commands = {key: re.findall(r"`([^`]*)`", "".join(forms(message))) for key, message in ENGLISH.text.items()}

    assert commands == {
        key: re.findall(r"`([^`]*)`", "".join(forms(message))) for key, message in words_of(language).text.items()
    }


@every_language
def test_every_message_can_be_said(language: str) -> None:
    words = words_of(language)

    for key, message in words.text.items():
        for n in (0, 1, 2):
            assert words.message(key, n).format(**dict.fromkeys(placeholders(message), "1"))


@pytest.mark.parametrize(
    ("language", "number", "share", "tiny", "nearly"),
    [
        ("en", "1,234,567", "93%", "<1%", ">99%"),
        ("es", "1.234.567", "93_%", "<1_%", ">99_%"),
        ("ca", "1.234.567", "93_%", "<1_%", ">99_%"),
        ("eu", "1.234.567", "%_93", "<%_1", ">%_99"),
    ],
)
def test_numbers_are_written_as_the_language_does(
    language: str, number: str, share: str, tiny: str, nearly: str
) -> None:
    words = words_of(language)

    assert number == words.number(1_234_567)
    assert [nb(each) for each in (share, tiny, nearly)] == [
        words.percent(93, 100),
        words.percent(1, 1_000),
        words.percent(999, 1_000),
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_and_nothing_are_said_of_all_and_nothing_only(language: str) -> None:
    words = words_of(language)

    assert words.whole_percent(100) == words.percent(7, 7)
    assert words.whole_percent(0) == words.percent(0, 7)
    assert words.whole_percent(120) == words.percent(6, 5)


@pytest.mark.parametrize(
    ("language", "iso", "shown"),
    [
        ("en", "2026-04-01", "1 April 2026"),
        ("es", "2026-04-25", "25 de abril de 2026"),
        ("ca", "2026-04-25", "25 d’abril de 2026"),
        ("ca", "2026-11-20", "20 de novembre de 2026"),
        ("eu", "2026-04-25", "2026ko apirilaren 25a"),
        ("eu", "2025-11-11", "2025eko azaroaren 11"),
        ("eu", "2030-12-31", "2030eko abenduaren 31"),
        ("eu", "2031-01-01", "2031ko urtarrilaren 1a"),
        ("eu", "2021-01-30", "2021eko urtarrilaren 30a"),
        ("en", "in spring", "in spring"),
        ("es", "2026-13-01", "2026-13-01"),
    ],
)
def test_dates_are_written_as_the_language_does(language: str, iso: str, shown: str) -> None:
    assert shown == words_of(language).date(iso)


@pytest.mark.parametrize(
    ("language", "shown"), [("en", "A, B and C"), ("es", "A, B y C"), ("ca", "A, B i C"), ("eu", "A, B eta C")]
)
def test_lists_end_as_the_language_does(language: str, shown: str) -> None:
    words = words_of(language)

    assert shown == words.listed(["A", "B", "C"])
    assert ["A", ""] == [words.listed(["A"]), words.listed([])]


def test_a_language_that_nobody_named_is_named_by_its_tag() -> None:
    assert "Spanish" == ENGLISH.language_name("es-ES")
    assert "another language (oc)" == ENGLISH.language_name("oc")


def test_a_language_without_words_is_refused() -> None:
    with pytest.raises(UsageError, match="there are no words in 'fr' yet, only in en, es, ca, eu"):
        words_of("fr")


def test_words_are_read_once() -> None:
    assert isinstance(ENGLISH, Words)
    assert words_of("en") is ENGLISH
