"""Small files of models and adapters, made byte by byte, and records that name them. Synthetic throughout."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from auzolan.core.kinds.run import Loaded, Service
from auzolan.core.kinds.teach import Adapter, Base
from auzolan.run.admission.digests import Digests
from auzolan.run.admission.files import base_of, find_base
from tests.town import LOG

TEMPLATE = "{% for m in messages %}<|user|>{{ m['content'] }}<|end|>{% endfor %}"
U8, U32, I32, F32, BOOL, TEXT, ARRAY, U64 = 0, 4, 5, 6, 7, 8, 9, 10
_LAYOUTS = {U8: "<B", U32: "<I", I32: "<i", F32: "<f", BOOL: "<B", U64: "<Q"}


def digest_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def safetensors(shapes: Mapping[str, tuple[int, ...]], fill: int = 0) -> bytes:
    """A file of fp32 tensors, each of their bytes the same."""
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, shape in shapes.items():
        start, end = end, end + 4 * _product(shape)
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [start, end]}
    return with_header(json.dumps(header), bytes([fill]) * end)


def with_header(header: str, data: bytes) -> bytes:
    raw = header.encode()
    return struct.pack("<Q", len(raw)) + raw + data


def _product(shape: Iterable[int]) -> int:
    result = 1
    for each in shape:
        result *= each
    return result


def text(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(raw)) + raw


def scalar(kind: int, value: Any) -> bytes:
    return text(value) if kind == TEXT else struct.pack(_LAYOUTS[kind], value)


def key(name: str, kind: int, value: Any, items: int | None = None) -> bytes:
    """A key and its value; with `items`, a list of that type."""
    start = text(name) + struct.pack("<I", kind)
    if items is None:
        return start + scalar(kind, value)
    return start + struct.pack("<IQ", items, len(value)) + b"".join(scalar(items, each) for each in value)


def tensor(name: str, shape: tuple[int, ...], offset: int, kind: int = 0) -> bytes:
    sizes = struct.pack(f"<{len(shape)}Q", *shape)
    return text(name) + struct.pack("<I", len(shape)) + sizes + struct.pack("<IQ", kind, offset)


def keys(**changes: bytes | None) -> list[bytes]:
    """The keys of a small model; None leaves one out."""
    made: dict[str, bytes | None] = {
        "general.architecture": key("general.architecture", TEXT, "llama"),
        "general.name": key("general.name", TEXT, "Synthetic"),
        "llama.block_count": key("llama.block_count", U32, 1),
        "llama.rope": key("llama.rope", F32, 0.5),
        "tokenizer.ggml.model": key("tokenizer.ggml.model", TEXT, "gpt2"),
        "tokenizer.ggml.tokens": key("tokenizer.ggml.tokens", ARRAY, ["<|user|>", "a", "<|x|>", "b", "<|end|>"], TEXT),
        "tokenizer.ggml.token_type": key("tokenizer.ggml.token_type", ARRAY, [4, 1, 4, 1, 3], I32),
        "tokenizer.ggml.flags": key("tokenizer.ggml.flags", ARRAY, [0, 1, 1], BOOL),
        "tokenizer.chat_template": key("tokenizer.chat_template", TEXT, TEMPLATE),
    }
    return [each for each in (made | changes).values() if each is not None]


TENSORS = (tensor("token_embd.weight", (32, 2), 0), tensor("output.weight", (64,), 256, 8))


def gguf(
    made: Iterable[bytes] | None = None, tensors: Iterable[bytes] = TENSORS, size: int = 324, version: int = 3
) -> bytes:
    """A file of two tensors: fp32 of 256 bytes and q8_0 of 68."""
    listed, told = list(keys() if made is None else made), list(tensors)
    head = b"GGUF" + struct.pack("<IQQ", version, len(told), len(listed)) + b"".join(listed) + b"".join(told)
    return head + bytes(-len(head) % 32) + bytes(size) if told else head


FILES: dict[str, bytes] = {
    "config.json": json.dumps({"model_type": "llama", "rope": 1e-5}).encode(),
    "generation_config.json": b"{}",
    "model.safetensors": safetensors({"model.embed.weight": (4, 2), "model.norm.weight": (2,)}),
    "tokenizer.json": json.dumps(
        {"added_tokens": [{"content": "<|end|>", "special": True}, {"content": "\n\n", "special": False}]}
    ).encode(),
    "tokenizer_config.json": json.dumps({"chat_template": TEMPLATE, "eos_token": {"content": "<|stop|>"}}).encode(),
    "README.md": b"# Synthetic\n",
    "LICENSE": b"none",
    ".gitattributes": b"",
}
LAYER = "base_model.model.model.layers.0.self_attn.q_proj"
ADAPTER_FILES: dict[str, bytes] = {
    "adapter_config.json": json.dumps({"peft_type": "LORA", "r": 2, "lora_alpha": 4, "auto_mapping": None}).encode(),
    "adapter_model.safetensors": safetensors({f"{LAYER}.lora_A.weight": (2, 4), f"{LAYER}.lora_B.weight": (4, 2)}),
}


def write(folder: Path, files: Mapping[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def adapter(base: Base, files: Mapping[str, bytes] = ADAPTER_FILES, **changes: Any) -> Adapter:
    fields: dict[str, Any] = {
        "dataset": digest_of("dataset"), "constitution": digest_of("constitution"),
        "weights": sha256(files["adapter_model.safetensors"]).hexdigest(),
        "config": sha256(files["adapter_config.json"]).hexdigest(), "answers": digest_of("answers"),
        "title": "Synthetic", "trained_at": "2026-11-20", "base": base, "rank": 2, "alpha": 4, "n_parameters": 16,
        "n_steps": 1, "n_tokens": 1, "first_loss_micro": 1, "last_loss_micro": 1, "settings": (), "measured": (),
        "not_measured": (), "software": {},
    }  # fmt: skip
    return Adapter(**{**fields, **changes})


def service(base: Base, adapters: Iterable[str] = (), **changes: Any) -> Service:
    fields: dict[str, Any] = {
        "constitution": digest_of("constitution"), "rules": digest_of("rules"),
        "adapters": tuple(Loaded(each) for each in adapters), "name": "town", "title": "Synthetic",
        "purpose": "Tests", "languages": ("en",), "base": base, "system_prompt": "", "tools": (),
        "operator": "Town library", "contact": "the desk", "review_at": "2027-06-30", "runtime_key": LOG.public,
        "origin": "auzolan/town-00000001/answers",
    }  # fmt: skip
    return Service(**{**fields, **changes})


def found_base(place: Path) -> Base:
    """What a record says of a model whose files are as they should be."""
    return base_of(find_base(place, Digests(None)), "Synthetic")


def made_base() -> Base:
    """A base of no files."""
    digest = digest_of("base")
    return Base("Synthetic", "llama", weights=digest, tokenizer=digest, chat_template=digest, config=digest)


def next_tick(path: Path) -> None:
    """Return once the file system's clock has moved on since the file's last change; on older kernels, 4 ms.

    Only then can times show a change. No sleep: it writes a file until that has a later time.
    """
    last, probe = path.stat().st_ctime_ns, path.with_name(".probe")
    probe.touch()
    while probe.stat().st_ctime_ns <= last:
        os.utime(probe)
    probe.unlink()
