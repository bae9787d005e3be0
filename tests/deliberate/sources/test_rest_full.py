"""Votes on proposals from decidim-rest-full: supports, cards, and everything that is refused."""

from __future__ import annotations

import contextlib
import json
import random
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auzolan.core.record.errors import AuzolanError, MalformedError, UsageError, VerificationError
from auzolan.deliberate.conversation import Conversation
from auzolan.deliberate.pseudonyms import pseudonyms
from auzolan.deliberate.ratify.eligibility import grade_of
from auzolan.deliberate.sources.rest_full import read_vote_proposals

_SETTINGS = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def vote(number: int, author: int | None, proposal: int, weight: int = 1, kind: str = "users") -> dict[str, Any]:
    """Return one vote as the pages have it."""
    who = None if author is None else {"id": str(author), "type": kind}
    return {
        "id": str(number),
        "type": "vote_proposals",
        "attributes": {"weight": weight, "created_at": "2026-01-02T10:00:00Z", "updated_at": "2026-01-02T10:00:00Z"},
        "relationships": {
            "proposal": {"data": {"id": str(proposal), "type": "proposals"}},
            "author": {"data": who},
        },
    }


def page(*votes: dict[str, Any], following: str | None = None) -> dict[str, Any]:
    """Return a page."""
    return {"data": list(votes), "links": {"self": "https://example.org/1", "next": following}}


SUPPORTS = [vote(1, 7, 66), vote(2, 8, 66), vote(3, 7, 74)]
CARDS = [vote(1, 7, 66, 3), vote(2, 8, 66, 1), vote(3, 7, 74, 2), vote(4, 8, 74, 0), vote(5, 9, 74, 0)]


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return tmp_path / "votes.json"


def read(path: Path, content: object, titles: dict[int, str] | None = None, **options: Any) -> Conversation:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return read_vote_proposals(path, lambda raw: f"p-{raw}", titles, **options)


def cleaned(conversation: Conversation) -> dict[str, int]:
    return {
        item.rule.split(",")[0]: item.votes or item.others
        for item in conversation.cleaning
        if item.votes or item.others
    }


def test_supports_only_approve(saved: Path) -> None:
    got = read(saved, page(*SUPPORTS), {66: "Trees", 74: "Write to ana@example.org", 80: "Cars"}, with_cards=False)

    assert {"p-7": {66: 1, 74: 1}, "p-8": {66: 1}} == got.table.to_ballots()
    assert {66: "Trees", 74: "Write to [e-mail]", 80: "Cars"} == {each.id: each.text for each in got.statements}
    assert ("decidim-rest-full", 1, 3, "B") == (got.tool, got.agree_sign, got.rows_read, grade_of(got.table.totals()))
    assert (
        "plain supports, stated by whoever imported it: each is agree, and nobody could disagree (3 of weight 1)"
        == got.sign_evidence
    )


@pytest.mark.parametrize("told", [None, True])
def test_cards_agree_pass_and_disagree(saved: Path, told: bool | None) -> None:
    got = read(saved, page(*CARDS), with_cards=told)

    assert {"p-7": {66: 1, 74: 0}, "p-8": {66: -1}} == got.table.to_ballots()
    assert (0, 5) == (got.agree_sign, got.rows_read)
    assert {"abstentions (cards of weight 0)": 2, "participants without a single vote": 1} == cleaned(got)
    assert "3 is agree, 2 is pass, 1 is disagree, 0 is no vote (1 of weight 3, 1 of weight 2" in got.sign_evidence


@pytest.mark.parametrize("votes", [SUPPORTS, [*SUPPORTS, vote(9, 9, 66, 0)]])
def test_weights_of_one_are_not_read_until_somebody_says_what_they_are(saved: Path, votes: list[Any]) -> None:
    with pytest.raises(UsageError, match="a plain support, or a red card"):
        read(saved, page(*votes))

    assert {-1} == set(read(saved, page(*votes), with_cards=True).table.row(0).values())


