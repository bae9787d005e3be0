"""The Merkle tree of RFC 6962 (section 2.1) / RFC 9162, over SHA-256.

Pure: hashes in, hashes out. What reads and writes tiles is `tilelog`.
A node is addressed by (height, index): it covers the leaves
[index * 2**height, (index + 1) * 2**height).

Proofs about subtrees follow draft-ietf-plants-merkle-tree-certs; an RFC 9162
consistency proof is the case where the subtree starts at 0. A consistency
proof from size 0 is refused here, as it proves nothing; a witness that has
seen nothing yet handles that case itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256

from auzolan.core.record.errors import MalformedError, VerificationError

HASH_SIZE = 32
MAX_SIZE = 2**63 - 1
EMPTY_ROOT = sha256(b"").digest()

# Copying a hash state that already holds the prefix byte is a little cheaper
# than concatenating and hashing (docs/benchmarks.md, "One node hash").
_LEAF_PREFIX = sha256(b"\x00")
_NODE_PREFIX = sha256(b"\x01")

NodeReader = Callable[[int, int], bytes]


def leaf_hash(entry: bytes) -> bytes:
    """Return SHA-256(0x00 || entry)."""
    state = _LEAF_PREFIX.copy()
    state.update(entry)
    return state.digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 || left || right)."""
    state = _NODE_PREFIX.copy()
    state.update(left + right)
    return state.digest()


def parent_hashes(row: Sequence[bytes]) -> list[bytes]:
    """Return the hashes one level above `row`; an odd last one is left out."""
    prefix = _NODE_PREFIX.copy
    parents = []
    for left, right in zip(row[::2], row[1::2], strict=False):
        state = prefix()
        state.update(left + right)
        parents.append(state.digest())
    return parents


