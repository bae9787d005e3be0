"""Every setting of teaching, with where it comes from: printed, stored, and nowhere else.

A value comes from the defaults, from the kit (what suits a small model does
not suit a large one), from `--tiny`, or from an option; the last of these that
has one decides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from auzolan.core.kinds.dataset import Setting
from auzolan.core.record.errors import UsageError, VerificationError
from auzolan.teach.revise import Making

Value = int | float | str | bool


@dataclass(frozen=True)
class Teaching:
    """All that a run depends on beside the constitution, the model and the teacher.

    Attributes:
        prompts: how many rows are made.
        tries: how often a critique and a revision are asked for.
        unrelated_per_cent: how many of 100 prompts are also criticised under an article that does not apply.
        routed: about how many articles the teacher is asked whether they apply, for each prompt.
        least: an article with fewer good revisions than this is not taught.
        rank, alpha, learning_rate, epochs, length, sequences, warm_up, precision, recompute: of training (`sft`).
        threads: of the processor that compute; 0: as many as there are cores.
        at_once: conversations that a local model answers side by side.
        exam: prompts per article to measure with.
        seed: of everything.
        keep_every: steps between checkpoints.
    """

    prompts: int = 2000
    tries: int = 3
    unrelated_per_cent: int = 25
    routed: int = 4
    least: int = 8
    rank: int = 32
    alpha: int = 64
    learning_rate: float = 1e-4
    epochs: int = 2
    length: int = 2048
    sequences: int = 4
    warm_up: float = 0.05
    precision: str = "bf16"
    recompute: bool = True
    threads: int = 0
    at_once: int = 16
    exam: int = 40
    seed: int = 0
    keep_every: int = 20

    def making(self) -> Making:
        """Return how rows are made."""
        return Making(
            n_tries=self.tries,
            unrelated_per_cent=self.unrelated_per_cent,
            n_routed=self.routed,
            least=self.least,
            seed=self.seed,
        )


TINY: Mapping[str, Value] = {"prompts": 24, "epochs": 1, "exam": 2, "tries": 1, "least": 1}
DEFAULT, KIT, TINY_ORIGIN, OPTION = "default", "kit", "tiny", "option"
_AT_LEAST = {"prompts": 1, "tries": 1, "rank": 1, "alpha": 1, "epochs": 1, "length": 16, "sequences": 1, "exam": 1,
             "threads": 0, "at_once": 1, "least": 1, "keep_every": 1}  # fmt: skip
_COUNT = re.compile(r"[0-9]{1,10}")  # as long as the largest seed


def resolve(
    kit: Mapping[str, Value], tiny: bool, options: Mapping[str, Value | None]
) -> tuple[Teaching, list[Setting]]:
    """Return the settings, and each with its origin.

    Args:
        kit: what the model's kit prefers.
        tiny: make everything small, to see whether it runs.
        options: what was asked for; None where nothing was.

    Raises:
        UsageError: a value out of range.
    """
    layers = (
        (KIT, kit),
        (TINY_ORIGIN, TINY if tiny else {}),
        (OPTION, {name: value for name, value in options.items() if value is not None}),
    )
    values: dict[str, Value] = {}
    origins: dict[str, str] = {}
    for origin, layer in layers:
        for name, value in layer.items():
            values[name], origins[name] = value, origin
    unknown = set(values) - {each.name for each in fields(Teaching)}
    if unknown:
        raise UsageError(f"there is no setting {min(unknown)!r}")
    for name, least in _AT_LEAST.items():
        value = values.get(name, least)
        if isinstance(value, (int, float)) and value < least:
            raise UsageError(f"{name}: expected {least} or more, got {value}")
    resolved = Teaching(**values)  # type: ignore[arg-type]  # fields of several types, each from its own layer
    if resolved.precision not in ("bf16", "fp32"):
        raise UsageError(f"precision: expected bf16 or fp32, got {resolved.precision!r}")
    return resolved, [
        Setting(each.name, str(getattr(resolved, each.name)), origins.get(each.name, DEFAULT))
        for each in fields(Teaching)
    ]


def number_in(said: Sequence[Setting], name: str) -> int:
    """Return a setting that a record must name with a whole number.

    Raises:
        VerificationError: it is not there, or it is no whole number of at most ten digits.
    """
    value = next((each.value for each in said if each.name == name), "")
    if not _COUNT.fullmatch(value):
        raise VerificationError(f"the record's settings must say {name!r} as a whole number, got {value[:20]!a}")
    return int(value)
