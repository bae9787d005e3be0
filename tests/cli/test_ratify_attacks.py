"""Records about a people's vote that are well formed, signed and false, and runs that die or meet: none passes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from auzolan.core.record.disk import DiskFiles
from auzolan.core.record.published import CHECKPOINT
from tests.cli.deliberation import Place, copied
from tests.cli.ratifying import ballots, confirm, forge_record, put_to_vote
from tests.faulty_files import Crash

ESCAPES = "\x1b[2J\u202e2026"


@pytest.fixture
def here(selected_town: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return copied(selected_town, tmp_path, monkeypatch)


@pytest.fixture
def voted(ratified_town: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """The same after the people's vote."""
    return copied(ratified_town, tmp_path, monkeypatch)


def honest(here: Place) -> str:
    return here.ids("constitution/v1")[0]


def assert_refused(here: Place, constitution: str, why: str, link: str) -> None:
    """Check that neither `check` nor `publish` lets a constitution pass, and that `trace` contradicts a link."""
    folder = here.machine.folder / "pages"

    assert why in here.error("deliberate", "check", constitution, code=1)
    assert why in here.error("deliberate", "publish", folder, "--record", constitution, code=1)
    assert "contradicted" == here.links(constitution, code=1)[link]["strength"]
    assert not folder.exists()


def test_a_wording_that_was_put_on_record_after_its_vote_ratifies_nothing(voted: Place) -> None:
    late = forge_record(voted, voted.ids("draft/v1")[0], drafted_at="2026-12-01")
    false = forge_record(voted, honest(voted), {"draft": late, "supersedes": honest(voted)})

    assert_refused(voted, false, "c wording: the wording was put on record after the vote came in", "draft")


def test_a_constitution_that_passes_over_the_one_in_force_is_refused(voted: Place) -> None:
    first = honest(voted)
    second = forge_record(voted, first, {"supersedes": first}, ratified_at="2026-12-02")
    silent = forge_record(voted, first, ratified_at="2026-12-03")
    stale = forge_record(voted, first, {"supersedes": first}, ratified_at="2026-12-04")
    why = "c wording: it does not say that it replaces the constitution that was in force"

    assert "recomputed" == voted.json("deliberate", "check", second)["verdict"]
    assert "checked" == voted.links(second)["supersedes"]["strength"]
    assert_refused(voted, silent, why, "draft")
    assert_refused(voted, stale, why, "supersedes")


@pytest.mark.parametrize(("link", "kind"), [("supersedes", "selection/v1"), ("supersedes", "governance/v1")])
def test_only_a_constitution_is_replaced(voted: Place, link: str, kind: str) -> None:
    false = forge_record(voted, honest(voted), {link: voted.ids(kind)[0]})

    assert_refused(voted, false, "c wording: it does not say that it replaces", link)


@pytest.mark.parametrize(
    ("link", "kind"),
    [("draft", "selection/v1"), ("draft", "governance/v1"), ("draft", "constitution/v1"), ("tally", "governance/v1")],
)
def test_links_to_another_kind_of_record_are_named_by_every_command(voted: Place, link: str, kind: str) -> None:
    false = forge_record(voted, honest(voted), {link: voted.ids(kind)[0]})
    why = f"links to a {kind} as its {link}"

    assert_refused(voted, false, why, link)
    assert why in voted.error("deliberate", "diff", honest(voted), false, code=1)


def test_a_draft_of_something_else_than_a_selection_is_named_by_every_command(voted: Place) -> None:
    draft = forge_record(voted, voted.ids("draft/v1")[0], {"selection": voted.ids("tally/v1")[0]})
    false = forge_record(voted, honest(voted), {"draft": draft})

    for command in ("check", "diff"):
        words = [false] if command == "check" else [honest(voted), false]

        assert "expected a selection/v1" in voted.error("deliberate", command, *words, code=1)


def test_a_conflict_about_statements_that_are_not_there_is_refused(here: Place) -> None:
    false = forge_record(here, here.ids("selection/v1")[0], conflicts=[[900, 901]])

    assert "3 conflicts: statement 900" in here.error("deliberate", "check", false, code=1)


def test_a_statements_own_words_are_not_said_to_be_an_editors(voted: Place) -> None:
    draft = voted.ids("draft/v1")[0]
    principles: list[dict[str, Any]] = voted.record(draft)["body"]["principles"]
    false = forge_record(voted, draft, principles=[{**principles[0], "editor": "the mayor"}, *principles[1:]])

    assert "contradicted" == voted.links(false, code=1)["selection"]["strength"]


def test_a_date_in_a_record_cannot_write_on_the_terminal(voted: Place) -> None:
    false = forge_record(voted, honest(voted), ratified_at=ESCAPES)
    text = voted.run("deliberate", "diff", honest(voted), false)

    assert set() == set(text) & set("\x1b\u202e")


def test_an_empty_id_is_no_id(voted: Place) -> None:
    assert "'' is no record id" in voted.error("deliberate", "diff", "", code=2)


def test_a_vote_that_is_confirmed_again_after_a_crash_stands_once(here: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    path, write_all = ballots(put_to_vote(here), people=30), DiskFiles.write_all

    def dying(self: DiskFiles, files: Any, *rest: Any) -> None:
        if CHECKPOINT in files:  # everything is written and promised, and nothing signed yet
            raise Crash
        write_all(self, files, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(DiskFiles, "write_all", dying)
        with pytest.raises(Crash):
            confirm(here, path)
    said = here.error(
        "deliberate", "confirm", path, "--from", "survey", "--id", "email", "--stratum", "District", "--name", "vote",
        code=2,
    )  # fmt: skip

    assert "a vote is held once" in said
    assert (1, 2) == (len(here.ids("constitution/v1")), len(here.ids("snapshot/v1")))
    assert "recomputed" == here.json("deliberate", "check")["verdict"]


def test_no_editor_is_named_by_an_address(here: Place) -> None:
    draft = here.machine.folder / "draft.md"
    here.run("deliberate", "draft", "--output", draft)
    text = draft.read_text().replace("> The assistant", "> An assistant", 1)
    draft.write_text(text.replace("- editor:", "- editor: ana@example.org", 1))
    error = here.error("deliberate", "put-to-vote", draft, code=1)

    assert "the editor of 1.1: an e-mail address or a long number" in error
    assert "example.org" not in error


def test_one_statement_is_no_statements(here: Place) -> None:
    counts = here.machine.folder / "counts.csv"
    counts.write_text("id,text,agree,disagree,pass\n1,Parks stay open,10,2,3\n")

    assert "1 statement\n" in here.machine.run("deliberate", "ratify", "--counts", counts)
