"""Synthetic publications: made-up articles and proposals of a Decidim that does not exist."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from hypothesis import strategies as st

from auzolan.deliberate.decidim.dispositions import WHYS, Disposition, DispositionName, Fate
from auzolan.deliberate.decidim.entities import Key
from auzolan.deliberate.decidim.write_back.published import (
    AnsweredProposal,
    CitedProposal,
    Publication,
    PublishedArticle,
)

HOST = "decidim.example.org"
RECORD = "5a" * 32
FINGERPRINT = "f1" * 32
FACTS: Mapping[str, Mapping[str, str | int]] = {
    "ratified": {"article": "1.1"},
    "acknowledged": {"article": "2.1"},
    "merged": {"lead": 66, "statement": 4},
    "not listed": {"group": "Meetings", "by": "origin", "proposals": 40, "places": 3, "last": 57, "supports": 1},
    "few votes": {"lacks": 5},
    "left out": {"reason": "It repeats a law."},
    "no support": {"lacks": 12},
    "blocked": {"groups": "A, C"},
    "excluded": {"rival": 9},
    "not ratified": {"article": "3.1"},
}


def cited(number: int, component: int = 5, **more: object) -> CitedProposal:
    url = f"https://{HOST}/processes/pam/f/{component}/proposals/{number}"
    given: dict[str, object] = {"title": {"ca": f"Proposta {number}"}, "url": url, "fingerprint": FINGERPRINT} | more
    return CitedProposal(Key(HOST, component, "proposal", number), **given)  # type: ignore[arg-type]


def article(number: str, *proposals: CitedProposal, text: str = "Cal plantar arbres.", **more: object) -> object:
    return PublishedArticle(number, {"ca": text}, proposals, **more)  # type: ignore[arg-type]


def published(*articles: object, locales: tuple[str, ...] = ("ca", "es"), **more: object) -> Publication:
    given: dict[str, object] = {"title": {"ca": "Constitució"}, "host": HOST, "record_url": None} | more
    return Publication(locales=locales, constitution=RECORD, articles=articles, **given)  # type: ignore[arg-type]


def town() -> Publication:
    return published(article("1.1", cited(66), cited(74, merged=True)), article("2.1", cited(5), acknowledged=True))


def fate(name: DispositionName, why: str) -> Fate:
    facts = FACTS.get(why, {})
    return Fate(name, why, facts, str(facts["article"]) if name == "adopted" else None)


def answered(number: int, name: DispositionName, why: str, component: int = 5, **more: object) -> AnsweredProposal:
    then = fate("adopted", "ratified") if name == "merged" else None
    became = Disposition(Key(HOST, component, "proposal", number), fate(name, why), 4, then)
    return AnsweredProposal(became, **more)  # type: ignore[arg-type]


EVERY_WHY = [(name, why) for name, whys in WHYS.items() for why in whys]


def line(text: str) -> str:
    return " ".join(text.split())


_MARKS = [*"\"'`;:,.\n\r\t<>&*_#[](){}!|~^=+-@\\/$% ", "&amp;", "<script>", "</p>", "www.", "https://", "1. ", "{n}"]
_OTHERS = [
    "עברית",
    "العربية",
    "\u200f",
    "\u200d",
    "👩‍👩‍👧",
    "ñ",
    "\u00a0",
    "a@b.cat",
    "--",
    "==",
    "***",
    "~~~",
    "\n\n# x",
]
_LETTERS = st.characters(exclude_categories=("Cc", "Cf", "Cn", "Co", "Cs"))
TEXTS = (
    st.lists(st.one_of(st.sampled_from(_MARKS + _OTHERS), st.text(_LETTERS, max_size=4)), max_size=25)
    .map("".join)
    .filter(lambda text: bool(text.strip()) and not any(unicodedata.category(c) in ("Zl", "Zp") for c in text))
)
NUMBERS = st.one_of(st.integers(1, 12), st.integers(1, 10**9))