def test_supports_with_the_weight_of_a_card_are_refused(saved: Path) -> None:
    for weight in (0, 2, 3):
        with pytest.raises(VerificationError, match=f"a vote has the weight {weight}; plain supports"):
            read(saved, page(*SUPPORTS, vote(9, 9, 66, weight)), with_cards=False)


def test_cards_on_proposals_that_are_not_on_the_list_tell_nothing(saved: Path) -> None:
    votes = page(*SUPPORTS, vote(9, 9, 99, 3))

    with pytest.raises(UsageError, match="say which"):
        read(saved, votes, {66: "", 74: ""})
    got = read(saved, votes, {66: "", 74: ""}, with_cards=False)
    assert {"votes on proposals that are not on the list left out": 1} == cleaned(got)
    assert (4, 3) == (got.rows_read, got.table.n_votes)


def test_the_vote_with_the_higher_number_counts(saved: Path) -> None:
    first, second = vote(10, 7, 66, 3), vote(9, 7, 66, 1)

    for order in ([first, second], [second, first]):
        got = read(saved, page(*order))

        assert {"p-7": {66: 1}} == got.table.to_ballots()
        assert {"earlier votes replaced by later ones of the same participant": 1} == cleaned(got)


def test_a_vote_on_two_pages_counts_once_and_not_at_all_where_the_pages_differ(saved: Path) -> None:
    twice = [vote(1, 7, 66, 3), vote(2, 8, 66, 3)]

    assert 2 == read(saved, [page(*twice), page(twice[1])]).table.n_votes
    assert {"p-7": {66: 1}} == read(saved, [page(*twice), page(vote(2, 8, 66, 1))]).table.to_ballots()


def test_votes_of_no_person_are_left_out(saved: Path) -> None:
    others = [vote(7, 1, 66, 3, "meetings"), vote(8, 2, 66, 3, "organizations"), vote(9, None, 66, 3)]
    got = read(saved, page(*SUPPORTS, *others), with_cards=False)

    assert {"p-7": {66: 1, 74: 1}, "p-8": {66: 1}} == got.table.to_ballots()
    assert (6, {"votes of meetings and organizations": 3}) == (got.rows_read, cleaned(got))


def test_pages_are_a_list_a_folder_or_a_zip(tmp_path: Path) -> None:
    pages = [page(SUPPORTS[0], following="https://example.org/2"), page(*SUPPORTS[1:])]
    folder = tmp_path / "pages"
    folder.mkdir()
    with zipfile.ZipFile(tmp_path / "pages.zip", "w") as archive:
        for number, each in enumerate(pages):
            (folder / f"{number}.json").write_text(json.dumps(each))
            archive.write(folder / f"{number}.json", f"{number}.json")
    (tmp_path / "list.json").write_text(json.dumps(pages))
    found = [
        read_vote_proposals(tmp_path / name, str, with_cards=False).table.to_ballots()
        for name in ("pages", "pages.zip", "list.json")
    ]

    assert [{"7": {66: 1, 74: 1}, "8": {66: 1}}] * 3 == found


def test_a_missing_last_page_is_noticed(saved: Path) -> None:
    with pytest.raises(VerificationError, match="each of 2 pages names a next one"):
        read(saved, [page(each, following="https://example.org/n") for each in SUPPORTS[:2]], with_cards=False)
    assert 3 == read(saved, {"data": SUPPORTS}, with_cards=False).table.n_votes