class Frontier:
    """The right edge of a growing tree: the roots of its complete subtrees, from left to right.

    There is one per bit that is set in `size`, the largest first (the "compact
    range" from 0 of RFC 6962 logs). Appending costs two hashes per leaf on average;
    memory is O(log n).
    """

    def __init__(self, size: int = 0, peaks: Mapping[int, bytes] | None = None) -> None:
        """Continue a tree of `size` leaves from its complete subtrees' roots by height."""
        self.size = size
        self._peaks = [peak for _, peak in sorted((peaks or {}).items(), reverse=True)]

    def copy(self) -> Frontier:
        """Return an independent copy."""
        twin = Frontier(self.size)
        twin._peaks = list(self._peaks)
        return twin

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        size, peaks, prefix = self.size, self._peaks, _NODE_PREFIX.copy
        self.size = size + 1
        while size & 1:
            state = prefix()
            state.update(peaks.pop() + leaf)
            leaf = state.digest()
            size >>= 1
        peaks.append(leaf)

    def extend(self, leaves: Sequence[bytes]) -> list[list[bytes]]:
        """Add leaf hashes in order, level by level.

        Returns:
            The complete nodes that came into being, a list per height from 0
            (the leaves themselves) upwards.
        """
        created: list[list[bytes]] = []
        lowest_first: list[bytes] = []
        row, size = list(leaves), self.size
        self.size += len(row)
        while row:
            created.append(row)
            if size & 1:
                row = [self._peaks.pop(), *row]
            if len(row) % 2:
                lowest_first.append(row[-1])
            row = parent_hashes(row)
            size >>= 1
        self._peaks += reversed(lowest_first)
        return created

    def root(self) -> bytes:
        """Return the tree's root hash; SHA-256 of nothing for an empty tree."""
        if not self._peaks:
            return EMPTY_ROOT
        peaks = reversed(self._peaks)
        root, prefix = next(peaks), _NODE_PREFIX.copy
        for peak in peaks:
            state = prefix()
            state.update(peak + root)
            root = state.digest()
        return root


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes."""
    frontier = Frontier()
    frontier.extend(leaves)
    return frontier.root()


def peak_positions(size: int) -> list[tuple[int, int]]:
    """Return the (height, index) of each complete subtree of a tree, from left to right."""
    positions, start = [], 0
    for height in range(size.bit_length() - 1, -1, -1):
        if size >> height & 1:
            positions.append((height, start >> height))
            start += 1 << height
    return positions


def inclusion_proof(index: int, size: int, node: NodeReader) -> list[bytes]:
    """Return the audit path of leaf `index` in a tree of `size` leaves (RFC 6962, 2.1.1).

    Args:
        index: 0 <= index < size.
        size: number of leaves, >= 1.
        node: returns the hash of a complete node at (height, index).
    """
    if not 0 <= index < size:
        raise MalformedError(f"inclusion proof: index {index} is not in a tree of {size} leaves")
    proof: list[bytes] = []
    last = size - 1
    # Below the height where the two paths part, every sibling is a complete node ...
    split = (index ^ last).bit_length()
    inner = max(split - 1, 0)
    proof.extend(node(height, (index >> height) ^ 1) for height in range(inner))
    if split:
        # ... at that height it is what stands to the right, complete or not ...
        start = (last >> inner) << inner
        proof.append(_range_root(start, size, node))
    # ... and above it only left siblings count.
    proof.extend(node(h, (index >> h) - 1) for h in range(split, last.bit_length()) if index >> h & 1)
    return proof


def consistency_proof(old: int, new: int, node: NodeReader) -> list[bytes]:
    """Return the proof that a tree of `old` leaves is a prefix of one of `new` (RFC 6962, 2.1.2).

    Args:
        old: 1 <= old <= new.
        new: number of leaves of the larger tree.
        node: as in `inclusion_proof`.
    """
    if not 1 <= old <= new:
        raise MalformedError(f"consistency proof: expected 1 <= old <= new, got {old} and {new}")
    if old == new:
        return []
    proof: list[bytes] = []
    _subproof(old, 0, new, True, node, proof)
    return proof


def _subproof(old: int, start: int, end: int, whole: bool, node: NodeReader, proof: list[bytes]) -> None:
    """SUBPROOF of RFC 6962, 2.1.2, appending the deepest hashes first."""
    if old == end - start:
        if not whole:
            proof.append(_range_root(start, end, node))
        return
    split = 1 << ((end - start - 1).bit_length() - 1)
    if old <= split:
        _subproof(old, start, start + split, whole, node, proof)
        proof.append(_range_root(start + split, end, node))
    else:
        _subproof(old - split, start + split, end, False, node, proof)
        proof.append(_range_root(start, start + split, node))


def _range_root(start: int, end: int, node: NodeReader) -> bytes:
    """Return MTH(D[start:end]) for a range whose start is aligned to its size."""
    root = b""
    position = end
    while position > start:
        height = (position & -position).bit_length() - 1
        while 1 << height > position - start:
            height -= 1
        part = node(height, (position >> height) - 1)
        root = node_hash(part, root) if root else part
        position -= 1 << height
    return root


def _check_proof(proof: Sequence[bytes], what: str) -> None:
    for position, item in enumerate(proof):
        if not isinstance(item, bytes) or len(item) != HASH_SIZE:
            raise MalformedError(f"{what}: hash {position} is not {HASH_SIZE} bytes")


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bytes:
    """Check that `leaf` stands at `index` in the tree of `size` leaves with `root`.

    Follows RFC 9162, 2.1.3.2. Returns the root that was proved.

    Raises:
        MalformedError: sizes or hashes that cannot be.
        VerificationError: the proof does not lead to `root`.
    """
    return verify_subtree_inclusion(leaf, index, 0, size, proof, root)


def verify_subtree_inclusion(
    leaf: bytes, index: int, start: int, end: int, proof: Sequence[bytes], root: bytes
) -> bytes:
    """Check that `leaf` stands at `index` in the subtree over [start, end).

    Follows draft-ietf-plants-merkle-tree-certs, "subtree inclusion proofs".
    Raises as `verify_inclusion`.
    """
    _check_subtree(start, end)
    _check_proof([leaf, root, *proof], "inclusion proof")
    if not start <= index < end:
        raise VerificationError(f"inclusion proof: index {index} is outside [{start}, {end})")
    position, last = index - start, end - start - 1
    digest = leaf
    prefix = _NODE_PREFIX.copy
    for sibling in proof:
        if last == 0:
            raise VerificationError("inclusion proof: more hashes than the tree is high")
        state = prefix()
        if position & 1 or position == last:
            state.update(sibling + digest)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            state.update(digest + sibling)
        digest = state.digest()
        position >>= 1
        last >>= 1
    if last != 0:
        raise VerificationError("inclusion proof: fewer hashes than the tree is high")
    if digest != root:
        raise VerificationError(f"inclusion proof: leads to root {digest.hex()}, expected {root.hex()}")
    return root


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> bytes:
    """Check that the tree with `old_root` is a prefix of the one with `new_root`.

    Follows RFC 9162, 2.1.4.2. Returns `new_root`.

    Raises:
        MalformedError: sizes or hashes that cannot be (old == 0 among them).
        VerificationError: the proof does not lead to both roots.
    """
    return verify_subtree_consistency(0, old, new, proof, old_root, new_root)


def verify_subtree_consistency(
    start: int, end: int, size: int, proof: Sequence[bytes], subtree_root: bytes, root: bytes
) -> bytes:
    """Check that the subtree over [start, end) is part of the tree of `size` leaves.

    Follows draft-ietf-plants-merkle-tree-certs, "subtree consistency proofs".
    Raises as `verify_consistency`.
    """
    _check_subtree(start, end)
    if not isinstance(size, int) or not end <= size <= MAX_SIZE:
        raise MalformedError(f"consistency proof: sizes {end} and {size} are not in order")
    _check_proof([subtree_root, root, *proof], "consistency proof")
    first, second, last = start, end - 1, size - 1
    # A subtree that ends where the tree ends climbs until it is one node; any
    # other climbs while it is a right child, so that its last node is complete.
    while first != second and (second == last or second & 1):
        first, second, last = first >> 1, second >> 1, last >> 1
    if first == second:
        hashes = iter(proof)
        part = whole = subtree_root
    else:
        if not proof:
            raise VerificationError("consistency proof: empty, but the sizes differ")
        hashes = iter(proof[1:])
        part = whole = proof[0]
    for sibling in hashes:
        if last == 0:
            raise VerificationError("consistency proof: more hashes than the tree is high")
        if second & 1 or second == last:
            if first < second:
                part = node_hash(sibling, part)
            whole = node_hash(sibling, whole)
            while not second & 1 and second:
                first, second, last = first >> 1, second >> 1, last >> 1
        else:
            whole = node_hash(whole, sibling)
        first, second, last = first >> 1, second >> 1, last >> 1
    if last != 0:
        raise VerificationError("consistency proof: fewer hashes than the tree is high")
    if part != subtree_root:
        raise VerificationError(f"consistency proof: leads to old root {part.hex()}, expected {subtree_root.hex()}")
    if whole != root:
        raise VerificationError(f"consistency proof: leads to new root {whole.hex()}, expected {root.hex()}")
    return root


def _check_subtree(start: int, end: int) -> None:
    """Refuse ranges that are not subtrees: start must be aligned to the next power of two of the length."""
    if not (isinstance(start, int) and isinstance(end, int)) or not 0 <= start < end <= MAX_SIZE:
        raise MalformedError(f"proof: [{start}, {end}) is not a range of leaves")
    if start % (1 << (end - start - 1).bit_length()):
        raise MalformedError(f"proof: [{start}, {end}) is not a subtree")
