"""`auzolan deliberate` as people use it: votes in, a tally, and others who count again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.deliberation import LONDON, MATHBLOB, PEOPLE, SEATTLE, Place, copied, found_in, place, polis, survey
from tests.cli.machine import Machine, file_bits, listing, machine, path_of
from tests.shared_data import shared_folder

COPIED = {  # in the order of NAMES; counted from the files without this program
    LONDON: (26, 39, 638),
    SEATTLE: (339, 54, 2_872),
    MATHBLOB: (35, 44, 504),
}
FOLDERS = (
    SEATTLE, "austria-climate.2vkxcncppn.2022-07-07", "austria-climate.5twd2jsnkf.2022-08-08",
    "austria-climate.7z7ejpbmv5.2022-08-08", "bg2050-volunteers", "brexit-consensus", "canadian-electoral-reform",
    "football-concussions", LONDON, "mathblob-150ptpt-3gp-no-strict-no-meta",
    "mathblob-25ptpt-3gp-no-strict-with-meta", MATHBLOB, "scoop-hivemind.affordable-housing",
    "scoop-hivemind.freshwater", "scoop-hivemind.taxes", "scoop-hivemind.ubi",
    "ssis.land-bank-farmland.2rumnecbeh.2021-08-01", "vtaiwan.uberx",
)  # fmt: skip
NAMES = ("participants", "statements", "votes")


@pytest.fixture
def here(founded_town: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return copied(founded_town, tmp_path, monkeypatch)


@pytest.fixture
def auditor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return machine(tmp_path, "auditor", monkeypatch)


@pytest.mark.parametrize("name", COPIED)
def test_a_conversation_becomes_a_committed_snapshot(here: Place, name: str) -> None:
    record = here.record(here.read(polis(name), "--licence", "CC BY 4.0", "--identity", "none"))
    report = here.json("verify", here.town, "--root", here.root)
    body = record["body"]

    assert COPIED[name] == tuple(body["counts"][key] for key in NAMES)
    assert ("snapshot/v1", {"commons": here.root}) == (record["kind"], record["links"])
    assert ("CC BY 4.0", "none", 1) == (body["licence"], body["identity"], body["agree_sign"])
    assert "+1 = agree" in body["sign_evidence"]
    assert {"ballots", "statements"} == {blob.removeprefix("private.") for blob in record["blobs"]}
    assert ("verified against the pinned root", True) == (report["verdict"], report["complete"])


def test_every_cleaning_rule_says_how_much_it_removed(here: Place) -> None:
    body = here.record(here.read(polis(LONDON)))["body"]
    cleaning = {rule["rule"]: (rule["votes"], rule["others"]) for rule in body["cleaning"]}

    assert (2, 0) == cleaning["earlier votes replaced by later ones of the same participant"]
    assert (0, 3) == cleaning["texts of statements moderated out withheld"]
    assert body["counts"]["rows_read"] - sum(votes for votes, _ in cleaning.values()) == body["counts"]["votes"]


def test_every_published_conversation_can_be_imported(here: Place) -> None:
    folders = [shared_folder(f"polis/{name}") for name in FOLDERS]

    counted = {folder.name: here.record(here.read(folder))["body"] for folder in folders}

    assert 18 == len({body["commitment"]["root"] for body in counted.values()})
    for folder in folders:
        if (folder / "oracle.json").exists():
            oracle = json.loads((folder / "oracle.json").read_text())
            wanted = [oracle[name] for name in ("participants", "votes")]
            counts = counted[folder.name]["counts"]
            assert wanted == [counts[name] for name in NAMES if name != "statements"], folder.name
    assert here.json("verify", here.town, "--root", here.root)["complete"]


@pytest.mark.parametrize("privacy", ["auditors", "private"])
def test_ballots_stay_private_where_the_rules_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, privacy: str
) -> None:
    here = place(tmp_path, monkeypatch, privacy)
    snapshot = here.record(here.read(polis(LONDON)))
    tally = here.record(here.tally())
    kept = {snapshot["blobs"]["private.ballots"], tally["blobs"]["private.labels"]}
    published = {snapshot["blobs"]["statements"], tally["blobs"]["counts"]}

    assert privacy == snapshot["body"]["ballots"]
    assert kept == here.private_blobs()
    assert published == {path.replace("/", "") for path in listing(here.town / "ledger" / "blobs")}


def test_public_ballots_are_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, auditor: Machine) -> None:
    here = place(tmp_path, monkeypatch, "public")
    snapshot, tally = here.record(here.read(polis(LONDON))), here.record(here.tally())
    shutil.copytree(here.town / "ledger", auditor.folder / "copy")

    recount = auditor.json("deliberate", "recount", "--commons", "copy")

    assert {"ballots", "statements"} == set(snapshot["blobs"])
    assert {"counts", "labels"} == set(tally["blobs"])
    assert 1 == tally["body"]["min_cell"]
    assert set() == here.private_blobs()
    assert "recomputed" == recount["verdict"]


def _export_with_names(folder: Path) -> Path:
    """Write a Polis export that names its participants in every column that has room for it."""
    folder.mkdir()
    header = "participant,xid,name,email,group-id,n-comments,n-votes,n-agree,n-disagree,1,2"
    rows = [f"{81234500 + n},{who},Name-{who},{who},0,0,2,1,1,1,-1" for n, who in enumerate(PEOPLE)]
    (folder / "participants-votes.csv").write_text("\n".join([header, *rows]) + "\n")
    comments = [f"{n},x,{n},{81234500 + n},16,0,1,Text number {n}" for n in (1, 2)]
    head = "timestamp,datetime,comment-id,author-id,n-agree,n-disagree,moderated,comment-body"
    (folder / "comments.csv").write_text("\n".join([head, *comments]) + "\n")
    return folder


@pytest.mark.parametrize("kind", ["polis", "survey"])
@pytest.mark.parametrize("privacy", ["auditors", "public"])
def test_nobody_is_named_anywhere_after_an_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, privacy: str
) -> None:
    here = place(tmp_path, monkeypatch, privacy)
    folder = here.machine.folder
    source = survey(folder) if kind == "survey" else _export_with_names(folder / "polis")
    options = ("--from", "survey", "--id", "email", "--stratum", "District") if kind == "survey" else ()
    secret = [who.encode() for who in PEOPLE] + [who.split("@")[0].encode() for who in PEOPLE]
    secret += [b"example.org", *(str(81234500 + n).encode() for n in range(len(PEOPLE)))]

    outputs = [
        here.machine.call(*words, "--commons", here.town)
        for words in (
            ("deliberate", "import", source, *options),
            ("deliberate", "tally"),
            ("deliberate", "stats", "--json"),
            ("deliberate", "stats", "--html", here.town / "page.html"),
            ("deliberate", "recount", "--key", "demo/desk"),
            ("pending",),
            ("log",),
        )
    ]

    assert [0] * 7 == [output.exit_code for output in outputs], outputs
    assert set() == found_in(here.town, *secret)
    assert set() == {word for word in secret for output in outputs if word in output.output.encode()}


def test_tally_and_recount_and_endorsement(here: Place) -> None:
    snapshot, tally = here.read_survey(), here.tally("--group-count", "2")
    body = here.record(tally)["body"]
    said = here.json("deliberate", "recount", tally[:8], "--key", "demo/desk")
    endorsement = here.record(said["committed"][0]["id"])
    links = here.links(tally)

    assert ([8, 8], 0, "asked for", 5) == (body["groups"], body["unassigned"], body["chosen"], body["min_cell"])
    assert ("recomputed", snapshot) == (links["snapshot"]["strength"], links["snapshot"]["id"])
    assert ("endorsement/v1", "recomputed", tally) == (
        endorsement["kind"], endorsement["body"]["claim"], endorsement["links"]["endorses"],
    )  # fmt: skip


def test_an_auditor_counts_again_with_what_was_handed_over(here: Place, auditor: Machine) -> None:
    here.read_survey()
    tally = here.tally()
    here.run("deliberate", "hand-over", auditor.folder / "ballots")
    shutil.copytree(here.town / "ledger", auditor.folder / "copy")

    said = auditor.json("deliberate", "recount", tally[:16], "--commons", "copy", "--ballots", "ballots")
    without = auditor.error("deliberate", "recount", "--commons", "copy", code=3)
    elsewhere = auditor.error("deliberate", "recount", "--commons", "copy", "--ballots", "nowhere", code=3)
    cannot = auditor.error("deliberate", "recount", "--commons", "copy", "--ballots", "ballots", "--key", "x", code=2)

    assert ("recomputed", tally, 16, 5) == (said["verdict"], said["tally"], said["participants"], said["statements"])
    assert "withheld here" in without
    assert "not on this machine" in elsewhere
    assert "your own copy of the commons" in cannot
    assert 0o700 == (auditor.folder / "ballots").stat().st_mode & 0o777


@pytest.mark.parametrize("which", [0, 1])
def test_ballots_that_were_changed_on_the_way_are_refused(here: Place, auditor: Machine, which: int) -> None:
    here.read_survey()
    here.tally()
    here.run("deliberate", "hand-over", auditor.folder / "ballots")
    file = sorted(path for path in (auditor.folder / "ballots").rglob("*") if path.is_file())[which]
    file_bits(file, file.stat().st_size * 8 - 9)

    message = auditor.error("deliberate", "recount", "--commons", here.town / "ledger", "--ballots", "ballots", code=1)

    assert "its bytes are not the signed ones" in message


def test_nothing_is_handed_over_against_the_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = {}
    for privacy in ("private", "public"):
        here = place(tmp_path, monkeypatch, privacy, privacy)
        here.read(polis(LONDON))
        here.tally()
        said[privacy] = here.error("deliberate", "hand-over", tmp_path / privacy, code=2)

    assert "these ballots are private by the rules" in said["private"]
    assert "are public; an auditor needs nothing more" in said["public"]
    assert not (tmp_path / "private").exists()


def test_nothing_is_handed_over_into_a_folder_in_use(here: Place) -> None:
    here.read_survey()
    here.tally()
    (here.machine.folder / "used").mkdir()
    (here.machine.folder / "used" / "letter").write_text("x")

    assert "is no empty folder" in here.error("deliberate", "hand-over", "used", code=2)
    assert {"letter": b"x"} == listing(here.machine.folder / "used")


def test_an_outsider_reads_what_cannot_be_counted_again_and_who_did(here: Place, auditor: Machine) -> None:
    here.read_survey()
    tally = here.tally()
    here.run("deliberate", "recount", "--key", "demo/desk")
    shutil.copytree(here.town / "ledger", auditor.folder / "copy")

    text = auditor.run("trace", tally, "--commons", "copy", "--root", here.root)
    found = auditor.json("trace", tally, "--commons", "copy", "--root", here.root)

    assert "[unavailable]" in text
    assert "unavailable" == found["rests_on"][0]["strength"]
    assert found["rests_on"][0]["note"].startswith(
        "cannot be recomputed here: the ballots are not on this machine; recomputed by library ("
    )


def test_a_tally_that_says_other_counts_is_contradicted(here: Place) -> None:
    here.read_survey()
    right = here.tally()
    counts = json.loads(here.blob(here.record(right)["blobs"]["counts"], private=False))
    counts["statements"][0]["all"][0] += 1
    forged = here.forge(right, counts=json.dumps(counts, sort_keys=True, separators=(",", ":")).encode())

    links = here.links(forged, code=1)
    message = here.error("trace", forged, code=1)

    assert "contradicted" == links["snapshot"]["strength"]
    assert "recomputed" == here.links(right)["snapshot"]["strength"]
    assert "computed again, it comes out differently: do not trust it" in message
    assert "not what the ballots amount to" in here.error("deliberate", "recount", forged, code=1)
    assert "not what the ballots amount to" in here.error("deliberate", "stats", code=1)


def test_a_tally_of_what_is_no_snapshot_is_contradicted(here: Place) -> None:
    here.read_survey()
    forged = here.forge(here.tally(), target=here.root)

    assert "contradicted" == here.links(forged, code=1)["snapshot"]["strength"]
    here.error("deliberate", "recount", forged, code=1)


def test_a_tally_of_a_record_that_is_none_is_refused(here: Place) -> None:
    snapshot = here.read_survey()
    here.tally()

    assert "expected a snapshot/v1" in here.error("deliberate", "tally", here.root, code=2)
    assert "expected a tally/v1" in here.error("deliberate", "recount", snapshot, code=2)
    assert "expected 2 to 5 groups, got 9" in here.error("deliberate", "tally", "--group-count", "9", code=2)


def test_without_votes_there_is_nothing_to_count(here: Place) -> None:
    assert "there is no snapshot/v1 in this commons yet" in here.error("deliberate", "tally", code=3)
    assert "there is no tally/v1 in this commons yet" in here.error("deliberate", "stats", code=3)


def test_two_imports_of_the_same_votes_are_counted_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = []
    for number in range(2):
        here = place(tmp_path, monkeypatch, name=f"desk{number}")
        here.read(polis(SEATTLE))
        counted.append(here.record(here.tally())["blobs"]["counts"])

    assert counted[0] == counted[1]


def test_a_name_in_use_is_not_given_to_another_conversation(here: Place) -> None:
    here.read(polis(LONDON), "--name", "town")
    refused = here.error("deliberate", "import", polis(SEATTLE), "--name", "town", code=2)
    here.read(polis(LONDON), "--name", "town", "--again")

    assert "called 'town' here already" in refused


def test_published_ballots_against_the_rules_are_noticed(here: Place) -> None:
    snapshot = here.record(here.read(polis(LONDON)))
    folder = here.machine.folder
    (folder / "ballots").write_bytes(here.blob(snapshot["blobs"]["private.ballots"]))
    (folder / "statements").write_bytes(here.blob(snapshot["blobs"]["statements"], private=False))
    (folder / "body.json").write_text(json.dumps({**snapshot["body"], "ballots": "public"}))
    proposed = here.run(
        "propose", "record", "--kind", "snapshot/v1", "--body", folder / "body.json", "--link", f"commons={here.root}",
        "--blob", f"ballots={folder / 'ballots'}", "--blob", f"statements={folder / 'statements'}",
        "--key", "demo/desk",
    )  # fmt: skip
    here.run("commit", path_of(proposed))
    tally = here.tally()

    assert "contradicted" == here.links(tally, code=1)["snapshot"]["strength"]
    assert "the rules reserve" in here.error("deliberate", "recount", tally, code=1)
