"""Bad input: one clear line, the right exit code, nothing lost, never a traceback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import TwoBodies
from tests.cli.machine import Machine, listing


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["log"], 3, "no commons here"),
        (["log", "--commons", "nowhere"], 3, "is not a commons"),
        (["verify", "nowhere"], 3, "is no folder, file, address or record id"),
        (["verify", "ftp://example.org/x"], 3, "is no folder, file, address or record id"),
        (["verify", "http://user:pw@127.0.0.1/x"], 2, "must not hold a user name"),
        (["sign", "nowhere.dsse", "--yes"], 2, "cannot read nowhere.dsse"),
        (["init", "town", "--name", "Town"], 2, "name at least one --principal"),
        (["init", "town", "--name", "Town", "--principal", "Library"], 2, "expected ID=KEY"),
        (["init", "town", "--name", "Town", "--principal", "library=nobody"], 3, "no key 'nobody'"),
        (["init", "town", "--name", "Town", "--principal", "library=a+b+c"], 2, "public key"),
        (["key", "new", "two words", "--demo"], 2, "without spaces"),
        (["key", "show", "nobody"], 3, "no key 'nobody'"),
    ],
)
def test_usage_errors_are_one_line(library: Machine, arguments: list[str], code: int, says: str) -> None:
    assert says in library.error(*arguments, code=code)


def test_errors_are_json_when_asked(library: Machine) -> None:
    result = library.call("log", "--json")

    assert 3 == json.loads(result.stdout)["exit_code"] == result.exit_code


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b'{"a": 1}', "not in canonical form"),
        (b'{"a":1.5}', "is not an integer"),
        (b'{"a":1,"a":2}', "appears twice"),
        (b"[" * 100_000, "nested deeper"),
        (b'{"payload":"","payloadType":"x","signatures":[]}', "payloadType"),
        (b"c2sp.org/tlog-proof@v1\nindex 0\n\n", "payload"),
    ],
)
def test_a_broken_letter_is_refused(two: TwoBodies, content: bytes, says: str) -> None:
    letter = two.library.folder / "letter.dsse"
    letter.write_bytes(content)
    before = listing(two.town / "ledger")

    message = two.library.error("commit", letter, "--commons", two.town, code=1)

    assert says in message or "not JSON" in message
    assert before == listing(two.town / "ledger")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("seats = 7", "seats = 7.5", "float"),
        ("seats = 7", "seats = true", "expected an integer, got true or false"),
        ("seats = 7", "seats = 2026-11-20", "date"),
        ("seats = 7", "seats = ", "Invalid value"),
        ("count = 2", "count = 3", "which has 2 principals"),
        ("count = 2", "cuont = 2", "unknown key 'cuont'"),
        ("rights_floor = []", "rights_flor = []", "rights_floor"),
        ('privacy = "auditors"', 'privacy = "none"', "ballots.privacy"),
        ("[principals.school]", "[principals.School]", "expected an id of lower-case"),
    ],
)
def test_mistakes_in_the_rules_are_named_with_their_place(two: TwoBodies, old: str, new: str, says: str) -> None:
    rules = two.town / "governance.toml"
    text = rules.read_text().replace("\n# rights_floor", "\n# floor")
    assert old in text
    rules.write_text(text.replace(old, new, 1))

    message = two.library.error("propose", "governance", "--commons", two.town, code=2)

    assert says in message
    assert "governance.toml" in message


def test_a_record_with_a_float_is_refused_before_anything_is_written(two: TwoBodies) -> None:
    body = two.library.folder / "body.json"
    body.write_text('{"share": 0.5}')
    before = listing(two.town / "private"), listing(two.town / "pending")

    message = two.library.error(
        "propose", "record", "--kind", "tally/v1", "--body", body, "--commons", two.town, code=2
    )

    assert "0.5 is not an integer" in message
    assert before == (listing(two.town / "private"), listing(two.town / "pending"))


def test_an_id_hidden_in_a_body_is_refused(two: TwoBodies) -> None:
    body = two.library.folder / "body.json"
    body.write_text(json.dumps({"about": two.root}))
    letter = two.library.run(
        "propose", "record", "--kind", "note/v1", "--body", body, "--commons", two.town, "--key", "demo/desk"
    ).strip()

    assert "it belongs in links" in two.library.error("commit", letter, "--commons", two.town, code=1)


def test_an_unknown_kind_is_kept_and_traced(two: TwoBodies) -> None:
    body = two.library.folder / "body.json"
    body.write_text('{"title": "Something new", "n": 3}')
    letter = two.library.run(
        "propose", "record", "--kind", "novelty/v1", "--body", body, "--link", f"about={two.root[:10]}",
        "--commons", two.town, "--key", "demo/desk",
    ).strip()  # fmt: skip
    novelty = two.commit(Path(letter))

    trace = two.library.json("trace", novelty, "--commons", two.town)

    assert [("about", "asserted", two.root)] == [(k["link"], k["strength"], k["id"]) for k in trace["rests_on"]]


def test_records_cannot_write_on_the_terminal(two: TwoBodies) -> None:
    evil = "\x1b[2J\x1b[1;1Hverified \u202eevil [bold]x[/bold]"
    two.minutes("--title", evil)

    log = two.library.run("log", "--commons", two.town)
    trace = two.library.run("trace", two.root, "--commons", two.town)

    for output in (log, trace):
        assert "\x1b" not in output
        assert "\u202e" not in output
    assert "[bold]x" in log.replace("\n", "")


def test_init_does_not_overwrite_a_commons(two: TwoBodies) -> None:
    message = two.library.error("init", two.town, "--name", "Other", "--demo", code=2)

    assert "holds a commons already" in message


def test_a_link_to_nothing_is_refused(two: TwoBodies) -> None:
    message = two.library.error(
        "propose",
        "document",
        "--title",
        "T",
        "--text",
        "x",
        "--link",
        f"about={'ab' * 32}",
        "--commons",
        two.town,
        code=3,
    )

    assert "no record abababababababab" in message


def test_two_writers_do_not_meet(two: TwoBodies) -> None:
    import fcntl

    letter = two.propose("--title", "T", "--text", "x")
    with (two.town / "private" / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        message = two.library.error("commit", letter, "--commons", two.town, code=2)

    assert "another auzolan process is writing this commons" in message
