"""A row of a Decidim's export, by the names of its fields, and what its simple fields hold.

Implemented by `columns.Columns` (CSV) and `admin_json.Member` (JSON); nothing here knows which.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Protocol, TypeVar

from auzolan.core.record.errors import MalformedError
from auzolan.deliberate.decidim.entities import Left, Origin
from auzolan.deliberate.decidim.unflatten import LOCALE, Page
from auzolan.deliberate.sources.cells import MAX_ID, shown

MAX_KEPT = 2**14  # of each kind of thing that repeats, so that a million rows need no more memory than a thousand
MAX_KEY = 512  # characters; what is longer is made anew each time, as a cell may hold a megabyte
WHOLE = re.compile(r"0|-?[1-9][0-9]{0,15}", re.ASCII)
T = TypeVar("T")


class Row(Protocol):
    """One row of a CSV file, or one object of JSON."""

    def has(self, name: str) -> bool:
        """Return whether the source has this field."""
        ...

    def text(self, name: str) -> str:
        """Return a field, "" where it is absent or empty."""
        ...

    def texts(self, name: str) -> dict[str, str]:
        """Return a translated field by locale."""
        ...

    def fields(self, name: str) -> list[tuple[str, str]]:
        """Return the locales and texts of fields that decidim_awesome adds to a field."""
        ...

    def counts(self, name: str) -> dict[str, str]:
        """Return what is counted under labels."""
        ...

    def items(self, name: str) -> tuple[str, ...]:
        """Return a list of numbers or addresses."""
        ...

    def names(self, name: str) -> tuple[dict[str, str], ...] | None:
        """Return a list of names by locale, None where it cannot be read."""
        ...

    def wrong(self, name: str, why: str) -> MalformedError:
        """Return the error about a field."""
        ...


class Kept(dict[str, T]):
    """What was made of a text, so that it is made once; forgotten when there is too much of it."""

    def __init__(self, make: Callable[[str], T]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, text: str) -> T:
        made = self._make(text)
        if len(text) <= MAX_KEY:
            if len(self) >= MAX_KEPT:
                self.clear()
            self[text] = made
        return made


@dataclass
class Counts:
    """How often something was left out."""

    withdrawn: int = 0
    deleted: int = 0
    dates: int = 0
    taxonomies: int = 0
    roots: int = 0
    elsewhere: int = 0
    fingerprints: int = 0
    urls: int = 0

    @property
    def left(self) -> tuple[Left, ...]:
        """What was left out, also where it was so nowhere."""
        return (
            Left("fingerprints withheld, as their texts were masked", self.fingerprints),
            Left("withdrawn proposals without their texts and authors", self.withdrawn),
            Left("comments of deleted accounts without their texts and authors", self.deleted),
            Left("comments of which the source does not tell what they are about", self.roots),
            Left("comments on other than proposals, debates and results left out", self.elsewhere),
            Left("addresses that are no page of this Decidim left out", self.urls),
            Left("dates that could not be read left out", self.dates),
            Left("taxonomies that could not be read left out", self.taxonomies),
        )


def is_true(row: Row, name: str) -> bool:
    """Return whether a field says so."""
    return row.text(name).strip().lower() in ("true", "t")


def id_of(row: Row) -> int:
    """Return the number of the entity.

    Raises:
        MalformedError: there is none.
    """
    number = whole(row, "id", 1)
    if number is None:
        raise row.wrong("id", "expected the number of the entity, got nothing")
    return number


def whole(row: Row, name: str, least: int, most: int = MAX_ID) -> int | None:
    """Return a whole number, None where there is none."""
    text = row.text(name)
    return number_of(row, name, text, least, most) if text else None


def number_of(row: Row, name: str, text: str, least: int = 0, most: int = MAX_ID) -> int:
    """Return the text of a field as a whole number.

    Raises:
        MalformedError: it is none, or outside the bounds.
    """
    if not WHOLE.fullmatch(text) or not least <= int(text) <= most:
        raise row.wrong(name, f"expected a whole number from {least:,} to {most:,}, got {shown(text)}")
    return int(text)


def first_whole(row: Row, *names: str) -> int | None:
    """Return the first of several fields that holds a number, None where none does."""
    found: Iterable[int | None] = (whole(row, name, 0) for name in names)
    return next((number for number in found if number is not None), None)


def added(row: Row, name: str, counted: Mapping[str, str], meaning: Callable[[str], str]) -> dict[str, int]:
    """Return counts under labels by what the labels mean; those of one meaning are added up.

    Raises:
        MalformedError: a count is no whole number, or a sum is larger than numbers may be.
    """
    sums: dict[str, int] = {}
    for label, text in counted.items():
        meant, field = meaning(label), f"{name}/{label}"
        sums[meant] = sums.get(meant, 0) + number_of(row, field, text)
        if sums[meant] > MAX_ID:
            raise row.wrong(field, f"with others of the same meaning this is more than {MAX_ID:,}")
    return sums


def first_text(row: Row) -> tuple[str | None, str]:
    """Return locale and text of a comment: a plain field, or the first translation that there is."""
    locale = row.text("locale")
    told = locale if LOCALE.fullmatch(locale) else None
    if text := row.text("body"):
        return told, text
    for name, text in row.texts("body").items():
        return told or name, text
    return told, ""


def percent(text: str) -> int | None:
    """Return a progress, rounded half up, None where it is no number from 0 to 100."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return int(value.quantize(Decimal(1), ROUND_HALF_UP)) if value.is_finite() and 0 <= value <= 100 else None


def origin_of(page: Page | None) -> Origin | None:
    """Return what the page of an author tells of who brought a proposal in."""
    if page is None:
        return None
    if "/profiles/" in page.path:
        return "participant"
    if "/meetings/" in page.path:
        return "meeting"
    return "official" if page.path in ("", "/") else None
