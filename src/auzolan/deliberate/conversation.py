"""What a reader returns: one conversation, free of names.

Readers (`polis`, `survey`) turn outside files into this; nobody's name, e-mail
or number in the source is in it, only pseudonyms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from auzolan.deliberate.votes import VoteTable

Pseudonym = Callable[[str], str]
Moderation = Literal["in", "out", "open"]


@dataclass(frozen=True)
class Statement:
    """One statement that people voted on.

    Attributes:
        id: as in the source.
        text: "" when it is moderated out or the source has no texts.
        moderation: "in", "out", or "open" when nobody decided.
        is_meta: about the conversation itself, as the source marks it.
        is_seed: put there by the organisers, as the source marks it.
    """

    id: int
    text: str = ""
    moderation: Moderation = "open"
    is_meta: bool = False
    is_seed: bool = False


@dataclass(frozen=True)
class Cleaning:
    """One rule that was applied to the source and what it removed or changed.

    Attributes:
        rule: plain words, the same in every import.
        votes: how many votes it removed.
        others: what else it removed or changed, such as participants or texts.
    """

    rule: str
    votes: int = 0
    others: int = 0


@dataclass(frozen=True)
class Conversation:
    """A conversation as it was read.

    Attributes:
        tool: "polis", "survey", "decidim-survey" or "decidim-rest-full".
        layout: which files were read, in plain words.
        topic: as the source states it, or "".
        url: as the source states it, or "".
        agree_sign: +1 where the source writes agree as +1, -1 where as -1, 0 where it uses words.
        sign_evidence: how that was established, in plain words.
        table: the votes.
        statements: all statements of the source, by id.
        strata: name -> pseudonym -> value, for participants with a vote.
        cleaning: every rule that was applied, in order, also those that removed nothing.
        rows_read: votes in the source, before cleaning.
        published_groups: participants per group as the source publishes them, or ().
    """

    tool: str
    layout: str
    table: VoteTable
    statements: tuple[Statement, ...]
    agree_sign: int
    sign_evidence: str
    rows_read: int
    topic: str = ""
    url: str = ""
    strata: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    cleaning: tuple[Cleaning, ...] = ()
    published_groups: tuple[tuple[str, ...], ...] = ()

    @property
    def moderated_out(self) -> frozenset[int]:
        """Ids of the statements that were moderated out."""
        return frozenset(statement.id for statement in self.statements if statement.moderation == "out")

    @property
    def left_out_of_statistics(self) -> frozenset[int]:
        """Ids of the statements that Polis leaves out of its consensus and representative statements.

        Those moderated out, and those about the conversation itself (meta), which Polis lists as moderated out too.
        """
        return left_out(self.statements)


def left_out(statements: Iterable[Statement]) -> frozenset[int]:
    """Return the ids of statements that are moderated out or about the conversation itself."""
    return frozenset(each.id for each in statements if each.moderation == "out" or each.is_meta)
