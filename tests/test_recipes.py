"""The example town: labelled synthetic, the same in every run, and what the demo says of it."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from auzolan.deliberate.conversation import Conversation, left_out
from auzolan.deliberate.grouping import group_opinions
from auzolan.deliberate.ratify.eligibility import Standing, opinion_groups
from auzolan.deliberate.ratify.parameters import Parameters
from auzolan.deliberate.ratify.selection import Selected, select
from auzolan.deliberate.sources.polis import read_polis
from auzolan.deliberate.sources.strata import read_strata
from auzolan.deliberate.sources.survey import read_survey
from auzolan.deliberate.wording.duplicates import alike

TOWN = Path(__file__).parents[1] / "recipes" / "example_town"
SEATS = Parameters(seats=11)
PUSHED, RIVALS, BASQUE_FIRST, CONFLICT = 32, (9, 33), 8, (13, 14)


def make(*arguments: str | Path) -> None:
    subprocess.run([sys.executable, TOWN / "make.py", *arguments], check=True)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def selected(conversation: Conversation, conflicts: list[tuple[int, int]], final: bool = False) -> Selected:
    table = conversation.table
    out = left_out(conversation.statements)
    found = group_opinions(table, out)
    groups = opinion_groups(table, found.labels, found.sizes)
    return select(table, groups, frozenset(out), conflicts, SEATS, final=final)


@pytest.fixture(scope="module")
def votes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("town") / "votes"
    make("votes", folder)
    return folder


@pytest.fixture(scope="module")
def conversation(votes: Path) -> Conversation:
    return read_polis(votes, str)


@pytest.fixture(scope="module")
def selection(votes: Path, conversation: Conversation) -> Selected:
    (pair,) = json.loads((votes / "conflicts.json").read_text())
    return selected(conversation, [tuple(pair)])


def test_every_statement_has_an_original_and_three_translations() -> None:
    statements = rows_of(TOWN / "statements.csv")

    assert [str(number) for number in range(60)] == [row["id"] for row in statements]
    assert {"en"} == {row["original"] for row in statements}
    assert all(row[language].strip() for row in statements for language in ("en", "es", "ca", "eu"))
    assert 240 == len({row[language] for row in statements for language in ("en", "es", "ca", "eu")})


def test_the_same_votes_are_made_in_every_run(votes: Path, tmp_path: Path) -> None:
    make("votes", tmp_path / "again")

    made = {path.name: path.read_bytes() for path in votes.iterdir()}
    assert made == {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()}


def test_the_votes_say_that_they_are_synthetic(votes: Path, conversation: Conversation) -> None:
    assert "(synthetic)" in conversation.topic
    assert (votes / "SYNTHETIC.txt").read_text().startswith("SYNTHETIC: nobody here exists")


def test_the_votes_come_in_with_their_districts(votes: Path, conversation: Conversation) -> None:
    table = conversation.table
    declared = read_strata(votes / "strata.csv", str, table.participants)

    assert (1_540, 60) == (len(table.participants), len(table.statements))
    assert {"Old town", "Station quarter", "New quarter", "Villages"} == set(declared.strata["district"].values())
    assert {24, 56} == left_out(conversation.statements)


def test_translations_name_each_statement_in_each_language(votes: Path) -> None:
    rows = rows_of(votes / "translations.csv")

    assert [{"statement", "language", "text"}] * 180 == [set(row) for row in rows]
    assert 180 == len({(row["statement"], row["language"]) for row in rows})


def test_only_the_duplicates_are_alike(conversation: Conversation) -> None:
    texts = {each.id: each.text for each in conversation.statements}
    pairs = {(one, other.statement) for one, others in alike(texts).items() for other in others}

    assert {(0, 46), (5, 47), (6, 48), (10, 49), (11, 50)} == {pair for pair in pairs if pair[0] < pair[1]}


def test_groups_are_those_that_the_votes_were_made_with(conversation: Conversation, votes: Path) -> None:
    table = conversation.table
    found = group_opinions(table, left_out(conversation.statements))
    lives = read_strata(votes / "strata.csv", str, table.participants).strata["district"]
    villagers = [
        sum(
            lives.get(who) == "Villages"
            for who, label in zip(table.participants, found.labels, strict=True)
            if label == n
        )
        for n in range(found.n_groups)
    ]

    assert 3 == found.n_groups
    assert max(villagers) > 0.7 * sum(villagers)


def test_the_selection_has_what_the_demo_tells(selection: Selected) -> None:
    articles = {each.candidate for each in selection.elected}

    assert SEATS.seats == len(articles)
    assert {0, 2, 3} <= articles
    assert dict(zip(CONFLICT, reversed(CONFLICT), strict=True)) == selection.undecided
    assert set(CONFLICT) < set(selection.put_to_vote)
    assert any(selection.judged[each].against for each in selection.put_to_vote)
    assert [BASQUE_FIRST] == [each.candidate for each in selection.clauses]


def test_false_accounts_bring_nothing_in_and_keep_nothing_out(selection: Selected) -> None:
    pushed = selection.judged[PUSHED]

    assert Standing.UNSUPPORTED is pushed.standing
    assert pushed.admit_margin is not None
    assert 40 < pushed.admit_margin
    assert [Standing.ELIGIBLE] * 2 == [selection.judged[each].standing for each in RIVALS]


def test_one_statement_lacks_little(selection: Selected) -> None:
    assert Standing.UNSUPPORTED is selection.judged[36].standing
    assert (selection.judged[36].admit_margin or 99) < 20


def test_the_people_decide_the_conflict_and_acknowledge_the_minority(selection: Selected, tmp_path: Path) -> None:
    texts = {int(row["id"]): row["en"] for row in rows_of(TOWN / "statements.csv")}
    asked = [each.candidate for each in selection.elected] + list(selection.put_to_vote)
    asked += [each.candidate for each in selection.clauses]
    poll, survey = tmp_path / "poll.csv", tmp_path / "wording.csv"
    with poll.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(
            [["number", "text"], *([f"{n}.1", texts[each]] for n, each in enumerate(asked, 1))]
        )
    make("wording", poll, survey)
    vote = read_survey(survey, str, strata_columns=["district"])
    place = {each: vote.table.statements[number] for number, each in enumerate(asked)}

    outcome = selected(vote, [(place[CONFLICT[0]], place[CONFLICT[1]])], final=True)

    articles = {each.candidate for each in outcome.elected}
    assert all(who.isalnum() or who.startswith("synthetic-") for who in vote.table.participants)
    assert 1 == len(articles & {place[each] for each in CONFLICT})
    assert [place[BASQUE_FIRST]] == [each.candidate for each in outcome.clauses]
    assert {place[0], place[2], place[3]} <= articles


def test_a_reworded_principle_is_voted_on_as_the_statement_it_is_most_like(tmp_path: Path) -> None:
    poll, survey = tmp_path / "poll.csv", tmp_path / "wording.csv"
    poll.write_text(
        "number,text\n1.1,The assistant should always answer in Basque first.\n2.1,It says so when not sure.\n"
    )

    make("wording", poll, survey)

    rows = rows_of(survey)
    agrees = [sum(row[text] == "agree" for row in rows) for text in list(rows[0])[2:]]
    assert 1_100 == len(rows)
    assert all(row["id"].startswith("synthetic-") for row in rows)
    assert agrees[0] < 550 < agrees[1]
