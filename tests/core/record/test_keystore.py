from __future__ import annotations

import stat
from pathlib import Path

import pytest

from auzolan.core.record.canonical import canonical_bytes
from auzolan.core.record.checkpoint import TreeHead
from auzolan.core.record.disk import exclusive_lock
from auzolan.core.record.errors import MalformedError, MissingError, UsageError
from auzolan.core.record.keys import PublicKey
from auzolan.core.record.keystore import PROMISED, SEEN, KeyStore, Memory, home_folder
from tests.town import LIBRARY, ORIGIN

HEAD = TreeHead(5, bytes(range(32)))


def never(public: PublicKey) -> bytes:
    raise AssertionError(f"a passphrase was asked for {public.name}")


def mode(place: Path) -> int:
    return stat.S_IMODE(place.stat().st_mode)


def test_a_key_that_was_made_is_found_and_opens_with_its_passphrase(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "home")
    public = store.create("library", b"right")
    asked: list[str] = []

    def ask(key: PublicKey) -> bytes:
        asked.append(key.name)
        return b"right"

    secret = store.open(public, ask)

    assert public == store.find("library") == secret.public
    assert asked == ["library"]
    assert b"message" == public.verify(secret.sign(b"message"), b"message", "x")


def test_another_passphrase_does_not_open_it(tmp_path: Path) -> None:
    store = KeyStore(tmp_path)
    public = store.create("library", b"right")

    with pytest.raises(UsageError, match="the passphrase does not open the key library"):
        store.open(public, lambda _: b"wrong")


def test_a_real_key_needs_a_passphrase(tmp_path: Path) -> None:
    store = KeyStore(tmp_path)

    with pytest.raises(UsageError, match="not empty"):
        store.create("library", b"")
    assert store.public_keys() == []


def test_a_throw_away_key_opens_without_asking(tmp_path: Path) -> None:
    store = KeyStore(tmp_path)
    public = store.create("demo/library", b"")

    assert public.is_demo
    assert public == store.open(public, never).public


