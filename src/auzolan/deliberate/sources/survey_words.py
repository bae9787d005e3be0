"""Words for agree, disagree and pass in several languages, and names of columns that tell who somebody is, or when.

The lists hold what questionnaires use as an answer on its own. No word stands
in two lists; where a word means one thing here and another there, it is left out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from auzolan.core.record.errors import UsageError
from auzolan.deliberate.votes import AGREE, DISAGREE, PASS, VOTES

_AGREEING = """
    1, +1
    en: agree, yes, in favour, in favor, for
    es: de acuerdo, sí, si, a favor
    eu: ados, ados nago, bai, alde
    ca: d'acord, hi estic d'acord
    gl: de acordo, dacordo
    pt: concordo, sim
    fr: d'accord, oui, pour
    it: d'accordo, sono d'accordo, favorevole
    de: stimme zu, zustimmung, einverstanden, dafür, ja
    nl: eens, mee eens
"""
_DISAGREEING = """
    -1
    en: disagree, no, against, not in favour, not in favor
    es: en desacuerdo, desacuerdo, no estoy de acuerdo, en contra
    eu: ez ados, ez nago ados, ez, aurka, kontra
    ca: en desacord, no hi estic d'acord
    gl: en desacordo, non, non estou de acordo
    pt: discordo, não, contra
    fr: pas d'accord, contre
    it: in disaccordo, non d'accordo, non sono d'accordo, contrario
    de: stimme nicht zu, ablehnung, nicht einverstanden, dagegen, nein
    nl: oneens, mee oneens, nee
"""
_PASSING = """
    0
    en: pass, skip, abstain, unsure, don't know, not sure, neutral
    es: paso, pasar, abstención, me abstengo, no sé, no lo sé, no sabe
    eu: pasa, pasatu, abstentzioa, abstenitu, ez dakit, zalantzan
    ca: abstenció, m'abstinc, no ho sé
    gl: abstención, absteño-me, non sei
    pt: passo, abstenção, abstenho-me, não sei
    fr: passe, passer, abstention, je m'abstiens, je ne sais pas, ne sais pas
    it: passo, astensione, mi astengo, non so
    de: enthaltung, überspringen, weiß nicht, weiss nicht, unsicher
    nl: overslaan, onthouding, weet niet
"""
_PERSONAL = """
    name, names, full name, first name, last name, family name, given name, surname, forename, nickname, user name,
    username, e mail, email, mail, email address, e mail address, phone, phone number, telephone, telephone number,
    mobile, address, home address, street, date of birth, birthday, ip, ip address, xid, passport, signature,
    nombre, nombres, nombre completo, nombre y apellidos, apellido, apellidos, correo, correo electrónico,
    dirección de correo electrónico, teléfono, móvil, dirección, dni, nif, nie, fecha de nacimiento,
    izena, izen abizenak, izen-abizenak, abizena, abizenak, posta, posta elektronikoa, helbide elektronikoa, helbidea,
    telefonoa, telefono zenbakia, nan, jaiotze data,
    nom, nom complet, nom i cognoms, cognom, cognoms, correu, correu electrònic, telèfon, adreça,
    nome, nome completo, nome e apelidos, apelido, apelidos, correo electrónico, enderezo,
    sobrenome, apelidos, telefone, telemóvel, endereço, correio eletrónico, e mail pessoal,
    prénom, nom de famille, nom et prénom, courriel, adresse, adresse e mail, téléphone, adresse électronique,
    cognome, nome e cognome, indirizzo, indirizzo e mail, telefono, cellulare, posta elettronica,
    vorname, nachname, familienname, telefon, telefonnummer, e mail adresse, anschrift, geburtsdatum,
    naam, voornaam, achternaam, e mailadres, telefoonnummer, adres
"""
_TIMES = """
    timestamp, time stamp, date, time, datetime, date time, date and time, start time, end time, completion time,
    start date, end date, submitted at, created at, updated at, submit date, submitdate, startdate, datestamp,
    marca temporal, marca de tiempo, fecha, fecha y hora, hora, hora de inicio, hora de finalización, fecha de envío,
    denbora, denbora marka, denbora zigilua, data, data eta ordua, eguna, ordua, hasiera ordua, amaiera ordua,
    marca de temps, marca horària, data i hora, hora d'inici, hora de finalització,
    marca de tempo, data e hora, hora de finalización, carimbo de data/hora, data/hora, hora de conclusão,
    horodateur, horodatage, date et heure, heure, heure de début, heure de fin,
    informazioni cronologiche, data e ora, ora, ora di inizio, ora di completamento,
    zeitstempel, datum, uhrzeit, zeit, datum und uhrzeit, startzeit, fertigstellungszeit,
    tijdstempel, tijdstip, tijd, datum en tijd, begintijd, tijd van voltooien
"""
_NUMBERS = frozenset({"1", "+1", "0", "-1"})
_SPACE = re.compile(r"\s+")
_JOINTS = re.compile(r"[\s_\-.:*]+")


def fold(word: str) -> str:
    """Return a word as words are compared: composed letters, no case, one apostrophe, single spaces, a plain minus."""
    plain = unicodedata.normalize("NFC", word).replace("’", "'").replace("−", "-")
    return unicodedata.normalize("NFC", _SPACE.sub(" ", plain).strip().casefold())


def is_personal(column: str) -> bool:
    """Whether the name of a column says that its cells tell who somebody is."""
    return _plain(column) in _PERSONAL_NAMES


def is_time_stamp(column: str) -> bool:
    """Whether the name of a column says that its cells tell when somebody answered."""
    return _plain(column) in _TIME_NAMES


def _plain(column: str) -> str:
    return _JOINTS.sub(" ", fold(column)).strip()


def _listed(text: str) -> list[str]:
    lines = (line.strip().removesuffix(",") for line in text.strip().splitlines())
    return [fold(word) for line in lines for word in re.sub(r"^\w\w: ", "", line).split(",")]


def default_words() -> list[tuple[str, int]]:
    """Return every word that is known without being told, and what it means."""
    parts = ((_AGREEING, AGREE), (_DISAGREEING, DISAGREE), (_PASSING, PASS))
    return [(word, vote) for text, vote in parts for word in _listed(text)]


def meanings(words: Mapping[str, int]) -> dict[str, int]:
    """Return what each word means: the given ones, and of the known ones those that were not given.

    Numbers belong together: where one is given another meaning than the known one (1 as disagree), no number
    means anything that was not given, since what -1 then means would be a guess.

    Args:
        words: word -> 1, 0 or -1; may be empty.

    Returns:
        words as they are compared, the given ones first.

    Raises:
        UsageError: an empty word, a meaning other than 1, 0 and -1, or a word with two meanings.
    """
    given: dict[str, int] = {}
    for word, vote in words.items():
        key = fold(word)
        if not key or vote not in VOTES:
            raise UsageError(f"a word stands for agree (1), disagree (-1) or pass (0), got “{word}” for {vote!r}")
        if given.setdefault(key, vote) != vote:
            raise UsageError(f"the word “{word}” cannot mean two things; upper and lower case count as the same")
    known = dict(default_words())
    if any(given.get(number, known[number]) != known[number] for number in _NUMBERS):
        known = {word: vote for word, vote in known.items() if word not in _NUMBERS}
    return given | {word: vote for word, vote in known.items() if word not in given}


_PERSONAL_NAMES = frozenset(_plain(name) for name in _listed(_PERSONAL))
_TIME_NAMES = frozenset(_plain(name) for name in _listed(_TIMES))
