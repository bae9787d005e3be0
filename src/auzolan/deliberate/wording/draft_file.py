"""The file in which people edit the wording before it is voted on: its form, and how it is read.

`draft_writing` writes it from a selection.

Markdown that shows well where it is published and survives any editor: words
stand in quotes (`>`), everything else in headings and list items, each found by
how it begins. How lines are broken, trailing spaces, CRLF and a byte-order mark
mean nothing; a text is its words with one space between them (`one_line`), and
what Markdown would take for its own marks is escaped by a backslash.

Reading believes nothing that follows from elsewhere: what became of words
(`drafting` compares them), and why a principle is there (the selection says;
the heading is only compared with it). Here only the form is checked; errors
name the line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from auzolan.core.kinds.constitution import LeftOut, Principle, check_language, place_of
from auzolan.core.record.errors import MalformedError

LEFT_OUT = "left out"
_SECTIONS = (*Principle.STANDINGS, LEFT_OUT)  # a section's heading begins with its name
_SHOWN_ONLY = frozenset({"why", "transformation", "more"})
_SPECIAL = re.compile(
    r"[\\`*_\[\]$]|<(?=[A-Za-z/!?])|&(?=[#A-Za-z])|~(?=~)|(?<=~)~|(?<!\S)[#>]|(?<!\S)[-+=]+(?!\S)|^\d{1,9}[.)](?!\S)"
)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_MARK = re.compile(r"[!-/:-@\[-`{-~]")
_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_QUOTE = re.compile(r" {0,3}>[ \t]?(.*)$")
_ITEM = re.compile(r"[ \t]{0,7}[-*+][ \t]+(.*)$|[ \t]{0,7}[-*+]$")
_RULE = re.compile(r" {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$")
_BOX = re.compile(r"\[[ \t]*([xX]?)[ \t]*\][ \t]*#?([0-9]{1,15})(?![0-9])")
_FIELD = re.compile(r"([A-Za-z][A-Za-z0-9 -]{0,50}?)[ \t]*:[ \t]*(.*)$", re.DOTALL)
_IDS = re.compile(r"#?[0-9]{1,15}(?:[ ,]+(?:and )?#?[0-9]{1,15})*")
_LEFT = re.compile(r"#?([0-9]{1,15})[ \t]+by[ \t]+([^:]+?)[ \t]*:[ \t]*(.+)$", re.DOTALL)
_SELECTION = re.compile(r"selection[ \t]*:[ \t]*`?([0-9a-f]{64})`?$", re.IGNORECASE)


@dataclass(frozen=True)
class Entry:
    """One principle as the file has it.

    Attributes:
        number: `article.principle`.
        text: its words, on one line; never empty.
        language: as the file says.
        editor: who merged or reworded, or "".
        statements: named first, then those ticked.
        standing: what the heading above it says.
        translations: language -> text.
        line: on which it begins.
        lines: statement -> line on which it is named or ticked.
    """

    number: str
    text: str
    language: str
    editor: str
    statements: tuple[int, ...]
    standing: str
    translations: Mapping[str, str]
    line: int
    lines: Mapping[int, int]


@dataclass(frozen=True)
class DraftFile:
    """What an edited file says.

    Attributes:
        selection: id of the selection that it was made from.
        title: of the constitution.
        entries: the principles, by number.
        left_out: statements that shall not be voted on.
        lines: statement left out -> line.
    """

    selection: str
    title: str
    entries: tuple[Entry, ...]
    left_out: tuple[LeftOut, ...] = ()
    lines: Mapping[int, int] = field(default_factory=dict)


def one_line(text: str) -> str:
    """Return a text's words with one space between them."""
    return " ".join(text.split())


def escaped(text: str) -> str:
    """Return a text, on one line, that Markdown shows as it is."""
    return _SPECIAL.sub(lambda found: _MARK.sub(lambda mark: "\\" + mark[0], found[0]), one_line(text))


def unescaped(text: str) -> str:
    """Return what Markdown shows of an escaped text."""
    return one_line(_ESCAPED.sub(r"\1", text))


