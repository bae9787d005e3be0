from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.record.checkpoint import Checkpoint, TreeHead, checkpoint_text
from auzolan.core.record.errors import MalformedError
from auzolan.core.record.keys import SigningKey
from auzolan.core.record.merkle import EMPTY_ROOT, MAX_SIZE, leaf_hash, root_of
from auzolan.core.record.note import Note, sign_note
from auzolan.core.record.tilelog import TileReader, TileWriter
from auzolan.core.record.witness import AddCheckpoint, WitnessRefusalError, add_checkpoint, read_add_checkpoint
from tests.memory_files import MemoryFiles
from tests.strategies import checkpoints, digests
from tests.town import LIBRARY, LOG, ORIGIN, SCHOOL
from tests.vectors.make import add_checkpoint_request

LOGS = {ORIGIN: [LOG.public]}
N = 12
ENTRIES = [b"entry %d" % number for number in range(N)]


def head(size: int) -> TreeHead:
    return TreeHead(size, root_of([leaf_hash(entry) for entry in ENTRIES[:size]]))


def tree(size: int) -> TileReader:
    files = MemoryFiles()
    if size:
        TileWriter(files).append(ENTRIES[:size])
    return TileReader(files, size)


def proof(old: int, new: int) -> list[bytes]:
    return tree(new).consistency_proof(old) if 0 < old <= new else []


def noted(tree_head: TreeHead, origin: str = ORIGIN, *signers: SigningKey) -> bytes:
    text = checkpoint_text(origin, tree_head)
    return Note(text, tuple(sign_note(text, signer) for signer in signers or (LOG,))).to_bytes()


def request(old: int, hashes: list[bytes], checkpoint: bytes) -> AddCheckpoint:
    return read_add_checkpoint(add_checkpoint_request(old, hashes, checkpoint))


def refused(asked: AddCheckpoint, seen: dict[str, TreeHead]) -> int:
    with pytest.raises(WitnessRefusalError) as caught:
        add_checkpoint(asked, LOGS, seen)
    return caught.value.status


@given(st.integers(0, MAX_SIZE), st.lists(digests(), max_size=63), checkpoints())
def test_a_request_survives_its_bytes(old: int, hashes: list[bytes], checkpoint: Checkpoint) -> None:
    again = request(old, hashes, checkpoint.note.to_bytes())

    assert (old, tuple(hashes), checkpoint) == (again.old_size, again.proof, again.checkpoint)


@given(st.integers(0, N), st.integers(0, N))
def test_every_consistent_growth_is_cosigned(old: int, new: int) -> None:
    old, new = sorted((old, new))
    seen = {ORIGIN: head(old)} if old else {}

    assert head(new) == add_checkpoint(request(old, proof(old, new), noted(head(new))), LOGS, seen)


@given(st.integers(1, N), st.integers(1, N), st.data())
def test_no_other_proof_is_accepted(old: int, new: int, data: st.DataObject) -> None:
    old, new = sorted((old, new))
    right = proof(old, new)
    wrong = data.draw(st.lists(digests(), max_size=6).filter(lambda hashes: hashes != right))

    assert refused(request(old, wrong, noted(head(new))), {ORIGIN: head(old)}) == 422


def test_a_log_that_the_witness_does_not_know_is_404() -> None:
    assert refused(request(0, [], noted(head(5), "another.example/log")), {}) == 404


def test_a_checkpoint_signed_by_nobody_trusted_is_403() -> None:
    assert refused(request(0, [], noted(head(5), ORIGIN, SCHOOL)), {}) == 403


def test_a_checkpoint_with_a_bad_signature_by_a_trusted_key_is_403() -> None:
    text = checkpoint_text(ORIGIN, head(5))
    line = sign_note(checkpoint_text(ORIGIN, head(6)), LOG)

    assert refused(request(0, [], Note(text, (line,)).to_bytes()), {}) == 403


def test_a_checkpoint_signed_for_another_log_by_the_same_key_is_not_this_log() -> None:
    both = {ORIGIN: [LOG.public], "another.example/log": [LIBRARY.public]}
    asked = request(0, [], noted(head(5), "another.example/log", LOG))

    with pytest.raises(WitnessRefusalError) as caught:
        add_checkpoint(asked, both, {})
    assert caught.value.status == 403


def test_one_of_several_trusted_keys_is_enough_and_unknown_ones_are_ignored() -> None:
    logs = {ORIGIN: [LIBRARY.public, LOG.public]}

    assert head(5) == add_checkpoint(request(0, [], noted(head(5), ORIGIN, SCHOOL, LOG)), logs, {})


def test_an_old_size_above_the_checkpoint_is_400() -> None:
    assert refused(request(6, [], noted(head(5))), {ORIGIN: head(6)}) == 400
    assert refused(request(MAX_SIZE, [], noted(head(5))), {}) == 400


