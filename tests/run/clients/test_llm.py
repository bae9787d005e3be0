"""The `llm` tool, as it is, talks to `auzolan run serve`.

Of whole answers it keeps the receipt in its own log of answers. Of streamed ones it
keeps the text alone (its `combine_chunks` leaves out what it does not know).
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("llm", reason="NOT CHECKED: the llm tool is not installed")

from auzolan.run.answers.receipt import FIELD, read_receipt
from tests.cli.running import ANSWER, FORBIDDEN, MESSAGES, PATIENCE_S, QUESTION, Gateway, environment, written

SETTINGS = """
- model_id: town
  model_name: town
  api_base: "http://127.0.0.1:{port}/v1"
  api_key_name: town
"""


@pytest.fixture
def folder(gateway: Gateway, tmp_path: Path) -> Path:
    """The tool's own folder, with the address and the token."""
    (tmp_path / "extra-openai-models.yaml").write_text(SETTINGS.format(port=gateway.port))
    (tmp_path / "keys.json").write_text(json.dumps({"town": gateway.token}))
    return tmp_path


def llm(gateway: Gateway, folder: Path, *arguments: str) -> str:
    """Call the tool, and return what it printed."""
    asked = subprocess.run(
        [sys.executable, "-m", "llm", *arguments], capture_output=True, text=True, timeout=PATIENCE_S,
        env={**environment(gateway.here), "LLM_USER_PATH": str(folder)}, stdin=subprocess.DEVNULL,
    )  # fmt: skip

    assert 0 == asked.returncode, asked.stderr
    return asked.stdout


def test_a_whole_answer_is_logged_with_its_receipt(gateway: Gateway, folder: Path) -> None:
    text = llm(gateway, folder, "-m", "town", "--no-stream", QUESTION)
    (logged,) = json.loads(llm(gateway, folder, "logs", "--json"))
    kept = logged["response_json"]
    receipt = read_receipt(json.dumps(kept[FIELD]).encode())
    path = written(gateway.here.machine.folder, receipt.with_transcript(MESSAGES, ANSWER), "llm.json")
    said = gateway.here.json("verify", path, code=3)

    assert ANSWER + "\n" == text
    assert {"Signature": "passed", "Transcript": "passed"}.items() <= {
        each["title"]: each["status"] for each in said["steps"]
    }.items()


def test_a_streamed_answer_comes_whole(gateway: Gateway, folder: Path) -> None:
    n_logged = _size(gateway)
    text = llm(gateway, folder, "-m", "town", QUESTION)
    (logged,) = json.loads(llm(gateway, folder, "logs", "--json"))

    assert ANSWER + "\n" == text
    assert ANSWER == logged["response"]
    assert n_logged < _size(gateway), "it was signed and logged, whether or not the client keeps the receipt"


def _size(gateway: Gateway) -> int:
    """Return how many bytes wait for the next batch of the log."""
    return sum(path.stat().st_size for path in (gateway.state / "answers" / "journal").iterdir())


def test_a_conversation_goes_on(gateway: Gateway, folder: Path) -> None:
    llm(gateway, folder, "-m", "town", QUESTION)

    assert ANSWER + "\n" == llm(gateway, folder, "-c", "And on Sundays?")


def test_a_refusal_is_shown_in_words(gateway: Gateway, folder: Path) -> None:
    assert "The rules of this community do not allow this:" in llm(gateway, folder, "-m", "town", FORBIDDEN)
