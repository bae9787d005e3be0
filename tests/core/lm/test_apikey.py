"""API keys: read where they may be read from, and shown nowhere."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from auzolan.core.lm.apikey import ApiKey, key_from_environment, key_from_file
from auzolan.core.record.errors import AuzolanError, MalformedError, MissingError, StorageError, UsageError

SECRET = "sk-never-shown-0123456789"


def test_a_key_is_read_from_a_named_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEACHER_KEY", f"{SECRET}\n")

    assert f"Bearer {SECRET}" == key_from_environment("TEACHER_KEY").header()


def test_a_key_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f" {SECRET}\n")

    assert f"Bearer {SECRET}" == key_from_file(tmp_path / "key").header()


def test_a_key_does_not_show_itself() -> None:
    key = ApiKey(SECRET)

    assert not any("never" in shown for shown in (repr(key), str(key), f"{key!a}", repr({"key": key})))
    with pytest.raises(TypeError):
        copy.copy(key)
    with pytest.raises(TypeError):
        pickle.dumps(key)


def test_a_variable_that_is_not_set_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEACHER_KEY", "  ")
    for name in ("TEACHER_KEY", "NO_SUCH_VARIABLE"):
        with pytest.raises(MissingError, match="not set"):
            key_from_environment(name)


def test_a_key_given_in_the_place_of_its_name_is_not_repeated(tmp_path: Path) -> None:
    said = []
    attempts: list[Callable[[], ApiKey]] = [
        lambda: key_from_environment(SECRET),
        lambda: key_from_file(tmp_path / SECRET),
    ]
    for attempt in attempts:
        with pytest.raises(AuzolanError) as caught:
            attempt()
        said.append(str(caught.value))

    assert not any("never" in text for text in said)


@pytest.mark.parametrize("text", ["", "two words", "two\nlines", "naïve", "a\r\nX-Evil: 1", "\x00"])
def test_what_cannot_be_a_key_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(MalformedError) as caught:
        ApiKey(text)

    assert "Evil" not in str(caught.value)


def test_a_file_that_holds_no_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes(b"x" * 5000)
    (tmp_path / "binary").write_bytes(b"\xff\x00")
    for name in ("long", "binary"):
        with pytest.raises(MalformedError):
            key_from_file(tmp_path / name)
    with pytest.raises(StorageError):
        key_from_file(tmp_path)
    with pytest.raises(StorageError):
        key_from_file(Path("a\x00b"))
    with pytest.raises(UsageError):
        key_from_environment("")


def test_a_key_is_found_in_what_a_server_sends_back() -> None:
    key, filler = ApiKey(SECRET), ApiKey("EMPTY")

    assert key.is_repeated_in(f"your key {SECRET}".encode())
    assert not key.is_repeated_in(b"sk-never")
    assert not filler.is_repeated_in(b"EMPTY is a word that answers may hold")
    assert key.is_hinted_in(f"Incorrect API key: {SECRET[:9]}*****")
    assert not key.is_hinted_in("Incorrect API key: sk-****89")
    assert filler.is_hinted_in("EMPTY")
