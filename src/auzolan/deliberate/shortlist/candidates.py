"""Proposals that can be put to everybody, with their counts and the group in which they compete for places.

Withdrawn proposals and amendments are no candidates. What the source does not tell stays None: hidden supports are
never zero. Every candidate is in exactly one group; of several taxonomies that a proposal has, the one with the
lowest number counts, so that it does not matter in which order a source lists them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from auzolan.core.record.errors import MalformedError, UsageError
from auzolan.deliberate.decidim.cards import MEANINGS
from auzolan.deliberate.decidim.entities import Key, Proposal, Taxonomy, Text

By = Literal["origin", "taxonomy", "origin,taxonomy", "none"]
BYS: tuple[By, ...] = get_args(By)
NOT_TOLD = "not told"
ALL = "all"
HIDDEN = "supports hidden"  # those of a group whose supports are hidden, where others' are told
BETWEEN = " / "  # an outer group and an inner one


class Votes(NamedTuple):
    """How many are for a proposal, against it, and neither."""

    agree: int
    disagree: int
    neutral: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """One proposal that can be chosen.

    Attributes:
        key: its name.
        title: by locale.
        fingerprint: Decidim's, "" where the source gave none.
        supports: how many; None where hidden, or where votes are cards.
        votes: for, against and neither; None where nobody was asked.
        n_comments: how many; None where not told.
        groups: where it competes for places: one name, or an outer and an inner one.
    """

    key: Key
    title: Text
    fingerprint: str
    supports: int | None
    votes: Votes | None
    n_comments: int | None
    groups: tuple[str, ...]

    @property
    def is_hidden(self) -> bool:
        """Whether the source tells neither supports nor votes."""
        return self.supports is None and self.votes is None


def votes_by_cards(proposal: Proposal) -> Votes | None:
    """Return who is for a proposal and who against by its voting cards; those who abstain are neither.

    Raises:
        MalformedError: a card is none of agree, neutral, disagree and abstain, as readers call them.
    """
    if not proposal.cards:
        return None
    if not proposal.cards.keys() <= set(MEANINGS):
        raise MalformedError(f"proposal {proposal.key}: expected votes by cards called {', '.join(MEANINGS)}")
    agree, neutral, disagree, abstain = (proposal.cards.get(meaning, 0) for meaning in MEANINGS)
    return Votes(agree, disagree, neutral + abstain)


def is_candidate(proposal: Proposal) -> bool:
    """Whether a proposal can be chosen: it has a title, was not withdrawn and amends nothing."""
    return not proposal.is_withdrawn and proposal.amends is None and any(map(str.strip, proposal.title.values()))


def candidates_of(
    proposals: Iterable[Proposal],
    by: By,
    main: str,
    votes: Callable[[Proposal], Votes | None] = votes_by_cards,
) -> Iterator[Candidate]:
    """Yield the proposals that can be chosen, in their order.

    Args:
        proposals: all of them.
        by: what the groups are.
        main: the language in which groups are named.
        votes: counts who is for and against; by default their cards.

    Raises:
        UsageError: there are no such groups.
        MalformedError: a card means nothing that is known.
    """
    if by not in BYS:
        raise UsageError(f"expected places by {', '.join(BYS)}; got {by[:20]!r}")
    for each in proposals:
        if is_candidate(each):
            yield Candidate(
                key=each.key,
                title=each.title,
                fingerprint=each.fingerprint.value if each.fingerprint else "",
                supports=each.supports,
                votes=votes(each),
                n_comments=each.n_comments,
                groups=groups_of(each, by, main),
            )


def groups_of(proposal: Proposal, by: By, main: str) -> tuple[str, ...]:
    """Return in which group a proposal competes."""
    if by == "none":
        return (ALL,)
    found = {"origin": proposal.origin or NOT_TOLD, "taxonomy": _taxonomy(proposal.taxonomies, main)}
    return tuple(found[part] for part in by.split(","))


def _taxonomy(taxonomies: tuple[Taxonomy, ...], main: str) -> str:
    names = sorted((each.id is None, each.id or 0, in_language(each.name, main)) for each in taxonomies)
    return next((name for _, _, name in names if name), NOT_TOLD)


def in_language(text: Text, main: str) -> str:
    """Return a text, in one line, in the main language, or else in the first by name that there is."""
    lines = {language: " ".join(said.split()) for language, said in text.items()}
    return lines.get(main) or next((lines[language] for language in sorted(lines) if lines[language]), "")
