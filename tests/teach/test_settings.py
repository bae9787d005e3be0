from __future__ import annotations

import pytest

from auzolan.core.kinds.dataset import Setting
from auzolan.core.record.errors import UsageError, VerificationError
from auzolan.teach.settings import Value, number_in, resolve


def origins(kit: dict[str, Value], tiny: bool, options: dict[str, Value | None]) -> dict[str, tuple[str, str]]:
    _, listed = resolve(kit, tiny, options)
    return {each.name: (each.value, each.origin) for each in listed}


def test_the_last_one_that_has_a_value_decides_and_is_named() -> None:
    found = origins({"epochs": 6, "rank": 16}, True, {"epochs": None, "exam": 9})

    assert ("1", "tiny") == found["epochs"]
    assert ("16", "kit") == found["rank"]
    assert ("9", "option") == found["exam"]
    assert ("2048", "default") == found["length"]


def test_every_setting_is_listed_once() -> None:
    settings, listed = resolve({}, False, {})

    assert sorted({each.name for each in listed}) == sorted(each.name for each in listed)
    assert str(settings.learning_rate) == next(each.value for each in listed if each.name == "learning_rate")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [("epochs", 0, "epochs: expected 1 or more, got 0"), ("precision", "fp8", "expected bf16 or fp32"),
     ("speed", 3, "no setting 'speed'")],
)  # fmt: skip
def test_what_cannot_be_is_refused(name: str, value: Value, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        resolve({}, False, {name: value})


def test_a_number_is_read_from_the_settings_of_a_record() -> None:
    said = (Setting("seed", "2147483647", "option"), Setting("exam", "0", "kit"))

    assert [2**31 - 1, 0] == [number_in(said, name) for name in ("seed", "exam")]


@pytest.mark.parametrize(
    "value", ["", "-1", "1.5", "1_000", " 7", "7\n", "many", "\u0661\u0662", "\u00b2", "9" * 11, "9" * 5_000]
)
def test_a_setting_that_is_no_whole_number_is_refused(value: str) -> None:
    with pytest.raises(VerificationError, match="settings must say 'seed' as a whole number, got"):
        number_in((Setting("seed", value, "default"),), "seed")


def test_a_number_that_a_record_does_not_say_is_refused() -> None:
    with pytest.raises(VerificationError, match="settings must say 'seed' as a whole number, got ''"):
        number_in((Setting("exam", "2", "kit"),), "seed")
