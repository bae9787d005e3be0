"""Which of English, Spanish, Catalan and Basque a text is in, by its small words.

Counts words that are common in one of the four and rare in the others, and a few endings and letters. Deterministic,
no model. Says nothing ("") where there is no such word or no clear lead, and where a text looks more like French,
Galician or Portuguese, which are known only so that they are not taken for their neighbours; other languages are
taken for anything. Names alone have no language. For a mixed text it names the
larger part. How often it is right: tests/core/evals/test_language.py.
"""

from __future__ import annotations

import re
import unicodedata

LANGUAGES = ("ca", "en", "es", "eu")

# Accents count here: "és" is Catalan, "es" both.
_WORDS = {
    "en": "the of and to is are was were be been it its that this these those for with on at by from or not you your "
    "they their he she his her we our what which who how why when where if can could should would will do does "
    "did have has had there about into than then as an i my me so some any all no nothing most more people "
    "happens don't can't isn't doesn't cannot only during between because before after while also but just",
    "es": "el los las del y con por para una unos unas que es en lo más como pero sus fue son está están ser hay muy "
    "también porque cuando donde quién qué cuál cómo cuándo dónde si sí no nos le les se su me mi te tu ha han "
    "había este esta esto ese esa eso puede pueden sin sobre entre desde hasta al o u ni ya todo todos todas nada "
    "nadie algo ningún ninguna hacer tiene tienen yo él ella ellos usted era eran sido otro otra otros mayor "
    "mejor años según alguien mientras aunque después antes aquí así un de la a soy eres tengo tus existe existen",
    "ca": "el els les del dels i amb per una uns unes que és en més com però seus va són està estan ser hi ha molt "
    "també perquè quan on qui què quin quina quins quines si no ens li se seu seva em meu et teu han havia aquest "
    "aquesta això aquell pot poden sense sobre entre des fins al o ni ja tot tots totes res ningú alguna cap fer "
    "té tenen jo ell ella ells vostè era eren estat altre altra altres millor anys segons mentre encara després "
    "abans aquí així un de la a d' l' s' n' m' als pel pels ets tinc heu hem vaig vam van ho doncs gairebé gens "
    "fa quant tens pots vol sóc soc existeix provoca",
    "eu": "eta da dira ez bat du dute den diren zen ziren dago daude zer nor nork non noiz nola zergatik zein edo "
    "baina ere ala bai hau hori hura hauek horiek haiek nire zure bere gure beren dut duzu dugu duen duten dela direla "
    "izan izango egin egiten egon bezala baino beste guztiak guztia inor ezer gabe arte gainean artean ondoren "
    "aurretik behar nahi ahal daiteke dezake dezakezu dezakete zuen zuten zaio zaie zait naiz zara gara zuek "
    "haien batzuk asko gehiago gutxiago oso hemen han orain berriz izaten badu bada ezin baldin bitartean bezain "
    "al omen dituzte ditu duela zituen zituzten genuen nuen",
}
_NEIGHBOURS = {
    "fr": "le les des du et est sont une dans pour avec sur vous nous ils elle elles je il ne pas qui mais où ou ce "
    "cette ces aux leur leurs être avez suis très c' j' qu' n' d' l' m' s' quels quel quelle comment pourquoi "
    "votre mon ma",
    "gl": "o os as ao aos á ás un unha unhas dun dunha no na nos nas do da dos das e é son non máis pero polo pola "
    "polos polas co coa moi moito está están ser hai se que de en con por para ten teñen foi eran isto isso cando "
    "onde como quen cal cales nin tamén porque xa pode poden facer",
    "pt": "o os as ao aos à às um uma uns umas num numa no na nos nas do da dos das e é são não mais mas pelo pela com "
    "muito está estão ser há se que de em por para tem têm foi eram isto isso quando onde como quem qual também "
    "porque já pode podem fazer você seu sua",
}
# Whole words only; what one language has and the others have not counts more than what two share.
_OWNERS: dict[str, tuple[str, ...]] = {}
for _tag, _words in (_WORDS | _NEIGHBOURS).items():
    for _word in dict.fromkeys(_words.split()):
        _OWNERS[_word] = (*_OWNERS.get(_word, ()), _tag)
_SHARED, _OWN = 1, 4
_MARKS: tuple[tuple[str, re.Pattern[str], int], ...] = (
    ("eu", re.compile(r"t[xz]|\w(?:ren|aren|etan|ekin|etik|tzen|tzea|tzeko|tasun\w*|arekin|entzat)\b"), 2),
    ("ca", re.compile(r"l·l|ç|[àèò]|\b[ldsnm]'|ny\b|ig\b|\w(?:ció|cions|tat)\b"), 3),
    ("es", re.compile(r"[ñ¿¡]|\w(?:ción|ciones|dad|dades|mente|rá|rán|ría|ó)\b"), 3),
    ("fr", re.compile(r"[êûœ]|\b[cj]'|eux\b|ez\b"), 3),
    ("gl", re.compile(r"\w(?:ción|cións|idade)\b|x[aeiou]|ñ"), 2),
    ("pt", re.compile(r"[ãõ]|\w(?:ção|ções|idade)\b|nh|lh"), 3),
    ("en", re.compile(r"\w(?:ing|tion|ght|ly|n't)\b|\b(?:wh|th)\w+"), 2),
)
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")


def language_of(text: str) -> str:
    """Return "ca", "en", "es" or "eu", or "" where nothing speaks clearly for one of them."""
    scores = language_scores(text)
    first, second = sorted(scores.values(), reverse=True)[:2]
    if first == second:
        return ""
    best = max(scores, key=lambda tag: scores[tag])
    return best if best in LANGUAGES else ""


def language_scores(text: str) -> dict[str, int]:
    """Return how much speaks for each of the four and for their neighbours."""
    plain = unicodedata.normalize("NFC", text).casefold().replace("’", "'")
    scores = dict.fromkeys((*LANGUAGES, *_NEIGHBOURS), 0)
    for word in _WORD.findall(plain):
        # Elided articles are words of their own: l'aigua, d'un.
        parts = [word] if "'" not in word else [word, word.split("'")[0] + "'", word.split("'")[1]]
        for part in dict.fromkeys(parts):
            owners = _OWNERS.get(part, ())
            for tag in owners:
                scores[tag] += _OWN if len(owners) == 1 else _SHARED
    for tag, mark, weight in _MARKS:
        scores[tag] += weight * len(mark.findall(plain))
    return scores
