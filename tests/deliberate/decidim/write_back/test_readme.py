"""The README for the admin: it says how many are told, what is linked and what not, and what stands in the files."""

from __future__ import annotations

import pytest

from auzolan.deliberate.decidim.write_back.answers import AboutAnswers, AnswerOptions
from auzolan.deliberate.decidim.write_back.phrases import LANGUAGES
from auzolan.deliberate.decidim.write_back.readme import readmes
from tests.deliberate.decidim.write_back.towns import RECORD, article, cited, published, town

ANSWERS = AboutAnswers(
    {0: {"deferred": 1}, 5: {"adopted": 2, "deferred": 1200}},
    {0: 1, 5: 2},
    {"answered": 3, "unchanged": 1, "unchosen": 2},
)


def english(**more: object) -> str:
    return readmes(town(), ANSWERS, **more)[0].data.decode()  # type: ignore[arg-type]


def test_it_is_there_in_english_and_in_the_main_language() -> None:
    assert ["README.md", "README.ca.md"] == [each.name for each in readmes(town(), ANSWERS)]
    assert ["README.md"] == [each.name for each in readmes(published(locales=("fr", "ca")), ANSWERS)]
    assert ["README.md"] == [each.name for each in readmes(published(locales=("en",)), ANSWERS)]


def test_it_says_how_many_proposals_are_notified_and_how_many_were_left_out() -> None:
    text = english()

    assert "Authors and followers of 1,203 proposals get a message" in text
    assert (
        "- component 5: `proposal-answers-component-5.csv` … `proposal-answers-component-5-part-2.csv`, 1,202 "
        "proposals (2 accepted, 1,200 under evaluation, 0 rejected)"
    ) in text
    assert "No file holds more than 1,000 answers" in text
    assert "does not tell the component of 1 of these proposals" in text
    assert "- 3 proposals were left out: they have an official answer already" in text
    assert "- 1 proposal was left out: its answer has not changed" in text


def test_it_says_what_will_be_linked_and_why_not_more() -> None:
    text = english()

    assert "reads only the last digit" in text
    assert "- 1 article is linked to all its proposals." in text
    assert "- 1 article is linked to one of its proposals." in text
    assert "would link a wrong proposal, in public" in english(importer="mended")


def test_it_names_every_file_and_the_record() -> None:
    text = english()

    for name in ("accountability-results.csv", "participatory-text.ca.md", "participatory-text.es.md", RECORD):
        assert name in text


def test_it_says_in_which_language_a_locale_without_phrases_is() -> None:
    text = readmes(published(locales=("eu", "fr")), ANSWERS)[0].data.decode()

    assert (
        "- eu: in euskara\n- fr: there are no phrases in this language yet, so what surrounds the texts is in" in text
    )


def test_it_names_the_tokens_that_were_written() -> None:
    options = AnswerOptions({"adopted": "in", "deferred": "later", "rejected": "out"})

    assert "the tokens `in`, `later` and `out`" in english(options=options)


def test_without_answers_nobody_is_notified() -> None:
    text = readmes(town(), AboutAnswers({}, {}, {}))[0].data.decode()

    assert "No answers were written." in text
    assert "notifies people" not in text


def test_a_title_from_outside_is_text() -> None:
    odd = published(article("1.1", cited(66)), title={"ca": "# <script> [x](javascript:1)"})
    first = readmes(odd, ANSWERS)[0].data.decode().splitlines()[0]

    assert r"# Back into decidim.example.org: \# &lt;script&gt; \[x\](javascript:1)" == first


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_all_of_it(language: str) -> None:
    text = readmes(published(article("1.1"), locales=(language,)), ANSWERS)[-1].data.decode()

    assert (2, 7, 1) == (
        text.count("proposal_urls") + text.count("proposal_ids"),
        text.count("\n## "),
        text.count("\n### "),
    )
    assert "{" not in text
    assert "\n\n\n" not in text
