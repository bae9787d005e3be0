"""Edge: what stands in a model's or an adapter's folder: every file is known, hashed, and read strictly, or refused.

Digests are those that an adapter's record was given when it was taught
(`teach.model_folder`), so that they can be compared.

Checks: no pickle, no code, no settings that name code, no unknown file, no
symbolic link, no folder but that of further chat templates; headers of all
weights; that what was read is what was hashed. Does not check: signed records
(`admit` does), nor what weights and templates do.
"""

from __future__ import annotations

import io
import os
import re
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, TypeVar

from auzolan.core.kinds.dataset import Base, digest_of_files
from auzolan.core.kinds.teach import Adapter
from auzolan.core.lm.model_files import CONFIG_FILES, MORE_TEMPLATES, TOKENIZER_FILES
from auzolan.core.record.errors import MalformedError, MissingError, StorageError
from auzolan.core.record.published import blob_path
from auzolan.run.admission.chat_template import (
    OLD_FILE,
    OWN_FILE,
    SETTINGS,
    SPECIALS_MAP,
    special_tokens_of,
    template_of,
)
from auzolan.run.admission.digests import Digests, Hashed, check_same, stamp_of
from auzolan.run.admission.gguf_file import ARCHITECTURE, TYPE, GgufFile, read_gguf
from auzolan.run.admission.safetensors_file import SafetensorsFile, read_safetensors
from auzolan.run.admission.strict_json import MAX_SETTINGS, read_object, refuse_code
from auzolan.run.loaded import ADAPTER_CONFIG, ADAPTER_WEIGHTS

TRANSFORMERS, GGUF = "transformers", "gguf"
ONE_FILE = "model.gguf"  # under which a GGUF's weights are digested: a file that was renamed is the same model
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
CONFIG, TOKENIZER = "config.json", "tokenizer.json"
MAX_TOKENIZER = 64 * 1024 * 1024
MAX_INDEX = 64 * 1024 * 1024
_SHARD = re.compile(r"model-\d{5}-of-\d{5}\.safetensors")
_HARMLESS = re.compile(
    r"\.git(attributes|ignore)|[\w-]+\.md|(licen[cs]e|notice|copying|use_policy)[\w-]*(\.txt)?", re.I
)
_PICKLES = {".bin", ".ckpt", ".dill", ".joblib", ".mar", ".npy", ".npz", ".pickle", ".pkl", ".pt", ".pth"}
_CODE = {".dll", ".dylib", ".exe", ".ipynb", ".js", ".py", ".pyc", ".pyd", ".sh", ".so", ".wasm", ".whl"}
_SETTINGS_FILES = (*CONFIG_FILES, OLD_FILE, SETTINGS, SPECIALS_MAP, "added_tokens.json")
# Settings by which transformers would read other files than these.
_ELSEWHERE = {CONFIG: "transformers_weights", SETTINGS: "fast_tokenizer_files"}

_Found = TypeVar("_Found")


@dataclass(frozen=True)
class FoundBase:
    """A base model's files, hashed and read.

    Attributes:
        form: "transformers", a folder, or "gguf", one file.
        place: the folder or file.
        architecture: as its settings name it.
        weights: `digest_of_files`, as in `Base`; likewise the next two.
        tokenizer: likewise; of a GGUF its `tokenizer.` keys but the chat template.
        config: likewise; of a GGUF all other keys.
        chat_template: the text, None where there is none.
        more_templates: names of further ones, which are part of the tokenizer's digest.
        special_tokens: texts that mark roles and turns.
        files: each that was hashed, by its name.
        open_to_others: files that others than their owner can write, by name.
    """

    form: str
    place: Path
    architecture: str
    weights: str
    tokenizer: str
    config: str
    chat_template: str | None
    more_templates: tuple[str, ...]
    special_tokens: tuple[str, ...]
    files: Mapping[str, Hashed]
    open_to_others: tuple[str, ...]

    @property
    def template_digest(self) -> str:
        """SHA-256 of the chat template; "" where there is none."""
        return "" if self.chat_template is None else sha256(self.chat_template.encode()).hexdigest()


