"""The gateway against a bare proxy, LiteLLM's proxy and NeMo Guardrails, before the same stand-in for a model.

Run as `.venv/bin/python -m bench.gateway` after `bench/peers/gateway.sh`. In
every round each gateway is started, asked and ended, in turn. Every answer is
checked, and the benchmark stops at the first wrong one. Where there are two
CPUs, the gateway has one of them to itself.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.gateway_load import Target
from bench.gateway_systems import SYSTEMS, System, stand_in
from bench.gateway_tables import HOW, NOTES, Measured, tables, verdicts
from bench.gateway_tree import cpus, pinned
from bench.gateway_turn import Numbers, Site, ask_long, first_answer, free_port, take_turn
from bench.measure import RESULTS, ROOT, command, machine, report, save, say

ROUNDS = 5
FULL = Numbers(one_by_one=2_000, at_once=4_000, streams=1_000, long=50_000)
TINY = Numbers(one_by_one=50, at_once=64, streams=16, long=100)
TINY_SYSTEMS = "ours,bare"


def measure(systems: Sequence[System], rounds: int, numbers: Numbers, venvs: Path) -> Measured:
    """Let the gateways take turns before one stand-in, then ask each for long."""
    measured = Measured({system.name: [] for system in systems}, {})
    ours, other = cpus()
    with pinned(other), tempfile.TemporaryDirectory() as folder:
        port = free_port()
        with stand_in(port, other, Path(folder)) as backend:
            first_answer(backend, Target(port))
            site = Site(ours, port, venvs)
            for number in range(rounds):
                for system in systems:
                    turn = take_turn(system, site, numbers)
                    measured.turns[system.name].append(turn)
                    say(
                        f"round {number + 1}: {system.name}: {turn.one_cpu:.3f} and {turn.many_cpu:.3f} ms of CPU "
                        f"per request, {turn.token_us:.1f} µs per token, {turn.rss[1]:.0f} MB"
                    )
            for system in systems if numbers.long else ():
                measured.long[system.name] = found = ask_long(system, site, numbers)
                say(f"{system.name}: {found.asked:,} requests: {found.rss[1][1]:.1f} to {found.rss[-1][1]:.1f} MB")
    return measured


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the rounds and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--requests", type=int, default=FULL.at_once, help="of a quick gateway, many at once")
    parser.add_argument("--long", type=int, default=FULL.long, help="requests while memory is watched; 0 for none")
    parser.add_argument("--systems", help=f"of {', '.join(SYSTEMS)}; all by default")
    parser.add_argument("--venvs", type=Path, default=ROOT, help="where bench/peers/gateway.sh made them")
    parser.add_argument("--tiny", action="store_true", help="seconds, without the peers; the numbers mean nothing")
    parser.add_argument("--json", action="store_true", help="also write bench/results/gateway.json")
    chosen = parser.parse_args(arguments)
    wanted = (chosen.systems or (TINY_SYSTEMS if chosen.tiny else ",".join(SYSTEMS))).split(",")
    systems = [SYSTEMS[name] for name in wanted if name in SYSTEMS]
    if len(systems) < len(wanted):
        raise SystemExit(f"--systems: expected some of {', '.join(SYSTEMS)}, got {chosen.systems}")
    for system in systems:
        if not system.python(chosen.venvs).exists():
            raise SystemExit(f"no {system.python(chosen.venvs)}: run bench/peers/gateway.sh first")
    numbers = FULL._replace(
        one_by_one=chosen.requests // 2, at_once=chosen.requests, streams=chosen.requests // 4, long=chosen.long
    )
    about = machine(RESULTS) | {"command": command()}
    about |= {system.name: system.version(chosen.venvs) for system in systems}
    ours, other = cpus()
    about["CPUs"] = f"the gateway on {ours}, the stand-in and what asks on {other}"
    measured = measure(systems, chosen.rounds, TINY if chosen.tiny else numbers, chosen.venvs)
    said = verdicts(measured)
    text = f"{report(about, HOW, tables(measured), said)}\n\n{NOTES}"
    print(text)
    if chosen.json:
        say(f"written: {save('gateway', {'machine': about, **measured._asdict(), 'verdicts': said}, text)}")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))  # so that servers are ended too
    main()
