"""A reading that was interrupted at any moment goes on, and gives the same."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from auzolan.core.lm.retry import Backoff
from auzolan.core.record.errors import StorageError
from auzolan.deliberate.decidim.entities import About, Entity
from tests.decidim_server import DecidimServer, Fault, cut, page, small_instance, status
from tests.decidim_server.server import TOKEN
from tests.deliberate.decidim.api.reading import live
from tests.memory_files import MemoryFiles

_ONCE = Backoff(tries=1)
_PROBING = 5  # questions that find out what the API knows, asked again together


def _whole(server: DecidimServer) -> tuple[list[Entity], About, int]:
    before = server.requests
    reader = live(server)
    return list(reader), reader.about(), server.requests - before


@pytest.mark.parametrize(("generation", "fault"), [("0.29", status(500)), ("0.32", cut(10))])
def test_an_interruption_at_any_request_changes_nothing(generation: str, fault: Fault) -> None:
    with DecidimServer(generation, small_instance(60)) as server:
        expected, about, n_requests = _whole(server)
        for number in range(1, n_requests + 1):
            store, start = MemoryFiles(), server.requests
            server.faults = lambda n, at=start + number: fault if n >= at else None  # type: ignore[misc]
            with pytest.raises(StorageError, match="goes on from there"):
                list(live(server, store, backoff=_ONCE))
            server.faults = lambda _: None
            start = server.requests
            reader = live(server, store)
            found = list(reader)

            assert expected == found
            assert about == reader.about()
            missing = n_requests - number + 1
            assert missing <= server.requests - start <= missing + _PROBING


def test_who_stops_reading_in_the_middle_goes_on_too() -> None:
    with DecidimServer("0.31", small_instance(60)) as server:
        expected, _, n_requests = _whole(server)
        store = MemoryFiles()
        iterator = iter(live(server, store))
        first = [next(iterator) for _ in range(55)]
        iterator.close()  # type: ignore[attr-defined]
        start = server.requests
        found = list(live(server, store))

    assert expected == found
    assert expected[:55] == first
    assert server.requests - start < n_requests


def test_a_reading_that_is_complete_leaves_nothing_and_asks_anew() -> None:
    store = MemoryFiles()
    with DecidimServer("0.31", small_instance()) as server:
        list(live(server, store))
        server.instance.items(6)[0]["votes"] = 77
        again = list(live(server, store))

    assert {} == store.content
    assert 77 == getattr(again[0], "supports", None)


def test_what_is_kept_of_other_settings_is_not_gone_on_from() -> None:
    with DecidimServer("0.31", small_instance(60)) as server:
        _, _, n_requests = _whole(server)
        for settings in ({"with_comments": False}, {"host": "other.example.org"}, {"components": [6]}):
            store = _interrupted(server)
            start = server.requests
            list(live(server, store, **settings))

            assert server.requests - start > 6 if settings == {"components": [6]} else n_requests - 9
            assert {} == store.content


@pytest.mark.parametrize(
    "settings",
    [{"cards": {"Endavant": "agree"}}, {"headers": {"Authorization": f"Bearer {TOKEN}"}}, {"started_on": "2026-03-02"}],
    ids=["cards", "token", "day"],
)
def test_other_cards_another_access_or_another_day_begin_anew(settings: dict[str, Any]) -> None:
    with DecidimServer("0.31", small_instance(60)) as server:
        _, _, n_requests = _whole(server)
        store = _interrupted(server)
        kept = b"".join(store.content.values())
        start = server.requests
        list(live(server, store, **settings))

    assert n_requests == server.requests - start
    assert TOKEN.encode() not in kept


def test_the_same_cards_access_and_day_go_on() -> None:
    settings: dict[str, Any] = {"cards": {"Endavant": "agree", "Fora": "disagree"}, "headers": {"Authorization": "x"}}
    with DecidimServer("0.31", small_instance(60)) as server:
        expected, _, n_requests = _whole(server)
        store = _interrupted(server, **settings)
        kept = b"".join(store.content.values())
        start = server.requests
        found = list(live(server, store, **settings | {"headers": {"authorization": "another"}}))

    assert expected == found
    assert server.requests - start < n_requests
    assert b"another" not in kept


def test_other_pseudonyms_begin_anew() -> None:
    with DecidimServer("0.31", small_instance(60)) as server:
        _, _, n_requests = _whole(server)
        store = _interrupted(server)
        start = server.requests
        reader = live(server, store)
        reader._pseudonym = lambda who: sha256(b"another key" + who.encode()).hexdigest()[:32]
        list(reader)

    assert n_requests == server.requests - start


def test_a_kept_answer_that_is_damaged_is_asked_for_again_with_all_that_follows() -> None:
    with DecidimServer("0.31", small_instance(60)) as server:
        expected, _, n_requests = _whole(server)
        store = _interrupted(server)
        store.content["reading/0000004.json"] = b'{"asked":"'
        start = server.requests
        found = list(live(server, store))

    assert expected == found
    assert n_requests > server.requests - start > 5


def test_a_kept_answer_to_another_question_is_not_taken_for_this_one() -> None:
    with DecidimServer("0.31", small_instance(60)) as server:
        expected, _, _ = _whole(server)
        store = _interrupted(server)
        store.content["reading/0000002.json"] = store.content["reading/0000005.json"]
        found = list(live(server, store))

    assert expected == found


def test_a_disk_that_is_full_is_no_loss() -> None:
    class Full(MemoryFiles):
        def write_all(self, items: object) -> None:
            if len(self.content) > 6:
                raise StorageError("cannot write: no space left")
            super().write_all(items)  # type: ignore[arg-type]

    with DecidimServer("0.31", small_instance(60)) as server:
        expected, _, _ = _whole(server)
        store = Full()
        with pytest.raises(StorageError, match="no space left; got so far"):
            list(live(server, store))
        found = list(live(server, MemoryFiles(store.content)))

    assert expected == found


def test_what_was_deleted_between_the_runs_does_not_hide_others() -> None:
    with DecidimServer("0.31", small_instance(60)) as server:
        expected = {each.key.id for each in _whole(server)[0] if each.key.kind == "proposal"}
        store = _interrupted(server, after=8)
        gone = {int(each["id"]) for each in server.instance.items(6)[20:30]}
        del server.instance.items(6)[20:30]
        found = [each.key.id for each in live(server, store) if each.key.kind == "proposal"]

    read_before = {number for number in gone if number <= 25}  # deleted later, which the next import will see
    assert expected - gone | read_before == set(found)
    assert len(set(found)) == len(found)


def test_entities_survive_being_kept() -> None:
    with DecidimServer("0.29", small_instance(60)) as server:
        expected, _, _ = _whole(server)
        store = _interrupted(server, after=12)
        found = list(live(server, store))

    assert [replace(each) for each in expected] == found


def _interrupted(server: DecidimServer, after: int = 9, **settings: Any) -> MemoryFiles:
    """Return the store of a reading that ended after so many requests."""
    store, start = MemoryFiles(), server.requests
    server.faults = lambda number: page(b"<html>") if number > start + after else None
    with pytest.raises(StorageError):
        list(live(server, store, backoff=_ONCE, **settings))
    server.faults = lambda _: None
    return store
