"""Rows of a survey whose words are not those of their number: swapped, negated, translated, masked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from auzolan.core.record.errors import MalformedError, UsageError
from auzolan.deliberate.sources.decidim_answers import Answers
from auzolan.deliberate.sources.decidim_survey import OTHER_WORDS, read_decidim_survey
from tests.deliberate.sources.test_decidim_survey import chosen, flat, read, response

LIST = {1: "More trees", 2: "Fewer cars"}
TRANSLATIONS = {1: ["Més arbres", "Más árboles"], 2: ["Menys cotxes"]}


@pytest.fixture(params=["s.json", "s.csv"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where a survey is written, as JSON and as CSV."""
    return tmp_path / str(request.param)


def _write(path: Path, *rows: str) -> None:
    answered = [response("111", {row: chosen(0) for row in rows})]
    path.write_text(flat(answered) if path.suffix == ".csv" else json.dumps(answered))


def _others(path: Path, statements: Mapping[int, str] | None = LIST) -> int:
    """Return how many rows had other words."""
    got = read(path, statements, translations=None if statements is None else TRANSLATIONS)
    return {each.rule: each.others for each in got.cleaning}[OTHER_WORDS]


@pytest.mark.parametrize("swapped", ["Fewer cars", "Fewer   cars", "Menys cotxes"])
def test_a_row_with_the_words_of_another_statement_is_refused(path: Path, swapped: str) -> None:
    _write(path, f"[1] {swapped}", "[2] More trees")

    with pytest.raises(MalformedError) as refused:
        read(path, LIST, translations=TRANSLATIONS)

    assert str(refused.value).startswith(f"{path.name}, ")
    assert "the row [1] of question 2 has the words of statement 2" in str(refused.value)
    assert "cars" not in str(refused.value).partition(": the row")[2]


def test_swapped_rows_are_refused_without_translations(path: Path) -> None:
    _write(path, "[1] Fewer cars")

    with pytest.raises(MalformedError, match=r"the row \[1\] of question 2 has the words of statement 2"):
        read(path, LIST)


def test_translations_are_the_words_of_their_statement(path: Path) -> None:
    _write(path, "[1]  Más árboles", "[2] Menys cotxes")

    assert 0 == _others(path)


def test_the_words_of_two_statements_are_each_ones_own(path: Path) -> None:
    _write(path, "[1] Fewer cars", "[2] Fewer cars")

    got = read(path, LIST, translations={1: ["Fewer cars"]})

    assert {"p-111": {1: 1, 2: 1}} == got.table.to_ballots()


def test_negated_words_are_read_by_their_number_and_counted(path: Path) -> None:
    _write(path, "[1] No more trees", "[2] Fewer cars")

    assert 1 == _others(path)
    assert {"p-111": {1: 1, 2: 1}} == read(path, LIST).table.to_ballots()


def test_a_row_without_words_is_counted_and_no_other_statements(path: Path) -> None:
    _write(path, "[1]", "[2] Fewer cars")

    assert 1 == _others(path, {1: "More trees", 2: "Fewer cars", 3: ""})


def test_masked_words_are_the_words(path: Path) -> None:
    _write(path, "[1] Call 600 123 456 or ana@example.org")

    assert 0 == _others(path, {1: "Call [number] or [e-mail]"})


def test_without_a_list_the_rule_counts_nothing(tmp_path: Path) -> None:
    for name, text in (("a.json", "More trees"), ("b.json", "No more trees")):
        _write(tmp_path / name, f"[1] {text}")

    got = read(tmp_path)

    assert 0 == _others(tmp_path, None)
    assert 1 == sum(each.others for each in got.cleaning if each.rule.startswith("rows of a statement that has other"))


def test_a_title_before_a_translated_row_is_told_from_it(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text("ID;2. See /[1] More/[2] Menys cotxes\nx;Agree\n")

    assert {"p-x": {2: 1}} == read(path, LIST, translations=TRANSLATIONS).table.to_ballots()
    assert 0 == _others(path)


def test_translations_alone_are_refused(path: Path) -> None:
    _write(path, "[1] More trees")

    with pytest.raises(UsageError, match="give these, too"):
        read_decidim_survey(path, lambda raw: raw, None, translations=TRANSLATIONS)


@pytest.mark.parametrize("is_spread", [True, False])
def test_many_or_long_words_take_little_memory(is_spread: bool) -> None:
    answers = Answers({"agree": 1})
    for number in range(40_000):
        word = f"{number} word" if is_spread else f"{number} " + "x" * 600
        answers.add("somebody", number, 0, word, None, "s.csv, line 2")

    kept = [getattr(answers, name) for name in ("_met", "_words", "_first")]
    assert all(len(each) <= 2**14 + 2 for each in kept)
    assert all(len(key) <= 512 for each in kept for key in each if isinstance(key, str))
    with pytest.raises(MalformedError, match=r"got another of \d+ characters\. Say which"):
        answers.rows()


def test_people_who_wrote_long_words_are_not_taken_for_users_of_one_option() -> None:
    answers = Answers({"agree": 1})
    for number in range(9):
        answers.add(f"p-{number}", 1, 0, "y" * 600, None, "s.csv, line 2")

    with pytest.raises(MalformedError, match=r"got another of 600 characters\. Say which"):
        answers.rows()


def test_a_long_word_that_is_known_counts() -> None:
    answers = Answers({"y" * 600: 1})
    answers.add("p-1", 1, 0, "Y" * 600, None, "s.csv, line 2")

    assert 1 == len(answers.rows())


def test_numbers_of_rows_are_at_most_2_to_the_53_less_1(path: Path) -> None:
    _write(path, f"[{2**53 - 1}] More trees", f"[{2**53}] Fewer cars")

    assert {"p-111": {2**53 - 1: 1}} == read(path).table.to_ballots()
