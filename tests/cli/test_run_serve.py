"""`auzolan run serve` and `chat`: a gateway as a process of its own, over a synthetic model on loopback."""

from __future__ import annotations

import json
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auzolan.run.answers.receipt import FIELD, read_receipt
from auzolan.run.answers.verify import STEPS
from tests.cli.deliberation import Place, copied
from tests.cli.running import (
    ANSWER,
    FORBIDDEN,
    MESSAGES,
    QUESTION,
    Gateway,
    Model,
    free_port,
    refused,
    revoke,
    serving,
    started,
    two_principals,
    until,
)

for _name in ("aiohttp", "granian", "orjson", "re2", "uvloop"):
    pytest.importorskip(_name, reason="NOT CHECKED: the run extra is not installed")

SOON = "import auzolan.cli.run.serve as serve; serve.LOG_S = 0.1; from auzolan.cli import main; main()"
BODY = {"model": "town", "messages": MESSAGES}


@pytest.fixture
def here(declared_town: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return copied(declared_town, tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def gateway(declared_town: Place, model: Model, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One gateway for the tests that only ask."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        place = copied(declared_town, tmp_path_factory.mktemp("serving"), monkeypatch)
        with serving(place, "--backend", model.url) as running:
            yield running


def receipts(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.json"))


def test_it_serves_over_a_backend_and_says_how_it_stands(gateway: Gateway) -> None:
    assert {"status": "ok", "engine": "ready", "closed": None} == gateway.health()
    assert ["town"] == [each["id"] for each in gateway.ask("/v1/models")[1]["data"]]
    until(lambda: f"serving at http://127.0.0.1:{gateway.port}/v1" in gateway.said, lambda: gateway.said)
    until(lambda: "Ctrl-C ends the service" in gateway.said, lambda: gateway.said)
    assert f"\ntoken: {gateway.state / 'token'}\n" in gateway.said
    assert gateway.token not in gateway.said
    assert 0o600 == stat.S_IMODE((gateway.state / "token").stat().st_mode)


def test_one_question_is_answered_and_its_receipt_kept_for_this_user_alone(gateway: Gateway, tmp_path: Path) -> None:
    said = gateway.chat(QUESTION, "--receipts", tmp_path)
    (kept,) = receipts(tmp_path)
    receipt = read_receipt(kept.read_bytes())

    assert (0, ANSWER + "\n") == (said.exit_code, said.stdout)
    assert f"receipt: {kept}" in said.stderr
    assert 0o600 == stat.S_IMODE(kept.stat().st_mode)
    assert (MESSAGES, ANSWER) == (receipt.messages, receipt.answer)


def test_a_conversation_is_read_from_stdin_until_it_ends(gateway: Gateway, model: Model, tmp_path: Path) -> None:
    said = gateway.chat("--receipts", tmp_path, stdin=f"{QUESTION}\nAnd on Sundays?\n\nNever asked\n")
    n_messages = sorted(len(read_receipt(each.read_bytes()).messages or []) for each in receipts(tmp_path))

    assert (0, f"{ANSWER}\n{ANSWER}\n") == (said.exit_code, said.stdout)
    assert [1, 3] == n_messages
    assert [QUESTION, ANSWER, "And on Sundays?"] == [each["content"] for each in model.asked[-1]["messages"]]
    assert model.asked[-1]["stream"]


def test_json_of_a_chat_is_one_document_with_the_record(gateway: Gateway, tmp_path: Path) -> None:
    said = json.loads(gateway.chat(QUESTION, "--receipts", tmp_path, "--json").stdout)

    assert ANSWER == said["answer"]
    assert ("answered", "unverified") == (said["record"]["body"]["outcome"], said["record"]["body"]["integrity"])
    assert str(receipts(tmp_path)[0]) == said["receipt"]


def test_a_forbidden_question_is_refused_in_words_unless_a_human_is_named(gateway: Gateway, model: Model) -> None:
    n_asked = len(model.asked)
    said = gateway.chat(FORBIDDEN)
    asked_of_it = len(model.asked) - n_asked
    with_human = gateway.chat(FORBIDDEN, "--human", "Jon Doe (synthetic)")

    assert said.stdout.startswith("The rules of this community do not allow this:")
    assert 0 == asked_of_it
    assert ANSWER + "\n" == with_human.stdout


def test_the_name_of_the_responsible_human_stays_with_the_client(gateway: Gateway) -> None:
    gateway.chat(FORBIDDEN, "--human", "Quixotina Unheardof")
    everything = [path.read_bytes() for path in gateway.state.rglob("*") if path.is_file()]

    assert not [data for data in everything if b"Quixotina" in data or b"applicant" in data]
    assert "Quixotina" not in gateway.said


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["hello", "--model", "gpt-9"], 2, "the gateway serves town"),
        (["hello", "--token-file", "nothing"], 2, "cannot read nothing"),
        (["hello", "--port", "9"], 3, "is `auzolan run serve` up?"),
    ],
)
def test_chat_says_what_is_wrong(gateway: Gateway, arguments: list[str], code: int, words: str) -> None:
    line = gateway.here.machine.error(
        "run", "chat", "--port", str(gateway.port), "--token-file", gateway.state / "token", *arguments, code=code
    )

    assert words in line


def test_a_wrong_token_is_refused_in_one_sentence(gateway: Gateway, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("x" * 43)
    line = gateway.here.machine.error(
        "run", "chat", "hello", "--port", str(gateway.port), "--token-file", tmp_path / "token", code=3
    )

    assert "a bearer token is needed" in line
    assert "xxxx" not in line


def test_chat_finds_the_only_token_of_this_machine(here: Place) -> None:
    port, lines = str(free_port()), []
    for code, names in ((2, []), (3, ["town"]), (2, ["other", "town"])):
        for name in names:
            path = here.machine.home / "run" / name / "token"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("x" * 43)
        lines.append(here.machine.error("run", "chat", "hello", "--port", port, code=code))

    assert f"no service has its token in {here.machine.home / 'run'}; name the file" in lines[0]
    assert "is `auzolan run serve` up?" in lines[1]
    assert "which service? Say --service other, --service town, or --token-file FILE; their tokens are in" in lines[2]
    assert f"{here.machine.home / 'run'}/NAME/token" in lines[2]


@pytest.mark.parametrize("name", ["nobody", "../town", ""])
def test_a_service_without_a_token_is_not_asked(here: Place, name: str) -> None:
    path = here.machine.home / "run" / "town" / "token"
    path.parent.mkdir(parents=True)
    path.write_text("x" * 43)
    line = here.machine.error("run", "chat", "hello", f"--service={name}", "--port", str(free_port()), code=2)

    assert f"there is no token of {name!r} in {path.parent.parent}" in line
    assert "both" in here.machine.error("run", "chat", "a", "--service", "town", "--token-file", path, code=2)


def test_of_two_services_the_one_that_is_named_is_asked(gateway: Gateway, tmp_path: Path) -> None:
    home, port = gateway.here.machine.home, str(gateway.port)
    for name, token in (("elsewhere", "x" * 43), ("town", gateway.token)):
        (home / "run" / name).mkdir(parents=True)
        (home / "run" / name / "token").write_text(token)
    said = gateway.here.machine.run(
        "run", "chat", QUESTION, "--service", "town", "--port", port, "--receipts", tmp_path
    )
    (path,) = receipts(tmp_path)
    lines = [
        gateway.here.machine.error("run", "proof", path, "--service", name, "--port", port, code=3)
        for name in ("elsewhere", "town")
    ]

    assert said
    assert "a bearer token is needed" in lines[0]
    assert "(answers are logged in batches, at most ten minutes later)" in lines[1]
    assert "HTTP" not in "".join(lines)


def test_a_receipt_was_at_no_time_readable_by_others(gateway: Gateway, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        said = gateway.chat(QUESTION, "--receipts", tmp_path / "mine")
    finally:
        os.umask(before)

    assert 0 == said.exit_code
    assert 0o700 == stat.S_IMODE((tmp_path / "mine").stat().st_mode)
    assert [0o600] == [stat.S_IMODE(each.stat().st_mode) for each in (tmp_path / "mine").iterdir()]


def test_after_sigterm_every_answer_is_in_the_log_and_a_restart_goes_on_with_it(here: Place, model: Model) -> None:
    asked, sizes, code = [], [], []
    for n_answers in (3, 2):
        with serving(here, "--backend", model.url) as gateway:
            asked += [gateway.ask("/v1/chat/completions", BODY)[1][FIELD] for _ in range(n_answers)]
            code.append(gateway.stop())
    ids = [json.loads(read_receipt(json.dumps(each).encode()).envelope)["payload"] for each in asked]
    with serving(here, "--backend", model.url) as gateway:
        for each in asked:
            receipt = read_receipt(json.dumps(each).encode())
            path = here.machine.folder / "receipt.json"
            status, proof = gateway.ask(f"/v1/receipts/{_id(receipt)}/proof")

            assert 200 == status, proof
            path.write_bytes(receipt.with_transcript(MESSAGES, ANSWER).with_proof(proof).to_bytes())
            steps = here.json("verify", path, code=3)["steps"]
            sizes.append(next(each["finding"] for each in steps if each["title"] == STEPS[5]))

    assert [0, 0] == code
    assert 5 == len(set(ids))
    assert sorted(f"entry {at} of 5 in {_origin(here)}" for at in range(5)) == sorted(sizes)
    assert "ended; every answer is in the log" in gateway.said or gateway.process.returncode == 0


def _id(receipt: Any) -> str:
    from auzolan.core.record.envelope import read_envelope

    return str(read_envelope(receipt.envelope).claimed.id)


def _origin(here: Place) -> str:
    return str(here.record(here.ids("service/v1")[-1])["body"]["origin"])


def test_a_second_gateway_on_the_same_folder_is_refused(here: Place, model: Model) -> None:
    with serving(here, "--backend", model.url) as first:
        code, line = refused(here, "--backend", model.url)
        alive = first.health()

    assert (2, "ok") == (code, alive["status"])
    assert f"another process has the log of answers in {first.state / 'answers'} open" in line


def test_a_port_in_use_is_said_in_one_sentence(here: Place, model: Model) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, line = refused(here, "--backend", model.url, port=port)

    assert 2 == code
    assert line.startswith("auzolan: ")
    assert f"port {port}" in line
    assert "in use" in line


def test_a_token_that_others_can_read_is_refused(here: Place, model: Model) -> None:
    state = here.machine.folder / "state"
    state.mkdir(mode=0o700)
    (state / "token").write_text("a-weak-secret-that-everybody-can-read-1234")
    (state / "token").chmod(0o644)
    code, line = refused(here, "--backend", model.url)

    assert 2 == code
    assert "others can read it; chmod 600 it, or delete it for a new one" in line
    assert "a-weak" not in line


def test_a_token_that_can_be_guessed_is_refused(here: Place, model: Model) -> None:
    path = here.machine.folder / "token"
    path.write_text("password\n")
    path.chmod(0o600)
    code, line = refused(here, "--backend", model.url, "--token-file", path)

    assert 2 == code
    assert "the token is too weak" in line
    assert "password" not in line


def test_a_backend_that_is_not_there_is_said_in_one_sentence(here: Place) -> None:
    code, line = refused(here, "--backend", f"http://127.0.0.1:{free_port()}")

    assert 3 == code
    assert line.startswith("auzolan: backend: ")
    assert "no answer" in line


def test_a_backend_on_another_machine_needs_encryption(here: Place) -> None:
    code, line = refused(here, "--backend", "http://model.example:8000")

    assert 2 == code
    assert "model.example is another machine and http is not encrypted" in line


def test_what_is_revoked_while_it_serves_closes_it(here: Place, model: Model) -> None:
    two_principals(here, "service/v1")
    service = here.ids("service/v1")[-1]
    with serving(here, "--backend", model.url, main=SOON) as gateway:
        before = gateway.ask("/v1/chat/completions", BODY)[0]
        revoke(here, service)
        after_one = gateway.ask("/v1/chat/completions", BODY)[0]
        revoke(here, service, "demo/school", "--note", "I say so too (synthetic).")
        until(lambda: gateway.health()["closed"], lambda: f"still open: {gateway.said}")
        status, said = gateway.ask("/v1/chat/completions", BODY)
        chat = gateway.chat(QUESTION)
        code = gateway.stop()

    assert (200, 200, 503, "closed") == (before, after_one, status, said["error"]["code"])
    assert "service was revoked by library, school" in said["error"]["message"]
    assert 3 == chat.exit_code
    assert "revoked by library, school" in chat.stderr
    assert 0 == code


def test_contents_are_kept_only_within_the_time_that_the_service_allows(here: Place, model: Model) -> None:
    code, line = refused(here, "--backend", model.url, "--keep-contents", "1")

    assert 2 == code
    assert "1 days" in line


def test_nothing_is_left_running_after_it_ends(here: Place, model: Model) -> None:
    gateway = started(here, "--backend", model.url).ready()
    code = gateway.stop()

    assert 0 == code
    assert None is gateway.health()
    assert ["answers", "digests", "token"] == sorted({*(p.name for p in gateway.state.iterdir()), "digests"})
