"""Texts as statements and as cells."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.deliberate.shortlist.tidying import bare, guarded, tidy
from tests.deliberate.shortlist.lists import HARMFUL

_TEXT = st.text(st.sampled_from("=+-@＝,;\t\n\"' a1"), max_size=12) | st.text(max_size=20)


@given(_TEXT)
def test_a_guarded_text_comes_back(text: str) -> None:
    assert text == bare(guarded(text))


@given(_TEXT, st.sampled_from(",;\t"))
def test_no_guarded_cell_is_run_by_a_spreadsheet_that_separates_otherwise(text: str, mark: str) -> None:
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=";").writerow(["1", guarded(tidy(text))])
    (row,) = csv.reader(io.StringIO(stream.getvalue(), newline=""), delimiter=mark)

    assert not any(cell.lstrip(' "').startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠")) for cell in row)


@given(_TEXT)
def test_a_tidy_text_is_one_line_and_stays_as_it_is(text: str) -> None:
    found = tidy(text)

    assert [found] == (found.splitlines() or [""])
    assert found == tidy(found)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("line ends", "dues línies tres"),
        ("right to left override", "més erbra"),
        ("right to left mark", "\u200fשלום"),
        ("control", "ab[31m"),
        ("emoji", "👩‍👩‍👧 escola"),
        ("html", HARMFUL["html"]),
    ],
)
def test_what_stays_and_what_goes(name: str, expected: str) -> None:
    assert expected == tidy(HARMFUL[name])
