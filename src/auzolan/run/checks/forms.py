"""The two forms in which characters are compared: as Unicode writes them alike, and as they look alike.

`plain_of` is NFKC: full-width, mathematical and other presentation forms become
ordinary letters. `skeleton_of` goes on: accents go, letters of other scripts
that are drawn like Latin ones become Latin, signs become ASCII ones. As in the
Spanish order of letters, ñ and ç stay letters of their own: "año" is not "ano".

After Unicode UTS 39 (confusables) and DerivedCoreProperties
(Default_Ignorable_Code_Point), but the table is small: look-alikes of the basic
Latin letters only. Not covered: letters turned into digits ("w3apon"), letters
spelled apart ("b o m b"), words written backwards, misspellings.

Marks go onto letters and often stand where nobody would look for them, so the
skeleton keeps one only on a letter of its own script, and only where a script
cannot do without (vowel signs and nuktas of India, Thai vowels, kana's voicing).
Arabic, Hebrew, Syriac, Greek and Cyrillic words are compared without theirs, a
community's words and the text alike: readers leave points and accents out.
The plain form keeps all of them.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

VISIBLE, MARK, HIDDEN, SPACE = range(4)
"""What a character is: one that stands for itself, one that goes onto the last, one that nobody sees, white space."""

SPACES = "\t\n\r "
_LINE_ENDS = "\x0b\x0c\x85\u2028\u2029"

# Default_Ignorable_Code_Point, and what a reader sees nothing of or nothing sensible in (controls, lone surrogates).
_HIDDEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u2800\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffd"
    "\U00013441\U00013442\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# Marks that go onto any letter, and second halves of Hangul syllables.
_COMMON_MARK = re.compile("[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")
# Scripts that are read without their marks, and the marks that belong to two scripts.
_POINTED = frozenset({"ARABIC", "HEBREW", "SYRIAC", "GREEK", "CYRILLIC"})
_KANA, _VOICED, _HALF_WIDTH_VOICED = frozenset({"HIRAGANA", "KATAKANA"}), "\u3099\u309a", "\uff9e\uff9f"
_JAMO = re.compile("[\u1161-\u11ff\ud7b0-\ud7ff]")
_OWN_LETTERS = {("n", "\u0303"): "ñ", ("N", "\u0303"): "Ñ", ("c", "\u0327"): "ç", ("C", "\u0327"): "Ç"}
_QUOTES = {"‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'", "ʼ": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"'}


def _alike() -> dict[str, str]:
    pairs = (
        # Cyrillic
        ("аеорсухіјѕԁɡһԛѡвкмнтгпиӏүԍъьЬ", "aeopcyxijsdghqwbkmhtrnulygbbb"),
        ("АЕОРСУХІЈЅԀԌҺԚԜВКМНТПӀҮ", "AEOPCYXIJSDGhQWBKMHTNIY"),
        # Greek
        ("αορικνυτχωηεγβϲϳσ", "aopiknutxwneybcjo"),
        ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹͿ", "ABEZHIKMNOPTYXCJ"),
        # Latin with a bar, a hook or no dot; small capitals
        ("ıɑøØłŁđĐħĦŧŦɓɗƙɦɨʋƴɩɪȷ", "iaoOlLdDhHtTbdkhivyiij"),
        ("ᴀʙᴄᴅᴇꜰɢʜᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghjklmnoprstuvwyz"),
        # Armenian, Cherokee, Lisu
        ("օսհոցյԼՏՍ", "ouhngjLSU"),
        ("ᎪᏴᏟᎠᎬᏀᎻᎥᎫᏦᏞᎷᏢᎡᏚᎢᏙᎳᏃ", "ABCDEGHiJKLMPRSTVWZ"),
        ("ꓐꓑꓓꓔꓖꓗꓙꓚꓜꓝꓟꓠꓡꓢꓣꓦꓧꓪꓫꓬꓮꓰꓲꓳꓴ", "BPDTGKJCZFMNLSRVHWXYAEIOU"),
    )
    found = {odd: latin for odds, latins in pairs for odd, latin in zip(odds, latins, strict=True)}
    for first in (0x1F150, 0x1F170, 0x1F1E6):  # white on black, in boxes, and flags' letters
        found |= {chr(first + place): chr(0x41 + place) for place in range(26)}
    return found


_ALIKE = _alike()


@lru_cache(maxsize=1 << 14)
def sort_of(char: str) -> int:
    """Return whether a character is VISIBLE, a MARK, HIDDEN or SPACE."""
    if char in SPACES or char in _LINE_ENDS:
        return SPACE
    category = unicodedata.category(char)
    if category == "Cf" or _HIDDEN.match(char):
        return HIDDEN
    if category[0] == "M" or _JAMO.match(char):
        return MARK
    return SPACE if category == "Zs" else VISIBLE


def space_of(char: str) -> str:
    """Return how a white-space character is compared."""
    if char in SPACES:
        return char
    return "\n" if char in _LINE_ENDS else " "


@lru_cache(maxsize=1 << 14)
def plain_of(cluster: str) -> str:
    """Return how a character with its marks is compared as it is written."""
    return unicodedata.normalize("NFKC", cluster)


@lru_cache(maxsize=1 << 14)
def skeleton_of(cluster: str) -> str:
    """Return how a character with its marks is compared as it looks."""
    found: list[str] = []
    # Half-width kana have their voicing in a character of its own, a letter to Unicode.
    letter = "KATAKANA" if cluster[:1] in tuple(_HALF_WIDTH_VOICED) else ""
    for char in unicodedata.normalize("NFKD", cluster):
        if _COMMON_MARK.match(char) or unicodedata.category(char)[0] == "M":
            if found and (own := _OWN_LETTERS.get((found[-1], char))):
                found[-1] = own
            elif letter and _is_needed(char, letter):
                found.append(char)
        else:
            found.append(_looks(char))
            letter = _script_of(found[-1])
    return "".join(found)


def _is_needed(mark: str, script: str) -> bool:
    """Return whether a mark makes another letter of one of this script."""
    if mark in _VOICED:
        return script in _KANA
    return script not in _POINTED and _script_of(mark) == script


@lru_cache(maxsize=1 << 14)
def _script_of(char: str) -> str:
    """Return the script that a character's name begins with, "" where none does; Python knows no other property."""
    if char.isascii():
        return ""
    return next((part for part in unicodedata.name(char, "").split() if part != "COMBINING"), "")


def _looks(char: str) -> str:
    if char.isascii():
        return char
    if alike := _ALIKE.get(char) or _QUOTES.get(char):
        return alike
    category = unicodedata.category(char)
    if category == "Nd":
        return str(unicodedata.decimal(char))
    if category[0] in "LMN":
        return char
    return {"Zs": " ", "Zl": "\n", "Zp": "\n", "Pd": "-", "Sc": "$"}.get(category, "~")
