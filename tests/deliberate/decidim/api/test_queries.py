"""Every question is one that the schemas of real instances take, far below Decidim's limits."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import parse, validate

from auzolan.deliberate.decidim.api import queries
from auzolan.deliberate.decidim.api.queries import GENERATIONS, KINDS, PAGE, PAGE_WITH_THREADS
from tests.decidim_server import GENERATIONS as SCHEMAS
from tests.decidim_server import schema_of
from tests.decidim_server.limits import MAX_COMPLEXITY, MAX_DEPTH, MAX_PAGE, Counted

_LAYOUT = {
    "0.27": "API 0.27 to 0.29",
    "0.29": "API 0.27 to 0.29",
    "0.30": "API 0.30",
    "0.31": "API 0.31 or newer",
    "0.32": "API 0.31 or newer",
}
_NEVER = ("name nickname", "nickname", "avatarUrl", "profilePath", "address", "coordinates", "badge", "email")


def _fields(schema: str, typename: str, names: tuple[str, ...]) -> tuple[str, ...]:
    known: Any = schema_of(schema).type_map[typename]
    return tuple(name for name in names if name in known.fields)


def _questions(schema: str) -> dict[str, str]:
    proposal = (*GENERATIONS[_LAYOUT[schema]], *_fields(schema, "Proposal", KINDS["proposal"].optional))
    found = {
        "version": queries.VERSION,
        "component": queries.COMPONENT,
        "thread 1": queries.thread(1),
        "thread 2": queries.thread(2),
        "proposals": queries.page(KINDS["proposal"], proposal),
        "proposals with threads": queries.page(KINDS["proposal"], proposal, with_threads=True),
        "debates": queries.page(KINDS["debate"], _fields(schema, "Debate", KINDS["debate"].optional)),
        "results": queries.page(KINDS["result"], _fields(schema, "Result", KINDS["result"].optional)),
        "answered": queries.ANSWERED,
    }
    known: Any = schema_of(schema).query_type
    for listed, one, _ in queries.SPACES.values():
        if listed in known.fields:
            found |= {listed: queries.spaces(listed), one: queries.slug(one)}
    return found | ({"answer": queries.ANSWER} if schema in ("0.31", "0.32") else {})


@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_question_is_valid(schema: str) -> None:
    wrong = {name: validate(schema_of(schema), parse(text)) for name, text in _questions(schema).items()}

    assert {} == {name: errors for name, errors in wrong.items() if errors}


@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_question_stays_below_the_limits(schema: str) -> None:
    for name, text in _questions(schema).items():
        counted = Counted(parse(text), {"first": PAGE_WITH_THREADS if "threads" in name else PAGE})

        assert counted.complexity < MAX_COMPLEXITY * 2 / 3
        assert counted.depth < MAX_DEPTH
        assert counted.nested == ""
        assert not counted.introspects


def test_a_page_is_the_largest_that_decidim_gives() -> None:
    assert MAX_PAGE == PAGE


@pytest.mark.parametrize("schema", SCHEMAS)
def test_no_question_asks_for_names_or_places_of_people(schema: str) -> None:
    asked = " ".join(_questions(schema).values())

    assert [] == [name for name in _NEVER if name in asked]


def test_the_limits_count_as_graphql_ruby_does() -> None:
    listed = "proposals(first: 10) { pageInfo { hasNextPage } edges { cursor node { id state } } }"
    text = f'{{ component(id: "1") {{ id ... on Proposals {{ {listed} }} }} }}'
    counted = Counted(parse(text), {})

    # component, id, proposals, pageInfo, hasNextPage, edges; and ten times cursor, node, id, state
    assert 6 + 10 * 4 == counted.complexity
    assert 5 == counted.depth


def test_a_field_in_itself_twice_is_counted() -> None:
    arguments = 'id: "1", type: "x", locale: "ca", toggleTranslations: false'
    three = parse(f"{{ commentable({arguments}) {{ comments {{ comments {{ comments {{ id }} }} }} }} }}")

    assert "comments" == Counted(three, {}).nested
