"""Edge: the files of a service: hashed, compared with what was signed, and made into what the engine reads.

A base that is a folder, and every adapter, become GGUF files in a folder of
this user's alone; they are made once, and compared at every later start.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from auzolan.cli.run.declared import Declared
from auzolan.cli.teach.base_model import POCKET
from auzolan.core.record.errors import UsageError
from auzolan.run.admission.admit import Admitted, admit
from auzolan.run.admission.digests import Digests
from auzolan.run.admission.files import GGUF, FoundAdapter, FoundBase, find_base, find_published_adapter
from auzolan.run.admission.lease import Pinned, derived, pin_all, stored

PRECISION = "fp16"


@dataclass(frozen=True)
class Opened:
    """What may be loaded, and is held open.

    Attributes:
        admitted: digests and warnings.
        model: the GGUF of the base.
        adapters: the GGUF of each adapter, by the id of its record.
        sources: the files that these were made of.
    """

    admitted: Admitted
    model: Pinned
    adapters: Mapping[str, Pinned]
    sources: tuple[Pinned, ...]

    @property
    def pins(self) -> list[Pinned]:
        """All that must stay as it is."""
        return [self.model, *self.adapters.values(), *self.sources]


def place_of(model: str) -> Path:
    """Return where a model is: "pocket" is the one that ships with this package."""
    if model == POCKET:
        import auzolan.pocket

        return auzolan.pocket.folder()
    return Path(model)


def look(declared: Declared, model: str, digests: Digests) -> Admitted:
    """Hash all files and compare them with what was signed.

    Raises:
        VerificationError: a file is not what was signed, or something was revoked.
        MalformedError, MissingError, StorageError: a file is unsound, missing, or cannot be read.
    """
    base = find_base(place_of(model), digests)
    found = {
        each: find_published_adapter(declared.public, record, digests) for each, record in declared.adapters.items()
    }
    return admit(declared.service, declared.adapters, base, found, declared.standings)


@contextmanager
def open_files(declared: Declared, model: str, state: Path) -> Iterator[Opened]:
    """Admit all files, make what the engine reads, and hold it open.

    Raises:
        UsageError: what makes the engine's files is not installed.
        As `look`.
    """
    digests, made = Digests(state / "digests"), state / "engine"
    admitted = look(declared, model, digests)
    with ExitStack() as held:

        def hold(file: Pinned) -> Pinned:
            held.callback(file.close)
            return file

        sources = [hold(each) for each in pin_all(admitted.base.files.values())]
        if admitted.base.form == GGUF:
            whole = hold(stored(sources[0], made, digests))
        else:
            whole = hold(_made_base(admitted.base, sources, made, digests))
        adapters, rest = {}, list(sources)
        for name, files in admitted.adapters.items():
            own = [hold(each) for each in pin_all((files.weights, files.config))]
            adapters[name] = hold(_made_adapter(admitted.base, files, [*sources, *own], made, digests))
            rest += own
        digests.save()
        yield Opened(admitted, whole, adapters, tuple(rest))


def _made_base(base: FoundBase, held: list[Pinned], made: Path, digests: Digests) -> Pinned:
    def write(path: Path) -> None:
        from auzolan.teach.gguf_llama import write_base_gguf

        write_base_gguf(base.place, path, PRECISION)

    return derived({name: each.digest for name, each in base.files.items()}, _maker(), write, made, digests, held)


def _made_adapter(base: FoundBase, files: FoundAdapter, held: list[Pinned], made: Path, digests: Digests) -> Pinned:
    def write(path: Path) -> None:
        from auzolan.teach.gguf_llama import write_lora_gguf
        from auzolan.teach.peft_folder import CONFIG, WEIGHTS, from_peft_files

        if base.form == GGUF:
            raise UsageError(
                "an adapter is made into GGUF with the base model's folder; serve the folder, not its GGUF file"
            )
        with files.weights.open() as weights, files.config.open() as config:
            lora = from_peft_files({CONFIG: config.read(), WEIGHTS: weights.read()})
        write_lora_gguf(lora, base.place, path, PRECISION)

    sources = {"weights": files.weights.digest, "config": files.config.digest, "base": base.config}
    return derived(sources, _maker(), write, made, digests, held)


def _maker() -> str:
    """Return what makes GGUF files here, so that another version makes its own."""
    if find_spec("gguf") is None:
        raise UsageError("serving a model on this machine needs: pip install 'auzolan[run,engine]'")
    return f"auzolan {version('auzolan')} gguf {version('gguf')} {PRECISION}"
