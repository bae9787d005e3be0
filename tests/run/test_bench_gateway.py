"""The benchmark of the gateway: it believes no answer that it has not checked, and leaves no process behind."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("granian", reason="NOT CHECKED: the run extra (granian) is not installed")

from bench import gateway
from bench.gateway_backend import _whole, events
from bench.gateway_load import Line, Reply, Target
from bench.gateway_place import Launch, Place, environment
from bench.gateway_systems import BARE, LITELLM, OURS, SYSTEMS, System, stand_in
from bench.gateway_tables import Measured, tables, verdicts
from bench.gateway_tree import alive, cpus, running
from bench.gateway_turn import Long, Numbers, Site, Turn, first_answer, free_port, served
from bench.gateway_work import (
    DONE,
    N_TOKENS,
    RefusedError,
    WrongAnswerError,
    check_stream,
    check_whole,
    number_of,
    tokens,
)

HEAD = b"HTTP/1.1 200 OK\r\n"


def turn(cpu: float, start_s: float = 0.5) -> Turn:
    return Turn(
        asked=(50, 64, 16), start_s=start_s, one_cpu=cpu, direct=(0.1, 0.2, 0.1), through=(0.4, 0.6, 0.4),
        many_cpu=cpu, many=(1.0, 2.0), per_second=1000.0, token_us=5.0, tokens_per_second=1e5, rss=(70.0, 80.0),
    )  # fmt: skip


def test_a_stream_has_67_events_and_says_what_a_whole_answer_says() -> None:
    said = list(events(7))

    assert 67 == len(said)
    assert N_TOKENS == len(tokens(7))
    check_stream(b"".join(said), 7)
    check_whole(_whole(7), 7)
    assert 7 == number_of("Question 7: who, and why?")


@pytest.mark.parametrize(
    "stream",
    [
        b"".join(events(8)),  # of another question
        b"".join(list(events(7))[:-1]),  # without its end
        b"".join(events(7)) + DONE,  # with two ends
        b"".join(list(events(7))[:30]) + DONE,  # cut
        b"".join(event for number, event in enumerate(events(7)) if number != 20),  # a token is missing
    ],
)
def test_a_wrong_stream_is_not_believed(stream: bytes) -> None:
    with pytest.raises(WrongAnswerError):
        check_stream(stream, 7)


@pytest.mark.parametrize("body", [_whole(8), b"{}", b'{"choices":[]}', b"<html>", b"[]", _whole(7)[:-9]])
def test_a_wrong_answer_is_not_believed(body: bytes) -> None:
    with pytest.raises(WrongAnswerError):
        check_whole(body, 7)


def test_another_status_is_not_believed() -> None:
    reply = Reply()
    reply.feed(b"HTTP/1.1 503 Busy\r\ncontent-length: 4\r\n\r\nbusy")

    assert reply.done
    with pytest.raises(RefusedError, match="expected 200, got 503: b'busy'"):
        reply.check(7, stream=False)


@given(st.lists(st.integers(1, 900), max_size=12), st.lists(st.integers(1, 4_000), max_size=12), st.booleans())
def test_a_response_reads_the_same_in_whatever_pieces_it_comes(
    chunks: list[int], pieces: list[int], chunked: bool
) -> None:
    body = b"".join(events(7))
    if chunked:
        whole, at = HEAD + b"Transfer-Encoding: chunked\r\n\r\n", 0
        for size in [*chunks, len(body)]:
            if part := body[at : at + size]:
                whole += b"%x\r\n%b\r\n" % (len(part), part)
            at += size
        whole += b"0\r\n\r\n"
    else:
        whole = HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    reply, at = Reply(), 0
    for size in [*pieces, len(whole)]:
        assert reply.done == (at >= len(whole))
        if at < len(whole):
            reply.feed(whole[at : at + size])
        at += size

    assert reply.done
    assert body == bytes(reply.body)
    reply.check(7, stream=True)


def test_a_server_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    script = "import subprocess, sys; subprocess.run(['sleep', '60'])"
    with running([sys.executable, "-c", script], environment(tmp_path, {}), cpus()[0], tmp_path / "out.txt") as tree:
        while len(found := tree.pids()) < 2:
            tree.check()

        assert tree.rss() > 1
        assert tree.cpu() > 0

    assert not any(alive(pid) for pid in found)


def test_a_server_that_ends_by_itself_is_reported_with_its_words(tmp_path: Path) -> None:
    def start(place: Place) -> Launch:
        return Launch((sys.executable, "-c", "raise SystemExit('the disk is full')"))

    with (
        pytest.raises(SystemExit, match="the disk is full"),
        served(System("broken", start, ""), Site(cpus()[0], free_port(), tmp_path)),
    ):
        pass


WRONG = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "14")
        self.end_headers()
        self.wfile.write(b'{"choices":[]}')
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def test_a_gateway_that_answers_wrongly_stops_the_benchmark(tmp_path: Path) -> None:
    def start(place: Place) -> Launch:
        return Launch((sys.executable, "-c", WRONG, str(place.port)))

    with (
        pytest.raises(SystemExit, match=r"wrong: .*expected a chat completion"),
        served(System("wrong", start, ""), Site(cpus()[0], free_port(), tmp_path)),
    ):
        pass


def test_the_stand_in_streams_what_it_is_asked(tmp_path: Path) -> None:
    port = free_port()
    with stand_in(port, cpus()[0], tmp_path) as backend:
        first_answer(backend, Target(port))
        line = Line(Target(port))
        took, first = line.ask(3, stream=True)
        line.close()

    assert 0 < first <= took


def test_the_benchmark_runs_without_the_peers(capsys: pytest.CaptureFixture[str]) -> None:
    allowed = os.sched_getaffinity(0)
    gateway.main(["--tiny", "--rounds", "1"])
    said = capsys.readouterr().out

    assert "| bare proxy | 64 " in said
    assert "| ours       | 64 " in said
    assert "CPU per streamed token" in said
    assert "CPU µs per token" in said
    assert allowed == os.sched_getaffinity(0)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"run bench/peers/gateway\.sh first"):
        gateway.main(["--systems", "litellm", "--venvs", str(tmp_path)])
    with pytest.raises(SystemExit, match="expected some of ours, bare, litellm"):
        gateway.main(["--systems", "bare,other"])


def test_ratios_are_taken_within_a_round_and_demands_judged_by_medians() -> None:
    measured = Measured(
        {OURS: [turn(0.1), turn(0.2)], BARE: [turn(0.1), turn(0.1)], LITELLM: [turn(5.0), turn(5.0)]},
        {OURS: Long(200, 0.2, [(0, 70.0), (20, 80.0), (200, 90.0)])},
    )
    said = "\n".join(verdicts(measured))

    assert "met: times the bare proxy, 16 at once: 1.50 (1.00 .. 2.00)x, demanded <= 2x" in said
    assert "MISSED: LiteLLM takes 37.50 (25.00 .. 50.00)x the CPU per request, 16 at once, demanded >= 40x" in said
    assert "MISSED: memory gained over the last nine tenths of 200: 10.00" in said
    assert "37.50 (25.00 .. 50.00)x" in tables(measured)["CPU time per request"]
    assert ["not measured: ours"] == verdicts(Measured({BARE: [turn(0.1)]}, {}))


def test_slow_gateways_get_fewer_questions_but_some() -> None:
    numbers = Numbers(2_000, 4_000, 1_000, 50_000)

    assert numbers == numbers.of(SYSTEMS["bare"])
    assert (400, 800, 100, 5_000) == numbers.of(SYSTEMS["litellm"])
    assert (25, 16, 8, 10) == Numbers(1, 1, 1, 1).of(SYSTEMS["litellm"])
