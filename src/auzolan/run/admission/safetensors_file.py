"""A strict look at a safetensors file: its header alone, whatever the size of the tensors.

A file is eight bytes (length of the header), a JSON header and the tensors side
by side (https://github.com/huggingface/safetensors, "Format"). Stricter than
the format: no key twice, no names that could be a path, no entry with other
fields. Whatever passes here, the format's own library reads as well.

Checks: length of the header, JSON, dtypes, shapes, places without holes or
overlaps from the header's end to the file's. Does not check: the numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import BinaryIO

from auzolan.core.record.errors import MalformedError
from auzolan.run.admission.strict_json import read_object

MAX_HEADER = 100_000_000  # as upstream
MAX_TENSORS = 200_000
MAX_DIMENSIONS = 16
MAX_NAME = 512
_LENGTH = 8
_METADATA = "__metadata__"
_FIELDS = {"dtype", "shape", "data_offsets"}
_PICKLES = (b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
_BITS = {
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "C64": 64, "F64": 64, "I64": 64,
    "U64": 64,
}  # fmt: skip


@dataclass(frozen=True)
class Tensor:
    """What a tensor is, and its first byte and the one after its last, counted from the file's start."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True)
class SafetensorsFile:
    """What a file's header says.

    Attributes:
        tensors: by name.
        metadata: free texts of whoever wrote it.
    """

    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, str]


def read_safetensors(stream: BinaryIO, size: int, what: str) -> SafetensorsFile:
    """Read a file's header and check it against the file's size.

    Args:
        stream: the file, from its start.
        size: of the file, in bytes.
        what: how to call it in errors.

    Raises:
        MalformedError: not a file of this format, or not a sound one.
    """
    header = _read_header(stream, size, what)
    # So many braces and commas no sound header has; what JSON takes in memory is bounded before it is read.
    if header.count(b"{") > MAX_TENSORS + 2 or header.count(b",") > MAX_TENSORS * 8:
        raise MalformedError(f"{what}: its header says more than {MAX_TENSORS:,} tensors could")
    entries = read_object(header, f"{what}, header", MAX_HEADER)
    notes = entries.pop(_METADATA, {})
    if not isinstance(notes, dict) or not all(isinstance(note, str) for note in notes.values()):
        raise MalformedError(f"{what}: expected texts in the header's {_METADATA}")
    first = _LENGTH + len(header)
    tensors = {_name(name, what): _tensor(entry, first, f"{what}, {name[:100]!r}") for name, entry in entries.items()}
    _check_places(tensors, first, size, what)
    return SafetensorsFile(tensors, notes)


def _read_header(stream: BinaryIO, size: int, what: str) -> bytes:
    start = stream.read(_LENGTH + 1)
    # A header of 640 bytes also starts as a pickle does, so the brace tells them apart.
    if start[_LENGTH:] != b"{":
        if start[:2] in _PICKLES:
            raise MalformedError(f"{what}: expected safetensors, got a pickle, which can run code when it is loaded")
        raise MalformedError(f"{what}: not safetensors: no header")
    length = int.from_bytes(start[:_LENGTH], "little")
    if length > min(MAX_HEADER, size - _LENGTH):
        raise MalformedError(f"{what}: a header of {length:,} bytes in a file of {size:,}, at most {MAX_HEADER:,}")
    header = start[_LENGTH:] + stream.read(max(length - 1, 0))
    if len(header) != length:
        raise MalformedError(f"{what}: the file ends within its header")
    return header


def _name(name: str, what: str) -> str:
    if not 0 < len(name) <= MAX_NAME or not name.isprintable() or "/" in name or "\\" in name or ".." in name:
        raise MalformedError(f"{what}: {name[:60]!r} cannot be the name of a tensor")
    return name


def _tensor(entry: object, first: int, what: str) -> Tensor:
    if not isinstance(entry, dict) or set(entry) != _FIELDS:
        raise MalformedError(f"{what}: expected dtype, shape and data_offsets")
    dtype, shape, offsets = entry["dtype"], _sizes(entry["shape"]), _sizes(entry["data_offsets"])
    if not isinstance(dtype, str) or dtype not in _BITS:
        raise MalformedError(f"{what}: unknown dtype {str(dtype)[:20]!r}")
    if shape is None or offsets is None or len(offsets) != 2:
        raise MalformedError(f"{what}: expected up to {MAX_DIMENSIONS} sizes and two offsets, whole numbers from 0")
    start, end = offsets
    if (end - start) * 8 != prod(shape) * _BITS[dtype]:
        raise MalformedError(f"{what}: offsets {start:,} to {end:,} are not {dtype} of shape {list(shape)}")
    return Tensor(dtype, shape, first + start, first + end)


def _sizes(value: object) -> tuple[int, ...] | None:
    """Return whole numbers below 2^53, if these are some."""
    if not isinstance(value, list) or len(value) > MAX_DIMENSIONS:
        return None
    sizes = tuple(each for each in value if type(each) is int and 0 <= each < 2**53)  # True is an int as well
    return sizes if len(sizes) == len(value) else None


def _check_places(tensors: Mapping[str, Tensor], first: int, size: int, what: str) -> None:
    """Refuse holes, overlaps and bytes left over."""
    reached = first
    for name, tensor in sorted(tensors.items(), key=lambda each: (each[1].start, each[1].end)):
        if tensor.start != reached:
            kind = "a hole before" if tensor.start > reached else "an overlap at"
            raise MalformedError(f"{what}: {kind} tensor {name[:100]!r}")
        reached = tensor.end
    if reached != size:
        raise MalformedError(f"{what}: the tensors end at byte {reached:,}, the file at {size:,}")
