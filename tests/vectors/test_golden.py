"""Our own signed formats, version 1: what was once written verifies for ever, and is still written."""

from __future__ import annotations

from pathlib import Path

import pytest

from auzolan.core.kinds import KNOWN_KINDS, read_kind
from auzolan.core.kinds.constitution import Constitution, Draft
from auzolan.core.kinds.deliberate import Snapshot, Tally
from auzolan.core.kinds.selection import Selection
from auzolan.core.record.canonical import read_canonical
from auzolan.core.record.checkpoint import TreeHead, read_log_proof
from auzolan.core.record.disk import DiskFiles
from auzolan.core.record.envelope import read_envelope
from auzolan.core.record.findings import Expectation, Status
from auzolan.core.record.keys import decrypt_key, read_key_file
from auzolan.core.record.merkle import leaf_hash, verify_inclusion
from auzolan.core.record.note import verify_note
from auzolan.core.record.record import record_from_json
from auzolan.core.record.tilelog import TileReader
from auzolan.core.record.verify import verify_ledger
from auzolan.core.record.witness import add_checkpoint, read_add_checkpoint
from auzolan.deliberate.ballots import read_ballots
from auzolan.deliberate.ratify.checking import verify_outcome
from auzolan.deliberate.snapshot import read_statements, verify_ballots, verify_successor
from auzolan.deliberate.tally import read_counts, read_labels, verify_tally
from auzolan.deliberate.wording.voting import verify_wording
from tests.town import LIBRARY, LOG, NOW, ORIGIN, WITNESS
from tests.vectors.make import FOLDER, PASSPHRASE, vectors

KINDS = sorted(place.name for place in (FOLDER / "kinds").iterdir())


def stored() -> dict[str, bytes]:
    return {str(place.relative_to(FOLDER)): place.read_bytes() for place in FOLDER.rglob("*") if place.is_file()}


def ledger_files() -> DiskFiles:
    return DiskFiles(FOLDER / "ledger", temporary=Path("/nonexistent"))


def test_the_same_bytes_are_made_again() -> None:
    made, kept = vectors(), stored()

    assert sorted(kept) == sorted(made)
    assert kept == made


def test_every_known_kind_has_a_vector() -> None:
    assert sorted(kind.replace("/", "-") for kind in KNOWN_KINDS) == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_stored_record_has_its_id_and_its_kind(kind: str) -> None:
    folder = FOLDER / "kinds" / kind
    record = record_from_json(read_canonical((folder / "record.json").read_bytes()))
    envelope = read_envelope((folder / "envelope.dsse").read_bytes())

    assert (folder / "id.txt").read_text() == record.id + "\n"
    assert kind == record.kind.replace("/", "-")
    assert record == envelope.claimed
    assert read_kind(record) is not None


def test_stored_ledger_verifies_with_its_root_pinned() -> None:
    root = verify_ledger(ledger_files(), Expectation(NOW)).root_id
    seen = TreeHead(4, TileReader(ledger_files(), 6).root_at(4))
    verified = verify_ledger(ledger_files(), Expectation(NOW, root=root, seen=seen))

    assert [step.status for step in verified.steps] == [Status.PASSED] * 12
    assert len(verified.entries) == 6
    assert len(verified.chain.versions) == 2
    assert list(verified.unavailable.values()) == ["erased"]
    assert verified.newest_cosignature == NOW


def test_stored_proof_leads_to_the_stored_checkpoint() -> None:
    proof = read_log_proof((FOLDER / "proof.tlog-proof").read_bytes())
    envelope = read_envelope(proof.extra)
    head = proof.checkpoint.head
    root = verify_inclusion(leaf_hash(envelope.entry), proof.index, head.size, proof.proof, head.root)
    signers = verify_note(proof.checkpoint.note, [LOG.public, WITNESS.witness_public])

    assert head.root == root
    assert [LOG.name, WITNESS.name] == [signer.key.name for signer in signers]
    assert envelope.claimed.kind == "document/v1"


