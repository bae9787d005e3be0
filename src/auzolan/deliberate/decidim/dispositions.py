"""What became of each proposal: exactly one disposition, with its reason and what it lacked.

| disposition | why | facts |
|---|---|---|
| adopted | ratified, acknowledged | article |
| merged | merged | lead (number of the proposal whose place it shares), statement |
| deferred | not listed | group, by (what groups are), proposals, places; last (supports of the one with its last \
place) where supports decide, and supports (its own) where they were the same then |
| deferred | came later, not kept (by whoever edited the list) | - |
| deferred | not asked, not worded, put to vote, no place | - |
| deferred | few votes | lacks (0 where it cannot be said) |
| deferred | left out | reason |
| rejected | no support | lacks |
| rejected | blocked | groups |
| rejected | excluded | rival (number of a statement) |
| rejected | not ratified | article, lacks |

Deferred is whatever may still come in another round without anybody changing their mind. Withdrawn proposals and
amendments have none: their authors ended the first, and the second belong to what they amend.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from auzolan.core.kinds.constitution import Constitution, Draft
from auzolan.core.kinds.proposals import ListedStatement, Shortlist
from auzolan.core.kinds.selection import NotIncluded, Outcome
from auzolan.deliberate.decidim.entities import Key, Proposal

DispositionName = Literal["adopted", "merged", "deferred", "rejected"]
NAMES: tuple[DispositionName, ...] = ("adopted", "merged", "deferred", "rejected")
WHYS: Mapping[DispositionName, tuple[str, ...]] = {
    "adopted": ("ratified", "acknowledged"),
    "merged": ("merged",),
    "deferred": (
        "not listed",
        "came later",
        "not kept",
        "not asked",
        "not worded",
        "put to vote",
        "no place",
        "few votes",
        "left out",
    ),
    "rejected": ("no support", "blocked", "excluded", "not ratified"),
}


@dataclass(frozen=True)
class Fate:
    """What became of a statement, and so of the proposal that led it.

    Attributes:
        name: of the disposition; never "merged".
        why: one of `WHYS`.
        facts: as in the table above.
        article: number of the principle that it became, such as "2.1".
    """

    name: DispositionName
    why: str
    facts: Mapping[str, str | int] = field(default_factory=dict)
    article: str | None = None


@dataclass(frozen=True)
class Disposition:
    """What became of one proposal.

    Attributes:
        proposal: its key.
        fate: what became of it; of a merged one, that it was merged.
        statement: number of the statement that it stands behind, None where it stands behind none.
        then: of a merged one, what became of the statement.
    """

    proposal: Key
    fate: Fate
    statement: int | None = None
    then: Fate | None = None


def fates(
    shortlist: Shortlist, outcome: Outcome | None, draft: Draft | None, constitution: Constitution | None
) -> Mapping[int, Fate]:
    """Return what became of every statement of a shortlist.

    Args:
        shortlist: whose statements were voted on.
        outcome: of the selection from those votes, None before there is one.
        draft: of the wording of that selection, None before there is one.
        constitution: what people made of that wording, None before they voted on it.
    """
    if outcome is None:
        return {each.id: Fate("deferred", "not asked") for each in shortlist.statements}
    left = {} if draft is None else {each.statement: each.reason for each in draft.left_out}
    voted = {} if constitution is None else _voted(constitution)
    worded = {each.statement for each in outcome.articles} | {each.statement for each in outcome.clauses}
    others = {each.statement: each for each in outcome.not_included}
    found: dict[int, Fate] = {}
    for each in shortlist.statements:
        if each.id in voted:
            found[each.id] = voted[each.id]
        elif each.id in left:
            found[each.id] = Fate("deferred", "left out", {"reason": left[each.id]})
        elif each.id in worded:
            found[each.id] = Fate("deferred", "not worded")
        elif each.id in outcome.put_to_vote:
            found[each.id] = Fate("deferred", "put to vote")
        else:
            found[each.id] = _not_included(others.get(each.id))
    return found


def _voted(constitution: Constitution) -> Mapping[int, Fate]:
    """Return what the people's vote made of the statements that it was about."""
    found: dict[int, Fate] = {}
    lacked = {each.statement: each.admit_margin or 0 for each in constitution.outcome.not_included}
    for principle in constitution.principles:
        fact: Mapping[str, str | int] = {"article": principle.number}
        if principle in constitution.ratified:
            fate = Fate("adopted", "ratified", fact, principle.number)
        elif principle in constitution.acknowledged:
            fate = Fate("adopted", "acknowledged", fact, principle.number)
        else:
            lacks = lacked.get(constitution.voted_as[principle.number], 0)
            fate = Fate("rejected", "not ratified", {**fact, "lacks": lacks})
        found |= dict.fromkeys(principle.statements, fate)
    return found


def _not_included(other: NotIncluded | None) -> Fate:
    if other is None:
        return Fate("deferred", "not asked")
    lacks = {"lacks": other.admit_margin or 0}
    match other.standing:
        case "eligible" | "contested":
            return Fate("deferred", "no place")
        case "not enough votes":
            return Fate("deferred", "few votes", lacks)
        case "not enough support":
            return Fate("rejected", "no support", lacks)
        case "blocked":
            return Fate("rejected", "blocked", {"groups": ", ".join(other.against)})
        case "excluded by conflict":
            return Fate("rejected", "excluded", {"rival": other.rival or 0})
    return Fate("deferred", "left out", {"reason": other.standing})


def dispositions(
    proposals: Iterable[Proposal],
    shortlist: Shortlist | None,
    of_statements: Mapping[int, Fate],
    unlisted: Callable[[Proposal], Fate],
) -> Iterator[tuple[Proposal, Disposition]]:
    """Yield every proposal that has a disposition, with it, in the order of `proposals`.

    Args:
        proposals: all that were imported.
        shortlist: chosen from them, None before there is one.
        of_statements: as `fates` returns it.
        unlisted: what became of a proposal that no statement rests on; asked only where there is a shortlist.
    """
    cited = _cited(shortlist)
    for each in proposals:
        if each.is_withdrawn or each.amends is not None:
            continue
        if shortlist is None:
            yield each, Disposition(each.key, Fate("deferred", "not asked"))
        elif str(each.key) in cited:
            statement, lead = cited[str(each.key)]
            fate = of_statements[statement.id]
            if lead == str(each.key):
                yield each, Disposition(each.key, fate, statement.id)
            else:
                merged = Fate("merged", "merged", {"lead": int(lead.rsplit("/", 1)[1]), "statement": statement.id})
                yield each, Disposition(each.key, merged, statement.id, fate)
        else:
            yield each, Disposition(each.key, unlisted(each))


def _cited(shortlist: Shortlist | None) -> Mapping[str, tuple[ListedStatement, str]]:
    """Return key -> the statement that rests on it, and the key of the proposal that leads it."""
    statements = () if shortlist is None else shortlist.statements
    return {cited.key: (each, each.proposals[0].key) for each in statements for cited in each.proposals}
