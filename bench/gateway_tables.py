"""What bench/gateway.py prints: tables, one sentence per demand, and what the rows are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from bench.gateway_systems import BARE, LITELLM, NEMO_PATTERNS, OURS
from bench.gateway_turn import BLOCK, CLIENTS, LONG, STREAMS, Long, Turn
from bench.gateway_work import N_TOKENS
from bench.measure import Spread, spread, table

HOW = "median (lowest .. highest) of the rounds, in turn, each run in fresh processes, one worker, on one CPU"

# Demands of the project (issue 6).
CPU_MS, TIMES_BARE, TOKEN_US, ADDED_MS, RSS_MB, START_S, LESS_THAN_LITELLM = 0.2, 2.0, 10.0, 0.5, 100.0, 1.0, 40.0
FLAT_MB = 5.0  # what "flat" means: from a tenth of the requests to their end

NOTES = f"""\
What the rows are:

- The stand-in answers at once, with 304 characters (551 bytes of JSON) or with 67 events for {N_TOKENS} tokens, as \
fast as they are taken. It is granian with orjson, and the same process for all.
- Every answer holds the number of its question, and all of it is compared; a wrong one ends the benchmark, \
and so does one of ours without a receipt.
- In each round those that refuse something are asked for it first, streamed and not; if it is answered, the \
benchmark ends.
- *CPU* is that of all processes of a gateway, user and system, by the kernel's clock of each process. It does not \
hold that of the stand-in and of what asks.
- *One by one*: over one connection, the next question after the answer. In turn with them the stand-in is asked \
directly, {BLOCK} questions each; what is *added* is the difference within a round. \
One by one each request costs more CPU, on every side, because threads fall asleep between requests and are woken.
- *First token* is that of streams, one after the other, likewise.
- *{CLIENTS} at once* and *{STREAMS} streams*: so many connections that each ask one question after the other; each \
stays open.
- *Per token* is the cost of a stream divided by its {N_TOKENS} tokens, whatever pieces it arrives in.
- *Times bare*, *times ours*: CPU time over that of the bare proxy or of ours in the same round.
- *Start* is from making the process to the first right answer; files are written and what Python compiles is \
compiled before.
- *Memory* is what the processes of a gateway hold (RSS), shared pages counted in each.
- Each is asked 100 questions before anything is timed, and some streams.
- Slow gateways get fewer questions, the number is in the tables.

How they are set up:

- *Bare proxy*: `bench/peers/bare_proxy.py`, on what ours is built of. It reads no body, knows no token, and keeps \
nothing; it is what passing on costs in Python.
- *LiteLLM*: its command `litellm`, with one model, no database and no callbacks, errors alone written; it checks \
its master key. Its proprietary package is not installed.
- *NeMo Guardrails*: its own server without its lines per request, which it always writes, and on loopback, to which \
its command cannot be bound. {len(NEMO_PATTERNS)} regular expressions on questions and as many on answers, tried one \
by one, streams included; it passes messages on as they come (`passthrough`), without dialogue flows. It knows no token.
- Both start and answer where there is no network but loopback; LiteLLM's list of prices is the one that it comes \
with, and its telemetry and NeMo's usage statistics are off.

What this does not show:

