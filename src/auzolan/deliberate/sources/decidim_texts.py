"""The statements of a conversation from Decidim, with texts as they may be shown.

They come from a list of statements, from rows of a survey or from titles of
proposals, which people wrote: one odd text must not keep all votes from being
read. A text becomes one line; one that a spreadsheet would run gets an
apostrophe before it, as in a kit; e-mail addresses and long numbers are masked.

Checks: no text is longer than `texts.MAX_TEXT`; such a one is left out and counted.
Does not check: names, or anything else that tells who wrote a text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from auzolan.deliberate.conversation import Cleaning, Statement
from auzolan.deliberate.shortlist.tidying import guarded, tidy
from auzolan.deliberate.sources.texts import mask, unfit


def statements_of(
    numbers: Iterable[int], texts: Mapping[int, str]
) -> tuple[tuple[Statement, ...], tuple[Cleaning, ...]]:
    """Return statements, and what was done to their texts.

    Args:
        numbers: of the statements.
        texts: by number; "" where there is none.
    """
    statements: list[Statement] = []
    emails = long_numbers = run = withheld = 0
    for number in numbers:
        text = tidy(texts.get(number, ""))
        if unfit(text):
            text, run = guarded(text), run + 1
        if unfit(text):
            text, run, withheld = "", run - 1, withheld + 1
        masked = mask(text)
        emails, long_numbers = emails + masked.emails, long_numbers + masked.numbers
        statements.append(Statement(number, masked.text))
    return tuple(statements), (
        Cleaning("texts that a spreadsheet would run, with an apostrophe before them", others=run),
        Cleaning("texts that cannot be shown left out", others=withheld),
        Cleaning("e-mail addresses masked in texts", others=emails),
        Cleaning("long numbers masked in texts", others=long_numbers),
    )
