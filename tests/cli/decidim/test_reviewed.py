"""What a hostile or unlucky hand does between import and write-back, and what comes of it."""

from __future__ import annotations

import copy
import json
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from auzolan.cli.decidim.publishing import _append
from auzolan.deliberate.decidim.dispositions import Disposition, Fate
from auzolan.deliberate.decidim.entities import Key
from auzolan.deliberate.decidim.write_back.answers import AnswerFiles, AnswerOptions
from auzolan.deliberate.decidim.write_back.published import AnsweredProposal, Publication
from tests.cli.decidim.rounds import edit, import_live, make_kit, respond, sign_kit, town_instance
from tests.cli.deliberation import Place
from tests.cli.machine import path_of
from tests.decidim_server import DecidimServer

Body = dict[str, Any]


def committed(here: Place, kind: str, change: Callable[[Body], Body], **links: str) -> str:
    """Commit a record like the newest of a kind with its body changed, by a hand that signs whatever it is told."""
    record = here.record(here.ids(kind)[-1])
    body = here.machine.folder / "body.json"
    body.write_text(json.dumps(change(copy.deepcopy(record["body"]))))
    folder = here.town / "ledger" / "blobs"
    words: list[str | Path] = ["--kind", kind, "--body", body, "--key", "demo/desk"]
    for name, target in {**record["links"], **links}.items():
        words += ["--link", f"{name}={target}"]
    for name, digest in record["blobs"].items():
        if not name.startswith("private."):
            words += ["--blob", f"{name}={next(folder.rglob(f'*{digest[4:]}*'))}"]
    proposed = here.run("propose", "record", *words)
    return str(here.json("commit", path_of(proposed))["committed"][0]["id"])


# --- files of others in the folders ----------------------------------------------------------------------------------


def test_a_kit_leaves_files_alone_that_it_did_not_write(with_kit: Place) -> None:
    kit = with_kit.machine.folder / "kit"
    others = [kit / name for name in ("survey-1-responses.json", "survey-results.xlsx", "survey-1.responses.csv")]
    for path in others:
        path.write_text("the only copy (synthetic)")
    stale = kit / "survey-7.ca.txt"
    stale.write_text("of an earlier kit")

    sign_kit(with_kit, kit)

    assert all(path.exists() for path in others)
    assert not stale.exists()


def test_publishing_leaves_files_alone_that_it_did_not_write(round_done: Place) -> None:
    folder = round_done.machine.folder / "upload"
    folder.mkdir()
    other, stale = folder / "proposal-answers-component-6-read.csv", folder / "proposal-answers-component-6-part-9.csv"
    for path in (other, stale):
        path.write_text("x")

    round_done.run("deliberate", "publish", folder, "--to", "decidim-files")

    assert other.exists()
    assert not stale.exists()


def _published(per_file: int, components: int, each: int) -> AnswerFiles:
    published = Publication({"ca": "Carta"}, "x.org", ("ca",), "ab" * 32, None, ())
    answers = (
        AnsweredProposal(Disposition(Key("x.org", component, "proposal", number), Fate("deferred", "no place")))
        for number in range(each)
        for component in range(1, components + 1)
    )
    return AnswerFiles(published, answers, AnswerOptions(per_file=per_file))


def test_many_answers_need_few_open_files(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, hard))
    try:
        names = _append(tmp_path, _published(per_file=2, components=90, each=5))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    rows = sum(path.read_text().count("\n") - 1 for path in tmp_path.glob("*.csv"))
    listed = [item for path in tmp_path.glob("*.json") for item in json.loads(path.read_text())]

    assert 90 * 5 == rows == len(listed)
    assert set(names) == {path.name for path in tmp_path.iterdir()}


