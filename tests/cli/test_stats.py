"""`auzolan deliberate stats`: Polis' own numbers, what an outsider sees, the page, and groups from a file."""

from __future__ import annotations

import json
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.cli.deliberation import LONDON, MATHBLOB, SEATTLE, Place, copied, polis, survey
from tests.cli.machine import Machine, machine
from tests.shared_data import copied_json, shared_folder

OTHER_MATHBLOBS = ("mathblob-25ptpt-3gp-no-strict-with-meta", "mathblob-150ptpt-3gp-no-strict-no-meta")
PROMISED = {"gac", "group_votes", "consensus", "repness"}


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return machine(tmp_path, "reader", monkeypatch)


@pytest.fixture
def here(founded_town: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return copied(founded_town, tmp_path, monkeypatch)


def membership(math: Any) -> list[list[int]]:
    """Return the participants of each published group: its members are base clusters, whose members are people."""
    base = dict(zip(math["base-clusters"]["id"], math["base-clusters"]["members"], strict=True))
    groups = sorted(math["group-clusters"], key=lambda group: group["id"])
    return [[who for cluster in group["members"] for who in base[cluster]] for group in groups]


def counted(reader: Machine, folder: Path, math: Any) -> Any:
    (reader.folder / "groups.json").write_text(json.dumps(membership(math)))
    return reader.json("deliberate", "stats", folder, "--groups", "groups.json")


def published_votes(math: Any) -> list[dict[str, Any]]:
    return [
        {
            "id": int(key),
            "size": group["n-members"],
            "votes": {s: {"agree": v["A"], "disagree": v["D"], "seen": v["S"]} for s, v in group["votes"].items()},
        }
        for key, group in sorted(math["group-votes"].items())
    ]


def assert_reproduced(said: Any, math: Any) -> None:
    gac = math["group-aware-consensus"]
    repness = [
        [(r["tid"], r["repful-for"], r["p-success"], r["p-test"], r["repness"]) for r in math["repness"][key]]
        for key in sorted(math["repness"], key=int)
    ]

    assert published_votes(math) == said["group_votes"]
    assert gac.keys() == said["gac"].keys()
    assert gac == pytest.approx(said["gac"], rel=0, abs=1e-12)
    assert {kind: [each["tid"] for each in math["consensus"][kind]] for kind in ("agree", "disagree")} == said[
        "consensus"
    ]
    for published, ours in zip(repness, said["repness"], strict=True):
        assert [each[:2] for each in published] == [(each["statement_id"], each["kind"]) for each in ours]
        for each, own in zip(published, ours, strict=True):
            assert each[2:] == pytest.approx((own["p"], own["z"], own["ratio"]), rel=0, abs=1e-6)


def test_what_a_polis_server_published_is_reproduced(reader: Machine) -> None:
    math = copied_json(f"polis/{MATHBLOB}/math-pca2.json")

    assert_reproduced(counted(reader, polis(MATHBLOB), math), math)


@pytest.mark.parametrize("name", OTHER_MATHBLOBS)
def test_what_a_polis_server_published_of_others_is_reproduced(reader: Machine, name: str) -> None:
    folder = shared_folder(f"polis/{name}")
    math = json.loads((folder / "math-pca2.json").read_text())

    assert_reproduced(counted(reader, folder, math), math)


def test_json_has_the_promised_keys_and_no_others_inside(reader: Machine) -> None:
    said = reader.json("deliberate", "stats", polis(LONDON))
    group = said["group_votes"][0]

    assert PROMISED <= set(said)
    assert {"id", "size", "votes"} == set(group)
    assert {"agree", "disagree", "seen"} == set(group["votes"]["1"])
    assert {"agree", "disagree"} == set(said["consensus"])
    assert {frozenset({"statement_id", "kind", "p", "z", "ratio"})} == {
        frozenset(each) for group in said["repness"] for each in group
    }
    assert set(said["gac"]) == set(group["votes"])
    assert "bridging" not in said


def test_groups_may_be_listed_as_text_or_as_numbers(reader: Machine) -> None:
    (reader.folder / "numbers").write_text("[[1, 2, 3], [4, 5]]")
    (reader.folder / "texts").write_text('[["3", "2", "1"], ["5", "4"]]')

    numbers, texts = (reader.json("deliberate", "stats", polis(LONDON), "--groups", f) for f in ("numbers", "texts"))

    assert numbers == texts
    assert [3, 2] == [group["size"] for group in numbers["group_votes"]]


def test_as_many_groups_as_the_file_lists(reader: Machine) -> None:
    (reader.folder / "groups").write_text('[["1", "2"], [], ["3"], []]')

    said = reader.json("deliberate", "stats", polis(LONDON), "--groups", "groups")

    assert [2, 0, 1, 0] == [group["size"] for group in said["group_votes"]]


@pytest.mark.parametrize(
    ("text", "wanted", "code"),
    [
        ("", "groups: not JSON (line 1, column 1", 1),
        ('[["1"', "groups: not JSON (line 1, column 6", 1),
        ('{"0": ["1"]}', "groups: expected a list, got an object", 1),
        ("[1, 2]", "groups: group 0: expected a list, got a number", 1),
        ("[[true]]", "groups: group 0: expected ids of participants", 1),
        ("[[null]]", "groups: group 0: expected ids of participants", 1),
        ("[[1.0]]", "groups: number 1.0 is not an integer", 1),
        ('[["\\ud800"]]', "groups: $[0][0]: text holds a lone surrogate", 1),
        ('[["1"], ["nobody@example.org"]]', "group 1: one of its participants has not voted", 2),
        ('[["1"], ["1"]]', "group 1: one of its participants is in two groups, or twice in one", 2),
        ("[" * 100_000, "groups: ", 1),
        ("[[" + "9" * 5_000 + "]]", "groups: ", 1),
    ],
)
def test_a_bad_file_of_groups_is_refused_in_one_sentence(reader: Machine, text: str, wanted: str, code: int) -> None:
    (reader.folder / "groups").write_text(text)

    message = reader.error("deliberate", "stats", polis(LONDON), "--groups", "groups", code=code)

    assert wanted in message
    assert "nobody@example.org" not in message
    assert len(message) < 300


def test_a_missing_file_of_groups_is_named(reader: Machine) -> None:
    assert "cannot read nowhere" in reader.error("deliberate", "stats", polis(LONDON), "--groups", "nowhere", code=2)


def test_the_owner_counts_again_and_an_outsider_reads_what_was_signed(here: Place, reader: Machine) -> None:
    here.read_survey()
    tally = here.tally("--group-count", "2")
    shutil.copytree(here.town / "ledger", reader.folder / "copy")

    ours, theirs = here.json("deliberate", "stats"), reader.json("deliberate", "stats", "--commons", "copy")

    assert ours["evidence"].lower().startswith("counted again just now from the ballots")
    assert tally[:16] in ours["evidence"]
    assert theirs["evidence"].lower().startswith("as ")
    assert "nothing was counted again" in theirs["evidence"]
    assert {key: ours[key] for key in PROMISED} == {key: theirs[key] for key in PROMISED}
    assert [8, 8] == [group["size"] for group in theirs["group_votes"]]


def test_an_outsider_gets_no_diagnostics_of_ballots(here: Place, reader: Machine) -> None:
    here.read(polis(SEATTLE))
    here.tally()
    shutil.copytree(here.town / "ledger", reader.folder / "copy")

    message = reader.error("deliberate", "stats", "--commons", "copy", "--diagnostics", code=3)

    assert "withheld here" in message
    assert here.json("deliberate", "stats", "--diagnostics")["bridging"]


def test_small_groups_are_withheld_from_an_outsider(here: Place, reader: Machine) -> None:
    here.read(polis(LONDON))
    here.tally()
    shutil.copytree(here.town / "ledger", reader.folder / "copy")

    said = reader.json("deliberate", "stats", "--commons", "copy")
    seen = [cell["seen"] for group in said["group_votes"] for cell in group["votes"].values()]

    assert [] == [number for number in seen if 0 < number < 5]
    assert 36 == len(said["withheld"])


def test_the_bridging_intercept_is_shown_only_when_asked(reader: Machine) -> None:
    with_it = reader.json("deliberate", "stats", polis(SEATTLE), "--diagnostics")
    text = reader.run("deliberate", "stats", polis(LONDON), "--most", "3")

    assert set(with_it["bridging"]) <= set(with_it["gac"])
    assert all(-1 < value < 1 for value in with_it["bridging"].values())
    assert "bridging" not in text.lower()


class _Page(HTMLParser):
    """Notes the tags of a page, and what it would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.fetched: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.fetched += [value or "" for name, value in attrs if name in ("src", "srcset", "xlink:href", "data")]
        self.fetched += [value or "" for name, value in attrs if name == "href" and tag in ("link", "use", "image")]
        self.fetched += [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def page_of(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text())
    return page


def test_the_page_needs_neither_network_nor_script(reader: Machine) -> None:
    reader.run("deliberate", "stats", polis(LONDON), "--html", "page.html")
    page = page_of(reader.folder / "page.html")

    assert {"html", "svg", "table", "title", "main"} <= set(page.tags)
    assert "script" not in page.tags
    assert [] == [value for value in page.fetched if not value.startswith("#")]
    assert "url(" not in (reader.folder / "page.html").read_text().replace("url(#", "")


def test_the_page_of_a_commons_says_what_was_not_counted_again(here: Place, reader: Machine) -> None:
    here.read_survey()
    here.tally()
    shutil.copytree(here.town / "ledger", reader.folder / "copy")

    reader.run("deliberate", "stats", "--commons", "copy", "--html", "page.html")

    assert "nothing was counted again" in " ".join(page_of(reader.folder / "page.html").texts)


def test_an_old_page_is_whole_or_untouched(reader: Machine) -> None:
    (reader.folder / "page.html").mkdir()

    assert "cannot write" in reader.error("deliberate", "stats", polis(LONDON), "--html", "page.html", code=3)
    assert {"page.html"} == {path.name for path in reader.folder.iterdir()} - {"home"}


def test_groups_of_a_signed_tally_cannot_be_replaced(here: Place) -> None:
    here.read_survey()
    here.tally()
    (here.machine.folder / "groups").write_text("[]")

    assert "are fixed" in here.error("deliberate", "stats", "--groups", here.machine.folder / "groups", code=2)
    assert "are fixed" in here.error("deliberate", "stats", "--group-count", "3", code=2)


def test_a_survey_shows_its_strata(reader: Machine) -> None:
    said = reader.json(
        "deliberate", "stats", survey(reader.folder), "--from", "survey", "--id", "email", "--stratum", "District"
    )

    assert ["North", "South"] == [value["id"] for value in said["strata"]["District"]]
    assert {"1": 8, "2": 8} == {
        key: cell["seen"] for key, cell in said["strata"]["District"][0]["votes"].items() if key in ("1", "2")
    }


def test_the_table_fits_a_terminal(reader: Machine) -> None:
    output = reader.run("deliberate", "stats", polis(SEATTLE))

    assert 80 >= max(len(line) for line in output.splitlines())
    assert "\x1b" not in output
