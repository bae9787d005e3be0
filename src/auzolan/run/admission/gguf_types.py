"""Tables of the GGUF format: types of values, and types of tensors with the sizes of their blocks.

From https://github.com/ggml-org/ggml/blob/master/docs/gguf.md and ggml's headers; no code.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

TEXT, ARRAY, BOOL = 8, 9, 7
SCALARS: dict[int, struct.Struct] = {
    0: struct.Struct("<B"), 1: struct.Struct("<b"), 2: struct.Struct("<H"), 3: struct.Struct("<h"),
    4: struct.Struct("<I"), 5: struct.Struct("<i"), 6: struct.Struct("<f"), BOOL: struct.Struct("<B"),
    10: struct.Struct("<Q"), 11: struct.Struct("<q"), 12: struct.Struct("<d"),
}  # fmt: skip
UINT32, INT32 = 4, 5
VALUE_NAMES = {
    0: "uint8", 1: "int8", 2: "uint16", 3: "int16", 4: "uint32", 5: "int32", 6: "float32", 7: "bool", 8: "string",
    9: "array", 10: "uint64", 11: "int64", 12: "float64",
}  # fmt: skip


class Block(NamedTuple):
    """A type of tensor: `numbers` of them take `n_bytes`."""

    name: str
    numbers: int
    n_bytes: int


BLOCKS: dict[int, Block] = {
    0: Block("F32", 1, 4), 1: Block("F16", 1, 2), 2: Block("Q4_0", 32, 18), 3: Block("Q4_1", 32, 20),
    6: Block("Q5_0", 32, 22), 7: Block("Q5_1", 32, 24), 8: Block("Q8_0", 32, 34), 9: Block("Q8_1", 32, 40),
    10: Block("Q2_K", 256, 84), 11: Block("Q3_K", 256, 110), 12: Block("Q4_K", 256, 144), 13: Block("Q5_K", 256, 176),
    14: Block("Q6_K", 256, 210), 15: Block("Q8_K", 256, 292), 16: Block("IQ2_XXS", 256, 66),
    17: Block("IQ2_XS", 256, 74), 18: Block("IQ3_XXS", 256, 98), 19: Block("IQ1_S", 256, 50),
    20: Block("IQ4_NL", 32, 18), 21: Block("IQ3_S", 256, 110), 22: Block("IQ2_S", 256, 82),
    23: Block("IQ4_XS", 256, 136), 24: Block("I8", 1, 1), 25: Block("I16", 1, 2), 26: Block("I32", 1, 4),
    27: Block("I64", 1, 8), 28: Block("F64", 1, 8), 29: Block("IQ1_M", 256, 56), 30: Block("BF16", 1, 2),
    34: Block("TQ1_0", 256, 54), 35: Block("TQ2_0", 256, 66), 39: Block("MXFP4", 32, 17), 40: Block("NVFP4", 64, 36),
    41: Block("Q1_0", 128, 18),
}  # fmt: skip
