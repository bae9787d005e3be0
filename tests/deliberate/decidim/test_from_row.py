"""Fields of every version, as they become entities: nothing is guessed, and nobody is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from auzolan.core.record.errors import MalformedError, UsageError
from auzolan.deliberate.decidim.cards import meanings_of
from auzolan.deliberate.decidim.entities import Key, Proposal, Taxonomy
from auzolan.deliberate.decidim.fingerprint import fingerprint_of
from auzolan.deliberate.decidim.open_data import OpenData
from tests.deliberate.decidim.generated import HEADERS, HOST, TEXTS, only, proposal, pseudonym, table

NEW = HEADERS["0.31"]


@pytest.mark.parametrize(
    ("version", "layout"),
    [
        ("0.22", "0.22 or older"),
        ("0.23", "0.23 to 0.25"),
        ("0.25", "0.23 to 0.25"),
        ("0.27", "0.27 or 0.28"),
        ("0.29", "0.29"),
        ("0.30", "0.30"),
        ("0.31", "0.31 or newer"),
        ("0.32", "0.31 or newer"),
    ],
)
def test_every_version_gives_the_same_proposal(tmp_path: Path, version: str, layout: str) -> None:
    header = HEADERS[version]
    cells = proposal() | (TEXTS if "title/en" in header else {"title": "Trees", "body": "Plant them"})
    cells["supports" if ";supports;" in header else "votes"] = "12"
    cells["likes/total_count" if "likes/" in header else "endorsements/total_count"] = "3"
    if "taxonomies/id" in header:
        cells |= {"taxonomies/id": "14", "taxonomies/name": '{"en"=>"Green"}'}
    else:
        cells |= {"category/id": "14", "category/name/en": "Green"}
    if version == "0.32":
        cells["url"] = f"https://{HOST}/en/processes/plan/f/6/proposals/66"
    path = tmp_path / "proposals.csv"
    path.write_bytes(table(header, cells))

    reader = OpenData(path, pseudonym)
    (got,) = list(reader)

    assert isinstance(got, Proposal)
    assert Key(HOST, 6, "proposal", 66) == got.key
    assert ({"und": "Trees"} if version == "0.22" else {"en": "Trees", "ca": "Arbres"}) == got.title
    assert ("accepted", 12, 3, 2) == (got.state, got.supports, got.likes, got.n_comments)
    assert (Taxonomy(14, {"en": "Green"}),) == got.taxonomies
    assert f"https://{HOST}/processes/plan/f/6/proposals/66" == got.url
    assert f"open-data CSV of Decidim {layout}" == reader.about().layout
    assert HOST == reader.about().host


def test_columns_in_any_order_give_the_same(tmp_path: Path) -> None:
    cells = proposal(votes="4", author__id="7") | TEXTS
    names = NEW.split(";")

    straight = only(tmp_path, table(NEW, cells))
    turned = only(tmp_path, table(";".join(["unknown/column", *reversed(names)]), cells | {"unknown/column": "x"}))

    assert straight == turned


def test_blank_votes_are_hidden_and_never_zero(tmp_path: Path) -> None:
    assert only(tmp_path, table(NEW, proposal())).supports is None
    assert 0 == only(tmp_path, table(NEW, proposal(votes="0"))).supports


@pytest.mark.parametrize(
    "cells",
    [{"withdrawn": "true"}, {"state": "withdrawn"}, {"withdrawn_at": "2024-01-01 00:00:00 UTC"}],
)
def test_withdrawn_proposals_have_neither_texts_nor_authors(tmp_path: Path, cells: dict[str, str]) -> None:
    got = only(tmp_path, table(NEW, proposal(author__id="7", answer__en="Why?") | TEXTS | cells))

    assert (True, {}, {}, {}, None, ()) == (
        got.is_withdrawn,
        got.title,
        got.body,
        got.answer,
        got.fingerprint,
        got.authors,
    )


def test_an_amendment_names_what_it_amends(tmp_path: Path) -> None:
    original = f"https://{HOST}/ca/processes/plan/f/6/proposals/9"

    told = only(tmp_path, table(NEW, proposal(is_amend="true", original_proposal__url=original)))
    untold = only(tmp_path, table(NEW, proposal(is_amend="true")))

    assert (9, 0, None) == (told.amends, untold.amends, only(tmp_path, table(NEW, proposal())).amends)


@pytest.mark.parametrize(
    ("cells", "origin", "authors"),
    [
        ({"author/id": "7", "author/url": f"https://{HOST}/profiles/ana"}, "participant", ("p-7",)),
        (
            {"author/id": "7, 8", "author/url": f"https://{HOST}/profiles/a, https://{HOST}/profiles/b"},
            "participant",
            ("p-7", "p-8"),
        ),
        ({"author/id": "1", "author/url": f"https://{HOST}/"}, "official", ()),
        ({"author/id": "1", "author/url": f"https://{HOST}/ca"}, "official", ()),
        ({"author/id": "3", "author/url": f"https://{HOST}/processes/p/f/2/meetings/3"}, "meeting", ()),
        ({"author/id": "3", "created_in_meeting": "true"}, "meeting", ()),
        (
            {"author/id": "7", "author/url": f"https://{HOST}/profiles/ana", "created_in_meeting": "true"},
            "meeting",
            ("p-7",),
        ),
        ({"author/id": "7"}, None, ("p-7",)),
        ({}, None, None),
    ],
)
def test_who_brought_a_proposal_in(
    tmp_path: Path, cells: dict[str, str], origin: str | None, authors: tuple[str, ...] | None
) -> None:
    got = only(tmp_path, table(NEW, proposal() | cells))

    assert (origin, authors) == (got.origin, got.authors)


def test_the_root_page_does_not_tell_official_where_meetings_are_not_told(tmp_path: Path) -> None:
    got = only(tmp_path, table(HEADERS["0.29"], proposal(author__id="1", author__url=f"https://{HOST}/")))

    assert (None, ()) == (got.origin, got.authors)


def test_a_group_is_told_where_it_is_said(tmp_path: Path) -> None:
    cells = proposal(author__id="7", author__url=f"https://{HOST}/profiles/choir") | {"user_group/id": "7"}

    got = only(tmp_path, table(HEADERS["0.30"] + ";user_group/id", cells))

    assert ("group", ("p-7",)) == (got.origin, got.authors)


def test_names_places_and_profiles_never_get_through(tmp_path: Path) -> None:
    cells = proposal(
        author__id="7",
        author__name="Zoe Secret",
        author__url=f"https://{HOST}/profiles/zoesecret",
        address="Secret street 1",
        latitude="41.123",
        longitude="2.123",
        likes__user_likes="Zoe Secret, Mia Secret",
    )

    got = only(tmp_path, table(NEW, cells | TEXTS))

    assert not [hidden for hidden in ("ecret", "41.123", "2.123") if hidden in repr(got)]


def test_the_fingerprint_is_of_the_text_as_exported(tmp_path: Path) -> None:
    got = only(tmp_path, table(NEW, proposal(title__en="'=1+1", body__en="Write to Ana &amp; me in 2016")))

    assert ({"en": "=1+1"}, {"en": "Write to Ana & me in 2016"}) == (got.title, got.body)
    assert fingerprint_of({"en": "=1+1"}, {"en": "Write to Ana &amp; me in 2016"}) == got.fingerprint


def test_references_and_states_are_not_masked(tmp_path: Path) -> None:
    got = only(tmp_path, table(NEW, proposal(reference="MLOC-PROP-2024-05-1234567", state="in_study")))

    assert ("MLOC-PROP-2024-05-1234567", "in_study") == (got.reference, got.state)


def test_an_address_with_control_characters_is_none(tmp_path: Path) -> None:
    cells = proposal() | {"url": f"https://{HOST}/processes/plan/f/6/proposals/\x0766"}

    assert only(tmp_path, table(NEW, cells)).url is None


def test_taxonomies_that_cannot_be_read_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "proposals.csv"
    rows = (proposal(n, taxonomies__id="1", taxonomies__name="`rm -rf`") | TEXTS for n in (1, 2))
    path.write_bytes(table(NEW, *rows))

    reader = OpenData(path, pseudonym)
    got = list(reader)

    assert [(), ()] == [each.taxonomies for each in got if isinstance(each, Proposal)]
    assert 2 == dict(reader.about().left)["taxonomies that could not be read left out"]


def test_ids_that_do_not_fit_the_names_are_left_out(tmp_path: Path) -> None:
    got = only(tmp_path, table(NEW, proposal(taxonomies__id="1", taxonomies__name='{"en"=>"a"}, {"en"=>"b"}')))

    assert (Taxonomy(None, {"en": "a"}), Taxonomy(None, {"en": "b"})) == got.taxonomies


def test_category_and_scope_stand_for_taxonomies(tmp_path: Path) -> None:
    cells = {"category/id": "3", "category/name/en": "Green", "scope/id": "5", "scope/name/ca": "Centre"}

    got = only(tmp_path, table(HEADERS["0.27"], proposal() | cells))

    assert (Taxonomy(3, {"en": "Green"}), Taxonomy(5, {"ca": "Centre"})) == got.taxonomies


def test_an_odd_date_is_counted_and_not_fatal(tmp_path: Path) -> None:
    path = tmp_path / "proposals.csv"
    path.write_bytes(table(NEW, proposal(published_at="soon", created_at="2024-01-01 00:00:00 +0200")))

    reader = OpenData(path, pseudonym)
    (got,) = list(reader)

    assert isinstance(got, Proposal)
    assert (None, "2023-12-31T22:00:00Z") == (got.published_at, got.created_at)
    assert 1 == dict(reader.about().left)["dates that could not be read left out"]


def test_votes_by_cards_are_told_by_what_they_mean(tmp_path: Path) -> None:
    header = NEW.replace(";votes;", ";votes/Verd;votes/Red;votes/Potser;")
    cells = {"votes/Verd": "5", "votes/Red": "2", "votes/Potser": "1"}

    got = only(tmp_path, table(header, proposal() | cells), cards=meanings_of(["Potser=neutral"]))

    assert (None, {"agree": 5, "disagree": 2, "neutral": 1}) == (got.supports, got.cards)


def test_unknown_cards_are_refused(tmp_path: Path) -> None:
    header = NEW.replace(";votes;", ";votes/Potser;votes/1;votes/Gens;")

    with pytest.raises(UsageError, match="“Gens”, “Potser”; say of each card what it means"):
        only(tmp_path, table(header, proposal() | {"votes/Potser": "1"}))


def test_a_weight_of_one_is_a_support_only_where_no_cards_are(tmp_path: Path) -> None:
    plain = only(tmp_path, table(NEW.replace(";votes;", ";votes/1;"), proposal() | {"votes/1": "8"}))

    assert (8, None) == (plain.supports, plain.cards)
    with pytest.raises(UsageError, match="“1”"):
        only(
            tmp_path,
            table(NEW.replace(";votes;", ";votes/1;votes/3;"), proposal() | {"votes/1": "8"}),
            cards=meanings_of(["3=agree"]),
        )


def test_own_fields_follow_the_body(tmp_path: Path) -> None:
    header = NEW + ";body/why/en;body/what/en;body/what/ca;private_body/phone"
    cells = proposal(body__en="Short") | {
        "body/why/en": "Because",
        "body/what/en": "Short",
        "body/what/ca": "Curt",
        "private_body/phone": "hidden",
    }

    got = only(tmp_path, table(header, cells))

    assert {"en": "Short\n\nBecause", "ca": "Curt"} == got.body


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"id": ""}, "expected the number of the entity, got nothing"),
        ({"id": "x1"}, "(id): expected a whole number"),
        ({"id": "0"}, "(id): expected a whole number"),
        ({"id": str(2**53)}, "(id): expected a whole number"),
        ({"votes": "-3"}, "(votes): expected a whole number"),
        ({"votes": "1.5"}, "(votes): expected a whole number"),
        ({"component/id": "six"}, "(component/id): expected a whole number from 0"),
    ],
)
def test_a_bad_number_is_told_with_its_place(tmp_path: Path, cells: dict[str, str], message: str) -> None:
    with pytest.raises(MalformedError) as refused:
        only(tmp_path, table(NEW, proposal() | cells))

    assert str(refused.value).startswith("proposals.csv, line 2, column ")
    assert message in str(refused.value)


def test_errors_show_no_text_of_people(tmp_path: Path) -> None:
    with pytest.raises(MalformedError) as refused:
        only(tmp_path, table(NEW, proposal(votes="Zoe Secret")))

    assert "ecret" not in str(refused.value)
