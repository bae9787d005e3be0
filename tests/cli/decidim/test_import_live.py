"""`import --from decidim` of a live Decidim of every generation, on loopback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.decidim.exports import lines
from tests.cli.decidim.rounds import HOST, import_live, town_instance
from tests.cli.deliberation import Place, found_in
from tests.cli.machine import listing
from tests.decidim_server import GENERATIONS, DecidimServer, Fault, status
from tests.decidim_server.server import TOKEN

_OF_PEOPLE = (b"Secret Name", b"secret_nick")


def fetched(here: Place) -> dict[str, bytes]:
    """Return what is kept of answers of an API."""
    return {name: data for name, data in listing(here.town / "private").items() if name.startswith("fetched/")}


def test_every_generation_gives_all_that_is_public_and_the_same_proposals(founded: Place) -> None:
    found: dict[str, list[dict[str, Any]]] = {}
    for generation in GENERATIONS:
        with DecidimServer(generation, town_instance()) as server:
            said = import_live(founded, server, name=generation)
        found[generation] = lines(founded, said["record"])

        assert {"proposal": 42, "comment": 10, "debate": 2, "result": 2} == said["rows"]
        assert (42, 1, 1, 10, 2, 2) == tuple(
            said["counts"][name] for name in ("proposals", "withdrawn", "amendments", "comments", "debates", "results")
        )
        assert {"checked": 41, "recomputed": 0} == said["fingerprints"]
        assert (HOST, "not stated", "C") == (said["host"], said["licence"], said["grade"])
    assert set() == found_in(founded.town, *_OF_PEOPLE)
    assert {} == fetched(founded)
    first = found["0.32"]
    differing = {
        name
        for other in found.values()
        for one, each in zip(first, other, strict=True)
        for name in {*one, *each}
        if one.get(name) != each.get(name)
    }

    # Cards need decidim_awesome; with them, supports are not told. Before 0.30, scopes are taxonomies too. The kind of
    # author that groups were is not in every schema.
    assert {"cards", "origin", "supports", "taxonomies"} == differing


def test_the_default_name_and_host_are_those_of_the_address(founded: Place) -> None:
    with DecidimServer("0.31", town_instance()) as server:
        said = founded.json("deliberate", "import", server.endpoint, "--from", "decidim")

    host = server.endpoint.split("/")[2]
    source = founded.record(said["record"])["body"]["source"]
    assert (host, host, "decidim") == (source["name"], source["host"], source["tool"])


def test_only_the_components_that_are_asked_for(founded: Place) -> None:
    with DecidimServer("0.32", town_instance()) as server:
        said = import_live(founded, server, "--component", "12", "--component", "7")

    assert (2, 2, 0) == tuple(said["counts"][name] for name in ("proposals", "debates", "results"))


def test_without_comments(founded: Place) -> None:
    with DecidimServer("0.32", town_instance()) as server:
        said = import_live(founded, server, "--without-comments")

    assert (42, 0) == (said["counts"]["proposals"], said["counts"]["comments"])
    assert set() == founded.private_blobs()


def test_reading_again_finds_what_changed(founded: Place) -> None:
    instance = town_instance()
    with DecidimServer("0.32", instance) as server:
        import_live(founded, server)
        items = instance.items(6)
        items[10]["votes"] = 1_000
        items[11]["body"] = {"ca": "Un altre text (sintètic)."}
        del items[39]
        said = import_live(founded, server, "--again")

    assert {"added": 0, "changed": 1, "updated": 1, "same": 39, "gone": 1} == said["changes"]
    founded.run("fsck")


def test_an_interrupted_reading_goes_on_and_names_nobody_in_between(founded: Place) -> None:
    with DecidimServer("0.32", town_instance()) as server:
        server.faults = lambda n: status(404) if n > 6 else None
        founded.error(
            "deliberate", "import", server.endpoint, "--from", "decidim", "--host", HOST, "--name", "a", code=2
        )
        kept, asked = fetched(founded), server.requests
        server.faults = lambda _: None
        said = import_live(founded, server, name="a")
        first = server.requests - asked
        import_live(founded, server, name="b")
        whole = server.requests - asked - first

    assert kept
    assert set() == {needle for needle in _OF_PEOPLE if any(needle in data for data in kept.values())}
    assert 42 == said["counts"]["proposals"]
    assert first < whole
    assert {} == fetched(founded)


@pytest.mark.parametrize(
    ("fault", "code", "message"),
    [
        (status(403), 2, "its API is not open to this request (status 403); it may need a token"),
        (status(301, Location="https://elsewhere.example.org/"), 2, "it redirects to another address"),
        (status(500), 3, "no answer after 8 tries"),
        (Fault(200, b"<html>", {"Content-Type": "text/html"}, acts=False), 3, "no answer after 8 tries"),
        (Fault(200, b"[1]", acts=False), 1, "is none of a GraphQL API"),
    ],
    ids=["forbidden", "redirect", "down", "a page", "no GraphQL"],
)
def test_what_goes_wrong_is_said_in_a_sentence(founded: Place, fault: Fault, code: int, message: str) -> None:
    with DecidimServer("0.32", town_instance()) as server:
        server.faults = lambda _: fault

        assert message in founded.error("deliberate", "import", server.endpoint, "--from", "decidim", code=code)
    assert [] == founded.ids("proposals/v1")
    assert set() == founded.private_blobs()


def test_nobody_is_there(founded: Place) -> None:
    with DecidimServer("0.32", town_instance()) as server:
        endpoint = server.endpoint

    assert "no answer after 8 tries" in founded.error("deliberate", "import", endpoint, "--from", "decidim", code=3)


def test_an_address_that_others_can_listen_to_is_refused(founded: Place) -> None:
    error = founded.error("deliberate", "import", "http://decidim.example.org/api", "--from", "decidim", code=2)

    assert "expected https" in error


def test_a_closed_api_is_read_with_a_token_that_is_written_nowhere(founded: Place, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN + "\n")
    token.chmod(0o600)
    with DecidimServer("0.32", town_instance(), closed=True) as server:
        error = founded.error("deliberate", "import", server.endpoint, "--from", "decidim", code=2)
        said = import_live(founded, server, "--token-file", token)

    assert "it may need a token" in error
    assert 42 == said["counts"]["proposals"]
    assert set() == found_in(founded.town, TOKEN.encode())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--client-id", "me"), "--client-id goes with --token-file"),
        (("--component", "0"), "components: expected their numbers, from 1"),
        (("--token-file", "nowhere"), "the file that was named for it is not there"),
    ],
)
def test_options_that_make_no_sense_are_refused(founded: Place, options: tuple[str, ...], message: str) -> None:
    with DecidimServer("0.32", town_instance()) as server:
        result = founded.machine.call(
            "deliberate", "import", server.endpoint, "--from", "decidim", *options, "--commons", founded.town
        )

        assert 0 == server.requests
    assert message in " ".join(result.output.split())
    assert 0 != result.exit_code
