"""Official answers through the API: each proposal once, whatever happens in between."""

from __future__ import annotations

import pytest

from auzolan.core.lm.retry import Backoff
from auzolan.core.record.errors import AuzolanError, MissingError, StorageError, UsageError
from auzolan.deliberate.decidim.api.answering import Answer, Written, write_answers
from auzolan.deliberate.decidim.api.asking import Api
from auzolan.deliberate.decidim.api.signing_in import signed_in
from auzolan.deliberate.decidim.write_back.answers import OURS
from tests.decidim_server import DecidimServer, Fault, cut, page, small_instance, status
from tests.decidim_server.server import KEY, SECRET, TOKEN
from tests.deliberate.decidim.api.reading import Clock, api
from tests.memory_files import MemoryFiles

_ADMIN = {"Authorization": f"Bearer {TOKEN}"}
_ANSWERS = [
    Answer(
        6, 1, "accepted", {"ca": f'<p>Sí, <a href="https://example.org/">article 1</a>. {OURS}</p>', "es": "<p>Sí.</p>"}
    ),
    Answer(6, 2, "rejected", {"ca": f"<p>No. {OURS}</p>"}),
    Answer(12, 900, "evaluating", {"ca": f"<p>Ja veurem. {OURS}</p>"}),
]


def _write(
    server: DecidimServer,
    store: MemoryFiles,
    answers: list[Answer] | None = None,
    *,
    resend: bool = False,
    **settings: object,
) -> Written:
    clock = Clock()
    asking = api(server, clock, **{"headers": _ADMIN, **settings})
    try:
        return write_answers(asking, _ANSWERS if answers is None else answers, store, clock.sleep, resend=resend)
    finally:
        asking.close()


@pytest.mark.parametrize("generation", ["0.31", "0.32"])
def test_answers_are_given_and_stand(generation: str) -> None:
    with DecidimServer(generation, small_instance()) as server:
        written = _write(server, MemoryFiles())

    first = server.instance.items(6)[0]
    assert Written(sent=3, standing=0, not_shown=0) == written
    assert [(6, "1"), (6, "2"), (12, "900")] == server.answered
    assert ("accepted", _ANSWERS[0].texts) == (first["state"], first["answer"])


def test_who_was_answered_is_not_answered_again() -> None:
    store = MemoryFiles()
    with DecidimServer("0.32", small_instance()) as server:
        _write(server, store)
        again = _write(server, store)
        elsewhere = _write(server, MemoryFiles())  # what stands is seen without any note of it

    assert Written(0, 3, 0) == again == elsewhere
    assert 3 == len(server.answered)


def test_another_answer_is_given_again() -> None:
    store = MemoryFiles()
    with DecidimServer("0.32", small_instance()) as server:
        _write(server, store)
        other = [Answer(6, 2, "accepted", {"ca": "<p>Ara sí.</p>"})]

        assert Written(1, 0, 0) == _write(server, store, other)
    assert 4 == len(server.answered)


@pytest.mark.parametrize(
    "fault", [status(500), status(503), cut(8), page(b"<html>"), Fault(status=502, body=b"late")], ids=repr
)
def test_an_interruption_at_any_request_notifies_nobody_twice(fault: Fault) -> None:
    with DecidimServer("0.32", small_instance()) as server:
        _write(server, MemoryFiles())
        n_requests = server.requests
    for number in range(1, n_requests + 1):
        with DecidimServer("0.32", small_instance()) as server:
            store = MemoryFiles()
            server.faults = lambda n, at=number: fault if n >= at else None  # type: ignore[misc]
            with pytest.raises(StorageError):
                _write(server, store, backoff=Backoff(tries=1))
            server.faults = lambda _: None
            try:
                written = _write(server, store)
            except UsageError as error:
                assert "an earlier run may have sent" in str(error)  # noqa: PT017 - not every interruption leaves that
                written = _write(server, store, resend=True)

        assert 3 == written.sent + written.standing
        assert [(6, "1"), (6, "2"), (12, "900")] == server.answered


def test_an_answer_whose_confirmation_is_lost_is_looked_up_not_sent_again() -> None:
    with DecidimServer("0.32", small_instance()) as server:
        server.faults = lambda number: cut(8) if number == 3 else None  # the first answer
        written = _write(server, MemoryFiles())

    assert Written(3, 0, 0) == written
    assert 3 == len(server.answered)


def test_an_answer_is_not_sent_again_when_the_connection_was_closed() -> None:
    with DecidimServer("0.32", small_instance()) as server:
        server.faults = lambda number: Fault(is_silent=True) if number == 3 else None
        written = _write(server, MemoryFiles())

    assert Written(3, 0, 0) == written
    assert 3 == len(server.answered)


def test_an_answer_that_may_have_been_lost_stops_everything() -> None:
    with DecidimServer("0.32", small_instance()) as server:
        server.faults = lambda number: status(504) if number == 3 else None
        with pytest.raises(StorageError, match="it is not known whether the answer was taken") as caught:
            _write(server, MemoryFiles())

    assert "0 of 3 proposals are answered, and running again goes on" in str(caught.value)
    assert [] == server.answered


def test_too_many_requests_are_waited_for() -> None:
    with DecidimServer("0.32", small_instance()) as server:
        server.faults = lambda number: status(429, Retry_After="9") if number % 2 else None
        written = _write(server, MemoryFiles())

    assert Written(3, 0, 0) == written
    assert 3 == len(server.answered)


