"""Edge: the model of a service: where it is on this machine, and how a record names it."""

from __future__ import annotations

from pathlib import Path

from auzolan.core.kinds.dataset import Base
from auzolan.core.record.errors import MissingError

GGUF = ".gguf"


def base_of(model: str, licence: str) -> Base:
    """Return how a record names a model: "pocket", a folder, or a GGUF file.

    Raises:
        MissingError: it is not there.
        MalformedError: its files do not fit together.
    """
    path = Path(model)
    if path.suffix == GGUF:
        if not path.is_file():
            raise MissingError(f"model {model}: there is no such file")
        from auzolan.run.admission.digests import Digests
        from auzolan.run.admission.files import base_of as base_found
        from auzolan.run.admission.files import find_base

        return base_found(find_base(path, Digests(None)), path.stem, licence)
    from auzolan.cli.teach.base_model import find_model

    return find_model(model, licence or None).base
