from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auzolan.core.record.errors import AuzolanError, MalformedError, VerificationError
from auzolan.core.record.merkle import (
    EMPTY_ROOT,
    MAX_SIZE,
    Frontier,
    NodeReader,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    parent_hashes,
    peak_positions,
    root_of,
    verify_consistency,
    verify_inclusion,
    verify_subtree_consistency,
    verify_subtree_inclusion,
)
from tests.strategies import flipped, leaves

SIZES = st.integers(1, 300) | st.sampled_from([1, 2, 3, 4, 7, 8, 9, 255, 256, 257, 511, 512, 513])


def mth(items: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, word by word, over leaf hashes."""
    if not items:
        return sha256(b"").digest()
    if len(items) == 1:
        return items[0]
    k = 1
    while k * 2 < len(items):
        k *= 2
    return sha256(b"\x01" + mth(items[:k]) + mth(items[k:])).digest()


def path(index: int, items: Sequence[bytes]) -> list[bytes]:
    """PATH of RFC 6962, section 2.1.1, word by word."""
    if len(items) == 1:
        return []
    k = 1
    while k * 2 < len(items):
        k *= 2
    if index < k:
        return [*path(index, items[:k]), mth(items[k:])]
    return [*path(index - k, items[k:]), mth(items[:k])]


def subproof(old: int, items: Sequence[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF of RFC 6962, section 2.1.2, word by word; PROOF is the case where `whole` is true."""
    if old == len(items):
        return [] if whole else [mth(items)]
    k = 1
    while k * 2 < len(items):
        k *= 2
    if old <= k:
        return [*subproof(old, items[:k], whole), mth(items[k:])]
    return [*subproof(old - k, items[k:], False), mth(items[:k])]


def nodes(items: Sequence[bytes]) -> NodeReader:
    """Return a reader of complete nodes over leaf hashes."""

    def node(height: int, index: int) -> bytes:
        part = items[index << height : (index + 1) << height]
        assert len(part) == 1 << height, f"node {height}/{index} is not complete"
        return mth(part)

    return node


def test_hashes_are_those_of_rfc_6962() -> None:
    assert sha256(b"\x00entry").digest() == leaf_hash(b"entry")
    assert sha256(b"\x01" + b"l" * 32 + b"r" * 32).digest() == node_hash(b"l" * 32, b"r" * 32)
    assert sha256(b"").digest() == EMPTY_ROOT


@pytest.mark.parametrize("size", range(130))
def test_the_root_is_that_of_the_rfc_for_every_small_size(size: int) -> None:
    items = leaves(size)

    assert mth(items) == root_of(items)


@given(st.lists(st.integers(0, 70), max_size=8))
def test_extending_equals_appending_one_by_one(batches: list[int]) -> None:
    items = leaves(sum(batches))
    extended, appended = Frontier(), Frontier()
    created: dict[int, list[bytes]] = {}
    position = 0
    for batch in batches:
        part = items[position : position + batch]
        for height, row in enumerate(extended.extend(part)):
            created.setdefault(height, []).extend(row)
        for item in part:
            appended.append(item)
        position += batch

        assert appended.size == extended.size == position
        assert mth(items[:position]) == appended.root() == extended.root()

    row = items
    for height in sorted(created):
        assert row == created[height]
        row = parent_hashes(row)
    assert row == []


@given(SIZES)
def test_a_frontier_can_be_continued_from_its_peaks(size: int) -> None:
    items = leaves(size + 5)
    node = nodes(items)
    frontier = Frontier(size, {height: node(height, index) for height, index in peak_positions(size)})
    twin = frontier.copy()
    frontier.extend(items[size:])

    assert mth(items) == frontier.root()
    assert mth(items[:size]) == twin.root()


@given(st.integers(0, MAX_SIZE))
def test_peaks_cover_the_tree_from_left_to_right_without_gap(size: int) -> None:
    position = 0
    for height, index in peak_positions(size):
        assert position == index << height
        position += 1 << height

    assert size == position
    assert bin(size).count("1") == len(peak_positions(size))


@given(SIZES, st.data())
def test_an_inclusion_proof_is_that_of_the_rfc_and_verifies(size: int, data: st.DataObject) -> None:
    items = leaves(size)
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, nodes(items))

    assert path(index, items) == proof
    assert mth(items) == verify_inclusion(items[index], index, size, proof, mth(items))


