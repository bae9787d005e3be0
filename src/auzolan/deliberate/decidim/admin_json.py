"""Reads the JSON that administrators export from a component: proposals, comments, debates or results.

A list of objects as Decidim serializes them, nested and with all translations.
One object is decoded at a time, so that a component with any number of
proposals needs no more memory than its largest object.

Checks: the bounds of `source`; JSON of RFC 8259 in UTF-8, no field twice in an
object, no object larger than `MAX_OBJECT`; what `from_row` checks.
Does not check: fields that are not used. A file that is one long line is read whole, up to `sources.source.MAX_WHOLE`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import NoReturn, cast

from auzolan.core.record.errors import MalformedError, UsageError
from auzolan.deliberate.decidim.cards import Meaning
from auzolan.deliberate.decidim.columns import UNDETERMINED
from auzolan.deliberate.decidim.entities import About, Entity, EntityClass, Left
from auzolan.deliberate.decidim.from_row import FromRow
from auzolan.deliberate.decidim.unflatten import LOCALE, MACHINE
from auzolan.deliberate.sources.cells import shown_name
from auzolan.deliberate.sources.polis_raw import Progress, no_progress, step
from auzolan.deliberate.sources.source import AnyPath, Source, open_source

MAX_OBJECT = 4 * 2**20  # characters; rich text may hold pictures
_BOM = b"\xef\xbb\xbf"
_SPACE = re.compile(r"[ \t\r\n]*")

Value = None | bool | int | Decimal | str | list["Value"] | dict[str, "Value"]


class AdminJson:
    """The entities of a component's export, in its order."""

    def __init__(
        self,
        path: AnyPath,
        pseudonym: Callable[[str], str],
        *,
        host: str | None = None,
        cards: Mapping[str, Meaning] | None = None,
        progress: Progress = no_progress,
    ) -> None:
        """Say what to read; nothing is opened yet.

        Args:
            path: of a .json file, or of a folder or zip that holds some.
            pseudonym: turns the id of a person into a pseudonym.
            host: of the Decidim; by default as its pages tell.
            cards: label of a voting card -> what it means, beside the known ones.
            progress: called now and then with the name of the file and how many of its objects were read.
        """
        self._path, self._progress = path, progress
        self._pseudonym, self._host, self._cards = pseudonym, host, cards
        self._about: About | None = None

    def __iter__(self) -> Iterator[Entity]:
        """Yield the entities.

        Raises:
            UsageError: the path cannot be read or holds no JSON, or host or cards must be said.
            MalformedError: a file has not the form of an export, or the pages are of different hosts.
            NotCheckedError: a file could not be read to its end.
        """
        self._about = None
        reading = FromRow(self._pseudonym, self._host, self._cards)
        rows: dict[str, int] = {}
        machine = 0
        with open_source(self._path) as source:
            for member in _files(source):
                for number, value in enumerate(objects(member, _pieces(source, member)), start=1):
                    row = Member(f"{member}, object {number:,}", value)
                    kind = row.kind()
                    rows[kind] = rows.get(kind, 0) + 1
                    machine += row.machine
                    if entity := reading.entity(row, kind):
                        yield entity
                    step(self._progress, member, number)
        left = (*reading.left, Left("fields of machine translations left out", machine))
        self._about = About(reading.host or "", "JSON of a component, by an administrator", "", rows, left)

    def about(self) -> About:
        """Return what is known of the source, once all of it is read.

        Raises:
            UsageError: it is not.
        """
        if self._about is None:
            raise UsageError("the export was not read to its end yet")
        return self._about


def _files(source: Source) -> list[str]:
    found = [name for name in source.members if source.is_single or name.lower().endswith(".json")]
    if not found:
        raise UsageError(f"{source.name}: no file that ends in .json; expected the JSON export of a component")
    return found


def _pieces(source: Source, member: str) -> Iterable[bytes]:
    """Return a file in pieces: its lines, or all of it where one is longer than lines may be."""
    try:
        for _ in source.lines(member):
            pass
    except MalformedError:
        return (source.whole(member),)
    return source.lines(member)


