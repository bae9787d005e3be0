"""Texts that read as orders to a model rather than as principles, pointed out to a person.

The wording of a constitution later teaches a model, and stands in prompts; who
writes "ignore the rules above" into a statement may mean the model. A short
list of phrases in English, Spanish, Catalan and Basque, marks of prompts, and
characters that nobody sees.

Not a defence: it misses other words, spellings and languages, and points at
harmless texts about ignoring rules. It never blocks; a person reads the text.
"""

from __future__ import annotations

import re
import unicodedata

from auzolan.deliberate.wording.duplicates import folded

_ORDER, _PROMPT, _UNSEEN = "what reads as an order to a model", "marks of a prompt", "characters that nobody sees"

_GAP = r"(?: [^ ]+){0,4}? "
_RULES = {
    "en": (
        r"(?:ignore|disregard|forget|override|bypass)",
        r"(?:previous|prior|above|earlier|preceding|other|all|any|your|these)",
        r"(?:instructions?|rules?|principles?|articles?|prompts?|guidelines?|constitution|statements?)",
    ),
    "es": (
        r"(?:ignora|ignore|ignorad|olvida|olvide|olvidad|omite|desobedece|haz caso omiso|haga caso omiso)",
        r"(?:anteriores|previas|previos|demás|otras|otros|todas|todos|tus|sus|estas|estos)",
        r"(?:instrucciones|reglas|normas|principios|artículos|indicaciones|constitución)",
    ),
    "ca": (
        r"(?:ignora|ignoreu|oblida|oblideu|omet|desobeeix|no facis cas|no feu cas)",
        r"(?:anteriors|prèvies|previs|altres|totes|tots|teves|teus|aquestes|aquests)",
        r"(?:instruccions|regles|normes|principis|articles|indicacions|constitució)",
    ),
    "eu": (
        r"(?:ahaztu|baztertu|ez kontuan hartu|ez ikusi egin|ez egin kasurik|jaramonik ez egin|ez bete)",
        r"(?:aurreko|gainerako|beste|guzti|zure|hauek)[^ ]*",
        r"(?:jarraibide|arau|printzipio|artikulu|argibide|agindu|konstituzio)[^ ]*",
    ),
}


def _orders() -> re.Pattern[str]:
    """Return one pattern: an order, and within a few words which rules are meant, in either order."""
    found = []
    for order, which, rules in _RULES.values():
        meant = rf"(?:{which}(?: [^ ]+){{0,3}}? {rules}|{rules}(?: [^ ]+){{0,3}}? {which})"
        found += [rf"{order}{_GAP}{meant}", rf"{order} {meant}", rf"{meant}{_GAP}{order}", rf"{meant} {order}"]
    found += [
        r"(?:ignore|disregard|override|bypass) (?:the|this|your) constitution",
        r"(?:ignora|olvida|desobedece) (?:la|esta|tu) constitución",
        r"(?:ignora|oblida|desobeeix) (?:la|aquesta) constitució",
        r"konstituzioa (?:ahaztu|baztertu)",
        r"(?:system|hidden|secret) prompt",
        r"you are now (?:a|an|the|in|free)\b",
        r"(?:developer|jailbreak|god) mode",
    ]
    return re.compile("|".join(rf"\b(?:{each})(?![^\W_])" for each in found))


_ORDERS = _orders()
_MARKS = re.compile(
    r"<\|[\w ]{1,40}\|>|\[/?INST\]|<</?SYS>>|</?(?:system|user|assistant)>|<(?:start|end)_of_turn>|"
    r"(?:^|\n)\s*#{0,6}\s*(?:system|assistant|user|human|instruction)\s*:",
    re.IGNORECASE,
)
# Joiners of emoji and of scripts, and marks of direction, stand in honest texts too.
_HONEST = frozenset("\u00ad\u200b\u200c\u200d\u200e\u200f\u061c\ufeff")


def suspicious(text: str) -> str | None:
    """Return what a person should look at in a text before it teaches a model, or None."""
    if _MARKS.search(text):
        return _PROMPT
    if any(unicodedata.category(mark) in ("Cf", "Co") and mark not in _HONEST for mark in text):
        return _UNSEEN
    return _ORDER if _ORDERS.search(folded(text)) else None
