"""Edge: Llama-architecture models and LoRA adapters as GGUF files, which llama.cpp reads. Needs `gguf`, no torch.

GGUF is described at https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
The base gets fp16 or fp32 matrices and fp32 norms. An adapter is a file of its
own (`general.type: adapter`) that llama.cpp adds to a base with a scale, so
that one loaded base serves several communities. The same model always gives
the same bytes, and one tensor at a time is held in memory.

Rows of the query and key matrices change places on the way, because llama.cpp
turns neighbouring rows by a position and transformers the two halves of a
head; so must the rows of `lora_B` of these layers. Without it nothing fails:
the answers are wrong. Hence the tests go token by token.

Not here: quantisation (llama.cpp's own tool does it), other architectures.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import gguf
import numpy as np

from auzolan.core.record.errors import MalformedError, UsageError
from auzolan.teach.gguf_tokenizer import Vocabulary, vocabulary_of
from auzolan.teach.llama import Llama, llama_of
from auzolan.teach.model_folder import Weights, chat_template, read_config, read_object, weights_of
from auzolan.teach.peft_folder import Lora
from auzolan.teach.tensors import Array, check_finite

PRECISIONS: dict[str, np.dtype[Any]] = {"fp16": np.dtype(np.float16), "fp32": np.dtype(np.float32)}
_FP32 = PRECISIONS["fp32"]


class _Named(NamedTuple):
    """A tensor to be written: its name in GGUF, shape and dtype; `source` is its name in transformers."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    source: str


def write_base_gguf(folder: Path, path: Path, precision: str = "fp16") -> None:
    """Write a base model's GGUF.

    Args:
        folder: of the model, as transformers reads it.
        path: of the file, which must not exist.
        precision: "fp16" or "fp32", of the matrices.

    Raises:
        UsageError: a model that cannot be exported, or a value too large for fp16.
        MalformedError: files that do not fit together.
        MissingError: a file is not there.
    """
    llama, weights = llama_of(read_config(folder), str(folder / "config.json")), weights_of(folder)
    settings = read_object(folder / "tokenizer_config.json")
    words = vocabulary_of(read_object(folder / "tokenizer.json"), settings, llama.n_tokens)
    _check_shapes(llama, weights, folder)
    writer = gguf.GGUFWriter(None, "llama")
    _write_sizes(writer, llama, precision)
    _write_vocabulary(writer, words, chat_template(folder))
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, llama.n_layers)
    tensors = [
        _Named(_gguf_name(names, source), shape, _dtype(precision) if len(shape) > 1 else _FP32, source)
        for source, shape in llama.shapes().items()
    ]
    stretch = llama.stretch()
    if stretch is not None:
        tensors.append(_Named("rope_freqs.weight", stretch.shape, _FP32, ""))

    def arrays() -> Iterator[Array]:
        for each in tensors:
            if not each.source:
                assert stretch is not None, "only the stretch has no source"
                yield stretch
                continue
            array = weights.read(each.source)
            check_finite(array, each.source)
            yield _cast(_for_llama_cpp(array, each.source.removesuffix(".weight"), llama), each.dtype, each.source)

    _write(writer, path, tensors, arrays())


def write_lora_gguf(lora: Lora, folder: Path, path: Path, precision: str = "fp16") -> None:
    """Write an adapter's GGUF.

    Args:
        lora: the adapter.
        folder: of the base; only its `config.json` is read.
        path: of the file, which must not exist.
        precision: "fp16" or "fp32", of the factors.

    Raises:
        UsageError: a base that cannot be exported, or an adapter of layers that llama.cpp would not change.
        MalformedError: an adapter of another base's shapes.
    """
    llama = llama_of(read_config(folder), str(folder / "config.json"))
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, llama.n_layers)
    writer = gguf.GGUFWriter(None, "llama")
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, lora.alpha)
    tensors, arrays, dtype = [], [], _dtype(precision)
    known = {source.removesuffix(".weight"): shape for source, shape in llama.shapes().items()}
    for name in sorted(lora.layers, key=list(known).index if set(lora.layers) <= set(known) else str):
        a, b = lora.layers[name]
        if name not in known or name.split(".")[-1] not in {kind.split(".")[-1] for kind in llama.linear_shapes()}:
            raise UsageError(f"the adapter changes {name[:100]}, which is no linear layer inside this base's blocks")
        if (b.shape[0], a.shape[1]) != known[name]:
            raise MalformedError(f"{name}: the base's shape is {known[name]}, the adapter's {(b.shape[0], a.shape[1])}")
        base = _gguf_name(names, f"{name}.weight")
        for half, array in (("a", a), ("b", _for_llama_cpp(b, name, llama))):  # B makes the rows that change places
            cast = _cast(array, dtype, f"{name} {half.upper()}")
            tensors.append(_Named(f"{base}.lora_{half}", cast.shape, dtype, name))
            arrays.append(cast)
    _write(writer, path, tensors, iter(arrays))


