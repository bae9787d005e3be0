"""Sources that are broken, and imports that are interrupted: one sentence, and nothing is left behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from auzolan.cli.decidim import importing
from auzolan.core.record.errors import StorageError
from auzolan.deliberate.decidim.gather import Gathering
from tests.cli.decidim.exports import (
    PAM,
    admin_json,
    comments_csv,
    folder_of,
    imports,
    proposals_csv,
    zip_of,
)
from tests.cli.deliberation import Place
from tests.cli.machine import listing
from tests.deliberate.decidim.generated import HEADERS, table

GOOD = proposals_csv(1, 2)
_UNAVOIDABLE = ("private/lock", "private/pseudonym.key")  # name nobody and hold nothing of the source


def left_behind(here: Place) -> set[str]:
    """Return the files of a commons that there are not where nothing was ever imported."""
    files = {name for name in listing(here.town) if not name.startswith("ledger/")}
    return files - {"governance.toml", ".gitattributes", ".gitignore", "index.sqlite", *_UNAVOIDABLE}


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("proposals.csv", b"one;two;three\n1;2;3\n", "proposals.csv"),
        ("proposals.csv", GOOD.replace(b"id;", b"number;", 1), "proposals.csv"),
        ("proposals.csv", GOOD + b"3;too;few\n", "proposals.csv"),
        ("proposals.csv", GOOD.replace(b"\n1;", b"\n1\x00;", 1), "proposals.csv"),
        ("proposals.csv", GOOD.replace(b"\n1;", b"\nmany;", 1), "proposals.csv"),
        ("proposals.csv", GOOD.decode().encode("utf-16"), "proposals.csv"),
        ("proposals.csv", GOOD + GOOD.split(b"\n", 1)[1].replace(b"Text 1", b"Text 9"), "twice"),
        ("proposals.csv", GOOD + b'3;"an open quote\n', "proposals.csv"),
        ("proposals.json", b"{", "proposals.json"),
        ("proposals.json", b'{"id": 1}', "proposals.json"),
        ("proposals.json", b'[{"id": 1}', "proposals.json"),
        ("proposals.json", b"\xff\xfe[", "proposals.json"),
    ],
)  # fmt: skip
def test_a_broken_file_is_refused_in_a_sentence(founded: Place, name: str, data: bytes, message: str) -> None:
    path = founded.machine.folder / name
    path.write_bytes(data)
    error = founded.error("deliberate", "import", path, "--from", "decidim", code=1)

    assert message in error
    assert len(error) < 400
    assert "Secret" not in error
    assert set() == left_behind(founded)
    assert [] == founded.ids("proposals/v1")


@pytest.mark.parametrize("cut", [4, 100, 400, -30])
def test_half_a_zip_is_refused(founded: Place, cut: int) -> None:
    path = zip_of(folder_of(founded, proposals=proposals_csv(*range(1, 60))))
    path.write_bytes(path.read_bytes()[:cut])
    result = founded.machine.call("deliberate", "import", path, "--from", "decidim", "--commons", founded.town)

    assert result.exit_code in (1, 2)
    assert "Traceback" not in result.output
    assert "a bug in" not in result.output
    assert set() == left_behind(founded)


def test_a_zip_with_a_flipped_byte_is_refused(founded: Place) -> None:
    path = zip_of(folder_of(founded, proposals=proposals_csv(*range(1, 60))))
    data = bytearray(path.read_bytes())
    data[300] ^= 0xFF
    path.write_bytes(data)
    result = founded.machine.call("deliberate", "import", path, "--from", "decidim", "--commons", founded.town)

    assert result.exit_code in (1, 2)
    assert "Traceback" not in result.output
    assert "a bug in" not in result.output


@pytest.mark.parametrize(
    ("source", "code", "message"),
    [
        ("nowhere.csv", 2, "nowhere.csv"),
        ("empty", 2, "no proposals, debates, results"),
        ("https://x y/api", 2, "expected http or https, a host"),
    ],
)
def test_where_there_is_no_source(founded: Place, source: str, code: int, message: str) -> None:
    (founded.machine.folder / "empty").mkdir()

    assert message in founded.error("deliberate", "import", source, "--from", "decidim", code=code)
    assert set() == left_behind(founded)


@pytest.mark.parametrize("data", [b"", table(HEADERS["0.31"])], ids=["empty", "only a header"])
def test_a_source_without_anything_in_it_is_refused(founded: Place, data: bytes) -> None:
    folder = folder_of(founded, proposals=data)
    error = founded.error("deliberate", "import", folder, "--from", "decidim", code=2)

    assert "holds no proposals, comments, debates or results" in error
    assert set() == left_behind(founded)


def test_two_hosts_in_one_folder_are_refused(founded: Place) -> None:
    folder = folder_of(founded, proposals=GOOD)
    (folder / "other.example.net-open-data-proposals.csv").write_bytes(proposals_csv(5))
    (folder / "decidim.example.org-open-data-proposals.csv").write_bytes(proposals_csv(6))
    error = founded.error("deliberate", "import", folder, "--from", "decidim", code=2)

    assert "other.example.net" in error


def _raise(error: BaseException) -> Callable[..., Any]:
    def raising(*_: Any, **__: Any) -> Any:
        raise error

    return raising


@pytest.mark.parametrize("error", [KeyboardInterrupt(), StorageError("the disk is full"), MemoryError()])
def test_an_interruption_while_reading_leaves_nothing(
    founded: Place, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    folder = folder_of(founded, proposals=GOOD, proposal_comments=comments_csv(5))
    with monkeypatch.context() as patch:
        patch.setattr(Gathering, "_take", _raise(error))
        result = founded.machine.call("deliberate", "import", folder, "--from", "decidim", "--commons", founded.town)

    assert 0 != result.exit_code
    assert "Traceback" not in result.output
    assert set() == left_behind(founded)
    assert 2 == imports(founded, folder)["counts"]["proposals"]


@pytest.mark.parametrize("what", ["_forget_comments", "propose_within"])
def test_an_interruption_while_keeping_leaves_nothing_that_stays(
    founded: Place, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    folder = folder_of(founded, proposals=GOOD, proposal_comments=comments_csv(5))
    with monkeypatch.context() as patch:
        patch.setattr(importing, what, _raise(KeyboardInterrupt()))
        result = founded.machine.call("deliberate", "import", folder, "--from", "decidim", "--commons", founded.town)

    assert 3 == result.exit_code
    assert [] == founded.ids("proposals/v1")
    imports(founded, folder)  # whoever is next sweeps
    assert founded.private_blobs() == founded.named_blobs()


def test_temporary_files_are_gone_after_an_interruption(
    founded: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with monkeypatch.context() as patch:
        patch.setattr(Gathering, "finish", _raise(KeyboardInterrupt()))
        founded.machine.call("deliberate", "import", PAM, "--from", "decidim", "--commons", founded.town)

    assert [] == list(tmp_path.glob("auzolan-*"))


def test_an_odd_text_of_one_person_does_not_stop_an_import(founded: Place) -> None:
    odd = "=HYPERLINK(1)\u202e\u0007 " + "x" * 5_000
    said = imports(founded, folder_of(founded, proposals=proposals_csv(1, body__ca=odd)))

    assert 1 == said["counts"]["proposals"]


def test_a_component_in_json_without_an_address_says_what_to_add(founded: Place) -> None:
    path = admin_json(founded, 1)
    path.write_text(path.read_text().replace("https://", "/"))
    result = founded.machine.call("deliberate", "import", path, "--from", "decidim", "--commons", founded.town)

    assert result.exit_code in (1, 2)
    assert "host" in result.output
