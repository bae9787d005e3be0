"""Vectors of others: Merkle proofs, notes, a Tessera log, JCS, witnesses (`tests/data/README.md` has the sources).

Every family asserts how many cases it has, so that none is lost unnoticed.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
import rfc8785

from auzolan.core.record.canonical import canonical_bytes, read_canonical, read_json
from auzolan.core.record.checkpoint import TreeHead, read_checkpoint
from auzolan.core.record.errors import AuzolanError, MalformedError, VerificationError
from auzolan.core.record.keys import PublicKey, SigningKey, read_public_key
from auzolan.core.record.merkle import (
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
    verify_subtree_consistency,
    verify_subtree_inclusion,
)
from auzolan.core.record.note import read_note, sign_note, verify_note
from auzolan.core.record.tilelog import TileReader, TileWriter
from auzolan.core.record.witness import WitnessRefusalError, add_checkpoint, read_add_checkpoint
from tests.memory_files import MemoryFiles
from tests.shared_data import copied, copied_json, copied_rows, shared_json

Row = dict[str, Any]
TESSERA_SIZES = range(11)
JCS_NAMES = ("arrays", "french", "structures", "values")


def proof_of(row: Row) -> list[bytes]:
    return [base64.b64decode(item) for item in row["proof"] or []]


def hash_of(row: Row, name: str) -> bytes:
    return base64.b64decode(row[name] or "")


def check_inclusion(row: Row) -> bytes:
    return verify_inclusion(
        hash_of(row, "leafHash"), row["leafIdx"], row["treeSize"], proof_of(row), hash_of(row, "root")
    )


def check_consistency(row: Row) -> bytes:
    return verify_consistency(row["size1"], row["size2"], proof_of(row), hash_of(row, "root1"), hash_of(row, "root2"))


def check_subtree_inclusion(row: Row) -> bytes:
    return verify_subtree_inclusion(
        hash_of(row, "leafHash"), row["leafIdx"], row["start"], row["end"], proof_of(row), hash_of(row, "root")
    )


def check_subtree_consistency(row: Row) -> bytes:
    return verify_subtree_consistency(
        row["start"], row["end"], row["size"], proof_of(row), hash_of(row, "root1"), hash_of(row, "root2")
    )


def refusal(check: Callable[[Row], bytes], row: Row) -> str | None:
    try:
        check(row)
    except (MalformedError, VerificationError) as error:
        return type(error).__name__
    return None


@pytest.mark.parametrize(
    ("family", "check", "n_cases", "n_valid"),
    [
        ("inclusion", check_inclusion, 53, 4),
        ("consistency", check_consistency, 43, 3),
        ("subtreeinclusion", check_subtree_inclusion, 114, 8),
        ("subtreeconsistency", check_subtree_consistency, 45, 3),
    ],
)
def test_merkle_proofs_are_judged_as_published(
    family: str, check: Callable[[Row], bytes], n_cases: int, n_valid: int
) -> None:
    rows = copied_rows(f"provenance/merkle/{family}.jsonl")
    judged = {row["_file"]: refusal(check, row) is not None for row in rows}

    assert {row["_file"]: row["wantErr"] for row in rows} == judged
    assert (n_cases, n_valid) == (len(rows), list(judged.values()).count(False))


def verified_note(case: Row) -> list[str]:
    return [each.key.name for each in verify_note(read_note(case["note"].encode()), [read_public_key(case["vkey"])])]


def test_the_c2sp_example_note_verifies() -> None:
    cases = copied_json("provenance/notes/c2sp-signed-note.json")

    assert [verified_note(case) for case in cases] == [["example.com/foo"]]


def test_three_notes_of_others_verify_one_of_them_a_real_tree_head() -> None:
    cases = shared_json("provenance/notes/notes.json")
    names = [verified_note(case) for case in cases]
    head = read_checkpoint(cases[2]["note"].encode())

    assert names == [["example.com/foo"], ["PeterNeumann"], ["sum.golang.org"]]
    assert (head.origin, head.head.size) == ("go.sum database tree", 35_225_469)


def test_the_go_example_key_makes_the_same_signature_here() -> None:
    case = shared_json("provenance/notes/notes.json")[1]
    _, _, name, _, encoded = case["public_test_skey"].split("+", 4)
    material = base64.b64decode(encoded)
    note = read_note(case["note"].encode())

    assert material[0] == 1
    assert note.signatures == (sign_note(note.text, SigningKey(name, material[1:])),)


def test_a_note_of_others_with_one_changed_character_is_refused() -> None:
    for case in copied_json("provenance/notes/c2sp-signed-note.json"):
        changed = case["note"].replace("example message", "example massage", 1)

        with pytest.raises(VerificationError, match="does not fit the content"):
            verified_note(case | {"note": changed})


def test_the_cosigned_checkpoint_verifies_and_its_unknown_signature_is_ignored() -> None:
    cases = shared_json("provenance/witness/cosigned-checkpoints.json")
    (case,) = cases
    checkpoint = read_checkpoint(case["checkpoint"].encode())
    (witness,) = (read_public_key(text) for text in case["witness"]["verifier_keys"])
    (verified,) = verify_note(checkpoint.note, [witness])

    assert (checkpoint.origin, checkpoint.head.size) == ("rome2026h1.example.org", 300)
    assert len(checkpoint.note.signatures) == 2
    assert (witness, 0x69546780) == verified


# --- a log made by Tessera ------------------------------------------------------------------------------------------


def tessera() -> Row:
    log: Row = copied_json("provenance/tlog-tiles/tessera-testlog.json")
    return log


def tessera_files(log: Row) -> dict[str, bytes]:
    return {path: base64.b64decode(text) for path, text in log["tiles_b64"].items()}


@pytest.mark.parametrize("size", TESSERA_SIZES)
def test_a_tessera_checkpoint_is_signed_and_has_the_root_of_its_entries(size: int) -> None:
    log = tessera()
    checkpoint = read_checkpoint(log["checkpoints"][str(size)].encode())
    (signer,) = verify_note(checkpoint.note, [read_public_key(log["vkey"])])
    entries = [text.encode() for text in log["entries"][:size]]

    assert log["origin"] == checkpoint.origin == signer.key.name
    assert TreeHead(size, root_of([leaf_hash(entry) for entry in entries])) == checkpoint.head


@pytest.mark.parametrize("size", TESSERA_SIZES[1:])
def test_tessera_tiles_and_bundles_lead_to_the_root(size: int) -> None:
    log = tessera()
    files = tessera_files(log)
    reader = TileReader(MemoryFiles({path: files[path] for path in files if path.endswith(f".p/{size}")}), size)
    root = read_checkpoint(log["checkpoints"][str(size)].encode()).head.root

    assert [text.encode() for text in log["entries"][:size]] == list(reader.entries())
    assert root == reader.root_at(size)
    for index in range(size):
        assert root == verify_inclusion(
            leaf_hash(reader.entry(index)), index, size, reader.inclusion_proof(index), root
        )
    for old in range(1, size + 1):
        assert root == verify_consistency(old, size, reader.consistency_proof(old), reader.root_at(old), root)


@pytest.mark.parametrize("batch", [1, 2, 3, 10])
def test_our_writer_makes_the_bytes_that_tessera_makes(batch: int) -> None:
    log = tessera()
    theirs, written = tessera_files(log), MemoryFiles()
    writer = TileWriter(written)
    entries = [text.encode() for text in log["entries"]]
    sizes = []
    for start in range(0, len(entries), batch):
        head = writer.append(entries[start : start + batch])
        sizes.append(head.size)

        assert read_checkpoint(log["checkpoints"][str(head.size)].encode()).head == head

    expected = {path: data for path, data in theirs.items() if int(path.rsplit("/", 1)[1]) in sizes}

    assert 2 * len(sizes) == len(expected)
    assert expected == written.content


def test_the_tessera_log_is_complete() -> None:
    log = tessera()

    assert len(log["checkpoints"]) == 11
    assert len(log["tiles_b64"]) == 20


# --- RFC 8785 -------------------------------------------------------------------------------------------------------


def jcs(name: str) -> tuple[bytes, bytes, bytes]:
    """Return input, canonical form, and canonical form once more from its hexadecimal listing."""
    listed = bytes.fromhex(copied(f"provenance/jcs/outhex/{name}.txt").decode())
    return copied(f"provenance/jcs/input/{name}.json"), copied(f"provenance/jcs/output/{name}.json"), listed


@pytest.mark.parametrize("name", JCS_NAMES)
def test_the_library_gives_the_published_bytes(name: str) -> None:
    given, expected, listed = jcs(name)

    assert expected == rfc8785.dumps(json.loads(given))
    assert expected == listed


@pytest.mark.parametrize("name", ["arrays", "french"])
def test_ours_gives_the_published_bytes_where_there_is_no_float(name: str) -> None:
    given, expected, _ = jcs(name)
    value = read_json(given)

    assert expected == canonical_bytes(value)
    assert value == read_canonical(expected)


@pytest.mark.parametrize(("name", "number"), [("structures", "56.0"), ("values", "333333333.33333329")])
def test_ours_refuses_the_inputs_with_floats(name: str, number: str) -> None:
    given, _, _ = jcs(name)

    with pytest.raises(MalformedError, match=f"number {number} is not an integer"):
        read_json(given)


def test_the_canonical_form_of_structures_has_no_float_left_and_is_read() -> None:
    """56.0 is written 56 in RFC 8785; what was refused as input is an integer in its canonical form."""
    _, expected, _ = jcs("structures")

    assert expected == canonical_bytes(read_canonical(expected))


# --- a witness, step by step ----------------------------------------------------------------------------------------


def witness_status(body: bytes, key: PublicKey, seen: dict[str, TreeHead]) -> int:
    """Answer one request as a witness that keeps its memory in `seen`."""
    try:
        request = read_add_checkpoint(body)
        seen[request.checkpoint.origin] = add_checkpoint(request, {key.name: [key]}, seen)
    except WitnessRefusalError as error:
        return error.status
    except MalformedError:
        return 400
    return 200


def sequence() -> tuple[list[Row], PublicKey]:
    case = shared_json("provenance/witness/add-checkpoint-sequence.json")
    return case["steps"], PublicKey(case["log_origin"], bytes.fromhex(case["log_ed25519_pub_hex"]))


def test_the_nine_requests_are_answered_as_published_but_for_two_known_differences() -> None:
    """Two answers differ, and both refuse:

    request 2: its signature is damaged in the bits that base64 pads; we refuse such base64 (400), litewitness
        reads it and then refuses the signature (403).
    request 3: of a log that the witness does not know; litewitness says 403, c2sp.org/tlog-witness and we say 404.
    """
    steps, key = sequence()
    seen: dict[str, TreeHead] = {}
    answers = [witness_status(step["request_body"].encode(), key, seen) for step in steps]

    assert [step["status"] for step in steps] == [200, 403, 403, 422, 422, 200, 409, 200, 409]
    assert answers == [200, 400, 404, 422, 422, 200, 409, 200, 409]
    assert seen[key.name].size == 5


def test_the_damaged_signature_is_403_once_its_base64_is_strict() -> None:
    steps, key = sequence()
    body = steps[1]["request_body"]
    strict = body.replace("Vrx6gx=", "Vrx6gw=")

    assert body != strict
    assert witness_status(strict.encode(), key, {key.name: TreeHead(1, bytes(32))}) == 403


def test_a_refused_request_leaves_the_memory_of_the_witness_alone() -> None:
    steps, key = sequence()
    seen: dict[str, TreeHead] = {}
    heads = []
    for step in steps:
        status = witness_status(step["request_body"].encode(), key, seen)
        heads.append((status, seen[key.name].size))

    assert heads == [(200, 1), (400, 1), (404, 1), (422, 1), (422, 1), (200, 3), (409, 3), (200, 5), (409, 5)]


def test_a_conflict_tells_the_size_that_was_seen() -> None:
    steps, key = sequence()
    conflict = read_add_checkpoint(steps[8]["request_body"].encode())
    seen = {key.name: TreeHead(5, conflict.checkpoint.head.root)}

    with pytest.raises(WitnessRefusalError, match=r"^5$") as caught:
        add_checkpoint(conflict, {key.name: [key]}, seen)
    assert isinstance(caught.value, AuzolanError)
    assert caught.value.status == 409