def objects(name: str, pieces: Iterable[bytes]) -> Iterator[dict[str, Value]]:
    """Yield the objects of a list, one after the other.

    Raises:
        MalformedError: it is no list of objects.
    """
    text = _Text(name, pieces)
    if text.next_mark() != "[":
        text.fail("expected a list of objects, beginning with [")
    text.skip(1)
    if text.next_mark() == "]":
        text.skip(1)
    else:
        yield from _elements(text)
    if text.next_mark():
        text.fail("something stands after the end of the list")


def _elements(text: _Text) -> Iterator[dict[str, Value]]:
    while True:
        text.number += 1
        if text.next_mark() != "{":
            text.fail("expected an object, beginning with {")
        yield text.decode()
        mark = text.next_mark()
        if mark not in (",", "]"):
            text.fail("expected a comma and another object, or the end of the list")
        text.skip(1)
        if mark == "]":
            return


class _Text:
    """What was read of a file and not yet decoded.

    Attributes:
        number: of the object that is being read, from 1.
    """

    def __init__(self, name: str, pieces: Iterable[bytes]) -> None:
        self.number = 0
        self._name = name
        self._pieces = iter(pieces)
        self._text = ""
        self._at = 0
        self._bytes_before = 0  # bytes of the file before the text
        self._is_first = True
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._unique, parse_float=_exact, parse_constant=self._no_constant, strict=True
        )

    def next_mark(self) -> str:
        """Return the next character that is no space, without taking it; "" at the end."""
        while True:
            found = _SPACE.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more(1):
                return ""

    def skip(self, characters: int) -> None:
        """Take characters."""
        self._at += characters

    def decode(self) -> dict[str, Value]:
        """Take one object."""
        wanted = 2**16
        while True:
            is_all = not self._more(wanted)
            try:
                value, self._at = self._decoder.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                # Where more may follow, it may be only cut off.
                if is_all or len(self._text) - self._at > MAX_OBJECT:
                    self._fail_at(error)
            except RecursionError:
                self.fail("it is nested too deeply")
            except (ValueError, ArithmeticError):
                self.fail("it holds a number that is too long")
            else:
                return cast(dict[str, Value], value)
            wanted = 2 * (len(self._text) - self._at)

    def fail(self, why: str) -> NoReturn:
        """Raise the error about what stands here."""
        place = self._bytes_before + len(self._text[: self._at].encode("utf-8", "surrogatepass")) + 1
        where = f", object {self.number:,}" if self.number else ""
        raise MalformedError(f"{self._name}{where}, byte {place:,}: {why}")

    def _fail_at(self, error: json.JSONDecodeError) -> NoReturn:
        if len(self._text) - self._at > MAX_OBJECT:
            self.fail(f"it is larger than {MAX_OBJECT:,} characters, or is not closed")
        self._at = error.pos
        self.fail(f"not JSON ({error.msg})")

    def _more(self, wanted: int) -> bool:
        """Read until so many characters are there; return whether there may be more."""
        if len(self._text) - self._at >= wanted:
            return True
        self._bytes_before += len(self._text[: self._at].encode("utf-8", "surrogatepass"))
        parts = [self._text[self._at :]]
        self._at = 0
        there = len(parts[0])
        while there < wanted:
            piece = next(self._pieces, None)
            if piece is None:
                self._text = "".join(parts)
                return False
            parts.append(self._decoded(piece))
            there += len(parts[-1])
        self._text = "".join(parts)
        return True

    def _decoded(self, piece: bytes) -> str:
        if self._is_first and piece.startswith(_BOM):
            piece = piece.removeprefix(_BOM)
            self._bytes_before += len(_BOM)
        self._is_first = False
        try:
            return piece.decode("utf-8")
        except UnicodeDecodeError:
            raise MalformedError(f"{self._name}: not UTF-8; save the file as UTF-8") from None

    def _unique(self, pairs: list[tuple[str, Value]]) -> dict[str, Value]:
        found = dict(pairs)
        if len(found) < len(pairs):
            seen: set[str] = set()
            twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
            self.fail(f"the field “{shown_name(twice)}” is there twice")
        return found

    def _no_constant(self, name: str) -> NoReturn:
        self.fail(f"{name} is no number of JSON")


