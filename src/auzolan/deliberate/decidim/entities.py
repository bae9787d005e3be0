"""What a Decidim holds, in one form for every version and every way of reading it.

None always means that the source does not tell: a `supports` of None was
hidden or not exported, and is never zero. No names, addresses or links to
profiles are here; people are pseudonyms (`pseudonyms`), and only while reading.

A key is (host, component, class, id), never a URL: since 0.32 URLs hold the
language of whoever looks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Text = Mapping[str, str]  # locale -> text as people wrote it; machine translations are left out

EntityClass = Literal["proposal", "comment", "debate", "result"]
Origin = Literal["official", "meeting", "participant", "group"]
Alignment = Literal[-1, 0, 1]
WITHDRAWN = "withdrawn"


class Key(NamedTuple):
    """What names an entity for ever.

    Attributes:
        host: of the Decidim, in lower case.
        component: its number; 0 where the source does not tell.
        kind: the class of the entity.
        id: within the class; Decidim numbers all proposals of an instance in one row, all comments in another.
    """

    host: str
    component: int
    kind: EntityClass
    id: int

    def __str__(self) -> str:
        return f"{self.host}/{self.component}/{self.kind}/{self.id}"


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """A taxonomy (0.30 and newer), or a category or scope (before)."""

    id: int | None
    name: Text


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Decidim's own fingerprint of title and body, which it shows beside each proposal.

    Attributes:
        value: SHA-256, hexadecimal.
        is_from_decidim: whether Decidim told it, with the text that it was taken of, and that text gave it. Else it was
            computed from the export, and is Decidim's wherever the body has no HTML and nothing was
            machine-translated.
    """

    value: str
    is_from_decidim: bool


@dataclass(frozen=True, slots=True)
class Proposal:
    """One proposal, or an amendment of one.

    Attributes:
        key: its name.
        title, body: by locale, without HTML, e-mail addresses and long numbers masked.
        state: token of its state: "not_answered", "evaluating", "accepted", "rejected" or one of the instance's own;
            `WITHDRAWN` where the authors took it back, and then it has no texts.
        fingerprint: None where it is withdrawn, or where its text was masked: what was masked could be found by trying
            all numbers.
        reference: such as "MLOC-PROP-2024-05-123".
        url: of its page, without the language.
        answer: the official answer, by locale.
        supports: how many; None where hidden.
        likes: how many (endorsements before 0.31).
        n_comments, n_authors: how many.
        cards: label -> how many (votes by cards of decidim_awesome), else None.
        origin: who brought it in.
        taxonomies: the most specific ones that it has.
        answered_at, published_at, created_at, updated_at: ISO 8601, UTC.
        amends: number of the proposal of which it is an amendment, 0 where the source does not say of which.
        amendment_state: of an amendment: "evaluating", "accepted", "rejected" ...
        level, position: in a participatory text: "section", "sub-section" or "article", and where.
        authors: pseudonyms, for counting people while reading and kept nowhere; None where the source does not tell.
        aligned: how many people's last aligned comment on it is for and against; filled by `gather`, None without any.
    """

    key: Key
    title: Text
    body: Text
    state: str
    fingerprint: Fingerprint | None
    reference: str | None = None
    url: str | None = None
    answer: Text = field(default_factory=dict)
    supports: int | None = None
    likes: int | None = None
    n_comments: int | None = None
    n_authors: int | None = None
    cards: Mapping[str, int] | None = None
    origin: Origin | None = None
    taxonomies: tuple[Taxonomy, ...] = ()
    answered_at: str | None = None
    published_at: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    amends: int | None = None
    amendment_state: str | None = None
    level: str | None = None
    position: int | None = None
    authors: tuple[str, ...] | None = None
    aligned: tuple[int, int] | None = None

    @property
    def is_withdrawn(self) -> bool:
        """Whether its authors took it back."""
        return self.state == WITHDRAWN


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment on a proposal, debate or result, or on another comment.

    Attributes:
        key: its name; the component is that of what is commented on.
        about: class and number of what the discussion is about.
        parent: number of the comment that it answers, None where it answers none.
        text: as written, masked; "" where it or its author was deleted.
        depth: 0 to 3; None where the source does not tell.
        alignment: 1 for, 0 neither, -1 against; None where it was not asked.
        up, down: votes on it; None where the source does not tell (no CSV does).
        locale: the language that it is written in.
        author: pseudonym; None where deleted or not told.
        created_at: ISO 8601, UTC.
    """

    key: Key
    about: tuple[EntityClass, int] | None
    parent: int | None
    text: str
    depth: int | None = None
    alignment: Alignment | None = None
    up: int | None = None
    down: int | None = None
    locale: str | None = None
    author: str | None = None
    created_at: str | None = None


@dataclass(frozen=True, slots=True)
class Debate:
    """One debate.

    Attributes:
        key: its name.
        title, description, conclusions: by locale, without HTML, masked.
        reference, url: as for proposals.
        likes, n_comments: how many; None where not told.
        taxonomies: as for proposals.
        created_at, closed_at: ISO 8601, UTC.
    """

    key: Key
    title: Text
    description: Text
    conclusions: Text = field(default_factory=dict)
    reference: str | None = None
    url: str | None = None
    likes: int | None = None
    n_comments: int | None = None
    taxonomies: tuple[Taxonomy, ...] = ()
    created_at: str | None = None
    closed_at: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """One result of an accountability component: what became of proposals.

    Attributes:
        key: its name.
        title, description: by locale, without HTML, masked.
        progress_percent: 0 to 100, rounded.
        proposals: numbers of the proposals that it is linked to.
        parent: number of the result that it is part of.
        status: its key, such as "finished".
        reference, url, taxonomies: as for proposals.
        n_comments: how many; None where not told.
        created_at, updated_at: ISO 8601, UTC.
    """

    key: Key
    title: Text
    description: Text
    progress_percent: int | None = None
    proposals: tuple[int, ...] = ()
    parent: int | None = None
    status: str | None = None
    reference: str | None = None
    url: str | None = None
    n_comments: int | None = None
    taxonomies: tuple[Taxonomy, ...] = ()
    created_at: str | None = None
    updated_at: str | None = None


Entity = Proposal | Comment | Debate | Result


class Left(NamedTuple):
    """A rule by which a reader left something out, or changed it, and how often."""

    rule: str
    times: int


@dataclass(frozen=True)
class About:
    """What a reader knows of its source when it has read it all.

    Attributes:
        host: of the Decidim, "" where nothing told it.
        layout: what was read, such as "open-data CSV 0.31 or newer" or "API 0.30".
        version: of the Decidim, as it says itself, or "".
        rows: entity class -> how many rows or nodes the source holds, those left out included.
        left: rules that were applied, those that changed nothing too.
        licence: as the source states it, or "".
    """

    host: str
    layout: str
    version: str
    rows: Mapping[str, int]
    left: tuple[Left, ...]
    licence: str = ""
