"""Where requests are sent, and what each needs so that exactly the adapters that were asked for take part.

A server that does not know an adapter answers with the bare model and says
nothing (llama.cpp does, measured), so whatever is not in the tables here is
refused before a request is made. How the kinds of servers differ is data:
`KINDS`. Nothing here opens a connection.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from auzolan.core.kinds.answer import Engine
from auzolan.core.record.errors import NotCheckedError, UsageError
from auzolan.run.engine.field_values import Wire, WireObject

LORA = "lora"
MODEL = "model"
MILLI = 1000


class NotReadyError(NotCheckedError):
    """The engine is starting, or starting again: nothing was asked of it."""


class Kind(NamedTuple):
    """A kind of server.

    Attributes:
        chosen_by: how a request names its adapters: "lora" (a list with a scale for each) or "model" (a name for each
            set of adapters, given by whoever runs the server).
        asked_at: path of a GET that only this kind answers; "" for none.
        told_by: fields that this answer must have.
        version_at: path and field that tell its version; ("", "") where none does.
        names_digests: whether it tells SHA-256 digests of the files that it loaded.
    """

    chosen_by: str
    asked_at: str
    told_by: tuple[str, ...]
    version_at: tuple[str, str]
    names_digests: bool = False


# In the order in which they are tried. LM Studio's `/api/v1/models` names no files' digests, vLLM's `root` is a path.
KINDS: Mapping[str, Kind] = {
    "llama.cpp": Kind(LORA, "/props", ("default_generation_settings", "total_slots"), ("/props", "build_info")),
    "ollama": Kind(MODEL, "/api/tags", ("models",), ("/api/version", "version"), names_digests=True),
    "lmstudio": Kind(MODEL, "/api/v1/models", ("models",), ("", "")),
    "vllm": Kind(MODEL, "/version", ("version",), ("/version", "version")),
    "openai": Kind(MODEL, "", (), ("", "")),
}


class Slot(NamedTuple):
    """A loaded adapter of llama.cpp: its place in the server, and how strongly it is added, in thousandths."""

    place: int
    scale_milli: int = MILLI


@dataclass(frozen=True)
class Upstream:
    """A server that answers.

    Adapters are named as the caller names them in `slots` and `models`, such as by the ids of their records.

    Attributes:
        base_url: without a slash at the end and without "/v1"; with a socket, only its host matters, for the header.
        socket: path of a Unix socket, "" for TCP.
        kind: one of `KINDS`.
        engine: what runs the model, for the answers' records.
        integrity: "verified", "claimed" or "unverified".
        headers: that every request must bear; they hold its key, so `repr` hides them.
        slots: of llama.cpp, every adapter that it loaded.
        models: of the others, the model's name for each set of adapters.
        loaded: name -> digest of what it loaded, where that is known (`Answer.loaded`).
    """

    base_url: str
    socket: str
    kind: str
    engine: Engine
    integrity: str
    headers: Mapping[str, str] = field(repr=False, default_factory=dict)
    slots: Mapping[str, Slot] = field(default_factory=dict)
    models: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    loaded: Mapping[str, str] = field(default_factory=dict)

    def fields(self, adapters: tuple[str, ...]) -> WireObject:
        """Return what a request needs to be answered with these adapters and no others.

        Args:
            adapters: in the service's order; none for the bare model.

        Raises:
            UsageError: one is not loaded, or this set is not served.
        """
        if len(set(adapters)) != len(adapters):
            raise UsageError("the same adapter was asked for twice")
        if KINDS[self.kind].chosen_by == LORA:
            return self._with_scales(adapters)
        name = self.models.get(adapters)
        if not name:
            wanted = ", ".join(each[:12] for each in adapters) or "none"
            raise UsageError(f"this {self.kind} server serves no model with these adapters: {wanted}")
        return {"model": name}

    def _with_scales(self, adapters: tuple[str, ...]) -> WireObject:
        unknown = [each for each in adapters if each not in self.slots]
        if unknown:
            raise UsageError(f"adapter {unknown[0][:12]} is not loaded in the engine; nothing was asked of the model")
        # Every loaded adapter stands in the list: one left out keeps whatever scale the server has for it.
        scales: list[Wire] = [
            {"id": slot.place, "scale": slot.scale_milli / MILLI if name in adapters else 0.0}
            for name, slot in self.slots.items()
        ]
        return {"lora": scales}
