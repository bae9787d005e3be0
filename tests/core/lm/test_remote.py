"""Asking a server on loopback that answers as badly as servers can."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from auzolan.core.lm.generate import in_order
from auzolan.core.lm.remote import Endpoint, Remote
from auzolan.core.lm.retry import Backoff
from auzolan.core.lm.spending import Progress
from auzolan.core.record.errors import AuzolanError, MalformedError, StorageError, UsageError
from tests.core.lm.loopback import (
    MODEL,
    Behave,
    Line,
    Seen,
    all_at_once,
    ask,
    asks,
    at_first,
    completion,
    cut_short,
    drips,
    fails,
    hangs_up,
    raw,
    resets,
    says,
    serving,
    texts,
    well,
)
from tests.core.lm.talk import Talk, failure, take_all

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_answers_come_back_for_their_requests() -> None:
    with serving() as server:
        found = in_order(Talk(server).remote, asks(40))

    assert texts(asks(40)) == [completion.text for completion in found]
    assert {("stop", 7, 3, MODEL, False)} == {
        (c.finish, c.prompt_tokens, c.completion_tokens, c.model, c.cached) for c in found
    }
    assert {"/v1/chat/completions"} == {seen.path for seen in server.seen}


def test_nothing_is_asked_for_nothing() -> None:
    with serving() as server:
        assert [] == in_order(Talk(server).remote, [])
        assert [] == server.seen


def test_equal_requests_are_asked_once() -> None:
    with serving() as server:
        assert 1 == len(list(Talk(server).remote([ask("a"), ask("a")])))
        assert 1 == len(server.seen)


@pytest.mark.parametrize("bound", [1, 3, 8])
def test_as_many_as_allowed_are_asked_at_once_and_never_more(bound: int) -> None:
    full = threading.Barrier(bound)

    def together(seen: Seen, line: Line) -> None:
        full.wait(timeout=20)  # breaks unless `bound` requests are here at once
        well(seen, line)

    with serving(lambda seen: together) as server:
        in_order(Talk(server, concurrency=bound).remote, asks(5 * bound))

    assert bound == server.most_at_once


def test_never_more_than_allowed_are_asked_at_once_when_things_fail() -> None:
    with serving(at_first(resets, fails("500 Oh"), cut_short)) as server:
        found = in_order(Talk(server, concurrency=4, backoff=Backoff(tries=9)).remote, asks(30))

    assert texts(asks(30)) == [c.text for c in found]
    assert server.most_at_once <= 4


@pytest.mark.parametrize(
    "bad",
    [
        resets,
        hangs_up,
        cut_short,
        fails("500 Internal Server Error"),
        fails("503 Busy"),
        fails("408 Request Timeout"),
        says(b"<html>"),
        says(b'{"choices":[{"message"'),
        says(b'{"error":{"message":"overloaded"}}'),
        fails("204 No Content", body=b""),
        fails("200 OK", "Content-Encoding: gzip", body=b"\x1f\x8b"),
        raw(b"SSH-2.0-OpenSSH\r\n"),
        raw(b"HTTP/1.1 200 OK\r\n" + b"X" * 70_000),
        raw(b"HTTP/1.1 999999 OK\r\n\r\n"),
        raw(CHUNKED + b"5\r\n{\"cho"),
        raw(CHUNKED + b"zz\r\n"),
        raw(b"HTTP/1.0 200 OK\r\n\r\n" + completion("cut")[:-9]),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + completion("whole, and yet cut")),
    ],
    ids=[
        "reset", "hang up", "cut short", "500", "503", "408", "no JSON", "half JSON", "an error as 200", "204", "gzip",
        "SSH", "endless header", "no such status", "chunk cut", "chunk of no size", "cut without a length",
        "cut after the JSON",
    ],
)  # fmt: skip
def test_what_may_go_better_is_asked_again(bad: Behave) -> None:
    with serving(all_at_once(2, at_first(bad))) as server:
        talk = Talk(server)
        found = in_order(talk.remote, asks(2))

    assert texts(asks(2)) == [c.text for c in found]
    assert {"question 0": 2, "question 1": 2} == dict(server.attempts)
    assert 2 == len(talk.notices())
    assert [0.25, 0.25] == talk.time.pauses


@pytest.mark.parametrize(
    ("bad", "kind", "expected"),
    [
        (hangs_up, StorageError, "closed the connection without an answer (3 tries)"),
        (fails("503 Busy"), StorageError, "the server answered 503 (a reason) (3 tries)"),
        (says(b"<html>"), MalformedError, "expected the answer to be JSON (3 tries)"),
    ],
)
def test_what_never_goes_better_ends_with_one_error(bad: Behave, kind: type[AuzolanError], expected: str) -> None:
    with serving(lambda seen: bad) as server:
        talk = Talk(server)
        said = failure(talk, kind)

        assert said.endswith(expected)
        assert said.startswith(f"{server.address}: request 1 of 1 ({ask('question 0').id[:16]}): ")
        assert 3 == len(server.seen)
        assert [0.25, 0.5] == talk.time.pauses


def test_a_connection_that_the_server_let_go_is_no_failure() -> None:
    def once(seen: Seen, line: Line) -> None:
        well(seen, line)
        line.close()

    with serving(lambda seen: once) as server:
        talk = Talk(server, concurrency=1)
        found = in_order(talk.remote, asks(5))

    assert texts(asks(5)) == [c.text for c in found]
    assert [] == talk.notices()
    assert 5 == len(server.seen)


def test_a_dripping_server_is_left_when_its_time_is_over() -> None:
    with serving(at_first(drips)) as server:
        talk = Talk(server, tick_s=1.0, timeout_s=20.0)
        found = in_order(talk.remote, asks(1))

    assert texts(asks(1)) == [c.text for c in found]
    assert ["no whole answer within 20 s"] == [notice.split(": ")[-1] for notice in talk.notices()]


def test_a_silent_server_is_left_when_its_time_is_over() -> None:
    released = threading.Event()

    def silent(seen: Seen, line: Line) -> None:
        released.wait(timeout=20)
        line.close()

    with serving(at_first(silent)) as server:
        talk = Talk(server, timeout_s=0.05)
        found = in_order(talk.remote, asks(1))
        released.set()

    assert texts(asks(1)) == [c.text for c in found]
    assert 1 == len(talk.notices())


def test_an_endless_answer_is_not_read() -> None:
    def endless(seen: Seen, line: Line) -> None:
        try:
            line.send(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                line.send(b" " * 2**20)
        except OSError:
            line.close()

    with serving(at_first(endless)) as server:
        talk = Talk(server)
        found = in_order(talk.remote, asks(1))

    assert texts(asks(1)) == [c.text for c in found]
    assert "more than 16,777,216 bytes" in talk.notices()[0]


@pytest.mark.parametrize(
    "headers",
    [
        ["Retry-After: 30"],
        ["Date: Wed, 21 Oct 2026 07:28:00 GMT", "Retry-After: Wed, 21 Oct 2026 07:28:30 GMT"],
    ],
    ids=["seconds", "date"],
)
def test_a_server_that_asks_to_wait_is_left_alone(headers: list[str]) -> None:
    with serving(at_first(fails("429 Slow down", *headers))) as server:
        talk = Talk(server)
        before = talk.time.clock()
        found = in_order(talk.remote, asks(1))

    assert texts(asks(1)) == [c.text for c in found]
    assert 30 <= talk.time.clock() - before <= 31


def test_all_threads_wait_when_the_server_asks_one_to() -> None:
    arrived: list[float] = []
    both = threading.Barrier(2)

    def plan(seen: Seen) -> Behave:
        arrived.append(talk.time.clock())
        if seen.attempt == 1 and seen.number <= 2:
            both.wait(timeout=20)
            return fails("429 Slow down", "Retry-After: 30") if seen.number == 1 else well
        return well

    with serving(plan) as server:
        talk = Talk(server, concurrency=2)
        talk.time.pause(0)
        begun = talk.time.clock()
        in_order(talk.remote, asks(2))
        n_early = sum(at < begun + 30 for at in arrived)

    assert (2, 3) == (n_early, len(arrived))


def test_a_server_that_asks_to_wait_too_long_ends_the_run() -> None:
    with serving(lambda seen: fails("429 Slow down", "Retry-After: 3600")) as server:
        said = failure(Talk(server), StorageError)

        assert said.endswith("it asks to wait 3,600 s, and at most 600 s are waited")
        assert 1 == len(server.seen)


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        (fails("400 Bad Request"), "the server answered 400 (a reason)"),
        (fails("404 Not Found", body=b"{}"), "the server answered 404"),
        (fails("422 No", body=b"\x1b[2J\x07"), "the server answered 422 ([2J)"),
        (fails("401 No"), "the server asks for an API key (401)"),
        (fails("403 No"), "the server asks for an API key (403)"),
    ],
)
def test_what_will_not_go_better_ends_at_once_with_one_error(bad: Behave, expected: str) -> None:
    with serving(lambda seen: bad) as server:
        talk = Talk(server, concurrency=1)

        assert failure(talk, UsageError, n=9).endswith(expected)
        assert 1 == len(server.seen)
        assert [] == talk.notices()


def test_what_is_under_way_when_one_fails_is_not_lost() -> None:
    all_here, refused = threading.Barrier(4), threading.Event()

    def plan(seen: Seen) -> Behave:
        if seen.number <= 4:
            all_here.wait(timeout=20)
        return refuse if seen.text == "question 0" else late

    def refuse(seen: Seen, line: Line) -> None:
        fails("400 Bad Request")(seen, line)
        refused.set()

    def late(seen: Seen, line: Line) -> None:
        refused.wait(timeout=20)
        well(seen, line)

    found: set[str] = set()
    with serving(plan) as server:
        arriving = Talk(server, concurrency=4).remote(asks(500))
        with pytest.raises(UsageError, match="request 1 of 500"):
            take_all(arriving, found)

        assert set(texts(asks(4)[1:])) <= found
        assert {seen.text for seen in server.seen} == {c.removeprefix("answer to ") for c in found} | {"question 0"}
        assert len(server.seen) < 500


def test_a_run_that_is_given_up_leaves_no_thread() -> None:
    released = threading.Event()

    def plan(seen: Seen) -> Behave:
        def held(seen: Seen, line: Line) -> None:
            released.wait(timeout=20)

        return well if seen.number == 1 else held

    with serving(plan) as server:
        arriving = Talk(server).remote(asks(20))
        first = next(arriving)
        arriving.close()
        ours = [thread for thread in threading.enumerate() if "_work" in thread.name]
        released.set()

    assert first.text in texts(asks(20))
    assert [] == ours


def test_answers_do_not_pile_up_before_a_slow_user() -> None:
    too_many = threading.Event()

    def plan(seen: Seen) -> Behave:
        if seen.number > 2 * 2 + 3:
            too_many.set()
        return well

    with serving(plan) as server:
        arriving = Talk(server, concurrency=2).remote(asks(100))
        for _ in range(3):
            next(arriving)
        piled_up = too_many.wait(timeout=0.2)
        arriving.close()

    assert not piled_up


def test_tokens_and_money_are_counted_as_answers_come() -> None:
    with serving(at_first(fails("500 Oh"))) as server:
        talk = Talk(server, concurrency=1)
        in_order(talk.remote, asks(3))
    last = talk.reported[-1]

    assert (3, 21, 9) == (last.usage.n_answers, last.usage.prompt_tokens, last.usage.completion_tokens)
    assert (3, 3, 39) == (last.n_requests, last.n_retries, last.cost_micros)
    assert ["500", ""] * 3 == [progress.notice and "500" for progress in talk.reported]


def test_an_error_of_the_report_ends_the_run() -> None:
    class OurOwnError(Exception):
        pass

    def burst(progress: Progress) -> None:
        raise OurOwnError

    with serving() as server, pytest.raises(OurOwnError):
        in_order(Remote(Endpoint(server.url, MODEL), lambda: 0.5, report=burst), asks(9))


def test_nobody_listening_is_one_error() -> None:
    with serving() as server:
        pass
    talk = Talk(server)

    assert failure(talk, StorageError).endswith("Connection refused (3 tries)")


@pytest.mark.parametrize(
    "wrong",
    [
        {"model": ""},
        {"concurrency": 0},
        {"concurrency": 257},
        {"timeout_s": 0.0},
        {"timeout_s": float("inf")},
        {"extra": {"temperature": 1}},
    ],
    ids=str,
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        replace(Endpoint("http://localhost/v1", MODEL), **wrong)  # type: ignore[arg-type]


def test_where_a_server_stands_is_not_what_its_answers_depend_on() -> None:
    here, there = (Endpoint(url, MODEL, extra={"top_k": 0}).about for url in ("http://a/v1", "https://b:9/v1"))

    assert {"api": "openai/chat", "model": MODEL, "extra": {"top_k": 0}} == here
    assert here == there


def test_the_wait_ends_when_the_run_is_given_up() -> None:
    told: list[Progress] = []

    class Enough(Exception):  # noqa: N818
        pass

    def report(progress: Progress) -> None:
        told.append(progress)
        raise Enough

    backoff = Backoff(first_s=500, most_s=500)
    with serving(lambda seen: fails("500 Oh")) as server, pytest.raises(Enough):
        in_order(Remote(Endpoint(server.url, MODEL, backoff=backoff), lambda: 0.9, report=report), asks(3))

    assert 1 == len(told)
