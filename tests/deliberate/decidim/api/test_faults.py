"""What goes wrong between a client and a Decidim changes nothing of what is read, or ends in one clear error."""

from __future__ import annotations

import time
from functools import cache

import pytest

from auzolan.core.lm.retry import Backoff
from auzolan.core.lm.wire import MAX_ANSWER_BYTES
from auzolan.core.record.errors import AuzolanError, MalformedError, StorageError, UsageError
from auzolan.deliberate.decidim.api.asking import PER_MINUTE, Api
from auzolan.deliberate.decidim.entities import Comment, Entity, Proposal
from tests.decidim_server import (
    GENERATIONS,
    DecidimServer,
    Fault,
    Instance,
    a_comment,
    a_proposal,
    cut,
    drip,
    page,
    small_instance,
    status,
)
from tests.decidim_server.instance import deep_thread
from tests.deliberate.decidim.api.reading import Clock, api, live

_PASSING = {
    "cut": cut(),
    "cut in the headers' shadow": cut(0),
    "no byte": Fault(is_silent=True),
    "500": status(500),
    "502": status(502),
    "503": status(503, Retry_After="11"),
    "429": status(429, Retry_After="30"),
    "truncated": Fault(truncate=60),
    "a page of HTML": page(b"<html>Maintenance</html>"),
    "nothing": page(b""),
    "null": page(b"null", "application/json"),
    "NaN": page(b'{"data": NaN}', "application/json"),
    "deep": page(b"[" * 100_000, "application/json"),
}


@cache
def _undisturbed(generation: str) -> list[Entity]:
    with DecidimServer(generation, small_instance(60)) as server:
        return list(live(server))


@pytest.mark.parametrize("name", _PASSING)
def test_passing_faults_change_nothing(name: str) -> None:
    with DecidimServer("0.31", small_instance(60)) as server:
        server.faults = lambda number: _PASSING[name] if number % 3 else None
        found = list(live(server))

    assert _undisturbed("0.31") == found


@pytest.mark.parametrize("generation", GENERATIONS)
def test_every_generation_is_read_through_faults(generation: str) -> None:
    faults = list(_PASSING.values())
    with DecidimServer(generation, small_instance(60)) as server:
        server.faults = lambda number: faults[number % len(faults)] if number % 4 else None
        found = list(live(server))

    assert _undisturbed(generation) == found


def test_an_answer_that_drips_is_cut_short_and_asked_for_again() -> None:
    with DecidimServer("0.31", small_instance()) as server:
        server.faults = lambda number: drip(0.01) if number == 1 else None
        dripped = Api(server.endpoint, time.monotonic, lambda _: None, lambda: 0.0, timeout_s=0.2)
        said = dripped.ask("{ decidim { version applicationName } organization { stats { key } } }", {})
        dripped.close()

    assert said.data is not None
    assert 2 == server.requests


@pytest.mark.parametrize("fault", [cut(), status(503), page(b"<html>"), status(429, Retry_After="5")])
def test_what_does_not_pass_ends_in_one_clear_error(fault: Fault) -> None:
    clock = Clock()
    with DecidimServer("0.31", small_instance(60)) as server:
        server.faults = lambda number: fault if number > 8 else None
        reader = live(server, clock=clock, headers={"Authorization": "Bearer hush-hush"})
        with pytest.raises(StorageError) as caught:
            list(reader)

    assert "no answer after 8 tries" in str(caught.value)
    assert "got so far: 4 comments, 25 proposals; it is kept, and the same command goes on from there" in str(
        caught.value
    )
    assert "hush" not in str(caught.value)
    assert clock.now < 600


def test_a_server_that_asks_for_too_long_a_wait_is_given_up() -> None:
    clock = Clock()
    with DecidimServer("0.31", small_instance()) as server:
        server.faults = lambda _: status(429, Retry_After="86400")
        with pytest.raises(StorageError, match=r"no answer after 1 try \(status 429\)"):
            list(live(server, clock=clock))

    assert clock.now < 1


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (status(301, Location="https://evil.example/api"), "redirects to another address .status 301., which is not"),
        (status(302, Location="/sign_in"), "redirects"),
        (status(401), "not open to this request .status 401.; it may need a token"),
        (status(403), "not open"),
        (status(404), "there is no API of a Decidim"),
    ],
)
def test_what_asking_again_does_not_change_is_said_at_once(fault: Fault, message: str) -> None:
    with DecidimServer("0.31", small_instance()) as server:
        server.faults = lambda _: fault
        with pytest.raises(UsageError, match=message):
            list(live(server))

    assert 1 == server.requests


