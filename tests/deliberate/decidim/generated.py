"""Synthetic open data in the layouts of Decidim's versions: no text in it was written by a participant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from auzolan.deliberate.decidim.entities import Proposal
from auzolan.deliberate.decidim.open_data import OpenData

_LIKES, _ENDORSEMENTS = (
    "likes/total_count;likes/user_likes;",
    "endorsements/total_count;endorsements/user_endorsements;",
)
_TAXONOMIES = "taxonomies/id;taxonomies/name;"
_CATEGORY = "category/id;category/name/en;category/name/ca;scope/id;scope/name/en;scope/name/ca;"
_SPACE = "participatory_space/id;participatory_space/url;component/id;"
_TEXTS = "title/en;title/ca;body/en;body/ca;"
_AUTHOR, _PLACE = "author/id;author/name;author/url;", "address;latitude;longitude;"
_TIMES = ";withdrawn;withdrawn_at;created_at;updated_at;created_in_meeting;coauthorships_count"


def _end(votes: str, likes: str, follows: str) -> str:
    return (
        f"state;reference;answer/en;answer/ca;answered_at;{votes};{likes}comments;attachments;{follows};published_at;url;"
        "meeting_urls;related_proposals;is_amend;original_proposal/title;original_proposal/url"
    )


_SUPPORTS = _end("supports", _ENDORSEMENTS, "followers")
_NEW = f"id;{_AUTHOR}{_TAXONOMIES}{_SPACE}{_TEXTS}{_PLACE}"
HEADERS: Mapping[str, str] = {
    "0.22": f"id;{_CATEGORY}{_SPACE}title;body;{_SUPPORTS}",
    "0.23": f"id;{_CATEGORY}{_SPACE}{_TEXTS}{_SUPPORTS}",
    "0.25": f"id;{_CATEGORY}{_SPACE}{_TEXTS}{_SUPPORTS}",
    "0.27": f"id;{_AUTHOR}{_CATEGORY}{_SPACE}{_TEXTS}{_PLACE}{_SUPPORTS}",
    "0.29": f"id;{_AUTHOR}{_CATEGORY}{_SPACE}{_TEXTS}{_PLACE}"
    f"{_end('votes', _ENDORSEMENTS, 'followers')};withdrawn;withdrawn_at",
    "0.30": f"{_NEW}{_end('votes', _ENDORSEMENTS, 'follows_count')}{_TIMES}",
    "0.31": f"{_NEW}{_end('votes', _LIKES, 'follows_count')}{_TIMES}",
    "0.32": f"{_NEW}{_end('votes', _LIKES, 'follows_count')}{_TIMES}",
}
COMMENT_HEADER = (
    "id;created_at;body;locale;author/id;author/name;alignment;depth;commentable_id;commentable_type;"
    "root_commentable_url"
)
HOST = "decidim.example.org"
TEXTS = {"title/en": "Trees", "title/ca": "Arbres", "body/en": "Plant them", "body/ca": "Planteu-ne"}


def table(header: str, *rows: Mapping[str, str], mark: str = ";") -> bytes:
    """Return a CSV file with these cells, all others empty."""
    names = header.split(";")
    unknown = {name for row in rows for name in row} - set(names)
    assert not unknown, f"no such columns: {unknown}"
    lines = [names, *([row.get(name, "") for name in names] for row in rows)]
    return "".join(mark.join(quoted(cell) for cell in line) + "\n" for line in lines).encode()


def quoted(cell: str) -> str:
    """Return a cell in quotes where it needs them."""
    return '"' + cell.replace('"', '""') + '"' if any(mark in cell for mark in ';,\t"\n\r') else cell


def proposal(number: int = 66, **cells: str) -> dict[str, str]:
    """Return the cells of a synthetic proposal that all versions have."""
    found = {
        "id": str(number),
        "component/id": "6",
        "participatory_space/id": "1",
        "participatory_space/url": f"https://{HOST}/processes/plan",
        "url": f"https://{HOST}/processes/plan/f/6/proposals/{number}",
        "state": "accepted",
        "comments": "2",
        "is_amend": "false",
    }
    return found | {name.replace("__", "/"): cell for name, cell in cells.items()}


def comment(number: int = 5, **cells: str) -> dict[str, str]:
    """Return the cells of a synthetic comment on proposal 66."""
    found = {
        "id": str(number),
        "body": "A synthetic comment",
        "locale": "en",
        "author/id": "7",
        "author/name": "Nobody Real",
        "alignment": "0",
        "depth": "0",
        "commentable_id": "66",
        "commentable_type": "Decidim::Proposals::Proposal",
        "root_commentable_url": f"https://{HOST}/processes/plan/f/6/proposals/66",
        "created_at": "2024-05-01 10:00:00 UTC",
    }
    return found | {name.replace("__", "/"): cell for name, cell in cells.items()}


def many(rows: int) -> Iterator[bytes]:
    """Yield the lines of a file of 0.31 with so many synthetic proposals, one at a time."""
    header = HEADERS["0.31"]
    names = header.split(";")
    yield header.encode() + b"\n"
    for number in range(1, rows + 1):
        cells = proposal(
            number,
            author__id=str(number % 5_000),
            author__url=f"https://{HOST}/profiles/p{number % 5_000}",
            taxonomies__id=str(number % 30),
            taxonomies__name=f'{{"en"=>"Theme {number % 30}", "ca"=>"Tema {number % 30}"}}',
            title__en=f"Synthetic proposal {number}",
            title__ca=f"Proposta sintètica {number}",
            body__en=f"In street {number % 97}, plant {number % 13} trees and write 1 line.\nThen another; with marks.",
            body__ca=f"Al carrer {number % 97}, planteu {number % 13} arbres.",
            votes=str(number % 400),
            likes__total_count=str(number % 7),
            published_at=f"2024-{number % 12 + 1:02}-{number % 28 + 1:02} 10:{number % 60:02}:00 UTC",
            created_at=f"2024-{number % 12 + 1:02}-{number % 28 + 1:02} 09:{number % 60:02}:00 UTC",
            created_in_meeting="true" if number % 10 == 0 else "false",
            coauthorships_count="1",
        )
        yield (";".join(quoted(cells.get(name, "")) for name in names) + "\n").encode()


def pseudonym(raw: str) -> str:
    """Return what stands for a person."""
    return f"p-{raw}"


def only(folder: Path, data: bytes, **options: object) -> Proposal:
    """Return the one proposal of a file."""
    file = folder / "proposals.csv"
    file.write_bytes(data)
    found = list(OpenData(file, pseudonym, **options))  # type: ignore[arg-type]
    assert len(found) == 1
    assert isinstance(found[0], Proposal)
    return found[0]
