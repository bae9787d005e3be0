"""Entities out of what the API tells, as the reader of open data makes them, so that both give the same.

Title and body come from the source of Decidim's own fingerprint, where that is
theirs: they are then what Decidim itself calls the text, without machine translations.

A fingerprint beside a masked text would give away, to whoever tries all, the number that was masked: it is withheld.

Checks: that ids are numbers, and fingerprints those of the texts that came with
them; that states are tokens, and addresses those of pages of this Decidim.
Does not check: whether two nodes are the same; the caller does. Anything else
of another form than expected is left out and counted, as one odd node must not stop a whole import.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple, cast

from auzolan.core.record.canonical import JsonObject, JsonValue
from auzolan.core.record.errors import MalformedError, VerificationError
from auzolan.deliberate.decidim.api.asking import is_object
from auzolan.deliberate.decidim.cards import Cards
from auzolan.deliberate.decidim.dates import utc
from auzolan.deliberate.decidim.entities import (
    WITHDRAWN,
    Alignment,
    Comment,
    Debate,
    EntityClass,
    Fingerprint,
    Key,
    Left,
    Origin,
    Proposal,
    Result,
    Taxonomy,
    Text,
)
from auzolan.deliberate.decidim.fingerprint import fingerprint_of, texts_in, verify_fingerprint
from auzolan.deliberate.decidim.texts import Cleaner, masks, plain_text
from auzolan.deliberate.decidim.unflatten import page_of
from auzolan.deliberate.sources.cells import MAX_ID

_NOT_ANSWERED = "not_answered"
_TOKEN = re.compile(r"[\w./:#-]{1,80}")
_STATE = re.compile(r"[a-z0-9_]{1,60}")
_SPACE = re.compile(r"\s")
_MAX_REFERENCE = 80
WITHDRAWN_LEFT = "withdrawn proposals without their texts and authors"
DELETED_LEFT = "comments of deleted accounts without their texts and authors"
DATES_LEFT = "dates that could not be read left out"
TAXONOMIES_LEFT = "taxonomies that could not be read left out"
FINGERPRINTS_LEFT = "fingerprints that are not those of the texts that came with them, recomputed"
MACHINE_LEFT = "machine translations left out"
AUTHORS_LEFT = "authors of proposals who deleted their accounts left out"
CARDS_LEFT = "votes by cards of another form than numbers by label left out"
URLS_LEFT = "addresses that are no page of this Decidim left out"
STATES_LEFT = "states that are no token taken as not answered"
REFERENCES_LEFT = "references with spaces or longer than 80 characters left out"
WITHHELD_LEFT = "fingerprints withheld, as their texts were masked"
RULES = (
    WITHDRAWN_LEFT,
    DELETED_LEFT,
    DATES_LEFT,
    TAXONOMIES_LEFT,
    FINGERPRINTS_LEFT,
    MACHINE_LEFT,
    AUTHORS_LEFT,
    CARDS_LEFT,
    URLS_LEFT,
    STATES_LEFT,
    REFERENCES_LEFT,
    WITHHELD_LEFT,
)


class Place(NamedTuple):
    """Where entities are.

    Attributes:
        host: of the Decidim.
        component: number.
        url: of the component, for entities of which the API tells none; "" where that is not known.
    """

    host: str
    component: int
    url: str


class FromNode:
    """Makes entities of nodes, and counts what it left out.

    Attributes:
        counts: rule -> how often.
    """

    def __init__(self, place: Place, pseudonym: Callable[[str], str], cards: Cards) -> None:
        self.counts: Counter[str] = Counter()
        self._place, self._pseudonym, self._cards = place, pseudonym, cards
        self._cleaner = Cleaner()

    @property
    def left(self) -> tuple[Left, ...]:
        """What was left out or changed."""
        return (*self._cleaner.left, *(Left(rule, self.counts[rule]) for rule in RULES))

    def proposal(self, node: JsonObject) -> Proposal:
        """Return the proposal of a node; of a withdrawn one neither texts nor authors."""
        state = self._state(node)
        if state == WITHDRAWN or node.get("withdrawn") is True:
            return self._proposal(node, WITHDRAWN, {}, {}, None, ())
        title, body, fingerprint = self._texts_of(node)
        shown_title, shown_body = self._shown(title), self._shown(body)
        is_masked = any(map(masks, (*title.values(), *body.values())))
        self.counts[WITHHELD_LEFT] += is_masked
        return self._proposal(
            node, state, shown_title, shown_body, None if is_masked else fingerprint, self._authors(node)
        )

    def _proposal(
        self,
        node: JsonObject,
        state: str,
        title: Text,
        body: Text,
        fingerprint: Fingerprint | None,
        authors: tuple[str, ...] | None,
    ) -> Proposal:
        self.counts[WITHDRAWN_LEFT] += state == WITHDRAWN
        supports, cards = self._votes(node)
        return Proposal(
            key=self._key(node, "proposal"),
            title=title,
            body=body,
            state=state,
            fingerprint=fingerprint,
            reference=self._reference(node),
            url=self._url(node, "proposals"),
            answer={} if state == WITHDRAWN else self._shown(self._translations(node.get("answer"))),
            supports=supports,
            likes=_first_count(node, "likesCount", "endorsementsCount"),
            n_comments=count_of(node.get("totalCommentsCount")),
            n_authors=count_of(node.get("authorsCount")),
            cards=cards,
            origin=_origin(node),
            taxonomies=self._taxonomies(node),
            answered_at=self._time(node, "answeredAt"),
            published_at=self._time(node, "publishedAt"),
            created_at=self._time(node, "createdAt"),
            updated_at=self._time(node, "updatedAt"),
            level=self._token(node, "participatoryTextLevel"),
            position=count_of(node.get("position")),
            authors=authors,
        )

    def comment(
        self, node: JsonObject, about: tuple[EntityClass, int], parent: int | None, depth: int, asked: JsonObject
    ) -> Comment:
        """Return the comment of a node.

        Args:
            node: of the comment.
            about: what the discussion is about.
            parent: the comment that it answers.
            depth: of it.
            asked: what the comments stand below, which tells whether alignment and votes are asked for.
        """
        author = node.get("author")
        is_gone = not is_object(author) or author.get("deleted") is True
        self.counts[DELETED_LEFT] += is_gone
        aligned, voted = asked.get("commentsHaveAlignment") is not False, asked.get("commentsHaveVotes") is not False
        alignment = node.get("alignment")
        body = node.get("body")
        return Comment(
            key=self._key(node, "comment"),
            about=about,
            parent=parent,
            text=self._cleaner.clean(plain_text(body)) if isinstance(body, str) and not is_gone else "",
            depth=depth,
            alignment=cast(Alignment, alignment) if aligned and alignment in (-1, 0, 1) else None,
            up=count_of(node.get("upVotes")) if voted else None,
            down=count_of(node.get("downVotes")) if voted else None,
            author=self._who(author) if is_object(author) and not is_gone else None,
            created_at=self._time(node, "createdAt"),
        )

    def debate(self, node: JsonObject) -> Debate:
        """Return the debate of a node."""
        return Debate(
            key=self._key(node, "debate"),
            title=self._shown(self._translations(node.get("title"))),
            description=self._shown(self._translations(node.get("description"))),
            conclusions=self._shown(self._translations(node.get("conclusions"))),
            reference=self._reference(node),
            url=self._url(node, "debates"),
            likes=_first_count(node, "likesCount", "endorsementsCount"),
            n_comments=count_of(node.get("totalCommentsCount")),
            taxonomies=self._taxonomies(node),
            created_at=self._time(node, "createdAt"),
            closed_at=self._time(node, "closedAt"),
        )

    def result(self, node: JsonObject) -> Result:
        """Return the result of a node."""
        progress = count_of(node.get("progress"))
        status, parent = node.get("status"), node.get("parent")
        linked = (id_of(each) for each in items_of(node.get("proposals")))
        return Result(
            key=self._key(node, "result"),
            title=self._shown(self._translations(node.get("title"))),
            description=self._shown(self._translations(node.get("description"))),
            progress_percent=progress if progress is not None and progress <= 100 else None,
            proposals=tuple(dict.fromkeys(linked)),
            parent=id_of(parent) if is_object(parent) else None,
            status=self._token(status, "key") if is_object(status) else None,
            reference=self._reference(node),
            url=self._url(node, "results"),
            n_comments=count_of(node.get("totalCommentsCount")),
            taxonomies=self._taxonomies(node),
            created_at=self._time(node, "createdAt"),
            updated_at=self._time(node, "updatedAt"),
        )

    def _key(self, node: JsonObject, kind: EntityClass) -> Key:
        return Key(self._place.host, self._place.component, kind, id_of(node))

    def _texts_of(self, node: JsonObject) -> tuple[Mapping[str, str], Mapping[str, str], Fingerprint]:
        """Return title and body as written, with their fingerprint."""
        told = node.get("fingerprint")
        title, body = (self._translations(node.get(name)) for name in ("title", "body"))
        match told:
            case {"value": str(value), "source": str(source)}:
                try:
                    found = verify_fingerprint(value, source)
                    return *texts_in(source), found
                except (VerificationError, MalformedError):
                    self.counts[FINGERPRINTS_LEFT] += 1
        return title, body, fingerprint_of(title, body)

    def _translations(self, field: JsonValue) -> dict[str, str]:
        """Return what people wrote, by locale."""
        found = {}
        for each in items_of(field.get("translations") if is_object(field) else None):
            locale, text = each.get("locale"), each.get("text")
            if each.get("machineTranslated") is True:
                self.counts[MACHINE_LEFT] += 1
            elif isinstance(locale, str) and isinstance(text, str):
                found[locale] = text
        return found

    def _shown(self, texts: Mapping[str, str]) -> Text:
        clean = self._cleaner.clean
        return {clean(locale): said for locale, text in texts.items() if (said := clean(plain_text(text)))}

    def _token(self, node: JsonObject, name: str) -> str | None:
        """Return a name that Decidim made, such as a reference; its numbers are no telephone's, so they stay."""
        text = node.get(name)
        text = text.strip() if isinstance(text, str) else ""
        return (text if _TOKEN.fullmatch(text) else self._cleaner.clean(text)) or None

    def _state(self, node: JsonObject) -> str:
        state = token_of(node.get("state"))
        self.counts[STATES_LEFT] += state is None and node.get("state") not in (None, "")
        return state or _NOT_ANSWERED

    def _reference(self, node: JsonObject) -> str | None:
        text = node.get("reference")
        text = text.strip() if isinstance(text, str) else ""
        if _SPACE.search(text) or len(text) > _MAX_REFERENCE:
            self.counts[REFERENCES_LEFT] += 1
            return None
        return self._token(node, "reference")

    def _time(self, node: JsonObject, name: str) -> str | None:
        text = node.get(name)
        if text in (None, ""):
            return None
        found = utc(text) if isinstance(text, str) else None
        self.counts[DATES_LEFT] += found is None
        return found

    def _url(self, node: JsonObject, folder: str) -> str | None:
        """Return the address of the page; before 0.31, put together as Decidim does.

        Another host's is left out: whoever follows it would trust that it is the Decidim's.
        """
        told = node.get("url")
        if isinstance(told, str):
            page = page_of(told)
            is_here = page is not None and page.host == self._place.host
            self.counts[URLS_LEFT] += not is_here
            return page.url if page and is_here else None
        return f"{self._place.url}{folder}/{id_of(node)}" if self._place.url else None

    def _who(self, author: JsonObject) -> str | None:
        number = author.get("id")
        return self._pseudonym(str(number)) if isinstance(number, str | int) and str(number) else None

    def _authors(self, node: JsonObject) -> tuple[str, ...] | None:
        """Return the pseudonyms of the participants; empty for official ones and those from meetings."""
        told = node.get("authors")
        if node.get("official") is True or node.get("createdInMeeting") is True:
            return ()
        if not isinstance(told, list) or not told:
            return None
        people = [each for each in told if is_object(each) and each.get("__typename") != "UserGroup"]
        here = [each for each in people if each.get("deleted") is not True]
        self.counts[AUTHORS_LEFT] += len(people) - len(here)
        return tuple(who for each in here if (who := self._who(each)) is not None)

    def _votes(self, node: JsonObject) -> tuple[int | None, Mapping[str, int] | None]:
        """Return supports and votes by cards; decidim_awesome counts plain supports under the weight "1"."""
        supports, told = count_of(node.get("voteCount")), node.get("voteWeights")
        if not told:
            return supports, None
        counted = {label: count_of(each) for label, each in told.items()} if is_object(told) else {}
        numbers = {label: number for label, number in counted.items() if number is not None}
        if not counted or len(numbers) < len(counted):
            self.counts[CARDS_LEFT] += 1
            return supports, None
        if set(numbers) == {"1"} and self._cards.meaning("1") is None:
            return supports, None
        self._cards.check(numbers)
        cards: dict[str, int] = {}
        for label, number in numbers.items():
            meaning = str(self._cards.meaning(label))
            cards[meaning] = cards.get(meaning, 0) + number
        return None, cards

    def _taxonomies(self, node: JsonObject) -> tuple[Taxonomy, ...]:
        told = items_of(node.get("taxonomies")) or [
            each for each in (node.get("category"), node.get("scope")) if is_object(each)
        ]
        found = []
        for each in told:
            name, number = self._shown(self._translations(each.get("name"))), count_of(each.get("id"))
            if name:
                found.append(Taxonomy(number or None, name))
            else:
                self.counts[TAXONOMIES_LEFT] += 1
        return tuple(found)


def token_of(state: JsonValue) -> str | None:
    """Return a state, None where it is no token and might be anything."""
    return state if isinstance(state, str) and _STATE.fullmatch(state) else None


def _origin(node: JsonObject) -> Origin | None:
    if node.get("createdInMeeting") is True:
        return "meeting"
    if node.get("official") is True:
        return "official"
    authors = items_of(node.get("authors"))
    if any(each.get("__typename") == "UserGroup" for each in authors):
        return "group"
    return "participant" if authors else None


def id_of(node: JsonObject) -> int:
    """Return the number of a node.

    Raises:
        MalformedError: it has none.
    """
    number = count_of(node.get("id"))
    if not number:
        raise MalformedError("the API told of something without a number as its id")
    return number


def count_of(value: JsonValue) -> int | None:
    """Return a number from 0 that came as one or as text, None for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 16:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_ID else None


def _first_count(node: JsonObject, *names: str) -> int | None:
    return next((number for name in names if (number := count_of(node.get(name))) is not None), None)


def items_of(value: JsonValue) -> list[JsonObject]:
    """Return the objects of a list; null, and what is no object in it, is left out."""
    return [each for each in value if is_object(each)] if isinstance(value, list) else []