def test_an_api_that_is_closed_opens_with_a_token() -> None:
    with DecidimServer("0.31", small_instance(), closed=True) as server:
        with pytest.raises(UsageError, match="may need a token"):
            list(live(server))
        found = list(live(server, headers={"Authorization": "Bearer t0ken-of-the-admin", "X-Jwt-Aud": "app"}))

    assert found


def test_an_answer_beyond_the_limit_is_asked_for_in_smaller_pages() -> None:
    large = page(b" " * (MAX_ANSWER_BYTES + 1), "application/json")
    with DecidimServer("0.31", small_instance(60)) as server:
        server.faults = lambda number: large if number in (8, 9) else None
        found = list(live(server))

    sizes = [each.variables["first"] for each in server.asked if "first" in each.variables]
    assert _undisturbed("0.31") == found
    assert 6 in sizes


def test_an_answer_that_is_always_beyond_the_limit_ends_the_reading() -> None:
    large = page(b" " * (MAX_ANSWER_BYTES + 1), "application/json")
    with DecidimServer("0.31", small_instance()) as server:
        server.faults = lambda _: large
        with pytest.raises(StorageError, match="an answer of more than 16,777,216 bytes"):
            list(live(server))


def test_pages_become_smaller_where_a_server_finds_them_too_complex() -> None:
    with DecidimServer("0.32", small_instance(60), max_complexity=1500) as server:
        found = list(live(server))

    assert _undisturbed("0.32") == found
    sizes = [each.variables["first"] for each in server.asked if "proposals(" in each.query and each.complexity < 1500]
    assert 12 == max(sizes)


def test_the_pace_stays_below_what_decidim_takes() -> None:
    clock = Clock()
    instance = small_instance(300)
    for each in instance.items(6)[10:]:
        each["comments"] = [deep_thread(int(each["id"]) * 1000)]
    with DecidimServer("0.32", instance, clock=clock, per_minute=100) as server:
        list(live(server, clock=clock))

    assert 0 == server.refused_for_pace
    assert server.requests > 300
    assert (server.requests - 1) * 60 / PER_MINUTE == pytest.approx(clock.now)


def test_a_stricter_server_is_waited_for() -> None:
    clock = Clock()
    with DecidimServer("0.32", small_instance(60), clock=clock, per_minute=5) as server:
        found = list(live(server, clock=clock))

    assert _undisturbed("0.32") == found
    assert server.refused_for_pace > 0


def test_a_pace_that_decidim_would_not_take_is_refused() -> None:
    with (
        DecidimServer("0.32", small_instance()) as server,
        pytest.raises(UsageError, match="expected 1 to 100, got 101"),
    ):
        live(server, per_minute=101)


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        ("http://decidim.example.org/api", "expected https; http only works on the same machine"),
        ("ftp://decidim.example.org/api", "expected http or https"),
        ("https://key:secret@decidim.example.org/api", "must not hold a user name"),
    ],
)
def test_addresses_that_others_listen_to_are_refused(endpoint: str, message: str) -> None:
    clock = Clock()
    with pytest.raises(UsageError, match=message) as caught:
        Api(endpoint, clock, clock.sleep, lambda: 0.0)

    assert "secret@" not in str(caught.value)


@pytest.mark.parametrize(
    "null", [("Proposals", "proposals"), ("ProposalConnection", "edges"), ("ProposalConnection", "pageInfo")]
)
def test_a_null_where_the_list_is_expected_is_named(null: tuple[str, str]) -> None:
    with DecidimServer("0.31", small_instance()) as server:
        server.nulls.add(null)
        with pytest.raises(MalformedError, match="component 6: the Decidim told no list of its proposals"):
            list(live(server))


def test_a_null_inside_a_proposal_costs_that_field_alone() -> None:
    with DecidimServer("0.31", small_instance()) as server:
        server.nulls |= {("Proposal", "taxonomies"), ("Proposal", "answer"), ("Proposal", "voteCount")}
        found = [each for each in live(server, components=[6]) if isinstance(each, Proposal)]

    assert 30 == len(found)
    assert {None} == {each.supports for each in found}


