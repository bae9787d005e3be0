"""The log as static tiles: reading nodes and proofs, growing the right edge.

Follows c2sp.org/tlog-tiles. Pure but for the `Files` it is given.
Not here: signing, and the order of writes that keeps a crash harmless (`ledger`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence

from auzolan.core.record.checkpoint import (
    TILE_HEIGHT,
    TILE_WIDTH,
    TreeHead,
    bundle_bytes,
    bundle_path,
    read_bundle,
    read_tile,
    tile_levels,
    tile_path,
    tile_widths,
)
from auzolan.core.record.errors import MalformedError, MissingError, VerificationError
from auzolan.core.record.files import Files, ReadFiles
from auzolan.core.record.merkle import (
    EMPTY_ROOT,
    HASH_SIZE,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    parent_hashes,
    peak_positions,
)

_MAX_BUNDLE_BYTES = TILE_WIDTH * (2 + 65_535)


class TileReader:
    """A log of `size` leaves, read through its tiles.

    Expanded tiles (all nodes inside them) are kept, least recently used out
    first; a proof from warm tiles costs no hashing but at the right edge.
    Does not check the tiles against a root; whoever uses a proof verifies it.
    """

    def __init__(self, files: ReadFiles, size: int, keep_tiles: int = 256) -> None:
        self.size = size
        self._files = files
        self._keep = keep_tiles
        self._tiles: OrderedDict[tuple[int, int], list[list[bytes]]] = OrderedDict()

    def node(self, height: int, index: int) -> bytes:
        """Return the hash of the complete node at (height, index)."""
        level, inner = divmod(height, TILE_HEIGHT)
        number, offset = divmod(index << inner, TILE_WIDTH)
        rows = self._tile(level, number)
        try:
            return rows[inner][offset >> inner]
        except IndexError:
            raise MalformedError(f"tile: no complete node at height {height}, index {index}") from None

    def _tile(self, level: int, number: int) -> list[list[bytes]]:
        key = (level, number)
        rows = self._tiles.get(key)
        if rows is not None:
            self._tiles.move_to_end(key)
            return rows
        rows = [self.tile(level, number)]
        while len(rows[-1]) > 1:
            rows.append(parent_hashes(rows[-1]))
        self._tiles[key] = rows
        if len(self._tiles) > self._keep:
            self._tiles.popitem(last=False)
        return rows

    def tile(self, level: int, number: int) -> list[bytes]:
        """Return the hashes of one tile, full or as wide as this size makes it."""
        full, partial = tile_widths(self.size, level)
        width = TILE_WIDTH if number < full else partial if number == full else 0
        if not width:
            raise MalformedError(f"tile {level}/{number} is outside a tree of {self.size} leaves")
        path, whole = tile_path(level, number, width), tile_path(level, number)
        return read_tile(*self._read_either(path, whole, width, TILE_WIDTH * HASH_SIZE))[:width]

    def bundle(self, number: int) -> list[bytes]:
        """Return the entries of one bundle, full or as wide as this size makes it."""
        full, partial = tile_widths(self.size, 0)
        width = TILE_WIDTH if number < full else partial if number == full else 0
        if not width:
            raise MalformedError(f"bundle {number} is outside a log of {self.size} entries")
        path, whole = bundle_path(number, width), bundle_path(number)
        return read_bundle(*self._read_either(path, whole, width, _MAX_BUNDLE_BYTES))[:width]

    def _read_either(self, path: str, whole: str, width: int, limit: int) -> tuple[bytes, int, str]:
        """Read a partial tile or, once it is gone, the full one (c2sp.org/tlog-tiles, "Partial Tiles").

        Returns:
            The bytes, how many items they must hold, and the path that was read.
        """
        try:
            return self._files.read(path, limit), width, path
        except MissingError:
            if path == whole:
                raise
        try:
            return self._files.read(whole, limit), TILE_WIDTH, whole
        except MissingError:
            raise MissingError(f"{path}: neither it nor the full tile is here") from None

    def entry(self, index: int) -> bytes:
        """Return one entry."""
        if not 0 <= index < self.size:
            raise MalformedError(f"entry {index} is outside a log of {self.size} entries")
        return self.bundle(index // TILE_WIDTH)[index % TILE_WIDTH]

    def entries(self, start: int = 0) -> Iterator[bytes]:
        """Yield the entries from `start` on."""
        for number in range(start // TILE_WIDTH, -(-self.size // TILE_WIDTH)):
            skip = start - number * TILE_WIDTH
            yield from self.bundle(number)[max(skip, 0) :]

    def root_at(self, size: int) -> bytes:
        """Return the root of the first `size` leaves."""
        if not size:
            return EMPTY_ROOT
        root = b""
        for height, index in reversed(peak_positions(size)):
            peak = self.node(height, index)
            root = node_hash(peak, root) if root else peak
        return root

    def inclusion_proof(self, index: int) -> list[bytes]:
        """Return the audit path of leaf `index`."""
        return inclusion_proof(index, self.size, self.node)

    def consistency_proof(self, old: int) -> list[bytes]:
        """Return the proof that the first `old` leaves are a prefix of this log."""
        return consistency_proof(old, self.size, self.node)


class TileWriter:
    """The growing right edge of a log.

    `append` leaves the writer untouched when writing fails, so that a retry
    starts from the same place.
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        self._frontier = Frontier()
        self._tails: list[list[bytes]] = []
        self._bundle: list[bytes] = []

    @classmethod
    def open(cls, files: Files, head: TreeHead) -> TileWriter:
        """Continue the log at `head`, reading O(log n) tiles.

        Raises:
            VerificationError: the tiles at the right edge do not lead to `head.root`.
        """
        writer = cls(files)
        if not head.size:
            return writer
        reader = TileReader(files, head.size)
        peaks = {height: reader.node(height, index) for height, index in peak_positions(head.size)}
        writer._frontier = Frontier(head.size, peaks)
        for level in range(tile_levels(head.size)):
            full, partial = tile_widths(head.size, level)
            writer._tails.append(reader.tile(level, full) if partial else [])
        full, partial = tile_widths(head.size, 0)
        writer._bundle = reader.bundle(full) if partial else []
        if [leaf_hash(entry) for entry in writer._bundle] != writer._tails[0]:
            raise VerificationError("the last entries do not hash to the last tile; run `auzolan fsck`")
        if writer._frontier.root() != head.root:
            raise VerificationError("the tiles do not lead to the signed root; run `auzolan fsck`")
        return writer

    @property
    def head(self) -> TreeHead:
        """Size and root as they stand."""
        return TreeHead(self._frontier.size, self._frontier.root())

    def append(self, entries: Sequence[bytes]) -> TreeHead:
        """Write tiles and bundles for `entries` durably and return the new, unsigned head."""
        frontier = self._frontier.copy()
        created = frontier.extend([leaf_hash(entry) for entry in entries])
        items: dict[str, bytes] = {}
        size = self._frontier.size
        bundle = self._bundle + list(entries)
        for number, part in _split(bundle, size // TILE_WIDTH):
            items[bundle_path(number, len(part))] = bundle_bytes(part)
        tails = list(self._tails)
        for level, hashes in enumerate(created[::TILE_HEIGHT]):
            if level == len(tails):
                tails.append([])
            row = tails[level] + hashes
            for number, part in _split(row, (size >> (TILE_HEIGHT * level)) // TILE_WIDTH):
                items[tile_path(level, number, len(part))] = b"".join(part)
            tails[level] = row[len(row) - len(row) % TILE_WIDTH :]
        self._files.write_all(items)
        self._frontier, self._tails = frontier, tails
        self._bundle = bundle[len(bundle) - len(bundle) % TILE_WIDTH :]
        return self.head

    def superseded_partials(self, old: int) -> list[str]:
        """Return the folders of partial tiles that became full since size `old`."""
        folders = []
        for level in range(tile_levels(self._frontier.size)):
            before, after = tile_widths(old, level)[0], tile_widths(self._frontier.size, level)[0]
            for number in range(before, after):
                folders.append(tile_path(level, number) + ".p")
                if level == 0:
                    folders.append(bundle_path(number) + ".p")
        return folders


def _split(row: list[bytes], first: int) -> Iterator[tuple[int, list[bytes]]]:
    """Yield (tile number, up to 256 items) over `row`, numbering from `first`."""
    for start in range(0, len(row), TILE_WIDTH):
        yield first + start // TILE_WIDTH, row[start : start + TILE_WIDTH]
