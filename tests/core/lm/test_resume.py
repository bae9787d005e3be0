"""The journal of answers: what is in it is asked for no more, and what is torn or mixed is noticed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auzolan.core.lm.generate import Completion, Request
from auzolan.core.lm.resume import BATCH, Journal, Resumed
from auzolan.core.lm.scripted import Scripted
from auzolan.core.record.canonical import JsonObject
from auzolan.core.record.errors import MalformedError, StorageError, UsageError
from tests.core.lm.loopback import ask, asks, reply_to, texts

ABOUT: JsonObject = {"model": "m", "extra": {"top_k": 0}}


def model(order: Callable[[Sequence[Request]], Iterable[Request]] = iter) -> Scripted:
    return Scripted(lambda request: reply_to(request.messages[-1].text), order=order)


def run(path: Path, requests: Sequence[Request], backend: Scripted) -> list[Completion]:
    with Journal(path, ABOUT) as journal:
        return list(Resumed(backend, journal)(requests))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "answers.jsonl"


@pytest.fixture
def full(path: Path) -> Path:
    """A journal of a beginning and five answers."""
    run(path, asks(5), model())
    return path


def test_answers_come_in_the_order_of_the_requests(path: Path) -> None:
    found = run(path, asks(5), model(reversed))

    assert texts(asks(5)) == [completion.text for completion in found]
    assert {False} == {completion.cached for completion in found}


def test_what_was_answered_is_not_asked_again(full: Path) -> None:
    backend = model()
    found = run(full, asks(8), backend)

    assert asks(8)[5:] == backend.asked
    assert texts(asks(8)) == [completion.text for completion in found]
    assert [True] * 5 + [False] * 3 == [completion.cached for completion in found]


def test_an_answer_is_the_same_from_the_model_and_from_the_journal(path: Path) -> None:
    first = run(path, asks(3), model())
    second = run(path, asks(3), model())

    assert first == [replace(completion, cached=False) for completion in second]


def test_equal_requests_are_asked_once_and_yielded_each(path: Path) -> None:
    backend = model()
    requests = [ask("a"), ask("b"), ask("a")]

    assert texts(requests) == [completion.text for completion in run(path, requests, backend)]
    assert 2 == backend.n_calls


def test_what_came_before_an_error_is_kept(path: Path) -> None:
    def fails_at_the_third(request: Request) -> str:
        if request == ask("question 2"):
            raise StorageError("the server is gone")
        return reply_to(request.messages[-1].text)

    with pytest.raises(StorageError):
        run(path, asks(5), Scripted(fails_at_the_third))
    backend = model()
    run(path, asks(5), backend)

    assert asks(5)[2:] == backend.asked


def test_what_came_out_of_order_before_an_error_is_kept(path: Path) -> None:
    def fails_at_the_first(request: Request) -> str:
        if request == ask("question 0"):
            raise StorageError("the server is gone")
        return reply_to(request.messages[-1].text)

    with pytest.raises(StorageError):
        run(path, asks(5), Scripted(fails_at_the_first, order=reversed))
    backend = model()
    run(path, asks(5), backend)

    assert asks(1) == backend.asked


def test_a_user_who_stops_early_keeps_what_was_yielded(path: Path) -> None:
    with Journal(path, ABOUT) as journal:
        arriving = Resumed(model(), journal)(asks(5))
        next(arriving)
        next(arriving)
        arriving.close()
    with Journal(path, ABOUT) as journal:
        assert asks(5)[2:] == journal.unanswered([*asks(5), *asks(5)])
        assert 2 == len(journal)


def test_each_line_is_json_with_its_sum(full: Path) -> None:
    lines = [json.loads(line) for line in full.read_bytes().splitlines()]
    inner = [line.split(b',"is":', 1)[1][:-1] for line in full.read_bytes().splitlines()]

    assert [{"sum", "is"}] * 6 == [set(line) for line in lines]
    assert [sha256(part).hexdigest() for part in inner] == [line["sum"] for line in lines]
    assert {"format": "auzolan/answers/v1", "about": ABOUT} == lines[0]["is"]
    assert "answer to question 0" == lines[1]["is"]["text"]


def test_only_its_owner_can_read_it(full: Path) -> None:
    assert 0o600 == full.stat().st_mode & 0o777


def test_a_journal_cut_anywhere_is_repaired_and_goes_on(full: Path, tmp_path: Path) -> None:
    whole = full.read_bytes()
    ends = [at + 1 for at, byte in enumerate(whole) if byte == ord("\n")]
    wrong = []
    # Each flushes, which takes time; so not every byte of the long middles.
    near_ends = {end + by for end in [0, *ends] for by in (-2, -1, 0, 1) if 0 <= end + by <= len(whole)}
    for size in sorted({*range(0, len(whole), 13), *near_ends}):
        cut = tmp_path / "cut"
        cut.write_bytes(whole[:size])
        with Journal(cut, ABOUT) as journal:
            n_kept = sum(end <= size for end in ends[1:])
            torn = size - max([0, *(end for end in ends if end <= size)])
            repaired = cut.read_bytes() == whole[: ends[n_kept]]
            if (len(journal), journal.n_torn_bytes, repaired) != (n_kept, torn if size > ends[0] else 0, True):
                wrong.append(size)

    assert [] == wrong


def test_a_run_goes_on_after_a_torn_line(full: Path) -> None:
    full.write_bytes(full.read_bytes()[:-7])
    backend = model()
    run(full, asks(6), backend)
    again = model()

    assert asks(6)[4:] == backend.asked
    assert texts(asks(6)) == [completion.text for completion in run(full, asks(6), again)]
    assert 0 == again.n_calls


@pytest.mark.parametrize("tail", [b"\0" * 4096, b"\0" * 30 + b"\n", b"{}\n" * BATCH, b"\xff\n\n"])
def test_what_a_power_cut_left_behind_is_cut_off(full: Path, tail: bytes) -> None:
    whole = full.read_bytes()
    full.write_bytes(whole + tail)
    with Journal(full, ABOUT) as journal:
        assert (5, len(tail)) == (len(journal), journal.n_torn_bytes)

    assert whole == full.read_bytes()


def test_a_changed_byte_is_noticed_wherever_it_is(full: Path, tmp_path: Path) -> None:
    whole = full.read_bytes()
    first_end = whole.index(b"\n") + 1
    unnoticed = []
    for at in range(first_end, len(whole), 7):
        changed = tmp_path / "changed"
        changed.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with Journal(changed, ABOUT) as journal:
            if journal.n_torn_bytes == 0:
                unnoticed.append(at)

    assert [] == unnoticed


def test_damage_further_up_than_a_batch_is_refused_and_named(path: Path) -> None:
    run(path, asks(BATCH + 5), model())
    lines = path.read_bytes().splitlines(keepends=True)
    damaged = b"".join([*lines[:2], lines[2].replace(b"question", b"Question"), *lines[3:]])
    path.write_bytes(damaged)

    with pytest.raises(MalformedError, match="line 3: it is not as it was written"):
        Journal(path, ABOUT)
    assert damaged == path.read_bytes()


@pytest.mark.parametrize(
    "content",
    [b"Dear diary\n", b"Dear diary", b"\n", b"{}\n", b'{"sum":"' + b"0" * 64 + b'","is":{}}\n', b"\xff" * 500],
)
def test_a_file_that_is_no_journal_is_left_alone(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    with pytest.raises(MalformedError, match="something else"):
        Journal(path, ABOUT)
    assert content == path.read_bytes()


@pytest.mark.parametrize("body", [b"", b"1", b"{}", b'{"request":"x"}', b'{"text":1.5}', b"\xff", b"[" * 9999, b"{ }"])
def test_a_line_that_is_whole_and_says_something_else_is_refused(full: Path, body: bytes) -> None:
    sum_ = sha256(body).hexdigest().encode()
    full.write_bytes(full.read_bytes() + b'{"sum":"' + sum_ + b'","is":' + body + b"}\n")

    with pytest.raises(MalformedError, match="line 7"):
        Journal(full, ABOUT)


@settings(max_examples=25)
@given(st.binary(max_size=200))
def test_whatever_follows_a_journal_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, tail: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / "answers.jsonl"
    run(path, asks(1), model())
    path.write_bytes(path.read_bytes() + tail)
    with suppress(MalformedError), Journal(path, ABOUT) as journal:
        assert (1, len(tail)) == (len(journal), journal.n_torn_bytes)


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        ({"model": "n", "extra": {"top_k": 0}}, 'model "m", now it is "n"'),
        ({"model": "m", "extra": {"top_k": 1}}, 'extra {"top_k":0}, now it is {"top_k":1}'),
        ({"model": "m"}, 'extra {"top_k":0}, now it is nothing'),
        (ABOUT | {"rank": 3}, "rank nothing, now it is 3"),
    ],
)
def test_other_settings_are_not_mixed_in(full: Path, about: JsonObject, expected: str) -> None:
    before = full.read_bytes()

    with pytest.raises(UsageError) as caught:
        Journal(full, about)
    assert f"begun with {expected}; take another file" in str(caught.value)
    assert before == full.read_bytes()


def test_a_model_that_changes_its_name_is_not_mixed_in(full: Path) -> None:
    other = Scripted(lambda request: "x", model="another\x1b")

    with pytest.raises(UsageError, match=r"answers of 'scripted', now it is 'another\\x1b'"):
        run(full, asks(6), other)
    with Journal(full, ABOUT) as journal:
        assert 5 == len(journal)


def test_two_journals_put_together_are_refused(full: Path) -> None:
    full.write_bytes(full.read_bytes() * 2)

    with pytest.raises(MalformedError, match="line 7"):
        Journal(full, ABOUT)


def test_answers_of_two_models_put_together_are_refused(full: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    run(other, asks(1), Scripted(lambda _: "x", model="another"))
    full.write_bytes(full.read_bytes() + other.read_bytes().splitlines(keepends=True)[1])

    with pytest.raises(UsageError, match="another"):
        Journal(full, ABOUT)


def test_a_second_opening_is_refused_until_the_first_is_closed(path: Path) -> None:
    with Journal(path, ABOUT), pytest.raises(UsageError, match="another process is writing the journal"):
        Journal(path, ABOUT)
    with Journal(path, ABOUT) as journal:
        assert 0 == len(journal)


def test_a_refused_journal_is_not_kept_locked(full: Path) -> None:
    with pytest.raises(UsageError):
        Journal(full, {"model": "n"})
    with Journal(full, ABOUT) as journal:
        assert 5 == len(journal)


def test_what_is_no_plain_file_is_refused(full: Path, tmp_path: Path) -> None:
    link, pipe = tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(full)
    os.mkfifo(pipe)
    for wrong in (link, pipe, tmp_path, tmp_path / "no such folder" / "x"):
        with pytest.raises(StorageError, match="cannot open the journal"):
            Journal(wrong, ABOUT)


def test_a_full_disk_ends_the_run_and_leaves_whole_lines(full: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, whole = os.pwrite, full.read_bytes()

    def room_for_fifty(descriptor: int, data: memoryview, offset: int) -> int:
        if offset > len(whole):
            raise OSError(28, "No space left on device")
        return real(descriptor, data[:50], offset)

    journal = Journal(full, ABOUT)
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", room_for_fifty)
        with pytest.raises(StorageError, match="No space left on device"):
            list(Resumed(model(), journal)(asks(6)))

    assert whole == full.read_bytes()
    with Journal(full, ABOUT) as again:
        assert 5 == len(again)


def test_lines_are_flushed_in_batches_and_at_the_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[int] = []
    real = os.fsync
    n_lines = BATCH * 2 + 3
    journal = Journal(path, ABOUT)

    def fsync(descriptor: int) -> None:
        real(descriptor)
        flushed.append(len(journal))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        list(Resumed(model(), journal)(asks(n_lines)))
        journal.close()

    assert [BATCH, 2 * BATCH, n_lines] == flushed


def test_what_a_killed_run_did_not_flush_is_flushed_by_the_next(full: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[int] = []
    with monkeypatch.context() as patch, Journal(full, ABOUT) as journal:
        patch.setattr(os, "fsync", flushed.append)
        list(Resumed(model(), journal)(asks(5)))

        assert 1 == len(flushed)


def test_a_failed_flush_closes_the_journal(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(path, ABOUT)

    def broken(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", broken)
        with pytest.raises(StorageError, match="Input/output error"):
            list(Resumed(model(), journal)(asks(3)))
    with pytest.raises(StorageError):
        journal.add(Completion(ask("x").id, "", "stop", 0, 0, "scripted"))


def test_a_file_changed_while_it_is_open_is_noticed(full: Path) -> None:
    with Journal(full, ABOUT) as journal:
        full.write_bytes(full.read_bytes().replace(b"question", b"Question"))

        with pytest.raises(MalformedError, match="not as it was written"):
            journal.read(ask("question 1"))


def test_a_backend_that_leaves_one_out_is_found(path: Path) -> None:
    def lazy(requests: Sequence[Request]) -> Generator[Completion, None, None]:
        yield from model()(requests[:-1])

    with Journal(path, ABOUT) as journal, pytest.raises(MalformedError, match="without answering"):
        list(Resumed(lazy, journal)(asks(3)))


def test_a_backend_that_answers_something_else_is_found(path: Path) -> None:
    def wrong(requests: Sequence[Request]) -> Generator[Completion, None, None]:
        yield from model()([ask("another")])

    with Journal(path, ABOUT) as journal, pytest.raises(MalformedError, match="not asked"):
        list(Resumed(wrong, journal)(asks(3)))