@given(SIZES, st.data())
def test_a_consistency_proof_is_that_of_the_rfc_and_verifies(size: int, data: st.DataObject) -> None:
    items = leaves(size)
    old = data.draw(st.integers(1, size))
    proof = consistency_proof(old, size, nodes(items))

    assert subproof(old, items, True) == proof
    assert mth(items) == verify_consistency(old, size, proof, mth(items[:old]), mth(items))


def sides(index: int, size: int) -> str:
    """Return on which side each sibling of an audit path stands, from the leaf upwards."""
    if size == 1:
        return ""
    k = 1
    while k * 2 < size:
        k *= 2
    return sides(index, k) + "r" if index < k else sides(index - k, size - k) + "l"


def accepts(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    try:
        verify_inclusion(leaf, index, size, proof, root)
    except AuzolanError:
        return False
    return True


def test_a_proof_fits_another_index_or_size_only_where_its_path_is_the_same() -> None:
    """Exhaustive to 16 leaves.

    That a proof also fits other sizes with the same path is inherent in RFC 6962: the size is
    authenticated by the signature on the checkpoint, not by the proof. It never fits another index of the same size.
    """
    for size in range(1, 17):
        items = leaves(size)
        root = mth(items)
        for index in range(size):
            proof = inclusion_proof(index, size, nodes(items))
            for other_size in range(19):
                for other in range(other_size + 1):
                    same_path = other < other_size and sides(other, other_size) == sides(index, size)

                    assert same_path == accepts(items[index], other, other_size, proof, root)
                    assert not same_path or other_size != size or other == index


def test_consistency_between_the_wrong_sizes_is_refused() -> None:
    """Exhaustive to 12 leaves: with true roots, a proof for (old, new) holds for no other pair of old and new roots."""
    items = leaves(12)
    for new in range(1, 13):
        for old in range(1, new + 1):
            proof = consistency_proof(old, new, nodes(items[:new]))
            for wrong in range(1, new + 1):
                if wrong != old:
                    with pytest.raises(VerificationError):
                        verify_consistency(wrong, new, proof, mth(items[:wrong]), mth(items[:new]))
            with pytest.raises(VerificationError):
                verify_consistency(old, new, proof, mth(items[:old]), sha256(b"another root").digest())


@settings(max_examples=150)
@given(SIZES, st.data())
def test_any_changed_bit_of_an_inclusion_proof_is_refused(size: int, data: st.DataObject) -> None:
    items = leaves(size)
    index = data.draw(st.integers(0, size - 1))
    parts = [items[index], mth(items), *inclusion_proof(index, size, nodes(items))]
    which = data.draw(st.integers(0, len(parts) - 1))
    parts[which] = flipped(parts[which], data.draw(st.integers(0, 255)))
    leaf, root, *proof = parts

    with pytest.raises(VerificationError, match="leads to root"):
        verify_inclusion(leaf, index, size, proof, root)


@settings(max_examples=150)
@given(SIZES, st.data())
def test_any_changed_bit_of_a_consistency_proof_is_refused(size: int, data: st.DataObject) -> None:
    items = leaves(size)
    old = data.draw(st.integers(1, size))
    parts = [mth(items[:old]), mth(items), *consistency_proof(old, size, nodes(items))]
    which = data.draw(st.integers(0, len(parts) - 1))
    parts[which] = flipped(parts[which], data.draw(st.integers(0, 255)))
    old_root, new_root, *proof = parts

    with pytest.raises(VerificationError, match="leads to"):
        verify_consistency(old, size, proof, old_root, new_root)


@given(SIZES, st.data())
def test_a_proof_with_a_hash_more_or_less_is_refused(size: int, data: st.DataObject) -> None:
    items = leaves(size)
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, nodes(items))
    place = data.draw(st.integers(0, len(proof)))

    with pytest.raises(VerificationError, match="more hashes than the tree is high"):
        verify_inclusion(items[index], index, size, [*proof[:place], bytes(32), *proof[place:]], mth(items))
    if place < len(proof):
        with pytest.raises(VerificationError, match="fewer hashes than the tree is high"):
            verify_inclusion(items[index], index, size, [*proof[:place], *proof[place + 1 :]], mth(items))


def aligned_subtrees(size: int) -> st.SearchStrategy[tuple[int, int]]:
    """Return subtrees [start, end) of a tree, as draft-ietf-plants-merkle-tree-certs defines them."""

    def subtree(height: int, number: int, length: int) -> tuple[int, int]:
        start = (number << height) % size
        start -= start % (1 << height)
        return start, min(start + max(1, min(length, 1 << height)), size)

    return (
        st.builds(subtree, st.integers(0, 9), st.integers(0, 300), st.integers(1, 512))
        .filter(lambda pair: pair[0] < pair[1])
        .filter(lambda pair: pair[0] % (1 << (pair[1] - pair[0] - 1).bit_length()) == 0)
    )