@pytest.mark.parametrize("generation", ["0.27", "0.29", "0.30"])
def test_an_older_decidim_is_told_apart_before_anything_is_sent(generation: str) -> None:
    with (
        DecidimServer(generation, small_instance()) as server,
        pytest.raises(UsageError, match=r"takes no answers through its API, which came with 0\.31"),
    ):
        _write(server, MemoryFiles())

    assert 1 == server.requests


def test_a_refusal_for_another_reason_is_not_taken_for_age() -> None:
    refusal = page(b'{"errors":[{"message":"x","extensions":{"code":"PERMISSION_NOT_SET_ERROR"}}]}', "application/json")
    with DecidimServer("0.32", small_instance()) as server:
        server.faults = lambda _: refusal
        with pytest.raises(UsageError, match=r"refuses answers .it says: PERMISSION_NOT_SET_ERROR.; nothing"):
            _write(server, MemoryFiles())


def test_answers_that_are_published_later_are_taken_and_counted() -> None:
    with DecidimServer("0.32", small_instance()) as server:
        server.nulls |= {("Proposal", "state"), ("Proposal", "answer")}
        store = MemoryFiles()
        written, again = _write(server, store), _write(server, store)

    assert Written(sent=3, standing=0, not_shown=3) == written
    assert Written(0, 3, 0) == again
    assert 3 == len(server.answered)


def test_without_the_right_to_answer_nothing_changes() -> None:
    with (
        DecidimServer("0.32", small_instance()) as server,
        pytest.raises(UsageError, match=r"refuses the answer \(it says: MUTATION_NOT_AUTHORIZED_ERROR\); nothing was"),
    ):
        _write(server, MemoryFiles(), headers={})

    assert [] == server.answered


def test_a_state_that_the_component_does_not_have_is_named() -> None:
    with (
        DecidimServer("0.32", small_instance()) as server,
        pytest.raises(UsageError, match=r"proposal 1 of component 6: the Decidim refuses .* says: ATTRIBUTE_VALID"),
    ):
        _write(server, MemoryFiles(), [Answer(6, 1, "adopted", {"ca": "x"})])


@pytest.mark.parametrize(("component", "proposal"), [(6, 900), (77, 1), (7, 1)])
def test_a_proposal_that_is_not_there_is_named(component: int, proposal: int) -> None:
    with (
        DecidimServer("0.32", small_instance()) as server,
        pytest.raises(MissingError, match=f"proposal {proposal} of component {component}"),
    ):
        _write(server, MemoryFiles(), [Answer(component, proposal, "accepted", {"ca": "x"})])


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([Answer(6, 1, "accepted", {"ca": "x"}), Answer(6, 1, "rejected", {"ca": "y"})], "proposal 1 has two answers"),
        ([Answer(6, 1, "withdrawn", {"ca": "x"})], "expected a state such as accepted"),
        ([Answer(6, 1, "Not A Token", {"ca": "x"})], "expected a state such as accepted"),
        ([Answer(6, 1, "accepted", {})], "expected an answer in at least one language"),
        ([Answer(6, 1, "accepted", {"ca": "x", "es": " "})], "and none empty"),
    ],
)
def test_what_is_no_answer_is_refused_before_anything_is_sent(answers: list[Answer], message: str) -> None:
    with DecidimServer("0.32", small_instance()) as server, pytest.raises(UsageError, match=message):
        _write(server, MemoryFiles(), answers)

    assert 0 == server.requests


def test_api_credentials_sign_in_and_out_again() -> None:
    with (
        DecidimServer("0.32", small_instance()) as server,
        signed_in(server.endpoint, KEY, SECRET, Clock()) as headers,
    ):
        signed = server.signed_in
        written = _write(server, MemoryFiles(), headers=headers)

    assert (1, 0, 3) == (signed, server.signed_in, written.sent)


def test_an_error_in_between_signs_out_too() -> None:
    with (
        DecidimServer("0.32", small_instance()) as server,
        pytest.raises(MissingError),
        signed_in(server.endpoint, KEY, SECRET, Clock()) as headers,
    ):
        _write(server, MemoryFiles(), [Answer(77, 1, "accepted", {"ca": "x"})], headers=headers)

    assert 0 == server.signed_in


@pytest.mark.parametrize(
    ("fault", "kind"),
    [(None, UsageError), (status(404), UsageError), (status(500), StorageError), (cut(0), StorageError)],
)
def test_signing_in_that_fails_shows_no_secret(fault: Fault | None, kind: type[AuzolanError]) -> None:
    with DecidimServer("0.32", small_instance()) as server:
        server.faults = lambda _: fault
        with pytest.raises(kind) as caught, signed_in(server.endpoint, KEY, "hush-hush", Clock()):
            pass

    assert "hush" not in str(caught.value)
    assert KEY not in str(caught.value)


def test_a_secret_never_leaves_unencrypted() -> None:
    with (
        pytest.raises(UsageError, match="a secret never leaves this machine unencrypted"),
        signed_in("http://decidim.example.org/api", KEY, SECRET, Clock()),
    ):
        pass


def test_a_token_that_no_header_may_hold_is_refused_and_not_shown() -> None:
    clock = Clock()
    with pytest.raises(UsageError) as caught:
        Api("https://decidim.example.org", clock, clock.sleep, lambda: 0.0, headers={"Authorization": "a\r\nhush: 1"})

    assert "hush" not in str(caught.value)


def test_no_token_and_no_text_is_noted() -> None:
    store = MemoryFiles()
    with DecidimServer("0.32", small_instance()) as server:
        _write(server, store)

    noted = b"".join(store.content.values())
    assert TOKEN.encode() not in noted
    assert "Sí".encode() not in noted
