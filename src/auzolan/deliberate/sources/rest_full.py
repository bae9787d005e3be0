"""Reads votes on proposals as the module decidim-rest-full gives them: pages of GET /vote_proposals, saved as JSON.

One file, or a folder or zip with several; a page is an object with `data`, a
file may hold a list of pages. Each vote has an author, a proposal and a weight.
The author's number in Decidim becomes a pseudonym here; names are not in these
pages, and nothing else of the author is looked at.

A weight of 1 is two things: a plain support, and the red card ("disagree")
where the component votes with the cards of decidim_awesome. Cards are taken for
certain where a weight of 2 or 3 occurs, or where whoever imports says so; else
nothing is read until somebody does. Plain supports only approve: their evidence
is grade B, and who did not vote is not known to be against. With cards 3 is
agree, 2 is pass, 1 is disagree and 0 is no vote.

Checks: the bounds of `source`, the form of `decidim_json`, numbers, weights of
0 to 3; that the last page is among them, where pages name the next one.
Does not check: whether pages in the middle are missing; whether all proposals
are of one component (ask for one: with cards in one and supports in another,
supports would be read as red cards); votes that Decidim does not count yet as
their author has not cast the least number of votes. That these pages may be
read and used needs a legal basis of its own; an administrator's access is none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from auzolan.core.record.errors import MalformedError, UsageError, VerificationError
from auzolan.deliberate.conversation import Cleaning, Conversation, Pseudonym
from auzolan.deliberate.sources.decidim_json import as_list, as_object, as_whole, read_json
from auzolan.deliberate.sources.decidim_texts import statements_of
from auzolan.deliberate.sources.polis_raw import Names, Progress, no_progress, step
from auzolan.deliberate.sources.source import AnyPath, Source, open_source
from auzolan.deliberate.votes import AGREE, DISAGREE, PASS, Rows, pack

VOTE_OF_CARD = {3: AGREE, 2: PASS, 1: DISAGREE}
_ABSTAIN, _SUPPORT, _MOST = 0, 1, 3
_TYPE, _AUTHOR, _PROPOSAL = "vote_proposals", "users", "proposals"


class _Vote(NamedTuple):
    """One vote; its number tells which of two is later."""

    id: int
    author: str
    proposal: int
    weight: int


class _Found(NamedTuple):
    """What all pages hold, and how many votes were left out."""

    votes: list[_Vote]
    without_person: int
    elsewhere: int


def read_vote_proposals(
    path: AnyPath,
    pseudonym: Pseudonym,
    titles: Mapping[int, str] | None = None,
    *,
    with_cards: bool | None = None,
    progress: Progress = no_progress,
) -> Conversation:
    """Read votes on proposals.

    Args:
        path: of a JSON file, or of a folder or zip of such files.
        pseudonym: turns the number of a user into a pseudonym; different ones into different ones.
        titles: number -> title of the proposals that are read; votes on others are left out. None to read all.
        with_cards: whether the component votes with cards; None to tell it from the weights.
        progress: called now and then with the name of a file and how many of its votes were read.

    Raises:
        UsageError: the path cannot be read, or it must be said whether weights are cards.
        MalformedError: a file has not the form of these pages, or there is not a single vote.
        VerificationError: weights do not fit what was said, or the last page is missing.
        NotCheckedError: a file could not be read to its end.
    """
    with open_source(path) as source:
        members = _members(source)
        found = _gather(source, members, titles, progress)
        name = source.name
    weights = Counter(vote.weight for vote in found.votes)
    is_cards = _is_cards(weights, with_cards, name)
    rows, names = Rows(), Names(pseudonym)
    for vote in found.votes:
        if not is_cards or vote.weight != _ABSTAIN:
            rows.add(names[vote.author], vote.proposal, VOTE_OF_CARD[vote.weight] if is_cards else AGREE, vote.id)
    packing = pack(rows, sorted(titles or ()))
    if not packing.table.n_votes:
        raise MalformedError(f"{name}: there is not a single vote")
    listed, masking = statements_of(packing.table.statements, titles or {})
    n_seen, n_voters = len({vote.author for vote in found.votes}), len(packing.table.participants)
    return Conversation(
        tool="decidim-rest-full",
        layout=f"votes on proposals, {len(members)} {'file' if len(members) == 1 else 'files'} of pages",
        table=packing.table,
        statements=listed,
        agree_sign=0 if is_cards else 1,
        sign_evidence=_evidence(weights, is_cards, with_cards),
        rows_read=len(found.votes) + found.without_person + found.elsewhere,
        cleaning=(
            Cleaning("votes of meetings and organizations, or of nobody, left out", votes=found.without_person),
            Cleaning("votes on proposals that are not on the list left out", votes=found.elsewhere),
            Cleaning("abstentions (cards of weight 0), which are no votes", votes=weights[_ABSTAIN] if is_cards else 0),
            Cleaning("earlier votes replaced by later ones of the same participant", votes=packing.replaced),
            Cleaning("votes with the same number that differ", votes=packing.ambiguous),
            Cleaning("participants without a single vote", others=n_seen - n_voters),
            *masking,
        ),
    )


def _members(source: Source) -> list[str]:
    found = [name for name in source.members if source.is_single or name.lower().endswith(".json")]
    if not found:
        raise UsageError(f"{source.name} holds no file ending in .json")
    return found


def _gather(source: Source, members: list[str], titles: Mapping[int, str] | None, progress: Progress) -> _Found:
    """Return the votes of all files.

    Raises:
        MalformedError: a file has not the form of these pages.
        VerificationError: every page names a next one.
    """
    votes: list[_Vote] = []
    without_person = elsewhere = pages = going_on = 0
    for member in members:
        number = 0
        for where, page in _pages(source, member):
            pages += 1
            going_on += _names_a_next(page, where)
            for position, item in enumerate(as_list(page.get("data"), f"{where}, data"), start=1):
                number += 1
                vote = _vote(item, f"{where}, vote {position:,}")
                without_person += vote is None
                if vote is not None:
                    is_listed = titles is None or vote.proposal in titles
                    elsewhere += not is_listed
                    votes += [vote] if is_listed else []
                step(progress, member, number)
    if pages and going_on == pages:
        raise VerificationError(
            f"{source.name}: each of {pages:,} {'page' if pages == 1 else 'pages'} names a next one, so that the last "
            "is missing; save all pages, since a part of the votes can give another result"
        )
    return _Found(votes, without_person, elsewhere)


def _pages(source: Source, member: str) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield the pages of a file, each with its place."""
    data = read_json(source, member)
    if isinstance(data, list):
        for number, page in enumerate(data, start=1):
            where = f"{member}, page {number:,}"
            yield where, as_object(page, where)
    else:
        yield member, as_object(data, member)


