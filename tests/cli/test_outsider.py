"""What a sceptical outsider tried, each once found to go wrong."""

from __future__ import annotations

import fcntl
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.cli.words import changes, leaves
from auzolan.core.record.canonical import JsonObject
from tests.cli.conftest import TwoBodies
from tests.cli.machine import Machine, env_without_home, file_bits, listing, path_of

COMMAND = str(Path(sys.executable).parent / "auzolan")

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
bodies = st.dictionaries(st.text(max_size=4), json_values, max_size=4)


@given(bodies, bodies)
def test_no_difference_between_rules_can_be_hidden_from_signers(old: JsonObject, new: JsonObject) -> None:
    shown = list(changes(old, new))

    assert (json.dumps(old, sort_keys=True) != json.dumps(new, sort_keys=True)) == (len(shown) > 1)
    assert len(shown) - 1 == len(set(leaves(old)) ^ set(leaves(new))) - sum(
        path in dict(leaves(old)) and path in dict(leaves(new)) for path, _ in set(leaves(old)) - set(leaves(new))
    )


def test_a_false_path_does_not_cover_a_lowered_threshold(two: TwoBodies) -> None:
    rules = two.town / "governance.toml"
    text = rules.read_text().replace("seats = 7", "seats = 8").replace("count = 2", "count = 1")
    rules.write_text('"thresholds.governance/v1.count" = 2\n' + text)
    letter = path_of(two.library.run("propose", "governance", "--commons", two.town, "--key", "demo/desk"))

    shown = two.school.call("sign", letter, "--yes", "--commons", two.town).stderr

    assert "thresholds.governance/v1.count: 2 -> 1" in shown
    assert '"thresholds.governance/v1.count": not there -> 2' in shown


def test_rules_that_replace_others_are_not_called_the_first(two: TwoBodies) -> None:
    rules = two.town / "governance.toml"
    rules.write_text(rules.read_text().replace("seats = 7", "seats = 8"))
    letter = path_of(two.library.run("propose", "governance", "--commons", two.town))

    shown = two.school.call("sign", letter, "--yes").stderr

    assert "first rules" not in shown
    assert "These rules replace others" in shown


def test_long_texts_and_whole_digests_are_shown_to_signers(two: TwoBodies) -> None:
    file = two.library.folder / "file.txt"
    file.write_text("x")
    letter = two.propose("--title", "T", "--text", "a" * 5_000 + "THE END", "--blob", f"file={file}")

    shown = two.school.call("sign", letter, "--yes", "--commons", two.town, "--key", "demo/office").stderr

    assert "THE END" in shown
    assert "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881" in shown


def test_stale_rules_are_refused_before_anyone_signs(two: TwoBodies) -> None:
    rules = two.town / "governance.toml"
    text = rules.read_text()
    letters = []
    for seats in (8, 9):
        rules.write_text(text.replace("seats = 7", f"seats = {seats}"))
        proposed = two.library.run("propose", "governance", "--commons", two.town, "--key", "demo/desk")
        letters.append(path_of(proposed))
    two.school.run("sign", letters[0], "--yes", "--commons", two.town)
    two.commit(letters[0])

    pending = two.library.run("pending", "--commons", two.town)

    assert "cannot be committed as it is" in pending
    assert "is in force" in pending


def test_junk_in_pending_does_not_hide_the_rest(two: TwoBodies) -> None:
    good = two.propose("--title", "Good", "--text", "x")
    (two.town / "pending" / "aaa.dsse").write_bytes(b"junk")

    rows = two.library.json("pending", "--commons", two.town)

    assert [good.name, "aaa.dsse"] == [Path(row["file"]).name for row in rows]
    assert "not JSON" in rows[1]["error"]


