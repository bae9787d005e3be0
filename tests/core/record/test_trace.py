from __future__ import annotations

import pytest

from auzolan.core.kinds.oversee import Endorsement
from auzolan.core.record.authority import SUPERSEDES
from auzolan.core.record.canonical import JsonObject
from auzolan.core.record.errors import MissingError
from auzolan.core.record.findings import Expectation
from auzolan.core.record.record import Record
from auzolan.core.record.tombstone import tombstone
from auzolan.core.record.trace import Link, Strength, Walk
from auzolan.core.record.verify import verify_ledger
from tests.town import NOW, ROOT_ID, Town, document, next_rules, sign

SALT = bytes(32)


def walk_of(town: Town) -> Walk:
    return Walk(town.public, verify_ledger(town.public, Expectation(NOW)))


def filed(blobs: dict[str, str]) -> Record:
    """Return a document that consists of blobs."""
    body: JsonObject = {"title": "x", "dated_at": "2026-11-20", "text": ""}
    return Record("document/v1", body, {"commons": ROOT_ID}, blobs)


def strengths(links: list[Link]) -> dict[str, Strength]:
    return {link.name: link.strength for link in links}


def test_a_record_can_be_read_and_an_unknown_one_is_missing() -> None:
    town = Town()
    walk = walk_of(town)

    assert town.root == walk.record(town.root.id)
    with pytest.raises(MissingError, match="no record 0000000000000000"):
        walk.record("00" * 32)


def test_a_link_without_a_checker_is_only_asserted() -> None:
    town = Town()
    minutes = document()
    endorsement = Endorsement(minutes.id, "recomputed", "2026-11-20").to_record()
    town.commit(sign(minutes), sign(endorsement))
    walk = walk_of(town)
    link = Link("endorses", endorsement.id, minutes.id, Strength.ASSERTED)

    assert [link] == list(walk.backwards(endorsement.id))
    assert [link] == list(walk.forwards(minutes.id))
    assert [(link.name, link.target) for link in walk.backwards(minutes.id)] == [("commons", ROOT_ID)]
    assert list(walk.forwards(endorsement.id)) == []


def test_what_a_record_says_about_its_own_links_does_not_strengthen_them() -> None:
    town = Town()
    minutes = document()
    boasting = Record("report/v1", {"strength": "recomputed", "checked": True}, {"source": minutes.id})
    town.commit(sign(minutes), sign(boasting))

    assert {"source": Strength.ASSERTED} == strengths(list(walk_of(town).backwards(boasting.id)))


def test_a_kind_never_seen_before_is_walked_all_the_same() -> None:
    town = Town()
    minutes = document()
    unknown = Record("spaceship/v7", {"anything": [1, 2]}, {"a": minutes.id, "b.1": town.root.id, "b.2": minutes.id})
    town.commit(sign(minutes), sign(unknown))
    walk = walk_of(town)

    assert [("a", minutes.id), ("b.1", town.root.id), ("b.2", minutes.id)] == sorted(
        (link.name, link.target) for link in walk.backwards(unknown.id)
    )
    assert ["a", "b.2"] == sorted(link.name for link in walk.forwards(minutes.id))


def test_a_governance_supersedes_by_the_rule_of_succession() -> None:
    town = Town()
    second = next_rules(town.root.id, name="Second")
    town.commit(sign(second))
    third = next_rules(second.id, name="Third")
    town.commit(sign(third))
    walk = walk_of(town)

    assert [Link(SUPERSEDES, third.id, second.id, Strength.CHECKED)] == list(walk.backwards(third.id))
    assert [Link(SUPERSEDES, second.id, town.root.id, Strength.CHECKED)] == list(walk.forwards(town.root.id))


def test_a_link_of_that_name_in_another_kind_is_only_asserted() -> None:
    town = Town()
    minutes = document("Minutes", "We met.", supersedes=town.root.id)
    town.commit(sign(minutes))

    assert {"supersedes": Strength.ASSERTED} == strengths(list(walk_of(town).backwards(minutes.id)))


def test_blobs_are_checked_withheld_or_erased() -> None:
    town = Town()
    blobs = {
        "public": town.ledger.stage_blob(b"public"),
        "private.kept": town.ledger.keep_private_blob(b"kept", SALT),
        "private.gone": town.ledger.keep_private_blob(b"gone", SALT),
    }
    record = filed(blobs)
    town.commit(sign(record))
    forgotten = tombstone([blobs["private.gone"]], [record.id], "asked for", "2026-11-20")
    town.commit(sign(forgotten))
    walk = walk_of(town)

    assert {
        "public": Strength.CHECKED,
        "private.kept": Strength.UNAVAILABLE,
        "private.gone": Strength.UNAVAILABLE,
    } == strengths([link for link in walk.backwards(record.id) if link.is_blob])
    assert {"affects.1": Strength.CHECKED} == strengths(list(walk.backwards(forgotten.id)))
    assert [Link("public", record.id, blobs["public"], Strength.CHECKED, True)] == list(walk.forwards(blobs["public"]))


def test_what_is_unavailable_is_unavailable_in_both_directions() -> None:
    """From the record or from the blob: a link to bytes that are withheld was not checked in this run."""
    town = Town()
    withheld = town.ledger.keep_private_blob(b"kept", SALT)
    record = filed({"private.x": withheld})
    town.commit(sign(record))
    walk = walk_of(town)
    link = Link("private.x", record.id, withheld, Strength.UNAVAILABLE, True)

    assert [link] == [each for each in walk.backwards(record.id) if each.is_blob]
    assert [link] == list(walk.forwards(withheld))


def test_a_blob_that_is_the_bytes_of_a_record_is_walked_as_a_blob() -> None:
    """The SHA-256 of a record's canonical bytes is its id: one record may publish them and another link to it."""
    town = Town()
    minutes = document()
    copied = town.ledger.stage_blob(minutes.canonical)
    both = Record("archive/v1", {}, {"about": minutes.id}, {"copy": copied})
    town.commit(sign(minutes), sign(both))
    walk = walk_of(town)

    assert minutes.id == copied
    assert {("about", False, Strength.ASSERTED), ("copy", True, Strength.CHECKED)} == {
        (link.name, link.is_blob, link.strength) for link in walk.forwards(minutes.id)
    }


def test_a_checker_of_a_stage_is_asked_for_its_kind_and_link() -> None:
    town = Town()
    minutes = document()
    tally = Record("sum/v1", {}, {"ballots.1": minutes.id, "ballots.2": town.root.id, "other": minutes.id})
    town.commit(sign(minutes), sign(tally))
    asked = []

    def recompute(_walk: Walk, record: Record, name: str, target: str) -> Strength:
        asked.append((record.id, name, target))
        return Strength.RECOMPUTED if target == minutes.id else Strength.ASSERTED

    verified = verify_ledger(town.public, Expectation(NOW))
    walk = Walk(town.public, verified, {("sum/v1", "ballots"): recompute})

    assert {
        "ballots.1": Strength.RECOMPUTED,
        "ballots.2": Strength.ASSERTED,
        "other": Strength.ASSERTED,
    } == strengths(list(walk.backwards(tally.id)))
    assert {"ballots.1", "ballots.2"} == {name for _, name, _ in asked}


def test_gathering_links_reports_its_progress() -> None:
    town = Town()
    town.commit(sign(document()))
    seen: list[tuple[int, int]] = []
    Walk(town.public, verify_ledger(town.public, Expectation(NOW)), progress=lambda *done: seen.append(done))

    assert seen == [(1, 2), (2, 2)]
