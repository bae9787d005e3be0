"""Edge: a LoRA adapter as PEFT keeps it: `adapter_config.json` and `adapter_model.safetensors`, and nothing else.

Written without dates, versions or names of this machine, so that the same
adapter always has the same bytes. Read strictly, whoever wrote it: only plain
LoRA (W + alpha / rank * B A; Hu et al. 2021, arXiv:2106.09685), so that no
setting can change what the factors mean. No torch.

Checks: every file, key, name, shape and number. Does not check: which base
the adapter was made for (its digests do, see `model_folder`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from auzolan.core.record.errors import MalformedError, MissingError, UsageError
from auzolan.teach.tensors import (
    Array,
    check_finite,
    read_array,
    read_places,
    read_settings,
    to_safetensors,
    to_settings,
)

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_PREFIX = "base_model.model."
# What PEFT writes beside rank, alpha and the layers, and what it may be in plain LoRA. Anything not named here must be
# off: null, false or empty.
_PLAIN: dict[str, tuple[object, ...]] = {
    "peft_type": ("LORA",),
    "task_type": ("CAUSAL_LM", None),
    "bias": ("none",),
    "inference_mode": (True, False),
    "init_lora_weights": (True, False, "gaussian"),  # others change the base's weights too
    "megatron_core": ("megatron.core", None),
    "qalora_group_size": (16, None),
}
_OFF: tuple[object, ...] = (None, False, [], {})
_FREE = {"r", "lora_alpha", "target_modules", "base_model_name_or_path", "lora_dropout", "peft_version", "revision"}


class Factors(NamedTuple):
    """The change of one linear layer: `b @ a`, scaled. Shapes (rank, in) and (out, rank)."""

    a: Array
    b: Array


@dataclass(frozen=True, eq=False)
class Lora:
    """An adapter.

    Attributes:
        base: what it was made for: a name, or "sha256:..." of the base's digests.
        rank: of every layer's factors.
        alpha: the change is scaled by alpha / rank.
        layers: by the layer's name in the base, as `model.layers.0.self_attn.q_proj`.
    """

    base: str
    rank: int
    alpha: float
    layers: Mapping[str, Factors]


def to_peft_files(lora: Lora) -> dict[str, bytes]:
    """Return the files of an adapter, by name.

    Raises:
        UsageError: the base's name is a path of this machine.
        MalformedError: factors that do not fit together.
    """
    if not lora.base or lora.base.startswith(("/", "~", ".")) or "\\" in lora.base:
        raise UsageError(f"expected the base's name or digest, got {lora.base!r}: a path says something only here")
    _check(lora, "the adapter")
    config = {
        "base_model_name_or_path": lora.base,
        "bias": "none",
        "inference_mode": True,
        "lora_alpha": int(lora.alpha) if float(lora.alpha).is_integer() else lora.alpha,
        "lora_dropout": 0.0,
        "peft_type": "LORA",
        "r": lora.rank,
        "target_modules": _kinds(lora),
        "task_type": "CAUSAL_LM",
    }
    arrays = {f"{_PREFIX}{name}.lora_A.weight": factors.a for name, factors in lora.layers.items()}
    arrays |= {f"{_PREFIX}{name}.lora_B.weight": factors.b for name, factors in lora.layers.items()}
    return {CONFIG: to_settings(config), WEIGHTS: to_safetensors(arrays)}


def write_peft_folder(lora: Lora, folder: Path) -> None:
    """Write an adapter into a folder that is new or empty.

    Raises:
        UsageError: something is there already, or see `to_peft_files`.
    """
    files = to_peft_files(lora)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not an empty folder; an adapter is written beside nothing else")
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)


def read_peft_folder(folder: Path) -> Lora:
    """Read an adapter from a folder.

    Raises:
        MissingError: a file is not there.
        MalformedError: a file too many, a pickle, a setting that is not plain LoRA, or weights that do not fit.
    """
    if not folder.is_dir():
        raise MissingError(f"{folder}: there is no such folder")
    for path in sorted(folder.iterdir()):
        if path.suffix in {".bin", ".pt", ".pth", ".pkl", ".ckpt"}:
            raise MalformedError(f"{path}: a pickle can run code when it is loaded; only safetensors are read")
        if path.name not in {CONFIG, WEIGHTS} or not path.is_file():
            raise MalformedError(f"{path}: an adapter's folder has {CONFIG} and {WEIGHTS} and nothing else")
    files = {}
    for name in (CONFIG, WEIGHTS):
        if not (folder / name).is_file():
            raise MissingError(f"{folder / name}: the file is missing")
        files[name] = (folder / name).read_bytes()
    return from_peft_files(files, str(folder))


def from_peft_files(files: Mapping[str, bytes], what: str = "adapter") -> Lora:
    """Read an adapter from the bytes of its two files.

    Raises:
        MalformedError: as `read_peft_folder`.
    """
    config = read_settings(files[CONFIG], f"{what}/{CONFIG}")
    rank, alpha, base, kinds = _settings(config, f"{what}/{CONFIG}")
    data = files[WEIGHTS]
    where = f"{what}/{WEIGHTS}"
    halves: dict[str, dict[str, Array]] = {}
    for name, place in read_places(data, where).items():
        layer, _, half = name.removesuffix(".weight").rpartition(".lora_")
        if not name.startswith(_PREFIX) or not name.endswith(".weight") or half not in {"A", "B"}:
            raise MalformedError(f"{where}: {name[:100]!r} is not a LoRA weight of a linear layer")
        halves.setdefault(layer.removeprefix(_PREFIX), {})[half] = read_array(data, place)
    alone = sorted(name for name, pair in halves.items() if len(pair) != 2)
    if alone:
        raise MalformedError(f"{where}: {alone[0][:100]!r} has one factor of two")
    lora = Lora(base, rank, alpha, {name: Factors(pair["A"], pair["B"]) for name, pair in sorted(halves.items())})
    _check(lora, where)
    # As PEFT: a layer is meant by its whole name or by the end of it.
    meant = {kind: [name for name in lora.layers if f".{name}".endswith(f".{kind}")] for kind in kinds}
    missing = [kind for kind, names in meant.items() if not names]
    spare = sorted(set(lora.layers).difference(*meant.values()))
    if missing or spare:
        told = f"{missing[0][:100]!r} has no weights" if missing else f"{spare[0][:100]!r} is not among them"
        raise MalformedError(f"{what}: the settings name other layers than the weights: {told}")
    return lora


def _settings(config: Mapping[str, Any], what: str) -> tuple[int, float, str, list[str]]:
    """Return rank, alpha, base and kinds of layers, if this is plain LoRA."""
    for name, value in config.items():
        if name in _FREE:
            continue
        plain = _PLAIN.get(name, _OFF)
        if not any(value == each and type(value) is type(each) for each in plain):  # 0 is not False
            raise MalformedError(f"{what}: {name[:60]} is {str(value)[:60]!r}, which is not plain LoRA")
    rank, alpha = config.get("r"), config.get("lora_alpha")
    base, kinds = config.get("base_model_name_or_path"), config.get("target_modules")
    if config.get("peft_type") != "LORA":
        raise MalformedError(f"{what}: expected peft_type LORA")
    if not isinstance(rank, int) or isinstance(rank, bool) or not 1 <= rank <= 65_536:
        raise MalformedError(f"{what}: expected a rank r from 1, got {str(rank)[:60]!r}")
    if not isinstance(alpha, int | float) or isinstance(alpha, bool) or not 0 < alpha < 2**24:
        raise MalformedError(f"{what}: expected lora_alpha above 0, got {str(alpha)[:60]!r}")
    if not isinstance(base, str) or not base:
        raise MalformedError(f"{what}: expected base_model_name_or_path to name the base")
    if not isinstance(kinds, list) or not kinds or not all(isinstance(kind, str) for kind in kinds):
        raise MalformedError(f"{what}: expected target_modules to list layers")
    return rank, float(alpha), base, kinds


def _check(lora: Lora, what: str) -> None:
    if not lora.layers:
        raise MalformedError(f"{what}: has no weights")
    for name, (a, b) in lora.layers.items():
        check_finite(a, f"{what}, {name[:100]} A")
        check_finite(b, f"{what}, {name[:100]} B")
        if a.ndim != 2 or b.ndim != 2 or a.shape[0] != lora.rank or b.shape[1] != lora.rank:
            shapes = f"{list(a.shape)} and {list(b.shape)}"
            raise MalformedError(f"{what}, {name[:100]}: factors of shapes {shapes} are not of rank {lora.rank}")


def _kinds(lora: Lora) -> list[str]:
    """Return the last parts of the layers' names: `q_proj`, ..."""
    return sorted({name.rpartition(".")[2] for name in lora.layers})
