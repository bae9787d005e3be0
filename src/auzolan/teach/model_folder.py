"""Edge: a base model's folder as transformers reads it: weights, tokenizer, chat template, and the digests of each.

Reads what transformers would read, without torch and without running code of
the model: pickles are refused, and so is an adapter that lies in the folder,
which transformers would load unasked. Weights stay on the disk until asked
for, so that a model larger than the memory can be hashed and exported.
"""

from __future__ import annotations

import mmap
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

from auzolan.core.lm.model_files import CONFIG_FILES, MORE_TEMPLATES, TOKENIZER_FILES, refuse_other_files
from auzolan.core.record.canonical import JsonObject, canonical_bytes
from auzolan.core.record.errors import MalformedError, MissingError
from auzolan.teach.tensors import Array, Place, read_array, read_places, read_settings

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"


@dataclass(frozen=True)
class Digests:
    """SHA-256 of all that makes a base model answer as it does, in hex.

    Attributes:
        config: by file name.
        tokenizer: by file name; the chat template's own files and named templates too.
        chat_template: of the text that is used, None if there is none; its place among the files does not matter.
        weights: by file name, the index of several files included.
    """

    config: Mapping[str, str]
    tokenizer: Mapping[str, str]
    chat_template: str | None
    weights: Mapping[str, str]

    def to_json(self) -> JsonObject:
        """Return the body that a record takes."""
        return {
            "config": dict(self.config),
            "tokenizer": dict(self.tokenizer),
            "chat_template": self.chat_template,
            "weights": dict(self.weights),
        }

    @property
    def name(self) -> str:
        """One name for all of it: "sha256:..." of the canonical JSON."""
        return f"sha256:{sha256(canonical_bytes(self.to_json())).hexdigest()}"


@dataclass(frozen=True, eq=False)
class Weights:
    """The tensors of a model's files, which are read when asked for.

    Attributes:
        places: file and place of each, by the tensor's name.
    """

    places: Mapping[str, tuple[memoryview, Place]]

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of a tensor."""
        return self._found(name)[1].shape

    def read(self, name: str) -> Array:
        """Return a tensor; bf16 as fp32."""
        return read_array(*self._found(name))

    def _found(self, name: str) -> tuple[memoryview, Place]:
        if name not in self.places:
            raise MalformedError(f"the model's files have no tensor {name}")
        return self.places[name]


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()


def digests_of(folder: Path) -> Digests:
    """Hash a base model.

    Raises:
        MissingError: no configuration, tokenizer or weights.
        MalformedError: weights that are pickles, an adapter in the folder, or settings that cannot be read.
    """
    template = chat_template(folder)
    more = sorted((folder / MORE_TEMPLATES).glob("*.jinja"))
    tokenizer = {name: folder / name for name in TOKENIZER_FILES if (folder / name).is_file()}
    if not tokenizer:
        raise MissingError(f"{folder}: there is no tokenizer")
    read_config(folder)
    refuse_other_files(folder)
    return Digests(
        config={name: file_sha256(folder / name) for name in CONFIG_FILES if (folder / name).is_file()},
        tokenizer={name: file_sha256(path) for name, path in tokenizer.items()}
        | {f"{MORE_TEMPLATES}/{path.name}": file_sha256(path) for path in more},
        chat_template=None if template is None else sha256(template.encode()).hexdigest(),
        weights={path.name: file_sha256(path) for path in _weight_files(folder)},
    )


def read_config(folder: Path) -> dict[str, Any]:
    """Return a model's `config.json`."""
    return read_object(folder / "config.json")


def read_object(path: Path) -> dict[str, Any]:
    """Return a file's JSON object."""
    if not path.is_file():
        raise MissingError(f"{path}: the file is missing")
    return read_settings(path.read_bytes(), str(path))


def chat_template(folder: Path) -> str | None:
    """Return the template that turns messages into text; as in transformers, its own file comes first.

    Raises:
        MalformedError: the template is not text.
    """
    own = folder / "chat_template.jinja"
    if own.is_file():
        try:
            return own.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            raise MalformedError(f"{own}: expected UTF-8") from None
    for path in (folder / "chat_template.json", folder / "tokenizer_config.json"):
        template = read_object(path).get("chat_template") if path.is_file() else None
        if isinstance(template, list):  # several, by name
            named = {each.get("name"): each.get("template") for each in template if isinstance(each, dict)}
            template = named.get("default")
        if template is not None:
            if not isinstance(template, str):
                raise MalformedError(f"{path}: expected the chat template to be text")
            return template
    return None


def weights_of(folder: Path) -> Weights:
    """Open a model's weights, in one file or in several with an index.

    Raises:
        MissingError: there are none.
        MalformedError: pickles, files that are not safetensors, or others than the index says.
    """
    places: dict[str, tuple[memoryview, Place]] = {}
    files = [path for path in _weight_files(folder) if path.name != INDEX]
    for path in files:
        data = _view(path)
        for name, place in read_places(data, str(path)).items():
            if name in places:
                raise MalformedError(f"{path}: tensor {name[:100]!r} is in another file too")
            places[name] = (data, place)
    if (folder / INDEX).is_file() and set(_index(folder)) != set(places):
        raise MalformedError(f"{folder / INDEX}: names other tensors than the files have")
    return Weights(places)


def _view(path: Path) -> memoryview:
    """Return a file's bytes, which the system reads when they are looked at."""
    with path.open("rb") as stream:
        if not path.stat().st_size:
            raise MalformedError(f"{path}: the file is empty")
        return memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))


def _weight_files(folder: Path) -> list[Path]:
    if (folder / "adapter_config.json").exists():
        raise MalformedError(f"{folder}: has an adapter beside the model, which transformers loads unasked")
    one, index = folder / WEIGHTS, folder / INDEX
    if one.is_file() and index.is_file():
        raise MalformedError(f"{folder}: has both {WEIGHTS} and {INDEX}; only one can be meant")
    if one.is_file():
        return [one]
    if index.is_file():
        paths = [folder / name for name in sorted(set(_index(folder).values()))]
        for path in paths:
            if not path.is_file():
                raise MissingError(f"{path}: the file is missing")
        return [index, *paths]
    if any(folder.glob("*.bin")) or any(folder.glob("*.pt*")):
        raise MalformedError(f"{folder}: its weights are pickles, which can run code; convert them to safetensors")
    raise MissingError(f"{folder}: there are no weights ({WEIGHTS})")


def _index(folder: Path) -> dict[str, str]:
    """Return the file of each tensor."""
    path = folder / INDEX
    files = read_object(path).get("weight_map")
    if not isinstance(files, dict) or not files:
        raise MalformedError(f"{path}: expected a weight_map")
    for name in files.values():
        if not isinstance(name, str) or Path(name).name != name or not name.endswith(".safetensors"):
            raise MalformedError(f"{path}: expected names of safetensors files beside it, got {str(name)[:60]!r}")
    return files
