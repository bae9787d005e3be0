"""The kinds of record that come of proposals: imports of a platform, and shortlists of them."""

from __future__ import annotations

from typing import Any

import pytest

from auzolan.core.kinds.proposals import Proposals, Shortlist
from auzolan.core.record.errors import MalformedError
from tests.core.kinds.shapes import changed, malformed, named, read_again
from tests.vectors.proposing import proposing

IMPORTED = proposing()[1]["proposals-v1"].claimed
LISTED = proposing()[1]["shortlist-v1"].claimed
_OF_IMPORT = {f"source/{name}": "text" for name in Proposals.SOURCE} | {
    "source": "", "licence": "text", "imported_at": "words", "counts": "object", "counts/proposals": "count",
    "supports": "object", "supports/total": "count", "fingerprints": "object", "left": "object", "changes": "object",
}  # fmt: skip
_OF_IMPORT.pop("source")
_OF_SHORTLIST = {
    "listed_at": "words", **{f"method/{name}": "words" for name in Shortlist.METHOD},
    "quotas": "list", "quotas/0/name": "words", "quotas/0/proposals": "count", "quotas/0/places": "count",
    "statements/0/own_words": "bool", "statements/0/quota": "words", "statements/0/text/en": "words",
    "statements/0/proposals/0/key": "words", "statements/0/proposals/0/fingerprint": "text",
}  # fmt: skip


def test_an_import_survives_its_record() -> None:
    imported = Proposals.from_record(read_again(IMPORTED))

    assert imported.to_record() == IMPORTED
    assert ("proposals.000",) == imported.parts(Proposals.PROPOSALS)
    assert ("private.comments.000",) == imported.parts(Proposals.COMMENTS)


def test_a_shortlist_survives_its_record() -> None:
    assert Shortlist.from_record(read_again(LISTED)).to_record() == LISTED
    assert {"proposals": IMPORTED.id} == LISTED.links


@pytest.mark.parametrize(("path", "value"), malformed(_OF_IMPORT, {"counts/proposals", "supports/total"}))
def test_an_import_of_another_form_is_refused(path: str, value: Any) -> None:
    with pytest.raises(MalformedError, match=r"^proposals: ") as caught:
        Proposals.from_record(changed(IMPORTED, path, value))

    assert named(path).split(": ")[-1] in str(caught.value)


@pytest.mark.parametrize(("path", "value"), malformed(_OF_SHORTLIST, {"statements/0/text/en"}))
def test_a_shortlist_of_another_form_is_refused(path: str, value: Any) -> None:
    with pytest.raises(MalformedError, match=r"^shortlist: "):
        Shortlist.from_record(changed(LISTED, path, value))


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("statements", [], "0 statements, expected 1 to 500"),
        ("statements/0/id", 2, "expected statements numbered from 1"),
        ("statements/0/text", {}, "needs a text, a proposal"),
        ("statements/0/text", {"english words": "x"}, "expected a language tag"),
        ("statements/0/proposals", [], "needs a text, a proposal"),
        ("statements/0/more", 1, "unknown key 'more'"),
        ("statements/0/proposals/0/key", "decidim.example.org/6/proposal/74", "behind two statements"),
        ("surveys", [[1]], "do not ask about its statements"),
        ("surveys", [[1, 2, 3]], "do not ask about its statements"),
        ("surveys", [["1"]], "surveys: expected an integer"),
    ],
)  # fmt: skip
def test_a_shortlist_that_does_not_hold_together_is_refused(path: str, value: Any, message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        Shortlist.from_record(changed(LISTED, path, value))
