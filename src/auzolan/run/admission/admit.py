"""Whether a service's files are those that its signed records name, and nothing that it rests on is revoked.

No files here: what was found is an argument (`files`), and so is what the log
says (`revoked`). Whether the records themselves are signed, the ledger says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from auzolan.core.kinds.run import Service
from auzolan.core.kinds.teach import Adapter
from auzolan.core.record.errors import MissingError, VerificationError
from auzolan.run.admission.digests import Hashed
from auzolan.run.admission.files import GGUF, FoundAdapter, FoundBase
from auzolan.run.admission.revoked import CONSTITUTION, RULES, SERVICE, Standing
from auzolan.run.loaded import PARTS, loaded_as_signed, part_of


@dataclass(frozen=True)
class Warned:
    """Something that does not stop a service and that whoever runs or asks it should know; `name` is for rules."""

    OTHER_CONSTITUTION: ClassVar[str] = "adapter-of-another-constitution"
    SUPERSEDED: ClassVar[str] = "superseded"
    DATASET_REVOKED: ClassVar[str] = "dataset-revoked"
    OTHER_REVOKED: ClassVar[str] = "adapters-constitution-revoked"
    REVOCATION_ASKED: ClassVar[str] = "revocation-asked"
    NO_TEMPLATE: ClassVar[str] = "no-chat-template"
    MORE_TEMPLATES: ClassVar[str] = "more-chat-templates"
    OPEN_TO_OTHERS: ClassVar[str] = "others-can-write"

    name: str
    text: str


@dataclass(frozen=True)
class Admitted:
    """What may be loaded.

    Attributes:
        base: the model's files.
        adapters: the adapters' files, by the ids of their records, in the service's order.
        loaded: name -> digest, as `Answer.loaded` takes it.
        warnings: what should be known all the same.
    """

    base: FoundBase
    adapters: Mapping[str, FoundAdapter]
    loaded: Mapping[str, str]
    warnings: tuple[Warned, ...]

    @property
    def files(self) -> tuple[Hashed, ...]:
        """All files that were compared: these may be read, and no others in their folders."""
        ours = [each for found in self.adapters.values() for each in (found.weights, found.config)]
        return (*self.base.files.values(), *ours)


def admit(
    service: Service,
    adapters: Mapping[str, Adapter],
    base: FoundBase,
    found: Mapping[str, FoundAdapter],
    standings: Mapping[str, Standing],
) -> Admitted:
    """Return what may be loaded, or refuse.

    Checks: (1) neither the service nor its rules, constitution or adapters are
    revoked; (2) the base's weights, tokenizer, chat template and config are
    those that the service names; (3) each adapter was made for this very base;
    (4) each adapter's two files are those of its record.
    Does not check: that the records are signed and in the log; that they are
    the newest; what an engine does with the files (`lease`).

    Args:
        service: its record.
        adapters: records by id.
        base: the model's files, as `find_base` found them.
        found: the adapters' files, by the ids of their records.
        standings: as `standings_of` returns them, or without a log those that are known.

    Raises:
        VerificationError: a check failed, with the file and both digests.
        MissingError: the record or files of an adapter were not given.
    """
    for name, standing in standings.items():  # (1)
        if standing.is_revoked and name.count(".") < 2:  # "adapter.1.dataset" only warns
            raise VerificationError(
                f"{name}: record {standing.record[:16]}… was revoked by {', '.join(standing.revoked_by)}; "
                "what is known to be revoked is not loaded"
            )
    files = {"weights": _weight_names(base), "chat_template": "the chat template"}
    digests = {"weights": base.weights, "tokenizer": base.tokenizer, "config": base.config}
    for part, got in (digests | {"chat_template": base.template_digest}).items():  # (2)
        _compare(f"{base.place}: {files.get(part, part)}", part_of(service.base, part), got, "the service's record")
    kept: dict[str, FoundAdapter] = {}
    for place, loaded in enumerate(service.adapters, 1):
        record, name = _given(adapters, loaded.adapter), f"adapter {place} ({loaded.adapter[:8]}…)"
        for part in PARTS:  # (3)
            of = f"{name}: was made for another base: its {part}"
            _compare(of, part_of(service.base, part), part_of(record.base, part), "the service's base")
        if loaded.adapter not in found:
            raise MissingError(f"{name}: its files were not given")
        files_found = found[loaded.adapter]
        for hashed, signed in ((files_found.weights, record.weights), (files_found.config, record.config)):  # (4)
            _compare(f"{name}: {hashed.path}", signed, hashed.digest, "its record")
        _compare_ranks(name, record.rank, files_found.rank)
        kept[loaded.adapter] = files_found
    order = tuple(each.adapter for each in service.adapters)
    warnings = tuple(_warnings(service, adapters, base, kept, standings))
    return Admitted(base, kept, loaded_as_signed(service.base, adapters, order), warnings)


def _given(adapters: Mapping[str, Adapter], adapter_id: str) -> Adapter:
    if adapter_id not in adapters:
        raise MissingError(f"the record of adapter {adapter_id[:16]}… is not here")
    return adapters[adapter_id]


def _weight_names(base: FoundBase) -> str:
    names = [name for name in base.files if base.form == GGUF or name.endswith(".safetensors")]
    return f"weights ({', '.join(names[:2])}{' …' if len(names) > 2 else ''})"


def _compare(what: str, signed: str, got: str, where: str) -> None:
    if signed != got:
        raise VerificationError(f"{what}: got {_short(got)}, but {where} says {_short(signed)}")


def _short(digest: str) -> str:
    return f"{digest[:16]}…" if digest else "none"


def _compare_ranks(name: str, signed: int, got: int) -> None:
    if signed != got:
        raise VerificationError(f"{name}: its files are of rank {got}, its record says {signed}")


def _warnings(
    service: Service,
    adapters: Mapping[str, Adapter],
    base: FoundBase,
    found: Mapping[str, FoundAdapter],
    standings: Mapping[str, Standing],
) -> Iterator[Warned]:
    for adapter_id in found:
        of = adapters[adapter_id].constitution
        if of != service.constitution:
            text = f"adapter {adapter_id[:8]}… was taught constitution {of[:8]}…, the service follows another one"
            yield Warned(Warned.OTHER_CONSTITUTION, text)
    for name, standing in standings.items():
        yield from _standing_warnings(name, standing)
    if base.chat_template is None:
        yield Warned(Warned.NO_TEMPLATE, "the model has no chat template; the engine would make one up")
    if base.more_templates:
        text = f"the model has further chat templates ({', '.join(base.more_templates[:3])}); digests cover them"
        yield Warned(Warned.MORE_TEMPLATES, text)
    for names in (base.open_to_others, *(each.open_to_others for each in found.values())):
        if names:
            yield Warned(Warned.OPEN_TO_OTHERS, f"other users of this machine can write {', '.join(names[:3])}")


def _standing_warnings(name: str, standing: Standing) -> Iterator[Warned]:
    short = f"{name} ({standing.record[:8]}…)"
    if standing.is_revoked:
        kind = Warned.DATASET_REVOKED if name.endswith(Adapter.DATASET) else Warned.OTHER_REVOKED
        yield Warned(kind, f"{short} was revoked by {', '.join(standing.revoked_by)}")
    if standing.asked_by:
        text = f"{short}: {', '.join(standing.asked_by)} said that it is revoked, not enough for it to be"
        yield Warned(Warned.REVOCATION_ASKED, text)
    if standing.superseded_by and name in (SERVICE, RULES, CONSTITUTION):
        yield Warned(Warned.SUPERSEDED, f"{short} was replaced by {standing.superseded_by[-1][:8]}…")
