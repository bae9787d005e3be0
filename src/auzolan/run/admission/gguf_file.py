"""A strict look at a GGUF file, version 2 or 3: its header alone, bounded in all it reads.

Spec: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Stricter, since
readers differ where a file is odd, and one could check what another does not
load: no key or tensor twice (of two chat templates one reader takes the first
and another the last), no file in parts (an engine loads the others unasked),
tensors side by side in their order, nothing after them.

Checks: counts, lengths, types, alignment, every tensor's place and size.
Does not check: the numbers, and what a template does.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from math import prod
from typing import BinaryIO, NamedTuple, TypeAlias

from auzolan.core.kinds.dataset import digest_of_files
from auzolan.core.record.errors import MalformedError
from auzolan.run.admission.chat_template import is_marker
from auzolan.run.admission.gguf_bytes import HeaderBytes
from auzolan.run.admission.gguf_types import ARRAY, BLOCKS, BOOL, INT32, SCALARS, TEXT, UINT32, VALUE_NAMES

MAX_KEYS, MAX_TENSORS = 10_000, 100_000
MAX_KEY, MAX_TENSOR_NAME, MAX_DIMENSIONS = 256, 63, 4  # the last two as in ggml
MAX_TEXT = 128 * 1024 * 1024  # some hold a whole tokenizer.json
MAX_KEPT_TEXT = 4 * 1024 * 1024  # of a chat template
MAX_ITEMS = 2**24
MAX_TOKENS = 2**21
MAX_ALIGNMENT = 65_536
MAX_BYTES = 2**53
ALIGNMENT, TYPE, ARCHITECTURE = "general.alignment", "general.type", "general.architecture"
TOKENIZER, TEMPLATE, PARTS = "tokenizer.", "tokenizer.chat_template", "split.count"
TOKENS, KINDS = "tokenizer.ggml.tokens", "tokenizer.ggml.token_type"
_CONTROL, _USER_DEFINED = 3, 4
_SHORT = 4_096
_CHUNK = 1024 * 1024
_U32, _U64 = SCALARS[UINT32], struct.Struct("<Q")

Scalar: TypeAlias = "str | int | float | bool"


class Span(NamedTuple):
    """The value of a key: its type, that of its items if it is an array, how many, and its bytes in the file."""

    type: int
    item_type: int
    n_items: int
    start: int
    end: int

    @property
    def type_name(self) -> str:
        """Its type in words, such as "uint32" or "array of string"."""
        return f"array of {VALUE_NAMES[self.item_type]}" if self.type == ARRAY else VALUE_NAMES[self.type]


@dataclass(frozen=True)
class GgufTensor:
    """A tensor's type and shape as ggml orders it, its first byte in the file and the one after its last."""

    type: str
    shape: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True)
class GgufFile:
    """What a file's header says.

    Attributes:
        version: of the format.
        values: of keys with one number or short text.
        spans: of every key, where its value is.
        tensors: by name.
        chat_template: the text, None where there is none.
        more_templates: keys of further ones, such as the one that an engine takes when tools are offered.
        special_tokens: those that mark roles and turns, as texts.
        tokenizer: one digest of all `tokenizer.` keys but the chat template.
        config: one digest of all other keys.
    """

    version: int
    values: Mapping[str, Scalar]
    spans: Mapping[str, Span]
    tensors: Mapping[str, GgufTensor]
    chat_template: str | None
    more_templates: tuple[str, ...]
    special_tokens: tuple[str, ...]
    tokenizer: str
    config: str


def read_gguf(stream: BinaryIO, size: int, what: str) -> GgufFile:
    """Read a file's header and check it against the file's size.

    Args:
        stream: the file, from its start; it must be able to go back.
        size: of the file, in bytes.
        what: how to call it in errors.

    Raises:
        MalformedError: not a file of this format, or not a sound one.
    """
    reader = HeaderBytes(stream, size, what)
    version, n_tensors, n_keys = _read_start(reader)
    values: dict[str, Scalar] = {}
    spans: dict[str, Span] = {}
    for _ in range(n_keys):
        key = _read_name(reader, MAX_KEY, "a key")
        if key in spans:
            raise reader.refuse(f"key {key!r} stands twice")
        spans[key] = _read_value(reader, key, values)
    if TEMPLATE in spans and not isinstance(values.get(TEMPLATE), str):
        raise MalformedError(f"{what}: expected {TEMPLATE} to be one text, got {spans[TEMPLATE].type_name}")
    if values.get(PARTS, 1) != 1 or (PARTS in spans and PARTS not in values):
        raise MalformedError(f"{what}: is one of several parts; put them together in one file first")
    tensors = _read_tensors(reader, n_tensors, _alignment(values, spans, what), size)
    template = values.pop(TEMPLATE, None)
    text = template if isinstance(template, str) else None
    ours = {key: span for key, span in spans.items() if key.startswith(TOKENIZER) and key != TEMPLATE}
    others = {key: span for key, span in spans.items() if not key.startswith(TOKENIZER)}
    return GgufFile(
        version=version,
        values=values,
        spans=spans,
        tensors=tensors,
        chat_template=text,
        more_templates=tuple(sorted(key for key in ours if key.startswith(TEMPLATE))),
        special_tokens=_special_tokens(stream, spans, text or "", what),
        tokenizer=_digest(stream, ours),
        config=_digest(stream, others),
    )


