"""What a server, an address or an error must not get to see of the API key, or to do with it."""

from __future__ import annotations

import traceback

import pytest

from auzolan.core.lm.apikey import ApiKey
from auzolan.core.lm.generate import in_order
from auzolan.core.lm.remote import Endpoint
from auzolan.core.record.errors import AuzolanError, UsageError
from tests.core.lm.loopback import (
    MODEL,
    Behave,
    Line,
    Seen,
    asks,
    completion,
    fails,
    message,
    raw,
    resets,
    says,
    serving,
)
from tests.core.lm.talk import Talk, failure

SECRET = "sk-never-shown-0123456789"


@pytest.mark.parametrize("status", ["301 M", "302 M", "303 M", "307 M", "308 M"])
def test_no_redirect_is_followed(status: str) -> None:
    with serving() as other:
        target = f"Location: {other.address}/v1/chat/completions?key={SECRET}"
        with serving(lambda seen: fails(status, target)) as server:
            said = failure(Talk(server, key=ApiKey(SECRET)), UsageError)

        assert f"sends us to {other.address} ({status[:3]}), which is not followed" in said
        assert "never" not in said
        assert [] == other.seen


def _echo_complaint(seen: Seen, line: Line) -> None:
    line.send(message(b'{"error":{"message":"bad key %s"}}' % seen.headers["authorization"].encode(), "400 Bad"))


def _echo_answer(seen: Seen, line: Line) -> None:
    line.send(message(completion(seen.headers["authorization"])))


def _echo_escaped(seen: Seen, line: Line) -> None:
    escaped = "".join(f"\\u{ord(c):04x}" for c in SECRET).encode()
    line.send(message(completion("KEY").replace(b"KEY", escaped)))


@pytest.mark.parametrize(
    "bad",
    [
        _echo_complaint,
        _echo_answer,
        _echo_escaped,
        fails("401 No", body=SECRET.encode()),
        fails("500 Oh", body=b"part of it: " + SECRET[3:13].encode()),
        raw(SECRET.encode() + b"\r\n\r\n"),
        resets,
    ],
    ids=["complaint", "answer", "escaped answer", "401", "part of it", "no HTTP", "reset"],
)
def test_the_key_is_in_nothing_that_is_said(bad: Behave, capfd: pytest.CaptureFixture[str]) -> None:
    with serving(lambda seen: bad) as server:
        talk = Talk(server, key=ApiKey(SECRET))
        with pytest.raises(AuzolanError) as caught:
            in_order(talk.remote, asks(2))
        told = "".join(traceback.format_exception(caught.value)) + repr(caught.value.__context__)
        out, err = capfd.readouterr()
        said = "\n".join([told, out, err, repr(talk.endpoint), repr(talk.endpoint.about), *talk.notices()])

        assert {f"Bearer {SECRET}"} == {seen.headers["authorization"] for seen in server.seen}
        assert not any(SECRET[at : at + 8] in said for at in range(len(SECRET) - 7))


def test_an_answer_with_a_filler_key_in_it_is_kept() -> None:
    with serving(lambda seen: says(completion("it is EMPTY"))) as server:
        assert "it is EMPTY" == in_order(Talk(server, key=ApiKey("EMPTY")).remote, asks(1))[0].text


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/v1",
        "file:///etc/passwd",
        "host:8000",
        "http://",
        "http://host:port/v1",
        f"http://{SECRET}@host/v1",
        f"http://user:{SECRET}@host/v1",
        f"http://host/v1?key={SECRET}",
        f"http://host/v1#{SECRET}",
        f"http://host/v1/{SECRET}\r\nX: y",
        f"http://[{SECRET}",
    ],
)
def test_an_address_that_will_not_do_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        Endpoint(url, MODEL)

    assert "never" not in str(caught.value)


def test_a_key_in_the_clear_can_be_told() -> None:
    def shows(url: str, key: ApiKey | None) -> bool:
        return Endpoint(url, MODEL, key).shows_key

    assert shows("http://cluster.example/v1", ApiKey(SECRET))
    assert not shows("http://cluster.example/v1", None)
    assert not shows("https://cluster.example/v1", ApiKey(SECRET))
    assert not any(shows(f"http://{host}:8000/v1", ApiKey(SECRET)) for host in ("localhost", "127.0.0.1", "[::1]"))
