"""Reading a Decidim anew: what changed is counted, and comments that were deleted there are deleted here."""

from __future__ import annotations

from auzolan.core.record.published import blob_path
from tests.cli.decidim.exports import PAM, comments_csv, folder_of, imports, lines, proposals_csv
from tests.cli.deliberation import Place, found_in
from tests.deliberate.decidim.generated import HEADERS, proposal, table


def _first(here: Place) -> str:
    folder = folder_of(here, proposals=proposals_csv(1, 2, 3), proposal_comments=comments_csv(5, 6, body="Abans"))
    return str(imports(here, folder, "--name", "town")["record"])


def _second(here: Place) -> str:
    """Read it again: 1 is the same, 2 has another count, 3 another text, 4 is new; comment 6 is gone."""
    kept = proposals_csv(1).decode()
    header = HEADERS["0.31"].count(";")
    others = [proposals_csv(2, votes="9"), proposals_csv(3, body__ca="Tot nou"), proposals_csv(4)]
    data = kept + "".join(each.decode().split("\n", 1)[1] for each in others)

    assert header == kept.split("\n")[0].count(";")
    folder = folder_of(here, proposals=data.encode(), proposal_comments=comments_csv(5, body="Abans"))
    return str(imports(here, folder, "--name", "town", "--again")["record"])


def test_every_kind_of_change_is_counted(founded: Place) -> None:
    first = _first(founded)
    record = founded.record(_second(founded))

    assert {"added": 1, "changed": 1, "updated": 1, "same": 1, "gone": 0} == record["body"]["changes"]
    assert first == record["links"]["supersedes"]


def test_what_is_gone_is_counted(founded: Place) -> None:
    _first(founded)
    said = imports(founded, folder_of(founded, proposals=proposals_csv(1)), "--name", "town", "--again")

    assert {"added": 0, "changed": 0, "updated": 0, "same": 1, "gone": 2} == said["changes"]


def test_reading_the_same_again_changes_nothing(founded: Place) -> None:
    imports(founded, PAM, "--name", "pam")
    said = imports(founded, PAM, "--name", "pam", "--again")

    assert {"added": 0, "changed": 0, "updated": 0, "same": 297, "gone": 0} == said["changes"]


def test_a_first_import_has_no_changes(founded: Place) -> None:
    assert {} == founded.record(_first(founded))["body"]["changes"]


def test_comments_deleted_there_are_deleted_here(founded: Place) -> None:
    first = _first(founded)
    (old,) = (digest for name, digest in founded.record(first)["blobs"].items() if name.startswith("private."))
    second = _second(founded)
    (stone,) = (founded.record(each) for each in founded.ids("tombstone/v1"))

    assert ([old], [first]) == (stone["body"]["erased"], list(stone["links"].values()))
    assert not (founded.town / "private" / blob_path(old)).exists()
    assert ["Abans 5"] == [each["text"] for each in lines(founded, second, "comments")]
    assert set() == found_in(founded.town, b"Abans 6")
    assert founded.private_blobs() == founded.named_blobs() - {old}


def test_the_record_stays_whole_after_comments_are_erased(founded: Place) -> None:
    _first(founded)
    second = _second(founded)
    founded.run("fsck")
    founded.run("verify")

    assert "checked" == founded.links(second)["supersedes"]["strength"]


def test_reading_again_without_comments_erases_the_earlier_ones(founded: Place) -> None:
    _first(founded)
    folder = folder_of(founded, "other", proposals=proposals_csv(1))
    words = ("deliberate", "import", folder, "--from", "decidim", "--name", "town", "--again")
    error = founded.error(*words, code=2)
    kept = founded.private_blobs()
    founded.run(*words, "--drop-missing")

    assert "this source holds no comments, and the import that it continues has 2" in error
    assert kept
    assert set() == founded.private_blobs()
    assert 1 == len(founded.ids("tombstone/v1"))
    founded.run("fsck")


def test_without_comments_there_is_nothing_to_erase(founded: Place) -> None:
    folder = folder_of(founded, proposals=proposals_csv(1))
    imports(founded, folder, "--name", "town")
    imports(founded, folder, "--name", "town", "--again")

    assert [] == founded.ids("tombstone/v1")


def test_a_name_that_is_taken_is_refused(founded: Place) -> None:
    _first(founded)
    error = founded.error("deliberate", "import", PAM, "--from", "decidim", "--name", "town", code=2)

    assert "an import is called 'town' here already; add --again" in error
    assert 1 == len(founded.ids("proposals/v1"))


def test_again_without_an_earlier_one_is_refused(founded: Place) -> None:
    error = founded.error("deliberate", "import", PAM, "--from", "decidim", "--name", "town", "--again", code=2)

    assert "nothing was imported from Decidim under the name 'town' yet" in error
    assert [] == founded.ids("proposals/v1")


def test_the_same_name_of_votes_is_another_name(founded: Place) -> None:
    """What people proposed and how they voted may have one name: pseudonyms of people then agree, as they should."""
    _first(founded)
    founded.read_survey(None, "--name", "town")

    assert (1, 1) == (len(founded.ids("proposals/v1")), len(founded.ids("snapshot/v1")))


def test_the_same_text_in_another_language_is_a_change(founded: Place) -> None:
    rows = [proposal(1, title__ca="Arbres", title__en=title, state="") for title in ("", "Trees")]
    for row, more in zip(rows, ((), ("--again",)), strict=True):
        folder = folder_of(founded, proposals=table(HEADERS["0.31"], row))
        said = imports(founded, folder, "--name", "town", *more)

    assert 1 == said["changes"]["changed"]
