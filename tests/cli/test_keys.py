"""Keys and passphrases on the command line."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.machine import Machine, env_without_home, listing

SECRET = "correct horse battery staple"


def _auzolan(home: Path, *arguments: str, **more: object) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "auzolan"), *arguments]
    environment = {**env_without_home(), "AUZOLAN_HOME": str(home), "COLUMNS": "80"}
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        command, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, **more
    )


def test_the_passphrase_comes_from_a_file_and_is_written_nowhere(
    library: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passphrase = tmp_path / "passphrase"
    passphrase.write_text(SECRET + "\n")
    monkeypatch.setenv("AUZOLAN_PASSPHRASE_FILE", str(passphrase))

    result = library.call("key", "new", "desk")
    library.run("init", "town", "--name", "Town", "--principal", "library=desk")
    written = b"".join(listing(library.folder).values())

    assert result.exit_code == 0
    assert SECRET not in result.output
    assert SECRET.encode() not in written


def test_the_passphrase_comes_from_a_descriptor(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, SECRET.encode() + b"\n")
    os.close(writing)

    made = _auzolan(tmp_path / "home", "--passphrase-fd", str(reading), "key", "new", "desk", pass_fds=(reading,))
    os.close(reading)

    assert (0, "desk+") == (made.returncode, made.stdout[:5])


def test_without_a_terminal_it_says_what_to_do(tmp_path: Path) -> None:
    result = _auzolan(tmp_path / "home", "key", "new", "desk")

    assert 2 == result.returncode
    assert "set AUZOLAN_PASSPHRASE_FILE or use --passphrase-fd" in result.stderr


def test_a_wrong_passphrase_opens_nothing(library: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    passphrase = tmp_path / "passphrase"
    passphrase.write_text(SECRET)
    monkeypatch.setenv("AUZOLAN_PASSPHRASE_FILE", str(passphrase))
    library.run("key", "new", "desk")
    library.run("init", "town", "--name", "Town", "--principal", "library=desk")
    passphrase.write_text("something else")

    message = library.error(
        "propose", "document", "--title", "T", "--text", "x", "--key", "desk", "--commons", "town", code=2
    )

    assert "auzolan: the passphrase does not open the key desk" == message


def test_an_empty_passphrase_is_refused(library: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("\n")
    monkeypatch.setenv("AUZOLAN_PASSPHRASE_FILE", str(passphrase))

    assert "the passphrase is empty" in library.error("key", "new", "desk", code=2)


def test_key_files_are_for_their_owner_only(library: Machine) -> None:
    library.key("desk")

    files = [path for path in (library.home / "keys").iterdir() if path.is_file()]

    assert [0o600] == [path.stat().st_mode & 0o777 for path in files]
    assert 0o700 == library.home.stat().st_mode & 0o777


def test_a_key_is_never_overwritten(library: Machine) -> None:
    first = library.key("desk")

    assert "already" in library.error("key", "new", "desk", "--demo", code=2)
    assert first == library.json("key", "show", "demo/desk")["public"]


def test_demo_keys_are_refused_as_a_root(library: Machine) -> None:
    library.key("desk")

    message = library.error("init", "town", "--name", "Town", code=2)

    assert "throw-away demo key" in message
    assert not (library.folder / "town").exists()


def test_a_demo_name_needs_the_demo_flag(library: Machine) -> None:
    assert "mark throw-away keys" in library.error("key", "new", "demo/desk", code=2)


def test_demo_keys_smuggled_into_the_rules_are_refused(library: Machine) -> None:
    library.key("desk")
    library.run("init", "town", "--name", "Town", "--demo", "--edit", "--principal", "library=demo/desk")
    rules = library.folder / "town" / "governance.toml"
    rules.write_text(rules.read_text().replace("demo = true", "demo = false"))

    message = library.error("propose", "governance", "--commons", "town", code=2)

    assert "is a throw-away demo key, and this commons is not marked `demo = true`" in message


def _at_a_terminal(home: Path, arguments: list[str], answers: list[tuple[bytes, bytes]]) -> tuple[int, bytes]:
    """Run a command at a terminal of its own, answering each prompt once.

    Returns its exit code and what the screen showed; a prompt without an answer
    ends the run by SIGALRM in the child.
    """
    command = str(Path(sys.executable).parent / "auzolan")
    child, screen = pty.fork()
    if child == 0:
        os.chdir(home.parent)
        signal.alarm(60)
        os.execve(command, [command, *arguments], {**env_without_home(), "AUZOLAN_HOME": str(home), "COLUMNS": "80"})
    shown, waiting, since = b"", list(answers), 0
    while part := _read(screen):
        shown += part
        if waiting and waiting[0][0] in shown[since:]:
            since = len(shown)
            os.write(screen, waiting.pop(0)[1] + b"\n")
    os.close(screen)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown


def _read(screen: int) -> bytes:
    try:
        return os.read(screen, 4096)
    except OSError:  # how Linux says that the other side has closed
        return b""


def test_at_a_terminal_it_asks_for_each_passphrase_once_and_shows_none(tmp_path: Path) -> None:
    home, secret = tmp_path / "home", SECRET.encode()

    made, shown = _at_a_terminal(
        home, ["key", "new", "desk"], [(b"New passphrase for desk: ", secret), (b"Again", secret)]
    )
    founded, founding = _at_a_terminal(
        home,
        ["init", "town", "--name", "Town"],
        [(b"New passphrase for auzolan/town-", secret), (b"Again", secret), (b"Passphrase of key desk: ", secret)],
    )
    differing, differs = _at_a_terminal(home, ["key", "new", "other"], [(b"New", secret), (b"Again", b"x")])

    assert (0, 0, 2) == (made, founded, differing)
    assert b"committed as entry 0" in founding
    assert b"the two passphrases differ; nothing was written" in differs
    assert secret not in shown + founding + differs
