"""Whatever an API tells, only our errors escape, and what is odd costs no more than itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auzolan.core.lm.retry import Backoff
from auzolan.core.record.disk import DiskFiles
from auzolan.core.record.errors import AuzolanError
from auzolan.deliberate.decidim.api.asking import read_answer
from auzolan.deliberate.decidim.api.nodes import FromNode, Place
from auzolan.deliberate.decidim.cards import Cards
from auzolan.deliberate.decidim.entities import Comment, Proposal
from tests.decidim_server import DecidimServer, Instance, a_proposal, page, small_instance
from tests.deliberate.decidim.api.reading import HOST, live, pseudonym
from tests.shared_data import copied_json

_NODE = copied_json("decidim/api/response-0.32-page1.json")["data"]["component"]["proposals"]["nodes"][0]
_COMMENT = copied_json("decidim/api/response-thread.json")["data"]["commentable"]["comments"][0]
_odd = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8), st.sampled_from(["", "\ud800", "0", "-1"])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)
_fields = st.dictionaries(st.sampled_from([*_NODE, "voteWeights", "createdInMeeting", "category", "scope"]), _odd)


def _reader() -> FromNode:
    return FromNode(Place(HOST, 6, ""), pseudonym, Cards())


@given(_fields)
def test_odd_proposals(fields: dict[str, Any]) -> None:
    try:
        found = _reader().proposal({**_NODE, **fields})
    except AuzolanError:
        return

    assert isinstance(found, Proposal)
    assert found.supports is None or found.supports >= 0
    assert all(isinstance(text, str) for text in found.title.values())


@given(_fields)
def test_odd_debates_and_results(fields: dict[str, Any]) -> None:
    for made in (_reader().debate, _reader().result):
        try:
            made({**_NODE, **fields})
        except AuzolanError:
            continue


@given(st.dictionaries(st.sampled_from([*_COMMENT, "alignment"]), _odd), _odd)
def test_odd_comments(fields: dict[str, Any], asked: Any) -> None:
    told = {"commentsHaveAlignment": asked, "commentsHaveVotes": asked}
    try:
        found = _reader().comment({**_COMMENT, **fields}, ("proposal", 1), None, 0, told)
    except AuzolanError:
        return

    assert found.alignment in (None, -1, 0, 1)


@given(st.one_of(st.binary(max_size=60), _odd.map(lambda value: json.dumps(value).encode())))
def test_any_bytes_are_an_answer_or_none(data: bytes) -> None:
    read_answer(data)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["data", "component", "proposals", "edges", "pageInfo", "node", "cursor"]), _odd)
def test_odd_pages(name: str, odd: Any) -> None:
    cursor, node, info = "MQ", dict(_NODE), {"hasNextPage": False}
    told: dict[str, Any] = {"cursor": cursor, "node": node, "pageInfo": info}
    told[name] = odd
    edges = told.get("edges", [{"cursor": told["cursor"], "node": told["node"]}])
    proposals = told.get("proposals", {"pageInfo": told["pageInfo"], "edges": edges})
    component = told.get("component", {"__typename": "Proposals", "proposals": proposals})
    body = json.dumps({"data": told.get("data", {"component": component})}).encode()
    with DecidimServer("0.32", small_instance()) as server:
        server.faults = lambda number: page(body, "application/json") if number > 5 else None
        try:
            list(live(server, components=[6], with_comments=False, backoff=Backoff(tries=1)))
        except AuzolanError:
            return


@pytest.mark.parametrize(
    ("text", "expected"), [("66.5", 67), ("66.4", 66), ("0.0", 0), ("1e2", 100), ("1e999", None), ("9" * 5000, None)]
)
def test_numbers_are_whole_and_bounded(text: str, expected: int | None) -> None:
    answer = read_answer(f'{{"x": {text}}}'.encode())

    assert expected == (answer.get("x") if isinstance(answer, dict) else None)


@settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 80), st.integers(0, 3), st.integers(0, 2)), max_size=8))
def test_a_component_that_changes_at_every_request(changes: list[tuple[int, int, int]]) -> None:
    items = [a_proposal(number) for number in range(1, 71)]
    instance = Instance()
    instance.add(6, "Proposals", items)
    always = {int(each["id"]) for each in items}

    def before(number: int) -> None:
        if number > 5 and changes:
            at, n_gone, n_new = changes.pop()
            del items[at : at + n_gone]
            items.extend(a_proposal(1000 + 10 * number + n) for n in range(n_new))
        always.intersection_update(int(each["id"]) for each in items)

    with DecidimServer("0.31", instance) as server:
        server.before = before
        found = [each.key.id for each in live(server, components=[6])]

    assert sorted(set(found)) == found
    assert always <= set(found)


def test_a_folder_keeps_what_was_read(tmp_path: Path) -> None:
    with DecidimServer("0.31", small_instance(60)) as server:
        expected = list(live(server))
        store = DiskFiles(tmp_path / "kept", private=True)
        iterator = iter(live(server, store))
        for _ in range(40):
            next(iterator)
        iterator.close()  # type: ignore[attr-defined]
        kept = [path for path in store.paths("reading") if path.endswith(".json")]
        found = list(live(server, DiskFiles(tmp_path / "kept", private=True)))

    assert len(kept) > 3
    assert expected == found
    assert [] == store.paths("reading")
    assert any(isinstance(each, Comment) for each in found)
