"""`ratify` where there are proposals with counts and nobody's ballots: what that shows, and what it cannot."""

from __future__ import annotations

import pytest

from tests.cli.decidim.exports import PAM, folder_of, imports, proposals_csv
from tests.cli.deliberation import Place
from tests.cli.ratifying import TOWN


def test_counts_are_grade_c_and_nothing_is_selected(imported: Place) -> None:
    before = imported.json("log")
    said = imported.json("deliberate", "ratify")

    assert ("C", [], [], None, None) == (
        said["grade"], said["groups"], said["articles"], said["certificate"], said["record"],
    )  # fmt: skip
    assert 40 == said["statements"] == sum(each["proposals"] for each in said["quotas"])
    assert imported.ids("proposals/v1")[0] == said["import"]
    assert before == imported.json("log")
    assert "auzolan deliberate kit DIR --lang LANGUAGES" == said["next"]


def test_quotas_are_beside_what_counts_alone_would_give(imported: Place) -> None:
    said = imported.json("deliberate", "ratify")
    quotas = {each["name"]: each for each in said["quotas"]}

    assert 25 == len(said["shortlist"]) == sum(each["places"] for each in said["quotas"])
    assert 25 == sum(each["by_counts_alone"] for each in said["quotas"])
    assert {"meeting": 10, "official": 5, "participant": 25} == {name: q["proposals"] for name, q in quotas.items()}
    assert list(range(1, 26)) == [each["place"] for each in said["shortlist"]]


def test_what_counts_cannot_show_is_said_first(imported: Place) -> None:
    output = imported.run("deliberate", "ratify")
    flat = " ".join(output.split())

    assert output.index("Evidence grade C") < output.index("cannot show") < output.index("Who would be heard")
    assert output.index("Who would be heard") < output.index("The first of each") < output.index("Next: ask everybody")
    assert "A consensus. That takes ballots" in flat
    assert "Who is against" in flat
    assert "by counts alone" in flat
    assert [] == [line for line in output.splitlines() if len(line.rstrip()) > 80]


def test_real_proposals_fit_a_narrow_terminal(founded: Place) -> None:
    imports(founded, PAM)
    output = founded.run("deliberate", "ratify")

    assert [] == [line for line in output.splitlines() if len(line.rstrip()) > 80]
    assert "… and 15 more; --json has all of them" in output


def test_with_the_number_of_people_there_is_a_share(imported: Place) -> None:
    without, with_it = (imported.json("deliberate", "ratify", *more) for more in ((), ("--participants", "500")))
    first = next(each for each in with_it["shortlist"] if each["supports"] is not None)

    assert len(without["cannot_show"]) == len(with_it["cannot_show"]) + 1
    assert {None} == {each["interval"] for each in without["shortlist"]}
    assert (500, "wilson 90 %") == (with_it["participants"], first["interval"])
    assert first["lower"] < first["supports"] / 500 < first["upper"]
    assert "plausibly" in imported.run("deliberate", "ratify", "--participants", "500")


def test_fewer_people_than_supports_are_refused(imported: Place) -> None:
    error = imported.error("deliberate", "ratify", "--participants", "3", code=2)

    assert "supports" in error


def test_hidden_supports_are_told_apart(founded: Place) -> None:
    imports(founded, folder_of(founded, proposals=proposals_csv(1, 2, votes="")))
    said = founded.json("deliberate", "ratify")

    assert {None} == {each["supports"] for each in said["shortlist"]}
    assert any("supports are hidden" in each for each in said["cannot_show"])
    assert "supports hidden" in founded.run("deliberate", "ratify")


@pytest.mark.parametrize("options", [("--seats", "3"), ("--conflicts", "x.json"), ("--key", "demo/desk")])
def test_options_of_a_selection_are_refused(imported: Place, options: tuple[str, ...]) -> None:
    error = imported.error("deliberate", "ratify", *options, code=2)

    assert "proposals with counts have no ballots" in error


def test_only_withdrawn_proposals_are_nothing_to_choose_from(founded: Place) -> None:
    imports(founded, folder_of(founded, proposals=proposals_csv(1, withdrawn="true")))

    assert "no proposal to choose from" in founded.error("deliberate", "ratify", code=2)


def test_with_a_tally_it_selects_as_before(imported: Place) -> None:
    imported.read(TOWN, "--name", "assistant")
    imported.tally()
    said = imported.json("deliberate", "ratify")

    assert said["articles"]
    assert "selection/v1" == imported.record(said["record"])["kind"]


def test_an_import_that_is_named_is_shown_though_there_is_a_tally(answered: Place) -> None:
    (imported,) = answered.ids("proposals/v1")

    assert ("C", imported) == tuple(
        answered.json("deliberate", "ratify", imported)[name] for name in ("grade", "import")
    )


def test_participants_are_for_counts_alone(answered: Place) -> None:
    error = answered.error("deliberate", "ratify", "--participants", "500", code=2)

    assert "--participants is for counts alone" in error


def test_titles_cannot_write_on_the_terminal(founded: Place) -> None:
    imports(founded, folder_of(founded, proposals=proposals_csv(1, title__ca="\x1b[2Jgone\u202e [red]x[/red]")))
    output = founded.run("deliberate", "ratify")

    assert "\x1b[2J" not in output
    assert "\u202e" not in output
    assert "[red]x[/red]" in output