def test_stored_key_opens() -> None:
    data = (FOLDER / "key.json").read_bytes()

    assert LIBRARY.public == read_key_file(data)
    assert decrypt_key(data, PASSPHRASE) == LIBRARY


def test_stored_ballots_are_what_the_stored_snapshot_commits_to() -> None:
    folder, kinds = FOLDER / "deliberation", FOLDER / "kinds"
    statements = read_statements((folder / "statements.json").read_bytes())
    old, new = (
        Snapshot.from_record(record_from_json(read_canonical(place.read_bytes())))
        for place in (kinds / "snapshot-v1" / "record.json", folder / "successor.json")
    )
    tally = Tally.from_record(record_from_json(read_canonical((kinds / "tally-v1" / "record.json").read_bytes())))
    ballots = verify_ballots(old, read_ballots((folder / "ballots").read_bytes()), statements)
    left = verify_ballots(new, read_ballots((folder / "ballots-without-two").read_bytes()), statements)
    counts = verify_tally(tally, (folder / "counts.json").read_bytes(), (folder / "labels").read_bytes(), ballots)

    assert new == verify_successor(new, old, left)
    assert (40, 38) == (old.n_participants, new.n_participants)
    assert 12 == len(counts.statements)


def test_stored_selection_holds_by_its_certificate() -> None:
    folder, kinds = FOLDER / "deliberation", FOLDER / "kinds"
    ballots = read_ballots((folder / "ballots").read_bytes())
    tally = Tally.from_record(record_from_json(read_canonical((kinds / "tally-v1" / "record.json").read_bytes())))
    labels = read_labels((folder / "labels").read_bytes(), len(ballots.table.participants), len(tally.groups))
    record = record_from_json(read_canonical((kinds / "selection-v1" / "record.json").read_bytes()))
    said = Selection.from_record(record)
    outcome = verify_outcome(
        said.outcome, ballots, labels, identity="synthetic", moderated_out=frozenset({11}), min_cell=3,
        withheld=read_counts((folder / "counts.json").read_bytes()).withheld_on(),
    )  # fmt: skip

    assert record == said.to_record()
    assert outcome.articles


def test_stored_constitution_says_what_its_vote_amounts_to() -> None:
    folder, kinds = FOLDER / "deliberation", FOLDER / "kinds"
    ballots = read_ballots((folder / "vote-ballots").read_bytes())
    statements = read_statements((folder / "vote-statements.json").read_bytes())
    tally = Tally.from_record(record_from_json(read_canonical((folder / "vote-tally.json").read_bytes())))
    labels = read_labels((folder / "vote-labels").read_bytes(), 40, len(tally.groups))
    draft, said = (
        record_from_json(read_canonical((kinds / name / "record.json").read_bytes()))
        for name in ("draft-v1", "constitution-v1")
    )
    constitution = verify_wording(Constitution.from_record(said), Draft.from_record(draft), statements)
    outcome = verify_outcome(
        constitution.outcome, ballots, labels, identity="synthetic", moderated_out=frozenset(), min_cell=3, final=True,
        withheld=read_counts((folder / "vote-counts.json").read_bytes()).withheld_on(),
    )  # fmt: skip

    assert said == constitution.to_record()
    assert ["1.1", "2.1"] == [each.number for each in constitution.ratified]
    assert 2 == len(outcome.articles)


def test_stored_request_is_cosigned_by_a_witness_who_saw_the_old_head() -> None:
    request = read_add_checkpoint((FOLDER / "add-checkpoint.txt").read_bytes())
    old = TreeHead(4, TileReader(ledger_files(), 6).root_at(4))
    head = add_checkpoint(request, {ORIGIN: [LOG.public]}, {ORIGIN: old})

    assert request.checkpoint.head == head
    assert head.size == 6
