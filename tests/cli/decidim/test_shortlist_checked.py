"""What `trace` finds about a shortlist: that it follows from the proposals, or in which point it does not."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from auzolan.cli.ballots import Evidence
from auzolan.cli.commons import find_commons
from auzolan.cli.decidim.checking import verify_shortlist
from auzolan.core.record.errors import VerificationError
from auzolan.core.record.record import Record
from tests.cli.decidim.exports import lines
from tests.cli.decidim.rounds import edit, merged_reworded_and_shorter, sign_kit
from tests.cli.deliberation import Place, copied
from tests.cli.machine import path_of

Body = dict[str, Any]


@pytest.fixture(scope="module")
def signed(kit_made: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A town with a shortlist in the proposals' own words."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        made = copied(kit_made, tmp_path_factory.mktemp("signed"), monkeypatch)
        sign_kit(made, made.machine.folder / "kit")
        return made


@pytest.fixture
def here(signed: Place, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Place:
    return copied(signed, tmp_path, monkeypatch)


def forged(here: Place, change: Callable[[Body], Body], target: str | None = None) -> str:
    """Commit a shortlist like the signed one with its body changed, and return its id."""
    record = here.record(here.ids("shortlist/v1")[0])
    body = here.machine.folder / "body.json"
    body.write_text(json.dumps(change(copy.deepcopy(record["body"]))))
    link = f"proposals={target or record['links']['proposals']}"
    words = ("--kind", "shortlist/v1", "--body", body, "--link", link, "--key", "demo/desk")
    proposed = here.run("propose", "record", *words)
    return str(here.json("commit", path_of(proposed))["committed"][0]["id"])


def verdict(here: Place, record_id: str, change: Callable[[Body], Body] = lambda body: body) -> str:
    """Return why a shortlist, or one like it, is refused; "" where it is not."""
    place = find_commons(str(here.town))
    with place.reading() as ledger:
        record = ledger.envelope(ledger.find(record_id)).claimed
        imported = ledger.envelope(ledger.find(record.links["proposals"])).claimed
    record = Record(record.kind, change(copy.deepcopy(dict(record.body))), record.links)
    try:
        verify_shortlist(Evidence(place.public, place.private), record, imported)
    except VerificationError as error:
        return str(error)
    return ""


def strength(here: Place, record_id: str) -> str:
    code = 1 if verdict(here, record_id) else 0
    return str(here.links(record_id, code=code)["proposals"]["strength"])


def test_own_words_are_checked(here: Place) -> None:
    assert "checked" == strength(here, here.ids("shortlist/v1")[0])


def test_other_words_are_asserted(with_kit: Place) -> None:
    edit(with_kit.machine.folder / "kit" / "statements.csv", merged_reworded_and_shorter)

    assert "asserted" == strength(with_kit, sign_kit(with_kit, with_kit.machine.folder / "kit"))


def test_what_people_may_do_is_no_forgery(here: Place) -> None:
    """Whoever edits may leave statements out and word them otherwise, if they say so."""

    def edited(body: Body) -> Body:
        body["statements"].pop()
        body["surveys"] = [[each["id"] for each in body["statements"]]]
        body["statements"][0] |= {"text": {"ca": "Una altra (sintètica)"}, "own_words": False}
        return body

    assert "asserted" == strength(here, forged(here, edited))


def quotas_that_favour_one(body: Body) -> Body:
    body["quotas"][0]["places"] += 1
    body["quotas"][1]["places"] -= 1
    return body


def fewer_proposals_than_there_were(body: Body) -> Body:
    body["quotas"][0]["proposals"] -= 1
    return body


def other_groups(body: Body) -> Body:
    body["method"]["by"] = "none"
    return body


def another_order(body: Body) -> Body:
    body["method"]["order"] = "whoever asked first (synthetic)"
    return body


def other_shares(body: Body) -> Body:
    body["method"]["shares"] = "by lot (synthetic)"
    return body


def made_up(body: Body) -> Body:
    body["statements"][0]["proposals"][0]["key"] = "127.0.0.1/6/proposal/7777"
    return body


def withdrawn(body: Body) -> Body:
    body["statements"][0]["proposals"].append({"key": "127.0.0.1/6/proposal/5", "fingerprint": ""})
    return body


def amendment(here_lines: list[dict[str, Any]]) -> Callable[[Body], Body]:
    (told,) = (each["fingerprint"]["value"] for each in here_lines if each["id"] == 9)

    def change(body: Body) -> Body:
        body["statements"][0]["proposals"].append({"key": "127.0.0.1/6/proposal/9", "fingerprint": told})
        return body

    return change


def another_text_than_the_one_that_stood(body: Body) -> Body:
    body["statements"][0]["proposals"][0]["fingerprint"] = "0" * 64
    return body


def without_a_fingerprint(body: Body) -> Body:
    body["statements"][0]["proposals"][0]["fingerprint"] = ""
    return body


def place_of_another_group(body: Body) -> Body:
    first = body["statements"][0]
    first["quota"] = next(each["name"] for each in body["quotas"] if each["name"] != first["quota"])
    return body


def words_that_are_not_theirs(body: Body) -> Body:
    body["statements"][0]["text"]["ca"] = "El contrari (sintètic)"
    return body


def words_of_another_proposal(body: Body) -> Body:
    body["statements"][0]["text"] = body["statements"][1]["text"]
    return body


def words_in_another_language_added(body: Body) -> Body:
    body["statements"][0]["text"]["es"] = "Al revés (sintético)"
    return body


@pytest.mark.parametrize(
    ("number", "change", "message"),
    [
        (1, quotas_that_favour_one, "the quotas of the shortlist are not those of the proposals"),
        (1, fewer_proposals_than_there_were, "the quotas of the shortlist are not those of the proposals"),
        (1, other_groups, "the quotas of the shortlist are not those of the proposals"),
        (1, another_order, "not chosen in the way that it says"),
        (1, other_shares, "not chosen in the way that it says"),
        (2, made_up, "statement 1 rests on 127.0.0.1/6/proposal/7777, which cannot be on a shortlist"),
        (2, withdrawn, "statement 1 rests on 127.0.0.1/6/proposal/5, which cannot be on a shortlist"),
        (2, another_text_than_the_one_that_stood, "has another fingerprint"),
        (2, without_a_fingerprint, "has another fingerprint"),
        (3, place_of_another_group, "has no place in"),
        (4, words_that_are_not_theirs, "statement 1 does not have the words of its proposals"),
        (4, words_of_another_proposal, "statement 1 does not have the words of its proposals"),
        (4, words_in_another_language_added, "statement 1 does not have the words of its proposals"),
    ],
)
def test_a_shortlist_that_does_not_follow_is_contradicted(
    here: Place, number: int, change: Callable[[Body], Body], message: str
) -> None:
    assert message in verdict(here, here.ids("shortlist/v1")[0], change), f"check {number}"


@pytest.mark.parametrize(
    "change", [quotas_that_favour_one, made_up, place_of_another_group, words_that_are_not_theirs], ids=range(1, 5)
)
def test_trace_tells_what_does_not_follow(here: Place, change: Callable[[Body], Body]) -> None:
    assert "contradicted" == strength(here, forged(here, change))


def test_an_amendment_cannot_be_on_a_shortlist(here: Place) -> None:
    record_id = forged(here, amendment(lines(here, here.ids("proposals/v1")[0])))

    assert "127.0.0.1/6/proposal/9, which cannot be on a shortlist" in verdict(here, record_id)


def test_a_proposal_without_a_place_cannot_lead(here: Place) -> None:
    (told,) = (each for each in lines(here, here.ids("proposals/v1")[0]) if each["id"] == 3)
    cited = {"key": "127.0.0.1/6/proposal/3", "fingerprint": told["fingerprint"]["value"]}

    def change(body: Body) -> Body:
        body["statements"][0] |= {"proposals": [cited], "text": {"ca": "Proposta 3"}}
        return body

    assert "127.0.0.1/6/proposal/3 has no place in" in verdict(here, forged(here, change))


def test_other_lots_than_the_signed_seed_gives_are_found(here: Place) -> None:
    """With many equal counts lots decide; another seed chooses others, and then somebody has no place."""

    def change(body: Body) -> Body:
        body["method"]["seed"] = "the one that suits me"
        return body

    found = verdict(here, forged(here, change))

    assert "" == found or "has no place in" in found


def test_a_shortlist_of_something_else_is_contradicted(here: Place) -> None:
    record_id = forged(here, lambda body: body, target=here.ids("governance/v1")[0])

    assert "a shortlist is chosen from proposals, not from governance/v1" in verdict(here, record_id)
    assert "contradicted" == strength(here, record_id)


@pytest.mark.parametrize(
    "change",
    [
        lambda body: {**body, "statements": []},
        lambda body: {**body, "surveys": [[1]]},
        lambda body: {**body, "method": {**body["method"], "least": "many"}},
        lambda body: {**body, "method": {**body["method"], "by": "luck"}},
        lambda body: {**body, "method": {**body["method"], "least": "9" * 5_000}},
        lambda body: {**body, "method": {**body["method"], "least": "²"}},
        lambda body: {**body, "quotas": []},
        lambda body: {**body, "statements": [body["statements"][0], body["statements"][0]]},
        lambda body: {**body, "statements": [{**body["statements"][0], "proposals": []}], "surveys": [[1]]},
    ],
    ids=["no statements", "surveys", "least", "by", "huge least", "odd least", "no quotas", "doubled", "no proposals"],
)
def test_a_shortlist_that_cannot_be_read_is_never_taken_for_good(here: Place, change: Callable[[Body], Body]) -> None:
    try:
        record_id = forged(here, change)
    except AssertionError:  # refused when it was committed
        assert 1 == len(here.ids("shortlist/v1"))
        return
    result = here.machine.call("trace", record_id, "--commons", here.town)

    assert 0 != result.exit_code
    assert "a bug in" not in result.output
    assert "Traceback" not in result.output


def test_a_snapshot_that_asked_something_else_is_contradicted(answered: Place) -> None:
    """The words that people were asked in are those of the shortlist, or the link does not hold."""
    snapshot = answered.record(answered.ids("snapshot/v1")[0])

    def change(body: Body) -> Body:
        body["statements"][0] |= {"text": {"ca": "El contrari (sintètic)"}, "own_words": False}
        return body

    other = forged(answered, change)

    assert "checked" == answered.links(answered.ids("snapshot/v1")[0])["shortlist"]["strength"]
    assert "contradicted" == _relinked(answered, snapshot, other)


def _relinked(here: Place, snapshot: dict[str, Any], shortlist: str) -> str:
    """Commit the snapshot again with another shortlist, and return the strength of that link."""
    folder = here.machine.folder
    (folder / "body.json").write_text(json.dumps(snapshot["body"]))
    blobs = []
    for name, digest in snapshot["blobs"].items():
        is_private = name.startswith("private.")
        (folder / name).write_bytes(here.blob(digest, private=is_private))
        option = "--private-blob" if is_private else "--blob"
        blobs += [option, f"{name.removeprefix('private.')}={folder / name}"]
    links = {**snapshot["links"], "shortlist": shortlist}
    words = [word for name, target in links.items() for word in ("--link", f"{name}={target}")]
    proposed = here.run(
        "propose", "record", "--kind", "snapshot/v1", "--body", folder / "body.json", *words, *blobs,
        "--key", "demo/desk",
    )  # fmt: skip
    record_id = here.json("commit", path_of(proposed))["committed"][0]["id"]
    return str(here.links(record_id, code=1)["shortlist"]["strength"])
