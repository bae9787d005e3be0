"""The safetensors format: named arrays in one file that cannot run code. Bytes in, arrays out, no torch.

A file is eight bytes (length of the header), a JSON header (dtype, shape and
place of each tensor) and the tensors side by side
(https://github.com/huggingface/safetensors, "Format"). The reader here is
stricter than the format: no gaps, no overlaps, no bytes left over, no key
twice. The same arrays always give the same bytes.

Checks: sizes, places, dtypes, shapes. Does not check: what the numbers mean;
`check_finite` is for callers who need them finite.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray

from auzolan.core.record.canonical import read_json
from auzolan.core.record.errors import MalformedError, UsageError

Array: TypeAlias = NDArray[Any]

MAX_HEADER = 16 * 1024 * 1024
_LENGTH = 8
_PICKLES = (b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
_BF16 = "BF16"  # numpy has none: two bytes that are the upper half of an fp32
# In the order in which the format's own library writes them.
_DTYPES: dict[str, np.dtype[Any]] = {
    "U64": np.dtype("<u8"), "I64": np.dtype("<i8"), "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"), "U32": np.dtype("<u4"), "I32": np.dtype("<i4"),
    _BF16: np.dtype("<u2"), "F16": np.dtype("<f2"), "U16": np.dtype("<u2"), "I16": np.dtype("<i2"),
    "I8": np.dtype("i1"), "U8": np.dtype("u1"), "BOOL": np.dtype("?"),
}  # fmt: skip
_NAMES = {dtype: name for name, dtype in _DTYPES.items() if name != _BF16}


@dataclass(frozen=True)
class Place:
    """Where a tensor is in the file, and what it is; `start` and `end` count from the file's first byte."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


def to_safetensors(arrays: Mapping[str, Array]) -> bytes:
    """Return the file of some arrays: by dtype, then by name, as the format's own library orders them.

    Raises:
        UsageError: an array of a dtype that the format does not have.
    """
    for name, array in arrays.items():
        if array.dtype.newbyteorder("<") not in _NAMES:
            raise UsageError(f"tensor {name!r}: safetensors has no {array.dtype}")
    little = {name: array.astype(array.dtype.newbyteorder("<"), copy=False) for name, array in arrays.items()}
    rank = {name: number for number, name in enumerate(_DTYPES)}
    order = sorted(little, key=lambda name: (rank[_NAMES[little[name].dtype]], name))
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}  # what transformers asks for
    data, end = [], 0
    for name in order:
        array = little[name]
        start, end = end, end + array.nbytes
        header[name] = {"dtype": _NAMES[array.dtype], "shape": list(array.shape), "data_offsets": [start, end]}
        data.append(array.tobytes())
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % _LENGTH)
    return b"".join([len(text).to_bytes(_LENGTH, "little"), text, *data])


def read_places(data: bytes | memoryview, what: str) -> dict[str, Place]:
    """Return where each tensor of a safetensors file is, by name.

    Args:
        data: the whole file, or a view of it that need not be in memory.
        what: how to call it in errors.

    Raises:
        MalformedError: not a file of this format, or one with gaps, overlaps, bytes left over or unknown dtypes.
    """
    # A header of 640 bytes also starts as a pickle does, so the brace tells them apart.
    if bytes(data[_LENGTH : _LENGTH + 1]) != b"{" and bytes(data[:2]) in _PICKLES:
        raise MalformedError(f"{what}: expected safetensors, got a pickle, which can run code when it is loaded")
    length = int.from_bytes(bytes(data[:_LENGTH]), "little")
    if len(data) < _LENGTH or length > min(MAX_HEADER, len(data) - _LENGTH):
        raise MalformedError(f"{what}: not safetensors: a header of {length:,} bytes in a file of {len(data):,}")
    header = read_json(bytes(data[_LENGTH : _LENGTH + length]), f"{what}, header")
    if not isinstance(header, dict):
        raise MalformedError(f"{what}: expected a header that is an object")
    notes = header.pop("__metadata__", {})
    if not isinstance(notes, dict) or not all(isinstance(note, str) for note in notes.values()):
        raise MalformedError(f"{what}: expected texts in the header's __metadata__")
    first = _LENGTH + length
    places = {name: _place(entry, first, f"{what}, tensor {name[:100]!r}") for name, entry in header.items()}
    reached = first
    for name, place in sorted(places.items(), key=lambda each: (each[1].start, each[1].end)):
        if place.start != reached:
            kind = "a gap before" if place.start > reached else "an overlap at"
            raise MalformedError(f"{what}: {kind} tensor {name[:100]!r}")
        reached = place.end
    if reached != len(data):
        raise MalformedError(f"{what}: the tensors end at byte {reached:,}, the file at {len(data):,}")
    return places


def _place(entry: object, first: int, what: str) -> Place:
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise MalformedError(f"{what}: expected dtype, shape and data_offsets")
    dtype, shape, offsets = entry["dtype"], _sizes(entry["shape"]), _sizes(entry["data_offsets"])
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        raise MalformedError(f"{what}: unknown dtype {str(dtype)[:20]!r}")
    if shape is None or offsets is None or len(offsets) != 2:
        raise MalformedError(f"{what}: expected sizes and two offsets, all whole numbers from 0")
    start, end = offsets
    if end - start != prod(shape) * _DTYPES[dtype].itemsize:
        raise MalformedError(f"{what}: {end - start:,} bytes for {dtype} of shape {list(shape)[:8]}")
    return Place(dtype, shape, first + start, first + end)


def _sizes(value: object) -> tuple[int, ...] | None:
    if not isinstance(value, list) or not all(type(each) is int and each >= 0 for each in value):
        return None
    return tuple(value)


def read_array(data: bytes | memoryview, place: Place) -> Array:
    """Return one tensor; bf16 becomes fp32, which holds every value of it."""
    flat: Array = np.frombuffer(data[place.start : place.end], dtype=_DTYPES[place.dtype])
    if place.dtype == _BF16:
        flat = (flat.astype(np.uint32) << 16).view(np.float32)
    return flat.reshape(place.shape)


def check_finite(array: Array, what: str) -> None:
    """Raise MalformedError unless every value is a finite floating-point number."""
    if array.dtype.kind != "f":
        raise MalformedError(f"{what}: expected floating-point numbers, got {array.dtype}")
    if not np.isfinite(array).all():
        raise MalformedError(f"{what}: holds a value that is not finite")


def read_settings(data: bytes, what: str) -> dict[str, Any]:
    """Return the JSON object of a model's or adapter's settings: floats allowed, NaN and keys that come twice not.

    Raises:
        MalformedError: anything else.
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise MalformedError(f"{what}: a key comes twice")
        return found

    def number(text: str) -> NoReturn:
        raise MalformedError(f"{what}: {text} is no number")

    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=once, parse_constant=number)
    except (ValueError, RecursionError):
        raise MalformedError(f"{what}: expected JSON in UTF-8") from None
    if not isinstance(value, dict):
        raise MalformedError(f"{what}: expected a JSON object")
    return value


def to_settings(value: Mapping[str, object]) -> bytes:
    """Return the bytes of settings: sorted keys, one per line."""
    return (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()
