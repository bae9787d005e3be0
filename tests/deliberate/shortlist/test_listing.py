"""From a choice or an edited file to the statements of a shortlist."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from auzolan.core.kinds.proposals import Cited, ListedStatement, Shortlist
from auzolan.core.record.errors import MalformedError
from auzolan.deliberate.decidim.entities import Key
from auzolan.deliberate.shortlist.blocks import lay_out
from auzolan.deliberate.shortlist.listing import drafted, lacking, listed, long
from auzolan.deliberate.shortlist.statement_file import read_statements, write_statements
from tests.deliberate.shortlist.lists import LANGUAGES, choice, proposals
from tests.deliberate.shortlist.pam import HOST, pam_2016, proposal


def _listed(rows: str) -> tuple[ListedStatement, ...]:
    text = f"proposals;text/ca;text/es\n{rows}"
    sheet = read_statements("statements.csv", io.BytesIO(text.encode()), LANGUAGES)
    return listed(sheet, choice(), proposals())


def test_a_file_that_nobody_edited_gives_the_draft() -> None:
    sheet = read_statements("s.csv", io.BytesIO(write_statements(choice(), LANGUAGES)), LANGUAGES)

    assert drafted(choice(), LANGUAGES) == listed(sheet, choice(), proposals())


def test_edited_texts_are_not_their_own_words() -> None:
    found = _listed("#1;Més arbres;\n#2;Una altra cosa;\n#3;Proposta 3;Propuesta 3\n")

    assert [True, False, False] == [each.own_words for each in found]
    assert [1, 2, 3] == [each.id for each in found]
    assert ["meeting", "participant", "meeting"] == [each.quota for each in found]


def test_merged_proposals_are_cited_and_may_lend_their_words() -> None:
    (found,) = _listed("#1 #12;Proposta 12;\n")

    assert (f"{HOST}/6/proposal/1", f"{HOST}/6/proposal/12") == tuple(each.key for each in found.proposals)
    assert found.own_words
    assert all(64 == len(each.fingerprint) for each in found.proposals)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ("#1;a;\n#99;b;\n", "line 3: proposal 99 is not among those that were imported"),
        ("#1 #13;a;\n", "line 2: proposal 13 was withdrawn, is an amendment, or has no title"),
        ("#1 #14;a;\n", "line 2: proposal 14 was withdrawn, is an amendment, or has no title"),
        ("#12;a;\n", "line 2: proposal 12 has no place by the quotas, so that it can be merged behind another"),
        (
            f"#1;a;\n#2 {HOST}/6/proposal/1;b;\n",
            f"line 3: proposal {HOST}/6/proposal/1 is there twice, first on line 2",
        ),
        (f"#1 {HOST}/6/proposal/1;b;\n", f"line 2: proposal {HOST}/6/proposal/1 is there twice, first on line 2"),
    ],
)
def test_what_the_quotas_and_the_import_do_not_know_is_refused(rows: str, why: str) -> None:
    with pytest.raises(MalformedError) as caught:
        _listed(rows)

    assert str(caught.value).startswith(f"statements.csv, {why}")


def test_a_number_of_two_platforms_needs_a_key() -> None:
    far = replace(proposal(1), key=Key("b.example", 2, "proposal", 1))
    sheet = read_statements("s.csv", io.BytesIO(b"proposals;text/ca\n#1;x\n"), ("ca",))

    with pytest.raises(MalformedError, match="proposal 1 is the number of several proposals; write its key"):
        listed(sheet, choice(), [*proposals(), far])


def test_missing_translations_and_long_texts_are_found() -> None:
    found = _listed(f"#1;Més arbres;Más árboles\n#2;{'x' * 301};\n")

    assert ((2,), (2,)) == (lacking(found, "es"), long(found))


def test_a_title_in_another_language_only_is_the_main_text() -> None:
    only = replace(proposal(1), title={"es": "Más  árboles"})
    (found,) = drafted(choice(1, of=[only]), LANGUAGES)

    assert {"ca": "Más árboles", "es": "Más árboles"} == found.text
    assert not found.own_words


def test_the_real_proposals_of_barcelona_become_a_shortlist_that_reads_back() -> None:
    real = pam_2016()
    chosen = choice(40, "origin,taxonomy", of=real)
    sheet = read_statements("s.csv", io.BytesIO(write_statements(chosen, LANGUAGES)), LANGUAGES)
    statements = listed(sheet, chosen, real)
    method = chosen.method | {"language": "ca"}
    shortlist = Shortlist("0" * 64, "2026-01-02", method, chosen.quotas, statements, lay_out(40, 15))

    assert 40 == len(statements)
    assert all(each.own_words and isinstance(each.proposals[0], Cited) for each in statements)
    assert shortlist == Shortlist.from_record(shortlist.to_record())