def _changed(*path: str, value: object) -> dict[str, Any]:
    item: Any = vote(1, 7, 66, 3)
    place = item
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return page(item)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (_changed("id", value="x"), "vote 1, id: expected a whole number"),
        (_changed("id", value=-1), "got a number out of bounds"),
        (_changed("id", value=2**63), "got a number out of bounds"),
        (_changed("id", value=True), "got true"),
        (_changed("type", value="proposals"), "expected the type vote_proposals"),
        (_changed("attributes", value=None), "vote 1, attributes: expected an object, got null"),
        (_changed("attributes", "weight", value=4), "vote 1, weight: expected a whole number from 0 to 3"),
        (_changed("attributes", "weight", value=1.0), "vote 1, weight: .* got a number"),
        (_changed("attributes", "weight", value="ana@example.org"), "got a text of 15 characters"),
        (_changed("relationships", value=[]), "relationships: expected an object, got a list"),
        (_changed("relationships", "proposal", value={}), "proposal: expected the number of a proposal"),
        (_changed("relationships", "proposal", "data", "type", value="results"), "expected the number of a proposal"),
        (_changed("relationships", "author", value=[1]), "author: expected an object, got a list"),
        (_changed("relationships", "author", "data", "id", value="Ana"), "author, id: .* got a text of 3 characters"),
        ({"data": None}, "votes.json, data: expected a list, got null"),
        ({"data": [], "links": 1}, "votes.json, links: expected an object"),
        ({"errors": []}, "votes.json, data: expected a list"),
        ([1], "page 1: expected an object"),
        ("{", "not JSON"),
        ("[" * 10**5, "nested too deep"),
        ('{"data": [], "data": []}', "a key is there twice"),
        ('{"data": [Infinity]}', "Infinity is no JSON number"),
        (page(), "there is not a single vote"),
        ([], "there is not a single vote"),
        (page(vote(1, 7, 66, 0), vote(2, 7, 66, 2, "meetings")), "there is not a single vote"),
    ],
)
def test_what_is_no_page_is_refused(saved: Path, content: object, message: str) -> None:
    with pytest.raises(MalformedError, match=message) as caught:
        read(saved, content, with_cards=True)
    assert "Ana" not in str(caught.value)
    assert "example.org" not in str(caught.value)


def test_a_title_that_is_a_formula_gets_an_apostrophe(saved: Path) -> None:
    got = read(saved, page(*SUPPORTS), {66: "=HYPERLINK(1)", 74: ""}, with_cards=False)

    assert ["'=HYPERLINK(1)", ""] == [each.text for each in got.statements]
    assert {"texts that a spreadsheet would run": 1} == cleaned(got)


def test_a_folder_without_pages_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds no file ending in \.json"):
        read_vote_proposals(tmp_path, str)


_votes = st.builds(vote, st.integers(1, 6), st.integers(1, 3), st.integers(1, 3), st.integers(0, 3))


@_SETTINGS
@given(st.lists(_votes, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_pages_and_votes_changes_nothing(saved: Path, votes: list[Any], chance: random.Random) -> None:
    votes = [*votes, vote(99, 99, 99, 3)]
    tables = []
    for _ in range(2):
        mixed = chance.sample(votes, len(votes))
        cut = chance.randrange(len(votes))
        tables.append(read(saved, [page(*mixed[:cut]), page(*mixed[cut:])]).table.to_ballots())

    assert tables[0] == tables[1]


@_SETTINGS
@given(st.data())
def test_only_our_errors_escape(saved: Path, data: st.DataObject) -> None:
    spoilt = bytearray(json.dumps([page(*CARDS[:2])]).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(spoilt)))
        pieces: Sequence[bytes] = [
            b'"',
            b"{",
            b"]",
            b"null",
            b"1e9",
            b"-",
            b"\xff",
            b"\\ud800",
            b"9" * 30,
            b", ",
            b"[]",
        ]
        spoilt[at : at + data.draw(st.integers(0, 6))] = data.draw(st.sampled_from(pieces))
    saved.write_bytes(spoilt)

    told = data.draw(st.sampled_from([None, True, False]))
    with contextlib.suppress(AuzolanError):
        assert read_vote_proposals(saved, pseudonyms(bytes(32), "x"), with_cards=told).table.n_votes


@pytest.mark.parametrize("at", [0, 1, 2])
def test_numbers_are_at_most_2_to_the_53_less_1(saved: Path, at: int) -> None:
    def with_number(largest: int) -> dict[str, Any]:
        number, author, proposal = (largest if place == at else 7 for place in range(3))
        return page(vote(number, author, proposal))

    assert 1 == read(saved, with_number(2**53 - 1), with_cards=False).table.n_votes
    with pytest.raises(MalformedError, match=r"expected a whole number from 0 to 9,007,199,254,740,991"):
        read(saved, with_number(2**53), with_cards=False)
