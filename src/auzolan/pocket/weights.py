"""Edge: where the pocket model's weights are: in the package itself, as transformers reads them."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from auzolan.core.record.errors import MissingError

FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")


def folder() -> Path:
    """Return the folder of the pocket model.

    Raises:
        MissingError: the weights are not in this copy of the package.
    """
    found = Path(str(files("auzolan.pocket"))) / "model"
    missing = [name for name in FILES if not (found / name).is_file()]
    if missing:
        raise MissingError(
            f"the pocket model: {', '.join(missing)} not found in {found}: this copy of the package came without it"
        )
    return found
