"""What a person is told when the rules deny, in four languages."""

from __future__ import annotations

import string
import tomllib
from importlib.resources import files

import pytest

from auzolan.core.record.errors import UsageError
from auzolan.run.rules.decide import ERROR, NOTHING_ALLOWS, UNDECLARED
from auzolan.run.rules.facts import Decision, Matched
from auzolan.run.rules.refusal import LANGUAGES, refusal_text

DENIAL = Matched("no", "deny", "2.1", "A person decides.")


def _told(*matched: Matched, language: str = "en") -> list[str]:
    return refusal_text(Decision(True, matched), language).split("\n")


def test_every_denial_is_told_with_its_article() -> None:
    floor = Matched("f", "deny", "floor.1", "Nobody is left out.")
    own = Matched("o", "deny", "", "Not at night.")
    allow = Matched("a", "allow", "2.1", "All is allowed.")

    assert [
        "The rules of this community do not allow this:",
        "- A person decides. (article 2.1)",
        "- Nobody is left out. (basic right floor.1)",
        "- Not at night. (rule of whoever runs this service)",
    ] == _told(DENIAL, floor, own, allow)


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("es", "- A person decides. (artículo 2.1)"),
        ("es-MX", "- A person decides. (artículo 2.1)"),
        ("CA", "- A person decides. (article 2.1)"),
        ("eu", "- A person decides. (2.1 artikulua)"),
        ("fr", "- A person decides. (article 2.1)"),
        ("", "- A person decides. (article 2.1)"),
    ],
)
def test_it_is_told_in_the_language_that_was_asked_for(language: str, line: str) -> None:
    assert line == _told(DENIAL, language=language)[1]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("own", [NOTHING_ALLOWS, UNDECLARED, ERROR])
def test_what_the_program_denies_is_told_in_every_language(language: str, own: Matched) -> None:
    line = _told(own, language=language)[1]

    assert line.endswith(".")
    assert ("en" == language) == (
        line in {"- No rule allows it.", "- It asks for something that this service does not offer.", f"- {own.why}"}
    )


def test_a_judge_without_a_verdict_is_told() -> None:
    line = _told(Matched("fair:no-verdict", "deny", "2.1", "..."), language="es")[1]

    assert line.startswith("- Había que comprobar")
    assert line.endswith("(artículo 2.1)")


def test_long_lists_are_cut_and_the_same_reason_is_told_once() -> None:
    many = [Matched(f"r{place}", "deny", "2.1", f"Reason {place}.") for place in range(9)]

    assert ["- Reason 4. (article 2.1)", "- and 4 more rules"] == _told(*many)[5:]
    assert "- and one more rule" == _told(*many[:6])[-1]
    assert 2 == len(_told(DENIAL, DENIAL))


def test_braces_of_the_community_stay_as_they_are() -> None:
    assert "- Not {article} {0}. (article 2.1)" == _told(Matched("x", "deny", "2.1", "Not {article} {0}."))[1]


def test_what_is_allowed_has_no_refusal() -> None:
    with pytest.raises(UsageError):
        refusal_text(Decision(False, ()))


def test_all_languages_have_the_same_keys_and_places() -> None:
    table = tomllib.loads(files("auzolan.run.rules").joinpath("refusal.toml").read_text(encoding="utf-8"))
    shapes = {
        language: {
            key: {name for _, name, _, _ in string.Formatter().parse(text) if name} for key, text in words.items()
        }
        for language, words in table.items()
    }

    assert set(LANGUAGES) == set(table)
    assert all(shapes["en"] == shape for shape in shapes.values())
