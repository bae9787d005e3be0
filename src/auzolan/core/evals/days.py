"""How many days a text speaks of, in English, Spanish, Catalan and Basque.

Digits, and the words for 1 to 31, before a word for days ("10 working days", "diez días hábiles", "deu dies",
"hamar eguneko"; in Basque "egun bat" is one day). Of a range both ends. Weeks and months are not turned into days,
and dates are no days. "Un día llegó" counts
as one day.
"""

from __future__ import annotations

import re

from auzolan.core.evals.text import fold

_NUMBERS = {
    "en": "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty twenty-one twenty-two twenty-three twenty-four twenty-five twenty-six twenty-seven "
    "twenty-eight twenty-nine thirty thirty-one",
    "es": "un dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete "
    "dieciocho diecinueve veinte veintiún veintidós veintitrés veinticuatro veinticinco veintiséis veintisiete "
    "veintiocho veintinueve treinta treinta-y-un",
    "ca": "un dos tres quatre cinc sis set vuit nou deu onze dotze tretze catorze quinze setze disset divuit dinou "
    "vint vint-i-un vint-i-dos vint-i-tres vint-i-quatre vint-i-cinc vint-i-sis vint-i-set vint-i-vuit vint-i-nou "
    "trenta trenta-un",
    "eu": "bat bi hiru lau bost sei zazpi zortzi bederatzi hamar hamaika hamabi hamahiru hamalau hamabost hamasei "
    "hamazazpi hemezortzi hemeretzi hogei hogeita-bat hogeita-bi hogeita-hiru hogeita-lau hogeita-bost hogeita-sei "
    "hogeita-zazpi hogeita-zortzi hogeita-bederatzi hogeita-hamar hogeita-hamaika",
}
_VALUES = {fold(word): value for words in _NUMBERS.values() for value, word in enumerate(words.split(), 1)}
_NUMBER = "|".join([r"\d+(?:\.\d+)?", *sorted(_VALUES, key=len, reverse=True)])
_RANGE = re.compile(r"(?<=\d)\s*[-–—]\s*(?=\d)")
_BETWEEN = r"(?:to|and|or|y|o|a|i|edo|eta)"
_SORT = r"(?: (?:working|business|calendar|full|whole|clear))?"
_UNIT = r"(?:days?|dias?|dies|dia|egun(?:a|ak|ek|en|ez|etan|eko|etako|eko|era|etik|ean|eren)?)"
# A number alone first: "treinta y un días" are 31, and no range.
_DAYS = re.compile(rf"\b(?:({_NUMBER}){_SORT} {_UNIT}|({_NUMBER}) {_BETWEEN} ({_NUMBER}){_SORT} {_UNIT})\b")
_ONE_DAY = re.compile(r"\begun bat(?:ean|eko|ez|era|etik)?\b")


def days_named(text: str) -> frozenset[int]:
    """Return the numbers of days that `text` names, whole ones only."""
    folded = fold(_RANGE.sub(" to ", text))
    found = {number for match in _DAYS.finditer(folded) for number in match.groups() if number}
    days = {_VALUES.get(number) or int(number) for number in found if "." not in number and len(number) < 16}
    return frozenset(days | ({1} if _ONE_DAY.search(folded) else set()))
