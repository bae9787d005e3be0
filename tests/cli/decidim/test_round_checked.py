"""The whole round as somebody else checks it: from the constitution down to the proposals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from auzolan.core.record.published import blob_path
from tests.cli.deliberation import Place, found_in


def down(branches: list[dict[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """Yield every link below, as what it leads to, its name and its strength."""
    for each in branches:
        yield str(each.get("kind")), each["link"], each["strength"]
        yield from down(each.get("branches", []))


def test_every_link_holds_from_the_constitution_to_the_proposals(round_done: Place) -> None:
    found = set(down(list(round_done.links(round_done.ids("constitution/v1")[0]).values())))
    strength = {(kind, link): how for kind, link, how in found if kind != "None"}

    assert {"checked"} == {how for kind, _, how in found if kind == "None"}  # every file has its bytes
    assert "contradicted" not in {how for _, _, how in found}
    assert ("recomputed", "checked", "asserted") == (
        strength["snapshot/v1", "snapshot"],
        strength["shortlist/v1", "shortlist"],
        strength["proposals/v1", "proposals"],  # a statement was reworded, and that is whoever edited it saying so
    )


def test_what_the_round_rests_on_is_whole(round_done: Place) -> None:
    round_done.run("fsck")
    round_done.run("verify")

    assert "recomputed" == round_done.json("deliberate", "check")["verdict"]


def test_nobody_of_the_decidim_is_named_anywhere(round_done: Place) -> None:
    assert set() == found_in(round_done.town, b"Secret Name", b"secret_nick")


def test_an_auditor_counts_again_with_what_is_handed_over(round_done: Place) -> None:
    folder = round_done.machine.folder / "for-the-auditor"
    round_done.run("deliberate", "hand-over", folder)
    tally = round_done.ids("tally/v1")[0]
    ballots = [digest for name, digest in round_done.record(round_done.ids("snapshot/v1")[0])["blobs"].items()
               if name == "private.ballots"]  # fmt: skip
    for digest in ballots:
        (round_done.town / "private" / blob_path(digest)).unlink()

    round_done.error("deliberate", "recount", tally, code=3)
    round_done.run("deliberate", "recount", tally, "--ballots", folder)


def test_a_published_copy_is_checked_and_asked_without_anything_private(round_done: Place) -> None:
    copy = round_done.machine.folder / "copy"
    (round_done.town / "ledger").rename(copy)
    every = round_done.machine.json("deliberate", "why", "--all", "--commons", copy)

    assert 40 == sum(every["counts"].values())
    round_done.machine.run("deliberate", "publish", "out", "--to", "decidim-files", "--commons", copy)
    error = round_done.machine.error(
        "deliberate", "publish", "https://127.0.0.1/api", "--to", "decidim-api", "--commons", copy, code=2
    )
    assert "answers are given from your own copy" in error


def test_a_line_of_a_proposal_that_was_changed_is_found(round_done: Place) -> None:
    imported = round_done.ids("proposals/v1")[0]
    path = round_done.town / "ledger" / blob_path(round_done.record(imported)["blobs"]["proposals.000"])
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(b"Proposta 30", b"Proposta 31", 1))
    result = round_done.machine.call("deliberate", "why", "proposal:30", "--commons", round_done.town)

    assert 1 == result.exit_code
    assert "a bug in" not in result.output
    assert 0 != round_done.machine.call("fsck", "--commons", round_done.town).exit_code
