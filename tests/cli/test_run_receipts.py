"""`auzolan verify RECEIPT`: what holds, what is left open, and what is refused with a reason."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from auzolan.core.record.canonical import JsonValue
from auzolan.run.answers.receipt import Receipt
from auzolan.run.answers.verify import STEPS
from auzolan.run.rules.refusal import openings
from tests.cli.answered import OPEN, PASSED, path_in, receipt_in, runtime, statuses
from tests.cli.deliberation import Place, change_rules, commit_rules, copied
from tests.cli.machine import file_bits, machine
from tests.cli.running import ANSWER, FORBIDDEN, MESSAGES, bare, declared, revoke, written

for _name in ("orjson", "re2"):
    pytest.importorskip(_name, reason="NOT CHECKED: the run extra is not installed")


@pytest.fixture
def here(answered_town: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return copied(answered_town, tmp_path, monkeypatch)


def test_a_whole_receipt_holds_in_nine_steps(here: Place) -> None:
    said = here.json("verify", path_in(here), "--root", here.root)
    text = here.run("verify", path_in(here), "--root", here.root)

    assert dict.fromkeys(STEPS, PASSED) == statuses(said)
    assert (True, "answered") == (said["complete"], said["outcome"])
    assert "it holds; verified against the pinned root" == said["verdict"]
    assert [] == [title for n, title in enumerate(STEPS, 1) if f"✓ {n:>2}. {title}" not in text]
    assert "verdict: it holds; verified against the pinned root" in text
    assert [] == [line for line in text.splitlines() if len(line) > 80]


def test_it_holds_from_the_published_folder_alone_on_a_machine_without_keys(here: Place, tmp_path: Path) -> None:
    visitor = machine(tmp_path, "visitor", here.machine.monkeypatch)
    said = visitor.json("verify", path_in(here), "--commons", here.town / "ledger", "--root", here.root)

    assert dict.fromkeys(STEPS, PASSED) == statuses(said)


@pytest.mark.parametrize(
    ("change", "left_open"),
    [
        (lambda r: replace(r, proof=""), {"Log", "Anchor"}),
        (lambda r: replace(r, answer=None), {"Transcript"}),
        (lambda r: replace(r, messages=None), {"Transcript"}),
        (bare, {"Transcript", "Log", "Anchor"}),
    ],
    ids=["without proof", "without the answer", "without the question", "as it came"],
)
def test_what_is_not_there_is_not_checked_and_never_passed(
    here: Place, change: Callable[[Receipt], Receipt], left_open: set[str]
) -> None:
    path = written(here.machine.folder, change(receipt_in(here)), "less.json")
    said = here.json("verify", path, code=3)

    assert {title: OPEN if title in left_open else PASSED for title in STEPS} == statuses(said)
    assert not said["complete"]
    assert said["verdict"].startswith("what could be checked holds")


def test_what_is_left_open_about_the_communitys_log_is_said_once_and_why(here: Place) -> None:
    here.machine.key("neighbour")
    witness = here.machine.run("key", "show", "demo/neighbour", "--witness").strip().splitlines()[-1]
    change_rules(here.town, "keys = []", f'keys = ["{witness}"]')
    commit_rules(here, "quorum = 0", "quorum = 1")
    words = ("verify", path_in(here), "--root", here.root)
    text = here.run(*words, code=3)
    said = here.json(*words, code=3)
    why = "0 of 1 needed cosignatures (none); not enough witnesses have seen this head"

    assert f"? the community's log: {why} verdict: what could be checked holds" == " ".join(text.split()[-23:])
    assert dict.fromkeys(STEPS, PASSED) == statuses(said)
    assert ("what could be checked holds", False) == (said["verdict"], said["complete"])
    assert [{"title": "Witnesses", "finding": why}] == said["ledger_not_checked"]


def test_without_a_root_the_verdict_says_that_the_authority_is_not_pinned(here: Place) -> None:
    path = written(here.machine.folder, bare(receipt_in(here)), "less.json")

    assert "it holds; consistent with itself; authority not pinned" == here.json("verify", path_in(here))["verdict"]
    assert here.json("verify", path, code=3)["verdict"].endswith("holds; consistent with itself; authority not pinned")


def test_words_are_put_into_a_receipt_that_came_from_another_program(here: Place) -> None:
    whole = receipt_in(here)
    came: dict[str, Any] = json.loads(bare(whole).to_bytes())
    came |= {"messages": whole.messages, "answer": whole.answer, "proof": whole.proof}
    path = here.machine.folder / "mended.json"
    path.write_text(json.dumps(came, indent=2))

    assert dict.fromkeys(STEPS, PASSED) == statuses(here.json("verify", path))


@pytest.mark.parametrize("integrity", ["claimed", "unverified"])
def test_files_that_the_service_does_not_call_verified_are_not_called_so(here: Place, integrity: str) -> None:
    one = replace(runtime(here), integrity=integrity).answers()[0]
    said = here.json("verify", written(here.machine.folder, one.receipt, "one.json"), code=3)
    why = "the runtime hashed all files, and they fit, but its copy of the community's log was out of date"

    assert f"{integrity}: {why}" == next(s["finding"] for s in said["steps"] if s["title"] == "Loaded")


def test_safeguards_that_were_turned_off_are_said(here: Place) -> None:
    one = replace(runtime(here), overrides=("no-sandbox",)).answers()[0]
    said = here.json("verify", written(here.machine.folder, one.receipt, "one.json"), code=3)

    assert "safeguards turned off: no-sandbox" in next(s["finding"] for s in said["steps"] if s["title"] == "Loaded")


def _inside(receipt: Receipt, old: bytes, new: bytes) -> Receipt:
    """Change the signed bytes."""
    envelope = json.loads(receipt.envelope)
    payload = base64.b64decode(envelope["payload"])

    assert old in payload
    envelope["payload"] = base64.b64encode(payload.replace(old, new)).decode()
    return replace(receipt, envelope=json.dumps(envelope, separators=(",", ":"), sort_keys=True).encode())


def _signature(receipt: Receipt) -> Receipt:
    envelope = json.loads(receipt.envelope)
    sig = bytearray(base64.b64decode(envelope["signatures"][0]["sig"]))
    sig[5] ^= 1
    envelope["signatures"][0]["sig"] = base64.b64encode(bytes(sig)).decode()
    return replace(receipt, envelope=json.dumps(envelope, separators=(",", ":"), sort_keys=True).encode())


def _root_of_proof(receipt: Receipt) -> Receipt:
    lines = receipt.proof.split("\n")
    at = next(n for n, line in enumerate(lines) if line.startswith("— "))
    lines[at - 2] = base64.b64encode(bytes(32)).decode()
    return replace(receipt, proof="\n".join(lines))


TAMPERED: dict[str, tuple[Callable[[Receipt], Receipt], str]] = {
    "other answer": (lambda r: replace(r, answer=ANSWER + "!"), "answer: this is not the text that was sent"),
    "no words": (lambda r: replace(r, answer=""), "answer: this is not the text that was sent"),
    "other question": (
        lambda r: replace(r, messages=[{"role": "user", "content": "When?"}]),
        "answer: these are not the messages that were asked",
    ),
    "a question more": (lambda r: replace(r, messages=MESSAGES * 2), "these are not the messages that were asked"),
    "other nonce": (lambda r: replace(r, nonce=bytes(32)), "answer: these are not the messages that were asked"),
    "other outcome": (lambda r: _inside(r, b'"outcome":"answered"', b'"outcome":"refused"'), ""),
    "other rule": (lambda r: _inside(r, b"allow-use", b"allow-all"), ""),
    "other signature": (_signature, "signature"),
    "other log": (_root_of_proof, "proof"),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_a_receipt_that_was_tampered_with_is_refused_with_the_reason(here: Place, name: str) -> None:
    change, words = TAMPERED[name]
    path = written(here.machine.folder, change(receipt_in(here)), "tampered.json")
    line = here.error("verify", path, code=1)
    said = here.json("verify", path, code=1)
    traced = here.error("trace", path, code=1)

    assert words in line
    assert (1, f"auzolan: {said['error']}") == (said["exit_code"], line)
    assert line == traced
    assert ANSWER not in line


def test_the_proof_of_another_answer_is_refused(here: Place) -> None:
    one, two = runtime(here).answers(2)
    path = written(here.machine.folder, one.receipt.with_proof(two.receipt.proof.encode()), "mixed.json")

    assert f"proof: is of answer {two.id[:16]}…, not of this one" in here.error("verify", path, code=1)


def test_an_answer_that_another_key_signed_is_refused(here: Place) -> None:
    here.machine.key("stranger")
    (said,) = runtime(here).answers(key="demo/stranger", logged=False)
    path = written(here.machine.folder, said.receipt, "stranger.json")

    assert "expected one signature, by the runtime key demo/town-runtime" in here.error("verify", path, code=1)


def test_an_answer_under_other_rules_than_the_services_is_refused(here: Place) -> None:
    (said,) = runtime(here).answers(rules="9" * 64)
    path = written(here.machine.folder, said.receipt, "rules.json")

    assert "answer: names the rules 9999999999999999…, expected " in here.error("verify", path, code=1)


def test_an_answer_in_the_name_of_another_service_is_refused(here: Place) -> None:
    other = declared(here, name="other", folder="other")
    (said,) = runtime(here).answers(service=other)
    path = written(here.machine.folder, said.receipt, "other.json")

    assert "by the runtime key demo/other-runtime that the service names" in here.error("verify", path, code=1)


def test_against_a_ledger_that_does_not_know_the_service_nothing_can_be_checked(
    here: Place, founded_town: Place
) -> None:
    line = here.machine.error("verify", path_in(here), "--commons", founded_town.town, code=3)

    assert "is not in this ledger; a copy that is older than the service does not hold it" in line


def test_a_ledger_that_was_tampered_with_fails_before_the_receipt_is_looked_at(here: Place) -> None:
    *_, path = sorted((here.town / "ledger" / "records").rglob("*.*"))
    path.chmod(0o644)
    file_bits(path, path.stat().st_size * 4)

    assert 1 == here.machine.call("verify", path_in(here), "--commons", here.town).exit_code


BROKEN = [
    b'{"format":"auzolan-receipt/v1"}',
    b"auzolan-receipt/v1",
    b'["auzolan-receipt/v1"]',
    b'{"format":"auzolan-receipt/v1","messages":' + b"[" * 200_000,
    b'{"format":"auzolan-receipt/v1","format":"auzolan-receipt/v1"}',
    b'{"format":"auzolan-receipt/v1","nonce":0.5}',
]


@pytest.mark.parametrize("data", BROKEN, ids=range(len(BROKEN)))
def test_what_is_no_receipt_ends_in_one_sentence(here: Place, data: bytes) -> None:
    path = here.machine.folder / "broken.json"
    path.write_bytes(data)

    assert "receipt" in here.error("verify", path, code=1)


def test_another_root_than_the_one_that_is_known_is_refused(here: Place) -> None:
    assert 1 == here.machine.call("verify", path_in(here), "--root", "0" * 64, "--commons", here.town).exit_code
    assert 1 == here.machine.call("trace", path_in(here), "--root", "0" * 64, "--commons", here.town).exit_code


def test_an_answer_of_a_revoked_service_is_said_to_be_one(here: Place, tmp_path: Path) -> None:
    service = runtime(here)
    (said,) = service.answers()
    path = written(tmp_path, said.receipt)
    revoke(here, service.service_id)

    checked = here.json("verify", str(path), code=3)

    assert "revoked: service by" in checked["steps"][7]["finding"]
    assert "not checked" == checked["steps"][7]["status"]


def test_it_says_which_messages_the_model_never_saw(here: Place, tmp_path: Path) -> None:
    refused: list[JsonValue] = [
        {"role": "user", "content": FORBIDDEN},
        {"role": "assistant", "content": f"{openings()[0]}\n- as it is written"},
    ]
    (said,) = runtime(here).answers(messages=[*refused, *MESSAGES])
    path = written(tmp_path, said.receipt)

    assert 2 == here.json("verify", path, code=3)["left_out"]
    assert 0 == here.json("verify", path_in(here))["left_out"]
    assert "2 messages were refused before and left out" in " ".join(
        here.machine.call("verify", path, "--commons", here.town).output.split()
    )


@pytest.mark.parametrize("change", [lambda receipt: receipt, bare], ids=["with the answer", "without"])
def test_a_receipt_that_was_cut_off_is_called_damaged(here: Place, change: Callable[[Receipt], Receipt]) -> None:
    path = written(here.machine.folder, change(receipt_in(here)), "cut.json")
    path.write_bytes(path.read_bytes()[:300])

    assert "receipt:" in here.error("verify", path, code=1)
    assert "receipt:" in here.error("trace", path, code=1)
