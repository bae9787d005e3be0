"""What rules see and what they say: facts, never a text; a decision with everything that matched.

Here are only the values that the parts of `run` hand each other. `table` reads
rules, `decide` applies them, `explain` puts them into words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

REQUEST, ANSWER = "request", "answer"
ALLOW, DENY, REDACT, WARN = "allow", "deny", "redact", "warn"
HOLD, CUT, FULL = "hold", "cut", "full"
"""How an answer is released while a rule may still stop it: nothing forbidden is ever sent; it is sent as it comes
and ends where it becomes forbidden; nothing is sent before all of it was checked."""


@dataclass(frozen=True)
class Topic:
    """Something to look for in texts, by program.

    Attributes:
        id: as rules name it.
        words: whole words or phrases; case, width and invisible characters make no difference.
        patterns: regular expressions of RE2, matched likewise.
        sides: in which texts, of "request" and "answer".
    """

    id: str
    words: tuple[str, ...]
    patterns: tuple[str, ...]
    sides: frozenset[str]


@dataclass(slots=True)
class Facts:
    """All that a decision may rest on; not frozen, because several are made for every answer, but never changed.

    Attributes:
        side: "request" before the model is asked, "answer" after.
        topics: ids of the topics that were found in the text.
        personal: kinds of personal data found in it, such as "iban".
        labels: what else is known of it, such as "role-markers", "violates:2.1" (a judge) or "no-verdict:JUDGE".
        language: of the request's text, a BCP 47 tag, "" where it cannot be told.
        adapters: ids of the adapters that take part.
        integrity: "verified", "claimed" or "unverified".
        tools: names of the tools that the request offers to the model.
        undeclared: what the request asks for and the service does not declare, such as "tool:shell".
        log_view: "fresh", "stale" or "unwitnessed": how current the runtime's copy of the community's log is.
        named_human: whether the request names a person who is responsible for what is done with the answer.
        characters: of the request's text.
        tokens: that the request allows the answer to have.
    """

    side: str
    topics: frozenset[str] = frozenset()
    personal: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    language: str = ""
    adapters: frozenset[str] = frozenset()
    integrity: str = "unverified"
    tools: frozenset[str] = frozenset()
    undeclared: frozenset[str] = frozenset()
    log_view: str = "unwitnessed"
    named_human: bool = False
    characters: int = 0
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Matched:
    """A rule that matched.

    Attributes:
        rule: its id.
        effect: "allow", "deny", "redact" or "warn".
        article: number of the article that it is of, or an id of the rights floor, or "".
        why: in plain words, as its authors wrote it; shown to whoever asked.
        release: "hold", "cut" or "full"; of use only for denials of answers.
        redacts: kinds of personal data that it blots out.
    """

    NOTHING_ALLOWS: ClassVar[str] = "nothing-allows-it"
    UNDECLARED: ClassVar[str] = "undeclared"
    ERROR: ClassVar[str] = "error"

    rule: str
    effect: str
    article: str
    why: str
    release: str = HOLD
    redacts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Decision:
    """What the rules say about some facts.

    Attributes:
        denied: whether any denial matched, nothing allows it, or something went wrong.
        matched: every rule that matched, denials first, then in the order of the file; what the program itself denies
            (`Matched.NOTHING_ALLOWS`, `UNDECLARED`, `ERROR`) stands here like a rule.
        redacts: kinds of personal data to be blotted out.
        release: the strictest way of release among the denials that matched ("full", then "hold", then "cut").
    """

    denied: bool
    matched: tuple[Matched, ...]
    redacts: frozenset[str] = frozenset()
    release: str = HOLD
