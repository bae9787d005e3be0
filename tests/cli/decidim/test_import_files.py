"""`import --from decidim` of files: every form gives the same, and what is told is what the files hold."""

from __future__ import annotations

import csv

import pytest

from tests.cli.decidim.exports import (
    MADRID,
    MADRID_COMMENTS,
    PAM,
    SECRETS,
    admin_json,
    comments_csv,
    folder_of,
    imports,
    lines,
    proposals_csv,
    zip_of,
)
from tests.cli.deliberation import Place, found_in
from tests.deliberate.decidim.generated import HOST


def test_a_real_csv_is_counted_as_its_rows_are(founded: Place) -> None:
    with PAM.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter=";"))
    said = imports(founded, PAM)

    assert len(rows) == said["counts"]["proposals"] == said["rows"]["proposal"]
    assert sum(int(row["votes"] or 0) for row in rows) == said["supports"]["total"]
    assert sum(bool(row["votes"]) for row in rows) == said["supports"]["known"]
    assert ("C", True, "decidim.example.org", "not stated") == (
        said["grade"], said["committed"], said["host"], said["licence"],
    )  # fmt: skip
    assert {str(row["id"]) for row in rows} == {str(each["id"]) for each in lines(founded, said["record"])}


def test_a_real_folder_of_proposals_and_comments(founded: Place) -> None:
    folder = founded.machine.folder / "madrid"
    folder.mkdir()
    for each in (MADRID, MADRID_COMMENTS):
        (folder / each.name).write_bytes(each.read_bytes())
    with MADRID_COMMENTS.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter=";"))
    said = imports(founded, folder)
    comments = lines(founded, said["record"], "comments")

    assert {int(row["id"]) for row in rows} == {each["id"] for each in comments}
    assert len({row["author/id"] for row in rows} - {""}) <= said["counts"]["participants"]
    assert "madrid" == founded.record(said["record"])["body"]["source"]["name"]
    assert not [name for name in founded.record(said["record"])["blobs"] if name.startswith("comments")]


def test_csv_zip_and_json_give_the_same_proposals(founded: Place) -> None:
    folder = folder_of(founded, proposals=proposals_csv(1, 2, 3))
    found = [
        lines(founded, imports(founded, source, "--name", name)["record"])
        for name, source in (("a", folder), ("b", zip_of(folder)), ("c", admin_json(founded, 1, 2, 3)))
    ]
    told_by_json = [{name: value for name, value in each.items() if name != "n_comments"} for each in found[0]]

    assert found[0] == found[1]
    assert told_by_json == found[2]  # its columns hold no comments here, as the made-up file has none


def test_several_classes_come_out_of_one_folder(founded: Place) -> None:
    space = f"https://{HOST}/processes/plan"
    folder = folder_of(
        founded,
        proposals=proposals_csv(1, 2),
        proposal_comments=comments_csv(5, 6, 7),
        debates=f"id;participatory_space/url;component/id;title/ca;url\n4;{space};9;Debat;{space}/f/9/debates/4\n".encode(),
        results=f"id;participatory_space/url;component/id;title/ca;proposal_urls;url\n"
        f'3;{space};8;Fet;"{space}/f/6/proposals/1";{space}/f/8/results/3\n'.encode(),
        users=b"id;name;deleted\n7;Maria Secret;false\n",
    )
    said = imports(founded, folder)
    counts = said["counts"]

    assert (2, 3, 1, 1, 1) == tuple(
        counts[name] for name in ("proposals", "comments", "debates", "results", "participants")
    )
    assert [[1]] == [each["proposals"] for each in lines(founded, said["record"], "results")]


def test_nobody_is_named_in_any_file_of_the_commons(founded: Place) -> None:
    body = f"Sóc {SECRETS[2]}, {SECRETS[1]}, {SECRETS[3]}"
    folder = folder_of(founded, proposals=proposals_csv(1, 2), proposal_comments=comments_csv(5, 6, body=body))
    imports(founded, folder, "--name", "csv")
    imports(founded, admin_json(founded, 1, 2), "--name", "json")
    needles = [each.encode() for each in SECRETS]

    # A participant's own word for themselves in a text is text; what columns say about people is gone.
    assert {SECRETS[2].encode()} == found_in(founded.town, *needles)
    assert set() == found_in(founded.town / "ledger", *needles)
    assert 2 == sum(
        each["text"].count("secret_nick") for each in lines(founded, founded.ids("proposals/v1")[0], "comments")
    )


def test_what_is_told_in_words(founded: Place) -> None:
    folder = folder_of(founded, proposals=proposals_csv(1, 2), proposal_comments=comments_csv(5))
    output = " ".join(
        founded.machine.call(
            "deliberate", "import", folder, "--from", "decidim", "--licence", "CC BY 4.0", "--commons", founded.town
        ).output.split()
    )

    assert "2 proposals 3 supports on 2 proposals" in output
    assert "1 participant wrote them; nobody is named" in output
    assert "licence: CC BY 4.0" in output
    assert "e-mail addresses masked in texts: 2" in output
    assert "evidence grade C" in output


def test_supports_that_are_hidden_are_not_none(founded: Place) -> None:
    said = imports(founded, folder_of(founded, proposals=proposals_csv(1, 2, votes="")))

    assert {"known": 0, "hidden": 2, "total": 0} == said["supports"]
    assert not [each for each in lines(founded, said["record"]) if "supports" in each]


def test_the_licence_is_that_of_the_export_or_of_the_importer(founded: Place) -> None:
    folder = folder_of(founded, proposals=proposals_csv(1))
    (folder / "LICENSE.md").write_text("Open Database License\nDatabase Contents License\n")

    assert "ODbL 1.0 (database), DbCL 1.0 (contents)" == imports(founded, folder, "--name", "a")["licence"]
    assert "mine" == imports(founded, folder, "--name", "b", "--licence", "mine")["licence"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--component", "6"), "are for the address of an API"),
        (("--without-comments",), "are for the address of an API"),
        (("--client-id", "x"), "are for the address of an API"),
        (("--identity", "none"), "--identity is about votes"),
        (("--strata", "x.csv"), "--strata: for --from polis or --from survey"),
        (("--agree", "yes", "--id", "email"), "--id, --agree: for"),
        (("--xids", "x.csv"), "--xids: for --from polis only"),
        (("--shortlist", "1234"), "--shortlist: for --from decidim-survey only"),
        (("--weights", "cards"), "--weights: for --from decidim-votes only"),
        (("--card", "Green"), "expected the label of a card"),
    ],
)
def test_options_that_do_not_fit_are_refused(founded: Place, options: tuple[str, ...], message: str) -> None:
    folder = folder_of(founded, proposals=proposals_csv(1))
    error = founded.error("deliberate", "import", folder, "--from", "decidim", *options, code=2)

    assert message in error
    assert [] == founded.ids("proposals/v1")


def test_options_of_a_decidim_are_refused_for_votes(founded: Place) -> None:
    error = founded.error(
        "deliberate", "import", PAM, "--from", "survey", "--host", "x.org", "--card", "A=agree", code=2
    )

    assert "--host, --card: for --from decidim only, and this is read as survey" in error
