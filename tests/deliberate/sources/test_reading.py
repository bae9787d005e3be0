"""The options of `import` and `stats` that say how a source is read: what they do, and which do not fit."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from auzolan.cli.app import app
from auzolan.cli.decidim.importing import DecidimOptions
from auzolan.cli.reading import SourceOptions, read_source
from auzolan.core.record.errors import UsageError
from auzolan.deliberate.conversation import Cleaning
from tests.cli.deliberation import place

_SURVEY = SourceOptions("survey")


@pytest.fixture
def survey(tmp_path: Path) -> Path:
    path = tmp_path / "survey.csv"
    path.write_text("Why,id,a,b\nBecause,x,aye,no\n,y,yes,\n")
    return path


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"id_column": "id"}, "--id: for --from survey only"),
        ({"statements": ["a"]}, "--statement: for --from survey only"),
        ({"stratum_columns": ["a"]}, "--stratum: for --from survey only"),
        ({"skip_columns": ["a"]}, "--skip: for --from survey only"),
        ({"delimiter": ","}, "--delimiter: for --from survey only"),
        ({"words": {"aye": 1}}, "--agree: for --from survey or --from decidim-survey only"),
        ({"words": {"nay": -1}}, "--disagree: for --from survey or --from decidim-survey only"),
        ({"words": {"eh": 0}}, "--pass: for --from survey or --from decidim-survey only"),
        (
            {"words": {"aye": 1, "eh": 0}, "delimiter": "tab"},
            "--delimiter, --agree, --pass: for --from survey or --from decidim-survey only",
        ),
        ({"shortlist": "x"}, "--shortlist: for --from decidim-survey only"),
        ({"weights": "cards"}, "--weights: for --from decidim-votes only"),
        ({"decidim": DecidimOptions(host="x")}, "--host: for --from decidim only"),
        ({"decidim": DecidimOptions(components=(6,))}, "--component: for --from decidim only"),
        ({"decidim": DecidimOptions(with_comments=False)}, "--without-comments: for --from decidim only"),
        ({"decidim": DecidimOptions(cards=("a=agree",))}, "--card: for --from decidim only"),
        ({"decidim": DecidimOptions(token_file=Path("t"))}, "--token-file: for --from decidim only"),
    ],
)
def test_options_of_other_sources_are_refused_with_polis(tmp_path: Path, changed: dict[str, Any], named: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_source(tmp_path, replace(SourceOptions(), **changed), str)

    assert f"{named}, and this is read as polis" == str(caught.value)


def test_proposals_are_no_votes(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--from decidim: expected votes, from one of polis, survey, decidim-survey"):
        read_source(tmp_path, SourceOptions(tool="decidim"), str)


def test_weights_are_cards_or_supports(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--weights: expected cards or supports, got 'stones'"):
        read_source(tmp_path, SourceOptions(tool="decidim-votes", weights="stones"), str)


def test_the_sign_is_refused_with_a_survey(survey: Path) -> None:
    with pytest.raises(UsageError, match="--agree-is is for Polis exports"):
        read_source(survey, replace(_SURVEY, agree_is=1), str)


def test_people_in_the_table_of_strata_who_did_not_vote_are_counted(survey: Path, tmp_path: Path) -> None:
    table = tmp_path / "strata.csv"
    table.write_text("who,District\nx,North\nz,South\nw,South\n")
    options = replace(_SURVEY, skip_columns=["Why"], words={"aye": 1})
    alone, got = (read_source(survey, each, str) for each in (options, replace(options, strata=table)))

    assert {"District": {"x": "North"}} == got.strata
    expected = (*alone.cleaning, Cleaning("people in the table of strata who did not vote", others=2))
    assert expected == got.cleaning


def test_a_stratum_that_the_survey_has_too_is_refused(survey: Path, tmp_path: Path) -> None:
    table = tmp_path / "strata.csv"
    table.write_text("who, b \nx,North\n")

    with pytest.raises(UsageError, match="--strata: 'b' is a stratum of the survey already"):
        read_source(survey, SourceOptions("survey", None, table, "id", ["a"], ["b"], words={"aye": 1}), str)


@pytest.mark.parametrize("mark", [";", "tab"])
def test_the_delimiter_is_passed_on(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "survey.csv"
    path.write_text("id,a\nx,yes\n".replace(",", "\t" if mark == "tab" else mark))

    assert 1 == read_source(path, replace(_SURVEY, delimiter=mark), str).table.n_votes


def test_columns_are_skipped_and_words_added_from_the_command_line(survey: Path) -> None:
    arguments = ["deliberate", "stats", survey, "--from", "survey", "--skip", "Why", "--agree", "aye", "--json"]
    output = CliRunner().invoke(app, list(map(str, arguments)))

    assert 0 == output.exit_code, output.output
    statements = {each["text"]: each["agree"] for each in json.loads(output.stdout)["statements"]}
    assert {"a": 2, "b": 0} == statements


def test_columns_are_skipped_at_the_import_too(survey: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = place(tmp_path, monkeypatch)
    snapshot = here.record(here.read(survey, "--from", "survey", "--skip", "Why", "--agree", "aye"))

    assert (2, 3) == tuple(snapshot["body"]["counts"][name] for name in ("statements", "votes"))


@pytest.mark.parametrize("command", ["import", "stats"])
def test_the_help_says_that_words_are_added(command: str) -> None:
    output = CliRunner().invoke(app, ["deliberate", command, "--help"], env={"COLUMNS": "200"})

    assert 3 == output.stdout.count("beside the known words")
    assert "--skip" in output.stdout
