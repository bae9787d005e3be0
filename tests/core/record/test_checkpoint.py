from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auzolan.core.record.checkpoint import (
    PROOF_HEADER,
    TILE_WIDTH,
    Checkpoint,
    LogProof,
    TreeHead,
    bundle_bytes,
    bundle_path,
    checkpoint_text,
    read_bundle,
    read_checkpoint,
    read_decimal,
    read_log_proof,
    read_tile,
    tile_levels,
    tile_path,
    tile_widths,
)
from auzolan.core.record.envelope import read_envelope
from auzolan.core.record.errors import AuzolanError, MalformedError, VerificationError
from auzolan.core.record.merkle import MAX_SIZE, leaf_hash, verify_inclusion
from auzolan.core.record.note import Note, sign_note, verify_note
from tests.strategies import checkpoints, digests, entry_lists, flipped, log_proofs
from tests.town import LOG, ORIGIN, Town, document, sign

ROOT = base64.b64encode(bytes(range(32))).decode()


def noted(text: str) -> bytes:
    return Note(text, (sign_note(text, LOG),)).to_bytes()


@given(checkpoints())
def test_a_checkpoint_survives_its_bytes(checkpoint: Checkpoint) -> None:
    again = read_checkpoint(checkpoint.note.to_bytes())

    assert checkpoint == again
    assert checkpoint.note.text == checkpoint_text(again.origin, again.head)


