"""What teaching makes is admitted: a model of transformers, its adapter from PEFT, and both as GGUF."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="NOT CHECKED: the teach extra (torch) is not installed")
pytest.importorskip("gguf", reason="NOT CHECKED: gguf is not installed")

from peft import LoraConfig, get_peft_model

from auzolan.core.kinds.dataset import digest_of_files
from auzolan.run.admission.admit import admit
from auzolan.run.admission.digests import Digests
from auzolan.run.admission.files import base_of, find_adapter, find_base
from auzolan.run.admission.gguf_file import read_gguf
from auzolan.run.admission.lease import derived, pin_all, still_same
from auzolan.teach.export import export
from auzolan.teach.gguf_llama import write_base_gguf
from auzolan.teach.model_folder import digests_of
from tests.run.admission.made import adapter, digest_of, service
from tests.teach.tiny_llama import SPECIALS, TEMPLATE, save_base

NOTHING = Digests(None)
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `base`, and `out` with an adapter as PEFT keeps it and GGUF files."""
    folder = tmp_path_factory.mktemp("taught")
    model = save_base(folder / "base")
    tuned = get_peft_model(model, LoraConfig(r=2, lora_alpha=4, target_modules=["q_proj", "v_proj"]))
    export(tuned, folder / "base", folder / "out")
    return folder


def test_a_taught_adapter_is_admitted_and_its_gguf_derived(out: Path, tmp_path: Path) -> None:
    found, taught = find_base(out / "base", NOTHING), digests_of(out / "base")
    lora = find_adapter(out / "out" / "peft", NOTHING)
    base = base_of(found, "Synthetic")
    first = digest_of("first")
    record = adapter(base, weights=lora.weights.digest, config=lora.config.digest)
    admitted = admit(service(base, [first]), {first: record}, found, {first: lora}, {})
    held = pin_all(admitted.files)

    def make(path: Path) -> None:
        write_base_gguf(out / "base", path)

    with closing(derived(admitted.loaded, "test 1", make, tmp_path / "store", NOTHING, held)) as made:
        still_same([*held, made])
        packed = find_base(made.path, NOTHING)
    for each in held:
        each.close()

    assert digest_of_files(taught.weights) == admitted.loaded["weights"]
    assert TEMPLATE == found.chat_template == packed.chat_template
    assert set(SPECIALS) <= set(found.special_tokens)
    assert set(SPECIALS) <= set(packed.special_tokens)


def test_gguf_files_of_adapters_are_sound(out: Path) -> None:
    path = out / "out" / "adapter.gguf"
    with path.open("rb") as stream:
        found = read_gguf(stream, path.stat().st_size, "adapter")

    assert "adapter" == found.values["general.type"]
    assert 8 == len(found.tensors)