@pytest.mark.parametrize(("old", "seen"), [(0, 3), (2, 3), (4, 3), (1, 0)])
def test_another_size_than_was_seen_is_409_and_says_which(old: int, seen: int) -> None:
    memory = {ORIGIN: head(seen)} if seen else {}

    with pytest.raises(WitnessRefusalError, match=f"^{seen}$") as caught:
        add_checkpoint(request(old, proof(old, 5), noted(head(5))), LOGS, memory)
    assert caught.value.status == 409


def test_another_root_of_the_same_size_is_409() -> None:
    forked = TreeHead(5, bytes(32))

    assert refused(request(5, [], noted(forked)), {ORIGIN: head(5)}) == 409


def test_the_same_head_again_is_cosigned_again() -> None:
    assert head(5) == add_checkpoint(request(5, [], noted(head(5))), LOGS, {ORIGIN: head(5)})
    assert refused(request(5, [bytes(32)], noted(head(5))), {ORIGIN: head(5)}) == 422


def test_a_fork_is_422() -> None:
    other = MemoryFiles()
    TileWriter(other).append([*ENTRIES[:3], b"other", *ENTRIES[4:]])
    reader = TileReader(other, N)
    forked = TreeHead(N, reader.root_at(N))

    assert refused(request(5, reader.consistency_proof(5), noted(forked)), {ORIGIN: head(5)}) == 422


def test_a_proof_from_size_zero_must_be_empty() -> None:
    assert refused(request(0, [bytes(32)], noted(head(5))), {}) == 422
    assert refused(request(0, [bytes(32)], noted(head(5))), {ORIGIN: head(0)}) == 422


def test_a_proof_line_that_is_no_hash_is_422() -> None:
    assert refused(request(3, [b"short"], noted(head(5))), {ORIGIN: head(3)}) == 422


def test_an_empty_log_is_cosigned_with_the_root_of_nothing_only() -> None:
    """Two roots of size zero would be two inconsistent cosigned heads."""
    assert head(0) == TreeHead(0, EMPTY_ROOT) == add_checkpoint(request(0, [], noted(head(0))), LOGS, {})
    for seen in ({}, {ORIGIN: head(0)}):
        assert refused(request(0, [], noted(TreeHead(0, bytes(32)))), seen) in (409, 422)


def test_a_refused_request_says_why() -> None:
    with pytest.raises(WitnessRefusalError, match="this witness does not know the log 'another"):
        add_checkpoint(request(0, [], noted(head(5), "another.example/log")), LOGS, {})
    with pytest.raises(WitnessRefusalError, match="no signature by a key trusted for this log"):
        add_checkpoint(request(0, [], noted(head(5), ORIGIN, SCHOOL)), LOGS, {})


HASH = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "expected a blank line"),
        (b"old 0\n", "expected a blank line"),
        (b"\n\n", "expected a first line 'old N'"),
        (b"\n\n" + noted(head(5)), "expected a first line 'old N'"),
        (b"old\n\n" + noted(head(5)), "expected a first line 'old N'"),
        (b"Old 0\n\n" + noted(head(5)), "expected a first line 'old N'"),
        (b" old 0\n\n" + noted(head(5)), "expected a first line 'old N'"),
        (b"old \n\n" + noted(head(5)), "old size: expected a decimal"),
        (b"old 00\n\n" + noted(head(5)), "old size: expected a decimal"),
        (b"old -1\n\n" + noted(head(5)), "old size: expected a decimal"),
        (b"old 1 \n\n" + noted(head(5)), "old size: expected a decimal"),
        (b"old  1\n\n" + noted(head(5)), "old size: expected a decimal"),
        (b"old 1\r\n\n" + noted(head(5)), "old size: expected a decimal"),
        (b"old 9223372036854775808\n\n" + noted(head(5)), "old size: expected a decimal"),
        ("old ٣\n\n".encode() + noted(head(5)), "not ASCII"),
        (b"old 1\n???\n\n" + noted(head(5)), "proof line: not base64"),
        (b"old 1\n" + HASH.encode() + b" \n\n" + noted(head(5)), "proof line: not base64"),
        (b"old 1\n" + (HASH + "\n").encode() * 64 + b"\n" + noted(head(5)), "more than 63 proof lines"),
        (b"old 0\n\n", "checkpoint: expected text"),
        (b"old 0\n\n\n" + noted(head(5)), "checkpoint: expected origin"),
        (b"old 0\n\n" + noted(head(5))[:-1], "the last line does not end"),
        (b"old 0\n\n" + b"x" * 1_000_001, "at most 1,000,000 are read"),
        (b"old 0\n" + noted(head(5)), "add-checkpoint: proof line"),
    ],
)
def test_a_request_of_another_form_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        read_add_checkpoint(body)
