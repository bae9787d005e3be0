"""A town whose service has answered: a receipt with transcript and proof, and what tests read of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from auzolan.core.kinds.answer import Fired
from auzolan.run.answers.receipt import Receipt, read_receipt
from tests.cli.deliberation import Place
from tests.cli.running import Runtime, prepared, written
from tests.cli.teaching import record_teaching

PASSED, OPEN = "passed", "not checked"


def answer_in(here: Place) -> Place:
    """Add an adapter, a service whose rules name an article, and an anchored answer in `receipt.json`."""
    here = record_teaching(here).here
    file = prepared(here)
    rules = file.with_name("rules.toml")
    text = rules.read_text().replace('article = "operator"\nwhy = "A program does not decide who', _OF_ARTICLE, 1)
    rules.write_text(text)
    service = here.json("run", "declare", file)["service"]
    state = here.machine.folder / "state"
    fired = (Fired("allow-use", "allow", ""), Fired("no-eligibility-by-machine", "warn", "1.1"))
    said = Runtime(here, service, state).answers(3, fired=fired)[1]
    here.run("run", "anchor", "--state", state)
    written(here.machine.folder, said.receipt)
    return here


_OF_ARTICLE = 'article = "1.1"\nwhy = "A program does not decide who'


def path_in(here: Place) -> Path:
    return here.machine.folder / "receipt.json"


def receipt_in(here: Place) -> Receipt:
    return read_receipt(path_in(here).read_bytes())


def runtime(here: Place) -> Runtime:
    return Runtime(here, here.ids("service/v1")[0], here.machine.folder / "state")


def statuses(said: Any) -> dict[str, str]:
    return {each["title"]: each["status"] for each in said["steps"]}
