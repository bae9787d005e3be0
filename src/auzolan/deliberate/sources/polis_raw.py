"""What both readers of Polis files hand over: votes as they stand in the source, and all around them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from auzolan.deliberate.conversation import Moderation, Pseudonym, Statement
from auzolan.deliberate.sources.sign import Sign
from auzolan.deliberate.sources.texts import Texts
from auzolan.deliberate.votes import Rows

Progress = Callable[[str, int], None]
VOTE_OF = {"1": 1, "0": 0, "-1": -1}
MODERATION: Mapping[int, Moderation] = {-1: "out", 0: "open", 1: "in"}
LATEST = 2**63 - 1
_STEP = 100_000


def no_progress(member: str, rows: int) -> None:
    """Show nothing."""


def step(progress: Progress, member: str, rows: int) -> None:
    """Show progress now and then."""
    if rows % _STEP == 0:
        progress(member, rows)


class Names(dict[str, str]):
    """The pseudonym of each participant by the id in the source, each made once."""

    def __init__(self, pseudonym: Pseudonym) -> None:
        super().__init__()
        self._pseudonym = pseudonym

    def __missing__(self, raw: str) -> str:
        self[raw] = self._pseudonym(raw)
        return self[raw]


@dataclass(frozen=True)
class RawConversation:
    """A conversation before its votes are packed.

    Attributes:
        layout: which files were read.
        rows: the votes with the signs of the source.
        sign: how agree is written in them.
        statements: by id, those that the source describes.
        texts: what was cleaned in them.
        listed: pseudonyms of participants that the source names, with or without votes.
        groups: group id -> pseudonyms, as the source publishes them.
        topic: as the source states it, or "".
        url: as the source states it, or "".
    """

    layout: str
    rows: Rows
    sign: Sign
    statements: Mapping[int, Statement]
    texts: Texts
    listed: frozenset[str] = frozenset()
    groups: Mapping[int, list[str]] = field(default_factory=dict)
    topic: str = ""
    url: str = ""
