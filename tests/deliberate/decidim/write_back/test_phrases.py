"""The languages of what goes back: all complete, none left in English, and what is said in a locale that has none."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from auzolan.deliberate.decidim.dispositions import WHYS
from auzolan.deliberate.decidim.write_back.phrases import LANGUAGES, Message, phrases_of, speaking_in

ENGLISH = phrases_of("en")
OTHERS = tuple(language for language in LANGUAGES if language != "en")
EVERY = {f"{table}.{key}": message for table in ("text", "readme") for key, message in getattr(ENGLISH, table).items()}
# What is spelled alike in English and in another language.
SHARED = {("ca", "text.article_title"), ("ca", "text.group")}


def messages(language: str) -> dict[str, Message]:
    phrases = phrases_of(language)
    return {f"{table}.{key}": said for table in ("text", "readme") for key, said in getattr(phrases, table).items()}


def forms(message: Message) -> list[str]:
    return [message] if isinstance(message, str) else [message["one"], message["other"]]


def placeholders(message: Message) -> set[str]:
    return {name for form in forms(message) for _, name, _, _ in Formatter().parse(form) if name is not None}


@pytest.mark.parametrize("language", OTHERS)
def test_all_languages_say_the_same_things_with_the_same_placeholders(language: str) -> None:
    own = messages(language)

    assert list(EVERY) == list(own)
    assert set(ENGLISH.meta) == set(phrases_of(language).meta)
    assert {} == {
        key: (type(message), type(own[key]), placeholders(message) ^ placeholders(own[key]))
        for key, message in EVERY.items()
        if type(message) is not type(own[key]) or placeholders(message) != placeholders(own[key])
    }


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_is_left_in_english(language: str) -> None:
    same = {key for key, message in messages(language).items() if message == EVERY[key]}

    assert {key for tag, key in SHARED if tag == language} == same


@pytest.mark.parametrize("language", LANGUAGES)
def test_commands_and_columns_are_the_same_in_every_language(language: str) -> None:
    names = re.compile(r"`[^`]*`|[a-z]+_[a-z_]+")
    own = messages(language)

    assert {} == {
        key: forms(own[key])
        for key, message in EVERY.items()
        if sorted(names.findall("".join(forms(message)))) != sorted(names.findall("".join(forms(own[key]))))
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_citizens_read_holds_no_html_and_speaks_of_the_participants_only(language: str) -> None:
    said = [form for message in phrases_of(language).text.values() for form in forms(message)]

    assert [] == [form for form in said if re.search(r"[<>&\"\\#]|^[-+=@]|  ", form) or form != form.strip()]
    assert [] == [form for form in said if re.search(r"\b(city|citizens|ciudadanía|ciutadania|herritar\w*)\b", form)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_has_its_words(language: str) -> None:
    reasons = {f"why_{why.replace(' ', '_')}" for whys in WHYS.values() for why in whys}

    assert reasons == {key for key in phrases_of(language).text if key.startswith("why_")}


@pytest.mark.parametrize(
    ("locale", "main", "language"),
    [
        ("ca", "es", "ca"),
        ("es-MX", "ca", "es"),
        ("fr", "ca", "ca"),
        ("gl", "fr", "en"),
        ("pt-BR", "en", "en"),
        ("eu", "fr", "eu"),
    ],
)
def test_a_locale_speaks_its_language_else_the_main_one_else_english(locale: str, main: str, language: str) -> None:
    assert language == speaking_in(locale, main).language


def test_numbers_choose_their_form() -> None:
    assert "It lacked 1 more person who agrees." == ENGLISH.say("lacks", 1)
    assert "It lacked 1,200 more people who agree." == ENGLISH.say("lacks", 1200)
    assert "0 propuestas" == phrases_of("es").say("proposals", 0)
    assert "A, B eta C" == phrases_of("eu").listed(["A", "B", "C"])
