"""Dates and times as Decidim writes them, as ISO 8601 in UTC.

Computed here and not by `datetime`, which belongs to modules that may ask what time it is.
"""

from __future__ import annotations

import re
from calendar import monthrange

_DATE = re.compile(
    r"([1-9]\d{3})-(\d\d)-(\d\d)"
    r"(?:[ T](\d\d):(\d\d)(?::(\d\d))?(?:\.\d{1,9})?)?"
    r" ?(?:UTC|Z|([+-])(\d\d):?(\d\d))?",
    re.ASCII,
)
_MINUTES = 24 * 60


def utc(text: str) -> str | None:
    """Return a date and time as ISO 8601 in UTC, to the second, None where it is none.

    What names no offset is taken as UTC, as Decidim exports it; a date alone as its first second.
    """
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    hours, minutes = int(found[8] or 0), int(found[9] or 0)
    if not 1 <= month <= 12 or not 1 <= day <= monthrange(year, month)[1]:
        return None
    if hour > 23 or minute > 59 or second > 59 or hours > 23 or minutes > 59:
        return None
    ahead = (hours * 60 + minutes) * (-1 if found[7] == "-" else 1)
    days, at = divmod(hour * 60 + minute - ahead, _MINUTES)
    year, month, day = _day_after(year, month, day, days)
    return f"{year}-{month:02}-{day:02}T{at // 60:02}:{at % 60:02}:{second:02}Z" if 1000 <= year <= 9999 else None


def _day_after(year: int, month: int, day: int, days: int) -> tuple[int, int, int]:
    """Return the day itself, the one before or the one after."""
    day += days
    if day < 1:
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
        return year, month, monthrange(year, month)[1]
    if day > monthrange(year, month)[1]:
        return (year, month + 1, 1) if month < 12 else (year + 1, 1, 1)
    return year, month, day
