"""`auzolan run doctor`: every line of the start checklist, and what stands against serving."""

from __future__ import annotations

import json
import shutil
import time
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import pytest

import auzolan.pocket
from auzolan.cli.commons import key_store, open_key
from auzolan.core.record.checkpoint import read_checkpoint
from auzolan.core.record.note import cosign_note
from tests.cli.deliberation import Place, change_rules, commit_rules, copied
from tests.cli.machine import file_bits
from tests.cli.running import changed, declared, prepared, record_of, revoke, two_principals
from tests.cli.teaching import file_of, record_teaching

for _name in ("aiohttp", "granian", "orjson", "re2", "uvloop"):
    pytest.importorskip(_name, reason="NOT CHECKED: the run extra is not installed")

NAMES = [
    "gateway", "service", "revoked", "log", "runtime key", "files", "engine", "sandbox", "rules", "contents",
    "network", "address", "folder",
]  # fmt: skip
HAS_ENGINE = all(find_spec(name) for name in ("gguf", "xllamacpp"))
BACKEND = ("--backend", "http://127.0.0.1:9")  # nothing is asked of it here


@pytest.fixture(scope="module")
def declared_town(ratified_town: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    with pytest.MonkeyPatch.context() as monkeypatch:
        made = record_teaching(copied(ratified_town, tmp_path_factory.mktemp("recorded"), monkeypatch)).here
        declared(made)
        return made


@pytest.fixture
def here(declared_town: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return copied(declared_town, tmp_path, monkeypatch)


def checked(here: Place, *arguments: str | Path, code: int | None = None) -> dict[str, list[tuple[str, str]]]:
    """Return line -> (state, sentence); the engine's packages, which may be missing here, count as no reason."""
    result = here.machine.call("run", "doctor", *arguments, "--json", "--commons", here.town)
    said = json.loads(result.stdout)
    against = [each["name"] for each in said["checks"] if each["state"] == "against"]

    assert (int(bool(against)), not against) == (result.exit_code, said["ready"])
    if code is not None:
        assert bool(code) == bool(set(against) - ({"engine"} if not HAS_ENGINE else set())), said
    lines: dict[str, list[tuple[str, str]]] = {}
    for each in said["checks"]:
        lines.setdefault(each["name"], []).append((each["state"], each["said"]))
    return lines


def test_every_line_of_a_service_that_can_be_served(here: Place) -> None:
    lines = checked(here, code=0)
    states = {name: state for name, ((state, _), *_more) in lines.items()}

    assert NAMES == list(lines)
    assert {name for name in NAMES if states[name] != "ok"} <= {"log", "engine", "sandbox"}
    assert "none of the 5 records that it rests on is known to be revoked" == lines["revoked"][0][1]
    assert "Auzolan pocket model and 1 adapter are, byte for byte, what was signed" == lines["files"][0][1]
    assert lines["address"][0][1].startswith("127.0.0.1:8642 only, with a token")


def test_the_same_for_people_fits_a_terminal(here: Place) -> None:
    result = here.machine.call("run", "doctor", *BACKEND, "--commons", here.town)

    assert 0 == result.exit_code
    assert [] == [line for line in result.stdout.splitlines() if len(line) > 80]
    assert "ready, 2 to know of" == result.stdout.strip().splitlines()[-1]
    assert result.stdout.startswith("✓ gateway ")


def test_what_stands_against_it_is_counted_and_ends_in_1(here: Place) -> None:
    result = here.machine.call("run", "doctor", *BACKEND, "--keep-contents", "3", "--commons", here.town)

    assert 1 == result.exit_code
    assert "not ready: 1 against it" in result.output
    assert "✗ contents" in result.output


def test_over_a_backend_no_file_is_looked_at_and_that_is_said(here: Place) -> None:
    lines = checked(here, *BACKEND, code=0)

    assert ["engine", "sandbox"] == [name for name in NAMES if name not in lines]
    assert ("warning", "the model is elsewhere: nothing here can say what runs there, and answers say so") in lines[
        "files"
    ]
    assert [("ok", "texts go to http://127.0.0.1:9")] == lines["network"]


def test_without_a_service_it_ends_there_and_says_how_to_make_one(
    ratified_town: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = copied(ratified_town, tmp_path, monkeypatch)
    lines = checked(here, code=1)
    named = checked(here, "nobody", code=1)

    assert ["gateway", "service"] == list(lines)
    assert "`auzolan run prepare` and `auzolan run declare` make one" in lines["service"][0][1]
    assert "there is no service 'nobody' in this commons" == named["service"][0][1]


def test_a_runtime_key_that_is_not_here_stands_against_it(here: Place) -> None:
    for path in (here.machine.home / "keys").glob("*town-runtime*"):
        path.unlink()
    ((state, said),) = checked(here, *BACKEND, code=1)["runtime key"]

    assert "against" == state
    assert "demo/town-runtime" in said


@pytest.mark.parametrize("what", ["service", "rules", "constitution", "adapter.1"])
@pytest.mark.parametrize("where", [BACKEND, ()], ids=["backend", "here"])
def test_what_is_revoked_stands_against_it(here: Place, what: str, where: tuple[str, ...]) -> None:
    service = record_of(here, here.ids("service/v1")[-1])
    revoke(here, service.id if what == "service" else service.links[what])
    lines = checked(here, *where, code=1)

    assert [("against", f"{what}: revoked; what is known to be revoked is not loaded")] == lines["revoked"]
    assert bool(where) or "revoked by library" in lines["files"][0][1]


def test_a_revocation_that_not_enough_have_signed_is_a_warning(here: Place) -> None:
    two_principals(here, "service/v1")
    revoke(here, here.ids("service/v1")[-1])
    lines = checked(here, code=0)

    assert "ok" == lines["revoked"][0][0]
    assert any("said that it is revoked, not enough for it to be" in said for _, said in lines["files"])


def test_a_revoked_data_set_is_a_warning(here: Place) -> None:
    revoke(here, here.ids("dataset/v1")[-1])
    lines = checked(here, code=0)
    over_backend = checked(here, *BACKEND, code=0)
    said = ("warning", "adapter.1.dataset: revoked; what was made with it is served all the same")

    assert [said] == lines["revoked"] == over_backend["revoked"]
    assert any(state == "warning" and "revoked by library" in said for state, said in lines["files"])


def test_swapped_weights_of_the_model_are_named_with_both_digests(here: Place) -> None:
    model = here.machine.folder / "model"
    shutil.copytree(auzolan.pocket.folder(), model)
    before = checked(here, "--model", model, code=0)
    weights = model / "model.safetensors"
    file_bits(weights, weights.stat().st_size * 8 - 5)
    ((state, said), *_) = checked(here, "--model", model, code=1)["files"]

    assert "ok" == before["files"][0][0]
    assert "against" == state
    assert "model.safetensors" in said
    assert "but the service's record says" in said


def test_swapped_weights_of_an_adapter_stand_against_it_though_they_were_hashed_before(here: Place) -> None:
    checked(here, code=0)
    adapter = record_of(here, here.ids("adapter/v1")[-1])
    path = file_of(here.town / "ledger", adapter.blobs["weights"])
    path.chmod(0o644)
    file_bits(path, path.stat().st_size * 8 - 1)
    ((state, said), *_) = checked(here, code=1)["files"]

    assert "against" == state
    assert "adapter 1" in said


def test_a_model_that_is_not_there_stands_against_it(here: Place) -> None:
    ((state, said),) = checked(here, "--model", "nowhere", code=1)["files"]

    assert ("against", "nowhere: there is no such model") == (state, said)


def test_a_folder_that_others_can_write_stands_against_it(here: Place) -> None:
    state = here.machine.folder / "open"
    state.mkdir()
    state.chmod(0o777)

    assert [("against", f"{state}: others can write it; chmod 700 it")] == checked(
        here, *BACKEND, "--state", state, code=1
    )["folder"]


def test_a_folder_that_cannot_be_made_stands_against_it(here: Place) -> None:
    state = here.machine.folder / "file"
    state.write_text("")

    assert "against" == checked(here, *BACKEND, "--state", state, code=1)["folder"][0][0]


JUDGE = """
[[judges]]
id = "people"
article = "1.1"
effect = "warn"
why = "A judge found it (synthetic)."
instructions = "Say whether the text asks for a decision about a person (synthetic)."
definitions = "A decision is a verdict (synthetic)."
violates = ["Who gets the flat?"]
safe = ["Who is entitled to the flat?"]
sides = ["request"]
on_missing = "{on_missing}"
"""


@pytest.mark.parametrize(("on_missing", "state"), [("deny", "against"), ("warn", "warning")])
def test_rules_that_ask_a_judge_want_one(here: Place, on_missing: str, state: str) -> None:
    file = prepared(here, folder="judged")
    rules = file.with_name("rules.toml")
    text = rules.read_text()
    rules.write_text(text.replace("\n[limits]", JUDGE.format(on_missing=on_missing) + "\n[limits]"))
    here.run("run", "declare", file)
    without = checked(here, *BACKEND, code=int(state == "against"))
    with_one = checked(here, *BACKEND, "--judge", "http://127.0.0.1:10", code=0)

    assert (state, True) == (without["judge"][0][0], "no judge is there (--judge URL)" in without["judge"][0][1])
    assert "judge" not in with_one


@pytest.mark.parametrize(("allowed", "asked", "state"), [(0, 1, "against"), (30, 31, "against"), (30, 30, "warning")])
def test_contents_are_not_kept_longer_than_the_service_allows(
    here: Place, allowed: int, asked: int, state: str
) -> None:
    if allowed:
        here.run("run", "declare", changed(prepared(here, folder="kept"), retention_days=allowed))
    lines = checked(here, *BACKEND, "--keep-contents", str(asked), code=int(state == "against"))

    assert state == lines["contents"][0][0]
    assert f"for {asked} day{'' if asked == 1 else 's'}; " in lines["contents"][0][1]


def test_a_review_that_is_due_is_a_warning(here: Place) -> None:
    here.run("run", "declare", changed(prepared(here, folder="due"), review_at="2026-01-01"))

    assert [("warning", "town: was to be looked at again by 2026-01-01")] == checked(here, *BACKEND, code=0)["service"]


def test_a_review_due_today_is_none(here: Place) -> None:
    today = datetime.now(UTC).date().isoformat()
    here.run("run", "declare", changed(prepared(here, folder="due"), review_at=today))

    assert "ok" == checked(here, *BACKEND, code=0)["service"][0][0]


def test_a_sandbox_that_is_turned_off_is_a_warning(here: Place) -> None:
    ((state, said),) = checked(here, "--no-sandbox", code=0)["sandbox"]

    assert ("warning", True) == (state, said.startswith("turned off: the engine can reach the network"))


def cosigned(here: Place, seconds_ago: int, max_age_days: int) -> None:
    """Let a neighbour witness the log, that long ago."""
    neighbour = here.machine.key("neighbour")
    witness = here.machine.run("key", "show", "demo/neighbour", "--witness").strip().splitlines()[-1]
    change_rules(here.town, "keys = []", f'keys = ["{witness}"]\nmax_age_days = {max_age_days}')
    commit_rules(here, "quorum = 0", "quorum = 1")
    note = read_checkpoint((here.town / "ledger" / "checkpoint").read_bytes()).note.text
    line = cosign_note(note, open_key(key_store().find("demo/neighbour")), int(time.time()) - seconds_ago)
    path = here.machine.folder / "line"
    path.write_text(str(line))
    here.run("cosign", "--receive", path)

    assert neighbour


@pytest.mark.parametrize(
    ("seconds_ago", "state", "words"),
    [
        (3_600, "ok", "entries, cosigned 1 hour ago"),
        (5 * 86_400, "warning", "stale: the newest cosignature is 5 days old"),
    ],
)
def test_an_old_view_of_the_log_is_a_warning(here: Place, seconds_ago: int, state: str, words: str) -> None:
    cosigned(here, seconds_ago, 2)
    ((found, said),) = checked(here, *BACKEND, code=0)["log"]

    assert state == found
    assert words in said


def test_it_signs_nothing_and_writes_nothing_into_the_commons(here: Place) -> None:
    before = here.json("log")
    checked(here, code=0)

    assert before == here.json("log")
    assert not (here.machine.home / "run" / "town" / "token").exists()
