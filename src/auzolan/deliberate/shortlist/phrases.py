"""What the kit says, by language: `languages/*.toml`, for people who translate and do not program.

Numbers, lists and quotation marks are those of `charter.words`. Not here: what is said when (`kit`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

from auzolan.core.record.errors import UsageError
from auzolan.deliberate.charter.words import LANGUAGES, Words, primary, words_of
from auzolan.deliberate.shortlist.candidates import ALL, BETWEEN, HIDDEN, NOT_TOLD
from auzolan.deliberate.votes import AGREE, DISAGREE, PASS

_OPTIONS = ((AGREE, "agree"), (DISAGREE, "disagree"), (PASS, "pass"))
_ORIGINS = ("meeting", "participant", "official", "group")


@dataclass(frozen=True)
class Phrases:
    """One language of the kit.

    Attributes:
        words: the language, with the messages of the kit.
        months: as a list of months names them.
    """

    words: Words
    months: tuple[str, ...]

    def say(self, key: str, **values: str | int) -> str:
        """Return a message; numbers as the language writes them; `n` chooses between one and other."""
        n = values.get("n")
        message = self.words.message(key, n if isinstance(n, int) else None)
        shown = {k: self.words.number(v) if isinstance(v, int) else v for k, v in values.items()}
        return message.format(**shown)

    def options(self) -> tuple[tuple[int, str], ...]:
        """Return what each option of an answer means, and what it is called, in the order of the survey."""
        return tuple((vote, self.say(key)) for vote, key in _OPTIONS)

    def group(self, name: str, by: str) -> str:
        """Return the name of a group; what people named stays as it is."""
        known = {ALL: "all", HIDDEN: "hidden", NOT_TOLD: "not_told"}
        origins = {each: f"origin_{each}" for each in _ORIGINS} if by.startswith("origin") else {}
        parts = name.split(BETWEEN)
        named = [(origins | known if at == 0 else known).get(part) for at, part in enumerate(parts)]
        return BETWEEN.join(self.say(key) if key else part for part, key in zip(parts, named, strict=True))

    def numbers(self, numbers: Sequence[int]) -> str:
        """Return statements by their numbers: 1 to 3 as 1-3."""
        runs: list[list[int]] = []
        for each in numbers:
            if runs and each == runs[-1][1] + 1:
                runs[-1][1] = each
            else:
                runs.append([each, each])
        return ", ".join(f"{first}" if first == last else f"{first}-{last}" for first, last in runs)


@cache
def phrases_of(language: str) -> Phrases:
    """Return the phrases of a language; those of its primary language where a region is told.

    Raises:
        UsageError: there are none.
    """
    own = primary(language)
    if own not in LANGUAGES:
        raise UsageError(f"the kit cannot speak {language[:20]!r} yet, only {', '.join(LANGUAGES)}")
    source = files("auzolan.deliberate.shortlist").joinpath("languages", f"{own}.toml")
    table = tomllib.loads(source.read_text(encoding="utf-8"))
    return Phrases(replace(words_of(own), text=table["text"]), tuple(table["meta"]["months"]))
