"""A GGUF file is refused for each defect, never with a crash; what `gguf` writes is read as it reads it."""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import pytest

from auzolan.core.record.errors import MalformedError
from auzolan.run.admission.gguf_file import GgufFile, read_gguf
from auzolan.run.admission.gguf_types import BLOCKS
from tests.run.admission.made import (
    ARRAY,
    BOOL,
    I32,
    TEMPLATE,
    TENSORS,
    TEXT,
    U8,
    U32,
    gguf,
    key,
    keys,
    tensor,
    text,
)


def read(data: bytes) -> GgufFile:
    return read_gguf(BytesIO(data), len(data), "file")


def with_keys(*more: bytes) -> bytes:
    return gguf([*keys(), *more])


def with_tensors(*told: bytes, size: int = 324) -> bytes:
    return gguf(tensors=told, size=size)


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("filled_up", [0, 28])
def test_a_sound_file_is_read(version: int, filled_up: int) -> None:
    found = read(gguf(version=version, size=324 + filled_up))

    assert version == found.version
    assert TEMPLATE == found.chat_template
    assert ("llama", "array of string") == (
        found.values["general.architecture"],
        found.spans["tokenizer.ggml.tokens"].type_name,
    )
    assert [("F32", (32, 2), 256), ("Q8_0", (64,), 68)] == [
        (each.type, each.shape, each.end - each.start) for each in found.tensors.values()
    ]


def test_special_tokens_are_control_ones_and_those_of_the_template() -> None:
    assert ("<|user|>", "<|end|>") == read(gguf()).special_tokens


def test_digests_do_not_depend_on_the_order_of_keys() -> None:
    one, other = read(gguf(keys())), read(gguf(reversed(keys())))

    assert (one.tokenizer, one.config) == (other.tokenizer, other.config)


@pytest.mark.parametrize(
    ("changed", "parts"),
    [
        (key("tokenizer.chat_template", TEXT, TEMPLATE + " "), set()),
        (key("tokenizer.ggml.tokens", ARRAY, ["<|user|>", "a", "<|x|>", "c", "<|end|>"], TEXT), {"tokenizer"}),
        (key("tokenizer.ggml.model", TEXT, "llama"), {"tokenizer"}),
        (key("tokenizer.ggml.token_type", ARRAY, [4, 1, 4, 3, 3], I32), {"tokenizer"}),
        (key("llama.block_count", U32, 2), {"config"}),
        (key("llama.block_count", I32, 1), {"config"}),  # the same number, as another type
    ],
)
def test_each_change_shows_in_its_own_digest(changed: bytes, parts: set[str]) -> None:
    name = changed[8 : 8 + struct.unpack("<Q", changed[:8])[0]].decode()
    before, after = read(gguf()), read(gguf(keys(**{name: changed})))

    assert parts == {part for part in ("tokenizer", "config") if getattr(before, part) != getattr(after, part)}
    assert (name == "tokenizer.chat_template") == (before.chat_template != after.chat_template)


def test_a_template_for_tools_is_told_of_and_digested() -> None:
    found = read(with_keys(key("tokenizer.chat_template.tool_use", TEXT, "{{ evil }}")))

    assert ("tokenizer.chat_template.tool_use",) == found.more_templates
    assert read(gguf()).tokenizer != found.tokenizer


