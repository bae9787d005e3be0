"""Rows of CSV as Decidim's importers read them: semicolons, quotes doubled, a line feed at the end.

No cell begins with what a spreadsheet would take for a formula: Decidim would not strip a guard, so the texts are
written so that none is needed. That is asserted here, and is the caller's to see to.
"""

from __future__ import annotations

from collections.abc import Iterable

_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def row(cells: Iterable[str]) -> bytes:
    """Return one row; an empty cell is written as nothing, which importers read as not there."""
    return (";".join(_cell(each) for each in cells) + "\n").encode()


def _cell(text: str) -> str:
    assert not text.startswith(_FORMULAS), "a cell would begin a formula"
    if text and any(mark in text for mark in ';"\n\r'):
        return '"' + text.replace('"', '""') + '"'
    return text