def test_fsck_works_alone(two: TwoBodies) -> None:
    with (two.town / "private" / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        message = two.library.error("fsck", "--repair", "--commons", two.town, code=2)

    assert "another auzolan process" in message


def test_fsck_never_replaces_a_tile_that_was_right(two: TwoBodies) -> None:
    for number in range(3):
        two.minutes("--title", f"Minutes {number}")
    ledger = two.town / "ledger"
    whole = listing(ledger)
    bundle = ledger / "tile" / "entries" / "000.p" / "4"
    file_bits(bundle, (2 + 34) * 8 + 5)
    file_bits(bundle, (2 + 34) * 8 + 77)

    two.library.run("fsck", "--repair", "--commons", two.town)

    assert whole == listing(ledger)


def test_fsck_mends_swapped_entries(two: TwoBodies) -> None:
    two.minutes()
    bundle = two.town / "ledger" / "tile" / "entries" / "000.p" / "2"
    right = bundle.read_bytes()
    bundle.write_bytes(right[34:] + right[:34])

    found = two.library.json("fsck", "--repair", "--commons", two.town)

    assert right == bundle.read_bytes()
    assert ["tile/entries/000.p/2"] == [damage["path"] for damage in found["damages"]]


def test_a_look_alike_cannot_spoil_the_memory_of_the_real_one(
    two: TwoBodies, visitor: Machine, school: Machine
) -> None:
    rules = (two.town / "governance.toml").read_text()
    visitor.key("desk")
    visitor.run("init", "town", "--name", "Town (synthetic)", "--demo", "--edit", "--principal", "library=demo/desk")
    fake = visitor.folder / "town" / "governance.toml"
    origin = next(line for line in rules.splitlines() if line.startswith("origin"))
    lines = [origin if line.startswith("origin") else line for line in fake.read_text().splitlines()]
    fake.write_text("\n".join(lines) + "\n")
    letter = path_of(visitor.run("propose", "governance", "--commons", "town", "--key", "demo/desk"))
    visitor.run("commit", letter, "--commons", "town")
    school.run("verify", visitor.folder / "town" / "ledger")

    report = school.json("verify", two.town / "ledger")

    assert "open" == report["steps"][11]["status"]


def test_what_was_seen_without_a_pin_is_remembered_with_one(two: TwoBodies, visitor: Machine) -> None:
    visitor.run("verify", two.town / "ledger")

    report = visitor.json("verify", two.town / "ledger", "--root", two.root)

    assert "continues the 1 entries" in report["steps"][11]["finding"]


@pytest.fixture
def web(two: TwoBodies) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = False  # so that closing waits for every connection, and none is left open

    with Server(("127.0.0.1", 0), partial(Quiet, directory=two.town / "ledger")) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_published_copy_is_read_without_being_a_commons(two: TwoBodies, visitor: Machine, web: str) -> None:
    minutes = two.minutes()
    shutil.copytree(two.town / "ledger", visitor.folder / "copy")

    for where in ("copy", web):
        log = visitor.json("log", "--commons", where)
        shown = visitor.json("show", minutes[:10], "--commons", where)
        trace = visitor.json("trace", minutes[:10], "--commons", where, "--root", two.root)
        record = visitor.json("verify", minutes[:10], "--commons", where, "--root", two.root)
        visitor.run("prove", minutes[:10], "--commons", where, "-o", "m.tlog-proof")
        proof = visitor.json("verify", "m.tlog-proof", "--commons", where, "--root", two.root)

        assert [two.root, minutes] == [row["id"] for row in log]
        assert (
            minutes == shown["id"] == trace["record"]["id"] == record["record"]["record"] == proof["record"]["record"]
        )


def test_a_published_copy_cannot_be_written(two: TwoBodies, visitor: Machine) -> None:
    shutil.copytree(two.town / "ledger", visitor.folder / "copy")

    message = visitor.error("propose", "document", "--title", "T", "--text", "x", "--commons", "copy", code=3)

    assert "copy is not a commons" in message


def _run(home: Path, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
    variables = {**env_without_home(), "AUZOLAN_HOME": str(home), "COLUMNS": "80", **environment}
    return subprocess.Popen(
        [COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env=variables
    )


@pytest.mark.parametrize("unbuffered", ["1", ""])
@pytest.mark.parametrize("arguments", [["--json"], []], ids=["json", "text"])
def test_a_reader_that_goes_away_does_not_change_the_verdict(
    two: TwoBodies, tmp_path: Path, unbuffered: str, arguments: list[str]
) -> None:
    record = next((two.town / "ledger" / "records").rglob("*.dsse"))
    honest, forged = tmp_path / "honest", tmp_path / "forged"
    shutil.copytree(two.town / "ledger", honest)
    file_bits(record, 1_000)
    shutil.copytree(two.town / "ledger", forged)

    codes = []
    for folder in (honest, forged):
        with _run(tmp_path / "home", "verify", str(folder), *arguments, PYTHONUNBUFFERED=unbuffered) as process:
            assert process.stdout
            process.stdout.close()
            process.wait(60)
            codes.append(process.returncode)
            assert process.stderr
            assert b"Traceback" not in process.stderr.read()

    assert [0, 1] == codes


def test_a_terminal_of_few_letters_shows_escapes(two: TwoBodies, tmp_path: Path) -> None:
    two.minutes("--title", "Niño")
    arguments = ("log", "--commons", str(two.town))

    with _run(tmp_path / "home", *arguments, PYTHONIOENCODING="ascii") as process:
        output, _ = process.communicate(timeout=60)

    assert (0, True) == (process.returncode, b"Ni\\xf1o" in output)


def test_a_home_that_cannot_be_written_leaves_the_verdict(two: TwoBodies) -> None:
    arguments = ("verify", str(two.town / "ledger"), "--root", two.root)

    with _run(Path("/dev/null"), *arguments) as process:
        output, said = process.communicate(timeout=60)

    assert (0, True) == (process.returncode, b"verified against the pinned root" in output)
    assert b"cannot" in said


def test_pipes_are_not_waited_for(two: TwoBodies) -> None:
    pipe = two.library.folder / "pipe"
    os.mkfifo(pipe)

    assert "no plain file" in two.library.error("sign", pipe, "--yes", "--commons", two.town, code=2)
    assert "no plain file" in two.library.error("commit", pipe, "--commons", two.town, code=2)


def test_init_keeps_a_gitignore_that_was_there(library: Machine) -> None:
    library.key("desk")
    folder = library.folder / "town"
    folder.mkdir()
    (folder / ".gitignore").write_text("mine")

    library.run("init", folder, "--name", "Town", "--demo", "--principal", "library=demo/desk")

    assert ["mine", "private/", "pending/", "index.sqlite*"] == (folder / ".gitignore").read_text().splitlines()


def test_what_is_private_is_for_its_owner_only(two: TwoBodies) -> None:
    present = two.library.folder / "present.txt"
    present.write_text("resident-17")
    two.minutes("--private-blob", f"present={present}", "--about", "resident-17")

    modes = {path.stat().st_mode & 0o077 for path in (two.town / "private").rglob("*")}
    home = {path.stat().st_mode & 0o077 for path in two.library.home.rglob("*")}

    assert ({0}, {0}) == (modes, home)
    assert 0 == (two.town / "private").stat().st_mode & 0o077


def test_a_linked_folder_is_not_followed_out_of_the_commons(two: TwoBodies) -> None:
    elsewhere = two.library.folder / "documents"
    elsewhere.mkdir()
    thesis = elsewhere / ("ab" * 31)
    thesis.write_text("years of work")
    (two.town / "ledger" / "blobs").symlink_to(elsewhere)

    two.library.call("fsck", "--repair", "--commons", two.town)

    assert thesis.read_text() == "years of work"


def test_an_index_in_use_is_waited_for_and_never_deleted(two: TwoBodies) -> None:
    index = two.town / "index.sqlite"
    before = index.stat().st_ino
    two.library.run("log", "--commons", two.town)

    assert before == index.stat().st_ino
