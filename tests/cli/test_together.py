"""Two bodies on two machines: found a commons, sign together, verify, trace, forget."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import TwoBodies
from tests.cli.machine import Machine, file_bits, listing, path_of


def test_a_record_signed_on_two_machines_is_committed_verified_and_traced(two: TwoBodies, visitor: Machine) -> None:
    rules = two.town / "governance.toml"
    text = rules.read_text().replace(
        'default = { role = "steward", count = 1 }', 'default = { role = "steward", count = 2 }'
    )
    rules.write_text(text)
    proposed = path_of(two.library.run("propose", "governance", "--commons", two.town, "--key", "demo/desk"))
    two.school.run("sign", proposed, "--yes")
    two.commit(proposed)

    letter = two.propose("--title", "Minutes", "--text", "We met.")
    lacking = two.library.error("commit", letter, "--commons", two.town, code=1)
    inbox = two.school.folder / "inbox.dsse"
    shutil.copy(letter, inbox)
    two.school.run("sign", inbox, "--yes")
    minutes = two.commit(inbox)
    report = visitor.json("verify", two.town / "ledger", "--root", two.root)
    trace = two.library.json("trace", two.root[:8], "--commons", two.town, "--root", two.root)

    assert "needs 2 principals of role steward, got 1 (library)" in lacking
    assert ("verified against the pinned root", True, 3) == (report["verdict"], report["complete"], report["size"])
    assert list(range(1, 13)) == [step["number"] for step in report["steps"]]
    assert [("supersedes", "checked"), ("commons", "checked")] == [(k["link"], k["strength"]) for k in trace["led_to"]]
    assert ["library", "school"] == two.library.json("show", minutes, "--commons", two.town)["signers"]


def test_copies_signed_in_parallel_are_merged(library: Machine, school: Machine) -> None:
    desk, office = library.key("desk"), school.key("office")
    library.run(
        "init", "town", "--name", "Town", "--demo", "--edit",
        "--principal", f"library={desk}", "--principal", f"school={office}",
    )  # fmt: skip
    town = library.folder / "town"
    unsigned = path_of(library.run("propose", "governance", "--commons", town))
    first, second = library.folder / "first.dsse", school.folder / "second.dsse"
    shutil.copy(unsigned, first)
    shutil.copy(unsigned, second)
    library.run("sign", first, "--yes", "--commons", town)
    school.run("sign", second, "--yes")

    result = library.json("commit", first, second, "--commons", town)

    assert (1, True) == (result["size"], result["committed"][0]["new"])


def test_committing_twice_says_where_it_stands(two: TwoBodies) -> None:
    letter = two.propose("--title", "Minutes", "--text", "We met.")
    copy = two.library.folder / "copy.dsse"
    shutil.copy(letter, copy)
    two.commit(letter)

    again = two.library.json("commit", copy, "--commons", two.town)

    assert (1, False) == (again["committed"][0]["entry"], again["committed"][0]["new"])


def test_verify_without_a_pin_says_so(two: TwoBodies, visitor: Machine) -> None:
    output = visitor.run("verify", two.town / "ledger")

    assert "verdict: consistent with itself; authority not pinned" in output


def test_a_look_alike_is_refused_by_the_pin(two: TwoBodies, visitor: Machine) -> None:
    wrong = "0" * 64

    message = visitor.error("verify", two.town / "ledger", "--root", wrong, code=1)

    assert "step 4 (Root)" in message
    assert "not with the pinned root" in message


def test_the_published_folder_is_all_that_a_verifier_needs(two: TwoBodies, visitor: Machine) -> None:
    minutes_file = two.library.folder / "minutes.txt"
    minutes_file.write_text("We will ask the town.")
    two.minutes("--blob", f"minutes={minutes_file}")
    shutil.copytree(two.town / "ledger", visitor.folder / "copy")

    report = visitor.json("verify", "copy", "--root", two.root)

    assert ("verified against the pinned root", 2) == (report["verdict"], report["size"])


def test_forget_erases_the_bytes_and_leaves_a_signed_trace(two: TwoBodies) -> None:
    present = two.library.folder / "present.txt"
    present.write_text("resident-17")
    minutes = two.minutes("--private-blob", f"present={present}", "--about", "resident-17")
    before = listing(two.town / "private")
    two.library.run("forget", "resident-17", "--commons", two.town)
    after = listing(two.town / "private")
    trace = two.library.json("trace", minutes, "--commons", two.town, "--root", two.root)
    report = two.library.json("verify", two.town, "--root", two.root)

    assert any(b"resident-17" in data for data in before.values())
    assert not any(b"resident-17" in data for data in after.values())
    assert [("commons", "checked"), ("private.present", "unavailable")] == [
        (k["link"], k["strength"]) for k in trace["rests_on"]
    ]
    assert [("affects.1", "checked")] == [(k["link"], k["strength"]) for k in trace["led_to"]]
    assert report["complete"]
    assert not any(b"resident-17" in data for data in listing(two.town / "ledger").values())


def test_forget_refuses_a_reason_that_names_the_person(two: TwoBodies) -> None:
    present = two.library.folder / "present.txt"
    present.write_text("x")
    two.minutes("--private-blob", f"present={present}", "--about", "resident-17")

    message = two.library.error("forget", "resident-17", "--commons", two.town, "--reason", "Resident-17 asked", code=2)

    assert "must not name the participant" in message


def test_a_witness_cosigns_and_readers_see_it(two: TwoBodies, visitor: Machine) -> None:
    visitor.key("neighbour")
    line = visitor.run("key", "show", "demo/neighbour", "--witness").strip()
    rules = two.town / "governance.toml"
    rules.write_text(rules.read_text().replace("quorum = 0\nkeys = []", f'quorum = 1\nkeys = ["{line}"]'))
    proposed = path_of(two.library.run("propose", "governance", "--commons", two.town, "--key", "demo/desk"))
    two.school.run("sign", proposed, "--yes")
    two.commit(proposed)
    unwitnessed = two.library.json("verify", two.town, "--root", two.root, code=3)
    letter = two.library.folder / "line.txt"
    letter.write_text(visitor.run("cosign", two.town / "ledger", "--root", two.root, "--key", "demo/neighbour"))
    two.library.run("cosign", "--receive", letter, "--commons", two.town)
    witnessed = two.library.json("verify", two.town, "--root", two.root)
    two.minutes()
    grown = two.library.json("verify", two.town, "--root", two.root, code=3)

    assert "not enough witnesses" in unwitnessed["steps"][10]["finding"]
    assert "1 of 1 needed cosignatures (demo/neighbour)" in witnessed["steps"][10]["finding"]
    assert witnessed["newest_cosignature"] == grown["newest_cosignature"]
    assert not grown["complete"]


def test_a_witness_refuses_a_ledger_that_went_back(two: TwoBodies, visitor: Machine) -> None:
    visitor.key("neighbour")
    old = two.library.folder / "old"
    shutil.copytree(two.town / "ledger", old)
    two.minutes()
    arguments = ("--root", two.root, "--key", "demo/neighbour")
    visitor.run("cosign", two.town / "ledger", *arguments)

    message = visitor.error("cosign", old, *arguments, code=1)

    assert "is above the checkpoint's 1" in message


def test_a_rolled_back_disk_is_noticed_and_can_be_restored(two: TwoBodies) -> None:
    backup = two.library.folder / "backup"
    shutil.copytree(two.town, backup)
    two.minutes()
    lost = two.library.folder / "lost"
    two.town.rename(lost)
    backup.rename(two.town)
    letter = two.propose("--title", "Other", "--text", "Another history.")

    refused = two.library.error("commit", letter, "--commons", two.town, code=3)
    old = two.library.error("fsck", "--commons", two.town, code=3)
    shutil.rmtree(two.town / "ledger")
    shutil.copytree(lost / "ledger", two.town / "ledger")
    result = two.library.json("commit", letter, "--commons", two.town)

    assert "this ledger has 1 entries, but 2 were signed for it" in refused
    assert "this copy is whole, but old" in old
    assert 3 == result["size"]


def test_prove_makes_a_file_that_verifies_alone_and_with_the_ledger(two: TwoBodies, visitor: Machine) -> None:
    minutes = two.minutes()
    made = two.library.json("prove", minutes[:12], "--commons", two.town, "-o", "m.tlog-proof")
    proof = two.library.folder / "m.tlog-proof"
    two.minutes("--dated", "2026-12-01")

    alone = visitor.json("verify", proof, "--log-key", made["log_key"], "--origin", made["origin"])
    with_ledger = visitor.json("verify", proof, "--commons", two.town, "--root", two.root)
    file_bits(proof, 8 * 400)
    broken = visitor.error("verify", proof, "--log-key", made["log_key"], "--origin", made["origin"], code=1)

    assert (minutes, 1) == (alone["record"], alone["entry"])
    assert "not checked" in alone["verdict"]
    assert ("verified against the pinned root", minutes) == (with_ledger["verdict"], with_ledger["record"]["record"])
    assert "proof" in broken


def test_a_record_file_is_found_in_its_ledger(two: TwoBodies) -> None:
    minutes = two.minutes()
    pending = two.propose("--title", "Never committed", "--text", "x")
    record = two.library.json("show", minutes, "--commons", two.town)
    file = next(p for p in (two.town / "ledger" / "records").rglob("*.dsse") if record["id"][:8] and p.stat().st_size)

    found = two.library.json("verify", file, "--commons", two.town)
    missing = two.library.error("verify", pending, "--commons", two.town, code=3)

    assert found["record"]["record"]
    assert "is not in this ledger" in missing


def test_fsck_names_the_flipped_bit_and_repairs_it(two: TwoBodies) -> None:
    two.minutes()
    tile = next(p for p in (two.town / "ledger" / "tile" / "0").rglob("2"))
    right = tile.read_bytes()
    file_bits(tile, 8 * 37 + 3)
    found = two.library.json("fsck", "--commons", two.town, code=1)
    two.library.error("verify", two.town, code=1)
    two.library.run("fsck", "--repair", "--commons", two.town)

    assert "byte 37, bit 3 (counted from the most significant) is flipped" == found["damages"][0]["finding"]
    assert right == tile.read_bytes()
    assert two.library.json("verify", two.town, "--root", two.root)["complete"]


def test_the_index_is_a_plain_sqlite_file_that_is_made_again(two: TwoBodies) -> None:
    minutes = two.minutes()
    for path in two.town.glob("index.sqlite*"):
        path.unlink()
    two.library.run("log", "--commons", two.town)

    with sqlite3.connect(two.town / "index.sqlite") as index:
        rows = index.execute("select position, id, kind from records order by position").fetchall()
    index.close()

    assert [(0, two.root, "governance/v1"), (1, minutes, "document/v1")] == rows


def test_log_shows_the_history_readably(two: TwoBodies) -> None:
    two.minutes("--dated", "2026-11-20")

    output = two.library.run("log", "--commons", two.town)

    assert "Minutes (2026-11-20)" in output
    assert all(len(line) <= 80 for line in output.splitlines())


def test_a_corrupted_index_is_made_again(two: TwoBodies) -> None:
    two.minutes()
    with sqlite3.connect(two.town / "index.sqlite") as index:
        index.execute("update tree set root = ?", ("00" * 32,))
    index.close()

    rows = two.library.json("log", "--commons", two.town)

    assert 2 == len(rows)


@pytest.mark.parametrize("garbage", [b"", b"SQLite format 3\x00" + b"x" * 5_000, b"not a database at all" * 100])
def test_a_damaged_index_file_is_made_again(two: TwoBodies, garbage: bytes) -> None:
    two.minutes()
    for path in two.town.glob("index.sqlite*"):
        path.unlink()
    (two.town / "index.sqlite").write_bytes(garbage)

    rows = two.library.json("log", "--commons", two.town)

    assert 2 == len(rows)


def test_fsck_finds_and_removes_what_an_interrupted_commit_left(two: TwoBodies) -> None:
    left = two.town / "ledger" / "records" / "ab" / f"{'cd' * 31}.dsse"
    left.parent.mkdir(exist_ok=True)
    left.write_bytes(b"never logged")
    found = two.library.json("fsck", "--commons", two.town)
    two.library.run("fsck", "--repair", "--commons", two.town)

    assert [f"records/ab/{'cd' * 31}.dsse"] == found["leftovers"]
    assert not left.exists()
    assert [] == two.library.json("fsck", "--commons", two.town)["leftovers"]


def test_fsck_erases_again_what_a_backup_brought_back(two: TwoBodies) -> None:
    present = two.library.folder / "present.txt"
    present.write_text("resident-17")
    two.minutes("--private-blob", f"present={present}", "--about", "resident-17")
    backup = two.library.folder / "backup"
    shutil.copytree(two.town / "private" / "blobs", backup)
    two.library.run("forget", "resident-17", "--commons", two.town)
    shutil.copytree(backup, two.town / "private" / "blobs", dirs_exist_ok=True)
    refused = two.library.error("verify", two.town, code=1)
    found = two.library.json("fsck", "--commons", two.town)
    two.library.run("fsck", "--repair", "--commons", two.town)

    assert "it is still on this machine" in refused
    assert 1 == len(found["returned"])
    assert two.library.json("verify", two.town)["complete"]
    assert not any(b"resident-17" in data for data in listing(two.town / "private").values())


def test_forget_also_erases_what_was_never_committed(two: TwoBodies) -> None:
    present = two.library.folder / "present.txt"
    present.write_text("resident-17")
    two.propose("--title", "Minutes", "--private-blob", f"present={present}", "--about", "resident-17")

    two.library.run("forget", "resident-17", "--commons", two.town)

    assert not any(b"resident-17" in data for data in listing(two.town / "private").values())
    assert 1 == len(two.library.json("log", "--commons", two.town))


def test_a_failed_verification_says_in_json_which_step_failed(two: TwoBodies, visitor: Machine) -> None:
    record = next((two.town / "ledger" / "records").rglob("*.dsse"))
    file_bits(record, 1_000)

    report = visitor.json("verify", two.town / "ledger", code=1)

    assert ("do not trust it", 1) == (report["verdict"], report["exit_code"])
    assert [(1, "passed"), (2, "passed"), (3, "failed")] == [(s["number"], s["status"]) for s in report["steps"]]


def test_pending_says_who_is_missing(two: TwoBodies) -> None:
    rules = two.town / "governance.toml"
    rules.write_text(rules.read_text().replace("seats = 7", "seats = 9"))
    two.library.run("propose", "governance", "--commons", two.town, "--key", "demo/desk")

    rows = two.library.json("pending", "--commons", two.town)

    assert [(["library"], ["school"])] == [(n["signed"], n["missing"]) for n in rows[0]["needs"]]


def test_signing_rules_shows_what_changes(two: TwoBodies) -> None:
    rules = two.town / "governance.toml"
    rules.write_text(rules.read_text().replace("seats = 7", "seats = 9"))
    letter = path_of(two.library.run("propose", "governance", "--commons", two.town, "--key", "demo/desk"))

    result = two.school.call("sign", letter, "--yes", "--commons", two.town)

    assert "constitution.seats: 7 -> 9" in result.stderr


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_is_published_holds_nothing_private(two: TwoBodies) -> None:
    two.minutes()

    assert {"checkpoint", "records", "tile"} == _names(two.town / "ledger")
    assert "private/" in (two.town / ".gitignore").read_text()


def test_a_long_chain_is_cut_where_asked(two: TwoBodies) -> None:
    last = two.root
    for _ in range(4):
        last = two.minutes("--link", f"before={last}")

    shallow = two.library.run("trace", last, "--commons", two.town, "--depth", "2")
    deep = two.library.json("trace", last, "--commons", two.town)
    length, branches = 0, deep["rests_on"]
    while branches:
        length, branches = length + 1, branches[0]["branches"]

    assert "more behind it" in shallow
    assert 4 == length  # three documents and the root
