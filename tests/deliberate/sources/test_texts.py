"""Masking: telephone and account numbers go, dates, laws and amounts stay."""

from __future__ import annotations

import pytest

from auzolan.deliberate.sources.texts import Masked, mask

_NUMBERS = [
    "943123456", "943 123 456", "943-12-34-56", "(943) 12 34 56", "+34 943-12 34 56",
    "600.123.456", "600/123/456", "943/123456", "943 12.34.56", "06.12.34.56.78", "415.555.2671", "+34.600.123.456",
    "34.600.123.456", "943.12 34 56", "(943) 123.456", "12.05.2026.943", "192.168.100.200", "45.123456.78",
    "ES91 2100 0418 4502 0005 1332", "es9121000418450200051332", "GB29 NWBK 6016 1331 9268 19",
    "NO93 8601 1117 947", "DE89-3704-0044-0532-0130-00",
]  # fmt: skip
_PLAIN = [
    "12.05.2026", "12/05/2026", "2026/05/12", "2026.5.1", "05/25/2026", "2026-05-12", "12.05.2026-13.06.2026",
    "12.05.2026 10:30", "10:30 12.05.2026", "2026-05-12 10:30", "3.14159265", "43.318334, -1.981231",
    "1.000.000", "12.345.678 people", "250.000.000", "100.000.000-250.000.000", "123.456.789 €", "123.456.789 euros",
    "1.234.567.000", "10.000 - 20.000", "2016/679", "39/2015", "1720/2007", "2002/58/EC", "2019/2020", "2019-2020",
    "10.30-12.30", "9.00-14.00 16.00-20.00", "10.50 - 12.50", "2013 107 out of 161", "2019 1.000.000 people",
    "EU27 WILL MAKE 2030 GOAL", "UE27 para 2030", "110/220/380kV",
]  # fmt: skip


@pytest.mark.parametrize("number", _NUMBERS)
def test_telephone_and_account_numbers_are_masked_as_a_whole(number: str) -> None:
    assert Masked("call [number] now", 0, 1) == mask(f"call {number} now")
    assert Masked("[number]", 0, 1) == mask(number)
    assert Masked("call [number].", 0, 1) == mask(f"call {number}.")


@pytest.mark.parametrize("text", _PLAIN)
def test_dates_laws_times_and_amounts_stay(text: str) -> None:
    assert Masked(text, 0, 0) == mask(text)
    assert Masked(f"In {text}.", 0, 0) == mask(f"In {text}.")


@pytest.mark.parametrize("number", ["12.345.678-Z", "12.345.678Z", "2.345.678 A"])
def test_the_number_of_an_identity_card_is_no_amount(number: str) -> None:
    assert mask(f"mine is {number}").text.startswith("mine is [number]")


def test_everything_masked_is_counted() -> None:
    expected = Masked("[e-mail], [number] or [number], [number]", 1, 3)

    assert expected == mask("a@b.org, 600.123.456 or 600/123/456, ES91 2100 0418 4502 0005 1332")
