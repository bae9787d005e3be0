"""What an API tells that no page of a Decidim would: left out, and counted; and what masking must not give away."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest

from auzolan.core.record.errors import UsageError
from auzolan.deliberate.decidim.api.nodes import (
    REFERENCES_LEFT,
    STATES_LEFT,
    URLS_LEFT,
    WITHHELD_LEFT,
    FromNode,
    Place,
)
from auzolan.deliberate.decidim.cards import Cards
from auzolan.deliberate.decidim.entities import Proposal
from tests.decidim_server import DecidimServer, Instance, a_proposal, small_instance
from tests.deliberate.decidim.api.reading import HOST, live, pseudonym

_PAGE = f"https://{HOST}/processes/pla/f/6/proposals/1"


def _read(**fields: Any) -> tuple[Proposal, dict[str, int]]:
    reader = FromNode(Place(HOST, 6, ""), pseudonym, Cards())
    found = reader.proposal({"id": "1", **fields})
    return found, {each.rule: each.times for each in reader.left if each.times}


def _three() -> Instance:
    instance = Instance()
    instance.add(6, "Proposals", [a_proposal(number) for number in (1, 2, 3)])
    return instance


def _texts(**texts: str) -> dict[str, Any]:
    return {"translations": [{"locale": locale, "text": text} for locale, text in texts.items()]}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (_PAGE, _PAGE),
        (f"https://{HOST.upper()}:443/processes/pla/f/6/proposals/1", _PAGE),
        (f"https://{HOST}/ca/processes/pla/f/6/proposals/1?x=1#y", _PAGE),
        (f"https://evil.example.com/{HOST}/f/6/proposals/1", None),
        (f"https://{HOST}.evil.example.com/f/6/proposals/1", None),
        (f"https://{HOST}@evil.example.com/f/6/proposals/1", None),
        ("javascript:alert(1)", None),
        ("x" * 9_000, None),
    ],
)
def test_only_pages_of_this_decidim_are_kept(url: str, expected: str | None) -> None:
    found, left = _read(url=url)

    assert expected == found.url
    assert (0 if expected else 1) == left.get(URLS_LEFT, 0)


def test_pages_of_another_host_are_counted_in_a_whole_reading() -> None:
    instance = _three()
    instance.host = "evil.example.com"
    with DecidimServer("0.32", instance) as server:
        reader = live(server, components=[6], with_comments=False)
        urls = {each.url for each in reader if isinstance(each, Proposal)}

    assert {None} == urls
    assert 3 == {each.rule: each.times for each in reader.about().left}[URLS_LEFT]


def test_a_host_is_what_a_person_types() -> None:
    with DecidimServer("0.32", _three()) as server:
        hosts = {live(server, host=host).host for host in (HOST, HOST.upper(), f"https://{HOST}/", f"{HOST}:443")}
        with pytest.raises(UsageError, match="expected a host"):
            live(server, host="no host at all")

    assert {HOST} == hosts


@pytest.mark.parametrize(
    ("state", "expected", "n_left"),
    [
        ("accepted", "accepted", 0),
        ("my_own_state_2", "my_own_state_2", 0),
        ("withdrawn", "withdrawn", 0),
        (None, "not_answered", 0),
        ("", "not_answered", 0),
        ("Call me: 612 345 678", "not_answered", 1),
        ("Accepted", "not_answered", 1),
        ("acceptat\u00e9", "not_answered", 1),
        ("a" * 61, "not_answered", 1),
        ({"a": 1}, "not_answered", 1),
    ],
)
def test_a_state_is_a_token(state: Any, expected: str, n_left: int) -> None:
    found, left = _read(state=state)

    assert (expected, n_left) == (found.state, left.get(STATES_LEFT, 0))


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("TOWN-PROP-2026-03-1234567", "TOWN-PROP-2026-03-1234567"),
        ("x" * 80, "x" * 80),
        ("x" * 81, None),
        ("é" * 81, None),
        ("words of a person", None),
        ("tab\tbetween", None),
        ("no\u00a0break", None),
    ],
)
def test_a_reference_is_short_and_has_no_spaces(reference: str, expected: str | None) -> None:
    found, left = _read(reference=reference)

    assert expected == found.reference
    assert (expected is None) == (left.get(REFERENCES_LEFT) == 1)


def test_no_reference_is_nothing_to_count() -> None:
    for reference in (None, "", "  "):
        found, left = _read(reference=reference)

        assert (None, {}) == (found.reference, left)


def test_the_state_of_an_amendment_is_a_token_too() -> None:
    instance = small_instance(12)
    instance.items(6)[7]["amendments"] = [{"id": "1", "state": "Jane, 612 345 678", "emendation": {"id": "9"}}]
    with DecidimServer("0.32", instance) as server:
        found = {each.key.id: each for each in live(server, components=[6]) if isinstance(each, Proposal)}

    assert (8, None) == (found[9].amends, found[9].amendment_state)


@pytest.mark.parametrize("is_told", [True, False])
@pytest.mark.parametrize(
    ("title", "body", "is_kept"),
    [
        ("Fonts", "Més aigua, l'any 2026.", True),
        ("Fonts", "Truqueu al 612 345 678.", False),
        ("Fonts, a@example.org", "Més aigua.", False),
        ("Fonts", "<p>ES91 2100 0418 4502 0005 1332</p>", False),
    ],
)
def test_no_fingerprint_stands_beside_a_text_that_was_masked(
    title: str, body: str, is_kept: bool, is_told: bool
) -> None:
    source = json.dumps({"body": {"ca": body}, "title": {"ca": title}}, ensure_ascii=False, separators=(",", ":"))
    told = {"value": sha256(source.encode()).hexdigest(), "source": source} if is_told else None
    found, left = _read(title=_texts(ca=title), body=_texts(ca=body), fingerprint=told)

    assert is_kept == (found.fingerprint is not None)
    assert (0 if is_kept else 1) == left.get(WITHHELD_LEFT, 0)
    assert "fingerprints withheld, as their texts were masked" == WITHHELD_LEFT


def test_an_answer_that_was_masked_withholds_nothing() -> None:
    found, left = _read(title=_texts(ca="x"), body=_texts(ca="y"), answer=_texts(ca="Truqueu al 612 345 678."))

    assert found.fingerprint
    assert 0 == left.get(WITHHELD_LEFT, 0)


def test_what_was_withheld_is_nowhere_in_a_whole_reading() -> None:
    instance = _three()
    instance.items(6)[0]["body"] = {"ca": "Truqueu al 612 345 678."}
    with DecidimServer("0.32", instance) as server:
        reader = live(server, components=[6])
        found = [each for each in reader if isinstance(each, Proposal)]

    assert [False, True, True] == [each.fingerprint is not None for each in found]
    assert 1 == {each.rule: each.times for each in reader.about().left}[WITHHELD_LEFT]
