"""From a kit to responses and back: what the kit lays out, the reader finds, with titles that would do harm too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from auzolan.deliberate.shortlist.blocks import lay_out
from auzolan.deliberate.shortlist.kit import kit_files
from auzolan.deliberate.shortlist.listing import drafted
from auzolan.deliberate.shortlist.plan import Kit
from tests.deliberate.shortlist.lists import HARMFUL, choice
from tests.deliberate.shortlist.pam import proposal
from tests.deliberate.sources.test_decidim_survey import cleaned, read

RECIPE = Path(__file__).parents[3] / "recipes" / "decidim_responses.py"
LANGUAGES = ("ca", "es", "eu", "en")
TITLES = (*HARMFUL.values(), "Arbres/[9] ombra", "D'acord, En desacord", "1. Bancs", "[1] [2] x", "Cost: 1.000.000 €")


@pytest.fixture(scope="module")
def kit() -> Kit:
    """A kit of several surveys, in every language that kits are made in."""
    made = [proposal(at, title=title, supports=99) for at, title in enumerate(TITLES, start=1)]
    statements = drafted(choice(len(made), "none", made), LANGUAGES)
    return Kit("Vila", LANGUAGES, choice(len(made), "none", made), statements, lay_out(len(statements), 8))


@pytest.fixture(scope="module")
def made(kit: Kit, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Synthetic responses to the kit, in one folder for each language."""
    folder = tmp_path_factory.mktemp("kit")
    for name, data in kit_files(kit).items():
        (folder / name).write_bytes(data)
    for language in LANGUAGES:
        command = [sys.executable, RECIPE, folder, folder / language, "--people", "120", "--lang", language]
        subprocess.run(list(map(str, command)), check=True, timeout=60)
    return folder


@pytest.mark.parametrize("language", LANGUAGES)
def test_responses_to_a_kit_are_read_alike_from_json_and_csv(kit: Kit, made: Path, language: str) -> None:
    listed = {each.id: each.text[language if language in each.text else "ca"] for each in kit.statements}
    both = read(made / language, listed)
    files = sorted((made / language).glob("responses-*"))
    alone = [read(path, listed) for path in files]

    assert len(kit.surveys) * 2 == len(files) > 6
    for left, right in zip(alone[::2], alone[1::2], strict=True):  # responses-1.csv, responses-1.json, responses-2.csv
        assert left.table.to_ballots() == right.table.to_ballots()
        assert cleaned(left) == cleaned(right)
    assert both.table.n_votes == sum(each.table.n_votes for each in alone[::2])
    assert set(listed) == {int(each) for each in both.table.statements}
    assert all(both.table.totals().sum(axis=1))
    assert "rows whose text is" not in cleaned(both)
    assert {"earlier votes replaced by", "columns about the respondent", "other questions left out"} <= set(
        cleaned(both)
    )
