"""`auzolan run serve` where the machine, other users or the network do what they should not."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from auzolan.core.record.envelope import read_envelope
from auzolan.run.answers.receipt import FIELD, read_receipt
from tests.cli.deliberation import Place, copied
from tests.cli.running import (
    MESSAGES,
    QUESTION,
    Gateway,
    Model,
    changed,
    prepared,
    record_of,
    refused,
    revoke,
    serving,
    started,
    until,
)

for _name in ("aiohttp", "granian", "orjson", "re2", "uvloop"):
    pytest.importorskip(_name, reason="NOT CHECKED: the run extra is not installed")

BODY = {"model": "town", "messages": MESSAGES}


@pytest.fixture
def here(declared_town: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return copied(declared_town, tmp_path, monkeypatch)


def answer_id(said: Any) -> str:
    return read_envelope(read_receipt(json.dumps(said[FIELD]).encode()).envelope).claimed.id


def test_two_gateways_never_share_a_port(here: Place, model: Model) -> None:
    """granian alone would let them: the system then hands each some of the other's connections."""
    with serving(here, "--backend", model.url) as first:
        code, line = refused(here, "--backend", model.url, port=first.port, state="second")

        assert [200] * 20 == [first.ask("/v1/models")[0] for _ in range(20)]
    assert 2 == code
    assert f"port {first.port}" in line


def test_a_port_is_free_again_at_once(here: Place, model: Model) -> None:
    with serving(here, "--backend", model.url) as first:
        first.ask("/v1/models")
        first.stop()
        with serving(here, "--backend", model.url, port=first.port) as second:
            assert "ok" == second.health()["status"]


def test_a_killed_gateway_loses_no_answer(here: Place, model: Model) -> None:
    with serving(here, "--backend", model.url) as first:
        ids = [answer_id(first.ask("/v1/chat/completions", BODY)[1]) for _ in range(4)]
        first.process.send_signal(signal.SIGKILL)
        code = first.process.wait(20)
    with serving(here, "--backend", model.url, "--batch", "1") as second:
        until(lambda: second.ask(f"/v1/receipts/{ids[0]}/proof")[0] == 200, lambda: second.said, second.process)
        statuses = [second.ask(f"/v1/receipts/{each}/proof")[0] for each in ids]

    assert -signal.SIGKILL == code
    assert [200] * 4 == statuses


def test_an_answer_has_no_proof_before_its_batch_and_that_is_said(here: Place, model: Model) -> None:
    with serving(here, "--backend", model.url) as gateway:
        name = answer_id(gateway.ask("/v1/chat/completions", BODY)[1])
        status, said = gateway.ask(f"/v1/receipts/{name}/proof")
        known = gateway.ask(f"/v1/receipts/{name}")[0]

    assert (404, 200) == (status, known)
    assert "batch" in said["error"]["message"]


def test_overrides_are_said_at_the_start_and_in_every_answer(here: Place, model: Model) -> None:
    here.run("run", "declare", changed(prepared(here, folder="kept"), retention_days=30))
    with serving(here, "--backend", model.url, "--batch", "5", "--keep-contents", "2") as gateway:
        said = gateway.ask("/v1/chat/completions", BODY)[1]
        about = gateway.ask("/v1/service")[1]
    record = read_envelope(read_receipt(json.dumps(said[FIELD]).encode()).envelope).claimed
    expected = ["batches-every-5-s", "contents-kept-2-days"]

    assert expected == about["overrides"] == record.body["overrides"]
    assert [f"override: {each}; every answer's record says so" in gateway.said for each in expected] == [True] * 2


def test_the_texts_are_in_no_file_unless_they_are_kept(here: Place, model: Model) -> None:
    with serving(here, "--backend", model.url) as gateway:
        gateway.ask("/v1/chat/completions", {"model": "town", "messages": [{"role": "user", "content": "xyzzy-word"}]})
        gateway.stop()
    everything = [path.read_bytes() for path in here.machine.folder.rglob("*") if path.is_file()]

    assert [] == [data for data in everything if b"xyzzy-word" in data or b"opens at nine" in data]


def test_a_log_that_is_older_than_what_was_signed_is_not_gone_on_with(here: Place, model: Model) -> None:
    state = here.machine.folder / "state"
    with serving(here, "--backend", model.url) as gateway:
        gateway.ask("/v1/chat/completions", BODY)
        gateway.stop()
    older = here.machine.folder / "older"
    shutil.copytree(state, older)
    with serving(here, "--backend", model.url) as gateway:
        gateway.ask("/v1/chat/completions", BODY)
        gateway.stop()
    shutil.rmtree(state)
    older.rename(state)
    code, line = refused(here, "--backend", model.url)

    assert 3 == code
    assert "1 entries, but 2 were signed for it" in line


