"""Words as they are compared: without case, accents and punctuation; and the numbers among them.

Made for English, Spanish, Catalan and Basque. ñ and ç are letters of their own and stay ("año" is not "ano"); the
Catalan l·l is "ll". A decimal sign stays as a point, and the sign between thousands goes: "1.000" and "1,000" are
"1000", "9:30" is "9.30". What stands in a script without spaces is one long word: such phrases are not found.
"""

from __future__ import annotations

import re
import unicodedata

_KEPT = {"\u0303": "n", "\u0327": "c"}  # combining tilde after n, cedilla after c
_THOUSANDS = re.compile(r"(?<![\d.,])(\d{1,3})(?:[.,]\d{3})+(?![\d]|[.,]\d)")
_DECIMAL = re.compile(r"(?<=\d)[.,:](?=\d)")
_POINT = "\ue000"  # private use; taken out of the text first
_NOT_WORD = re.compile(rf"[^\w{_POINT}]+|_")


def fold(text: str) -> str:
    """Return the words of `text`, folded, with single spaces between them."""
    plain = unicodedata.normalize("NFKD", text.replace(_POINT, " ")).casefold()
    letters: list[str] = []
    for letter in plain:
        if not unicodedata.combining(letter):
            letters.append(letter)
        elif letters and _KEPT.get(letter) == letters[-1]:
            letters[-1] = unicodedata.normalize("NFC", letters[-1] + letter)
    folded = re.sub(r"(?<=l)[·\u2027](?=l)", "", "".join(letters))
    folded = _THOUSANDS.sub(lambda found: re.sub("[.,]", "", found[0]), folded)
    return " ".join(_NOT_WORD.sub(" ", _DECIMAL.sub(_POINT, folded)).split()).replace(_POINT, ".")


def has_phrase(text: str, phrase: str) -> bool:
    """Say whether the words of `phrase` stand in `text` one after the other.

    Raises:
        ValueError: the phrase has no word.
    """
    return f" {_words_of(phrase)} " in f" {fold(text)} "


def ends_with_phrase(text: str, phrase: str) -> bool:
    """Say whether the words of `phrase` are the last of `text`.

    Raises:
        ValueError: the phrase has no word.
    """
    return f" {fold(text)}".endswith(f" {_words_of(phrase)}")


def n_words(text: str) -> int:
    """Return how many words `text` has."""
    return len(fold(text).split())


def _words_of(phrase: str) -> str:
    folded = fold(phrase)
    if not folded:
        raise ValueError("expected a phrase with at least one word")
    return folded
