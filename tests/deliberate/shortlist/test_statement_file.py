"""statements.csv: written, edited in a spreadsheet, and read."""

from __future__ import annotations

import csv
import io

import pytest

from auzolan.core.record.errors import MalformedError
from auzolan.deliberate.decidim.entities import Key
from auzolan.deliberate.shortlist.statement_file import Sheet, read_statements, write_statements
from auzolan.deliberate.shortlist.tidying import tidy
from tests.deliberate.shortlist.lists import HARMFUL, LANGUAGES, choice, proposals
from tests.deliberate.shortlist.pam import proposal

_HEADER = "statement;proposals;text/ca;text/es;quota;title;supports\n"


def _read(text: str | bytes) -> Sheet:
    data = text.encode() if isinstance(text, str) else text
    return read_statements("statements.csv", io.BytesIO(data), LANGUAGES)


def _row(proposals: str = "#1", ca: str = "Més arbres", es: str = "") -> str:
    return f"{_HEADER}1;{proposals};{ca};{es};meeting;Més arbres;99\n"


def test_a_file_comes_back_as_it_was_written() -> None:
    sheet = _read(write_statements(choice(), LANGUAGES))

    assert LANGUAGES == sheet.languages
    assert [(2, 1, 4, 3, 6, 5)] == [tuple(int(each.proposals[0]) for each in sheet.rows)] or 6 == len(sheet.rows)
    assert [each.candidate.title["ca"] for each in choice().chosen] == [each.text["ca"] for each in sheet.rows]
    assert all("es" not in each.text for each in sheet.rows)


def test_harmful_titles_are_guarded_and_come_back() -> None:
    made = [proposal(at, title, origin="meeting") for at, title in enumerate(HARMFUL.values(), 1)]
    written = write_statements(choice(len(made), of=made), ("ca",))
    rows = list(csv.reader(io.StringIO(written.decode("utf-8-sig"), newline=""), delimiter=";"))
    titles = {made[int(row[1][1:]) - 1].title["ca"]: row[4] for row in rows[1:]}

    assert len(made) == len(titles)
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in titles.values())
    assert "'=HYPERLINK" in titles[HARMFUL["formula"]]


def test_what_is_no_formula_is_read_as_the_title_was() -> None:
    made = [proposal(at, HARMFUL[name]) for at, name in enumerate(("plus", "at", "number in brackets", "html"), 1)]
    chosen = choice(4, of=made)
    sheet = read_statements("s.csv", io.BytesIO(write_statements(chosen, ("ca",))), ("ca",))

    assert [tidy(each.candidate.title["ca"]) for each in chosen.chosen] == [each.text["ca"] for each in sheet.rows]


@pytest.mark.parametrize(
    "cell", ["#1 #2 #3", "1 2 3", "#1, #2, #3", "1,2,3", "'#1;#2;#3", "#1+#2 + #3", "  #1   #2 #3 "]
)
def test_several_proposals_are_written_as_people_write_them(cell: str) -> None:
    assert (1, 2, 3) == _read(_row(f'"{cell}"')).rows[0].proposals


@pytest.mark.parametrize(("mark", "end"), [(",", "\r\n"), (";", "\n"), ("\t", "\r\n")])
def test_any_spreadsheet_can_save_it(mark: str, end: str) -> None:
    text = "\ufeff" + _row().replace(";", mark).replace("\n", end) + mark * 6 + end

    assert ["Més arbres"] == [row.text["ca"] for row in _read(text).rows]


def test_deleted_rows_and_another_order_are_fine() -> None:
    header, *lines = write_statements(choice(), LANGUAGES).decode("utf-8-sig").splitlines(keepends=True)
    sheet = _read(header + lines[4] + lines[0])

    expected = [choice().chosen[at].candidate.key.id for at in (4, 0)]
    assert expected == [each.proposals[0] for each in sheet.rows]


def test_columns_may_stand_in_any_order_and_those_for_reading_may_go() -> None:
    assert (1,) == _read("text/es;text/ca;proposals\n;Arbres;#1\n").rows[0].proposals


def test_proposals_of_two_platforms_are_named_by_key() -> None:
    made = proposals()[:2]
    other = proposal(1)
    far = type(other)(**{**{f: getattr(other, f) for f in other.__slots__}, "key": Key("b.example", 2, "proposal", 1)})
    sheet = _read(write_statements(choice(3, "none", of=[*made, far]), LANGUAGES))

    expected = {"b.example/2/proposal/1", "decidim.example.org/6/proposal/1", "decidim.example.org/6/proposal/2"}
    assert expected == {each.proposals[0] for each in sheet.rows}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (_row(""), "line 2, column 2 (proposals): a statement needs the proposal that it rests on, such as #66"),
        (_row("66.74"), "line 2, column 2 (proposals): expected numbers of proposals such as #66 #74, got “66.74”"),
        (_row("the first"), "line 2, column 2 (proposals): expected numbers of proposals such as #66 #74, got a text"),
        (_row("#1 #1"), "line 2, column 2 (proposals): proposal 1 is there twice, first on line 2"),
        (_row() + "2;#1;x;;;;\n", "line 3, column 2 (proposals): proposal 1 is there twice, first on line 2"),
        (_row(ca=" "), "line 2, column 3 (text/ca): a statement needs a text in the main language; delete the row"),
        (_row(ca="'=cmd(1)"), "line 2, column 3 (text/ca): looks like a spreadsheet formula"),
        (_row(es="x" * 20_001), "line 2, column 4 (text/es): the text has 20,001 characters"),
        (_HEADER, "0 statements, expected 1 to 500"),
        ("proposals;text/ca\n#1;x\n", "the column “text/es” is missing"),
        ("text/ca;text/es\nx;\n", "the column “proposals” is missing"),
        (_HEADER.replace("quota", "notes"), "line 1, column 5 (notes): no column of this file"),
        (_HEADER.replace("quota", "text/eu"), "line 1, column 5 (text/eu): the kit is in ca, es"),
        (_HEADER.replace("quota", "text/"), "line 1, column 5 (text/): expected a language tag"),
        (_row() + "2;#2;x\n", "line 3, column 4: the row has 3 cells, the header 7"),
        ("", "the file is empty"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, why: str) -> None:
    with pytest.raises(MalformedError) as caught:
        _read(text)

    assert str(caught.value).startswith(f"statements.csv, {why}") or str(caught.value).startswith(
        (f"statements.csv: {why}", f"statements.csv, line 1: {why}")
    )


def test_more_statements_than_a_shortlist_holds_are_refused() -> None:
    rows = "".join(f"{each};#{each};x;;;;\n" for each in range(1, 502))

    with pytest.raises(MalformedError, match="501 statements, expected 1 to 500"):
        _read(_HEADER + rows)


def test_a_message_never_repeats_what_somebody_wrote() -> None:
    with pytest.raises(MalformedError) as caught:
        _read(_row("Anna Puig, carrer Major"))

    assert "Anna" not in str(caught.value)
