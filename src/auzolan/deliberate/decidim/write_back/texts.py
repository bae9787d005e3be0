"""Text from outside, made safe to stand in HTML, in Markdown and in a cell.

Always on one line. Characters that hide or turn text are made visible, except
those that scripts and emoji need (joiners, and the marks of direction).

Not here: which text is said where.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable

LONGEST = 20_000
_NEEDED = frozenset("\u061c\u200c\u200d\u200e\u200f")  # they join letters, or lean a mark to its script
_TYPED = re.compile(r"`([^`]*)`")
# What Redcarpet takes for a mark anywhere; what would make an address; what would begin a list or a fence in a line.
_MARKS = re.compile(r"([\\`*_\[\]#])|(:)(?=//)|(?<=www)(\.)|^([-+~])|^([0-9]+)(\.)")
_UNDERLINE = re.compile(r"=(=* *)")
LOOK_ALIKES = str.maketrans("<>@", "‹›＠")  # for titles, which are shown as text


def one_line(text: str) -> str:
    """Return text on one line, with what hides or turns it made visible."""
    line = "".join(_visible(mark) for mark in " ".join(text.split()))
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def _visible(mark: str) -> str:
    if mark in _NEEDED or mark == " " or unicodedata.category(mark)[0] not in "CZ":
        return mark
    return f"\\u{{{ord(mark):x}}}"


def shortened(line: str, limit: int) -> str:
    """Return at most `limit` characters of a line, cut between words where that is near."""
    if len(line) <= limit:
        return line
    cut = line[: limit - 1]
    at_word = cut.rpartition(" ")[0]
    return (at_word if len(at_word) > limit // 2 else cut).rstrip() + "…"


def html_text(text: str) -> str:
    """Return text from outside as HTML that shows it as it is, and in which `html_phrase` finds nothing to mark."""
    return html.escape(one_line(text)).replace("`", "&#96;")


def html_phrase(phrase: str) -> str:
    """Return one of our own phrases, whose facts are HTML already, with what is typed marked as code."""
    return _TYPED.sub(r"<code>\1</code>", phrase)


def html_paragraphs(paragraphs: Iterable[str]) -> str:
    """Return what is said, paragraph by paragraph; empty ones are left out."""
    return "".join(f"<p>{each}</p>" for each in paragraphs if each)


def markdown_text(text: str) -> str:
    """Return text from outside as a Markdown paragraph whose result is HTML that shows it as it is.

    Redcarpet takes a backslash from before a mark, leaves entities as they are, and would make links of bare addresses.
    """
    line = html.escape(_MARKS.sub(_escaped, one_line(text)), quote=False).replace("@", "&#64;")
    whole = _UNDERLINE.fullmatch(line)
    return f"&#61;{whole[1]}" if whole else line


def markdown_title(text: str) -> str:
    """Return text from outside as a Markdown heading; what becomes a title is no HTML, so it gets no entities."""
    line = _MARKS.sub(_escaped, one_line(text).translate(LOOK_ALIKES))
    return f"{line} #" if line.endswith("#") else line  # marks at the end close a heading, escaped or not


def _escaped(found: re.Match[str]) -> str:
    return f"{found[5]}\\." if found[5] else f"\\{found[0]}"
