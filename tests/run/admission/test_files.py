"""What stands in a model's or adapter's folder is known, or refused; its digests are those of teaching."""

from __future__ import annotations

import json
from pathlib import Path
from typing import BinaryIO

import pytest

import auzolan.pocket
from auzolan.core.kinds.dataset import digest_of_files
from auzolan.core.record.errors import MalformedError, MissingError, VerificationError
from auzolan.core.record.published import blob_path
from auzolan.run.admission.digests import Digests, Hashed
from auzolan.run.admission.files import _read, base_of, find_adapter, find_base, find_published_adapter
from auzolan.teach.model_folder import digests_of
from tests.run.admission.made import (
    ADAPTER_FILES,
    FILES,
    LAYER,
    TEMPLATE,
    TEXT,
    adapter,
    digest_of,
    found_base,
    gguf,
    key,
    keys,
    safetensors,
    with_header,
    write,
)

NOTHING = Digests(None)
MORE = {"additional_chat_templates/tool_use.jinja": b"{{ tools }}"}
INDEX = "model.safetensors.index.json"
SHARDS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
TWO = {SHARDS[0]: safetensors({"a": (2,)}), SHARDS[1]: safetensors({"b": (2,)})}


def index(**homes: str) -> dict[str, bytes]:
    return {INDEX: json.dumps({"metadata": {}, "weight_map": homes}).encode()}


IN_TWO = {name: data for name, data in FILES.items() if name != "model.safetensors"} | TWO
IN_TWO |= index(a=SHARDS[0], b=SHARDS[1])
VARIANTS: dict[str, dict[str, bytes]] = {
    "one file": FILES,
    "two files": IN_TWO,
    "template of its own": FILES | {"chat_template.jinja": "¡{{ messages }}".encode()},
    "old template": FILES | {"chat_template.json": b'{"chat_template": "{{ old }}"}'},
    "named templates": FILES | {"tokenizer_config.json": json.dumps({"chat_template": [
        {"name": "tool_use", "template": "x"}, {"name": "default", "template": "y"}]}).encode()},
    "no template": FILES | {"tokenizer_config.json": b"{}"},
    "more templates": FILES | MORE,
    "more tokenizer files": FILES | {"merges.txt": b"a b", "vocab.json": b"{}", "special_tokens_map.json": b"{}"},
}  # fmt: skip


@pytest.mark.parametrize("files", VARIANTS.values(), ids=VARIANTS)
def test_digests_are_those_of_teaching(files: dict[str, bytes], tmp_path: Path) -> None:
    found, taught = find_base(write(tmp_path, files), NOTHING), digests_of(tmp_path)

    assert (digest_of_files(taught.weights), digest_of_files(taught.tokenizer), digest_of_files(taught.config)) == (
        found.weights,
        found.tokenizer,
        found.config,
    )
    assert (taught.chat_template or "") == found.template_digest


def test_the_pocket_model_is_found_as_it_was_taught() -> None:
    folder = auzolan.pocket.folder()
    found, taught = find_base(folder, NOTHING), digests_of(folder)

    assert (digest_of_files(taught.weights), taught.chat_template) == (found.weights, found.template_digest)
    assert found.special_tokens


def test_special_tokens_come_from_all_settings(tmp_path: Path) -> None:
    assert ("<|end|>", "<|stop|>") == find_base(write(tmp_path, FILES), NOTHING).special_tokens