def test_answers_that_break_off_leave_the_earlier_files(tmp_path: Path) -> None:
    class Broken(AnswerFiles):
        def __iter__(self) -> Iterator[Any]:
            for number, chunk in enumerate(super().__iter__()):
                if number == 5:
                    raise KeyboardInterrupt
                yield chunk

    (tmp_path / "proposal-answers-component-1.csv").write_text("earlier")
    broken = Broken.__new__(Broken)
    broken.__dict__ |= _published(10, 1, 5).__dict__

    with pytest.raises(KeyboardInterrupt):
        _append(tmp_path, broken)

    assert {"proposal-answers-component-1.csv": "earlier"} == {
        path.name: path.read_text() for path in tmp_path.iterdir()
    }


# --- records that lie ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "name"),
    [("counts", "proposals"), ("counts", "withdrawn"), ("counts", "results"), ("supports", "total"),
     ("supports", "hidden"), ("fingerprints", "checked")],
)  # fmt: skip
def test_an_import_whose_counts_lie_is_found(imported: Place, field: str, name: str) -> None:
    def lie(body: Body) -> Body:
        body[field][name] += 7
        return body

    committed(imported, "proposals/v1", lie)
    error = imported.error("deliberate", "kit", imported.machine.folder / "kit", "--lang", "ca", code=1)

    assert f"the import says" in error  # noqa: F541
    assert "its files" in error


def test_an_import_continues_only_one_of_the_same_decidim(imported: Place) -> None:
    earlier = imported.ids("proposals/v1")[0]

    def elsewhere(body: Body) -> Body:
        body["source"]["host"] = "evil.example"
        return body

    made = committed(imported, "proposals/v1", elsewhere, supersedes=earlier)

    assert "contradicted" == imported.links(made, code=1)["supersedes"]["strength"]


def test_another_host_is_another_import(imported: Place) -> None:
    with DecidimServer("0.32", town_instance()) as server:
        error = imported.error(
            "deliberate", "import", server.endpoint, "--from", "decidim", "--name", "town", "--again",
            "--host", "other.example.org", code=2,
        )  # fmt: skip

    assert "--again: 'town' was of 127.0.0.1, and this is of other.example.org" in error


def test_a_shortlist_that_leaves_out_what_had_a_place_is_asserted(with_kit: Place) -> None:
    kit = with_kit.machine.folder / "kit"
    edit(kit / "statements.csv", lambda rows: rows[:-1])
    assert "asserted" == with_kit.links(sign_kit(with_kit, kit))["proposals"]["strength"]


# --- rounds that go on -----------------------------------------------------------------------------------------------


def test_the_next_round_does_not_take_back_what_the_people_decided(round_done: Place) -> None:
    before = round_done.json("deliberate", "why", "--all")["counts"]
    again = round_done.machine.folder / "next"
    with DecidimServer("0.32", town_instance()) as server:
        import_live(round_done, server, "--again")
    make_kit(round_done, again, "--statements", "12")
    sign_kit(round_done, again)

    assert before["adopted"] > 0
    assert before == round_done.json("deliberate", "why", "--all")["counts"]
    assert round_done.json("deliberate", "publish", round_done.machine.folder / "up", "--to", "decidim-files")[
        "articles"
    ]


def test_the_same_proposals_under_two_names_are_still_told_of(round_done: Place) -> None:
    said = round_done.json("deliberate", "why", "--all")
    adopted = next(each["proposal"] for each in said["proposals"] if each["disposition"] == "adopted")
    with DecidimServer("0.32", town_instance()) as server:
        import_live(round_done, server, name="a second time")

    assert "adopted" == round_done.json("deliberate", "why", adopted)["disposition"]
    assert said["counts"] == round_done.json("deliberate", "why", "--all")["counts"]


def test_an_address_for_answers_is_plain(round_done: Place) -> None:
    for url in ("javascript:alert(1)", "https://me:secret@example.org/", "ftp://example.org/"):
        words = ("publish", round_done.machine.folder / "up", "--to", "decidim-files", "--record-url", url)
        error = round_done.error("deliberate", *words, code=2)

        assert "--record-url: expected a plain http or https address" in error
        assert "secret" not in error


# --- what busy people do ---------------------------------------------------------------------------------------------


