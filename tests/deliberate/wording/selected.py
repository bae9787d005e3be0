"""A small selection with one statement of every standing, its draft, and ways to edit that."""

from __future__ import annotations

from fractions import Fraction

from auzolan.core.kinds.constitution import Draft
from auzolan.core.kinds.selection import Article, Clause, NotIncluded, Outcome, Selection
from auzolan.deliberate.conversation import Statement
from auzolan.deliberate.wording.draft_file import read_draft
from auzolan.deliberate.wording.draft_writing import Material, write_draft
from auzolan.deliberate.wording.drafting import draft_of

ID = "ab" * 32
SURE, ALSO_SURE, JOKE, NO_JOKE, BASQUE, ELIGIBLE, SPAM, PARTIES = 0, 1, 2, 3, 4, 5, 6, 7
TEXTS = {
    SURE: "The assistant should say so when it is not sure.",
    ALSO_SURE: "Assistant should say so when it's not sure",
    JOKE: "It may make a joke now and then.",
    NO_JOKE: "It may never make a joke now and then.",
    BASQUE: "It should answer in Basque first.",
    ELIGIBLE: "It should use plain words.",
    SPAM: "",
    PARTIES: "It should not take sides between parties.",
}
STATEMENTS = {each: Statement(each, text, "out" if each == SPAM else "in") for each, text in TEXTS.items()}
SUPPORT = {SURE: 700_000, ALSO_SURE: 800_000, JOKE: 600_000, NO_JOKE: 300_000, ELIGIBLE: 650_000, PARTIES: 710_000}
MATERIAL = Material(STATEMENTS, SUPPORT)
LINE = 22  # of the file, on which 1.1 begins


def outcome() -> Outcome:
    return Outcome(
        grade="A",
        rules_known="before",
        parameters={"seats": 2},
        conflicts=((JOKE, BASQUE),),
        articles=(Article(SURE, "equal-shares", 12), Article(PARTIES, "phragmen", None)),
        not_included=(
            NotIncluded(ALSO_SURE, "eligible", (), None, 0),
            NotIncluded(JOKE, "contested", ("B",), None, 3),
            NotIncluded(NO_JOKE, "not enough support", (), None, 9),
            NotIncluded(BASQUE, "not enough support", (), None, 9),
            NotIncluded(ELIGIBLE, "eligible", (), None, 0),
            NotIncluded(SPAM, "moderated out", (), None, None),
        ),
        put_to_vote=(JOKE,),
        clauses=(Clause(BASQUE, Fraction(5, 4)),),
        certificate=None,
    )


def selection(trial: bool = False) -> Selection:
    return Selection("00" * 32, "11" * 32, "2026-11-20", trial, outcome())


def written(material: Material = MATERIAL, title: str = "Our constitution") -> str:
    return write_draft(outcome(), ID, title, "en", material)


def drafted(text: str, material: Material = MATERIAL) -> Draft:
    return draft_of(read_draft(text), ID, outcome(), material, "2026-11-20")


def changed(*pairs: tuple[str, str]) -> str:
    """Return the file with the first place of each text changed."""
    text = written()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def signed(text: str) -> str:
    """Name an editor everywhere."""
    return text.replace("- editor:", "- editor: Ana")


def section(number: str, text: str | None = None) -> str:
    """Return the lines of one principle."""
    text = text or written()
    begins = text.index(f"### {number}")
    ends = [place for mark in ("\n### ", "\n## ") if (place := text.find(mark, begins)) > 0]
    return text[begins : min(ends) + 1]


def heading(name: str) -> str:
    """Return a section's heading with what explains it."""
    begins = written().index(f"## {name}")
    return written()[begins : written().index("###", begins)]