def test_files_that_others_can_write_are_told(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    (tmp_path / "config.json").chmod(0o666)

    assert ("config.json",) == find_base(tmp_path, NOTHING).open_to_others


def settings(name: str, **more: object) -> dict[str, bytes]:
    return {name: json.dumps(json.loads(FILES[name]) | more).encode()}


REFUSED: dict[str, tuple[dict[str, bytes], str]] = {
    "pickle beside the weights": ({"optimizer.pt": b""}, "pickle"),
    "pickle in capitals": ({"MODEL.PTH": b""}, "pickle"),
    "weights of PyTorch": ({"pytorch_model.bin": b""}, "pickle"),
    "joblib": ({"scaler.joblib": b""}, "pickle"),
    "numpy": ({"weights.npz": b""}, "pickle"),
    "code of the model's maker": ({"modeling_evil.py": b""}, "is code"),
    "a library": ({"kernel.so": b""}, "is code"),
    "code named as a licence": ({"LICENSE.py": b""}, "is code"),
    "a file that is not known": ({"weights.dat": b""}, "no file of that name"),
    "a GGUF in the folder": ({"model.gguf": gguf()}, "no file of that name"),
    "further weights": ({"evil.safetensors": FILES["model.safetensors"]}, "no file of that name"),
    "an adapter in the folder": (ADAPTER_FILES, "adapter beside the model"),
    "an adapter's weights alone": ({"adapter_model.safetensors": b""}, "adapter beside the model"),
    "a name that a terminal obeys": ({"a\x1b[2Jb.pt": b""}, r"a\\x1b\[2Jb.pt'"),
    "a folder": ({"original/params.json": b"{}"}, "folders within"),
    "code among templates": ({"additional_chat_templates/a.py": b""}, "only chat templates"),
    "one file and an index": (index(a=SHARDS[0]), "only one"),
    "one file and a shard": ({SHARDS[0]: b""}, "only one"),
    "auto_map": (settings("config.json", auto_map={"AutoModel": "evil.py"}), "auto_map names code"),
    "auto_map deep inside": (settings("config.json", text_config=[{"auto_map": {"A": "b"}}]), "auto_map names code"),
    "auto_map of the tokenizer": (settings("tokenizer_config.json", auto_map={"A": "b"}), "auto_map names code"),
    "trust_remote_code": (settings("config.json", trust_remote_code=True), "trust_remote_code names code"),
    "custom generation": (settings("config.json", custom_pipelines={"a": {}}), "custom_pipelines names code"),
    "a kernel from elsewhere": (settings("config.json", _attn_implementation="evil/kernel"), "compiled kernel"),
    "weights elsewhere": (settings("config.json", transformers_weights="a"), "names other files"),
    "tokenizer elsewhere": (settings("tokenizer_config.json", fast_tokenizer_files=["a"]), "names other files"),
    "a setting twice": ({"config.json": b'{"auto_map":{},"model_type":"a","model_type":"b"}'}, "twice"),
    "settings no object": ({"config.json": b"[]"}, "JSON object"),
    "settings nested without end": ({"config.json": b'{"a":' + b"[" * 100_000}, "JSON"),
    "settings too large": ({"config.json": b" " * 5_000_000}, "at most"),
    "template not UTF-8": ({"chat_template.jinja": b"\xff"}, "UTF-8"),
    "template a number": (settings("tokenizer_config.json", chat_template=3), "text"),
    "templates of one name": (settings("tokenizer_config.json", chat_template=[
        {"name": "default", "template": "a"}, {"name": "default", "template": "b"}]), "twice"),
    "a template without a name": (settings("tokenizer_config.json", chat_template=[{"template": "a"}]), "a name"),
    "tokenizer with a key twice": ({"tokenizer.json": b'{"model":1,"model":2}'}, "twice"),
    "truncated weights": ({"model.safetensors": FILES["model.safetensors"][:-1]}, "end at byte"),
    "weights that are a pickle": ({"model.safetensors": b"\x80\x04" + bytes(30)}, "pickle"),
}  # fmt: skip


@pytest.mark.parametrize(("more", "why"), REFUSED.values(), ids=REFUSED)
def test_a_folder_with_a_defect_is_refused(more: dict[str, bytes], why: str, tmp_path: Path) -> None:
    with pytest.raises(MalformedError, match=why):
        find_base(write(tmp_path, FILES | more), NOTHING)


@pytest.mark.parametrize(
    "told", [index(a=SHARDS[0]), index(a=SHARDS[1], b=SHARDS[0]), index(a=SHARDS[0], b=SHARDS[1], c=SHARDS[1])]
)
def test_an_index_of_other_tensors_is_refused(told: dict[str, bytes], tmp_path: Path) -> None:
    with pytest.raises(MalformedError, match="other tensors or files"):
        find_base(write(tmp_path, IN_TWO | told), NOTHING)


def test_a_tensor_in_two_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MalformedError, match="another file too"):
        find_base(write(tmp_path, IN_TWO | {SHARDS[1]: TWO[SHARDS[0]]}), NOTHING)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_symbolic_link_is_refused(name: str, tmp_path: Path) -> None:
    write(tmp_path / "model", FILES)
    (tmp_path / "model" / name).rename(tmp_path / name)
    (tmp_path / "model" / name).symlink_to(tmp_path / name)

    with pytest.raises(MalformedError, match="symbolic link"):
        find_base(tmp_path / "model", NOTHING)


@pytest.mark.parametrize("gone", ["config.json", "model.safetensors"])
def test_a_missing_file_is_told(gone: str, tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=gone):
        find_base(write(tmp_path, {name: data for name, data in FILES.items() if name != gone}), NOTHING)


def test_a_missing_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="no such model"):
        find_base(tmp_path / "nothing", NOTHING)


