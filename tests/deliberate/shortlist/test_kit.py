"""The files that an admin of a stock Decidim pastes, and that participants read."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import replace
from importlib.resources import files
from string import Formatter

import pytest

from auzolan.core.record.errors import UsageError, VerificationError
from auzolan.deliberate.charter.words import LANGUAGES
from auzolan.deliberate.decidim.entities import Taxonomy
from auzolan.deliberate.shortlist.blocks import lay_out
from auzolan.deliberate.shortlist.kit import kit_files
from auzolan.deliberate.shortlist.listing import drafted
from auzolan.deliberate.shortlist.phrases import phrases_of
from auzolan.deliberate.sources.survey_words import default_words, fold
from auzolan.deliberate.sources.texts import unfit
from tests.deliberate.shortlist import lists
from tests.deliberate.shortlist.lists import HARMFUL, choice, kit
from tests.deliberate.shortlist.pam import pam_2016, proposal


def _texts(made: dict[str, bytes]) -> dict[str, str]:
    return {name: data.decode("utf-8") for name, data in made.items()}


def _rows(text: str) -> list[str]:
    return text.rsplit("===\n", 1)[1].splitlines()


def test_the_files_of_a_kit() -> None:
    names = {"README.md", "process.ca.md", "process.es.md"}
    surveys = {f"survey-{each}.{kind}" for each in range(1, 7) for kind in ("ca.txt", "es.txt", "json")}

    assert names | surveys == kit_files(kit()).keys()


def test_a_kit_is_the_same_every_time() -> None:
    assert kit_files(kit()) == kit_files(kit())


def test_the_rows_of_a_survey_are_in_the_order_of_its_block_and_begin_with_their_numbers() -> None:
    made = kit()
    texts = _texts(kit_files(made))

    for number, survey in enumerate(made.surveys, 1):
        rows = _rows(texts[f"survey-{number}.ca.txt"])
        assert [f"[{each}] {made.statements[each - 1].text['ca']}" for each in survey] == rows
        assert rows == [each["text"]["ca"] for each in json.loads(texts[f"survey-{number}.json"])["rows"]]


def test_the_options_of_every_language_are_known_to_the_reader_of_answers() -> None:
    known = dict(default_words())

    for language in LANGUAGES:
        options = phrases_of(language).options()
        assert [1, -1, 0] == [vote for vote, _ in options]
        assert options == tuple((known[fold(word)], word) for _, word in options)
        assert not any(unfit(word) or "," in word or word[0] in "=+-@" for _, word in options)


def test_a_survey_as_data() -> None:
    found = json.loads(kit_files(kit())["survey-2.json"])

    assert ("matrix_single", False, 2, 6, None) == tuple(
        found[name] for name in ("type", "mandatory", "survey", "surveys", "shortlist")
    )
    assert {"vote": 1, "text": {"ca": "D'acord", "es": "De acuerdo"}} == found["options"][0]
    assert {"ca", "es"} == found["terms"].keys()  # without them nobody can send it in that language


def test_what_lacks_a_translation_is_in_the_main_language_and_said() -> None:
    made = kit()
    one, *others = made.statements
    made = replace(made, statements=(replace(one, text=dict(one.text) | {"es": "Más árboles"}), *others))
    texts = _texts(kit_files(made))
    rows = {row for each in range(1, 7) for row in _rows(texts[f"survey-{each}.es.txt"])}

    assert "Sense traducció (es): 2-6." in texts["README.md"]
    assert "No translation (es): 2-6." in texts["README.md"]
    assert "[1] Más árboles" in rows
    assert f"[2] {made.statements[1].text['ca']}" in rows


def test_harmful_titles_stay_one_row_with_their_own_number() -> None:
    of = [proposal(at, title) for at, title in enumerate(HARMFUL.values(), 1)]
    made = kit(len(of), 50, of=of, languages=("ca",))
    texts = _texts(kit_files(made))
    rows = _rows(texts["survey-1.ca.txt"])

    assert [str(each.id) for each in made.statements] == [re.match(r"\[(\d+)\] ", row)[1] for row in rows]  # type: ignore[index]
    assert "<script>alert" not in texts["process.ca.md"].replace("\\<", "")
    assert not any(mark in "".join(texts.values()) for mark in "\u202e\x00\x1b\u2028")
    assert "Més de 300 caràcters" in texts["README.md"]


def test_the_kit_of_a_draft_says_so_and_the_final_one_names_the_record() -> None:
    draft, final = (_texts(kit_files(each)) for each in (kit(), kit(record="ab" * 32, link="https://example.org/s")))

    assert "This is a draft" in draft["README.md"]
    assert "signada" not in draft["process.ca.md"]
    assert f"`{'ab' * 32}`" in final["README.md"]
    assert "<https://example.org/s>" in final["process.ca.md"]
    assert "ab" * 32 == json.loads(final["survey-1.json"])["shortlist"]


def test_the_readme_is_in_english_once() -> None:
    texts = [
        kit_files(kit(languages=(each,), statements=drafted(choice(), (each,))))["README.md"] for each in LANGUAGES
    ]

    assert [1, 1, 1, 1] == [text.decode().count("How to ask everybody inside your Decidim") for text in texts]


@pytest.mark.parametrize(
    ("surveys", "first", "last"),
    [
        (1, "[Obrir l'enquesta](LINK-1).", ""),
        (
            4,
            "Mes de naixement gener, febrer i març: [enquesta 1](LINK-1)",
            "octubre, novembre i desembre: [enquesta 4]",
        ),
        (5, "entre el dia 1 i el 6 de qualsevol mes: [enquesta 1]", "entre el dia 25 i el 31 de qualsevol mes"),
        (31, "Si vas néixer el dia 1 de", "Si vas néixer el dia 31 de"),
        (32, "- [Enquesta 1](LINK-1)", "- [Enquesta 32](LINK-32)"),
    ],
)
def test_who_answers_which_survey(surveys: int, first: str, last: str) -> None:
    made = kit(surveys=lay_out(6, 6, surveys) if surveys > 1 else lay_out(6, 6))
    page = kit_files(made)["process.ca.md"].decode()

    assert first in page
    assert last in page


@pytest.mark.parametrize("surveys", range(2, 32))
def test_every_birthday_has_one_survey(surveys: int) -> None:
    page = kit_files(kit(surveys=lay_out(6, 6, surveys), languages=("en",), statements=drafted(choice(), ("en",))))
    text = page["process.en.md"].decode()
    days = [range(int(a), int(b or a) + 1) for a, b in re.findall(r"Born on day (\d+)(?: to (\d+))? of", text)]

    assert list(range(1, 32)) == [day for each in days for day in each] or 12 % surveys == 0
    assert surveys == len(re.findall(r"\(LINK-\d+\)", text))


def test_the_page_of_the_process_tells_quotas_seed_and_statements() -> None:
    page = kit_files(kit())["process.ca.md"].decode()

    assert "- De trobades: 3 afirmacions, de 6 propostes" in page
    assert "«seed»" in page
    assert "Totes les afirmacions són títols de propostes" in page
    assert "(proposta 1)" in page


def test_an_edited_statement_is_marked() -> None:
    made = kit()
    one, *others = made.statements
    page = kit_files(replace(made, statements=(replace(one, own_words=False), *others)))["process.ca.md"].decode()

    assert f"1. {one.text['ca']} \\* (" in page
    assert "El text d'una afirmació, marcada amb *" in page


def test_the_name_of_a_group_is_shown_as_it_is() -> None:
    of = [proposal(each, taxonomies=(Taxonomy(1, {"ca": "a | b *c*"}),)) for each in range(1, 4)]
    made = kit()
    page = kit_files(replace(made, choice=choice(3, "taxonomy", of=of)))["process.ca.md"].decode()

    assert "- a | b \\*c\\*: 0 afirmacions, de 3 propostes" in page


def test_hidden_supports_are_said() -> None:
    of = [proposal(each, supports=None) for each in range(1, 7)]
    texts = _texts(kit_files(kit(of=of)))

    assert "Hidden is not zero" in texts["README.md"]
    assert "Els suports aquí estan ocults" in texts["process.ca.md"]
    assert "les que tenen més suports" not in texts["process.ca.md"]


def test_some_hidden_supports_are_said_too() -> None:
    of = [proposal(each, supports=None if each < 4 else each) for each in range(1, 7)]

    assert "Els suports de 3 propostes són ocults" in _texts(kit_files(kit(of=of)))["process.ca.md"]


@pytest.mark.parametrize("languages", [(), ("ca", "ca"), ("ca", "fr")])
def test_languages_that_the_kit_cannot_speak_are_refused(languages: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        kit_files(kit(languages=languages))


def test_surveys_that_are_not_balanced_are_refused() -> None:
    with pytest.raises(VerificationError):
        kit_files(kit(surveys=((1, 2), (3, 4))))


def test_all_languages_have_the_same_keys_and_holes() -> None:
    folder = files("auzolan.deliberate.shortlist").joinpath("languages")
    tables = {each: tomllib.loads(folder.joinpath(f"{each}.toml").read_text("utf-8")) for each in LANGUAGES}

    def holes(message: str | dict[str, str]) -> list[set[str]]:
        forms = [message] if isinstance(message, str) else [message["one"], message["other"]]
        return [{name for _, name, _, _ in Formatter().parse(form) if name} - {"n"} for form in forms]

    english = {key: holes(message) for key, message in tables["en"]["text"].items()}
    for table in tables.values():
        assert english == {key: holes(message) for key, message in table["text"].items()}
        assert 12 == len(set(table["meta"]["months"]))


def test_the_real_proposals_of_barcelona_make_a_kit_in_three_languages() -> None:
    languages = ("ca", "es", "eu")
    chosen = choice(40, "origin", of=pam_2016())
    made = kit(languages=languages, choice=chosen, statements=drafted(chosen, languages), surveys=lay_out(40, 15))
    texts = _texts(kit_files(made))

    assert 1 + 3 + 12 * 4 == len(texts)
    assert "40 afirmacions d'entre 9.691 propostes" in texts["README.md"]
    assert "- De trobades: 16 afirmacions, de 3.998 propostes" in texts["process.ca.md"]


def test_numbers_of_statements_are_told_in_runs() -> None:
    assert "1-3, 5, 7-8" == phrases_of("en").numbers([1, 2, 3, 5, 7, 8])


def test_the_harmful_titles_are_all_tried() -> None:
    assert len(lists.HARMFUL) == len({*lists.HARMFUL.values()})