def _exact(text: str) -> Decimal:
    return Decimal(text)


class Member:
    """One object of the list, read by the names that its fields have in CSV.

    Attributes:
        machine: how many of its fields hold machine translations.
    """

    def __init__(self, where: str, value: dict[str, Value]) -> None:
        self._where = where
        self._value = value
        self.machine = sum(isinstance(each, dict) and MACHINE in each for each in value.values())

    def kind(self) -> EntityClass:
        """Return what it is, by its fields.

        Raises:
            MalformedError: none of the known classes.
        """
        has = self._value.__contains__
        if has("commentable_type"):
            return "comment"
        if has("body") and (has("votes") or has("supports") or has("is_amend")):
            return "proposal"
        if has("proposal_urls") or (has("progress") and has("description")):
            return "result"
        if has("information_updates") or has("conclusions"):
            return "debate"
        raise MalformedError(f"{self._where}: none of a proposal, a comment, a debate or a result of Decidim")

    def has(self, name: str) -> bool:
        """Return whether there is a field of this name."""
        return self._found(name)[1]

    def text(self, name: str) -> str:
        """Return a field, "" where it is absent, empty, a list or an object; one element of a list stands for it."""
        value = self._found(name)[0]
        return _said(value[0] if isinstance(value, list) and len(value) == 1 else value)

    def texts(self, name: str) -> dict[str, str]:
        """Return a translated field by locale, without machine translations and what is empty."""
        value = self._found(name)[0]
        if isinstance(value, dict):
            return _by_locale(value)
        return {UNDETERMINED: value} if isinstance(value, str) and value else {}

    def fields(self, name: str) -> list[tuple[str, str]]:
        """Return the locales and texts of fields that decidim_awesome adds (`name/FIELD/LOCALE`), in their order."""
        parts = [(field.split("/"), value) for field, value in self._value.items() if field.startswith(f"{name}/")]
        return [
            (part[2], said)
            for part, value in parts
            if len(part) == 3 and LOCALE.fullmatch(part[2]) and (said := _said(value))
        ]

    def counts(self, name: str) -> dict[str, str]:
        """Return what is counted under labels."""
        value = self._found(name)[0]
        if not isinstance(value, dict):
            return {}
        return {label: said for label, count in value.items() if (said := _said(count))}

    def items(self, name: str) -> tuple[str, ...]:
        """Return a list of numbers or addresses; null is "", so that each keeps its place."""
        value = self._found(name)[0]
        if isinstance(value, list):
            return tuple(_said(each) for each in value)
        return (said,) if (said := _said(value)) else ()

    def names(self, name: str) -> tuple[dict[str, str], ...] | None:
        """Return a list of names by locale, None where it is none."""
        value = self._found(name)[0]
        listed = [] if value in (None, "") else value if isinstance(value, list) else [value]
        found = tuple(_by_locale(each) for each in listed if isinstance(each, dict))
        return found if len(found) == len(listed) else None

    def wrong(self, name: str, why: str) -> MalformedError:
        """Return the error about a field."""
        return MalformedError(f"{self._where} ({shown_name(name)}): {why}")

    def _found(self, name: str) -> tuple[Value, bool]:
        if name in self._value:
            return self._value[name], True
        above, _, last = name.partition("/")
        within = self._value.get(above)
        return (within[last], True) if isinstance(within, dict) and last in within else (None, False)


def _said(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | Decimal | str) else ""


def _by_locale(value: dict[str, Value]) -> dict[str, str]:
    return {name: text for name, text in value.items() if isinstance(text, str) and text and LOCALE.fullmatch(name)}