@dataclass(frozen=True)
class FoundAdapter:
    """An adapter's two files, hashed and read; `rank` as both say."""

    weights: Hashed
    config: Hashed
    rank: int
    open_to_others: tuple[str, ...]


def find_base(place: Path, digests: Digests) -> FoundBase:
    """Look at a base model: a folder as transformers reads it, or one GGUF file.

    Raises:
        MissingError: nothing is there, or a file of it is missing.
        MalformedError: a file that is refused, or an unsound one.
        VerificationError: a file changed while it was read.
        StorageError: a file cannot be read.
    """
    try:
        kind = os.stat(place).st_mode
    except OSError:
        raise MissingError(f"{place}: there is no such model") from None
    return _find_folder(place, digests) if stat.S_ISDIR(kind) else _find_gguf(place, digests)


def base_of(found: FoundBase, name: str, licence: str = "", duties: tuple[str, ...] = ()) -> Base:
    """Return what a service's record says of a base model: a GGUF file, or a folder."""
    return Base(
        name=name,
        architecture=found.architecture,
        weights=found.weights,
        tokenizer=found.tokenizer,
        chat_template=found.template_digest,
        config=found.config,
        licence=licence,
        duties=duties,
    )


def find_adapter(folder: Path, digests: Digests) -> FoundAdapter:
    """Look at an adapter's folder, as PEFT keeps it.

    Raises:
        MissingError: a file of it is missing.
        MalformedError: a file that is refused, or an unsound one.
        VerificationError: a file changed while it was read.
        StorageError: a file cannot be read.
    """
    names = _names(folder)
    for name in sorted(names - {ADAPTER_CONFIG, ADAPTER_WEIGHTS}):
        _refuse_unless_harmless(folder / name, name)
    return _adapter(digests.of(folder / ADAPTER_WEIGHTS), digests.of(folder / ADAPTER_CONFIG))


def find_published_adapter(public: Path, adapter: Adapter, digests: Digests) -> FoundAdapter:
    """Look at an adapter's files where a commons publishes them.

    Args:
        public: the published folder, with `blobs` in it.
        adapter: its record.
        digests: remembers what was hashed.

    Raises:
        As `find_adapter`.
    """
    return _adapter(digests.of(public / blob_path(adapter.weights)), digests.of(public / blob_path(adapter.config)))


def _find_gguf(place: Path, digests: Digests) -> FoundBase:
    if place.suffix.lower() in _PICKLES:
        raise _pickle(place)
    hashed = digests.of(place)
    found: GgufFile = _read(hashed, lambda stream: read_gguf(stream, hashed.stamp.size, str(place)))
    if found.values.get(TYPE, "model") != "model":
        raise MalformedError(f"{place}: is {str(found.values[TYPE])[:20]!r}, expected a model")
    architecture = found.values.get(ARCHITECTURE)
    if not isinstance(architecture, str) or not architecture:
        raise MalformedError(f"{place}: expected {ARCHITECTURE} to name one")
    if not found.tensors:
        raise MalformedError(f"{place}: has no tensors")
    return FoundBase(
        form=GGUF,
        place=place,
        architecture=architecture,
        weights=digest_of_files({ONE_FILE: hashed.digest}),
        tokenizer=found.tokenizer,
        config=found.config,
        chat_template=found.chat_template,
        more_templates=found.more_templates,
        special_tokens=tuple(sorted(set(found.special_tokens))),
        files={place.name: hashed},
        open_to_others=_open_to_others([hashed]),
    )