def _read_start(reader: HeaderBytes) -> tuple[int, int, int]:
    """Return the version, and how many tensors and keys there are."""
    if reader.size < 4 or reader.take(4) != b"GGUF":
        raise MalformedError(f"{reader.what}: not a GGUF file")
    version = reader.whole(_U32)
    if version & 0xFFFF == 0:
        raise reader.refuse("numbers with their highest byte first; only the usual order is read")
    if version not in (2, 3):
        raise reader.refuse(f"version {version} of GGUF, 2 and 3 are read")
    return version, reader.length(MAX_TENSORS, "tensors: a count"), reader.length(MAX_KEYS, "keys: a count")


def _read_name(reader: HeaderBytes, most: int, of: str) -> str:
    """Return a name: of visible ASCII characters, so that two that look the same are the same."""
    raw = reader.take(reader.length(most, f"{of}: a length"))
    if not raw or not raw.isascii() or not raw.decode("ascii").isprintable() or b" " in raw:
        raise reader.refuse(f"expected {of} of visible ASCII characters, got {raw[:40]!r}")
    return raw.decode("ascii")


def _read_value(reader: HeaderBytes, key: str, values: dict[str, Scalar]) -> Span:
    """Pass over a value, and keep it if it is small or the chat template."""
    kind = reader.whole(_U32)
    if kind == ARRAY:
        return _read_array(reader, key)
    start = reader.position
    if kind == TEXT:
        length = reader.length(MAX_KEPT_TEXT if key == TEMPLATE else MAX_TEXT, f"{key}: a text")
        if length <= _SHORT or key == TEMPLATE:
            values[key] = _text(reader.take(length), f"{reader.what}: {key}")
        else:
            reader.skip(length)
        return Span(kind, kind, length, start, reader.position)
    if kind not in SCALARS:
        raise reader.refuse(f"{key}: unknown type of value {kind}")
    value = reader.number(SCALARS[kind])
    if kind == BOOL and value not in (0, 1):
        raise reader.refuse(f"{key}: expected true or false, got {value}")
    values[key] = bool(value) if kind == BOOL else value
    return Span(kind, kind, 1, start, reader.position)


def _read_array(reader: HeaderBytes, key: str) -> Span:
    start = reader.position
    kind, count = reader.whole(_U32), reader.length(MAX_ITEMS, f"{key}: a list")
    if kind == TEXT:
        reader.skip_texts(count, MAX_TEXT)
    elif kind == BOOL:
        for done in range(0, count, _CHUNK):
            if reader.take(min(_CHUNK, count - done)).strip(b"\0\1"):
                raise reader.refuse(f"{key}: expected true and false only")
    elif kind in SCALARS:
        reader.skip(count * SCALARS[kind].size)
    else:
        why = "a list of lists, which no engine reads" if kind == ARRAY else f"unknown type of value {kind}"
        raise reader.refuse(f"{key}: {why}")
    return Span(ARRAY, kind, count, start, reader.position)


def _alignment(values: Mapping[str, Scalar], spans: Mapping[str, Span], what: str) -> int:
    value = values.get(ALIGNMENT, 32)
    if ALIGNMENT in spans and spans[ALIGNMENT].type != UINT32:
        raise MalformedError(f"{what}: expected {ALIGNMENT} to be uint32, got {spans[ALIGNMENT].type_name}")
    alignment = int(value)
    if not 8 <= alignment <= MAX_ALIGNMENT or alignment & (alignment - 1):
        raise MalformedError(f"{what}: expected {ALIGNMENT} to be a power of 2 from 8 to {MAX_ALIGNMENT:,}")
    return alignment


