"""What hostile or unlucky people tried on `auzolan deliberate` and `forget`, and what must hold all the same."""

from __future__ import annotations

import json
import re
import subprocess
import zipfile
from pathlib import Path

import pytest

from auzolan.core.record.canonical import canonical_bytes
from auzolan.core.record.envelope import Envelope
from auzolan.core.record.record import Record
from tests.cli.deliberation import LONDON, PEOPLE, Place, commit_rules, copied, found_in, place, polis, survey
from tests.cli.machine import env_without_home, listing, path_of
from tests.cli.test_forgetting import traces_of
from tests.cli.test_outsider import COMMAND

ANA = PEOPLE[0]
VOTES = b"timestamp,datetime,comment-id,voter-id,vote\n"
MATRIX = b"participant,group-id,n-votes,n-agree,n-disagree,0,1\n"
GOOD_ROW = b"7,0,2,1,1,1,-1\n"
WHO = "Wer.ist@example.org"


@pytest.fixture
def here(founded_town: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return copied(founded_town, tmp_path, monkeypatch)


BAD: dict[str, tuple[str, bytes, str]] = {  # file, bytes, what the error names
    "another delimiter": ("participants-votes.csv", MATRIX.replace(b",", b";"), "line 1: the columns are separated by"),
    "not UTF-8": ("participants-votes.csv", MATRIX + b"7,0,2,1,1,\xff,-1\n", "line 2: not UTF-8 (byte 11 of the line)"),
    "UTF-16": ("participants-votes.csv", MATRIX.decode().encode("utf-16"), "line 1: not UTF-8 (byte 1 of the line"),
    "byte-order mark": ("participants-votes.csv", b"\xef\xbb\xbf" + MATRIX + GOOD_ROW, "line 1: the file begins with"),
    "a column twice": ("participants-votes.csv", MATRIX.replace(b"0,1\n", b"0,0\n"), "line 1, column 7 (0): the colum"),
    "a vote of 2": ("participants-votes.csv", MATRIX + b"7,0,2,1,1,1,2\n", "line 2, column 7 (1): expected a vote"),
    "a vote in words": ("votes.csv", VOTES + b"1,x,0,7,yes\n", "line 2, column 5 (vote): expected a vote, 1, 0 or -1"),
    "a participant twice": ("participants-votes.csv", MATRIX + GOOD_ROW * 2, "line 3, column 1 (participant): this pa"),
    "a NUL byte": ("participants-votes.csv", MATRIX + b"7,0,2,1,1,\x00,-1\n", "line 2: a NUL byte (byte 11 of the"),
    "an empty file": ("participants-votes.csv", b"", "the file is empty, expected a header and rows"),
    "only a header": ("participants-votes.csv", MATRIX, "there is not a single vote"),
    "an endless line": ("participants-votes.csv", MATRIX + b"7" * 2**22, "line 2: the line is longer than 1,048,576"),
    "a short row": ("participants-votes.csv", MATRIX + b"7,0,2,1,1,1\n", "line 2, column 7: the row has 6 cells"),
    "an open quote": ("participants-votes.csv", MATRIX + b'7,0,2,1,1,"1,-1\n', "line 2: a quote that is opened"),
    "a formula": ("s.csv", b"id,=HYPERLINK(1)\n7,agree\n", "s.csv, line 1, column 2"),
    "an unknown word": ("s.csv", f"id,Parks\n7,{WHO}\n".encode(), "s.csv, line 2, column 2 (Parks): expected a word"),
    "somebody twice": ("s.csv", f"id,Parks\n{WHO},agree\n{WHO},agree\n".encode(), "s.csv, line 3, column 1 (id)"),
    "JSON cut off": ("votes.json", b'[{"pid": 1,', "votes.json"),
    "deep JSON": ("votes.json", b"[" * 100_000, "votes.json"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_in_one_line_and_changes_nothing(here: Place, name: str) -> None:
    here.json("deliberate", "import", survey(here.machine.folder), "--from", "survey", "--stratum", "District")
    file, data, wanted = BAD[name]
    source = here.machine.folder / "bad"
    source.mkdir()
    (source / file).write_bytes(data)
    tool = ("--from", "survey") if file == "s.csv" else ()
    before = listing(here.town)

    said = here.error("deliberate", "import", source, *tool, code=1)
    also = here.error("deliberate", "stats", source, *tool, code=1)

    assert before == listing(here.town)
    assert said == also
    assert wanted in said
    assert name in {"an empty file", "only a header"} or file in said
    assert WHO not in said


def test_a_zip_bomb_is_refused(here: Place) -> None:
    bomb = here.machine.folder / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("votes.csv", VOTES + (b"1," + b"x" * 100_000 + b",0,7,1\n") * 300)
    before = listing(here.town)

    said = here.error("deliberate", "import", bomb, code=1)

    assert "votes.csv" in said
    assert {"private/pseudonym.key"} == set(listing(here.town)) - set(before)


@pytest.mark.parametrize("path", ["nowhere", "/dev/zero"])
def test_what_is_no_file_is_refused(here: Place, path: str) -> None:
    assert "cannot read" in here.error("deliberate", "import", path, code=2)


EVIL = "Parks \x1b[2J\x1b]0;owned\x07 \u202egnp.exe <script>alert(1)</script> [bold]x[/bold] & 'q' \"q\""
RAW = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


def test_control_characters_in_votes_are_refused_and_not_shown(here: Place) -> None:
    source = here.machine.folder / "evil"
    source.mkdir()
    (source / "votes.csv").write_bytes(VOTES + b"1,x,0,1,1\n")
    quoted = EVIL.replace('"', '""')
    (source / "comments.csv").write_text(f'comment-id,comment-body\n0,"{quoted}"\n')
    path = survey(here.machine.folder)
    path.write_text(path.read_text().replace("North", "Nor\x1b[2Jth"))

    texts = here.machine.call("deliberate", "import", source, "--commons", here.town)
    strata = here.machine.call(
        "deliberate", "import", path, "--from", "survey", "--stratum", "District", "--commons", here.town
    )

    assert (1, 1) == (texts.exit_code, strata.exit_code)
    assert "comments.csv, line 2, column 2 (comment-body): the text holds a control character" in texts.output
    assert "survey.csv, line 2, column 2 (District): the text holds a control character" in strata.output
    assert None is RAW.search(texts.output + strata.output)


def forged_with_texts(here: Place, text: str) -> None:
    """Commit a snapshot and a tally, by hand, with a text in every place that has room for one."""
    snapshot = here.record(here.read_survey())
    tally = here.tally("--group-count", "2")
    body = {**snapshot["body"], "licence": text, "identity": text, "sign_evidence": text}
    body["source"] = {**body["source"], "topic": text, "name": text, "layout": text, "tool": text, "url": text}
    statements = json.loads(here.blob(snapshot["blobs"]["statements"], private=False))
    for statement in statements["statements"]:
        statement["text"] = text
    folder = here.machine.folder
    (folder / "body").write_text(json.dumps(body))
    (folder / "statements").write_bytes(canonical_bytes(statements))
    (folder / "ballots").write_bytes(here.blob(snapshot["blobs"]["private.ballots"]))
    proposed = here.run(
        "propose", "record", "--kind", "snapshot/v1", "--body", folder / "body", "--key", "demo/desk",
        "--blob", f"statements={folder / 'statements'}", "--private-blob", f"ballots={folder / 'ballots'}",
    )  # fmt: skip
    target = here.json("commit", path_of(proposed))["committed"][0]["id"]
    counts = json.loads(here.blob(here.record(tally)["blobs"]["counts"], private=False))
    counts["divisions"][1]["name"] = text
    counts["divisions"][1]["values"] = [text + " 1", text + " 2"]
    methods = dict.fromkeys(("bounds", "formulas", "groups"), text)
    forged = {**here.record(tally)["body"], "methods": methods, "chosen": text, "tallied_at": text}
    here.forge(tally, forged, target=target, counts=canonical_bytes(counts))


def test_nobody_writes_on_the_terminal_or_page_of_whoever_checks(here: Place) -> None:
    forged_with_texts(here, EVIL)
    newest = here.ids("tally/v1")[-1]
    words = [
        ("deliberate", "stats"), ("deliberate", "stats", "--json"), ("log",), ("log", "--json"), ("trace", newest),
        ("show", newest), ("show", here.ids("snapshot/v1")[-1]), ("deliberate", "recount"),
        ("deliberate", "stats", "--html", "page.html"),
    ]  # fmt: skip

    outputs = [here.machine.call(*each, "--commons", here.town / "ledger") for each in words]
    page = (here.machine.folder / "page.html").read_text()

    assert 0 == outputs[0].exit_code
    assert [] == [output.output for output in outputs if RAW.search(output.output) or "bug in" in output.output]
    assert isinstance(json.loads(outputs[1].stdout), dict)
    assert "<script" not in page
    assert None is RAW.search(page)


def test_names_and_licences_that_are_typed_cannot_write_on_a_terminal(here: Place) -> None:
    words = ("--name", EVIL, "--licence", EVIL, "--identity", EVIL)

    outputs = [
        here.machine.call(*each, "--commons", here.town)
        for each in (
            ("deliberate", "import", polis(LONDON), *words), ("deliberate", "tally"), ("log",), ("trace", here.root),
            ("deliberate", "stats"), ("forget", "1", "--reason", EVIL), ("log", "--json"),
        )
    ]  # fmt: skip

    assert [] == [output.output for output in outputs if RAW.search(output.output) or "bug in" in output.output]
    assert json.loads(outputs[-1].stdout)


def test_different_conversations_have_different_names(here: Place) -> None:
    """Folders like scoop-hivemind.taxes and scoop-hivemind.ubi; a name is the scope of pseudonyms."""
    for topic in ("taxes", "ubi"):
        folder = here.machine.folder / f"scoop-hivemind.{topic}"
        folder.mkdir()
        (folder / "participants-votes.csv").write_bytes(MATRIX + GOOD_ROW + b"8,0,2,1,1,1,-1\n")
        here.read(folder)
    names = [here.record(snapshot)["body"]["source"]["name"] for snapshot in here.ids("snapshot/v1")]

    assert ["scoop-hivemind.taxes", "scoop-hivemind.ubi"] == names
    assert "say which with --in" in here.error("forget", "7", code=2)


def test_ballots_that_were_promised_to_stay_private_are_not_handed_over_under_later_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = place(tmp_path, monkeypatch, "private")
    here.read_survey()
    here.tally()
    commit_rules(here, 'privacy = "private"', 'privacy = "auditors"')

    here.error("deliberate", "hand-over", tmp_path / "ballots", code=2)

    assert not (tmp_path / "ballots").exists()


@pytest.mark.parametrize("where", ["ledger/ballots", "ledger", "pending/ballots"])
def test_ballots_are_not_handed_over_into_the_commons_itself(here: Place, where: str) -> None:
    here.read_survey()
    here.tally()
    before = listing(here.town / "ledger")

    here.error("deliberate", "hand-over", here.town / where, code=2)

    assert before == listing(here.town / "ledger")


def test_a_file_is_no_folder_to_hand_ballots_over_in(here: Place) -> None:
    here.read_survey()
    here.tally()
    (here.machine.folder / "file").write_text("x")

    here.machine.error("deliberate", "hand-over", "file", "--commons", here.town, code=2)


def test_no_name_stands_for_the_ballots_of_everybody(here: Place) -> None:
    here.read_survey()

    here.error("forget", "auzolan: ballots of participants", code=3)

    assert 1 == len(here.private_blobs())


def test_the_only_participant_can_be_forgotten(here: Place) -> None:
    gone = traces_of(here, ANA, here.read_survey(survey(here.machine.folder, PEOPLE[:1])))

    here.run("forget", ANA)

    assert set() == found_in(here.town, *gone)
    assert here.json("verify", here.town, "--root", here.root)["complete"]


def test_somebody_whose_id_looks_like_a_digest_can_be_forgotten(here: Place) -> None:
    who = "ab" * 32
    gone = traces_of(here, who, here.read_survey(survey(here.machine.folder, (who, *PEOPLE[1:]))))

    here.run("forget", who)

    assert set() == found_in(here.town, *gone)


@pytest.mark.parametrize("options", [("--reason", ""), ("--key", "nobodys")])
def test_a_refused_forget_leaves_everything_as_it_was(here: Place, options: tuple[str, str]) -> None:
    here.read_survey()
    here.tally()
    before = listing(here.town / "private")

    result = here.machine.call("forget", ANA, *options, "--commons", here.town)

    assert result.exit_code in (1, 2, 3)
    assert before == listing(here.town / "private")


def test_a_short_id_may_stand_in_the_reason_by_chance(here: Place) -> None:
    here.read(polis(LONDON))

    here.run("forget", "1", "--reason", "asked in a letter of 11 May")

    assert 1 == len(here.ids("tombstone/v1"))


def _junk(here: Place) -> None:
    for kind, link in (("snapshot/v1", "commons"), ("tally/v1", "snapshot")):
        junk = Record(kind, {"a": 1}, {link: here.root}, {})
        (here.town / "pending" / f"{junk.id}.dsse").write_bytes(Envelope(junk).canonical)


def test_junk_that_waits_hinders_nobody(here: Place) -> None:
    gone = traces_of(here, ANA, here.read_survey())
    (here.town / "pending").mkdir(exist_ok=True)
    _junk(here)

    waiting = here.json("pending")
    here.run("forget", ANA)

    assert [True, True] == ["error" in row for row in waiting]
    assert set() == found_in(here.town, *gone)


def test_a_false_snapshot_does_not_keep_others_from_being_forgotten(here: Place) -> None:
    snapshot = here.read_survey()
    gone = traces_of(here, ANA, snapshot)
    record = here.record(snapshot)
    folder = here.machine.folder
    (folder / "body").write_text(json.dumps(record["body"]))
    (folder / "statements").write_bytes(here.blob(record["blobs"]["statements"], private=False))
    (folder / "ballots").write_bytes(b"no ballots at all")
    proposed = here.run(
        "propose", "record", "--kind", "snapshot/v1", "--body", folder / "body", "--key", "demo/desk",
        "--blob", f"statements={folder / 'statements'}", "--private-blob", f"ballots={folder / 'ballots'}",
    )  # fmt: skip
    here.run("commit", path_of(proposed))

    here.machine.call("forget", ANA, "--commons", here.town)

    assert set() == found_in(here.town, *gone)


def test_a_tally_by_methods_of_a_later_version_is_not_called_false(here: Place) -> None:
    here.read_survey()
    tally = here.tally()
    body = here.record(tally)["body"]
    body["methods"]["groups"] = "auzolan-groups-99"
    later = here.forge(tally, body)

    assert "unavailable" == here.links(later)["snapshot"]["strength"]
    assert "does not know" in here.error("deliberate", "recount", later, code=3)


def test_a_contradiction_is_one_json_document(here: Place) -> None:
    here.read_survey()
    forged = here.forge(here.tally(), target=here.root)

    output = here.machine.call("trace", forged, "--json", "--commons", here.town)

    assert (1, "contradicted") == (output.exit_code, json.loads(output.stdout)["rests_on"][0]["strength"])


@pytest.mark.parametrize("groups", [[16], [4, 4, 8], []])
def test_an_outsider_reads_a_tally_that_does_not_fit_itself_without_a_crash(here: Place, groups: list[int]) -> None:
    here.read_survey()
    tally = here.tally("--group-count", "2")
    here.forge(tally, {**here.record(tally)["body"], "groups": groups})

    message = here.machine.error("deliberate", "stats", "--commons", here.town / "ledger", code=1)

    assert "a bug in auzolan" not in message


def test_counts_below_the_smallest_cell_of_the_rules_are_not_called_recomputed(here: Place) -> None:
    """Somebody signs a tally that publishes every small count, against `min_cell`."""
    from auzolan.deliberate.ballots import read_ballots
    from auzolan.deliberate.tally import count, read_labels

    snapshot = here.record(here.read(polis(LONDON)))
    tally = here.tally()
    record = here.record(tally)
    ballots = read_ballots(here.blob(snapshot["blobs"]["private.ballots"]))
    sizes = record["body"]["groups"]
    labels = read_labels(here.blob(record["blobs"]["private.labels"]), len(ballots.table.participants), len(sizes))
    everything = count(ballots, labels, len(sizes), 1)
    bare = here.forge(tally, {**record["body"], "min_cell": 1, "withheld": 0}, counts=everything.to_bytes())

    assert "contradicted" == here.links(bare, code=1)["snapshot"]["strength"]


@pytest.mark.parametrize(
    "words", [("forget", b"\xff"), ("deliberate", "import", "survey.csv", "--from", "survey", "--name", b"\xff")]
)
def test_words_that_are_no_text_are_no_bug(here: Place, words: tuple[str | bytes, ...]) -> None:
    survey(here.machine.folder)
    here.json("deliberate", "import", "survey.csv", "--from", "survey", "--stratum", "District")

    result = subprocess.run(
        [COMMAND, *words, "--commons", here.town],
        cwd=here.machine.folder, env=env_without_home() | {"AUZOLAN_HOME": str(here.machine.home)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert "a bug in auzolan" not in result.stderr
    assert result.returncode in (1, 2, 3)
