"""Rows that somebody made to do harm: sums, fingerprints of masked texts, addresses, cells that fill the memory."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from auzolan.core.record.errors import MalformedError
from auzolan.deliberate.decidim.admin_json import AdminJson
from auzolan.deliberate.decidim.entities import Proposal, Result
from auzolan.deliberate.decidim.fingerprint import fingerprint_of
from auzolan.deliberate.decidim.open_data import OpenData
from auzolan.deliberate.decidim.row import MAX_KEPT, Kept
from tests.deliberate.decidim.generated import HEADERS, HOST, only, proposal, pseudonym, table

NEW = HEADERS["0.31"]
LARGEST = 2**53 - 1
PAGE = "/processes/plan/f/6/proposals/66"
WITHHELD = "fingerprints withheld, as their texts were masked"
ELSEWHERE = "addresses that are no page of this Decidim left out"
Read = Callable[..., tuple[Proposal, dict[str, int]]]


@pytest.fixture(params=["csv", "json"])
def read(request: pytest.FixtureRequest, tmp_path: Path) -> Read:
    """Reads one synthetic proposal out of CSV and out of JSON, with how often something was left out."""

    def from_csv(cells: dict[str, str], host: str | None) -> OpenData:
        header = ";".join(dict.fromkeys((*NEW.split(";"), *cells)))
        (tmp_path / "proposals.csv").write_bytes(table(header, cells))
        return OpenData(tmp_path / "proposals.csv", pseudonym, host=host)

    def from_json(cells: dict[str, str], host: str | None) -> AdminJson:
        fields: dict[str, object] = {"votes": {}, "body": {}}
        for name, cell in cells.items():
            above, _, last = name.partition("/")
            value = int(cell) if cell.isdecimal() else cell
            if last:
                within = fields.setdefault(above, {})
                assert isinstance(within, dict)
                within[last] = value
            else:
                fields[name] = value
        (tmp_path / "proposals.json").write_text(json.dumps([fields]))
        return AdminJson(tmp_path / "proposals.json", pseudonym, host=host)

    def read_one(host: str | None = None, **cells: str) -> tuple[Proposal, dict[str, int]]:
        told = proposal() | {name.replace("__", "/"): cell for name, cell in cells.items()}
        reader = from_csv(told, host) if request.param == "csv" else from_json(told, host)
        (got,) = list(reader)
        assert isinstance(got, Proposal)
        return got, {left.rule: left.times for left in reader.about().left}

    return read_one


def test_cards_of_one_meaning_are_added_up(read: Read) -> None:
    got, _ = read(votes__Green="3", votes__Verd="4", votes__Red="1")

    assert {"agree": 7, "disagree": 1} == got.cards


def test_a_sum_of_cards_beyond_what_numbers_may_be_is_refused(read: Read) -> None:
    assert {"agree": LARGEST} == read(votes__Green=str(LARGEST), votes__Verd="0")[0].cards
    with pytest.raises(MalformedError, match=rf"\(votes/Verd\): with others .* more than {LARGEST:,}") as refused:
        read(votes__Green=str(LARGEST), votes__Verd=str(LARGEST))

    assert str(refused.value).startswith(("proposals.csv, line 2, column ", "proposals.json, object 1 "))


@pytest.mark.parametrize(
    "name", ["id", "component__id", "votes__1", "likes__total_count", "comments", "coauthorships_count"]
)
def test_numbers_are_at_most_2_to_the_53_less_1(read: Read, name: str) -> None:
    read(**{name: str(LARGEST)})
    for beyond in (str(LARGEST + 1), "9" * 19, "9" * 400):
        with pytest.raises(MalformedError, match="expected a whole number from"):
            read(**{name: beyond})


def test_negative_counts_are_refused(read: Read) -> None:
    with pytest.raises(MalformedError, match="expected a whole number from 0"):
        read(votes__Green="-1")


@pytest.mark.parametrize(
    ("title", "body"),
    [
        ("Call 600 123 456", "Plant them"),
        ("Trees", "Write to ana@example.org"),
        ("Trees", "Write to ana&#64;example.org"),
        ("Trees", "Write to ana&commat;example.org"),
        ("Trees", "<p>Call 600<b>123</b>456</p>"),
        ("Trees", '<p>Call <a href="tel:+34600123456">me</a></p>'),
        ("Trees", "<p>Call</p><!-- 600 123 456 -->"),
    ],
)
def test_the_fingerprint_of_a_masked_text_is_withheld(read: Read, title: str, body: str) -> None:
    got, left = read(title__en=title, body__en=body)

    assert got.fingerprint is None
    assert 1 == left[WITHHELD]


def test_fingerprints_of_texts_that_are_shown_whole_are_told(read: Read) -> None:
    for body in ("In 2016, 120 trees", "<p>Law 39/2015 &amp; more</p>"):
        got, left = read(title__en="Trees", body__en=body, answer__en="Write to ana@example.org")

        assert fingerprint_of({"en": "Trees"}, {"en": body}) == got.fingerprint
        assert 0 == left[WITHHELD]


def test_withdrawn_proposals_are_not_counted_as_masked(read: Read) -> None:
    got, left = read(title__en="Call 600 123 456", state="withdrawn")

    assert (None, 0) == (got.fingerprint, left[WITHHELD])


@pytest.mark.parametrize(
    "url",
    [
        f"https://{HOST}{PAGE}",
        f"HTTPS://{HOST.upper()}{PAGE}",
        f"https://{HOST}:443{PAGE}",
        f"https://{HOST}:00443{PAGE}",
        f"https://{HOST}.{PAGE}",
        f"https://ana:secret@{HOST}{PAGE}",
        f"https://evil.example@{HOST}{PAGE}",
        f"https://{HOST}/ca{PAGE}?locale=ca#comment_1",
        f"https://ｄecidim.example.org{PAGE}",
    ],
)
def test_the_address_of_a_page_is_told_in_one_form(read: Read, url: str) -> None:
    got, left = read(host=HOST, url=url)

    assert (HOST, f"https://{HOST}{PAGE}", 0) == (got.key.host, got.url, left[ELSEWHERE])


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        f"javascript://{HOST}/%0aalert(1)",
        f"data:text/html,https://{HOST}{PAGE}",
        f"//{HOST}{PAGE}",
        PAGE,
        f" https://{HOST}{PAGE}",
        f"https://evil.example{PAGE}",
        f"https://{HOST}@evil.example{PAGE}",
        f"https://{HOST}:x@evil.example{PAGE}",
        f"https://{HOST}\\@evil.example{PAGE}",
        f"https://evil.example\\@{HOST}{PAGE}",
        f"https://evil.example#@{HOST}{PAGE}",
        f"https://evil.example?@{HOST}{PAGE}",
        f"https://{HOST}.evil.example{PAGE}",
        f"https://evil.{HOST}{PAGE}",
        f"https://{HOST}:8443{PAGE}",
        f"https://{HOST}:0{PAGE}",
        f"https://{HOST}:99999{PAGE}",
        f"https://{HOST}:٤٤٣{PAGE}",
        f"https://xn--dcidim-5ve.example.org{PAGE}",
        f"https://dеcidim.example.org{PAGE}",
        f"https://decidim..example.org{PAGE}",
        f"https://{'a' * 64}.example{PAGE}",
        f"https://[::1]{PAGE}",
        f'https://{HOST}{PAGE}"onclick="alert(1)',
        f"https://{HOST}{PAGE}<script>",
    ],
)
def test_the_address_of_another_page_is_left_out_and_counted(read: Read, url: str) -> None:
    got, left = read(host=HOST, url=url)

    assert (HOST, None, 1) == (got.key.host, got.url, left[ELSEWHERE])


def test_an_empty_address_is_not_counted(read: Read) -> None:
    got, left = read(host=HOST, url="")

    assert (None, 0) == (got.url, left[ELSEWHERE])


def test_a_host_in_letters_is_the_one_that_browsers_ask_for(read: Read) -> None:
    got, _ = read(url=f"https://decidim.català.example{PAGE}", participatory_space__url="")

    assert "decidim.xn--catal-vqa.example" == got.key.host
    assert f"https://decidim.xn--catal-vqa.example{PAGE}" == got.url


def test_what_a_link_to_another_decidim_names_is_not_taken_for_ours(tmp_path: Path) -> None:
    header = "id;url;title/en;proposal_urls;status/key"
    urls = ", ".join(f"https://{host}/processes/p/f/6/proposals/{at}" for at, host in ((1, HOST), (2, "evil.example")))
    (tmp_path / "results.csv").write_bytes(
        table(header, {"id": "1", "url": f"https://{HOST}/processes/p/f/7/results/1", "proposal_urls": urls})
    )
    reader = OpenData(tmp_path / "results.csv", pseudonym)
    (result,) = list(reader)
    amendment = only(
        tmp_path, table(NEW, proposal(is_amend="true", original_proposal__url=f"https://evil.example{PAGE}"))
    )

    assert isinstance(result, Result)
    assert ((1,), 0) == (result.proposals, amendment.amends)
    assert 1 == {left.rule: left.times for left in reader.about().left}[ELSEWHERE]


@pytest.mark.parametrize("name", ["created_at", "participatory_space/url", "author/url", "taxonomies/name"])
def test_long_cells_are_not_kept(tmp_path: Path, name: str) -> None:
    cells = {"taxonomies/name": '{"en"=>"%s"}'}.get(name, "https://d.example/%s")
    rows = [proposal(at, url="") | {name: cells % (str(at) + "x" * 200_000)} for at in range(1, 41)]
    (tmp_path / "proposals.csv").write_bytes(table(NEW, *rows))
    reader = OpenData(tmp_path / "proposals.csv", pseudonym, host="d.example")
    tracemalloc.start()
    for entity in reader:
        del entity
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert most < 5_000_000  # all cells together are 8,000,000


def test_only_short_keys_are_kept_and_not_too_many() -> None:
    kept = Kept(len)

    assert [512, 513, 2] == [kept["x" * 512], kept["x" * 513], kept["yy"]]
    assert {"x" * 512, "yy"} == kept.keys()
    for number in range(2 * MAX_KEPT):
        assert kept[str(number)]
    assert len(kept) <= MAX_KEPT


def test_long_ids_of_deleted_accounts_are_not_kept(tmp_path: Path) -> None:
    (tmp_path / "proposals.csv").write_bytes(table(NEW, proposal()))
    people = [{"id": str(at) + "x" * 200_000, "deleted": "true"} for at in range(40)]
    (tmp_path / "users.csv").write_bytes(table("id;deleted", *people))
    reader = OpenData(tmp_path, pseudonym)
    tracemalloc.start()
    n_entities = sum(1 for _ in reader)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert 1 == n_entities
    assert most < 5_000_000