def test_a_space_that_tells_no_components_has_none() -> None:
    with DecidimServer("0.31", small_instance()) as server:
        server.nulls.add(("Assembly", "components"))
        found = list(live(server))

    assert {6, 7, 8} == {each.key.component for each in found}


def test_proposals_that_are_not_shown_are_counted() -> None:
    instance = small_instance()
    for place in (3, 11, 29):
        instance.items(6)[place]["hidden"] = True
    with DecidimServer("0.32", instance) as server:
        reader = live(server, components=[6])
        found = [each for each in reader if isinstance(each, Proposal)]

    assert 27 == len(found)
    assert 30 == reader.about().rows["proposal"]
    assert 3 == dict(reader.about().left)["entities that the Decidim lists and does not show"]


def test_a_fingerprint_of_another_text_is_not_taken_for_decidims() -> None:
    instance = small_instance()
    instance.items(6)[0]["wrong_fingerprint"] = "0" * 64
    with DecidimServer("0.32", instance) as server:
        reader = live(server, components=[6])
        first = next(each for each in reader if isinstance(each, Proposal))
        list(reader)

    assert first.fingerprint
    assert not first.fingerprint.is_from_decidim
    assert (
        1 == dict(reader.about().left)["fingerprints that are not those of the texts that came with them, recomputed"]
    )


def test_a_deleted_comment_takes_no_more_than_its_own_list_with_it() -> None:
    instance = Instance()
    gone = a_comment(3, "", deleted=True)
    thread = [a_comment(1, "a", a_comment(2, "b"), gone), a_comment(4, "c", a_comment(5, "d"))]
    instance.add(6, "Proposals", [a_proposal(1, comments=thread)])
    with DecidimServer("0.31", instance) as server:
        reader = live(server)
        found = [each for each in reader if isinstance(each, Comment)]

    left = dict(reader.about().left)
    assert {1: None, 4: None, 5: 4} == {each.key.id: each.parent for each in found}
    assert 1 == left["discussions, or branches of one, that the Decidim does not show"]
    assert 2 == left["comments that the Decidim counts and does not show"]


@pytest.mark.parametrize("generation", ["0.29", "0.32"])
def test_what_comes_and_goes_while_it_is_read(generation: str) -> None:
    instance, items = Instance(), [a_proposal(number) for number in range(1, 201)]
    instance.add(6, "Proposals", items)

    def before(number: int) -> None:
        if number > 6 and len(items) > 100:
            del items[number % 7 : number % 7 + 3]
            items.append(a_proposal(1000 + number))

    with DecidimServer(generation, instance) as server:
        server.before = before
        found = [each.key.id for each in live(server, components=[6])]

    assert len(set(found)) == len(found)
    assert {int(each["id"]) for each in items if int(each["id"]) <= 200} <= set(found)


@pytest.mark.parametrize("generation", GENERATIONS)
def test_an_api_that_is_no_decidims_is_named(generation: str) -> None:
    refusal = page(b'{"errors":[{"message":"Field \'component\' doesn\'t exist on type \'Query\'"}]}')
    with DecidimServer(generation, small_instance()) as server:
        server.faults = lambda _: refusal
        with pytest.raises(MalformedError, match=r"none of the forms of Decidim 0\.27 to 0\.32"):
            list(live(server))


@pytest.mark.parametrize(
    "body", [b"{}", b'{"data": 7}', b'{"errors": 7}', b'["data"]', b'"data"', b'{"data":{"x":1e999}}']
)
def test_answers_of_another_form_are_refused(body: bytes) -> None:
    with DecidimServer("0.31", small_instance()) as server:
        server.faults = lambda _: page(body, "application/json")
        asking = api(server, backoff=Backoff(tries=2))
        with pytest.raises(AuzolanError):
            asking.ask("{ decidim { version } }", {})
        asking.close()


@pytest.mark.parametrize("said", ["a" * 5000, "e-mail ana@example.org", "\x1b[31m", "Bearer t0ken"])
def test_little_of_what_a_server_says_is_shown(said: str) -> None:
    body = ('{"errors":[{"message":"' + said.replace("\x1b", "\\u001b") + '"}]}').encode()
    with DecidimServer("0.31", small_instance()) as server:
        server.faults = lambda _: page(body, "application/json")
        with pytest.raises(MalformedError) as caught:
            list(live(server))

    assert len(str(caught.value)) < 200
    assert "ana@" not in str(caught.value)
    assert "\x1b" not in str(caught.value)