class _Block(NamedTuple):
    """A heading, a quote, a list item or other text, with its line and, of a heading, its depth."""

    kind: str
    line: int
    text: str
    depth: int = 0


def _blocks(text: str) -> Iterator[_Block]:
    """Yield the blocks of a file; lines that follow a quote, an item or a text without an empty one belong to it."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kind, begins, kept = "", 0, [""]

    for number, line in enumerate([*lines, ""], 1):
        heading, quote, item = _HEADING.match(line), _QUOTE.match(line), _ITEM.match(line)
        starts = heading or (quote and kind != "quote") or _RULE.match(line) or (item and not quote)
        if kind and (starts or not line.strip()):
            yield _Block(kind, begins, " ".join(kept).strip())
            kind = ""
        if heading:
            yield _Block("heading", number, heading[2] or "", len(heading[1]))
        elif quote:
            kind, begins, kept = ("quote", number, [quote[1]]) if kind != "quote" else (kind, begins, [*kept, quote[1]])
        elif _RULE.match(line) or not line.strip():
            continue
        elif item:
            kind, begins, kept = "item", number, [item[1] or ""]
        elif kind:
            kept.append(line.strip())
        else:
            kind, begins, kept = "text", number, [line.strip()]


@dataclass
class _Open:
    """A principle while its lines are read; owned by one reader."""

    number: str
    standing: str
    line: int
    words: list[str] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)
    translations: dict[str, str] = field(default_factory=dict)
    lines: dict[int, int] = field(default_factory=dict)
    ticked: dict[int, int] = field(default_factory=dict)


class _Reader:
    """Reads the blocks of one file, in order."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.selection = self.title = self.section = ""
        self.entries: list[_Open] = []
        self.left: dict[int, LeftOut] = {}
        self.left_lines: dict[int, int] = {}
        self.is_open = False  # whether a principle has begun in this section

    def wrong(self, line: int, what: str) -> MalformedError:
        return MalformedError(f"{self.where}, line {line:,}: {what}")

    def read(self, block: _Block) -> None:
        if block.kind == "heading":
            self._heading(block)
        elif not self.section:
            if block.kind == "item" and (found := _SELECTION.match(block.text)):
                self.selection = found[1].lower()
        elif self.section == LEFT_OUT:
            if block.kind == "item":
                self._left_out(block)
        elif self.is_open:
            self._within(self.entries[-1], block)
        elif block.kind != "text":
            raise self.wrong(block.line, "expected a line such as '### 1.1' before what belongs to a principle")

    def _heading(self, block: _Block) -> None:
        if block.depth == 1 and not self.title and not self.section:
            self.title = unescaped(block.text)
        elif block.depth == 2:
            name = next((name for name in _SECTIONS if block.text.casefold().startswith(name)), None)
            if name is None:
                said = ", ".join(f"'## {each.capitalize()}'" for each in _SECTIONS)
                raise self.wrong(block.line, f"expected one of {said}")
            self.section, self.is_open = name, False
        elif block.depth == 3 and self.section and self.section != LEFT_OUT:
            self._principle(block)
        elif block.depth == 3 and not self.section:
            raise self.wrong(block.line, "a principle before any heading such as '## Selected'")
        else:
            raise self.wrong(block.line, "a heading that does not belong here; principles begin with '### NUMBER'")

    def _principle(self, block: _Block) -> None:
        number = block.text.strip().removesuffix(".")
        try:
            place_of(number)
        except MalformedError:
            raise self.wrong(block.line, "expected a number such as 2.1 and nothing else after '###'") from None
        for each in self.entries:
            if each.number == number:
                raise self.wrong(block.line, f"{number} is there twice, first on line {each.line:,}")
        self.entries.append(_Open(number, self.section, block.line))
        self.is_open = True

    def _within(self, entry: _Open, block: _Block) -> None:
        if block.kind == "quote":
            entry.words.append(block.text)
        elif block.kind == "text":
            raise self.wrong(block.line, f"words of {entry.number} begin with '>', all else with '-'; this is neither")
        elif block.text.startswith("["):
            self._box(entry, block)
        else:
            self._field(entry, block)

    def _box(self, entry: _Open, block: _Block) -> None:
        found = _BOX.match(block.text)
        if not found:
            raise self.wrong(block.line, "expected '[ ] #NUMBER', or '[x] #NUMBER' to say that it says the same")
        if found[1]:
            entry.ticked.setdefault(int(found[2]), block.line)

    def _field(self, entry: _Open, block: _Block) -> None:
        found = _FIELD.match(block.text)
        name = one_line(found[1]).casefold() if found else ""
        value = found[2].strip() if found else ""
        name = "statement" if name == "statements" else name
        if name in entry.fields:
            raise self.wrong(block.line, f"{entry.number} says twice who or what its '{name}' is")
        if name == "statement":
            if not _IDS.fullmatch(value):
                raise self.wrong(block.line, f"expected the statement that {entry.number} rests on, such as #14")
            for each in re.findall(r"[0-9]+", value):
                entry.lines.setdefault(int(each), block.line)
            entry.fields[name] = value
        elif name == "language":
            entry.fields[name] = self._language(value, block.line)
        elif name == "editor":
            entry.fields[name] = unescaped(value)
        elif name.startswith("translation"):
            language = self._language(one_line(found[1])[len("translation") :].strip() if found else "", block.line)
            if language in entry.translations:
                raise self.wrong(block.line, f"{entry.number} has two translations into {language}")
            if value:
                entry.translations[language] = unescaped(value)
        elif name not in _SHOWN_ONLY:
            raise self.wrong(block.line, "expected 'statement:', 'language:', 'editor:', 'translation TAG:' or a box")

    def _language(self, tag: str, line: int) -> str:
        try:
            return check_language(tag, f"{self.where}, line {line:,}")
        except MalformedError:
            raise self.wrong(line, f"unknown language {tag[:20]!r}; expected a tag such as 'en' or 'pt-BR'") from None

    def _left_out(self, block: _Block) -> None:
        found = _LEFT.match(block.text)
        if not found:
            raise self.wrong(block.line, "expected '- #NUMBER by NAME: REASON'")
        statement = int(found[1])
        if statement in self.left:
            raise self.wrong(block.line, f"#{statement} is left out twice")
        self.left[statement] = LeftOut(statement, unescaped(found[3]), unescaped(found[2]))
        self.left_lines[statement] = block.line

    def close(self, entry: _Open) -> Entry:
        """Return a principle once all its lines are read."""
        text = unescaped(" ".join(entry.words))
        if not text:
            raise self.wrong(entry.line, f"{entry.number} has no words; write them on lines that begin with '>'")
        for name in ("statement", "language"):
            if name not in entry.fields:
                raise self.wrong(entry.line, f"{entry.number} has no line '- {name}: ...'")
        lines = {**entry.ticked, **entry.lines}
        return Entry(
            number=entry.number,
            text=text,
            language=entry.fields["language"],
            editor=entry.fields.get("editor", ""),
            statements=(*entry.lines, *sorted(entry.ticked.keys() - entry.lines.keys())),
            standing=entry.standing,
            translations=entry.translations,
            line=entry.line,
            lines=lines,
        )


def read_draft(text: str, where: str = "the draft") -> DraftFile:
    """Read an edited file.

    Checks: its form alone; `drafting.draft_of` compares it with the selection.

    Args:
        text: of the file.
        where: what errors call it.

    Raises:
        MalformedError: something is missing, there twice or not understood; the message names the line.
    """
    reader = _Reader(where)
    for block in _blocks(text):
        reader.read(block)
    if not reader.selection:
        raise MalformedError(f"{where}: the line '- selection: ...' with 64 digits is missing near the top")
    if not reader.title:
        raise reader.wrong(1, "expected a title: a line that begins with '# '")
    entries = sorted((reader.close(each) for each in reader.entries), key=lambda each: place_of(each.number))
    if not entries:
        raise MalformedError(f"{where}: there is no principle in it")
    left = tuple(reader.left[statement] for statement in sorted(reader.left))
    return DraftFile(reader.selection, reader.title, tuple(entries), left, reader.left_lines)