def _find_folder(folder: Path, digests: Digests) -> FoundBase:
    names = _names(folder)
    if ADAPTER_CONFIG in names or ADAPTER_WEIGHTS in names:
        raise MalformedError(f"{folder}: has an adapter beside the model, which transformers loads unasked")
    shards = {name for name in names if _SHARD.fullmatch(name)}
    weights = _weight_names(names, shards, folder)
    known = {*CONFIG_FILES, *TOKENIZER_FILES, *weights, MORE_TEMPLATES}
    for name in sorted(names - known):
        _refuse_unless_harmless(folder / name, name)
    tokenizer = [name for name in TOKENIZER_FILES if name in names]
    if not tokenizer:
        raise MissingError(f"{folder}: there is no tokenizer")
    if CONFIG not in names:
        raise MissingError(f"{folder / CONFIG}: the file is missing")
    more = _more_templates(folder) if MORE_TEMPLATES in names else []
    config = [name for name in CONFIG_FILES if name in names]
    files = {name: digests.of(folder / name) for name in [*config, *tokenizer, *more, *weights]}
    settings = {name: _settings(files[name], name) for name in _SETTINGS_FILES if name in files}
    _check_weights(files, weights)
    own = _bytes(files[OWN_FILE]) if OWN_FILE in files else None
    template = template_of(own, settings, str(folder))
    whole = read_object(_bytes(files[TOKENIZER], MAX_TOKENIZER), TOKENIZER, MAX_TOKENIZER) if TOKENIZER in files else {}
    return FoundBase(
        form=TRANSFORMERS,
        place=folder,
        architecture=str(settings[CONFIG].get("model_type", "unknown")),
        weights=digest_of_files({name: files[name].digest for name in weights}),
        tokenizer=digest_of_files({name: files[name].digest for name in [*tokenizer, *more]}),
        config=digest_of_files({name: files[name].digest for name in config}),
        chat_template=template,
        more_templates=tuple(more),
        special_tokens=special_tokens_of(settings, whole, template or ""),
        files=files,
        open_to_others=_open_to_others(files.values()),
    )


def _names(folder: Path) -> set[str]:
    """Return the names in a folder, none of which is a link or a folder but that of further templates."""
    try:
        with os.scandir(folder) as entries:
            found = list(entries)
    except (FileNotFoundError, NotADirectoryError):
        raise MissingError(f"{folder}: there is no such folder") from None
    except OSError as error:
        raise StorageError(f"cannot read {folder}: {error.strerror}") from None
    for each in found:
        if each.is_symlink():
            raise MalformedError(f"{_shown(each.path)}: is a symbolic link; copy the file itself (cp -L)")
        if each.is_dir(follow_symlinks=False) and each.name != MORE_TEMPLATES:
            raise MalformedError(f"{_shown(each.path)}: folders within one are not known here; take it out")
    return {each.name for each in found}


def _more_templates(folder: Path) -> list[str]:
    names = sorted(_names(folder / MORE_TEMPLATES))
    for name in names:
        if not name.endswith(".jinja"):
            raise MalformedError(
                f"{_shown(folder / MORE_TEMPLATES / name)}: only chat templates are known here; take it out"
            )
    return [f"{MORE_TEMPLATES}/{name}" for name in names]


def _refuse_unless_harmless(path: Path, name: str) -> None:
    suffix = Path(name).suffix.lower()
    if suffix in _PICKLES:
        raise _pickle(path)
    if suffix in _CODE:
        raise MalformedError(f"{_shown(path)}: is code, which could run when the model is loaded; take it out")
    if not _HARMLESS.fullmatch(name):
        raise MalformedError(f"{_shown(path)}: no file of that name is known in a model or adapter; take it out")


def _shown(path: Path | str) -> str:
    """Return a path for people; one that others named could hold what a terminal obeys."""
    return str(path) if str(path).isprintable() else ascii(str(path))


def _pickle(path: Path) -> MalformedError:
    return MalformedError(
        f"{_shown(path)}: a pickle can run code when it is loaded; only safetensors and GGUF are read"
    )


