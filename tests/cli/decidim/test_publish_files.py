"""`publish --to decidim-files`: what Decidim's importers make of the files is what the commons decided."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.decidim.rounds import town_instance
from tests.cli.deliberation import Place, found_in
from tests.cli.machine import listing
from tests.deliberate.decidim.write_back.importers import Answer, Page, import_answers, import_markdown, import_results

STATES = {"adopted": "accepted", "deferred": "evaluating", "rejected": "rejected"}
COMPONENT_OF = {
    int(item["id"]): number for number, part in town_instance().components.items() for item in part["items"]
    if item["__typename"] == "Proposal"
}  # fmt: skip


def publish(here: Place, *arguments: str, folder: str = "out") -> tuple[Path, Any]:
    path = here.machine.folder / folder
    return path, here.json("deliberate", "publish", path, "--to", "decidim-files", *arguments)


def became(here: Place) -> dict[int, str]:
    """Return what became of each proposal in the end, by number."""
    every = here.json("deliberate", "why", "--all")["proposals"]
    ends = ((each, (each["then"] or each)["disposition"]) for each in every)
    return {int(each["proposal"].rsplit("/", 1)[1]): end for each, end in ends}


@pytest.mark.parametrize("form", ["csv", "json"])
def test_every_proposal_gets_the_answer_of_its_disposition(round_done: Place, form: Any) -> None:
    folder, said = publish(round_done)
    expected = {number: STATES[end] for number, end in became(round_done).items() if number != 7}
    found: dict[int, Answer] = {}
    for component in (6, 12):
        data = (folder / f"proposal-answers-component-{component}.{form}").read_bytes()
        for required in ("state", "status"):
            answers = import_answers(data, form, component, COMPONENT_OF, ["ca"], required=required)
            found |= answers

    assert expected == {number: each.state for number, each in found.items()}
    assert {"answered": 1} == said["left_out"]  # proposal 7 has an answer of somebody else
    assert 39 == len(found) == sum(sum(counts.values()) for counts in said["answers"].values())
    assert all("auzolan deliberate why" in Page(each.answer["ca"]).loose + " ".join(Page(each.answer["ca"]).blocks)
               for each in found.values())  # fmt: skip


def test_results_link_the_proposals_behind_each_article(round_done: Place) -> None:
    folder, said = publish(round_done)
    results = import_results((folder / "accountability-results.csv").read_bytes(), ["ca"], COMPONENT_OF)
    adopted = {number for number, end in became(round_done).items() if end == "adopted"}

    assert said["articles"] == len(results)
    assert adopted == {number for each in results for number in each.proposals}


def test_the_participatory_text_has_an_article_for_each(round_done: Place) -> None:
    folder, said = publish(round_done)
    parts = import_markdown((folder / "participatory-text.ca.md").read_bytes())

    assert said["articles"] == sum(each.level == "article" for each in parts)


def test_answers_of_others_are_replaced_only_if_said(round_done: Place) -> None:
    _, said = publish(round_done, "--replace-answers")

    assert {} == said["left_out"]


def test_only_some_outcomes_in_other_states(round_done: Place) -> None:
    folder, said = publish(round_done, "--outcome", "adopted", "--state", "adopted=done")
    data = (folder / "proposal-answers-component-6.csv").read_bytes()
    answers = import_answers(data, "csv", 6, COMPONENT_OF, ["ca"], tokens=["done"])

    assert {"adopted"} == {name for counts in said["answers"].values() for name in counts}
    assert {"done"} == {each.state for each in answers.values()}


def test_answers_that_are_no_longer_given_go(round_done: Place) -> None:
    folder, _ = publish(round_done)
    publish(round_done, "--outcome", "adopted", "--outcome", "rejected")
    before = set(listing(folder))
    _, said = publish(round_done, "--outcome", "rejected")

    assert "proposal-answers-component-6.csv" in before
    assert set(said["files"]) == set(listing(folder))


def test_twice_the_same(round_done: Place) -> None:
    first, _ = publish(round_done)
    before = listing(first)
    publish(round_done)

    assert before == listing(first)


def test_languages_and_the_place_of_the_record(round_done: Place) -> None:
    folder, said = publish(round_done, "--lang", "ca,es", "--record-url", "https://example.org/town")
    answer = (folder / "proposal-answers-component-6.csv").read_text()

    assert ["ca", "es"] == said["locales"]
    assert "https://example.org/town" in answer
    assert {"participatory-text.ca.md", "participatory-text.es.md"} <= set(said["files"])


def test_nobody_is_named(round_done: Place) -> None:
    folder, _ = publish(round_done)

    assert set() == found_in(folder, b"Secret Name", b"secret_nick")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--outcome", "loved"), "--outcome: expected one of adopted, deferred, rejected"),
        (("--state", "adopted"), "state for adopted"),
        (("--state", "loved=x"), "--state: expected one of"),
        (("--state", "adopted=Not A Token"), "state for adopted"),
        (("--yes-notify-participants",), "--yes-notify-participants: not with --to decidim-files"),
        (("--token-file", "x"), "--token-file: not with --to decidim-files"),
        (("--lang", "not a language"), "expected such as ca, es or pt-BR"),
    ],
)
def test_options_that_do_not_fit_are_refused(round_done: Place, options: tuple[str, ...], message: str) -> None:
    result = round_done.machine.call(
        "deliberate", "publish", "out", "--to", "decidim-files", *options, "--commons", round_done.town
    )

    assert result.exit_code in (1, 2), result.output
    assert message in " ".join(result.output.split())
    assert "a bug in" not in result.output


def test_without_a_folder_or_into_a_file(round_done: Place) -> None:
    (round_done.machine.folder / "file").write_text("mine")

    assert "name the folder" in round_done.error("deliberate", "publish", "--to", "decidim-files", code=2)
    assert "is a file" in round_done.error("deliberate", "publish", "file", "--to", "decidim-files", code=2)


def test_nothing_goes_back_before_the_vote(answered: Place) -> None:
    error = answered.error("deliberate", "publish", "out", "--to", "decidim-files", code=2)

    assert "only a ratified constitution goes back to a Decidim" in error
    assert not (answered.machine.folder / "out").exists()


def test_a_constitution_of_other_votes_has_no_decidim_to_go_back_to(ratified_town: Place) -> None:
    error = ratified_town.error("deliberate", "publish", "out", "--to", "decidim-files", code=2)

    assert "does not come from proposals of a Decidim" in error


def test_options_of_a_decidim_are_refused_for_pages(round_done: Place) -> None:
    error = round_done.error("deliberate", "publish", "--replace-answers", code=2)

    assert "--replace-answers: not with --to pages" in error
