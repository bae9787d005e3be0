"""Texts of proposals as statements, and as cells: what they must not do to a survey, a spreadsheet or a reader.

A statement is one line: control characters go, and with them what turns or hides text without a letter being written
(overrides and isolates of direction, tags, private characters); joiners and plain marks of direction stay, as honest
texts hold them. Nothing is translated, cut or corrected.

A cell that a spreadsheet would run gets an apostrophe, as Decidim does it, also after what another spreadsheet takes
for the end of a cell; reading takes exactly these away again (`bare(guarded(text)) == text`).
"""

from __future__ import annotations

import re
import unicodedata

_HONEST = frozenset("\u00ad\u200b\u200c\u200d\u200e\u200f\u061c\ufeff")
_GUARD = re.compile(r"(^|[,;\t\n\r\"])( *)('*)(?=[=+\-@＝＋－＠])")
_GUARDED = re.compile(r"(^|[,;\t\n\r\"])( *)'('*)(?=[=+\-@＝＋－＠])")


def tidy(text: str) -> str:
    """Return a text as a statement."""
    shown = (" " if mark.isspace() else mark for mark in text if mark.isspace() or _is_shown(mark))
    return " ".join("".join(shown).split())


def _is_shown(mark: str) -> bool:
    return mark in _HONEST or unicodedata.category(mark) not in ("Cc", "Cf", "Co", "Cs", "Cn")


def guarded(text: str) -> str:
    """Return a text as a cell that no spreadsheet runs."""
    return _GUARD.sub(r"\1\2'\3", text)


def bare(cell: str) -> str:
    """Return the text of such a cell."""
    return _GUARDED.sub(r"\1\2\3", cell)
