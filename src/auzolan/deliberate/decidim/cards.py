"""What voting cards mean: the labels of decidim_awesome, in many languages, as agree, neutral, disagree or abstain.

decidim_awesome counts votes under the translated label of each card ("Green",
"Verd"), never under what it means. The known labels are its default ones in
English, Catalan, Spanish, Basque, French, German and Italian, read in its own
files of translations; an instance may have others, and then whoever imports
must say what they mean. Nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal

from auzolan.core.record.errors import UsageError
from auzolan.deliberate.sources.cells import shown_name

Meaning = Literal["agree", "neutral", "disagree", "abstain"]
MEANINGS: tuple[Meaning, ...] = ("agree", "neutral", "disagree", "abstain")
_LABELS: Mapping[Meaning, tuple[str, ...]] = {
    "agree": ("Green", "Verd", "Verde", "Berdea", "Verte", "Grün"),
    "neutral": ("Yellow", "Groc", "Amarillo", "Horia", "Jaune", "Gelb", "Giallo"),
    "disagree": ("Red", "Roig", "Rojo", "Gorria", "Rouge", "Rot", "Rosso"),
    "abstain": ("Abstain", "Abstenció", "Abstenerse", "Abstentzioa", "Abstention", "Enthalten", "Astensione"),
}
KNOWN: Mapping[str, Meaning] = MappingProxyType(
    {label.casefold(): meaning for meaning, labels in _LABELS.items() for label in labels}
)
_SHOWN = 8


def meanings_of(pairs: Iterable[str]) -> dict[str, Meaning]:
    """Return what labels mean, out of pairs such as "Sí=agree".

    Raises:
        UsageError: a pair of another form, or a label that is given two meanings.
    """
    found: dict[str, Meaning] = {}
    for pair in pairs:
        label, _, meaning = pair.rpartition("=")
        if not label.strip() or meaning not in MEANINGS:
            raise UsageError(
                f"expected the label of a card, = and {', '.join(MEANINGS[:-1])} or {MEANINGS[-1]}, "
                f"such as Verd=agree; got “{shown_name(pair)}”"
            )
        if found.setdefault(_folded(label), meaning) != meaning:
            raise UsageError(f"the card “{shown_name(label)}” is given two meanings")
    return found


class Cards:
    """What the cards of one instance mean."""

    def __init__(self, given: Mapping[str, Meaning] | None = None) -> None:
        """Take the known labels, and what whoever imports says of others; that has precedence."""
        self._meanings = {**KNOWN, **{_folded(label): meaning for label, meaning in (given or {}).items()}}

    def meaning(self, label: str) -> Meaning | None:
        """Return what a card means, or None where that is not known."""
        return self._meanings.get(_folded(label))

    def check(self, labels: Iterable[str]) -> None:
        """Check that all labels are known.

        Raises:
            UsageError: some are not; it lists them and says how to tell what they mean.
        """
        unknown = sorted({label for label in labels if self.meaning(label) is None})
        if unknown:
            listed = ", ".join(f"“{shown_name(label)}”" for label in unknown[:_SHOWN])
            more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
            raise UsageError(
                f"votes are counted under cards whose meaning is not known: {listed}{more}; say of each card what it "
                f"means, as LABEL=agree, LABEL=neutral, LABEL=disagree or LABEL=abstain"
            )


def _folded(label: str) -> str:
    return " ".join(label.split()).casefold()
