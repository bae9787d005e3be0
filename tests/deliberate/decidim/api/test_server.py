"""The Decidim of the tests refuses what a real one refuses; else the tests of the client would prove nothing."""

from __future__ import annotations

import http.client
import json
from typing import Any

import pytest

from auzolan.deliberate.decidim.api import queries
from tests.decidim_server import GENERATIONS, DecidimServer, small_instance
from tests.deliberate.decidim.api.reading import Clock

_PAGE = "{ component(id: 6) { ... on Proposals { proposals(first: %d) { edges { cursor node { %s } } } } } }"


def _post(server: DecidimServer, query: str, kind: str = "application/json") -> tuple[int, dict[str, str], Any]:
    host, port = server.endpoint.split("/")[2].split(":")
    connection = http.client.HTTPConnection(host, int(port))
    try:
        connection.request("POST", "/api", json.dumps({"query": query}), {"Content-Type": kind})
        response = connection.getresponse()
        body = response.read()
        return response.status, dict(response.getheaders()), json.loads(body) if body.startswith(b"{") else None
    finally:
        connection.close()


def _edges(answer: Any) -> list[Any]:
    found: list[Any] = answer["data"]["component"]["proposals"]["edges"]
    return found


@pytest.mark.parametrize("generation", GENERATIONS)
def test_no_page_is_longer_than_50(generation: str) -> None:
    with DecidimServer(generation, small_instance(70)) as server:
        assert 50 == len(_edges(_post(server, _PAGE % (60, "id"))[2]))


def test_cursors_are_places_as_decidim_encodes_them() -> None:
    with DecidimServer("0.31", small_instance(70)) as server:
        assert "MjA" == _edges(_post(server, _PAGE % (20, "id"))[2])[-1]["cursor"]


def test_what_is_too_complex_or_too_deep_is_refused() -> None:
    many = " ".join(f"a{n}: id" for n in range(120))
    deep = "comments { " * 16 + "id" + " }" * 16
    with DecidimServer("0.31", small_instance()) as server:
        complexity = _post(server, _PAGE % (50, many))[2]["errors"][0]["message"]
        depth = _post(server, _PAGE % (1, deep))[2]["errors"][0]["message"]

    assert complexity.startswith("Query has complexity of 61")
    assert depth.startswith("Query has depth of 2")


def test_the_newest_refuses_recursion_and_introspection_with_codes() -> None:
    nested = _PAGE % (1, "comments { comments { comments { id } } }")
    with DecidimServer("0.31", small_instance()) as older, DecidimServer("0.32", small_instance()) as newest:
        codes = [
            _post(newest, query)[2]["errors"][0]["extensions"]["code"]
            for query in (nested, "{ __schema { types { name } } }")
        ]
        taken = [_post(older, query)[2]["data"] for query in (nested, "{ __schema { queryType { name } } }")]

    assert ["TOO_MANY_RECURSIONS", "INTROSPECTION_DISABLED_ERROR"] == codes
    assert all(taken)


def test_the_101st_request_of_a_minute_is_sent_away() -> None:
    clock = Clock()
    with DecidimServer("0.32", small_instance(), clock=clock, per_minute=100) as server:
        statuses = [_post(server, queries.VERSION)[0] for _ in range(101)]
        headers = _post(server, queries.VERSION)[1]
        clock.sleep(60)
        later = _post(server, queries.VERSION)[0]

    assert [200] * 100 + [429] == statuses
    assert "7" == headers["Retry-After"]
    assert 200 == later


def test_another_content_type_is_not_read() -> None:
    with DecidimServer("0.32", small_instance()) as server:
        assert "data" not in _post(server, queries.VERSION, "text/plain")[2]


@pytest.mark.parametrize("version", [None, "0.32.1"])
def test_the_version_is_told_only_where_it_is_disclosed(version: str | None) -> None:
    instance = small_instance()
    instance.version = version
    with DecidimServer("0.32", instance) as server:
        assert version == _post(server, queries.VERSION)[2]["data"]["decidim"]["version"]


def test_unknown_fields_are_refused_in_the_words_of_graphql_ruby() -> None:
    with DecidimServer("0.29", small_instance()) as server:
        error = _post(server, _PAGE % (1, "likesCount"))[2]["errors"][0]

    assert "Field 'likesCount' doesn't exist on type 'Proposal'" == error["message"]
    assert "undefinedField" == error["extensions"]["code"]