def test_a_signed_kit_made_again_stays_signed(with_kit: Place) -> None:
    kit = with_kit.machine.folder / "kit"
    record = sign_kit(with_kit, kit)
    before = (kit / "README.md").read_text()

    assert record == with_kit.json("deliberate", "kit", kit)["record"]
    assert before == (kit / "README.md").read_text()


def test_choosing_anew_keeps_the_edited_file(with_kit: Place) -> None:
    kit = with_kit.machine.folder / "kit"
    edited = (kit / "statements.csv").read_bytes() + b"\r\n"
    (kit / "statements.csv").write_bytes(edited)

    make_kit(with_kit, kit, "--force")

    assert edited == (kit / "statements.csv.old").read_bytes()


def test_comments_imported_by_themselves_do_not_hide_the_proposals(imported: Place) -> None:
    comments = Path(__file__).parents[2] / "data/decidim/madrid2019-open-data-proposal_comments.csv"
    imported.run("deliberate", "import", comments, "--from", "decidim", "--name", "comments")

    assert make_kit(imported, imported.machine.folder / "other")["statements"] > 0
    assert imported.json("deliberate", "ratify")["statements"] > 0


def test_ballots_without_a_tally_say_what_is_next(with_kit: Place) -> None:
    kit = with_kit.machine.folder / "kit"
    sign_kit(with_kit, kit)
    responses = respond(kit, with_kit.machine.folder / "responses") / "responses-1.json"
    with_kit.run("deliberate", "import", responses, "--from", "decidim-survey", "--name", "survey")

    assert "`auzolan deliberate tally` makes one" in with_kit.error("deliberate", "ratify", code=3)
    asked = next(each for each in with_kit.json("deliberate", "why", "--all")["proposals"] if each["statement"])
    assert "their votes are not counted yet" in asked["words"]


@pytest.mark.parametrize("path", ["processes/pam", "open-data/download", "x.csv", "admin/api/x"])
def test_the_address_of_a_page_is_no_api(founded: Place, path: str) -> None:
    words = ("deliberate", "import", f"https://decidim.example.org/{path}", "--from", "decidim", "--name", "x")

    assert "expected the address of a Decidim's API, https://HOST/api" in founded.error(*words, code=2)


def test_whoever_forgot_to_say_decidim_is_told(founded: Place) -> None:
    data = Path(__file__).parents[2] / "data/decidim"
    for source in (data / "pam2016-open-data-proposals.csv", data):
        error = founded.error("deliberate", "import", source, "--name", "x", code=2)

        assert "this looks like files of a Decidim, which --from decidim reads" in error


def test_answers_to_another_list_are_not_counted(with_kit: Place) -> None:
    kit, folder = with_kit.machine.folder / "kit", with_kit.machine.folder
    drafted = respond(kit, folder / "drafted") / "responses-1.json"
    edit(kit / "statements.csv", lambda rows: rows[::-1])
    sign_kit(with_kit, kit)
    words = ("deliberate", "import", drafted, "--from", "decidim-survey", "--name", "survey")

    assert "has the words of statement" in with_kit.error(*words, code=1)


def test_responses_in_other_words_count_only_where_that_is_said(with_kit: Place) -> None:
    kit, folder = with_kit.machine.folder / "kit", with_kit.machine.folder
    sign_kit(with_kit, kit)
    path = respond(kit, folder / "responses") / "responses-1.json"
    path.write_text(path.read_text().replace("Proposta", "Una altra cosa"))
    words = ("deliberate", "import", path, "--from", "decidim-survey", "--name", "survey")

    assert "this looks like another survey, or the draft" in with_kit.error(*words, code=1)
    with_kit.run(*words, "--other-words")
    snapshot = with_kit.ids("snapshot/v1")[0]
    assert "asserted" == with_kit.links(snapshot)["shortlist"]["strength"]


def test_a_kit_goes_into_a_folder_of_that_name(imported: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(imported.machine.folder)

    assert "kit" == imported.json("deliberate", "kit", "--lang", "ca,es")["folder"]
    assert (imported.machine.folder / "kit" / "process.es.md").exists()
