"""A live Decidim of each generation, read whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from auzolan.core.record.errors import MissingError, UsageError
from auzolan.deliberate.decidim.api.nodes import FromNode, Place
from auzolan.deliberate.decidim.cards import Cards
from auzolan.deliberate.decidim.entities import Comment, Debate, Entity, Key, Proposal, Result
from auzolan.deliberate.decidim.gather import Gathering
from tests.decidim_server import GENERATIONS, DecidimServer, Instance, a_comment, a_proposal, small_instance
from tests.decidim_server.instance import an_author
from tests.deliberate.decidim.api.reading import HOST, live, pseudonym
from tests.memory_files import MemoryFiles
from tests.shared_data import copied_json

_LAYOUTS = {"0.30": "API 0.30", "0.31": "API 0.31 or newer", "0.32": "API 0.31 or newer"}


def _read(generation: str, instance: Instance, **settings: Any) -> dict[Key, Entity]:
    with DecidimServer(generation, instance) as server:
        found = list(live(server, **settings))
    by_key = {each.key: each for each in found}

    assert len(found) == len(by_key)
    return by_key


def _proposal(found: dict[Key, Entity], number: int, component: int = 6) -> Proposal:
    each = found[Key(HOST, component, "proposal", number)]
    assert isinstance(each, Proposal)
    return each


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("version", [None, "real", "0.99.0"])
def test_everything_public_is_found_from_the_address_alone(generation: str, version: str | None) -> None:
    instance = small_instance(60)
    instance.version = f"{generation}.4" if version == "real" else version
    with DecidimServer(generation, instance) as server:
        reader = live(server)
        found = list(reader)

    about = reader.about()
    expected = {"proposal": 62, "comment": 15, "debate": 2, "result": 2}
    assert expected == about.rows
    assert _LAYOUTS.get(generation, "API 0.27 to 0.29") == about.layout
    assert (instance.version or "") == about.version
    assert expected == {kind: sum(each.key.kind == kind for each in found) for kind in expected}


@pytest.mark.parametrize("generation", GENERATIONS)
def test_what_a_proposal_tells_does_not_depend_on_the_generation(generation: str) -> None:
    found = _read(generation, small_instance(), components=[6])
    first, official, meeting = (_proposal(found, number) for number in (1, 2, 3))

    assert "https://decidim.example.org/processes/pla/f/6/proposals/1" == first.url
    assert ({"ca": "Proposta 1"}, 1, 7, "participant") == (first.title, first.likes, first.n_comments, first.origin)
    assert (pseudonym("2"),) == first.authors
    assert first.fingerprint
    assert first.fingerprint.is_from_decidim
    assert 3 == first.taxonomies[0].id
    assert (generation in ("0.27", "0.29")) == (len(first.taxonomies) == 2)  # category and scope
    assert ({"agree": 4} if generation in ("0.29", "0.32") else None) == first.cards
    assert ({"ca": "Un & dos\n\ntres"}, "official", ()) == (official.body, official.origin, official.authors)
    assert ("meeting", ()) == (meeting.origin, meeting.authors)
    assert "TOWN-PROP-2026-03-1" == first.reference


@pytest.mark.parametrize("generation", GENERATIONS)
def test_withdrawn_amended_translated_and_answered_proposals(generation: str) -> None:
    found = _read(generation, small_instance(), components=[6])
    withdrawn, translated, answered, amended, amendment = (_proposal(found, number) for number in (5, 6, 7, 8, 9))

    assert ({}, {}, {}, None, ()) == (
        withdrawn.title, withdrawn.body, withdrawn.answer, withdrawn.fingerprint, withdrawn.authors,
    )  # fmt: skip
    assert withdrawn.is_withdrawn
    assert {"ca": "Proposta 6"} == translated.title
    assert ("accepted", {"ca": "Sí."}, "2026-04-01T10:00:00Z") == (
        answered.state,
        answered.answer,
        answered.answered_at,
    )
    assert (None, None) == (amended.amends, amended.amendment_state)
    assert (8, "accepted") == (amendment.amends, amendment.amendment_state)


@pytest.mark.parametrize("generation", ["0.27", "0.29", "0.30"])
def test_groups_are_told_from_people_before_0_31(generation: str) -> None:
    of_group = _proposal(_read(generation, small_instance(), components=[6]), 4)

    assert ("group", ()) == (of_group.origin, of_group.authors)


@pytest.mark.parametrize("generation", GENERATIONS)
def test_threads_are_whole_down_to_the_last_depth(generation: str) -> None:
    found = [each for each in _read(generation, small_instance()).values() if isinstance(each, Comment)]

    for root, about in ((100, ("proposal", 1)), (300, ("debate", 1))):
        thread = {each.key.id - root: each for each in found if each.about == about}
        parents = {number: each.parent and each.parent - root for number, each in thread.items()}
        assert {0: None, 2: 0, 3: 0, 4: 2, 5: 2, 6: 4, 7: 4} == parents
        assert {0: 0, 2: 1, 3: 1, 4: 2, 5: 2, 6: 3, 7: 3} == {number: each.depth for number, each in thread.items()}
        assert (1, 3, 1) == (thread[0].alignment, thread[0].up, thread[0].down)


def test_a_deleted_account_leaves_no_text_and_no_pseudonym() -> None:
    found = _read("0.32", small_instance(), components=[6])
    gone = found[Key(HOST, 6, "comment", 200)]

    assert isinstance(gone, Comment)
    assert ("", None) == (gone.text, gone.author)


def test_alignment_and_votes_that_were_not_asked_are_not_told() -> None:
    instance = Instance()
    thread = [a_comment(1, "hola", alignment=1, upVotes=3)]
    instance.add(6, "Proposals", [a_proposal(1, aligned=False, voted=False, comments=thread)])
    comment = _read("0.31", instance)[Key(HOST, 6, "comment", 1)]

    assert isinstance(comment, Comment)
    assert (None, None, None) == (comment.alignment, comment.up, comment.down)


def test_hidden_supports_are_not_zero() -> None:
    instance = small_instance()
    instance.components[6]["votes_hidden"] = True
    found = _read("0.32", instance, components=[6])

    assert {None} == {each.supports for each in found.values() if isinstance(each, Proposal)}


@pytest.mark.parametrize("generation", GENERATIONS)
def test_debates_and_results(generation: str) -> None:
    found = _read(generation, small_instance(), components=[7, 8])
    debate, result, part = (
        found[key] for key in (Key(HOST, 7, "debate", 1), Key(HOST, 8, "result", 1), Key(HOST, 8, "result", 2))
    )
    is_new = generation in ("0.31", "0.32")

    assert isinstance(debate, Debate)
    assert isinstance(result, Result)
    assert isinstance(part, Result)
    assert ({"ca": "Parlem-ne."}, 7) == (debate.description, debate.n_comments)
    assert ({"ca": "Fet."} if is_new else {}) == debate.conclusions
    assert (2 if is_new else None) == debate.likes
    assert "https://decidim.example.org/processes/pla/f/7/debates/1" == debate.url
    assert (67, "ongoing", (1, 3) if is_new else ()) == (result.progress_percent, result.status, result.proposals)
    assert 1 == part.parent


def test_spaces_of_other_kinds_have_their_own_addresses() -> None:
    for generation in GENERATIONS:
        found = _proposal(_read(generation, small_instance(), components=[12]), 900, 12)

        assert "https://decidim.example.org/assemblies/consell/f/12/proposals/900" == found.url


def test_without_comments_no_thread_is_asked_for() -> None:
    with DecidimServer("0.32", small_instance()) as server:
        found = list(live(server, with_comments=False))

    assert not any(isinstance(each, Comment) for each in found)
    assert not any("commentable" in each.query for each in server.asked)


def test_threads_come_with_the_pages_and_only_deeper_ones_are_asked_for() -> None:
    with DecidimServer("0.32", small_instance()) as server:
        list(live(server, components=[6]))

    asked = {each.variables["id"] for each in server.asked if each.query.startswith("query Thread")}
    assert {"102"} == asked  # deeper than the two levels that come with the pages


def test_no_name_leaves_the_server_or_reaches_the_store() -> None:
    instance = small_instance()
    instance.items(6)[11] |= {"comments": [a_comment(700, "x", author=an_author(3))]}
    with DecidimServer("0.29", instance) as server:
        store = _Remembering()
        found = list(live(server, store))

    text = json.dumps([repr(each) for each in found]) + b"".join(store.written).decode()
    assert "Secret Name" not in text
    assert "secret_nick" not in text
    assert not any("nickname" in each.query or "author { id name" in each.query for each in server.asked)
    assert len(store.written) > 10


class _Remembering(MemoryFiles):
    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    def write_all(self, items: Any) -> None:
        self.written += items.values()
        super().write_all(items)


def test_what_the_server_tells_gathers_without_mending() -> None:
    with DecidimServer("0.31", small_instance()) as server, Gathering() as gathering:
        gathering.add(live(server))
        gathered = gathering.finish()

    assert {0} == {each.times for each in gathered.left}


def test_a_component_that_is_not_there_is_named() -> None:
    for generation in ("0.29", "0.32"):
        with pytest.raises(MissingError, match="no public component 77"):
            _read(generation, small_instance(), components=[77])


def test_a_component_of_another_kind_is_named() -> None:
    with pytest.raises(UsageError, match="component 9 holds neither proposals nor debates nor results"):
        _read("0.31", small_instance(), components=[9])


def test_about_waits_for_the_end() -> None:
    with DecidimServer("0.31", small_instance()) as server:
        reader = live(server)
        next(iter(reader))

        with pytest.raises(UsageError, match="not been read to its end"):
            reader.about()


@pytest.mark.parametrize(("name", "generation"), [("0.29", "0.29"), ("0.32", "0.31"), ("0.32", "0.32")])
def test_the_shipped_answers_parse_as_those_of_the_server(name: str, generation: str) -> None:
    pages = ["page1"] if name == "0.29" else ["page1", "page2"]
    nodes = [
        node
        for page in pages
        for node in copied_json(f"decidim/api/response-{name}-{page}.json")["data"]["component"]["proposals"]["nodes"]
    ]
    url = "https://decidim.example.org/processes/pam/f/6/"
    reader = FromNode(Place(HOST, 6, url), pseudonym, Cards())
    shipped = [reader.proposal(node) for node in nodes]
    instance = Instance()
    instance.add(6, "Proposals", [_as_instance(node) for node in nodes], slug="pam")
    served = _read(generation, instance, with_comments=False)

    assert {each.key: each for each in shipped} == served


def _as_instance(node: dict[str, Any]) -> dict[str, Any]:
    """Return a node of an answer as the server holds it."""

    def texts(field: Any) -> Any:
        return field and {each["locale"]: each["text"] for each in field["translations"]}

    listed = node.get("taxonomies") or [each for each in (node.get("category"),) if each]
    more = {
        "votes": node["voteCount"],
        "likes": node.get("likesCount", node.get("endorsementsCount")),
        "taxonomies": [{"id": each["id"], "name": texts(each["name"])} for each in listed],
        "comments": [a_comment(10_000 + n, "x") for n in range(node["totalCommentsCount"])],
        **{name: texts(node[name]) for name in ("title", "body", "answer")},
    }
    kept = {name: value for name, value in node.items() if name not in ("fingerprint", "coordinates", "amendments")}
    authors = [{"__typename": "User", **each} for each in node["authors"]]
    return a_proposal(int(node["id"])) | kept | more | {"authors": authors}


def test_threads_on_their_own_tell_the_same_as_those_that_come_with_pages() -> None:
    with DecidimServer("0.32", small_instance()) as server:
        expected = list(live(server, components=[6, 7]))
        server.instance.items(6)[20]["hidden"] = True  # a page that tells a null is asked for without threads
        server.instance.items(7).append({"hidden": True, **server.instance.items(7)[1], "id": "3"})
        found = list(live(server, components=[6, 7]))

    asked = {each.variables["id"] for each in server.asked if each.query.startswith("query Thread")}
    assert {"1", "10", "102", "302"} == asked
    assert {each.key: each for each in expected if each.key.id != 21} == {each.key: each for each in found}


def test_what_was_left_out_is_counted_once_though_pages_overlap() -> None:
    instance = small_instance(200)
    for each in instance.items(6):
        each |= {"withdrawn": True, "state": "withdrawn"}
    with DecidimServer("0.32", instance) as server:
        reader = live(server, components=[6])
        list(reader)

    assert 200 == dict(reader.about().left)["withdrawn proposals without their texts and authors"]


def test_a_discussion_that_answers_itself_ends() -> None:
    instance = Instance()
    loop = a_comment(1, "a", a_comment(2, "b"))
    loop["comments"][0]["comments"] = [loop]
    instance.add(6, "Proposals", [a_proposal(1, comments=[loop], n_comments=2)])
    with DecidimServer("0.32", instance) as server:
        found = [each for each in live(server) if isinstance(each, Comment)]

    assert {1, 2} == {each.key.id for each in found}


def test_progress_is_told_after_each_answer_and_every_rule_is_listed() -> None:
    told: list[Mapping[str, int]] = []
    with DecidimServer("0.32", small_instance(60)) as server:
        reader = live(server, components=[6], progress=told.append)
        list(reader)

    assert [25, 49, 60] == [each["proposal"] for each in told][:3]
    assert {"proposal": 60, "comment": 8} == told[-1]
    assert {0, 1, 2} >= {each.times for each in reader.about().left}
    assert len({each.rule for each in reader.about().left}) == len(reader.about().left) == 19
