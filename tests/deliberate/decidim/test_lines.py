"""Entities as lines of the blobs of an import, and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.record.canonical import canonical_bytes
from auzolan.core.record.errors import MalformedError
from auzolan.deliberate.decidim.entities import Entity
from auzolan.deliberate.decidim.lines import read_lines, to_line
from tests.deliberate.decidim.made import HOST, comment, entities, person, proposal
from tests.vectors.proposing import proposing


@given(st.lists(entities(), max_size=5))
def test_entities_survive_their_lines(listed: list[Entity]) -> None:
    data = b"".join(map(to_line, listed))

    assert listed == list(read_lines(data, HOST, "proposals.000"))


@given(entities())
def test_a_line_is_canonical_json(entity: Entity) -> None:
    line = to_line(entity)

    assert line.endswith(b"}\n")
    assert b"\n" not in line[:-1]
    if not any(ord(mark) > 0xFFFF for mark in line.decode()):  # JSON sorts such labels of cards otherwise
        assert canonical_bytes(json.loads(line)) + b"\n" == line


def test_no_line_says_who_wrote_it() -> None:
    lines = to_line(proposal(1, authors=(person(1),))) + to_line(comment(2, author=person(2)))

    assert person(1).encode() not in lines
    assert person(2).encode() not in lines


def test_what_is_not_told_is_absent_and_never_zero() -> None:
    (hidden,) = read_lines(to_line(proposal(1, supports=None)), HOST, "x")
    (none,) = read_lines(to_line(proposal(1, supports=0)), HOST, "x")

    assert (None, 0) == (hidden.supports, none.supports)  # type: ignore[union-attr]


def _spoilt(**other: Any) -> bytes:
    said = json.loads(to_line(proposal(7, supports=3)))
    return json.dumps({name: value for name, value in (said | other).items() if value is not ...}).encode()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"[]", "line 1: expected an object"),
        (b"{", "line 1: not JSON"),
        (_spoilt(**{"class": "meeting"}), "class: expected one of proposal, comment, debate, result"),
        (_spoilt(**{"class": ...}), "class: expected one of"),
        (_spoilt(id=...), "line 1: id: expected an integer"),
        (_spoilt(id=-1), "line 1: id: expected at least 0"),
        (_spoilt(state=...), "line 1: state: expected text"),
        (_spoilt(supports="3"), "supports: expected an integer"),
        (_spoilt(supports=-3), "supports: expected at least 0"),
        (_spoilt(title=["x"]), "title: expected an object"),
        (_spoilt(title={"ca": 1}), "title: expected texts by language"),
        (_spoilt(author="somebody"), "unknown key 'author'"),
        (_spoilt(origin="street"), "origin: expected one of"),
        (_spoilt(aligned=[1]), "aligned: expected two numbers"),
        (_spoilt(cards={"Green": "1"}), "cards: expected an integer"),
        (_spoilt(taxonomies=[{"id": 1}]), "taxonomies: expected an object"),
        (_spoilt(fingerprint={"value": "a"}), "from_decidim must be true or false"),
        (to_line(comment(1, alignment=1)).replace(b'"alignment":1', b'"alignment":2'), "expected -1, 0 or 1"),
        (to_line(comment(1)).replace(b'["proposal",1]', b'["meeting",1]'), "about: expected a class and a number"),
        (to_line(proposal(1)) + b"\n" + to_line(proposal(2)), "line 2: not JSON"),
    ],
)  # fmt: skip
def test_a_line_of_another_form_is_refused_with_its_place(line: bytes, message: str) -> None:
    with pytest.raises(MalformedError, match=f"^proposals.000, {message}|{message}"):
        list(read_lines(line, HOST, "proposals.000"))


def test_lines_of_version_1_are_still_read() -> None:
    kept = Path(__file__).parents[2] / "vectors/v1/proposing"
    for name, data in proposing()[0].items():
        assert (kept / name).read_bytes() == data
        assert data == b"".join(map(to_line, read_lines(data, HOST, name)))