HEAD = b"GGUF" + struct.pack("<I", 3)
DEFECTS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "not a GGUF"),
    "another format": (b"ggml" + bytes(40), "not a GGUF"),
    "version 1": (gguf(version=1), "version 1"),
    "version 4": (gguf(version=4), "version 4"),
    "big-endian": (b"GGUF" + struct.pack(">I", 3) + bytes(40), "highest byte first"),
    "count of tensors": (HEAD + struct.pack("<QQ", 2**62, 0), "tensors: a count"),
    "count of keys": (HEAD + struct.pack("<QQ", 0, 2**62), "keys: a count"),
    "length of a key": (HEAD + struct.pack("<QQQ", 0, 1, 2**63), "a key: a length"),
    "length of a text": (HEAD + struct.pack("<QQ", 0, 1) + text("a") + struct.pack("<IQ", TEXT, 2**60), "a text of"),
    "text past the end": (HEAD + struct.pack("<QQ", 0, 1) + text("a") + struct.pack("<IQ", TEXT, 9_000), "ends"),
    "length of a list": (HEAD + struct.pack("<QQ", 0, 1) + text("a") + struct.pack("<IIQ", ARRAY, U8, 2**60),
                         "a list of"),
    "list past the end": (HEAD + struct.pack("<QQ", 0, 1) + text("a") + struct.pack("<IIQ", ARRAY, TEXT, 2**23),
                          "ends"),
    "a list of lists": (with_keys(text("a") + struct.pack("<IIQ", ARRAY, ARRAY, 1) + struct.pack("<IQ", U8, 0)),
                        "list of lists"),
    "unknown type": (with_keys(text("a") + struct.pack("<I", 13)), "unknown type of value 13"),
    "unknown type in a list": (with_keys(text("a") + struct.pack("<IIQ", ARRAY, 99, 0)), "unknown type of value 99"),
    "neither true nor false": (with_keys(key("a", BOOL, 2)), "true or false"),
    "neither true nor false in a list": (with_keys(key("a", ARRAY, [1, 2], BOOL)), "true and false"),
    "key twice": (with_keys(key("general.name", TEXT, "x")), "'general.name' stands twice"),
    "poisoned template behind a clean one": (with_keys(key("tokenizer.chat_template", TEXT, "{{ evil }}")),
                                             "'tokenizer.chat_template' stands twice"),
    "template no text": (gguf(keys(**{"tokenizer.chat_template": key("tokenizer.chat_template", U32, 1)})),
                         "one text"),
    "template a list": (gguf(keys(**{"tokenizer.chat_template": key("tokenizer.chat_template", ARRAY, ["a"], TEXT)})),
                        "one text"),
    "template not UTF-8": (gguf(keys(**{"tokenizer.chat_template": key("tokenizer.chat_template", TEXT, b"\xff")})),
                           "UTF-8"),
    "a Cyrillic letter in a key": (with_keys(key("tokenizer.chаt_template", TEXT, "")), "visible ASCII"),
    "NUL in a key": (with_keys(key("a\0b", TEXT, "")), "visible ASCII"),
    "no key": (with_keys(key("", TEXT, "")), "visible ASCII"),
    "one of several parts": (with_keys(key("split.count", U32, 2)), "several parts"),
    "parts as a list": (with_keys(key("split.count", ARRAY, [1], U32)), "several parts"),
    "alignment 0": (with_keys(key("general.alignment", U32, 0)), "power of 2"),
    "alignment 33": (with_keys(key("general.alignment", U32, 33)), "power of 2"),
    "alignment 2^31": (with_keys(key("general.alignment", U32, 2**31)), "power of 2"),
    "alignment a text": (with_keys(key("general.alignment", TEXT, "32")), "uint32"),
    "tensor twice": (with_tensors(TENSORS[0], tensor("token_embd.weight", (64,), 256, 8)), "stands twice"),
    "tensor without a name": (with_tensors(tensor("", (81,), 0)), "visible ASCII"),
    "tensor's name too long": (with_tensors(tensor("a" * 64, (81,), 0)), "a length of 64"),
    "no dimensions": (with_tensors(tensor("a", (), 0)), "0 dimensions"),
    "five dimensions": (with_tensors(tensor("a", (1,) * 5, 0)), "5 dimensions"),
    "size 0": (with_tensors(tensor("a", (0, 4), 0)), "cannot be"),
    "sizes that overflow": (with_tensors(tensor("a", (2**62, 4), 0)), "cannot be"),
    "not whole blocks": (with_tensors(tensor("a", (33,), 0, 8)), "cannot be Q8_0"),
    "type taken out of the format": (with_tensors(tensor("a", (32,), 0, 4)), "unknown type 4"),
    "a hole": (with_tensors(tensor("a", (8,), 32)), "a hole or overlap"),
    "an overlap": (with_tensors(TENSORS[0], tensor("b", (64,), 224, 8)), "a hole or overlap"),
    "offset past the end": (with_tensors(tensor("a", (8,), 2**63)), "a hole or overlap"),
    "truncated in the data": (gguf()[:-1], "tensors end at"),
    "truncated in the header": (gguf()[:100], "ends"),
    "bytes left over": (gguf(size=324 + 32), "tensors end at"),
    "more kinds than tokens": (gguf(keys(**{"tokenizer.ggml.token_type": key("tokenizer.ggml.token_type", ARRAY,
                               [1], I32)})), "as many"),
    "tokens no texts": (gguf(keys(**{"tokenizer.ggml.tokens": key("tokenizer.ggml.tokens", ARRAY, [1] * 5, U8)})),
                        "as many"),
    "tokens one number": (gguf(keys(**{"tokenizer.ggml.tokens": key("tokenizer.ggml.tokens", U32, 5)})), "as many"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "why"), DEFECTS.values(), ids=DEFECTS)
def test_a_defect_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(MalformedError, match=why):
        read(data)


