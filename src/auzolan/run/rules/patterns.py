"""Topics of a table: what they look for is compiled here once, to refuse what can never work.

Refused is what RE2 does not compile, what is found in every text, and what
could never be found because texts are normalised before they are searched
(NFKC, without invisible characters). Searching is the matter of `run.checks`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import re2

from auzolan.core.record.canonical import JsonValue, as_object, only_keys
from auzolan.core.record.errors import MalformedError
from auzolan.run.rules.facts import ANSWER, Topic
from auzolan.run.rules.forms import read_id, read_texts
from auzolan.run.rules.lengths import length_of
from auzolan.run.rules.ruleset import SIDES

MAX_SEARCHED = 20_000
"""Words and patterns of a table, together."""
MAX_CHARACTERS = 1_000_000
"""Of all of them: what this many take to compile is the most that a table can cost."""
MAX_WORD = 100
MAX_PATTERN = 1_000
_COMPILED_BYTES = 1 << 20


def read_topic(value: JsonValue, where: str) -> Topic:
    """Read one of `[[topics]]`; whether it can work, `check_topics` says.

    Raises:
        MalformedError: with the path of what is wrong.
    """
    table = as_object(value, where)
    only_keys(table, frozenset({"id", "words", "patterns", "in"}), where)
    name = read_id(table.get("id"), f"{where}.id")
    where = f"topic '{name}'"
    words = read_texts(table.get("words", []), f"{where}: words", MAX_WORD, MAX_SEARCHED)
    patterns = read_texts(table.get("patterns", []), f"{where}: patterns", MAX_PATTERN, MAX_SEARCHED)
    if not words and not patterns:
        raise MalformedError(f"{where}: expected words or patterns to look for, got neither")
    sides = frozenset(read_texts(table["in"], f"{where}: in", 20, 2, SIDES)) if "in" in table else frozenset(SIDES)
    if not sides:
        raise MalformedError(f'{where}: in: expected "request", "answer" or both')
    return Topic(name, words, patterns, sides)


def check_topics(topics: Sequence[Topic]) -> None:
    """Check that there are not too many words and patterns, and that each can be found.

    Raises:
        MalformedError: with the place of the first that is wrong.
    """
    searched = [text for topic in topics for text in (*topic.words, *topic.patterns)]
    if len(searched) > MAX_SEARCHED or sum(map(len, searched)) > MAX_CHARACTERS:
        raise MalformedError(
            f"topics: {len(searched)} words and patterns of {sum(map(len, searched))} characters, at most "
            f"{MAX_SEARCHED} of {MAX_CHARACTERS} characters are searched for"
        )
    for topic in topics:
        where = f"topic '{topic.id}'"
        for place, word in enumerate(topic.words, 1):
            _check_word(word, f"{where}: words, number {place}")
        for place, pattern in enumerate(topic.patterns, 1):
            _check_pattern(pattern, topic.sides, f"{where}: patterns, number {place}")


def _normal(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKC", text) if unicodedata.category(char) != "Cf")


def _check_word(word: str, where: str) -> None:
    if not any(char.isalnum() for char in _normal(word)):
        raise MalformedError(f"{where}: expected a word or a phrase with a letter or a digit")


def _check_pattern(pattern: str, sides: frozenset[str], where: str) -> None:
    if _normal(pattern) != pattern:
        raise MalformedError(
            f"{where}: it can never be found, for texts are searched in their normal form (NFKC, without invisible "
            "characters) and this pattern is not in it"
        )
    options = re2.Options()
    options.case_sensitive, options.log_errors, options.max_mem = False, False, _COMPILED_BYTES
    try:
        re2.compile(pattern, options=options)
    except re2.error as error:
        reason = error.args[0].decode("utf-8", "replace") if error.args else "no reason given"
        raise MalformedError(f"{where}: RE2 does not compile it: {reason[:200]}") from None
    if "\\C" in pattern:
        raise MalformedError(f"{where}: \\C matches parts of characters; write . for any character")
    length = length_of(pattern)
    if length.shortest == 0:
        raise MalformedError(f"{where}: it matches no characters at all, so it would be found in every text")
    if length.at_ends and ANSWER in sides:
        raise MalformedError(
            f"{where}: ^, $, \\A and \\z ask for the ends of a text, and an answer is searched piece by piece; leave "
            'them out, or look only in requests: in = ["request"]'
        )
