"""Edge: from the number of an article to its words, and to the votes and statements behind it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from auzolan.cli.ballots import Evidence
from auzolan.cli.output import JsonDict, plain
from auzolan.cli.publish import charter_of
from auzolan.core.record.record import Record
from auzolan.core.record.view import LedgerView

if TYPE_CHECKING:
    from auzolan.deliberate.charter.view import Entry


class Articles:
    """The articles of one constitution and of the rights floor, with the votes behind them.

    What stands here is counted once, when it is first asked for.
    """

    def __init__(self, ledger: LedgerView, evidence: Evidence, constitution: Record) -> None:
        self._ledger, self._evidence, self._constitution = ledger, evidence, constitution
        self._floor = {each.id: each.text for each in ledger.chain.current.rules.rights_floor}
        self._entries: dict[str, Entry] | None = None

    def about(self, number: str) -> JsonDict:
        """Return the words of an article, and who voted for it.

        Returns:
            "article", "text", and for an article of the constitution "votes" (sentences) and "statements".
        """
        if number in self._floor:
            return {
                "article": number,
                "text": self._floor[number],
                "votes": ["a right in the rules of this commons, which no vote lowers"],
                "statements": [],
            }
        entry = self._of_constitution().get(number)
        if entry is None:
            return {"article": number, "text": "", "votes": ["no such article is in force"], "statements": []}
        return {
            "article": number,
            "text": entry.text.words,
            "votes": _sentences(entry),
            "statements": [{"id": each, "text": text} for each, text in entry.sources],
        }

    def _of_constitution(self) -> dict[str, Entry]:
        if self._entries is None:
            charter = charter_of(self._ledger, self._evidence, self._constitution)
            self._entries = {entry.label: entry for entry in charter.articles}
        return self._entries


def _sentences(entry: Entry) -> list[str]:
    from auzolan.deliberate.charter.sentences import support
    from auzolan.deliberate.charter.speaker import Speaker
    from auzolan.deliberate.charter.words import words_of

    speaker = Speaker(words_of("en"), str, str)
    return [str(each) for each in support(entry, speaker)]


def lines_of(about: JsonDict) -> Iterable[str]:
    """Yield what `Articles.about` returned, for a terminal."""
    yield f"article {plain(about['article'], 40)}: {plain(about['text'], 400)}"
    for sentence in about["votes"]:
        yield f"  {plain(sentence, 400)}"
    for statement in about["statements"]:
        yield f"  from statement #{statement['id']}: {plain(statement['text'], 300)}"
