"""What a request needs so that exactly the adapters asked for take part; the lines of an engine's log."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.kinds.answer import Engine
from auzolan.core.record.errors import UsageError
from auzolan.run.engine.error_log import MAX_CHARACTERS, MAX_LINES, ErrorLog
from auzolan.run.engine.sandbox import bwrap_argv
from auzolan.run.engine.upstream import KINDS, Slot, Upstream

ENGINE = Engine("stand-in", "1", "", "elsewhere")
ONE, TWO = "1" * 64, "2" * 64
LLAMA = Upstream("http://engine", "/s", "llama.cpp", ENGINE, "verified", slots={ONE: Slot(0), TWO: Slot(1, 500)})
NAMES = {(): "base", (ONE,): "town"}


@pytest.mark.parametrize(
    ("adapters", "scales"),
    [((), (0.0, 0.0)), ((ONE,), (1.0, 0.0)), ((TWO,), (0.0, 0.5)), ((ONE, TWO), (1.0, 0.5)), ((TWO, ONE), (1.0, 0.5))],
)
def test_llama_cpp_is_told_a_scale_for_every_loaded_adapter(
    adapters: tuple[str, ...], scales: tuple[float, ...]
) -> None:
    expected = [{"id": place, "scale": scale} for place, scale in enumerate(scales)]

    assert {"lora": expected} == LLAMA.fields(adapters)


@pytest.mark.parametrize("adapters", [("3" * 64,), (ONE, "3" * 64), ("",), ("0",), (ONE, ONE)])
@pytest.mark.parametrize("kind", KINDS)
def test_an_adapter_that_is_not_loaded_is_refused(kind: str, adapters: tuple[str, ...]) -> None:
    upstream = Upstream("http://engine", "", kind, ENGINE, "unverified", slots=LLAMA.slots, models=NAMES)
    with pytest.raises(UsageError):
        upstream.fields(adapters)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"llama.cpp"}))
def test_other_servers_are_told_the_models_name_for_exactly_this_set(kind: str) -> None:
    upstream = Upstream("http://engine", "", kind, ENGINE, "unverified", models=NAMES)

    assert [{"model": "base"}, {"model": "town"}] == [upstream.fields(()), upstream.fields((ONE,))]
    with pytest.raises(UsageError, match="serves no model with these adapters"):
        upstream.fields((ONE, TWO))


def test_the_key_is_never_shown() -> None:
    assert "secret" not in repr(Upstream("http://a", "", "openai", ENGINE, "unverified", {"Authorization": "secret"}))


def test_the_sandboxes_command_line_shares_nothing_with_the_outside() -> None:
    argv = bwrap_argv("/usr/bin/bwrap", ["/bin/true"], {"/engine/m": "/proc/self/fd/7"}, "/run/s")
    text = " ".join(argv)

    assert {"--unshare-all", "--die-with-parent", "--new-session", "--clearenv"} <= set(argv)
    assert "--share-net" not in argv
    assert "--cap-drop ALL" in text
    assert "--ro-bind /proc/self/fd/7 /engine/m --bind /run/s /engine/sockets --remount-ro / " in text
    assert 1 == argv.count("--bind")
    assert text.endswith("-- /bin/true")


def test_only_lines_from_before_the_first_request_are_kept_whole() -> None:
    log = ErrorLog()
    log.feed(b"cannot open model\n\nsecond", loading=True)
    log.feed(b" half\n", loading=True)
    log.feed(
        b"parse error: my name is Nobody\nterminate called after throwing an instance of 'std::x'\n", loading=False
    )

    assert ("cannot open model", "second half", "terminate called after throwing an instance of 'std::x'") == log.lines
    assert 1 == log.not_kept


@given(st.lists(st.tuples(st.binary(max_size=5000), st.booleans()), max_size=20))
def test_the_log_stays_small_and_printable(pieces: list[tuple[bytes, bool]]) -> None:
    log = ErrorLog()
    for data, loading in pieces:
        log.feed(data, loading=loading)

    assert len(log.lines) <= MAX_LINES
    assert all(len(line) <= MAX_CHARACTERS and line.isprintable() for line in log.lines)


@given(st.lists(st.text(st.characters(codec="utf-8")), max_size=8), st.integers(1, 7))
def test_no_text_of_a_request_is_kept_however_it_is_cut(lines: list[str], size: int) -> None:
    data = "".join(f"my name is Nobody: {line}\n" for line in lines).encode()
    log = ErrorLog()
    for start in range(0, len(data), size):
        log.feed(data[start : start + size], loading=False)

    assert () == log.lines
