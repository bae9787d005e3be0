"""The JSON of a component: one object at a time, strictly, and the same entities as CSV gives."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.record.errors import MalformedError, UsageError
from auzolan.deliberate.decidim.admin_json import MAX_OBJECT, AdminJson, Member, objects
from auzolan.deliberate.decidim.entities import Comment, Debate, Entity, Key, Proposal, Result, Taxonomy
from auzolan.deliberate.decidim.from_row import FromRow
from auzolan.deliberate.sources.source import MAX_LINE
from tests.deliberate.decidim.generated import HEADERS, HOST, only, pseudonym, table
from tests.deliberate.decidim.generated import proposal as cells_of

Write = Callable[..., AdminJson]


@pytest.fixture
def export(tmp_path: Path) -> Write:
    """Writes an export and opens it."""

    def write(content: object, **options: Any) -> AdminJson:
        path = tmp_path / "proposals.json"
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content, indent=2).encode())
        return AdminJson(path, pseudonym, **options)

    return write


def proposal(number: int = 66, **fields: object) -> dict[str, object]:
    """Return a synthetic proposal as Decidim 0.31 serializes it."""
    found: dict[str, object] = {
        "id": number,
        "author": {"id": [7, 8], "name": ["Zoe Secret", "Mia"], "url": [f"https://{HOST}/profiles/z", None]},
        "taxonomies": {"id": [14, 15], "name": [{"en": "Green, and more"}, {"en": "Roads", "ca": None}]},
        "participatory_space": {"id": 1, "url": f"https://{HOST}/processes/plan"},
        "component": {"id": 6},
        "title": {"en": "Trees", "machine_translations": {"es": "Árboles"}},
        "body": {"en": "Plant\nthem"},
        "address": "Secret street",
        "latitude": 41.5,
        "state": "accepted",
        "answer": {"en": "<p>Yes</p>"},
        "votes": 12,
        "likes": {"total_count": 3, "user_likes": ["Zoe Secret"]},
        "comments": 2,
        "url": f"https://{HOST}/processes/plan/f/6/proposals/{number}",
        "is_amend": False,
        "original_proposal": {"title": None, "url": None},
        "withdrawn": False,
        "created_at": "2024-05-01T10:00:00.000Z",
        "created_in_meeting": False,
    }
    return found | fields


def one(reader: AdminJson) -> Entity:
    """Return the one entity of an export."""
    (found,) = list(reader)
    return found


def test_a_proposal_is_read(export: Write) -> None:
    reader = export([proposal()])

    got = one(reader)

    assert isinstance(got, Proposal)
    assert (Key(HOST, 6, "proposal", 66), {"en": "Trees"}, {"en": "Plant\nthem"}) == (got.key, got.title, got.body)
    assert (Taxonomy(14, {"en": "Green, and more"}), Taxonomy(15, {"en": "Roads"})) == got.taxonomies
    assert (12, 3, 2, {"en": "Yes"}) == (got.supports, got.likes, got.n_comments, got.answer)
    assert ("participant", ("p-7", "p-8"), "2024-05-01T10:00:00Z") == (got.origin, got.authors, got.created_at)
    assert "ecret" not in repr(got)
    about = reader.about()
    assert ({"proposal": 1}, HOST) == (about.rows, about.host)
    assert 1 == dict(about.left)["fields of machine translations left out"]


def test_csv_and_json_give_the_same_proposal(export: Write, tmp_path: Path) -> None:
    csv = cells_of(
        author__id="7, 8",
        author__url=f"https://{HOST}/profiles/z, ",
        taxonomies__id="14, 15",
        taxonomies__name='{"en"=>"Green, and more"}, {"en"=>"Roads", "ca"=>nil}',
        title__en="Trees",
        body__en="Plant\nthem",
        answer__en="<p>Yes</p>",
        votes="12",
        likes__total_count="3",
        created_at="2024-05-01 10:00:00 UTC",
        withdrawn="false",
        created_in_meeting="false",
    )

    assert only(tmp_path, table(HEADERS["0.31"], csv)) == one(export([proposal()]))


def test_null_votes_are_hidden(export: Write) -> None:
    got = one(export([proposal(votes=None)]))

    assert isinstance(got, Proposal)
    assert got.supports is None


def test_cards_and_own_fields_are_read(export: Write) -> None:
    got = one(export([proposal(votes={"Green": 4, "Red": 1}) | {"body/why/en": "Because"}]))

    assert isinstance(got, Proposal)
    assert (None, {"agree": 4, "disagree": 1}) == (got.supports, got.cards)
    assert {"en": "Plant\nthem\n\nBecause"} == got.body


def test_other_classes_are_told_by_their_fields(export: Write) -> None:
    space = {"participatory_space": {"id": 1, "url": f"https://{HOST}/processes/plan"}}
    comment = {
        "id": 5,
        "body": "Synthetic",
        "locale": "en",
        "author": {"id": 7, "name": "Zoe"},
        "alignment": -1,
        "depth": 1,
        "commentable_id": 4,
        "commentable_type": "Decidim::Comments::Comment",
        "root_commentable_url": f"https://{HOST}/processes/plan/f/6/proposals/66",
    }
    debate = {"id": 3, "title": {"en": "D"}, "description": {"en": "d"}, "conclusions": {"en": "c"}, **space}
    result = {
        "id": 4,
        "title": {"en": "R"},
        "description": {"en": "r"},
        "progress": 66.5,
        "parent": {"id": None},
        "proposal_urls": [f"https://{HOST}/p/f/6/proposals/66"],
        **space,
    }

    got = list(export([comment, debate, result]))

    assert [Comment, Debate, Result] == [type(each) for each in got]
    assert isinstance(got[0], Comment)
    assert (("proposal", 66), 4, -1, "p-7") == (got[0].about, got[0].parent, got[0].alignment, got[0].author)
    assert isinstance(got[2], Result)
    assert (67, (66,), None) == (got[2].progress_percent, got[2].proposals, got[2].parent)


def test_an_old_export_with_plain_texts_is_read(export: Write) -> None:
    old = {"id": 1, "title": "Trees", "body": "Plant", "supports": 3, "url": f"https://{HOST}/p/f/6/proposals/1"}

    got = one(export([old]))

    assert isinstance(got, Proposal)
    assert ({"und": "Trees"}, 3, 6, None) == (got.title, got.supports, got.key.component, got.authors)


def test_one_long_line_is_read_whole(export: Write) -> None:
    many = json.dumps([proposal(number) for number in range(1, 1_500)]).encode()

    assert len(many) > MAX_LINE
    assert 1_499 == sum(1 for _ in export(many))


def test_a_byte_order_mark_is_passed_over(export: Write) -> None:
    assert 1 == len(list(export(b"\xef\xbb\xbf" + json.dumps([proposal()]).encode())))


@pytest.mark.parametrize("content", [b"[]", b" [ ]\n"])
def test_an_empty_list_holds_nothing(export: Write, content: bytes) -> None:
    assert [] == list(export(content))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "proposals.json, byte 1: expected a list of objects"),
        (b"{}", "byte 1: expected a list of objects"),
        (b"[1]", "object 1, byte 2: expected an object"),
        (b"[{}", "object 1"),
        (b'[{"id": 1} {"id": 2}]', "none of a proposal"),
        (b'[{"commentable_type": "x", "commentable_type": "y"}]', "the field “commentable_type” is there twice"),
        (b'[{"progress": NaN, "description": 1}]', "NaN is no number of JSON"),
        (b'[{"id": 1' + b"0" * 5_000 + b"}]", "a number that is too long"),
        (b'[{"id": ' + b"[" * 100_000, "nested too deeply"),
        (b'[{"a": "\xe9"}]', "not UTF-8"),
        (b'[{"a": tru}]', "object 1, byte 8: not JSON"),
        (b'[{"a": "never closed', "object 1, byte 8: not JSON"),
        (b"[\n\xe2\x82\xac", "object 1, byte 3: expected an object"),
        (b'[{"hello": 1}]', "object 1: none of a proposal, a comment, a debate or a result"),
        (b'[{"body": "", "votes": 1}]', "object 1 (id): expected the number of the entity"),
        (b'[{"id": 1.5, "body": "", "votes": 1}]', "object 1 (id): expected a whole number"),
    ],
)
def test_what_is_broken_is_told_with_object_and_byte(export: Write, content: bytes, message: str) -> None:
    with pytest.raises(MalformedError) as refused:
        list(export(content, host="d.example"))

    assert message in str(refused.value)


def test_what_follows_the_list_is_refused(export: Write) -> None:
    content = json.dumps([proposal()]).encode()

    with pytest.raises(MalformedError, match=f"byte {len(content) + 2}: something stands after the end"):
        list(export(content + b" x"))


def test_an_object_that_never_ends_is_not_read_for_ever() -> None:
    read = 0

    def pieces() -> Iterator[bytes]:
        nonlocal read
        yield b'[{"a": "'
        while True:
            read += 2**16
            yield b"x" * 2**16

    with pytest.raises(MalformedError, match=f"larger than {MAX_OBJECT:,} characters"):
        list(objects("endless.json", pieces()))
    assert read < 4 * MAX_OBJECT


def test_objects_come_before_the_file_is_read_to_its_end() -> None:
    read = 0

    def pieces() -> Iterator[bytes]:
        nonlocal read
        yield b"["
        for number in range(20_000):
            read += 1
            yield b'%s{"id": %d, "text": "%s"}' % (b"," if number else b"", number, b"x" * 100)
        yield b"]"

    found = objects("long.json", pieces())
    first = next(found)

    assert 0 == first["id"]
    assert read < 2_000
    assert 19_999 == sum(1 for _ in found)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.text(max_size=4), _VALUES, max_size=4), max_size=5), st.integers(1, 40))
def test_any_list_comes_back_whatever_the_pieces(values: list[dict[str, Any]], size: int) -> None:
    data = json.dumps(values, ensure_ascii=True).encode()
    pieces = [data[at : at + size] for at in range(0, len(data), size)]

    assert values == list(objects("any.json", pieces))


@given(st.binary(max_size=60) | st.text(alphabet='[]{},:"0a\\ \n', max_size=60).map(str.encode))
def test_any_bytes_are_read_or_told(data: bytes) -> None:
    try:
        found = list(objects("any.json", [data]))
    except MalformedError:
        return
    assert all(isinstance(each, dict) for each in found)


@given(st.dictionaries(st.sampled_from(["id", "author", "votes", "title", "taxonomies", "url", "state"]), _VALUES))
def test_any_values_give_a_proposal_or_one_of_our_errors(changes: dict[str, Any]) -> None:
    values: dict[str, Any] = {**proposal(), **changes}
    try:
        got = FromRow(pseudonym, HOST).entity(Member("any.json, object 1", values), "proposal")
    except (MalformedError, UsageError):
        return
    assert isinstance(got, Proposal)
