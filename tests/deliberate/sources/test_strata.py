"""Tables of strata: who belongs to what, nothing that may not be published, and how many of those listed voted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from auzolan.core.record.errors import MalformedError
from auzolan.deliberate.sources.strata import DeclaredStrata, read_strata
from auzolan.deliberate.sources.survey import read_survey

Strata = Callable[..., DeclaredStrata]


@pytest.fixture
def strata(tmp_path: Path) -> Strata:
    """Writes a table of strata and reads it."""

    def read(content: str, *voters: str) -> DeclaredStrata:
        path = tmp_path / "strata.csv"
        path.write_text(content)
        return read_strata(path, lambda raw: f"p-{raw}", voters or ("p-x", "p-y"))

    return read


def test_strata_of_those_who_voted_are_read_and_the_others_counted(strata: Strata) -> None:
    got = strata("who, District ,Language\nx, North ,eu\ny,,es\nz,South,eu\nw,South,eu\n")

    assert {"District": {"p-x": "North"}, "Language": {"p-x": "eu", "p-y": "es"}} == got.strata
    assert (2, 2) == (got.matched, got.unmatched)


def test_ids_and_values_are_compared_composed(strata: Strata) -> None:
    got = strata("who,District\n jose\u0301 ,Leo\u0301n\n", "p-jos\u00e9")

    assert {"District": {"p-jos\u00e9": "Le\u00f3n"}} == got.strata


def test_a_table_in_which_nobody_voted_is_refused(strata: Strata) -> None:
    with pytest.raises(MalformedError, match=r"^strata\.csv: no participant of this table voted: are the ids those"):
        strata("who,District\nz,North\n")

    assert ({"District": {}}, 0, 0) == strata("who,District\n")


_NO_STRATUM = "an e-mail address or a long number is no stratum"
_BAD_VALUES = [
    ("ana@example.org", _NO_STRATUM),
    ("943 123 456", _NO_STRATUM),
    ("600.123.456", _NO_STRATUM),
    ("ES91 2100 0418 4502 0005 1332", _NO_STRATUM),
    ("=1", "looks like a spreadsheet formula"),
    ("a\x1b[2J", "the text holds a control character"),
    ("x" * 201, "the value of a stratum has 201 characters, at most 200 are read"),
]


@pytest.mark.parametrize(("value", "message"), _BAD_VALUES)
def test_values_that_may_not_be_published_are_refused_in_a_table_as_in_a_survey(
    strata: Strata, tmp_path: Path, value: str, message: str
) -> None:
    survey = tmp_path / "survey.csv"
    survey.write_text(f"id,District,a\nx,{value},yes\n")
    with pytest.raises(MalformedError) as in_table:
        strata(f"who,District\nx,{value}\n")
    with pytest.raises(MalformedError) as in_survey:
        read_survey(survey, str, strata_columns=["District"])

    assert str(in_table.value).startswith(f"strata.csv, line 2, column 2 (District): {message}")
    assert str(in_survey.value).startswith(f"survey.csv, line 2, column 2 (District): {message}")
    assert "example.org" not in str(in_table.value) + str(in_survey.value)


def test_values_of_those_who_did_not_vote_are_checked_too(strata: Strata) -> None:
    with pytest.raises(MalformedError, match="line 3, column 2"):
        strata("who,District\nx,North\nz,ana@example.org\n")


_BAD_NAMES = [
    ("District, District ", "column 3 ( District ): the stratum is there twice, first as column 2"),
    ("Leo\u0301n,Le\u00f3n", "column 3 (Le\u00f3n): the stratum is there twice, first as column 2"),
    ("Opinion", "column 2 (Opinion): “opinion” is what groups found from the votes are called"),
    (" OPINION ", "column 2 ( OPINION ): “opinion” is what groups found from the votes are called"),
    ("E-mail", "column 2 (E-mail): a stratum of this name would name people"),
    ("ask ana@example.org", "column 2 (ask [e-mail]): an e-mail address or a long number is no stratum"),
    ("=1", "column 2 (=1): looks like a spreadsheet formula"),
    ("x" * 201, f"column 2 ({'x' * 39}…): the name of a stratum has 201 characters, at most 200 are read"),
]


@pytest.mark.parametrize(("names", "message"), _BAD_NAMES)
def test_names_of_strata_that_cannot_be_used_are_refused_in_a_table_as_in_a_survey(
    strata: Strata, tmp_path: Path, names: str, message: str
) -> None:
    survey, cells = tmp_path / "survey.csv", "," * names.count(",")
    survey.write_text(f"id,{names},a\nx,{cells},yes\n")
    with pytest.raises(MalformedError) as in_table:
        strata(f"who,{names}\nx,{cells}\n")
    with pytest.raises(MalformedError) as in_survey:
        read_survey(survey, str, strata_columns=names.split(","))

    assert str(in_table.value).startswith(f"strata.csv, line 1, {message}")
    assert str(in_survey.value).startswith(f"survey.csv, line 1, {message}")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("who\nx\n", "strata.csv, line 1: expected a column per stratum beside the participant"),
        ("who,a\nx,1\nx ,2\n", "strata.csv, line 3, column 1 (who): this participant is there twice, first on line 2"),
        ("who,a\n ,1\n", "strata.csv, line 2, column 1 (who): expected a participant in 1 to 1,000 characters, got 0"),
        (f"who,a\n{'x' * 1001},1\n", "strata.csv, line 2, column 1 (who): expected a participant in 1 to 1,000"),
        ("who,a\nx\n", "strata.csv, line 2, column 2: the row has 1 cell, the header 2"),
    ],
)
def test_bad_tables_are_refused(strata: Strata, content: str, message: str) -> None:
    with pytest.raises(MalformedError) as caught:
        strata(content)

    assert str(caught.value).startswith(message)


def test_a_folder_with_several_files_is_refused(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("who,a\n")

    with pytest.raises(MalformedError, match="expected one CSV file with strata, got 2 files"):
        read_strata(tmp_path, str, ())
