"""What running keeps, version 1: the stored records name one another, and the anchor holds the answer."""

from __future__ import annotations

from auzolan.core.kinds.answer import Answer
from auzolan.core.kinds.run import Anchor, RuntimePolicy, Service
from auzolan.core.record.canonical import read_canonical
from auzolan.core.record.checkpoint import read_checkpoint
from auzolan.core.record.envelope import Envelope, read_envelope
from auzolan.core.record.merkle import leaf_hash, verify_inclusion
from auzolan.core.record.note import verify_note
from auzolan.core.record.record import Record, record_from_json
from tests.vectors.make import FOLDER


def _stored(name: str) -> Record:
    return record_from_json(read_canonical((FOLDER / "kinds" / name / "record.json").read_bytes()))


def _envelope(name: str) -> Envelope:
    return read_envelope((FOLDER / "kinds" / name / "envelope.dsse").read_bytes())


def test_stored_records_say_again_what_they_said() -> None:
    assert _stored("service-v1") == Service.from_record(_stored("service-v1")).to_record()
    assert _stored("runtime-policy-v1") == RuntimePolicy.from_record(_stored("runtime-policy-v1")).to_record()
    assert _stored("answer-v1") == Answer.from_record(_stored("answer-v1")).to_record()
    assert _stored("anchor-v1") == Anchor.from_record(_stored("anchor-v1")).to_record()


def test_the_stored_answer_is_of_the_stored_service() -> None:
    service, answer = Service.from_record(_stored("service-v1")), Answer.from_record(_stored("answer-v1"))

    assert _stored("service-v1").id == answer.service
    assert (service.constitution, service.rules) == (answer.constitution, answer.rules)
    assert (_stored("constitution-v1").id, _stored("runtime-policy-v1").id) == (service.constitution, service.rules)
    assert tuple(each.adapter for each in service.adapters) == answer.adapters == (_stored("adapter-v1").id,)
    assert answer.loaded["weights"] == service.base.weights
    assert answer.loaded["adapter.1"] == _stored("adapter-v1").blobs["weights"]


def test_the_stored_answer_is_signed_by_the_key_that_the_service_names() -> None:
    service, envelope = Service.from_record(_stored("service-v1")), _envelope("answer-v1")

    assert envelope.claimed == _stored("answer-v1")
    assert [service.runtime_key.keyid] == [each.keyid for each in envelope.signatures]
    assert service.runtime_key.verify(envelope.signatures[0].sig, envelope.pae, "answer")


def test_the_stored_anchor_holds_the_stored_answer() -> None:
    service, anchor = Service.from_record(_stored("service-v1")), Anchor.from_record(_stored("anchor-v1"))
    checkpoint = read_checkpoint(anchor.checkpoint.encode())
    leaf = leaf_hash(_envelope("answer-v1").entry)

    assert _stored("service-v1").id == anchor.service
    assert service.origin == checkpoint.origin
    assert [service.runtime_key] == [each.key for each in verify_note(checkpoint.note, [service.runtime_key])]
    assert checkpoint.head.root == verify_inclusion(leaf, 0, 1, [], checkpoint.head.root)