@given(SIZES, st.data())
def test_a_leaf_of_a_subtree_verifies_against_the_root_of_the_subtree(size: int, data: st.DataObject) -> None:
    items = leaves(size)
    start, end = data.draw(aligned_subtrees(size))
    index = data.draw(st.integers(start, end - 1))
    proof = path(index - start, items[start:end])
    root = mth(items[start:end])

    assert root == verify_subtree_inclusion(items[index], index, start, end, proof, root)


def test_a_range_that_is_no_subtree_is_refused() -> None:
    for start, end in ((1, 3), (2, 5), (3, 5), (4, 9), (6, 9)):
        with pytest.raises(MalformedError, match="is not a subtree"):
            verify_subtree_inclusion(bytes(32), start, start, end, [], bytes(32))
        with pytest.raises(MalformedError, match="is not a subtree"):
            verify_subtree_consistency(start, end, 20, [], bytes(32), bytes(32))


@pytest.mark.parametrize(
    ("start", "end"), [(0, 0), (3, 3), (5, 4), (-1, 1), (-4, -1), (0, MAX_SIZE + 1), (0, 2**64), (0, 2**4000)]
)
def test_a_range_that_cannot_be_is_refused(start: int, end: int) -> None:
    with pytest.raises(MalformedError):
        verify_subtree_inclusion(bytes(32), start, start, end, [], bytes(32))
    with pytest.raises(MalformedError):
        verify_subtree_consistency(start, end, max(end, 1), [], bytes(32), bytes(32))


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 5), (6, 5), (-1, 5), (1, 2**63), (1, -1)])
def test_sizes_that_cannot_be_consistent_are_refused(old: int, new: int) -> None:
    with pytest.raises(MalformedError):
        verify_consistency(old, new, [], bytes(32), bytes(32))


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 5), (6, 5), (-1, 5)])
def test_sizes_that_cannot_be_consistent_have_no_proof(old: int, new: int) -> None:
    with pytest.raises(MalformedError, match="expected 1 <= old <= new"):
        consistency_proof(old, new, nodes(leaves(6)))


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 1), (5, 5), (2**64 - 1, 1)])
def test_an_index_outside_the_tree_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(MalformedError, match="is not in a tree of"):
        inclusion_proof(index, size, nodes([]))
    with pytest.raises(AuzolanError):
        verify_inclusion(bytes(32), index, size, [], bytes(32))


@pytest.mark.parametrize("wrong", [b"", b"x" * 31, b"x" * 33, "x" * 32, None, 7, bytearray(32)])
def test_hashes_of_another_length_or_type_are_refused(wrong: bytes) -> None:
    good = bytes(32)

    for leaf, proof, root in ((wrong, [good], good), (good, [wrong], good), (good, [good], wrong)):
        with pytest.raises(MalformedError, match="is not 32 bytes"):
            verify_inclusion(leaf, 0, 2, proof, root)
        with pytest.raises(MalformedError, match="is not 32 bytes"):
            verify_consistency(1, 2, proof, leaf, root)


def test_the_largest_tree_is_judged_without_walking_it() -> None:
    proof = [bytes(32)] * 63

    with pytest.raises(VerificationError, match="leads to root"):
        verify_inclusion(bytes(32), 0, MAX_SIZE, proof, bytes(32))
    with pytest.raises(VerificationError):
        verify_consistency(MAX_SIZE - 1, MAX_SIZE, proof, bytes(32), bytes(32))


def test_a_node_never_passes_for_a_leaf() -> None:
    """Second preimages: the inner node over two leaves, offered as an entry, has another hash than the node."""
    items = leaves(2)
    inner = items[0] + items[1]

    assert leaf_hash(inner) != node_hash(*items)
    with pytest.raises(VerificationError):
        verify_inclusion(leaf_hash(inner), 0, 1, [], root_of(items))


def test_equal_roots_of_equal_sizes_need_no_proof_and_take_none() -> None:
    root = root_of(leaves(7))

    assert root == verify_consistency(7, 7, [], root, root)
    with pytest.raises(VerificationError, match="more hashes"):
        verify_consistency(7, 7, [bytes(32)], root, root)
    with pytest.raises(VerificationError, match="leads to"):
        verify_consistency(7, 7, [], root, bytes(32))
