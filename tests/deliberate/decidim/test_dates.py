"""Dates become ISO 8601 in UTC, as Python's own datetime computes it, or are none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.deliberate.decidim.dates import utc


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("2016-01-22 00:00:00 UTC", "2016-01-22T00:00:00Z"),
        ("2016-01-22T10:11:12Z", "2016-01-22T10:11:12Z"),
        ("2016-01-22T10:11:12.345+02:00", "2016-01-22T08:11:12Z"),
        ("2016-01-01 00:30:00 +0100", "2015-12-31T23:30:00Z"),
        ("2016-01-22 10:11:12 -0530", "2016-01-22T15:41:12Z"),
        ("2016-01-22 10:11", "2016-01-22T10:11:00Z"),
        ("2016-01-22", "2016-01-22T00:00:00Z"),
        ("2024-02-29 23:30:00 -0100", "2024-03-01T00:30:00Z"),
        ("2023-03-01 00:30:00 +0100", "2023-02-28T23:30:00Z"),
        ("2016-12-31 23:30:00 -0100", "2017-01-01T00:30:00Z"),
        ("2016-13-01", None),
        ("2016-00-01", None),
        ("2016-01-00", None),
        ("2016-02-30", None),
        ("22/01/2016", None),
        ("0001-01-01 00:00:00 +0100", None),
        ("2016-01-22 25:00:00", None),
        ("2016-01-22 10:00:00 +9900", None),
        ("٢٠١٦-01-22", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_dates_become_utc(text: str, when: str | None) -> None:
    assert when == utc(text)


@given(
    st.datetimes(datetime(1001, 1, 1), datetime(9998, 1, 1)),
    st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
def test_any_offset_gives_what_datetime_gives(when: datetime, zone: timezone) -> None:
    aware = when.replace(microsecond=0, tzinfo=zone)

    assert aware.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") == utc(aware.strftime("%Y-%m-%d %H:%M:%S %z"))
