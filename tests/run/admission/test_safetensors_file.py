"""A safetensors file is refused for each defect, and whatever passes, the format's own library reads."""

from __future__ import annotations

import json
import struct
from contextlib import suppress
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auzolan.core.record.errors import MalformedError
from auzolan.run.admission.safetensors_file import SafetensorsFile, read_safetensors
from tests.run.admission.made import safetensors, with_header

SOUND = safetensors({"a": (2, 3), "b": (4,)})


def read(data: bytes) -> SafetensorsFile:
    return read_safetensors(BytesIO(data), len(data), "file")


def entry(dtype: str = "F32", shape: object = (1,), offsets: object = (0, 4), **more: object) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets, **more}


def one(**changes: Any) -> bytes:
    return with_header(json.dumps({"a": entry(**changes)}), bytes(4))


def test_a_sound_file_is_read() -> None:
    found = read(SOUND)

    assert {"a": (2, 3), "b": (4,)} == {name: each.shape for name, each in found.tensors.items()}
    assert {"format": "pt"} == found.metadata
    assert len(SOUND) == found.tensors["b"].end


def test_no_tensor_is_read() -> None:
    class Counting(BytesIO):
        n_read = 0

        def read(self, size: int | None = -1) -> bytes:
            data = super().read(size)
            self.n_read += len(data)
            return data

    data = safetensors({"a": (1_000, 1_000)})
    stream = Counting(data)
    read_safetensors(stream, len(data), "file")

    assert len(data) - 4_000_000 == stream.n_read


DEFECTS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "no header"),
    "a pickle": (b"\x80\x04\x95" + bytes(40), "pickle"),
    "a zip": (b"PK\x03\x04" + bytes(40), "pickle"),
    "header longer than the file": (struct.pack("<Q", 2**40) + b"{}", "header of"),
    "header bomb": (struct.pack("<Q", 2**63) + b"{" * 100, "header of"),
    "truncated in the header": (SOUND[:30], "header of"),
    "truncated in the data": (SOUND[:-1], "end at byte"),
    "bytes left over": (SOUND + b"\0", "end at byte"),
    "not JSON": (with_header("{nothing", b""), "JSON"),
    "not UTF-8": (struct.pack("<Q", 4) + b'{"\xff}', "JSON"),
    "nested without end": (with_header('{"a":' + "[" * 100_000, b""), "JSON"),
    "no object": (with_header("[]", b""), "no header"),
    "tensor twice": (with_header('{"a":%s,"a":%s}' % ((json.dumps(entry()),) * 2), bytes(4)), "twice"),
    "field twice": (with_header('{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}', bytes(4)),
                    "twice"),
    "unknown dtype": (one(dtype="O64"), "dtype"),
    "dtype a list": (one(dtype=[]), "dtype"),
    "one field more": (one(path="/etc"), "expected dtype"),
    "a field less": (with_header('{"a":{"dtype":"F32","shape":[1]}}', bytes(4)), "expected dtype"),
    "negative size": (one(shape=[-1]), "sizes"),
    "size true": (one(shape=[True]), "sizes"),
    "size a fraction": (one(shape=[1.0]), "sizes"),
    "size too large": (one(shape=[2**63, 0]), "sizes"),
    "too many dimensions": (one(shape=[1] * 17), "sizes"),
    "three offsets": (one(offsets=[0, 4, 4]), "sizes"),
    "size is not the product": (one(shape=[2]), "are not F32"),
    "end before start": (one(offsets=[4, 0]), "are not F32"),
    "half a byte": (one(dtype="F4", shape=[1], offsets=[0, 0]), "are not F4"),
    "a hole": (with_header(json.dumps({"a": entry(offsets=[4, 8])}), bytes(8)), "a hole"),
    "an overlap": (with_header(json.dumps({"a": entry(), "b": entry()}), bytes(4)), "an overlap"),
    "a path as name": (with_header(json.dumps({"../a": entry()}), bytes(4)), "name"),
    "control character in a name": (with_header(json.dumps({"a\0": entry()}), bytes(4)), "name"),
    "no name": (with_header(json.dumps({"": entry()}), bytes(4)), "name"),
    "a right-to-left mark in a name": (with_header(json.dumps({"a\u202eb": entry()}), bytes(4)), "name"),
    "metadata no texts": (with_header(json.dumps({"__metadata__": {"a": 1}}), b""), "texts"),
    "more braces than tensors could have": (with_header('{"a":"' + "{" * 300_000 + '"}', b""), "could"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "why"), DEFECTS.values(), ids=DEFECTS)
def test_a_defect_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(MalformedError, match=why):
        read(data)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_mutated_bytes_are_refused_in_words_or_read(data: st.DataObject) -> None:
    raw = bytearray(SOUND)
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.sampled_from(b'\0\x01{}[]",:09-e\x7f\xff'))
    with suppress(MalformedError):
        read(bytes(raw))


@pytest.mark.parametrize("seed", range(20))
def test_what_passes_the_library_reads_as_well(seed: int) -> None:
    library = pytest.importorskip("safetensors", reason="NOT CHECKED: safetensors is not installed")
    from random import Random

    chance = Random(seed)
    for _ in range(200):
        raw = bytearray(SOUND)
        for _ in range(chance.randrange(3)):
            raw[chance.randrange(8, len(raw))] = chance.choice(b'{}[]",:0123456789 abUIF')
        try:
            found = read(bytes(raw))
        except MalformedError:
            continue
        theirs = dict(library.deserialize(bytes(raw)))

        assert {name: list(each.shape) for name, each in found.tensors.items()} == {
            name: each["shape"] for name, each in theirs.items()
        }


@pytest.mark.parametrize("name", [name for name in DEFECTS if name not in {
    # Upstream reads these; here they are refused all the same.
    "tensor twice", "one field more", "size too large", "too many dimensions", "a path as name", "field twice",
    "control character in a name", "no name", "a right-to-left mark in a name", "size is not the product",
}])  # fmt: skip
def test_the_library_refuses_these_as_well(name: str) -> None:
    library = pytest.importorskip("safetensors", reason="NOT CHECKED: safetensors is not installed")

    with pytest.raises(library.SafetensorError):
        library.deserialize(DEFECTS[name][0])