- What happens with a model behind it: any model takes far longer than any of these.
- More than one worker, TLS, other machines.
- What the peers do that ours does not: keys per user, budgets, many providers, dialogue flows.
- A stand-in on the same machine as a gateway; wall times hold what the machine did besides."""


class Measured(NamedTuple):
    """What was seen: turns by gateway, one per round, and asking for long by gateway."""

    turns: dict[str, list[Turn]]
    long: dict[str, Long]


def _spread(turns: Sequence[Turn], value: Callable[[Turn], float]) -> Spread:
    return spread([value(turn) for turn in turns])


def _over(measured: Measured, above: str, below: str, value: Callable[[Turn], float]) -> Spread | None:
    """Return a ratio, round by round; None where one of the two is not there."""
    if above not in measured.turns or below not in measured.turns:
        return None
    pairs = zip(measured.turns[above], measured.turns[below], strict=True)
    return spread([value(one) / value(other) for one, other in pairs])


def _times(measured: Measured, name: str, value: Callable[[Turn], float]) -> list[str]:
    """Return two cells: times bare, times ours."""
    cells = []
    for base in (BARE, OURS):
        ratio = None if name == base else _over(measured, name, base, value)
        cells.append(f"{ratio.text()}x" if ratio else "")
    return cells


def one_cpu(turn: Turn) -> float:
    """Return CPU time per request, one by one."""
    return turn.one_cpu


def many_cpu(turn: Turn) -> float:
    """Return CPU time per request, many at once."""
    return turn.many_cpu


def token_us(turn: Turn) -> float:
    """Return CPU time per token."""
    return turn.token_us


def added(turn: Turn) -> float:
    """Return what the median answer takes longer than from the stand-in."""
    return turn.through[0] - turn.direct[0]


def tables(measured: Measured) -> dict[str, str]:
    """Return all tables by title."""
    found = {
        "CPU time per request": _requests(measured),
        "What is added to an answer, one by one": _added(measured),
        f"Streams, {STREAMS} at once": _streams(measured),
        "Start and memory": _memory(measured),
    }
    if measured.long:
        found[f"Memory over many requests, {LONG} at once"] = _long(measured)
    return found


def _requests(measured: Measured) -> str:
    rows = []
    for place, value in enumerate((one_cpu, many_cpu)):
        for name, turns in measured.turns.items():
            row = [f"{CLIENTS} at once" if place else "one by one", name, f"{turns[0].asked[place]:,}"]
            row += [_spread(turns, value).text(3), *_times(measured, name, value)]
            row.append(_spread(turns, lambda turn: turn.per_second).text(0) if place else "")
            rows.append(row)
    return table(["asked", "gateway", "n", "CPU ms", "times bare", "times ours", "answers/s"], rows)


def _added(measured: Measured) -> str:
    rows = []
    for name, turns in measured.turns.items():
        values: list[Callable[[Turn], float]] = [
            lambda turn: turn.direct[0],
            lambda turn: turn.through[0],
            added,
            lambda turn: turn.through[1] - turn.direct[1],
            lambda turn: turn.through[2] - turn.direct[2],
        ]
        rows.append([name, f"{turns[0].asked[0]:,}", *(_spread(turns, value).text(3) for value in values)])
    header = ["gateway", "n", "directly, p50 ms", "through it, p50 ms", "added, p50 ms", "added, p99 ms"]
    return table([*header, "first token, added, p50 ms"], rows)


def _streams(measured: Measured) -> str:
    rows = []
    for name, turns in measured.turns.items():
        row = [name, f"{turns[0].asked[2]:,}", _spread(turns, token_us).text(1), *_times(measured, name, token_us)]
        rows.append([*row, _spread(turns, lambda turn: turn.tokens_per_second).text(0)])
    return table(["gateway", "streams", "CPU µs per token", "times bare", "times ours", "tokens/s"], rows)


def _memory(measured: Measured) -> str:
    rows = []
    for name, turns in measured.turns.items():
        values: list[tuple[Callable[[Turn], float], int]] = [
            (lambda turn: turn.start_s, 2),
            (lambda turn: turn.rss[0], 1),
            (lambda turn: turn.rss[1], 1),
        ]
        rows.append([name, *(_spread(turns, value).text(digits) for value, digits in values)])
    return table(["gateway", "start, s", "after the first answer, MB", "after a round, MB"], rows)


def _long(measured: Measured) -> str:
    rows = []
    for name, found in measured.long.items():
        held = [megabytes for _, megabytes in found.rss]
        row = [name, f"{found.asked:,}", f"{found.cpu:.3f}", *(f"{each:.1f}" for each in (held[0], held[1], held[-1]))]
        rows.append([*row, f"{max(held):.1f}", f"{held[-1] - held[1]:+.1f}"])
    header = ["gateway", "n", "CPU ms", "before, MB", "after a tenth, MB", "at the end, MB", "at most, MB"]
    return table([*header, "from a tenth to the end, MB"], rows)


def verdicts(measured: Measured) -> list[str]:
    """Return one sentence per demand of the project, met or missed, by the medians."""
    if OURS not in measured.turns:
        return ["not measured: ours"]
    turns = measured.turns[OURS]
    most: list[tuple[str, Spread | None, float, str]] = [
        (f"CPU per request, {CLIENTS} at once", _spread(turns, many_cpu), CPU_MS, " ms"),
        ("the same, one by one", _spread(turns, one_cpu), CPU_MS, " ms"),
        (f"times the bare proxy, {CLIENTS} at once", _over(measured, OURS, BARE, many_cpu), TIMES_BARE, "x"),
        ("the same, one by one", _over(measured, OURS, BARE, one_cpu), TIMES_BARE, "x"),
        ("CPU per streamed token", _spread(turns, token_us), TOKEN_US, " µs"),
        ("added to the median answer", _spread(turns, added), ADDED_MS, " ms"),
        ("memory after a round", _spread(turns, lambda turn: turn.rss[1]), RSS_MB, " MB"),
        ("start", _spread(turns, lambda turn: turn.start_s), START_S, " s"),
    ]
    if OURS in measured.long:
        held = [megabytes for _, megabytes in measured.long[OURS].rss]
        n = f"{measured.long[OURS].asked:,}"
        most.append((f"memory at most over {n} requests", spread([max(held)]), RSS_MB, " MB"))
        most.append((f"memory gained over the last nine tenths of {n}", spread([held[-1] - held[1]]), FLAT_MB, " MB"))
    said = [
        f"{'met' if found.median <= limit else 'MISSED'}: {what}: {found.text()}{unit}, demanded <= {limit:g}{unit}"
        for what, found, limit, unit in most
        if found
    ]
    for how, value in ((f"{CLIENTS} at once", many_cpu), ("one by one", one_cpu)):
        if less := _over(measured, LITELLM, OURS, value):
            word = "met" if less.median >= LESS_THAN_LITELLM else "MISSED"
            said.append(
                f"{word}: LiteLLM takes {less.text()}x the CPU per request, {how}, demanded >= {LESS_THAN_LITELLM:g}x"
            )
    return said
