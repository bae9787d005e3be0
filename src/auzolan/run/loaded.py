"""What `Answer.loaded` must say where what was loaded is what was signed: by the records alone, so offline too."""

from __future__ import annotations

from collections.abc import Mapping

from auzolan.core.kinds.answer import Answer
from auzolan.core.kinds.dataset import Base, digest_of_files
from auzolan.core.kinds.teach import Adapter
from auzolan.core.record.errors import MissingError

PARTS = ("weights", "tokenizer", "chat_template", "config")
ADAPTER_CONFIG, ADAPTER_WEIGHTS = "adapter_config.json", "adapter_model.safetensors"


def adapter_digest(weights: str, config: str) -> str:
    """Return the one digest of an adapter's two files."""
    return digest_of_files({ADAPTER_WEIGHTS: weights, ADAPTER_CONFIG: config})


def part_of(base: Base, name: str) -> str:
    """Return the digest of one of `PARTS`, "" where the base has none."""
    digest = {"weights": base.weights, "tokenizer": base.tokenizer, "config": base.config}
    return digest.get(name, base.chat_template)


def loaded_as_signed(base: Base, adapters: Mapping[str, Adapter], order: tuple[str, ...]) -> dict[str, str]:
    """Return what was loaded, as it must be.

    Args:
        base: the service's.
        adapters: records by id.
        order: ids of the adapters that took part, in the answer's order.

    Raises:
        MissingError: an adapter's record was not given.
    """
    loaded = {part: part_of(base, part) for part in PARTS if part_of(base, part)}
    for place, adapter_id in enumerate(order, 1):
        if adapter_id not in adapters:
            raise MissingError(f"the record of adapter {adapter_id[:16]}… is not here")
        record = adapters[adapter_id]
        loaded[f"{Answer.ADAPTER}{place}"] = adapter_digest(record.weights, record.config)
    return loaded