@pytest.mark.parametrize("seed", range(8))
def test_mutated_files_are_refused_in_words_or_read(seed: int) -> None:
    chance, sound, n_read = Random(seed), gguf(), 0
    for _ in range(400):
        raw = bytearray(sound)
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(len(raw))
            way = chance.randrange(5)
            if way == 0:
                raw[at] = chance.choice((0, 1, 8, 9, 127, 128, 255))
            elif way == 1:  # a length or count
                raw[at : at + 8] = struct.pack("<Q", chance.choice((0, 1, 2**31, 2**32 - 1, 2**62, 2**64 - 1)))
            elif way == 2:
                del raw[at : at + chance.randrange(1, 40)]
            elif way == 3:
                raw[at:at] = raw[at : at + chance.randrange(1, 40)]
            else:
                del raw[max(at, 1) :]
        try:
            read(bytes(raw))
        except MalformedError:
            continue
        n_read += 1

    assert 0 < n_read < 400


def test_every_truncation_of_the_header_is_refused() -> None:
    sound = gguf()

    for length in range(len(sound)):
        with pytest.raises(MalformedError):
            read(sound[:length])


def test_many_tokens_are_read_across_windows() -> None:
    tokens = [f"token {number} " + "x" * (number % 50) for number in range(60_000)] + ["<|end|>", "y" * 3_000_000]
    kinds = [1] * 60_000 + [3, 1]
    changes: dict[str, bytes | None] = {
        "tokenizer.ggml.tokens": key("tokenizer.ggml.tokens", ARRAY, tokens, TEXT),
        "tokenizer.ggml.token_type": key("tokenizer.ggml.token_type", ARRAY, kinds, I32),
    }

    assert ("<|end|>",) == read(gguf(keys(**changes))).special_tokens


def written(gguf_package: Any, path: Path) -> None:
    import numpy as np

    writer = gguf_package.GGUFWriter(path, "llama")
    writer.add_block_count(1)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(["<|user|>", "a", "<|end|>"])
    writer.add_token_types([4, 1, 3])
    writer.add_add_bos_token(True)
    writer.add_chat_template(TEMPLATE)
    writer.add_rope_freq_base(10_000.0)
    writer.add_tensor("a.weight", np.zeros((3, 32), dtype=np.float16))
    writer.add_tensor("b.weight", np.zeros(5, dtype=np.float32))
    packed = gguf_package.quants.quantize(np.ones((2, 64), np.float32), gguf_package.GGMLQuantizationType.Q8_0)
    writer.add_tensor("c.weight", packed, raw_dtype=gguf_package.GGMLQuantizationType.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_what_the_gguf_package_writes_is_read_as_it_reads_it(tmp_path: Path) -> None:
    package = pytest.importorskip("gguf", reason="NOT CHECKED: gguf is not installed")
    path = tmp_path / "model.gguf"
    written(package, path)
    found, theirs = read(path.read_bytes()), package.GGUFReader(path)

    assert TEMPLATE == found.chat_template
    assert {each.name: (each.data_offset, each.n_bytes, each.tensor_type.name) for each in theirs.tensors} == {
        name: (each.start, each.end - each.start, each.type) for name, each in found.tensors.items()
    }
    assert {name for name in theirs.fields if not name.startswith("GGUF.")} == set(found.spans)
    assert theirs.fields["llama.rope.freq_base"].contents() == found.values["llama.rope.freq_base"]


def test_what_passes_the_gguf_package_reads_as_well(tmp_path: Path) -> None:
    package = pytest.importorskip("gguf", reason="NOT CHECKED: gguf is not installed")
    chance, sound, path = Random(0), gguf(), tmp_path / "model.gguf"
    for _ in range(600):
        raw = bytearray(sound)
        raw[chance.randrange(len(raw) - 324)] = chance.choice((0, 1, 2, 8, 32, 97, 127))
        try:
            found = read(bytes(raw))
        except MalformedError:
            continue
        path.write_bytes(raw)
        theirs = package.GGUFReader(path)

        assert set(found.spans) == {name for name in theirs.fields if not name.startswith("GGUF.")}
        assert [each.name for each in theirs.tensors] == list(found.tensors)


def test_sizes_of_blocks_are_those_of_the_gguf_package() -> None:
    package = pytest.importorskip("gguf", reason="NOT CHECKED: gguf is not installed")
    theirs = {int(kind): (kind.name, *sizes) for kind, sizes in package.constants.GGML_QUANT_SIZES.items()}

    assert theirs == {kind: tuple(block) for kind, block in BLOCKS.items()}
