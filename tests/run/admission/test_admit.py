"""Only what the signed records name is admitted; each attack is refused with the file and both digests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from auzolan.core.kinds.answer import Answer
from auzolan.core.kinds.run import Service
from auzolan.core.kinds.teach import Adapter, Base
from auzolan.core.record.errors import AuzolanError, MalformedError, MissingError, VerificationError
from auzolan.core.record.record import is_digest
from auzolan.run.admission.admit import Admitted, Warned, admit
from auzolan.run.admission.digests import Digests
from auzolan.run.admission.files import find_adapter, find_base
from auzolan.run.admission.revoked import Standing
from auzolan.run.loaded import loaded_as_signed
from tests.run.admission.made import (
    ADAPTER_FILES,
    FILES,
    TEXT,
    adapter,
    digest_of,
    found_base,
    gguf,
    key,
    keys,
    safetensors,
    service,
    write,
)

FIRST = digest_of("record of the first adapter")
NOTHING = Digests(None)


@dataclass
class Place:
    """A service with one adapter, whose files lie in a folder and can be changed."""

    folder: Path
    model: Path
    record: Service
    adapter: Adapter

    def admit(self, standings: dict[str, Standing] | None = None, **changes: Any) -> Admitted:
        found = {FIRST: find_adapter(self.folder / "peft", NOTHING)}
        records = {FIRST: replace(self.adapter, **changes)}
        return admit(self.record, records, find_base(self.model, NOTHING), found, standings or {})

    def warnings(self, standings: dict[str, Standing] | None = None, **changes: Any) -> list[str]:
        return [each.name for each in self.admit(standings, **changes).warnings]


def placed(folder: Path, model: Path, base: Base) -> Place:
    write(folder / "peft", ADAPTER_FILES)
    return Place(folder, model, service(base, [FIRST]), adapter(base))


@pytest.fixture
def town(tmp_path: Path) -> Place:
    model = write(tmp_path / "model", FILES)
    return placed(tmp_path, model, found_base(model))


@pytest.fixture
def packed(tmp_path: Path) -> Place:
    """As `town`, with a model that is one GGUF file."""
    model = write(tmp_path, {"model.gguf": gguf()}) / "model.gguf"
    return placed(tmp_path, model, found_base(model))


def test_what_the_records_name_is_admitted(town: Place) -> None:
    admitted = town.admit()

    assert ["weights", "tokenizer", "chat_template", "config", "adapter.1"] == list(admitted.loaded)
    assert all(is_digest(each) for each in admitted.loaded.values())
    assert () == admitted.warnings
    assert [FIRST] == list(admitted.adapters)
    assert len(FILES) - 3 + 2 == len(admitted.files)  # three are not loaded: card, licence, attributes


def test_what_was_loaded_follows_from_the_records_alone(town: Place) -> None:
    records = {FIRST: town.adapter}

    assert town.admit().loaded == loaded_as_signed(town.record.base, records, (FIRST,))
    assert "adapter.1" not in loaded_as_signed(town.record.base, records, ())


def test_loaded_digests_fit_an_answer(town: Place) -> None:
    assert set(town.admit().loaded) <= {"weights", "tokenizer", "chat_template", "config", f"{Answer.ADAPTER}1"}


def test_a_gguf_is_admitted(packed: Place) -> None:
    assert ["weights", "tokenizer", "chat_template", "config", "adapter.1"] == list(packed.admit().loaded)


ATTACKS: dict[str, tuple[dict[str, bytes], str]] = {
    "swapped weights": ({"model.safetensors": safetensors({"model.embed.weight": (4, 2), "model.norm.weight": (2,)},
                        fill=1)}, r"weights \(model.safetensors\): got [0-9a-f]{16}…, but .* says [0-9a-f]{16}…"),
    "swapped template": ({"chat_template.jinja": b"{{ evil }}"}, "tokenizer: got"),
    "swapped tokenizer": ({"tokenizer.json": b"{}"}, "tokenizer: got"),
    "swapped settings": ({"config.json": b'{"model_type": "llama", "rope": 2}'}, "config: got"),
    "another generation": ({"generation_config.json": b'{"temperature": 9}'}, "config: got"),
    "one more file of the tokenizer": ({"added_tokens.json": b"{}"}, "tokenizer: got"),
}  # fmt: skip


@pytest.mark.parametrize(("files", "why"), ATTACKS.values(), ids=ATTACKS)
def test_a_swapped_file_of_the_model_is_refused(files: dict[str, bytes], why: str, town: Place) -> None:
    write(town.model, files)

    with pytest.raises(VerificationError, match=why):
        town.admit()


PACKED: dict[str, tuple[bytes, str]] = {
    "one byte of the weights": (gguf()[:-1] + b"\1", r"weights \(model.gguf\): got"),
    "template swapped": (
        gguf(keys(**{"tokenizer.chat_template": key("tokenizer.chat_template", TEXT, "{{ evil }}")})), "weights"),
    "a second template behind the first": (
        gguf([*keys(), key("tokenizer.chat_template", TEXT, "{{ evil }}")]), "stands twice"),
    "a template for tools": (gguf([*keys(), key("tokenizer.chat_template.tool_use", TEXT, "{{ evil }}")]), "weights"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "why"), PACKED.values(), ids=PACKED)
def test_a_swapped_gguf_is_refused(data: bytes, why: str, packed: Place) -> None:
    packed.model.write_bytes(data)

    with pytest.raises(AuzolanError, match=why):
        packed.admit()


def base_with(base: Base, part: str) -> Base:
    changes: dict[str, Any] = {part: digest_of("another")}
    return replace(base, **changes)


@pytest.mark.parametrize("part", ["weights", "tokenizer", "chat_template", "config"])
def test_an_adapter_of_another_base_is_refused(part: str, town: Place) -> None:
    other = base_with(town.record.base, part)

    with pytest.raises(VerificationError, match=f"another base: its {part}: got {digest_of('another')[:16]}"):
        town.admit(base=other)


@pytest.mark.parametrize("part", ["weights", "tokenizer", "chat_template", "config"])
def test_each_part_of_a_signed_gguf_is_compared_by_itself(part: str, packed: Place) -> None:
    packed.record = replace(packed.record, base=base_with(packed.record.base, part))

    with pytest.raises(VerificationError, match=f"{part.replace('_', ' ')}.*: got .* {digest_of('another')[:16]}…"):
        packed.admit()


def test_swapped_weights_of_an_adapter_are_refused(town: Place) -> None:
    path = town.folder / "peft" / "adapter_model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\1")

    with pytest.raises(VerificationError, match=r"adapter 1 .*adapter_model.safetensors: got .* its record says"):
        town.admit()


def test_swapped_settings_of_an_adapter_are_refused(town: Place) -> None:
    path = town.folder / "peft" / "adapter_config.json"
    path.write_bytes(path.read_bytes().replace(b'"lora_alpha": 4', b'"lora_alpha": 9'))

    with pytest.raises(VerificationError, match=r"adapter_config.json: got"):
        town.admit()


def test_a_record_of_another_rank_is_refused(town: Place) -> None:
    with pytest.raises(VerificationError, match="rank 2, its record says 3"):
        town.admit(rank=3)


def test_a_missing_record_or_missing_files_of_an_adapter_are_told(town: Place) -> None:
    base = find_base(town.model, NOTHING)

    with pytest.raises(MissingError, match="record of adapter"):
        admit(town.record, {}, base, {}, {})
    with pytest.raises(MissingError, match="files were not given"):
        admit(town.record, {FIRST: town.adapter}, base, {}, {})


@pytest.mark.parametrize("name", ["service", "rules", "constitution", "adapter.1"])
def test_what_is_revoked_is_refused(name: str, town: Place) -> None:
    with pytest.raises(VerificationError, match=rf"{name}: record {FIRST[:16]}… was revoked by library, school"):
        town.admit({name: Standing(FIRST, revoked_by=("library", "school"))})


@pytest.mark.parametrize(
    ("name", "standing", "expected"),
    [
        ("adapter.1.dataset", Standing(FIRST, revoked_by=("library",)), Warned.DATASET_REVOKED),
        ("adapter.1.constitution", Standing(FIRST, revoked_by=("library",)), Warned.OTHER_REVOKED),
        ("service", Standing(FIRST, asked_by=("library",)), Warned.REVOCATION_ASKED),
        ("service", Standing(FIRST, superseded_by=(FIRST,)), Warned.SUPERSEDED),
        ("constitution", Standing(FIRST, superseded_by=(FIRST,)), Warned.SUPERSEDED),
    ],
)
def test_what_should_be_known_warns(name: str, standing: Standing, expected: str, town: Place) -> None:
    assert [expected] == town.warnings({name: standing})


def test_an_adapter_of_another_constitution_warns(town: Place) -> None:
    assert [Warned.OTHER_CONSTITUTION] == town.warnings(constitution=digest_of("another"))


def test_no_template_warns_and_leaves_no_digest(tmp_path: Path) -> None:
    model = write(tmp_path / "model", FILES | {"tokenizer_config.json": b"{}"})
    admitted = placed(tmp_path, model, found_base(model)).admit()

    assert [Warned.NO_TEMPLATE] == [each.name for each in admitted.warnings]
    assert "chat_template" not in admitted.loaded


def test_files_that_others_can_write_warn(town: Place) -> None:
    (town.model / "config.json").chmod(0o666)
    (town.folder / "peft" / "adapter_config.json").chmod(0o620)

    assert [Warned.OPEN_TO_OTHERS] * 2 == town.warnings()


def test_further_templates_warn(tmp_path: Path) -> None:
    model = write(tmp_path / "model", FILES | {"additional_chat_templates/tool_use.jinja": b"{{ tools }}"})

    assert [Warned.MORE_TEMPLATES] == placed(tmp_path, model, found_base(model)).warnings()


@pytest.mark.parametrize("seed", range(10))
def test_any_flipped_bit_in_any_file_is_refused(seed: int, town: Place, packed: Place) -> None:
    chance = Random(seed)
    for place, paths in (
        (town, [each.path for each in town.admit().files]),
        (packed, [packed.model]),
    ):
        for _ in range(10):
            path = chance.choice(paths)
            sound = path.read_bytes()
            raw = bytearray(sound)
            raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
            path.write_bytes(raw)
            with pytest.raises((MalformedError, VerificationError)):
                place.admit()
            path.write_bytes(sound)
        place.admit()
