"""The open data of every version: what is read, what is left out, and what is told."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from auzolan.core.record.errors import MalformedError, UsageError
from auzolan.deliberate.decidim.entities import Comment, Debate, Entity, Key, Proposal, Result
from auzolan.deliberate.decidim.open_data import LICENCE, OpenData
from tests.deliberate.decidim.generated import (
    COMMENT_HEADER,
    HEADERS,
    HOST,
    TEXTS,
    comment,
    only,
    proposal,
    pseudonym,
    table,
)

Files = Mapping[str, bytes]
NEW = HEADERS["0.31"]
MEETING = {
    "commentable_type": "Decidim::Meetings::Meeting",
    "root_commentable_url": f"https://{HOST}/processes/p/f/2/meetings/3",
}


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., list[Entity]]:
    """Reads files of a folder."""

    def run(files: Files, **options: object) -> list[Entity]:
        return list(opened(files, **options))

    def opened(files: Files, **options: object) -> OpenData:
        for name, data in files.items():
            (tmp_path / name).write_bytes(data)
        return OpenData(tmp_path, pseudonym, **options)  # type: ignore[arg-type]

    return run


def test_a_folder_gives_all_classes_and_counts_the_rest(read: Callable[..., list[Entity]], tmp_path: Path) -> None:
    debate = {
        "id": "3",
        "title/en": "Debate",
        "description/en": "<p>One</p><p>Two</p>",
        "component/id": "8",
        "url": f"https://{HOST}/processes/plan/f/8/debates/3",
        "closed_at": "2024-01-02 03:04:05 UTC",
        "likes_count": "4",
        "comments": "9",
    }
    result = {
        "id": "4",
        "title/en": "Result",
        "progress": "66.5",
        "status/key": "ongoing",
        "component/id": "9",
        "parent/id": "2",
        "url": f"https://{HOST}/processes/plan/f/9/results/4",
        "proposal_urls": f"https://{HOST}/p/f/6/proposals/66, https://{HOST}/en/p/f/6/proposals/674",
    }
    files = {
        f"{HOST}-open-data-proposals.csv": table(NEW, proposal() | TEXTS),
        f"{HOST}-open-data-debates.csv": table(";".join(debate) + ";conclusions/en", debate),
        f"{HOST}-open-data-results.csv": table(";".join(result), result),
        f"{HOST}-open-data-debate_comments.csv": table(COMMENT_HEADER),
        f"{HOST}-open-data-proposal_comments.csv": table(COMMENT_HEADER, comment()),
        f"{HOST}-open-data-meeting_comments.csv": table(COMMENT_HEADER, comment(9)),
        f"{HOST}-open-data-users.csv": b"id;name;deleted\n7;Zoe;false\n",
        f"{HOST}-open-data-meetings.csv": b"\n",
        "README.md": b"# Open data",
        "LICENSE.md": b"the Open Database License ... the Database Contents License ...",
    }

    got = read(files)

    assert [Proposal, Debate, Result, Comment] == [type(each) for each in got]
    assert isinstance(got[1], Debate)
    assert ({"en": "One\n\nTwo"}, "2024-01-02T03:04:05Z", 4, 9) == (
        got[1].description,
        got[1].closed_at,
        got[1].likes,
        got[1].n_comments,
    )
    assert isinstance(got[2], Result)
    assert (67, (66, 674), 2, "ongoing") == (got[2].progress_percent, got[2].proposals, got[2].parent, got[2].status)
    reader = OpenData(tmp_path, pseudonym)
    assert got == list(reader)
    about = reader.about()
    assert ({"proposal": 1, "debate": 1, "result": 1, "comment": 1}, LICENCE) == (about.rows, about.licence)
    assert "open-data CSV of Decidim 0.31 or newer" == about.layout
    assert 2 == dict(about.left)["files of other classes passed over"]


def test_a_zip_gives_the_same_as_its_folder(tmp_path: Path) -> None:
    files = {f"{HOST}-open-data-proposals.csv": table(NEW, proposal() | TEXTS), "LICENSE.md": b"ODbL and DbCL"}
    (tmp_path / "folder").mkdir()
    with zipfile.ZipFile(tmp_path / "download.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            (tmp_path / "folder" / name).write_bytes(data)
            archive.writestr(name, data)
    readers = [OpenData(tmp_path / name, pseudonym) for name in ("folder", "download.zip")]

    first, second = (list(reader) for reader in readers)

    assert first == second
    assert readers[0].about() == readers[1].about()


def test_two_exports_in_one_folder_are_read_one_after_the_other(read: Callable[..., list[Entity]]) -> None:
    got = read(
        {"open-data-proposals.csv": table(NEW, proposal(1)), "open-data-proposals (1).csv": table(NEW, proposal(2))}
    )

    assert {1, 2} == {each.key.id for each in got}


def test_a_file_of_any_name_is_told_by_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "My download 2024.csv"
    path.write_bytes(table(COMMENT_HEADER, comment()))

    assert [Comment] == [type(each) for each in OpenData(path, pseudonym)]


def test_comments_of_deleted_accounts_lose_text_and_author(read: Callable[..., list[Entity]]) -> None:
    files = {
        "users-2.csv": b"id;name;nickname;deleted\n7;;;true\n8;Mia;mia;false\n",
        "proposals.csv": table(NEW, proposal(author__id="7, 8")),
        "proposal_comments.csv": table(COMMENT_HEADER, comment(5), comment(6, author__id="8")),
    }

    one, gone, kept = read(files)

    assert isinstance(one, Proposal)
    assert isinstance(gone, Comment)
    assert isinstance(kept, Comment)
    assert ("p-8",) == one.authors
    assert (("", None), ("A synthetic comment", "p-8")) == ((gone.text, gone.author), (kept.text, kept.author))


def test_comments_hang_at_their_root_and_parent(read: Callable[..., list[Entity]]) -> None:
    answer = comment(6, commentable_id="5", commentable_type="Decidim::Comments::Comment", depth="1", alignment="'-1")

    first, second = read({"proposal_comments.csv": table(COMMENT_HEADER, comment(5), answer)})

    assert isinstance(first, Comment)
    assert isinstance(second, Comment)
    assert (Key(HOST, 6, "comment", 5), ("proposal", 66), None, 0) == (
        first.key,
        first.about,
        first.parent,
        first.depth,
    )
    assert (("proposal", 66), 5, 1, -1) == (second.about, second.parent, second.depth, second.alignment)


def test_without_a_root_the_class_of_the_parent_tells(read: Callable[..., list[Entity]]) -> None:
    on_result = comment(5, root_commentable_url="", commentable_type="Decidim::Accountability::Result")
    lost = comment(6, root_commentable_url="", commentable_type="Decidim::Comments::Comment")

    first, second = read({"result_comments.csv": table(COMMENT_HEADER, on_result, lost)}, host="d.example")

    assert [("result", 66), None] == [each.about for each in (first, second) if isinstance(each, Comment)]


def test_comments_on_something_else_are_left_out_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "all.csv"
    path.write_bytes(table(COMMENT_HEADER, comment(5, **MEETING), comment(6, **MEETING | {"root_commentable_url": ""})))
    reader = OpenData(path, pseudonym)

    assert [] == list(reader)
    assert 2 == dict(reader.about().left)["comments on other than proposals, debates and results left out"]


def test_two_hosts_in_one_source_are_refused_unless_one_is_said(read: Callable[..., list[Entity]]) -> None:
    other = proposal(67) | {"url": "https://other.example/processes/plan/f/6/proposals/67"}
    files = {"proposals.csv": table(NEW, proposal(), other)}

    with pytest.raises(MalformedError) as refused:
        read(files)

    assert f"line 3, column {NEW.split(';').index('url') + 1} (url): this page is of other.example" in str(
        refused.value
    )
    assert HOST in str(refused.value)
    assert {"mine.example"} == {each.key.host for each in read(files, host="https://Mine.example/")}


def test_without_pages_the_name_of_the_file_tells_the_host(read: Callable[..., list[Entity]]) -> None:
    bare = table("id;title/en;body/en;votes;component/id", {"id": "1", "component/id": "2"})

    (got,) = read({"decidim.barcelona-open-data-proposals.csv": bare})

    assert Key("decidim.barcelona", 2, "proposal", 1) == got.key


def test_without_any_host_it_must_be_said(tmp_path: Path) -> None:
    bare = table("id;title/en;body/en;votes", {"id": "1"})

    with pytest.raises(UsageError, match="say its host"):
        only(tmp_path, bare)

    assert Key("d.example", 0, "proposal", 1) == only(tmp_path, bare, host="d.example").key


def test_files_of_two_hosts_are_refused(read: Callable[..., list[Entity]]) -> None:
    with pytest.raises(UsageError, match=r"files of a\.example and of b\.example"):
        read({"a.example-open-data-proposals.csv": b"", "b.example-open-data-proposals.csv": b""})


def test_a_folder_without_open_data_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.csv").write_bytes(b"id;x\n1;2\n")

    with pytest.raises(UsageError, match="no proposals, debates, results or comments"):
        list(OpenData(tmp_path, pseudonym))


def test_other_tables_in_the_folder_do_not_stop_it(read: Callable[..., list[Entity]]) -> None:
    got = read({"proposals.csv": table(NEW, proposal()), "my notes.csv": b"name;x\n1;2\n", "costs.csv": b"\xff"})

    assert 1 == len(got)


def test_an_empty_export_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "proposals.csv").write_bytes(b"\n")
    reader = OpenData(tmp_path, pseudonym)

    assert [] == list(reader)
    assert {"proposal": 0} == reader.about().rows


def test_about_is_not_told_before_the_end(tmp_path: Path) -> None:
    (tmp_path / "proposals.csv").write_bytes(table(NEW, proposal(1), proposal(2)))
    reader = OpenData(tmp_path, pseudonym)
    next(iter(reader))

    with pytest.raises(UsageError, match="not read to its end"):
        reader.about()


@pytest.mark.parametrize("gone", ["title", "body"])
def test_proposals_without_their_texts_are_refused(tmp_path: Path, gone: str) -> None:
    """A spreadsheet that lost a column, or a file of another program: else 297 proposals without a word came in."""
    lines = (Path(__file__).parents[2] / "data/decidim/pam2016-open-data-proposals.csv").read_text().splitlines()
    path = tmp_path / "x.example.org-open-data-proposals.csv"
    path.write_text("\n".join([lines[0].replace(f"{gone}/ca", "notes"), *lines[1:3]]) + "\n")

    with pytest.raises(MalformedError, match=f"line 1: expected a column {gone}, or {gone}/XX for each language"):
        list(OpenData(path, str))