def _read_tensors(reader: HeaderBytes, count: int, alignment: int, size: int) -> dict[str, GgufTensor]:
    found: dict[str, GgufTensor] = {}
    reached = 0
    for _ in range(count):
        name = _read_name(reader, MAX_TENSOR_NAME, "a tensor's name")
        if name in found:
            raise reader.refuse(f"tensor {name!r} stands twice")
        tensor = _read_tensor(reader, name)
        if tensor.start != reached:
            raise reader.refuse(f"tensor {name!r} starts at {tensor.start:,}, expected {reached:,}: a hole or overlap")
        found[name] = tensor
        reached = tensor.end + -tensor.end % alignment
    first = reader.position + -reader.position % alignment if count else reader.position
    ends = max((each.end for each in found.values()), default=0) + first
    # Writers fill up the last tensor to the alignment, or do not.
    if not ends <= size < ends + alignment:
        raise MalformedError(f"{reader.what}: the tensors end at byte {ends:,}, the file at {size:,}")
    return {
        name: GgufTensor(each.type, each.shape, first + each.start, first + each.end) for name, each in found.items()
    }


def _read_tensor(reader: HeaderBytes, name: str) -> GgufTensor:
    """Return a tensor, its place counted from the first one's."""
    n_dimensions = reader.whole(_U32)
    if not 1 <= n_dimensions <= MAX_DIMENSIONS:
        raise reader.refuse(f"tensor {name!r}: {n_dimensions} dimensions, expected 1 to {MAX_DIMENSIONS}")
    shape = tuple(reader.whole(_U64) for _ in range(n_dimensions))
    kind = reader.whole(_U32)
    start = reader.whole(_U64)
    block = BLOCKS.get(kind)
    if block is None:
        raise reader.refuse(f"tensor {name!r}: unknown type {kind}")
    if min(shape) < 1 or prod(shape) > MAX_BYTES or shape[0] % block.numbers:
        raise reader.refuse(f"tensor {name!r}: cannot be {block.name} of shape {list(shape)}")
    return GgufTensor(block.name, shape, start, start + prod(shape) // block.numbers * block.n_bytes)


def _text(raw: bytes, what: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedError(f"{what}: expected UTF-8") from None


def _special_tokens(stream: BinaryIO, spans: Mapping[str, Span], template: str, what: str) -> tuple[str, ...]:
    """Return control tokens, and those tokens of the maker's own that the chat template writes."""
    tokens, kinds = spans.get(TOKENS), spans.get(KINDS)
    if tokens is None or kinds is None:
        return ()
    if tokens.item_type != TEXT or kinds.item_type != INT32 or tokens.n_items != kinds.n_items:
        raise MalformedError(f"{what}: expected as many {KINDS} as {TOKENS}, int32 and texts")
    if tokens.n_items > MAX_TOKENS:
        raise MalformedError(f"{what}: {tokens.n_items:,} tokens, at most {MAX_TOKENS:,} are read")
    stream.seek(kinds.start + 12)  # after the type of the items and their count
    marks = struct.unpack(f"<{kinds.n_items}i", stream.read(4 * kinds.n_items))
    stream.seek(tokens.start + 12)
    reader = HeaderBytes(stream, tokens.end - tokens.start - 12, f"{what}: {TOKENS}")
    found = []
    for mark in marks:
        raw = reader.take(reader.length(MAX_TEXT, "a text"))
        if raw and mark in (_CONTROL, _USER_DEFINED):
            text = raw.decode("utf-8", "replace")
            if mark == _CONTROL or is_marker(text, template):
                found.append(text)
    return tuple(found)


def _digest(stream: BinaryIO, spans: Mapping[str, Span]) -> str:
    """Return one digest of some keys, whatever their order: each by the SHA-256 of its type and bytes."""
    return digest_of_files({key: _digest_of(stream, span) for key, span in _in_file_order(spans)})


def _in_file_order(spans: Mapping[str, Span]) -> Iterable[tuple[str, Span]]:
    return sorted(spans.items(), key=lambda each: each[1].start)


def _digest_of(stream: BinaryIO, span: Span) -> str:
    digest = sha256(_U32.pack(span.type))
    stream.seek(span.start)
    left = span.end - span.start
    while left:
        part = stream.read(min(left, _CHUNK))
        if not part:
            raise MalformedError("the file became shorter while it was read")
        digest.update(part)
        left -= len(part)
    return digest.hexdigest()