def test_a_gguf_that_was_renamed_is_the_same_model(tmp_path: Path) -> None:
    write(tmp_path, {"a.gguf": gguf(), "b.gguf": gguf()})
    one, other = (base_of(find_base(tmp_path / name, NOTHING), "Synthetic") for name in ("a.gguf", "b.gguf"))

    assert one == other
    assert ("llama", digest_of(TEMPLATE)) == (one.architecture, one.chat_template)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (gguf(keys(**{"general.type": key("general.type", TEXT, "adapter")})), "expected a model"),
        (gguf(keys(**{"general.architecture": None})), "general.architecture"),
        (gguf(tensors=()), "no tensors"),
        (b"\x80\x04" + bytes(40), "not a GGUF"),
    ],
)
def test_a_gguf_that_is_no_model_is_refused(data: bytes, why: str, tmp_path: Path) -> None:
    write(tmp_path, {"model.gguf": data})
    with pytest.raises(MalformedError, match=why):
        find_base(tmp_path / "model.gguf", NOTHING)


def test_an_adapter_is_found_in_its_folder_and_among_published_blobs(tmp_path: Path) -> None:
    folder = write(tmp_path / "peft", ADAPTER_FILES | {"README.md": b""})
    record = adapter(found_base(write(tmp_path / "model", FILES)))
    blobs = {"adapter_config.json": record.config, "adapter_model.safetensors": record.weights}
    write(tmp_path, {blob_path(digest): ADAPTER_FILES[name] for name, digest in blobs.items()})

    for found in (find_adapter(folder, NOTHING), find_published_adapter(tmp_path, record, NOTHING)):
        assert (record.weights, record.config, 2) == (found.weights.digest, found.config.digest, found.rank)


def lora(**changes: object) -> dict[str, bytes]:
    told = json.loads(ADAPTER_FILES["adapter_config.json"]) | changes
    return {"adapter_config.json": json.dumps(told).encode()}


def weights(**shapes: tuple[int, ...]) -> dict[str, bytes]:
    return {"adapter_model.safetensors": safetensors({f"{LAYER}.{name}.weight": each for name, each in shapes.items()})}


ADAPTERS_REFUSED: dict[str, tuple[dict[str, bytes], str]] = {
    "a pickle": ({"adapter_model.bin": b""}, "pickle"),
    "code": ({"evil.py": b""}, "is code"),
    "a file that is not known": ({"tokenizer.json": b"{}"}, "no file of that name"),
    "code by name": (lora(auto_mapping={"base_model_class": "a", "parent_library": "evil"}), "auto_mapping"),
    "a module by name": (lora(megatron_config={"a": 1}, megatron_core="evil"), "megatron_config"),
    "not LoRA": (lora(peft_type="IA3"), "peft_type"),
    "no rank": (lora(r=0), "rank"),
    "another rank than the weights": (lora(r=3), "of rank 2, expected 3"),
    "whole layers": (weights(modules_to_save=(2, 4)), "not a LoRA weight"),
    "one dimension": (weights(lora_A=(2,)), "not a LoRA weight"),
    "no weights": (weights(), "no weights"),
    "integers": ({"adapter_model.safetensors": with_header(json.dumps({f"{LAYER}.lora_A.weight": {
        "dtype": "I8", "shape": [2, 0], "data_offsets": [0, 0]}}), b"")}, "not a LoRA weight"),
}  # fmt: skip


@pytest.mark.parametrize(("more", "why"), ADAPTERS_REFUSED.values(), ids=ADAPTERS_REFUSED)
def test_an_adapter_with_a_defect_is_refused(more: dict[str, bytes], why: str, tmp_path: Path) -> None:
    with pytest.raises(MalformedError, match=why):
        find_adapter(write(tmp_path, ADAPTER_FILES | more), NOTHING)


def test_a_file_changed_between_hashing_and_reading_is_refused(tmp_path: Path) -> None:
    class Swapping(Digests):
        def of(self, path: Path) -> Hashed:
            hashed = super().of(path)
            if path.name == "adapter_config.json":
                path.write_bytes(lora(lora_alpha=4_000)["adapter_config.json"])
            return hashed

    with pytest.raises(VerificationError, match="changed since it was hashed"):
        find_adapter(write(tmp_path, ADAPTER_FILES), Swapping(None))


def test_a_file_changed_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, {"model.gguf": gguf()}) / "model.gguf"

    def reader(stream: BinaryIO) -> bytes:
        path.write_bytes(b"longer" + gguf())
        return stream.read()

    with pytest.raises(VerificationError, match="changed since it was hashed"):
        _read(NOTHING.of(path), reader)
