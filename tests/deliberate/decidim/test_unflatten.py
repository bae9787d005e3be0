"""Ruby's inspect text, addresses of pages and lists, as Decidim's CSV holds them."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.record.errors import UsageError
from auzolan.deliberate.decidim.entities import EntityClass
from auzolan.deliberate.decidim.unflatten import Page, by_locale, host_of, inspected, items, page_of

DEBATE: tuple[EntityClass, int] = ("debate", 3)
RESULT: tuple[EntityClass, int] = ("result", 7)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ()),
        ("{}", ({},)),
        ('{"en"=>"Housing"}', ({"en": "Housing"},)),
        ('{"en" => "Housing", "ca" => "Habitatge"}', ({"en": "Housing", "ca": "Habitatge"},)),
        ('{"en"=>"A, B"}, {"en"=>"}, {"}', ({"en": "A, B"}, {"en": "}, {"})),
        ('{"en"=>nil, "ca"=>""}', ({"en": None, "ca": ""},)),
        ('{:en=>"old symbol"}', ({"en": "old symbol"},)),
        ('{en: "new symbol", "pt-BR": "x"}', ({"en": "new symbol", "pt-BR": "x"},)),
        ('{:"pt-BR"=>"x"}', ({"pt-BR": "x"},)),
        (r'{"en"=>"say \"hi\" \\ \n \#{x} \u00e9 \u{1F600} \e"}', ({"en": 'say "hi" \\ \n #{x} é 😀 \x1b'},)),
        (r'{"en"=>"\xE9\x41"}', ({"en": "\ufffdA"},)),
        ('{"en"=>"x", "machine_translations"=>{"es"=>"y"}}', ({"en": "x", "machine_translations": {"es": "y"}},)),
        ('{"n"=>3, "f"=>-1.5, "t"=>true}', ({"n": "3", "f": "-1.5", "t": "true"},)),
    ],
)
def test_inspect_text_of_both_generations_is_read(text: str, found: tuple[dict[str, Any], ...]) -> None:
    assert found == inspected(text)


@pytest.mark.parametrize(
    "text",
    [
        "Housing",
        '{"en"=>"x"',
        '{"en"=>"x"},',
        '{"en"=>"x"}, ',
        '{"en"=>"x"}{"en"=>"y"}',
        '{"en"=>"x",}',
        '{"en"=>x}',
        '{"en"=>"x", "en"=>"y"}',
        '{"en"=>`id`}',
        '{"en"=>"x"; system("id")}',
        r'{"en"=>"\u{110000}"}',
        '{"en"}',
        '{"a"=>' * 10 + '"x"' + "}" * 10,
        "[1]",
    ],
)
def test_what_is_no_inspect_text_is_told(text: str) -> None:
    assert inspected(text) is None


@pytest.mark.parametrize("piece", ['{"a"=>', '"', "{", '{"a"=>"\\', ":a", '{"en"=>"x"}, '])
def test_hostile_inspect_text_ends_soon(piece: str) -> None:
    begins = time.process_time()
    inspected(piece * 50_000)

    assert time.process_time() - begins < 2


_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)


@given(st.lists(st.dictionaries(_TEXT, st.none() | _TEXT, max_size=3), max_size=3), st.sampled_from(["=>", " => "]))
def test_what_ruby_writes_comes_back(hashes: list[dict[str, str | None]], arrow: str) -> None:
    def inspect(text: str | None) -> str:
        if text is None:
            return "nil"
        escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("#{", "\\#{").replace("\n", "\\n")
        return f'"{escaped}"'

    written = ", ".join(
        "{" + ", ".join(f"{inspect(name)}{arrow}{inspect(value)}" for name, value in each.items()) + "}"
        for each in hashes
    )

    assert tuple(hashes) == inspected(written)


@given(st.text(alphabet='{}"=>:, \\u#xnila1', max_size=40))
def test_any_text_is_read_or_told(text: str) -> None:
    found = inspected(text)

    assert found is None or all(isinstance(each, dict) for each in found)


def test_machine_translations_and_empty_names_are_left_out() -> None:
    found = by_locale({"en": "x", "es": None, "ca": "", "machine_translations": {"fr": "y"}})

    assert {"en": "x"} == found


@pytest.mark.parametrize(
    ("url", "page"),
    [
        (
            "https://Decidim.Example.org/processes/plan/f/6/proposals/66",
            Page(
                "decidim.example.org",
                "https://decidim.example.org/processes/plan/f/6/proposals/66",
                "/processes/plan/f/6/proposals/66",
                6,
                ("proposal", 66),
            ),
        ),
        (
            "https://d.example/pt-BR/assemblies/a/f/2/debates/3?locale=ca&commentId=9#comment_9",
            Page("d.example", "https://d.example/assemblies/a/f/2/debates/3", "/assemblies/a/f/2/debates/3", 2, DEBATE),
        ),
        ("http://d.example:3000/ca", Page("d.example:3000", "http://d.example:3000", "", 0, None)),
        (
            "https://d.example:443/processes/p/f/4/meetings/7",
            Page("d.example", "https://d.example/processes/p/f/4/meetings/7", "/processes/p/f/4/meetings/7", 4, None),
        ),
        (
            "https://user:secret@d.example/processes/p/f/4/results/7/",
            Page("d.example", "https://d.example/processes/p/f/4/results/7/", "/processes/p/f/4/results/7/", 4, RESULT),
        ),
        ("javascript:alert(1)", None),
        ("ftp://d.example/", None),
        ("/processes/p", None),
        ("", None),
        ("https://", None),
        ("https://d.example/a b", None),
    ],
)  # fmt: skip
def test_pages_tell_host_component_and_entity(url: str, page: Page | None) -> None:
    assert page == page_of(url)


def test_a_language_alone_and_with_a_space_give_the_same_page() -> None:
    pages = {page_of(f"https://d.example{language}/processes/p/f/1/proposals/2") for language in ("", "/ca", "/pt-BR")}

    assert 1 == len(pages)


@pytest.mark.parametrize("text", ["", "https://", "a b", "/path", "user@"])
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="expected a host"):
        host_of(text)


@pytest.mark.parametrize(
    "text", ["Decidim.Example.org", "https://decidim.example.org/processes/p", "decidim.example.org/"]
)
def test_a_host_is_taken_however_it_is_typed(text: str) -> None:
    assert "decidim.example.org" == host_of(text)


def test_joined_lists_keep_the_place_of_what_is_empty() -> None:
    assert ((), ("1",), ("1", "2"), ("a", "", "b")) == (items(" "), items("1"), items("1, 2"), items("a, , b"))
