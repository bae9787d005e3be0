"""The questions, for three generations of Decidim; what they leave out is left out on purpose.

Names, nicknames, avatars, profiles, addresses and coordinates are never asked
for: of people only a number, and whether they have gone. Every question
stays below Decidim's limits (page 50, depth 15, complexity 5,000, a field in
itself once); tests count them on the schemas of real instances.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

Listed = Literal["proposal", "debate", "result"]

PAGE = 50  # Decidim's limit
PAGE_WITH_THREADS = 25  # so that an answer stays small also where people discuss much
_TEXTS = "{ translations { locale text machineTranslated } }"
_NAMED = "{ id name { translations { locale text } } }"


class Kind(NamedTuple):
    """A class of entities as the API lists it.

    Attributes:
        typename: of the component.
        field: of the component, that lists them.
        order: arguments that order the list, where it takes some.
        base: fields that every generation has.
        optional: fields that some have.
        commentable: name of the class, for its comments.
        folder: before the number in its URL.
    """

    typename: str
    field: str
    order: str
    base: str
    optional: tuple[str, ...]
    commentable: str
    folder: str


_PROPOSAL = (
    f"id reference state official title {_TEXTS} body {_TEXTS} answer {_TEXTS} answeredAt publishedAt createdAt "
    "updatedAt voteCount totalCommentsCount authorsCount participatoryTextLevel position "
    "authors { __typename id deleted } fingerprint { value source } amendments { id state emendation { id } }"
)
KINDS: Mapping[Listed, Kind] = {
    "proposal": Kind(
        "Proposals", "proposals", ', order: {id: "asc"}', _PROPOSAL,
        ("withdrawn", "voteWeights", "createdInMeeting"), "Decidim::Proposals::Proposal", "proposals",
    ),
    "debate": Kind(
        "Debates", "debates", "", f"id reference title {_TEXTS} description {_TEXTS} createdAt totalCommentsCount",
        ("url", "likesCount", "endorsementsCount", "taxonomies", "category", "scope", "conclusions", "closedAt"),
        "Decidim::Debates::Debate", "debates",
    ),
    "result": Kind(
        "Accountability", "results", "",
        f"id title {_TEXTS} description {_TEXTS} createdAt updatedAt totalCommentsCount",
        ("reference", "url", "progress", "status", "parent", "proposals", "taxonomies", "category", "scope"),
        "Decidim::Accountability::Result", "results",
    ),
}  # fmt: skip

# Fields of a proposal that tell the generations apart, newest first.
GENERATIONS: Mapping[str, tuple[str, ...]] = {
    "API 0.31 or newer": ("url", "likesCount", "taxonomies"),
    "API 0.30": ("endorsementsCount", "taxonomies"),
    "API 0.27 to 0.29": ("endorsementsCount", "category", "scope"),
}
_BELOW = {
    "taxonomies": _NAMED,
    "category": _NAMED,
    "scope": _NAMED,
    "conclusions": _TEXTS,
    "status": "{ key }",
    "parent": "{ id }",
    "proposals": "{ id }",
}

VERSION = "{ decidim { version } }"
COMPONENT = """query Component($id: ID!) {
  component(id: $id) { __typename id participatorySpace { id type title { translations { locale text } } } }
}"""

# Where participatory spaces are listed, how one is looked up, and where their pages are; by the name of their class.
SPACES: Mapping[str, tuple[str, str, str]] = {
    "Decidim::ParticipatoryProcess": ("participatoryProcesses", "participatoryProcess", "processes"),
    "Decidim::Assembly": ("assemblies", "assembly", "assemblies"),
    "Decidim::Conference": ("conferences", "conference", "conferences"),
    "Decidim::Initiative": ("initiatives", "initiative", "initiatives"),
}


def spaces(field: str) -> str:
    """Return the question for all public spaces of a kind with their components."""
    title = "title { translations { locale text } }"
    return f"query Spaces {{ {field} {{ id slug {title} components {{ __typename id }} }} }}"


def slug(field: str) -> str:
    """Return the question for the name of a space in its URL."""
    return f"query Slug($id: ID!) {{ {field}(id: $id) {{ slug }} }}"


def page(kind: Kind, fields: Sequence[str], with_threads: bool = False) -> str:
    """Return the question for a page of a component's list, with these fields beside those that all have."""
    more = " ".join(f"{name} {_BELOW.get(name, '')}".strip() for name in fields)
    more += f" {_comments(2)}" if with_threads else ""
    return (
        f"query Page($component: ID!, $first: Int!, $after: String) {{ component(id: $component) {{ __typename "
        f"... on {kind.typename} {{ {kind.field}(first: $first, after: $after{kind.order}) {{ "
        f"pageInfo {{ hasNextPage }} edges {{ cursor node {{ {kind.base} {more} }} }} }} }} }} }}"
    )


def thread(levels: Literal[1, 2]) -> str:
    """Return the question for the comments on something, and those that answer them where there are two levels."""
    return (
        "query Thread($id: String!, $type: String!, $locale: String!) { "
        "commentable(id: $id, type: $type, locale: $locale, toggleTranslations: false) { "
        f"{_comments(levels)} }} }}"
    )


def _comments(levels: Literal[1, 2]) -> str:
    fields = "id body alignment upVotes downVotes createdAt hasComments author { id deleted }"
    below = f' comments(orderBy: "older") {{ {fields} }}' if levels == 2 else ""
    return f'commentsHaveAlignment commentsHaveVotes comments(orderBy: "older") {{ {fields}{below} }}'


ANSWER = """mutation Answer($component: ID!, $proposal: ID!, $input: AnswerInput!) {
  component(id: $component) {
    ... on ProposalsMutation { proposal(id: $proposal) { answer(input: $input) { id state answeredAt } } }
  }
}"""
ANSWERED = """query Answered($component: ID!, $proposal: ID!) {
  component(id: $component) {
    __typename
    ... on Proposals { proposal(id: $proposal) { id state answeredAt answer { translations { locale text } } } }
  }
}"""
