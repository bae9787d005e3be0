"""`auzolan forget` for people who voted: their ballots go, a signed tombstone stays, and all can still be checked."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from auzolan.core.record.published import blob_path
from auzolan.deliberate.ballots import read_ballots
from auzolan.deliberate.pseudonyms import pseudonyms
from tests.cli.conftest import TwoBodies
from tests.cli.deliberation import PEOPLE, Place, change_rules, commit_rules, copied, found_in, place, survey
from tests.cli.machine import Machine, listing, machine, path_of

ANA = PEOPLE[0]


@pytest.fixture
def here(founded_town: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return copied(founded_town, tmp_path, monkeypatch)


def traces_of(here: Place, who: str, snapshot: str) -> tuple[bytes, ...]:
    """Return what only the ballots know of somebody: pseudonym and salt, as they stand there and in hexadecimal."""
    record = here.record(snapshot)
    key = (here.town / "private" / "pseudonym.key").read_bytes()
    pseudonym = pseudonyms(key, record["body"]["source"]["name"])(who)
    ballots = read_ballots(here.blob(record["blobs"]["private.ballots"]))
    salt = ballots.salts[list(ballots.table.participants).index(pseudonym)].tobytes()
    return (bytes.fromhex(pseudonym), pseudonym.encode(), salt, salt.hex().encode())


def test_a_forgotten_participant_leaves_no_trace_but_a_tombstone(here: Place) -> None:
    snapshot = here.read_survey()
    tally = here.tally()
    gone = traces_of(here, ANA, snapshot)
    old = {**here.record(snapshot)["blobs"], **here.record(tally)["blobs"]}
    before = found_in(here.town / "private", *gone)
    here.run("forget", ANA)
    tombstone = here.record(here.ids("tombstone/v1")[0])
    successor = here.record(here.ids("snapshot/v1")[1])

    assert {gone[0], gone[2]} == before
    assert set() == found_in(here.town, *gone)
    for name in ("private.ballots", "private.labels"):
        assert not (here.town / "private" / blob_path(old[name])).exists()
    assert sorted([old["private.ballots"], old["private.labels"]]) == sorted(tombstone["body"]["erased"])
    assert {snapshot, tally} == {tombstone["links"]["affects.1"], tombstone["links"]["affects.2"]}
    assert (snapshot, 1) == (successor["links"]["supersedes"], successor["body"]["generation"])
    assert {successor["blobs"]["private.ballots"]} == here.private_blobs()


def test_after_forgetting_the_commons_still_verifies(here: Place) -> None:
    here.read_survey()
    here.tally()
    here.run("forget", ANA)

    report = here.json("verify", here.town, "--root", here.root)
    mended = here.json("fsck")

    assert ("verified against the pinned root", True) == (report["verdict"], report["complete"])
    assert ([], [], []) == (mended["damages"], mended["leftovers"], mended["returned"])


def test_the_old_tally_says_what_can_no_longer_be_recomputed_and_who_had_done_it(here: Place) -> None:
    here.read_survey()
    tally = here.tally()
    here.run("deliberate", "recount", "--key", "demo/desk")
    here.run("forget", ANA)
    tombstone = here.ids("tombstone/v1")[0]

    link = here.links(tally)["snapshot"]
    text = here.run("trace", tally)

    assert "unavailable" == link["strength"]
    assert link["note"].startswith(f"can no longer be recomputed: ballots were erased, tombstone {tombstone[:8]}… of ")
    assert "; recomputed by library (" in link["note"]
    assert "can no longer be recomputed" in text
    assert "not on this machine" in here.error("deliberate", "recount", tally, code=3)


def test_that_nobody_had_recomputed_it_is_said_too(here: Place) -> None:
    here.read_survey()
    tally = here.tally()
    here.run("forget", ANA)

    assert here.links(tally)["snapshot"]["note"].endswith("; recomputed by nobody on record")


def test_the_successor_is_recomputed_and_counts_can_be_read_still(here: Place) -> None:
    here.read_survey()
    here.tally()
    before = here.json("deliberate", "stats")
    here.run("forget", ANA)
    successor = here.ids("snapshot/v1")[1]
    after = here.json("deliberate", "stats")

    assert {"supersedes": "recomputed", "commons": "checked"} == {
        name: here.links(successor)[name]["strength"] for name in ("supersedes", "commons")
    }
    assert "counted again just now" in before["evidence"].lower()
    assert "nothing was counted again" in after["evidence"]


def test_a_new_tally_must_not_tell_how_the_forgotten_voted(here: Place) -> None:
    here.read_survey()
    here.tally()
    for who in PEOPLE[:4]:
        here.run("forget", who)
        refused = here.error("deliberate", "tally", code=2)
    here.run("forget", PEOPLE[4])
    tally = here.tally()
    links = here.links(tally)

    assert "since the last tally 4 participant(s) were forgotten" in refused
    assert "once 5 are (min_cell under [ballots])" in refused
    assert "recomputed" == links["snapshot"]["strength"]
    assert here.json("verify", here.town, "--root", here.root)["complete"]


def test_min_cell_is_as_the_rules_say(here: Place) -> None:
    commit_rules(here, "min_cell = 5", "min_cell = 2")
    here.read_survey()
    assert 2 == here.record(here.tally())["body"]["min_cell"]
    here.run("forget", PEOPLE[0])
    here.error("deliberate", "tally", code=2)
    here.run("forget", PEOPLE[1])

    assert 14 == sum(here.record(here.tally("--group-count", "2"))["body"]["groups"])


def test_where_nothing_was_tallied_a_tally_is_free(here: Place) -> None:
    here.read_survey()
    here.run("forget", ANA)

    assert 15 == sum(here.record(here.tally("--group-count", "2"))["body"]["groups"])


def test_several_can_be_forgotten_one_after_the_other(here: Place) -> None:
    first = here.read_survey()
    gone = [trace for who in PEOPLE[:3] for trace in traces_of(here, who, first)]
    for who in PEOPLE[:3]:
        here.run("forget", who)
    snapshots = here.ids("snapshot/v1")
    last = here.record(snapshots[-1])

    assert set() == found_in(here.town, *gone)
    assert [first, *snapshots[1:-1]] == [here.record(each)["links"]["supersedes"] for each in snapshots[1:]]
    assert (3, 16) == (last["body"]["generation"], last["body"]["counts"]["participants"])
    assert "recomputed" == here.links(snapshots[-1])["supersedes"]["strength"]
    assert "unavailable" == here.links(snapshots[-2])["supersedes"]["strength"]
    assert "no private file" in here.error("forget", ANA, code=3)


def test_somebody_unknown_cannot_be_forgotten(here: Place) -> None:
    before_any = here.error("forget", "stranger@example.org", code=3)
    here.read_survey()
    before = listing(here.town / "private")

    assert "is known to be about that participant" in before_any
    assert "stranger" not in here.error("forget", "stranger@example.org", code=3)
    assert before == listing(here.town / "private")


def test_one_pseudonym_is_enough_to_be_forgotten(here: Place) -> None:
    pseudonym = traces_of(here, ANA, here.read_survey())[1].decode()

    here.run("forget", pseudonym)

    assert set() == found_in(here.town, bytes.fromhex(pseudonym))


def test_somebody_in_two_conversations_is_asked_for_one(here: Place) -> None:
    path = survey(here.machine.folder)
    parks, roads = here.read_survey(path, "--name", "parks"), here.read_survey(path, "--name", "roads")
    in_parks, in_roads = traces_of(here, ANA, parks), traces_of(here, ANA, roads)
    asked = here.error("forget", ANA, code=2)
    here.run("forget", ANA, "--in", "roads")

    assert in_parks[0] != in_roads[0]
    assert "say which with --in: parks, roads" in asked
    assert {in_parks[0], in_parks[2]} == found_in(here.town, *in_parks, *in_roads)
    assert "no private file" in here.error("forget", ANA, "--in", "elsewhere", code=3)


def test_votes_that_were_imported_twice_are_forgotten_twice(here: Place) -> None:
    path = survey(here.machine.folder)
    gone = traces_of(here, ANA, here.read_survey(path)) + traces_of(here, ANA, here.read_survey(path, "--again"))

    here.run("forget", ANA)

    assert set() == found_in(here.town, *gone)
    assert 4 == len(here.ids("snapshot/v1"))


def test_public_ballots_cannot_be_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = place(tmp_path, monkeypatch, "public")
    here.read_survey()
    before = listing(here.town / "ledger")

    message = here.error("forget", ANA, code=2)

    assert "ballots that are public cannot be taken back" in message
    assert before == listing(here.town / "ledger")


def test_a_reason_must_not_name_the_participant(here: Place) -> None:
    here.read_survey()

    assert "must not name" in here.error("forget", ANA, "--reason", f"{ANA.upper()} asked", code=2)
    assert set() == set(here.ids("tombstone/v1"))


def test_a_backup_that_brings_ballots_back_is_noticed(here: Place) -> None:
    gone = traces_of(here, ANA, here.read_survey())
    backup = here.machine.folder / "backup"
    shutil.copytree(here.town / "private" / "blobs", backup)
    here.run("forget", ANA)
    shutil.copytree(backup, here.town / "private" / "blobs", dirs_exist_ok=True)
    refused = here.error("verify", here.town, code=1)
    here.run("fsck", "--repair")

    assert "it is still on this machine" in refused
    assert set() == found_in(here.town, *gone)


@pytest.fixture
def both(two: TwoBodies) -> Place:
    """A commons of two bodies, both of whom must sign a tombstone."""
    change_rules(two.town, "[constitution]", '"tombstone/v1" = { role = "steward", count = 2 }\n\n[constitution]')
    letter = path_of(two.library.run("propose", "governance", "--commons", two.town, "--key", "demo/desk"))
    two.school.run("sign", letter, "--yes", "--commons", two.town)
    two.commit(letter)
    return Place(two.library, two.town, two.root)


def sign_all(here: Place, school: Machine) -> list[Path]:
    """Let the school sign all that is pending."""
    letters = sorted((here.town / "pending").glob("*.dsse"))
    for letter in letters:
        school.run("sign", letter, "--yes", "--commons", here.town, "--key", "demo/office")
    return letters


def test_ballots_stay_until_enough_have_signed_the_tombstone(both: Place, school: Machine) -> None:
    gone = traces_of(both, ANA, both.read_survey())
    pending = both.json("forget", ANA)
    early = found_in(both.town, *gone)
    unsigned = both.machine.call("commit", *(row["file"] for row in pending), "--commons", both.town)
    letters = sign_all(both, school)
    both.run("commit", *letters)

    assert ["snapshot/v1", "tombstone/v1"] == [row["kind"] for row in pending]
    assert {gone[0], gone[2]} == early
    assert 1 == unsigned.exit_code
    assert set() == found_in(both.town, *gone)
    assert both.json("verify", both.town, "--root", both.root)["complete"]


def test_two_who_ask_while_signatures_are_missing_are_both_forgotten(both: Place, school: Machine) -> None:
    snapshot = both.read_survey()
    ana, jon = (traces_of(both, who, snapshot) for who in PEOPLE[:2])
    both.run("forget", PEOPLE[0])
    both.run("forget", PEOPLE[1])
    both.run("commit", *sign_all(both, school))

    assert set() == found_in(both.town, *ana, *jon)
    assert both.json("verify", both.town, "--root", both.root)["complete"]


def test_a_successor_that_is_committed_early_brings_nobody_back(both: Place, school: Machine) -> None:
    snapshot = both.read_survey()
    ana, jon = (traces_of(both, who, snapshot) for who in PEOPLE[:2])
    waiting = both.json("forget", PEOPLE[0])
    both.run("commit", next(row["file"] for row in waiting if row["kind"] == "snapshot/v1"))
    both.run("forget", PEOPLE[1])
    both.run("commit", *sign_all(both, school))

    assert set() == found_in(both.town, *ana, *jon)
    assert both.json("verify", both.town, "--root", both.root)["complete"]


def test_no_tally_is_made_while_a_tombstone_waits(both: Place) -> None:
    both.read_survey()
    both.run("forget", ANA)
    snapshot = both.ids("snapshot/v1")[0]

    assert "asked to be forgotten" in both.error("deliberate", "tally", snapshot, code=2)


def test_a_snapshot_that_waits_is_dropped_with_its_ballots(tmp_path: Path, two: TwoBodies) -> None:
    change_rules(two.town, "[constitution]", '"snapshot/v1" = { role = "steward", count = 2 }\n\n[constitution]')
    letter = path_of(two.library.run("propose", "governance", "--commons", two.town, "--key", "demo/desk"))
    two.school.run("sign", letter, "--yes", "--commons", two.town)
    two.commit(letter)
    here = Place(two.library, two.town, two.root)
    here.run("deliberate", "import", survey(tmp_path), "--from", "survey", "--id", "email", "--stratum", "District")
    waiting = list((two.town / "pending").iterdir())
    kept = here.private_blobs()
    said = here.json("forget", ANA)

    assert (1, 1) == (len(waiting), len(kept))
    assert sorted(kept) == sorted(said["erased"])
    assert (set(), []) == (here.private_blobs(), list((two.town / "pending").iterdir()))
    assert [] == here.ids("tombstone/v1")


def test_an_auditor_sees_that_ballots_were_erased(tmp_path: Path, here: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    auditor = machine(tmp_path, "auditor", monkeypatch)
    here.read_survey()
    tally = here.tally()
    here.run("deliberate", "hand-over", auditor.folder / "ballots")
    here.run("forget", ANA)
    shutil.copytree(here.town / "ledger", auditor.folder / "copy")

    found = auditor.json("trace", tally, "--commons", "copy", "--root", here.root)

    assert "unavailable" == found["rests_on"][0]["strength"]
    assert "ballots were erased, tombstone" in found["rests_on"][0]["note"]


@pytest.mark.parametrize("key", [None, bytes(32)], ids=["lost", "another"])
def test_whoever_lost_the_key_is_not_told_that_all_is_clear(here: Place, key: bytes | None) -> None:
    here.read_survey()
    place = here.town / "private" / "pseudonym.key"
    place.unlink()
    if key:
        place.write_bytes(key)
    result = here.machine.call("forget", ANA, "--commons", here.town)

    assert 3 == result.exit_code
    assert "pseudonym.key is lost or another one" in result.stderr
    assert key == (place.read_bytes() if place.exists() else None)


def test_ballots_that_lost_their_mark_are_not_passed_over(here: Place) -> None:
    here.read_survey()
    for mark in (here.town / "private" / "ballots").iterdir():
        mark.unlink()

    assert "some ballots here cannot be read" in here.error("forget", ANA, code=3)
