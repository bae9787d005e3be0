"""Edge: a trained adapter's way out of torch: to a PEFT folder, and to GGUF files beside it.

Not here: whether the adapter is any good, and the record that is signed; this
gives that record its digests. Files are written by `peft_folder` and
`gguf_llama`, and read back before they are told of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import Any

from auzolan.core.record.errors import UsageError
from auzolan.teach.model_folder import Digests, digests_of, file_sha256
from auzolan.teach.peft_folder import Factors, Lora, read_peft_folder, write_peft_folder


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        base: digests of the model that the adapter is for.
        files: SHA-256 in hex, by path in the export's folder.
    """

    base: Digests
    files: Mapping[str, str]


def lora_of(model: Any, base: str) -> Lora:
    """Take the adapter out of a PEFT model, in fp32.

    Args:
        model: a `PeftModel` with one adapter of plain LoRA.
        base: what the adapter is for: a name or digest.

    Raises:
        UsageError: another number of adapters, or layers with ranks or scales of their own.
    """
    from peft import get_peft_model_state_dict

    if len(model.peft_config) != 1:
        raise UsageError(f"expected a model with one adapter, got {len(model.peft_config)}")
    (config,) = model.peft_config.values()
    if config.rank_pattern or config.alpha_pattern or config.use_rslora or config.use_dora:
        raise UsageError("only plain LoRA with one rank and one scale is exported")
    found = {
        name.removeprefix("base_model.model."): weight.detach().float().cpu().numpy()
        for name, weight in get_peft_model_state_dict(model, save_embedding_layers=False).items()
    }
    layers = {
        name.removesuffix(".lora_A.weight"): Factors(array, found[name.replace(".lora_A.", ".lora_B.")])
        for name, array in sorted(found.items())
        if name.endswith(".lora_A.weight")
    }
    if 2 * len(layers) != len(found):
        raise UsageError("the adapter has weights beside the two factors of linear layers")
    return Lora(base, config.r, float(config.lora_alpha), layers)


def export(model: Any, base: Path, out: Path, with_gguf: bool = True, precision: str = "fp16") -> Exported:
    """Write an adapter as a PEFT folder (`out/peft`) and, if asked, as GGUF with its base (`out/*.gguf`).

    The folder is whole or not there.

    Args:
        model: a `PeftModel` with the adapter.
        base: folder of the base model.
        out: a folder that is new or empty.
        with_gguf: write the GGUF files too; only for the Llama architecture.
        precision: of the GGUF files' matrices.

    Raises:
        UsageError: something is at `out` already, or the model cannot be exported.
        MalformedError: the base's files do not fit together.
        MissingError: a file of the base is not there.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is not an empty folder")
    digests = digests_of(base)
    new = out.with_name(f".{out.name}.new")  # what an export that was killed left there is written again
    rmtree(new, ignore_errors=True)
    try:
        write_peft_folder(lora_of(model, digests.name), new / "peft")
        lora = read_peft_folder(new / "peft")
        if with_gguf:
            from auzolan.teach.gguf_llama import write_base_gguf, write_lora_gguf

            write_lora_gguf(lora, base, new / "adapter.gguf", precision)
            write_base_gguf(base, new / "base.gguf", precision)
        new.replace(out)
    finally:
        rmtree(new, ignore_errors=True)
    paths = sorted(path for path in out.rglob("*") if path.is_file())
    return Exported(digests, {path.relative_to(out).as_posix(): file_sha256(path) for path in paths})
