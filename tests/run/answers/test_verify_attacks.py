"""Each defect of a receipt, of its proof or of its anchor is refused, at the step that is about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from auzolan.core.kinds.answer import Answer
from auzolan.core.record.canonical import JsonObject
from auzolan.core.record.checkpoint import read_checkpoint, read_log_proof
from auzolan.core.record.envelope import Envelope, read_envelope
from auzolan.core.record.errors import AuzolanError, MalformedError, VerificationError
from auzolan.core.record.keys import SigningKey
from auzolan.core.record.note import Note, sign_note
from auzolan.core.record.record import Record
from auzolan.run.answers.verify import Transcript
from tests.run.answers.case import FULL, Case, World, anchor_by, other_root, same
from tests.run.answers.world import (
    ADAPTER_IDS,
    ADAPTERS,
    ANSWER,
    LOADED,
    MESSAGES,
    ORIGIN,
    RUNTIME,
    SERVICE_ID,
    STRANGER,
    adapter,
    answer_log,
    digest,
    forged,
    nonce,
    service,
)
from tests.town import document, key


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("answers")
    log = answer_log(folder)
    yield World(log)
    log._journal.close()
    log._places.close()


Spoil = Callable[[World], Case]
LATER = next(other for other in (key(f"k{n}") for n in range(10_000)) if other.public.keyid > RUNTIME.public.keyid)


def _body(case: Case, change: Callable[[JsonObject], None]) -> Case:
    record = forged().to_record()
    body = dict(record.body)
    change(body)
    return case.with_record(Record(record.kind, body, record.links, record.blobs))


def _signature_flipped(world: World) -> Case:
    envelope = read_envelope(world.case.receipt.envelope)
    only = envelope.signatures[0]
    flipped = only._replace(sig=bytes([only.sig[0] ^ 1]) + only.sig[1:])
    spoiled = Envelope(envelope.claimed, (flipped,)).canonical
    return replace(world.case, receipt=replace(world.case.receipt, envelope=spoiled))


def _unsigned(world: World) -> Case:
    bare = Envelope(forged().to_record()).canonical
    return replace(world.case, receipt=replace(world.case.receipt, envelope=bare))


def _other_kind(world: World) -> Case:
    return world.case.with_record(document(commons=SERVICE_ID))


def _with_blob(world: World) -> Case:
    record = forged().to_record()
    return world.case.with_record(Record(record.kind, record.body, record.links, {"letter": digest("letter")}))


def _proof(world: World, change: Callable[[str], str]) -> Case:
    return replace(world.case, proof=change(world.proof.decode()).encode())


def _proof_by(world: World, origin: str, signer: SigningKey) -> Case:
    proof = read_log_proof(world.proof)
    text = proof.checkpoint.note.text.replace(ORIGIN, origin)
    note = Note(text, (sign_note(text, signer),))
    return replace(world.case, proof=replace(proof, checkpoint=read_checkpoint(note.to_bytes())).to_bytes())


FORM: dict[str, Spoil] = {
    "another kind": _other_kind,
    "unknown field": lambda world: _body(world.case, lambda body: body.update(user="somebody")),
    "missing field": lambda world: _body(world.case, lambda body: body.__delitem__("outcome")),
    "a time that is too exact": lambda world: _body(world.case, lambda body: body.update(answered_at=1_790_000_123)),
    "blob": _with_blob,
    "unknown link": lambda world: world.case.with_record(
        Record(Answer.KIND, forged().to_record().body, {**forged().to_record().links, "user": digest("somebody")})
    ),
    "not an envelope": lambda world: replace(world.case, receipt=replace(world.case.receipt, envelope=b"{}")),
    "not a proof": lambda world: replace(world.case, proof=b"no proof"),
    "proof without its record": lambda world: replace(
        world.case, proof=replace(read_log_proof(world.proof), extra=b"").to_bytes()
    ),
}
SIGNATURE: dict[str, Spoil] = {
    "flipped": _signature_flipped,
    "unsigned": _unsigned,
    "signed by a stranger": lambda world: world.case.with_record(forged().to_record(), STRANGER),
    "signed by two": lambda world: world.case.with_record(forged().to_record(), RUNTIME, STRANGER),
    "signed by two, the right one first": lambda world: world.case.with_record(forged().to_record(), RUNTIME, LATER),
    "another runtime key": lambda world: replace(world.case, service=service(runtime_key=STRANGER.public)),
    "the same name on another key": lambda world: replace(
        world.case, service=service(runtime_key=SigningKey(RUNTIME.name, STRANGER.seed).public)
    ),
}
LINKS: dict[str, Spoil] = {
    "another service": lambda world: world.case.with_answer(service=digest("other service")),
    "another constitution": lambda world: world.case.with_answer(constitution=digest("other")),
    "other rules": lambda world: world.case.with_answer(rules=digest("other")),
    "another adapter": lambda world: world.case.with_answer(adapters=(digest("other"), ADAPTER_IDS[1])),
    "one adapter left out": lambda world: world.case.with_answer(adapters=ADAPTER_IDS[:1]),
    "adapters in another order": lambda world: world.case.with_answer(adapters=ADAPTER_IDS[::-1]),
    "no adapter, and that is not allowed": lambda world: world.case.with_answer(adapters=(), loaded=LOADED),
}
LOADS: dict[str, Spoil] = {
    **{
        f"other {name}": lambda world, name=name: world.case.with_answer(loaded={**FULL, name: digest("other")})  # type: ignore[misc]
        for name in FULL
    },
    **{
        f"no {name}": lambda world, name=name: world.case.with_answer(  # type: ignore[misc]
            loaded={key: value for key, value in FULL.items() if key != name}
        )
        for name in FULL
    },
    "something more": lambda world: world.case.with_answer(loaded={**FULL, "adapter.3": digest("other")}),
    "claimed and other": lambda world: world.case.with_answer(
        integrity="claimed", loaded={**FULL, "weights": digest("other")}
    ),
    "adapters swapped": lambda world: world.case.with_answer(
        loaded={**FULL, "adapter.1": FULL["adapter.2"], "adapter.2": FULL["adapter.1"]}
    ),
    "the record names other weights": lambda world: replace(
        world.case, adapters={**ADAPTERS, ADAPTER_IDS[0]: adapter("three")}
    ),
}
TRANSCRIPT: dict[str, Spoil] = {
    "another question": lambda world: replace(
        world.case, transcript=Transcript([{"role": "user", "content": "Something else"}], ANSWER)
    ),
    "another answer": lambda world: replace(world.case, transcript=Transcript(MESSAGES, ANSWER + " ")),
    "a message more": lambda world: replace(world.case, transcript=Transcript([*MESSAGES, *MESSAGES], ANSWER)),
    "only an answer, another one": lambda world: replace(world.case, transcript=Transcript(None, "")),
    "another nonce": lambda world: replace(world.case, receipt=replace(world.case.receipt, nonce=nonce(1))),
}
PROOF: dict[str, Spoil] = {
    "of another answer": lambda world: replace(world.case, proof=world.other_proof),
    "another place": lambda world: _proof(world, lambda text: text.replace("index 0", "index 1")),
    "outside the tree": lambda world: _proof(world, lambda text: text.replace("index 0", "index 9")),
    "another root": lambda world: _proof(world, _other_root_in_proof),
    "signed by a stranger": lambda world: _proof_by(world, ORIGIN, STRANGER),
    "another log": lambda world: _proof_by(world, "auzolan/other", RUNTIME),
}
ANCHOR: dict[str, Spoil] = {
    "two histories": lambda world: anchor_by(world, other_root),
    "signed by a stranger": lambda world: anchor_by(world, same, STRANGER),
    "another log": lambda world: anchor_by(world, lambda text: text.replace(ORIGIN, "auzolan/other")),
}


def _other_root_in_proof(text: str) -> str:
    head, _, tail = text.partition("\n\n")
    return head + "\n\n" + other_root(tail.partition("\n\n")[0] + "\n") + "\n" + tail.partition("\n\n")[2]


def _refused(defects: dict[str, Spoil], words: str, error: type[AuzolanError] = VerificationError) -> list[Any]:
    return [pytest.param(spoil, error, words, id=f"{words[:5]} {name}") for name, spoil in defects.items()]


# The words are those of the step that must refuse; each defect is refused at its own step, not at another by chance.
@pytest.mark.parametrize(
    ("spoil", "error", "words"),
    [
        *_refused(FORM, "^(receipt|answer|proof)", MalformedError),
        *_refused(SIGNATURE, "signature"),
        *_refused(LINKS, "names the|other adapters took part|without adapters"),
        *_refused(LOADS, "was loaded|files were hashed"),
        *_refused(TRANSCRIPT, "are not the messages|is not the text"),
        *_refused(PROOF, "proof: "),
        *_refused(ANCHOR, "^anchor: "),
    ],
)
def test_a_defect_is_refused_at_its_step(spoil: Spoil, error: type[AuzolanError], words: str, world: World) -> None:
    assert world.case.verify().complete
    with pytest.raises(error, match=words):
        spoil(world).verify()
