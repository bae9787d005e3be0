from __future__ import annotations

from dataclasses import replace

import pytest
from rich.cells import cell_len

from auzolan.cli.deliberation_table import print_overview
from auzolan.deliberate.overview import Overview
from tests.deliberate.overviews import HOSTILE, overview, two_groups, with_withheld, without_words

CHINESE = "我覺得應該審核人員，乘客保障、駕駛權益都要兼顧。最重要還是安全第一，不要讓任何人覺得 Uber 是例外。" * 4


@pytest.fixture(autouse=True)
def _eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)


def printed(capsys: pytest.CaptureFixture[str], of: Overview, most: int = 20) -> str:
    print_overview(of, most)
    return capsys.readouterr().out


CASES = {
    "two groups": two_groups(),
    "hostile": overview([[(9, 1, 0)], [(8, 1, 0)]], [HOSTILE], title=HOSTILE),
    "no groups": overview([], n_statements=4),
    "no statements": overview([[], []], n_statements=0, sizes=[5, 5]),
    "nothing": replace(overview([], n_statements=0, unassigned=0), title="", evidence=""),
    "one statement": overview([[(1, 0, 0)], [(0, 1, 0)]]),
    "no texts": without_words(two_groups()),
    "unseen": overview([[(5, 0, 0)], [(0, 0, 0)]], sizes=[5, 5]),
    "huge": overview([[(10**9, 3, 0)], [(10**9, 3, 0)]], sizes=[10**10, 10**10]),
    "20,000 characters": overview([[(5, 0, 0)], [(5, 0, 0)]], ["x" * 20_000]),
    "Chinese": overview([[(9, 1, 0)], [(8, 1, 0)]], [CHINESE]),
    "five groups": overview([[(5, 1, 0), (1, 5, 0)]] * 5),
    "withheld": with_withheld(two_groups()),
    "all withheld": with_withheld(overview([[], []], n_statements=0, sizes=[5, 5])),
    "withheld without groups": with_withheld(overview([], n_statements=4)),
    "bridging": replace(two_groups(), bridging={0: 0.1, 1: -0.2, 2: 0.3}, silhouette=0.38),
    "60 groups": overview([[(5, 1, 0), (1, 5, 0)]] * 60),
}


@pytest.mark.parametrize("of", CASES.values(), ids=CASES)
def test_no_line_is_wider_than_the_terminal(of: Overview, capsys: pytest.CaptureFixture[str]) -> None:
    assert [] == [line for line in printed(capsys, of).splitlines() if cell_len(line) > 80]


@pytest.mark.parametrize("columns", ["20", "60", "300"])
def test_no_digit_is_lost_at_any_width(
    columns: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", columns)

    assert "93 %" in printed(capsys, two_groups())


def test_what_all_groups_agree_on_comes_first_with_every_share(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, two_groups()).splitlines()
    row = next(n for n, line in enumerate(lines) if line.startswith("#0"))

    assert ["#0", "More", "trams", "at", "night.", "93", "%", "95", "%", "90", "%", ">99"] == lines[row].split()
    assert ["60", "40", "20"] == lines[row + 1].split()
    assert ["86–97"] == lines[row + 2].split()
    assert row < lines.index("What sets the groups apart")


def test_the_head_says_who_took_part_and_how_it_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, replace(two_groups(), demo=True))

    for line in (
        "Trams",
        "Recomputed here from 1 signed snapshot.",
        "demonstration: throw-away keys, signatures prove nothing",
        "participants  63",
        "groups        A 40, B 20; in none 3",
    ):
        assert line in text


def test_groups_show_what_sets_them_apart(capsys: pytest.CaptureFixture[str]) -> None:
    _, apart = printed(capsys, two_groups()).split("Group B, 20 people")
    words = " ".join(apart.split())

    assert "Close the ring road to cars. 90 % disagree 5 %" in words


def test_wide_characters_keep_the_columns_in_line(capsys: pytest.CaptureFixture[str]) -> None:
    mixed = overview([[(9, 1, 0)] * 2, [(8, 1, 0)] * 2], [CHINESE, "Plain words."])
    rows = [line for line in printed(capsys, mixed).splitlines() if line.endswith(("99", "98", "97"))]

    assert 2 == len(rows)
    assert 1 == len({cell_len(row[: row.index("90 %")]) for row in rows} | {cell_len(row) for row in rows} - {80})


def test_closing_punctuation_does_not_begin_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [line.strip() for line in printed(capsys, CASES["Chinese"]).splitlines() if line.strip()]

    assert [] == [line for line in lines if line[0] in "，。、"]


def test_long_texts_end_in_an_ellipsis(capsys: pytest.CaptureFixture[str]) -> None:
    assert "…" in printed(capsys, CASES["20,000 characters"])
    assert "…" in printed(capsys, CASES["Chinese"])


def test_hostile_text_cannot_write_on_the_screen(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, CASES["hostile"])

    assert [] == [c for c in text if c in "\u202e\u202c\x1b\x00\u200b"]
    assert "\\u{202e}" in text


def test_without_groups_the_table_speaks_of_all(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, CASES["no groups"])

    assert "What most agree on" in text
    assert "none: too few people, or they vote too much alike" in text


def test_where_no_group_shares_a_view_the_closest_are_shown_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, CASES["one statement"])

    assert "at least half of every group: none; these come closest" in text


def test_no_more_statements_than_asked_for_and_the_rest_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, overview([[(9, 1, 0)] * 30] * 2), most=4)

    assert "… and 26 more" in text


def test_many_groups_are_told_by_the_lowest(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, CASES["60 groups"])

    assert "lowest" in text
    assert "A 83 %" in text
    assert "… and 48 more groups" in text


def test_withheld_statements_are_counted_and_the_hint_says_where_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    print_overview(CASES["withheld"])
    said = capsys.readouterr()
    words = " ".join(said.out.split())

    assert "statements 5" in words
    assert "withheld counts by group on 2 statements: could tell of fewer than 5 people" in words
    assert 2 == words.count("2 statements could not be considered here: counts by group withheld")
    assert 1 == words.count("1 statement could not be considered here: counts withheld")
    assert "--html FILE or --json shows what is published of the 2 statements withheld" in " ".join(said.err.split())


def test_nothing_withheld_is_nothing_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert "withheld" not in printed(capsys, two_groups())


def test_the_table_says_how_far_apart_groups_are(capsys: pytest.CaptureFixture[str]) -> None:
    words = " ".join(printed(capsys, CASES["bridging"]).split())

    assert "Silhouette 0.38, where 1 is wholly apart and 0 is no groups at all: weakly apart" in words
    assert "so they flatter differences between groups" in words


def test_the_five_highest_bridging_intercepts_are_shown_with_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    of = overview([[(9, 1, 0)] * 7] * 2)
    text = printed(capsys, replace(of, bridging={**{n: n / 10 for n in range(7)}, 99: 5.0}))
    _, shown = text.split("easily gamed, no basis for decisions")

    assert ["#6", "#5", "#4", "#3", "#2"] == [word for word in shown.split() if word.startswith("#")]
    assert ["+0.600", "+0.500", "+0.400", "+0.300", "+0.200"] == [word for word in shown.split() if word[0] == "+"]


def test_bridging_that_cannot_be_had_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert "too few people voted on enough statements" in printed(capsys, replace(two_groups(), bridging={}))


def test_a_hint_on_stderr_says_how_to_see_more(capsys: pytest.CaptureFixture[str]) -> None:
    print_overview(two_groups())
    said = capsys.readouterr()

    assert "--html FILE" in said.err
    assert "--html" not in said.out
