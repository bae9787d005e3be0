"""Nobody is answered twice or over another's answer, whoever did what since, and however a run ended."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from auzolan.cli.decidim.answering import alone
from auzolan.core.lm.retry import Backoff
from auzolan.core.record.disk import DiskFiles
from auzolan.core.record.errors import StorageError, UsageError
from auzolan.deliberate.decidim.api.answering import Answer, Written, write_answers
from tests.decidim_server import DecidimServer, Fault, cut, page, small_instance, status
from tests.decidim_server.server import TOKEN
from tests.deliberate.decidim.api.reading import Clock, api
from tests.memory_files import MemoryFiles

_OURS = "auzolan deliberate why"
_ANSWERS = [
    Answer(6, 1, "accepted", {"ca": f"<p>Sí. {_OURS} 1</p>"}),
    Answer(6, 2, "rejected", {"ca": f"<p>No. {_OURS} 2</p>"}),
]
_MAY_HAVE_BEEN_SENT = r"proposal 1 of component 6: an earlier run may have sent .* 0 of 2 proposals are answered"


def _write(
    server: DecidimServer,
    store: MemoryFiles,
    answers: list[Answer] = _ANSWERS,
    replace: bool = False,
    resend: bool = False,
) -> Written:
    clock = Clock()
    headers = {"Authorization": f"Bearer {TOKEN}"}
    asking = api(server, clock, headers=headers, backoff=Backoff(tries=1))
    try:
        return write_answers(asking, answers, store, clock.sleep, replace=replace, resend=resend)
    finally:
        asking.close()


def _answered(server: DecidimServer, number: int, state: str, texts: Mapping[str, str]) -> None:
    server.instance.items(6)[number - 1] |= {"state": state, "answer": dict(texts)}


def _lost(server: DecidimServer, store: MemoryFiles, fault: Fault) -> None:
    """Let a run end right after it sent its first answer."""
    server.faults = lambda number: fault if number >= 3 else None
    with pytest.raises(StorageError, match=r"it is not known whether the answer was taken|no answer after 1 try"):
        _write(server, store)
    server.faults = lambda _: None


@pytest.mark.parametrize(
    ("state", "texts"), [("accepted", {"ca": "<p>Ho farem.</p>"}), ("evaluating", {}), ("not_answered", {"es": "Ya."})]
)
def test_an_answer_that_somebody_gave_since_the_import_stays(state: str, texts: Mapping[str, str]) -> None:
    with DecidimServer("0.32", small_instance()) as server:
        _answered(server, 1, state, texts)
        written = _write(server, MemoryFiles())
        kept = server.instance.items(6)[0]

    assert Written(sent=1, standing=0, not_shown=0, answered_by_others=1) == written
    assert [(6, "2")] == server.answered
    assert (state, texts) == (kept["state"], kept["answer"])


def test_whoever_says_so_replaces_it() -> None:
    with DecidimServer("0.32", small_instance()) as server:
        _answered(server, 1, "accepted", {"ca": "<p>Ho farem.</p>"})
        written = _write(server, MemoryFiles(), replace=True)

    assert Written(2, 0, 0, 0) == written
    assert [(6, "1"), (6, "2")] == server.answered


def test_an_older_answer_of_ours_is_nobody_elses() -> None:
    with DecidimServer("0.32", small_instance()) as server:
        _answered(server, 1, "rejected", {"ca": f"<p>Abans no. <code>auzolan\n deliberate why</code> 1 {_OURS}</p>"})

        assert Written(2, 0, 0, 0) == _write(server, MemoryFiles())


@pytest.mark.parametrize("fault", [status(504), page(b"<html>")], ids=["status", "page"])
def test_an_answer_that_may_have_been_sent_is_not_sent_again_unless_told(fault: Fault) -> None:
    with DecidimServer("0.32", small_instance()) as server:
        store = MemoryFiles()
        _lost(server, store, fault)
        for _ in range(2):
            with pytest.raises(UsageError, match=_MAY_HAVE_BEEN_SENT):
                _write(server, store)
        nobody = list(server.answered)
        written = _write(server, store, resend=True)
        again = _write(server, store)

    assert [] == nobody
    assert (Written(2, 0, 0), Written(0, 2, 0)) == (written, again)
    assert [(6, "1"), (6, "2")] == server.answered


def test_one_that_was_taken_is_noted_when_it_is_seen_to_stand() -> None:
    with DecidimServer("0.32", small_instance()) as server:
        store = MemoryFiles()
        _lost(server, store, cut(8))
        written = _write(server, store)
        _answered(server, 1, "not_answered", {})  # whatever became of it later

        assert (Written(1, 1, 0), Written(0, 2, 0)) == (written, _write(server, store))
    assert [(6, "1"), (6, "2")] == server.answered


def test_a_language_that_the_decidim_does_not_have_is_not_missed() -> None:
    answers = [Answer(6, 1, "accepted", {**_ANSWERS[0].texts, "eu": f"<p>Bai. {_OURS} 1</p>"})]
    with DecidimServer("0.32", small_instance()) as server:
        store = MemoryFiles()
        server.faults = lambda number: cut(8) if number >= 3 else None
        with pytest.raises(StorageError):
            _write(server, store, answers)
        server.faults = lambda _: None
        del server.instance.items(6)[0]["answer"]["eu"]

        assert Written(0, 1, 0) == _write(server, store, answers)
    assert [(6, "1")] == server.answered


def test_the_same_language_with_other_words_does_not_stand() -> None:
    with DecidimServer("0.32", small_instance()) as server:
        store = MemoryFiles()
        _lost(server, store, status(504))
        _answered(server, 1, "accepted", {"ca": f"<p>Una altra cosa. {_OURS} 9</p>"})
        with pytest.raises(UsageError, match=_MAY_HAVE_BEEN_SENT):
            _write(server, store)

    assert [] == server.answered


def test_an_intention_is_written_before_anything_is_sent() -> None:
    class Full(MemoryFiles):
        def write_all(self, items: Mapping[str, bytes]) -> None:
            raise StorageError("cannot write: no space left")

    with DecidimServer("0.32", small_instance()) as server:
        with pytest.raises(StorageError, match="no space left; 0 of 2 proposals are answered"):
            _write(server, Full())

        assert [] == server.answered


def test_a_disk_that_fills_after_sending_notifies_nobody_twice() -> None:
    class FullSoon(MemoryFiles):
        n_writes = 0

        def write_all(self, items: Mapping[str, bytes]) -> None:
            self.n_writes += 1
            if self.n_writes == 2:
                raise StorageError("cannot write: no space left")
            super().write_all(items)

    with DecidimServer("0.32", small_instance()) as server:
        store = FullSoon()
        server.nulls |= {("Proposal", "state"), ("Proposal", "answer")}  # taken, and published later
        with pytest.raises(StorageError, match="no space left"):
            _write(server, store)
        with pytest.raises(UsageError, match=_MAY_HAVE_BEEN_SENT):
            _write(server, store)

        assert [(6, "1")] == server.answered


def test_one_that_was_confirmed_and_cannot_be_looked_at_is_noted_all_the_same() -> None:
    with DecidimServer("0.32", small_instance()) as server:
        store = MemoryFiles()
        server.nulls |= {("Proposal", "state")}  # taken, and published later
        server.faults = lambda number: status(503) if number == 4 else None
        with pytest.raises(StorageError, match="no answer after 1 try"):
            _write(server, store)

        assert Written(1, 1, 1) == _write(server, store)
    assert [(6, "1"), (6, "2")] == server.answered


def test_a_refusal_leaves_no_intention_behind() -> None:
    with DecidimServer("0.32", small_instance()) as server:
        store = MemoryFiles()
        with pytest.raises(UsageError, match="refuses the answer"):
            _write(server, store, [Answer(6, 1, "adopted", {"ca": "x"})])

        assert Written(2, 0, 0) == _write(server, store)


def test_an_answer_without_confirmation_or_refusal_is_looked_up() -> None:
    nothing = page(b'{"data":{"component":{"proposal":{"answer":null}}}}', "application/json")
    with DecidimServer("0.32", small_instance()) as server:
        server.faults = lambda number: nothing if number == 3 else None
        with pytest.raises(StorageError, match="it is not known whether the answer was taken"):
            _write(server, MemoryFiles())

        assert [] == server.answered


def test_a_note_that_is_damaged_counts_as_one_that_may_have_been_sent() -> None:
    with DecidimServer("0.32", small_instance()) as server:
        store = MemoryFiles()
        _write(server, store)
        _answered(server, 1, "not_answered", {})
        path = next(path for path in store.content if path.endswith("6-1.json"))
        store.content[path] = b'{"answer'
        with pytest.raises(UsageError, match=r"an earlier run may have sent"):
            _write(server, store)

        assert 2 == len(server.answered)


def test_another_answer_after_one_that_was_lost_is_sent_once_that_is_told() -> None:
    other = [Answer(6, 1, "rejected", {"ca": f"<p>Ara no. {_OURS} 1</p>"})]
    with DecidimServer("0.32", small_instance()) as server:
        store = MemoryFiles()
        _lost(server, store, cut(8))
        with pytest.raises(UsageError, match="an earlier run may have sent"):
            _write(server, store, other)

        assert Written(1, 0, 0) == _write(server, store, other, resend=True)
        assert Written(0, 1, 0) == _write(server, store, other)
        assert Written(2, 0, 0) == _write(server, store)


def test_two_runs_at_once_are_one(tmp_path: Path) -> None:
    store = DiskFiles(tmp_path / "fetched" / "0123", private=True)
    with alone(store), pytest.raises(UsageError, match="another run is giving these answers now"), alone(store):
        pass
    with alone(store):
        assert [] == store.paths("answers")


def test_what_a_run_asks_wrongly_is_not_taken_for_a_second_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="something else"), alone(DiskFiles(tmp_path, private=True)):
        raise UsageError("something else")