def _names_a_next(page: dict[str, object], where: str) -> bool:
    links = as_object(page.get("links") or {}, f"{where}, links")
    return bool(links.get("next"))


def _vote(item: object, where: str) -> _Vote | None:
    """Return a vote, None where its author is no person.

    Raises:
        MalformedError: it has not the form of one.
    """
    vote = as_object(item, where)
    if vote.get("type") != _TYPE:
        raise MalformedError(f"{where}: expected the type {_TYPE}")
    number = as_whole(vote.get("id"), f"{where}, id")
    attributes = as_object(vote.get("attributes"), f"{where}, attributes")
    weight = as_whole(attributes.get("weight"), f"{where}, weight", most=_MOST)
    related = as_object(vote.get("relationships"), f"{where}, relationships")
    kind, proposal = _related(related, "proposal", where)
    if kind != _PROPOSAL or proposal is None:
        raise MalformedError(f"{where}, proposal: expected the number of a proposal")
    kind, author = _related(related, "author", where)
    return _Vote(number, str(author), proposal, weight) if kind == _AUTHOR and author is not None else None


def _related(related: dict[str, object], name: str, where: str) -> tuple[object, int | None]:
    """Return type and number of what a vote belongs to."""
    entry = as_object(related.get(name) or {}, f"{where}, {name}").get("data")
    if entry is None:
        return None, None
    data = as_object(entry, f"{where}, {name}, data")
    return data.get("type"), as_whole(data.get("id"), f"{where}, {name}, id")


def _is_cards(weights: Mapping[int, int], told: bool | None, name: str) -> bool:
    """Return whether weights are cards.

    Raises:
        UsageError: it cannot be told.
        VerificationError: weights do not fit what was told.
    """
    if told is None and any(weight > _SUPPORT for weight in weights):
        return True
    if told is None and weights:
        raise UsageError(
            f"{name}: no weight is 2 or 3, and a weight of 1 is a plain support, or a red card (disagree) where the "
            "component votes with cards: say which of the two it is"
        )
    if told is False and weights.keys() - {_SUPPORT}:
        strange = next(iter(sorted(weights.keys() - {_SUPPORT})))
        raise VerificationError(f"{name}: a vote has the weight {strange}; plain supports have the weight 1")
    return bool(told)


def _evidence(weights: Mapping[int, int], is_cards: bool, told: bool | None) -> str:
    counted = ", ".join(f"{weights[weight]:,} of weight {weight}" for weight in sorted(weights, reverse=True))
    how = "by the weights that occur" if told is None else "stated by whoever imported it"
    if is_cards:
        return f"voting cards, {how}: 3 is agree, 2 is pass, 1 is disagree, 0 is no vote ({counted})"
    return f"plain supports, {how}: each is agree, and nobody could disagree ({counted})"
