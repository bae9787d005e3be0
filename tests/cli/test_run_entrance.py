"""The clients' token: made once, for this user alone, and read from nothing else."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from auzolan.cli.run.entrance import MAX_TOKEN_BYTES, read_token
from auzolan.core.record.errors import UsageError


def test_it_is_made_once_for_this_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "token"
    made = read_token(path)

    assert made == read_token(path)
    assert len(made) >= 43
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)


def _open_to_all(path: Path) -> None:
    path.write_text("x" * 43)
    path.chmod(0o644)


def _link(path: Path) -> None:
    (path.parent / "other").write_text("x" * 43)
    path.symlink_to(path.parent / "other")


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (_open_to_all, "others can read it"),
        (_link, "expected a file that holds a token"),
        (lambda path: os.mkfifo(path, 0o600), "expected a file of this user"),
        (lambda path: path.mkdir(0o700), "expected a file of this user"),
    ],
    ids=["open to all", "a link", "a pipe", "a folder"],
)
def test_what_is_no_token_file_is_refused_at_once(tmp_path: Path, place: Callable[[Path], None], said: str) -> None:
    path = tmp_path / "token"
    place(path)

    with pytest.raises(UsageError, match=said):
        read_token(path)


def test_no_more_than_a_token_is_read(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_bytes(b"x" * 10_000_000)
    path.chmod(0o600)

    assert MAX_TOKEN_BYTES == len(read_token(path))