def _weight_names(names: set[str], shards: set[str], folder: Path) -> list[str]:
    """Return the names of the weights, the index first."""
    if WEIGHTS in names:
        if INDEX in names or shards:
            raise MalformedError(f"{folder}: has {WEIGHTS} and others besides; only one can be meant")
        return [WEIGHTS]
    if INDEX in names:
        return [INDEX, *sorted(shards)]
    pickles = sorted(name for name in names if Path(name).suffix.lower() in _PICKLES)
    if pickles:
        raise _pickle(folder / pickles[0])
    raise MissingError(f"{folder}: there are no weights ({WEIGHTS})")


def _check_weights(files: Mapping[str, Hashed], names: list[str]) -> None:
    """Read the headers of all weights, and that the index tells of just these files and tensors."""
    homes: dict[str, str] = {}
    for name in names:
        if name == INDEX:
            continue
        for tensor in _safetensors(files[name]).tensors:
            if tensor in homes:
                raise MalformedError(f"{files[name].path}: tensor {tensor[:100]!r} is in another file too")
            homes[tensor] = name
    if INDEX in names:
        where = str(files[INDEX].path)
        told = read_object(_bytes(files[INDEX], MAX_INDEX), where, MAX_INDEX).get("weight_map")
        if told != homes:
            raise MalformedError(f"{where}: names other tensors or files than there are")


def _adapter(weights: Hashed, config: Hashed) -> FoundAdapter:
    settings = read_object(_bytes(config), str(config.path))
    refuse_code(settings, str(config.path))
    rank = settings.get("r")
    if settings.get("peft_type") != "LORA" or type(rank) is not int or rank < 1:
        raise MalformedError(f"{config.path}: expected peft_type LORA and a rank r from 1")
    tensors = _safetensors(weights).tensors
    for name, tensor in tensors.items():
        side = {".lora_A.weight": 0, ".lora_B.weight": 1}.get(name[-14:])
        if side is None or len(tensor.shape) != 2 or tensor.dtype not in {"F32", "F16", "BF16"}:
            raise MalformedError(f"{weights.path}: {name[:100]!r} is not a LoRA weight of a linear layer")
        if tensor.shape[side] != rank:
            raise MalformedError(f"{weights.path}: {name[:100]!r} is of rank {tensor.shape[side]}, expected {rank}")
    if not tensors:
        raise MalformedError(f"{weights.path}: has no weights")
    return FoundAdapter(weights, config, rank, _open_to_others([weights, config]))


def _settings(hashed: Hashed, name: str) -> dict[str, object]:
    found = read_object(_bytes(hashed), str(hashed.path))
    refuse_code(found, str(hashed.path))
    elsewhere = _ELSEWHERE.get(name)
    if elsewhere in found:
        raise MalformedError(f"{hashed.path}: {elsewhere} names other files than those of the model; take it out")
    return found


def _safetensors(hashed: Hashed) -> SafetensorsFile:
    return _read(hashed, lambda stream: read_safetensors(stream, hashed.stamp.size, str(hashed.path)))


def _bytes(hashed: Hashed, limit: int = MAX_SETTINGS) -> bytes:
    if hashed.stamp.size > limit:
        raise MalformedError(f"{hashed.path}: {hashed.stamp.size:,} bytes, at most {limit:,} are read")
    return _read(hashed, lambda stream: stream.read(limit))


def _read(hashed: Hashed, reader: Callable[[BinaryIO], _Found]) -> _Found:
    """Return what `reader` makes of a file, if that is the file that was hashed."""
    try:
        with hashed.open() as raw, io.BufferedReader(raw) as stream:
            found = reader(stream)
            check_same(hashed, stamp_of(raw))
            return found
    except OSError as error:
        raise StorageError(f"cannot read {hashed.path}: {error.strerror}") from None


def _open_to_others(files: Iterable[Hashed]) -> tuple[str, ...]:
    """Return the names of files that others than their owner can write."""
    found = []
    for each in files:
        with each.open() as stream:
            if os.fstat(stream.fileno()).st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                found.append(each.path.name)
    return tuple(sorted(found))
