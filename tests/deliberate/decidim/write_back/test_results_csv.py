"""The file of results, as Decidim's importer takes it: every text arrives, and no link is ever a wrong one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.record.errors import MalformedError, UsageError
from auzolan.deliberate.decidim.entities import Key
from auzolan.deliberate.decidim.write_back.published import CitedProposal, Publication, check_publication, said
from auzolan.deliberate.decidim.write_back.results_csv import Importer, reaches, results_csv
from tests.deliberate.decidim.write_back.importers import Page, Result, cells, import_results
from tests.deliberate.decidim.write_back.towns import (
    FINGERPRINT,
    HOST,
    NUMBERS,
    RECORD,
    TEXTS,
    article,
    cited,
    line,
    published,
    town,
)

EVERYTHING = range(10**9 + 1)
KEYS = st.lists(NUMBERS, unique=True, max_size=6)
HOSTILE = [
    "javascript:alert(1)//proposals/66",
    "https://evil.example.com/processes/pam/f/5/proposals/66",
    f"https://{HOST}.evil.com/processes/pam/f/5/proposals/66",
    f"https://{HOST}@evil.com/processes/pam/f/5/proposals/66",
    f"https://evil.com/?https://{HOST}/processes/pam/f/5/proposals/66",
    f"https://{HOST}/processes/pam/f/5/proposals/67",
    f"https://{HOST}/processes/pam/f/5/proposals/66?a=1",
    f"https://{HOST}/processes/pam/f/5/proposals/66#7",
    f"https://{HOST}/processes/pam/f/5/proposals/66;https://{HOST}/processes/pam/f/5/proposals/7",
    f"https://{HOST}/../f/5/proposals/66",
    f'https://{HOST}/"onclick="x/proposals/66',
    f"https://{HOST}/processes/pam/f/5/proposals/66\n",
    f"//{HOST}/processes/pam/f/5/proposals/66",
    f"https://{HOST}/" + "a" * 2_000 + "/proposals/66",
]


def imported(publication: Publication, importer: Importer = "shipped", rule: Importer | None = None) -> list[Result]:
    data = b"".join(results_csv(check_publication(publication), importer))
    return import_results(data, publication.locales, EVERYTHING, rule or importer)


def test_one_result_is_made_per_article_in_every_locale() -> None:
    results = imported(town())

    assert [
        {"ca": "Article 1.1: Cal plantar arbres.", "es": "Artículo 1.1: Cal plantar arbres."},
        {"ca": "Postura reconeguda 2.1: Cal plantar arbres.", "es": "Postura reconocida 2.1: Cal plantar arbres."},
    ] == [each.title for each in results]
    assert [0, 0] == [each.progress for each in results]


def test_a_description_lists_all_proposals_with_their_pages_and_fingerprints_and_how_to_check() -> None:
    page = Page(imported(town())[0].description["es"])

    assert [
        "Cal plantar arbres.",
        "Las personas participantes ratificaron este artículo.",
        "Se apoya en 2 propuestas:",
        f"«Proposta 66», propuesta 66; huella {FINGERPRINT}",
        f"«Proposta 74», propuesta 74; comparte el lugar de la primera; huella {FINGERPRINT}",
    ] == page.blocks[:5]
    assert page.blocks[5].startswith("La lista propia de Decidim en esta página muestra solo una de estas propuestas")
    assert [f"https://{HOST}/processes/pam/f/5/proposals/{number}" for number in (66, 74)] == page.links
    assert RECORD in page.blocks[-1]
    assert f"auzolan trace {RECORD}" in page.blocks[-1]


@given(KEYS)
def test_as_shipped_no_link_is_ever_to_a_proposal_of_another_article(numbers: list[int]) -> None:
    linked = imported(published(article("1.1", *map(cited, numbers))))[0].proposals

    assert set() == set(linked) - set(numbers)
    assert bool(numbers) == bool(linked)


@given(KEYS)
def test_as_shipped_all_are_linked_where_numbers_have_one_digit(numbers: list[int]) -> None:
    small = [each for each in numbers if each <= 9]

    assert tuple(small) == imported(published(article("1.1", *map(cited, small))))[0].proposals


@given(KEYS)
def test_a_mended_importer_links_all_of_them(numbers: list[int]) -> None:
    assert tuple(numbers) == imported(published(article("1.1", *map(cited, numbers))), "mended")[0].proposals


@given(KEYS)
def test_what_is_made_for_the_shipped_importer_is_right_for_a_mended_one_too(numbers: list[int]) -> None:
    linked = imported(published(article("1.1", *map(cited, numbers))), "shipped", "mended")[0].proposals

    assert set() == set(linked) - set(numbers)


def test_what_the_parameter_mended_is_for_would_link_wrong_proposals_as_shipped() -> None:
    assert (6, 4) == imported(town(), "mended", "shipped")[0].proposals


def test_where_not_all_can_be_linked_the_one_whose_place_it_is_comes_first() -> None:
    assert (66,) == imported(town())[0].proposals
    assert {"one": 1, "all": 1} == reaches(town())


def test_addresses_that_do_not_all_have_one_digit_are_left_out_together() -> None:
    assert (5,) == imported(published(article("1.1", cited(5), cited(74))))[0].proposals


def test_a_proposal_without_an_address_keeps_the_column_of_addresses_empty() -> None:
    assert (7,) == imported(published(article("1.1", cited(7, url=None), cited(5))))[0].proposals


def test_a_proposal_of_another_decidim_is_listed_with_its_page_and_never_linked_by_number() -> None:
    other = CitedProposal(
        Key("other.example.net", 1, "proposal", 3), {"en": "Theirs"}, "https://other.example.net/p/f/1/proposals/3"
    )
    first, second = imported(published(article("1.1", other, cited(66)), article("1.2", other)))

    assert ((66,), ()) == (first.proposals, second.proposals)
    assert "https://other.example.net/p/f/1/proposals/3" in Page(second.description["ca"]).links


@pytest.mark.parametrize("url", HOSTILE)
@pytest.mark.parametrize("importer", ["shipped", "mended"])
def test_an_address_that_is_not_plainly_the_proposals_is_not_linked(url: str, importer: Importer) -> None:
    result = imported(published(article("1.1", cited(66, url=url))), importer)[0]
    page = Page(result.description["ca"])

    assert [] == page.links
    assert (66,) == result.proposals
    assert "«Proposta 66», proposta 66; empremta " + FINGERPRINT in page.blocks


def test_the_address_of_a_record_is_linked_only_if_it_is_one() -> None:
    good = imported(published(article("1.1"), record_url="https://town.example/r/5a"))[0]
    bad = imported(published(article("1.1"), record_url='javascript:"x"'))[0]

    assert ["https://town.example/r/5a"] == Page(good.description["ca"]).links
    assert [] == Page(bad.description["ca"]).links


@given(TEXTS, TEXTS)
def test_every_text_arrives_as_it_is_and_makes_no_html(text: str, title: str) -> None:
    proposal = cited(66, title={"ca": title})
    result = imported(published(article("1.1", proposal, text=text)))[0]
    page = Page(result.description["ca"])

    assert line(text) == page.blocks[0]
    assert page.blocks[3].startswith(f"«{line(title)[:60]}")
    assert {"p", "ul", "li", "a", "strong", "code"} == page.tags
    assert {"href"} == page.attributes
    assert "" == page.loose


@given(TEXTS)
def test_titles_are_short_text_that_begins_with_the_article(text: str) -> None:
    title = imported(published(article("1.1", text=text)))[0].title["ca"]
    words = title.removeprefix("Article 1.1: ")

    shown = line(text).translate(str.maketrans("<>@", "‹›＠"))

    assert len(title) <= 150
    assert words == shown or shown.startswith(words.removesuffix("…"))


@given(TEXTS, TEXTS)
def test_no_cell_begins_a_formula(text: str, title: str) -> None:
    rows = cells(b"".join(results_csv(published(article("1.1", cited(66, title={"ca": title}), text=text)))))

    assert [] == [cell for row in rows for cell in row if cell and cell[0] in "=+-@\t\r"]


def test_a_formula_as_an_article_is_text_in_its_cell() -> None:
    text = '=HYPERLINK("http://evil.example","x")'
    result = imported(published(article("1.1", text=text)))[0]

    assert f"Article 1.1: {text}" == result.title["ca"]
    assert text == Page(result.description["ca"]).blocks[0]


def test_what_hides_or_turns_text_is_made_visible() -> None:
    result = imported(published(article("1.1", text="a\u202eb\x00c\ud800")))[0]

    assert "Article 1.1: a\\u{202e}b\\u{0}c\\u{d800}" == result.title["ca"]


def test_no_row_is_longer_than_a_line_and_ids_are_empty() -> None:
    rows = list(results_csv(town()))

    assert [1] * 3 == [row.count(b"\n") for row in rows]
    assert all(row.startswith(b";") for row in rows[1:])


def test_the_default_locale_is_filled_even_where_a_text_is_in_another_one() -> None:
    result = imported(published(article("1.1"), locales=("fr", "eu", "ca")))[0]

    assert {
        "fr": "Article 1.1: Cal plantar arbres.",
        "eu": "1.1 artikulua: Cal plantar arbres.",
        "ca": "Article 1.1: Cal plantar arbres.",
    } == result.title


@pytest.mark.parametrize(
    ("texts", "shown"),
    [
        ({"pt": "b", "ca": "a"}, "b"),
        ({"pt-BR": "c", "pt": "b"}, "c"),
        ({"pt-BR": " ", "fr-CA": "d", "ca": "a"}, "d"),
        ({"es": "e", "ca": "a"}, "a"),
    ],
)
def test_a_text_is_in_the_locale_else_its_language_else_the_main_one_else_any(
    texts: dict[str, str], shown: str
) -> None:
    assert shown == said(texts, "pt-BR", "fr")


def test_progress_is_what_an_audit_said() -> None:
    assert 85 == imported(published(article("1.1", progress_percent=85)))[0].progress


def test_without_articles_there_is_nothing_to_import() -> None:
    assert [] == imported(published())


@pytest.mark.parametrize("locales", [(), ("ca", "ca"), ("ca/es",), ("../ca",), ("CA",), ("ca", ""), ("c;a",)])
def test_a_locale_that_is_none_is_refused(locales: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="locale"):
        check_publication(published(locales=locales))


@pytest.mark.parametrize(
    "wrong",
    [
        published(article("1.1"), article("1.1")),
        published(article("1")),
        published(article("1.1", text=" ")),
        published(article("1.1", progress_percent=101)),
        published(article("1.1"), title={"ca": ""}),
    ],
)
def test_what_cannot_be_published_is_refused(wrong: Publication) -> None:
    with pytest.raises(MalformedError):
        check_publication(wrong)