@settings(max_examples=200)
@given(checkpoints(), st.data())
def test_any_changed_bit_of_a_checkpoint_is_refused_or_leaves_it_unsigned(
    checkpoint: Checkpoint, data: st.DataObject
) -> None:
    whole = checkpoint.note.to_bytes()
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    try:
        verified = verify_note(read_checkpoint(flipped(whole, bit)).note, [LOG.public])
    except (MalformedError, VerificationError):
        return

    assert verified == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("town.example\n", "expected origin, size and root"),
        ("town.example\n5\n", "expected origin, size and root"),
        (f"\n5\n{ROOT}\n", "expected origin, size and root"),
        (f"town.example\n\n{ROOT}\n", "expected origin, size and root"),
        (f"town.example\n5\n{ROOT}\n\n", "expected origin, size and root"),
        (f"town.example\n5\n{ROOT}\n\nextension\n", "expected origin, size and root"),
        (f"town.example\n05\n{ROOT}\n", "decimal number without leading zeros"),
        (f"town.example\n+5\n{ROOT}\n", "decimal number"),
        (f"town.example\n-5\n{ROOT}\n", "decimal number"),
        (f"town.example\n5 \n{ROOT}\n", "decimal number"),
        (f"town.example\n 5\n{ROOT}\n", "decimal number"),
        (f"town.example\n5.0\n{ROOT}\n", "decimal number"),
        (f"town.example\n1_000\n{ROOT}\n", "decimal number"),
        (f"town.example\n0x5\n{ROOT}\n", "decimal number"),
        (f"town.example\n٥\n{ROOT}\n", "decimal number"),
        (f"town.example\n５\n{ROOT}\n", "decimal number"),
        (f"town.example\n²\n{ROOT}\n", "decimal number"),
        (f"town.example\n{MAX_SIZE + 1}\n{ROOT}\n", "decimal number"),
        (f"town.example\n{'9' * 5000}\n{ROOT}\n", "decimal number"),
        (f"town.example\n5\n{ROOT[:-1]}\n", "root: not base64"),
        (f"town.example\n5\n{ROOT[:-2]}9=\n", "root: base64 with stray bits"),
        (f"town.example\n5\n{base64.b64encode(bytes(31)).decode()}\n", "root: expected 32 bytes, got 31"),
        (f"town.example\n5\n{base64.b64encode(bytes(33)).decode()}\n", "root: expected 32 bytes, got 33"),
        (f"town.example\n5\n{ROOT} \n", "root: not base64"),
    ],
)
def test_a_checkpoint_of_another_form_is_refused(text: str, message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        read_checkpoint(noted(text))


def test_extension_lines_are_kept_and_signed() -> None:
    text = checkpoint_text(ORIGIN, TreeHead(5, bytes(32))) + "extension one\nextension two\n"
    checkpoint = read_checkpoint(noted(text))

    assert (ORIGIN, TreeHead(5, bytes(32))) == (checkpoint.origin, checkpoint.head)
    assert text == checkpoint.note.text


@given(st.integers(0, MAX_SIZE))
def test_a_decimal_survives(number: int) -> None:
    assert number == read_decimal(str(number), "x")


@pytest.mark.parametrize("text", ["", "00", "01", "1\n", "\n1", "1e3", "٣", "९", "1２", "1 000", "1,000", "-0", "+0"])
def test_a_number_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(MalformedError, match="expected a decimal number without leading zeros"):
        read_decimal(text, "x")


# --- tiles -----------------------------------------------------------------------------------------------------------


def test_paths_are_those_of_the_specification() -> None:
    """c2sp.org/tlog-tiles: 1234067 is written x001/x234/067."""
    assert tile_path(0, 1_234_067) == "tile/0/x001/x234/067"
    assert tile_path(0, 0) == "tile/0/000"
    assert tile_path(3, 999, 1) == "tile/3/999.p/1"
    assert tile_path(1, 1000, 255) == "tile/1/x001/000.p/255"
    assert bundle_path(1_234_067) == "tile/entries/x001/x234/067"
    assert bundle_path(7, 3) == "tile/entries/007.p/3"


@given(st.integers(0, 2**55), st.integers(0, 2**55))
def test_two_tiles_never_share_a_path(one: int, other: int) -> None:
    assert (one == other) == (tile_path(0, one) == tile_path(0, other))


@given(st.integers(0, MAX_SIZE))
def test_widths_add_up_to_the_nodes_of_each_level(size: int) -> None:
    levels = tile_levels(size)
    for level in range(levels):
        full, partial = tile_widths(size, level)

        assert size >> (8 * level) == full * TILE_WIDTH + partial
        assert full or partial
    assert size >> (8 * levels) == 0


@given(entry_lists())
def test_a_bundle_survives_its_bytes(entries: list[bytes]) -> None:
    assert entries == read_bundle(bundle_bytes(entries), len(entries), "x")


@given(entry_lists(), st.integers(-2, 300))
def test_a_bundle_of_another_width_is_refused(entries: list[bytes], width: int) -> None:
    data = bundle_bytes(entries)
    if width == len(entries):
        return

    with pytest.raises(MalformedError, match=f"expected {width} entries"):
        read_bundle(data, width, "x")


@given(entry_lists(), st.data())
def test_a_bundle_cut_short_or_longer_is_refused(entries: list[bytes], data: st.DataObject) -> None:
    whole = bundle_bytes(entries)
    for wrong in (whole + b"\x00", whole + b"\x00\x00", whole[:-1] or b"x"):
        with pytest.raises(MalformedError, match="entries"):
            read_bundle(wrong, len(entries), "x")


def test_the_longest_entry_survives_and_a_longer_one_is_refused() -> None:
    longest = b"x" * 65_535

    assert [longest, b""] == read_bundle(bundle_bytes([longest, b""]), 2, "x")
    with pytest.raises(AuzolanError, match=r"65,?535"):
        bundle_bytes([longest + b"x"])


@given(st.lists(digests(), max_size=20))
def test_a_tile_survives_its_bytes(hashes: list[bytes]) -> None:
    data = b"".join(hashes)

    assert hashes == read_tile(data, len(hashes), "x")
    for wrong in (data + b"x", data[:-1] or b"x", data + bytes(32)):
        with pytest.raises(MalformedError, match="hashes"):
            read_tile(wrong, len(hashes), "x")


# --- offline proofs --------------------------------------------------------------------------------------------------


@given(log_proofs())
def test_a_proof_survives_its_bytes(proof: LogProof) -> None:
    again = read_log_proof(proof.to_bytes())

    assert proof == again
    assert proof.to_bytes() == again.to_bytes()


def town_proof() -> LogProof:
    town = Town()
    town.commit(*[sign(document(f"Document {number}")) for number in range(6)])
    return town.ledger.prove(town.ledger.envelope(next(town.ledger.index.rows(start=3))).claimed.id)


PROOF = town_proof()


LEAF = leaf_hash(read_envelope(PROOF.extra).entry)


def holds(data: bytes, leaf: bytes) -> bool:
    """Check an offline proof for a leaf as a verifier would."""
    try:
        proof = read_log_proof(data)
        head = proof.checkpoint.head
        verify_inclusion(leaf, proof.index, head.size, proof.proof, head.root)
        return bool(verify_note(proof.checkpoint.note, [LOG.public])) and proof.checkpoint.origin == ORIGIN
    except AuzolanError:
        return False


def test_a_proof_leads_from_the_envelope_to_the_signed_root() -> None:
    assert holds(PROOF.to_bytes(), LEAF)


@pytest.mark.parametrize("start", range(8))
def test_any_changed_bit_of_a_proof_is_refused_but_in_its_extra_data(start: int) -> None:
    """The extra data is not authenticated by the proof; it is checked by hashing it, which gives another leaf."""
    whole = PROOF.to_bytes()
    for bit in range(start, 8 * len(whole), 8 * 3):
        changed = flipped(whole, bit)
        if not holds(changed, LEAF):
            continue

        assert PROOF.to_bytes() != changed
        assert read_log_proof(changed).extra != PROOF.extra


def proof_bytes(head: str, checkpoint: bytes | None = None) -> bytes:
    return head.encode() + b"\n\n" + (noted(f"town.example\n5\n{ROOT}\n") if checkpoint is None else checkpoint)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "expected a blank line"),
        (PROOF_HEADER.encode(), "expected a blank line"),
        (proof_bytes(""), "expected the first line"),
        (proof_bytes("c2sp.org/tlog-proof@v2\nindex 0"), "expected the first line"),
        (proof_bytes(f"{PROOF_HEADER} \nindex 0"), "expected the first line"),
        (proof_bytes(f"{PROOF_HEADER}\r\nindex 0"), "expected the first line"),
        (proof_bytes(f"\ufeff{PROOF_HEADER}\nindex 0"), "not ASCII"),
        (proof_bytes(PROOF_HEADER), "expected a line 'index N'"),
        (proof_bytes(f"{PROOF_HEADER}\nindex"), "expected a line 'index N'"),
        (proof_bytes(f"{PROOF_HEADER}\nindex "), "index: expected a decimal"),
        (proof_bytes(f"{PROOF_HEADER}\nindex 00"), "index: expected a decimal"),
        (proof_bytes(f"{PROOF_HEADER}\nindex -1"), "index: expected a decimal"),
        (proof_bytes(f"{PROOF_HEADER}\nindex 1\r"), "index: expected a decimal"),
        (proof_bytes(f"{PROOF_HEADER}\nindex {2**63}"), "index: expected a decimal"),
        (proof_bytes(f"{PROOF_HEADER}\nindex 0\nindex 0"), "hash 0: not base64"),
        (proof_bytes(f"{PROOF_HEADER}\nindex 0\nextra YQ=="), "hash 0: not base64"),
        (proof_bytes(f"{PROOF_HEADER}\nextra YQ==\nextra YQ==\nindex 0"), "expected a line 'index N'"),
        (proof_bytes(f"{PROOF_HEADER}\nextra YQ\nindex 0"), "extra: not base64"),
        (proof_bytes(f"{PROOF_HEADER}\nextra YR==\nindex 0"), "extra: base64 with stray bits"),
        (proof_bytes(f"{PROOF_HEADER}\nextra \nindex 0"), "extra"),
        (proof_bytes(f"{PROOF_HEADER}\nindex 0\nYQ=="), "hash 0: expected 32 bytes, got 1"),
        (proof_bytes(f"{PROOF_HEADER}\nindex 0\n{ROOT}\n "), "hash 1: not base64"),
        (proof_bytes(f"{PROOF_HEADER}\nindex 0" + f"\n{ROOT}" * 64), "64 hashes, at most 63 can be needed"),
        (proof_bytes(f"{PROOF_HEADER}\nindex 0", b""), "checkpoint: expected text"),
        (proof_bytes(f"{PROOF_HEADER}\nindex 0", b"\n" + noted(f"a\n5\n{ROOT}\n")), "origin, size and root"),
    ],
)
def test_a_proof_of_another_form_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        read_log_proof(data)


def test_sixty_three_hashes_are_read() -> None:
    assert len(read_log_proof(proof_bytes(f"{PROOF_HEADER}\nindex 0" + f"\n{ROOT}" * 63)).proof) == 63
