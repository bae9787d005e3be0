"""Kits whose files are damaged, edited wrongly or half written: a sentence, and nothing is signed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from auzolan.cli.commons import write_file
from auzolan.cli.decidim import kit
from tests.cli.decidim.rounds import Row, edit, make_kit, rows_of, write_rows
from tests.cli.deliberation import Place
from tests.cli.machine import listing


def refused(here: Place, *options: str) -> str:
    """Sign the kit, which must be refused in a sentence, and return the sentence."""
    folder = here.machine.folder / "kit"
    before, ledger = listing(folder), listing(here.town / "ledger")
    result = here.machine.call("deliberate", "kit", folder, "--final", *options, "--commons", here.town)

    assert result.exit_code in (1, 2, 3), result.output
    assert "Traceback" not in result.output
    assert "a bug in" not in result.output, result.output
    assert before == listing(folder)
    assert ledger == listing(here.town / "ledger")
    return " ".join(result.output.split())


def _plan(**changed: Any) -> Callable[[bytes], bytes]:
    return lambda data: json.dumps({**json.loads(data), **changed}).encode()


def _without(name: str) -> Callable[[bytes], bytes]:
    return lambda data: json.dumps({k: v for k, v in json.loads(data).items() if k != name}).encode()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda _: b"", "plan.json"),
        (lambda data: data[:-9], "plan.json"),
        (lambda _: b"[]", "plan.json"),
        (lambda _: b"\xff", "plan.json"),
        (_plan(format="auzolan-kit/v9"), "expected format auzolan-kit/v1"),
        (_plan(more=1), "plan.json"),
        (_plan(statements="many"), "plan.json: statements"),
        (_plan(statements=0), "plan.json: statements"),
        (_plan(statements=501), "expected 1 to 500 statements"),
        (_plan(per_person=1), "plan.json: per_person"),
        (_plan(by="luck"), "expected one of origin"),
        (_plan(seed=""), "plan.json: seed"),
        (_plan(least=-1), "plan.json: least"),
        (_plan(participants=-5), "plan.json: participants"),
        (_plan(participants=1), "supports"),
        (_plan(languages=[]), "languages"),
        (_plan(languages=["tlh"]), "tlh"),
        (_plan(languages=["ca", "ca"]), "languages"),
        (_plan(languages=["es"]), "statements.csv"),
        (_plan(imported="0" * 64), "0000"),
        (_plan(imported="../../x"), "x"),
        (_without("seed"), "plan.json: seed"),
    ],
)
def test_a_damaged_plan_is_refused(with_kit: Place, damage: Callable[[bytes], bytes], message: str) -> None:
    file = with_kit.machine.folder / "kit" / "plan.json"
    file.write_bytes(damage(file.read_bytes()))

    assert message in refused(with_kit)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda _: b"", "statements.csv"),
        (lambda data: data.split(b"\r\n")[0] + b"\r\n", "0 statements, expected 1 to 500"),
        (lambda data: data.replace(b"text/ca", b"text/es", 1), "the kit is in ca"),
        (lambda data: data.replace(b"text/ca", b"notes", 1), "no column of this file"),
        (lambda data: data.replace(b"proposals", b"", 1), "statements.csv"),
        (lambda data: data.replace(b"\r\n2;", b"\r\n2;\x00", 1), "statements.csv, line 3"),
        (lambda data: data.decode("utf-8").encode("utf-16"), "statements.csv"),
        (lambda data: data.replace(b"Proposta", "Proposició".encode("latin-1")), "statements.csv"),
        (lambda data: data + b"15;#3\r\n", "statements.csv, line 16"),
        (lambda data: data + b'15;"#3', "statements.csv"),
    ],
)
def test_a_damaged_file_of_statements_is_refused(
    with_kit: Place, damage: Callable[[bytes], bytes], message: str
) -> None:
    file = with_kit.machine.folder / "kit" / "statements.csv"
    file.write_bytes(damage(file.read_bytes()))

    assert message in refused(with_kit)


def _set(row: int, **cells: str) -> Callable[[list[Row]], list[Row]]:
    named = {name.replace("__", "/"): cell for name, cell in cells.items()}
    return lambda rows: [{**each, **named} if n == row else each for n, each in enumerate(rows)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_set(0, proposals=""), "a statement needs the proposal that it rests on"),
        (_set(0, proposals="the first"), "expected numbers of proposals such as #66 #74"),
        (_set(0, proposals="#77777"), "proposal 77777 is not among those that were imported"),
        (_set(0, proposals="#5"), "proposal 5 was withdrawn"),
        (_set(0, proposals="#9"), "proposal 9 was withdrawn, is an amendment"),
        (_set(0, proposals="#3"), "proposal 3 has no place by the quotas"),
        (_set(1, proposals="#1"), "proposal 1 is there twice, first on line 2"),
        (_set(1, proposals="127.0.0.1/6/proposal/1"), "is there twice"),
        (_set(0, text__ca=""), "a statement needs a text in the main language"),
        (_set(0, text__ca="=HYPERLINK(1)"), "line 2"),
    ],
)
def test_rows_that_cannot_be_are_refused(
    with_kit: Place, change: Callable[[list[Row]], list[Row]], message: str
) -> None:
    edit(with_kit.machine.folder / "kit" / "statements.csv", change)

    assert message in refused(with_kit)


def test_without_the_file_of_statements(with_kit: Place) -> None:
    (with_kit.machine.folder / "kit" / "statements.csv").unlink()

    assert "statements.csv" in refused(with_kit)


def test_a_proposal_without_a_place_may_be_merged_behind_another(with_kit: Place) -> None:
    file = with_kit.machine.folder / "kit" / "statements.csv"
    rows = rows_of(file)
    write_rows(file, [{**rows[0], "proposals": f"{rows[0]['proposals']} #3"}, *rows[1:]])
    said = with_kit.json("deliberate", "kit", file.parent, "--final")
    (first, *_) = with_kit.record(said["record"])["body"]["statements"]

    assert ["1", "3"] == [each["key"].rsplit("/", 1)[1] for each in first["proposals"]]


def test_a_key_that_is_not_there_signs_nothing(with_kit: Place) -> None:
    assert "nobody" in refused(with_kit, "--key", "demo/nobody")


@pytest.mark.parametrize("at", range(1, 6))
def test_an_interrupted_first_run_is_made_whole_by_the_next(
    imported: Place, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    folder, whole = imported.machine.folder / "kit", imported.machine.folder / "whole"
    make_kit(imported, whole)
    _dies_at(at, imported, monkeypatch, folder, "--lang", "ca", "--seed", "synthetic")
    has_plan = (folder / "plan.json").exists()
    if has_plan:
        imported.json("deliberate", "kit", folder)
    else:
        make_kit(imported, folder)

    assert listing(whole) == listing(folder)


@pytest.mark.parametrize("at", range(1, 5))
def test_an_interrupted_signing_is_made_whole_by_the_next(
    with_kit: Place, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    folder = with_kit.machine.folder / "kit"
    _dies_at(at, with_kit, monkeypatch, folder, "--final")
    said = with_kit.json("deliberate", "kit", folder, "--final")

    assert [said["record"]] == with_kit.ids("shortlist/v1")
    assert said["record"] == json.loads((folder / "survey-1.json").read_bytes())["shortlist"]


def _dies_at(at: int, here: Place, monkeypatch: pytest.MonkeyPatch, *words: str | Path) -> None:
    """Run `kit` and interrupt it right before it writes its n-th file."""
    left, write = at, write_file

    def dying(path: Path, data: bytes) -> None:
        nonlocal left
        left -= 1
        if not left:
            raise KeyboardInterrupt
        write(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(kit, "write_file", dying)
        result = here.machine.call("deliberate", "kit", *words, "--commons", here.town)

    assert 3 == result.exit_code, result.output
