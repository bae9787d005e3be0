"""`publish --to decidim-api`: answers on a live Decidim, nobody twice, nothing secret written anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.decidim.rounds import town_instance
from tests.cli.deliberation import Place, found_in
from tests.decidim_server import DecidimServer, cut, status
from tests.decidim_server.server import KEY, SECRET, TOKEN

YES = "--yes-notify-participants"
N_ANSWERS = 39


@pytest.fixture
def server() -> Iterator[DecidimServer]:
    with DecidimServer("0.32", town_instance()) as running:
        yield running


def secret_file(here: Place, text: str, name: str = "access") -> Path:
    path = here.machine.folder / name
    path.write_text(text)
    path.chmod(0o600)
    return path


def words(here: Place, server: DecidimServer, *more: str | Path) -> tuple[str | Path, ...]:
    token = secret_file(here, TOKEN + "\n")
    return ("deliberate", "publish", server.endpoint, "--to", "decidim-api", "--token-file", token, *more)


def test_nothing_is_sent_before_it_is_said_how_many_are_notified(round_done: Place, server: DecidimServer) -> None:
    error = round_done.error(*words(round_done, server), code=2)

    assert f"this gives official answers to {N_ANSWERS} proposals on 127.0.0.1, and notifies" in error
    assert "add --yes-notify-participants" in error
    assert 0 == server.requests


@pytest.mark.parametrize("generation", ["0.31", "0.32"])
def test_everybody_is_answered_once(round_done: Place, generation: str) -> None:
    with DecidimServer(generation, town_instance()) as server:
        first = round_done.json(*words(round_done, server, YES))
        again = round_done.json(*words(round_done, server, YES))

        assert (N_ANSWERS, 0, {"answered": 1}) == (first["sent"], first["standing"], first["left_out"])
        assert (0, N_ANSWERS) == (again["sent"], again["standing"])
        assert N_ANSWERS == len(server.answered) == len(set(server.answered))
        assert "7" not in {number for _, number in server.answered}
        states = {each["state"] for each in server.instance.items(6) if each["answer"]}

    assert {"accepted", "evaluating", "rejected"} <= states


def test_api_credentials_sign_in_and_out(round_done: Place, server: DecidimServer) -> None:
    file = secret_file(round_done, f"{KEY}\n{SECRET}\n", "credentials")
    said = round_done.json(
        "deliberate",
        "publish",
        server.endpoint,
        "--to",
        "decidim-api",
        "--credentials",
        file,
        YES,
        "--outcome",
        "adopted",
    )

    assert said["sent"] == len(server.answered) > 0
    assert 0 == server.signed_in


@pytest.mark.parametrize("at", [2, 6, 9])
def test_an_interrupted_run_is_gone_on_with_and_notifies_nobody_twice(
    round_done: Place, server: DecidimServer, at: int
) -> None:
    server.faults = lambda n: None if n < at else cut() if n == at else status(500)
    result = round_done.machine.call(*words(round_done, server, YES), "--commons", round_done.town)
    server.faults = lambda _: None
    round_done.json(*words(round_done, server, YES))

    assert 3 == result.exit_code, result.output
    assert "a bug in" not in result.output
    assert N_ANSWERS == len(server.answered) == len(set(server.answered))


def test_an_instance_that_others_answered_in_between_is_seen_again(round_done: Place, server: DecidimServer) -> None:
    round_done.json(*words(round_done, server, YES, "--outcome", "rejected"))
    said = round_done.json(*words(round_done, server, YES))

    assert N_ANSWERS == said["sent"] + said["standing"] == len(set(server.answered)) == len(server.answered)


def test_another_host_is_refused(round_done: Place, server: DecidimServer) -> None:
    elsewhere = server.endpoint.replace("127.0.0.1", "localhost")
    token = secret_file(round_done, TOKEN)
    error = round_done.error(
        "deliberate", "publish", elsewhere, "--to", "decidim-api", "--token-file", token, YES, code=2
    )

    assert "the proposals are of 127.0.0.1, and the address is of localhost" in error
    assert 0 == server.requests


def test_credentials_are_not_sent_to_another_host(round_done: Place, server: DecidimServer) -> None:
    """Signing in sends the secret, so that the host is looked at before."""
    elsewhere = server.endpoint.replace("127.0.0.1", "localhost")
    file = secret_file(round_done, f"{KEY}\n{SECRET}\n")
    round_done.error("deliberate", "publish", elsewhere, "--to", "decidim-api", "--credentials", file, YES, code=2)

    assert 0 == server.requests


def test_a_decidim_that_is_too_old_says_so(round_done: Place) -> None:
    with DecidimServer("0.29", town_instance()) as server:
        error = round_done.error(*words(round_done, server, YES), code=2)

    assert "takes no answers through its API, which came with 0.31" in error
    assert [] == server.answered


def test_a_wrong_token_changes_nothing(round_done: Place, server: DecidimServer) -> None:
    token = secret_file(round_done, "wrong-token\n")
    result = round_done.machine.call(
        "deliberate", "publish", server.endpoint, "--to", "decidim-api", "--token-file", token, YES,
        "--commons", round_done.town,
    )  # fmt: skip

    assert 0 != result.exit_code
    assert "wrong-token" not in result.output
    assert [] == server.answered


def test_what_is_secret_is_written_nowhere(round_done: Place, server: DecidimServer) -> None:
    credentials = secret_file(round_done, f"{KEY}\n{SECRET}\n", "credentials")
    base = ("deliberate", "publish", server.endpoint, "--to", "decidim-api", YES, "--commons", round_done.town)
    outputs = [
        round_done.machine.call(*base, "--credentials", credentials, "--outcome", "adopted").output,
        round_done.machine.call(*words(round_done, server, YES), "--json", "--commons", round_done.town).output,
    ]
    secrets = [each.encode() for each in (KEY, SECRET, TOKEN)]

    assert set() == found_in(round_done.town, *secrets)
    assert not [each for each in secrets if any(each.decode() in output for output in outputs)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((YES,), "name a --credentials or a --token-file, one of the two"),
        ((YES, "--token-file", "access", "--credentials", "access"), "one of the two"),
        ((YES, "--client-id", "x"), "one of the two"),
        ((YES, "--credentials", "one-line"), "expected two lines"),
        ((YES, "--credentials", "nowhere"), "nowhere"),
        ((YES, "--token-file", "access", "--mended-importer"), "--mended-importer: not with --to decidim-api"),
    ],
)
def test_access_that_makes_no_sense_is_refused(
    round_done: Place, server: DecidimServer, options: tuple[str, ...], message: str
) -> None:
    secret_file(round_done, TOKEN)
    secret_file(round_done, "only-the-key\n", "one-line")
    result = round_done.machine.call(
        "deliberate", "publish", server.endpoint, "--to", "decidim-api", *options, "--commons", round_done.town
    )

    assert result.exit_code in (1, 2, 3)
    assert message in " ".join(result.output.split())
    assert "only-the-key" not in result.output
    assert 0 == server.requests