def test_a_state_folder_that_others_can_write_is_refused(here: Place, model: Model) -> None:
    state = here.machine.folder / "state"
    state.mkdir()
    state.chmod(0o777)
    code, line = refused(here, "--backend", model.url)

    assert 2 == code
    assert f"{state}: others can write it" in line


def test_a_state_folder_that_cannot_be_made_is_said(here: Place, model: Model) -> None:
    (here.machine.folder / "state").write_text("")
    code, line = refused(here, "--backend", model.url)

    assert 3 == code
    assert f"{here.machine.folder / 'state'}: " in line


def test_a_runtime_key_that_is_gone_is_refused_before_anything_is_opened(here: Place, model: Model) -> None:
    for path in (here.machine.home / "keys").glob("*town-runtime*"):
        path.unlink()
    code, line = refused(here, "--backend", model.url)

    assert code in (2, 3)
    assert "demo/town-runtime" in line
    assert not (here.machine.folder / "state" / "token").exists()


@pytest.mark.parametrize("what", ["service", "rules", "constitution"])
def test_nothing_that_is_revoked_is_served_whoever_runs_the_model(here: Place, model: Model, what: str) -> None:
    service = record_of(here, here.ids("service/v1")[-1])
    revoke(here, service.id if what == "service" else service.links[what])
    code, line = refused(here, "--backend", model.url)

    assert (1, True) == (code, f"{what} was revoked by library" in line)


def test_an_answer_cannot_write_on_the_terminal(here: Place) -> None:
    with (
        Model(pieces=("red \x1b[31m", "text\x07\r", " \u202eback", "\nsecond line")).running() as evil,
        serving(here, "--backend", evil.url) as gateway,
    ):
        said = gateway.chat(QUESTION)

    assert 0 == said.exit_code
    assert not set("\x1b\x07\r\u202e") & set(said.stdout)
    assert "\nsecond line\n" in said.stdout


def asked_only(here: Place) -> None:
    here.run("run", "declare", changed(prepared(here, folder="asked"), receipts="asked"))


def test_whoever_wants_to_keep_receipts_asks_for_them(here: Place, model: Model, tmp_path: Path) -> None:
    asked_only(here)
    with serving(here, "--backend", model.url) as gateway:
        without = gateway.chat(QUESTION, "--json")
        kept = gateway.chat(QUESTION, "--receipts", tmp_path / "kept")

    assert None is json.loads(without.stdout)["record"]
    assert 0 == kept.exit_code
    assert 1 == len(list((tmp_path / "kept").glob("*.json")))


def test_the_proof_comes_into_the_receipt_once_it_is_there(here: Place, model: Model, tmp_path: Path) -> None:
    with serving(here, "--backend", model.url, "--batch", "1") as gateway:
        gateway.chat(QUESTION, "--receipts", tmp_path)
        (path,) = tmp_path.glob("*.json")
        words = ("run", "proof", path, "--port", str(gateway.port), "--token-file", gateway.state / "token")
        until(lambda: here.machine.call(*words).exit_code == 0, lambda: here.machine.call(*words).output)
    said = here.json("verify", path, code=3)

    assert {"Transcript": "passed", "Log": "passed"}.items() <= {
        each["title"]: each["status"] for each in said["steps"]
    }.items()
    assert 0o600 == path.stat().st_mode & 0o777


def test_a_proof_that_is_not_there_yet_leaves_the_receipt_as_it_is(here: Place, model: Model, tmp_path: Path) -> None:
    with serving(here, "--backend", model.url) as gateway:
        gateway.chat(QUESTION, "--receipts", tmp_path)
        (path,) = tmp_path.glob("*.json")
        before = path.read_bytes()
        line = here.machine.error(
            "run", "proof", path, "--port", str(gateway.port), "--token-file", gateway.state / "token", code=3
        )

    assert before == path.read_bytes()
    assert "batch" in line


def test_a_signal_while_it_starts_ends_it_without_a_traceback(here: Place, model: Model) -> None:
    gateway: Gateway = started(here, "--backend", model.url)
    until(lambda: (gateway.state / "answers").exists(), lambda: gateway.said, gateway.process)
    gateway.stop()

    assert "Traceback" not in gateway.said
