"""From the people's vote on a draft to the constitution: whose votes ratified which wording.

Pure. Not here: applying the rules to the votes (`ratify.selection`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from auzolan.core.kinds.constitution import Constitution, Draft, Principle
from auzolan.core.record.errors import UsageError, VerificationError
from auzolan.deliberate.conversation import Statement, left_out

_NUMBER = re.compile(r"^\s*(?:article\s+)?([0-9]{1,4}\.[0-9]{1,4})[.:)]?\s+", re.IGNORECASE)


def wording_of(text: str) -> str:
    """Return a text without the number in front of it and without differences of space."""
    return " ".join(_NUMBER.sub("", text).split())


def voted_as(principles: Sequence[Principle], statements: Sequence[Statement]) -> dict[str, int]:
    """Return number of a principle -> id of the statement of a vote that is its wording, word for word.

    A statement may have the principle's own number in front, and no other: "2.5 percent for parks" is no wording of
    "3.5 percent for parks". Statements that were moderated out of the vote are passed over.

    Raises:
        UsageError: a principle was not voted on, or twice; or something else was voted on.
    """
    aside = left_out(statements)
    texts = {each.id: each.text for each in statements if each.id not in aside}
    of_words: dict[tuple[str, str], list[int]] = {}
    for statement, text in texts.items():
        for words in _readings(text):
            of_words.setdefault(words, []).append(statement)
    found: dict[str, int] = {}
    for principle in principles:
        plain = _spaced(principle.text)
        ids = [*of_words.get(("", plain), []), *of_words.get((principle.number, plain), [])]
        ids = [each for each in ids if each not in found.values()]
        if len(ids) != 1:
            how = "not" if not ids else f"{len(ids)} times"
            raise UsageError(f"principle {principle.number} was {how} voted on in its wording: {principle.text[:80]!r}")
        found[principle.number] = ids[0]
    for statement in sorted(texts.keys() - found.values()):
        what = _spaced(texts[statement])[:80]
        raise UsageError(f"statement {statement} of the vote is not in the draft: {what!r}; moderate it out")
    return found


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _readings(text: str) -> Iterator[tuple[str, str]]:
    """Yield what a text may be: words without a number, and a number with words."""
    yield "", _spaced(text)
    if number := _NUMBER.match(text):
        yield number[1], _spaced(text[number.end() :])


def statements_in_vote(principles: Sequence[Principle], voted: Mapping[str, int]) -> dict[int, int]:
    """Return statement of the conversation -> statement of the vote that words it."""
    return {statement: voted[each.number] for each in principles for statement in each.statements}


def verify_wording(constitution: Constitution, draft: Draft, statements: Sequence[Statement]) -> Constitution:
    """Return `constitution` if it has the draft's wording, and that wording was voted on.

    Args:
        constitution: to be checked.
        draft: that it names.
        statements: of the snapshot of the vote.

    Raises:
        VerificationError: it says something else.
    """
    if (constitution.title, constitution.principles) != (draft.title, draft.principles):
        raise VerificationError("the constitution is not worded as the draft that was voted on")
    try:
        voted = voted_as(draft.principles, statements)
    except UsageError as error:
        raise VerificationError(f"the vote was not on this draft: {error}") from None
    if voted != dict(constitution.voted_as):
        raise VerificationError("the constitution counts the votes on other statements than those that word it")
    return constitution