def test_only_the_owner_can_read_keys(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    KeyStore(folder).create("demo/library", b"")
    (file,) = (place for place in (folder / "keys").iterdir())

    assert mode(folder) == 0o700
    assert mode(file) == 0o600


def test_the_same_name_twice_is_refused_and_the_first_key_stays(tmp_path: Path) -> None:
    store = KeyStore(tmp_path)
    first = store.create("demo/library", b"")

    with pytest.raises(UsageError, match="there is a key 'demo/library'"):
        store.create("demo/library", b"")
    assert [first] == store.public_keys()


@pytest.mark.parametrize(
    ("one", "other"),
    [("demo/ñ", "demo/ü"), ("demo/a.b", "demo/a-b"), ("demo/a/b", "demo/a-b"), ("demo/図書館", "demo/美術館")],
)
def test_two_names_are_two_keys_however_alike_their_files_are_called(tmp_path: Path, one: str, other: str) -> None:
    store = KeyStore(tmp_path)
    store.create(one, b"")
    store.create(other, b"")

    assert sorted([one, other]) == [key.name for key in store.public_keys()]


@pytest.mark.parametrize("name", ["", "a b", "a+b", "../a\n", "x" * 129, "a\u202eb"])
def test_a_name_that_a_key_may_not_have_makes_none(tmp_path: Path, name: str) -> None:
    store = KeyStore(tmp_path)

    with pytest.raises(MalformedError, match="key name"):
        store.create(name, b"right")
    assert store.public_keys() == []


@pytest.mark.parametrize("name", ["demo/../../escape", "demo/..", "demo/.hidden", "demo//", "demo/" + "é" * 123])
def test_no_name_leaves_the_folder(tmp_path: Path, name: str) -> None:
    store = KeyStore(tmp_path / "home")
    public = store.create(name, b"")

    assert public == store.find(name)
    assert [tmp_path / "home"] == list(tmp_path.iterdir())


def test_keys_are_listed_by_name(tmp_path: Path) -> None:
    store = KeyStore(tmp_path)
    for name in ("demo/c", "demo/a", "demo/b"):
        store.create(name, b"")

    assert [key.name for key in store.public_keys()] == ["demo/a", "demo/b", "demo/c"]


def test_a_key_that_is_not_here_is_missing_and_says_which_are(tmp_path: Path) -> None:
    store = KeyStore(tmp_path)
    with pytest.raises(MissingError, match="keys here: none"):
        store.find("library")
    store.create("demo/school", b"")

    with pytest.raises(MissingError, match=r"no key 'library' in .*; keys here: demo/school"):
        store.find("library")
    with pytest.raises(MissingError, match="the secret of key library-desk is not in"):
        store.open(LIBRARY.public, never)


def test_a_key_file_brought_from_elsewhere_is_found_by_its_content(tmp_path: Path) -> None:
    one, other = KeyStore(tmp_path / "one"), KeyStore(tmp_path / "other")
    public = one.create("demo/library", b"")
    (file,) = (tmp_path / "one" / "keys").iterdir()
    (tmp_path / "other" / "keys").mkdir(parents=True)
    (tmp_path / "other" / "keys" / "brought.json").write_bytes(file.read_bytes())

    assert public == other.find("demo/library") == other.open(public, never).public


@pytest.mark.parametrize("name", [".library.json.swp", ".DS_Store", "library.json~", "#library.json#"])
def test_files_that_other_programs_left_among_the_keys_do_not_hide_them(tmp_path: Path, name: str) -> None:
    store = KeyStore(tmp_path)
    public = store.create("demo/library", b"")
    (tmp_path / "keys" / name).write_bytes(b"not a key")

    assert public == store.find("demo/library") == store.open(public, never).public


def test_a_broken_key_file_is_named(tmp_path: Path) -> None:
    store = KeyStore(tmp_path)
    store.create("demo/library", b"")
    (tmp_path / "keys" / "broken.json").write_bytes(b"{}")

    with pytest.raises(MalformedError, match=r"broken\.json"):
        store.find("demo/library")


def test_home_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AUZOLAN_HOME", str(tmp_path / "chosen"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    assert home_folder() == tmp_path / "chosen"

    monkeypatch.setenv("AUZOLAN_HOME", "")
    assert home_folder() == tmp_path / "config" / "auzolan"

    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert home_folder() == tmp_path / ".config" / "auzolan"


# --- memories --------------------------------------------------------------------------------------------------------


def test_nothing_is_remembered_at_first(tmp_path: Path) -> None:
    assert Memory(tmp_path, SEEN).last(ORIGIN) is None


def test_a_promise_is_remembered_by_kind_and_name(tmp_path: Path) -> None:
    Memory(tmp_path, PROMISED).promise(ORIGIN, HEAD)

    assert HEAD == Memory(tmp_path, PROMISED).last(ORIGIN)
    assert Memory(tmp_path, PROMISED).last(ORIGIN + "/") is None
    assert Memory(tmp_path, SEEN).last(ORIGIN) is None


def test_a_later_promise_replaces_the_first(tmp_path: Path) -> None:
    memory = Memory(tmp_path, PROMISED)
    memory.promise(ORIGIN, HEAD)
    memory.promise(ORIGIN, TreeHead(6, bytes(32)))

    assert TreeHead(6, bytes(32)) == memory.last(ORIGIN)


@pytest.mark.parametrize("name", ["", "../../escape", "a/b", "\x00", "é" * 1000, "a b\nc"])
def test_any_name_can_be_remembered_and_none_leaves_the_folder(tmp_path: Path, name: str) -> None:
    memory = Memory(tmp_path / "home", SEEN)
    memory.promise(name, HEAD)

    assert HEAD == memory.last(name)
    assert [tmp_path / "home"] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        canonical_bytes({"name": ORIGIN, "size": -1, "root": "00" * 32}),
        canonical_bytes({"name": ORIGIN, "size": True, "root": "00" * 32}),
        canonical_bytes({"name": ORIGIN, "size": "5", "root": "00" * 32}),
        canonical_bytes({"name": ORIGIN, "size": 5, "root": "00" * 31}),
        canonical_bytes({"name": ORIGIN, "size": 5, "root": "zz" * 32}),
        canonical_bytes({"name": ORIGIN, "size": 5}),
        canonical_bytes({"name": ORIGIN, "root": "00" * 32}),
    ],
)
def test_a_memory_that_cannot_be_read_is_never_taken_for_none(tmp_path: Path, content: bytes) -> None:
    """Without its memory a machine would sign a second history; damage must stop it."""
    memory = Memory(tmp_path, PROMISED)
    memory.promise(ORIGIN, HEAD)
    (file,) = (place for place in (tmp_path / PROMISED).iterdir() if place.suffix == ".json")
    file.write_bytes(content)

    with pytest.raises(MalformedError):
        memory.last(ORIGIN)


def test_two_processes_do_not_decide_about_one_log_at_once(tmp_path: Path) -> None:
    memory = Memory(tmp_path, PROMISED)
    with memory.locked(ORIGIN):
        with memory.locked("another log"):
            memory.promise("another log", HEAD)
        with pytest.raises(UsageError, match="another auzolan process"), memory.locked(ORIGIN):
            pass
    with memory.locked(ORIGIN):
        memory.promise(ORIGIN, HEAD)

    assert HEAD == memory.last(ORIGIN)


def test_two_processes_do_not_make_keys_at_once(tmp_path: Path) -> None:
    store = KeyStore(tmp_path)
    with exclusive_lock(tmp_path / "lock"), pytest.raises(UsageError, match="another auzolan process"):
        store.create("demo/library", b"")

    assert store.public_keys() == []