def _interleaved(rows: Array, n_heads: int) -> Array:
    """Return rows of query or key so that the two halves of each head alternate.

    Args:
        rows: (heads * head_width, anything).
        n_heads: of queries for a query matrix, of keys for a key matrix.
    """
    halves = rows.reshape(n_heads, 2, rows.shape[0] // n_heads // 2, *rows.shape[1:])
    return halves.swapaxes(1, 2).reshape(rows.shape)


def _for_llama_cpp(rows: Array, layer: str, llama: Llama) -> Array:
    """Return a layer's rows (of its matrix, or of lora_B) in llama.cpp's order."""
    if layer.endswith(".q_proj"):
        return _interleaved(rows, llama.n_heads)
    if layer.endswith(".k_proj"):
        return _interleaved(rows, llama.n_kv_heads)
    return rows


def _cast(array: Array, dtype: np.dtype[Any], what: str) -> Array:
    with np.errstate(over="ignore"):
        cast = np.ascontiguousarray(array, dtype=dtype)
    if not np.isfinite(cast).all():
        raise UsageError(f"{what}: holds values too large for fp16; export in fp32")
    return cast


def _dtype(precision: str) -> np.dtype[Any]:
    if precision not in PRECISIONS:
        raise UsageError(f"expected a precision of {' or '.join(PRECISIONS)}, got {precision!r}")
    return PRECISIONS[precision]


def _gguf_name(names: gguf.TensorNameMap, source: str) -> str:
    found: str | None = names.get_name(source, try_suffixes=(".weight",))
    assert found, "every tensor of the architecture has a name"
    return found


def _check_shapes(llama: Llama, weights: Weights, folder: Path) -> None:
    """Check that the files have the tensors that the configuration says, and no others that would change answers."""
    known = llama.shapes()
    for name, shape in known.items():
        if weights.shape(name) != shape:
            raise MalformedError(f"{folder}: {name} is {weights.shape(name)}, its configuration says {shape}")
    # Some files keep the positions' frequencies, or a tied matrix twice; transformers reads neither.
    spare = {name for name in weights.places if name.endswith("rotary_emb.inv_freq") or name == "lm_head.weight"}
    unknown = sorted(set(weights.places) - set(known) - spare)
    if unknown:
        raise MalformedError(f"{folder}: tensor {unknown[0][:100]!r} is not of this architecture")


def _write_sizes(writer: gguf.GGUFWriter, llama: Llama, precision: str) -> None:
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16 if precision == "fp16" else gguf.LlamaFileType.ALL_F32)
    writer.add_vocab_size(llama.n_tokens)
    writer.add_context_length(llama.context)
    writer.add_embedding_length(llama.width)
    writer.add_block_count(llama.n_layers)
    writer.add_feed_forward_length(llama.inner)
    writer.add_head_count(llama.n_heads)
    writer.add_head_count_kv(llama.n_kv_heads)
    writer.add_key_length(llama.head_width)
    writer.add_value_length(llama.head_width)
    writer.add_rope_dimension_count(llama.head_width)
    writer.add_rope_freq_base(llama.theta)
    writer.add_layer_norm_rms_eps(llama.epsilon)


def _write_vocabulary(writer: gguf.GGUFWriter, words: Vocabulary, template: str | None) -> None:
    writer.add_tokenizer_model("gpt2")  # llama.cpp's name for byte-level BPE
    writer.add_tokenizer_pre(words.way)
    writer.add_token_list(words.tokens)
    writer.add_token_types(words.kinds)
    writer.add_token_merges(words.merges)
    writer.add_eos_token_id(words.eos)
    if words.bos is not None:
        writer.add_bos_token_id(words.bos)
    if words.pad is not None:
        writer.add_pad_token_id(words.pad)
    writer.add_add_bos_token(words.add_bos)
    writer.add_add_eos_token(False)
    if template:
        writer.add_chat_template(template)


def _write(writer: gguf.GGUFWriter, path: Path, tensors: list[_Named], arrays: Iterator[Array]) -> None:
    """Write a file that is whole or not there."""
    if path.exists():
        raise UsageError(f"{path} is there already")
    new = path.with_name(f"{path.name}.new")
    for each in tensors:
        n_bytes = int(np.prod(each.shape)) * each.dtype.itemsize
        writer.add_tensor_info(each.name, each.shape, each.dtype, n_bytes)
    try:
        writer.write_header_to_file(new)
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        for array in arrays:
            writer.write_tensor_data(array)
        writer.close()
        new.replace(path)
    finally:
        writer.close()
        new.unlink(missing_ok=True)
