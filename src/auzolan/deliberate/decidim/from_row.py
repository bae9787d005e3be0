"""Entities out of rows: one reading of each field for CSV and JSON of every version.

A row is whatever tells its fields by the names that Decidim gives them
(`title` by locale, `author/id`, `component/id`); absent and empty are the same, and nothing is positional.

Checks: that ids and counts are whole numbers, that all pages are of one host.
A fingerprint is not told where a text is masked: beside the rest of the text it would tell what was masked to
whoever tries all numbers.
Does not check: whether the parent of a comment exists; `gather` does.
Left out and counted: what `About.left` lists. Never read: names, nicknames,
addresses, coordinates, private fields.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import cast

from auzolan.core.record.errors import UsageError
from auzolan.deliberate.decidim.cards import Cards, Meaning
from auzolan.deliberate.decidim.dates import utc
from auzolan.deliberate.decidim.entities import (
    WITHDRAWN,
    Alignment,
    Comment,
    Debate,
    Entity,
    EntityClass,
    Key,
    Left,
    Origin,
    Proposal,
    Result,
    Taxonomy,
    Text,
)
from auzolan.deliberate.decidim.fingerprint import fingerprint_of
from auzolan.deliberate.decidim.row import (
    MAX_KEPT,
    MAX_KEY,
    WHOLE,
    Counts,
    Kept,
    Row,
    added,
    first_text,
    first_whole,
    id_of,
    is_true,
    number_of,
    origin_of,
    percent,
    whole,
)
from auzolan.deliberate.decidim.texts import Cleaner, masks, plain_text
from auzolan.deliberate.decidim.unflatten import Page, host_of, page_of
from auzolan.deliberate.sources.cells import MAX_ID, shown_name

NOT_ANSWERED = "not_answered"
COMMENT_CLASS = "Decidim::Comments::Comment"
CLASSES: Mapping[str, EntityClass] = {
    "Decidim::Proposals::Proposal": "proposal",
    "Decidim::Debates::Debate": "debate",
    "Decidim::Accountability::Result": "result",
    COMMENT_CLASS: "comment",
}
_CARDS_BY_WEIGHT = ("votes/0", "votes/2", "votes/3")  # where they are, a weight of 1 may be a card against
_PERSON = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)
_TOKEN = re.compile(r"[\w./:#-]{1,80}")


class FromRow:
    """Makes the entities of one source.

    Attributes:
        host: of the instance, as soon as it is known.
        fallback: the host where no page tells it.
        deleted: ids of people who deleted their accounts.
        cleaner: of all texts.
        counts: of what was left out.
    """

    def __init__(
        self, pseudonym: Callable[[str], str], host: str | None = None, cards: Mapping[str, Meaning] | None = None
    ) -> None:
        self.host = None if host is None else host_of(host)
        self.fallback: str | None = None
        self.deleted: set[str] = set()
        self.cleaner = Cleaner()
        self.counts = Counts()
        self.cards = Cards(cards)
        self._is_fixed = host is not None
        self._pseudonyms = Kept(pseudonym)
        self._dates = Kept(utc)
        self._pages = Kept(page_of)
        self._names: dict[tuple[str, str], tuple[Taxonomy, ...]] = {}

    def entity(self, row: Row, kind: EntityClass) -> Entity | None:
        """Return the entity of a row, None where it is a comment on something that is not read.

        Raises:
            MalformedError: an id or a count is none, or a page is of another host.
            UsageError: the host, or what a voting card means, must be said.
        """
        match kind:
            case "proposal":
                return self.proposal(row)
            case "comment":
                return self.comment(row)
            case "debate":
                return self.debate(row)
            case "result":
                return self.result(row)

    def proposal(self, row: Row) -> Proposal:
        """Return the proposal of a row; of a withdrawn one neither texts nor authors."""
        page = self._page(row, "url", "participatory_space/url")
        state = self._token(row, "state")
        is_withdrawn = state == WITHDRAWN or is_true(row, "withdrawn") or bool(row.text("withdrawn_at"))
        self.counts.withdrawn += is_withdrawn
        title, body = ({}, {}) if is_withdrawn else (row.texts("title"), row.texts("body"))
        is_told = not is_withdrawn and not any(map(masks, (*title.values(), *body.values())))
        self.counts.fingerprints += not is_told and not is_withdrawn
        origin, authors = self._origin(row)
        supports, cards = self._votes(row)
        return Proposal(
            key=self._key(row, page, "proposal"),
            title=self._shown(title),
            body={} if is_withdrawn else self._body(row, body),
            state=WITHDRAWN if is_withdrawn else state or NOT_ANSWERED,
            fingerprint=fingerprint_of(title, body) if is_told else None,
            reference=self._token(row, "reference"),
            url=self._url(row),
            answer={} if is_withdrawn else self._shown(row.texts("answer")),
            supports=supports,
            likes=first_whole(row, "likes/total_count", "endorsements/total_count"),
            n_comments=first_whole(row, "comments", "comments_count"),
            n_authors=first_whole(row, "coauthorships_count"),
            cards=cards,
            origin=origin,
            taxonomies=self._taxonomies(row),
            answered_at=self._date(row, "answered_at"),
            published_at=self._date(row, "published_at"),
            created_at=self._date(row, "created_at"),
            updated_at=self._date(row, "updated_at"),
            amends=self._amends(row),
            authors=() if is_withdrawn else authors,
        )

    def comment(self, row: Row) -> Comment | None:
        """Return the comment of a row; of whoever deleted the account neither text nor author.

        None where it is a comment on something else than proposals, debates and results.
        """
        page = self._page(row, "root_commentable_url")
        told = row.text("commentable_type")
        on = CLASSES.get(told)
        number = whole(row, "commentable_id", 1)
        about = page.about if page else None
        if about is None and number and on and on != "comment":
            about = (on, number)
        if about is None and (page is not None or (told and on is None)):
            self.counts.elsewhere += 1
            return None
        self.counts.roots += about is None
        who = row.text("author/id")
        is_deleted = who in self.deleted
        self.counts.deleted += is_deleted
        locale, text = first_text(row)
        return Comment(
            key=Key(self._host(row), page.component if page else 0, "comment", id_of(row)),
            about=about,
            parent=number if on == "comment" else None,
            text="" if is_deleted else self.cleaner.clean(plain_text(text)),
            depth=whole(row, "depth", 0, 99),
            alignment=cast(Alignment | None, whole(row, "alignment", -1, 1)),
            locale=locale,
            author=None if is_deleted or not _PERSON.fullmatch(who) else self._pseudonyms[who],
            created_at=self._date(row, "created_at"),
        )

    def debate(self, row: Row) -> Debate:
        """Return the debate of a row."""
        page = self._page(row, "url", "participatory_space/url")
        return Debate(
            key=self._key(row, page, "debate"),
            title=self._shown(row.texts("title")),
            description=self._shown(row.texts("description")),
            conclusions=self._shown(row.texts("conclusions")),
            reference=self._token(row, "reference"),
            url=self._url(row),
            likes=first_whole(
                row, "likes/total_count", "likes_count", "endorsements/total_count", "endorsements_count"
            ),
            n_comments=first_whole(row, "comments", "comments_count"),
            taxonomies=self._taxonomies(row),
            created_at=self._date(row, "created_at"),
            closed_at=self._date(row, "closed_at"),
        )

    def result(self, row: Row) -> Result:
        """Return the result of a row."""
        page = self._page(row, "url", "participatory_space/url")
        about = map(self._linked, row.items("proposal_urls"))
        linked = (each[1] for each in about if each and each[0] == "proposal")
        return Result(
            key=self._key(row, page, "result"),
            title=self._shown(row.texts("title")),
            description=self._shown(row.texts("description")),
            progress_percent=percent(row.text("progress")),
            proposals=tuple(dict.fromkeys(linked)),
            parent=whole(row, "parent/id", 1),
            status=self._token(row, "status/key"),
            reference=self._token(row, "reference"),
            url=self._url(row),
            n_comments=first_whole(row, "comments_count", "comments"),
            taxonomies=self._taxonomies(row),
            created_at=self._date(row, "created_at"),
            updated_at=self._date(row, "updated_at"),
        )

    @property
    def left(self) -> tuple[Left, ...]:
        """What was left out or changed."""
        return (*self.cleaner.left, *self.counts.left)

    def _key(self, row: Row, page: Page | None, kind: EntityClass) -> Key:
        component = whole(row, "component/id", 0)
        if component is None:
            component = page.component if page else 0
        return Key(self._host(row), component, kind, id_of(row))

    def _page(self, row: Row, *names: str) -> Page | None:
        """Return what the first field that holds the address of a page tells; all must be of one host."""
        for name in names:
            page = page_of(row.text(name)) if name != "participatory_space/url" else self._pages[row.text(name)]
            if page is None:
                continue
            if not self._is_fixed and page.host != self.host:
                if self.host is not None:
                    raise row.wrong(
                        name,
                        f"this page is of {shown_name(page.host)}, what came before of {shown_name(self.host)}; import "
                        "each instance on its own, or say which host it is",
                    )
                self.host = page.host
            return page
        return None

    def _host(self, row: Row) -> str:
        self.host = self.host or self.fallback
        if self.host is None:
            where = row.wrong("id", "no page tells of which Decidim this is")
            raise UsageError(f"{where}; say its host, such as decidim.example.org")
        return self.host

    def _url(self, row: Row) -> str | None:
        """Return the address of the page, None where it is none or of another host than the key."""
        text = row.text("url")
        page = page_of(text)
        is_here = page is not None and page.host == self._host(row)
        self.counts.urls += bool(text) and not is_here
        return page.url if page and is_here else None

    def _linked(self, url: str) -> tuple[EntityClass, int] | None:
        """Return class and number of what is linked, None where that is on another Decidim."""
        page = self._pages[url]
        is_here = page is not None and (self._is_fixed or page.host == self.host)
        self.counts.urls += bool(url) and not is_here
        return page.about if page and is_here else None

    def _shown(self, texts: Mapping[str, str]) -> Text:
        """Return texts by locale as they may be shown, without those of which nothing remains."""
        clean = self.cleaner.clean
        return {locale: said for locale, text in texts.items() if (said := clean(plain_text(text)))}

    def _body(self, row: Row, body: Mapping[str, str]) -> Text:
        """Return the body and, each after an empty line, the fields of decidim_awesome that it does not repeat."""
        shown_body = dict(self._shown(body))
        for locale, text in row.fields("body"):
            said = self.cleaner.clean(plain_text(text))
            before = shown_body.get(locale, "")
            if said and said not in before:
                shown_body[locale] = f"{before}\n\n{said}" if before else said
        return shown_body

    def _token(self, row: Row, name: str) -> str | None:
        """Return a name that Decidim made, such as a reference; its numbers are no telephone's, so they stay."""
        text = row.text(name).strip()
        return (text if _TOKEN.fullmatch(text) else self.cleaner.clean(text)) or None

    def _date(self, row: Row, name: str) -> str | None:
        text = row.text(name)
        if not text:
            return None
        date = self._dates[text]
        self.counts.dates += date is None
        return date

    def check_cards(self, labels: Iterable[str]) -> None:
        """Check that all labels of votes in a file are known; "1" stands for plain supports, too.

        Raises:
            UsageError: some are not.
        """
        self.cards.check(label for label in labels if label != "1")

    def _votes(self, row: Row) -> tuple[int | None, Mapping[str, int] | None]:
        """Return supports and votes by cards; decidim_awesome counts plain supports under the weight "1"."""
        counted = row.counts("votes")
        if not counted:
            return first_whole(row, "votes", "supports"), None
        if set(counted) == {"1"} and self.cards.meaning("1") is None and not any(map(row.has, _CARDS_BY_WEIGHT)):
            return number_of(row, "votes/1", counted["1"]), None
        self.cards.check(counted)
        return None, added(row, "votes", counted, lambda label: str(self.cards.meaning(label)))

    def _amends(self, row: Row) -> int | None:
        if not is_true(row, "is_amend"):
            return None
        about = self._linked(row.text("original_proposal/url"))
        return about[1] if about and about[0] == "proposal" else 0

    def _origin(self, row: Row) -> tuple[Origin | None, tuple[str, ...] | None]:
        """Return who brought a proposal in, and the pseudonyms of the people among its authors."""
        kinds = [origin_of(self._pages[url]) for url in row.items("author/url")]
        told: Origin | None = next((kind for kind in kinds if kind), None)
        if row.text("user_group/id"):
            told = "group"
        if told == "official" and not row.has("created_in_meeting"):
            told = None  # versions without that field give the root page as the address of a meeting, too
        origin: Origin | None = "meeting" if is_true(row, "created_in_meeting") else told
        if not row.has("author/id"):
            return origin, () if origin in ("official", "meeting") else None
        ids = row.items("author/id")
        if len(kinds) != len(ids):
            kinds = [None if origin == "group" else origin] * len(ids)
        elif origin == "meeting":
            kinds = [kind or "meeting" for kind in kinds]
        people = [
            who
            for who, kind in zip(ids, kinds, strict=True)
            if kind in ("participant", None) and _PERSON.fullmatch(who) and who not in self.deleted
        ]
        return origin, tuple(self._pseudonyms[who] for who in people) if ids else self._nobody(origin)

    def _nobody(self, origin: Origin | None) -> tuple[str, ...] | None:
        return () if origin in ("official", "meeting") else None

    def _taxonomies(self, row: Row) -> tuple[Taxonomy, ...]:
        """Return taxonomies (0.30 and newer), or category and scope (before)."""
        key = (row.text("taxonomies/id"), row.text("taxonomies/name"))
        if key in self._names:
            return self._names[key]
        found = self._from_taxonomies(row) if row.has("taxonomies/name") else self._from_category_and_scope(row)
        if found is None:
            self.counts.taxonomies += 1
            return ()
        if key[1] and sum(map(len, key)) <= MAX_KEY:  # a list of JSON is no text
            if len(self._names) >= MAX_KEPT:
                self._names.clear()
            self._names[key] = found
        return found

    def _from_taxonomies(self, row: Row) -> tuple[Taxonomy, ...] | None:
        names, ids = row.names("taxonomies/name"), row.items("taxonomies/id")
        if names is None:
            return None
        numbers = [int(each) if WHOLE.fullmatch(each) and 0 < int(each) <= MAX_ID else None for each in ids]
        if len(numbers) != len(names):
            numbers = [None] * len(names)
        return tuple(
            Taxonomy(number, shown_)
            for number, name in zip(numbers, names, strict=True)
            if (shown_ := self._shown(name))
        )

    def _from_category_and_scope(self, row: Row) -> tuple[Taxonomy, ...]:
        found = ((whole(row, f"{of}/id", 1), self._shown(row.texts(f"{of}/name"))) for of in ("category", "scope"))
        return tuple(Taxonomy(number, name) for number, name in found if name)
