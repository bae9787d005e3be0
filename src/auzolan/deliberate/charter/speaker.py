"""How a face says things: the words of a language, made safe and marked for where they stand.

Not here: which message is true (`sentences`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from auzolan.deliberate.charter.words import Words

_COMMAND = re.compile(r"`([^`]*)`")
_NO_BREAK = "\N{NO-BREAK SPACE}"
_SHORT = 16


class Said(str):
    """Text that is ready for its face: nothing in it is to be made safe again."""

    __slots__ = ()


@dataclass(frozen=True)
class Speaker:
    """A language and a face.

    Attributes:
        words: the language.
        safe: makes text from outside safe for the face.
        command: marks what is typed on a command line.
    """

    words: Words
    safe: Callable[[str], str]
    command: Callable[[str], str]

    def say(self, key: str, **values: str | int) -> Said:
        """Return a message; numbers as the language writes them, other values made safe.

        The messages themselves hold nothing that a face would misread; tests check it.
        """
        n = values.get("n")
        template = self.words.message(key, n if isinstance(n, int) else None)
        shown = {name: self.shown(value) for name, value in values.items()}
        parts = _COMMAND.split(template)  # every other part is a command
        said = [
            self.command(part.format(**shown)) if place % 2 else part.format(**shown)
            for place, part in enumerate(parts)
        ]
        return Said("".join(said))

    def shown(self, value: str | int) -> str:
        """Return a value ready for the face."""
        if isinstance(value, Said):
            return value
        return self.words.number(value) if isinstance(value, int) else self.safe(value)

    def all_of(self, parts: Sequence[str]) -> Said:
        """Return "A, B and C"."""
        return Said(self.words.listed([self.shown(part) for part in parts]))

    def percent(self, part: int, whole: int) -> Said:
        """Return a share in percent."""
        return self.own(self.words.percent(part, whole))

    def own(self, text: str) -> Said:
        """Return text of the language itself; its no-break spaces stay, which text from outside must not hold."""
        return Said(_NO_BREAK.join(self.safe(part) for part in text.split(_NO_BREAK)))

    def short(self, record_id: str) -> str:
        """Return enough of a record's id to name it."""
        return record_id[:_SHORT]
